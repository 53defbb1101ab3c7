"""The only place that reads the time. Doors and the worker ask it; everything below takes `now` as an argument."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_frozen: ContextVar[datetime | None] = ContextVar("frozen", default=None)


def now() -> datetime:
    """The present instant, aware, in UTC."""
    return _frozen.get() or datetime.now(UTC)  # noqa: TID251 -- this is the clock itself


@contextmanager
def stopped_at(moment: datetime) -> Iterator[None]:
    """Hold the clock, for tests and for building the demo world's past."""
    token = _frozen.set(moment)
    try:
        yield
    finally:
        _frozen.reset(token)

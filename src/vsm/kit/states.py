"""The form of a life-cycle table: verb → from which states, to which state."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Step:
    """One row. `after=None` leaves the state as it is. `field` names the column that holds it."""

    before: frozenset[str]
    after: str | None
    field: str = "state"


def step(*before: str, to: str | None = None, field: str = "state") -> Step:
    return Step(frozenset(map(str, before)), str(to) if to is not None else None, field)


def choices_of(values: Iterable[StrEnum]) -> list[tuple[str, str]]:
    """What a column may hold, as Django takes it. Words for people are the queries' matter."""
    return [(each.value, each.value) for each in values]

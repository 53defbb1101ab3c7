"""How fast one caller may go: so many requests a minute, counted for each person, or for each address of strangers.

The counts stand in Django's cache, so the limit holds for each process of the web server, or for all of them when the
cache is shared. `API_RATES` among Django's settings changes the limits.
"""

from collections.abc import Mapping
from contextvars import ContextVar

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from ninja.throttling import BaseThrottle

from vsm.config import settings as configured
from vsm.kit import clock
from vsm.kit.actors import ANONYMOUS, Actor

RATES = {"stranger": 120, "person": 1200}
MINUTE = 60


class Pace(BaseThrottle):
    """A counter for each caller and minute. One object serves all threads, so nothing about a request is kept on it."""

    def allow_request(self, request: HttpRequest) -> bool:
        now = clock.now().timestamp()
        _wait.set(MINUTE - now % MINUTE)
        kind, caller = _caller(request)
        key = f"api-pace:{kind}:{caller}:{int(now // MINUTE)}"
        cache.add(key, 0, MINUTE)
        try:
            count = cache.incr(key)
        except ValueError:  # a full cache threw it out between the two lines
            count = 1
        return count <= _rates()[kind]

    def wait(self) -> float:
        """Seconds until the minute is over."""
        return _wait.get()


_wait: ContextVar[float] = ContextVar("wait", default=MINUTE)


def _rates() -> Mapping[str, int]:
    given: Mapping[str, int] = getattr(settings, "API_RATES", {})
    return {**RATES, **given}


def _caller(request: HttpRequest) -> tuple[str, str]:
    actor: Actor = getattr(request, "actor", ANONYMOUS)
    return ("stranger", _address(request)) if actor.is_anonymous else ("person", str(actor.person_id))


def _address(request: HttpRequest) -> str:
    """Where the request came from. Only behind our own proxy is X-Forwarded-For believed, and only what it added itself."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    if configured().is_secure and forwarded:
        return forwarded.rpartition(",")[2].strip()[:64]
    return str(request.META.get("REMOTE_ADDR", ""))

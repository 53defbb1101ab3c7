"""How fast one caller may go: so many requests a minute, counted for each person, or for each address of strangers.

`API_RATES` among Django's settings changes the limits.
"""

from collections.abc import Mapping
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest
from ninja.throttling import BaseThrottle

from vsm.kit import clock, tally
from vsm.kit.actors import ANONYMOUS, Actor
from vsm.kit.requests import address_of

RATES = {"stranger": 120, "person": 1200}
MINUTE = 60


class Pace(BaseThrottle):
    """A counter for each caller and minute. One object serves all threads, so nothing about a request is kept on it."""

    def allow_request(self, request: HttpRequest) -> bool:
        now = clock.now().timestamp()
        _wait.set(MINUTE - now % MINUTE)
        kind, caller = _caller(request)
        return tally.count(f"api-pace:{kind}:{caller}", now, MINUTE) <= _rates()[kind]

    def wait(self) -> float:
        """Seconds until the minute is over."""
        return _wait.get()


_wait: ContextVar[float] = ContextVar("wait", default=MINUTE)


def _rates() -> Mapping[str, int]:
    given: Mapping[str, int] = getattr(settings, "API_RATES", {})
    return {**RATES, **given}


def _caller(request: HttpRequest) -> tuple[str, str]:
    actor: Actor = getattr(request, "actor", ANONYMOUS)
    return ("stranger", address_of(request)) if actor.is_anonymous else ("person", str(actor.person_id))

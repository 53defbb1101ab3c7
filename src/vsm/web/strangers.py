"""How often somebody without an account may ask for something: a counter for each address and stretch of time."""

from django.http import HttpRequest

from vsm.kit import clock, tally
from vsm.kit.requests import address_of


def may_ask(request: HttpRequest, what: str, *, times: int, seconds: int, of: str = "") -> bool:
    """Whether this is at most the `times`-th request for `what` within the current stretch, from this address (or for `of`)."""
    return tally.count(f"stranger:{what}:{of or address_of(request)}", clock.now().timestamp(), seconds) <= times

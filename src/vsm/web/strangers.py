"""How often somebody without an account may ask for something: a counter for each address and stretch of time.

The counts stand in Django's cache: they hold for each process of the web server, or for all when the cache is shared.
"""

from django.core.cache import cache
from django.http import HttpRequest

from vsm.config import settings
from vsm.kit import clock


def may_ask(request: HttpRequest, what: str, *, times: int, seconds: int, of: str = "") -> bool:
    """Whether this is at most the `times`-th request for `what` within the current stretch, from this address (or for `of`)."""
    stretch = int(clock.now().timestamp() // seconds)
    key = f"stranger:{what}:{of or address(request)}:{stretch}"
    cache.add(key, 0, seconds)
    try:
        count = cache.incr(key)
    except ValueError:  # a full cache threw it out between the two lines
        count = 1
    return int(count) <= times


def address(request: HttpRequest) -> str:
    """Where the request came from. X-Forwarded-For is believed only behind our own proxy, and only its last entry."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    if settings().is_secure and forwarded:
        return forwarded.rpartition(",")[2].strip()[:64]
    return str(request.META.get("REMOTE_ADDR", ""))

"""How often something happened within the present stretch of time, where a limit asks.

The counts stand in Django's cache: they hold for each process of the web server, or for all of them when the cache is shared.
"""

from contextlib import suppress

from django.core.cache import cache


def count(what: str, moment: float, seconds: int) -> int:
    """How often `what` was counted in the stretch of so many `seconds` in which `moment` (a Unix time) lies, this time included."""
    key = _key(what, moment, seconds)
    cache.add(key, 0, seconds)
    try:
        return int(cache.incr(key))
    except ValueError:  # a full cache threw it out between the two lines
        return 1


def take_back(what: str, moment: float, seconds: int) -> None:
    """What was just counted was not to be counted; what others counted meanwhile stays."""
    with suppress(ValueError):  # a full cache threw it out
        cache.decr(_key(what, moment, seconds))


def _key(what: str, moment: float, seconds: int) -> str:
    return f"{what}:{int(moment // seconds)}"

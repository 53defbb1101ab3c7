"""The request as our doors see it: Django's, with the actor who reads."""

from django.http import HttpRequest

from vsm.config import settings
from vsm.kit.actors import Actor


class Request(HttpRequest):
    """`actor` is set by the reader's middleware (pages) or by the token (REST) before any view runs."""

    actor: Actor


def address_of(request: HttpRequest) -> str:
    """Where the request came from. X-Forwarded-For is believed only behind our own proxy, and only its last entry, which that one added."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    if settings().is_secure and forwarded:
        return forwarded.rpartition(",")[2].strip()[:64]
    return str(request.META.get("REMOTE_ADDR", ""))

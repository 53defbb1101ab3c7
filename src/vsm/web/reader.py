"""Who is reading: the actor, the language and the time zone of each request."""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from vsm.exchange.people.models import is_zone
from vsm.exchange.people.queries import actor_of, person_of_token
from vsm.kit import clock
from vsm.kit.actors import ANONYMOUS, Actor
from vsm.kit.requests import Request

ZONE_COOKIE = "vsm_zone"
BEARER = "Bearer "


class ReaderMiddleware:
    """Sets `request.actor`, and activates the reader's zone and language.

    The language chosen on a page wins, then the person's, then the browser's; a program's own goes before its person's. The zone: the person's, then the
    browser's own (a cookie), then UTC; it is always shown by name.

    A program reads what a page gives to take away (a PDF, a signed credential, an attached file) at the same address with
    its token (RFC 6750). It only reads: acts are the API's, which asks for more.
    """

    def __init__(self, get_response: Callable[[Request], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> HttpResponse:
        actor = actor_of(request.user, clock.now()) if request.user.is_authenticated else ANONYMOUS
        by_token = _brings_token(request)
        if by_token:
            person = person_of_token(request.headers["Authorization"].removeprefix(BEARER).strip(), "api", clock.now())
            if person is None:
                told = gettext("This token is wrong, expired or revoked.")
                return HttpResponse(told, status=401, content_type="text/plain; charset=utf-8", headers={"WWW-Authenticate": 'Bearer realm="OpenVSM"'})
            request.user, actor = person, actor_of(person, clock.now())
        request.actor = actor
        zone = _zone(request, actor)
        asks_in_its_own = settings.LANGUAGE_COOKIE_NAME in request.COOKIES or (by_token and "Accept-Language" in request.headers)
        if not actor.is_anonymous and not asks_in_its_own:
            translation.activate(actor.language)
            request.LANGUAGE_CODE = translation.get_language()
        with timezone.override(ZoneInfo(zone)):
            return self.get_response(request)


def _brings_token(request: HttpRequest) -> bool:
    """Whether a program reads a page's address. The API has doors of its own, which ask for the token themselves."""
    return request.method in {"GET", "HEAD"} and request.headers.get("Authorization", "").startswith(BEARER) and not request.path.startswith("/api/")


def _zone(request: HttpRequest, actor: Actor) -> str:
    chosen = request.COOKIES.get(ZONE_COOKIE, "").replace("%2F", "/")
    if not actor.is_anonymous and actor.zone != "UTC":
        return actor.zone
    return chosen if is_zone(chosen) else "UTC"


def page(request: HttpRequest) -> dict[str, Any]:
    """What the frame of every page needs."""
    actor = getattr(request, "actor", ANONYMOUS)
    return {
        "actor": actor,
        "languages": settings.LANGUAGES,
        "language": translation.get_language(),
        "zone_name": timezone.get_current_timezone_name(),
        "site_places": _places(translation.get_language(), not actor.is_anonymous),
        "reader_tag": "" if actor.is_anonymous else reader_tag(str(actor.person_id)),
    }


@lru_cache(maxsize=32)
def _places(language: str, signed_in: bool) -> tuple[tuple[str, str], ...]:
    """Where every page leads: address and label in the language that is active, put together once for each."""
    desk = (("dashboard", _("My desk")),) if signed_in else ()
    found = (*desk, ("search", _("Find a course")), ("calls", _("Calls")), ("observatory", _("Observatory")), ("verify", _("Verify")))
    return tuple((reverse(name), str(label)) for name, label in found)


def reader_tag(person_id: str) -> str:
    """By this a browser tells one reader's kept pages from another's; it says nothing about who it is."""
    return hashlib.sha256(f"reader {settings.SECRET_KEY} {person_id}".encode()).hexdigest()[:16]

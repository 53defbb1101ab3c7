"""Who calls: a bearer token, or the signed-in browser (with CSRF protection)."""

from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone, translation
from ninja.errors import HttpError
from ninja.security import HttpBearer, SessionAuth

from vsm.exchange.people.queries import actor_of, person_of_token
from vsm.kit import clock
from vsm.kit.actors import Actor
from vsm.kit.errors import NotAllowed
from vsm.kit.i18n import N_
from vsm.kit.requests import Request
from vsm.kit.verdict import Reason


class Bearer(HttpBearer):
    """A token made by its person, for the purpose `api`."""

    openapi_description = "An access token: `Authorization: Bearer …`. Its person makes it on the profile's page, or by `make_token`."

    def authenticate(self, request: Request, token: str) -> Any:  # type: ignore[override]  # -- every request here has passed the reader's middleware, which gives it its actor  # type: ignore[override]  # -- our middleware has put the actor on it
        person = person_of_token(token, "api", clock.now())
        if person is None:
            return None
        request.actor = actor_of(person, clock.now()).delivering(via="api")
        _speak_to(request, request.actor)
        return request.actor


class Browser(SessionAuth):
    """The session of a signed-in browser. An `Authorization` header counts alone: a wrong token is not made good by a cookie."""

    openapi_description = "A signed-in browser; acts need the header `X-CSRFToken` as well."

    def __call__(self, request: Request) -> Any:  # type: ignore[override]  # -- our middleware has put the actor on it
        if "Authorization" in request.headers or not request.user.is_authenticated:
            return None
        try:
            return super().__call__(request)
        except HttpError as cause:
            raise NotAllowed(Reason("csrf", N_("A browser's session needs the X-CSRFToken header to act. Programs use a token instead."))) from cause

    def authenticate(self, request: Request, key: str | None) -> Any:  # type: ignore[override]  # -- every request here has passed the reader's middleware, which gives it its actor  # type: ignore[override]  # -- our middleware has put the actor on it
        request.actor = request.actor.delivering(via="api")
        return request.actor


class Nobody:
    """Public reads need no token: the actor is anonymous, and sees what anybody may see."""

    def __call__(self, request: Request) -> Any:
        return None if "Authorization" in request.headers else request.actor


def _speak_to(request: Request, actor: Actor) -> None:
    """In the person's zone; in the person's language unless the request names one. The middleware ends both."""
    timezone.activate(ZoneInfo(actor.zone))
    if "Accept-Language" not in request.headers:
        translation.activate(actor.language)


AUTH = [Bearer(), Browser()]
OPEN_AUTH = [Bearer(), Browser(), Nobody()]

"""Security headers on every answer. Nothing inline, nothing from elsewhere, nobody may frame us."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from vsm.kit.actors import Actor

POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

LOGOUT = "/accounts/logout/"


class SecurityHeaders:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.method == "POST" and request.path == LOGOUT and response.status_code == 302:
            # What the browser kept for times without a connection goes too, also where no script runs.
            response.headers.setdefault("Clear-Site-Data", '"storage"')
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", "geolocation=(), camera=(), microphone=(), publickey-credentials-get=(self)")
        actor: Actor | None = getattr(request, "actor", None)
        if actor is not None and not actor.is_anonymous:
            # A shared computer must not show the last reader's pages from its cache.
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

"""Errors as pages: what, why, what next, and a reference number that the log also carries."""

import logging
import secrets
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from vsm.kit.errors import VsmError
from vsm.kit.saying import say, say_reasons

log = logging.getLogger("vsm.web")


class RefusalMiddleware:
    """Turns the program's own errors into pages with the right status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, VsmError):
            return None
        return _page(request, error.status, error)


def _page(request: HttpRequest, status: int, error: VsmError | None = None) -> HttpResponse:
    reference = secrets.token_hex(4)
    if status >= 500:
        log.error("reference %s: %r", reference, error)
    known = status if status in {400, 403, 404, 409, 422, 429, 500, 503} else 500
    return render(
        request, f"errors/{known}.html",
        {"reference": reference, "title": say(error.title) if error else "", "reasons": say_reasons(error.reasons) if error else []},
        status=status,
    )  # fmt: skip


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 404)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 403)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without the token that protects against forgery, or from a page of another origin."""
    reference = secrets.token_hex(4)
    log.warning("reference %s: form refused: %s", reference, reason)
    return render(request, "errors/form.html", {"reference": reference}, status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Rendered without context processors: whatever broke must not break this page too."""
    reference = secrets.token_hex(4)
    log.error("reference %s: %s %s", reference, request.method, request.path)
    context: dict[str, Any] = {"reference": reference, "languages": settings.LANGUAGES}
    return HttpResponse(render_to_string("errors/500.html", context), status=500)


"""What every answer of the API has at its edge: problems for all refusals, HEAD beside GET, ETag and 304, and what it varies by."""

import functools
import hashlib
import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from vsm.api.rest.problems import problem

View = Callable[..., HttpResponseBase]

# "7" as the record's version, or the ETag "7-0f3a…" that a read gave; W/ is what compressing proxies make of it.
IF_MATCH = r'^(\*|(W/)?"?([0-9]{1,9})(-[0-9a-f]{1,64})?"?)?$'


def edged(view: View) -> View:
    """The view with the API's edge around it."""

    @functools.wraps(view)
    def at_the_edge(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        asked, request.method = request.method, "GET" if request.method == "HEAD" else request.method
        response = view(request, *args, **kwargs)
        request.method = asked
        if response.status_code == 405:
            response = _not_allowed(request, response)
        patch_vary_headers(response, ("Authorization", "Accept-Language", "Cookie"))
        if asked in {"GET", "HEAD"} and response.status_code == 200 and isinstance(response, HttpResponse):
            response = _tagged(request, response)
        return _without_body(response) if asked == "HEAD" else response

    # A session's acts are checked by `tokens.Browser`: Django's own check would answer with a page.
    return csrf_exempt(at_the_edge)


def note_version(request: HttpRequest, version: int) -> None:
    """Have the record's version stand at the front of the answer's ETag."""
    request.read_version = version  # type: ignore[attr-defined]  # -- a note from the view to its own edge


def expected_version(if_match: str) -> int | None:
    """The version that If-Match names; None without it, or for `*`."""
    found = re.match(IF_MATCH, if_match)
    return int(found[3]) if found and found[3] else None


def _tagged(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The tag is of the whole answer: what one may do now changes with the hour and the reader, not only with the version."""
    digest = hashlib.sha256(response.content).hexdigest()[:16]
    version = getattr(request, "read_version", None)
    tag = f'"{digest}"' if version is None else f'"{version}-{digest}"'
    response["ETag"] = tag
    held = parse_etags(request.headers.get("If-None-Match", ""))
    if "*" not in held and tag not in {other.removeprefix("W/") for other in held}:
        return response
    unchanged = HttpResponseNotModified()
    for name in ("ETag", "Vary"):
        unchanged[name] = response[name]
    return unchanged


def _not_allowed(request: HttpRequest, response: HttpResponseBase) -> HttpResponse:
    allowed = [method.strip() for method in response.headers["Allow"].split(",")]
    told = problem(405, _("This address does not take %(method)s.") % {"method": request.method}, "method")
    told["Allow"] = ", ".join(sorted({*allowed, *(["HEAD"] if "GET" in allowed else [])}))
    return told


def _without_body(response: HttpResponseBase) -> HttpResponse:
    bare = HttpResponse(status=response.status_code)
    for name, value in response.items():
        bare[name] = value
    if isinstance(response, HttpResponse) and response.content:
        bare["Content-Length"] = str(len(response.content))
    return bare

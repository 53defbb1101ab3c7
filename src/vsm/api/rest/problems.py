"""Errors as problem details (RFC 9457): every reason at once, in the language that the request accepts."""

import json
import logging
import math
import secrets
from collections.abc import Iterable
from typing import Any

from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError
from pydantic import BaseModel, ConfigDict, Field

from vsm.kit import obstacles
from vsm.kit.errors import Invalid, Unavailable, VsmError
from vsm.kit.i18n import N_
from vsm.kit.records import not_found
from vsm.kit.saying import say, say_reason
from vsm.kit.verdict import Reason

log = logging.getLogger("vsm.api")

PROBLEM_JSON = "application/problem+json"


class ProblemReason(BaseModel):
    """One obstacle. `code` is stable, `text` is for people, `field` names the input it is about."""

    code: str
    text: str
    field: str = ""


class Problem(BaseModel):
    """Problem details, RFC 9457. `type` is stable for programs; `title`, `detail` and the reasons' texts are for people."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:vsm:problem:invalid",
                    "title": "Please check what you entered",
                    "status": 422,
                    "detail": "This must be a whole number.",
                    "reasons": [{"code": "int_type", "text": "This must be a whole number.", "field": "days"}],
                }
            ]
        }
    )

    type: str = Field(description="`urn:vsm:problem:…` or `about:blank`.")
    title: str
    status: int
    detail: str = ""
    reasons: list[ProblemReason] = []


def problem(status: int, title: str, code: str = "", reasons: list[dict[str, str]] | None = None) -> HttpResponse:
    """An answer in the one form that every refusal has."""
    body = {
        "type": f"urn:vsm:problem:{code}" if code else "about:blank",
        "title": title,
        "status": status,
        "detail": " ".join(reason["text"] for reason in reasons or []),
        "reasons": reasons or [],
    }
    return HttpResponse(json.dumps(body, ensure_ascii=False), status=status, content_type=PROBLEM_JSON)


def refusal(error: VsmError) -> HttpResponse:
    """The program's own error as a problem."""
    reasons = [{"code": reason.code, "text": say_reason(reason), "field": reason.field} for reason in error.reasons]
    return problem(error.status, say(error.title), error.code, reasons)


def install(api: NinjaAPI) -> None:
    """Have every error of the API told in this one form."""

    @api.exception_handler(VsmError)
    def refused(request: HttpRequest, error: VsmError) -> HttpResponse:
        return refusal(error)

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        return refusal(Invalid(*obstacles.reasons(error.errors, skipping=1)))

    @api.exception_handler(AuthenticationError)
    def unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        response = problem(401, _("Sign in first, or send a token: “Authorization: Bearer …”."), "unauthenticated")
        response["WWW-Authenticate"] = 'Bearer realm="OpenVSM"'
        return response

    @api.exception_handler(Throttled)
    def too_fast(request: HttpRequest, error: Throttled) -> HttpResponse:
        response = problem(429, _("Too many requests. Wait a little and try again."), "throttled")
        response["Retry-After"] = str(math.ceil(error.wait or 60))
        return response

    @api.exception_handler(HttpError)
    def plain(request: HttpRequest, error: HttpError) -> HttpResponse:
        return problem(error.status_code, str(error), "http")

    @api.exception_handler(Http404)
    def absent(request: HttpRequest, error: Http404) -> HttpResponse:
        return refusal(not_found())

    @api.exception_handler(OperationalError)
    def busy(request: HttpRequest, error: OperationalError) -> HttpResponse:
        log.warning("%s %s: %s", request.method, request.path, error)
        response = refusal(Unavailable(Reason("busy", N_("The database did not answer in time. Nothing was done; try again with the same Idempotency-Key."))))
        response["Retry-After"] = "2"
        return response

    @api.exception_handler(Exception)
    def broken(request: HttpRequest, error: Exception) -> HttpResponse:
        reference = secrets.token_hex(4)
        log.error("reference %s: %s %s", reference, request.method, request.path, exc_info=error)
        told = Reason("fault", N_("A fault in the program, not in your request. Tell whoever runs this service the reference %(reference)s."), {"reference": reference})
        return problem(500, say(VsmError.title), "error", [{"code": told.code, "text": say_reason(told), "field": ""}])


def documented(ok: Any, refusals: Iterable[int]) -> dict[Any, Any]:
    """The `response=` of an operation: its success, and each status by which it refuses. `document` describes the form of
    these: given as a model, ninja would build it once for each status of each operation, two seconds of every start."""
    return {200: ok, **dict.fromkeys(sorted(refusals))}

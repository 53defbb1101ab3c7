"""Verifying a credential, for everybody: the page, the same as JSON, and credentials that students share by link."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from vsm.exchange.credentials import queries
from vsm.exchange.credentials.models import Credential
from vsm.kit import clock
from vsm.kit.records import not_found
from vsm.kit.signing import MAX_TOKEN_BYTES
from vsm.standards.open_badges.shapes import VC_CONTEXT
from vsm.standards.open_badges.verify import ENVELOPES, Standing
from vsm.web.public import issuers
from vsm.web.public.issuers import open_to_all
from vsm.web.public.verdict import answer_as_json, answer_of

# One byte more than verification accepts: enough to say "too large" without keeping the rest.
MOST = 2 * MAX_TOKEN_BYTES + 1


def verify_page(request: HttpRequest) -> HttpResponse:
    """Ask for a file or text; then every check with its outcome, whatever was handed in."""
    context: dict[str, Any] = {"title": _("Verify a credential"), "handbook": reverse("handbook_page", args=["verify"])}
    if request.method == "POST":
        context["answer"] = answer_of(queries.verdict_on(_from_form(request), now=clock.now()))
    return render(request, "public/verify/page.html", context)


@csrf_exempt
def verify_json(request: HttpRequest) -> HttpResponse:
    """The same for programs: POST the text (or a form with `file` or `text`), get the checks. No account, no state."""
    if request.method == "OPTIONS":
        return open_to_all(HttpResponse(status=204))
    if request.method != "POST":
        return open_to_all(HttpResponseNotAllowed(["POST", "OPTIONS"]))
    is_form = (request.content_type or "").startswith(("multipart/form-data", "application/x-www-form-urlencoded"))
    data = _from_form(request) if is_form else request.read(MOST)
    found = queries.verdict_on(data, now=clock.now())
    response = open_to_all(JsonResponse(answer_as_json(found)))
    response["Cache-Control"] = "no-store"
    return response


def shared(request: HttpRequest, token: str) -> HttpResponse:
    """One credential by the link that its owner gave away, verified afresh for each reader."""
    record = _shared(token)
    found = queries.verdict_on(record.token.encode(), now=clock.now())
    context = {
        "title": record.title,
        "answer": answer_of(found),
        "because": record.because if found.standing is Standing.REVOKED else "",
        "downloads": downloads(f"/c/{token}/"),
        "handbook": reverse("handbook_page", args=["verify"]),
    }
    return _unlisted(render(request, "public/verify/shared.html", context))


def shared_file(request: HttpRequest, token: str, form: str) -> HttpResponse:
    return _unlisted(file_of(_shared(token), form))


def file_of(record: Credential, form: str) -> HttpResponse:
    """The signed bytes as they were issued: bare (`jwt`), or in an envelope that JSON tools can read (`json`)."""
    if form == "json":
        envelope = {"@context": VC_CONTEXT, "id": ENVELOPES[0] + record.token, "type": "EnvelopedVerifiableCredential"}
        response: HttpResponse = JsonResponse(envelope, content_type="application/vc+ld+json")
    else:
        response = HttpResponse(record.token, content_type="application/jwt")
    response["Content-Disposition"] = f'attachment; filename="credential-{str(record.pk)[-12:]}.{form}"'
    return response


def downloads(folder: str) -> list[dict[str, str]]:
    return [
        {"url": f"{folder}credential.jwt", "label": _("Download as a signed file (.jwt)")},
        {"url": f"{folder}credential.json", "label": _("Download for wallets and programs (.json)")},
    ]


def _from_form(request: HttpRequest) -> bytes:
    """The file if there is one, else the pasted text."""
    file = request.FILES.get("file")
    if file is not None and file.size:
        return bytes(file.read(MOST))
    return request.POST.get("text", "").encode(errors="replace")[:MOST]


def _shared(token: str) -> Credential:
    record = queries.shared_by(token)
    if record is None:
        raise not_found()
    return record


def _unlisted(response: HttpResponse) -> HttpResponse:
    """Whoever has the link may see it; search engines, proxies and the next page must not learn of it."""
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Cache-Control"] = "private, no-store"
    return response


urlpatterns = [
    path("verify/", verify_page, name="verify"),
    path("verify.json", verify_json, name="verify_json"),
    path("c/<str:token>/", shared, name="shared_credential"),
    path("c/<str:token>/credential.jwt", shared_file, {"form": "jwt"}, name="shared_jwt"),
    path("c/<str:token>/credential.json", shared_file, {"form": "json"}, name="shared_json"),
    *issuers.urlpatterns,
]

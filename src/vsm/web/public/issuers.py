"""What issuers publish so that anybody can verify: who they are, their keys past and present, and their status lists.

These reads answer any origin, so that a verifier can run in somebody else's browser.
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from vsm.config import settings
from vsm.exchange.credentials import addresses, queries
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import name_of
from vsm.kit.keys import PublicKey, write_jwk, write_jwk_set
from vsm.kit.localized import text_in
from vsm.kit.records import not_found
from vsm.standards.did import did_web, did_web_document
from vsm.standards.open_badges.shapes import OB_CONTEXT, VC_CONTEXT

FRESH_SECONDS = 300

View = Callable[..., HttpResponse]


def public_read(content_type: str) -> Callable[[Callable[..., str]], View]:
    """A document that anybody may read from anywhere and keep for five minutes; the view gives its text."""

    def around(view: Callable[..., str]) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method == "OPTIONS":
                return open_to_all(HttpResponse(status=204))
            if request.method not in {"GET", "HEAD"}:
                return open_to_all(HttpResponseNotAllowed(["GET", "HEAD", "OPTIONS"]))
            body = view(request, *args, **kwargs)
            return open_to_all(_cacheable(request, HttpResponse(body, content_type=content_type)))

        return answer

    return around


def open_to_all(response: HttpResponse) -> HttpResponse:
    response["Access-Control-Allow-Origin"] = "*"
    response["Access-Control-Allow-Methods"] = "GET, HEAD, POST, OPTIONS"
    response["Access-Control-Allow-Headers"] = "Accept, Accept-Language, Content-Type, If-None-Match"
    response["Access-Control-Expose-Headers"] = "ETag"
    return response


@public_read("application/jwk-set+json")
def jwks(request: HttpRequest, pk: UUID) -> str:
    """The key history as a JWK set (RFC 7517), with each key's window."""
    return _json(write_jwk_set(_keys(pk)))


@public_read("application/did+json")
def did(request: HttpRequest, pk: UUID) -> str:
    """The same keys as a DID document (did:web)."""
    _institution(pk)
    name = did_web(urlsplit(settings().base_url).netloc, "issuers", str(pk))
    return _json({**did_web_document(name, _keys(pk)), "alsoKnownAs": [addresses.issuer(settings().base_url, pk)]})


@public_read("application/jwk+json")
def one_key(request: HttpRequest, pk: UUID, kid: str) -> str:
    """One public key: what `kid` in a credential's header leads to."""
    key = next((key for key in _keys(pk) if key.kid == kid), None)
    if key is None:
        raise not_found()
    return _json(write_jwk(key))


@public_read("application/vc+jwt")
def status_list(request: HttpRequest, pk: UUID, number: int) -> str:
    """The signed status list as last published by the worker."""
    found = queries.published_list(pk, number)
    if found is None:
        raise not_found()
    return found.token


def issuer(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Who issues: a page for people, a profile (Open Badges 3.0) for programs that ask for JSON."""
    organisation = _institution(pk)
    if request.get_preferred_type(["text/html", "application/json", "application/ld+json"]) != "text/html":
        profile = HttpResponse(_profile(organisation), content_type="application/json")
        response = open_to_all(_cacheable(request, profile))
    else:
        response = render(request, "public/verify/issuer.html", _issuer_context(organisation))
    patch_vary_headers(response, ["Accept"])
    return response


def _issuer_context(organisation: Organisation) -> dict[str, Any]:
    pk = organisation.pk
    return {
        "title": name_of(organisation),
        "organisation_url": f"/organisations/{pk}/",
        "identity": [fact for fact in _identity(organisation) if fact["value"]],
        "keys": [_shown_key(pk, key) for key in reversed(queries.published_keys(pk))],
        "lists": [
            {"url": reverse("status_list", args=[pk, each.number]), "signed_at": each.signed_at}
            for each in queries.published_lists(pk)
        ],
        "jwks_url": reverse("issuer_jwks", args=[pk]),
        "did_url": reverse("issuer_did", args=[pk]),
    }


def _identity(organisation: Organisation) -> list[dict[str, Any]]:
    return [
        {
            "label": _("Address as an issuer"),
            "kind": "text",
            "value": addresses.issuer(settings().base_url, organisation.pk),
        },
        {"label": _("SCHAC code"), "kind": "text", "value": organisation.schac},
        {"label": _("ROR"), "kind": "text", "value": organisation.ror},
        {"label": _("Country"), "kind": "country", "value": organisation.country},
        {"label": _("Website"), "kind": "text", "value": organisation.website},
    ]


def _shown_key(pk: UUID, key: PublicKey) -> dict[str, Any]:
    state = (_("In use"), "good")
    if key.retired_at is not None:
        state = (_("Retired: still verifies what it signed"), "neutral")
    if key.distrusted:
        state = (_("Withdrawn: verifies nothing"), "bad")
    return {
        "url": reverse("issuer_key", args=[pk, key.kid]),
        "kid": key.kid,
        "valid_from": key.valid_from,
        "retired_at": key.retired_at,
        "state": {"label": state[0], "tone": state[1]},
    }


def _profile(organisation: Organisation) -> str:
    base = settings().base_url
    told = {
        "@context": [VC_CONTEXT, OB_CONTEXT],
        "id": addresses.issuer(base, organisation.pk),
        "type": ["Profile"],
        "name": text_in(organisation.name, get_language() or "en"),
        "url": organisation.website,
        "otherIdentifier": [
            {"type": "IdentifierEntry", "identifier": value, "identifierType": kind}
            for value, kind in ((organisation.schac, "ext:schac"), (organisation.ror, "ext:ror"))
            if value
        ],
    }
    return _json({name: value for name, value in told.items() if value})


def _keys(pk: UUID) -> tuple[PublicKey, ...]:
    keys = queries.published_keys(pk)
    if not keys:
        raise not_found()
    return keys


def _institution(pk: UUID) -> Organisation:
    organisation: Organisation | None = Organisation.objects.filter(pk=pk).first()
    if organisation is None:
        raise not_found()
    return organisation


def _cacheable(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    response["ETag"] = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    response["Cache-Control"] = f"public, max-age={FRESH_SECONDS}"
    answered = get_conditional_response(request, etag=response["ETag"], response=response)
    return answered if isinstance(answered, HttpResponse) else response


def _json(document: Mapping[str, Any]) -> str:
    return JsonResponse(document, json_dumps_params={"ensure_ascii": False, "indent": 1}).content.decode()


urlpatterns = [
    path("issuers/<uuid:pk>/", issuer, name="issuer"),
    path("issuers/<uuid:pk>/jwks.json", jwks, name="issuer_jwks"),
    path("issuers/<uuid:pk>/did.json", did, name="issuer_did"),
    path("issuers/<uuid:pk>/keys/<str:kid>", one_key, name="issuer_key"),
    path("status-lists/<uuid:pk>/<int:number>/", status_list, name="status_list"),
]

"""A credential's own page: what the student can do with it, and what the offices see of its signing."""

from typing import Any
from uuid import UUID

import qrcode
from django.http import HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from vsm.config import settings
from vsm.exchange.credentials.models import Credential
from vsm.exchange.credentials.queries import CREDENTIAL
from vsm.kit.actors import Actor
from vsm.kit.records import not_found
from vsm.kit.requests import Request
from vsm.web.objects import EXTRAS, Extra
from vsm.web.public.verify import downloads, file_of
from vsm.web.registrar.credentials import signing_facts

QUIET_ZONE = 4  # light modules around a QR code (ISO/IEC 18004 §9.1)


def credential(record: Credential, actor: Actor) -> dict[str, Any]:
    share = record.open_share if record.person_id == actor.person_id else None
    link = settings().base_url + reverse("shared_credential", args=[share.token]) if share else ""
    return {
        "is_mine": record.person_id == actor.person_id,
        "is_waiting": record.state == "requested",
        "token": record.token,
        "downloads": downloads(f"/credentials/{record.pk}/") if record.was_issued else [],
        "share_link": link,
        "share_code": qr_code(link, _("QR code of the link")) if link else "",
        "signing": signing_facts(record, actor),
    }


def file(request: Request, pk: UUID, form: str) -> HttpResponse:
    """The signed bytes, for whoever may see the credential."""
    record = CREDENTIAL.seen_by(request.actor, pk)
    if not record.was_issued:
        raise not_found()
    return file_of(record, form)


def qr_code(text: str, label: str) -> SafeString:
    """A QR code as inline SVG, dark on light in every theme: many cameras cannot read it the other way round."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=QUIET_ZONE)
    code.add_data(text)
    rows = code.get_matrix()
    dark = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
    return format_html(
        '<svg role="img" aria-label="{}" viewBox="0 0 {} {}" width="200" height="200" shape-rendering="crispEdges">'
        '<rect width="100%" height="100%" fill="#fff"/><path fill="#000" d="{}"/></svg>',
        label, len(rows), len(rows), dark,
    )  # fmt: skip


EXTRAS["credential"] = Extra("student/credentials/credential.html", credential)

urlpatterns = [
    path("credentials/<uuid:pk>/credential.jwt", file, {"form": "jwt"}, name="credential_jwt"),
    path("credentials/<uuid:pk>/credential.json", file, {"form": "json"}, name="credential_json"),
]

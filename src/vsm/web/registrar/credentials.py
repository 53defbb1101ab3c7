"""What an office sees of a credential's signing: whether the worker is at it, and when the status list was signed."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from vsm.exchange.credentials.models import Credential
from vsm.kit import clock
from vsm.kit.actors import Actor
from vsm.kit.jobs import worker_seen


def signing_facts(record: Credential, actor: Actor) -> dict[str, Any]:
    """Empty for those who do not work at the issuer's office."""
    staffed = actor.organisations("coordinator", "registrar")
    if record.organisation_id not in staffed and not actor.is_operator:
        return {}
    signed_at = record.status_list.signed_at if record.status_list else None
    return {
        "worker_missing": record.state == "requested" and not worker_seen(clock.now()),
        "is_told": record.revoked_at is None or (signed_at is not None and signed_at >= record.revoked_at),
        "facts": [
            {"label": _("Status list last signed"), "kind": "moment", "value": signed_at},
            {
                "label": _("Keys and lists of the issuer"), "kind": "link",
                "value": {"url": reverse("issuer", args=[record.organisation_id]), "label": _("What the public sees")},
            },
        ] if signed_at else [],
    }  # fmt: skip

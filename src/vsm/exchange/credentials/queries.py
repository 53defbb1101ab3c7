"""What doors read: credentials, what an issuer publishes, and the verdict on a credential that somebody hands in."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from vsm.exchange.credentials.awards import Award
from vsm.exchange.credentials.models import Credential, IssuerKey, Share, StatusList
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import name_of, organisation_ref
from vsm.exchange.people.queries import person_ref
from vsm.exchange.recognition.models import Transcript
from vsm.kit.actors import Actor
from vsm.kit.keys import PublicKey, public_key
from vsm.kit.resources import RESOURCES, Filter, Ref, Resource, Shown, resource, state_filter
from vsm.kit.saying import say
from vsm.standards.open_badges.verify import Verification, verify

STATES = {
    "requested": (_("Being signed"), "info"),
    "issued": (pgettext_lazy("credential", "Issued"), "good"),
    "revoked": (pgettext_lazy("credential", "Revoked"), "bad"),
}


# Verification -------------------------------------------------------------------------------------------------------


def verdict_on(data: bytes, *, now: datetime) -> Verification:
    """Every check of a file or text that claims to be a credential. Never raises for what is in it.

    The keys and status lists of issuers on this site are known; those of others are not fetched, and the checks that
    need them are *not checked*.
    """
    return verify(data, resolve_keys=issuer_keys, resolve_status=status_list_bytes, now=now)


def issuer_keys(issuer: str) -> tuple[PublicKey, ...] | None:
    """The published key history of an issuer on this site by its address; None for anybody else."""
    organisation = issuing_organisation(issuer)
    return published_keys(organisation.pk) if organisation else None


def status_list_bytes(url: str) -> bytes | None:
    """A signed status list of this site by its address, as last published."""
    found = StatusList.objects.filter(url=url).exclude(token="").first() if _is_storable(url) else None
    return found.token.encode() if found else None


def issuing_organisation(issuer: str) -> Organisation | None:
    """The institution on this site that issues under this address."""
    if not _is_storable(issuer):
        return None
    known = StatusList.objects.select_related("organisation").filter(issuer=issuer).first()
    return known.organisation if known else None


def published_keys(organisation_id: UUID) -> tuple[PublicKey, ...]:
    """The whole history of an institution's public keys, oldest first, retired and distrusted ones too."""
    return tuple(
        public_key(key.public_jwk, valid_from=key.valid_from, retired_at=key.retired_at, distrusted=key.distrusted)
        for key in IssuerKey.objects.filter(organisation_id=organisation_id)
    )


def published_lists(organisation_id: UUID) -> list[StatusList]:
    return list(StatusList.objects.filter(organisation_id=organisation_id).exclude(token=""))


def published_list(organisation_id: UUID, number: int) -> StatusList | None:
    return StatusList.objects.filter(organisation_id=organisation_id, number=number).exclude(token="").first()


def shared_by(token: str) -> Credential | None:
    """The credential behind a share link that works today."""
    if not _is_storable(token):
        return None
    open_ones = Share.objects.select_related("credential").filter(ended_at=None).exclude(credential__token="")
    share = open_ones.filter(token=token).first()
    return share.credential if share else None


# The noun -----------------------------------------------------------------------------------------------------------


def _issuers(actor: Actor) -> list[tuple[str, str]]:
    """The institutions that issued what this actor can see."""
    seen = Credential.objects.visible_to(actor).order_by().values("organisation_id").distinct()
    return sorted(((str(o.pk), name_of(o)) for o in Organisation.objects.filter(pk__in=seen)), key=lambda pair: pair[1])


def _transcript(transcript: Transcript | None) -> Ref | None:
    return Ref("transcript", transcript.pk, transcript.number) if transcript else None


def _credits(credential: Credential) -> Decimal | None:
    return credential.result.credits if credential.result else Award.from_json(credential.award).credits


def _source(credential: Credential) -> Ref | None:
    """The record that an award was earned by, while it has a page."""
    entry = RESOURCES.get(credential.source_noun)
    return Ref(entry.noun, credential.source_id, say(entry.label)) if entry and credential.source_id else None


def _sharing(_actor: Actor) -> list[tuple[str, str]]:
    return [("yes", str(_("Shared by link"))), ("no", str(_("Not shared")))]


def _by_sharing(found: QuerySet[Credential], value: str) -> QuerySet[Credential]:
    shared = Q(pk__in=Share.objects.filter(ended_at=None).values("credential_id"))
    return {"yes": found.filter(shared), "no": found.exclude(shared)}.get(value, found.none())


def _by_issuer(found: QuerySet[Credential], value: str) -> QuerySet[Credential]:
    return found.filter(organisation_id=value) if _is_id(value) else found.none()


def _is_storable(text: str) -> bool:
    """Whether a database can be asked for this text at all: PostgreSQL takes neither NUL nor half a surrogate pair."""
    try:
        return b"\x00" not in text.encode()
    except UnicodeEncodeError:
        return False


def _is_id(value: str) -> bool:
    try:
        UUID(value)
    except ValueError:
        return False
    return True


CREDENTIAL = resource(
    Resource(
        "credential", "credentials", Credential, _("Credential"), _("Credentials"), lambda c: c.title,
        fields=(
            Shown("title", _("Title"), lambda c: c.title, listed=True, sort="title"),
            Shown("person", _("Student"), lambda c: person_ref(c.person), "ref", listed=True, sort="person__folded"),
            Shown("organisation", _("Issuer"), lambda c: organisation_ref(c.organisation), "ref", listed=True),
            Shown("grade", _("Grade"), lambda c: c.result.grade if c.result else "", listed=True),
            Shown("credits", _("Credits"), _credits, "number", listed=True, sort="result__credits"),
            Shown("state", _("State"), lambda c: c.state, "state", listed=True, sort="state"),
            Shown("issued_at", _("Issued"), lambda c: c.issued_at, "moment", listed=True, sort="issued_at"),
            Shown("revoked_at", _("Revoked"), lambda c: c.revoked_at, "moment", sort="revoked_at"),
            Shown("because", _("Reason"), lambda c: c.because, "long_text"),
            Shown("shared_at", _("Shared by link since"), lambda c: getattr(c.open_share, "shared_at", None), "moment"),
            Shown("transcript", _("Transcript"), lambda c: _transcript(c.transcript), "ref"),
            Shown("source", _("Earned by"), _source, "ref"),
            Shown("digest", _("Fingerprint (SHA-256)"), lambda c: c.digest, "digest"),
            Shown("token", _("Signed credential"), lambda c: c.token, detail=False, alone=True),
            Shown("kid", _("Signing key"), lambda c: c.kid, "digest"),
            Shown("status_list", _("Status list"), lambda c: c.status_list.url if c.status_list else ""),
            Shown("status_index", _("Place on the status list"), lambda c: c.status_index, "integer"),
        ),
        filters=(
            state_filter(STATES),
            Filter("organisation", _("Issuer"), _by_issuer, choices=_issuers),
            Filter("shared", _("Sharing"), _by_sharing, choices=_sharing),
        ),
        related=("person", "organisation", "transcript", "result", "status_list"), prefetch=("shares",), states=STATES,
        empty=_("No credentials yet. The office of the host institution issues them from a transcript of records."),
    )
)  # fmt: skip

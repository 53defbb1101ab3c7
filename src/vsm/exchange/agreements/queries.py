"""What doors and higher slices read about agreements."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from vsm.exchange.agreements.models import Agreement, AgreementSignature, Promise
from vsm.exchange.agreements.rules import LANGUAGES, Seats, Terms, digest
from vsm.exchange.agreements.states import State
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import name_of, organisation_ref
from vsm.exchange.people.rules import LEVELS
from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.resources import Filter, Resource, Shown, resource, state_filter
from vsm.kit.saying import labelled
from vsm.rulebook import categories, category

STATES = {
    State.DRAFT.value: (_("Draft"), "neutral"),
    State.PROPOSED.value: (_("Waiting for signatures"), "warn"),
    State.SIGNED.value: (_("Signed"), "good"),
    State.ENDED.value: (_("Ended"), "neutral"),
}


def promised(home_id: UUID | str, host_id: UUID | str, on: date) -> list[Agreement]:
    """The signed agreements under which students of `home` may study at `host` on that day, oldest first."""
    return list(Agreement.objects.in_force(home_id, host_id, on).order_by("starts_on", "code"))


def signed_of(home_id: UUID | str, hosts: Iterable[UUID | str]) -> list[Agreement]:
    """Every signed agreement between `home` and any of `hosts`, in one query; the days are the caller's question."""
    others = list(hosts)
    found = Agreement.objects.filter(Q(first=home_id, second__in=others) | Q(second=home_id, first__in=others), state=State.SIGNED)
    return list(found.order_by("starts_on", "code"))


def terms_of(agreement: Agreement) -> Terms:
    """The agreement's facts as the rules take them."""
    return Terms(agreement.category, tuple(agreement.levels), tuple(agreement.isced_f), agreement.language, agreement.minimum_cefr)


def places(agreement: Agreement) -> list[Seats]:
    """The promised seats, by host and term; an empty term means: in each term."""
    found = [Seats(str(p.host_id), p.term, p.seats) for p in agreement.promises.all()]
    return sorted(found, key=lambda seats: (seats.host, seats.term))


def text_of(agreement: Agreement) -> dict[str, Any]:
    """The text that is signed. Parties stand by their SCHAC codes: a name may be corrected, an identifier stays."""
    hosts = {str(party.pk): party.schac for party in agreement.parties}
    return {
        "format": "vsm-agreement-1",
        "code": agreement.code,
        "parties": [party.schac for party in agreement.parties],
        "category": agreement.category,
        "levels": sorted(agreement.levels),
        "isced_f": sorted(agreement.isced_f),
        "language": agreement.language,
        "minimum_cefr": agreement.minimum_cefr,
        "starts_on": agreement.starts_on.isoformat(),
        "ends_on": agreement.ends_on.isoformat(),
        "promises": sorted(({"host": hosts[s.host], "term": s.term, "seats": s.seats} for s in places(agreement)), key=lambda p: (p["host"], p["term"])),
        "provisions": agreement.provisions,
    }


def digest_of(agreement: Agreement) -> str:
    """The fingerprint of the text as it stands now: what the next signature is bound to."""
    return digest(text_of(agreement))


def valid_signatures(agreement: Agreement) -> list[AgreementSignature]:
    """The signatures that no revision has voided, oldest first."""
    return [signature for signature in agreement.signatures.all() if signature.voided_at is None]


def category_choices(_record: Any = None, _actor: Any = None) -> list[tuple[str, str]]:
    return [(entry.slug, text_in(entry.name, get_language() or "en")) for entry in categories()]


def category_label(slug: str) -> str:
    return text_in(category(slug).name, get_language() or "en")


def partner_choices(actor: Actor) -> list[tuple[str, str]]:
    """Every institution that an agreement which the reader may see is made with."""
    seen = Agreement.objects.visible_to(actor)
    ids = {party for pair in seen.values_list("first_id", "second_id") for party in pair}
    return sorted(((str(o.pk), name_of(o)) for o in Organisation.objects.filter(pk__in=ids)), key=lambda pair: pair[1])


def _title(agreement: Agreement) -> str:
    return f"{agreement.code} · {name_of(agreement.first)} – {name_of(agreement.second)}"


def _promise_lines(agreement: Agreement) -> list[str]:
    names = {party.pk: name_of(party) for party in agreement.parties}
    return [_promise_line(names[promise.host_id], promise) for promise in agreement.promises.all()]


def _promise_line(host: str, promise: Promise) -> str:
    if promise.term:
        return gettext("%(host)s receives %(seats)s in term %(term)s") % {"host": host, "seats": promise.seats, "term": promise.term}
    return gettext("%(host)s receives %(seats)s in each term") % {"host": host, "seats": promise.seats}


def _signature_lines(agreement: Agreement) -> list[str]:
    return [labelled(name_of(signature.organisation), signature.person.name) for signature in valid_signatures(agreement)]


def _of_partner(found: Any, value: str) -> Any:
    try:
        partner = UUID(value)
    except ValueError:
        return found.none()
    return found.filter(Q(first=partner) | Q(second=partner))


AGREEMENT = resource(
    Resource(
        "agreement", "agreements", Agreement, _("Agreement"), _("Agreements"), _title,
        fields=(
            Shown("code", _("Code"), lambda a: a.code, listed=True, sort="code"),
            Shown("first", _("Between"), lambda a: organisation_ref(a.first), "ref", listed=True, sort="first__schac"),
            Shown("second", _("and"), lambda a: organisation_ref(a.second), "ref", listed=True, sort="second__schac"),
            Shown("state", _("State"), lambda a: a.state, "state", listed=True, sort="state"),
            Shown("category", _("Category"), lambda a: a.category, words=category_label),
            Shown("starts_on", _("From"), lambda a: a.starts_on, "date", listed=True, sort="starts_on"),
            Shown("ends_on", _("Until"), lambda a: a.ends_on, "date", listed=True, sort="ends_on"),
            Shown("levels", _("Levels"), lambda a: a.levels, "list", words=LEVELS, otherwise=_("All levels")),
            Shown("isced_f", _("Fields (ISCED-F)"), lambda a: a.isced_f, "list", otherwise=_("All fields")),
            Shown("language", _("Language"), lambda a: a.language, words=LANGUAGES, otherwise=_("Any language")),
            Shown("minimum_cefr", _("Least level of that language (CEFR)"), lambda a: a.minimum_cefr),
            Shown("promises", _("Seats promised"), _promise_lines, "list", detail=False),
            Shown("provisions", _("Further provisions"), lambda a: a.provisions, "long_text"),
            Shown("signatures", _("Valid signatures"), _signature_lines, "list", detail=False),
            Shown("digest", _("Fingerprint of the text (SHA-256)"), digest_of, "digest"),
        ),
        filters=(
            state_filter(STATES),
            Filter("partner", _("Institution"), _of_partner, choices=partner_choices),
            Filter("category", _("Category"), lambda found, value: found.filter(category=value), choices=lambda _actor: category_choices()),
        ),
        order="-starts_on", related=("first", "second"), prefetch=("promises", "signatures__organisation", "signatures__person"),
        states=STATES, starts=(("organisation", "draft_agreement"),),
        empty=_("No agreements yet. An agreement promises seats between two institutions; a coordinator drafts it."),
    )
)  # fmt: skip

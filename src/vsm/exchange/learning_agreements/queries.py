"""What doors and higher slices read about learning agreements."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from vsm.exchange.allocation.models import Seat
from vsm.exchange.allocation.states import SeatState
from vsm.exchange.institutions.queries import name_of, organisation_ref
from vsm.exchange.learning_agreements.models import LearningAgreement, LearningAgreementVersion, Signature
from vsm.exchange.learning_agreements.rules import PARTY_WORDS, Change, Component, Party, amount, as_read, differences
from vsm.exchange.people.queries import person_ref
from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.resources import Filter, Ref, Resource, Shown, resource, state_filter
from vsm.kit.saying import labelled, moment_text
from vsm.kit.signed_texts import is_asked

LEARNING_AGREEMENT_STATES = {
    "draft": (_("Being drafted"), "neutral"),
    "signing": (_("To be signed"), "warn"),
    "signed": (_("Signed by all"), "good"),
    "cancelled": (pgettext_lazy("learning_agreement", "Cancelled"), "bad"),
}

# What a physical mobility lists, told by its slice: it stands above this one, which therefore cannot ask it.
courses_in_person: list[Callable[[UUID], list[Component]]] = []


def components_in_force(agreement: LearningAgreement) -> tuple[Component, ...]:
    """What all three have signed: the lines that recognition holds home to. Empty before the first is signed."""
    version = agreement.version_in_force
    return version.text.components if version else ()


def sides_of(agreement: LearningAgreement, actor: Actor) -> tuple[str, ...]:
    """The sides this person may act for. A student signs as the student only, whatever office they hold besides."""
    if actor.person_id is not None and actor.person_id == agreement.student_id:
        return (Party.STUDENT.value,)
    sides = []
    if actor.holds("coordinator", agreement.home_id) or actor.holds("registrar", agreement.home_id):
        sides.append(Party.HOME.value)
    if actor.holds("coordinator", agreement.host_id):
        sides.append(Party.HOST.value)
    return tuple(sides)


def signed_sides(version: LearningAgreementVersion) -> dict[str, UUID]:
    """Side → who signed this version for it."""
    return {each.party: each.person_id for each in version.signatures.all()}


def is_asked_to_sign(agreement: LearningAgreement, actor: Actor) -> bool:
    """Whether the present version waits for a signature of this person."""
    version = agreement.current_version
    return is_asked(signed_sides(version) if version else {}, sides_of(agreement, actor), actor.person_id)


def sides_signed_before(agreement: LearningAgreement) -> dict[UUID, str]:
    """Person → the side that they have signed, under any version."""
    return dict(Signature.objects.filter(version__agreement=agreement).values_list("person_id", "party"))


def accepted_seats(agreement: LearningAgreement) -> list[Seat]:
    """The student's accepted seats at this host, in the order of their wishes."""
    found = Seat.objects.filter(
        application=agreement.application_id, offering__opportunity__organisation=agreement.host_id, state=SeatState.ACCEPTED
    )
    return list(found.select_related("offering__opportunity").order_by("rank", "pk"))


def courses_today(agreement: LearningAgreement) -> list[Component]:
    """What the agreement must list now, as the host states it: a line for each accepted seat or course in person."""
    if agreement.mobility_id is None:
        return [component_of(seat) for seat in accepted_seats(agreement)]
    return [component for tell in courses_in_person for component in tell(agreement.mobility_id)]


def component_of(seat: Seat) -> Component:
    """The host's side of a line as the catalogue states it today."""
    offering, opportunity = seat.offering, seat.offering.opportunity
    return Component(
        offering=str(offering.pk), code=opportunity.code, title=opportunity.title, credits=amount(opportunity.credits),
        credit_system=opportunity.credit_system, language=opportunity.language, starts_on=offering.starts_on.isoformat(),
        ends_on=offering.ends_on.isoformat(),
    )  # fmt: skip


def as_home_said(line: Component, kept: Component) -> Component:
    """Today's line with what home said in `kept`; a course that meanwhile goes on in another form keeps that form."""
    if (kept.offering, kept.is_virtual) != (line.offering, line.is_virtual):
        return kept
    return replace(
        line, recognised=kept.recognised, home_code=kept.home_code, home_title=kept.home_title,
        home_credits=kept.home_credits, because=kept.because,
    )  # fmt: skip


def parties_of(agreement: LearningAgreement) -> dict[str, Mapping[str, Any]]:
    """Student, home and host as a version states them."""
    record = getattr(agreement.student, "student_record", None)
    return {
        "student": {
            "id": str(agreement.student_id), "name": agreement.student.name,
            "number": record.student_number if record else "", "programme": record.programme if record else "",
        },
        "home": _institution(agreement.home),
        "host": _institution(agreement.host),
    }  # fmt: skip


def changes_to_sign(agreement: LearningAgreement) -> tuple[Change, ...]:
    """How the version being worked on reads otherwise than the one in force; nothing when there is only one of them."""
    current, in_force = agreement.current_version, agreement.version_in_force
    if current is None or in_force is None or current.number == in_force.number:
        return ()
    return as_read(differences(in_force.text, current.text), get_language() or "en")


def side_choices(agreement: LearningAgreement, actor: Actor) -> list[tuple[str, str]]:
    return [(side, _now(PARTY_WORDS[side])) for side in sides_of(agreement, actor)]


def title_of(agreement: Any) -> str:
    return f"{agreement.student.name} · {name_of(agreement.host)}"


def component_title(component: Component) -> str:
    return text_in(component.title, get_language() or "en")


def _institution(organisation: Any) -> dict[str, Any]:
    return {
        "id": str(organisation.pk), "name": organisation.name, "schac": organisation.schac,
        "country": organisation.country, "credit_system": organisation.credit_system,
    }  # fmt: skip


def _components(agreement: Any) -> list[dict[str, Any]]:
    version = agreement.current_version
    return list(version.content["components"]) if version else []


def _signatures(agreement: Any) -> list[str]:
    version = agreement.current_version
    if version is None:
        return []
    return [labelled(_now(PARTY_WORDS[s.party]), f"{s.person.name}, {moment_text(s.at)}") for s in version.signatures.all()]


LEARNING_AGREEMENT = resource(
    Resource(
        "learning_agreement", "learning-agreements", LearningAgreement, _("Learning agreement"), _("Learning agreements"), title_of,
        fields=(
            Shown("student", _("Student"), lambda a: person_ref(a.student), "ref", listed=True, sort="student__folded"),
            Shown("home", _("Home institution"), lambda a: organisation_ref(a.home), "ref", listed=True, sort="home__schac"),
            Shown("host", _("Host institution"), lambda a: organisation_ref(a.host), "ref", listed=True, sort="host__schac"),
            Shown("state", _("State"), lambda a: a.state, "state", listed=True, sort="state"),
            Shown("waiting_for", _("Signature missing of"), lambda a: a.waiting_for.split() if a.state == "signing" else [], "list", listed=True, words=PARTY_WORDS),
            Shown("version_in_work", _("Current version"), lambda a: a.current, "integer", listed=True, sort="current"),
            Shown("signed_version", _("Version in force"), lambda a: a.signed_version or None, "integer", listed=True, sort="signed_version"),
            Shown("digest", _("Fingerprint of the current version"), lambda a: a.current_version.digest if a.current_version else "", "digest"),
            Shown("components", _("Courses in the current version"), _components, "json", detail=False),
            Shown("signatures", _("Signatures under the current version"), _signatures, "list"),
            Shown("application", _("Application"), lambda a: Ref("application", a.application_id, a.application.call.code) if a.application else None, "ref"),
            Shown("mobility", _("Physical mobility"), lambda a: Ref("mobility", a.mobility_id, title_of(a)) if a.mobility_id else None, "ref"),
        ),
        filters=(
            state_filter(LEARNING_AGREEMENT_STATES),
            Filter(
                "waiting_for", _("Signature missing of"), lambda found, value: found.filter(state="signing", waiting_for__contains=value),
                choices=lambda _actor: list(PARTY_WORDS.items()),
            ),
        ),
        related=("student", "home", "host", "application__call"), prefetch=("versions__signatures__person",),
        states=LEARNING_AGREEMENT_STATES, empty=_("A learning agreement opens by itself when a student accepts a seat or a physical mobility is recorded."),
    )
)  # fmt: skip

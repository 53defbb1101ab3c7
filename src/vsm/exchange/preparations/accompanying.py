"""People at a host who accompany those who are coming: offered with consent, accepted by the host, paired by agreement of both."""

from datetime import datetime
from typing import Annotated

from django.utils.translation import gettext_lazy as _

from vsm.exchange.catalogue.queries import language_choices
from vsm.exchange.catalogue.rules import isced_f_problems
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Person
from vsm.exchange.preparations.models import Companion, Pairing
from vsm.exchange.preparations.queries import COMPANION_KINDS
from vsm.exchange.preparations.states import COMPANION_STEPS, PAIRING_STEPS, CompanionState, PairingState
from vsm.kit.actions import Ask, action, note
from vsm.kit.actors import Actor
from vsm.kit.errors import Conflict, Invalid, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

HOST_OFFICE = ("coordinator@organisation",)
BOTH = ("self@participation.student", "self@companion.person")
Because = Annotated[str, Ask(_("Why?"), kind="long_text", limit=2000)]


@action("accompany", on=Organisation, label=_("Accompany incoming students"), allow=("person",), when=lambda organisation: organisation.kind == "university")
def accompany(
    organisation: Organisation, *, by: Actor, now: datetime,
    kind: Annotated[str, Ask(_("Who are you?"), choices=lambda _r, _a: [(kind, str(label)) for kind, label in COMPANION_KINDS.items()], limit=8)],
    languages: Annotated[list[str], Ask(_("Languages that you can talk in"), choices=language_choices)],
    consents: Annotated[bool, Ask(_("I agree to be proposed to incoming students and, once both of us agree, that my name and e-mail address are shown to them. I can take this back at any time."))],
    places: Annotated[int, Ask(_("Most students at a time"))] = 2,
    isced_f: Annotated[str, Ask(_("Field of study (ISCED-F)"), limit=4)] = "",
    about: Annotated[str, Ask(_("In your own words"), _("What you know, what you like: the office and your students read it."), kind="long_text", limit=1000)] = "",
) -> Companion:  # fmt: skip
    """Offer to accompany students who are coming to this host. The host’s office accepts the offer first."""
    problems = [Reason(each.code, each.text, each.params, "isced_f") for each in isced_f_problems(isced_f.strip())]
    if not consents:
        problems.append(Reason("consent", N_("Without your consent nobody can be put in touch with you."), {}, "consents"))
    if kind not in COMPANION_KINDS:
        problems.append(Reason("kind", N_("“%(value)s” is not one of: %(known)s."), {"value": kind, "known": ", ".join(COMPANION_KINDS)}, "kind"))
    if not languages:
        problems.append(Reason("languages", N_("Choose at least one language."), {}, "languages"))
    if not 1 <= places <= 20:
        problems.append(Reason("places", N_("Give a number from 1 to 20."), {}, "places"))
    Invalid.because(problems)
    if Companion.objects.filter(person_id=by.person, organisation=organisation, state__in=[CompanionState.OFFERED, CompanionState.ACTIVE]).exists():
        raise Conflict(Reason("offered", N_("You have offered this already.")))
    companion = Companion(
        person=Person.objects.get(pk=by.person_id), organisation=organisation, kind=kind, languages=sorted({code.split("-")[0] for code in languages}), isced_f=isced_f.strip(), places=places,
        about=about.strip(), consented_at=now,
    )  # fmt: skip
    companion.save()
    return companion


@action("accept", on=Companion, label=_("Accept the offer"), allow=HOST_OFFICE, step=COMPANION_STEPS["accept"], tone="primary")
def accept_companion(companion: Companion, *, by: Actor, now: datetime, because: Annotated[str, Ask(_("Remark"), kind="long_text", limit=2000)] = "") -> Companion:
    """The host knows this person and stands behind the offer."""
    if companion.person_id == by.person_id:
        raise Refused(Reason("own-request", N_("Nobody decides on a request of their own.")))
    return companion


@action("decline", on=Companion, label=_("Decline the offer"), allow=HOST_OFFICE, step=COMPANION_STEPS["decline"], tone="warning")
def decline_companion(companion: Companion, *, by: Actor, now: datetime, because: Because) -> Companion:
    """Do not take it up, with the reason."""
    companion.because = because.strip()
    return companion


@action("end", on=Companion, label=_("Take the consent back"), allow=("self@person", *HOST_OFFICE), step=COMPANION_STEPS["end"], tone="warning")
def end_companion(companion: Companion, *, by: Actor, now: datetime, because: Annotated[str, Ask(_("Why? (optional)"), kind="long_text", limit=2000)] = "") -> Companion:
    """Nobody is proposed any more, and every pairing ends: addresses are shown no longer."""
    companion.because = because.strip()
    for pairing in companion.pairings.filter(state__in=[PairingState.PROPOSED, PairingState.AGREED]):
        before, pairing.state = pairing.state, PairingState.ENDED
        pairing.save()
        note(pairing, "end", by=by, now=now, changes={"state": [before, "ended"]})
    return companion


def _has_agreed(pairing: Pairing, actor: Actor) -> bool:
    """Who has said yes waits for the other: the button would do nothing."""
    if actor.person_id == pairing.participation.student_id:
        return pairing.student_agreed_at is not None
    return actor.person_id == pairing.companion.person_id and pairing.companion_agreed_at is not None


@action("agree", on=Pairing, label=_("Agree"), allow=BOTH, step=PAIRING_STEPS["agree"], tone="primary", waits_for=lambda pairing, actor: not _has_agreed(pairing, actor))
def agree(pairing: Pairing, *, by: Actor, now: datetime) -> Pairing:
    """Say yes for yourself. When both have, each sees the other’s address."""
    if by.person_id == pairing.participation.student_id:
        pairing.student_agreed_at = pairing.student_agreed_at or now
    if by.person_id == pairing.companion.person_id:
        pairing.companion_agreed_at = pairing.companion_agreed_at or now
    if pairing.student_agreed_at and pairing.companion_agreed_at:
        pairing.state = PairingState.AGREED
        emit("pairing.agreed", pairing_id=str(pairing.pk))
    pairing.save()
    return pairing


@action("decline", on=Pairing, label=_("Decline"), allow=BOTH, step=PAIRING_STEPS["decline"])
def decline_pairing(pairing: Pairing, *, by: Actor, now: datetime, because: Annotated[str, Ask(_("Why? (optional)"), kind="long_text", limit=2000)] = "") -> Pairing:
    """Not this one. No reason is needed, and the two are not proposed to each other again."""
    pairing.because = because.strip()
    return pairing


@action("end", on=Pairing, label=_("End it"), allow=BOTH, step=PAIRING_STEPS["end"], tone="warning")
def end_pairing(pairing: Pairing, *, by: Actor, now: datetime, because: Annotated[str, Ask(_("Why? (optional)"), kind="long_text", limit=2000)] = "") -> Pairing:
    """Addresses are shown no longer."""
    pairing.because = because.strip()
    return pairing

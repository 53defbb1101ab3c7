"""What an office does: offer a preparation, give it modules and meetings, open it, propose companions."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from vsm.exchange.catalogue.queries import language_choices
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import university_choices
from vsm.exchange.institutions.rules import teaches
from vsm.exchange.people.models import is_zone
from vsm.exchange.preparations.facts import meetings_of, series_of
from vsm.exchange.preparations.matching import Companion as Offered
from vsm.exchange.preparations.matching import Traveller, pair_up
from vsm.exchange.preparations.models import Companion, Pairing, Participation, Preparation, PreparationModule
from vsm.exchange.preparations.queries import MODULE_KINDS, instrument_choices
from vsm.exchange.preparations.rules import gaps, module_problems, preparation_problems
from vsm.exchange.preparations.states import (
    MODULE_STEPS,
    STEPS,
    CompanionState,
    ModuleState,
    PairingState,
    ParticipationState,
)
from vsm.exchange.sessions.series import MeetingTime, add_participants, lead, make_series, member
from vsm.kit.actions import Ask, action, note
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

OFFICE = ("coordinator@id",)
RUNNERS = ("coordinator@organisation",)
Localized = dict[str, str]

Title = Annotated[Localized, Ask(_("Title"), kind="localized")]
About = Annotated[Localized, Ask(_("About"), _("For whom it is and what it takes."), kind="localized")]
Host = Annotated[UUID, Ask(_("Host institution"), _("Where the students will travel."), choices=university_choices, start=lambda r, _a: str(r.host_id) if isinstance(r, Preparation) else None)]
LanguageOfHost = Annotated[str, Ask(_("Language of the host"), choices=language_choices)]
StartsOn = Annotated[date, Ask(_("Starts"))]
EndsOn = Annotated[date, Ask(_("Ends"))]
Instruments = Annotated[list[str], Ask(_("Self-assessments"), _("Taken before and after. What is known of each stands beside it."), choices=instrument_choices)]
MeetingsNeeded = Annotated[int, Ask(_("Meetings to attend"), _("How many are needed to complete it."))]
Hours = Annotated[Decimal | None, Ask(_("Hours on the certificate"))]
Zone = Annotated[str, Ask(_("Time zone of these dates"), _("Empty: the institution’s own."), limit=64)]

ModuleTitle = Annotated[Localized, Ask(_("Title"), kind="localized")]
ModuleKind = Annotated[str, Ask(_("Kind"), choices=lambda _r, _a: [(kind, str(label)) for kind, label in MODULE_KINDS.items()], limit=8)]
Body = Annotated[Localized, Ask(_("Text of the page"), _("Plain text: it can be read on any connection, also offline."), kind="localized")]
Url = Annotated[str, Ask(_("Address"), limit=500)]
Kilobytes = Annotated[int | None, Ask(_("Size in kB"), _("Of what the link leads to."))]
Minutes = Annotated[int, Ask(_("Minutes"))]
Needed = Annotated[bool, Ask(_("Needed for completion"), start=lambda r, _a: getattr(r, "required", True))]
Position = Annotated[int, Ask(_("Position"))]


@action("offer_preparation", on=Organisation, label=_("Offer a preparation"), allow=OFFICE, when=teaches)
def offer_preparation(
    organisation: Organisation, *, by: Actor, now: datetime,
    code: Annotated[str, Ask(_("Code"), limit=64)],
    title: Title, host: Host, language: LanguageOfHost, starts_on: StartsOn, ends_on: EndsOn, instruments: Instruments = [],  # noqa: B006 -- never changed
    about: About = {}, meetings_needed: MeetingsNeeded = 0, hours: Hours = None, zone: Zone = "",  # noqa: B006 -- never changed
) -> Preparation:  # fmt: skip
    """Begin a preparation for students who will travel to a host, as a draft. Home can offer it, and so can the host."""
    preparation = Preparation(organisation=organisation, code=code.strip())
    problems = _set(preparation, title=title, about=about, host=host, language=language, starts_on=starts_on, ends_on=ends_on, instruments=instruments,
                    meetings_needed=meetings_needed, hours=hours, zone=zone)  # fmt: skip
    if not preparation.code:
        problems.append(Reason("code-missing", N_("Give the code."), {}, "code"))
    if organisation.preparations.filter(code=preparation.code).exists():
        problems.append(Reason("code-taken", N_("A preparation with this code is already here."), {}, "code"))
    Invalid.because(problems)
    preparation.save()
    return preparation


@action("edit", on=Preparation, label=_("Edit"), allow=RUNNERS, step=STEPS["edit"])
def edit_preparation(
    preparation: Preparation, *, by: Actor, now: datetime,
    title: Title, host: Host, language: LanguageOfHost, starts_on: StartsOn, ends_on: EndsOn, instruments: Instruments = [],  # noqa: B006 -- never changed
    about: About = {}, meetings_needed: MeetingsNeeded = 0, hours: Hours = None, zone: Zone = "",  # noqa: B006 -- never changed
) -> Preparation:  # fmt: skip
    """Give its facts anew. An instrument that somebody has answered stays; another host would leave those who joined behind."""
    problems = _set(preparation, title=title, about=about, host=host, language=language, starts_on=starts_on, ends_on=ends_on, instruments=instruments,
                    meetings_needed=meetings_needed, hours=hours, zone=zone)  # fmt: skip
    taken = set(preparation.participations.filter(assessments__isnull=False).values_list("assessments__instrument", flat=True))
    if missing := sorted(taken - set(instruments)):
        problems.append(Reason("instrument-taken", N_("Students have answered %(names)s: it stays."), {"names": ", ".join(missing)}, "instruments"))
    if preparation.participations.exclude(mobility__host_id=host).exists():
        problems.append(Reason("host-joined", N_("Students who travel to the present host have joined: the host cannot change."), {}, "host"))
    Invalid.because(problems)
    preparation.save()
    return preparation


@action("add_module", on=Preparation, label=_("Add a module"), allow=RUNNERS, step=STEPS["add_module"])
def add_module(
    preparation: Preparation, *, by: Actor, now: datetime,
    kind: ModuleKind, title: ModuleTitle, minutes: Minutes, body: Body = {}, url: Url = "", kilobytes: Kilobytes = None, required: Needed = True,  # noqa: B006 -- never changed
    position: Annotated[int | None, Ask(_("Position"), _("Empty: after the others."))] = None,
) -> PreparationModule:  # fmt: skip
    """A page of our own (text alone) or a link with its weight; done in one’s own time."""
    module = PreparationModule(preparation=preparation, position=preparation.modules.count() + 1 if position is None else position)
    Invalid.because(_set_module(module, kind=kind, title=title, body=body, url=url, kilobytes=kilobytes, minutes=minutes, required=required))
    module.save()
    return module


@action("edit", on=PreparationModule, label=_("Edit"), allow=("coordinator@preparation.organisation",), step=MODULE_STEPS["edit"])
def edit_module(
    module: PreparationModule, *, by: Actor, now: datetime,
    kind: ModuleKind, title: ModuleTitle, minutes: Minutes, position: Position, body: Body = {}, url: Url = "", kilobytes: Kilobytes = None, required: Needed = True,  # noqa: B006 -- never changed
) -> PreparationModule:  # fmt: skip
    """Give it anew. Who has done it has done it."""
    Invalid.because(_set_module(module, kind=kind, title=title, body=body, url=url, kilobytes=kilobytes, minutes=minutes, required=required))
    module.position = position
    module.save()
    return module


@action("withdraw", on=PreparationModule, label=_("Withdraw"), allow=("coordinator@preparation.organisation",), step=MODULE_STEPS["withdraw"], tone="warning")
def withdraw_module(module: PreparationModule, *, by: Actor, now: datetime, because: str = "") -> PreparationModule:
    """Nobody needs it any more."""
    return module


@action("restore", on=PreparationModule, label=_("Restore"), allow=("coordinator@preparation.organisation",), step=MODULE_STEPS["restore"])
def restore_module(module: PreparationModule, *, by: Actor, now: datetime) -> PreparationModule:
    """It belongs to the preparation again."""
    return module


@action("plan_meetings", on=Preparation, label=_("Plan meetings"), allow=RUNNERS, step=STEPS["plan_meetings"])
def plan_meetings(
    preparation: Preparation, *, by: Actor, now: datetime,
    meetings: Annotated[list[MeetingTime], Ask(_("Meetings"), _("On the wall of the preparation’s time zone; every calendar gets them."))],
    title: Title = {},  # noqa: B006 -- never changed
    join_url: Annotated[str, Ask(_("Link to join"), limit=200)] = "",
    dial_in: Annotated[str, Ask(_("Number to call"), _("So that a weak connection is no obstacle."), limit=120)] = "",
    companions_join: Annotated[bool, Ask(_("Invite the companions of the host"), start=lambda _r, _a: True)] = True,
) -> Preparation:  # fmt: skip
    """Group meetings with peers and former exchange students of the host. Whoever takes part, or joins later, is invited."""
    people = [member(each.student) for each in preparation.participations.filter(state=ParticipationState.ACTIVE).select_related("student")]
    if companions_join:
        people += [lead(each.person) for each in _available(preparation.host)]
    series = make_series(
        preparation.organisation, by=SYSTEM, now=now, title=title or preparation.title, zone=preparation.zone, meetings=meetings, people=people, join_url=join_url,
        dial_in=dial_in, bandwidth="audio", owner_noun=Preparation.noun, owner_id=preparation.pk,
    )  # fmt: skip
    note(series, "plan_meetings", by=by, now=now)
    preparation.save()
    return preparation


@action("open", on=Preparation, label=_("Open it"), allow=RUNNERS, step=STEPS["open"], tone="primary")
def open_preparation(preparation: Preparation, *, by: Actor, now: datetime) -> Preparation:
    """Let students join. Refused with everything that is missing."""
    Refused.because(
        gaps(
            modules=preparation.modules.filter(state=ModuleState.CURRENT).count(), meetings=meetings_of(preparation).count(), chosen=preparation.instruments,
            meetings_needed=preparation.meetings_needed,
        )
    )  # fmt: skip
    return preparation


@action("close", on=Preparation, label=_("Close it"), allow=RUNNERS, step=STEPS["close"], tone="warning")
def close_preparation(preparation: Preparation, *, by: Actor, now: datetime, because: str = "") -> Preparation:
    """Nobody joins any more; who takes part can complete it."""
    return preparation


@action("pair", on=Preparation, label=_("Propose companions"), allow=RUNNERS, step=STEPS["pair"])
def pair(preparation: Preparation, *, by: Actor, now: datetime) -> Preparation:
    """Propose a companion at the host to each student who wants one and has none. Both are asked; nobody’s address is shown before."""
    busy = Pairing.objects.filter(state__in=[PairingState.PROPOSED, PairingState.AGREED])
    students = {
        str(each.pk): each
        for each in preparation.participations.filter(state=ParticipationState.ACTIVE, wants_companion=True).exclude(pk__in=busy.values("participation")).select_related("student__student_record")
    }
    companions = {str(each.pk): each for each in _available(preparation.host)}
    taken = {pk: busy.filter(companion_id=pk).count() for pk in companions}
    declined = Pairing.objects.filter(participation__preparation=preparation, state=PairingState.DECLINED).values_list("participation_id", "companion_id")
    found = pair_up(
        [_traveller(each) for each in students.values()],
        [
            Offered(pk, frozenset(each.languages), each.isced_f, each.person.zone, each.kind, each.places - taken[pk])
            for pk, each in companions.items()
        ],
        host_language=preparation.language.split("-")[0], now=now, never={(str(student), str(companion)) for student, companion in declined},
    )  # fmt: skip
    for one in found:
        pairing = Pairing(
            participation=students[one.student], companion=companions[one.companion], points=one.points,
            why=[{"code": reason.code, "text": reason.text, "params": dict(reason.params)} for reason in one.why],
        )  # fmt: skip
        pairing.save()
        note(pairing, "pair", by=by, now=now)
        emit("pairing.proposed", pairing_id=str(pairing.pk))
    preparation.save()
    return preparation


def join_meetings(preparation: Preparation, participation: Participation, now: datetime) -> None:
    """Let somebody who joined take part in the meetings already planned."""
    for series in series_of(preparation):
        add_participants(series, by=SYSTEM, now=now, people=[member(participation.student)])


def _available(host: Organisation) -> Iterable[Any]:
    return Companion.objects.filter(organisation=host, state=CompanionState.ACTIVE).select_related("person").order_by("consented_at", "pk")


def _traveller(participation: Participation) -> Traveller:
    record = getattr(participation.student, "student_record", None)
    spoken = record.languages if record else {}
    languages = {code for code, level in spoken.items() if level not in {"A1", "A2"}} or {participation.student.language.split("-")[0]}
    return Traveller(str(participation.pk), frozenset(languages), record.isced_f if record else "", participation.student.zone)


def _set(preparation: Preparation, *, title: Localized, about: Localized, host: UUID, instruments: list[str], zone: str, hours: Decimal | None, **facts: Any) -> list[Reason]:
    preparation.title = {code: text.strip() for code, text in title.items() if text.strip()}
    preparation.about = {code: text.strip() for code, text in about.items() if text.strip()}
    preparation.instruments, preparation.hours = list(dict.fromkeys(instruments)), hours
    preparation.zone = zone.strip() or preparation.organisation.zone
    for name, value in facts.items():
        setattr(preparation, name, value)
    problems = list(
        preparation_problems(starts_on=facts["starts_on"], ends_on=facts["ends_on"], chosen=instruments, meetings_needed=facts["meetings_needed"], title=bool(preparation.title))
    )
    there = Organisation.objects.filter(pk=host).first()
    if there is None:
        problems.append(Reason("host-unknown", N_("This institution is not known here."), {}, "host"))
    else:
        preparation.host = there
    if hours is not None and not 0 < hours < 10_000:
        problems.append(Reason("hours", N_("“%(value)s” is no number of hours."), {"value": hours}, "hours"))
    if not is_zone(preparation.zone):
        problems.append(Reason("zone", N_("“%(zone)s” is not a time zone of the IANA database (example: America/Lima)."), {"zone": zone}, "zone"))
    return problems


def _set_module(module: PreparationModule, *, title: Localized, body: Localized, **facts: Any) -> list[Reason]:
    module.title = {code: text.strip() for code, text in title.items() if text.strip()}
    module.body = {code: text.strip() for code, text in body.items() if text.strip()}
    for name, value in facts.items():
        setattr(module, name, value)
    problems = list(
        module_problems(kind=module.kind, url=module.url, has_body=bool(module.body), has_title=bool(module.title), kilobytes=module.kilobytes, minutes=module.minutes)
    )
    if module.kind not in MODULE_KINDS:
        problems.append(Reason("kind", N_("“%(value)s” is not one of: %(known)s."), {"value": module.kind, "known": ", ".join(MODULE_KINDS)}, "kind"))
    return problems

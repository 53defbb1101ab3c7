"""What a student does: join for a mobility, assess oneself before and after, do modules, complete it and receive a certificate."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, Field

from vsm.exchange.catalogue import labels
from vsm.exchange.catalogue.categories import all_categories
from vsm.exchange.credentials.actions import certify
from vsm.exchange.credentials.awards import Award
from vsm.exchange.mobilities.models import Mobility
from vsm.exchange.mobilities.queries import title_of as mobility_title
from vsm.exchange.preparations.facts import day_at, done_of, series_of
from vsm.exchange.preparations.measuring import scores, unanswered
from vsm.exchange.preparations.models import (
    ModuleDone,
    Participation,
    Preparation,
    PreparationRequirement,
    SelfAssessment,
)
from vsm.exchange.preparations.preparing import join_meetings
from vsm.exchange.preparations.requiring import fulfil
from vsm.exchange.preparations.rules import BEFORE, moment_of, why_not_assess, why_not_complete, why_not_join
from vsm.exchange.preparations.states import PARTICIPATION_STEPS, STEPS, RequirementState
from vsm.exchange.sessions.series import remove_participants
from vsm.kit import clock
from vsm.kit.actions import Ask, action, note
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Conflict, Invalid, Refused
from vsm.kit.i18n import N_
from vsm.kit.localized import LANGUAGES
from vsm.kit.saying import day_text
from vsm.kit.verdict import Reason
from vsm.rulebook import version
from vsm.rulebook.instruments import instrument, limit

STUDENT = ("self@student",)
CAN_WORDS = {"no": N_("Not yet"), "partly": N_("With difficulty"), "yes": N_("Yes")}
AGREE_WORDS = {"1": N_("1 – not at all"), "2": N_("2 – rather not"), "3": N_("3 – partly"), "4": N_("4 – rather yes"), "5": N_("5 – fully")}


class CanDoRow(BaseModel):
    """One statement, answered with no, partly or yes."""

    item: Annotated[str, Ask(_("Statement"), kind="hidden")]
    statement: Annotated[str, Ask(_("Statement"), kind="read_only")] = ""
    answer: Annotated[str, Ask(_("Can you do it?"), choices=lambda _r, _a: [(value, _now(word)) for value, word in CAN_WORDS.items()])] = Field(default="", max_length=8)


class AgreementRow(BaseModel):
    """One statement, answered from 1 to 5."""

    item: Annotated[str, Ask(_("Statement"), kind="hidden")]
    statement: Annotated[str, Ask(_("Statement"), kind="read_only")] = ""
    answer: Annotated[str, Ask(_("Do you agree?"), choices=lambda _r, _a: [(value, _now(word)) for value, word in AGREE_WORDS.items()])] = Field(default="", max_length=8)


def statements(slug: str, row: type[BaseModel]) -> Callable[[Any, Actor], list[Any]]:
    """The statements of an instrument as a form shows them, none answered."""

    def start(_record: Any, _actor: Actor) -> list[Any]:
        return [row.model_validate({"item": key, "statement": labels.in_reader(item.text)}) for key, item in instrument(slug).items]

    return start


def mobility_choices(preparation: Any, actor: Actor) -> list[tuple[str, str]]:
    """One's own stays to come at the host of the preparation."""
    if actor.person_id is None:
        return []
    found = Mobility.objects.filter(student_id=actor.person_id, host_id=preparation.host_id, state="planned").select_related("host", "student")
    return [(str(each.pk), f"{mobility_title(each)} · {day_text(each.starts_on)}") for each in found]


def _could_join(preparation: Any, actor: Actor) -> bool:
    """Whether there is a stay of this person to join for: offices see the page too."""
    if actor.person_id is None:
        return False
    joined = preparation.participations.filter(student_id=actor.person_id).values("mobility_id")
    return Mobility.objects.filter(student_id=actor.person_id, host_id=preparation.host_id, state="planned").exclude(pk__in=joined).exists()


@action(
    "join", on=Preparation, label=_("Join the preparation"), allow=("person",), step=STEPS["join"],
    waits_for=lambda preparation, actor: _could_join(preparation, actor),
)  # fmt: skip
def join(
    preparation: Preparation, *, by: Actor, now: datetime,
    mobility: Annotated[UUID, Ask(_("For which stay?"), _("Your international office records your stays; ask it if yours is missing."), choices=mobility_choices)],
    wants_companion: Annotated[bool, Ask(_("I would like a companion at the host"), _("Somebody who studies there or was on exchange. You decide about each proposal."))] = False,
) -> Participation:  # fmt: skip
    """Take part, for one of your mobilities to come."""
    stay = Mobility.objects.filter(pk=mobility, student_id=by.person_id).first() if by.person_id else None
    if stay is None:
        raise Invalid(Reason("mobility-unknown", N_("This is not a stay of yours. Ask your international office to record it."), {}, "mobility"))
    today = day_at(preparation.zone, now)
    Refused.because(why_not_join(starts_on=stay.starts_on, cancelled=stay.state == "cancelled", today=today, host_matches=stay.host_id == preparation.host_id))
    if preparation.participations.filter(mobility=stay).exists():
        raise Conflict(Reason("joined", N_("You have joined for this stay already.")))
    participation = Participation(preparation=preparation, mobility=stay, student=stay.student, joined_at=now, wants_companion=wants_companion)
    participation.save()
    join_meetings(preparation, participation, now)
    return participation


@action("assess_language", on=Participation, label=_("Assess my language"), allow=STUDENT, step=PARTICIPATION_STEPS["assess"], tone="primary", when=lambda p: _is_next(p, "language"), due=lambda p: not any(_why_not_now(p, "language", clock.now())))
def assess_language(
    participation: Participation, *, by: Actor, now: datetime,
    answers: Annotated[list[CanDoRow], Ask(_("What can you do?"), _("For the language of your host. Nobody but you reads single answers."), start=statements("language", CanDoRow))],
) -> SelfAssessment:  # fmt: skip
    """Take the language assessment: the first time before, the second after."""
    return _assess(participation, "language", {row.item: row.answer for row in answers}, by, now)


@action("assess_intercultural", on=Participation, label=_("Assess my readiness"), allow=STUDENT, step=PARTICIPATION_STEPS["assess"], tone="primary", when=lambda p: _is_next(p, "intercultural"), due=lambda p: not any(_why_not_now(p, "intercultural", clock.now())))
def assess_intercultural(
    participation: Participation, *, by: Actor, now: datetime,
    answers: Annotated[list[AgreementRow], Ask(_("How do you see yourself?"), _("There are no right answers. Nobody but you reads single answers."), start=statements("intercultural", AgreementRow))],
) -> SelfAssessment:  # fmt: skip
    """Take the assessment of intercultural readiness: the first time before, the second after."""
    return _assess(participation, "intercultural", {row.item: row.answer for row in answers}, by, now)


@action("assess_confidence", on=Participation, label=_("Assess my confidence"), allow=STUDENT, step=PARTICIPATION_STEPS["assess"], tone="primary", when=lambda p: _is_next(p, "confidence"), due=lambda p: not any(_why_not_now(p, "confidence", clock.now())))
def assess_confidence(
    participation: Participation, *, by: Actor, now: datetime,
    answers: Annotated[list[AgreementRow], Ask(_("How sure do you feel?"), _("There are no right answers. Nobody but you reads single answers."), start=statements("confidence", AgreementRow))],
) -> SelfAssessment:  # fmt: skip
    """Take the assessment of confidence: the first time before, the second after."""
    return _assess(participation, "confidence", {row.item: row.answer for row in answers}, by, now)


def open_modules(participation: Any, _actor: Actor) -> list[tuple[str, str]]:
    done = set(participation.done.values_list("module_id", flat=True))
    return [(str(each.pk), labels.in_reader(each.title)) for each in participation.preparation.modules.filter(state="current") if each.pk not in done]


@action("finish_module", on=Participation, label=_("I have done a module"), allow=STUDENT, step=PARTICIPATION_STEPS["finish_module"], when=lambda participation: bool(open_modules(participation, SYSTEM)))
def finish_module(
    participation: Participation, *, by: Actor, now: datetime,
    module: Annotated[UUID, Ask(_("Module"), choices=open_modules)],
) -> Participation:  # fmt: skip
    """Say that you have done it. Saying it again changes nothing."""
    found = participation.preparation.modules.filter(pk=module, state="current").first()
    if found is None:
        raise Invalid(Reason("module-unknown", N_("This is not a module of this preparation."), {}, "module"))
    ModuleDone.objects.get_or_create(participation=participation, module=found, defaults={"at": now})
    participation.save()
    return participation


@action("complete", on=Participation, label=_("Complete the preparation"), allow=(*STUDENT, "coordinator@preparation.organisation"), step=PARTICIPATION_STEPS["complete"], tone="primary", due=lambda participation: not any(why_not_complete(done_of(participation))))
def complete(participation: Participation, *, by: Actor, now: datetime) -> Participation:
    """Everything is done: what home asked for is fulfilled, and a certificate is signed. Refused with all that is missing."""
    Refused.because(why_not_complete(done_of(participation)))
    participation.completed_at = now
    preparation = participation.preparation
    certify(preparation.organisation, by=by, now=now, person=participation.student, award=_award(participation, now), home=participation.mobility.home)
    asked = PreparationRequirement.objects.filter(mobility=participation.mobility, preparation=preparation, state__in=[RequirementState.OPEN, RequirementState.WAIVED])
    for requirement in asked:
        fulfil(requirement, by=SYSTEM, now=now)
    return participation


@action("leave", on=Participation, label=_("Leave"), allow=STUDENT, step=PARTICIPATION_STEPS["leave"], tone="warning")
def leave(participation: Participation, *, by: Actor, now: datetime, because: Annotated[str, Ask(_("Why? (optional)"), kind="long_text", limit=2000)] = "") -> Participation:
    """Take part no longer. What you answered stays yours; you can come back."""
    for series in series_of(participation.preparation):
        remove_participants(series, by=SYSTEM, now=now, people=[str(participation.student_id)])
    return participation


@action("return", on=Participation, label=_("Take part again"), allow=STUDENT, step=PARTICIPATION_STEPS["return"], tone="primary")
def come_back(participation: Participation, *, by: Actor, now: datetime) -> Participation:
    """Go on where you left."""
    join_meetings(participation.preparation, participation, now)
    return participation


def _is_next(participation: Participation, slug: str) -> bool:
    return slug in participation.preparation.instruments and bool(moment_of(_taken(participation, slug)))


def _taken(participation: Participation, slug: str) -> list[str]:
    return list(participation.assessments.filter(instrument=slug).values_list("moment", flat=True))


def _why_not_now(participation: Participation, slug: str, now: datetime) -> Iterator[Reason]:
    zone = participation.preparation.zone
    first, today = participation.assessments.filter(instrument=slug, moment=BEFORE).first(), day_at(zone, now)
    days = int(limit("days-between-assessments", today))
    return why_not_assess(moment_of(_taken(participation, slug)), first_on=day_at(zone, first.taken_at) if first else None, today=today, days=days)


def _assess(participation: Participation, slug: str, answers: dict[str, str], by: Actor, now: datetime) -> SelfAssessment:
    if slug not in participation.preparation.instruments:
        raise Refused(Reason("instrument-unused", N_("This preparation does not use this self-assessment.")))
    Refused.because(_why_not_now(participation, slug, now))
    told, moment = instrument(slug), moment_of(_taken(participation, slug))
    Invalid.because(unanswered(told, answers))
    made = SelfAssessment(participation=participation, instrument=slug, moment=moment, answers=answers, scores=scores(told, answers), rulebook=version(), taken_at=now)
    made.save()
    note(participation, f"assess_{slug}", by=by, now=now)
    return made


def _award(participation: Participation, now: datetime) -> Award:
    preparation = participation.preparation
    category = next(each for each in all_categories() if each.uses("self_assessment"))
    modules = preparation.modules.filter(state="current", required=True)
    return Award(
        source=(Participation.noun, participation.pk), kind=category.certified_as, title=preparation.title, description=preparation.about or dict(category.summary),
        criteria=_criteria(preparation, modules.count()), language=participation.student.language, started=day_at(preparation.zone, participation.joined_at),
        ended=day_at(preparation.zone, now), hours=preparation.hours,
    )  # fmt: skip


def _criteria(preparation: Preparation, modules: int) -> dict[str, str]:
    said = {}
    for code in LANGUAGES:
        with translation.override(code):
            said[code] = _now("Modules done: %(modules)s. Meetings attended: at least %(meetings)s. Self-assessments before and after: %(assessments)s.") % {
                "modules": modules, "meetings": preparation.meetings_needed, "assessments": len(preparation.instruments),
            }  # fmt: skip
    return said

"""What home asks before a physical mobility: a preparation, as a condition or as advice; waived only with a reason."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from vsm.exchange.mobilities.models import Mobility
from vsm.exchange.preparations.facts import day_at
from vsm.exchange.preparations.models import Preparation, PreparationRequirement
from vsm.exchange.preparations.queries import KIND_LABELS, title_of
from vsm.exchange.preparations.rules import requirement_problems
from vsm.exchange.preparations.states import REQUIREMENT_STEPS, RequirementState
from vsm.kit.actions import Ask, action
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Conflict, Invalid, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

HOME_OFFICE = ("coordinator@home",)
OF_MOBILITY = ("coordinator@mobility.home",)
Kind = Annotated[Literal["condition", "advice"], Ask(_("Kind"), choices=lambda _r, _a: [(kind, str(label)) for kind, label in KIND_LABELS.items()])]
Because = Annotated[str, Ask(_("Why? (the student reads this)"), kind="long_text", limit=2000)]


def preparation_choices(mobility: Any, _actor: Actor) -> list[tuple[str, str]]:
    """Open preparations for this host."""
    return [(str(each.pk), title_of(each)) for each in Preparation.objects.filter(host_id=mobility.host_id, state="open")]


@action("require_preparation", on=Mobility, label=_("Ask for a preparation"), allow=HOME_OFFICE, when=lambda mobility: mobility.state == "planned")
def require_preparation(
    mobility: Mobility, *, by: Actor, now: datetime,
    preparation: Annotated[UUID, Ask(_("Preparation for a mobility"), choices=preparation_choices)],
    kind: Kind, due_on: Annotated[date, Ask(_("Until"))], because: Because,
) -> PreparationRequirement:  # fmt: skip
    """State that a preparation is a condition of this mobility, or advice. It stands on the mobility’s page for all three sides."""
    found = Preparation.objects.filter(pk=preparation, host_id=mobility.host_id).exclude(state="draft").first()
    problems = list(requirement_problems(kind=kind, due_on=due_on, starts_on=mobility.starts_on, today=day_at(mobility.home.zone, now)))
    if found is None:
        problems.append(Reason("preparation-unknown", N_("This is not a preparation for the host of this mobility."), {}, "preparation"))
    Invalid.because(problems)
    if mobility.preparation_requirements.filter(preparation=found).exclude(state=RequirementState.WITHDRAWN).exists():
        raise Conflict(Reason("asked", N_("This preparation is asked for already: change that instead.")))
    requirement = PreparationRequirement(mobility=mobility, preparation_id=preparation, kind=kind, due_on=due_on, because=because.strip())
    requirement.save()
    emit("preparation.required", requirement_id=str(requirement.pk))
    if mobility.preparations.filter(preparation_id=preparation, state="completed").exists():
        return fulfil(requirement, by=SYSTEM, now=now)
    return requirement


@action("change", on=PreparationRequirement, label=pgettext_lazy("act", "Change"), allow=OF_MOBILITY, step=REQUIREMENT_STEPS["change"])
def change(requirement: PreparationRequirement, *, by: Actor, now: datetime, kind: Kind, due_on: Annotated[date, Ask(_("Until"))], because: Because) -> PreparationRequirement:
    """Make it a condition or advice, or move its day."""
    mobility = requirement.mobility
    Invalid.because(requirement_problems(kind=kind, due_on=due_on, starts_on=mobility.starts_on, today=day_at(mobility.home.zone, now)))
    requirement.kind, requirement.due_on, requirement.because = kind, due_on, because.strip()
    requirement.save()
    return requirement


@action("waive", on=PreparationRequirement, label=_("Waive it"), allow=OF_MOBILITY, step=REQUIREMENT_STEPS["waive"])
def waive(requirement: PreparationRequirement, *, by: Actor, now: datetime, answer: Annotated[str, Ask(_("Why? (the student reads this)"), kind="long_text", limit=2000)]) -> PreparationRequirement:
    """Let this student travel without it, and say why."""
    if not answer.strip():
        raise Invalid(Reason("answer", N_("Say why: the student reads it."), {}, "answer"))
    if requirement.mobility.student_id == by.person_id:
        raise Refused(Reason("own-request", N_("Nobody decides on a request of their own.")))
    requirement.answer, requirement.decided_by_id, requirement.decided_at = answer.strip(), by.person_id, now
    return requirement


@action("withdraw", on=PreparationRequirement, label=_("Ask for it no longer"), allow=OF_MOBILITY, step=REQUIREMENT_STEPS["withdraw"])
def withdraw_requirement(requirement: PreparationRequirement, *, by: Actor, now: datetime, because: str = "") -> PreparationRequirement:
    """It was asked by mistake."""
    return requirement


@action("fulfil", on=PreparationRequirement, label=_("Fulfil"), allow=(), step=REQUIREMENT_STEPS["fulfil"])
def fulfil(requirement: PreparationRequirement, *, by: Actor, now: datetime) -> PreparationRequirement:
    """The preparation was completed."""
    requirement.decided_at = now
    return requirement

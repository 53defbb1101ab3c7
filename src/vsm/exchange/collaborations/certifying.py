"""Certificates for taking part and for facilitating, and what home recognises of it by its own decision."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from vsm.exchange.collaborations.exchange_queries import managed_sides, signing_sides, watched
from vsm.exchange.collaborations.models import Exchange, Participant
from vsm.exchange.collaborations.rules import Plan, Side, credits_of
from vsm.exchange.collaborations.states import EXCHANGE_STEPS, PARTICIPANT_STEPS, ParticipantState
from vsm.exchange.credentials.actions import certify as request_credential
from vsm.exchange.credentials.awards import Award
from vsm.kit.actions import Ask, action
from vsm.kit.actors import Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.i18n import N_
from vsm.kit.localized import LANGUAGES
from vsm.kit.verdict import Reason

TEACHERS = ("self@first_teacher", "self@second_teacher")
HOURS_OF_FACILITATION = Decimal(2)
"""Hours of a facilitator for each hour that the plan asks of a student, when nobody says otherwise: preparing and marking."""


@action("certify", on=Exchange, label=_("Issue certificates"), allow=(*TEACHERS, "coordinator@first", "coordinator@second"), step=EXCHANGE_STEPS["certify"], tone="primary")
def certify(
    exchange: Exchange, *, by: Actor, now: datetime,
    staff_hours: Annotated[Decimal | None, Ask(_("Your own hours of facilitation"), _("For the teacher’s certificate; empty: twice the students’ hours."))] = None,
) -> Exchange:  # fmt: skip
    """Request a signed badge for everybody of your class who met the plan's criteria, and a certificate for its teacher.

    Doing it again issues nothing twice. Credits stand in it only where the class's own home gives them by the plan.
    """
    version = exchange.version_in_force
    if version is None:
        raise Refused(Reason("no-plan", N_("There is no plan in force.")))
    if staff_hours is not None and not 0 < staff_hours <= 1000:
        raise Invalid(Reason("hours", N_("A number between %(low)s and %(high)s is expected."), {"low": 1, "high": 1000}, "staff_hours"))
    plan, achieved = version.text, {each.participant.pk: each.achieved for each in watched(exchange, exchange.finished_at or now, states=(ParticipantState.COMPLETED,))}
    for side in managed_sides(exchange, by):
        organisation = exchange.first if side == Side.FIRST else exchange.second
        for participant in exchange.participants.filter(side=side, state=ParticipantState.COMPLETED).select_related("person"):
            award = badge_of(exchange, plan, participant, achieved[participant.pk])
            request_credential(organisation, by=by, now=now, person=participant.person, award=award, home=organisation)
        teacher = exchange.first_teacher if side == Side.FIRST else exchange.second_teacher
        hours = staff_hours if staff_hours is not None and side in signing_sides(exchange, by) else Decimal(plan.hours) * HOURS_OF_FACILITATION
        request_credential(organisation, by=by, now=now, person=teacher, award=staff_award(exchange, plan, hours, teacher.language))
    exchange.save()
    return exchange


@action("recognise", on=Participant, label=_("Recognise at home"), allow=("registrar@organisation",), step=PARTICIPANT_STEPS["recognise"], tone="primary", when=lambda p: p.recognised_at is None)
def recognise(
    participant: Participant, *, by: Actor, now: datetime,
    home_credits: Annotated[Decimal, Ask(_("Credits"), _("In the home’s own credit system. The plan says what was meant; the decision is yours."), start=lambda p, _a: _promised(p))],
    home_code: Annotated[str, Ask(_("Code at home"), limit=64)] = "",
    because: Annotated[str, Ask(_("Why? (the student reads this)"), kind="long_text", limit=2000)] = "",
) -> Participant:  # fmt: skip
    """Enter what the home gives for a completed exchange. Without this act taking part gives no credit."""
    if participant.recognised_at is not None:
        raise Refused(Reason("recognised", N_("This was decided on %(at)s already."), {"at": participant.recognised_at}))
    if not 0 < home_credits <= Decimal("999.99"):
        raise Invalid(Reason("bad-credits", N_("“%(given)s” is not an amount of credits."), {"given": str(home_credits)}, "home_credits"))
    participant.home_credits, participant.home_code, participant.recognised_at = home_credits, home_code.strip(), now
    participant.save()
    return participant


def badge_of(exchange: Exchange, plan: Plan, participant: Participant, achieved: Any) -> Award:
    """What a student's badge tells: the exchange, what was asked, what was done. Credit only where home gives it by the plan."""
    side = getattr(plan, participant.side)
    partner = exchange.second if participant.side == Side.FIRST else exchange.first
    facts = {"tasks": plan.share_tasks, "check_ins": plan.share_check_ins, "hours": plan.hours, "partner": partner.name}
    criteria = N_("At least %(tasks)s per cent of the shared tasks and %(check_ins)s per cent of the weekly check-ins.")
    if plan.needs_reflection:
        criteria = N_("At least %(tasks)s per cent of the shared tasks, %(check_ins)s per cent of the weekly check-ins, and a written reflection.")
    return Award(
        source=("participant", participant.pk), kind="Badge", title=_every(N_("Virtual exchange: %(title)s"), {"title": plan.title}),
        description=_every(N_("Worked in a mixed-country team with a class of %(partner)s for %(hours)s hours."), facts),
        criteria=_every(criteria, facts), language=participant.person.language, started=plan.starts_on, ended=plan.ends_on,
        hours=Decimal(plan.hours), credits=credits_of(side), credit_system=side["credit_system"] if credits_of(side) is not None else "",
        results=(
            (_every(N_("Tasks handed in"), {}), f"{achieved.tasks_done} / {achieved.tasks_due}"),
            (_every(N_("Weekly check-ins"), {}), f"{achieved.check_ins} / {achieved.weeks}"),
        ),
        isced_f=_four(exchange.invitation.wish.isced_f),
    )  # fmt: skip


def staff_award(exchange: Exchange, plan: Plan, hours: Decimal, language: str) -> Award:
    """What a teacher's certificate tells: work that seldom counts in a teacher's load, made provable."""
    students = exchange.participants.exclude(state=ParticipantState.LEFT).count()
    facts = {"students": str(students), "first": exchange.first.name, "second": exchange.second.name}
    return Award(
        source=("exchange", exchange.pk), kind="Certificate", title=_every(N_("Facilitator of a virtual exchange: %(title)s"), {"title": plan.title}),
        description=_every(N_("Planned and facilitated an exchange of %(first)s and %(second)s with %(students)s students."), facts),
        criteria=_every(N_("An exchange plan signed by both teachers, carried through to its end."), {}), language=language,
        started=plan.starts_on, ended=plan.ends_on, hours=hours, isced_f=_four(exchange.invitation.wish.isced_f),
    )  # fmt: skip


def _every(text: str, facts: dict[str, Any]) -> dict[str, str]:
    """The sentence in each of our languages, with localized facts in the same language."""
    said = {}
    for language in LANGUAGES:
        with translation.override(language):
            said[language] = gettext(text) % {name: _in(value, language) for name, value in facts.items()}
    return said


def _in(value: Any, language: str) -> str:
    return value.get(language) or next(iter(value.values()), "") if isinstance(value, dict) else str(value)


def _four(code: str) -> str:
    """Credentials tell detailed fields (four digits); a narrow one ends in 0 by ISCED-F's own convention."""
    return code if len(code) == 4 else f"{code}0"


def _promised(participant: Participant) -> Decimal | None:
    version = participant.exchange.version_in_force
    return credits_of(getattr(version.text, participant.side)) if version else None



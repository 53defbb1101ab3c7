"""From the first day to the last: insurance, start, interruption, suspension, early end, completion."""

from datetime import date, datetime, timedelta
from typing import Annotated

from django.utils.translation import gettext_lazy as _
from django_tasks import task

from vsm.exchange.people.models import Person
from vsm.exchange.placements.actions.agreeing import cancel_agreement
from vsm.exchange.placements.actions.selecting import move_on
from vsm.exchange.placements.models import Pause, Placement
from vsm.exchange.placements.queries.placements import side_of, standing_of
from vsm.exchange.placements.rules.running import why_not_complete, why_not_start
from vsm.exchange.placements.states import PLACEMENT_STEPS, AgreementState, HoursState, PlacementState
from vsm.kit import clock
from vsm.kit.actions import Ask, action
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

HOME = ("coordinator@home", "registrar@home", "self@tutor")
HOST = ("coordinator@host.organisation", "self@mentor")
ALL = ("self@student", *HOME, *HOST)
Because = Annotated[str, Ask(_("Why? (everybody who takes part reads this)"), kind="long_text", limit=2000)]


@action("record_insurance", on=Placement, label=_("Record the insurance"), allow=("coordinator@home", "registrar@home"), step=PLACEMENT_STEPS["record_insurance"], tone="primary", when=lambda p: p.insured_until is None)
def record_insurance(
    placement: Placement, *, by: Actor, now: datetime,
    insurer: Annotated[str, Ask(_("Insurer"), limit=200)],
    policy: Annotated[str, Ask(_("Policy number"), limit=120)],
    insured_from: Annotated[date, Ask(_("Insured from"))],
    insured_until: Annotated[date, Ask(_("Insured until"))],
) -> Placement:  # fmt: skip
    """Say by which policy the student is insured. Without one that covers every day nothing starts."""
    _insure(placement, insurer, policy, insured_from, insured_until)
    return placement


@action("change_insurance", on=Placement, label=_("Change the insurance"), allow=("coordinator@home", "registrar@home"), step=PLACEMENT_STEPS["record_insurance"], when=lambda p: p.insured_until is not None)
def change_insurance(
    placement: Placement, *, by: Actor, now: datetime,
    insurer: Annotated[str, Ask(_("Insurer"), limit=200)],
    policy: Annotated[str, Ask(_("Policy number"), limit=120)],
    insured_from: Annotated[date, Ask(_("Insured from"))],
    insured_until: Annotated[date, Ask(_("Insured until"))],
    because: str = "",
) -> Placement:  # fmt: skip
    """Another policy, or the same for longer: after an extension, for instance."""
    _insure(placement, insurer, policy, insured_from, insured_until)
    return placement


@action("start", on=Placement, label=_("Start"), allow=(*HOME, *HOST), step=PLACEMENT_STEPS["start"], tone="primary", due=lambda placement: not any(why_not_start(standing_of(placement), placement.today(clock.now()))))
def start(placement: Placement, *, by: Actor, now: datetime) -> Placement:
    """Begin. Refused with every reason: unsigned, host not vetted, not insured, not the day. On the first day it happens by itself."""
    Refused.because(why_not_start(standing_of(placement), placement.today(now)))
    placement.started_on = placement.today(now)
    emit("placement.started", placement_id=str(placement.pk))
    return placement


@action("interrupt", on=Placement, label=_("Interrupt"), allow=ALL, step=PLACEMENT_STEPS["interrupt"])
def interrupt(placement: Placement, *, by: Actor, now: datetime, because: Because) -> Placement:
    """Rest for a while: illness, exams, care, no connection. No hours are written down for these days."""
    Pause.objects.create(placement=placement, kind="interrupted", from_day=_next_free(placement, placement.today(now)), because=because.strip())
    emit("placement.changed", placement_id=str(placement.pk), what="interrupted", because=because.strip()[:500])
    return placement


@action("resume", on=Placement, label=_("Go on"), allow=ALL, step=PLACEMENT_STEPS["resume"], tone="primary")
def resume(placement: Placement, *, by: Actor, now: datetime, because: str = "") -> Placement:
    """Go on from today. If the time that was lost is to be made up, agree on a later last day in a new version."""
    Refused.because(reason for reason in why_not_start(standing_of(placement), placement.today(now)) if reason.code in {"unsigned", "host-not-vetted", "uninsured", "insurance-not-now"})
    _end_pause(placement, placement.today(now))
    emit("placement.changed", placement_id=str(placement.pk), what="resumed", because=because.strip()[:500])
    return placement


@action("suspend", on=Placement, label=_("Suspend"), allow=("coordinator@home", "self@tutor"), step=PLACEMENT_STEPS["suspend"], tone="warning")
def suspend(placement: Placement, *, by: Actor, now: datetime, because: Because) -> Placement:
    """Home stops it at once, until it lifts the suspension or ends it. Write nothing here that was told in confidence."""
    Pause.objects.create(placement=placement, kind="suspended", from_day=_next_free(placement, placement.today(now)), because=because.strip())
    emit("placement.changed", placement_id=str(placement.pk), what="suspended", because=because.strip()[:500])
    return placement


@action("lift", on=Placement, label=_("Lift the suspension"), allow=("coordinator@home", "self@tutor"), step=PLACEMENT_STEPS["lift"])
def lift(placement: Placement, *, by: Actor, now: datetime, because: str = "") -> Placement:
    """It goes on where it was: before its start, or running."""
    _end_pause(placement, placement.today(now))
    if placement.started_on:
        placement.state = PlacementState.RUNNING
    else:
        placement.state = PlacementState.READY if placement.agreement.signed_version else PlacementState.PREPARING
    placement.save()
    emit("placement.changed", placement_id=str(placement.pk), what="resumed", because=because.strip()[:500])
    return placement


@action("end_early", on=Placement, label=_("End early"), allow=ALL, step=PLACEMENT_STEPS["end_early"], tone="warning", when=lambda p: p.started_on is not None)
def end_early(placement: Placement, *, by: Actor, now: datetime, because: Because) -> Placement:
    """Any side can stop, and says why. Hours that were worked can still be written down and confirmed, and certified."""
    placement.because, placement.ended_on = because.strip(), min(placement.today(now), placement.ends_on)
    placement.ended_by = side_of(placement, by)
    _end_pause(placement, placement.today(now))
    emit("placement.changed", placement_id=str(placement.pk), what="ended", because=because.strip()[:500])
    return placement


@action("cancel", on=Placement, label=_("Give up"), allow=ALL, step=PLACEMENT_STEPS["cancel"], tone="warning")
def cancel(placement: Placement, *, by: Actor, now: datetime, because: Because) -> Placement:
    """Give it up before its first day, with the reason. Its agreement ends too, and the place goes to the next in the host's order
    unless the host itself took it back."""
    placement.because, placement.ended_by = because.strip(), side_of(placement, by)
    if placement.agreement.state != AgreementState.CANCELLED:
        cancel_agreement(placement.agreement, by=SYSTEM, now=now, because=placement.because)
    placement.state = PlacementState.CANCELLED
    placement.save()
    move_on(placement.application.vacancy, now)
    emit("placement.changed", placement_id=str(placement.pk), what="cancelled", because=because.strip()[:500])
    return placement


@action("complete", on=Placement, label=_("Complete"), allow=(*HOME, *HOST), step=PLACEMENT_STEPS["complete"], tone="primary", due=lambda placement: placement.ends_on <= placement.today(clock.now()))
def complete(placement: Placement, *, by: Actor, now: datetime) -> Placement:
    """It is over as agreed. Refused before the last day, and while hours wait for an answer."""
    logged = placement.hours.filter(state=HoursState.LOGGED).count()
    returned = placement.hours.filter(state=HoursState.RETURNED).count()
    Refused.because(why_not_complete(ends_on=placement.ends_on, on=placement.today(now), unanswered=logged, returned=returned))
    placement.ended_on = placement.ends_on
    emit("placement.changed", placement_id=str(placement.pk), what="completed", because="")
    return placement


@action("follow_mentor", on=Placement, label=_("Follow the mentor"), allow=())
def follow_mentor(placement: Placement, *, by: Actor, now: datetime, address: str) -> Placement:
    """The mentor has another mail address by now, and stays the mentor. The agreement that was signed keeps its words."""
    placement.mentor_email = address
    placement.save()
    return placement


@task()
def follow_mentors(person_id: str, before: str) -> None:
    """A mentor is known by the mail address alone: it is carried along to every placement."""
    address = Person.objects.get(pk=person_id).email
    for placement in Placement.objects.filter(mentor_email__iexact=before):
        follow_mentor(placement, by=SYSTEM, now=clock.now(), address=address)


def _insure(placement: Placement, insurer: str, policy: str, insured_from: date, insured_until: date) -> None:
    problems = []
    if not insurer.strip():
        problems.append(Reason("insurer", N_("Name the insurer."), {}, "insurer"))
    if insured_until < insured_from:
        problems.append(Reason("dates-order", N_("It ends before it starts."), {}, "insured_until"))
    if insured_from > placement.starts_on or insured_until < placement.ends_on:
        text = N_("The policy must cover every day of the placement, %(first)s to %(last)s.")
        problems.append(Reason("insurance-too-short", text, {"first": placement.starts_on, "last": placement.ends_on}, "insured_until"))
    Invalid.because(problems)
    placement.insurer, placement.policy, placement.insured_from, placement.insured_until = insurer.strip(), policy.strip(), insured_from, insured_until
    placement.save()


def _next_free(placement: Placement, today: date) -> date:
    """The first day of a pause: today, or tomorrow when hours of today are written down already."""
    return today + timedelta(days=1) if placement.hours.filter(day=today).exclude(state=HoursState.WITHDRAWN).exists() else today


def _end_pause(placement: Placement, today: date) -> None:
    for pause in placement.pauses.filter(until=None):
        pause.until = max(today, pause.from_day)
        pause.save()

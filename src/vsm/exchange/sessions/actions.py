"""What happens while a course runs: students enrolled and leaving, meetings scheduled, moved, cancelled, attendance.

Meetings that belong to something else than a course are a series (`series`, whose acts are told here too):

    series = make_series(organisation, by=by, now=now, title={"en": "Team 3"}, zone="Europe/Paris",
                         owner_noun="team", owner_id=team.pk, people=[lead(teacher), member(ana), member(ben)],
                         meetings=each_week(starts_on, ends_on, weekday=1, starts=time(14), minutes=60))
    add_participants(series, by=by, now=now, people=[member(carla)])
    remove_participants(series, by=by, now=now, people=[str(ben.pk)])
    replan(series, by=by, now=now, meetings=…); cancel_series(series, by=by, now=now, because=…)
    move(session, …), cancel(session, …), restore(session, …), take_attendance(session, …)

Participants see it (`Series` and `Session.objects.visible_to`), get an invitation that calendars read, and every change.
`queries.series_of(noun, id)` and `queries.participants_of(series)` read it.
"""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django_tasks import task
from pydantic import BaseModel

from vsm.exchange.allocation import actions as allocation
from vsm.exchange.allocation.models import Seat
from vsm.exchange.allocation.states import SeatState
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.sessions.availability import tell_availability
from vsm.exchange.sessions.clocks import follow_clock_rules
from vsm.exchange.sessions.models import Attendance, DayOff, Enrolment, Participant, Session
from vsm.exchange.sessions.planning import fit, minutes_of, tell, why_not_then
from vsm.exchange.sessions.queries import attending_at, days_off, deadlines_of, is_teaching, mark_choices, weekly_of
from vsm.exchange.sessions.rules import WALL, Clock, occurrences, resolve, why_not_drop, why_not_withdraw
from vsm.exchange.sessions.series import (
    MaterialRow,
    MeetingTime,
    ParticipantRow,
    add_participants,
    cancel_series,
    describe_series,
    each_week,
    keep_within,
    lead,
    make_series,
    member,
    prepare,
    remove_participants,
    replan,
)
from vsm.exchange.sessions.states import SESSION_STEPS, STEPS, State
from vsm.kit import audit, clock
from vsm.kit.actions import Ask, action, note
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

__all__ = [
    "MarkRow",
    "MaterialRow",
    "MeetingTime",
    "ParticipantRow",
    "add_participants",
    "cancel",
    "cancel_series",
    "complete",
    "describe_series",
    "drop",
    "each_week",
    "enrol",
    "enrol_again",
    "enrol_from",
    "follow_clock_rules",
    "keep_within",
    "lead",
    "leave_with_seat",
    "make_series",
    "member",
    "move",
    "prepare",
    "remove_participants",
    "replan",
    "restore",
    "resume",
    "schedule",
    "take_attendance",
    "tell_availability",
    "withdraw",
]

TEACHERS = ("instructor@opportunity.organisation", "coordinator@opportunity.organisation")
LEADERS = (
    "instructor@offering.opportunity.organisation", "coordinator@offering.opportunity.organisation",
    "self@series.lead_ids", "coordinator@series.organisation",
)  # fmt: skip
LEAVERS = ("self@student", "coordinator@home", "coordinator@offering.opportunity.organisation")
MOST_MEETINGS = 400


class MarkRow(BaseModel):
    """One student at one meeting (`enrolment`), or one participant of a series by the participation's number; no status: no mark."""

    enrolment: Annotated[UUID | int, Ask(_("Student"), kind="hidden")]
    student: Annotated[str, Ask(_("Student"), kind="read_only")] = ""
    status: Annotated[Literal["present", "late", "absent", "excused"] | None, Ask(_("Attendance"), choices=mark_choices)] = None


def _days_off_text(offering: Offering, _actor: Actor) -> list[str]:
    return [day.isoformat() for day in days_off(offering)]


def _mark_rows(session: Session, _actor: Actor) -> list[MarkRow]:
    return [
        MarkRow.model_validate({"enrolment": each.pk, "student": each.student.name, "status": mark or None})
        for each, mark in attending_at(session)
    ]


# Taking part ----------------------------------------------------------------------------------------------------------


@action("enrol", on=Seat, label=_("Enrol"), allow=())
def enrol(seat: Seat, *, by: Actor, now: datetime, agreement_id: UUID) -> Enrolment:
    """Enrol the student once, and schedule the course's meetings if nobody has. Doing it again changes nothing."""
    if seat.state != SeatState.ACCEPTED:
        raise Refused(Reason("seat-not-accepted", N_("Only who holds an accepted seat is enrolled; this one is “%(state)s”."), {"state": seat.state}))
    application = seat.application
    found: Enrolment | None = Enrolment.objects.filter(student=application.student_id, offering=seat.offering_id).first()
    if found is not None and (found.state != State.DROPPED or found.seat_id == seat.pk):
        return found
    if found is not None:
        enrolment = enrol_again(found, by=SYSTEM, now=now, seat_id=seat.pk, agreement_id=agreement_id)
    else:
        enrolment = Enrolment(
            student=application.student, home=application.home, offering=seat.offering, seat=seat,
            learning_agreement_id=agreement_id, enrolled_at=now,
        )  # fmt: skip
        enrolment.save()
    if not seat.offering.sessions.exists() and seat.offering.meetings.exists():
        schedule(seat.offering, by=SYSTEM, now=now)
    emit("enrolment.made", enrolment_id=str(enrolment.pk))
    return enrolment


@action("enrol_again", on=Enrolment, label=_("Enrol again"), allow=(), step=STEPS["enrol_again"])
def enrol_again(enrolment: Enrolment, *, by: Actor, now: datetime, seat_id: UUID, agreement_id: UUID) -> Enrolment:
    """The student dropped the course and got another seat in it."""
    enrolment.seat_id, enrolment.learning_agreement_id = seat_id, agreement_id
    enrolment.enrolled_at, enrolment.left_at = now, None
    return enrolment


@action("drop", on=Enrolment, label=_("Drop the course"), allow=LEAVERS, step=STEPS["drop"], tone="warning")
def drop(
    enrolment: Enrolment, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("Why? (optional)"), _("It helps both institutions to plan."), kind="long_text", limit=2000)] = "",
) -> Enrolment:  # fmt: skip
    """Leave without a trace on the transcript, until the end of the host's day for it. The seat goes to the next; letters tell teachers and offices."""
    if not by.is_system:
        Refused.because(why_not_drop(deadlines_of(enrolment), now))
    enrolment.left_at = now
    if enrolment.seat and enrolment.seat.state == SeatState.ACCEPTED:
        # The right to leave was checked above; giving the seat back only follows from it.
        allocation.withdraw(enrolment.seat, by=SYSTEM, now=now, because=because.strip() or _dropped_in(enrolment.student.language))
    emit("enrolment.left", enrolment_id=str(enrolment.pk))
    return enrolment


@action("withdraw", on=Enrolment, label=_("Withdraw from the course"), allow=LEAVERS, step=STEPS["withdraw"], tone="warning")
def withdraw(
    enrolment: Enrolment, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("Why? (optional)"), _("It helps both institutions to plan."), kind="long_text", limit=2000)] = "",
) -> Enrolment:  # fmt: skip
    """Leave after the days of dropping: the transcript shows a W. The seat is not given to anybody so late. Letters tell teachers and offices."""
    if not by.is_system:
        Refused.because(why_not_withdraw(deadlines_of(enrolment), now))
    enrolment.left_at = now
    emit("enrolment.left", enrolment_id=str(enrolment.pk))
    return enrolment


@action("complete", on=Enrolment, label=_("Complete"), allow=(), step=STEPS["complete"])
def complete(enrolment: Enrolment, *, by: Actor, now: datetime) -> Enrolment:
    """The course ended for this student with a final result."""
    return enrolment


@action("resume", on=Enrolment, label=_("Resume"), allow=(), step=STEPS["resume"])
def resume(enrolment: Enrolment, *, by: Actor, now: datetime) -> Enrolment:
    """The result was taken back: the course is not over for this student."""
    return enrolment


@task()
def enrol_from(agreement_id: str, seat_id: str) -> None:
    """On learning_agreement.course_agreed: one course that all three have signed for. May run twice."""
    seat = Seat.objects.get(pk=seat_id)
    if seat.state == SeatState.ACCEPTED:
        enrol(seat, by=SYSTEM, now=clock.now(), agreement_id=UUID(agreement_id))


@task()
def leave_with_seat(seat_id: str) -> None:
    """On seat.freed: whoever gave the seat back leaves the course too, with or without a W as the day has it."""
    enrolment = Enrolment.objects.filter(seat_id=UUID(seat_id), state=State.ENROLLED).select_related("offering", "seat").first()
    if enrolment is None:
        return
    now = clock.now()
    leave = drop if now < deadlines_of(enrolment).drop_until else withdraw
    told = audit.history([("seat", UUID(seat_id))])
    leave(enrolment, by=SYSTEM, now=now, because=told[0].because if told else "")


# Meetings -------------------------------------------------------------------------------------------------------------


@action("schedule", on=Offering, label=_("Schedule the meetings"), allow=TEACHERS)
def schedule(
    offering: Offering, *, by: Actor, now: datetime,
    days_without: Annotated[list[str], Ask(_("Days without a meeting"), _("Holidays and exam days, one a line, as 2026-12-25."), start=_days_off_text)] = [],  # noqa: B006 -- never changed; pydantic copies it
    because: str = "",
) -> Offering:  # fmt: skip
    """Make the live meetings out of the weekly ones, between the first and the last day, on the host's wall.

    Doing it again keeps every meeting's number and calendar entry; only what differs is changed and told. What was held
    stays as it was. What was moved or cancelled by hand stays so.
    """
    _require_teacher(offering, by)
    holidays = _days(days_without)
    if not by.is_system:
        _keep_days_off(offering, holidays)
    weekly = weekly_of(offering)
    if not weekly:
        raise Refused(Reason("no-meetings", N_("This course has no weekly meetings. Add them to the offering first.")))
    wanted = occurrences(weekly, offering.starts_on, offering.ends_on, offering.zone, days_off(offering))
    if len(wanted) > MOST_MEETINGS:
        text = N_("%(count)s meetings are too many (at most %(most)s). Check the dates and the weekly meetings.")
        raise Refused(Reason("too-many-meetings", text, {"count": len(wanted), "most": MOST_MEETINGS}))
    changed = fit(offering, wanted, by=by, now=now)
    told = {"meetings": [changed.before, changed.before + changed.new], "changed": ["", changed.moved], "cancelled": ["", changed.dropped]}
    clocks = [f"{each.wall:%Y-%m-%d %H:%M} {each.clock.value}" for each in wanted if each.clock != Clock.PLAIN]
    note(offering, "schedule", by=by, now=now, because=because, changes={**told, **({"clock changes": ["", clocks]} if clocks else {})})
    return offering


@action("move", on=Session, label=_("Move"), allow=LEADERS, step=SESSION_STEPS["move"])
def move(
    session: Session, *, by: Actor, now: datetime,
    day: Annotated[date, Ask(_("New day"), _("On the host's calendar."), start=lambda s, _a: s.wall.date())],
    starts: Annotated[time, Ask(_("New start"), _("In the host's time, as the course page tells it."), start=lambda s, _a: s.wall.time())],
    minutes: Annotated[int, Ask(_("Minutes"), start=lambda s, _a: minutes_of(s))] = 0,
    because: Annotated[str, Ask(_("Why? (students read this)"), kind="long_text", limit=2000)] = "",
) -> Session:  # fmt: skip
    """Hold this one meeting at another time. Calendars and students are told; the weekly plan stays."""
    _require_leader(session, by)
    wall = datetime.combine(day, starts)
    length = timedelta(minutes=minutes) if minutes else session.ends_at - session.starts_at
    at = resolve(wall, session.zone)
    Invalid.because(why_not_then(session, wall, length, now))
    session.wall_starts = wall.strftime(WALL)
    session.starts_at, session.ends_at = at.instant, at.instant + length
    tell(session)
    session.save()
    return session


@action("cancel", on=Session, label=_("Cancel"), allow=LEADERS, step=SESSION_STEPS["cancel"], tone="warning")
def cancel(
    session: Session, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("Why? (students read this)"), kind="long_text", limit=2000)],
) -> Session:  # fmt: skip
    """This meeting does not take place. It stays in the calendars, marked as cancelled."""
    _require_leader(session, by)
    tell(session)
    return session


@action("restore", on=Session, label=_("Restore"), allow=LEADERS, step=SESSION_STEPS["restore"])
def restore(session: Session, *, by: Actor, now: datetime, because: str = "") -> Session:
    """It takes place after all."""
    _require_leader(session, by)
    tell(session)
    return session


@action("take_attendance", on=Session, label=_("Take attendance"), allow=LEADERS, step=SESSION_STEPS["take_attendance"], tone="primary")
def take_attendance(
    session: Session, *, by: Actor, now: datetime,
    marks: Annotated[list[MarkRow], Ask(_("Students"), start=_mark_rows)],
    because: str = "",
) -> Session:  # fmt: skip
    """Note who was there, or correct it; every change is kept with its author. An empty mark takes one away."""
    _require_leader(session, by)
    if now < session.starts_at:
        raise Refused(Reason("too-early", N_("Attendance can be taken from the start, %(at)s."), {"at": session.starts_at}))
    expected = {each.pk: (each, mark) for each, mark in attending_at(session)}
    strangers = [row for row in marks if row.enrolment not in expected]
    Invalid.because(
        Reason("not-in-course", N_("%(student)s is not expected at this meeting."), {"student": row.student or str(row.enrolment)}, "marks")
        for row in strangers
    )
    changes = {}
    for row in marks:
        expected_one, before = expected[row.enrolment]
        if before == (row.status or ""):
            continue
        changes[expected_one.student.name] = [before, row.status or ""]
        _mark(session, expected_one, row.status, by=by, now=now)
    if changes:
        note(session, "take_attendance", by=by, now=now, because=because, changes=changes)
        session.save()  # its version guards two teachers with the same list before them
    return session


def _dropped_in(language: str) -> str:
    with translation.override(language):
        return _now("The course was dropped.")


def _require_teacher(offering: Offering, by: Actor) -> None:
    """The role of instructor is held at an institution; a course has its own instructors."""
    if not is_teaching(offering, by):
        text = N_("This belongs to the instructors of the course and to the host's coordinators. Ask one of them.")
        raise NotAllowed(Reason("not-teaching", text))


def _require_leader(session: Session, by: Actor) -> None:
    if session.offering is not None:
        _require_teacher(session.offering, by)


def _days(lines: list[str]) -> list[date]:
    days, problems = [], []
    for line in lines:
        try:
            days.append(date.fromisoformat(line.strip()))
        except ValueError:
            problems.append(Reason("bad-day", N_("“%(line)s” is not a day. Write it as 2026-12-25."), {"line": line}, "days_without"))
    Invalid.because(problems)
    return days


def _keep_days_off(offering: Offering, days: list[date]) -> None:
    DayOff.objects.filter(offering=offering).exclude(on__in=days).delete()
    DayOff.objects.bulk_create([DayOff(offering=offering, on=day) for day in sorted(set(days))], ignore_conflicts=True)


def _mark(session: Session, who: Enrolment | Participant, status: str | None, *, by: Actor, now: datetime) -> None:
    whose = {"enrolment": who} if isinstance(who, Enrolment) else {"participant": who}
    if status is None:
        Attendance.objects.filter(session=session, **whose).delete()
        return
    Attendance.objects.update_or_create(session=session, **whose, defaults={"status": status, "by_id": by.person_id, "at": now})

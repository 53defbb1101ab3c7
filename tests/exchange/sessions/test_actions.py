"""Enrolling and leaving, scheduling and moving meetings, and attendance, with every refusal."""

import itertools
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.exchange.sessions import given
from tests.exchange.sessions.given import NOW, World, actor, fresh
from vsm.app import letters
from vsm.exchange.allocation import actions as allocation
from vsm.exchange.catalogue.models import Meeting
from vsm.exchange.sessions.actions import (
    MarkRow,
    cancel,
    complete,
    drop,
    enrol,
    enrol_from,
    leave_with_seat,
    move,
    restore,
    resume,
    schedule,
    take_attendance,
    withdraw,
)
from vsm.exchange.sessions.models import Attendance, Enrolment, Session
from vsm.exchange.sessions.states import SESSION_STEPS, STEPS, SessionState, State
from vsm.kit import audit, clock, events
from vsm.kit.actions import TABLE
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Conflict, Invalid, NotAllowed, Refused
from vsm.kit.jobs import drain
from vsm.kit.models import Job, Message

pytestmark = pytest.mark.django_db

AFTER_DROP = datetime(2026, 8, 22, 4, 0, tzinfo=UTC)  # midnight after 21 August in Santiago (−4)
AFTER_WITHDRAWAL = datetime(2026, 10, 31, 3, 0, tzinfo=UTC)  # midnight after 30 October in Santiago (−3)
INSTANT = timedelta(microseconds=1)


def by(world: World, name: str) -> Actor:
    return actor(getattr(world, name))


# Taking part ----------------------------------------------------------------------------------------------------------


def test_a_signed_course_enrols_the_student_and_schedules_the_meetings(world: World) -> None:
    seat, agreement = world.seat(world.offering()), uuid4()
    enrol_from.call(agreement_id=str(agreement), seat_id=str(seat.pk))
    enrolment = Enrolment.objects.get()
    assert (enrolment.student, enrolment.home, enrolment.offering, enrolment.seat) == (world.ana, world.home, seat.offering, seat)
    assert (enrolment.learning_agreement_id, enrolment.state) == (agreement, State.ENROLLED)
    assert Session.objects.filter(offering=seat.offering).count() == 17


def test_the_same_course_signed_twice_enrols_once(world: World) -> None:
    seat = world.seat(world.offering())
    for _time in range(2):
        enrol_from.call(agreement_id=str(uuid4()), seat_id=str(seat.pk))
    assert (Enrolment.objects.count(), Session.objects.count()) == (1, 17)


def test_a_course_without_weekly_meetings_enrols_all_the_same(world: World) -> None:
    offering = world.offering()
    offering.meetings.all().delete()
    assert given.enrolled(world, offering).state == State.ENROLLED


def test_a_seat_given_back_meanwhile_enrols_nobody(world: World) -> None:
    seat = world.seat(world.offering(), state="withdrawn")
    enrol_from.call(agreement_id=str(uuid4()), seat_id=str(seat.pk))
    assert not Enrolment.objects.exists()
    with pytest.raises(Refused, match="seat-not-accepted"):
        enrol(seat, by=SYSTEM, now=NOW, agreement_id=uuid4())


def test_dropping_before_the_end_of_the_hosts_day_frees_the_seat(world: World) -> None:
    enrolment = given.enrolled(world, world.offering())
    drop(enrolment, by=by(world, "ana"), now=AFTER_DROP - INSTANT, because="Too much")
    enrolment = fresh(enrolment)
    assert (enrolment.state, enrolment.left_at, enrolment.seat.state) == (State.DROPPED, AFTER_DROP - INSTANT, "withdrawn")


def test_dropping_later_is_refused_with_the_days_and_what_can_be_done(world: World) -> None:
    enrolment = given.enrolled(world, world.offering())
    with pytest.raises(Refused) as refusal:
        drop(enrolment, by=by(world, "ana"), now=AFTER_DROP)
    reason, = refusal.value.reasons
    assert (reason.code, dict(reason.params)) == (
        "drop-day-passed", {"drop_by": date(2026, 8, 21), "zone": "America/Santiago", "withdraw_by": date(2026, 10, 30)},
    )  # fmt: skip
    assert fresh(enrolment).state == State.ENROLLED


def test_withdrawing_keeps_the_seat_and_is_recorded(world: World) -> None:
    enrolment = given.enrolled(world, world.offering())
    withdraw(enrolment, by=by(world, "ana"), now=AFTER_DROP)
    enrolment = fresh(enrolment)
    assert (enrolment.state, enrolment.left_at, enrolment.seat.state) == (State.WITHDRAWN, AFTER_DROP, "accepted")


@pytest.mark.parametrize(
    ("leave", "now", "subject", "transcript"),
    [(drop, AFTER_DROP - INSTANT, "Course dropped: ", "will not mention the course"), (withdraw, AFTER_DROP, "Withdrawn from the course: ", "will show the course with a W")],
)
def test_who_leaves_has_a_receipt_and_teacher_and_both_offices_read_why(
    world: World, letters_of_leaving: None, leave: Any, now: datetime, subject: str, transcript: str
) -> None:
    enrolment = given.enrolled(world, world.offering())
    leave(enrolment, by=by(world, "ana"), now=now, because="Too much beside my job.")
    with clock.stopped_at(now):
        drain()
    receipt = Message.objects.get(kind="enrolment_left")
    assert (receipt.to, receipt.subject[: len(subject)], transcript in receipt.body) == (world.ana.email, subject, True)
    assert ["21 Aug 2026" in receipt.body, "America/Santiago" in receipt.body, "METHOD:CANCEL" in receipt.calendar] == [True, True, True]
    office = Message.objects.filter(kind="enrolment_left_office")
    assert {each.to: each.organisation_id for each in office} == {world.teacher.email: world.host.pk, world.carlos.email: world.host.pk, world.bia.email: world.home.pk}
    assert [("Reason: Too much beside my job." in each.body, world.ana.name in each.body) for each in (receipt, *office)] == [(True, True)] * 4


def test_who_gave_the_seat_back_is_not_asked_again_why_the_course_is_left(world: World, letters_of_leaving: None) -> None:
    enrolment = given.enrolled(world, world.offering())
    assert enrolment.seat is not None
    with clock.stopped_at(NOW):
        allocation.withdraw(enrolment.seat, by=by(world, "bia"), now=NOW, because="She left the university.")
        leave_with_seat.call(seat_id=str(enrolment.seat_id))
        drain()
    assert ["Reason: She left the university." in each.body for each in Message.objects.filter(kind__startswith="enrolment_left")] == [True] * 4


@pytest.fixture
def letters_of_leaving(monkeypatch: pytest.MonkeyPatch) -> None:
    """The letters as the program subscribes them, whatever other tests did to the subscribers."""
    monkeypatch.setitem(events._SUBSCRIBERS, "enrolment.left", [letters.enrolment_left])


@pytest.mark.parametrize(("now", "code"), [(AFTER_DROP - INSTANT, "drop-instead"), (AFTER_WITHDRAWAL, "withdrawal-day-passed")])
def test_withdrawing_too_early_or_too_late_is_refused(world: World, now: datetime, code: str) -> None:
    enrolment = given.enrolled(world, world.offering())
    with pytest.raises(Refused, match=code):
        withdraw(enrolment, by=by(world, "ana"), now=now)


def test_a_seat_from_the_waiting_list_brings_back_who_dropped(world: World) -> None:
    offering = world.offering()
    enrolment = given.enrolled(world, offering)
    drop(enrolment, by=by(world, "ana"), now=NOW)
    again = given.enrolled(world, offering)
    assert (again.pk, fresh(again).state, fresh(again).left_at) == (enrolment.pk, State.ENROLLED, None)
    assert fresh(again).seat.state == "accepted"


@pytest.mark.parametrize(("now", "state"), [(AFTER_DROP - INSTANT, State.DROPPED), (AFTER_DROP, State.WITHDRAWN)])
def test_who_gives_the_seat_back_leaves_the_course_too(world: World, now: datetime, state: State) -> None:
    enrolment = given.enrolled(world, world.offering())
    seat = enrolment.seat
    assert seat is not None
    seat.state = "withdrawn"
    seat.save()
    with clock.stopped_at(now):
        leave_with_seat.call(seat_id=str(seat.pk))
        leave_with_seat.call(seat_id=str(seat.pk))
    assert fresh(enrolment).state == state


def test_completing_and_taking_a_result_back(world: World) -> None:
    enrolment = given.enrolled(world, world.offering())
    complete(enrolment, by=SYSTEM, now=NOW)
    assert fresh(enrolment).state == State.COMPLETED
    resume(enrolment, by=SYSTEM, now=NOW)
    assert fresh(enrolment).state == State.ENROLLED


@pytest.mark.parametrize(("verb", "state"), list(itertools.product(STEPS, State)))
def test_each_verb_of_an_enrolment_is_refused_outside_its_states(world: World, verb: str, state: State) -> None:
    enrolment = given.enrolled(world, world.offering())
    Enrolment.objects.filter(pk=enrolment.pk).update(state=state)
    inputs = {"enrol_again": {"seat_id": enrolment.seat_id, "agreement_id": uuid4()}}.get(verb, {})
    is_possible = state in STEPS[verb].before
    if not is_possible:
        with pytest.raises(Refused, match=r"^state:"):
            TABLE["enrolment", verb].perform(enrolment, by=SYSTEM, now=NOW, **inputs)
        return
    TABLE["enrolment", verb].perform(enrolment, by=SYSTEM, now=NOW, **inputs)
    assert fresh(enrolment).state == STEPS[verb].after


@pytest.mark.parametrize(("verb", "name"), list(itertools.product(STEPS, ("ana", "bia", "carlos", "dora", "teacher"))))
def test_leaving_belongs_to_the_student_and_both_offices(world: World, verb: str, name: str) -> None:
    enrolment = given.enrolled(world, world.offering())
    may = {"ana", "bia", "carlos"} if verb in {"drop", "withdraw"} else set()
    assert TABLE["enrolment", verb].permits(enrolment, by(world, name)) == (name in may)
    if name not in may:
        with pytest.raises(NotAllowed):
            TABLE["enrolment", verb].perform(enrolment, by=by(world, name), now=NOW)


# Scheduling -----------------------------------------------------------------------------------------------------------


def test_meetings_are_numbered_and_keep_the_hosts_wall_time_through_the_clock_change(world: World) -> None:
    sessions = given.scheduled(world, world.offering())
    assert [s.number for s in sessions] == list(range(1, 18))
    assert {s.wall_starts[-5:] for s in sessions} == {"18:00"}
    # Santiago goes from −4 to −3 on 6 September.
    assert [s.starts_at.hour for s in sessions[:5]] == [22, 22, 22, 22, 21]
    assert {s.ends_at - s.starts_at for s in sessions} == {timedelta(minutes=90)}
    assert {s.sequence for s in sessions} == {0}


def test_scheduling_again_changes_nothing(world: World) -> None:
    offering = world.offering()
    before = given.scheduled(world, offering)
    after = given.scheduled(world, offering)
    assert [(s.pk, s.number, s.sequence, s.version) for s in after] == [(s.pk, s.number, s.sequence, s.version) for s in before]


def test_another_hour_raises_the_sequence_of_what_moved_and_keeps_numbers_and_ids(world: World) -> None:
    offering = world.offering()
    Meeting.objects.create(offering=offering, weekday=3, starts=time(9), ends=time(10))
    before = given.scheduled(world, offering)
    offering.meetings.filter(weekday=1).update(weekday=2, starts=time(17), ends=time(18))
    after = given.scheduled(world, offering)
    assert [(s.pk, s.number) for s in after] == [(s.pk, s.number) for s in before]
    assert {(s.wall.weekday(), s.sequence) for s in after} == {(2, 1), (3, 0)}


def test_a_holiday_cancels_its_meeting_and_taking_it_off_the_list_brings_it_back(world: World) -> None:
    offering = world.offering()
    given.scheduled(world, offering)
    third = given.scheduled(world, offering, ["2026-08-25"])[2]
    assert (third.wall_starts, third.state, third.sequence) == ("2026-08-25T18:00", SessionState.CANCELLED, 1)
    third = given.scheduled(world, offering)[2]
    assert (third.state, third.sequence) == (SessionState.SCHEDULED, 2)


def test_days_off_are_kept_for_the_next_time(world: World) -> None:
    offering = world.offering()
    given.scheduled(world, offering, ["2026-09-15", "2026-08-25"])
    start = TABLE["offering", "schedule"].asks["days_without"].start
    assert start is not None
    assert start(offering, SYSTEM) == ["2026-08-25", "2026-09-15"]
    schedule(offering, by=SYSTEM, now=NOW)
    assert offering.sessions.count() == 15


def test_a_day_that_is_none_is_refused_with_every_line(world: World) -> None:
    with pytest.raises(Invalid) as refusal:
        given.scheduled(world, world.offering(), ["25/12/2026", "2026-08-25", "2026-13-01"])
    assert [r.params["line"] for r in refusal.value.reasons] == ["25/12/2026", "2026-13-01"]


def test_what_was_moved_or_cancelled_by_hand_stays_so(world: World) -> None:
    offering = world.offering()
    first, second, *_rest = given.scheduled(world, offering)
    move(first, by=by(world, "teacher"), now=NOW, day=date(2026, 8, 12), starts=time(10))
    cancel(second, by=by(world, "teacher"), now=NOW, because="Strike")
    given.scheduled(world, offering)
    assert (fresh(first).wall_starts, fresh(first).sequence) == ("2026-08-12T10:00", 1)
    assert (fresh(second).state, fresh(second).sequence) == (SessionState.CANCELLED, 1)


def test_what_was_held_stays_as_it_was(world: World) -> None:
    offering = world.offering()
    given.scheduled(world, offering)
    offering.meetings.update(starts=time(8), ends=time(9))
    after = given.scheduled(world, offering, now=datetime(2026, 8, 20, tzinfo=UTC))
    assert [s.wall_starts for s in after[:3]] == ["2026-08-11T18:00", "2026-08-18T18:00", "2026-08-25T08:00"]
    assert len(after) == 17


def test_new_clock_rules_move_the_instant_and_not_the_wall(world: World) -> None:
    offering = world.offering()
    first = given.scheduled(world, offering)[0]
    # As if the zone had had another offset when this was scheduled.
    Session.objects.filter(pk=first.pk).update(starts_at=first.starts_at - timedelta(hours=1), ends_at=first.ends_at - timedelta(hours=1))
    given.scheduled(world, offering)
    assert (fresh(first).starts_at, fresh(first).wall_starts, fresh(first).sequence) == (first.starts_at, "2026-08-11T18:00", 1)


def test_an_hour_that_the_clock_skips_is_named_in_the_report(world: World) -> None:
    offering = world.offering()
    offering.meetings.update(weekday=6, starts=time(0, 30), ends=time(1, 30))
    given.scheduled(world, offering)
    told = next(entry for entry in audit.history([("offering", offering.pk)]) if "clock changes" in entry.changes)
    assert told.changes["clock changes"] == ["", ["2026-09-06 00:30 skipped"]]


def test_only_what_changed_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    offering = world.offering()
    monkeypatch.setattr(events, "_SUBSCRIBERS", defaultdict(list))
    events.subscribe("session.changed", enrol_from)
    given.scheduled(world, offering)
    assert Job.objects.count() == 0
    given.scheduled(world, offering, ["2026-08-25"])
    assert [job.arguments["kwargs"] for job in Job.objects.all()] == [{"session_id": str(offering.sessions.get(number=3).pk)}]


def test_nothing_can_be_scheduled_without_weekly_meetings_or_without_end(world: World) -> None:
    offering = world.offering()
    offering.meetings.all().delete()
    with pytest.raises(Refused, match="no-meetings"):
        given.scheduled(world, offering)
    endless = world.offering(ends_on=date(2036, 1, 1))
    with pytest.raises(Refused, match="too-many-meetings"):
        given.scheduled(world, endless)


@pytest.mark.parametrize(("name", "may"), [("teacher", True), ("carlos", True), ("ana", False), ("bia", False), ("dora", False)])
def test_scheduling_belongs_to_the_courses_teachers_and_the_hosts_office(world: World, name: str, may: bool) -> None:
    offering = world.offering()
    if may:
        schedule(offering, by=by(world, name), now=NOW)
        return
    with pytest.raises(NotAllowed):
        schedule(offering, by=by(world, name), now=NOW)


def test_an_instructor_of_another_course_of_the_house_is_no_teacher_of_this_one(world: World) -> None:
    colleague = given.person("Colleague")
    given.give_role(colleague, world.host, "instructor")
    with pytest.raises(NotAllowed, match="not-teaching"):
        schedule(world.offering(), by=actor(colleague), now=NOW)


# One meeting ----------------------------------------------------------------------------------------------------------


def test_moving_keeps_the_length_and_tells_the_calendars(world: World) -> None:
    session = given.scheduled(world, world.offering())[4]
    move(session, by=by(world, "teacher"), now=NOW, day=date(2026, 9, 9), starts=time(9, 15))
    session = fresh(session)
    assert (session.starts_at, session.ends_at) == (datetime(2026, 9, 9, 12, 15, tzinfo=UTC), datetime(2026, 9, 9, 13, 45, tzinfo=UTC))
    assert (session.number, session.sequence, session.planned) == (5, 1, "2026-09-08T18:00")


def test_an_unusable_move_is_refused_with_everything_at_once(world: World) -> None:
    offering = world.offering()
    session = given.scheduled(world, offering)[2]
    later = datetime(2026, 8, 20, tzinfo=UTC)
    with pytest.raises(Invalid) as refusal:
        move(session, by=by(world, "teacher"), now=later, day=date(2026, 8, 9), starts=time(9), minutes=800)
    assert [r.code for r in refusal.value.reasons] == ["outside-course", "in-the-past", "length"]
    with pytest.raises(Invalid) as refusal:
        move(session, by=by(world, "teacher"), now=later, day=date(2026, 9, 6), starts=time(0, 30))
    assert [r.code for r in refusal.value.reasons] == ["no-such-hour"]
    with pytest.raises(Invalid) as refusal:
        move(session, by=by(world, "teacher"), now=later, day=date(2026, 9, 1), starts=time(18, 30))
    assert [(r.code, r.params["number"]) for r in refusal.value.reasons] == [("overlap", 4)]


def test_cancelling_needs_a_reason_and_restoring_brings_it_back(world: World) -> None:
    session = given.scheduled(world, world.offering())[0]
    with pytest.raises(Invalid, match="because"):
        cancel(session, by=by(world, "teacher"), now=NOW, because="")
    cancel(session, by=by(world, "teacher"), now=NOW, because="Strike")
    assert (fresh(session).state, fresh(session).sequence) == (SessionState.CANCELLED, 1)
    restore(session, by=by(world, "carlos"), now=NOW)
    assert (fresh(session).state, fresh(session).sequence) == (SessionState.SCHEDULED, 2)


SESSION_INPUTS: dict[str, dict[str, Any]] = {
    "move": {"day": date(2026, 8, 13), "starts": time(9)}, "cancel": {"because": "x"}, "restore": {}, "take_attendance": {"marks": []}, "prepare": {},
}  # fmt: skip


@pytest.mark.parametrize(("verb", "state"), list(itertools.product(SESSION_STEPS, SessionState)))
def test_each_verb_of_a_meeting_is_refused_outside_its_states(world: World, verb: str, state: SessionState) -> None:
    session = given.scheduled(world, world.offering())[0]
    Session.objects.filter(pk=session.pk).update(state=state)
    is_possible = state in SESSION_STEPS[verb].before
    now = session.starts_at if verb == "take_attendance" else NOW
    if not is_possible:
        with pytest.raises(Refused, match=r"^state:"):
            TABLE["session", verb].perform(session, by=by(world, "teacher"), now=now, **SESSION_INPUTS[verb])
        return
    TABLE["session", verb].perform(session, by=by(world, "teacher"), now=now, **SESSION_INPUTS[verb])
    assert fresh(session).state == (SESSION_STEPS[verb].after or state)


@pytest.mark.parametrize(("verb", "name"), list(itertools.product(SESSION_STEPS, ("ana", "bia", "dora"))))
def test_meetings_are_led_by_the_hosts_people_only(world: World, verb: str, name: str) -> None:
    offering = world.offering()
    given.enrolled(world, offering)
    session = offering.sessions.first()
    assert session is not None
    with pytest.raises(NotAllowed):
        TABLE["session", verb].perform(session, by=by(world, name), now=NOW, **SESSION_INPUTS[verb])


# Attendance -----------------------------------------------------------------------------------------------------------


def test_attendance_is_taken_as_one_table_and_corrected_with_its_history(world: World) -> None:
    offering = world.offering()
    ana, ben = given.enrolled(world, offering), given.enrolled(world, offering, given.student(world, "Ben", "Asia/Manila"))
    session = offering.sessions.get(number=1)
    start = TABLE["session", "take_attendance"].asks["marks"].start
    assert start is not None
    assert [(row.enrolment, row.student, row.status) for row in start(session, SYSTEM)] == [(ana.pk, "Ana", None), (ben.pk, "Ben", None)]
    take_attendance(session, by=by(world, "teacher"), now=session.starts_at, marks=[MarkRow(enrolment=ana.pk, status="present"), MarkRow(enrolment=ben.pk, status="absent")])
    assert [(row.student, row.status) for row in start(session, SYSTEM)] == [("Ana", "present"), ("Ben", "absent")]
    take_attendance(session, by=by(world, "carlos"), now=session.ends_at, marks=[MarkRow(enrolment=ana.pk), MarkRow(enrolment=ben.pk, status="late")], because="Bad connection")
    assert list(Attendance.objects.values_list("enrolment", "status", "by")) == [(ben.pk, "late", world.carlos.pk)]
    told = [entry for entry in audit.history([("session", session.pk)]) if entry.changes]
    assert (told[0].who, told[0].because, told[0].changes) == ("Carlos", "Bad connection", {"Ana": ["present", ""], "Ben": ["absent", "late"]})


def test_attendance_waits_for_the_meeting_to_start(world: World) -> None:
    session = given.scheduled(world, world.offering())[0]
    with pytest.raises(Refused, match="too-early"):
        take_attendance(session, by=by(world, "teacher"), now=session.starts_at - INSTANT, marks=[])


def test_strangers_and_those_who_left_are_not_marked(world: World) -> None:
    offering, other = world.offering(), world.offering("Algebra")
    gone, elsewhere = given.enrolled(world, offering), given.enrolled(world, other, given.student(world, "Ben", "Asia/Manila"))
    withdraw(gone, by=by(world, "ana"), now=AFTER_DROP)
    session = offering.sessions.get(number=5)
    with pytest.raises(Invalid) as refusal:
        take_attendance(session, by=by(world, "teacher"), now=session.starts_at, marks=[MarkRow(enrolment=e.pk, status="present") for e in (gone, elsewhere)])
    assert [r.code for r in refusal.value.reasons] == ["not-in-course"] * 2
    assert not Attendance.objects.exists()


def test_who_left_after_a_meeting_can_still_be_marked_for_it(world: World) -> None:
    offering = world.offering()
    enrolment = given.enrolled(world, offering)
    withdraw(enrolment, by=by(world, "ana"), now=AFTER_DROP)
    session = offering.sessions.get(number=1)
    take_attendance(session, by=by(world, "teacher"), now=AFTER_DROP, marks=[MarkRow(enrolment=enrolment.pk, status="present")])
    assert Attendance.objects.get().status == "present"


def test_two_teachers_with_the_same_list_do_not_overwrite_each_other(world: World) -> None:
    offering = world.offering()
    enrolment = given.enrolled(world, offering)
    session = offering.sessions.get(number=1)
    seen = session.version
    marks = [MarkRow(enrolment=enrolment.pk, status="present")]
    take_attendance(session, by=by(world, "teacher").delivering(expected=seen), now=session.starts_at, marks=marks)
    with pytest.raises(Conflict):
        take_attendance(session, by=by(world, "carlos").delivering(expected=seen), now=session.starts_at, marks=[MarkRow(enrolment=enrolment.pk, status="absent")])
    assert Attendance.objects.get().status == "present"


def test_the_same_delivery_twice_takes_attendance_once(world: World) -> None:
    offering = world.offering()
    enrolment = given.enrolled(world, offering)
    session = offering.sessions.get(number=1)
    delivery = by(world, "teacher").delivering(key="k")
    for _time in range(2):
        take_attendance(session, by=delivery, now=session.starts_at, marks=[MarkRow(enrolment=enrolment.pk, status="present")])
    assert fresh(session).version == session.version + 1

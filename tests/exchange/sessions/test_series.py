"""Meetings of anything that is no course: who may make them, what is refused, who sees them, what calendars are told."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import icalendar
import pytest
from django.utils import translation

from tests.exchange.sessions import given
from tests.exchange.sessions.given import NOW, World, actor, fresh, person
from vsm.app import letters
from vsm.exchange.people.models import Person
from vsm.exchange.sessions.actions import (
    MarkRow,
    MaterialRow,
    MeetingTime,
    ParticipantRow,
    add_participants,
    cancel,
    cancel_series,
    each_week,
    lead,
    make_series,
    member,
    move,
    prepare,
    remove_participants,
    replan,
    take_attendance,
)
from vsm.exchange.sessions.models import Series, Session
from vsm.exchange.sessions.queries import attending_at, participants_of, series_of, sessions_of
from vsm.exchange.sessions.states import SERIES_STEPS, SeriesState
from vsm.kit import clock, events
from vsm.kit.actions import TABLE
from vsm.kit.actors import SYSTEM
from vsm.kit.errors import Invalid, NotAllowed, NotFound, Refused
from vsm.kit.jobs import drain
from vsm.kit.models import Message
from vsm.kit.outbox import deliver
from vsm.kit.saying import say_reason

pytestmark = pytest.mark.django_db

TUESDAYS = each_week(date(2026, 8, 11), date(2026, 9, 15), weekday=1, starts=time(14), minutes=60)


@pytest.fixture(autouse=True)
def _letters(monkeypatch: pytest.MonkeyPatch) -> None:
    """The letters as the program subscribes them, whatever other tests did to the subscribers."""
    for topic, task in (("series.joined", letters.series_joined), ("series.left", letters.series_left), ("series.changed", letters.series_changed), ("session.changed", letters.session_changed)):
        monkeypatch.setitem(events._SUBSCRIBERS, topic, [task])


def team(world: World, *people: Person, meetings: list[MeetingTime] = TUESDAYS, **facts: Any) -> Series:
    return make_series(
        world.host, by=SYSTEM, now=NOW, title={"en": "Team 3", "es": "Equipo 3"}, meetings=meetings,
        people=[lead(world.teacher), *map(member, people or (world.ana,))],
        **{"zone": "Europe/Paris", "owner_noun": "team", "owner_id": uuid4(), **facts},
    )  # fmt: skip


def calendars(kind: str) -> list[Any]:
    with clock.stopped_at(NOW):
        drain()
    return [icalendar.Calendar.from_ical(m.calendar) for m in Message.objects.filter(kind=kind).order_by("to")]


def test_meetings_stand_on_the_wall_of_their_zone_and_belong_to_their_owner(world: World) -> None:
    series = team(world)
    assert [s.starts_at for s in series.sessions.order_by("number")] == [datetime(2026, 8, 11, 12, tzinfo=UTC) + timedelta(weeks=week) for week in range(6)]
    assert list(series_of(series.owner_noun, series.owner_id)) == [series]  # type: ignore[arg-type]  # -- it has an owner
    assert [(each.person.name, each.part) for each in participants_of(series)] == [("Tomás", "lead"), ("Ana", "member")]


def test_who_takes_part_and_the_office_see_it_and_nobody_else(world: World) -> None:
    series = team(world)
    session = series.sessions.first()
    assert session is not None
    for who in (world.ana, world.teacher, world.carlos):
        assert list(Series.objects.visible_to(actor(who))) == [series]
        assert Session.objects.visible_to(actor(who)).count() == 6
    for who in (world.dora, world.bia):
        with pytest.raises(NotFound):
            Series.objects.seen_by(actor(who), series.pk)
        with pytest.raises(NotFound):
            Session.objects.seen_by(actor(who), session.pk)


def test_meetings_of_a_series_stand_in_the_timetable_among_those_of_courses(world: World) -> None:
    given.enrolled(world, world.offering())
    team(world)
    assert (sessions_of(world.ana.pk).count(), sessions_of(world.dora.pk).count()) == (17 + 6, 0)


def test_each_gets_one_invitation_to_all_meetings(world: World) -> None:
    team(world)
    invitations = calendars("series_joined")
    assert [str(c["METHOD"]) for c in invitations] == ["REQUEST", "REQUEST"]
    (event,) = invitations[0].walk("VEVENT")
    assert (dict(event["RRULE"]), event["ATTENDEE"]) == ({"FREQ": ["WEEKLY"], "COUNT": [6]}, f"mailto:{world.ana.email}")


def test_an_invitation_leaves_as_a_calendar_part_with_its_method(world: World, mailoutbox: list[Any]) -> None:
    team(world)
    calendars("series_joined")
    letter = Message.objects.get(kind="series_joined", person_id=world.ana.pk)
    mailoutbox.clear()
    Message.objects.filter(pk=letter.pk).update(state="waiting")
    deliver.call(message_id=str(letter.pk))
    parts = list(mailoutbox[0].message().walk())
    assert [part.get_content_type() for part in parts] == ["multipart/alternative", "text/plain", "text/calendar"]
    assert parts[2].get_param("method") == "REQUEST"


def test_a_moved_meeting_is_told_as_one_instance_of_the_same_event(world: World) -> None:
    series = team(world)
    (first, *_others) = series.sessions.order_by("number")
    invited = calendars("series_joined")[1]
    move(first, by=actor(world.teacher), now=NOW, day=date(2026, 8, 12), starts=time(9, 30))
    changed = calendars("session_changed")[1]
    (event,) = changed.walk("VEVENT")
    assert (str(changed["METHOD"]), event["UID"]) == ("REQUEST", invited.walk("VEVENT")[0]["UID"])
    assert (event["RECURRENCE-ID"].dt.astimezone(UTC), event["DTSTART"].dt.astimezone(UTC)) == (
        datetime(2026, 8, 11, 12, tzinfo=UTC), datetime(2026, 8, 12, 7, 30, tzinfo=UTC),
    )  # fmt: skip
    assert event["SEQUENCE"] > invited.walk("VEVENT")[0]["SEQUENCE"]


def test_a_cancelled_meeting_is_told_as_cancelled(world: World) -> None:
    series = team(world)
    cancel(series.sessions.order_by("number")[2], by=actor(world.carlos), now=NOW, because="Holiday")
    (event,) = calendars("session_changed")[1].walk("VEVENT")
    assert (str(event["STATUS"]), event["RECURRENCE-ID"].dt.astimezone(UTC)) == ("CANCELLED", datetime(2026, 8, 25, 12, tzinfo=UTC))


def test_planning_anew_tells_each_once_and_raises_the_number(world: World) -> None:
    series = team(world)
    before = calendars("series_joined")[1].walk("VEVENT")[0]["SEQUENCE"]
    later = [row.model_copy(update={"starts": time(15)}) for row in TUESDAYS]
    replan(series, by=actor(world.teacher), now=NOW, meetings=later)
    changed = calendars("series_changed")
    assert (len(changed), changed[1].walk("VEVENT")[0]["SEQUENCE"] > before) == (2, True)
    assert [s.number for s in series.sessions.order_by("starts_at")] == [1, 2, 3, 4, 5, 6]


def test_planning_the_same_again_tells_nobody(world: World) -> None:
    series = team(world)
    replan(series, by=actor(world.teacher), now=NOW, meetings=TUESDAYS)
    assert calendars("series_changed") == []


def test_who_leaves_no_longer_sees_it_and_the_calendar_lets_go(world: World) -> None:
    series = team(world)
    remove_participants(series, by=actor(world.teacher), now=NOW, people=[str(world.ana.pk)])
    (gone,) = calendars("series_left")
    assert (str(gone["METHOD"]), str(gone.walk("VEVENT")[0]["STATUS"])) == ("CANCEL", "CANCELLED")
    assert (sessions_of(world.ana.pk).count(), list(Series.objects.visible_to(actor(world.ana)))) == (0, [])


def test_who_comes_back_is_invited_again_and_who_is_there_is_not(world: World) -> None:
    series = team(world)
    remove_participants(series, by=actor(world.teacher), now=NOW, people=[str(world.ana.pk)])
    add_participants(series, by=actor(world.teacher), now=NOW, people=[member(world.ana), lead(world.teacher)])
    assert len(calendars("series_joined")) == 3
    assert {each.person for each in participants_of(series)} == {world.ana, world.teacher}


def test_cancelling_everything_is_told_once_to_each(world: World) -> None:
    series = team(world)
    cancel_series(series, by=actor(world.teacher), now=NOW, because="The course ended")
    assert [str(c["METHOD"]) for c in calendars("series_changed")] == ["CANCEL", "CANCEL"]
    assert (fresh(series).state, set(series.sessions.values_list("state", flat=True))) == ("cancelled", {"cancelled"})


def test_only_a_lead_or_the_office_may_change_it(world: World) -> None:
    series = team(world)
    for who in (world.ana, world.dora, world.bia):
        with pytest.raises(NotAllowed):
            cancel_series(series, by=actor(who), now=NOW, because="x")
        with pytest.raises(NotAllowed):
            move(series.sessions.order_by("number")[0], by=actor(who), now=NOW, day=date(2026, 8, 12), starts=time(9))


def test_strangers_cannot_be_invited_by_guessing_their_address(world: World) -> None:
    series = team(world)
    with pytest.raises(Invalid) as refusal:
        add_participants(series, by=actor(world.teacher), now=NOW, people=[ParticipantRow(person=world.dora.email), ParticipantRow(person="nobody@x.example")])
    assert [(r.code, r.params["person"]) for r in refusal.value.reasons] == [("stranger", world.dora.email), ("stranger", "nobody@x.example")]


def test_a_teacher_may_invite_the_students_of_the_course_by_address(world: World) -> None:
    given.enrolled(world, world.offering())
    series = team(world, person("Ben"))
    add_participants(series, by=actor(world.teacher), now=NOW, people=[ParticipantRow(person=world.ana.email.upper())])
    assert world.ana in {each.person for each in participants_of(series)}


def test_every_problem_of_a_plan_is_told_at_once(world: World) -> None:
    meetings = [
        MeetingTime(day=date(2026, 9, 6), starts=time(0, 30)), MeetingTime(day=date(2026, 9, 8), starts=time(10), minutes=90),
        MeetingTime(day=date(2026, 9, 8), starts=time(11)), MeetingTime(day=date(2026, 12, 1), starts=time(11), minutes=2),
    ]  # fmt: skip
    with pytest.raises(Invalid) as refusal:
        make_series(
            world.host, by=SYSTEM, now=NOW, title={"en": " "}, zone="America/Santiago", meetings=meetings, people=[lead(world.teacher)],
            starts_on=date(2026, 9, 1), ends_on=date(2026, 9, 30), join_url="javascript:alert(1)",
        )  # fmt: skip
    assert [reason.code for reason in refusal.value.reasons] == ["title", "outside-series", "length", "no-such-hour", "overlap", "address"]


def test_meetings_that_overlap_are_told_as_days_are_written_and_who_plans_them_leads(world: World) -> None:
    meetings = [MeetingTime(day=date(2026, 9, 8), starts=time(10), minutes=90), MeetingTime(day=date(2026, 9, 8), starts=time(11))]
    with pytest.raises(Invalid) as refusal, translation.override("es"):
        make_series(world.host, by=SYSTEM, now=NOW, title={"es": "Taller"}, zone="America/Santiago", meetings=meetings, people=[lead(world.teacher)])
    with translation.override("es"):
        assert [say_reason(each) for each in refusal.value.reasons] == ["Dos sesiones se superponen: el 8 de septiembre de 2026 a las 10:00 y el 8 de septiembre de 2026 a las 11:00."]
    start = TABLE["organisation", "make_series"].asks["people"].start
    assert start
    assert start(world.host, actor(world.teacher)) == [ParticipantRow(person=world.teacher.email, part="lead")]


@pytest.mark.parametrize(("zone", "near"), [("America/Limma", "America/Lima"), ("Mars/Olympus", None)])
def test_a_zone_that_does_not_exist_is_refused_with_the_nearest_names(world: World, zone: str, near: str | None) -> None:
    with pytest.raises(Invalid) as refusal:
        team(world, zone=zone)
    (reason,) = refusal.value.reasons
    assert (reason.code, reason.params.get("near", "").split(", ")[0] or None) == ("no-such-zone", near)  # type: ignore[attr-defined]  # -- text


@pytest.mark.parametrize(("old", "new"), [("Europe/Kiev", "Europe/Kyiv"), ("US/Pacific-New", "America/Los_Angeles"), ("Asia/Rangoon", "Asia/Yangon")])
def test_a_renamed_zone_is_taken_by_its_present_name(world: World, old: str, new: str) -> None:
    assert team(world, zone=old).zone == new


def test_an_hour_that_occurs_twice_is_no_obstacle_and_the_first_is_meant(world: World) -> None:
    series = team(world, zone="Europe/Madrid", meetings=[MeetingTime(day=date(2026, 10, 25), starts=time(2, 30))])
    assert series.sessions.get().starts_at == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_attendance_of_participants_is_taken_like_that_of_students(world: World) -> None:
    series = team(world)
    session = series.sessions.order_by("number")[0]
    rows = [MarkRow(enrolment=each.pk, status="present" if each.student == world.ana else None) for each, _mark in attending_at(session)]
    take_attendance(session, by=actor(world.teacher), now=session.starts_at, marks=rows)
    assert [(each.student.name, mark) for each, mark in attending_at(session)] == [("Ana", "present"), ("Tomás", "")]
    with pytest.raises(Invalid, match="not-in-course"):
        take_attendance(fresh(session), by=actor(world.teacher), now=session.starts_at, marks=[MarkRow(enrolment=0, status="late")])


def test_an_agenda_and_what_to_read_are_written_with_sizes(world: World) -> None:
    session = team(world).sessions.order_by("number")[0]
    prepare(session, by=actor(world.teacher), now=NOW, agenda="1. Hello\n2. Task", materials=[MaterialRow(title="Reader", url="https://x.example/r.pdf", kilobytes=420)])
    assert (fresh(session).agenda, fresh(session).materials) == ("1. Hello\n2. Task", [{"title": "Reader", "url": "https://x.example/r.pdf", "kilobytes": 420}])


INPUTS: dict[str, dict[str, Any]] = {
    "describe": {"title": {"en": "x"}}, "add_participants": {"people": []}, "remove_participants": {"people": []},
    "replan": {"meetings": TUESDAYS}, "cancel_series": {"because": "x"}, "keep_within": {"first": NOW.date(), "last": NOW.date()},
}  # fmt: skip


@pytest.mark.parametrize(("verb", "state"), list(itertools.product(SERIES_STEPS, SeriesState)))
def test_each_verb_of_a_series_is_refused_outside_its_states(world: World, verb: str, state: SeriesState) -> None:
    series = team(world)
    Series.objects.filter(pk=series.pk).update(state=state)
    act = TABLE["series", verb]
    by = actor(world.teacher) if act.allow else SYSTEM
    if state not in SERIES_STEPS[verb].before:
        with pytest.raises(Refused, match=r"^state:"):
            act.perform(series, by=by, now=NOW, **INPUTS[verb])
        return
    act.perform(series, by=by, now=NOW, **INPUTS[verb])
    assert fresh(series).state == (SERIES_STEPS[verb].after or state)

"""Timetable, calendar feed, teaching pages: the right hours in the right zone, for the right people."""

import csv
import io
from datetime import UTC, date, datetime, time, timedelta

import icalendar
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.exchange.sessions import given
from tests.exchange.sessions.given import NOW, World, actor, fresh
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.people.actions import make_token, revoke_token
from vsm.exchange.people.models import Person
from vsm.exchange.sessions.actions import MarkRow, cancel, drop, move, take_attendance
from vsm.exchange.sessions.models import Session
from vsm.exchange.sessions.queries import events_of
from vsm.kit import clock

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]

MONDAY = datetime(2026, 9, 7, 14, 0, tzinfo=UTC)


def browser(who: Person) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(who)
    return client


def get(who: Person, url: str, now: datetime = MONDAY) -> str:
    with clock.stopped_at(now):
        answer = browser(who).get(url)
    assert answer.status_code == 200, url
    return answer.content.decode()


def calendar_of(who: Person, now: datetime = NOW) -> tuple[str, icalendar.Calendar]:
    token = make_token(who, by=actor(who), now=now, label="phone", purpose="calendar")
    url = f"/calendar/{token.secret}.ics"
    with clock.stopped_at(now):
        answer = Client().get(url)
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    return url, icalendar.Calendar.from_ical(answer.content)


# Timetable ------------------------------------------------------------------------------------------------------------


def test_times_are_told_in_the_readers_zone_with_the_hosts_wall_beside(world: World) -> None:
    given.enrolled(world, world.offering())
    shown = get(world.ana, "/timetable/?week=2026-W37")
    assert "America/Lima" in shown
    assert ">16:00</time>–" in shown
    assert "18:00–19:30 (America/Santiago)" in shown


def test_a_meeting_on_another_date_and_in_the_night_carries_plain_warnings(world: World) -> None:
    manila = given.student(world, "Ben", "Asia/Manila")
    given.enrolled(world, world.offering(), manila)
    shown = get(manila, "/timetable/?week=2026-W37")
    assert "Tuesday at the host, Wednesday for you." in shown
    assert "Outside 06:00–23:00 where you are" in shown
    assert ">05:00</time>–" in shown


def test_a_meeting_that_falls_into_the_next_week_for_the_reader_stands_there(world: World) -> None:
    manila = given.student(world, "Ben", "Asia/Manila")
    offering = world.offering()
    offering.meetings.update(weekday=6, starts=time(18), ends=time(19))
    given.enrolled(world, offering, manila)
    assert "Sunday at the host, Monday for you." in get(manila, "/timetable/?week=2026-W38")
    assert "No meetings in this week." not in get(manila, "/timetable/?week=2026-W37")


def test_an_hour_that_the_clock_skips_is_named(world: World) -> None:
    offering = world.offering()
    offering.meetings.update(weekday=6, starts=time(0, 30), ends=time(1, 30))
    given.enrolled(world, offering)
    assert "00:30 does not exist in America/Santiago" in get(world.ana, "/timetable/?week=2026-W36")


def test_what_is_on_now_stands_on_top_with_the_way_in(world: World) -> None:
    given.enrolled(world, world.offering())
    before = get(world.ana, "/timetable/", datetime(2026, 9, 8, 20, 44, tzinfo=UTC))
    assert "https://meet.example/room" not in before
    during = get(world.ana, "/timetable/", datetime(2026, 9, 8, 21, 10, tzinfo=UTC))
    assert "<h2>Now</h2>" in during
    assert "https://meet.example/room" in during


def test_all_my_courses_are_merged_and_no_foreign_ones(world: World) -> None:
    for title in ("Statistics", "Algebra"):
        given.enrolled(world, world.offering(title))
    given.scheduled(world, world.offering("Foreign"))
    shown = get(world.ana, "/timetable/?view=table")
    assert "Statistics · 1" in shown
    assert "Algebra · 1" in shown
    assert "Foreign" not in shown


def test_a_dropped_course_is_gone_from_timetable_and_feed(world: World) -> None:
    enrolment = given.enrolled(world, world.offering())
    drop(enrolment, by=actor(world.ana), now=NOW)
    assert "Statistics" not in get(world.ana, "/timetable/?view=table")
    assert calendar_of(world.ana)[1].walk("VEVENT") == []


def test_a_course_in_ones_own_time_stands_below_the_meetings_while_it_runs(world: World) -> None:
    """It has no meeting that would tell of it."""
    offering = world.offering()
    enrolment = given.enrolled(world, offering)
    Session.objects.all().delete()
    assert "In your own time" not in get(world.ana, "/timetable/")
    Offering.objects.filter(pk=offering.pk).update(mode="asynchronous")
    assert f'<a href="/enrolments/{enrolment.pk}/">Statistics</a>' in get(world.ana, "/timetable/").partition("In your own time")[2]
    after = datetime.combine(fresh(offering).ends_on + timedelta(days=2), time(12), UTC)
    assert "In your own time" not in get(world.ana, "/timetable/", after)


@pytest.mark.parametrize("week", ["2026-W99", "x", "2026-W37-1", "%00"])
def test_a_week_that_is_none_gives_this_week(world: World, week: str) -> None:
    given.enrolled(world, world.offering())
    assert "18:00–19:30" in get(world.ana, f"/timetable/?week={week}")


def test_the_timetable_asks_the_same_for_one_course_and_for_three(world: World) -> None:
    given.enrolled(world, world.offering())
    client = browser(world.ana)
    client.get("/timetable/?view=table")
    with CaptureQueriesContext(connection) as one:
        client.get("/timetable/?view=table")
    for title in ("Algebra", "Logic"):
        given.enrolled(world, world.offering(title))
    with CaptureQueriesContext(connection) as three:
        client.get("/timetable/?view=table")
    assert len(three) == len(one)
    assert len(one) <= 6


# Calendar feed --------------------------------------------------------------------------------------------------------


def test_the_feed_has_each_meeting_once_with_its_own_identifier(world: World) -> None:
    offering = world.offering()
    given.enrolled(world, offering)
    _url, feed = calendar_of(world.ana)
    events = feed.walk("VEVENT")
    assert [str(event["UID"]) for event in events] == [str(s.pk) for s in offering.sessions.order_by("starts_at")]
    assert {event.decoded("DTSTART").strftime("%H:%M") for event in events} == {"18:00"}
    assert {str(event["DTSTART"].params["TZID"]) for event in events} == {"America/Santiago"}
    assert {str(event["URL"]) for event in events} == {"https://meet.example/room"}


def test_a_moved_meeting_keeps_its_identifier_and_raises_its_sequence_and_a_cancelled_one_says_so(world: World) -> None:
    offering = world.offering()
    given.enrolled(world, offering)
    first, second = offering.sessions.order_by("number")[:2]
    move(first, by=actor(world.teacher), now=NOW, day=date(2026, 8, 12), starts=time(10))
    cancel(second, by=actor(world.teacher), now=NOW, because="Strike")
    events = {str(event["UID"]): event for event in calendar_of(world.ana)[1].walk("VEVENT")}
    moved, cancelled = events[str(first.pk)], events[str(second.pk)]
    assert (moved["SEQUENCE"], str(moved["STATUS"]), moved.decoded("DTSTART").strftime("%d %H:%M")) == (1, "CONFIRMED", "12 10:00")
    assert (cancelled["SEQUENCE"], str(cancelled["STATUS"])) == (1, "CANCELLED")


def test_an_unchanged_feed_is_not_sent_twice(world: World) -> None:
    given.enrolled(world, world.offering())
    url, _feed = calendar_of(world.ana)
    with clock.stopped_at(NOW):
        first = Client().get(url)
    with clock.stopped_at(NOW + timedelta(days=1)):
        assert Client().get(url, headers={"if-none-match": first["ETag"]}).status_code == 304
        assert Client().get(url, headers={"if-none-match": f'W/{first["ETag"]}'}).status_code == 304


def test_only_a_living_calendar_token_opens_a_feed(world: World) -> None:
    url, _feed = calendar_of(world.ana)
    api = make_token(world.ana, by=actor(world.ana), now=NOW, label="script", purpose="api")
    with clock.stopped_at(NOW):
        assert Client().get("/calendar/wrong.ics").status_code == 404
        assert Client().get(f"/calendar/{api.secret}.ics").status_code == 404
        assert Client().get(url).status_code == 200
        for token in world.ana.tokens.filter(purpose="calendar"):
            revoke_token(token, by=actor(world.ana), now=NOW)
        assert Client().get(url).status_code == 404
    with clock.stopped_at(NOW + timedelta(days=200)):
        assert Client().get(f"/calendar/{api.secret}.ics").status_code == 404


def test_the_public_events_of_an_offering_carry_no_way_in(world: World) -> None:
    offering = world.offering()
    given.scheduled(world, offering)
    events = events_of([offering], language="es")
    assert len(events) == 17
    assert {event.url for event in events} == {""}
    assert all(offering.dial_in and offering.dial_in not in event.description for event in events)
    assert {event.title for event in events} == {"Statistics (es)"}


# Teaching -------------------------------------------------------------------------------------------------------------


def test_an_instructor_sees_the_own_courses_and_who_sits_where(world: World) -> None:
    offering = world.offering()
    given.enrolled(world, offering)
    for name, zone in (("Ben", "America/Lima"), ("Cora", "Asia/Manila")):
        given.enrolled(world, offering, given.student(world, name, zone))
    assert "Statistics" in get(world.teacher, "/teaching/")
    shown = get(world.teacher, f"/teaching/{offering.pk}/")
    assert "2 students in America/Lima · 1 student in Asia/Manila" in shown
    assert "captions" in shown


def test_the_roster_as_csv_cannot_run_as_formulas(world: World) -> None:
    offering = world.offering()
    given.enrolled(world, offering, given.student(world, "=cmd|'/c calc'!A0", "Asia/Manila"))
    rows = list(csv.DictReader(io.StringIO(get(world.teacher, f"/teaching/{offering.pk}/roster.csv").removeprefix("\ufeff"))))
    assert [(row["name"][:5], row["zone"], row["present"]) for row in rows] == [("'=cmd", "Asia/Manila", "0")]


def test_the_share_of_attendance_is_shown_to_teacher_and_student(world: World) -> None:
    offering = world.offering()
    enrolment = given.enrolled(world, offering)
    for number, status in ((1, "present"), (2, "absent"), (3, "excused")):
        session = offering.sessions.get(number=number)
        take_attendance(session, by=actor(world.teacher), now=session.starts_at, marks=[MarkRow(enrolment=enrolment.pk, status=status)])  # type: ignore[arg-type]
    assert '<span class="number">50 %</span>' in get(world.teacher, f"/teaching/{offering.pk}/")
    assert 'value="50"' in get(world.ana, f"/enrolments/{enrolment.pk}/")


@pytest.mark.parametrize("tail", ["", "roster.csv"])
def test_a_roster_is_for_its_instructors_and_the_hosts_office(world: World, tail: str) -> None:
    offering = world.offering()
    given.enrolled(world, offering)
    colleague = given.person("Colleague")
    given.give_role(colleague, world.host, "instructor")
    url = f"/teaching/{offering.pk}/{tail}"
    for who, status in ((world.teacher, 200), (world.carlos, 200), (colleague, 404), (world.ana, 404), (world.bia, 404), (world.dora, 404)):
        assert browser(who).get(url).status_code == status, who
    assert Client().get(url).status_code == 302


def test_attendance_is_taken_in_the_browser_as_one_table(world: World) -> None:
    offering = world.offering()
    enrolment = given.enrolled(world, offering)
    session = offering.sessions.get(number=1)
    client, url = browser(world.teacher), f"/sessions/{session.pk}/take_attendance/"
    with clock.stopped_at(session.starts_at):
        assert "Ana" in client.get(url).content.decode()
        row = {"marks-count": "1", "marks-0-enrolment": str(enrolment.pk), "marks-0-status": "late"}
        assert client.post(url, {**row, "expected_version": session.version, "delivery_key": "k"}).status_code == 302
    assert enrolment.attendance.get().status == "late"


# Pages of every noun --------------------------------------------------------------------------------------------------


def test_the_enrolments_page_says_until_when_one_can_leave(world: World) -> None:
    enrolment = given.enrolled(world, world.offering())
    url = f"/enrolments/{enrolment.pk}/"
    assert "You can drop the course until the end of" in get(world.ana, url, NOW)
    assert "You can withdraw until the end of" in get(world.ana, url, MONDAY)
    assert "The days for leaving the course are over" in get(world.ana, url, datetime(2026, 11, 9, tzinfo=UTC))


@pytest.mark.parametrize("plural", ["enrolments", "sessions"])
def test_a_list_asks_the_same_for_one_and_for_three(world: World, plural: str) -> None:
    offering = world.offering()
    given.enrolled(world, offering)
    client = browser(world.carlos)
    client.get(f"/{plural}/")
    if plural == "sessions":
        offering.sessions.filter(number__gt=1).delete()
    with CaptureQueriesContext(connection) as one:
        assert client.get(f"/{plural}/").content.decode().count('role="rowheader"') == 1
    if plural == "sessions":
        other = world.offering("Algebra", ends_on=date(2026, 8, 20))
        given.scheduled(world, other)
    else:
        for name in ("Ben", "Cora"):
            given.enrolled(world, offering, given.student(world, name, "Asia/Manila"))
    with CaptureQueriesContext(connection) as three:
        assert client.get(f"/{plural}/").content.decode().count('role="rowheader"') == 3
    assert len(three) == len(one)
    assert len(one) <= 12


def test_a_stranger_finds_neither_enrolment_nor_meeting(world: World) -> None:
    offering = world.offering()
    enrolment = given.enrolled(world, offering)
    session = fresh(offering.sessions.get(number=1))
    for url in (f"/enrolments/{enrolment.pk}/", f"/sessions/{session.pk}/"):
        assert browser(world.dora).get(url).status_code == 404
        assert browser(world.ana).get(url).status_code == 200

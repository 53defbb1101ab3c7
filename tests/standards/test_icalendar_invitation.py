"""Invitations as calendars read them. Two judges that are not ours: python-dateutil expands rules and zones, and a strict
reader of lines holds every message to RFC 5545 and 5546, as Google, Outlook and Apple calendars do."""

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule, tz  # type: ignore[import-untyped]  # -- it comes without types
from hypothesis import given, settings
from hypothesis import strategies as st

from vsm.standards.icalendar_feed import Event
from vsm.standards.icalendar_invitation import Reader, Weekly, cancellation, request, update

PARIS, SANTIAGO = ZoneInfo("Europe/Paris"), ZoneInfo("America/Santiago")
STAMPED = datetime(2026, 2, 1, 9, tzinfo=UTC)
ANA = Reader("ana@andina.example", 'Ana "la" Quispe, PhD')


def meeting(starts: datetime, minutes: int = 60, **more: Any) -> Event:
    event = Event(uid="series-1", starts=starts, ends=starts + timedelta(minutes=minutes), title="Team 3", organiser="office@host.example", organiser_name="Host")
    return replace(event, **more)


def weekly(first: datetime, weeks: int, without: tuple[int, ...] = (), moved: dict[int, tuple[int, int]] | None = None) -> Weekly:
    """`moved`: week → (hours later, minutes long)."""
    week = [first + timedelta(weeks=each) for each in range(weeks)]
    exceptions = tuple((week[each], meeting(week[each] + timedelta(hours=by), minutes)) for each, (by, minutes) in (moved or {}).items())
    return Weekly(meeting(first), weeks, tuple(week[each] for each in without), exceptions)


def lines_of(message: bytes) -> list[tuple[str, dict[str, str], str]]:
    """Content lines (RFC 5545 §3.1): CRLF, at most 75 octets, unfolded, every name and parameter well formed."""
    assert message.endswith(b"\r\n")
    assert b"\n" not in message.replace(b"\r\n", b"")
    assert max(map(len, message.split(b"\r\n"))) <= 75
    found = []
    for text in message.replace(b"\r\n ", b"").decode().removesuffix("\r\n").split("\r\n"):
        match = re.fullmatch(r'([A-Z0-9-]+)((?:;[A-Z0-9-]+=(?:"[^"]*"|[^";:,]*))*):(.*)', text)
        assert match, text
        found.append((match[1], dict(re.findall(r';([A-Z0-9-]+)=("[^"]*"|[^";:,]*)', match[2])), match[3]))
    return found


def held_to_the_rules(message: bytes) -> list[dict[str, list[tuple[dict[str, str], str]]]]:
    """The events, each property as (parameters, value), after everything that RFC 5546 §3.2 wants was checked."""
    lines = lines_of(message)
    assert lines[0][0::2] == ("BEGIN", "VCALENDAR")
    assert lines[-1][0::2] == ("END", "VCALENDAR")
    names = Counter(name for name, _parameters, _value in lines)
    assert (names["METHOD"], names["VERSION"], names["PRODID"]) == (1, 1, 1)
    (method,) = [value for name, _parameters, value in lines if name == "METHOD"]
    zones = {value for name, _parameters, value in lines if name == "TZID"}
    assert {parameters["TZID"] for _name, parameters, _value in lines if "TZID" in parameters} == zones
    events: list[dict[str, list[tuple[dict[str, str], str]]]] = []
    inside = False
    for name, parameters, value in lines:
        if (name, value) == ("BEGIN", "VEVENT"):
            events.append({})
            inside = True
        elif (name, value) == ("END", "VEVENT"):
            inside = False
        elif inside:
            events[-1].setdefault(name, []).append((parameters, value))
    for event in events:
        for name in ("UID", "DTSTAMP", "DTSTART", "SEQUENCE", "ORGANIZER", "ATTENDEE", "SUMMARY", "STATUS"):
            assert len(event[name]) == 1, name
        assert event["DTSTAMP"][0][1].endswith("Z")
        assert event["STATUS"][0][1] == ("CANCELLED" if method == "CANCEL" else "CONFIRMED")
        assert event["ORGANIZER"][0][1].startswith("mailto:")
        assert not ("RRULE" in event and "RECURRENCE-ID" in event)
        if "RECURRENCE-ID" in event:  # same kind of value as DTSTART (§3.8.4.4)
            assert ("TZID" in event["RECURRENCE-ID"][0][0]) == ("TZID" in event["DTSTART"][0][0])
    if method != "PUBLISH":
        assert len({event["UID"][0][1] for event in events}) == 1
    assert len({(event["UID"][0][1], str(event.get("RECURRENCE-ID"))) for event in events}) == len(events)
    return events


def expanded(message: bytes) -> list[tuple[datetime, datetime]]:
    """What a calendar shows: (start, end) in UTC, by dateutil's own zones (from the message's VTIMEZONE) and rules."""
    zones = tz.tzical(StringIO(re.sub(rb"\r\n ", b"", message).decode()))
    events = held_to_the_rules(message)

    def instant(parameters: dict[str, str], text: str) -> datetime:
        if text.endswith("Z"):
            return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        zone = zones.get(parameters["TZID"])
        assert zone is not None
        return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=zone)

    overridden = {instant(*event["RECURRENCE-ID"][0]).astimezone(UTC) for event in events if "RECURRENCE-ID" in event}
    shown = []
    for event in events:
        starts, ends = instant(*event["DTSTART"][0]), instant(*event["DTEND"][0])
        length = ends.astimezone(UTC) - starts.astimezone(UTC)
        every = rrule.rruleset()
        if "RRULE" in event:
            every.rrule(rrule.rrulestr(event["RRULE"][0][1], dtstart=starts))
        else:
            every.rdate(starts)
        for parameters, values in event.get("EXDATE", []):
            for value in values.split(","):
                every.exdate(instant(parameters, value))
        for each in every:
            at = each.astimezone(UTC)
            if "RECURRENCE-ID" in event or at not in overridden:
                shown.append((at, at + length))
    return sorted(shown)


def meant(plan: Weekly) -> list[tuple[datetime, datetime]]:
    """The meetings of a plan, by zoneinfo alone."""
    moved = dict(plan.moved)
    usual = [plan.usual.starts + timedelta(weeks=week) for week in range(plan.weeks)]
    minutes = plan.usual.ends.astimezone(UTC) - plan.usual.starts.astimezone(UTC)
    found = []
    for each in usual:
        if each in moved:
            found.append((moved[each].starts.astimezone(UTC), moved[each].ends.astimezone(UTC)))
        elif each not in plan.without:
            found.append((each.astimezone(UTC), each.astimezone(UTC) + minutes))
    return sorted(found)


@pytest.mark.parametrize("first", [datetime(2026, 3, 2, 14, tzinfo=PARIS), datetime(2026, 8, 4, 18, 30, tzinfo=SANTIAGO), datetime(2026, 3, 2, 14, tzinfo=UTC)])
def test_a_weekly_hour_stays_on_its_wall_while_clocks_change(first: datetime) -> None:
    plan = weekly(first, 20)
    assert expanded(request([plan], ANA, stamped=STAMPED)) == meant(plan)


@settings(max_examples=40, deadline=None)
@given(
    weeks=st.integers(2, 14), hour=st.integers(4, 22), zone=st.sampled_from([PARIS, SANTIAGO]), start=st.integers(0, 300),
    without=st.sets(st.integers(0, 13)), moved=st.dictionaries(st.integers(0, 13), st.tuples(st.integers(-30, 30), st.integers(15, 120))),
)  # fmt: skip
def test_calendars_show_just_the_meetings_that_are_held(weeks: int, hour: int, zone: ZoneInfo, start: int, without: set[int], moved: dict[int, tuple[int, int]]) -> None:
    first = datetime(2026, 1, 5, hour, tzinfo=zone) + timedelta(days=start)
    here = {week: how for week, how in moved.items() if week < weeks}
    plan = weekly(first, weeks, tuple(sorted(week for week in without if week < weeks and week not in here)), here)
    assert expanded(request([plan], ANA, stamped=STAMPED)) == meant(plan)


def test_a_meeting_across_an_hour_that_occurs_twice_keeps_its_length() -> None:
    """In Santiago 23:00 to 24:00 of 3 April 2027 occurs twice: one hour from the first 23:30 ends at the second."""
    begin = datetime(2027, 4, 3, 23, 30, tzinfo=SANTIAGO).astimezone(UTC)
    told = []
    for first in (begin, begin + timedelta(hours=1)):
        event = replace(meeting(first.astimezone(SANTIAGO)), ends=(first + timedelta(hours=1)).astimezone(SANTIAGO))
        message = request([Weekly(event)], ANA, stamped=STAMPED).decode()
        told.append(re.findall(r"^(DTSTART.*|DTEND.*|DURATION.*)\r$", message[message.index("BEGIN:VEVENT"):], re.M))
    assert told == [["DTSTART;TZID=America/Santiago:20270403T233000", "DURATION:PT1H"], ["DTSTART:20270404T033000Z", "DTEND:20270404T043000Z"]]


def test_one_meetings_change_names_its_usual_hour() -> None:
    first = datetime(2026, 3, 2, 14, tzinfo=PARIS)
    message = update(meeting(first + timedelta(weeks=4, hours=2), sequence=7), ANA, stamped=STAMPED, instance=first + timedelta(weeks=4))
    (event,) = held_to_the_rules(message)
    assert (event["RECURRENCE-ID"], event["SEQUENCE"]) == ([({"TZID": "Europe/Paris"}, "20260330T140000")], [({}, "7")])
    assert b"METHOD:REQUEST" in message
    assert expanded(message) == [(datetime(2026, 3, 30, 14, tzinfo=UTC), datetime(2026, 3, 30, 15, tzinfo=UTC))]


def test_one_meeting_cancelled_is_a_cancellation_of_that_instance_alone() -> None:
    first = datetime(2026, 3, 2, 14, tzinfo=PARIS)
    message = update(meeting(first, cancelled=True), ANA, stamped=STAMPED, instance=first)
    (event,) = held_to_the_rules(message)
    assert b"METHOD:CANCEL" in message
    assert "RECURRENCE-ID" in event


def test_the_whole_is_cancelled_without_naming_an_instance() -> None:
    message = cancellation([weekly(datetime(2026, 3, 2, 14, tzinfo=PARIS), 5, (1,), {2: (1, 30)})], ANA, stamped=STAMPED)
    (event,) = held_to_the_rules(message)
    assert b"METHOD:CANCEL" in message
    assert "RECURRENCE-ID" not in event


def test_two_weekly_hours_are_published_because_an_invitation_has_one_uid() -> None:
    plans = [weekly(datetime(2026, 3, 2, 14, tzinfo=PARIS), 3), replace(weekly(datetime(2026, 3, 4, 9, tzinfo=PARIS), 3), usual=meeting(datetime(2026, 3, 4, 9, tzinfo=PARIS), uid="series-1-2"))]
    message = request(plans, ANA, stamped=STAMPED)
    assert b"METHOD:PUBLISH" in message
    assert len(expanded(message)) == 6

    gone = lines_of(cancellation(plans, ANA, stamped=STAMPED))
    assert [value for name, _parameters, value in gone if name in {"METHOD", "UID", "STATUS"}] == [
        "PUBLISH", "series-1", "CANCELLED", "series-1-2", "CANCELLED",
    ]  # fmt: skip


def test_nobodys_address_is_told_but_the_readers_own() -> None:
    message = request([weekly(datetime(2026, 3, 2, 14, tzinfo=PARIS), 3, (), {1: (1, 30)})], ANA, stamped=STAMPED)
    for event in held_to_the_rules(message):
        ((parameters, value),) = event["ATTENDEE"]
        assert (value, parameters["RSVP"], parameters["CN"]) == ("mailto:ana@andina.example", "FALSE", '"Ana \'la\' Quispe, PhD"')


@given(st.text(alphabet=st.sampled_from('\r\n\t\x00\x85\u2028 ;:,"\\^=ABEGINVT-ñ'), min_size=1, max_size=40))
def test_no_name_or_title_can_add_a_line(text: str) -> None:
    plain = request([weekly(datetime(2026, 3, 2, 14, tzinfo=PARIS), 2)], Reader("a@b.example", "n"), stamped=STAMPED)
    plan = weekly(datetime(2026, 3, 2, 14, tzinfo=PARIS), 2)
    spoilt = replace(plan, usual=replace(plan.usual, title="t" + text, organiser_name="n" + text))
    message = request([spoilt], Reader("a@b.example" + text, "n" + text), stamped=STAMPED)
    assert [name for name, _parameters, _value in lines_of(message)] == [name for name, _parameters, _value in lines_of(plain)]

"""Wall times and instants through clock changes, replanning, deadlines, two walls, attendance."""

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from itertools import pairwise
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsm.exchange.sessions.rules import (
    WALL,
    Clock,
    Occurrence,
    Planned,
    Weekly,
    attendance_share,
    clock_note,
    deadlines,
    occurrences,
    plan,
    resolve,
    told,
    why_not_drop,
    why_not_withdraw,
)

ZONES = ("America/Santiago", "Europe/Madrid", "America/Lima", "Asia/Kathmandu", "America/Sao_Paulo", "Australia/Lord_Howe", "UTC")


def wall(text: str) -> datetime:
    return datetime.strptime(text, WALL)


def utc(text: str) -> datetime:
    return datetime.strptime(text, WALL).replace(tzinfo=UTC)


# The expected instants are worked out by hand from the published offsets: Santiago −4 in winter and −3 in summer with
# changes at 24:00 on the first Saturday of September and of April; Madrid +1 and +2 with changes at 01:00 UTC on the last
# Sunday of March and of October; Lima −5 and Kathmandu +5:45 without changes.
@pytest.mark.parametrize(("zone", "told_at", "instant", "clock"), [
    ("America/Santiago", "2026-09-05T23:30", "2026-09-06T03:30", Clock.PLAIN),
    ("America/Santiago", "2026-09-06T00:30", "2026-09-06T04:30", Clock.SKIPPED),
    ("America/Santiago", "2026-09-06T01:00", "2026-09-06T04:00", Clock.PLAIN),
    ("America/Santiago", "2026-09-08T18:00", "2026-09-08T21:00", Clock.PLAIN),
    ("America/Santiago", "2026-09-01T18:00", "2026-09-01T22:00", Clock.PLAIN),
    ("America/Santiago", "2026-04-04T23:30", "2026-04-05T02:30", Clock.TWICE),
    ("America/Santiago", "2026-04-05T00:00", "2026-04-05T04:00", Clock.PLAIN),
    ("Europe/Madrid", "2026-03-29T01:59", "2026-03-29T00:59", Clock.PLAIN),
    ("Europe/Madrid", "2026-03-29T02:30", "2026-03-29T01:30", Clock.SKIPPED),
    ("Europe/Madrid", "2026-03-29T03:00", "2026-03-29T01:00", Clock.PLAIN),
    ("Europe/Madrid", "2026-10-25T02:30", "2026-10-25T00:30", Clock.TWICE),
    ("Europe/Madrid", "2026-10-25T03:00", "2026-10-25T02:00", Clock.PLAIN),
    ("America/Lima", "2026-09-06T00:30", "2026-09-06T05:30", Clock.PLAIN),
    ("Asia/Kathmandu", "2026-03-29T09:00", "2026-03-29T03:15", Clock.PLAIN),
])  # fmt: skip
def test_a_wall_time_is_the_instant_that_the_zones_rules_give(zone: str, told_at: str, instant: str, clock: Clock) -> None:
    assert (resolve(wall(told_at), zone).instant, resolve(wall(told_at), zone).clock) == (utc(instant), clock)


def test_an_hour_that_the_clock_skips_is_held_an_hour_later_on_the_wall() -> None:
    instant = resolve(wall("2026-09-06T00:30"), "America/Santiago").instant
    assert instant.astimezone(ZoneInfo("America/Santiago")).strftime(WALL) == "2026-09-06T01:30"


@pytest.mark.parametrize(("told_at", "code"), [("2026-09-06T00:30", "hour-skipped"), ("2026-04-04T23:30", "hour-twice")])
def test_what_the_clock_does_is_named(told_at: str, code: str) -> None:
    note = clock_note(wall(told_at), "America/Santiago")
    assert note is not None
    assert note.code == code
    assert clock_note(wall("2026-06-06T00:30"), "America/Santiago") is None


# Occurrences ----------------------------------------------------------------------------------------------------------


def test_a_weekly_lesson_in_santiago_stays_at_eighteen_when_the_clocks_change() -> None:
    found = occurrences([Weekly(1, time(18), time(19, 30))], date(2026, 8, 25), date(2026, 9, 15), "America/Santiago")
    assert [(each.wall.strftime(WALL), each.starts_at, each.ends_at) for each in found] == [
        ("2026-08-25T18:00", utc("2026-08-25T22:00"), utc("2026-08-25T23:30")),
        ("2026-09-01T18:00", utc("2026-09-01T22:00"), utc("2026-09-01T23:30")),
        ("2026-09-08T18:00", utc("2026-09-08T21:00"), utc("2026-09-08T22:30")),
        ("2026-09-15T18:00", utc("2026-09-15T21:00"), utc("2026-09-15T22:30")),
    ]


def test_a_meeting_over_a_clock_change_keeps_its_length() -> None:
    found, = occurrences([Weekly(6, time(1), time(4))], date(2026, 3, 29), date(2026, 3, 29), "Europe/Madrid")
    assert found.ends_at - found.starts_at == timedelta(hours=3)


def test_days_off_have_no_meeting() -> None:
    found = occurrences([Weekly(4, time(9), time(10))], date(2026, 12, 1), date(2026, 12, 31), "America/Lima", {date(2026, 12, 25)})
    assert [each.wall.day for each in found] == [4, 11, 18]


def test_first_and_last_day_are_included_and_the_same_meeting_listed_twice_is_held_once() -> None:
    monday = Weekly(0, time(9), time(10))
    found = occurrences([monday, monday], date(2026, 8, 3), date(2026, 8, 17), "America/Lima")
    assert [each.wall.day for each in found] == [3, 10, 17]


def test_a_week_without_that_weekday_has_no_meeting() -> None:
    assert occurrences([Weekly(5, time(9), time(10))], date(2026, 8, 3), date(2026, 8, 7), "America/Lima") == []


weekly_meetings = st.builds(
    lambda weekday, start, minutes: Weekly(
        weekday, (datetime(2000, 1, 1) + timedelta(minutes=start)).time(), (datetime(2000, 1, 1) + timedelta(minutes=start + minutes)).time()
    ),
    st.integers(0, 6), st.integers(0, 1200), st.integers(5, 239),
)  # fmt: skip
terms = st.tuples(st.dates(date(2024, 1, 1), date(2027, 12, 31)), st.integers(0, 200)).map(lambda pair: (pair[0], pair[0] + timedelta(days=pair[1])))


@given(st.lists(weekly_meetings, max_size=4), terms, st.sampled_from(ZONES), st.sets(st.dates(date(2024, 1, 1), date(2028, 7, 30)), max_size=5))
def test_every_meeting_lies_inside_the_dates_in_strict_order_and_keeps_its_wall_time(
    weekly: list[Weekly], term: tuple[date, date], zone: str, days_off: set[date]
) -> None:
    starts_on, ends_on = term
    found = occurrences(weekly, starts_on, ends_on, zone, days_off)
    assert all(before < after for before, after in pairwise(found))
    for each in found:
        assert starts_on <= each.wall.date() <= ends_on
        assert each.wall.date() not in days_off
        meant = [m for m in weekly if (m.weekday, m.starts) == (each.wall.weekday(), each.wall.time())]
        assert meant
        shown = each.starts_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert shown == each.wall if each.clock != Clock.SKIPPED else shown > each.wall
        assert any(each.ends_at - each.starts_at == datetime.combine(date.min, m.ends) - datetime.combine(date.min, m.starts) for m in meant)


@given(st.lists(weekly_meetings, max_size=4), terms, st.sampled_from(ZONES))
def test_no_meeting_is_missing(weekly: list[Weekly], term: tuple[date, date], zone: str) -> None:
    starts_on, ends_on = term
    days = [starts_on + timedelta(days=offset) for offset in range((ends_on - starts_on).days + 1)]
    by_hand = {(datetime.combine(day, m.starts), m.ends) for m in weekly for day in days if day.weekday() == m.weekday}
    assert len(occurrences(weekly, starts_on, ends_on, zone)) == len({(start, end) for start, end in by_hand})


# Replanning -----------------------------------------------------------------------------------------------------------


def at(text: str) -> Occurrence:
    return Occurrence(utc(text), utc(text) + timedelta(hours=1), wall(text))


def kept(text: str, number: int = 1, *, is_planned: bool = True) -> Planned:
    return Planned(uuid4(), number, text, is_planned)


def test_the_same_plan_again_moves_nothing() -> None:
    tuesdays = ["2026-08-11T18:00", "2026-08-18T18:00"]
    sessions = [kept(text, number) for number, text in enumerate(tuesdays, start=1)]
    fitted = plan(sessions, [at(text) for text in tuesdays])
    assert [key for key, _ in fitted.kept] == [session.key for session in sessions]
    assert (fitted.moved, fitted.new, fitted.dropped) == ((), (), ())


def test_a_meeting_that_goes_to_another_day_of_its_week_is_the_same_meeting_moved() -> None:
    first, second = kept("2026-08-11T18:00", 1), kept("2026-08-18T18:00", 2)
    wanted = [at("2026-08-12T17:00"), at("2026-08-19T17:00"), at("2026-08-26T17:00")]
    fitted = plan([first, second], wanted)
    assert fitted.moved == ((first.key, wanted[0]), (second.key, wanted[1]))
    assert fitted.new == (wanted[2],)
    assert fitted.dropped == ()


def test_a_meeting_that_is_wanted_no_more_is_dropped_and_comes_back_under_its_own_name() -> None:
    holiday = kept("2026-08-18T18:00", 2)
    assert plan([holiday], []).dropped == (holiday.key,)
    gone = kept("2026-08-18T18:00", 2, is_planned=False)
    again = at("2026-08-18T18:00")
    assert plan([gone], [again]).kept == ((gone.key, again),)
    assert plan([gone], []).dropped == ()


@given(st.lists(st.integers(0, 60), unique=True, max_size=12), st.lists(st.integers(0, 60), unique=True, max_size=12))
def test_every_session_and_every_occurrence_has_exactly_one_fate(held: list[int], wanted: list[int]) -> None:
    start = wall("2026-08-03T18:00")
    sessions = [kept((start + timedelta(days=day)).strftime(WALL), number) for number, day in enumerate(held, start=1)]
    meetings = [at((start + timedelta(days=day)).strftime(WALL)) for day in sorted(wanted)]
    fitted = plan(sessions, meetings)
    keys: list[UUID] = [key for key, _ in (*fitted.kept, *fitted.moved)] + list(fitted.dropped)
    assert sorted(keys) == sorted(session.key for session in sessions)
    assert sorted([each for _, each in (*fitted.kept, *fitted.moved)] + list(fitted.new)) == meetings


# Two walls ------------------------------------------------------------------------------------------------------------


def test_the_reader_is_told_both_walls() -> None:
    shown = told(utc("2026-09-08T21:00"), utc("2026-09-08T22:30"), "America/Santiago", "America/Lima")
    assert (f"{shown.host_starts:%H:%M}", f"{shown.starts:%H:%M}", shown.day_shift, shown.warnings) == ("18:00", "16:00", 0, ())


@pytest.mark.parametrize(("starts", "hours", "zone", "shift", "codes"), [
    ("2026-09-08T21:00", 1, "Asia/Manila", 1, ["other-day", "night"]),       # Tuesday 18:00 in Santiago, Wednesday 05:00
    ("2026-09-08T23:30", 1, "Asia/Manila", 1, ["other-day"]),                # Wednesday 07:30
    ("2026-09-09T02:30", 1, "America/Santiago", 0, ["night"]),               # 23:30 to 00:30
    ("2026-09-09T02:30", 1, "America/Lima", 0, []),                          # 21:30 to 22:30
    ("2026-09-09T03:00", 1, "America/Lima", -1, ["other-day"]),              # Wednesday 00:00 in Santiago, Tuesday 22:00
    ("2026-09-09T03:00", 2, "America/Lima", -1, ["other-day", "night"]),     # until midnight
    ("2026-09-09T09:00", 1, "America/Santiago", 0, []),                      # 06:00 sharp
    ("2026-09-09T08:59", 1, "America/Santiago", 0, ["night"]),
])  # fmt: skip
def test_another_date_and_the_night_are_warned_of(starts: str, hours: int, zone: str, shift: int, codes: list[str]) -> None:
    shown = told(utc(starts), utc(starts) + timedelta(hours=hours), "America/Santiago", zone)
    assert (shown.day_shift, [reason.code for reason in shown.warnings]) == (shift, codes)


def test_the_warning_names_both_days() -> None:
    shown = told(utc("2026-09-08T23:30"), utc("2026-09-09T00:30"), "America/Santiago", "Asia/Manila")
    assert dict(shown.warnings[0].params) == {"host_day": "Tuesday", "your_day": "Wednesday"}


# Deadlines ------------------------------------------------------------------------------------------------------------

UNTIL = deadlines(date(2026, 9, 5), date(2026, 10, 30), date(2026, 8, 10), date(2026, 12, 4), "America/Santiago")


def test_a_day_ends_on_the_hosts_wall_even_when_its_midnight_does_not_exist() -> None:
    # On 6 September the clock of Santiago goes from 00:00 straight to 01:00: the day before ends at 04:00 UTC.
    assert (UNTIL.drop_until, UNTIL.withdraw_until) == (utc("2026-09-06T04:00"), utc("2026-10-31T03:00"))


@pytest.mark.parametrize(("now", "drop", "withdraw"), [
    ("2026-09-06T03:59", [], ["drop-instead"]),
    ("2026-09-06T04:00", ["drop-day-passed"], []),
    ("2026-10-31T02:59", ["drop-day-passed"], []),
    ("2026-10-31T03:00", ["drop-day-passed"], ["withdrawal-day-passed"]),
])  # fmt: skip
def test_dropping_ends_first_and_withdrawing_later(now: str, drop: list[str], withdraw: list[str]) -> None:
    assert [reason.code for reason in why_not_drop(UNTIL, utc(now))] == drop
    assert [reason.code for reason in why_not_withdraw(UNTIL, utc(now))] == withdraw


def test_who_can_no_longer_drop_is_told_of_withdrawing_only_while_it_is_possible() -> None:
    early, = why_not_drop(UNTIL, utc("2026-09-07T00:00"))
    late, = why_not_drop(UNTIL, utc("2026-11-07T00:00"))
    assert "withdraw_by" in early.text
    assert "withdraw_by" not in late.text


def test_a_host_that_names_no_day_lets_drop_until_the_first_and_withdraw_until_the_last() -> None:
    until = deadlines(None, None, date(2026, 8, 10), date(2026, 12, 4), "America/Lima")
    assert (until.drop_by, until.withdraw_by) == (date(2026, 8, 10), date(2026, 12, 4))


def test_withdrawing_never_ends_before_dropping() -> None:
    assert deadlines(date(2026, 9, 5), date(2026, 9, 1), date(2026, 8, 10), date(2026, 12, 4), "UTC").withdraw_by == date(2026, 9, 5)


# Attendance -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("marks", "share"), [
    ([], None),
    (["excused"], None),
    (["present", "late", "absent", "excused"], Fraction(2, 3)),
    (["absent"], Fraction(0)),
])  # fmt: skip
def test_late_counts_as_there_and_an_excused_absence_does_not_count(marks: list[str], share: Fraction | None) -> None:
    assert attendance_share(marks) == share

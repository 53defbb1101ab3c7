"""As few weekly events as can be, and together just the meetings that are held."""

from datetime import datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from vsm.exchange.sessions.recurring import Held, Run, runs

TUESDAY = datetime(2026, 8, 4, 18)


def held(week: int, *, hour: int = 18, moved: int = 0, day: int = 0, minutes: int = 90, cancelled: bool = False) -> Held:
    planned = TUESDAY.replace(hour=hour) + timedelta(weeks=week, days=day)
    return Held(UUID(int=week * 100 + day * 10 + hour), planned, planned + timedelta(hours=moved), minutes, cancelled=cancelled)


def shown(found: list[Run]) -> list[tuple[datetime, int]]:
    """(start, minutes) of what calendars show of these runs."""
    meetings = []
    for run in found:
        moved = dict(run.moved)
        for week in range(run.weeks):
            usual = run.first + timedelta(weeks=week)
            if usual in moved:
                meetings.append((moved[usual].wall, moved[usual].minutes))
            elif usual not in run.without:
                meetings.append((usual, run.minutes))
    return sorted(meetings)


def test_the_same_hour_each_week_is_one_event() -> None:
    (run,) = runs([held(week) for week in range(6)], "America/Lima")
    assert (run.name, run.first, run.weeks, run.without, run.moved) == ("", TUESDAY, 6, (), ())


def test_turns_are_one_event_with_the_other_hours_as_exceptions() -> None:
    (run,) = runs([held(week, hour=18 if week % 3 else 7) for week in range(6)], "America/Lima")
    assert (run.first.hour, [(usual.isoformat()[:10], each.wall.hour) for usual, each in run.moved]) == (18, [("2026-08-04", 7), ("2026-08-25", 7)])


def test_two_hours_a_week_are_two_events_with_names_of_their_own() -> None:
    found = runs([held(week, day=day) for week in range(3) for day in (0, 2)], "America/Lima")
    assert [(run.name, run.weeks) for run in found] == [("-11800", 3), ("-31800", 3)]


def test_an_hour_that_the_clock_skips_is_an_event_of_its_own() -> None:
    sundays = [Held(UUID(int=week), datetime(2026, 8, 30, 0, 30) + timedelta(weeks=week), datetime(2026, 8, 30, 0, 30) + timedelta(weeks=week), 60) for week in range(3)]
    found = runs(sundays, "America/Santiago")
    assert [(run.name, run.weeks) for run in found] == [("", 3), ("-20260906T0030", 1)]
    assert found[0].without == ()  # the rule leaves that week out by itself


def test_a_meeting_moved_by_hand_is_an_exception_and_a_cancelled_one_is_left_out() -> None:
    (run,) = runs([held(0), held(1, moved=3), held(2, cancelled=True), held(3)], "America/Lima")
    assert ([each.wall.hour for _usual, each in run.moved], run.without) == ([21], (TUESDAY + timedelta(weeks=2),))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from([0, 2, 6]), st.sampled_from([7, 18]), st.integers(-20, 20), st.sampled_from([60, 90]), st.booleans()), unique_by=lambda each: each[:3], min_size=1))
def test_together_they_are_just_the_meetings(drawn: list[tuple[int, int, int, int, int, bool]]) -> None:
    meetings = [held(week, day=day, hour=hour, moved=moved, minutes=minutes, cancelled=cancelled) for week, day, hour, moved, minutes, cancelled in drawn]
    found = runs(meetings, "America/Lima")
    assert shown(found) == sorted((each.wall, each.minutes) for each in meetings if not each.cancelled)
    assert len({run.name for run in found}) == len(found)
    assert sorted(key for run in found for key, _usual in run.of) == sorted(each.key for each in meetings)

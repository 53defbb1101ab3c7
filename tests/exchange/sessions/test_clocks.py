"""A country changes its clock rules between two looks: meetings keep the hour that was meant, and each is told once."""

import zoneinfo
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from importlib.resources import files
from pathlib import Path
from typing import Any

import icalendar
import pytest

from tests.exchange.sessions import given
from tests.exchange.sessions.given import NOW, World, actor, fresh
from vsm.app import letters
from vsm.exchange.sessions.actions import each_week, follow_clock_rules, lead, make_series, member, move
from vsm.exchange.sessions.clocks import rules_version
from vsm.exchange.sessions.models import ClockRules, Session
from vsm.kit import audit, clock, events
from vsm.kit.actors import SYSTEM
from vsm.kit.jobs import drain
from vsm.kit.models import Message

pytestmark = pytest.mark.django_db
Change = Callable[[str], None]


@pytest.fixture
def chile_follows(tmp_path: Path) -> Iterator[Change]:
    """`chile_follows("Lima")`: the system's tz database is replaced by one in which Chile has that city's clock."""

    def change(city: str) -> None:
        (tmp_path / "America").mkdir(exist_ok=True)
        rules = files("tzdata").joinpath("zoneinfo", "America", city).read_bytes()
        (tmp_path / "America" / "Santiago").write_bytes(rules)
        (tmp_path / "tzdata.zi").write_text(f"# version 2027-{city}\n", "ascii")

    zoneinfo.reset_tzpath([str(tmp_path)])
    icalendar.use_zoneinfo()  # it remembers the zones of calendars that it has read before
    yield change
    icalendar.use_zoneinfo()
    zoneinfo.reset_tzpath()
    zoneinfo.ZoneInfo.clear_cache()


@pytest.fixture(autouse=True)
def _letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(events._SUBSCRIBERS, "clocks.changed", [letters.clocks_changed])


def look(now: datetime = NOW) -> None:
    with clock.stopped_at(now):
        follow_clock_rules.call()
        drain()


def starts(session: Session) -> datetime:
    found: datetime = fresh(session).starts_at
    return found


def test_coming_meetings_keep_their_hour_and_held_ones_their_instant(world: World, chile_follows: Change) -> None:
    chile_follows("Santiago")
    given.enrolled(world, world.offering())
    look()
    held, coming = Session.objects.get(number=1), Session.objects.get(number=6)
    assert [starts(each) for each in (held, coming)] == [datetime(2026, 8, 11, 22, tzinfo=UTC), datetime(2026, 9, 15, 21, tzinfo=UTC)]
    chile_follows("Lima")
    look(datetime(2026, 8, 20, tzinfo=UTC))
    assert [starts(each) for each in (held, coming)] == [datetime(2026, 8, 11, 22, tzinfo=UTC), datetime(2026, 9, 15, 23, tzinfo=UTC)]
    assert [fresh(each).sequence for each in (held, coming)] == [0, 1]
    assert fresh(coming).wall_starts == "2026-09-15T18:00"


def test_everybody_is_told_once_with_a_newer_calendar_entry(world: World, chile_follows: Change) -> None:
    chile_follows("Santiago")
    given.enrolled(world, world.offering())
    look()
    chile_follows("Lima")
    for _time in range(3):
        look()
    letters_told = Message.objects.filter(kind="clocks_changed").order_by("to")
    assert [letter.to for letter in letters_told] == [world.ana.email, world.teacher.email]
    letter = letters_told[0]
    event: Any
    (event,) = icalendar.Calendar.from_ical(letter.calendar).walk("VEVENT")
    assert (letter.to, event["DTSTART"].dt.astimezone(UTC), int(str(event["SEQUENCE"]))) == (world.ana.email, datetime(2026, 8, 11, 23, tzinfo=UTC), 33)
    assert "America/Santiago" in letter.body


def test_a_series_follows_too_and_what_was_moved_by_hand_keeps_that_hour(world: World, chile_follows: Change) -> None:
    chile_follows("Santiago")
    series = make_series(
        world.host, by=SYSTEM, now=NOW, title={"en": "Team"}, zone="America/Santiago", people=[lead(world.teacher), member(world.ana)],
        meetings=each_week(date(2026, 8, 11), date(2026, 8, 25), weekday=1, starts=time(10)),
    )  # fmt: skip
    moved = series.sessions.get(number=2)
    move(moved, by=actor(world.teacher), now=NOW, day=date(2026, 8, 19), starts=time(9))
    look()
    chile_follows("Lima")
    look()
    assert [s.starts_at.hour for s in series.sessions.order_by("number")] == [15, 14, 15]
    assert Message.objects.filter(kind="clocks_changed").count() == 2


def test_a_new_version_that_changes_nothing_for_us_tells_nobody(world: World, chile_follows: Change) -> None:
    chile_follows("Santiago")
    given.enrolled(world, world.offering())
    look()
    before = ClockRules.objects.get().version
    chile_follows("Santiago")
    Path(zoneinfo.TZPATH[0], "tzdata.zi").write_text("# version 2027z\n", "ascii")
    look()
    assert (before, ClockRules.objects.get().version) == (before, rules_version())
    assert rules_version().startswith("2027z + tzdata ")
    assert not Message.objects.filter(kind="clocks_changed").exists()


def test_the_change_stands_in_the_history_of_each_meeting(world: World, chile_follows: Change) -> None:
    chile_follows("Santiago")
    given.enrolled(world, world.offering())
    look()
    chile_follows("Lima")
    look()
    session = Session.objects.get(number=1)
    (told,) = audit.history([("session", session.pk)])
    assert (told.verb, told.changes["starts_at"]) == ("move", ["2026-08-11 22:00:00+00:00", "2026-08-11 23:00:00+00:00"])

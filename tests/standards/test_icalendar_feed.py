"""Feeds that calendars can read: an independent reader and icalendar itself must see the same instants as we do."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsm.kit.errors import Invalid
from vsm.standards.icalendar_feed import Event, write

SANTIAGO, MADRID, KOLKATA = ZoneInfo("America/Santiago"), ZoneInfo("Europe/Madrid"), ZoneInfo("Asia/Kolkata")
STAMPED = datetime(2026, 8, 1, 9, 30, tzinfo=UTC)


def lesson(*when: int, zone: ZoneInfo = SANTIAGO, **more: object) -> Event:
    starts = datetime(*when, tzinfo=zone)  # type: ignore[arg-type, misc] -- five whole numbers
    event = Event(uid="session-1@vsm.example", starts=starts, ends=starts + timedelta(hours=1), title="Estadística")
    return replace(event, **more)  # type: ignore[arg-type] -- fields by name


@dataclass
class Line:
    """A content line of RFC 5545 §3.1."""

    name: str
    params: dict[str, str]
    value: str


@dataclass
class Feed:
    """A reader written from RFC 5545 alone: unfolds, splits, and applies VTIMEZONE without any time zone database."""

    lines: list[Line]

    @classmethod
    def read(cls, feed: bytes) -> "Feed":
        assert feed.endswith(b"\r\n")
        assert b"\n" not in feed.replace(b"\r\n", b"")
        physical = feed.split(b"\r\n")
        assert max(len(line) for line in physical) <= 75
        unfolded = feed.replace(b"\r\n ", b"").decode().removesuffix("\r\n").split("\r\n")
        return cls([cls._line(text) for text in unfolded])

    @staticmethod
    def _line(text: str) -> Line:
        match = re.fullmatch(r'([A-Z0-9-]+)((?:;[A-Z0-9-]+=(?:"[^"]*"|[^";:,]*))*):(.*)', text)
        assert match, text
        params = re.findall(r';([A-Z0-9-]+)=(?:"([^"]*)"|([^";:,]*))', match[2])
        return Line(match[1], {name: quoted or plain for name, quoted, plain in params}, match[3])

    def values(self, name: str) -> list[str]:
        return [line.value for line in self.lines if line.name == name]

    def instant(self, name: str) -> datetime:
        line = next(line for line in self.lines if line.name == name and (line.params or line.value.endswith("Z")))
        if line.value.endswith("Z"):
            return datetime.strptime(line.value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        local = datetime.strptime(line.value, "%Y%m%dT%H%M%S")
        onset, offset = max(row for row in self._rows(line.params["TZID"]) if row[0] <= local)
        assert onset <= local
        return local.replace(tzinfo=timezone(offset)).astimezone(UTC)

    def _rows(self, tzid: str) -> list[tuple[datetime, timedelta]]:
        """Onset in local time and the offset from then on, of one zone."""
        rows: list[tuple[datetime, timedelta]] = []
        zone, onset = "", datetime.min
        for line in self.lines:
            if line.name == "TZID":
                zone = line.value
            elif line.name == "DTSTART" and not line.params and zone == tzid:
                onset = datetime.strptime(line.value, "%Y%m%dT%H%M%S")
            elif line.name == "TZOFFSETTO" and zone == tzid:
                sign, hours, minutes = line.value[0], int(line.value[1:3]), int(line.value[3:5])
                rows.append((onset, timedelta(hours=hours, minutes=minutes) * (-1 if sign == "-" else 1)))
        return rows


@pytest.mark.parametrize(
    ("event", "instant"),
    [
        # Chile goes from -04 to -03 at the end of Saturday 5 September 2026
        (lesson(2026, 9, 5, 18, 0), datetime(2026, 9, 5, 22, 0, tzinfo=UTC)),
        (lesson(2026, 9, 6, 1, 30), datetime(2026, 9, 6, 4, 30, tzinfo=UTC)),
        (lesson(2026, 9, 12, 18, 0), datetime(2026, 9, 12, 21, 0, tzinfo=UTC)),
        # Spain goes from +01 to +02 on Sunday 29 March 2026 at 02:00
        (lesson(2026, 3, 28, 10, 0, zone=MADRID), datetime(2026, 3, 28, 9, 0, tzinfo=UTC)),
        (lesson(2026, 3, 29, 3, 30, zone=MADRID), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (lesson(2026, 3, 30, 10, 0, zone=MADRID), datetime(2026, 3, 30, 8, 0, tzinfo=UTC)),
        (lesson(2026, 3, 30, 10, 0, zone=KOLKATA), datetime(2026, 3, 30, 4, 30, tzinfo=UTC)),
    ],
)
def test_both_readers_see_the_instant_that_was_meant(event: Event, instant: datetime) -> None:
    feed = write([event], stamped=STAMPED)
    assert Feed.read(feed).instant("DTSTART") == instant
    (read,) = icalendar.Calendar.from_ical(feed).walk("VEVENT")
    assert read["DTSTART"].dt.astimezone(UTC) == instant


def test_the_clock_changes_at_the_local_time_that_ran_until_then() -> None:
    feed = write([lesson(2026, 3, 29, 3, 30, zone=MADRID)], stamped=STAMPED).decode()
    assert "DTSTART:20260329T020000\r\nTZNAME:CEST\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200" in feed


def test_each_zone_is_described_once_and_utc_not_at_all() -> None:
    events = [lesson(2026, 9, 5, 18, 0), lesson(2026, 9, 12, 18, 0), lesson(2026, 9, 5, 18, 0, zone=MADRID)]
    utc = datetime(2026, 9, 5, 12, tzinfo=UTC)
    feed = write([*events, Event("x@y", utc, utc, "UTC")], stamped=STAMPED)
    assert Feed.read(feed).values("TZID") == ["America/Santiago", "Europe/Madrid"]
    assert b"DTSTART:20260905T120000Z" in feed


def test_the_facts_of_an_event_are_all_there() -> None:
    event = lesson(
        2026, 9, 5, 18, 0,
        sequence=3,
        description="Traer: datos; y café\nSala 2",
        url="https://vsm.example/sessions/1",
        location="Aula virtual",
        organiser="carlos@andes.example",
        organiser_name='Carlos "el profe" Rojas, PhD',
        language="es",
    )  # fmt: skip
    feed = Feed.read(write([event], stamped=STAMPED, title="Mis clases", language="es"))
    facts = {line.name: line for line in feed.lines}
    assert {
        name: facts[name].value
        for name in (
            "UID",
            "SEQUENCE",
            "DTSTAMP",
            "STATUS",
            "SUMMARY",
            "DESCRIPTION",
            "URL",
            "LOCATION",
            "NAME",
            "METHOD",
        )
    } == {
        "UID": "session-1@vsm.example",
        "SEQUENCE": "3",
        "DTSTAMP": "20260801T093000Z",
        "STATUS": "CONFIRMED",
        "SUMMARY": "Estadística",
        "DESCRIPTION": "Traer: datos\\; y café\\nSala 2",
        "URL": "https://vsm.example/sessions/1",
        "LOCATION": "Aula virtual",
        "NAME": "Mis clases",
        "METHOD": "PUBLISH",
    }
    assert facts["SUMMARY"].params == facts["DESCRIPTION"].params == facts["NAME"].params == {"LANGUAGE": "es"}
    assert facts["ORGANIZER"].value == "mailto:carlos@andes.example"
    assert facts["ORGANIZER"].params == {"CN": "Carlos 'el profe' Rojas, PhD"}


def test_a_cancelled_event_keeps_its_uid_and_says_so() -> None:
    feed = Feed.read(write([lesson(2026, 9, 5, 18, 0, sequence=4, cancelled=True)], stamped=STAMPED))
    assert (feed.values("UID"), feed.values("STATUS"), feed.values("SEQUENCE")) == (
        ["session-1@vsm.example"],
        ["CANCELLED"],
        ["4"],
    )


def test_an_empty_feed_is_a_calendar() -> None:
    assert Feed.read(write([], stamped=STAMPED)).values("END") == ["VCALENDAR"]


HOSTILE = st.text(
    alphabet=st.sampled_from('\r\n\t\x00\x0b\x0c\x1b\x85\u2028 ;:,"\\^=<>ABEGINVT-ñ'), min_size=1, max_size=60
)


@given(HOSTILE)
def test_no_text_can_add_a_line(text: str) -> None:
    clean = lesson(2026, 9, 5, 18, 0, description="d", url="u:", location="l", organiser="o@x", organiser_name="n")
    spoilt = replace(
        clean, uid="u" + text, title=text, description=text, url="u:" + text, location=text + "l",
        organiser="o@x" + text, organiser_name=text + "n",
    )  # fmt: skip
    names = [line.name for line in Feed.read(write([clean], stamped=STAMPED, title="t")).lines]
    assert [line.name for line in Feed.read(write([spoilt], stamped=STAMPED, title="t" + text)).lines] == names


def test_the_classic_injection_stays_inside_the_title() -> None:
    feed = write([lesson(2026, 9, 5, 18, 0, title="Clase\r\nATTENDEE:mailto:dora@x.example")], stamped=STAMPED)
    assert Feed.read(feed).values("SUMMARY") == ["Clase ATTENDEE:mailto:dora@x.example"]


def test_every_problem_is_told_at_once() -> None:
    naive = datetime(2026, 9, 5, 18, 0)
    fixed = datetime(2026, 9, 5, 18, 0, tzinfo=timezone(timedelta(hours=-4)))
    with pytest.raises(Invalid) as caught:
        write(
            [
                Event("a@x", naive, naive, "Naive"),
                Event("b@x", fixed, fixed, "Offset without a place"),
                lesson(2026, 9, 5, 18, 0, uid="\r\n", ends=datetime(2026, 9, 5, 17, 0, tzinfo=SANTIAGO)),
            ],
            stamped=STAMPED,
        )
    assert [reason.code for reason in caught.value.reasons] == ["zone", "zone", "ends", "uid"]

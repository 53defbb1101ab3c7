"""Weekly meetings as catalogues write them: weekday letters ("MTWRF"), clock times ("10:00 AM"), several in one cell.

Meetings keep the host's wall time; which zone that is stands with the offering.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

CLOCKS = ("12-hour", "24-hour")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_TWELVE = re.compile(r"(\d{1,2}):(\d{2}) ?([AP])\.?M\.?", re.IGNORECASE | re.ASCII)
_TWENTY_FOUR = re.compile(r"(\d{1,2}):(\d{2})", re.ASCII)
_MEETING = re.compile(r"([A-Z][a-z]{2}) (\d{2}:\d{2})-(\d{2}:\d{2})(?: (.*))?", re.ASCII | re.DOTALL)


@dataclass(frozen=True, order=True, slots=True)
class Meeting:
    """One weekly meeting: Monday is 0, times are "HH:MM" on the host's wall."""

    weekday: int
    starts: str
    ends: str
    label: str = ""


def weekdays_in(text: str, letters: Mapping[str, int]) -> tuple[int, ...] | None:
    """`MWF` → (0, 2, 4) with `letters` {M: 0, …}; None when a letter is unknown or stands twice."""
    days = [letters.get(letter) for letter in text if not letter.isspace()]
    known = [day for day in days if day is not None]
    if len(known) != len(days) or len(set(known)) != len(known):
        return None
    return tuple(sorted(known))


def time_in(text: str, clock: str) -> str | None:
    """`01:50 PM` → "13:50"; None when it is no time of that clock (`13:00 PM`, `24:10`)."""
    match = (_TWELVE if clock == "12-hour" else _TWENTY_FOUR).fullmatch(text)
    if not match:
        return None
    hour, minute = int(match[1]), int(match[2])
    if minute > 59:
        return None
    if clock == "12-hour":
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match[3].upper() == "P" else 0)
    return f"{hour:02d}:{minute:02d}" if hour <= 23 else None


def meetings_in(cell: str) -> tuple[Meeting, ...] | None:
    """Our own notation, `Mon 09:00-10:50 Lecture; Wed 14:00-15:00` → meetings; None when a part cannot be read.

    A label may hold any character but the semicolon, which `written` replaces.
    """
    found = []
    for part in cell.split(";"):
        if not part.strip():
            continue
        meeting = _meeting_in(part.strip())
        if meeting is None:
            return None
        found.append(meeting)
    return tuple(sorted(found))


def written(meetings: Iterable[Meeting]) -> str:
    """Meetings as one cell of our own CSV; `meetings_in` reads it back."""
    return "; ".join(
        f"{WEEKDAYS[m.weekday]} {m.starts}-{m.ends} {m.label.replace(';', ',')}".rstrip() for m in sorted(meetings)
    )


def seen_from(
    reader: tzinfo, weekday: int, starts: time, ends: time, host: tzinfo, first_day: date
) -> tuple[datetime, datetime]:
    """The first meeting on or after `first_day`, told on the reader's clock. The weekday may be another there."""
    day = first_day + timedelta(days=(weekday - first_day.weekday()) % 7)
    begin, end = (datetime.combine(day, wall, tzinfo=host) for wall in (starts, ends))
    return begin.astimezone(reader), end.astimezone(reader)


def _meeting_in(part: str) -> Meeting | None:
    match = _MEETING.fullmatch(part)
    if not match or match[1] not in WEEKDAYS:
        return None
    starts, ends = time_in(match[2], "24-hour"), time_in(match[3], "24-hour")
    if starts is None or ends is None or ends <= starts:
        return None
    return Meeting(WEEKDAYS.index(match[1]), starts, ends, (match[4] or "").strip())

"""How well two partner wishes fit, part by part, with every part explained. Pure.

A COIL exchange stands or falls with its calendar: it needs common teaching weeks in both academic years, an hour of the
week that is day on both sides (06:00 to 23:00, through both changes to and from daylight time), a common language, near
enough subjects, and classes of like size. Each part is between 0 and 1; the score is their weighted sum out of 100.
The weights are this program's own proposal and are shown with the score; nobody is ranked out of sight by them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

EARLIEST, LATEST = time(6), time(23)
MEETING_MINUTES = 60
WEIGHTS: Mapping[str, float] = {"weeks": 0.30, "hours": 0.25, "language": 0.20, "field": 0.15, "size": 0.10}
PART_WORDS = {
    "weeks": N_("Calendar"), "hours": N_("Meeting hours"), "language": N_("Language"), "field": N_("Discipline"), "size": N_("Class size"),
}  # fmt: skip
# How far a shared language carries a discussion: the weaker class decides. B2 is CEFR's "independent user", upper half.
_FLUENCY = {"A1": 0.1, "A2": 0.3, "B1": 0.6, "B2": 0.85, "C1": 1.0, "C2": 1.0, "native": 1.0}
_WEEK = timedelta(days=7)


@dataclass(frozen=True, order=True)
class Window:
    """Hours of the week in which a class can meet, on its own wall; Monday is 0."""

    weekday: int
    starts: time
    ends: time


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What one teacher looks for. `languages`: code → the class's CEFR level or `native`; `weeks_off`: Mondays.

    `weeks` is the length wanted; no `windows` means that this class can only work in its own time. `bandwidth` is the
    best that the class can count on: text, audio or video.
    """

    key: str
    organisation: str
    field: str
    languages: Mapping[str, str]
    starts_on: date
    ends_on: date
    weeks: int
    class_size: int
    hours: int
    zone: str
    windows: tuple[Window, ...] = ()
    weeks_off: frozenset[date] = frozenset()
    bandwidth: str = "video"
    tools: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Part:
    """One part of the score: its value 0 to 1, its weight, and what it rests on in words."""

    slug: str
    value: float
    weight: float
    said: Reason


@dataclass(frozen=True)
class Overlap:
    """A weekly hour that both classes can keep: the instants of one week, and the least minutes over all common weeks."""

    starts: datetime
    ends: datetime
    least_minutes: int


@dataclass(frozen=True)
class Match:
    """Two wishes compared. `obstacles` forbid an invitation; `notes` are worth knowing and count nothing."""

    first: str
    second: str
    parts: tuple[Part, ...]
    obstacles: tuple[Reason, ...]
    notes: tuple[Reason, ...]
    weeks: tuple[date, ...]
    overlaps: tuple[Overlap, ...]

    @property
    def score(self) -> int:
        """0 to 100; nothing that is impossible scores."""
        return 0 if self.obstacles else round(100 * sum(part.value * part.weight for part in self.parts))


def compare(one: Wish, other: Wish) -> Match:
    """Everything that speaks for and against pairing two wishes. Symmetric but for the order of what is told."""
    weeks = common_weeks(one, other)
    overlaps = common_hours(one, other, weeks)
    parts = (
        _weeks_part(one, other, weeks), _hours_part(one, other, weeks, overlaps), _language_part(one, other),
        _field_part(one, other), _size_part(one, other),
    )  # fmt: skip
    return Match(one.key, other.key, parts, tuple(_obstacles(one, other, weeks)), tuple(_notes(one, other, overlaps)), weeks, overlaps)


def common_weeks(one: Wish, other: Wish) -> tuple[date, ...]:
    """The Mondays of the whole weeks (Monday to Friday) in which both classes teach."""
    first, last = max(one.starts_on, other.starts_on), min(one.ends_on, other.ends_on)
    monday = first + timedelta(days=-first.weekday() % 7)
    found = []
    while monday + timedelta(days=4) <= last:
        if monday not in one.weeks_off and monday not in other.weeks_off:
            found.append(monday)
        monday += _WEEK
    return tuple(found)


def common_hours(one: Wish, other: Wish, weeks: tuple[date, ...]) -> tuple[Overlap, ...]:
    """The weekly overlaps of the first common week, longest first, each with its least length over all common weeks.

    The week's overlap moves when one side changes its clocks, so an overlap is followed by the wall of `one`: what counts
    is the hour that could be fixed on one class's timetable and kept to the end.
    """
    if not weeks or not one.windows or not other.windows:
        return ()
    by_week = [_slots(one, other, monday) for monday in weeks]
    kept = [
        Overlap(starts, ends, min(_minutes_at(slots, wall, one.zone) for slots in by_week))
        for wall, (starts, ends) in by_week[0].items()
    ]
    return tuple(sorted(kept, key=lambda overlap: (-overlap.least_minutes, overlap.starts)))


_Wall = tuple[int, time, time]


def _slots(one: Wish, other: Wish, monday: date) -> dict[_Wall, tuple[datetime, datetime]]:
    """The overlaps of one week as instants, by their place on the wall of `one`."""
    place = ZoneInfo(one.zone)
    found: dict[_Wall, tuple[datetime, datetime]] = {}
    theirs_all = list(_instants(other, monday, margin=1))
    for mine in _instants(one, monday):
        for theirs in theirs_all:
            starts, ends = max(mine[0], theirs[0]), min(mine[1], theirs[1])
            if starts < ends:
                wall = starts.astimezone(place)
                found[wall.weekday(), wall.time(), ends.astimezone(place).time()] = (starts, ends)
    return found


def _minutes_at(slots: Mapping[_Wall, tuple[datetime, datetime]], wall: _Wall, zone: str) -> int:
    """How much of this place on the wall a week's overlaps cover."""
    weekday, starts, ends = wall
    begin, end = _minute(starts), _minute(ends) or 24 * 60
    best = 0
    for day, other_starts, other_ends in slots:
        if day == weekday:
            best = max(best, min(end, _minute(other_ends) or 24 * 60) - max(begin, _minute(other_starts)))
    return best


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute


def _instants(wish: Wish, monday: date, margin: int = 0) -> Iterator[tuple[datetime, datetime]]:
    """The wish's windows in the week of `monday`, cut to 06:00–23:00; `margin` adds days at both ends: one side's Monday
    may be the other's Sunday."""
    place = ZoneInfo(wish.zone)
    for window in wish.windows:
        starts, ends = max(window.starts, EARLIEST), min(window.ends, LATEST)
        if starts >= ends:
            continue
        for shift in (-7, 0, 7):
            ahead = window.weekday + shift
            if -margin <= ahead <= 6 + margin:
                day = monday + timedelta(days=ahead)
                yield datetime.combine(day, starts, place).astimezone(UTC), datetime.combine(day, ends, place).astimezone(UTC)


def _weeks_part(one: Wish, other: Wish, weeks: tuple[date, ...]) -> Part:
    wanted = min(one.weeks, other.weeks)
    value = min(1.0, len(weeks) / wanted) if wanted else 0.0
    if not weeks:
        said = Reason("no-weeks", N_("There is no week in which both classes teach."))
    else:
        text = N_("%(count)s common teaching weeks between %(first)s and %(last)s; the shorter wish needs %(wanted)s.")
        if any(later - earlier > _WEEK for earlier, later in pairwise(weeks)):
            text = N_("%(count)s common teaching weeks between %(first)s and %(last)s, with breaks; the shorter wish needs %(wanted)s.")
        said = Reason("weeks", text, {"count": len(weeks), "first": weeks[0], "last": weeks[-1] + timedelta(days=4), "wanted": wanted})
    return Part("weeks", value, WEIGHTS["weeks"], said)


def _hours_part(one: Wish, other: Wish, weeks: tuple[date, ...], overlaps: tuple[Overlap, ...]) -> Part:
    if not one.windows or not other.windows:
        said = Reason("own-time", N_("At least one class can only work in its own time: plan without live meetings."))
        return Part("hours", 0.5, WEIGHTS["hours"], said)
    if not overlaps:
        said = Reason("no-hours", N_("No hour of the week lies between 06:00 and 23:00 on both sides in the hours that were given."))
        return Part("hours", 0.0, WEIGHTS["hours"], said)
    best = overlaps[0]
    length = int((best.ends - best.starts).total_seconds() // 60)
    facts = {"here": _wall(best, one.zone), "there": _wall(best, other.zone), "minutes": best.least_minutes}
    if not best.least_minutes:
        text = N_("Best hour: %(here)s, there %(there)s. But a clock change on one side takes it away in some weeks.")
    elif best.least_minutes < length:
        text = N_("Best hour: %(here)s, there %(there)s. A clock change on one side shortens it: %(minutes)s minutes remain in every week.")
    else:
        text = N_("Best hour: %(here)s, there %(there)s: %(minutes)s minutes in every common week.")
    return Part("hours", min(1.0, best.least_minutes / MEETING_MINUTES), WEIGHTS["hours"], Reason("hours", text, facts))


def _wall(overlap: Overlap, zone: str) -> str:
    starts, ends = (moment.astimezone(ZoneInfo(zone)) for moment in (overlap.starts, overlap.ends))
    return f"{starts:%H:%M}–{ends:%H:%M} ({zone})"


def _language_part(one: Wish, other: Wish) -> Part:
    shared = sorted(set(one.languages) & set(other.languages), key=lambda code: (-_fluency(one, other, code), code))
    if not shared:
        said = Reason("no-language", N_("No language is shared: plan with translation, or work in both languages side by side."))
        return Part("language", 0.0, WEIGHTS["language"], said)
    best = shared[0]
    text = N_("Shared: %(language)s, at %(here)s here and %(there)s there.")
    said = Reason("language", text, {"language": best, "here": one.languages[best], "there": other.languages[best]})
    return Part("language", _fluency(one, other, best), WEIGHTS["language"], said)


def _fluency(one: Wish, other: Wish, code: str) -> float:
    return min(_FLUENCY.get(one.languages[code], 0.0), _FLUENCY.get(other.languages[code], 0.0))


def _field_part(one: Wish, other: Wish) -> Part:
    steps = {
        4: (1.0, N_("The same detailed field (ISCED-F %(code)s).")),
        3: (0.8, N_("The same narrow field (ISCED-F %(code)s).")),
        2: (0.5, N_("The same broad field (ISCED-F %(code)s).")),
    }
    for digits, (value, text) in steps.items():
        if len(one.field) >= digits and one.field[:digits] == other.field[:digits]:
            return Part("field", value, WEIGHTS["field"], Reason("field", text, {"code": one.field[:digits]}))
    said = Reason("far-fields", N_("Different broad fields: an interdisciplinary exchange."))
    return Part("field", 0.2, WEIGHTS["field"], said)


def _size_part(one: Wish, other: Wish) -> Part:
    small, large = sorted((one.class_size, other.class_size))
    said = Reason("size", N_("%(here)s students here, %(there)s there."), {"here": one.class_size, "there": other.class_size})
    return Part("size", small / large if large else 0.0, WEIGHTS["size"], said)


def _obstacles(one: Wish, other: Wish, weeks: tuple[date, ...]) -> Iterator[Reason]:
    if one.organisation == other.organisation:
        yield Reason("same-institution", N_("Both wishes are of the same institution."))
    if not weeks:
        yield Reason("no-weeks", N_("There is no week in which both classes teach."))


def _notes(one: Wish, other: Wish, overlaps: tuple[Overlap, ...]) -> Iterator[Reason]:
    order = ("text", "audio", "video")
    weakest = min((one.bandwidth, other.bandwidth), key=order.index)
    if weakest != "video":
        words = {"text": N_("text alone"), "audio": N_("sound")}
        yield Reason("bandwidth", N_("Count on the weaker connection: %(weakest)s."), {"weakest": words[weakest]})
    shared = sorted(one.tools & other.tools)
    if shared:
        yield Reason("tools", N_("Tools that both know: %(tools)s."), {"tools": shared})
    if one.hours and other.hours and max(one.hours, other.hours) > 1.5 * min(one.hours, other.hours):
        text = N_("The hours for each student differ (%(here)s here, %(there)s there): agree on what counts on each side.")
        yield Reason("hours-differ", text, {"here": one.hours, "there": other.hours})
    if overlaps and overlaps[0].least_minutes < MEETING_MINUTES:
        yield Reason("short-hour", N_("The common hour is short: half the meetings in turn on each side’s better hour may be fairer."))

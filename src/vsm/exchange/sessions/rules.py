"""When live meetings happen, how they are told in two zones, until when a student can leave, and attendance. Pure.

A weekly meeting is a promise about a wall: "Tuesdays at 18:00 in Santiago". The instant follows from the zone's clock
rules and may change when those do, so the wall time and the IANA zone are what is kept.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from fractions import Fraction
from uuid import UUID

from vsm.exchange.sessions.zones import place
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

WALL = "%Y-%m-%dT%H:%M"
EARLIEST, LATEST = time(6), time(23)


class Clock(StrEnum):
    """What the zone's clock does at a wall time."""

    PLAIN = "plain"
    SKIPPED = "skipped"
    TWICE = "twice"


@dataclass(frozen=True)
class Resolved:
    """The instant (UTC) of a wall time, and whether the clock skips that hour or shows it twice."""

    instant: datetime
    clock: Clock


@dataclass(frozen=True, order=True)
class Weekly:
    """A meeting each week on the host's wall; Monday is 0."""

    weekday: int
    starts: time
    ends: time
    label: str = ""


@dataclass(frozen=True, order=True)
class Occurrence:
    """One meeting as planned: instants in UTC, and the wall time they come from."""

    starts_at: datetime
    ends_at: datetime
    wall: datetime
    label: str = ""
    clock: Clock = Clock.PLAIN


@dataclass(frozen=True)
class Planned:
    """A session as it stands: `planned` is the wall time that the weekly plan gave it, its name across replanning."""

    key: UUID
    number: int
    planned: str
    is_planned: bool = True


@dataclass(frozen=True)
class Plan:
    """What replanning does: sessions kept or moved to an occurrence, occurrences without a session, sessions without."""

    kept: tuple[tuple[UUID, Occurrence], ...]
    moved: tuple[tuple[UUID, Occurrence], ...]
    new: tuple[Occurrence, ...]
    dropped: tuple[UUID, ...]


@dataclass(frozen=True)
class Told:
    """A meeting for one reader: both walls, the day's shift against the host (−1, 0, +1), and plain warnings."""

    starts: datetime
    ends: datetime
    host_starts: datetime
    host_ends: datetime
    day_shift: int
    warnings: tuple[Reason, ...]


class Mark(StrEnum):
    PRESENT = "present"
    LATE = "late"
    ABSENT = "absent"
    EXCUSED = "excused"


class Part(StrEnum):
    """What somebody is in a series: a lead may move and cancel its meetings, a member attends."""

    LEAD = "lead"
    MEMBER = "member"


@dataclass(frozen=True)
class Deadlines:
    """The last instants (exclusive, UTC) of dropping and of withdrawing, and the days that they come from."""

    drop_by: date
    withdraw_by: date
    drop_until: datetime
    withdraw_until: datetime
    zone: str


def resolve(wall: datetime, zone: str) -> Resolved:
    """The instant of a naive wall time in an IANA zone.

    An hour that the clock skips is moved forward by the length of the gap (00:30 becomes 01:30); of an hour that occurs
    twice the first is meant. Both are what PEP 495 gives for fold=0.
    """
    there = place(zone)
    first, second = (wall.replace(tzinfo=there, fold=fold) for fold in (0, 1))
    instant = first.astimezone(UTC)
    if instant.astimezone(there).replace(tzinfo=None) != wall:
        return Resolved(instant, Clock.SKIPPED)
    return Resolved(instant, Clock.PLAIN if first.utcoffset() == second.utcoffset() else Clock.TWICE)


def occurrences(
    weekly: Iterable[Weekly], starts_on: date, ends_on: date, zone: str, days_off: Collection[date] = ()
) -> list[Occurrence]:
    """Every meeting from `starts_on` to `ends_on` (both included, days on the host's wall), in order of time.

    A meeting keeps its length when the clock changes under it: two hours of teaching stay two hours.
    """
    found = set()
    for meeting in set(weekly):
        length = datetime.combine(starts_on, meeting.ends) - datetime.combine(starts_on, meeting.starts)
        day = starts_on + timedelta(days=(meeting.weekday - starts_on.weekday()) % 7)
        while day <= ends_on:
            if day not in days_off:
                wall = datetime.combine(day, meeting.starts)
                at = resolve(wall, zone)
                found.add(Occurrence(at.instant, at.instant + length, wall, meeting.label, at.clock))
            day += timedelta(days=7)
    return sorted(found)


def plan(sessions: Sequence[Planned], wanted: Sequence[Occurrence]) -> Plan:
    """Fit sessions that exist to the meetings that are wanted, so that numbers and calendar entries live on.

    A session stays with the wall time that it was planned for. What is then left over is paired within the same ISO
    week, in order: a meeting that went from Tuesday to Wednesday is the same meeting, moved.
    """
    free = sorted(sessions, key=lambda each: (each.planned, each.number))
    left: list[Occurrence] = []
    kept: list[tuple[UUID, Occurrence]] = []
    for occurrence in wanted:
        same = next((each for each in free if each.planned == occurrence.wall.strftime(WALL)), None)
        if same is None:
            left.append(occurrence)
            continue
        free.remove(same)
        kept.append((same.key, occurrence))
    moved: list[tuple[UUID, Occurrence]] = []
    new: list[Occurrence] = []
    for occurrence in left:
        near = next((each for each in free if each.is_planned and _week(each.planned) == _week_of(occurrence.wall)), None)
        if near is None:
            new.append(occurrence)
            continue
        free.remove(near)
        moved.append((near.key, occurrence))
    return Plan(tuple(kept), tuple(moved), tuple(new), tuple(each.key for each in free if each.is_planned))


def clock_note(wall: datetime, zone: str) -> Reason | None:
    """What to say when the clock plays a trick on a meeting; None on an ordinary day."""
    at = resolve(wall, zone)
    facts = {"day": wall.date(), "planned": f"{wall:%H:%M}", "zone": zone, "real": f"{at.instant.astimezone(place(zone)):%H:%M}"}
    if at.clock == Clock.SKIPPED:
        text = N_("%(day)s: %(planned)s does not exist in %(zone)s, the clock skips it. The meeting is at %(real)s.")
        return Reason("hour-skipped", text, facts)
    if at.clock == Clock.TWICE:
        text = N_("%(day)s: %(planned)s occurs twice in %(zone)s. The first is meant.")
        return Reason("hour-twice", text, facts)
    return None


def told(starts_at: datetime, ends_at: datetime, host_zone: str, reader_zone: str) -> Told:
    """The meeting on both walls. Warnings: another date than at the host, and hours outside 06:00 to 23:00."""
    starts, ends = (moment.astimezone(place(reader_zone)) for moment in (starts_at, ends_at))
    host_starts, host_ends = (moment.astimezone(place(host_zone)) for moment in (starts_at, ends_at))
    shift = (starts.date() - host_starts.date()).days
    return Told(starts, ends, host_starts, host_ends, shift, tuple(_warnings(starts, ends, host_starts, shift)))


def deadlines(drop_by: date | None, withdraw_by: date | None, starts_on: date, ends_on: date, zone: str) -> Deadlines:
    """A day lasts until its end on the host's wall.

    Where the host names no day, a course can be dropped until its first day, and withdrawn from until its last.
    """
    last_drop = drop_by or starts_on
    last_withdrawal = max(withdraw_by or ends_on, last_drop)
    return Deadlines(last_drop, last_withdrawal, _end_of(last_drop, zone), _end_of(last_withdrawal, zone), zone)


def why_not_drop(until: Deadlines, now: datetime) -> Iterator[Reason]:
    """Dropping leaves no trace, so it ends early."""
    if now < until.drop_until:
        return
    facts = {"drop_by": until.drop_by, "zone": until.zone, "withdraw_by": until.withdraw_by}
    if now < until.withdraw_until:
        text = N_(
            "The course could be dropped until the end of %(drop_by)s (%(zone)s). You can still withdraw until the end of "
            "%(withdraw_by)s: the transcript then shows a W."
        )
    else:
        text = N_("The course could be dropped until the end of %(drop_by)s (%(zone)s). Write to your international office.")
    yield Reason("drop-day-passed", text, facts)


def why_not_withdraw(until: Deadlines, now: datetime) -> Iterator[Reason]:
    """Withdrawing is recorded; while the gentler way is open it is not taken."""
    facts = {"drop_by": until.drop_by, "zone": until.zone, "withdraw_by": until.withdraw_by}
    if now < until.drop_until:
        text = N_("Until the end of %(drop_by)s (%(zone)s) the course can be dropped, which leaves no trace. Drop it instead.")
        yield Reason("drop-instead", text, facts)
    if now >= until.withdraw_until:
        text = N_(
            "Students could withdraw until the end of %(withdraw_by)s (%(zone)s). The course now ends with a result; for "
            "illness or force majeure, write to your international office."
        )
        yield Reason("withdrawal-day-passed", text, facts)


def attendance_share(marks: Iterable[str]) -> Fraction | None:
    """Present or late, out of the meetings that count; an excused absence does not. None when nothing counts yet."""
    counted = [mark for mark in marks if mark != Mark.EXCUSED]
    if not counted:
        return None
    return Fraction(sum(mark in (Mark.PRESENT, Mark.LATE) for mark in counted), len(counted))


def _warnings(starts: datetime, ends: datetime, host_starts: datetime, shift: int) -> Iterator[Reason]:
    if shift:
        text = N_("%(host_day)s at the host, %(your_day)s for you.")
        yield Reason("other-day", text, {"host_day": WEEKDAYS[host_starts.weekday()], "your_day": WEEKDAYS[starts.weekday()]})
    if starts.time() < EARLIEST or ends.time() > LATEST or ends.date() != starts.date():
        text = N_("Outside %(earliest)s–%(latest)s where you are: ask for a recording or another group if you cannot.")
        yield Reason("night", text, {"earliest": f"{EARLIEST:%H:%M}", "latest": f"{LATEST:%H:%M}"})


WEEKDAYS = (N_("Monday"), N_("Tuesday"), N_("Wednesday"), N_("Thursday"), N_("Friday"), N_("Saturday"), N_("Sunday"))


def _end_of(day: date, zone: str) -> datetime:
    return resolve(datetime.combine(day + timedelta(days=1), time()), zone).instant


def _week(planned: str) -> tuple[int, int]:
    return _week_of(datetime.strptime(planned, WALL))  # noqa: DTZ007 -- a wall time has no zone by its nature


def _week_of(wall: datetime) -> tuple[int, int]:
    year, week, _day = wall.isocalendar()
    return year, week

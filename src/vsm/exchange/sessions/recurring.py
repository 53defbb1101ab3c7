"""Meetings as calendars know them: one weekly event with exceptions, instead of thirty letters. Pure."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

from vsm.exchange.sessions.rules import Clock, resolve


@dataclass(frozen=True)
class Held:
    """A meeting: the wall time it was planned for and the one it is held at; `title` when it has one of its own."""

    key: UUID
    planned: datetime
    wall: datetime
    minutes: int
    title: str = ""
    cancelled: bool = False


@dataclass(frozen=True)
class Run:
    """A weekly event: its usual first start, how many weeks, weeks without, and the meetings that differ.

    `name` tells it from the other runs of the same course or series, and is the same as long as the plan is. `usual`
    starts are the instances that exceptions refer to; `of` gives each meeting's.
    """

    name: str
    first: datetime
    minutes: int
    title: str
    weeks: int
    without: tuple[datetime, ...]
    moved: tuple[tuple[datetime, Held], ...]
    of: tuple[tuple[UUID, datetime], ...]


def runs(meetings: Sequence[Held], zone: str) -> list[Run]:
    """All meetings, as few weekly events as can be: one when there is at most one meeting a week, else one for each hour.

    A meeting planned at an hour that the clock skips is an event of its own, because a rule leaves such an instance out
    (RFC 5545 §3.3.10).
    """
    plain = [each for each in meetings if resolve(each.planned, zone).clock != Clock.SKIPPED]
    alone = [each for each in meetings if each not in plain]
    weeks = Counter(_monday(each.planned) for each in plain)
    is_one_a_week = all(count == 1 for count in weeks.values())
    lines: dict[Hashable, list[Held]] = defaultdict(list)
    for each in plain:
        lines[0 if is_one_a_week else (each.planned.weekday(), each.planned.time())].append(each)
    found = [_run(line, zone, is_only=is_one_a_week) for _key, line in sorted(lines.items(), key=lambda pair: str(pair[0]))]
    return [*(run for run in found if run), *(_single(each) for each in alone)]


def _run(line: list[Held], zone: str, *, is_only: bool) -> Run | None:
    weekday, starts, minutes = _usual(line)
    by_week = {_monday(each.planned): each for each in line}
    instances = {monday: datetime.combine(monday.date() + timedelta(days=weekday), starts) for monday in by_week}
    first, last = min(instances.values()), max(instances.values())
    title = Counter(each.title for each in line).most_common(1)[0][0]
    weeks = (last - first).days // 7 + 1
    every = [first + timedelta(weeks=week) for week in range(weeks)]
    there = {instances[monday]: each for monday, each in by_week.items()}
    skipped = {each for each in every if resolve(each, zone).clock == Clock.SKIPPED}
    without = tuple(each for each in every if each not in skipped and (each not in there or there[each].cancelled))
    moved = tuple(
        (instance, each) for instance, each in sorted(there.items())
        if not each.cancelled and (each.wall, each.minutes, each.title) != (instance, minutes, title)
    )  # fmt: skip
    name = "" if is_only else f"-{weekday}{starts:%H%M}"
    return Run(name, first, minutes, title, weeks, without, moved, tuple((each.key, instance) for instance, each in sorted(there.items())))


def _single(each: Held) -> Run:
    return Run(f"-{each.planned:%Y%m%dT%H%M}", each.wall, each.minutes, each.title, 1, (), (), ((each.key, each.wall),))


def _usual(line: Iterable[Held]) -> tuple[int, time, int]:
    """The most frequent weekday, start and length; of equals the one that comes first."""
    counts = Counter((each.planned.weekday(), each.planned.time(), each.minutes) for each in sorted(line, key=lambda each: each.planned))
    return counts.most_common(1)[0][0]


def _monday(wall: datetime) -> datetime:
    return datetime.combine(wall.date() - timedelta(days=wall.weekday()), time())

"""The weekly meetings on the reader's clock: when, on which day, how unkindly early or late, and when that changes.

A meeting keeps the host's wall time. What the reader's clock then says depends on both zones' daylight saving rules,
which change on different days: one term may hold three different times.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from vsm.exchange.catalogue.weekly import seen_from

EARLIEST, LATEST = time(6), time(23)
"""Outside these hours people are warned."""

Wall = tuple[int, time, time]
"""Weekday (Monday is 0), from, to: on the host's wall."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A meeting of the first week. `day_shift` is −1 when the reader's day is the one before the host's, +1 after."""

    host: Wall
    weekday: int
    starts: time
    ends: time
    day_shift: int

    @property
    def is_early(self) -> bool:
        return self.starts < EARLIEST

    @property
    def is_late(self) -> bool:
        return not self.is_early and (self.ends > LATEST or self.ends <= self.starts)


@dataclass(frozen=True, slots=True)
class Shift:
    """From the meeting on this day (the reader's) on, everything is so many minutes later; earlier when negative."""

    on: date
    minutes: int


@lru_cache(maxsize=16_384)
def slots(meetings: tuple[Wall, ...], host: str, reader: str, first_day: date) -> tuple[Slot, ...]:
    """The meetings of the first week from `first_day` on, in the order of the reader's week. Zones are IANA names."""
    return tuple(sorted((_slot(wall, host, reader, first_day) for wall in meetings), key=lambda s: (s.weekday, s.starts)))


@lru_cache(maxsize=4_096)
def shifts(meetings: tuple[Wall, ...], host: str, reader: str, first_day: date, last_day: date) -> tuple[Shift, ...]:
    """When within the term the reader's times change, because one of the two clocks does and the other does not."""
    apart = sorted({moment for wall in meetings for moment in _apart(wall, host, reader, first_day, last_day)})
    return tuple(
        Shift(day, later - sooner) for (_day, sooner), (day, later) in pairwise(apart) if later != sooner
    )


def _slot(wall: Wall, host: str, reader: str, first_day: date) -> Slot:
    weekday, starts, ends = wall
    begin, end = seen_from(ZoneInfo(reader), weekday, starts, ends, ZoneInfo(host), first_day)
    return Slot(wall, begin.weekday(), begin.time(), end.time(), (begin.weekday() - weekday + 3) % 7 - 3)


def _apart(wall: Wall, host: str, reader: str, first_day: date, last_day: date) -> Iterator[tuple[date, int]]:
    """For each week the reader's day and how many minutes the reader's wall is ahead of the host's."""
    weekday, starts, _ends = wall
    day = first_day + timedelta(days=(weekday - first_day.weekday()) % 7)
    while day <= last_day:
        there = datetime.combine(day, starts, tzinfo=ZoneInfo(host))
        here = there.astimezone(ZoneInfo(reader))
        yield here.date(), int((here.replace(tzinfo=None) - there.replace(tzinfo=None)).total_seconds()) // 60
        day += timedelta(days=7)

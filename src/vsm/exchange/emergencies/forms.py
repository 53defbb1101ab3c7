"""In which form a course can go on online, and which form suits whom. Pure.

A course's alternatives are ranked once for all its students; what a student is proposed depends on the clock that they
live by and on the seats that are left.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, time, timedelta
from typing import Any

EARLIEST, LATEST = time(6), time(23)
"""Nobody is asked to be in class before or after, on their own wall."""

LATE_START = timedelta(days=21)
"""How long after its beginning a course that is new to somebody can still be joined."""

ENOUGH = 0.9
"""An equivalent may carry a little less work than the course that it stands for: credit systems round differently."""

KINDS = ("online", "asynchronous", "equivalent")
READINESS = ("ready", "confirmed", "asked", "unknown")


@dataclass(frozen=True, kw_only=True)
class Alternative:
    """One form that a course can take.

    `key` names it within its course: an offering's id, or `here` / `here-later` for the host's own course without a run
    in the catalogue (live, or by recordings and tasks). `kind`: the same course `online`, the same `asynchronous`, or an
    `equivalent`. `live` says whether it has meetings that one must attend. `precedents` is how often home has recognised
    this course as the same home course. `seats` is how many were free when counted; None: all who were in class have one.
    `meetings` are (weekday, Monday 0, "HH:MM" from, to) on the wall of `zone`.
    """

    key: str
    kind: str
    code: str
    title: Mapping[str, str]
    language: str
    mode: str
    bandwidth: str
    starts_on: str
    ends_on: str
    offering: str = ""
    host: str = ""
    taught_by: Mapping[str, str] = field(default_factory=dict)
    credits: str = ""
    credit_system: str = ""
    assessment: Mapping[str, str] = field(default_factory=dict)
    precedents: int = 0
    seats: int | None = None
    zone: str = ""
    meetings: tuple[tuple[int, str, str], ...] = ()

    @property
    def is_live(self) -> bool:
        return self.mode != "asynchronous"


def as_json(alternative: Alternative) -> dict[str, Any]:
    return asdict(alternative)


def from_json(kept: Mapping[str, Any]) -> Alternative:
    return Alternative(**{**kept, "meetings": tuple((day, starts, ends) for day, starts, ends in kept.get("meetings", ()))})


def ranked(alternatives: Iterable[Alternative]) -> list[Alternative]:
    """Best first: the same course, then what home has recognised most often, then by the free seats and the code."""
    order = {kind: place for place, kind in enumerate(KINDS)}
    return sorted(alternatives, key=lambda a: (order[a.kind], -a.precedents, -(a.seats or 0), a.code, a.key))


def readiness(alternatives: Sequence[Alternative], *, is_catalogued: bool, is_confirmed: bool) -> str:
    """How far the course itself is from going on online: `ready` has a run in the catalogue, `confirmed` by its host,
    `asked` is known and the host must say, `unknown` is in no catalogue."""
    if any(each.offering and each.kind != "equivalent" for each in alternatives):
        return "ready"
    if is_confirmed:
        return "confirmed"
    return "asked" if is_catalogued else "unknown"


def can_join(*, starts_on: date, ends_on: date, day: date, is_same: bool) -> bool:
    """Whether a run can be joined on a day: the same course while it runs, another one only near its beginning."""
    if ends_on <= day:
        return False
    return is_same or starts_on >= day - LATE_START


def carries_enough(own: tuple[float, str], agreed: tuple[float, str], hours: Mapping[str, float]) -> bool:
    """Whether a course of `own` credits is work enough for the `agreed` ones. `hours`: central hours of one credit by system."""
    mine, theirs = hours.get(own[1]), hours.get(agreed[1])
    if mine is None or theirs is None:
        return False
    return own[0] * mine >= agreed[0] * theirs * ENOUGH


def is_kind_to(slots: Iterable[tuple[time, time]]) -> bool:
    """Whether every weekly meeting, on the reader's wall, lies between 06:00 and 23:00."""
    return all(starts >= EARLIEST and starts < ends <= LATEST for starts, ends in slots)


def proposed(
    alternatives: Sequence[Alternative], *, possible_live: Mapping[str, bool], seats: Mapping[str, int | None]
) -> tuple[Alternative | None, bool]:
    """The form to propose, and whether live sessions had to be avoided for the reader's clock.

    `possible_live`: key → whether its meetings are at hours that a person can attend; `seats`: key → free now (None: no
    limit). A live form at impossible hours gives way to an asynchronous one; if there is none, nothing is proposed
    rather than a class at three in the night.
    """
    open_ones = [each for each in alternatives if seats.get(each.key, each.seats) is None or (seats.get(each.key, each.seats) or 0) > 0]
    fitting = [each for each in open_ones if not each.is_live or possible_live.get(each.key, True)]
    avoided = any(each.is_live and not possible_live.get(each.key, True) for each in open_ones)
    return (fitting[0] if fitting else None), avoided

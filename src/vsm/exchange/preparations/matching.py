"""Who accompanies whom: the best pairing of students with people at the host, explained. Pure.

Every student gets at most one companion, a companion at most their number of places; the sum of the points is the
greatest possible (the assignment problem, by successive shortest paths with potentials: Kuhn 1955, Munkres 1957,
Jonker & Volgenant 1987). The same input gives the same pairing, whatever the order of the rows.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

SAME_FIELD, SAME_LANGUAGE, HOST_LANGUAGE, NEAR_ZONE, WAS_THERE = 3, 4, 2, 1, 1
LEAST = 1
"""Points below which nobody is paired: without a common language two people cannot help each other."""


@dataclass(frozen=True)
class Traveller:
    """A student who prepares. `languages` are codes in which they can talk."""

    id: str
    languages: frozenset[str]
    isced_f: str
    zone: str


@dataclass(frozen=True)
class Companion:
    """Somebody at the host. `kind` is peer or alumni; `places` how many students they would accompany."""

    id: str
    languages: frozenset[str]
    isced_f: str
    zone: str
    kind: str
    places: int


@dataclass(frozen=True)
class Pair:
    student: str
    companion: str
    points: int
    why: tuple[Reason, ...]


def pair_up(
    students: Sequence[Traveller], companions: Sequence[Companion], *, host_language: str, now: datetime, never: Collection[tuple[str, str]] = ()
) -> list[Pair]:  # fmt: skip
    """The pairs of the greatest sum of points, in the order of the students' ids. `never` are (student, companion) who have declined."""
    travellers = sorted(students, key=lambda each: each.id)
    places = [each for each in sorted(companions, key=lambda each: each.id) for _place in range(max(0, each.places))]
    if not travellers or not places:
        return []
    found = [[(0, ()) if (one.id, other.id) in never else judge(one, other, host_language=host_language, now=now) for other in places] for one in travellers]
    # Everybody may also stay without: a column of their own that costs nothing.
    costs = [[-points for points, _why in row] + [0] * len(travellers) for row in found]
    chosen = _cheapest(costs)
    pairs = []
    for row, column in enumerate(chosen):
        if column < len(places) and found[row][column][0] >= LEAST:
            points, why = found[row][column]
            pairs.append(Pair(travellers[row].id, places[column].id, points, why))
    return pairs


def judge(student: Traveller, companion: Companion, *, host_language: str, now: datetime) -> tuple[int, tuple[Reason, ...]]:
    """Points and the reasons for them; none without a common language."""
    common = sorted(student.languages & companion.languages)
    if not common:
        return 0, ()
    points, why = SAME_LANGUAGE, [Reason("language", N_("You share a language: %(languages)s."), {"languages": ", ".join(common)})]
    if host_language in common:
        points += HOST_LANGUAGE
        why.append(Reason("host-language", N_("You can practise the language of the host.")))
    if student.isced_f and student.isced_f[:2] == companion.isced_f[:2]:
        points += SAME_FIELD
        why.append(Reason("field", N_("You study in the same field.")))
    apart = _hours_apart(student.zone, companion.zone, now)
    if apart <= 3:
        points += NEAR_ZONE
        why.append(Reason("zone", N_("Your clocks are %(hours)s hours apart."), {"hours": apart}))
    if companion.kind == "alumni":
        points += WAS_THERE
        why.append(Reason("alumni", N_("This person has been through it: an exchange to or from this host.")))
    return points, tuple(why)


def _hours_apart(one: str, other: str, now: datetime) -> float:
    offsets = [now.astimezone(ZoneInfo(zone)).utcoffset() for zone in (one, other)]
    seconds = [each.total_seconds() if each else 0.0 for each in offsets]
    return abs(seconds[0] - seconds[1]) / 3600


def _cheapest(costs: Sequence[Sequence[int]]) -> list[int]:
    """Row → column of the cheapest complete assignment; there are at least as many columns as rows. O(rows² · columns)."""
    prices = _Prices([0.0] * (len(costs) + 1), [0.0] * (len(costs[0]) + 1), [0] * (len(costs[0]) + 1))
    for row in range(1, len(costs) + 1):
        _place(row, costs, prices)
    answer = [0] * len(costs)
    for column, row in enumerate(prices.taken_by):
        if column and row:
            answer[row - 1] = column - 1
    return answer


@dataclass
class _Prices:
    """The potentials of rows and columns, and column → row; all count from 1, column 0 holds the row being placed."""

    rows: list[float]
    columns: list[float]
    taken_by: list[int]


def _place(row: int, costs: Sequence[Sequence[int]], prices: _Prices) -> None:
    """Find the shortest way to a free column, moving those who stand on it, and keep the prices feasible."""
    columns = range(1, len(prices.columns))
    prices.taken_by[0], column = row, 0
    shortest, came_from, done = [math.inf] * len(prices.columns), [0] * len(prices.columns), [False] * len(prices.columns)
    while prices.taken_by[column]:
        done[column], here = True, prices.taken_by[column]
        for other in columns:
            length = costs[here - 1][other - 1] - prices.rows[here] - prices.columns[other]
            if not done[other] and length < shortest[other]:
                shortest[other], came_from[other] = length, column
        nearest = min((other for other in columns if not done[other]), key=shortest.__getitem__)
        step = shortest[nearest]
        for other in range(len(prices.columns)):
            if done[other]:
                prices.rows[prices.taken_by[other]] += step
                prices.columns[other] -= step
            else:
                shortest[other] -= step
        column = nearest
    while column:
        prices.taken_by[column] = prices.taken_by[came_from[column]]
        column = came_from[column]

"""Breaks in yearly series: where a count jumps or drifts as people do not, and what a decision about it does. Pure.

Two tests propose: a jump of more than half a log point and more than 5,000 students between years; and a CUSUM of the yearly
log changes (Page, 1954, two-sided, in robust standard deviations), which finds a level that moved in several steps. They only
propose: whether a jump is a new definition, a late reporter or a real event, a person decides.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from statistics import median

from vsm.rulebook.reading import parse

JUMP_LOG, JUMP_COUNT = 0.5, 5_000.0
# Page's allowance and threshold, in standard deviations of the yearly change; the deviation is at least 3 %.
ALLOWANCE, THRESHOLD, LEAST_DEVIATION = 0.5, 5.0, 0.03
CUSUM_YEARS = 8


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """`year` is the first at the new level. `before` and `after` are counts, `change` the log of their ratio, `test` jump or
    cusum, `statistic` the CUSUM in standard deviations (for a jump the size of the change)."""

    year: int
    test: str
    before: float
    after: float
    change: float
    statistic: float


@dataclass(frozen=True)
class Decision:
    """What a person decided about a year: flag (the figure stays, marked), splice (what was before is scaled to the new
    level), drop (the year is left out), keep (it is real)."""

    year: int
    decision: str


def jumps(values: Mapping[int, float]) -> list[Evidence]:
    """Changes from one year to the next beyond both thresholds."""
    found = []
    for year, before, after in _changes(values):
        change = math.log(after / before)
        if abs(change) > JUMP_LOG and abs(after - before) > JUMP_COUNT:
            found.append(Evidence(year=year, test="jump", before=before, after=after, change=round(change, 4), statistic=round(abs(change), 4)))
    return found


def drifts(values: Mapping[int, float]) -> list[Evidence]:
    """Alarms of the CUSUM, each dated where its sum began to grow, whose change is beyond the count threshold."""
    steps = [(year, math.log(after / before)) for year, before, after in _changes(values)]
    if len(steps) < CUSUM_YEARS:
        return []
    middle = median(step for _year, step in steps)
    deviation = max(1.4826 * median(abs(step - middle) for _year, step in steps), LEAST_DEVIATION)
    found: list[Evidence] = []
    for sign in (1, -1):
        total, onset, ended = 0.0, 0, 0
        for year, step in steps:
            if total == 0:
                onset = year
            total = max(0.0, total + sign * (step - middle) / deviation - ALLOWANCE)
            if total > THRESHOLD:
                # An alarm right after another is the same drift, going on.
                if found and onset == ended + 1:
                    onset, total = found[-1].year, max(total, found.pop().statistic)
                before, after = values[onset - 1], values[year]
                if abs(after - before) > JUMP_COUNT:
                    ended = year
                    found.append(Evidence(year=onset, test="cusum", before=before, after=after, change=round(math.log(after / before), 4), statistic=round(total, 2)))
                total = 0.0
    return sorted(found, key=lambda each: each.year)


def detected(values: Mapping[int, float]) -> list[Evidence]:
    """Both tests; a year that jumped is not told a second time as a drift."""
    first = jumps(values)
    told = {each.year for each in first}
    return sorted([*first, *{each.year: each for each in drifts(values) if each.year not in told}.values()], key=lambda each: each.year)


def _changes(values: Mapping[int, float]) -> Iterator[tuple[int, float, float]]:
    """(year, value of the year before, value) where both are known and positive."""
    for year in sorted(values):
        before = values.get(year - 1, 0.0)
        if before > 0 and values[year] > 0:
            yield year, before, values[year]


def applied(values: Mapping[int, float], decisions: Iterable[Decision]) -> tuple[dict[int, float], frozenset[int]]:
    """The series as decided, and the years that are marked. Newest break first, so that splices build on each other.

    A splice scales every earlier year by one factor, so that the year of the break has grown by the middle growth of the
    other years; growth within both parts is untouched. Where the year or the one before is missing it can only be marked.
    """
    kept, marked = dict(values), set()
    growth = {year: math.log(after / before) for year, before, after in _changes(values)}
    chosen = sorted(decisions, key=lambda each: -each.year)
    broken = {each.year for each in chosen}
    usual = median([step for year, step in growth.items() if year not in broken] or [0.0])
    for each in chosen:
        if each.decision == "drop":
            kept.pop(each.year, None)
        elif each.decision == "splice" and each.year in growth and each.year in kept:
            factor = math.exp(growth[each.year] - usual)
            kept = {year: value * factor if year < each.year else value for year, value in kept.items()}
            marked |= {year for year in kept if year < each.year}
        elif each.decision in {"flag", "splice"}:
            marked.add(each.year)
    return kept, frozenset(marked & set(kept))


@dataclass(frozen=True)
class Known:
    """A break that is known from the literature or from checking: proposed from the start, never applied by itself."""

    source: str
    series: str
    geo: str
    year: int
    before: float
    after: float
    note: Mapping[str, str]

    def evidence(self) -> Evidence:
        change = math.log(self.after / self.before)
        return Evidence(year=self.year, test="known", before=self.before, after=self.after, change=round(change, 4), statistic=round(abs(change), 4))


@cache
def known_breaks() -> tuple[Known, ...]:
    told = parse(files(__package__).joinpath("breaks.yaml").read_text("utf-8"))["breaks"]
    return tuple(Known(**{**entry, "year": int(entry["year"]), "before": float(entry["before"]), "after": float(entry["after"])}) for entry in told)

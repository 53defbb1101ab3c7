"""What people decided about breaks, carried into what is estimated. Pure.

A decision is about a country; estimates are often about its region, whose total a publisher gives whole. So the country is
changed first (`breaks.applied`), and every total that contains it by the same number of students. In a total a country
whose year was left out stands in with the middle growth of its other years: leaving it out would be a fall that nobody saw.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from itertools import pairwise
from statistics import median
from typing import Any

from vsm.observatory.estimates.counterfactual import Gate
from vsm.observatory.estimates.facts import Fact
from vsm.observatory.geography import countries, published_as, regions
from vsm.observatory.sources.breaks import Decision, applied

Rows = Sequence[Mapping[str, Any]]
Cells = Mapping[int, float]
Decisions = Mapping[str, Sequence[Decision]]
"""Country → what was decided about one series of it."""

CHANGING = ("splice", "drop")


@dataclass(frozen=True)
class Decided:
    """Rows as decided. `marks` is (geo, year) → the decisions behind that figure ("DOM 2022 splice"); `geos` all decisions
    that a geo rests on; `left` what could not be carried out, because the country's own series is not here."""

    rows: list[Mapping[str, Any]]
    marks: Mapping[tuple[str, int], frozenset[str]] = field(default_factory=dict)
    geos: Mapping[str, frozenset[str]] = field(default_factory=dict)
    left: tuple[str, ...] = ()

    def told(self, facts: Iterable[Fact], *, apart: Collection[str] = ()) -> list[Fact]:
        """Facts that rest on a decision name it in `extra["breaks"]`: a plain figure in its year, an estimate always. Those
        whose key fits one of the patterns `apart` rest on other series, which nobody decided about."""
        return [fact if any(fnmatch(fact.key, each) for each in apart) else self._told(fact) for fact in facts]

    def _told(self, fact: Fact) -> Fact:
        plain = fact.design == "descriptive"
        names = self.marks.get((fact.geo, fact.year or 0), frozenset()) if plain else self.geos.get(fact.geo, frozenset())
        return replace(fact, extra={**fact.extra, "breaks": sorted(names)}) if names else fact


def decided(rows: Rows, decisions: Decisions, *, series: str, derived: Collection[str] = ()) -> Decided:
    """`rows` (series, geo, year, value) with the decisions about `series` carried out; with none they are as they came.
    `derived` are series that were computed from it: what is left out of the one is left out of them."""
    if not any(decisions.values()):
        return Decided(list(rows))
    values = _values(rows, series)
    later: dict[str, dict[int, float]] = {geo: dict(cells) for geo, cells in values.items()}
    marks: dict[tuple[str, int], set[str]] = {}
    geos: dict[str, set[str]] = {}
    left: list[str] = []
    for geo, chosen in sorted(decisions.items()):
        names = {each.year: f"{geo} {each.year} {each.decision}" for each in chosen if each.decision != "keep"}
        wholes = [whole for whole in values if whole != geo and _holds(whole, geo)]
        if geo in values:
            later[geo], years = applied(values[geo], chosen)
            moved = _moved(values[geo], later[geo], chosen)
            shifts = {whole: {year: moved(year) for year in values[whole]} for whole in wholes}
            for whole, by in shifts.items():
                for year, students in by.items():
                    later[whole][year] += students
        else:
            years, shifts = frozenset(), {}
            left += [names[each.year] for each in chosen if each.decision in CHANGING]
        for whole in (geo, *wholes):
            place = _ours(whole)
            geos.setdefault(place, set()).update(names.values())
            # A total changes also in years of which the country told nothing.
            for year in {*years, *names, *(year for year, students in shifts.get(whole, {}).items() if students)}:
                marks.setdefault((place, year), set()).update(names.values() if year not in names else {names[year]})
    dropped = {(geo, each.year) for geo, chosen in decisions.items() for each in chosen if each.decision == "drop"}
    kept = [_row(row, later, series) for row in rows if not (row["series"] in derived and (row["geo"], row["year"]) in dropped)]
    return Decided(kept, {key: frozenset(each) for key, each in marks.items()}, {key: frozenset(each) for key, each in geos.items()}, tuple(left))


def carried_out(found: Decided, decisions: Decisions) -> list[Gate]:
    """Whether every decision that changes figures was carried out; no gate where none was made."""
    asked = sum(each.decision in CHANGING for chosen in decisions.values() for each in chosen)
    return [Gate("breaks-applied", not found.left, float(asked - len(found.left)), float(asked))] if asked else []


def _values(rows: Rows, series: str) -> dict[str, dict[int, float]]:
    found: dict[str, dict[int, float]] = {}
    for row in rows:
        if row["series"] == series and row["value"] is not None:
            found.setdefault(row["geo"], {})[int(row["year"])] = float(row["value"])
    return found


def _row(row: Mapping[str, Any], later: Mapping[str, Cells], series: str) -> Mapping[str, Any]:
    if row["series"] != series or row["value"] is None:
        return row
    return {**row, "value": later[row["geo"]].get(int(row["year"]))}


def _ours(geo: str) -> str:
    """A region by its code, as facts name it; a country as it is."""
    region = published_as(geo)
    return region.code if region else geo


def _holds(whole: str, geo: str) -> bool:
    region = published_as(whole)
    return region is not None and geo in countries() and regions()[region.code].holds(countries()[geo])


def _moved(before: Cells, after: Cells, chosen: Sequence[Decision]) -> Any:
    """Year → by how many students a total changes that contains the place, which may itself have estimated missing years."""
    dropped = {each.year for each in chosen if each.decision == "drop"}
    usual = _usual({year: value for year, value in before.items() if year not in dropped})
    years = sorted(before)

    def moved(year: int) -> float:
        if year in dropped and year in before:
            earlier = [known for known in after if known < year]
            return (after[max(earlier)] * math.exp(usual * (year - max(earlier))) if earlier else 0.0) - before[year]
        return _between(after, year, years) - _between(before, year, years)

    return moved


def _usual(values: Cells) -> float:
    """The middle yearly growth in logs."""
    steps = [math.log(values[b] / values[a]) / (b - a) for a, b in pairwise(sorted(values)) if values[a] > 0 and values[b] > 0]
    return median(steps) if steps else 0.0


def _between(values: Cells, year: int, years: Sequence[int]) -> float:
    """A value, or the straight line between its neighbours; outside the known years the nearest one."""
    import bisect

    known = [each for each in years if each in values]
    if not known:
        return 0.0
    at = bisect.bisect_left(known, year)
    if at == len(known) or (at == 0 and known[0] != year):
        return values[known[min(at, len(known) - 1)]]
    if known[at] == year:
        return values[year]
    before, after = known[at - 1], known[at]
    return values[before] + (values[after] - values[before]) * (year - before) / (after - before)

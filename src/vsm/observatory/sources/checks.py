"""What must hold of a file before its figures are believed: totals, hierarchy, doubling, zero against missing. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.observatory.geography import regions

if TYPE_CHECKING:
    import pyarrow

# (geo, year) → students from abroad.
Totals = Mapping[tuple[str, int], float]
# A host below this is left out of comparisons: a few students more or less move its ratio.
COMPARABLE = 1_000
# The middle ratio to UIS that is still called agreement, and the band that is called doubling.
AGREES, DOUBLED = (0.8, 1.25), (1.75, 2.25)
# Hosts of a region may exceed the region's total by this much: vintages differ by about 2.5 %.
ABOVE_REGION = 1.1


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. `fault` says what, why and what next where it does not hold, else None."""

    code: str
    facts: Mapping[str, Any]
    fault: Reason | None = None

    def as_json(self) -> list[Any]:
        return [self.code, self.fault is None, dict(self.facts)]


def faults(checks: Iterable[Check]) -> list[Reason]:
    return [check.fault for check in checks if check.fault]


def each_cell_once(table: "pyarrow.Table") -> Check:
    """No series tells the same place and time twice: repeated cells double totals."""
    import pyarrow.compute as pc

    counted = table.group_by(["series", "geo", "geo2", "year", "day"]).aggregate([([], "count_all")])
    times = counted.filter(pc.greater(counted["count_all"], 1))
    facts: dict[str, Any] = {"cells": counted.num_rows, "repeated": times.num_rows}
    if not times.num_rows:
        return Check("each-cell-once", facts)
    first = times.slice(0, 1).to_pylist()[0]
    text = N_("%(repeated)s cells stand more than once, the first for %(geo)s in %(year)s. A file that repeats cells doubles totals; export it again.")
    return Check("each-cell-once", facts, Reason("cells-repeated", text, {**facts, "geo": first["geo"], "year": first["year"]}))


def no_count_is_negative(table: "pyarrow.Table") -> Check:
    """Students are counted, so no cell is below zero."""
    import pyarrow.compute as pc

    below = table.filter(pc.less(table["value"], 0))
    facts: dict[str, Any] = {"negative": below.num_rows}
    if not below.num_rows:
        return Check("no-count-is-negative", facts)
    first = below.slice(0, 1).to_pylist()[0]
    text = N_("%(negative)s counts are below zero, the first for %(geo)s in %(year)s. No number of students can be; the file is damaged.")
    return Check("no-count-is-negative", facts, Reason("counts-negative", text, {**facts, "geo": first["geo"], "year": first["year"]}))


def host_totals(table: "pyarrow.Table", series: str) -> Totals:
    """Students by host and year, added up over the origins of one series of flows."""
    import pyarrow.compute as pc

    chosen = table.filter(pc.and_(pc.equal(table["series"], series), pc.not_equal(table["geo2"], "")))
    summed = chosen.group_by(["geo2", "year"]).aggregate([("value", "sum")]).to_pylist()
    return {(row["geo2"], row["year"]): row["value_sum"] for row in summed if row["value_sum"] is not None}


def reconciled(found: Totals, published: Totals, *, truncated: bool = False, needed: bool = False) -> Iterator[Check]:
    """Whether totals by host agree with what UIS publishes for the same hosts and years, and stay below its regions.

    `truncated` files leave origins out, so they may be short but never above. `needed`: a copy that nobody vouches for is
    refused where there is nothing to compare it with. The middle ratio decides, not single hosts: their breaks are real.
    """
    ratios = [value / published[key] for key, value in found.items() if published.get(key, 0) >= COMPARABLE]
    facts: dict[str, Any] = {"compared": len(ratios), "ratio": round(median(ratios), 3) if ratios else None}
    yield Check("agrees-with-uis", facts, _disagreement(facts, truncated=truncated) if ratios else None)
    above = list(_above_regions(found, published))
    told = {"regions": above[0][3] if above else _told_regions(found, published), "above": len(above)}
    text = N_("In %(year)s the hosts in %(region)s have %(ratio)s times the students that UIS publishes for the whole region. Something is counted twice, as when a level of study is added to its parts.")
    fault = Reason("region-exceeded", text, {"year": above[0][1], "region": above[0][0], "ratio": f"{above[0][2]:.2f}"}) if above else None
    yield Check("below-the-region", told, fault)
    if needed and not ratios and not told["regions"]:
        missing = N_("Nothing of UIS is loaded with which this copy could be compared. Copies have been wrong by a factor of two: load a release of UIS first, then this file.")
        yield Check("can-be-compared", {}, Reason("nothing-to-compare", missing))


def _disagreement(facts: Mapping[str, Any], *, truncated: bool) -> Reason | None:
    ratio = facts["ratio"]
    told = {**facts, "ratio": f"{ratio:.2f}"}
    if DOUBLED[0] <= ratio <= DOUBLED[1]:
        text = N_("The totals are %(ratio)s times those of UIS (middle of %(compared)s hosts and years): every student is counted twice, as when ISCED 5–8 is added to its parts. Take the file from the publisher and add up one level only.")
        return Reason("totals-doubled", text, told)
    if ratio > AGREES[1] or (ratio < AGREES[0] and not truncated):
        text = N_("The totals are %(ratio)s times those of UIS (middle of %(compared)s hosts and years). Another definition, level or unit? Take the file from the publisher again.")
        return Reason("totals-differ", text, told)
    return None


def _told_regions(found: Totals, published: Totals) -> int:
    years = {year for _geo, year in found}
    return sum((region.published, year) in published for region in regions().values() for year in years)


def _above_regions(found: Totals, published: Totals) -> Iterator[tuple[str, int, float, int]]:
    """(region, year, ratio, how many regions and years were looked at) where hosts add up to more than their region."""
    from vsm.observatory.geography import members

    looked = _told_regions(found, published)
    years = sorted({year for _geo, year in found})
    for code, region in regions().items():
        inside = members(code)
        for year in years:
            total = published.get((region.published, year), 0)
            part = sum(found.get((geo, year), 0.0) for geo in inside)
            if total >= COMPARABLE and part > ABOVE_REGION * total:
                yield region.published, year, part / total, looked

"""Studies of countries: a matched panel, closed hosts against mixtures, closure by its dose, gravity. Pure.

Each gives facts and gates as the others do, and each band comes from what the same method finds where nothing happened:
in earlier years, in other hosts, under shuffled doses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, expm1
from typing import Any

from vsm.kit.i18n import N_
from vsm.observatory.estimates.closure import dose_effect, doses
from vsm.observatory.estimates.counterfactual import TOLERANCE, Gate, effect
from vsm.observatory.estimates.facts import Fact
from vsm.observatory.estimates.series import TooLittle, Yearly, from_rows
from vsm.observatory.estimates.synthetic import Synthetic, synthetic
from vsm.observatory.geography import countries, members, regions
from vsm.observatory.indicators.measures import INBOUND

Rows = Sequence[Mapping[str, Any]]
BASE, YEARS, LEVEL = 2019, (2020, 2021, 2022), 0.9
FIRST = 2005  # the matched panel and the mixtures need every year from here on
LARGE = 1_000
LEAST_SHARE = 0.25  # below it the countries of a panel do not speak for their region
# Hosts whose borders were closed to students for most of 2020 and 2021: what is asked about, and no donors.
CLOSED = ("AUS", "NZL")
NO_DONORS = (*CLOSED, "ARG", "CHL", "COL", "JPN", "ISR", "MNG")


def panel(rows: Rows) -> tuple[list[Fact], list[Gate]]:
    """The gap of each part of the world on the countries alone that report in every year; `coverage` is their share of
    the students that are published for the region in 2019."""
    known = _countries(rows)
    published = {row["geo"]: row["value"] for row in rows if row["series"] == INBOUND and row["year"] == BASE and row["value"]}
    parts = [(code, [known[geo] for geo in sorted(members(code)) if geo in known]) for code, region in regions().items() if region.level < 2]
    series = [_sum(code, inside) for code, inside in parts if inside]
    shares = {one.geo: (one.at(BASE) or 0) / published[name] for one in series if (name := regions()[one.geo].published) in published}
    series = [one for one in series if shares.get(one.geo, 0) >= LEAST_SHARE]
    if not series:
        raise TooLittle("panel-too-small", N_("nowhere do the countries that report in every year from %(first)s to %(last)s hold %(share)s per cent of the students"), first=str(FIRST), last=str(YEARS[-1]), share=round(100 * LEAST_SHARE))
    found = effect(series, base=BASE, years=YEARS, whole="world")
    facts = [
        Fact(key=f"gap.{gap.geo}.{gap.year}", value=gap.value, low=gap.low, high=gap.high, level=gap.level, unit="share", design="counterfactual", geo=gap.geo,
             year=gap.year, source="uis", experimental=found.experimental, coverage=shares.get(gap.geo), extra={"students": gap.students, "measured": gap.coverage})
        for gap in found.gaps
    ]  # fmt: skip
    facts.append(Fact(key="hosts", value=len(known), unit="countries", design="descriptive", source="uis"))
    return facts, list(found.gates)


def mixtures(rows: Rows) -> tuple[list[Fact], list[Gate]]:
    """The gap of each closed host against its synthetic control, with the band of what the same method finds for donors."""
    known = _countries(rows)
    pool = [one for geo, one in known.items() if geo not in NO_DONORS and (one.at(BASE) or 0) > LARGE]
    asked = [known[geo] for geo in CLOSED if geo in known]
    if not asked:
        raise TooLittle("no-closed-host", N_("none of %(places)s reports in every year from %(first)s to %(last)s"), places=", ".join(CLOSED), first=str(FIRST), last=str(YEARS[-1]))
    wrong = _placebos(pool)
    facts: list[Fact] = []
    gates = [Gate("placebos", len(pool) >= 19, float(len(pool)), 19.0)]
    for year in YEARS:
        covered = wrong.covered(year)
        gates.append(Gate(f"coverage-{year - BASE}", covered >= LEVEL - TOLERANCE, covered, LEVEL - TOLERANCE))
    for one in asked:
        found = synthetic(one, pool, first=FIRST, base=BASE, years=YEARS)
        gates.append(Gate(f"misfit-{one.geo}", found.misfit <= 0.1, found.misfit, 0.1))
        facts += [_mixed(found, year, wrong.width(year)) for year in YEARS]
        facts += [Fact(key=f"donor.{one.geo}.{donor}", value=weight, unit="share", design="synthetic-control", geo=donor, source="uis") for donor, weight in found.weights.items()]
    return facts, gates


def _mixed(found: Synthetic, year: int, width: float) -> Fact:
    from math import log1p

    gap = log1p(found.gaps[year])
    return Fact(
        key=f"gap.{found.geo}.{year}", value=found.gaps[year], low=expm1(gap - width), high=expm1(gap + width), level=LEVEL, unit="share", design="synthetic-control",
        geo=found.geo, year=year, source="uis", extra={"p": found.p, "lowest": found.lowest[year], "highest": found.highest[year], "misfit": found.misfit, "placebos": found.placebos},
    )  # fmt: skip


@dataclass(frozen=True)
class Placebos:
    """What the method finds for hosts in which nothing happened: year → host → how far, in log points and without sign."""

    gaps: Mapping[int, Mapping[str, float]]

    def width(self, year: int, without: str = "") -> float:
        """The conformal quantile at LEVEL."""
        found = sorted(gap for geo, gap in self.gaps[year].items() if geo != without)
        return found[min(ceil(LEVEL * (len(found) + 1)), len(found)) - 1]

    def covered(self, year: int) -> float:
        """The share of hosts that the band made without them would have covered."""
        inside = [gap <= self.width(year, geo) for geo, gap in self.gaps[year].items()]
        return sum(inside) / len(inside)


def _placebos(pool: Sequence[Yearly]) -> Placebos:
    from math import log1p

    from vsm.observatory.estimates.synthetic import gaps_of

    gaps = {donor.geo: gaps_of(donor, [each for each in pool if each is not donor], first=FIRST, base=BASE, years=YEARS) for donor in pool}
    return Placebos({year: {geo: abs(log1p(each[year])) for geo, each in gaps.items()} for year in YEARS})


def closure(rows: Rows) -> tuple[list[Fact], list[Gate]]:
    """What full closure changed in 2021 and 2022; the band is what shuffled doses give, and a placebo moves the event to
    2015, when nothing was closed."""
    values: dict[str, dict[int, float]] = {}
    for row in rows:
        if row["series"] == INBOUND and row["geo"] in countries() and row["value"]:
            values.setdefault(row["geo"], {})[row["year"]] = row["value"]
    dose = doses(row for row in rows if row["series"] == "C8")
    found = dose_effect(values, dose)
    earlier = dose_effect(values, dose, first=2006, base=2015, years=(2017, 2018))
    facts = [
        Fact(key="closure.effect", value=found.value, low=found.value - found.width, high=found.value + found.width, level=LEVEL, unit="log-points", design="difference-in-differences",
             source="uis", extra={"p": found.p, "error": found.error, "hosts": found.hosts, "draws": found.draws, "years": list(found.years)}),
        Fact(key="closure.placebo", value=earlier.value, low=earlier.value - earlier.width, high=earlier.value + earlier.width, level=LEVEL, unit="log-points", design="difference-in-differences",
             source="uis", extra={"p": earlier.p, "years": list(earlier.years)}),
        *(Fact(key=f"closure.dose.{geo}", value=share, unit="share", design="descriptive", geo=geo, source="oxcgrt") for geo, share in dose.items() if geo in values),
    ]  # fmt: skip
    gates = [Gate("hosts", found.hosts >= 30, float(found.hosts), 30.0), Gate("placebo-covers-zero", abs(earlier.value) <= earlier.width, abs(earlier.value), earlier.width)]
    return facts, gates


TIES = {"dist": "distance", "contig": "border", "comlang_off": "language", "colony": "colony"}


def gravity(rows: Rows) -> tuple[list[Fact], list[Gate]]:
    """How flows change with distance, border, language and colonial ties: PPML with effects of origins and hosts by year."""
    import numpy as np
    import pandas as pd

    from vsm.observatory.estimates.gravity import ppml

    flows = _largest([row for row in rows if row["series"].startswith("flows") and row["value"] is not None and row["geo"] != row["geo2"]])
    frame = pd.DataFrame(flows, columns=["geo", "geo2", "year", "value"])
    for series, name in TIES.items():
        told = {(row["geo"], row["geo2"]): row["value"] for row in rows if row["series"] == series}
        frame[name] = [told.get(pair) for pair in zip(frame.geo, frame.geo2, strict=True)]
    frame = frame.dropna().astype(dict.fromkeys(("value", *TIES.values()), float))
    frame["distance"] = np.log(frame.distance.clip(lower=1.0))
    for side, column in (("origin", "geo"), ("host", "geo2")):
        frame[f"{side}_year"] = frame[column] + frame.year.astype(str)
    frame["pair"] = frame.geo + frame.geo2
    hosts = frame.geo2.nunique()
    if hosts < 5 or len(frame) < 500:
        raise TooLittle("few-flows", N_("flows are too few (%(flows)s) or go to too few hosts (%(hosts)s)"), flows=len(frame), hosts=hosts)
    fit = ppml(frame, "value", tuple(TIES.values()), ("origin_year", "host_year"), "pair")
    facts = [
        Fact(key=f"gravity.{each.name}", value=each.value, low=each.interval[0], high=each.interval[1], level=0.95, unit="log-points", design="gravity",
             coverage=fit.rows / (fit.rows + fit.dropped), extra={"error": each.error, "rows": fit.rows})
        for each in fit.coefficients
    ]  # fmt: skip
    shuffled = frame.assign(distance=np.random.default_rng(1).permutation(frame.distance.to_numpy()))
    by_chance = ppml(shuffled, "value", tuple(TIES.values()), ("origin_year", "host_year"), "pair").of("distance")
    facts.append(Fact(key="gravity.shuffled-distance", value=by_chance.value, low=by_chance.interval[0], high=by_chance.interval[1], level=0.95, unit="log-points", design="gravity"))
    return facts, [
        Gate("hosts", hosts >= 20, float(hosts), 20.0),
        Gate("zeros-kept", bool((frame.value == 0).any()), float((frame.value == 0).mean()), 0.0),
        Gate("placebo-covers-zero", by_chance.interval[0] <= 0 <= by_chance.interval[1], abs(by_chance.value), 1.96 * by_chance.error),
    ]


def _largest(flows: Rows) -> list[tuple[str, str, int, float]]:
    """Of several matrices the one with most cells: two overlap and are never put together."""
    from collections import Counter

    [(chosen, _times)] = Counter((row["source"], row["series"]) for row in flows).most_common(1) or [(("", ""), 0)]
    return [(row["geo"], row["geo2"], row["year"], row["value"]) for row in flows if (row["source"], row["series"]) == chosen]


def _countries(rows: Rows) -> dict[str, Yearly]:
    """Countries that report in every year from FIRST to the last of YEARS."""
    found = from_rows(row for row in rows if row["series"] == INBOUND and row["geo"] in countries() and row["year"] <= YEARS[-1])
    return {geo: Yearly(geo, FIRST, one.values[FIRST - one.first :]) for geo, one in found.items() if one.first <= FIRST and one.last == YEARS[-1]}


def _sum(geo: str, inside: Sequence[Yearly]) -> Yearly:
    return Yearly(geo, FIRST, tuple(sum(column) for column in zip(*(one.values for one in inside), strict=True)))

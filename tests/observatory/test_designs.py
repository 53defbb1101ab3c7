"""Dose, mixture and fan: each finds what was put in, says how sure it is, and gives the figures that are known of the real data."""

import math
import random
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest

from tests.beside import DATA, UIS, needs
from vsm.observatory.estimates.closure import FROM, UNTIL, dose_effect, doses
from vsm.observatory.estimates.prospects import SCENARIOS, Prospects, prospects
from vsm.observatory.estimates.series import TooLittle, Yearly, from_rows
from vsm.observatory.estimates.synthetic import synthetic

CLOSURES = DATA / "oxcgrt" / "c8_internationaltravel.csv"


def hosts(count: int, effect: float, *, seed: int) -> tuple[dict[str, dict[int, float]], dict[str, float]]:
    rng = random.Random(seed)
    dose = {f"H{number:02}": rng.random() for number in range(count)}
    values = {
        geo: {year: math.exp(8 + rng.gauss(0, 0.05) + 0.03 * (year - 2012) + (effect * dose[geo] if year > 2020 else 0)) for year in range(2012, 2023)}
        for geo in dose
    }
    return values, dose


@cache
def inbound() -> list[dict[str, Any]]:
    from vsm.observatory.sources.loaders import uis_api

    rows = uis_api.read(UIS, lambda _done, _total: None).table.to_pylist()
    return [row for row in rows if row["series"] == "26637"]


def test_a_dose_that_hurts_is_found_and_one_that_does_not_is_not() -> None:
    values, dose = hosts(60, -0.4, seed=1)
    found = dose_effect(values, dose, draws=500)
    assert (found.hosts, abs(found.value + 0.4) < 3 * found.error, found.p < 0.01) == (60, True, True)
    values, dose = hosts(60, 0.0, seed=2)
    assert dose_effect(values, dose, draws=500).p > 0.05


def test_a_dose_needs_every_day_and_counts_only_full_closure() -> None:
    days = [FROM + timedelta(days=number) for number in range((UNTIL - FROM).days + 1)]
    rows = [{"geo": "PER", "day": day, "value": 4.0 if day < date(2020, 10, 1) else 3.0} for day in days]
    rows += [{"geo": "CHL", "day": day, "value": 4.0} for day in days[1:]]
    assert doses(rows) == {"PER": pytest.approx(200 / len(days))}


def test_too_few_hosts_are_no_comparison() -> None:
    values, dose = hosts(12, -0.4, seed=1)
    with pytest.raises(ValueError, match=r"enough years \(12\)"):
        dose_effect(values, dose)


def donors(count: int, *, seed: int) -> list[Yearly]:
    rng = random.Random(seed)
    common = [0.03 * step + 0.05 * math.sin(step / 3) for step in range(18)]
    return [Yearly(f"D{number:02}", 2005, tuple(1000 * math.exp((0.5 + rng.random()) * level + rng.gauss(0, 0.01)) for level in common)) for number in range(count)]


def test_a_mixture_follows_a_host_and_shows_where_it_left() -> None:
    pool = sorted(donors(24, seed=4), key=lambda one: one.values[-1] / one.values[0])
    pool.insert(0, pool.pop(12))  # one that others lie on both sides of
    hit = Yearly("HIT", 2005, tuple(value * (0.6 if 2005 + at >= 2020 else 1.0) for at, value in enumerate(pool[0].values)))
    found = synthetic(hit, pool[1:], first=2005, base=2019, years=(2020, 2021))
    assert found.gaps[2021] == pytest.approx(-0.4, abs=0.06)
    assert found.lowest[2021] <= found.gaps[2021] <= found.highest[2021]
    assert (sum(found.weights.values()) > 0.9, found.p <= 1 / 23, found.placebos) == (True, True, 23)


def test_a_host_in_which_nothing_happened_is_one_of_many() -> None:
    pool = donors(24, seed=4)
    assert synthetic(pool[0], pool[1:], first=2005, base=2019, years=(2020, 2021)).p > 0.05


def test_a_fan_widens_with_the_years_and_regions_make_the_whole() -> None:
    rng = random.Random(9)
    series = []
    for name in ("A", "B", "C"):
        log, values = 8.0, []
        for _year in range(2000, 2023):
            log += 0.04 + rng.gauss(0, 0.05)
            values.append(math.exp(log))
        series.append(Yearly(name, 2000, tuple(values)))
    told = prospects(series, until=2028)
    widths = [told.fan("A", year).bands[0.8][1] / told.fan("A", year).bands[0.8][0] for year in (2023, 2025, 2027)]
    assert widths == sorted(widths)
    assert told.fan("world", 2028).middle == pytest.approx(sum(told.fan(name, 2028).middle for name in "ABC"))
    assert set(told.scenarios) == {scenario.slug for scenario in SCENARIOS}
    assert told.scenarios["as-before"][2028] == (pytest.approx(told.fan("world", 2028).middle), 0.0)


def test_fans_end_where_no_past_forecast_was_as_long_and_none_is_drawn_without_one() -> None:
    def told(years: int) -> Prospects:
        return prospects([Yearly(name, 2000, tuple(100.0 * 1.03**year * (1 + 0.01 * (year % 3)) for year in range(years))) for name in "AB"], until=2030)

    assert [max(fan.year for fan in told(years).fans) - told(years).last for years in (11, 13, 23)] == [1, 3, 8]
    with pytest.raises(TooLittle, match="no past forecast"):
        told(10)


def test_regions_that_end_in_different_years_cannot_be_added() -> None:
    with pytest.raises(ValueError, match="every region needs 2022"):
        prospects([Yearly("A", 2000, (1.0,) * 23), Yearly("B", 2000, (1.0,) * 22)], until=2030)


@needs(UIS, CLOSURES)
def test_closed_borders_cost_students_in_the_real_data_with_the_known_size() -> None:
    from vsm.observatory.sources.loaders import oxcgrt

    days = oxcgrt.read(CLOSURES, lambda _done, _total: None).table
    values: dict[str, dict[int, float]] = {}
    for row in inbound():
        if len(row["geo"]) == 3 and row["value"]:
            values.setdefault(row["geo"], {})[row["year"]] = row["value"]
    dose = doses(days.to_pylist())
    found = dose_effect(values, dose, draws=500)
    assert -0.41 <= found.value <= -0.17
    assert (round(dose["CAN"], 2), found.hosts > 70) == (0.99, True)


@needs(UIS, CLOSURES)
def test_australia_fell_below_its_mixture_and_canada_did_not() -> None:
    series = [one.until(2022) for geo, one in from_rows(inbound()).items() if len(geo) == 3]
    known = {one.geo: one for one in series if one.last == 2022 and one.first <= 2005 and (one.at(2019) or 0) > 1000}
    pool = [one for geo, one in known.items() if geo not in {"AUS", "CAN", "NZL", "ARG", "CHL", "COL", "JPN", "ISR", "MNG"}]
    lost, kept = (synthetic(known[geo], pool, first=2005, base=2019, years=(2020, 2021)) for geo in ("AUS", "CAN"))
    assert -0.55 < lost.gaps[2021] < -0.33
    assert (lost.p < 0.1, kept.p > 0.2) == (True, True)


@needs(UIS, CLOSURES)
def test_the_fan_for_2030_holds_the_published_forecasts() -> None:
    seven = (
        "Sub-Saharan Africa", "Northern Africa and Western Asia", "Central and Southern Asia", "Eastern and South-Eastern Asia",
        "Latin America and the Caribbean", "Oceania", "Europe and Northern America",
    )  # fmt: skip
    known = from_rows(inbound())
    told = prospects([known[f"SDG: {name}"] for name in seven], until=2030)
    low, high = told.fan("world", 2030).bands[0.8]
    assert low < 8.5e6 < high  # QS, July 2025
    assert low < 10e6 < high  # World Education News and Reviews
    assert told.backtest["drift"][5] < told.backtest["naive"][5]


def students(effects: dict[str, float], *, seed: int, noise: float = 0.02) -> list[dict[str, Any]]:
    """Yearly rows of countries that follow a common wave, each changed by its effect from 2020 on, and their regions' totals."""
    from vsm.observatory.geography import countries, regions

    rng = random.Random(seed)
    rows: list[dict[str, Any]] = []
    for geo in sorted(effects):
        lean, level = 0.5 + rng.random(), 9 + rng.random()
        for year in range(2000, 2023):
            log = level + lean * (0.03 * (year - 2000) + 0.04 * math.sin(year / 3)) + rng.gauss(0, noise) + (effects[geo] if year >= 2020 else 0)
            rows.append({"series": "26637", "geo": geo, "geo2": "", "year": year, "day": None, "value": math.exp(log), "source": "uis"})
    for region in regions().values():
        inside = [row for row in rows if row["geo"] in countries() and region.holds(countries()[row["geo"]])]
        for year in sorted({row["year"] for row in inside}):
            total = sum(row["value"] for row in inside if row["year"] == year)
            rows.append({"series": "26637", "geo": region.published, "geo2": "", "year": year, "day": None, "value": total, "source": "uis"})
    return rows


CODES = ["AUS", "NZL", "USA", "CAN", "GBR", "FRA", "DEU", "ITA", "ESP", "PRT", "NLD", "BEL", "AUT", "CHE", "SWE", "NOR", "DNK", "FIN", "POL", "CZE", "HUN", "ROU", "BGR", "GRC", "TUR", "ZAF", "KEN", "GHA", "MAR", "EGY", "IND", "IDN", "MYS", "THA", "PHL", "VNM", "KOR", "PER", "BRA", "MEX", "CRI", "PAN"]


def test_a_closed_host_is_found_against_its_mixture_with_a_band_from_other_hosts() -> None:
    from vsm.observatory.estimates.comparisons import mixtures

    facts, gates = mixtures(students({geo: -0.5 if geo in {"AUS", "NZL"} else 0.0 for geo in CODES}, seed=5))
    told = {fact.key: fact for fact in facts}
    lost = told["gap.AUS.2021"]
    assert (lost.low or 0) <= math.expm1(-0.5) <= (lost.high or 0) < 0
    assert {gate.code: gate.passed for gate in gates if not gate.code.startswith("misfit")} == {"placebos": True, "coverage-1": True, "coverage-2": True, "coverage-3": True}
    assert sum(fact.value or 0 for key, fact in told.items() if key.startswith("donor.AUS.")) > 0.9
    nothing, _gates = mixtures(students(dict.fromkeys(CODES, 0.0), seed=6))
    assert all(fact.covers_zero for fact in nothing if fact.key.startswith("gap.NZL"))
    with pytest.raises(ValueError, match="every year from 2005"):
        mixtures(students({"PER": 0.0}, seed=1))


def test_closure_has_a_placebo_band_and_a_placebo_year_that_finds_nothing() -> None:
    from vsm.observatory.estimates.comparisons import closure

    rng = random.Random(8)
    share = {geo: rng.random() for geo in CODES}
    rows = students({geo: -0.6 * share[geo] for geo in CODES}, seed=8)
    days = [FROM + timedelta(days=number) for number in range((UNTIL - FROM).days + 1)]
    rows += [{"series": "C8", "geo": geo, "geo2": "", "year": day.year, "day": day, "value": 4.0 if number < share[geo] * len(days) else 2.0} for geo in CODES for number, day in enumerate(days)]
    facts, gates = closure(rows)
    told = {fact.key: fact for fact in facts}
    assert told["closure.effect"].value == pytest.approx(-0.6, abs=0.15)
    assert (told["closure.effect"].covers_zero, told["closure.placebo"].covers_zero, [gate.passed for gate in gates]) == (False, True, [True, True])


def test_a_matched_panel_speaks_only_for_regions_that_it_holds() -> None:
    from vsm.observatory.estimates.comparisons import panel

    rows = [row for row in students(dict.fromkeys(CODES, -0.1), seed=3) if not (row["geo"] in {"PER", "BRA", "MEX"} and row["year"] == 2011)]
    facts, _gates = panel(rows)
    told = {fact.key: fact for fact in facts}
    assert (told["hosts"].value, told["gap.oceania.2021"].coverage) == (len(CODES) - 3, pytest.approx(1.0))
    assert 0.25 < (told["gap.latin-america-and-the-caribbean.2021"].coverage or 0) < 0.6
    thin = [row for row in rows if not (row["geo"] in {"CRI", "PAN"} and row["year"] == 2012)]
    assert "gap.latin-america-and-the-caribbean.2021" not in {fact.key for fact in panel(thin)[0]}


@needs(UIS, CLOSURES)
def test_a_straight_line_forecasts_worse_than_last_year_so_its_estimates_stay_experimental() -> None:
    from vsm.observatory.estimates.studies import STUDIES

    told = {kind: STUDIES[kind].run(inbound()) for kind in ("covid-effect", "covid-local-linear", "covid-interrupted")}
    failed = {kind: [gate.code for gate in gates if not gate.passed] for kind, (_facts, gates) in told.items()}
    assert failed == {"covid-effect": [], "covid-local-linear": [], "covid-interrupted": ["better-than-naive"]}
    gaps = {kind: next(fact for fact in facts if fact.key == "gap.australia-and-new-zealand.2021") for kind, (facts, _gates) in told.items()}
    assert (gaps["covid-effect"].value, gaps["covid-local-linear"].value) == (pytest.approx(-0.36, abs=0.015), pytest.approx(-0.37, abs=0.04))
    assert (gaps["covid-effect"].covers_zero, gaps["covid-interrupted"].experimental, gaps["covid-effect"].experimental) == (False, True, False)

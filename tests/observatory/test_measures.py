"""Each measure against a small table worked out by hand, and against figures that were published."""

import math
from collections.abc import Sequence
from typing import Any

import ibis
import pandas as pd
import pytest

from tests.beside import UIS, needs
from vsm.observatory.geography import members
from vsm.observatory.indicators import measures
from vsm.observatory.sources.loaders import uis_api


def table(rows: Sequence[dict[str, Any]]) -> ibis.Table:
    return ibis.memtable(pd.DataFrame(rows))


def observed(rows: Sequence[tuple[str, str, int, float | None]]) -> ibis.Table:
    """Observations in the one shape from (series, geo, year, value)."""
    cells = [{"series": s, "geo": g, "geo2": "", "year": y, "value": v, "qualifier": "", "magnitude": ""} for s, g, y, v in rows]
    return ibis.memtable(pd.DataFrame(cells)).mutate(day=ibis.null("date"), year=lambda t: t.year.cast("int16"))


def told(expression: ibis.Table, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in expression.to_pyarrow().to_pylist()]


def test_outbound_is_published_or_follows_from_inbound_and_net() -> None:
    obs = observed([("26637", "PER", 2019, 100.0), ("MENF.5T8", "PER", 2019, -40.0), ("26637", "CHL", 2019, 9.0), ("OE.5T8.40510", "CHL", 2019, 7.0)])
    assert sorted(told(measures.outbound(obs), "geo", "year", "value")) == [("CHL", 2019, 7.0), ("PER", 2019, 140.0)]


def test_growth_is_that_of_those_who_report_in_both_years() -> None:
    values = measures.inbound(observed([("26637", "A", 2019, 100.0), ("26637", "A", 2020, 110.0), ("26637", "B", 2020, 990.0), ("26637", "C", 2020, None)]))
    assert told(measures.matched_growth(values, ["A", "B", "C"]), "year", "value", "coverage") == [(2020, pytest.approx(0.1), pytest.approx(0.1))]


def test_what_is_not_listed_bounds_the_share_that_stays() -> None:
    flows = table([{"geo": "PER", "geo2": d, "year": 2018, "value": v} for d, v in (("CHL", 30.0), ("USA", 50.0))])
    totals = table([{"geo": "PER", "year": 2018, "value": 100.0}])
    region = ["PER", "CHL"]
    assert told(measures.intraregional(flows, region, totals), "low", "high", "coverage") == [(pytest.approx(0.3), pytest.approx(0.5), pytest.approx(0.8))]
    assert told(measures.intraregional(flows, region), "value") == [(pytest.approx(0.375),)]


def test_concentration_is_0_to_1_and_knows_even_from_uneven() -> None:
    even = table([{"geo": g, "year": 2020, "value": 10.0} for g in "ABCDEFGH"])
    [(hhi, top5, entropy, gini)] = told(measures.concentration(even), "hhi", "top5", "entropy", "gini")
    assert (hhi, top5, entropy, gini) == (pytest.approx(1 / 8), pytest.approx(5 / 8), pytest.approx(1.0), pytest.approx(0.0, abs=1e-12))
    uneven = table([{"geo": "A", "year": 2020, "value": 90.0}, {"geo": "B", "year": 2020, "value": 10.0}])
    [(hhi, gini)] = told(measures.concentration(uneven), "hhi", "gini")
    assert (hhi, gini) == (pytest.approx(0.82), pytest.approx(0.4))


def test_concentration_of_many_regions_at_once_is_that_of_each_alone() -> None:
    rows = [{"geo": geo, "year": year, "value": value + year % 7} for geo, value in (("A", 90.0), ("B", 10.0), ("C", 4.0)) for year in (2019, 2020)]
    columns = ("year", "hhi", "top5", "entropy", "gini", "coverage")
    regions = {"all": "ABC", "some": "BC"}
    together = measures.concentration(table([{**row, "region": code} for code, held in regions.items() for row in rows if row["geo"] in held]), of=("region",))
    for code, held in regions.items():
        alone = measures.concentration(table([row for row in rows if row["geo"] in held]))
        assert told(together.filter(together.region == code), *columns) == [tuple(map(pytest.approx, row)) for row in told(alone, *columns)]


def test_the_balance_tells_drain_from_circulation() -> None:
    inward, outward = (table([{"geo": "PER", "year": 2019, "value": v, "coverage": 1.0}]) for v in (100.0, 300.0))
    assert told(measures.balance(inward, outward), "net", "ratio", "circulation") == [(-200.0, pytest.approx(1 / 3), pytest.approx(0.5))]
    [(low, high, value)] = told(measures.stay_adjusted_loss(outward, (0.11, 0.64)), "low", "high", "value")
    assert (low, high, value) == (33.0, 192.0, None)


def test_parity_is_symmetric_about_1_and_the_concentration_index_about_0() -> None:
    rates = table([{"series": s, "geo": "PER", "year": 2019, "value": v} for s, v in (("poor", 10.0), ("rich", 40.0))])
    assert told(measures.parity(rates, "poor", "rich"), "value") == [(0.25,)]
    assert told(measures.parity(rates, "rich", "poor"), "value") == [(1.75,)]
    quintiles = table([{"series": f"q{n}", "geo": "PER", "year": 2019, "value": float(n)} for n in range(1, 6)])
    [(lean,)] = told(measures.concentration_index(quintiles, [f"q{n}" for n in range(1, 6)]), "value")
    assert lean == pytest.approx(2 * (sum(n * (n - 0.5) / 5 for n in range(1, 6)) / 5 - 3 * 0.5) / 3)
    assert told(measures.concentration_index(quintiles, [f"q{n}" for n in range(1, 7)]), "value") == []


def test_carbon_avoided_is_a_range_and_may_be_none_at_all() -> None:
    flows = table([{"year": 2026, "value": 100.0, "km": 5000.0}])
    [(value, low, high)] = told(measures.carbon_avoided(flows, hours=60), "value", "low", "high")
    assert value is None
    assert high == pytest.approx(100 * 5095 * 2 * 2 * 150 * 0.5 / 1e6 - 100 * 60 * 60 / 1e6)
    assert low == pytest.approx(100 * 5095 * 2 * 88 * 0.05 / 1e6 - 100 * 60 * 1000 / 1e6)


@needs(UIS)
def test_the_balances_of_latin_america_in_2019_are_the_published_ones() -> None:
    taken = uis_api.read(UIS, lambda _done, _total: None)
    obs = ibis.memtable(taken.table)
    found = measures.balance(measures.inbound(obs), measures.outbound(obs))
    region = members("latin-america-and-the-caribbean")
    rows = {row["geo"]: row for row in found.filter(found.year == 2019).to_pyarrow().to_pylist() if row["geo"] in region and row["net"] is not None}
    assert {code: round(rows[code]["net"]) for code in ("ARG", "BRA", "COL", "ECU")} == {"ARG": 107_146, "BRA": -59_908, "COL": -47_847, "ECU": -17_494}
    assert {code: round(rows[code]["ratio"], 2) for code in ("ARG", "COL")} == {"ARG": 12.67, "COL": 0.10}


@needs(UIS)
def test_where_students_are_is_less_concentrated_than_it_was() -> None:
    taken = uis_api.read(UIS, lambda _done, _total: None)
    values = measures.inbound(ibis.memtable(taken.table))
    found = {row["year"]: row for row in measures.concentration(values.filter(values.geo.length() == 3)).to_pyarrow().to_pylist()}
    assert (round(found[2000]["gini"], 3), round(found[2018]["gini"], 3)) == (0.743, 0.770)
    assert not math.isnan(found[2021]["hhi"])


def test_the_share_of_those_who_came_carries_what_rounding_and_few_people_leave_open() -> None:
    rows = [("events.registered", "PER", 2026, 100.0), ("events.attended", "PER", 2026, 60.0), ("events.registered", "CHL", 2026, 20.0), ("events.attended", "CHL", 2026, None)]
    found = {row[0]: row[1:] for row in told(measures.turnout(observed(rows)), "geo", "value", "low", "high", "coverage")}
    value, low, high, coverage = found["PER"]
    # Wilson of 58 of 102 from below and of 62 of 98 from above, worked out by hand.
    assert (value, coverage, round(low, 3), round(high, 3)) == (0.6, 1.0, 0.472, 0.721)
    assert found["CHL"] == (None, None, None, 0.0)

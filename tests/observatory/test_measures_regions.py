"""A user's own regions flow through every regional measure; what is merged, missing or withheld is never summed as if it were known."""

import csv
import json
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pytest

from tests.beside import DATA, needs
from vsm.kit.errors import Invalid
from vsm.observatory.geography import countries, sets
from vsm.observatory.indicators import computed, measures

CODES = DATA / "codes"
ANDES = """
name: Andean Community
regions:
  andes: {name: Andean countries, countries: [BOL, COL, ECU, PER, {geo: VEN, since: 1973, until: 2005}]}
  south: [ARG, CHL, URY]
"""


def table(rows: list[dict[str, Any]]) -> ibis.Table:
    return ibis.memtable(pd.DataFrame(rows))


def yearly(cells: dict[tuple[str, int], float], merged: frozenset[str] = frozenset()) -> ibis.Table:
    return table([{"geo": geo, "year": year, "value": value, "merged": geo in merged} for (geo, year), value in cells.items()])


def told(expression: ibis.Table, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(None if pd.isna(row[name]) else row[name] for name in names) for row in expression.to_pyarrow().to_pylist()]


@pytest.fixture
def andes(tmp_path: Path) -> sets.RegionSet:
    path = tmp_path / "andes.yaml"
    path.write_text(ANDES, "utf-8")
    return sets.read(path)


def test_a_grouping_is_read_from_yaml_or_csv_alike(andes: sets.RegionSet, tmp_path: Path) -> None:
    path = tmp_path / "Andean Community.csv"
    path.write_text("region,geo,since,until\nandes,BOL,,\nandes,COL,,\nandes,ECU,,\nandes,PER,,\nandes,VEN,1973,2005\nsouth,ARG,,\nsouth,CHL,,\nsouth,URY,,\n", "utf-8")
    found = sets.read(path)
    assert (found.name, found.memberships) == (andes.name, andes.memberships)
    assert (andes.codes, andes.names, andes.members("andes", 2005) - andes.members("andes", 2006)) == (["andes", "south"], {"andes": "Andean countries"}, {"VEN"})


def test_every_fault_of_a_grouping_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("regions:\n  a: [PER, Peru, PER]\n  '<b>': [CHL]\n  c: [{geo: BOL, since: 2010, until: 2000}]\n  d: []\n", "utf-8")
    with pytest.raises(Invalid) as caught:
        sets.read(path)
    assert sorted(reason.code for reason in caught.value.reasons) == ["region-country", "region-country", "region-twice", "region-unnamed", "region-years"]
    for text in ("regions: 3\n", "- a\n", "regions: {a: PER}\n", ""):
        path.write_text(text, "utf-8")
        with pytest.raises(Invalid) as caught:
            sets.read(path)
        assert [reason.code for reason in caught.value.reasons] == ["regions-unreadable"]


def test_sums_by_region_tell_who_is_missing_and_follow_who_belongs_when(andes: sets.RegionSet) -> None:
    values = yearly({("BOL", 2005): 1.0, ("COL", 2005): 2.0, ("ECU", 2005): 3.0, ("PER", 2005): 4.0, ("VEN", 2005): 5.0, ("VEN", 2006): 9.0, ("PER", 2006): 4.0, ("ARG", 2005): 7.0, ("CHL", 2005): 8.0, ("URY", 2005): 9.0})
    assert told(measures.by_region(values, andes), "geo", "year", "value", "low", "high", "coverage") == [
        ("andes", 2005, 15.0, 15.0, 15.0, 1.0), ("andes", 2006, 4.0, 4.0, None, pytest.approx(0.2)), ("south", 2005, 24.0, 24.0, 24.0, 1.0),
    ]  # fmt: skip
    enrolment = yearly({("BOL", 2006): 10.0, ("COL", 2006): 30.0, ("PER", 2006): 60.0})
    assert told(measures.by_region(values, andes, enrolment).filter(lambda t: t.year == 2006), "geo", "coverage") == [("andes", pytest.approx(0.6))]


def test_growth_and_the_share_that_stays_are_told_for_each_region_of_a_set(andes: sets.RegionSet) -> None:
    values = yearly({("PER", 2019): 100.0, ("PER", 2020): 110.0, ("COL", 2020): 990.0, ("CHL", 2019): 10.0, ("CHL", 2020): 5.0})
    assert told(measures.matched_growth(values, andes), "geo", "year", "value", "coverage") == [("andes", 2020, pytest.approx(0.1), pytest.approx(0.1)), ("south", 2020, pytest.approx(-0.5), 1.0)]
    flows = table([{"geo": o, "geo2": d, "year": y, "value": v} for o, d, y, v in (("PER", "COL", 2018, 30.0), ("PER", "CHL", 2018, 20.0), ("CHL", "ARG", 2018, 5.0), ("CHL", "USA", 2018, 15.0), ("PER", "VEN", 2004, 8.0), ("PER", "VEN", 2018, 50.0))])
    totals = table([{"geo": g, "year": y, "value": v} for g, y, v in (("PER", 2018, 200.0), ("CHL", 2018, 20.0), ("PER", 2004, 8.0))])
    assert told(measures.intraregional(flows, andes, totals), "geo", "year", "low", "high", "coverage") == [
        ("andes", 2004, 1.0, 1.0, 1.0), ("andes", 2018, pytest.approx(0.15), pytest.approx(0.65), pytest.approx(0.5)), ("south", 2018, pytest.approx(0.25), pytest.approx(0.25), 1.0),
    ]  # fmt: skip


def test_merged_cells_are_told_and_never_summed() -> None:
    cells = [{"series": "26637", "geo": g, "geo2": "", "year": 2019, "value": v, "magnitude": m} for g, v, m in (("PER", 10.0, ""), ("COL", 40.0, "INCLUDES"), ("ECU", 0.0, "INCLUDED"), ("BOL", 0.0, "NIL"))]
    obs = table(cells).mutate(day=ibis.null("date"))
    values = measures.inbound(obs)
    assert sorted(told(values, "geo", "value", "merged")) == [("BOL", 0.0, False), ("COL", 40.0, True), ("ECU", 0.0, True), ("PER", 10.0, False)]
    assert told(measures.by_region(values, ["PER", "COL", "ECU", "BOL"]), "value", "coverage") == [(10.0, 0.5)]
    assert told(measures.concentration(values), "geos", "coverage") == [(1, pytest.approx(0.2))]
    pairs = [{"series": "flows", "geo": "PER", "geo2": d, "year": 2019, "value": v, "magnitude": m} for d, v, m in (("CHL", 5.0, ""), ("USA", 9.0, "INCLUDES"), ("PER", 7.0, ""))]
    assert told(computed.flows_of(table(pairs).mutate(day=ibis.null("date")), "flows"), "geo2", "value") == [("CHL", 5.0)]


def test_a_matched_panel_has_the_same_members_in_every_year() -> None:
    values = yearly({("PER", 2019): 1.0, ("PER", 2020): 2.0, ("PER", 2021): 3.0, ("COL", 2020): 6.0, ("COL", 2021): 1.0})
    assert sorted(told(measures.matched(values, 2019, 2021), "geo", "year", "value", "coverage")) == [("PER", 2019, 1.0, 1.0), ("PER", 2020, 2.0, 0.25), ("PER", 2021, 3.0, 0.75)]


def test_the_published_net_flow_is_checked_against_both_ways() -> None:
    cells = [{"series": s, "geo": "PER", "geo2": "", "year": 2019, "value": v, "magnitude": ""} for s, v in (("26637", 100.0), ("MENF.5T8", -40.0), ("OE.5T8.40510", 141.0))]
    assert told(measures.identity(table(cells).mutate(day=ibis.null("date"))), "geo", "year", "value") == [("PER", 2019, -1.0)]


def test_a_parity_of_a_survey_has_an_interval_and_one_of_a_register_has_none() -> None:
    rates = table([{"series": s, "geo": "PER", "year": 2019, "value": v} for s, v in (("rural", 20.0), ("urban", 40.0))])
    [(value, low, high)] = told(measures.parity(rates, "rural", "urban", asked=400), "value", "low", "high")
    assert (value, low, high) == (0.5, pytest.approx(0.5 / 1.2584, rel=1e-3), pytest.approx(0.5 * 1.2584, rel=1e-3))
    assert told(measures.parity(rates, "rural", "urban"), "low", "high") == [(0.5, 0.5)]
    [(value, low, high)] = told(measures.parity(rates, "urban", "rural", asked=400), "value", "low", "high")
    assert (value, low, high) == (1.5, pytest.approx(2 - 1.2584 / 2, rel=1e-3), pytest.approx(2 - 0.5 / 1.2584, rel=1e-3))


def test_without_the_poorest_fifth_the_concentration_index_is_a_range_that_holds_the_truth() -> None:
    whole = [{"series": f"q{n}", "geo": "PER", "year": 2019, "value": float(5 * n)} for n in range(1, 6)]
    steps = [f"q{n}" for n in range(1, 6)]
    [(truth, low, high)] = told(measures.concentration_index(table(whole), steps), "value", "low", "high")
    assert low == high == truth
    [(value, low, high, coverage)] = told(measures.concentration_index(table(whole[1:]), steps), "value", "low", "high", "coverage")
    assert (value, low < truth < high, coverage) == (None, True, pytest.approx(0.8))
    assert told(measures.concentration_index(table([whole[0], *whole[2:]]), steps), "value") == []


def test_what_is_withheld_widens_the_dissimilarity() -> None:
    whole = table([{"year": 2026, "group": g, "one": a, "other": b} for g, a, b in (("w", 0.6, 0.5), ("m", 0.4, 0.5))])
    assert told(measures.dissimilarity(whole), "value", "low", "high", "coverage") == [(pytest.approx(0.1), pytest.approx(0.1), pytest.approx(0.1), pytest.approx(1.0))]
    part = table([{"year": 2026, "group": "w", "one": 0.6, "other": 0.5}])
    [(low, high, coverage)] = told(measures.dissimilarity(part), "low", "high", "coverage")
    assert (low, high, coverage) == (pytest.approx(0.1), pytest.approx(0.05 + 0.45), 0.5)


def test_carbon_tells_the_share_of_students_whose_way_is_known() -> None:
    flows = table([{"year": 2026, "value": 300.0, "km": 5000.0}, {"year": 2026, "value": 100.0, "km": None}])
    [(low, high, coverage)] = told(measures.carbon_avoided(flows, hours=60), "low", "high", "coverage")
    assert (low < high, coverage) == (True, 0.75)


def test_the_world_banks_list_gives_income_groups_and_regions_and_no_aggregates(tmp_path: Path) -> None:
    def country(code: str, region: tuple[str, str], income: tuple[str, str]) -> dict[str, Any]:
        return {"id": code, "name": code, "region": {"id": region[0], "value": region[1]}, "incomeLevel": {"id": income[0], "value": income[1]}}

    latin, none = ("LCN", "Latin America & Caribbean "), ("NA", "Aggregates")
    told = [country("PER", latin, ("UMC", "Upper middle income")), country("CHL", latin, ("HIC", "High income")), country("ARB", none, ("NA", "Aggregates")), country("XKX", ("ECS", "Europe & Central Asia"), ("UMC", "Upper middle income"))]
    path = tmp_path / "country.json"
    path.write_text(json.dumps([{"page": 1, "pages": 1, "per_page": "400", "total": 4}, told]))
    found = sets.read(path)
    assert ({code: found.members(code) for code in found.codes}, found.names["HIC"]) == ({"HIC": {"CHL"}, "UMC": {"PER"}}, "High income")
    assert sets.read(path, by="region").members("LCN") == {"PER", "CHL"}
    path.write_text(json.dumps([{"page": 1, "pages": 6, "per_page": "50", "total": 296}, told]))
    with pytest.raises(Invalid):
        sets.read(path)


def test_classes_by_year_are_memberships_of_that_year(tmp_path: Path) -> None:
    path = tmp_path / "income.csv"
    path.write_text("Entity,Year,Income class\nChile,2011,Upper-middle\nChile,2012,High\nCote d'Ivoire,2012,Lower-middle\nKosovo,2012,Lower-middle\nSaint Lucia,2012,Upper-middle\n", "utf-8")
    found = sets.read(path)
    assert (found.members("Upper-middle", 2011), found.members("High", 2012), found.members("High", 2011), found.members("Lower-middle")) == ({"CHL"}, {"CHL"}, set(), {"CIV"})
    path.write_text("Entity,Year,Income class\nAtlantis,2011,High\n", "utf-8")
    with pytest.raises(Invalid) as caught:
        sets.read(path)
    assert [reason.params["geo"] for reason in caught.value.reasons] == ["Atlantis"]


@needs(CODES)
def test_codes_and_regions_are_those_of_the_real_tables() -> None:
    def padded(code: str) -> str:
        return code.zfill(3) if code else ""

    rows = {row["ISO3166-1-Alpha-3"]: row for row in csv.DictReader((CODES / "country-codes.csv").read_text("utf-8").splitlines())}
    ours = {code: (each.m49, each.region, each.subregion, each.intermediate, frozenset(each.groups)) for code, each in countries().items()}
    flags = {"LDC": "Least Developed Countries (LDC)", "LLDC": "Land Locked Developing Countries (LLDC)", "SIDS": "Small Island Developing States (SIDS)"}
    theirs = {
        code: (*(padded(row[name]) for name in ("M49", "Region Code", "Sub-region Code", "Intermediate Region Code")), frozenset(group for group, name in flags.items() if row[name].strip()))
        for code, row in rows.items()
    }  # fmt: skip
    assert ours == theirs
    bank = sets.read(CODES / "worldbank_regions_2017.csv")
    assert (len(bank.codes), sum(len(bank.members(code)) for code in bank.codes)) == (7, 215)
    assert bank.members("South Asia") == {"AFG", "BGD", "BTN", "IND", "LKA", "MDV", "NPL", "PAK"}

"""A decision about a break changes what is estimated, for the place and for every total that holds it; a proposal changes nothing."""

import math
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils import translation

from tests.beside import UIS, needs
from vsm.exchange.institutions.models import Hub
from vsm.kit.actors import Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.saying import say_reasons
from vsm.observatory.estimates.actions import run_study
from vsm.observatory.estimates.counterfactual import effect
from vsm.observatory.estimates.decided import carried_out, decided
from vsm.observatory.estimates.queries import facts_of, source_choices
from vsm.observatory.estimates.series import from_rows
from vsm.observatory.sources import actions
from vsm.observatory.sources.breaks import Decision
from vsm.observatory.sources.models import SeriesBreak

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
OLGA = Actor(None, "Olga", is_operator=True)
LAC, WORLD = "SDG: Latin America and the Caribbean", "SDG: World"
SEVEN = (
    "Sub-Saharan Africa", "Northern Africa and Western Asia", "Central and Southern Asia", "Eastern and South-Eastern Asia",
    "Latin America and the Caribbean", "Oceania", "Europe and Northern America",
)  # fmt: skip


def cells() -> list[tuple[str, int, float]]:
    """Regions that grow by 4 % with a wave of their own; in Latin America the Dominican Republic counts four times as many from 2022 on."""
    found = []
    for year in range(2000, 2023):
        parts = {f"SDG: {name}": 100_000 * (2 + number) * math.exp(0.04 * (year - 2000) + 0.02 * math.sin(year * (number + 1))) for number, name in enumerate(SEVEN)}
        dom = 10_000 * math.exp(0.04 * (year - 2000)) * (4 if year >= 2022 else 1)
        parts[LAC] += dom
        found += [*((geo, year, float(round(value))) for geo, value in parts.items()), ("DOM", year, float(round(dom)))]
        found.append((WORLD, year, sum(float(round(value)) for value in parts.values())))
    return found


def rows() -> list[dict[str, object]]:
    return [{"series": "26637", "geo": geo, "year": year, "value": value} for geo, year, value in cells()]


def value(found: list[dict[str, object]], geo: str, year: int) -> float | None:
    [one] = [row["value"] for row in found if (row["geo"], row["year"]) == (geo, year)]
    return one  # type: ignore[return-value]  # -- rows are of any


def test_nothing_decided_nothing_changed() -> None:
    assert decided(rows(), {}, series="26637").rows == rows()
    kept = decided(rows(), {"DOM": [Decision(2022, "keep")]}, series="26637")
    assert (kept.rows, set().union(*kept.marks.values())) == (rows(), set())
    flagged = decided(rows(), {"DOM": [Decision(2022, "flag")]}, series="26637")
    assert (flagged.rows, flagged.marks[("world", 2022)]) == (rows(), frozenset({"DOM 2022 flag"}))


def test_a_splice_lifts_the_years_before_in_every_total_by_the_same_students() -> None:
    found = decided(rows(), {"DOM": [Decision(2022, "splice")]}, series="26637")
    before, after = value(rows(), "DOM", 2010) or 0, value(found.rows, "DOM", 2010) or 0
    assert after / before == pytest.approx(4, rel=0.01)
    for whole in (LAC, WORLD):
        assert (value(found.rows, whole, 2010) or 0) - (value(rows(), whole, 2010) or 0) == pytest.approx(after - before)
        assert value(found.rows, whole, 2022) == value(rows(), whole, 2022)
    assert value(found.rows, "SDG: Oceania", 2010) == value(rows(), "SDG: Oceania", 2010)


def test_a_total_names_the_decision_in_every_year_that_it_moved_also_where_the_country_told_nothing() -> None:
    holed = [row for row in rows() if (row["geo"], row["year"]) != ("DOM", 2010)]
    found = decided(holed, {"DOM": [Decision(2022, "splice")]}, series="26637")
    moved = {year for year in range(2000, 2023) if value(holed, LAC, year) != value(found.rows, LAC, year)}
    assert moved == set(range(2000, 2022))
    assert {year for place, year in found.marks if place == "latin-america-and-the-caribbean"} == {*moved, 2022}


def test_a_year_left_out_is_a_hole_in_the_place_and_its_usual_growth_in_the_total() -> None:
    found = decided(rows(), {"DOM": [Decision(2022, "drop")]}, series="26637")
    assert value(found.rows, "DOM", 2022) is None
    gone = (value(rows(), LAC, 2022) or 0) - (value(found.rows, LAC, 2022) or 0)
    assert gone == pytest.approx(0.75 * (value(rows(), "DOM", 2022) or 0), rel=0.01)


def test_the_parts_still_make_the_world_after_every_decision() -> None:
    for what in ("splice", "drop"):
        found = decided(rows(), {"DOM": [Decision(2022, what)]}, series="26637").rows
        for year in (2005, 2021, 2022):
            assert sum(value(found, f"SDG: {name}", year) or 0 for name in SEVEN) == pytest.approx(value(found, WORLD, year))


def test_without_the_countrys_own_figures_a_decision_stays_open_and_a_gate_says_so() -> None:
    totals = [row for row in rows() if row["geo"] != "DOM"]
    chosen = {"DOM": [Decision(2022, "drop")]}
    found = decided(totals, chosen, series="26637")
    assert (found.rows, found.left, [gate.passed for gate in carried_out(found, chosen)]) == (totals, ("DOM 2022 drop",), [False])
    assert carried_out(decided(rows(), chosen, series="26637"), chosen)[0].passed
    assert carried_out(decided(totals, {}, series="26637"), {}) == []


@pytest.fixture
def hub(db: None) -> Hub:
    found = Hub(name="OpenVSM", contact="olga@hub.example")
    found.save()
    return found


def written(folder: Path, name: str, head: str, lines: list[str]) -> Path:
    path = folder / name
    path.write_text(head + "".join(f"{line}\n" for line in lines), "utf-8")
    return path


def test_an_operators_decision_makes_a_new_run_and_taking_it_back_gives_the_old_one(hub: Hub, tmp_path: Path) -> None:
    path = written(tmp_path, "uis.csv", "indicatorId,geoUnit,year,value,qualifier,magnitude\n", [f"26637,{geo},{year},{value},," for geo, year, value in cells()])
    actions.load(path, by=OLGA, now=NOW)
    key = "gap.latin-america-and-the-caribbean.2022"
    first = run_study(hub, by=OLGA, now=NOW, kind="covid-effect")
    jump = SeriesBreak.objects.get(geo="DOM", year=2022)
    actions.flag(jump, by=OLGA, now=NOW, because="Four times as many in a year.")
    flagged = run_study(hub, by=OLGA, now=NOW, kind="covid-effect")
    assert (facts_of(flagged)[key].value, facts_of(flagged)[key].extra["breaks"]) == (facts_of(first)[key].value, ["DOM 2022 flag"])
    jump.refresh_from_db()
    actions.reconsider(jump, by=OLGA, now=NOW, because="A better way is known.")
    jump.refresh_from_db()
    actions.drop(jump, by=OLGA, now=NOW, because="Another definition.")
    dropped = run_study(hub, by=OLGA, now=NOW, kind="covid-effect")
    assert (facts_of(first)[key].value or 0) - (facts_of(dropped)[key].value or 0) == pytest.approx(0.05, abs=0.005)
    assert (facts_of(first)[key].extra.get("breaks"), facts_of(dropped)["gap.world.2022"].extra["breaks"], facts_of(dropped)["gap.sub-saharan-africa.2022"].extra.get("breaks")) == (None, ["DOM 2022 drop"], None)
    assert (dropped.parameters["breaks"], "breaks" in first.parameters) == (["DOM 2022 drop"], False)
    jump.refresh_from_db()
    actions.reconsider(jump, by=OLGA, now=NOW, because="The ministry corrected its answer.")
    assert run_study(hub, by=OLGA, now=NOW, kind="covid-effect").pk == first.pk


def test_what_follows_from_other_series_names_no_break_in_the_counts(hub: Hub, tmp_path: Path) -> None:
    actions.ship_region(now=NOW)
    path = written(tmp_path, "uis.csv", "indicatorId,geoUnit,year,value,qualifier,magnitude\n", [f"26637,{geo},{year},{value},," for geo, year, value in cells()])
    actions.load(path, by=OLGA, now=NOW)
    actions.drop(SeriesBreak.objects.get(geo="DOM", year=2022), by=OLGA, now=NOW, because="Another definition.")
    facts = facts_of(run_study(hub, by=OLGA, now=NOW, kind="lac"))
    assert facts["parity.rural-urban.DOM"].year == 2022
    assert {key for key, fact in facts.items() if fact.extra.get("breaks")} == {f"inbound.{geo}.2022" for geo in ("latin-america-and-the-caribbean", "world")}


def test_a_table_of_ones_own_passes_the_same_gates_and_never_mixes_with_publishers(hub: Hub, tmp_path: Path) -> None:
    path = written(tmp_path, "network.csv", "geo,year,value\n", [f"{geo},{year},{value}" for geo, year, value in cells()])
    actions.load(path, by=OLGA, now=NOW)
    with pytest.raises(Refused, match="Nothing is loaded"):
        run_study(hub, by=OLGA, now=NOW, kind="covid-effect")
    assert [value for value, _label in source_choices()] == ["", "own:network"]
    run = run_study(hub, by=OLGA, now=NOW, kind="covid-effect", source="own:network")
    assert (run.kind, list(run.inputs), {fact.source for fact in facts_of(run).values()}) == ("covid-effect@own:network", ["own"], {"own"})
    assert {code for code, *_rest in run.gates} >= {"coverage-1", "better-than-naive", "placebos"}
    for kind in ("lac", "gravity", "covid-closure"):
        with pytest.raises(Invalid, match="more than one yearly series"):
            run_study(hub, by=OLGA, now=NOW, kind=kind, source="own:network")
    few = written(tmp_path, "few.csv", "geo,year,value\n", [f"PER,{year},{year}" for year in range(2018, 2023)])
    actions.load(few, by=OLGA, now=NOW)
    with pytest.raises(Refused, match="ten years of growth"):
        run_study(hub, by=OLGA, now=NOW, kind="covid-effect", source="own:few")
    told = {}
    for kind in ("covid-effect", "covid-panel", "covid-mixtures", "outlook"):
        with pytest.raises(Refused) as refused, translation.override("es"):
            run_study(hub, by=OLGA, now=NOW, kind=kind, source="own:few")
        with translation.override("es"):
            told[kind] = say_reasons(refused.value.reasons)[0].partition("cargado: ")[2]
    assert told == {
        "covid-effect": "ningún lugar tiene diez años de crecimiento hasta 2019 y un año posterior",
        "covid-panel": "en ninguna parte los países que informan todos los años de 2005 a 2022 reúnen el 25 por ciento de los estudiantes",
        "covid-mixtures": "ninguno de AUS, NZL informa todos los años de 2005 a 2022",
        "outlook": "ningún lugar tiene diez años de crecimiento y un año posterior, así que no puede mirarse ningún pronóstico pasado",
    }


@needs(UIS)
def test_without_the_dominican_jump_the_region_is_near_its_trend_in_the_real_data() -> None:
    from vsm.observatory.sources.loaders import uis_api

    told = [row for row in uis_api.read(UIS, lambda _done, _total: None).table.to_pylist() if row["series"] == "26637"]

    def gap(chosen: dict[str, list[Decision]]) -> float:
        series = from_rows(decided(told, chosen, series="26637").rows)
        return effect([series[LAC], series["SDG: Oceania"]], base=2019, years=(2022,)).gap(LAC, 2022).value

    assert (gap({}), gap({"DOM": [Decision(2022, "drop")]})) == (pytest.approx(0.22, abs=0.01), pytest.approx(0.077, abs=0.01))

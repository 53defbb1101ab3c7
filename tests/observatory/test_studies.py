"""A study's facts follow from what is loaded, are kept, and are the same when nothing has changed."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.beside import UIS, needs
from vsm.exchange.institutions.models import Hub
from vsm.kit.actors import ANONYMOUS, SYSTEM
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.observatory.estimates.actions import run_study
from vsm.observatory.estimates.models import EstimateRun
from vsm.observatory.estimates.queries import facts_of
from vsm.observatory.geography import members
from vsm.observatory.sources.actions import ship, ship_region
from vsm.observatory.sources.loaders import facts_lac

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def hub() -> Hub:
    hub = Hub(name="OpenVSM", contact="olga@hub.example")
    hub.save()
    return hub


def test_the_effect_of_the_pandemic_follows_from_the_totals_that_are_shipped(hub: Hub) -> None:
    ship(now=NOW)
    run = run_study(hub, by=SYSTEM, now=NOW, kind="covid-effect")
    facts = facts_of(run)
    gap = facts["gap.world.2021"]
    assert (gap.value, gap.unit, gap.design, gap.experimental) == (pytest.approx(-0.053, abs=0.006), "share", "counterfactual", False)
    assert (gap.low or 0) < (gap.value or 0) < (gap.high or 0)
    assert int((facts["inbound.world.2022"].value or 0) + 0.5) == 6_859_427
    assert list(run.inputs) == ["facts"]
    assert run_study(hub, by=SYSTEM, now=NOW, kind="covid-effect").pk == run.pk
    assert EstimateRun.objects.count() == 1


def test_prospects_are_a_fan_and_scenarios_are_said_to_be_assumptions(hub: Hub) -> None:
    ship(now=NOW)
    facts = facts_of(run_study(hub, by=SYSTEM, now=NOW, kind="outlook"))
    fan = facts["fan.world.2030"]
    assert (fan.low or 0) < 8.5e6 < (fan.high or 0)
    assert {fact.design for key, fact in facts.items() if key.startswith("scenario.")} == {"assumption"}


def test_the_region_is_counted_with_its_coverage_and_its_bounds(hub: Hub) -> None:
    ship(now=NOW)
    with pytest.raises(Refused, match="Nothing is loaded"):
        run_study(hub, by=SYSTEM, now=NOW, kind="lac")
    assert ship_region(now=NOW).pk == ship_region(now=NOW).pk
    run = run_study(hub, by=SYSTEM, now=NOW, kind="lac")
    facts = facts_of(run)
    region = "latin-america-and-the-caribbean"
    told = {name: facts[f"{name}.{region}.2019"].value for name in ("reporters", "received", "sent", "balance")}
    assert (told, run.experimental) == ({"reporters": 16, "received": 220_399, "sent": 253_121, "balance": -32_722}, False)
    assert {code: facts[f"balance.{code}.2019"].value for code in ("ARG", "BRA", "COL", "ECU")} == {"ARG": 107_146, "BRA": -59_908, "COL": -47_847, "ECU": -17_494}
    assert {name: round(facts[f"parity.{name}"].value or 0, 2) for name in ("rural-urban", "poorer-richest", "women-men")} == {"rural-urban": 0.43, "poorer-richest": 0.3, "women-men": 1.41}
    rural = facts["parity.rural-urban"]
    assert (rural.low, rural.high, rural.extra, round(rural.coverage or 0, 2)) == (facts["parity.rural-urban.GTM"].value, facts["parity.rural-urban.DOM"].value, {"countries": 16, "oldest": 2014}, 0.31)
    assert {facts[f"intraregional.least.{year}"].note for year in (2016, 2017, 2018)} == {"lower bound: destinations were cut at ten"}
    assert facts["reach.virtual"].design == "assumption"


@needs(UIS)
def test_the_balances_that_ship_are_those_of_the_release() -> None:
    published = {(row["indicatorId"], row["geoUnit"]): row["value"] for row in csv.DictReader(UIS.read_text().splitlines()) if row["year"] == "2019" and row["value"]}
    shipped = [row for row in csv.DictReader(str(Path(str(facts_lac.SHIPPED)).read_text()).splitlines()) if row["series"].startswith("balance.")]
    codes = {facts_lac.IN: "26637", facts_lac.NET: "MENF.5T8"}
    assert [row for row in shipped if float(published[codes[row["series"]], row["geo"]]) != float(row["value"])] == []
    reporting = {geo for code, geo in published if code == "MENF.5T8"} & members(facts_lac.REGION)
    assert {row["geo"] for row in shipped} == reporting


def test_what_cannot_be_run_is_told(hub: Hub) -> None:
    with pytest.raises(Refused, match="Nothing is loaded"):
        run_study(hub, by=SYSTEM, now=NOW, kind="covid-effect")
    with pytest.raises(Invalid, match="There is no study"):
        run_study(hub, by=SYSTEM, now=NOW, kind="horoscope")
    with pytest.raises(NotAllowed):
        run_study(hub, by=ANONYMOUS, now=NOW, kind="covid-effect")

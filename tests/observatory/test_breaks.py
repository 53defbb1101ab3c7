"""Breaks are found, proposed with their evidence and decided by people; only what was decided changes a series."""

import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.beside import UIS, needs
from vsm.exchange.institutions.models import Hub
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.kit.resources import ordered
from vsm.observatory.sources.actions import drop, flag, load, propose_breaks, reconsider, ship, splice
from vsm.observatory.sources.breaks import Decision, applied, detected, drifts, jumps, known_breaks
from vsm.observatory.sources.models import SeriesBreak
from vsm.observatory.sources.queries import SERIES_BREAK, decisions

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
STEADY = {year: 20_000.0 * 1.03 ** (year - 2000) for year in range(2000, 2020)}


def test_a_jump_must_be_large_in_both_senses() -> None:
    assert [(each.year, each.change) for each in jumps({2021: 13_184, 2022: 54_701})] == [(2022, 1.4229)]
    assert jumps({2021: 100, 2022: 5_000}) == []  # many times as many, but few
    assert jumps({2021: 100_000, 2022: 140_000}) == []  # many, but no other level
    assert jumps({2020: 10_000, 2022: 60_000}) == []  # the year between is missing: nobody knows when


def test_a_drift_in_steps_is_found_where_it_began_and_steady_growth_is_not() -> None:
    noise = random.Random(7)
    rough = {year: value * math.exp(noise.gauss(0, 0.02)) for year, value in STEADY.items()}
    assert drifts(rough) == []
    moved = {year: value * math.exp(0.25 * min(max(year - 2009, 0), 3)) for year, value in rough.items()}
    assert jumps(moved) == []
    assert [(each.year, each.test) for each in detected(moved)] == [(2010, "cusum")]


def test_only_decisions_change_a_series_and_a_splice_keeps_growth_within_its_parts() -> None:
    broken = {year: value * (2 if year >= 2010 else 1) for year, value in STEADY.items()}
    assert applied(broken, []) == (broken, frozenset())
    assert applied(broken, [Decision(2010, "keep")]) == (broken, frozenset())
    assert applied(broken, [Decision(2010, "flag")]) == (broken, frozenset({2010}))
    assert applied(broken, [Decision(2010, "drop")])[0] == {year: value for year, value in broken.items() if year != 2010}
    spliced, marked = applied(broken, [Decision(2010, "splice")])
    assert spliced == pytest.approx({year: 2 * value for year, value in STEADY.items()})
    assert marked == frozenset(range(2000, 2010))
    twice = {year: value * (2 if year >= 2010 else 1) * (3 if year >= 2015 else 1) for year, value in STEADY.items()}
    assert applied(twice, [Decision(2010, "splice"), Decision(2015, "splice")])[0] == pytest.approx({year: 6 * value for year, value in STEADY.items()})


@pytest.fixture
def hub(db: None) -> Hub:
    found = Hub(name="OpenVSM", contact="olga@hub.example")
    found.save()
    return found


def test_breaks_are_listed_by_place_and_year(hub: Hub) -> None:
    for geo, year in (("CHL", 2011), ("CHL", 2009), ("BRA", 2003)):
        SeriesBreak(source="uis", series="26637", geo=geo, year=year, evidence={"test": "jump", "before": 1.0, "after": 2.0, "change": 0.7}).save()
    listed = ordered(SERIES_BREAK, SERIES_BREAK.visible_to(SYSTEM), "")
    assert [(each.geo, each.year) for each in listed] == [("BRA", 2003), ("CHL", 2009), ("CHL", 2011)]


def test_what_is_known_is_proposed_from_the_start_and_nothing_is_applied(hub: Hub) -> None:
    ship(now=NOW)
    told = SeriesBreak.objects.values_list("geo", "year", "state")
    assert sorted(told) == [("DOM", 2022, "proposed"), ("ITA", 2019, "proposed"), ("KAZ", 2020, "proposed"), ("KGZ", 2020, "proposed"), ("KGZ", 2021, "proposed"), ("MEX", 2017, "proposed"), ("MEX", 2018, "proposed"), ("MEX", 2019, "proposed")]
    assert (decisions("uis", "26637"), {frozenset(each.note) for each in known_breaks()}) == ({}, {frozenset({"en", "es", "pt-br", "fr"})})


def test_a_decision_is_kept_with_its_reason_and_its_person_and_can_be_taken_back(hub: Hub) -> None:
    ship(now=NOW)
    jump = SeriesBreak.objects.get(geo="DOM")
    olga = Actor(None, "Olga", is_operator=True)
    with pytest.raises(Invalid):
        flag(jump, by=olga, now=NOW, because=" ")
    with pytest.raises(NotAllowed):
        flag(jump, by=Actor(None, "Dora"), now=NOW, because="it looks odd")
    splice(jump, by=olga, now=NOW, because="The ministry counts all residents since 2022.")
    jump.refresh_from_db()
    assert (jump.state, jump.decided_by, jump.decided_at, jump.reason) == ("spliced", "Olga", NOW, "The ministry counts all residents since 2022.")
    assert decisions("uis", "26637") == {"DOM": [Decision(2022, "splice")]}
    with pytest.raises(Refused):
        drop(jump, by=olga, now=NOW, because="after all")
    propose_breaks(hub, by=SYSTEM, now=NOW + timedelta(days=1))
    assert SeriesBreak.objects.get(geo="DOM").state == "spliced"
    reconsider(jump, by=olga, now=NOW, because="The ministry corrected its answer.")
    assert decisions("uis", "26637") == {}


@needs(UIS)
def test_in_the_real_release_the_thirty_four_jumps_are_proposed(hub: Hub) -> None:
    load(Path(UIS), by=SYSTEM, now=NOW)
    found = {(each.geo, each.year) for each in SeriesBreak.objects.all() if each.evidence["test"] in {"jump", "known"}}
    assert len(found) == 34
    assert SeriesBreak.objects.filter(evidence__test="cusum").count() == 28
    assert {("DOM", 2022), ("ITA", 2019), ("MEX", 2017), ("MEX", 2018), ("MEX", 2019), ("RUS", 2008), ("KAZ", 2020)} <= found

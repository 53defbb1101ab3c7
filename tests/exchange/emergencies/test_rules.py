"""Whom a restriction concerns: by place, days, direction and nationality, each stay once, whatever overlaps."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsm.exchange.emergencies.rules import (
    DAY,
    Finding,
    Place,
    Restriction,
    Traveller,
    affected,
    by_day,
    combined,
    why_not_declare,
    why_not_lift,
)

STAY = Traveller(
    mobility="m1", home="lima", home_country="PE", home_city="Lima", host="mapocho", country="CL", region="Metropolitana", city="Santiago",
    starts_on=date(2020, 3, 1), ends_on=date(2020, 7, 31), nationalities=frozenset({"PE"}), residence="PE",
)  # fmt: skip
CHILE = (Place(country="CL"),)
PERU = (Place(country="PE"),)


def closed(places: tuple[Place, ...] = CHILE, *directions: str, starts: date = date(2020, 3, 16), ends: date | None = None, **more: frozenset[str]) -> Restriction:
    return Restriction(id="r", places=places, directions=frozenset(directions or ("being",)), starts_on=starts, ends_on=ends, **more)


def situations(restriction: Restriction, **facts: object) -> set[str]:
    found = affected(replace(STAY, **facts), restriction)  # type: ignore[arg-type]
    return set(found.situations) if found else set()


COMING = {"starts_on": date(2020, 4, 1)}


@pytest.mark.parametrize(
    ("restriction", "facts", "expected"),
    [
        (closed(CHILE, "being"), {}, {"there"}),
        (closed(CHILE, "entering"), {}, set()),
        (closed(CHILE, "entering"), COMING, {"cannot_enter"}),
        (closed(PERU, "leaving"), COMING, {"cannot_leave"}),
        (closed(PERU, "leaving"), {}, set()),
        (closed(CHILE, "leaving"), {}, {"stranded"}),
        (closed(PERU, "entering"), {}, {"stranded"}),
        (closed(PERU, "entering"), COMING, {"stranded"}),
        (closed(PERU, "entering", "leaving"), COMING, {"cannot_leave"}),
        (closed(CHILE, "entering", "leaving", "being"), {}, {"there", "stranded"}),
        (closed(PERU, "being"), {}, set()),
        (closed(CHILE, "leaving", ends=date(2020, 4, 30)), {}, set()),
        (closed((Place(country="CL", region="santiago"),), "being"), {}, {"there"}),
        (closed((Place(country="CL", region="Valparaíso"),), "being"), {}, set()),
        (closed((Place(country="CL", region="valparaiso"),), "being"), {"city": "Valparaíso"}, {"there"}),
        (closed((Place(institution="mapocho"),), "being"), {}, {"there"}),
        (closed((Place(institution="lima"),), "leaving"), COMING, {"cannot_leave"}),
        (closed((Place(institution="other"),), "being"), {}, set()),
        (closed(CHILE, "being", starts=date(2020, 8, 1)), {}, set()),
        (closed(CHILE, "being", starts=date(2020, 7, 31)), {}, {"there"}),
        (closed(CHILE, "being", starts=date(2020, 1, 1), ends=date(2020, 2, 29)), {}, set()),
        (closed(CHILE, "being", starts=date(2020, 1, 1), ends=date(2020, 3, 1)), {}, {"there"}),
    ],
)
def test_a_stay_is_concerned_by_what_is_closed_at_its_destination_and_at_home(restriction: Restriction, facts: dict[str, object], expected: set[str]) -> None:
    assert situations(restriction, **facts) == expected


@pytest.mark.parametrize(
    ("nationalities", "residence", "met"),
    [({"PE"}, "PE", True), ({"PE", "IT"}, "PE", False), (set(), "PE", True), ({"PE"}, "", True), ({"PE"}, "BR", False), ({"BR"}, "PE", False)],
)
def test_borders_are_closed_for_some_passports_and_a_second_one_opens_them_but_unknown_facts_exempt_nobody(nationalities: set[str], residence: str, met: bool) -> None:
    restriction = closed(CHILE, "entering", nationalities=frozenset({"PE"}), residences=frozenset({"PE"}))
    assert bool(situations(restriction, nationalities=frozenset(nationalities), residence=residence, **COMING)) is met


def test_a_flood_asks_for_no_passport() -> None:
    assert situations(closed(CHILE, "being", nationalities=frozenset({"BR"}))) == {"there"}


def test_the_days_are_those_of_the_stay_within_the_restriction_and_a_way_back_closed_without_end_is_open() -> None:
    found = affected(STAY, closed(CHILE, "being", ends=date(2020, 5, 1)))
    assert found
    assert (found.first, found.last, found.studies_at_home) == (date(2020, 3, 16), date(2020, 5, 1), False)
    found = affected(STAY, closed(CHILE, "leaving"))
    assert found
    assert (found.first, found.last) == (date(2020, 3, 16), None)
    found = affected(replace(STAY, **COMING), closed(PERU, "leaving"))  # type: ignore[arg-type]
    assert found
    assert (found.first, found.last, found.studies_at_home) == (date(2020, 4, 1), date(2020, 7, 31), True)


def test_overlapping_restrictions_give_one_finding_with_all_their_days() -> None:
    one, two = closed(CHILE, "being", ends=date(2020, 4, 1)), closed((Place(institution="mapocho"),), "being", starts=date(2020, 3, 20), ends=date(2020, 6, 1))
    assert combined([STAY], [one, two]) == {"m1": Finding(mobility="m1", situations=frozenset({"there"}), first=date(2020, 3, 16), last=date(2020, 6, 1))}


DAYS = st.integers(0, 60).map(lambda n: date(2020, 3, 1) + timedelta(days=n))
SPANS = st.lists(st.tuples(st.sampled_from("abcd"), DAYS, st.none() | DAYS), max_size=12)


@given(SPANS)
def test_exposure_by_day_counts_each_stay_once_as_a_naive_count_of_sets_does(spans: list[tuple[str, date, date | None]]) -> None:
    first, last = date(2020, 3, 5), date(2020, 4, 20)
    naive = {}
    for number in range((last - first).days + 1):
        day = first + number * DAY
        naive[day] = len({stay for stay, begins, ends in spans if begins <= day and (ends is None or day <= ends)})
    assert by_day(spans, first, last) == naive


RIGHT = {
    "title": {"en": "Earthquake"}, "kind": "disaster", "places": [Place(country="CL", region="Santiago")], "directions": ["being"], "starts_on": date(2020, 3, 1),
    "ends_on": None, "nationalities": [], "residences": [], "evidence": ["https://example.org/decree"], "known": {"CL": ["Santiago"]}, "institutions": [],
}  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "codes"),
    [
        ({}, []),
        ({"title": {}}, ["title-missing"]),
        ({"kind": "boredom"}, ["no-such-kind"]),
        ({"places": []}, ["no-place"]),
        ({"places": [Place(country="ZZ")]}, ["no-country"]),
        ({"places": [Place(country="CL", region="Santago")]}, ["unknown-place"]),
        ({"places": [Place(institution="nobody")]}, ["unknown-institution"]),
        ({"directions": []}, ["no-direction"]),
        ({"directions": ["up"]}, ["no-direction"]),
        ({"ends_on": date(2020, 2, 1)}, ["dates-reversed"]),
        ({"evidence": ["javascript:alert(1)", "https:///x"]}, ["no-link", "no-link"]),
        ({"nationalities": ["Peru"], "residences": ["pe"]}, ["no-country", "no-country"]),
        ({"title": {}, "places": [], "ends_on": date(2019, 1, 1)}, ["title-missing", "dates-reversed", "no-place"]),
    ],
)
def test_a_declaration_is_refused_with_every_reason_at_once(wrong: dict[str, object], codes: list[str]) -> None:
    assert [reason.code for reason in why_not_declare(**{**RIGHT, **wrong})] == codes  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("on", "back", "today", "codes"),
    [
        (date(2020, 4, 10), date(2020, 4, 20), date(2020, 4, 1), []),
        (date(2020, 3, 1), date(2020, 3, 20), date(2020, 4, 1), ["lifted-before-start"]),
        (date(2020, 4, 10), date(2020, 4, 20), date(2020, 2, 1), ["lifted-before-start"]),
        (date(2020, 4, 10), date(2020, 4, 1), date(2020, 4, 1), ["return-before-end"]),
        (date(2030, 4, 10), date(2030, 4, 11), date(2020, 4, 1), ["lifted-too-far"]),
    ],
)
def test_a_restriction_is_not_lifted_before_it_starts(on: date, back: date, today: date, codes: list[str]) -> None:
    assert [reason.code for reason in why_not_lift(starts_on=date(2020, 3, 1), on=on, return_on=back, today=today)] == codes

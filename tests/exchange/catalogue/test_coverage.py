"""The search can be limited to what agreements cover, and then finds just what a plain reading of them gives."""

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from bench.generate import documents

from vsm.exchange.catalogue.coverage import Covered
from vsm.exchange.catalogue.documents import Document
from vsm.exchange.catalogue.index import CatalogueIndex

COURSES = Covered("institution-000", "course", date(2027, 1, 1), date(2027, 6, 30))


@cache
def offerings() -> list[Document]:
    return list(documents(3_000))


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> CatalogueIndex:
    built = CatalogueIndex(Path(tmp_path_factory.mktemp("index")))
    built.rebuild(offerings())
    return built


def covers(agreement: Covered, offering: Document) -> bool:
    return (
        (agreement.institution, agreement.category) == (offering.institution, offering.category)
        and agreement.first <= offering.starts_on <= agreement.last
        and (not agreement.levels or offering.level in agreement.levels)
        and (not agreement.fields or offering.isced_f.startswith(agreement.fields))
    )


@pytest.mark.parametrize(
    "agreements",
    [
        [COURSES],
        [replace(COURSES, levels=("master", "doctorate"))],
        [replace(COURSES, fields=("02", "0311"))],
        [replace(COURSES, fields=("02",)), replace(COURSES, institution="institution-001")],
    ],
)
def test_it_finds_and_counts_what_an_agreement_covers(index: CatalogueIndex, agreements: list[Covered]) -> None:
    expected = [offering for offering in offerings() if any(covers(agreement, offering) for agreement in agreements)]
    found = index.search("", {"category": ["course"]}, covered=agreements, size=1000)
    assert 0 < len(expected) < 1000
    assert sorted(found.ids) == sorted(offering.id for offering in expected)
    assert sum(found.facets["institution"].values()) == len(expected)


def test_words_and_filters_narrow_within_the_agreements(index: CatalogueIndex) -> None:
    found = index.search("estadistica", {"level": ["bachelor"]}, covered=[COURSES], size=1000)
    everywhere = index.search("estadistica", {"level": ["bachelor"]}, size=1000)
    allowed = {offering.id for offering in offerings() if covers(COURSES, offering) or offering.category != "course"}
    assert set(found.ids) == set(everywhere.ids) & allowed != set()


def test_what_everybody_enters_alone_needs_no_agreement_of_a_home(index: CatalogueIndex) -> None:
    alone = [offering.id for offering in offerings() if offering.category != "course"]
    assert sorted(index.search(covered=[], size=1000).ids) == sorted(alone) != []


def test_a_home_without_agreements_finds_no_course_and_nobody_in_particular_everything(index: CatalogueIndex) -> None:
    assert index.search("", {"category": ["course"]}, covered=[]).total == 0
    assert index.search(covered=None).total == len(offerings())


def test_a_field_that_is_no_code_covers_nothing(index: CatalogueIndex) -> None:
    assert index.search("", {"category": ["course"]}, covered=[replace(COURSES, fields=(".*",))]).total == 0


def test_only_what_starts_from_a_day_on_is_found_and_counted(index: CatalogueIndex) -> None:
    day = date(2027, 6, 1)
    expected = [offering for offering in offerings() if offering.starts_on >= day]
    found = index.search(since=day)
    assert (found.total, sum(found.facets["level"].values())) == (len(expected), len(expected))
    both = index.search("", {"category": ["course"]}, since=day, covered=[COURSES])
    assert both.total == len([offering for offering in expected if covers(COURSES, offering)]) > 0

"""The index follows the records: built whole, fed from the change log, refreshed when calls open; and what a page shows."""

import shutil
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

from tests.exchange.catalogue import given
from tests.exchange.catalogue.given import NOW, World
from vsm.config import settings
from vsm.exchange.catalogue import actions, indexing, search_page
from vsm.exchange.catalogue.models import CatalogueChange, Offering
from vsm.exchange.catalogue.queries import search
from vsm.exchange.catalogue.search_page import SearchPage
from vsm.kit import clock, jobs

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _empty_index(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = settings().data / "index"
    shutil.rmtree(folder, ignore_errors=True)
    _forget()
    monkeypatch.setattr(indexing, "open_offerings", [])
    with clock.stopped_at(NOW):
        yield
    shutil.rmtree(folder, ignore_errors=True)
    _forget()


def _forget() -> None:
    """Each test has an index, and those who know what is open, of its own."""
    indexing._index.cache_clear()
    search_page._offerings.cache_clear()


@pytest.fixture
def world() -> World:
    return given.world()


def find(text: str = "", **filters: list[str]) -> SearchPage:
    indexing.index().reload()
    return search({"q": [text], **filters}, "en", NOW)


def titles(page: SearchPage) -> list[str]:
    return [card.title for card in page.cards]


def test_without_an_index_the_page_says_that_it_is_being_built(world: World) -> None:
    given.published(world)
    page = search({"q": ["statistics"]}, "en", NOW)
    assert (page.condition, page.is_ready, page.text, page.cards) == ("building", False, "statistics", ())
    assert not indexing.is_fresh()


def test_only_published_offerings_of_published_opportunities_are_found(world: World) -> None:
    given.published(world)
    given.offering(given.opportunity(world, "DRAFT-1", title={"en": "Draft"}), world)
    hidden = given.published(world, "HIDDEN-1", title={"en": "Hidden"})
    actions.withdraw_opportunity(hidden.opportunity, by=world.actor("carlos"), now=NOW, because="Closed.")
    assert indexing.rebuild() == 1
    assert (titles(find()), indexing.is_fresh()) == (["Statistics"], True)


def test_the_worker_brings_each_change_into_the_index(world: World) -> None:
    indexing.rebuild()
    offering = given.published(world)
    assert not indexing.is_fresh()
    jobs.drain()
    assert titles(find("statistics")) == ["Statistics"]
    actions.withdraw_offering(offering, by=world.actor("carlos"), now=NOW, because="Ill.")
    jobs.drain()
    assert titles(find()) == []


def test_a_node_catches_up_from_the_change_log_and_doing_it_twice_does_no_harm(world: World) -> None:
    indexing.rebuild()
    offering = given.published(world)
    assert indexing.catch_up() == 1
    assert (indexing.catch_up(), titles(find()), indexing.is_fresh()) == (0, ["Statistics"], True)
    Offering.objects.filter(pk=offering.pk).update(state="withdrawn")
    indexing.announce([offering.pk], NOW)
    assert (indexing.catch_up(), titles(find())) == (1, [])


def test_a_change_that_commits_after_a_later_one_is_not_missed(world: World) -> None:
    first, second = given.published(world), given.published(world, "DER-110", title={"en": "Law"})
    CatalogueChange.objects.all().delete()
    indexing.rebuild()
    start = 1_000
    CatalogueChange.objects.create(id=start, offering_id=first.pk, at=NOW)
    indexing.catch_up()
    CatalogueChange.objects.create(id=start + 2, offering_id=first.pk, at=NOW)  # id 1001 is taken, but not committed yet
    assert indexing.catch_up() == 1
    Offering.objects.filter(pk=second.pk).update(state="withdrawn")
    CatalogueChange.objects.create(id=start + 1, offering_id=second.pk, at=NOW)
    assert not indexing.is_fresh()
    assert (indexing.catch_up(), titles(find())) == (1, ["Statistics"])
    assert indexing.is_fresh()


def test_an_index_of_another_database_is_built_anew(world: World) -> None:
    given.published(world)
    indexing.rebuild()
    CatalogueChange.objects.all().delete()
    assert not indexing.is_fresh()
    assert indexing.catch_up() == 1
    assert indexing.is_fresh()


def test_offerings_are_marked_open_when_their_call_opens_and_closed_when_it_closes(world: World) -> None:
    offering, other = given.published(world), given.published(world, "DER-110", title={"en": "Law"})
    takes = Offering.objects.filter(source="takes")
    indexing.open_offerings.append(lambda _now: takes.values("pk"))
    indexing.open_offerings.append(lambda _now: Offering.objects.none().values("pk"))
    indexing.rebuild()
    assert titles(find(open=["true"])) == []
    Offering.objects.filter(pk=offering.pk).update(source="takes")
    assert indexing.refresh.call() == 1
    assert [(card.title, card.open) for card in find(open=["true"]).cards] == [("Statistics", True)]
    assert {card.title: card.open for card in find().cards} == {"Statistics": True, "Law": False}
    takes.update(source="")
    Offering.objects.filter(pk=other.pk).update(source="takes")
    assert indexing.refresh.call() == 2
    assert titles(find(open=["true"])) == ["Law"]
    assert indexing.refresh.call() == 0


def test_documents_need_one_query_for_one_and_for_three(world: World, django_assert_num_queries: Any) -> None:
    for number in (1, 2, 3):
        given.published(world, f"C-{number}")
        if number != 2:
            with django_assert_num_queries(1):
                assert len(list(indexing.documents_of(Offering.objects.all(), NOW))) == number


def test_a_page_needs_the_same_queries_for_one_and_for_three(world: World, django_assert_num_queries: Any) -> None:
    for number in (1, 2, 3):
        given.published(world, f"C-{number}")
        indexing.rebuild()
        if number != 2:
            with django_assert_num_queries(4):
                assert len(find().cards) == number


def test_a_card_says_what_one_must_know_to_choose_on_the_readers_clock(world: World) -> None:
    given.published(world, credits_high=None, cefr="B1")
    indexing.rebuild()
    with timezone.override(ZoneInfo("America/Lima")), translation.override("en"):
        (card,) = find().cards
    told = asdict(card)
    assert {name: told[name] for name in ("title", "institution", "country", "language", "cefr", "level", "credits", "seats", "dates", "open")} == {
        "title": "Statistics", "institution": "Universidad del Mapocho (en)", "country": "CL", "language": "Spanish", "cefr": "B1",
        "level": "Bachelor", "credits": "6 SCT credits", "seats": 5, "dates": "1 Mar – 10 Jul 2027", "open": False,
    }  # fmt: skip
    # Monday 09:00 in Santiago (UTC-3 on 1 March 2027) is 07:00 in Lima.
    assert card.times_note == "Mon 07:00–08:30 for you (America/Lima)"
    assert card.url == f"/catalogue/{card.id}/"


def test_facets_pills_and_links_carry_the_rest_of_the_question(world: World) -> None:
    given.published(world)
    given.published(world, "DER-110", title={"en": "Law"}, language="en", isced_f="0421", level="master")
    indexing.rebuild()
    with translation.override("en"):
        page = find("", language=["es"], level=["bachelor", "master"], sort=["title"])
    assert (titles(page), page.total, page.sort) == (["Statistics"], 1, "title")
    facets = {facet.name: [(option.value, option.label, option.count, option.checked) for option in facet.options] for facet in page.facets}
    assert facets["language"] == [("en", "English", 1, False), ("es", "Spanish", 1, True)]
    assert facets["field"] == [("05", "Natural sciences, mathematics and statistics", 1, False)]
    assert facets["institution"] == [(str(world.host.pk), "Universidad del Mapocho (en)", 1, False)]
    assert facets["month"] == [("2027-03", "March 2027", 1, False)]
    assert [(pill.label, pill.remove_url) for pill in page.pills] == [
        ("Language of teaching: Spanish", "?level=bachelor&level=master&sort=title"),
        ("Level: Bachelor", "?language=es&level=master&sort=title"),
        ("Level: Master", "?language=es&level=bachelor&sort=title"),
    ]


def test_pages_are_linked_with_the_question(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vsm.exchange.catalogue.search_page.SIZE", 1)
    for number in (1, 2, 3):
        given.published(world, f"C-{number}", title={"en": f"Course {number}"})
    indexing.rebuild()
    page = find("course", page=["2"])
    assert (page.total, page.first, page.last, page.previous_url, page.next_url) == (3, 2, 2, "?q=course", "?q=course&page=3")
    assert [(link.number, link.current) for link in page.pages] == [(1, False), (2, True), (3, False)]


def test_a_slip_of_the_pen_is_searched_alike_and_said_so(world: World) -> None:
    given.published(world)
    indexing.rebuild()
    page = find("statistisc")
    assert (titles(page), page.approximate) == (["Statistics"], True)


@pytest.mark.parametrize(
    "params",
    [
        {"page": ["-1"]}, {"page": ["99999999999999999999"]}, {"page": ["x"]}, {"sort": ["'; drop"]}, {"institution": ["not-a-uuid"]},
        {"month": ["2027-99", "x-y"]}, {"level": ["\x00"]}, {"q": ["\ud800 \x00"]}, {"unknown": ["1"]}, {"language": ["x" * 500] * 50}, {"q": []},
    ],
)  # fmt: skip
def test_no_address_breaks_the_page(world: World, params: dict[str, list[str]]) -> None:
    given.published(world)
    indexing.rebuild()
    indexing.index().reload()
    assert search(params, "en", NOW).is_ready

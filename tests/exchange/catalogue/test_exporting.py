"""Our own CSV carries a catalogue out and in again without a difference, and no cell of it runs in a spreadsheet."""

import csv
import io
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from tests.beside import SECTIONS, needs
from tests.exchange.catalogue import given
from tests.exchange.catalogue.given import CATALOGUE, NOW, World
from tests.exchange.catalogue.test_importing import OWN, UIUC, content
from vsm.exchange.catalogue.exporting import csv_of
from vsm.exchange.catalogue.formulas import guarded, unguarded
from vsm.exchange.catalogue.importing import run
from vsm.exchange.catalogue.models import Offering, Opportunity
from vsm.kit.actors import ANONYMOUS, SYSTEM


@pytest.fixture
def world(db: None) -> World:
    return given.world()


def exported(world: World, name: str = "carlos") -> str:
    return "".join(csv_of(world.host, world.actor(name)))


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_importing_an_export_changes_nothing(world: World) -> None:
    run(CATALOGUE.encode(), world.host, OWN, dry_run=False, by=SYSTEM, now=NOW)
    given.published(world, "MANO-1", description={"es": "Primera línea.\r\n\r\nSegunda; con “comillas\" y , comas.", "pt-br": "Descrição"})
    Offering.objects.filter(code="2027-2").update(seats=77, zone="America/Punta_Arenas")
    before = content()
    report = run(exported(world).encode(), world.host, OWN, dry_run=False, by=SYSTEM, now=NOW)
    assert (report.changes_nothing, report.total) == (True, len(exported(world).splitlines()) - 1)
    # The hash of what the file says is remembered, so that the next look is quick; nothing that people read differs.
    assert [row[:8] for row in content()[0]] == [row[:8] for row in before[0]]
    assert [row[9:] for row in content()[1]] == [row[9:] for row in before[1]]


@needs(SECTIONS)
def test_the_real_catalogue_goes_out_and_into_another_institution_unchanged(world: World) -> None:
    run(SECTIONS, world.host, UIUC, dry_run=False, by=SYSTEM, now=NOW)
    first = exported(world)
    assert run(first.encode(), world.host, OWN, dry_run=False, by=SYSTEM, now=NOW).changes_nothing
    world.other.zone = world.host.zone
    world.other.save()
    report = run(first.encode(), world.other, OWN, dry_run=False, by=SYSTEM, now=NOW)
    assert (report.total, report.counts["lines"]["created"]) == (455, 455)
    assert "".join(csv_of(world.other, world.actor("dora"))) == first


@pytest.mark.parametrize("title", ["=HYPERLINK(\"http://x\")", "+1", "-1+2", "@SUM(A1)", "'=already", "''-twice", "'plain", "plain"])
def test_formulas_leave_harmless_and_come_back_as_they_were(world: World, title: str) -> None:
    given.published(world, title={"es": title})
    (row,) = rows(exported(world))
    assert not row["title_es"].startswith(("=", "+", "-", "@", "\t", "\r"))
    Opportunity.objects.update(title={"es": "lost"})
    run(exported(world).replace("lost", "x").encode(), world.host, OWN, dry_run=True, by=SYSTEM, now=NOW)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(row), lineterminator="\n")
    writer.writeheader()
    writer.writerow(row)
    run(text.getvalue().encode(), world.host, OWN, dry_run=False, by=SYSTEM, now=NOW)
    assert Opportunity.objects.get().title == {"es": title}


@for_all(st.text())
def test_every_cell_is_given_back_as_it_was(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_strangers_export_what_is_published_and_nobody_the_meeting_room(world: World) -> None:
    offering = given.published(world)
    given.offering(given.opportunity(world, "DRAFT-1"), world)
    Offering.objects.filter(pk=offering.pk).update(join_url="https://secret.example/room", dial_in="+56 secret")
    withdrawn = given.offering(offering.opportunity, world, "old")
    Offering.objects.filter(pk=withdrawn.pk).update(state="withdrawn")
    assert [row["code"] for row in rows("".join(csv_of(world.host, ANONYMOUS)))] == ["EST-210"]
    assert [(row["code"], row["state"]) for row in rows(exported(world))] == [("DRAFT-1", "draft"), ("EST-210", "published")]
    assert "secret" not in exported(world)


def test_the_export_reads_the_same_number_of_queries_for_one_and_for_three(world: World, django_assert_num_queries: object) -> None:
    for number in (1, 2, 3):
        given.published(world, f"C-{number}")
        if number != 2:
            actor = world.actor("carlos")
            with django_assert_num_queries(2):  # type: ignore[operator] -- a fixture of pytest-django
                assert len(list(csv_of(world.host, actor))) == number + 1


def test_the_fixture_file_in_our_own_format_survives_the_round_trip(world: World) -> None:
    file = Path(__file__).parents[2] / "fixtures/catalogue/openvsm.csv"
    run(file, world.host, OWN, dry_run=False, by=SYSTEM, now=NOW)
    assert Offering.objects.filter(starts_on__gte=date(2000, 1, 1)).exists()
    assert run(exported(world).encode(), world.host, OWN, dry_run=False, by=SYSTEM, now=NOW).changes_nothing

"""The office's pages: asking for an import, watching it, reading its report; lists; and who may not see any of it."""

import csv
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.exchange.catalogue import given
from tests.exchange.catalogue.given import CATALOGUE, World
from vsm.exchange.catalogue.models import Import, Offering
from vsm.kit import jobs

pytestmark = pytest.mark.django_db

BROKEN = CATALOGUE.replace("2,4,2 or 4", "about three,,")


@pytest.fixture
def world() -> World:
    return given.world()


def client(person: Any = None) -> Client:
    made = Client()
    if person:
        made.force_login(person)
    return made


def ask(world: World, text: str = BROKEN, **inputs: str) -> Import:
    upload = SimpleUploadedFile("otono.csv", text.encode(), content_type="text/csv")
    answer = client(world.carlos).post(
        f"/organisations/{world.host.pk}/import_catalogue/",
        {"file": upload, "mapping": "openvsm", "delivery_key": "k", "expected_version": world.host.version, **inputs},
    )
    record: Import = Import.objects.latest("created_at")
    assert (answer.status_code, answer["Location"]) == (302, f"/imports/{record.pk}/")
    return record


def page(world: World, path: str, name: str = "carlos") -> str:
    answer = client(getattr(world, name)).get(path)
    assert answer.status_code == 200, path
    return answer.content.decode()


def test_the_form_offers_the_shipped_mappings_and_begins_as_a_trial(world: World) -> None:
    text = page(world, f"/organisations/{world.host.pk}/import_catalogue/")
    assert "OpenVSM catalogue CSV" in text
    assert "University of Illinois Urbana-Champaign" in text
    assert 'name="dry_run"' in text
    assert "checked" in text.split('name="dry_run"')[1].split(">")[0]


def test_while_it_waits_the_page_shows_how_far_it_is_and_asks_again_by_itself(world: World) -> None:
    record = ask(world)
    text = page(world, f"/imports/{record.pk}/")
    assert f'hx-get="/imports/{record.pk}/progress/"' in text
    assert '<progress value="0" max="3"' in text
    fragment = client(world.carlos).get(f"/imports/{record.pk}/progress/")
    assert "HX-Refresh" not in fragment.headers


def test_when_it_is_done_the_page_counts_and_the_fragment_reloads_the_page(world: World) -> None:
    record = ask(world)
    jobs.drain()
    text = page(world, f"/imports/{record.pk}/")
    assert ("<progress" in text, "hx-get" in text, "See the report line by line" in text) == (False, False, True)
    assert client(world.carlos).get(f"/imports/{record.pk}/progress/")["HX-Refresh"] == "true"
    assert Offering.objects.count() == 2


def test_the_report_is_filtered_by_outcome_and_by_reason_and_downloaded(world: World) -> None:
    record = ask(world)
    jobs.drain()
    whole, refused = page(world, f"/imports/{record.pk}/report/"), page(world, f"/imports/{record.pk}/report/?outcome=refused")
    assert ("EST-210/2027-1" in whole, "EST-210/2027-1" in refused, "about three" in refused) == (True, False, True)
    assert "about three" in page(world, f"/imports/{record.pk}/report/?code=credit-unreadable")
    assert "The report has no such lines." in page(world, f"/imports/{record.pk}/report/?code=nothing")
    answer = client(world.carlos).get(f"/imports/{record.pk}/report.csv?outcome=refused")
    rows = list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined] -- a streaming answer
    assert [row[:4] for row in rows] == [["line", "outcome", "key", "codes"], ["4", "refused", "DER-110/2027-1", "credit-unreadable"]]


def test_a_trial_says_that_nothing_changed_and_offers_the_next_step(world: World) -> None:
    record = ask(world, dry_run="on")
    jobs.drain()
    text = page(world, f"/imports/{record.pk}/")
    assert ("This was a trial: nothing was changed" in text, f"/imports/{record.pk}/apply/" in text) == (True, True)
    assert Offering.objects.count() == 0


def test_a_file_that_cannot_be_read_says_why(world: World) -> None:
    record = ask(world, CATALOGUE.replace("starts_on", "start"))
    jobs.drain()
    text = page(world, f"/imports/{record.pk}/")
    assert "The file has no column “starts_on”, which the mapping names." in text


def test_every_page_of_an_import_is_absent_for_others(world: World) -> None:
    record = ask(world)
    jobs.drain()
    for person in (None, world.dora, world.ines, world.ana):
        for path in ("", "progress/", "report/", "report.csv"):
            assert client(person).get(f"/imports/{record.pk}/{path}").status_code == 404, path


def test_the_catalogue_of_an_institution_is_downloaded(world: World) -> None:
    given.published(world)
    answer = client().get(f"/organisations/{world.host.pk}/catalogue.csv")
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined] -- a streaming answer
    assert (answer["Content-Disposition"], text.count("\n")) == ('attachment; filename="catalogue-mapocho.example.csv"', 2)


@pytest.mark.parametrize("plural", ["opportunities", "offerings", "imports"])
def test_each_list_reads_as_often_for_one_as_for_three(world: World, plural: str) -> None:
    reader, counts = client(world.carlos), []
    for number in (1, 2, 3):
        given.published(world, f"C-{number}")
        Import(organisation=world.host, file_name=f"{number}.csv", file_digest="0" * 64, source="x", mapping="").save()
        with CaptureQueriesContext(connection) as captured:
            assert reader.get(f"/{plural}/").status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[2]


def test_the_pages_of_an_opportunity_and_an_offering_show_their_facts_and_no_meeting_room(world: World) -> None:
    offering = given.published(world)
    Offering.objects.filter(pk=offering.pk).update(join_url="https://secret.example/room")
    text = page(world, f"/offerings/{offering.pk}/", "dora")
    assert ("Monday 09:00–10:30 Lecture" in text, "secret.example" in text) == (True, False)
    assert "0542 · Natural sciences" in page(world, f"/opportunities/{offering.opportunity_id}/", "dora")

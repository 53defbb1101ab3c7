"""The lists ask the database the same number of times for one record and for three; the pages say what they must."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from tests.exchange.placements.given import FIRST, NOW, STARTED, World, fresh, give_role
from tests.exchange.placements.test_way import AFTER
from vsm.exchange.placements.actions import certifying, hours, running
from vsm.exchange.placements.models import HoursEntry, Interview, PlacementApplication
from vsm.kit import clock
from vsm.kit.actions import TABLE

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
LIGHT: dict[str, Any] = {"hours_per_week": Decimal(5)}


def client(world: World, name: str) -> Client:
    made = Client()
    made.force_login(world.people[name], backend=BACKEND)
    return made


def asked(here: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert here.get(address).status_code == 200
    return len(queries)


def test_lists_ask_as_often_for_three_as_for_one(world: World) -> None:
    here, counts = client(world, "bia"), {}
    addresses = ("/placements/", "/placement-agreements/", "/placement-applications/", "/vacancies/", "/hours/", "/hosts/", "/placements.csv", "/hours.csv")
    for number in range(3):
        placement = world.running(world.signed(world.placement(**LIGHT), **LIGHT))
        world.log(placement, (date(2026, 9, 7 + number), "4", "Read"))
        if number in {0, 2}:
            here.get("/placements/")  # what a process reads once is read
            counts[number] = {address: asked(here, address) for address in addresses}
    assert counts[0] == counts[2]
    assert max(counts[2].values()) <= 16


def test_the_placements_page_asks_as_often_for_many_days_as_for_one(world: World) -> None:
    placement = world.running()
    here = client(world, "ana")
    world.log(placement, (FIRST, "4", "Read"))
    here.get(f"/placements/{placement.pk}/")
    few = asked(here, f"/placements/{placement.pk}/")
    world.log(placement, *((date(2026, 9, day), "4", "Read") for day in (8, 9, 10, 14, 15, 16)))
    assert asked(here, f"/placements/{placement.pk}/") == few


def test_a_vacancy_tells_core_hours_on_the_readers_clock_and_that_nothing_is_paid(world: World) -> None:
    page = client(world, "ana").get(f"/vacancies/{world.vacancy().pk}/").content.decode()
    assert all(words in page for words in ("08:00–12:00", "10:00–14:00", "Not paid", "4 of 4 core hours", "Nobody wins by being first"))


def test_a_document_is_read_by_host_and_home_and_by_nobody_else(world: World) -> None:
    from vsm.exchange.placements.actions import selecting
    from vsm.kit.uploads import Upload

    application = selecting.apply(world.vacancy(), by=world.by("ana"), now=NOW)
    selecting.attach(application, by=world.by("ana"), now=NOW, kind="transcript", file=Upload.of("notas.pdf", "text/html", b"%PDF-1.7"))
    address = f"/placement-applications/{application.pk}/documents/transcript/"
    assert {name: client(world, name).get(address).status_code for name in ("ana", "elena", "bia")} == {"ana": 200, "elena": 404, "bia": 404}
    selecting.edit_application(fresh(application), by=world.by("ana"), now=NOW, motivation="Because.")
    selecting.submit(fresh(application), by=world.by("ana"), now=NOW)
    statuses = {name: client(world, name).get(address).status_code for name in ("ana", "elena", "bia", "mario", "dora", "nora")}
    assert statuses == {"ana": 200, "elena": 200, "bia": 200, "mario": 404, "dora": 404, "nora": 404}


def test_lines_left_empty_in_the_form_of_slots_are_no_slots(world: World) -> None:
    vacancy, here = world.vacancy(), client(world, "elena")
    lines = {f"slots-{number}-{name}": "" for number in range(3) for name in ("day", "starts", "minutes", "with_whom", "join_url")}
    lines |= {"slots-count": "3", "slots-0-day": "2026-08-24", "slots-0-starts": "10:00", "slots-0-with_whom": "Mario"}
    with clock.stopped_at(NOW):
        assert here.post(f"/vacancies/{vacancy.pk}/offer_interviews/", lines).status_code == 302
    assert Interview.objects.count() == 1


def test_the_desk_tells_each_what_waits_for_them(world: World) -> None:
    placement = world.running()
    world.log(placement, (FIRST, "4", "Read"))
    world.submitted(world.vacancy(**LIGHT), "beto")
    with clock.stopped_at(STARTED):
        desks = {name: client(world, name).get("/desk/").content.decode() for name in ("ana", "beto", "mario", "elena", "bia", "nora")}
    assert "Write down hours" in desks["ana"]
    assert "Placement: Survey data" in desks["beto"]
    assert "Placements with hours to confirm" in desks["mario"]
    assert "Applications to read" in desks["elena"]
    assert "Placements running" in desks["bia"]
    assert "Vetted hosts" in desks["nora"]
    assert "Calls open" not in desks["elena"]
    assert (HoursEntry.objects.count(), PlacementApplication.objects.count()) == (1, 2)


def desk_of(world: World, at: datetime) -> str:
    with clock.stopped_at(at):
        return " ".join(strip_tags(client(world, "ana").get("/desk/").content.decode()).split())


def test_a_signed_and_insured_placement_is_told_to_begin_and_its_start_is_the_main_button_on_its_day(world: World) -> None:
    placement = world.insured()
    assert f"Placement at {placement.host.name} begins on 7 Sep 2026" in desk_of(world, NOW)
    starts = []
    for at in (NOW, STARTED):
        with clock.stopped_at(at):
            starts.append(TABLE["placement", "start"].tone_on(fresh(placement)))
    assert starts == ["secondary", "primary"]


def test_an_evaluation_that_is_missing_is_the_students_turn_also_when_the_placement_is_over(world: World) -> None:
    placement = world.running()
    world.log(placement, (FIRST, "4", "Read"))
    assert "Evaluate" not in desk_of(world, STARTED)
    halfway, over = datetime(2026, 10, 17, 15, tzinfo=UTC), datetime(2026, 11, 30, 15, tzinfo=UTC)
    assert "Evaluate" in desk_of(world, halfway)
    world.evaluate(placement, "ana", "mid", halfway)
    assert "Evaluate" not in desk_of(world, halfway)
    entry, = HoursEntry.objects.all()
    hours.confirm_hours(fresh(placement), by=world.by("mario"), now=over, entries=[entry.pk])
    running.complete(fresh(placement), by=world.by("mario"), now=over)
    assert "Evaluate" in desk_of(world, over)
    world.evaluate(placement, "ana", "final", over)
    assert "Evaluate" not in desk_of(world, over)


def test_the_agreement_names_the_law_and_the_moments_of_signing_in_words(world: World) -> None:
    placement = world.signed()
    page = strip_tags(client(world, "ana").get(f"/placement-agreements/{placement.agreement.pk}/").content.decode())
    assert ("Peru: Ley 28518" in page, "PE: " in page, "(UTC) · " in page) == (True, False, True)
    assert re.search(r"\d{4}-\d\d-\d\d", page) is None


def test_a_missing_text_hides_nothing_that_the_rules_say_and_nothing_stays_of_trying(world: World) -> None:
    placement = world.running()
    rows = {"rows-count": "2", "rows-0-day": "2026-09-07", "rows-0-hours": "19", "rows-0-what": "Read", "rows-1-day": "2026-09-06", "rows-1-hours": "4", "rows-1-what": ""}
    with clock.stopped_at(STARTED):
        page = client(world, "ana").post(f"/placements/{placement.pk}/log_hours/", rows)
    text = " ".join(strip_tags(page.content.decode()).split())
    assert page.status_code == 422
    assert all(said in text for said in ("Line 2, What was done: This is needed.", "19 hours are more than the 6", "6 Sep 2026 is not a day of the placement")), text
    assert "say what was done" not in text
    assert HoursEntry.objects.count() == 0


def test_where_a_number_is_missing_no_reason_is_made_up(world: World) -> None:
    placement = world.running()
    rows = {"rows-count": "2", "rows-0-day": "2026-09-07", "rows-0-hours": "19", "rows-0-what": "Read", "rows-1-day": "2026-09-07", "rows-1-hours": "", "rows-1-what": "x"}
    with clock.stopped_at(STARTED):
        text = client(world, "ana").post(f"/placements/{placement.pk}/log_hours/", rows).content.decode()
    assert ("Line 2, Hours" in text, "more than the" in text) == (True, False)


def test_what_home_decided_about_credit_stands_first_for_the_student_and_waits_on_the_registrars_desk(world: World) -> None:
    give_role(world.people["tito"], world.home, "registrar")
    placement = world.running()
    world.log(placement, (date(2026, 9, 7), "4", "Read"))
    hours.confirm_hours(fresh(placement), by=world.by("mario"), now=AFTER, entries=[entry.pk for entry in HoursEntry.objects.all()])
    running.complete(fresh(placement), by=world.by("mario"), now=AFTER)
    address = f"/placements/{placement.pk}/"
    assert "It has not decided yet." in client(world, "ana").get(address).content.decode()
    with clock.stopped_at(AFTER):
        assert 'href="/placements/?credit=undecided"' in client(world, "tito").get("/desk/").content.decode()
    certifying.decide_credits(fresh(placement), by=world.by("tito"), now=AFTER, decision="recognised", because="Fits.", credits=Decimal("0.5"), home_code="PRA-1", home_title="Practice")
    page = strip_tags(client(world, "ana").get(address).content.decode())
    assert "Lima University recognises 0.5 credits (Peruvian academic credit) as: PRA-1 Practice" in page, page
    found = [client(world, "bia").get(f"/placements/?credit={state}").content.decode().count(str(placement.pk)) > 0 for state in ("undecided", "recognised", "refused")]
    assert found == [False, True, False]


def test_an_evaluation_that_is_late_is_told_so_on_the_desk(world: World) -> None:
    placement = world.running()
    told = []
    for at in (STARTED + timedelta(days=1), STARTED + timedelta(days=70)):
        with clock.stopped_at(at):
            told.append(client(world, "ana").get("/desk/").content.decode())
    assert [f"/placements/{placement.pk}/evaluate/" in page for page in told] == [False, True]
    assert ["late, was due" in page for page in told] == [False, True]

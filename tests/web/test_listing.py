"""What a list says of the filters that it was asked for."""

import re
from uuid import uuid4

import pytest
from django.test import Client

from tests.exchange.learning_agreements.given import give_role, organisation, person
from vsm.exchange.institutions.models import Organisation, Unit
from vsm.exchange.people.models import Person

pytestmark = pytest.mark.django_db


@pytest.fixture
def bia() -> Client:
    someone, home = person("bia@people.example"), organisation("home", "PE", "America/Lima")
    give_role(someone, home, "coordinator")
    browser = Client(headers={"Accept-Language": "en"})
    browser.force_login(someone)
    return browser


def test_a_choice_that_there_is_not_is_named(bia: Client) -> None:
    asked = [bia.get(f"/seats/{query}").content.decode() for query in ("", "?state=offered", "?state=nix")]
    assert ["“nix” is no choice of “State”" in page for page in asked] == [False, False, True]
    assert ["Nothing here matches what you filter by." in page for page in asked] == [False, True, True]


def test_a_page_asks_nobody_for_an_identifier_and_keeps_the_one_of_a_link(bia: Client) -> None:
    fresh, linked = bia.get("/sessions/").content.decode(), bia.get(f"/sessions/?series={(series := uuid4())}").content.decode()
    assert ("dentifier" in fresh.partition("<main")[2], f'<input type="hidden" name="series" value="{series}">' in linked) == (False, True)
    assert "Course (its code)" in fresh


def test_a_list_on_a_record_does_not_repeat_in_every_row_whose_it_is(bia: Client) -> None:
    home = Organisation.objects.get()
    for code in ("GEN", "LAW"):
        Unit(organisation=home, code=code, name={"en": code}).save()
    listed, embedded = (re.findall(r'columnheader"[^>]*>(?:<a[^>]*>)?([^<]+)', bia.get(address).content.decode()) for address in ("/units/", f"/organisations/{home.pk}/"))
    assert (listed[:3], embedded[:2]) == (["Code", "Name", "Organisation"], ["Code", "Name"])
    assert "Organisation" not in embedded


def test_on_a_phone_each_cell_of_the_role_matrix_says_whose_it_is(bia: Client) -> None:
    page = bia.get("/roles/").content.decode()
    row = page.partition(">Open a call</th>")[2].partition("</tr>")[0]
    assert re.findall(r'data-label="([^"]+)"(?: class="(no)")?><div>(yes|<span)', row)[:2] == [("Student", "no", "<span"), ("Coordinator", "", "yes")]
    assert page.count("<td") == page.count("data-label=")


def test_the_role_matrix_has_a_column_for_each_role_that_may_do_any_of_the_acts(bia: Client) -> None:
    sections = re.findall(r"<section>.*?</section>", bia.get("/roles/").content.decode(), re.S)
    assert len(sections) > 50
    for section in sections:
        heads = re.findall(r'scope="col"[^>]*>([^<]+)', section)[1:]
        assert heads == [head for head in heads if f'data-label="{head}"><div>yes' in section]
    acts = {label: found for section in sections for label, found in re.findall(r'scope="row"[^>]*>([^<]+).*?</th>(.*?)</tr>', section, re.S)}
    assert [set(re.findall(r'data-label="([^"]+)"><div>yes', acts[label])) for label in ("Apply", "Open a call")] == [{"Student"}, {"Coordinator"}]


def test_names_are_sorted_whatever_their_accents(bia: Client) -> None:
    home = Organisation.objects.get()
    for name in ("Zoe", "Álvaro", "Bruno"):
        someone = Person(email=f"{len(name)}{name[-1]}@people.example", name=name)
        someone.save()
        give_role(someone, home, "student")
    page = bia.get("/memberships/?sort=person").content.decode()
    assert re.findall(r"Zoe|Álvaro|Bruno", page.partition("<tbody")[2]) == ["Álvaro", "Bruno", "Zoe"]

"""Accepting an invitation by its link."""

from datetime import timedelta

import pytest
from django.test import Client

from tests.exchange.learning_agreements.given import organisation
from vsm.exchange.people.models import Invitation, Person
from vsm.exchange.people.queries import token_hash
from vsm.kit import clock
from vsm.kit.mail_addresses import is_mail_address

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("cookies", "zone"), [({}, "America/Santiago"), ({"vsm_zone": "Asia/Manila"}, "Asia/Manila")])
def test_whoever_runs_no_script_gets_the_zone_of_the_institution(cookies: dict[str, str], zone: str) -> None:
    inviting = organisation("host", "CL", "America/Santiago")
    Invitation(organisation=inviting, email="nina@people.example", role="coordinator", token_hash=token_hash("secret"), expires_at=clock.now() + timedelta(days=1)).save()
    browser = Client()
    for name, value in cookies.items():
        browser.cookies[name] = value
    answer = browser.post("/invitation/secret/", {"name": "Nina", "password": "a sentence that I remember"})
    assert (answer.status_code, Person.objects.get(email="nina@people.example").zone) == (302, zone)


@pytest.mark.parametrize("is_registered", [False, True])
def test_the_password_of_the_invitation_opens_the_account_also_of_a_student_whom_an_office_registered(is_registered: bool) -> None:
    inviting = organisation("home", "PE", "America/Lima")
    if is_registered:
        someone = Person(email="nina@people.example", name="NINA (LIST)", language="es")
        someone.set_unusable_password()
        someone.save()
    Invitation(organisation=inviting, email="nina@people.example", role="student", token_hash=token_hash("secret"), expires_at=clock.now() + timedelta(days=1)).save()
    assert Client().post("/invitation/secret/", {"name": "Nina", "password": "short"}).status_code == 422
    assert Client().post("/invitation/secret/", {"name": "Nina", "password": "a sentence that I remember"}).status_code == 302
    answer = Client().post("/accounts/login/", {"login": "nina@people.example", "password": "a sentence that I remember"})
    assert (answer.status_code, Person.objects.get(email="nina@people.example").name) == (302, "Nina")


def test_whoever_has_an_account_keeps_its_password() -> None:
    inviting, someone = organisation("home", "PE", "America/Lima"), Person(email="nina@people.example", name="Nina", language="es")
    someone.set_password("a sentence that I remember")
    someone.save()
    Invitation(organisation=inviting, email="nina@people.example", role="student", token_hash=token_hash("secret"), expires_at=clock.now() + timedelta(days=1)).save()
    Client().post("/invitation/secret/", {"name": "Somebody else", "password": "another sentence altogether"})
    assert (Person.objects.get().name, Person.objects.get().check_password("a sentence that I remember")) == ("Nina", True)


@pytest.mark.parametrize(("text", "is_one"), [("nina@people.example", True), ("ñandú@people.example", True), ("nina órga@x", False), ("nina@people", False), ("a@b@c.example", False), ("nina@people..example", False)])
def test_what_can_be_an_address_of_mail(text: str, is_one: bool) -> None:
    assert is_mail_address(text) is is_one


@pytest.mark.parametrize(("facts", "told"), [({}, "expired"), ({"state": "accepted"}, "already used"), (None, "not one of ours")])
def test_a_link_that_opens_nothing_says_so_before_anybody_fills_in_a_form(facts: dict[str, str] | None, told: str) -> None:
    if facts is not None:
        inviting = organisation("home", "PE", "America/Lima")
        Invitation(organisation=inviting, email="nina@people.example", role="student", token_hash=token_hash("secret"), expires_at=clock.now() - timedelta(days=1), **facts).save()
    page = Client(headers={"Accept-Language": "en"}).get("/invitation/secret/").content.decode().partition("<main")[2]
    assert (told in page, 'name="password"' in page) == (True, False)

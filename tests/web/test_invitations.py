"""Accepting an invitation by its link."""

from datetime import timedelta

import pytest
from django.test import Client

from tests.exchange.learning_agreements.given import organisation
from vsm.exchange.people.models import Invitation, Person
from vsm.exchange.people.queries import token_hash
from vsm.kit import clock

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

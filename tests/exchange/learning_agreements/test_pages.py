"""The agreement in the browser: its page, signing, the PDF, and who is let in."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from tests.exchange.learning_agreements import given
from tests.exchange.learning_agreements.given import NOW, World, actor, fresh
from vsm.exchange.learning_agreements.actions import draft_version, open_for_seat, present, sign
from vsm.exchange.learning_agreements.models import LearningAgreement, Signature
from vsm.exchange.people.models import Person

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


def browser(who: Person) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(who)
    return client


def presented(world: World) -> LearningAgreement:
    agreement = world.agreement()
    draft_version(agreement, by=actor(world.bia), now=NOW, components=given.lines(agreement))
    present(agreement, by=actor(world.bia), now=NOW)
    return fresh(agreement)  # type: ignore[no-any-return]


def page(agreement: LearningAgreement, tail: str = "") -> str:
    return f"/learning-agreements/{agreement.pk}/{tail}"


def test_the_page_shows_the_text_and_what_the_rules_propose_with_their_source(world: World) -> None:
    shown = browser(world.bia).get(page(world.agreement())).content.decode()
    assert "Statistics" in shown
    assert "What the rules propose" in shown
    assert "<cite>" in shown
    assert "Not settled yet" in shown


def test_the_student_reads_and_signs_the_fingerprint_on_the_page(world: World) -> None:
    agreement, client = presented(world), browser(world.ana)
    form = client.get(page(agreement, "sign/")).content.decode()
    digest = re.search(r'type="hidden" name="digest" value="([0-9a-f]{64})"', form)
    assert digest
    assert digest[1] == agreement.current_version.digest  # type: ignore[union-attr]
    answer = client.post(page(agreement, "sign/"), {"digest": digest[1], "delivery_key": "k"})
    assert (answer.status_code, answer["Location"]) == (302, page(agreement))
    assert Signature.objects.get().person == world.ana


def test_another_signature_meanwhile_is_no_conflict(world: World) -> None:
    agreement, client = presented(world), browser(world.ana)
    digest = agreement.current_version.digest  # type: ignore[union-attr]
    client.get(page(agreement, "sign/"))
    sign(agreement, by=actor(world.carlos), now=NOW, digest=digest)
    assert client.post(page(agreement, "sign/"), {"digest": digest, "delivery_key": "k"}).status_code == 302


def test_a_text_changed_meanwhile_is_shown_with_the_changes_and_a_form_for_the_new_one(world: World) -> None:
    agreement, client = presented(world), browser(world.ana)
    stale = agreement.current_version.digest  # type: ignore[union-attr]
    draft_version(agreement, by=actor(world.bia), now=NOW, components=given.lines(agreement, home_credits="3"))
    present(agreement, by=actor(world.bia), now=NOW)
    answer = client.post(page(agreement, "sign/"), {"digest": stale, "delivery_key": "k"})
    shown = answer.content.decode()
    assert answer.status_code == 409
    assert escape("Credits at home: before “4”, now “3”.") in shown
    assert fresh(agreement).current_version.digest in shown
    assert f'value="{stale}"' not in shown
    assert not Signature.objects.exists()


def test_who_has_signed_is_not_asked_again(world: World) -> None:
    agreement, client = presented(world), browser(world.ana)
    sign(agreement, by=actor(world.ana), now=NOW, digest=agreement.current_version.digest)  # type: ignore[union-attr]
    shown = client.get(page(agreement, "sign/")).content.decode()
    assert "Sign this version" not in shown
    assert page(agreement, "sign/") not in client.get(page(agreement)).content.decode()
    assert page(agreement, "sign/") in browser(world.carlos).get(page(agreement)).content.decode()


def test_a_change_after_signing_shows_both_versions_and_the_difference(world: World) -> None:
    agreement = presented(world)
    for who in (world.ana, world.bia, world.carlos):
        sign(agreement, by=actor(who), now=NOW, digest=agreement.current_version.digest)  # type: ignore[union-attr]
    draft_version(agreement, by=actor(world.bia), now=NOW, components=given.lines(agreement, home_credits="3"), because="Week 3")
    shown = browser(world.ana).get(page(agreement)).content.decode()
    assert "Version 3 changes what is in force (version 2)" in shown
    assert escape("Credits at home: before “4”, now “3”.") in shown
    assert shown.count("Fingerprint of this version") == 2


def test_the_pdf_is_served_for_each_version_and_for_no_other(world: World) -> None:
    agreement, client = presented(world), browser(world.carlos)
    for tail in ("pdf/", "pdf/?version=1"):
        answer = client.get(page(agreement, tail))
        assert (answer["Content-Type"], answer.content[:5]) == ("application/pdf", b"%PDF-")
    assert client.get(page(agreement, "pdf/?version=9")).status_code == 404


@pytest.mark.parametrize("tail", ["", "sign/", "pdf/", "history/"])
def test_a_stranger_finds_nothing(world: World, tail: str) -> None:
    agreement = presented(world)
    assert browser(world.dora).get(page(agreement, tail)).status_code == 404
    assert Client().get(page(agreement, tail)).status_code in {302, 404}


def test_the_list_asks_the_same_for_one_and_for_three(world: World) -> None:
    client = browser(world.bia)
    world.agreement()
    client.get("/learning-agreements/")
    with CaptureQueriesContext(connection, ) as one:
        assert client.get("/learning-agreements/").status_code == 200
    for name in ("Ben", "Cora"):
        who = given.person(name)
        open_for_seat.call(seat_id=str(world.seat(world.offering(name), application=world.application_of(who)).pk))
    with CaptureQueriesContext(connection) as three:
        assert client.get("/learning-agreements/").content.decode().count('role="rowheader"') == 3
    assert len(three) == len(one)
    assert len(one) <= 12

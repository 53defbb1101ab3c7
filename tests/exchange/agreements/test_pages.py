"""An agreement's page: signatures, places left and the balance, as both parties get them."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import lxml.html
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.exchange.agreements.given import NOW, actor, agreement, proposed, signed, world
from tests.exchange.applications.given import STARTS, offering, published, student, submitted
from vsm.exchange.agreements.actions import SeatPromise, revise, sign
from vsm.exchange.agreements.models import Agreement
from vsm.exchange.agreements.queries import digest_of
from vsm.exchange.allocation.models import Run, Seat
from vsm.exchange.institutions.models import Term
from vsm.exchange.institutions.queries import name_of
from vsm.web.coordinator.agreements import balance_of, place_rows, used_seats

# Static files are not collected for tests; whitenoise says so once for each client.
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


@pytest.fixture
def w() -> SimpleNamespace:
    made = world()
    made.terms = [Term(organisation=made.host, code=code, name={"en": code}, starts_on=start, ends_on=start + timedelta(weeks=17)) for code, start in (("2027-1", STARTS), ("2027-2", STARTS + timedelta(weeks=24)))]
    for term in made.terms:
        term.save()
    return made


def client(of: Any) -> Client:
    made = Client(headers={"accept-language": "en"})
    made.cookies["django_language"] = "en"
    made.force_login(of, backend="allauth.account.auth_backends.AuthenticationBackend")
    return made


def seated(w: SimpleNamespace, name: str, course: Any, home: Any, state: str = "accepted") -> None:
    """A seat of a student of `home` in a course, in a call of its own."""
    who = student(home, name)
    call = published(SimpleNamespace(**{**vars(w), "host": course.opportunity.organisation, "carlos": w.carlos if course.opportunity.organisation == w.host else w.bia}), {course: 9}, code=f"call-{name}")
    made = submitted(SimpleNamespace(**{**vars(w), "algebra": course, "biology": course}), call, who, choices=[course.pk])
    run = Run(call=call, number=1, mechanism="deferred_acceptance", problem_digest="", outcome_digest="")
    run.save()
    Seat(run=run, application=made, offering=course, rank=1, offered_at=NOW, respond_by=NOW + timedelta(days=3), state=state).save()


def everything(w: SimpleNamespace, **changes: Any) -> Agreement:
    return signed(w, levels=[], isced_f=["06"], language="", minimum_cefr="", **changes)


def test_places_tell_promised_used_and_left_for_each_direction_and_term(w: SimpleNamespace) -> None:
    made = everything(w)
    out, back = offering(w.host, "OUT", "Out"), offering(w.home, "BAC", "Back")
    out.term = w.terms[0]
    out.save()
    seated(w, "Ana", out, w.home)
    seated(w, "Beto", out, w.home, "offered")
    seated(w, "Rui", back, w.host)
    used = used_seats(made)
    rows = {(row["host"], row["term"]): (row["promised"], row["used"], row["left"]) for row in place_rows(made, used)}
    assert rows == {("Paulista", "2027-1"): (3, 1, 2), ("Porto", "2027-1"): (5, 2, 3), ("Porto", "2027-2"): (5, 0, 5)}
    balance = balance_of(made, used)
    assert (balance.first_sent, balance.second_sent, balance.owed) == (2, 1, 1)


def test_a_seat_given_back_uses_no_place(w: SimpleNamespace) -> None:
    made, out = everything(w), offering(w.host, "OUT", "Out")
    for name, state in (("Ana", "declined"), ("Beto", "expired"), ("Caio", "released"), ("Davi", "withdrawn")):
        seated(w, name, out, w.home, state)
    assert sum(used_seats(made).values()) == 0


def test_what_the_agreement_does_not_cover_uses_none_of_its_places(w: SimpleNamespace) -> None:
    made = everything(w)
    signed(w, code="arts", levels=[], isced_f=["02"], language="", minimum_cefr="")
    late = everything(w, code="next-year", starts_on=made.ends_on + timedelta(days=1), ends_on=made.ends_on + timedelta(days=300))
    seated(w, "Ana", offering(w.host, "ART", "Arts", isced_f="0213"), w.home)
    seated(w, "Beto", offering(w.host, "INF", "Informatics", isced_f="0613"), w.home)
    assert sum(used_seats(made).values()) == 1
    assert sum(used_seats(late).values()) == 0


def test_a_promise_for_a_named_term_stands_beside_the_one_for_each_term(w: SimpleNamespace) -> None:
    made = everything(w, promises=[SeatPromise(host=w.host.pk, seats=5), SeatPromise(host=w.host.pk, seats=9, term="2027-2")])
    rows = sorted((row["term"], row["promised"]) for row in place_rows(made, used_seats(made)))
    assert rows == [("2027-1", 5), ("2027-2", 9)]


def test_both_parties_read_the_same_page_and_strangers_find_none(w: SimpleNamespace) -> None:
    made = everything(w)
    pages = [client(who).get(f"/agreements/{made.pk}/").content.decode() for who in (w.bia, w.carlos)]
    for page in pages:
        assert [word in page for word in ("In balance: both have sent the same number.", digest_of(made), "Bia", "Carlos")] == [True] * 4
    assert client(w.dora).get(f"/agreements/{made.pk}/").status_code == 404


def test_the_page_says_that_a_signature_was_voided_and_whose(w: SimpleNamespace) -> None:
    made = proposed(w)
    sign(made, by=actor(w.bia), now=NOW, digest=digest_of(made))
    assert "these signatures are void" not in client(w.carlos).get(f"/agreements/{made.pk}/").content.decode()
    revise(made, by=actor(w.carlos), now=NOW, starts_on=made.starts_on, ends_on=made.ends_on, because="more", promises=[SeatPromise(host=w.host.pk, seats=6)])
    page = client(w.carlos).get(f"/agreements/{made.pk}/").content.decode()
    assert "these signatures are void" in page
    assert "Paulista: Bia" in page


def test_signing_by_the_form_binds_to_the_text_that_the_form_was_drawn_for(w: SimpleNamespace) -> None:
    made, who = proposed(w), client(w.carlos)
    form = who.get(f"/agreements/{made.pk}/sign/").content.decode()
    assert digest_of(made) in form
    assert who.post(f"/agreements/{made.pk}/sign/", {"digest": "0" * 64}).status_code == 409
    assert who.post(f"/agreements/{made.pk}/sign/", {"digest": digest_of(made), "expected_version": Agreement.objects.get(pk=made.pk).version}).status_code == 302
    assert [signature.person for signature in made.signatures.all()] == [w.carlos]


def test_an_agreement_is_drafted_by_the_form_with_a_line_for_each_direction(w: SimpleNamespace) -> None:
    lines = {"promises-count": "3", "promises-0-host": str(w.host.pk), "promises-0-seats": "4", "promises-1-host": str(w.home.pk), "promises-1-seats": "2", "promises-1-term": "2027-1", "promises-2-host": ""}
    facts = {"code": "F-1", "partner": str(w.host.pk), "starts_on": "2027-01-01", "ends_on": "2027-12-31", "category": "course", "levels": ["master"], "isced_f": "06\n0421\n"}
    assert client(w.bia).post(f"/organisations/{w.home.pk}/draft_agreement/", {**facts, **lines}).status_code == 302
    made = Agreement.objects.get(code="F-1")
    assert (made.levels, made.isced_f) == (["master"], ["06", "0421"])
    assert sorted((p.seats, p.term) for p in made.promises.all()) == [(2, "2027-1"), (4, "")]


def test_the_form_of_a_draft_offers_the_two_parties_as_hosts_and_nobody_else(w: SimpleNamespace) -> None:
    who = client(w.bia)
    page = lxml.html.fromstring(who.get(f"/organisations/{w.home.pk}/draft_agreement/").content)
    assert [(o.get("value"), o.text) for o in page.xpath("//select[@name='promises-0-host']/option")] == [("", "The partner"), (str(w.home.pk), name_of(w.home))]
    lines = {"promises-count": "3", "promises-0-host": "", "promises-0-seats": "4", "promises-1-host": str(w.home.pk), "promises-1-seats": "2", "promises-2-host": ""}
    facts = {"code": "F-2", "partner": str(w.host.pk), "starts_on": "2027-01-01", "ends_on": "2027-12-31", "category": "course"}
    assert who.post(f"/organisations/{w.home.pk}/draft_agreement/", {**facts, **lines}).status_code == 302
    made = Agreement.objects.get(code="F-2")
    assert {(p.host, p.seats) for p in made.promises.all()} == {(w.host, 4), (w.home, 2)}
    page = lxml.html.fromstring(who.get(f"/agreements/{made.pk}/revise/").content)
    assert {o.get("value") for o in page.xpath("//select[@name='promises-0-host']/option")} == {str(w.home.pk), str(w.host.pk), ""}


def test_the_list_needs_the_same_queries_for_one_and_for_three(w: SimpleNamespace, django_assert_num_queries: Any) -> None:
    signed(w)
    who = client(w.bia)
    who.get("/agreements/")
    with CaptureQueriesContext(connection) as queries:
        who.get("/agreements/")
    agreement(w, code="two")
    signed(w, code="three")
    with django_assert_num_queries(len(queries)):
        assert who.get("/agreements/").content.decode().count("BR-PT-1") >= 1


def test_the_list_narrows_by_partner_and_state(w: SimpleNamespace) -> None:
    agreement(w)
    signed(w, code="signed-one")
    who = client(w.bia)
    found = {query: [code for code in ("BR-PT-1", "signed-one") if f">{code}<" in who.get(f"/agreements/?{query}").content.decode()] for query in ("state=signed", f"partner={w.host.pk}", f"partner={w.elsewhere.pk}", "partner=x")}
    assert found == {"state=signed": ["signed-one"], f"partner={w.host.pk}": ["BR-PT-1", "signed-one"], f"partner={w.elsewhere.pk}": [], "partner=x": []}

"""The casebook arrives with the program, is read by everybody with facets, and takes two other people to change."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from tests.exchange.learning_agreements.given import actor, give_role, organisation, person
from vsm.exchange.institutions.models import Hub
from vsm.exchange.people.models import Person
from vsm.kit.actions import available
from vsm.kit.actors import ANONYMOUS, Actor
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.kit.ids import new_id
from vsm.kit.localized import LANGUAGES
from vsm.kit.resources import narrowed
from vsm.observatory.casebook.actions import (
    add_case_source,
    add_claim,
    approve_case,
    draft_case,
    plant,
    revise_case,
    send_back_case,
    submit_case,
)
from vsm.observatory.casebook.models import Case, CasebookReview, VsmModel
from vsm.observatory.casebook.queries import CASE, VSM_MODEL, claim_rows, institution_lines

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
TEXT = dict.fromkeys(LANGUAGES, "Words without numbers.")
FACTS: dict[str, Any] = {"summary": TEXT, "categories": ["course"], "languages": ["es"], "credit": "may", "bandwidth": "text", "lessons": TEXT, "unknown": TEXT}


@pytest.fixture
def hub() -> Hub:
    hub = Hub(name="OpenVSM", contact="olga@hub.example")
    hub.save()
    return hub


def somebody(name: str, role: str = "coordinator") -> Actor:
    person = Person(name=name, email=f"{name.lower()}@example.org")
    person.save()
    return Actor(person_id=person.pk, label=name, roles={role: frozenset([new_id()])})


def ready(hub: Hub, author: Actor) -> Case:
    case = draft_case(hub, by=author, now=NOW, name={"en": "A pilot"}, countries=["PER"], **FACTS)
    case = add_case_source(case, by=author, now=NOW, title="Report", url="https://example.org/report")
    case = add_claim(case, by=author, now=NOW, what=TEXT, value=40, grade="reported", source="report")
    return submit_case(case, by=author, now=NOW)


def test_the_program_brings_its_casebook_once_and_leaves_alone_what_people_took_up(hub: Hub) -> None:
    assert plant(now=NOW) == VsmModel.objects.count() + Case.objects.count()
    assert plant(now=NOW) == 0
    bia = somebody("Bia")
    revise_case(Case.objects.get(slug="emovies"), by=bia, now=NOW, because="New numbers")
    Case.objects.exclude(slug="emovies").update(digest="older")
    VsmModel.objects.update(digest="older")
    plant(now=NOW + timedelta(days=1))
    assert (Case.objects.get(slug="emovies").state, Case.objects.exclude(slug="emovies").filter(state="published").count()) == ("draft", Case.objects.count() - 1)


def test_facets_narrow_what_everybody_can_read(hub: Hub) -> None:
    plant(now=NOW)

    def found(**asked: str) -> set[str]:
        return {case.slug for case in narrowed(CASE, CASE.visible_to(ANONYMOUS), asked, ANONYMOUS)}

    assert found(category="placement") == {"botho-placements"}
    assert found(region="latin-america-and-the-caribbean", credit="always") == {"pilavirtual", "upch-virtual", "movinter"}
    assert found(language="de", bandwidth="audio") == {"erasmus-2020"}
    assert {model.slug for model in narrowed(VSM_MODEL, VSM_MODEL.visible_to(ANONYMOUS), {"origin": "pandemic-born", "category": "programme"}, ANONYMOUS)} == {"start-from-home"}
    assert {model.slug for model in narrowed(VSM_MODEL, VSM_MODEL.visible_to(ANONYMOUS), {"region": "latin-america-and-the-caribbean", "credit": "always"}, ANONYMOUS)} == {"bilateral-substitute", "mobility-window"}


def reviews_offered(case: Case, by: Actor) -> list[str]:
    return [act.verb for act in available(case, by) if act.verb in {"approve", "send_back"}]


def test_two_different_people_other_than_the_author_publish_it(hub: Hub) -> None:
    author, first, second = somebody("Ana"), somebody("Bia"), somebody("Carlos", "registrar")
    case = ready(hub, author)
    with pytest.raises(Refused, match="You wrote this"):
        approve_case(case, by=author, now=NOW)
    assert [reviews_offered(case, each) for each in (author, first, second)] == [[], ["approve", "send_back"], ["approve", "send_back"]]
    case = approve_case(case, by=first, now=NOW)
    assert [reviews_offered(case, each) for each in (author, first, second)] == [[], [], ["approve", "send_back"]]
    with pytest.raises(Refused, match="somebody else"):
        approve_case(case, by=first, now=NOW)
    assert (Case.objects.get().state, list(Case.objects.visible_to(ANONYMOUS))) == ("in-review", [])
    case = approve_case(case, by=second, now=NOW + timedelta(days=2))
    assert (case.state, case.checked_on, list(Case.objects.visible_to(ANONYMOUS))) == ("published", (NOW + timedelta(days=2)).date(), [case])
    assert [(review.reviewer.name, review.approved) for review in CasebookReview.objects.visible_to(ANONYMOUS)] == [("Bia", True), ("Carlos", True)]


def test_whom_a_review_waits_for_is_read_for_all_entries_at_once(hub: Hub, django_assert_num_queries: Any) -> None:
    author, first = somebody("Ana"), somebody("Bia")
    for _number in range(3):
        approve_case(ready(hub, author), by=first, now=NOW)
    with django_assert_num_queries(2):
        assert [reviews_offered(case, somebody_else) for somebody_else in (first,) for case in CASE.visible_to(somebody_else)] == [[], [], []]


def test_what_was_sent_back_starts_a_round_of_its_own(hub: Hub) -> None:
    author, first, second = somebody("Ana"), somebody("Bia"), somebody("Carlos")
    case = approve_case(ready(hub, author), by=first, now=NOW)
    case = send_back_case(case, by=second, now=NOW, because="The page says 38.")
    assert (case.state, case.approvals) == ("draft", 0)
    case = approve_case(submit_case(case, by=author, now=NOW), by=first, now=NOW)
    assert (case.state, case.approvals) == ("in-review", 1)


def test_a_number_without_a_source_is_refused_and_students_do_not_write(hub: Hub) -> None:
    author = somebody("Ana")
    case = draft_case(hub, by=author, now=NOW, name={"en": "A pilot"}, **{**FACTS, "summary": {"en": "It had 40 places."}})
    with pytest.raises(Invalid, match="add it first"):
        add_claim(case, by=author, now=NOW, what=TEXT, value=40, grade="reported", source="report")
    with pytest.raises(Refused) as refused:
        submit_case(case, by=author, now=NOW)
    assert sorted(reason.code for reason in refused.value.reasons) == ["number-in-text", "source-missing", "text-missing"]
    with pytest.raises(NotAllowed):
        draft_case(hub, by=somebody("Dora", "student"), now=NOW, name={"en": "A pilot"}, **FACTS)


def test_a_page_shows_each_number_with_evidence_and_source(hub: Hub) -> None:
    plant(now=NOW)
    case = Case.objects.get(slug="moving-minds")
    assert [row["amount"] for row in claim_rows(case)] == ["14", "38", "78", "73"]
    told = Client().get(f"/cases/{case.pk}/").content.decode()
    assert all(text in told for text in ("Claimed by the programme itself", "Reported by a named source", "https://campusiberoamerica.net/node/3186", "Nobody outside the project"))
    page = Client().get(f"/vsm-models/{VsmModel.objects.get(slug='coil-course').pk}/").content.decode()
    assert (page.count("not for credit"), "/cases/" in page) == (1, True)


def test_an_institution_is_named_with_its_identifier_and_an_impossible_one_is_refused_at_once(hub: Hub) -> None:
    author = somebody("Ana")
    case = draft_case(hub, by=author, now=NOW, name={"en": "Lima–Lyon: a pilot"}, institutions=["A university | https://ror.org/02mhbdp94", "Another"], outcomes=["grew"], barriers=["permits"], consent="given", **FACTS)
    assert case.slug == "lima-lyon-a-pilot"
    assert (case.institutions, case.rors, institution_lines(case)) == (["A university", "Another"], {"A university": "https://ror.org/02mhbdp94"}, ["A university | https://ror.org/02mhbdp94", "Another"])
    with pytest.raises(Invalid) as refused:
        draft_case(hub, by=author, now=NOW, name={"en": "B"}, institutions=["A university | ror"], barriers=["bad luck"], **FACTS)
    assert sorted(reason.code for reason in refused.value.reasons) == ["ror", "value"]


def test_the_front_counts_what_each_facet_finds_and_everything_can_be_taken_away(hub: Hub) -> None:
    plant(now=NOW)
    client = Client(headers={"accept-language": "es"})
    page = client.get("/observatory/casebook/").content.decode()
    placements, wordings = re.search(r'/cases/\?category=placement">[^<]+</a> <span class="muted">(\d+)', page), page.count("La movilidad estudiantil virtual es una forma")
    assert (placements and placements[1], wordings) == ("1", 2)
    lines = list(csv.DictReader(io.StringIO(client.get("/observatory/casebook/numbers.csv?category=collaboration").content.decode())))
    cases = [case for case in Case.objects.all() if "collaboration" in case.categories]
    assert (len(lines), all(line["source"] and line["grade"] for line in lines)) == (sum(len(case.claims) for case in cases), True)
    case = Case.objects.get(slug="emovies")
    told = client.get(f"/cases/{case.pk}/case.jsonld").json()
    assert (told["@type"], told["additionalProperty"][0]["value"], told["additionalProperty"][0]["measurementTechnique"], told["hasCourseInstance"][0]["location"][0]["identifier"]) == ("Course", 7372.0, "self-claimed", "COL")
    assert client.get(f"/vsm-models/{case.model_id}/model.jsonld").json()["termCode"] == "network-places"


def test_a_reviewer_finds_what_waits_on_the_desk_and_whoever_sends_it_back_lands_where_they_may_be(hub: Hub) -> None:
    ana, bia = person("Ana"), person("Bia")
    home = organisation("Home", "PE", "America/Lima")
    for who in (ana, bia):
        give_role(who, home, "coordinator")
    case = ready(hub, actor(ana))
    author, reviewer = Client(), Client()
    for browser, who in ((author, ana), (reviewer, bia)):
        browser.force_login(who, backend="allauth.account.auth_backends.AuthenticationBackend")

    def desks() -> tuple[bool, bool]:
        return "/cases/?state=in-review" in reviewer.get("/desk/").content.decode(), "/cases/?state=draft" in author.get("/desk/").content.decode()

    assert desks() == (True, False)
    own = author.get(f"/cases/{case.pk}/approve/", headers={"accept-language": "en"})
    assert (own.status_code, "You wrote this: two others read it" in own.content.decode(), 'name="delivery_key"' in own.content.decode()) == (409, True, False)
    assert "delivery_key" in reviewer.get(f"/cases/{case.pk}/approve/").content.decode()
    answer = reviewer.post(f"/cases/{case.pk}/send_back/", {"because": "The source says otherwise.", "expected_version": case.version})
    assert (answer.status_code, answer.headers["Location"], reviewer.get("/cases/").status_code) == (302, "/cases/", 200)
    assert desks() == (False, True)

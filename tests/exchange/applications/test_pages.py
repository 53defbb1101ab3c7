"""The pages and files of calls and applications, as each role gets them over HTTP."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.exchange.agreements.given import person
from tests.exchange.applications.given import (
    CLOSES,
    NOW,
    OPEN,
    PDF,
    actor,
    attached,
    begun,
    drafted,
    nominated,
    offering,
    published,
    ranked,
    student,
    submitted,
    world,
)
from vsm.exchange.applications.actions import describe, nominate, submit
from vsm.exchange.applications.models import Application
from vsm.kit import clock

# Static files are not collected for tests; whitenoise says so once for each client.
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]
SENTINEL = "sentinel-7f3a"


@pytest.fixture
def w() -> SimpleNamespace:
    return world()


@pytest.fixture(autouse=True)
def open_call() -> Any:
    with clock.stopped_at(OPEN):
        yield


def client(of: Any = None) -> Client:
    made = Client(headers={"accept-language": "en"})
    made.cookies["django_language"] = "en"
    if of is not None:
        made.force_login(of, backend="allauth.account.auth_backends.AuthenticationBackend")
    return made


def text(response: Any) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return str(body.decode())


def told(w: SimpleNamespace, call: Any) -> Application:
    """A submitted application whose every part carries the sentinel."""
    made = attached(w, ranked(w, call), name=f"{SENTINEL}.pdf")
    describe(made, by=actor(w.ana), now=OPEN, motivation=f"{SENTINEL} motivation", needs=f"{SENTINEL} needs")
    return submit(Application.objects.get(pk=made.pk), by=actor(w.ana), now=OPEN)


def everything(who: Client, made: Application) -> str:
    """All that the doors tell somebody who looks for this application."""
    paths = [f"/applications/{made.pk}/", f"/applications/{made.pk}/history/", "/applications/", "/applications.csv", f"/calls/{made.call_id}/", f"/calls/{made.call_id}/history/"]
    return "".join(text(who.get(path)) for path in paths)


def test_the_office_of_the_call_sees_nothing_of_an_application_before_its_nomination(w: SimpleNamespace) -> None:
    made = told(w, published(w))
    assert SENTINEL in everything(client(w.bia), made)
    assert SENTINEL not in everything(client(w.carlos), made)
    assert "Ana" not in everything(client(w.carlos), made)
    nominate(made, by=actor(w.bia), now=CLOSES)
    assert SENTINEL in everything(client(w.carlos), made)


def test_a_stranger_and_a_visitor_see_nothing_of_it_ever(w: SimpleNamespace) -> None:
    made = nominate(told(w, published(w)), by=actor(w.bia), now=CLOSES)
    for who in (client(w.dora), client()):
        assert SENTINEL not in everything(who, made)
        assert who.get(f"/applications/{made.pk}/").status_code == 404


def test_home_sees_nothing_of_a_draft(w: SimpleNamespace) -> None:
    made = ranked(w, published(w))
    describe(made, by=actor(w.ana), now=OPEN, motivation=SENTINEL)
    assert SENTINEL not in everything(client(w.bia), made)
    assert SENTINEL in everything(client(w.ana), made)


def document_path(made: Application) -> str:
    return f"/applications/{made.pk}/documents/{made.documents.get().pk}/"


def test_a_document_is_only_ever_downloaded_with_its_real_type(w: SimpleNamespace) -> None:
    made = attached(w, begun(w, published(w)), name="página.html", data=b"<script>alert(1)</script>")
    response = client(w.ana).get(document_path(made))
    assert response.content == b"<script>alert(1)</script>"
    assert response["Content-Type"] == "text/plain"
    assert response["Content-Disposition"].startswith("attachment;")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in response["Cache-Control"]


def test_a_document_is_seen_by_those_who_see_the_application(w: SimpleNamespace) -> None:
    made = told(w, published(w))
    path = document_path(made)

    def statuses() -> dict[str, int]:
        return {name: client(getattr(w, name)).get(path).status_code for name in ("ana", "bia", "carlos", "dora")}

    assert statuses() == {"ana": 200, "bia": 200, "carlos": 404, "dora": 404}
    nominate(made, by=actor(w.bia), now=CLOSES)
    assert statuses() == {"ana": 200, "bia": 200, "carlos": 200, "dora": 404}
    assert client().get(path).status_code == 404


def test_a_document_is_not_found_under_somebody_elses_application(w: SimpleNamespace) -> None:
    call = published(w)
    mine = attached(w, begun(w, call))
    w.ana = beto = student(w.home, "Beto")
    other = begun(w, call, beto)
    assert client(beto).get(f"/applications/{other.pk}/documents/{mine.documents.get().pk}/").status_code == 404


def test_the_students_page_tells_each_obstacle_beside_its_choice_before_she_submits(w: SimpleNamespace) -> None:
    hard = offering(w.host, "HAR", "Hard", cefr="C2")
    call = published(w, {hard: 1, w.algebra: 1}, required_documents=["cv"])
    page = text(client(w.ana).get(f"/applications/{ranked(w, call, choices=[hard.pk, w.algebra.pk]).pk}/"))
    assert "Hard asks for English at C2; your record says B2." in page
    assert "Missing: Curriculum vitae." in page
    assert page.count("1 obstacle") == 1
    assert page.count("Fits") == 1


def test_a_ready_application_says_that_nothing_stands_in_the_way(w: SimpleNamespace) -> None:
    page = text(client(w.ana).get(f"/applications/{ranked(w, published(w)).pk}/"))
    assert "Nothing stands in the way" in page


def test_deadlines_stand_in_the_readers_zone_and_in_the_calls_both_named(w: SimpleNamespace) -> None:
    call = published(w)
    for path in (f"/calls/{call.pk}/", f"/applications/{ranked(w, call).pk}/"):
        page = text(client(w.ana).get(path))
        assert "Mon 21 Dec 2026, 07:00</time> <span class=\"zone\">(America/Lima)" in page
        assert "Mon 21 Dec 2026, 12:00</time> <span class=\"zone\">(Europe/Lisbon)" in page


def test_meetings_stand_in_the_readers_zone(w: SimpleNamespace) -> None:
    call = published(w)
    lima, lisbon = text(client(w.ana).get(f"/calls/{call.pk}/")), text(client(person("Luis", w.host, "instructor", zone="Europe/Lisbon")).get(f"/calls/{call.pk}/"))
    assert ("Mon 09:00–10:30" in lima, "Mon 14:00–15:30" in lisbon) == (True, True)


def test_submitting_by_the_form_is_refused_with_every_obstacle(w: SimpleNamespace) -> None:
    made = ranked(w, published(w, required_documents=["cv", "identity"]))
    response = client(w.ana).post(f"/applications/{made.pk}/submit/", {"expected_version": made.version})
    assert response.status_code == 409
    assert "Missing: Curriculum vitae." in text(response)
    assert "Missing: Identity document." in text(response)


def test_a_student_ranks_attaches_and_submits_by_forms_alone(w: SimpleNamespace) -> None:
    made, who = begun(w, published(w, required_documents=["cv"])), client(w.ana)
    assert who.post(f"/applications/{made.pk}/rank/", {"choices_1": str(w.biology.pk), "choices_2": str(w.algebra.pk), "seats_wanted": "1"}).status_code == 302
    assert who.post(f"/applications/{made.pk}/attach/", {"kind": "cv", "file": SimpleUploadedFile("cv.pdf", PDF, "text/html")}).status_code == 302
    assert who.post(f"/applications/{made.pk}/submit/", {}).status_code == 302
    kept = Application.objects.get(pk=made.pk)
    assert (kept.state, kept.choices, kept.documents.get().media_type) == ("submitted", [str(w.biology.pk), str(w.algebra.pk)], "application/pdf")


def test_home_nominates_many_by_one_form(w: SimpleNamespace) -> None:
    call = published(w)
    three = [submitted(w, call, student(w.home, name)) for name in ("Beto", "Caio", "Davi")]
    rows = {f"rows-{n}-application": str(a.pk) for n, a in enumerate(three)} | {"rows-0-band": "2", "rows-1-band": "", "rows-2-band": "1", "rows-count": "3"}
    page = text(client(w.bia).get(f"/organisations/{w.home.pk}/nominate_many/"))
    assert [name in page for name in ("Beto", "Caio", "Davi")] == [True, True, True]
    assert client(w.bia).post(f"/organisations/{w.home.pk}/nominate_many/", rows).status_code == 302
    assert [Application.objects.get(pk=a.pk).state for a in three] == ["nominated", "submitted", "nominated"]


def test_a_coordinator_chooses_offerings_by_the_form(w: SimpleNamespace) -> None:
    call = drafted(w)
    rows = {"rows-count": "3", "rows-0-offering": str(w.algebra.pk), "rows-0-seats": "4", "rows-1-offering": "", "rows-1-seats": ""}
    assert client(w.carlos).post(f"/calls/{call.pk}/choose_offerings/", rows).status_code == 302
    assert dict(call.call_offerings.values_list("offering_id", "seats")) == {w.algebra.pk: 4}


def test_the_call_tells_home_who_waits_for_a_nomination_and_nobody_else(w: SimpleNamespace) -> None:
    call = published(w)
    submitted(w, call)
    assert "1 student of Paulista waits for a nomination." in text(client(w.bia).get(f"/calls/{call.pk}/"))
    for other in (w.carlos, w.dora, w.ana):
        assert "waits for a nomination" not in text(client(other).get(f"/calls/{call.pk}/"))


def test_a_draft_call_tells_its_office_everything_that_is_missing_before_it_is_published(w: SimpleNamespace) -> None:
    page = text(client(w.carlos).get(f"/calls/{drafted(w).pk}/"))
    assert ["Before it can be published" in page, "The call has no offerings." in page] == [True, True]
    assert "Before it can be published" not in text(client(w.carlos).get(f"/calls/{published(w, code='C-9').pk}/"))


def test_a_draft_call_is_not_found_by_others(w: SimpleNamespace) -> None:
    call = drafted(w)
    assert [client(who).get(f"/calls/{call.pk}/").status_code for who in (w.carlos, w.bia, None)] == [200, 404, 404]


@pytest.mark.parametrize("path", ["/applications/", "/calls/"])
def test_a_list_needs_the_same_queries_for_one_and_for_three(w: SimpleNamespace, django_assert_num_queries: Any, path: str) -> None:
    calls = [published(w, code=f"C-{n}") for n in range(1)]
    nominated(w, calls[0])
    who = client(w.bia)
    who.get(path)
    queries = _count(who, path)
    for n in (1, 2):
        nominated(w, published(w, code=f"D-{n}"), student(w.home, f"Student {n}"))
    with django_assert_num_queries(queries):
        assert text(who.get(path)).count("Courses online") >= 3


@pytest.mark.parametrize("courses", [1, 3])
def test_a_call_page_needs_the_same_queries_for_one_course_and_for_three(w: SimpleNamespace, courses: int) -> None:
    call = published(w, {offering(w.host, f"X{n}", f"Course {n}"): 2 for n in range(courses)})
    who = client()
    who.get(f"/calls/{call.pk}/")
    assert _count(who, f"/calls/{call.pk}/") == 5


def _count(who: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert who.get(path).status_code == 200
    return len(queries)


def test_the_ground_of_these_tests_is_an_open_call(w: SimpleNamespace) -> None:
    assert published(w).phase(clock.now()) == "applying"
    assert NOW < OPEN


def test_a_draft_for_a_call_that_has_closed_leaves_the_desk(w: SimpleNamespace) -> None:
    ranked(w, published(w))
    found = []
    for at in (OPEN, CLOSES):
        with clock.stopped_at(at):
            found.append("Finish and submit" in text(client(w.ana).get("/desk/")))
    assert found == [True, False]

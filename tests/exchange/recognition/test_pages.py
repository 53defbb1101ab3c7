"""The pages of results, transcripts and decisions, as each reader gets them."""

from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.exchange.recognition.given import LATER, NOW, world, world_beside
from vsm.exchange.recognition import actions
from vsm.exchange.recognition.models import Decision, Result, Transcript
from vsm.exchange.recognition.transcript import canonical
from vsm.kit import files
from vsm.kit.actors import SYSTEM

# WhiteNoise warns where nobody has run collectstatic, as in a fresh clone.
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


@pytest.fixture
def sign_in(client, settings):
    def as_person(person, language="en"):
        client.force_login(person)
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
        return client

    return as_person


def text_of(response, status=200):
    assert response.status_code == status, response.content.decode()[:2000]
    return response.content.decode()


def test_the_stored_bytes_are_served_to_those_who_may_read_and_to_nobody_else(sign_in, client):
    w = world()
    transcript = w.transcript("5.5")
    here = f"/transcripts/{transcript.pk}/"
    for person in (w.ana, w.people["rosa"], w.people["ines"]):
        told = sign_in(person).get(f"{here}pdf/")
        assert (told.status_code, told["Content-Type"]) == (200, "application/pdf")
        assert told.content == files.get(transcript.pdf_digest)
        assert told["Cache-Control"] == "private, no-store"
    assert sign_in(w.ana).get(f"{here}json/").content == canonical(transcript.content)
    for person in (w.people["dora"], w.people["pilar"]):
        assert sign_in(person).get(f"{here}pdf/").status_code == sign_in(person).get(f"{here}json/").status_code == 404
    client.logout()
    assert client.get(f"{here}pdf/").status_code == 404


def test_the_transcript_page_shows_its_courses_files_and_fingerprint_and_says_when_it_is_outdated(sign_in):
    w = world()
    transcript = w.transcript("5.5")
    page = text_of(sign_in(w.people["ines"]).get(f"/transcripts/{transcript.pk}/"))
    assert "MAT-201" in page
    assert "2027-03-01 –" not in page, "a day is written as the reader writes days"
    assert transcript.digest in page
    assert f"/transcripts/{transcript.pk}/pdf/" in page
    assert "has to issue a new edition" not in page
    actions.correct(w.result(), by=w.ines, now=LATER, grade="6.0", because="x")
    assert "has to issue a new edition" in text_of(sign_in(w.people["ines"]).get(f"/transcripts/{transcript.pk}/"))
    assert "a new edition is due" in text_of(sign_in(w.people["ines"]).get(f"/results/{w.result().pk}/"))
    transcript.refresh_from_db()
    edition = actions.reissue(transcript, by=w.ines, now=LATER, because="x")
    assert f"/transcripts/{edition.pk}/" in text_of(sign_in(w.ana).get(f"/transcripts/{transcript.pk}/"))


def test_altered_content_is_told_on_its_page(sign_in):
    w = world()
    transcript = w.transcript("5.5")
    Transcript.objects.filter(pk=transcript.pk).update(content={**transcript.content, "number": "2027-9999"})
    assert "Do not rely on it" in text_of(sign_in(w.ana).get(f"/transcripts/{transcript.pk}/"))


def test_the_registrar_decides_with_evidence_and_memory_on_one_page(sign_in):
    w = world()
    actions.recognise(
        w.decision(), by=w.rosa, now=NOW, home_code="EST-1", home_title="Estadística 1", home_credits=Decimal(5)
    )
    agreement = world_beside(w)
    actions.propose(actions.issue_transcript(agreement, by=w.ines, now=LATER), by=SYSTEM, now=LATER)
    decision = Decision.objects.get(enrolment__learning_agreement_id=agreement.pk)
    page = text_of(sign_in(w.people["rosa"]).get(f"/decisions/{decision.pk}/"))
    for expected in (
        "promises: H-MAT-201",
        "Nothing stands in the way",
        "→ EST-1 Estadística 1",
        "Recognised: 1 · in part: 0 · refused: 0",
        "Modified Bavarian",
        "the documented hours allow",
        "/recognise/",
    ):
        assert expected in page
    student = text_of(sign_in(decision.enrolment.student).get(f"/decisions/{decision.pk}/"))
    assert "How we decided before" not in student
    assert "/recognise/" not in student


def test_the_form_begins_with_what_was_promised_and_a_deviation_is_answered_on_it(sign_in):
    w = world()
    decision = w.decision()
    here = f"/decisions/{decision.pk}/recognise/"
    registrar = sign_in(w.people["rosa"])
    page = text_of(registrar.get(here))
    assert 'value="H-MAT-201"' in page
    assert 'value="5.00"' in page
    assert 'value="16"' in page
    given = {"home_code": "H", "home_title": "H", "home_credits": "3", "home_grade": "16"}
    assert "promised more: 5 credits" in text_of(registrar.post(here, given), 422)
    assert registrar.post(here, {**given, "because": "Faltan horas"}).status_code == 302
    assert Decision.objects.get().because == "Faltan horas"


def test_the_student_reads_the_reason_and_asks_for_reconsideration(sign_in):
    w = world()
    decision = actions.refuse(w.decision(), by=w.rosa, now=NOW, because="El contenido no alcanza")
    page = text_of(sign_in(w.ana).get(f"/decisions/{decision.pk}/"))
    assert "El contenido no alcanza" in page
    assert f"/decisions/{decision.pk}/ask_again/" in page
    assert "registro@uni.example.pe" in page
    assert (
        sign_in(w.ana).post(f"/decisions/{decision.pk}/ask_again/", {"question": "Miren el sílabo"}).status_code == 302
    )
    assert "Miren el sílabo" in text_of(sign_in(w.people["rosa"]).get(f"/decisions/{decision.pk}/"))


def test_ana_sees_course_by_course_what_came_of_it_and_what_comes_next(sign_in, client):
    w = world()
    assert client.get("/recognition/").status_code == 302
    assert text_of(sign_in(w.ana).get("/recognition/")).count("confirms your result") == 3
    w.final("5.5")
    assert "issues your transcript" in text_of(sign_in(w.ana).get("/recognition/"))
    w.drop_others(0)
    actions.propose(actions.issue_transcript(w.agreement, by=w.ines, now=NOW), by=SYSTEM, now=NOW)
    assert "your home institution decides" in text_of(sign_in(w.ana).get("/recognition/"))
    actions.refuse(Decision.objects.get(), by=w.rosa, now=NOW, because="El contenido no alcanza")
    page = text_of(sign_in(w.ana).get("/recognition/"))
    assert "El contenido no alcanza" in page
    assert "5.5" in page
    assert "no course here yet" in text_of(sign_in(w.people["dora"]).get("/recognition/"))


def test_the_teacher_enters_a_table_and_sees_each_unreadable_line(sign_in):
    w = world()
    w.classmate("Beto", "20205555")
    here = f"/teaching/{w.offering.pk}/results/"
    teacher = sign_in(w.people["pilar"])
    page = text_of(teacher.get(here))
    assert "Ana Ñahui" in page
    assert "Beto" in page
    given = {"rows-count": "2"}
    for number, row in enumerate(actions.rows_to_grade(w.offering, w.pilar)):
        given |= {
            f"rows-{number}-enrolment_id": str(row.enrolment_id),
            f"rows-{number}-student": row.student,
            f"rows-{number}-grade": ("5,5", "8")[number],
            f"rows-{number}-credits": "6",
        }
    assert "Line 2: Beto: 8 is not a grade" in text_of(teacher.post(here, given), 422)
    assert not Result.objects.exists()
    assert teacher.post(here, {**given, "rows-1-grade": "4"}).status_code == 302
    assert set(Result.objects.values_list("grade", flat=True)) == {"5.5", "4"}
    assert "confirm_results" not in text_of(teacher.get(here))
    assert "confirm_results" in text_of(sign_in(w.people["ines"]).get(here))


def test_the_sheet_to_fill_in_goes_back_in(sign_in):
    w = world()
    beto = w.classmate("Beto", "20205555")
    teacher = sign_in(w.people["pilar"])
    sheet = teacher.get(f"/teaching/{w.offering.pk}/results.csv").content.decode("utf-8-sig")
    assert sheet.splitlines()[0] == "student_number,email,student,grade,credits,remark"
    filled = sheet.replace("Beto,,", "Beto,6.1,").replace("Ana Ñahui,,", "Ana Ñahui,3.0,")
    file = SimpleUploadedFile("notas.csv", filled.encode(), "text/csv")
    assert teacher.post(f"/teaching/{w.offering.pk}/results/import/", {"file": file}).status_code == 302
    assert {r.enrolment_id: r.grade for r in Result.objects.all()} == {w.enrolments[0].pk: "3.0", beto.pk: "6.1"}
    spoiled = SimpleUploadedFile("notas.csv", filled.replace("6.1", "61").encode(), "text/csv")
    assert "Line 3: Beto: 61 is not a grade" in text_of(
        teacher.post(f"/teaching/{w.offering.pk}/results/import/", {"file": spoiled}), 422
    )


def test_whoever_does_not_teach_the_course_finds_no_grade_entry(sign_in):
    w = world()
    here = f"/teaching/{w.offering.pk}/results"
    w.offering.instructors.clear()
    for person in (w.ana, w.people["dora"], w.people["rosa"], w.people["pilar"]):
        for address in (f"{here}/", f"{here}/import/", f"{here}.csv"):
            assert sign_in(person).get(address).status_code == 404


@pytest.mark.parametrize("plural", ["results", "transcripts", "decisions"])
def test_a_list_of_three_costs_as_many_queries_as_a_list_of_one(sign_in, plural):
    w = world()
    w.decision()
    reader = sign_in(w.people["ines"])
    reader.get(f"/{plural}/")
    with CaptureQueriesContext(connection) as one:
        text_of(reader.get(f"/{plural}/"))
    for name in ("Eva", "Iris"):
        agreement = world_beside(w, name)
        actions.propose(actions.issue_transcript(agreement, by=w.ines, now=NOW), by=SYSTEM, now=NOW)
    with CaptureQueriesContext(connection) as three:
        page = text_of(reader.get(f"/{plural}/"))
    assert "Iris" in page
    assert len(three) == len(one)


def test_lists_and_pages_of_dora_are_empty_or_not_there(sign_in):
    w = world()
    decision = w.decision()
    stranger = sign_in(w.people["dora"])
    for plural, record in (("results", decision.result), ("transcripts", decision.transcript), ("decisions", decision)):
        assert "Ana" not in text_of(stranger.get(f"/{plural}/"))
        assert "Ana" not in b"".join(stranger.get(f"/{plural}.csv").streaming_content).decode()
        assert stranger.get(f"/{plural}/{record.pk}/").status_code == 404
        assert stranger.get(f"/{plural}/{record.pk}/history/").status_code == 404

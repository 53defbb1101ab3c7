"""Category 1 from the agreement to the recognised credit: one story, walked through the pages, by REST and by command.

Ana studies in Lima; Bia and Rosa work at her university, Carlos, Inés and Raúl at the host in Santiago; Beto is another
student, Olga runs the installation, Dora is a stranger. The clock is held at each step of the story.
"""

from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from jwcrypto import jwk, jws

from tests.journeys.conftest import IN_CHROMIUM
from tests.journeys.doors import Door, Pages, Refusal, Story, left_behind
from vsm.exchange.allocation.models import Run, Seat
from vsm.exchange.applications.models import Application
from vsm.exchange.credentials.models import Credential, IssuerKey
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.learning_agreements.models import LearningAgreement
from vsm.exchange.recognition.models import Decision, Result, Transcript
from vsm.exchange.sessions.models import Enrolment, Session
from vsm.kit import clock
from vsm.kit.jobs import drain
from vsm.kit.models import Message
from vsm.kit.uploads import Upload

START = datetime(2027, 1, 11, 15, 0, tzinfo=UTC)
TITLE = {"es": "Estadística aplicada", "pt-br": "Estatística aplicada", "en": "Applied statistics", "fr": "Statistique appliquée"}


def at(days: float) -> AbstractContextManager[None]:
    return clock.stopped_at(START + timedelta(days=days))


@pytest.fixture
def story(door: Door) -> Story:
    return Story.of(
        door, ana="America/Lima", beto="America/Lima", bia="America/Lima", rosa="America/Lima", carlos="America/Santiago", ines="America/Santiago", raul="America/Santiago", dora="Asia/Manila", olga="America/Lima",
    )  # fmt: skip


@pytest.mark.parametrize("door", ["pages", "api", "command", IN_CHROMIUM], indirect=True)
def test_a_course_from_agreement_to_recognised_credit(story: Story) -> None:
    with at(0):
        institutions_and_people(story)
        agreement(story)
        catalogue(story)
    with at(1):
        call(story)
    with at(10):
        applications(story)
    with at(22):
        nomination(story)
    allocation(story)
    learning_agreement(story)
    during(story)
    results_and_recognition(story)
    credential(story)
    assert left_behind() == ([], [])


def institutions_and_people(story: Story) -> None:
    for name, schac, country, zone, system, scale in (
        ("home", "home.example", "PE", "America/Lima", "peru", "pe"), ("host", "host.example", "CL", "America/Santiago", "sct-chile", "cl"),
        ("elsewhere", "elsewhere.example", "PH", "Asia/Manila", "ucts", "us"),
    ):  # fmt: skip
        story.things[f"organisation:{name}"] = story.act(
            "olga", "hub", "add_organisation", name={"es": schac, "en": schac}, schac=schac, country=country, zone=zone,
            credit_system=system, grade_scale=scale, languages=["es"],
        )  # fmt: skip
    for person, place, role in (
        ("bia", "home", "coordinator"), ("rosa", "home", "registrar"), ("carlos", "host", "coordinator"), ("ines", "host", "instructor"),
        ("raul", "host", "registrar"), ("dora", "elsewhere", "coordinator"),
    ):  # fmt: skip
        story.act("olga", f"organisation:{place}", "give_role", email=story.people[person].email, role=role)
    for number, student in enumerate(("ana", "beto")):
        story.act(
            "bia", "organisation:home", "register_student", email=story.people[student].email, name=student.title(), student_number=f"2025{number}",
            programme="Economics", level="bachelor", credits_earned="100", credits_total="200", languages=[{"language": "es", "level": "native"}],
        )  # fmt: skip


def agreement(story: Story) -> None:
    host, home = story.things["organisation:host"], story.things["organisation:home"]
    story.act(
        "bia", "organisation:home", "draft_agreement", code="HOME-HOST", partner=host, category="course", starts_on=date(2027, 1, 1), ends_on=date(2030, 12, 31),
        promises=[{"seats": 5}, {"host": home, "seats": 5}], levels=["bachelor"],
    )  # fmt: skip
    story.act("bia", "agreement", "propose")
    story.act("bia", "agreement", "sign")
    story.act("carlos", "agreement", "sign")
    assert "signed" in story.door.read(story.people["bia"], "agreement", story.things["agreement"]).lower()
    with pytest.raises(Refusal):
        story.door.read(story.people["dora"], "agreement", story.things["agreement"])


def catalogue(story: Story) -> None:
    story.act(
        "carlos", "organisation:host", "add_opportunity", code="EST101", title=TITLE, description=TITLE, isced_f="0542", level="bachelor", credits="6",
        credit_system="sct-chile", workload_hours="162", language="es", cefr="B1", learning_outcomes=TITLE, assessment=TITLE, accessibility=TITLE,
    )  # fmt: skip
    story.act("carlos", "opportunity", "publish")
    story.act(
        "carlos", "opportunity", "add_offering", code="2027-1", starts_on=date(2027, 3, 15), ends_on=date(2027, 7, 2), seats=1, mode="synchronous",
        bandwidth="audio", drop_by=date(2027, 4, 5), withdraw_by=date(2027, 5, 14), join_url="https://aula.host.example/est101",
        meetings=[{"weekday": 1, "starts": "10:00", "ends": "11:30"}],
    )  # fmt: skip
    story.act("carlos", "offering", "assign_instructors", people=[story.people["ines"].pk])
    story.act("carlos", "offering", "publish")
    drain()
    found = Client().get("/catalogue/", {"q": "estadistica"})
    assert found.status_code == 200
    assert str(story.things["offering"]) in found.content.decode()


def call(story: Story) -> None:
    story.act(
        "carlos", "organisation:host", "open_call", code="HOST-2027-1", title=TITLE, zone="America/Santiago", opens_at=START + timedelta(days=5),
        closes_at=START + timedelta(days=20), nominate_by=START + timedelta(days=30), max_choices=3, max_seats=1, respond_hours=72,
        required_documents=["transcript"],
    )  # fmt: skip
    story.act("carlos", "call", "choose_offerings", rows=[{"offering": story.things["offering"], "seats": 1}])
    story.act("carlos", "call", "commit_seed")
    story.act("carlos", "call", "publish")


def applications(story: Story) -> None:
    for student in ("ana", "beto"):
        story.things[f"application:{student}"] = story.act(student, "call", "apply")
    with pytest.raises(Refusal) as told:
        story.act("ana", "application:ana", "submit")
    for obstacle in ("rank at least one course", "missing: transcript"):
        assert obstacle in told.value.text.lower(), told.value.text
    for student in ("ana", "beto"):
        application = f"application:{student}"
        story.act(student, application, "rank", choices=[story.things["offering"]], seats_wanted=1)
        story.act(student, application, "describe", motivation="It is not taught at home.", needs="Captions")
        story.act(student, application, "attach", kind="transcript", file=Upload.of("grades.pdf", "application/pdf", b"%PDF-1.7 grades %%EOF"))
        story.act(student, application, "submit")
    with pytest.raises(Refusal):
        story.door.read(story.people["carlos"], "application", story.things["application:ana"])
    story.act("ana", "application:ana", "reopen")
    story.act("ana", "application:ana", "submit")


def nomination(story: Story) -> None:
    story.act("bia", "application:beto", "nominate", band=1, because="Close to graduation.")
    story.act("bia", "application:ana", "nominate", band=2, because="Good standing.")
    assert "captions" in story.door.read(story.people["carlos"], "application", story.things["application:ana"]).lower()


def allocation(story: Story) -> None:
    with at(31):
        drain()
        story.act("carlos", "call", "allocate")
        story.things["run"] = Run.objects.get(call=story.things["call"]).pk
        story.act("carlos", "run", "publish", because="The rules that were announced.")
        drain()
        assert Application.objects.get(pk=story.things["application:ana"]).state == "waiting"
        story.things["seat:beto"] = Seat.objects.get(application=story.things["application:beto"]).pk
    with at(32):
        story.act("beto", "seat:beto", "decline")
        drain()
        seat = Seat.objects.get(application=story.things["application:ana"])
        assert (seat.state, seat.from_waiting_list) == ("offered", True)
        story.things["seat:ana"] = seat.pk
        story.act("ana", "seat:ana", "accept")
        drain()


def learning_agreement(story: Story) -> None:
    with at(35):
        story.things["learning_agreement"] = LearningAgreement.objects.get(student=story.people["ana"]).pk
        lines = [line.model_copy(update={"recognised": "yes", "home_code": "EST-2", "home_title": "Estadística II", "home_credits": "4"}) for line in story.start("bia", "learning_agreement", "draft_version", "components")]
        story.act("bia", "learning_agreement", "draft_version", components=lines, because="What we recognise.")
        story.act("bia", "learning_agreement", "present")
        for who in ("ana", "bia", "carlos"):
            story.act(who, "learning_agreement", "sign")
        drain()
        assert LearningAgreement.objects.get().state == "signed"
        pdf = story_client(story, "ana").get(f"/learning-agreements/{story.things['learning_agreement']}/pdf/")
        assert (pdf.status_code, pdf.headers["Content-Type"]) == (200, "application/pdf")


def during(story: Story) -> None:
    with at(66):
        enrolment = Enrolment.objects.get(student=story.people["ana"])
        story.things["enrolment"] = enrolment.pk
        session = Session.objects.filter(offering=story.things["offering"]).order_by("starts_at").first()
        assert session
        story.things["session"] = session.pk
        assert "America/Lima" in story_client(story, "ana").get("/timetable/").content.decode()
        marks = [row.model_copy(update={"status": "present"}) for row in story.start("ines", "session", "take_attendance", "marks")]
        story.act("ines", "session", "take_attendance", marks=marks)
        drain()
    with at(130), pytest.raises(Refusal):
        story.act("ana", "enrolment", "drop")


def results_and_recognition(story: Story) -> None:
    with at(175):
        rows = [row.model_copy(update={"grade": "6.1"}) for row in story.start("ines", "offering", "enter_results", "rows")]
        story.act("ines", "offering", "enter_results", rows=rows)
        with pytest.raises(Refusal):
            story.door.read(story.people["ana"], "result", Result.objects.get().pk)
        story.things["result"] = Result.objects.get().pk
        story.act("raul", "result", "confirm")
        drain()
        story.act("raul", "learning_agreement", "issue_transcript")
        drain()
        story.things["transcript"] = Transcript.objects.get().pk
        assert story_client(story, "ana").get(f"/transcripts/{story.things['transcript']}/pdf/").content.startswith(b"%PDF")
    with at(180):
        decision = Decision.objects.get()
        story.things["decision"] = decision.pk
        story.act("rosa", "decision", "recognise", home_code="EST-2", home_title="Estadística II", home_credits="4", home_grade="17", because="As agreed.")
        drain()
        assert "recognised" in story.door.read(story.people["ana"], "decision", decision.pk).lower()


def credential(story: Story) -> None:
    with at(181):
        story.act("raul", "transcript", "issue_credentials")
        drain()
        found = Credential.objects.get()
        assert found.state == "issued"
        verified_elsewhere(found)
        assert "valid" in Client().post("/verify/", {"text": found.token}, headers={"Accept-Language": "en"}).content.decode().lower()
    with at(182):
        story.things["credential"] = found.pk
        story.act("raul", "credential", "revoke", because="Issued for the wrong term.")
        drain()
        assert "revoked" in Client().post("/verify/", {"text": found.token}, headers={"Accept-Language": "en"}).content.decode().lower()
    assert {message.kind for message in Message.objects.filter(person_id=story.people["ana"].pk)} >= {
        "application_submitted", "application_nominated", "application_answered", "seat_offered", "learning_agreement_signed", "enrolment_made",
        "transcript_issued", "decision_made", "credential_issued", "credential_revoked",
    }  # fmt: skip


def verified_elsewhere(found: Credential) -> None:
    """By a library that shares no code with ours, with the published key alone."""
    published = IssuerKey.objects.get(kid=found.kid).public_jwk
    checked = jws.JWS()
    checked.allowed_algs = ["EdDSA"]
    checked.deserialize(found.token, jwk.JWK(**published))
    assert checked.is_valid
    tampered = found.token[:-10] + ("A" if found.token[-10] != "A" else "B") + found.token[-9:]
    with pytest.raises(jws.InvalidJWSSignature):
        jws.JWS().deserialize(tampered, jwk.JWK(**published), alg="EdDSA")


def story_client(story: Story, who: str) -> Client:
    return Pages().client(story.people[who])


def test_a_stranger_sees_none_of_it(story: Story) -> None:
    with at(0):
        institutions_and_people(story)
        agreement(story)
        for verb in ("propose", "sign", "end"):
            with pytest.raises(Refusal):
                story.act("dora", "agreement", verb)
        assert Organisation.objects.count() == 3

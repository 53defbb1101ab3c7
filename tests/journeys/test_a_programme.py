"""Category 2 from a described programme to the award that home recognises: one story, by pages and by REST.

Ana (Lima) applies to an online master's in Porto beside Beto and Cira, for one place. Carlos and Raúl work at the host, Rosa at Ana's
university, Dora is a stranger. Ana's documents are checked, the offer has a condition, she studies, rests a term, returns, fails
a module once, is awarded, and asks home to recognise the whole award.
"""

import json
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from django.test import Client
from jwcrypto import jwk, jws

from tests.journeys.conftest import IN_CHROMIUM
from tests.journeys.doors import Api, Door, Refusal, Story, left_behind, on
from vsm.exchange.credentials.models import Credential, IssuerKey
from vsm.exchange.institutions.models import Term
from vsm.exchange.programmes.actions import AdmissionRankRow, ModuleGradeRow, begin_interruptions
from vsm.exchange.programmes.models import (
    Admission,
    AdmissionDocument,
    AwardRecognition,
    Conferral,
    Study,
    TermEnrolment,
)
from vsm.kit.jobs import drain
from vsm.kit.models import Message
from vsm.kit.signing import read_jwt
from vsm.kit.uploads import Upload
from vsm.standards.open_badges.read import read

START = datetime(2027, 1, 11, 15, 0, tzinfo=UTC)
TITLE = {"es": "Máster en Salud Digital", "pt-br": "Mestrado em Saúde Digital", "en": "Master in Digital Health", "fr": "Master en santé numérique"}
SAID = {"en": "Stated by the institution.", "es": "Declarado por la institución."}
GROUPS = [
    {"code": "CORE", "title": "Core", "kind": "compulsory", "credits": "0"},
    {"code": "ELEC", "title": "Electives", "kind": "elective", "credits": "10"},
]  # fmt: skip
MODULES = [
    {"code": "EPI1", "title": "Epidemiology", "credits": "15", "group": "CORE", "term": 1, "prerequisites": ""},
    {"code": "EPI2", "title": "Advanced epidemiology", "credits": "15", "group": "CORE", "term": 2, "prerequisites": "EPI1"},
    {"code": "THES", "title": "Thesis", "credits": "20", "group": "CORE", "term": 3, "prerequisites": "EPI2"},
    {"code": "ETHI", "title": "Ethics of data", "credits": "10", "group": "ELEC", "term": 1, "prerequisites": ""},
    {"code": "MODE", "title": "Modelling", "credits": "10", "group": "ELEC", "term": 2, "prerequisites": "EPI1"},
]  # fmt: skip


def work() -> None:
    drain()


@pytest.fixture
def story(door: Door) -> Story:
    return Story.of(
        door, ana="America/Lima", beto="America/Lima", cira="America/Bogota", rosa="America/Lima", carlos="Europe/Lisbon", raul="Europe/Lisbon", dora="Asia/Manila", olga="America/Lima",
    )  # fmt: skip


@pytest.mark.parametrize("door", ["pages", "api", IN_CHROMIUM], indirect=True)
def test_a_programme_from_admission_to_recognised_award(story: Story) -> None:
    with on(date(2027, 1, 11)):
        institutions(story)
        programme(story)
    applying(story)
    deciding(story)
    studying(story)
    award(story)
    recognition(story)
    assert left_behind() == ([], [])


def institutions(story: Story) -> None:
    for name, country, zone, system, scale in (("home", "PE", "America/Lima", "peru", "pe"), ("host", "PT", "Europe/Lisbon", "ects", "pt"), ("else", "PH", "Asia/Manila", "ucts", "us")):
        story.things[f"organisation:{name}"] = story.act(
            "olga", "hub", "add_organisation", name={"en": f"{name} university"}, schac=f"{name}.example", country=country, zone=zone, credit_system=system,
            grade_scale=scale, languages=["en"],
        )  # fmt: skip
    for person, place, role in (("rosa", "home", "registrar"), ("carlos", "host", "coordinator"), ("raul", "host", "registrar"), ("dora", "else", "registrar")):
        story.act("olga", f"organisation:{place}", "give_role", email=story.people[person].email, role=role)
    story.act(
        "olga", "organisation:home", "register_student", email=story.people["ana"].email, name="Ana", student_number="20250", programme="Medicine", level="bachelor",
        credits_earned="200", credits_total="200", languages=[{"language": "en", "level": "B2"}],
    )  # fmt: skip
    for code, start, end in (("2027-I", date(2027, 3, 1), date(2027, 7, 15)), ("2027-II", date(2027, 9, 1), date(2028, 1, 31)), ("2028-I", date(2028, 3, 1), date(2028, 7, 15)), ("2028-II", date(2028, 9, 1), date(2029, 1, 31))):
        story.act("carlos", "organisation:host", "add_term", code=code, name={"en": code}, starts_on=start, ends_on=end)


def programme(story: Story) -> None:
    story.act(
        "carlos", "organisation:host", "add_opportunity", category="programme", code="MSD", title=TITLE, description=SAID, isced_f="0910", level="master",
        credits="60", credit_system="ects", language="en", cefr="B2", learning_outcomes=SAID,
    )  # fmt: skip
    story.act("carlos", "opportunity", "describe_programme", award_title=TITLE, months=18, term_credits_low="10", term_credits_high="30")
    with pytest.raises(Refusal, match="modules"):
        story.act("carlos", "programme", "publish")
    with pytest.raises(Refusal, match="earlier term"):
        story.act("carlos", "programme", "arrange", groups=GROUPS, modules=[{**MODULES[0], "prerequisites": "EPI2"}, *MODULES[1:]])
    story.act("carlos", "programme", "arrange", groups=GROUPS, modules=MODULES)
    story.act(
        "carlos", "programme", "require", level="bachelor", fields="09", grade="12", grade_scale="pt", languages=[{"language": "en", "level": "B2"}],
        documents=["degree", "identity"],
    )  # fmt: skip
    story.act("carlos", "programme", "publish")
    story.act(
        "carlos", "programme", "open_intake", code="2027-I", starts_on=date(2027, 3, 1), opens_at=START + timedelta(days=1), closes_at=START + timedelta(days=20),
        decide_by=START + timedelta(days=40), places=1, mode="mixed", bandwidth="audio",
    )  # fmt: skip
    story.act("carlos", "intake", "publish")
    work()


def applying(story: Story) -> None:
    with on(date(2027, 1, 15)):
        for name, grade in (("cira", "13"), ("beto", "14"), ("ana", "15")):
            story.things[f"admission:{name}"] = story.act(name, "intake", "apply")
            with pytest.raises(Refusal, match="degree certificate is missing"):
                story.act(name, f"admission:{name}", "submit")
            story.act(
                name, f"admission:{name}", "describe", prior_level="bachelor", prior_title="Medicine", prior_institution="home university", prior_country="PE",
                prior_completed_on=date(2026, 12, 1), prior_isced_f="0912", prior_grade=grade, prior_grade_scale="pe", languages=[{"language": "en", "level": "B2"}],
            )  # fmt: skip
            for kind in ("degree", "identity"):
                story.act(name, f"admission:{name}", "attach", kind=kind, file=Upload.of(f"{kind}.pdf", "application/pdf", b"%PDF-1.7 " + kind.encode() + name.encode()))
                story.things[f"admission_document:{name}:{kind}"] = story.things["admission_document"]
            story.act(name, f"admission:{name}", "submit")
        work()
    for name in ("beto", "dora"):
        with pytest.raises(Refusal):
            story.door.read(story.people[name], "admission", story.things["admission:ana"])
    assert Message.objects.filter(kind="admission_received").count() == 3
    with on(date(2027, 1, 16)), pytest.raises(Refusal, match="everybody has applied"):
        story.act("carlos", "admission:ana", "offer")


def deciding(story: Story) -> None:
    with on(date(2027, 2, 3)):
        for name in ("ana", "beto", "cira"):
            for kind in ("degree", "identity"):
                if (name, kind) != ("ana", "degree"):
                    story.act("carlos", f"admission_document:{name}:{kind}", "verify", way="certified-copy")
        story.act("carlos", "admission_document:ana:degree", "query", because="The scan cannot be read.")
        with pytest.raises(Refusal, match="rank them first"):
            story.act("carlos", "admission:beto", "offer")
        order = {story.things[f"admission:{name}"]: place for place, name in enumerate(("ana", "beto", "cira"), start=1)}
        rows = [
            row.model_copy(update={"place": order[row.admission], "because": f"Interview, place {order[row.admission]}"})
            for row in (AdmissionRankRow.model_validate(each) for each in story.start("carlos", "intake", "rank", "ranking"))
        ]
        story.act("carlos", "intake", "rank", ranking=[row.model_dump() for row in rows])
        with pytest.raises(Refusal, match="ranked before"):
            story.act("carlos", "admission:beto", "offer")
        story.act(
            "carlos", "admission:ana", "offer", because="Welcome.",
            conditions=[{"text": "Legible degree certificate", "evidence": "Certified copy by post", "due_on": date(2027, 2, 26), "document": "degree"}],
        )  # fmt: skip
        story.act("carlos", "admission:beto", "put_on_waiting_list", because="Second place.")
        story.act("carlos", "admission:cira", "refuse", because="One place, and two stronger applications.")
        work()
    with on(date(2027, 2, 5)):
        story.act("ana", "admission:ana", "accept")
        assert Admission.objects.get(pk=story.things["admission:ana"]).state == "accepted"
        story.things["condition"] = Admission.objects.get(pk=story.things["admission:ana"]).conditions.get().pk
        with pytest.raises(Refusal, match="can be met until"):
            story.act("carlos", "condition", "fail", because="No copy yet.")
        document = AdmissionDocument.objects.get(pk=story.things["admission_document:ana:degree"])
        assert (document.state, document.because) == ("queried", "The scan cannot be read.")
        story.act("carlos", "condition", "meet", because="Copy received, certified by the notary of Lima.")
        work()
        study = Study.objects.get(student=story.people["ana"])
        story.things["study"] = study.pk
        assert (study.number, study.state, study.started_on, Admission.objects.get(student=story.people["ana"]).state) == ("MSD-00001", "active", date(2027, 3, 1), "admitted")


def enrol(story: Story, who: str, term: str, *modules: str, because: str = "") -> UUID:
    made = story.act(who, "study", "enrol_in_term", term=Term.objects.get(code=term, organisation=story.things["organisation:host"]).pk, modules=list(modules), because=because)
    story.things[f"term_enrolment:{term}"] = made
    return made


def results(story: Story, term: str, **grades: str) -> None:
    rows = [ModuleGradeRow.model_validate(each) for each in story.start("raul", f"term_enrolment:{term}", "record_results", "results")]
    told = [{**row.model_dump(), "grade": grades.get(row.module.partition(" ")[0], "")} for row in rows]
    story.act("raul", f"term_enrolment:{term}", "record_results", results=told)


def studying(story: Story) -> None:
    with on(date(2027, 3, 1)):
        with pytest.raises(Refusal, match="builds on"):
            enrol(story, "ana", "2027-I", "EPI1", "EPI2")
        enrol(story, "ana", "2027-I", "EPI1", "ETHI")
    with on(date(2027, 7, 20)):
        results(story, "2027-I", EPI1="8", ETHI="15")
        page = story.door.read(story.people["ana"], "study", story.things["study"])
        assert "Ana" in page
    with on(date(2027, 9, 20)), pytest.raises(Refusal, match="could enrol in this term until"):
        enrol(story, "ana", "2027-II", "EPI1")
    with on(date(2027, 9, 10)):
        with pytest.raises(Refusal, match="say why you enrol late"):
            enrol(story, "ana", "2027-II", "EPI1")
        enrol(story, "ana", "2027-II", "EPI1", because="I moved house.")
    with on(date(2027, 10, 1)):
        story.act("ana", "study", "ask_interruption", starts_on=date(2027, 10, 4), returns_on=date(2028, 3, 1), reason="family", because="My mother needs care.")
        story.act("carlos", "interruption", "approve", answer="Take your time.")
        assert TermEnrolment.objects.get(pk=story.things["term_enrolment:2027-II"]).attempts.get().state == "taking"
    with on(date(2027, 10, 4)):
        begin_interruptions.call()
        assert TermEnrolment.objects.get(pk=story.things["term_enrolment:2027-II"]).attempts.get().state == "dropped"
        with pytest.raises(Refusal):
            enrol(story, "ana", "2028-I", "EPI1")
        work()
    with on(date(2028, 2, 28)):
        story.act("ana", "study", "resume")
    with on(date(2028, 3, 1)):
        enrol(story, "ana", "2028-I", "EPI1")
    with on(date(2028, 7, 20)):
        results(story, "2028-I", EPI1="14")
    if isinstance(story.door, Api):
        story.door.tokens.clear()  # a token lives two years at most; studies last longer
    with on(date(2028, 9, 1)):
        enrol(story, "ana", "2028-II", "EPI2")
    with on(date(2029, 2, 1)):
        results(story, "2028-II", EPI2="16")
        story.act("carlos", "organisation:host", "add_term", code="2029-I", name={"en": "2029-I"}, starts_on=date(2029, 3, 1), ends_on=date(2029, 7, 15))
    with on(date(2029, 3, 1)):
        enrol(story, "ana", "2029-I", "THES")
    with on(date(2029, 7, 20)):
        results(story, "2029-I", THES="18")


def award(story: Story) -> None:
    with on(date(2029, 7, 25)):
        with pytest.raises(Refusal, match="diploma supplement needs"):
            story.act("raul", "study", "award")
        story.act("carlos", "programme", "describe_award", status=SAID, access=SAID, outcomes=SAID, further_study=SAID, professional=SAID, national_system=SAID)
        story.act("raul", "study", "award", distinction="With distinction", born_on=date(2001, 5, 4))
        work()
    conferral = Conferral.objects.get(study=story.things["study"])
    assert (conferral.average, conferral.supplement["items"]["1.3"], len(conferral.supplement["items"])) == ("16.00", "2001-05-04", 26)
    credential = Credential.objects.get(source_noun="conferral", source_id=conferral.pk)
    assert credential.state == "issued"
    told = read(read_jwt(credential.token)[1])
    assert (told.achievement.type, told.credits_earned) == ("MasterDegree", 60.0)
    key = IssuerKey.objects.get(organisation=story.things["organisation:host"])
    jws.JWS().deserialize(credential.token, jwk.JWK(**key.public_jwk))
    pdf = Client()
    pdf.force_login(story.people["ana"], backend="allauth.account.auth_backends.AuthenticationBackend")
    with on(date(2029, 7, 26)):
        verdict = Client().post("/verify.json", data=credential.token, content_type="text/plain")
        assert json.loads(verdict.content)["standing"] == "valid"
        assert pdf.get(f"/awards/{conferral.pk}/supplement.pdf").content.startswith(b"%PDF")


def recognition(story: Story) -> None:
    with on(date(2029, 8, 1)):
        with pytest.raises(Refusal):
            story.door.read(story.people["rosa"], "conferral", story.things["conferral"])
        story.act("ana", "conferral", "ask_recognition", home=story.things["organisation:home"], purpose="further-study")
        work()
    assert AwardRecognition.objects.get().decide_by == date(2029, 12, 1)
    with on(date(2029, 9, 1)):
        story.door.read(story.people["rosa"], "conferral", story.things["conferral"])
        story.act("rosa", "award_recognition", "ask_for_more", question="Please send the syllabus of Epidemiology.")
        story.act("ana", "award_recognition", "answer", answer="It is in the supplement, 4.2.")
        with pytest.raises(Refusal):  # home has its time first
            story.act("ana", "award_recognition", "appeal", appeal_text="It takes long.")
    due = AwardRecognition.objects.get().decide_by
    with on(due + timedelta(days=2)):
        story.act("ana", "award_recognition", "appeal", appeal_text="Nobody has answered in time.")
        assert AwardRecognition.objects.get().decide_by == due, "who is late is given no more time"
        with pytest.raises(Refusal, match="Evaluate every criterion"):
            story.act("rosa", "award_recognition", "recognise", home_title="Magíster", convention="global")
        rows = story.start("rosa", "award_recognition", "evaluate", "findings")
        plain = [{**row.model_dump(), "finding": "no-difference"} for row in rows]
        with pytest.raises(Refusal, match="what differs"):
            story.act("rosa", "award_recognition", "evaluate", findings=[{**plain[0], "finding": "substantial"}, *plain[1:]])
        story.act("rosa", "award_recognition", "evaluate", findings=plain)
        with pytest.raises(Refusal, match="has to show it"):
            story.act("rosa", "award_recognition", "refuse", convention="global", because="No.", advice="None.")
        story.act("rosa", "award_recognition", "recognise", home_title="Magíster en Salud Digital", convention="global")
        work()
    assert "Magíster en Salud Digital" in story.door.read(story.people["ana"], "award_recognition", story.things["award_recognition"])
    assert set(Message.objects.values_list("kind", flat=True)) >= {
        "admission_submitted", "admission_decided", "document_queried", "condition_decided", "study_opened", "interruption_decided", "credential_issued",
        "award_recognition_asked", "award_recognition_questioned", "award_recognition_decided",
    }  # fmt: skip

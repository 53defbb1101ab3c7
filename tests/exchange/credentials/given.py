"""A small world for the tests of this slice: Ana of Lima has finished courses in Santiago and holds a transcript.

Inés is the registrar at the host (Santiago), Carlos its coordinator; Rosa the registrar at home (Lima); Dora works
elsewhere. The transcript is made of records only: no other slice's action takes part.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from vsm.exchange.applications.models import Application, Call
from vsm.exchange.catalogue.models import Offering, Opportunity
from vsm.exchange.credentials import actions
from vsm.exchange.credentials.models import Credential
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.learning_agreements.models import LearningAgreement
from vsm.exchange.people.models import Membership, Person
from vsm.exchange.people.queries import actor_of
from vsm.exchange.recognition.models import Result, Transcript
from vsm.exchange.recognition.transcript import Component, Content, digest_of
from vsm.exchange.sessions.models import Enrolment
from vsm.kit import clock, jobs
from vsm.kit.actors import Actor
from vsm.kit.models import Job

NOW = datetime(2027, 7, 20, 15, 0, 7, 250_000, tzinfo=UTC)
TITLES = {
    "MAT-201": {"es": "Estadística", "pt-br": "Estatística", "en": "Statistics", "fr": "Statistique"},
    "SOC-110": {"es": "Sociología urbana", "en": "Urban sociology"},
    "HIS-300": {"es": "Historia de Chile"},
}
FIELDS = {"MAT-201": "0542", "SOC-110": "0314", "HIS-300": ""}
SCALES = {
    "cl": {
        "slug": "cl", "name": {"es": "Notas de Chile", "en": "Chilean grades"}, "source": "Reglamento",
        "facts": {"best": "7.0", "worst": "1.0", "pass": "4.0", "step": "0.1", "letters": "", "unranked": ""},
    },
    "us": {
        "slug": "us", "name": {"en": "United States letters"}, "source": "Custom",
        "facts": {"best": "4.0", "worst": "0.0", "pass": "0.7", "step": "", "letters": "A (4.0), B (3.0), F (0.0)", "unranked": "P, NP"},
    },
}  # fmt: skip


@dataclass
class World:
    home: Organisation
    host: Organisation
    ana: Person
    people: dict[str, Person]
    agreement: LearningAgreement
    enrolments: dict[str, Enrolment]
    transcript: Transcript

    def actor(self, name: str) -> Actor:
        return actor_of(self.people[name], NOW)

    @property
    def ines(self) -> Actor:
        return self.actor("ines")

    @property
    def student(self) -> Actor:
        return actor_of(self.ana, NOW)

    def request(self, now: datetime = NOW) -> list[Credential]:
        actions.issue_credentials(self.transcript, by=self.ines, now=now)
        return list(Credential.objects.filter(state="requested"))

    def issue(self, now: datetime = NOW) -> Credential:
        """Request, let the worker sign, and give the credential for statistics."""
        self.request(now)
        work(now)
        return self.credential()

    def credential(self, code: str = "MAT-201") -> Credential:
        """The one for this course that stands, else the one that was revoked."""
        found = Credential.objects.filter(result__enrolment=self.enrolments[code])
        found = found.select_related("organisation", "transcript", "status_list")
        return found.exclude(state="revoked").first() or found.get()

    def correct(self, code: str, grade: str) -> Transcript:
        """The host corrects a final grade and issues a new edition, as the recognition slice leaves the records."""
        old = Result.objects.get(enrolment=self.enrolments[code], state="final")
        Result.objects.filter(pk=old.pk).update(state="superseded")
        Transcript.objects.filter(pk=self.transcript.pk).update(state="superseded")
        result(self.enrolments[code], grade, corrects=old)
        self.transcript = transcript(
            self.agreement, list(self.enrolments.values()), edition=self.transcript.edition + 1
        )
        return self.transcript


def work(now: datetime = NOW) -> int:
    """Let the worker do what is due; nothing of it may fail."""
    with clock.stopped_at(now + timedelta(seconds=1)):
        done = jobs.drain()
    assert list(Job.objects.exclude(error="").values_list("error", flat=True)) == []
    return done


def world(grades: Mapping[str, str] | None = None, *, language: str = "es", scale: str = "cl") -> World:
    """Ana's grades by course; a grade below 4.0 does not pass."""
    grades = {"MAT-201": "6.2", "SOC-110": "3.1", "HIS-300": "5.0"} if grades is None else grades
    home = organisation("rimac.example", "Universidad del Rímac", "PE", "Lima", "America/Lima")
    host = organisation("mapocho.example", "Universidad del Mapocho", "CL", "Santiago", "America/Santiago")
    away = organisation("anahuac.example", "Universidad del Anáhuac", "MX", "Puebla", "America/Mexico_City")
    ana = person("Ana Ñahui", ("student", home))
    people = {
        "ana": ana,
        "ines": person("Ines", ("registrar", host)),
        "carlos": person("Carlos", ("coordinator", host)),
        "rosa": person("Rosa", ("registrar", home)),
        "dora": person("Dora", ("registrar", away), ("coordinator", away)),
    }
    moment = NOW - timedelta(days=200)
    call = Call(
        organisation=home, code="2027-1", zone="America/Lima", opens_at=moment, closes_at=moment + timedelta(days=30),
        nominate_by=moment + timedelta(days=40), state="closed",
    )  # fmt: skip
    call.save()
    application = Application(call=call, student=ana, home=home, state="placed")
    application.save()
    agreement = LearningAgreement(application=application, student=ana, home=home, host=host, state="signed")
    agreement.save()
    enrolments = {code: enrolment(ana, home, host, code, grade, scale) for code, grade in grades.items()}
    made = transcript(agreement, list(enrolments.values()), language=language)
    return World(home, host, ana, people, agreement, enrolments, made)


def organisation(schac: str, name: str, country: str, city: str, zone: str) -> Organisation:
    made = Organisation(
        schac=schac, name={"es": name, "en": f"{name} (en)"}, country=country, city=city, zone=zone,
        ror="https://ror.org/02mhbdp94", grade_scale="cl", credit_system="sct-chile",
    )  # fmt: skip
    made.save()
    return made


def person(name: str, *roles: tuple[str, Organisation], is_operator: bool = False) -> Person:
    local = name.lower().replace(" ", ".").encode("ascii", "ignore").decode()
    made = Person(email=f"{local}@example.org", name=name, language="es", zone="America/Lima", is_operator=is_operator)
    made.set_unusable_password()
    made.save()
    for role, where in roles:
        Membership(person=made, organisation=where, role=role, starts_on=date(2026, 1, 1)).save()
    return made


def enrolment(student: Person, home: Organisation, host: Organisation, code: str, grade: str, scale: str) -> Enrolment:
    opportunity = Opportunity(
        organisation=host, code=code, title=TITLES.get(code, {"es": code}), isced_f=FIELDS.get(code, ""), language="es", state="published",
        description={"es": "Curso semestral a distancia."} if code == "MAT-201" else {},
        learning_outcomes={"es": "Leer una tabla sin engañarse."} if code == "MAT-201" else {},
        credits=Decimal(6), credit_system="sct-chile", workload_hours=Decimal(162),
    )  # fmt: skip
    opportunity.save()
    offering = Offering(
        opportunity=opportunity, code="2027-1", starts_on=date(2027, 3, 1), ends_on=date(2027, 7, 10),
        zone="America/Santiago", seats=10, state="published",
    )  # fmt: skip
    offering.save()
    made = Enrolment(
        student=student, home=home, offering=offering, enrolled_at=NOW - timedelta(days=140), state="completed"
    )
    made.save()
    result(made, grade, scale=scale)
    return made


def result(held: Enrolment, grade: str, *, scale: str = "cl", corrects: Result | None = None) -> Result:
    has_passed = grade in {"A", "B", "P"} if scale == "us" else Decimal(grade) >= 4
    made = Result(
        enrolment=held, grade=grade, scale=scale, passed=has_passed, credits=Decimal(6 if has_passed else 0),
        credit_system="sct-chile", state="final", confirmed_at=NOW - timedelta(days=5), corrects=corrects,
    )  # fmt: skip
    made.save()
    return made


def transcript(
    agreement: LearningAgreement, enrolments: list[Enrolment], *, edition: int = 1, language: str = "es"
) -> Transcript:
    content = content_of(agreement, [component(each) for each in enrolments], edition=edition, language=language)
    made = Transcript(
        agreement=agreement, student=agreement.student, home=agreement.home, host=agreement.host, number="2027-0007",
        edition=edition, content=content, digest=digest_of(content), pdf_digest="ab" * 32, language=language,
        issued_at=NOW - timedelta(days=1),
    )  # fmt: skip
    made.save()
    return made


def component(held: Enrolment) -> Component:
    course, mark = held.offering.opportunity, Result.objects.exclude(state="superseded").get(enrolment=held)
    return {
        "enrolment_id": str(held.pk), "result_id": str(mark.pk), "offering_id": str(held.offering_id),
        "code": course.code, "title": course.title, "language": "es", "level": "bachelor", "isced_f": course.isced_f,
        "starts_on": "2027-03-01", "ends_on": "2027-07-10", "workload_hours": "162", "credits": "6",
        "credit_system": "sct-chile", "credits_earned": "6" if mark.passed else "0",
        "outcome": "passed" if mark.passed else "failed", "grade": mark.grade, "scale": mark.scale,
        "decided_on": "2027-07-15", "remark": "",
    }  # fmt: skip


def content_of(agreement: LearningAgreement, components: list[Component], *, edition: int, language: str) -> Content:
    return {
        "format": "openvsm-transcript-1", "number": "2027-0007", "edition": edition, "replaces": "", "language": language,
        "issued_at": "2027-07-19T11:00:00-04:00", "zone": "America/Santiago", "issued_by": "Inés",
        "student": {"name": agreement.student.name, "student_number": "20201234", "programme": "Sociología"},
        "home": _institution(agreement.home), "host": _institution(agreement.host),
        "learning_agreement": {"id": str(agreement.pk), "version": "1"}, "starts_on": "2027-03-01", "ends_on": "2027-07-10",
        "components": components, "credits_earned": {"sct-chile": "12"}, "grade_scales": list(SCALES.values()),
        "credit_systems": [{"slug": "sct-chile", "name": {"es": "SCT-Chile"}, "facts": {"low": "24", "high": "31"}, "source": ""}],
        "legend": [], "rulebook_version": "test",
    }  # fmt: skip


def _institution(held: Organisation) -> dict[str, object]:
    return {"name": held.name, "schac": held.schac, "ror": held.ror, "country": held.country, "city": held.city}

"""A small world for the tests of this slice: Ana of Lima takes three courses in Santiago.

Rosa is the registrar at home (Lima), Bia its coordinator; Inés the registrar at the host (Santiago), Carlos its
coordinator; Pilar teaches; Dora works elsewhere.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from vsm.exchange.applications.models import Application, Call
from vsm.exchange.catalogue.models import Offering, Opportunity
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.learning_agreements.models import LearningAgreement, LearningAgreementVersion, Signature
from vsm.exchange.learning_agreements.rules import Component, Content, as_json, digest_of
from vsm.exchange.people.models import Membership, Person, StudentRecord
from vsm.exchange.people.queries import actor_of
from vsm.exchange.recognition import actions
from vsm.exchange.recognition.actions import ResultRow
from vsm.exchange.recognition.models import Decision, Result, Transcript
from vsm.exchange.sessions.models import Enrolment
from vsm.kit.actors import SYSTEM, Actor

NOW = datetime(2027, 7, 20, 15, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=3)


def organisation(schac: str, name: str, **facts: str) -> Organisation:
    made = Organisation(schac=schac, name={"es": name, "en": f"{name} (en)"}, **facts)
    made.save()
    return made


def person(name: str, *roles: tuple[str, Organisation], language: str = "es") -> Person:
    local = name.lower().replace(" ", ".").encode("ascii", "ignore").decode()
    made = Person(email=f"{local}@example.org", name=name, language=language, zone="America/Lima")
    made.set_unusable_password()
    made.save()
    for role, where in roles:
        Membership(person=made, organisation=where, role=role, starts_on=date(2026, 1, 1)).save()
    return made


def opportunity(host: Organisation, code: str, title: str, **facts: object) -> Opportunity:
    made = Opportunity(
        organisation=host, code=code, title={"es": title, "en": f"{title} (en)"}, language="es", state="published",
        **{"credits": Decimal(6), "credit_system": "sct-chile", "workload_hours": Decimal(162), **facts},
    )  # fmt: skip
    made.save()
    return made


def offering(course: Opportunity, *teachers: Person) -> Offering:
    made = Offering(
        opportunity=course, code="2027-1", starts_on=date(2027, 3, 1), ends_on=date(2027, 7, 10), zone="America/Santiago",
        seats=10, state="published",
    )  # fmt: skip
    made.save()
    made.instructors.set(teachers)
    return made


@dataclass
class World:
    home: Organisation
    host: Organisation
    ana: Person
    bia: Actor
    rosa: Actor
    carlos: Actor
    ines: Actor
    pilar: Actor
    dora: Actor
    agreement: LearningAgreement
    offerings: list[Offering]
    enrolments: list[Enrolment]
    call: Call
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def student(self) -> Actor:
        return actor_of(self.ana, NOW)

    @property
    def offering(self) -> Offering:
        return self.offerings[0]

    def row(self, number: int = 0, grade: str = "5.5", **facts: object) -> ResultRow:
        return ResultRow(enrolment_id=self.enrolments[number].pk, grade=grade, **facts)

    def graded(self, *grades: str) -> list[Result]:
        """Results of Ana's first courses, provisional."""
        for number, grade in enumerate(grades):
            actions.enter_results(self.offerings[number], by=self.pilar, now=NOW, rows=[self.row(number, grade)])
        return [self.result(number) for number in range(len(grades))]

    def final(self, *grades: str) -> list[Result]:
        return [actions.confirm(result, by=self.ines, now=NOW) for result in self.graded(*grades)]

    def result(self, number: int = 0) -> Result:
        return Result.objects.exclude(state="superseded").get(enrolment=self.enrolments[number])

    def drop_others(self, *kept: int) -> None:
        """Leave only these courses: the others were dropped in time."""
        for number, enrolment in enumerate(self.enrolments):
            if number not in kept:
                Enrolment.objects.filter(pk=enrolment.pk).update(state="dropped")

    def transcript(self, *grades: str) -> Transcript:
        """A transcript of Ana's first courses; the rest were dropped."""
        self.final(*grades)
        self.drop_others(*range(len(grades)))
        return actions.issue_transcript(self.agreement, by=self.ines, now=NOW)

    def decision(self, grade: str = "5.5") -> Decision:
        """What home has to decide on the first course."""
        transcript = self.transcript(grade)
        actions.propose(transcript, by=SYSTEM, now=NOW)
        return Decision.objects.get(enrolment=self.enrolments[0])

    def classmate(self, name: str, number: str, home: Organisation | None = None) -> Enrolment:
        """Another student in the first course."""
        who = person(name, ("student", home or self.home))
        record(who, home or self.home, number)
        enrolment = Enrolment(
            student=who, home=home or self.home, offering=self.offering, enrolled_at=NOW - timedelta(days=120)
        )
        enrolment.save()
        return enrolment


def record(who: Person, home: Organisation, number: str) -> StudentRecord:
    made = StudentRecord(person=who, home=home, student_number=number, programme="Sociología", level="bachelor")
    made.save()
    return made


def world(
    *, home_credits: str = "5", recognised: bool = True, sides: tuple[str, ...] = ("student", "home", "host")
) -> World:
    home = organisation(
        "uni.example.pe",
        "Universidad del Rímac",
        country="PE",
        city="Lima",
        zone="America/Lima",
        credit_system="peru",
        grade_scale="pe",
        contact="registro@uni.example.pe",
        languages=["es"],
    )
    host = organisation(
        "uni.example.cl",
        "Universidad del Mapocho",
        country="CL",
        city="Santiago",
        zone="America/Santiago",
        credit_system="sct-chile",
        grade_scale="cl",
        ror="https://ror.org/02mhbdp94",
        languages=["es"],
    )
    away = organisation(
        "uni.example.mx", "Universidad del Anáhuac", country="MX", city="Puebla", zone="America/Mexico_City"
    )
    ana = person("Ana Ñahui", ("student", home))
    record(ana, home, "20201234")
    people = {
        "bia": person("Bia", ("coordinator", home)), "rosa": person("Rosa", ("registrar", home)),
        "carlos": person("Carlos", ("coordinator", host)), "ines": person("Ines", ("registrar", host)),
        "pilar": person("Pilar", ("instructor", host)), "dora": person("Dora", ("registrar", away), ("coordinator", away), ("instructor", away)),
    }  # fmt: skip
    courses = [
        opportunity(host, code, title)
        for code, title in (
            ("MAT-201", "Estadística"),
            ("SOC-110", "Sociología urbana"),
            ("HIS-300", "Historia de Chile"),
        )
    ]
    offerings = [offering(course, people["pilar"]) for course in courses]
    call = Call(
        organisation=home, code="2027-1", zone="America/Lima", opens_at=NOW - timedelta(days=300),
        closes_at=NOW - timedelta(days=250), nominate_by=NOW - timedelta(days=240), state="closed",
    )  # fmt: skip
    call.save()
    agreement = signed_agreement(
        ana,
        home,
        host,
        call,
        offerings,
        home_credits=home_credits,
        recognised=recognised,
        sides=sides,
        signers={"student": ana, "home": people["rosa"], "host": people["carlos"]},
    )
    enrolments = []
    for each in offerings:
        enrolment = Enrolment(
            student=ana,
            home=home,
            offering=each,
            learning_agreement_id=agreement.pk,
            enrolled_at=NOW - timedelta(days=140),
        )
        enrolment.save()
        enrolments.append(enrolment)
    actors = {name: actor_of(who, NOW) for name, who in people.items()}
    return World(
        home=home,
        host=host,
        ana=ana,
        agreement=agreement,
        offerings=offerings,
        enrolments=enrolments,
        call=call,
        people=people,
        **actors,
    )


def signed_agreement(
    student: Person, home: Organisation, host: Organisation, call: Call, offerings: list[Offering], *,
    home_credits: str, recognised: bool, sides: tuple[str, ...], signers: dict[str, Person],
) -> LearningAgreement:  # fmt: skip
    application = Application(call=call, student=student, home=home, state="placed")
    application.save()
    agreement = LearningAgreement(
        application=application, student=student, home=home, host=host, current=1, signed_version=1, state="signed"
    )
    agreement.save()
    components = tuple(
        Component(
            offering=str(each.pk), code=each.opportunity.code, title=each.opportunity.title, credits="6", credit_system="sct-chile",
            language="es", starts_on="2027-03-01", ends_on="2027-07-10", recognised=recognised,
            home_code=f"H-{each.opportunity.code}", home_title=f"{each.opportunity.title['es']} (Lima)", home_credits=home_credits,
            because="" if recognised else "No hay plaza libre en el plan.",
        )
        for each in offerings
    )  # fmt: skip
    content = Content(
        agreement=str(agreement.pk),
        number=1,
        follows="",
        call=call.code,
        student={},
        home={},
        host={},
        components=components,
    )
    version = LearningAgreementVersion(
        agreement=agreement, number=1, content=as_json(content), digest=digest_of(content), at=NOW - timedelta(days=150)
    )
    version.save()
    for side in sides:
        Signature(
            version=version, party=side, person=signers[side], at=NOW - timedelta(days=149), digest=version.digest
        ).save()
    return agreement


def world_beside(w: World, name: str = "Eva") -> LearningAgreement:
    """Another student of the same home and host, with one final result."""
    other = person(name, ("student", w.home))
    record(other, w.home, f"2020-{name}")
    agreement = signed_agreement(
        other, w.home, w.host, w.call, w.offerings[:1], home_credits="5", recognised=True, sides=("student", "home", "host"),
        signers={"student": other, "home": w.people["rosa"], "host": w.people["carlos"]},
    )  # fmt: skip
    enrolment = Enrolment(
        student=other, home=w.home, offering=w.offering, learning_agreement_id=agreement.pk, enrolled_at=NOW
    )
    enrolment.save()
    actions.enter_results(
        w.offering, by=w.pilar, now=NOW, rows=[actions.ResultRow(enrolment_id=enrolment.pk, grade="6.0")]
    )
    actions.confirm(Result.objects.get(enrolment=enrolment), by=w.ines, now=NOW)
    return agreement

"""A small world: Ana (Lima) has accepted seats at a host in Santiago; Bia works at home, Carlos at the host."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from vsm.exchange.allocation.models import Run, Seat
from vsm.exchange.applications.models import Application, Call
from vsm.exchange.catalogue.models import Meeting, Offering, Opportunity
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.learning_agreements.actions import Line, open_for_seat
from vsm.exchange.learning_agreements.models import LearningAgreement
from vsm.exchange.people.models import Membership, Person, StudentRecord
from vsm.exchange.people.queries import actor_of
from vsm.kit.actors import Actor

NOW = datetime(2026, 8, 3, 15, 0, tzinfo=UTC)
_numbers = count(1)


def person(name: str, *, zone: str = "America/Lima", language: str = "en") -> Person:
    made = Person(email=f"{name.lower()}{next(_numbers)}@example.edu", name=name, zone=zone, language=language)
    made.set_password("correct horse battery staple")
    made.save()
    return made


def organisation(name: str, country: str, zone: str, credit_system: str = "ects") -> Organisation:
    made = Organisation(
        name={"en": name}, schac=f"{name.lower().replace(' ', '-')}{next(_numbers)}.example", country=country, zone=zone,
        credit_system=credit_system, contact="office@example.edu",
    )  # fmt: skip
    made.save()
    return made


def actor(who: Person) -> Actor:
    return actor_of(who, NOW)


def give_role(who: Person, where: Organisation, role: str) -> None:
    Membership(person=who, organisation=where, role=role, starts_on=date(2026, 1, 1)).save()


@dataclass
class World:
    home: Organisation
    host: Organisation
    ana: Person
    bia: Person
    carlos: Person
    dora: Person
    teacher: Person
    call: Call
    run: Run
    application: Application

    def offering(self, title: str = "Statistics", *, host: Organisation | None = None, zone: str = "", **facts: Any) -> Offering:
        host = host or self.host
        number = next(_numbers)
        opportunity = Opportunity(
            organisation=host, code=f"EST{number}", title={"en": title, "es": f"{title} (es)"}, credits=Decimal("6.00"),
            credit_system=host.credit_system, language="es", state="published",
        )  # fmt: skip
        opportunity.save()
        made = Offering(
            opportunity=opportunity, code=f"{number}-1",
            **{
                "starts_on": date(2026, 8, 10), "ends_on": date(2026, 12, 4), "zone": zone or host.zone, "seats": 5,
                "state": "published", "drop_by": date(2026, 8, 21), "withdraw_by": date(2026, 10, 30),
                "join_url": "https://meet.example/room", "dial_in": "+51 1 555 0100", **facts,
            },
        )  # fmt: skip
        made.save()
        made.instructors.add(self.teacher)
        Meeting.objects.create(offering=made, weekday=1, starts=time(18), ends=time(19, 30))
        return made

    def seat(self, offering: Offering, state: str = "accepted", application: Application | None = None, rank: int = 1) -> Seat:
        made = Seat(
            run=self.run, application=application or self.application, offering=offering, rank=rank, offered_at=NOW - timedelta(days=3),
            respond_by=NOW + timedelta(days=3), state=state,
        )  # fmt: skip
        made.save()
        return made

    def application_of(self, student: Person, needs: str = "") -> Application:
        made = Application(call=self.call, student=student, home=self.home, state="placed", needs=needs)
        made.save()
        return made

    def agreement(self, *titles: str) -> LearningAgreement:
        """Opened by an accepted seat in each of these courses."""
        for title in titles or ("Statistics",):
            open_for_seat.call(seat_id=str(self.seat(self.offering(title)).pk))
        return LearningAgreement.objects.get(application=self.application, host=self.host)


def world() -> World:
    home = organisation("Lima University", "PE", "America/Lima", "clar")
    host = organisation("Santiago University", "CL", "America/Santiago", "sct-chile")
    ana, bia, carlos, dora, teacher = (person(name) for name in ("Ana", "Bia", "Carlos", "Dora", "Tomás"))
    StudentRecord(person=ana, home=home, student_number="2020-1", programme="Economics", level="bachelor").save()
    for who, where, role in ((ana, home, "student"), (bia, home, "coordinator"), (carlos, host, "coordinator"), (teacher, host, "instructor")):
        give_role(who, where, role)
    stranger = organisation("Another University", "BR", "America/Sao_Paulo")
    give_role(dora, stranger, "coordinator")
    call = Call(
        organisation=host, code=f"CALL-{next(_numbers)}", title={"en": "Call"}, zone="America/Santiago", opens_at=NOW - timedelta(days=60),
        closes_at=NOW - timedelta(days=40), nominate_by=NOW - timedelta(days=30), state="allocated",
    )  # fmt: skip
    call.save()
    application = Application(call=call, student=ana, home=home, state="placed", needs="captions")
    application.save()
    run = Run(call=call, number=1, mechanism="da", problem_digest="", outcome_digest="", state="published")
    run.save()
    return World(home, host, ana, bia, carlos, dora, teacher, call, run, application)


def lines(agreement: LearningAgreement, **facts: Any) -> list[Line]:
    """Every course of the current version answered in the same way."""
    version = agreement.current_version
    assert version is not None
    told = {"recognised": "yes", "home_code": "ECO-301", "home_title": "Econometrics", "home_credits": "4", **facts}
    return [Line(offering=each.offering, **told) for each in version.text.components]


def fresh(record: Any) -> Any:
    return type(record)._base_manager.get(pk=record.pk)

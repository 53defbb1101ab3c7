"""Ana studies in Lima; Bia and Tito work at her university. Elena has the office of a company in Montevideo, Mario is a mentor there.

Nora works at the network that vets hosts, Beto is another student, Dora a stranger. Every step is made by the actions that people use.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Membership, Person, StudentRecord
from vsm.exchange.people.queries import actor_of
from vsm.exchange.placements.actions import (
    agreeing,
    evaluating,
    hosts,
    hours,
    running,
    safeguarding,
    selecting,
    vacancies,
)
from vsm.exchange.placements.actions.evaluating import Answer
from vsm.exchange.placements.actions.hours import WorkRow
from vsm.exchange.placements.models import Host, Placement, PlacementAgreement, PlacementApplication, Vacancy
from vsm.kit import clock
from vsm.kit.actors import Actor
from vsm.rulebook.placements import criteria, instrument

NOW = datetime(2026, 8, 3, 15, 0, tzinfo=UTC)  # a Monday
FIRST, LAST = date(2026, 9, 7), date(2026, 11, 27)
STARTED = datetime(2026, 9, 7, 15, 0, tzinfo=UTC)
_numbers = count(1)


def person(name: str, zone: str = "America/Lima") -> Person:
    made = Person(email=f"{name.lower()}{next(_numbers)}@people.example", name=name, zone=zone, language="en")
    made.set_unusable_password()
    made.save()
    return made


def give_role(who: Person, where: Organisation, role: str) -> None:
    Membership(person=who, organisation=where, role=role, starts_on=date(2026, 1, 1)).save()


def organisation(name: str, country: str, zone: str, kind: str = "university", credit_system: str = "peru") -> Organisation:
    made = Organisation(name={"en": name, "es": name}, schac=f"o{next(_numbers)}.example", country=country, zone=zone, kind=kind, credit_system=credit_system)
    made.save()
    return made


@dataclass
class World:
    home: Organisation
    network: Organisation
    host: Host
    people: dict[str, Person]

    def by(self, name: str, at: datetime = NOW) -> Actor:
        return actor_of(self.people[name], at)

    def vacancy(self, **facts: Any) -> Vacancy:
        made = vacancies.add_vacancy(self.host, by=self.by("elena"), now=NOW, **{**VACANCY, "code": f"V{next(_numbers)}", **facts})
        return fresh(vacancies.publish(made, by=self.by("elena"), now=NOW))  # type: ignore[no-any-return]

    def submitted(self, vacancy: Vacancy, name: str = "ana") -> PlacementApplication:
        made = selecting.apply(vacancy, by=self.by(name), now=NOW)
        made = selecting.edit_application(made, by=self.by(name), now=NOW, motivation="I want to work with survey data.", needs="")
        return fresh(selecting.submit(made, by=self.by(name), now=NOW))  # type: ignore[no-any-return]

    def offered(self, vacancy: Vacancy, *names: str) -> list[PlacementApplication]:
        made = [self.submitted(vacancy, name) for name in names or ("ana",)]
        made = [selecting.shortlist(each, by=self.by("elena"), now=NOW) for each in made]
        selecting.rank(fresh(vacancy), by=self.by("elena"), now=NOW, ranking=[each.pk for each in made])
        selecting.make_offers(fresh(vacancy), by=self.by("elena"), now=vacancy.apply_by + timedelta(hours=1))
        return [fresh(each) for each in made]

    def placement(self, name: str = "ana", **facts: Any) -> Placement:
        """Accepted, its agreement a draft."""
        vacancy = self.vacancy(**facts)
        application, = self.offered(vacancy, name)
        selecting.accept(application, by=self.by(name), now=vacancy.apply_by + timedelta(hours=2))
        return Placement.objects.get(application=application)

    def drafted(self, placement: Placement | None = None, **facts: Any) -> PlacementAgreement:
        agreement = (placement or self.placement()).agreement
        agreeing.draft_version(agreement, by=self.by("bia"), now=NOW, **{**self.terms(), **facts})
        return fresh(agreement)  # type: ignore[no-any-return]

    def presented(self, placement: Placement | None = None, **facts: Any) -> PlacementAgreement:
        return fresh(agreeing.present(self.drafted(placement, **facts), by=self.by("bia"), now=NOW))  # type: ignore[no-any-return]

    def signed(self, placement: Placement | None = None, **facts: Any) -> Placement:
        agreement = self.presented(placement, **facts)
        for name in (agreement.placement.student.name, "bia", "elena"):
            self.sign(agreement, name)
        return fresh(agreement.placement)  # type: ignore[no-any-return]

    def sign(self, agreement: PlacementAgreement, name: str) -> PlacementAgreement:
        agreement = fresh(agreement)
        return fresh(agreeing.sign(agreement, by=self.by(name), now=NOW, digest=digest(agreement)))  # type: ignore[no-any-return]

    def insured(self, placement: Placement | None = None) -> Placement:
        placement = placement or self.signed()
        return fresh(running.record_insurance(placement, by=self.by("bia"), now=NOW, insurer="Seguros del Sur", policy="P-1", insured_from=FIRST, insured_until=LAST))  # type: ignore[no-any-return]

    def running(self, placement: Placement | None = None) -> Placement:
        return fresh(running.start(self.insured(placement), by=self.by("bia"), now=STARTED))  # type: ignore[no-any-return]

    def log(self, placement: Placement, *days: tuple[date, str, str], at: datetime | None = None) -> None:
        rows = [WorkRow(day=day, hours=Decimal(amount), what=what) for day, amount, what in days]
        hours.log_hours(fresh(placement), by=self.by("ana"), now=at or datetime.combine(max(d for d, _h, _w in days), time(20), UTC), rows=rows)

    def evaluate(self, placement: Placement, name: str, occasion: str, at: datetime, score: str = "4") -> Any:
        side = "student" if name == "ana" else "host"
        rows = [Answer(criterion=each.slug, score=score, comment="") for each in instrument(at.date()).asked_of(side)]  # type: ignore[arg-type]
        with clock.stopped_at(at):
            return evaluating.evaluate(fresh(placement), by=self.by(name), now=at, occasion=occasion, answers=rows, comment=f"{name} says so")  # type: ignore[arg-type]

    def terms(self) -> dict[str, Any]:
        return {
            "tasks": "Clean the survey data.", "outcomes": "Can clean survey data.", "hours_per_week": Decimal(20), "starts_on": FIRST, "ends_on": LAST,
            "mentor_name": "Mario", "mentor_email": self.people["mario"].email, "tutor": self.people["tito"].pk, "insurance": "Home insures.",
            "data_and_ip": "The work is the host’s; the student may show it.", "confidentiality": "Data stay with the host.", "complaints": "To the officer at home.",
            "equipment": "A laptop of the host.", "language": "es", "because": "First text",
        }  # fmt: skip


VACANCY: dict[str, Any] = {
    "title": {"en": "Survey data", "es": "Datos de encuestas"}, "tasks": {"en": "Clean the survey data."}, "learning_outcomes": {"en": "Can clean survey data."},
    "hours_per_week": Decimal(20), "starts_on": FIRST, "ends_on": LAST, "places": 1, "apply_by": datetime(2026, 8, 20, 23, 0, tzinfo=UTC), "language": "es",
    "cefr": "B1", "isced_f": "0542", "supervisor_name": "Mario", "supervisor_email": "mario@host.example", "core_from": time(10), "core_to": time(14),
}  # fmt: skip
HOST: dict[str, Any] = {
    "name": "Datos del Sur", "country": "UY", "zone": "America/Montevideo", "contact_name": "Elena", "contact_email": "elena@sur.example",
    "purpose": "Surveys for public health; students clean and chart data.", "registration": "RUT 21-7",
}  # fmt: skip


def world() -> World:
    home = organisation("Lima University", "PE", "America/Lima")
    network = organisation("Network", "UY", "America/Montevideo", kind="network")
    people = {name: person(name) for name in ("ana", "beto", "bia", "tito", "dora")}
    people |= {name: person(name, "America/Montevideo") for name in ("elena", "mario", "nora")}
    for name, where, role in (
        ("ana", home, "student"), ("beto", home, "student"), ("bia", home, "coordinator"), ("tito", home, "instructor"), ("nora", network, "coordinator"),
        ("dora", organisation("Elsewhere", "BR", "America/Sao_Paulo"), "coordinator"),
    ):  # fmt: skip
        give_role(people[name], where, role)
    for name in ("ana", "beto"):
        StudentRecord(person=people[name], home=home, student_number=name, programme="Statistics", level="bachelor", languages={"es": "native"}).save()
    made = World(home, network, None, people)  # type: ignore[arg-type]
    safeguarding.name_officer(home, by=made.by("bia"), now=NOW, person=people["tito"].pk)
    made.host = vetted(made)
    return made


def vetted(world: World) -> Host:
    host = hosts.invite_host(world.network, by=world.by("nora"), now=NOW, **HOST)
    for each in criteria():
        hosts.check(host, by=world.by("nora"), now=NOW, criterion=each.slug, outcome="met", evidence="Seen.", expires_on=date(2027, 12, 31) if each.expires else None)
    for name, role in (("elena", "coordinator"), ("mario", "instructor")):
        give_role(world.people[name], fresh(host).organisation, role)
    return fresh(hosts.vet(host, by=world.by("nora"), now=NOW))  # type: ignore[no-any-return]


def digest(agreement: PlacementAgreement) -> str:
    version = fresh(agreement).current_version
    assert version is not None
    return str(version.digest)


def fresh(record: Any) -> Any:
    return type(record)._base_manager.get(pk=record.pk)

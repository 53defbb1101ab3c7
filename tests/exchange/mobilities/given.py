"""Ana (Lima) goes to Santiago in person; Bia works at home, Carlos at the host, Dora elsewhere."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from vsm.exchange.institutions.models import Organisation
from vsm.exchange.mobilities.actions import CourseRow, record_mobility
from vsm.exchange.mobilities.models import Mobility
from vsm.exchange.people.models import Membership, Person, StudentRecord
from vsm.exchange.people.queries import actor_of
from vsm.kit.actors import Actor

NOW = datetime(2026, 8, 3, 15, 0, tzinfo=UTC)
_numbers = count(1)


def person(name: str, *, zone: str = "America/Lima") -> Person:
    made = Person(email=f"{name.lower()}{next(_numbers)}@example.edu", name=name, zone=zone, language="en")
    made.set_unusable_password()
    made.save()
    return made


def organisation(name: str, country: str, zone: str, city: str, credit_system: str = "ects") -> Organisation:
    made = Organisation(
        name={"en": name}, schac=f"{name.lower().replace(' ', '-')}{next(_numbers)}.example", country=country, zone=zone, city=city,
        languages=["es"], credit_system=credit_system,
    )  # fmt: skip
    made.save()
    return made


def actor(who: Person) -> Actor:
    return actor_of(who, NOW)


def give_role(who: Person, where: Organisation, role: str) -> None:
    Membership(person=who, organisation=where, role=role, starts_on=date(2026, 1, 1)).save()


STATISTICS = CourseRow(
    code="EST101", title="Estadística", credits=Decimal(6), credit_system="sct-chile", language="es", home_code="ECO-301",
    home_title="Econometrics", home_credits=Decimal(4),
)  # fmt: skip
LAW = CourseRow(code="DER102", title="Derecho ambiental", credits=Decimal(4), home_code="LAW-2", home_title="Law", home_credits=Decimal(3))


@dataclass
class World:
    home: Organisation
    host: Organisation
    ana: Person
    bia: Person
    carlos: Person
    dora: Person

    def student(self, name: str, home: Organisation | None = None) -> Person:
        made, number = person(name), next(_numbers)
        StudentRecord(person=made, home=home or self.home, student_number=f"2020-{number}", programme="Economics", level="bachelor").save()
        give_role(made, home or self.home, "student")
        return made

    def mobility(self, who: Person | None = None, **facts: Any) -> Mobility:
        given: dict[str, Any] = {
            "host": self.host.pk, "starts_on": date(2026, 8, 1), "ends_on": date(2026, 12, 18), "courses": [STATISTICS], **facts,
        }  # fmt: skip
        return record_mobility(self.home, by=actor(self.bia), now=NOW, student=(who or self.ana).email, **given)


def world() -> World:
    home = organisation("Lima University", "PE", "America/Lima", "Lima", "peru")
    host = organisation("Santiago University", "CL", "America/Santiago", "Santiago", "sct-chile")
    bia, carlos, dora = (person(name) for name in ("Bia", "Carlos", "Dora"))
    made = World(home, host, person("Ana"), bia, carlos, dora)
    StudentRecord(person=made.ana, home=home, student_number="2020-0", programme="Economics", level="bachelor").save()
    stranger = organisation("Another University", "BR", "America/Sao_Paulo", "São Paulo")
    for who, where, role in ((made.ana, home, "student"), (bia, home, "coordinator"), (carlos, host, "coordinator"), (dora, stranger, "coordinator")):
        give_role(who, where, role)
    return made


def fresh(record: Any) -> Any:
    return type(record)._base_manager.get(pk=record.pk)

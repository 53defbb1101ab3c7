"""Who lives in the demo world: fictitious institutions in real countries and zones, and the people who act in it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any

import yaml
from django.contrib.auth.hashers import make_password

from vsm.exchange.institutions import actions as institutions
from vsm.exchange.institutions.actions import Spoken
from vsm.exchange.institutions.models import Hub, Organisation
from vsm.exchange.people.models import Person, StudentRecord
from vsm.exchange.people.queries import actor_of
from vsm.exchange.people.rules import Role
from vsm.kit.actors import SYSTEM, Actor

PASSWORD = "open-vsm-demo-world"  # noqa: S105 -- printed at start; demo accounts exist in demo data only
PER_INSTITUTION = 13
TOTALS = {"PE": 200, "BR": 240, "CL": 300, "CO": 160, "MX": 400, "FR": 180, "ES": 240, "PT": 180, "CA": 120, "PH": 160}


@dataclass(frozen=True)
class Part:
    """A persona: who it is, where it works, and as what."""

    key: str
    name: str
    at: str
    roles: tuple[Role, ...]
    language: str
    zone: str
    who: str


# Student Ana, home coordinator Bia, host coordinator Carlos, and Dora, a stranger to their exchange.
PARTS = (
    Part("ana", "Ana Quispe Torres", "andina", (Role.STUDENT,), "es", "America/Lima", "student in Lima"),
    Part("bia", "Bia Almeida", "andina", (Role.COORDINATOR,), "es", "America/Lima", "coordinator at Ana's home institution"),
    Part("rosa", "Rosa Salazar", "andina", (Role.REGISTRAR,), "es", "America/Lima", "registrar at Ana's home institution"),
    Part("carlos", "Carlos Soto", "mapocho", (Role.COORDINATOR,), "es", "America/Santiago", "coordinator at the host in Santiago"),
    Part("ines", "Inés Fuentes", "mapocho", (Role.INSTRUCTOR,), "es", "America/Santiago", "teaches at the host"),
    Part("raul", "Raúl Contreras", "mapocho", (Role.REGISTRAR,), "es", "America/Santiago", "registrar at the host"),
    Part("luiza", "Luiza Ferreira", "garoa", (Role.COORDINATOR, Role.REGISTRAR), "pt-br", "America/Sao_Paulo", "coordinator in São Paulo"),
    Part("chloe", "Chloé Moreau", "ponts", (Role.COORDINATOR, Role.REGISTRAR), "fr", "Europe/Paris", "coordinator in Lyon"),
    Part("dora", "Dora Villanueva", "bahia", (Role.COORDINATOR, Role.REGISTRAR), "en", "Asia/Manila", "coordinator in Manila, a stranger to Ana's exchange"),
)
OPERATOR = Part("olga", "Olga Ibáñez", "", (), "en", "America/Lima", "operator of this installation")


@dataclass
class Cast:
    """Everybody by key. `actor(key, at)` is that person with the roles held at that time."""

    hub: Hub
    organisations: dict[str, Organisation] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    students: dict[str, list[StudentRecord]] = field(default_factory=dict)
    offices: dict[str, Person] = field(default_factory=dict)
    registries: dict[str, Person] = field(default_factory=dict)

    def actor(self, key: str, at: datetime) -> Actor:
        return actor_of(self.people[key], at)

    def office(self, institution: str, at: datetime) -> Actor:
        """The coordinator of an institution."""
        return actor_of(self.offices[institution], at)

    def registry(self, institution: str, at: datetime) -> Actor:
        """The registrar of an institution."""
        return actor_of(self.registries[institution], at)


def make_cast(began: datetime, rng: random.Random) -> Cast:
    """Institutions, staff and students, as if they had joined on the day `began`."""
    hub = Hub.objects.first() or Hub(name="OpenVSM", contact="olga@hub.example")
    if hub._state.adding:
        hub.save()
    cast = Cast(hub)
    hashed = make_password(PASSWORD)
    cast.people["olga"] = _person(OPERATOR, "hub.example", hashed, is_operator=True)
    operator = actor_of(cast.people["olga"], began)
    for facts in read("institutions"):
        cast.organisations[facts["key"]] = _institution(hub, facts, operator, began)
    _network(cast, operator, began)
    for part in PARTS:
        home = cast.organisations[part.at]
        cast.people[part.key] = _person(part, home.schac, hashed)
        for role in part.roles:
            institutions.give_role(home, by=operator, now=began, email=cast.people[part.key].email, role=role)
        if Role.COORDINATOR in part.roles:
            cast.offices[part.at] = cast.people[part.key]
        if Role.REGISTRAR in part.roles:
            cast.registries[part.at] = cast.people[part.key]
    for key, home in cast.organisations.items():
        if key not in cast.offices:
            cast.offices[key] = cast.registries[key] = _officer(key, home, hashed, operator, began)
        if home.kind == "university":
            cast.students[key] = list(_students(cast, key, home, hashed, began, rng))
    return cast


def _institution(hub: Hub, facts: dict[str, Any], operator: Actor, began: datetime) -> Organisation:
    organisation = institutions.add_organisation(
        hub, by=operator, now=began, name=facts["name"], schac=facts["schac"], country=facts["country"], zone=facts["zone"],
        city=facts["city"], languages=facts["languages"], credit_system=facts["credit_system"], grade_scale=facts["grade_scale"],
        contact=f"international@{facts['schac']}",
    )  # fmt: skip
    for code, months in (("I", (3, 7)), ("II", (8, 12))):
        for year in (began.year, began.year + 1, began.year + 2):
            institutions.add_term(
                organisation, by=SYSTEM, now=began, code=f"{year}-{code}", name=dict.fromkeys(("es", "pt-br", "en", "fr"), f"{year}-{code}"),
                starts_on=date(year, months[0], 1), ends_on=date(year, months[1], 15),
            )  # fmt: skip
    institutions.add_unit(
        organisation, by=SYSTEM, now=began, code="GEN",
        name={"es": "Estudios generales", "pt-br": "Estudos gerais", "en": "General studies", "fr": "Études générales"},
    )  # fmt: skip
    return organisation


def _network(cast: Cast, operator: Actor, began: datetime) -> None:
    cast.organisations["puentes"] = institutions.add_organisation(
        cast.hub, by=operator, now=began, kind="network", schac="puentes.example", country="UY", zone="America/Montevideo", city="Montevideo",
        name={"es": "Red Puentes", "pt-br": "Rede Pontes", "en": "Bridges Network", "fr": "Réseau des Ponts"}, contact="red@puentes.example",
    )  # fmt: skip


def _person(part: Part, domain: str, hashed: str, *, is_operator: bool = False) -> Person:
    person = Person(email=f"{part.key}@{domain}", name=part.name, language=part.language, zone=part.zone, password=hashed, is_operator=is_operator)
    person.save()
    return person


def _officer(key: str, home: Organisation, hashed: str, operator: Actor, began: datetime) -> Person:
    part = Part("oficina", f"International office, {home.name['en']}", key, (), "es", home.zone, "")
    person = _person(part, home.schac, hashed)
    for role in (Role.COORDINATOR, Role.REGISTRAR):
        institutions.give_role(home, by=operator, now=began, email=person.email, role=role)
    return person


def _students(cast: Cast, key: str, home: Organisation, hashed: str, began: datetime, rng: random.Random) -> Iterator[StudentRecord]:
    names = read("names")[key]
    facts = next(facts for facts in read("institutions") if facts["key"] == key)
    for number in range(PER_INSTITUTION):
        is_ana = key == "andina" and number == 0
        name = cast.people["ana"].name if is_ana else f"{rng.choice(names['given'])} {rng.choice(names['family'])} {rng.choice(names['family'])}"
        email = cast.people["ana"].email if is_ana else f"s{number:03d}@{home.schac}"
        if not is_ana:
            Person(email=email, name=name, language=facts["language"], zone=home.zone, password=hashed).save()
        total = TOTALS[home.country]
        spoken = [Spoken(language=facts["language"].split("-")[0], level="native"), Spoken(language="en", level="B2" if is_ana else rng.choice(["A2", "B1", "B1", "B2", "B2", "C1"]))]
        if facts["language"] == "es":
            spoken.append(Spoken(language="pt", level="B1" if is_ana else rng.choice(["A2", "B1", "B2"])))
        if facts["language"] in {"pt-br", "en", "fr"}:
            spoken.append(Spoken(language="es", level=rng.choice(["A2", "B1", "B2", "C1"])))
        yield institutions.register_student(
            home, by=SYSTEM, now=began + timedelta(minutes=number), email=email, name=name, student_number=f"{began.year}{number:04d}",
            programme=rng.choice(["Economía", "Ingeniería ambiental", "Derecho", "Educación", "Informática", "Salud pública"]),
            isced_f=rng.choice(["0311", "0712", "0421", "0111", "0613", "0919"]), credits_total=Decimal(total),
            credits_earned=Decimal(round(total * (0.55 if is_ana else rng.uniform(0.12, 0.9)))), languages=spoken,
        )  # fmt: skip


def read(name: str) -> Any:
    text = files("vsm.demo").joinpath(f"{name}.yaml").read_text("utf-8")
    return yaml.load(text, Loader=yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader)  # noqa: S506 -- both are safe

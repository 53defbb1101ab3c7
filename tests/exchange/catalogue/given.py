"""A small world for the tests of this slice: Carlos coordinates at the host in Santiago, Inés teaches there, Raúl is its
registrar; Dora coordinates elsewhere; Ana studies in Lima."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from vsm.exchange.catalogue import actions
from vsm.exchange.catalogue.actions import MeetingRow
from vsm.exchange.catalogue.models import Offering, Opportunity
from vsm.exchange.institutions.models import Organisation, Term, Unit
from vsm.exchange.people.models import Membership, Person
from vsm.exchange.people.queries import actor_of
from vsm.kit.actors import Actor

NOW = datetime(2027, 1, 20, 15, 0, tzinfo=UTC)
MONDAY_NINE = MeetingRow(weekday=0, starts=time(9), ends=time(10, 30), label="Lecture")

CATALOGUE = """\
code,offering,category,title_es,title_en,description_es,isced_f,level,credits,credits_high,credit_values,credit_system,language,cefr,mode,bandwidth,starts_on,ends_on,seats,meetings,term
EST-210,2027-1,course,Estadística aplicada,Applied statistics,Modelos lineales.,0542,bachelor,6,,,sct-chile,es,B1,synchronous,video,2027-03-01,2027-07-10,5,Mon 09:00-10:30 Lecture,2027-1
EST-210,2027-2,course,Estadística aplicada,Applied statistics,Modelos lineales.,0542,bachelor,6,,,sct-chile,es,B1,synchronous,video,2027-08-02,2027-12-10,4,Wed 18:00-19:30,2027-2
DER-110,2027-1,course,Derecho del mar,,Puertos y pesca.,0421,master,2,4,2 or 4,sct-chile,es,B2,asynchronous,text,2027-03-01,2027-07-10,3,,2027-1
"""


def organisation(schac: str, name: str, zone: str = "America/Santiago", country: str = "CL") -> Organisation:
    made = Organisation(schac=schac, name={"es": name, "en": f"{name} (en)"}, country=country, zone=zone, credit_system="sct-chile")
    made.save()
    return made


def person(name: str, *roles: tuple[str, Organisation]) -> Person:
    local = name.lower().replace(" ", ".").encode("ascii", "ignore").decode()
    made = Person(email=f"{local}@example.org", name=name, language="en", zone="America/Lima")
    made.set_unusable_password()
    made.save()
    for role, where in roles:
        Membership(person=made, organisation=where, role=role, starts_on=date(2026, 1, 1)).save()
    return made


@dataclass
class World:
    host: Organisation
    other: Organisation
    carlos: Person
    raul: Person
    ines: Person
    dora: Person
    ana: Person
    term: Term
    unit: Unit

    def actor(self, name: str) -> Actor:
        return actor_of(getattr(self, name), NOW)


def world() -> World:
    host, other = organisation("mapocho.example", "Universidad del Mapocho"), organisation("bahia.example", "Bahía", "Asia/Manila", "PH")
    term = Term(organisation=host, code="2027-1", name={"es": "Otoño"}, starts_on=date(2027, 3, 1), ends_on=date(2027, 7, 10))
    unit = Unit(organisation=host, code="FCE", name={"es": "Economía"})
    term.save()
    unit.save()
    return World(
        host, other, person("Carlos", ("coordinator", host)), person("Raul", ("registrar", host)), person("Ines", ("instructor", host)),
        person("Dora", ("coordinator", other)), person("Ana", ("student", other)), term, unit,
    )  # fmt: skip


def opportunity(world: World, code: str = "EST-210", **facts: Any) -> Opportunity:
    given = {"title": {"es": "Estadística", "en": "Statistics"}, "credits": Decimal(6), "language": "es", "isced_f": "0542", **facts}
    return actions.add_opportunity(world.host, by=world.actor("carlos"), now=NOW, code=code, **given)


def offering(course: Opportunity, world: World, code: str = "2027-1", **facts: Any) -> Offering:
    given = {"term": world.term.pk, "seats": 5, "mode": "synchronous", "meetings": [MONDAY_NINE], **facts}
    return actions.add_offering(course, by=world.actor("carlos"), now=NOW, code=code, **given)


def published(world: World, code: str = "EST-210", **facts: Any) -> Offering:
    """A published offering of a published opportunity."""
    course = opportunity(world, code, **facts)
    actions.publish_opportunity(course, by=world.actor("carlos"), now=NOW)
    made = offering(course, world)
    return actions.publish_offering(made, by=world.actor("carlos"), now=NOW)

"""Students who take part in a course at the host: seats accepted, agreement signed, enrolled."""

from datetime import datetime
from uuid import uuid4

from tests.exchange.learning_agreements import given as agreements
from tests.exchange.learning_agreements.given import NOW, World, actor, fresh, give_role, organisation, person, world
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.people.models import Person
from vsm.exchange.sessions.actions import enrol, schedule
from vsm.exchange.sessions.models import Enrolment, Session
from vsm.kit.actors import SYSTEM

__all__ = ["NOW", "World", "actor", "agreements", "enrolled", "fresh", "give_role", "organisation", "person", "scheduled", "student", "world"]


def enrolled(here: World, offering: Offering, who: Person | None = None, now: datetime = NOW) -> Enrolment:
    application = here.application if who is None else here.application_of(who)
    return enrol(here.seat(offering, application=application), by=SYSTEM, now=now, agreement_id=uuid4())


def student(here: World, name: str, zone: str, needs: str = "") -> Person:
    who = person(name, zone=zone)
    give_role(who, here.home, "student")
    return who


def scheduled(here: World, offering: Offering, days_without: list[str] | None = None, now: datetime = NOW) -> list[Session]:
    schedule(offering, by=actor(here.teacher), now=now, days_without=days_without or [])
    return list(offering.sessions.order_by("number"))

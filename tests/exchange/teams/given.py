"""A course at the host with students of two countries who are enrolled; Tomás teaches it."""

from tests.exchange.sessions.given import NOW, World, actor, fresh, give_role, organisation, person
from vsm.exchange.applications.models import Application
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.people.models import Person, StudentRecord
from vsm.exchange.sessions.models import Enrolment
from vsm.exchange.teams.actions import form_teams, publish
from vsm.exchange.teams.models import Team, TeamFormation, TeamMembership

__all__ = ["NOW", "World", "actor", "classroom", "enrol", "fresh", "give_role", "member", "names", "person", "published", "team_of"]

ABROAD = ("Zoe", "Yara", "Xico")


def classroom(here: World, names: tuple[str, ...] = ("Luis", "Mara", "Nico", *ABROAD)) -> Offering:
    """Luis, Mara and Nico study in Peru, Zoe, Yara and Xico in Brazil; all speak English."""
    offering = here.offering(seats=20)
    for name in names:
        enrol(here, offering, name)
    return offering


def enrol(here: World, offering: Offering, name: str) -> Enrolment:
    brazil = organisation("Rio University", "BR", "America/Sao_Paulo") if name in ABROAD else None
    who = person(name, zone="America/Sao_Paulo" if brazil else "America/Lima")
    home = brazil or here.home
    give_role(who, home, "student")
    StudentRecord(person=who, home=home, student_number=f"n-{name}", programme="Economics", level="bachelor").save()
    application = Application(call=here.call, student=who, home=home, state="placed")
    application.save()
    from uuid import uuid4

    from vsm.exchange.sessions.actions import enrol as enrol_seat
    from vsm.kit.actors import SYSTEM

    return enrol_seat(here.seat(offering, application=application), by=SYSTEM, now=NOW, agreement_id=uuid4())


def published(here: World, offering: Offering, **asked: object) -> TeamFormation:
    formation = form_teams(offering, by=actor(here.teacher), now=NOW, **{"size": 3, "seed": "s", **asked})  # type: ignore[arg-type]  # -- inputs by name
    return publish(formation, by=actor(here.teacher), now=NOW)


def names(formation: TeamFormation) -> list[list[str]]:
    """Today's members of each team at work, by name."""
    teams = Team.objects.filter(formation=formation.root, state="active").order_by("number")
    return [sorted(team.memberships.filter(left_at=None).values_list("person__name", flat=True)) for team in teams]


def member(formation: TeamFormation, name: str) -> TeamMembership:
    return TeamMembership.objects.get(formation=formation, person__name=name, left_at=None)


def team_of(formation: TeamFormation, name: str) -> Team:
    return member(formation, name).team


def by_name(name: str) -> Person:
    found: Person = Person.objects.get(name=name)
    return found

"""Two teachers, in Bogotá and Lyon, with a class each; a stranger in Manila; and the steps up to a running exchange."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from vsm.exchange.collaborations import actions
from vsm.exchange.collaborations.actions import PhaseRow, SpokenRow, TaskRow, WindowRow
from vsm.exchange.collaborations.models import Exchange, ExchangeTeam, Participant, PartnerInvitation, PartnerWish
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Membership, Person
from vsm.exchange.people.queries import actor_of
from vsm.kit.actors import Actor
from vsm.kit.uploads import Upload

NOW = datetime(2027, 1, 11, 15, 0, tzinfo=UTC)
STARTS, ENDS = date(2027, 2, 15), date(2027, 4, 18)
_numbers = count(1)


def person(name: str, zone: str, email: str = "") -> Person:
    made = Person(email=email or f"{name.lower()}{next(_numbers)}@example.edu", name=name, zone=zone, language="en")
    made.set_unusable_password()
    made.save()
    return made


def organisation(name: str, country: str, zone: str, credit_system: str = "ects") -> Organisation:
    made = Organisation(name={"en": name}, schac=f"{name.lower()}{next(_numbers)}.example", country=country, zone=zone, credit_system=credit_system, contact="office@example.edu")
    made.save()
    return made


def give_role(who: Person, where: Organisation, role: str) -> None:
    Membership(person=who, organisation=where, role=role, starts_on=date(2026, 1, 1)).save()


def actor(who: Person | None, at: datetime = NOW) -> Actor:
    """Who does it; a guest of an event has no account and does nothing so."""
    assert who is not None
    return actor_of(who, at)


def fresh(record: Any) -> Any:
    return type(record)._base_manager.get(pk=record.pk)


@dataclass
class World:
    bogota: Organisation
    lyon: Organisation
    manila: Organisation
    pilar: Person
    remy: Person
    dora: Person
    office: Person
    registrar: Person
    students: dict[str, list[Person]] = field(default_factory=dict)

    def wish(self, teacher: Person, where: Organisation, *, publish: bool = True, **facts: Any) -> PartnerWish:
        made = actions.write_wish(
            where, by=actor(teacher), now=NOW,
            **{
                "title": {"en": f"Cities and water ({where.country})"}, "topic": {"en": "How cities live with water."}, "isced_f": "052",
                "languages": [SpokenRow(language="en", level="B2"), SpokenRow(language="es", level="B1")], "starts_on": date(2027, 2, 1), "ends_on": date(2027, 5, 28),
                "weeks": 8, "class_size": 12, "hours": 30, "zone": where.zone, "tools": ["Padlet"],
                "windows": [WindowRow(weekday=1, starts=time(7), ends=time(12))] if where == self.bogota else [WindowRow(weekday=1, starts=time(13), ends=time(18))],
                **facts,
            },
        )  # fmt: skip
        return actions.publish_wish(made, by=actor(teacher), now=NOW) if publish else made

    def invitation(self) -> PartnerInvitation:
        mine, theirs = self.wish(self.pilar, self.bogota), self.wish(self.remy, self.lyon, class_size=9)
        return actions.invite(mine, by=actor(self.pilar), now=NOW, partner=theirs.pk, message="Shall we?")

    def exchange(self) -> Exchange:
        return actions.accept(self.invitation(), by=actor(self.remy), now=NOW)

    def drafted(self, exchange: Exchange | None = None, **facts: Any) -> Exchange:
        exchange = exchange or self.exchange()
        return actions.draft_plan(exchange, by=actor(self.pilar), now=NOW, **plan(**facts))

    def agreed(self, **facts: Any) -> Exchange:
        exchange = actions.present_plan(self.drafted(**facts), by=actor(self.pilar), now=NOW)
        for teacher in (self.pilar, self.remy):
            version = fresh(exchange).current_version
            exchange = actions.sign_plan(exchange, by=actor(teacher), now=NOW, digest=version.digest)
        return exchange

    def gathered(self, first: int = 6, second: int = 5, **facts: Any) -> Exchange:
        """Agreed, with both classes read in."""
        exchange = self.agreed(**facts)
        for teacher, country, number in ((self.pilar, "co", first), (self.remy, "fr", second)):
            read = actions.import_roster(exchange, by=actor(teacher), now=NOW, file=roster(country, number))
            actions.apply_roster(read, by=actor(teacher), now=NOW)
        return exchange

    def running(self, at: datetime, first: int = 6, second: int = 5, **facts: Any) -> Exchange:
        """Started, with teams put together by hand: pairs of one code from each class in turn."""
        exchange = self.gathered(first, second, **facts)
        teams = [ExchangeTeam(exchange=exchange, number=number, formed_at=NOW) for number in (1, 2)]
        for team in teams:
            team.save()
        for place, each in enumerate(exchange.participants.order_by("code")):
            each.team = teams[place % 2]
            each.save()
        return actions.start(exchange, by=actor(self.pilar), now=at)


def world() -> World:
    bogota = organisation("Bogota", "CO", "America/Bogota", "colombia")
    lyon = organisation("Lyon", "FR", "Europe/Paris")
    manila = organisation("Manila", "PH", "Asia/Manila", "ucts")
    pilar, remy, dora = person("Pilar", "America/Bogota"), person("Rémy", "Europe/Paris", "remy@lyon.example"), person("Dora", "Asia/Manila")
    office, registrar = person("Olivia", "America/Bogota"), person("Rosa", "America/Bogota")
    for who, where, role in ((pilar, bogota, "instructor"), (remy, lyon, "instructor"), (dora, manila, "instructor"), (office, bogota, "coordinator"), (registrar, bogota, "registrar")):
        give_role(who, where, role)
    return World(bogota, lyon, manila, pilar, remy, dora, office, registrar)


def plan(**facts: Any) -> dict[str, Any]:
    """A complete plan of nine weeks: one task of each student, two of the teams, a reflection."""
    return {
        "title": {"en": "Cities and water", "es": "Ciudades y agua"}, "zone": "Europe/Paris", "languages": ["en", "es"], "tools": ["Padlet", "Jitsi"],
        "phases": [
            PhaseRow(phase="icebreaker", starts_on=STARTS, ends_on=date(2027, 2, 28)), PhaseRow(phase="collaboration", starts_on=date(2027, 3, 1), ends_on=date(2027, 4, 4)),
            PhaseRow(phase="reflection", starts_on=date(2027, 4, 5), ends_on=ENDS),
        ],
        "tasks": [
            TaskRow(title="Introduce yourself", phase="icebreaker", kind="individual", due_on=date(2027, 2, 22), hours="2"),
            TaskRow(title="Compare two rivers", phase="collaboration", kind="team", due_on=date(2027, 3, 15), hours="8"),
            TaskRow(title="A proposal for a street", phase="collaboration", kind="team", due_on=date(2027, 4, 2), hours="12"),
            TaskRow(title="What I learnt", phase="reflection", kind="individual", due_on=date(2027, 4, 16), hours="3"),
        ],
        "hours": Decimal(30), "facilitation": "Each of us facilitates two teams.", "assessment": "Ten per cent of each course’s mark.", "conduct": "We listen to each other.",
        "first_counts_as": "Environment seminar", "first_credits": "1", "second_counts_as": "Project", **facts,
    }  # fmt: skip


def roster(country: str, number: int, extra: str = "") -> Upload:
    lines = [f"{country}{n}@class-{country}.example,Student {country.upper()} {n},en:B2 es:B1" for n in range(1, number + 1)]
    return Upload.of("class.csv", "text/csv", ("email,name,languages\n" + "\n".join(lines) + extra).encode())


def of_code(exchange: Exchange, code: str) -> Participant:
    found: Participant = exchange.participants.get(code=code)
    return found


def at(day: date, hour: int = 12) -> datetime:
    return datetime.combine(day, time(hour), UTC)


def day(text: str, plus: int = 0) -> date:
    return date.fromisoformat(text) + timedelta(days=plus)

"""What the allocation finds: institutions, offerings, a call whose nominations are over, nominated applications."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random

from vsm.exchange.allocation import actions
from vsm.exchange.allocation.models import Run, Seat, WaitingPlace
from vsm.exchange.applications.models import Application, Call, CallOffering, Nomination
from vsm.exchange.applications.states import CallState, State
from vsm.exchange.catalogue.models import Offering, Opportunity
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Membership, Person
from vsm.exchange.people.queries import actor_of
from vsm.kit.actors import Actor

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)
CLOSES = NOW - timedelta(days=10)
NOMINATE_BY = NOW - timedelta(days=1)
PASSWORD = "a sentence that is easy to remember"


@dataclass
class World:
    """Andina (Lima) and Garoa (São Paulo) are homes; Mapocho (Santiago) teaches and holds the call."""

    andina: Organisation
    garoa: Organisation
    mapocho: Organisation
    call: Call
    offerings: dict[str, Offering] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)

    def actor(self, name: str, at: datetime = NOW) -> Actor:
        return actor_of(self.people[name], at)

    def student(self, name: str, at: datetime = NOW) -> Actor:
        return actor_of(self.applications[name].student, at)

    @property
    def carlos(self) -> Actor:
        return self.actor("carlos")

    @property
    def bia(self) -> Actor:
        return self.actor("bia")

    def seat(self, student: str, offering: str) -> Seat:
        """The latest seat of a student in an offering."""
        found: Seat = Seat.objects.filter(application=self.applications[student], offering=self.offerings[offering]).latest("created_at")
        return found

    def holds(self) -> dict[str, list[str]]:
        """Student → codes of the offerings that she holds a seat in."""
        names = {application.pk: name for name, application in self.applications.items()}
        held: dict[str, list[str]] = {}
        for seat in Seat.objects.holding().select_related("offering").order_by("rank"):
            held.setdefault(names[seat.application_id], []).append(seat.offering.code)
        return dict(sorted(held.items()))

    def line(self, offering: str) -> list[str]:
        """Who waits for an offering, in order."""
        names = {application.pk: name for name, application in self.applications.items()}
        places = WaitingPlace.objects.filter(offering=self.offerings[offering]).order_by("position")
        return [names[place.application_id] for place in places]

    def states(self) -> dict[str, str]:
        names = {application.pk: name for name, application in self.applications.items()}
        return {names[a.pk]: a.state for a in Application.objects.all()}


def world(*, state: str = CallState.PUBLISHED, sealed: bool = True, respond_hours: int = 72) -> World:
    andina = _organisation("andina.example", "Universidad Andina", "PE", "America/Lima")
    garoa = _organisation("garoa.example", "Universidade da Garoa", "BR", "America/Sao_Paulo")
    mapocho = _organisation("mapocho.example", "Universidad del Mapocho", "CL", "America/Santiago")
    call = Call(
        organisation=mapocho, code="2027-1", title={"es": "Cursos 2027-1", "en": "Courses 2027-1"}, zone="America/Santiago",
        opens_at=CLOSES - timedelta(days=20), closes_at=CLOSES, nominate_by=NOMINATE_BY, respond_hours=respond_hours, state=state,
    )  # fmt: skip
    call.save()
    made = World(andina, garoa, mapocho, call)
    for name, role, organisation in (
        ("bia", "coordinator", andina), ("luiza", "coordinator", garoa), ("carlos", "coordinator", mapocho),
        ("raul", "registrar", mapocho), ("dora", "coordinator", _organisation("bahia.example", "Bahía", "PH", "Asia/Manila")),
    ):  # fmt: skip
        made.people[name] = person(name, role, organisation)
    if sealed:
        made.call = actions.commit_seed(call, by=made.carlos, now=CLOSES - timedelta(days=1))
    return made


def person(name: str, role: str, organisation: Organisation, *, language: str = "en", zone: str = "UTC") -> Person:
    found = Person(email=f"{name}@{organisation.schac}", name=name.title(), language=language, zone=zone)
    found.set_password(PASSWORD)
    found.save()
    Membership(person=found, organisation=organisation, role=role, starts_on=date(2026, 1, 1)).save()
    return found


def offer(made: World, code: str, seats: int, *, taught: int = 100, starts_on: date = date(2027, 4, 1), **facts: object) -> Offering:
    opportunity = Opportunity(
        organisation=made.mapocho, code=code, title={"en": code.title(), "es": f"Curso {code}"}, credits=6, language="es", state="published",
    )  # fmt: skip
    opportunity.save()
    offering = Offering(
        opportunity=opportunity, code=code, starts_on=starts_on, ends_on=starts_on + timedelta(days=100),
        zone="America/Santiago", seats=taught, state="published", **facts,
    )  # fmt: skip
    offering.save()
    CallOffering(call=made.call, offering=offering, seats=seats).save()
    made.offerings[code] = offering
    return offering


def nominated(
    made: World, name: str, choices: Sequence[str], *, band: int = 1, wanted: int = 1, home: Organisation | None = None,
    language: str = "en", zone: str = "America/Lima",
) -> Application:  # fmt: skip
    home = home or made.andina
    application = Application(
        call=made.call, student=person(name, "student", home, language=language, zone=zone), home=home,
        choices=[str(made.offerings[code].pk) for code in choices], seats_wanted=wanted, state=State.NOMINATED, submitted_at=CLOSES,
    )  # fmt: skip
    application.save()
    Nomination(application=application, band=band, at=NOMINATE_BY).save()
    made.applications[name] = application
    return application


def three(**facts: object) -> World:
    """Algebra and Biology have one seat each. Ana and Bela want Algebra; Bela goes first there. Carla waits for Biology.

    Result: Bela in Algebra, Ana in Biology; Ana waits for Algebra, Carla for Biology.
    """
    made = world(**facts)
    offer(made, "algebra", 1)
    offer(made, "biology", 1)
    nominated(made, "ana", ["algebra", "biology"], band=2, language="es")
    nominated(made, "bela", ["algebra", "biology"], band=1)
    nominated(made, "carla", ["biology"], band=3, home=made.garoa)
    return made


def published(made: World, mechanism: str = "deferred_acceptance", *, now: datetime = NOW) -> Run:
    run = actions.allocate(made.call, by=made.carlos, now=now, mechanism=mechanism)
    run = actions.publish(run, by=made.carlos, now=now, because="The rules that were announced.")
    made.call.refresh_from_db()
    return run


def crowd(made: World, students: int, offerings: int, *, seats: int, choices: int, rng: Random, wanted: Iterable[int] = (1,)) -> None:
    """Many students at once, written in bulk: random choices among many offerings, one to three bands."""
    for number in range(offerings):
        offer(made, f"c{number:03d}", seats, taught=seats * 2)
    codes, sizes = list(made.offerings), list(wanted)
    people = [Person(email=f"s{n}@crowd.example", name=f"Student {n:05d}", password="!") for n in range(students)]
    for each in people:
        each.prepare()
    Person.objects.bulk_create(people, batch_size=500)
    made_here = [
        Application(
            call=made.call, student=student, home=rng.choice([made.andina, made.garoa]), state=State.NOMINATED, submitted_at=CLOSES,
            choices=[str(made.offerings[code].pk) for code in rng.sample(codes, choices)], seats_wanted=rng.choice(sizes),
        )
        for student in people
    ]  # fmt: skip
    for application in made_here:
        application.prepare()
    Application.objects.bulk_create(made_here, batch_size=500)
    Nomination.objects.bulk_create(
        [Nomination(application=application, band=rng.randint(1, 3), at=NOMINATE_BY) for application in made_here], batch_size=500
    )
    made.applications |= {application.student.name: application for application in made_here}


def _organisation(schac: str, name: str, country: str, zone: str) -> Organisation:
    made = Organisation(schac=schac, name={"es": name, "en": name}, country=country, zone=zone, languages=["es"])
    made.save()
    return made

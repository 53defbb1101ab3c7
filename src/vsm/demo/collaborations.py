"""The demo's exchanges of classes, from open wishes to certificates, and its online events, one held and one coming."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from vsm.demo.cast import Cast, Part
from vsm.exchange.collaborations import actions as collaborations
from vsm.exchange.collaborations.actions import PhaseRow, SpokenRow, TaskRow, WindowRow
from vsm.exchange.collaborations.models import Exchange, Participant, PartnerWish
from vsm.exchange.events import actions as events
from vsm.exchange.events.actions import PresentRow, Speaker
from vsm.exchange.events.models import OnlineEvent, Registration
from vsm.exchange.events.queries import link_token
from vsm.exchange.institutions import actions as institutions
from vsm.exchange.people.models import Person
from vsm.exchange.people.queries import actor_of
from vsm.exchange.people.rules import Role
from vsm.kit import clock
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.jobs import drain
from vsm.kit.uploads import Upload

SEED = 4
TEACHERS = (
    Part("pilar", "Pilar Rincón", "cerros", (Role.INSTRUCTOR,), "es", "America/Bogota", "teaches in Bogotá"),
    Part("remy", "Rémy Garnier", "ponts", (Role.INSTRUCTOR,), "fr", "Europe/Paris", "teaches in Lyon, with Pilar’s class"),
    Part("liza", "Liza Aquino", "bahia", (Role.INSTRUCTOR,), "en", "Asia/Manila", "teaches in Manila"),
    Part("caio", "Caio Almeida", "garoa", (Role.INSTRUCTOR,), "pt-br", "America/Sao_Paulo", "teaches in São Paulo"),
    Part("ximena", "Ximena Cruz", "calzada", (Role.INSTRUCTOR,), "es", "America/Mexico_City", "teaches in Mexico City"),
    Part("duarte", "Duarte Neves", "ria", (Role.INSTRUCTOR,), "pt-br", "Europe/Lisbon", "teaches in Portugal"),
)  # fmt: skip
EACH_CLASS = 4
WATER = {"es": "Ciudades y agua", "pt-br": "Cidades e água", "en": "Cities and water", "fr": "Villes et eau"}
DATA = {"es": "Datos que cuentan", "pt-br": "Dados que contam", "en": "Data that count", "fr": "Des données qui comptent"}
LAW = {"es": "Derecho y migración", "pt-br": "Direito e migração", "en": "Law and migration", "fr": "Droit et migrations"}
HEALTH = {"es": "Salud en el barrio", "pt-br": "Saúde no bairro", "en": "Health in the neighbourhood", "fr": "La santé au quartier"}
HOPES = {
    "es": "Comparar cómo trabajan nuestras ciudades y presentar una propuesta común.", "pt-br": "Comparar como nossas cidades trabalham e apresentar uma proposta comum.",
    "en": "Compare how our cities work and present a proposal together.", "fr": "Comparer le travail de nos villes et présenter une proposition commune.",
}  # fmt: skip
CONDUCT = "Escuchamos antes de responder. Contestamos en dos días. Nadie se queda fuera por su idioma o su conexión. / We listen first, answer within two days, and leave nobody out."


@dataclass
class Classes:
    """The teachers by key, and how to act as one of them."""

    cast: Cast
    people: dict[str, Person]

    def by(self, key: str, at: datetime) -> Actor:
        return actor_of(self.people[key], at)


def make_collaborations(cast: Cast, now: datetime) -> None:
    """Open wishes, a fair, an exchange at each stage, and two events. Only what is drawn here depends on the seed."""
    rng = random.Random(SEED)
    cast.people |= _teachers(cast, now - timedelta(days=380))
    classes = Classes(cast, cast.people)
    _finished(classes, now, rng)
    _running(classes, now, rng)
    _signing(classes, now)
    _looking(classes, now)
    _held(classes, now, rng)
    _coming(classes, now)
    _work(now)


def _teachers(cast: Cast, at: datetime) -> dict[str, Person]:
    operator, made = actor_of(cast.people["olga"], at), {}
    for part in TEACHERS:
        home = cast.organisations[part.at]
        person = Person(email=f"{part.key}@{home.schac}", name=part.name, language=part.language, zone=part.zone, password=cast.people["olga"].password)
        person.save()
        institutions.give_role(home, by=operator, now=at, email=person.email, role=Role.INSTRUCTOR)
        made[part.key] = person
    return made


def _wish(classes: Classes, key: str, at: datetime, *, title: dict[str, str], starts_on: date, weeks: int = 6, publish: bool = True, **facts: Any) -> PartnerWish:
    teacher, zone = classes.people[key], classes.people[key].zone
    place = next(part.at for part in (*TEACHERS, Part("ines", "", "mapocho", (), "", "", "")) if part.key == key)
    morning = zone.startswith("America")
    wish = collaborations.write_wish(
        classes.cast.organisations[place], by=classes.by(key, at), now=at,
        **{
            "title": title, "topic": HOPES, "isced_f": "052", "languages": [SpokenRow(language="en", level="B2"), SpokenRow(language="es", level="B1")], "starts_on": starts_on,
            "ends_on": starts_on + timedelta(weeks=14), "weeks": weeks, "class_size": 20, "hours": 30, "zone": teacher.zone, "tools": ["Jitsi", "Padlet"],
            "windows": [WindowRow(weekday=day, starts=time(7 if morning else 13), ends=time(12 if morning else 19)) for day in (1, 3)], "bandwidth": "video", **facts,
        },
    )  # fmt: skip
    return collaborations.publish_wish(wish, by=classes.by(key, at), now=at) if publish else wish


def _matched(classes: Classes, one: str, other: str, at: datetime, *, title: dict[str, str], starts_on: date, **facts: Any) -> Exchange:
    mine, theirs = (_wish(classes, key, at, title=title, starts_on=starts_on - timedelta(weeks=1), **facts) for key in (one, other))
    invitation = collaborations.invite(mine, by=classes.by(one, at), now=at + timedelta(days=1), partner=theirs.pk, message="¿Lo hacemos juntos? / Shall we do it together?")
    return collaborations.accept(invitation, by=classes.by(other, at), now=at + timedelta(days=3))


def _plan(classes: Classes, exchange: Exchange, one: str, at: datetime, *, title: dict[str, str], starts_on: date, **facts: Any) -> Exchange:
    """Six weeks: a week and a half to meet, three to work, one to look back."""
    days = [starts_on, starts_on + timedelta(days=10), starts_on + timedelta(days=11), starts_on + timedelta(days=34), starts_on + timedelta(days=35), starts_on + timedelta(days=41)]
    tasks: list[tuple[str, str, str, int, str]] = [("Preséntate / Introduce yourself", "icebreaker", "individual", 8, "2"), ("Comparar dos ríos / Compare two rivers", "collaboration", "team", 20, "8"), ("Una propuesta / A proposal", "collaboration", "team", 33, "12"), ("Lo que aprendí / What I learnt", "reflection", "individual", 40, "3")]
    exchange = collaborations.draft_plan(
        exchange, by=classes.by(one, at), now=at,
        **{
            "title": title, "zone": exchange.zone, "languages": ["en", "es"], "tools": ["Jitsi", "Padlet"],
            "phases": [PhaseRow(phase=phase, starts_on=days[2 * n], ends_on=days[2 * n + 1]) for n, phase in enumerate(("icebreaker", "collaboration", "reflection"))],  # type: ignore[arg-type]  # -- the three words
            "tasks": [TaskRow(title=name, phase=part, kind=kind, due_on=starts_on + timedelta(days=after), hours=hours) for name, part, kind, after, hours in tasks],  # type: ignore[arg-type]  # -- as above
            "hours": Decimal(30), "facilitation": "Cada docente acompaña la mitad de los equipos. / Each of us facilitates half of the teams.",
            "assessment": "10 % de la nota de cada curso. / Ten per cent of each course’s mark.", "conduct": CONDUCT, "first_counts_as": "Seminario", "first_credits": "1", "second_counts_as": "Projet", **facts,
        },
    )  # fmt: skip
    return collaborations.present_plan(exchange, by=classes.by(one, at), now=at)


def _sign(classes: Classes, exchange: Exchange, keys: tuple[str, ...], at: datetime) -> Exchange:
    for key in keys:
        version = Exchange.objects.get(pk=exchange.pk).current_version
        exchange = collaborations.sign_plan(exchange, by=classes.by(key, at), now=at, digest=version.digest if version else "")
    return exchange


def _gathered(classes: Classes, exchange: Exchange, one: str, other: str, places: tuple[str, str], at: datetime, rng: random.Random) -> Exchange:
    """Both class lists, names shared by most, and teams."""
    for key, place in zip((one, other), places, strict=True):
        lines = [f"{record.person.email},{record.person.name},{' '.join(f'{code}:{level}' for code, level in record.languages.items())}" for record in classes.cast.students[place][-EACH_CLASS:]]
        read = collaborations.import_roster(exchange, by=classes.by(key, at), now=at, file=Upload.of(f"{place}.csv", "text/csv", "\n".join(["email,name,languages", *lines]).encode()))
        collaborations.apply_roster(read, by=classes.by(key, at), now=at)
    _work(at)
    for each in _people(exchange):
        if rng.random() < 0.7:
            collaborations.share_name(each, by=actor_of(each.person, at), now=at)
    return collaborations.form_teams(exchange, by=classes.by(one, at), now=at, size=4, seed="demo")


def _people(exchange: Exchange) -> list[Participant]:
    return list(exchange.participants.filter(state="active").select_related("person", "team", "exchange").order_by("code"))


def _weeks(classes: Classes, exchange: Exchange, starts_on: date, weeks: int, rng: random.Random, *, each: int = 99, silent: frozenset[str] = frozenset(), until: datetime | None = None) -> None:
    """Work of these weeks, and check-ins in the first `each` of them; who is silent does nothing after the first week."""
    for week in range(min(weeks, each)):
        at = _at(starts_on + timedelta(weeks=week, days=2))
        for person in _people(exchange):
            if (until and at > until) or (person.code in silent and week):
                continue
            collaborations.check_in(person, by=actor_of(person.person, at), now=at, team_works=rng.choice(["3", "4", "4", "5"]), keeps_up=rng.choice(["3", "4", "5"]))
    people = _people(exchange)
    for task in exchange.tasks.order_by("due_at"):
        at = task.due_at - timedelta(days=1)
        if (until and at > until) or at > _at(starts_on + timedelta(weeks=weeks)):
            continue
        done: set[Any] = set()
        for person in people:
            if person.code in silent or (task.kind == "team" and person.team_id in done):
                continue
            done.add(person.team_id)
            collaborations.hand_in(task, by=actor_of(person.person, at), now=at, link="https://padlet.example/demo", text="")


def _finished(classes: Classes, now: datetime, rng: random.Random) -> None:
    """Inés in Santiago and Liza in Manila, two months ago: everything done, certificates issued, one recognised at home."""
    starts_on = _monday(now.date() - timedelta(days=100))
    at = _at(starts_on - timedelta(days=60))
    exchange = _matched(classes, "ines", "liza", at, title=DATA, starts_on=starts_on, isced_f="054")
    exchange = _sign(classes, _plan(classes, exchange, "ines", at + timedelta(days=9), title=DATA, starts_on=starts_on), ("ines", "liza"), at + timedelta(days=12))
    exchange = _gathered(classes, exchange, "ines", "liza", ("mapocho", "bahia"), _at(starts_on - timedelta(days=7)), rng)
    exchange = collaborations.start(exchange, by=classes.by("liza", _at(starts_on)), now=_at(starts_on))
    _weeks(classes, exchange, starts_on, 6, rng, each=4, silent=frozenset([_people(exchange)[0].code]))
    over = _at(starts_on + timedelta(days=43))
    _work(over)
    exchange = collaborations.finish(exchange, by=classes.by("ines", over), now=over)
    for key in ("ines", "liza"):
        exchange = collaborations.certify(exchange, by=classes.by(key, over), now=over + timedelta(days=2))
    _work(over + timedelta(days=2))
    done = exchange.participants.filter(state="completed", side="first").select_related("exchange__first", "exchange__second").first()
    if done:
        collaborations.recognise(done, by=classes.cast.registry("mapocho", over), now=over + timedelta(days=9), home_credits=Decimal(1), home_code="OPT-VE", because="As the plan says.")


def _running(classes: Classes, now: datetime, rng: random.Random) -> None:
    """Pilar in Bogotá and Rémy in Lyon, in the fourth week: two have left, the teams were balanced again, one goes silent."""
    starts_on = _monday(now.date() - timedelta(days=24))
    at = _at(starts_on - timedelta(days=50))
    exchange = _matched(classes, "pilar", "remy", at, title=WATER, starts_on=starts_on)
    exchange = _sign(classes, _plan(classes, exchange, "pilar", at + timedelta(days=6), title=WATER, starts_on=starts_on), ("pilar", "remy"), at + timedelta(days=9))
    exchange = _gathered(classes, exchange, "pilar", "remy", ("cerros", "ponts"), _at(starts_on - timedelta(days=6)), rng)
    collaborations.plan_meetings(exchange, by=classes.by("pilar", at), now=_at(starts_on - timedelta(days=5)), weekday=1, starts=time(8), minutes=60, join_url="https://jitsi.example/agua", dial_in="+57 1 555 0144")
    exchange = collaborations.start(exchange, by=classes.by("remy", _at(starts_on)), now=_at(starts_on))
    silent = _people(exchange)[-1]
    _weeks(classes, exchange, starts_on, 4, rng, silent=frozenset([silent.code]), until=now)
    team = exchange.teams.order_by("number").first()
    left = _at(starts_on + timedelta(days=16))
    for each in [each for each in _people(exchange) if team and each.team_id == team.pk and each.code != silent.code][:2]:
        collaborations.leave(each, by=actor_of(each.person, left), now=left, because="")
    collaborations.rebalance(exchange, by=classes.by("pilar", left), now=left + timedelta(days=1), size=4, because="Two have left.")
    collaborations.note_contact(silent, by=classes.by("remy", left), now=now - timedelta(days=3), how="Wrote by mail; no answer yet.")
    _work(now - timedelta(days=2))


def _signing(classes: Classes, now: datetime) -> None:
    """Ximena has signed; Duarte’s signature is missing."""
    at, starts_on = now - timedelta(days=12), _monday(now.date() + timedelta(days=70))
    exchange = _matched(classes, "ximena", "duarte", at, title=LAW, starts_on=starts_on, isced_f="042")
    exchange = _plan(classes, exchange, "ximena", now - timedelta(days=3), title=LAW, starts_on=starts_on)
    _sign(classes, exchange, ("ximena",), now - timedelta(days=2))


def _looking(classes: Classes, now: datetime) -> None:
    """Who looks today: four wishes and a draft, an invitation that waits, and a network's fair with a proposal."""
    at, starts_on = now - timedelta(days=8), _monday(now.date() + timedelta(days=100))
    ines, liza, caio, remy = (
        _wish(classes, "ines", at, title=HEALTH, starts_on=starts_on, isced_f="091", class_size=24),
        _wish(classes, "liza", at, title=HEALTH, starts_on=starts_on + timedelta(weeks=1), isced_f="092", class_size=30, weeks_off=[(starts_on + timedelta(weeks=5)).isoformat()]),
        _wish(classes, "caio", at, title=DATA, starts_on=starts_on - timedelta(weeks=2), isced_f="061", languages=[SpokenRow(language="pt", level="native"), SpokenRow(language="es", level="B2"), SpokenRow(language="en", level="B1")], bandwidth="audio"),
        _wish(classes, "remy", at, title=DATA, starts_on=starts_on, isced_f="054", languages=[SpokenRow(language="fr", level="native"), SpokenRow(language="en", level="C1")], windows=[]),
    )  # fmt: skip
    _wish(classes, "pilar", at, title=LAW, starts_on=starts_on, isced_f="042", publish=False)
    collaborations.invite(liza, by=classes.by("liza", at), now=now - timedelta(days=2), partner=ines.pk, message="Our students run a clinic in a fishing village. Shall we compare?")
    network = classes.cast.organisations["puentes"]
    office = classes.cast.office("puentes", at)
    fair = collaborations.open_fair(network, by=office, now=at, title={"es": "Feria de parejas docentes", "pt-br": "Feira de parcerias docentes", "en": "Partner fair", "fr": "Foire aux partenaires"}, closes_at=now + timedelta(days=5))
    entries = [collaborations.join_fair(wish, by=classes.by(key, at), now=at, fair=fair.pk) for key, wish in (("ines", ines), ("liza", liza), ("caio", caio), ("remy", remy))]
    collaborations.rank(entries[2], by=classes.by("caio", at), now=at, choices=[remy.pk, ines.pk])
    collaborations.propose_pairs(fair, by=office, now=now - timedelta(days=1), seed="puentes")


def _event(classes: Classes, at: datetime, starts_at: datetime, **facts: Any) -> OnlineEvent:
    andina = classes.cast.organisations["andina"]
    event = events.announce_event(
        andina, by=classes.cast.office("andina", at), now=at,
        **{
            "description": HOPES, "starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=90), "zone": "America/Lima", "languages": ["es"], "captions": ["es", "pt-br"], "interpretation": ["en"],
            "access": "Diapositivas dos días antes; lengua de señas peruana. / Slides two days before; Peruvian sign language.", "bandwidth": "audio",
            "speakers": [Speaker(name="Pilar Rincón", affiliation="Universidad de los Cerros Orientales"), Speaker(name="Rémy Garnier", affiliation="Université des Trois Ponts")],
            "join_url": "https://jitsi.example/webinar", "dial_in": "+51 1 555 0122", **facts,
        },
    )  # fmt: skip
    return events.publish_event(event, by=classes.cast.office("andina", at), now=at)


def _held(classes: Classes, now: datetime, rng: random.Random) -> None:
    """A webinar three weeks ago, with who was there, what they said, and the recording."""
    starts_at = _at(now.date() - timedelta(days=21), 15)
    title = {"es": "Cómo empezar un intercambio virtual", "pt-br": "Como começar um intercâmbio virtual", "en": "How to begin a virtual exchange", "fr": "Commencer un échange virtuel"}
    event = _event(classes, starts_at - timedelta(days=20), starts_at, title=title, about_url="/handbook/teacher/", about_label="Manual / Handbook", subjects=["brief:lac"], is_recorded=True)
    people = [classes.cast.people["ana"], *(record.person for record in classes.cast.students["andina"][-6:])]
    places = [events.register(event, by=actor_of(person, starts_at), now=starts_at - timedelta(days=9)) for person in people]
    over = starts_at + timedelta(hours=2)
    event = events.take_attendance(event, by=classes.cast.office("andina", over), now=over, present=[PresentRow(registration=each.pk, was_there=n != 3) for n, each in enumerate(places)])
    for each in [each for n, each in enumerate(places) if n != 3]:
        events.give_feedback(Registration.objects.get(pk=each.pk), by=SYSTEM, now=over, useful=rng.choice(["4", "5"]), could_follow=rng.choice(["3", "4", "5"]), words="")
    events.add_recording(event, by=classes.cast.office("andina", over), now=over + timedelta(days=1), recording_url="https://video.example/como-empezar")
    _work(over)


def _coming(classes: Classes, now: datetime) -> None:
    """A fair in nine days with four places, all taken; two wait, one of them without an account."""
    starts_at = _at(now.date() + timedelta(days=9), 14)
    title = {"es": "Feria en línea de proyectos estudiantiles", "pt-br": "Feira on-line de projetos estudantis", "en": "Online fair of student projects", "fr": "Salon en ligne des projets étudiants"}
    at = now - timedelta(days=4)
    event = _event(classes, at, starts_at, title=title, kind="fair", languages=["es", "en"], capacity=4)
    people = [classes.cast.people["ana"], *(record.person for record in classes.cast.students["garoa"][-4:])]
    for number, person in enumerate(people):
        events.register(event, by=actor_of(person, at), now=at + timedelta(hours=number))
    guest = events.register_guest(event, by=SYSTEM, now=now - timedelta(hours=8), name="Marta Soler", email="marta@visitor.example", language="es", zone="Europe/Madrid")
    events.by_link(link_token(guest), "confirm", now=now - timedelta(hours=7))


def _at(day: date, hour: int = 15) -> datetime:
    return datetime.combine(day, time(hour), UTC)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _work(at: datetime) -> None:
    """Let the worker do what is due at that moment of the past."""
    with clock.stopped_at(at):
        drain()

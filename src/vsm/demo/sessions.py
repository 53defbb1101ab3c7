"""Three cities that meet each week: Lima, Lyon and Manila share the early and the late hours in turns."""

import random
from datetime import datetime, timedelta

from vsm.demo.cast import Cast
from vsm.exchange.people.models import Person
from vsm.exchange.people.queries import actor_of
from vsm.exchange.sessions import actions as sessions
from vsm.exchange.sessions.actions import MarkRow, MaterialRow, MeetingTime, lead, member
from vsm.exchange.sessions.finding import find, who_can
from vsm.exchange.sessions.models import Series
from vsm.exchange.sessions.queries import attending_at
from vsm.exchange.sessions.slots import Wish, meetings
from vsm.kit import clock
from vsm.kit.actors import SYSTEM
from vsm.kit.jobs import drain

TITLE = {
    "es": "Agua en tres ciudades", "pt-br": "Água em três cidades", "en": "Water in three cities", "fr": "L’eau dans trois villes",
}  # fmt: skip
AGENDA = "1. Greetings, and who is here by telephone (5 min)\n2. Each city shows its map of water, in text and pictures (45 min)\n3. What the three have in common: write it down together (30 min)\n4. Who does what until next week (10 min)"
EVENINGS = [f"{day}-{hour:02d}" for day in range(7) for hour in range(12, 22)]
WIDE = [f"{day}-{hour:02d}" for day in range(6) for hour in range(6, 22)]


def make_sessions(cast: Cast, now: datetime, rng: random.Random) -> Series:
    """Ten weeks, four of them over: hours told, the fairest turns found, meetings planned, one moved, attendance taken."""
    began = (now - timedelta(days=40)).replace(minute=0, second=0, microsecond=0)
    people = [cast.people["ana"], *(record.person for key in ("andina", "ponts", "bahia") for record in cast.students[key][1:4])]
    with clock.stopped_at(began):
        for number, person in enumerate(people):
            if number % 2 == 0:
                sessions.tell_availability(person, by=actor_of(person, began), now=began, hours=_hours(person))
        monday = (began + timedelta(days=12 - began.weekday())).date()
        wish = Wish(monday, monday + timedelta(weeks=10, days=-1), "Europe/Paris", minutes=90)
        teacher = cast.people["chloe"]
        answer = find(who_can([teacher, *people], wish), wish)
        slots = answer.rotation.slots if answer.rotation else (answer.fixed[0].slot,) * wish.weeks
        series = sessions.make_series(
            cast.organisations["ponts"], by=cast.actor("chloe", began), now=began, title=TITLE, zone=wish.zone, bandwidth="audio",
            meetings=[MeetingTime(day=wall.date(), starts=wall.time(), minutes=wish.minutes) for wall in meetings(wish, slots)],
            people=[lead(teacher)], join_url="https://meet.example/agua", dial_in="+33 4 55 50 01 00",
        )  # fmt: skip
        # Students of other institutions are let in by the hub, as an exchange between partners does it.
        sessions.add_participants(series, by=SYSTEM, now=began, people=[member(person) for person in people])
        drain()
    _past(cast, series, now, rng)
    _coming(cast, series, now)
    return series


def _hours(person: Person) -> list[str]:
    return {"Asia/Manila": EVENINGS, "America/Lima": WIDE}.get(person.zone, WIDE)


def _past(cast: Cast, series: Series, now: datetime, rng: random.Random) -> None:
    for session in series.sessions.filter(ends_at__lt=now).order_by("number"):
        at = session.ends_at
        marks = [MarkRow.model_validate({"enrolment": each.pk, "status": rng.choices(["present", "late", "absent"], [85, 8, 7])[0]}) for each, _mark in attending_at(session)]
        sessions.take_attendance(session, by=cast.actor("chloe", at), now=at, marks=marks)


def _coming(cast: Cast, series: Series, now: datetime) -> None:
    at = now - timedelta(days=1)
    following = series.sessions.filter(starts_at__gt=now + timedelta(hours=2)).order_by("number")[:2]
    for session in following[:1]:
        materials = [
            MaterialRow(title="Water atlas, text edition", url="https://atlas.example/water.txt", kilobytes=38),
            MaterialRow(title="Water atlas, with maps", url="https://atlas.example/water.pdf", kilobytes=2400),
        ]
        sessions.prepare(session, by=cast.actor("chloe", at), now=at, agenda=AGENDA, materials=materials)

"""What the demo institutions offer: seven courses each, with runs that are over, running and to come."""

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from vsm.demo.cast import Cast, read
from vsm.exchange.catalogue import actions as catalogue
from vsm.exchange.catalogue.actions import MeetingRow
from vsm.exchange.catalogue.models import Offering, Opportunity
from vsm.exchange.institutions.models import Organisation
from vsm.kit.actors import SYSTEM

COURSES_EACH = 7
CREDITS = {"peru": "4", "brazil": "4", "sct-chile": "6", "colombia": "3", "satca-mexico": "6", "ects": "6", "us-credit": "3", "ucts": "3"}
WORKLOAD = {"peru": "128", "brazil": "120", "sct-chile": "162", "colombia": "144", "satca-mexico": "96", "ects": "150", "us-credit": "135", "ucts": "129"}
CEFR = {"es": "B1", "pt-br": "B1", "fr": "B2", "en": "B2"}
WEEKS = 15
ASSESSMENT = {
    "es": "Trabajo en equipo 40 %, dos entregas 30 %, examen final en línea 30 %.",
    "pt-br": "Trabalho em equipe 40 %, duas entregas 30 %, exame final on-line 30 %.",
    "en": "Team work 40 %, two papers 30 %, final exam online 30 %.",
    "fr": "Travail en équipe 40 %, deux devoirs 30 %, examen final en ligne 30 %.",
}
ACCESSIBILITY = {
    "es": "Sesiones grabadas con subtítulos; materiales legibles con lector de pantalla.",
    "pt-br": "Sessões gravadas com legendas; materiais legíveis por leitor de tela.",
    "en": "Sessions recorded with captions; materials readable with a screen reader.",
    "fr": "Séances enregistrées et sous-titrées ; documents lisibles avec un lecteur d’écran.",
}
PREREQUISITES = {
    "es": "Primer año de la carrera aprobado.", "pt-br": "Primeiro ano do curso concluído.",
    "en": "First year of the degree passed.", "fr": "Première année validée.",
}  # fmt: skip


def make_offers(cast: Cast, now: datetime, rng: random.Random) -> dict[str, list[Offering]]:
    """Published offerings by stage: `past` (over), `running`, `next` (to come)."""
    today = now.date()
    stages = {"past": _monday(today - timedelta(days=190)), "running": _monday(today - timedelta(days=35)), "next": _monday(today + timedelta(days=84))}
    made: dict[str, list[Offering]] = {stage: [] for stage in stages}
    began = now - timedelta(days=395)
    universities = {key: o for key, o in cast.organisations.items() if o.kind == "university"}
    for position, (key, organisation) in enumerate(universities.items()):
        facts = next(facts for facts in read("institutions") if facts["key"] == key)
        for opportunity in _opportunities(organisation, facts, position, began):
            for stage, starts_on in stages.items():
                if stage == "next" or key in {"mapocho", "garoa", "ponts", "albufera"}:
                    made[stage].append(_offering(cast, organisation, opportunity, stage, starts_on, began, rng))
    return made


def _opportunities(organisation: Organisation, facts: dict[str, Any], position: int, began: datetime) -> Iterator[Opportunity]:
    courses = read("courses")
    for number in range(COURSES_EACH):
        course = courses[(position * 3 + number * 2 + number // 5) % len(courses)]
        language = facts["languages"][-1] if number in {2, 5} else facts["languages"][0]
        opportunity = catalogue.add_opportunity(
            organisation, by=SYSTEM, now=began, code=f"{course['code']}{101 + number}", title=course["title"], description=course["about"],
            learning_outcomes=course["about"], prerequisites=PREREQUISITES, assessment=ASSESSMENT, accessibility=ACCESSIBILITY,
            isced_f=course["isced_f"], level=course["level"], credits=Decimal(CREDITS[facts["credit_system"]]),
            credit_system=facts["credit_system"], workload_hours=Decimal(WORKLOAD[facts["credit_system"]]), language=language,
            cefr=CEFR[language],
        )  # fmt: skip
        yield catalogue.publish_opportunity(opportunity, by=SYSTEM, now=began)


def _offering(cast: Cast, organisation: Organisation, opportunity: Opportunity, stage: str, starts_on: date, began: datetime, rng: random.Random) -> Offering:
    hour = rng.choice([8, 9, 10, 14, 15, 16, 18])
    first = rng.randrange(5)
    mode = rng.choice(["synchronous", "mixed", "mixed", "asynchronous"])
    rows = [] if mode == "asynchronous" else [
        MeetingRow(weekday=weekday, starts=time(hour, 0), ends=time(hour + 1, 30)) for weekday in sorted({first, (first + 2) % 5})
    ]  # fmt: skip
    offering = catalogue.add_offering(
        opportunity, by=SYSTEM, now=began, code=f"{starts_on.year}-{stage}", starts_on=starts_on,
        ends_on=starts_on + timedelta(weeks=WEEKS, days=-3), seats=rng.choice([3, 4, 5, 6, 8]), mode=mode,
        bandwidth=rng.choice(["text", "audio", "video", "video"]), drop_by=starts_on + timedelta(days=21), withdraw_by=starts_on + timedelta(days=63),
        join_url=f"https://aula.{organisation.schac}/{opportunity.code.lower()}", meetings=rows,
    )  # fmt: skip
    if organisation.schac == cast.organisations["mapocho"].schac:
        offering = catalogue.assign_instructors(offering, by=SYSTEM, now=began, people=[cast.people["ines"].pk])
    return catalogue.publish_offering(offering, by=SYSTEM, now=began)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())

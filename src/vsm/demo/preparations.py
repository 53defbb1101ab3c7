"""The demo's preparation: students of Lima bound for Porto, seen before and after, with companions there and what home asks."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Literal

from vsm.demo.cast import Cast
from vsm.exchange.mobilities import actions as mobilities
from vsm.exchange.mobilities.models import Mobility
from vsm.exchange.people.models import Person
from vsm.exchange.people.queries import actor_of
from vsm.exchange.preparations import actions as preparations
from vsm.exchange.preparations.actions import AgreementRow, CanDoRow
from vsm.exchange.preparations.facts import meetings_of
from vsm.exchange.preparations.models import Pairing, Participation, Preparation
from vsm.exchange.sessions import actions as sessions
from vsm.exchange.sessions.actions import MarkRow
from vsm.exchange.sessions.models import Participant, Session
from vsm.exchange.sessions.queries import attending_at
from vsm.exchange.sessions.series import MeetingTime
from vsm.kit import clock
from vsm.kit.actors import SYSTEM
from vsm.kit.jobs import drain
from vsm.rulebook.instruments import instrument

HOME, HOST = "andina", "ria"
TRAVELLERS = 9
TITLE = {"es": "Rumbo a Porto", "pt-br": "Rumo ao Porto", "en": "Bound for Porto", "fr": "Cap sur Porto"}
ABOUT = {
    "es": "Ocho semanas en línea para quienes estudiarán en Porto: portugués de todos los días, vivir allí, y gente que ya pasó por eso.",
    "pt-br": "Oito semanas on-line para quem vai estudar no Porto: português do dia a dia, viver lá, e gente que já passou por isso.",
    "en": "Eight weeks online for those who will study in Porto: everyday Portuguese, living there, and people who have been through it.",
    "fr": "Huit semaines en ligne pour qui étudiera à Porto : portugais quotidien, vie sur place, et des gens passés par là.",
}
PAGES = (
    ({"es": "Cómo encontrar dónde vivir", "pt-br": "Como encontrar onde morar", "en": "Finding a place to live", "fr": "Trouver où se loger"},
     {"es": "Busca antes de viajar. Pide un contrato por escrito, no pagues antes de ver el cuarto y pregunta a tu acompañante por el barrio.",
      "pt-br": "Procure antes de viajar. Peça contrato por escrito, não pague antes de ver o quarto e pergunte à sua acompanhante sobre o bairro.",
      "en": "Look before you travel. Ask for a written contract, pay nothing before you have seen the room, and ask your companion about the quarter.",
      "fr": "Cherchez avant le départ. Demandez un contrat écrit, ne payez rien avant d’avoir vu la chambre, et interrogez votre accompagnateur sur le quartier."}),
    ({"es": "Clases y exámenes en Portugal", "pt-br": "Aulas e exames em Portugal", "en": "Classes and exams in Portugal", "fr": "Cours et examens au Portugal"},
     {"es": "Las notas van de 0 a 20 y se aprueba con 10. Hay evaluación continua y un examen final; quien falla puede repetirlo en una segunda época.",
      "pt-br": "As notas vão de 0 a 20 e passa-se com 10. Há avaliação contínua e um exame final; quem reprova pode repeti-lo na segunda época.",
      "en": "Grades run from 0 to 20, and 10 passes. There is continuous assessment and a final exam; who fails can sit it again in a second period.",
      "fr": "Les notes vont de 0 à 20, et 10 suffit. Il y a un contrôle continu et un examen final ; en cas d’échec, une seconde session existe."}),
)  # fmt: skip


def make_preparations(cast: Cast, now: datetime, rng: Random) -> Preparation:
    """A cohort after its second assessment: three have completed, the others have a module or a meeting to go."""
    began = now - timedelta(days=50)
    preparation = _preparation(cast, began)
    stays = [_stay(cast, record.person, now) for record in cast.students[HOME][1 : TRAVELLERS + 1]]
    companions = _companions(cast, began)
    joined = [_join(preparation, stay, began + timedelta(days=1, hours=number), wants_companion=number < 4) for number, stay in enumerate(stays)]
    _assess_all(joined, began + timedelta(days=2), rng, gain=0)
    preparations.pair(Preparation.objects.get(pk=preparation.pk), by=cast.office(HOME, began), now=began + timedelta(days=3))
    _agree(began + timedelta(days=4), companions)
    _require(cast, preparation, stays, began + timedelta(days=3))
    _meet(preparation, joined[:6], began + timedelta(days=16))
    _modules(preparation, joined, began + timedelta(days=20))
    _assess_all(joined, now - timedelta(days=4), rng, gain=1)
    for participation in joined[:3]:
        preparations.complete(Participation.objects.get(pk=participation.pk), by=actor_of(participation.student, now - timedelta(days=3)), now=now - timedelta(days=3))
    with clock.stopped_at(now - timedelta(days=2)):
        drain()
    return preparation


def _preparation(cast: Cast, at: datetime) -> Preparation:
    by = cast.office(HOME, at)
    preparation = preparations.offer_preparation(
        cast.organisations[HOME], by=by, now=at, code="PORTO", title=TITLE, about=ABOUT, host=cast.organisations[HOST].pk, language="pt-br",
        starts_on=at.date(), ends_on=at.date() + timedelta(days=70), instruments=["language", "confidence"], meetings_needed=1, hours=Decimal(24),
    )  # fmt: skip
    for title, body in PAGES:
        preparations.add_module(preparation, by=by, now=at, kind="page", title=title, minutes=20, body=body)
    preparations.add_module(
        preparation, by=by, now=at, kind="link", title={"es": "Portugués para empezar", "pt-br": "Português para começar", "en": "First Portuguese", "fr": "Premiers pas en portugais"},
        minutes=240, url="https://aula.ria.example/portugues", kilobytes=850, required=False,
    )  # fmt: skip
    meetings = [MeetingTime(day=at.date() + timedelta(days=each), starts=time(18)) for each in (14, 35, 56)]
    preparation = preparations.plan_meetings(preparation, by=by, now=at, meetings=meetings, join_url="https://aula.ria.example/porto", dial_in="+351 220 000 000")
    return preparations.open_preparation(preparation, by=by, now=at)


def _stay(cast: Cast, student: Person, now: datetime) -> Mobility:
    at = now - timedelta(days=60)
    return mobilities.record_mobility(
        cast.organisations[HOME], by=cast.office(HOME, at), now=at, student=student.email, host=cast.organisations[HOST].pk, city="Porto",
        starts_on=now.date() + timedelta(days=68), ends_on=now.date() + timedelta(days=215), nationalities=["PE"],
    )  # fmt: skip


def _companions(cast: Cast, at: datetime) -> list[Person]:
    people = [record.person for record in cast.students[HOST][2:4]]
    for person, kind in zip(people, ("peer", "alumni"), strict=True):
        offered = preparations.accompany(
            cast.organisations[HOST], by=actor_of(person, at), now=at, kind=kind, languages=["pt-br", "es"], consents=True, places=2,
            about="Estudo aqui e conheço os bairros; escreva quando quiser.",
        )  # fmt: skip
        preparations.accept_companion(offered, by=cast.office(HOST, at), now=at)
    return people


def _join(preparation: Preparation, stay: Mobility, at: datetime, *, wants_companion: bool) -> Participation:
    return preparations.join(preparation, by=actor_of(stay.student, at), now=at, mobility=stay.pk, wants_companion=wants_companion)


def _assess_all(joined: list[Participation], at: datetime, rng: Random, *, gain: int) -> None:
    """The same people twice; the language moves, confidence does not for sure."""
    for number, held in enumerate(joined):
        participation, by = Participation.objects.get(pk=held.pk), actor_of(held.student, at)
        reached = 1 + number % 2 + gain * (number % 4 > 0)
        told = instrument("language")
        answers = [
            CanDoRow(item=f"{scale.slug}.{item.slug}", answer="yes" if place < reached else "partly" if place == reached else "no")
            for scale in told.scales for place, item in enumerate(scale.items)
        ]  # fmt: skip
        preparations.assess_language(participation, by=by, now=at, answers=answers)
        rows = [AgreementRow(item=key, answer=str(min(5, max(1, 2 + (number + place) % 3 + rng.choice([-1, 0, 0, 1]))))) for place, (key, _item) in enumerate(instrument("confidence").items)]
        preparations.assess_confidence(participation, by=by, now=at, answers=rows)


def _agree(at: datetime, companions: list[Person]) -> None:
    for pairing in Pairing.objects.filter(companion__person__in=companions).select_related("participation__student", "companion__person").order_by("pk")[:2]:
        preparations.agree(pairing, by=actor_of(pairing.companion.person, at), now=at)
        preparations.agree(Pairing.objects.get(pk=pairing.pk), by=actor_of(pairing.participation.student, at), now=at + timedelta(hours=2))


def _require(cast: Cast, preparation: Preparation, stays: list[Mobility], at: datetime) -> None:
    by, due = cast.office(HOME, at), stays[0].starts_on - timedelta(days=14)
    kinds: tuple[Literal["condition", "advice"], ...] = ("condition", "condition", "advice")
    asked = [
        preparations.require_preparation(stay, by=by, now=at, preparation=preparation.pk, kind=kind, due_on=due, because="Quien llega sin preparar pierde las primeras semanas.")
        for stay, kind in zip((stays[0], stays[4], stays[5]), kinds, strict=True)
    ]  # fmt: skip
    preparations.waive(asked[1], by=by, now=at, answer="Vivió dos años en Braga: no la necesita.")


def _meet(preparation: Preparation, there: list[Participation], at: datetime) -> None:
    session: Session = meetings_of(preparation).order_by("starts_at").first()
    names = {each.student_id for each in there}
    marks = [MarkRow(enrolment=who.pk, status="present" if who.person_id in names else "absent") for who, _mark in attending_at(session) if isinstance(who, Participant)]
    sessions.take_attendance(session, by=SYSTEM, now=at, marks=marks)


def _modules(preparation: Preparation, joined: list[Participation], at: datetime) -> None:
    pages = list(preparation.modules.filter(required=True))
    for number, held in enumerate(joined):
        for module in pages[: 2 if number < 4 else number % 3]:
            preparations.finish_module(Participation.objects.get(pk=held.pk), by=actor_of(held.student, at), now=at, module=module.pk)

"""The demo's physical mobilities, a flood that is over (declared, switched, lifted after forty days), a drill under way, and what institutions say."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from vsm.demo.cast import Cast
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.emergencies import actions as emergencies
from vsm.exchange.emergencies import answering
from vsm.exchange.emergencies.actions import PlaceRow
from vsm.exchange.emergencies.models import Case, Emergency
from vsm.exchange.emergencies.texts import amended_of
from vsm.exchange.learning_agreements import actions as learning_agreements
from vsm.exchange.mobilities import actions as mobilities
from vsm.exchange.mobilities.actions import CourseRow
from vsm.exchange.mobilities.models import Mobility
from vsm.exchange.mobilities.queries import agreement_of
from vsm.exchange.people.queries import actor_of
from vsm.kit import clock
from vsm.kit.jobs import drain

HOST = "albufera"
FLOOD = {
    "es": "Inundación en la ciudad", "pt-br": "Inundação na cidade", "en": "Flood in the city", "fr": "Inondation dans la ville",
}  # fmt: skip
DRILL = {
    "es": "Simulacro: terremoto", "pt-br": "Simulado: terremoto", "en": "Drill: earthquake", "fr": "Exercice : tremblement de terre",
}  # fmt: skip
SAFETY = {
    "es": "Quédate en un piso alto. Emergencias: 112. No cruces calles inundadas.",
    "pt-br": "Fique em um andar alto. Emergências: 112. Não atravesse ruas alagadas.",
    "en": "Stay on a high floor. Emergencies: 112. Do not cross flooded streets.",
    "fr": "Restez à un étage élevé. Urgences : 112. Ne traversez pas de rues inondées.",
}
NOTES = {
    "es": "Clases presenciales con normalidad.", "pt-br": "Aulas presenciais normais.", "en": "Classes in person as usual.", "fr": "Cours en présentiel comme d’habitude.",
}  # fmt: skip
DAYS_CLOSED = 40
Said = tuple[str, Literal["yes", "limited", "no"], Literal["all", "some", "none"], int]
STANDINGS: tuple[Said, ...] = (("andina", "yes", "some", 60), ("mapocho", "yes", "all", 45), ("albufera", "limited", "all", 20), ("bahia", "no", "some", 12))


def make_emergencies(cast: Cast, offerings: dict[str, list[Offering]], now: datetime, seed: int) -> None:
    """Stays in person at one host, in the last term and in this one; what happened to them and what is rehearsed."""
    rng = random.Random(seed)
    before = _stays(cast, offerings["past"], ("andina", "cerros"), 2, now - timedelta(days=200), rng)
    _flood(cast, before, now - timedelta(days=165))
    running = _stays(cast, offerings["running"], ("andina", "ponts"), 3, now - timedelta(days=50), rng)
    for mobility in running[:-1]:
        mobilities.arrive(mobility, by=actor_of(mobility.student, now), now=now - timedelta(days=34))
    _drill(cast, now - timedelta(days=2))
    for key, admits, online, days in STANDINGS:
        at = now - timedelta(days=days)
        emergencies.say_standing(cast.organisations[key], by=cast.office(key, at), now=at, admits=admits, online=online, since=at.date(), note=NOTES if admits == "yes" else {})


def _stays(cast: Cast, offerings: Sequence[Offering], homes: Sequence[str], each: int, at: datetime, rng: random.Random) -> list[Mobility]:
    """Students of these homes in two courses each that the host also runs online; their agreements are signed by all three."""
    host = cast.organisations[HOST]
    runs = [o for o in offerings if o.opportunity.organisation_id == host.pk]
    starts_on, ends_on = min(o.starts_on for o in runs), max(o.ends_on for o in runs)
    made = []
    for home in homes:
        for record in cast.students[home][-each:]:
            rows = [_course(o) for o in rng.sample(runs, 2)]
            mobility = mobilities.record_mobility(
                cast.organisations[home], by=cast.office(home, at), now=at, student=record.student_number, host=host.pk, starts_on=starts_on, ends_on=ends_on,
                nationalities=[cast.organisations[home].country], phone="+34 600 000 000", contact_name="Casa", contact_phone="+51 1 555 0100", courses=rows,
            )  # fmt: skip
            _sign(cast, home, mobility, at + timedelta(days=2))
            made.append(mobility)
    return made


def _course(offering: Offering) -> CourseRow:
    course = offering.opportunity
    title = course.title.get(course.language) or next(iter(course.title.values()))
    return CourseRow(
        code=course.code, title=title, credits=course.credits, credit_system=course.credit_system, language=course.language, home_code="OPT-INT",
        home_title=f"Optativa: {title}"[:200], home_credits=Decimal(4),
    )  # fmt: skip


def _sign(cast: Cast, home: str, mobility: Mobility, at: datetime) -> None:
    agreement = agreement_of(mobility)
    if agreement is None:
        return
    agreement = learning_agreements.present(agreement, by=cast.office(home, at), now=at)
    version = agreement.versions.get(number=agreement.current)
    for by in (actor_of(mobility.student, at), cast.office(home, at), cast.office(HOST, at)):
        agreement = learning_agreements.sign(agreement, by=by, now=at, digest=version.digest)


def _flood(cast: Cast, stays: Sequence[Mobility], at: datetime) -> None:
    """The operator declares; all but one agree, one stays; back after forty days, one finishes online."""
    operator = cast.actor("olga", at)
    host = cast.organisations[HOST]
    emergency = emergencies.declare_emergency_for_all(
        cast.hub, by=operator, now=at, title=FLOOD, kind="disaster", places=[PlaceRow(country=host.country, region=host.city)], directions=["being", "entering"],
        starts_on=at.date(), safety=SAFETY, evidence=["https://www.aemet.es/"],
    )  # fmt: skip
    emergencies.declare(emergency, by=operator, now=at)
    _work(at)
    for home in sorted({key for key, o in cast.organisations.items() if any(stay.home_id == o.pk for stay in stays)}):
        emergencies.propose(_fresh(emergency), by=cast.office(home, at), now=at + timedelta(days=1))
    _work(at + timedelta(days=1))
    for number, case in enumerate(_cases(emergency)):
        _answer(case, number, at + timedelta(days=2, hours=number))
    emergencies.carry_out(_fresh(emergency), by=operator, now=at + timedelta(days=3))
    _work(at + timedelta(days=3))
    emergencies.countersign(_fresh(emergency), by=cast.office(HOST, at), now=at + timedelta(days=4))
    _work(at + timedelta(days=4))
    over = at + timedelta(days=DAYS_CLOSED)
    emergencies.lift(_fresh(emergency), by=operator, now=over, on=over.date(), return_on=over.date() + timedelta(days=7), because="The university is dry and open.")
    _work(over)
    online = next(case for case in _cases(emergency) if case.state == "switched")
    answering.finish_online(online, by=actor_of(online.student, over), now=over + timedelta(days=1))
    emergencies.bring_back(_fresh(emergency), by=operator, now=over + timedelta(days=6))
    _work(over + timedelta(days=6))


def _answer(case: Case, number: int, at: datetime) -> None:
    by = actor_of(case.student, at)
    answering.check_in(case, by=by, now=at, answer="safe", message="")
    case = _fresh_case(case)
    text = amended_of(case)
    if number == 0:
        answering.stay(case, by=by, now=at, have_read=True, because="My hall is on the hill and dry.")
    elif text:
        answering.accept(case, by=by, now=at, digest=text.digest)


def _drill(cast: Cast, at: datetime) -> None:
    """Andina rehearses: found, proposed, answered by the drill itself, and half carried out. Nobody outside hears of it."""
    office = cast.office("andina", at)
    emergency = emergencies.declare_emergency(
        cast.organisations["andina"], by=office, now=at, title=DRILL, kind="disaster", places=[PlaceRow(country=cast.organisations[HOST].country)],
        directions=["being"], starts_on=at.date(), ends_on=at.date() + timedelta(days=30), safety=SAFETY, is_drill=True,
    )  # fmt: skip
    emergencies.declare(emergency, by=office, now=at)
    _work(at)
    emergencies.propose(_fresh(emergency), by=office, now=at + timedelta(hours=1))
    _work(at + timedelta(hours=1))
    emergencies.let_answer(_fresh(emergency), by=office, now=at + timedelta(hours=2), seed=3)


def _fresh(emergency: Emergency) -> Emergency:
    return Emergency.objects.get(pk=emergency.pk)


def _fresh_case(case: Case) -> Case:
    found: Case = Case.objects.select_related("student", "home", "host", "emergency").get(pk=case.pk)
    return found


def _cases(emergency: Emergency) -> list[Case]:
    return list(Case.objects.filter(emergency=emergency).select_related("student", "home", "host", "emergency").order_by("student__email"))


def _work(at: datetime) -> None:
    with clock.stopped_at(at):
        drain()

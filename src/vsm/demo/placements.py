"""The demo's placements: a vetted company in Montevideo, one being vetted, one that asks to be; vacancies, a running placement, a finished one."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from vsm.demo.cast import Cast, Part
from vsm.exchange.institutions import actions as institutions
from vsm.exchange.people.models import Person, StudentRecord
from vsm.exchange.people.queries import actor_of
from vsm.exchange.people.rules import Role
from vsm.exchange.placements.actions import (
    agreeing,
    certifying,
    evaluating,
    hosts,
    hours,
    links,
    running,
    safeguarding,
    selecting,
    vacancies,
)
from vsm.exchange.placements.actions.evaluating import Answer
from vsm.exchange.placements.actions.hours import WorkRow
from vsm.exchange.placements.actions.selecting import SlotRow
from vsm.exchange.placements.models import Host, HoursEntry, Placement, PlacementApplication, Vacancy
from vsm.kit import clock
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.jobs import drain
from vsm.rulebook.placements import criteria, instrument

PARTS = (
    Part("elena", "Elena Píriz", "litoral", (Role.COORDINATOR,), "es", "America/Montevideo", "has the office of a host company in Montevideo"),
    Part("mario", "Mario Etcheverry", "litoral", (Role.INSTRUCTOR,), "es", "America/Montevideo", "mentor at that company"),
)
TITLES = {
    "data": {"es": "Datos de salud pública", "pt-br": "Dados de saúde pública", "en": "Public health data", "fr": "Données de santé publique"},
    "web": {"es": "Sitios web accesibles", "pt-br": "Sites acessíveis", "en": "Accessible websites", "fr": "Sites web accessibles"},
    "river": {"es": "Indicadores de la cuenca del río", "pt-br": "Indicadores da bacia do rio", "en": "Indicators of the river basin", "fr": "Indicateurs du bassin fluvial"},
}
TASKS = {
    "es": "Semanas 1 y 2: leer el libro de códigos y limpiar una encuesta. Semanas 3 a 8: tablas y gráficos. Semanas 9 a 12: un informe breve que presentarás al equipo.",
    "pt-br": "Semanas 1 e 2: ler o livro de códigos e limpar uma pesquisa. Semanas 3 a 8: tabelas e gráficos. Semanas 9 a 12: um relatório breve que você apresentará à equipe.",
    "en": "Weeks 1 and 2: read the code book and clean one survey. Weeks 3 to 8: tables and charts. Weeks 9 to 12: a short report that you present to the team.",
    "fr": "Semaines 1 et 2 : lire le livre de codes et nettoyer une enquête. Semaines 3 à 8 : tableaux et graphiques. Semaines 9 à 12 : un bref rapport présenté à l’équipe.",
}
OUTCOMES = {
    "es": "Prepara datos con un método que otros pueden repetir, y los explica a quien no es especialista.",
    "pt-br": "Prepara dados com um método que outros podem repetir, e os explica a quem não é especialista.",
    "en": "Prepares data by a method that others can repeat, and explains them to people who are no specialists.",
    "fr": "Prépare des données par une méthode que d’autres peuvent répéter, et les explique à des non-spécialistes.",
}
TERMS = {
    "insurance": "La universidad de origen asegura accidentes y responsabilidad civil. Un accidente se avisa el mismo día a la tutora y al mentor.",
    "data_and_ip": "Lo que la estudiante produce es de la empresa; puede mostrarlo en su portafolio sin datos de personas. No se guardan datos personales en equipos propios.",
    "confidentiality": "Los datos de las encuestas no salen de los servidores de la empresa, tampoco después del final.",
    "complaints": "Primero el mentor o la tutora; en confianza, siempre, la responsable de protección de la universidad de origen, que contesta en dos días.",
    "equipment": "La empresa presta acceso remoto; basta una computadora con navegador y una conexión de 2 Mbit/s.",
}
WORK = ("Limpieza de la encuesta", "Tablas por departamento", "Gráficos para el informe", "Revisión con el equipo", "Texto del informe")


@dataclass
class Placed:
    """What was made, by key."""

    hosts: dict[str, Host] = field(default_factory=dict)
    vacancies: dict[str, Vacancy] = field(default_factory=dict)
    placements: dict[str, Placement] = field(default_factory=dict)


def make_placements(cast: Cast, now: datetime) -> Placed:
    """A little story at every stage, by the actions that people use."""
    made = Placed()
    safeguarding.name_officer(cast.organisations["andina"], by=cast.actor("bia", now), now=now - timedelta(days=300), person=cast.people["rosa"].pk, deputy=cast.people["bia"].pk, phone="+51 1 555 0142")
    _hosts(cast, made, now)
    others = [record for record in cast.students["andina"] if record.person_id != cast.people["ana"].pk]
    _finished(cast, made, others[0], now)
    _running(cast, made, now)
    _signing(cast, made, others[1], now)
    _open(cast, made, others[2:5], now)
    with clock.stopped_at(now - timedelta(hours=1)):
        drain()
    return made


def _hosts(cast: Cast, made: Placed, now: datetime) -> None:
    network, at = cast.office("puentes", now), now - timedelta(days=240)
    puentes = cast.organisations["puentes"]
    litoral = hosts.invite_host(
        puentes, by=network, now=at, name="Datos del Litoral", country="UY", zone="America/Montevideo", city="Montevideo", registration="RUT 21 700400 0018",
        website="https://litoral.example", founded=2011, employees=34, contact_name="Elena Píriz", contact_email="elena@litoral.example",
        purpose="Encuestas y datos abiertos para la salud pública. Los estudiantes limpian, grafican y explican datos, con un mentor cada dos.",
    )  # fmt: skip
    for each in criteria():
        litoral = hosts.check(
            litoral, by=network, now=at + timedelta(days=6), criterion=each.slug, outcome="met", evidence=f"Visto en videollamada y en papel: {each.name['es'].lower()}.",
            expires_on=(now + timedelta(days=300)).date() if each.expires else None,
        )  # fmt: skip
    made.hosts["litoral"] = hosts.vet(litoral, by=network, now=at + timedelta(days=7))
    cast.organisations["litoral"] = made.hosts["litoral"].organisation  # type: ignore[assignment]  # -- a vetted host is an organisation
    for part in PARTS:
        person = Person(email=f"{part.key}@litoral.example", name=part.name, language=part.language, zone=part.zone, password=cast.people["ana"].password)
        person.save()
        cast.people[part.key] = person
        for role in part.roles:
            institutions.give_role(cast.organisations["litoral"], by=SYSTEM, now=at + timedelta(days=8), email=person.email, role=role)
    brujula = hosts.invite_host(
        puentes, by=network, now=now - timedelta(days=9), name="Estudio Brújula", country="AR", zone="America/Argentina/Buenos_Aires", city="Rosario", founded=2022,
        employees=6, contact_name="Julia Ferro", contact_email="julia@brujula.example", website="https://brujula.example",
        purpose="Sitios web accesibles para cooperativas. Los estudiantes prueban páginas con lectores de pantalla y las corrigen.",
    )  # fmt: skip
    looks = (("identity", "met", 200), ("purpose", "met", 0), ("insurance", "missing", 0), ("safeguarding", "not-met", 0))
    for criterion, outcome, days in looks:
        brujula = hosts.check(brujula, by=network, now=now - timedelta(days=4), criterion=criterion, outcome=outcome, evidence="Revisado con la empresa.", expires_on=(now + timedelta(days=days)).date() if days else None)
    made.hosts["brujula"] = brujula
    applied = hosts.apply_as_host(
        puentes, by=SYSTEM, now=now - timedelta(days=2), name="Cuenca Viva", country="PY", zone="America/Asuncion", city="Encarnación", contact_name="Rocío Benítez",
        contact_email="rocio@cuenca.example", purpose="Una asociación que mide la calidad del agua; los estudiantes preparan indicadores.", founded=2016, employees=11,
    )  # fmt: skip
    made.hosts["cuenca"] = hosts.confirm(applied, by=SYSTEM, now=now - timedelta(days=2) + timedelta(hours=1))


def _vacancy(cast: Cast, made: Placed, key: str, at: datetime, starts_on: date, *, weeks: int, apply_by: datetime, places: int, pay: str = "") -> Vacancy:
    elena = cast.actor("elena", at)
    vacancy = vacancies.add_vacancy(
        made.hosts["litoral"], by=elena, now=at, code=f"{key.upper()}-{starts_on:%y%m}", title=TITLES[key.partition("-")[0]], tasks=TASKS, learning_outcomes=OUTCOMES, hours_per_week=Decimal(20),
        starts_on=starts_on, ends_on=starts_on + timedelta(weeks=weeks, days=-3), places=places, apply_by=apply_by, language="es", cefr="B1", isced_f="0542",
        supervisor_name="Mario Etcheverry", supervisor_email="mario@litoral.example", core_from=time(10), core_to=time(14), equipment=TERMS["equipment"],
        pay_period="month" if pay else "none", pay=Decimal(pay) if pay else None, currency="UYU" if pay else "", bandwidth="audio",
        accessibility={"es": "Reuniones con subtítulos; horario flexible fuera de las horas comunes.", "en": "Meetings with captions; flexible hours outside of the core hours."},
    )  # fmt: skip
    made.vacancies[key] = vacancies.publish(vacancy, by=elena, now=at)
    return made.vacancies[key]


def _submitted(record: StudentRecord, vacancy: Vacancy, at: datetime) -> PlacementApplication:
    by = actor_of(record.person, at)
    application = selecting.apply(vacancy, by=by, now=at)
    application = selecting.edit_application(application, by=by, now=at, motivation="Quiero trabajar con datos que sirvan a la salud pública, y aprender a explicarlos.", needs="")
    return selecting.submit(application, by=by, now=at + timedelta(hours=1))


def _accepted(cast: Cast, vacancy: Vacancy, record: StudentRecord, at: datetime) -> Placement:
    """From the application to the accepted place, its agreement drafted and presented."""
    elena, apply_by = cast.actor("elena", at), vacancy.apply_by
    application = selecting.shortlist(_submitted(record, vacancy, at), by=elena, now=at + timedelta(days=1))
    vacancy = selecting.rank(vacancy, by=elena, now=apply_by, ranking=[application.pk])
    selecting.make_offers(vacancy, by=elena, now=apply_by + timedelta(hours=1))
    application = selecting.accept(application, by=actor_of(record.person, at), now=apply_by + timedelta(hours=20))
    placement = Placement.objects.get(application=application)
    bia, then = cast.actor("bia", at), apply_by + timedelta(days=2)
    text: dict[str, Any] = {name: TASKS["es"] if name == "tasks" else OUTCOMES["es"] for name in ("tasks", "outcomes")}
    agreement = agreeing.draft_version(
        placement.agreement, by=bia, now=then, **text, **TERMS, hours_per_week=Decimal(20), starts_on=placement.starts_on, ends_on=placement.ends_on,
        mentor_name="Mario Etcheverry", mentor_email="mario@litoral.example", tutor=cast.people["bia"].pk, core_hours="10:00–14:00", language="es",
        pay_period=vacancy.pay_period, pay=vacancy.pay, currency=vacancy.currency,  # type: ignore[arg-type]  # -- one of the four periods
        because="Acordado con la estudiante y la empresa.",
    )  # fmt: skip
    agreeing.present(agreement, by=bia, now=then)
    return placement


def _begun(cast: Cast, placement: Placement, record: StudentRecord, at: datetime, started: datetime) -> Placement:
    """Signed by all three, insured, started."""
    for by in (actor_of(record.person, at), cast.actor("bia", at), cast.actor("elena", at)):
        placement.agreement.refresh_from_db()
        version = placement.agreement.current_version
        if version is not None:
            agreeing.sign(placement.agreement, by=by, now=at, digest=version.digest)
    placement = running.record_insurance(
        placement, by=cast.actor("bia", at), now=at + timedelta(hours=1), insurer="Seguros Andinos", policy=f"RC-{placement.starts_on:%Y%m}", insured_from=placement.starts_on,
        insured_until=placement.ends_on + timedelta(days=14),
    )  # fmt: skip
    return running.start(placement, by=cast.actor("mario", started), now=started)


def _work(cast: Cast, placement: Placement, record: StudentRecord, first: date, *, weeks: tuple[int, ...], unanswered: int = 0) -> None:
    """Four days a week are written down, some weeks at a time; the mentor confirms all but the last `unanswered`."""
    student, mario, week = actor_of(record.person, clock.now()), cast.actor("mario", clock.now()), 0
    for turn, span in enumerate(weeks, start=1):
        days = [(number, first + timedelta(weeks=week + number // 4, days=number % 4)) for number in range(4 * span)]
        at, week = _noon(days[-1][1] + timedelta(days=1)), week + span
        hours.log_hours(placement, by=student, now=at, rows=[WorkRow(day=day, hours=Decimal("4.5"), what=WORK[number % len(WORK)]) for number, day in days])
        if turn <= len(weeks) - unanswered:
            entries = HoursEntry.objects.filter(placement=placement, state="logged").values_list("pk", flat=True)
            hours.confirm_hours(placement, by=mario, now=at + timedelta(days=2), entries=list(entries))


def _evaluate(placement: Placement, by: Actor, side: str, occasion: Any, at: datetime, comment: str) -> None:
    rows = [Answer(criterion=each.slug, score="5" if number % 3 else "4") for number, each in enumerate(instrument(at.date()).asked_of(side))]
    evaluating.evaluate(placement, by=by, now=at, occasion=occasion, answers=rows, comment=comment)


def _finished(cast: Cast, made: Placed, record: StudentRecord, now: datetime) -> None:
    """Over a month ago: certified, and recognised at home. A concern on the way was heard and closed."""
    first = _monday(now.date() - timedelta(days=110))
    vacancy = _vacancy(cast, made, "river", _noon(first - timedelta(days=50)), first, weeks=8, apply_by=_noon(first - timedelta(days=25)), places=1)
    placement = _accepted(cast, vacancy, record, _noon(first - timedelta(days=40)))
    placement = _begun(cast, placement, record, _noon(first - timedelta(days=10)), _noon(first))
    student, mario, bia = actor_of(record.person, now), cast.actor("mario", now), cast.actor("bia", now)
    _work(cast, placement, record, first, weeks=(4, 3, 1))
    middle, end = _noon(first + timedelta(days=28)), _noon(placement.ends_on + timedelta(days=3))
    concern = safeguarding.raise_concern(placement, by=student, now=middle, kind="hours", text="Me piden responder mensajes de noche.")
    rosa = cast.actor("rosa", now)
    concern = safeguarding.acknowledge(concern, by=rosa, now=middle + timedelta(hours=5), text="Gracias por contarlo. Hablo hoy con la empresa sobre las horas comunes.")
    safeguarding.close(concern, by=rosa, now=middle + timedelta(days=4), outcome="La empresa ya no escribe fuera de las horas acordadas.")
    for occasion, at in (("mid", middle), ("final", end)):
        _evaluate(placement, student, "student", occasion, at, "Aprendo mucho; el equipo responde rápido.")
        _evaluate(placement, mario, "host", occasion, at + timedelta(hours=2), "Trabajo cuidadoso, y explica bien lo que hace.")
    placement = running.complete(placement, by=mario, now=end + timedelta(days=1))
    placement = certifying.certify_placement(placement, by=mario, now=end + timedelta(days=1))
    certifying.decide_credits(
        placement, by=bia, now=end + timedelta(days=4), decision="recognised", because="Corresponde a las prácticas preprofesionales del plan.", credits=certifying.proposal_for(placement, end).value,
        home_code="PRA-401", home_title="Prácticas preprofesionales",
    )  # fmt: skip
    made.placements["finished"] = placement


def _running(cast: Cast, made: Placed, now: datetime) -> None:
    """Ana's, in its seventh week: the last hours wait for the mentor, and one day was returned."""
    record = StudentRecord.objects.get(person=cast.people["ana"])
    first = _monday(now.date() - timedelta(days=46))
    vacancy = _vacancy(cast, made, "data", _noon(first - timedelta(days=50)), first, weeks=12, apply_by=_noon(first - timedelta(days=25)), places=1, pay="12000")
    placement = _accepted(cast, vacancy, record, _noon(first - timedelta(days=40)))
    placement = _begun(cast, placement, record, _noon(first - timedelta(days=8)), _noon(first))
    _work(cast, placement, record, first, weeks=(3, 2, 1), unanswered=1)
    returned = HoursEntry.objects.filter(placement=placement, state="logged").order_by("day").first()
    if returned is not None:
        hours.return_entry(returned, by=cast.actor("mario", now), now=now - timedelta(hours=5), because="Ese día tuvimos feriado: ¿fue el siguiente?")
    _evaluate(placement, cast.actor("mario", now), "host", "mid", now - timedelta(hours=4), "Va muy bien.")
    made.placements["running"] = placement


def _signing(cast: Cast, made: Placed, record: StudentRecord, now: datetime) -> None:
    """The agreement waits for the host, which was sent a link."""
    first = _monday(now.date() + timedelta(days=21))
    vacancy = _vacancy(cast, made, "data-next", now - timedelta(days=30), first, weeks=10, apply_by=now - timedelta(days=6), places=1)
    placement = _accepted(cast, vacancy, record, now - timedelta(days=20))
    version = placement.agreement.current_version
    placement.agreement.refresh_from_db()
    version = placement.agreement.current_version
    if version is not None:
        agreeing.sign(placement.agreement, by=actor_of(record.person, now), now=now - timedelta(days=2), digest=version.digest)
    links.send_link(placement.agreement, by=cast.actor("bia", now), now=now - timedelta(days=1), name="Elena Píriz", email="elena@litoral.example")
    made.placements["signing"] = placement


def _open(cast: Cast, made: Placed, records: list[StudentRecord], now: datetime) -> None:
    """A vacancy that takes applications, with interview slots that Ana can choose from."""
    first = _monday(now.date() + timedelta(days=60))
    vacancy = _vacancy(cast, made, "web", now - timedelta(days=12), first, weeks=12, apply_by=now + timedelta(days=20), places=2, pay="9500")
    elena = cast.actor("elena", now)
    ana = StudentRecord.objects.get(person=cast.people["ana"])
    sent = [_submitted(record, vacancy, now - timedelta(days=8)) for record in (ana, *records)]
    for application in sent[:3]:
        selecting.shortlist(application, by=elena, now=now - timedelta(days=3))
    selecting.not_select(sent[3], by=elena, now=now - timedelta(days=3), because="Buscamos a alguien que ya haya probado páginas con un lector de pantalla.")
    day = (now + timedelta(days=4)).date()
    vacancy.refresh_from_db()
    selecting.offer_interviews(
        vacancy, by=elena, now=now - timedelta(days=2),
        slots=[SlotRow(day=day + timedelta(days=number // 3), starts=time(10 + 2 * (number % 3)), minutes=30, with_whom="Mario Etcheverry", join_url="https://litoral.example/sala") for number in range(6)],
    )  # fmt: skip
    _vacancy(cast, made, "data-later", now - timedelta(days=3), first + timedelta(weeks=4), weeks=16, apply_by=now + timedelta(days=40), places=1)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(15), clock.now().tzinfo)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())

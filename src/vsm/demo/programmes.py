"""The demo's entire programme: an online master's in València with people at each stage, from an open intake to a recognised award."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

from vsm.demo.cast import Cast
from vsm.exchange.catalogue import actions as catalogue
from vsm.exchange.institutions import actions as institutions
from vsm.exchange.institutions.models import Term
from vsm.exchange.people.models import Person
from vsm.exchange.people.queries import actor_of
from vsm.exchange.programmes import actions as programmes
from vsm.exchange.programmes.actions import (
    AdmissionRankRow,
    ConditionRow,
    FindingRow,
    LanguageHeld,
    LanguageWanted,
    ModuleGradeRow,
    ModuleGroupRow,
    ModuleRow,
)
from vsm.exchange.programmes.models import Admission, Conferral, Intake, Programme, Study
from vsm.kit import clock
from vsm.kit.actors import SYSTEM
from vsm.kit.jobs import drain
from vsm.kit.uploads import Upload

HOST = "albufera"
AWARD = {"es": "Máster Universitario en Gestión del Agua", "pt-br": "Mestrado em Gestão da Água", "en": "Master in Water Management", "fr": "Master en gestion de l’eau"}
ABOUT = {
    "es": "Un año en línea sobre cuencas, calidad, derecho y economía del agua, con un trabajo final sobre la cuenca de cada estudiante.",
    "pt-br": "Um ano on-line sobre bacias, qualidade, direito e economia da água, com um trabalho final sobre a bacia de cada estudante.",
    "en": "A year online about basins, quality, law and economics of water, with a thesis on each student’s own basin.",
    "fr": "Une année en ligne sur les bassins, la qualité, le droit et l’économie de l’eau, avec un mémoire sur le bassin de chacun.",
}
SUPPLEMENT = {
    "status": {
        "es": "Universidad privada reconocida por la autoridad educativa; título oficial verificado.", "pt-br": "Universidade privada reconhecida pela autoridade educacional; diploma oficial verificado.",
        "en": "Private university recognised by the education authority; the degree is official and verified.", "fr": "Université privée reconnue par l’autorité éducative ; diplôme officiel vérifié.",
    },
    "access": {"es": "Título de grado en ciencias o ingeniería.", "pt-br": "Diploma de graduação em ciências ou engenharia.", "en": "Bachelor’s degree in science or engineering.", "fr": "Licence de sciences ou d’ingénierie."},
    "outcomes": {
        "es": "Evalúa una cuenca, modela su balance y redacta un plan de gestión conforme a derecho.", "pt-br": "Avalia uma bacia, modela seu balanço e redige um plano de gestão conforme a lei.",
        "en": "Assesses a basin, models its balance and writes a management plan that is lawful.", "fr": "Évalue un bassin, en modélise le bilan et rédige un plan de gestion conforme au droit.",
    },
    "further_study": {"es": "Da acceso a estudios de doctorado.", "pt-br": "Dá acesso a estudos de doutorado.", "en": "Gives access to doctoral studies.", "fr": "Donne accès aux études doctorales."},
    "professional": {"es": "No da acceso a una profesión regulada.", "pt-br": "Não dá acesso a uma profissão regulamentada.", "en": "Gives no access to a regulated profession.", "fr": "Ne donne pas accès à une profession réglementée."},
    "national_system": {
        "es": "Grado (180–240 ECTS), máster (60–120 ECTS) y doctorado, según el Espacio Europeo de Educación Superior.", "pt-br": "Graduação (180–240 ECTS), mestrado (60–120 ECTS) e doutorado, conforme o Espaço Europeu de Ensino Superior.",
        "en": "Bachelor (180–240 ECTS), master (60–120 ECTS) and doctorate, as in the European Higher Education Area.", "fr": "Licence (180–240 ECTS), master (60–120 ECTS) et doctorat, selon l’Espace européen de l’enseignement supérieur.",
    },
}  # fmt: skip
GROUPS = [
    ModuleGroupRow(code="BAS", title="Fundamentos"), ModuleGroupRow(code="OPT", title="Optativas", kind="elective", credits=Decimal(12)),
    ModuleGroupRow(code="TFM", title="Trabajo de fin de máster"),
]  # fmt: skip
MODULES = [
    ModuleRow(code="HID1", title="Hidrología de cuencas", credits=Decimal(9), group="BAS"),
    ModuleRow(code="CAL1", title="Calidad del agua", credits=Decimal(9), group="BAS"),
    ModuleRow(code="DER1", title="Derecho de aguas", credits=Decimal(6), group="BAS"),
    ModuleRow(code="MOD2", title="Modelización hidrológica", credits=Decimal(9), group="BAS", term=2, prerequisites="HID1"),
    ModuleRow(code="ECO1", title="Economía del agua", credits=Decimal(6), group="OPT"),
    ModuleRow(code="SAN2", title="Saneamiento rural", credits=Decimal(6), group="OPT", term=2),
    ModuleRow(code="GIS2", title="Teledetección", credits=Decimal(6), group="OPT", term=2, prerequisites="HID1"),
    ModuleRow(code="TFM2", title="Trabajo de fin de máster", credits=Decimal(15), group="TFM", term=2, prerequisites="HID1 CAL1"),
]  # fmt: skip
FIRST_TERM, SECOND_TERM = ("HID1", "CAL1", "DER1", "ECO1"), ("MOD2", "SAN2", "TFM2")


@dataclass(frozen=True)
class Graduate:
    """Somebody who applies: a person with a first degree, registered nowhere here."""

    key: str
    name: str
    zone: str
    country: str
    university: str
    grade: str
    scale: str


GRADUATES = {
    person.key: person
    for person in (
        Graduate("lucia", "Lucía Paredes", "America/La_Paz", "BO", "Universidad del Altiplano", "16", "pe"),
        Graduate("mateo", "Mateo Rivas", "America/Guayaquil", "EC", "Universidad del Litoral Sur", "14", "pe"),
        Graduate("camila", "Camila Duarte", "America/Asuncion", "PY", "Universidad del Guairá", "4.5", "co"),
        Graduate("nicolas", "Nicolás Ferrer", "America/Montevideo", "UY", "Universidad del Plata Oriental", "15", "pe"),
        Graduate("valeria", "Valeria Montes", "America/Lima", "PE", "Universidad Andina del Litoral", "17", "pe"),
        Graduate("tomas", "Tomás Leiva", "America/Costa_Rica", "CR", "Universidad del Caribe Verde", "4.1", "co"),
        Graduate("elena", "Elena Rojas", "America/Santiago", "CL", "Universidad Mapocho Norte", "13", "pe"),
    )
}


@dataclass
class Made:
    """What stands in the demo: the programme, its intakes by stage, studies by the person's key."""

    programme: Programme
    intakes: dict[str, Intake]
    people: dict[str, Person]
    studies: dict[str, Study]


def make_programmes(cast: Cast, now: datetime) -> Made:
    """An intake of a year ago (awarded, interrupted, behind), one that is being decided, and one that is open."""
    began = now - timedelta(days=399)
    people = _people(cast.people["ana"].password)
    programme = _programme(cast, began)
    terms = _terms(cast, now.date(), began)
    made = Made(programme, {}, people, {})
    _a_year_ago(cast, made, now, terms)
    made.intakes["deciding"] = _deciding(cast, made, now)
    made.intakes["open"] = _intake(cast, programme, "abierta", now.date() + timedelta(days=210), now - timedelta(days=9), closes=40, decides=70)
    _work(now - timedelta(hours=3))
    return made


def _people(hashed: str) -> dict[str, Person]:
    made = {}
    for each in GRADUATES.values():
        made[each.key] = Person(email=f"{each.key}@graduates.example", name=each.name, language="es", zone=each.zone, password=hashed)
        made[each.key].save()
    return made


def _programme(cast: Cast, at: datetime) -> Programme:
    host, by = cast.organisations[HOST], cast.office(HOST, at)
    opportunity = catalogue.add_opportunity(
        host, by=by, now=at, category="programme", code="MGA", title=AWARD, description=ABOUT, learning_outcomes=SUPPLEMENT["outcomes"], isced_f="0712", level="master",
        credits=Decimal(60), credit_system="ects", workload_hours=Decimal(1500), language="es", cefr="B2",
    )  # fmt: skip
    programme = programmes.describe_programme(opportunity, by=by, now=at, award_title=AWARD, months=10, term_credits_low=Decimal(6), term_credits_high=Decimal(36))
    programme = programmes.arrange(programme, by=by, now=at, groups=GROUPS, modules=MODULES)
    programme = programmes.require(
        programme, by=by, now=at, level="bachelor", fields="05 07 08", grade="6", grade_scale="es", languages=[LanguageWanted(language="es", level="B2")], documents=["degree", "identity"]
    )
    programme = programmes.describe_award(programme, by=by, now=at, **SUPPLEMENT)
    return programmes.publish_programme(programme, by=by, now=at)


def _terms(cast: Cast, today: date, at: datetime) -> list[Term]:
    """Two terms that are over, one that runs, one to come."""
    spans = ((-382, -262), (-252, -132), (-60, 60), (90, 215))
    return [
        institutions.add_term(
            cast.organisations[HOST], by=SYSTEM, now=at, code=f"MGA-{number}", name={"es": f"Periodo {number}", "pt-br": f"Período {number}", "en": f"Term {number}", "fr": f"Période {number}"},
            starts_on=today + timedelta(days=start), ends_on=today + timedelta(days=end),
        )
        for number, (start, end) in enumerate(spans, start=1)
    ]  # fmt: skip


def _intake(cast: Cast, programme: Programme, code: str, starts_on: date, opens_at: datetime, *, closes: int, decides: int, places: int = 4) -> Intake:
    at, by = opens_at - timedelta(hours=6), cast.office(HOST, opens_at)
    intake = programmes.open_intake(
        programme, by=by, now=at, code=code, starts_on=starts_on, opens_at=opens_at, closes_at=opens_at + timedelta(days=closes), decide_by=opens_at + timedelta(days=decides),
        places=places, respond_days=14, bandwidth="audio",
    )  # fmt: skip
    return programmes.publish_intake(intake, by=by, now=at)


def _apply(made: Made, intake: Intake, key: str, at: datetime, *, submit: bool = True) -> Admission:
    person, facts = made.people[key], GRADUATES[key]
    by = actor_of(person, at)
    admission = programmes.apply(intake, by=by, now=at)
    admission = programmes.describe(
        admission, by=by, now=at, prior_level="bachelor", prior_title="Ingeniería ambiental", prior_institution=facts.university, prior_country=facts.country,
        prior_completed_on=at.date() - timedelta(days=200), prior_isced_f="0712", prior_grade=facts.grade, prior_grade_scale=facts.scale,
        languages=[LanguageHeld(language="es", level="native")], motivation="Quiero trabajar en la cuenca donde vivo sin tener que mudarme.",
    )  # fmt: skip
    for kind in ("degree", "identity"):
        programmes.attach(admission, by=by, now=at, kind=kind, file=Upload.of(f"{kind}-{key}.pdf", "application/pdf", b"%PDF-1.7 demo " + kind.encode() + key.encode()))
    return programmes.submit(admission, by=by, now=at) if submit else admission


def _verify(cast: Cast, admission: Admission, at: datetime, *kinds: str) -> None:
    for document in admission.documents.filter(kind__in=kinds):
        programmes.verify_document(document, by=cast.office(HOST, at), now=at, way="certified-copy", because="Copia legalizada.")


def _rank(cast: Cast, intake: Intake, order: list[Admission], at: datetime) -> Intake:
    rows = [AdmissionRankRow(admission=each.pk, place=place, because=f"Expediente y motivación; puesto {place}.") for place, each in enumerate(order, start=1)]
    return programmes.rank(intake, by=cast.office(HOST, at), now=at, ranking=rows)


def _a_year_ago(cast: Cast, made: Made, now: datetime, terms: list[Term]) -> None:
    """Lucía is awarded, Mateo rests, Camila is behind and goes on."""
    opens_at = now - timedelta(days=397)
    intake = made.intakes["past"] = _intake(cast, made.programme, "primera", terms[0].starts_on, opens_at, closes=5, decides=10)
    keys = ("lucia", "mateo", "camila")
    admissions = [_apply(made, intake, key, opens_at + timedelta(days=1, hours=number)) for number, key in enumerate(keys)]
    at = opens_at + timedelta(days=6)
    for admission in admissions:
        _verify(cast, admission, at, "degree", "identity")
    programmes.offer_places(_rank(cast, intake, admissions, at), by=cast.office(HOST, at), now=at)
    _work(at)
    for key, admission in zip(keys, admissions, strict=True):
        answered = at + timedelta(days=2)
        programmes.accept(Admission.objects.get(pk=admission.pk), by=actor_of(made.people[key], answered), now=answered)
        made.studies[key] = Study.objects.get(admission=admission)
        _study(cast, made, key, terms[0], FIRST_TERM, {"HID1": "4" if key == "camila" else "7.5", "CAL1": "8", "DER1": "6.5", "ECO1": "9"})
    _work(at + timedelta(days=3))
    _study(cast, made, "lucia", terms[1], SECOND_TERM, {"MOD2": "8", "SAN2": "9", "TFM2": "9.5"})
    _study(cast, made, "camila", terms[1], ("HID1", "SAN2"), {"HID1": "6", "SAN2": "7"})
    _study(cast, made, "camila", terms[2], ("MOD2", "TFM2"), {})
    _interrupt(cast, made, now, terms)
    _award(cast, made, now - timedelta(days=118))


def _study(cast: Cast, made: Made, key: str, term: Term, modules: tuple[str, ...], grades: dict[str, str]) -> None:
    study = Study.objects.get(pk=made.studies[key].pk)
    at = datetime.combine(term.starts_on, time(9), clock.now().tzinfo)
    enrolment = programmes.enrol_in_term(study, by=actor_of(made.people[key], at), now=at, term=term.pk, modules=list(modules))
    if grades:
        over = datetime.combine(term.ends_on, time(9), clock.now().tzinfo) + timedelta(days=3)
        by = cast.registry(HOST, over)
        rows: list[ModuleGradeRow] = [row.model_copy(update={"grade": grades[row.module.partition(" ")[0]]}) for row in programmes.grade_rows(enrolment, by)]
        programmes.record_results(enrolment, by=by, now=over, results=rows)


def _interrupt(cast: Cast, made: Made, now: datetime, terms: list[Term]) -> None:
    at = now - timedelta(days=250)
    study = Study.objects.get(pk=made.studies["mateo"].pk)
    pause = programmes.ask_interruption(
        study, by=actor_of(made.people["mateo"], at), now=at, starts_on=at.date(), returns_on=terms[3].starts_on, reason="work",
        because="Un proyecto de riego en mi provincia me toma todo el año.",
    )  # fmt: skip
    programmes.approve_interruption(pause, by=cast.office(HOST, at), now=at + timedelta(days=1), answer="Te esperamos en el periodo 4.")


def _award(cast: Cast, made: Made, at: datetime) -> Conferral:
    """Lucía's award, with a credential; her request for recognition lies with the registrar in Lima, half evaluated."""
    study = Study.objects.get(pk=made.studies["lucia"].pk)
    conferral = programmes.award(study, by=cast.registry(HOST, at), now=at, distinction="Sobresaliente")
    _work(at)
    asked = at + timedelta(days=30)
    recognition = programmes.ask_recognition(
        conferral, by=actor_of(made.people["lucia"], asked), now=asked, home=UUID(str(cast.organisations["andina"].pk)), purpose="further-study",
    )  # fmt: skip
    rosa = cast.actor("rosa", asked + timedelta(days=9))
    rows: list[FindingRow] = programmes.finding_rows(recognition, rosa)
    told = {
        "level": ("no-difference", ""), "quality": ("no-difference", ""), "profile": ("no-difference", ""),
        "workload": ("difference", "60 ECTS frente a 48 créditos de la maestría propia: ambas son un año de estudio; no es sustancial."), "outcomes": ("not-assessed", ""),
    }  # fmt: skip
    programmes.evaluate(
        recognition, by=rosa, now=asked + timedelta(days=9), findings=[row.model_copy(update={"finding": told[row.criterion][0], "text": told[row.criterion][1]}) for row in rows]
    )
    return conferral


def _deciding(cast: Cast, made: Made, now: datetime) -> Intake:
    """Applications are closed: one accepted with a condition open, one offered, one on the waiting list, one not checked yet."""
    opens_at = now - timedelta(days=40)
    intake = _intake(cast, made.programme, "segunda", now.date() + timedelta(days=90), opens_at, closes=30, decides=60, places=2)
    keys = ("valeria", "nicolas", "tomas", "elena")
    admissions = [_apply(made, intake, key, opens_at + timedelta(days=12, hours=number)) for number, key in enumerate(reversed(keys))][::-1]
    at = opens_at + timedelta(days=32)
    for admission in admissions[1:3]:
        _verify(cast, admission, at, "degree", "identity")
    _verify(cast, admissions[0], at, "identity")
    _rank(cast, intake, admissions, at)
    office = cast.office(HOST, at)
    programmes.query_document(admissions[0].documents.get(kind="degree"), by=office, now=at, because="Falta el reverso con el registro del título.")
    programmes.offer(
        Admission.objects.get(pk=admissions[0].pk), by=office, now=at, because="Bienvenida.",
        conditions=[ConditionRow(text="Título de grado completo, con su registro", evidence="Copia legalizada o credencial verificable", due_on=now.date() + timedelta(days=60), document="degree")],
    )  # fmt: skip
    programmes.offer(Admission.objects.get(pk=admissions[1].pk), by=office, now=at)
    programmes.put_on_waiting_list(Admission.objects.get(pk=admissions[2].pk), by=office, now=at, because="Tercer puesto: la próxima plaza libre es tuya.")
    programmes.accept(Admission.objects.get(pk=admissions[0].pk), by=actor_of(made.people["valeria"], at), now=at + timedelta(days=3))
    _work(at + timedelta(days=4))
    return intake


def _work(at: datetime) -> None:
    """What the worker would have done by then."""
    with clock.stopped_at(at):
        drain()

"""A small programme in Lisbon with two places, and people who apply: made by the same actions that people use."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from tests.exchange.learning_agreements.given import give_role, organisation, person
from vsm.exchange.catalogue.actions import add_opportunity
from vsm.exchange.institutions.actions import add_term
from vsm.exchange.institutions.models import Organisation, Term
from vsm.exchange.people.models import Person
from vsm.exchange.people.queries import actor_of
from vsm.exchange.programmes import actions as programmes
from vsm.exchange.programmes.models import Admission, Intake, Programme, Study
from vsm.kit import clock
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.jobs import drain
from vsm.kit.uploads import Upload

NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
CLOSED = NOW + timedelta(days=21)
SAID = {"en": "Stated."}


def actor(who: Person, now: datetime = NOW) -> Actor:
    return actor_of(who, now)


@dataclass
class World:
    host: Organisation
    carlos: Person
    raul: Person
    programme: Programme
    intake: Intake
    terms: list[Term]
    people: dict[str, Person] = field(default_factory=dict)

    def applied(self, name: str, *, verified: bool = True) -> Admission:
        """Handed in, with its one document."""
        who = self.people[name] = person(name)
        by, at = actor(who), NOW + timedelta(days=1)
        admission = programmes.apply(self.intake, by=by, now=at)
        admission = programmes.describe(
            admission, by=by, now=at, prior_level="bachelor", prior_title="Law", prior_institution="Elsewhere", prior_country="PE", prior_completed_on=date(2026, 6, 1),
        )  # fmt: skip
        document = programmes.attach(admission, by=by, now=at, kind="degree", file=Upload.of("degree.pdf", "application/pdf", b"%PDF " + name.encode()))
        if verified:
            programmes.verify_document(document, by=actor(self.carlos), now=at, way="original")
        return programmes.submit(admission, by=by, now=at)

    def ranked(self, *names: str) -> list[Admission]:
        made = [self.applied(name) for name in names]
        rows = [programmes.AdmissionRankRow(admission=each.pk, place=place, because="Interview") for place, each in enumerate(made, start=1)]
        programmes.rank(self.intake, by=actor(self.carlos), now=CLOSED, ranking=rows)
        return [fresh(each) for each in made]

    def studying(self, name: str) -> Study:
        admission = self.applied(name)
        admission = programmes.offer(admission, by=actor(self.carlos), now=CLOSED)
        programmes.accept(admission, by=actor(self.people[name]), now=CLOSED)
        return Study.objects.get(admission=admission)


def fresh(record: Admission) -> Admission:
    return Admission.objects.get(pk=record.pk)


def work(at: datetime) -> None:
    with clock.stopped_at(at):
        drain()


def world() -> World:
    host = organisation("Lisbon University", "PT", "Europe/Lisbon")
    host.grade_scale = "pt"
    host.save()
    carlos, raul = person("Carlos"), person("Raúl")
    give_role(carlos, host, "coordinator")
    give_role(raul, host, "registrar")
    by = actor(carlos)
    opportunity = add_opportunity(host, by=by, now=NOW, category="programme", code="MDP", title={"en": "Data"}, credits=Decimal(20), credit_system="ects", language="en", isced_f="0610", level="master")
    programme = programmes.describe_programme(opportunity, by=by, now=NOW, award_title={"en": "Master in Data"}, months=12, term_credits_high=Decimal(20), attempts=2, pause_months=12)
    programme = programmes.arrange(
        programme, by=by, now=NOW, groups=[programmes.ModuleGroupRow(code="C", title="Core")],
        modules=[programmes.ModuleRow(code="A", title="One", credits=Decimal(10), group="C"), programmes.ModuleRow(code="B", title="Two", credits=Decimal(10), group="C", term=2, prerequisites="A")],
    )  # fmt: skip
    programme = programmes.require(programme, by=by, now=NOW, level="bachelor", documents=["degree"])
    programme = programmes.publish_programme(programme, by=by, now=NOW)
    intake = programmes.open_intake(
        programme, by=by, now=NOW, code="2027", starts_on=date(2027, 3, 1), opens_at=NOW, closes_at=NOW + timedelta(days=20), decide_by=NOW + timedelta(days=40), places=2, respond_days=7,
    )  # fmt: skip
    intake = programmes.publish_intake(intake, by=by, now=NOW)
    terms = [
        add_term(host, by=SYSTEM, now=NOW, code=code, name={"en": code}, starts_on=start, ends_on=end)
        for code, start, end in (("I", date(2027, 3, 1), date(2027, 7, 1)), ("II", date(2027, 9, 1), date(2028, 1, 15)))
    ]
    return World(host, carlos, raul, programme, intake, terms)

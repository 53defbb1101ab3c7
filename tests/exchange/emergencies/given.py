"""Ana, Bruno and others of Lima go to Santiago in person; an emergency meets them. Bia works at home, Carlos at the host, Olga for all."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from tests.exchange.mobilities import given as stays
from tests.exchange.mobilities.given import actor, fresh, give_role, person
from vsm.exchange.agreements.models import Agreement
from vsm.exchange.catalogue.models import Meeting, Offering, Opportunity
from vsm.exchange.emergencies import actions, answering
from vsm.exchange.emergencies.actions import PlaceRow
from vsm.exchange.emergencies.models import Case, Emergency
from vsm.exchange.emergencies.texts import amended_of
from vsm.exchange.institutions.models import Hub, Organisation
from vsm.exchange.learning_agreements.actions import present, sign
from vsm.exchange.learning_agreements.models import LearningAgreement
from vsm.exchange.mobilities.models import Mobility
from vsm.exchange.mobilities.queries import agreement_of
from vsm.exchange.people.models import Person
from vsm.kit import clock
from vsm.kit.jobs import drain

__all__ = ["actor", "fresh", "give_role", "person"]
NOW = datetime(2026, 9, 7, 15, 0, tzinfo=UTC)
"""A Monday five weeks into the term that the stays are for."""


@dataclass
class World:
    stays: stays.World
    olga: Person
    hub: Hub
    online: Offering
    later: Offering
    equivalent: Offering

    @property
    def home(self) -> Organisation:
        return self.stays.home

    @property
    def host(self) -> Organisation:
        return self.stays.host

    def by(self, name: str) -> Any:
        return actor(self.olga if name == "olga" else getattr(self.stays, name))

    def mobility(self, who: Person | None = None, **facts: Any) -> Mobility:
        return self.stays.mobility(who, **{"courses": [stays.STATISTICS, stays.LAW], **facts})

    def signed(self, mobility: Mobility) -> LearningAgreement:
        """All three sign the agreement of the courses in person."""
        found = agreement_of(mobility)
        assert found is not None
        agreement = present(found, by=self.by("bia"), now=stays.NOW)
        version = fresh(agreement).current_version
        for who in (mobility.student, self.stays.bia, self.stays.carlos):
            agreement = sign(agreement, by=actor(who), now=stays.NOW, digest=version.digest)
        return fresh(agreement)  # type: ignore[no-any-return]

    def drafted(self, **facts: Any) -> Emergency:
        """The operator drafts: Chile is closed for being there, from today."""
        given: dict[str, Any] = {
            "title": {"en": "Earthquake", "es": "Terremoto"}, "kind": "disaster", "places": [PlaceRow(country="CL")], "directions": ["being"],
            "starts_on": NOW.date(), "safety": {"en": "Call 133."}, "evidence": ["https://example.org/decree"], **facts,
        }  # fmt: skip
        return actions.declare_emergency_for_all(self.hub, by=self.by("olga"), now=NOW, **given)

    def declared(self, **facts: Any) -> Emergency:
        emergency = actions.declare(self.drafted(**facts), by=self.by("olga"), now=NOW)
        work()
        return fresh(emergency)  # type: ignore[no-any-return]

    def proposed(self, who: str = "bia", **facts: Any) -> Emergency:
        emergency = self.declared(**facts)
        actions.propose(emergency, by=self.by(who), now=NOW)
        work()
        return fresh(emergency)  # type: ignore[no-any-return]

    def switched(self, **facts: Any) -> Emergency:
        """Everybody agrees, and it is carried out."""
        emergency = self.proposed(**facts)
        for case in cases(emergency):
            accept(case)
        actions.carry_out(emergency, by=self.by("olga"), now=NOW + timedelta(days=1))
        work(NOW + timedelta(days=1))
        return fresh(emergency)  # type: ignore[no-any-return]


def cases(emergency: Emergency) -> list[Case]:
    return list(Case.objects.filter(emergency=emergency).select_related("student", "home", "host", "emergency", "mobility").order_by("student__name"))


def accept(case: Case) -> Case:
    text = amended_of(case)
    assert text is not None
    return answering.accept(case, by=actor(case.student), now=NOW + timedelta(hours=2), digest=text.digest)


def work(at: datetime = NOW) -> int:
    """Let the worker do all that is due."""
    with clock.stopped_at(at):
        return drain()


def offering(host: Organisation, code: str, title: str, mode: str, *, credits: str = "6", seats: int = 30, starts: date = date(2026, 8, 10), hour: int = 10) -> Offering:  # noqa: A002 -- the word of the field
    opportunity = Opportunity.objects.filter(organisation=host, code=code).first() or Opportunity(
        organisation=host, code=code, title={"en": title, "es": title}, credits=Decimal(credits), credit_system=host.credit_system, language="es",
        isced_f="0542", state="published", assessment={"en": "Online exam"},
    )  # fmt: skip
    if opportunity._state.adding:
        opportunity.save()
    made = Offering(
        opportunity=opportunity, code=f"{mode}-{starts}", starts_on=starts, ends_on=starts + timedelta(days=115), zone=host.zone, seats=seats, mode=mode,
        bandwidth="audio", state="published",
    )  # fmt: skip
    made.save()
    if mode != "asynchronous":
        Meeting.objects.create(offering=made, weekday=1, starts=time(hour), ends=time(hour + 1, 30))
    return made


def world() -> World:
    """Statistics runs online at the host too, live at 10:00; law has no run, but home has a course of its own in that field."""
    made = stays.world()
    olga = person("Olga")
    Person.objects.filter(pk=olga.pk).update(is_operator=True)
    hub = Hub(name="Hub", contact="hub@example.org")
    hub.save()
    Agreement(
        code="A1", first=made.home, second=made.host, state="signed", starts_on=date(2026, 1, 1), ends_on=date(2029, 1, 1), levels=["bachelor"]
    ).save()
    online = offering(made.host, "EST101", "Estadística", "synchronous")
    later = offering(made.host, "EST101", "Estadística", "asynchronous", starts=date(2026, 8, 3))
    law = Opportunity(
        organisation=made.host, code="DER102", title={"es": "Derecho ambiental"}, credits=Decimal(4), credit_system="sct-chile", language="es",
        isced_f="0421", state="published",
    )  # fmt: skip
    law.save()
    equivalent = offering(made.home, "LAW-2", "Law", "mixed", credits="4", seats=2, starts=date(2026, 8, 31))
    Opportunity.objects.filter(pk=equivalent.opportunity_id).update(isced_f="0421")
    return World(made, fresh(olga), hub, online, later, equivalent)

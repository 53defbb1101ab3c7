"""Teams of one running course: formed in its second week; one student left hers and came back with a re-balancing."""

from datetime import datetime, timedelta

from vsm.demo.cast import Cast
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.sessions.models import Enrolment
from vsm.exchange.teams.actions import form_teams, give_role, leave, publish, rebalance
from vsm.exchange.teams.models import TeamFormation
from vsm.kit import clock
from vsm.kit.actors import Actor
from vsm.kit.errors import Refused
from vsm.kit.jobs import drain

SMALLEST = 4
LEFT = "En estas semanas no puedo reunirme; aviso cuando vuelva."
BACK = "Vuelve una persona: entra donde menos cambia para las demás."


def make_teams(cast: Cast, offerings: list[Offering], now: datetime) -> TeamFormation | None:
    """The teams of the running course at the host with the most countries, among the classes that are large enough; None when none is."""
    classes: dict[Offering, list[str]] = {}
    for offering in sorted(offerings, key=lambda each: each.opportunity.code):
        if offering.opportunity.organisation_id == cast.organisations["mapocho"].pk:
            countries = list(Enrolment.objects.filter(offering=offering, state="enrolled").values_list("home__country", flat=True))
            if len(countries) >= SMALLEST:
                classes[offering] = countries
    chosen = max(classes, key=lambda each: (len(set(classes[each])), len(classes[each])), default=None)
    return _made(cast, chosen, now) if chosen else None


def _made(cast: Cast, offering: Offering, now: datetime) -> TeamFormation:
    def office(at: datetime) -> Actor:
        return cast.actor("carlos", at)

    at = now - timedelta(days=28)
    with clock.stopped_at(at):
        try:
            formation = form_teams(offering, by=office(at), now=at, size=2, countries=2, language="wish", seed="demo")
        except Refused:  # the lottery gave too few places to one of the countries
            formation = form_teams(offering, by=office(at), now=at, size=2, countries=1, language="wish", seed="demo")
        formation = publish(formation, by=office(at), now=at, accept_missed=True)
        drain()
    at += timedelta(days=7)
    membership = formation.memberships.filter(left_at=None).order_by("team__number", "person__email").first()
    if membership is None:
        return formation
    with clock.stopped_at(at):
        give_role(membership, by=office(at), now=at, role="Lleva el tiempo")
        membership.refresh_from_db()
        leave(membership, by=office(at), now=at, because=LEFT)
    at += timedelta(days=7)
    with clock.stopped_at(at):
        change = rebalance(formation, by=office(at), now=at, because=BACK)
        publish(change, by=office(at), now=at, accept_missed=True)
        drain()
    return formation

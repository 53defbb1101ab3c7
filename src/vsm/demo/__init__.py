"""The demo world: the same for `./vsm up`, for the handbook's pictures and for the tests, and relative to today.

Everything in it is made by the same actions that people use, so its history, letters and numbers are real ones.
"""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from vsm.demo.allocation import make_reserved
from vsm.demo.calls import Stages, make_calls
from vsm.demo.cast import OPERATOR, PARTS, PASSWORD, Cast, make_cast
from vsm.demo.collaborations import TEACHERS, make_collaborations
from vsm.demo.emergencies import make_emergencies
from vsm.demo.offers import make_offers
from vsm.demo.partners import make_agreements
from vsm.demo.placements import PARTS as HOST_PARTS
from vsm.demo.placements import Placed, make_placements
from vsm.demo.pooling import make_consents
from vsm.demo.preparations import make_preparations
from vsm.demo.programmes import make_programmes
from vsm.demo.sessions import make_sessions
from vsm.demo.teams import make_teams
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.credentials.models import StatusList
from vsm.exchange.credentials.tasks import renew_status_list
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Person
from vsm.kit import clock
from vsm.kit.bulk import count_rows

SEED = 2027


@dataclass(frozen=True)
class DemoAccount:
    """One line of the table that `./vsm up` prints."""

    who: str
    role: str
    email: str
    password: str


@dataclass
class World:
    """Handles on what was made: institutions, people and calls by key, offerings by stage."""

    now: datetime
    cast: Cast
    offerings: dict[str, list[Offering]] = field(default_factory=dict)
    stages: Stages = field(default_factory=Stages)
    placed: Placed = field(default_factory=Placed)

    @property
    def people(self) -> dict[str, Person]:
        return self.cast.people

    @property
    def organisations(self) -> dict[str, Organisation]:
        return self.cast.organisations


def make_world(now: datetime) -> World:
    """Make it all, in one transaction: a start that is interrupted leaves nothing half made."""
    rng = random.Random(SEED)
    with transaction.atomic():
        began = now - timedelta(days=400)
        with clock.stopped_at(began):
            cast = make_cast(began, rng)
        world = World(now, cast)
        make_agreements(cast, now)
        count_rows()
        world.offerings = make_offers(cast, now, rng)
        count_rows()
        world.stages = make_calls(cast, world.offerings, now, rng)
        make_sessions(cast, now, random.Random(SEED + 1))
        make_teams(cast, world.offerings["running"], now)
        count_rows()
        make_reserved(cast, world.stages, world.offerings["next"], now)
        make_programmes(cast, now)
        world.placed = make_placements(cast, now)
        make_emergencies(cast, world.offerings, now, SEED)
        make_collaborations(cast, now)
        make_preparations(cast, now, random.Random(SEED + 5))
        make_consents(cast, now)
        with clock.stopped_at(now):
            for pk in StatusList.objects.values_list("pk", flat=True):  # as the worker does each day: these were signed in the past
                renew_status_list.call(list_id=pk)
    return world


def accounts() -> list[DemoAccount]:
    """Who can sign in to the demo."""
    domain = {facts.key: facts for facts in PARTS}
    emails = dict(Person.objects.filter(name__in=[part.name for part in (*PARTS, *HOST_PARTS, *TEACHERS[:2], OPERATOR)]).values_list("name", "email"))
    return [
        DemoAccount(part.name, part.who, emails.get(part.name, ""), PASSWORD) for part in (*domain.values(), *HOST_PARTS, *TEACHERS[:2], OPERATOR) if part.name in emails
    ]


def exists() -> bool:
    """Whether the demo world stands here already."""
    return bool(Person.objects.filter(name=OPERATOR.name).exists())

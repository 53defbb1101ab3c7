"""Programs that call the demo world's API: it is made once for this folder, inside one transaction that is rolled back at the end."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction

from tests.api.caller import Caller, as_nobody, with_token
from tests.api.persons import actor
from tests.snapshot import the_world
from vsm.demo import World
from vsm.exchange.catalogue.actions import import_catalogue
from vsm.exchange.institutions.actions import invite
from vsm.exchange.institutions.models import Hub
from vsm.exchange.people.actions import make_token
from vsm.kit.uploads import Upload
from vsm.observatory.sources.actions import hand_in_table


@pytest.fixture(scope="package")
def world(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[World]:
    """The world, relative to today. Each test runs in a savepoint inside the world's own transaction."""
    with django_db_blocker.unblock(), transaction.atomic():  # type: ignore[attr-defined]  # -- pytest-django's blocker
        yield the_world()
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _in_the_world(world: World, db: None, settings: Any) -> Iterator[None]:
    """Every test here sees the world and leaves it as it was; only the tests of the pace are slowed down by it."""
    settings.API_RATES = {"stranger": 1_000_000, "person": 1_000_000}
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def calling(world: World) -> Callable[..., Caller]:
    """`calling("ana")` is a program with Ana's token; `calling("")` has none."""
    return lambda key, **headers: with_token(world.people[key], **headers) if key else as_nobody(**headers)


@pytest.fixture(scope="module")
def three_of_each(world: World, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """What the demo world has fewer than three of; until the module ends."""
    bia, now = world.people["bia"], world.now
    by, home = actor(world, "bia"), world.organisations["andina"]
    with django_db_blocker.unblock(), transaction.atomic():  # type: ignore[attr-defined]  # -- pytest-django's blocker
        for number in range(3):
            make_token(bia, by=by, now=now, label=f"Program {number}")
            invite(home, by=by, now=now, email=f"new{number}@example.org", role="coordinator", language="en")
            import_catalogue(home, by=by, now=now, file=Upload.of("courses.csv", "text/csv", b"code,title\n"), dry_run=True)
            mine = Upload.of("mine.csv", "text/csv", b"geo,year,value\nPER,2024,1\n")
            hand_in_table(Hub.objects.get(), by=actor(world, "olga"), now=now, file=mine, licence="CC0-1.0", attribution=f"Ministry {number}")
        yield
        transaction.set_rollback(True)

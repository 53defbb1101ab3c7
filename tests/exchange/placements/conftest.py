"""A vetted host in Montevideo, a university in Lima, and the people of both: made once, each test leaves them as they were."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.db import transaction

from tests.exchange.placements import given
from tests.exchange.placements.given import World


@pytest.fixture(scope="package")
def made(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[World]:
    """Inside a transaction of its own that is rolled back at the end; each test runs in a savepoint."""
    with django_db_blocker.unblock(), transaction.atomic():  # type: ignore[attr-defined]  # -- pytest-django's blocker
        yield given.world()
        transaction.set_rollback(True)


@pytest.fixture
def world(made: World, db: None) -> World:
    return replace(made, host=given.fresh(made.host), people=dict(made.people))

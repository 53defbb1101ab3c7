"""Tests that live in the demo world: it is made once for this folder, inside one transaction that is rolled back at the end."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client

from tests.snapshot import the_world
from vsm.demo import World

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(scope="package")
def world(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[World]:
    """The world, relative to today. Each test runs in a savepoint inside the world's own transaction."""
    with django_db_blocker.unblock(), transaction.atomic():  # type: ignore[attr-defined]  # -- pytest-django's blocker
        yield the_world()
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _in_the_world(world: World, db: None, settings: Any) -> None:
    """Every test here sees the world and leaves it as it was; whoever walks every address is not told to slow down."""
    settings.API_RATES = {"stranger": 1_000_000, "person": 1_000_000}
    cache.clear()


@pytest.fixture
def signed_in(world: World) -> Callable[[str], Client]:
    """`signed_in("ana")` is a browser in which Ana has signed in; `""` is nobody's."""

    def sign_in(key: str) -> Client:
        client = Client()
        if key:
            client.force_login(world.people[key], backend=BACKEND)
        return client

    return sign_in

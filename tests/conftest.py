"""The suite's ground: a throw-away data folder, quick password hashing, one database engine by DATABASE_URL."""

import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings as django_settings
from django.utils import translation

from tests.environment import DATA

# The gate asks the same of everybody; whoever looks for new counter-examples runs `./vsm test --hypothesis-profile=searching`.
hypothesis.settings.register_profile("gate", derandomize=True)
hypothesis.settings.register_profile("searching", derandomize=False, print_blob=True)
hypothesis.settings.load_profile("gate")


def pytest_configure() -> None:
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    django_settings.STORAGES = {
        **django_settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    django_settings.LANGUAGE_CODE = "en"  # the language of the strings, so that tests read as the source does
    django_settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


# The longest first, so that no worker waits for the other at the end.
LONGEST = (
    "tests/api/test_fuzz", "tests/world/test_walk", "tests/world/test_visible", "tests/world/test_addresses", "tests/api/", "tests/world/",
    "tests/journeys/", "tests/browser/test_axe", "tests/browser/", "tests/cli/",
)  # fmt: skip
ONE_READER = "bia"  # a coordinator: she sees records of every kind


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL, the second pass, only what can tell the engines apart.

    That is what asks for a database. Who may see what is decided by the same queries for every reader, so the walks take
    one of them there. The browser looks at a program that runs on SQLite in either pass; it looks once.
    """
    items.sort(key=lambda item: next((at for at, start in enumerate(LONGEST) if item.nodeid.startswith(start)), len(LONGEST)))
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        return
    kept = [item for item in items if item.get_closest_marker("browser") is None and asks_for_a_database(item) and not is_repeated(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


def is_repeated(item: pytest.Item) -> bool:
    """Whether this is a walk by another reader than the one that suffices on a second engine."""
    reader = item.callspec.params.get("reader") if isinstance(item, pytest.Function) and hasattr(item, "callspec") else None
    return item.get_closest_marker("walk") is not None and reader != ONE_READER


def asks_for_a_database(item: pytest.Item) -> bool:
    fixtures = set(getattr(item, "fixturenames", ()))
    marked = any(item.get_closest_marker(name) for name in ("django_db", "committed", "postgres"))
    return marked or bool(fixtures & {"db", "transactional_db", "django_db_setup", "play", "environment"})


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """A request leaves its reader's language behind; the next test begins in the language of the strings."""
    with translation.override("en"):
        yield


@pytest.fixture(scope="session")
def data() -> Path:
    """The data folder of this run."""
    return Path(DATA)

"""The suite's ground: a throw-away data folder, quick password hashing, one database engine by DATABASE_URL."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.conf import settings as django_settings
from django.utils import translation

from tests.environment import DATA

# The gate asks the same of everybody; whoever looks for new counter-examples runs `./vsm test --hypothesis-profile=searching`.
# How long an example takes says something of the machine, not of the law.
ANY_PACE: dict[str, Any] = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("gate", derandomize=True, **ANY_PACE)
hypothesis.settings.register_profile("searching", derandomize=False, print_blob=True, **ANY_PACE)
hypothesis.settings.load_profile("gate")


def pytest_configure() -> None:
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    django_settings.STORAGES = {
        **django_settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    django_settings.LANGUAGE_CODE = "en"  # the language of the strings, so that tests read as the source does
    django_settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


# The longest first, so that no worker waits for the other at the end; and not two at the beginning that wait for the same
# demo world, or for the same first start of the program, which one of them makes. The kernels are compiled while the other
# worker makes the world; whoever meets them later finds them on disk.
ORDER = (
    "tests/browser/test_axe", "tests/world/test_walk", "tests/browser/", "tests/exchange/allocation/test_kernels", "tests/journeys/", "tests/api/test_fuzz",
    "tests/world/", "tests/api/", "tests/cli/", "tests/races/",
)  # fmt: skip
# Nobody, a student, a coordinator who sees records of every kind, and a stranger at another institution.
FEW_READERS, ONE_READER = ("", "ana", "bia", "dora"), "bia"
# What sends every list, page, action and race to the second engine at least once.
ON_BOTH = ("tests/kit/", "tests/world/", "tests/api/test_reading", "tests/journeys/")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The order, and what is asked: all that can be with `--thorough`, else what the gate has time for (decision 0020)."""
    items.sort(key=lambda item: next((at for at, start in enumerate(ORDER) if item.nodeid.startswith(start)), len(ORDER)))
    thorough, on_postgres = config.getoption("thorough"), os.environ.get("DATABASE_URL", "").startswith("postgres")
    kept = [item for item in items if (thorough or is_for_the_gate(item, on_postgres=on_postgres)) and (not on_postgres or tells_engines_apart(item))]
    config.hook.pytest_deselected(items=list(set(items) - set(kept)))
    items[:] = kept


def is_for_the_gate(item: pytest.Item, *, on_postgres: bool) -> bool:
    """A question is asked of a few readers and by the doors that cost little; on the second engine by one, where it meets every query."""
    door, reader = asked_by(item)
    if on_postgres:
        return door in ("", "api") and (item.get_closest_marker("committed") is not None or item.nodeid.startswith(ON_BOTH))
    return door != "chromium" and (item.get_closest_marker("walk") is None or reader in FEW_READERS)


def tells_engines_apart(item: pytest.Item) -> bool:
    """Whether a second engine could answer otherwise.

    That is what asks for a database. Who may see what is decided by the same queries for every reader, so the walks take
    one of them there. The browser looks at a program that runs on SQLite in either pass; it looks once.
    """
    walks = item.get_closest_marker("walk") is not None
    return item.get_closest_marker("browser") is None and asks_for_a_database(item) and (not walks or asked_by(item)[1] == ONE_READER)


def asked_by(item: pytest.Item) -> tuple[str, str]:
    """The door and the reader among a test's parameters."""
    params = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return str(params.get("door", "")), str(params.get("reader", ""))


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

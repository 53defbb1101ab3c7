"""The suite's ground: a throw-away data folder, quick password hashing, one database engine by DATABASE_URL."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from django.conf import settings as django_settings
from django.utils import timezone, translation
from xdist.scheduler import LoadFileScheduling

from tests.depth import FEW, ONE, Depth, depth_of
from tests.environment import DATA

if TYPE_CHECKING:
    from tests.echo import Echo

# A law is asked the same of everybody; whoever looks for new counter-examples runs `./vsm test --hypothesis-profile=searching`.
# How long an example takes says something of the machine, not of the law.
ANY_PACE: dict[str, Any] = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("gate", derandomize=True, max_examples=30, **ANY_PACE)
hypothesis.settings.register_profile("wide", derandomize=True, **ANY_PACE)
hypothesis.settings.register_profile("searching", derandomize=False, print_blob=True, **ANY_PACE)


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("hypothesis_profile"):
        hypothesis.settings.load_profile("wide" if depth_of(config) else "gate")
    as_in_tests()


def as_in_tests() -> None:
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    django_settings.STORAGES = {
        **django_settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    django_settings.LANGUAGE_CODE = "en"  # the language of the strings, so that tests read as the source does
    django_settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


# The longest first, so that no worker waits for the other at the end. While one makes the first start of the program, for
# the browser and with it the demo world of all, the others do what asks for neither.
ORDER = (
    "tests/browser/", "tests/exchange/allocation/test_kernels", "tests/observatory/test_engines", "tests/journeys/", "tests/api/test_fuzz",
    "tests/world/", "tests/api/", "tests/cli/", "tests/races/",
)  # fmt: skip
ON_POSTGRES = os.environ.get("DATABASE_URL", "").startswith("postgres")
# Every statement that is sent to SQLite is asked of PostgreSQL too (tests/echo.py). What runs there from end to end, beside every
# race and kill: the kit, then all stories. Starts, first tables and backups, which take long there, wait for the wider run.
ON_BOTH = {Depth.GATE: ("tests/kit/",), Depth.WIDE: ("tests/kit/", "tests/journeys/")}
ON_ONE = ("tests/cli/",)
BY_REST = "tests/journeys/test_a_course"  # the story that the gate hears by that door too


class Scheduling(LoadFileScheduling):
    """File by file, but one worker looks into the browser: each would start a site and a Chromium of its own."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/browser" if nodeid.startswith("tests/browser/") else super()._split_scope(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    return Scheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The order, and what is asked: all that can be, or what there is time for (decision 0020)."""
    items.sort(key=lambda item: next((at for at, start in enumerate(ORDER) if item.nodeid.startswith(start)), len(ORDER)))
    depth = depth_of(config)
    kept = [item for item in items if (depth == Depth.THOROUGH or is_asked(item, depth)) and (not ON_POSTGRES or tells_engines_apart(item))]
    if depth == Depth.GATE:
        kept = in_turn(kept)
    config.hook.pytest_deselected(items=list(set(items) - set(kept)))
    items[:] = kept


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What the second engine will not be asked need not be read for it."""
    depth = depth_of(config)
    if not ON_POSTGRES or depth == Depth.THOROUGH or collection_path.suffix != ".py":
        return None
    here = collection_path.relative_to(config.rootpath).as_posix()
    return None if here.startswith(ON_BOTH[depth]) or "mark.committed" in collection_path.read_text("utf-8") else True


def is_asked(item: pytest.Item, depth: Depth) -> bool:
    """A question is asked by the doors that cost little, at the gate of few readers; on the second engine by the door that programs use."""
    door, reader = asked_by(item)
    if depth == Depth.GATE and item.get_closest_marker("wide"):
        return False
    if ON_POSTGRES:
        committed = item.get_closest_marker("committed") is not None and not (depth == Depth.GATE and item.nodeid.startswith(ON_ONE))
        return door in ("", "api") and (committed or item.nodeid.startswith(ON_BOTH[depth]))
    if depth == Depth.GATE and door == "api" and not item.nodeid.startswith(BY_REST):
        return False
    return door != "chromium" and (depth > Depth.GATE or item.get_closest_marker("walk") is None or reader in FEW)


def in_turn(items: list[pytest.Item]) -> list[pytest.Item]:
    """Of a question that is put by so many names (`by_name`), every fourth."""
    seen: Counter[str] = Counter()
    kept = []
    for item in items:
        question = item.nodeid.partition("[")[0]
        if item.get_closest_marker("by_name") is None or seen[question] % 4 == 0:
            kept.append(item)
        seen[question] += 1
    return kept


def tells_engines_apart(item: pytest.Item) -> bool:
    """Whether a second engine could answer otherwise.

    That is what asks for a database. Who may see what is decided by the same queries for every reader, so the walks take
    one of them there. The browser looks at a program that runs on SQLite in either pass; it looks once.
    """
    walks = item.get_closest_marker("walk") is not None
    return item.get_closest_marker("browser") is None and asks_for_a_database(item) and (not walks or asked_by(item)[1] == ONE)


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
    """A request leaves its reader's language and zone behind; the next test begins in the language of the strings."""
    with translation.override("en"), timezone.override(None):
        yield


@pytest.fixture(scope="session", autouse=True)
def echo() -> Iterator["Echo | None"]:
    """What is asked of SQLite is asked of PostgreSQL too, where there is one."""
    server = os.environ.get("VSM_TEST_POSTGRES", "")
    if not server or ON_POSTGRES:
        yield None
        return
    from tests.echo import Echo, heard  # once Django is ready

    echo = Echo(server)
    with heard(echo):
        yield echo
    echo.ends()


@pytest.fixture(scope="session")
def data() -> Path:
    """The data folder of this run."""
    return Path(DATA)

"""Each story is walked by every door, in a small world of its own."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import REMEDY
from tests.browser.newcomer import chromium
from tests.environment import DATA
from tests.journeys.chromium import Chromium, Elsewhere
from tests.journeys.doors import Api, Command, Door, Pages

IN_CHROMIUM = pytest.param("chromium", marks=pytest.mark.browser)


@pytest.fixture(autouse=True)
def _an_index_of_its_own() -> None:
    """Rolled-back tests reuse the numbers of the catalogue's change log, which a real database never does."""
    shutil.rmtree(Path(DATA) / "index", ignore_errors=True)


@pytest.fixture(params=["pages", "api", "command"])
def door(request: pytest.FixtureRequest, tmp_path: Path, capsys: Any, db: None) -> Iterator[Door]:
    doors: dict[str, Callable[[], Door]] = {"pages": Pages, "api": Api, "command": lambda: Command(tmp_path, capsys)}
    if request.param != "chromium":
        yield doors[request.param]()
        return
    windows = Chromium(request.getfixturevalue("elsewhere"))
    yield windows
    windows.close()


@pytest.fixture(scope="package")
def elsewhere() -> Iterator[Elsewhere]:
    """One Chromium for all stories."""
    program = chromium()
    if not program and "browser" in os.environ.get("VSM_REQUIRE", "").split(","):
        pytest.fail(REMEDY)
    if not program:
        pytest.skip(REMEDY)
    found = Elsewhere(program)
    yield found
    found.end()

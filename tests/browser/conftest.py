"""One site and one Chromium for all tests here; both end before tests that use the database in this process go on."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.newcomer import a_site, begin, chromium
from tests.browser.visitor import PATIENCE
from tests.depth import Depth, depth_of

REMEDY = "needs Chromium: apt install chromium"


@pytest.fixture(scope="package")
def program() -> str:
    """Where Chromium is; without one the tests are skipped, or fail where VSM_REQUIRE asks for them."""
    found = chromium()
    if not found and "browser" in os.environ.get("VSM_REQUIRE", "").split(","):
        pytest.fail(REMEDY)
    if not found:
        pytest.skip(REMEDY)
    return found


@pytest.fixture(scope="package")
def browser(program: str) -> Iterator[Browser]:
    # Package, not session: while Playwright's loop runs, Django refuses the database in this thread.
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def site(program: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of the demo world, started as a newcomer starts it: in an empty folder, or at the gate in one that is ready."""
    folder: Path = tmp_path_factory.mktemp("newcomer")
    if depth_of(request.config) is Depth.GATE:
        begin(folder / "data")
    with a_site(folder / "data") as base:
        yield base

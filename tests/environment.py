"""Loaded before Django's settings are (`-p tests.environment`): the suite works in a throw-away folder, never in `var/`."""

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.depth import Depth, depth_of

# Nothing of what loading and collecting make becomes rubbish. Looking through it again and again took a quarter of that
# time, and once more at the end of each process.
gc.disable()
# As `./vsm` does: whoever wants no compiled modules beside the sources has them in .venv. With none kept anywhere each run, and
# each process that it starts, would compile a thousand modules again.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
    sys.dont_write_bytecode = False
    sys.pycache_prefix = os.environ.setdefault("PYTHONPYCACHEPREFIX", str(Path(sys.prefix) / "compiled"))

DATA = tempfile.mkdtemp(prefix="vsm-tests-")
# The workers of one run share a folder: its path stands in the environment that they inherit from the process that began.
BEGAN = "VSM_TESTS_SHARED" not in os.environ
SHARED = tempfile.mkdtemp(prefix="vsm-tests-shared-") if BEGAN else os.environ["VSM_TESTS_SHARED"]
os.environ["VSM_TESTS_SHARED"] = SHARED
os.environ["VSM_DATA"] = DATA
os.environ["VSM_BASE_URL"] = "http://testserver"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--wide", action="store_true", help="also what repeats a question for more pages and acts, and what takes long")
    parser.addoption("--thorough", action="store_true", help="also what repeats a question for every reader, page and door, and every test on either engine")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    collected = yield
    gc.freeze()
    # Looked through more seldom than Python would: what tests leave behind is little beside what a process may hold.
    gc.set_threshold(50_000, 20, 50)
    gc.enable()
    return collected


def pytest_unconfigure() -> None:
    """Nothing of a run stays behind; the process that began it ends last."""
    for folder in (DATA, SHARED) if BEGAN else (DATA,):
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def depth(request: pytest.FixtureRequest) -> Depth:
    """How much this run asks."""
    return depth_of(request.config)

"""A data folder and an address of its own for each test, the worker's wiring as the composition root has it, quick keys."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.exchange.credentials import given
from vsm.config import settings
from vsm.exchange.credentials import tasks
from vsm.kit import clock, events, key_store

WIRING = {
    "credential.requested": tasks.sign_credential,
    "credential.revoked": tasks.publish_revocation,
    "issuer.rotation_requested": tasks.rotate_keys,
}


@pytest.fixture(autouse=True)
def own_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Keys are made in the data folder; a test must not leave any in another's."""
    monkeypatch.setenv("VSM_DATA", str(tmp_path))
    monkeypatch.setenv("VSM_BASE_URL", "http://testserver")
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture(autouse=True)
def stopped_clock() -> Iterator[None]:
    """Every test happens on the day of its world, whenever it runs."""
    with clock.stopped_at(given.NOW):
        yield


@pytest.fixture(autouse=True)
def wired(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only this slice's own tasks listen; what others do with these events is tested where they live."""
    wiring = {topic: [task] for topic, task in WIRING.items()}
    monkeypatch.setattr(events, "_SUBSCRIBERS", defaultdict(list, wiring))


@pytest.fixture(autouse=True)
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rounds that make a stolen key file useless make each test slow; the key store's own tests keep them."""
    monkeypatch.setattr(key_store, "ROUNDS", 1000)


@pytest.fixture
def world(db: None) -> given.World:
    return given.world()

"""The world of these tests."""

import pytest

from tests.exchange.mobilities import given


@pytest.fixture
def world(db: None) -> given.World:
    return given.world()

"""The world of these tests."""

import pytest

from tests.exchange.learning_agreements import given


@pytest.fixture
def world(db: None) -> given.World:
    return given.world()

"""A first start lays out today's tables at once, and one that is interrupted meanwhile is begun again."""

import pytest

from tests.races.ground import ran

pytestmark = pytest.mark.committed


def test_every_migration_is_noted_and_the_next_start_has_nothing_to_do(environment: dict[str, str]) -> None:
    first, second = ran(environment, "tests.cli.starts:twice")
    assert first.endswith(" migrations")
    assert second == ""


def test_tables_that_an_interrupted_start_left_are_laid_out_again(environment: dict[str, str]) -> None:
    ran(environment, "tests.cli.starts:interrupted")
    assert ran(environment, "tests.cli.starts:begun_again") == 0


def test_a_database_that_was_migrated_once_is_never_laid_out_again(environment: dict[str, str]) -> None:
    ran(environment, "tests.cli.starts:one_step_behind")
    assert ran(environment, "tests.cli.starts:looked_at") == {"untouched": False, "hubs": 1}

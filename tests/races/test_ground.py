"""The ground of the races: whoever begins anew finds what the tables had at first."""

import pytest
from django.db import connection

from tests.races.ground import Play

pytestmark = pytest.mark.committed


def without_its_constraint() -> dict[str, bool]:
    """Whether the constraint stood there; it is taken away."""
    from vsm.exchange.programmes.models import TermEnrolment

    held = next(each for each in TermEnrolment._meta.constraints if each.name == "one_enrolment_per_term")
    with connection.cursor() as cursor:
        there = held.name in connection.introspection.get_constraints(cursor, TermEnrolment._meta.db_table)
    if there:
        with connection.schema_editor() as editor:
            editor.remove_constraint(TermEnrolment, held)
    return {"there": there}


def test_what_a_control_took_away_is_there_again_for_the_next(play: Play) -> None:
    scenario = "tests.races.test_ground:without_its_constraint"
    assert [play(scenario)["there"], play(scenario)["there"], play(scenario, anew=True)["there"]] == [True, False, True]

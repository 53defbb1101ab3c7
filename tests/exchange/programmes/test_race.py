"""A decision and an enrolment happen once, whoever else is quick and whatever is killed. Beside them their control."""

import pytest

from tests.races.ground import Play

pytestmark = pytest.mark.committed
ONCE = "tests.exchange.programmes.racing:once"


def test_a_decision_and_an_enrolment_happen_once_whoever_is_quick_and_whatever_is_killed(play: Play) -> None:
    assert play(ONCE, naive=False) == {
        "deciding": {"done": 1, "raised": ["Refused"], "told": 1},
        "enrolling": {"done": 1, "raised": ["Refused"] * 3, "enrolments": 1},
        "killed": {"signal": 9, "left": 0, "raised": [], "enrolments": 1, "modules": 1, "faults": []},
    }


def test_without_locks_transaction_and_constraint_they_happen_twice_or_by_half(play: Play) -> None:
    answer = play(ONCE, naive=True)
    assert answer["deciding"]["done"] == 2
    assert answer["enrolling"]["enrolments"] == 1, "the database's constraint is a defence of its own"
    assert answer["without its constraint"]["enrolments"] > 1
    assert (answer["killed"]["left"], answer["killed"]["modules"]) == (1, 0)

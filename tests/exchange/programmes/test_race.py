"""A decision and an enrolment happen once, whoever else is quick and whatever is killed. Beside them their control."""

from typing import Any

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
    """The negative control. Whoever finds the database busy looks again, and so may see in time what another wrote: then it is tried anew."""
    tries: list[dict[str, Any]] = []
    while len(tries) < 6 and not any(twice(answer) for answer in tries):
        tries.append(play(ONCE, anew=True, naive=True))
    assert twice(tries[-1])
    assert {answer["enrolling"]["enrolments"] for answer in tries} == {1}, "the database's constraint is a defence of its own"
    assert {(answer["killed"]["left"], answer["killed"]["modules"]) for answer in tries} == {(1, 0)}


def twice(answer: dict[str, Any]) -> bool:
    """Both officers decided, and without its constraint one term was chosen several times."""
    return bool(answer["deciding"]["done"] == 2 and answer["without its constraint"]["enrolments"] > 1)

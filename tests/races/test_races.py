"""Several people at once. Beside each test stands its control: the naive way, which must show the fault, or the test above
it could not see it. Seeds are printed, so that a failure can be repeated."""

import random

import pytest

from tests.races.ground import Play

pytestmark = pytest.mark.committed
SCENARIOS = "tests.races.scenarios"
SEED = random.SystemRandom().randrange(10**6)


def test_exactly_the_seats_that_exist_are_taken(play: Play) -> None:
    answer = play(f"{SCENARIOS}:seats", takers=40, seats=7, seed=SEED, naive=False)
    assert answer == {"sold": 7, "told": {"taken": 7, "Refused": 33}, "entries": 7, "faults": []}


def test_the_naive_way_sells_seats_that_do_not_exist(play: Play) -> None:
    answer = play(f"{SCENARIOS}:seats", takers=40, seats=7, seed=SEED, naive=True)
    assert answer["sold"] > 7


def test_no_edit_is_lost_when_twelve_people_edit_the_same_record(play: Play) -> None:
    answer = play(f"{SCENARIOS}:lost_updates", editors=12, edits=15, seed=SEED, naive=False)
    assert (answer["failed"], answer["faults"]) == ([], [])
    assert (answer["kept"], answer["version"]) == (180, 181)
    assert answer["conflicts"] > 0, "nobody met anybody: this run proves nothing"


def test_the_naive_way_loses_edits(play: Play) -> None:
    answer = play(f"{SCENARIOS}:lost_updates", editors=12, edits=15, seed=SEED, naive=True)
    assert answer["failed"] == []
    assert answer["kept"] < 180


def test_twenty_deliveries_of_one_request_have_one_effect_and_one_answer(play: Play) -> None:
    answer = play(f"{SCENARIOS}:same_key", deliveries=20, keyed=True)
    assert answer == {"lines": 1, "answers": 1, "failed": [], "keys": 1}


def test_without_a_key_every_delivery_has_its_effect(play: Play) -> None:
    answer = play(f"{SCENARIOS}:same_key", deliveries=20, keyed=False)
    assert answer == {"lines": 20, "answers": 20, "failed": [], "keys": 0}


def test_eight_writers_append_one_whole_audit_chain(play: Play) -> None:
    answer = play(f"{SCENARIOS}:appends", writers=8, each=25)
    assert answer == {"links": 200, "failed": [], "faults": []}


def test_of_eight_who_confirm_the_same_address_one_gets_it_and_the_others_are_told(play: Play) -> None:
    answer = play(f"{SCENARIOS}:one_address", takers=8, naive=False)
    assert answer == {"owners": 1, "told": {"confirmed": 1, "Conflict": 7}, "waiting": 7, "faults": []}


def test_the_naive_way_breaks_on_the_constraint_and_tells_nobody_why(play: Play) -> None:
    answer = play(f"{SCENARIOS}:one_address", takers=8, naive=True)
    assert (answer["owners"], answer["told"].get("IntegrityError", 0) > 0) == (1, True)

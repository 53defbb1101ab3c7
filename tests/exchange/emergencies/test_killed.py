"""A switch whose worker is killed again and again: everybody switched once, told once, with the credits they had.

Beside it stands the naive way, which tells people twice under the same kills; the seed is printed.
"""

import random

import pytest

from tests.races.ground import Play

pytestmark = pytest.mark.committed
SCENARIOS = "tests.exchange.emergencies.scenarios"
SEED = random.SystemRandom().randrange(10**6)
STUDENTS, COURSES = 80, 8
WHOLE = {
    "cases": {"switched": STUDENTS}, "versions": 2 * STUDENTS, "credits_kept": STUDENTS, "signatures": 2 * STUDENTS, "switches": 3 * STUDENTS,
    "enrolments": 3 * STUDENTS, "twice": 0, "faults": [], "dead_jobs": 0, "students": STUDENTS,
    "letters": {"emergency_found": STUDENTS, "emergency_proposed": STUDENTS, "emergency_switched": STUDENTS},
}  # fmt: skip


def test_a_killed_worker_leaves_everybody_switched_once_and_told_once(play: Play) -> None:
    answer = play(f"{SCENARIOS}:killed", students=STUDENTS, courses=COURSES, seed=SEED, naive=False, kills=2)
    assert (answer.pop("killed") > 0, answer.pop("halfway")) == (True, True), "nothing was killed in the middle: this run proves nothing"
    assert answer == WHOLE


def test_the_naive_way_tells_people_twice(play: Play) -> None:
    answer = play(f"{SCENARIOS}:killed", students=STUDENTS, courses=COURSES, seed=SEED, naive=True, kills=2)
    assert answer["killed"] > 0
    assert answer["twice"] > 0


def test_two_workers_on_one_run_do_each_case_once(play: Play) -> None:
    answer = play(f"{SCENARIOS}:two_at_once", students=STUDENTS, courses=COURSES, seed=SEED)
    assert answer.pop("failed") == []
    assert answer == WHOLE

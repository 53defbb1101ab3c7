"""The audit under policies: no other placement is certified, and each planted fault is found by its name."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings

from tests.exchange.allocation.oracle import wishes
from tests.exchange.allocation.oracle_policies import seeds, stable_matchings, with_policies, with_reserves
from tests.exchange.allocation.test_audit import Fields, place, unplace, written
from tests.exchange.allocation.test_policies import solved
from vsm.exchange.allocation import audit
from vsm.exchange.allocation.problem import (
    Bound,
    Choice,
    Meeting,
    Offering,
    Problem,
    Quota,
    Reserve,
    Student,
    canonical_json,
)
from vsm.exchange.allocation.solver import allocate

law = settings(deadline=None, max_examples=100)


@law
@given(seeds())
def test_with_reserves_any_other_placement_is_refused_however_consistently_it_is_written(random: Any) -> None:
    problem = with_reserves(random)
    right = allocate(problem).canonical
    seats = frozenset(
        (student.id, offering) for student in problem.students for offering in wishes(student) if random.random() < 0.5
    )
    forged = written(problem, seats)

    assert audit.check(problem.canonical, right).proved == audit.PROVED
    assert bool(audit.check(problem.canonical, forged).violations) == (forged != right)


@settings(deadline=None, max_examples=40)
@given(seeds())
def test_of_all_stable_matchings_with_reserves_only_the_best_for_students_is_certified(random: Any) -> None:
    problem = with_reserves(random, most_students=4)
    right = allocate(problem).canonical

    for matching in stable_matchings(problem):
        forged = written(problem, matching)
        codes = {reason.code for reason in audit.check(problem.canonical, forged).violations}
        assert codes == (set() if forged == right else {"not-student-optimal"})


@law
@given(seeds())
def test_taking_a_wanted_seat_away_is_found_under_every_policy(random: Any) -> None:
    problem = with_policies(random)
    outcome = solved(problem)
    if outcome is None or not outcome.placements or outcome.pledged:
        return
    gone = random.choice(outcome.placements)
    fields = json.loads(outcome.canonical)
    fields["placements"].remove(list(gone))

    assert audit.check(problem.canonical, canonical_json(fields)).violations


PROBLEM = Problem.of(
    offerings=[
        Offering("algebra", 1, reserves=(Reserve("rural", 1),)),
        Offering("biology", 2, labels=("chile",)),
        Offering("chemistry", 3, bounds=(Bound("first", 1, 1),)),
    ],
    students=[
        Student("ana", 1, (Choice(1, "algebra", 3),), groups=("rural",)),
        Student("bia", 1, (Choice(1, "algebra", 1),)),
        Student("carla", 1, (Choice(1, "biology", 1),), origin="andina"),
        Student("dora", 1, (Choice(1, "biology", 2), Choice(2, "chemistry", 1)), origin="andina", groups=("first",)),
        Student("eva", 1, (Choice(1, "biology", 3),), origin="garoa"),
        Student("fay", 1, (Choice(1, "chemistry", 2),), groups=("first",)),
    ],
    seed="corn",
    quotas=[Quota("andina in chile", ("andina",), ("chile",), maximum=1)],
)
TIMETABLED = Problem.of(
    offerings=[Offering("algebra", 1, meetings=(Meeting(0, 90),), credits=600), Offering("biology", 1, meetings=(Meeting(60, 99),))],
    students=[Student.ranking("ana", [("algebra", 1), ("biology", 1)], 2, credits_range=(0, 900))],
    seed="corn",
)


def swap(fields: Fields, student: str, other: str, offering: str, rank: int = 1) -> None:
    unplace(fields, other)
    place(fields, [student, offering, rank])


FAULTS: dict[str, tuple[str, Callable[[Fields], object]]] = {
    "more of a quota than it allows": ("limit-broken", lambda f: swap(f, "dora", "eva", "biology")),
    "a minimum missed": ("limit-broken", lambda f: unplace(f, "dora")),
    "more of a group than may": ("limit-broken", lambda f: place(f, ["fay", "chemistry", 1])),
    "her seat given to a worse one of the same standing": ("justified-envy", lambda f: swap(f, "dora", "carla", "biology")),
    "a seat wasted that a quota would allow": ("wasted-seat", lambda f: unplace(f, "eva")),
    "a pledge that no minimum asks for": ("pledge-without-minimum", lambda f: f["pledged"].append(["eva", "biology"])),
    "a pledge to somebody who is not there": ("pledge-without-minimum", lambda f: f["pledged"].append(["zoe", "biology"])),
}


@pytest.mark.parametrize(("code", "plant"), FAULTS.values(), ids=FAULTS.keys())
def test_a_planted_fault_is_found_by_name(code: str, plant: Callable[[Fields], object]) -> None:
    right = allocate(PROBLEM)
    assert [(p.student, p.offering) for p in right.placements] == [
        ("ana", "algebra"), ("carla", "biology"), ("dora", "chemistry"), ("eva", "biology"),
    ]  # fmt: skip
    assert audit.check(PROBLEM.canonical, right.canonical).proved == (
        "digests", "individual-rationality", "capacity", "limits", "no-justified-envy", "non-wastefulness",
    )  # fmt: skip
    fields = json.loads(right.canonical)
    plant(fields)
    audited = audit.check(PROBLEM.canonical, canonical_json(fields))

    assert code in [reason.code for reason in audited.violations]
    assert audited.proved == ()
    for reason in audited.violations:
        assert reason.text % reason.params


def test_a_reserved_seat_given_to_somebody_else_is_envied_with_right() -> None:
    problem = PROBLEM.but(quotas=[], offerings=[PROBLEM.offerings[0], Offering("biology", 2), Offering("chemistry", 3)])
    fields = json.loads(allocate(problem).canonical)
    swap(fields, "bia", "ana", "algebra")
    found = audit.check(problem.canonical, canonical_json(fields)).violations

    assert {"student": "ana", "offering": "algebra", "instead": "bia"} in [reason.params for reason in found]


@pytest.mark.parametrize("other", [["ana", "biology", 2]])
def test_seats_that_clash_are_found(other: list[object]) -> None:
    fields = json.loads(allocate(TIMETABLED).canonical)
    place(fields, other)
    found = audit.check(TIMETABLED.canonical, canonical_json(fields)).violations

    assert "timetable-broken" in [reason.code for reason in found]


def test_an_unknown_way_with_timetables_is_not_certified() -> None:
    fields = json.loads(TIMETABLED.canonical)
    fields["timetable"] = "by hand"
    found = audit.check(canonical_json(fields), allocate(TIMETABLED).canonical).violations

    assert "unknown-rule" in [reason.code for reason in found]


def test_format_1_stays_as_it_was_published() -> None:
    plain = Problem.of(offerings=[Offering("algebra", 1)], students=[Student.ranking("ana", [("algebra", 1)])], seed="corn")

    assert b'"vsm-allocation-problem-1"' in plain.canonical
    assert b'"vsm-allocation-outcome-1"' in allocate(plain).canonical
    assert b'"vsm-allocation-problem-2"' in PROBLEM.canonical
    assert b'"vsm-allocation-outcome-2"' in allocate(PROBLEM).canonical
    assert Problem.from_bytes(PROBLEM.canonical) == PROBLEM

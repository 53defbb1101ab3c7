"""Outcomes in numbers: mechanisms side by side, what-if, reciprocity."""

import pytest
from hypothesis import given, settings

from tests.exchange.allocation.oracle import admitted, wants
from tests.exchange.allocation.oracle_policies import priority, seeds, with_reserves
from tests.exchange.allocation.test_solver import matching
from vsm.exchange.allocation.comparison import Balance, Difference, Share, compare, difference, ledger, what_if
from vsm.exchange.allocation.problem import Bound, Lottery, Mechanism, Offering, Problem, Quota, Reserve, Student
from vsm.exchange.allocation.solver import allocate
from vsm.kit.errors import Invalid

PROBLEM = Problem.of(
    offerings=[
        Offering("algebra", 1, (Reserve("rural", 1),), (Bound("rural", maximum=1),), labels=("mapocho",)),
        Offering("biology", 1, labels=("andina",)),
    ],
    students=[
        Student.ranking("ana", [("algebra", 2), ("biology", 2)], groups=("rural",), origin="andina"),
        Student.ranking("bia", [("algebra", 1), ("biology", 1)], origin="andina"),
        Student.ranking("carla", [("biology", 3)], groups=("first", "rural"), origin="mapocho"),
    ],
    seed="corn",
    quotas=[Quota("all", maximum=3)],
)


def test_three_mechanisms_stand_side_by_side() -> None:
    summaries = compare(PROBLEM)

    assert [each.mechanism for each in summaries] == [*Mechanism]
    accepted, in_turn, best_sum = summaries
    assert accepted.everybody == Share(students=3, placed=2, first=1, seats=2)
    assert accepted.ranks == {1: 1, 2: 1}
    assert accepted.groups == {"first": Share(1, 0, 0, 0), "rural": Share(2, 1, 1, 1)}
    assert accepted.origins == {"andina": Share(2, 2, 1, 2), "mapocho": Share(1, 0, 0, 0)}
    assert (accepted.offerings, accepted.seats_left) == ({"algebra": 0, "biology": 0}, 0)
    assert [(each.quota, each.offering, each.group, each.seats, each.maximum) for each in accepted.limits] == [
        ("all", "", "", 2, 3),
        ("", "algebra", "rural", 1, 1),
    ]
    assert (accepted.envy, best_sum.ranks) == (0, {1: 2})
    assert best_sum.envy == 1
    assert in_turn.outcome == allocate(PROBLEM.but(mechanism="serial_dictatorship"))


@settings(deadline=None, max_examples=60)
@given(seeds())
def test_envy_counts_pairs_by_published_priority(random: object) -> None:
    """Without reserves, as told: somebody wants a seat of somebody who goes after her."""
    drawn = with_reserves(random)  # type: ignore[arg-type]
    problem = drawn.but(offerings=[Offering(e.id, e.capacity) for e in drawn.offerings], lottery=Lottery.SINGLE)
    by_priority = problem.but(mechanism=Mechanism.DEFERRED_ACCEPTANCE)
    for each in compare(problem):
        seats = matching(each.outcome)
        pairs = sum(
            priority(by_priority, student.id, offering.id) < priority(by_priority, other, offering.id)
            for student in problem.students
            for offering in problem.offerings
            if offering.id in [choice.offering for choice in student.choices] and wants(seats, student, offering.id)
            for other in admitted(seats, offering.id)
        )
        assert each.envy == pairs


def test_what_if_changes_seats_reserves_quotas_and_mechanism_and_nothing_else() -> None:
    changed = what_if(
        PROBLEM, capacities={"biology": 2}, reserves={"algebra": {}}, quotas=(), mechanism="serial_dictatorship"
    )

    assert changed.offering("biology").capacity == 2
    assert changed.offering("algebra") == Offering("algebra", 1, (), (Bound("rural", maximum=1),), labels=("mapocho",))
    assert (changed.quotas, changed.mechanism, changed.students) == ((), "serial_dictatorship", PROBLEM.students)
    assert what_if(PROBLEM) == PROBLEM
    with pytest.raises(Invalid, match="reserves-exceed-seats"):
        what_if(PROBLEM, reserves={"biology": {"rural": 2}})
    with pytest.raises(KeyError):
        what_if(PROBLEM, capacities={"zoology": 2})


def test_a_difference_says_how_many_are_better_off() -> None:
    before, after = allocate(PROBLEM), allocate(what_if(PROBLEM, reserves={"algebra": {}}, capacities={"biology": 2}))

    assert difference(PROBLEM, before, after) == Difference(better=2, worse=1, same=0, undecided=0, placed=1, seats=1)
    assert difference(PROBLEM, before, before) == Difference(better=0, worse=0, same=3, undecided=0, placed=0, seats=0)


def test_the_ledger_says_what_the_balance_becomes() -> None:
    outcome = allocate(PROBLEM)
    (first, second) = ledger(PROBLEM, outcome, {("mapocho", "andina"): 3, ("andina", "mapocho"): -3})

    assert (first.here, second) == ("andina", Balance("mapocho", "andina", before=3, given=1, received=0))
    assert second.after == 4
    assert first.after == -4


def test_who_has_fewer_credits_than_her_least_is_counted() -> None:
    ana = Student.ranking("ana", [("algebra", 1)], credits_range=(900, 1200))
    problem = Problem.of(offerings=[Offering("algebra", 1, credits=600)], students=[ana], seed="corn")

    assert [each.few_credits for each in compare(problem)] == [1, 1, 1]
    assert [each.few_credits for each in compare(problem.but(offerings=[Offering("algebra", 0, credits=600)]))] == [0, 0, 0]

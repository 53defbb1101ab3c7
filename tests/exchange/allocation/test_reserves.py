"""Who takes a reserved seat: the choice of an offering against the rule as it is told, and what it promises."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchange.allocation.oracle import admitted, at_least_as_good, held, wishes
from tests.exchange.allocation.oracle_policies import (
    is_stable,
    minority_reserve,
    most_filled,
    rounds_with_reserves,
    seeds,
    stable_matchings,
    with_reserves,
)
from tests.exchange.allocation.test_solver import assert_no_misreport_helps, matching
from vsm.exchange.allocation.problem import Offering, Problem, Reserve, Student
from vsm.exchange.allocation.reserves import choose, filled, threshold
from vsm.exchange.allocation.solver import allocate

law = settings(deadline=None, max_examples=120)
slow_law = settings(deadline=None, max_examples=30)
applicants = st.dictionaries(st.integers(0, 40), st.integers(0, 7), max_size=8).map(lambda each: [*each.items()])
reserved = st.lists(st.integers(0, 2), min_size=3, max_size=3)


@law
@given(applicants, st.integers(0, 6), st.integers(0, 6))
def test_with_one_group_the_choice_is_the_minority_reserve(people: list[tuple[int, int]], capacity: int, seats: int) -> None:
    one_group = [(key, of & 1) for key, of in people]
    expected = minority_reserve([(key, bool(of)) for key, of in one_group], capacity, min(seats, capacity))

    assert choose(one_group, capacity, [min(seats, capacity)]) == sorted(expected)


@law
@given(applicants, reserved, st.integers(0, 3))
def test_as_many_reserved_seats_are_filled_as_can_be(people: list[tuple[int, int]], seats: list[int], more: int) -> None:
    capacity = sum(seats) + more
    slots = [str(bit) for bit, each in enumerate(seats) for _ in range(each)]

    def groups(of: int) -> frozenset[str]:
        return frozenset(str(bit) for bit in range(3) if of >> bit & 1)

    taken = choose(people, capacity, seats)
    counts: dict[int, int] = {}
    for _, of in people:
        counts[of] = counts.get(of, 0) + 1
    most = most_filled([groups(of) for _, of in people], slots)

    assert most_filled([groups(dict(people)[key]) for key in taken], slots) == most == filled(counts, seats)
    assert len(taken) == min(capacity, len(people))


@law
@given(applicants, reserved, st.integers(0, 3), st.randoms())
def test_more_applicants_never_help_one_and_more_seats_never_harm_one(
    people: list[tuple[int, int]], seats: list[int], more: int, random: Random
) -> None:
    capacity = sum(seats) + more
    taken = {*choose(people, capacity, seats)}
    some = [each for each in people if random.random() < 0.7]

    assert taken & {key for key, _ in some} <= {*choose(some, capacity, seats)}  # substitutes
    assert len(choose(some, capacity, seats)) <= len(taken)  # law of aggregate demand
    assert taken <= {*choose(people, capacity + 1, seats)}
    assert {*choose(random.sample(people, len(people)), capacity, seats)} == taken


@law
@given(applicants, reserved, st.integers(0, 3), st.integers(0, 7), st.integers(0, 40))
def test_the_threshold_is_what_a_newcomer_must_beat(
    people: list[tuple[int, int]], seats: list[int], more: int, of: int, key: int
) -> None:
    capacity = sum(seats) + more
    inside = [(2 * each, groups) for each, groups in people if each in choose(people, capacity, seats)]
    if len(inside) < capacity or not capacity:
        return
    last, newcomer = threshold(inside, of, seats), 2 * key + 1

    assert (last is None or newcomer < last) == (newcomer in choose([*inside, (newcomer, of)], capacity, seats))


@law
@given(seeds())
def test_deferred_acceptance_with_reserves_is_what_the_textbook_rounds_give(random: Random) -> None:
    problem = with_reserves(random)
    found = matching(allocate(problem))

    assert found == rounds_with_reserves(problem)
    assert is_stable(problem, found)


@slow_law
@given(seeds())
def test_no_student_is_better_off_in_any_other_stable_matching_with_reserves(random: Random) -> None:
    problem = with_reserves(random, most_students=4)
    best = matching(allocate(problem))

    for other in stable_matchings(problem):
        for student in problem.students:
            assert at_least_as_good(student, held(best, student.id), held(other, student.id))


@slow_law
@given(seeds())
def test_with_one_seat_each_no_misreport_helps_under_reserves(random: Random) -> None:
    assert_no_misreport_helps(with_reserves(random, most_students=4, most_wanted=1))


@law
@given(seeds())
def test_more_seats_beside_the_same_reserves_harm_no_student(random: Random) -> None:
    problem = with_reserves(random)
    larger = problem.but(
        offerings=[Offering(each.id, each.capacity + random.randint(0, 1), each.reserves) for each in problem.offerings]
    )
    before, after = matching(allocate(problem)), matching(allocate(larger))

    for student in problem.students:
        assert at_least_as_good(student, held(after, student.id), held(before, student.id))


@law
@given(seeds())
def test_nobody_outside_her_group_has_a_seat_that_a_member_wanted_for_a_reserve(random: Random) -> None:
    """Reserves are respected: a reserved seat that is not filled by its group is one that no member waits for."""
    problem = with_reserves(random)
    outcome = allocate(problem)

    for admission in outcome.admissions:
        offering = problem.offering(admission.offering)
        slots = [group for group, seats in offering.reserves for _ in range(seats)]
        inside = [frozenset(problem.student(each).groups) for each in admitted(matching(outcome), offering.id)]
        for student in admission.waiting:
            more = [*inside, frozenset(problem.student(student).groups)]
            assert not offering.capacity or most_filled(more, slots) == most_filled(inside, slots)


def test_a_larger_reserve_may_harm_a_member_of_its_group() -> None:
    """The counter-example to what is *not* promised: a reserve sends somebody on, who may displace a member elsewhere."""
    students = [
        Student.ranking("ana", [("biology", 1), ("algebra", 1)], groups=("rural",)),
        Student.ranking("bia", [("algebra", 1), ("biology", 0)]),
        Student.ranking("carla", [("algebra", 2)], groups=("rural",)),
    ]
    without = Problem.of(offerings=[Offering("algebra", 1), Offering("biology", 1)], students=students, seed="corn")
    reserving = without.but(offerings=[Offering("algebra", 1, (Reserve("rural", 1),)), Offering("biology", 1)])

    assert matching(allocate(without)) == {("ana", "biology"), ("bia", "algebra")}
    assert matching(allocate(reserving)) == {("ana", "algebra"), ("bia", "biology")}


def test_who_belongs_to_two_groups_fills_one_reserved_seat() -> None:
    offering = Offering("algebra", 3, (Reserve("disability", 1), Reserve("rural", 1)))
    students = [
        Student.ranking("ana", [("algebra", 1)], groups=("disability", "rural")),
        Student.ranking("bia", [("algebra", 9)], groups=("rural",)),
        Student.ranking("carla", [("algebra", 2)]),
        Student.ranking("dora", [("algebra", 3)]),
    ]
    problem = Problem.of(offerings=[offering], students=students, seed="corn")

    assert admitted(matching(allocate(problem)), "algebra") == {"ana", "bia", "carla"}
    assert wishes(students[0]) == ["algebra"]


def test_what_a_group_does_not_fill_goes_to_everybody() -> None:
    students = [Student.ranking(name, [("algebra", 1)]) for name in ("ana", "bia")]
    problem = Problem.of(offerings=[Offering("algebra", 2, (Reserve("rural", 2),))], students=students, seed="corn")

    assert admitted(matching(allocate(problem)), "algebra") == {"ana", "bia"}

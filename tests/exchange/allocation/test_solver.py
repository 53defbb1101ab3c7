"""The solver gives what the theory promises, compared with an oracle that is too slow to be wrong."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.exchange.allocation.oracle import (
    Matching,
    at_least_as_good,
    held,
    is_stable,
    liking,
    priority,
    problems,
    rounds_of_deferred_acceptance,
    stable_matchings,
    taking_turns,
    wants,
    wishes,
)
from vsm.exchange.allocation import lottery
from vsm.exchange.allocation.problem import Mechanism, Offering, Problem, Student
from vsm.exchange.allocation.solver import Outcome, Placement, allocate
from vsm.kit.errors import Invalid

law = settings(deadline=None, max_examples=80)
slow_law = settings(deadline=None, max_examples=40)

ONE_EACH = [Offering("algebra", 1), Offering("biology", 1), Offering("chemistry", 1)]


def matching(outcome: Outcome) -> Matching:
    return frozenset((placement.student, placement.offering) for placement in outcome.placements)


@law
@given(problems(mechanism=Mechanism.DEFERRED_ACCEPTANCE))
def test_deferred_acceptance_is_what_the_textbook_rounds_give(problem: Problem) -> None:
    assert matching(allocate(problem)) == rounds_of_deferred_acceptance(problem)


@law
@given(problems(mechanism=Mechanism.SERIAL_DICTATORSHIP))
def test_serial_dictatorship_is_what_taking_turns_gives(problem: Problem) -> None:
    assert matching(allocate(problem)) == taking_turns(problem) == rounds_of_deferred_acceptance(problem)


@law
@given(problems())
def test_every_outcome_is_stable(problem: Problem) -> None:
    assert is_stable(problem, matching(allocate(problem)))


@slow_law
@given(problems(most_students=4, most_seats_wanted=2))
def test_no_student_is_better_off_in_any_other_stable_matching(problem: Problem) -> None:
    best = matching(allocate(problem))

    for other in stable_matchings(problem):
        for student in problem.students:
            assert at_least_as_good(student, held(best, student.id), held(other, student.id))


@slow_law
@given(problems(most_students=4, most_offerings=3, most_seats_wanted=1))
def test_with_one_seat_each_no_misreport_helps(problem: Problem) -> None:
    assert_no_misreport_helps(problem)


@slow_law
@given(problems(most_students=4, most_offerings=3, mechanism=Mechanism.SERIAL_DICTATORSHIP))
def test_in_serial_dictatorship_no_misreport_helps_with_several_seats_either(problem: Problem) -> None:
    assert_no_misreport_helps(problem)


def test_with_two_seats_a_misreport_can_help() -> None:
    """The counter-example to what is *not* promised: nobody may be told that honesty always pays when k > 1."""
    ana = Student.ranking("ana", [("algebra", 2), ("biology", 1), ("chemistry", 1)], seats_wanted=2)
    bia = Student.ranking("bia", [("biology", 2), ("algebra", 1), ("chemistry", 2)])
    honest = Problem.of(offerings=ONE_EACH, students=[ana, bia], seed="corn")
    without_biology = Student.ranking("ana", [("algebra", 2), ("chemistry", 1)], seats_wanted=2)

    assert held(matching(allocate(honest)), "ana") == {"biology", "chemistry"}
    assert held(matching(allocate(with_student(honest, without_biology))), "ana") == {"algebra", "chemistry"}


def test_two_students_may_both_wish_to_swap_where_a_third_stands_in_the_way() -> None:
    """The other thing that deferred acceptance does not promise: the swap would wrong Carla, who goes before Bia."""
    problem = Problem.of(
        offerings=ONE_EACH[:2],
        students=[
            Student.ranking("ana", [("biology", 2), ("algebra", 1)]),
            Student.ranking("bia", [("algebra", 3), ("biology", 1)]),
            Student.ranking("carla", [("algebra", 2), ("biology", 3)]),
        ],
        seed="corn",
    )

    assert matching(allocate(problem)) == {("ana", "algebra"), ("bia", "biology")}


@law
@given(problems(), st.data())
def test_more_seats_harm_no_student(problem: Problem, data: st.DataObject) -> None:
    more = [Offering(each.id, each.capacity + data.draw(st.integers(0, 1))) for each in problem.offerings]
    before, after = matching(allocate(problem)), matching(allocate(with_offerings(problem, more)))

    for student in problem.students:
        assert at_least_as_good(student, held(after, student.id), held(before, student.id))


def test_fewer_seats_harm_somebody() -> None:
    """Taking a seat away does harm somebody: the law above would be empty if capacity did not matter."""
    students = [Student.ranking("ana", [("algebra", 1)]), Student.ranking("bia", [("algebra", 2), ("biology", 1)])]
    two = Problem.of(offerings=[Offering("algebra", 2), Offering("biology", 1)], students=students, seed="corn")

    assert matching(allocate(two)) == {("ana", "algebra"), ("bia", "algebra")}
    assert matching(allocate(with_offerings(two, ONE_EACH[:2]))) == {("ana", "algebra"), ("bia", "biology")}


@law
@given(problems())
def test_waiting_lists_hold_those_who_still_want_it_in_order_of_priority(problem: Problem) -> None:
    outcome = allocate(problem)

    for admission in outcome.admissions:
        waiting = sorted(
            priority(problem, student.id, admission.offering)
            for student in problem.students
            if admission.offering in wishes(student) and wants(matching(outcome), student, admission.offering)
        )
        assert admission.waiting == tuple(student for *_, student in waiting)


@law
@given(problems())
def test_the_cut_off_is_the_priority_of_the_last_admitted(problem: Problem) -> None:
    outcome = allocate(problem)

    for admission in outcome.admissions:
        inside = [student for student, offering in matching(outcome) if offering == admission.offering]
        assert admission.placed == len(inside)
        if not inside:
            assert admission.last_admitted is None
            continue
        band, number, _ = max(priority(problem, student, admission.offering) for student in inside)
        in_turn = problem.mechanism is Mechanism.SERIAL_DICTATORSHIP
        assert admission.last_admitted == (None if in_turn else band, number)


@law
@given(problems())
def test_everybody_is_placed_or_unplaced_and_keeps_the_ranks_of_her_list(problem: Problem) -> None:
    outcome = allocate(problem)

    assert {placement.student for placement in outcome.placements} | set(outcome.unplaced) == {
        student.id for student in problem.students
    }
    for student in problem.students:
        ranks = [placement.rank for placement in outcome.placements if placement.student == student.id]
        assert ranks == liking(student, held(matching(outcome), student.id))
        assert (student.id in outcome.unplaced) == (ranks == [])


@law
@given(problems(), st.randoms())
def test_the_same_facts_in_any_order_give_the_same_bytes(problem: Problem, random: Random) -> None:
    shuffled = Problem.of(
        offerings=random.sample(problem.offerings, len(problem.offerings)),
        students=random.sample(problem.students, len(problem.students)),
        seed=problem.seed,
        mechanism=problem.mechanism,
    )

    assert allocate(shuffled).canonical == allocate(problem).canonical


def test_the_outcome_of_this_example_is_known_byte_for_byte() -> None:
    outcome = allocate(
        Problem.of(
            offerings=[Offering("algebra", 1), Offering("biology", 0)],
            students=[
                Student.ranking("ana", [("algebra", 2), ("biology", 1)]),
                Student.ranking("bia", [("algebra", 1)]),
            ],
            seed="corn",
        )
    )

    assert outcome.canonical.decode() == (
        '{"admissions":['
        '{"last_admitted":{"band":1,"lottery":5956591577874562},"offering":"algebra","placed":1,"waiting":["ana"]},'
        '{"last_admitted":null,"offering":"biology","placed":0,"waiting":["ana"]}],'
        '"format":"vsm-allocation-outcome-1","mechanism":"deferred_acceptance","placements":[["bia","algebra",1]],'
        '"problem":"15e4d8152741226a82676fd0db37e965885fbb46ee0afa0be45204750598b640","unplaced":["ana"]}'
    )


def test_the_lottery_breaks_ties_and_only_ties() -> None:
    students = [Student.ranking(name, [("algebra", 1)]) for name in ("ana", "bia", "eva")]
    first, *rest = sorted(students, key=lambda student: lottery.number("corn", student.id))
    tied = Problem.of(offerings=ONE_EACH, students=students, seed="corn")
    last_before = Student.ranking(rest[-1].id, [("algebra", 0)])

    assert allocate(tied).placements == (Placement(first.id, "algebra", 1),)
    assert allocate(with_student(tied, last_before)).placements == (Placement(last_before.id, "algebra", 1),)


@law
@given(problems(most_students=3), st.sampled_from(["corn", "rice", "maize", "quinoa"]))
def test_without_ties_the_seed_decides_nothing(problem: Problem, seed: str) -> None:
    assume(problem.mechanism is Mechanism.DEFERRED_ACCEPTANCE)
    for offering in problem.offerings:
        bands = [
            choice.band for student in problem.students for choice in student.choices if choice.offering == offering.id
        ]
        assume(len(set(bands)) == len(bands))
    other = Problem.of(offerings=problem.offerings, students=problem.students, seed=seed)

    assert allocate(other).placements == allocate(problem).placements


@law
@given(problems())
def test_an_outcome_is_read_back_from_its_bytes(problem: Problem) -> None:
    outcome = allocate(problem)

    assert Outcome.from_bytes(outcome.canonical) == outcome


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"{}", b"null", b'{"admissions":7}'])
def test_other_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(Invalid, match="outcome-unreadable"):
        Outcome.from_bytes(content)


def test_an_outcome_written_differently_is_refused() -> None:
    outcome = allocate(Problem.of(offerings=ONE_EACH, students=[], seed="corn"))

    with pytest.raises(Invalid, match="outcome-unreadable"):
        Outcome.from_bytes(b" " + outcome.canonical)


def with_student(problem: Problem, student: Student) -> Problem:
    others = [each for each in problem.students if each.id != student.id]
    return problem.but(students=[*others, student])


def with_offerings(problem: Problem, offerings: list[Offering]) -> Problem:
    return problem.but(offerings=offerings)


def assert_no_misreport_helps(problem: Problem) -> None:
    truth = matching(allocate(problem))
    for student, lied in misreports(problem):
        assert at_least_as_good(student, held(truth, student.id), held(lied, student.id))


def misreports(problem: Problem) -> Iterator[tuple[Student, Matching]]:
    """Each student with what follows from each other list that she could send."""
    for student in problem.students:
        bands = {choice.offering: choice.band for choice in student.choices}
        for length in range(len(bands) + 1):
            for order in permutations(bands, length):
                listed = [(offering, bands[offering]) for offering in order]
                lie = replace(Student.ranking(student.id, listed), seats_wanted=student.seats_wanted, groups=student.groups, origin=student.origin)
                yield student, matching(allocate(with_student(problem, lie)))

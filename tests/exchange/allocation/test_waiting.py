"""After the run, freed seats go down the waiting lists, and nobody's place gets worse."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchange.allocation.oracle import Matching, at_least_as_good, held, is_stable, problems, wants
from vsm.exchange.allocation.problem import Offering, Problem, Student
from vsm.exchange.allocation.solver import allocate
from vsm.exchange.allocation.waiting import Offer, Step, chain, refill, released, without

law = settings(deadline=None, max_examples=80)
Lines = dict[str, tuple[str, ...]]
Held = dict[str, frozenset[str]]


def after(problem: Problem) -> tuple[Lines, Held]:
    """Waiting lists and holdings as the run left them."""
    outcome = allocate(problem)
    seats = {student.id: frozenset(held(pairs(outcome.placements), student.id)) for student in problem.students}
    return {admission.offering: admission.waiting for admission in outcome.admissions}, seats


def pairs(placements: tuple[tuple[str, str, int], ...]) -> Matching:
    return frozenset((student, offering) for student, offering, _ in placements)


def seats_in(problem: Problem, holdings: Held) -> Matching:
    return frozenset(
        (student.id, offering) for student in problem.students for offering in holdings.get(student.id, ())
    )


THREE = Problem.of(
    offerings=[Offering("algebra", 1), Offering("biology", 1), Offering("chemistry", 1)],
    students=[
        Student.ranking("ana", [("algebra", 1)]),
        Student.ranking("bia", [("algebra", 2), ("biology", 1)]),
        Student.ranking("carla", [("algebra", 3), ("biology", 2), ("chemistry", 1)]),
        Student.ranking("dora", [("algebra", 4), ("chemistry", 2)]),
    ],
    seed="corn",
)


def test_a_freed_seat_goes_to_the_first_in_line() -> None:
    lines, seats = after(THREE)

    assert refill(THREE, lines, {"algebra": 1}, seats | {"ana": frozenset()}) == (Offer("bia", "algebra", 1),)


def test_an_upgrade_releases_the_seat_that_the_next_one_waits_for() -> None:
    lines, seats = after(THREE)
    followed = chain(THREE, without(lines, "ana"), {"algebra": 1}, seats | {"ana": frozenset()})

    assert followed.steps == (
        Step(Offer("bia", "algebra", 1), taken=True, released=("biology",)),
        Step(Offer("carla", "biology", 2), taken=True, released=("chemistry",)),
        Step(Offer("dora", "chemistry", 2), taken=True),
    )
    assert followed.held == {
        "ana": frozenset(),
        "bia": {"algebra"},
        "carla": {"biology"},
        "dora": {"chemistry"},
    }
    assert followed.free == {"algebra": 0, "biology": 0, "chemistry": 0}


def test_the_seat_of_an_upgrade_is_not_offered_before_the_upgrade_is_accepted() -> None:
    lines, seats = after(THREE)
    offers = refill(THREE, lines, {"algebra": 1, "chemistry": 0}, seats | {"ana": frozenset()})

    assert offers == (Offer("bia", "algebra", 1),)


def test_who_declines_keeps_what_she_has_and_the_next_in_line_is_asked() -> None:
    lines, seats = after(THREE)
    followed = chain(
        THREE, lines, {"algebra": 1}, seats | {"ana": frozenset()}, accepts=lambda offer: offer.student != "bia"
    )

    assert [(step.offer.student, step.offer.offering, step.taken) for step in followed.steps] == [
        ("bia", "algebra", False),
        ("carla", "algebra", True),
        ("dora", "chemistry", True),
    ]
    assert followed.held["bia"] == {"biology"}


@pytest.mark.parametrize(("better", "other"), [("algebra", "biology"), ("biology", "algebra")])
def test_of_two_seats_for_one_wish_the_better_is_offered_and_the_other_goes_on(better: str, other: str) -> None:
    problem = Problem.of(
        offerings=[Offering("algebra", 0), Offering("biology", 0)],
        students=[
            Student.ranking("ana", [(better, 1), (other, 1)]),
            Student.ranking("bia", [(other, 2), (better, 2)]),
        ],
        seed="corn",
    )
    lines, seats = after(problem)

    assert lines == {"algebra": ("ana", "bia"), "biology": ("ana", "bia")}
    assert refill(problem, lines, {"algebra": 1, "biology": 1}, seats) == (
        Offer("ana", better, 1),
        Offer("bia", other, 1),
    )


def test_an_offer_that_waits_for_its_answer_counts_as_held() -> None:
    problem = Problem.of(
        offerings=[Offering("algebra", 0)],
        students=[Student.ranking("ana", [("algebra", 1)]), Student.ranking("bia", [("algebra", 2)])],
        seed="corn",
    )
    lines, _ = after(problem)

    assert refill(problem, lines, {"algebra": 1}, {"ana": {"algebra"}}) == (Offer("bia", "algebra", 1),)


def test_with_two_offers_the_first_accepted_releases_the_lowest_seat_and_the_second_the_next() -> None:
    student = Student.ranking("ana", [("a", 1), ("b", 1), ("c", 1), ("d", 1)], seats_wanted=2)
    problem = Problem.of(offerings=[Offering(each, 1) for each in "abcd"], students=[student], seed="corn")

    assert released(problem, "ana", {"c", "d"}, "b") == ("d",)
    assert released(problem, "ana", {"b", "c"}, "a") == ("c",)
    assert released(problem, "ana", {"d"}, "a") == ()
    assert released(problem, "ana", {"a", "b"}, "c") == ("c",)
    assert released(problem, "ana", {"b", "c", "d"}, "a") == ("d", "c")


def test_a_seat_given_by_hand_is_never_released_for_another() -> None:
    student = Student.ranking("ana", [("algebra", 1)])
    problem = Problem.of(offerings=[Offering("algebra", 0), Offering("drama", 1)], students=[student], seed="corn")
    lines, _ = after(problem)

    assert refill(problem, lines, {"algebra": 1}, {"ana": {"drama"}}) == ()


def test_who_declined_leaves_one_line_and_who_left_leaves_all() -> None:
    lines = {"algebra": ["ana", "bia"], "biology": ["bia", "ana"]}

    assert without(lines, "ana", "algebra") == {"algebra": ("bia",), "biology": ("bia", "ana")}
    assert without(lines, "ana") == {"algebra": ("bia",), "biology": ("bia",)}


def test_impossible_questions_are_refused() -> None:
    lines, seats = after(THREE)

    with pytest.raises(ValueError, match="algebra: -1 free seats"):
        refill(THREE, lines, {"algebra": -1}, seats)
    with pytest.raises(KeyError):
        refill(THREE, lines, {"zoology": 1}, seats)


@st.composite
def freed(draw: st.DrawFn) -> tuple[Problem, Lines, dict[str, int], Held, dict[str, int]]:
    """A run after which some seats were declined, some students left and some seats were added.

    Problem, waiting lists, free seats, holdings, capacities.
    """
    problem = draw(problems())
    lines, seats = after(problem)
    capacity = {each.id: each.capacity + draw(st.integers(0, 1)) for each in problem.offerings}
    for student in problem.students:
        if draw(st.integers(0, 3)) == 0:
            seats[student.id] = frozenset()
            lines = without(lines, student.id)
        elif seats[student.id] and draw(st.integers(0, 3)) == 0:
            seats[student.id] -= {draw(st.sampled_from(sorted(seats[student.id])))}
    taken = Counter(offering for mine in seats.values() for offering in mine)
    return problem, lines, {each: capacity[each] - taken[each] for each in capacity}, seats, capacity


@law
@given(freed(), st.randoms())
def test_whatever_is_answered_nobody_is_worse_off_and_no_offering_overflows(
    case: tuple[Problem, Lines, dict[str, int], Held, dict[str, int]], random: Random
) -> None:
    problem, lines, free, seats, capacity = case
    followed = chain(problem, lines, free, seats, accepts=lambda offer: random.getrandbits(1) == 1)
    taken = Counter(offering for mine in followed.held.values() for offering in mine)

    for student in problem.students:
        assert len(followed.held[student.id]) <= student.seats_wanted
        assert at_least_as_good(student, set(followed.held[student.id]), set(seats[student.id]))
    assert {offering: capacity[offering] - taken[offering] for offering in capacity} == followed.free
    assert min(followed.free.values()) >= 0


@law
@given(freed(), st.randoms())
def test_no_seat_stays_free_while_somebody_in_line_would_take_it(
    case: tuple[Problem, Lines, dict[str, int], Held, dict[str, int]], random: Random
) -> None:
    problem, lines, free, seats, _ = case
    followed = chain(problem, lines, free, seats, accepts=lambda offer: random.getrandbits(1) == 1)
    declined = {(step.offer.student, step.offer.offering) for step in followed.steps if not step.taken}

    for offering, left in followed.free.items():
        takers = [
            student
            for student in lines[offering]
            if (student, offering) not in declined
            and wants(seats_in(problem, followed.held), problem.student(student), offering)
        ]
        assert left == 0 or takers == []


@law
@given(freed())
def test_one_round_offers_no_more_than_is_free_and_nothing_that_would_be_given_back(
    case: tuple[Problem, Lines, dict[str, int], Held, dict[str, int]],
) -> None:
    problem, lines, free, seats, _ = case
    offers = refill(problem, lines, free, seats)

    assert Counter(offer.offering for offer in offers) <= Counter(free)
    for student in problem.students:
        mine = {offer.offering for offer in offers if offer.student == student.id}
        everything = mine | seats[student.id]
        ranks = {choice.offering: choice.rank for choice in student.choices}
        assert mine <= set(sorted(everything, key=ranks.__getitem__)[: student.seats_wanted])
        assert not mine & seats[student.id]


@law
@given(freed(), st.randoms())
def test_the_order_of_the_facts_decides_nothing(
    case: tuple[Problem, Lines, dict[str, int], Held, dict[str, int]], random: Random
) -> None:
    problem, lines, free, seats, _ = case
    shuffled_free = dict(random.sample(sorted(free.items()), len(free)))
    shuffled_seats = dict(random.sample(sorted(seats.items()), len(seats)))

    assert refill(problem, lines, shuffled_free, shuffled_seats) == refill(problem, lines, free, seats)


@law
@given(problems(), st.data())
def test_after_students_left_and_seats_were_added_the_result_is_stable_again(
    problem: Problem, data: st.DataObject
) -> None:
    """The chain ends where no student and offering would both rather have each other: fair by the same priorities."""
    lines, seats = after(problem)
    stay = [student for student in problem.students if data.draw(st.booleans())]
    for student in set(problem.students) - set(stay):
        lines, seats[student.id] = without(lines, student.id), frozenset()
    more = [Offering(each.id, each.capacity + data.draw(st.integers(0, 1))) for each in problem.offerings]
    taken = Counter(offering for mine in seats.values() for offering in mine)
    free = {each.id: each.capacity - taken[each.id] for each in more}
    followed = chain(problem, lines, free, seats)
    now = Problem.of(offerings=more, students=stay, seed=problem.seed, mechanism=problem.mechanism)

    assert is_stable(now, seats_in(problem, followed.held))

"""The theory as written in textbooks: slow, obvious, sharing nothing with the solver but the published lottery.

Also the small random problems on which solver and oracle are compared.
"""

from collections.abc import Iterator, Set
from itertools import combinations, product

from hypothesis import strategies as st

from vsm.exchange.allocation import lottery
from vsm.exchange.allocation.problem import Choice, Mechanism, Offering, Problem, Student

Matching = frozenset[tuple[str, str]]  # pairs of student and offering


def rounds_of_deferred_acceptance(problem: Problem) -> Matching:
    """Gale and Shapley as told: in each round all students propose to their best k offerings which have not said no."""
    refused: set[tuple[str, str]] = set()
    while True:
        proposals = set()
        for student in problem.students:
            possible = [offering for offering in wishes(student) if (student.id, offering) not in refused]
            proposals |= {(student.id, offering) for offering in possible[: student.seats_wanted]}
        too_many = set()
        for offering in problem.offerings:
            applicants = sorted(priority(problem, each, offering.id) for each in admitted(proposals, offering.id))
            too_many |= {(student, offering.id) for *_, student in applicants[offering.capacity :]}
        if not too_many:
            return frozenset(proposals)
        refused |= too_many


def taking_turns(problem: Problem) -> Matching:
    """Serial dictatorship as told: in the order of the lottery, each student takes the best k that are left."""
    left = {offering.id: offering.capacity for offering in problem.offerings}
    taken = set()
    for student in sorted(problem.students, key=lambda student: (lottery.number(problem.seed, student.id), student.id)):
        for offering in [each for each in wishes(student) if left[each] > 0][: student.seats_wanted]:
            left[offering] -= 1
            taken.add((student.id, offering))
    return frozenset(taken)


def stable_matchings(problem: Problem) -> Iterator[Matching]:
    """All of them, by trying every set of seats for every student: for tiny problems only."""
    sets_of_seats = [
        [
            frozenset((student.id, offering) for offering in seats)
            for size in range(student.seats_wanted + 1)
            for seats in combinations(wishes(student), size)
        ]
        for student in problem.students
    ]
    for matching in (frozenset().union(*each) for each in product(*sets_of_seats)):
        if is_stable(problem, matching):
            yield matching


def is_stable(problem: Problem, matching: Matching) -> bool:
    """Nobody holds too much or unasked, and no student and offering would both rather have each other."""
    for offering in problem.offerings:
        if len(admitted(matching, offering.id)) > offering.capacity:
            return False
    for student in problem.students:
        seats = held(matching, student.id)
        if len(seats) > student.seats_wanted or not seats <= set(wishes(student)):
            return False
    return not any(
        wants(matching, student, offering) and would_admit(problem, matching, student, offering)
        for student in problem.students
        for offering in wishes(student)
    )


def wants(matching: Matching, student: Student, offering: str) -> bool:
    """Whether she would take a seat there, if need be for one that she holds."""
    seats = held(matching, student.id)
    if offering in seats:
        return False
    order = wishes(student)
    return len(seats) < student.seats_wanted or any(order.index(offering) < order.index(seat) for seat in seats)


def would_admit(problem: Problem, matching: Matching, student: Student, offering: str) -> bool:
    """Whether the offering has a free seat, or somebody in it who goes after her."""
    inside = admitted(matching, offering)
    if len(inside) < problem.offering(offering).capacity:
        return True
    return any(priority(problem, student.id, offering) < priority(problem, other, offering) for other in inside)


def priority(problem: Problem, student: str, offering: str) -> tuple[int, int, str]:
    """Lower goes first."""
    (band,) = [choice.band for choice in problem.student(student).choices if choice.offering == offering]
    if problem.mechanism is Mechanism.SERIAL_DICTATORSHIP:
        band = 0
    return band, lottery.number(problem.seed, student), student


def wishes(student: Student) -> list[str]:
    return [choice.offering for choice in sorted(student.choices)]


def held(matching: Set[tuple[str, str]], student: str) -> set[str]:
    return {offering for holder, offering in matching if holder == student}


def admitted(matching: Set[tuple[str, str]], offering: str) -> set[str]:
    return {student for student, seat in matching if seat == offering}


def liking(student: Student, seats: set[str]) -> list[int]:
    """The ranks of her best k of these seats, best first."""
    return sorted(choice.rank for choice in student.choices if choice.offering in seats)[: student.seats_wanted]


def at_least_as_good(student: Student, seats: set[str], others: set[str]) -> bool:
    """Whether she, choosing freely among both sets, would pick exactly `seats` (the order of Blair and of Roth)."""
    return liking(student, seats | others) == liking(student, seats)


@st.composite
def problems(
    draw: st.DrawFn, most_students: int = 6, most_offerings: int = 4, most_seats_wanted: int = 3, mechanism: str = ""
) -> Problem:
    """Small problems in which seats are short, priorities tie, lists are partial and ranks have gaps."""
    capacities = draw(st.lists(st.sampled_from([0, 1, 1, 2, 3]), min_size=1, max_size=most_offerings))
    offerings = [Offering(f"offering {number}", capacity) for number, capacity in enumerate(capacities)]
    students = []
    for number in range(draw(st.integers(0, most_students))):
        chosen = draw(st.permutations([each.id for each in offerings]))[draw(st.integers(0, len(offerings))) :]
        gap = draw(st.integers(1, 2))
        choices = tuple(Choice(rank * gap, each, draw(st.integers(-1, 2))) for rank, each in enumerate(chosen, start=1))
        students.append(Student(f"student {number}", draw(st.integers(1, most_seats_wanted)), choices))
    return Problem.of(
        offerings=offerings,
        students=students,
        seed=draw(st.sampled_from(["corn", "maize", "quinoa", "rice"])),
        mechanism=mechanism or draw(st.sampled_from([Mechanism.DEFERRED_ACCEPTANCE, Mechanism.SERIAL_DICTATORSHIP])),
    )

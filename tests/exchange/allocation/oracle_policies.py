"""Reserves, limits and timetables as they are told: slow, obvious, sharing nothing with the engine but the lottery.

Also the small random problems with policies on which engine, audit and oracle are compared.
"""

from collections.abc import Iterator, Sequence, Set
from itertools import combinations, product
from random import Random

from hypothesis import strategies as st

from tests.exchange.allocation.oracle import Matching, admitted, held, wants, wishes
from vsm.exchange.allocation import lottery
from vsm.exchange.allocation.problem import (
    Bound,
    Lottery,
    Mechanism,
    Meeting,
    Offering,
    Problem,
    Quota,
    Reserve,
    Student,
)

GROUPS = ("disability", "first", "rural")


def most_filled(people: Sequence[frozenset[str]], slots: Sequence[str]) -> int:
    """How many reserved seats (each for a group) these people can fill, one each: by trying everything."""
    if not people or not slots:
        return 0
    first, rest = people[0], people[1:]
    without = most_filled(rest, slots)
    taken = [
        1 + most_filled(rest, [*slots[:place], *slots[place + 1 :]]) for place, group in enumerate(slots) if group in first
    ]
    return max([without, *taken])


def minority_reserve(applicants: Sequence[tuple[int, bool]], capacity: int, reserved: int) -> set[int]:
    """Hafalir, Yenmez and Yildirim: the best members take the reserved seats, then the best of everybody the rest."""
    members = sorted(key for key, member in applicants if member)[: min(reserved, capacity)]
    others = sorted(key for key, _ in applicants if key not in members)
    return {*members, *others[: capacity - len(members)]}


def taken_by(problem: Problem, offering: Offering, applicants: Set[str]) -> set[str]:
    """Whom an offering takes: whoever, by priority, fills one more reserved seat; then whoever is first of the rest."""
    slots = [group for group, seats in offering.reserves for _ in range(seats)]
    order = sorted(applicants, key=lambda student: priority(problem, student, offering.id))
    first: list[str] = []
    for student in order:
        people = [frozenset(problem.student(each).groups) for each in [*first, student]]
        if len(first) < offering.capacity and most_filled(people, slots) == len(people):
            first.append(student)
    rest = [student for student in order if student not in first]
    return {*first, *rest[: offering.capacity - len(first)]}


def priority(problem: Problem, student: str, offering: str) -> tuple[int, int, str]:
    """Lower goes first."""
    (band,) = [choice.band for choice in problem.student(student).choices if choice.offering == offering]
    if problem.mechanism is Mechanism.SERIAL_DICTATORSHIP:
        return 0, lottery.number(problem.seed, student), student
    if problem.lottery is Lottery.PER_OFFERING:
        return band, lottery.number_at(problem.seed, student, offering), student
    return band, lottery.number(problem.seed, student), student


def rounds_with_reserves(problem: Problem) -> Matching:
    """Gale and Shapley as told, each offering taking whom it takes."""
    refused: set[tuple[str, str]] = set()
    while True:
        proposals = set()
        for student in problem.students:
            possible = [offering for offering in wishes(student) if (student.id, offering) not in refused]
            proposals |= {(student.id, offering) for offering in possible[: student.seats_wanted]}
        sent_away = {
            (student, offering.id)
            for offering in problem.offerings
            for student in admitted(proposals, offering.id) - taken_by(problem, offering, admitted(proposals, offering.id))
        }
        if not sent_away:
            return frozenset(proposals)
        refused |= sent_away


def is_stable(problem: Problem, matching: Matching) -> bool:
    """Every offering keeps whom it would take, and would not take anybody who would rather come."""
    for offering in problem.offerings:
        inside = admitted(matching, offering.id)
        if taken_by(problem, offering, inside) != inside:
            return False
        for student in problem.students:
            comes = offering.id in wishes(student) and wants(matching, student, offering.id)
            if comes and student.id in taken_by(problem, offering, inside | {student.id}):
                return False
    return all(len(held(matching, each.id)) <= each.seats_wanted for each in problem.students)


def stable_matchings(problem: Problem) -> Iterator[Matching]:
    """All of them, by trying every set of seats for every student: for tiny problems only."""
    for matching in matchings(problem):
        if is_stable(problem, matching):
            yield matching


def matchings(problem: Problem) -> Iterator[Matching]:
    """Every way of giving students seats on their lists, within capacities and seats wanted."""
    sets_of_seats = [
        [
            frozenset((student.id, offering) for offering in seats)
            for size in range(student.seats_wanted + 1)
            for seats in combinations(wishes(student), size)
        ]
        for student in problem.students
    ]
    for each in product(*sets_of_seats):
        matching: Matching = frozenset().union(*each)
        if all(len(admitted(matching, offering.id)) <= offering.capacity for offering in problem.offerings):
            yield matching


def overlap(one: Offering, other: Offering) -> bool:
    """Whether two offerings meet in the same minute of some week."""
    minutes = [
        {minute % 10_080 for start, end in offering.meetings for minute in range(start, end)} for offering in (one, other)
    ]
    return bool(minutes[0] & minutes[1])


def fits(problem: Problem, student: Student, seats: Set[str]) -> bool:
    """Whether these seats neither clash nor exceed her credits."""
    offerings = [problem.offering(each) for each in sorted(seats)]
    most = student.credits_range[1] if student.credits_range else None
    if most is not None and sum(each.credits for each in offerings) > most:
        return False
    return not any(overlap(one, other) for one, other in combinations(offerings, 2))


def counted(problem: Problem, matching: Matching) -> list[tuple[int, int, int | None, bool]]:
    """For each limit (seats it counts, minimum, maximum, hard)."""
    found = []
    for quota in problem.quotas:
        seats = sum(
            (not quota.origins or problem.student(student).origin in quota.origins)
            and all(label in problem.offering(offering).labels for label in quota.labels)
            for student, offering in matching
        )
        found.append((seats, quota.minimum, quota.maximum, quota.hard))
    for each in problem.offerings:
        for group, minimum, maximum in each.bounds:
            seats = sum(group in problem.student(student).groups for student in admitted(matching, each.id))
            found.append((seats, minimum, maximum, True))
    return found


def allowed(problem: Problem, matching: Matching) -> bool:
    """Whether every hard rule is kept."""
    limits = all(
        not hard or (minimum <= seats and (maximum is None or seats <= maximum))
        for seats, minimum, maximum, hard in counted(problem, matching)
    )
    return limits and all(fits(problem, each, held(matching, each.id)) for each in problem.students)


def with_reserves(random: Random, most_students: int = 6, most_wanted: int = 2) -> Problem:
    """Small problems with overlapping reserves and nothing else."""
    offerings = []
    for number in range(random.randint(1, 3)):
        capacity = random.choice([0, 1, 1, 2, 3])
        slots = [random.choice(GROUPS) for _ in range(random.randint(0, capacity))]
        reserves = tuple(Reserve(group, slots.count(group)) for group in sorted({*slots}))
        offerings.append(Offering(f"offering {number}", capacity, reserves))
    students = [_student(random, number, offerings, most_wanted) for number in range(random.randint(1, most_students))]
    return Problem.of(
        offerings=offerings,
        students=students,
        seed=random.choice(["corn", "maize", "quinoa", "rice"]),
        mechanism=random.choice([Mechanism.DEFERRED_ACCEPTANCE, Mechanism.SERIAL_DICTATORSHIP]),
        lottery=random.choice(list(Lottery)),
    )


def with_policies(random: Random, *, most_students: int = 6, mechanism: str = "", timetabled: bool = True) -> Problem:
    """Small problems with every policy at once: reserves, bounds, crossing quotas, timetables, credits."""
    offerings = []
    for number in range(random.randint(1, 4)):
        capacity = random.choice([0, 1, 1, 2, 3])
        group = random.choice(GROUPS)
        bounds = [Bound(random.choice(GROUPS), random.choice([0, 0, min(1, capacity)]), random.choice([1, 2]))]
        offerings.append(
            Offering(
                f"offering {number}",
                capacity,
                reserves=(Reserve(group, random.randint(0, capacity)),) if random.random() < 0.5 else (),
                bounds=tuple(bounds) if random.random() < 0.4 else (),
                labels=tuple(label for label in ("chile", "law", "porto") if random.random() < 0.5),
                meetings=tuple(Meeting(at, at + 90) for at in (0, 60, 10_030) if timetabled and random.random() < 0.3),
                credits=random.choice([0, 300, 600]) if timetabled else 0,
            )
        )
    quotas = [
        Quota(
            f"quota {number}",
            origins=tuple(each for each in ("andina", "garoa") if random.random() < 0.5),
            labels=tuple(each for each in ("chile", "law", "porto") if random.random() < 0.4),
            minimum=random.choice([0, 0, 0, 1]),
            maximum=random.choice([1, 2, 3]),
            hard=random.random() < 0.7,
        )
        for number in range(random.randint(0, 3))
    ]
    students = [_student(random, number, offerings, 3, timetabled) for number in range(random.randint(0, most_students))]
    return Problem.of(
        offerings=offerings,
        students=students,
        seed=random.choice(["corn", "maize", "quinoa", "rice"]),
        mechanism=mechanism or random.choice(list(Mechanism)),
        lottery=random.choice(list(Lottery)),
        quotas=quotas,
    )


def _student(random: Random, number: int, offerings: Sequence[Offering], most: int, timetabled: bool = False) -> Student:
    chosen = random.sample([each.id for each in offerings], random.randint(0, len(offerings)))
    return Student.ranking(
        f"student {number}",
        [(each, random.randint(0, 2)) for each in chosen],
        random.randint(1, most),
        groups=tuple(group for group in GROUPS if random.random() < 0.35),
        origin=random.choice(["", "andina", "garoa"]),
        credits_range=random.choice([None, (0, 900), (600, 1200)]) if timetabled else None,
    )


def seeds() -> st.SearchStrategy[Random]:
    """Where the random problems begin: a falsifying example prints its number."""
    return st.integers(0, 10**9).map(Random)

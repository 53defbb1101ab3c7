"""Freed seats follow reserves, limits and timetables; nobody's place gets worse."""

import math
from collections.abc import Iterable
from typing import Any

from hypothesis import given, settings

from tests.exchange.allocation.oracle_policies import allowed, counted, fits, seeds, with_policies, with_reserves
from tests.exchange.allocation.test_policies import solved
from tests.exchange.allocation.test_waiting import after, seats_in
from vsm.exchange.allocation.problem import Meeting, Offering, Problem, Quota, Reserve, Student
from vsm.exchange.allocation.waiting import Offer, chain, refill, released, without

law = settings(deadline=None, max_examples=60)


@law
@given(seeds())
def test_nobody_s_place_gets_worse_and_every_hard_rule_stays_kept(random: Any) -> None:
    problem = random.choice([with_policies, with_reserves])(random)
    outcome = solved(problem)
    if outcome is None or not problem.students or outcome.pledged:
        return
    lines, held = after(problem)
    leaver = random.choice(problem.students).id
    lines, freed = without(lines, leaver), held[leaver]
    free = dict.fromkeys(freed, 1)
    declined = {each.id for each in problem.students if random.random() < 0.3}
    start = held | {leaver: frozenset()}
    followed = chain(problem, lines, free, start, accepts=lambda offer: offer.student not in declined)

    broken = not allowed(problem, seats_in(problem, start))  # a minimum that only the leaver met
    assert broken or allowed(problem, seats_in(problem, followed.held))
    for student in problem.students:
        assert best_first(student, followed.held[student.id]) <= best_first(student, start[student.id])
        assert fits(problem, student, {*followed.held[student.id]})
    for (seats, *_), (before, _, maximum, hard) in zip(
        counted(problem, seats_in(problem, followed.held)), counted(problem, seats_in(problem, start)), strict=True
    ):
        assert not hard or maximum is None or seats <= max(before, maximum)


def best_first(student: Student, seats: Iterable[str]) -> list[float]:
    """Ranks to compare seats by: the better best seat wins, then the better second. Where seats clash, one better seat can
    cost several, also one by one, so that nothing stronger holds (without clashes it does: test_waiting)."""
    ranks = sorted(choice.rank for choice in student.choices if choice.offering in {*seats})
    return [*ranks, *[math.inf] * (student.seats_wanted - len(ranks))]


ONE = Offering("algebra", 2, (Reserve("rural", 1),))


def test_a_freed_reserved_seat_is_offered_to_a_member_first() -> None:
    students = [
        Student.ranking("ana", [("algebra", 1)], groups=("rural",)),
        Student.ranking("bia", [("algebra", 1)]),
        Student.ranking("carla", [("algebra", 2)]),
        Student.ranking("dora", [("algebra", 3)], groups=("rural",)),
    ]
    problem = Problem.of(offerings=[ONE], students=students, seed="corn")
    lines, held = after(problem)

    assert lines == {"algebra": ("carla", "dora")}
    assert refill(problem, lines, {"algebra": 1}, held | {"ana": frozenset()}) == (Offer("dora", "algebra", 1),)
    assert refill(problem, lines, {"algebra": 1}, held | {"bia": frozenset()}) == (Offer("carla", "algebra", 1),)


def test_who_would_break_a_quota_is_passed_over_and_a_soft_one_gives_way_last() -> None:
    students = [
        Student.ranking("ana", [("algebra", 1)], origin="andina"),
        Student.ranking("bia", [("algebra", 2)], origin="andina"),
        Student.ranking("carla", [("algebra", 3)], origin="garoa"),
        Student.ranking("dora", [("algebra", 4)], origin="garoa"),
    ]
    problem = Problem.of(
        offerings=[Offering("algebra", 2)], students=students, seed="corn", quotas=[Quota("q", ("andina",), maximum=1)]
    )
    lines, held = after(problem)
    left = held | {"carla": frozenset()}

    assert (lines, held["ana"], held["carla"]) == ({"algebra": ("bia", "dora")}, {"algebra"}, {"algebra"})
    assert refill(problem, lines, {"algebra": 1}, left) == (Offer("dora", "algebra", 1),)
    assert refill(problem, {"algebra": ("bia",)}, {"algebra": 1}, left) == ()
    soft = problem.but(quotas=[Quota("q", ("andina",), maximum=1, hard=False)])
    assert refill(soft, lines, {"algebra": 1}, left) == (Offer("dora", "algebra", 1),)
    assert refill(soft, {"algebra": ("bia",)}, {"algebra": 1}, left) == (Offer("bia", "algebra", 1),)


def test_accepting_gives_back_what_clashes() -> None:
    offerings = [
        Offering("algebra", 0, meetings=(Meeting(0, 90),)),
        Offering("biology", 1, meetings=(Meeting(60, 120),)),
        Offering("chemistry", 1),
    ]
    ana = Student.ranking("ana", [("algebra", 1), ("biology", 1), ("chemistry", 1)], 3)
    problem = Problem.of(offerings=offerings, students=[ana], seed="corn")
    lines, held = after(problem)

    assert refill(problem, lines, {"algebra": 1}, held) == (Offer("ana", "algebra", 1),)
    assert released(problem, "ana", held["ana"], "algebra") == ("biology",)

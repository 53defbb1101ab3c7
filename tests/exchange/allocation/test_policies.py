"""Quotas, bounds and timetables: every hard rule is kept, nothing is wasted, nobody who stands no better goes before."""

from random import Random

import pytest
from hypothesis import given, settings

from tests.exchange.allocation.oracle import admitted, at_least_as_good, held, liking, problems, wishes
from tests.exchange.allocation.oracle_policies import (
    allowed,
    counted,
    fits,
    matchings,
    overlap,
    priority,
    seeds,
    with_policies,
)
from tests.exchange.allocation.test_solver import matching, misreports
from vsm.exchange.allocation import audit
from vsm.exchange.allocation.problem import Bound, Mechanism, Meeting, Offering, Problem, Quota, Student
from vsm.exchange.allocation.solver import Outcome, allocate
from vsm.exchange.allocation.timetable import clash
from vsm.kit.errors import Invalid

law = settings(deadline=None, max_examples=100)
slow_law = settings(deadline=None, max_examples=25)

TWO = [Offering("algebra", 2, labels=("chile",)), Offering("biology", 2, labels=("chile", "porto"))]


def solved(problem: Problem) -> Outcome | None:
    try:
        return allocate(problem)
    except Invalid:
        return None


@law
@given(seeds())
def test_every_hard_rule_is_kept_and_the_audit_says_so(random: Random) -> None:
    problem = with_policies(random)
    outcome = solved(problem)
    if outcome is None:
        return

    assert allowed(problem, matching(outcome))
    for offering in problem.offerings:
        assert len(admitted(matching(outcome), offering.id)) <= offering.capacity
    assert audit.check(problem.canonical, outcome.canonical).violations == ()
    assert Outcome.from_bytes(outcome.canonical) == outcome


@slow_law
@given(seeds())
def test_minima_are_called_infeasible_only_when_nothing_meets_them(random: Random) -> None:
    problem = with_policies(random, most_students=3)

    assert (solved(problem) is None) == (not any(allowed(problem, each) for each in matchings(problem)))


@law
@given(seeds())
def test_the_order_in_which_policies_were_read_leaves_no_trace(random: Random) -> None:
    problem = with_policies(random)
    shuffled = problem.but(
        offerings=random.sample(problem.offerings, len(problem.offerings)),
        students=random.sample(problem.students, len(problem.students)),
        quotas=random.sample(problem.quotas, len(problem.quotas)),
    )
    outcome, other = solved(problem), solved(shuffled)

    assert Problem.from_bytes(problem.canonical) == shuffled == problem
    assert (outcome and outcome.canonical) == (other and other.canonical)


@slow_law
@given(seeds())
def test_in_serial_dictatorship_no_misreport_helps_under_hard_maxima(random: Random) -> None:
    problem = with_policies(random, most_students=3, mechanism=Mechanism.SERIAL_DICTATORSHIP, timetabled=False)
    maxima = [Quota(q.id, q.origins, q.labels, maximum=q.maximum) for q in problem.quotas]
    plain = [Offering(each.id, each.capacity, labels=each.labels) for each in problem.offerings]

    limited = problem.but(offerings=plain, quotas=maxima)
    truth = matching(allocate(limited))
    for student, lied in misreports(limited):  # her best seat first, then the next: what she takes at her turn
        assert liking(student, held(truth, student.id)) == min(
            liking(student, held(truth, student.id)), liking(student, held(lied, student.id)), key=lambda ranks: [*ranks, 99]
        )


@slow_law
@given(seeds())
def test_the_utilitarian_optimum_has_the_highest_sum_of_all(random: Random) -> None:
    assert_best_sum(with_policies(random, most_students=3, mechanism=Mechanism.UTILITARIAN))


@slow_law
@given(problems(most_students=3, mechanism=Mechanism.UTILITARIAN))
def test_without_policies_the_utilitarian_optimum_is_found_by_corners_alone(problem: Problem) -> None:
    assert_best_sum(problem)


def assert_best_sum(problem: Problem) -> None:
    outcome = solved(problem)
    longest = max((len(student.choices) for student in problem.students), default=0)

    def worth(seats: frozenset[tuple[str, str]]) -> int:
        return sum(longest - wishes(problem.student(student)).index(offering) for student, offering in seats)

    sums = [worth(each) for each in matchings(problem) if allowed(problem, each)]
    assert (outcome is None) == (not sums)
    assert outcome is None or worth(matching(outcome)) == max(sums)


@law
@given(seeds())
def test_under_quotas_that_do_not_cross_nobody_is_worse_off_than_by_deferred_acceptance(random: Random) -> None:
    """Hosts inside countries: the textbook rounds where a country takes, by priority, all that fit together.

    Where they differ, somebody moved to a seat that she likes better under the same quota, and nobody gave way.
    """
    problem = nested(random)
    found, textbook = matching(allocate(problem)), rounds_with_greedy_choice(problem)

    assert {student for student, _ in found} >= {student for student, _ in textbook}
    for student in problem.students:
        assert at_least_as_good(student, held(found, student.id), held(textbook, student.id))


@law
@given(seeds())
def test_with_one_band_for_all_quotas_that_do_not_cross_are_deferred_acceptance_itself(random: Random) -> None:
    drawn = nested(random, most_wanted=1)
    one_band = [Student.ranking(s.id, [(choice.offering, 1) for choice in s.choices]) for s in drawn.students]
    problem = drawn.but(students=one_band)

    assert matching(allocate(problem)) == rounds_with_greedy_choice(problem)


def nested(random: Random, most_wanted: int = 2) -> Problem:
    """Offerings in hosts in countries, with a maximum for each; every origin is counted alike."""
    offerings = [
        Offering(f"offering {number}", random.choice([1, 1, 2]), labels=random.choice([("a", "h1"), ("a", "h2"), ("b", "h3")]))
        for number in range(random.randint(1, 4))
    ]
    students = [
        Student.ranking(
            f"student {number}",
            [(each.id, random.randint(0, 2)) for each in random.sample(offerings, random.randint(0, len(offerings)))],
            random.randint(1, most_wanted),
        )
        for number in range(random.randint(1, 5))
    ]
    quotas = [Quota(label, labels=(label,), maximum=random.randint(1, 3)) for label in ("a", "b", "h1", "h2", "h3")]
    return Problem.of(offerings=offerings, students=students, seed=random.choice(["corn", "rice"]), quotas=quotas)


def rounds_with_greedy_choice(problem: Problem) -> frozenset[tuple[str, str]]:
    refused: set[tuple[str, str]] = set()
    while True:
        asked = []
        for student in problem.students:
            possible = [offering for offering in wishes(student) if (student.id, offering) not in refused]
            asked += [(student.id, offering) for offering in possible[: student.seats_wanted]]
        taken: set[tuple[str, str]] = set()
        for seat in sorted(asked, key=lambda each: (*priority(problem, *each), wishes(problem.student(each[0])).index(each[1]))):
            more = frozenset({*taken, seat})
            room = len(admitted(more, seat[1])) <= problem.offering(seat[1]).capacity
            if room and all(maximum is None or seats <= maximum for seats, _, maximum, _ in counted(problem, more)):
                taken.add(seat)
        if len(taken) == len(asked):
            return frozenset(taken)
        refused |= {*asked} - taken


def test_a_soft_quota_gives_way_only_to_a_seat_that_would_stay_empty() -> None:
    students = [
        Student.ranking("ana", [("algebra", 1)], origin="andina"),
        Student.ranking("bia", [("algebra", 2)], origin="andina"),
        Student.ranking("carla", [("algebra", 3)], origin="garoa"),
    ]
    soft = Problem.of(
        offerings=[Offering("algebra", 2)], students=students, seed="corn", quotas=[Quota("q", ("andina",), maximum=1, hard=False)]
    )

    assert admitted(matching(allocate(soft)), "algebra") == {"ana", "carla"}
    assert admitted(matching(allocate(soft.but(students=students[:2]))), "algebra") == {"ana", "bia"}
    hard = soft.but(students=students[:2], quotas=[Quota("q", ("andina",), maximum=1)])
    assert admitted(matching(allocate(hard)), "algebra") == {"ana"}


def test_a_minimum_that_the_mechanism_would_miss_is_pledged_and_told() -> None:
    rural = Student.ranking("ana", [("algebra", 1), ("biology", 1)], groups=("rural",))
    demanding = [Offering("algebra", 1), Offering("biology", 1, bounds=(Bound("rural", 1),))]
    outcome = allocate(Problem.of(offerings=demanding, students=[rural], seed="corn"))

    assert matching(outcome) == {("ana", "biology")}
    assert outcome.pledged == (("ana", "biology"),)


def test_minima_that_nothing_meets_are_refused_by_name_and_all_at_once() -> None:
    offerings = [Offering("algebra", 2, bounds=(Bound("rural", 2),), labels=("chile",)), Offering("biology", 1)]
    students = [Student.ranking("ana", [("algebra", 1)], groups=("rural",))]
    with pytest.raises(Invalid) as refused:
        allocate(Problem.of(offerings=offerings, students=students, seed="corn", quotas=[Quota("q", labels=("chile",), minimum=3)]))

    assert [(each.code, each.params["short"], each.field) for each in refused.value.reasons] == [
        ("minimum-infeasible", 2, "quotas"),
        ("minimum-infeasible", 1, "bounds"),
    ]
    assert refused.value.reasons[1].text % refused.value.reasons[1].params == (
        "Offering algebra must give at least 2 seats to group rural, but with what the students chose and the other bounds 1 of "
        "them cannot be filled. Lower this minimum, or add seats or raise the bound that stands in its way."
    )


def test_more_seats_may_harm_somebody_under_a_timetable() -> None:
    """A seat more in a course that meets when another does takes a student out of the other, and with it her credits."""
    found = harmed_by_more_seats(timetabled=True)

    assert found > 0


def test_more_seats_may_harm_somebody_under_crossing_quotas() -> None:
    assert harmed_by_more_seats(timetabled=False) > 0


def harmed_by_more_seats(*, timetabled: bool) -> int:
    """How many of 120 seeded problems have a student who is worse off when one offering has a seat more."""
    harmed = 0
    for number in range(120):
        random = Random(number)
        problem = with_policies(random, mechanism=Mechanism.DEFERRED_ACCEPTANCE, timetabled=timetabled)
        lucky = random.choice(problem.offerings).id
        larger = problem.but(
            offerings=[
                Offering(e.id, e.capacity + (e.id == lucky), e.reserves, e.bounds, e.labels, e.meetings, e.credits)
                for e in problem.offerings
            ]
        )
        before, after = solved(problem), solved(larger)
        if before is None or after is None:
            continue
        harmed += any(
            not at_least_as_good(student, held(matching(after), student.id), held(matching(before), student.id))
            for student in problem.students
        )
    return harmed


@law
@given(seeds())
def test_meetings_clash_when_they_share_a_minute_of_the_week(random: Random) -> None:
    one, other = (
        Offering(name, 1, meetings=tuple(Meeting(at, at + random.randint(1, 3000)) for at in random.sample(range(10_080), 2)))
        for name in ("algebra", "biology")
    )

    assert clash(one.meetings, other.meetings) == overlap(one, other) == clash(other.meetings, one.meetings)


def test_a_meeting_across_the_end_of_the_week_clashes_with_its_beginning() -> None:
    assert clash([Meeting(10_050, 10_110)], [Meeting(0, 60)])
    assert not clash([Meeting(10_050, 10_080)], [Meeting(0, 60)])


CLASHING = [
    Offering("algebra", 1, meetings=(Meeting(0, 90),), credits=600),
    Offering("biology", 1, meetings=(Meeting(60, 150),), credits=600),
    Offering("chemistry", 1, credits=600),
]


def test_nobody_gets_two_seats_that_clash_or_more_credits_than_she_can_take() -> None:
    greedy = Student.ranking("ana", [("algebra", 1), ("biology", 1), ("chemistry", 1)], 3, credits_range=(0, 1200))
    problem = Problem.of(offerings=CLASHING, students=[greedy], seed="corn")

    assert held(matching(allocate(problem)), "ana") == {"algebra", "chemistry"}
    light = Student.ranking("ana", [("algebra", 1), ("chemistry", 1)], 2, credits_range=(0, 1100))
    assert held(matching(allocate(problem.but(students=[light]))), "ana") == {"algebra"}


@slow_law
@given(seeds())
def test_the_exact_timetable_leaves_as_few_claims_open_as_any_does(random: Random) -> None:
    drawn = with_policies(random, most_students=3, mechanism=Mechanism.DEFERRED_ACCEPTANCE)
    plain = [Offering(e.id, e.capacity, meetings=e.meetings, credits=e.credits) for e in drawn.offerings]
    problem = drawn.but(offerings=plain, quotas=[], timetable="exact")
    exact = matching(allocate(problem))

    assert allowed(problem, exact)
    assert open_claims(problem, exact) == min(open_claims(problem, each) for each in matchings(problem) if allowed(problem, each))


def open_claims(problem: Problem, seats: frozenset[tuple[str, str]]) -> int:
    """How many (student, offering) want each other: it fits beside her better seats, and worse priority or nobody is in."""
    count = 0
    for student in problem.students:
        better: set[str] = set()
        for offering in wishes(student):
            if offering in held(seats, student.id):
                better.add(offering)
            elif len(better) < student.seats_wanted and fits(problem, student, better | {offering}):
                inside = admitted(seats, offering)
                mine = priority(problem, student.id, offering)
                ahead = sum(priority(problem, each, offering) < mine for each in inside)
                count += ahead < problem.offering(offering).capacity
    return count


def test_the_exact_timetable_is_refused_with_reserves_and_above_its_size() -> None:
    with pytest.raises(Invalid, match="exact-with-reserves"):
        Problem.of(offerings=[Offering("algebra", 1, (("rural", 1),))], students=[], seed="corn", timetable="exact")  # type: ignore[arg-type]
    many = [Student.ranking(f"s{n}", [("algebra", 1), ("biology", 1)], 2) for n in range(2_501)]
    with pytest.raises(Invalid, match="too-large-for-exact"):
        allocate(Problem.of(offerings=CLASHING, students=many, seed="corn", timetable="exact"))


def test_each_offering_may_draw_its_own_lottery() -> None:
    students = [Student.ranking(f"s{n}", [("algebra", 1), ("biology", 1)]) for n in range(12)]
    problem = Problem.of(offerings=TWO, students=students, seed="corn", lottery="per_offering")
    single = allocate(problem.but(lottery="single"))

    assert counted(problem, matching(allocate(problem))) == []
    assert matching(single) != matching(allocate(problem))
    lines = [admission.waiting for admission in allocate(problem).admissions]
    assert [each for each in lines[0] if each in lines[1]] != [each for each in lines[1] if each in lines[0]]

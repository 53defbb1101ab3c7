"""What the allocation answers to the cases of this folder.

A student's list is written most wanted first, each choice as its offering and her priority band there; without a
number the band is 1. Reserves are written as "group seats", bounds as "group least–most", meetings as "start–end" in
minutes of the week, quotas as origins, labels, least and most, and whether they are soft.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from vsm.exchange.allocation import lottery
from vsm.exchange.allocation.audit import check
from vsm.exchange.allocation.explain import reasons
from vsm.exchange.allocation.problem import Bound, Mechanism, Meeting, Offering, Problem, Quota, Reserve, Student
from vsm.exchange.allocation.solver import allocate
from vsm.exchange.allocation.waiting import Offer, Step, chain, without
from vsm.kit.errors import Invalid

Facts = Mapping[str, Any]


def placement(given: Facts) -> Facts:
    """Who is placed where, who waits for what; or why the problem is refused."""
    try:
        problem = _problem(given)
        outcome = allocate(problem)
    except Invalid as error:
        return {"refused": [reason.code for reason in error.reasons]}
    assert check(problem.canonical, outcome.canonical).ok
    return {
        "placed": _by_student((each.student, each.offering) for each in outcome.placements),
        "unplaced": list(outcome.unplaced),
        "before_all_others": [f"{student} in {offering}" for student, offering in outcome.pledged],
        "waiting": {each.offering: list(each.waiting) for each in outcome.admissions if each.waiting},
        "lottery": {each.id: lottery.shown(lottery.number(problem.seed, each.id)) for each in problem.students},
    }


def explanation(given: Facts) -> Facts:
    """What one student is told about each of her choices."""
    problem = _problem(given)
    told = reasons(problem, allocate(problem), given["student"])
    return {"codes": [reason.code for reason in told], "said": [reason.text % reason.params for reason in told]}


def refilling(given: Facts) -> Facts:
    """What follows when students leave, seats are added and offers are declined, until no free seat has a taker."""
    problem = _problem(given)
    outcome = allocate(problem)
    lines: Mapping[str, tuple[str, ...]] = {each.offering: each.waiting for each in outcome.admissions}
    held: dict[str, set[str]] = {student.id: set() for student in problem.students}
    for each in outcome.placements:
        held[each.student].add(each.offering)
    for student in given.get("leave", []):
        lines, held[student] = without(lines, student), set()
    taken = Counter(offering for seats in held.values() for offering in seats)
    added = given.get("added_seats", {})
    free = {each.id: each.capacity + int(added.get(each.id, 0)) - taken[each.id] for each in problem.offerings}
    declined = set(given.get("decline", []))
    followed = chain(problem, lines, free, held, accepts=lambda offer: _named(offer) not in declined)
    return {
        "before": _by_student((each.student, each.offering) for each in outcome.placements),
        "answers": [_said(step) for step in followed.steps],
        "after": _by_student((student, offering) for student in followed.held for offering in followed.held[student]),
        "left_free": {offering: str(seats) for offering, seats in sorted(followed.free.items()) if seats},
    }


KINDS: dict[str, Callable[[Facts], Facts]] = {
    "placement": placement,
    "explanation": explanation,
    "refilling": refilling,
}


def _problem(given: Facts) -> Problem:
    wanted, groups, homes = (given.get(name, {}) for name in ("wanted", "groups", "homes"))
    return Problem.of(
        offerings=[_offering(given, offering, int(seats)) for offering, seats in given["seats"].items()],
        students=[
            Student.ranking(
                student,
                [_choice(each) for each in choices],
                int(wanted.get(student, 1)),
                groups=tuple(groups.get(student, ())),
                origin=homes.get(student, ""),
                credits_range=(0, 100 * int(given["most_credits"])) if "most_credits" in given else None,
            )
            for student, choices in given["choices"].items()
        ],
        seed=given.get("seed", "corn"),
        mechanism=given.get("mechanism", Mechanism.DEFERRED_ACCEPTANCE),
        quotas=[_quota(name, facts) for name, facts in given.get("quotas", {}).items()],
    )


def _offering(given: Facts, offering: str, seats: int) -> Offering:
    reserves = (each.rsplit(" ", 1) for each in given.get("reserves", {}).get(offering, ()))
    bounds = (each.rsplit(" ", 1) for each in given.get("bounds", {}).get(offering, ()))
    return Offering(
        offering,
        seats,
        reserves=tuple(Reserve(group, int(number)) for group, number in reserves),
        bounds=tuple(Bound(group, *_span(span)) for group, span in bounds),
        labels=tuple(given.get("labels", {}).get(offering, ())),
        meetings=tuple(Meeting(*map(int, each.split("–"))) for each in given.get("meetings", {}).get(offering, ())),
        credits=100 * int(given.get("credits", {}).get(offering, 0)),
    )


def _quota(name: str, facts: Facts) -> Quota:
    least, most = _span(facts["seats"])
    return Quota(name, tuple(facts.get("homes", ())), tuple(facts.get("labels", ())), least, most, hard="soft" not in facts)


def _span(text: str) -> tuple[int, int | None]:
    least, _, most = text.partition("–")
    return int(least), int(most) if most else None


def _choice(text: str) -> tuple[str, int]:
    offering, _, band = text.partition(" ")
    return offering, int(band or 1)


def _by_student(pairs: Any) -> dict[str, list[str]]:
    seats: dict[str, list[str]] = {}
    for student, offering in sorted(pairs):
        seats.setdefault(student, []).append(offering)
    return seats


def _named(offer: Offer) -> str:
    return f"{offer.student} {offer.offering}"


def _said(step: Step) -> str:
    if not step.taken:
        return f"{step.offer.student} declines {step.offer.offering}"
    gives_back = f", gives back {', '.join(step.released)}" if step.released else ""
    return f"{step.offer.student} takes {step.offer.offering}{gives_back}"

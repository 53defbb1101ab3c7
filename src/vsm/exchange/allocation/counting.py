"""What the office compares: students placed, by the best choice they got, by home, by group; seats given and left; flows."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from vsm.exchange.allocation.bounds import Counting
from vsm.exchange.allocation.freezing import Assembled
from vsm.exchange.allocation.policy import SMALLEST_CELL, suppressed
from vsm.exchange.allocation.problem import Problem, Quota
from vsm.exchange.allocation.solver import Outcome


def counts_of(assembled: Assembled, outcome: Outcome) -> dict[str, Any]:
    """Plain values to be stored with a run. Groups are counted of those who agreed, with small numbers left out (null)."""
    problem, homes = assembled.problem, {name: wish.home_id for name, wish in assembled.wishes.items()}
    best: dict[str, int] = {}
    pairs: Counter[tuple[str, str]] = Counter()
    for student, offering, rank in outcome.placements:
        best[student] = min(rank, best.get(student, rank))
        pairs[homes[student], assembled.hosts.get(offering, "")] += 1
    ranked = Counter(choice.offering for student in problem.students for choice in student.choices)
    firsts = Counter(student.choices[0].offering for student in problem.students if student.choices)
    nominated, placed = Counter(homes.values()), Counter(homes[student] for student in best)
    seats = sum(offering.capacity for offering in problem.offerings)
    return {
        "has_policies": not problem.plain,
        "applications": len(problem.students),
        "choices": sum(ranked.values()),
        "placed": len(best),
        "unplaced": len(outcome.unplaced),
        "seats": seats,
        "seats_given": len(outcome.placements),
        "seats_left": seats - len(outcome.placements),
        "ranks": [[rank, students] for rank, students in sorted(Counter(best.values()).items())],
        "bands": [[band, students] for band, students in sorted(Counter(w.band for w in assembled.wishes.values()).items())],
        "homes": [[home, nominated[home], placed[home]] for home in sorted(nominated)],
        "groups": [list(row) for row in group_counts(assembled.statistics, best)],
        "pairs": [[home, host, number] for (home, host), number in sorted(pairs.items())],
        "bounds": bounds_of(problem, outcome),
        "offerings": [
            [each.offering, problem.offering(each.offering).capacity, each.placed, ranked[each.offering], len(each.waiting), firsts[each.offering]]
            for each in outcome.admissions
        ],
    }  # fmt: skip


def bounds_of(problem: Problem, outcome: Outcome) -> list[dict[str, Any]]:
    """Each quota and bound with the seats given that it counts; of a group no number from which a person could be found."""
    counting = Counting(problem)
    load = [0] * len(counting.limits)
    if not load:
        return []
    for placement in outcome.placements:
        for limit in counting.of(problem.student(placement.student), problem.offering(placement.offering)):
            load[limit] += 1
    quotas = {quota.id: quota for quota in problem.quotas}
    return [
        {
            "kind": limit.id.partition(":")[0] if limit.id in quotas else "group",
            "home": "".join(quotas[limit.id].origins) if limit.id in quotas else "",
            "group": limit.group,
            "offerings": [limit.offering] if limit.offering else _counted(problem, quotas[limit.id]),
            "minimum": limit.minimum,
            "maximum": limit.maximum,
            "hard": limit.hard,
            "given": None if limit.group and 0 < given < SMALLEST_CELL else given,
        }
        for limit, given in zip(counting.limits, load, strict=True)
    ]


def _counted(problem: Problem, quota: Quota) -> list[str]:
    """The offerings in which a quota counts; empty: all of them."""
    found = [offering.id for offering in problem.offerings if set(quota.labels) <= set(offering.labels)]
    return [] if len(found) == len(problem.offerings) else found


def group_counts(statistics: Mapping[str, Iterable[str]], placed: Mapping[str, Any]) -> list[tuple[str, int | None, int | None]]:
    """(group, nominated, with a seat), small cells left out."""
    counted: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, groups in statistics.items():
        for group in groups:
            counted[group][0] += 1
            counted[group][1] += name in placed
    return suppressed([(group, every, part) for group, (every, part) in sorted(counted.items())])

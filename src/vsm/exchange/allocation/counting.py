"""What the office compares: students placed, by the best choice they got, by home, by group; seats given and left; flows."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from vsm.exchange.allocation.freezing import Assembled
from vsm.exchange.allocation.policy import suppressed
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
        "offerings": [
            [each.offering, problem.offering(each.offering).capacity, each.placed, ranked[each.offering], len(each.waiting), firsts[each.offering]]
            for each in outcome.admissions
        ],
    }  # fmt: skip


def group_counts(statistics: Mapping[str, Iterable[str]], placed: Mapping[str, Any]) -> list[tuple[str, int | None, int | None]]:
    """(group, nominated, with a seat), small cells left out."""
    counted: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for name, groups in statistics.items():
        for group in groups:
            counted[group][0] += 1
            counted[group][1] += name in placed
    return suppressed([(group, every, part) for group, (every, part) in sorted(counted.items())])

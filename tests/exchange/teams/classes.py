"""Synthetic classes: 16 countries with their languages and zones, availability by local hour, five skills; seeded.

The model (weights of countries, second languages, probabilities of being free) is that of the benchmark whose aims the
engine is measured by; `cost_as_benchmarked` is that benchmark's own cost, written apart from the engine's.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from vsm.exchange.teams.problem import Kind, Participant, Problem, Rule

COUNTRIES = [
    ("BR", 22, -3, "pt"), ("MX", 14, -6, "es"), ("CO", 12, -5, "es"), ("AR", 10, -3, "es"), ("PE", 8, -5, "es"),
    ("CL", 6, -4, "es"), ("EC", 4, -5, "es"), ("DO", 3, -4, "es"), ("HT", 2, -5, "fr"), ("JM", 2, -5, "en"), ("ES", 6, 1, "es"),
    ("PT", 3, 0, "pt"), ("FR", 3, 1, "fr"), ("DE", 2, 1, "en"), ("JP", 2, 9, "en"), ("KE", 1, 3, "en"),
]  # fmt: skip
SKILLS = tuple(f"skill-{number}" for number in range(5))
BLOCKS_A_DAY = 6

RULES = (
    Rule(Kind.LANGUAGE, 1, weight=1000), Rule(Kind.WINDOW, 2, weight=100), Rule(Kind.COUNTRIES, 3, weight=30),
    Rule(Kind.SAME_INSTITUTION, 2, weight=20), Rule(Kind.NOT_ALONE, of="gender=woman", weight=10),
    Rule(Kind.NOT_ALONE, of="first_generation=yes", weight=5), *(Rule(Kind.BALANCE, of=skill, weight=1) for skill in SKILLS),
)  # fmt: skip


def a_class(n: int, seed: int = 1) -> list[Participant]:
    """n students; block b of day d is hours 4b to 4b + 4 UTC."""
    import numpy as np

    draw = np.random.default_rng(seed)
    shares = np.array([country[1] for country in COUNTRIES], float)
    countries = draw.choice(len(COUNTRIES), n, p=shares / shares.sum())
    institutions = countries * 4 + draw.integers(0, 4, n)
    second = [draw.random(n) < share for share in (0.6, 0.15, 0.07)]
    free = draw.random((n, 7, BLOCKS_A_DAY))
    levels = draw.integers(0, 5, (n, len(SKILLS)))
    women, first = draw.random(n) < 0.4, draw.random(n) < 0.3
    return [
        Participant(
            id=f"s{each:05}", country=COUNTRIES[countries[each]][0], institution=f"u{institutions[each]}",
            languages=frozenset({COUNTRIES[countries[each]][3], *(tag for tag, has in zip(("en", "es", "pt"), second, strict=True) if has[each])}),
            utc_offset=COUNTRIES[countries[each]][2] * 60, available=_free(free[each], COUNTRIES[countries[each]][2]),
            skills=dict(zip(SKILLS, levels[each].tolist(), strict=True)),
            groups={"gender": "woman" if women[each] else "man", "first_generation": "yes" if first[each] else ""},
        )
        for each in range(n)
    ]  # fmt: skip


def a_problem(n: int, *, seed: int = 1, size: int = 5, rules: Sequence[Rule] = RULES, draw: str = "draw", **more: Any) -> Problem:
    return Problem.of(a_class(n, seed), rules, size=size, seed=draw, **more)


def cost_as_benchmarked(problem: Problem, teams: Sequence[Sequence[str]]) -> int:
    """The benchmark's cost: 1000 no language, 100 a missing block of 2, 30 a missing country of 3, 20 above 2 of one
    institution, 10 a lone woman, 5 a lone first-generation student, 1 a point of skill off the target."""
    people = {each.id: each for each in problem.participants}
    size = problem.size
    targets = {skill: round(sum(each.skills[skill] for each in people.values()) / len(people) * size) for skill in SKILLS}
    return sum(_team([people[name] for name in team], targets) for team in teams)


def _team(team: Sequence[Participant], targets: dict[str, int]) -> int:
    blocks = len(frozenset.intersection(*(each.available or frozenset() for each in team)))
    cost = 0 if frozenset.intersection(*(each.languages for each in team)) else 1000
    cost += 100 * max(0, 2 - blocks) + 30 * max(0, 3 - len({each.country for each in team}))
    cost += 20 * max(0, max(Counter(each.institution for each in team).values()) - 2)
    cost += 10 * (sum(each.groups["gender"] == "woman" for each in team) == 1)
    cost += 5 * (sum(each.groups["first_generation"] == "yes" for each in team) == 1)
    return cost + sum(abs(sum(each.skills[skill] for each in team) - target) for skill, target in targets.items())


def _free(chances: Any, offset: int) -> frozenset[int]:
    found = set()
    for day in range(7):
        for block in range(BLOCKS_A_DAY):
            hour = (block * 4 + 2 + offset) % 24
            if day < 5:
                share = 0.75 if 18 <= hour < 23 else 0.35 if 8 <= hour < 18 else 0.02
            else:
                share = 0.5 if 9 <= hour < 22 else 0.02
            if chances[day][block] < share:
                found.add(day * BLOCKS_A_DAY + block)
    return frozenset(found)

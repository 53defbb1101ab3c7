"""The best teams of a very small class by looking at every possible set, in plain Python: no library has to be loaded.

Of equally good answers the seed decides, as everywhere.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import combinations

from vsm.exchange.teams.problem import Problem, seed_of
from vsm.exchange.teams.scoring import Cost, cost_of_team

PEOPLE_AT_MOST = 12
ARRANGEMENTS_AT_MOST = 20_000

Order = tuple[int, int, int]
Rows = tuple[tuple[str, ...], ...]


def is_tiny(problem: Problem) -> bool:
    return len(problem.participants) <= PEOPLE_AT_MOST


def form(problem: Problem) -> Rows:
    """The best even cut. Whoever comes first in the draw of those left is joined by each possible set of the others."""
    drawn = _drawn(problem)
    number, people = problem.number_of_teams, len(problem.participants)
    sizes = {people // number, -(-people // number)}
    price = cache(lambda team: cost_of_team(problem, team))

    @cache
    def best(left: tuple[str, ...], teams: int) -> tuple[Cost, Rows] | None:
        if not left:
            return (Cost(0, 0), ()) if teams == 0 else None
        found = None
        for size in sorted(sizes):
            for others in combinations(left[1:], size - 1) if teams else ():
                team = (left[0], *others)
                rest = best(tuple(name for name in left if name not in team), teams - 1)
                if rest and (found is None or price(team) + rest[0] < found[0]):
                    found = price(team) + rest[0], (tuple(sorted(team)), *rest[1])
        return found

    answer = best(drawn, number)
    if answer is None:
        raise AssertionError("a class with a number of teams can be cut into them")
    return tuple(sorted(answer[1]))


def is_tiny_change(problem: Problem, rows: int) -> bool:
    """Whether every arrangement in this many rows can be looked at."""
    arrangements: int = rows ** len(problem.participants)
    return arrangements <= ARRANGEMENTS_AT_MOST


def rebalance(problem: Problem, rows: Sequence[Sequence[str]], homes: Mapping[str, int]) -> Rows:
    """The best arrangement by (broken rules, people moved, wishes), rows in their order."""
    drawn = _drawn(problem)
    price = cache(lambda team: cost_of_team(problem, team))
    found: tuple[Order, Rows] | None = None
    for places in _arrangements(len(drawn), len(rows)):
        teams = tuple(tuple(sorted(name for name, place in zip(drawn, places, strict=True) if place == row)) for row in range(len(rows)))
        if any(len(team) > problem.largest for team in teams):
            continue
        moves = sum(homes.get(name, place) != place for name, place in zip(drawn, places, strict=True))
        cost = sum(map(price, teams), Cost(0, 0))
        order = (cost.hard, moves, cost.soft)
        if found is None or order < found[0]:
            found = order, teams
    if found is None:
        raise AssertionError("there are enough rows for everybody")
    return found[1]


def _arrangements(people: int, rows: int) -> Iterator[tuple[int, ...]]:
    for number in range(rows**people):
        yield tuple(number // rows**place % rows for place in range(people))


def _drawn(problem: Problem) -> tuple[str, ...]:
    return tuple(sorted((each.id for each in problem.participants), key=lambda name: seed_of(problem.seed, name)))

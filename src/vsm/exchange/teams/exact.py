"""The proven best for small classes: every possible team once, and the cheapest set of them that takes everybody once.

The cost of a formation is a sum over its teams, so forming teams is a set partition. A team that alone costs more than
a formation already found cannot be part of a better one; what is left is given to HiGHS. The costs are those of
`scoring`, through the compiled search's own arrays: there is no second statement of the rules that could differ.

Source of the model: Balas and Padberg (1976), "Set partitioning: a survey", SIAM Review 18.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from math import comb
from typing import Any

from vsm.exchange.teams.problem import Problem
from vsm.exchange.teams.scoring import Cost, cost_of

MOST_TEAMS = 250_000
MOST_COLUMNS = 60_000
_NODES = 20_000


def is_small(problem: Problem, width: int) -> bool:
    """Whether every possible team can be looked at."""
    people = len(problem.participants)
    return sum(comb(people, size) for size in _sizes(problem, width)) <= MOST_TEAMS


def _sizes(problem: Problem, width: int) -> range:
    """The sizes of an even cut."""
    return range(len(problem.participants) // problem.number_of_teams, width + 1)


def best_formation(problem: Problem, width: int, tables: Any, bound: Cost) -> tuple[tuple[tuple[str, ...], ...] | None, bool]:
    """(a formation better than `bound` or None, whether nothing better than what then stands exists)."""
    import numpy as np

    if bound == Cost(0, 0):
        return None, True
    people = len(problem.participants)
    rows, hard, soft = [], [], []
    for size in _sizes(problem, width):
        teams = np.array(list(combinations(range(people), size)), np.int64)
        cost = _costs(tables, teams, width)
        # A team that costs more than the whole of what was found is in nothing better.
        keep = (cost[:, 0] < bound.hard) | ((cost[:, 0] == bound.hard) & (cost[:, 1] <= bound.soft))
        rows += teams[keep].tolist()
        hard.append(cost[keep, 0])
        soft.append(cost[keep, 1])
    if len(rows) > MOST_COLUMNS:
        return None, False
    chosen, proved = _cheapest(people, problem.number_of_teams, rows, np.concatenate(hard), np.concatenate(soft), bound)
    if chosen is None:
        return None, proved
    return tuple(tuple(sorted(problem.participants[person].id for person in rows[each])) for each in chosen), proved


def fewest_moves(
    problem: Problem, tables: Any, rows: Sequence[Sequence[str]], homes: Mapping[str, int], found: Sequence[Sequence[str]]
) -> tuple[tuple[tuple[str, ...], ...], bool]:  # fmt: skip
    """The best re-balancing, starting from one that was `found`, and whether it is proved to be the best.

    When `found` keeps all rules, no team of a better one takes in more people of other teams than `found` moves in all;
    when it does not, any number. So these are all the teams that each row can become. Where they are too many, `found`
    is kept; that nobody moves without need is then known only if nobody moves at all.
    """
    import numpy as np

    now = tuple(tuple(sorted(team)) for team in found)
    cost, moves = cost_of(problem, now), sum(homes.get(name, place) != place for place, team in enumerate(now) for name in team)
    if cost == Cost(0, 0) and not moves:
        return now, True
    number = {each.id: place for place, each in enumerate(problem.participants)}
    people, width = len(number), tables.targets.shape[0] - 1
    new = [number[name] for name in number if name not in homes]
    reach = moves if cost.hard == 0 else people
    if _count(problem, rows, new, reach) > MOST_TEAMS:
        return now, cost.hard == 0 and moves == 0
    columns, came = [], []
    for place, row in enumerate(rows):
        others = [number[name] for name, home in homes.items() if home != place]
        for team, arrived in _successors(problem, [number[name] for name in row], others, new, reach):
            columns.append((place, team))
            came.append(arrived)
    padded = np.full((len(columns), width), -1, np.int64)
    for line, (_place, team) in enumerate(columns):
        padded[line, : len(team)] = team
    costs = np.column_stack([_costs(tables, padded, width), np.array(came, np.int64)])
    costs[[not team for _place, team in columns], :2] = 0
    keep = np.flatnonzero((costs[:, 0] < cost.hard) | ((costs[:, 0] == cost.hard) & (costs[:, 2] <= moves)))
    if keep.size > MOST_COLUMNS:
        return now, cost.hard == 0 and moves == 0
    a_move = float(costs[keep, 1].max(initial=0) * len(rows) + 1)
    a_rule = a_move * (people + 1) if cost.hard else 0.0
    price = costs[keep, 0] * a_rule + costs[keep, 2] * a_move + costs[keep, 1]
    groups = [[*columns[each][1], people + columns[each][0]] for each in keep]
    bound = cost.hard * a_rule + moves * a_move + cost.soft
    chosen, proved = cheapest_cover(groups, price, np.ones(people + len(rows)), bound)
    if chosen is None:
        return now, proved
    names = [each.id for each in problem.participants]
    better = {columns[keep[each]][0]: tuple(sorted(names[person] for person in columns[keep[each]][1])) for each in chosen}
    return tuple(better[place] for place in range(len(rows))), proved


def _count(problem: Problem, rows: Sequence[Sequence[str]], new: Sequence[int], moves: int) -> int:
    """At most so many teams that rows can become."""
    people = len(problem.participants)
    arrivals = sum(comb(people, each) for each in range(min(moves, problem.largest) + 1))
    return sum(1 << len(row) for row in rows) * arrivals << min(len(new), 30)


def _successors(
    problem: Problem, row: Sequence[int], others: Sequence[int], new: Sequence[int], moves: int
) -> Iterator[tuple[tuple[int, ...], int]]:  # fmt: skip
    """(team, people taken from other teams) for everything that a row can become, the empty team included."""
    yield (), 0
    for stay in range(max(0, len(row) - moves), len(row) + 1):
        for come in range(min(moves, problem.largest) + 1):
            for fresh in range(min(len(new), problem.largest) + 1):
                if not problem.smallest <= stay + come + fresh <= problem.largest:
                    continue
                for parts in product(combinations(row, stay), combinations(others, come), combinations(new, fresh)):
                    yield tuple(person for part in parts for person in part), come


def _costs(tables: Any, teams: Any, width: int) -> Any:
    """[hard, soft] of each row of `teams`, pairs counted in each of their teams."""
    import numpy as np

    from vsm.exchange.teams import kernel

    padded = np.full((len(teams), width), -1, np.int64)
    padded[:, : teams.shape[1]] = teams
    return kernel.costs(*tables, padded)


def _cheapest(people: int, number: int, rows: Sequence[Sequence[int]], hard: Any, soft: Any, bound: Cost) -> tuple[list[int] | None, bool]:  # fmt: skip
    """The columns of the cheapest partition into `number` teams when it is better than `bound`."""
    import numpy as np

    if not rows:
        return None, True
    big = float(soft.max() * number + 1) if bound.hard else 1.0
    groups = [[*row, people] for row in rows]
    wanted = np.append(np.ones(people), number)
    chosen, proved = cheapest_cover(groups, hard * big + soft, wanted, bound.hard * big + bound.soft)
    if chosen is None:
        return None, proved
    found = Cost(int(hard[chosen].sum()), int(soft[chosen].sum()))
    return (chosen if found < bound else None), proved


def cheapest_cover(groups: Sequence[Sequence[int]], price: Any, wanted: Any, bound: float) -> tuple[list[int] | None, bool]:
    """The cheapest choice of `groups` (the rows that each covers) that covers each row `wanted` times.

    Groups that a linear bound shows to be in nothing as cheap as `bound` are left out before the search by branches.
    (None, True) when nothing is as cheap; (None, False) when the search gave up.
    """
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, linprog, milp
    from scipy.sparse import csc_array

    members = np.fromiter((row for group in groups for row in group), np.int64)
    starts = np.cumsum([0, *map(len, groups)])
    matrix = csc_array((np.ones(len(members)), members, starts), shape=(len(wanted), len(groups)))
    relaxed = linprog(price, A_eq=matrix, b_eq=wanted, bounds=(0, None), method="highs")
    if relaxed.status == 2:
        return None, True
    if relaxed.status != 0:
        return None, False
    # Nemhauser and Wolsey (1988), II.3: a column whose reduced cost exceeds the gap is in no better solution.
    reduced = price - matrix.T @ relaxed.eqlin.marginals
    useful = np.flatnonzero(reduced <= bound - relaxed.fun + 1e-6)
    if not useful.size:
        return None, True
    answer = milp(
        price[useful], constraints=LinearConstraint(matrix[:, useful], wanted, wanted), integrality=np.ones(useful.size),
        bounds=Bounds(0, 1), options={"node_limit": _NODES, "mip_rel_gap": 0.0},
    )  # fmt: skip
    if answer.status == 2:
        return None, True
    if answer.status != 0 or answer.x is None:
        return None, False
    return useful[np.flatnonzero(answer.x > 0.5)].tolist(), True

"""Forming teams: annealing from several starts for any class, proved best for small ones, the same for the same seed.

    formation = form(problem)                  # a fresh cut of a class into teams
    formation = rebalance(problem, current)    # keep the teams, move as few as possible

Both are pure: no clock, no database; the order in which participants were read does not matter.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any

from vsm.exchange.teams import exact, tiny
from vsm.exchange.teams.problem import Problem, seed_of
from vsm.exchange.teams.scoring import Cost, cost_of

if TYPE_CHECKING:
    from vsm.exchange.teams.kernel import Tables

Progress = Callable[[int, int], None]
"""Told (steps done, steps in all) some forty times; it may raise to stop a search."""

SOFT_ORDER, STRICT = (400, 0), (40_000, 2_000)
"""What the search gives for (a unit of a rule that must hold, a person moved): forming it may break a rule on its way,
re-balancing it keeps the order of rules before people before wishes."""
HOT, COLD = 15.0, 0.3
_CHUNKS = 20


@dataclass(frozen=True)
class Formation:
    """Who is in which team. `moved` are those who stay in the class and change their team (only when re-balancing).

    `proved` says that nothing better exists; otherwise it is the best that was found.
    """

    problem: str
    teams: tuple[tuple[str, ...], ...]
    cost: Cost
    proved: bool
    moved: tuple[str, ...] = ()

    @property
    def is_kept(self) -> bool:
        """Whether every rule that must hold does."""
        return self.cost.hard == 0


@dataclass(frozen=True)
class Effort:
    """How long to search: `restarts` searches of `proposals` each. Deterministic, as no clock is looked at."""

    proposals: int
    restarts: int


def usual_effort(people: int) -> Effort:
    """What the figures of bench/README.md were measured with."""
    if people <= 200:
        return Effort(20_000 * people, 4)
    return Effort(min(150_000_000, 6_000 * people), 1)


def form(problem: Problem, *, progress: Progress | None = None, effort: Effort | None = None) -> Formation:
    """Cut the class into teams: rules that must hold first, then the wishes.

    Each team's members stand in order of id, the teams in order of their first member. Rules that cannot all be met
    are missed by as little as possible; `explain.missed` says which, for whom, and what to loosen.
    """
    if tiny.is_tiny(problem):
        cut = tiny.form(problem)
        return Formation(problem.digest, cut, cost_of(problem, cut), True)

    from vsm.exchange.teams.tables import tables_of

    width = -(-len(problem.participants) // problem.number_of_teams)
    tables = tables_of(problem, width)
    teams, _ = _search(problem, tables, deal(problem), effort, progress)
    filled, proved = tuple(sorted(team for team in teams if team)), False
    if exact.is_small(problem, width):
        better, proved = exact.best_formation(problem, width, tables, cost_of(problem, filled))
        filled = tuple(sorted(better)) if better else filled
    return Formation(problem.digest, filled, cost_of(problem, filled), proved)


def rebalance(
    problem: Problem, current: Sequence[Sequence[str]], *, progress: Progress | None = None, effort: Effort | None = None
) -> Formation:
    """Keep the teams, let in who is new, let go who has left, and move as few as possible.

    `current` are the teams as they stand; whoever is not in the problem has left, whoever of the problem is in no team
    is new. Compared are, in this order: broken rules, people moved, wishes. The teams come back in the same order;
    one that was emptied stays as an empty row, new ones stand at the end.
    """
    rows = [[name for name in team if name in problem.by_id] for team in current]
    homes = {name: place for place, row in enumerate(rows) for name in row}
    new = [each.id for each in problem.participants if each.id not in homes]
    while len(problem.participants) > len(rows) * problem.largest:
        rows.append([])
    if tiny.is_tiny_change(problem, len(rows)):
        return _rebalanced(problem, tiny.rebalance(problem, rows, homes), homes, True)

    from vsm.exchange.teams.tables import tables_of

    width = max(problem.largest, *map(len, rows))
    tables = tables_of(problem, width, homes)
    best, order = _seated(rows, new, problem.largest), None
    for hot in (HOT, 30 * HOT):
        # Each search starts from the best so far; the second is hot enough to move people for the sake of a rule.
        teams, costs = _search(problem, tables, best, effort or _small_effort(problem), progress, width, (hot, COLD), STRICT)
        if order is None or costs < order:
            best, order = [list(team) for team in teams], costs
    teams, proved = exact.fewest_moves(problem, tables, rows, homes, best)
    return _rebalanced(problem, teams, homes, proved)


def _rebalanced(problem: Problem, teams: tuple[tuple[str, ...], ...], homes: Mapping[str, int], proved: bool) -> Formation:
    moved = tuple(sorted(name for place, team in enumerate(teams) for name in team if homes.get(name, place) != place))
    return Formation(problem.digest, teams, cost_of(problem, teams), proved, moved)


def _small_effort(problem: Problem) -> Effort:
    usual = usual_effort(len(problem.participants))
    return Effort(usual.proposals // 2, max(2, usual.restarts))


def _seated(rows: Sequence[Sequence[str]], new: Sequence[str], largest: int) -> list[list[str]]:
    """Everybody new in whichever team is smallest; nobody moves unless a team is too large."""
    seated = [list(row[:largest]) for row in rows]
    for name in (*(name for row in rows for name in row[largest:]), *new):
        min(seated, key=len).append(name)
    return seated


def deal(problem: Problem) -> list[list[str]]:
    """The start, and what a careful person does by hand: those of one language together, countries dealt around."""
    number = problem.number_of_teams
    ordered = sorted(problem.participants, key=lambda each: (sorted(each.languages), each.country, each.institution, each.id))
    blocks: dict[tuple[str, ...], list[str]] = {}
    for each in ordered:
        blocks.setdefault(tuple(sorted(each.languages)), []).append(each.id)
    line = []
    for block in blocks.values():
        stride = max(1, len(block) // problem.size)
        line += [name for start in range(stride) for name in block[start::stride]]
    quotient, rest = divmod(len(line), number)
    taken = iter(line)
    return [[next(taken) for _ in range(quotient + (team < rest))] for team in range(number)]


def _search(
    problem: Problem, tables: "Tables", start: Sequence[Sequence[str]], effort: Effort | None, progress: Progress | None,
    width: int = 0, temperatures: tuple[float, float] = (HOT, COLD), weights: tuple[int, int] = SOFT_ORDER,
) -> tuple[tuple[tuple[str, ...], ...], tuple[int, int, int]]:  # fmt: skip
    """The best of some annealings from `start`: its teams by row, and its (hard, moves, soft)."""
    import numpy as np

    from vsm.exchange.teams import kernel
    from vsm.exchange.teams.tables import teams_of

    effort = effort or usual_effort(len(problem.participants))
    number = {each.id: place for place, each in enumerate(problem.participants)}
    slots = np.full((len(start), width or max(map(len, start))), -1, np.int64)
    for row, team in enumerate(start):
        slots[row, : len(team)] = [number[name] for name in team]
    done = count(1)
    hot, cold = temperatures

    def run(restart: int) -> tuple[tuple[int, ...], Any]:
        state = kernel.begin(tables, slots, seed_of(problem.seed, restart))
        best_slots, best = slots.copy(), state.sums.copy()
        bounds = [effort.proposals * chunk // _CHUNKS for chunk in range(_CHUNKS + 1)]
        for begin, end in pairwise(bounds):
            kernel.anneal(*tables, *state, best_slots, best, begin, end, effort.proposals, hot * (1 + 9 * (restart % 2)), cold, *weights)
            if progress:
                progress(next(done), _CHUNKS * effort.restarts)
        return tuple(best.tolist()), best_slots

    if effort.restarts == 1:
        found = [run(0)]
    else:
        with ThreadPoolExecutor(2) as threads:
            found = list(threads.map(run, range(effort.restarts)))
    best, best_slots = min(found, key=lambda each: each[0])
    return teams_of(problem, best_slots), (best[0], best[1], best[2])

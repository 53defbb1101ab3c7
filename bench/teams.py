"""Mixed teams of five: our search beside CP-SAT and the careful deal by hand, on the same synthetic classes.

`python -m bench.teams [--sizes 25,200,1000,5000] [--repeat 3] [--peer-seconds 30] [--peer-largest 1000]`

Costs are the benchmark's own (tests/exchange/teams/classes.py), computed apart from the engine; less is better. The first
call compiles or loads the compiled code and is told apart.
"""

import argparse
import statistics
import time

from tests.exchange.teams.classes import a_problem, cost_as_benchmarked
from tests.exchange.teams.oracle import best_in_time

from bench.machine import machine
from vsm.exchange.teams.problem import Problem
from vsm.exchange.teams.solver import Effort, deal, form


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--sizes", default="25,200,1000,5000")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--peer-seconds", type=float, default=30.0)
    parser.add_argument("--peer-largest", type=int, default=1000)
    asked = parser.parse_args()
    print(f"{machine()}; median of {asked.repeat} draws, costs from best to worst draw")
    began = time.perf_counter()
    form(a_problem(30), effort=Effort(1000, 1))
    print(f"first call (compiled code loaded, or compiled): {time.perf_counter() - began:.1f} s\n")
    print("| students | how | cost | median s | CPU s | peer ÷ ours (cost) | proved |")
    print("|---|---|---|---|---|---|---|")
    for size in map(int, asked.sizes.split(",")):
        ours = _ours(size, asked.repeat)
        _dealt(size, asked.repeat, ours)
        if size <= asked.peer_largest:
            _cp_sat(a_problem(size, draw="0"), asked.peer_seconds, ours)


def _ours(size: int, repeat: int) -> float:
    costs, walls, cpus, proved = [], [], [], True
    for draw in range(repeat):
        problem = a_problem(size, draw=str(draw))
        began, cpu = time.perf_counter(), time.process_time()
        found = form(problem)
        walls.append(time.perf_counter() - began)
        cpus.append(time.process_time() - cpu)
        costs.append(cost_as_benchmarked(problem, found.teams))
        proved = proved and found.proved
    middle = statistics.median(costs)
    spread = f"{middle:,.0f} ({min(costs):,}–{max(costs):,})"
    print(f"| {size:,} | OpenVSM | {spread} | {statistics.median(walls):.2f} | {statistics.median(cpus):.2f} | 1 | {'yes' if proved else 'no'} |", flush=True)
    return middle


def _dealt(size: int, repeat: int, ours: float) -> None:
    problem = a_problem(size)
    walls, teams = [], deal(problem)
    for _ in range(repeat):
        began = time.perf_counter()
        teams = deal(problem)
        walls.append(time.perf_counter() - began)
    cost = cost_as_benchmarked(problem, teams)
    print(f"| {size:,} | dealt by language and country | {cost:,} | {statistics.median(walls):.3f} | | {cost / ours:.1f}× | |", flush=True)


def _cp_sat(problem: Problem, seconds: float, ours: float) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    cost, bound = best_in_time(problem, seconds)
    wall, cpu = time.perf_counter() - began, time.process_time() - cpu
    told = f"{cost:,}" if cost is not None else "none found"
    ratio = f"{cost / ours:.1f}×" if cost is not None else "–"
    size = len(problem.participants)
    print(f"| {size:,} | CP-SAT, 2 workers, {seconds:.0f} s | {told} (bound {bound:,}) | {wall:.1f} | {cpu:.1f} | {ratio} | {'yes' if cost == bound else 'no'} |", flush=True)


if __name__ == "__main__":
    main()

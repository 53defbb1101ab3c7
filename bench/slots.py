"""Weekly meeting hours, beside the two ways in which services usually find them, in one run.

    python -m bench.slots [--teams 10000] [--repeat 5]

All three choose alike (the program checks it): each week the half-hour that leaves a team the least greatest burden, over
16 weeks in which clocks change. *Naive* converts every person's every half-hour with zoneinfo; *numpy* looks local hours
up in a table of zone offsets, team by team; *ours* compiles one loop over all teams and works a team's costs out again
only in weeks in which one of its clocks changed. The peers see a few teams; their time for all is the time for one times
the number. Last, one group of 60 people in 12 zones: the best fixed hours and the rotation, as the page asks for them.
"""

import argparse
import random
import statistics
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from time import perf_counter, process_time
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from bench.machine import machine
from vsm.exchange.sessions.slots import FORBIDDEN, USUAL, Who, Wish
from vsm.exchange.sessions.slots_table import local_quarters, quarter_costs, search, starts
from vsm.exchange.sessions.slots_teams import Teams, meet

ZONES = (
    "America/Bogota", "America/Mexico_City", "America/Sao_Paulo", "America/Santiago", "America/Argentina/Buenos_Aires", "America/Havana",
    "America/New_York", "Europe/Madrid", "Europe/Paris", "Europe/Lisbon", "Africa/Nairobi", "America/Asuncion",
)  # fmt: skip
WISH = Wish(date(2026, 9, 28), date(2027, 1, 17), "UTC")
MEMBERS = 5


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.slots", description=__doc__.splitlines()[0])
    parser.add_argument("--teams", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args(argv)
    zone_of, can = teams(options.teams)
    begins = perf_counter()
    meet(Teams(ZONES, zone_of[:2], can[:2]), WISH)
    print(f"{machine()}\n{options.teams} teams of {MEMBERS}, {WISH.weeks} weeks; compiling or loading the loop took {perf_counter() - begins:.1f} s\n")
    wall, processor, found = measured(lambda: meet(Teams(ZONES, zone_of, can), WISH), options.repeat)
    few, some = 2, 100
    slow, slow_cpu, plain = measured(lambda: [naive(zone_of[t], can[t]) for t in range(few)], 1)
    table, table_cpu, arrays = measured(lambda: by_arrays(zone_of[:some], can[:some]), 3)
    assert plain == [found.slots[t].tolist() for t in range(few)], "the naive way chose otherwise"
    assert arrays == [found.slots[t].tolist() for t in range(some)], "the numpy way chose otherwise"
    print("| way | teams run | ms a team | s for all | processor ms a team | ours is faster by |\n|---|---|---|---|---|---|")
    ours = processor / options.teams
    for name, ran, spent, cpu in (("naive zoneinfo", few, slow, slow_cpu), ("numpy, table of offsets", some, table, table_cpu), ("OpenVSM", options.teams, wall, processor)):
        print(f"| {name} | {ran:,} | {spent / ran * 1000:.3f} | {spent / ran * options.teams:.2f} | {cpu / ran * 1000:.4f} | {cpu / ran / ours:,.0f}× |")
    people = sixty()
    wall, processor, answer = measured(lambda: search(people, WISH), options.repeat)
    print(f"\n60 people in 12 zones over {WISH.weeks} weeks, {len(answer[0])} fixed hours possible, and the rotation: {wall * 1000:.0f} ms ({processor * 1000:.0f} ms of processor)")
    return 0


def teams(count: int, seed: int = 3) -> tuple[Any, Any]:
    """Zones skewed to the Americas; two thirds of the hours of a week are free."""
    draw = np.random.default_rng(seed)
    shares = np.array([12, 14, 16, 8, 8, 2, 4, 8, 4, 3, 1, 2])
    return draw.choice(len(ZONES), (count, MEMBERS), p=shares / shares.sum()).astype(np.int16), (draw.random((count, MEMBERS, 168)) < 2 / 3).astype(np.uint8)


def sixty(seed: int = 3) -> list[Who]:
    draw = random.Random(seed)
    return [Who(str(n), ZONES[n % 12], "".join("1" if draw.random() < 0.9 else "0" for _hour in range(168))) for n in range(60)]


def measured(work: Callable[[], Any], repeat: int) -> tuple[float, float, Any]:
    """Median seconds on the wall and of the processor, and the answer."""
    walls, processors, answer = [], [], None
    for _time in range(repeat):
        wall, processor = perf_counter(), process_time()
        answer = work()
        walls.append(perf_counter() - wall)
        processors.append(process_time() - processor)
    return statistics.median(walls), statistics.median(processors), answer


def naive(zone_of: Any, can: Any) -> list[int]:
    """What a straightforward service does: every half-hour of every person, by zoneinfo."""
    zones = [ZoneInfo(ZONES[zone]) for zone in zone_of]
    carried, chosen = [0] * len(zones), []
    for week in range(WISH.weeks):
        best: tuple[tuple[int, int, int], list[int]] | None = None
        for slot in range(336):
            at = datetime.combine(WISH.starts_on, time(), UTC) + timedelta(weeks=week, minutes=30 * slot)
            costs = [_one(at.astimezone(zone), hours) for zone, hours in zip(zones, can, strict=True)]
            if FORBIDDEN not in costs:
                key = (max(map(sum, zip(carried, costs, strict=True))), sum(costs), slot)
                best = (key, costs) if best is None or key < best[0] else best
        chosen.append(best[0][2] if best else -1)
        carried = [one + other for one, other in zip(carried, best[1], strict=True)] if best else carried
    return chosen


def _one(local: datetime, hours: Any) -> int:
    ends = local.hour * 60 + local.minute + WISH.minutes
    if local.hour < USUAL.earliest or ends > USUAL.latest * 60:
        return FORBIDDEN
    touched = range(local.hour, (ends - 1) // 60 + 1)
    if any(hours[local.weekday() * 24 + hour] == 0 for hour in touched):
        return USUAL.missing
    return max(USUAL.of_hour[hour] for hour in touched) + (USUAL.weekend if local.weekday() >= 5 else 0)


def by_arrays(zone_of: Any, can: Any) -> list[list[int]]:
    """A table of zone offsets and arrays, one team after the other."""
    instants, price = starts(WISH), quarter_costs(USUAL, WISH.minutes)
    quarters = np.stack([local_quarters(instants, zone) for zone in ZONES])
    answers = []
    for zones, hours in zip(zone_of, can, strict=True):
        there = quarters[zones]
        costs = price[there].astype(np.int32)
        first, last = there // 4, (there + (WISH.minutes - 1) // 15) // 4
        rows = np.arange(len(zones))[:, None, None]
        missed = (hours[rows, first] == 0) | (hours[rows, np.minimum(last, 167)] == 0)
        costs = np.where((costs != FORBIDDEN) & missed, USUAL.missing, costs)
        carried, chosen = np.zeros(len(zones), np.int64), []
        for week in range(WISH.weeks):
            possible = np.flatnonzero((costs[:, week] != FORBIDDEN).all(axis=0))
            if not len(possible):
                chosen.append(-1)
                continue
            now = costs[:, week][:, possible]
            best = np.lexsort((possible, now.sum(axis=0), (carried[:, None] + now).max(axis=0)))[0]
            chosen.append(int(possible[best]))
            carried += now[:, best]
        answers.append(chosen)
    return answers


if __name__ == "__main__":
    raise SystemExit(main())

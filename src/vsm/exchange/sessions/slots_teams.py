"""Weekly hours for thousands of teams at once: `slots.greedy` for each, compiled. numpy and numba are loaded when called."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vsm.exchange.sessions.slots import HALF_HOURS, HOURS, Wish
from vsm.exchange.sessions.slots_table import local_quarters, quarter_costs, starts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


WORTH_SHARING = 200


@dataclass(frozen=True)
class Teams:
    """Many teams: `zones` by name; `zone_of` [team, member] indexes them, −1 for an empty place (teams of other sizes);
    `can` [team, member, 168], 1 where that person can on their own wall."""

    zones: Sequence[str]
    zone_of: "NDArray[np.int16]"
    can: "NDArray[np.uint8]"


@dataclass(frozen=True)
class TeamSlots:
    """For each team the half-hour of each week (−1: none is possible) and each member's burden over the term."""

    slots: "NDArray[np.int16]"
    burdens: "NDArray[np.int32]"


def meet(teams: Teams, wish: Wish) -> TeamSlots:
    """Week by week the hour that leaves each team the least greatest burden, exactly as `slots.greedy` chooses."""
    import numpy as np

    from vsm.exchange.sessions.slots_kernel import choose

    if teams.can.shape != (*teams.zone_of.shape, HOURS):
        raise ValueError(f"can {teams.can.shape} does not fit zone_of {teams.zone_of.shape}")
    instants = starts(wish)
    quarters = np.stack([local_quarters(instants, zone) for zone in teams.zones])
    off = np.zeros(instants.shape, bool)
    for week in range(wish.weeks):
        for slot in range(0, min(HALF_HOURS, instants.shape[1]), 48):
            off[week, slot : slot + 48] = wish.wall(week, slot).date() in wish.without
    same = np.zeros(quarters.shape[:2], bool)
    same[:, 1:] = (quarters[:, 1:] == quarters[:, :-1]).all(axis=2) & ~(off[1:] | off[:-1]).any(axis=1)
    slots = np.empty((len(teams.zone_of), wish.weeks), np.int16)
    burdens = np.zeros(teams.zone_of.shape, np.int32)
    zone_of, can = np.ascontiguousarray(teams.zone_of, np.int16), np.ascontiguousarray(teams.can, np.uint8)
    price = quarter_costs(wish.costs, wish.minutes)

    def part(rows: slice) -> None:
        choose(zone_of[rows], can[rows], quarters, same, off, price, wish.minutes, wish.costs.missing, slots[rows], burdens[rows])

    # The compiled loop gives the interpreter's lock back, so threads share the work.
    share = -(-len(zone_of) // (os.cpu_count() or 1)) if len(zone_of) >= WORTH_SHARING else max(1, len(zone_of))
    parts = [slice(first, first + share) for first in range(0, len(zone_of), share)]
    with ThreadPoolExecutor(max_workers=max(1, len(parts))) as threads:
        list(threads.map(part, parts))
    return TeamSlots(slots, burdens)

"""The compiled loop of `slots_teams`. Importing it loads numba: only that module does, when it is called."""

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from vsm.exchange.sessions.slots import FORBIDDEN

NO_SLOT = -1
NOTHING = 2**31 - 1


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    try:
        made: Callable[..., Any] = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:  # nowhere to keep the compiled code: compile it in each process
        made = numba.njit(nogil=True)(function)
    return made


@_compiled
def _has_changed(zones: NDArray[np.int16], same: NDArray[np.bool_], week: int) -> bool:
    """Whether a clock of the team shows this week's half-hours otherwise than last week's."""
    for zone in zones:
        if zone >= 0 and not same[zone, week]:
            return True
    return week == 0


@_compiled
def _cost(quarter: int, price: int, can: NDArray[np.uint8], minutes: int, missing: int) -> int:
    begins = quarter % 96 * 15
    first = quarter // 96 * 24 + begins // 60
    last = quarter // 96 * 24 + (begins + minutes - 1) // 60
    for hour in range(first, last + 1):
        if can[hour] == 0:
            return missing
    return price


@_compiled
def _open_hours(
    zones: NDArray[np.int16], can: NDArray[np.uint8], quarters: NDArray[np.int16], off: NDArray[np.bool_], price: NDArray[np.uint8],
    minutes: int, missing: int, slot_of: NDArray[np.int16], cost: NDArray[np.int32],
) -> int:  # fmt: skip
    """Fill `slot_of` and `cost` [place, member] with the hours that nobody is forbidden; returns how many there are."""
    found = 0
    for slot in range(quarters.shape[1]):
        is_open = True
        for zone in zones:  # cheap first: most half-hours of a week are somebody's night
            if zone >= 0 and price[quarters[zone, slot]] == FORBIDDEN:
                is_open = False
                break
        if not is_open:
            continue
        for member, zone in enumerate(zones):
            quarter = quarters[zone, slot]
            if zone < 0:
                cost[found, member] = 0
            else:
                cost[found, member] = missing if off[slot] else _cost(quarter, price[quarter], can[member], minutes, missing)
        slot_of[found] = slot
        found += 1
    return found


@_compiled
def _best(zones: NDArray[np.int16], cost: NDArray[np.int32], found: int, burdens: NDArray[np.int32]) -> int:
    """The place with the least greatest burden afterwards, then the least sum, then the first."""
    best, best_worst, best_total = NO_SLOT, NOTHING, 0
    for place in range(found):
        worst, total = 0, 0
        for member in range(len(zones)):  # an empty place costs nothing
            total += cost[place, member]
            worst = max(worst, burdens[member] + cost[place, member])
            if worst > best_worst:
                break
        if worst < best_worst or (worst == best_worst and total < best_total):
            best, best_worst, best_total = place, worst, total
    return best


@_compiled
def choose(
    zone_of: NDArray[np.int16], can: NDArray[np.uint8], quarters: NDArray[np.int16], same: NDArray[np.bool_], off: NDArray[np.bool_],
    price: NDArray[np.uint8], minutes: int, missing: int, slots: NDArray[np.int16], burdens: NDArray[np.int32],
) -> None:  # fmt: skip
    """`slots.greedy` for each team: fills `slots` [team, week] and `burdens` [team, member].

    `zone_of` [team, member] indexes `quarters` [zone, week, slot], negative for an empty place; `can` [team, member, 168];
    `same` [zone, week]: the week's quarters are those of the week before; `off` [week, slot]. The costs of a team's open
    hours are worked out again only in weeks in which a clock of theirs has changed.
    """
    slot_of = np.zeros(quarters.shape[2], np.int16)
    cost = np.zeros((quarters.shape[2], zone_of.shape[1]), np.int32)
    for team in range(zone_of.shape[0]):
        zones, carried, found = zone_of[team], burdens[team], 0
        for week in range(quarters.shape[1]):
            if _has_changed(zones, same, week):
                found = _open_hours(zones, can[team], quarters[:, week], off[week], price, minutes, missing, slot_of, cost)
            best = _best(zones, cost, found, carried)
            slots[team, week] = NO_SLOT if best == NO_SLOT else slot_of[best]
            if best != NO_SLOT:
                for member, zone in enumerate(zones):
                    if zone >= 0:
                        carried[member] += cost[best, member]

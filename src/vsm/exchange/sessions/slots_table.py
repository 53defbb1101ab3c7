"""The same choice as `slots`, by tables of zone offsets: one group of people, in milliseconds. numpy is loaded when called.

A zone's offset is constant on almost every day of a term, so it is asked from zoneinfo once a day, and once a half-hour
only on the days on which it changes. Everything else is indexing.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from vsm.exchange.sessions.rules import resolve
from vsm.exchange.sessions.slots import BEAM, FORBIDDEN, Costs, Fixed, Rotation, Who, Wish, undominated
from vsm.exchange.sessions.zones import place

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Costed = NDArray[np.uint8]
    Minutes = NDArray[np.int64]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WEEK = 7 * 1440
THURSDAY = 3 * 1440  # the weekday of the epoch
QUARTERS = WEEK // 15
DAY = 48


def search(people: Sequence[Who], wish: Wish, *, beam: int = BEAM, most: int = 336) -> tuple[list[Fixed], Rotation]:
    """The `most` best fixed hours (best first) and the best rotation found: what `slots.fixed` and `slots.rotate` give."""
    table = cost_table(people, wish)
    return best_fixed(table, most), best_rotation(table, beam)


def cost_table(people: Sequence[Who], wish: Wish) -> "Costed":
    """`[person, week, slot]`: what `slots.cost` says."""
    import numpy as np

    instants = starts(wish)
    zones = {who.zone: None for who in people}
    quarters = {zone: local_quarters(instants, zone) for zone in zones}
    price = quarter_costs(wish.costs, wish.minutes)
    masks: dict[str, NDArray[np.bool_]] = {}
    table = np.empty((len(people), *instants.shape), np.uint8)
    off = np.array([[wish.wall(week, slot).date() in wish.without for slot in range(0, wish.half_hours, DAY)] for week in range(wish.weeks)])
    is_off = np.repeat(off, DAY, axis=1)[:, : instants.shape[1]]
    for row, who in enumerate(people):
        there = quarters[who.zone]
        costs = price[there]
        allowed = costs != FORBIDDEN
        missed = is_off.copy()
        if who.can:
            if who.can not in masks:
                masks[who.can] = cannot(who.can, wish.minutes)
            missed |= masks[who.can][there]
        for since, until in who.busy:
            first, last = _minutes(since) - wish.minutes, _minutes(until)
            missed |= (instants > first) & (instants < last)
        table[row] = np.where(allowed & missed, wish.costs.missing, costs)
    return table


def best_fixed(table: "Costed", most: int) -> list[Fixed]:
    """Every hour that nobody is forbidden in any week, best first."""
    import numpy as np

    possible = np.flatnonzero((table != FORBIDDEN).all(axis=(0, 1)))
    burdens = table[:, :, possible].sum(axis=1, dtype=np.int64)
    worst, total = burdens.max(axis=0, initial=0), burdens.sum(axis=0)
    order = np.lexsort((possible, total, worst))[:most]
    return [Fixed(int(possible[k]), tuple(map(int, burdens[:, k])), int(worst[k]), int(total[k])) for k in order]


def best_rotation(table: "Costed", beam: int = BEAM) -> Rotation:
    """`slots.rotate` on arrays. People whose costs are alike everywhere are reckoned once, with their number."""
    import numpy as np

    persons, weeks, _slots = table.shape
    alike: dict[bytes, int] = {}
    where = [alike.setdefault(table[person].tobytes(), len(alike)) for person in range(persons)]
    counts = np.bincount(where, minlength=len(alike))
    columns = table[[where.index(column) for column in range(len(alike))]]
    burdens, totals = np.zeros((1, len(columns)), np.int32), np.zeros(1, np.int64)
    paths: list[tuple[int | None, ...]] = [()]
    proven, useful_of = True, {}
    for week in range(weeks):
        costs = columns[:, week].T
        key = costs.tobytes()
        if key not in useful_of:
            useful_of[key] = _undominated(costs)
        useful = useful_of[key]
        if not len(useful):
            paths = [(*path, None) for path in paths]
            continue
        chosen = costs[useful].astype(np.int32)
        after = (burdens[:, None, :] + chosen[None, :, :]).reshape(-1, len(columns))
        total = (totals[:, None] + (chosen * counts).sum(axis=1)[None, :]).reshape(-1)
        # Rows already stand by (rank, slot), so a stable sort by (worst, total) is the whole order.
        order = np.lexsort((total, after.max(axis=1, initial=0)))
        kept, cut = _distinct(after, order, beam)
        proven &= not cut
        paths = [(*paths[row // len(useful)], int(useful[row % len(useful)])) for row in kept]
        burdens, totals = after[kept], total[kept]
    best = tuple(map(int, burdens[0, where]))
    return Rotation(paths[0], best, max(best, default=0), sum(best), bool(proven))


def starts(wish: Wish) -> "Minutes":
    """`[week, slot]`: the instants that can be chosen, in minutes since the epoch (UTC)."""
    import numpy as np

    found = np.empty((wish.weeks, wish.half_hours), np.int64)
    for week in range(wish.weeks):
        for first in range(0, wish.half_hours, DAY):
            begins, ends = (_minutes(resolve(wish.wall(week, slot), wish.zone).instant) for slot in (first, first + DAY))
            if ends - begins == 1440:
                found[week, first : first + DAY] = begins + 30 * np.arange(DAY)
            else:  # the clock of the wall changes on this day
                found[week, first : first + DAY] = [_minutes(resolve(wish.wall(week, slot), wish.zone).instant) for slot in range(first, first + DAY)]
    return found


def local_quarters(instants: "Minutes", zone: str) -> "NDArray[np.int16]":
    """`[week, slot]`: the quarter of the local week, Monday 00:00 = 0, at which each start falls in `zone`."""
    import numpy as np

    there, flat = place(zone), instants.reshape(-1)
    offsets = np.empty(len(flat), np.int64)
    marks = [*range(0, len(flat), DAY), len(flat) - 1]
    known = [_offset(there, int(flat[mark])) for mark in marks]
    for (first, one), (last, other) in zip(zip(marks, known, strict=True), zip(marks[1:], known[1:], strict=True), strict=False):
        if one == other:
            offsets[first : last + 1] = one
        else:
            offsets[first : last + 1] = [_offset(there, int(minute)) for minute in flat[first : last + 1]]
    return (((flat + offsets + THURSDAY) % WEEK) // 15).astype(np.int16).reshape(instants.shape)


def quarter_costs(costs: Costs, minutes: int) -> "Costed":
    """What a start at each quarter of a local week costs somebody who said nothing."""
    import numpy as np

    found = np.full(QUARTERS, FORBIDDEN, np.uint8)
    for quarter in range(QUARTERS):
        day, begins = divmod(quarter * 15, 1440)
        if begins >= costs.earliest * 60 and begins + minutes <= costs.latest * 60:
            hours = range(begins // 60, (begins + minutes - 1) // 60 + 1)
            found[quarter] = max(costs.of_hour[hour] for hour in hours) + (costs.weekend if day >= 5 else 0)
    return found


def cannot(can: str, minutes: int) -> "NDArray[np.bool_]":
    """At which quarters of the local week a meeting would touch an hour at which this person cannot."""
    import numpy as np

    closed = np.repeat(np.array([each == "0" for each in can]), 4)
    touched = np.zeros(QUARTERS, bool)
    for step in range(-(-minutes // 15)):
        touched |= np.roll(closed, -step)
    return touched


def _undominated(costs: "Costed") -> "NDArray[np.int64]":
    """`slots.undominated` on `[slot, person]`."""
    import numpy as np

    allowed = np.flatnonzero((costs != FORBIDDEN).all(axis=1))
    if not len(allowed):
        return allowed
    first: dict[bytes, int] = {}
    for slot in allowed:
        first.setdefault(costs[slot].tobytes(), int(slot))
    slots = np.array(list(first.values()), np.int64)
    if len(slots) > 400:  # pairs would need too much room at once
        return np.array(undominated([list(map(int, row)) for row in costs]), np.int64)
    vectors = costs[slots]
    beats: NDArray[np.bool_] = np.asarray((vectors[None, :, :] <= vectors[:, None, :]).all(axis=2))
    np.fill_diagonal(beats, val=False)
    return slots[~beats.any(axis=1)]


def _distinct(after: "NDArray[np.int32]", order: "NDArray[np.intp]", beam: int) -> tuple[list[int], bool]:
    """The first `beam` rows with burdens of their own, and whether any was left out."""
    seen: set[bytes] = set()
    kept: list[int] = []
    for row in order:
        key = after[row].tobytes()
        if key in seen:
            continue
        if len(kept) == beam:
            return kept, True
        seen.add(key)
        kept.append(int(row))
    return kept, False


def _offset(there: Any, minute: int) -> int:
    return int((EPOCH + timedelta(minutes=minute)).astimezone(there).utcoffset().total_seconds() // 60)  # type: ignore[union-attr]  # -- aware


def _minutes(moment: datetime) -> int:
    return int((moment - EPOCH).total_seconds() // 60)

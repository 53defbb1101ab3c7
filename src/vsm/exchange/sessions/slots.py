"""The best weekly hours for people in many zones: what an hour costs, what is chosen, why not. Pure, and its own reference.

The model. A meeting of a given length is held once in each of the weeks. Its start is one of 336 half-hours of the week on
the wall of one zone. For each person and week it costs:

* forbidden: it begins before 06:00 or ends after 23:00 (or the next day) on that person's wall. Then nobody meets then.
* `missing`: the person said that they cannot, or something else of theirs is then.
* else the worst hour that it touches, 0 to 8, and a little more at a weekend.

A *fixed* hour is held every week: the best has the least burden of whoever carries most, then the least sum, then comes
first in the week. A *rotation* chooses week by week and so shares the burden: same order, over all sequences.

The numbers of `Costs` are a convention of this program, not a measurement; they are arguments everywhere.

`cost` is the definition, in plain Python with zoneinfo. `slots_table` computes the same by tables of zone offsets for one
group, `slots_teams` for thousands of teams; tests hold the three together.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from vsm.exchange.sessions.rules import resolve
from vsm.exchange.sessions.zones import place

HALF_HOURS = 336
HOURS = 168
FORBIDDEN = 255
BEAM = 128


@dataclass(frozen=True)
class Costs:
    """What an hour on somebody's wall costs; `of_hour` has 24 numbers below `missing`. `earliest` and `latest` are hours."""

    of_hour: tuple[int, ...] = (9, 9, 9, 9, 9, 9, 6, 3, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 2, 3, 5, 8, 9)
    weekend: int = 3
    missing: int = 20
    earliest: int = 6
    latest: int = 23


USUAL = Costs()


@dataclass(frozen=True)
class Who:
    """One person: a zone; `can` as `Availability.hours` ("" when not told); `busy` as (start, end), aware, this term."""

    key: str
    zone: str
    can: str = ""
    busy: tuple[tuple[datetime, datetime], ...] = ()


@dataclass(frozen=True)
class Wish:
    """What is looked for: a weekly meeting of `minutes` from `starts_on` to `ends_on` on the wall of `zone`, except on days
    `without`. Week 0 begins on `starts_on`; days beyond the last whole week are left out."""

    starts_on: date
    ends_on: date
    zone: str
    minutes: int = 60
    without: frozenset[date] = frozenset()
    costs: Costs = USUAL

    @property
    def weeks(self) -> int:
        return max(1, ((self.ends_on - self.starts_on).days + 1) // 7)

    @property
    def half_hours(self) -> int:
        """How many half-hours of a week can be chosen: fewer when the whole term is shorter than a week."""
        return min(HALF_HOURS, ((self.ends_on - self.starts_on).days + 1) * 48)

    def wall(self, week: int, slot: int) -> datetime:
        """The wall time of a half-hour of a week."""
        return datetime.combine(self.starts_on, time()) + timedelta(weeks=week, minutes=30 * slot)


@dataclass(frozen=True)
class Fixed:
    """An hour held every week. `burdens` follow the people; `worst` is the greatest of them, `total` their sum."""

    slot: int
    burdens: tuple[int, ...]
    worst: int
    total: int


@dataclass(frozen=True)
class Rotation:
    """An hour for each week (None: no hour that week is possible). `proven`: no sequence is better."""

    slots: tuple[int | None, ...]
    burdens: tuple[int, ...]
    worst: int
    total: int
    proven: bool


@dataclass(frozen=True)
class Wall:
    """A weekly hour on one zone's wall: its first start there, and the later weeks from which the clock shows another."""

    zone: str
    first: datetime
    changes: tuple[datetime, ...] = field(default=())


def cost(who: Who, wish: Wish, week: int, slot: int) -> int:
    """What this start costs this person; `FORBIDDEN` when nobody may be asked to."""
    wall = wish.wall(week, slot)
    starts_at = resolve(wall, wish.zone).instant
    local = starts_at.astimezone(place(who.zone))
    begins = local.hour * 60 + local.minute
    ends, costs = begins + wish.minutes, wish.costs
    if begins < costs.earliest * 60 or ends > costs.latest * 60:
        return FORBIDDEN
    if wall.date() in wish.without:
        return costs.missing
    hours = range(begins // 60, (ends - 1) // 60 + 1)
    if who.can and any(who.can[local.weekday() * 24 + hour] == "0" for hour in hours):
        return costs.missing
    if any(starts_at < until and starts_at + timedelta(minutes=wish.minutes) > since for since, until in who.busy):
        return costs.missing
    return max(costs.of_hour[hour] for hour in hours) + (costs.weekend if local.weekday() >= 5 else 0)


def fixed(people: Sequence[Who], wish: Wish) -> list[Fixed]:
    """Every hour that can be held all weeks, best first."""
    found = []
    for slot in range(wish.half_hours):
        burdens = [0] * len(people)
        for week in range(wish.weeks):
            costs = [cost(who, wish, week, slot) for who in people]
            if FORBIDDEN in costs:
                break
            burdens = [one + other for one, other in zip(burdens, costs, strict=True)]
        else:
            found.append(Fixed(slot, tuple(burdens), max(burdens, default=0), sum(burdens)))
    return sorted(found, key=lambda each: (each.worst, each.total, each.slot))


def greedy(people: Sequence[Who], wish: Wish) -> Rotation:
    """Week by week the hour that leaves the least greatest burden so far, then the least sum, then the first."""
    slots: list[int | None] = []
    burdens = [0] * len(people)
    for week in range(wish.weeks):
        best: tuple[int, int, int, list[int]] | None = None
        for slot in range(wish.half_hours):
            costs = [cost(who, wish, week, slot) for who in people]
            if FORBIDDEN not in costs:
                after = [one + other for one, other in zip(burdens, costs, strict=True)]
                best = min(best or (10**9, 0, 0, after), (max(after, default=0), sum(costs), slot, after))
        slots.append(best[2] if best else None)
        burdens = best[3] if best else burdens
    return Rotation(tuple(slots), tuple(burdens), max(burdens, default=0), sum(burdens), proven=False)


def rotate(costs: Sequence[Sequence[Sequence[int]]], beam: int = BEAM) -> Rotation:
    """Share the burden: `costs[week][slot][person]`. A beam search over the weeks, in plain Python.

    Of each week only the hours count that no other hour beats for everybody at once. Of the sequences so far the `beam`
    best are kept (greatest burden, sum, rank of the one before, slot), one for each tuple of burdens. While nothing is cut
    off, what is found is proven to be the best.
    """
    persons = len(costs[0][0]) if costs and costs[0] else 0
    labels: list[tuple[tuple[int, ...], tuple[int | None, ...]]] = [((0,) * persons, ())]
    proven = True
    for week in costs:
        useful = undominated(week)
        if not useful:
            labels = [(burdens, (*path, None)) for burdens, path in labels]
            continue
        ranked = sorted(
            (max(after, default=0), sum(after), rank, slot, after)
            for rank, (burdens, _path) in enumerate(labels)
            for slot in useful
            for after in [tuple(one + other for one, other in zip(burdens, week[slot], strict=True))]
        )
        kept: dict[tuple[int, ...], tuple[int | None, ...]] = {}
        for _worst, _total, rank, slot, after in ranked:
            if after in kept:
                continue
            if len(kept) == beam:
                proven = False
                break
            kept[after] = (*labels[rank][1], slot)
        labels = list(kept.items())
    burdens, path = labels[0]
    return Rotation(path, burdens, max(burdens, default=0), sum(burdens), proven)


def undominated(week: Sequence[Sequence[int]]) -> list[int]:
    """The slots of one week that no other slot beats or equals for everybody (of equals the first)."""
    first: dict[tuple[int, ...], int] = {}
    for slot, costs in enumerate(week):
        if FORBIDDEN not in costs:
            first.setdefault(tuple(costs), slot)
    vectors = list(first)
    return [
        slot for one, slot in first.items()
        if not any(other != one and all(b <= a for a, b in zip(one, other, strict=True)) for other in vectors)
    ]  # fmt: skip


def walls(wish: Wish, slot: int, zones: Iterable[str]) -> list[Wall]:
    """A weekly hour as each zone's wall shows it over the term, from west to east at its first meeting."""
    instants = [resolve(wish.wall(week, slot), wish.zone).instant for week in range(wish.weeks)]
    told = [_on_wall(instants, zone) for zone in dict.fromkeys(zones)]
    return sorted(told, key=lambda each: (each.first.utcoffset() or timedelta(), each.zone))


def impossible(people: Sequence[Who], wish: Wish) -> tuple[tuple[str, str], ...]:
    """Pairs of zones that have no hour of the day in common within the limits, in the first week or the last."""
    zones = sorted({who.zone for who in people})
    weeks = {0, wish.weeks - 1}
    open_at = {zone: {(w, s) for w in weeks for s in range(wish.half_hours) if cost(Who("", zone), wish, w, s) != FORBIDDEN} for zone in zones}
    return tuple((one, other) for one in zones for other in zones if one < other and not open_at[one] & open_at[other])


def meetings(wish: Wish, slots: Iterable[int | None]) -> Iterator[datetime]:
    """The wall times of a plan, without the days off."""
    for week, slot in enumerate(slots):
        if slot is not None:
            wall = wish.wall(week, slot)
            if wall.date() not in wish.without:
                yield wall


def _on_wall(instants: Sequence[datetime], zone: str) -> Wall:
    there = place(zone)
    local = [instant.astimezone(there) for instant in instants]
    changes = [after for before, after in pairwise(local) if (before.weekday(), before.time()) != (after.weekday(), after.time())]
    return Wall(zone, local[0], tuple(changes))

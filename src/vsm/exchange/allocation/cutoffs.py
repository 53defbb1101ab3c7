"""Allocation under limits that cross: agreements, groups' maxima, timetables and credits, beside capacity and reserves.

Three stages; each is made of rounds in which everybody moves at once, so that no order of names or lines matters.

1. *Refusals.* Everybody asks for the best seats on her list that fit together and have not been refused to her. From the
   smallest set to the largest, an offering with too many keeps its choice (`reserves`), and an exceeded limit refuses the
   worst priorities that it counts. A refusal is final and holds for everybody who stands no better: at the same offering, with worse
   priority, with no group that she lacks, counted by every limit that counts her. Hence nobody who stands no better
   than she is in there at the end.
2. *Return of waste.* A limit may refuse somebody for the sake of one who leaves later. Seats left free go to the best
   priority of those who want them and whom no limit stops; what they release goes on. Nobody loses by it.
   A limit that stops somebody may let another pass, who holds a seat under it already; she is not served either while
   somebody who stands no worse waits before her.
3. The same once more without the soft maxima: a soft limit gives way only to a seat that would stay empty.

Source of the idea: cut-offs raised until feasible: Kamada and Kojima (2024), "Fair matching under constraints: theory and
applications", Review of Economic Studies 91; no rule can be fair and waste nothing in the strongest sense under crossing
limits, which is why fairness is kept among those who stand no better. docs/allocation.md says what is lost.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from vsm.exchange.allocation.bounds import Limits
from vsm.exchange.allocation.reserves import choose
from vsm.exchange.allocation.tables import Tables, owners
from vsm.exchange.allocation.timetable import Diary


@dataclass
class Market:
    """The facts, and who is in where while the rounds go on."""

    flat: Tables
    limits: Limits
    diary: Diary
    most_credits: Sequence[int | None]
    pledged: frozenset[int] = frozenset()
    owner: list[int] = field(init=False)
    granted: bytearray = field(init=False)
    inside: list[set[int]] = field(init=False)  # offering → applications
    bounded: dict[tuple[int, ...], frozenset[int]] = field(init=False)  # limits → those with a maximum
    counted: list[set[int]] = field(init=False)  # limit → applications
    nested: list[tuple[int, bool, int]] = field(init=False)  # (size, whether a limit, position), small sets first

    def __post_init__(self) -> None:
        self.owner = owners(self.flat)
        self.granted = bytearray(len(self.owner))
        self.inside = [set() for _ in self.flat.capacities]
        bounded = {each for each, limit in enumerate(self.limits.limits) if limit.maximum is not None}
        self.bounded = {each: frozenset(bounded.intersection(each)) for each in set(self.limits.counting)}
        self.counted = [set() for _ in self.limits.limits]
        sizes = Counter(self.flat.targets), Counter(each for counted in self.limits.counting for each in counted)
        self.nested = sorted(
            [(sizes[0][each], False, each) for each in range(len(self.flat.capacities))]
            + [(sizes[1][each], True, each) for each in range(len(self.limits.limits))]
        )

    def standing(self, application: int) -> tuple[int, frozenset[int]]:
        """Her class there, and the limits with a maximum that count her."""
        return self.flat.classes[application], self.bounded[self.limits.counting[application]]

    def load(self, limit: int) -> int:
        return len(self.counted[limit])

    def applications(self, student: int) -> range:
        return range(self.flat.starts[student], self.flat.starts[student + 1])

    def held(self, student: int) -> list[int]:
        return [each for each in self.applications(student) if self.granted[each]]

    def best(self, student: int, of: Iterable[int]) -> list[int]:
        """The applications she would take of these (in order of her list): each that fits beside the better ones."""
        at = {self.flat.targets[each]: each for each in of}
        first = [self.flat.targets[each] for each in self.applications(student) if each in self.pledged]
        at |= {self.flat.targets[each]: each for each in self.applications(student) if each in self.pledged}
        taken = self.diary.best(at, self.flat.seats_wanted[student], self.most_credits[student], first)
        return [at[each] for each in taken]

    def set_seats(self, student: int, seats: Iterable[int]) -> list[int]:
        """Give her exactly these; the applications whose seat she gives back."""
        now, before = set(seats), set(self.held(student))
        for application in now - before:
            self._move(application, 1)
        for application in before - now:
            self._move(application, 0)
        return sorted(before - now)

    def _move(self, application: int, granted: int) -> None:
        self.granted[application] = granted
        seats = self.inside[self.flat.targets[application]]
        (seats.add if granted else seats.discard)(application)
        for each in self.limits.counting[application]:
            (self.counted[each].add if granted else self.counted[each].discard)(application)


def settle(market: Market) -> bytearray:
    """Which applications are granted. See the module for how."""
    _refuse(market)
    return refilled(market)


def refilled(market: Market) -> bytearray:
    """Stages 2 and 3 alone."""
    _return_waste(market, soft=True)
    _return_waste(market, soft=False)
    return market.granted


def _refuse(market: Market) -> None:
    flat, refused = market.flat, bytearray(len(market.owner))
    cuts = _Cuts(market)
    asking: set[int] = set(range(len(flat.students)))
    while asking:
        for student in asking:
            possible = [a for a in market.applications(student) if not refused[a] and not cuts.above(a)]
            market.set_seats(student, market.best(student, possible))
        worst = _beyond(market)
        for application in worst:
            refused[application] = 1
            cuts.add(application)
        # A cut-off may lie above others who hold a seat at the moment; they are asked again too.
        asking = {market.owner[each] for each in worst} | cuts.newly_above()


def _beyond(market: Market) -> set[int]:
    """Applications to refuse: what is too many in an offering or under a limit, from the smallest of these sets up.

    Sets inside others come first. So if no two of them cross, this is the choice that takes the best priorities that can
    be had together (the greedy basis of a laminar matroid), and the rounds are deferred acceptance.
    """
    gone: set[int] = set()
    for _, is_limit, position in market.nested:
        inside = market.counted[position] if is_limit else market.inside[position]
        maximum = market.limits.limits[position].maximum if is_limit else market.flat.capacities[position]
        if maximum is None or len(inside) <= maximum:
            continue
        asking = inside - gone
        if len(asking) > maximum:
            gone |= _worst(market, asking, maximum, () if is_limit else market.flat.reserves[position])
    return gone


def _worst(market: Market, asking: set[int], maximum: int, reserved: Sequence[int]) -> set[int]:
    """Those of `asking` that do not stay when `maximum` may, pledged seats first."""
    flat, free = market.flat, asking - market.pledged
    room = max(0, maximum - (len(asking) - len(free)))
    if any(reserved):
        by_key = {flat.keys[each]: each for each in free}
        taken = set(choose(((key, flat.classes[each]) for key, each in by_key.items()), room, _left(reserved, room)))
        return {each for key, each in by_key.items() if key not in taken}
    return set(sorted(free, key=lambda each: (flat.keys[each], each))[room:])


def _left(reserved: Sequence[int], room: int) -> list[int]:
    """The reserves that fit into the room beside pledged seats."""
    left = []
    for seats in reserved:
        left.append(min(seats, room))
        room -= left[-1]
    return left


class _Cuts:
    """The best priority refused so far, by offering and standing (class, limits)."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.at: list[dict[tuple[int, frozenset[int]], int]] = [{} for _ in market.flat.capacities]
        self.touched: set[int] = set()

    def add(self, application: int) -> None:
        flat, standing = self.market.flat, self.market.standing(application)
        at = self.at[flat.targets[application]]
        at[standing] = min(at.get(standing, flat.keys[application]), flat.keys[application])
        self.touched.add(flat.targets[application])

    def above(self, application: int) -> bool:
        """Whether somebody who stands no worse, with better priority, was refused there."""
        if application in self.market.pledged:
            return False
        of, counted = self.market.standing(application)
        key = self.market.flat.keys[application]
        return any(
            key > refused and of | groups == groups and limits <= counted
            for (groups, limits), refused in self.at[self.market.flat.targets[application]].items()
        )

    def newly_above(self) -> set[int]:
        touched, self.touched = self.touched, set()
        seats = (each for offering in touched for each in self.market.inside[offering])
        return {self.market.owner[each] for each in seats if self.above(each)}

def _return_waste(market: Market, *, soft: bool) -> None:
    flat, (lines, by_limit) = market.flat, _lines(market)
    claims = [(flat.keys[a], a) for a, target in enumerate(flat.targets) if _free(market, target)]
    heapify(claims)
    while claims:
        _, application = heappop(claims)
        student, target = market.owner[application], flat.targets[application]
        if market.granted[application] or not _free(market, target):
            continue
        seats = market.best(student, sorted([*market.held(student), application]))
        if application not in seats or not _allowed(market, student, seats, soft=soft) or _overtakes(market, lines, application):
            continue
        released = market.set_seats(student, seats)
        # Whoever was passed over may be served now: where a seat or room under a limit became free, and she herself.
        again = set(market.applications(student)).union(
            *(lines[flat.targets[each]] for each in released),
            *(by_limit[limit] for each in released for limit in market.limits.counting[each]),
        )
        for each in again:
            if not market.granted[each]:
                heappush(claims, (flat.keys[each], each))


def _overtakes(market: Market, lines: Sequence[Sequence[int]], application: int) -> bool:
    """Whether somebody who stands no worse waits before her: a limit stops that one, who would have been served else."""
    keys = market.flat.keys
    of, counted = market.standing(application)
    for other in lines[market.flat.targets[application]]:
        if keys[other] >= keys[application]:
            return False
        groups, limits = market.standing(other)
        if of | groups == groups and limits <= counted and not market.granted[other]:
            student = market.owner[other]
            if other in market.best(student, sorted([*market.held(student), other])):
                return True
    return False


def _lines(market: Market) -> tuple[list[list[int]], list[list[int]]]:
    """The applications of each offering, best priority first, and those that each limit counts."""
    lines: list[list[int]] = [[] for _ in market.flat.capacities]
    by_limit: list[list[int]] = [[] for _ in market.limits.limits]
    for application, target in enumerate(market.flat.targets):
        lines[target].append(application)
        for each in market.limits.counting[application]:
            by_limit[each].append(application)
    for line in lines:
        line.sort(key=lambda application: market.flat.keys[application])
    return lines, by_limit


def _free(market: Market, offering: int) -> bool:
    return len(market.inside[offering]) < market.flat.capacities[offering]


def _allowed(market: Market, student: int, seats: Sequence[int], *, soft: bool) -> bool:
    """Whether no limit is passed when she has these seats instead of hers."""
    change: dict[int, int] = {}
    before, now = set(market.held(student)), set(seats)
    for application, step in [*((each, 1) for each in now - before), *((each, -1) for each in before - now)]:
        for each in market.limits.counting[application]:
            change[each] = change.get(each, 0) + step
    for position, step in change.items():
        limit, load = market.limits.limits[position], market.load(position) + step
        if step > 0 and limit.maximum is not None and load > limit.maximum and (soft or limit.hard):
            return False
        if step < 0 and limit.hard and load < limit.minimum <= market.load(position):
            return False
    return True


def turns(market: Market) -> bytearray:
    """Serial dictatorship: in the order of the lottery, each takes the best seats that are free and allowed."""
    flat = market.flat
    for student in range(len(flat.students)):
        market.set_seats(student, market.best(student, []))  # what is pledged is taken before the first turn
    for student in range(len(flat.students)):
        for application in market.applications(student):
            seats = market.best(student, [*market.held(student), application])
            free = _free(market, flat.targets[application]) and application in seats
            if not market.granted[application] and free and _allowed(market, student, seats, soft=True):
                market.set_seats(student, seats)
    return refilled(market)

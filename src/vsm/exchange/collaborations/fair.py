"""A stable proposal for a fair at which many wishes look for partners: Irving's algorithm, seeded and explained. Pure.

Every wish orders the others. A pairing is *stable* when no two wishes would both rather have each other than what they
were given; that is the promise which keeps teachers from bargaining around the proposal. Because any wish may pair with
any other (not two separate sides), this is the stable roommates problem with incomplete lists (Irving 1985, "An efficient
algorithm for the stable roommates problem"; Gusfield and Irving 1989, §4.5.2). Not every fair has a stable pairing.
Then the pairing of greatest total score is proposed, and every pair that would rather have each other is named.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

Pair = tuple[str, str]


@dataclass(frozen=True)
class Proposal:
    """Who is proposed to whom. `blocking` are the pairs that would both rather have each other; none when stable."""

    pairs: tuple[Pair, ...]
    alone: tuple[str, ...]
    is_stable: bool
    blocking: tuple[Pair, ...]
    orders: Mapping[str, tuple[str, ...]]

    def place_of(self, wish: str) -> int | None:
        """Which place on its own list the partner of this wish has, from 1; None for one left alone."""
        partner = next((b if a == wish else a for a, b in self.pairs if wish in (a, b)), None)
        return self.orders[wish].index(partner) + 1 if partner is not None else None


def orders_of(ranked: Mapping[str, Sequence[str]], scores: Mapping[Pair, int], seed: str) -> dict[str, tuple[str, ...]]:
    """Each wish's complete order: first what its teacher ranked, then the others by score, equal scores by the seed.

    `scores` are by pair (either order); a pair that is absent or scores 0 cannot be. Both sides must have each other.
    """
    value = {frozenset(pair): score for pair, score in scores.items()}
    orders: dict[str, tuple[str, ...]] = {}
    for wish in sorted(ranked):
        possible = [other for other in sorted(ranked) if other != wish and value.get(frozenset((wish, other)), 0) > 0]
        place = {other: number for number, other in enumerate(ranked[wish])}
        orders[wish] = tuple(
            sorted(possible, key=lambda other, wish=wish, place=place: (place.get(other, len(place)), -value[frozenset((wish, other))], draw(seed, wish, other)))  # type: ignore[misc]  # -- defaults bind the loop's values
        )
    return orders


def draw(seed: str, wish: str, other: str) -> str:
    """The tie-break of a pair, the same from both sides and for whoever has the seed."""
    return hashlib.sha256("\0".join((seed, *sorted((wish, other)))).encode()).hexdigest()


def propose(ranked: Mapping[str, Sequence[str]], scores: Mapping[Pair, int], seed: str) -> Proposal:
    """The stable pairing of this fair, or the one of greatest total score where none is stable."""
    orders = orders_of(ranked, scores, seed)
    found = stable_pairs(orders)
    pairs = found if found is not None else heaviest_pairs(orders, scores)
    paired = {wish for pair in pairs for wish in pair}
    return Proposal(pairs, tuple(sorted(set(orders) - paired)), found is not None, tuple(blocking_pairs(orders, pairs)), orders)


def stable_pairs(orders: Mapping[str, Sequence[str]]) -> tuple[Pair, ...] | None:
    """A stable pairing by Irving's two phases, or None when there is none. `orders` must be mutual."""
    lists = {wish: list(order) for wish, order in orders.items()}
    _first_phase(lists)
    empty = {wish for wish, order in lists.items() if not order}
    while True:
        start = next((wish for wish in sorted(lists) if len(lists[wish]) > 1), None)
        if start is None:
            break
        for wish, dropped in _rotation(lists, start):
            _forget_after(lists, wish, dropped)
        if any(not order for wish, order in lists.items() if wish not in empty):
            return None
    return tuple(sorted({_pair(wish, order[0]) for wish, order in lists.items() if order}))


def heaviest_pairs(orders: Mapping[str, Sequence[str]], scores: Mapping[Pair, int]) -> tuple[Pair, ...]:
    """The pairing of greatest total score, exactly, as an integer programme."""
    import numpy as np
    from scipy.optimize import Bounds, LinearConstraint, milp

    value = {_pair(*pair): score for pair, score in scores.items()}
    edges = sorted({_pair(wish, other) for wish, order in orders.items() for other in order})
    if not edges:
        return ()
    wishes = sorted(orders)
    incidence = np.array([[wish in edge for edge in edges] for wish in wishes], dtype=float)
    solved = milp(
        -np.array([value[edge] for edge in edges], dtype=float), constraints=LinearConstraint(incidence, ub=1.0),
        integrality=np.ones(len(edges)), bounds=Bounds(0, 1),
    )  # fmt: skip
    return tuple(edge for edge, taken in zip(edges, solved.x, strict=True) if taken > 0.5)


def blocking_pairs(orders: Mapping[str, Sequence[str]], pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Every two that would both rather have each other than what `pairs` gives them."""
    partner = {a: b for pair in pairs for a, b in (pair, pair[::-1])}
    place = {wish: {other: number for number, other in enumerate(order)} for wish, order in orders.items()}

    def would_rather(wish: str, other: str) -> bool:
        held = partner.get(wish)
        return held is None or place[wish][other] < place[wish][held]

    for wish in sorted(orders):
        for other in orders[wish]:
            if wish < other and partner.get(wish) != other and would_rather(wish, other) and would_rather(other, wish):
                yield (wish, other)


def _pair(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)


def _first_phase(lists: dict[str, list[str]]) -> None:
    """Everybody proposes down the list until somebody holds the proposal; whoever holds one drops all that are worse."""
    holds: dict[str, str] = {}
    waiting = sorted(lists, reverse=True)
    while waiting:
        wish = waiting.pop()
        if not lists[wish]:
            continue
        asked = lists[wish][0]
        before = holds.get(asked)
        if before == wish:
            continue
        holds[asked] = wish
        _forget_after(lists, asked, wish)
        if before is not None:
            waiting.append(before)


def _forget_after(lists: dict[str, list[str]], wish: str, kept: str) -> None:
    """Take everything behind `kept` off the list of `wish`, on both sides."""
    if kept not in lists[wish]:
        return
    cut = lists[wish].index(kept) + 1
    for dropped in lists[wish][cut:]:
        lists[dropped].remove(wish)
    del lists[wish][cut:]


def _rotation(lists: dict[str, list[str]], start: str) -> list[tuple[str, str]]:
    """A rotation exposed in the lists, as (who must drop, back to whom): q keeps only what is as good as p."""
    path, seen, wish = [start], {start: 0}, start
    while True:
        second = lists[wish][1]
        wish = lists[second][-1]
        if wish in seen:
            cycle = path[seen[wish] :]
            return [(lists[each][1], each) for each in cycle]
        seen[wish] = len(path)
        path.append(wish)

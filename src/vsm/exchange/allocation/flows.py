"""Seats promised to an institution, as quotas of a problem; and the balance of who took how many from whom: pure.

Several promises may cover one offering (two agreements, or one for all fields beside one for law). A flow of students keeps all
of them exactly when, for every set of promises, the offerings that only these cover take no more students than these
promise together (Hall 1935). Institutions have two or three promises with each other, so every set can be written down. A seat
that an earlier result gave counts in the same way: against the sets that hold every promise which it may have used.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations

from vsm.exchange.allocation.problem import Quota

MOST_SETS_OF = 6  # promises of one institution with one host; beyond, each one and all together are kept


@dataclass(frozen=True)
class Promise:
    """One promise in one term: for whom, by whom, how many seats, in which offerings of the call; and the seats that earlier
    results gave which may have used it."""

    id: str
    home: str
    host: str
    seats: int
    offerings: frozenset[str]
    used: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Balance:
    """Between a home and a host: seats that the home's students hold at the host, and the other way, without this result."""

    home: str
    host: str
    taken: int
    given: int

    @property
    def before(self) -> int:
        """How many more the home has taken than given."""
        return self.taken - self.given


def agreement_quotas(promises: Iterable[Promise]) -> tuple[list[Quota], dict[str, set[str]]]:
    """The quotas that keep all promises, and offering → labels by which they count it."""
    pairs: dict[tuple[str, str], list[Promise]] = defaultdict(list)
    for promise in promises:
        pairs[promise.home, promise.host].append(promise)
    quotas: list[Quota] = []
    labels: dict[str, set[str]] = defaultdict(set)
    for (home, host), held in sorted(pairs.items()):
        covered, used = _by(held, lambda promise: promise.offerings), _by(held, lambda promise: promise.used)
        bounds: dict[frozenset[str], int] = {}
        for some in _sets(held):
            names = {promise.id for promise in some}
            bound = frozenset(offering for offering, by in covered.items() if by <= names)
            if bound:
                free = sum(promise.seats for promise in some) - sum(by <= names for by in used.values())
                bounds[bound] = min(free, bounds.get(bound, free))
        for number, (bound, free) in enumerate(bounds.items(), start=1):
            label = f"agreements:{home}:{host}:{number}"
            quotas.append(Quota(label, (home,), (label,), maximum=max(0, free)))
            for offering in bound:
                labels[offering].add(label)
    return quotas, labels


def _by(promises: Iterable[Promise], covered: Callable[[Promise], Iterable[str]]) -> dict[str, frozenset[str]]:
    """Offering or seat → the promises that cover it."""
    found: dict[str, frozenset[str]] = defaultdict(frozenset)
    for promise in promises:
        for each in covered(promise):
            found[each] |= {promise.id}
    return found


def balance_quotas(balances: Iterable[Balance], *, bound: int, hard: bool) -> list[Quota]:
    """At most so many seats for each home that its balance with the host stays within `bound`; offerings bear `host:…`."""
    return [
        Quota(f"balance:{each.home}:{each.host}", (each.home,), (f"host:{each.host}",), maximum=max(0, bound - each.before), hard=hard) for each in balances
    ]


def beyond(balances: Iterable[Balance], now: Mapping[tuple[str, str], int], bound: int) -> list[Balance]:
    """Those whose balance a result takes beyond the bound."""
    return [each for each in balances if each.before + now.get((each.home, each.host), 0) > bound and now.get((each.home, each.host), 0)]


def _sets(promises: list[Promise]) -> Iterable[tuple[Promise, ...]]:
    """Every set but the empty one, small ones first."""
    sizes = range(1, len(promises) + 1) if len(promises) <= MOST_SETS_OF else (1, len(promises))
    return (some for size in sizes for some in combinations(promises, size))

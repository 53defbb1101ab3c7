"""Which of its applicants an offering takes: by priority, with seats for which members of a group go first.

One group: the minority reserves of Hafalir, Yenmez and Yildirim (2013), "Effective affirmative action in school choice",
Theoretical Economics 8: the reserved seats go to the best members of the group, all other seats to the best of everybody
left. Several, overlapping groups: one person fills one reserved seat; first as many reserved seats as possible are
filled, by the best people who can fill them together (a maximum matching, greedily by priority), then the other seats
go to the best of everybody left: Sönmez and Yenmez (2022), "Affirmative action in India via vertical, horizontal, and
overlapping reservations", Econometrica 90. With one group both are the same.

A *class* is the set of an offering's reserved groups that somebody belongs to, as bits in the order of its reserves; a
set X of groups is written as bits too. A maximum matching has the size of the least r(X) + (people whose class is not
inside X), r(X) being the seats reserved for X (König). So of one applicant too many, the one to refuse is the worst among
those whose class lies inside the smallest X that gives this least: the others are all needed for reserved seats.
"""

from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush


def classes(groups: Iterable[str], reserved: Sequence[str]) -> int:
    """The class of somebody with these groups in an offering that reserves seats for `reserved`."""
    mine = set(groups)
    return sum(1 << bit for bit, group in enumerate(reserved) if group in mine)


def surplus(counts: Mapping[int, int], seats: Sequence[int]) -> int:
    """The smallest set X of groups whose people exceed its reserved seats by most; `counts` is class → people."""
    best, smallest = None, (1 << len(seats)) - 1
    for inside in range(1 << len(seats)):
        reserved = sum(each for bit, each in enumerate(seats) if inside >> bit & 1)
        value = reserved - sum(count for each, count in counts.items() if each | inside == inside)
        if best is None or value < best:
            best, smallest = value, inside
        elif value == best:
            smallest &= inside  # the least values form a lattice (r and the count are modular and supermodular)
    return smallest


def filled(counts: Mapping[int, int], seats: Sequence[int]) -> int:
    """How many reserved seats these people (class → number) can fill together."""
    return min(
        sum(each for bit, each in enumerate(seats) if inside >> bit & 1)
        + sum(count for each, count in counts.items() if each | inside != inside)
        for inside in range(1 << len(seats))
    )


class Applicants:
    """Those an offering keeps so far: at most `capacity`, always those its choice would take of all who ever asked.

    Keys are priorities (lower goes first), unique in the offering. O(2^groups) for an applicant too many.
    """

    def __init__(self, capacity: int, seats: Sequence[int]) -> None:
        self.capacity, self.seats = capacity, seats
        self.heaps: dict[int, list[int]] = {}  # class → negated keys: the worst is on top
        self.size = 0

    def offer(self, key: int, of: int) -> int | None:
        """Ask for a seat; the key that is refused then (her own, somebody else's, or None)."""
        if not self.capacity:
            return key
        heappush(self.heaps.setdefault(of, []), -key)
        if self.size < self.capacity:
            self.size += 1
            return None
        return -heappop(self.heaps[self._worst()])

    def _worst(self) -> int:
        """The class of the one to refuse."""
        inside = surplus({each: len(heap) for each, heap in self.heaps.items()}, self.seats) if self.seats else 0
        # A heap holds negated keys, so the smallest top is the worst key.
        return min((heap[0], each) for each, heap in self.heaps.items() if heap and each | inside == inside)[1]


def choose(applicants: Iterable[tuple[int, int]], capacity: int, seats: Sequence[int]) -> list[int]:
    """The keys taken, in order, of applicants given as (key, class); `seats` are those reserved, by bit."""
    kept = Applicants(capacity, seats)
    for key, of in applicants:
        kept.offer(key, of)
    return sorted(-key for heap in kept.heaps.values() for key in heap)


def threshold(admitted: Sequence[tuple[int, int]], of: int, seats: Sequence[int]) -> int | None:
    """The priority that somebody of class `of` would have to beat in a full offering; None when she always would.

    `admitted` are (key, class). None means that a reserved seat is hers whatever her priority.
    """
    counts: dict[int, int] = {of: 1}
    for _, each in admitted:
        counts[each] = counts.get(each, 0) + 1
    inside = surplus(counts, seats)
    if of | inside != inside:
        return None
    return max((key for key, each in admitted if each | inside == inside), default=-1)

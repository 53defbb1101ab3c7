"""Which offerings cannot be taken together, and which seats of a list a student can have at once."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vsm.exchange.allocation.faults import WEEK

if TYPE_CHECKING:  # a problem keeps its diary
    from vsm.exchange.allocation.problem import Meeting, Offering


def clash(one: Iterable["Meeting"], other: Iterable["Meeting"]) -> bool:
    """Whether two weekly timetables overlap; a meeting may run past the end of the week into its beginning."""
    others = tuple(other)
    return any(
        start < end_2 + shift and start_2 + shift < end
        for start, end in one
        for start_2, end_2 in others
        for shift in (-WEEK, 0, WEEK)
    )


def clashes(offerings: Sequence["Offering"]) -> list[frozenset[int]]:
    """For each offering (by position) those that it clashes with. Quadratic in the offerings that meet."""
    found: list[set[int]] = [set() for _ in offerings]
    meeting = [position for position, offering in enumerate(offerings) if offering.meetings]
    for place, one in enumerate(meeting):
        for other in meeting[place + 1 :]:
            if clash(offerings[one].meetings, offerings[other].meetings):
                found[one].add(other)
                found[other].add(one)
    return [frozenset(each) for each in found]


@dataclass(frozen=True, slots=True)
class Diary:
    """What limits a set of seats of one student, apart from their number: clashes and the most credits."""

    clashes: Sequence[frozenset[int]]
    credits: Sequence[int]

    @classmethod
    def of(cls, offerings: Sequence["Offering"]) -> "Diary":
        return cls(clashes(offerings), [offering.credits for offering in offerings])

    def best(self, wished: Iterable[int], seats: int, most: int | None, first: Collection[int] = ()) -> list[int]:
        """The seats she would take of `wished` (offerings, most wanted first): each that still fits beside the better ones.

        `first` are fixed and taken before all others.
        """
        taken = list(first)
        total = sum(self.credits[each] for each in taken)
        for offering in wished:
            if len(taken) >= seats:
                break
            if offering in taken or (most is not None and total + self.credits[offering] > most):
                continue
            if self.clashes[offering] and not self.clashes[offering].isdisjoint(taken):
                continue
            taken.append(offering)
            total += self.credits[offering]
        return taken

    def hindered(self, offering: int, better: Iterable[int], most: int | None) -> bool:
        """Whether the better seats that she has leave no room for `offering` in her timetable or credits."""
        held = list(better)
        if not self.clashes[offering].isdisjoint(held):
            return True
        return most is not None and sum(self.credits[each] for each in held) + self.credits[offering] > most

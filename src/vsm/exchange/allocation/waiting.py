"""Who is offered a seat that becomes free after the run: declined, expired, withdrawn, or added late.

The waiting lists of the outcome stay as they are; a place on one is lost only by declining that offering or leaving.
A free seat goes to the first on its list who would take it: who holds less than she wanted, or holds a seat that she
ranked lower. Under policies the first is who could fill a reserved seat that is still empty, then the first of all; who
would break a limit is passed over (a soft limit only as long as somebody else would take the seat). Taking it then releases her lowest seat, which is free for the next one: the chain goes on. Nobody who
holds a seat is ever moved by somebody else's answer, so nobody's place gets worse.

An offer that is not answered yet is *held*: pass it in `held` like an accepted seat. Unlike a seat she accepted it may
be replaced by an offer she ranked higher, with her consent like everything else.

Source: Blum, Roth and Rothblum (1997), "Vacancy chains and equilibration in senior-level labor markets", Journal of
Economic Theory 76.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vsm.exchange.allocation.bounds import Counting
from vsm.exchange.allocation.problem import Problem
from vsm.exchange.allocation.reserves import classes, filled

WaitingLists = Mapping[str, Sequence[str]]  # offering → students, first in line first
Holdings = Mapping[str, Collection[str]]  # student → offerings accepted, or offered and not answered yet


@dataclass(frozen=True, order=True, slots=True)
class Offer:
    """A seat to offer now. `rank` is the place that the student gave it on her list."""

    student: str
    offering: str
    rank: int


@dataclass(frozen=True, slots=True)
class Step:
    """One answer in a chain: the offer, whether it was taken, and the seats that taking it released."""

    offer: Offer
    taken: bool
    released: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chain:
    """What followed from freeing seats: every answer in order, who holds what then, which seats stayed free."""

    steps: tuple[Step, ...]
    held: dict[str, frozenset[str]]
    free: dict[str, int]


def refill(problem: Problem, waiting: WaitingLists, free: Mapping[str, int], held: Holdings) -> tuple[Offer, ...]:
    """The offers to make now for the `free` seats (offering → number), in order of (student, offering).

    No student gets an offer that she would not keep beside the others made to her at the same time: of two seats for
    one wish she is offered the one she ranked higher, and the other goes on to the next in line. At most `free` offers
    go out for each offering; the seat that an upgrade would release is not offered before the upgrade is accepted.
    The order in which the seats are looked at does not matter. Under policies `held` must tell everybody's seats, for they
    count for reserves and limits. ValueError for a negative number of free seats; KeyError
    for an offering or student that is not in the problem.
    """
    for offering, seats in free.items():
        if seats < 0:
            raise ValueError(f"{problem.offering(offering).id}: {seats} free seats")
    if not problem.plain:
        return _Policies(problem, held).offers(waiting, free)
    lines = {offering: iter(waiting.get(problem.offering(offering).id, ())) for offering in free}
    vacant = deque(offering for offering in sorted(free) for _ in range(free[offering]))
    offered: dict[str, set[str]] = {}
    while vacant:
        offering = vacant.popleft()
        student = next(_takers(problem, lines[offering], offering, held, offered), None)
        if student is None:
            continue
        mine = offered.setdefault(student, set())
        passed_on = mine - _best(problem, student, {*held.get(student, ()), *mine, offering})
        mine.add(offering)
        mine -= passed_on
        vacant.extend(sorted(passed_on))
    return tuple(
        sorted(
            Offer(student, offering, _ranks(problem, student)[offering])
            for student, offerings in offered.items()
            for offering in offerings
        )
    )


def released(problem: Problem, student: str, held: Collection[str], accepted: str) -> tuple[str, ...]:
    """The seats that `student` gives back by accepting: what exceeds the number she wanted, lowest ranked first.

    Usually one or none. Ask when she answers, not when the offer is made: of two offers, the first accepted releases
    the lowest seat, the second the next. The accepted seat itself is among them if she holds enough better ones by now.
    """
    everything = {*held, accepted}
    ranks = _ranks(problem, student)
    given_back = everything - _best(problem, student, everything)
    return tuple(sorted(given_back, key=lambda offering: (-ranks.get(offering, 0), offering)))


def without(waiting: WaitingLists, student: str, offering: str | None = None) -> dict[str, tuple[str, ...]]:
    """The waiting lists after `student` declined `offering` or let it expire; without offering: after she left."""
    return {
        each: tuple(other for other in line if other != student) if offering in (None, each) else tuple(line)
        for each, line in waiting.items()
    }


def chain(
    problem: Problem,
    waiting: WaitingLists,
    free: Mapping[str, int],
    held: Holdings,
    accepts: Callable[[Offer], bool] = lambda offer: True,
) -> Chain:
    """Offer, answer, release and offer again until no free seat has a taker. `accepts` plays the students.

    For previews ("if all accept, these twelve move up") and for tests; in life the answers come one by one.
    """
    lines = {offering: tuple(line) for offering, line in waiting.items()}
    seats, holdings = dict(free), {student: frozenset(mine) for student, mine in held.items()}
    steps: list[Step] = []
    while offers := refill(problem, lines, seats, holdings):
        for offer in offers:
            mine = holdings.get(offer.student, frozenset())
            if not accepts(offer):
                lines = without(lines, offer.student, offer.offering)
                steps.append(Step(offer, taken=False))
                continue
            given_back = released(problem, offer.student, mine, offer.offering)
            holdings[offer.student] = (mine | {offer.offering}).difference(given_back)
            seats[offer.offering] -= 1
            for offering in given_back:
                seats[offering] = seats.get(offering, 0) + 1
            steps.append(Step(offer, taken=True, released=given_back))
    return Chain(tuple(steps), holdings, seats)


def _takers(
    problem: Problem, line: Iterator[str], offering: str, held: Holdings, offered: Mapping[str, Collection[str]]
) -> Iterator[str]:
    """Those in line who would take a seat in `offering` now, given what they hold and what they are offered already.

    Who passes is not asked again in this round: what is offered to a student only gets better while it lasts.
    """
    for student in line:
        mine = {*held.get(student, ()), *offered.get(student, ())}
        if offering not in mine and offering in _best(problem, student, {*mine, offering}):
            yield student


def _best(problem: Problem, student: str, offerings: set[str]) -> set[str]:
    """Those she keeps: as many as she wanted, best first. A seat off her list was given by hand and counts as best."""
    ranks = _ranks(problem, student)
    in_order = sorted(offerings, key=lambda offering: (ranks.get(offering, 0), offering))
    wanted = problem.student(student).seats_wanted
    if problem.plain:
        return set(in_order[:wanted])
    index = problem.positions
    span = problem.student(student).credits_range
    kept = problem.diary.best([index[each] for each in in_order], wanted, None if span is None else span[1])
    return {problem.offerings[each].id for each in kept}



def _ranks(problem: Problem, student: str) -> dict[str, int]:
    return {choice.offering: choice.rank for choice in problem.student(student).choices}


class _Policies:
    """The seats of everybody while offers are made, and what reserves and limits say about the next one."""

    def __init__(self, problem: Problem, held: Holdings) -> None:
        self.problem, self.counting = problem, Counting(problem)
        self.held = {student: set(mine) for student, mine in held.items()}
        self.offered: dict[str, set[str]] = {}
        self.load = [0] * len(self.counting.limits)
        self.inside: dict[str, dict[int, int]] = {offering.id: {} for offering in problem.offerings}
        for student, mine in self.held.items():
            for offering in mine:
                self._count(student, offering, 1)

    def offers(self, waiting: WaitingLists, free: Mapping[str, int]) -> tuple[Offer, ...]:
        vacant = deque(offering for offering in sorted(free) for _ in range(free[offering]))
        while vacant:
            offering = vacant.popleft()
            student = self._next(waiting.get(self.problem.offering(offering).id, ()), offering)
            if student is None:
                continue
            mine = self.offered.setdefault(student, set())
            kept = _best(self.problem, student, {*self.held.get(student, ()), *mine, offering})
            passed_on = mine - kept
            for each in passed_on:
                self._count(student, each, -1)
            self._count(student, offering, 1)
            mine.add(offering)
            mine -= passed_on
            vacant.extend(sorted(passed_on))
        return tuple(
            sorted(
                Offer(student, offering, _ranks(self.problem, student)[offering])
                for student, offerings in self.offered.items()
                for offering in offerings
            )
        )

    def _next(self, line: Sequence[str], offering: str) -> str | None:
        takers = [student for student in line if self._would_take(student, offering)]
        for soft in (True, False):
            allowed = list(self._unstopped(takers, offering, soft=soft))
            if allowed:
                return next((student for student in allowed if self._fills_a_reserve(student, offering)), allowed[0])
        return None

    def _unstopped(self, takers: Sequence[str], offering: str, *, soft: bool) -> Iterator[str]:
        """Whom no limit stops, unless it stops somebody before her who stands no worse (see `cutoffs`)."""
        stopped: list[tuple[int, frozenset[int]]] = []
        for student in takers:
            of, counted = self._standing(student, offering)
            if any(of | groups == groups and limits <= counted for groups, limits in stopped):
                continue
            if self._allowed(student, offering, soft=soft):
                yield student
            else:
                stopped.append((of, counted))

    def _standing(self, student: str, offering: str) -> tuple[int, frozenset[int]]:
        who, where = self.problem.student(student), self.problem.offering(offering)
        limits = (each for each in self.counting.of(who, where) if self.counting.limits[each].maximum is not None)
        return classes(who.groups, [group for group, _ in where.reserves]), frozenset(limits)

    def _would_take(self, student: str, offering: str) -> bool:
        mine = {*self.held.get(student, ()), *self.offered.get(student, ())}
        return offering not in mine and offering in _best(self.problem, student, {*mine, offering})

    def _fills_a_reserve(self, student: str, offering: str) -> bool:
        reserves = self.problem.offering(offering).reserves
        of = classes(self.problem.student(student).groups, [group for group, _ in reserves])
        seats, inside = [each for _, each in reserves], self.inside[offering]
        return of != 0 and filled({**inside, of: inside.get(of, 0) + 1}, seats) > filled(inside, seats)

    def _allowed(self, student: str, offering: str, *, soft: bool) -> bool:
        """Whether her taking it, and giving back what does not fit beside it, keeps every limit."""
        before = {*self.held.get(student, ()), *self.offered.get(student, ())}
        after = _best(self.problem, student, {*before, offering})
        change: dict[int, int] = {}
        for each, step in [*((each, 1) for each in after - before), *((each, -1) for each in before - after)]:
            for limit in self.counting.of(self.problem.student(student), self.problem.offering(each)):
                change[limit] = change.get(limit, 0) + step
        for each, step in change.items():
            bound, load = self.counting.limits[each], self.load[each] + step
            if step > 0 and bound.maximum is not None and load > bound.maximum and (soft or bound.hard):
                return False
            if step < 0 and bound.hard and load < bound.minimum <= self.load[each]:
                return False
        return True

    def _count(self, student_id: str, offering_id: str, step: int) -> None:
        student, offering = self.problem.student(student_id), self.problem.offering(offering_id)
        of = classes(student.groups, [group for group, _ in offering.reserves])
        self.inside[offering_id][of] = self.inside[offering_id].get(of, 0) + step
        for limit in self.counting.of(student, offering):
            self.load[limit] += step

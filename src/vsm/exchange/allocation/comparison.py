"""What an outcome means in numbers; mechanisms side by side; what would change; what it does to reciprocity.

For the people who choose a rule before anybody sees a result. Nothing here names a student.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from vsm.exchange.allocation.problem import Mechanism, Offering, Problem, Quota, Reserve
from vsm.exchange.allocation.reserves import surplus
from vsm.exchange.allocation.solver import REFERENCE, Kernel, Outcome, Run, allocate


@dataclass(frozen=True, slots=True)
class Share:
    """Of `students`, `placed` have a seat at least and `first` their first choice; together they have `seats`."""

    students: int
    placed: int
    first: int
    seats: int


@dataclass(frozen=True, slots=True)
class Filled:
    """A limit and the seats given that it counts. `group` and `offering` are "" for a quota, `quota` "" for a bound."""

    quota: str
    offering: str
    group: str
    seats: int
    minimum: int
    maximum: int | None
    hard: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """One outcome in numbers.

    `ranks` counts seats by the place on the student's list (1 for her first choice). `envy` counts pairs: somebody wants
    a seat that another has, who goes after her by band and lottery and has it neither by a reserve nor under a limit that
    counts her alone. `few_credits` counts students with seats, but fewer credits than their least.
    """

    mechanism: Mechanism
    everybody: Share
    ranks: Mapping[int, int]
    groups: Mapping[str, Share]
    origins: Mapping[str, Share]
    offerings: Mapping[str, int]  # offering → seats left
    limits: tuple[Filled, ...]
    envy: int
    few_credits: int
    outcome: Outcome

    @property
    def seats_left(self) -> int:
        return sum(self.offerings.values())


def compare(
    problem: Problem, mechanisms: Iterable[str] = tuple(Mechanism), kernels: Mapping[str, Kernel] = REFERENCE
) -> tuple[Summary, ...]:
    """One summary for each mechanism, on the same problem otherwise. `Invalid` when hard minima cannot be met."""
    problems = (replace(problem, mechanism=Mechanism(mechanism)) for mechanism in mechanisms)
    return tuple(summary(each, allocate(each, kernels)) for each in problems)


def summary(problem: Problem, outcome: Outcome) -> Summary:
    """The numbers of one outcome of this problem."""
    run = Run(replace(problem, mechanism=Mechanism.DEFERRED_ACCEPTANCE))  # envy is about priorities, whatever the rule
    flat, positions = run.flat, problem.positions
    placed = {(placement.student, positions[placement.offering]) for placement in outcome.placements}
    granted = bytearray(len(flat.targets))
    ranks: Counter[int] = Counter()
    seats_of: dict[str, list[int]] = {}  # student → places on her list
    few_credits = 0
    for position, student_id in enumerate(flat.students):
        start, student = flat.starts[position], problem.student(student_id)
        mine = [a for a in range(start, flat.starts[position + 1]) if (student_id, flat.targets[a]) in placed]
        seats_of[student_id] = [a - start + 1 for a in mine]
        ranks.update(seats_of[student_id])
        for application in mine:
            granted[application] = 1
        got = sum(problem.offerings[flat.targets[a]].credits for a in mine)
        few_credits += bool(mine) and student.credits_range is not None and got < student.credits_range[0]
    load = run.limits.load(granted)
    taken = Counter(placement.offering for placement in outcome.placements)
    return Summary(
        mechanism=outcome.mechanism,
        everybody=_share(seats_of.values()),
        ranks=dict(sorted(ranks.items())),
        groups=_shares((group, seats_of[s.id]) for s in problem.students for group in s.groups),
        origins=_shares((s.origin, seats_of[s.id]) for s in problem.students if s.origin),
        offerings={each.id: each.capacity - taken[each.id] for each in problem.offerings},
        limits=tuple(
            Filled(
                quota="" if limit.offering else limit.id,
                offering=limit.offering,
                group=limit.group,
                seats=seats,
                minimum=limit.minimum,
                maximum=limit.maximum,
                hard=limit.hard,
            )
            for limit, seats in zip(run.limits.limits, load, strict=True)
        ),
        envy=_envy(run, granted, outcome),
        few_credits=few_credits,
        outcome=outcome,
    )


def _share(places: Iterable[Sequence[int]]) -> Share:
    each = list(places)
    return Share(len(each), sum(map(bool, each)), sum(1 in mine for mine in each), sum(map(len, each)))


def _shares(places: Iterable[tuple[str, Sequence[int]]]) -> dict[str, Share]:
    by_name: dict[str, list[Sequence[int]]] = {}
    for name, mine in places:
        by_name.setdefault(name, []).append(mine)
    return {name: _share(each) for name, each in sorted(by_name.items())}


def _envy(run: Run, granted: Sequence[int], outcome: Outcome) -> int:
    """Pairs of somebody who waits and somebody worse placed who is in, counted offering by offering."""
    flat, positions = run.flat, run.problem.positions
    inside: list[list[int]] = [[] for _ in flat.capacities]
    mine: dict[tuple[str, int], int] = {}
    for position, student in enumerate(flat.students):
        for application in range(flat.starts[position], flat.starts[position + 1]):
            mine[student, flat.targets[application]] = application
            if granted[application]:
                inside[flat.targets[application]].append(application)
    pairs = 0
    for admission in outcome.admissions:
        target = positions[admission.offering]
        waiting = [mine[student, target] for student in admission.waiting]
        pairs += _envy_in(run, inside[target], waiting, target)
    return pairs


def _envy_in(run: Run, inside: Sequence[int], waiting: Sequence[int], target: int) -> int:
    flat = run.flat
    by_standing: dict[tuple[int, frozenset[int]], list[int]] = {}
    for application in inside:
        by_standing.setdefault(_standing(run, application), []).append(flat.keys[application])
    for keys in by_standing.values():
        keys.sort()
    counts = Counter(flat.classes[application] for application in inside)
    within: dict[int, int] = {}
    pairs = 0
    for application in waiting:
        of, counted = _standing(run, application)
        if of not in within:
            within[of] = surplus({**counts, of: counts[of] + 1}, flat.reserves[target])
        for (other, limits), keys in by_standing.items():
            if run.limits.limits:  # there, fairness is kept among those who stand no better
                competing = other | of == of
            else:
                competing = other | within[of] == within[of] and of | within[of] == within[of]
            if competing and counted <= limits:
                pairs += len(keys) - bisect_right(keys, flat.keys[application])
    return pairs


def _standing(run: Run, application: int) -> tuple[int, frozenset[int]]:
    limits = run.limits.limits
    bounded = (each for each in run.limits.counting[application] if limits[each].maximum is not None)
    return run.flat.classes[application], frozenset(bounded)


def what_if(
    problem: Problem,
    *,
    capacities: Mapping[str, int] | None = None,
    reserves: Mapping[str, Mapping[str, int]] | None = None,
    quotas: Sequence[Quota] | None = None,
    mechanism: str | None = None,
) -> Problem:
    """The problem with other seats (offering → capacity), reserves (offering → group → seats), quotas or mechanism.

    `Invalid` with every fault, as for any problem; KeyError for an offering that is not in it.
    """
    seats, groups = capacities or {}, reserves or {}
    for offering in {*seats, *groups}:
        problem.offering(offering)

    def changed(offering: Offering) -> Offering:
        wished = groups.get(offering.id)
        reserved = offering.reserves if wished is None else tuple(Reserve(*each) for each in wished.items())
        return replace(offering, capacity=seats.get(offering.id, offering.capacity), reserves=reserved)

    return problem.but(
        offerings=map(changed, problem.offerings),
        quotas=problem.quotas if quotas is None else quotas,
        mechanism=mechanism or problem.mechanism,
    )


@dataclass(frozen=True, slots=True)
class Difference:
    """How many students are better off, worse off or as before, and how many seats and students more (or fewer, < 0).

    Better: choosing freely among the seats of both outcomes she would take exactly those of the second.
    """

    better: int
    worse: int
    same: int
    undecided: int
    placed: int
    seats: int


def difference(problem: Problem, before: Outcome, after: Outcome) -> Difference:
    """What a second outcome means for the students of the first; both of the same students and lists."""
    one, two = _seats(before), _seats(after)
    found: Counter[str] = Counter()
    for student in problem.students:
        mine, other = one.get(student.id, []), two.get(student.id, [])
        best = sorted({*mine, *other})[: student.seats_wanted]
        found["same" if mine == other else "better" if best == other else "worse" if best == mine else "undecided"] += 1
    return Difference(
        better=found["better"],
        worse=found["worse"],
        same=found["same"],
        undecided=found["undecided"],
        placed=len(two) - len(one),
        seats=len(after.placements) - len(before.placements),
    )


def _seats(outcome: Outcome) -> dict[str, list[int]]:
    seats: dict[str, list[int]] = {}
    for placement in outcome.placements:
        seats.setdefault(placement.student, []).append(placement.rank)
    return seats


@dataclass(frozen=True, slots=True)
class Balance:
    """Between a host (`here`) and a partner: seats that it gave to the partner's students less seats received there.

    `before` is what the ledger says, `given` and `received` are this outcome's, `after` follows.
    """

    here: str
    partner: str
    before: int
    given: int
    received: int

    @property
    def after(self) -> int:
        return self.before + self.given - self.received


def ledger(problem: Problem, outcome: Outcome, before: Mapping[tuple[str, str], int]) -> tuple[Balance, ...]:
    """The reciprocity of each (here, partner) of `before` if these placements are accepted.

    A seat is given by `here` when its offering bears the label `here` and the student's origin is `partner`.
    """
    flows: Counter[tuple[str, str]] = Counter()
    for placement in outcome.placements:
        origin = problem.student(placement.student).origin
        flows.update((label, origin) for label in problem.offering(placement.offering).labels)
    return tuple(
        Balance(here, partner, balance, flows[here, partner], flows[partner, here])
        for (here, partner), balance in sorted(before.items())
    )

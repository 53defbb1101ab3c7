"""Who gets which seat: the way for each problem, and the outcome as it is published.

The work is done in three steps, so that a compiled kernel can replace the middle one and give the same bytes: `tables`
turns the problem into flat lists of integers, a mechanism says which applications are granted, and `outcome_of` turns
these back into names. Priority is strict: band, then lottery number, then id (which decides only if two of the 53-bit
numbers should be equal).
"""

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

from vsm.exchange.allocation import cutoffs, reference
from vsm.exchange.allocation.bounds import Limits, limits_of, pledges
from vsm.exchange.allocation.problem import Mechanism, Problem, Timetable, canonical_json
from vsm.exchange.allocation.tables import Tables, tables
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

FORMAT, FORMAT_2 = "vsm-allocation-outcome-1", "vsm-allocation-outcome-2"


class Placement(NamedTuple):
    """A seat for a student; `rank` is the place she gave it on her list."""

    student: str
    offering: str
    rank: int


class CutOff(NamedTuple):
    """The worst priority admitted. `band` is None where the mechanism looks at the lottery alone."""

    band: int | None
    lottery: int


@dataclass(frozen=True, slots=True)
class Admission:
    """What became of one offering: seats given, the last admitted, who waits, best priority first.

    The last admitted is None when nobody was, or when the mechanism does not look at priorities.
    """

    offering: str
    placed: int
    last_admitted: CutOff | None
    waiting: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """The result of a run: placements by (student, rank), the unplaced and the admissions in order of id.

    `pledged` are (student, offering) placed before all others because a hard minimum could not be met otherwise. The
    outcome of a problem of format 2 is written in format 2.
    """

    problem: str
    mechanism: Mechanism
    placements: tuple[Placement, ...]
    unplaced: tuple[str, ...]
    admissions: tuple[Admission, ...]
    pledged: tuple[tuple[str, str], ...] = ()
    format: str = FORMAT

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The outcome whose canonical bytes are `content`; `Invalid` otherwise. Whether it is right, `audit` tells."""
        unreadable = Reason("outcome-unreadable", N_("This is not a frozen allocation outcome."))
        try:
            fields = json.loads(content)
            outcome = cls(
                problem=fields["problem"],
                mechanism=Mechanism(fields["mechanism"]),
                placements=tuple(Placement(*row) for row in fields["placements"]),
                unplaced=tuple(fields["unplaced"]),
                admissions=tuple(_admission(**row) for row in fields["admissions"]),
                pledged=tuple((student, offering) for student, offering in fields.get("pledged", ())),
                format={FORMAT: FORMAT, FORMAT_2: FORMAT_2}[fields["format"]],
            )
            rewritten = outcome.canonical != content
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Invalid(unreadable) from error
        if rewritten:
            raise Invalid(unreadable)
        return outcome

    @cached_property
    def canonical(self) -> bytes:
        """The outcome as canonical JSON (RFC 8785); `from_bytes` reads it back."""
        return canonical_json(
            ({"pledged": self.pledged} if self.format == FORMAT_2 else {})
            | {
                "admissions": [
                    {
                        "last_admitted": admission.last_admitted and admission.last_admitted._asdict(),
                        "offering": admission.offering,
                        "placed": admission.placed,
                        "waiting": admission.waiting,
                    }
                    for admission in self.admissions
                ],
                "format": self.format,
                "mechanism": self.mechanism,
                "placements": self.placements,
                "problem": self.problem,
                "unplaced": self.unplaced,
            }
        )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes, in hexadecimal."""
        return hashlib.sha256(self.canonical).hexdigest()


Granted = Sequence[int]  # for each application 1 when it is granted, 0 otherwise
Kernel = Callable[[Tables], Granted]
REFERENCE: Mapping[str, Kernel] = {
    "deferred_acceptance": reference.deferred_acceptance,
    "with_reserves": reference.with_reserves,
    "serial_dictatorship": reference.serial_dictatorship,
}


def allocate(problem: Problem, kernels: Mapping[str, Kernel] = REFERENCE) -> Outcome:
    """The outcome of `problem` by its mechanism; `Invalid` when its hard minima cannot be met.

    `kernels` may be `kernels.COMPILED` (same bytes, sooner). Plain problems and reserves: O(applications · log seats)
    steps, plus sorting the waiting lists; limits and timetables: rounds of that; optima: an integer programme.
    """
    run = Run(problem)
    return run.outcome(run.granted(kernels))


class Run:
    """The tables, limits and timetables of one problem, and the way in which it is solved."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.flat = problem, tables(problem)
        self.limits = limits_of(problem, self.flat) if _limited(problem) else Limits((), [()] * len(self.flat.targets))
        self.diary = problem.diary
        spans = [problem.student(each).credits_range for each in self.flat.students]
        self.most_credits = [None if span is None else span[1] for span in spans]
        self.pledged: frozenset[int] = frozenset()
        several = any(student.seats_wanted > 1 for student in problem.students)  # one seat clashes with nothing
        self.timetabled = (several and any(self.diary.clashes)) or any(most is not None for most in self.most_credits)

    def granted(self, kernels: Mapping[str, Kernel] = REFERENCE) -> Granted:
        """Which applications are granted."""
        problem, flat = self.problem, self.flat
        if problem.mechanism is Mechanism.UTILITARIAN or (problem.timetable is Timetable.EXACT and self.timetabled):
            from vsm.exchange.allocation.optimum import Programme

            programme = Programme(problem, flat, self.limits)
            found = programme.utilitarian() if problem.mechanism is Mechanism.UTILITARIAN else programme.exact()
            return _flags(flat, found)
        if not self.limits.limits and not self.timetabled:
            in_turn = problem.mechanism is Mechanism.SERIAL_DICTATORSHIP
            plain = "serial_dictatorship" if in_turn else "deferred_acceptance"
            return kernels["with_reserves" if any(flat.reserves) else plain](flat)
        granted = self._settled()
        if self.limits.missed(granted):
            self.pledged = pledges(problem, flat, self.limits, granted)
            granted = self._settled()
        return granted

    def _settled(self) -> Granted:
        market = cutoffs.Market(self.flat, self.limits, self.diary, self.most_credits, self.pledged)
        # With reserves a turn does not say yet who keeps her seat; the rounds with equal bands do.
        in_turn = self.problem.mechanism is Mechanism.SERIAL_DICTATORSHIP and not any(self.flat.reserves)
        return cutoffs.turns(market) if in_turn else cutoffs.settle(market)

    def outcome(self, granted: Granted) -> Outcome:
        """The outcome with these seats, whoever chose them."""
        return outcome_of(self, granted)


def _limited(problem: Problem) -> bool:
    return bool(problem.quotas) or any(offering.bounds for offering in problem.offerings)


def _flags(flat: Tables, granted: Collection[int]) -> bytearray:
    flags = bytearray(len(flat.targets))
    for application in granted:
        flags[application] = 1
    return flags


def outcome_of(run: Run, granted: Granted) -> Outcome:
    """The granted applications in names, with cut-offs and waiting lists as they follow."""
    problem, flat = run.problem, run.flat
    everybody = len(flat.students)
    placements: list[Placement] = []
    unplaced: list[str] = []
    waiting: list[list[int]] = [[] for _ in flat.capacities]
    admitted: list[list[int]] = [[] for _ in flat.capacities]
    for position, student_id in enumerate(flat.students):
        student, start = problem.student(student_id), flat.starts[position]
        held = [each for each in range(start, flat.starts[position + 1]) if granted[each]]
        placements += [
            Placement(student_id, student.choices[each - start].offering, student.choices[each - start].rank) for each in held
        ]
        if not held:
            unplaced.append(student_id)
        for application in held:
            admitted[flat.targets[application]].append(application)
        for application in _wanting(run, position, held):
            waiting[flat.targets[application]].append(flat.keys[application])
    return Outcome(
        problem=problem.digest,
        mechanism=problem.mechanism,
        placements=tuple(sorted(placements, key=lambda placement: (placement.student, placement.rank))),
        unplaced=tuple(sorted(unplaced)),
        admissions=tuple(
            Admission(
                offering=offering.id,
                placed=len(admitted[position]),
                last_admitted=_cut_off(problem, flat, admitted[position]),
                waiting=tuple(flat.students[key % everybody] for key in sorted(waiting[position])),
            )
            for position, offering in enumerate(problem.offerings)
        ),
        pledged=tuple(sorted(_named(run, each) for each in run.pledged)),
        format=FORMAT if problem.plain else FORMAT_2,
    )


def _wanting(run: Run, student: int, held: Sequence[int]) -> list[int]:
    """Her applications that she wants still: they fit beside the better ones that she has."""
    flat, room, better, wanting = run.flat, run.flat.seats_wanted[student], [], []
    fixed = [flat.targets[each] for each in held if each in run.pledged]
    room -= len(fixed)
    for application in range(flat.starts[student], flat.starts[student + 1]):
        if room <= 0:
            break
        target = flat.targets[application]
        if target in fixed:
            continue
        if granted_now := application in held:
            room -= 1
            better.append(target)
        if not granted_now and not (
            run.timetabled and run.diary.hindered(target, [*fixed, *better], run.most_credits[student])
        ):
            wanting.append(application)
    return wanting


def _cut_off(problem: Problem, flat: Tables, admitted: Sequence[int]) -> CutOff | None:
    if not admitted or problem.mechanism is Mechanism.UTILITARIAN:
        return None
    last = max(admitted, key=lambda application: flat.keys[application])
    in_turn = problem.mechanism is Mechanism.SERIAL_DICTATORSHIP
    return CutOff(None if in_turn else flat.bands[last], flat.drawn[last])


def _named(run: Run, application: int) -> tuple[str, str]:
    student = run.flat.keys[application] % len(run.flat.students)
    return run.flat.students[student], run.problem.offerings[run.flat.targets[application]].id


def _admission(offering: str, placed: int, last_admitted: dict[str, Any] | None, waiting: list[str]) -> Admission:
    return Admission(offering, placed, CutOff(**last_admitted) if last_admitted else None, tuple(waiting))

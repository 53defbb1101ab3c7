"""A problem in flat lists of integers: all that a mechanism sees, and the priority of each application."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from vsm.exchange.allocation import lottery
from vsm.exchange.allocation.problem import Lottery, Mechanism, Problem
from vsm.exchange.allocation.reserves import classes


@dataclass(frozen=True, slots=True)
class Tables:
    """Students are numbered by their lottery number (0 goes first), offerings in order of id.

    The applications of student s are those from starts[s] up to starts[s + 1], most wanted first: `targets` holds the
    offering, `keys` the priority there: unique in each offering, lower is better, and key % students is the student.
    `bands` and `drawn` are what the key was made from (the drawn number: the student's, or hers at that offering).
    `reserves` are the reserved seats of each offering, `classes` the class of each application (see `reserves`); both
    are all zero and empty in a problem without reserves.
    """

    students: Sequence[str]
    capacities: Sequence[int]
    seats_wanted: Sequence[int]
    starts: Sequence[int]
    targets: Sequence[int]
    keys: Sequence[int]
    bands: Sequence[int]
    drawn: Sequence[int]
    reserves: Sequence[Sequence[int]]
    classes: Sequence[int]


def tables(problem: Problem) -> Tables:
    """The problem as a mechanism sees it; serial dictatorship sees every band as equal, and one lottery for all."""
    numbered = sorted((lottery.number(problem.seed, student.id), student.id) for student in problem.students)
    students = [problem.student(student_id) for _, student_id in numbered]
    by_lottery_alone = problem.mechanism is Mechanism.SERIAL_DICTATORSHIP
    each_draws = problem.lottery is Lottery.PER_OFFERING and not by_lottery_alone
    index = {offering.id: position for position, offering in enumerate(problem.offerings)}
    reserved = [[group for group, _ in offering.reserves] for offering in problem.offerings]
    starts, targets, bands, drawn, belongs = [0], [], [], [], []
    for (number, _), student in zip(numbered, students, strict=True):
        for _, offering, band in student.choices:
            targets.append(index[offering])
            bands.append(0 if by_lottery_alone else band)
            drawn.append(lottery.number_at(problem.seed, student.id, offering) if each_draws else number)
            belongs.append(classes(student.groups, reserved[index[offering]]) if student.groups else 0)
        starts.append(len(targets))
    flat = Tables(
        students=[student.id for student in students],
        capacities=[offering.capacity for offering in problem.offerings],
        seats_wanted=[student.seats_wanted for student in students],
        starts=starts,
        targets=targets,
        keys=[],
        bands=bands,
        drawn=drawn,
        reserves=[[seats for _, seats in offering.reserves] for offering in problem.offerings],
        classes=belongs,
    )
    keys = _keys_of_draws(flat) if each_draws else _keys_of_students(flat)
    return replace(flat, keys=keys)


def owners(flat: Tables) -> list[int]:
    """The student of each application."""
    return [student for student in range(len(flat.students)) for _ in range(flat.starts[student], flat.starts[student + 1])]


def _keys_of_students(flat: Tables) -> list[int]:
    """Band, then the student's place in the lottery."""
    lowest, everybody = min(flat.bands, default=0), len(flat.students)
    return [(band - lowest) * everybody + owner for band, owner in zip(flat.bands, owners(flat), strict=True)]


def _keys_of_draws(flat: Tables) -> list[int]:
    """Band, then the number drawn at that offering; the student's own place if two should be equal."""
    owner, everybody = owners(flat), len(flat.students)
    order = sorted(range(len(owner)), key=lambda each: (flat.bands[each], flat.drawn[each], owner[each]))
    keys = [0] * len(owner)
    for place, application in enumerate(order):
        keys[application] = place * everybody + owner[application]
    return keys

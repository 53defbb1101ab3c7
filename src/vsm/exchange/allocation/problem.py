"""What is to be allocated: seats, ranked wishes, priorities and policies, frozen and validated before anybody is placed.

A `Problem` is a value. Two calls with the same facts, in whatever order they were read, have the same canonical bytes
and therefore the same digest; everything published later (outcome, reasons, audit) refers to that digest.

Two formats are written. A problem without policies (no groups, bounds, quotas, timetable, one lottery) is written in
format 1, as it always was; any other in format 2, where whatever has its default value is left out. Both are read.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple, Self

from vsm.exchange.allocation.faults import Rules, faults
from vsm.exchange.allocation.timetable import Diary
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

FORMAT, FORMAT_2 = "vsm-allocation-problem-1", "vsm-allocation-problem-2"


class Mechanism(StrEnum):
    """Who is asked in which order; docs/allocation.md gives the property and the price of each."""

    DEFERRED_ACCEPTANCE = "deferred_acceptance"
    SERIAL_DICTATORSHIP = "serial_dictatorship"
    UTILITARIAN = "utilitarian"


class Lottery(StrEnum):
    """How equal priority is broken: one number a student, the same at every offering; or one for each offering."""

    SINGLE = "single"
    PER_OFFERING = "per_offering"


class Timetable(StrEnum):
    """How clashes and credits are respected: in the rounds of the mechanism, or by an exact search (small problems)."""

    FAST = "fast"
    EXACT = "exact"


class Reserve(NamedTuple):
    """Seats of an offering for which members of `group` go first. Soft: what they do not fill goes to everybody.

    Who belongs to several groups fills one reserved seat, not several.
    """

    group: str
    seats: int


class Bound(NamedTuple):
    """Hard: at least `minimum` and at most `maximum` (None: no limit) of an offering's seats go to `group`.

    Here a student counts in every group that she belongs to.
    """

    group: str
    minimum: int = 0
    maximum: int | None = None


class Meeting(NamedTuple):
    """A weekly meeting in minutes of the UTC week (Monday 00:00 is 0): `start` included, `end` not; it may run into Monday."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Offering:
    """Something with seats. `capacity` may be 0: then it is listed, and nobody gets in.

    `labels` say what quotas count it (its host, term, field …). `credits` are hundredths of any one unit.
    """

    id: str
    capacity: int
    reserves: tuple[Reserve, ...] = ()
    bounds: tuple[Bound, ...] = ()
    labels: tuple[str, ...] = ()
    meetings: tuple[Meeting, ...] = ()
    credits: int = 0


class Choice(NamedTuple):
    """One line of a student's list. Rank 1 is what she wants most; band is her priority there, lower is better."""

    rank: int
    offering: str
    band: int


@dataclass(frozen=True, slots=True)
class Student:
    """Who wants up to `seats_wanted` seats, from `choices` in order of rank (gaps between ranks are allowed).

    `origin` is what quotas count her by, usually her home institution. `credits_range` is (least, most) in hundredths; a most of None bounds nothing.
    """

    id: str
    seats_wanted: int
    choices: tuple[Choice, ...]
    groups: tuple[str, ...] = ()
    origin: str = ""
    credits_range: tuple[int, int | None] | None = None

    @classmethod
    def ranking(cls, id: str, wishes: Iterable[tuple[str, int]], seats_wanted: int = 1, **facts: Any) -> Self:  # noqa: A002 -- the field's name
        """A student from (offering, band) pairs, most wanted first; ranks 1, 2, 3 … follow from the order."""
        return cls(id, seats_wanted, tuple(Choice(rank, *wish) for rank, wish in enumerate(wishes, start=1)), **facts)


@dataclass(frozen=True, slots=True)
class Quota:
    """Seats for a flow: students from `origins` (none named: from anywhere) in offerings that bear all of `labels`.

    A hard maximum is never exceeded; a soft one gives way only to seats that would otherwise stay empty. A hard minimum
    is met or the problem is refused; a soft one is a target that is reported.
    """

    id: str
    origins: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    minimum: int = 0
    maximum: int | None = None
    hard: bool = True

    def counts(self, student: Student, offering: Offering) -> bool:
        """Whether a seat of this student in this offering is one of the quota's."""
        return (not self.origins or student.origin in self.origins) and set(self.labels) <= set(offering.labels)


@dataclass(frozen=True)
class Problem:
    """The frozen input of a run. Build it with `of` or `from_bytes`: they sort and validate.

    `offerings` and `students` stand in order of id, each student's choices in order of rank, everything else sorted.
    """

    offerings: tuple[Offering, ...]
    students: tuple[Student, ...]
    seed: str
    mechanism: Mechanism = Mechanism.DEFERRED_ACCEPTANCE
    lottery: Lottery = Lottery.SINGLE
    quotas: tuple[Quota, ...] = ()
    timetable: Timetable = Timetable.FAST

    @classmethod
    def of(
        cls,
        *,
        offerings: Iterable[Offering],
        students: Iterable[Student],
        seed: str,
        mechanism: str = Mechanism.DEFERRED_ACCEPTANCE,
        lottery: str = Lottery.SINGLE,
        quotas: Iterable[Quota] = (),
        timetable: str = Timetable.FAST,
    ) -> Self:
        """The validated problem, or `Invalid` with every fault found (see `faults`)."""
        offerings, students, quotas = tuple(offerings), tuple(students), tuple(quotas)
        known = Rules(tuple(Mechanism), tuple(Lottery), tuple(Timetable))
        Invalid.unless(faults(offerings, students, quotas, known, seed, mechanism, lottery, timetable))
        return cls(
            offerings=tuple(sorted(map(_tidy_offering, offerings), key=lambda offering: offering.id)),
            students=tuple(sorted(map(_tidy_student, students), key=lambda student: student.id)),
            seed=seed,
            mechanism=Mechanism(mechanism),
            lottery=Lottery(lottery),
            quotas=tuple(sorted(map(_tidy_quota, quotas), key=lambda quota: quota.id)),
            timetable=Timetable(timetable),
        )

    def but(self, **changes: Any) -> Self:
        """The same problem with other rules, offerings, students or quotas, validated again: for what-if runs."""
        fields = ("offerings", "students", "seed", "mechanism", "lottery", "quotas", "timetable")
        return self.of(**{name: changes.pop(name, getattr(self, name)) for name in fields}, **changes)

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The problem whose canonical bytes are `content`; `Invalid` when they are anything else.

        Bytes that mean the same but are written differently are refused: their digest would be another one.
        """
        try:
            facts = _facts(json.loads(content))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise Invalid(Reason("problem-unreadable", N_("This is not a frozen allocation problem."))) from error
        problem = cls.of(**facts)
        if problem.canonical != content:
            raise Invalid(Reason("problem-not-canonical", N_("The frozen allocation problem has been rewritten.")))
        return problem

    @cached_property
    def canonical(self) -> bytes:
        """The problem as canonical JSON (RFC 8785); `from_bytes` reads it back."""
        quoted = {each.id: _quoted(each.id) for each in self.offerings}
        return self.written(
            written_student(
                student.id,
                student.seats_wanted,
                ",".join([f"[{rank},{quoted[offering]},{band}]" for rank, offering, band in student.choices]),
                _unusual(student, ("groups", "origin", "credits_range")) if not self.plain else {},
            )
            for student in self.students
        )

    def written(self, students: Iterable[str], *, plain: bool | None = None) -> bytes:
        """The canonical bytes of this problem with these students (`written_student`, in order of id) in place of its own.

        `plain` says whether it is so with them. Who only wants to compare bytes need not make a million choices for it.
        """
        rest = canonical_json(_document(self, self.plain if plain is None else plain)).decode()
        head, tail = rest.split('"students":[]')  # neither an id nor a seed can hold a quotation mark that is not escaped
        return f'{head}"students":[{",".join(students)}]{tail}'.encode()

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical bytes, in hexadecimal: the name under which the problem is published."""
        return hashlib.sha256(self.canonical).hexdigest()

    @cached_property
    def plain(self) -> bool:
        """Whether there are no policies: no groups, quotas, timetable or credits, and one lottery number a student."""
        return (
            self.lottery is Lottery.SINGLE
            and self.mechanism is not Mechanism.UTILITARIAN
            and self.timetable is Timetable.FAST
            and not self.quotas
            and all(offering == Offering(offering.id, offering.capacity) for offering in self.offerings)
            and not any(student.groups or student.origin or student.credits_range for student in self.students)
        )

    def offering(self, offering_id: str) -> Offering:
        """The offering with this id; KeyError when there is none."""
        return self._offerings_by_id[offering_id]

    def student(self, student_id: str) -> Student:
        """The student with this id; KeyError when there is none."""
        return self._students_by_id[student_id]

    @cached_property
    def diary(self) -> Diary:
        """Which offerings clash, and their credits, by position."""
        return Diary.of(self.offerings)

    @cached_property
    def positions(self) -> dict[str, int]:
        """Offering → its position in order of id."""
        return {offering.id: position for position, offering in enumerate(self.offerings)}

    @cached_property
    def _offerings_by_id(self) -> dict[str, Offering]:
        return {offering.id: offering for offering in self.offerings}

    @cached_property
    def _students_by_id(self) -> dict[str, Student]:
        return {student.id: student for student in self.students}


def canonical_json(value: object) -> bytes:
    """`value` as RFC 8785 canonical JSON, for text, whole numbers below 2**53, lists and ASCII keys only.

    For such values Python's encoder with sorted keys already writes what the RFC asks (a test compares it with the
    rfc8785 package), at six times the speed; floats and non-ASCII keys would need the package.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def written_student(student_id: str, seats_wanted: int, choices: str, further: Mapping[str, object]) -> str:
    """One student as canonical JSON: her choices as text already, and what is unusual about her (a few have anything)."""
    if not further:
        return f'{{"choices":[{choices}],"id":{_quoted(student_id)},"seats_wanted":{seats_wanted}}}'
    rest = canonical_json({**further, "id": student_id, "seats_wanted": seats_wanted}).decode()
    return f'{{"choices":[{choices}],{rest[1:]}'  # no key comes before "choices"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _document(problem: Problem, plain: bool) -> dict[str, object]:
    """Everything but the students: they are written apart, since there may be a hundred thousand."""
    written: dict[str, object] = {
        "format": FORMAT if plain else FORMAT_2,
        "lottery": problem.lottery,
        "mechanism": problem.mechanism,
        "offerings": [
            {"capacity": each.capacity, "id": each.id}
            | _unusual(each, ("reserves", "bounds", "labels", "meetings", "credits"))
            for each in problem.offerings
        ],
        "seed": problem.seed,
        "students": [],
    }
    if plain:
        return written
    names = ("origins", "labels", "minimum", "maximum")
    quotas = [{"hard": each.hard, "id": each.id} | _unusual(each, names) for each in problem.quotas]
    return written | {"quotas": quotas, "timetable": problem.timetable}


def _unusual(value: object, names: Iterable[str]) -> dict[str, object]:
    """Those fields that do not have their default value (every default is false, and nothing else is but a maximum of 0)."""
    found = {name: getattr(value, name) for name in names}
    return {name: each for name, each in found.items() if each or (name == "maximum" and each == 0)}


def _facts(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What `Problem.of` takes, from the frozen document."""
    if fields["format"] not in (FORMAT, FORMAT_2):
        raise ValueError(fields["format"])
    facts = {name: fields[name] for name in ("seed", "mechanism", "lottery")}
    if fields["format"] == FORMAT_2:
        facts |= {"timetable": fields["timetable"], "quotas": [_quota(row) for row in fields["quotas"]]}
    return facts | {
        "offerings": [_offering(row) for row in fields["offerings"]],
        "students": [_student(row) for row in fields["students"]],
    }


def _offering(row: Mapping[str, Any]) -> Offering:
    return Offering(
        row["id"],
        row["capacity"],
        reserves=tuple(Reserve(*each) for each in row.get("reserves", ())),
        bounds=tuple(Bound(*each) for each in row.get("bounds", ())),
        labels=tuple(row.get("labels", ())),
        meetings=tuple(Meeting(*each) for each in row.get("meetings", ())),
        credits=row.get("credits", 0),
    )


def _student(row: Mapping[str, Any]) -> Student:
    span = row.get("credits_range")
    return Student(
        row["id"],
        row["seats_wanted"],
        tuple(Choice(*choice) for choice in row["choices"]),
        groups=tuple(row.get("groups", ())),
        origin=row.get("origin", ""),
        credits_range=None if span is None else tuple(span),
    )


def _quota(row: Mapping[str, Any]) -> Quota:
    return Quota(
        row["id"],
        origins=tuple(row.get("origins", ())),
        labels=tuple(row.get("labels", ())),
        minimum=row.get("minimum", 0),
        maximum=row.get("maximum"),
        hard=row["hard"],
    )


def _tidy_offering(offering: Offering) -> Offering:
    if offering == Offering(offering.id, offering.capacity):
        return offering
    return replace(
        offering,
        reserves=tuple(sorted(Reserve(*each) for each in offering.reserves if each[1])),
        bounds=tuple(sorted((Bound(*each) for each in offering.bounds), key=lambda bound: bound.group)),
        labels=tuple(sorted(offering.labels)),
        meetings=tuple(sorted(Meeting(*each) for each in offering.meetings)),
    )


def _tidy_student(student: Student) -> Student:
    choices, groups = tuple(sorted(student.choices)), tuple(sorted(student.groups))
    if choices == student.choices and groups == student.groups:
        return student
    return replace(student, choices=choices, groups=groups)


def _tidy_quota(quota: Quota) -> Quota:
    return replace(quota, origins=tuple(sorted(quota.origins)), labels=tuple(sorted(quota.labels)))

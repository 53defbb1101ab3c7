"""How far somebody is in a programme: what counts, what is missing and by when. Pure.

Credits beyond what an elective group asks for are earned but do not bring the award nearer; they are told apart.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from vsm.exchange.programmes.structure import COMPULSORY, Group, Module, Structure

ZERO = Decimal(0)


@dataclass(frozen=True)
class Attempt:
    """One enrolment of a student in a module. `state`: taking, passed, failed or dropped; a dropped one does not count."""

    module: str
    state: str
    number: int = 1


@dataclass(frozen=True)
class Pause:
    """An interruption from a day until the day of return (that day excluded)."""

    starts_on: date
    ends_on: date

    @property
    def days(self) -> int:
        return max(0, (self.ends_on - self.starts_on).days)


@dataclass(frozen=True, kw_only=True)
class GroupProgress:
    """`earned` counts towards the award and never exceeds `needed`; `taking` is what the running modules would add."""

    code: str
    title: Mapping[str, str]
    kind: str
    needed: Decimal
    earned: Decimal
    taking: Decimal
    surplus: Decimal

    @property
    def missing(self) -> Decimal:
        """What is neither earned nor being taken."""
        return self.needed - self.earned - self.taking


@dataclass(frozen=True, kw_only=True)
class Missing:
    """Something to do: a compulsory module, or so many credits out of an elective group. `term` is the recommended one."""

    group: Mapping[str, str]
    title: Mapping[str, str]
    code: str
    credits: Decimal
    term: int
    attempts: int


@dataclass(frozen=True, kw_only=True)
class Progress:
    """`expected` are the credits that the plan has after the terms already studied; `by` is the last day of all."""

    total: Decimal
    earned: Decimal
    taking: Decimal
    groups: tuple[GroupProgress, ...]
    missing: tuple[Missing, ...]
    expected: Decimal
    by: date | None

    @property
    def is_complete(self) -> bool:
        return self.earned >= self.total

    @property
    def left(self) -> Decimal:
        return self.total - self.earned

    @property
    def is_behind(self) -> bool:
        return self.earned + self.taking < self.expected


def progress_of(structure: Structure, attempts: Sequence[Attempt], *, terms_studied: int, by: date | None) -> Progress:
    """`terms_studied` are the terms that lie behind (interruptions are not among them); `by` the longest duration's end."""
    passed = {each.module for each in attempts if each.state == "passed"}
    taking = {each.module for each in attempts if each.state == "taking"} - passed
    groups = tuple(_group(structure, each, passed, taking) for each in structure.groups)
    return Progress(
        total=structure.total,
        earned=sum((each.earned for each in groups), ZERO),
        taking=sum((each.taking for each in groups), ZERO),
        groups=groups,
        missing=tuple(_missing(structure, groups, passed | taking, attempts)),
        expected=_expected(structure, terms_studied),
        by=by,
    )


def tries(attempts: Sequence[Attempt], module: str) -> int:
    """How often this module was begun and not dropped."""
    return sum(1 for each in attempts if each.module == module and each.state != "dropped")


def last_day(started_on: date, months: int, pauses: Sequence[Pause]) -> date:
    """The end of the longest duration. The clock stops during interruptions, so each moves the end by its days."""
    return months_later(started_on, months) + timedelta(days=sum(pause.days for pause in pauses))


def months_later(day: date, months: int) -> date:
    """The same day of a later month, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    first_of_next = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return date(year, month + 1, min(day.day, (first_of_next - timedelta(days=1)).day))


def _group(structure: Structure, group: Group, passed: set[str], taking: set[str]) -> GroupProgress:
    modules, needed = structure.of(group.code), structure.needed(group)
    got = sum((each.credits for each in modules if each.code in passed), ZERO)
    under_way = sum((each.credits for each in modules if each.code in taking), ZERO)
    earned = min(got, needed)
    return GroupProgress(
        code=group.code, title=group.title, kind=group.kind, needed=needed, earned=earned, taking=min(under_way, needed - earned),
        surplus=got - earned,
    )  # fmt: skip


def _missing(structure: Structure, groups: Sequence[GroupProgress], begun: set[str], attempts: Sequence[Attempt]) -> Iterator[Missing]:
    found = []
    for group in groups:
        if group.kind == COMPULSORY:
            found += [_of_module(group, each, attempts) for each in structure.of(group.code) if each.code not in begun]
        elif group.missing > 0:
            open_terms = [each.term for each in structure.of(group.code) if each.code not in begun]
            found.append(
                Missing(group=group.title, title={}, code="", credits=group.missing, term=min(open_terms, default=structure.terms), attempts=0)
            )
    yield from sorted(found, key=lambda each: (each.term, each.code))


def _of_module(group: GroupProgress, module: Module, attempts: Sequence[Attempt]) -> Missing:
    return Missing(
        group=group.title, title=module.title, code=module.code, credits=module.credits, term=module.term,
        attempts=tries(attempts, module.code),
    )  # fmt: skip


def _expected(structure: Structure, terms_studied: int) -> Decimal:
    """An even share of the whole for each term that lies behind, to a tenth."""
    share = min(Decimal(terms_studied) / structure.terms, Decimal(1))
    return (structure.total * share).quantize(Decimal("0.1"))

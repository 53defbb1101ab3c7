"""What the rulebook holds once read: frozen values, each with its source and its first day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from vsm.kit.i18n import N_
from vsm.kit.localized import text_in
from vsm.kit.verdict import Reason
from vsm.rulebook.errors import NoValueYet


@dataclass(frozen=True)
class Reference:
    """Where a value comes from: law, decree or guide, as it is called; the article or page, and what it says; an address (empty
    where none exists). `str()` is in English and is what records keep; `told` says it in a reader's language."""

    title: str
    part: str
    url: str
    parts: Mapping[str, str] = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        return self.told("en")

    def told(self, language: str) -> str:
        return f"{self.title}, {self.part_in(language)}" + (f" <{self.url}>" if self.url else "")

    def part_in(self, language: str) -> str:
        return text_in(self.parts, language) or self.part


@dataclass(frozen=True, kw_only=True)
class Dated:
    """A value from a day on, until the next one of the same entry begins.

    `verified` tells whether the source itself, or a faithful quotation, was read; `note` says what is known and what
    is not: a text for whoever keeps the rulebook, or by language where readers are told it.
    """

    since: date
    reference: Reference
    verified: bool
    note: str | Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class CreditValue(Dated):
    """The hours of one credit: a student's whole work. `year` is the load of a full-time year in credits, if known."""

    hours_low: Decimal
    hours_high: Decimal
    contact_low: Decimal | None = None
    contact_high: Decimal | None = None
    year: Decimal | None = None

    @property
    def hours_central(self) -> Decimal:
        return (self.hours_low + self.hours_high) / 2


class Scope(StrEnum):
    """Who stands behind a credit system; an institutional one differs from house to house."""

    REGIONAL = "regional"
    NATIONAL = "national"
    INSTITUTIONAL = "institutional"


@dataclass(frozen=True, kw_only=True)
class CreditSystem:
    """A unit in which study is counted. `country` is ISO 3166-1 alpha-2, None for a system of several countries."""

    slug: str
    name: Mapping[str, str]
    unit: Mapping[str, str]
    units: Mapping[str, str]
    country: str | None
    scope: Scope
    values: tuple[CreditValue, ...]

    def at(self, on: date) -> CreditValue:
        return in_force(self.values, on, f"credits/{self.slug}.yaml")


@dataclass(frozen=True)
class Letter:
    """One mark of a letter scale. `points` order the letters; None for a mark without rank (pass, not passed)."""

    grade: str
    points: Decimal | None
    passed: bool
    also: tuple[str, ...] = ()

    def answers_to(self, text: str) -> bool:
        return text in (self.grade, *self.also)


@dataclass(frozen=True, kw_only=True)
class GradeValue(Dated):
    """A scale of grades: numbers from `worst` to `best` in steps, or letters (best first) with points on that line.

    `best` may be the lowest number (Germany). `pass_mark` is the least that passes; it lies on the grid of steps.
    """

    worst: Decimal
    best: Decimal
    pass_mark: Decimal
    step: Decimal | None
    letters: tuple[Letter, ...] = ()
    unranked: tuple[Letter, ...] = ()

    @property
    def direction(self) -> int:
        """1 where more is better, -1 where less is better."""
        return 1 if self.best > self.worst else -1

    def passes(self, points: Decimal) -> bool:
        return self.direction * (points - self.pass_mark) >= 0


@dataclass(frozen=True, kw_only=True)
class GradeScale:
    """How an institution, country or framework grades."""

    slug: str
    name: Mapping[str, str]
    country: str | None
    values: tuple[GradeValue, ...]

    def at(self, on: date) -> GradeValue:
        return in_force(self.values, on, f"grades/{self.slug}.yaml")


@dataclass(frozen=True, kw_only=True)
class ThresholdValue(Dated):
    value: Decimal


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """A default that a rule starts from. `unit` is courses, days, months, people, share (0 to 1) or times."""

    slug: str
    name: Mapping[str, str]
    unit: str
    values: tuple[ThresholdValue, ...]

    def at(self, on: date) -> ThresholdValue:
        return in_force(self.values, on, f"mobility.yaml, {self.slug}")


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to convert. `is_proposal`: the home institution decides; the figure is only where it may start."""

    slug: str
    name: Mapping[str, str]
    is_proposal: bool
    reference: Reference
    note: str


@dataclass(frozen=True)
class Rounding:
    """The grid of converted credits; the rule is always half-up (halves in favour of the student)."""

    step: Decimal
    rule: str


@dataclass(frozen=True, kw_only=True)
class Definition(Dated):
    """The wording of what virtual student mobility is."""

    text: str


class Credit(StrEnum):
    """Whether a category carries credit."""

    ALWAYS = "always"
    USUALLY = "usually"
    SOMETIMES = "sometimes"
    MAY_BE = "may-be"


@dataclass(frozen=True, kw_only=True)
class Category:
    """One of the six categories of virtual student mobility. `scope`: cross-border, inter-institutional or both."""

    slug: str
    number: int
    name: Mapping[str, str]
    scope: frozenset[str]
    credit: Credit
    host: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """Students for whom seats may be reserved. `statement` is what a student agrees to when she says that she belongs;
    `sensitive` marks what data protection laws protect most (health, origin)."""

    slug: str
    name: Mapping[str, str]
    definition: Mapping[str, str]
    statement: Mapping[str, str]
    sensitive: bool
    reference: Reference
    note: str


@dataclass(frozen=True, kw_only=True)
class Rulebook:
    """Everything, read at once. `version` is a digest of all files: equal versions give equal conversions."""

    credit_systems: Mapping[str, CreditSystem]
    grade_scales: Mapping[str, GradeScale]
    thresholds: Mapping[str, Threshold]
    methods: Mapping[str, Method]
    rounding: Rounding
    categories: Mapping[str, Category]
    groups: Mapping[str, Group]
    definitions: tuple[Definition, ...]
    version: str


AnyDated = TypeVar("AnyDated", bound=Dated)


def in_force(values: Sequence[AnyDated], on: date, place: str) -> AnyDated:
    """The value in force on a day; `values` are in order of their first day. Raises NoValueYet before the first."""
    begun = [value for value in values if value.since <= on]
    if not begun:
        raise NoValueYet(
            Reason(
                "no-value-yet",
                N_("%(place)s begins on %(earliest)s and says nothing about %(on)s."),
                {"place": place, "earliest": values[0].since.isoformat(), "on": on.isoformat()},
            )
        )
    return begun[-1]

"""What a work placement is held to: vetting of hosts, most hours, the evaluation instrument, deadlines in days."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files

from vsm.rulebook.entries import Dated, Reference, in_force
from vsm.rulebook.errors import RulebookError
from vsm.rulebook.reading import Node, parse, reference_from

_FILE = "placements.yaml"
ANYWHERE = "*"


@dataclass(frozen=True)
class Criterion:
    """One point of the vetting: `ask` tells what evidence is wanted; `expires`: the evidence has a last day."""

    slug: str
    name: Mapping[str, str]
    ask: Mapping[str, str]
    expires: bool
    optional: bool


@dataclass(frozen=True, kw_only=True)
class Amount(Dated):
    """Days or months, as the entry says."""

    value: Decimal


@dataclass(frozen=True, kw_only=True)
class HoursLimit(Dated):
    """The most hours of a trainee in a day and in a week (Monday to Sunday)."""

    day: Decimal
    week: Decimal


@dataclass(frozen=True)
class Question:
    """One line of an evaluation. `about`: answered by both sides, by the host or by the student."""

    slug: str
    about: str
    name: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Instrument(Dated):
    """What is asked, on a scale of whole numbers from `least` to `most` (best)."""

    least: int
    most: int
    questions: tuple[Question, ...]

    def asked_of(self, side: str) -> tuple[Question, ...]:
        """The questions of one side, `student` or `host`."""
        return tuple(each for each in self.questions if each.about in {"both", side})


@dataclass(frozen=True, kw_only=True)
class PlacementBook:
    """The whole file, read at once."""

    months: tuple[Amount, ...]
    criteria: tuple[Criterion, ...]
    hours: Mapping[str, tuple[HoursLimit, ...]]
    deadlines: Mapping[str, tuple[Amount, ...]]
    instruments: tuple[Instrument, ...]


@dataclass(frozen=True)
class Limit:
    """The most hours that hold for one placement, each with the country and the rule that it comes from."""

    day: Decimal
    day_from: tuple[str, Reference]
    week: Decimal
    week_from: tuple[str, Reference]
    is_verified: bool


def criteria() -> tuple[Criterion, ...]:
    """What a host is vetted for, in the order of the checklist."""
    return _book().criteria


def vetting_months(on: date) -> int:
    """How long a vetting holds at most."""
    return int(in_force(_book().months, on, f"{_FILE}, vetting").value)


def days_for(slug: str, on: date) -> int:
    """A deadline in days. KeyError for one that the file does not have."""
    return int(in_force(_book().deadlines[slug], on, f"{_FILE}, {slug}").value)


def instrument(on: date) -> Instrument:
    """The questions in use on a day."""
    return in_force(_book().instruments, on, f"{_FILE}, instrument")


def hours_limit(countries: Iterable[str], on: date) -> Limit:
    """The stricter of the limits of these countries (ISO 3166), and of the one that holds everywhere."""
    known = _book().hours
    found = [(place, in_force(known[place], on, f"{_FILE}, hours of {place}")) for place in (*countries, ANYWHERE) if place in known and known[place][0].since <= on]
    day_place, day = min(found, key=lambda pair: pair[1].day)
    week_place, week = min(found, key=lambda pair: pair[1].week)
    return Limit(day.day, (day_place, day.reference), week.week, (week_place, week.reference), day.verified and week.verified)


@cache
def _book() -> PlacementBook:
    """Read and checked once a process. Raises RulebookError with every problem."""
    problems: list[str] = []
    root = Node(parse((files("vsm.rulebook") / _FILE).read_text(encoding="utf-8")), _FILE, problems)
    vetting = root.child("vetting")
    book = PlacementBook(
        months=tuple(_amount(node) for node in vetting.children("months")),
        criteria=tuple(_criterion(node) for node in vetting.children("criteria")),
        hours={node.text("country"): tuple(_limit(each) for each in node.children("values")) for node in root.children("hours")},
        deadlines={node.text("slug"): tuple(_amount(each) for each in node.children("values")) for node in root.children("deadlines")},
        instruments=tuple(_instrument(node) for node in root.children("instrument")),
    )
    for node in root.children("deadlines"):
        node.texts("name")
    vetting.finish()
    root.finish()
    if ANYWHERE not in book.hours:
        problems.append(f"{_FILE}: hours: a limit for {ANYWHERE!r} is missing")
    if problems:
        raise RulebookError(problems)
    return book


def _criterion(node: Node) -> Criterion:
    made = Criterion(node.text("slug"), node.texts("name"), node.texts("ask"), node.flag("expires"), node.flag("optional"))
    node.finish()
    return made


def _dated(node: Node) -> dict[str, object]:
    return {"since": node.day("from"), "reference": reference_from(node.child("reference")), "verified": node.flag("verified"), "note": node.text("note")}


def _amount(node: Node) -> Amount:
    made = Amount(value=node.number("value"), **_dated(node))  # type: ignore[arg-type]  # -- the four facts of Dated
    node.finish()
    if not made.value > 0:
        node.problem("value must be above 0")
    return made


def _limit(node: Node) -> HoursLimit:
    made = HoursLimit(day=node.number("day"), week=node.number("week"), **_dated(node))  # type: ignore[arg-type]  # -- as above
    node.finish()
    if not 0 < made.day <= 24 or not made.day <= made.week <= 168:
        node.problem("day must lie between 0 and 24, week between day and 168")
    return made


def _instrument(node: Node) -> Instrument:
    scale = node.child("scale")
    least, most = int(scale.number("least")), int(scale.number("most"))
    scale.finish()
    questions = []
    for each in node.children("criteria"):
        questions.append(Question(each.text("slug"), each.choice("about", ("both", "host", "student")), each.texts("name")))
        each.finish()
    made = Instrument(least=least, most=most, questions=tuple(questions), **_dated(node))  # type: ignore[arg-type]  # -- as above
    node.finish()
    if not least < most:
        node.problem("scale: least must be below most")
    return made

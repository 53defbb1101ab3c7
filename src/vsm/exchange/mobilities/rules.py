"""What a physical mobility and its courses must be to be recorded. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from vsm import rulebook
from vsm.kit.i18n import N_
from vsm.kit.names import is_country
from vsm.kit.verdict import Reason

LONGEST = timedelta(days=4 * 366)
"""A stay that is longer than a degree is a mistyped year."""

EARLIEST_ARRIVAL = timedelta(days=30)
"""How long before the first day an arrival is asked for: some come early to find a room."""

MOST_CREDITS = Decimal("999.99")


@dataclass(frozen=True, kw_only=True)
class Stay:
    """Where somebody is to be and when: both days belong to it. `country` is ISO 3166-1, `region` and `city` are names."""

    country: str
    region: str = ""
    city: str = ""
    starts_on: date
    ends_on: date

    def overlaps(self, starts_on: date, ends_on: date) -> bool:
        return self.starts_on <= ends_on and starts_on <= self.ends_on


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One course in person."""

    code: str
    title: str
    credits: Decimal
    credit_system: str
    language: str


def why_no_stay(stay: Stay, *, nationalities: Iterable[str] = (), residence: str = "") -> Iterator[Reason]:
    """Every fault of the place, the days and the countries."""
    if not is_country(stay.country):
        yield _no_country(stay.country, "country")
    if stay.ends_on < stay.starts_on:
        text = N_("It ends on %(ends)s, before it starts on %(starts)s.")
        yield Reason("dates-reversed", text, {"starts": stay.starts_on, "ends": stay.ends_on}, "ends_on")
    elif stay.ends_on - stay.starts_on > LONGEST:
        text = N_("It would last longer than four years: check the years.")
        yield Reason("too-long-a-stay", text, {}, "ends_on")
    for code in nationalities:
        if not is_country(code):
            yield _no_country(code, "nationalities")
    if residence and not is_country(residence):
        yield _no_country(residence, "residence")


def why_not_again(stay: Stay, others: Iterable[Stay]) -> Iterator[Reason]:
    """Nobody is at two places at once: `others` are the same student's other stays that are not cancelled."""
    for other in others:
        if stay.overlaps(other.starts_on, other.ends_on):
            text = N_("The student is recorded elsewhere from %(starts)s to %(ends)s (%(place)s). Correct or cancel that stay first.")
            facts = {"starts": other.starts_on, "ends": other.ends_on, "place": ", ".join(filter(None, [other.city, other.country]))}
            yield Reason("stay-overlaps", text, facts, "starts_on")


def why_no_courses(courses: Iterable[Planned]) -> Iterator[Reason]:
    """Every fault of the courses, each naming its course."""
    seen: set[str] = set()
    for each in courses:
        named = {"course": each.code or each.title or "—"}
        if not each.code.strip() or not each.title.strip():
            yield Reason("course-unnamed", N_("%(course)s: give the code and the title."), named, "courses")
        if each.code and each.code in seen:
            yield Reason("course-twice", N_("%(course)s stands twice."), named, "courses")
        if not 0 <= each.credits <= MOST_CREDITS:
            yield Reason("bad-credits", N_("%(course)s: the credits must lie between 0 and 999.99."), named, "courses")
        if each.credit_system not in rulebook.book().credit_systems:
            facts = {**named, "value": each.credit_system, "known": ", ".join(rulebook.book().credit_systems)}
            yield Reason("credit-system", N_("%(course)s: “%(value)s” is no known credit system. Known: %(known)s."), facts, "courses")
        seen.add(each.code)


def _no_country(code: str, field: str) -> Reason:
    text = N_("“%(code)s” is no country code of ISO 3166-1 (two capital letters, for example PE).")
    return Reason("no-country", text, {"code": code}, field)


def unexplained_arrival(conditions: Sequence[Mapping[str, str]], because: str) -> Iterator[Reason]:
    """A stay that begins with a condition open. Who is where is a fact and is not refused, but somebody says why."""
    if conditions and not because.strip():
        text = N_("Home made this a condition of the stay, and it is open: %(conditions)s. Say why the stay begins all the same; the history keeps it, and home reads it.")
        yield Reason("condition-open", text, {"conditions": list(conditions)}, "because")

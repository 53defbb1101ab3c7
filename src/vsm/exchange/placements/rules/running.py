"""When a placement may start, what hours may be written down, when it is complete, and what the hours come to. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from vsm.exchange.placements.rules.agreement import amount
from vsm.exchange.placements.rules.vacancies import law_of, not_vetted
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.rulebook.entries import CreditValue
from vsm.rulebook.placements import Limit


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is known when somebody wants to start. Days are included at both ends."""

    signed_version: int
    vetted_until: date | None
    is_vetted: bool
    insured_from: date | None
    insured_until: date | None
    starts_on: date
    ends_on: date
    has_officer: bool


@dataclass(frozen=True)
class Day:
    """Hours of one day as they are written down."""

    day: date
    hours: Decimal
    what: str


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What hours are held to. `last` is the last day that can have been worked; `rested` are the days of interruptions."""

    first: date
    last: date
    per_week: Decimal
    limit: Limit
    rested: Collection[date]


@dataclass(frozen=True)
class Proposal:
    """What confirmed hours come to in a credit system: the middle of its range on the rulebook's grid, and the range."""

    value: Decimal
    low: Decimal
    high: Decimal


def why_not_start(standing: Standing, on: date) -> Iterator[Reason]:
    """No placement starts unsigned, uninsured, or at a host that is not vetted."""
    if not standing.signed_version:
        yield Reason("unsigned", N_("The agreement is not signed by all three. Nothing starts before it is."))
    if not standing.is_vetted or standing.vetted_until is None or standing.vetted_until < on:
        yield not_vetted()
    if standing.insured_from is None or standing.insured_until is None:
        yield Reason("uninsured", N_("No insurance is recorded. The home institution records it before the first day."))
    elif not standing.insured_from <= max(on, standing.starts_on) <= standing.insured_until:  # before the first day, of that day
        text = N_("The insurance covers %(first)s to %(last)s, not %(day)s.")
        yield Reason("insurance-not-now", text, {"first": standing.insured_from, "last": standing.insured_until, "day": max(on, standing.starts_on)})
    elif standing.insured_until < standing.ends_on:
        text = N_("The insurance ends on %(last)s, before the placement does (%(end)s).")
        yield Reason("insurance-too-short", text, {"last": standing.insured_until, "end": standing.ends_on})
    if not standing.has_officer:
        yield Reason("officer-missing", N_("The home institution has named no safeguarding officer."))
    if on < standing.starts_on:
        yield Reason("too-early", N_("The first day is %(day)s."), {"day": standing.starts_on})
    if on > standing.ends_on:
        yield Reason("too-late", N_("The last day, %(day)s, has passed. Agree on new days in a new version."), {"day": standing.ends_on})


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def hours_problems(rows: Sequence[Day], held: Mapping[date, Day], terms: Terms) -> Iterator[Reason]:
    """What is wrong with new rows, beside those already held (day → entry, withdrawn ones left out). All at once."""
    seen: set[date] = set()
    weeks: dict[date, Decimal] = defaultdict(Decimal)
    for each in held.values():
        weeks[monday_of(each.day)] += each.hours
    touched: set[date] = set()
    for row in rows:
        yield from _row_problems(row, terms)
        if row.day in seen:
            yield Reason("day-twice", N_("%(day)s stands twice. Write one line for each day."), {"day": row.day}, "rows")
        before = held.get(row.day)
        if before is not None and (before.hours, before.what) != (row.hours, row.what):
            yield Reason("day-taken", N_("%(day)s is already written down. Open that entry and correct it."), {"day": row.day}, "rows")
        if before is None and row.day not in seen:
            weeks[monday_of(row.day)] += row.hours
            touched.add(monday_of(row.day))
        seen.add(row.day)
    yield from _week_problems(weeks, touched, terms)


def correction_problems(row: Day, others: Mapping[date, Day], terms: Terms) -> Iterator[Reason]:
    """What is wrong with a corrected entry; `others` are the entries of other days."""
    yield from _row_problems(row, terms)
    week = monday_of(row.day)
    total = row.hours + sum((each.hours for each in others.values() if monday_of(each.day) == week), Decimal(0))
    yield from _week_problems({week: total}, {week}, terms)


def due_on(occasion: str, *, starts_on: date, ends_on: date) -> date:
    """The day on which an evaluation is due: halfway, or the last day."""
    return starts_on + (ends_on - starts_on) / 2 if occasion == "mid" else ends_on


def is_open(occasion: str, *, starts_on: date, ends_on: date, on: date, is_over: bool) -> bool:
    """Whether an evaluation can be given: halfway from a week before the middle, the final one from two weeks before the end."""
    early = timedelta(days=7 if occasion == "mid" else 14)
    return is_over or on >= due_on(occasion, starts_on=starts_on, ends_on=ends_on) - early


def answer_problems(answers: Mapping[str, str], asked: Collection[str], least: int, most: int) -> Iterator[Reason]:
    """Every question answered with a whole number of the scale, and nothing else."""
    empty = sum(not answers.get(slug) for slug in asked)
    if empty:
        yield Reason("unanswered", N_("Answer every line: %(count)s are empty."), {"count": empty}, "answers")
    for given in filter(None, (answers.get(slug, "") for slug in asked)):
        if not given.isdecimal() or not least <= int(given) <= most:
            yield Reason("off-scale", N_("“%(value)s” is not on the scale from %(least)s to %(most)s."), {"value": given, "least": least, "most": most}, "answers")
    if strangers := set(answers) - set(asked):
        yield Reason("question-unknown", N_("%(count)s lines are not asked of your side."), {"count": len(strangers)}, "answers")


def why_not_complete(*, ends_on: date, on: date, unanswered: int, returned: int) -> Iterator[Reason]:
    """A placement is complete on its last day, when every hour that was written down is answered."""
    if on < ends_on:
        text = N_("The last day is %(day)s. To stop before it, end it early and say why.")
        yield Reason("not-over", text, {"day": ends_on})
    if unanswered:
        yield Reason("hours-open", N_("Days of hours that wait for the mentor’s answer: %(count)s."), {"count": unanswered})
    if returned:
        yield Reason("hours-returned", N_("Days of hours that were returned: %(count)s. The student corrects or withdraws them."), {"count": returned})


def why_not_certified(*, confirmed: Decimal, unanswered: int, final_sides: Collection[str]) -> Iterator[Reason]:
    """A certificate tells confirmed hours and what both sides said at the end."""
    if confirmed <= 0:
        yield Reason("no-hours", N_("No hours are confirmed, so there is nothing to certify."))
    if unanswered:
        yield Reason("hours-open", N_("Days of hours that wait for the mentor’s answer: %(count)s."), {"count": unanswered})
    for side, word in (("student", N_("student")), ("host", N_("host organisation"))):
        if side not in final_sides:
            yield Reason("evaluation-missing", N_("The final evaluation is missing of: %(side)s."), {"side": word})


def credits_for(hours: Decimal, value: CreditValue, step: Decimal) -> Proposal:
    """What hours come to, by the hours of one credit on that day. Rounded half up to the rulebook's grid."""
    rounded = (hours / value.hours_central / step).to_integral_value(ROUND_HALF_UP) * step
    cents = Decimal("0.01")
    return Proposal(rounded, (hours / value.hours_high).quantize(cents), (hours / value.hours_low).quantize(cents))


def _row_problems(row: Day, terms: Terms) -> Iterator[Reason]:
    if not terms.first <= row.day <= terms.last:
        text = N_("%(day)s is not a day of the placement so far (%(first)s to %(last)s).")
        yield Reason("day-outside", text, {"day": row.day, "first": terms.first, "last": terms.last}, "rows")
    if row.day in terms.rested:
        yield Reason("day-rested", N_("The placement rested on %(day)s."), {"day": row.day}, "rows")
    if not 0 < row.hours <= 24:
        yield Reason("hours-impossible", N_("%(day)s: “%(hours)s” is no number of hours in a day."), {"day": row.day, "hours": row.hours}, "rows")
    elif row.hours > terms.limit.day:
        place, source = terms.limit.day_from
        text = N_("%(day)s: %(hours)s hours are more than the %(most)s that the law allows in a day (%(country)s: %(source)s).")
        facts = {"day": row.day, "hours": row.hours, "most": terms.limit.day, "country": law_of(place), "source": str(source)}
        yield Reason("day-above-law", text, facts, "rows")
    if not row.what.strip():
        yield Reason("what-missing", N_("%(day)s: say what was done."), {"day": row.day}, "rows")


def _week_problems(weeks: Mapping[date, Decimal], touched: Collection[date], terms: Terms) -> Iterator[Reason]:
    for week in sorted(touched):
        total = weeks[week]
        if total > terms.limit.week:
            place, source = terms.limit.week_from
            text = N_("The week of %(week)s comes to %(total)s hours: more than the %(most)s that the law allows (%(country)s: %(source)s).")
            yield Reason("week-above-law", text, {"week": week, "total": Decimal(amount(total)), "most": terms.limit.week, "country": law_of(place), "source": str(source)}, "rows")
        elif total > terms.per_week:
            text = N_("The week of %(week)s comes to %(total)s hours: more than the %(most)s that were agreed. More needs a new version of the agreement.")
            yield Reason("week-above-agreement", text, {"week": week, "total": Decimal(amount(total)), "most": Decimal(amount(terms.per_week))}, "rows")

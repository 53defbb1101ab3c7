"""Converting an amount of credit from one system to another through hours of student work. Pure.

The documented range of hours of both systems gives a range of results; the middle of it, rounded to the rulebook's
grid, is what is proposed. The workload of the course itself, when known, takes the place of the nominal hours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext

from vsm import rulebook
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.rulebook.entries import CreditSystem, CreditValue, Method, Reference, Scope

# Our own context: a quotient must not depend on what the calling thread did to Decimal's global precision.
PRECISION = Context(prec=28)


@dataclass(frozen=True, kw_only=True)
class CreditConversion:
    """What an amount becomes, and why.

    `value` is rounded and is what is proposed; `exact` is the same before rounding; `low` and `high` are what the hour
    ranges of both systems allow. `by_year` is the other customary way, by share of a full-time year, shown beside it
    where both systems state one. `citations` are the sources in the order used.
    """

    amount: Decimal
    source: str
    target: str
    on: date
    value: Decimal
    exact: Decimal
    low: Decimal
    high: Decimal
    by_year: Decimal | None
    workload_hours: Decimal | None
    method: Method
    citations: tuple[Reference, ...]
    steps: tuple[Reason, ...]
    cautions: tuple[Reason, ...]
    rulebook_version: str


def convert(
    amount: Decimal, source: str, target: str, on: date, workload_hours: Decimal | None = None
) -> CreditConversion:
    """Convert `amount` credits of system `source` to `target` by the rules in force on a day.

    `workload_hours` are the hours of the whole course, not of one credit. Raises Invalid with every fault of the
    amounts, UnknownEntry for a system that is not in the rulebook, NoValueYet for a day before its first value.
    """
    Invalid.because(_faults(amount, workload_hours))
    giving, receiving = rulebook.credit_system(source), rulebook.credit_system(target)
    was, becomes = giving.at(on), receiving.at(on)
    with localcontext(PRECISION):
        if source == target:
            return _unchanged(amount, giving, was, on, workload_hours)
        if workload_hours is None:
            fewest, central, most = (amount * hours for hours in (was.hours_low, was.hours_central, was.hours_high))
        else:
            fewest = central = most = workload_hours
        exact = central / becomes.hours_central
        low, high = fewest / becomes.hours_high, most / becomes.hours_low
        value = to_grid(exact, rulebook.rounding().step)
        by_year = amount * becomes.year / was.year if was.year and becomes.year else None
        method = rulebook.method("nominal-hours" if workload_hours is None else "known-workload")
        used = (was, becomes) if workload_hours is None else (becomes,)
        systems = (giving, receiving) if workload_hours is None else (receiving,)
        return CreditConversion(
            amount=amount,
            source=source,
            target=target,
            on=on,
            value=value,
            exact=exact,
            low=low,
            high=high,
            by_year=by_year,
            workload_hours=workload_hours,
            method=method,
            citations=(*(each.reference for each in used), method.reference),
            steps=_steps(amount, was, becomes, workload_hours, central, exact, value),
            cautions=(
                *_cautions_of_sources(systems, used),
                *_cautions_of_figures(exact, value, by_year, low, high),
            ),
            rulebook_version=rulebook.version(),
        )


def to_grid(number: Decimal, step: Decimal) -> Decimal:
    """The nearest multiple of `step`; exactly half way goes up, in favour of the student."""
    with localcontext(PRECISION):
        return (number / step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * step


def _faults(amount: Decimal, workload_hours: Decimal | None) -> list[Reason]:
    faults = []
    if not _is_amount(amount):
        text = N_("An amount of credit is a number of zero or more, not %(given)s.")
        faults.append(Reason("bad-amount", text, {"given": str(amount)}, field="amount"))
    if workload_hours is not None and not (_is_amount(workload_hours) and workload_hours > 0):
        text = N_("The workload of a course is a number of hours above zero, not %(given)s.")
        faults.append(Reason("bad-workload", text, {"given": str(workload_hours)}, field="workload_hours"))
    return faults


def _is_amount(number: object) -> bool:
    # A float is refused although it would compute: 0.1 is not a tenth, and a transcript must be repeatable.
    return isinstance(number, Decimal) and number.is_finite() and number >= 0


def _unchanged(
    amount: Decimal, system: CreditSystem, value: CreditValue, on: date, workload_hours: Decimal | None
) -> CreditConversion:
    method = rulebook.method("identity")
    return CreditConversion(
        amount=amount,
        source=system.slug,
        target=system.slug,
        on=on,
        value=amount,
        exact=amount,
        low=amount,
        high=amount,
        by_year=amount if value.year else None,
        workload_hours=workload_hours,
        method=method,
        citations=(value.reference,),
        steps=(Reason("same-system", N_("Both sides use the same credit system: nothing is converted.")),),
        cautions=(),
        rulebook_version=rulebook.version(),
    )


def _steps(
    amount: Decimal,
    was: CreditValue,
    becomes: CreditValue,
    workload_hours: Decimal | None,
    central: Decimal,
    exact: Decimal,
    value: Decimal,
) -> tuple[Reason, ...]:
    return (
        _hours_from_credits(amount, was, central) if workload_hours is None else _hours_of_the_course(workload_hours),
        _credits_from_hours(becomes, exact),
        Reason(
            "rounded",
            N_("Rounded to the nearest %(step)s, halves upwards: %(value)s."),
            {"step": _plain(rulebook.rounding().step), "value": _plain(value)},
        ),
    )


def _hours_from_credits(amount: Decimal, was: CreditValue, central: Decimal) -> Reason:
    params = {
        "amount": _plain(amount),
        "low": _plain(was.hours_low),
        "high": _plain(was.hours_high),
        "hours": _plain(central),
    }
    if was.hours_low == was.hours_high:
        text = N_("%(amount)s credits of %(low)s hours are %(hours)s hours of work.")
    else:
        text = N_("%(amount)s credits of %(low)s to %(high)s hours are about %(hours)s hours of work.")
    return Reason("hours-from-credits", text, params)


def _hours_of_the_course(workload_hours: Decimal) -> Reason:
    text = N_("The course itself states %(hours)s hours of work.")
    return Reason("hours-of-the-course", text, {"hours": _plain(workload_hours)})


def _credits_from_hours(becomes: CreditValue, exact: Decimal) -> Reason:
    params = {
        "low": _plain(becomes.hours_low),
        "high": _plain(becomes.hours_high),
        "exact": _plain(exact.quantize(Decimal("0.01"))),
    }
    if becomes.hours_low == becomes.hours_high:
        text = N_("At %(low)s hours a credit this is about %(exact)s credits.")
    else:
        text = N_("At %(low)s to %(high)s hours a credit this is about %(exact)s credits.")
    return Reason("credits-from-hours", text, params)


def _plain(number: Decimal) -> str:
    """Without exponent and without zeros at the end."""
    return format(number.normalize(), "f")


def _cautions_of_sources(systems: tuple[CreditSystem, ...], used: tuple[CreditValue, ...]) -> Iterator[Reason]:
    """What the person who decides should know: nothing doubtful is passed over in silence."""
    for system, value in zip(systems, used, strict=True):
        if system.scope == Scope.INSTITUTIONAL:
            text = N_("A credit of %(system)s is each institution's own unit: use the hours of the course if known.")
            yield Reason("institutional-system", text, {"system": dict(system.name)})
        if not value.verified:
            text = N_("The source for %(system)s has not been checked in full: %(note)s")
            yield Reason("unverified-source", text, {"system": dict(system.name), "note": value.note})


def _cautions_of_figures(
    exact: Decimal, value: Decimal, by_year: Decimal | None, low: Decimal, high: Decimal
) -> Iterator[Reason]:
    if exact > 0 and value == 0:
        yield Reason("rounded-to-nothing", N_("So small an amount is rounded to nothing."))
    if by_year is not None and not low <= by_year <= high:
        text = N_("By share of a full-time year, as many institutions convert, it would be %(by_year)s.")
        yield Reason("year-share-differs", text, {"by_year": _plain(by_year.quantize(Decimal("0.01")))})

"""Whether home recognises what was studied elsewhere, and what it would record. Pure.

The learning agreement is a promise: what was agreed and passed is recognised as agreed, and the conversions stand
beside it as evidence. Every obstacle is told at once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from vsm import rulebook
from vsm.exchange.recognition.credits import CreditConversion, to_grid
from vsm.exchange.recognition.credits import convert as convert_credits
from vsm.exchange.recognition.grades import GradeConversion
from vsm.exchange.recognition.grades import convert as convert_grade
from vsm.exchange.recognition.grades import read as read_grade
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason, Verdict


@dataclass(frozen=True, kw_only=True)
class Component:
    """A course as the host teaches it. `workload_hours`: the whole work of the course, where the host states it."""

    code: str
    title: str
    credits: Decimal
    credit_system: str
    workload_hours: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """What the host reports. `credits` are those awarded, in the component's system; `on` is the day of the result."""

    component_code: str
    grade: str
    scale: str
    credits: Decimal
    is_final: bool
    on: date


@dataclass(frozen=True, kw_only=True)
class Agreed:
    """One line of the learning agreement in force. `is_signed`: by student, home and host, on this very version.

    `credits` are host credits, `home_credits` what home promised for them. `claim_until` is the last day to claim,
    where the agreement names one; `recognised_on` is set once home has decided.
    """

    component_code: str
    credits: Decimal
    home_credits: Decimal
    is_signed: bool
    claim_until: date | None = None
    recognised_on: date | None = None


@dataclass(frozen=True, kw_only=True)
class Home:
    """In what home counts and grades."""

    credit_system: str
    scale: str


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """What home would record. `grade` is None where the result has no rank and home's scale has no mark without one."""

    home_credits: Decimal
    home_grade: str | None
    credits: CreditConversion
    grade: GradeConversion | None
    cautions: tuple[Reason, ...]


def recognisable(component: Component, result: Result | None, agreed: Agreed | None, *, on: date) -> Verdict:
    """Give every reason at once why this component cannot be recognised on a day; none means that it must be."""
    return Verdict.of(
        (*_obstacles_in_agreement(component, agreed, on), *_obstacles_in_result(component, result, agreed))
    )


def proposal(component: Component, result: Result, home: Home, agreed: Agreed | None = None) -> Proposal:
    """What home would record for a result, by the rules in force on the day of the result.

    A failed component earns nothing. With an agreement its promise counts, in proportion when the host awarded fewer
    credits than agreed; without one, the converted credits. Raises Invalid when result or amounts cannot be read.
    """
    mark = read_grade(result.grade, result.scale, result.on)
    converted = convert_credits(
        result.credits, component.credit_system, home.credit_system, result.on, _workload(component, result)
    )
    granted = converted.value if agreed is None else _promised(agreed, result)
    grade, without_grade = _grade(result, home)
    return Proposal(
        home_credits=granted if mark.passed else Decimal(0),
        home_grade=grade.value if grade else None,
        credits=converted,
        grade=grade,
        cautions=(
            *converted.cautions,
            *(grade.cautions if grade else without_grade),
            *_differences(granted, converted),
        ),
    )


def evidence(conversion: CreditConversion | GradeConversion) -> dict[str, object]:
    """What a transcript keeps of a conversion, ready for JSON: method, sources, calculation and rulebook version.

    Texts are untranslated messages with their facts apart, so that every reader sees them in the own language.
    """
    kept: dict[str, object] = {
        "source": conversion.source,
        "target": conversion.target,
        "on": conversion.on.isoformat(),
        "value": str(conversion.value),
        "method": conversion.method.slug,
        "is_proposal": conversion.method.is_proposal,
        "citations": [str(each) for each in conversion.citations],
        "steps": [_told(each) for each in conversion.steps],
        "cautions": [_told(each) for each in conversion.cautions],
        "rulebook_version": conversion.rulebook_version,
    }
    if isinstance(conversion, GradeConversion):
        return kept | {"given": conversion.given, "passed": conversion.passed}
    figures = ("amount", "exact", "low", "high", "by_year", "workload_hours")
    numbers = {name: getattr(conversion, name) for name in figures}
    return kept | {name: None if number is None else str(number) for name, number in numbers.items()}


def _told(reason: Reason) -> dict[str, object]:
    params = {name: dict(value) if isinstance(value, Mapping) else str(value) for name, value in reason.params.items()}
    return {"code": reason.code, "text": reason.text, "params": params}


def _obstacles_in_agreement(component: Component, agreed: Agreed | None, on: date) -> Iterator[Reason]:
    if agreed is None or agreed.component_code != component.code:
        text = N_("%(title)s is not in the learning agreement: home has not promised to recognise it.")
        yield Reason("not-in-agreement", text, {"title": component.title})
        return
    if not agreed.is_signed:
        text = N_("This version of the learning agreement lacks a signature of student, home or host.")
        yield Reason("agreement-not-signed", text)
    if agreed.claim_until is not None and on > agreed.claim_until:
        text = N_("Recognition could be claimed until %(until)s.")
        yield Reason("claim-period-over", text, {"until": agreed.claim_until})
    if agreed.recognised_on is not None:
        text = N_("%(title)s was already recognised on %(day)s.")
        yield Reason("already-recognised", text, {"title": component.title, "day": agreed.recognised_on})


def _obstacles_in_result(component: Component, result: Result | None, agreed: Agreed | None) -> Iterator[Reason]:
    if result is None or result.component_code != component.code:
        yield Reason("no-result", N_("The host has not reported a result for %(title)s."), {"title": component.title})
        return
    if not result.is_final:
        yield Reason("result-not-final", N_("The result is provisional: the host can still change it."))
    try:
        passed = read_grade(result.grade, result.scale, result.on).passed
    except Invalid as refusal:
        yield from refusal.reasons
    else:
        if not passed:
            text = N_("The grade %(grade)s does not pass on the scale of the host.")
            yield Reason("not-passed", text, {"grade": result.grade})
    if agreed is not None and agreed.component_code == component.code and result.credits < agreed.credits:
        text = N_("The host awarded %(awarded)s credits; %(agreed)s were agreed.")
        yield Reason("fewer-credits", text, {"awarded": result.credits, "agreed": agreed.credits})


def _workload(component: Component, result: Result) -> Decimal | None:
    """The hours behind the credits awarded: those of the course, in proportion when only a part was awarded."""
    if component.workload_hours is None or component.credits <= 0 or result.credits <= 0:
        return None
    return component.workload_hours * result.credits / component.credits


def _promised(agreed: Agreed, result: Result) -> Decimal:
    if result.credits >= agreed.credits:
        return agreed.home_credits
    return to_grid(agreed.home_credits * result.credits / agreed.credits, rulebook.rounding().step)


def _grade(result: Result, home: Home) -> tuple[GradeConversion | None, tuple[Reason, ...]]:
    try:
        return convert_grade(result.grade, result.scale, home.scale, result.on), ()
    except Invalid as refusal:
        return None, refusal.reasons


def _differences(granted: Decimal, converted: CreditConversion) -> Iterator[Reason]:
    if not converted.low <= granted <= converted.high and granted != converted.value:
        text = N_("%(granted)s credits were promised; by hours it would be %(low)s to %(high)s.")
        hundredth = Decimal("0.01")
        low, high = converted.low.quantize(hundredth), converted.high.quantize(hundredth)
        yield Reason("promise-outside-range", text, {"granted": granted, "low": low, "high": high})

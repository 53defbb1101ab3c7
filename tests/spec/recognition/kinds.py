"""How the cases about recognition are put to the program, and the tables printed below them."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Any

from vsm import rulebook
from vsm.exchange.recognition.credits import convert as convert_credits
from vsm.exchange.recognition.grades import convert as convert_grade
from vsm.exchange.recognition.rules import Agreed, Component, Home, Result, proposal, recognisable
from vsm.kit.errors import VsmError
from vsm.kit.localized import text_in
from vsm.rulebook.entries import CreditValue, Dated, GradeValue

Given = Mapping[str, Any]

FIRST_DAY = "2026-03-01"


def converted_credits(given: Given) -> dict[str, Any]:
    hours = given.get("workload_hours")
    return _answer(
        lambda: convert_credits(
            Decimal(given["amount"]),
            given["from"],
            given["to"],
            date.fromisoformat(given.get("day", FIRST_DAY)),
            None if hours is None else Decimal(hours),
        ),
        ("value", "low", "high", "by_year"),
    )


def converted_grade(given: Given) -> dict[str, Any]:
    tables = given.get("tables", {})
    return _answer(
        lambda: convert_grade(
            given["grade"],
            given["from"],
            given["to"],
            date.fromisoformat(given.get("day", FIRST_DAY)),
            _table(tables.get("from")),
            _table(tables.get("to")),
        ),
        ("value", "passed"),
    )


def decided(given: Given) -> dict[str, Any]:
    """A six-credit course at a Chilean host for a Peruvian home, changed as the case says."""
    course = Component(code="C", title="the course", credits=Decimal(6), credit_system="sct-chile")
    result = _changed(Result, _RESULT, given.get("result", {}))
    agreed = _changed(Agreed, _AGREED, given.get("agreed", {}))
    has_result, has_agreed = given.get("result") != "none", given.get("agreed") != "none"
    verdict = recognisable(
        course,
        result if has_result else None,
        agreed if has_agreed else None,
        on=date.fromisoformat(given.get("day", "2026-08-01")),
    )
    answer: dict[str, Any] = {"recognised": _word(verdict.ok), "reasons": verdict.codes}
    if has_result and "grade-not-on-scale" not in verdict.codes:
        home = Home(credit_system="peru", scale="pe")
        offered = proposal(course, result, home, agreed if has_agreed else None)
        answer |= {"home_credits": _plain(offered.home_credits), "home_grade": offered.home_grade or "none"}
    return answer


KINDS: dict[str, Callable[[Given], Mapping[str, Any]]] = {
    "credits": converted_credits,
    "grades": converted_grade,
    "recognition": decided,
}

_RESULT: Given = {
    "component_code": "C",
    "grade": "5.5",
    "scale": "cl",
    "credits": "6",
    "is_final": "yes",
    "on": "2026-07-15",
}
_AGREED: Given = {"component_code": "C", "credits": "6", "home_credits": "5", "is_signed": "yes"}


def appendix() -> str:
    """The rulebook itself, with its sources, as it stands."""
    parts = [
        "## Credit systems\n",
        "Hours are those of a student's whole work for one credit. "
        "Sources marked *to be checked* say in their note what is missing.\n",
    ]
    parts += [
        _entry(system.slug, system.name["en"], [(value, _hours(value)) for value in system.values])
        for system in rulebook.credit_systems()
    ]
    parts.append("## Grade scales\n")
    parts += [
        _entry(scale.slug, scale.name["en"], [(value, _range(value)) for value in scale.values])
        for scale in rulebook.grade_scales()
    ]
    parts.append("## Methods\n")
    parts += [
        f"- **{method.name['en']}** (`{method.slug}`{', a proposal' if method.is_proposal else ''}): "
        f"{method.reference}. {method.note}".rstrip()
        for method in rulebook.book().methods.values()
    ]
    parts.append("\n## Thresholds\n")
    parts += [
        _entry(each.slug, each.name["en"], [(value, f"{value.value} {each.unit}") for value in each.values])
        for each in rulebook.book().thresholds.values()
    ]
    return "\n".join(parts)


def _answer(ask: Callable[[], Any], fields: tuple[str, ...]) -> dict[str, Any]:
    try:
        conversion = ask()
    except VsmError as refusal:
        return {"refused": [reason.code for reason in refusal.reasons]}
    answer: dict[str, Any] = {name: _told(getattr(conversion, name)) for name in fields}
    return answer | {
        "method": conversion.method.slug,
        "cautions": [reason.code for reason in conversion.cautions],
    }


def _told(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return _word(value)
    return _plain(value) if isinstance(value, Decimal) else str(value)


def _word(yes: bool) -> str:
    return "yes" if yes else "no"


def _plain(number: Decimal) -> str:
    return format(number.quantize(Decimal("0.01")).normalize(), "f")


def _table(counts: Given | None) -> dict[str, Decimal] | None:
    return None if counts is None else {grade: Decimal(count) for grade, count in counts.items()}


def _changed(record: Any, standard: Given, changes: Any) -> Any:
    facts = {**standard, **(changes if isinstance(changes, Mapping) else {})}
    return record(**{name: _typed(name, value) for name, value in facts.items()})


def _typed(name: str, value: str) -> object:
    if name.startswith("is_"):
        return {"yes": True, "no": False}[value]
    if name.endswith("credits"):
        return Decimal(value)
    return date.fromisoformat(value) if name in ("on", "claim_until", "recognised_on") else value


def _entry(slug: str, name: str, values: list[tuple[Dated, str]]) -> str:
    lines = [f"### {name} (`{slug}`)\n"]
    for value, said in values:
        source = str(value.reference)
        checked = "" if value.verified else " *To be checked.*"
        lines.append(f"- from {value.since.isoformat()}: {said}. Source: {source}.{checked} {text_in(value.note, 'en')}".rstrip())
    return "\n".join(lines) + "\n"


def _hours(value: CreditValue) -> str:
    hours = str(value.hours_low) if value.hours_low == value.hours_high else f"{value.hours_low} to {value.hours_high}"
    year = f"; {value.year} a year" if value.year else ""
    return f"{hours} hours{year}"


def _range(value: GradeValue) -> str:
    if value.step is not None:
        return f"worst {value.worst}, pass {value.pass_mark}, best {value.best}, steps of {value.step}"
    marks = [asdict(letter) for letter in (*value.letters, *value.unranked)]
    passing = ", ".join(mark["grade"] for mark in marks if mark["passed"])
    failing = ", ".join(mark["grade"] for mark in marks if not mark["passed"])
    return f"pass: {passing}; fail: {failing}"

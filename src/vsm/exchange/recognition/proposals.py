"""What the person who decides at home has before them for one course: a proposal and its evidence. Pure.

The evidence is kept as it was on the day, with texts as untranslated messages and their facts apart, so that it can be
read in every language and still be explained when the rulebook has moved on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypedDict

from vsm import rulebook
from vsm.exchange.learning_agreements.rules import Component as Line
from vsm.exchange.recognition.rules import Agreed, Component, Home, Proposal, Result, evidence, proposal, recognisable
from vsm.exchange.recognition.transcript import Component as Recorded
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

Told = dict[str, Any]


class Promise(TypedDict):
    """What the signed learning agreement says of the course."""

    version: int
    home_code: str
    home_title: str
    home_credits: str


class Evidence(TypedDict):
    """The whole: `obstacles` speak against recognition, `cautions` are to be kept in mind. Numbers are decimal text.

    `credits` and `grade` are conversions in the shape of `rules.evidence`; None where nothing could be converted.
    """

    home_credits: str
    home_grade: str
    credit_system: str
    scale: str
    promise: Promise | None
    credits: Told | None
    grade: Told | None
    obstacles: list[Told]
    cautions: list[Told]
    rulebook_version: str


@dataclass(frozen=True, kw_only=True)
class Signed:
    """The version of a learning agreement in force. `is_signed`: by all three, on this very text."""

    version: int
    lines: tuple[Line, ...]
    is_signed: bool

    def line(self, offering: str) -> Line | None:
        return next((each for each in self.lines if each.offering == offering), None)


def proposed(recorded: Recorded, signed: Signed, home: Home, *, on: date) -> Evidence:
    """Weigh one course of a transcript that was completed, against what was agreed, by the rules of the rulebook."""
    component, result = _component(recorded), _result(recorded)
    line = signed.line(recorded["offering_id"])
    agreed = _agreed(component, line, signed)
    verdict = recognisable(component, result, agreed, on=on)
    offer, unconverted = _offer(component, result, home, agreed)
    return {
        "home_credits": str(offer.home_credits) if offer else "",
        "home_grade": (offer.home_grade or "") if offer else "",
        "credit_system": home.credit_system,
        "scale": home.scale,
        "promise": _promise(line, signed) if line and agreed else None,
        "credits": evidence(offer.credits) if offer else None,
        "grade": evidence(offer.grade) if offer and offer.grade else None,
        "obstacles": [*_told(_said_before(line)), *_told(verdict.reasons), *_told(unconverted)],
        "cautions": _told(offer.cautions) if offer else [],
        "rulebook_version": rulebook.version(),
    }


def reasons(told: Iterable[Mapping[str, Any]]) -> tuple[Reason, ...]:
    """Kept reasons as reasons again, ready to be said; what was kept of a note in English alone is told in every language."""
    return tuple(Reason(each["code"], each["text"], {name: rulebook.noted(value) if name == "note" else value for name, value in each["params"].items()}) for each in told)


def _component(recorded: Recorded) -> Component:
    title = recorded["title"]
    return Component(
        code=recorded["code"],
        title=title.get("en") or next(iter(title.values()), recorded["code"]),
        credits=Decimal(recorded["credits"]),
        credit_system=recorded["credit_system"],
        workload_hours=Decimal(recorded["workload_hours"]) if recorded["workload_hours"] else None,
    )


def _result(recorded: Recorded) -> Result:
    return Result(
        component_code=recorded["code"],
        grade=recorded["grade"],
        scale=recorded["scale"],
        credits=Decimal(recorded["credits_earned"]),
        is_final=True,
        on=date.fromisoformat(recorded["decided_on"]),
    )


def _agreed(component: Component, line: Line | None, signed: Signed) -> Agreed | None:
    """The host's code may have changed since it was agreed: the offering is what identifies the line."""
    if line is None or not line.recognised:
        return None
    return Agreed(
        component_code=component.code,
        credits=Decimal(line.credits),
        home_credits=Decimal(line.home_credits),
        is_signed=signed.is_signed,
    )


def _offer(
    component: Component, result: Result, home: Home, agreed: Agreed | None
) -> tuple[Proposal | None, tuple[Reason, ...]]:
    try:
        return proposal(component, result, home, agreed), ()
    except Invalid as refusal:  # a system that the rulebook does not know (yet): home decides without a conversion
        return None, refusal.reasons


def _said_before(line: Line | None) -> Iterable[Reason]:
    if line is not None and not line.recognised:
        text = N_("In the learning agreement home said that it would not recognise this course: %(because)s")
        yield Reason("refused-in-agreement", text, {"because": line.because})


def _promise(line: Line, signed: Signed) -> Promise:
    return {
        "version": signed.version,
        "home_code": line.home_code,
        "home_title": line.home_title,
        "home_credits": line.home_credits,
    }


def _told(found: Iterable[Reason]) -> list[Told]:
    return [
        {"code": each.code, "text": each.text, "params": {name: dict(value) if isinstance(value, Mapping) else str(value) for name, value in each.params.items()}}
        for each in found
    ]

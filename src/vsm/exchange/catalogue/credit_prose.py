"""Credit as catalogues write it, in prose: "3 hours.", "1 TO 4 hours.", "2 undergraduate hours. 3 graduate hours."

Whatever is not one of the known forms is refused with a reason: a credit is a promise, so nothing is guessed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

MOST = Decimal(60)
"""The most one course may state: a whole European academic year (ECTS Users' Guide 2015, section 2). More is a slip."""

_NUMBER = r"\d{1,3}(?:\.\d{1,2})?"
_LEARNER = r"(?P<learner>undergraduate|graduate|professional)"
_UNIT = r"(?:(?:credit |semester )?hours?|hrs?\.?|credits?|units?)"
_SINGLE = re.compile(_NUMBER, re.ASCII)
_RANGE = re.compile(rf"({_NUMBER}) ?(?:to|-|–) ?({_NUMBER})", re.ASCII)
_CHOICE = re.compile(rf"{_NUMBER}(?:(?:, | or |, or ){_NUMBER})+", re.ASCII)
_SENTENCE = re.compile(rf"(?P<amount>\d[^a-z]*(?:(?:to|or) [^a-z]*)*?)\s*(?:{_LEARNER} )?{_UNIT}", re.ASCII)
_NONE = re.compile(rf"no {_LEARNER} (?:credit|hours?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class CreditRange:
    """From `low` to `high` credits. `values` lists the only amounts possible when there is a choice ("3 OR 4") and is
    empty for a continuous range. `by_learner` keeps amounts that depend on who studies: (("graduate", 3, 4), …)."""

    low: Decimal
    high: Decimal
    values: tuple[Decimal, ...] = ()
    by_learner: tuple[tuple[str, Decimal, Decimal], ...] = ()


def credits_in(prose: str) -> CreditRange | Reason:
    """The credit that `prose` states, or the reason why it cannot be read."""
    text = " ".join(prose.casefold().split())
    if not text:
        return Reason(
            "credit-missing",
            N_("The credit is empty. Fill it in: a course without stated credit cannot be recognised."),
        )
    sentences = [part.strip() for part in re.split(r"\.(?!\d)", text) if part.strip()]
    parts = [_sentence(sentence, prose) for sentence in sentences]
    refusals = [part for part in parts if isinstance(part, Reason)]
    if refusals or not parts:
        return refusals[0] if refusals else _unreadable(prose)
    return _joined([part for part in parts if isinstance(part, CreditRange)], prose)


def credits_between(low: str, high: str) -> CreditRange | Reason:
    """Two cells of plain numbers, the second possibly empty: ("3", "") → 3, ("1", "4") → 1 to 4."""
    return _amount(f"{low.strip()} to {high.strip()}" if high.strip() else low.strip(), f"{low} – {high}")


def credits_listed(text: str, bounds: CreditRange) -> CreditRange | Reason:
    """The only amounts possible ("2 or 4") within bounds that were told apart: ("2 or 4", 2 to 4) → 2 or 4."""
    found = _amount(" ".join(text.casefold().split()), text)
    if isinstance(found, Reason):
        return found
    if not found.values or (found.low, found.high) != (bounds.low, bounds.high):
        return Reason(
            "credit-values",
            N_("The credits “%(prose)s” do not run from the least to the greatest number of credits."),
            {"prose": text[:120]},
        )
    return found


def _sentence(sentence: str, prose: str) -> CreditRange | Reason:
    nothing = _NONE.fullmatch(sentence)
    if nothing:
        return CreditRange(Decimal(0), Decimal(0), (), ((nothing["learner"], Decimal(0), Decimal(0)),))
    match = _SENTENCE.fullmatch(sentence)
    if not match:
        return _unreadable(prose)
    amount = _amount(match["amount"].strip(), prose)
    if isinstance(amount, Reason) or not match["learner"]:
        return amount
    return CreditRange(amount.low, amount.high, amount.values, ((match["learner"], amount.low, amount.high),))


def _amount(text: str, prose: str) -> CreditRange | Reason:
    if _SINGLE.fullmatch(text):
        return _plausible((Decimal(text),), (), prose)
    bounds = _RANGE.fullmatch(text)
    if bounds:
        return _plausible((Decimal(bounds[1]), Decimal(bounds[2])), (), prose)
    if _CHOICE.fullmatch(text):
        choice = tuple(Decimal(number) for number in _SINGLE.findall(text))
        return _plausible((choice[0], choice[-1]), choice, prose)
    return _unreadable(prose)


def _plausible(bounds: tuple[Decimal, ...], choice: tuple[Decimal, ...], prose: str) -> CreditRange | Reason:
    low, high = bounds[0], bounds[-1]
    if low > high or list(choice) != sorted(set(choice)):
        return Reason(
            "credit-order",
            N_("The credit “%(prose)s” runs backwards or repeats itself. Write the smaller amount first."),
            {"prose": prose},
        )
    if high > MOST:
        return Reason(
            "credit-implausible",
            N_("The credit “%(prose)s” is more than %(most)s. Is it a slip?"),
            {"prose": prose, "most": str(MOST)},
        )
    return CreditRange(low, high, choice)


def _joined(parts: Sequence[CreditRange], prose: str) -> CreditRange | Reason:
    """Several sentences are one statement only if each speaks of other learners."""
    if len(parts) == 1 and not parts[0].by_learner:
        return parts[0]
    learners = [learner for part in parts for learner, _, _ in part.by_learner]
    if len(learners) != len(parts) or len(set(learners)) != len(learners):
        return _unreadable(prose)
    giving = [part for part in parts if part.high > 0] or list(parts)
    values = sorted({value for part in giving for value in (part.values or (part.low, part.high))})
    only = all(part.values or part.low == part.high for part in giving)
    return CreditRange(
        values[0],
        values[-1],
        tuple(values) if only and len(values) > 1 else (),
        tuple(entry for part in parts for entry in part.by_learner),
    )


def _unreadable(prose: str) -> Reason:
    return Reason(
        "credit-unreadable",
        N_("The credit “%(prose)s” is in no known form (such as “3 hours.”, “1 TO 4 hours.”, “3 OR 4 hours.”)."),
        {"prose": prose[:120]},
    )

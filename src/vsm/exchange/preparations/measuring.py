"""Scores, and change with its uncertainty. Pure; the standard library only.

For one person: the raw change, and what the instrument is known not to tell. For a group: the mean of the paired
differences with a two-sided 95 % interval by Student's t distribution (Student 1908; paired samples as in any textbook,
e.g. Moore, McCabe & Craig, Introduction to the Practice of Statistics, section 7.1). Groups below a size are not shown.
Whether a preparation caused the change cannot be seen without a group that had none, and no sentence here says so.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from statistics import fmean, stdev, variance

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.rulebook.instruments import CAN_DO, Instrument, Scale

CONFIDENCE = 0.95
METHOD = N_("Mean of the paired differences, with a 95 % interval by Student’s t distribution")


@dataclass(frozen=True)
class Change:
    """One person on one scale. Levels (can-do, 0 to 5) or means of 1 to 5."""

    scale: str
    before: float
    after: float

    @property
    def difference(self) -> float:
        return self.after - self.before


@dataclass(frozen=True, kw_only=True)
class GroupChange:
    """A group on one scale. `alpha` is Cronbach's (1951) of the first assessment, None for a can-do scale or without variance."""

    scale: str
    people: int
    before: float
    after: float
    mean: float
    low: float
    high: float
    up: int
    same: int
    down: int
    alpha: float | None

    @property
    def covers_zero(self) -> bool:
        return self.low <= 0 <= self.high


def unanswered(instrument: Instrument, answers: Mapping[str, str]) -> Iterator[Reason]:
    """Every item without an answer, or with one that is none of the instrument's."""
    for number, (key, item) in enumerate(instrument.items, start=1):
        given = answers.get(key, "")
        if not given:
            yield Reason("unanswered", N_("Statement %(number)s has no answer: %(text)s"), {"number": number, "text": item.text}, "answers")
        elif given not in instrument.answers:
            text = N_("“%(given)s” is not an answer to statement %(number)s. Possible: %(known)s.")
            yield Reason("answer-unknown", text, {"given": given, "number": number, "known": ", ".join(instrument.answers)}, "answers")
    for key in sorted(set(answers) - {key for key, _item in instrument.items}):
        text = N_("“%(key)s” is not a statement of this instrument. There are: %(known)s.")
        yield Reason("item-unknown", text, {"key": key, "known": ", ".join(known for known, _item in instrument.items)}, "answers")


def scores(instrument: Instrument, answers: Mapping[str, str]) -> dict[str, float]:
    """Scale → score. Agreement: the mean. Can-do: how many levels in a row, from the lowest, are answered with yes."""
    return {scale.slug: _score(instrument, scale, answers) for scale in instrument.scales}


def level_of(scale: Scale, score: float) -> str:
    """The level that a can-do score stands for; empty below the first."""
    reached = int(score)
    return scale.items[reached - 1].slug if reached else ""


def change_of(before: Mapping[str, float], after: Mapping[str, float]) -> list[Change]:
    return [Change(scale, before[scale], after[scale]) for scale in before if scale in after]


def group_change(
    scale: str, pairs: Sequence[tuple[float, float]], *, smallest: int, items: Sequence[Sequence[float]] = ()
) -> GroupChange | None:
    """`pairs` are (before, after) of the same people; `items` their single answers of the first assessment, for alpha.

    None when fewer than `smallest` people have both: a mean of few tells who they are, and says nothing about a group.
    """
    if len(pairs) < max(smallest, 2):
        return None
    differences = [after - before for before, after in pairs]
    mean = fmean(differences)
    half = t_quantile((1 + CONFIDENCE) / 2, len(pairs) - 1) * stdev(differences) / math.sqrt(len(pairs))
    return GroupChange(
        scale=scale, people=len(pairs), before=fmean(b for b, _a in pairs), after=fmean(a for _b, a in pairs), mean=mean, low=mean - half, high=mean + half,
        up=sum(1 for each in differences if each > 0), same=sum(1 for each in differences if each == 0), down=sum(1 for each in differences if each < 0),
        alpha=cronbach(items),
    )  # fmt: skip


def told(found: GroupChange) -> Reason:
    """The change of a group as a sentence: nothing is claimed where the interval covers zero."""
    facts = {"mean": f"{found.mean:+.2f}", "low": f"{found.low:+.2f}", "high": f"{found.high:+.2f}", "people": found.people}
    if found.covers_zero:
        text = N_("%(people)s people: %(mean)s on average (95 %% interval %(low)s to %(high)s). The interval covers zero: whether the group changed cannot be told.")
        return Reason("change-unclear", text, facts)
    text = N_("%(people)s people: %(mean)s on average (95 %% interval %(low)s to %(high)s). The interval does not cover zero; what caused the change cannot be seen here.")
    return Reason("change", text, facts)


def told_of_one(change: Change, instrument: Instrument) -> Reason:
    """One person's change: the bare numbers, and that no margin of error is known."""
    facts = {"before": _written(change.before, instrument), "after": _written(change.after, instrument)}
    if change.difference == 0:
        return Reason("same", N_("%(before)s before and after."), facts)
    text = N_("%(before)s before, %(after)s after. How much of this is chance is not known for one person: the instrument has no measured margin of error.")
    return Reason("raw-change", text, facts)


def cronbach(items: Sequence[Sequence[float]]) -> float | None:
    """Cronbach's alpha of people × items; None with fewer than two of either, or without variance."""
    if len(items) < 2 or len(items[0]) < 2:
        return None
    totals = variance([sum(row) for row in items])
    if totals == 0:
        return None
    size = len(items[0])
    return size / (size - 1) * (1 - sum(variance([row[each] for row in items]) for each in range(size)) / totals)


def t_quantile(share: float, freedom: int) -> float:
    """The value below which `share` of Student's t distribution lies, by bisection on its distribution function."""
    if share < 0.5:
        return -t_quantile(1 - share, freedom)
    low, high = 0.0, 1.0
    while _t_below(high, freedom) < share:
        high *= 2
    for _step in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if _t_below(middle, freedom) < share else (low, middle)
    return (low + high) / 2


def _t_below(value: float, freedom: int) -> float:
    """The distribution function at `value` ≥ 0, in closed form for whole degrees of freedom (Abramowitz & Stegun 26.7.3, 26.7.4)."""
    angle = math.atan(value / math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    if freedom % 2:
        term, total = cosine, cosine if freedom > 1 else 0.0
        for step in range(3, freedom - 1, 2):
            term *= (step - 1) / step * cosine * cosine
            total += term
        middle = 2 / math.pi * (angle + sine * total)
    else:
        term = total = 1.0
        for step in range(2, freedom - 1, 2):
            term *= (step - 1) / step * cosine * cosine
            total += term
        middle = sine * total
    return (1 + middle) / 2


def _score(instrument: Instrument, scale: Scale, answers: Mapping[str, str]) -> float:
    given = [answers[f"{scale.slug}.{item.slug}"] for item in scale.items]
    if instrument.kind == CAN_DO:
        reached = 0
        while reached < len(given) and given[reached] == "yes":
            reached += 1
        return float(reached)
    return fmean(float(each) for each in given)


def _written(score: float, instrument: Instrument) -> str | Decimal:
    if instrument.kind == CAN_DO:
        levels = [item.slug for item in instrument.scales[0].items]
        return levels[int(score) - 1] if score else N_("below A1")
    return Decimal(f"{score:.1f}")

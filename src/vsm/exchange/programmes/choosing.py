"""Which modules a student may take in a term, how long studies may rest, and how often a module may be tried. Pure."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from vsm.exchange.programmes.progress import Attempt, Pause, Progress, months_later, tries
from vsm.exchange.programmes.structure import Structure
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason


@dataclass(frozen=True, kw_only=True)
class Limits:
    """`credits_low`, `credits_high` of one term; `late_days` after its start; `attempts` of one module; `pause_months` in all."""

    credits_low: Decimal
    credits_high: Decimal
    late_days: int
    attempts: int
    pause_months: int


@dataclass(frozen=True)
class Period:
    """A term of the host."""

    starts_on: date
    ends_on: date


def is_late(term: Period, today: date) -> bool:
    return today > term.starts_on


def why_not_term(term: Period, *, today: date, limits: Limits, by: date | None, started_on: date) -> Iterator[Reason]:
    """Whether one can enrol in this term today."""
    last = term.starts_on + timedelta(days=limits.late_days)
    if today > last:
        text = N_("One could enrol in this term until %(day)s. Choose the next term, or ask for an interruption until then.")
        yield Reason("too-late", text, {"day": last}, "term")
    if term.ends_on < started_on:
        yield Reason("before-admission", N_("This term lies before your admission."), {}, "term")
    if by is not None and term.starts_on > by:
        text = N_("The longest duration of the programme ends on %(day)s. The host can extend it with a reason.")
        yield Reason("after-longest-duration", text, {"day": by}, "term")


def why_not_choose(
    structure: Structure, chosen: Sequence[str], attempts: Sequence[Attempt], *, limits: Limits, progress: Progress, granted: Collection[str] = ()
) -> Iterator[Reason]:  # fmt: skip
    """Everything against this choice. `attempts` are those of earlier terms; `granted` modules may be tried once more."""
    if len(set(chosen)) != len(chosen):
        yield Reason("module-twice", N_("A module stands twice."), {}, "modules")
    passed = {each.module for each in attempts if each.state == "passed"}
    running = {each.module for each in attempts if each.state == "taking"}
    for code in dict.fromkeys(chosen):
        module = structure.module(code)
        if module is None:
            yield Reason("module-unknown", N_("%(code)s is not a module of this programme."), {"code": code}, "modules")
            continue
        facts = {"module": module.title, "code": code}
        if code in passed:
            yield Reason("already-passed", N_("%(code)s %(module)s: you have passed it already."), facts, "modules")
        elif code in running:
            yield Reason("already-taking", N_("%(code)s %(module)s: you are taking it in another term."), facts, "modules")
        elif tries(attempts, code) >= limits.attempts + (code in granted):
            text = N_("%(code)s %(module)s: you have tried it %(count)s times, which is the most. Ask the host for one more attempt.")
            yield Reason("attempts-used", text, {**facts, "count": tries(attempts, code)}, "modules")
        for wanted in module.prerequisites:
            if wanted not in passed:
                before = structure.module(wanted)
                text = N_("%(code)s %(module)s builds on %(wanted)s, which you have not passed yet.")
                yield Reason("prerequisite", text, {**facts, "wanted": before.title if before else wanted}, "modules")
    yield from _why_not_load(structure, chosen, limits, progress)


def _why_not_load(structure: Structure, chosen: Sequence[str], limits: Limits, progress: Progress) -> Iterator[Reason]:
    """Too much or too little for one term; the least does not bind somebody with less than that left to earn."""
    load = sum((module.credits for code in dict.fromkeys(chosen) if (module := structure.module(code))), Decimal(0))
    if load > limits.credits_high:
        text = N_("%(load)s credits are more than the %(most)s of one term.")
        yield Reason("load-high", text, {"load": load, "most": limits.credits_high}, "modules")
    left = progress.left - progress.taking
    if load < min(limits.credits_low, left):
        text = N_("%(load)s credits are less than the %(least)s of one term. Choose more, or ask for an interruption.")
        yield Reason("load-low", text, {"load": load, "least": min(limits.credits_low, left)}, "modules")


def why_not_pause(starts_on: date, returns_on: date, *, earlier: Sequence[Pause], limits: Limits, today: date) -> Iterator[Reason]:
    """Whether studies may rest from `starts_on` until `returns_on`. All interruptions together have a limit."""
    if returns_on <= starts_on:
        yield Reason("pause-order", N_("The return lies before the interruption."), {}, "returns_on")
    if returns_on <= today:
        yield Reason("pause-past", N_("The return lies in the past."), {}, "returns_on")
    days = sum(each.days for each in earlier) + max(0, (returns_on - starts_on).days)
    most = (months_later(starts_on, limits.pause_months) - starts_on).days
    if days > most:
        text = N_("Interruptions would be %(days)s days together; at most %(months)s months (%(most)s days) are possible.")
        yield Reason("pause-too-long", text, {"days": days, "months": limits.pause_months, "most": most}, "returns_on")


def exhausted(structure: Structure, attempts: Sequence[Attempt], limits: Limits, granted: Collection[str] = ()) -> list[str]:
    """Modules that were failed as often as is possible: without a further attempt they can never be passed."""
    passed = {each.module for each in attempts if each.state == "passed"}
    taking = {each.module for each in attempts if each.state == "taking"}
    return [
        each.code
        for each in structure.modules
        if each.code not in passed | taking and tries(attempts, each.code) >= limits.attempts + (each.code in granted)
    ]

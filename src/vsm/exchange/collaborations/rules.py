"""What an exchange plan says, when it is complete, who may sign it, and how two versions differ; who earns a certificate. Pure.

A version is one text: canonical JSON (RFC 8785), so that the same text has one digest everywhere. Amounts are written as
text because JSON's numbers are binary fractions. A teacher's signature is bound to that digest.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any
from uuid import UUID

import rfc8785

from vsm.kit.i18n import N_
from vsm.kit.names import language_names
from vsm.kit.verdict import Reason
from vsm.rulebook import credit_system_names

FORMAT = "openvsm-exchange-plan/1"
MOST_TASKS = 40


class Side(StrEnum):
    """One of the two classes: the first is the one whose teacher invited."""

    FIRST = "first"
    SECOND = "second"


SIDE_WORDS = {Side.FIRST.value: N_("first class"), Side.SECOND.value: N_("second class")}


class Phase(StrEnum):
    """The three phases of a COIL exchange, in their order."""

    ICEBREAKER = "icebreaker"
    COLLABORATION = "collaboration"
    REFLECTION = "reflection"


PHASE_WORDS = {
    Phase.ICEBREAKER.value: N_("Icebreaker"),
    Phase.COLLABORATION.value: N_("Collaboration"),
    Phase.REFLECTION.value: N_("Reflection"),
}
KINDS = {"team": N_("By the team"), "individual": N_("By each student")}


@dataclass(frozen=True, kw_only=True)
class Task:
    """One piece of shared work. `key` stays through all versions; `due` is a wall time (2027-04-09T23:59) in the plan's zone."""

    key: str
    title: str
    phase: str
    kind: str
    due: str
    hours: str = ""
    instructions: str = ""


@dataclass(frozen=True, kw_only=True)
class Period:
    """When a phase runs, both days included (ISO 8601)."""

    phase: str
    starts_on: str
    ends_on: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The whole text of one version. `follows` is the digest of the version before it, empty for the first.

    `first` and `second` have organisation, name, country, teacher, teacher_name, credits, credit_system and counts_as: what
    the exchange is worth in that class's own degree, which is that home's business alone (empty credits: none).
    `share_tasks` and `share_check_ins` are per cent, as whole numbers in text.
    """

    exchange: str
    number: int
    follows: str
    title: Mapping[str, str]
    first: Mapping[str, Any]
    second: Mapping[str, Any]
    zone: str
    languages: tuple[str, ...]
    tools: tuple[str, ...]
    phases: tuple[Period, ...]
    tasks: tuple[Task, ...]
    hours: str
    facilitation: str
    assessment: str
    conduct: str
    share_tasks: str = "70"
    share_check_ins: str = "60"
    needs_reflection: bool = True
    format: str = FORMAT

    def task(self, key: str) -> Task | None:
        """The task of this key."""
        return next((each for each in self.tasks if each.key == key), None)

    def period(self, phase: str) -> Period | None:
        """When this phase runs."""
        return next((each for each in self.phases if each.phase == phase), None)

    @property
    def starts_on(self) -> date:
        return min(date.fromisoformat(each.starts_on) for each in self.phases)

    @property
    def ends_on(self) -> date:
        return max(date.fromisoformat(each.ends_on) for each in self.phases)


@dataclass(frozen=True)
class Change:
    """One difference between two versions. `kind`: added, removed or changed; `about` is a task's title or empty."""

    kind: str
    about: str
    label: str = ""
    before: Any = ""
    after: Any = ""


def as_json(plan: Plan) -> dict[str, Any]:
    """The text as plain JSON values."""
    return {
        **asdict(plan), "languages": list(plan.languages), "tools": list(plan.tools),
        "phases": [asdict(each) for each in plan.phases], "tasks": [asdict(each) for each in plan.tasks],
    }  # fmt: skip


def from_json(kept: Mapping[str, Any]) -> Plan:
    """The reverse of `as_json`. TypeError for a shape that is not ours."""
    return Plan(
        **{
            **kept, "languages": tuple(kept["languages"]), "tools": tuple(kept["tools"]),
            "phases": tuple(Period(**row) for row in kept["phases"]), "tasks": tuple(Task(**row) for row in kept["tasks"]),
        }
    )  # fmt: skip


def digest_of(plan: Plan) -> str:
    """SHA-256 over the canonical bytes, in hexadecimal."""
    return hashlib.sha256(rfc8785.dumps(as_json(plan))).hexdigest()


def why_incomplete(plan: Plan) -> Iterator[Reason]:
    """Everything that must be settled before the teachers are asked to sign."""
    yield from _why_phases_incomplete(plan)
    yield from _why_tasks_incomplete(plan)
    for field, text, missing in (
        ("languages", N_("Say in which languages the exchange is held."), not plan.languages),
        ("tools", N_("Name at least one tool by which the teams work together."), not plan.tools),
        ("facilitation", N_("Say who facilitates, and how students reach them."), not plan.facilitation.strip()),
        ("assessment", N_("Say how the work is assessed in each class."), not plan.assessment.strip()),
        ("conduct", N_("Agree on a code of conduct: students sign up to it when they join."), not plan.conduct.strip()),
    ):
        if missing:
            yield Reason(f"{field}-missing", text, {}, field)


def why_not_sign(side: str, *, sides: Collection[str], signed: Mapping[str, UUID], person: UUID | None) -> Iterator[Reason]:
    """Who may sign for which class. `sides`: those this person teaches; `signed`: side → who signed this version."""
    word = SIDE_WORDS.get(side, side)
    if side not in sides:
        yield Reason("not-your-side", N_("This signature belongs to the other teacher: %(side)s."), {"side": word}, "side")
    if side in signed:
        yield Reason("already-signed", N_("This version is already signed for the %(side)s. Nothing more is needed there."), {"side": word})
    if person in signed.values() and side not in signed:
        yield Reason("one-side-each", N_("You have signed for one class. The other class needs its own teacher’s signature."), {}, "side")


def differences(before: Plan, after: Plan) -> tuple[Change, ...]:
    """What a reader of `before` must know about `after`."""
    return (*_changed_facts(before, after), *_changed_tasks(before, after))


def told(change: Change) -> Reason:
    """A difference as a sentence."""
    facts = {"about": change.about, "label": change.label, "before": change.before or "—", "after": change.after or "—"}
    if change.kind == "changed" and not change.about:
        return Reason("text-changed", N_("%(label)s: before “%(before)s”, now “%(after)s”."), facts)
    return Reason(f"text-{change.kind}", _SENTENCES[change.kind], facts)


@dataclass(frozen=True, kw_only=True)
class Achieved:
    """What one participant did over the whole exchange. Team tasks count for whoever was in the team when they were due."""

    tasks_due: int
    tasks_done: int
    weeks: int
    check_ins: int
    reflected: bool


def why_no_certificate(plan: Plan, done: Achieved) -> Iterator[Reason]:
    """Everything of the plan's criteria that is not met."""
    if not reaches(done.tasks_done, done.tasks_due, plan.share_tasks):
        text = N_("%(done)s of %(due)s tasks were handed in; the plan asks for %(share)s per cent.")
        yield Reason("tasks", text, {"done": done.tasks_done, "due": done.tasks_due, "share": plan.share_tasks})
    if not reaches(done.check_ins, done.weeks, plan.share_check_ins):
        text = N_("%(done)s of %(due)s weekly check-ins were made; the plan asks for %(share)s per cent.")
        yield Reason("check-ins", text, {"done": done.check_ins, "due": done.weeks, "share": plan.share_check_ins})
    if plan.needs_reflection and not done.reflected:
        yield Reason("reflection", N_("The reflection was not handed in."))


def reaches(done: int, due: int, per_cent: str) -> bool:
    """Whether a share is met, in whole numbers: 7 of 10 reach 70 per cent exactly."""
    return not due or Fraction(done, due) >= Fraction(int(per_cent), 100)


def credits_of(side: Mapping[str, Any]) -> Decimal | None:
    """What a class's home gives for the exchange; None where it gives no credit."""
    return Decimal(side["credits"]) if side.get("credits") else None


_SENTENCES = {
    "added": N_("Added: %(about)s."),
    "removed": N_("Removed: %(about)s."),
    "changed": N_("%(about)s — %(label)s: before “%(before)s”, now “%(after)s”."),
}
_FACTS = {
    "title": N_("Title"), "zone": N_("Time zone"), "languages": N_("Languages"), "tools": N_("Tools"), "hours": N_("Hours for each student"),
    "facilitation": N_("Facilitation"), "assessment": N_("Assessment"), "conduct": N_("Code of conduct"),
    "share_tasks": N_("Share of tasks for a certificate (per cent)"), "share_check_ins": N_("Share of check-ins for a certificate (per cent)"),
    "needs_reflection": N_("A reflection is needed for a certificate"),
}  # fmt: skip
_UNORDERED = frozenset({"languages", "tools"})
_TASK_FACTS = {
    "title": N_("Title"), "phase": N_("Phase"), "kind": N_("Who hands it in"), "due": N_("Due"), "hours": N_("Hours"), "instructions": N_("Instructions"),
}  # fmt: skip
_SIDE_FACTS = {"teacher_name": N_("Teacher"), "credits": N_("Credits"), "credit_system": N_("Credit system"), "counts_as": N_("Counts as")}


def _why_phases_incomplete(plan: Plan) -> Iterator[Reason]:
    before: Period | None = None
    for phase in Phase:
        period = plan.period(phase.value)
        word = PHASE_WORDS[phase.value]
        if period is None:
            yield Reason("phase-missing", N_("The phase “%(phase)s” has no dates."), {"phase": word}, "phases")
            continue
        if period.ends_on < period.starts_on:
            yield Reason("phase-backwards", N_("The phase “%(phase)s” ends before it starts."), {"phase": word}, "phases")
        if before is not None and period.starts_on <= before.ends_on:
            text = N_("The phase “%(phase)s” starts before the one before it has ended (%(ends)s).")
            yield Reason("phases-overlap", text, {"phase": word, "ends": date.fromisoformat(before.ends_on)}, "phases")
        before = period


def _why_tasks_incomplete(plan: Plan) -> Iterator[Reason]:
    if not any(each.kind == "team" for each in plan.tasks):
        yield Reason("no-team-task", N_("Plan at least one task that mixed teams do together: that is what the exchange is for."), {}, "tasks")
    if plan.needs_reflection and not any(each.phase == Phase.REFLECTION for each in plan.tasks):
        yield Reason("no-reflection", N_("A reflection is asked for, but no task of that phase is planned."), {}, "tasks")
    for each in plan.tasks:
        period = plan.period(each.phase)
        if period is not None and not period.starts_on <= each.due[:10] <= period.ends_on:
            text = N_("“%(task)s” is due on %(due)s, outside its phase (%(starts)s to %(ends)s).")
            days = {"due": date.fromisoformat(each.due[:10]), "starts": date.fromisoformat(period.starts_on), "ends": date.fromisoformat(period.ends_on)}
            yield Reason("task-outside", text, {"task": each.title, **days}, "tasks")
    told_hours = sum((Decimal(each.hours) for each in plan.tasks if each.hours), Decimal(0))
    if plan.hours and told_hours > Decimal(plan.hours):
        text = N_("The tasks take %(tasks)s hours; the plan promises %(hours)s for each student.")
        yield Reason("too-many-hours", text, {"tasks": told_hours, "hours": Decimal(plan.hours)}, "hours")


def _changed_facts(before: Plan, after: Plan) -> Iterator[Change]:
    for name, label in _FACTS.items():
        was, becomes = getattr(before, name), getattr(after, name)
        if was != becomes and not (name in _UNORDERED and set(was) == set(becomes)):
            yield Change("changed", "", label, _plain(name, was), _plain(name, becomes))
    for side in Side:
        mine, theirs = getattr(before, side.value), getattr(after, side.value)
        for name, label in _SIDE_FACTS.items():
            if mine.get(name, "") != theirs.get(name, ""):
                yield Change("changed", "", label, _plain(name, mine.get(name, "")), _plain(name, theirs.get(name, "")))
    for phase in Phase:
        was_at, is_at = before.period(phase.value), after.period(phase.value)
        if was_at != is_at:
            yield Change("changed", "", PHASE_WORDS[phase.value], _days(was_at), _days(is_at))


def _changed_tasks(before: Plan, after: Plan) -> Iterator[Change]:
    for old in before.tasks:
        if after.task(old.key) is None:
            yield Change("removed", old.title)
    for new in after.tasks:
        was = before.task(new.key)
        if was is None:
            yield Change("added", new.title)
            continue
        yield from (
            Change("changed", new.title, label, _worded(name, getattr(was, name)), _worded(name, getattr(new, name)))
            for name, label in _TASK_FACTS.items()
            if getattr(was, name) != getattr(new, name)
        )


def _worded(name: str, value: str) -> Reason | str:
    if name == "due":
        day, _sep, at = value.partition("T")
        return Reason("due", N_("%(day)s, %(time)s"), {"day": date.fromisoformat(day), "time": at})
    return {"phase": PHASE_WORDS, "kind": KINDS}.get(name, {}).get(value, value)


def _days(period: Period | None) -> Reason | str:
    if period is None:
        return ""
    return Reason("days", N_("%(first)s to %(last)s"), {"first": date.fromisoformat(period.starts_on), "last": date.fromisoformat(period.ends_on)})


def _plain(name: str, value: Any) -> Any:
    """A fact as a sentence takes it: codes by the names that they stand for."""
    if isinstance(value, bool):
        return N_("yes") if value else N_("no")
    if name == "languages":
        return [language_names(code) for code in value]
    if name == "credit_system" and value:
        return credit_system_names(value)
    return list(value) if isinstance(value, tuple) else value


def wall_of(day: date, at: time) -> str:
    """A due time as the plan writes it."""
    return f"{day.isoformat()}T{at:%H:%M}"

"""Who may be dropping out, told early: missed check-ins, missed tasks, low answers → a level, the reasons, the next action. Pure.

The rule looks at what somebody did not do rather than at who they are: no fact about a person enters it. Its limits stand
in the rulebook with their source. What it says is for those who facilitate the exchange, and for nobody else.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason


class Level(StrEnum):
    """How urgent it is that somebody asks."""

    FINE = "fine"
    WATCH = "watch"
    ACT = "act"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """From when the rule speaks. `low` is an answer of 1 to 5 that is low; `quiet_days` how long a contact counts."""

    check_ins_watch: int
    check_ins_act: int
    tasks_watch: int
    tasks_act: int
    low: int
    quiet_days: int


@dataclass(frozen=True, kw_only=True)
class Signs:
    """What one participant did. `check_ins`: one entry a past week, oldest first: None (missed) or the two answers 1–5.

    `missed_tasks` are tasks due and not handed in, oldest first; `contacted_at` is when somebody last got in touch.
    """

    check_ins: Sequence[tuple[int, int] | None]
    missed_tasks: Sequence[str]
    wants_help: bool = False
    contacted_at: datetime | None = None
    contacts: int = 0


@dataclass(frozen=True)
class Standing:
    """The level, everything it rests on, and what to do next."""

    level: Level
    reasons: tuple[Reason, ...]
    next: Reason | None


def early_warning(signs: Signs, limits: Limits, now: datetime) -> Standing:
    """Judge one participant at a moment."""
    found = list(_found(signs, limits))
    if not found:
        return Standing(Level.FINE, (), None)
    level = Level.ACT if any(each is Level.ACT for each, _reason in found) else Level.WATCH
    return Standing(level, tuple(reason for _level, reason in found), _next(level, signs, limits, now))


def missed_in_a_row(check_ins: Sequence[object | None]) -> int:
    """How many of the latest weeks were missed one after the other."""
    count = 0
    for each in reversed(check_ins):
        if each is not None:
            break
        count += 1
    return count


def _found(signs: Signs, limits: Limits) -> Iterator[tuple[Level, Reason]]:
    missed = missed_in_a_row(signs.check_ins)
    if missed >= limits.check_ins_watch:
        level = Level.ACT if missed >= limits.check_ins_act else Level.WATCH
        yield level, Reason("check-ins-missed", N_("Weekly check-ins missed in a row: %(count)s."), {"count": missed})
    tasks = len(signs.missed_tasks)
    if tasks >= limits.tasks_watch:
        level = Level.ACT if tasks >= limits.tasks_act else Level.WATCH
        yield level, Reason("tasks-missed", N_("Not handed in: %(tasks)s."), {"tasks": list(signs.missed_tasks)})
    if signs.wants_help:
        yield Level.ACT, Reason("wants-help", N_("Asks for help in the last check-in."))
    last = next((each for each in reversed(signs.check_ins) if each is not None), None)
    if last is not None:
        if last[0] <= limits.low:
            yield Level.WATCH, Reason("team-low", N_("Says that the team does not work well (%(answer)s of 5)."), {"answer": last[0]})
        if last[1] <= limits.low:
            yield Level.WATCH, Reason("load-low", N_("Says that the work is hard to keep up with (%(answer)s of 5)."), {"answer": last[1]})


def _next(level: Level, signs: Signs, limits: Limits, now: datetime) -> Reason:
    """One step at a time: ask, then call, then look after the team that is left."""
    contacted = signs.contacted_at
    if contacted is not None and now - contacted < timedelta(days=limits.quiet_days):
        return Reason("wait", N_("Somebody got in touch on %(at)s. Wait for an answer until %(until)s."), {"at": contacted, "until": contacted + timedelta(days=limits.quiet_days)})
    if signs.contacts >= 2 and level is Level.ACT:
        return Reason("rebalance", N_("Two contacts brought nothing. Settle whether they go on; if not, let the team be balanced again."))
    if level is Level.ACT:
        return Reason("call", N_("Reach them in person today: by telephone, in class, or through their tutor."))
    return Reason("write", N_("Write a short personal message and ask how it goes."))

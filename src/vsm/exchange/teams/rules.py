"""What an office asks for as rules of the engine, a person's week as blocks of UTC, and refusals. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from vsm.exchange.teams.problem import Kind, Rule
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

WEEK = 168
WISH = 20
Weight = Literal["must", "wish", "no"]
WEIGHTS: tuple[Weight, ...] = ("must", "wish", "no")
# Enough to follow a discussion (CEFR: B1 is the threshold of independent use).
SPEAKING = ("B1", "B2", "C1", "C2", "native")


@dataclass(frozen=True)
class Asked:
    """How an office asks for teams. 0 means that nobody cares. `protect` are groups in which nobody is to be alone
    (`gender`, `gender=woman`, `first_language`); `balance` are skills that teams should have alike."""

    size: int
    language: Weight = "must"
    countries: int = 0
    institutions: int = 0
    hours: int = 0
    hours_weight: Weight = "must"
    zones: int = 0
    protect: tuple[str, ...] = ()
    balance: tuple[str, ...] = ()


def rules_of(asked: Asked) -> tuple[Rule, ...]:
    """The engine's rules. Countries, institutions and protection must hold; zones and balance are wishes."""
    found = []
    if asked.language != "no":
        found.append(Rule(Kind.LANGUAGE, weight=0 if asked.language == "must" else 10 * WISH))
    if asked.hours and asked.hours_weight != "no":
        found.append(Rule(Kind.WINDOW, asked.hours, weight=0 if asked.hours_weight == "must" else WISH))
    if asked.countries > 1:
        found.append(Rule(Kind.COUNTRIES, asked.countries))
    if asked.institutions > 1:
        found.append(Rule(Kind.INSTITUTIONS, asked.institutions))
    if asked.zones:
        found.append(Rule(Kind.ZONES, asked.zones, weight=WISH // 2))
    found += [Rule(Kind.NOT_ALONE, of=group) for group in asked.protect]
    found += [Rule(Kind.BALANCE, of=skill, weight=1) for skill in asked.balance]
    return tuple(found)


def speaks(levels: Mapping[str, str], own: str) -> frozenset[str]:
    """The languages in which a person can work: the own one, and what is known from B1."""
    return frozenset({own.partition("-")[0], *(tag.partition("-")[0] for tag, level in levels.items() if level in SPEAKING)})


def blocks_of(hours: str, offset: int) -> frozenset[int]:
    """The hours of the UTC week (0: Monday 00:00) that lie within the hours marked `1` on a wall `offset` minutes from UTC."""
    found = set()
    for block in range(WEEK):
        first, rest = divmod(block * 60 + offset, 60)
        touched = (first, first + 1) if rest else (first,)
        if all(hours[hour % WEEK] == "1" for hour in touched):
            found.add(block)
    return frozenset(found)


def windows_on(blocks: Iterable[int], zone: str, week_of: datetime) -> list[tuple[datetime, datetime]]:
    """Runs of hours of the UTC week on a reader's wall, in the week of `week_of`, earliest on that wall first.

    Each is (start, end) with the zone; a run over the end of the week is told as one.
    """
    ordered = sorted(blocks)
    if not ordered:
        return []
    if len(ordered) == WEEK:
        ordered_runs = [(0, WEEK)]
    else:
        breaks = [place for place, (left, right) in enumerate(pairwise(ordered), start=1) if right != left + 1]
        bounds = [0, *breaks, len(ordered)]
        ordered_runs = [(ordered[a], ordered[b - 1] + 1) for a, b in pairwise(bounds)]
        if len(ordered_runs) > 1 and ordered_runs[0][0] == 0 and ordered_runs[-1][1] == WEEK:
            ordered_runs[-1] = (ordered_runs[-1][0], WEEK + ordered_runs.pop(0)[1])
    monday = week_of.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    monday -= timedelta(days=monday.weekday())
    told = [
        ((monday + timedelta(hours=a)).astimezone(ZoneInfo(zone)), (monday + timedelta(hours=b)).astimezone(ZoneInfo(zone)))
        for a, b in ordered_runs
    ]  # fmt: skip
    return sorted(told, key=lambda run: (run[0].weekday(), run[0].hour, run[0].minute))


def why_not_form(people: int, size: int) -> Iterator[Reason]:
    if people < 2:
        yield Reason("nobody", N_("There are %(people)s people to put into teams. Wait until more have enrolled."), {"people": people})
    elif size > people:
        text = N_("%(people)s people are fewer than one team of %(size)s. Ask for smaller teams.")
        yield Reason("too-large", text, {"people": people, "size": size}, "size")


def half_pairs(pairs: Iterable[tuple[str, str]]) -> Iterator[Reason]:
    for number, pair in enumerate(pairs, start=1):
        if not all(pair):
            yield Reason("half-pair", N_("Pair %(number)s names one person. Choose two."), {"number": number}, "pairs")


def why_not_publish(hard: int, is_accepted: bool, is_fresh: bool) -> Iterator[Reason]:
    if not is_fresh:
        text = N_("People have joined or left since this preview was made. Discard it and make a new one.")
        yield Reason("preview-outdated", text)
    if hard and not is_accepted:
        text = N_("Some rules that must hold are not kept. Loosen them in a new preview, or say that you accept it as it is.")
        yield Reason("rules-missed", text, {}, "accept_missed")


def why_not_join(person: str, inside: Collection[str], known: Collection[str]) -> Iterator[Reason]:
    if person in inside:
        yield Reason("already-in-team", N_("This person is in a team already. Move them instead."), {}, "person")
    elif person not in known:
        yield Reason("not-taking-part", N_("This person does not take part. They must enrol first."), {}, "person")

"""How far a team is from its rules: the readable definition that the compiled search must agree with (a test compares).

The cost of a formation is the sum over its teams of (broken rules, weight of unmet wishes), compared in this order.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from vsm.exchange.teams.problem import AT_LEAST, Kind, Participant, Problem, Rule


class Cost(NamedTuple):
    """`hard` counts the units by which rules that must hold are missed; `soft` weighs the wishes. Less is better."""

    hard: int
    soft: int

    def __add__(self, other: object) -> "Cost":
        if not isinstance(other, Cost):
            return NotImplemented
        return Cost(self.hard + other.hard, self.soft + other.soft)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """One rule that a team misses: by how many units, and who is concerned (identifiers). `rule` None is the size."""

    rule: Rule | None
    units: int
    whom: tuple[str, ...] = ()


def cost_of(problem: Problem, teams: Iterable[Collection[str]]) -> Cost:
    """The cost of a whole formation."""
    return sum((cost_of_team(problem, team) for team in teams), Cost(0, 0))


def cost_of_team(problem: Problem, team: Collection[str]) -> Cost:
    """The cost of one team; a team without members costs nothing."""
    hard = soft = 0
    for miss in shortfalls(problem, team):
        if miss.rule is None or miss.rule.is_hard:
            hard += miss.units
        else:
            soft += miss.units * miss.rule.weight
    return Cost(hard, soft)


def shortfalls(problem: Problem, team: Collection[str]) -> list[Shortfall]:
    """Everything that one team misses, in the order of the rules, the size first."""
    if not team:
        return []
    members = [problem.by_id[name] for name in sorted(team)]
    missed = []
    off = max(problem.smallest - len(members), len(members) - problem.largest, 0)
    if off:
        missed.append(Shortfall(None, off, tuple(each.id for each in members)))
    return [*missed, *(miss for rule in problem.rules for miss in _missed(problem, rule, members) if miss.units)]


def common_languages(members: Sequence[Participant]) -> frozenset[str]:
    return frozenset.intersection(*(each.languages for each in members))


def common_blocks(members: Sequence[Participant]) -> frozenset[int] | None:
    """The blocks at which all can meet; None when nobody was asked."""
    asked = [each.available for each in members if each.available is not None]
    return frozenset.intersection(*asked) if asked else None


def hours_apart(offsets: Iterable[int]) -> int:
    """The shortest arc of the 24-hour clock that holds all these UTC offsets (minutes), in hours begun."""
    places = sorted({offset % 1440 for offset in offsets})
    gaps = [(right - left) % 1440 or 1440 for left, right in zip(places, [*places[1:], places[0]], strict=True)]
    return -(-(1440 - max(gaps)) // 60)


def _missed(problem: Problem, rule: Rule, members: Sequence[Participant]) -> Iterator[Shortfall]:
    everybody = tuple(each.id for each in members)
    if rule.kind in (Kind.TOGETHER, Kind.APART):
        yield from _missed_pairs(problem, rule, members)
    elif rule.kind is Kind.NOT_ALONE:
        alone = alone_in(rule.of, members)
        yield Shortfall(rule, len(alone), tuple(each.id for each in alone))
    elif rule.kind is Kind.BALANCE:
        total = sum(problem.skill_of(each, rule.of) for each in members)
        yield Shortfall(rule, abs(total - problem.target(rule.of, len(members))), everybody)
    elif rule.kind is Kind.LANGUAGE:
        yield Shortfall(rule, 0 if common_languages(members) else 1, everybody)
    else:
        found = measure(rule.kind, members)
        if found is not None:
            yield Shortfall(rule, max(0, rule.amount - found if rule.kind in AT_LEAST else found - rule.amount), everybody)  # fmt: skip


def measure(kind: Kind, members: Sequence[Participant]) -> int | None:
    """The number that a rule of this kind bounds; None when nothing is known to measure."""
    if kind is Kind.WINDOW:
        blocks = common_blocks(members)
        return None if blocks is None else len(blocks)
    if kind is Kind.ZONES:
        return hours_apart(each.utc_offset for each in members)
    told = Counter(each.country if kind in (Kind.COUNTRIES, Kind.SAME_COUNTRY) else each.institution for each in members)
    del told[""]
    return len(told) if kind in AT_LEAST else max(told.values(), default=0)


def alone_in(of: str, members: Sequence[Participant]) -> list[Participant]:
    """Those who are the only one of their value in the group; a value after `=` protects that value alone."""
    group, _, protected = of.partition("=")
    holders: dict[str, list[Participant]] = defaultdict(list)
    for each in members:
        value = each.groups.get(group, "")
        if value and (not protected or value == protected):
            holders[value].append(each)
    return [found[0] for found in holders.values() if len(found) == 1 and len(members) > 1]


def _missed_pairs(problem: Problem, rule: Rule, members: Sequence[Participant]) -> Iterator[Shortfall]:
    """One unit for each person of a torn pair, so that a team can be judged without looking at the others."""
    here = {each.id for each in members}
    if rule.kind is Kind.TOGETHER:
        torn = [part for pair in problem.together if len(part := here & set(pair)) == 1]
        yield Shortfall(rule, len(torn), tuple(sorted({name for part in torn for name in part})))
        return
    met = [pair for pair in problem.apart if set(pair) <= here]
    yield Shortfall(rule, 2 * len(met), tuple(sorted({name for pair in met for name in pair})))

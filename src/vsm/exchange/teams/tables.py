"""A problem as the arrays of the compiled search, and its arrays as teams again."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from vsm.exchange.teams import kernel
from vsm.exchange.teams.problem import Kind, Problem

_CODES = {
    Kind.LANGUAGE: (kernel.LANGUAGE, 0), Kind.WINDOW: (kernel.WINDOW, 0), Kind.COUNTRIES: (kernel.DISTINCT, 0),
    Kind.INSTITUTIONS: (kernel.DISTINCT, 1), Kind.SAME_COUNTRY: (kernel.MOST, 0), Kind.SAME_INSTITUTION: (kernel.MOST, 1),
    Kind.ZONES: (kernel.ZONES, 0),
}  # fmt: skip
# More than all rules together can miss: an even cut is no matter of weighing.
_UNEVEN = 100_000


def tables_of(problem: Problem, width: int, homes: Mapping[str, int] | None = None) -> kernel.Tables:
    """The arrays of a problem whose teams have up to `width` members.

    With `homes` (person → the row of her team) teams may shrink to `smallest` or be emptied; without, the class is cut
    into its number of teams, as even as it goes.
    """
    people = problem.participants
    least = len(people) // problem.number_of_teams
    sizes = (least, _UNEVEN, 0) if homes is None else (problem.smallest, 1, 1)
    rules = sorted((*_CODES[rule.kind], rule.amount, rule.weight) for rule in problem.rules if rule.kind in _CODES)
    balances = [rule for rule in problem.rules if rule.kind is Kind.BALANCE]
    protected = _protected(problem)
    number = {each.id: place for place, each in enumerate(people)}
    targets = [[problem.target(rule.of, size) for rule in balances] for size in range(width + 1)]
    flags = [[int(each.groups.get(group, "") == value) for group, value, _ in protected] for each in people]
    skills = [[problem.skill_of(each, rule.of) for rule in balances] for each in people]
    weeks = _weeks(problem)
    columns = [
        _languages(problem), _numbered(each.country for each in people), _numbered(each.institution for each in people),
        np.array([each.utc_offset % 1440 for each in people], np.int64),
        np.array([(homes or {}).get(each.id, -1) for each in people], np.int64),
        weeks, np.array(flags, np.int64).reshape(len(people), -1), np.array(skills, np.int64).reshape(len(people), -1),
    ]  # fmt: skip
    pairs = [[rule.kind is Kind.APART, rule.weight] for rule in problem.rules if rule.kind in (Kind.TOGETHER, Kind.APART)]
    return kernel.Tables(
        persons=np.column_stack(columns),
        rules=np.array(rules, np.int64).reshape(-1, 4),
        flag_weights=np.array([weight for _, _, weight in protected], np.int64),
        skill_weights=np.array([rule.weight for rule in balances], np.int64),
        targets=np.array(targets, np.int64).reshape(width + 1, -1),
        together=_partners(problem.together, number), apart=_partners(problem.apart, number),
        pair_weights=np.array(pairs, np.int64).reshape(-1, 2),
        layout=np.array([weeks.shape[1], len(protected), len(balances), *sizes], np.int64),
    )  # fmt: skip


def teams_of(problem: Problem, slots: Any) -> tuple[tuple[str, ...], ...]:
    """Each row's members in order of id, rows as they stand, empty ones included."""
    return tuple(tuple(sorted(problem.participants[person].id for person in row if person >= 0)) for row in slots.tolist())


def _languages(problem: Problem) -> Any:
    bit = {tag: 1 << place for place, tag in enumerate(sorted(frozenset().union(*(each.languages for each in problem.participants))))}
    return np.array([sum(bit[tag] for tag in each.languages) for each in problem.participants], np.int64)


def _weeks(problem: Problem) -> Any:
    """Whoever was not asked can meet at every block that anybody named, and at as many more as any rule wants."""
    named = frozenset().union(*(each.available or () for each in problem.participants))
    wanted = max((rule.amount for rule in problem.rules if rule.kind is Kind.WINDOW), default=0)
    further = max(named, default=-1) + 1
    everything = sum(1 << block for block in named) | (((1 << wanted) - 1) << further)
    words = max(1, -(-everything.bit_length() // kernel.WORD))
    weeks = np.zeros((len(problem.participants), words), np.int64)
    mask = (1 << kernel.WORD) - 1
    for place, each in enumerate(problem.participants):
        blocks = everything if each.available is None else sum(1 << block for block in each.available)
        for word in range(words):
            weeks[place, word] = (blocks >> (word * kernel.WORD)) & mask
    return weeks


def _protected(problem: Problem) -> list[tuple[str, str, int]]:
    """(group, value, weight) for each value that must not be alone."""
    found = []
    for rule in problem.rules:
        if rule.kind is Kind.NOT_ALONE:
            group, _, value = rule.of.partition("=")
            told = sorted({each.groups.get(group, "") for each in problem.participants} - {""})
            found += [(group, each, rule.weight) for each in told if not value or each == value]
    return found


def _numbered(names: Iterable[str]) -> Any:
    names = list(names)
    number = {name: place for place, name in enumerate(sorted(set(names) - {""}))}
    return np.array([number.get(name, -1) for name in names], np.int64)


def _partners(pairs: Sequence[tuple[str, str]], number: Mapping[str, int]) -> Any:
    of: dict[int, list[int]] = defaultdict(list)
    for first, second in pairs:
        of[number[first]].append(number[second])
        of[number[second]].append(number[first])
    table = np.full((len(number), max(map(len, of.values()), default=0)), -1, np.int64)
    for person, others in of.items():
        table[person, : len(others)] = others
    return table

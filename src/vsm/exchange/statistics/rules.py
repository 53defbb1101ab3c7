"""Disclosure control for tables of counts that share their totals: nobody can tell from them whether one person is in them. Pure.

A count of 1 to 9 people is withheld (primary); what is published is rounded to multiples of 5. Where what is withheld of a
breakdown could be found by subtracting the rest from its total, the next smallest is withheld too (complementary). Then
an attacker who knows every rule tries all tables of a year at once (`attack.reach`, a linear program): as long as some
withheld count can be told within less than five people, one more goes. Zero is told: it is about nobody.
(Hundepool et al. 2012, Statistical Disclosure Control, chapters 4 and 5.)
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from vsm.exchange.catalogue.categories import all_categories
from vsm.exchange.catalogue.vocabulary import BANDWIDTHS, MODES
from vsm.rulebook import groups

LEAST, STEP = 10, 5
INSTITUTIONS = 3  # of fewer than these nothing is published: one of two could subtract itself and see the other
ALL = ""
MEASURES = ("applied", "started", "completed", "recognised")
# How far apart two time zones are, in hours (ends included); never more than twelve, for a day has 24.
OFFSETS = (("0-1", 1.99), ("2-4", 4.99), ("5-7", 7.99), ("8-12", 12.0))
UNKNOWN = "not-recorded"

Key = tuple[str, str, str]  # dimension, value, measure; dimension and value are empty for the total that all breakdowns share
Told = dict[Key, int | None]
Reach = Mapping[Key, tuple[float, float]]
Attack = Callable[[Mapping[Key, int | None]], Reach]
Subtract = Callable[[Mapping[Key, int | None], Mapping[Key, int | None]], Reach]


@dataclass(frozen=True, kw_only=True)
class Unit:
    """One person who began something in a category in a year, or who said to which groups they belong: once, by the first.

    `home` is whose consent pools it; `facts` dimension → value; `reached` the measures that it counts in.
    """

    person: str
    home: str
    year: int
    facts: Mapping[str, str] = field(default_factory=dict)
    reached: frozenset[str] = frozenset({"started"})


@dataclass(frozen=True)
class Telling:
    """What was told last of one year: the counts, and the institutions that stand behind it, whether or not they had anybody."""

    homes: frozenset[str]
    told: Told


@cache
def breakdowns() -> Mapping[str, tuple[str, ...]]:
    """Every breakdown with its values in the order in which they are shown. Groups come one by one, for somebody may belong
    to several: `group.rural` divides those who were asked about it into yes and no, and has a total of its own."""
    plain = {"category": [each.slug for each in all_categories()], "credit": ["with", "without"], "mode": MODES, "offset": [name for name, _most in OFFSETS], "bandwidth": BANDWIDTHS}
    return {name: (*values, UNKNOWN) for name, values in plain.items()} | {f"group.{each.slug}": ("yes", "no", "all") for each in groups()}


def series_name(measure: str, dimension: str = ALL, value: str = ALL) -> str:
    """How a count is called among the Observatory's series: vsm.started.mode.mixed; vsm.started is the total."""
    return ".".join(filter(None, ("vsm", measure, dimension, value)))


@cache
def all_series() -> tuple[str, ...]:
    """Every name that a series of these counts can have; the first tells how many institutions are pooled."""
    places = [(ALL, ALL), *((dimension, value) for dimension, values in breakdowns().items() for value in values)]
    return ("vsm.institutions", *(series_name(measure, dimension, value) for measure in MEASURES for dimension, value in places))


def counted(units: Iterable[Unit]) -> tuple[dict[Key, int], dict[Key, int]]:
    """By key, how many units and how many people. Every value that occurs has each measure, be it zero."""
    numbers: Counter[Key] = Counter()
    people: dict[Key, set[str]] = defaultdict(set)
    keys: set[tuple[str, str]] = set()
    measures: set[str] = set()
    for unit in units:
        places = [(ALL, ALL), *unit.facts.items()]
        keys.update(places)
        measures |= unit.reached
        for dimension, value in places:
            for measure in unit.reached:
                numbers[dimension, value, measure] += 1
                people[dimension, value, measure].add(unit.person)
    whole = [(dimension, value, measure) for dimension, value in keys for measure in measures]
    return {key: numbers[key] for key in whole}, {key: len(people[key]) for key in whole}


def protected_together(counts: Mapping[Key, int], people: Mapping[Key, int], attack: Attack) -> Told:
    """What may be told of one year's counts: rounded, or None where withheld."""
    withheld = {key for key, number in people.items() if 0 < number < LEAST}
    for dimension, measure in sorted({(key[0], key[2]) for key in counts}):
        withheld |= _beside(counts, withheld, dimension, measure)
    while True:
        told: Told = {key: None if key in withheld else rounded(count) for key, count in counts.items()}
        found = {key for key, (low, high) in attack(told).items() if high - low < STEP}
        more = {key for hit in sorted(found) if (key := _next(counts, withheld, hit))}
        if not more:
            return dict.fromkeys(counts) if found else told
        withheld |= more


def next_telling(before: Telling | None, units: Iterable[Unit], agreeing: frozenset[str], attack: Attack, subtract: Subtract) -> Telling | None:
    """What may be told of a year after what was told of it before; None while that is nothing.

    Whoever holds two tables subtracts them. So all who stand behind the first stand behind the next: when one of them has
    withdrawn, what was told stays as it is, and the year is not counted again. Newcomers enter it three at a time or more.
    And nothing new is told where the two would tell of one to nine people who came in between, within less than five.
    """
    among = [unit for unit in units if unit.home in agreeing]
    if before is None:
        return Telling(agreeing, protected_together(*counted(among), attack)) if enough(among) else None
    if not before.homes <= agreeing:
        return before
    newcomers = [unit for unit in among if unit.home not in before.homes]
    for homes in ([agreeing] if enough(newcomers) else []) + [before.homes]:
        behind = [unit for unit in among if unit.home in homes]
        told = protected_together(*counted(behind), attack) if enough(behind) else before.told
        if told == before.told or not gives_away(subtract(before.told, told)):
            return Telling(homes, told)
    return before


def gives_away(found: Reach) -> bool:
    """Whether somebody who knows these ends is sure of a few people, and of how many within less than five."""
    return any(low > 0.5 and high < LEAST and high - low < STEP for low, high in found.values())


@dataclass(frozen=True)
class Column:
    """One breakdown that stands alone: by value, None where withheld; `total` likewise."""

    cells: Mapping[str, int | None]
    total: int | None


def protected(counts: Mapping[str, int]) -> Column:
    """What may be told of true counts of people by value, where no other table shares their total."""
    withheld = {name for name, count in counts.items() if 0 < count < LEAST}
    total: int | None = rounded(sum(counts.values()))
    if len(withheld) == 1 or (withheld and sum(counts[name] for name in withheld) < LEAST):
        others = sorted((count, name) for name, count in counts.items() if count >= LEAST)
        if others:
            withheld.add(others[0][1])
        else:
            total = None
    if 0 < sum(counts.values()) < LEAST:
        total = None
    return Column({name: None if name in withheld else rounded(count) for name, count in counts.items()}, total)


def _beside(counts: Mapping[Key, int], withheld: set[Key], dimension: str, measure: str) -> set[Key]:
    """What must go beside the withheld values of one breakdown, so that subtracting does not give them."""
    inside = [key for key in counts if key[0] == dimension and key[2] == measure and dimension]
    hidden = [key for key in inside if key in withheld]
    if not hidden or (len(hidden) > 1 and sum(counts[key] for key in hidden) >= LEAST):
        return set()
    more = _next(counts, withheld, hidden[0])
    return {more} if more else set()


def _next(counts: Mapping[Key, int], withheld: set[Key], hit: Key) -> Key | None:
    """The smallest count that is still published of the same breakdown and measure, else the total that it adds up to."""
    others = sorted((counts[key], key) for key in counts if key[0] == hit[0] and key[2] == hit[2] and key not in withheld and counts[key])
    total = (ALL, ALL, hit[2])
    return others[0][1] if others else total if counts.get(total) and total not in withheld else None


def rounded(count: int) -> int:
    """To the nearest multiple of 5."""
    return STEP * round(count / STEP)


def offset_of(hours: float) -> str:
    """The band of an absolute difference of clocks. 13 hours ahead are 11 behind."""
    apart = abs(hours) % 24
    apart = min(apart, 24 - apart)
    return next(name for name, most in OFFSETS if apart <= most)


def enough(units: Sequence[Unit]) -> bool:
    """Whether so many institutions stand behind a table that none of them can be told from it."""
    return len({unit.home for unit in units}) >= INSTITUTIONS

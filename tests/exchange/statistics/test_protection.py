"""What is published about few people is tried by an attacker who knows every rule, and a linear program to think with."""

import random
from collections.abc import Mapping
from dataclasses import replace

import pytest

from vsm.exchange.statistics.attack import reach, subtract
from vsm.exchange.statistics.rules import (
    LEAST,
    STEP,
    Column,
    Key,
    Unit,
    counted,
    enough,
    gives_away,
    next_telling,
    offset_of,
    protected,
    protected_together,
)

SEED = 20261126
STARTED = "started"


def units(rng: random.Random) -> list[Unit]:
    """One year of an installation: categories and tiers with very many, with few and with nobody."""
    made = []
    for category, size in zip("abcd", (rng.choice([0, 3, rng.randint(10, 40), 300]) for _each in "abcd"), strict=True):
        for number in range(size):
            reached = {STARTED} | ({"completed"} if rng.random() < 0.7 else set())
            made.append(
                Unit(
                    person=f"{category}{number % max(1, size - rng.choice([0, 0, 2]))}", home=rng.choice("xyz"), year=2026,
                    facts={"category": category, "bandwidth": rng.choices(["text", "audio", "video"], [1, rng.choice([0, 30]), 60])[0]}, reached=frozenset(reached),
                )
            )  # fmt: skip
    return made


def attack(published: Column) -> dict[str, tuple[float, float]]:
    """The same attacker against one breakdown that stands alone."""
    public: dict[Key, int | None] = {("", "", STARTED): published.total} | {("category", name, STARTED): value for name, value in published.cells.items()}
    return {name: ends for (dimension, name, _measure), ends in reach(public).items() if dimension}


def column(**counts: int) -> dict[Key, int]:
    """A year with one breakdown and its total."""
    return {("category", name, STARTED): count for name, count in counts.items()} | {("", "", STARTED): sum(counts.values())}


def test_no_withheld_count_can_be_told_within_four_people() -> None:
    print("seed", SEED)
    rng, tried = random.Random(SEED), 0
    for _round in range(10):
        told = protected_together(*counted(units(rng)), reach)
        for key, (low, high) in reach(told).items():
            tried += 1
            assert high - low >= STEP, (told, key, low, high)
    assert tried > 10


def test_what_is_told_is_true_within_two_and_about_ten_people_or_more() -> None:
    rng = random.Random(SEED + 1)
    for _round in range(8):
        counts, people = counted(units(rng))
        for key, value in protected_together(counts, people, reach).items():
            assert value is None or (value == 0 == counts[key]) or (people[key] >= LEAST and abs(value - counts[key]) <= 2)


def test_without_complementary_suppression_the_attacker_wins() -> None:
    """The control: withholding small counts alone beside exact ones gives most of them away."""
    rng, won = random.Random(SEED), 0
    for _round in range(10):
        counts, people = counted(units(rng))
        naive = {key: None if 0 < people[key] < LEAST else count for key, count in counts.items()}
        won += any(high - low < STEP for low, high in reach(naive, slack=0).values())
    assert won > 5


def test_a_withheld_count_hides_in_every_breakdown_that_shares_the_total() -> None:
    """Bandwidth alone would be safe; its values add up to the same people as the categories do."""
    counts = {("category", "a", STARTED): 40, ("category", "b", STARTED): 4, ("bandwidth", "text", STARTED): 22, ("bandwidth", "video", STARTED): 22, ("", "", STARTED): 44}
    told = protected_together(counts, counts, reach)
    assert {key[1] for key, value in told.items() if value is None} >= {"a", "b"}
    assert all(high - low >= STEP for low, high in reach(told).values())


def test_two_counts_about_the_same_nine_people_are_no_ten_people() -> None:
    """Nine people who each began twice in two categories are eighteen units and nine people: withheld."""
    twice = [Unit(person=str(number % 9), home="x", year=2026, facts={"mode": "mixed"}) for number in range(18)]
    counts, people = counted(twice)
    assert (counts["mode", "mixed", STARTED], people["mode", "mixed", STARTED]) == (18, 9)
    assert set(protected_together(counts, people, reach).values()) == {None}


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        (column(a=27, b=0), {"a": 25, "b": 0, "": 25}),
        (column(a=27, b=3, c=40), {"a": None, "b": None, "c": 40, "": 70}),
        (column(a=3, b=0), {"a": None, "b": 0, "": None}),
        (column(a=2, b=3, c=90), {"a": None, "b": None, "c": None, "": 95}),
    ],
)
def test_small_counts_are_withheld_and_large_ones_rounded(counts: Mapping[Key, int], told: Mapping[str, int | None]) -> None:
    assert {key[1]: value for key, value in protected_together(counts, counts, reach).items()} == told


def test_a_breakdown_that_stands_alone_is_as_safe() -> None:
    rng = random.Random(SEED + 2)
    for _round in range(60):
        counts = {name: rng.choice([0, 0, rng.randint(1, 9), rng.randint(10, 60), rng.randint(60, 900)]) for name in "abcdef"}
        assert all(high - low >= STEP for low, high in attack(protected(counts)).values()), counts


def test_fewer_than_three_institutions_are_never_pooled() -> None:
    of = [Unit(person=str(number), home="xyz"[number % 3], year=2026) for number in range(30)]
    assert (enough(of), enough([each for each in of if each.home != "z"])) == (True, False)


@pytest.mark.parametrize(("hours", "band"), [(0, "0-1"), (-1, "0-1"), (2, "2-4"), (5.5, "5-7"), (8, "8-12"), (13, "8-12"), (-23, "0-1"), (5.75, "5-7"), (1.5, "0-1")])
def test_clocks_are_never_more_than_twelve_hours_apart(hours: float, band: str) -> None:
    assert offset_of(hours) == band


def people(*sizes: tuple[str, int], few: int = 3) -> list[Unit]:
    """So many people of each home, who began in 2026; the first few of each by text, every second has completed. Whose home
    somebody is shows in nothing else."""
    return [
        Unit(person=f"{number}", home=home, year=2026, facts={"bandwidth": "text" if at < few else "video"}, reached=frozenset({STARTED, "completed"} if number % 2 else {STARTED}))
        for number, (home, at) in enumerate((home, at) for home, size in sizes for at in range(size))
    ]  # fmt: skip


def with_homes(of: list[Unit], homes: str) -> list[Unit]:
    """The same people, with homes given out anew."""
    return [replace(unit, home=home) for unit, home in zip(of, homes, strict=True)]


def test_two_vintages_tell_nothing_of_an_institution_that_withdrew_in_between() -> None:
    """Whatever it counted: the second is made of the first alone. The control counts again, and the attacker has it within four."""
    everyone = people(("a", 20), ("b", 20), ("c", 20), ("d", 20))
    worlds = [everyone, with_homes(everyone, "a" * 25 + "b" * 30 + "c" * 20 + "d" * 5)]
    first, second, found = [], [], []
    for units_ in worlds:
        told = next_telling(None, units_, frozenset("abcd"), reach, subtract)
        assert told
        first.append(told)
        second.append(next_telling(told, units_, frozenset("abc"), reach, subtract))
        naive = protected_together(*counted(unit for unit in units_ if unit.home != "d"), reach)
        found.append(subtract(naive, told.told)["", "", STARTED])
    assert first[0] == first[1] == second[0] == second[1]
    assert [low <= size <= high <= low + 8 for size, (low, high) in zip((20, 5), found, strict=True)] == [True, True]


def test_newcomers_enter_a_year_that_was_told_three_at_a_time() -> None:
    everyone = people(*((home, 20) for home in "abcdef"))
    first = next_telling(None, everyone, frozenset("abc"), reach, subtract)
    assert first
    for agreeing, behind, count in (("abcd", "abc", 60), ("abcde", "abc", 60), ("abcdef", "abcdef", 120)):
        told = next_telling(first, everyone, frozenset(agreeing), reach, subtract)
        assert told
        assert (told.homes, told.told["", "", STARTED]) == (frozenset(behind), count)


def test_a_year_that_was_told_of_goes_on_growing_with_those_who_stand_behind_it() -> None:
    first = next_telling(None, people(("a", 20), ("b", 20), ("c", 20)), frozenset("abc"), reach, subtract)
    assert first
    grown = people(("a", 30), ("b", 30), ("c", 31))
    told = next_telling(first, grown, frozenset("abc"), reach, subtract)
    assert told
    assert (told.told["", "", STARTED], next_telling(told, [], frozenset("abc"), reach, subtract)) == (90, told)
    # Two institutions whose records are left would be two: what was told stays.
    assert next_telling(told, [unit for unit in grown if unit.home != "c"], frozenset("abc"), reach, subtract) == told


def test_what_came_between_two_vintages_is_never_told_within_four_people() -> None:
    """The control tells every new count, and gives somebody away."""
    rng, told_anew, won = random.Random(SEED), 0, 0
    for _round in range(9):
        here = units(rng)
        before = next_telling(None, here, frozenset("xyz"), reach, subtract)
        if not before:
            continue
        came = [replace(unit, person=f"new{number}") for number, unit in enumerate(rng.sample(here, min(len(here), rng.randint(1, 9))))]
        after = next_telling(before, [*here, *came], frozenset("xyz"), reach, subtract)
        assert after
        told_anew += after != before
        assert not gives_away(subtract(before.told, after.told)) or after == before
        won += gives_away(subtract(before.told, protected_together(*counted([*here, *came]), reach)))
    assert told_anew > 2
    assert won > 2

"""What is published about few people is tried by an attacker who knows every rule, and a linear program to think with."""

import random
from collections.abc import Mapping

import pytest

from vsm.exchange.statistics.attack import reach
from vsm.exchange.statistics.rules import (
    LEAST,
    STEP,
    Column,
    Key,
    Unit,
    counted,
    enough,
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

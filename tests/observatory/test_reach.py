"""Facts of virtual mobility from counts that are rounded and partly withheld: their bands hold what the counts may have been."""

import random
from typing import Any

import pytest

from vsm.exchange.statistics.rules import rounded, series_name
from vsm.observatory.estimates.lac import leaning
from vsm.observatory.estimates.reach import adjusted, reach, share_of

SEED = 20261126


def rows(**counts: float | None) -> list[dict[str, Any]]:
    """`started__mode__mixed=40` is the series vsm.started.mode.mixed of 2026."""
    return [{"series": series_name(*name.split("__")), "year": 2026, "value": value} for name, value in counts.items()] + [{"series": "vsm.institutions", "year": 2026, "value": 5.0}]


def test_the_band_of_a_share_holds_every_true_pair_behind_the_rounded_one() -> None:
    rng = random.Random(SEED)
    print("seed", SEED)
    for _each in range(2000):
        whole = rng.randint(10, 400)
        part = rng.randint(0, whole)
        if rounded(part) <= rounded(whole):
            middle, low, high = share_of(rounded(part), rounded(whole))
            assert 0 <= low <= part / whole <= high <= 1, (part, whole)
            assert low <= middle <= high


def test_ninety_five_in_a_hundred_samples_cover_the_rate_that_they_came_from() -> None:
    rng = random.Random(SEED)
    found = []
    for _each in range(400):
        part = sum(rng.random() < 0.6 for _person in range(60))
        _middle, low, high = share_of(rounded(part), 60.0)
        found.append(low <= 0.6 <= high)
    assert sum(found) / len(found) >= 0.95


def test_a_rate_is_told_only_where_both_counts_are() -> None:
    facts, _gates = reach(rows(started=100.0, completed=60.0, started__mode__mixed=40.0, completed__mode__mixed=None, started__mode__synchronous=None, completed__mode__synchronous=20.0))
    by_key = {fact.key: fact for fact in facts}
    assert {key for key in by_key if key.startswith("rate.")} == {"rate.completed.2026"}
    withheld = by_key["vsm.completed.mode.mixed.2026"]
    assert (withheld.value, withheld.low, withheld.high, withheld.note.partition(":")[0]) == (None, None, None, "withheld")
    assert (by_key["vsm.started.2026"].low, by_key["vsm.started.2026"].high) == (98.0, 102.0)


def test_zero_is_told_without_a_doubt() -> None:
    facts, _gates = reach(rows(started=0.0))
    assert [(fact.value, fact.low, fact.high) for fact in facts if fact.key == "vsm.started.2026"] == [(0.0, 0.0, 0.0)]


def test_parity_compares_a_group_with_the_others_and_its_band_is_no_narrower_than_either_rate() -> None:
    group = "group.rural"
    facts, _gates = reach(rows(**{f"{measure}__{group}__{value}": count for measure, value, count in (("applied", "yes", 100.0), ("applied", "no", 200.0), ("started", "yes", 30.0), ("started", "no", 120.0))}))
    [found] = [fact for fact in facts if fact.key.startswith("parity.")]
    assert (found.key, round(found.value or 0, 3)) == ("parity.started.rural.2026", 0.5)
    assert found.low is not None and found.high is not None and found.low < 0.5 < found.high < 1  # noqa: PT018 -- one claim
    assert not [fact for fact in reach(rows(**{f"applied__{group}__yes": 100.0}))[0] if fact.key.startswith("parity.")]


def test_few_institutions_or_few_told_counts_fail_their_gate() -> None:
    _facts, gates = reach([*rows(started=None, completed=None, recognised=10.0)[:-1], {"series": "vsm.institutions", "year": 2026, "value": 2.0}])
    assert [(gate.code, gate.passed, round(gate.figure, 2)) for gate in gates] == [("institutions", False, 2.0), ("told-share", False, 0.33)]


@pytest.mark.parametrize(("ratio", "index"), [(0.5, 0.5), (1.0, 1.0), (2.0, 1.5), (4.0, 1.75)])
def test_the_parity_index_is_symmetric(ratio: float, index: float) -> None:
    assert adjusted(ratio) == index
    assert adjusted(1 / ratio) == pytest.approx(2 - index)


def test_attendance_that_is_alike_leans_to_nobody_and_that_of_the_rich_alone_leans_wholly() -> None:
    assert (leaning([5.0, 5.0, 5.0, 5.0]), leaning([0.0, 0.0, 0.0, 4.0]), leaning([0.0] * 4)) == (0.0, 0.75, 0.0)
    # Peru 2022, four fifths: two times the covariance of rate and rank over the mean, by hand.
    rates = [48.5, 55.2, 75.2, 127.7]
    mean = sum(rates) / 4
    covariance = sum((rate - mean) * (place - 0.5) for rate, place in zip(rates, (0.125, 0.375, 0.625, 0.875), strict=True)) / 4
    assert leaning(rates) == pytest.approx(2 * covariance / mean)

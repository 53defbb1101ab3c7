"""The fair's proposal against brute force: stable exactly when something stable exists, and heaviest when nothing is."""

import random
from collections.abc import Iterator, Sequence
from itertools import combinations

import pytest

from vsm.exchange.collaborations.fair import blocking_pairs, draw, heaviest_pairs, orders_of, propose, stable_pairs

Pair = tuple[str, str]


def pairings(wishes: Sequence[str], possible: set[Pair]) -> Iterator[tuple[Pair, ...]]:
    """Every way to pair some of them."""
    if not wishes:
        yield ()
        return
    first, rest = wishes[0], wishes[1:]
    yield from pairings(rest, possible)
    for other in rest:
        if (first, other) in possible:
            yield from (((first, other), *more) for more in pairings([each for each in rest if each != other], possible))


def a_fair(rng: random.Random, count: int) -> tuple[dict[str, list[str]], dict[Pair, int]]:
    wishes = [chr(97 + number) for number in range(count)]
    scores = {pair: rng.choice([0, 20, 40, 60, 80]) for pair in combinations(wishes, 2)}
    ranked = {wish: rng.sample([other for other in wishes if other != wish], rng.randrange(count)) for wish in wishes}
    return ranked, scores


@pytest.mark.parametrize("seed", range(60))
def test_it_is_stable_whenever_something_stable_exists(seed: int) -> None:
    ranked, scores = a_fair(random.Random(seed), 2 + seed % 6)
    orders = orders_of(ranked, scores, "s")
    possible = {pair for pair, score in scores.items() if score}
    stable = {tuple(sorted(pairs)) for pairs in pairings(sorted(ranked), possible) if not list(blocking_pairs(orders, pairs))}
    found = stable_pairs(orders)
    assert (found in stable) if stable else (found is None)


def test_the_oracle_has_seen_both_kinds_of_fair() -> None:
    kinds = {stable_pairs(orders_of(*a_fair(random.Random(seed), 2 + seed % 6), "s")) is None for seed in range(60)}  # type: ignore[arg-type]
    assert kinds == {True, False}


def test_three_who_love_in_a_circle_have_no_stable_pairing_and_the_heaviest_is_proposed() -> None:
    ranked = {"a": ["b", "c"], "b": ["c", "a"], "c": ["a", "b"]}
    scores = {("a", "b"): 50, ("b", "c"): 60, ("a", "c"): 55}
    found = propose(ranked, scores, "s")
    assert (found.is_stable, found.pairs, found.alone, found.blocking) == (False, (("b", "c"),), ("a",), (("a", "c"),))


@pytest.mark.parametrize("seed", range(12))
def test_the_heaviest_pairing_weighs_what_brute_force_finds(seed: int) -> None:
    ranked, scores = a_fair(random.Random(seed), 6)
    orders = orders_of(ranked, scores, "s")
    best = max(sum(scores[pair] for pair in pairs) for pairs in pairings(sorted(ranked), {pair for pair, score in scores.items() if score}))
    assert sum(scores[pair] for pair in heaviest_pairs(orders, scores)) == best


def test_nobody_is_paired_with_whom_they_cannot_be() -> None:
    found = propose({"a": ["b"], "b": ["a"]}, {("a", "b"): 0}, "s")
    assert (found.pairs, found.alone, found.is_stable) == ((), ("a", "b"), True)


def test_a_rank_goes_before_a_score_and_equal_scores_go_by_the_seed() -> None:
    scores = {("a", "b"): 90, ("a", "c"): 50, ("a", "d"): 50}
    orders = orders_of({"a": ["c"], "b": [], "c": [], "d": []}, scores, "s")
    assert orders["a"] == ("c", "b", "d")
    first, second = sorted(("c", "d"), key=lambda other: draw("t", "a", other))
    assert orders_of({"a": [], "b": [], "c": [], "d": []}, scores, "t")["a"] == ("b", first, second)


def test_places_tell_how_high_each_stood_on_the_others_list() -> None:
    found = propose({"a": ["b"], "b": ["c"], "c": []}, {("a", "b"): 50, ("b", "c"): 60}, "s")
    assert (found.pairs, found.place_of("b"), found.place_of("a")) == ((("b", "c"),), 1, None)

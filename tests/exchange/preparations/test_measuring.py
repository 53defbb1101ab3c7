"""Scores and change: what is told of one person, what of a group, and what is not told."""

import math
import random

import pytest
from django.utils import translation

from vsm.exchange.preparations.measuring import (
    Change,
    change_of,
    cronbach,
    group_change,
    level_of,
    scores,
    t_quantile,
    told,
    told_of_one,
    unanswered,
)
from vsm.kit.localized import LANGUAGES
from vsm.kit.saying import say_reason, shown
from vsm.rulebook.instruments import CAN_DO, instrument, instruments

LANGUAGE, CONFIDENCE = instrument("language"), instrument("confidence")


def can_do(**levels: int) -> dict[str, str]:
    """Answers with yes up to a level on each scale, by its place."""
    return {
        f"{scale.slug}.{item.slug}": "yes" if place < levels.get(scale.slug.replace("-", "_"), 0) else "no"
        for scale in LANGUAGE.scales
        for place, item in enumerate(scale.items)
    }


def test_every_instrument_is_documented_in_every_language_and_says_whether_it_is_validated() -> None:
    for each in instruments():
        assert [bool(each.limits[code] and each.about[code] and each.name[code]) for code in LANGUAGES] == [True] * 4
        assert each.validated is False
        assert each.reference.title
        assert all(item.text[code] for _key, item in each.items for code in LANGUAGES)


def test_a_level_is_reached_when_it_and_all_below_it_are_answered_with_yes() -> None:
    answers = can_do(understanding=3, talking=0, reading_writing=5)
    answers["talking.B2"] = "yes"
    assert scores(LANGUAGE, answers) == {"understanding": 3.0, "talking": 0.0, "reading-writing": 5.0}
    assert [level_of(LANGUAGE.scales[0], each) for each in (0, 1, 3, 5)] == ["", "A1", "B1", "C1"]


def test_an_agreement_scale_is_the_mean_of_its_answers() -> None:
    assert scores(CONFIDENCE, dict(zip((key for key, _item in CONFIDENCE.items), ("1", "2", "3", "4", "5"), strict=True))) == {"all": 3.0}


def test_every_statement_without_a_usable_answer_is_named() -> None:
    answers = {key: "3" for key, _item in CONFIDENCE.items}
    assert list(unanswered(CONFIDENCE, answers)) == []
    answers |= {"all.c1": "", "all.c2": "6", "all.x": "1"}
    assert [reason.code for reason in unanswered(CONFIDENCE, answers)] == ["unanswered", "answer-unknown", "item-unknown"]


@pytest.mark.parametrize(("share", "freedom", "value"), [(0.975, 1, 12.7062), (0.975, 2, 4.3027), (0.975, 9, 2.2622), (0.975, 10, 2.2281), (0.975, 29, 2.0452), (0.95, 5, 2.0150), (0.5, 7, 0.0), (0.025, 9, -2.2622)])
def test_the_quantiles_of_t_are_those_of_the_printed_tables(share: float, freedom: int, value: float) -> None:
    assert t_quantile(share, freedom) == pytest.approx(value, abs=5e-5)


def test_the_interval_of_a_group_is_the_paired_one_of_the_textbook() -> None:
    pairs = [(2.0, 2.5), (3.0, 3.0), (2.5, 3.5), (1.0, 2.5), (4.0, 4.0), (3.5, 3.0), (2.0, 3.0), (2.0, 2.5)]
    found = group_change("all", pairs, smallest=8)
    assert found
    differences = [0.5, 0.0, 1.0, 1.5, 0.0, -0.5, 1.0, 0.5]
    spread = math.sqrt(sum((each - 0.5) ** 2 for each in differences) / 7)
    half = 2.364624 * spread / math.sqrt(8)
    assert (found.mean, found.people, found.up, found.same, found.down) == (0.5, 8, 5, 2, 1)
    assert (found.low, found.high) == pytest.approx((0.5 - half, 0.5 + half), abs=1e-6)


def test_a_group_that_is_too_small_is_not_shown_at_all() -> None:
    pairs = [(1.0, 5.0)] * 7
    assert group_change("all", pairs, smallest=8) is None
    assert group_change("all", pairs[:1], smallest=1) is None


def test_nothing_is_claimed_where_the_interval_covers_zero() -> None:
    unclear = group_change("all", [(3.0, 3.0 + (-1) ** each * 0.5) for each in range(10)], smallest=8)
    clear = group_change("all", [(2.0, 3.0 + each / 100) for each in range(10)], smallest=8)
    assert unclear
    assert clear
    assert (unclear.covers_zero, told(unclear).code, clear.covers_zero, told(clear).code) == (True, "change-unclear", False, "change")
    for sentence in (told(unclear).text, told(clear).text):
        assert "significan" not in sentence.lower()
        assert "effect" not in sentence.lower()


def test_about_one_person_the_bare_change_is_told_with_what_is_not_known() -> None:
    change = change_of({"all": 2.5, "old": 1.0}, {"all": 3.5})
    assert change == [Change("all", 2.5, 3.5)]
    assert (told_of_one(change[0], CONFIDENCE).code, told_of_one(Change("all", 3.0, 3.0), CONFIDENCE).code) == ("raw-change", "same")
    with translation.override("es"):
        assert say_reason(told_of_one(Change("all", 2.6, 3.4), CONFIDENCE)).startswith("2,6 ")
    assert told_of_one(Change("understanding", 0.0, 2.0), LANGUAGE).params == {"before": "below A1", "after": "A2"}


def test_cronbachs_alpha_is_one_for_items_that_agree_and_none_without_variance() -> None:
    assert cronbach([[float(each)] * 4 for each in range(1, 6)]) == pytest.approx(1.0)
    assert cronbach([[3.0, 3.0]] * 5) is None
    assert cronbach([[1.0], [2.0]]) is None


def test_an_interval_of_95_percent_covers_the_truth_about_that_often() -> None:
    rng = random.Random(20271)
    covered = 0
    for _trial in range(600):
        pairs = [(before := rng.gauss(3, 1), before + rng.gauss(0.4, 0.8)) for _person in range(12)]
        found = group_change("all", pairs, smallest=8)
        assert found
        covered += found.low <= 0.4 <= found.high
    assert 0.92 <= covered / 600 <= 0.98, f"seed 20271: {covered / 600}"


def test_levels_and_means_are_the_only_kinds_of_scale() -> None:
    assert {each.slug: each.kind == CAN_DO for each in instruments()} == {"language": True, "intercultural": False, "confidence": False}


def test_a_change_is_written_as_the_readers_language_writes_numbers_and_a_day_stays_a_day() -> None:
    with translation.override("es"):
        assert [shown(each) for each in ("-0.18", "+0.50", "2026-08-01", "17")] == ["−0,18", "+0,50", "2026-08-01", "17"]

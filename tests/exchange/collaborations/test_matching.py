"""How two wishes are compared: every part by hand-computed cases, clock changes among them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from vsm.exchange.collaborations.matching import WEIGHTS, Window, Wish, common_weeks, compare

SPRING = {"starts_on": date(2027, 3, 1), "ends_on": date(2027, 4, 30)}


def wish(key: str, **facts: Any) -> Wish:
    return Wish(
        **{
            "key": key, "organisation": key, "field": "0521", "languages": {"en": "B2"}, "weeks": 6, "class_size": 20, "hours": 30, "zone": "America/Bogota",
            "windows": (Window(1, time(7), time(12)),), **SPRING, **facts,
        }
    )  # fmt: skip


def lyon(**facts: Any) -> Wish:
    return wish("lyon", **{"zone": "Europe/Paris", "windows": (Window(1, time(13), time(18)),), **facts})


def value(slug: str, one: Wish, other: Wish) -> float:
    return next(part.value for part in compare(one, other).parts if part.slug == slug)


def test_the_weights_add_up_to_one_and_a_perfect_pair_scores_near_a_hundred() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1)
    assert compare(wish("a", languages={"en": "C1"}), lyon(languages={"en": "native"})).score == 100


def test_common_weeks_are_whole_ones_without_both_sides_holidays() -> None:
    one = wish("a", starts_on=date(2027, 3, 3), ends_on=date(2027, 4, 8), weeks_off=frozenset([date(2027, 3, 22)]))
    # 1 March has begun when the class starts on Wednesday; the week of 5 April ends after the class does.
    assert common_weeks(one, lyon()) == (date(2027, 3, 8), date(2027, 3, 15), date(2027, 3, 29))


def test_too_few_common_weeks_count_in_proportion_to_the_shorter_wish() -> None:
    assert value("weeks", wish("a", ends_on=date(2027, 3, 21)), lyon(weeks=9)) == 0.5


def test_the_common_hour_is_followed_over_the_change_of_clocks() -> None:
    # Bogotá 07–12 is 12–17 UTC all year. Lyon 13–18 is 12–17 UTC until 28 March and 11–16 UTC after it: 07–12 becomes 07–11.
    match = compare(wish("a"), lyon())
    assert match.overlaps[0].starts == datetime(2027, 3, 2, 12, tzinfo=UTC)
    assert match.overlaps[0].ends == datetime(2027, 3, 2, 17, tzinfo=UTC)
    assert match.overlaps[0].least_minutes == 240


def test_an_hour_that_the_change_of_clocks_takes_away_counts_nothing() -> None:
    # 12–13 UTC until 28 March; afterwards Lyon’s hour is 11–12 UTC, which is 06–07 in Bogotá, before its window.
    match = compare(wish("a", windows=(Window(1, time(7), time(8)),)), lyon(windows=(Window(1, time(13), time(14)),)))
    assert match.overlaps[0].least_minutes == 0
    assert value("hours", wish("a", windows=(Window(1, time(7), time(8)),)), lyon(windows=(Window(1, time(13), time(14)),))) == 0


def test_nobody_is_asked_to_meet_before_six_or_after_eleven_at_night() -> None:
    manila = wish("manila", zone="Asia/Manila", windows=(Window(1, time(0), time(23, 59)),))
    match = compare(wish("a", windows=(Window(1, time(6), time(22)),)), manila)
    for overlap in match.overlaps:
        for zone in ("America/Bogota", "Asia/Manila"):
            starts, ends = overlap.starts.astimezone(ZoneInfo(zone)), overlap.ends.astimezone(ZoneInfo(zone))
            assert (starts.time() >= time(6), ends.time() <= time(23), ends - starts <= timedelta(hours=17)) == (True, True, True)


def test_an_evening_here_meets_the_next_morning_there() -> None:
    manila = wish("manila", zone="Asia/Manila", windows=(Window(2, time(7), time(10)),))
    match = compare(wish("a", windows=(Window(1, time(17), time(21)),)), manila)
    assert match.overlaps[0].starts.astimezone(ZoneInfo("Asia/Manila")) == datetime(2027, 3, 3, 7, tzinfo=ZoneInfo("Asia/Manila"))


def test_a_class_that_works_in_its_own_time_is_neither_praised_nor_punished() -> None:
    assert value("hours", wish("a", windows=()), lyon()) == 0.5


def test_the_weaker_class_decides_how_far_a_language_carries() -> None:
    assert value("language", wish("a", languages={"en": "C1", "es": "native"}), lyon(languages={"en": "A2", "fr": "native"})) == 0.3
    assert value("language", wish("a", languages={"es": "native"}), lyon(languages={"fr": "native"})) == 0


@pytest.mark.parametrize(("field", "expected"), [("0521", 1.0), ("0522", 0.8), ("0511", 0.5), ("0111", 0.2)])
def test_fields_are_nearer_the_longer_their_codes_agree(field: str, expected: float) -> None:
    assert value("field", wish("a"), lyon(field=field)) == expected


def test_a_narrow_code_counts_as_the_narrow_field() -> None:
    assert value("field", wish("a", field="052"), lyon(field="0521")) == 0.8


def test_classes_of_like_size_fit_best() -> None:
    assert value("size", wish("a", class_size=10), lyon(class_size=40)) == 0.25


def test_what_is_impossible_scores_nothing_and_says_why() -> None:
    apart = compare(wish("a"), lyon(starts_on=date(2027, 9, 1), ends_on=date(2027, 12, 1)))
    assert (apart.score, [reason.code for reason in apart.obstacles]) == (0, ["no-weeks"])
    assert [reason.code for reason in compare(wish("a"), wish("b", organisation="a")).obstacles] == ["same-institution"]


def test_the_score_is_the_same_from_both_sides() -> None:
    one, other = wish("a", class_size=12, weeks=9, languages={"en": "B1", "fr": "A2"}), lyon(field="0312", languages={"en": "C1", "fr": "native"})
    assert compare(one, other).score == compare(other, one).score

"""Which courses can be certified, and how a place on a status list is found."""

from decimal import Decimal

import pytest

from vsm.exchange.credentials.rules import Standing, certifiable, free_index, passed
from vsm.exchange.recognition.transcript import Content


def content(*lines: tuple[str, str, str]) -> Content:
    """Lines of (result, outcome, grade)."""
    return {  # type: ignore[typeddict-item] -- only what the rules read
        "components": [
            {"result_id": result, "outcome": outcome, "grade": grade, "credits_earned": "6", "title": {"en": result}}
            for result, outcome, grade in lines
        ]
    }


def standing(**changes: object) -> Standing:
    facts = {"grade": "6.2", "credits": Decimal("6.00"), "passed": True, "is_final": True, **changes}
    return Standing(**facts)  # type: ignore[arg-type] -- a test's keyword arguments


GOOD = content(("statistics", "passed", "6.2"))


def test_a_passed_course_whose_result_stands_can_be_certified() -> None:
    assert certifiable(GOOD, {"statistics": standing()}, is_intact=True).ok


@pytest.mark.parametrize(
    ("results", "codes"),
    [
        ({}, ["no-result"]),
        ({"statistics": standing(is_final=False)}, ["result-not-final"]),
        ({"statistics": standing(grade="7.0")}, ["result-differs"]),
        ({"statistics": standing(credits=Decimal(5))}, ["result-differs"]),
        ({"statistics": standing(passed=False, is_final=False)}, ["result-not-final", "result-differs"]),
    ],
)
def test_a_result_that_says_something_else_stands_in_the_way(results: dict[str, Standing], codes: list[str]) -> None:
    assert certifiable(GOOD, results, is_intact=True).codes == codes


def test_every_obstacle_is_told_at_once() -> None:
    held = content(("a", "passed", "6.2"), ("b", "passed", "6.2"))
    verdict = certifiable(held, {"b": standing(is_final=False)}, is_intact=False, outdated_on="2027-07-20")
    assert verdict.codes == ["transcript-altered", "transcript-outdated", "no-result", "result-not-final"]


def test_failed_and_withdrawn_courses_are_not_certified() -> None:
    held = content(("failed", "failed", "3.1"), ("withdrawn", "withdrawn", ""))
    assert (passed(held), certifiable(held, {}, is_intact=True).codes) == ([], ["nothing-passed"])


def test_a_taken_place_is_drawn_again() -> None:
    drawn = iter([5, 5, 9, 7])
    assert free_index(16, {5, 9}.__contains__, lambda _entries: next(drawn)) == 7

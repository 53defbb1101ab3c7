"""Counting within a stretch of time, for limits."""

import pytest
from django.core.cache import cache

from vsm.kit import tally


@pytest.fixture(autouse=True)
def _empty() -> None:
    cache.clear()


def test_each_stretch_of_time_counts_anew() -> None:
    assert [tally.count("knocks", moment, 60) for moment in (0, 59.9, 60, 61)] == [1, 2, 1, 2]
    assert tally.count("calls", 0, 60) == 1


def test_what_is_taken_back_takes_nothing_of_what_others_counted_meanwhile() -> None:
    for expected in (1, 2, 3):
        assert tally.count("knocks", 0, 60) == expected
    tally.take_back("knocks", 0, 60)  # the first of the three
    assert tally.count("knocks", 0, 60) == 3


def test_what_was_thrown_out_needs_no_taking_back() -> None:
    tally.take_back("knocks", 0, 60)
    assert tally.count("knocks", 0, 60) == 1

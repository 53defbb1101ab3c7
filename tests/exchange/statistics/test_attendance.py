"""Attendance is told by country of many, never of few, and a country that only few came from is not even named."""

import random

import pytest

from tests.exchange.statistics.test_protection import attack
from vsm.exchange.statistics.attendance import OTHER, country_of, told
from vsm.exchange.statistics.rules import LEAST

SEED = 20261127


def test_the_country_follows_from_the_time_zone() -> None:
    assert [country_of(zone) for zone in ("America/Lima", "Europe/Paris", "UTC", "Etc/GMT+5", "Mars/Base")] == ["PE", "FR", OTHER, OTHER, OTHER]


@pytest.mark.parametrize(
    ("registered", "attended", "cells", "came"),
    [
        ({"PE": 40, "BR": 23, "FR": 3}, {"PE": 31, "BR": 17, "FR": 2}, {"BR": None, "PE": 40, OTHER: None}, {"BR": None, "PE": 30, OTHER: None}),
        ({"PE": 40, "BR": 23}, {"PE": 31, "BR": 8}, {"BR": 25, "PE": 40, OTHER: 0}, {"BR": None, "PE": None, OTHER: 0}),
        ({"FR": 3}, {"FR": 1}, {OTHER: None}, {OTHER: None}),
    ],
)  # fmt: skip
def test_few_are_withheld_with_what_would_give_them_away(registered: dict[str, int], attended: dict[str, int], cells: dict[str, int | None], came: dict[str, int | None]) -> None:
    first, second = told(registered, attended)
    assert (first.cells, second.cells) == (cells, came)


def test_no_withheld_count_can_be_told_within_four_people() -> None:
    print("seed", SEED)
    rng = random.Random(SEED)
    for _table in range(15):
        registered = {country: rng.choice([rng.randint(1, 9), rng.randint(10, 60), rng.randint(60, 900)]) for country in ("PE", "BR", "FR", "MX", "AR")}
        for column in told(registered, {country: rng.randint(0, count) for country, count in registered.items()}):
            assert all(high - low >= 4 for low, high in attack(column).values())
        assert all(registered[country] >= LEAST for country in told(registered, registered)[0].cells if country != OTHER)

"""Days as each language writes them in a row of a list."""

from datetime import date

import pytest
from django.utils import translation

from vsm.exchange.catalogue import labels
from vsm.kit.saying import day_text

TUESDAY = date(2027, 12, 14)


@pytest.mark.parametrize(
    ("language", "day", "weekday", "period"),
    [
        ("en", "14 Dec 2027", "Tue 14 Dec 2027", "3 Aug – 14 Dec 2027"),
        ("es", "14 dic 2027", "mar 14 dic 2027", "3 ago – 14 dic 2027"),
        ("pt-br", "14 dez 2027", "ter 14 dez 2027", "3 ago – 14 dez 2027"),
        ("fr", "14 déc. 2027", "mar 14 déc. 2027", "3 août – 14 déc. 2027"),
    ],
)
def test_only_english_writes_months_and_weekdays_with_capitals(language: str, day: str, weekday: str, period: str) -> None:
    with translation.override(language):
        assert day_text(TUESDAY) == day
        assert day_text(TUESDAY, year=False) == day.removesuffix(" 2027")
        assert labels.weekday_text(TUESDAY) == weekday
        assert labels.dates_text(date(2027, 8, 3), TUESDAY) == period

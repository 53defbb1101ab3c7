"""Weekly meetings on the reader's clock, with what daylight saving time does to them."""

from datetime import date, time

import pytest
from django.utils import timezone, translation

from vsm.exchange.catalogue.reader_week import Shift, Slot, Wall, shifts, slots
from vsm.exchange.catalogue.search_page import times_text, times_warning

TUESDAY: Wall = (1, time(18), time(19, 30))
THURSDAY: Wall = (3, time(18), time(19, 30))


def told(*walls: Wall, host: str, reader: str, first: date = date(2027, 3, 1)) -> tuple[str, str]:
    with translation.override("en"), timezone.override(reader):
        found = slots(walls, host, reader, first)
        return times_text(found), times_warning(found)


def test_meetings_at_the_same_hour_are_told_together_with_the_zone() -> None:
    assert told(THURSDAY, TUESDAY, host="America/Santiago", reader="America/Lima") == (
        "Tue, Thu 16:00–17:30 for you (America/Lima)",
        "",
    )


@pytest.mark.parametrize(
    ("host", "reader", "text", "warning"),
    [
        ("America/Lima", "Europe/Madrid", "Wed 00:00–01:30 for you (Europe/Madrid), a day later than at the host", "Before 06:00 where you are"),
        ("America/Lima", "America/Sao_Paulo", "Tue 20:00–21:30 for you (America/Sao_Paulo)", ""),
        ("Europe/Madrid", "Pacific/Honolulu", "Tue 07:00–08:30 for you (Pacific/Honolulu)", ""),
        ("Asia/Tokyo", "America/Lima", "Tue 04:00–05:30 for you (America/Lima)", "Before 06:00 where you are"),
        ("Pacific/Auckland", "America/Lima", "Tue 00:00–01:30 for you (America/Lima)", "Before 06:00 where you are"),
        ("Pacific/Auckland", "Pacific/Honolulu", "Mon 19:00–20:30 for you (Pacific/Honolulu), a day earlier than at the host", ""),
        ("America/Lima", "Atlantic/Reykjavik", "Tue 23:00–00:30 for you (Atlantic/Reykjavik)", "After 23:00 where you are"),
    ],
)  # fmt: skip
def test_another_day_and_the_night_are_said_in_words(host: str, reader: str, text: str, warning: str) -> None:
    assert told(TUESDAY, host=host, reader=reader) == (text, warning)


def test_a_sunday_evening_may_be_a_monday_for_the_reader() -> None:
    sunday = (6, time(22), time(23))
    assert slots((sunday,), "America/Lima", "Europe/Paris", date(2027, 3, 1)) == (Slot(sunday, 0, time(4), time(5), 1),)


def test_without_meetings_there_is_nothing_to_tell() -> None:
    assert told(host="America/Lima", reader="Europe/Paris") == ("", "")


def test_the_reader_hears_when_one_of_the_two_clocks_changes() -> None:
    found = shifts((TUESDAY,), "America/Santiago", "Europe/Madrid", date(2027, 3, 1), date(2027, 7, 1))
    # Madrid goes to summer time on 28 March 2027, Santiago leaves it on 4 April.
    assert found == (Shift(date(2027, 3, 30), 60), Shift(date(2027, 4, 7), 60))


def test_two_clocks_that_change_on_the_same_day_change_nothing_for_the_reader() -> None:
    assert shifts((TUESDAY, THURSDAY), "Europe/Madrid", "Europe/Paris", date(2027, 3, 1), date(2027, 7, 1)) == ()
    assert shifts((TUESDAY,), "America/Lima", "America/Bogota", date(2027, 1, 1), date(2027, 12, 31)) == ()

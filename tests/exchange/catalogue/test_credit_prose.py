"""Credit prose: every known form exactly, everything else refused."""

import csv
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.beside import SECTIONS, needs
from vsm.exchange.catalogue.credit_prose import CreditRange, credits_between, credits_in
from vsm.kit.verdict import Reason


def _range(low, high, *values, by=()):
    return CreditRange(
        Decimal(low),
        Decimal(high),
        tuple(map(Decimal, values)),
        tuple((who, Decimal(a), Decimal(b)) for who, a, b in by),
    )


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ("3 hours.", _range("3", "3")),
        ("3 hours", _range("3", "3")),
        ("1 hours.", _range("1", "1")),
        ("0 hours.", _range("0", "0")),
        ("1.5 hours", _range("1.5", "1.5")),
        ("1 TO 4 hours.", _range("1", "4")),
        ("0 TO 16 hours.", _range("0", "16")),
        ("3 OR 4 hours.", _range("3", "4", "3", "4")),
        ("0 OR 3 hours.", _range("0", "3", "0", "3")),
        ("2, 3 OR 4 credit hours.", _range("2", "4", "2", "3", "4")),
        (
            "2 undergraduate hours. 3 graduate hours.",
            _range("2", "3", "2", "3", by=[("undergraduate", "2", "2"), ("graduate", "3", "3")]),
        ),
        (
            "3 undergraduate hours. 3 or 4 graduate hours.",
            _range("3", "4", "3", "4", by=[("undergraduate", "3", "3"), ("graduate", "3", "4")]),
        ),
        (
            "3 undergraduate hours. No graduate credit.",
            _range("3", "3", by=[("undergraduate", "3", "3"), ("graduate", "0", "0")]),
        ),
        ("0 to 6 professional hours.", _range("0", "6", by=[("professional", "0", "6")])),
    ],
)
def test_a_known_form_is_read_exactly(prose, expected):
    assert credits_in(prose) == expected


@pytest.mark.parametrize(
    ("prose", "code"),
    [
        ("", "credit-missing"),
        ("   ", "credit-missing"),
        ("three hours.", "credit-unreadable"),
        ("VARIABLE", "credit-unreadable"),
        ("3", "credit-unreadable"),
        ("3 hours or more", "credit-unreadable"),
        ("1,5 hours.", "credit-unreadable"),
        ("-3 hours.", "credit-unreadable"),
        ("3 hours. 4 hours.", "credit-unreadable"),
        ("3 graduate hours. 4 graduate hours.", "credit-unreadable"),
        ("3 hours. See the department.", "credit-unreadable"),
        ("1 TO 4 TO 6 hours.", "credit-unreadable"),
        ("٣ hours.", "credit-unreadable"),
        ("4 TO 1 hours.", "credit-order"),
        ("4 OR 3 hours.", "credit-order"),
        ("300 hours.", "credit-implausible"),
    ],
)
def test_an_unknown_form_is_refused_with_its_reason(prose, code):
    refusal = credits_in(prose)
    assert isinstance(refusal, Reason)
    assert refusal.code == code


@pytest.mark.parametrize("prose", [".", "...", " . . "])
def test_full_stops_alone_are_no_credit(prose):
    found = credits_in(prose)
    assert isinstance(found, Reason)
    assert found.code == "credit-unreadable"


@given(st.text(max_size=60))
def test_no_text_raises_and_no_credit_is_invented(prose):
    found = credits_in(prose)
    if isinstance(found, CreditRange):
        assert any(char.isdigit() for char in prose) or "no " in prose.casefold()
        assert 0 <= found.low <= found.high


def test_two_plain_cells_make_a_range():
    assert credits_between("3", "") == _range("3", "3")
    assert credits_between("1.5", "4") == _range("1.5", "4")
    assert isinstance(credits_between("", ""), Reason)
    assert isinstance(credits_between("4", "1"), Reason)


@needs(SECTIONS)
def test_every_form_in_a_real_catalogue_is_read():
    with SECTIONS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    forms = {row["Credit Hours"] for row in rows} | {row["Section Credit Hours"] for row in rows} - {""}
    assert len(forms) == 65
    assert [form for form in forms if isinstance(credits_in(form), Reason)] == []

"""What an agreement covers, what makes it unusable, and that its text has one way to be written."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsm.exchange.agreements.rules import (
    Balance,
    Seats,
    Terms,
    canonical,
    cefr_asked,
    digest,
    gaps,
    problems,
    proposal_problems,
)

GOOD = {
    "parties": ("a", "b"), "starts_on": date(2027, 1, 1), "ends_on": date(2027, 12, 31), "levels": ["master"], "isced_f": ["06", "0421"],
    "language": "pt-br", "minimum_cefr": "B2", "promises": [Seats("a", "", 4), Seats("b", "2027-1", 0)],
}


def test_a_field_covers_everything_below_it_and_nothing_beside_it() -> None:
    terms = Terms("course", isced_f=("06", "042"))
    covered = {field: not gaps(terms, category="course", level="bachelor", isced_f=field) for field in ("06", "0613", "0421", "0411", "0731", "")}
    assert covered == {"06": True, "0613": True, "0421": True, "0411": False, "0731": False, "": False}


def test_a_broader_course_is_not_covered_by_a_narrower_field() -> None:
    assert gaps(Terms("course", isced_f=("0613",)), category="course", level="bachelor", isced_f="06") == ["field"]


def test_no_fields_and_no_levels_mean_all() -> None:
    assert gaps(Terms("course"), category="course", level="doctorate", isced_f="") == []


def test_every_gap_is_named_at_once() -> None:
    terms = Terms("placement", levels=("master",), isced_f=("09",))
    assert gaps(terms, category="course", level="bachelor", isced_f="0613") == ["category", "field", "level"]


def test_the_level_of_a_language_is_asked_only_of_courses_in_that_language() -> None:
    in_english, in_any, in_none = Terms("course", language="en", minimum_cefr="B2"), Terms("course", minimum_cefr="B1"), Terms("course")
    assert [cefr_asked(terms, "en") for terms in (in_english, in_any, in_none)] == ["B2", "B1", ""]
    assert [cefr_asked(terms, "fr") for terms in (in_english, in_any, in_none)] == ["", "B1", ""]


def test_good_facts_have_no_problem() -> None:
    assert list(problems(**GOOD)) == []


def test_every_problem_is_named_at_once_with_its_field() -> None:
    wrong = {
        "parties": ("a", "a"), "ends_on": date(2027, 1, 1), "levels": ["kindergarten"], "isced_f": ["11", "061", "six"], "language": "xx", "minimum_cefr": "Z9",
        "promises": [Seats("c", "", 1), Seats("a", "", -1), Seats("a", "", 2)],
    }
    assert [(reason.code, reason.field) for reason in problems(**{**GOOD, **wrong})] == [
        ("one-party", "partner"), ("dates", "ends_on"), ("level-unknown", "levels"), ("field-unknown", "isced_f"), ("field-unknown", "isced_f"),
        ("language-unknown", "language"), ("cefr", "minimum_cefr"), ("host-foreign", "promises"), ("seats", "promises"), ("promise-twice", "promises"),
    ]


def test_a_proposal_needs_a_seat_and_a_future() -> None:
    empty = list(proposal_problems(ends_on=date(2026, 1, 1), promises=[Seats("a", "", 0)], today=date(2026, 1, 2)))
    assert [reason.code for reason in empty] == ["no-seats", "past"]
    assert list(proposal_problems(ends_on=date(2026, 1, 2), promises=[Seats("a", "", 1)], today=date(2026, 1, 2))) == []


@given(st.dictionaries(st.text(max_size=8), st.one_of(st.text(max_size=8), st.integers(-9999, 9999), st.lists(st.text(max_size=4), max_size=3))))
def test_the_order_in_which_facts_are_written_does_not_change_the_fingerprint(text: dict[str, object]) -> None:
    assert digest(dict(reversed(list(text.items())))) == digest(text)


def test_the_canonical_text_is_known_byte_by_byte() -> None:
    assert canonical({"b": 2, "a": "ñ"}) == '{"a":"ñ","b":2}'.encode()
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@pytest.mark.parametrize(("first", "second", "owed"), [(3, 1, 2), (1, 3, -2), (2, 2, 0)])
def test_the_balance_tells_who_owes_whom(first: int, second: int, owed: int) -> None:
    assert Balance(first, second).owed == owed

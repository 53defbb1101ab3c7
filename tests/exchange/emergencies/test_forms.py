"""In which form a course goes on: ranked once, chosen by each student's clock and the seats; credit out of reach of all of it."""

from dataclasses import fields, replace
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsm.exchange.emergencies.forms import (
    Alternative,
    can_join,
    carries_enough,
    from_json,
    is_kind_to,
    proposed,
    ranked,
    readiness,
)
from vsm.exchange.emergencies.forms import as_json as form_json
from vsm.exchange.learning_agreements.online import Form, promises, returned, switched
from vsm.exchange.learning_agreements.rules import Component, Content

LIVE = Alternative(key="a", kind="online", code="EST101", title={"es": "Estadística"}, language="es", mode="synchronous", bandwidth="video", starts_on="2026-08-10", ends_on="2026-12-01", offering="a")
LATER = replace(LIVE, key="b", kind="asynchronous", mode="asynchronous", offering="b")
OTHER = replace(LIVE, key="c", kind="equivalent", code="X", offering="c", precedents=3, seats=1)
RARE = replace(OTHER, key="d", precedents=1, seats=9, mode="asynchronous")


def test_the_same_course_comes_first_then_what_home_has_recognised_most() -> None:
    assert [each.key for each in ranked([RARE, OTHER, LATER, LIVE])] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("alternatives", "possible", "seats", "expected"),
    [
        ([LIVE, LATER], {"a": True}, {}, ("a", False)),
        ([LIVE, LATER], {"a": False}, {}, ("b", True)),
        ([LIVE], {"a": False}, {}, (None, True)),
        ([OTHER, RARE], {}, {"c": 0, "d": 1}, ("d", False)),
        ([OTHER], {}, {"c": 0}, (None, False)),
        ([OTHER, RARE], {"c": False}, {"c": 1, "d": 1}, ("d", True)),
        ([], {}, {}, (None, False)),
    ],
)
def test_nobody_is_proposed_a_class_at_three_in_the_night_nor_a_seat_that_is_taken(
    alternatives: list[Alternative], possible: dict[str, bool], seats: dict[str, int | None], expected: tuple[str | None, bool]
) -> None:
    found, avoided = proposed(alternatives, possible_live=possible, seats=seats)
    assert (found.key if found else None, avoided) == expected


@pytest.mark.parametrize(("slot", "kind"), [((time(6), time(8)), True), ((time(5, 59), time(8)), False), ((time(21), time(23)), True), ((time(22), time(23, 1)), False), ((time(23), time(0, 30)), False)])
def test_a_class_lies_between_six_and_twenty_three_on_the_readers_wall(slot: tuple[time, time], kind: bool) -> None:
    assert is_kind_to([slot]) is kind


def test_another_course_is_joined_near_its_beginning_the_same_one_while_it_runs() -> None:
    day = date(2026, 9, 7)
    assert [can_join(starts_on=date(2026, month, 10), ends_on=date(2026, 12, 1), day=day, is_same=same) for month, same in ((8, True), (8, False), (9, False))] == [True, False, True]
    assert not can_join(starts_on=date(2026, 8, 1), ends_on=day, day=day, is_same=True)


def test_an_equivalent_carries_about_as_much_work_in_whichever_system() -> None:
    hours = {"ects": 27.5, "peru": 32.0}
    assert [carries_enough((own, "peru"), (6, "ects"), hours) for own in (4.0, 5.0, 5.5)] == [False, True, True]
    assert not carries_enough((99, "gold"), (6, "ects"), hours)


@pytest.mark.parametrize(
    ("alternatives", "catalogued", "confirmed", "expected"),
    [([LIVE], True, False, "ready"), ([], True, True, "confirmed"), ([OTHER], True, False, "asked"), ([], False, False, "unknown")],
)
def test_readiness_is_the_courses_own(alternatives: list[Alternative], catalogued: bool, confirmed: bool, expected: str) -> None:
    assert readiness(alternatives, is_catalogued=catalogued, is_confirmed=confirmed) == expected


def test_an_alternative_is_kept_as_json_and_comes_back_as_it_was() -> None:
    made = replace(LIVE, meetings=((1, "10:00", "11:30"),), zone="America/Santiago")
    kept = form_json(made)
    assert from_json({**kept, "meetings": [list(each) for each in kept["meetings"]]}) == made


# Credit ---------------------------------------------------------------------------------------------------------------

WORDS = st.text("abcXYZ 09", max_size=8)
AMOUNT = st.sampled_from(["0", "1", "2.5", "4", "6", "30"])
IDS = st.sampled_from([f"course-{n}" for n in range(5)])
COMPONENT = st.builds(
    Component, offering=IDS, code=WORDS, title=st.dictionaries(st.sampled_from(["es", "en"]), WORDS), credits=AMOUNT, credit_system=st.sampled_from(["ects", "peru"]),
    language=st.just("es"), starts_on=st.just("2026-08-01"), ends_on=st.just("2026-12-01"), is_virtual=st.just(False), recognised=st.booleans(), home_code=WORDS,
    home_title=WORDS, home_credits=AMOUNT,
)  # fmt: skip
CONTENT = st.lists(COMPONENT, max_size=5, unique_by=lambda c: c.offering).map(
    lambda lines: Content(agreement="a", number=1, follows="", call="", student={}, home={}, host={}, components=tuple(lines))
)
FORM = st.builds(Form, offering=st.sampled_from(["", "run-1", "run-2"]), code=WORDS, title=st.just({"en": "Online"}), language=st.just("en"), starts_on=st.just("2026-09-01"), ends_on=st.just("2026-12-20"), taught_by=st.sampled_from([{}, {"en": "Elsewhere"}]))


@given(CONTENT, st.dictionaries(IDS, FORM))
def test_whatever_forms_are_taken_every_promise_of_credit_stays_as_it_was_there_and_back(content: Content, forms: dict[str, Form]) -> None:
    after = switched(content, forms, number=2, follows="d")
    assert promises(after) == promises(content)
    assert [line.is_virtual for line in after.components] == [line.offering in forms for line in content.components]
    # Back again, even with a course that the host has re-credited meanwhile: the promise is the agreement's, not the course's.
    courses = {line.offering: replace(line, credits="99", home_credits="99", credit_system="gold") for line in content.components}
    back = returned(after, courses, number=3, follows="e")
    assert promises(back) == promises(content)
    assert [line.offering for line in back.components] == [line.offering for line in content.components]


def test_a_form_has_no_credit_to_give() -> None:
    assert {each.name for each in fields(Form)} == {"offering", "code", "title", "language", "starts_on", "ends_on", "taught_by"}
    with pytest.raises(TypeError):
        Form(code="X", title={}, language="en", starts_on="", ends_on="", credits="8")  # type: ignore[call-arg]

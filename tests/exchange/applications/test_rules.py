"""Publishing checks, what a published call may no longer change, last days, and which files are refused."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsm.exchange.applications.rules import (
    CallFacts,
    CallSeats,
    CallTerms,
    Choice,
    Facts,
    deadlines,
    document_problems,
    edit_problems,
    eligible,
    last_day,
    limit_problems,
    phase_problems,
    publishing_problems,
    seat_problems,
)  # fmt: skip
from vsm.kit.uploads import LIMIT

NOW = datetime(2027, 1, 1, tzinfo=UTC)
GOOD = CallFacts(
    {"en": "A call"}, NOW, NOW + timedelta(days=10), NOW + timedelta(days=20),
    [CallSeats("Algebra", 2, 5, is_published=True, starts_on=date(2027, 3, 1))],
)  # fmt: skip


def codes(reasons: Any) -> list[str]:
    return [reason.code for reason in reasons]


def test_a_complete_call_can_be_published() -> None:
    assert codes(publishing_problems(GOOD, NOW)) == []


def test_an_empty_call_in_the_past_is_refused_with_every_problem_at_once() -> None:
    call = CallFacts({}, NOW - timedelta(days=9), NOW - timedelta(days=8), NOW, [])
    assert codes(publishing_problems(call, NOW)) == ["no-title", "closes-past", "nominate-past", "no-offerings"]


def test_every_offering_is_checked_and_named() -> None:
    bad = [
        CallSeats("Algebra", 0, 5, is_published=False, starts_on=date(2027, 3, 1)), CallSeats("Biology", 9, 5, is_published=True, starts_on=date(2027, 1, 21)),
    ]  # fmt: skip
    found = list(publishing_problems(CallFacts(GOOD.title, GOOD.opens_at, GOOD.closes_at, GOOD.nominate_by, bad), NOW))
    assert [(reason.code, reason.params["offering"]) for reason in found] == [
        ("offering-unpublished", "Algebra"), ("seats-zero", "Algebra"), ("seats-above-offering", "Biology"), ("starts-too-early", "Biology"),
    ]


def test_phases_follow_each_other() -> None:
    assert codes(phase_problems(opens_at=NOW, closes_at=NOW, nominate_by=NOW - timedelta(hours=1))) == ["closes-before-opening", "nominate-before-closing"]
    assert codes(phase_problems(opens_at=NOW, closes_at=NOW + timedelta(hours=1), nominate_by=NOW + timedelta(hours=1))) == []


def test_limits_are_numbers_that_can_be_meant() -> None:
    wrong = limit_problems(max_choices=0, max_seats=11, minimum_share_passed=Decimal("20"), respond_hours=0, required_documents=["selfie"])
    assert [(reason.code, reason.field) for reason in wrong] == [
        ("limit", "max_choices"), ("limit", "max_seats"), ("limit", "respond_hours"), ("seats-above-choices", "max_seats"),
        ("share", "minimum_share_passed"), ("document-unknown", "required_documents"),
    ]


CALL = {
    "code": "C", "category": "course", "zone": "America/Lima", "opens_at": NOW, "closes_at": NOW, "nominate_by": NOW, "max_choices": 5, "max_seats": 2,
    "minimum_share_passed": Decimal(0), "required_documents": [], "respond_hours": 72, "title": {"en": "A"}, "description": {},
}  # fmt: skip


def test_of_a_published_call_texts_may_change_and_deadlines_move_later() -> None:
    after = {**CALL, "title": {"en": "B"}, "description": {"en": "more"}, "closes_at": NOW + timedelta(1), "nominate_by": NOW + timedelta(2)}
    assert codes(edit_problems(CALL, after, is_published=True)) == []


@pytest.mark.parametrize("name", ["code", "category", "zone", "opens_at", "max_choices", "max_seats", "minimum_share_passed", "required_documents", "respond_hours"])
def test_what_students_rely_on_stays_once_published(name: str) -> None:
    after = {**CALL, name: "something else"}
    assert [(reason.code, reason.field) for reason in edit_problems(CALL, after, is_published=True)] == [("published-fixed", name)]
    assert codes(edit_problems(CALL, after, is_published=False)) == []


def test_a_published_deadline_never_moves_earlier() -> None:
    after = {**CALL, "closes_at": NOW - timedelta(1), "nominate_by": NOW - timedelta(1)}
    assert [(r.code, r.field) for r in edit_problems(CALL, after, is_published=True)] == [("deadline-earlier", "closes_at"), ("deadline-earlier", "nominate_by")]


def test_published_seats_are_never_taken_away() -> None:
    before = {"a": 2, "b": 3}
    assert codes(seat_problems(before, {"a": 2, "b": 4, "c": 1}, {}, is_published=True)) == []
    assert [r.params["offering"] for r in seat_problems(before, {"a": 1}, {"a": "Algebra"}, is_published=True)] == ["Algebra", "b"]
    assert codes(seat_problems(before, {}, {}, is_published=False)) == []


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        (datetime(2027, 3, 1, 5, 0, tzinfo=UTC), "America/Lima", date(2027, 2, 28)),  # midnight in Lima belongs to the day before
        (datetime(2027, 3, 1, 5, 0, tzinfo=UTC), "Europe/Lisbon", date(2027, 3, 1)),
        (datetime(2027, 3, 1, 0, 0, tzinfo=UTC), "Asia/Tokyo", date(2027, 3, 1)),
        (datetime(2027, 2, 28, 23, 59, tzinfo=UTC), "Pacific/Kiritimati", date(2027, 3, 1)),
    ],
)
def test_the_last_day_is_the_readers_own(moment: datetime, zone: str, day: date) -> None:
    assert last_day(moment, zone) == day


def test_each_step_has_its_owner_and_its_last_moment() -> None:
    terms = CallTerms(NOW, NOW + timedelta(days=10), NOW + timedelta(days=20))
    assert [(d.step, d.owner, d.at) for d in deadlines(terms, "UTC")] == [
        ("submit", "student", terms.closes_at), ("change", "student", terms.closes_at), ("nominate", "home", terms.nominate_by),
    ]


def test_a_file_is_refused_for_its_kind_and_its_bytes_at_once() -> None:
    assert codes(document_problems(kind="selfie", name="a.pdf", data=b"MZ\x90\x00")) == ["document-unknown", "document-type"]
    assert codes(document_problems(kind="cv", name="a.pdf", data=b"")) == ["document-empty"]
    assert codes(document_problems(kind="cv", name="a.pdf", data=b"%PDF-" + bytes(LIMIT - 4))) == ["document-large"]
    assert codes(document_problems(kind="cv", name="a.pdf", data=b"%PDF-" + bytes(LIMIT - 5))) == []


@given(st.integers(-3, 12), st.lists(st.sampled_from("abcde"), max_size=7), st.integers(-40, 40))
def test_eligibility_never_fails_and_an_obstacle_more_never_makes_somebody_eligible(wanted: int, chosen: list[str], day: int) -> None:
    terms = CallTerms(NOW, NOW + timedelta(days=10), NOW + timedelta(days=20))
    choices = [Choice(id=name, title=name, host_id=name, host=name, starts_on=date(2027, 3, 1), level="bachelor", language="en", seats=1) for name in chosen]
    verdict = eligible(Facts(choices=choices, seats_wanted=wanted), terms, NOW + timedelta(days=day))
    worse = eligible(Facts(choices=choices, seats_wanted=wanted, has_another=True), terms, NOW + timedelta(days=day))
    assert set(verdict.codes) < set(worse.codes)

"""Ana (Lima) took a course in Santiago; the registrar at home decides."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from vsm.exchange.recognition.rules import Agreed, Component, Home, Result, proposal, recognisable
from vsm.kit.errors import Invalid

TODAY = date(2026, 8, 1)
COURSE = Component(code="MAT-201", title="Statistics", credits=Decimal(6), credit_system="sct-chile")
RESULT = Result(
    component_code="MAT-201", grade="5.5", scale="cl", credits=Decimal(6), is_final=True, on=date(2026, 7, 15)
)
AGREED = Agreed(component_code="MAT-201", credits=Decimal(6), home_credits=Decimal(5), is_signed=True)
HOME = Home(credit_system="peru", scale="pe")


def test_what_was_agreed_signed_and_passed_is_recognisable():
    assert recognisable(COURSE, RESULT, AGREED, on=TODAY).ok


@pytest.mark.parametrize(
    ("result", "agreed", "codes"),
    [
        (RESULT, None, ["not-in-agreement"]),
        (RESULT, replace(AGREED, component_code="MAT-999"), ["not-in-agreement"]),
        (RESULT, replace(AGREED, is_signed=False), ["agreement-not-signed"]),
        (RESULT, replace(AGREED, claim_until=date(2026, 7, 31)), ["claim-period-over"]),
        (RESULT, replace(AGREED, claim_until=TODAY), []),
        (RESULT, replace(AGREED, recognised_on=date(2026, 7, 20)), ["already-recognised"]),
        (None, AGREED, ["no-result"]),
        (replace(RESULT, component_code="MAT-999"), AGREED, ["no-result"]),
        (replace(RESULT, is_final=False), AGREED, ["result-not-final"]),
        (replace(RESULT, grade="3.9"), AGREED, ["not-passed"]),
        (replace(RESULT, grade="9.9"), AGREED, ["grade-not-on-scale"]),
        (replace(RESULT, credits=Decimal(5)), AGREED, ["fewer-credits"]),
        (replace(RESULT, credits=Decimal(7)), AGREED, []),
    ],
)
def test_each_obstacle_has_its_reason(result, agreed, codes):
    assert recognisable(COURSE, result, agreed, on=TODAY).codes == codes


def test_every_obstacle_is_told_at_once():
    agreed = replace(AGREED, is_signed=False, claim_until=date(2026, 7, 1), recognised_on=date(2026, 7, 20))
    result = replace(RESULT, is_final=False, grade="2.0", credits=Decimal(4))
    assert recognisable(COURSE, result, agreed, on=TODAY).codes == [
        "agreement-not-signed",
        "claim-period-over",
        "already-recognised",
        "result-not-final",
        "not-passed",
        "fewer-credits",
    ]


def test_every_reason_can_be_said():
    result = replace(RESULT, is_final=False, grade="2.0", credits=Decimal(4))
    told = [reason.text % reason.params for reason in recognisable(COURSE, result, AGREED, on=TODAY).reasons]
    assert told == [
        "The result is provisional: the host can still change it.",
        "The grade 2.0 does not pass on the scale of the host.",
        "The host awarded 4 credits; 6 were agreed.",
    ]


def test_the_promise_counts_and_the_conversion_stands_beside_it():
    offered = proposal(COURSE, RESULT, HOME, AGREED)
    assert (offered.home_credits, offered.home_grade) == (Decimal(5), "16")
    assert (offered.credits.value, offered.credits.target) == (Decimal("5.0"), "peru")


def test_without_an_agreement_the_converted_credits_are_proposed():
    assert proposal(COURSE, RESULT, HOME).home_credits == Decimal("5.0")
    assert proposal(replace(COURSE, workload_hours=Decimal(120)), RESULT, HOME).home_credits == Decimal("4.0")


def test_a_part_of_the_credits_earns_the_same_part_of_the_promise():
    offered = proposal(replace(COURSE, workload_hours=Decimal(180)), replace(RESULT, credits=Decimal(3)), HOME, AGREED)
    assert offered.home_credits == Decimal("2.5")
    assert offered.credits.workload_hours == Decimal(90)


def test_a_failed_course_earns_nothing_and_its_grade_still_fails():
    offered = proposal(COURSE, replace(RESULT, grade="3.0"), HOME, AGREED)
    assert offered.home_credits == 0
    assert offered.grade is not None
    assert not offered.grade.passed


def test_a_promise_far_from_what_hours_would_give_is_pointed_out():
    offered = proposal(COURSE, RESULT, HOME, replace(AGREED, home_credits=Decimal(40)))
    assert offered.home_credits == 40
    assert "promise-outside-range" in [each.code for each in offered.cautions]


def test_a_pass_without_rank_is_recognised_without_a_grade():
    offered = proposal(COURSE, replace(RESULT, grade="P", scale="us"), HOME, AGREED)
    assert (offered.home_credits, offered.home_grade, offered.grade) == (Decimal(5), None, None)
    assert "no-rank" in [each.code for each in offered.cautions]


def test_a_result_that_cannot_be_read_gives_no_proposal():
    with pytest.raises(Invalid, match=r"9.9 is not a grade of the scale “"):
        proposal(COURSE, replace(RESULT, grade="9.9"), HOME, AGREED)

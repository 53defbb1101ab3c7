"""Converting credits: laws that hold for every pair of systems, and what is refused."""

import json
from datetime import date
from decimal import Decimal, localcontext

import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from vsm import rulebook
from vsm.exchange.recognition.credits import convert, to_grid
from vsm.exchange.recognition.proposals import reasons
from vsm.exchange.recognition.rules import evidence
from vsm.kit.errors import Invalid
from vsm.kit.saying import say_reason
from vsm.rulebook.errors import NoValueYet, UnknownEntry

TODAY = date(2026, 3, 1)
TINY = Decimal("1e-20")
HALF_A_STEP = rulebook.rounding().step / 2

systems = st.sampled_from([system.slug for system in rulebook.credit_systems()])
amounts = st.decimals(min_value=0, max_value=300, places=2)


@given(amounts, systems)
def test_within_one_system_nothing_changes(amount, system):
    conversion = convert(amount, system, system, TODAY)
    assert (conversion.value, conversion.low, conversion.high) == (amount, amount, amount)
    assert conversion.method.slug == "identity"


@given(amounts, systems, systems)
def test_the_central_figure_lies_in_the_range_that_the_hours_allow(amount, source, target):
    conversion = convert(amount, source, target, TODAY)
    assert conversion.low <= conversion.exact <= conversion.high


@given(amounts, systems, systems)
def test_the_proposed_figure_is_on_the_grid_and_at_most_half_a_step_away(amount, source, target):
    conversion = convert(amount, source, target, TODAY)
    assert abs(conversion.value - conversion.exact) <= HALF_A_STEP
    if source != target:
        assert conversion.value % rulebook.rounding().step == 0


@given(amounts, systems, systems, st.integers(min_value=2, max_value=9))
def test_twice_the_credit_is_twice_the_result(amount, source, target, times):
    once, often = convert(amount, source, target, TODAY), convert(amount * times, source, target, TODAY)
    for part in ("exact", "low", "high"):
        assert abs(getattr(often, part) - times * getattr(once, part)) < TINY


@given(amounts, amounts, systems, systems)
def test_more_credit_never_becomes_less(one, other, source, target):
    less, more = sorted((one, other))
    assert convert(less, source, target, TODAY).value <= convert(more, source, target, TODAY).value


@given(amounts, systems, systems)
def test_there_and_back_differs_by_no_more_than_the_rounding(amount, source, target):
    there = convert(amount, source, target, TODAY)
    back = convert(there.value, target, source, TODAY)
    of_target = rulebook.credit_system(target).at(TODAY).hours_central
    of_source = rulebook.credit_system(source).at(TODAY).hours_central
    assert abs(back.exact - amount) <= HALF_A_STEP * of_target / of_source + TINY


@given(amounts, systems, systems, st.decimals(min_value=1, max_value=2000, places=1))
def test_the_known_workload_takes_the_place_of_the_nominal_hours(amount, source, target, hours):
    conversion = convert(amount, source, target, TODAY, workload_hours=hours)
    if source == target:
        assert conversion.value == amount
        return
    becomes = rulebook.credit_system(target).at(TODAY)
    assert abs(conversion.exact * becomes.hours_central - hours) < TINY * 100
    assert conversion.method.slug == "known-workload"
    assert [step.code for step in conversion.steps] == ["hours-of-the-course", "credits-from-hours", "rounded"]


def test_each_conversion_keeps_its_sources_its_calculation_and_the_version_of_the_rulebook():
    conversion = convert(Decimal(3), "us-credit", "ects", TODAY)
    assert [each.title[:9] for each in conversion.citations] == ["Code of F", "ECTS User", "ECTS User"]
    assert [step.text % step.params for step in conversion.steps] == [
        "3 credits of 45 hours are 135 hours of work.",
        "At 25 to 30 hours a credit this is about 4.91 credits.",
        "Rounded to the nearest 0.5, halves upwards: 5.",
    ]
    assert conversion.rulebook_version == rulebook.version()
    assert conversion.method.is_proposal


def test_the_value_in_force_on_the_day_is_cited():
    before, after = (convert(Decimal(3), "us-credit", "clar", day) for day in (date(2021, 6, 30), date(2021, 7, 1)))
    assert before.citations[0] != after.citations[0]
    assert before.value == after.value


def test_what_is_doubtful_is_said():
    conversion = convert(Decimal(4), "brazil", "ects", TODAY)
    assert [each.code for each in conversion.cautions] == ["institutional-system", "unverified-source"]
    assert [each.code for each in convert(Decimal(4), "brazil", "ects", TODAY, Decimal(120)).cautions] == []


def test_why_a_source_was_not_checked_is_told_in_the_readers_language_also_from_what_was_kept():
    kept = json.loads(json.dumps(evidence(convert(Decimal(4), "peru", "ects", TODAY))))["cautions"]
    (doubt,) = [each for each in kept if each["code"] == "unverified-source"]
    before = {**doubt, "params": {**doubt["params"], "note": doubt["params"]["note"]["en"]}}  # as kept when notes were in English alone
    with translation.override("es"):
        assert [say_reason(each).partition(": ")[2].partition(",")[0] for each in reasons([doubt, before])] == ["La ley cuenta solo horas de clase"] * 2
        assert "Crédito académico peruano" in say_reason(reasons([doubt])[0])


def test_the_other_customary_way_is_shown_where_it_gives_something_else():
    conversion = convert(Decimal(20), "uk-cats", "ects", TODAY)
    assert (conversion.value, conversion.by_year) == (Decimal("7.5"), Decimal(10))
    assert [each.code for each in conversion.cautions] == ["year-share-differs"]


def test_an_amount_too_small_for_the_grid_is_said_to_vanish():
    conversion = convert(Decimal("0.1"), "ects", "clar", TODAY)
    assert conversion.value == 0
    assert [each.code for each in conversion.cautions] == ["rounded-to-nothing"]


@pytest.mark.parametrize("amount", [Decimal(-1), Decimal("NaN"), Decimal("Infinity"), 3.0, "3", None])
def test_a_bad_amount_is_refused_with_the_reason(amount):
    with pytest.raises(Invalid) as refusal:
        convert(amount, "ects", "clar", TODAY)
    assert [(reason.code, reason.field) for reason in refusal.value.reasons] == [("bad-amount", "amount")]


@pytest.mark.parametrize("hours", [Decimal(0), Decimal(-5), Decimal("NaN"), 90.0])
def test_a_bad_workload_is_refused_together_with_a_bad_amount(hours):
    with pytest.raises(Invalid) as refusal:
        convert(Decimal(-1), "ects", "clar", TODAY, workload_hours=hours)
    assert [reason.code for reason in refusal.value.reasons] == ["bad-amount", "bad-workload"]


def test_an_unknown_system_or_a_day_too_early_is_refused():
    with pytest.raises(UnknownEntry, match="Known: brazil, clar"):
        convert(Decimal(1), "ects", "galactic", TODAY)
    with pytest.raises(NoValueYet, match=r"credits/clar.yaml begins on 2013-01-01"):
        convert(Decimal(1), "ects", "clar", date(2012, 12, 31))


def test_the_caller_s_decimal_context_does_not_change_the_result():
    with localcontext() as context:
        context.prec = 3
        coarse = convert(Decimal("17.25"), "sct-chile", "ucts", TODAY)
    assert coarse == convert(Decimal("17.25"), "sct-chile", "ucts", TODAY)


@pytest.mark.parametrize(
    ("number", "grid"), [("2.24", "2.0"), ("2.25", "2.5"), ("2.74", "2.5"), ("2.75", "3.0"), ("0", "0.0")]
)
def test_halves_of_a_step_go_upwards(number, grid):
    assert to_grid(Decimal(number), Decimal("0.5")) == Decimal(grid)


def test_the_evidence_of_a_conversion_survives_json():
    kept = evidence(convert(Decimal(6), "sct-chile", "ects", TODAY))
    assert json.loads(json.dumps(kept)) == kept
    assert (kept["value"], kept["low"], kept["high"], kept["workload_hours"]) == ("6.0", "4.8", "7.44", None)

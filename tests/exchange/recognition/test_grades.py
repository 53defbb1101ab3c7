"""Converting grades: laws that hold for every pair of scales, and what is refused."""

import json
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vsm import rulebook
from vsm.exchange.recognition.grades import convert, read
from vsm.exchange.recognition.rules import evidence
from vsm.kit.errors import Invalid
from vsm.rulebook.errors import NoValueYet, UnknownEntry

TODAY = date(2026, 3, 1)
SLUGS = [scale.slug for scale in rulebook.grade_scales()]

scales = st.sampled_from(SLUGS)


def grades_of(slug: str) -> list[str]:
    """Every grade of a scale that has a rank, from worst to best."""
    value = rulebook.grade_scale(slug).at(TODAY)
    if value.step is None:
        return [letter.grade for letter in reversed(value.letters)]
    count = int(abs(value.best - value.worst) / value.step)
    return [str(value.worst + value.direction * value.step * index) for index in range(count + 1)]


def height(slug: str, grade: str) -> Decimal:
    """How good a grade is on its scale; more is better on every scale."""
    value = rulebook.grade_scale(slug).at(TODAY)
    points = read(grade, slug, TODAY).points
    assert points is not None
    return points * value.direction


@st.composite
def tables(draw: st.DrawFn, slug: str) -> dict[str, Decimal]:
    """A grading table: how many students got each passing grade."""
    passing = [grade for grade in grades_of(slug) if read(grade, slug, TODAY).passed]
    counts = draw(st.lists(st.integers(0, 50), min_size=len(passing), max_size=len(passing)))
    assume(sum(counts) > 0)
    return {grade: Decimal(count) for grade, count in zip(passing, counts, strict=True)}


@pytest.mark.parametrize("source", SLUGS)
@pytest.mark.parametrize("target", SLUGS)
def test_who_passed_stays_passed_who_failed_stays_failed_and_better_never_becomes_worse(source, target):
    converted = [convert(grade, source, target, TODAY) for grade in grades_of(source)]
    assert [each.passed for each in converted] == [read(each.value, target, TODAY).passed for each in converted]
    assert [each.passed for each in converted] == [read(grade, source, TODAY).passed for grade in grades_of(source)]
    for worse, better in pairwise(converted):
        assert height(target, worse.value) <= height(target, better.value)


@pytest.mark.parametrize("source", SLUGS)
@pytest.mark.parametrize("target", SLUGS)
def test_the_best_becomes_the_best_the_least_pass_the_least_pass_and_the_worst_the_worst(source, target):
    passing = [grade for grade in grades_of(source) if read(grade, source, TODAY).passed]
    passing_there = [grade for grade in grades_of(target) if read(grade, target, TODAY).passed]
    corners = (grades_of(source)[0], passing[0], passing[-1])
    there = (grades_of(target)[0], passing_there[0], passing_there[-1])
    for grade, expected in zip(corners, there, strict=True):
        assert height(target, convert(grade, source, target, TODAY).value) == height(target, expected)


@pytest.mark.parametrize("slug", SLUGS)
def test_within_one_scale_every_grade_stays_as_it_was_written(slug):
    for grade in grades_of(slug):
        conversion = convert(grade, slug, slug, TODAY)
        assert (conversion.value, conversion.method.slug) == (grade, "identity")


@given(st.data(), scales, scales)
def test_grading_tables_keep_order_and_never_fail_who_passed(data, source, target):
    assume(source != target)
    ours, theirs = data.draw(tables(source)), data.draw(tables(target))
    converted = [convert(grade, source, target, TODAY, ours, theirs) for grade in grades_of(source)]
    for grade, each in zip(grades_of(source), converted, strict=True):
        assert each.passed == read(grade, source, TODAY).passed == read(each.value, target, TODAY).passed
        assert each.method.slug == ("grading-table" if each.passed else "linear")
        if each.passed:
            assert theirs[next(key for key in theirs if height(target, key) == height(target, each.value))] > 0
    for worse, better in pairwise(converted):
        assert height(target, worse.value) <= height(target, better.value)


@given(st.data())
def test_equal_grading_tables_lead_every_grade_that_was_given_to_itself(data):
    # Within one scale nothing is converted, so two scales that share their grades are needed.
    table = data.draw(tables("br-7"))
    for grade in (grade for grade, count in table.items() if count > 0):
        conversion = convert(grade, "br-7", "br-6", TODAY, table, table)
        assert (conversion.value, conversion.method.slug) == (grade, "grading-table")


@given(st.text(max_size=12), scales)
def test_any_text_is_either_a_grade_within_the_scale_or_refused_with_the_one_reason(text, slug):
    value = rulebook.grade_scale(slug).at(TODAY)
    try:
        points = read(text, slug, TODAY).points
    except Invalid as refusal:
        codes = [reason.code for reason in refusal.reasons]
    else:
        codes = []
        assert points is None or min(value.worst, value.best) <= points <= max(value.worst, value.best)
    assert codes in ([], ["grade-not-on-scale"])


@pytest.mark.parametrize(
    ("written", "scale", "understood"),
    [
        ("5,5", "cl", "5.5"),
        (" 5.5 ", "cl", "5.5"),
        ("b−", "us", "B-"),
        ("muy  bueno", "uy", "MUY BUENO"),
        ("A+", "us", "A"),
    ],
)
def test_grades_are_read_as_people_write_them(written, scale, understood):
    assert read(written, scale, TODAY).text == understood


@pytest.mark.parametrize("written", ["7.1", "0.9", "-4", "NaN", "1e1", "5_0", "", "A", "5.55555", "４"])
def test_what_is_not_on_the_scale_is_refused_with_its_ends(written):
    with pytest.raises(Invalid, match=r"is not a grade of the scale “.*”, which goes from 1.0 to 7.0"):
        read(written, "cl", TODAY)


def test_a_letter_that_is_not_on_the_scale_is_refused_with_the_letters():
    with pytest.raises(Invalid, match="Its grades are A, B, C, D, E, FX, F, P"):
        convert("Z", "ects", "cl", TODAY)


@pytest.mark.parametrize(
    ("chilean", "german"), [("7.0", "1.0"), ("6.2", "1.8"), ("5.5", "2.5"), ("4.6", "3.4"), ("4.0", "4.0")]
)
def test_to_the_german_scale_it_is_the_modified_bavarian_formula(chilean, german):
    by_formula = 1 + 3 * (Decimal(7) - Decimal(chilean)) / (Decimal(7) - Decimal(4))
    conversion = convert(chilean, "cl", "de", TODAY)
    assert conversion.value == german
    assert Decimal(german) == by_formula


def test_the_linear_way_is_labelled_a_proposal_and_tells_its_calculation():
    conversion = convert("5.5", "cl", "br", TODAY)
    assert (conversion.value, conversion.method.slug, conversion.method.is_proposal) == ("7.5", "linear", True)
    assert [step.text % step.params for step in conversion.steps] == [
        "5.5 lies at 50.0 % of the way from the passing mark 4.0 to the best grade 7.0.",
        "The same place here is 7.50, written 7.5.",
    ]
    assert [each.code for each in conversion.cautions] == ["proposal"]
    assert conversion.rulebook_version == rulebook.version()
    assert len(conversion.citations) == 3


def test_a_failing_grade_just_below_the_mark_cannot_round_up_to_it():
    assert convert("3.9999", "cl", "pe", TODAY).value == "10"
    assert convert("9.9999", "pt", "de", TODAY).value == "4.1"


def test_half_way_between_two_grades_the_student_gets_the_better():
    # 5.5 lies half way in Chile: 15.5 in Peru between 15 and 16, and 2.35 points in the United States near C+ (2.3).
    assert convert("5.5", "cl", "pe", TODAY).value == "16"
    assert convert("5.5", "cl", "us", TODAY).value == "C+"
    assert convert("15.5", "pe", "ects", TODAY).value == "C"
    assert convert("4.4", "cl", "ects", TODAY).value == "D"


def test_tables_take_the_middle_of_the_band():
    ours = {"7.0": Decimal(10), "6.0": Decimal(30), "5.0": Decimal(40), "4.0": Decimal(20)}
    theirs = {"10": Decimal(5), "9": Decimal(15), "8": Decimal(30), "7": Decimal(50)}
    conversion = convert("6.0", "cl", "mx", TODAY, ours, theirs)
    assert conversion.value == "8.0"
    assert [step.text % step.params for step in conversion.steps] == [
        "Of those who pass there, 10.0 % do better and 40.0 % do as well or better.",
        "The middle of this band is 25.0 %; here that is 8, which spans 20.0 to 50.0 %.",
    ]
    assert conversion.cautions == ()


def test_one_table_alone_is_not_used_and_this_is_said():
    conversion = convert("6.0", "cl", "mx", TODAY, distribution_source={"6.0": Decimal(1)})
    assert conversion.method.slug == "linear"
    assert [each.code for each in conversion.cautions] == ["proposal", "one-table-only"]


@pytest.mark.parametrize(
    ("table", "code"),
    [
        ({"3.0": Decimal(5)}, "table-not-passing"),
        ({"6.0": Decimal(-1)}, "table-bad-share"),
        ({"6.0": Decimal("NaN")}, "table-bad-share"),
        ({"6.0": Decimal(0)}, "table-empty"),
        ({}, "table-empty"),
        ({"6,0": Decimal(1), "6.0": Decimal(1)}, "table-twice"),
        ({"9.0": Decimal(1)}, "grade-not-on-scale"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(table, code):
    with pytest.raises(Invalid) as refusal:
        convert("6.0", "cl", "mx", TODAY, table, {"8": Decimal(1)})
    assert [reason.code for reason in refusal.value.reasons] == [code]


def test_a_pass_without_rank_meets_a_pass_without_rank():
    conversion = convert("pass", "us", "ects", TODAY)
    assert (conversion.value, conversion.passed, conversion.method.slug) == ("P", True, "pass")
    assert convert("NP", "us", "br-letters", TODAY).value == "NA"


def test_a_pass_without_rank_is_never_turned_into_a_number():
    with pytest.raises(Invalid, match="recognise the credit without a grade"):
        convert("P", "us", "cl", TODAY)


def test_a_grade_finer_than_its_scale_is_pointed_out():
    assert [each.code for each in convert("3.95", "cl", "es", TODAY).cautions] == ["proposal", "finer-than-scale"]
    assert not convert("3.95", "cl", "es", TODAY).passed


def test_the_scale_in_force_on_the_day_reads_the_grade():
    assert convert("9", "uy", "es", date(2024, 12, 1)).value == "8.3"
    with pytest.raises(Invalid, match="EXCELENTE, MUY BUENO"):
        convert("9", "uy", "es", TODAY)
    with pytest.raises(NoValueYet, match=r"grades/es.yaml begins on 2003-09-19"):
        convert("9", "uy", "es", date(2003, 1, 1))


def test_an_unknown_scale_is_refused_with_those_that_exist():
    with pytest.raises(UnknownEntry, match="Known: ar, ar-6, br"):
        convert("9", "cl", "atlantis", TODAY)


def test_the_evidence_of_a_conversion_survives_json():
    kept = evidence(convert("5.5", "cl", "br", TODAY))
    assert json.loads(json.dumps(kept)) == kept
    assert (kept["given"], kept["value"], kept["passed"], kept["is_proposal"]) == ("5.5", "7.5", True, True)

"""Entry requirements, rankings, offers, conditions, awards and recognition as pure rules."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from tests.exchange.programmes.test_structure_and_progress import PLAN, codes
from vsm.exchange.programmes.awarding import Finding, average, evaluation_problems, why_not_award, why_not_decide
from vsm.exchange.programmes.progress import Attempt, progress_of
from vsm.exchange.programmes.rules import (
    Applicant,
    Candidate,
    Requirements,
    condition_problems,
    intake_problems,
    obstacles,
    places_go_to,
    ranking_problems,
    unsettled_documents,
    why_not_offer,
)
from vsm.kit.verdict import Reason

START, TODAY = date(2027, 9, 1), date(2027, 2, 1)
WANTED = Requirements(level="bachelor", fields=("09", "051"), grade="12", grade_scale="pt", languages={"en": "B2"}, documents=("degree", "identity"))
WHO = Applicant(
    level="bachelor", isced_f="0912", grade="15", grade_scale="pe", completed_on=date(2026, 12, 1), languages={"en": "C1"}, documents={"degree", "identity"}
)


def against(who: Applicant, wanted: Requirements = WANTED) -> list[str]:
    return codes(obstacles(wanted, who, starts_on=START, today=TODAY))


def test_who_meets_everything_meets_no_obstacle() -> None:
    assert against(WHO) == []


def test_every_obstacle_is_told_at_once() -> None:
    nobody = Applicant(level="", isced_f="", grade="", grade_scale="", completed_on=None, languages={}, documents=())
    assert against(nobody) == ["level-missing", "field", "grade-missing", "language", "document-degree", "document-identity"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"level": "upper-secondary"}, ["level-low"]), ({"level": "doctorate"}, []), ({"isced_f": "0311"}, ["field"]), ({"isced_f": "0511"}, []),
        ({"completed_on": date(2027, 9, 2)}, ["completed-late"]), ({"completed_on": date(2027, 9, 1)}, []), ({"completed_on": None}, ["completed-missing"]),
        ({"grade": "12"}, ["grade-low"]), ({"grade": "9"}, ["grade-failing"]), ({"grade": "31"}, ["grade-not-on-scale"]), ({"grade": "15", "grade_scale": "de"}, ["grade-not-on-scale"]),
        ({"grade": "1.7", "grade_scale": "de"}, []), ({"grade": "3.9", "grade_scale": "de"}, ["grade-low"]),
        ({"languages": {"en": "native"}}, []), ({"languages": {"en-gb": "B2"}}, []), ({"languages": {"en": "B1", "es": "native"}}, ["language"]),
    ],
)  # fmt: skip
def test_one_fact_that_is_missing_is_one_obstacle(change: dict[str, object], expected: list[str]) -> None:
    assert against(replace(WHO, **change)) == expected  # type: ignore[arg-type]


def test_a_programme_that_asks_for_nothing_still_wants_to_know_the_prior_qualification() -> None:
    nobody = Applicant(level="", isced_f="", grade="", grade_scale="", completed_on=None, languages={}, documents=())
    assert against(nobody, Requirements()) == ["level-missing"]


NOW = datetime(2027, 3, 1, tzinfo=UTC)


def test_an_intake_has_its_days_in_order() -> None:
    good = {"opens_at": NOW, "closes_at": NOW + timedelta(days=20), "decide_by": NOW + timedelta(days=40), "starts_on": START, "places": 5, "respond_days": 10}
    assert codes(intake_problems(**good)) == []  # type: ignore[arg-type]
    bad = {"opens_at": NOW, "closes_at": NOW, "decide_by": NOW - timedelta(days=1), "starts_on": date(2027, 2, 1), "places": 0, "respond_days": 0}
    assert codes(intake_problems(**bad)) == ["closes-before-opens", "decides-before-closing", "decides-after-start", "places", "respond-days"]  # type: ignore[arg-type]


A, B, C = (UUID(int=number) for number in (1, 2, 3))


def test_a_ranking_gives_each_application_one_explained_place() -> None:
    assert codes(ranking_problems([(A, 1, "Interview"), (B, 2, "Grades")], {A, B})) == []
    assert codes(ranking_problems([(A, 4, "Interview"), (B, 3, "Grades")], {A, B})) == [], "two are decided already"
    assert codes(ranking_problems([(A, 0, "Interview"), (B, 1, "Grades")], {A, B})) == ["places-not-in-order"]
    assert codes(ranking_problems([(A, 1, "x"), (A, 1, " "), (uuid4(), 3, "x")], {A, B, C})) == [
        "ranked-twice", "not-a-candidate", "not-all-ranked", "places-not-in-order", "rank-unexplained",
    ]  # fmt: skip


UNCLEAR = (Reason("document-unverified", "x"),)


def offered(chosen: UUID, candidates: list[Candidate], free: int, now: datetime = NOW) -> list[str]:
    return codes(why_not_offer(candidates, chosen, free=free, closes_at=NOW, now=now))


def test_nobody_is_passed_over_in_silence() -> None:
    line = [Candidate(A, 1), Candidate(B, 2), Candidate(C, 3)]
    assert offered(A, line, 1) == []
    assert offered(B, line, 1) == ["better-ranked"]
    assert offered(B, line, 2) == []
    assert offered(C, line, 2) == ["better-ranked"]


def test_places_are_given_after_the_closing_and_only_while_there_are_any() -> None:
    assert offered(A, [Candidate(A, 1)], 0, now=NOW - timedelta(seconds=1)) == ["still-open", "no-place"]


def test_more_applications_than_places_must_be_ranked_first() -> None:
    assert offered(A, [Candidate(A, None), Candidate(B, None)], 1) == ["not-ranked"]
    assert offered(A, [Candidate(A, None), Candidate(B, None)], 2) == []


def test_an_unverified_document_stands_in_the_way_of_an_offer() -> None:
    assert offered(A, [Candidate(A, 1, UNCLEAR)], 1) == ["document-unverified"]


def test_a_round_follows_the_ranking_and_keeps_the_place_of_whoever_is_unsettled() -> None:
    line = [Candidate(C, 3), Candidate(A, 1, UNCLEAR), Candidate(B, 2)]
    assert places_go_to(line, 2) == [B]
    assert places_go_to(line, 3) == [B, C]
    assert places_go_to(line, 0) == places_go_to(line, -1) == []


def test_only_verified_documents_are_settled() -> None:
    states = {"degree": "verified", "identity": "received", "cv": "refused"}
    assert codes(unsettled_documents(states, ["degree", "identity", "cv", "language"])) == ["document-unverified", "document-open", "document-open"]


def test_a_condition_can_be_met_before_the_start() -> None:
    assert codes(condition_problems(text="Original", evidence="Post", due_on=TODAY, today=TODAY, starts_on=START)) == []
    assert codes(condition_problems(text=" ", evidence="", due_on=date(2027, 1, 31), today=TODAY, starts_on=START)) == ["condition-text", "condition-past"]
    assert codes(condition_problems(text="x", evidence="y", due_on=date(2027, 9, 2), today=TODAY, starts_on=START)) == ["condition-late"]


# Award and recognition ------------------------------------------------------------------------------------------------


def test_an_award_needs_its_credits_results_title_and_the_facts_of_its_supplement() -> None:
    done = [Attempt(code, "passed") for code in ("A", "B", "T", "X")]
    complete, begun = (progress_of(PLAN, attempts, terms_studied=3, by=None) for attempts in (done, done[:2]))
    assert codes(why_not_award(complete, taking=0, award_title={"en": "Master"}, missing_facts=[])) == []
    assert codes(why_not_award(begun, taking=1, award_title={}, missing_facts=["Access to further study"])) == ["credits-missing", "results-missing", "award-title", "supplement-missing"]


def test_the_average_weighs_by_credits() -> None:
    assert average([("12", Decimal(10)), ("18", Decimal(20))], "pt", TODAY) == "16.00"
    assert average([], "pt", TODAY) == ""
    assert average([("excellent", Decimal(10))], "pt", TODAY) == ""


ALL_EQUAL = [Finding(name, "no-difference") for name in ("level", "workload", "quality", "profile", "outcomes")]
ONE_SUBSTANTIAL = [Finding("level", "substantial", "One level lower."), *ALL_EQUAL[1:]]


def test_recognition_in_full_needs_an_evaluation_without_a_substantial_difference() -> None:
    assert codes(why_not_decide("full", ALL_EQUAL, convention=True)) == []
    assert codes(why_not_decide("full", ONE_SUBSTANTIAL, convention=True)) == ["substantial-named"]
    assert codes(why_not_decide("full", [], convention=False)) == ["not-evaluated", "convention"]
    assert codes(why_not_decide("full", [Finding("level", "not-assessed")], convention=True)) == ["not-evaluated"]


@pytest.mark.parametrize("outcome", ["partial", "refused"])
def test_less_than_full_recognition_is_shown_explained_and_comes_with_advice(outcome: str) -> None:
    assert codes(why_not_decide(outcome, ONE_SUBSTANTIAL, convention=True, advice="A bridging course")) == []
    assert codes(why_not_decide(outcome, ALL_EQUAL, convention=True, advice="")) == ["no-substantial-difference", "advice"]


def test_a_difference_is_named() -> None:
    names = ["level", "workload", "quality", "profile", "outcomes"]
    assert codes(evaluation_problems(ALL_EQUAL, names)) == []
    assert codes(evaluation_problems([Finding("level", "difference", " "), Finding("taste", "no-difference")], names)) == ["criterion", "difference-unnamed"]

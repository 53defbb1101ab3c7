"""Which modules can be taken in a term, and how long studies may rest: every reason at once."""

from datetime import date
from decimal import Decimal

from tests.exchange.programmes.test_structure_and_progress import PLAN, codes
from vsm.exchange.programmes.choosing import (
    Limits,
    Period,
    exhausted,
    is_late,
    why_not_choose,
    why_not_pause,
    why_not_term,
)
from vsm.exchange.programmes.progress import Attempt, Pause, progress_of
from vsm.kit.verdict import Reason

LIMITS = Limits(credits_low=Decimal(10), credits_high=Decimal(30), late_days=14, attempts=2, pause_months=12)
TERM = Period(date(2027, 3, 1), date(2027, 7, 15))


def why(chosen: list[str], attempts: list[Attempt], granted: tuple[str, ...] = ()) -> list[Reason]:
    return list(why_not_choose(PLAN, chosen, attempts, limits=LIMITS, progress=progress_of(PLAN, attempts, terms_studied=0, by=None), granted=granted))


def test_a_first_term_within_the_rules_is_allowed() -> None:
    assert why(["A", "X"], []) == []


def test_all_that_speaks_against_a_choice_is_told_at_once() -> None:
    attempts = [Attempt("X", "passed"), Attempt("Y", "taking"), Attempt("A", "failed"), Attempt("A", "failed", 2)]
    assert codes(why(["A", "A", "B", "X", "Y", "NONE"], attempts)) == ["module-twice", "attempts-used", "prerequisite", "already-passed", "already-taking", "module-unknown", "load-high"]


def test_one_more_attempt_that_the_host_granted_is_allowed_once() -> None:
    attempts = [Attempt("A", "failed"), Attempt("A", "failed", 2)]
    assert codes(why(["A"], attempts, granted=("A",))) == []
    assert codes(why(["A"], [*attempts, Attempt("A", "failed", 3)], granted=("A",))) == ["attempts-used"]


def test_a_dropped_module_is_no_attempt() -> None:
    assert why(["A"], [Attempt("A", "dropped"), Attempt("A", "failed"), Attempt("A", "dropped")]) == []


def test_the_least_load_does_not_bind_somebody_with_less_than_that_left() -> None:
    done = [Attempt(code, "passed") for code in ("A", "B", "T")]
    assert codes(why(["Y"], done)) == ["load-low"]
    assert codes(why(["Z"], [*done, Attempt("Y", "passed")])) == []


def test_a_term_can_be_entered_late_for_a_while_and_then_no_longer() -> None:
    facts = {"limits": LIMITS, "by": date(2028, 1, 1), "started_on": date(2027, 3, 1)}
    assert (is_late(TERM, date(2027, 3, 1)), is_late(TERM, date(2027, 3, 2))) == (False, True)
    assert codes(why_not_term(TERM, today=date(2027, 3, 15), **facts)) == []  # type: ignore[arg-type]
    assert codes(why_not_term(TERM, today=date(2027, 3, 16), **facts)) == ["too-late"]  # type: ignore[arg-type]


def test_a_term_before_admission_or_after_the_longest_duration_is_refused() -> None:
    assert codes(why_not_term(TERM, today=date(2027, 1, 1), limits=LIMITS, by=date(2027, 2, 1), started_on=date(2027, 9, 1))) == ["before-admission", "after-longest-duration"]


def test_interruptions_have_a_limit_together() -> None:
    earlier = [Pause(date(2026, 1, 1), date(2026, 7, 1))]
    today = date(2027, 1, 1)
    assert codes(why_not_pause(date(2027, 2, 1), date(2027, 7, 1), earlier=earlier, limits=LIMITS, today=today)) == []
    assert codes(why_not_pause(date(2027, 2, 1), date(2027, 9, 1), earlier=earlier, limits=LIMITS, today=today)) == ["pause-too-long"]
    assert codes(why_not_pause(date(2026, 2, 1), date(2025, 9, 1), earlier=[], limits=LIMITS, today=today)) == ["pause-order", "pause-past"]


def test_a_module_failed_as_often_as_possible_is_found_unless_it_was_passed_or_granted() -> None:
    failed = [Attempt("A", "failed"), Attempt("A", "failed", 2)]
    assert exhausted(PLAN, failed, LIMITS) == ["A"]
    assert exhausted(PLAN, failed, LIMITS, ["A"]) == []
    assert exhausted(PLAN, [*failed, Attempt("A", "passed", 3)], LIMITS) == []

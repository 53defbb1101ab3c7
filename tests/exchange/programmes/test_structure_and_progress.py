"""What a programme consists of, how far somebody is in it, and when the clock stops."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsm.exchange.programmes.progress import Attempt, Pause, last_day, months_later, progress_of, tries
from vsm.exchange.programmes.structure import Group, Module, Structure, structure_gaps, structure_problems


def title(text: str) -> dict[str, str]:
    return {"en": text}


GROUPS = (Group("CORE", title("Core")), Group("ELEC", title("Electives"), "elective", Decimal(10)))
MODULES = (
    Module("A", title("A"), Decimal(15), "CORE"),
    Module("B", title("B"), Decimal(15), "CORE", 2, ("A",)),
    Module("T", title("Thesis"), Decimal(20), "CORE", 3, ("B",)),
    Module("X", title("X"), Decimal(10), "ELEC"),
    Module("Y", title("Y"), Decimal(6), "ELEC", 2),
    Module("Z", title("Z"), Decimal(6), "ELEC", 2),
)
PLAN = Structure(GROUPS, MODULES, Decimal(60))


def codes(reasons: object) -> list[str]:
    return [reason.code for reason in reasons]  # type: ignore[attr-defined]


def test_a_structure_that_can_be_studied_has_nothing_against_it() -> None:
    assert (codes(structure_problems(PLAN)), codes(structure_gaps(PLAN)), PLAN.terms) == ([], [], 3)


def test_every_fault_of_a_structure_is_told_at_once() -> None:
    broken = Structure(
        (*GROUPS, Group("CORE", title("Again"))),
        (
            *MODULES, Module("A", title("Twice"), Decimal(1), "CORE"), Module("Q", title("Q"), Decimal(0), "NONE", 99, ("MISSING", "T")),
            Module("R", title("R"), Decimal(1), "CORE", 2, ("B",)),
        ),
        Decimal(60),
    )  # fmt: skip
    assert codes(structure_problems(broken)) == [
        "group-twice", "module-twice", "group-unknown", "module-credits", "module-term", "prerequisite-unknown", "prerequisite-order",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("structure", "expected"),
    [
        (Structure(GROUPS, (), Decimal(60)), ["no-modules"]),
        (Structure(GROUPS, MODULES, Decimal(61)), ["total-differs"]),
        (Structure((GROUPS[0], Group("ELEC", title("E"), "elective", Decimal(40))), MODULES, Decimal(90)), ["group-credits"]),
        (Structure((*GROUPS, Group("NONE", title("N"))), MODULES, Decimal(60)), ["group-empty"]),
    ],
)
def test_a_programme_that_nobody_can_finish_is_not_published(structure: Structure, expected: list[str]) -> None:
    assert codes(structure_gaps(structure)) == expected


def test_nothing_is_earned_and_everything_is_missing_in_the_recommended_order_at_the_start() -> None:
    found = progress_of(PLAN, [], terms_studied=0, by=None)
    assert (found.earned, found.taking, found.left, found.is_complete, found.is_behind) == (Decimal(0), Decimal(0), Decimal(60), False, False)
    assert [(each.code, each.credits, each.term) for each in found.missing] == [("", Decimal(10), 1), ("A", Decimal(15), 1), ("B", Decimal(15), 2), ("T", Decimal(20), 3)]


def test_credits_beyond_what_an_elective_group_asks_for_do_not_bring_the_award_nearer() -> None:
    taken = [Attempt("X", "passed"), Attempt("Y", "passed")]
    found = progress_of(PLAN, taken, terms_studied=1, by=None)
    assert (found.earned, found.groups[1].earned, found.groups[1].surplus, found.groups[1].missing) == (Decimal(10), Decimal(10), Decimal(6), Decimal(0))


def test_a_failed_module_is_missing_again_with_the_attempts_that_were_made() -> None:
    taken = [Attempt("A", "failed"), Attempt("A", "failed", 2), Attempt("A", "dropped", 3)]
    found = progress_of(PLAN, taken, terms_studied=2, by=None)
    assert [(each.code, each.attempts) for each in found.missing if each.code == "A"] == [("A", 2)]
    assert (found.expected, found.is_behind, tries(taken, "A")) == (Decimal("40.0"), True, 2)


def test_what_is_being_taken_counts_against_the_plan_but_not_as_earned() -> None:
    found = progress_of(PLAN, [Attempt("A", "taking"), Attempt("X", "taking")], terms_studied=1, by=None)
    assert (found.earned, found.taking, found.expected, found.is_behind) == (Decimal(0), Decimal(25), Decimal("20.0"), False)


STATES = st.sampled_from(["taking", "passed", "failed", "dropped"])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.builds(Attempt, st.sampled_from([each.code for each in MODULES]), STATES), max_size=14), st.integers(0, 6))
def test_progress_never_exceeds_the_programme_and_adds_up(attempts: list[Attempt], studied: int) -> None:
    found = progress_of(PLAN, attempts, terms_studied=studied, by=None)
    assert Decimal(0) <= found.earned + found.taking <= found.total
    for group in found.groups:
        assert group.earned + group.taking + group.missing == group.needed
        assert min(group.earned, group.taking, group.missing, group.surplus) >= 0
    assert found.is_complete == (sum((each.missing + each.taking for each in found.groups), Decimal(0)) == 0)
    assert sum((each.credits for each in found.missing), Decimal(0)) == found.total - found.earned - found.taking


@settings(max_examples=100, deadline=None)
@given(st.lists(st.builds(Attempt, st.sampled_from([each.code for each in MODULES]), STATES), max_size=10), st.sampled_from([each.code for each in MODULES]))
def test_passing_one_more_module_never_takes_credit_away(attempts: list[Attempt], code: str) -> None:
    before = progress_of(PLAN, attempts, terms_studied=0, by=None)
    after = progress_of(PLAN, [*attempts, Attempt(code, "passed", 9)], terms_studied=0, by=None)
    assert after.earned >= before.earned


def test_interruptions_stop_the_clock_of_the_longest_duration() -> None:
    begun = date(2027, 1, 31)
    assert last_day(begun, 1, []) == date(2027, 2, 28)
    assert last_day(begun, 24, [Pause(date(2027, 5, 1), date(2027, 5, 11)), Pause(date(2028, 1, 1), date(2028, 1, 2))]) == date(2029, 2, 11)


@pytest.mark.parametrize(("day", "months", "expected"), [(date(2027, 10, 31), 4, date(2028, 2, 29)), (date(2027, 12, 1), 12, date(2028, 12, 1)), (date(2027, 12, 31), 1, date(2028, 1, 31)), (date(2027, 1, 15), 0, date(2027, 1, 15))])
def test_a_month_later_is_the_same_day_or_the_last_of_a_shorter_month(day: date, months: int, expected: date) -> None:
    assert months_later(day, months) == expected

"""Every student is told why, in words that hold and that tell nothing about anybody else."""

import pytest
from hypothesis import given, settings

from tests.exchange.allocation.oracle import problems
from vsm.exchange.allocation import lottery
from vsm.exchange.allocation.explain import Explainer, reasons
from vsm.exchange.allocation.problem import Offering, Problem, Student
from vsm.exchange.allocation.solver import allocate
from vsm.kit.verdict import Reason

law = settings(deadline=None)


def test_each_choice_of_the_list_has_its_reason() -> None:
    problem = Problem.of(
        offerings=[Offering("algebra", 1), Offering("biology", 1), Offering("chemistry", 1), Offering("drama", 0)],
        students=[
            Student.ranking("ana", [("drama", 1), ("algebra", 4), ("biology", 3), ("chemistry", 1)]),
            Student.ranking("bia", [("algebra", 3)]),
            Student.ranking("carla", [("biology", 4)]),
        ],
        seed="corn",
    )

    assert said(reasons(problem, allocate(problem), "ana")) == [
        ("no-seats", "drama, your choice number 1, has no seats. You are number 1 on the waiting list."),
        (
            "full-band",
            "algebra, your choice number 2, is full. Seats: 1. The last person admitted was in priority band 3, you "
            "are in band 4; a lower band goes first (your lottery number: 0.35). You are number 1 on the waiting list.",
        ),
        ("placed", "You have a seat in biology, your choice number 3."),
        (
            "enough-seats",
            "chemistry, your choice number 4, was not considered: you have all the seats you asked for (1), in choices "
            "you ranked higher.",
        ),
    ]


def test_a_tie_is_explained_by_the_lottery() -> None:
    problem = Problem.of(
        offerings=[Offering("algebra", 1)],
        students=[Student.ranking(name, [("algebra", 1)]) for name in ("ana", "bia", "carla")],
        seed="corn",
    )

    assert said(reasons(problem, allocate(problem), "bia")) == [
        (
            "full-lottery",
            "algebra, your choice number 1, is full. Seats: 1. In your priority band (1) the lottery decided, lower "
            "numbers first: the last number admitted was 0.33, yours is 0.66. You are number 2 on the waiting list.",
        )
    ]


def test_where_the_lottery_alone_decides_no_band_is_mentioned() -> None:
    problem = Problem.of(
        offerings=[Offering("algebra", 1)],
        students=[Student.ranking("ana", [("algebra", 9)]), Student.ranking("bia", [("algebra", 1)])],
        seed="corn",
        mechanism="serial_dictatorship",
    )

    assert said(reasons(problem, allocate(problem), "bia")) == [
        (
            "full-turn",
            "algebra, your choice number 1, was full when it was your turn. Seats: 1. Turns followed the "
            "lottery, lower numbers first: the last number admitted was 0.35, yours is 0.66. "
            "You are number 1 on the waiting list.",
        )
    ]


def test_two_lottery_numbers_that_begin_alike_are_shown_with_enough_digits() -> None:
    number = {name: lottery.number("quinoa", name) for name in ("bia", "carla")}
    first, second = sorted(number, key=number.__getitem__)
    problem = Problem.of(
        offerings=[Offering("algebra", 1)],
        students=[Student.ranking(name, [("algebra", 1)]) for name in number],
        seed="quinoa",
    )
    (reason,) = reasons(problem, allocate(problem), second)

    assert lottery.shown(number[first]) == lottery.shown(number[second]) == "0.85"
    assert (reason.params["last_lottery"], reason.params["lottery"]) == ("0.850", "0.855")


@law
@given(problems())
def test_reasons_agree_with_the_outcome(problem: Problem) -> None:
    outcome = allocate(problem)
    waiting = {admission.offering: admission.waiting for admission in outcome.admissions}
    placed = {(placement.student, placement.offering) for placement in outcome.placements}

    for student_id, told in Explainer(problem, outcome).everybody():
        student = problem.student(student_id)
        assert [reason.params["rank"] for reason in told] == [choice.rank for choice in student.choices]
        for reason, choice in zip(told, student.choices, strict=True):
            position = reason.params.get("position")
            assert (reason.code == "placed") == ((student_id, choice.offering) in placed)
            assert (position is not None) == (student_id in waiting[choice.offering])
            assert position is None or waiting[choice.offering][int(str(position)) - 1] == student_id
            assert "%" not in reason.text % reason.params


@law
@given(problems())
def test_no_reason_holds_anything_about_another_student(problem: Problem) -> None:
    sentinels = Problem.of(
        offerings=problem.offerings,
        students=[
            Student(f"SENTINEL-{student.id}", student.seats_wanted, student.choices) for student in problem.students
        ],
        seed=problem.seed,
        mechanism=problem.mechanism,
    )
    outcome = allocate(sentinels)
    # The sentinel must be able to leak: the outcome that the reasons are made from is full of it.
    assert not sentinels.students or "SENTINEL" in outcome.canonical.decode()

    for student in sentinels.students:
        told = repr(reasons(sentinels, outcome, student.id))
        assert "SENTINEL" not in told.replace(student.id, "")


@law
@given(problems(mechanism="deferred_acceptance"))
def test_a_lottery_number_of_the_last_admitted_is_told_only_where_it_decided(problem: Problem) -> None:
    for _, told in Explainer(problem, allocate(problem)).everybody():
        assert all(("last_lottery" in reason.params) == (reason.code == "full-lottery") for reason in told)


def test_a_stranger_has_no_reasons() -> None:
    problem = Problem.of(offerings=[], students=[], seed="corn")

    with pytest.raises(KeyError):
        reasons(problem, allocate(problem), "dora")


def test_an_outcome_of_another_problem_is_refused() -> None:
    problem, other = (Problem.of(offerings=[], students=[], seed=seed) for seed in ("corn", "rice"))

    with pytest.raises(ValueError, match="another problem"):
        Explainer(problem, allocate(other))


def said(told: tuple[Reason, ...]) -> list[tuple[str, str]]:
    return [(reason.code, reason.text % reason.params) for reason in told]

"""Under policies too, every student is told why: in words that hold, in four languages, and about herself alone."""

from dataclasses import replace
from typing import Any

from django.utils import translation
from hypothesis import given, settings

from tests.exchange.allocation.oracle_policies import seeds, with_policies, with_reserves
from tests.exchange.allocation.test_explain import said
from tests.exchange.allocation.test_policies import solved
from vsm.exchange.allocation.explain import TEXTS, Explainer, reasons
from vsm.exchange.allocation.problem import Bound, Meeting, Offering, Problem, Quota, Reserve, Student
from vsm.exchange.allocation.solver import allocate
from vsm.kit.saying import say_reason

law = settings(deadline=None, max_examples=80)


@law
@given(seeds())
def test_every_choice_has_a_reason_that_agrees_with_the_outcome(random: Any) -> None:
    problem = random.choice([with_policies, with_reserves])(random)
    outcome = solved(problem)
    if outcome is None:
        return
    waiting = {admission.offering: admission.waiting for admission in outcome.admissions}
    placed = {(placement.student, placement.offering) for placement in outcome.placements}

    for student_id, told in Explainer(problem, outcome).everybody():
        for reason, choice in zip(told, problem.student(student_id).choices, strict=True):
            position = reason.params.get("position")
            assert TEXTS[reason.code] == reason.text
            assert "%" not in reason.text % reason.params
            assert (reason.code in ("placed", "pledged")) == ((student_id, choice.offering) in placed)
            assert (position is not None) == (student_id in waiting[choice.offering])
            assert position is None or waiting[choice.offering][int(str(position)) - 1] == student_id


@law
@given(seeds())
def test_no_reason_holds_anything_about_another_student(random: Any) -> None:
    drawn = with_policies(random)
    problem = drawn.but(students=[replace(each, id=f"SENTINEL-{each.id}") for each in drawn.students])
    outcome = solved(problem)
    if outcome is None:
        return
    assert not problem.students or "SENTINEL" in outcome.canonical.decode()

    for student, told in Explainer(problem, outcome).everybody():
        assert "SENTINEL" not in repr(told).replace(student, "")


def test_reserved_seats_are_told() -> None:
    offering = Offering("algebra", 2, (Reserve("rural", 1),))
    students = [
        Student.ranking("ana", [("algebra", 2)]),
        Student.ranking("bia", [("algebra", 1)]),
        Student.ranking("carla", [("algebra", 3)], groups=("rural",)),
    ]
    problem = Problem.of(offerings=[offering], students=students, seed="corn")

    assert said(reasons(problem, allocate(problem), "ana")) == [
        (
            "reserved-band",
            "algebra, your choice number 1, is full. Seats: 2; for 1 of them members of certain groups go first. Of those who "
            "competed for the same seats as you, the last admitted was in priority band 1, you are in band 2; a lower band goes "
            "first (your lottery number: 0.35). You are number 1 on the waiting list.",
        )
    ]
    all_reserved = problem.but(offerings=[Offering("algebra", 1, (Reserve("rural", 1),))])
    assert [code for code, _ in said(reasons(all_reserved, allocate(all_reserved), "bia"))] == ["reserved-filled"]


def test_quotas_bounds_and_timetables_are_told() -> None:
    offerings = [
        Offering("algebra", 4, labels=("chile",), meetings=(Meeting(0, 90),), credits=600),
        Offering("biology", 2, meetings=(Meeting(60, 120),), credits=600),
        Offering("chemistry", 2, bounds=(Bound("first", maximum=1),)),
        Offering("drama", 3, credits=600),
    ]
    wishes = [("algebra", 2), ("biology", 1), ("chemistry", 2), ("drama", 1)]
    students = [
        Student.ranking("ana", wishes[:1], origin="andina"),
        Student.ranking("bia", wishes, 4, groups=("first",), origin="garoa", credits_range=(1200, 1200)),
        Student.ranking("carla", [("chemistry", 1)], groups=("first",)),
        Student.ranking("dora", [("algebra", 3)], origin="andina"),
        Student.ranking("eva", [("drama", 1), ("algebra", 1)], 2, credits_range=(1300, 1300)),
        Student.ranking("fay", [("drama", 1), ("biology", 1)], 2, credits_range=(0, 600)),
    ]
    quota = Quota("Andina–Chile 2027", ("andina",), ("chile",), maximum=1)
    problem = Problem.of(offerings=offerings, students=students, seed="corn", quotas=[quota])
    outcome = allocate(problem)
    explainer = Explainer(problem, outcome)
    told = {student: [reason.code for reason in mine] for student, mine in explainer.everybody()}

    assert told == {
        "ana": ["placed"],
        "bia": ["placed", "clash", "group-full", "placed"],
        "carla": ["placed"],
        "dora": ["quota-full"],
        "eva": ["placed", "placed"],
        "fay": ["placed", "credits"],
    }
    assert said(explainer.reasons("dora"))[0][1].startswith(
        "algebra, your choice number 1: the quota “Andina–Chile 2027” allows 1 seats, and all of them are given."
    )
    assert said(explainer.reasons("fay"))[1][1] == (
        "biology, your choice number 2, was not considered: beside the seats that you ranked higher and have it would exceed your "
        "6 credits."
    )
    few = explainer.few_credits("eva")
    assert few is not None
    assert few.text % few.params == "Your seats give 12 credits; you asked for at least 13."
    assert explainer.few_credits("ana") is None


def test_a_clash_names_the_seat_that_she_has() -> None:
    offerings = [Offering("algebra", 1, meetings=(Meeting(0, 90),)), Offering("biology", 1, meetings=(Meeting(60, 120),))]
    students = [Student.ranking("ana", [("algebra", 1), ("biology", 1)], 2)]
    problem = Problem.of(offerings=offerings, students=students, seed="corn")

    assert said(reasons(problem, allocate(problem), "ana"))[1] == (
        "clash",
        "biology, your choice number 2, was not considered: it meets at the same time as algebra, which you ranked higher and have.",
    )


def test_reasons_are_told_in_four_languages() -> None:
    problem = Problem.of(
        offerings=[Offering("algebra", 1, (Reserve("rural", 1),))],
        students=[Student.ranking("ana", [("algebra", 1)]), Student.ranking("bia", [("algebra", 2)], groups=("rural",))],
        seed="corn",
    )
    (reason,) = reasons(problem, allocate(problem), "ana")
    told = set()
    for language in ("en", "es", "pt-br", "fr"):
        with translation.override(language):
            told.add(say_reason(reason))

    assert len(told) == 4
    assert all("algebra" in sentence and "%" not in sentence for sentence in told)

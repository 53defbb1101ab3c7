"""The plan as a text: canonical, complete, compared, signed; and the certificate's criteria."""

from dataclasses import replace
from uuid import uuid4

import pytest
from django.utils.translation import override

from vsm.exchange.collaborations.rules import (
    Achieved,
    Period,
    Plan,
    Task,
    as_json,
    differences,
    digest_of,
    from_json,
    reaches,
    told,
    why_incomplete,
    why_no_certificate,
    why_not_sign,
)
from vsm.kit.saying import say_reasons

SIDE = {"organisation": "o", "name": {"en": "Uni"}, "country": "CO", "teacher": "t", "teacher_name": "Pilar", "credits": "", "credit_system": "", "counts_as": ""}
PLAN = Plan(
    exchange="e", number=1, follows="", title={"en": "Water"}, first=SIDE, second={**SIDE, "teacher_name": "Rémy"}, zone="Europe/Paris", languages=("en",), tools=("Padlet",),
    phases=(Period(phase="icebreaker", starts_on="2027-02-15", ends_on="2027-02-28"), Period(phase="collaboration", starts_on="2027-03-01", ends_on="2027-04-04"), Period(phase="reflection", starts_on="2027-04-05", ends_on="2027-04-18")),
    tasks=(Task(key="T1", title="Rivers", phase="collaboration", kind="team", due="2027-03-15T23:59", hours="8"), Task(key="T2", title="What I learnt", phase="reflection", kind="individual", due="2027-04-16T23:59")),
    hours="30", facilitation="Both.", assessment="Ten per cent.", conduct="Listen.",
)  # fmt: skip


def codes(plan: Plan) -> list[str]:
    return [reason.code for reason in why_incomplete(plan)]


def test_the_text_survives_its_json_with_the_same_digest() -> None:
    assert from_json(as_json(PLAN)) == PLAN
    assert digest_of(from_json(as_json(PLAN))) == digest_of(PLAN)
    assert digest_of(replace(PLAN, conduct="Listen!")) != digest_of(PLAN)


def test_a_complete_plan_lacks_nothing() -> None:
    assert codes(PLAN) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"languages": (), "tools": (), "facilitation": " ", "assessment": "", "conduct": ""}, ["languages-missing", "tools-missing", "facilitation-missing", "assessment-missing", "conduct-missing"]),
        ({"phases": PLAN.phases[:2]}, ["phase-missing"]),
        ({"phases": (PLAN.phases[0], replace(PLAN.phases[1], starts_on="2027-02-20"), PLAN.phases[2])}, ["phases-overlap"]),
        ({"phases": (replace(PLAN.phases[0], ends_on="2027-02-01"), *PLAN.phases[1:])}, ["phase-backwards"]),
        ({"tasks": PLAN.tasks[1:]}, ["no-team-task"]),
        ({"tasks": PLAN.tasks[:1]}, ["no-reflection"]),
        ({"tasks": PLAN.tasks[:1], "needs_reflection": False}, []),
        ({"tasks": (replace(PLAN.tasks[0], due="2027-05-15T10:00"), PLAN.tasks[1])}, ["task-outside"]),
        ({"hours": "5"}, ["too-many-hours"]),
    ],
)
def test_what_is_missing_is_told_all_at_once(change: dict[str, object], expected: list[str]) -> None:
    assert codes(replace(PLAN, **change)) == expected  # type: ignore[arg-type]


def test_nobody_signs_for_the_other_class_or_twice_or_for_both() -> None:
    pilar, remy = uuid4(), uuid4()

    def why(side: str, sides: tuple[str, ...], signed: dict[str, object], person: object) -> list[str]:
        return [reason.code for reason in why_not_sign(side, sides=sides, signed=signed, person=person)]  # type: ignore[arg-type]

    assert why("first", ("first",), {}, pilar) == []
    assert why("second", ("first",), {}, pilar) == ["not-your-side"]
    assert why("first", ("first",), {"first": pilar}, pilar) == ["already-signed"]
    assert why("second", ("first", "second"), {"first": pilar}, pilar) == ["one-side-each"]
    assert why("second", ("second",), {"first": pilar}, remy) == []


def test_differences_name_facts_tasks_and_sides() -> None:
    after = replace(
        PLAN, conduct="Listen well.", first={**SIDE, "credits": "1"}, phases=(PLAN.phases[0], PLAN.phases[1], replace(PLAN.phases[2], ends_on="2027-04-25")),
        tasks=(replace(PLAN.tasks[0], due="2027-03-22T23:59"), Task(key="T3", title="Streets", phase="collaboration", kind="team", due="2027-04-01T23:59")),
    )  # fmt: skip
    with override("es"):
        said = say_reasons(told(change) for change in differences(PLAN, after))
    assert said == [
        "Código de conducta: antes “Listen.”, ahora “Listen well.”.",
        "Créditos: antes “—”, ahora “1”.",
        "Reflexión: antes “del 5 de abril de 2027 al 18 de abril de 2027”, ahora “del 5 de abril de 2027 al 25 de abril de 2027”.",
        "Quitado: What I learnt.",
        "Rivers — Entrega: antes “15 de marzo de 2027, 23:59”, ahora “22 de marzo de 2027, 23:59”.",
        "Añadido: Streets.",
    ]
    assert {told(change).code for change in differences(PLAN, after)} == {"text-changed", "text-removed", "text-added"}


def test_languages_are_told_by_name_and_their_order_says_nothing() -> None:
    both = replace(PLAN, languages=("en", "es"), tools=("Padlet", "Jitsi"))
    assert differences(both, replace(both, languages=("es", "en"), tools=("Jitsi", "Padlet"))) == ()
    with override("es"):
        assert say_reasons(map(told, differences(PLAN, replace(PLAN, languages=("en", "pt-br"))))) == ["Idiomas: antes “inglés”, ahora “inglés, portugués (Brasil)”."]


def test_shares_are_met_exactly_and_nothing_due_is_nothing_missed() -> None:
    assert [reaches(7, 10, "70"), reaches(2, 3, "67"), reaches(0, 0, "100")] == [True, False, True]


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        ({}, []),
        ({"tasks_done": 2}, ["tasks"]),
        ({"check_ins": 4}, ["check-ins"]),
        ({"reflected": False}, ["reflection"]),
        ({"tasks_done": 0, "check_ins": 0, "reflected": False}, ["tasks", "check-ins", "reflection"]),
    ],
)
def test_a_certificate_needs_every_criterion_of_the_plan(done: dict[str, object], expected: list[str]) -> None:
    facts = {"tasks_due": 4, "tasks_done": 3, "weeks": 8, "check_ins": 5, "reflected": True, **done}
    assert [reason.code for reason in why_no_certificate(PLAN, Achieved(**facts))] == expected  # type: ignore[arg-type]

"""The audit accepts the right outcome and no other."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.exchange.allocation.oracle import Matching, is_stable, problems, stable_matchings, wishes
from vsm.exchange.allocation import audit, claims, solver
from vsm.exchange.allocation.problem import Choice, Offering, Problem, Student, canonical_json
from vsm.exchange.allocation.solver import Outcome, allocate

law = settings(deadline=None, max_examples=80)
Fields = dict[str, Any]


@law
@given(problems())
def test_the_solver_s_outcome_is_certified(problem: Problem) -> None:
    audited = audit.check(problem.canonical, allocate(problem).canonical)

    assert audited.violations == ()
    assert audited.proved == audit.PROVED
    assert audited.applications == sum(len(student.choices) for student in problem.students)
    assert (audited.problem, audited.outcome) == (problem.digest, allocate(problem).digest)


@law
@given(problems(), st.data())
def test_any_other_placement_is_refused_however_consistently_it_is_written(
    problem: Problem, data: st.DataObject
) -> None:
    seats = {
        (student.id, offering)
        for student in problem.students
        for offering in wishes(student)
        if data.draw(st.booleans())
    }
    forged = written(problem, frozenset(seats))
    assume(forged != allocate(problem).canonical)

    assert audit.check(problem.canonical, forged).violations


@settings(deadline=None, max_examples=40)
@given(problems(most_students=4, most_seats_wanted=2))
def test_of_all_stable_matchings_only_the_best_for_students_is_certified(problem: Problem) -> None:
    right = allocate(problem).canonical

    for matching in stable_matchings(problem):
        forged = written(problem, matching)
        codes = {reason.code for reason in audit.check(problem.canonical, forged).violations}
        assert codes == (set() if forged == right else {"not-student-optimal"})


def test_a_stable_matching_that_is_worse_for_students_names_who_could_have_a_better_seat() -> None:
    problem = Problem.of(
        offerings=[Offering("algebra", 1), Offering("biology", 1)],
        students=[
            Student.ranking("ana", [("algebra", 2), ("biology", 1)]),
            Student.ranking("bia", [("biology", 2), ("algebra", 1)]),
            Student.ranking("carla", [("algebra", 3), ("biology", 3)]),
        ],
        seed="corn",
    )
    worse = frozenset({("ana", "biology"), ("bia", "algebra")})
    (reason,) = audit.check(problem.canonical, written(problem, worse)).violations

    assert is_stable(problem, worse)
    assert reason.code == "not-student-optimal"
    assert reason.params == {"students": ["ana", "bia"], "offerings": ["algebra", "biology"]}


# One problem with every kind of fate, and faults planted in its outcome: each must be found by its own name.
PROBLEM = Problem.of(
    offerings=[Offering("algebra", 2), Offering("biology", 1), Offering("chemistry", 3), Offering("drama", 0)],
    students=[
        Student("ana", 2, (Choice(1, "algebra", 1), Choice(2, "biology", 1), Choice(3, "chemistry", 1))),
        Student("bia", 1, (Choice(1, "algebra", 2), Choice(2, "drama", 1))),
        Student("carla", 1, (Choice(1, "algebra", 3), Choice(2, "chemistry", 1))),
        Student("dora", 1, (Choice(1, "biology", 2),)),
        Student("eva", 1, ()),
    ],
    seed="corn",
)


def place(fields: Fields, *placements: list[object]) -> None:
    fields["placements"] = sorted([*fields["placements"], *placements])


def unplace(fields: Fields, student: str) -> None:
    fields["placements"] = [row for row in fields["placements"] if row[0] != student]


def swap(fields: Fields, student: str, other: str, offering: str) -> None:
    unplace(fields, other)
    place(fields, [student, offering, 1])


FAULTS: dict[str, tuple[str, Callable[[Fields], object]]] = {
    "a seat not chosen": ("not-chosen", lambda f: place(f, ["eva", "chemistry", 1])),
    "a seat that does not exist": ("not-chosen", lambda f: place(f, ["eva", "zoology", 1])),
    "a student who did not apply": ("student-unknown", lambda f: place(f, ["zoe", "chemistry", 1])),
    "the same seat twice": ("placed-twice", lambda f: place(f, ["ana", "algebra", 1])),
    "more seats than wanted": ("too-many-seats", lambda f: place(f, ["ana", "chemistry", 3])),
    "more students than seats": ("over-capacity", lambda f: place(f, ["dora", "biology", 1])),
    "a student in an offering without seats": ("over-capacity", lambda f: place(f, ["bia", "drama", 2])),
    "somebody who goes after her has her seat": ("justified-envy", lambda f: swap(f, "carla", "bia", "algebra")),
    "a wanted seat left empty": ("wasted-seat", lambda f: unplace(f, "bia")),
    "another rank": ("wrong-placements", lambda f: f["placements"][0].__setitem__(2, 2)),
    "placements in another order": ("wrong-placements", lambda f: f["placements"].reverse()),
    "an unplaced student left out": ("wrong-unplaced", lambda f: f["unplaced"].remove("eva")),
    "a placed student among the unplaced": ("wrong-unplaced", lambda f: f["unplaced"].insert(0, "ana")),
    "another cut-off band": ("wrong-last-admitted", lambda f: f["admissions"][0]["last_admitted"].update(band=3)),
    "another cut-off number": ("wrong-last-admitted", lambda f: f["admissions"][0]["last_admitted"].update(lottery=1)),
    "a cut-off where nobody is": (
        "wrong-last-admitted",
        lambda f: f["admissions"][3].update(last_admitted={"band": 1, "lottery": 1}),
    ),
    "another number placed": ("wrong-placed", lambda f: f["admissions"][1].update(placed=0)),
    "somebody missing on a waiting list": ("wrong-waiting", lambda f: f["admissions"][0]["waiting"].clear()),
    "somebody too many on a waiting list": ("wrong-waiting", lambda f: f["admissions"][1]["waiting"].append("carla")),
    "an offering left out": ("wrong-admissions", lambda f: f["admissions"].pop()),
    "an offering twice": ("wrong-admissions", lambda f: f["admissions"].append(f["admissions"][0])),
    "an offering that does not exist": (
        "wrong-admissions",
        lambda f: f["admissions"].append({**f["admissions"][0], "offering": "zoology"}),
    ),
    "another problem": ("wrong-problem", lambda f: f.update(problem="0" * 64)),
    "another mechanism": ("wrong-mechanism", lambda f: f.update(mechanism="serial_dictatorship")),
    "another format": ("wrong-format", lambda f: f.update(format="vsm-allocation-outcome-0")),
    "something more": ("wrong-note", lambda f: f.update(note="trust me")),
    "something missing": ("unreadable", lambda f: f.pop("placements")),
    "a placement without rank": ("unreadable", lambda f: f["placements"][0].pop()),
    "a number that is equal but written differently": (
        "not-canonical",
        lambda f: f["admissions"][1].update(placed=True),
    ),
}


@pytest.mark.parametrize(("code", "plant"), FAULTS.values(), ids=FAULTS.keys())
def test_a_planted_fault_is_found_by_name(code: str, plant: Callable[[Fields], object]) -> None:
    fields = json.loads(allocate(PROBLEM).canonical)
    plant(fields)
    audited = audit.check(PROBLEM.canonical, canonical_json(fields))

    assert code in [reason.code for reason in audited.violations]
    assert audited.proved == ()
    for reason in audited.violations:
        assert reason.text % reason.params


def test_waiting_lists_in_another_order_are_found() -> None:
    problem = Problem.of(
        offerings=[Offering("algebra", 1)],
        students=[Student.ranking(name, [("algebra", 1)]) for name in ("ana", "bia", "carla")],
        seed="corn",
    )
    fields = json.loads(allocate(problem).canonical)
    fields["admissions"][0]["waiting"].reverse()
    (reason,) = audit.check(problem.canonical, canonical_json(fields)).violations

    assert (reason.code, reason.params["stated"]) == ("wrong-waiting", ["bia", "ana"])


def test_every_student_wronged_is_named() -> None:
    fields = json.loads(allocate(PROBLEM).canonical)
    swap(fields, "carla", "bia", "algebra")
    found = audit.check(PROBLEM.canonical, canonical_json(fields)).violations

    assert [reason.params for reason in found if reason.code == "justified-envy"] == [
        {"student": "bia", "offering": "algebra", "instead": "carla"}
    ]


@pytest.mark.parametrize("content", [b"", b"7", b"[]", b"\xff", b"null", b"{}", b"[" * 100_000])
def test_what_cannot_be_read_is_a_violation_not_an_error(content: bytes) -> None:
    right = allocate(PROBLEM).canonical

    assert [reason.code for reason in audit.check(content, right).violations] == ["unreadable"]
    assert [reason.code for reason in audit.check(PROBLEM.canonical, content).violations] == ["unreadable"]


def test_bytes_that_mean_the_same_are_not_the_frozen_ones() -> None:
    outcome = allocate(PROBLEM).canonical

    assert [reason.code for reason in audit.check(PROBLEM.canonical, outcome + b"\n").violations] == ["not-canonical"]


def test_rules_unknown_to_the_audit_are_not_certified() -> None:
    fields = json.loads(PROBLEM.canonical)
    fields["mechanism"] = "first come"
    outcome = json.loads(allocate(PROBLEM).canonical)
    outcome["mechanism"] = "first come"
    found = audit.check(canonical_json(fields), canonical_json(outcome)).violations

    assert {reason.code for reason in found} == {"unknown-rule", "wrong-problem"}


def test_the_audit_shares_no_code_with_the_solver() -> None:
    imported = {
        value.__module__
        for module in (audit, claims)
        for value in vars(module).values()
        if getattr(value, "__module__", "").startswith("vsm.")
    }
    assert {name for name in imported if not name.startswith("vsm.kit.")} == {audit.__name__, claims.__name__}
    assert [value for module in (audit, claims) for value in vars(module).values() if type(value) is type(audit)] == [hashlib, hmac, json]


def written(problem: Problem, matching: Matching) -> bytes:
    """An outcome with these placements and everything else as it follows from them: a forgery without a slip.

    Placements without a rank are impossible here, for all seats are on the lists.
    """
    run = solver.Run(problem)
    index = {offering.id: position for position, offering in enumerate(problem.offerings)}
    wished = {(student, index[offering]) for student, offering in matching}
    granted = [
        (student, run.flat.targets[application]) in wished
        for position, student in enumerate(run.flat.students)
        for application in range(run.flat.starts[position], run.flat.starts[position + 1])
    ]
    outcome: Outcome = run.outcome(granted)
    assert {(each.student, each.offering) for each in outcome.placements} == matching
    return outcome.canonical

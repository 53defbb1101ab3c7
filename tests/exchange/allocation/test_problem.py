"""A frozen problem is validated as a whole, and has one way to be written."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchange.allocation.oracle import problems
from vsm.exchange.allocation.problem import Choice, Offering, Problem, Student, canonical_json
from vsm.kit.errors import Invalid

law = settings(deadline=None)
text = st.text(st.characters(exclude_categories=["Cs"]))


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        Problem.of(
            offerings=[Offering("algebra", 2), Offering("algebra", 1), Offering("law", -1), Offering(" ", 1)],
            students=[
                Student("ana", 0, (Choice(1, "algebra", 1), Choice(1, "law", 1))),
                Student("ana", 1, (Choice(1, "music", 1),)),
                Student("bia", 1, (Choice(1, "law", 1), Choice(2, "law", 1), Choice(0, "algebra", True))),
                Student("", 1, ()),
            ],
            seed="",
            mechanism="first come",
            lottery="two",
        )

    assert [(reason.code, reason.field) for reason in refused.value.reasons] == [
        ("seed-missing", "seed"),
        ("mechanism-unknown", "mechanism"),
        ("lottery-unknown", "lottery"),
        ("offering-id-wrong", "id"),
        ("offering-repeated", "id"),
        ("capacity-wrong", "capacity"),
        ("student-id-wrong", "id"),
        ("student-repeated", "id"),
        ("seats-wanted-wrong", "seats_wanted"),
        ("rank-repeated", "rank"),
        ("offering-unknown", "offering"),
        ("choice-repeated", "offering"),
        ("rank-wrong", "rank"),
        ("band-wrong", "band"),
    ]


def test_every_fault_can_be_said_in_words() -> None:
    with pytest.raises(Invalid) as refused:
        Problem.of(offerings=[], students=[Student("ana", 1, (Choice(3, "music", 1),))], seed="corn")

    (reason,) = refused.value.reasons
    assert reason.text % reason.params == "Student ana, rank 3: there is no offering music."


@pytest.mark.parametrize("capacity", [-1, 2**31, 1.0, True, "1", None])
def test_seats_are_counted_in_whole_numbers_of_32_bits(capacity: Any) -> None:
    with pytest.raises(Invalid, match="capacity-wrong"):
        Problem.of(offerings=[Offering("algebra", capacity)], students=[], seed="corn")


@pytest.mark.parametrize("name", ["", " ana", "ana\n", "a\tna", "\ud800", 7, None, ["ana"]])
def test_an_id_is_printable_text(name: Any) -> None:
    with pytest.raises(Invalid, match="student-id-wrong"):
        Problem.of(offerings=[], students=[Student(name, 1, ())], seed="corn")


def test_a_ranking_numbers_its_choices_from_one() -> None:
    assert Student.ranking("ana", [("law", 2), ("algebra", 1)], seats_wanted=2) == Student(
        "ana", 2, (Choice(1, "law", 2), Choice(2, "algebra", 1))
    )


@law
@given(problems(), st.randoms())
def test_the_order_in_which_facts_were_read_leaves_no_trace(problem: Problem, random: Random) -> None:
    shuffled = Problem.of(
        offerings=random.sample(problem.offerings, len(problem.offerings)),
        students=[
            Student(student.id, student.seats_wanted, tuple(random.sample(student.choices, len(student.choices))))
            for student in random.sample(problem.students, len(problem.students))
        ],
        seed=problem.seed,
        mechanism=problem.mechanism,
    )

    assert (shuffled, shuffled.canonical, shuffled.digest) == (problem, problem.canonical, problem.digest)


@law
@given(problems())
def test_a_problem_is_read_back_from_its_bytes(problem: Problem) -> None:
    assert Problem.from_bytes(problem.canonical) == problem


def test_the_frozen_form_is_documented_by_this_example() -> None:
    problem = Problem.of(
        offerings=[Offering("álgebra", 2)], students=[Student.ranking("ana", [("álgebra", 1)])], seed="corn"
    )

    assert problem.canonical.decode() == (
        '{"format":"vsm-allocation-problem-1","lottery":"single","mechanism":"deferred_acceptance",'
        '"offerings":[{"capacity":2,"id":"álgebra"}],"seed":"corn",'
        '"students":[{"choices":[[1,"álgebra",1]],"id":"ana","seats_wanted":1}]}'
    )
    assert problem.digest == "3410ef1f1db2de61d909f065346ed1347a5b8e90a8fd7f32d784ceba251a07ff"


@law
@given(st.lists(st.dictionaries(st.sampled_from(["a", "B", "_", "1"]), text | st.integers(-(2**53) + 1, 2**53 - 1))))
def test_canonical_json_is_what_rfc_8785_asks(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda fields: fields.pop("seed"),
        lambda fields: fields.update(format="vsm-allocation-problem-0"),
        lambda fields: fields.update(more=1),
        lambda fields: fields["students"].reverse(),
        lambda fields: fields["students"][0].pop("choices"),
        lambda fields: fields["students"][0]["choices"][0].pop(),
        lambda fields: fields["students"][0].update(seats_wanted="1"),
        lambda fields: fields["students"][0]["choices"].append("abc"),
        lambda fields: fields["offerings"].append(7),
        lambda fields: fields["offerings"][0].update(id=["algebra"]),
        lambda fields: fields.update(mechanism={}),
    ],
)
def test_spoiled_bytes_are_refused(spoil: Callable[[dict[str, Any]], object]) -> None:
    problem = Problem.of(
        offerings=[Offering("algebra", 1)],
        students=[Student.ranking("ana", [("algebra", 1)]), Student.ranking("bia", [("algebra", 1)])],
        seed="corn",
    )
    fields = json.loads(problem.canonical)
    spoil(fields)

    with pytest.raises(Invalid):
        Problem.from_bytes(canonical_json(fields))


@pytest.mark.parametrize("content", [b"", b"[]", b"7", b"\xff", b"null", b"{}"])
def test_other_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(Invalid, match="problem-unreadable"):
        Problem.from_bytes(content)


def test_the_same_facts_written_differently_are_refused() -> None:
    problem = Problem.of(offerings=[], students=[], seed="corn")

    with pytest.raises(Invalid, match="problem-not-canonical"):
        Problem.from_bytes(problem.canonical + b"\n")

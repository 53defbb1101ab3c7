"""PrefLib files are read and written as its format says."""

import pytest
from hypothesis import given, settings

from tests.exchange.allocation.oracle import problems
from vsm.exchange.allocation import preflib
from vsm.exchange.allocation.problem import Choice, Offering, Problem
from vsm.kit.errors import Invalid

TIED = """# FILE NAME: 00001-00000001.toi
# TITLE: Courses
# NUMBER ALTERNATIVES: 3
# ALTERNATIVE NAME 1: Algebra
# ALTERNATIVE NAME 2: Biology
# ALTERNATIVE NAME 3: Algebra
2: 3,{1,2}
1: 2
"""


def test_voters_become_students_and_ties_are_broken_in_the_order_of_the_file() -> None:
    problem = preflib.problem_of(preflib.read(TIED), seats={"Biology": 2, "Algebra 1": 1}, seed="corn")

    assert problem.offerings == (Offering("Algebra 1", 1), Offering("Algebra 3", 0), Offering("Biology", 2))
    assert [student.id for student in problem.students] == ["voter 1", "voter 2", "voter 3"]
    assert problem.student("voter 2").choices == (
        Choice(1, "Algebra 3", 1),
        Choice(2, "Algebra 1", 1),
        Choice(3, "Biology", 1),
    )


@settings(deadline=None, max_examples=60)
@given(problems())
def test_lists_are_read_back_as_they_were_written(problem: Problem) -> None:
    lists = [tuple(choice.offering for choice in student.choices) for student in problem.students if student.choices]
    text = preflib.written(problem, "A call")
    if not lists:
        with pytest.raises(Invalid, match="preflib-empty"):
            preflib.read(text)
        return
    read = preflib.read(text)
    back = [tuple(read.names[each] for each in order) for count, order in read.orders for _ in range(count)]

    assert sorted(back) == sorted(lists)
    assert f"# NUMBER VOTERS: {len(lists)}\n" in text
    assert f"# NUMBER UNIQUE ORDERS: {len({*lists})}\n" in text


@pytest.mark.parametrize("line", ["1,2", "x: 1", "1: 1,1", "1: 9", "1: 1,a", "1: ²", "99999999: 1"])
def test_a_line_that_is_no_order_is_named(line: str) -> None:
    with pytest.raises(Invalid) as refused:
        preflib.read(TIED + line + "\n")

    assert [(reason.code, reason.params) for reason in refused.value.reasons] == [("preflib-line", {"line": 9})]

"""A second process audits as this one would, and this one makes up for it when it dies."""

import json
import multiprocessing

import pytest

from vsm.exchange.allocation import audit, beside
from vsm.exchange.allocation.problem import Offering, Problem, Student
from vsm.exchange.allocation.solver import allocate


@pytest.fixture
def problem(monkeypatch: pytest.MonkeyPatch) -> Problem:
    monkeypatch.setattr(beside, "WORTH_A_PROCESS", 0)
    students = [Student.ranking(name, [("algebra", 1)], 1) for name in ("ana", "eva")]
    return Problem.of(offerings=[Offering("algebra", 1)], students=students, seed="s", mechanism="deferred_acceptance")


@pytest.mark.parametrize("spoilt", [False, True])
def test_it_finds_the_same(problem: Problem, spoilt: bool) -> None:
    outcome = json.loads(allocate(problem).canonical)
    if spoilt:
        outcome["unplaced"] = []
    content = json.dumps(outcome, sort_keys=True, separators=(",", ":")).encode()
    found = beside.begin(problem.canonical, content)
    assert multiprocessing.active_children()
    told = found()
    assert told == audit.check(problem.canonical, content)
    assert told.ok is not spoilt


def test_a_process_that_is_killed_is_made_up_for(problem: Problem) -> None:
    content = allocate(problem).canonical
    found = beside.begin(problem.canonical, content)
    for process in multiprocessing.active_children():
        process.kill()
    assert found() == audit.check(problem.canonical, content)
    assert not multiprocessing.active_children()

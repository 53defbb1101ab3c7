"""Compiled code gives the bytes of the plain one; the lottery is the published one."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.exchange.allocation.oracle import problems
from tests.exchange.allocation.oracle_policies import seeds, with_reserves
from vsm.exchange.allocation import columns, kernels, lottery
from vsm.exchange.allocation.faults import LARGEST
from vsm.exchange.allocation.kernels import COMPILED
from vsm.exchange.allocation.problem import Offering, Problem, Reserve, Student
from vsm.exchange.allocation.solver import allocate
from vsm.exchange.allocation.tables import tables

law = settings(deadline=None, max_examples=80)


@law
@given(problems())
def test_plain_problems(problem: Problem) -> None:
    assert allocate(problem, COMPILED).canonical == allocate(problem).canonical


@law
@given(seeds().map(with_reserves))
def test_reserves(problem: Problem) -> None:
    assert allocate(problem, COMPILED).canonical == allocate(problem).canonical


def test_keys_that_need_more_than_32_bits_give_the_same() -> None:
    """Bands far apart: (band − lowest) · students is beyond 2**31."""
    for reserves in ((), (Reserve("rural", 1),)):
        problem = Problem.of(
            offerings=[Offering("algebra", 1, reserves=reserves), Offering("biology", 2), Offering("chess", 0)],
            students=[
                Student.ranking(name, [("chess", 1), ("algebra", band), ("biology", -band)], groups=("rural",) if reserves and band > 0 else ())
                for name, band in (("ana", LARGEST), ("bia", -LARGEST), ("carla", 0), ("dora", 1))
            ],
            seed="corn",
        )  # fmt: skip
        assert kernels.tight(np.asarray(tables(problem).keys)).dtype == np.int64
        assert allocate(problem, COMPILED).canonical == allocate(problem).canonical


@settings(deadline=None, max_examples=30)
@given(st.text(min_size=1), st.lists(st.text(max_size=200), min_size=1, max_size=5))
def test_the_compiled_lottery_is_the_published_one(seed: str, ids: list[str]) -> None:
    import pyarrow as pa

    encodable = [each.encode(errors="replace").decode() for each in ids]
    plain_seed = seed.encode(errors="replace").decode()
    drawn = columns.lottery_numbers(plain_seed, pa.array(encodable))

    assert drawn.tolist() == [lottery.number(plain_seed, each) for each in encodable]


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    """A web process imports the engine, and never solves."""
    heavy = {"numba", "numpy", "pyarrow", "scipy", "ortools", "pandas"}
    code = (
        "import sys; from vsm.exchange.allocation import audit, columns, comparison, explain, files, file_runs, kernels, "
        f"preflib, solver, waiting; import vsm.cli.allocation; print(sorted({heavy!r} & sys.modules.keys()))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": "src"})

    assert said.stdout.strip() == "[]"


def test_claims_are_those_of_both_halves_of_the_students(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many students are looked at by two threads; these few by one and by two. Outcomes here are drawn: many have claims."""
    draw = np.random.default_rng(7)
    starts = np.concatenate([[0], np.cumsum(draw.integers(0, 6, 501))])
    applications, offerings = starts[-1], 40
    classes, granted = (draw.integers(0, most, applications).astype(np.uint8) for most in (4, 2))
    targets, keys = (draw.integers(0, most, applications).astype(np.int32) for most in (offerings, 1000))
    first, limit = np.arange(offerings + 1) * 4, draw.integers(-1, 1000, offerings * 4).astype(np.int32)
    asked = (starts, targets, keys, classes, granted, first, limit, draw.integers(1, 4, 501).astype(np.int32))
    whole = kernels.claims(*asked)
    monkeypatch.setattr(kernels, "MANY", 1)
    halves = kernels.claims(*asked)

    assert halves.tolist() == whole.tolist()
    assert {*whole.tolist()} == {0, 1, 2}

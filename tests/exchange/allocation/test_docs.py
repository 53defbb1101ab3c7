"""What docs/allocation.md shows is what the program does."""

import re

import pytest

from vsm.config import ROOT
from vsm.exchange.allocation.file_runs import check, solve
from vsm.exchange.allocation.files import COLUMNS, WRITTEN

PAGE = (ROOT / "docs" / "allocation.md").read_text("utf-8")
FILES = {name: content.encode() for name, content in re.findall(r"```csv (\S+)\n(.*?)```", PAGE, re.DOTALL)}


def test_the_files_of_the_worked_example_give_the_outcome_that_is_shown() -> None:
    problem = {name: FILES[name] for name in COLUMNS if name in FILES}
    outcome = solve(problem, seed="7")

    assert {name: outcome[name] for name in WRITTEN} == {name: FILES[name] for name in WRITTEN}
    assert check(problem, outcome).ok


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
def test_the_library_does_what_is_shown(code: str) -> None:
    assert "assert" in code
    exec(compile(code, "docs/allocation.md", "exec"), {})

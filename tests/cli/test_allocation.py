"""`vsm allocation`: from files to files, nothing written when something is wrong; the audit; PrefLib."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.exchange.allocation.test_files import FAULTS, GOOD, POLICIES, edited, folder_of
from vsm.cli.commands import main
from vsm.exchange.allocation.problem import Offering, Problem, Student
from vsm.exchange.allocation.solver import allocate

ROOT = Path(__file__).parents[2]


def run(*words: object) -> int:
    return main(["allocation", *map(str, words)])


def test_a_problem_is_solved_and_certified(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem, out = folder_of(GOOD, tmp_path / "problem"), tmp_path / "out"

    assert run("solve", problem, "--out", out, "--seed", "7") == 0
    assert capsys.readouterr().out.startswith("2 of 2 seats given; 2 of 3 students placed, 1 seats of rank 1.\n")
    assert sorted(path.name for path in out.iterdir()) == ["placements.csv", "problem", "summary.json", "unplaced.csv", "waiting.csv"]
    assert run("audit", out) == 0
    assert capsys.readouterr().out.startswith("Certified over 4 choices: digests, individual-rationality, capacity, ")
    (out / "unplaced.csv").write_text("student_id\n")
    assert run("audit", out) == 1
    assert capsys.readouterr().out == "Not certified:\n  - unplaced.csv says something else than follows from the placements.\n"


def test_a_fresh_clone_speaks_the_language_that_is_asked_for(tmp_path: Path) -> None:
    """Nothing has been started there yet: its translations are compiled when they are first wanted."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("*.mo", "__pycache__"))
    problem = folder_of(FAULTS["negative seats"][0], tmp_path / "problem")
    command = [sys.executable, "-m", "vsm", "allocation", "solve", str(problem), "--out", str(tmp_path / "out"), "--language", "pt-br"]
    done = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"}, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "offerings.csv, linha 3" in done.stderr


def test_the_summary_is_printed_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem, out = folder_of(GOOD, tmp_path / "problem"), tmp_path / "out"

    assert run("solve", problem, "--out", out, "--mechanism", "utilitarian", "--json") == 0
    assert json.loads(capsys.readouterr().out) == json.loads((out / "summary.json").read_text())
    assert run("audit", out, "--json") == 0
    assert json.loads(capsys.readouterr().out)["proved"] == ["digests", "individual-rationality", "capacity", "non-wastefulness"]


@pytest.mark.parametrize("name", ["an unknown student", "negative seats", "no UTF-8", "an empty file"])
def test_a_fault_names_file_and_line_and_nothing_is_written(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, ((_, file, line), *_) = FAULTS[name]
    problem, out = folder_of(content, tmp_path / "problem"), tmp_path / "out"

    assert run("solve", problem, "--out", out) == 2
    said = capsys.readouterr().err
    assert said.startswith((f"{file}, line {line}: ", f"{file} is empty"))
    assert not out.exists()


def test_faults_are_printed_as_json_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem = folder_of(FAULTS["negative seats"][0], tmp_path / "problem")
    assert run("solve", problem, "--out", tmp_path / "out", "--json") == 2
    [fault] = json.loads(capsys.readouterr().out)["faults"]
    assert (fault["code"], fault["file"], fault["line"]) == ("cell-not-whole", "offerings.csv", 3)
    assert fault["text"].startswith("offerings.csv, line 3: capacity must be a whole number from 0 to ")


def test_bounds_stand_in_the_comparison(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("compare", folder_of(POLICIES, tmp_path / "problem"), "--json") == 0
    first = json.loads(capsys.readouterr().out)[0]
    assert (first["bound one in Chile (≤ 1)"], first["bound rural in biology (≥ 1)"]) == (1, 1)


def test_a_fault_is_told_in_the_reader_s_language(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem = folder_of(FAULTS["an unknown student"][0], tmp_path / "problem")

    assert run("solve", problem, "--out", tmp_path / "out", "--language", "es") == 2
    assert capsys.readouterr().err.startswith("choices.csv, línea 4: student_id bea no está en students.csv.")


def test_seats_reserved_for_a_group_that_nobody_is_of_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = edited("reserves.csv", "rural,1", "rural,1\nbiology,rur,0\nbiology,first,0\nalgebra,second,1")

    assert run("solve", folder_of(content, tmp_path / "problem"), "--out", tmp_path / "out") == 0
    assert capsys.readouterr().err .splitlines() == [
        "No student is of the group “rur”: the seats reserved for it go to everybody.",
        "No student is of the group “second”: the seats reserved for it go to everybody.",
    ]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("solve", tmp_path / "nowhere", "--out", tmp_path / "out") == 2
    assert capsys.readouterr().err == f"{tmp_path / 'nowhere'}: There is no such folder\n"


def test_frozen_bytes_are_audited(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem = Problem.of(offerings=[Offering("algebra", 1)], students=[Student.ranking("ana", [("algebra", 1)])], seed="corn")
    (tmp_path / "problem.json").write_bytes(problem.canonical)
    (tmp_path / "outcome.json").write_bytes(allocate(problem).canonical)

    assert run("audit", tmp_path / "outcome.json", tmp_path / "problem.json") == 0
    assert run("audit", tmp_path / "problem.json", tmp_path / "problem.json") == 1
    assert run("audit", tmp_path / "outcome.json") == 2
    capsys.readouterr()


def test_mechanisms_are_shown_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("compare", folder_of(GOOD, tmp_path)) == 0
    lines = capsys.readouterr().out.splitlines()

    assert lines[0].split() == ["deferred_acceptance", "serial_dictatorship", "utilitarian"]
    assert [line.split() for line in lines if line.startswith("seats given")] == [["seats", "given", "2", "2", "2"]]


def test_other_seats_are_tried_beside_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem = folder_of(GOOD, tmp_path)

    assert run("compare", problem, "--seats", "algebra=2", "--json") == 0
    told = {each["mechanism"]: each["seats given"] for each in json.loads(capsys.readouterr().out)}
    assert told == {
        "deferred_acceptance": 2, "serial_dictatorship": 2, "utilitarian": 2,
        "deferred_acceptance, what if": 3, "serial_dictatorship, what if": 3, "utilitarian, what if": 3,
    }  # fmt: skip
    for wrong in ("law=2", "algebra=many", "algebra"):
        assert run("compare", problem, "--seats", wrong) == 2
        assert capsys.readouterr().err == f"“{wrong}” is not an offering of the problem, an equals sign and a number of seats.\n"


def test_a_wrong_line_of_preflib_lists_is_told_with_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lists.soi").write_text("# ALTERNATIVE NAME 1: algebra\n2: 1,7\n", encoding="utf-8")

    assert run("preflib", tmp_path / "lists.soi", "--out", tmp_path / "problem") == 2
    assert capsys.readouterr().err.startswith("lists.soi: Line 2 is not an order of known alternatives")
    assert not (tmp_path / "problem").exists()


def test_preflib_lists_become_a_problem_and_go_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "lists.soi").write_text(
        "# ALTERNATIVE NAME 1: algebra\n# ALTERNATIVE NAME 2: biology\n2: 1,2\n1: 2\n", encoding="utf-8"
    )

    assert run("preflib", tmp_path / "lists.soi", "--out", tmp_path / "problem", "--seats", "2") == 0
    assert run("solve", tmp_path / "problem", "--out", tmp_path / "out") == 0
    assert "3 of 4 seats given; 3 of 3 students placed" in capsys.readouterr().out
    assert run("preflib", tmp_path / "problem", "--out", tmp_path / "back.soi") == 0
    assert (tmp_path / "back.soi").read_text().splitlines()[-2:] == ["2: 1,2", "1: 2"]

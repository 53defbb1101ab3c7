"""A registrar who makes a mistake in a file learns every mistake at once, with file and place."""

import shutil
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from vsm import rulebook
from vsm.rulebook.errors import RulebookError
from vsm.rulebook.reading import digest, parse, read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped files, to spoil."""
    with as_file(files("vsm.rulebook")) as shipped:
        shutil.copytree(shipped, tmp_path / "rulebook", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return tmp_path / "rulebook"


def _spoil(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def _problems(folder: Path) -> list[str]:
    with pytest.raises(RulebookError) as refusal:
        read(folder)
    return list(refusal.value.problems)


def test_an_untouched_copy_reads_as_the_shipped_one(folder):
    assert read(folder) == rulebook.book()


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        (
            "credits/ects.yaml",
            "low: '25'",
            "low: 'many'",
            "credits/ects.yaml: values[0]: hours: low: 'many' is not a number",
        ),
        (
            "credits/ects.yaml",
            "low: '25'",
            "low: '35'",
            "credits/ects.yaml: values[0]: hours: low (35) must be above 0 and not above high (30)",
        ),
        (
            "credits/ects.yaml",
            "2015-05-15",
            "2009-02-06",
            "credits/ects.yaml: values[1]: from: 2009-02-06 must come after 2009-02-06; add new values at the end",
        ),
        (
            "credits/ects.yaml",
            "'2015-05-15'",
            "'15 May 2015'",
            "credits/ects.yaml: values[1]: from: '15 May 2015' is not a day like '2015-05-15'",
        ),
        (
            "credits/ects.yaml",
            "scope: 'regional'",
            "scope: 'cosmic'",
            "credits/ects.yaml: scope: 'cosmic' is not one of regional, national, institutional",
        ),
        (
            "credits/ects.yaml",
            "scope: 'regional'",
            "scope: 'regional'\nscoop: 'x'",
            "credits/ects.yaml: scoop is not known here",
        ),
        (
            "credits/us-credit.yaml",
            "country: 'US'",
            "country: 'USA'",
            "credits/us-credit.yaml: country: 'USA' is not a code like 'CL' (ISO 3166-1 alpha-2)",
        ),
        (
            "credits/ucts.yaml",
            "contact: {low: '13', high: '16'}",
            "contact: {low: '13', high: '160'}",
            "credits/ucts.yaml: values[0]: contact: "
            "class hours must be above 0, in order, and within the hours of the whole work",
        ),
        (
            "grades/cl.yaml",
            "pass: '4.0'",
            "pass: '8.0'",
            "grades/cl.yaml: values[0]: numbers: pass (8.0) must lie between worst (1.0) and best (7.0)",
        ),
        (
            "grades/cl.yaml",
            "pass: '4.0'",
            "pass: '4.05'",
            "grades/cl.yaml: values[0]: numbers: pass and best must be reached from worst in steps of 0.1",
        ),
        ("grades/cl.yaml", "step: '0.1'", "step: '0'", "grades/cl.yaml: values[0]: numbers: step must be above 0"),
        (
            "grades/us.yaml",
            "{grade: 'D', points: '1.0', passed: 'true'}",
            "{grade: 'D', points: '1.0', passed: 'false'}",
            "grades/us.yaml: values[0]: letters: D- passes but D, which is better, does not",
        ),
        (
            "grades/us.yaml",
            "{grade: 'B', points: '3.0'",
            "{grade: 'B', points: '3.5'",
            "grades/us.yaml: values[0]: letters: B+ must have more points than B, which comes after it",
        ),
        (
            "grades/ects.yaml",
            "also: ['PASS']",
            "also: ['A']",
            "grades/ects.yaml: values[0]: letters: 'A' stands for two grades",
        ),
        (
            "grades/ects.yaml",
            "also: ['PASS']",
            "also: ['pass']",
            "grades/ects.yaml: values[0]: letters: 'pass' must be in capitals, as grades are compared in capitals",
        ),
        ("grades/cl.yaml", "    note: ", "    nota: ", "grades/cl.yaml: values[0]: note is missing"),
        (
            "mobility.yaml",
            "unit: 'courses'",
            "unit: 'cakes'",
            "mobility.yaml: thresholds[0]: unit: 'cakes' is not one of courses, days, months, people, share, times",
        ),
        ("methods.yaml", "step: '0.5'", "step: '-1'", "methods.yaml: rounding: step must be above 0"),
        (
            "categories.yaml",
            "credit: 'usually'",
            "credit: 'perhaps'",
            "categories.yaml: categories[0]: credit: 'perhaps' is not one of always, usually, sometimes, may-be",
        ),
        (
            "categories.yaml",
            "slug: 'programme'",
            "slug: 'course'",
            "categories.yaml: categories[1]: slug: 'course' is given twice",
        ),
        (
            "categories.yaml",
            "scope: ['cross-border', 'inter-institutional']",
            "scope: ['orbital']",
            "categories.yaml: categories[0]: scope must name cross-border, inter-institutional or both",
        ),
    ],
)
def test_a_mistake_is_named_with_its_file_and_place(folder, file, old, new, problem):
    _spoil(folder / file, old, new)
    assert problem in _problems(folder)


def test_all_mistakes_of_all_files_are_told_at_once(folder):
    _spoil(folder / "credits/clar.yaml", "high: '33'", "high: 'x'")
    _spoil(folder / "grades/pe.yaml", "best: '20'", "best: 'y'")
    _spoil(folder / "categories.yaml", "number: '6'", "number: 'six'")
    with pytest.raises(RulebookError) as refusal:
        read(folder)
    told = str(refusal.value)
    assert told.startswith("The rulebook has 3 problem(s):\n- credits/clar.yaml: ")
    assert "\n- grades/pe.yaml: values[0]: numbers: best: 'y' is not a number" in told
    assert "\n- categories.yaml: categories[5]: number: 'six' is not a whole number" in told


def test_a_source_that_was_not_checked_must_say_why(folder):
    _spoil(
        folder / "grades/mx-100.yaml",
        "en: 'The regulation itself was not read. Other institutions pass at 70: see mx-70.'",
        "en: ''",
    )
    assert _problems(folder) == ["grades/mx-100.yaml: values[0]: note must say why the source is not verified"]


def test_a_key_given_twice_is_a_mistake_not_a_replacement(folder):
    _spoil(folder / "credits/ects.yaml", "scope: 'regional'", "scope: 'regional'\nscope: 'national'")
    (problem,) = _problems(folder)
    assert problem.startswith("credits/ects.yaml: cannot be read: 'scope' is given twice")


def test_a_file_that_is_not_yaml_is_one_problem(folder):
    (folder / "credits" / "ects.yaml").write_text("name: [unclosed", encoding="utf-8")
    (problem,) = _problems(folder)
    assert problem.startswith("credits/ects.yaml: cannot be read: ")


def test_a_missing_file_is_named(folder):
    (folder / "mobility.yaml").unlink()
    (problem,) = _problems(folder)
    assert problem.startswith("mobility.yaml: cannot be read: ")


def test_norway_off_and_days_stay_text():
    assert parse("country: NO\nrule: off\nfrom: 2015-05-15\nhours: 025\n") == {
        "country": "NO",
        "rule": "off",
        "from": "2015-05-15",
        "hours": "025",
    }


def test_the_version_changes_with_any_word_and_not_with_line_endings(folder):
    before = digest(folder)
    file = folder / "credits" / "ects.yaml"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert digest(folder) == before == rulebook.version()
    _spoil(file, "Guide 2015", "Guide 2016")
    assert digest(folder) != before

"""Problems and outcomes as files: every fault by file and line, the same bytes by both ways, an audit that finds faults."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bench.allocation_problem import draw, write
from hypothesis import given, settings

from tests.exchange.allocation.oracle import problems
from tests.exchange.allocation.oracle_policies import seeds, with_policies, with_reserves
from vsm.exchange.allocation import columns, file_runs, files
from vsm.exchange.allocation.comparison import summary
from vsm.exchange.allocation.file_runs import check, solve
from vsm.exchange.allocation.problem import Problem, Quota
from vsm.exchange.allocation.solver import allocate
from vsm.kit.errors import Invalid

law = settings(deadline=None, max_examples=60)
Files = dict[str, bytes]

GOOD: Files = {
    "offerings.csv": b"offering_id,capacity\nalgebra,1\nbiology,1\n",
    "students.csv": "student_id,seats_wanted,groups\nana,1,rural|first\nbia,1,\nñusta,2,rural\n".encode(),
    "choices.csv": (
        "student_id,rank,offering_id,priority\nana,1,algebra,2\nana,2,biology,1\nbia,1,algebra,1\nñusta,1,biology,2.5\n"
    ).encode(),
    "reserves.csv": b"offering_id,group,seats\nbiology,rural,1\n",
}


# Each kind of policy that files can hold: a hard quota, a least number, a clash, and credits.
POLICIES: Files = {
    "offerings.csv": b"offering_id,capacity,labels,credits\nalgebra,1,chile,6\nbiology,1,chile,6\nchemistry,2,peru,4\n",
    "students.csv": b"student_id,seats_wanted,groups,origin,credits_least,credits_most\nana,3,,andina,4,12\nbia,1,rural,garoa,,\ncarla,1,,garoa,,\n",
    "choices.csv": b"student_id,rank,offering_id,priority\nana,1,algebra,1\nana,2,biology,1\nana,3,chemistry,1\nbia,1,biology,3\ncarla,1,biology,1\ncarla,2,algebra,2\n",
    "limits.csv": b"offering_id,group,minimum,maximum\nbiology,rural,1,\n",
    "quotas.csv": b"quota_id,origins,labels,minimum,maximum,hard\none in Chile,andina,chile,,1,yes\n",
    "meetings.csv": b"offering_id,weekday,starts,ends\nalgebra,1,10:00,12:00\nbiology,1,11:00,13:00\nchemistry,7,23:30,00:30\n",
}  # fmt: skip


def edited(name: str, old: str, new: str) -> Files:
    content = GOOD[name].decode()
    assert old in content
    return GOOD | {name: content.replace(old, new, 1).encode()}


FAULTS: dict[str, tuple[Files, list[tuple[str, str, int]]]] = {
    "a file missing": ({k: v for k, v in GOOD.items() if k != "choices.csv"}, [("file-missing", "choices.csv", 1)]),
    "an empty file": (GOOD | {"choices.csv": b""}, [("file-empty", "choices.csv", 1)]),
    "headings alone": (GOOD | {"reserves.csv": b"offering_id,group,seats\n"}, [("file-empty", "reserves.csv", 1)]),
    "a column missing": (edited("offerings.csv", "capacity", "seats"), [("column-missing", "offerings.csv", 1)] * 1),
    "a column twice": (edited("students.csv", "groups", "student_id"), [("column-missing", "students.csv", 1)] * 2),
    "a short row": (edited("students.csv", "bia,1,", "bia,1"), [("row-length", "students.csv", 3)]),
    "an unclosed quotation": (edited("choices.csv", "bia,1", '"bia,1'), [("row-unreadable", "choices.csv", 4)]),
    "no UTF-8": (GOOD | {"choices.csv": GOOD["choices.csv"].replace("ñ".encode(), b"\xf1")}, [("file-encoding", "choices.csv", 5)]),
    "UTF-16": (GOOD | {"offerings.csv": "offering_id,capacity\na,1\n".encode("utf-16")}, [("file-encoding", "offerings.csv", 1)]),
    "an unknown student": (edited("choices.csv", "bia,1", "bea,1"), [("id-unknown", "choices.csv", 4)]),
    "an unknown offering": (edited("choices.csv", "algebra,1", "zoology,1"), [("id-unknown", "choices.csv", 4)]),
    "a student twice": (edited("students.csv", "bia", "ana"), [("row-repeated", "students.csv", 3), ("id-unknown", "choices.csv", 4)]),
    "an offering twice": (edited("offerings.csv", "biology", "algebra"), [("row-repeated", "offerings.csv", 3)]),
    "a rank twice": (edited("choices.csv", "ana,2", "ana,1"), [("row-repeated", "choices.csv", 3)]),
    "an offering ranked twice": (edited("choices.csv", "biology,1", "algebra,1"), [("row-repeated", "choices.csv", 3)]),
    "negative seats": (edited("offerings.csv", "biology,1", "biology,-1"), [("cell-not-whole", "offerings.csv", 3)]),
    "no seat wanted": (edited("students.csv", "bia,1", "bia,0"), [("cell-not-whole", "students.csv", 3)]),
    "too many seats": (edited("offerings.csv", "algebra,1", "algebra,3000000000"), [("cell-not-whole", "offerings.csv", 2)]),
    "a rank in words": (edited("choices.csv", "bia,1", "bia,first"), [("cell-not-whole", "choices.csv", 4)]),
    "a priority in words": (edited("choices.csv", "2.5", "high"), [("cell-not-number", "choices.csv", 5)]),
    "a priority that is no number": (edited("choices.csv", "2.5", "nan"), [("cell-not-number", "choices.csv", 5)]),
    "an empty cell": (edited("choices.csv", "2.5", ""), [("cell-not-number", "choices.csv", 5)]),
    "a space before an id": (edited("offerings.csv", "biology", " biology"), [("cell-not-id", "offerings.csv", 3)]),
    "a group twice": (edited("students.csv", "rural|first", "rural|rural"), [("groups-wrong", "students.csv", 2)]),
    "more reserved than there is": (edited("reserves.csv", "rural,1", "rural,2"), [("reserves-exceed-seats", "reserves.csv", 2)]),
    "a reserve for nothing known": (edited("reserves.csv", "biology", "zoology"), [("id-unknown", "reserves.csv", 2)]),
    "a limit upside down": (POLICIES | {"limits.csv": b"offering_id,group,minimum,maximum\nbiology,rural,1,0\n"}, [("minimum-above-maximum", "limits.csv", 2)]),
    "a limit above the seats": (POLICIES | {"limits.csv": b"offering_id,group,minimum,maximum\nbiology,rural,2,\n"}, [("minimum-exceeds-seats", "limits.csv", 2)]),
    "a limit for nothing known": (POLICIES | {"limits.csv": b"offering_id,group,minimum,maximum\nlaw,rural,x,\n"}, [("id-unknown", "limits.csv", 2), ("cell-not-whole", "limits.csv", 2)]),
    "a quota that is neither hard nor soft": (POLICIES | {"quotas.csv": POLICIES["quotas.csv"].replace(b"yes", b"maybe")}, [("cell-not-yes-or-no", "quotas.csv", 2)]),
    "a quota twice": (POLICIES | {"quotas.csv": POLICIES["quotas.csv"] + b"one in Chile,,,,,no\n"}, [("row-repeated", "quotas.csv", 3)]),
    "an eighth day": (POLICIES | {"meetings.csv": POLICIES["meetings.csv"].replace(b"a,1", b"a,8")}, [("cell-not-whole", "meetings.csv", 2)]),
    "a time that no clock shows": (POLICIES | {"meetings.csv": POLICIES["meetings.csv"].replace(b"10:00", b"25:00")}, [("cell-not-time", "meetings.csv", 2)]),
    "more credits at least than at most": (POLICIES | {"students.csv": POLICIES["students.csv"].replace(b"4,12", b"14,12")}, [("credits-order", "students.csv", 2)]),
    "a reserve twice": (
        GOOD | {"reserves.csv": b"offering_id,group,seats\nbiology,rural,0\n\nbiology,rural,1\n"},
        [("row-repeated", "reserves.csv", 4)],
    ),
}


@pytest.mark.parametrize(("given_files", "expected"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_told_by_file_and_line(given_files: Files, expected: list[tuple[str, str, int]]) -> None:
    with pytest.raises(Invalid) as refused:
        solve(given_files, seed="7")

    told = [(reason.code, reason.params["file"], reason.params["line"]) for reason in refused.value.reasons]
    assert told[: len(expected)] == expected
    for reason in refused.value.reasons:
        assert str(reason.params["file"]) in reason.text % reason.params


@pytest.mark.parametrize("given_files", [each for each, _ in FAULTS.values()], ids=FAULTS.keys())
def test_the_fast_way_leaves_every_fault_to_the_other(given_files: Files) -> None:
    assert columns.read(GOOD) is not None
    assert columns.read(given_files) is None


def test_all_faults_of_all_files_are_told_at_once_up_to_fifty() -> None:
    many = GOOD | {"choices.csv": GOOD["choices.csv"] + b"zoe,1,law,1\n" * 40}
    with pytest.raises(Invalid) as refused:
        files.problem_of(many, seed="7")

    assert len(refused.value.reasons) == 51
    assert refused.value.reasons[-1].text % refused.value.reasons[-1].params == "… and 108 more faults like these."


def test_who_refers_to_a_line_that_is_wrong_or_to_a_file_that_cannot_be_read_is_not_at_fault() -> None:
    faults = {}
    for name, given_files in {
        "wrong": edited("offerings.csv", "algebra,1", "algebra,-1"),
        "empty": GOOD | {"students.csv": b""},
        "missing": {name: content for name, content in GOOD.items() if name != "offerings.csv"},
    }.items():
        with pytest.raises(Invalid) as refusal:
            files.problem_of(given_files, seed="maize")
        faults[name] = [(reason.code, reason.params["file"]) for reason in refusal.value.reasons]

    assert faults == {
        "wrong": [("cell-not-whole", "offerings.csv")], "empty": [("file-empty", "students.csv")], "missing": [("file-missing", "offerings.csv")],
    }  # fmt: skip


def test_a_byte_order_mark_and_further_columns_are_passed_over() -> None:
    marked = GOOD | {"offerings.csv": b"\xef\xbb\xbfoffering_id,capacity,title\r\nalgebra,1,Algebra\r\nbiology,1,\r\n"}
    one, other = (files.problem_of(each, seed="7") for each in (GOOD, marked))

    assert one == other
    assert columns.read(marked) is not None


def test_the_outcome_is_written_in_named_columns() -> None:
    outcome = solve(GOOD, seed="7")

    assert outcome["placements.csv"].decode() == "student_id,offering_id,rank\nana,biology,2\nbia,algebra,1\n"
    assert outcome["unplaced.csv"].decode() == "student_id\nñusta\n"
    assert outcome["waiting.csv"].decode() == "offering_id,position,student_id\nalgebra,1,ana\nbiology,1,ñusta\n"
    summary = json.loads(outcome["summary.json"])
    assert (summary["seed"], summary["mechanism"], summary["lottery"]) == ("7", "deferred_acceptance", "single")
    assert summary["ranks"] == {"1": 1, "2": 1}
    assert summary["counts"] == {
        "applications": 4, "offerings": 2, "placed": 2, "placements": 2, "seats": 2, "students": 3, "unplaced": 1, "waiting": 2,
    }  # fmt: skip
    assert sorted(summary["inputs"]) == sorted(GOOD)
    assert solve(GOOD, seed="7") == outcome
    assert json.loads(solve(GOOD, seed="8")["summary.json"])["digest"] != summary["digest"]


@law
@given(problems())
def test_a_problem_is_read_back_from_its_files(problem: Problem) -> None:
    written = files.problem_files(problem)
    if not all(b"\n" in content.rstrip(b"\n") for content in written.values()):
        return  # nothing to choose from, nobody to choose: files must not be empty

    assert files.problem_of(written, seed=problem.seed, mechanism=problem.mechanism) == problem


@settings(deadline=None, max_examples=25)
@given(seeds())
def test_both_ways_write_the_same_bytes(random: Any) -> None:
    drawn = with_reserves(random)
    problem = drawn.but(lottery="single")
    given_files = files.problem_files(problem)
    read = columns.read(given_files)
    if read is None:
        return
    drawn_numbers = columns.priorities(read, seed=problem.seed, mechanism=problem.mechanism)
    tables = columns.tables(read, drawn_numbers, columns.grant(read, drawn_numbers, problem.mechanism))

    by_columns = {name: bytes(columns.content(name, table)) for name, table in tables.items()}
    assert by_columns == files.outcome_files(allocate(files.problem_of(given_files, seed=problem.seed, mechanism=problem.mechanism)))


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("problem")
    write(draw(6_000), folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_large_problem_goes_by_columns_and_is_certified(large: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_runs, "SMALL", 0)
    outcome = {name: bytes(content) for name, content in solve(large, seed="7").items()}
    monkeypatch.setattr(file_runs, "SMALL", 10**9)
    plainly = solve(large, seed="7")

    assert outcome == plainly
    assert check(large, outcome).violations == ()
    monkeypatch.setattr(file_runs, "SMALL", 0)
    assert check(large, outcome).ok


def rows(content: bytes) -> list[bytes]:
    return content.splitlines(keepends=True)


def tampered(outcome: Files, name: str, change: Callable[[list[bytes]], object]) -> Files:
    lines = rows(outcome[name])
    change(lines)
    return outcome | {name: b"".join(lines)}


def swapped(lines: list[bytes]) -> None:
    """Two students exchange their offerings."""
    one, other = (line.split(b",") for line in lines[1:3])
    lines[1:3] = [b",".join([one[0], *other[1:]]), b",".join([other[0], *one[1:]])]


TAMPERED: dict[str, tuple[str, str, Callable[[list[bytes]], object]]] = {
    "a seat taken away": ("claim wasted-seat", "placements.csv", lambda lines: lines.pop(5)),
    "a seat twice": ("placement-wrong placed-twice", "placements.csv", lambda lines: lines.append(lines[-1])),
    "seats exchanged": ("placement-wrong not-chosen justified-envy claim", "placements.csv", swapped),
    "somebody left out of the unplaced": ("wrong-file", "unplaced.csv", lambda lines: lines.pop()),
    "the waiting list in another order": ("wrong-file", "waiting.csv", lambda lines: lines.insert(1, lines.pop(2))),
    "another number": ("wrong-summary", "summary.json", lambda lines: lines.__setitem__(slice(None), [b"".join(lines).replace(b'"1": ', b'"1": 1')])),
    "no summary": ("other-input unreadable", "summary.json", lambda lines: lines.clear()),
}


@pytest.mark.parametrize("small", [0, 10**9], ids=["by columns", "plainly"])
@pytest.mark.parametrize(("codes", "name", "change"), TAMPERED.values(), ids=TAMPERED.keys())
def test_a_tampered_file_is_found(
    codes: str, name: str, change: Callable[[list[bytes]], object], small: int, large: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_runs, "SMALL", small)
    outcome = {name: bytes(content) for name, content in solve(large, seed="7").items()}
    found = check(large, tampered(outcome, name, change))

    assert {reason.code for reason in found.violations} & {*codes.split()}
    for reason in found.violations:
        assert reason.text % reason.params


def test_another_input_is_found(large: Files) -> None:
    outcome = solve(large, seed="7")
    other = large | {"offerings.csv": large["offerings.csv"].replace(b",", b", ", 1)}

    assert "other-input" in [reason.code for reason in check(other, outcome).violations]


def test_a_stable_outcome_that_is_worse_for_students_is_found_by_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    given_files = {
        "offerings.csv": b"offering_id,capacity\nalgebra,1\nbiology,1\n",
        "students.csv": b"student_id,seats_wanted,groups\nana,1,\nbia,1,\ncarla,1,\n",
        "choices.csv": b"student_id,rank,offering_id,priority\nana,1,algebra,2\nana,2,biology,1\nbia,1,biology,2\nbia,2,algebra,1\n"
        b"carla,1,algebra,3\ncarla,2,biology,3\n",
    }
    outcome = {name: bytes(content) for name, content in solve(given_files, seed="7").items()}
    assert rows(outcome["placements.csv"])[1:] == [b"ana,algebra,1\n", b"bia,biology,1\n"]
    worse = outcome | {"placements.csv": b"student_id,offering_id,rank\nana,biology,2\nbia,algebra,2\n"}
    for small in (0, 10**9):
        monkeypatch.setattr(file_runs, "SMALL", small)
        assert "not-student-optimal" in [reason.code for reason in check(given_files, worse).violations]
        assert check(given_files, outcome).ok


def test_a_name_with_the_sign_that_separates_names_is_not_written_as_files() -> None:
    problem = Problem.of(offerings=[], students=[], seed="corn", quotas=[])
    assert list(files.problem_files(problem)) == ["offerings.csv", "students.csv", "choices.csv"]
    with pytest.raises(ValueError, match="separates names"):
        files.problem_files(problem.but(quotas=[Quota("q", origins=("a|b",), maximum=1)]))


@law
@given(seeds())
def test_a_problem_with_policies_is_given_the_same_seats_from_its_files(random: Any) -> None:
    problem = with_policies(random)
    written = files.problem_files(problem)
    if not all(b"\n" in content.rstrip(b"\n") for content in written.values()):
        return
    read = files.problem_of(written, seed=problem.seed, mechanism=problem.mechanism, lottery=problem.lottery, timetable=problem.timetable)

    assert columns.read(written) is None or not {"limits.csv", "quotas.csv", "meetings.csv"} & written.keys()
    assert result(read) == result(problem)


def result(problem: Problem) -> Any:
    try:
        outcome = allocate(problem)
    except Invalid as refusal:
        return sorted(reason.code for reason in refusal.reasons)
    return outcome.placements, outcome.pledged


def test_policies_of_files_decide_and_their_outcome_is_certified() -> None:
    outcome = {name: bytes(content) for name, content in solve(POLICIES, seed="7").items()}
    assert rows(outcome["placements.csv"])[1:] == [b"ana,algebra,1\n", b"ana,chemistry,3\n", b"bia,biology,1\n"]
    assert json.loads(outcome["summary.json"])["pledged"] == [["bia", "biology"]]
    found = check(POLICIES, outcome)
    assert (found.ok, "limits" in found.proved, "timetables" in found.proved) == (True, True, True)

    unpledged = outcome | {"summary.json": outcome["summary.json"].replace(b'"bia"', b'"carla"')}
    assert "pledge-without-minimum" in [reason.code for reason in check(POLICIES, unpledged).violations]
    without = {name: content for name, content in POLICIES.items() if name != "limits.csv"}
    assert rows(solve(without, seed="7")["placements.csv"])[1:] == [b"ana,algebra,1\n", b"ana,chemistry,3\n", b"carla,biology,1\n"]


def test_a_least_number_that_nothing_reaches_is_refused_by_offering_and_group() -> None:
    with pytest.raises(Invalid) as refused:
        solve(POLICIES | {"limits.csv": b"offering_id,group,minimum,maximum\nalgebra,rural,1,\n"}, seed="7")
    [reason] = refused.value.reasons
    assert (reason.code, reason.params["offering"], reason.params["group"], reason.params["short"]) == ("minimum-infeasible", "algebra", "rural", 1)


def test_the_exact_timetable_spares_somebody_whom_the_fast_one_passes_over() -> None:
    """Five courses, each of which clashes with the next: the fast way passes s3 over at o1 for s4, who has worse priority there."""
    here = Path(__file__).parent / "fast_and_exact"
    problem = {path.name: path.read_bytes() for path in here.glob("*.csv")}
    envy = {}
    for timetable in ("fast", "exact"):
        solved = files.problem_of(problem, seed="7", timetable=timetable)
        envy[timetable] = summary(solved, allocate(solved)).envy
        outcome = solve(problem, seed="7", timetable=timetable)
        assert check(problem, outcome).ok
        assert json.loads(bytes(outcome["summary.json"])).get("timetable", "fast") == timetable
    assert envy == {"fast": 1, "exact": 0}


@pytest.mark.parametrize("sign", [";", "\t"])
def test_files_separated_as_spreadsheets_of_other_countries_do_are_read_the_same(sign: str) -> None:
    """With decimal commas, empty lines of separators, other ends of lines, and a byte-order mark."""
    def exported(content: bytes, end: str) -> bytes:
        lines = [line.replace(",", sign).replace("2.5", "2,5") for line in content.decode().split("\n")]
        return b"\xef\xbb\xbf" + end.join([*lines, sign * 3, "  ", ""]).encode()

    for end in ("\n", "\r\n", "\r"):
        other = {name: exported(content, end) for name, content in GOOD.items()}
        assert files.problem_of(other, seed="7") == files.problem_of(GOOD, seed="7")
        assert files.of_nobody(other) == []


def folder_of(content: Files, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, each in content.items():
        (folder / name).write_bytes(each)
    return folder

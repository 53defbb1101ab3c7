"""From the files of a problem to the files of its outcome, by columns where possible; and the audit of such files."""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vsm.exchange.allocation import audit, columns, files
from vsm.exchange.allocation.problem import Lottery, Mechanism, Timetable, canonical_json
from vsm.exchange.allocation.solver import allocate
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

FORMAT = "vsm-allocation-files-1"
SUMMARY = "summary.json"
# Below this many bytes the plain way is quicker than loading what the other one needs.
SMALL = 200_000

Bytes = Any  # bytes, or anything with the same buffer


def solve(
    problem: Mapping[str, Bytes],
    *,
    seed: str,
    mechanism: str = Mechanism.DEFERRED_ACCEPTANCE,
    lottery: str = Lottery.SINGLE,
    timetable: str = Timetable.FAST,
) -> dict[str, Bytes]:
    """The outcome's files, summary.json among them. `Invalid` with every fault by file and line."""
    rules = {"seed": seed, "mechanism": mechanism, "lottery": lottery, "timetable": timetable}
    read = _by_columns(problem, rules)
    if read is None:
        return _plainly(problem, rules)
    drawn = columns.priorities(read, seed=seed, mechanism=mechanism)
    granted = columns.grant(read, drawn, mechanism)
    tables = columns.tables(read, drawn, granted)
    outcome = {name: columns.content(name, table) for name, table in tables.items()}
    placements = tables["placements.csv"]
    ranks = placements["rank"].value_counts().to_pylist()
    counts = {
        "applications": len(read.targets),
        "offerings": len(read.offerings),
        "placed": len(read.students) - len(tables["unplaced.csv"]),
        "placements": len(placements),
        "seats": int(read.capacities.sum(dtype="int64")),
        "students": len(read.students),
        "unplaced": len(tables["unplaced.csv"]),
        "waiting": len(tables["waiting.csv"]),
    }
    histogram = {each["values"]: each["counts"] for each in ranks}
    return outcome | {SUMMARY: _summary(problem, rules, counts, histogram)}


def _plainly(problem: Mapping[str, Bytes], rules: Mapping[str, str]) -> dict[str, Bytes]:
    solved = files.problem_of(_whole(problem), **rules)
    outcome = allocate(solved)
    counts = {
        "applications": sum(len(student.choices) for student in solved.students),
        "offerings": len(solved.offerings),
        "placed": len(solved.students) - len(outcome.unplaced),
        "placements": len(outcome.placements),
        "seats": sum(offering.capacity for offering in solved.offerings),
        "students": len(solved.students),
        "unplaced": len(outcome.unplaced),
        "waiting": sum(len(admission.waiting) for admission in outcome.admissions),
    }
    ranks = Counter(placement.rank for placement in outcome.placements)
    return files.outcome_files(outcome) | {SUMMARY: _summary(problem, rules, counts, ranks, outcome.pledged)}


def _summary(
    problem: Mapping[str, Bytes], rules: Mapping[str, str], counts: Mapping[str, int], ranks: Mapping[int, int], pledged: Sequence[Sequence[str]] = ()
) -> bytes:
    """`timetable` stands in it only where it is not the usual one, `pledged` (student, offering) where somebody was placed for a minimum."""
    unusual = {"timetable": rules["timetable"]} if rules["timetable"] != Timetable.FAST else {}
    inputs = {name: hashlib.sha256(problem[name]).hexdigest() for name in files.COLUMNS if name in problem}
    said = {"format": FORMAT, "inputs": inputs, "lottery": rules["lottery"], "mechanism": rules["mechanism"], "seed": rules["seed"]} | unusual
    said |= {"digest": hashlib.sha256(canonical_json(said)).hexdigest()}
    given_before = {"pledged": [list(each) for each in pledged]} if pledged else {}
    return (json.dumps(said | given_before | {"counts": counts, "ranks": dict(sorted(ranks.items()))}, indent=1, ensure_ascii=False) + "\n").encode()


def check(problem: Mapping[str, Bytes], outcome: Mapping[str, Bytes]) -> audit.Audit:
    """Audit an outcome's files against the problem's, whose digests stand in the summary. Faults are violations."""
    applications, violations = 0, [*_unlike(problem, outcome)]
    promised: tuple[str, ...] = audit.PROVED
    digest = hashlib.sha256(outcome.get("placements.csv", b"")).hexdigest()
    try:
        summary = json.loads(bytes(outcome[SUMMARY]))
        rules = {name: str(summary[name]) for name in ("seed", "mechanism", "lottery")} | {"timetable": str(summary.get("timetable", Timetable.FAST))}
        pledged = [(str(student), str(offering)) for student, offering in summary.get("pledged", ())]
        read = _by_columns(problem, rules)
        if read is None:
            frozen = files.problem_of(_whole(problem), **rules).canonical
            rows = _placements(outcome)
            audited = audit.check_placements(frozen, rows, pledged)
            applications, promised = audited.applications, audited.promised
            violations += audited.violations
            violations += _misread(outcome, audited.document)
            counted = _counts(outcome, audited.applications, json.loads(frozen))
        else:
            from vsm.exchange.allocation import certificate

            applications = len(read.targets)
            violations += certificate.violations(read, outcome, seed=rules["seed"], mechanism=rules["mechanism"], lottery=rules["lottery"])
            counted = certificate.counts(read, outcome)
        if not violations:
            violations += _miscounted(summary, counted, problem, rules, pledged)
    except Invalid as error:
        violations += error.reasons
    except (ValueError, KeyError, TypeError, IndexError) as error:
        text = N_("The files cannot be read as a problem and its outcome (%(error)s).")
        violations.append(Reason("unreadable", text, {"error": f"{type(error).__name__}: {error}"}))
    return audit.Audit(str(_said(outcome).get("digest", "")), digest, applications, tuple(violations), promised)


def _by_columns(problem: Mapping[str, Bytes], rules: Mapping[str, str]) -> columns.Columns | None:
    simple = (rules["mechanism"], rules["lottery"]) in [("deferred_acceptance", "single"), ("serial_dictatorship", "single")]
    large = sum(map(len, problem.values())) > SMALL
    return columns.read(problem) if simple and large and rules["seed"] == rules["seed"].strip() != "" else None


def _said(outcome: Mapping[str, Bytes]) -> dict[str, Any]:
    try:
        said = json.loads(bytes(outcome[SUMMARY]))
        return said if isinstance(said, dict) else {}
    except (KeyError, ValueError):
        return {}


def _unlike(problem: Mapping[str, Bytes], outcome: Mapping[str, Bytes]) -> Iterator[Reason]:
    stated = _said(outcome).get("inputs", {})
    for name in sorted({*stated, *(each for each in files.COLUMNS if each in problem)}):
        if name not in problem or hashlib.sha256(problem[name]).hexdigest() != stated.get(name):
            text = N_("%(file)s is not the file that this outcome was made from.")
            yield Reason("other-input", text, {"file": name})


def _placements(outcome: Mapping[str, Bytes]) -> list[tuple[str, str, int]]:
    return [(student, offering, int(rank)) for student, offering, rank in _cells(outcome, "placements.csv")]


def _cells(outcome: Mapping[str, Bytes], name: str) -> list[list[str]]:
    head, *rows = csv.reader(io.StringIO(bytes(outcome[name]).decode(), newline=""), strict=True)
    if tuple(head) != files.WRITTEN[name]:
        raise ValueError(name)
    return rows


def _misread(outcome: Mapping[str, Bytes], document: Mapping[str, Any]) -> Iterator[Reason]:
    """Files that say something else than follows from the placements."""
    waiting = (
        (row["offering"], position, student)
        for row in document["admissions"]
        for position, student in enumerate(row["waiting"], start=1)
    )
    follows = {
        "placements.csv": document["placements"],
        "unplaced.csv": ((student,) for student in document["unplaced"]),
        "waiting.csv": waiting,
    }
    for name, rows in follows.items():
        if files.written(name, rows) != bytes(outcome[name]):
            yield Reason("wrong-file", N_("%(file)s says something else than follows from the placements."), {"file": name})


def _counts(outcome: Mapping[str, Bytes], applications: int, frozen: Any) -> tuple[Any, Any]:
    rows, unplaced = _placements(outcome), len(_cells(outcome, "unplaced.csv"))
    counts = {
        "applications": applications,
        "offerings": len(frozen["offerings"]),
        "placed": len(frozen["students"]) - unplaced,
        "placements": len(rows),
        "seats": sum(row["capacity"] for row in frozen["offerings"]),
        "students": len(frozen["students"]),
        "unplaced": unplaced,
        "waiting": len(_cells(outcome, "waiting.csv")),
    }
    return counts, Counter(rank for *_, rank in rows)


def _miscounted(
    summary: Mapping[str, Any], counted: tuple[Any, Any], problem: Mapping[str, Bytes], rules: Mapping[str, str], pledged: Sequence[tuple[str, str]]
) -> Iterator[Reason]:
    expected = json.loads(_summary(problem, rules, *counted, sorted(pledged)))
    for name in sorted({*expected, *summary}):
        value = expected.get(name)
        if summary.get(name) != value:
            text = N_("summary.json: %(name)s is stated as %(stated)s, but %(expected)s follows from the files.")
            yield Reason("wrong-summary", text, {"name": name, "stated": summary.get(name), "expected": value})


def _whole(problem: Mapping[str, Bytes]) -> dict[str, bytes]:
    return {name: bytes(content) for name, content in problem.items()}


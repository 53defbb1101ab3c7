"""An allocation problem as four small tables (CSV), read with every fault named by file and line; its outcome as three.

    offerings.csv   offering_id, capacity
    students.csv    student_id, seats_wanted, groups            (groups separated by |, may be empty)
    choices.csv     student_id, rank, offering_id, priority     (a number, lower goes first, ties allowed)
    reserves.csv    offering_id, group, seats                   (may be absent)

UTF-8, with or without a byte-order mark; further columns are passed over. Written are placements.csv, unplaced.csv and
waiting.csv. This is the plain way, for pages and small files; `columns` does the same for millions of rows.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from vsm.exchange.allocation.faults import LARGEST, MOST_GROUPS
from vsm.exchange.allocation.problem import Choice, Lottery, Mechanism, Offering, Problem, Reserve, Student
from vsm.exchange.allocation.solver import Outcome
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "offerings.csv": ("offering_id", "capacity"),
    "students.csv": ("student_id", "seats_wanted", "groups"),
    "choices.csv": ("student_id", "rank", "offering_id", "priority"),
    "reserves.csv": ("offering_id", "group", "seats"),
}
WRITTEN: Mapping[str, tuple[str, ...]] = {
    "placements.csv": ("student_id", "offering_id", "rank"),
    "unplaced.csv": ("student_id",),
    "waiting.csv": ("offering_id", "position", "student_id"),
}
OPTIONAL = "reserves.csv"
MOST_TOLD = 50  # faults; the rest is counted
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)


def of_nobody(problem: Mapping[str, Any]) -> list[Reason]:
    """The groups for which seats are reserved and of which no student is: no fault, but often a name that is spelt otherwise.

    Looked for in the bytes, where it costs nothing beside a million rows. A number may hide one: `2` is also what is wanted.
    """
    if OPTIONAL not in problem:
        return []
    named = {row["group"] for row in csv.DictReader(io.StringIO(bytes(problem[OPTIONAL]).decode("utf-8-sig")))}
    students = bytes(problem["students.csv"])
    text = N_("No student is of the group “%(group)s”: the seats reserved for it go to everybody.")
    return [
        Reason("group-of-nobody", text, {"group": name})
        for name in sorted(named)
        if not re.search(rb'[,|"]' + re.escape(name.encode()) + rb'\s*([,|"\r\n]|$)', students)
    ]


def problem_of(
    files: Mapping[str, bytes],
    *,
    seed: str,
    mechanism: str = Mechanism.DEFERRED_ACCEPTANCE,
    lottery: str = Lottery.SINGLE,
) -> Problem:
    """The problem in these files (name → content). `Invalid` with every fault by file and line (the first 50 are told)."""
    reading = _Reading(files)
    offerings, students = reading.problem()
    if reading.faults:
        told, more = reading.faults[:MOST_TOLD], len(reading.faults) - MOST_TOLD
        if more > 0:
            told = [*told, Reason("more-faults", N_("… and %(count)s more faults like these."), {"count": more})]
        raise Invalid(*told)
    return Problem.of(offerings=offerings, students=students, seed=seed, mechanism=mechanism, lottery=lottery)


def outcome_files(outcome: Outcome) -> dict[str, bytes]:
    """The outcome as CSV: file → content."""
    return {
        "placements.csv": written("placements.csv", outcome.placements),
        "unplaced.csv": written("unplaced.csv", ((student,) for student in outcome.unplaced)),
        "waiting.csv": written(
            "waiting.csv",
            (
                (admission.offering, position, student)
                for admission in outcome.admissions
                for position, student in enumerate(admission.waiting, start=1)
            ),
        ),
    }


def problem_files(problem: Problem) -> dict[str, bytes]:
    """The files that this problem is read from again. ValueError when it has more than they can say."""
    if problem.quotas or any(offering.bounds or offering.meetings or offering.credits for offering in problem.offerings):
        raise ValueError("Quotas, bounds and timetables cannot be written as these files.")
    if any("|" in group for student in problem.students for group in student.groups):
        raise ValueError("A group's name holds the sign | that separates groups.")
    reserves = [(each.id, group, seats) for each in problem.offerings for group, seats in each.reserves]
    files = {
        "offerings.csv": written("offerings.csv", ((each.id, each.capacity) for each in problem.offerings)),
        "students.csv": written(
            "students.csv", ((each.id, each.seats_wanted, "|".join(each.groups)) for each in problem.students)
        ),
        "choices.csv": written(
            "choices.csv",
            ((each.id, rank, offering, band) for each in problem.students for rank, offering, band in each.choices),
        ),
    }
    return files | ({OPTIONAL: written(OPTIONAL, reserves)} if reserves else {})


def written(name: str, rows: Iterable[Sequence[object]]) -> bytes:
    """Rows as CSV under the headings of this file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow({**COLUMNS, **WRITTEN}[name])
    writer.writerows(rows)
    return text.getvalue().encode()


UNREAD = ("file-missing", "file-empty", "file-encoding", "column-missing", "row-unreadable", "row-length")


@dataclass
class _Row:
    file: str
    line: int
    cells: dict[str, str]


@dataclass
class _Reading:
    """The files while they are read, and what is wrong with them."""

    files: Mapping[str, bytes]
    faults: list[Reason] = field(default_factory=list)
    # Which ids stand in a file, also in lines that are wrong otherwise: whoever refers to one of them is not at fault.
    ids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    unread: set[str] = field(default_factory=set)  # files of which not every line could be read: nobody is missed in them

    def problem(self) -> tuple[list[Offering], list[Student]]:
        capacities: dict[str, int] = {}
        for row in self._rows("offerings.csv", unique=("offering_id",)):
            self.ids[row.file].add(row.cells["offering_id"])
            if self._id(row, "offering_id") and (seats := self._whole(row, "capacity", 0)) is not None:
                capacities[row.cells["offering_id"]] = seats
        wanted: dict[str, int] = {}
        groups: dict[str, tuple[str, ...]] = {}
        for row in self._rows("students.csv", unique=("student_id",)):
            self.ids[row.file].add(row.cells["student_id"])
            if self._id(row, "student_id") and (seats := self._whole(row, "seats_wanted", 1)) is not None:
                wanted[row.cells["student_id"]] = seats
                groups[row.cells["student_id"]] = self._groups(row)
        reserves = self._reserves(capacities)
        choices = self._choices()
        offerings = [Offering(each, seats, reserves=tuple(reserves.get(each, ()))) for each, seats in capacities.items()]
        students = [
            Student(each, seats, tuple(choices.get(each, ())), groups=groups[each]) for each, seats in wanted.items()
        ]
        return offerings, students

    def _choices(self) -> dict[str, list[Choice]]:
        found: list[tuple[str, int, str, float]] = []
        uniques = (("student_id", "rank"), ("student_id", "offering_id"))
        for row in self._rows("choices.csv", unique=uniques[0], also=uniques[1]):
            known = self._known(row, "student_id", "students.csv")
            known = self._known(row, "offering_id", "offerings.csv") and known
            rank, priority = self._whole(row, "rank", 1), self._number(row, "priority")
            if known and rank is not None and priority is not None:
                found.append((row.cells["student_id"], rank, row.cells["offering_id"], priority))
        bands = bands_of({priority for *_, priority in found})
        choices: dict[str, list[Choice]] = {}
        for student, rank, offering, priority in found:
            choices.setdefault(student, []).append(Choice(rank, offering, bands[priority]))
        return choices

    def _reserves(self, capacities: Mapping[str, int]) -> dict[str, list[Reserve]]:
        reserves: dict[str, list[Reserve]] = {}
        if OPTIONAL not in self.files:
            return reserves
        for row in self._rows(OPTIONAL, unique=("offering_id", "group")):
            known, offering = self._known(row, "offering_id", "offerings.csv"), row.cells["offering_id"]
            seats = self._whole(row, "seats", 0)
            if not (self._id(row, "group") and known and offering in capacities and seats is not None):
                continue
            mine = reserves.setdefault(offering, [])
            mine.append(Reserve(row.cells["group"], seats))
            facts = {"offering": offering, "capacity": capacities[offering], "most": MOST_GROUPS}
            if sum(each.seats for each in mine) > capacities[offering]:
                text = N_("%(file)s, line %(line)s: more seats are reserved in %(offering)s than it has (%(capacity)s).")
                self._fault(row, "reserves-exceed-seats", text, facts)
            if len(mine) == MOST_GROUPS + 1:
                text = N_("%(file)s, line %(line)s: %(offering)s reserves seats for more than %(most)s groups.")
                self._fault(row, "too-many-groups", text, facts)
        return reserves

    def _rows(self, name: str, unique: tuple[str, ...], also: tuple[str, ...] = ()) -> Iterator[_Row]:
        """The rows that have all cells, each of which differs from all before it in these columns."""
        first: dict[tuple[tuple[str, ...], tuple[str, ...]], int] = {}
        for row in self._cells(name):
            for columns in filter(None, (unique, also)):
                values = tuple(row.cells[column] for column in columns)
                if (columns, values) in first:
                    facts = {"columns": ", ".join(columns), "value": ", ".join(values), "first": first[columns, values]}
                    text = N_("%(file)s, line %(line)s: %(columns)s (%(value)s) stands in line %(first)s already.")
                    self._fault(row, "row-repeated", text, facts)
                else:
                    first[columns, values] = row.line
            yield row

    def _cells(self, name: str) -> Iterator[_Row]:
        text = self._text(name)
        if text is None:
            return
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        head: list[str] | None = None
        rows = 0
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                text = N_("%(file)s, line %(line)s: this is no CSV (%(error)s).")
                self._fault(_Row(name, line, {}), "row-unreadable", text, {"error": error})
                return
            if not cells:
                continue
            if head is None:
                head = cells
                if not self._heads(name, head):
                    return
                continue
            rows += 1
            row = _Row(name, line, dict(zip(head, cells, strict=False)))
            if len(cells) == len(head):
                yield row
            else:
                text = N_("%(file)s, line %(line)s: %(found)s cells, but there are %(expected)s columns.")
                self._fault(row, "row-length", text, {"found": len(cells), "expected": len(head)})
        if not rows:
            text = N_("%(file)s is empty: it needs a line of headings and a row at least.")
            self._fault(_Row(name, 1, {}), "file-empty", text)

    def _text(self, name: str) -> str | None:
        if name not in self.files:
            self._fault(_Row(name, 1, {}), "file-missing", N_("%(file)s is missing."))
            return None
        content = self.files[name].removeprefix(b"\xef\xbb\xbf")
        try:
            text = content.decode()
        except UnicodeDecodeError as error:
            row = _Row(name, content.count(b"\n", 0, error.start) + 1, {})
            self._fault(row, "file-encoding", N_("%(file)s, line %(line)s: this is not UTF-8. Save the file as “CSV UTF-8”."))
            return None
        return text

    def _heads(self, name: str, head: Sequence[str]) -> bool:
        missing = [column for column in COLUMNS[name] if head.count(column) != 1]
        for column in missing:
            text = N_("%(file)s, line %(line)s: the column %(column)s must stand there once. Needed are: %(columns)s.")
            facts = {"column": column, "columns": ", ".join(COLUMNS[name])}
            self._fault(_Row(name, 1, {}), "column-missing", text, facts)
        return not missing

    def _id(self, row: _Row, column: str) -> bool:
        value = row.cells[column]
        if value and value == value.strip() and value.isprintable():
            return True
        text = N_("%(file)s, line %(line)s: %(column)s must be printable text without spaces at its ends, not “%(value)s”.")
        self._fault(row, "cell-not-id", text, {"column": column, "value": value})
        return False

    def _groups(self, row: _Row) -> tuple[str, ...]:
        groups = row.cells["groups"].split("|") if row.cells["groups"] else []
        if all(each and each == each.strip() and each.isprintable() for each in groups) and len({*groups}) == len(groups):
            return tuple(sorted(groups))
        text = N_("%(file)s, line %(line)s: groups must be different names separated by |, not “%(value)s”.")
        self._fault(row, "groups-wrong", text, {"value": row.cells["groups"]})
        return ()

    def _known(self, row: _Row, column: str, other: str) -> bool:
        value = row.cells[column]
        if value in self.ids[other]:
            return True
        if other in self.unread:
            return False
        text = N_("%(file)s, line %(line)s: %(column)s %(value)s does not stand in %(other)s.")
        self._fault(row, "id-unknown", text, {"column": column, "value": value, "other": other})
        return False

    def _whole(self, row: _Row, column: str, least: int) -> int | None:
        value = row.cells[column].strip()
        if re.fullmatch(r"\d{1,10}", value, re.ASCII) and least <= int(value) <= LARGEST:
            return int(value)
        text = N_("%(file)s, line %(line)s: %(column)s must be a whole number, %(least)s or more, not “%(value)s”.")
        self._fault(row, "cell-not-whole", text, {"column": column, "value": value, "least": least})
        return None

    def _number(self, row: _Row, column: str) -> float | None:
        value = row.cells[column].strip()
        if NUMBER.match(value) and isfinite(float(value)):
            return float(value)
        text = N_("%(file)s, line %(line)s: %(column)s must be a number, not “%(value)s”.")
        self._fault(row, "cell-not-number", text, {"column": column, "value": value})
        return None

    def _fault(self, row: _Row, code: str, text: str, facts: Mapping[str, object] | None = None) -> None:
        if code in UNREAD:
            self.unread.add(row.file)
        self.faults.append(Reason(code, text, {"file": row.file, "line": row.line} | dict(facts or {}), field=row.file))


def bands_of(priorities: Iterable[float]) -> dict[float, int]:
    """Each priority's band: itself when all are whole numbers of 32 bits, its place among the different ones otherwise."""
    different = sorted(priorities)
    if all(each == int(each) and abs(each) <= LARGEST for each in different):
        return {each: int(each) for each in different}
    return {each: place for place, each in enumerate(different, start=1)}

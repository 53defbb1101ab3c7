"""An allocation problem as four small tables (CSV), read with every fault named by file and line; its outcome as three.

    offerings.csv   offering_id, capacity                       (and, where they count: labels separated by |, credits)
    students.csv    student_id, seats_wanted, groups            (groups separated by |; and: origin, credits_least, credits_most)
    choices.csv     student_id, rank, offering_id, priority     (a number, lower goes first, ties allowed)
    reserves.csv    offering_id, group, seats                   (may be absent, as those that follow)
    limits.csv      offering_id, group, minimum, maximum        (hard; an empty cell: no limit)
    quotas.csv      quota_id, origins, labels, minimum, maximum, hard      (yes or no)
    meetings.csv    offering_id, weekday, starts, ends          (1 is Monday; HH:MM, all in one time zone)

UTF-8, with or without a byte-order mark, separated by commas, or by semicolons or tabs as spreadsheets of many countries
write them; further columns are passed over. Written are placements.csv, unplaced.csv and waiting.csv. This is the plain way,
for pages and small files; `columns` does the same for millions of rows.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any

from vsm.exchange.allocation.faults import LARGEST, MOST_GROUPS, WEEK
from vsm.exchange.allocation.problem import (
    Bound,
    Choice,
    Lottery,
    Mechanism,
    Meeting,
    Offering,
    Problem,
    Quota,
    Reserve,
    Student,
    Timetable,
)
from vsm.exchange.allocation.solver import Outcome
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "offerings.csv": ("offering_id", "capacity"),
    "students.csv": ("student_id", "seats_wanted", "groups"),
    "choices.csv": ("student_id", "rank", "offering_id", "priority"),
    "reserves.csv": ("offering_id", "group", "seats"),
    "limits.csv": ("offering_id", "group", "minimum", "maximum"),
    "quotas.csv": ("quota_id", "origins", "labels", "minimum", "maximum", "hard"),
    "meetings.csv": ("offering_id", "weekday", "starts", "ends"),
}
# What a file may say beside: read where it stands there.
FURTHER: Mapping[str, tuple[str, ...]] = {
    "offerings.csv": ("labels", "credits"),
    "students.csv": ("origin", "credits_least", "credits_most"),
}
LIMITS, QUOTAS, MEETINGS = "limits.csv", "quotas.csv", "meetings.csv"
WRITTEN: Mapping[str, tuple[str, ...]] = {
    "placements.csv": ("student_id", "offering_id", "rank"),
    "unplaced.csv": ("student_id",),
    "waiting.csv": ("offering_id", "position", "student_id"),
}
OPTIONAL = "reserves.csv"
MOST_TOLD = 50  # faults; the rest is counted
DAY = 24 * 60
CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\Z|24:00\Z", re.ASCII)
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)


def of_nobody(problem: Mapping[str, Any]) -> list[Reason]:
    """The groups for which seats are reserved and of which no student is: no fault, but often a name that is spelt otherwise.

    Looked for in the bytes, where it costs nothing beside a million rows. A number may hide one: `2` is also what is wanted.
    """
    if OPTIONAL not in problem:
        return []
    text = bytes(problem[OPTIONAL]).decode("utf-8-sig")
    named = {row["group"] for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=separator(text)) if row["group"]}
    students = bytes(problem["students.csv"])
    sentence = N_("No student is of the group “%(group)s”: the seats reserved for it go to everybody.")
    return [
        Reason("group-of-nobody", sentence, {"group": name})
        for name in sorted(named)
        if not re.search(rb'[,;\t|"]' + re.escape(name.encode()) + rb'\s*([,;\t|"\r\n]|$)', students)
    ]


def problem_of(
    files: Mapping[str, bytes],
    *,
    seed: str,
    mechanism: str = Mechanism.DEFERRED_ACCEPTANCE,
    lottery: str = Lottery.SINGLE,
    timetable: str = Timetable.FAST,
) -> Problem:
    """The problem in these files (name → content). `Invalid` with every fault by file and line (the first 50 are told)."""
    reading = _Reading(files)
    offerings, students, quotas = reading.problem()
    if reading.faults:
        told, more = reading.faults[:MOST_TOLD], len(reading.faults) - MOST_TOLD
        if more > 0:
            told = [*told, Reason("more-faults", N_("… and %(count)s more faults like these."), {"count": more})]
        raise Invalid(*told)
    return Problem.of(
        offerings=offerings, students=students, quotas=quotas, seed=seed, mechanism=mechanism, lottery=lottery, timetable=timetable
    )


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
    """The files that this problem is read from again. ValueError where a name holds the sign that separates names."""
    names = [group for student in problem.students for group in student.groups]
    names += [label for offering in problem.offerings for label in offering.labels]
    if any("|" in name for name in [*names, *(each for quota in problem.quotas for each in (*quota.origins, *quota.labels))]):
        raise ValueError("A group, a label or an origin holds the sign | that separates names.")
    with_labels = with_origins = bool(problem.quotas)  # they decide nothing else
    with_credits = with_spans = any(each.credits_range for each in problem.students)
    offerings = [
        (each.id, each.capacity, *([_joined(each.labels)] if with_labels else []), *([_hundredths(each.credits)] if with_credits else []))
        for each in problem.offerings
    ]
    students = [
        (each.id, each.seats_wanted, _joined(each.groups), *([each.origin] if with_origins else []), *(map(_hundredths, each.credits_range or (None, None)) if with_spans else []))
        for each in problem.students
    ]  # fmt: skip
    found = {
        "offerings.csv": written("offerings.csv", offerings, further=["labels"] * with_labels + ["credits"] * with_credits),
        "students.csv": written("students.csv", students, further=["origin"] * with_origins + ["credits_least", "credits_most"] * with_spans),
        "choices.csv": written("choices.csv", ((each.id, rank, offering, band) for each in problem.students for rank, offering, band in each.choices)),
        OPTIONAL: written(OPTIONAL, ((each.id, *reserve) for each in problem.offerings for reserve in each.reserves)),
        LIMITS: written(LIMITS, ((each.id, *bound) for each in problem.offerings for bound in each.bounds)),
        QUOTAS: written(QUOTAS, (
            (each.id, _joined(each.origins), _joined(each.labels), each.minimum, each.maximum, "yes" if each.hard else "no") for each in problem.quotas
        )),
        MEETINGS: written(MEETINGS, ((each.id, *_at(meeting)) for each in problem.offerings for meeting in each.meetings)),
    }  # fmt: skip
    # What a problem has none of has no file.
    return {name: content for name, content in found.items() if name in ("offerings.csv", "students.csv", "choices.csv") or content.count(b"\n") > 1}


def _joined(names: Iterable[str]) -> str:
    return "|".join(names)


def _hundredths(number: int | None) -> str:
    return "" if number is None else f"{number / 100:.2f}"


def _at(meeting: Meeting) -> tuple[int, str, str]:
    """Weekday, start and end on the clock; an end that is not after the start is on the next day. ValueError beyond that."""
    start, end = meeting
    if end - start > DAY:
        raise ValueError("A meeting of more than a day cannot be written as a line.")
    clock = [f"{minute % DAY // 60:02d}:{minute % 60:02d}" for minute in (start, end)]
    return start // DAY + 1, clock[0], clock[1]


def written(name: str, rows: Iterable[Sequence[object]], *, further: Sequence[str] = ()) -> bytes:
    """Rows as CSV under the headings of this file, and `further` ones."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*{**COLUMNS, **WRITTEN}[name], *further))
    writer.writerows(rows)
    return text.getvalue().encode()


def separator(text: str) -> str:
    """What stands between the cells, by the first line that is not empty."""
    head = next((line for line in text.splitlines() if line.strip()), "")
    return "," if "," in head else next((sign for sign in ";\t" if sign in head), ",")


UNREAD = ("file-missing", "file-empty", "file-encoding", "column-missing", "row-unreadable", "row-length")


@dataclass
class _Row:
    file: str
    line: int
    cells: dict[str, str]
    decimal: str = "."


@dataclass
class _Reading:
    """The files while they are read, and what is wrong with them."""

    files: Mapping[str, bytes]
    faults: list[Reason] = field(default_factory=list)
    # Which ids stand in a file, also in lines that are wrong otherwise: whoever refers to one of them is not at fault.
    ids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    unread: set[str] = field(default_factory=set)  # files of which not every line could be read: nobody is missed in them

    def problem(self) -> tuple[list[Offering], list[Student], list[Quota]]:
        offerings: dict[str, Offering] = {}
        counts_credits = bytes(self.files.get("students.csv", b"")).lstrip().partition(b"\n")[0].count(b"credits_") > 0
        for row in self._rows("offerings.csv", unique=("offering_id",)):
            name = row.cells["offering_id"]
            self.ids[row.file].add(name)
            worth = (self._credits(row, "credits") or 0) if counts_credits else 0
            if self._id(row, "offering_id") and (seats := self._whole(row, "capacity", 0)) is not None:
                offerings[name] = Offering(name, seats, labels=self._names(row, "labels") if QUOTAS in self.files else (), credits=worth)
        students: list[tuple[str, int, dict[str, Any]]] = []
        for row in self._rows("students.csv", unique=("student_id",)):
            self.ids[row.file].add(row.cells["student_id"])
            further = {"groups": self._names(row, "groups"), "origin": self._origin(row), "credits_range": self._span(row)}
            if self._id(row, "student_id") and (wanted := self._whole(row, "seats_wanted", 1)) is not None:
                students.append((row.cells["student_id"], wanted, further))
        capacities = {each.id: each.capacity for each in offerings.values()}
        reserves, bounds, meetings = self._reserves(capacities), self._bounds(capacities), self._meetings()
        quotas, choices = self._quotas(), self._choices()
        return (
            [
                replace(each, reserves=tuple(reserves.get(each.id, ())), bounds=tuple(bounds.get(each.id, ())), meetings=tuple(meetings.get(each.id, ())))
                for each in offerings.values()
            ],
            [Student(name, wanted, tuple(choices.get(name, ())), **further) for name, wanted, further in students],
            quotas,
        )  # fmt: skip

    def _bounds(self, capacities: Mapping[str, int]) -> dict[str, list[Bound]]:
        bounds: dict[str, list[Bound]] = defaultdict(list)
        if LIMITS not in self.files:
            return bounds
        for row in self._rows(LIMITS, unique=("offering_id", "group")):
            known, offering = self._known(row, "offering_id", "offerings.csv"), row.cells["offering_id"]
            span = self._least_and_most(row)
            if not (self._id(row, "group") and known and offering in capacities and span is not None):
                continue
            if span[0] > capacities[offering]:
                text = N_("%(file)s, line %(line)s: at least %(minimum)s seats are demanded in %(offering)s, more than it has (%(capacity)s).")
                self._fault(row, "minimum-exceeds-seats", text, {"offering": offering, "minimum": span[0], "capacity": capacities[offering]})
            bounds[offering].append(Bound(row.cells["group"], *span))
        return bounds

    def _quotas(self) -> list[Quota]:
        quotas: list[Quota] = []
        if QUOTAS not in self.files:
            return quotas
        for row in self._rows(QUOTAS, unique=("quota_id",)):
            named, span = self._id(row, "quota_id"), self._least_and_most(row)
            origins, labels, hard = self._names(row, "origins"), self._names(row, "labels"), row.cells["hard"].strip().casefold()
            if hard not in ("yes", "no"):
                text = N_("%(file)s, line %(line)s: hard must be yes or no, not “%(value)s”.")
                self._fault(row, "cell-not-yes-or-no", text, {"value": row.cells["hard"]})
            elif named and span is not None:
                quotas.append(Quota(row.cells["quota_id"], origins, labels, *span, hard=hard == "yes"))
        return quotas

    def _meetings(self) -> dict[str, list[Meeting]]:
        meetings: dict[str, list[Meeting]] = defaultdict(list)
        if MEETINGS not in self.files:
            return meetings
        for row in self._rows(MEETINGS, unique=("offering_id", "weekday", "starts", "ends")):
            known, day = self._known(row, "offering_id", "offerings.csv"), self._whole(row, "weekday", 1, 7)
            start, end = self._minute(row, "starts"), self._minute(row, "ends")
            if known and day is not None and start is not None and end is not None:
                begins = ((day - 1) * DAY + start) % WEEK
                meetings[row.cells["offering_id"]].append(Meeting(begins, begins + ((end - start) % DAY or DAY)))
        return meetings

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
        between = separator(text)
        reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=between)
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
            if not any(cell.strip() for cell in cells):  # spreadsheets leave lines of nothing but separators behind
                continue
            if head is None:
                head = cells
                if not self._heads(name, head):
                    return
                continue
            rows += 1
            row = _Row(name, line, dict(zip(head, cells, strict=False)), decimal="," if between != "," else ".")
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
        missing += [column for column in FURTHER.get(name, ()) if head.count(column) > 1]
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

    def _names(self, row: _Row, column: str) -> tuple[str, ...]:
        """Names separated by |, sorted; none where the cell is empty or the column is not there."""
        value = row.cells.get(column, "")
        names = value.split("|") if value else []
        if all(each and each == each.strip() and each.isprintable() for each in names) and len({*names}) == len(names):
            return tuple(sorted(names))
        text = N_("%(file)s, line %(line)s: %(column)s must be different names separated by |, not “%(value)s”.")
        self._fault(row, f"{column}-wrong", text, {"column": column, "value": value})
        return ()

    def _origin(self, row: _Row) -> str:
        if QUOTAS not in self.files or not row.cells.get("origin"):
            return ""
        return row.cells["origin"] if self._id(row, "origin") else ""

    def _span(self, row: _Row) -> tuple[int, int | None] | None:
        """Least and most credits in hundredths; None where neither is told."""
        least, most = self._credits(row, "credits_least"), self._credits(row, "credits_most")
        if least is None and most is None:
            return None
        if least is not None and most is not None and least > most:
            text = N_("%(file)s, line %(line)s: the least credits are more than the most.")
            self._fault(row, "credits-order", text)
        return least or 0, most

    def _credits(self, row: _Row, column: str) -> int | None:
        value = row.cells.get(column, "").strip()
        if not value:
            return None
        number = self._number(row, column)
        if number is None or 0 <= number * 100 <= LARGEST:
            return None if number is None else round(number * 100)
        text = N_("%(file)s, line %(line)s: %(column)s must be 0 or more and not beyond what is possible, not “%(value)s”.")
        self._fault(row, "credits-wrong", text, {"column": column, "value": value})
        return None

    def _least_and_most(self, row: _Row) -> tuple[int, int | None] | None:
        told = [self._whole(row, column, 0) if row.cells[column].strip() else None for column in ("minimum", "maximum")]
        if any(number is None and row.cells[column].strip() for number, column in zip(told, ("minimum", "maximum"), strict=True)):
            return None
        least, most = told[0] or 0, told[1]
        if most is not None and least > most:
            text = N_("%(file)s, line %(line)s: the minimum (%(minimum)s) is more than the maximum (%(maximum)s).")
            self._fault(row, "minimum-above-maximum", text, {"minimum": least, "maximum": most})
            return None
        return least, most

    def _minute(self, row: _Row, column: str) -> int | None:
        value = row.cells[column].strip()
        if found := CLOCK.match(value):
            return DAY if found[1] is None else int(found[1]) * 60 + int(found[2])
        text = N_("%(file)s, line %(line)s: %(column)s must be a time such as 09:30, not “%(value)s”.")
        self._fault(row, "cell-not-time", text, {"column": column, "value": value})
        return None

    def _known(self, row: _Row, column: str, other: str) -> bool:
        value = row.cells[column]
        if value in self.ids[other]:
            return True
        if other in self.unread:
            return False
        text = N_("%(file)s, line %(line)s: %(column)s %(value)s does not stand in %(other)s.")
        self._fault(row, "id-unknown", text, {"column": column, "value": value, "other": other})
        return False

    def _whole(self, row: _Row, column: str, least: int, most: int = LARGEST) -> int | None:
        value = row.cells[column].strip()
        if re.fullmatch(r"\d{1,10}", value, re.ASCII) and least <= int(value) <= most:
            return int(value)
        text = N_("%(file)s, line %(line)s: %(column)s must be a whole number from %(least)s to %(most)s, not “%(value)s”.")
        self._fault(row, "cell-not-whole", text, {"column": column, "value": value, "least": least, "most": most})
        return None

    def _number(self, row: _Row, column: str) -> float | None:
        value = row.cells[column].strip()
        written = value.replace(row.decimal, ".")
        if NUMBER.match(written) and isfinite(float(written)):
            return float(written)
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

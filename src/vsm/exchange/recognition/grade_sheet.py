"""A CSV file of grades → entries, or every line that cannot be read. Pure.

The file is taken whole or not at all: a grade that was left out by accident looks like a grade that was never given.
Columns: `student_number` or `email` (both may stand there), `grade`, and optionally `credits`, `remark`. Other columns
are names for people's eyes (`student`) and are not read.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from vsm.kit.errors import Invalid
from vsm.kit.folding import fold
from vsm.kit.i18n import N_
from vsm.kit.sheets import FIELD, at_line, read_rows
from vsm.kit.verdict import Reason

COLUMNS = ("student_number", "email", "student", "grade", "credits", "remark")
MOST_LINES = 2000

# As the registries of our four languages head these columns; folded, without accents.
_ALSO = {
    "student number": "student_number", "matricula": "student_number", "codigo": "student_number",
    "numero etudiant": "student_number", "correo": "email", "e-mail": "email", "mail": "email", "courriel": "email",
    "nota": "grade", "calificacion": "grade", "note": "grade", "creditos": "credits", "credits ects": "credits",
    "observacion": "remark", "observacao": "remark", "remarque": "remark", "estudiante": "student",
    "estudante": "student", "etudiant": "student", "name": "student", "nombre": "student", "nome": "student",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the file. `credits` is None where the file leaves them to the course."""

    line: int
    student_number: str
    email: str
    grade: str
    credits: Decimal | None
    remark: str


def read_sheet(data: bytes) -> tuple[list[Entry], list[Reason]]:
    """Every line of a file: as an entry, or as problems that name the line.

    Raises Invalid when lines cannot be told apart at all (no CSV, no usable header, quotation marks left open).
    """
    rows = read_rows(data, most=MOST_LINES)
    columns = _columns(rows[0][1])
    entries: list[Entry] = []
    problems: list[Reason] = []
    for line, cells in rows[1:]:
        found = list(_line_problems(columns, cells))
        problems += [at_line(line, problem) for problem in found]
        if not found:
            entries.append(_entry(line, dict(zip(columns, cells, strict=True))))
    if not problems and not entries:
        problems.append(Reason("no-lines", N_("The file has a header and no line below it."), {}, FIELD))
    return entries, problems


def _columns(header: Sequence[str]) -> list[str]:
    named = [_ALSO.get(name, name.replace(" ", "_")) for name in (fold(cell) for cell in header)]
    problems = []
    if not {"student_number", "email"} & set(named):
        text = N_("No column says who the students are: name one “student_number” or “email”.")
        problems.append(Reason("no-student-column", text, {}, FIELD))
    if "grade" not in named:
        problems.append(Reason("no-grade-column", N_("No column is named “grade”."), {}, FIELD))
    text = N_("The column “%(column)s” stands twice.")
    problems += [Reason("column-twice", text, {"column": name}, FIELD) for name in COLUMNS if named.count(name) > 1]
    Invalid.because(problems)
    return named


def _line_problems(columns: Sequence[str], cells: Sequence[str]) -> Iterator[Reason]:
    if len(cells) != len(columns):
        text = N_("Cells in the line: %(found)s, in the header: %(expected)s.")
        yield Reason("cell-count", text, {"found": len(cells), "expected": len(columns)})
        return
    given = dict(zip(columns, cells, strict=True))
    if not (given.get("student_number") or given.get("email")):
        yield Reason("no-student", N_("It does not say which student it is about."))
    if not given["grade"]:
        yield Reason("no-grade", N_("There is no grade. Enter one, or leave the whole line out."))
    if given.get("credits") and read_amount(given["credits"]) is None:
        yield Reason("bad-credits", N_("“%(given)s” is not an amount of credits."), {"given": given["credits"]})


def read_amount(text: str) -> Decimal | None:
    """`5`, `5.5` or `5,5` with at most two decimals, as the records keep; None for anything else."""
    tidy = text.replace(",", ".")
    return Decimal(tidy) if re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,2})?", tidy) else None


def _entry(line: int, given: dict[str, str]) -> Entry:
    return Entry(
        line=line,
        student_number=given.get("student_number", ""),
        email=given.get("email", "").lower(),
        grade=given["grade"],
        credits=read_amount(given["credits"]) if given.get("credits") else None,
        remark=given.get("remark", ""),
    )

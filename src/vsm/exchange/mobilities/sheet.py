"""A CSV file of physical mobilities → stays with their courses, or every line that cannot be read. Pure.

One line for each course; lines of the same student, host and first day are one stay. A stay without courses has one
line with the course's cells empty. Days are ISO (2027-03-15) or day first (15/03/2027); amounts take either decimal sign.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from vsm.kit.errors import Invalid
from vsm.kit.folding import fold
from vsm.kit.i18n import N_
from vsm.kit.sheets import FIELD, at_line, read_rows
from vsm.kit.verdict import Reason

COLUMNS = (
    "student_number", "email", "host", "country", "region", "city", "starts_on", "ends_on", "nationalities", "residence",
    "phone", "contact_name", "contact_phone", "course_code", "course_title", "credits", "credit_system", "language",
    "home_code", "home_title", "home_credits",
)  # fmt: skip
NEEDED = ("host", "starts_on", "ends_on")
STAY = COLUMNS[2:13]
MOST_LINES = 20_000

# As offices of our four languages head these columns; folded, without accents.
_ALSO = {
    "student number": "student_number", "matricula": "student_number", "codigo": "student_number", "numero etudiant": "student_number",
    "correo": "email", "e-mail": "email", "courriel": "email", "destino": "host", "universidad de destino": "host",
    "universidade de destino": "host", "etablissement d'accueil": "host", "pais": "country", "pays": "country",
    "estado": "region", "departamento": "region", "ciudad": "city", "cidade": "city", "ville": "city",
    "inicio": "starts_on", "debut": "starts_on", "start": "starts_on", "fin": "ends_on", "fim": "ends_on", "end": "ends_on",
    "nacionalidad": "nationalities", "nacionalidade": "nationalities", "nationalite": "nationalities", "nationality": "nationalities",
    "residencia": "residence", "telefono": "phone", "telefone": "phone", "telephone": "phone",
    "curso": "course_code", "code": "course_code", "titulo": "course_title", "titre": "course_title", "title": "course_title",
    "creditos": "credits", "idioma": "language", "langue": "language",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CourseLine:
    """One course of a stay. Empty texts and None: the file leaves it to the host's habits or to home."""

    code: str
    title: str
    credits: Decimal
    credit_system: str
    language: str
    home_code: str
    home_title: str
    home_credits: Decimal | None


@dataclass(kw_only=True)
class StayLines:
    """One stay, on the line where it was first named. `host` is a SCHAC code; empty country: that of the host."""

    line: int
    student_number: str
    email: str
    host: str
    country: str
    region: str
    city: str
    starts_on: date
    ends_on: date
    nationalities: list[str]
    residence: str
    phone: str
    contact_name: str
    contact_phone: str
    courses: list[CourseLine] = field(default_factory=list)


def read_sheet(data: bytes) -> tuple[list[StayLines], list[Reason]]:
    """Every stay of a file, and the problems that name their lines. Raises Invalid when it cannot be read at all."""
    rows = read_rows(data, most=MOST_LINES)
    columns = _columns(rows[0][1])
    stays: dict[tuple[str, ...], StayLines] = {}
    said: dict[tuple[str, ...], tuple[str, ...]] = {}
    problems: list[Reason] = []
    for line, cells in rows[1:]:
        given = dict(zip(columns, cells, strict=False))
        found = list(_line_problems(columns, cells, given))
        key = (given.get("student_number", ""), given.get("email", "").lower(), given.get("host", ""), given.get("starts_on", ""))
        stay_cells = tuple(given.get(name, "") for name in STAY)
        if not found and said.setdefault(key, stay_cells) != stay_cells:
            found.append(Reason("stay-differs", N_("It tells the same stay differently than an earlier line.")))
        problems += [at_line(line, problem) for problem in found]
        if not found:
            stay = stays.setdefault(key, _stay(line, given)) if key not in stays else stays[key]
            if given.get("course_code"):
                stay.courses.append(_course(given))
    if not problems and not stays:
        problems.append(Reason("no-lines", N_("The file has a header and no line below it."), {}, FIELD))
    return list(stays.values()), problems


def _columns(header: Sequence[str]) -> list[str]:
    named = [_ALSO.get(name, name.replace(" ", "_")) for name in (fold(cell) for cell in header)]
    problems = []
    if not {"student_number", "email"} & set(named):
        text = N_("No column says who the students are: name one “student_number” or “email”.")
        problems.append(Reason("no-student-column", text, {}, FIELD))
    problems += [Reason("no-column", N_("No column is named “%(column)s”."), {"column": name}, FIELD) for name in NEEDED if name not in named]
    text = N_("The column “%(column)s” stands twice.")
    problems += [Reason("column-twice", text, {"column": name}, FIELD) for name in COLUMNS if named.count(name) > 1]
    Invalid.because(problems)
    return named


def _line_problems(columns: Sequence[str], cells: Sequence[str], given: dict[str, str]) -> Iterator[Reason]:
    if len(cells) != len(columns):
        text = N_("Cells in the line: %(found)s, in the header: %(expected)s.")
        yield Reason("cell-count", text, {"found": len(cells), "expected": len(columns)})
        return
    if not (given.get("student_number") or given.get("email")):
        yield Reason("no-student", N_("It does not say which student it is about."))
    if not given["host"]:
        yield Reason("no-host", N_("It does not say which institution is the host."))
    for name in ("starts_on", "ends_on"):
        if read_day(given[name]) is None:
            yield Reason("bad-day", N_("“%(given)s” is not a day. Write 2027-03-15."), {"given": given[name]})
    if given.get("course_code") and read_amount(given.get("credits", "")) is None:
        yield Reason("bad-credits", N_("“%(given)s” is not an amount of credits."), {"given": given.get("credits", "")})
    if given.get("home_credits") and read_amount(given["home_credits"]) is None:
        yield Reason("bad-credits", N_("“%(given)s” is not an amount of credits."), {"given": given["home_credits"]})


def read_day(text: str) -> date | None:
    for form in ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 -- a day of a calendar has no zone
        except ValueError:
            continue
    return None


def read_amount(text: str) -> Decimal | None:
    """`5`, `5.5` or `5,5` with at most two decimals, as the records keep; None for anything else."""
    tidy = text.replace(",", ".")
    return Decimal(tidy) if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,2})?", tidy) else None


def _stay(line: int, given: dict[str, str]) -> StayLines:
    starts_on, ends_on = read_day(given["starts_on"]), read_day(given["ends_on"])
    if starts_on is None or ends_on is None:
        raise RuntimeError("the line was checked before")
    return StayLines(
        line=line, student_number=given.get("student_number", ""), email=given.get("email", "").lower(), host=given["host"].lower(),
        country=given.get("country", "").upper(), region=given.get("region", ""), city=given.get("city", ""), starts_on=starts_on,
        ends_on=ends_on, nationalities=re.findall(r"[A-Z]+", given.get("nationalities", "").upper()),
        residence=given.get("residence", "").upper(), phone=given.get("phone", ""), contact_name=given.get("contact_name", ""),
        contact_phone=given.get("contact_phone", ""),
    )  # fmt: skip


def _course(given: dict[str, str]) -> CourseLine:
    return CourseLine(
        code=given["course_code"], title=given.get("course_title", ""), credits=read_amount(given.get("credits", "")) or Decimal(0),
        credit_system=given.get("credit_system", ""), language=given.get("language", "").lower(), home_code=given.get("home_code", ""),
        home_title=given.get("home_title", ""), home_credits=read_amount(given["home_credits"]) if given.get("home_credits") else None,
    )  # fmt: skip

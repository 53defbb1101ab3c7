"""A CSV file of a class → lines, or every line that cannot be read. Pure.

Columns: `email` and `name`, and optionally `student_number`, `zone`, `languages` (“es:native en:B2”), `gender` and `skills`
(words; both only as the student states them, and only for forming teams). Other columns are refused by name, so that no
school register lands here by accident with facts that nobody needs.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from vsm.kit.errors import Invalid
from vsm.kit.folding import fold
from vsm.kit.i18n import N_
from vsm.kit.mail_addresses import is_mail_address
from vsm.kit.verdict import Reason

COLUMNS = ("email", "name", "student_number", "zone", "languages", "gender", "skills")
MOST_LINES = 500
FIELD = "file"
LEVELS = ("A1", "A2", "B1", "B2", "C1", "C2", "native")

# As schools in our four languages head these columns; folded, without accents.
_ALSO = {
    "e-mail": "email", "mail": "email", "correo": "email", "correo electronico": "email", "courriel": "email", "nombre": "name",
    "nome": "name", "nom": "name", "student number": "student_number", "codigo": "student_number", "matricula": "student_number",
    "numero etudiant": "student_number", "time zone": "zone", "zona horaria": "zone", "fuso horario": "zone", "fuseau horaire": "zone",
    "idiomas": "languages", "linguas": "languages", "langues": "languages", "genero": "gender", "genre": "gender",
    "habilidades": "skills", "competencias": "skills", "competences": "skills",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Line:
    """One student of the class as the file tells. `languages`: code → CEFR level or `native`; `skills`: small words."""

    line: int
    email: str
    name: str
    student_number: str = ""
    zone: str = ""
    languages: tuple[tuple[str, str], ...] = ()
    gender: str = ""
    skills: tuple[str, ...] = ()


def read_roster(data: bytes, known_zones: frozenset[str]) -> tuple[list[Line], list[tuple[int, Reason]]]:
    """Every line as a student, or with its number and every problem. Raises Invalid when lines cannot be told apart."""
    rows = _rows(_text(data))
    columns = _columns(rows[0][1])
    lines: list[Line] = []
    problems: list[tuple[int, Reason]] = []
    seen: dict[str, int] = {}
    for number, cells in rows[1:]:
        found = list(_problems(columns, cells, known_zones))
        given = dict(zip(columns, cells, strict=False))
        mail = given.get("email", "").lower()
        if not found and mail in seen:
            found.append(Reason("twice", N_("This address stands already on line %(line)s."), {"line": seen[mail]}))
        seen.setdefault(mail, number)
        problems += [(number, problem) for problem in found]
        if not found:
            lines.append(_line(number, given))
    if not problems and not lines:
        raise Invalid(Reason("no-lines", N_("The file has a header and no line below it."), {}, FIELD))
    return lines, problems


def _text(data: bytes) -> str:
    refusal = Reason("not-csv", N_("This is not a CSV file in UTF-8. Save it again as “CSV UTF-8”."), {}, FIELD)
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\xff\xfe", b"\xfe\xff")) or b"\x00" in data:
        raise Invalid(refusal)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        raise Invalid(refusal) from cause
    if not text.strip():
        raise Invalid(Reason("file-empty", N_("The file is empty."), {}, FIELD))
    return text


def _rows(text: str) -> list[tuple[int, list[str]]]:
    header = next(line for line in text.splitlines() if line.strip())
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count), strict=True)
    rows = []
    try:
        for cells in reader:
            tidy = [" ".join(cell.split()) for cell in cells]
            if any(tidy):
                rows.append((reader.line_num, tidy))
    except csv.Error as cause:
        text_of = N_("The quotation marks of line %(line)s do not match.")
        raise Invalid(Reason("quoting", text_of, {"line": reader.line_num}, FIELD)) from cause
    if len(rows) > MOST_LINES + 1:
        raise Invalid(Reason("too-many-lines", N_("The file has %(lines)s lines; at most %(limit)s are read."), {"lines": len(rows) - 1, "limit": MOST_LINES}, FIELD))
    return rows


def _columns(header: Sequence[str]) -> list[str]:
    named = [_ALSO.get(name, name.replace(" ", "_")) for name in map(fold, header)]
    problems = [
        Reason("column-missing", N_("The column “%(column)s” is missing."), {"column": name}, FIELD) for name in ("email", "name") if name not in named
    ]
    problems += [
        Reason("column-unknown", N_("The column “%(column)s” is not asked for. Take it out: only what forming teams needs belongs here."), {"column": name}, FIELD)
        for name in named if name not in COLUMNS
    ]  # fmt: skip
    problems += [Reason("column-twice", N_("The column “%(column)s” stands twice."), {"column": name}, FIELD) for name in COLUMNS if named.count(name) > 1]
    Invalid.because(problems)
    return named


def _problems(columns: Sequence[str], cells: Sequence[str], zones: frozenset[str]) -> Iterator[Reason]:
    if len(cells) != len(columns):
        yield Reason("cell-count", N_("Cells in the line: %(found)s, in the header: %(expected)s."), {"found": len(cells), "expected": len(columns)})
        return
    given = dict(zip(columns, cells, strict=True))
    if not is_mail_address(given["email"]):
        yield Reason("bad-email", N_("“%(given)s” is not a mail address."), {"given": given["email"][:80]})
    if not 1 <= len(given["name"]) <= 200:
        yield Reason("bad-name", N_("There is no name, or it is longer than 200 letters."))
    if len(given.get("student_number", "")) > 64 or len(given.get("gender", "")) > 16 or len(given.get("skills", "")) > 200:
        yield Reason("too-long", N_("A cell of this line is too long."))
    if given.get("zone") and given["zone"] not in zones:
        yield Reason("zone", N_("“%(zone)s” is not a time zone of the IANA database (example: America/Lima)."), {"zone": given["zone"][:80]})
    for word in given.get("languages", "").split():
        code, _colon, level = word.partition(":")
        if not re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]{2,8})?", code) or level not in LEVELS:
            yield Reason("bad-language", N_("“%(given)s” is not a language with its level. Write for example en:B2 or es:native."), {"given": word[:40]})


def _line(number: int, given: dict[str, str]) -> Line:
    languages = tuple(sorted((word.partition(":")[0], word.partition(":")[2]) for word in given.get("languages", "").split()))
    skills = tuple(sorted({fold(word) for word in re.split(r"[\s,;|]+", given.get("skills", "")) if word}))
    return Line(
        line=number, email=given["email"].lower(), name=given["name"], student_number=given.get("student_number", ""),
        zone=given.get("zone", ""), languages=languages, gender=fold(given.get("gender", "")), skills=skills,
    )  # fmt: skip

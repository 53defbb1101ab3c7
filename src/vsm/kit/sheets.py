"""A table that somebody saved from a spreadsheet: CSV bytes → rows of cells with their lines. Pure.

The file is taken whole or not at all, and every fault names its line. Excel writes a byte order mark and, where the
comma is the decimal sign, semicolons between the cells; both are read.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

FIELD = "file"


def read_rows(data: bytes, *, most: int) -> list[tuple[int, list[str]]]:
    """The cells of each line that is not blank (the header first), with the number of its last physical line.

    Raises Invalid for what is no CSV in UTF-8, is empty, leaves a quotation mark open, or has more than `most` lines.
    """
    return _rows(_text(data), most)


def write_rows(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The reverse, for files that programs read again: nothing is done to what spreadsheets take for formulas."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows(rows)
    return text.getvalue().encode()


def at_line(line: int, problem: Reason, field: str = FIELD) -> Reason:
    """The problem, told with its place."""
    return Reason(problem.code, N_("Line %(line)s: %(problem)s"), {"line": line, "problem": problem}, field)


def _text(data: bytes) -> str:
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\xff\xfe", b"\xfe\xff")):
        raise Invalid(
            Reason("not-csv", N_("This is not a CSV file in UTF-8. Save it again as “CSV UTF-8”."), {}, FIELD)
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        line = data[: cause.start].count(b"\n") + 1
        unread = Reason("undecodable", N_("There are letters that are not UTF-8. Save the file as “CSV UTF-8”."))
        raise Invalid(at_line(line, unread)) from cause
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        raise Invalid(
            at_line(line, Reason("nul", N_("The text contains a character (NUL) that cannot be stored. Remove it.")))
        )
    if not text.strip():
        raise Invalid(Reason("file-empty", N_("The file is empty."), {}, FIELD))
    return text


def _rows(text: str, most: int) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    rows: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            tidy = [" ".join(cell.split()) for cell in cells]
            if any(tidy):
                rows.append((reader.line_num, tidy))
    except csv.Error as cause:
        unread = Reason(
            "quoting", N_("The quotation marks of the line do not match: %(cause)s."), {"cause": str(cause)}
        )
        raise Invalid(at_line(reader.line_num, unread)) from cause
    if len(rows) > most:
        problem = N_("The file has %(lines)s lines; at most %(limit)s are read.")
        raise Invalid(Reason("too-many-lines", problem, {"lines": len(rows), "limit": most}, FIELD))
    return rows


def _delimiter(text: str) -> str:
    """Spreadsheets separate by semicolon where the comma is the decimal sign."""
    header = next(line for line in text.splitlines() if line.strip())
    return max(",;\t", key=header.count)

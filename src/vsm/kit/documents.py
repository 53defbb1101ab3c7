"""Rows and the facts beside them, from a file that somebody wrote by hand: CSV or JSON, each row with its line. Pure.

A CSV file is one list of rows. A JSON file is an object whose lists are rows and whose other values are facts, or a list
alone. `json` forgets on which line a thing stood; whoever mends a file of 300 rows needs it.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.sheets import read_rows
from vsm.kit.verdict import Reason

_DECODER = json.JSONDecoder()
_BLANK = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True)
class Row:
    """What stands on one line: column → text (CSV), or an element of a list (JSON)."""

    line: int
    value: Any


@dataclass(frozen=True)
class Document:
    """`rows` by the name of their list; `facts` are what JSON tells beside them."""

    rows: Mapping[str, tuple[Row, ...]]
    facts: Mapping[str, Row] = field(default_factory=dict)


def read_document(data: bytes, *, main: str, most: int) -> Document:
    """The document in these bytes; a file without names of lists holds `main`. `Invalid` when it cannot be read."""
    if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return _json(_text(data), main)
    (head_line, heads), *lines = read_rows(data, most=most + 1)
    faults = [at(head_line, Reason("column-twice", N_("The column “%(column)s” stands twice."), {"column": each})) for each in {*heads} if heads.count(each) > 1]
    for line, cells in lines:
        if len(cells) != len(heads):
            text = N_("Cells in the line: %(found)s, in the header: %(expected)s.")
            faults.append(at(line, Reason("cell-count", text, {"found": len(cells), "expected": len(heads)})))
    Invalid.because(faults)
    return Document({main: tuple(Row(line, {head: cell for head, cell in zip(heads, cells, strict=True) if cell}) for line, cells in lines)})


def at(line: int, problem: Reason) -> Reason:
    """A problem with its line; `in_file` says of which file."""
    return Reason(problem.code, N_("line %(line)s: %(problem)s"), {"line": line, "problem": problem}, problem.field)


def in_file(name: str, problem: Reason) -> Reason:
    """A problem with the file that it stands in."""
    return Reason(problem.code, N_("%(file)s, %(problem)s"), {"file": name, "problem": problem}, problem.field)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        line = data[: cause.start].count(b"\n") + 1
        raise Invalid(at(line, Reason("undecodable", N_("There are letters that are not UTF-8.")))) from cause


def _json(text: str, main: str) -> Document:
    try:
        json.loads(text)
        begin = _over(text, 0)
        if text[begin] == "[":
            return Document({main: tuple(_elements(text, begin))})
        members = dict(_members(text, begin))
    except ValueError as cause:
        line = cause.lineno if isinstance(cause, json.JSONDecodeError) else 1
        raise Invalid(at(line, Reason("no-json", N_("This is no JSON (%(cause)s)."), {"cause": str(cause)}))) from cause
    except RecursionError as cause:
        raise Invalid(at(1, Reason("no-json", N_("This is no JSON (%(cause)s)."), {"cause": "too deep"}))) from cause
    lists = {name: tuple(_elements(text, place)) for name, place in members.items() if text[place] == "["}
    facts = {name: Row(_line(text, place), _DECODER.raw_decode(text, place)[0]) for name, place in members.items() if name not in lists}
    return Document(lists, facts)


def _members(text: str, begin: int) -> Iterator[tuple[str, int]]:
    """Each member of an object that is well formed, with the place of its value."""
    place = _over(text, begin + 1)
    while text[place] != "}":
        name, place = _DECODER.raw_decode(text, place)
        place = _over(text, _over(text, place) + 1)
        yield name, place
        place = _next(text, _DECODER.raw_decode(text, place)[1])


def _elements(text: str, begin: int) -> Iterator[Row]:
    place = _over(text, begin + 1)
    while text[place] != "]":
        value, end = _DECODER.raw_decode(text, place)
        yield Row(_line(text, place), value)
        place = _next(text, end)


def _next(text: str, end: int) -> int:
    """Over the comma, if there is one."""
    place = _over(text, end)
    return _over(text, place + 1) if text[place] == "," else place


def _over(text: str, place: int) -> int:
    """Over white space."""
    found = _BLANK.match(text, place)
    return found.end() if found else place


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def once(faults: Iterable[Reason]) -> Iterator[Reason]:
    """The faults without the repetitions of a column that nobody reads: it stands on every line and is told with the first."""
    told: set[str] = set()
    for each in faults:
        problem = each.params.get("problem")
        name = str(problem.params["name"]) if isinstance(problem, Reason) and problem.code == "name-unknown" else ""
        if name not in told:
            yield each
        told |= {name} - {""}


def unknown(names: Collection[str], known: Collection[str]) -> Iterator[Reason]:
    """Names that nobody reads: a column written wrong must not be passed over in silence."""
    for name in sorted({*names} - {*known}):
        text = N_("“%(name)s” is not known here. Known are: %(known)s.")
        yield Reason("name-unknown", text, {"name": name, "known": list(known)})

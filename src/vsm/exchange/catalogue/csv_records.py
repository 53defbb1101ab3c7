"""Bytes of a CSV file → records that know their physical lines, or say why they cannot be read.

Built for spoiled copies: an unclosed quotation costs its own line and nothing after it, a line that cannot be decoded
costs that line, and no line disappears.
"""

import csv
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from vsm.exchange.catalogue.mapping_parts import Source
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

LONGEST_LINE = 1_000_000
"""Bytes. A longer line is refused without being held in memory."""

MOST_LINES = 200
"""Physical lines that one record may span; beyond that a quotation was left open."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SIGNATURES = {
    b"PK\x03\x04": N_("a spreadsheet or another zip file"),
    b"\xff\xfe": N_("a file in UTF-16"),
    b"\xfe\xff": N_("a file in UTF-16"),
    b"%PDF": N_("a PDF file"),
}


@dataclass(frozen=True, slots=True)
class Record:
    """One record: the physical lines `first` to `last` (from 1), its cells, or the reason why there are none."""

    first: int
    last: int
    cells: tuple[str, ...] = ()
    reason: Reason | None = None

    @property
    def lines(self) -> tuple[int, ...]:
        return tuple(range(self.first, self.last + 1))


def records_in(stream: BinaryIO, source: Source) -> Iterator[Record]:
    """All records of the file, the header first. Blank lines are no records.

    Raises Invalid when the bytes are no CSV at all (a spreadsheet, UTF-16) or the header cannot be read.
    """
    lines = _Lines(stream)
    header = _record(lines, source, width=0)
    if header is None:
        raise Invalid(Reason("file-empty", N_("The file is empty.")))
    if header.reason:
        raise Invalid(
            Reason("header-unreadable", N_("The first line, which names the columns, cannot be read.")), header.reason
        )
    yield header
    while record := _record(lines, source, width=len(header.cells)):
        yield record


class _Lines:
    """Numbered physical lines that can be given back."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._number = stream, 0
        self._returned: deque[tuple[int, bytes]] = deque()

    def take(self) -> tuple[int, bytes] | None:
        if self._returned:
            return self._returned.popleft()
        raw = self._stream.readline(LONGEST_LINE + 1)
        if not raw:
            return None
        rest = raw
        while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
            rest = self._stream.readline(LONGEST_LINE + 1)
        self._number += 1
        return self._number, self._without_mark(raw)

    def give_back(self, lines: list[tuple[int, bytes]]) -> None:
        self._returned.extendleft(reversed(lines))

    def _without_mark(self, raw: bytes) -> bytes:
        if self._number > 1:
            return raw
        for signature, kind in _SIGNATURES.items():
            if raw.startswith(signature):
                raise Invalid(
                    Reason("not-csv", N_("This is %(kind)s, not CSV. Save it as CSV in UTF-8."), {"kind": kind})
                )
        return raw.removeprefix(b"\xef\xbb\xbf")


def _record(lines: _Lines, source: Source, *, width: int) -> Record | None:
    taken = lines.take()
    while taken and not taken[1].strip():
        taken = lines.take()
    if taken is None:
        return None
    alone = _read([taken], source, width)
    if alone.whole or taken[1].count(b'"') % 2 == 0:
        return alone.record
    held, quotes = [taken], taken[1].count(b'"')
    while quotes % 2 and len(held) < MOST_LINES and (more := lines.take()):
        held.append(more)
        quotes += more[1].count(b'"')
    together = _read(held, source, width)
    if together.whole:
        return together.record
    lines.give_back(held[1:])
    return alone.record


@dataclass(frozen=True, slots=True)
class _Attempt:
    """`whole` when quotation and number of cells fit, even if the content is refused."""

    record: Record
    whole: bool


def _read(held: list[tuple[int, bytes]], source: Source, width: int) -> _Attempt:
    first, last = held[0][0], held[-1][0]
    raw = b"".join(line for _, line in held)
    cells = _cells(raw.decode(source.encoding, "surrogateescape"), source, width)
    reason = _unacceptable(raw, source)
    if isinstance(cells, Reason):
        return _Attempt(Record(first, last, reason=reason or cells), whole=False)
    reason = reason or _too_long(cells, source)
    return _Attempt(Record(first, last, cells, reason), whole=True)


def _unacceptable(raw: bytes, source: Source) -> Reason | None:
    if len(raw) > LONGEST_LINE:
        return Reason("line-too-long", N_("The line is longer than %(limit)s bytes."), {"limit": LONGEST_LINE})
    if source.final_newline and not raw.endswith(b"\n"):
        return Reason("cut", N_("The file ends in the middle of this line: it was cut."))
    try:
        text = raw.decode(source.encoding)
    except UnicodeDecodeError as cause:
        params = {"position": cause.start + 1, "encoding": source.encoding}
        return Reason("undecodable", N_("Byte %(position)s of the line is not %(encoding)s."), params)
    if source.encoding != "utf-8" and not raw.isascii() and _is_utf8(raw):
        params = {"encoding": source.encoding}
        return Reason("wrong-encoding", N_("The line is UTF-8, but the mapping says %(encoding)s."), params)
    if _CONTROL.search(text):
        text = N_("The line holds a control character (such as NUL), which no text has.")
        return Reason("control-character", text)
    return None


def _cells(text: str, source: Source, width: int) -> tuple[str, ...] | Reason:
    try:
        cells = tuple(next(csv.reader((text,), delimiter=source.delimiter, strict=True)))
    except (csv.Error, StopIteration) as cause:
        return Reason("quoting", N_("The quotation marks of the line do not match: %(cause)s."), {"cause": str(cause)})
    if width and len(cells) != width:
        params = {"found": len(cells), "expected": width}
        return Reason("cell-count", N_("Cells in the line: %(found)s, in the header: %(expected)s."), params)
    return cells


def _too_long(cells: tuple[str, ...], source: Source) -> Reason | None:
    longest = max(map(len, cells), default=0)
    if longest <= source.longest_cell:
        return None
    params = {"length": longest, "limit": source.longest_cell}
    return Reason("cell-too-long", N_("A cell has %(length)s characters; at most %(limit)s are read."), params)


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True

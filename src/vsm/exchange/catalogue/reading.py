"""A host's catalogue file → candidates for the catalogue, and the rows that were refused with every reason.

The account always balances: each data line of the file stands in exactly one candidate or one refusal.
"""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Table
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from vsm.exchange.catalogue.candidates import Candidate, OfferingFacts, OpportunityFacts, RefusedRow, Remark, candidate
from vsm.exchange.catalogue.csv_records import Record, records_in
from vsm.exchange.catalogue.mapping import Mapping
from vsm.exchange.catalogue.row_facts import RowFacts, RowReader
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

PROGRESS_EVERY = 1_000


def read(
    source: Path | str | BinaryIO, mapping: Mapping, progress: Callable[[int], None] | None = None
) -> Iterator[Candidate | RefusedRow]:
    """Candidates and refusals of a file (a path, or a stream of bytes), as they become certain.

    Refusals come in the order of the file. Without folding candidates do too; with folding they follow when the whole
    file is known, because any later line may belong to an earlier offering. `progress` hears the number of physical
    lines read. Raises Invalid when the file as a whole cannot be read with this mapping: nothing is imported.
    """
    with _opened(source) as stream:
        records = records_in(stream, mapping.source)
        header = next(records)
        Invalid.because(mapping.unmet(header.cells))
        ledger = _Ledger(mapping, RowReader(mapping, header.cells))
        for count, record in enumerate(records, start=1):
            yield from ledger.enter(record)
            if progress and count % PROGRESS_EVERY == 0:
                progress(record.last)
        yield from ledger.close()


@contextmanager
def _opened(source: Path | str | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(source, Path | str):
        yield source
        return
    with Path(source).open("rb") as stream:
        yield stream


@dataclass
class _Row:
    """A row that is good by itself, waiting until its whole offering is known."""

    lines: tuple[int, ...]
    facts: RowFacts
    remarks: list[Remark]


@dataclass
class _Ledger:
    """What has been seen so far: keys against doubles, first statements against contradictions, rows by offering."""

    mapping: Mapping
    reader: RowReader
    offerings: dict[str, list[_Row]] = field(default_factory=dict)
    first_lines: dict[str, int] = field(default_factory=dict)
    opportunities: dict[str, tuple[int, OpportunityFacts]] = field(default_factory=dict)
    codes: dict[tuple[str, str], str] = field(default_factory=dict)
    sections: dict[str, tuple[int, str]] = field(default_factory=dict)
    spoiled: dict[tuple[str, str], int] = field(default_factory=dict)
    digests: dict[bytes, int] = field(default_factory=dict)

    def enter(self, record: Record) -> Iterator[Candidate | RefusedRow]:
        if record.reason:
            yield RefusedRow(record.lines, (record.reason,))
            return
        digest = blake2b("\x1f".join(record.cells).encode(), digest_size=16).digest()
        if digest in self.digests:
            yield RefusedRow(record.lines, (_repeated(self.digests[digest]),))
            return
        self.digests[digest] = record.first
        facts = self.reader.facts(record.cells)
        reasons = facts.reasons or tuple(self._doubles(facts))
        if reasons:
            if facts.section:
                self.spoiled.setdefault((facts.offering_key, facts.section), record.first)
            yield RefusedRow(record.lines, reasons, facts.offering_key)
            return
        row = self._entered(record, facts)
        if self.mapping.folds:
            self.offerings.setdefault(facts.offering_key, []).append(row)
        else:
            yield self._candidate([row], refused=0)

    def close(self) -> Iterator[Candidate | RefusedRow]:
        """What could not be said before the last line was read."""
        for key, rows in self.offerings.items():
            kept = [row for row in rows if (key, row.facts.section) not in self.spoiled]
            for row in rows:
                line = self.spoiled.get((key, row.facts.section))
                if line is not None:
                    yield RefusedRow(row.lines, (_incomplete(row.facts.section, line),), key)
            if kept:
                yield self._candidate(kept, refused=len(rows) - len(kept))

    def _doubles(self, facts: RowFacts) -> Iterator[Reason]:
        opportunity, offering = facts.opportunity_key, facts.offering_key
        if not self.mapping.folds and offering in self.first_lines:
            yield _taken(
                "offering-twice",
                N_("Line %(line)s already describes the offering “%(key)s”."),
                self.first_lines[offering],
                offering,
            )
        line, owner = self.sections.get(facts.section, (0, offering)) if facts.section else (0, offering)
        if owner != offering:
            yield _taken(
                "section-twice",
                N_("Line %(line)s already uses the section “%(key)s” for another offering."),
                line,
                facts.section,
            )
        for scope, code, key in (
            ("", facts.opportunity.code, opportunity),
            (opportunity, facts.offering.code, offering),
        ):
            if self.codes.get((scope, code), key) != key:
                yield Reason(
                    "code-twice",
                    N_("The code “%(code)s” already belongs to “%(key)s”."),
                    {"code": code, "key": self.codes[scope, code]},
                    "code",
                )

    def _entered(self, record: Record, facts: RowFacts) -> _Row:
        line, first = self.opportunities.setdefault(facts.opportunity_key, (record.first, facts.opportunity))
        remarks = [*facts.remarks_at(record.first), *_contradictions(record.first, facts.opportunity, line, first)]
        self.codes.setdefault(("", facts.opportunity.code), facts.opportunity_key)
        self.codes.setdefault((facts.opportunity_key, facts.offering.code), facts.offering_key)
        if facts.section:
            self.sections.setdefault(facts.section, (record.first, facts.offering_key))
        self.first_lines.setdefault(facts.offering_key, record.first)
        return _Row(record.lines, replace(facts, opportunity=first), remarks)

    def _candidate(self, rows: Sequence[_Row], *, refused: int) -> Candidate:
        first = rows[0]
        offering, remarks = _folded(rows, self.mapping.mixed)
        if refused:
            text = N_("Other lines of this offering that were refused: %(count)s.")
            remarks.append(Remark(first.lines[0], Reason("partly-refused", text, {"count": refused})))
        return candidate(
            opportunity_key=first.facts.opportunity_key,
            opportunity=first.facts.opportunity,
            offering_key=first.facts.offering_key,
            offering=replace(
                offering,
                seats=self._seats(rows),
                meetings=tuple(sorted({m for row in rows for m in row.facts.offering.meetings})),
            ),
            lines=tuple(sorted(line for row in rows for line in row.lines)),
            remarks=(*(remark for row in rows for remark in row.remarks), *remarks),
        )

    def _seats(self, rows: Sequence[_Row]) -> int:
        """A constant counts once an offering; a column is summed over its sections, each once."""
        if self.mapping.seats.constant is not None:
            return self.mapping.seats.constant
        by_section = {row.facts.section or str(row.lines): row.facts.offering.seats for row in rows}
        return sum(by_section.values())


def _folded(rows: Sequence[_Row], mixed: Table[str, str]) -> tuple[OfferingFacts, list[Remark]]:
    """The facts of the offering: the first row's, a declared value where rows may differ, else a remark."""
    first, remarks = rows[0], []
    offering = first.facts.offering
    for row in rows[1:]:
        for name in offering.single:
            if getattr(row.facts.offering, name) == getattr(first.facts.offering, name):
                continue
            if name in mixed:
                offering = (
                    replace(offering, mode=mixed[name]) if name == "mode" else replace(offering, bandwidth=mixed[name])
                )
            else:
                remarks.append(_contradiction(row.lines[0], name, first.lines[0]))
    return offering, remarks


def _contradictions(line: int, facts: OpportunityFacts, first_line: int, first: OpportunityFacts) -> Iterator[Remark]:
    if facts == first:
        return
    for name in facts.__dataclass_fields__:
        if getattr(facts, name) != getattr(first, name):
            yield _contradiction(line, name, first_line)


def _contradiction(line: int, name: str, first_line: int) -> Remark:
    text = N_("The %(fact)s differs from line %(line)s of the same course; line %(line)s is kept.")
    return Remark(line, Reason("contradiction", text, {"fact": name, "line": first_line}, name))


def _repeated(line: int) -> Reason:
    return Reason("repeated", N_("The line repeats line %(line)s word for word."), {"line": line})


def _taken(code: str, text: str, line: int, key: str) -> Reason:
    return Reason(code, text, {"line": line, "key": key})


def _incomplete(section: str, line: int) -> Reason:
    text = N_("Another line of the section “%(section)s” was refused (line %(line)s), and half a section is no offer.")
    return Reason("section-incomplete", text, {"section": section, "line": line})

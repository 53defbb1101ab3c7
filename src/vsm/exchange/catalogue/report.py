"""What an import did, line by line, so that nothing is lost without a line saying so.

A report is kept as JSON lines with codes and parameters; whoever reads it gets the sentences in their own language.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext

from vsm.exchange.catalogue.candidates import Remark
from vsm.exchange.catalogue.formulas import guarded
from vsm.kit.i18n import N_
from vsm.kit.saying import labelled, say_reason
from vsm.kit.verdict import Reason


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    GONE = "gone"


NAMES = {
    Outcome.CREATED: N_("created"),
    Outcome.UPDATED: N_("updated"),
    Outcome.UNCHANGED: N_("unchanged"),
    Outcome.REFUSED: N_("refused"),
    Outcome.GONE: N_("gone"),
}
OF_LINES = (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED, Outcome.REFUSED)
"""What becomes of a data line; GONE is said of offerings that have no line any more."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of some lines of the file: the offering `key` they describe, every reason of a refusal, and remarks."""

    outcome: Outcome
    key: str
    lines: tuple[int, ...] = ()
    reasons: tuple[Reason, ...] = ()
    remarks: tuple[Remark, ...] = ()


@dataclass
class Report:
    """The account of one import. `lines`, `offerings` and `opportunities` count by outcome.

    `entries` holds everything but offerings that are unchanged and need no remark; those are only counted.
    """

    source: str
    dry_run: bool
    digest: str = ""
    lines: Counter[Outcome] = field(default_factory=Counter)
    offerings: Counter[Outcome] = field(default_factory=Counter)
    opportunities: Counter[Outcome] = field(default_factory=Counter)
    entries: list[Entry] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def total(self) -> int:
        """Data lines of the file: created + updated + unchanged + refused."""
        return sum(self.lines[outcome] for outcome in OF_LINES)

    @property
    def changes_nothing(self) -> bool:
        changed = (Outcome.CREATED, Outcome.UPDATED)
        return not any(counted[outcome] for counted in (self.lines, self.offerings, self.opportunities) for outcome in changed)

    def enter(self, entry: Entry) -> None:
        """Count an entry's lines, and keep it if it says more than "unchanged"."""
        self.lines[entry.outcome] += len(entry.lines)
        if entry.outcome is not Outcome.UNCHANGED or entry.remarks:
            self.entries.append(entry)

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """`{"lines": {"total", "created", …}, "offerings": {…, "gone"}, "opportunities": {…}}`."""
        return {
            "lines": {"total": self.total, **{str(outcome): self.lines[outcome] for outcome in OF_LINES}},
            "offerings": {str(outcome): self.offerings[outcome] for outcome in Outcome},
            "opportunities": {str(outcome): self.opportunities[outcome] for outcome in OF_LINES},
        }

    def as_json(self) -> dict[str, Any]:
        """Everything, for programs; sentences in the active language."""
        return {
            "source": self.source,
            "dry_run": self.dry_run,
            "file_digest": self.digest,
            "seconds": round(self.seconds, 3),
            **self.counts,
            "entries": [told(entry) for entry in self.entries],
        }

    def as_table(self) -> str:
        """The counts as a table of text, then each refused line and each remark with its sentence."""
        rows = [("", *(gettext(NAMES[outcome]) for outcome in Outcome))]
        for name, counted in ((gettext("lines"), self.lines), (gettext("offerings"), self.offerings), (gettext("opportunities"), self.opportunities)):
            rows.append((name, *(str(counted[outcome]) for outcome in Outcome)))
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        table = [
            "  ".join([row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]).rstrip()
            for row in rows
        ]
        return "\n".join([*table, *(["", *said] if (said := [_line(entry) for entry in self.entries if sentences(entry)]) else [])])

    def kept(self) -> bytes:
        """The entries as JSON lines in UTF-8; `entries_in` reads them back."""
        return "".join(json.dumps(_plain(entry), ensure_ascii=False, default=str) + "\n" for entry in self.entries).encode()


def entries_in(kept: bytes) -> Iterator[Entry]:
    for line in kept.decode().splitlines():
        plain = json.loads(line)
        yield Entry(
            Outcome(plain["outcome"]), plain["key"], tuple(plain["lines"]), tuple(map(_reason, plain["reasons"])),
            tuple(Remark(remark["line"], _reason(remark)) for remark in plain["remarks"]),
        )  # fmt: skip


def sentences(entry: Entry) -> list[str]:
    """Reasons and remarks in the active language, each once."""
    return list(dict.fromkeys(say_reason(reason) for reason in (*entry.reasons, *(remark.reason for remark in entry.remarks))))


def span(lines: Sequence[int]) -> str:
    """`2–4, 9`."""
    runs: list[list[int]] = []
    for line in lines:
        if runs and line == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], line]
        else:
            runs.append([line, line])
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in runs)


def told(entry: Entry) -> dict[str, Any]:
    return {
        "outcome": str(entry.outcome),
        "key": entry.key,
        "lines": list(entry.lines),
        "reasons": [{"code": reason.code, "field": reason.field, "text": say_reason(reason)} for reason in entry.reasons],
        "remarks": [{"line": r.line, "code": r.reason.code, "field": r.reason.field, "text": say_reason(r.reason)} for r in entry.remarks],
    }


def csv_lines(entries: Iterable[Entry]) -> Iterator[str]:
    """A CSV of the report, one row for each line of the file that is told of; harmless in a spreadsheet."""
    yield _row(["line", "outcome", "key", "codes", "reasons"])
    for entry in entries:
        codes = " ".join(dict.fromkeys(reason.code for reason in (*entry.reasons, *(remark.reason for remark in entry.remarks))))
        for line in entry.lines or ("",):
            yield _row([str(line), str(entry.outcome), entry.key, codes, " ".join(sentences(entry))])


def _row(cells: Sequence[str]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerow([guarded(cell) for cell in cells])
    return out.getvalue()


def _line(entry: Entry) -> str:
    place = span(entry.lines) or entry.key
    return labelled(labelled(place, gettext(NAMES[entry.outcome])), " ".join(sentences(entry)))


def _plain(entry: Entry) -> dict[str, Any]:
    return {
        "outcome": entry.outcome,
        "key": entry.key,
        "lines": entry.lines,
        "reasons": [reason_plain(reason) for reason in entry.reasons],
        "remarks": [{"line": remark.line, **reason_plain(remark.reason)} for remark in entry.remarks],
    }


def reason_plain(reason: Reason) -> dict[str, Any]:
    return {"code": reason.code, "text": reason.text, "params": dict(reason.params), "field": reason.field}


def _reason(plain: Mapping[str, Any]) -> Reason:
    return Reason(plain["code"], plain["text"], plain["params"], plain["field"])

"""What reading a catalogue file yields: candidates (an offering with its opportunity) and refused rows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any, ClassVar

from vsm.exchange.catalogue.weekly import Meeting
from vsm.kit.verdict import Reason

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OpportunityFacts:
    """What can be studied, apart from when. Texts are {language: text}; `credit_values` lists the only amounts possible
    when there is a choice."""

    code: str
    category: str
    title: Texts
    description: Texts
    learning_outcomes: Texts
    prerequisites: Texts
    assessment: Texts
    accessibility: Texts
    subject: str
    isced_f: str
    level: str
    credits_low: Decimal
    credits_high: Decimal
    credit_values: tuple[Decimal, ...]
    credit_system: str
    workload_hours: Decimal | None
    language: str
    cefr: str


@dataclass(frozen=True, slots=True)
class OfferingFacts:
    """One dated run. `zone` is empty when the host's own applies; meetings are in the host's wall time."""

    code: str
    term: str
    starts_on: date
    ends_on: date
    zone: str
    mode: str
    bandwidth: str
    seats: int
    meetings: tuple[Meeting, ...]

    single: ClassVar[tuple[str, ...]] = ("code", "term", "starts_on", "ends_on", "zone", "mode", "bandwidth")
    """The facts on which all sections of an offering must agree."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something the operator should know about a line that was taken nevertheless."""

    line: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Candidate:
    """An offering that may enter the catalogue, the physical lines it came from, and digests to compare.

    `lines` and `remarks` are no part of the digests. `content_hash` covers both halves.
    """

    opportunity_key: str
    opportunity: OpportunityFacts
    offering_key: str
    offering: OfferingFacts
    lines: tuple[int, ...]
    remarks: tuple[Remark, ...]
    opportunity_hash: str
    offering_hash: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """Lines that are not imported, with every reason. `key` names the offering where it could be read."""

    lines: tuple[int, ...]
    reasons: tuple[Reason, ...]
    key: str = ""

    @property
    def line(self) -> int:
        return self.lines[0]


def candidate(
    *,
    opportunity_key: str,
    opportunity: OpportunityFacts,
    offering_key: str,
    offering: OfferingFacts,
    lines: tuple[int, ...],
    remarks: tuple[Remark, ...],
) -> Candidate:
    """A candidate with its digests."""
    first, second = digest_of([opportunity_key, opportunity]), digest_of([offering_key, offering])
    return Candidate(
        opportunity_key, opportunity, offering_key, offering, lines, remarks, first, second, digest_of([first, second])
    )


def digest_of(content: object) -> str:
    """SHA-256 of the canonical JSON: keys sorted, no spaces, numbers without trailing zeros, dates in ISO 8601."""
    return sha256(_ENCODER.encode(content).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, date):
        return value.isoformat()
    return {name: getattr(value, name) for name in value.__dataclass_fields__}  # shallow: asdict would copy every text


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)

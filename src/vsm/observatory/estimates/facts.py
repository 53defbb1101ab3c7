"""A fact: one figure with everything that a reader needs to judge it. Prose may only name facts, never type a number. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

UNITS = ("students", "share", "log-points", "index", "ratio", "years", "countries", "tonnes", "count")
DESIGNS = ("descriptive", "counterfactual", "difference-in-differences", "synthetic-control", "gravity", "scenario", "assumption")


@dataclass(frozen=True, kw_only=True)
class Fact:
    """`key` names it ("gap.world.2021"). `value` may be null where only a range is known; `low` to `high` is the band at
    `level` (0.9), null where there is none. `unit` is one of UNITS; `share` is told as per cent. `design` says what kind of
    claim it can carry, `geo` and `year` what it is about. `experimental`: a gate failed. `note` names what is not known.
    """

    key: str
    value: float | None
    unit: str
    design: str
    geo: str = ""
    year: int | None = None
    low: float | None = None
    high: float | None = None
    level: float | None = None
    source: str = ""
    experimental: bool = False
    coverage: float | None = None
    note: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def covers_zero(self) -> bool:
        """Whether the band says that it may be nothing: then no prose may call it significant."""
        return self.low is not None and self.high is not None and self.low <= 0 <= self.high

    @property
    def is_causal(self) -> bool:
        """Whether the design compares with what would have been."""
        return self.design in {"counterfactual", "difference-in-differences", "synthetic-control"}

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        return cls(**kept)


def checked(facts: list[Fact]) -> dict[str, Fact]:
    """By key. Raises ValueError when a key stands twice, or a unit or design is unknown: a fault of the program."""
    found = {fact.key: fact for fact in facts}
    wrong = [fact.key for fact in facts if fact.unit not in UNITS or fact.design not in DESIGNS]
    if len(found) != len(facts) or wrong:
        raise ValueError(f"facts twice or of unknown kind: {wrong or sorted(set(found))}")
    return found

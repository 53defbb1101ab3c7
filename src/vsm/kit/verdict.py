"""What a pure rule answers: yes, or every reason why not, at once.

A reason carries its text as a message to translate (marked with `N_`) and its facts apart, so that a rule needs no
language, no clock and no framework, and a door can say it in the reader's language and format.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reason:
    """One obstacle or explanation. `code` is stable for programs, `text` is for people, `field` names an input."""

    code: str
    text: str
    params: Mapping[str, object] = field(default_factory=dict)
    field: str = ""


@dataclass(frozen=True)
class Verdict:
    """Allowed when there is no reason against it."""

    reasons: tuple[Reason, ...] = ()

    @classmethod
    def of(cls, reasons: Iterable[Reason]) -> "Verdict":
        return cls(tuple(reasons))

    @property
    def ok(self) -> bool:
        return not self.reasons

    @property
    def codes(self) -> list[str]:
        return [reason.code for reason in self.reasons]

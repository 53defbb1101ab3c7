"""What a credential can certify besides a line of a transcript: a value that another slice hands over. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from vsm.kit.i18n import N_
from vsm.kit.localized import text_in
from vsm.kit.verdict import Reason, Verdict
from vsm.standards.open_badges.shapes import ACHIEVEMENT_TYPES

Texts = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Award:
    """Something achieved, as its credential will tell it.

    `source` is (noun, id) of the record that it was earned by: one credential in force for each person and source.
    `kind` is an achievement type of Open Badges 3.0 ("Certificate", "Badge", "MasterDegree", …). `title`, `description`
    and `criteria` (what had to be done; Markdown) are localized, `language` is the one the credential speaks first.
    `started` and `ended` are days; `credits` counts in `credit_system` (a slug of the rulebook), `hours` are a person's
    whole work; `results` are (localized name, value as text); `isced_f` is a field's code, or empty.
    """

    source: tuple[str, UUID]
    kind: str
    title: Texts
    description: Texts
    criteria: Texts
    language: str = "en"
    started: date | None = None
    ended: date | None = None
    credits: Decimal | None = None
    credit_system: str = ""
    hours: Decimal | None = None
    results: tuple[tuple[Texts, str], ...] = field(default=())
    isced_f: str = ""

    def title_in(self, language: str) -> str:
        return text_in(self.title, language)

    def faults(self) -> Verdict:
        """Everything that keeps this from being certified: a fault of the program that hands it over."""
        return Verdict.of(self._faults())

    def _faults(self) -> list[Reason]:
        found = []
        if self.kind not in ACHIEVEMENT_TYPES and not self.kind.startswith("ext:"):
            found.append(Reason("kind-unknown", N_("“%(kind)s” is no achievement type of Open Badges 3.0."), {"kind": self.kind}, "kind"))
        found += [
            Reason("text-missing", N_("The credential needs a %(name)s."), {"name": name}, name)
            for name in ("title", "description", "criteria")
            if not any(getattr(self, name).values())
        ]
        if self.started and self.ended and self.ended < self.started:
            found.append(Reason("ends-before-start", N_("It ends before it starts."), {}, "ended"))
        if self.credits is not None and (self.credits < 0 or not self.credit_system):
            found.append(Reason("credits-wrong", N_("Credits are 0 or more, in a named credit system."), {}, "credits"))
        return found

    def as_json(self) -> dict[str, Any]:
        """For the database; `from_json` reads it back."""
        noun, pk = self.source
        return {
            "source": [noun, str(pk)], "kind": self.kind, "title": dict(self.title), "description": dict(self.description),
            "criteria": dict(self.criteria), "language": self.language,
            "started": self.started.isoformat() if self.started else "", "ended": self.ended.isoformat() if self.ended else "",
            "credits": "" if self.credits is None else str(self.credits), "credit_system": self.credit_system,
            "hours": "" if self.hours is None else str(self.hours),
            "results": [[dict(name), value] for name, value in self.results], "isced_f": self.isced_f,
        }  # fmt: skip

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        return cls(
            source=(kept["source"][0], UUID(kept["source"][1])), kind=kept["kind"], title=kept["title"],
            description=kept["description"], criteria=kept["criteria"], language=kept["language"],
            started=date.fromisoformat(kept["started"]) if kept["started"] else None,
            ended=date.fromisoformat(kept["ended"]) if kept["ended"] else None,
            credits=Decimal(kept["credits"]) if kept["credits"] else None, credit_system=kept["credit_system"],
            hours=Decimal(kept["hours"]) if kept["hours"] else None,
            results=tuple((name, value) for name, value in kept["results"]), isced_f=kept["isced_f"],
        )  # fmt: skip

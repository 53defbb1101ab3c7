"""The mapping file: which column of a host's catalogue is what, as YAML that a registrar can review.

`Mapping.read` reports every mistake of the file at once; `Mapping.unmet` tells which named columns a header has not.
The reference with a tested example stands in `docs/handbook/import.md`.
"""

from collections.abc import Mapping as Table
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from vsm.exchange.catalogue.mapping_parts import (
    MIXABLE,
    VOCABULARY,
    Credits,
    Dates,
    Meetings,
    Refusal,
    Rule,
    Seats,
    Source,
    columns_of,
    credits_at,
    dates_at,
    facts_at,
    meetings_at,
    refusals_at,
    rule_at,
    seats_at,
    source_at,
    split_at,
    texts_at,
)
from vsm.exchange.catalogue.yaml_place import Place
from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.rulebook.reading import parse


@dataclass(frozen=True)
class Mapping:
    """Everything needed to read one host's catalogue file."""

    name: str
    source: Source
    opportunity_key: tuple[str, ...]
    code: Rule
    offering_key: tuple[str, ...]
    offering_code: Rule
    term: Rule
    section_key: tuple[str, ...]
    folds: bool
    publishes: bool
    texts: Table[str, Table[str, str]]
    split: Table[str, tuple[str, str]]
    facts: Table[str, Rule]
    mixed: Table[str, str]
    credits: Credits
    dates: Dates
    seats: Seats
    meetings: Meetings | None
    refuse: tuple[Refusal, ...]
    optional: frozenset[str]

    @classmethod
    def read(cls, path: Path | str) -> "Mapping":
        """Read a mapping file, or raise `Invalid` with every mistake in it."""
        return cls.parse(Path(path).read_text(encoding="utf-8"))

    @classmethod
    def parse(cls, text: str) -> "Mapping":
        """Read the text of a mapping file, or raise `Invalid` with every mistake in it."""
        mistakes: list[Reason] = []
        try:
            tree = parse(text)
        except yaml.YAMLError as cause:
            raise Invalid(
                Reason("mapping-not-yaml", N_("The mapping is not readable YAML: %(cause)s"), {"cause": str(cause)})
            ) from cause
        mapping = _mapping(Place(tree, "", mistakes))
        Invalid.because(mistakes)
        return mapping

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the mapping names, in the order of the mapping."""
        named: list[str | None] = [*self.opportunity_key, *self.offering_key, *self.section_key]
        for rule in (self.code, self.offering_code, self.term, self.credits.system, *self.facts.values()):
            named += rule.columns
        named += [column for texts in self.texts.values() for column in texts.values()]
        named += [
            self.credits.column,
            self.credits.low,
            self.credits.high,
            self.credits.values,
            self.dates.column,
            self.dates.starts_on,
            self.dates.ends_on,
        ]
        named += [self.seats.column, *(refusal.column for refusal in self.refuse)]
        if self.meetings:
            named += [
                self.meetings.cell,
                self.meetings.days,
                self.meetings.starts,
                self.meetings.ends,
                *columns_of(self.meetings.label),
            ]
        return tuple(dict.fromkeys(column for column in named if column is not None))

    def unmet(self, header: Sequence[str]) -> list[Reason]:
        """What a file with this header lacks: named columns that it has not, and column names that stand twice."""
        missing = [column for column in self.columns if column not in header and column not in self.optional]
        twice = sorted({column for column in header if column and header.count(column) > 1 and column in self.columns})
        return [
            *(
                Reason(
                    "column-missing",
                    N_("The file has no column “%(column)s”, which the mapping names."),
                    {"column": c},
                    c,
                )
                for c in missing
            ),
            *(
                Reason("column-twice", N_("The file has the column “%(column)s” more than once."), {"column": c}, c)
                for c in twice
            ),
        ]


_TOP = (
    "name",
    "source",
    "opportunity",
    "offering",
    "section",
    "texts",
    "split",
    "facts",
    "mixed",
    "credits",
    "dates",
    "seats",
    "meetings",
    "refuse",
    "optional",
)
_OFFERING = ("key", "code", "term", "folds", "publish")
_TOP_REQUIRED = ("name", "opportunity", "offering", "texts", "facts", "credits", "dates", "seats")


def _mapping(root: Place) -> Mapping:
    parts = root.parts(_TOP, _TOP_REQUIRED)
    opportunity = parts["opportunity"].parts(("key", "code"), ("key", "code")) if "opportunity" in parts else {}
    offering = parts["offering"].parts(_OFFERING, ("key", "code")) if "offering" in parts else {}
    section = parts["section"].parts(("key",), ("key",)) if "section" in parts else {}
    texts = texts_at(parts.get("texts"))
    return Mapping(
        name=parts["name"].text() if "name" in parts else "",
        source=source_at(parts.get("source")),
        opportunity_key=opportunity["key"].texts() if "key" in opportunity else (),
        code=rule_at(opportunity.get("code")),
        offering_key=offering["key"].texts() if "key" in offering else (),
        offering_code=rule_at(offering.get("code")),
        term=rule_at(offering.get("term")),
        section_key=section["key"].texts() if "key" in section else (),
        folds=offering["folds"].flag() if "folds" in offering else False,
        publishes=offering["publish"].flag() if "publish" in offering else True,
        texts=texts,
        split=split_at(parts.get("split"), texts),
        facts=facts_at(parts.get("facts")),
        mixed={key: node.choice(VOCABULARY[key]) for key, node in parts["mixed"].parts(MIXABLE).items()}
        if "mixed" in parts
        else {},
        credits=credits_at(parts.get("credits")),
        dates=dates_at(parts.get("dates")),
        seats=seats_at(parts.get("seats")),
        meetings=meetings_at(parts["meetings"]) if "meetings" in parts else None,
        refuse=refusals_at(parts.get("refuse")),
        optional=frozenset(parts["optional"].texts()) if "optional" in parts else frozenset(),
    )

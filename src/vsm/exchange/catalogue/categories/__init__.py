"""What the six categories of virtual student mobility ask of the house: six small files, one for each.

Their facts (name, scope, credit) are cited in the rulebook; here stands what this program does with them. Nobody
outside compares a category's name: they ask the category, `category(slug).uses("seats")`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from vsm import rulebook
from vsm.rulebook.entries import Credit
from vsm.rulebook.reading import parse

CREDIT_BY = ("transcript", "award", "home-decision", "learning_agreement")


@dataclass(frozen=True, kw_only=True)
class Category:
    """One category as the Exchange lives it.

    `find` is the address where people look for what is offered in it, `offer` the acts with which an office offers it, each
    by the noun that it is upon (`organisation`, or a company's `host`); `credit_by` says by what credit comes about; `certified_as` is the achievement type of its credential (Open Badges 3.0); `capabilities` are the
    parts of the house that a mobility of this kind passes through. `name`, `number`, `scope`, `credit` and `host` are
    the rulebook's.
    """

    slug: str
    number: int
    name: Mapping[str, str]
    summary: Mapping[str, str]
    scope: frozenset[str]
    credit: Credit
    host: str
    find: str
    offer: tuple[tuple[str, str], ...]
    credit_by: str
    certified_as: str
    capabilities: frozenset[str]

    def uses(self, capability: str) -> bool:
        return capability in self.capabilities

    @property
    def is_catalogued(self) -> bool:
        """Whether its opportunities stand in the public catalogue of courses and programmes."""
        return self.find.startswith("catalogue/")


@cache
def all_categories() -> tuple[Category, ...]:
    """The six in their order. Raises ValueError when a file is wrong: a fault of this program, found at its start."""
    return tuple(_read(facts) for facts in rulebook.categories())


def category(slug: str) -> Category:
    """One category; KeyError when there is none of that name."""
    return {each.slug: each for each in all_categories()}[slug]


def _read(facts: Any) -> Category:
    told = parse(files(__name__).joinpath(f"{facts.slug}.yaml").read_text("utf-8"))
    if set(told) != {"find", "offer", "credit_by", "certified_as", "uses", "summary"} or told["credit_by"] not in CREDIT_BY:
        raise ValueError(f"categories/{facts.slug}.yaml: {sorted(told)}, credit_by {told.get('credit_by')}")
    return Category(
        slug=facts.slug, number=facts.number, name=facts.name, summary=told["summary"], scope=facts.scope, credit=facts.credit,
        host=facts.host, find=told["find"], offer=tuple((noun, verb) for noun, _, verb in (each.partition("/") for each in told["offer"])), credit_by=told["credit_by"], certified_as=told["certified_as"],
        capabilities=frozenset(told["uses"]),
    )  # fmt: skip

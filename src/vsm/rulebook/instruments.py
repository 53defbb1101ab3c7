"""Self-assessments: what is asked, how it is scored, and what is known and not known of each instrument."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from vsm.kit.i18n import N_
from vsm.kit.localized import LANGUAGES
from vsm.kit.verdict import Reason
from vsm.rulebook.entries import Reference, Threshold
from vsm.rulebook.errors import UnknownEntry
from vsm.rulebook.reading import Node, dated_entries, reference_from, threshold_from

_FILE = "instruments.yaml"
CAN_DO, AGREEMENT = "can-do", "agreement"


@dataclass(frozen=True)
class Item:
    """One statement. In a can-do scale the slug is the level that it stands for."""

    slug: str
    text: Mapping[str, str]


@dataclass(frozen=True)
class Scale:
    """Items that are scored together: a can-do scale from the lowest level up, an agreement scale in any order."""

    slug: str
    name: Mapping[str, str]
    items: tuple[Item, ...]


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """`kind` is can-do (answers no, partly, yes) or agreement (1 to 5). `limits` says what it is not good for."""

    slug: str
    kind: str
    name: Mapping[str, str]
    about: Mapping[str, str]
    validated: bool
    limits: Mapping[str, str]
    reference: Reference
    scales: tuple[Scale, ...]

    @property
    def answers(self) -> tuple[str, ...]:
        return ("no", "partly", "yes") if self.kind == CAN_DO else ("1", "2", "3", "4", "5")

    @property
    def items(self) -> tuple[tuple[str, Item], ...]:
        """Every item under `scale.item`, in the order in which it is asked."""
        return tuple((f"{scale.slug}.{item.slug}", item) for scale in self.scales for item in scale.items)


def instruments() -> tuple[Instrument, ...]:
    return tuple(_book()["instruments"].values())


def instrument(slug: str) -> Instrument:
    known: Mapping[str, Instrument] = _book()["instruments"]
    if slug not in known:
        raise UnknownEntry(Reason("unknown-entry", N_("There is no instrument %(slug)s. Known: %(known)s."), {"slug": slug, "known": ", ".join(known)}))
    return known[slug]


def limit(slug: str, on: date) -> Decimal:
    """A threshold of this file in force on a day."""
    found: Threshold = _book()["thresholds"][slug]
    return found.at(on).value


@cache
def _book() -> Mapping[str, Mapping[str, Any]]:
    return dated_entries(files("vsm.rulebook"), _FILE, {"thresholds": threshold_from, "instruments": _instrument})


def _instrument(slug: str, node: Node) -> Instrument:
    return Instrument(
        slug=slug, kind=node.choice("kind", (CAN_DO, AGREEMENT)), name=node.texts("name"), about=node.texts("about"), validated=node.flag("validated"),
        limits=node.texts("limits"), reference=reference_from(node.child("reference")), scales=tuple(_scale(each) for each in node.children("scales")),
    )  # fmt: skip


def _scale(node: Node) -> Scale:
    scale = Scale(node.text("slug"), node.texts("name"), tuple(_item(each) for each in node.children("items")))
    node.finish()
    return scale


def _item(node: Node) -> Item:
    item = Item(node.text("slug"), {language: node.text(language) for language in LANGUAGES})
    node.finish()
    return item

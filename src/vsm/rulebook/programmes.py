"""Limits of entire programmes abroad, and the conventions and criteria by which a whole award is recognised."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.rulebook.entries import Dated, Threshold, in_force
from vsm.rulebook.errors import UnknownEntry
from vsm.rulebook.reading import Node, dated, dated_entries, threshold_from

_FILE = "programmes.yaml"


@dataclass(frozen=True, kw_only=True)
class Convention:
    """What a decision about a foreign award can rest on."""

    slug: str
    name: Mapping[str, str]
    values: tuple[Dated, ...]

    def at(self, on: date) -> Dated:
        return in_force(self.values, on, f"{_FILE}, {self.slug}")


@dataclass(frozen=True, kw_only=True)
class Criterion:
    """One of the elements of a qualification that are compared, as European ENIC-NARIC centres name them (EAR manual, part II)."""

    slug: str
    name: Mapping[str, str]
    help: Mapping[str, str]


def limit(slug: str, on: date) -> Decimal:
    """The default in force on a day."""
    entries: Mapping[str, Threshold] = _book()["thresholds"]
    if slug not in entries:
        text = N_("There is no threshold %(slug)s. Known: %(known)s.")
        raise UnknownEntry(Reason("unknown-entry", text, {"slug": slug, "known": ", ".join(entries)}))
    return entries[slug].at(on).value


def limits() -> tuple[Threshold, ...]:
    """Every default with its sources."""
    return tuple(_book()["thresholds"].values())


def conventions() -> tuple[Convention, ...]:
    return tuple(_book()["conventions"].values())


def convention(slug: str) -> Convention | None:
    found: Convention | None = _book()["conventions"].get(slug)
    return found


def criteria() -> tuple[Criterion, ...]:
    """The elements that a recognition compares, in order."""
    return tuple(_book()["criteria"].values())


@cache
def _book() -> Mapping[str, Mapping[str, Any]]:
    kinds = {"thresholds": threshold_from, "conventions": _convention, "criteria": _criterion}
    return dated_entries(files("vsm.rulebook"), _FILE, kinds)


def _convention(slug: str, node: Node) -> Convention:
    return Convention(slug=slug, name=node.texts("name"), values=dated(node, "values", lambda _each, source: Dated(**source)))


def _criterion(slug: str, node: Node) -> Criterion:
    return Criterion(slug=slug, name=node.texts("name"), help=node.texts("help"))

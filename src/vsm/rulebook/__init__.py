"""Dated, cited parameters that a registrar can review: credit systems, grade scales, thresholds, category facts.

Numbers that come from law, a standard or an agreement live in the YAML files beside this module. When the law changes,
add a dated value at the end of the file; delete nothing, so that old transcripts can still be explained.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TypeVar

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.rulebook.entries import (
    Category,
    CreditSystem,
    Definition,
    GradeScale,
    Group,
    Method,
    Reference,
    Rounding,
    Rulebook,
    Threshold,
)
from vsm.rulebook.errors import UnknownEntry
from vsm.rulebook.reading import read

__all__ = [
    "book",
    "categories",
    "category",
    "cited",
    "credit_system",
    "credit_systems",
    "definitions",
    "grade_scale",
    "grade_scales",
    "group",
    "groups",
    "method",
    "rounding",
    "threshold",
    "version",
]

Entry = TypeVar("Entry")


@cache
def book() -> Rulebook:
    """The whole rulebook, read and checked once a process. Raises RulebookError with every problem."""
    return read(files("vsm.rulebook"))


def version() -> str:
    """A digest of all files; every conversion stores it, so that it can be repeated and explained."""
    return book().version


def cited(citation: str, language: str) -> str:
    """A source as records keep it (`str` of a reference), told in a reader's language as far as the rulebook still has it."""
    known = _references().get(citation)
    return known.told(language) if known else citation


def noted(note: str | Mapping[str, str]) -> str | Mapping[str, str]:
    """What is said of a source, by language as far as the rulebook still has it."""
    return _notes().get(note, note) if isinstance(note, str) else note


@cache
def _notes() -> Mapping[str, Mapping[str, str]]:
    credits_, grades = book().credit_systems.values(), book().grade_scales.values()
    notes = [value.note for each in credits_ for value in each.values] + [value.note for each in grades for value in each.values]
    return {note["en"]: note for note in notes if not isinstance(note, str)}


@cache
def _references() -> Mapping[str, Reference]:
    """What credits, grades and ways of converting them are taken from, by its text."""
    of_credits = [value.reference for each in book().credit_systems.values() for value in each.values]
    of_grades = [value.reference for each in book().grade_scales.values() for value in each.values]
    return {str(each): each for each in (*of_credits, *of_grades, *(method.reference for method in book().methods.values()))}


def credit_system(slug: str) -> CreditSystem:
    return _find(book().credit_systems, slug, N_("There is no credit system %(slug)s. Known: %(known)s."))


def credit_systems() -> tuple[CreditSystem, ...]:
    """All credit systems in order of their slug."""
    return tuple(book().credit_systems.values())


def credit_system_names(slug: str) -> Mapping[str, str]:
    """The name in every language, a fact of a reason; the slug itself where the rulebook does not know it."""
    found = book().credit_systems.get(slug)
    return found.name if found else {"en": slug}


def grade_scale(slug: str) -> GradeScale:
    return _find(book().grade_scales, slug, N_("There is no grade scale %(slug)s. Known: %(known)s."))


def grade_scales() -> tuple[GradeScale, ...]:
    """All grade scales in order of their slug."""
    return tuple(book().grade_scales.values())


def threshold(slug: str) -> Threshold:
    return _find(book().thresholds, slug, N_("There is no threshold %(slug)s. Known: %(known)s."))


def method(slug: str) -> Method:
    return _find(book().methods, slug, N_("There is no method %(slug)s. Known: %(known)s."))


def rounding() -> Rounding:
    """The grid of converted credits."""
    return book().rounding


def category(slug: str) -> Category:
    return _find(book().categories, slug, N_("There is no category %(slug)s. Known: %(known)s."))


def categories() -> tuple[Category, ...]:
    """The six categories in their order."""
    return tuple(book().categories.values())


def group(slug: str) -> Group:
    return _find(book().groups, slug, N_("There is no group %(slug)s. Known: %(known)s."))


def groups() -> tuple[Group, ...]:
    """The groups for whom seats may be reserved, in the order in which they are asked."""
    return tuple(book().groups.values())


def definitions() -> tuple[Definition, ...]:
    """What virtual student mobility is, in each wording, oldest first."""
    return book().definitions


def _find(entries: Mapping[str, Entry], slug: str, text: str) -> Entry:
    if slug not in entries:
        raise UnknownEntry(Reason("unknown-entry", text, {"slug": slug, "known": ", ".join(entries)}))
    return entries[slug]

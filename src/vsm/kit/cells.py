"""A value as one cell of text: for CSV, for a terminal."""

from typing import Any

from vsm.kit.localized import LANGUAGES, text_in
from vsm.kit.resources import Ref

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def flat(value: Any, language: str) -> str:
    """A Ref by its title, a localized text in `language`, a list joined by bars, a row of a table
    as name=value, a date in ISO form, None as nothing."""
    if isinstance(value, Ref):
        return value.title
    if isinstance(value, dict) and not set(value).isdisjoint(LANGUAGES):
        return text_in(value, language)
    if isinstance(value, dict):
        return ", ".join(f"{name}={flat(inner, language)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return " | ".join(flat(item, language) for item in value)
    if value is None:
        return ""
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def csv_cell(value: Any, language: str) -> str:
    """As `flat`; text that a spreadsheet would run as a formula gets an apostrophe before it (OWASP: CSV injection)."""
    text = flat(value, language)
    is_text = isinstance(value, str | Ref | dict | list | tuple)
    return "'" + text if is_text and text.startswith(FORMULA_STARTS) else text

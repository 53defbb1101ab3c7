"""A value as one cell of text, for CSV and for a terminal; and the CSV that people open in a spreadsheet."""

import csv
from collections.abc import Iterable, Iterator
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


def csv_lines(columns: Iterable[str], rows: Iterable[Iterable[Any]], language: str, *, mark: str = "\ufeff") -> Iterator[str]:
    """A table line by line, its columns first, no cell of which a spreadsheet would run. The `mark` tells it that this is UTF-8."""
    writer = csv.writer(_Line())
    yield mark + writer.writerow(columns)
    for row in rows:
        yield writer.writerow([csv_cell(value, language) for value in row])


class _Line:
    """A file for the csv module that hands each line straight back."""

    def write(self, text: str) -> str:
        return text

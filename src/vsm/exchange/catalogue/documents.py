"""An offering as the search index sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import tantivy

from vsm.exchange.catalogue.search_words import LANGUAGE_STEMS, squeezed


@dataclass(frozen=True, slots=True)
class Document:
    """An offering as it is searched: `titles` and `bodies` are {language: text}, `isced_f` has two to four digits."""

    id: str
    code: str
    titles: Mapping[str, str]
    bodies: Mapping[str, str]
    category: str
    institution: str
    country: str
    language: str
    cefr: str
    level: str
    isced_f: str
    mode: str
    bandwidth: str
    credit_system: str
    credits: float
    seats: int
    starts_on: date
    ends_on: date
    open: bool
    zone: str
    updated: datetime


def indexed(document: Document) -> tantivy.Document:
    """The fields of `search_words.schema` for one offering; empty values are left out, so no facet counts them."""
    fields: dict[str, Any] = {
        "id": document.id,
        "code": squeezed(document.code),
        "code_words": document.code,
        "title": list(document.titles.values()),
        "body": list(document.bodies.values()),
        "sort_title": next(iter(document.titles.values()), "")[:200].casefold(),
        "category": document.category,
        "institution": document.institution,
        "country": document.country,
        "language": document.language,
        "level": document.level,
        "field": document.isced_f[:2],
        "mode": document.mode,
        "bandwidth": document.bandwidth,
        "credit_system": document.credit_system,
        "month": f"{document.starts_on:%Y-%m}",
        "open": str(document.open).lower(),
        "cefr": document.cefr,
        "isced_f": document.isced_f,
        "zone": document.zone,
        "starts": document.starts_on.toordinal(),
        "updated": int(document.updated.timestamp()),
    }
    for part, texts in (("title", document.titles), ("body", document.bodies)):
        for language, text in texts.items():
            stem = language.split("-")[0]
            if stem in LANGUAGE_STEMS:
                fields[f"{part}_{stem}"] = text
    return tantivy.Document(**{name: value for name, value in fields.items() if value not in ("", [])})

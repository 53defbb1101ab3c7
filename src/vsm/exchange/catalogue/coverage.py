"""What an agreement covers, what needs none, and when courses start, as questions to the search index."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import tantivy

from vsm.exchange.catalogue.categories import all_categories


@dataclass(frozen=True, slots=True)
class Covered:
    """The offerings of one host that students of a home may take: of a category, starting in a time, and, unless these
    are empty, of certain levels and of fields that begin with one of `fields` (ISCED-F, two to four digits)."""

    institution: str
    category: str
    first: date
    last: date
    levels: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


def coverage_query(schema: tantivy.Schema, covered: Iterable[Covered]) -> tantivy.Query:
    """Offerings that at least one of `covered` covers, and those of categories that everybody enters without an agreement
    of their institution. It weighs nothing."""
    free = tantivy.Query.term_set_query(schema, "category", [each.slug for each in all_categories() if not each.uses("agreement")])
    parts = [free, *(_one(schema, agreement) for agreement in covered)]
    return tantivy.Query.const_score_query(tantivy.Query.boolean_query([(tantivy.Occur.Should, part) for part in parts]), 0.0)


def starting_query(schema: tantivy.Schema, first: date, last: date = date.max) -> tantivy.Query:
    """Offerings that start on one of these days. It weighs nothing."""
    days = tantivy.Query.range_query(
        schema, "starts", tantivy.FieldType.Integer, first.toordinal(), last.toordinal()
    )
    return tantivy.Query.const_score_query(days, 0.0)


def _one(schema: tantivy.Schema, covered: Covered) -> tantivy.Query:
    parts = [
        tantivy.Query.term_query(schema, "institution", covered.institution, "basic"),
        tantivy.Query.term_query(schema, "category", covered.category, "basic"),
        starting_query(schema, covered.first, covered.last),
    ]
    if covered.levels:
        parts.append(tantivy.Query.term_set_query(schema, "level", list(covered.levels)))
    if covered.fields:
        parts.append(_in_fields(schema, covered.fields))
    return tantivy.Query.boolean_query([(tantivy.Occur.Must, part) for part in parts])


def _in_fields(schema: tantivy.Schema, fields: Iterable[str]) -> tantivy.Query:
    codes = sorted(field for field in fields if field.isascii() and field.isdigit())
    if not codes:
        return tantivy.Query.empty_query()
    return tantivy.Query.regex_query(schema, "isced_f", f"({'|'.join(codes)})[0-9]*")

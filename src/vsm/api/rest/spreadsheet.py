"""A list as CSV: every row of the filtered list, every field, as UTF-8 that a spreadsheet cannot run as formulas."""

from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.translation import get_language

from vsm.kit.cells import csv_lines
from vsm.kit.resources import Resource

PIECE = 500  # rows read from the database at a time


def download(entry: Resource, found: QuerySet[Any]) -> StreamingHttpResponse:
    """The rows in the order of their making. Texts in several languages come in the one that the request accepts, codes as they are."""
    fields = entry.columns
    rows = ([record.pk, *(shown.value(record) for shown in fields)] for record in found.iterator(chunk_size=PIECE))
    lines = csv_lines(["id", *(shown.name for shown in fields)], rows, get_language() or "en")
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{entry.plural}.csv"'
    return response

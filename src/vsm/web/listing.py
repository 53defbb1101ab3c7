"""Every list: filters, sorting, pages and CSV, from the noun's own definition."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from vsm.kit.actors import Actor
from vsm.kit.cells import csv_lines
from vsm.kit.resources import RESOURCES, Ref, Resource, Shown, narrowed, ordered
from vsm.kit.saying import labelled, say

PAGE = 25


@dataclass
class Listing:
    """What components/listing.html shows."""

    caption: str
    columns: list[dict[str, str]]
    rows: list[dict[str, Any]]
    filters: list[dict[str, Any]]
    pills: list[dict[str, str]]
    total: int
    first: int
    last: int
    pages: list[dict[str, Any]]
    previous_url: str
    next_url: str
    csv_url: str
    empty: dict[str, str]
    sort: str = ""
    unknown: tuple[str, ...] = ()
    """Choices asked for that there are not, as sentences."""


def listing_of(entry: Resource, actor: Actor, params: Mapping[str, str], *, base: QuerySet[Any] | None = None, csv_url: str = "") -> Listing:
    """The page of this noun's list that the query string asks for; records given as `base` stand on a page that asks nothing."""
    found = narrowed(entry, base if base is not None else entry.visible_to(actor), params, actor)
    paginator = Paginator(ordered(entry, found, params.get("sort", "")), PAGE)
    page = paginator.get_page(params.get("page", "1"))
    kept = {name: value for name, value in params.items() if value and name != "page"}
    filters = _filters(entry, params, actor) if base is None else []
    pills = _pills(filters, kept)
    return Listing(
        caption=say(entry.label_plural),
        columns=[_column(shown, kept) for shown in entry.listed],
        rows=[{"url": address(entry, record), "cells": _row(cells(entry, record, entry.listed))} for record in page.object_list],
        filters=filters,
        pills=pills,
        total=paginator.count,
        first=page.start_index(),
        last=page.end_index(),
        pages=[
            {"number": number, "url": "?" + urlencode({**kept, "page": number}) if isinstance(number, int) else "", "current": number == page.number}
            for number in paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)
        ],
        previous_url="?" + urlencode({**kept, "page": page.number - 1}) if page.has_previous() else "",
        next_url="?" + urlencode({**kept, "page": page.number + 1}) if page.has_next() else "",
        csv_url=(csv_url or f"/{entry.plural}.csv") + ("?" + urlencode(kept) if kept else ""),
        empty=_empty(entry, bool(pills)),
        sort=params.get("sort", ""),
        unknown=tuple(
            _("“%(value)s” is no choice of “%(filter)s”, so nothing is found by it. Choose one of the list.") % {"value": each["value"], "filter": each["label"]}
            for each in filters
            if each["kind"] == "choice" and each["value"] not in {str(value) for value, _label in each["choices"]}
        ),
    )


def cells(entry: Resource, record: Any, fields: tuple[Shown, ...]) -> list[dict[str, Any]]:
    """The values of some fields as components/value.html shows them."""
    return [{"name": shown.name, "label": say(shown.label), **_cell(entry, shown, shown.told(record))} for shown in fields]


def address(entry: Resource, record: Any) -> str:
    return f"/{entry.plural}/{record.pk}/"


def csv_of(entry: Resource, actor: Actor, params: Mapping[str, str]) -> StreamingHttpResponse:
    """Every row of the filtered list, every field, as UTF-8 CSV that a spreadsheet cannot run as formulas."""
    found = ordered(entry, narrowed(entry, entry.visible_to(actor), params, actor), params.get("sort", ""))
    fields = entry.columns
    rows = ([record.pk, *(entry.in_words(shown, record) for shown in fields)] for record in found.iterator(chunk_size=500))
    lines = csv_lines(["id", *(shown.name for shown in fields)], rows, get_language() or "en")
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{entry.plural}.csv"'
    return response


def _row(line: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first cell is the link to the record itself, so what it names is told as text: links do not nest."""
    first, *rest = line
    if first["kind"] == "link":
        first = {**first, "kind": "text", "value": first["value"]["label"]}
    return [first, *rest]


def _cell(entry: Resource, shown: Shown, value: Any) -> dict[str, Any]:
    if shown.kind == "state":
        label, tone = entry.states.get(str(value), (str(value), "neutral"))
        return {"kind": "state", "value": {"label": say(label), "tone": tone, "code": str(value)}}
    if isinstance(value, Ref):
        target = RESOURCES.get(value.noun)
        return {"kind": "link", "value": {"url": f"/{target.plural}/{value.id}/" if target else "", "label": value.title}}
    if shown.kind == "ref":
        return {"kind": "text", "value": ""}
    if shown.kind in {"integer", "number"}:
        return {"kind": "text" if isinstance(value, str) else "number", "value": value}  # words stand where there is no number
    return {"kind": shown.kind, "value": value}


def _column(shown: Shown, kept: Mapping[str, str]) -> dict[str, str]:
    if not shown.sort:
        return {"key": shown.name, "label": say(shown.label), "sort_url": "", "sorted": ""}
    now = kept.get("sort", "")
    descending = now == shown.name
    direction = {shown.name: "ascending", f"-{shown.name}": "descending"}.get(now, "")
    wanted = {**kept, "sort": f"-{shown.name}" if descending else shown.name}
    return {"key": shown.name, "label": say(shown.label), "sort_url": "?" + urlencode(wanted), "sorted": direction}


def _filters(entry: Resource, params: Mapping[str, str], actor: Actor) -> list[dict[str, Any]]:
    asked: list[dict[str, Any]] = [{"name": "q", "label": _("Search words"), "kind": "text", "value": params.get("q", ""), "choices": []}]
    for question in entry.filters:
        if question.kind == "identifier" and not params.get(question.name):
            continue
        value = params.get(question.name, "")
        choices = question.choices(actor) if question.choices else []
        if question.column:
            there = {value, *entry.visible_to(actor).order_by().values_list(question.column, flat=True).distinct()}
            choices = [choice for choice in choices if choice[0] in there]
            if not choices and not value:
                continue  # an empty list has nothing to be narrowed by
        asked.append(
            {
                "name": question.name, "label": say(question.label), "kind": question.kind if not choices else "choice",
                "value": value, "choices": [("", _("All")), *((value, say(label)) for value, label in choices)],
            }
        )  # fmt: skip
    return asked


def _empty(entry: Resource, narrowed_down: bool) -> dict[str, str]:
    """What stands in place of rows. That there are none at all is said only where nothing was filtered out."""
    if narrowed_down:
        return {"text": _("Nothing here matches what you filter by."), "url": "?", "label": _("Show the whole list")}
    return {"text": say(entry.empty) if entry.empty else _("Nothing here yet."), "url": "", "label": ""}


def _pills(filters: list[dict[str, Any]], kept: Mapping[str, str]) -> list[dict[str, str]]:
    pills = []
    labels = {question["name"]: question for question in filters}
    for name, value in kept.items():
        if name not in labels:
            continue
        shown = dict(labels[name]["choices"]).get(value, value)
        rest = {key: text for key, text in kept.items() if key != name}
        pills.append({"label": labelled(labels[name]["label"], shown), "remove_url": "?" + urlencode(rest)})
    return pills


def query_of(request: HttpRequest) -> dict[str, str]:
    """The query string as single values; NUL and over-long input is dropped at the edge."""
    return {name: str(value)[:200] for name, value in request.GET.items() if "\x00" not in value}

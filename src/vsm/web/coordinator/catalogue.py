"""The office's side of the catalogue: an import's progress and report, and the catalogue as a file."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from vsm.exchange.catalogue import exporting
from vsm.exchange.catalogue.models import Import
from vsm.exchange.catalogue.queries import IMPORT, OUTCOMES
from vsm.exchange.catalogue.report import Entry, csv_lines, entries_in, sentences, span
from vsm.exchange.catalogue.states import ImportState
from vsm.exchange.institutions.queries import ORGANISATION
from vsm.kit import files
from vsm.kit.actors import Actor
from vsm.kit.requests import Request
from vsm.kit.saying import say, say_reason
from vsm.kit.verdict import Reason
from vsm.web.listing import query_of
from vsm.web.objects import EXTRAS, Extra

PAGE = 50
CSV = "text/csv; charset=utf-8"


def context(record: Import, actor: Actor) -> dict[str, Any]:
    """What the import's page shows above its facts: how far it is, why it failed, or the counts with ways into the report."""
    return {
        "import_record": record,
        "is_under_way": record.state in {ImportState.WAITING, ImportState.RUNNING},
        "failures": [say_reason(Reason(**plain)) for plain in record.error],
        "counted": _counted(record) if record.counts else [],
        "here": f"/imports/{record.pk}/",
    }


def progress(request: Request, pk: UUID) -> HttpResponse:
    """The part of the page that changes while the worker reads; a page with scripts asks for it every two seconds."""
    record = IMPORT.seen_by(request.actor, pk)
    told = context(record, request.actor)
    response = render(request, "coordinator/catalogue/import.html", told)
    if not told["is_under_way"]:
        response["HX-Refresh"] = "true"  # the buttons and facts around this part have changed too
    return response


def report(request: Request, pk: UUID) -> HttpResponse:
    """The report line by line, by outcome or by the code of a reason."""
    record = IMPORT.seen_by(request.actor, pk)
    asked = query_of(request)
    entries = _entries(record)
    chosen = [entry for entry in entries if _wanted(entry, asked)]
    page = Paginator(chosen, PAGE).get_page(asked.get("page", "1"))
    kept = {name: asked[name] for name in ("outcome", "code") if asked.get(name)}
    here = f"/imports/{record.pk}/"
    return render(
        request,
        "coordinator/catalogue/report.html",
        {
            "title": _("Report: %(file)s") % {"file": record.file_name},
            "crumbs": [{"url": "/imports/", "label": say(IMPORT.label_plural)}, {"url": here, "label": record.file_name}, {"url": "", "label": _("Report")}],
            "rows": [_row(entry) for entry in page.object_list],
            "outcomes": _tabs(entries, kept),
            "codes": _codes(entries, kept),
            "first": page.start_index(),
            "last": page.end_index(),
            "total": len(chosen),
            "csv_url": f"{here}report.csv" + (f"?{urlencode(kept)}" if kept else ""),
            "pages": [
                {"number": n, "url": "?" + urlencode({**kept, "page": n}) if isinstance(n, int) else "", "current": n == page.number}
                for n in page.paginator.get_elided_page_range(page.number, on_each_side=2, on_ends=1)
            ],
            "previous_url": "?" + urlencode({**kept, "page": page.number - 1}) if page.has_previous() else "",
            "next_url": "?" + urlencode({**kept, "page": page.number + 1}) if page.has_next() else "",
        },
    )


def report_csv(request: Request, pk: UUID) -> StreamingHttpResponse:
    record = IMPORT.seen_by(request.actor, pk)
    asked = query_of(request)
    return _download(csv_lines(entry for entry in _entries(record) if _wanted(entry, asked)), f"import-{record.pk}.csv")


def catalogue_csv(request: Request, pk: UUID) -> StreamingHttpResponse:
    """An institution's catalogue in the format that the import reads, as the reader may see it."""
    organisation = ORGANISATION.seen_by(request.actor, pk)
    return _download(exporting.csv_of(organisation, request.actor), f"catalogue-{organisation.schac}.csv")


def _download(lines: Iterable[str], name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(lines, content_type=CSV)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _entries(record: Import) -> list[Entry]:
    return list(entries_in(files.get(record.report_digest))) if record.report_digest else []


def _wanted(entry: Entry, asked: Mapping[str, str]) -> bool:
    codes = {reason.code for reason in (*entry.reasons, *(remark.reason for remark in entry.remarks))}
    return asked.get("outcome", "") in ("", entry.outcome) and (not asked.get("code") or asked["code"] in codes)


def _row(entry: Entry) -> dict[str, Any]:
    label, tone = OUTCOMES[entry.outcome]
    return {"lines": span(entry.lines), "outcome": say(label), "tone": tone, "key": entry.key, "sentences": sentences(entry)}


def _tabs(entries: list[Entry], kept: Mapping[str, str]) -> list[dict[str, Any]]:
    """One link for each outcome that occurs, with the number of entries."""
    counts = Counter(str(entry.outcome) for entry in entries)
    every = {"url": "?", "label": _("All (%(count)s)") % {"count": len(entries)}, "current": not kept.get("outcome")}
    return [
        every,
        *(
            {"url": f"?outcome={outcome}", "label": f"{say(label)} ({counts[outcome]})", "current": kept.get("outcome") == outcome}
            for outcome, (label, _tone) in OUTCOMES.items()
            if counts[outcome]
        ),
    ]


def _codes(entries: list[Entry], kept: Mapping[str, str]) -> list[dict[str, Any]]:
    """The reasons that occur among the entries of the chosen outcome, the most frequent first."""
    outcome = kept.get("outcome", "")
    counts: Counter[str] = Counter()
    for entry in entries:
        if outcome in ("", entry.outcome):
            counts.update({reason.code for reason in (*entry.reasons, *(remark.reason for remark in entry.remarks))})
    base = {"outcome": outcome} if outcome else {}
    return [
        {"url": "?" + urlencode({**base, "code": code}), "label": code, "count": count, "current": kept.get("code") == code}
        for code, count in counts.most_common()
    ]


def _counted(record: Import) -> list[dict[str, Any]]:
    """A row for lines, offerings and opportunities; a cell for each outcome."""
    names = {"lines": _("Lines of the file"), "offerings": _("Offerings"), "opportunities": _("Opportunities")}
    return [
        {"label": label, "cells": [{"label": say(OUTCOMES[outcome][0]), "value": record.counts[name].get(outcome)} for outcome in OUTCOMES]}
        for name, label in names.items()
    ]


EXTRAS["import"] = Extra("coordinator/catalogue/import.html", context)

urlpatterns = [
    path("imports/<uuid:pk>/progress/", progress, name="import_progress"),
    path("imports/<uuid:pk>/report/", report, name="import_report"),
    path("imports/<uuid:pk>/report.csv", report_csv, name="import_report_csv"),
    path("organisations/<uuid:pk>/catalogue.csv", catalogue_csv, name="catalogue_csv"),
]

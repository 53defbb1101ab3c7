"""The casebook for everybody: what it holds, a model and a case with their numbers, evidence and gaps, and all of it to take away."""

import csv
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from vsm.config import settings
from vsm.kit.actors import ANONYMOUS, Actor
from vsm.kit.requests import Request
from vsm.kit.resources import narrowed
from vsm.observatory.casebook.models import EDITORS, Case, CasebookReview, Entry, VsmModel
from vsm.observatory.casebook.queries import (
    BANDWIDTH_LABELS,
    CASE,
    CLAIM_FIELDS,
    CREDIT_LABELS,
    VSM_MODEL,
    case_linked_data,
    case_words,
    category_choices,
    claim_lines,
    claim_rows,
    language_choices,
    model_linked_data,
    region_choices,
    review_line,
    said,
)
from vsm.observatory.casebook.seeds import definitions
from vsm.web import desk, objects
from vsm.web.listing import query_of
from vsm.web.public.issuers import open_to_all
from vsm.web.public.observatory_sheets import ROOT


def front(request: Request) -> HttpResponse:
    """What the casebook is, both wordings of the definition, and its cases counted by each facet."""
    models, cases = (list(kind.objects.visible_to(ANONYMOUS).values_list("facets", flat=True)) for kind in (VsmModel, Case))
    counts = Counter(word for words in cases for word in words.split())
    facets = [
        {"label": label, "rows": [{"label": str(told), "count": counts[f"{name}:{value}"], "url": f"/cases/?{name}={value}"} for value, told in choices if counts[f"{name}:{value}"]]}
        for name, label, choices in (
            ("category", _("Category"), category_choices()), ("region", _("Region"), region_choices()), ("language", _("Language"), language_choices()),
            ("bandwidth", _("Connection"), BANDWIDTH_LABELS.items()), ("credit", _("Credit"), CREDIT_LABELS.items()),
        )
    ]  # fmt: skip
    page = {
        "title": _("Casebook"), "models": len(models), "cases": len(cases), "facets": facets, "definitions": _defined(), "may_write": request.actor.person_id is not None,
        "crumbs": [{"url": ROOT, "label": _("Observatory")}, {"url": request.path, "label": _("Casebook")}],
    }  # fmt: skip
    return render(request, "public/casebook/front.html", page)


def claims_csv(request: Request) -> HttpResponse:
    """Every number of the cases that the same filters as the list's find, one a line, with grade and source."""
    response = HttpResponse(content_type="text/csv; charset=utf-8", headers={"Content-Disposition": 'attachment; filename="casebook-numbers.csv"'})
    out = csv.writer(response)
    out.writerow(CLAIM_FIELDS)
    out.writerows(claim_lines(narrowed(CASE, CASE.visible_to(ANONYMOUS), query_of(request), ANONYMOUS), settings().base_url))
    return open_to_all(response)


def case_data(request: Request, pk: UUID) -> HttpResponse:
    return _linked(case_linked_data(CASE.seen_by(request.actor, pk), settings().base_url))


def model_data(request: Request, pk: UUID) -> HttpResponse:
    return _linked(model_linked_data(VSM_MODEL.seen_by(request.actor, pk), settings().base_url))


def common(entry: Entry) -> dict[str, Any]:
    return {"summary": said(entry.summary), "sources": entry.sources, "review": review_line(entry), "definitions": _defined()}


def case_part(case: Case, actor: Actor) -> dict[str, Any]:
    del actor
    return {**common(case), "claims": claim_rows(case), "lessons": said(case.lessons), "unknown": said(case.unknown), "outcomes": case_words(case, "outcomes"), "barriers": case_words(case, "barriers"), "data_url": f"/cases/{case.pk}/case.jsonld"}


def model_part(model: VsmModel, actor: Actor) -> dict[str, Any]:
    del actor
    return {**common(model), "data_url": f"/vsm-models/{model.pk}/model.jsonld"}


def _defined() -> list[dict[str, Any]]:
    return [{"text": said(each["text"]), "since": each["since"], "reference": each["reference"]} for each in definitions()]


def desk_pipeline(actor: Actor) -> Iterator[dict[str, Any]]:
    """What waits for a reviewer, and drafts that wait for their author. Nothing, where nothing waits."""
    if not (actor.is_operator or any(actor.roles.get(role) for role in EDITORS)):
        return
    buckets = []
    for kind, entry, to_review, drafts in ((Case, CASE, _("Cases to review"), _("Your drafts of cases")), (VsmModel, VSM_MODEL, _("Models to review"), _("Your drafts of models"))):
        mine = CasebookReview.objects.filter(**{entry.noun: OuterRef("pk")}, reviewer_id=actor.person, round=OuterRef("round"))
        waiting = kind.objects.visible_to(actor).filter(state="in-review").exclude(author_id=actor.person).exclude(Exists(mine)).count()
        buckets += [
            desk.bucket(to_review, waiting, f"/{entry.plural}/?state=in-review", "warn"),
            desk.bucket(drafts, kind.objects.filter(state="draft", author_id=actor.person).count(), f"/{entry.plural}/?state=draft"),
        ]
    if any(bucket["count"] for bucket in buckets):
        yield {"title": _("Casebook"), "url": "/observatory/casebook/", "buckets": [bucket for bucket in buckets if bucket["count"]]}


def _linked(told: dict[str, Any]) -> HttpResponse:
    return open_to_all(JsonResponse(told, content_type="application/ld+json", json_dumps_params={"ensure_ascii": False, "indent": 1}))


desk.PERSONAL.append(desk_pipeline)
objects.EXTRAS["case"] = objects.Extra("public/casebook/case.html", case_part)
objects.EXTRAS["vsm_model"] = objects.Extra("public/casebook/model.html", model_part)

urlpatterns = [
    path("observatory/casebook/", front, name="casebook"),
    path("observatory/casebook/numbers.csv", claims_csv, name="casebook_numbers"),
    path("cases/<uuid:pk>/case.jsonld", case_data, name="case_data"),
    path("vsm-models/<uuid:pk>/model.jsonld", model_data, name="model_data"),
]

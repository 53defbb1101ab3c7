"""A trial's page: all mechanisms side by side, as the call is and with the changes; and its files."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from vsm.exchange.allocation.models import Trial
from vsm.exchange.allocation.policies import group_name
from vsm.exchange.allocation.queries import failures_of
from vsm.exchange.allocation.states import TrialState
from vsm.exchange.allocation.trials import SHORT_NAMES, TRIAL
from vsm.kit.actors import Actor
from vsm.kit.records import not_found
from vsm.kit.requests import Request
from vsm.kit.saying import say, say_reasons
from vsm.web.coordinator.comparing import Column, charts, offering_titles, overview
from vsm.web.objects import EXTRAS, Extra

KEYS = {"now": "ABC", "changed": "DEF"}


def context(trial: Trial, actor: Actor) -> dict[str, Any]:
    """What the trial's page shows above its facts."""
    sides = [[column for column in trial.columns if column["side"] == side] for side in ("now", "changed")]
    columns = [
        Column(key, _name(column["mechanism"], column["side"], several=bool(sides[1])), column["counts"])
        for side in sides
        for key, column in zip(KEYS[side[0]["side"]] if side else "", side, strict=False)
    ]
    return {
        "trial": trial,
        "is_under_way": trial.state == TrialState.WAITING,
        "failures": say_reasons(failures_of(trial)),
        "changes": _changes(trial),
        "comparison": overview(columns) if columns else None,
        "charts": charts(columns) if columns else [],
        "answers": [_file(trial, file) for file in trial.files.filter(is_answer=True)],
        "sent": [_file(trial, file) for file in trial.files.filter(is_answer=False)],
        "allocation_url": f"/calls/{trial.call_id}/allocation/" if trial.call_id else "",
        "here": f"/trials/{trial.pk}/",
    }


@login_required
def progress(request: Request, pk: UUID) -> HttpResponse:
    """The part of the page that changes when the worker is done."""
    trial = TRIAL.seen_by(request.actor, pk)
    told = context(trial, request.actor)
    response = render(request, "coordinator/allocation/trial.html", told)
    if not told["is_under_way"]:
        response["HX-Refresh"] = "true"
    return response


@login_required
def file(request: Request, pk: UUID, name: str) -> HttpResponse:
    """One file of a trial, always as a download."""
    found = TRIAL.seen_by(request.actor, pk).files.filter(name=name).first()
    if found is None:
        raise not_found()
    kind = {"json": "application/json", "csv": "text/csv; charset=utf-8"}.get(name.rpartition(".")[2], "text/plain; charset=utf-8")
    response = HttpResponse(found.content.encode(), content_type=kind)
    response["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def _name(mechanism: str, side: str, *, several: bool) -> str:
    name = say(SHORT_NAMES[mechanism])
    if not several:
        return name
    return _("%(rules)s, as it is") % {"rules": name} if side == "now" else _("%(rules)s, with the changes") % {"rules": name}


def _changes(trial: Trial) -> list[str]:
    """What is different in this trial, in words."""
    seats = trial.changes.get("seats", ())
    reserves = trial.changes.get("reserves")
    titles = offering_titles([row["offering"] for row in [*seats, *(reserves or ())] if row["offering"]])
    lines = [_("%(course)s: %(seats)d seats") % {"course": titles[row["offering"]], "seats": row["seats"]} for row in seats]
    if reserves is not None:
        lines += [
            _("%(group)s: %(seats)d reserved in %(course)s")
            % {"group": group_name(row["group"]), "seats": row["seats"], "course": titles.get(row["offering"], _("every course"))}
            for row in reserves
        ] or [_("No reserved seats")]
    return lines


def _file(trial: Trial, found: Any) -> dict[str, Any]:
    kind = found.name.rpartition(".")[2]
    return {"url": f"/trials/{trial.pk}/files/{found.name}", "name": found.name, "size": len(found.content.encode()), "type": kind}


EXTRAS["trial"] = Extra("coordinator/allocation/trial.html", context)

urlpatterns = [
    path("trials/<uuid:pk>/progress/", progress, name="trial_progress"),
    path("trials/<uuid:pk>/files/<str:name>", file, name="trial_file"),
]

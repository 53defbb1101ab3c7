"""An emergency as offices see it: who would be found, who is, what stands where, bulk work, and exposure by day."""

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.utils import formats, timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from vsm.exchange.catalogue.labels import bandwidth_label, credits_text, language_label, mode_label
from vsm.exchange.emergencies.finding import overlapping, preview
from vsm.exchange.emergencies.forms import from_json
from vsm.exchange.emergencies.models import CoursePlan, Emergency, Run
from vsm.exchange.emergencies.queries import (
    CASE_STATES,
    EMERGENCY,
    FORM_LABELS,
    READINESS_LABELS,
    RUN_KINDS,
    SAFETY_STATES,
    SITUATION_LABELS,
    Exposure,
    counts_of,
    exposure,
    may_count,
)
from vsm.exchange.emergencies.states import RunState, State
from vsm.kit import clock
from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.records import not_found
from vsm.kit.requests import Request
from vsm.kit.saying import labelled
from vsm.web.objects import EXTRAS, Extra
from vsm.web.student.emergencies import meetings_on
from vsm.web.templatetags.look import period

BARS = 120
"""A longer chart is drawn by weeks: a phone has not more points to show."""


def context(emergency: Emergency, actor: Actor) -> dict[str, Any]:
    """What an emergency's page shows above its facts, by where it stands."""
    is_draft = emergency.state == State.DRAFT
    days = [] if is_draft or not may_count(actor) else _exposure(emergency)
    return {
        "emergency": emergency,
        "is_draft": is_draft,
        "found": _preview(emergency) if is_draft else None,
        "others": [_("%(emergency)s, from %(day)s") % {"emergency": each, "day": formats.date_format(each.starts_on)} for each in overlapping(emergency)] if is_draft else [],
        "groups": [] if is_draft else _groups(emergency, actor),
        "under_way": _under_way(emergency, actor),
        "chart": days_chart(days) if any(day.concerned or day.online for day in days) else None,
        "exposure_url": f"/emergencies/{emergency.pk}/exposure",
    }


def progress(request: Request, pk: UUID) -> HttpResponse:
    """The part of the page that changes while the worker goes through the cases."""
    emergency = EMERGENCY.seen_by(request.actor, pk)
    under_way = _under_way(emergency, request.actor)
    response = render(request, "coordinator/emergencies/progress.html", {"emergency": emergency, "under_way": under_way})
    if not under_way:
        response["HX-Refresh"] = "true"
    return response


def exposure_csv(request: Request, pk: UUID) -> HttpResponse:
    """Exposure by day as a table: day, stays concerned, students online."""
    emergency = _countable(request, pk)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["day", "concerned", "online"])
    writer.writerows([each.day.isoformat(), each.concerned, each.online] for each in _exposure(emergency))
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="exposure-{emergency.pk}.csv"'
    return response


def exposure_json(request: Request, pk: UUID) -> JsonResponse:
    emergency = _countable(request, pk)
    days = [{"day": each.day.isoformat(), "concerned": each.concerned, "online": each.online} for each in _exposure(emergency)]
    return JsonResponse({"emergency": str(emergency.pk), "is_drill": emergency.is_drill, "days": days})


def _countable(request: Request, pk: UUID) -> Emergency:
    found: Emergency = EMERGENCY.seen_by(request.actor, pk)
    if not may_count(request.actor):
        raise not_found()
    return found


def days_chart(days: list[Exposure]) -> dict[str, Any] | None:
    """Two series over days as a drawing and a table; by weeks (their greatest day) when there are many days."""
    if not days:
        return None
    weekly = len(days) > BARS
    parts = [days[start : start + 7] for start in range(0, len(days), 7)] if weekly else [[each] for each in days]
    rows = [(part[0].day, max(each.concerned for each in part), max(each.online for each in part)) for part in parts]
    most = max(1, *(concerned for _day, concerned, _online in rows), *(online for _day, _concerned, online in rows))
    step = 100 / len(rows)
    return {
        "title": _("Students concerned and online, by week (the greatest day)") if weekly else _("Students concerned and online, by day"),
        "most": most,
        "first": rows[0][0],
        "last": days[-1].day,
        "bars": [
            {
                "x": f"{number * step:.3f}", "width": f"{max(step * 0.9, 0.2):.3f}", "y": f"{100 - 100 * concerned / most:.2f}",
                "height": f"{100 * concerned / most:.2f}", "online_y": f"{100 - 100 * online / most:.2f}", "online_height": f"{100 * online / most:.2f}",
            }
            for number, (_day, concerned, online) in enumerate(rows)
        ],
        "rows": [{"day": day, "concerned": concerned, "online": online} for day, concerned, online in rows],
    }  # fmt: skip


def plan_context(plan: CoursePlan, actor: Actor) -> dict[str, Any]:
    """The alternatives of one course side by side."""
    language = get_language() or "en"
    return {
        "plan": plan,
        "readiness": READINESS_LABELS[plan.readiness],
        "is_drill": plan.emergency.is_drill,
        "alternatives": [_alternative(each, language) for each in plan.alternatives],
        "zone_name": timezone.get_current_timezone_name(),
    }


def _alternative(each: dict[str, Any], language: str) -> dict[str, Any]:
    form, here = from_json(each), timezone.get_current_timezone_name()
    return {
        "title": f"{each['code']} {text_in(each['title'], language)}",
        "url": f"/offerings/{each['offering']}/" if each["offering"] else "",
        "kind": FORM_LABELS[each["kind"]],
        "host": text_in(each["taught_by"], language) or _("the host"),
        "language": language_label(each["language"]),
        "mode": mode_label(each["mode"]),
        "bandwidth": bandwidth_label(each["bandwidth"]),
        "dates": period(date.fromisoformat(each["starts_on"]), date.fromisoformat(each["ends_on"])),
        "credits": credits_text(Decimal(each["credits"]), None, [], each["credit_system"]) if each["credits"] else "",
        "assessment": text_in(each["assessment"], language),
        "meetings": meetings_on(form, form.zone),
        "meetings_here": meetings_on(form, here) if here != form.zone else [],
        "zone": form.zone,
        "precedents": each["precedents"],
        "seats": each["seats"],
        "is_equivalent": each["kind"] == "equivalent",
    }


def _preview(emergency: Emergency) -> dict[str, Any]:
    found = preview(emergency)
    situations = [labelled(SITUATION_LABELS[each], number) for each, number in sorted(found.situations.items())]
    return {
        "none": not found.students,
        "summary": _("Courses: %(courses)d · students: %(students)d") % {"courses": found.courses, "students": found.students},
        "facts": [
            {"label": _("Students"), "kind": "integer", "value": found.students},
            {"label": _("Courses in person"), "kind": "integer", "value": found.courses},
            {"label": _("Home institutions"), "kind": "integer", "value": found.homes},
            {"label": _("Host institutions"), "kind": "integer", "value": found.hosts},
            {"label": _("Situation"), "kind": "list", "value": situations},
            {"label": _("Looked after in another emergency already"), "kind": "integer", "value": found.covered},
            {"label": _("Nationality not recorded"), "kind": "integer", "value": found.without_nationality},
            {"label": _("No courses recorded"), "kind": "integer", "value": found.without_courses},
        ],
    }


def _groups(emergency: Emergency, actor: Actor) -> list[dict[str, Any]]:
    counted = counts_of(emergency, actor)
    cases, plans = f"/emergency-cases/?emergency={emergency.pk}", f"/course-plans/?emergency={emergency.pk}"
    groups = [
        (_("How people are"), [(value, label, tone, f"{cases}&safety={value}") for value, (label, tone) in SAFETY_STATES.items()], counted["safety"]),
        (_("What they decided"), [(value, label, tone, f"{cases}&state={value}") for value, (label, tone) in CASE_STATES.items()], counted["state"]),
        (_("How ready the courses are"), [(value, label, tone, f"{plans}&readiness={value}") for value, (label, tone) in READINESS_LABELS.items()], counted["readiness"]),
    ]
    made = []
    for title, entries, numbers in groups:
        buckets = [{"label": str(label), "count": numbers[value], "tone": tone, "url": url} for value, label, tone, url in entries if numbers.get(value)]
        made.append({"title": title, "buckets": buckets})
    return [group for group in made if group["buckets"]]


def _under_way(emergency: Emergency, actor: Actor) -> list[dict[str, Any]]:
    runs = Run.objects.visible_to(actor).filter(emergency=emergency).exclude(state=RunState.DONE)
    return [{"id": f"run-{number}", "label": str(RUN_KINDS[run.kind]), "value": run.progress, "max": max(run.total, run.progress, 1)} for number, run in enumerate(runs, start=1)]


def _exposure(emergency: Emergency) -> list[Exposure]:
    return exposure([emergency], clock.now().date())


EXTRAS["emergency"] = Extra("coordinator/emergencies/part.html", context)
EXTRAS["course_plan"] = Extra("coordinator/emergencies/plan.html", plan_context)

urlpatterns = [
    path("emergencies/<uuid:pk>/progress/", progress, name="emergency_progress"),
    path("emergencies/<uuid:pk>/exposure.csv", exposure_csv, name="exposure_csv"),
    path("emergencies/<uuid:pk>/exposure.json", exposure_json, name="exposure_json"),
]

"""What an instructor needs: my courses, who takes part and from where, attendance at a glance."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from vsm.exchange.institutions.queries import name_of
from vsm.exchange.sessions.models import Session
from vsm.exchange.sessions.queries import Roster, course_title, offering_for_teacher, offerings_taught, roster_of
from vsm.exchange.sessions.rules import Mark
from vsm.kit import clock
from vsm.kit.cells import csv_lines
from vsm.kit.requests import Request
from vsm.web.student.sessions import entries_of


@login_required
def teaching(request: Request) -> HttpResponse:
    """The courses that I teach, newest first."""
    courses = [
        {
            "url": f"/teaching/{each.pk}/",
            "title": course_title(each),
            "code": f"{each.opportunity.code} / {each.code}",
            "organisation": name_of(each.opportunity.organisation),
            "starts_on": each.starts_on,
            "ends_on": each.ends_on,
            "students": each.students,
            "meetings": each.meetings_held,
        }
        for each in offerings_taught(request.actor)
    ]
    return render(request, "instructor/sessions/teaching.html", {"title": _("Teaching"), "courses": courses})


@login_required
def roster(request: Request, pk: UUID) -> HttpResponse:
    """One course: the students with their zones and needs, the meetings, attendance."""
    offering = offering_for_teacher(request.actor, pk)
    found, now = roster_of(offering), clock.now()
    sessions = Session.objects.filter(offering=offering).select_related("offering__opportunity__organisation").order_by("starts_at")
    context = {
        "title": course_title(offering),
        "crumbs": [{"url": "/teaching/", "label": _("Teaching")}, {"url": f"/teaching/{pk}/", "label": course_title(offering)}],
        "offering": offering,
        "zones": zones_told(found),
        "lines": [_told(line) for line in found.lines],
        "entries": entries_of(sessions, now),
        "now": now,
        "csv_url": f"/teaching/{pk}/roster.csv",
        "schedule_url": f"/offerings/{pk}/schedule/",
    }
    return render(request, "instructor/sessions/roster.html", context)


@login_required
def roster_csv(request: Request, pk: UUID) -> HttpResponse:
    """The same as a file for a spreadsheet, safe against formulas."""
    offering, language = offering_for_teacher(request.actor, pk), get_language() or "en"
    columns = ["enrolment_id", "name", "email", "home", "zone", "needs", "attendance_percent", *(mark.value for mark in Mark)]
    rows = []
    for line in roster_of(offering).lines:
        student = line.enrolment.student
        share = None if line.share is None else round(line.share * 100)
        rows.append([line.enrolment.pk, student.name, student.email, name_of(line.enrolment.home), line.zone, line.needs, share, *(line.marks[mark] for mark in Mark)])
    response = HttpResponse(csv_lines(columns, rows, language), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="roster.csv"'
    return response


def zones_told(found: Roster) -> list[str]:
    """`3 students in America/Lima`, most first: at one look, for whom the hour is good."""
    return list(_zones(found))


def _zones(found: Roster) -> Iterator[str]:
    for zone, count in found.zones:
        yield ngettext("%(count)s student in %(zone)s", "%(count)s students in %(zone)s", count) % {"count": count, "zone": zone}


def _told(line: Any) -> dict[str, Any]:
    return {
        "name": line.enrolment.student.name,
        "url": f"/enrolments/{line.enrolment.pk}/",
        "home": name_of(line.enrolment.home),
        "zone": line.zone,
        "needs": line.needs,
        "percent": None if line.share is None else round(line.share * 100),
        "marks": {mark.value: line.marks[mark] for mark in Mark},
    }


urlpatterns = [
    path("teaching/", teaching, name="teaching"),
    path("teaching/<uuid:pk>/", roster, name="roster"),
    path("teaching/<uuid:pk>/roster.csv", roster_csv, name="roster_csv"),
]

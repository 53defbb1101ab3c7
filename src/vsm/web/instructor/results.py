"""The teacher's grade entry: one table for a course, the same by file, and the file to fill in."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from vsm.exchange.catalogue.models import Offering
from vsm.exchange.recognition.actions import rows_to_grade
from vsm.exchange.recognition.grade_sheet import COLUMNS
from vsm.exchange.recognition.queries import current_results, graded_enrolments, scale_name, teaches
from vsm.exchange.recognition.states import ResultState
from vsm.kit.actions import TABLE
from vsm.kit.cells import csv_lines
from vsm.kit.errors import Invalid, Refused
from vsm.kit.ids import new_id
from vsm.kit.localized import text_in
from vsm.kit.records import not_found
from vsm.kit.requests import Request
from vsm.kit.saying import say, say_reason
from vsm.web.forms import ActionForm
from vsm.web.objects import perform


def results(request: Request, pk: UUID) -> HttpResponse:
    """The table of a course: fill in, save, see what is provisional and what is final."""
    return _entry(request, pk, "enter_results")


def import_file(request: Request, pk: UUID) -> HttpResponse:
    """The same from a file, taken whole or not at all."""
    return _entry(request, pk, "import_results")


def sheet(request: Request, pk: UUID) -> HttpResponse:
    """The course's students as a CSV file to fill in, with what stands there already."""
    offering = _offering(request, pk)
    rows = {row.enrolment_id: row for row in rows_to_grade(offering, request.actor)}
    told = []
    for each in graded_enrolments(offering, request.actor):
        record = getattr(each.student, "student_record", None)
        row = rows[each.pk]
        told.append([record.student_number if record else "", each.student.email, each.student.name, row.grade, str(row.credits), row.remark])
    response = HttpResponse(csv_lines(COLUMNS, told, "en"), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="results-{offering.opportunity.code}-{offering.code}.csv"'
    return response


def _entry(request: Request, pk: UUID, verb: str) -> HttpResponse:
    offering = _offering(request, pk)
    action = TABLE["offering", verb]
    form = ActionForm(action, offering, request.actor, request)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            by = request.actor.delivering(key=request.POST.get("delivery_key", "")[:255], via="web")
            try:
                perform(action, offering, form.inputs(), by)
            except (Invalid, Refused) as refusal:
                if refusal.status not in {409, 422}:
                    raise
                status = refusal.status
                for reason in refusal.reasons:
                    form.add_error(reason.field if reason.field in form.fields else None, say_reason(reason))
            else:
                messages.success(
                    request, _("The results are saved. They are provisional until the office confirms them.")
                )
                return redirect(f"/teaching/{offering.pk}/results/")
    return render(
        request, "instructor/recognition/results.html", _context(request, offering, verb, form), status=status
    )


def _context(request: Request, offering: Offering, verb: str, form: ActionForm) -> dict[str, Any]:
    here = f"/teaching/{offering.pk}/results/"
    course = text_in(offering.opportunity.title, get_language() or "en")
    found = list(current_results(offering).values())
    enrolled = len(graded_enrolments(offering, request.actor))
    confirm = TABLE["offering", "confirm_results"]
    waiting = sum(result.state == ResultState.PROVISIONAL for result in found)
    may_confirm = waiting and confirm.permits(offering, request.actor)
    return {
        "title": _("Results: %(course)s") % {"course": course},
        "offering": offering,
        "form": form,
        "act": say(TABLE["offering", verb].label),
        "is_import": verb == "import_results",
        "here": here,
        "tabs": [
            {"url": here, "label": _("Table"), "current": verb == "enter_results"},
            {"url": f"{here}import/", "label": _("File"), "current": verb == "import_results"},
        ],
        "crumbs": [{"url": "/teaching/", "label": _("Teaching")}, {"url": f"/offerings/{offering.pk}/", "label": course}],
        "scale": scale_name(offering.opportunity.organisation.grade_scale),
        "enrolled": enrolled,
        "waiting": waiting,
        "final": sum(result.state == ResultState.FINAL for result in found),
        "missing": max(enrolled - len(found), 0),
        "confirm_url": f"/offerings/{offering.pk}/confirm_results/" if may_confirm else "",
        "delivery_key": request.POST.get("delivery_key") or str(new_id()),
    }  # fmt: skip


def _offering(request: Request, pk: UUID) -> Offering:
    """The offering, for those who grade it; for everybody else there is nothing here."""
    related = ("opportunity__organisation",)
    offering: Offering = Offering.objects.select_related(*related).seen_by(request.actor, pk)
    if not teaches(request.actor, offering):
        raise not_found()
    return offering


urlpatterns = [
    path("teaching/<uuid:pk>/results/", results, name="results"),
    path("teaching/<uuid:pk>/results/import/", import_file, name="import_results"),
    path("teaching/<uuid:pk>/results.csv", sheet, name="results_sheet"),
]

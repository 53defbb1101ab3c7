"""The student's one page of what came of it: each course with its grade, the transcript, and what home recognises."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _

from vsm.exchange.institutions.queries import name_of
from vsm.exchange.recognition.queries import DECISION, DECISION_STATES, RESULT, TRANSCRIPT, course_title, recognition_of
from vsm.exchange.recognition.states import DecisionState
from vsm.kit.requests import Request
from vsm.kit.saying import say
from vsm.web.listing import address


def mine(request: Request) -> HttpResponse:
    """Every course that the reader takes or took, with the next thing to happen and who has to do it."""
    if request.actor.is_anonymous:
        return redirect(f"{reverse('account_login')}?next={request.path}")
    courses = [_course(line) for line in recognition_of(request.actor.person, request.actor)]
    return render(request, "student/recognition/mine.html", {"title": _("Results and recognition"), "courses": courses})


def _course(line: dict[str, Any]) -> dict[str, Any]:
    enrolment, result, transcript, decision = line["enrolment"], line["result"], line["transcript"], line["decision"]
    label, tone = DECISION_STATES[str(decision.state)] if decision else ("", "neutral")
    return {
        **line,
        "title": course_title(enrolment),
        "host": name_of(enrolment.offering.opportunity.organisation),
        "result_url": address(RESULT, result) if result else "",
        "transcript_url": address(TRANSCRIPT, transcript) if transcript else "",
        "decision_url": address(DECISION, decision) if decision else "",
        "decision_label": say(label) if label else "",
        "tone": tone,
        "home_course": " ".join(filter(None, (decision.home_code, decision.home_title))) if decision else "",
        "is_decided": decision is not None and decision.state != DecisionState.PROPOSED,
        "next": _next(line),
    }


def _next(line: dict[str, Any]) -> str:
    enrolment, decision = line["enrolment"], line["decision"]
    host = {"host": name_of(enrolment.offering.opportunity.organisation)}
    if enrolment.state == "withdrawn":
        return _("You withdrew: the transcript says W, without a grade.")
    if line["result"] is None:
        return _("Next: %(host)s confirms your result.") % host
    if line["transcript"] is None:
        return _("Next: %(host)s issues your transcript.") % host
    if decision is None or decision.state == DecisionState.PROPOSED:
        return _("Next: your home institution decides about recognition.")
    return ""


urlpatterns = [path("recognition/", mine, name="my_recognition")]

"""The student's own view of an application: what is missing, what is chosen, by when, what comes next. And its documents."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from vsm.exchange.applications.models import Application
from vsm.exchange.applications.queries import (
    APPLICATION,
    eligibility,
    lasting_obstacles,
    ranked,
    terms_of_call,
    title_of,
)
from vsm.exchange.applications.rules import DOCUMENT_KINDS, deadlines
from vsm.exchange.applications.states import State
from vsm.exchange.institutions.queries import name_of
from vsm.kit import clock, files
from vsm.kit.actions import actions_on
from vsm.kit.actors import Actor
from vsm.kit.i18n import N_
from vsm.kit.records import not_found
from vsm.kit.requests import Request
from vsm.kit.saying import say, say_reason
from vsm.kit.verdict import Reason, Verdict
from vsm.web.objects import verbs_of
from vsm.web.public.calls import credits_of, in_zone, language_and_level
from vsm.web.student.allocation import declaration_for, offers_to_answer, result_for
from vsm.web.templatetags.look import day, moment, period

UNDECIDED = (State.DRAFT, State.SUBMITTED)


def document(request: Request, pk: UUID, number: int) -> HttpResponse:
    """One file, always as a download: it is somebody else's and must never run as a page of ours."""
    application = APPLICATION.seen_by(request.actor, pk)
    found = application.documents.filter(pk=number).first()
    if found is None:
        raise not_found()
    response = HttpResponse(files.get(found.digest), content_type=found.media_type)
    response["Content-Disposition"] = content_disposition_header(True, found.name) or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def context(application: Application, actor: Actor) -> dict[str, Any]:
    """What both the student and the offices see of an application, with the student's checklist while it is a draft."""
    now = clock.now()
    is_own = application.student_id == actor.person_id
    verdict = eligibility(application, now) if is_own and application.state == State.DRAFT else lasting_obstacles(application)
    if application.state not in UNDECIDED:
        verdict = Verdict()
    return {
        "application": application,
        "is_own": is_own,
        "is_draft": application.state == State.DRAFT,
        "ranked": choices(application, verdict),
        "obstacles": checklist(application, verdict),
        "is_ready": verdict.ok,
        "documents": [_file(application, held) for held in application.documents.all()],
        "next": next_step(application),
        "last_days": last_days(application),
        "own_zone": timezone.get_current_timezone_name(),
        "verbs": [*offers_to_answer(application, actor), *verbs_of(APPLICATION, application, actor)],
        **result_for(application, actor),
        **declaration_for(application, actor),
    }


def choices(application: Application, verdict: Verdict) -> list[dict[str, Any]]:
    """The ranked courses, each with what stands against it."""
    return [
        {
            "rank": rank,
            "url": f"/offerings/{offering.pk}/",
            "title": title_of(offering),
            "host": name_of(offering.opportunity.organisation),
            "about": [language_and_level(offering.opportunity), credits_of(offering.opportunity), period(offering.starts_on, offering.ends_on)],
            "obstacles": [say_reason(reason) for reason in verdict.reasons if reason.field == f"choices.{rank}"],
        }
        for rank, offering in enumerate(ranked(application), start=1)
    ]  # fmt: skip


def checklist(application: Application, verdict: Verdict) -> list[dict[str, str]]:
    """What stands against the application as a whole: what, why, and the one thing to do about it."""
    return [_told(application, reason) for reason in verdict.reasons if not reason.field.startswith("choices.")]


def last_days(application: Application) -> list[dict[str, Any]]:
    """Each step with whose it is, the student's own last whole day, and the moment in both zones."""
    here, call = timezone.get_current_timezone_name(), application.call
    labels = {"submit": _("Submit"), "change": _("Reopen and change"), "nominate": _("Your home institution nominates")}
    return [
        {
            "label": labels[each.step],
            "last_day": day(each.last_day),
            "yours": moment(each.at),
            "theirs": in_zone(each.at, call.zone) if call.zone != here else "",
        }
        for each in deadlines(terms_of_call(call), here)
    ]  # fmt: skip


def next_step(application: Application) -> dict[str, str]:
    """What happens next and who has to do it, in one sentence."""
    return {
        State.DRAFT: {"kind": "info", "text": _("This is a draft that only you can see. It counts once you submit it; the day you do plays no part.")},
        State.SUBMITTED: {"kind": "info", "text": _("Submitted. Now it is with %(home)s, which decides whether it nominates.") % {"home": name_of(application.home)}},
        State.NOMINATED: {"kind": "info", "text": _("Nominated. %(host)s gives the seats after nominations have ended.") % {"host": name_of(application.call.organisation)}},
        State.NOT_NOMINATED: {"kind": "warn", "text": _("%(home)s did not nominate. Its reason stands below; ask its international office what you can do.") % {"home": name_of(application.home)}},
        State.PLACED: {"kind": "good", "text": _("There is a seat for this application. An offer that is not answered in time goes to the next student.")},
        State.WAITING: {"kind": "warn", "text": _("On the waiting list. If a seat becomes free it is offered by the same published order; nothing needs to be done.")},
        State.UNPLACED: {"kind": "bad", "text": _("There is no seat in this call. Look for another call on the list of calls.")},
        State.WITHDRAWN: {"kind": "neutral", "text": _("Withdrawn. Whatever it held has gone to the next student.")},
    }[State(application.state)]  # fmt: skip


# What a reason is about, and the act that mends it.
_ABOUT = {
    "call-coming": (N_("Not open yet"), ""),
    "no-choices": (N_("No course is chosen"), "rank"),
    "too-many-choices": (N_("Too many courses"), "rank"),
    "choice-repeated": (N_("A course stands twice"), "rank"),
    "seats-wanted": (N_("Too many seats"), "rank"),
    "document-missing": (N_("A document is missing"), "attach"),
    "share-too-low": (N_("Not far enough in your degree"), ""),
    "share-unknown": (N_("Your progress is not known"), ""),
    "no-study-record": (N_("You are not registered as a student"), ""),
    "already-applied": (N_("You applied already"), ""),
}


def _told(application: Application, reason: Reason) -> dict[str, str]:
    what, verb = _ABOUT.get(reason.code, (N_("The call does not take applications now"), ""))
    action = next((each for each in actions_on("application") if each.verb == verb), None)
    return {
        "what": say(what),
        "why": say_reason(reason),
        "next": say(action.label) if action else "",
        "url": f"/applications/{application.pk}/{verb}/" if action else "",
    }


def _file(application: Application, held: Any) -> dict[str, Any]:
    ending = held.media_type.rpartition("/")[2]
    return {
        "label": say(DOCUMENT_KINDS.get(held.kind, held.kind)),
        "file": {"url": f"/applications/{application.pk}/documents/{held.pk}/", "name": held.name, "size": held.size, "type": "text" if ending == "plain" else ending},
    }


urlpatterns = [path("applications/<uuid:pk>/documents/<int:number>/", document, name="application_document")]

"""A student's page in an emergency: how they are, what is proposed for each course, and the text that they agree to."""

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import formats, timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from vsm.exchange.catalogue.labels import bandwidth_label, credits_text, language_label, mode_label
from vsm.exchange.catalogue.reader_week import slots
from vsm.exchange.emergencies.answering import KEEP, Chosen
from vsm.exchange.emergencies.forms import Alternative
from vsm.exchange.emergencies.models import Case
from vsm.exchange.emergencies.planning import free_seats
from vsm.exchange.emergencies.proposing import possible_live, zone_of
from vsm.exchange.emergencies.queries import EMERGENCY_CASE, FORM_LABELS, SAFETY_STATES, situations_in_words
from vsm.exchange.emergencies.states import OVER, CaseState, Safety, State
from vsm.exchange.emergencies.texts import Amended, amended_of, plans_for
from vsm.exchange.learning_agreements.rules import Component, told
from vsm.exchange.learning_agreements.rules import differences as changes_between
from vsm.exchange.mobilities.models import Course
from vsm.exchange.mobilities.queries import agreement_of
from vsm.kit import clock
from vsm.kit.actions import TABLE
from vsm.kit.actors import Actor
from vsm.kit.errors import Refused
from vsm.kit.ids import new_id
from vsm.kit.localized import text_in
from vsm.kit.requests import Request
from vsm.kit.saying import say_reasons
from vsm.web import objects
from vsm.web.templatetags.look import period

CHOOSE = TABLE["emergency_case", "choose"]


def context(case: Case, actor: Actor) -> dict[str, Any]:
    """What a case's page shows above its facts, for the student and for both offices."""
    text = amended_of(case) if case.state in {CaseState.PROPOSED, CaseState.ACCEPTED} else None
    is_own = actor.person_id == case.student_id
    agreement = agreement_of(case.mobility) if is_own and case.state == CaseState.RETURNED else None
    return {
        "case": case,
        "is_own": is_own,
        "asks_how": is_own and case.safety == Safety.SILENT and case.state not in OVER,
        "is_drill": case.emergency.is_drill,
        "is_lifted": case.emergency.state == State.LIFTED,
        "safety_text": text_in(case.emergency.safety, get_language() or "en"),
        "safety_state": SAFETY_STATES[case.safety],
        "situation": ", ".join(situations_in_words(case)),
        "check_ins": [] if is_own else [{"answer": SAFETY_STATES[each.answer], "message": each.message, "at": each.at} for each in case.check_ins.all()[:20]],
        "contacts": None if is_own else _contacts(case),
        "courses": courses_of(case),
        **_text(text),
        "zone": zone_of(case),
        "zone_name": timezone.get_current_timezone_name(),
        "agreement_url": f"/learning-agreements/{agreement.pk}/" if agreement else "",
        "can_choose": is_own and CHOOSE.possible(case) and bool(case.lines),
    }


def _text(text: Amended | None) -> dict[str, Any]:
    """What the student agrees to, beside what changes in words."""
    if text is None:
        return {}
    changes = changes_between(text.before, text.after)
    return {"after": [_line(each) for each in text.after.components], "changes": say_reasons(told(change) for change in changes), "digest": text.digest}


def _to_accept(case: Case, actor: Actor) -> dict[str, Any]:
    return _text(amended_of(case))


def choose(request: Request, pk: UUID) -> HttpResponse:
    """For each course its forms as plain choices, with what tells them apart; then back to the text to agree to."""
    case = EMERGENCY_CASE.seen_by(request.actor, pk)
    if not (CHOOSE.permits(case, request.actor) and CHOOSE.possible(case)):
        return objects.act(request, EMERGENCY_CASE.plural, pk, CHOOSE.verb)
    refused: list[str] = []
    asked: dict[str, str] = {}
    if request.method == "POST":
        choices = [Chosen(course=UUID(line["course"]), form=request.POST.get(f"form-{line['course']}", line["form"] or KEEP)[:36]) for line in case.lines]
        try:
            by = request.actor.delivering(key=request.POST.get("delivery_key", "")[:255], via="web")
            CHOOSE.perform(case, by=by, now=clock.now(), choices=choices)
        except Refused as cause:
            if cause.status not in {409, 422}:
                raise
            refused = say_reasons(cause.reasons)
            asked = {str(each.course): each.form for each in choices}
            case = EMERGENCY_CASE.seen_by(request.actor, pk)
        else:
            return redirect("object", EMERGENCY_CASE.plural, pk)
    here = f"/{EMERGENCY_CASE.plural}/{case.pk}/"
    page = {
        "title": _("Choose for each course"),
        "crumbs": [{"url": "/emergency-cases/", "label": str(EMERGENCY_CASE.label_plural)}, {"url": here, "label": EMERGENCY_CASE.title(case)}],
        "here": here,
        "case": case,
        "courses": courses_of(case, asked),
        "zone": zone_of(case),
        "zone_name": timezone.get_current_timezone_name(),
        "delivery_key": str(new_id()),
        "refused": refused,
        "keep": KEEP,
    }
    return render(request, "student/emergencies/choose.html", page, status=422 if refused else 200)


def courses_of(case: Case, asked: Mapping[str, str] = MappingProxyType({})) -> list[dict[str, Any]]:
    """Each course in person with its forms; meetings are told on the clock that the student lives by, and on the reader's where that is another.

    `asked`: course → the form that was just asked for and refused, so that a choice is not lost with it.
    """
    plans, language, zone = plans_for(case), get_language() or "en", zone_of(case)
    courses = {str(course.pk): course for course in Course.objects.filter(mobility=case.mobility_id)}
    free = free_seats({UUID(each.offering) for by_key in plans.values() for each in by_key.values() if each.kind == "equivalent"})
    told_courses = []
    for line in case.lines:
        forms, course = list(plans.get(line["plan"], {}).values()), courses.get(line["course"])
        possible = possible_live(forms, zone)
        wanted = asked.get(line["course"], line["form"] or KEEP)
        shown = [_form(each, line, possible[each.key], zone, language, free) | {"is_wanted": each.key == wanted} for each in forms]
        told_courses.append(
            {
                "id": line["course"],
                "title": f"{line['code']} {text_in(course.title, language)}" if course else line["code"],
                "credits": credits_text(course.credits, None, [], course.credit_system) if course else "",
                "forms": shown,
                "is_kept": not any(each["is_wanted"] for each in shown),
                "chosen": next((each for each in shown if each["chosen"]), None),
                "live_avoided": line.get("live_avoided", False),
                "is_answered": line.get("is_answered", False),
            }
        )
    return told_courses


def _form(each: Alternative, line: dict[str, Any], possible: bool, zone: str, language: str, free: Mapping[UUID, int]) -> dict[str, Any]:
    return {
        "key": each.key,
        "chosen": line["form"] == each.key,
        "title": f"{each.code} {text_in(each.title, language)}",
        "kind": FORM_LABELS[each.kind],
        "host": text_in(each.taught_by, language),
        "facts": [mode_label(each.mode), bandwidth_label(each.bandwidth), language_label(each.language)],
        "meetings": meetings_on(each, zone),
        "meetings_here": meetings_on(each, here) if (here := timezone.get_current_timezone_name()) != zone else [],
        "is_live": each.is_live,
        "impossible": each.is_live and not possible,
        "assessment": text_in(each.assessment, language),
        "precedents": each.precedents,
        "seats": free.get(UUID(each.offering)) if each.kind == "equivalent" else None,
        "dates": period(date.fromisoformat(each.starts_on), date.fromisoformat(each.ends_on)),
    }


def meetings_on(each: Alternative, zone: str) -> list[str]:
    """The weekly meetings as the clock of `zone` tells them when the course begins."""
    if not each.meetings or not each.zone:
        return []
    walls = tuple((day, time.fromisoformat(starts), time.fromisoformat(ends)) for day, starts, ends in each.meetings)
    found = slots(walls, each.zone, zone, date.fromisoformat(each.starts_on))
    return [f"{_weekday(slot.weekday)} {slot.starts:%H:%M}–{slot.ends:%H:%M}" for slot in found]


def _weekday(number: int) -> str:
    return formats.date_format(date(2024, 1, 1 + number), "l")


def _line(each: Component) -> dict[str, Any]:
    return {
        "title": f"{each.code} {text_in(each.title, get_language() or 'en')}",
        "virtual": each.is_virtual,
        "credits": credits_text(Decimal(each.credits), None, [], each.credit_system),
        "home": " ".join(filter(None, [each.home_code, each.home_title])),
        "home_credits": each.home_credits,
        "host": text_in(each.taught_by, get_language() or "en"),
    }


def _contacts(case: Case) -> list[dict[str, Any]]:
    stay = case.mobility
    return [
        {"label": _("Telephone there"), "kind": "text", "value": stay.phone},
        {"label": _("Emergency contact"), "kind": "text", "value": " · ".join(filter(None, [stay.contact_name, stay.contact_phone]))},
        {"label": _("Email"), "kind": "text", "value": case.student.email},
    ]


objects.GUIDES["emergency_case", "accept"] = objects.Extra("student/emergencies/text.html", _to_accept)
objects.EXTRAS["emergency_case"] = objects.Extra("student/emergencies/part.html", context)

urlpatterns = [path("emergency-cases/<uuid:pk>/choose/", choose, name="choose_forms")]

"""A call's page: where it stands, by when in whose zone, what can be chosen, and the rules by which seats are given."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.dateformat import format as dateformat
from django.utils.translation import gettext as _

from vsm.exchange.agreements.rules import LANGUAGES
from vsm.exchange.applications.models import Call
from vsm.exchange.applications.queries import call_facts, offerings_of, own_application, title_of, to_nominate
from vsm.exchange.applications.rules import DOCUMENT_KINDS, last_day, publishing_problems
from vsm.exchange.applications.states import CallState
from vsm.exchange.catalogue.labels import credits_text
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import name_of
from vsm.kit import clock
from vsm.kit.actors import Actor
from vsm.kit.saying import say, say_reasons
from vsm.web.objects import EXTRAS, Extra
from vsm.web.templatetags.look import day, moment, period

ORDER = ("coming", "applying", "nominating", "allocating", "answered")


def context(call: Call, actor: Actor) -> dict[str, Any]:
    now = clock.now()
    phase = call.phase(now) if call.state != CallState.DRAFT else ""
    return {
        "call": call,
        "phase": phase,
        "stages": stages(call, phase),
        "deadlines": moments(call),
        "asked": asked(call),
        "problems": say_reasons(publishing_problems(call_facts(call), now)) if call.state == CallState.DRAFT else [],
        "call_offerings": offering_listing(call),
        "own": own_application(call, actor),
        "to_nominate": _nominations(call, actor, now),
        "runs_here": actor.is_operator or actor.holds("coordinator", call.organisation_id),
    }


def stages(call: Call, phase: str) -> list[dict[str, Any]]:
    """The line of phases as components/lifecycle.html draws it."""
    labels = {
        "coming": (_("Announced"), None),
        "applying": (_("Students apply"), call.opens_at),
        "nominating": (_("Homes nominate"), call.closes_at),
        "allocating": (_("Seats are given"), call.nominate_by),
        "answered": (_("Offers are answered"), None),
    }
    here = ORDER.index(phase) if phase in ORDER else (len(ORDER) if phase == "closed" else -1)
    return [
        {"label": labels[name][0], "at": labels[name][1], "state": "done" if number < here else "now" if number == here else "next"}
        for number, name in enumerate(ORDER)
    ]


def moments(call: Call) -> list[dict[str, Any]]:
    """Each deadline in the reader's zone and in the call's, both named, with the reader's own last whole day."""
    here = timezone.get_current_timezone_name()
    rows = [(_("Applications open"), call.opens_at, False), (_("Applications close"), call.closes_at, True), (_("Homes nominate until"), call.nominate_by, True)]
    return [
        {
            "label": label,
            "yours": moment(at),
            "theirs": in_zone(at, call.zone) if call.zone != here else "",
            "last_day": day(last_day(at, here)) if is_deadline else "",
        }
        for label, at, is_deadline in rows
    ]  # fmt: skip


def asked(call: Call) -> list[str]:
    """What a student needs to apply, in sentences; each is one of the obstacles that eligibility tells."""
    told = [_("Your home institution has an agreement with the host that covers the course.")]
    if call.minimum_share_passed:
        told.append(_("You have passed at least %(share)s %% of your degree.") % {"share": f"{float(call.minimum_share_passed) * 100:g}"})
    if call.required_documents:
        told.append(_("You attach: %(documents)s.") % {"documents": ", ".join(say(DOCUMENT_KINDS[kind]) for kind in call.required_documents)})
    told.append(_("You rank at most %(choices)s courses and can get at most %(seats)s.") % {"choices": call.max_choices, "seats": call.max_seats})
    return told


def in_zone(at: datetime, zone: str) -> Any:
    """A moment as the people of another zone read it, that zone named."""
    with timezone.override(ZoneInfo(zone)):
        return moment(at)


def offering_listing(call: Call) -> dict[str, Any]:
    """The offerings of a call as components/listing.html shows them: each row turns into a card on a phone."""
    rows = [_offering_row(row) for row in offerings_of(call)]
    labels = [_("Course"), _("Institution"), _("Language"), _("Credits"), _("Dates"), _("Live meetings in your time zone"), _("Seats in this call")]
    for row in rows:
        for label, cell in zip(labels, row["cells"], strict=True):
            cell["label"] = label
    return {
        "caption": _("Courses in this call"), "columns": [{"label": label} for label in labels], "rows": rows,
        "total": len(rows), "first": 1, "last": len(rows), "empty": {"text": _("No courses have been chosen for this call yet.")},
    }  # fmt: skip


def meeting_times(offering: Any) -> list[str]:
    """The weekly meetings of the first week in the reader's zone, Monday first: `Mon 14:00–15:30`."""
    return [_meeting_time(offering, meeting) for meeting in offering.meetings.all()]


def language_and_level(opportunity: Any) -> str:
    name = say(LANGUAGES.get(opportunity.language, opportunity.language))
    return f"{name} {opportunity.cefr}".strip()


def credits_of(opportunity: Any) -> str:
    """`6 ECTS credits`, or a range: the unit is the host's own."""
    return credits_text(opportunity.credits, opportunity.credits_high, opportunity.credit_values, opportunity.credit_system)


def _offering_row(row: Any) -> dict[str, Any]:
    offering, opportunity = row.offering, row.offering.opportunity
    times = meeting_times(offering)
    return {
        "url": f"/offerings/{offering.pk}/",
        "cells": [
            {"value": title_of(offering), "kind": "text"},
            {"value": name_of(opportunity.organisation), "kind": "text"},
            {"value": language_and_level(opportunity), "kind": "text"},
            {"value": credits_of(opportunity), "kind": "text"},
            {"value": period(offering.starts_on, offering.ends_on), "kind": "text"},
            {"value": times or _("None: at your own pace"), "kind": "list" if times else "text"},
            {"value": row.seats, "kind": "integer"},
        ],
    }  # fmt: skip


def _meeting_time(offering: Any, meeting: Any) -> str:
    first = offering.starts_on + timedelta(days=(meeting.weekday - offering.starts_on.weekday()) % 7)
    zone = ZoneInfo(offering.zone)
    start, end = (timezone.localtime(datetime.combine(first, wall, tzinfo=zone)) for wall in (meeting.starts, meeting.ends))
    return f"{dateformat(start, 'D')} {start:%H:%M}–{end:%H:%M}"


def _nominations(call: Call, actor: Actor, now: datetime) -> list[dict[str, Any]]:
    """For a home's coordinator: how many of their students wait for a nomination in this call."""
    found = []
    for home in _homes(actor.organisations("coordinator")):
        waiting = [application for application in to_nominate(home.pk, now) if application.call_id == call.pk]
        if waiting:
            found.append({"home": name_of(home), "count": len(waiting), "url": f"/organisations/{home.pk}/nominate_many/"})
    return found


def _homes(ids: Iterable[Any]) -> list[Organisation]:
    wanted = list(ids)
    return list(Organisation.objects.filter(pk__in=wanted)) if wanted else []


EXTRAS["call"] = Extra("public/calls/call.html", context)

"""Timetable in the reader's zone, the calendar feed, and what the pages of an enrolment and of a meeting add."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseNotModified
from django.shortcuts import render
from django.urls import path
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control
from django.utils.http import parse_etags
from django.utils.translation import gettext as _

from vsm.exchange.catalogue.queries import title_of
from vsm.exchange.people.queries import person_of_token
from vsm.exchange.sessions.finding import city
from vsm.exchange.sessions.models import Enrolment, Session
from vsm.exchange.sessions.queries import (
    MARK_LABELS,
    attendance_of,
    attending_at,
    deadlines_of,
    dial_in_of,
    feed_of,
    holder_title,
    is_leading,
    join_address,
    note_of,
    own_time_of,
    participants_of,
    sessions_of,
)
from vsm.exchange.sessions.rules import WEEKDAYS, Mark, told
from vsm.exchange.sessions.states import SessionState, State
from vsm.exchange.sessions.zones import place
from vsm.kit import clock
from vsm.kit.actors import Actor
from vsm.kit.records import not_found
from vsm.kit.requests import Request
from vsm.kit.saying import hours_text, say_reason, say_reasons
from vsm.standards import icalendar_feed
from vsm.web import objects

DOORS_OPEN = timedelta(minutes=15)


@dataclass(frozen=True)
class Entry:
    """One meeting as the timetable shows it: times on the reader's wall, the host's wall as words.

    `is_course`: its own wall is that of a host; a series has none. `is_home`: that wall is the reader's.
    """

    url: str
    course: str
    title: str
    number: int
    starts: datetime
    ends: datetime
    host: str
    is_course: bool
    is_home: bool
    join_url: str
    dial_in: str
    is_cancelled: bool
    is_now: bool
    can_join: bool
    warnings: list[str]


@login_required
def timetable(request: Request) -> HttpResponse:
    """All my courses merged: what is now or next, then one week; or the whole as a table."""
    now, actor = clock.now(), request.actor
    mine = sessions_of(actor.person)
    monday = _monday(request.GET.get("week", ""), timezone.localtime(now).date())
    is_table = request.GET.get("view") == "table"
    shown = mine if is_table else mine.filter(starts_at__gte=_midnight(monday), starts_at__lt=_midnight(monday + timedelta(days=7)))
    upcoming = mine.filter(ends_at__gt=now, state=SessionState.SCHEDULED).first()
    entries = [entry_of(session, now) for session in shown]
    context = {
        "title": _("Timetable"),
        "next": entry_of(upcoming, now) if upcoming else None,
        "entries": entries,
        "in_own_time": [(title_of(each.offering), each) for each in own_time_of(actor.person, timezone.localtime(now).date())],
        "days": [{"day": day, "entries": list(group)} for day, group in groupby(entries, key=lambda each: each.starts.date())],
        "tabs": [
            {"url": "/timetable/", "label": _("Week"), "current": not is_table},
            {"url": "/timetable/?view=table", "label": _("Everything as a table"), "current": is_table},
        ],
        "is_table": is_table,
        "monday": monday,
        "sunday": monday + timedelta(days=6),
        "previous": _week(monday - timedelta(days=7)),
        "following": _week(monday + timedelta(days=7)),
        "token_url": f"/people/{actor.person_id}/make_token/",
    }
    return render(request, "student/sessions/timetable.html", context)


def calendar(request: Request, token: str) -> HttpResponse:
    """The feed of whoever holds this token. Unchanged meetings give unchanged bytes, so that a phone loads nothing."""
    person = person_of_token(token, "calendar", clock.now())
    if person is None:
        raise not_found()
    with translation.override(person.language):
        feed = feed_of(person, language=person.language)
        body = icalendar_feed.write(feed.events, stamped=feed.changed_at, title=_("My courses (OpenVSM)"), language=person.language)
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    # What was compressed on its way comes back as a weak tag (W/"…"), which stands for the same calendar.
    if tag in {held.removeprefix("W/") for held in parse_etags(request.headers.get("If-None-Match", ""))}:
        return HttpResponseNotModified()
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response["ETag"] = tag
    response["Content-Disposition"] = 'inline; filename="openvsm.ics"'
    response["X-Robots-Tag"] = "noindex"
    patch_cache_control(response, private=True, max_age=900)
    return response


def entry_of(session: Session, now: datetime) -> Entry:
    """A meeting for the reader whose zone is active."""
    shown = told(session.starts_at, session.ends_at, session.zone, timezone.get_current_timezone_name())
    note = note_of(session)
    host_day = f"{_(WEEKDAYS[shown.host_starts.weekday()])} " if shown.day_shift else ""
    is_cancelled = session.state == SessionState.CANCELLED
    return Entry(
        url=f"/sessions/{session.pk}/", course=holder_title(session), title=session.title, number=session.number,
        starts=shown.starts, ends=shown.ends, host=f"{host_day}{hours_text(shown.host_starts, shown.host_ends)} ({session.zone})",
        is_course=session.series_id is None, is_home=session.zone == timezone.get_current_timezone_name(),
        join_url=join_address(session), dial_in=dial_in_of(session), is_cancelled=is_cancelled,
        is_now=session.starts_at <= now < session.ends_at and not is_cancelled,
        can_join=session.starts_at - DOORS_OPEN <= now < session.ends_at and not is_cancelled,
        warnings=[*say_reasons(shown.warnings), *([say_reason(note)] if note else [])],
    )  # fmt: skip


def entries_of(sessions: Iterable[Session], now: datetime) -> list[Entry]:
    return [entry_of(session, now) for session in sessions]


def enrolment_part(enrolment: Enrolment, actor: Actor) -> dict[str, Any]:
    """Days of leaving on the host's wall, attendance, the next meeting."""
    now, until = clock.now(), deadlines_of(enrolment)
    upcoming = Session.objects.visible_to(actor).filter(offering=enrolment.offering, ends_at__gt=now, state=SessionState.SCHEDULED)
    following = upcoming.select_related("offering__opportunity__organisation").order_by("starts_at").first()
    share = attendance_of(enrolment)
    return {
        "is_open": enrolment.state == State.ENROLLED,
        "until": until,
        "can_drop": now < until.drop_until,
        "can_withdraw": until.drop_until <= now < until.withdraw_until,
        "next": entry_of(following, now) if following else None,
        "attendance_percent": None if share is None else round(share * 100),
        "attendance_text": "" if share is None else f"{round(share * 100)} %",
    }


def session_part(session: Session, actor: Actor) -> dict[str, Any]:
    """Both walls, the link to join, and for the host's people the attendance list."""
    marks: list[dict[str, str]] = []
    if is_leading(session, actor):
        marks = [{"student": each.student.name, "mark": str(MARK_LABELS[Mark(mark)]) if mark else ""} for each, mark in attending_at(session)]
    entry = entry_of(session, clock.now())
    organisation = session.series.organisation if session.series else session.course.opportunity.organisation
    zones = Counter(each.person.zone for each in participants_of(session.series)) if session.series else Counter()
    return {
        "entry": entry, "marks": marks, "bandwidth": session.holder.bandwidth, "agenda": session.agenda, "materials": session.materials,
        "dial_number": re.sub(r"[^0-9+]", "", entry.dial_in), "contact": organisation.contact, "walls": walls_of(session, zones),
    }  # fmt: skip


def walls_of(session: Session, zones: Mapping[str, int]) -> list[dict[str, Any]]:
    """The meeting on the wall of each zone in which somebody lives, from west to east."""
    shown = []
    for zone, count in zones.items():
        starts, ends = session.starts_at.astimezone(place(zone)), session.ends_at.astimezone(place(zone))
        is_hard = any(reason.code == "night" for reason in told(session.starts_at, session.ends_at, session.zone, zone).warnings)
        shown.append(
            {"offset": starts.utcoffset(), "city": city(zone), "zone": zone, "count": count, "times": f"{_(WEEKDAYS[starts.weekday()])} {hours_text(starts, ends)}", "note": _("at night") if is_hard else ""}
        )
    return sorted(shown, key=lambda wall: (wall["offset"], wall["zone"]))


def _monday(asked: str, today: date) -> date:
    """`2026-W36` → its Monday; anything else → this week's."""
    try:
        return datetime.strptime(f"{asked}-1", "%G-W%V-%u").date()  # noqa: DTZ007 -- a calendar week has no zone
    except ValueError:
        return today - timedelta(days=today.weekday())


def _week(monday: date) -> str:
    return f"/timetable/?week={monday:%G-W%V}"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), ZoneInfo(timezone.get_current_timezone_name()))


objects.EXTRAS["enrolment"] = objects.Extra("student/sessions/enrolment.html", enrolment_part)
objects.EXTRAS["session"] = objects.Extra("student/sessions/session.html", session_part)

urlpatterns = [
    path("timetable/", timetable, name="timetable"),
    path("calendar/<str:token>.ics", calendar, name="calendar_feed"),
]

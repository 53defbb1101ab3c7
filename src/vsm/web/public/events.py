"""Online events for everybody: the page in the visitor's zone, registration without an account, one's own place by link."""

import csv
import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from vsm.config import settings
from vsm.exchange.events.actions import by_link, register_guest
from vsm.exchange.events.models import OnlineEvent, Registration
from vsm.exchange.events.queries import (
    KIND_LABELS,
    ONLINE_EVENT,
    calendar_of,
    came,
    event_title,
    feed_of,
    languages_told,
    link_token,
    places_left,
    registration_of,
    subjects_of,
    turn_of,
)
from vsm.exchange.events.rules import DOORS_OPEN, why_not_register
from vsm.exchange.events.states import EventState
from vsm.exchange.institutions.queries import name_of
from vsm.exchange.statistics.attendance import OTHER, answers_of, by_country
from vsm.kit import clock
from vsm.kit.actors import ANONYMOUS, SYSTEM, Actor
from vsm.kit.errors import Refused
from vsm.kit.localized import text_in
from vsm.kit.names import country_name
from vsm.kit.requests import Request
from vsm.kit.saying import say_reason, say_reasons
from vsm.web import desk, objects
from vsm.web.public.issuers import open_to_all
from vsm.web.reader import ZONE_COOKIE
from vsm.web.strangers import may_ask

TIMES, WITHIN = 10, 600
LINK_VERBS = ("confirm", "take_place", "cancel", "give_feedback")


class GuestForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(label=gettext_lazy("Email"), help_text=gettext_lazy("We send a link there; your place is yours when you have opened it."), max_length=254, widget=forms.EmailInput(attrs={"autocomplete": "email"}))
    needs = forms.CharField(label=gettext_lazy("What do you need to take part?"), help_text=gettext_lazy("Captions, sign language, slides in advance … Only the organiser reads it."), max_length=500, required=False)


class FeedbackForm(forms.Form):
    scale = [(str(number), str(number)) for number in range(1, 6)]
    useful = forms.ChoiceField(label=gettext_lazy("Was it useful to you? (1 not at all – 5 very)"), choices=scale, widget=forms.RadioSelect)
    could_follow = forms.ChoiceField(label=gettext_lazy("Could you follow it: language, sound, captions? (1 not at all – 5 fully)"), choices=scale, widget=forms.RadioSelect)
    words = forms.CharField(label=gettext_lazy("In words, if you like"), help_text=gettext_lazy("It is kept without your name."), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3}))


def event_part(event: OnlineEvent, actor: Actor) -> dict[str, Any]:
    """When it is for the visitor, what is provided, how to get in, and afterwards the recording and what may be told."""
    now = clock.now()
    mine = Registration.objects.filter(event=event, person_id=actor.person_id).first() if actor.person_id else None
    organises = actor.is_operator or actor.person_id == event.organiser_id or actor.holds("coordinator", event.organisation_id)
    is_held = event.state == EventState.HELD
    return {
        "event": event, "places": places_left(event), "held_in": languages_told(event.languages), "captions": languages_told(event.captions),
        "interpretation": languages_told(event.interpretation), "open": not list(why_not_register(state=event.state, closes_at=event.closes_at, now=now)),
        "is_over": event.ends_at <= now, "mine": mine, "organises": organises, "came": came(event) if organises and is_held else None, "answers": answers_of(event) if is_held else None, "is_held": is_held,
        "other_zone": event.zone != timezone.get_current_timezone_name(), "their_start": f"{event.starts_at.astimezone(_zone(event)):%H:%M}", "signed_in": actor.person_id is not None,
        "organiser": name_of(event.organisation), "kind": str(KIND_LABELS[event.kind]), "subjects": subjects_of(event),
    }  # fmt: skip


def register(request: Request, pk: UUID) -> HttpResponse:
    """With an account: the usual act. Without: name and address, and a link by mail."""
    if not request.actor.is_anonymous:
        if own := Registration.objects.filter(event_id=pk, person_id=request.actor.person).exclude(state__in=["cancelled", "expired"]).first():
            return redirect(f"/registrations/{own.pk}/")  # a link to register, opened a second time
        return objects.act(request, ONLINE_EVENT.plural, pk, "register")
    event = ONLINE_EVENT.seen_by(request.actor, pk)
    why_not = say_reasons(why_not_register(state=event.state, closes_at=event.closes_at, now=clock.now()))
    form = GuestForm(request.POST or None)
    if request.method == "POST" and not why_not and form.is_valid():
        if not may_ask(request, "register", times=TIMES, seconds=WITHIN):
            return render(request, "errors/429.html", {"title": _("Too many registrations from here"), "reasons": [_("Try again in ten minutes, or ask the organiser.")]}, status=429)
        email = form.cleaned_data["email"].lower()
        # One letter to an address within ten minutes, whoever asks for it: nobody's mailbox is filled through us.
        if may_ask(request, "letter", times=1, seconds=600, of=hashlib.sha256(f"{pk}:{email}".encode()).hexdigest()):
            try:
                register_guest(event, by=SYSTEM, now=clock.now(), name=form.cleaned_data["name"], email=email, language=get_language() or "es", zone=timezone.get_current_timezone_name(), needs=form.cleaned_data["needs"])
            except Refused as refusal:
                for reason in refusal.reasons:
                    form.add_error(reason.field if reason.field in form.fields else None, say_reason(reason))
                return render(request, "public/events/register.html", _register_context(event, form, []), status=refusal.status)
        return render(request, "public/events/sent.html", {**_frame(event), "email": email})
    return render(request, "public/events/register.html", _register_context(event, form, why_not), status=422 if form.errors else 409 if why_not else 200)


def mine(request: Request, token: str) -> HttpResponse:
    """One's own registration by the mailed link: confirm, take the place, give it up, say how it was. A browser that has not
    said where it is reads times as the letter told them."""
    registration = registration_of(token)
    says_where = not request.actor.is_anonymous or ZONE_COOKIE in request.COOKIES
    with timezone.override(timezone.get_current_timezone() if says_where else ZoneInfo(registration.zone)):
        return _mine(request, token, registration)


def _mine(request: Request, token: str, registration: Registration) -> HttpResponse:
    feedback = FeedbackForm(request.POST if request.POST.get("verb") == "give_feedback" else None)
    refusal: Refused | None = None
    if request.method == "POST":
        verb = request.POST.get("verb", "")
        if verb in LINK_VERBS and (verb != "give_feedback" or feedback.is_valid()):
            try:
                by_link(token, verb, now=clock.now(), **(feedback.cleaned_data if verb == "give_feedback" else {}))
                messages.success(request, _("Done."))
                return redirect("my_registration", token)
            except Refused as cause:
                refusal = cause
        registration = registration_of(token)
    event, now = registration.event, clock.now()
    context = {
        **_frame(event), "registration": registration, "event": event, "token": token, "turn": turn_of(registration) if registration.state == "waiting" else 0,
        "reasons": say_reasons(refusal.reasons) if refusal else [], "can_join": _can_join(registration, now), "is_over": event.ends_at <= now,
        "asks_feedback": event.state == EventState.HELD and registration.state == "registered" and not registration.gave_feedback, "feedback": feedback,
    }  # fmt: skip
    response = render(request, "public/events/mine.html", context, status=refusal.status if refusal else 422 if feedback.errors else 200)
    return _private(response)


def join(request: Request, token: str) -> HttpResponse:
    """To the meeting, when its doors are open; noting that it was opened from here. A POST, so that no preview of a mail joins."""
    registration = registration_of(token)
    event, now = registration.event, clock.now()
    if request.method != "POST" or not _can_join(registration, now):
        return redirect("my_registration", token)
    by_link(token, "join", now=now)
    # Not a redirect: browsers let no form lead to another site here (`form-action 'self'`), nor should they.
    response = render(request, "public/events/joining.html", {**_frame(event), "event": event, "token": token})
    response["Refresh"] = f"0; url={event.join_url}"
    return _private(response)


def _can_join(registration: Registration, now: datetime) -> bool:
    event = registration.event
    return registration.state == "registered" and event.state != "cancelled" and bool(event.join_url) and event.starts_at - DOORS_OPEN <= now < event.ends_at


def calendar(request: Request, pk: UUID) -> HttpResponse:
    """The public event for one's own calendar, without the address to join."""
    return _ics(ONLINE_EVENT.seen_by(request.actor, pk), joins=False)


def feed(request: Request) -> HttpResponse:
    """Everything announced for the last month and to come, to subscribe to with a calendar program."""
    events = OnlineEvent.objects.visible_to(ANONYMOUS).filter(ends_at__gte=clock.now() - timedelta(days=31)).select_related("organisation").order_by("starts_at")
    body = feed_of(events[:200], language=get_language() or "en", base_url=settings().base_url, title=str(ONLINE_EVENT.label_plural))
    return HttpResponse(body, content_type="text/calendar; charset=utf-8")


def linked_data(request: Request, pk: UUID) -> HttpResponse:
    """The event as schema.org EducationEvent (JSON-LD): what search engines and calendars of others read."""
    event = ONLINE_EVENT.seen_by(request.actor, pk)
    language, page = get_language() or "en", f"{settings().base_url}/online-events/{event.pk}/"
    told = {
        "@context": "https://schema.org", "@type": "EducationEvent", "@id": page, "url": page, "name": event_title(event), "description": text_in(event.description, language),
        "startDate": event.starts_at.astimezone(_zone(event)).isoformat(), "endDate": event.ends_at.astimezone(_zone(event)).isoformat(), "inLanguage": event.languages,
        "eventAttendanceMode": "https://schema.org/OnlineEventAttendanceMode", "eventStatus": f"https://schema.org/{'EventCancelled' if event.state == 'cancelled' else 'EventScheduled'}",
        "location": {"@type": "VirtualLocation", "url": page}, "organizer": {"@type": "Organization", "name": name_of(event.organisation)}, "isAccessibleForFree": True,
        "performer": [{"@type": "Person", "name": each["name"], **({"affiliation": each["affiliation"]} if each.get("affiliation") else {})} for each in event.speakers],
        "about": [{"@type": "Report", "name": each.title, **({"url": f"{settings().base_url}{each.url}"} if each.url else {})} for each in subjects_of(event)],
        **({"maximumAttendeeCapacity": event.capacity} if event.capacity else {}), **({"recordedIn": {"@type": "VideoObject", "url": event.recording_url}} if event.recording_url else {}),
    }  # fmt: skip
    return open_to_all(JsonResponse(told, content_type="application/ld+json", json_dumps_params={"ensure_ascii": False, "indent": 1}))


def attendance(request: Request) -> HttpResponse:
    """Who came to online events, by year and country of the visitor's time zone: counts that tell of nobody."""
    language, title = get_language() or "en", _("Online events, counted")
    years = [
        {
            "year": each.year, "events": each.events, "registered": each.registered.total, "attended": each.attended.total,
            "rows": [
                {"name": _("Other countries, or not known") if code == OTHER else country_name(code, language), "registered": told, "attended": each.attended.cells[code]}
                for code, told in each.registered.cells.items()
            ],
        }
        for each in reversed(by_country())
    ]  # fmt: skip
    crumbs = [{"url": f"/{ONLINE_EVENT.plural}/", "label": str(ONLINE_EVENT.label_plural)}, {"url": request.path, "label": title}]
    return render(request, "public/events/attendance.html", {"title": title, "years": years, "crumbs": crumbs})


def attendance_csv(_request: Request) -> HttpResponse:
    """year, country, registered, attended; empty where withheld."""
    response = HttpResponse(content_type="text/csv; charset=utf-8", headers={"Content-Disposition": 'attachment; filename="attendance.csv"'})
    out = csv.writer(response)
    out.writerow(("year", "country", "registered", "attended"))
    for each in by_country():
        out.writerows((each.year, code, each.registered.cells[code], each.attended.cells[code]) for code in each.registered.cells)
        out.writerow((each.year, "all", each.registered.total, each.attended.total))
    return open_to_all(response)


def my_calendar(request: Request, token: str) -> HttpResponse:
    """The same with the address to join, for whoever has a place."""
    registration = registration_of(token)
    return _private(_ics(registration.event, joins=registration.state == "registered"))


def _ics(event: OnlineEvent, *, joins: bool) -> HttpResponse:
    body = calendar_of(event, language=get_language() or "en", url=f"{settings().base_url}/online-events/{event.pk}/", joins=joins)
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="event.ics"'
    return response


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


def _register_context(event: OnlineEvent, form: GuestForm, why_not: list[str]) -> dict[str, Any]:
    here = f"/online-events/{event.pk}/register/"
    return {**_frame(event), "form": form, "why_not": why_not, "event": event, "sign_in_url": f"/accounts/login/?{urlencode({'next': here})}"}


def _frame(event: OnlineEvent) -> dict[str, Any]:
    here = f"/{ONLINE_EVENT.plural}/{event.pk}/"
    return {"title": event_title(event), "here": here, "crumbs": [{"url": f"/{ONLINE_EVENT.plural}/", "label": str(ONLINE_EVENT.label_plural)}, {"url": here, "label": event_title(event)}]}


def _zone(event: OnlineEvent) -> Any:
    return ZoneInfo(event.zone)


def registration_part(registration: Registration, actor: Actor) -> dict[str, Any]:
    """For whoever has an account: the same page as by the link."""
    return {"registration": registration, "link": f"/online-events/mine/{link_token(registration)}/" if actor.person_id == registration.person_id else "", "is_in_use": registration.state != "cancelled" and registration.state != "expired" and registration.event.state == "published" and clock.now() < registration.event.ends_at}


def desk_steps(actor: Actor, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """Events to come, and offered places to take."""
    found = Registration.objects.filter(person_id=actor.person, event__state="published", event__ends_at__gte=now, state__in=["registered", "offered"])
    for registration in found.select_related("event"):
        offered, title = registration.state == "offered", _("Online event: %(title)s") % {"title": event_title(registration.event)}
        state, act = (desk.YOURS, _("Take the place")) if offered else (desk.WAITING, _("See"))
        deadline = registration.respond_by if offered else registration.event.starts_at
        yield desk.DURING, desk.item(title, _("You"), state=state, deadline=deadline, url=f"/registrations/{registration.pk}/", action=act, now=now)


desk.STEPS.append(desk_steps)
objects.GUIDES["online_event", "register"] = objects.Extra("public/events/recorded.html", lambda event, _actor: {"event": event})
objects.EXTRAS["online_event"] = objects.Extra("public/events/event.html", event_part)
objects.EXTRAS["registration"] = objects.Extra("public/events/registration.html", registration_part, leads=True)

urlpatterns = [
    path("online-events/calendar.ics", feed, name="events_feed"),
    path("online-events/attendance/", attendance, name="events_attendance"),
    path("online-events/attendance.csv", attendance_csv, name="events_attendance_csv"),
    path("online-events/<uuid:pk>/event.jsonld", linked_data, name="event_linked_data"),
    path("online-events/<uuid:pk>/register/", register, name="register_for_event"),
    path("online-events/<uuid:pk>/event.ics", calendar, name="event_calendar"),
    path("online-events/mine/<str:token>/", mine, name="my_registration"),
    path("online-events/mine/<str:token>/join/", join, name="join_event"),
    path("online-events/mine/<str:token>/event.ics", my_calendar, name="my_event_calendar"),
]

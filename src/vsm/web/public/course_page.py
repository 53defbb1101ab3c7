"""What a course's own page shows: all that is needed to decide, in the reader's language, zone and credit system."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from vsm.exchange.applications.models import Call
from vsm.exchange.applications.queries import own_application
from vsm.exchange.catalogue import labels
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.catalogue.reader_week import Slot, shifts, slots
from vsm.exchange.catalogue.search_page import times_text, times_warning, walls
from vsm.exchange.catalogue.states import State
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.recognition.credits import CreditConversion, convert
from vsm.exchange.sessions.queries import weekly_of
from vsm.exchange.sessions.rules import occurrences
from vsm.kit.actors import Actor
from vsm.kit.errors import Refused
from vsm.kit.localized import text_in
from vsm.kit.saying import say_reason
from vsm.rulebook.isced_f import fields_of
from vsm.standards.icalendar_feed import Event
from vsm.web.templatetags.look import day, localized, moment, number, period

# Categories whose students do not come through a call add their own ways in: (offering, actor, now) → `Way`s.
WAYS: list[Callable[[Any, Actor, datetime], "Iterator[Way]"]] = []

COMMON_SYSTEM = "ects"
"""What credits are converted to for a reader whose home is not known."""

HOUR_HEIGHT, DAY_WIDTH, LEFT, TOP = 3, 12, 12, 8
"""Units of the drawing of a week."""


OWN_PAGES: list[Callable[[Any], str]] = []
"""Each tells the address of an offering's own page elsewhere, or nothing: a vacancy is more than a course."""


@dataclass(frozen=True)
class Way:
    """A call that the course is part of and what the reader can do there now."""

    title: str
    url: str
    label: str
    tone: str
    note: Any
    action_url: str = ""
    action_label: str = ""


def offering_for(actor: Actor, pk: UUID) -> Any:
    """The offering with everything its page shows; the same NotFound when it is absent or not for this reader."""
    found = Offering.objects.select_related("opportunity__organisation", "opportunity__unit", "term").prefetch_related("meetings", "instructors")
    return found.seen_by(actor, pk)


def context(offering: Any, actor: Actor, now: datetime, home: tuple[UUID, str] | None) -> dict[str, Any]:
    opportunity = offering.opportunity
    host = opportunity.organisation
    ways = [*_ways(offering, actor, now), *(way for more in WAYS for way in more(offering, actor, now))]
    return {
        "offering": offering,
        "opportunity": opportunity,
        "host": host,
        "title": text_in(opportunity.title, _language()),
        "crumbs": [{"url": reverse("search"), "label": _("Find a course")}, {"url": "", "label": text_in(opportunity.title, _language())}],
        "ways": ways,
        "is_open": any(way.action_url for way in ways),
        "others_url": f"{reverse('search')}?{urlencode({'field': opportunity.isced_f[:2], 'open': 'true'})}",
        "texts": _texts(opportunity),
        "facts": list(_facts(offering)),
        "credit": _credit(offering, home),
        "week": _week(offering),
        "host_place": _place(host),
        "is_withdrawn": State.WITHDRAWN in (offering.state, opportunity.state),
        "is_draft": State.DRAFT in (offering.state, opportunity.state),
        "is_staff": actor.is_operator or host.pk in actor.organisations("coordinator", "registrar", "instructor"),
        "summary": _summary(opportunity),
    }


def weekly_events(offering: Any, language: str) -> list[Event]:
    """The weekly meetings of the whole term as calendar events. An event's identifier is its offering and wall time."""
    place, host = ZoneInfo(offering.zone), offering.opportunity.organisation
    title = text_in(offering.opportunity.title, language)
    return [
        Event(
            uid=f"{offering.pk}-{each.wall:%Y%m%dT%H%M}", starts=each.starts_at.astimezone(place), ends=each.ends_at.astimezone(place),
            title=f"{title} · {each.label}" if each.label else title, language=language,
            description=f"{text_in(host.name, language)}\n{offering.opportunity.code} / {offering.code}",
        )
        for each in occurrences(weekly_of(offering), offering.starts_on, offering.ends_on, offering.zone)
    ]  # fmt: skip


# What can be done -----------------------------------------------------------------------------------------------------


def _ways(offering: Any, actor: Actor, now: datetime) -> Iterator[Way]:
    """The calls of the course, those that take applications first."""
    found = Call.objects.visible_to(actor).filter(call_offerings__offering=offering).exclude(state="draft").select_related("organisation")
    order = ("applying", "coming", "nominating", "allocating", "answered", "closed")
    for call in sorted(found, key=lambda call: (order.index(call.phase(now)), call.closes_at)):
        yield _way(call, actor, now)


def _way(call: Call, actor: Actor, now: datetime) -> Way:
    phase, url = call.phase(now), f"/calls/{call.pk}/"
    title = text_in(call.title, _language())
    own = own_application(call, actor)
    if own:
        return Way(title, url, _("You have an application"), "info", "", f"/applications/{own.pk}/", _("Open your application"))
    if phase == "applying":
        return Way(title, url, _("Open for applications"), "good", _until(call.closes_at), *_applying(call, actor))
    if phase == "coming":
        return Way(title, url, _("Coming soon"), "info", _from(call.opens_at))
    return Way(title, url, _("Closed for applications"), "neutral", "")


def _applying(call: Call, actor: Actor) -> tuple[str, str]:
    apply_url = f"/calls/{call.pk}/apply/"
    if actor.is_anonymous:
        return f"{reverse('account_login')}?{urlencode({'next': apply_url})}", _("Sign in to apply")
    return (apply_url, _("Apply now")) if actor.organisations("student") else ("", "")


def _until(at: datetime) -> Any:
    return _Said(_("Closes"), moment(at))


def _from(at: datetime) -> Any:
    return _Said(_("Opens"), moment(at))


def said(words: str, at: Any) -> Any:
    """The note of a way: words and a marked-up moment."""
    return _Said(words, at)


@dataclass(frozen=True)
class _Said:
    """Words and a marked-up moment after them."""

    words: str
    at: Any


# Facts ----------------------------------------------------------------------------------------------------------------


def _texts(opportunity: Any) -> list[dict[str, Any]]:
    named = [
        (_("What you will study"), opportunity.description),
        (_("What you will be able to do"), opportunity.learning_outcomes),
        (_("What you need before"), opportunity.prerequisites),
        (_("How you are assessed"), opportunity.assessment),
        (_("Accessibility"), opportunity.accessibility),
    ]
    # Some catalogues give one text for two questions; it is said once.
    said: list[Any] = []
    found = []
    for label, texts in named:
        if any(texts.values()) and texts not in said:
            said.append(texts)
            found.append({"label": label, "text": localized(texts)})
    return found


def _facts(offering: Any) -> Iterator[dict[str, Any]]:
    opportunity = offering.opportunity
    asked = {
        "A1": _("a beginner’s"), "A2": _("an elementary"), "B1": _("an intermediate"), "B2": _("an upper intermediate"),
        "C1": _("an advanced"), "C2": _("a proficient"),
    }  # fmt: skip
    yield _fact(_("Dates"), period(offering.starts_on, offering.ends_on))
    if opportunity.workload_hours:
        yield _fact(_("Workload"), _("%(hours)s hours of study in all") % {"hours": _plain(opportunity.workload_hours)})
    spoken = labels.language_label(opportunity.language)
    if opportunity.cefr:
        level = asked.get(opportunity.cefr, "")
        spoken = _("%(language)s, at least %(cefr)s (%(words)s level)") % {"language": spoken, "cefr": opportunity.cefr, "words": level}
    yield _fact(_("Language"), spoken)
    yield _fact(_("Level"), labels.level_label(opportunity.level))
    if opportunity.isced_f:
        names = " › ".join(dict.fromkeys(text_in(field.name, _language()) for field in fields_of(opportunity.isced_f)))
        yield _fact(_("Field of study"), f"{names} (ISCED-F {opportunity.isced_f})".strip())
    yield _fact(_("Category"), labels.category_label(opportunity.category))
    yield _fact(_("How it meets"), labels.mode_label(offering.mode))
    yield _fact(_("Connection"), _connection(offering.bandwidth))
    yield _fact(_("Seats for exchange students"), number(offering.seats))
    if offering.drop_by:
        yield _fact(_("Leave without a trace until"), day(offering.drop_by))
    if offering.withdraw_by:
        yield _fact(_("Withdraw until"), day(offering.withdraw_by))
    if offering.instructors.all():
        yield _fact(_("Taught by"), ", ".join(person.name for person in offering.instructors.all()))
    yield _fact(_("Code"), f"{opportunity.code} / {offering.code}")


def _fact(label: str, value: Any) -> dict[str, Any]:
    return {"label": label, "kind": "text", "value": value}


def _connection(bandwidth: str) -> str:
    return {
        "text": _("Text is enough: reading and writing work on a slow connection, also on a telephone."),
        "audio": _("You need to hear and speak: a connection that carries a voice call. The camera may stay off."),
        "video": _("You need to see and be seen: a connection that carries a video call."),
    }.get(bandwidth, bandwidth)


def _credit(offering: Any, home: tuple[UUID, str] | None) -> dict[str, Any]:
    """The host's credits, and what they come to at the reader's home (or in ECTS) with the way there."""
    opportunity = offering.opportunity
    told = labels.credits_text(
        opportunity.credits, opportunity.credits_high, opportunity.credit_values, opportunity.credit_system
    )
    target = COMMON_SYSTEM
    if home:
        target = Organisation.objects.filter(pk=home[0]).values_list("credit_system", flat=True).first() or target
    at_home = _conversions(offering, target)
    return {
        "told": told,
        "system": labels.credit_system_label(opportunity.credit_system),
        "home": home[1] if home else "",
        "is_same": target == opportunity.credit_system,
        "converted": " – ".join(dict.fromkeys(_plain(each.value) for each in at_home)),
        "unit": labels.credit_unit(target),
        "steps": [say_reason(step) for step in at_home[0].steps] if at_home else [],
        "cautions": [say_reason(caution) for caution in at_home[0].cautions] if at_home else [],
        "citations": [{"title": each.title, "url": each.url, "part": each.part_in(get_language() or "en")} for each in at_home[0].citations] if at_home else [],
    }


def _conversions(offering: Any, target: str) -> list[CreditConversion]:
    opportunity = offering.opportunity
    amounts = list(dict.fromkeys(filter(None, (opportunity.credits, opportunity.credits_high))))
    # The stated workload belongs to the whole course: with a range of credits it fits none of its ends.
    workload = opportunity.workload_hours if len(amounts) == 1 else None
    try:
        return [convert(amount, opportunity.credit_system, target, offering.starts_on, workload or None) for amount in amounts]
    except Refused:  # a system that the rulebook does not know yet: the host's own figure is shown alone
        return []


def _place(host: Any) -> str:
    return ", ".join(filter(None, (host.city, labels.country_label(host.country))))


def _summary(opportunity: Any) -> str:
    words = " ".join(text_in(opportunity.description, _language()).split())
    return f"{words[:150]}…" if len(words) > 151 else words


# The week -------------------------------------------------------------------------------------------------------------


def _week(offering: Any) -> dict[str, Any]:
    """The weekly meetings as a picture of two clocks, as a table, and what changes within the term."""
    meetings = walls(offering.meetings.all())
    reader = timezone.get_current_timezone_name()
    weekly = slots(meetings, offering.zone, reader, offering.starts_on)
    turning = shifts(meetings, offering.zone, reader, offering.starts_on, offering.ends_on)
    return {
        "rows": [_row(slot) for slot in weekly],
        "text": times_text(weekly),
        "warning": times_warning(weekly),
        "shifts": [{"on": s.on, "is_later": s.minutes > 0, "length": _length(abs(s.minutes))} for s in turning],
        "zone": offering.zone,
        "is_same_zone": offering.zone == reader,
        "pictures": [
            {"title": _("At the host"), "zone": offering.zone, "blocks": list(_blocks([slot.host for slot in weekly]))},
            {"title": _("For you"), "zone": reader, "blocks": list(_blocks([(s.weekday, s.starts, s.ends) for s in weekly]))},
        ],
        "days": [{"x": LEFT + DAY_WIDTH * place + DAY_WIDTH // 2, "label": labels.short_weekday(place)[:2]} for place in range(7)],
        "hours": [{"y": TOP + HOUR_HEIGHT * hour, "label": f"{hour:02d}"} for hour in (0, 6, 12, 18, 24)],
    }  # fmt: skip


def _row(slot: Slot) -> dict[str, Any]:
    weekday, starts, ends = slot.host
    notes = {-1: _("a day earlier"), 1: _("a day later"), 0: ""}
    return {
        "host": f"{labels.WEEKDAY_LABELS[weekday]} {starts:%H:%M}–{ends:%H:%M}",
        "reader": f"{labels.WEEKDAY_LABELS[slot.weekday]} {slot.starts:%H:%M}–{slot.ends:%H:%M}",
        "note": notes.get(slot.day_shift, ""),
        "warning": times_warning([slot]),
    }


def _blocks(weekly: Sequence[tuple[int, time, time]]) -> Iterator[dict[str, str]]:
    """Rectangles of the drawing; a meeting over midnight is drawn on both days."""
    for weekday, starts, ends in weekly:
        begin, end = starts.hour + starts.minute / 60, ends.hour + ends.minute / 60
        parts = [(weekday, begin, end)] if end > begin else [(weekday, begin, 24.0), ((weekday + 1) % 7, 0.0, end)]
        for each, top, bottom in parts:
            if bottom > top:
                # As text, because a number would be written with the reader's decimal comma.
                yield {
                    "x": str(LEFT + DAY_WIDTH * each + 1), "y": f"{TOP + HOUR_HEIGHT * top:g}", "width": str(DAY_WIDTH - 2),
                    "height": f"{HOUR_HEIGHT * (bottom - top):g}",
                }  # fmt: skip


def _length(minutes: int) -> str:
    if minutes % 60:
        return _("%(minutes)s minutes") % {"minutes": minutes}
    return _("one hour") if minutes == 60 else _("%(hours)s hours") % {"hours": minutes // 60}


def _plain(value: Decimal) -> str:
    return str(number_format(value.normalize(), use_l10n=True))


def _language() -> str:
    return get_language() or "en"

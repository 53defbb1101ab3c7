"""What doors read about online events and registrations."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.signing import BadSignature, Signer
from django.db.models import Count, Q
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from vsm.exchange.catalogue.labels import BANDWIDTH_LABELS, language_label
from vsm.exchange.events.models import OnlineEvent, Registration
from vsm.exchange.events.rules import free_places
from vsm.exchange.events.states import HOLDING, EventState, RegistrationState
from vsm.exchange.events.subjects import Subject, subjects
from vsm.exchange.institutions.queries import organisation_ref
from vsm.kit.actors import ANONYMOUS
from vsm.kit.localized import text_in
from vsm.kit.records import not_found
from vsm.kit.resources import Filter, Ref, Resource, Section, Shown, resource, state_filter
from vsm.standards import icalendar_feed

EVENT_STATES = {
    "draft": (_("Draft"), "neutral"), "published": (pgettext_lazy("event", "Announced"), "good"), "cancelled": (pgettext_lazy("event", "Cancelled"), "bad"), "held": (pgettext_lazy("event", "Held"), "neutral"),
}  # fmt: skip
REGISTRATION_STATES = {
    "unconfirmed": (_("To be confirmed by mail"), "warn"), "registered": (_("Registered"), "good"), "waiting": (_("On the waiting list"), "info"),
    "offered": (_("A place is offered"), "warn"), "cancelled": (pgettext_lazy("registration", "Cancelled"), "neutral"), "expired": (_("Not answered in time"), "neutral"),
}  # fmt: skip
KIND_LABELS = {
    "webinar": _("Webinar"), "launch": _("Launch of a publication"), "consultation": _("Consultation"), "training": _("Training"), "fair": _("Online fair"),
}  # fmt: skip
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
_signer = Signer(salt="vsm.events.registration")


def event_title(event: Any) -> str:
    return text_in(event.title, get_language() or "en")


def subject_choices() -> list[tuple[str, str]]:
    """What an event may be about, for a form."""
    return [(each.name, each.title) for each in subjects(get_language() or "en").values()]


def subjects_of(event: OnlineEvent) -> list[Subject]:
    """What an event is about and is still there to read, in the reader's language."""
    offered = subjects(get_language() or "en") if event.subjects else {}
    return [offered[name] for name in event.subjects if name in offered]


def events_about(name: str) -> list[OnlineEvent]:
    """Announced and held events about a subject, what is to come first."""
    found = OnlineEvent.objects.visible_to(ANONYMOUS).exclude(state=EventState.CANCELLED).order_by("-starts_at")
    return [event for event in found if name in event.subjects]


def feed_of(events: Iterable[OnlineEvent], *, language: str, base_url: str, title: str) -> bytes:
    """Announced events as one calendar to subscribe to; nobody's address to join is in it."""
    entries, stamped = [], None
    for event in events:
        entries.append(_entry(event, language=language, url=f"{base_url}/online-events/{event.pk}/", joins=False))
        stamped = max(filter(None, (stamped, event.updated_at)))
    return icalendar_feed.write(entries, stamped=stamped or EPOCH, title=title, language=language)


def link_token(registration: Registration) -> str:
    """What a mailed link carries: the registration's id, signed. Whoever holds it acts for whoever registered."""
    return _signer.sign(str(registration.pk))


def registration_of(token: str) -> Registration:
    """The registration of a mailed link; the same NotFound for a forged and for an old one."""
    try:
        pk = _signer.unsign(token)
    except BadSignature as cause:
        raise not_found() from cause
    found: Registration | None = Registration.objects.select_related("event__organisation").filter(pk=pk, is_forgotten=False).first()
    if found is None:
        raise not_found()
    return found


def held(event: OnlineEvent) -> int:
    """How many places are taken or offered."""
    return int(event.registrations.filter(state__in=HOLDING).count())


def places_left(event: OnlineEvent) -> int | None:
    """Free places; None without a limit. Somebody waiting means none are free for newcomers."""
    if event.capacity is not None and event.registrations.filter(state=RegistrationState.WAITING).exists():
        return 0
    return free_places(event.capacity, held(event))


def turn_of(registration: Registration) -> int:
    """How many wait before this one, plus one."""
    ahead = registration.event.registrations.filter(state=RegistrationState.WAITING, confirmed_at__lt=registration.confirmed_at)
    return int(ahead.count()) + 1


def came(event: OnlineEvent) -> tuple[int, int]:
    """How many registered, and how many of them were there: for whoever organises it, who has the list. What everybody may read of it
    is protected (`statistics.attendance`)."""
    there = event.registrations.filter(state=RegistrationState.REGISTERED).aggregate(registered=Count("pk"), attended=Count("pk", filter=Q(attended=True)))
    return int(there["registered"]), int(there["attended"])


def calendar_of(event: OnlineEvent, *, language: str, url: str, joins: bool) -> bytes:
    """The event as iCalendar, in its own zone. The address to join is only for whoever is registered (`joins`)."""
    entry = _entry(event, language=language, url=url, joins=joins)
    return icalendar_feed.write([entry], stamped=event.updated_at, title=text_in(event.title, language), language=language)


def _entry(event: OnlineEvent, *, language: str, url: str, joins: bool) -> icalendar_feed.Event:
    zone = ZoneInfo(event.zone)
    description = "\n".join(filter(None, (text_in(event.description, language), event.join_url if joins else "", event.dial_in if joins else "")))
    return icalendar_feed.Event(
        uid=f"{event.pk}@online-event.openvsm", starts=event.starts_at.astimezone(zone), ends=event.ends_at.astimezone(zone), title=text_in(event.title, language),
        sequence=event.sequence, description=description, url=url, location=event.join_url if joins else "", organiser=event.organisation.contact or "",
        organiser_name=text_in(event.organisation.name, language), language=language, cancelled=event.state == "cancelled",
    )  # fmt: skip


def languages_told(codes: list[str]) -> list[str]:
    return [language_label(code) for code in codes]


def _speakers(event: Any) -> list[str]:
    return [", ".join(filter(None, (each.get("name", ""), each.get("affiliation", "")))) for each in event.speakers]


ONLINE_EVENT = resource(
    Resource(
        "online_event", "online-events", OnlineEvent, _("Online event"), _("Online events"), event_title,
        fields=(
            Shown("title", _("Title"), lambda e: e.title, "localized", listed=True),
            Shown("kind", _("Kind of event"), lambda e: e.kind, listed=True, sort="kind", detail=False, words=KIND_LABELS),
            Shown("starts_at", _("Starts"), lambda e: e.starts_at, "moment", listed=True, sort="starts_at"),
            Shown("ends_at", _("Ends"), lambda e: e.ends_at, "moment", sort="ends_at", detail=False),
            Shown("organisation", _("Organised by"), lambda e: organisation_ref(e.organisation), "ref", listed=True, sort="organisation__schac"),
            Shown("state", _("State"), lambda e: e.state, "state", listed=True, sort="state"),
            Shown("languages", _("Languages"), lambda e: e.languages, "languages", listed=True, detail=False),
            Shown("captions", _("Captions"), lambda e: e.captions, "languages", detail=False),
            Shown("interpretation", _("Interpretation"), lambda e: e.interpretation, "languages", detail=False),
            Shown("access", _("Accessibility"), lambda e: e.access, "long_text", detail=False),
            Shown("bandwidth", _("Connection"), lambda e: e.bandwidth, words=BANDWIDTH_LABELS),
            Shown("speakers", _("Speakers"), _speakers, "list", detail=False),
            Shown("capacity", _("Places"), lambda e: e.capacity, "integer", listed=True, sort="capacity", otherwise=_("no limit")),
            Shown("closes_at", _("Registration until"), lambda e: e.closes_at, "moment"),
            Shown("zone", _("Time zone of the organiser"), lambda e: e.zone, "zone"),
            Shown("about_label", _("About"), lambda e: e.about_label, detail=False),
            Shown("about_url", _("Linked page"), lambda e: e.about_url, detail=False),
            Shown("subjects", _("Brief or report"), lambda e: e.subjects, "list", detail=False),
            Shown("is_recorded", _("It is recorded"), lambda e: e.is_recorded, "bool", detail=False),
            Shown("recording_url", _("Recording"), lambda e: e.recording_url, detail=False),
            Shown("transcript_url", _("Transcript"), lambda e: e.transcript_url, detail=False),
        ),
        filters=(
            state_filter(EVENT_STATES),
            Filter("language", _("Language"), lambda found, value: found.filter(pk__in=[pk for pk, codes in found.values_list("pk", "languages") if value in codes]), choices=lambda _actor: [(code, language_label(code)) for code in ("es", "pt-br", "en", "fr")]),
            Filter("kind", _("Kind of event"), lambda found, value: found.filter(kind=value), choices=lambda _actor: [(kind, str(label)) for kind, label in KIND_LABELS.items()]),
            Filter("from", _("From this day"), lambda found, value: found.filter(ends_at__date__gte=date.fromisoformat(value)), kind="date"),
        ),
        order="-starts_at", related=("organisation",), states=EVENT_STATES, starts=(("organisation", "announce_event"),),
        sections=(Section(_("Registrations"), "registration", lambda e: {"event": e}),),
        empty=_("No online event is announced with these words."),
    )
)  # fmt: skip

REGISTRATION = resource(
    Resource(
        "registration", "registrations", Registration, _("Registration"), _("Registrations"), lambda r: f"{r.name} · {event_title(r.event)}",
        fields=(
            Shown("name", _("Name"), lambda r: r.name, listed=True, sort="name"),
            Shown("email", _("Email"), lambda r: r.email),
            Shown("event", _("Event"), lambda r: Ref("online_event", r.event_id, event_title(r.event)), "ref", listed=True),
            Shown("starts_at", _("Starts"), lambda r: r.event.starts_at, "moment", listed=True, sort="event__starts_at"),
            Shown("state", _("State"), lambda r: r.state, "state", listed=True, sort="state"),
            Shown("turn", _("Turn on the waiting list"), lambda r: turn_of(r) if r.state == "waiting" else None, "integer"),
            Shown("respond_by", _("Answer until"), lambda r: r.respond_by if r.state == "offered" else None, "moment"),
            Shown("needs", _("Needs"), lambda r: r.needs, "long_text"),
            Shown("zone", _("Time zone"), lambda r: r.zone, "zone"),
            Shown("attended", _("Attended"), lambda r: r.attended, "bool", listed=True, sort="attended"),
        ),
        filters=(
            state_filter(REGISTRATION_STATES),
            Filter("attended", _("Attended"), lambda found, value: found.filter(attended=True) if value == "yes" else found.filter(attended=False), choices=lambda _actor: [("yes", gettext("yes")), ("no", gettext("no"))]),
        ),
        order="-event__starts_at", related=("event__organisation",), states=REGISTRATION_STATES,
        empty=_("You have registered for no online event yet."),
    )
)  # fmt: skip

"""Letters about online events: each carries the link by which its reader acts, with or without an account."""

from typing import Any
from uuid import UUID

from django_tasks import task

from vsm.app.letters import write
from vsm.config import settings
from vsm.exchange.events.models import OnlineEvent, Registration
from vsm.exchange.events.queries import calendar_of, link_token, turn_of
from vsm.exchange.events.subjects import subjects
from vsm.exchange.people.models import Person
from vsm.kit.saying import labelled


@task()
def to_confirm(registration_id: str) -> None:
    """The link proves the address. Asked again by somebody who is registered already, it tells how that stands."""
    registration = _found(registration_id)
    _write("registration_to_confirm" if registration.state == "unconfirmed" else "registration_confirmed", registration)


@task()
def confirmed(registration_id: str) -> None:
    _write("registration_confirmed", _found(registration_id))


@task()
def offered(registration_id: str) -> None:
    registration = _found(registration_id)
    if registration.state == "offered":
        _write("registration_offered", registration, respond_by=registration.respond_by)


@task()
def reminder(registration_id: str) -> None:
    registration = _found(registration_id)
    if registration.state == "registered":
        _write("event_reminder", registration)


@task()
def changed(event_id: str) -> None:
    for registration in _all(event_id, "registered", "waiting", "offered"):
        _write("event_changed", registration)


@task()
def cancelled(event_id: str, because: str) -> None:
    for registration in _all(event_id, "registered", "waiting", "offered"):
        _write("event_cancelled", registration, because=because)


@task()
def held(event_id: str) -> None:
    """Thanks, and a question: to whoever was there."""
    for registration in _all(event_id, "registered"):
        if registration.attended:
            _write("event_held", registration)


@task()
def recorded(event_id: str) -> None:
    """Where it can be seen again: to everybody who had a place, also to those who could not come."""
    for registration in _all(event_id, "registered"):
        _write("event_recorded", registration, recording=registration.event.recording_url, transcript=registration.event.transcript_url)


def _write(kind: str, registration: Registration, **facts: Any) -> None:
    event = registration.event
    token = link_token(registration)
    reader = registration.person or _guest(registration)
    attached = ""
    if registration.state == "registered" or kind == "event_cancelled":
        url = f"{settings().base_url}/online-events/{event.pk}/"
        attached = calendar_of(event, language=registration.language, url=url, joins=registration.state == "registered").decode()
    write(
        kind, reader, f"/online-events/mine/{token}/", calendar=attached, organisation_id=None, event=event.title, starts_at=event.starts_at, ends_at=event.ends_at,
        organiser=event.organisation.name, state=registration.state, turn=turn_of(registration) if registration.state == "waiting" else 0, dial_in=event.dial_in,
        about=_about(event, registration.language), **facts,
    )  # fmt: skip


def _about(event: OnlineEvent, language: str) -> list[str]:
    """What the event is about, where it can be read already: a line each."""
    offered = subjects(language) if event.subjects else {}
    return [labelled(offered[name].title, f"{settings().base_url}{offered[name].url}") for name in event.subjects if name in offered and offered[name].url]


def _guest(registration: Registration) -> Person:
    """Somebody without an account, as the letter's reader."""
    guest = Person(email=registration.email, name=registration.name, language=registration.language, zone=registration.zone)
    guest.pk = None
    return guest


def _found(registration_id: str) -> Registration:
    found: Registration = Registration.objects.select_related("event__organisation", "person").get(pk=registration_id)
    return found


def _all(event_id: str, *states: str) -> list[Registration]:
    return list(Registration.objects.filter(event=UUID(event_id), state__in=states, is_forgotten=False).select_related("event__organisation", "person"))

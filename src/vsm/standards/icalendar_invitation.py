"""Invitations that calendars read from a mail (RFC 5546): a weekly event with its exceptions, an update, a cancellation.

A message is about one event: one `UID`. A weekly series is one event with `RRULE`; a week without a meeting is an `EXDATE`;
a meeting at another hour is a component with the `RECURRENCE-ID` of the week's usual hour (RFC 5545 §3.8.4.4, §3.8.5).
`SEQUENCE` rises with every message about the same event, or calendars ignore it. The only attendee named is the reader:
nobody's address is told to the others. No answer is asked for (`RSVP=FALSE`): being enrolled is the answer.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from icalendar import Calendar, vCalAddress
from icalendar import Event as Component

from vsm.kit.errors import Invalid
from vsm.standards.icalendar_feed import (
    PRODUCT,
    Event,
    component_of,
    one_line,
    problems_of,
    rules_of_zone,
    unbroken,
    zones_in,
)


@dataclass(frozen=True)
class Reader:
    """Who is invited: the address that the letter goes to, or calendars do not show it as an invitation."""

    email: str
    name: str


@dataclass(frozen=True)
class Weekly:
    """One event of `weeks` weekly instances from `usual` on; 1 is a single meeting.

    `without` are usual starts at which nothing is held. `moved` pairs a usual start with the meeting held instead (whose
    own `uid` does not matter). All in the zone of `usual`, on which the weekly hour stands.
    """

    usual: Event
    weeks: int = 1
    without: tuple[datetime, ...] = ()
    moved: tuple[tuple[datetime, Event], ...] = ()


def request(plans: Iterable[Weekly], reader: Reader, *, stamped: datetime) -> bytes:
    """Invite to one event, or tell its present state whole. Several events at once are no invitation (RFC 5546 §3.2.2: one
    UID a message); they are published (`METHOD:PUBLISH`), to be taken over at once."""
    plans = list(plans)
    method = "REQUEST" if len(plans) == 1 else "PUBLISH"
    components = [component for plan in plans for component in _components(plan, reader, stamped)]
    return _calendar(method, components, [event for plan in plans for event in _events(plan)])


def update(event: Event, reader: Reader, *, stamped: datetime, instance: datetime | None = None) -> bytes:
    """One meeting has changed, or is cancelled (`event.cancelled`); `instance` is its usual start when it belongs to a series."""
    component = _component(event, reader, stamped)
    if instance is not None:
        component.add("recurrence-id", instance.replace(microsecond=0))
    zone_of = [event] if instance is None else [event, replace(event, starts=instance, ends=instance)]
    return _calendar("CANCEL" if event.cancelled else "REQUEST", [component], zone_of)


def cancellation(plans: Iterable[Weekly], reader: Reader, *, stamped: datetime) -> bytes:
    """The whole event is off for this reader: who no longer takes part, or all meetings cancelled. Several events are
    published as cancelled, as they were published before."""
    gone = [replace(plan.usual, cancelled=True) for plan in plans]
    return _calendar("CANCEL" if len(gone) == 1 else "PUBLISH", [_component(each, reader, stamped) for each in gone], gone)


def _components(plan: Weekly, reader: Reader, stamped: datetime) -> Iterator[Component]:
    usual = _component(plan.usual, reader, stamped)
    if plan.weeks > 1:
        # COUNT and not UNTIL: it counts wall hours, whatever clocks do until the last of them.
        usual.add("rrule", {"freq": "weekly", "count": plan.weeks})
        if plan.without:
            usual.add("exdate", [each.replace(microsecond=0) for each in plan.without])
    yield usual
    for instance, event in plan.moved:
        component = _component(replace(event, uid=plan.usual.uid, sequence=plan.usual.sequence), reader, stamped)
        component.add("recurrence-id", instance.replace(microsecond=0))
        yield component


def _component(event: Event, reader: Reader, stamped: datetime) -> Component:
    component = component_of(event, stamped)
    if "organizer" not in component:
        component.add("organizer", vCalAddress("mailto:noreply@invalid"))  # RFC 5546 wants one; `.invalid` is nobody (RFC 2606)
    attendee = vCalAddress("mailto:" + unbroken(reader.email))
    attendee.params["CN"] = one_line(reader.name).replace('"', "'") or unbroken(reader.email)
    attendee.params["ROLE"] = "REQ-PARTICIPANT"
    attendee.params["PARTSTAT"] = "NEEDS-ACTION"
    attendee.params["RSVP"] = "FALSE"
    component.add("attendee", attendee)
    component.add("transp", "OPAQUE")
    return component


def _events(plan: Weekly) -> Iterator[Event]:
    yield plan.usual
    for instance, event in plan.moved:
        yield event
        yield replace(plan.usual, starts=instance, ends=instance)
    for instance in plan.without:
        yield replace(plan.usual, starts=instance, ends=instance)


def _calendar(method: str, components: Iterable[Component], events: list[Event]) -> bytes:
    Invalid.because(problem for event in events for problem in problems_of(event))
    last = max(event.ends for event in events).astimezone(UTC)
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", method)
    for zone in zones_in(events):
        # A rule repeats beyond the events listed: its zone must know the clock changes until the last week.
        calendar.add_component(rules_of_zone(zone, [*events, replace(events[0], starts=last, ends=last)]))
    for component in components:
        calendar.add_component(component)
    return bytes(calendar.to_ical())

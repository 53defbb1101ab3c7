"""Calendar feeds (RFC 5545): events in, bytes out.

Times are written as local time with a `TZID`, and each zone comes with its own `VTIMEZONE`, because a weekly lesson at
18:00 in Santiago stays at 18:00 there when Chile changes its clocks. The zone rules are ours to write: icalendar 7.3's
`Timezone.from_tzinfo` gives the start of daylight time in the new offset, where §3.6.5 wants the local time before the
change, so readers would change their clocks an hour late.

Nothing in an event can add lines to the feed: control characters are dropped before icalendar escapes the rest.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Timezone, TimezoneDaylight, TimezoneStandard, vCalAddress, vText, vUri
from icalendar import Event as Component

from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

PRODUCT = "-//OpenVSM//Calendar feed//EN"


@dataclass(frozen=True)
class Event:
    """One meeting. `starts` and `ends` are aware, in a `ZoneInfo` (or UTC); `sequence` rises with every change.

    `organiser` is an e-mail address, `organiser_name` is shown for it. `language` is of `title` and `description`.
    """

    uid: str
    starts: datetime
    ends: datetime
    title: str
    sequence: int = 0
    description: str = ""
    url: str = ""
    location: str = ""
    organiser: str = ""
    organiser_name: str = ""
    language: str = ""
    cancelled: bool = False


def write(events: Sequence[Event], *, stamped: datetime, title: str = "", language: str = "") -> bytes:
    """The feed as UTF-8. `stamped` is when this was made (`DTSTAMP`). Raises `Invalid` with every event's problems."""
    Invalid.because(problem for event in events for problem in problems_of(event))
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    if title:
        # X-WR-CALNAME is what calendars show; NAME (RFC 7986 §5.1) is its standard successor.
        calendar.add("name", one_line(title), parameters=_language(language))
        calendar.add("x-wr-calname", one_line(title))
    for zone in zones_in(events):
        calendar.add_component(rules_of_zone(zone, events))
    for event in events:
        calendar.add_component(component_of(event, stamped))
    return bytes(calendar.to_ical())


def problems_of(event: Event) -> Iterator[Reason]:
    for name, moment in (("starts", event.starts), ("ends", event.ends)):
        zone = moment.tzinfo
        if zone is not UTC and not (isinstance(zone, ZoneInfo) and zone.key):
            yield _problem(event, "zone", N_("%(event)s: the time needs a named time zone."), name)
            return
    if event.ends < event.starts:
        yield _problem(event, "ends", N_("%(event)s ends before it starts."), "ends")
    if not one_line(event.uid):
        yield _problem(event, "uid", N_("%(event)s needs an identifier that never changes."), "uid")


def component_of(event: Event, stamped: datetime) -> Component:
    component = Component()
    component.add("uid", one_line(event.uid))
    component.add("sequence", event.sequence)
    component.add("dtstamp", stamped.astimezone(UTC).replace(microsecond=0))
    starts, ends = event.starts.replace(microsecond=0), event.ends.replace(microsecond=0)
    if starts.fold:
        # Of an hour that occurs twice a local time means the first (RFC 5545 §3.3.5); the second can be told in UTC alone.
        starts, ends = starts.astimezone(UTC), ends.astimezone(UTC)
    component.add("dtstart", starts)
    if ends.fold:
        component.add("duration", ends.astimezone(UTC) - starts.astimezone(UTC))
    else:
        component.add("dtend", ends)
    component.add("summary", vText(one_line(event.title)), parameters=_language(event.language))
    component.add("status", "CANCELLED" if event.cancelled else "CONFIRMED")
    if event.description:
        component.add("description", vText(_lines(event.description)), parameters=_language(event.language))
    if event.location:
        component.add("location", vText(one_line(event.location)))
    if event.url:
        component.add("url", vUri(unbroken(event.url)))
    if event.organiser:
        organiser = vCalAddress("mailto:" + unbroken(event.organiser))
        if event.organiser_name:
            organiser.params["CN"] = one_line(event.organiser_name).replace('"', "'")
        component.add("organizer", organiser)
    return component


def zones_in(events: Iterable[Event]) -> list[ZoneInfo]:
    moments = (moment for event in events for moment in (event.starts, event.ends))
    named = {moment.tzinfo.key: moment.tzinfo for moment in moments if isinstance(moment.tzinfo, ZoneInfo)}
    return [named[key] for key in sorted(named)]


def rules_of_zone(zone: ZoneInfo, events: Sequence[Event]) -> Timezone:
    """The rules of `zone` from a year before the first event to a year after the last, one row for each change."""
    first = min(event.starts for event in events).astimezone(UTC).replace(microsecond=0) - timedelta(days=366)
    last = max(event.ends for event in events).astimezone(UTC) + timedelta(days=366)
    timezone = Timezone()
    timezone.add("tzid", zone.key)
    for change in (first, *_changes(zone, first, last)):
        after = change.astimezone(zone)
        before = (change - timedelta(seconds=1)).astimezone(zone)
        offset_before, offset_after = before.utcoffset(), after.utcoffset()
        row = TimezoneDaylight() if after.dst() else TimezoneStandard()
        # §3.6.5: the onset is told in the local time that was running until then.
        row.add("dtstart", (change + (offset_before or timedelta())).replace(tzinfo=None, microsecond=0))
        row.add("tzoffsetfrom", offset_before)
        row.add("tzoffsetto", offset_after)
        row.add("tzname", after.tzname() or zone.key)
        timezone.add_component(row)
    return timezone


def _changes(zone: ZoneInfo, first: datetime, last: datetime) -> Iterator[datetime]:
    """The instants (UTC) at which the offset of `zone` changes, to the second."""
    day = first
    while day < last:
        following = day + timedelta(days=1)
        if _offset(zone, day) != _offset(zone, following):
            yield _change(zone, day, following)
        day = following


def _change(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=int((after - before).total_seconds()) // 2)
        if _offset(zone, middle) == _offset(zone, before):
            before = middle
        else:
            after = middle
    return after


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()


def _language(code: str) -> dict[str, str]:
    return {"LANGUAGE": code} if code else {}


def _lines(text: str) -> str:
    """Text that may have line breaks; icalendar writes them as the two characters backslash and n."""
    return re.sub(r"[\x00-\x09\x0b-\x1f\x7f\x85\u2028\u2029]", " ", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    return " ".join(_lines(text).split())


def unbroken(text: str) -> str:
    """A URL or address: it has no spaces and no control characters, so they are no part of it."""
    return re.sub(r"[\s\x00-\x1f\x7f\"<>]", "", text)


def _problem(event: Event, code: str, text: str, field: str) -> Reason:
    return Reason(code, text, {"event": event.title or event.uid}, field)

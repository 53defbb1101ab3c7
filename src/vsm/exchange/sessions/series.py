"""Meetings of anything that is no course: made for an owner, with participants, moved and cancelled."""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel

from vsm.exchange.catalogue.queries import bandwidth_choices
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Person, zones
from vsm.exchange.sessions.models import Participant, Series, Session
from vsm.exchange.sessions.planning import fit
from vsm.exchange.sessions.queries import material_rows, meeting_rows, part_choices, people_known_to
from vsm.exchange.sessions.rules import Occurrence, clock_note, resolve
from vsm.exchange.sessions.states import SERIES_STEPS, SESSION_STEPS, SessionState
from vsm.exchange.sessions.zones import present_name, why_no_zone
from vsm.kit.actions import Ask, action, note
from vsm.kit.actors import Actor
from vsm.kit.errors import Invalid
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

OFFICES = ("coordinator@id", "instructor@id")
LEADS = ("self@lead_ids", "coordinator@organisation")
LEADERS = (
    "instructor@offering.opportunity.organisation", "coordinator@offering.opportunity.organisation",
    "self@series.lead_ids", "coordinator@series.organisation",
)  # fmt: skip
MOST_MEETINGS = 400
LONGEST = timedelta(days=3 * 366)


class MeetingTime(BaseModel):
    """One meeting on the wall of the series' zone."""

    day: Annotated[date, Ask(_("Day"))]
    starts: Annotated[time, Ask(_("Starts"))]
    minutes: Annotated[int, Ask(_("Minutes"))] = 60
    label: Annotated[str, Ask(_("Title (optional)"), limit=200)] = ""


class ParticipantRow(BaseModel):
    """Who takes part: an e-mail address or an identifier, and as what."""

    person: Annotated[str, Ask(_("E-mail address"), limit=254)]
    part: Annotated[Literal["lead", "member"], Ask(_("Takes part as"), choices=part_choices)] = "member"


class MaterialRow(BaseModel):
    """A file or page to read before a meeting, and how heavy it is."""

    title: Annotated[str, Ask(_("Title"), limit=200)]
    url: Annotated[str, Ask(_("Address"), limit=500)]
    kilobytes: Annotated[int | None, Ask(_("Size in kB"))] = None


def lead(person: Person) -> ParticipantRow:
    """Who may move, cancel and complete the meetings."""
    return ParticipantRow(person=str(person.pk), part="lead")


def member(person: Person) -> ParticipantRow:
    """Who attends."""
    return ParticipantRow(person=str(person.pk))


def each_week(
    starts_on: date, ends_on: date, *, weekday: int, starts: time, minutes: int = 60, without: Collection[date] = (), label: str = ""
) -> list[MeetingTime]:
    """The same hour of every week from the first to the last day (both included); Monday is 0."""
    first = starts_on + timedelta(days=(weekday - starts_on.weekday()) % 7)
    days = (first + timedelta(weeks=week) for week in range(max(0, (ends_on - first).days // 7 + 1)))
    return [MeetingTime(day=day, starts=starts, minutes=minutes, label=label) for day in days if day not in without]


def _whoever_plans(_organisation: Any, actor: Actor) -> list[ParticipantRow]:
    """Whoever plans them leads them, unless they say otherwise: who takes no part does not see them afterwards."""
    found = Person.objects.filter(pk=actor.person_id).first()
    return [ParticipantRow(person=found.email, part="lead")] if found else []


@action("make_series", on=Organisation, label=_("Plan meetings"), allow=OFFICES)
def make_series(
    organisation: Organisation, *, by: Actor, now: datetime,
    title: Annotated[dict[str, str], Ask(_("Title"), kind="localized")],
    zone: Annotated[str, Ask(_("Time zone of the meetings"), _("For example America/Lima: the times below stand on this wall."), start=lambda o, _a: o.zone, limit=64)],
    meetings: Annotated[list[MeetingTime], Ask(_("Meetings"))],
    people: Annotated[list[ParticipantRow], Ask(_("Who takes part"), start=_whoever_plans)],
    join_url: Annotated[str, Ask(_("Link to join"), limit=200)] = "",
    dial_in: Annotated[str, Ask(_("Number to call"), _("So that a weak connection is no obstacle."), limit=120)] = "",
    bandwidth: Annotated[Literal["text", "audio", "video"], Ask(_("What a participant's connection must carry"), choices=bandwidth_choices)] = "audio",
    starts_on: Annotated[date | None, Ask(_("First day (optional)"))] = None,
    ends_on: Annotated[date | None, Ask(_("Last day (optional)"))] = None,
    owner_noun: Annotated[str, Ask(_("Belongs to (noun)"), kind="hidden", limit=32)] = "",
    owner_id: Annotated[UUID | None, Ask(_("Belongs to (identifier)"), kind="hidden")] = None,
    because: str = "",
) -> Series:  # fmt: skip
    """Make meetings for whoever takes part, on the wall of one zone. Each gets one invitation that calendars read.

    All problems are told at once: a zone that does not exist, an hour that the clock skips, meetings that overlap, days
    outside the first and the last, people who are not known here.
    """
    days = [row.day for row in meetings]
    first, last = starts_on or min(days, default=now.date()), ends_on or max(days, default=now.date())
    persons, strangers = _persons(people, by)
    zone = present_name(zone.strip())
    Invalid.because([*_why_not_series(title, zone, meetings, first, last), *_why_not_address(join_url, "join_url"), *strangers])
    series = Series(
        organisation=organisation, owner_noun=owner_noun, owner_id=owner_id, title={code: text.strip() for code, text in title.items() if text.strip()},
        zone=zone, starts_on=first, ends_on=last, bandwidth=bandwidth, join_url=join_url, dial_in=dial_in.strip(),
    )  # fmt: skip
    series.save()
    fit(series, _occurrences(meetings, zone), by=by, now=now, one_by_one=False)
    _join(series, persons, now=now)
    return series


@action("describe", on=Series, label=_("Edit"), allow=LEADS, step=SERIES_STEPS["describe"])
def describe_series(
    series: Series, *, by: Actor, now: datetime,
    title: Annotated[dict[str, str], Ask(_("Title"), kind="localized")],
    join_url: Annotated[str, Ask(_("Link to join"), limit=200)] = "",
    dial_in: Annotated[str, Ask(_("Number to call"), _("So that a weak connection is no obstacle."), limit=120)] = "",
    bandwidth: Annotated[Literal["text", "audio", "video"], Ask(_("What a participant's connection must carry"), choices=bandwidth_choices)] = "audio",
    because: str = "",
) -> Series:  # fmt: skip
    """Change what is told about all its meetings."""
    Invalid.because([*_why_not_title(title), *_why_not_address(join_url, "join_url")])
    series.title = {code: text.strip() for code, text in title.items() if text.strip()}
    series.join_url, series.dial_in, series.bandwidth = join_url, dial_in.strip(), bandwidth
    series.save()
    return series


@action("add_participants", on=Series, label=_("Add participants"), allow=LEADS, step=SERIES_STEPS["add_participants"])
def add_participants(
    series: Series, *, by: Actor, now: datetime,
    people: Annotated[list[ParticipantRow], Ask(_("Who takes part"))],
    because: str = "",
) -> Series:  # fmt: skip
    """Let people take part from now on, or again. Each gets the invitation; who is in already stays, as what is told now."""
    persons, strangers = _persons(people, by, series)
    Invalid.because(strangers)
    joined = _join(series, persons, now=now)
    note(series, "add_participants", by=by, now=now, because=because, changes={"participants": ["", [person.name for person in joined]]})
    series.save()
    return series


@action("remove_participants", on=Series, label=_("Remove participants"), allow=LEADS, step=SERIES_STEPS["remove_participants"], tone="warning")
def remove_participants(
    series: Series, *, by: Actor, now: datetime,
    people: Annotated[list[str], Ask(_("Who no longer takes part"), choices=lambda s, _a: _taking_part(s))],
    because: str = "",
) -> Series:  # fmt: skip
    """Let people go: their calendars are told. What they attended stays on record."""
    wanted = set(map(str, people))
    found = [each for each in series.participants.filter(left_at=None).select_related("person") if str(each.person_id) in wanted]
    for each in found:
        each.left_at = now
        each.save()
        emit("series.left", series_id=str(series.pk), person_id=str(each.person_id))
    note(series, "remove_participants", by=by, now=now, because=because, changes={"participants": [[each.person.name for each in found], ""]})
    series.save()
    return series


@action("replan", on=Series, label=_("Plan anew"), allow=LEADS, step=SERIES_STEPS["replan"])
def replan(
    series: Series, *, by: Actor, now: datetime,
    meetings: Annotated[list[MeetingTime], Ask(_("Meetings"), start=lambda s, _a: [MeetingTime(**row) for row in meeting_rows(s)])],
    zone: Annotated[str, Ask(_("Time zone of the meetings"), limit=64)] = "",
    because: Annotated[str, Ask(_("Why? (participants read this)"), kind="long_text", limit=2000)] = "",
) -> Series:  # fmt: skip
    """Change the coming meetings. What was held stays; each meeting keeps its number; everybody is told once."""
    zone = present_name(zone.strip() or series.zone)
    days = [row.day for row in meetings]
    first, last = min([series.starts_on, *days]), max(days, default=series.ends_on)
    Invalid.because(_why_not_series(series.title, zone, meetings, first, last))
    series.zone, series.starts_on, series.ends_on = zone, first, max(last, first)
    series.save()
    changed = fit(series, _occurrences(meetings, zone), by=by, now=now, one_by_one=False)
    if changed.new or changed.moved or changed.dropped:
        emit("series.changed", series_id=str(series.pk))
    return series


@action("cancel_series", on=Series, label=_("Cancel all meetings"), allow=LEADS, step=SERIES_STEPS["cancel_series"], tone="warning")
def cancel_series(
    series: Series, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("Why? (participants read this)"), kind="long_text", limit=2000)],
) -> Series:  # fmt: skip
    """No coming meeting takes place. They stay in the calendars, marked as cancelled; everybody is told once."""
    _call_off(_coming(series, now), by=by, now=now, because=because)
    emit("series.changed", series_id=str(series.pk))
    return series


@action("keep_within", on=Series, label=_("Keep to these days"), allow=(), step=SERIES_STEPS["keep_within"])
def keep_within(series: Series, *, by: Actor, now: datetime, first: date, last: date) -> Series:
    """What the meetings belong to has other days now: coming meetings outside them take no place; everybody is told once."""
    outside = [each for each in _coming(series, now) if not first <= each.wall.date() <= last]
    if outside:
        _call_off(outside, by=by, now=now)
        emit("series.changed", series_id=str(series.pk))
    return series


@action("prepare", on=Session, label=_("Prepare"), allow=LEADERS, step=SESSION_STEPS["prepare"])
def prepare(
    session: Session, *, by: Actor, now: datetime,
    agenda: Annotated[str, Ask(_("Agenda"), _("Plain text: it can be read on any connection, also offline."), kind="long_text", limit=8000)] = "",
    materials: Annotated[list[MaterialRow], Ask(_("To read"), _("With the size, so that nobody pays for a surprise."), start=lambda s, _a: [MaterialRow(**row) for row in material_rows(s)])] = [],  # noqa: B006 -- never changed; pydantic copies it
    join_url: Annotated[str, Ask(_("Link to join, when it differs"), limit=200)] = "",
    dial_in: Annotated[str, Ask(_("Number to call, when it differs"), limit=120)] = "",
    because: str = "",
) -> Session:  # fmt: skip
    """Write the agenda and what to read, for those who cannot see a video too. Calendars take it with the next change."""
    Invalid.because([*_why_not_address(join_url, "join_url"), *(reason for row in materials for reason in _why_not_address(row.url, "materials"))])
    session.agenda, session.materials = agenda.strip(), [row.model_dump() for row in materials]
    session.join_url, session.dial_in = join_url, dial_in.strip()
    session.save()
    return session


def _coming(series: Series, now: datetime) -> list[Session]:
    return list(series.sessions.filter(ends_at__gt=now, state=SessionState.SCHEDULED))


def _call_off(sessions: Sequence[Session], *, by: Actor, now: datetime, because: str = "") -> None:
    """They stay in the calendars, marked as cancelled."""
    for session in sessions:
        session.state, session.sequence = SessionState.CANCELLED, session.sequence + 1
        note(session, "cancel", by=by, now=now, because=because, changes={"state": ["scheduled", "cancelled"]})
        session.save()


def _occurrences(meetings: Sequence[MeetingTime], zone: str) -> list[Occurrence]:
    found = []
    for row in meetings:
        wall = datetime.combine(row.day, row.starts.replace(second=0, microsecond=0, tzinfo=None))
        at = resolve(wall, zone)
        found.append(Occurrence(at.instant, at.instant + timedelta(minutes=row.minutes), wall, row.label.strip(), at.clock))
    return sorted(found)


def _why_not_series(title: dict[str, str], zone: str, meetings: Sequence[MeetingTime], first: date, last: date) -> Iterator[Reason]:
    yield from _why_not_title(title)
    if not meetings:
        yield Reason("no-meetings", N_("There is no meeting yet. Add at least one."), {}, "meetings")
    if len(meetings) > MOST_MEETINGS:
        yield Reason("too-many-meetings", N_("%(count)s meetings are too many (at most %(most)s)."), {"count": len(meetings), "most": MOST_MEETINGS}, "meetings")
    if last < first or last - first > LONGEST:
        yield Reason("span", N_("The last day is before the first, or more than three years after it."), {}, "ends_on")
    for row in meetings:
        if not first <= row.day <= last:
            text = N_("%(day)s lies outside the series, which runs from %(first)s to %(last)s.")
            yield Reason("outside-series", text, {"day": row.day, "first": first, "last": last}, "meetings")
        if not 5 <= row.minutes <= 720:
            yield Reason("length", N_("%(day)s: a meeting lasts between 5 minutes and 12 hours."), {"day": row.day}, "meetings")
    wrong = why_no_zone(zone, zones())
    if wrong:
        yield wrong
        return
    yield from _why_not_hours(_occurrences(meetings, zone), zone)


def _why_not_hours(found: Sequence[Occurrence], zone: str) -> Iterator[Reason]:
    """Hours that the clock skips, and meetings that overlap. An hour that occurs twice is no obstacle: the first is meant."""
    for each in found:
        told = clock_note(each.wall, zone)
        if told and told.code == "hour-skipped":
            text = N_("%(day)s: %(planned)s does not exist in %(zone)s, the clock skips it. Choose another hour.")
            yield Reason("no-such-hour", text, told.params, "meetings")
    for one, other in pairwise(found):
        if other.starts_at < one.ends_at:
            text = N_("Two meetings overlap: on %(day)s at %(at)s and on %(other_day)s at %(other_at)s.")
            facts = {"day": one.wall.date(), "at": f"{one.wall:%H:%M}", "other_day": other.wall.date(), "other_at": f"{other.wall:%H:%M}"}
            yield Reason("overlap", text, facts, "meetings")


def _why_not_title(title: dict[str, str]) -> Iterator[Reason]:
    if not any(text.strip() for text in title.values()):
        yield Reason("title", N_("Give it a title in at least one language."), {}, "title")


def _why_not_address(url: str, field: str) -> Iterator[Reason]:
    parts = urlsplit(url) if url.isprintable() else urlsplit("")
    if url and (parts.scheme not in {"http", "https"} or not parts.netloc):
        yield Reason("address", N_("“%(url)s” is no web address. It begins with https://."), {"url": url[:80]}, field)


def _persons(people: Sequence[ParticipantRow], by: Actor, series: Series | None = None) -> tuple[list[tuple[Person, str]], list[Reason]]:
    """Who is meant, and a reason for each who is not known to the one who asks."""
    known: Any = Person.objects.filter(is_active=True) if by.is_system else people_known_to(by, series)
    asked = {row.person.strip().lower(): row.part for row in people if row.person.strip()}
    ids = [UUID(each) for each in asked if _is_id(each)]
    found = {}
    for person in known.filter(Q(email__in=asked) | Q(pk__in=ids)):
        found[person.email.lower()] = found[str(person.pk)] = person
    text = N_("“%(person)s” is not known to you here. Use the address with which they sign in.")
    strangers = [Reason("stranger", text, {"person": each}, "people") for each in asked if each not in found]
    return [(found[each], part) for each, part in asked.items() if each in found], strangers


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _join(series: Series, persons: Sequence[tuple[Person, str]], *, now: datetime) -> list[Person]:
    """Enter them; returns those who are new here or come back."""
    held = {each.person_id: each for each in series.participants.all()}
    joined = []
    for person, part in persons:
        each = held.get(person.pk)
        is_in = each is not None and each.left_at is None
        Participant.objects.update_or_create(series=series, person=person, defaults={"part": part, "left_at": None, **({} if each else {"joined_at": now})})
        if not is_in:
            joined.append(person)
            emit("series.joined", series_id=str(series.pk), person_id=str(person.pk))
    series.__dict__.pop("lead_ids", None)
    return joined


def _taking_part(series: Series) -> list[tuple[str, str]]:
    found = series.participants.filter(left_at=None).select_related("person").order_by("person__name")
    return [(str(each.person_id), each.person.name) for each in found]

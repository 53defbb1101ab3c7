"""What doors and higher slices read about enrolments, live meetings and attendance."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Q, QuerySet
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from vsm.exchange.catalogue.models import Offering
from vsm.exchange.catalogue.queries import course_filter
from vsm.exchange.institutions.queries import organisation_ref
from vsm.exchange.people.models import Person
from vsm.exchange.people.queries import person_ref
from vsm.exchange.sessions.models import Attendance, Availability, DayOff, Enrolment, Participant, Series, Session
from vsm.exchange.sessions.rules import WEEKDAYS, Deadlines, Mark, Part, Weekly, attendance_share, clock_note, deadlines
from vsm.exchange.sessions.states import SessionState, State
from vsm.exchange.sessions.zones import place
from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.resources import Filter, Ref, Resource, Section, Shown, resource, state_filter
from vsm.kit.saying import labelled, say, say_reason, wall_span
from vsm.kit.verdict import Reason
from vsm.standards.icalendar_feed import Event

WITH_HOLDER = ("offering__opportunity__organisation", "series__organisation")
ATTENDING = (State.ENROLLED, State.COMPLETED)
MARK_LABELS = {
    Mark.PRESENT: _("Present"),
    Mark.LATE: _("Late"),
    Mark.ABSENT: _("Absent"),
    Mark.EXCUSED: _("Excused"),
}


@dataclass(frozen=True)
class Line:
    """One student of a roster. `zone` is where they live; `needs` what they asked for; `share` 0 to 1 or None."""

    enrolment: Enrolment
    zone: str
    needs: str
    share: Fraction | None
    marks: Counter[str]


@dataclass(frozen=True)
class Roster:
    """Who takes part in an offering, and how many live in which zone (most first)."""

    offering: Offering
    lines: Sequence[Line]
    zones: Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Feed:
    """Calendar events and the moment of their last change, so that an unchanged feed has unchanged bytes."""

    events: list[Event]
    changed_at: datetime


def sessions_of(person_id: UUID) -> QuerySet[Session]:
    """Every meeting, also cancelled ones, of the courses that the person attends or teaches and of the series that the
    person takes part in, in order of time."""
    attended = Enrolment.objects.filter(student_id=person_id, state__in=ATTENDING).values("offering_id")
    taught = Offering.objects.filter(instructors=person_id).values("pk")
    joined = Participant.objects.of(person_id).values("series_id")
    found = Session.objects.filter(Q(offering_id__in=attended) | Q(offering_id__in=taught) | Q(series_id__in=joined))
    return found.select_related(*WITH_HOLDER).order_by("starts_at", "offering__code", "number")


def own_time_of(person_id: UUID, today: date) -> QuerySet[Enrolment]:
    """Courses that the person attends now in their own time: no meeting tells of them."""
    running = Enrolment.objects.filter(student_id=person_id, state=State.ENROLLED, offering__mode="asynchronous", offering__ends_on__gte=today)
    return running.select_related("offering__opportunity").order_by("offering__ends_on", "pk")


def events_of(source: Person | Iterable[Offering], *, language: str = "") -> list[Event]:
    """Calendar events of a person's own courses, or (public: without the links to join) of some offerings."""
    return feed_of(source, language=language).events


def feed_of(source: Person | Iterable[Offering], *, language: str = "") -> Feed:
    """Events with the moment of their last change. The identifier of an event is its session's own."""
    if isinstance(source, Person):
        found, is_public = sessions_of(source.pk), False
    else:
        found, is_public = Session.objects.filter(offering__in=list(source)), True
    sessions = list(found.select_related(*WITH_HOLDER).order_by("starts_at", "number"))
    changed_at = max((session.updated_at for session in sessions), default=datetime(2020, 1, 1, tzinfo=UTC))
    return Feed([event_of(session, language, is_public=is_public) for session in sessions], changed_at)


def weekly_of(offering: Offering) -> list[Weekly]:
    """The offering's weekly meetings as the rules take them."""
    return [Weekly(m.weekday, m.starts, m.ends, m.label) for m in offering.meetings.all()]


def days_off(offering: Offering) -> list[date]:
    return list(DayOff.objects.filter(offering=offering).values_list("on", flat=True))


def deadlines_of(enrolment: Enrolment) -> Deadlines:
    """Until when the student can drop and withdraw, by the host's wall."""
    offering = enrolment.offering
    return deadlines(offering.drop_by, offering.withdraw_by, offering.starts_on, offering.ends_on, offering.zone)


def offerings_taught(actor: Actor) -> QuerySet[Any]:
    """Offerings that the actor teaches, with how many take part and how many meetings there are."""
    found: QuerySet[Any] = (
        Offering.objects.visible_to(actor)
        .filter(instructors=actor.person_id)
        .select_related("opportunity__organisation")
        .annotate(
            students=Count("enrolments", filter=Q(enrolments__state__in=ATTENDING), distinct=True),
            meetings_held=Count("sessions", filter=Q(sessions__state=SessionState.SCHEDULED), distinct=True),
            last_meeting=Max("sessions__ends_at"),
        )
        .order_by("-starts_on", "code")
    )
    return found


def offering_for_teacher(actor: Actor, pk: UUID) -> Offering:
    """The offering, for its instructors and the host's office; the same NotFound for everybody else."""
    office = actor.organisations("coordinator", "registrar")
    mine = Q(instructors=actor.person_id) | Q(opportunity__organisation_id__in=office)
    found = Offering.objects.select_related("opportunity__organisation")
    offering: Offering = (found if actor.is_operator else found.filter(mine).distinct()).seen_by(actor, pk)
    return offering


def roster_of(offering: Offering) -> Roster:
    """Everybody who attends, by name. Needs are those told in the application, which the host is meant to read."""
    marks: dict[UUID, list[str]] = defaultdict(list)
    for enrolment_id, status in Attendance.objects.filter(session__offering=offering).values_list("enrolment_id", "status"):
        marks[enrolment_id].append(status)
    found = Enrolment.objects.filter(offering=offering, state__in=ATTENDING).select_related("student", "home", "seat__application")
    lines = [
        Line(
            enrolment, enrolment.student.zone, enrolment.seat.application.needs if enrolment.seat else "",
            attendance_share(marks[enrolment.pk]), Counter(marks[enrolment.pk]),
        )
        for enrolment in found.order_by("student__name", "pk")
    ]  # fmt: skip
    zones = Counter(line.zone for line in lines)
    return Roster(offering, lines, sorted(zones.items(), key=lambda pair: (-pair[1], pair[0])))


def attendance_of(enrolment: Enrolment) -> Fraction | None:
    """The share of counting meetings that this student attended."""
    return attendance_share(Attendance.objects.filter(enrolment=enrolment).values_list("status", flat=True))


def attending_at(session: Session) -> list[tuple[Enrolment | Participant, str]]:
    """Who is expected at a meeting, by name, with the mark already given (or ""): those who attend, and those who left
    only after it."""
    if session.series_id:
        members = Participant.objects.filter(series_id=session.series_id).filter(Q(left_at=None) | Q(left_at__gt=session.starts_at))
        noted = dict(Attendance.objects.filter(session=session).values_list("participant_id", "status"))
        return [(each, noted.get(each.pk, "")) for each in members.select_related("person").order_by("person__name", "pk")]
    found = Enrolment.objects.filter(offering=session.course).exclude(state=State.DROPPED)
    found = found.filter(Q(left_at=None) | Q(left_at__gt=session.starts_at)).select_related("student", "home")
    given = dict(Attendance.objects.filter(session=session).values_list("enrolment_id", "status"))
    return [(each, given.get(each.pk, "")) for each in found.order_by("student__name", "pk")]


def is_leading(session: Session, actor: Actor) -> bool:
    """Whether the actor may act for this meeting: who teaches the course, or leads the series, and the office."""
    if session.series is None:
        return is_teaching(session.course, actor)
    return actor.is_system or actor.holds("coordinator", session.series.organisation_id) or actor.person_id in session.series.lead_ids


def is_teaching(offering: Offering, actor: Actor) -> bool:
    """Whether the actor may act for this offering: its instructors, and the host's coordinators."""
    if actor.is_system or actor.holds("coordinator", offering.opportunity.organisation_id):
        return True
    return offering.instructors.filter(pk=actor.person_id).exists()


def course_title(offering: Any) -> str:
    return text_in(offering.opportunity.title, get_language() or "en")


def offering_ref(offering: Any) -> Ref:
    return Ref("offering", offering.pk, f"{offering.opportunity.code} {course_title(offering)}")


def holder_title(session: Any) -> str:
    """The course's title or the series'."""
    if session.series is not None:
        return text_in(session.series.title, get_language() or "en")
    return course_title(session.offering)


def holder_ref(session: Any) -> Ref:
    return Ref("series", session.series_id, holder_title(session)) if session.series is not None else offering_ref(session.offering)


def session_title(session: Any) -> str:
    return f"{holder_title(session)} · {session.number}"


def host_time(session: Any) -> str:
    """The meeting on the host's wall, the zone named."""
    there = place(session.zone)
    return f"{wall_span(session.starts_at, session.ends_at, there)} ({session.zone})"


def note_of(session: Any) -> Reason | None:
    """What the clock does to this meeting, if anything."""
    return clock_note(session.wall, session.zone)


def join_address(session: Any) -> str:
    return str(session.join_url or session.holder.join_url)


def dial_in_of(session: Any) -> str:
    return str(session.dial_in or session.holder.dial_in)


def event_of(session: Session, language: str, *, is_public: bool = False) -> Event:
    """One meeting as a calendar takes it. In public: without the links and numbers to join."""
    there = place(session.zone)
    series, language = session.series, language or "en"
    organisation = series.organisation if series else session.course.opportunity.organisation
    title = text_in(series.title if series else session.course.opportunity.title, language)
    dial_in = "" if is_public else dial_in_of(session)
    code = "" if series else opportunity_code(session.course)
    return Event(
        uid=str(session.pk), starts=session.starts_at.astimezone(there), ends=session.ends_at.astimezone(there),
        title=f"{title} · {session.title}" if session.title else title, sequence=session.sequence,
        description="\n".join(filter(None, [text_in(organisation.name, language), code, dial_in, "" if is_public else session.agenda])),
        url="" if is_public else join_address(session), organiser=organisation.contact,
        organiser_name=text_in(organisation.name, language) if organisation.contact else "",
        cancelled=session.state == SessionState.CANCELLED,
    )  # fmt: skip


def opportunity_code(offering: Any) -> str:
    return f"{offering.opportunity.code} / {offering.code}"


def _note_text(session: Any) -> str:
    note = note_of(session)
    return say_reason(note) if note else ""


def _percent(share: Fraction | None) -> str:
    return "" if share is None else f"{round(share * 100)} %"


ENROLMENT_STATES = {
    "enrolled": (_("Taking part"), "good"),
    "dropped": (_("Dropped"), "neutral"),
    "withdrawn": (_("Withdrawn (W)"), "warn"),
    "completed": (pgettext_lazy("enrolment", "Completed"), "info"),
}

ENROLMENT = resource(
    Resource(
        "enrolment", "enrolments", Enrolment, _("Enrolment"), _("Enrolments"),
        lambda e: f"{e.student.name} · {course_title(e.offering)}",
        fields=(
            Shown("student", _("Student"), lambda e: person_ref(e.student), "ref", listed=True, sort="student__folded"),
            Shown("offering", _("Course"), lambda e: offering_ref(e.offering), "ref", listed=True, sort="offering__opportunity__code"),
            Shown("home", _("Home institution"), lambda e: organisation_ref(e.home), "ref", listed=True, sort="home__schac"),
            Shown("host", _("Host institution"), lambda e: organisation_ref(e.offering.opportunity.organisation), "ref", listed=True),
            Shown("state", _("State"), lambda e: e.state, "state", listed=True, sort="state"),
            Shown("enrolled_at", _("Enrolled"), lambda e: e.enrolled_at, "moment", listed=True, sort="enrolled_at"),
            Shown("left_at", _("Left"), lambda e: e.left_at, "moment"),
            Shown("drop_until", _("Can be dropped before"), lambda e: deadlines_of(e).drop_until, "moment"),
            Shown("withdraw_until", _("Withdrawal possible before"), lambda e: deadlines_of(e).withdraw_until, "moment"),
            Shown("attendance", _("Attendance"), lambda e: _percent(attendance_share(a.status for a in e.attendance.all()))),
        ),
        filters=(
            state_filter(ENROLMENT_STATES),
            course_filter(),
        ),
        order="-enrolled_at", related=("student", "home", "offering__opportunity__organisation"), prefetch=("attendance",),
        states=ENROLMENT_STATES, sections=(Section(_("Meetings"), "session", lambda e: {"offering": e.offering}),),
        empty=_("A student is enrolled by itself when all three have signed the learning agreement."),
    )
)  # fmt: skip

SESSION_STATES = {"scheduled": (_("Scheduled"), "good"), "cancelled": (pgettext_lazy("session", "Cancelled"), "bad")}

SESSION = resource(
    Resource(
        "session", "sessions", Session, _("Meeting"), _("Meetings"), session_title,
        fields=(
            Shown("starts_at", _("Starts"), lambda s: s.starts_at, "moment", listed=True, sort="starts_at"),
            Shown("ends_at", _("Ends"), lambda s: s.ends_at, "moment", sort="ends_at"),
            Shown("offering", _("Course or series"), holder_ref, "ref", listed=True, sort="offering__opportunity__code"),
            Shown("number", _("Number"), lambda s: s.number, "integer", listed=True, sort="number"),
            Shown("title", _("Title"), lambda s: s.title),
            Shown("host_time", _("On its own clock"), host_time, listed=True),
            Shown("state", _("State"), lambda s: s.state, "state", listed=True, sort="state"),
            Shown("clock_note", _("Because the clocks change"), _note_text),
            Shown("join_url", _("Link to join"), join_address),
            Shown("dial_in", _("By telephone"), dial_in_of),
            Shown("agenda", _("Agenda"), lambda s: s.agenda, "long_text", detail=False),
            Shown("materials", _("To read"), lambda s: [material_text(row) for row in s.materials], "list", detail=False),
            Shown("sequence", _("Changes told to calendars"), lambda s: s.sequence, "integer"),
        ),
        filters=(
            state_filter(SESSION_STATES),
            Filter("from", _("From"), lambda found, value: _since(found, value), kind="date"),
            course_filter(),
            Filter("series", _("Series (identifier)"), lambda found, value: _narrow(found, "series_id", value), kind="identifier"),
        ),
        order="starts_at", related=WITH_HOLDER, prefetch=("series__participants",), states=SESSION_STATES,
        empty=_("The meetings of your courses stand here once they are scheduled."),
    )
)  # fmt: skip


SERIES_STATES = {"planned": (_("Planned"), "good"), "cancelled": (pgettext_lazy("series", "Cancelled"), "bad")}
BANDWIDTHS_TOLD = {"text": _("text only"), "audio": _("audio"), "video": _("video")}

SERIES = resource(
    Resource(
        "series", "series", Series, _("Series of meetings"), _("Series of meetings"), lambda s: text_in(s.title, get_language() or "en"),
        fields=(
            Shown("title", _("Title"), lambda s: s.title, "localized", listed=True),
            Shown("starts_on", _("First day"), lambda s: s.starts_on, "date", listed=True, sort="starts_on"),
            Shown("ends_on", _("Last day"), lambda s: s.ends_on, "date", listed=True, sort="ends_on"),
            Shown("zone", _("Time zone"), lambda s: s.zone, "zone", listed=True),
            Shown("organisation", _("Organisation"), lambda s: organisation_ref(s.organisation), "ref", listed=True),
            Shown("bandwidth", _("Connection needed"), lambda s: s.bandwidth, words=BANDWIDTHS_TOLD),
            Shown("join_url", _("Link to join"), lambda s: s.join_url),
            Shown("dial_in", _("By telephone"), lambda s: s.dial_in),
            Shown("participants", _("Participants"), lambda s: [each.person.name for each in _leads_first(s.participants.all())], "list"),
            Shown("state", _("State"), lambda s: s.state, "state", listed=True, sort="state"),
            Shown("owner_noun", _("Belongs to (noun)"), lambda s: s.owner_noun, detail=False),
            Shown("owner_id", _("Belongs to (identifier)"), lambda s: str(s.owner_id or ""), detail=False),
        ),
        filters=(
            state_filter(SERIES_STATES),
            Filter("owner", _("Belongs to (identifier)"), lambda found, value: _narrow(found, "owner_id", value), kind="identifier"),
        ),
        order="-starts_on", related=("organisation",), prefetch=("participants__person",), states=SERIES_STATES, starts=(("organisation", "make_series"),),
        sections=(Section(_("Meetings"), "session", lambda s: {"series": s}),),
        empty=_("Meetings of teams, interviews, exchanges and events stand here."),
    )
)  # fmt: skip


def series_of(owner_noun: str, owner_id: UUID) -> QuerySet[Series]:
    """The series that belong to a record, oldest first."""
    return Series.objects.filter(owner_noun=owner_noun, owner_id=owner_id).select_related("organisation").order_by("created_at")


def participants_of(series: Series) -> list[Participant]:
    """Who takes part now: leads first, then by name."""
    return _leads_first(Participant.objects.filter(series=series).select_related("person"))


def _leads_first(participants: Iterable[Participant]) -> list[Participant]:
    present = [each for each in participants if each.left_at is None]
    return sorted(present, key=lambda each: (each.part != Part.LEAD, each.person.name, str(each.person_id)))


def people_known_to(actor: Actor, series: Series | None = None) -> QuerySet[Any]:
    """Whom the actor may invite: who belongs to their offices, who studies or teaches in their courses, who meets with
    them already."""
    taught = Offering.objects.filter(Q(instructors=actor.person_id) | Q(opportunity__organisation_id__in=actor.organisations("coordinator")))
    students = Enrolment.objects.filter(offering__in=taught.values("pk"), state__in=ATTENDING).values("student_id")
    together = Participant.objects.filter(series_id__in=Participant.objects.of(actor.person_id).values("series_id"), left_at=None)
    known = Q(pk=actor.person_id) | Q(pk__in=Person.objects.visible_to(actor).values("pk")) | Q(pk__in=students) | Q(pk__in=together.values("person_id"))
    known |= Q(teaches__in=taught.values("pk"))
    if series is not None:
        known |= Q(pk__in=Participant.objects.filter(series=series).values("person_id"))
    found: QuerySet[Any] = Person.objects.filter(known, is_active=True).distinct()
    return found


def meeting_rows(series: Series) -> list[dict[str, Any]]:
    """The planned meetings as the form of planning anew begins."""
    found = series.sessions.filter(is_planned=True).order_by("planned")
    return [
        {"day": s.wall.date(), "starts": s.wall.time(), "minutes": int((s.ends_at - s.starts_at).total_seconds() // 60), "label": s.title}
        for s in found
    ]  # fmt: skip


def material_rows(session: Session) -> list[dict[str, Any]]:
    return list(session.materials)


def material_text(row: dict[str, Any]) -> str:
    size = f" ({row['kilobytes']} kB)" if row.get("kilobytes") else ""
    return labelled(f"{row['title']}{size}", row["url"])


def part_choices(_record: Any, _actor: Actor) -> list[tuple[str, str]]:
    return [(Part.MEMBER.value, str(_("Member"))), (Part.LEAD.value, str(_("Lead")))]


AVAILABILITY = resource(
    Resource(
        "availability", "availabilities", Availability, _("Hours when you can meet"), _("Hours when you can meet"), lambda a: a.zone,
        fields=(
            Shown("zone", _("Time zone"), lambda a: a.zone, "zone", listed=True),
            Shown("hours", _("Hours when you can meet"), lambda a: hours_told(a.hours), "list"),
            Shown("updated_at", _("Told"), lambda a: a.updated_at, "moment", listed=True, sort="updated_at"),
        ),
        order="-updated_at",
        empty=_("You have not told yet when you can meet."),
    )
)  # fmt: skip


EARLY, LATE = 6, 23


def hour_choices(_person: Any, _actor: Actor) -> list[tuple[str, str]]:
    """The hours of a week that may be asked for: nobody meets before six or after eleven."""
    return [(f"{day}-{hour:02d}", f"{say(name)} {hour:02d}:00") for day, name in enumerate(WEEKDAYS) for hour in range(EARLY, LATE)]


def hours_of(person: Any) -> list[str]:
    """The hours told, as the form takes them; before anything was told, a working week's."""
    told = Availability.objects.filter(person=person).values_list("hours", flat=True).first()
    if told is None:
        return [f"{day}-{hour:02d}" for day in range(5) for hour in range(8, 20)]
    return [f"{day}-{hour:02d}" for day in range(7) for hour in range(EARLY, LATE) if told[day * 24 + hour] == "1"]


def hours_told(hours: str) -> list[str]:
    """`Monday 08:00–12:00, 14:00–18:00`, one line for each day that has an hour."""
    lines = []
    for day, name in enumerate(WEEKDAYS):
        parts, start = [], None
        for hour, can in enumerate((*hours[day * 24 : day * 24 + 24], "0")):
            if can == "1" and start is None:
                start = hour
            elif can != "1" and start is not None:
                parts.append(f"{start:02d}:00–{hour:02d}:00")
                start = None
        if parts:
            lines.append(f"{say(name)} {', '.join(parts)}")
    return lines


def mark_choices(_record: Any, _actor: Actor) -> list[tuple[str, str]]:
    return [(mark.value, str(label)) for mark, label in MARK_LABELS.items()]


def _narrow(found: QuerySet[Any], column: str, value: str) -> QuerySet[Any]:
    try:
        return found.filter(**{column: UUID(value)})
    except ValueError:
        return found.none()


def _since(found: QuerySet[Any], value: str) -> QuerySet[Any]:
    try:
        return found.filter(starts_at__date__gte=date.fromisoformat(value))
    except ValueError:
        return found.none()

"""Fitting the meetings that stand to the meetings that are wanted, and telling what changed: for courses and for series."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from vsm.exchange.catalogue.models import Offering
from vsm.exchange.sessions.models import Series, Session
from vsm.exchange.sessions.rules import WALL, Clock, Occurrence, Planned, clock_note, plan, resolve
from vsm.exchange.sessions.states import SessionState
from vsm.kit.actions import note
from vsm.kit.actors import Actor
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason


@dataclass
class Fitted:
    """How many meetings there were, and how many are new, changed and dropped from the plan."""

    before: int
    new: int = 0
    moved: int = 0
    dropped: int = 0


def fit(holder: Offering | Series, wanted: Sequence[Occurrence], *, by: Actor, now: datetime, one_by_one: bool = True) -> Fitted:
    """Change only what differs. `one_by_one=False` leaves the telling of changes to the caller, who tells them at once."""
    existing = {session.pk: session for session in holder.sessions.all()}
    held = {session.planned for session in existing.values() if session.ends_at <= now}
    coming = [session for session in existing.values() if session.ends_at > now]
    if existing:
        wanted = [each for each in wanted if each.ends_at > now and each.wall.strftime(WALL) not in held]
    fitted = plan([Planned(s.pk, s.number, s.planned, s.is_planned) for s in coming], wanted)
    counts = Fitted(len(existing))
    for key, occurrence in (*fitted.kept, *fitted.moved):
        counts.moved += _follow(existing[key], holder, occurrence, by=by, now=now, aloud=one_by_one)
    for key in fitted.dropped:
        counts.dropped += _drop_from_plan(existing[key], by=by, now=now, aloud=one_by_one)
    number = max((session.number for session in existing.values()), default=0)
    for occurrence in fitted.new:
        number += 1
        _make(holder, number, occurrence)
        counts.new += 1
    return counts


def reckon(session: Session, *, by: Actor, now: datetime) -> bool:
    """Work the instant out afresh from the wall time; True when the clock rules have changed it. Tells nobody."""
    before, length = session.starts_at, session.ends_at - session.starts_at
    starts_at = resolve(session.wall, session.zone).instant
    if starts_at == before:
        return False
    session.starts_at, session.ends_at = starts_at, starts_at + length
    session.sequence += 1
    note(session, "move", by=by, now=now, changes={"starts_at": [before, starts_at]})
    session.save()
    return True


def tell(session: Session) -> None:
    """Raise the number by which calendars know a newer version, and let letters go out."""
    session.sequence += 1
    emit("session.changed", session_id=str(session.pk))


def minutes_of(session: Session) -> int:
    return int((session.ends_at - session.starts_at).total_seconds() // 60)


def why_not_then(session: Session, wall: datetime, length: timedelta, now: datetime) -> Iterator[Reason]:
    """Everything that stands against holding this meeting at another wall time."""
    holder, at = session.holder, resolve(wall, session.zone)
    if at.clock == Clock.SKIPPED:
        reason = clock_note(wall, session.zone)
        yield Reason("no-such-hour", N_("%(planned)s does not exist that day in %(zone)s: the clock skips it. Choose another hour."), reason.params if reason else {}, "starts")
    if not holder.starts_on <= wall.date() <= holder.ends_on:
        if session.series is None:
            text = N_("The course runs from %(starts_on)s to %(ends_on)s. Choose a day in it, or change the offering first.")
        else:
            text = N_("The series runs from %(starts_on)s to %(ends_on)s. Choose a day in it, or plan the series anew.")
        yield Reason("outside-course", text, {"starts_on": holder.starts_on, "ends_on": holder.ends_on}, "day")
    if at.instant < now:
        yield Reason("in-the-past", N_("That is already over. Choose a time to come."), {}, "day")
    if not timedelta(minutes=5) <= length <= timedelta(hours=12):
        yield Reason("length", N_("A meeting lasts between 5 minutes and 12 hours."), {}, "minutes")
    others = holder.sessions.filter(state=SessionState.SCHEDULED, starts_at__lt=at.instant + length, ends_at__gt=at.instant)
    for other in others.exclude(pk=session.pk):
        starts = other.starts_at.astimezone(ZoneInfo(other.zone))
        if session.series is None:
            text = N_("Meeting %(number)s of this course is then (%(at)s at the host).")
        else:
            text = N_("Meeting %(number)s of this series is then (%(at)s).")
        yield Reason("overlap", text, {"number": other.number, "at": f"{starts:%H:%M}"}, "starts")


def _make(holder: Offering | Series, number: int, occurrence: Occurrence) -> None:
    wall = occurrence.wall.strftime(WALL)
    whose = {"series": holder} if isinstance(holder, Series) else {"offering": holder}
    Session(
        **whose, number=number, title=occurrence.label, zone=holder.zone, wall_starts=wall, planned=wall,
        starts_at=occurrence.starts_at, ends_at=occurrence.ends_at,
    ).save()  # fmt: skip


def _follow(session: Session, holder: Offering | Series, occurrence: Occurrence, *, by: Actor, now: datetime, aloud: bool) -> int:
    """Bring a session to its occurrence: 1 when something changed. A meeting moved by hand keeps its own wall time."""
    wall = occurrence.wall.strftime(WALL)
    before = (session.starts_at, session.ends_at, session.title, session.state, session.zone)
    was_moved_by_hand = session.wall_starts != session.planned and session.planned == wall
    length = session.ends_at - session.starts_at if was_moved_by_hand else occurrence.ends_at - occurrence.starts_at
    if not was_moved_by_hand:
        session.wall_starts = wall
    session.planned, session.zone, session.title = wall, holder.zone, occurrence.label
    # Worked out afresh: the country may have changed its clock rules since.
    session.starts_at = resolve(session.wall, session.zone).instant
    session.ends_at = session.starts_at + length
    if not session.is_planned:
        session.is_planned, session.state = True, SessionState.SCHEDULED
    if before == (session.starts_at, session.ends_at, session.title, session.state, session.zone):
        return 0
    _tell_or_count(session, aloud=aloud)
    note(session, "move", by=by, now=now, changes={"starts_at": [before[0], session.starts_at], "state": [before[3], session.state]})
    session.save()
    return 1


def _drop_from_plan(session: Session, *, by: Actor, now: datetime, aloud: bool) -> int:
    session.is_planned = False
    was_scheduled = session.state == SessionState.SCHEDULED
    if was_scheduled:
        session.state = SessionState.CANCELLED
        _tell_or_count(session, aloud=aloud)
        note(session, "cancel", by=by, now=now, changes={"state": [SessionState.SCHEDULED.value, SessionState.CANCELLED.value]})
    session.save()
    return int(was_scheduled)


def _tell_or_count(session: Session, *, aloud: bool) -> None:
    if aloud:
        tell(session)
    else:
        session.sequence += 1

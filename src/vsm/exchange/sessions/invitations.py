"""What a person's calendar is told: the invitation to a course or a series, one meeting's change, the end of taking part."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from vsm.exchange.catalogue.models import Offering
from vsm.exchange.people.models import Person
from vsm.exchange.sessions.models import Series, Session
from vsm.exchange.sessions.queries import WITH_HOLDER, event_of
from vsm.exchange.sessions.recurring import Held, Run, runs
from vsm.exchange.sessions.rules import resolve
from vsm.exchange.sessions.states import SessionState
from vsm.exchange.sessions.zones import place
from vsm.standards import icalendar_invitation as invitation
from vsm.standards.icalendar_feed import Event


def invite(holder: Offering | Series, person: Person, *, now: datetime) -> str:
    """Every meeting of the course or series as one invitation; "" when there is none."""
    sessions = _planned(holder)
    found = [run for run in _runs(holder, sessions) if run.weeks > len(run.without)]
    if not found:
        return ""
    return invitation.request([_weekly(run, sessions, person) for run in found], _reader(person), stamped=now).decode()


def tell_change(session: Session, person: Person, *, now: datetime) -> str:
    """One meeting is held at another time, or not, or again."""
    sessions = _planned(session.holder)
    own = next((each for each in sessions if each.pk == session.pk), session)
    event = replace(event_of(own, person.language), sequence=_sequence(sessions))
    found = next((run for run in _runs(session.holder, sessions) if session.pk in dict(run.of)), None)
    if found is None:
        return invitation.update(event, _reader(person), stamped=now).decode()
    event = replace(event, uid=_uid(session.holder, found))
    instance = None if found.weeks == 1 else _on_wall(dict(found.of)[session.pk], session.zone)
    return invitation.update(event, _reader(person), stamped=now, instance=instance).decode()


def take_back(holder: Offering | Series, person: Person, *, now: datetime) -> str:
    """The person no longer takes part: what they were invited to is taken out of the calendar ("" when there is nothing)."""
    sessions = _planned(holder)
    found = _runs(holder, sessions)
    if not found:
        return ""
    return invitation.cancellation([_weekly(run, sessions, person) for run in found], _reader(person), stamped=now).decode()


def _planned(holder: Offering | Series) -> list[Session]:
    return list(holder.sessions.filter(is_planned=True).select_related(*WITH_HOLDER).order_by("planned", "number"))


def _runs(holder: Offering | Series, sessions: Sequence[Session]) -> list[Run]:
    return runs([_held(each) for each in sessions], holder.zone)


def _held(session: Session) -> Held:
    minutes = int((session.ends_at - session.starts_at).total_seconds() // 60)
    planned = datetime.strptime(session.planned, "%Y-%m-%dT%H:%M")  # noqa: DTZ007 -- a wall time has no zone by its nature
    return Held(session.pk, planned, session.wall, minutes, session.title, session.state == SessionState.CANCELLED)


def _weekly(run: Run, sessions: Sequence[Session], person: Person) -> invitation.Weekly:
    by_key = {each.pk: each for each in sessions}
    example = by_key[run.of[0][0]]
    usual = _event(example, run, person, sessions)
    at = resolve(run.first, example.zone).instant.astimezone(place(example.zone))
    usual = replace(usual, starts=at, ends=at + timedelta(minutes=run.minutes), cancelled=False, title=_title(usual, example, run))
    moved = tuple((_on_wall(instance, example.zone), _event(by_key[held.key], run, person, sessions)) for instance, held in run.moved)
    without = tuple(_on_wall(each, example.zone) for each in run.without)
    return invitation.Weekly(usual, run.weeks, without, moved)


def _event(session: Session, run: Run, person: Person, sessions: Sequence[Session]) -> Event:
    return replace(event_of(session, person.language), uid=_uid(session.holder, run), sequence=_sequence(sessions))


def _title(event: Event, example: Session, run: Run) -> str:
    """The run's own title: that of its meetings, not of the one that stands for them."""
    bare = event.title.removesuffix(f" · {example.title}") if example.title else event.title
    return f"{bare} · {run.title}" if run.title else bare


def _uid(holder: Offering | Series, run: Run) -> str:
    return f"{holder.pk}{run.name}"


def _sequence(sessions: Sequence[Session]) -> int:
    """A number that rises with every change of any meeting: meetings stay for ever, and their own numbers only rise."""
    return len(sessions) - 1 + sum(each.sequence for each in sessions)


def _on_wall(wall: datetime, zone: str) -> datetime:
    return resolve(wall, zone).instant.astimezone(place(zone))


def _reader(person: Person) -> invitation.Reader:
    return invitation.Reader(person.email, person.name)

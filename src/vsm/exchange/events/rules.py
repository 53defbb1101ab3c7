"""Places and the waiting list, when registration is open, and what reminders are due. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

KINDS = ("webinar", "launch", "consultation", "training", "fair")
DOORS_OPEN = timedelta(minutes=15)
LEAST_TO_ANSWER = timedelta(minutes=30)
REMINDERS = {"day": timedelta(hours=24), "hour": timedelta(hours=1)}


@dataclass(frozen=True)
class Asking:
    """Someone on the waiting list: when they confirmed decides their turn."""

    key: str
    since: datetime


def free_places(capacity: int | None, held: int) -> int | None:
    """How many places are free; None without a limit. Never below zero, when a capacity was lowered."""
    return None if capacity is None else max(0, capacity - held)


def turns(capacity: int | None, held: int, waiting: Sequence[Asking]) -> tuple[str, ...]:
    """Who is offered a place now: the longest waiting first, as many as places are free."""
    order = sorted(waiting, key=lambda each: (each.since, each.key))
    free = free_places(capacity, held)
    return tuple(each.key for each in (order if free is None else order[:free]))


def answer_until(now: datetime, starts_at: datetime, ends_at: datetime, hours: int) -> datetime:
    """By when an offered place must be taken: after the event's own hours, but before it begins; never at once, yet never when it is over."""
    return min(ends_at, max(now + LEAST_TO_ANSWER, min(now + timedelta(hours=hours), starts_at - timedelta(hours=1))))


def why_not_register(*, state: str, closes_at: datetime, now: datetime) -> Iterator[Reason]:
    """What stands in the way of a registration. A full event does not: there is a waiting list."""
    if state != "published":
        yield Reason("not-open", N_("This event takes no registrations."))
    elif closes_at <= now:
        yield Reason("closed", N_("Registration closed on %(at)s."), {"at": closes_at})


def why_not_use(*, state: str, ends_at: datetime, now: datetime) -> Iterator[Reason]:
    """What stands in the way of taking, using or giving up a place: that the event was called off or has ended. That who came is noted does not."""
    if state == "cancelled":
        yield Reason("called-off", N_("This event does not take place."))
    elif ends_at <= now:
        yield Reason("over", N_("This event ended on %(at)s."), {"at": ends_at})


def reminders_due(starts_at: datetime, registered_at: datetime, now: datetime) -> tuple[str, ...]:
    """Which reminders should have gone out by now. Who registers inside a reminder's time needs that one no more."""
    if now >= starts_at:
        return ()
    return tuple(kind for kind, before in REMINDERS.items() if registered_at < starts_at - before <= now)


def event_faults(*, starts_at: datetime, ends_at: datetime, closes_at: datetime | None, capacity: int | None, respond_hours: int) -> Iterator[Reason]:
    """Everything wrong with an event's times and places."""
    if ends_at <= starts_at:
        yield Reason("ends", N_("The event ends before it starts."), {}, "ends_at")
    elif ends_at - starts_at > timedelta(days=14):
        yield Reason("too-long", N_("An event lasts at most 14 days; make several of a longer series."), {}, "ends_at")
    if closes_at is not None and closes_at > ends_at:
        yield Reason("closes", N_("Registration must close before the event ends."), {}, "closes_at")
    if capacity is not None and not 1 <= capacity <= 100_000:
        yield Reason("capacity", N_("A number between %(low)s and %(high)s is expected."), {"low": 1, "high": 100_000}, "capacity")
    if not 1 <= respond_hours <= 168:
        yield Reason("respond-hours", N_("A number between %(low)s and %(high)s is expected."), {"low": 1, "high": 168}, "respond_hours")

"""Live meetings of an exchange: a weekly series on the hour that suits both classes, kept in step with who takes part."""

from datetime import date, datetime, time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _
from django_tasks import task

from vsm.exchange.catalogue.queries import weekday_choices
from vsm.exchange.collaborations.exchange_queries import monday_of
from vsm.exchange.collaborations.matching import Overlap, common_hours, common_weeks
from vsm.exchange.collaborations.models import Exchange, Participant
from vsm.exchange.collaborations.states import EXCHANGE_STEPS, ParticipantState
from vsm.exchange.sessions.models import Series
from vsm.exchange.sessions.series import (
    add_participants,
    cancel_series,
    each_week,
    keep_within,
    lead,
    make_series,
    member,
    remove_participants,
)
from vsm.kit import clock
from vsm.kit.actions import Ask, action
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Refused
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

TEACHERS = ("self@first_teacher", "self@second_teacher")


def best_hours(exchange: Exchange) -> tuple[Overlap, ...]:
    """The hours of the two wishes at which both classes can meet, the longest first."""
    one, other = exchange.invitation.wish.facts, exchange.invitation.partner.facts
    return common_hours(one, other, common_weeks(one, other))


def _best(part: str) -> Any:
    """What the form proposes: the best common hour, on the plan's clock."""

    def start(exchange: Exchange, _actor: Actor) -> Any:
        hours = best_hours(exchange)
        if not hours:
            return None
        wall = hours[0].starts.astimezone(ZoneInfo(exchange.zone))
        return wall.weekday() if part == "weekday" else wall.time()

    return start


def series_of(exchange: Exchange) -> list[Series]:
    """The meetings planned for this exchange."""
    return list(Series.objects.filter(owner_noun="exchange", owner_id=exchange.pk).exclude(state="cancelled"))


@action("plan_meetings", on=Exchange, label=_("Plan live meetings"), allow=TEACHERS, step=EXCHANGE_STEPS["plan_meetings"], when=lambda exchange: not series_of(exchange))
def plan_meetings(
    exchange: Exchange, *, by: Actor, now: datetime,
    weekday: Annotated[int, Ask(_("Weekday"), _("On the plan’s clock; the best common hour of both wishes is proposed."), choices=weekday_choices, start=_best("weekday"))],
    starts: Annotated[time, Ask(_("Starts"), start=_best("starts"))],
    minutes: Annotated[int, Ask(_("Minutes"))] = 60,
    join_url: Annotated[str, Ask(_("Link to join"), limit=200)] = "",
    dial_in: Annotated[str, Ask(_("Number to call"), _("So that a weak connection is no obstacle."), limit=120)] = "",
) -> Series:  # fmt: skip
    """Plan one meeting a week over the whole exchange, for both classes. Everybody gets one calendar invitation."""
    if exchange.starts_on is None or exchange.ends_on is None:
        raise Refused(Reason("no-plan", N_("There is no plan in force.")))
    if series_of(exchange):
        raise Refused(Reason("planned", N_("Meetings are planned already. Change them on their own page.")))
    off = {*exchange.invitation.wish.weeks_off, *exchange.invitation.partner.weeks_off}
    rows = [row for row in each_week(exchange.starts_on, exchange.ends_on, weekday=weekday, starts=starts, minutes=minutes) if monday_of(row.day).isoformat() not in off]
    people = [lead(exchange.first_teacher), lead(exchange.second_teacher), *(member(each.person) for each in _active(exchange))]
    # The right to plan for this exchange was checked above; the series is a consequence of it.
    return make_series(
        exchange.first, by=SYSTEM, now=now, title=exchange.title, zone=exchange.zone, meetings=rows, people=people, join_url=join_url, dial_in=dial_in,
        starts_on=exchange.starts_on, ends_on=exchange.ends_on, owner_noun="exchange", owner_id=exchange.pk,
    )  # fmt: skip


def keep_meetings_within(exchange: Exchange, *, first: date, last: date, now: datetime) -> None:
    """The exchange has other days than when its meetings were planned, or ends: no meeting is left outside them."""
    for series in series_of(exchange):
        keep_within(series, by=SYSTEM, now=now, first=first, last=last)


def cancel_meetings(exchange: Exchange, *, now: datetime, because: str) -> None:
    """The exchange does not take place, so neither do its meetings."""
    for series in series_of(exchange):
        cancel_series(series, by=SYSTEM, now=now, because=because)


@task()
def join_meetings(participant_id: str) -> None:
    """On participant.joined: whoever comes later is invited to the meetings too."""
    participant = Participant.objects.select_related("person", "exchange").get(pk=participant_id)
    if participant.state == ParticipantState.ACTIVE:
        for series in series_of(participant.exchange):
            add_participants(series, by=SYSTEM, now=clock.now(), people=[member(participant.person)])


@task()
def leave_meetings(participant_id: str) -> None:
    """On participant.left: the calendar of whoever left is told."""
    participant = Participant.objects.select_related("exchange").get(pk=participant_id)
    if participant.state == ParticipantState.LEFT:
        for series in series_of(participant.exchange):
            remove_participants(series, by=SYSTEM, now=clock.now(), people=[str(participant.person_id)])


def _active(exchange: Exchange) -> list[Participant]:
    return list(exchange.participants.filter(state=ParticipantState.ACTIVE).select_related("person"))

"""The hours log: the student writes down, the mentor confirms or returns, a correction is confirmed again."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, Field

from vsm.exchange.placements.models import HoursEntry, Placement
from vsm.exchange.placements.queries.conduct import open_entries, open_ids
from vsm.exchange.placements.queries.placements import held_days, terms_of
from vsm.exchange.placements.rules.running import Day, correction_problems, hours_problems
from vsm.exchange.placements.states import BEGUN, HOURS_STEPS, PLACEMENT_STEPS, HoursState, PlacementState
from vsm.kit.actions import Ask, action, note
from vsm.kit.actors import Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

MENTOR = ("self@mentor", "coordinator@host.organisation")
OF_MENTOR = ("self@placement.mentor", "coordinator@placement.host.organisation")
MOST_ROWS = 62
Because = Annotated[str, Ask(_("What is wrong? (the student reads this)"), kind="long_text", limit=2000)]
Chosen = Annotated[list[UUID], Ask(_("Days"), choices=open_entries, start=open_ids)]


class WorkRow(BaseModel):
    """One day."""

    day: Annotated[date, Ask(_("Day"))]
    hours: Annotated[Decimal, Field(max_digits=5, decimal_places=2), Ask(_("Hours"))]
    what: Annotated[str, Field(max_length=500), Ask(_("What was done"), limit=500)]


@action("log_hours", on=Placement, label=_("Write down hours"), allow=("self@student",), step=PLACEMENT_STEPS["log_hours"], tone="primary", when=lambda p: p.started_on is not None)
def log_hours(
    placement: Placement, *, by: Actor, now: datetime,
    rows: Annotated[list[WorkRow], Ask(_("Days"), _("One line a day. Lines left empty are not sent. Sending the same again changes nothing."))],
) -> Placement:  # fmt: skip
    """Write down what was worked. Held to the hours agreed, and to what the law allows in a day and a week; every obstacle is told at once."""
    if not rows or len(rows) > MOST_ROWS:
        raise Invalid(Reason("rows", N_("Write between 1 and %(most)s lines at a time."), {"most": MOST_ROWS}, "rows"))
    wanted, held = [Day(row.day, row.hours, row.what.strip()) for row in rows], held_days(placement)
    Invalid.because(hours_problems(wanted, held, terms_of(placement, placement.latest_workday(now))))
    for row in wanted:
        if row.day not in held:
            entry = HoursEntry(placement=placement, day=row.day, hours=row.hours, what=row.what)
            entry.save()
            note(entry, "log_hours", by=by, now=now, changes={"hours": ["", str(row.hours)], "what": ["", row.what]})
    return placement


@action("confirm_hours", on=Placement, label=_("Confirm hours"), allow=MENTOR, step=PLACEMENT_STEPS["confirm_hours"], tone="primary", when=lambda p: p.hours.filter(state=HoursState.LOGGED).exists())
def confirm_hours(placement: Placement, *, by: Actor, now: datetime, entries: Chosen) -> Placement:
    """Confirm several days at once. One that was answered meanwhile is left as it is."""
    for entry in _chosen(placement, entries):
        _answer(entry, HoursState.CONFIRMED, by=by, now=now)
    return placement


@action("return_hours", on=Placement, label=_("Return hours"), allow=MENTOR, step=PLACEMENT_STEPS["return_hours"], when=lambda p: p.hours.filter(state=HoursState.LOGGED).exists())
def return_hours(placement: Placement, *, by: Actor, now: datetime, entries: Chosen, because: Because) -> Placement:
    """Return several days at once, and say what is wrong: the student corrects them."""
    wrong = because.strip()
    for entry in _chosen(placement, entries):
        _answer(entry, HoursState.RETURNED, by=by, now=now, because=wrong)
    emit("hours.returned", placement_id=str(placement.pk), because=because.strip()[:500])
    return placement


@action("correct", on=HoursEntry, label=_("Correct"), allow=("self@placement.student",), step=HOURS_STEPS["correct"], tone="primary")
def correct(
    entry: HoursEntry, *, by: Actor, now: datetime,
    hours: Annotated[Decimal, Ask(_("Hours"))],
    what: Annotated[str, Ask(_("What was done"), limit=500)],
    because: Annotated[str, Ask(_("Why is it corrected?"), kind="long_text", limit=2000)] = "",
) -> HoursEntry:  # fmt: skip
    """Change the hours or the words of a day. What stood before stays in the history; it is confirmed anew."""
    placement = entry.placement
    _still_open(placement)
    row = Day(entry.day, hours, what.strip())
    if (row.hours, row.what) == (entry.hours, entry.what):
        raise Refused(Reason("unchanged", N_("Nothing differs from what is written down.")))
    Invalid.because(correction_problems(row, held_days(placement, besides=entry.pk), terms_of(placement, placement.latest_workday(now))))
    entry.hours, entry.what, entry.because, entry.confirmed_by, entry.confirmed_at = row.hours, row.what, because.strip(), None, None
    return entry


@action("withdraw", on=HoursEntry, label=_("Withdraw"), allow=("self@placement.student",), step=HOURS_STEPS["withdraw"], tone="warning")
def withdraw_entry(entry: HoursEntry, *, by: Actor, now: datetime, because: str = "") -> HoursEntry:
    """Take a day back. It stays in the log as withdrawn, and the day can be written down anew."""
    _still_open(entry.placement)
    return entry


@action("confirm", on=HoursEntry, label=_("Confirm"), allow=OF_MENTOR, step=HOURS_STEPS["confirm"], tone="primary")
def confirm(entry: HoursEntry, *, by: Actor, now: datetime) -> HoursEntry:
    """These hours were worked."""
    _still_open(entry.placement)
    entry.confirmed_by_id, entry.confirmed_at, entry.because = by.person_id, now, ""
    return entry


@action("return", on=HoursEntry, label=_("Return"), allow=OF_MENTOR, step=HOURS_STEPS["return"])
def return_entry(entry: HoursEntry, *, by: Actor, now: datetime, because: Because) -> HoursEntry:
    """Something is wrong with this day."""
    _still_open(entry.placement)
    entry.confirmed_by_id, entry.confirmed_at, entry.because = by.person_id, now, because.strip()
    return entry


def _answer(entry: HoursEntry, state: HoursState, *, by: Actor, now: datetime, because: str = "") -> None:
    """One of several days that are answered at once."""
    entry.state, entry.confirmed_by_id, entry.confirmed_at, entry.because = state, by.person_id, now, because
    entry.save()
    note(entry, "confirm" if state == HoursState.CONFIRMED else "return", by=by, now=now, because=because, changes={"state": [HoursState.LOGGED.value, state.value]})


def _chosen(placement: Placement, entries: Iterable[UUID]) -> Any:
    wanted = set(entries)
    found = list(placement.hours.filter(pk__in=wanted).order_by("day"))
    if len(found) < len(wanted):
        raise Invalid(Reason("no-such-day", N_("At least one of these days does not belong to this placement."), {}, "entries"))
    if not found:
        raise Invalid(Reason("nothing-chosen", N_("Choose at least one day."), {}, "entries"))
    return [entry for entry in found if entry.state == HoursState.LOGGED]


def _still_open(placement: Placement) -> None:
    """After completion the hours are what was certified."""
    if placement.state not in {*BEGUN, PlacementState.ENDED}:
        raise Refused(Reason("placement-over", N_("This placement is completed: its hours stay as they are.")))

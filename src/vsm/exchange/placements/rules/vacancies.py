"""What a vacancy must say, whom its host's order gives places, and which interview slots cannot be."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from vsm.kit.i18n import N_
from vsm.kit.localized import LANGUAGES
from vsm.kit.mail_addresses import is_mail_address
from vsm.kit.names import country_names
from vsm.kit.verdict import Reason
from vsm.rulebook.placements import ANYWHERE, Limit

CURRENCY_LENGTH = 3
PAY_WORDS = {"none": N_("nothing is paid"), "hour": N_("an hour"), "month": N_("a month"), "total": N_("in all")}
FARTHEST, LONGEST = 5, 731
"""Years ahead that a vacancy may begin, and days that a placement may last."""
LONGEST_INTERVIEW = 180
WAKES, SLEEPS = time(7), time(22)
"""Between these hours, on the reader's clock, core hours count as overlap."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """The facts of a vacancy that rules look at. `pay_period` "none" means that nothing is paid."""

    hours_per_week: Decimal
    core_from: time | None
    core_to: time | None
    pay: Decimal | None
    currency: str
    pay_period: str
    apply_by: datetime
    starts_on: date
    ends_on: date
    places: int
    respond_hours: int
    supervisor_email: str


@dataclass(frozen=True)
class Slot:
    """One conversation, as instants, with somebody of the host."""

    starts_at: datetime
    ends_at: datetime
    with_whom: str


def vacancy_problems(work: Work, now: datetime, limit: Limit) -> Iterator[Reason]:
    """All that cannot be stored or would mislead a student."""
    if not 0 < work.hours_per_week <= 80:
        yield Reason("hours", N_("“%(value)s” is no number of hours a week."), {"value": work.hours_per_week}, "hours_per_week")
    elif work.hours_per_week > limit.week:
        yield too_many_hours(work.hours_per_week, limit)
    yield from _core_problems(work)
    yield from _pay_problems(work)
    if work.ends_on < work.starts_on:
        yield Reason("dates-order", N_("It ends before it starts."), {}, "ends_on")
    elif work.starts_on.year > now.year + FARTHEST or (work.ends_on - work.starts_on).days > LONGEST:
        yield Reason("dates-far", N_("It begins within %(years)s years and lasts at most %(days)s days."), {"years": FARTHEST, "days": LONGEST}, "ends_on")
    if work.apply_by.date() > work.starts_on:
        yield Reason("apply-by-late", N_("Applications must close before the first day: interviews and the agreement come between."), {}, "apply_by")
    if work.apply_by <= now:
        yield Reason("apply-by-past", N_("Applications would close in the past, on %(at)s. Choose a later moment."), {"at": work.apply_by}, "apply_by")
    if not 1 <= work.places <= 1000:
        yield Reason("places", N_("Give between 1 and 1000 places."), {}, "places")
    if not 12 <= work.respond_hours <= 720:
        yield Reason("respond-hours", N_("Give students between 12 and 720 hours to answer an offer."), {}, "respond_hours")
    if not is_mail_address(work.supervisor_email):
        yield Reason("email", N_("This is not a mail address."), {}, "supervisor_email")


def too_many_hours(hours: Decimal, limit: Limit) -> Reason:
    """More hours a week than the law allows, with the law."""
    place, reference = limit.week_from
    text = N_("%(hours)s hours a week are more than the %(most)s that the law allows (%(country)s: %(source)s).")
    return Reason("hours-above-law", text, {"hours": hours, "most": limit.week, "country": law_of(place), "source": {language: reference.told(language) for language in LANGUAGES}}, "hours_per_week")


def law_of(place: str) -> str | dict[str, str]:
    """Where a limit comes from, as a reason tells it: the country, or that it holds everywhere."""
    return N_("everywhere") if place == ANYWHERE else country_names(place)


def overlap_minutes(core_from: time, core_to: time, host: str, reader: str, on: date) -> int:
    """How many minutes of the core hours on this day fall between 07:00 and 22:00 on the reader's clock. Zones are IANA names."""
    starts, ends = (datetime.combine(on, wall, ZoneInfo(host)).astimezone(ZoneInfo(reader)) for wall in (core_from, core_to))
    total, day = 0, starts.date()
    while day <= ends.date():
        begins, stops = (datetime.combine(day, wall, ZoneInfo(reader)) for wall in (WAKES, SLEEPS))
        # Differences of instants, not of walls: a day on which the clock changes has 23 or 25 hours.
        total += max(0, int((min(ends, stops).timestamp() - max(starts, begins).timestamp()) // 60))
        day += timedelta(days=1)
    return total


def slot_problems(slots: Sequence[Slot], held: Sequence[Slot], now: datetime) -> Iterator[Reason]:
    """Slots in the past, too short or long, or in which the same person would be in two conversations."""
    for number, slot in enumerate(slots, start=1):
        if slot.starts_at <= now:
            yield Reason("slot-past", N_("Line %(line)s lies in the past."), {"line": number}, "slots")
        if not timedelta(minutes=5) <= slot.ends_at - slot.starts_at <= timedelta(minutes=LONGEST_INTERVIEW):
            yield Reason("slot-length", N_("Line %(line)s: a conversation lasts between 5 and 180 minutes."), {"line": number}, "slots")
    for earlier, later in pairwise(sorted((*slots, *held), key=lambda slot: (slot.with_whom.casefold(), slot.starts_at))):
        if earlier.with_whom.casefold() == later.with_whom.casefold() and later.starts_at < earlier.ends_at:
            text = N_("%(name)s would be in two conversations at %(at)s.")
            yield Reason("slots-overlap", text, {"name": later.with_whom, "at": later.starts_at}, "slots")


def next_offers(ranking: Sequence[UUID], shortlisted: Collection[UUID], places: int, held: int) -> tuple[UUID, ...]:
    """Who is offered a place now: by the host's order alone, as many as are free. `held` are those offered and not answered yet."""
    free = max(0, places - held)
    return tuple(each for each in ranking if each in shortlisted)[:free]


def ranking_problems(ranking: Sequence[UUID], shortlisted: Collection[UUID]) -> Iterator[Reason]:
    if len(set(ranking)) != len(ranking):
        yield Reason("ranked-twice", N_("The same choice stands twice. Each may be ranked once."), {}, "ranking")
    if strangers := [each for each in ranking if each not in shortlisted]:
        yield Reason("not-shortlisted", N_("%(count)s of these are not shortlisted. Shortlist them first."), {"count": len(strangers)}, "ranking")


def why_no_offers(*, apply_by: datetime, now: datetime, ranking: Sequence[UUID], is_vetted: bool) -> Iterator[Reason]:
    """Places are not given before everybody could apply, nor without an order, nor by a host that is not vetted."""
    if now < apply_by:
        text = N_("Applications are open until %(at)s. Nobody wins by being first: offers are made afterwards.")
        yield Reason("still-open", text, {"at": apply_by})
    if not ranking:
        yield Reason("not-ranked", N_("Rank the shortlisted students first."))
    if not is_vetted:
        yield not_vetted()


def not_vetted() -> Reason:
    return Reason("host-not-vetted", N_("The host is not vetted now, or its vetting has expired. The office that vets it decides."))


def _core_problems(work: Work) -> Iterator[Reason]:
    if (work.core_from is None) != (work.core_to is None):
        yield Reason("core-half", N_("Give both core hours, or none."), {}, "core_to")
    elif work.core_from and work.core_to and work.core_to <= work.core_from:
        yield Reason("core-order", N_("The core hours end before they start."), {}, "core_to")


def _pay_problems(work: Work) -> Iterator[Reason]:
    if work.pay_period == "none":
        if work.pay:
            yield Reason("pay-without-period", N_("You give an amount: say for what time it is paid. Or leave it out if nothing is paid."), {}, "pay_period")
        return
    if not work.pay or work.pay <= 0:
        yield Reason("pay-missing", N_("Give the amount, or say plainly that nothing is paid."), {}, "pay")
    if len(work.currency) != CURRENCY_LENGTH or not work.currency.isalpha():
        yield Reason("currency", N_("Give the currency by its three letters, for example UYU."), {}, "currency")

"""What an opportunity, an offering and their meetings must be to be stored, and what they lack to be published."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from itertools import pairwise
from typing import Any, Protocol

from vsm import rulebook
from vsm.exchange.catalogue.vocabulary import BROAD_FIELDS
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.rulebook.entries import Credit

LONGEST_TEXT = 10_000
"""Characters of one text in one language: the export must stay readable by the import, which takes twice as much."""

_ISCED_F = re.compile(r"\d{2,4}", re.ASCII)


class OpportunityLike(Protocol):
    """What the rules look at; the record has it."""

    category: Any
    title: Any
    isced_f: Any
    credits: Any
    language: Any


@dataclass(frozen=True)
class Weekly:
    """One weekly meeting as it is entered, Monday = 0."""

    weekday: int
    starts: time
    ends: time


def isced_f_problems(code: str) -> Iterator[Reason]:
    """A code is two to four digits under one of the broad fields of ISCED-F 2013; empty is not known yet."""
    if code and not (_ISCED_F.fullmatch(code) and code[:2] in BROAD_FIELDS):
        yield Reason(
            "isced-f",
            N_("“%(value)s” is no ISCED-F code: two to four digits that begin with a broad field (00 to 10, or 99)."),
            {"value": code},
            "isced_f",
        )


def credit_problems(low: Decimal, high: Decimal | None, system: str) -> Iterator[Reason]:
    if low < 0:
        yield Reason("credits", N_("Credits cannot be negative."), {}, "credits")
    if high is not None and high < low:
        yield Reason("credits-order", N_("The greatest number of credits is smaller than the least."), {}, "credits_high")
    if system not in rulebook.book().credit_systems:
        params = {"value": system, "known": ", ".join(rulebook.book().credit_systems)}
        yield Reason("credit-system", N_("“%(value)s” is no known credit system. Known: %(known)s."), params, "credit_system")


def text_problems(**texts: dict[str, str]) -> Iterator[Reason]:
    """Texts that are longer than the catalogue holds, by the name of their input."""
    for name, said in texts.items():
        for text in said.values():
            if len(text) > LONGEST_TEXT:
                params = {"length": len(text), "limit": LONGEST_TEXT}
                yield Reason("too-long", N_("%(length)s characters are too many: at most %(limit)s fit here."), params, name)


def date_problems(starts_on: date, ends_on: date, drop_by: date | None, withdraw_by: date | None) -> Iterator[Reason]:
    if ends_on < starts_on:
        yield Reason("dates-order", N_("The offering ends before it starts."), {}, "ends_on")
    for name, day in (("drop_by", drop_by), ("withdraw_by", withdraw_by)):
        if day is not None and day > ends_on:
            yield Reason("date-after-end", N_("This day lies after the end of the offering."), {}, name)
    if drop_by and withdraw_by and withdraw_by < drop_by:
        text = N_("Withdrawing must be possible at least as long as dropping, which leaves no trace.")
        yield Reason("withdraw-before-drop", text, {}, "withdraw_by")


def meeting_problems(meetings: Sequence[Weekly]) -> Iterator[Reason]:
    """Meetings that end before they start, or that overlap on the same day."""
    for number, meeting in enumerate(meetings, start=1):
        if meeting.ends <= meeting.starts:
            yield Reason("meeting-order", N_("Meeting %(number)s ends before it starts."), {"number": number}, "meetings")
    ordered = sorted(meetings, key=lambda meeting: (meeting.weekday, meeting.starts))
    for earlier, later in pairwise(ordered):
        if earlier.weekday == later.weekday and later.starts < earlier.ends:
            params = {"first": f"{earlier.starts:%H:%M}", "second": f"{later.starts:%H:%M}"}
            text = N_("The meetings that start at %(first)s and %(second)s of the same day overlap.")
            yield Reason("meetings-overlap", text, params, "meetings")


def opportunity_gaps(opportunity: OpportunityLike) -> list[Reason]:
    """Everything that an opportunity still lacks before it can be published."""
    gaps = []
    if not any(opportunity.title.values()):
        gaps.append(Reason("title-missing", N_("Give the title in at least one language."), {}, "title"))
    if not opportunity.isced_f:
        text = N_("Give the field of study (ISCED-F): agreements promise seats by field.")
        gaps.append(Reason("isced-f-missing", text, {}, "isced_f"))
    if not opportunity.language:
        gaps.append(Reason("language-missing", N_("Give the language of teaching."), {}, "language"))
    category = rulebook.book().categories.get(opportunity.category)
    if category and category.credit is Credit.ALWAYS and not opportunity.credits:
        gaps.append(Reason("credits-missing", N_("This category always carries credit: give the credits."), {}, "credits"))
    return gaps


def offering_gaps(*, seats: int, mode: str, meetings: int, opportunity_published: bool) -> list[Reason]:
    """Everything that an offering still lacks before it can be published."""
    gaps = []
    if not opportunity_published:
        gaps.append(Reason("opportunity-not-published", N_("Publish the opportunity itself first."), {}, ""))
    if seats < 1:
        gaps.append(Reason("seats-missing", N_("Give at least one seat."), {}, "seats"))
    if mode == "synchronous" and not meetings:
        text = N_("Give the weekly meetings, or choose another mode: live teaching without times cannot be planned for.")
        gaps.append(Reason("meetings-missing", text, {}, "meetings"))
    return gaps

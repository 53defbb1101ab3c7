"""Writing a published result for thousands at once: seats, waiting places, answers, each by one statement or a few.

The rows are built from plain values, because a hundred thousand records with their checks and search words take longer
than everything else together. What `Record.prepare` would look at is constant here or was checked before.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F

from vsm.exchange.allocation.freezing import by_id
from vsm.exchange.allocation.lottery import number as lottery_number
from vsm.exchange.allocation.models import Run, Seat, WaitingPlace
from vsm.exchange.allocation.rules import respond_by
from vsm.exchange.allocation.solver import Outcome
from vsm.exchange.allocation.states import SeatState
from vsm.exchange.applications.models import Application
from vsm.exchange.applications.queries import Wish
from vsm.exchange.applications.states import STEPS as APPLICATION_STEPS
from vsm.exchange.applications.states import State
from vsm.exchange.catalogue.models import Offering
from vsm.kit import bulk
from vsm.kit.actions import note_many
from vsm.kit.actors import Actor
from vsm.kit.errors import Conflict
from vsm.kit.folding import fold
from vsm.kit.i18n import N_
from vsm.kit.ids import new_ids
from vsm.kit.verdict import Reason

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Somebody:
    """Of an application what publishing needs."""

    pk: UUID
    hex: str
    words: str
    wish: Wish
    number: int  # in the lottery


def people_of(run: Run, wishes: Mapping[str, Wish]) -> dict[str, Somebody]:
    """Opaque id → the nominated application behind it."""
    rows = Application.objects.filter(call=run.call, state=State.NOMINATED).values_list("pk", "student__name")
    found = {str(pk): (pk, pk.hex, fold(name)) for pk, name in rows}
    return {name: Somebody(*found[wish.application_id], wish, lottery_number(run.seed, name)) for name, wish in wishes.items()}


def offer_seats(run: Run, outcome: Outcome, people: Mapping[str, Somebody], now: datetime) -> list[tuple[UUID, UUID]]:
    """A seat for each placement; gives (seat, application)."""
    offerings = by_id(placement.offering for placement in outcome.placements)
    hosts = {each: offering.pk.hex for each, offering in offerings.items()}
    words, until = _words(offerings.values()), respond_by(now, run.call.respond_hours)
    ids = new_ids(len(outcome.placements))
    made = [(pk, people[student], hosts[offering], rank) for pk, (student, offering, rank) in zip(ids, outcome.placements, strict=True)]
    bulk.insert_rows(
        Seat,
        ["id", "folded", "application_id", "offering_id", "rank"],
        ((pk, f"{who.words} {words[offering]}", who.hex, offering, rank) for pk, who, offering, rank in made),
        version=1, created_at=now, updated_at=now, run_id=run.pk, offered_at=now, respond_by=until, answered_at=None, from_waiting_list=False,
        state=SeatState.OFFERED.value,
    )  # fmt: skip
    return [(UUID(pk), who.pk) for pk, who, _offering, _rank in made]


def line_up(run: Run, outcome: Outcome, people: Mapping[str, Somebody], now: datetime) -> set[UUID]:
    """A place for everybody who waits, in the order of the outcome; gives the applications that wait anywhere."""
    lines = [(admission.offering, UUID(admission.offering).hex, [people[name] for name in admission.waiting]) for admission in outcome.admissions]
    waiting = [who for _offering, _hex, line in lines for who in line]
    held: dict[str, Sequence[Any]] = {
        "id": new_ids(len(waiting)),
        "offering_id": [offering for _id, offering, line in lines for _who in line],
        "application_id": [who.hex for who in waiting],
        "position": [position for _id, _hex, line in lines for position in range(1, len(line) + 1)],
        "rank": [who.wish.choices.index(offering) + 1 for offering, _hex, line in lines for who in line],
        "band": [who.wish.band for who in waiting],
        "lottery": [who.number for who in waiting],
    }
    bulk.insert_columns(WaitingPlace, held, version=1, created_at=now, updated_at=now, run_id=run.pk)
    return {who.pk for who in waiting}


def answer(people: Iterable[Somebody], placed: set[UUID], waits: set[UUID], *, by: Actor, now: datetime) -> None:
    """The steps place, put_on_waiting_list and leave_unplaced for thousands at once: a statement for each, by their table.

    Compare-and-set: an application that has left the state in the meantime stops the whole publication.
    """
    groups: dict[str, list[UUID]] = defaultdict(list)
    for who in people:
        groups["place" if who.pk in placed else "put_on_waiting_list" if who.pk in waits else "leave_unplaced"].append(who.pk)
    for verb, group in groups.items():
        step = APPLICATION_STEPS[verb]
        changed = sum(
            Application.objects.filter(pk__in=some, state__in=step.before).update(state=step.after, version=F("version") + 1, updated_at=now)
            for some in _in_parts(group)
        )
        if changed != len(group):
            raise Conflict(Reason("preview-outdated", N_("Applications changed while the result was being published. Make a new preview.")))
        note_many(Application.noun, verb, group, by=by, now=now, changes={"state": [State.NOMINATED.value, step.after]})


def note_seats(seats: Iterable[tuple[UUID, UUID]], *, by: Actor, now: datetime) -> None:
    """The first line in the history of each seat."""
    note_many(Seat.noun, "offer", (pk for pk, _application in seats), by=by, now=now)


def _words(offerings: Iterable[Offering]) -> dict[str, str]:
    """As `Record.prepare` folds them; a name and some titles are far below its limit."""
    return {o.pk.hex: fold(" ".join((o.code, *o.opportunity.title.values())))[:1500].replace("\x00", "") for o in offerings}


def _in_parts(group: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    return (group[start : start + AT_ONCE] for start in range(0, len(group), AT_ONCE))

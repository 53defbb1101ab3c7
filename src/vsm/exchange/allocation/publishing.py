"""Writing a published result for thousands at once: seats, waiting places, answers, each by one statement or a few.

The rows are built from plain values, because a hundred thousand records with their checks and search words take longer
than everything else together. What `Record.prepare` would look at is constant here or was checked before.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F

from vsm.exchange.allocation.freezing import Assembled, by_id
from vsm.exchange.allocation.lottery import number as lottery_number
from vsm.exchange.allocation.models import Run, Seat, WaitingPlace
from vsm.exchange.allocation.problem import Problem
from vsm.exchange.allocation.rules import respond_by
from vsm.exchange.allocation.solver import Outcome
from vsm.exchange.allocation.states import SeatState
from vsm.exchange.applications.models import Application
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


def people_of(run: Run, assembled: Assembled) -> dict[str, Somebody]:
    """Opaque id → the nominated application behind it."""
    rows = Application.objects.filter(call=run.call, state=State.NOMINATED).values_list("pk", "student__name")
    found = {str(pk): Somebody(pk, pk.hex, fold(name)) for pk, name in rows}
    return {name: found[wish.application_id] for name, wish in assembled.wishes.items()}


def offer_seats(run: Run, outcome: Outcome, people: Mapping[str, Somebody], now: datetime) -> list[tuple[UUID, UUID]]:
    """A seat for each placement; gives (seat, application)."""
    offerings = by_id(placement.offering for placement in outcome.placements)
    hosts = {each: offering.pk.hex for each, offering in offerings.items()}
    words, until = _words(offerings.values()), respond_by(now, run.call.respond_hours)
    ids = new_ids(len(outcome.placements))
    made = [(pk, people[student], hosts[offering], rank) for pk, (student, offering, rank) in zip(ids, outcome.placements, strict=True)]
    bulk.insert_rows(
        Seat,
        ["id", "version", "created_at", "updated_at", "folded", "run_id", "application_id", "offering_id", "rank", "offered_at", "respond_by", "answered_at", "from_waiting_list", "state"],
        ((pk, 1, now, now, f"{who.words} {words[offering]}", run.pk.hex, who.hex, offering, rank, now, until, None, False, SeatState.OFFERED.value) for pk, who, offering, rank in made),
    )  # fmt: skip
    return [(UUID(pk), who.pk) for pk, who, _offering, _rank in made]


def line_up(run: Run, problem: Problem, outcome: Outcome, people: Mapping[str, Somebody], now: datetime) -> set[UUID]:
    """A place for everybody who waits, in the order of the outcome; gives the applications that wait anywhere."""
    offerings = by_id(admission.offering for admission in outcome.admissions if admission.waiting)
    words = _words(offerings.values())
    waits: set[UUID] = set()
    run_id = run.pk.hex

    def rows() -> Iterator[tuple[object, ...]]:
        numbers: dict[str, int] = {}
        ids = iter(new_ids(sum(len(admission.waiting) for admission in outcome.admissions)))
        for admission in outcome.admissions:
            if not admission.waiting:
                continue
            offering, about = offerings[admission.offering].pk.hex, words[offerings[admission.offering].pk.hex]
            for position, student in enumerate(admission.waiting, start=1):
                who = people[student]
                choice = next(each for each in problem.student(student).choices if each.offering == admission.offering)
                lottery = numbers.get(student) or numbers.setdefault(student, lottery_number(problem.seed, student))
                waits.add(who.pk)
                yield next(ids), 1, now, now, f"{who.words} {about}", run_id, offering, who.hex, position, choice.rank, choice.band, lottery

    bulk.insert_rows(
        WaitingPlace,
        ["id", "version", "created_at", "updated_at", "folded", "run_id", "offering_id", "application_id", "position", "rank", "band", "lottery"],
        rows(),
    )  # fmt: skip
    return waits


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

"""The hours log: written down, confirmed in bulk, returned, corrected; once, whatever is sent twice."""

from datetime import date
from decimal import Decimal

import pytest

from tests.exchange.placements.given import NOW, STARTED, World, fresh
from tests.exchange.placements.test_way import AFTER, refused
from vsm.exchange.placements.actions import hours, running
from vsm.exchange.placements.actions.hours import WorkRow
from vsm.exchange.placements.models import HoursEntry, Placement
from vsm.exchange.placements.queries.placements import agreed_hours, hours_by_state
from vsm.kit import audit
from vsm.kit.actors import SYSTEM
from vsm.kit.models import AuditEvent

pytestmark = pytest.mark.django_db
MONDAY, TUESDAY = date(2026, 9, 7), date(2026, 9, 8)


@pytest.fixture
def placement(world: World) -> Placement:
    return world.running()


def test_the_same_delivered_twice_is_written_down_once(world: World, placement: Placement) -> None:
    """With the same key, and without any: a phone that lost its connection sends again."""
    rows = [WorkRow(day=MONDAY, hours=Decimal(4), what="Read")]
    for key in ("a", "a", "b", ""):
        hours.log_hours(fresh(placement), by=world.by("ana").delivering(key=key), now=AFTER, rows=rows)
    assert HoursEntry.objects.count() == 1
    assert AuditEvent.objects.filter(noun="hours_entry").count() == 1


def test_only_the_student_writes_down_and_only_the_hosts_side_answers(world: World, placement: Placement) -> None:
    rows = [WorkRow(day=MONDAY, hours=Decimal(4), what="Read")]
    for name in ("mario", "elena", "bia", "tito", "beto"):
        assert refused(hours.log_hours, fresh(placement), by=world.by(name), now=AFTER, rows=rows) == ["role"]
    world.log(placement, (MONDAY, "4", "Read"))
    for name in ("ana", "bia", "tito", "dora"):
        assert refused(hours.confirm, HoursEntry.objects.get(), by=world.by(name), now=AFTER) == ["role"]


def test_nothing_is_written_down_before_it_has_started(world: World) -> None:
    placement = world.insured()
    assert refused(hours.log_hours, placement, by=world.by("ana"), now=NOW, rows=[WorkRow(day=MONDAY, hours=Decimal(4), what="Read")]) == ["state"]


def test_bulk_confirmation_answers_the_chosen_days_and_leaves_answered_ones(world: World, placement: Placement) -> None:
    world.log(placement, (MONDAY, "4", "Read"), (TUESDAY, "5", "Wrote"))
    first, second = HoursEntry.objects.order_by("day")
    hours.return_entry(first, by=world.by("mario"), now=STARTED, because="It was 3.")
    hours.confirm_hours(fresh(placement), by=world.by("mario"), now=STARTED, entries=[first.pk, second.pk])
    assert [(entry.state, entry.confirmed_by) for entry in HoursEntry.objects.order_by("day")] == [("returned", world.people["mario"]), ("confirmed", world.people["mario"])]
    assert hours_by_state(placement) == {"logged": 0, "returned": 4, "confirmed": 5}


def test_days_of_another_placement_cannot_be_answered(world: World, placement: Placement) -> None:
    world.log(placement, (MONDAY, "4", "Read"))
    other = world.running(world.signed(world.placement("beto")))
    entry = HoursEntry.objects.get()
    assert refused(hours.confirm_hours, fresh(other), by=world.by("mario"), now=STARTED, entries=[entry.pk]) == ["no-such-day"]
    assert refused(hours.return_hours, fresh(placement), by=world.by("mario"), now=STARTED, entries=[entry.pk], because="") == ["because"]


def test_a_correction_keeps_what_stood_before_and_is_confirmed_again(world: World, placement: Placement) -> None:
    world.log(placement, (MONDAY, "4", "Read"))
    entry = hours.confirm(HoursEntry.objects.get(), by=world.by("mario"), now=STARTED)
    assert refused(hours.correct, fresh(entry), by=world.by("ana"), now=AFTER, hours=Decimal(4), what="Read") == ["unchanged"]
    hours.correct(fresh(entry), by=world.by("ana"), now=AFTER, hours=Decimal("3.5"), what="Read and asked", because="I had counted the break.")
    entry = fresh(entry)
    assert (entry.state, entry.hours, entry.confirmed_by) == ("logged", Decimal("3.5"), None)
    told = [event for event in audit.history([("hours_entry", entry.pk)]) if event.verb == "correct"]
    assert (told[0].changes["hours"], told[0].changes["what"], told[0].because) == (["4.00", "3.5"], ["Read", "Read and asked"], "I had counted the break.")


def test_a_correction_is_held_to_the_limits_too(world: World, placement: Placement) -> None:
    world.log(placement, *((date(2026, 9, 7 + number), "5", "Worked") for number in range(4)))
    entry = HoursEntry.objects.order_by("day")[0]
    assert refused(hours.correct, entry, by=world.by("ana"), now=AFTER, hours=Decimal("5.5"), what="Worked") == ["week-above-agreement"]


def test_a_withdrawn_day_can_be_written_down_anew(world: World, placement: Placement) -> None:
    world.log(placement, (MONDAY, "4", "Read"))
    hours.withdraw_entry(HoursEntry.objects.get(), by=world.by("ana"), now=AFTER)
    world.log(placement, (MONDAY, "3", "Read"), at=AFTER)
    assert sorted(HoursEntry.objects.values_list("state", "hours")) == [("logged", 3), ("withdrawn", 4)]


def test_after_completion_hours_stay_as_they_are(world: World, placement: Placement) -> None:
    world.log(placement, (MONDAY, "4", "Read"))
    hours.confirm(HoursEntry.objects.get(), by=world.by("mario"), now=STARTED)
    running.complete(fresh(placement), by=SYSTEM, now=AFTER)
    assert refused(hours.correct, HoursEntry.objects.get(), by=world.by("ana"), now=AFTER, hours=Decimal(3), what="x") == ["placement-over"]


def test_the_hours_agreed_are_those_of_the_weeks_without_rests(world: World, placement: Placement) -> None:
    assert agreed_hours(placement) == 234  # 82 days of 20 hours a week
    running.interrupt(placement, by=world.by("ana"), now=STARTED, because="Exams")
    running.resume(fresh(placement), by=world.by("ana"), now=STARTED.replace(day=21))
    assert agreed_hours(fresh(placement)) == 194


def test_entries_are_seen_by_who_takes_part(world: World, placement: Placement) -> None:
    world.log(placement, (MONDAY, "4", "Read"))
    seen = {name for name in world.people if HoursEntry.objects.visible_to(world.by(name)).exists()}
    assert seen == {"ana", "bia", "tito", "elena", "mario"}

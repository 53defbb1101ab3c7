"""The whole way by actions: from the vetted host to the certificate, and that nothing starts before it may."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.exchange.placements.given import FIRST, LAST, NOW, STARTED, World, fresh
from vsm.exchange.credentials.models import Credential
from vsm.exchange.people.actions import change_address, confirm_by_link
from vsm.exchange.people.models import AddressChange, Person
from vsm.exchange.people.queries import token_hash
from vsm.exchange.placements.actions import certifying, duties, hosts, hours, running
from vsm.exchange.placements.actions.hours import WorkRow
from vsm.exchange.placements.models import HoursEntry, Placement, PlacementCredit
from vsm.exchange.placements.states import PlacementState
from vsm.kit import audit, clock
from vsm.kit.actors import SYSTEM
from vsm.kit.errors import Refused
from vsm.kit.jobs import drain
from vsm.kit.models import Message

pytestmark = pytest.mark.django_db
AFTER = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


def refused(act: object, *args: object, **inputs: object) -> list[str]:
    with pytest.raises(Refused) as refusal:
        act(*args, **inputs)  # type: ignore[operator]
    return [reason.code for reason in refusal.value.reasons]


def test_from_the_first_day_to_a_certificate_with_the_credit_that_home_decided(world: World) -> None:
    placement = world.running()
    world.log(placement, (date(2026, 9, 7), "4", "Read the code book"), (date(2026, 9, 8), "5.5", "Cleaned wave 1"))
    hours.confirm_hours(fresh(placement), by=world.by("mario"), now=AFTER, entries=[entry.pk for entry in HoursEntry.objects.all()])
    for occasion, at in (("mid", datetime(2026, 10, 17, 9, tzinfo=UTC)), ("final", AFTER)):
        world.evaluate(placement, "ana", occasion, at)
        world.evaluate(placement, "mario", occasion, at)
    running.complete(fresh(placement), by=world.by("mario"), now=AFTER)
    certifying.certify_placement(fresh(placement), by=world.by("mario"), now=AFTER)
    credential = Credential.objects.get()
    assert (credential.person, credential.organisation, credential.home) == (world.people["ana"], world.host.organisation, world.home)
    assert (credential.award["hours"], credential.award["credits"], credential.award["started"], credential.award["ended"]) == ("9.5", "", "2026-09-07", "2026-11-27")
    assert credential.award["results"][0][1] == "4.0"

    certifying.decide_credits(fresh(placement), by=world.by("bia"), now=AFTER, decision="recognised", because="Fits the degree.", credits=Decimal("0.5"), home_code="PRA-1")
    assert PlacementCredit.objects.get().hours == Decimal("9.5")
    old, new = Credential.objects.order_by("created_at")
    assert (old.state, new.state, new.award["credits"], new.award["credit_system"]) == ("revoked", "requested", "0.5", "peru")
    assert audit.verify() == []


def test_nothing_starts_unsigned(world: World) -> None:
    """Neither by a person nor by the clock, whatever else is in order."""
    placement = world.insured(world.presented().placement)
    type(placement).objects.filter(pk=placement.pk).update(state=PlacementState.READY)
    assert refused(running.start, fresh(placement), by=world.by("bia"), now=STARTED) == ["unsigned"]
    with clock.stopped_at(STARTED):
        duties.look_at_placement.call(placement_id=str(placement.pk))
    assert (fresh(placement).state, fresh(placement).started_on) == (PlacementState.READY, None)


def test_a_placement_that_is_not_signed_has_no_way_to_start_in_its_table_of_states(world: World) -> None:
    placement = world.presented().placement
    assert refused(running.start, placement, by=world.by("bia"), now=STARTED) == ["state"]


def test_every_reason_against_starting_is_told_at_once(world: World) -> None:
    placement = world.signed()
    hosts.suspend(fresh(world.host), by=world.by("nora"), now=NOW, because="A complaint is looked into.")
    assert refused(running.start, placement, by=world.by("bia"), now=NOW) == ["host-not-vetted", "uninsured", "too-early"]


def test_an_expired_vetting_keeps_a_placement_from_starting(world: World) -> None:
    placement = world.insured()
    type(world.host).objects.update(valid_until=FIRST - timedelta(days=1))
    assert refused(running.start, fresh(placement), by=world.by("bia"), now=STARTED) == ["host-not-vetted"]
    with clock.stopped_at(STARTED):
        duties.keep_placements.call()
        duties.look_at_host.call(host_id=str(world.host.pk))
    assert fresh(world.host).state == "expired"


def test_on_the_first_day_it_starts_by_itself_once_all_is_in_order(world: World) -> None:
    placement = world.insured()
    for at in (STARTED - timedelta(days=1), STARTED, STARTED + timedelta(hours=1)):
        with clock.stopped_at(at):
            duties.look_at_placement.call(placement_id=str(placement.pk))
    assert (fresh(placement).state, fresh(placement).started_on) == (PlacementState.RUNNING, FIRST)


def test_the_first_day_begins_on_the_hosts_clock(world: World) -> None:
    """22:00 on the day before in Montevideo is the first day already by UTC, and in Manila."""
    placement, eve = world.insured(), datetime(2026, 9, 7, 1, 0, tzinfo=UTC)
    assert refused(running.start, placement, by=world.by("bia"), now=eve) == ["too-early"]
    started = running.start(fresh(placement), by=world.by("bia"), now=eve + timedelta(hours=2))
    assert started.started_on == FIRST


def test_hours_can_be_told_of_the_day_where_the_student_sits_or_where_the_host_is(world: World) -> None:
    placement, at = world.running(), datetime(2026, 9, 8, 1, 0, tzinfo=UTC)  # the 7th in Montevideo and Lima
    row = [WorkRow(day=date(2026, 9, 8), hours=Decimal(4), what="Read")]
    assert refused(hours.log_hours, fresh(placement), by=world.by("ana"), now=at, rows=row) == ["day-outside"]
    Person.objects.filter(pk=world.people["ana"].pk).update(zone="Asia/Manila")
    hours.log_hours(fresh(placement), by=world.by("ana"), now=at, rows=row)
    assert HoursEntry.objects.get().day == date(2026, 9, 8)


def test_insurance_that_will_cover_the_first_day_is_no_obstacle_before_it(world: World) -> None:
    assert refused(running.start, world.insured(), by=world.by("bia"), now=NOW) == ["too-early"]


def test_insurance_must_cover_every_day(world: World) -> None:
    placement = world.signed()
    codes = refused(
        running.record_insurance, placement, by=world.by("bia"), now=NOW, insurer="", policy="", insured_from=FIRST, insured_until=LAST - timedelta(days=1)
    )
    assert codes == ["insurer", "insurance-too-short"]


def test_it_is_not_complete_before_the_last_day_nor_with_hours_unanswered(world: World) -> None:
    placement = world.running()
    world.log(placement, (date(2026, 9, 7), "4", "Read"), (date(2026, 9, 8), "4", "Wrote"))
    first, _second = HoursEntry.objects.order_by("day")
    hours.return_entry(first, by=world.by("mario"), now=STARTED, because="It was 3.")
    assert refused(running.complete, fresh(placement), by=world.by("bia"), now=STARTED) == ["not-over", "hours-open", "hours-returned"]


def test_no_certificate_without_hours_and_both_final_evaluations(world: World) -> None:
    placement = world.running()
    running.complete(fresh(placement), by=SYSTEM, now=AFTER)
    world.evaluate(placement, "ana", "final", AFTER)
    codes = refused(certifying.certify_placement, fresh(placement), by=world.by("mario"), now=AFTER)
    assert codes == ["no-hours", "evaluation-missing", "evaluation-missing"]
    assert not Credential.objects.exists()


def test_the_host_decides_nothing_about_credit(world: World) -> None:
    placement = running.complete(world.running(), by=SYSTEM, now=AFTER)
    assert refused(certifying.decide_credits, fresh(placement), by=world.by("elena"), now=AFTER, decision="recognised", because="x", credits=Decimal(3), home_code="A") == ["role"]


def test_any_side_can_end_it_and_says_why(world: World) -> None:
    for name, side in (("ana", "student"), ("mario", "host"), ("tito", "home")):
        placement = world.running(world.signed(world.placement(hours_per_week=Decimal(5)), hours_per_week=Decimal(5)))
        assert refused(running.end_early, fresh(placement), by=world.by(name), now=STARTED, because=" ") == ["because"]
        running.end_early(fresh(placement), by=world.by(name), now=STARTED + timedelta(days=2), because="It did not fit.")
        placement = fresh(placement)
        assert (placement.state, placement.ended_by, placement.ended_on) == ("ended", side, date(2026, 9, 9))


def test_days_of_an_interruption_take_no_hours(world: World) -> None:
    placement = world.running()
    running.interrupt(placement, by=world.by("ana"), now=STARTED + timedelta(days=1), because="Exams")
    running.resume(fresh(placement), by=world.by("ana"), now=STARTED + timedelta(days=3), because="")
    with pytest.raises(Refused, match="day-rested"):
        world.log(placement, (date(2026, 9, 9), "4", "Read"))
    world.log(placement, (date(2026, 9, 10), "4", "Read"))
    assert HoursEntry.objects.count() == 1


def test_a_certificate_that_is_owed_is_reminded_of_once(world: World) -> None:
    placement = running.complete(world.running(), by=SYSTEM, now=AFTER)
    for days in (34, 35, 36):
        with clock.stopped_at(datetime(LAST.year, LAST.month, LAST.day, 12, tzinfo=UTC) + timedelta(days=days)):
            duties.look_at_placement.call(placement_id=str(placement.pk))
            drain()
    letters = Message.objects.filter(subject__startswith="Certificate owed").values_list("to", flat=True)
    assert sorted(letters) == sorted(world.people[name].email for name in ("elena", "mario"))


def test_a_mentor_whose_mail_address_changes_stays_the_mentor(world: World) -> None:
    mario, placement = world.people["mario"], world.running()
    change_address(mario, by=world.by("mario"), now=STARTED, new_address="mario@new.example")
    AddressChange.objects.update(token_hash=token_hash("secret"))
    confirm_by_link("secret", by=world.by("mario"), now=STARTED)
    drain()
    assert (fresh(placement).mentor_email, fresh(placement).mentor_id) == ("mario@new.example", mario.pk)
    assert list(Placement.objects.visible_to(world.by("mario"))) == [placement]
    assert [(each.verb, each.who, each.changes) for each in audit.history([("placement", placement.pk)])][:1] == [("follow_mentor", "system", {"mentor_email": [mario.email, "mario@new.example"]})]

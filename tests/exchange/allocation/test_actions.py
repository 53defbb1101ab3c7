"""Sealing, running, publishing, answering, refilling: what each act does, whom it belongs to, when it is refused."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime, timedelta
from itertools import count
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction

from tests.exchange.allocation import given
from tests.exchange.allocation.given import CLOSES, NOW, World
from vsm.exchange.allocation import actions, beside, lottery
from vsm.exchange.allocation.models import CutOff, Explanation, Frozen, Run, SealedSeed, Seat, WaitingPlace
from vsm.exchange.allocation.queries import audit_run
from vsm.exchange.allocation.rules import opaque
from vsm.exchange.allocation.states import RUN_STEPS, SEAT_STEPS, RunState, SeatState
from vsm.exchange.applications import actions as applications
from vsm.exchange.applications.models import Application, CallOffering
from vsm.exchange.applications.states import CallState
from vsm.kit import actions as kit_actions
from vsm.kit import audit, clock, jobs
from vsm.kit.actions import TABLE, available
from vsm.kit.actors import ANONYMOUS, SYSTEM, Actor
from vsm.kit.errors import Conflict, Invalid, NotAllowed, Refused
from vsm.kit.models import AuditDetail, AuditEvent, Job

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=5)
AFTER = NOW + timedelta(hours=73)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Every event of the allocation, as (topic, id)."""
    events: list[tuple[str, str]] = []
    monkeypatch.setattr(actions, "emit", lambda topic, **payload: events.append((topic, *payload.values())))
    monkeypatch.setattr(actions, "emit_many", lambda topic, payloads: events.extend((topic, *payload.values()) for payload in payloads))
    return events


def codes(refusal: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [reason.code for reason in refusal.value.reasons]


# The sealed seed ------------------------------------------------------------------------------------------------------


def test_sealing_publishes_the_fingerprint_of_a_seed_that_nobody_sees() -> None:
    world = given.world()
    seed = SealedSeed.objects.get().seed

    assert len(seed) == 64
    assert world.call.seed_commitment == lottery.commitment(seed)
    assert seed not in "".join(AuditDetail.objects.values_list("body", flat=True))


def test_a_second_seed_is_refused_because_one_could_choose_the_luckier() -> None:
    world = given.world()

    with pytest.raises(Refused) as refusal:
        actions.commit_seed(world.call, by=world.carlos, now=CLOSES - timedelta(hours=1))
    assert codes(refusal) == ["already-sealed"]
    assert actions.ensure_commitment(world.call, by=world.carlos, now=NOW) is world.call


def test_a_seed_cannot_be_sealed_once_the_applicants_are_known() -> None:
    world = given.world(sealed=False)

    with pytest.raises(Refused) as refusal:
        actions.ensure_commitment(world.call, by=world.carlos, now=CLOSES)
    assert codes(refusal) == ["sealed-too-late"]
    assert not SealedSeed.objects.exists()


def test_a_call_that_is_published_without_a_seed_gets_one() -> None:
    world = given.world(sealed=False)

    with clock.stopped_at(CLOSES - timedelta(days=2)):
        actions.seal_seed.enqueue(call_id=str(world.call.pk))
        actions.seal_seed.enqueue(call_id=str(world.call.pk))
        assert jobs.drain() == 2
    world.call.refresh_from_db()
    assert lottery.reveals(SealedSeed.objects.get().seed, world.call.seed_commitment)
    assert not Job.objects.exclude(state="done").exists()


def test_publishing_late_leaves_a_call_without_seed_and_does_not_fail() -> None:
    world = given.world(sealed=False)

    with clock.stopped_at(NOW):
        actions.seal_seed.enqueue(call_id=str(world.call.pk))
        jobs.drain()
    assert not SealedSeed.objects.exists()
    assert not Job.objects.exclude(state="done").exists()


# The preview ----------------------------------------------------------------------------------------------------------


def test_a_preview_keeps_the_result_and_tells_nobody(told: list[tuple[str, str]]) -> None:
    world = given.three()
    run = actions.allocate(world.call, by=world.carlos, now=NOW)

    assert (run.state, run.number, run.seed, run.published_at) == (RunState.PREVIEW, 1, "", None)
    assert run.counts["ranks"] == [[1, 1], [2, 1]]
    assert run.counts["homes"] == sorted([[str(world.andina.pk), 2, 2], [str(world.garoa.pk), 1, 0]])
    assert world.states() == {"ana": "nominated", "bela": "nominated", "carla": "nominated"}
    assert (Seat.objects.count(), WaitingPlace.objects.count(), told) == (0, 0, [])


def test_the_same_inputs_give_the_same_bytes_and_the_mechanisms_stand_side_by_side() -> None:
    world = given.three()
    first, again = (actions.allocate(world.call, by=world.carlos, now=now) for now in (NOW, LATER))
    other = actions.allocate(world.call, by=world.carlos, now=NOW, mechanism="serial_dictatorship")

    assert (first.problem_digest, first.outcome_digest) == (again.problem_digest, again.outcome_digest)
    assert other.problem_digest != first.problem_digest
    assert [run.number for run in (first, again, other)] == [1, 2, 3]
    assert [audit_run(run).ok for run in (first, again, other)] == [True, True, True]


def test_frozen_files_name_students_by_ids_that_tell_nothing() -> None:
    world = given.three()
    run = actions.allocate(world.call, by=world.carlos, now=NOW)
    content = bytes(run.frozen.problem).decode() + bytes(run.frozen.outcome).decode()

    ana = world.applications["ana"]
    assert opaque(ana.pk) in content
    for secret in (ana.pk, ana.student_id, ana.student.name, ana.student.email, ana.home_id):
        assert str(secret) not in content


def test_neither_the_run_nor_its_history_carries_the_seed_before_publishing() -> None:
    world = given.three()
    run = actions.allocate(world.call, by=world.carlos, now=NOW)
    seed = SealedSeed.objects.get().seed
    row = Run.objects.filter(pk=run.pk).values().get()

    assert seed.encode() in bytes(run.frozen.problem)  # there is something that could leak
    assert seed not in str(row)
    assert seed not in str(audit.history([("run", run.pk)]))


def test_an_offering_taken_out_of_the_catalogue_has_no_seats() -> None:
    world = given.three()
    world.offerings["algebra"].state = "withdrawn"
    world.offerings["algebra"].save()
    run = actions.allocate(world.call, by=world.carlos, now=NOW)

    assert run.counts["seats"] == 1
    assert run.counts["placed"] == 1


def test_a_run_is_refused_with_every_reason_at_once() -> None:
    world = given.world(sealed=False)

    with pytest.raises(Refused) as refusal:
        actions.allocate(world.call, by=world.carlos, now=given.NOMINATE_BY - timedelta(hours=1))
    assert codes(refusal) == ["nominations-open", "not-sealed", "nobody-nominated"]


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (CallState.DRAFT, ["call-draft"]),
        (CallState.PUBLISHED, []),
        (CallState.ALLOCATED, ["already-published"]),
        (CallState.CLOSED, ["call-closed"]),
    ],
)
def test_a_run_needs_a_published_call(state: str, expected: list[str]) -> None:
    world = given.three()
    world.call.state = state
    world.call.save()

    if not expected:
        assert actions.allocate(world.call, by=world.carlos, now=NOW).state == RunState.PREVIEW
        return
    with pytest.raises(Refused) as refusal:
        actions.allocate(world.call, by=world.carlos, now=NOW)
    assert codes(refusal) == expected


# Publishing -----------------------------------------------------------------------------------------------------------


def test_publishing_offers_seats_lines_people_up_and_answers_everybody(told: list[tuple[str, str]]) -> None:
    world = given.three()
    run = given.published(world)

    assert world.holds() == {"ana": ["biology"], "bela": ["algebra"]}
    assert (world.line("algebra"), world.line("biology")) == (["ana"], ["carla"])
    assert world.states() == {"ana": "placed", "bela": "placed", "carla": "waiting"}
    assert world.call.state == CallState.ALLOCATED
    assert (run.state, run.published_at) == (RunState.PUBLISHED, NOW)
    assert lottery.reveals(run.seed, world.call.seed_commitment)
    assert {(s.state, s.offered_at, s.respond_by) for s in Seat.objects.all()} == {("offered", NOW, NOW + timedelta(hours=72))}
    seats = [("seat.offered", str(world.seat(*pair).pk)) for pair in (("ana", "biology"), ("bela", "algebra"))]
    answered = [("application.answered", str(a.pk)) for a in world.applications.values()]
    assert sorted(told) == sorted([*seats, *answered, ("run.published", str(run.pk))])
    assert audit.verify() == []


def test_who_has_neither_seat_nor_place_in_line_is_told_so() -> None:
    world = given.three()
    given.nominated(world, "eva", [])
    given.published(world)

    assert world.states()["eva"] == "unplaced"


def test_each_answer_stands_in_the_history_of_its_application() -> None:
    world = given.three()
    given.published(world)

    newest = audit.history([("application", world.applications["carla"].pk)])[0]
    assert (newest.verb, newest.who, newest.changes) == ("put_on_waiting_list", "Carlos", {"state": ["nominated", "waiting"]})


def test_an_hour_is_the_least_time_to_answer() -> None:
    world = given.three(respond_hours=0)
    given.published(world)

    assert world.seat("ana", "biology").respond_by == NOW + timedelta(hours=1)


def test_publishing_one_preview_discards_the_others() -> None:
    world = given.three()
    other = actions.allocate(world.call, by=world.carlos, now=NOW, mechanism="serial_dictatorship")
    run = given.published(world)

    other.refresh_from_db()
    assert other.state == RunState.DISCARDED
    assert set(Explanation.objects.values_list("run", flat=True)) == {run.pk}
    assert audit.history([("run", other.pk)])[0].because == "Another run of this call was published."


def test_a_preview_is_refused_when_an_application_left_since() -> None:
    world = given.three()
    run = actions.allocate(world.call, by=world.carlos, now=NOW)
    applications.withdraw(world.applications["bela"], by=world.student("bela"), now=NOW)

    with pytest.raises(Refused) as refusal:
        actions.publish(run, by=world.carlos, now=LATER, because="The rules that were announced.")
    assert codes(refusal) == ["preview-outdated"]
    assert Seat.objects.count() == 0


def test_a_preview_is_refused_when_seats_were_added_since() -> None:
    world = given.three()
    run = actions.allocate(world.call, by=world.carlos, now=NOW)
    CallOffering.objects.filter(offering=world.offerings["algebra"]).update(seats=2)

    with pytest.raises(Refused) as refusal:
        actions.publish(run, by=world.carlos, now=LATER, because="The rules that were announced.")
    assert codes(refusal) == ["preview-outdated"]


@pytest.mark.parametrize("at_least", [0, 5_000_000])
def test_a_result_that_somebody_altered_is_not_published(at_least: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Audited here, or by a second process; with a digest that was altered too, the result is written first, and taken back."""
    monkeypatch.setattr(beside, "WORTH_A_PROCESS", at_least)
    world = given.three()
    run = actions.allocate(world.call, by=world.carlos, now=NOW)
    outcome = json.loads(bytes(run.frozen.outcome))
    outcome["placements"][0][0], outcome["placements"][1][0] = outcome["placements"][1][0], outcome["placements"][0][0]
    Frozen.objects.update(outcome=json.dumps(outcome, separators=(",", ":"), sort_keys=True).encode())

    with pytest.raises(Refused) as refusal:
        actions.publish(Run.objects.get(), by=world.carlos, now=LATER, because="The rules that were announced.")
    assert codes(refusal) == ["audit-failed"]
    assert "digest-differs" in [fault.code for fault in audit_run(Run.objects.get()).violations]
    assert world.states()["ana"] == "nominated"

    Run.objects.update(outcome_digest=hashlib.sha256(bytes(Frozen.objects.get().outcome)).hexdigest())
    with pytest.raises(Refused) as refusal:
        actions.publish(Run.objects.get(), by=world.carlos, now=LATER, because="The rules that were announced.")
    assert codes(refusal) == ["audit-failed"]
    assert world.states()["ana"] == "nominated"
    assert not Seat.objects.exists()


def test_a_seed_that_was_exchanged_after_sealing_is_found() -> None:
    world = given.three()
    SealedSeed.objects.update(seed="f" * 64)
    run = actions.allocate(world.call, by=world.carlos, now=NOW)

    with pytest.raises(Refused) as refusal:
        actions.publish(run, by=world.carlos, now=LATER, because="The rules that were announced.")
    assert codes(refusal) == ["seed-not-the-sealed-one"]


def test_a_call_has_one_result() -> None:
    world = given.three()
    given.published(world)
    late = Run.objects.create(call=world.call, number=9, mechanism="deferred_acceptance", problem_digest="", outcome_digest="")
    Frozen.objects.create(run=late, problem=b"", outcome=b"")

    with pytest.raises(Refused) as refusal:
        actions.publish(late, by=world.carlos, now=LATER, because="The rules that were announced.")
    assert codes(refusal) == ["already-published", "seed-not-the-sealed-one", "audit-failed"]


# All or nothing -------------------------------------------------------------------------------------------------------


class PowerCut(Exception):
    """The machine stops in the middle of a transaction."""


@contextmanager
def power_cut_before(statement: int) -> Iterator[None]:
    """Let so many writing statements through, then fail."""
    seen = count()

    def cut(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("INSERT", "UPDATE", "DELETE")) and next(seen) == statement:
            raise PowerCut(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(cut):
        yield


def everything(world: World) -> tuple[Any, ...]:
    run = Run.objects.filter(call=world.call).values("state", "seed").get()
    world.call.refresh_from_db()
    return (
        Seat.objects.count(), WaitingPlace.objects.count(), AuditEvent.objects.count(), Job.objects.count(),
        tuple(sorted(world.states().items())), world.call.state, run["state"], run["seed"],
    )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_a_publication_cut_off_at_any_statement_leaves_nothing() -> None:
    world = given.three()
    run = actions.allocate(world.call, by=world.carlos, now=NOW)
    before = everything(world)

    for statement in count():
        try:
            with power_cut_before(statement):
                actions.publish(run, by=world.carlos, now=NOW, because="The rules that were announced.")
        except PowerCut:
            assert everything(world) == before, statement
        else:
            break
    assert statement > 5
    assert everything(world) != before


@pytest.mark.django_db(transaction=True)
def test_without_the_transaction_a_publication_cut_off_would_leave_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control of the test above."""
    world = given.three()
    run = actions.allocate(world.call, by=world.carlos, now=NOW)
    before = everything(world)
    monkeypatch.setattr(kit_actions, "transaction", SimpleNamespace(atomic=nullcontext, get_connection=transaction.get_connection))
    if connection.features.has_select_for_update:
        monkeypatch.setattr(connection.features, "has_select_for_update", False)

    with pytest.raises(PowerCut), power_cut_before(2):
        actions.publish(run, by=world.carlos, now=NOW, because="The rules that were announced.")
    assert everything(world) != before


# Answers --------------------------------------------------------------------------------------------------------------


def test_a_declined_seat_goes_to_the_next_in_line_in_the_same_transaction(told: list[tuple[str, str]]) -> None:
    world = given.three()
    given.published(world)
    told.clear()
    seat = actions.decline(world.seat("bela", "algebra"), by=world.student("bela"), now=LATER, because="I found work.")

    assert (seat.state, seat.answered_at) == (SeatState.DECLINED, LATER)
    assert world.holds() == {"ana": ["algebra", "biology"]}
    upgrade = world.seat("ana", "algebra")
    assert (upgrade.state, upgrade.from_waiting_list, upgrade.rank) == (SeatState.OFFERED, True, 1)
    assert (upgrade.offered_at, upgrade.respond_by) == (LATER, LATER + timedelta(hours=72))
    assert world.states() == {"ana": "placed", "bela": "unplaced", "carla": "waiting"}
    assert sorted(told) == sorted([("seat.freed", str(seat.pk)), ("seat.offered", str(upgrade.pk))])


def test_accepting_a_better_seat_releases_the_worse_one_to_the_next(told: list[tuple[str, str]]) -> None:
    world = given.three()
    given.published(world)
    actions.accept(world.seat("ana", "biology"), by=world.student("ana"), now=LATER)
    actions.decline(world.seat("bela", "algebra"), by=world.student("bela"), now=LATER)
    assert world.holds() == {"ana": ["algebra", "biology"]}
    told.clear()

    taken = actions.accept(world.seat("ana", "algebra"), by=world.student("ana"), now=LATER)

    given_back, handed_on = world.seat("ana", "biology"), world.seat("carla", "biology")
    assert world.holds() == {"ana": ["algebra"], "carla": ["biology"]}
    assert (taken.state, given_back.state, handed_on.state) == ("accepted", "released", "offered")
    assert world.states() == {"ana": "placed", "bela": "unplaced", "carla": "placed"}
    assert told == [("seat.offered", str(handed_on.pk)), ("seat.freed", str(given_back.pk)), ("seat.accepted", str(taken.pk))]
    assert audit.history([("seat", given_back.pk)])[0].because != ""
    assert audit.verify() == []


def test_accepting_a_seat_leaves_a_better_offer_open() -> None:
    world = given.three()
    given.published(world)
    actions.decline(world.seat("bela", "algebra"), by=world.student("bela"), now=LATER)

    actions.accept(world.seat("ana", "biology"), by=world.student("ana"), now=LATER)
    assert [(s.offering.code, s.state) for s in Seat.objects.holding().order_by("rank")] == [("algebra", "offered"), ("biology", "accepted")]

    actions.decline(world.seat("ana", "algebra"), by=world.student("ana"), now=LATER)
    assert world.holds() == {"ana": ["biology"]}


def test_accepting_the_better_of_two_offers_gives_the_worse_one_to_the_next() -> None:
    world = given.three()
    given.published(world)
    actions.decline(world.seat("bela", "algebra"), by=world.student("bela"), now=LATER)

    actions.accept(world.seat("ana", "algebra"), by=world.student("ana"), now=LATER)
    assert world.holds() == {"ana": ["algebra"], "carla": ["biology"]}


def test_who_declines_leaves_that_line_and_keeps_everything_else() -> None:
    world = given.three()
    given.published(world)
    actions.decline(world.seat("bela", "algebra"), by=world.student("bela"), now=LATER)
    actions.decline(world.seat("ana", "algebra"), by=world.student("ana"), now=LATER)

    assert world.line("algebra") == []
    assert world.holds() == {"ana": ["biology"]}
    assert world.states()["ana"] == "placed"


def test_an_offer_expires_by_itself_and_only_once() -> None:
    world = given.three()
    given.published(world)
    actions.accept(world.seat("ana", "biology"), by=world.student("ana"), now=LATER)

    with clock.stopped_at(NOW + timedelta(hours=71)):
        actions.expire_seats.enqueue()
        jobs.drain()
    assert world.seat("bela", "algebra").state == SeatState.OFFERED
    with clock.stopped_at(AFTER):
        actions.expire_seats.enqueue()
        actions.expire_seats.enqueue()
        jobs.drain()
    assert world.seat("bela", "algebra").state == SeatState.EXPIRED
    assert world.holds() == {"ana": ["algebra", "biology"]}
    assert world.seat("ana", "algebra").respond_by == AFTER + timedelta(hours=72)
    assert not Job.objects.exclude(state="done").exists()


def test_nothing_can_be_answered_after_its_time() -> None:
    world = given.three()
    given.published(world)

    for act in (actions.accept, actions.decline):
        with pytest.raises(Refused) as refusal:
            act(world.seat("bela", "algebra"), by=world.student("bela"), now=AFTER)
        assert codes(refusal) == ["too-late"]
    with pytest.raises(Refused) as refusal:
        actions.expire(world.seat("bela", "algebra"), by=SYSTEM, now=LATER)
    assert codes(refusal) == ["not-yet"]


def test_home_can_give_an_accepted_seat_back_and_must_say_why() -> None:
    world = given.three()
    given.published(world)
    seat = actions.accept(world.seat("bela", "algebra"), by=world.student("bela"), now=LATER)

    with pytest.raises(Invalid) as refusal:
        actions.withdraw(seat, by=world.bia, now=LATER, because="  ")
    assert codes(refusal) == ["because"]
    seat = actions.withdraw(world.seat("bela", "algebra"), by=world.bia, now=LATER, because="Left the university.")
    assert seat.state == SeatState.WITHDRAWN
    assert world.holds() == {"ana": ["algebra", "biology"]}
    assert audit.history([("seat", seat.pk)])[0].because == "Left the university."


def test_an_application_that_is_withdrawn_leaves_seats_and_lines() -> None:
    world = given.three()
    given.published(world)
    ana = world.applications["ana"]
    applications.withdraw(Application.objects.get(pk=ana.pk), by=world.student("ana"), now=LATER)
    with clock.stopped_at(LATER):
        actions.leave.enqueue(application_id=str(ana.pk))
        jobs.drain()

    assert world.holds() == {"bela": ["algebra"], "carla": ["biology"]}
    assert world.line("algebra") == []
    assert world.states()["ana"] == "withdrawn"


def test_who_has_withdrawn_is_offered_nothing_even_before_the_lines_are_tidied() -> None:
    world = given.three()
    given.published(world)
    applications.withdraw(Application.objects.get(pk=world.applications["ana"].pk), by=world.student("ana"), now=LATER)
    actions.decline(world.seat("bela", "algebra"), by=world.student("bela"), now=LATER)

    assert world.holds() == {"ana": ["biology"]}


def test_late_seats_go_down_the_waiting_list() -> None:
    world = given.three()
    given.published(world)
    actions.add_seats(world.call, by=world.carlos, now=LATER, offering=world.offerings["biology"].pk, seats=2, because="A bigger room.")

    assert world.holds() == {"ana": ["biology"], "bela": ["algebra"], "carla": ["biology"]}
    assert CallOffering.objects.get(offering=world.offerings["biology"]).seats == 3
    told = audit.history([("offering", world.offerings["biology"].pk)])[0]
    assert (told.because, told.changes) == ("A bigger room.", {"seats": [1, 3]})


def test_late_seats_are_refused_with_every_reason() -> None:
    world = given.three()
    given.published(world)
    world.offerings["algebra"].seats = 1
    world.offerings["algebra"].save()

    for offering, seats, expected in (
        (world.offerings["algebra"].pk, 1, ["because", "too-many"]),
        (world.offerings["algebra"].pk, 0, ["because", "too-few"]),
        (world.call.pk, 1, ["because", "not-in-call"]),
    ):
        with pytest.raises(Invalid) as refusal:
            actions.add_seats(world.call, by=world.carlos, now=LATER, offering=offering, seats=seats, because="")
        assert codes(refusal) == expected


def test_a_closed_call_offers_no_more_seats() -> None:
    world = given.three()
    given.published(world)
    applications.close(world.call, by=world.carlos, now=LATER)
    actions.decline(world.seat("bela", "algebra"), by=world.student("bela"), now=LATER)

    assert world.holds() == {"ana": ["biology"]}
    assert world.states() == {"ana": "placed", "bela": "unplaced", "carla": "unplaced"}


@pytest.mark.parametrize(
    ("drop_by", "now", "expected"),
    [
        (None, datetime(2027, 4, 2, 2, 59, tzinfo=UTC), ["algebra", "biology"]),  # still 1 April in Santiago
        (None, datetime(2027, 4, 2, 3, 0, tzinfo=UTC), ["biology"]),
        (date(2027, 4, 10), datetime(2027, 4, 2, 3, 0, tzinfo=UTC), ["algebra", "biology"]),
        (date(2027, 4, 10), datetime(2027, 4, 11, 12, 0, tzinfo=UTC), ["biology"]),
    ],
)
def test_a_seat_is_offered_until_the_last_day_on_which_it_can_be_dropped(drop_by: date | None, now: datetime, expected: list[str]) -> None:
    world = given.three(respond_hours=24 * 60)
    world.offerings["algebra"].drop_by = drop_by
    world.offerings["algebra"].save()
    given.published(world)
    actions.decline(world.seat("bela", "algebra"), by=world.student("bela"), now=now)

    assert world.holds()["ana"] == expected


def test_an_act_delivered_twice_happens_once() -> None:
    world = given.three()
    given.published(world)
    bela = world.student("bela").delivering(key="k-1")
    seat = world.seat("bela", "algebra")
    first = actions.decline(seat, by=bela, now=LATER, because="")
    again = actions.decline(seat, by=bela, now=LATER, because="")

    assert first.pk == again.pk
    assert [seat.offering.code for seat in Seat.objects.filter(from_waiting_list=True)] == ["algebra"]


def test_a_stale_page_is_refused() -> None:
    world = given.three()
    given.published(world)
    with pytest.raises(Conflict):
        actions.decline(world.seat("bela", "algebra"), by=world.student("bela").delivering(expected=7), now=LATER)


# The tables -----------------------------------------------------------------------------------------------------------

BECAUSE = {"because": "Because."}
INPUTS: dict[str, dict[str, Any]] = dict.fromkeys(("withdraw", "publish", "schedule"), BECAUSE)


@pytest.mark.parametrize("state", list(SeatState))
@pytest.mark.parametrize("verb", list(SEAT_STEPS))
def test_each_verb_of_a_seat_works_from_its_own_states_only(verb: str, state: str) -> None:
    world = given.three()
    given.published(world)
    seat = world.seat("bela", "algebra")
    Seat.objects.filter(pk=seat.pk).update(state=state)
    by = SYSTEM
    now = AFTER if verb == "expire" else LATER

    if state in SEAT_STEPS[verb].before:
        assert TABLE["seat", verb].perform(seat, by=by, now=now, **INPUTS.get(verb, {})).state == SEAT_STEPS[verb].after
        return
    with pytest.raises(Refused) as refusal:
        TABLE["seat", verb].perform(seat, by=by, now=now, **INPUTS.get(verb, {}))
    assert codes(refusal) == ["state"]


@pytest.mark.parametrize("state", list(RunState))
@pytest.mark.parametrize("verb", list(RUN_STEPS))
def test_each_verb_of_a_run_works_from_its_own_states_only(verb: str, state: str) -> None:
    world = given.three()
    run = actions.allocate(world.call, by=world.carlos, now=NOW)
    Run.objects.filter(pk=run.pk).update(state=state)
    if state == RunState.COMPUTING:  # nothing is written yet
        Frozen.objects.all().delete()
        Explanation.objects.all().delete()
        CutOff.objects.all().delete()

    if state in RUN_STEPS[verb].before:
        assert TABLE["run", verb].perform(run, by=SYSTEM, now=NOW, **INPUTS.get(verb, {})).state == RUN_STEPS[verb].after
        return
    with pytest.raises(Refused) as refusal:
        TABLE["run", verb].perform(run, by=SYSTEM, now=NOW, **INPUTS.get(verb, {}))
    assert codes(refusal) == ["state"]


@pytest.mark.parametrize("state", list(CallState))
def test_late_seats_need_a_call_whose_result_is_published(state: str) -> None:
    world = given.three()
    given.published(world)
    type(world.call).objects.update(state=state)
    act = TABLE["call", "add_seats"]
    inputs = {"offering": world.offerings["biology"].pk, "seats": 1, "because": "A bigger room."}

    if state == CallState.ALLOCATED:
        assert act.perform(world.call, by=SYSTEM, now=NOW, **inputs).pk == world.call.pk
        return
    with pytest.raises(Refused) as refusal:
        act.perform(world.call, by=SYSTEM, now=NOW, **inputs)
    assert codes(refusal) == ["state"]


PERMITTED = {
    ("call", "commit_seed"): {"carlos"},
    ("call", "allocate"): {"carlos"},
    ("call", "add_seats"): {"carlos"},
    ("run", "publish"): {"carlos"},
    ("run", "discard"): {"carlos"},
    ("run", "schedule"): {"carlos"},
    ("run", "undo"): {"carlos"},
    ("run", "complete"): set(),
    ("run", "give_up"): set(),
    ("call", "set_rules"): {"carlos"},
    ("call", "try_out"): {"carlos"},
    ("seat", "accept"): {"bela"},
    ("seat", "decline"): {"bela"},
    ("seat", "withdraw"): {"bela", "bia"},
    ("seat", "expire"): set(),
    ("seat", "release"): set(),
}


@pytest.mark.parametrize(("noun", "verb"), list(PERMITTED))
def test_each_act_belongs_to_those_whom_the_table_names(noun: str, verb: str) -> None:
    world = given.three()
    run = given.published(world)
    record = {"call": world.call, "run": run, "seat": world.seat("bela", "algebra")}[noun]
    actors: dict[str, Actor] = {name: world.actor(name) for name in world.people}
    actors |= {name: world.student(name) for name in world.applications} | {"anonymous": ANONYMOUS}
    actors["operator"] = Actor(person_id=world.people["raul"].pk, label="Olga", is_operator=True)
    act = TABLE[noun, verb]

    assert {name for name, actor in actors.items() if act.permits(record, actor)} == PERMITTED[noun, verb]
    with pytest.raises(NotAllowed):
        act.perform(record, by=actors["dora"], now=NOW)


def test_the_student_is_shown_what_she_can_do() -> None:
    world = given.three()
    given.published(world)
    bela = world.student("bela")

    assert [act.verb for act in available(world.seat("bela", "algebra"), bela)] == ["accept", "decline"]
    seat = actions.accept(world.seat("bela", "algebra"), by=bela, now=LATER)
    assert [act.verb for act in available(seat, bela)] == ["withdraw"]


def test_the_office_is_shown_what_the_moment_allows() -> None:
    world = given.three()
    with clock.stopped_at(CLOSES):
        assert "allocate" not in [act.verb for act in available(world.call, world.carlos)]
    with clock.stopped_at(NOW):
        assert "allocate" in [act.verb for act in available(world.call, world.carlos)]
    given.published(world)
    with clock.stopped_at(NOW):
        mine = {act.verb for act in available(world.call, world.carlos)} & {"allocate", "add_seats", "commit_seed"}
    assert mine == {"add_seats"}


# In the long run ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_answered_no_seat_is_given_twice_and_nobody_is_moved_by_others(seed: int) -> None:
    rng = Random(seed)
    world = given.world()
    given.crowd(world, 40, 6, seats=4, choices=4, rng=rng, wanted=(1, 1, 2))
    run = given.published(world)
    for _ in range(60):
        before = {(s.application_id, s.offering_id) for s in Seat.objects.holding()}
        possible = [s for s in Seat.objects.holding().select_related("application__student") if s.state == "offered" or rng.random() < 0.1]
        if not possible:
            break
        seat = rng.choice(possible)
        me = given.actor_of(seat.application.student, NOW)
        if seat.state == "accepted":
            actions.withdraw(seat, by=me, now=LATER, because="Changed plans.")
        else:
            rng.choice([actions.accept, actions.accept, actions.decline])(seat, by=me, now=LATER)
        after = {(s.application_id, s.offering_id) for s in Seat.objects.holding()}
        assert {student for student, _ in before - after} <= {seat.application_id}
        _check_capacities(run, world)
    _check_nothing_wasted(world)
    assert audit.verify() == []


def _check_capacities(run: Run, world: World) -> None:
    held = Counter(Seat.objects.holding().values_list("offering_id", flat=True))
    for row in CallOffering.objects.filter(call=world.call):
        assert held[row.offering_id] <= row.seats
    accepted = Counter(Seat.objects.filter(state="accepted").values_list("application_id", flat=True))
    for application in Application.objects.filter(pk__in=accepted):
        assert accepted[application.pk] <= application.seats_wanted


def _check_nothing_wasted(world: World) -> None:
    """Where a seat is free, nobody in line would take it."""
    held = Counter(Seat.objects.holding().values_list("offering_id", flat=True))
    mine: dict[Any, list[int]] = {}
    for seat in Seat.objects.holding():
        mine.setdefault(seat.application_id, []).append(seat.rank)
    for row in CallOffering.objects.filter(call=world.call):
        if held[row.offering_id] == row.seats:
            continue
        for place in WaitingPlace.objects.filter(offering=row.offering_id).select_related("application"):
            ranks = sorted(mine.get(place.application_id, []))[: place.application.seats_wanted]
            assert len(ranks) == place.application.seats_wanted
            assert max(ranks) < place.rank

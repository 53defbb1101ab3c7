"""What happens to seats: sealed seed, previews, the published result, answers, and the waiting lists behind them.

Whatever changes who holds a seat takes its turn on the published run first (`turn`), so that two answers at once can
never give one seat twice; the freed seat is offered to the next in line in the same transaction.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_tasks import task

from vsm.exchange.allocation import beside, lottery, publishing, waiting
from vsm.exchange.allocation.computing import Computed, compute, is_quick, keep, sealed_seed
from vsm.exchange.allocation.freezing import by_id, records_of, rules_of
from vsm.exchange.allocation.models import ChangeByHand, Run, SealedSeed, Seat, WaitingPlace
from vsm.exchange.allocation.queries import (
    MECHANISMS,
    STANDING,
    audit_run,
    given_back,
    late_seat_choices,
    published_run,
    queue_of,
    vacancies,
)
from vsm.exchange.allocation.rules import (
    allocation_obstacles,
    late_seats_obstacles,
    publishing_obstacles,
    respond_by,
    scheduling_problems,
    sealing_obstacles,
    unexplained_choice,
)
from vsm.exchange.allocation.solver import Outcome
from vsm.exchange.allocation.states import CALL_STEPS, RUN_STEPS, SEAT_STEPS, RunState, SeatState
from vsm.exchange.applications import actions as applications
from vsm.exchange.applications.models import Application, Call, CallOffering
from vsm.exchange.applications.queries import Wish
from vsm.exchange.applications.states import CallState, State
from vsm.exchange.catalogue.models import Offering
from vsm.kit import bulk, clock
from vsm.kit.actions import Ask, action, note
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, Refused, VsmError
from vsm.kit.events import emit, emit_many
from vsm.kit.i18n import N_
from vsm.kit.jobs import every
from vsm.kit.saying import say_reasons
from vsm.kit.verdict import Reason

OFFICE = ("coordinator@organisation",)
OFFICE_OF_RUN = ("coordinator@call.organisation",)
WhyThisResult = Annotated[
    str,
    Ask(
        _("Why this result? (everybody reads it: name nobody)"), _("Needed where the rules of the call left open how seats are given."),
        kind="long_text", limit=2000,
    ),
]  # fmt: skip
STUDENT = ("self@application.student",)


# The call -------------------------------------------------------------------------------------------------------------


@action(
    "commit_seed", on=Call, label=_("Seal the lottery seed"), allow=OFFICE,
    when=lambda call: not call.seed_commitment and call.state in (CallState.DRAFT, CallState.PUBLISHED) and clock.now() < call.closes_at,
)  # fmt: skip
def commit_seed(call: Call, *, by: Actor, now: datetime) -> Call:
    """Draw the seed of the lottery, keep it sealed, and publish its fingerprint on the call.

    Nobody sees the seed before the result is published, so nobody can choose the winners; with the result everybody
    can check that it is the one whose fingerprint stood here. Refused after applications have closed.
    """
    Refused.because(sealing_obstacles(state=call.state, commitment=call.seed_commitment, closes_at=call.closes_at, now=now))
    seed = secrets.token_hex(32)
    SealedSeed(call=call, seed=seed, committed_at=now).save()
    call.seed_commitment = lottery.commitment(seed)
    call.save()
    return call


def ensure_commitment(call: Call, *, by: Actor, now: datetime) -> Call:
    """The call with a sealed seed: the one that it has, or one drawn now. Refused after applications have closed."""
    return call if call.seed_commitment else commit_seed(call, by=by, now=now)


@action(
    "allocate", on=Call, label=_("Make an allocation preview"), allow=OFFICE, tone="primary",
    when=lambda call: call.phase(clock.now()) == "allocating" and bool(call.seed_commitment),
)  # fmt: skip
def allocate(
    call: Call, *, by: Actor, now: datetime,
    mechanism: Annotated[
        Literal["deferred_acceptance", "serial_dictatorship"],
        Ask(
            _("Rules"), _("A preview tells nobody anything. Make one of each kind to compare them side by side."),
            choices=lambda _call, _actor: [(value, str(label)) for value, label in MECHANISMS.items()],
        ),
    ] = "deferred_acceptance",
) -> Run:  # fmt: skip
    """Freeze the nominated applications and the seats, distribute, and keep the result as a preview.

    Nobody is told and nothing changes for anybody before a preview is published. The same inputs give the same result.
    With many applications the worker computes it: the run's state is then "computing" at first.
    """
    nominated = Application.objects.filter(call=call, state=State.NOMINATED).count()
    Refused.because(
        allocation_obstacles(
            state=call.state, commitment=call.seed_commitment, nominate_by=call.nominate_by, nominated=nominated, now=now
        )
    )
    quick = is_quick(call)
    run = Run(call=call, number=call.runs.count() + 1, mechanism=mechanism, state=RunState.PREVIEW if quick else RunState.COMPUTING)
    if quick:
        computed = compute(run)
        run.save()
        keep(run, computed)
    else:
        run.save()
        compute_run.enqueue(run_id=str(run.pk))
    return run


@action("add_seats", on=Call, label=_("Add late seats"), allow=OFFICE, step=CALL_STEPS["add_seats"])
def add_seats(
    call: Call, *, by: Actor, now: datetime,
    offering: Annotated[UUID, Ask(_("Course"), choices=late_seat_choices)],
    seats: Annotated[int, Ask(_("How many more"), _("They are offered at once to the first on the waiting list."))],
    because: Annotated[str, Ask(_("Why? (everybody reads it: name nobody)"), kind="long_text", limit=2000)],
) -> Call:  # fmt: skip
    """Give more seats in an offering after the result; they go down the waiting list like freed ones."""
    run = turn(published_run(call))
    row = CallOffering.objects.filter(call=call, offering=offering).select_related("offering__opportunity").first()
    Invalid.because(late_seats_obstacles(added=seats, given=row.seats if row else None, taught=row.offering.seats if row else 0))
    if row is None:
        raise AssertionError("refused above")
    note(row.offering, "add_seats", by=by, now=now, because=because, changes={"seats": [row.seats, row.seats + seats]})
    row.seats += seats
    row.save()
    ChangeByHand(run=run, offering=row.offering, at=now, kind="late-seats", seats=seats, because=because).save()
    refill(run, [offering], now=now)
    return call


# The run --------------------------------------------------------------------------------------------------------------


@action("publish", on=Run, label=_("Publish this result"), allow=OFFICE_OF_RUN, step=RUN_STEPS["publish"], tone="primary")
@bulk.uncollected()
@bulk.roomy()
def publish(run: Run, *, by: Actor, now: datetime, because: WhyThisResult = "") -> Run:
    """Announce the result: the seed is revealed, seats are offered, everybody is answered. It cannot be taken back.

    The independent audit must pass, the preview must still describe the applications as they are, and an office that was
    free to choose among results says why it chose this one. Everything happens in one transaction; other previews of the
    call are discarded.
    """
    Invalid.because(unexplained_choice(fixed=rules_of(run.call).mechanism, because=because))
    run.because = because
    # The call before its applications: in the order in which closing a call takes them.
    run.call = Call.objects.select_for_update().get(pk=run.call_id)
    seed = sealed_seed(run.call)
    wishes, prove = _still_true(run, seed)
    outcome = Outcome.from_bytes(bytes(run.frozen.outcome))
    run.seed, run.published_at, run.publish_at = seed, now, None
    people = publishing.people_of(run, wishes)
    seats = publishing.offer_seats(run, outcome, people, now)
    waits = publishing.line_up(run, outcome, people, now)
    publishing.answer(people.values(), {application for _seat, application in seats}, waits, by=by, now=now)
    applications.note_allocated(run.call, by=SYSTEM, now=now)
    for other in Run.objects.filter(call=run.call, state__in=(*RUN_STEPS["discard"].before, RunState.SCHEDULED)).exclude(pk=run.pk):
        if other.state == RunState.SCHEDULED:
            other = undo(other, by=SYSTEM, now=now)
        discard(other, by=by, now=now, because=gettext(N_("Another run of this call was published.")))
    publishing.note_seats(seats, by=by, now=now)
    emit_many("seat.offered", ({"seat_id": str(seat)} for seat, _application in seats))
    emit_many("application.answered", ({"application_id": str(who.pk)} for who in people.values()))
    emit("run.published", run_id=str(run.pk))
    prove()
    return run


@action(
    "schedule", on=Run, label=_("Publish at a later moment"), allow=OFFICE_OF_RUN, step=RUN_STEPS["schedule"],
)  # fmt: skip
def schedule(
    run: Run, *, by: Actor, now: datetime,
    at: Annotated[datetime | None, Ask(_("When?"), _("Left empty: as soon as the worker is free. Until then it can be undone."))] = None,
    because: WhyThisResult = "",
) -> Run:  # fmt: skip
    """Let the worker publish this result at a moment. Until then nobody is told, and it can be undone."""
    Invalid.because([*scheduling_problems(at=at, now=now), *unexplained_choice(fixed=rules_of(run.call).mechanism, because=because)])
    run.publish_at, run.because, run.error = at or now, because, []
    if at is None:
        publish_run.enqueue(run_id=str(run.pk))
    return run


@action("undo", on=Run, label=_("Do not publish it yet"), allow=OFFICE_OF_RUN, step=RUN_STEPS["undo"], tone="primary")
def undo(run: Run, *, by: Actor, now: datetime, because: str = "") -> Run:
    """Take the order to publish back, before it is carried out. Nobody was told anything."""
    run.publish_at, run.because = None, ""
    return run


@action("complete", on=Run, label=_("Keep the computed result"), allow=(), step=RUN_STEPS["complete"])
def complete(run: Run, *, by: Actor, now: datetime, computed: Computed | None = None) -> Run:
    """What the worker computed becomes a preview."""
    keep(run, computed or compute(run))
    return run


@action("give_up", on=Run, label=_("Give up the computation"), allow=(), step=RUN_STEPS["give_up"])
def give_up(run: Run, *, by: Actor, now: datetime, because: str = "") -> Run:
    """There is no result: the run says why."""
    return run


@action("discard", on=Run, label=_("Discard this preview"), allow=OFFICE_OF_RUN, step=RUN_STEPS["discard"], tone="warning")
def discard(run: Run, *, by: Actor, now: datetime, because: str = "") -> Run:
    """Put a preview aside. Its counts and frozen files stay, the reasons it would have told do not."""
    run.explanations.all().delete()
    run.cut_offs.all().delete()
    return run


# The seat -------------------------------------------------------------------------------------------------------------


@action("accept", on=Seat, label=_("Accept the seat"), allow=STUDENT, step=SEAT_STEPS["accept"], tone="primary")
def accept(seat: Seat, *, by: Actor, now: datetime) -> Seat:
    """Take the seat. Seats ranked lower that exceed the number asked for are given back; better offers stay open.

    The learning agreement opens by itself.
    """
    _in_time(seat, now)
    run = turn(seat.run)
    seat.answered_at = now
    _leave_line(seat)
    for other in given_back(run, seat):
        release(other, by=SYSTEM, now=now, because=_to_student(seat, N_("Given back by accepting a seat that was ranked higher.")))
    emit("seat.accepted", seat_id=str(seat.pk))
    return seat


@action("decline", on=Seat, label=_("Decline the seat"), allow=STUDENT, step=SEAT_STEPS["decline"], tone="warning")
def decline(
    seat: Seat, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("Why? (if you want to say)"), kind="long_text", limit=2000)] = "",
) -> Seat:  # fmt: skip
    """Leave the seat to the next in line, for good. Other seats and places on other waiting lists stay."""
    _in_time(seat, now)
    _free(seat, now=now)
    return seat


@action(
    "withdraw", on=Seat, label=_("Give the seat back"), allow=(*STUDENT, "coordinator@application.home"),
    step=SEAT_STEPS["withdraw"], tone="warning",
)  # fmt: skip
def withdraw(
    seat: Seat, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("Why? (shown in the history)"), kind="long_text", limit=2000)],
) -> Seat:  # fmt: skip
    """Give back a seat that was accepted; it goes to the next in line, and a learning agreement loses the course."""
    _free(seat, now=now)
    return seat


@action("expire", on=Seat, label=_("Let the offer expire"), allow=(), step=SEAT_STEPS["expire"])
def expire(seat: Seat, *, by: Actor, now: datetime) -> Seat:
    """The time to answer has passed: the seat goes to the next in line, as if it had been declined."""
    if now < seat.respond_by:
        raise Refused(Reason("not-yet", N_("There is time to answer until %(until)s."), {"until": seat.respond_by}))
    _free(seat, now=now)
    return seat


@action("release", on=Seat, label=_("Give the seat to the next"), allow=(), step=SEAT_STEPS["release"])
def release(seat: Seat, *, by: Actor, now: datetime, because: str = "") -> Seat:
    """Free a seat because of something else: a better one was accepted, or the application ended."""
    _free(seat, now=now)
    return seat


# What happens by itself -----------------------------------------------------------------------------------------------


@task()
def seal_seed(call_id: str) -> None:
    """On call.published: a call that opens without a sealed seed gets one."""
    call = Call.objects.get(pk=call_id)
    now = clock.now()
    if not call.seed_commitment and call.state == CallState.PUBLISHED and now < call.closes_at:
        commit_seed(call, by=SYSTEM, now=now)


@every(60)
@task()
def expire_seats() -> None:
    """Give each offer whose time has passed a job of its own: one that fails or waits holds up no other."""
    overdue = Seat.objects.filter(state=SeatState.OFFERED, respond_by__lte=clock.now()).order_by("respond_by")
    for pk in overdue.values_list("pk", flat=True):
        expire_seat.enqueue(seat_id=str(pk))


@task()
def expire_seat(seat_id: str) -> None:
    """Expire one offer, unless it was answered in the meantime."""
    seat = Seat.objects.get(pk=seat_id)
    if seat.state == SeatState.OFFERED:
        expire(seat, by=SYSTEM, now=clock.now())


@task()
def leave(application_id: str) -> None:
    """On application.withdrawn: every seat and every place in line of this student goes to the others."""
    now = clock.now()
    WaitingPlace.objects.filter(application=UUID(application_id)).delete()
    for seat in Seat.objects.holding().filter(application=UUID(application_id)).select_related("application__student"):
        release(seat, by=SYSTEM, now=now, because=_to_student(seat, N_("The application was withdrawn.")))


@task(queue_name="long")
def compute_run(run_id: str) -> None:
    """Compute a run that was only begun. Repeatable: a worker that dies leaves it to the next, and nothing is half written."""
    run = Run.objects.select_related("call").get(pk=run_id)
    if run.state != RunState.COMPUTING:
        return
    try:
        computed = compute(run, lambda stage: _tell_progress(run, stage), in_worker=True)
    except VsmError as refusal:
        _note_error(run, refusal)
        give_up(run, by=SYSTEM, now=clock.now(), because="; ".join(say_reasons(refusal.reasons))[:2000])
        return
    if Run.objects.filter(pk=run_id, state=RunState.COMPUTING).exists():  # else it was discarded meanwhile
        complete(run, by=SYSTEM, now=clock.now(), computed=computed)


@every(60)
@task()
def publish_due() -> None:
    """Carry out each order to publish whose moment has come."""
    for pk in Run.objects.filter(state=RunState.SCHEDULED, publish_at__lte=clock.now()).values_list("pk", flat=True):
        publish_run.enqueue(run_id=str(pk))


@task(queue_name="long")
def publish_run(run_id: str) -> None:
    """Publish a run that was ordered, unless that was undone; a refusal puts it back and says why."""
    run = Run.objects.select_related("call").get(pk=run_id)
    if run.state != RunState.SCHEDULED or (run.publish_at and run.publish_at > clock.now()):
        return
    try:
        publish(run, by=SYSTEM, now=clock.now(), because=run.because)
    except VsmError as refusal:
        _note_error(run, refusal)
        undo(run, by=SYSTEM, now=clock.now(), because="; ".join(say_reasons(refusal.reasons))[:2000])


def _tell_progress(run: Run, stage: int) -> None:
    Run.objects.filter(pk=run.pk, state=RunState.COMPUTING).update(progress=stage)


def _note_error(run: Run, refusal: VsmError) -> None:
    """Codes with their facts, so that the page says them in its reader's language."""
    told = [{"code": reason.code, "text": reason.text, "params": {name: str(value) for name, value in reason.params.items()}} for reason in refusal.reasons]
    Run.objects.filter(pk=run.pk).update(error=told)


# Making a run ---------------------------------------------------------------------------------------------------------


def _still_true(run: Run, seed: str) -> tuple[Mapping[str, Wish], Callable[[], None]]:
    """What everybody wants, and what refuses the publication unless the audit passes: it goes on while the result is written.

    Refused at once when the records do not say what the run froze, or its files are not those that it noted.
    """
    problem, outcome = bytes(run.frozen.problem), bytes(run.frozen.outcome)
    audited = beside.begin(problem, outcome)
    read = records_of(run.call)
    is_fresh = read.written(mechanism=run.mechanism, seed=seed) == problem

    def prove() -> None:
        codes = [fault.code for fault in audit_run(run, audited()).violations]
        Refused.because(
            publishing_obstacles(
                call_state=run.call.state,
                is_fresh=is_fresh,
                is_sealed="seed-not-the-sealed-one" not in codes,
                faults=len([code for code in codes if code != "seed-not-the-sealed-one"]),
                fixed=rules_of(run.call).mechanism,
                used=run.mechanism,
            )
        )

    if run.call.state != CallState.PUBLISHED or not is_fresh or hashlib.sha256(outcome).hexdigest() != run.outcome_digest:
        prove()
    return read.wishes, prove


# Freeing and refilling ------------------------------------------------------------------------------------------------


def turn(run: Run | None) -> Run:
    """Wait until no other answer is being worked on in this result, then read it afresh."""
    if run is None:
        raise Refused(Reason("no-result", N_("This call has no published result.")))
    locked: Run = Run.objects.select_for_update(of=("self",)).select_related("call").get(pk=run.pk)
    return locked


def _in_time(seat: Seat, now: datetime) -> None:
    if now > seat.respond_by:
        raise Refused(
            Reason("too-late", N_("The time to answer ended on %(until)s. The seat goes to the next on the waiting list."), {"until": seat.respond_by})
        )


def _free(seat: Seat, *, now: datetime) -> None:
    """The seat goes to the next in line. Its own new state is written after the action's body, so it is left out here."""
    run = turn(seat.run)
    seat.answered_at = now
    _leave_line(seat)
    _settle(seat.application, now=now, besides=seat.pk)
    # Holding less, the student may now want a seat that stayed free because she and all others in line had better ones.
    theirs = WaitingPlace.objects.filter(run=run, application=seat.application_id).values_list("offering_id", flat=True)
    refill(run, {seat.offering_id, *theirs}, now=now, besides=seat.pk)
    emit("seat.freed", seat_id=str(seat.pk))


def _leave_line(seat: Seat) -> None:
    WaitingPlace.objects.filter(run=seat.run_id, offering=seat.offering_id, application=seat.application_id).delete()


def refill(run: Run, offerings: Iterable[UUID], *, now: datetime, besides: UUID | None = None) -> None:
    """Offer what is free to the first in line who would take it."""
    free = {offering: seats for offering, seats in vacancies(run, offerings, now=now, besides=besides).items() if seats}
    if not free:
        return
    queue = queue_of(run, free, besides=besides)
    offers = waiting.refill(queue.problem, queue.lines, {each: seats for each, seats in free.items() if each in queue.lines}, queue.held)
    found = by_id(offer.offering for offer in offers)
    people = queue.people({offer.student for offer in offers})
    for offer in offers:
        offer_seat(run, people[offer.student], found[offer.offering], rank=offer.rank, by=SYSTEM, now=now)


def offer_seat(run: Run, application: Application, offering: Offering, *, rank: int, by: Actor, now: datetime, because: str = "") -> Seat:
    """One more seat for one student, outside the run: from the waiting list, or by hand with a reason. Belongs inside an action."""
    seat = Seat(
        run=run, application=application, offering=offering, rank=rank, offered_at=now,
        respond_by=respond_by(now, run.call.respond_hours), from_waiting_list=True,
    )  # fmt: skip
    seat.save()
    note(seat, "offer", by=by, now=now, because=because)
    emit("seat.offered", seat_id=str(seat.pk))
    _settle(application, now=now)
    return seat


def _settle(application: Application, *, now: datetime, besides: UUID | None = None) -> None:
    """Say on the application what its seats and places amount to; one that ended stays as it is."""
    application = Application.objects.get(pk=application.pk)
    if application.state not in STANDING:
        return
    if Seat.objects.holding().filter(application=application).exclude(pk=besides).exists():
        wanted, say = State.PLACED, applications.place
    elif _waits(application):
        wanted, say = State.WAITING, applications.put_on_waiting_list
    else:
        wanted, say = State.UNPLACED, applications.leave_unplaced
    if application.state != wanted:
        say(application, by=SYSTEM, now=now)


def _waits(application: Application) -> bool:
    return WaitingPlace.objects.filter(application=application, run__call__state=CallState.ALLOCATED).exists()


def _to_student(seat: Seat, text: str) -> str:
    """A sentence for the seat's history, in the language of the student whose seat it is."""
    with translation.override(seat.application.student.language):
        return gettext(text)

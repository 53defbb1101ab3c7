"""Appeals: a student asks in her words to look at her result again; the office answers with reasons, and can put it right.

What is put right harms nobody: a seat given by hand is one more seat, and a place in line is the one that the run gave her.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from vsm.exchange.allocation import lottery
from vsm.exchange.allocation.actions import offer_seat, refill, turn
from vsm.exchange.allocation.freezing import rules_of
from vsm.exchange.allocation.models import Appeal, ChangeByHand, Run, Seat, WaitingPlace
from vsm.exchange.allocation.policy import appeal_obstacles
from vsm.exchange.allocation.problem import Problem
from vsm.exchange.allocation.queries import published_run
from vsm.exchange.allocation.rules import late_seats_obstacles, opaque
from vsm.exchange.allocation.solver import Outcome
from vsm.exchange.allocation.states import APPEAL_STEPS, OPEN_APPEALS, AppealState
from vsm.exchange.applications.models import Application, Call, CallOffering
from vsm.exchange.applications.queries import call_ref, call_title, ranked, title_of
from vsm.exchange.institutions.queries import organisation_ref
from vsm.kit import clock
from vsm.kit.actions import Ask, action, note, silence
from vsm.kit.actors import Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.resources import Filter, Ref, Resource, Shown, resource, state_filter
from vsm.kit.saying import say
from vsm.kit.verdict import Reason

STUDENT = ("self@application.student",)
OFFICE = ("coordinator@application.call.organisation",)
REMEDIES = {
    "": N_("Nothing: the answer puts it right"),
    "seat": N_("One more seat in the course, given to this student"),
    "place": N_("Her place on the waiting list, given back as the run gave it"),
}
APPEAL_STATES = {
    AppealState.FILED.value: (_("Filed"), "warn"),
    AppealState.TAKEN_UP.value: (_("Being looked at"), "info"),
    AppealState.GRANTED.value: (_("Granted"), "good"),
    AppealState.REFUSED.value: (pgettext_lazy("appeal", "Refused"), "bad"),
    AppealState.WITHDRAWN.value: (_("Taken back"), "neutral"),
}


def appeals_until(call: Call, run: Run | None = None) -> datetime | None:
    """The last moment to appeal against the result of a call; None before there is one."""
    run = run or published_run(call)
    return run.published_at + timedelta(days=rules_of(call).appeal_days) if run and run.published_at else None


def _can_appeal(application: Application) -> bool:
    until = appeals_until(application.call)
    return until is not None and clock.now() <= until and application.explanations.filter(run__state="published").exists()


def _choices_of(application: Application, _actor: Actor) -> list[tuple[str, str]]:
    return [("", say(N_("the result as a whole"))), *((str(o.pk), title_of(o)) for o in ranked(application))]


@action("appeal", on=Application, label=_("Appeal against the result"), allow=("self@student",), when=_can_appeal)
def appeal(
    application: Application, *, by: Actor, now: datetime,
    words: Annotated[str, Ask(_("What should be looked at again, and why?"), _("The office of the call reads it and answers you with reasons. You can attach nothing here; say what you can show."), kind="long_text", limit=4000)],
    offering: Annotated[UUID | None, Ask(_("About"), choices=_choices_of)] = None,
) -> Appeal:  # fmt: skip
    """Ask to look at a result again, within the published time. It costs nothing and changes no priority."""
    run = published_run(application.call)
    waiting = Appeal.objects.filter(application=application, offering=offering, state__in=OPEN_APPEALS).exists()
    Refused.because(appeal_obstacles(published_at=run.published_at if run else None, until=appeals_until(application.call, run), now=now, has_open=waiting))
    found = []
    if not words.strip():
        found.append(Reason("words", N_("Say in your words what should be looked at again."), {}, "words"))
    if offering and str(offering) not in map(str, application.choices):
        found.append(Reason("not-chosen", N_("This is not one of your choices."), {}, "offering"))
    Invalid.because(found)
    made = Appeal(application=application, offering_id=offering, words=words.strip())
    made.save()
    emit("appeal.filed", appeal_id=str(made.pk))
    return made


@action("take_up", on=Appeal, label=_("Start looking at it"), allow=OFFICE, step=APPEAL_STEPS["take_up"])
def take_up(record: Appeal, *, by: Actor, now: datetime) -> Appeal:
    """Say that somebody is looking at it; the student sees it."""
    return record


Answer = Annotated[str, Ask(_("Answer to the student, with your reasons"), _("She reads it, and it stays in the log."), kind="long_text", limit=4000)]


def _offerings_of(record: Appeal, actor: Actor) -> list[tuple[str, str]]:
    return [pair for pair in _choices_of(record.application, actor) if pair[0]]


@action("grant", on=Appeal, label=_("Grant the appeal"), allow=OFFICE, step=APPEAL_STEPS["grant"], tone="primary")
def grant(
    record: Appeal, *, by: Actor, now: datetime,
    answer: Answer,
    remedy: Annotated[Literal["", "seat", "place"], Ask(_("What follows"), choices=lambda _record, _actor: [(value, say(text)) for value, text in REMEDIES.items()])] = "",
    offering: Annotated[UUID | None, Ask(_("In which course"), choices=_offerings_of, start=lambda record, _actor: record.offering_id)] = None,
    because: Annotated[str, Ask(_("Reason for everybody (name nobody)"), _("Whatever is changed by hand after a result stands with its reason on the public page of the call."), kind="long_text", limit=2000)] = "",
) -> Appeal:  # fmt: skip
    """Answer that she is right, and put it right: one more seat for her, or her place in line again. Nobody else loses anything."""
    found = [*_unanswered(answer)]
    if remedy:
        found += silence(because)
        if offering is None or str(offering) not in map(str, record.application.choices):
            found.append(Reason("not-chosen", N_("Choose one of the courses that she ranked."), {}, "offering"))
    Invalid.because(found)
    if remedy and offering:
        run = turn(published_run(record.application.call))
        {"seat": _give_seat, "place": _give_place}[remedy](record, run, offering, by, now, because)
    record.answer, record.remedy, record.answered_at, record.answered_by_id = answer, remedy, now, by.person_id
    emit("appeal.answered", appeal_id=str(record.pk))
    return record


@action("refuse", on=Appeal, label=_("Refuse the appeal"), allow=OFFICE, step=APPEAL_STEPS["refuse"])
def refuse(record: Appeal, *, by: Actor, now: datetime, answer: Answer) -> Appeal:
    """Answer why the result stands."""
    Invalid.because(_unanswered(answer))
    record.answer, record.answered_at, record.answered_by_id = answer, now, by.person_id
    emit("appeal.answered", appeal_id=str(record.pk))
    return record


@action("withdraw", on=Appeal, label=_("Take the appeal back"), allow=STUDENT, step=APPEAL_STEPS["withdraw"], tone="warning")
def withdraw(record: Appeal, *, by: Actor, now: datetime) -> Appeal:
    """End it without an answer."""
    return record


def _unanswered(answer: str) -> list[Reason]:
    return [] if answer.strip() else [Reason("answer", N_("Give your reasons: the student reads them."), {}, "answer")]


def _give_seat(record: Appeal, run: Run, offering: UUID, by: Actor, now: datetime, because: str) -> None:
    """One seat more than before, for her alone: what the others hold and wait for stays as it is."""
    row = CallOffering.objects.filter(call=run.call, offering=offering).select_related("offering__opportunity").first()
    found = list(late_seats_obstacles(added=1, given=row.seats if row else None, taught=row.offering.seats if row else 0))
    if Seat.objects.holding().filter(application=record.application, offering=offering).exists():
        found.append(Reason("has-seat", N_("She holds a seat in this course already."), {}, "offering"))
    Invalid.because(found)
    if row is None:
        raise AssertionError("refused above")
    note(row.offering, "add_seats", by=by, now=now, because=because, changes={"seats": [row.seats, row.seats + 1]})
    row.seats += 1
    row.save()
    rank = 1 + list(map(str, record.application.choices)).index(str(offering))
    record.seat = offer_seat(run, record.application, row.offering, rank=rank, by=by, now=now, because=because)
    ChangeByHand(run=run, offering=row.offering, at=now, kind="by-hand", seats=1, because=because).save()


def _give_place(record: Appeal, run: Run, offering: UUID, by: Actor, now: datetime, because: str) -> None:
    """The very place that the run gave her, which she had lost."""
    problem, outcome = Problem.from_bytes(bytes(run.frozen.problem)), Outcome.from_bytes(bytes(run.frozen.outcome))
    name = opaque(record.application_id)
    line = next((admission.waiting for admission in outcome.admissions if admission.offering == str(offering)), ())
    found = []
    if name not in line:
        found.append(Reason("never-waited", N_("The run gave her no place on this waiting list. One more seat can be given instead."), {}, "remedy"))
    elif WaitingPlace.objects.filter(run=run, offering=offering, application=record.application).exists():
        found.append(Reason("waits-already", N_("She stands on this waiting list."), {}, "remedy"))
    Invalid.because(found)
    choice = next(each for each in problem.student(name).choices if each.offering == str(offering))
    place = WaitingPlace(
        run=run, offering_id=offering, application=record.application, position=line.index(name) + 1, rank=choice.rank, band=choice.band,
        lottery=lottery.number(problem.seed, name),
    )  # fmt: skip
    place.save()
    note(place, "grant", by=by, now=now, because=because)
    ChangeByHand(run=run, offering_id=offering, at=now, kind="place", because=because).save()
    refill(run, [offering], now=now)


# What doors read ------------------------------------------------------------------------------------------------------


def _offering_ref(record: Appeal) -> Ref | None:
    return Ref("offering", record.offering_id, title_of(record.offering)) if record.offering_id else None


def _call_choices(actor: Actor) -> list[tuple[str, str]]:
    ids = Appeal.objects.visible_to(actor).values_list("application__call_id", flat=True).distinct().order_by()
    return [(str(call.pk), call_title(call)) for call in Call.objects.filter(pk__in=ids)]


APPEAL = resource(
    Resource(
        "appeal", "appeals", Appeal, _("Appeal"), _("Appeals"), lambda a: f"{a.application.student.name} · {call_title(a.application.call)}",
        fields=(
            Shown("student", _("Student"), lambda a: a.application.student.name, listed=True, sort="application__student__folded"),
            Shown("call", _("Call"), lambda a: call_ref(a.application.call), "ref", listed=True, sort="application__call__code"),
            Shown("offering", _("About"), _offering_ref, "ref", listed=True),
            Shown("state", _("State"), lambda a: a.state, "state", listed=True, sort="state"),
            Shown("filed_at", _("Filed"), lambda a: a.created_at, "moment", listed=True, sort="created_at"),
            Shown("answered_at", _("Answered"), lambda a: a.answered_at, "moment", listed=True, sort="answered_at"),
            Shown("words", _("What the student says"), lambda a: a.words, "long_text", detail=False),
            Shown("answer", _("Answer of the office"), lambda a: a.answer, "long_text", detail=False),
            Shown("answered_by", _("Answered by"), lambda a: a.answered_by.name if a.answered_by else ""),
            Shown("remedy", _("What followed"), lambda a: a.remedy if a.state == AppealState.GRANTED else "", words=REMEDIES),
            Shown("seat", _("Seat"), lambda a: Ref("seat", a.seat_id, title_of(a.seat.offering)) if a.seat_id else None, "ref"),
            Shown("home", _("Home institution"), lambda a: organisation_ref(a.application.home), "ref"),
            Shown("application", _("Application"), lambda a: Ref("application", a.application_id, a.application.student.name), "ref"),
        ),
        filters=(
            state_filter(APPEAL_STATES),
            Filter("call", _("Call"), lambda found, value: found.filter(application__call_id=value), choices=_call_choices),
        ),
        order="-created_at", states=APPEAL_STATES,
        related=("application__student", "application__home", "application__call__organisation", "offering__opportunity", "answered_by", "seat__offering__opportunity"),
        empty=_("No appeals. A student can appeal from the page of her application, for some days after the result."),
    )
)  # fmt: skip


def open_appeals(call: Call) -> int:
    return Appeal.objects.filter(application__call=call, state__in=OPEN_APPEALS).count()


def appeals_of(application: Application) -> list[Any]:
    """The appeals about one result, newest first."""
    return list(Appeal.objects.filter(application=application).select_related("offering__opportunity").order_by("-created_at"))

"""Studies from term to term: enrolment, results, further attempts, interruption and return, leaving."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django_tasks import task
from pydantic import BaseModel, Field

from vsm.exchange.catalogue import labels
from vsm.exchange.institutions.models import Term
from vsm.exchange.programmes.choosing import Period, exhausted, is_late, why_not_choose, why_not_pause, why_not_term
from vsm.exchange.programmes.facts import attempts_of, day_at, last_day_of, limits_of, pauses_of, progress
from vsm.exchange.programmes.models import Interruption, Module, ModuleAttempt, Study, TermEnrolment
from vsm.exchange.programmes.progress import tries
from vsm.exchange.programmes.queries import PAUSE_REASONS, choices, module_title
from vsm.exchange.programmes.states import (
    INTERRUPTION_STEPS,
    STUDY_STEPS,
    TERM_STEPS,
    AttemptState,
    InterruptionState,
    StudyState,
    TermState,
)
from vsm.exchange.recognition.grades import read as read_grade
from vsm.kit import clock
from vsm.kit.actions import Ask, action, note
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, Refused, VsmError
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.jobs import every
from vsm.kit.verdict import Reason

HOST_OFFICE = ("coordinator@programme.organisation", "registrar@programme.organisation")
ENROLLING = ("self@student", *HOST_OFFICE)
OF_TERM = ("coordinator@study.programme.organisation", "registrar@study.programme.organisation")
OF_PAUSE = OF_TERM
Because = Annotated[str, Ask(_("Why? (the student reads this)"), kind="long_text", limit=2000)]


class ModuleGradeRow(BaseModel):
    """One module's result; an empty grade leaves it without."""

    attempt: Annotated[UUID, Ask(_("Module taken"), kind="hidden")]
    module: Annotated[str, Ask(_("Module"), kind="read_only")] = ""
    grade: Annotated[str, Ask(_("Grade"), limit=16)] = Field(default="", max_length=16)


def term_choices(study: Any, _actor: Actor) -> list[tuple[str, str]]:
    """The host's terms that are not over, soonest first."""
    today = day_at(study.programme.organisation.zone, clock.now())
    found = Term.objects.filter(organisation_id=study.programme.organisation_id, ends_on__gte=max(today, study.started_on)).order_by("starts_on")
    taken = set(study.terms.exclude(state=TermState.CANCELLED).values_list("term_id", flat=True))
    return [(str(each.pk), f"{labels.in_reader(each.name) or each.code} ({_in_numbers(each.starts_on)} – {_in_numbers(each.ends_on)})") for each in found if each.pk not in taken]


def _lacks_modules(study: Study) -> bool:
    """Whether anything is left to choose: who has passed all waits for the award."""
    return not progress(study, day_at(study.programme.organisation.zone, clock.now())).is_complete


def _in_numbers(day: date) -> str:
    return date_format(day, "SHORT_DATE_FORMAT")


def _module_choices_of(study: Study) -> list[tuple[str, str]]:
    passed = {each.module for each in attempts_of(study) if each.state == "passed"}
    return [
        (each.code, _now("%(module)s · %(credits)s credits · term %(term)s") % {"module": module_title(each), "credits": number_format(each.credits.normalize()), "term": each.term})
        for each in study.programme.modules.all()
        if each.code not in passed
    ]


def module_choices(record: Any, _actor: Actor) -> list[tuple[str, str]]:
    """Code → title, credits and recommended term of each module that is not passed yet."""
    return _module_choices_of(record.study if isinstance(record, TermEnrolment) else record)


def grade_rows(enrolment: Any, _actor: Actor) -> list[ModuleGradeRow]:
    found = enrolment.attempts.exclude(state=AttemptState.DROPPED).select_related("module")
    return [ModuleGradeRow(attempt=each.pk, module=module_title(each.module), grade=each.grade) for each in found]


def _modules_now(enrolment: Any, _actor: Actor) -> list[str]:
    return [each.module.code for each in enrolment.attempts.exclude(state=AttemptState.DROPPED).select_related("module")]


Modules = Annotated[list[str], Ask(_("Modules"), choices=module_choices, start=lambda r, a: _modules_now(r, a) if isinstance(r, TermEnrolment) else [])]


@action("enrol_in_term", on=Study, label=_("Enrol in a term"), allow=ENROLLING, step=STUDY_STEPS["enrol_in_term"], tone="primary", due=lambda study: _lacks_modules(study))
def enrol_in_term(
    study: Study, *, by: Actor, now: datetime,
    term: Annotated[UUID, Ask(_("Term"), choices=term_choices)],
    modules: Modules,
    because: Annotated[str, Ask(_("If late: why?"), _("After the first day of the term the reason is asked for."), kind="long_text", limit=2000)] = "",
) -> TermEnrolment:  # fmt: skip
    """Choose the modules of a term. Refused with everything that speaks against the choice, at once."""
    today, programme = day_at(study.programme.organisation.zone, now), study.programme
    chosen: Any = Term.objects.filter(pk=term, organisation_id=programme.organisation_id).first()
    if chosen is None:
        raise Invalid(Reason("term-unknown", N_("This term is not one of the institution."), {}, "term"))
    if study.terms.filter(term=chosen).exclude(state=TermState.CANCELLED).exists():
        raise Refused(Reason("enrolled", N_("You are enrolled in this term already: change its modules instead."), {}, "term"))
    period, limits = Period(chosen.starts_on, chosen.ends_on), limits_of(programme)
    problems = [
        *why_not_term(period, today=today, limits=limits, by=last_day_of(study), started_on=study.started_on),
        *why_not_choose(programme.structure, modules, attempts_of(study), limits=limits, progress=progress(study, today), granted=study.granted),
        *_rests_in(study, period),
    ]
    late = is_late(period, today)
    if late and not because.strip():
        problems.append(Reason("late-unexplained", N_("The term has begun: say why you enrol late."), {}, "because"))
    Refused.because(problems)
    enrolment = TermEnrolment(
        study=study, term=chosen, number=study.terms.count() + 1, enrolled_at=now, late_because=because.strip() if late else "", because="" if late else because.strip()
    )
    enrolment.save()
    _take(enrolment, modules, earlier=attempts_of(study))
    return enrolment


@action("change_modules", on=TermEnrolment, label=_("Change the modules"), allow=("self@study.student", *OF_TERM), step=TERM_STEPS["change_modules"])
def change_modules(enrolment: TermEnrolment, *, by: Actor, now: datetime, modules: Modules) -> TermEnrolment:
    """Choose anew, by the same rules, until late enrolment ends. Nothing of it stays on the record."""
    study = enrolment.study
    today, programme = day_at(study.programme.organisation.zone, now), study.programme
    limits, others = limits_of(programme), attempts_of(study, except_term=enrolment.pk)
    period = Period(enrolment.term.starts_on, enrolment.term.ends_on)
    problems = [
        *why_not_term(period, today=today, limits=limits, by=last_day_of(study), started_on=study.started_on),
        *why_not_choose(programme.structure, modules, others, limits=limits, progress=progress(study, today), granted=study.granted),
    ]
    if enrolment.attempts.filter(state__in=[AttemptState.PASSED, AttemptState.FAILED]).exists():
        problems.append(Reason("results-there", N_("This term has results already: its modules can no longer be changed.")))
    Refused.because(problems)
    before = _modules_now(enrolment, by)
    enrolment.attempts.exclude(module__code__in=modules).delete()
    _take(enrolment, [code for code in modules if code not in before], earlier=others)
    note(enrolment, "change_modules", by=by, now=now, changes={"modules": [before, list(modules)]})
    enrolment.save()
    return enrolment


@action("drop_module", on=TermEnrolment, label=_("Drop a module"), allow=("self@study.student", *OF_TERM), step=TERM_STEPS["drop_module"])
def drop_module(
    enrolment: TermEnrolment, *, by: Actor, now: datetime,
    module: Annotated[str, Ask(_("Module"), choices=lambda r, _a: [(each.module.code, module_title(each.module)) for each in r.attempts.filter(state="taking").select_related("module")], limit=32)],
    because: Annotated[str, Ask(_("Why?"), kind="long_text", limit=2000)],
) -> TermEnrolment:  # fmt: skip
    """Leave one module before the term ends. It counts as no attempt; the rest of the term goes on."""
    attempt = enrolment.attempts.filter(module__code=module, state=AttemptState.TAKING).first()
    today = day_at(enrolment.study.programme.organisation.zone, now)
    problems = []
    if attempt is None:
        problems.append(Reason("not-taking", N_("%(module)s is not being taken in this term."), {"module": module}, "module"))
    if today > enrolment.term.ends_on:
        problems.append(Reason("term-over", N_("The term is over: only a result can follow."), {}, "module"))
    Invalid.because(problems)
    if attempt is not None:
        attempt.state = AttemptState.DROPPED
        attempt.save()
        note(attempt, "drop_module", by=by, now=now, because=because, changes={"state": ["taking", "dropped"]})
    _finish(enrolment)
    enrolment.save()
    return enrolment


@action("record_results", on=TermEnrolment, label=_("Record results"), allow=OF_TERM, step=TERM_STEPS["record_results"], tone="primary")
def record_results(
    enrolment: TermEnrolment, *, by: Actor, now: datetime,
    results: Annotated[list[ModuleGradeRow], Ask(_("Results"), _("Grades on the institution’s scale; leave a line empty that has none yet."), start=grade_rows)],
    because: Annotated[str, Ask(_("If you correct one: why?"), kind="long_text", limit=2000)] = "",
) -> TermEnrolment:  # fmt: skip
    """Enter grades. Whether a grade passes is the scale’s; a correction needs a reason. With the last grade the term is finished."""
    held = {each.pk: each for each in enrolment.attempts.exclude(state=AttemptState.DROPPED).select_related("module")}
    scale = enrolment.study.programme.organisation.grade_scale
    Refused.because(_why_not_record(enrolment, results, held, scale, now, because))
    for row in results:
        attempt, grade = held[row.attempt], row.grade.strip()
        if not grade or attempt.grade == grade:
            continue
        before = [attempt.state, attempt.grade]
        mark = read_grade(grade, scale, now.date())
        attempt.grade, attempt.state = mark.text, AttemptState.PASSED if mark.passed else AttemptState.FAILED
        attempt.recorded_by_id, attempt.recorded_at = by.person_id, now
        attempt.save()
        note(attempt, "record_results", by=by, now=now, because=because, changes={"state": [before[0], attempt.state], "grade": [before[1], attempt.grade]})
    _finish(enrolment)
    enrolment.save()
    emit("study.results_recorded", study_id=str(enrolment.study_id))
    return enrolment


@action("cancel", on=TermEnrolment, label=_("Cancel this enrolment"), allow=OF_TERM, step=TERM_STEPS["cancel"], tone="warning")
def cancel_term(enrolment: TermEnrolment, *, by: Actor, now: datetime, because: Because) -> TermEnrolment:
    """The term does not count, and its modules are no attempts. Not once there are results."""
    if enrolment.attempts.filter(state__in=[AttemptState.PASSED, AttemptState.FAILED]).exists():
        raise Refused(Reason("results-there", N_("This term has results, so it stays on the record.")))
    _drop_all(enrolment, by, now, because)
    enrolment.because = because.strip()
    return enrolment


@action("allow_attempt", on=Study, label=_("Allow one more attempt"), allow=HOST_OFFICE, step=STUDY_STEPS["allow_attempt"])
def allow_attempt(
    study: Study, *, by: Actor, now: datetime,
    module: Annotated[str, Ask(_("Module"), choices=lambda record, _a: [(code, code) for code in stuck_in(record)], limit=32)],
    because: Because,
) -> Study:  # fmt: skip
    """Let a module be tried once more than the limit, with a reason."""
    problems = []
    if module not in stuck_in(study):
        problems.append(Reason("not-exhausted", N_("The attempts at %(module)s are not used up."), {"module": module}, "module"))
    Invalid.because(problems)
    study.granted = sorted({*study.granted, module})
    study.save()
    return study


@action("extend", on=Study, label=_("Extend the longest duration"), allow=HOST_OFFICE, step=STUDY_STEPS["extend"])
def extend(
    study: Study, *, by: Actor, now: datetime,
    months: Annotated[int, Ask(_("Months to add"))],
    because: Because,
) -> Study:  # fmt: skip
    """Add months to the longest duration of this student, with a reason."""
    problems = []
    if not 1 <= months <= 60:
        problems.append(Reason("months", N_("Give 1 to 60 months."), {}, "months"))
    Invalid.because(problems)
    study.extra_months += months
    study.save()
    return study


@action("withdraw", on=Study, label=_("Leave the programme"), allow=("self@student", *HOST_OFFICE), step=STUDY_STEPS["withdraw"], tone="warning")
def leave(study: Study, *, by: Actor, now: datetime, because: Annotated[str, Ask(_("Why?"), kind="long_text", limit=2000)]) -> Study:
    """End the studies without an award. What was passed stays on the record."""
    return _end(study, by, now, because)


@action("end", on=Study, label=_("End the studies"), allow=HOST_OFFICE, step=STUDY_STEPS["end"], tone="warning")
def end(study: Study, *, by: Actor, now: datetime, because: Because) -> Study:
    """The institution ends them: the longest duration has passed, or a module can no longer be passed. Nothing else is a ground here."""
    today = day_at(study.programme.organisation.zone, now)
    if today <= last_day_of(study) and not stuck_in(study):
        text = N_("Neither has the longest duration passed (%(day)s) nor are the attempts at a module used up. A student may leave; the institution cannot end the studies.")
        raise Refused(Reason("no-ground", text, {"day": last_day_of(study)}))
    return _end(study, by, now, because)


# Interruption and return ----------------------------------------------------------------------------------------------

OPEN_PAUSES = (InterruptionState.ASKED, InterruptionState.APPROVED)  # of which a study has one at most


@action(
    "ask_interruption", on=Study, label=_("Ask for an interruption"), allow=("self@student", *HOST_OFFICE), step=STUDY_STEPS["ask_interruption"],
    when=lambda study: all(pause.state not in OPEN_PAUSES for pause in study.interruptions.all()),
)  # fmt: skip
def ask_interruption(
    study: Study, *, by: Actor, now: datetime,
    starts_on: Annotated[date, Ask(_("From"))],
    returns_on: Annotated[date, Ask(_("Return on"), _("Best the first day of a term."))],
    reason: Annotated[str, Ask(_("Reason"), choices=lambda _r, _a: choices(PAUSE_REASONS), limit=12)],
    because: Annotated[str, Ask(_("In your own words"), _("The host’s office reads it, nobody else."), kind="long_text", limit=2000)],
) -> Interruption:  # fmt: skip
    """Ask that the studies rest. The clock of the longest duration stops; all interruptions together have a limit."""
    today = day_at(study.programme.organisation.zone, now)
    problems = list(why_not_pause(starts_on, returns_on, earlier=pauses_of(study), limits=limits_of(study.programme), today=today))
    if reason not in PAUSE_REASONS:
        problems.append(Reason("reason", N_("“%(value)s” is not one of: %(known)s."), {"value": reason, "known": ", ".join(PAUSE_REASONS)}, "reason"))
    if starts_on < study.started_on:
        problems.append(Reason("before-start", N_("The interruption begins before the studies did."), {}, "starts_on"))
    problems += _overlaps(study, starts_on, returns_on)
    Refused.because(problems)
    if study.interruptions.filter(state__in=OPEN_PAUSES).exists():
        raise Refused(Reason("asked-already", N_("There is an interruption already that is asked for or runs.")))
    pause = Interruption(study=study, starts_on=starts_on, returns_on=returns_on, reason=reason, because=because.strip())
    pause.save()
    emit("study.interruption_asked", interruption_id=str(pause.pk))
    return pause


@action("approve", on=Interruption, label=_("Approve"), allow=OF_PAUSE, step=INTERRUPTION_STEPS["approve"], tone="primary")
def approve_interruption(
    pause: Interruption, *, by: Actor, now: datetime, answer: Annotated[str, Ask(_("Remark for the student"), kind="long_text", limit=2000)] = ""
) -> Interruption:
    """Let the studies rest from the first day of the interruption on; until then they go on as before.

    On that day modules being taken in a term that overlaps are dropped; they count as no attempts.
    """
    if pause.study.student_id == by.person_id:
        raise Refused(Reason("own-request", N_("Nobody decides on a request of their own.")))
    _answered(pause, by, now, answer)
    if pause.starts_on <= day_at(pause.study.programme.organisation.zone, now):
        interrupt(pause.study, by=SYSTEM, now=now)
    return pause


@action("refuse", on=Interruption, label=_("Refuse"), allow=OF_PAUSE, step=INTERRUPTION_STEPS["refuse"], tone="warning")
def refuse_interruption(pause: Interruption, *, by: Actor, now: datetime, answer: Annotated[str, Ask(_("Why? (the student reads this)"), kind="long_text", limit=2000)]) -> Interruption:
    """Say no, with the reason."""
    if not answer.strip():
        raise Invalid(Reason("answer", N_("Say why: the student reads it."), {}, "answer"))
    _answered(pause, by, now, answer)
    return pause


@action("call_off", on=Interruption, label=_("Call it off"), allow=("self@study.student",), step=INTERRUPTION_STEPS["call_off"], tone="warning", when=lambda pause: pause.study.state == StudyState.ACTIVE)
def call_off(pause: Interruption, *, by: Actor, now: datetime, because: Annotated[str, Ask(_("Remark"), kind="long_text", limit=2000)] = "") -> Interruption:
    """Go on without it, while it is asked for or has not begun. It counts no day."""
    if pause.study.state != StudyState.ACTIVE:
        raise Refused(Reason("begun", N_("The interruption has begun: come back to the studies instead.")))
    return pause


@action("interrupt", on=Study, label=_("Interrupt"), allow=(), step=STUDY_STEPS["interrupt"])
def interrupt(study: Study, *, by: Actor, now: datetime) -> Study:
    """The studies rest from now on (the first day of an approved interruption has come)."""
    pause = study.interruptions.get(state__in=OPEN_PAUSES)  # there is one at once, and it is being approved at the least
    for enrolment in study.terms.filter(state=TermState.ENROLLED, term__ends_on__gte=pause.starts_on, term__starts_on__lt=pause.returns_on):
        _drop_all(enrolment, by, now, pause.because)
        _finish(enrolment)
        enrolment.save()
    return study


@every(3600)
@task()
def begin_interruptions() -> None:
    """Once an hour: approved interruptions whose first day has come on the host's calendar."""
    now = clock.now()
    # The day begins first at UTC+14; the host's own calendar then decides.
    coming = Interruption.objects.filter(state=InterruptionState.APPROVED, study__state=StudyState.ACTIVE, starts_on__lte=(now + timedelta(hours=14)).date())
    for pause in coming.select_related("study__programme__organisation"):
        if pause.starts_on <= day_at(pause.study.programme.organisation.zone, now):
            interrupt(pause.study, by=SYSTEM, now=now)


@action("resume", on=Study, label=_("Come back"), allow=("self@student", *HOST_OFFICE), step=STUDY_STEPS["resume"], tone="primary")
def resume(study: Study, *, by: Actor, now: datetime, because: Annotated[str, Ask(_("Remark"), kind="long_text", limit=2000)] = "") -> Study:
    """Take the studies up again, as planned or earlier. Only the days that were really interrupted count."""
    today = day_at(study.programme.organisation.zone, now)
    for pause in study.interruptions.filter(state=InterruptionState.APPROVED):
        # Somebody who comes back before it began has not interrupted at all; the constraint asks for an order.
        pause.returned_on = max(today, pause.starts_on)
        pause.state = InterruptionState.ENDED
        pause.save()
        note(pause, "end", by=by, now=now, because=because, changes={"state": ["approved", "ended"], "returned_on": [None, pause.returned_on]})
    return study


def stuck_in(study: Study) -> list[str]:
    """Modules whose attempts are used up."""
    return exhausted(study.programme.structure, attempts_of(study), limits_of(study.programme), study.granted)


def close_pauses(study: Study, now: datetime) -> None:
    """With the studies end the interruptions that are asked for or approved; one that had not begun never was."""
    closed = {InterruptionState.ASKED: InterruptionState.REFUSED, InterruptionState.APPROVED: InterruptionState.ENDED}
    today = day_at(study.programme.organisation.zone, now)
    for pause in study.interruptions.filter(state__in=closed):
        pause.state = InterruptionState.CALLED_OFF if pause.state == InterruptionState.APPROVED and today < pause.starts_on else closed[InterruptionState(pause.state)]
        pause.save()


# Smaller parts --------------------------------------------------------------------------------------------------------


def _take(enrolment: TermEnrolment, codes: Iterable[str], *, earlier: list[Any]) -> None:
    known = {each.code: each for each in Module.objects.filter(programme_id=enrolment.study.programme_id)}
    for code in codes:
        ModuleAttempt(enrolment=enrolment, module=known[code], number=tries(earlier, code) + 1).save()


def _drop_all(enrolment: TermEnrolment, by: Actor, now: datetime, because: str) -> None:
    for attempt in enrolment.attempts.filter(state=AttemptState.TAKING):
        attempt.state = AttemptState.DROPPED
        attempt.save()
        note(attempt, "drop_module", by=by, now=now, because=because, changes={"state": ["taking", "dropped"]})


def _finish(enrolment: TermEnrolment) -> None:
    """A term whose modules all have a result (or were dropped) is finished; a correction can open none again."""
    if not enrolment.attempts.filter(state=AttemptState.TAKING).exists():
        enrolment.state = TermState.FINISHED


def _why_not_record(
    enrolment: TermEnrolment, rows: list[ModuleGradeRow], held: dict[UUID, ModuleAttempt], scale: str, now: datetime, because: str
) -> Iterator[Reason]:  # fmt: skip
    seen: set[UUID] = set()
    if enrolment.study.state == StudyState.AWARDED:
        yield Reason("awarded", N_("The award is conferred: withdraw it first, then correct the result."))
    for row in rows:
        attempt = held.get(row.attempt)
        if attempt is None or row.attempt in seen:
            yield Reason("not-in-term", N_("A line is about a module that is not taken in this term, or stands twice."), {}, "results")
            continue
        seen.add(row.attempt)
        facts = {"module": module_title(attempt.module)}
        if attempt.grade and row.grade.strip() != attempt.grade and not because.strip():
            yield Reason("correction-unexplained", N_("%(module)s has a result: say why it is corrected."), facts, "because")
        if attempt.grade and not row.grade.strip():
            yield Reason("grade-removed", N_("%(module)s: a result is corrected, not removed."), facts, "results")
        if row.grade.strip():
            try:
                read_grade(row.grade, scale, now.date())
            except VsmError as refusal:
                yield from (Reason(each.code, each.text, each.params, "results") for each in refusal.reasons)
    if now.date() < enrolment.term.starts_on:
        yield Reason("term-not-begun", N_("The term has not begun."), {}, "results")


def _end(study: Study, by: Actor, now: datetime, because: str) -> Study:
    for enrolment in study.terms.filter(state=TermState.ENROLLED):
        _drop_all(enrolment, by, now, because)
        _finish(enrolment)
        enrolment.save()
    close_pauses(study, now)
    study.ended_on, study.because = day_at(study.programme.organisation.zone, now), because.strip()
    return study


def _rests_in(study: Study, period: Period) -> Iterator[Reason]:
    """An approved interruption that would drop every module of this term again."""
    for pause in study.interruptions.filter(state=InterruptionState.APPROVED, starts_on__lte=period.ends_on, returns_on__gt=period.starts_on):
        text = N_("An interruption from %(start)s to %(end)s is approved, and this term lies in it. Choose a term after it, or call the interruption off before it begins.")
        yield Reason("pause-in-term", text, {"start": pause.starts_on, "end": pause.returns_on}, "term")


def _overlaps(study: Study, starts_on: date, returns_on: date) -> Iterator[Reason]:
    for pause in pauses_of(study):
        if starts_on < pause.ends_on and pause.starts_on < returns_on:
            text = N_("The studies were interrupted from %(start)s to %(end)s already.")
            yield Reason("pause-overlaps", text, {"start": pause.starts_on, "end": pause.ends_on}, "starts_on")


def _answered(pause: Interruption, by: Actor, now: datetime, answer: str) -> None:
    pause.answer, pause.decided_by_id, pause.decided_at = answer.strip(), by.person_id, now
    emit("study.interruption_decided", interruption_id=str(pause.pk))

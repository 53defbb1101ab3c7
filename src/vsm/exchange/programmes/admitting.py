"""From an application to a place: applied for, handed in, ranked, decided, answered."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Max
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django_tasks import task
from pydantic import BaseModel, Field

from vsm.exchange.catalogue.queries import cefr_choices, spoken_choices
from vsm.exchange.catalogue.rules import isced_f_problems
from vsm.exchange.institutions.queries import every_country, grade_scale_choices
from vsm.exchange.people.models import Person, StudentRecord
from vsm.exchange.programmes.facts import UNDECIDED, applicant_of, candidates_of, day_at, free_places
from vsm.exchange.programmes.models import Admission, Condition, Intake, Programme, Study
from vsm.exchange.programmes.queries import average_label, choices
from vsm.exchange.programmes.rules import (
    DOCUMENT_KINDS,
    DOCUMENT_WORDS,
    LEVEL_WORDS,
    as_requirements,
    condition_problems,
    obstacles,
    places_go_to,
    ranking_problems,
    why_not_apply,
    why_not_offer,
)
from vsm.exchange.programmes.states import ADMISSION_STEPS, INTAKE_STEPS, AdmissionState, ConditionState
from vsm.exchange.recognition.grades import read as read_grade
from vsm.kit import clock
from vsm.kit.actions import Ask, action, note
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Conflict, Invalid, Refused, VsmError
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.jobs import every
from vsm.kit.verdict import Reason

HOST_OFFICE = ("coordinator@intake.programme.organisation", "registrar@intake.programme.organisation")
OF_INTAKE = ("coordinator@programme.organisation", "registrar@programme.organisation")
Because = Annotated[str, Ask(_("Why? (the applicant reads this)"), kind="long_text", limit=2000)]


class LanguageHeld(BaseModel):
    """A language of the applicant."""

    language: Annotated[str, Ask(_("Language"), choices=spoken_choices)]
    level: Annotated[
        Literal["A1", "A2", "B1", "B2", "C1", "C2", "native"],
        Ask(_("Level (CEFR)"), choices=lambda record, actor: [*cefr_choices(record, actor), ("native", _now("Native speaker"))]),
    ]


class AdmissionRankRow(BaseModel):
    """One application's place, 1 being first, and why."""

    admission: Annotated[UUID, Ask(_("Application"), kind="hidden")]
    applicant: Annotated[str, Ask(_("Applicant"), kind="read_only")] = ""
    place: Annotated[int, Ask(_("Place in the ranking"))] = Field(default=0, ge=0, le=100_000)
    because: Annotated[str, Ask(_("Why there"), limit=500)] = Field(default="", max_length=500)


class ConditionRow(BaseModel):
    """What an offer depends on. `document`: the kind of document that it takes care of, if any."""

    text: Annotated[str, Ask(_("What is asked for"), limit=500)] = Field(min_length=1, max_length=500)
    evidence: Annotated[str, Ask(_("What proves it"), limit=500)] = Field(min_length=1, max_length=500)
    due_on: Annotated[date, Ask(_("Until"))]
    document: Annotated[str, Ask(_("Instead of the document"), choices=lambda _r, _a: choices(DOCUMENT_WORDS))] = Field(default="", max_length=16)


def _spoken_now(admission: Any, _actor: Actor) -> list[LanguageHeld]:
    return [LanguageHeld.model_validate({"language": code, "level": level}) for code, level in admission.languages.items()]


def ranking_now(intake: Any, _actor: Actor) -> list[AdmissionRankRow]:
    """Who is to be ranked, in the present order; those not ranked yet come last, in no order that rewards speed."""
    found = sorted(intake.admissions.filter(state__in=UNDECIDED).select_related("student"), key=lambda a: (a.rank is None, a.rank or 0, a.student.name))
    return [
        AdmissionRankRow(admission=each.pk, applicant=f"{each.student.name} · {average_label(each)}", place=each.rank or number, because=each.rank_because)
        for number, each in enumerate(found, start=1)
    ]


@action(
    "apply", on=Intake, label=_("Apply for admission"), allow=("person",), step=INTAKE_STEPS["apply"], tone="primary",
    when=lambda intake: intake.opens_at <= clock.now() < intake.closes_at,
)  # fmt: skip
def apply(intake: Intake, *, by: Actor, now: datetime) -> Admission:
    """Begin an application. What home knows about the studies is filled in; nobody at the host sees it before it is handed in."""
    Refused.because(why_not_apply(opens_at=intake.opens_at, closes_at=intake.closes_at, now=now))
    if by.person_id is None:
        raise Refused(Reason("nobody", N_("Only a person can apply.")))
    if intake.admissions.filter(student_id=by.person_id).exists():
        raise Conflict(Reason("applied", N_("You have an application for this intake already: open that one.")))
    record = StudentRecord.objects.filter(person_id=by.person_id).select_related("home").first()
    admission = Admission(intake=intake, student=Person.objects.get(pk=by.person_id))
    if record:
        admission.home, admission.languages, admission.prior_grade = record.home, dict(record.languages), record.average
        admission.prior_isced_f, admission.prior_title = record.isced_f, record.programme
        admission.prior_institution, admission.prior_country = str(record.home)[:200], record.home.country
        admission.prior_level, admission.prior_grade_scale = record.level, record.home.grade_scale
    admission.save()
    return admission


@action("describe", on=Admission, label=_("Describe your studies so far"), allow=("self@student",), step=ADMISSION_STEPS["describe"], tone="primary")
def describe(
    admission: Admission, *, by: Actor, now: datetime,
    prior_level: Annotated[str, Ask(_("Prior qualification"), _("That you have, or will have before the programme starts."), choices=lambda _r, _a: choices(LEVEL_WORDS))],
    prior_title: Annotated[str, Ask(_("Its title"), limit=200)],
    prior_institution: Annotated[str, Ask(_("Awarded by"), limit=200)],
    prior_country: Annotated[str, Ask(_("Country"), choices=every_country)],
    prior_completed_on: Annotated[date, Ask(_("Awarded on"), _("Or the day on which it will be."))],
    prior_isced_f: Annotated[str, Ask(_("Its field (ISCED-F)"), _("Two to four digits, for example 0311 for economics."), limit=4)] = "",
    prior_grade: Annotated[str, Ask(_("Average"), _("As on your transcript, for example 15.4."), limit=16)] = "",
    prior_grade_scale: Annotated[str, Ask(_("Grade scale"), choices=grade_scale_choices)] = "",
    languages: Annotated[list[LanguageHeld], Ask(_("Languages"), start=_spoken_now)] = [],  # noqa: B006 -- never changed
    motivation: Annotated[str, Ask(_("Why this programme?"), kind="long_text", limit=5000)] = "",
) -> Admission:  # fmt: skip
    """Say what you have studied and which languages you know. It can be changed until it is handed in."""
    problems = [Reason(each.code, each.text, each.params, "prior_isced_f") for each in isced_f_problems(prior_isced_f.strip())]
    if prior_level not in LEVEL_WORDS:
        problems.append(Reason("level", N_("“%(value)s” is not one of: %(known)s."), {"value": prior_level, "known": ", ".join(LEVEL_WORDS)}, "prior_level"))
    problems += _grade_problems(prior_grade.strip(), prior_grade_scale, now)
    Invalid.because(problems)
    admission.prior_level, admission.prior_title, admission.prior_institution = prior_level, prior_title.strip(), prior_institution.strip()
    admission.prior_country, admission.prior_completed_on, admission.prior_isced_f = prior_country, prior_completed_on, prior_isced_f.strip()
    admission.prior_grade, admission.prior_grade_scale, admission.motivation = prior_grade.strip(), prior_grade_scale, motivation.strip()
    admission.languages = {row.language: row.level for row in languages}
    admission.save()
    return admission


@action("submit", on=Admission, label=_("Hand in"), allow=("self@student",), step=ADMISSION_STEPS["submit"], tone="primary")
def submit(admission: Admission, *, by: Actor, now: datetime) -> Admission:
    """Hand it in. Refused with every obstacle at once."""
    intake = admission.intake
    Refused.because([*why_not_apply(opens_at=intake.opens_at, closes_at=intake.closes_at, now=now), *obstacles_of(admission, now)])
    admission.submitted_at = now
    emit("admission.submitted", admission_id=str(admission.pk))
    return admission


@action("withdraw", on=Admission, label=_("Withdraw"), allow=("self@student",), step=ADMISSION_STEPS["withdraw"], tone="warning")
def withdraw(admission: Admission, *, by: Actor, now: datetime, because: Annotated[str, Ask(_("Why? (optional)"), kind="long_text", limit=2000)] = "") -> Admission:
    """Take the application back. A place that was offered or accepted goes to the next."""
    _freed(admission)
    return admission


@action("rank", on=Intake, label=_("Rank the applications"), allow=OF_INTAKE, step=INTAKE_STEPS["rank"])
def rank(
    intake: Intake, *, by: Actor, now: datetime,
    ranking: Annotated[list[AdmissionRankRow], Ask(_("Ranking"), _("Each application one place, with a reason that the applicant may read."), start=ranking_now)],
) -> Intake:  # fmt: skip
    """Put everybody who waits for a decision in one order, with reasons. Doing it again replaces the order; the history keeps both."""
    waiting = {each.pk: each for each in intake.admissions.filter(state__in=UNDECIDED)}
    Invalid.because([*_not_oneself(waiting.values(), by), *ranking_problems([(row.admission, row.place, row.because) for row in ranking], waiting)])
    for row in ranking:
        admission = waiting[row.admission]
        if (admission.rank, admission.rank_because) != (row.place, row.because.strip()):
            before = [admission.rank, admission.rank_because]
            admission.rank, admission.rank_because = row.place, row.because.strip()
            admission.save()
            note(admission, "rank", by=by, now=now, because=admission.rank_because, changes={"rank": [before[0], row.place]})
    intake.save()
    return intake


@action("offer", on=Admission, label=_("Offer a place"), allow=HOST_OFFICE, step=ADMISSION_STEPS["offer"], tone="primary")
def offer(
    admission: Admission, *, by: Actor, now: datetime,
    conditions: Annotated[list[ConditionRow], Ask(_("Conditions"), _("Leave empty for an offer without conditions."), start=lambda _record, _actor: [])] = [],  # noqa: B006 -- never changed
    because: Annotated[str, Ask(_("Remark for the applicant"), kind="long_text", limit=2000)] = "",
) -> Admission:  # fmt: skip
    """Offer a place, with or without conditions. Refused while somebody ranked better waits for the same place."""
    intake: Any = Intake._base_manager.select_for_update().get(pk=admission.intake_id)  # two offers at once must not share the last place
    covered = [row.document for row in conditions if row.document]
    if not by.is_system:
        candidates = candidates_of(intake, covered)
        Refused.because([*_not_oneself([admission], by), *why_not_offer(candidates, admission.pk, free=free_places(intake), closes_at=intake.closes_at, now=now)])
    today = day_at(intake.zone, now)
    problems: list[Reason] = []
    for row in conditions:
        problems += condition_problems(text=row.text, evidence=row.evidence, due_on=row.due_on, today=today, starts_on=intake.starts_on)
        if row.document and row.document not in DOCUMENT_KINDS:
            problems.append(Reason("document", N_("“%(value)s” is not one of: %(known)s."), {"value": row.document, "known": ", ".join(DOCUMENT_KINDS)}, "conditions"))
    Invalid.because(problems)
    for row in conditions:
        Condition(admission=admission, text=row.text.strip(), evidence=row.evidence.strip(), document=row.document, due_on=row.due_on).save()
    _decided(admission, by, now, because)
    # The last day counts whole, on the programme's clock.
    last = today + timedelta(days=intake.respond_days)
    admission.respond_by = datetime.combine(last, time(23, 59), ZoneInfo(intake.zone))
    return admission


@action("offer_places", on=Intake, label=_("Offer the places by rank"), allow=OF_INTAKE, step=INTAKE_STEPS["offer_places"], tone="primary")
def offer_places(
    intake: Intake, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("Remark for the applicants"), kind="long_text", limit=2000)] = "",
) -> Intake:  # fmt: skip
    """One round: the free places go to the best ranked, everybody after them stands on the waiting list in the same order."""
    candidates = candidates_of(intake)
    found = {each.pk: each for each in intake.admissions.filter(state__in=UNDECIDED)}
    Refused.because([*_round_obstacles(intake, candidates, now), *_not_oneself(found.values(), by)])
    chosen = places_go_to(candidates, free_places(intake))
    for pk in chosen:
        offer(found[pk], by=SYSTEM, now=now, because=because)
        note(found[pk], "offer", by=by, now=now, because=because)
    for candidate in candidates:
        admission = found[candidate.id]
        if candidate.id not in chosen and admission.state == AdmissionState.SUBMITTED and not candidate.unsettled:
            put_on_waiting_list(admission, by=SYSTEM, now=now, because=admission.rank_because)
    intake.save()
    return intake


@action("put_on_waiting_list", on=Admission, label=_("Put on the waiting list"), allow=HOST_OFFICE, step=ADMISSION_STEPS["put_on_waiting_list"])
def put_on_waiting_list(admission: Admission, *, by: Actor, now: datetime, because: Because) -> Admission:
    """Neither refused nor offered yet: the next free place goes to the best ranked of those who wait."""
    problems = list(_not_oneself([admission], by))
    if admission.rank is None:
        problems.append(Reason("not-ranked", N_("Rank the applications first: the waiting list follows the ranking.")))
    if now < admission.intake.closes_at:
        problems.append(Reason("still-open", N_("Places are given when everybody has applied: applications close on %(at)s."), {"at": admission.intake.closes_at}))
    Refused.because(problems)
    _decided(admission, by, now, because)
    return admission


@action("refuse", on=Admission, label=_("Refuse"), allow=HOST_OFFICE, step=ADMISSION_STEPS["refuse"], tone="warning")
def refuse(admission: Admission, *, by: Actor, now: datetime, because: Because) -> Admission:
    """Say no, with the reason."""
    Refused.because(_not_oneself([admission], by))
    _decided(admission, by, now, because)
    return admission


@action("accept", on=Admission, label=_("Accept the place"), allow=("self@student",), step=ADMISSION_STEPS["accept"], tone="primary")
def accept(admission: Admission, *, by: Actor, now: datetime) -> Admission:
    """Take the place. With open conditions it is yours once they are met; without, your studies are opened now."""
    if admission.respond_by and now > admission.respond_by:
        raise Refused(Reason("too-late", N_("The offer could be accepted until %(at)s."), {"at": admission.respond_by}))
    admission.state = AdmissionState.ACCEPTED
    admission.save()
    return admit_if_settled(admission, now=now)


@action("decline", on=Admission, label=_("Decline the place"), allow=("self@student",), step=ADMISSION_STEPS["decline"])
def decline(admission: Admission, *, by: Actor, now: datetime, because: Annotated[str, Ask(_("Why? (optional)"), kind="long_text", limit=2000)] = "") -> Admission:
    """Do not take the place; it goes to the next."""
    _freed(admission)
    return admission


@action("expire", on=Admission, label=_("Expire"), allow=(), step=ADMISSION_STEPS["expire"])
def expire(admission: Admission, *, by: Actor, now: datetime) -> Admission:
    """The day to answer has passed."""
    _freed(admission)
    emit("admission.decided", admission_id=str(admission.pk))
    return admission


@action("lapse", on=Admission, label=_("Let the offer lapse"), allow=(), step=ADMISSION_STEPS["lapse"])
def lapse(admission: Admission, *, by: Actor, now: datetime, because: str) -> Admission:
    """A condition was not met: the offer stands no longer."""
    admission.because = because
    _freed(admission)
    emit("admission.decided", admission_id=str(admission.pk))
    return admission


@action("admit", on=Admission, label=_("Admit"), allow=(), step=ADMISSION_STEPS["admit"])
def admit(admission: Admission, *, by: Actor, now: datetime) -> Admission:
    """Accepted, and no condition is open: the studies are opened under a number of their own."""
    programme = Programme._base_manager.select_for_update().get(pk=admission.intake.programme_id)  # numbers are given one after another
    held = Study.objects.filter(programme=programme).aggregate(most=Max("number"))["most"] or ""
    number = int(held.rpartition("-")[2]) + 1 if held else 1
    study = Study(
        admission=admission, programme=programme, student_id=admission.student_id, home_id=admission.home_id,
        number=f"{programme.opportunity.code[:32]}-{number:05d}", started_on=admission.intake.starts_on,
    )  # fmt: skip
    study.save()
    note(study, "admit", by=by, now=now)
    emit("study.opened", study_id=str(study.pk))
    return admission


def admit_if_settled(admission: Admission, *, now: datetime) -> Admission:
    """Admit somebody who has accepted and has no open condition."""
    if admission.state != AdmissionState.ACCEPTED or admission.conditions.filter(state=ConditionState.OPEN).exists():
        return admission
    admitted: Admission = admit(admission, by=SYSTEM, now=now)
    return admitted


def obstacles_of(admission: Admission, now: datetime) -> list[Reason]:
    """Everything between this application and handing it in, dates aside."""
    intake = admission.intake
    wanted = as_requirements(intake.programme.requirements)
    return list(obstacles(wanted, applicant_of(admission), starts_on=intake.starts_on, today=day_at(intake.zone, now)))


@task()
def offer_next(intake_id: str) -> None:
    """On admission.place_freed: free places go to the best ranked on the waiting list. May run twice."""
    now = clock.now()
    intake = Intake.objects.select_related("programme").get(pk=intake_id)
    if intake.state != "published" or day_at(intake.zone, now) >= intake.starts_on:
        return
    waiting = [each for each in candidates_of(intake) if intake.admissions.filter(pk=each.id, state=AdmissionState.WAITING).exists()]
    for pk in places_go_to(waiting, free_places(intake)):
        offer(Admission.objects.get(pk=pk), by=SYSTEM, now=now, because="")


@every(3600)
@task()
def expire_offers() -> None:
    """Once an hour: offers that nobody answered in time."""
    now = clock.now()
    for admission in Admission.objects.filter(state=AdmissionState.OFFERED, respond_by__lt=now):
        expire(admission, by=SYSTEM, now=now)


def _round_obstacles(intake: Intake, candidates: list[Any], now: datetime) -> Iterator[Reason]:
    if now < intake.closes_at:
        yield Reason("still-open", N_("Places are given when everybody has applied: applications close on %(at)s."), {"at": intake.closes_at})
    if not candidates:
        yield Reason("nobody-waits", N_("Nobody waits for a decision."))
    if unranked := sum(1 for each in candidates if each.rank is None):
        yield Reason("not-all-ranked", N_("Applications that are not ranked: %(count)s. Whoever is left out would be decided by nobody."), {"count": unranked})
    if candidates and free_places(intake) < 1:
        yield Reason("no-place", N_("Every place is offered or taken. Put the application on the waiting list."))


def _decided(admission: Admission, by: Actor, now: datetime, because: str) -> None:
    admission.decided_by_id, admission.decided_at, admission.because = by.person_id, now, because.strip()
    emit("admission.decided", admission_id=str(admission.pk))


def _freed(admission: Admission) -> None:
    """Tell that a place may be free again."""
    if admission.state in {AdmissionState.OFFERED, AdmissionState.ACCEPTED}:
        emit("admission.place_freed", intake_id=str(admission.intake_id))


def _not_oneself(admissions: Iterable[Admission], by: Actor) -> Iterator[Reason]:
    if by.person_id is not None and any(each.student_id == by.person_id for each in admissions):
        yield Reason("own-application", N_("Nobody decides on an application of their own: somebody else of the office has to."))


def _grade_problems(grade: str, scale: str, now: datetime) -> list[Reason]:
    if bool(grade) != bool(scale):
        return [Reason("grade-scale", N_("An average needs its scale, and a scale its average."), {}, "prior_grade")]
    try:
        if grade:
            read_grade(grade, scale, now.date())
    except VsmError as refusal:
        return [Reason(each.code, each.text, each.params, "prior_grade") for each in refusal.reasons]
    return []

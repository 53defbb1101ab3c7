"""From records to what the pure rules take: an applicant, the candidates of an intake, attempts, pauses, progress, limits."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from vsm.exchange.programmes.choosing import Limits
from vsm.exchange.programmes.models import Admission, Intake, Programme, Study
from vsm.exchange.programmes.progress import Attempt, Pause, Progress, last_day, progress_of
from vsm.exchange.programmes.rules import Applicant, Candidate, as_requirements, unsettled_documents
from vsm.exchange.programmes.states import AdmissionState, DocumentState, InterruptionState, TermState

# What a place is held by: an offer that can still be accepted, or somebody who has accepted.
HOLDING = (AdmissionState.OFFERED, AdmissionState.ACCEPTED, AdmissionState.ADMITTED)
UNDECIDED = (AdmissionState.SUBMITTED, AdmissionState.WAITING)
_BEST_FIRST = (DocumentState.VERIFIED, DocumentState.RECEIVED, DocumentState.QUERIED, DocumentState.REFUSED, DocumentState.REPLACED)


def day_at(zone: str, now: datetime) -> date:
    """The calendar day at a place."""
    return now.astimezone(ZoneInfo(zone)).date()


def document_states(admission: Admission) -> dict[str, str]:
    """Kind → the state of its best document."""
    best: dict[str, str] = {}
    for each in admission.documents.all():
        held = best.get(each.kind)
        if held is None or _BEST_FIRST.index(DocumentState(each.state)) < _BEST_FIRST.index(DocumentState(held)):
            best[each.kind] = each.state
    return best


def applicant_of(admission: Admission) -> Applicant:
    usable = {DocumentState.RECEIVED, DocumentState.VERIFIED, DocumentState.QUERIED}
    return Applicant(
        level=admission.prior_level, isced_f=admission.prior_isced_f, grade=admission.prior_grade, grade_scale=admission.prior_grade_scale,
        completed_on=admission.prior_completed_on, languages=admission.languages,
        documents={kind for kind, state in document_states(admission).items() if state in usable},
    )  # fmt: skip


def candidates_of(intake: Intake, covered: Iterable[str] = ()) -> list[Candidate]:
    """Those of an intake who wait for a decision. `covered` are document kinds that conditions will take care of."""
    wanted = [kind for kind in as_requirements(intake.programme.requirements).documents if kind not in set(covered)]
    found = intake.admissions.filter(state__in=UNDECIDED).prefetch_related("documents").order_by("rank", "submitted_at")
    return [Candidate(each.pk, each.rank, tuple(unsettled_documents(document_states(each), wanted))) for each in found]


def free_places(intake: Intake) -> int:
    """Places that nobody holds; `holding` are the admissions that do, where a list has fetched them."""
    held = intake.__dict__.get("holding")
    return int(intake.places) - (intake.admissions.filter(state__in=HOLDING).count() if held is None else len(held))


def phase_of(intake: Intake, now: datetime) -> str:
    """Where an intake stands by its dates: planned, coming, applying, deciding, started or cancelled."""
    if intake.state != "published":
        return str(intake.state)
    if now < intake.opens_at:
        return "coming"
    if now < intake.closes_at:
        return "applying"
    return "deciding" if day_at(intake.zone, now) < intake.starts_on else "started"


# Studies --------------------------------------------------------------------------------------------------------------


def limits_of(programme: Programme) -> Limits:
    return Limits(
        credits_low=programme.term_credits_low, credits_high=programme.term_credits_high, late_days=programme.late_days,
        attempts=programme.attempts, pause_months=programme.pause_months,
    )  # fmt: skip


def attempts_of(study: Study, except_term: Any = None) -> list[Attempt]:
    """Every enrolment in a module, in the order of the terms; those of one term can be left out."""
    return [
        Attempt(each.module.code, each.state, each.number)
        for term in sorted(study.terms.all(), key=lambda term: term.number)
        if term.pk != except_term and term.state != TermState.CANCELLED
        for each in term.attempts.all()
    ]


def pauses_of(study: Study) -> list[Pause]:
    """Interruptions that took or take place: until the return, or while it is to come until the planned one."""
    return [
        Pause(each.starts_on, each.returned_on or each.returns_on)
        for each in study.interruptions.all()
        if each.state in {InterruptionState.APPROVED, InterruptionState.ENDED}
    ]


def last_day_of(study: Study) -> date:
    return last_day(study.started_on, study.programme.longest_months + study.extra_months, pauses_of(study))


def progress(study: Study, today: date) -> Progress:
    studied = sum(1 for each in study.terms.all() if each.state != TermState.CANCELLED and each.term.ends_on < today)
    return progress_of(study.programme.structure, attempts_of(study), terms_studied=studied, by=last_day_of(study))


def facts_missing(programme: Programme) -> list[str]:
    """The parts of the diploma supplement that belong to the programme and that nobody has stated."""
    return [name for name in SUPPLEMENT_FACTS if not any(programme.supplement.get(name, {}).values())]


# What a programme says for the diploma supplement; the numbers are those of the model's sections.
SUPPLEMENT_FACTS: Mapping[str, str] = {
    "status": "2.3",
    "access": "3.3",
    "outcomes": "4.2",
    "further_study": "5.1",
    "professional": "5.2",
    "national_system": "8",
}

"""The lives of a host's vetting, a vacancy, an application, an interview, a placement and what belongs to it."""

from enum import StrEnum

from vsm.kit.states import step


class HostState(StrEnum):
    UNCONFIRMED = "unconfirmed"
    APPLIED = "applied"
    VETTING = "vetting"
    VETTED = "vetted"
    REFUSED = "refused"
    SUSPENDED = "suspended"
    EXPIRED = "expired"


HOST_STEPS = {
    "confirm": step(HostState.UNCONFIRMED, to=HostState.APPLIED),
    "take_up": step(HostState.APPLIED, to=HostState.VETTING),
    "check": step(HostState.VETTING, HostState.VETTED, HostState.SUSPENDED, HostState.EXPIRED),
    # Vetting again while the old one holds is how it is renewed without a gap.
    "vet": step(HostState.VETTING, HostState.VETTED, HostState.EXPIRED, to=HostState.VETTED),
    "refuse": step(HostState.APPLIED, HostState.VETTING, to=HostState.REFUSED),
    "suspend": step(HostState.VETTED, to=HostState.SUSPENDED),
    "lift": step(HostState.SUSPENDED, to=HostState.VETTED),
    "expire": step(HostState.VETTED, to=HostState.EXPIRED),
    "reopen": step(HostState.REFUSED, to=HostState.VETTING),
}


class VacancyState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


VACANCY_STEPS = {
    "edit": step(VacancyState.DRAFT, VacancyState.PUBLISHED),
    "publish": step(VacancyState.DRAFT, to=VacancyState.PUBLISHED),
    "withdraw": step(VacancyState.DRAFT, VacancyState.PUBLISHED, to=VacancyState.WITHDRAWN),
    "apply": step(VacancyState.PUBLISHED),
    "offer_interviews": step(VacancyState.PUBLISHED),
    "rank": step(VacancyState.PUBLISHED),
    "make_offers": step(VacancyState.PUBLISHED),
    "close": step(VacancyState.PUBLISHED, to=VacancyState.CLOSED),
}


class ApplicationState(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    SHORTLISTED = "shortlisted"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    NOT_SELECTED = "not-selected"
    WITHDRAWN = "withdrawn"


APPLICATION_STEPS = {
    "edit": step(ApplicationState.DRAFT, ApplicationState.SUBMITTED),
    "attach": step(ApplicationState.DRAFT, ApplicationState.SUBMITTED),
    "submit": step(ApplicationState.DRAFT, to=ApplicationState.SUBMITTED),
    "shortlist": step(ApplicationState.SUBMITTED, to=ApplicationState.SHORTLISTED),
    "not_select": step(ApplicationState.SUBMITTED, ApplicationState.SHORTLISTED, to=ApplicationState.NOT_SELECTED),
    "book": step(ApplicationState.SHORTLISTED),
    "offer": step(ApplicationState.SHORTLISTED, to=ApplicationState.OFFERED),
    "accept": step(ApplicationState.OFFERED, to=ApplicationState.ACCEPTED),
    "decline": step(ApplicationState.OFFERED, to=ApplicationState.DECLINED),
    "expire": step(ApplicationState.OFFERED, to=ApplicationState.EXPIRED),
    "withdraw": step(
        ApplicationState.DRAFT, ApplicationState.SUBMITTED, ApplicationState.SHORTLISTED, ApplicationState.OFFERED, to=ApplicationState.WITHDRAWN
    ),
}


class InterviewState(StrEnum):
    OPEN = "open"
    BOOKED = "booked"
    HELD = "held"
    MISSED = "missed"
    CANCELLED = "cancelled"


INTERVIEW_STEPS = {
    "give_back": step(InterviewState.BOOKED, to=InterviewState.OPEN),
    "cancel": step(InterviewState.OPEN, InterviewState.BOOKED, to=InterviewState.CANCELLED),
    "record": step(InterviewState.BOOKED),
}


class PlacementState(StrEnum):
    PREPARING = "preparing"
    READY = "ready"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    SUSPENDED = "suspended"
    COMPLETED = "completed"
    ENDED = "ended"
    CANCELLED = "cancelled"


BEGUN = (PlacementState.RUNNING, PlacementState.INTERRUPTED, PlacementState.SUSPENDED)
OVER = (PlacementState.COMPLETED, PlacementState.ENDED)
PLACEMENT_STEPS = {
    "record_insurance": step(PlacementState.PREPARING, PlacementState.READY, *BEGUN),
    "start": step(PlacementState.READY, to=PlacementState.RUNNING),
    "interrupt": step(PlacementState.RUNNING, to=PlacementState.INTERRUPTED),
    "resume": step(PlacementState.INTERRUPTED, to=PlacementState.RUNNING),
    "suspend": step(PlacementState.PREPARING, PlacementState.READY, PlacementState.RUNNING, PlacementState.INTERRUPTED, to=PlacementState.SUSPENDED),
    "lift": step(PlacementState.SUSPENDED),
    "end_early": step(*BEGUN, to=PlacementState.ENDED),
    "cancel": step(PlacementState.PREPARING, PlacementState.READY, to=PlacementState.CANCELLED),
    "complete": step(PlacementState.RUNNING, to=PlacementState.COMPLETED),
    # Who was stopped early may still write down and have confirmed what was worked before.
    "log_hours": step(*BEGUN, PlacementState.ENDED),
    "confirm_hours": step(*BEGUN, PlacementState.ENDED),
    "return_hours": step(*BEGUN, PlacementState.ENDED),
    "evaluate": step(PlacementState.RUNNING, PlacementState.INTERRUPTED, *OVER),
    "raise_concern": step(*PlacementState),
    "decide_credits": step(*OVER),
    "certify": step(*OVER),
    "withdraw_certificate": step(*OVER),
}


class AgreementState(StrEnum):
    DRAFT = "draft"
    SIGNING = "signing"
    SIGNED = "signed"
    CANCELLED = "cancelled"


AGREEMENT_STEPS = {
    "draft_version": step(AgreementState.DRAFT, AgreementState.SIGNING, AgreementState.SIGNED, to=AgreementState.DRAFT),
    "present": step(AgreementState.DRAFT, to=AgreementState.SIGNING),
    "sign": step(AgreementState.SIGNING),
    "send_link": step(AgreementState.SIGNING),
    "return": step(AgreementState.SIGNING, to=AgreementState.DRAFT),
    "cancel": step(AgreementState.DRAFT, AgreementState.SIGNING, AgreementState.SIGNED, to=AgreementState.CANCELLED),
}


class LinkState(StrEnum):
    SENT = "sent"
    USED = "used"
    WITHDRAWN = "withdrawn"


LINK_STEPS = {
    "send_code": step(LinkState.SENT),
    "sign": step(LinkState.SENT, to=LinkState.USED),
    "withdraw": step(LinkState.SENT, to=LinkState.WITHDRAWN),
}


class HoursState(StrEnum):
    LOGGED = "logged"
    RETURNED = "returned"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


HOURS_STEPS = {
    # A confirmed entry that is corrected must be confirmed again.
    "correct": step(HoursState.LOGGED, HoursState.RETURNED, HoursState.CONFIRMED, to=HoursState.LOGGED),
    "confirm": step(HoursState.LOGGED, to=HoursState.CONFIRMED),
    "return": step(HoursState.LOGGED, to=HoursState.RETURNED),
    "withdraw": step(HoursState.LOGGED, HoursState.RETURNED, to=HoursState.WITHDRAWN),
}


class EvaluationState(StrEnum):
    SEALED = "sealed"
    SHOWN = "shown"


class ConcernState(StrEnum):
    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    ACTING = "acting"
    CLOSED = "closed"


CONCERN_STEPS = {
    "acknowledge": step(ConcernState.RAISED, to=ConcernState.ACKNOWLEDGED),
    "act": step(ConcernState.ACKNOWLEDGED, ConcernState.ACTING, to=ConcernState.ACTING),
    "add": step(ConcernState.RAISED, ConcernState.ACKNOWLEDGED, ConcernState.ACTING),
    "suspend_placement": step(ConcernState.RAISED, ConcernState.ACKNOWLEDGED, ConcernState.ACTING, to=ConcernState.ACTING),
    "close": step(ConcernState.ACKNOWLEDGED, ConcernState.ACTING, to=ConcernState.CLOSED),
    "reopen": step(ConcernState.CLOSED, to=ConcernState.ACTING),
}


class CreditState(StrEnum):
    RECOGNISED = "recognised"
    REFUSED = "refused"

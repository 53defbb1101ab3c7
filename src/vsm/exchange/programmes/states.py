"""The lives of a programme and its intakes, of an admission with its documents and conditions, of a course of study with
its terms and interruptions, of an award, and of its recognition at home."""

from enum import StrEnum

from vsm.kit.states import step


class ProgrammeState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    CLOSED = "closed"


PROGRAMME_STEPS = {
    "edit": step(ProgrammeState.DRAFT, ProgrammeState.PUBLISHED),
    "arrange": step(ProgrammeState.DRAFT, ProgrammeState.PUBLISHED),
    "require": step(ProgrammeState.DRAFT, ProgrammeState.PUBLISHED),
    "describe_award": step(ProgrammeState.DRAFT, ProgrammeState.PUBLISHED),
    "publish": step(ProgrammeState.DRAFT, ProgrammeState.CLOSED, to=ProgrammeState.PUBLISHED),
    "close": step(ProgrammeState.PUBLISHED, to=ProgrammeState.CLOSED),
    "open_intake": step(ProgrammeState.PUBLISHED),
}


class IntakeState(StrEnum):
    PLANNED = "planned"
    PUBLISHED = "published"
    CANCELLED = "cancelled"


INTAKE_STEPS = {
    "edit": step(IntakeState.PLANNED, IntakeState.PUBLISHED),
    "publish": step(IntakeState.PLANNED, to=IntakeState.PUBLISHED),
    "cancel": step(IntakeState.PLANNED, IntakeState.PUBLISHED, to=IntakeState.CANCELLED),
    "apply": step(IntakeState.PUBLISHED),
    "rank": step(IntakeState.PUBLISHED),
    "offer_places": step(IntakeState.PUBLISHED),
}


class AdmissionState(StrEnum):
    """`accepted` is by the student with conditions still open; `admitted` is when nothing is open any more."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    WAITING = "waiting"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    ADMITTED = "admitted"
    DECLINED = "declined"
    EXPIRED = "expired"
    REFUSED = "refused"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


_BEFORE_DECISION = (AdmissionState.SUBMITTED, AdmissionState.WAITING)
_UNDER_WAY = (AdmissionState.DRAFT, *_BEFORE_DECISION, AdmissionState.OFFERED, AdmissionState.ACCEPTED)
ADMISSION_STEPS = {
    "describe": step(AdmissionState.DRAFT),
    "attach": step(*_UNDER_WAY),
    "submit": step(AdmissionState.DRAFT, to=AdmissionState.SUBMITTED),
    "put_on_waiting_list": step(AdmissionState.SUBMITTED, to=AdmissionState.WAITING),
    "offer": step(*_BEFORE_DECISION, to=AdmissionState.OFFERED),
    "refuse": step(*_BEFORE_DECISION, to=AdmissionState.REFUSED),
    "accept": step(AdmissionState.OFFERED),
    "decline": step(AdmissionState.OFFERED, to=AdmissionState.DECLINED),
    "expire": step(AdmissionState.OFFERED, to=AdmissionState.EXPIRED),
    "lapse": step(AdmissionState.OFFERED, AdmissionState.ACCEPTED, to=AdmissionState.LAPSED),
    "admit": step(AdmissionState.ACCEPTED, to=AdmissionState.ADMITTED),
    "withdraw": step(*_UNDER_WAY, to=AdmissionState.WITHDRAWN),
}


class DocumentState(StrEnum):
    RECEIVED = "received"
    VERIFIED = "verified"
    QUERIED = "queried"
    REFUSED = "refused"
    REPLACED = "replaced"


DOCUMENT_STEPS = {
    "verify": step(DocumentState.RECEIVED, DocumentState.QUERIED, DocumentState.REFUSED, to=DocumentState.VERIFIED),
    "query": step(DocumentState.RECEIVED, DocumentState.VERIFIED, to=DocumentState.QUERIED),
    "refuse": step(DocumentState.RECEIVED, DocumentState.QUERIED, DocumentState.VERIFIED, to=DocumentState.REFUSED),
    "replace": step(DocumentState.RECEIVED, DocumentState.QUERIED, DocumentState.REFUSED, to=DocumentState.REPLACED),
}


class ConditionState(StrEnum):
    OPEN = "open"
    MET = "met"
    WAIVED = "waived"
    FAILED = "failed"


CONDITION_STEPS = {
    "meet": step(ConditionState.OPEN, to=ConditionState.MET),
    "waive": step(ConditionState.OPEN, to=ConditionState.WAIVED),
    "fail": step(ConditionState.OPEN, to=ConditionState.FAILED),
    "extend": step(ConditionState.OPEN),
}


class StudyState(StrEnum):
    ACTIVE = "active"
    INTERRUPTED = "interrupted"
    AWARDED = "awarded"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"


STUDY_STEPS = {
    "enrol_in_term": step(StudyState.ACTIVE),
    "allow_attempt": step(StudyState.ACTIVE, StudyState.INTERRUPTED),
    "extend": step(StudyState.ACTIVE, StudyState.INTERRUPTED),
    "ask_interruption": step(StudyState.ACTIVE),
    "interrupt": step(StudyState.ACTIVE, to=StudyState.INTERRUPTED),
    "resume": step(StudyState.INTERRUPTED, to=StudyState.ACTIVE),
    "withdraw": step(StudyState.ACTIVE, StudyState.INTERRUPTED, to=StudyState.WITHDRAWN),
    "end": step(StudyState.ACTIVE, StudyState.INTERRUPTED, to=StudyState.ENDED),
    "award": step(StudyState.ACTIVE, to=StudyState.AWARDED),
    "return_award": step(StudyState.AWARDED, to=StudyState.ACTIVE),
}


class TermState(StrEnum):
    """A term ends by itself when every module in it has a result."""

    ENROLLED = "enrolled"
    FINISHED = "finished"
    CANCELLED = "cancelled"


TERM_STEPS = {
    "change_modules": step(TermState.ENROLLED),
    "drop_module": step(TermState.ENROLLED),
    "record_results": step(TermState.ENROLLED, TermState.FINISHED),
    "cancel": step(TermState.ENROLLED, to=TermState.CANCELLED),
}


class AttemptState(StrEnum):
    TAKING = "taking"
    PASSED = "passed"
    FAILED = "failed"
    DROPPED = "dropped"


class InterruptionState(StrEnum):
    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    CALLED_OFF = "called_off"
    ENDED = "ended"


INTERRUPTION_STEPS = {
    "approve": step(InterruptionState.ASKED, to=InterruptionState.APPROVED),
    "refuse": step(InterruptionState.ASKED, to=InterruptionState.REFUSED),
    "call_off": step(InterruptionState.ASKED, InterruptionState.APPROVED, to=InterruptionState.CALLED_OFF),
    "end": step(InterruptionState.APPROVED, to=InterruptionState.ENDED),
}


class ConferralState(StrEnum):
    CONFERRED = "conferred"
    WITHDRAWN = "withdrawn"


CONFERRAL_STEPS = {
    "withdraw": step(ConferralState.CONFERRED, to=ConferralState.WITHDRAWN),
    "ask_recognition": step(ConferralState.CONFERRED),
}


class RecognitionState(StrEnum):
    ASKED = "asked"
    MORE_ASKED = "more_asked"
    FULL = "full"
    PARTIAL = "partial"
    REFUSED = "refused"


_OPEN = (RecognitionState.ASKED, RecognitionState.MORE_ASKED)
RECOGNITION_STEPS = {
    "evaluate": step(*_OPEN),
    "ask_for_more": step(RecognitionState.ASKED, to=RecognitionState.MORE_ASKED),
    "answer": step(RecognitionState.MORE_ASKED, to=RecognitionState.ASKED),
    "recognise": step(*_OPEN, to=RecognitionState.FULL),
    "recognise_partly": step(*_OPEN, to=RecognitionState.PARTIAL),
    "refuse": step(*_OPEN, to=RecognitionState.REFUSED),
    "appeal": step(RecognitionState.ASKED, RecognitionState.PARTIAL, RecognitionState.REFUSED, to=RecognitionState.ASKED),
}

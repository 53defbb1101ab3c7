"""The lives of an enrolment, of a series and of a live session. Dropping leaves no trace on the transcript, withdrawing does."""

from enum import StrEnum

from vsm.kit.states import step


class State(StrEnum):
    ENROLLED = "enrolled"
    DROPPED = "dropped"
    WITHDRAWN = "withdrawn"
    COMPLETED = "completed"


STEPS = {
    "drop": step(State.ENROLLED, to=State.DROPPED),
    "withdraw": step(State.ENROLLED, to=State.WITHDRAWN),
    "complete": step(State.ENROLLED, to=State.COMPLETED),
    "resume": step(State.COMPLETED, to=State.ENROLLED),
    # A seat in a dropped course can come back from the waiting list.
    "enrol_again": step(State.DROPPED, to=State.ENROLLED),
}


class SessionState(StrEnum):
    SCHEDULED = "scheduled"
    CANCELLED = "cancelled"


SESSION_STEPS = {
    "move": step(SessionState.SCHEDULED),
    "cancel": step(SessionState.SCHEDULED, to=SessionState.CANCELLED),
    "restore": step(SessionState.CANCELLED, to=SessionState.SCHEDULED),
    "take_attendance": step(SessionState.SCHEDULED),
    "prepare": step(SessionState.SCHEDULED),
}


class SeriesState(StrEnum):
    PLANNED = "planned"
    CANCELLED = "cancelled"


SERIES_STEPS = {
    "describe": step(SeriesState.PLANNED),
    "add_participants": step(SeriesState.PLANNED),
    "remove_participants": step(SeriesState.PLANNED),
    "replan": step(SeriesState.PLANNED),
    "keep_within": step(SeriesState.PLANNED),
    "cancel_series": step(SeriesState.PLANNED, to=SeriesState.CANCELLED),
}

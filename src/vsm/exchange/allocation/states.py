"""The lives of an allocation run, of a seat, of a trial and of an appeal."""

from enum import StrEnum

from vsm.exchange.applications.states import CallState
from vsm.kit.states import step


class RunState(StrEnum):
    COMPUTING = "computing"
    FAILED = "failed"
    PREVIEW = "preview"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    DISCARDED = "discarded"


RUN_STEPS = {
    "complete": step(RunState.COMPUTING, to=RunState.PREVIEW),
    "give_up": step(RunState.COMPUTING, to=RunState.FAILED),
    "schedule": step(RunState.PREVIEW, to=RunState.SCHEDULED),
    "undo": step(RunState.SCHEDULED, to=RunState.PREVIEW),
    "publish": step(RunState.PREVIEW, RunState.SCHEDULED, to=RunState.PUBLISHED),
    "discard": step(RunState.COMPUTING, RunState.FAILED, RunState.PREVIEW, to=RunState.DISCARDED),
}


class SeatState(StrEnum):
    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    RELEASED = "released"
    WITHDRAWN = "withdrawn"


HOLDING = (SeatState.OFFERED, SeatState.ACCEPTED)

SEAT_STEPS = {
    "accept": step(SeatState.OFFERED, to=SeatState.ACCEPTED),
    "decline": step(SeatState.OFFERED, to=SeatState.DECLINED),
    "expire": step(SeatState.OFFERED, to=SeatState.EXPIRED),
    "release": step(SeatState.OFFERED, SeatState.ACCEPTED, to=SeatState.RELEASED),
    "withdraw": step(SeatState.ACCEPTED, to=SeatState.WITHDRAWN),
}


class TrialState(StrEnum):
    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"
    DISCARDED = "discarded"


TRIAL_STEPS = {
    "note_ready": step(TrialState.WAITING, to=TrialState.READY),
    "give_up": step(TrialState.WAITING, to=TrialState.FAILED),
    "discard": step(TrialState.WAITING, TrialState.READY, TrialState.FAILED, to=TrialState.DISCARDED),
    "vary": step(TrialState.READY),
}


class AppealState(StrEnum):
    FILED = "filed"
    TAKEN_UP = "taken-up"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


OPEN_APPEALS = (AppealState.FILED, AppealState.TAKEN_UP)

APPEAL_STEPS = {
    "take_up": step(AppealState.FILED, to=AppealState.TAKEN_UP),
    "grant": step(*OPEN_APPEALS, to=AppealState.GRANTED),
    "refuse": step(*OPEN_APPEALS, to=AppealState.REFUSED),
    "withdraw": step(*OPEN_APPEALS, to=AppealState.WITHDRAWN),
}

# What the allocation does to a call. Sealing and running are refused with all reasons at once, so they stand in rules.
CALL_STEPS = {
    "add_seats": step(CallState.ALLOCATED),
    "set_rules": step(CallState.DRAFT, CallState.PUBLISHED),
    "lower_minima": step(CallState.PUBLISHED),
}

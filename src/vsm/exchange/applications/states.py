"""The lives of a call and of an application. These tables are the only place where they are written."""

from enum import StrEnum

from vsm.kit.states import step


class CallState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    ALLOCATED = "allocated"
    CLOSED = "closed"


CALL_STEPS = {
    "publish": step(CallState.DRAFT, to=CallState.PUBLISHED),
    "return_to_draft": step(CallState.PUBLISHED, to=CallState.DRAFT),
    "note_allocated": step(CallState.PUBLISHED, CallState.ALLOCATED, to=CallState.ALLOCATED),
    "close": step(CallState.PUBLISHED, CallState.ALLOCATED, to=CallState.CLOSED),
    "apply": step(CallState.PUBLISHED),
    "edit": step(CallState.DRAFT, CallState.PUBLISHED),
    "choose_offerings": step(CallState.DRAFT, CallState.PUBLISHED),
}


class State(StrEnum):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    NOMINATED = "nominated"
    NOT_NOMINATED = "not-nominated"
    PLACED = "placed"
    WAITING = "waiting"
    UNPLACED = "unplaced"
    WITHDRAWN = "withdrawn"


OPEN = (State.DRAFT, State.SUBMITTED, State.NOMINATED, State.PLACED, State.WAITING)

STEPS = {
    "rank": step(State.DRAFT),
    "describe": step(State.DRAFT),
    "attach": step(State.DRAFT, State.SUBMITTED),
    "remove_document": step(State.DRAFT),
    "submit": step(State.DRAFT, to=State.SUBMITTED),
    "reopen": step(State.SUBMITTED, to=State.DRAFT),
    "nominate": step(State.SUBMITTED, to=State.NOMINATED),
    "decline_nomination": step(State.SUBMITTED, to=State.NOT_NOMINATED),
    "return_nomination": step(State.NOMINATED, State.NOT_NOMINATED, to=State.SUBMITTED),
    "place": step(State.NOMINATED, State.WAITING, State.PLACED, to=State.PLACED),
    "put_on_waiting_list": step(State.NOMINATED, State.PLACED, State.WAITING, to=State.WAITING),
    "leave_unplaced": step(State.NOMINATED, State.PLACED, State.WAITING, to=State.UNPLACED),
    "withdraw": step(*OPEN, to=State.WITHDRAWN),
}

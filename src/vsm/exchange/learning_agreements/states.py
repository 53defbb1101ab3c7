"""The life of a learning agreement. A change makes a new version; a signature binds one version's digest."""

from enum import StrEnum

from vsm.kit.states import step


class State(StrEnum):
    DRAFT = "draft"
    SIGNING = "signing"
    SIGNED = "signed"
    CANCELLED = "cancelled"


STEPS = {
    "draft_version": step(State.DRAFT, State.SIGNING, State.SIGNED, to=State.DRAFT),
    "present": step(State.DRAFT, to=State.SIGNING),
    "sign": step(State.SIGNING),
    "return": step(State.SIGNING, to=State.DRAFT),
    "cancel": step(State.DRAFT, State.SIGNING, State.SIGNED, to=State.CANCELLED),
    # A student can lose every seat at a host and get another one there from the waiting list.
    "reopen": step(State.CANCELLED, to=State.DRAFT),
}

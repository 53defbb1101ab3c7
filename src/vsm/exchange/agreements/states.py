"""The life of an agreement. This table is the only place where it is written."""

from enum import StrEnum

from vsm.kit.states import step


class State(StrEnum):
    DRAFT = "draft"
    PROPOSED = "proposed"
    SIGNED = "signed"
    ENDED = "ended"


STEPS = {
    "propose": step(State.DRAFT, to=State.PROPOSED),
    "revise": step(State.DRAFT, State.PROPOSED, to=State.DRAFT),
    "sign": step(State.PROPOSED),
    "end": step(State.SIGNED, to=State.ENDED),
}

"""The life of a physical mobility. Whether somebody should be abroad follows from dates; whether they are, from a report."""

from enum import StrEnum

from vsm.kit.states import step


class State(StrEnum):
    PLANNED = "planned"
    ABROAD = "abroad"
    OVER = "over"
    CANCELLED = "cancelled"


LIVE = (State.PLANNED, State.ABROAD)

STEPS = {
    "edit": step(*LIVE),
    "edit_contacts": step(*LIVE),
    "change_courses": step(*LIVE),
    "arrive": step(State.PLANNED, to=State.ABROAD),
    "come_back": step(State.ABROAD, to=State.OVER),
    "cancel": step(*LIVE, to=State.CANCELLED),
}

"""The life of an opportunity and of an offering, and of an import."""

from enum import StrEnum

from vsm.kit.states import step


class State(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class ImportState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


STEPS = {
    "edit": step(*State),
    "publish": step(State.DRAFT, State.WITHDRAWN, to=State.PUBLISHED),
    "withdraw": step(State.PUBLISHED, to=State.WITHDRAWN),
    "add_offering": step(State.DRAFT, State.PUBLISHED),
    "assign_instructors": step(State.DRAFT, State.PUBLISHED),
}
IMPORT_STEPS = {"apply": step(ImportState.DONE)}

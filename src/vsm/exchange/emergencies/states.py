"""The lives of an emergency, of each student's case in it, and of the bulk runs that move thousands of cases."""

from enum import StrEnum

from vsm.kit.states import step


class State(StrEnum):
    DRAFT = "draft"
    DECLARED = "declared"
    LIFTED = "lifted"
    WITHDRAWN = "withdrawn"


STEPS = {
    "revise": step(State.DRAFT),
    "declare": step(State.DRAFT, to=State.DECLARED),
    "find_again": step(State.DECLARED),
    "propose": step(State.DECLARED),
    "remind": step(State.DECLARED),
    "carry_out": step(State.DECLARED),
    "countersign": step(State.DECLARED, State.LIFTED),
    "let_answer": step(State.DECLARED),
    "extend": step(State.DECLARED),
    "lift": step(State.DECLARED, to=State.LIFTED),
    "withdraw": step(State.DRAFT, State.DECLARED, to=State.WITHDRAWN),
    "bring_back": step(State.LIFTED),
}


class CaseState(StrEnum):
    """`covered`: another emergency already looks after this stay. `released`: it concerns this stay no longer."""

    FOUND = "found"
    COVERED = "covered"
    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    STAYING = "staying"
    SWITCHED = "switched"
    FINISHING = "finishing"
    RETURNED = "returned"
    RELEASED = "released"


OPEN_CASES = (CaseState.FOUND, CaseState.PROPOSED, CaseState.ACCEPTED)
"""States in which somebody still has to do something; the end of the emergency releases them from it."""

OVER = (CaseState.RETURNED, CaseState.RELEASED)
"""States in which nobody is asked any more how they are; who asked for help before stays on the office's list."""

HANDLED = (CaseState.PROPOSED, CaseState.ACCEPTED, CaseState.SWITCHED)
"""States in which a case is being looked after, so that a second emergency need not."""

CASE_STEPS = {
    "choose": step(CaseState.PROPOSED, CaseState.DEFERRED, CaseState.STAYING, to=CaseState.PROPOSED),
    "accept": step(CaseState.PROPOSED, to=CaseState.ACCEPTED),
    "defer": step(CaseState.PROPOSED, CaseState.STAYING, to=CaseState.DEFERRED),
    "stay": step(CaseState.PROPOSED, CaseState.DEFERRED, to=CaseState.STAYING),
    "take_back": step(CaseState.ACCEPTED, to=CaseState.PROPOSED),
    "finish_online": step(CaseState.SWITCHED, to=CaseState.FINISHING),
    # Also when nothing is left to decide: whoever asked for help is helped until they say that they are safe.
    "check_in": step(*CaseState),
}


class RunState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"


RUN_STEPS = {
    "advance": step(RunState.WAITING, RunState.RUNNING),
    "resume": step(RunState.WAITING, RunState.RUNNING),
}


class Safety(StrEnum):
    """What somebody told about themselves last; silence is a state too."""

    SILENT = "silent"
    SAFE = "safe"
    HELP = "help"

"""The life of a release: it comes once and stays; a refused one is kept with its reasons. And of a break in a series: it is
proposed, and a person decides; a decision can be taken back, and the history keeps both. And of a table of one's own: it is
read and told what it holds, then somebody keeps it, or it has to be corrected; what was not kept can be discarded."""

from enum import StrEnum

from vsm.kit.states import step


class State(StrEnum):
    LOADED = "loaded"
    REFUSED = "refused"


class TableState(StrEnum):
    READ = "read"
    FAULTY = "faulty"
    KEPT = "kept"
    DISCARDED = "discarded"


TABLE_STEPS = {
    "keep": step(TableState.READ, to=TableState.KEPT),
    "discard": step(TableState.READ, TableState.FAULTY, to=TableState.DISCARDED),
}


class BreakState(StrEnum):
    PROPOSED = "proposed"
    FLAGGED = "flagged"
    SPLICED = "spliced"
    DROPPED = "dropped"
    KEPT = "kept"


DECIDED = (BreakState.FLAGGED, BreakState.SPLICED, BreakState.DROPPED, BreakState.KEPT)

BREAK_STEPS = {
    "flag": step(BreakState.PROPOSED, to=BreakState.FLAGGED),
    "splice": step(BreakState.PROPOSED, to=BreakState.SPLICED),
    "drop": step(BreakState.PROPOSED, to=BreakState.DROPPED),
    "keep": step(BreakState.PROPOSED, to=BreakState.KEPT),
    "reconsider": step(*DECIDED, to=BreakState.PROPOSED),
}

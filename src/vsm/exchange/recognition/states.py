"""The lives of a result, a transcript and a recognition decision: a correction is a new row, never an edit."""

from enum import StrEnum

from vsm.kit.states import step


class ResultState(StrEnum):
    PROVISIONAL = "provisional"
    FINAL = "final"
    SUPERSEDED = "superseded"


RESULT_STEPS = {
    "confirm": step(ResultState.PROVISIONAL, to=ResultState.FINAL),
    "correct": step(ResultState.PROVISIONAL, ResultState.FINAL, to=ResultState.SUPERSEDED),
}


class TranscriptState(StrEnum):
    ISSUED = "issued"
    SUPERSEDED = "superseded"


TRANSCRIPT_STEPS = {"reissue": step(TranscriptState.ISSUED, to=TranscriptState.SUPERSEDED)}


class DecisionState(StrEnum):
    PROPOSED = "proposed"
    RECOGNISED = "recognised"
    PARTLY = "partly"
    REFUSED = "refused"


DECISION_STEPS = {
    "recognise": step(DecisionState.PROPOSED, to=DecisionState.RECOGNISED),
    "recognise_partly": step(DecisionState.PROPOSED, to=DecisionState.PARTLY),
    "refuse": step(DecisionState.PROPOSED, to=DecisionState.REFUSED),
    "ask_again": step(DecisionState.RECOGNISED, DecisionState.PARTLY, DecisionState.REFUSED),
    "reconsider": step(
        DecisionState.RECOGNISED, DecisionState.PARTLY, DecisionState.REFUSED, to=DecisionState.PROPOSED
    ),
}

"""The life of a credential. Revoking is visible to every verifier through the status list and cannot be undone."""

from enum import StrEnum

from vsm.exchange.recognition.states import TranscriptState
from vsm.kit.states import step


class State(StrEnum):
    REQUESTED = "requested"
    ISSUED = "issued"
    REVOKED = "revoked"


STEPS = {
    "sign": step(State.REQUESTED, to=State.ISSUED),
    "revoke": step(State.REQUESTED, State.ISSUED, to=State.REVOKED),
    "share": step(State.ISSUED, to=None),
    "unshare": step(State.ISSUED, State.REVOKED, to=None),
}
# A transcript that was replaced certifies nothing any more.
TRANSCRIPT_STEPS = {"issue_credentials": step(TranscriptState.ISSUED, to=None)}

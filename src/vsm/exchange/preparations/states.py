"""The lives of a preparation, of who takes part, of companions and pairings, and of what home asks for."""

from enum import StrEnum

from vsm.kit.states import step


class State(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"


STEPS = {
    "edit": step(State.DRAFT, State.OPEN),
    "add_module": step(State.DRAFT, State.OPEN),
    "open": step(State.DRAFT, State.CLOSED, to=State.OPEN),
    "close": step(State.OPEN, to=State.CLOSED),
    "join": step(State.OPEN),
    "plan_meetings": step(State.DRAFT, State.OPEN),
    "pair": step(State.OPEN),
}


class ModuleState(StrEnum):
    CURRENT = "current"
    WITHDRAWN = "withdrawn"


MODULE_STEPS = {
    "edit": step(ModuleState.CURRENT),
    "withdraw": step(ModuleState.CURRENT, to=ModuleState.WITHDRAWN),
    "restore": step(ModuleState.WITHDRAWN, to=ModuleState.CURRENT),
}


class ParticipationState(StrEnum):
    ACTIVE = "active"
    COMPLETED = "completed"
    LEFT = "left"


PARTICIPATION_STEPS = {
    "assess": step(ParticipationState.ACTIVE),
    "finish_module": step(ParticipationState.ACTIVE),
    "complete": step(ParticipationState.ACTIVE, to=ParticipationState.COMPLETED),
    "leave": step(ParticipationState.ACTIVE, to=ParticipationState.LEFT),
    "return": step(ParticipationState.LEFT, to=ParticipationState.ACTIVE),
}


class CompanionState(StrEnum):
    OFFERED = "offered"
    ACTIVE = "active"
    DECLINED = "declined"
    ENDED = "ended"


COMPANION_STEPS = {
    "accept": step(CompanionState.OFFERED, to=CompanionState.ACTIVE),
    "decline": step(CompanionState.OFFERED, to=CompanionState.DECLINED),
    "end": step(CompanionState.OFFERED, CompanionState.ACTIVE, to=CompanionState.ENDED),
}


class PairingState(StrEnum):
    PROPOSED = "proposed"
    AGREED = "agreed"
    DECLINED = "declined"
    ENDED = "ended"


PAIRING_STEPS = {
    "agree": step(PairingState.PROPOSED),
    "decline": step(PairingState.PROPOSED, to=PairingState.DECLINED),
    "end": step(PairingState.AGREED, to=PairingState.ENDED),
}


class RequirementState(StrEnum):
    OPEN = "open"
    FULFILLED = "fulfilled"
    WAIVED = "waived"
    WITHDRAWN = "withdrawn"


REQUIREMENT_STEPS = {
    "change": step(RequirementState.OPEN),
    "waive": step(RequirementState.OPEN, to=RequirementState.WAIVED),
    "withdraw": step(RequirementState.OPEN, to=RequirementState.WITHDRAWN),
    "fulfil": step(RequirementState.OPEN, RequirementState.WAIVED, to=RequirementState.FULFILLED),
}

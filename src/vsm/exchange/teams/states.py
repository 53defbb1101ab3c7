"""The lives of a formation and of a team. A membership has none: it begins and ends."""

from enum import StrEnum

from vsm.kit.states import step


class FormationState(StrEnum):
    COMPUTING = "computing"
    PREVIEW = "preview"
    PUBLISHED = "published"
    DISCARDED = "discarded"


FORMATION_STEPS = {
    "publish": step(FormationState.PREVIEW, to=FormationState.PUBLISHED),
    "discard": step(FormationState.COMPUTING, FormationState.PREVIEW, to=FormationState.DISCARDED),
    "rebalance": step(FormationState.PUBLISHED),
    "join_late": step(FormationState.PUBLISHED),
}


class TeamState(StrEnum):
    ACTIVE = "active"
    DISSOLVED = "dissolved"


TEAM_STEPS = {
    "rename": step(TeamState.ACTIVE),
    "dissolve": step(TeamState.ACTIVE, to=TeamState.DISSOLVED),
}

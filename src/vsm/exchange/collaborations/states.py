"""The lives of a partner wish, an invitation, a fair, an exchange, a participant, and a roster file."""

from enum import StrEnum

from vsm.kit.states import step


class WishState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    MATCHED = "matched"
    CLOSED = "closed"


WISH_STEPS = {
    "edit": step(WishState.DRAFT, WishState.PUBLISHED),
    "publish": step(WishState.DRAFT, WishState.CLOSED, to=WishState.PUBLISHED),
    "invite": step(WishState.PUBLISHED),
    "join_fair": step(WishState.PUBLISHED),
    "match": step(WishState.PUBLISHED, to=WishState.MATCHED),
    # An exchange that never ran leaves its teachers free to look again.
    "release": step(WishState.MATCHED, to=WishState.PUBLISHED),
    "close": step(WishState.DRAFT, WishState.PUBLISHED, to=WishState.CLOSED),
}


class InvitationState(StrEnum):
    SENT = "sent"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


INVITATION_STEPS = {
    "accept": step(InvitationState.SENT, to=InvitationState.ACCEPTED),
    "decline": step(InvitationState.SENT, to=InvitationState.DECLINED),
    "withdraw": step(InvitationState.SENT, to=InvitationState.WITHDRAWN),
    "expire": step(InvitationState.SENT, to=InvitationState.EXPIRED),
    # One of the two has found somebody else, or looks no longer.
    "supersede": step(InvitationState.SENT, to=InvitationState.SUPERSEDED),
}


class FairState(StrEnum):
    OPEN = "open"
    PROPOSED = "proposed"
    ANNOUNCED = "announced"


FAIR_STEPS = {
    "propose_pairs": step(FairState.OPEN, FairState.PROPOSED, to=FairState.PROPOSED),
    "announce": step(FairState.PROPOSED, to=FairState.ANNOUNCED),
}


class ExchangeState(StrEnum):
    PLANNING = "planning"
    SIGNING = "signing"
    AGREED = "agreed"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"


_ALIVE = (ExchangeState.PLANNING, ExchangeState.SIGNING, ExchangeState.AGREED, ExchangeState.RUNNING)
_READY = (ExchangeState.AGREED, ExchangeState.RUNNING)
EXCHANGE_STEPS = {
    "draft_plan": step(ExchangeState.PLANNING, ExchangeState.SIGNING, ExchangeState.AGREED, ExchangeState.RUNNING),
    "present_plan": step(ExchangeState.PLANNING, ExchangeState.AGREED, ExchangeState.RUNNING),
    "sign_plan": step(*_ALIVE),
    "return_plan": step(*_ALIVE),
    "import_roster": step(ExchangeState.PLANNING, ExchangeState.SIGNING, *_READY),
    "take_from_offering": step(ExchangeState.PLANNING, ExchangeState.SIGNING, *_READY),
    "form_teams": step(*_READY),
    "plan_meetings": step(*_READY),
    "start": step(ExchangeState.AGREED, to=ExchangeState.RUNNING),
    "rebalance": step(ExchangeState.RUNNING),
    "finish": step(ExchangeState.RUNNING, to=ExchangeState.FINISHED),
    "certify": step(ExchangeState.FINISHED),
    "cancel": step(ExchangeState.PLANNING, ExchangeState.SIGNING, ExchangeState.AGREED, to=ExchangeState.CANCELLED),
}


class ParticipantState(StrEnum):
    ACTIVE = "active"
    LEFT = "left"
    COMPLETED = "completed"
    INCOMPLETE = "incomplete"


PARTICIPANT_STEPS = {
    "share_name": step(ParticipantState.ACTIVE),
    "hide_name": step(*ParticipantState),
    "check_in": step(ParticipantState.ACTIVE),
    "note_contact": step(ParticipantState.ACTIVE),
    "leave": step(ParticipantState.ACTIVE, to=ParticipantState.LEFT),
    "rejoin": step(ParticipantState.LEFT, to=ParticipantState.ACTIVE),
    "complete": step(ParticipantState.ACTIVE, to=ParticipantState.COMPLETED),
    "fall_short": step(ParticipantState.ACTIVE, to=ParticipantState.INCOMPLETE),
    "recognise": step(ParticipantState.COMPLETED),
}


class RosterState(StrEnum):
    CHECKED = "checked"
    REFUSED = "refused"
    APPLIED = "applied"


ROSTER_STEPS = {"apply": step(RosterState.CHECKED, to=RosterState.APPLIED)}

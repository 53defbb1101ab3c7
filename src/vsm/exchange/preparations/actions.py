"""What may be done with a preparation: offered (`preparing`), taken part in (`taking_part`), accompanied (`accompanying`), and
asked for by home (`requiring`)."""

from vsm.exchange.preparations.accompanying import (
    accept_companion,
    accompany,
    agree,
    decline_companion,
    decline_pairing,
    end_companion,
    end_pairing,
)
from vsm.exchange.preparations.preparing import (
    add_module,
    close_preparation,
    edit_module,
    edit_preparation,
    offer_preparation,
    open_preparation,
    pair,
    plan_meetings,
)
from vsm.exchange.preparations.requiring import change, require_preparation, waive, withdraw_requirement
from vsm.exchange.preparations.taking_part import (
    AgreementRow,
    CanDoRow,
    assess_confidence,
    assess_intercultural,
    assess_language,
    come_back,
    complete,
    finish_module,
    join,
    leave,
)

__all__ = [
    "AgreementRow",
    "CanDoRow",
    "accept_companion",
    "accompany",
    "add_module",
    "agree",
    "assess_confidence",
    "assess_intercultural",
    "assess_language",
    "change",
    "close_preparation",
    "come_back",
    "complete",
    "decline_companion",
    "decline_pairing",
    "edit_module",
    "edit_preparation",
    "end_companion",
    "end_pairing",
    "finish_module",
    "join",
    "leave",
    "offer_preparation",
    "open_preparation",
    "pair",
    "plan_meetings",
    "require_preparation",
    "waive",
    "withdraw_requirement",
]

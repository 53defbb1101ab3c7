"""The life of an institution's consent to pool its counts with those of others: given, withdrawn, given again."""

from enum import StrEnum

from vsm.kit.states import step


class ConsentState(StrEnum):
    GIVEN = "given"
    WITHDRAWN = "withdrawn"


CONSENT_STEPS = {
    "withdraw": step(ConsentState.GIVEN, to=ConsentState.WITHDRAWN),
    "give_again": step(ConsentState.WITHDRAWN, to=ConsentState.GIVEN),
}

"""The life of an entry of the casebook, a model or a case: written, read by two others, published, taken up again."""

from enum import StrEnum

from vsm.kit.states import step


class State(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in-review"
    PUBLISHED = "published"


STEPS = {
    "edit": step(State.DRAFT),
    "add_claim": step(State.DRAFT),
    "remove_claim": step(State.DRAFT),
    "add_source": step(State.DRAFT),
    "submit": step(State.DRAFT, to=State.IN_REVIEW),
    # The second of two reviewers publishes it: the act decides.
    "approve": step(State.IN_REVIEW),
    "send_back": step(State.IN_REVIEW, to=State.DRAFT),
    "revise": step(State.PUBLISHED, to=State.DRAFT),
}

"""What can be wrong with the rulebook itself, or with a question put to it."""

from vsm.kit.errors import Invalid, VsmError
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason


class RulebookError(VsmError):
    """The files cannot be used. The message lists every problem with its file and place, one a line."""

    code = "rulebook-broken"
    title = N_("The rulebook cannot be read")

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(
            *(
                Reason("rulebook-problem", N_("The rulebook has a problem: %(problem)s"), {"problem": each})
                for each in problems
            )
        )

    def __str__(self) -> str:
        return "\n".join(
            [f"The rulebook has {len(self.problems)} problem(s):", *(f"- {each}" for each in self.problems)]
        )


class UnknownEntry(Invalid):
    """No file has this slug; the message names those that exist."""

    code = "rulebook-unknown-entry"


class NoValueYet(Invalid):
    """The day asked for lies before the first dated value of the file."""

    code = "rulebook-no-value-yet"

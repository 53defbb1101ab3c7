"""Every error that the program raises on purpose.

    VsmError
    ├── Refused        409  an expected refusal: the thing is there, you may see it, but this cannot happen (now)
    │   ├── Invalid    422  what was sent cannot be used; each reason names its field
    │   ├── Conflict   409  somebody else was faster, or the same key was used for something different
    │   └── NotAllowed 403  you may see it, but this act belongs to another role
    ├── NotFound       404  absent, or not yours to see: the answer is the same
    └── Unavailable    503  a part of the system is missing or busy; trying again helps

A refusal says what, why and what next, and gives all reasons at once. Doors map the status; nothing else does.
"""

from collections.abc import Iterable

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason, Verdict


class VsmError(Exception):
    """The root: `reasons` are shown to people, `status` is the HTTP answer."""

    status = 500
    code = "error"
    title = N_("Something went wrong")

    def __init__(self, *reasons: Reason) -> None:
        self.reasons = reasons
        super().__init__("; ".join(f"{r.code}: {_plain(r)}" for r in reasons))


class Refused(VsmError):
    """This cannot be done as things stand; the reasons tell why."""

    status = 409
    code = "refused"
    title = N_("This is not possible now")

    @classmethod
    def unless(cls, verdict: Verdict) -> None:
        """Raise with every reason unless the verdict allows it."""
        if not verdict.ok:
            raise cls(*verdict.reasons)

    @classmethod
    def because(cls, reasons: Iterable[Reason]) -> None:
        """Raise when there is at least one reason."""
        cls.unless(Verdict.of(reasons))


class Invalid(Refused):
    """What was sent cannot be used."""

    status = 422
    code = "invalid"
    title = N_("Please check what you entered")


class Conflict(Refused):
    """The record has changed since it was read, or a key was used twice for different things."""

    status = 409
    code = "conflict"
    title = N_("Somebody changed this in the meantime")


class NotAllowed(Refused):
    """The act belongs to another role."""

    status = 403
    code = "not-allowed"
    title = N_("This belongs to another role")


class NotFound(VsmError):
    """Absent or foreign: the answer must not tell which."""

    status = 404
    code = "not-found"
    title = N_("Not found")


class Unavailable(VsmError):
    """A part that is needed is missing or busy."""

    status = 503
    code = "unavailable"
    title = N_("This part is not available at the moment")


def _plain(reason: Reason) -> str:
    try:
        return reason.text % {name: _plain(value) if isinstance(value, Reason) else value for name, value in reason.params.items()}
    except (KeyError, TypeError, ValueError):
        return reason.text

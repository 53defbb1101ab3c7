"""What must hold before the seed is sealed, a run is made, a run is published, an offer is answered: pure, all at once."""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from vsm.exchange.applications.states import CallState
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason


def opaque(application_id: UUID | str) -> str:
    """The student's name in frozen files: 32 hexadecimal digits that only who knows the application can compute.

    Not the application's own id: that one tells the millisecond in which the application was begun, and these files
    are published.
    """
    return hashlib.sha256(f"vsm-allocation-student:{application_id}".encode()).hexdigest()[:32]


def sealing_obstacles(*, state: str, commitment: str, closes_at: datetime, now: datetime) -> Iterator[Reason]:
    """Why no seed can be sealed for a call."""
    if commitment:
        yield Reason(
            "already-sealed",
            N_("A seed is sealed for this call already. A second draw would let somebody choose the luckier one."),
        )
    if state not in (CallState.DRAFT, CallState.PUBLISHED):
        yield Reason("call-over", N_("The seats of this call are given or the call is closed: there is nothing left to draw."))
    elif now >= closes_at:
        yield Reason(
            "sealed-too-late",
            N_(
                "Applications closed on %(closes)s. Who draws a seed after that knows the applicants and could choose "
                "the winners; therefore it must be sealed before. Open a new call, or ask the operator."
            ),
            {"closes": closes_at},
        )


def allocation_obstacles(
    *, state: str, commitment: str, nominate_by: datetime, nominated: int, now: datetime
) -> Iterator[Reason]:
    """Why no run can be made of a call."""
    if state == CallState.DRAFT:
        yield Reason("call-draft", N_("The call is not published yet."))
    if state == CallState.ALLOCATED:
        yield Reason("already-published", N_("The result of this call is published. Freed seats go down the waiting lists."))
    if state == CallState.CLOSED:
        yield Reason("call-closed", N_("The call is closed."))
    if now < nominate_by:
        yield Reason(
            "nominations-open",
            N_("Homes nominate until %(until)s. A run before that would leave out whoever is nominated later."),
            {"until": nominate_by},
        )
    if not commitment:
        yield Reason(
            "not-sealed",
            N_("No lottery seed was sealed while applications were open, so a draw now could be steered."),
        )
    if not nominated:
        yield Reason("nobody-nominated", N_("No application in this call is nominated."))


def publishing_obstacles(*, call_state: str, is_fresh: bool, is_sealed: bool, faults: int, fixed: str = "", used: str = "") -> Iterator[Reason]:
    """Why a preview cannot be published. `faults` is the number of violations that the audit found; `fixed` is the mechanism
    of the published rules ("" when they leave it open), `used` that of the preview."""
    if call_state == CallState.ALLOCATED:
        yield Reason("already-published", N_("The result of this call is published. Freed seats go down the waiting lists."))
    elif call_state != CallState.PUBLISHED:
        yield Reason("call-not-open", N_("Only a published call that is not closed can be given a result."))
    elif not is_fresh:
        yield Reason(
            "preview-outdated",
            N_("Applications, nominations or seats have changed since this preview was made. Make a new one."),
        )
    if fixed and used != fixed:
        yield Reason(
            "other-rules",
            N_("Students applied under other rules than those of this preview. Publish one that was made by the rules of the call; this one can be kept for comparison."),
        )
    if not is_sealed:
        yield Reason("seed-not-the-sealed-one", N_("The seed of this run is not the one that was sealed for the call."))
    if faults:
        yield Reason(
            "audit-failed",
            N_("The independent audit found %(faults)s faults in this run. It cannot be published; tell the operator."),
            {"faults": faults},
        )


def scheduling_problems(*, at: datetime | None, now: datetime) -> Iterator[Reason]:
    """What is wrong with the moment at which a result is to be published."""
    if at is not None and at <= now:
        yield Reason("moment-past", N_("This moment has passed. Choose a later one, or leave it empty."), {}, "at")
    if at is not None and at > now + timedelta(days=60):
        yield Reason("moment-far", N_("Choose a moment within the next sixty days."), {}, "at")


def late_seats_obstacles(*, added: int, given: int | None, taught: int) -> Iterator[Reason]:
    """Why seats cannot be added: `given` by the call so far (None: not in the call), `taught` by the offering in all."""
    if given is None:
        yield Reason("not-in-call", N_("This offering is not part of the call. Choose one of its offerings."), {}, "offering")
        return
    if added < 1:
        yield Reason("too-few", N_("Add at least one seat; seats once given are not taken away."), {}, "seats")
    elif given + added > taught:
        yield Reason(
            "too-many",
            N_("With %(added)s more the call would give %(total)s seats, but the offering has %(taught)s. Raise it there first."),
            {"added": added, "total": given + added, "taught": taught},
            "seats",
        )


def respond_by(now: datetime, hours: int) -> datetime:
    """The last moment to answer an offer made now: at least an hour away, whatever the call says."""
    return now + timedelta(hours=max(1, hours))


def unexplained_choice(*, fixed: str, because: str) -> Iterator[Reason]:
    """The refusal of a result that was chosen among others in silence. `fixed`: the mechanism that the call announced, if any."""
    if not fixed and not because.strip():
        yield Reason(
            "choice-unexplained",
            N_("The rules of this call left open how seats are given, so whoever publishes chooses among results. Say why it is this one: everybody who applied can read it."),
            {},
            "because",
        )

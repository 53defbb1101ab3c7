"""What is done with a learning agreement: opened by an accepted seat, drafted in versions, presented, signed, cancelled."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal
from uuid import UUID

from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django_tasks import task
from pydantic import BaseModel, Field

from vsm.exchange.allocation import actions as allocation
from vsm.exchange.allocation.models import Seat
from vsm.exchange.allocation.states import SeatState
from vsm.exchange.catalogue.labels import credits_text
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.learning_agreements.models import LearningAgreement, LearningAgreementVersion, Signature
from vsm.exchange.learning_agreements.queries import (
    accepted_seats,
    as_home_said,
    component_of,
    component_title,
    courses_today,
    is_asked_to_sign,
    parties_of,
    side_choices,
    sides_of,
    sides_signed_before,
    signed_sides,
)
from vsm.exchange.learning_agreements.rules import (
    Component,
    Content,
    Party,
    amount,
    as_json,
    as_read,
    differences,
    digest_of,
    told,
    why_incomplete,
    why_not_sign,
)
from vsm.exchange.learning_agreements.states import STEPS, State
from vsm.exchange.people.models import Person
from vsm.kit import clock
from vsm.kit.actions import Ask, action, note
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Conflict, Invalid, NotAllowed, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

HOME_OFFICE = ("coordinator@home", "registrar@home")
WRITERS = ("self@student", *HOME_OFFICE)
SIGNERS = ("self@student", *HOME_OFFICE, "coordinator@host")
MOST_CREDITS = Decimal("999.99")


class Line(BaseModel):
    """What home says to one host course. The host's own facts come from the catalogue, never from whoever drafts."""

    offering: Annotated[UUID, Ask(_("Course"), kind="hidden")]
    course: Annotated[str, Ask(_("Course at the host"), kind="read_only")] = ""
    recognised: Annotated[
        Literal["yes", "no"], Ask(_("At home"), choices=lambda _r, _a: [("yes", _now("recognised as")), ("no", _now("not recognised"))])
    ] = "yes"
    home_code: Annotated[str, Field(max_length=64), Ask(_("Code at home"), limit=64)] = ""
    home_title: Annotated[str, Field(max_length=255), Ask(_("Title at home"), limit=255)] = ""
    home_credits: Annotated[str, Field(max_length=12), Ask(_("Credits at home"), limit=12)] = ""
    because: Annotated[str, Field(max_length=500), Ask(_("If not recognised: why"), limit=500)] = ""


def _lines(agreement: LearningAgreement, _actor: Actor) -> list[Line]:
    """The current version as a form shows it, with every course that is not in it yet."""
    return [
        Line(
            offering=UUID(each.offering), course=f"{each.code} {component_title(each)} · {credits_text(Decimal(each.credits), None, [], each.credit_system)}",
            recognised="yes" if each.recognised else "no", home_code=each.home_code, home_title=each.home_title,
            home_credits=each.home_credits, because=each.because,
        )
        for each in _components_today(agreement, {})
    ]  # fmt: skip


def _fingerprint(agreement: LearningAgreement, _actor: Actor) -> str:
    version = agreement.current_version
    return version.digest if version else ""


@action("open_learning_agreement", on=Seat, label=_("Open the learning agreement"), allow=())
def open_learning_agreement(seat: Seat, *, by: Actor, now: datetime) -> LearningAgreement:
    """Open the agreement of this seat's application and host, or extend it by a version that lists the seat's course.

    Doing it again changes nothing. Signatures under an earlier version stay with that version.
    """
    if seat.state != SeatState.ACCEPTED:
        raise Refused(Reason("seat-not-accepted", N_("A learning agreement needs an accepted seat; this one is “%(state)s”."), {"state": seat.state}))
    application, host = seat.application, seat.offering.opportunity.organisation
    agreement: LearningAgreement | None = LearningAgreement.objects.filter(application=application, host=host).first()
    if agreement is None:
        agreement = LearningAgreement(application=application, student=application.student, home=application.home, host=host)
        agreement.save()
        _write_version(agreement, [component_of(each) for each in accepted_seats(agreement)], by=by, now=now, because=_about(agreement, seat, N_("Seat accepted: %(course)s")))
        agreement.save()
        return agreement
    version = agreement.current_version
    if agreement.state != State.CANCELLED and version and version.text.component(str(seat.offering_id)):
        return agreement
    if agreement.state == State.CANCELLED:
        agreement = reopen(agreement, by=SYSTEM, now=now)
    return draft_version(agreement, by=SYSTEM, now=now, components=[], because=_about(agreement, seat, N_("Seat accepted: %(course)s")))


def open_for_mobility(
    mobility_id: UUID, *, student: Person, home: Organisation, host: Organisation, by: Actor, now: datetime, because: str = ""
) -> LearningAgreement:
    """Inside the act of a physical mobility: open its agreement, which lists the courses in person."""
    agreement = LearningAgreement(mobility_id=mobility_id, student=student, home=home, host=host)
    agreement.save()
    _write_version(agreement, courses_today(agreement), by=by, now=now, because=because)
    agreement.save()
    note(agreement, "open_learning_agreement", by=by, now=now, because=because)
    return agreement


@action("reopen", on=LearningAgreement, label=_("Reopen"), allow=(), step=STEPS["reopen"])
def reopen(agreement: LearningAgreement, *, by: Actor, now: datetime) -> LearningAgreement:
    """A seat at the same host came after all: the agreement lives again, as a draft. What was in force ended before."""
    agreement.signed_version = 0
    return agreement


@action("draft_version", on=LearningAgreement, label=_("Draft a new version"), allow=WRITERS, step=STEPS["draft_version"])
def draft_version(
    agreement: LearningAgreement, *, by: Actor, now: datetime,
    components: Annotated[list[Line], Ask(_("Courses"), _("For each host course: what home will recognise, in home's own credits."), start=_lines)],
    because: Annotated[str, Ask(_("Why is it changed?"), _("Everybody who signs reads this."), kind="long_text", limit=2000)] = "",
) -> LearningAgreement:  # fmt: skip
    """Write the next version. It lists exactly the courses whose seats are accepted.

    Signatures under earlier versions do not count for it. A version already signed by all stays in force until this one
    is signed by all.
    """
    Invalid.because(_unusable(agreement, components))
    lines = _components_today(agreement, {str(line.offering): line for line in components})
    version = agreement.current_version
    if version and version.text.components == tuple(lines):
        raise Refused(Reason("unchanged", N_("Nothing differs from version %(number)s, so no new version was made."), {"number": version.number}))
    _write_version(agreement, lines, by=by, now=now, because=because)
    return agreement


@action("present", on=LearningAgreement, label=_("Present for signature"), allow=WRITERS, step=STEPS["present"], tone="primary")
def present(agreement: LearningAgreement, *, by: Actor, now: datetime) -> LearningAgreement:
    """Ask all three to sign the current version. Refused with everything that is still missing in it."""
    version = _current(agreement)
    Refused.because(why_incomplete(version.text, {each.offering for each in _components_today(agreement, {})}))
    agreement.waiting_for = _missing(version)
    emit("learning_agreement.presented", agreement_id=str(agreement.pk))
    return agreement


@action("sign", on=LearningAgreement, label=_("Read and sign"), allow=SIGNERS, step=STEPS["sign"], tone="primary", waits_for=is_asked_to_sign)
def sign(
    agreement: LearningAgreement, *, by: Actor, now: datetime,
    digest: Annotated[str, Ask(_("Fingerprint of the text"), _("Of the version that you have read: the signature is bound to it."), kind="hidden", start=_fingerprint, limit=64)],
    side: Annotated[str, Ask(_("On whose side?"), choices=side_choices, limit=8)] = "",
) -> LearningAgreement:  # fmt: skip
    """Sign the very text whose digest was read. The third signature puts the version into force.

    Conflict, with every difference, when the text has changed since it was read; refused when somebody tries to sign
    for another side, or one person for two.
    """
    version = _current(agreement)
    sides = sides_of(agreement, by)
    if not sides or by.person_id is None:
        raise NotAllowed(Reason("not-a-party", N_("Only the student, the home institution and the host institution sign.")))
    if digest != version.digest:
        raise _stale(agreement, version, digest)
    if not side and len(sides) > 1:
        raise Invalid(Reason("side-missing", N_("You may act for more than one side: say for which one you sign."), {}, "side"))
    party = side or sides[0]
    Refused.because(
        why_not_sign(party, sides=sides, signed=signed_sides(version), earlier=sides_signed_before(agreement), person=by.person_id)
    )
    Signature.objects.create(version=version, party=party, person_id=by.person_id, at=now, digest=digest)
    agreement.waiting_for = _missing(version)
    if agreement.waiting_for:
        agreement.save()
        return agreement
    agreement.state, agreement.signed_version = State.SIGNED, version.number
    agreement.save()
    emit("learning_agreement.signed", agreement_id=str(agreement.pk), version=str(version.number))
    for seat in accepted_seats(agreement):
        if version.text.component(str(seat.offering_id)):
            emit("learning_agreement.course_agreed", agreement_id=str(agreement.pk), seat_id=str(seat.pk))
    return agreement


@action("return", on=LearningAgreement, label=_("Return for changes"), allow=SIGNERS, step=STEPS["return"])
def return_for_changes(
    agreement: LearningAgreement, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("What should change?"), kind="long_text", limit=2000)],
) -> LearningAgreement:  # fmt: skip
    """Do not sign, and say what should change. Signatures already given stay with the text that they are under."""
    agreement.waiting_for = ""
    emit("learning_agreement.returned", agreement_id=str(agreement.pk))
    return agreement


@action("cancel", on=LearningAgreement, label=_("Cancel"), allow=HOME_OFFICE, step=STEPS["cancel"], tone="warning", when=lambda a: not a.signed_version)
def cancel(
    agreement: LearningAgreement, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("Why? (the student reads this)"), kind="long_text", limit=2000)],
) -> LearningAgreement:  # fmt: skip
    """Give up an agreement that was never in force. The seats go to the waiting list."""
    if agreement.signed_version and not by.is_system:
        text = N_("Version %(number)s is in force and the student takes part. Drop or withdraw from the courses: the agreement follows by itself.")
        raise Refused(Reason("in-force", text, {"number": agreement.signed_version}))
    for seat in accepted_seats(agreement):
        # The right to cancel was checked above; giving the seats back only follows from it.
        allocation.withdraw(seat, by=SYSTEM, now=now, because=because)
    agreement.waiting_for = ""
    emit("learning_agreement.cancelled", agreement_id=str(agreement.pk))
    return agreement


@task()
def open_for_seat(seat_id: str) -> None:
    """On seat.accepted. A seat given back before this ran needs no agreement."""
    seat = Seat.objects.get(pk=seat_id)
    if seat.state == SeatState.ACCEPTED:
        open_learning_agreement(seat, by=SYSTEM, now=clock.now())


@task()
def leave_out_seat(seat_id: str) -> None:
    """On seat.freed: a course whose seat is gone leaves the agreement; an agreement without courses is cancelled."""
    seat = Seat.objects.select_related("offering__opportunity").get(pk=seat_id)
    agreement = LearningAgreement.objects.filter(application=seat.application_id, host=seat.offering.opportunity.organisation_id).exclude(state=State.CANCELLED).first()
    version = agreement.current_version if agreement else None
    if agreement is None or version is None or version.text.component(str(seat.offering_id)) is None:
        return
    held = accepted_seats(agreement)
    if seat.offering_id in {each.offering_id for each in held}:
        return
    because = _about(agreement, seat, N_("Seat given back: %(course)s"))
    if held:
        draft_version(agreement, by=SYSTEM, now=clock.now(), components=[], because=because)
    else:
        cancel(agreement, by=SYSTEM, now=clock.now(), because=because)


def _components_today(agreement: LearningAgreement, said: dict[str, Line]) -> list[Component]:
    """A line for each course: the host's facts of today, and what home says now or said before."""
    version = agreement.current_version
    kept = {each.origin: each for each in version.text.components} if version else {}
    lines = []
    for today in courses_today(agreement):
        line = as_home_said(today, kept[today.origin]) if today.origin in kept else today
        lines.append(_answered(line, said[line.offering]) if line.offering in said else line)
    return lines


def _answered(component: Component, line: Line) -> Component:
    if line.recognised == "no":
        return replace(component, recognised=False, home_code="", home_title="", home_credits="", because=line.because.strip())
    given = line.home_credits.strip().replace(",", ".")
    return replace(
        component, recognised=True, home_code=line.home_code.strip(), home_title=line.home_title.strip(),
        home_credits=amount(Decimal(given)) if given else "", because="",
    )  # fmt: skip


def _unusable(agreement: LearningAgreement, lines: Iterable[Line]) -> Iterable[Reason]:
    held = {each.offering for each in _components_today(agreement, {})}
    seen: set[str] = set()
    for line in lines:
        offering = str(line.offering)
        if offering in seen:
            yield Reason("course-twice", N_("%(course)s stands twice."), {"course": line.course or offering}, "components")
        if offering not in held:
            text = N_("%(course)s is not a course of this host that the student has an accepted seat in.")
            yield Reason("no-such-seat", text, {"course": line.course or offering}, "components")
        if line.recognised == "yes" and not _is_amount(line.home_credits):
            text = N_("%(course)s: “%(given)s” is not an amount of credit between 0 and 999.99.")
            yield Reason("bad-credits", text, {"course": line.course or offering, "given": line.home_credits}, "components")
        seen.add(offering)


def _is_amount(text: str) -> bool:
    """Empty is allowed in a draft; both decimal marks are, because half of the world writes the other one."""
    if not text.strip():
        return True
    try:
        number = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        return False
    return number.is_finite() and 0 <= number <= MOST_CREDITS


def _write_version(agreement: LearningAgreement, components: list[Component], *, by: Actor, now: datetime, because: str) -> None:
    before, parties = agreement.current_version, parties_of(agreement)
    content = Content(
        agreement=str(agreement.pk), number=agreement.current + 1, follows=before.digest if before else "",
        call=agreement.application.call.code if agreement.application else "", student=parties["student"], home=parties["home"], host=parties["host"],
        components=tuple(components),
    )  # fmt: skip
    LearningAgreementVersion.objects.create(
        agreement=agreement, number=content.number, content=as_json(content), digest=digest_of(content), by_id=by.person_id, at=now, because=because
    )
    agreement.current, agreement.waiting_for = content.number, ""


def _current(agreement: LearningAgreement) -> LearningAgreementVersion:
    version: LearningAgreementVersion | None = agreement.current_version
    if version is None:
        raise Refused(Reason("no-version", N_("There is no text yet. Draft a version first.")))
    return version


def _missing(version: LearningAgreementVersion) -> str:
    signed = signed_sides(version)
    return " ".join(party.value for party in Party if party.value not in signed)


def _stale(agreement: LearningAgreement, version: LearningAgreementVersion, digest: str) -> Conflict | Invalid:
    read = next((each for each in agreement.versions.all() if each.digest == digest), None)
    if read is None:
        text = N_("This is not the fingerprint of any version of this agreement. Open it again and read what you sign.")
        return Invalid(Reason("unknown-digest", text, {}, "digest"))
    text = N_("You read version %(read)s; version %(current)s has taken its place. Nothing was signed. Read what changed, then sign that.")
    changes = [told(change) for change in as_read(differences(read.text, version.text), get_language() or "en")]
    return Conflict(Reason("text-changed", text, {"read": read.number, "current": version.number}), *changes)


def _about(agreement: LearningAgreement, seat: Seat, sentence: str) -> str:
    """Why the system made a version, in the student's language: it stands in the text's history for people to read."""
    with translation.override(agreement.student.language):
        facts: dict[str, Any] = {"course": component_title(component_of(seat))}
        return _now(sentence) % facts

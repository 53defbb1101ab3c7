"""Concerns: raised by anybody, heard by a named officer at home, never by the host; answered in time, acted on, closed."""

from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Annotated, Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Person
from vsm.exchange.people.queries import token_hash
from vsm.exchange.placements.actions import running
from vsm.exchange.placements.models import Concern, ConcernNote, Officer, Placement
from vsm.exchange.placements.models.conduct import CONCERN_KINDS
from vsm.exchange.placements.queries.conduct import kind_choices, staff_choices
from vsm.exchange.placements.states import CONCERN_STEPS, PLACEMENT_STEPS, PlacementState
from vsm.kit.actions import Ask, action
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.rulebook.placements import days_for


def _empty(_record: Any, _actor: Actor) -> str:
    """A note begins empty, not with the concern's own `text`: an officer could send somebody their own words back."""
    return ""


OFFICER = ("self@officer", "self@deputy")
EVERYBODY = ("self@student", "self@tutor", "self@mentor", "coordinator@home", "registrar@home", "coordinator@host.organisation")
Kind = Annotated[str, Ask(_("What is it about?"), choices=kind_choices)]
Text = Annotated[str, Ask(_("What happened"), _("When, where, who, and what you would like to happen. Write as much or as little as you want."), kind="long_text", limit=10000, start=_empty)]
Urgent = Annotated[bool, Ask(_("Somebody is in danger now"), _("In danger, call your local emergency number first."))]
Contact = Annotated[str, Ask(_("How to reach you"), _("If not by the mail address of your account: a number, or hours."), limit=254)]
Told = Annotated[str, Ask(_("What is said to the person who raised it"), kind="long_text", limit=4000, start=_empty)]


@action("name_officer", on=Organisation, label=_("Name the safeguarding officer"), allow=("coordinator@id",), when=lambda o: o.kind == "university")
def name_officer(
    organisation: Organisation, *, by: Actor, now: datetime,
    person: Annotated[UUID, Ask(_("Officer"), choices=staff_choices)],
    deputy: Annotated[UUID | None, Ask(_("Deputy"), choices=staff_choices)] = None,
    phone: Annotated[str, Ask(_("Telephone"), limit=60)] = "",
) -> Officer:  # fmt: skip
    """Say who hears concerns, and who when that person is away. Everybody can see the names; only they read concerns."""
    known = {pk for pk, _name in staff_choices(organisation, by)}
    problems = [Reason("not-staff", N_("This person holds no office at the institution."), {}, name) for name, pk in (("person", person), ("deputy", deputy)) if pk and str(pk) not in known]
    if deputy == person:
        problems.append(Reason("same-person", N_("The deputy must be somebody else."), {}, "deputy"))
    Invalid.because(problems)
    officer = Officer.objects.filter(organisation=organisation).first() or Officer(organisation=organisation)
    officer.person, officer.deputy, officer.phone = Person.objects.get(pk=person), Person.objects.filter(pk=deputy).first() if deputy else None, phone.strip()
    officer.save()
    return officer


@action("raise_concern", on=Placement, label=_("Raise a concern"), allow=EVERYBODY, step=PLACEMENT_STEPS["raise_concern"], tone="aside")
def raise_concern(placement: Placement, *, by: Actor, now: datetime, kind: Kind, text: Text, is_urgent: Urgent = False, contact: Contact = "") -> Concern:
    """Tell the safeguarding officer of the home institution, in confidence. The host is not told, nor anybody else.

    An answer comes within the time that the rulebook gives. To stay unnamed, use the page for everybody instead.
    """
    return _take(placement.home, kind, text, is_urgent, contact, now, about=placement, raised_by=by.person_id)


@action("take_concern", on=Organisation, label=_("Take a concern"), allow=())
def take_concern(organisation: Organisation, *, by: Actor, now: datetime, kind: str, text: str, is_urgent: bool, contact: str, token: str) -> Concern:
    """A concern by the page for everybody: whoever raised it has no name here, and reads the answers by the link."""
    return _take(organisation, kind, text, is_urgent, contact, now, token=token)


def take_publicly(organisation: Organisation, *, now: datetime, kind: str, text: str, is_urgent: bool, contact: str) -> tuple[Concern, str]:
    """Take it, and give the secret of the link by which the answers are read. Nothing keeps who sent it."""
    secret = token_urlsafe(24)
    nobody = Actor(person_id=None, label="anonymous", is_system=True, via="web")
    return take_concern(organisation, by=nobody, now=now, kind=kind, text=text, is_urgent=is_urgent, contact=contact, token=secret), secret


def concern_of(token: str) -> Concern | None:
    """The concern whose link this is."""
    found: Concern | None = Concern.objects.filter(token_hash=token_hash(token)).exclude(token_hash="").first()
    return found


@action("acknowledge", on=Concern, label=_("Acknowledge"), allow=OFFICER, step=CONCERN_STEPS["acknowledge"], tone="primary")
def acknowledge(concern: Concern, *, by: Actor, now: datetime, text: Told) -> Concern:
    """Say that you have read it, and what comes next."""
    concern.acknowledged_at = now
    _add(concern, text, by=by, now=now)
    return concern


@action("act", on=Concern, label=_("Record what was done"), allow=OFFICER, step=CONCERN_STEPS["act"], tone="primary")
def act(
    concern: Concern, *, by: Actor, now: datetime,
    text: Annotated[str, Ask(_("What was done"), kind="long_text", limit=4000, start=_empty)],
    is_told: Annotated[bool, Ask(_("The person who raised it reads this"), start=lambda _r, _a: True)] = False,
) -> Concern:  # fmt: skip
    """Keep a step: a conversation, a measure, a referral. Told to the person who raised it, or kept for the file."""
    _add(concern, text, by=by, now=now, is_told=is_told)
    return concern


@action("add", on=Concern, label=_("Add something"), allow=("self@raised_by",), step=CONCERN_STEPS["add"])
def add(concern: Concern, *, by: Actor, now: datetime, text: Text) -> Concern:
    """Say more."""
    _add(concern, text, by=by, now=now, by_officer=False)
    return concern


@action("add_by_link", on=Concern, label=_("Add something"), allow=(), step=CONCERN_STEPS["add"])
def add_by_link(concern: Concern, *, by: Actor, now: datetime, text: str) -> Concern:
    """Say more, by the link of an unnamed concern."""
    _add(concern, text, by=Actor(None, ""), now=now, by_officer=False)
    return concern


@action("suspend_placement", on=Concern, label=_("Suspend the placement"), allow=OFFICER, step=CONCERN_STEPS["suspend_placement"], tone="warning", when=lambda c: c.about_id is not None)
def suspend_placement(concern: Concern, *, by: Actor, now: datetime, text: Annotated[str, Ask(_("Note for the file"), kind="long_text", limit=4000, start=_empty)] = "") -> Concern:
    """Stop the placement at once. Its page and the letters say only that home has suspended it: nothing of the concern."""
    placement = concern.about
    if placement is None or placement.state not in {PlacementState.PREPARING, PlacementState.READY, PlacementState.RUNNING, PlacementState.INTERRUPTED}:
        raise Refused(Reason("not-running", N_("This placement is not running, so it cannot be suspended.")))
    running.suspend(placement, by=SYSTEM, now=now, because=str(_("Suspended by the home institution.")))
    concern.acknowledged_at = concern.acknowledged_at or now
    _add(concern, text or str(_("The placement was suspended.")), by=by, now=now, is_told=True)
    return concern


@action("close", on=Concern, label=_("Close"), allow=OFFICER, step=CONCERN_STEPS["close"])
def close(concern: Concern, *, by: Actor, now: datetime, outcome: Annotated[str, Ask(_("Outcome"), _("The person who raised it reads this."), kind="long_text", limit=4000)]) -> Concern:
    """Say how it ended."""
    if not outcome.strip():
        raise Invalid(Reason("outcome", N_("Say how it ended."), {}, "outcome"))
    concern.outcome, concern.closed_at = outcome.strip(), now
    emit("concern.answered", concern_id=str(concern.pk))
    return concern


@action("reopen", on=Concern, label=_("Take up again"), allow=OFFICER, step=CONCERN_STEPS["reopen"])
def reopen(concern: Concern, *, by: Actor, now: datetime, because: str = "") -> Concern:
    """Something new came up."""
    concern.closed_at = None
    return concern


@action("remind_officer", on=Concern, label=_("Remind the officer"), allow=())
def remind_officer(concern: Concern, *, by: Actor, now: datetime) -> Concern:
    """The first answer is overdue."""
    concern.reminded_at = now
    concern.save()
    emit("concern.overdue", concern_id=str(concern.pk))
    return concern


def _take(
    home: Organisation, kind: str, text: str, is_urgent: bool, contact: str, now: datetime, *, about: Placement | None = None,
    raised_by: UUID | None = None, token: str = "",
) -> Concern:  # fmt: skip
    problems = []
    if kind not in CONCERN_KINDS:
        problems.append(Reason("kind", N_("Choose what it is about."), {}, "kind"))
    if not text.strip():
        problems.append(Reason("text", N_("Say what happened, in your own words."), {}, "text"))
    Invalid.because(problems)
    concern = Concern(
        home=home, about=about, raised_by_id=raised_by, token_hash=token_hash(token) if token else "", contact=contact.strip(), kind=kind, text=text.strip(),
        is_urgent=is_urgent, acknowledge_by=now + timedelta(days=days_for("concern-acknowledged", now.date())),
    )  # fmt: skip
    concern.save()
    emit("concern.raised", concern_id=str(concern.pk))
    return concern


def _add(concern: Concern, text: str, *, by: Actor, now: datetime, by_officer: bool = True, is_told: bool = True) -> None:
    if not text.strip():
        raise Invalid(Reason("text", N_("Write something first."), {}, "text"))
    ConcernNote.objects.create(concern=concern, text=text.strip(), by_officer=by_officer, is_told=is_told, by_name=by.label if by_officer else "", at=now)
    concern.save()
    if not by_officer:
        emit("concern.added", concern_id=str(concern.pk))
    elif is_told:
        emit("concern.answered", concern_id=str(concern.pk))

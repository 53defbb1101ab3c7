"""What persons do about themselves: profile, invitation accepted, access tokens."""

from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Annotated, Literal

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from vsm.exchange.people.models import Invitation, Membership, Person, Token, is_zone, zones
from vsm.exchange.people.queries import TOKEN_PURPOSES, token_hash
from vsm.kit.actions import Ask, action
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

Language = Literal["es", "pt-br", "en", "fr"]


@action("edit_profile", on=Person, label=_("Edit profile"), allow=("self@id",), tone="primary")
def edit_profile(
    person: Person, *, by: Actor, now: datetime,
    name: Annotated[str, Ask(_("Name"), _("As you write it yourself."), limit=200)],
    language: Annotated[Language, Ask(_("Language of pages and mail"))],
    zone: Annotated[str, Ask(_("Time zone"), choices=lambda _r, _a: [(zone, zone.replace("_", " ")) for zone in sorted(zones())])],
) -> Person:  # fmt: skip
    """Change how the person is called, written to, and in which zone times are told."""
    if not is_zone(zone):
        raise Invalid(Reason("zone", N_("“%(zone)s” is not a time zone of the IANA database (example: America/Lima)."), {"zone": zone}, "zone"))
    person.name, person.language, person.zone = name, language, zone
    person.save()
    return person


@action("make_token", on=Person, label=_("Make an access token"), allow=("self@id",))
def make_token(
    person: Person, *, by: Actor, now: datetime,
    label: Annotated[str, Ask(_("Label"), _("What will use it, for example “timetable on my phone”."), limit=80)],
    purpose: Annotated[Literal["api", "calendar"], Ask(_("For"), choices=lambda _r, _a: [(word, str(label)) for word, label in TOKEN_PURPOSES.items()])] = "api",
    days: Annotated[int, Ask(_("Days until it expires"))] = 180,
) -> Token:  # fmt: skip
    """Make a key to the API or to a calendar feed. `token.secret` is shown once and never stored."""
    if not 1 <= days <= 730:
        raise Invalid(Reason("days", N_("A token lives between 1 and 730 days."), {}, "days"))
    secret = token_urlsafe(32)
    token = Token(person=person, label=label, purpose=purpose, token_hash=token_hash(secret), expires_at=now + timedelta(days=days))
    token.save()
    token.secret = secret
    return token


@action("revoke", on=Token, label=_("Revoke"), allow=("self@person",), tone="warning", when=lambda token: token.state == "active")
def revoke_token(token: Token, *, by: Actor, now: datetime, because: str = "") -> Token:
    """Make the key useless at once."""
    token.state = "revoked"
    token.save()
    return token


@action("withdraw", on=Invitation, label=_("Withdraw invitation"), allow=("coordinator@organisation", "operator"), tone="warning", when=lambda i: i.state == "sent")
def withdraw_invitation(invitation: Invitation, *, by: Actor, now: datetime, because: str = "") -> Invitation:
    """The link stops working."""
    invitation.state = "withdrawn"
    invitation.save()
    return invitation


@action("accept", on=Invitation, label=_("Accept invitation"), allow=())
def accept_invitation(
    invitation: Invitation, *, by: Actor, now: datetime, name: str, password: str, language: Language = "es", zone: str = "UTC"
) -> Person:
    """Make (or find) the account of the invited address and give it the role. The door has checked the link's token."""
    Refused.because(why_not_accept(invitation, now))
    person: Person | None = Person.objects.filter(email=invitation.email.lower()).first()
    if person is None or not person.has_usable_password():  # an office that registers a student makes the person, who never signed in
        person = person or Person(email=invitation.email.lower())
        person.name, person.language, person.zone = name, language, zone if is_zone(zone) else "UTC"
        try:
            validate_password(password, person)
        except ValidationError as cause:
            raise Invalid(*(Reason("password", message, {}, "password") for message in cause.messages)) from cause
        person.set_password(password)
        person.save()
    Membership.objects.get_or_create(person=person, organisation_id=invitation.organisation_id, role=invitation.role, ends_on=None, defaults={"starts_on": now.date()})
    invitation.state, invitation.accepted_at = "accepted", now
    invitation.save()
    return person


def accept_by_link(token: str, *, now: datetime, name: str, password: str, language: Language, zone: str) -> Person:
    """Accept with the token of the mailed link. The token itself is the right to act: whoever holds it is the invited."""
    invitation = Invitation.objects.filter(token_hash=token_hash(token)).first()
    if invitation is None:
        raise Refused(Reason("no-such-invitation", N_("This invitation link is not one of ours, or it was mistyped. Ask your institution for a new one.")))
    return accept_invitation(invitation, by=SYSTEM, now=now, name=name, password=password, language=language, zone=zone)


def why_not_accept(invitation: Invitation, now: datetime) -> list[Reason]:
    """Why the link of an invitation opens nothing any more."""
    reasons = []
    if invitation.state != "sent":
        reasons.append(Reason("used", N_("This invitation was already used or withdrawn. Sign in, or ask for a new one.")))
    if invitation.expires_at < now:
        reasons.append(Reason("expired", N_("This invitation expired on %(at)s. Ask your institution for a new one."), {"at": invitation.expires_at}))
    return reasons

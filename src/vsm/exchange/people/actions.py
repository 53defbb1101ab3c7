"""What persons do about themselves: profile, mail address, invitation accepted, access tokens."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from secrets import token_urlsafe
from typing import Annotated, Literal

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from vsm.exchange.people.models import AddressChange, Invitation, Membership, Person, Token, is_zone, zones
from vsm.exchange.people.queries import TOKEN_PURPOSES, token_hash
from vsm.kit import tally
from vsm.kit.actions import Ask, action
from vsm.kit.actors import ANONYMOUS, SYSTEM, Actor
from vsm.kit.errors import Conflict, Invalid, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.mail_addresses import LONGEST, is_mail_address
from vsm.kit.models import AuditEvent
from vsm.kit.verdict import Reason

Language = Literal["es", "pt-br", "en", "fr"]
LINK_HOURS, MOST_LINKS = 24, 5
# As many wrong passwords as signing in allows for one address (allauth: 5 in 300 seconds).
MOST_TRIES, TRY_SECONDS = 5, 300


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


@action("change_address", on=Person, label=_("Ask for another mail address"), allow=("self@id",))
def change_address(
    person: Person, *, by: Actor, now: datetime,
    new_address: Annotated[str, Ask(_("New mail address"), _("A link is mailed there. Your address stays as it is until you open the link and confirm."), limit=LONGEST)],
    password: Annotated[str, Ask(_("Your present password"), _("Leave it empty if your account has none."), kind="password")] = "",
) -> Person:  # fmt: skip
    """Mail a link to the new address, which works once and for a day, and tell the present address of it. A link asked for before ends.

    Whether the new address belongs to somebody else is told to that address alone.
    """
    address, problems = new_address.strip().lower(), []
    if not is_mail_address(address):
        problems.append(Reason("email", N_("This is not a mail address."), {}, "new_address"))
    if address == person.email:
        problems.append(Reason("same-address", N_("This is your address already."), {}, "new_address"))
    Invalid.because([*problems, *_why_not_by_password(person, password, now)])
    asked = AuditEvent.objects.filter(noun="person", object_id=person.pk, verb="change_address", at__gt=now - timedelta(hours=LINK_HOURS)).count()
    if asked >= MOST_LINKS:  # nobody's mailbox is filled through us
        raise Refused(Reason("too-many-links", N_("%(count)s links were mailed for your account within a day. Look for the last one, also among unwanted mail, or ask again tomorrow."), {"count": asked}))
    secret = token_urlsafe(32)
    AddressChange.objects.filter(person=person).delete()
    change = AddressChange(
        person=person, email=address, token_hash=token_hash(secret), account_hash=_account_hash(person), expires_at=now + timedelta(hours=LINK_HOURS),
    )  # fmt: skip
    change.save()
    emit("address_change.asked", change_id=str(change.pk), secret=secret)
    return person


def _why_not_by_password(person: Person, password: str, now: datetime) -> Iterator[Reason]:
    """A wrong password is counted beside the transaction, which is taken back with the refusal; a right one is not counted."""
    if not person.has_usable_password():
        return
    what = f"password-tries:{person.pk}"
    if tally.count(what, now.timestamp(), TRY_SECONDS) > MOST_TRIES:
        text = N_("The password was written wrongly too often. Wait %(minutes)s minutes, or sign out and ask for a new one under “Forgot your password?”.")
        yield Reason("too-many-tries", text, {"minutes": TRY_SECONDS // 60}, "password")
    elif person.check_password(password):
        tally.take_back(what, now.timestamp(), TRY_SECONDS)
    else:
        yield Reason("password-wrong", N_("This is not the password of your account. Write the one by which you sign in."), {}, "password")


@action("confirm_address", on=Person, label=_("Confirm mail address"), allow=())
def confirm_address(person: Person, *, by: Actor, now: datetime, token: str) -> Person:
    """The address to which the link was mailed becomes the person's, for signing in too. The door has found the person by the link."""
    change = change_of(token)
    if change is None or change.person_id != person.pk:  # the link was used, or replaced, since the door looked
        raise Refused(no_such_change())
    Refused.because(why_not_confirm(change, now))
    before, person.email = person.email, change.email
    try:
        with transaction.atomic():  # the table decides between two who confirm the same address at once
            person.save()
    except IntegrityError as cause:
        raise Conflict(Reason("address-taken", N_("Another account has this address by now. Yours keeps the one that it had."))) from cause
    # allauth signs in by every address that it has noted.
    person.emailaddress_set.all().delete()  # type: ignore[attr-defined]  # -- allauth's, unknown to whoever checks the slices alone
    change.delete()
    emit("person.address_changed", person_id=str(person.pk), before=before)
    return person


def confirm_by_link(token: str, *, by: Actor, now: datetime) -> Person:
    """Confirm with the token of the mailed link, signed out or as the person who asked for it."""
    change = change_of(token)
    if change is None:
        raise Refused(no_such_change())
    Refused.because(why_not_confirm(change, now, by))
    whoever_holds = Actor(person_id=None, label=change.person.name, is_system=True, language=change.person.language, zone=change.person.zone, via="link")
    return confirm_address(change.person, by=whoever_holds, now=now, token=token)


def change_of(token: str) -> AddressChange | None:
    """The change that the link's token confirms, if it is still the newest of its person."""
    found: AddressChange | None = AddressChange.objects.select_related("person").filter(token_hash=token_hash(token)).first()
    return found


def no_such_change() -> Reason:
    return Reason("no-such-change", N_("This link was used already, a later one replaced it, or it was mistyped. Your profile tells which address you have."))


def why_not_confirm(change: AddressChange, now: datetime, by: Actor = ANONYMOUS) -> list[Reason]:
    """Why the link changes no address: for this reader, or any more."""
    if by.person_id not in {None, change.person_id}:
        return [Reason("other-account", N_("You are signed in to another account than the one that asked for this address. Sign out, then open the link again."))]
    if change.expires_at <= now:
        return [Reason("change-expired", N_("This link expired on %(at)s. Ask for a new one on your profile."), {"at": change.expires_at})]
    if change.account_hash != _account_hash(change.person):
        return [Reason("account-changed", N_("The address or the password of the account has changed since this link was asked for. Ask for a new one on your profile."))]
    return []


def _account_hash(person: Person) -> str:
    return token_hash(f"{person.email} {person.password}")


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

"""Signing for the host without an account: by a mailed link that is for one text, and a code mailed at the moment of signing."""

import hmac
from datetime import datetime, timedelta
from secrets import randbelow, token_urlsafe
from typing import Annotated, Literal

from django.utils.translation import gettext_lazy as _

from vsm.exchange.people.queries import token_hash
from vsm.exchange.placements.actions.agreeing import HOME_OFFICE, HOST_OFFICE, current_of, settle, text_changed
from vsm.exchange.placements.models import PlacementAgreement, Signature, SigningLink
from vsm.exchange.placements.queries.placements import signed_sides
from vsm.exchange.placements.rules.agreement import Party
from vsm.exchange.placements.states import AGREEMENT_STEPS, LINK_STEPS, LinkState
from vsm.kit.actions import Ask, action
from vsm.kit.actors import Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.mail_addresses import is_mail_address
from vsm.kit.verdict import Reason

LINK_DAYS = 14
CODE_MINUTES = 20
MOST_TRIES, MOST_CODES = 5, 5
CODE_DIGITS = 6


@action("send_link", on=PlacementAgreement, label=_("Have the host sign by link"), allow=(*HOME_OFFICE, *HOST_OFFICE), step=AGREEMENT_STEPS["send_link"])
def send_link(
    agreement: PlacementAgreement, *, by: Actor, now: datetime,
    name: Annotated[str, Ask(_("Who signs for the host?"), limit=200, start=lambda a, _actor: a.placement.host.contact_name)],
    email: Annotated[str, Ask(_("Mail address of that person"), limit=254, start=lambda a, _actor: a.placement.host.contact_email)],
    language: Annotated[Literal["es", "pt-br", "en", "fr"], Ask(_("Language of the mail"), start=lambda a, _actor: a.placement.host.language)] = "es",
) -> SigningLink:  # fmt: skip
    """Mail a link by which this text, and nothing else, can be read and signed for the host, for fourteen days and once.

    A link sent before for this agreement ends.
    """
    version = current_of(agreement)
    problems = []
    if not is_mail_address(email.strip()):
        problems.append(Reason("email", N_("This is not a mail address."), {}, "email"))
    if email.strip().lower() in {agreement.placement.student.email, *_home_addresses(agreement)}:
        problems.append(Reason("own-address", N_("This is an address of another side. The host signs with one of its own."), {}, "email"))
    Invalid.because(problems)
    if Party.HOST.value in signed_sides(version):
        raise Refused(Reason("already-signed", N_("The host has signed this version already.")))
    SigningLink.objects.filter(agreement=agreement, state=LinkState.SENT).update(state=LinkState.WITHDRAWN)
    secret = token_urlsafe(32)
    link = SigningLink(
        agreement=agreement, digest=version.digest, email=email.strip().lower(), name=name.strip(), language=language, token_hash=token_hash(secret),
        expires_at=now + timedelta(days=LINK_DAYS),
    )  # fmt: skip
    link.save()
    emit("signing_link.sent", link_id=str(link.pk), secret=secret)
    return link


@action("withdraw", on=SigningLink, label=_("Withdraw the link"), allow=("coordinator@agreement.placement.home", "coordinator@agreement.placement.host.organisation"), step=LINK_STEPS["withdraw"], tone="warning")
def withdraw_link(link: SigningLink, *, by: Actor, now: datetime, because: str = "") -> SigningLink:
    """The link stops working."""
    return link


@action("send_code", on=SigningLink, label=_("Send a code"), allow=(), step=LINK_STEPS["send_code"])
def send_code(link: SigningLink, *, by: Actor, now: datetime) -> SigningLink:
    """Mail six digits to the address that the link was sent to. They hold for twenty minutes."""
    Refused.because(why_not_open(link, now))
    if link.codes_sent >= MOST_CODES:
        raise Refused(Reason("too-many-codes", N_("%(count)s codes were sent for this link. Ask the home institution for a new link."), {"count": link.codes_sent}))
    code = f"{randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    link.code_hash, link.code_until, link.tries, link.codes_sent = token_hash(f"{link.pk}:{code}"), now + timedelta(minutes=CODE_MINUTES), 0, link.codes_sent + 1
    link.save()
    emit("signing_link.code", link_id=str(link.pk), code=code)
    return link


@action("count_try", on=SigningLink, label=_("Count a wrong code"), allow=())
def count_try(link: SigningLink, *, by: Actor, now: datetime) -> SigningLink:
    """A wrong code was given. After five the code is worth nothing."""
    link.tries += 1
    if link.tries >= MOST_TRIES:
        link.code_hash, link.code_until = "", None
    link.save()
    return link


@action("note_opened", on=SigningLink, label=_("Note that it was opened"), allow=())
def note_opened(link: SigningLink, *, by: Actor, now: datetime) -> SigningLink:
    """When the text was first read by this link."""
    if link.opened_at is None:
        link.opened_at = now
        link.save()
    return link


@action("sign", on=SigningLink, label=_("Sign"), allow=(), step=LINK_STEPS["sign"])
def sign_with_code(link: SigningLink, *, by: Actor, now: datetime, digest: str, name: str, function: str) -> SigningLink:
    """Sign the text that was read, for the host. The code was checked; the link is used up."""
    Refused.because(why_not_open(link, now))
    agreement = PlacementAgreement.objects.select_for_update(of=("self",)).get(pk=link.agreement_id)
    version = current_of(agreement)
    if digest != version.digest or link.digest != version.digest:
        raise text_changed(agreement, version, digest if digest != version.digest else link.digest)
    if Party.HOST.value in signed_sides(version):
        raise Refused(Reason("already-signed", N_("The host has signed this version already.")))
    Signature.objects.create(
        version=version, party=Party.HOST.value, link=link, name=name.strip(), email=link.email, function=function.strip(), zone=agreement.placement.host.zone,
        at=now, digest=digest,
    )  # fmt: skip
    link.used_at, link.code_hash, link.code_until, link.state = now, "", None, LinkState.USED
    link.save()
    settle(agreement, version, now)
    return link


def link_of(token: str) -> SigningLink | None:
    """The link that this token opens, whatever its state."""
    found: SigningLink | None = SigningLink.objects.select_related("agreement__placement__host", "agreement__placement__student", "agreement__placement__home").filter(token_hash=token_hash(token)).first()
    return found


def whoever_holds(link: SigningLink) -> Actor:
    """Who acts by a link: nobody with an account; the history tells the name and address that the link was sent to."""
    return Actor(person_id=None, label=f"{link.name} <{link.email}>", is_system=True, language=link.language, zone=link.agreement.placement.host.zone, via="link")


def sign_by_link(link: SigningLink, *, now: datetime, code: str, digest: str, name: str, function: str) -> SigningLink:
    """Check the code, then sign. A wrong code is counted, and the count stays although nothing was signed."""
    Refused.because(why_not_open(link, now))
    problems = []
    if not name.strip():
        problems.append(Reason("name", N_("Write your name as it stands in your papers."), {}, "name"))
    if not function.strip():
        problems.append(Reason("function", N_("Say in which function you sign for the organisation."), {}, "function"))
    if not link.code_hash or link.code_until is None or now > link.code_until:
        problems.append(Reason("code-missing", N_("The code has expired or was never sent. Have a new one sent."), {}, "code"))
    Invalid.because(problems)
    given = "".join(char for char in code if char.isdigit())
    if not hmac.compare_digest(token_hash(f"{link.pk}:{given}"), link.code_hash):
        count_try(link, by=whoever_holds(link), now=now)
        raise Invalid(Reason("code-wrong", N_("This is not the code that was mailed to %(email)s."), {"email": link.email}, "code"))
    return sign_with_code(link, by=whoever_holds(link), now=now, digest=digest, name=name, function=function)


def why_not_open(link: SigningLink, now: datetime) -> list[Reason]:
    if link.state == LinkState.USED:
        return [Reason("link-used", N_("This link was used: the agreement is signed on your side."))]
    if link.state == LinkState.WITHDRAWN:
        return [Reason("link-withdrawn", N_("This link was withdrawn, because the text has changed or a newer link was sent. Look for a later mail."))]
    if link.expires_at <= now:
        return [Reason("link-expired", N_("This link expired on %(at)s. Ask the home institution for a new one."), {"at": link.expires_at})]
    return []


def _home_addresses(agreement: PlacementAgreement) -> set[str]:
    home = agreement.placement.home
    return set(home.memberships.filter(ends_on=None).exclude(role="student").values_list("person__email", flat=True))

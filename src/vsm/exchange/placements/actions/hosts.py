"""How a company or organisation becomes a host: it applies or is invited, is looked at point by point, and vetted for a time."""

import re
from datetime import date, datetime, timedelta
from secrets import token_urlsafe
from typing import Annotated, Literal

from django.utils.translation import gettext_lazy as _

from vsm.exchange.institutions import actions as institutions
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import every_country
from vsm.exchange.institutions.rules import identifier_problems, teaches
from vsm.exchange.people.models import is_zone
from vsm.exchange.people.queries import token_hash
from vsm.exchange.people.rules import Role
from vsm.exchange.placements.models import Host, VettingCheck
from vsm.exchange.placements.queries.hosts import checked, criterion_choices, outcome_choices
from vsm.exchange.placements.rules.vetting import application_problems, check_problems, valid_until, why_not_vetted
from vsm.exchange.placements.states import HOST_STEPS, HostState
from vsm.kit import clock, files
from vsm.kit.actions import NOTED, Ask, action, note
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.events import emit
from vsm.kit.folding import fold
from vsm.kit.i18n import N_
from vsm.kit.uploads import LIMIT, Upload, document_name, media_type_of
from vsm.kit.verdict import Reason
from vsm.rulebook.placements import criteria, vetting_months

VETTER = ("coordinator@vetter",)
INSIDE = ("coordinator@organisation",)
CONFIRM_HOURS = 72
OPEN_APPLICATIONS = 3
"""Unconfirmed applications of one mail address at a time: the form is open to everybody."""
NOTED[Host.noun, "look_at"] = _("Looked at")

Name = Annotated[str, Ask(_("Name of the organisation"), limit=200)]
Country = Annotated[str, Ask(_("Country"), choices=every_country, limit=2)]
Zone = Annotated[str, Ask(_("Time zone"), _("IANA name, for example America/Montevideo."), limit=64)]
City = Annotated[str, Ask(_("City"), limit=120)]
Registration = Annotated[str, Ask(_("Registration number"), _("In the register of companies or associations."), limit=120)]
Website = Annotated[str, Ask(_("Website"), limit=200)]
Purpose = Annotated[str, Ask(_("What the organisation does, and what students would do there"), kind="long_text", limit=4000)]
Founded = Annotated[int | None, Ask(_("Since which year"))]
Employees = Annotated[int | None, Ask(_("How many people work there"))]
ContactName = Annotated[str, Ask(_("Contact person"), limit=200)]
ContactEmail = Annotated[str, Ask(_("Mail address of that person"), limit=254)]
Language = Annotated[Literal["es", "pt-br", "en", "fr"], Ask(_("Language of the mail"))]
Because = Annotated[str, Ask(_("Why? (the host reads this)"), kind="long_text", limit=2000)]


@action("apply_as_host", on=Organisation, label=_("Apply as a host"), allow=())
def apply_as_host(
    organisation: Organisation, *, by: Actor, now: datetime, name: Name, country: Country, zone: Zone, contact_name: ContactName,
    contact_email: ContactEmail, purpose: Purpose, city: City = "", registration: Registration = "", website: Website = "",
    founded: Founded = None, employees: Employees = None, language: Language = "es",
) -> Host:  # fmt: skip
    """A company asks this institution or network to vet it. Nothing happens before the address is confirmed by a mailed link."""
    host, problems = _host_of(
        organisation, now, name=name, country=country, zone=zone, city=city, registration=registration, website=website, purpose=purpose,
        founded=founded, employees=employees, contact_name=contact_name, contact_email=contact_email, language=language,
    )  # fmt: skip
    if organisation.kind == "host":
        problems.append(Reason("not-a-vetter", N_("Hosts are vetted by institutions and networks."), {}, "name"))
    waiting = Host.objects.filter(contact_email=host.contact_email, state=HostState.UNCONFIRMED, confirm_by__gt=now).count()
    if waiting >= OPEN_APPLICATIONS:
        problems.append(Reason("too-many", N_("Several applications of this address wait for their confirmation. Open the link in the mail first."), {}, "contact_email"))
    Invalid.because(problems)
    secret = token_urlsafe(32)
    host.state, host.confirm_hash, host.confirm_by = HostState.UNCONFIRMED, token_hash(secret), now + timedelta(hours=CONFIRM_HOURS)
    host.save()
    emit("host.to_confirm", host_id=str(host.pk), secret=secret)
    return host


@action("invite_host", on=Organisation, label=_("Invite a host organisation"), allow=("coordinator@id",), when=teaches)
def invite_host(
    organisation: Organisation, *, by: Actor, now: datetime, name: Name, country: Country, zone: Zone, contact_name: ContactName,
    contact_email: ContactEmail, purpose: Purpose, city: City = "", registration: Registration = "", website: Website = "",
    founded: Founded = None, employees: Employees = None, language: Language = "es",
) -> Host:  # fmt: skip
    """Enter a company abroad and begin to vet it. Its contact person is invited to an account of their own."""
    host, problems = _host_of(
        organisation, now, name=name, country=country, zone=zone, city=city, registration=registration, website=website, purpose=purpose,
        founded=founded, employees=employees, contact_name=contact_name, contact_email=contact_email, language=language,
    )  # fmt: skip
    Invalid.because(problems)
    host.state = HostState.VETTING
    host.organisation = _organisation_of(host)
    host.save()
    _invite_contact(host, now)
    return host


@action("confirm", on=Host, label=_("Confirm the address"), allow=(), step=HOST_STEPS["confirm"])
def confirm(host: Host, *, by: Actor, now: datetime) -> Host:
    """The applicant has opened the mailed link: the institution is told that a host asks to be vetted."""
    if host.confirm_by and now > host.confirm_by:
        raise Refused(Reason("link-expired", N_("This link expired on %(at)s. Apply again."), {"at": host.confirm_by}))
    host.confirm_hash, host.confirm_by = "", None
    emit("host.applied", host_id=str(host.pk))
    return host


def confirm_by_link(token: str, *, now: datetime) -> Host:
    """The token of the mailed link is the right to confirm."""
    host: Host | None = Host.objects.filter(confirm_hash=token_hash(token)).first() if token else None
    if host is None:
        raise Refused(Reason("no-such-link", N_("This link is not one of ours, it was mistyped, or it was used already.")))
    return confirm(host, by=SYSTEM, now=now)


@action("take_up", on=Host, label=_("Begin vetting"), allow=VETTER, step=HOST_STEPS["take_up"], tone="primary")
def take_up(host: Host, *, by: Actor, now: datetime) -> Host:
    """Look into the application. The organisation is entered, and its contact person invited to hand in the evidence."""
    if host.organisation is None:
        host.organisation = _organisation_of(host)
    _invite_contact(host, now)
    return host


@action("hand_in", on=Host, label=_("Hand in evidence"), allow=INSIDE, step=HOST_STEPS["check"], tone="primary", due=lambda host: host.state != HostState.VETTED)
def hand_in(
    host: Host, *, by: Actor, now: datetime,
    criterion: Annotated[str, Ask(_("For which point?"), choices=criterion_choices)],
    evidence: Annotated[str, Ask(_("What it is, and what it shows"), kind="long_text", limit=4000)],
    expires_on: Annotated[date | None, Ask(_("Valid until"), _("Of a document: its last day."))] = None,
    file: Annotated[Upload | None, Ask(_("File"), _("PDF, JPEG, PNG or plain text, at most 5 MB."))] = None,
) -> Host:  # fmt: skip
    """The host gives evidence for a point of the checklist. Whoever vets looks at it and records what was seen."""
    _record(host, criterion, "given", evidence, expires_on, file, by=by, now=now)
    emit("host.evidence_given", host_id=str(host.pk))
    return host


@action("check", on=Host, label=_("Record a check"), allow=VETTER, step=HOST_STEPS["check"])
def check(
    host: Host, *, by: Actor, now: datetime,
    criterion: Annotated[str, Ask(_("Which point?"), choices=criterion_choices)],
    outcome: Annotated[str, Ask(_("Outcome"), choices=outcome_choices)],
    evidence: Annotated[str, Ask(_("What you have seen, or what is missing"), kind="long_text", limit=4000)],
    expires_on: Annotated[date | None, Ask(_("Valid until"), _("Of a document: its last day."))] = None,
    file: Annotated[Upload | None, Ask(_("File"), _("PDF, JPEG, PNG or plain text, at most 5 MB."))] = None,
) -> Host:  # fmt: skip
    """Record a look at one point. Earlier looks stay; the latest counts. A point that is no longer met suspends nothing by itself."""
    if outcome not in {"met", "not-met", "missing"}:
        raise Invalid(Reason("outcome", N_("“%(value)s” is not one of: %(known)s."), {"value": outcome, "known": "met, not-met, missing"}, "outcome"))
    _record(host, criterion, outcome, evidence, expires_on, file, by=by, now=now)
    return host


def _is_due(host: Host) -> bool:
    """Whether a vetting today would say more than stands: every point is met, and it would last longer than the one that holds."""
    held, today = checked(host), clock.now().date()
    if any(why_not_vetted(criteria(), held, today)):
        return False
    return host.state != HostState.VETTED or host.valid_until is None or valid_until(criteria(), held, today, vetting_months(today)) > host.valid_until


@action("vet", on=Host, label=_("Vetted: may take students"), allow=VETTER, step=HOST_STEPS["vet"], tone="primary", due=_is_due)
def vet(host: Host, *, by: Actor, now: datetime, because: str = "") -> Host:
    """Say that students may be sent there, until the term or the first document ends. Refused with every point that is not met."""
    held, today = checked(host), now.date()
    Refused.because(why_not_vetted(criteria(), held, today))
    host.valid_until, host.because = valid_until(criteria(), held, today, vetting_months(today)), ""
    emit("host.vetted", host_id=str(host.pk))
    return host


@action("refuse", on=Host, label=_("Refuse"), allow=VETTER, step=HOST_STEPS["refuse"], tone="warning")
def refuse(host: Host, *, by: Actor, now: datetime, because: Because) -> Host:
    """No students are sent there. The host reads why, and may be vetted later."""
    host.because = because.strip()
    emit("host.refused", host_id=str(host.pk))
    return host


@action("suspend", on=Host, label=_("Suspend"), allow=VETTER, step=HOST_STEPS["suspend"], tone="warning")
def suspend(host: Host, *, by: Actor, now: datetime, because: Because) -> Host:
    """Stop at once: nobody can apply or start there. Home institutions with students there are told and decide for each."""
    host.because = because.strip()
    emit("host.suspended", host_id=str(host.pk))
    return host


@action("lift", on=Host, label=_("Lift the suspension"), allow=VETTER, step=HOST_STEPS["lift"])
def lift(host: Host, *, by: Actor, now: datetime, because: str = "") -> Host:
    """The reason is gone: the vetting holds again, if all points still do."""
    Refused.because(why_not_vetted(criteria(), checked(host), now.date()))
    host.because = ""
    return host


@action("expire", on=Host, label=_("Expire"), allow=(), step=HOST_STEPS["expire"])
def expire(host: Host, *, by: Actor, now: datetime) -> Host:
    """The last day of the vetting has passed."""
    emit("host.expired", host_id=str(host.pk))
    return host


@action("reopen", on=Host, label=_("Vet again"), allow=VETTER, step=HOST_STEPS["reopen"])
def reopen(host: Host, *, by: Actor, now: datetime, because: str = "") -> Host:
    """Look again at a host that was refused."""
    host.because = ""
    if host.organisation is None:
        host.organisation = _organisation_of(host)
        _invite_contact(host, now)
    return host


@action("remind", on=Host, label=_("Remind of the renewal"), allow=())
def remind(host: Host, *, by: Actor, now: datetime) -> Host:
    """Once for each end: the vetting ends soon."""
    host.reminded_for = host.valid_until
    host.save()
    emit("host.to_renew", host_id=str(host.pk))
    return host


def _host_of(vetter: Organisation, now: datetime, **facts: object) -> tuple[Host, list[Reason]]:
    host = Host(vetter=vetter, **facts)
    host.name, host.contact_email, host.country = host.name.strip(), host.contact_email.strip().lower(), host.country.strip().upper()
    problems = list(
        application_problems(name=host.name, contact_email=host.contact_email, founded=host.founded, employees=host.employees, purpose=host.purpose, on=now.date())
    )
    problems += [reason for reason in identifier_problems(schac="a.example", ror="", country=host.country) if reason.field == "country"]
    if not is_zone(host.zone):
        problems.append(Reason("zone", N_("“%(zone)s” is not a time zone of the IANA database (example: America/Lima)."), {"zone": host.zone}, "zone"))
    if host.website and not host.website.startswith(("https://", "http://")):
        problems.append(Reason("website", N_("Write the whole address, beginning with https://."), {}, "website"))
    return host, problems


def _organisation_of(host: Host) -> Organisation:
    """Enter the organisation. Its code is its own domain where that is free, else one made of its name."""
    domain = re.sub(r"^(https?://)?(www\.)?", "", host.website.lower()).partition("/")[0] or host.contact_email.partition("@")[2]
    slug = re.sub(r"[^a-z0-9]+", "-", fold(host.name)).strip("-")[:60] or "host"
    taken = Organisation.objects.filter(schac__in=[domain, f"{slug}.host"]).values_list("schac", flat=True)
    code = domain if domain and domain not in taken else f"{slug}.host" if f"{slug}.host" not in taken else f"{slug}-{str(host.pk)[-6:]}.host"
    organisation = Organisation(
        kind="host", name=dict.fromkeys(("es", "pt-br", "en", "fr"), host.name), schac=code, country=host.country, city=host.city, zone=host.zone,
        languages=[host.language], website=host.website, credit_system=host.vetter.credit_system, grade_scale=host.vetter.grade_scale,
    )  # fmt: skip
    organisation.save()
    return organisation


def _invite_contact(host: Host, now: datetime) -> None:
    if host.organisation is not None:
        institutions.invite(host.organisation, by=SYSTEM, now=now, email=host.contact_email, role=Role.COORDINATOR, language=host.language)  # type: ignore[arg-type]  # -- one of the four


def _record(host: Host, criterion: str, outcome: str, evidence: str, expires_on: date | None, file: Upload | None, *, by: Actor, now: datetime) -> None:
    known = {each.slug: each for each in criteria()}
    problems = list(check_problems(known.get(criterion), outcome, evidence, expires_on, now.date()))
    kept = VettingCheck(host=host, criterion=criterion[:32], outcome=outcome, evidence=evidence.strip(), expires_on=expires_on, by_id=by.person_id, at=now)
    if file is not None and file.data:
        if len(file.data) > LIMIT or not media_type_of(file.data):
            problems.append(Reason("document-type", N_("“%(name)s” is not a PDF, JPEG, PNG or plain text file, whatever its name says. Save it as PDF."), {"name": file.name}, "file"))
        else:
            kept.file_type = media_type_of(file.data)
            kept.file_name, kept.file_digest = document_name(file.name, kept.file_type), files.put(file.data)
    Invalid.because(problems)
    kept.save()
    note(host, "look_at", by=by, now=now, because=evidence.strip()[:500], changes={criterion: ["", outcome]})
    host.save()

"""What operators and offices do: organisations, their units and terms, invitations, students' records, roles."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from secrets import token_urlsafe
from typing import Annotated, Literal

from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel

from vsm.exchange.institutions.models import Hub, Organisation, Term, Unit
from vsm.exchange.institutions.queries import (
    credit_system_choices,
    every_country,
    grade_scale_choices,
    kind_choices,
    language_choices,
)
from vsm.exchange.institutions.rules import identifier_problems, teaches
from vsm.exchange.people.models import Invitation, Membership, Person, StudentRecord, is_zone
from vsm.exchange.people.queries import level_choices, role_choices, token_hash
from vsm.exchange.people.rules import CEFR, Role
from vsm.kit.actions import Ask, action
from vsm.kit.actors import Actor
from vsm.kit.errors import Invalid
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.mail_addresses import is_mail_address
from vsm.kit.verdict import Reason

INVITATION_DAYS = 14
OFFICE = ("coordinator@id", "operator")
Localized = dict[str, str]


class Spoken(BaseModel):
    """A language that a student speaks, at which level of the Common European Framework."""

    language: Annotated[str, Ask(_("Language code"), limit=8)]
    level: Annotated[Literal["A1", "A2", "B1", "B2", "C1", "C2", "native"], Ask(_("Level (CEFR)"))]


@action("add_organisation", on=Hub, label=_("Add an organisation"), allow=("operator",), tone="primary")
def add_organisation(
    hub: Hub, *, by: Actor, now: datetime,
    name: Annotated[Localized, Ask(_("Name"), kind="localized")],
    schac: Annotated[str, Ask(_("SCHAC code"), _("The institution's domain."), limit=120)],
    country: Annotated[str, Ask(_("Country"), choices=every_country, limit=2)],
    zone: Annotated[str, Ask(_("Time zone"), _("IANA name, for example America/Lima."), limit=64)],
    kind: Annotated[Literal["university", "host", "network"], Ask(_("Kind"), choices=kind_choices)] = "university",
    city: Annotated[str, Ask(_("City"), limit=120)] = "",
    ror: Annotated[str, Ask(_("ROR"), limit=40)] = "",
    languages: Annotated[list[str], Ask(_("Languages"), choices=language_choices)] = [],  # noqa: B006 -- never changed; pydantic copies it
    credit_system: Annotated[str, Ask(_("Credit system"), choices=credit_system_choices)] = "ects",
    grade_scale: Annotated[str, Ask(_("Grade scale"), choices=grade_scale_choices)] = "ects",
    contact: Annotated[str, Ask(_("Contact"), limit=254)] = "",
) -> Organisation:  # fmt: skip
    """Make an institution known here."""
    problems = list(identifier_problems(schac=schac, ror=ror, country=country))
    if not is_zone(zone):
        problems.append(Reason("zone", N_("“%(zone)s” is not a time zone of the IANA database (example: America/Lima)."), {"zone": zone}, "zone"))
    if not name:
        problems.append(Reason("name", N_("Give the name in at least one language."), {}, "name"))
    if Organisation.objects.filter(schac=schac).exists():
        problems.append(Reason("schac-taken", N_("An organisation with this SCHAC code is already here."), {}, "schac"))
    Invalid.because(problems)
    organisation = Organisation(
        kind=kind, name=name, schac=schac, ror=ror, country=country, city=city, zone=zone, languages=languages,
        credit_system=credit_system, grade_scale=grade_scale, contact=contact,
    )  # fmt: skip
    organisation.save()
    return organisation


@action("edit", on=Organisation, label=_("Edit"), allow=OFFICE)
def edit_organisation(
    organisation: Organisation, *, by: Actor, now: datetime,
    name: Annotated[Localized, Ask(_("Name"), kind="localized")],
    about: Annotated[Localized, Ask(_("About"), kind="localized")],
    website: Annotated[str, Ask(_("Website"), limit=200)] = "",
    contact: Annotated[str, Ask(_("Contact"), limit=254)] = "",
) -> Organisation:  # fmt: skip
    """Change what the public page says."""
    organisation.name, organisation.about, organisation.website, organisation.contact = name, about, website, contact
    organisation.save()
    return organisation


@action("add_unit", on=Organisation, label=_("Add a unit"), allow=OFFICE, when=teaches)
def add_unit(
    organisation: Organisation, *, by: Actor, now: datetime,
    code: Annotated[str, Ask(_("Code"), limit=32)],
    name: Annotated[Localized, Ask(_("Name"), kind="localized")],
) -> Unit:  # fmt: skip
    """Add a faculty, school or department."""
    if organisation.units.filter(code=code).exists():
        raise Invalid(Reason("code-taken", N_("A unit with this code is already here."), {}, "code"))
    unit = Unit(organisation=organisation, code=code, name=name)
    unit.save()
    return unit


@action("add_term", on=Organisation, label=_("Add a term"), allow=OFFICE, when=teaches)
def add_term(
    organisation: Organisation, *, by: Actor, now: datetime,
    code: Annotated[str, Ask(_("Code"), _("For example 2027-1."), limit=32)],
    name: Annotated[Localized, Ask(_("Name"), kind="localized")],
    starts_on: Annotated[date, Ask(_("Starts"))],
    ends_on: Annotated[date, Ask(_("Ends"))],
) -> Term:  # fmt: skip
    """Add a teaching period."""
    problems = []
    if ends_on <= starts_on:
        problems.append(Reason("dates", N_("The term ends before it starts."), {}, "ends_on"))
    if organisation.terms.filter(code=code).exists():
        problems.append(Reason("code-taken", N_("A term with this code is already here."), {}, "code"))
    Invalid.because(problems)
    term = Term(organisation=organisation, code=code, name=name, starts_on=starts_on, ends_on=ends_on)
    term.save()
    return term


@action("invite", on=Organisation, label=_("Invite somebody"), allow=OFFICE)
def invite(
    organisation: Organisation, *, by: Actor, now: datetime,
    email: Annotated[str, Ask(_("Email"), limit=254)],
    role: Annotated[str, Ask(_("Role"), choices=lambda _r, a: role_choices(a))],
    language: Annotated[Literal["es", "pt-br", "en", "fr"], Ask(_("Language of the mail"))] = "es",
) -> Invitation:  # fmt: skip
    """Offer a role by mail; the link works once, for fourteen days. An invitation already open is replaced."""
    if not is_mail_address(email):
        raise Invalid(Reason("email", N_("This is not a mail address."), {}, "email"))
    if role not in set(Role):
        raise Invalid(Reason("role", N_("“%(value)s” is not one of: %(known)s."), {"value": role, "known": ", ".join(Role)}, "role"))
    for open_one in Invitation.objects.filter(organisation=organisation, email=email.lower(), role=role, state="sent"):
        open_one.state = "withdrawn"
        open_one.save()
    secret = token_urlsafe(32)
    invitation = Invitation(
        organisation=organisation, email=email.lower(), role=role, language=language,
        token_hash=token_hash(secret), expires_at=now + timedelta(days=INVITATION_DAYS),
    )  # fmt: skip
    invitation.save()
    emit("invitation.sent", invitation_id=str(invitation.pk), secret=secret)
    return invitation


@action("give_role", on=Organisation, label=_("Give a role"), allow=OFFICE)
def give_role(
    organisation: Organisation, *, by: Actor, now: datetime,
    email: Annotated[str, Ask(_("Email"), _("Of somebody who already has an account; invite everybody else."), limit=254)],
    role: Annotated[str, Ask(_("Role"), choices=lambda _r, a: role_choices(a))],
) -> Membership:  # fmt: skip
    """Give somebody who is already here a further role, from today."""
    person = Person.objects.filter(email=email.lower(), is_active=True).first()
    problems = []
    if person is None:
        problems.append(Reason("unknown-person", N_("Nobody here has this address. Invite them instead."), {}, "email"))
    if role not in set(Role):
        problems.append(Reason("role", N_("“%(value)s” is not one of: %(known)s."), {"value": role, "known": ", ".join(Role)}, "role"))
    if person is not None and Membership.objects.filter(person=person, organisation=organisation, role=role, ends_on=None).exists():
        problems.append(Reason("has-role", N_("This person already holds the role here."), {}, "role"))
    Invalid.because(problems)
    membership = Membership(person=person, organisation=organisation, role=role, starts_on=now.date())
    membership.save()
    return membership


@action("end", on=Membership, label=_("End this role"), allow=("coordinator@organisation", "operator"), tone="warning", when=lambda m: m.ends_on is None)
def end_membership(membership: Membership, *, by: Actor, now: datetime, because: str = "") -> Membership:
    """The role ends yesterday, so that nothing can be done with it from now on."""
    membership.ends_on = max(membership.starts_on, now.date() - timedelta(days=1))
    membership.save()
    return membership


@action("register_student", on=Organisation, label=_("Register a student"), allow=("coordinator@id", "registrar@id", "operator"), tone="primary", when=teaches)
def register_student(
    organisation: Organisation, *, by: Actor, now: datetime,
    email: Annotated[str, Ask(_("Email"), limit=254)],
    name: Annotated[str, Ask(_("Name"), limit=200)],
    student_number: Annotated[str, Ask(_("Student number"), limit=64)],
    programme: Annotated[str, Ask(_("Programme"), limit=200)],
    level: Annotated[Literal["short-cycle", "bachelor", "master", "doctorate"], Ask(_("Level"), choices=level_choices)] = "bachelor",
    isced_f: Annotated[str, Ask(_("Field (ISCED-F)"), limit=4)] = "",
    credits_earned: Annotated[Decimal, Ask(_("Credits earned"))] = Decimal(0),
    credits_total: Annotated[Decimal, Ask(_("Credits of the degree"))] = Decimal(0),
    languages: Annotated[list[Spoken], Ask(_("Languages"))] = [],  # noqa: B006 -- never changed; pydantic copies it
) -> StudentRecord:  # fmt: skip
    """Enter a student with the facts that eligibility is decided on; the person is invited if unknown."""
    problems = [] if is_mail_address(email) else [Reason("email", N_("This is not a mail address."), {}, "email")]
    if StudentRecord.objects.filter(home=organisation, student_number=student_number).exists():
        problems.append(Reason("number-taken", N_("This student number is already registered."), {}, "student_number"))
    if StudentRecord.objects.filter(person__email=email.lower()).exists():
        problems.append(Reason("already-student", N_("This person is already registered as a student."), {}, "email"))
    problems += study_problems(credits_earned, credits_total, languages)
    Invalid.because(problems)
    person, is_new = Person.objects.get_or_create(email=email.lower(), defaults={"name": name, "language": "es", "zone": organisation.zone})
    if is_new:
        person.set_unusable_password()
        person.save()
        invite(organisation, by=by, now=now, email=email, role=Role.STUDENT)
    Membership.objects.get_or_create(person=person, organisation=organisation, role=Role.STUDENT, ends_on=None, defaults={"starts_on": now.date()})
    record = StudentRecord(
        person=person, home=organisation, student_number=student_number, programme=programme, level=level, isced_f=isced_f,
        credits_earned=credits_earned, credits_total=credits_total, languages={spoken.language: spoken.level for spoken in languages},
    )  # fmt: skip
    record.save()
    return record


@action("update", on=StudentRecord, label=_("Update study record"), allow=("coordinator@home", "registrar@home", "operator"), tone="primary")
def update_student(
    record: StudentRecord, *, by: Actor, now: datetime,
    programme: Annotated[str, Ask(_("Programme"), limit=200)],
    credits_earned: Annotated[Decimal, Ask(_("Credits earned"))],
    credits_total: Annotated[Decimal, Ask(_("Credits of the degree"))],
    languages: Annotated[list[Spoken], Ask(_("Languages"), start=lambda r, _a: [Spoken(language=k, level=v) for k, v in r.languages.items()])],
    average: Annotated[str, Ask(_("Average grade"), limit=16)] = "",
) -> StudentRecord:  # fmt: skip
    """Bring the facts up to date; applications not yet submitted are judged by the new ones."""
    Invalid.because(study_problems(credits_earned, credits_total, languages))
    record.programme, record.credits_earned, record.credits_total, record.average = programme, credits_earned, credits_total, average
    record.languages = {spoken.language: spoken.level for spoken in languages}
    record.save()
    return record


def study_problems(earned: Decimal, total: Decimal, languages: list[Spoken]) -> list[Reason]:
    problems = []
    if earned < 0 or total < 0:
        problems.append(Reason("credits-negative", N_("Credits cannot be negative."), {}, "credits_earned"))
    if total and earned > total * 2:
        problems.append(Reason("credits-too-many", N_("More credits are earned than twice the degree has: check both numbers."), {}, "credits_earned"))
    known = {*CEFR, "native"}
    problems += [Reason("cefr", N_("“%(level)s” is not a level of the CEFR."), {"level": s.level}, "languages") for s in languages if s.level not in known]
    return problems

"""The tripartite agreement: opened with the placement, drafted in versions, presented, signed by all three, put into force."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from vsm.exchange.institutions import actions as institutions
from vsm.exchange.people.models import Person
from vsm.exchange.people.rules import Role
from vsm.exchange.placements.models import (
    AgreementVersion,
    Placement,
    PlacementAgreement,
    PlacementApplication,
    Signature,
    SigningLink,
)
from vsm.exchange.placements.queries.placements import (
    in_reader,
    is_asked_to_sign,
    limit_of,
    officer_of,
    side_choices,
    sides_of,
    sides_signed_before,
    signed_sides,
    tutor_choices,
    work_language_choices,
)
from vsm.exchange.placements.queries.vacancies import core_told
from vsm.exchange.placements.rules.agreement import (
    Content,
    Party,
    amount,
    as_json,
    differences,
    digest_of,
    told,
    why_incomplete,
    why_not_sign,
)
from vsm.exchange.placements.rules.vacancies import LONGEST
from vsm.exchange.placements.states import AGREEMENT_STEPS, OVER, AgreementState, LinkState, PlacementState
from vsm.kit.actions import NOTED, Ask, action, note
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Conflict, Invalid, NotAllowed, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.mail_addresses import is_mail_address
from vsm.kit.verdict import Reason

HOME_OFFICE = ("coordinator@placement.home", "registrar@placement.home")
HOST_OFFICE = ("coordinator@placement.host.organisation",)
SIGNERS = ("self@placement.student", *HOME_OFFICE, *HOST_OFFICE)
NOTED |= {(noun, "open_placement"): _("Placement opened") for noun in (Placement.noun, PlacementAgreement.noun)}
NOTED[Placement.noun, "follow_agreement"] = _("Follows the signed agreement")


def _now_in(name: str) -> Any:
    """What the form of a new version begins with: what the current one says."""

    def start(agreement: PlacementAgreement, _actor: Actor) -> Any:
        version = agreement.current_version
        return getattr(version.text, name) if version else ""

    return start


def _person_in(side: str, fact: str) -> Any:
    def start(agreement: PlacementAgreement, _actor: Actor) -> Any:
        version = agreement.current_version
        return getattr(version.text, side).get(fact, "") if version else ""

    return start


def _number_in(name: str) -> Any:
    def start(agreement: PlacementAgreement, _actor: Actor) -> Any:
        version = agreement.current_version
        return Decimal(getattr(version.text, name)) if version and getattr(version.text, name) else None

    return start


def _day_in(name: str) -> Any:
    def start(agreement: PlacementAgreement, _actor: Actor) -> Any:
        version = agreement.current_version
        return date.fromisoformat(getattr(version.text, name)) if version else None

    return start


def _fingerprint(agreement: PlacementAgreement, _actor: Actor) -> str:
    version = agreement.current_version
    return version.digest if version else ""


def open_placement(application: PlacementApplication, *, by: Actor, now: datetime) -> Placement:
    """Inside the acceptance: the placement as the vacancy describes it, and the first draft of its agreement."""
    vacancy = application.vacancy
    offering = vacancy.offering
    placement = Placement(
        application=application, student=application.student, home=application.home, host=vacancy.host, mentor_name=vacancy.supervisor_name,
        mentor_email=vacancy.supervisor_email, starts_on=offering.starts_on, ends_on=offering.ends_on, hours_per_week=vacancy.hours_per_week,
    )  # fmt: skip
    placement.save()
    agreement = PlacementAgreement(placement=placement)
    agreement.save()
    opportunity = offering.opportunity
    _write(
        agreement, now=now, by=by, because="", tasks=in_reader(opportunity.description), outcomes=in_reader(opportunity.learning_outcomes),
        hours_per_week=vacancy.hours_per_week, starts_on=offering.starts_on, ends_on=offering.ends_on,
        core_hours=core_told(vacancy, offering.zone, offering.starts_on), language=opportunity.language, mentor_name=vacancy.supervisor_name,
        mentor_email=vacancy.supervisor_email, tutor=None, pay=vacancy.pay, currency=vacancy.currency, pay_period=vacancy.pay_period,
        equipment=vacancy.equipment, insurance="", data_and_ip="", confidentiality="", complaints="",
    )  # fmt: skip
    agreement.save()
    note(placement, "open_placement", by=by, now=now)
    note(agreement, "open_placement", by=by, now=now)
    emit("placement.opened", placement_id=str(placement.pk))
    return placement


@action("draft_version", on=PlacementAgreement, label=_("Draft a new version"), allow=SIGNERS, step=AGREEMENT_STEPS["draft_version"])
def draft_version(
    agreement: PlacementAgreement, *, by: Actor, now: datetime,
    tasks: Annotated[str, Ask(_("Tasks"), kind="long_text", limit=8000, start=_now_in("tasks"))],
    outcomes: Annotated[str, Ask(_("Learning outcomes"), kind="long_text", limit=4000, start=_now_in("outcomes"))],
    hours_per_week: Annotated[Decimal, Ask(_("Hours a week"), start=_number_in("hours_per_week"))],
    starts_on: Annotated[date, Ask(_("First day"), start=_day_in("starts_on"))],
    ends_on: Annotated[date, Ask(_("Last day"), start=_day_in("ends_on"))],
    mentor_name: Annotated[str, Ask(_("Mentor at the host"), limit=200, start=_person_in("mentor", "name"))],
    mentor_email: Annotated[str, Ask(_("Mail address of the mentor"), limit=254, start=_person_in("mentor", "email"))],
    tutor: Annotated[UUID, Ask(_("Tutor at home"), choices=tutor_choices, start=_person_in("tutor", "id"))],
    insurance: Annotated[str, Ask(_("Insurance"), _("Who insures against what, and how an accident is reported."), kind="long_text", limit=4000, start=_now_in("insurance"))],
    data_and_ip: Annotated[str, Ask(_("Data and intellectual property"), _("Whose is what the student makes; what happens to personal data."), kind="long_text", limit=4000, start=_now_in("data_and_ip"))],
    confidentiality: Annotated[str, Ask(_("Confidentiality"), kind="long_text", limit=4000, start=_now_in("confidentiality"))],
    complaints: Annotated[str, Ask(_("Complaint route"), _("To whom the student turns, beside the safeguarding officer at home, and what then happens."), kind="long_text", limit=4000, start=_now_in("complaints"))],
    equipment: Annotated[str, Ask(_("Equipment"), kind="long_text", limit=4000, start=_now_in("equipment"))],
    core_hours: Annotated[str, Ask(_("Core hours"), _("On the host’s clock."), limit=100, start=_now_in("core_hours"))] = "",
    language: Annotated[str, Ask(_("Language of work"), choices=work_language_choices, start=_now_in("language"))] = "",
    pay_period: Annotated[
        Literal["none", "hour", "month", "total"],
        Ask(_("Remuneration"), start=_now_in("pay_period"), choices=lambda _r, _a: [("none", str(_("nothing is paid"))), ("hour", str(_("an hour"))), ("month", str(_("a month"))), ("total", str(_("in all")))]),
    ] = "none",
    pay: Annotated[Decimal | None, Ask(_("Amount"), start=_number_in("pay"))] = None,
    currency: Annotated[str, Ask(_("Currency"), limit=3, start=_now_in("currency"))] = "",
    because: Annotated[str, Ask(_("Why is it changed?"), _("Everybody who signs reads this."), kind="long_text", limit=2000)] = "",
) -> PlacementAgreement:  # fmt: skip
    """Write the next version; an extension is one too. Signatures under earlier versions do not count for it, and a version
    that all have signed stays in force until this one is signed by all."""
    placement = agreement.placement
    problems = []
    if placement.state in {*OVER, PlacementState.CANCELLED}:
        raise Refused(Reason("placement-over", N_("This placement is over: its agreement stays as it is.")))
    if str(tutor) not in {pk for pk, _name in tutor_choices(agreement, by)}:
        problems.append(Reason("tutor-unknown", N_("The tutor must hold an office at the home institution."), {}, "tutor"))
    if mentor_email and not is_mail_address(mentor_email):
        problems.append(Reason("email", N_("This is not a mail address."), {}, "mentor_email"))
    if placement.started_on and starts_on != placement.starts_on:
        problems.append(Reason("started", N_("The placement has started: its first day stays %(day)s."), {"day": placement.starts_on}, "starts_on"))
    if ends_on < starts_on:
        problems.append(Reason("dates-order", N_("It ends before it starts."), {}, "ends_on"))
    elif (ends_on - starts_on).days > LONGEST:
        problems.append(Reason("dates-far", N_("A placement lasts at most %(days)s days."), {"days": LONGEST}, "ends_on"))
    if not 0 < hours_per_week <= 80:
        problems.append(Reason("hours", N_("“%(value)s” is no number of hours a week."), {"value": hours_per_week}, "hours_per_week"))
    if (pay_period == "none") != (not pay):
        problems.append(Reason("pay-missing", N_("Give the amount, or say plainly that nothing is paid."), {}, "pay"))
    Invalid.because(problems)
    before = agreement.current_version
    _write(
        agreement, now=now, by=by, because=because, tasks=tasks, outcomes=outcomes, hours_per_week=hours_per_week, starts_on=starts_on, ends_on=ends_on,
        core_hours=core_hours, language=language, mentor_name=mentor_name, mentor_email=mentor_email.strip().lower(), tutor=tutor, pay=pay,
        currency=currency.upper(), pay_period=pay_period, equipment=equipment, insurance=insurance, data_and_ip=data_and_ip,
        confidentiality=confidentiality, complaints=complaints, unless_as=before,
    )  # fmt: skip
    _end_links(agreement)
    return agreement


@action("present", on=PlacementAgreement, label=_("Present for signature"), allow=SIGNERS, step=AGREEMENT_STEPS["present"], tone="primary")
def present(agreement: PlacementAgreement, *, by: Actor, now: datetime) -> PlacementAgreement:
    """Ask all three to sign the current version. Refused with everything that is still missing in it."""
    version = current_of(agreement)
    Refused.because(why_incomplete(version.text, limit_of(agreement.placement, now.date())))
    agreement.waiting_for = missing_of(version)
    emit("placement_agreement.presented", agreement_id=str(agreement.pk))
    return agreement


@action("sign", on=PlacementAgreement, label=_("Read and sign"), allow=SIGNERS, step=AGREEMENT_STEPS["sign"], tone="primary", waits_for=is_asked_to_sign)
def sign(
    agreement: PlacementAgreement, *, by: Actor, now: datetime,
    digest: Annotated[str, Ask(_("Fingerprint of the text"), _("Of the version that you have read: the signature is bound to it."), kind="hidden", start=_fingerprint, limit=64)],
    side: Annotated[str, Ask(_("On whose side?"), choices=side_choices, limit=8)] = "",
) -> PlacementAgreement:  # fmt: skip
    """Sign the very text whose digest was read. The third signature puts the version into force.

    Conflict, with every difference, when the text has changed since it was read.
    """
    version = current_of(agreement)
    sides = sides_of(agreement, by)
    if not sides or by.person_id is None:
        raise NotAllowed(Reason("not-a-party", N_("Only the student, the home institution and the host organisation sign.")))
    if digest != version.digest:
        raise text_changed(agreement, version, digest)
    if not side and len(sides) > 1:
        raise Invalid(Reason("side-missing", N_("You may act for more than one side: say for which one you sign."), {}, "side"))
    party = side or sides[0]
    Refused.because(why_not_sign(party, sides=sides, signed=signed_sides(version), earlier=sides_signed_before(agreement), person=by.person_id))
    person = Person.objects.get(pk=by.person_id)
    Signature.objects.create(version=version, party=party, person=person, name=person.name, email=person.email, zone=person.zone, at=now, digest=digest)
    settle(agreement, version, now)
    return agreement


@action("return", on=PlacementAgreement, label=_("Return for changes"), allow=SIGNERS, step=AGREEMENT_STEPS["return"])
def return_for_changes(
    agreement: PlacementAgreement, *, by: Actor, now: datetime,
    because: Annotated[str, Ask(_("What should change?"), kind="long_text", limit=2000)],
) -> PlacementAgreement:  # fmt: skip
    """Do not sign, and say what should change. Links to sign by end; signatures already given stay with their text."""
    agreement.waiting_for = ""
    _end_links(agreement)
    emit("placement_agreement.returned", agreement_id=str(agreement.pk), because=because.strip()[:500])
    return agreement


@action("cancel", on=PlacementAgreement, label=_("Cancel"), allow=(), step=AGREEMENT_STEPS["cancel"])
def cancel_agreement(agreement: PlacementAgreement, *, by: Actor, now: datetime, because: str) -> PlacementAgreement:
    """The placement was given up before it began."""
    agreement.waiting_for = ""
    _end_links(agreement)
    return agreement


# What signing by link shares --------------------------------------------------------------------------------------------


def current_of(agreement: PlacementAgreement) -> AgreementVersion:
    version: AgreementVersion | None = agreement.current_version
    if version is None:
        raise Refused(Reason("no-version", N_("There is no text yet. Draft a version first.")))
    return version


def missing_of(version: AgreementVersion) -> str:
    signed = signed_sides(version)
    return " ".join(party.value for party in Party if party.value not in signed)


def settle(agreement: PlacementAgreement, version: AgreementVersion, now: datetime) -> None:
    """After a signature: wait for the others, or put the version into force and let the placement follow it."""
    version = AgreementVersion.objects.get(pk=version.pk)
    agreement.waiting_for = missing_of(version)
    if agreement.waiting_for:
        agreement.save()
        return
    agreement.state, agreement.signed_version = AgreementState.SIGNED, version.number
    agreement.save()
    _end_links(agreement)
    _follow(agreement.placement, version.text, now)
    emit("placement_agreement.signed", agreement_id=str(agreement.pk))


def text_changed(agreement: PlacementAgreement, version: AgreementVersion, digest: str) -> Conflict | Invalid:
    read = next((each for each in agreement.versions.all() if each.digest == digest), None)
    if read is None:
        text = N_("This is not the fingerprint of any version of this agreement. Open it again and read what you sign.")
        return Invalid(Reason("unknown-digest", text, {}, "digest"))
    text = N_("You read version %(read)s; version %(current)s has taken its place. Nothing was signed. Read what changed, then sign that.")
    changes = [told(change) for change in differences(read.text, version.text)]
    return Conflict(Reason("text-changed", text, {"read": read.number, "current": version.number}), *changes)


def _follow(placement: Placement, text: Content, now: datetime) -> None:
    """What holds now is what was signed. A mentor who has no account yet is invited to one."""
    placement.starts_on, placement.ends_on = date.fromisoformat(text.starts_on), date.fromisoformat(text.ends_on)
    placement.hours_per_week, placement.tutor_id = Decimal(text.hours_per_week), UUID(text.tutor["id"])
    placement.mentor_name, placement.mentor_email = text.mentor["name"], text.mentor["email"]
    before = placement.state
    if placement.state == PlacementState.PREPARING:
        placement.state = PlacementState.READY
    placement.save()
    note(placement, "follow_agreement", by=SYSTEM, now=now, changes={"state": [before, placement.state], "ends_on": ["", text.ends_on]})
    if placement.mentor_id is None and placement.host.organisation is not None:
        host = placement.host
        institutions.invite(host.organisation, by=SYSTEM, now=now, email=placement.mentor_email, role=Role.INSTRUCTOR, language=host.language)  # type: ignore[arg-type]  # -- one of the four


def _end_links(agreement: PlacementAgreement) -> None:
    """A link is for one text only: when the text is no longer waited for, it ends."""
    SigningLink.objects.filter(agreement=agreement, state=LinkState.SENT).update(state=LinkState.WITHDRAWN)


def _write(agreement: PlacementAgreement, *, now: datetime, by: Actor, because: str, unless_as: AgreementVersion | None = None, **facts: Any) -> None:
    placement, before = agreement.placement, agreement.current_version
    home, host, officer = placement.home, placement.host, officer_of(placement.home_id)
    record = getattr(placement.student, "student_record", None)
    limit = limit_of(placement, now.date())
    tutor = Person.objects.filter(pk=facts["tutor"]).first() if facts["tutor"] else None
    content = Content(
        agreement=str(agreement.pk), number=agreement.current + 1, follows=before.digest if before else "", title=placement.application.vacancy.offering.opportunity.title,
        student={"id": str(placement.student_id), "name": placement.student.name, "number": record.student_number if record else "", "programme": record.programme if record else ""},
        home={"id": str(home.pk), "name": home.name, "country": home.country},
        host={"id": str(host.pk), "name": host.name, "country": host.country, "registration": host.registration},
        tasks=facts["tasks"].strip(), outcomes=facts["outcomes"].strip(), hours_per_week=amount(facts["hours_per_week"]), most_hours_per_week=amount(limit.week),
        limit_source=f"{limit.week_from[0]}: {limit.week_from[1]}", starts_on=facts["starts_on"].isoformat(), ends_on=facts["ends_on"].isoformat(), zone=host.zone,
        core_hours=facts["core_hours"].strip(), language=facts["language"], mentor={"name": facts["mentor_name"].strip(), "email": facts["mentor_email"]},
        tutor={"id": str(tutor.pk), "name": tutor.name, "email": tutor.email} if tutor else {}, pay=amount(facts["pay"]), currency=facts["currency"] if facts["pay"] else "",
        pay_period=facts["pay_period"], equipment=facts["equipment"].strip(), insurance=facts["insurance"].strip(), data_and_ip=facts["data_and_ip"].strip(),
        confidentiality=facts["confidentiality"].strip(), officer={"name": officer.person.name, "email": officer.person.email} if officer else {}, complaints=facts["complaints"].strip(),
    )  # fmt: skip
    if unless_as is not None and not differences(unless_as.text, content):
        raise Refused(Reason("unchanged", N_("Nothing differs from version %(number)s, so no new version was made."), {"number": unless_as.number}))
    AgreementVersion.objects.create(agreement=agreement, number=content.number, content=as_json(content), digest=digest_of(content), by_id=by.person_id, at=now, because=because)
    agreement.current, agreement.waiting_for = content.number, ""

"""Letters about placements: to the student, the two offices, mentor and tutor, and to people of a host without an account.

A letter about a concern tells only that there is something to read: mail is not confidential, and offices see their outbox.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils import timezone, translation
from django_tasks import task

from vsm.app.letters import write
from vsm.exchange.people.models import Person, is_zone
from vsm.exchange.people.queries import holders
from vsm.exchange.people.rules import Role
from vsm.exchange.placements.models import (
    Concern,
    Host,
    Interview,
    Officer,
    Placement,
    PlacementAgreement,
    PlacementApplication,
    PlacementCredit,
    SigningLink,
    Vacancy,
)
from vsm.exchange.placements.queries.placements import signed_sides
from vsm.exchange.placements.states import ApplicationState
from vsm.kit import clock
from vsm.kit.i18n import N_
from vsm.kit.saying import say_reason
from vsm.kit.verdict import Reason

HOST_NEWS = {
    "vetted": (N_("%(host)s is vetted"), N_("%(vetter)s has vetted %(host)s until %(until)s. You can publish vacancies.")),
    "refused": (N_("%(host)s was not vetted"), N_("%(vetter)s does not send students to %(host)s. The reason: %(because)s")),
    "suspended": (N_("The vetting of %(host)s is suspended"), N_("%(vetter)s has suspended the vetting of %(host)s: nobody can apply or start there. The reason: %(because)s")),
    "expired": (N_("The vetting of %(host)s has expired"), N_("No student can apply or start at %(host)s until it is vetted again by %(vetter)s.")),
    "renew": (N_("The vetting of %(host)s ends soon"), N_("It holds until %(until)s. Hand in new evidence in time, so that %(vetter)s can renew it without a gap.")),
}
APPLICATION_NEWS = {
    "shortlisted": (N_("You are shortlisted: %(title)s"), N_("%(host)s would like to talk with you. Choose an interview slot as soon as there are some; you see them on your own clock.")),
    "interviews": (N_("Interview slots: %(title)s"), N_("%(host)s has opened interview slots. Choose one; you see them on your own clock.")),
    "cancelled": (N_("Your interview was cancelled: %(title)s"), N_("%(host)s cannot keep the slot. Choose another. The reason: %(because)s")),
    "offered": (N_("A place for you: %(title)s"), N_("%(host)s offers you the place. Accept or decline it until %(respond_by)s; afterwards it goes to the next.")),
    "not-selected": (N_("Not selected: %(title)s"), N_("%(host)s has chosen others. The reason: %(because)s")),
    "expired": (N_("The offer has ended: %(title)s"), N_("The offer of %(host)s was not answered in time, or it was withdrawn. The place goes to the next.")),
}
PLACEMENT_NEWS = {
    "opened": (N_("Agreement to prepare: %(student)s, %(host)s"), N_("%(student)s has accepted a place at %(host)s. Complete the tripartite agreement and present it: nothing starts before all three have signed.")),
    "presented": (N_("Agreement to sign: %(student)s, %(host)s"), N_("The agreement between %(student)s, %(host)s and %(home)s is ready. Read it, then sign it or return it.")),
    "returned": (N_("Agreement returned: %(student)s, %(host)s"), N_("Somebody asks for changes before signing: %(because)s")),
    "signed": (N_("Signed by all: %(student)s, %(host)s"), N_("The agreement between %(student)s, %(host)s and %(home)s is in force. The placement starts on %(starts_on)s, once it is insured.")),
    "started": (N_("Started: %(student)s, %(host)s"), N_("The placement has begun. The student writes down the hours, the mentor confirms them; both evaluate halfway and at the end.")),
    "held-up": (N_("Cannot start: %(student)s, %(host)s"), N_("The first day has come, and something stands in the way. The page of the placement says what.")),
    "interrupted": (N_("Interrupted: %(student)s, %(host)s"), N_("The placement rests. The reason: %(because)s")),
    "resumed": (N_("Goes on: %(student)s, %(host)s"), N_("The placement goes on.")),
    "suspended": (N_("Suspended: %(student)s, %(host)s"), N_("The home institution has suspended the placement: no work is done until it says so.")),
    "ended": (N_("Ended early: %(student)s, %(host)s"), N_("The placement has ended before its last day. The reason: %(because)s")),
    "cancelled": (N_("Given up: %(student)s, %(host)s"), N_("The placement was given up before it began. The reason: %(because)s")),
    "completed": (N_("Completed: %(student)s, %(host)s"), N_("The placement is over as agreed. The certificate follows when both final evaluations are in.")),
    "hours-returned": (N_("Hours returned: %(host)s"), N_("The mentor asks you to correct some days: %(because)s")),
    "evaluation-late": (N_("Evaluation overdue: %(student)s, %(host)s"), N_("An evaluation of your side is overdue. Each side’s is read by the other only when both are in.")),
    "certificate-late": (N_("Certificate owed: %(student)s, %(host)s"), N_("The placement has been over for some weeks and has no certificate yet. Its page says what is missing.")),
    "evaluations-shown": (N_("Both evaluations are in: %(student)s, %(host)s"), N_("You can read what both sides say.")),
}


def tell(person: Person, news: tuple[str, str], path: str, *, organisation_id: UUID | None = None, **facts: Any) -> None:
    """Write one letter in the person's language and zone."""
    subject, body = news
    zone = ZoneInfo(person.zone if is_zone(person.zone) else "UTC")
    with translation.override(person.language), timezone.override(zone):
        told = [say_reason(Reason("", text, facts)) for text in (subject, body)]
    write("placement_news", person, path, organisation_id=organisation_id, subject=told[0], body=told[1])


def guest(name: str, email: str, language: str, zone: str) -> Person:
    """Somebody of a host who has no account."""
    made = Person(email=email, name=name, language=language, zone=zone)
    made.pk = None
    return made


# Hosts ----------------------------------------------------------------------------------------------------------------


@task()
def host_to_confirm(host_id: str, secret: str) -> None:
    host = Host.objects.select_related("vetter").get(pk=host_id)
    news = (N_("Confirm your application as a host"), N_("Somebody has asked %(vetter)s to vet %(host)s as a host of students, with this mail address. If it was you, open the link until %(until)s. If not, do nothing."))
    tell(guest(host.contact_name, host.contact_email, host.language, host.zone), news, f"/host/confirm/{secret}/", vetter=host.vetter.name, host=host.name, until=host.confirm_by)


@task()
def host_applied(host_id: str) -> None:
    host = Host.objects.get(pk=host_id)
    news = (N_("A host asks to be vetted: %(host)s"), N_("%(host)s would like to take students. Look at the application and begin the vetting, or refuse it with a reason."))
    _tell_offices([host.vetter_id], news, f"/hosts/{host.pk}/", host=host.name)


@task()
def host_evidence(host_id: str) -> None:
    host = Host.objects.get(pk=host_id)
    news = (N_("Evidence handed in: %(host)s"), N_("%(host)s has handed in evidence for the checklist. Look at it and record what you see."))
    _tell_offices([host.vetter_id], news, f"/hosts/{host.pk}/", host=host.name)


@task()
def host_vetted(host_id: str) -> None:
    _host_news(host_id, "vetted")


@task()
def host_refused(host_id: str) -> None:
    _host_news(host_id, "refused")


@task()
def host_suspended(host_id: str) -> None:
    _host_news(host_id, "suspended")


@task()
def host_expired(host_id: str) -> None:
    _host_news(host_id, "expired")


@task()
def host_to_renew(host_id: str) -> None:
    _host_news(host_id, "renew")


def _host_news(host_id: str, what: str) -> None:
    """To the host; when it loses its vetting or is about to, also to the office that vets and to the homes with students there."""
    host = Host.objects.select_related("vetter").get(pk=host_id)
    facts = {"host": host.name, "vetter": host.vetter.name, "until": host.valid_until, "because": host.because}
    people = holders(Role.COORDINATOR, host.organisation_id, clock.now()) if host.organisation_id else []
    for person in people or [guest(host.contact_name, host.contact_email, host.language, host.zone)]:
        tell(person, HOST_NEWS[what], f"/hosts/{host.pk}/" if people else "/host/", **facts)
    if what in {"suspended", "expired", "renew"}:
        homes = set(Placement.objects.filter(host=host, state__in=["preparing", "ready", "running", "interrupted"]).values_list("home_id", flat=True))
        _tell_offices({host.vetter_id, *(homes if what != "renew" else ())}, HOST_NEWS[what], f"/hosts/{host.pk}/", **facts)


# Selection ------------------------------------------------------------------------------------------------------------


@task()
def placement_application_submitted(application_id: str) -> None:
    application = PlacementApplication.objects.select_related("student", "vacancy__offering__opportunity").get(pk=application_id)
    news = (N_("Application: %(student)s, %(title)s"), N_("%(student)s has applied. Read the application; places go by your order after the closing, not by who was first."))
    facts = {"student": application.student.name, "title": application.vacancy.offering.opportunity.title}
    _tell_offices([application.vacancy.organisation_id], news, f"/placement-applications/{application.pk}/", **facts)


@task()
def placement_application_shortlisted(application_id: str) -> None:
    _application_news(application_id, "shortlisted")


@task()
def placement_application_offered(application_id: str) -> None:
    _application_news(application_id, "offered")


@task()
def placement_application_answered(application_id: str) -> None:
    application = PlacementApplication.objects.get(pk=application_id)
    _application_news(application_id, "expired" if application.state == ApplicationState.EXPIRED else "not-selected")


@task()
def interviews_offered(vacancy_id: str) -> None:
    """To the shortlisted who have no slot yet."""
    vacancy = Vacancy.objects.get(pk=vacancy_id)
    for pk in vacancy.applications.filter(state=ApplicationState.SHORTLISTED, interview=None).values_list("pk", flat=True):
        _application_news(str(pk), "interviews")


@task()
def interview_booked(interview_id: str) -> None:
    interview = Interview.objects.select_related("vacancy__offering__opportunity", "application__student").get(pk=interview_id)
    if interview.application is None:  # given back before this ran
        return
    news = (N_("Interview booked: %(student)s"), N_("%(student)s has chosen %(at)s, with %(with)s."))
    facts = {"student": interview.application.student.name, "at": interview.starts_at, "with": interview.with_whom}
    _tell_offices([interview.vacancy.organisation_id], news, f"/interviews/{interview.pk}/", **facts)


@task()
def interview_cancelled(interview_id: str, application_id: str, because: str) -> None:
    _application_news(application_id, "cancelled", because=because)


def _application_news(application_id: str, what: str, because: str = "") -> None:
    application = PlacementApplication.objects.select_related("student", "vacancy__host", "vacancy__offering__opportunity").get(pk=application_id)
    tell(
        application.student, APPLICATION_NEWS[what], f"/placement-applications/{application.pk}/", organisation_id=application.home_id,
        title=application.vacancy.offering.opportunity.title, host=application.vacancy.host.name, respond_by=application.respond_by, because=because or application.because,
    )  # fmt: skip


# Placements -----------------------------------------------------------------------------------------------------------


@task()
def placement_opened(placement_id: str) -> None:
    placement = _placement(placement_id)
    _tell_offices([placement.home_id, placement.host.organisation_id], PLACEMENT_NEWS["opened"], _agreement_path(placement), **_facts(placement))


@task()
def placement_agreement_presented(agreement_id: str) -> None:
    agreement = PlacementAgreement.objects.get(pk=agreement_id)
    placement, version = _placement(agreement.placement_id), agreement.current_version
    signed = signed_sides(version) if version else {}
    if "student" not in signed:
        tell(placement.student, PLACEMENT_NEWS["presented"], _agreement_path(placement), organisation_id=placement.home_id, **_facts(placement))
    offices = [office for side, office in (("home", placement.home_id), ("host", placement.host.organisation_id)) if side not in signed]
    _tell_offices(offices, PLACEMENT_NEWS["presented"], _agreement_path(placement), **_facts(placement))


@task()
def placement_agreement_returned(agreement_id: str, because: str) -> None:
    placement = _placement(PlacementAgreement.objects.get(pk=agreement_id).placement_id)
    _tell_all(placement, "returned", _agreement_path(placement), because)


@task()
def placement_agreement_signed(agreement_id: str) -> None:
    placement = _placement(PlacementAgreement.objects.get(pk=agreement_id).placement_id)
    _tell_all(placement, "signed", _agreement_path(placement))


@task()
def signing_link_sent(link_id: str, secret: str) -> None:
    link = SigningLink.objects.select_related("agreement__placement").get(pk=link_id)
    placement = _placement(link.agreement.placement_id)
    news = (N_("Please sign: %(student)s, %(host)s"), N_("%(home)s asks you to sign the agreement about the remote placement of %(student)s at %(host)s. Open the link, read the text, and sign it with a code that is then mailed to you. The link holds until %(until)s, for this text only, once. Do not pass it on."))
    tell(guest(link.name, link.email, link.language, placement.host.zone), news, f"/host/sign/{secret}/", until=link.expires_at, **_facts(placement))


@task()
def signing_link_code(link_id: str, code: str) -> None:
    link = SigningLink.objects.select_related("agreement__placement").get(pk=link_id)
    placement = _placement(link.agreement.placement_id)
    news = (N_("Your code: %(code)s"), N_("Type %(code)s on the page on which you sign the agreement of %(student)s. It holds until %(until)s. Nobody will ask you for it by telephone or mail."))
    tell(guest(link.name, link.email, link.language, placement.host.zone), news, "/host/", code=code, until=link.code_until, student=placement.student.name)


@task()
def placement_started(placement_id: str) -> None:
    _tell_all(_placement(placement_id), "started")


@task()
def placement_changed(placement_id: str, what: str, because: str) -> None:
    _tell_all(_placement(placement_id), what, because=because)


@task()
def placement_held_up(placement_id: str) -> None:
    placement = _placement(placement_id)
    _tell_offices([placement.home_id], PLACEMENT_NEWS["held-up"], f"/placements/{placement.pk}/", **_facts(placement))


@task()
def hours_returned(placement_id: str, because: str) -> None:
    placement = _placement(placement_id)
    tell(placement.student, PLACEMENT_NEWS["hours-returned"], f"/placements/{placement.pk}/", organisation_id=placement.home_id, **{**_facts(placement), "because": because})


@task()
def evaluation_late(placement_id: str, occasion: str) -> None:
    """To the side that has not answered yet, and to the tutor."""
    placement = _placement(placement_id)
    given = set(placement.evaluations.filter(occasion=occasion).values_list("side", flat=True))
    people = [placement.tutor] if placement.tutor else []
    people += [placement.student] if "student" not in given else []
    people += _mentors(placement) if "host" not in given else []
    for person in people:
        tell(person, PLACEMENT_NEWS["evaluation-late"], f"/placements/{placement.pk}/evaluate/", **_facts(placement))


@task()
def certificate_late(placement_id: str) -> None:
    """To the mentor and the host's office, who can give it."""
    placement = _placement(placement_id)
    office = placement.host.organisation_id
    people = [*_mentors(placement), *(holders(Role.COORDINATOR, office, clock.now()) if office else ())]
    for person in {each.pk: each for each in people}.values():
        tell(person, PLACEMENT_NEWS["certificate-late"], f"/placements/{placement.pk}/", **_facts(placement))


@task()
def evaluations_shown(placement_id: str, occasion: str) -> None:
    _tell_all(_placement(placement_id), "evaluations-shown")


@task()
def placement_credit_decided(credit_id: str) -> None:
    credit = PlacementCredit.objects.get(pk=credit_id)
    placement = _placement(credit.placement_id)
    news = (N_("Credit for your placement: %(host)s"), N_("%(home)s has decided about credit for your placement. The reason: %(because)s"))
    tell(placement.student, news, f"/placement-credits/{credit.pk}/", organisation_id=placement.home_id, **{**_facts(placement), "because": credit.because})


# Concerns: no facts, and no organisation whose office could read the outbox ----------------------------------------------


@task()
def concern_raised(concern_id: str) -> None:
    _to_officers(concern_id, (N_("Something confidential waits for you"), N_("Sign in to read it. Answer it until %(by)s.")))


@task()
def concern_overdue(concern_id: str) -> None:
    _to_officers(concern_id, (N_("Something confidential still waits for you"), N_("It should have been answered by %(by)s. Sign in and answer it, or ask your deputy.")))


@task()
def concern_added(concern_id: str) -> None:
    _to_officers(concern_id, (N_("There is something new to read"), N_("Something was added to a matter that you look after. Sign in to read it.")))


@task()
def concern_answered(concern_id: str) -> None:
    """Whoever came by the public page has no account here: they look by their link."""
    concern = Concern.objects.select_related("raised_by").get(pk=concern_id)
    if concern.raised_by is not None:
        tell(concern.raised_by, (N_("There is an answer for you"), N_("Sign in to read it.")), f"/concerns/{concern.pk}/")


def _to_officers(concern_id: str, news: tuple[str, str]) -> None:
    concern = Concern.objects.get(pk=concern_id)
    officer = Officer.objects.filter(organisation_id=concern.home_id).select_related("person", "deputy").first()
    for person in filter(None, [officer.person, officer.deputy] if officer else []):
        tell(person, news, f"/concerns/{concern.pk}/", by=concern.acknowledge_by)


# Who is told ----------------------------------------------------------------------------------------------------------


def _placement(pk: Any) -> Placement:
    found: Placement = Placement.objects.select_related("student", "home", "host", "tutor", "agreement").get(pk=pk)
    return found


def _facts(placement: Placement) -> dict[str, Any]:
    return {"student": placement.student.name, "home": placement.home.name, "host": placement.host.name, "starts_on": placement.starts_on}


def _agreement_path(placement: Placement) -> str:
    return f"/placement-agreements/{placement.agreement.pk}/"


def _mentors(placement: Placement) -> list[Person]:
    """The mentor; while there is no account yet, the host's office."""
    mentor = Person.objects.filter(pk=placement.mentor_id).first() if placement.mentor_id else None
    return [mentor] if mentor else holders(Role.COORDINATOR, placement.host.organisation_id, clock.now()) if placement.host.organisation_id else []


def _tell_all(placement: Placement, what: str, path: str = "", because: str = "") -> None:
    """The student, tutor, mentor, and the two offices, each once."""
    offices = [person for office in (placement.home_id, placement.host.organisation_id) if office for person in holders(Role.COORDINATOR, office, clock.now())]
    everybody = {person.pk: person for person in [placement.student, *([placement.tutor] if placement.tutor else []), *_mentors(placement), *offices]}
    for person in everybody.values():
        tell(person, PLACEMENT_NEWS[what], path or f"/placements/{placement.pk}/", **{**_facts(placement), "because": because})


def _tell_offices(organisations: Iterable[UUID | None], news: tuple[str, str], path: str, **facts: Any) -> None:
    for organisation_id in filter(None, organisations):
        for person in holders(Role.COORDINATOR, organisation_id, clock.now()):
            tell(person, news, path, organisation_id=organisation_id, **facts)

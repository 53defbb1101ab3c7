"""Letters: what people are told by mail when something happens to them, in their language, with a link to the step.

Each letter is a text template (first line: subject) under `templates/letters/`. The tasks run in the worker, in the
transaction that also notes them as done, so that each event makes each letter once.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.utils import timezone, translation
from django_tasks import task

from vsm.config import settings
from vsm.exchange.agreements.models import Agreement
from vsm.exchange.allocation.models import Appeal, Seat
from vsm.exchange.applications.models import Application
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.credentials.models import Credential
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.learning_agreements.models import LearningAgreement, Signature
from vsm.exchange.people.models import AddressChange, Invitation, Person, is_zone
from vsm.exchange.people.queries import holders
from vsm.exchange.people.rules import Role
from vsm.exchange.preparations.models import Pairing, PreparationRequirement
from vsm.exchange.programmes.models import (
    Admission,
    AdmissionDocument,
    AwardRecognition,
    Condition,
    Interruption,
    Study,
)
from vsm.exchange.recognition.models import Decision, Transcript
from vsm.exchange.sessions.invitations import invite, take_back, tell_change
from vsm.exchange.sessions.models import Enrolment, Series, Session
from vsm.exchange.sessions.queries import deadlines_of, participants_of
from vsm.exchange.sessions.states import State as EnrolmentState
from vsm.exchange.teams.models import TeamFormation, TeamMembership
from vsm.exchange.teams.queries import members_of
from vsm.kit import audit, clock
from vsm.kit.localized import text_in
from vsm.kit.outbox import post


def write(kind: str, person: Person, path: str, *, organisation_id: UUID | None = None, calendar: str = "", **context: Any) -> None:
    """Render and post one letter in the person's language and zone; `calendar` is an invitation that goes with it."""
    zone = ZoneInfo(person.zone if is_zone(person.zone) else "UTC")
    with translation.override(person.language), timezone.override(zone):
        localized = {name: text_in(value, person.language) if isinstance(value, dict) else value for name, value in context.items()}
        text = render_to_string(f"letters/{kind}.txt", {**localized, "person": person, "link": settings().base_url + path, "zone_name": str(zone)})
    subject, _, body = text.strip().partition("\n")
    post(to=person.email, language=person.language, kind=kind, subject=subject, body=body.strip() + "\n", person_id=person.pk, organisation_id=organisation_id, calendar=calendar)


@task()
def invitation(invitation_id: str, secret: str) -> None:
    found = Invitation.objects.select_related("organisation").get(pk=invitation_id)
    guest = Person(email=found.email, name=found.email, language=found.language, zone=found.organisation.zone)
    guest.pk = None
    write("invitation", guest, f"/invitation/{secret}/", organisation_id=found.organisation_id, organisation=found.organisation.name, expires_at=found.expires_at)


@task()
def address_change(change_id: str, secret: str) -> None:
    """To the new address the link, or, where somebody has it, only that it was asked for. To the present one what to do."""
    change = AddressChange.objects.select_related("person").filter(pk=change_id).first()
    if change is None:  # asked anew since
        return
    person, owner = change.person, Person.objects.filter(email=change.email).first()
    write("address_asked", person, "/accounts/password/reset/", new_address=change.email)
    if owner:
        write("address_taken", owner, "/accounts/login/")
        return
    # Not as a letter of the person: whoever may read hers in the outbox has not shown that the mailbox is theirs.
    guest = Person(email=change.email, name=person.name, language=person.language, zone=person.zone)
    guest.pk = None
    write("address_confirm", guest, f"/address/{secret}/", expires_at=change.expires_at)


@task()
def agreement_proposed(agreement_id: str) -> None:
    agreement = Agreement.objects.select_related("first", "second").get(pk=agreement_id)
    signed = set(agreement.signatures.values_list("organisation_id", flat=True))
    for side in (agreement.first, agreement.second):
        if side.pk not in signed:
            _tell_office(side, "agreement_proposed", f"/agreements/{agreement.pk}/", code=agreement.code, first=agreement.first.name, second=agreement.second.name)


@task()
def application_submitted(application_id: str) -> None:
    _application("application_submitted", application_id)


@task()
def application_nominated(application_id: str) -> None:
    _application("application_nominated", application_id)


@task()
def application_not_nominated(application_id: str) -> None:
    _application("application_not_nominated", application_id)


@task()
def application_answered(application_id: str) -> None:
    _application("application_answered", application_id)


@task()
def application_withdrawn(application_id: str) -> None:
    _application("application_withdrawn", application_id)


@task()
def appeal_filed(appeal_id: str) -> None:
    appeal = Appeal.objects.select_related("application__call__organisation").get(pk=appeal_id)
    call = appeal.application.call
    _tell_office(call.organisation, "appeal_filed", f"/appeals/{appeal.pk}/", call=call.title)


@task()
def appeal_answered(appeal_id: str) -> None:
    appeal = Appeal.objects.select_related("application__student", "application__call").get(pk=appeal_id)
    call = appeal.application.call
    write("appeal_answered", appeal.application.student, f"/appeals/{appeal.pk}/", organisation_id=call.organisation_id, call=call.title, is_granted=appeal.state == "granted")


@task()
def seat_offered(seat_id: str) -> None:
    seat = Seat.objects.select_related("application__student", "offering__opportunity__organisation").get(pk=seat_id)
    opportunity = seat.offering.opportunity
    write(
        "seat_offered", seat.application.student, f"/seats/{seat.pk}/", organisation_id=seat.application.home_id, course=opportunity.title,
        host=opportunity.organisation.name, respond_by=seat.respond_by, from_waiting_list=seat.from_waiting_list,
    )  # fmt: skip


@task()
def seat_freed(seat_id: str) -> None:
    """Only an expiry needs a letter: who declined or withdrew knows."""
    seat = Seat.objects.select_related("application__student", "offering__opportunity").get(pk=seat_id)
    if seat.state == "expired":
        write("seat_expired", seat.application.student, f"/seats/{seat.pk}/", organisation_id=seat.application.home_id, course=seat.offering.opportunity.title, respond_by=seat.respond_by)


@task()
def learning_agreement_presented(agreement_id: str) -> None:
    agreement = LearningAgreement.objects.select_related("student", "home", "host").get(pk=agreement_id)
    signed = set(Signature.objects.filter(version__agreement=agreement, version__number=agreement.current).values_list("party", flat=True))
    path = f"/learning-agreements/{agreement.pk}/"
    facts = {"student": agreement.student.name, "home": agreement.home.name, "host": agreement.host.name}
    if "student" not in signed:
        write("learning_agreement_presented", agreement.student, path, organisation_id=agreement.home_id, **facts)
    for party, side in (("home", agreement.home), ("host", agreement.host)):
        if party not in signed:
            _tell_office(side, "learning_agreement_presented", path, **facts)


@task()
def learning_agreement_signed(agreement_id: str, version: str = "") -> None:
    agreement = LearningAgreement.objects.select_related("student", "home", "host").get(pk=agreement_id)
    write("learning_agreement_signed", agreement.student, f"/learning-agreements/{agreement.pk}/", organisation_id=agreement.home_id, home=agreement.home.name, host=agreement.host.name)


@task()
def enrolment_made(enrolment_id: str) -> None:
    enrolment = Enrolment.objects.select_related("student", "offering__opportunity__organisation").get(pk=enrolment_id)
    opportunity = enrolment.offering.opportunity
    write(
        "enrolment_made", enrolment.student, "/timetable/", organisation_id=enrolment.home_id, course=opportunity.title,
        calendar=invite(enrolment.offering, enrolment.student, now=clock.now()),
        host=opportunity.organisation.name, starts_on=enrolment.offering.starts_on,
    )  # fmt: skip


@task()
def enrolment_left(enrolment_id: str) -> None:
    """A receipt with what it means for the transcript; a line with the reason to who teaches and to both offices."""
    enrolment = Enrolment.objects.select_related("student", "home", "offering__opportunity__organisation").get(pk=enrolment_id)
    if enrolment.left_at is None:  # enrolled again before this letter was written
        return
    host, path = enrolment.offering.opportunity.organisation, f"/enrolments/{enrolment.pk}/"
    until = deadlines_of(enrolment)
    facts = {
        "course": enrolment.offering.opportunity.title, "host": host.name, "dropped": enrolment.state == EnrolmentState.DROPPED, "left_at": enrolment.left_at,
        "drop_by": until.drop_by, "host_zone": until.zone,
        "because": next((each.because for each in audit.history([("enrolment", enrolment.pk)]) if each.verb in ("drop", "withdraw")), ""),
    }  # fmt: skip
    calendar = take_back(enrolment.offering, enrolment.student, now=clock.now())
    write("enrolment_left", enrolment.student, path, organisation_id=enrolment.home_id, calendar=calendar, **facts)
    at_host = (*enrolment.offering.instructors.filter(is_active=True), *holders(Role.COORDINATOR, host.pk, clock.now()))
    readers = dict.fromkeys(at_host, host) | dict.fromkeys(holders(Role.COORDINATOR, enrolment.home_id, clock.now()), enrolment.home)
    for person, organisation in readers.items():
        write("enrolment_left_office", person, path, organisation_id=organisation.pk, student=enrolment.student.name, home=enrolment.home.name, **facts)


@task()
def session_changed(session_id: str) -> None:
    """One meeting was moved, cancelled or restored: to everybody who attends, with the change that calendars read."""
    session = Session.objects.select_related("offering__opportunity__organisation", "series__organisation").get(pk=session_id)
    title = session.series.title if session.series else session.course.opportunity.title
    facts = {"course": title, "starts_at": session.starts_at, "cancelled": session.state == "cancelled"}
    for person, organisation_id in _expected(session):
        calendar = tell_change(session, person, now=clock.now())
        write("session_changed", person, f"/sessions/{session.pk}/", organisation_id=organisation_id, calendar=calendar, **facts)


@task()
def teams_published(formation_id: str) -> None:
    """New teams: to every member. A re-balancing: to those whom it moved or brought in."""
    formation = TeamFormation.objects.get(pk=formation_id)
    joined = TeamMembership.objects.filter(formation_id=formation.previous_id or formation.pk, left_at=None)
    for membership in joined.filter(joined_at=formation.published_at):
        _team_joined(membership)


@task()
def team_changed(team_id: str, person_id: str) -> None:
    """One person came into a team: late, or moved by hand."""
    for membership in TeamMembership.objects.filter(team=UUID(team_id), person=UUID(person_id), left_at=None):
        _team_joined(membership)


def _team_joined(membership: TeamMembership) -> None:
    team = membership.team
    mates = [each.person.name for each in members_of(team) if each.person_id != membership.person_id]
    write(
        "team_joined", membership.person, f"/teams/{team.pk}/", organisation_id=team.formation.organisation_id, team=team.name,
        activity=team.formation.title, mates=", ".join(mates), because=membership.why_joined,
    )  # fmt: skip


@task()
def series_joined(series_id: str, person_id: str) -> None:
    """The invitation: every meeting of the series at once."""
    _series("series_joined", series_id, person_id)


@task()
def series_left(series_id: str, person_id: str) -> None:
    _series("series_left", series_id, person_id)


@task()
def series_changed(series_id: str) -> None:
    """The whole plan has changed, or was cancelled: one letter to each."""
    for each in participants_of(Series.objects.get(pk=series_id)):
        _series("series_changed", series_id, str(each.person_id))


@task()
def clocks_changed(noun: str, holder_id: str) -> None:
    """A country changed its clock rules: one letter to each whose coming meetings are at another instant now."""
    holder: Offering | Series = (Offering if noun == "offering" else Series).objects.get(pk=holder_id)
    upcoming = holder.sessions.filter(starts_at__gt=clock.now(), state="scheduled").select_related("offering__opportunity__organisation", "series__organisation").order_by("starts_at").first()
    if upcoming is None:
        return
    title = upcoming.series.title if upcoming.series else upcoming.course.opportunity.title
    teachers = [] if upcoming.series else [(each, upcoming.course.opportunity.organisation_id) for each in upcoming.course.instructors.all()]
    for person, organisation_id in (*_expected(upcoming), *teachers):
        calendar = invite(holder, person, now=clock.now())
        write("clocks_changed", person, "/timetable/", organisation_id=organisation_id, calendar=calendar, course=title, zone=upcoming.zone, starts_at=upcoming.starts_at)


def _series(kind: str, series_id: str, person_id: str) -> None:
    series, person = Series.objects.select_related("organisation").get(pk=series_id), Person.objects.get(pk=person_id)
    now = clock.now()
    coming = series.sessions.filter(ends_at__gt=now, state="scheduled").order_by("starts_at")
    is_over = kind == "series_left" or series.state == "cancelled"
    calendar = (take_back if is_over else invite)(series, person, now=now)
    upcoming = coming.first()
    write(
        kind, person, "/timetable/" if is_over else f"/series/{series.pk}/", organisation_id=series.organisation_id, calendar=calendar, series=series.title, organisation=series.organisation.name,
        count=coming.count(), starts_at=upcoming.starts_at if upcoming else None, cancelled=series.state == "cancelled",
    )  # fmt: skip


def _expected(session: Session) -> list[tuple[Person, UUID]]:
    """Who attends, with the office that reads the letter too."""
    if session.series:
        return [(each.person, session.series.organisation_id) for each in participants_of(session.series)]
    enrolments = Enrolment.objects.filter(offering=session.offering, state="enrolled").select_related("student")
    return [(each.student, each.home_id) for each in enrolments]


@task()
def transcript_issued(transcript_id: str) -> None:
    transcript = Transcript.objects.select_related("student", "host", "home").get(pk=transcript_id)
    path = f"/transcripts/{transcript.pk}/"
    write("transcript_issued", transcript.student, path, organisation_id=transcript.home_id, host=transcript.host.name, number=transcript.number)
    for registrar in holders(Role.REGISTRAR, transcript.home_id, clock.now()):
        write("transcript_received", registrar, "/decisions/?state=proposed", organisation_id=transcript.home_id, host=transcript.host.name, student=transcript.student.name)


@task()
def decision_made(decision_id: str) -> None:
    decision = Decision.objects.select_related("enrolment__student", "enrolment__home", "enrolment__offering__opportunity").get(pk=decision_id)
    enrolment = decision.enrolment
    write(
        "decision_made", enrolment.student, f"/decisions/{decision.pk}/", organisation_id=enrolment.home_id, home=enrolment.home.name,
        course=enrolment.offering.opportunity.title, outcome=decision.state, because=decision.because,
    )  # fmt: skip


@task()
def decision_questioned(decision_id: str) -> None:
    decision = Decision.objects.select_related("enrolment__student", "enrolment__offering__opportunity").get(pk=decision_id)
    enrolment = decision.enrolment
    for registrar in holders(Role.REGISTRAR, enrolment.home_id, clock.now()):
        write(
            "decision_questioned", registrar, f"/decisions/{decision.pk}/", organisation_id=enrolment.home_id, student=enrolment.student.name,
            course=enrolment.offering.opportunity.title, question=decision.question,
        )  # fmt: skip


@task()
def credential_issued(credential_id: str) -> None:
    _credential("credential_issued", credential_id)


@task()
def credential_revoked(credential_id: str) -> None:
    _credential("credential_revoked", credential_id)


@task()
def admission_submitted(admission_id: str) -> None:
    """The office hears of it, and the applicant has a receipt."""
    admission = Admission.objects.select_related("student", "intake__programme__organisation", "intake__programme__opportunity").get(pk=admission_id)
    host = admission.intake.programme.organisation
    facts = {"programme": admission.intake.programme.opportunity.title, "host": host.name, "student": admission.student.name}
    path = f"/admissions/{admission.pk}/"
    write("admission_submitted", admission.student, path, organisation_id=host.pk, decide_by=admission.intake.decide_by, **facts)
    _tell_office(host, "admission_received", path, **facts)


@task()
def admission_decided(admission_id: str) -> None:
    admission = Admission.objects.select_related("student", "intake__programme__organisation", "intake__programme__opportunity").get(pk=admission_id)
    programme = admission.intake.programme
    write(
        "admission_decided", admission.student, f"/admissions/{admission.pk}/", organisation_id=programme.organisation_id, programme=programme.opportunity.title,
        host=programme.organisation.name, state=admission.state, respond_by=admission.respond_by, has_conditions=admission.conditions.exists(),
        because=admission.because,
    )  # fmt: skip


@task()
def document_queried(document_id: str) -> None:
    document = AdmissionDocument.objects.select_related("admission__student", "admission__intake__programme__opportunity").get(pk=document_id)
    admission = document.admission
    write(
        "document_queried", admission.student, f"/admissions/{admission.pk}/", organisation_id=admission.intake.programme.organisation_id, name=document.name,
        programme=admission.intake.programme.opportunity.title, because=document.because, refused=document.state == "refused",
    )  # fmt: skip


@task()
def condition_decided(condition_id: str) -> None:
    condition = Condition.objects.select_related("admission__student", "admission__intake__programme__opportunity").get(pk=condition_id)
    admission = condition.admission
    write(
        "condition_decided", admission.student, f"/admissions/{admission.pk}/", organisation_id=admission.intake.programme.organisation_id, condition=condition.text,
        programme=admission.intake.programme.opportunity.title, state=condition.state, because=condition.because,
    )  # fmt: skip


@task()
def study_opened(study_id: str) -> None:
    study = Study.objects.select_related("student", "programme__organisation", "programme__opportunity").get(pk=study_id)
    write(
        "study_opened", study.student, f"/studies/{study.pk}/", organisation_id=study.programme.organisation_id, programme=study.programme.opportunity.title,
        host=study.programme.organisation.name, started_on=study.started_on, number=study.number,
    )  # fmt: skip


@task()
def interruption_asked(interruption_id: str) -> None:
    pause = Interruption.objects.select_related("study__student", "study__programme__organisation", "study__programme__opportunity").get(pk=interruption_id)
    programme = pause.study.programme
    _tell_office(programme.organisation, "interruption_asked", f"/interruptions/{pause.pk}/", student=pause.study.student.name, programme=programme.opportunity.title)


@task()
def interruption_decided(interruption_id: str) -> None:
    pause = Interruption.objects.select_related("study__student", "study__programme__organisation", "study__programme__opportunity").get(pk=interruption_id)
    programme = pause.study.programme
    write(
        "interruption_decided", pause.study.student, f"/interruptions/{pause.pk}/", organisation_id=programme.organisation_id, state=pause.state,
        programme=programme.opportunity.title, host=programme.organisation.name, starts_on=pause.starts_on, returns_on=pause.returns_on, answer=pause.answer,
    )  # fmt: skip


@task()
def award_recognition_asked(recognition_id: str) -> None:
    found = AwardRecognition.objects.select_related("home", "conferral__study__student").get(pk=recognition_id)
    for registrar in holders(Role.REGISTRAR, found.home_id, clock.now()):
        write(
            "award_recognition_asked", registrar, f"/award-recognitions/{found.pk}/", organisation_id=found.home_id, student=found.conferral.study.student.name,
            award=found.conferral.title, decide_by=found.decide_by,
        )  # fmt: skip


@task()
def award_recognition_questioned(recognition_id: str) -> None:
    _award_recognition("award_recognition_questioned", recognition_id)


@task()
def award_recognition_decided(recognition_id: str) -> None:
    _award_recognition("award_recognition_decided", recognition_id)


@task()
def preparation_required(requirement_id: str) -> None:
    asked = PreparationRequirement.objects.select_related("mobility__student", "mobility__home", "mobility__host", "preparation").get(pk=requirement_id)
    write(
        "preparation_required", asked.mobility.student, f"/preparations/{asked.preparation_id}/", organisation_id=asked.mobility.home_id, home=asked.mobility.home.name,
        host=asked.mobility.host.name, preparation=asked.preparation.title, is_condition=asked.kind == "condition", due_on=asked.due_on, because=asked.because,
    )  # fmt: skip


@task()
def pairing_proposed(pairing_id: str) -> None:
    _pairing("pairing_proposed", pairing_id)


@task()
def pairing_agreed(pairing_id: str) -> None:
    _pairing("pairing_agreed", pairing_id)


def _pairing(kind: str, pairing_id: str) -> None:
    """Both hear of it; the other's name is told, an address never by mail."""
    pairing = Pairing.objects.select_related("participation__student", "companion__person", "companion__organisation", "participation__preparation").get(pk=pairing_id)
    two = (pairing.participation.student, pairing.companion.person)
    for one, other in (two, two[::-1]):
        write(
            kind, one, f"/pairings/{pairing.pk}/", organisation_id=pairing.participation.preparation.organisation_id, other=other.name,
            preparation=pairing.participation.preparation.title, host=pairing.companion.organisation.name,
        )  # fmt: skip


def _award_recognition(kind: str, recognition_id: str) -> None:
    found = AwardRecognition.objects.select_related("home", "conferral__study__student").get(pk=recognition_id)
    write(
        kind, found.conferral.study.student, f"/award-recognitions/{found.pk}/", organisation_id=found.home_id, home=found.home.name,
        award=found.conferral.title, question=found.question, because=found.because,
    )  # fmt: skip


def _credential(kind: str, credential_id: str) -> None:
    credential = Credential.objects.select_related("person", "organisation").get(pk=credential_id)
    write(kind, credential.person, f"/credentials/{credential.pk}/", organisation_id=credential.organisation_id, title=credential.title, issuer=credential.organisation.name, because=credential.because)


def _application(kind: str, application_id: str) -> None:
    application = Application.objects.select_related("student", "home", "call").get(pk=application_id)
    nomination = getattr(application, "nomination", None)
    write(
        kind, application.student, f"/applications/{application.pk}/", organisation_id=application.home_id, call=application.call.title,
        home=application.home.name, state=application.state, nominate_by=application.call.nominate_by, because=nomination.because if nomination else "",
    )  # fmt: skip


def _tell_office(organisation: Organisation, kind: str, path: str, **context: Any) -> None:
    people: Iterable[Person] = holders(Role.COORDINATOR, organisation.pk, clock.now())
    for person in people:
        write(kind, person, path, organisation_id=organisation.pk, **context)

"""From an application to an accepted place: shortlist, interview slots, the host's order, offers, the student's answer."""

from datetime import date, datetime, time, timedelta
from typing import Annotated
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from pydantic import BaseModel, Field

from vsm.exchange.applications.models import Document
from vsm.exchange.applications.queries import document_choices
from vsm.exchange.applications.rules import document_problems
from vsm.exchange.people.models import StudentRecord
from vsm.exchange.people.rules import cefr_at_least, level_held
from vsm.exchange.placements.actions.agreeing import open_placement
from vsm.exchange.placements.models import ApplicationDocument, Interview, Placement, PlacementApplication, Vacancy
from vsm.exchange.placements.queries.vacancies import (
    candidate_choices,
    earlier_documents,
    limit_for,
    shortlisted,
    slot_choices,
)
from vsm.exchange.placements.rules.vacancies import (
    Slot,
    law_of,
    next_offers,
    not_vetted,
    ranking_problems,
    slot_problems,
    why_no_offers,
)
from vsm.exchange.placements.states import (
    APPLICATION_STEPS,
    INTERVIEW_STEPS,
    VACANCY_STEPS,
    ApplicationState,
    InterviewState,
    PlacementState,
)
from vsm.exchange.sessions.rules import Clock, resolve
from vsm.kit import clock, files
from vsm.kit.actions import NOTED, Ask, action, note
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Conflict, Invalid, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.uploads import Upload, document_name, media_type_of
from vsm.kit.verdict import Reason

STUDENT = ("self@student",)
HOST = ("coordinator@vacancy.organisation",)
HOST_OFFICE = ("coordinator@organisation",)
USUAL_MINUTES = 30
NOTED[PlacementApplication.noun, "keep_document"] = _("Document kept")
Reasons = Annotated[str, Ask(_("Why? (the student reads this)"), kind="long_text", limit=2000)]


class SlotRow(BaseModel):
    """One conversation on the host's clock."""

    day: Annotated[date, Ask(_("Day"))]
    starts: Annotated[time, Ask(_("Starts"))]
    minutes: Annotated[int | None, Field(ge=5, le=180), Ask(_("Minutes (30 if empty)"))] = None
    with_whom: Annotated[str, Field(max_length=200), Ask(_("With"), limit=200)]
    join_url: Annotated[str, Field(max_length=200), Ask(_("Where to join"), limit=200)] = ""


def has_places(vacancy: Vacancy) -> bool:
    return not vacancy.is_filled


# The student ----------------------------------------------------------------------------------------------------------


@action("apply", on=Vacancy, label=_("Apply"), allow=("student@anywhere",), step=VACANCY_STEPS["apply"], tone="primary", when=lambda vacancy: vacancy.takes_applications(clock.now()))
def apply(vacancy: Vacancy, *, by: Actor, now: datetime) -> PlacementApplication:
    """Begin an application. Doing it again gives the one that is there."""
    record = StudentRecord.objects.filter(person_id=by.person).first()
    if record is None:
        raise Refused(Reason("no-student-record", N_("Your institution has not registered you as a student. Ask its international office.")))
    held: PlacementApplication | None = PlacementApplication.objects.filter(vacancy=vacancy, student_id=by.person).exclude(state=ApplicationState.WITHDRAWN).first()
    if held is not None:
        return held
    Refused.because(_closed(vacancy, now))
    application = PlacementApplication(vacancy=vacancy, student_id=by.person, home_id=record.home_id)
    application.save()
    return application


@action("edit", on=PlacementApplication, label=_("Write"), allow=STUDENT, step=APPLICATION_STEPS["edit"])
def edit_application(
    application: PlacementApplication, *, by: Actor, now: datetime,
    motivation: Annotated[str, Ask(_("Motivation"), _("Why this work, and what you bring. The host and your office read it."), kind="long_text", limit=5000)],
    needs: Annotated[str, Ask(_("What I need to take part"), _("Equipment, connection, breaks, captions… The host plans with it."), kind="long_text", limit=2000)] = "",
) -> PlacementApplication:  # fmt: skip
    """Say why, and what you need. It can be changed until applications close."""
    Refused.because(_closed(application.vacancy, now))
    application.motivation, application.needs = motivation.strip(), needs.strip()
    application.save()
    return application


@action("attach", on=PlacementApplication, label=_("Attach a document"), allow=STUDENT, step=APPLICATION_STEPS["attach"])
def attach(
    application: PlacementApplication, *, by: Actor, now: datetime,
    kind: Annotated[str, Ask(_("What is it?"), _("A file of the same kind that is there already is replaced."), choices=document_choices)],
    file: Annotated[Upload, Ask(_("File"), _("PDF, JPEG, PNG or plain text, at most 5 MB."))],
) -> PlacementApplication:  # fmt: skip
    """Keep a file with the application. Its type is read from its bytes."""
    Refused.because(_closed(application.vacancy, now))
    name = document_name(file.name, media_type_of(file.data))
    Invalid.because(document_problems(kind=kind, name=name, data=file.data))
    _keep(application, kind, name, media_type_of(file.data), len(file.data), files.put(file.data), by=by, now=now)
    return application


@action("reuse_documents", on=PlacementApplication, label=_("Use documents handed in before"), allow=STUDENT, step=APPLICATION_STEPS["attach"])
def reuse_documents(
    application: PlacementApplication, *, by: Actor, now: datetime,
    documents: Annotated[list[str], Ask(_("Documents"), _("From your earlier applications."), choices=earlier_documents)],
) -> PlacementApplication:  # fmt: skip
    """Take what you have handed in before, for a call or another vacancy, without sending it again."""
    Refused.because(_closed(application.vacancy, now))
    for chosen in documents:
        kind, _colon, digest = chosen.partition(":")
        found = Document.objects.filter(application__student=application.student_id, kind=kind, digest=digest).first()
        if found is None:
            raise Invalid(Reason("no-document", N_("There is no such document in your earlier applications."), {}, "documents"))
        _keep(application, kind, found.name, found.media_type, found.size, digest, by=by, now=now)
    return application


@action("submit", on=PlacementApplication, label=_("Submit"), allow=STUDENT, step=APPLICATION_STEPS["submit"], tone="primary", due=lambda application: bool(application.motivation.strip()))
def submit(application: PlacementApplication, *, by: Actor, now: datetime) -> PlacementApplication:
    """Send it to the host; your own office sees it too. Refused with everything that stands in the way."""
    Refused.because([*_closed(application.vacancy, now), *_missing(application)])
    application.submitted_at = now
    emit("placement_application.submitted", application_id=str(application.pk))
    return application


@action("withdraw", on=PlacementApplication, label=_("Withdraw"), allow=STUDENT, step=APPLICATION_STEPS["withdraw"], tone="warning")
def withdraw_application(application: PlacementApplication, *, by: Actor, now: datetime, because: str = "") -> PlacementApplication:
    """Take it back. An interview slot becomes free, and a place that was offered goes to the next."""
    was_offered = application.state == ApplicationState.OFFERED
    _free_slot(application, by=by, now=now)
    application.state = ApplicationState.WITHDRAWN
    application.save()
    if was_offered:
        move_on(application.vacancy, now)
    return application


@action("book", on=PlacementApplication, label=_("Choose an interview slot"), allow=STUDENT, step=APPLICATION_STEPS["book"], tone="primary")
def book(
    application: PlacementApplication, *, by: Actor, now: datetime,
    slot: Annotated[UUID, Ask(_("Slot"), _("Told on your clock, then on the host’s."), choices=slot_choices)],
) -> PlacementApplication:  # fmt: skip
    """Take a free slot. The one taken before becomes free. Of two students who choose the same slot, one gets it."""
    wanted = Interview.objects.filter(pk=slot, vacancy=application.vacancy_id).first()
    if wanted is None or wanted.state == InterviewState.CANCELLED or wanted.starts_at <= now:
        raise Invalid(Reason("slot-gone", N_("This slot is no longer there. Choose another."), {}, "slot"))
    if wanted.application_id == application.pk:
        return application
    _free_slot(application, by=by, now=now)
    _take(wanted, application)
    note(wanted, "book", by=by, now=now, changes={"state": ["open", "booked"]})
    application.save()
    emit("interview.booked", interview_id=str(wanted.pk))
    return application


@action("accept", on=PlacementApplication, label=_("Accept the place"), allow=STUDENT, step=APPLICATION_STEPS["accept"], tone="primary")
def accept(application: PlacementApplication, *, by: Actor, now: datetime) -> PlacementApplication:
    """Take the place. The placement opens, and with it the agreement that all three sign before anything starts."""
    Refused.because([*_expired(application, now), *_too_much_together(application, now)])
    open_placement(application, by=SYSTEM, now=now)
    return application


@action("decline", on=PlacementApplication, label=_("Decline the place"), allow=STUDENT, step=APPLICATION_STEPS["decline"])
def decline(application: PlacementApplication, *, by: Actor, now: datetime, because: str = "") -> PlacementApplication:
    """Say no. The place goes to the next in the host's order."""
    Refused.because(_expired(application, now))
    application.state = ApplicationState.DECLINED
    application.save()
    move_on(application.vacancy, now)
    return application


# The host -------------------------------------------------------------------------------------------------------------


@action("shortlist", on=PlacementApplication, label=_("Shortlist"), allow=HOST, step=APPLICATION_STEPS["shortlist"], tone="primary")
def shortlist(application: PlacementApplication, *, by: Actor, now: datetime, because: str = "") -> PlacementApplication:
    """Ask for an interview: the student chooses one of your free slots."""
    emit("placement_application.shortlisted", application_id=str(application.pk))
    return application


@action("not_select", on=PlacementApplication, label=_("Not selected"), allow=HOST, step=APPLICATION_STEPS["not_select"], tone="warning")
def not_select(application: PlacementApplication, *, by: Actor, now: datetime, because: Reasons) -> PlacementApplication:
    """Say no, and why: the student reads the reason."""
    _free_slot(application, by=by, now=now)
    application.because = because.strip()
    emit("placement_application.answered", application_id=str(application.pk))
    return application


@action("offer_interviews", on=Vacancy, label=_("Offer interview slots"), allow=HOST_OFFICE, step=VACANCY_STEPS["offer_interviews"], when=has_places)
def offer_interviews(
    vacancy: Vacancy, *, by: Actor, now: datetime,
    slots: Annotated[list[SlotRow], Ask(_("Slots"), _("On the clock of the host organisation; students see them on theirs."))],
) -> Vacancy:  # fmt: skip
    """Open slots for the shortlisted. An hour that the clock skips that day is refused; nobody is in two conversations at once."""
    zone, problems, made = vacancy.offering.zone, [], []
    for number, row in enumerate(slots, start=1):
        if not now.date() - timedelta(days=1) <= row.day <= vacancy.offering.ends_on:
            text = N_("Line %(line)s: a conversation takes place between today and the last day of the work.")
            problems.append(Reason("slot-outside", text, {"line": number}, "slots"))
            continue
        at = resolve(datetime.combine(row.day, row.starts), zone)
        if at.clock is Clock.SKIPPED:
            text = N_("Line %(line)s: %(hour)s does not exist that day in %(zone)s: the clock skips it. Choose another hour.")
            problems.append(Reason("no-such-hour", text, {"line": number, "hour": f"{row.starts:%H:%M}", "zone": zone}, "slots"))
        if row.join_url and not row.join_url.startswith(("https://", "http://")):
            problems.append(Reason("join-url", N_("Write the whole address, beginning with https://."), {}, "slots"))
        made.append((Slot(at.instant, at.instant + timedelta(minutes=row.minutes or USUAL_MINUTES), row.with_whom.strip()), row.join_url))
    busy = Interview.objects.filter(vacancy__organisation=vacancy.organisation_id, state__in=[InterviewState.OPEN, InterviewState.BOOKED], ends_at__gt=now)
    held = [Slot(*facts) for facts in busy.values_list("starts_at", "ends_at", "with_whom")]
    Invalid.because([*problems, *slot_problems([slot for slot, _url in made], held, now)])
    for slot, join_url in made:
        interview = Interview(vacancy=vacancy, starts_at=slot.starts_at, ends_at=slot.ends_at, with_whom=slot.with_whom, join_url=join_url)
        interview.save()
        note(interview, "offer_interviews", by=by, now=now)
    vacancy.save()
    emit("interviews.offered", vacancy_id=str(vacancy.pk))
    return vacancy


@action("give_back", on=Interview, label=_("Give the slot back"), allow=("self@application.student",), step=INTERVIEW_STEPS["give_back"])
def give_back(interview: Interview, *, by: Actor, now: datetime) -> Interview:
    """Free the slot; another can be chosen."""
    if interview.starts_at <= now:
        raise Refused(Reason("slot-past", N_("This conversation has begun already.")))
    interview.application = None
    return interview


@action("cancel", on=Interview, label=_("Cancel"), allow=HOST, step=INTERVIEW_STEPS["cancel"], tone="warning")
def cancel_interview(interview: Interview, *, by: Actor, now: datetime, because: Reasons) -> Interview:
    """Call it off. Whoever had the slot is told, and chooses another."""
    if interview.application_id:
        emit("interview.cancelled", interview_id=str(interview.pk), application_id=str(interview.application_id), because=because.strip()[:500])
    interview.application, interview.outcome = None, because.strip()
    return interview


@action("record", on=Interview, label=_("Record the outcome"), allow=HOST, step=INTERVIEW_STEPS["record"], tone="primary")
def record_interview(
    interview: Interview, *, by: Actor, now: datetime,
    held: Annotated[bool, Ask(_("The conversation took place"), start=lambda _r, _a: True)] = False,
    outcome: Annotated[str, Ask(_("Notes for the host’s office"), _("Not shown to the student."), kind="long_text", limit=4000)] = "",
) -> Interview:  # fmt: skip
    """Say whether it took place. The notes help to rank and are seen by the host's office only."""
    if interview.starts_at > now:
        raise Refused(Reason("not-yet", N_("The conversation is still to come (%(at)s)."), {"at": interview.starts_at}))
    interview.outcome, interview.state = outcome.strip(), InterviewState.HELD if held else InterviewState.MISSED
    interview.save()
    return interview


@action("rank", on=Vacancy, label=_("Rank the shortlisted"), allow=HOST_OFFICE, step=VACANCY_STEPS["rank"], when=has_places)
def rank(
    vacancy: Vacancy, *, by: Actor, now: datetime,
    ranking: Annotated[list[UUID], Ask(_("Your order, best first"), kind="ranking", choices=candidate_choices, limit=lambda v, _a: len(shortlisted(v)))],
) -> Vacancy:  # fmt: skip
    """Put the shortlisted into order. Places go by this order and by nothing else; whoever is left out gets none."""
    Invalid.because(ranking_problems(ranking, {each.pk for each in shortlisted(vacancy)}))
    vacancy.ranking = [str(pk) for pk in ranking]
    vacancy.save()
    return vacancy


@action("make_offers", on=Vacancy, label=_("Offer the places"), allow=HOST_OFFICE, step=VACANCY_STEPS["make_offers"], tone="primary", when=has_places, due=lambda vacancy: vacancy.apply_by <= clock.now() and not vacancy.offers_made)
def make_offers(vacancy: Vacancy, *, by: Actor, now: datetime) -> Vacancy:
    """Offer the places to the first in your order. When one declines or does not answer in time, the next is offered it by itself."""
    ranking = [UUID(pk) for pk in vacancy.ranking]
    Refused.because(why_no_offers(apply_by=vacancy.apply_by, now=now, ranking=ranking, is_vetted=vacancy.host.is_vetted_on(now.date())))
    vacancy.offers_made = True
    vacancy.save()
    move_on(vacancy, now)
    return vacancy


@action("close", on=Vacancy, label=_("Close the selection"), allow=HOST_OFFICE, step=VACANCY_STEPS["close"], tone="primary", due=lambda vacancy: vacancy.is_filled)
def close(vacancy: Vacancy, *, by: Actor, now: datetime, because: Reasons) -> Vacancy:
    """End it: whoever still waits is told that they were not selected, and why."""
    if PlacementApplication.objects.filter(vacancy=vacancy, state=ApplicationState.OFFERED).exists():
        raise Refused(Reason("offers-open", N_("Places are offered and not answered yet. Wait for the answers.")))
    for application in PlacementApplication.objects.filter(vacancy=vacancy, state__in=[ApplicationState.SUBMITTED, ApplicationState.SHORTLISTED]):
        not_select(application, by=SYSTEM, now=now, because=because)
    return vacancy


@action("offer", on=PlacementApplication, label=_("Offer the place"), allow=(), step=APPLICATION_STEPS["offer"])
def offer(application: PlacementApplication, *, by: Actor, now: datetime) -> PlacementApplication:
    """The place is this student's to accept until the hours to answer have passed."""
    application.offered_at, application.respond_by = now, now + timedelta(hours=application.vacancy.respond_hours)
    emit("placement_application.offered", application_id=str(application.pk))
    return application


@action("expire", on=PlacementApplication, label=_("Expire"), allow=(), step=APPLICATION_STEPS["expire"])
def expire_offer(application: PlacementApplication, *, by: Actor, now: datetime) -> PlacementApplication:
    """Nobody answered in time: the place goes to the next."""
    application.state = ApplicationState.EXPIRED
    application.save()
    move_on(application.vacancy, now)
    emit("placement_application.answered", application_id=str(application.pk))
    return application


@action("withdraw_offer", on=PlacementApplication, label=_("Withdraw the offer"), allow=(), step=APPLICATION_STEPS["expire"])
def withdraw_offer(application: PlacementApplication, *, by: Actor, now: datetime, because: str) -> PlacementApplication:
    """The vacancy was withdrawn before the offer was answered."""
    application.because = because
    emit("placement_application.answered", application_id=str(application.pk))
    return application


# What they share ------------------------------------------------------------------------------------------------------


def move_on(vacancy: Vacancy, now: datetime) -> None:
    """Offer what is free to the next in the host's order. The vacancy's row is the turn: two declines wait for each other."""
    turn = Vacancy.objects.select_for_update(of=("self",)).get(pk=vacancy.pk)
    if not turn.offers_made or turn.state != "published":
        return
    offered = PlacementApplication.objects.filter(vacancy=turn, state=ApplicationState.OFFERED).count()
    waiting = {each.pk: each for each in shortlisted(turn)}
    for pk in next_offers([UUID(each) for each in turn.ranking], waiting, turn.places_free, offered):
        offer(waiting[pk], by=SYSTEM, now=now)


def close_filled(vacancy: Vacancy, *, now: datetime) -> None:
    """On the first day of the work: nobody can move up any more. Whoever still waits is told so in their own language."""
    if vacancy.state != "published" or not vacancy.is_filled or PlacementApplication.objects.filter(vacancy=vacancy, state=ApplicationState.OFFERED).exists():
        return
    for application in shortlisted(vacancy):
        with translation.override(application.student.language):
            not_select(application, by=SYSTEM, now=now, because=gettext("All places are taken, and the work has begun."))
    close(vacancy, by=SYSTEM, now=now, because="All places are taken, and the work has begun.")


def _take(slot: Interview, application: PlacementApplication) -> None:
    """Compare and set: of two who choose one slot at the same moment, the second finds no open row to write."""
    taken = Interview.objects.filter(pk=slot.pk, state=InterviewState.OPEN, application=None).update(
        state=InterviewState.BOOKED, application=application, version=slot.version + 1
    )
    if not taken:
        raise Conflict(Reason("slot-taken", N_("Somebody has just taken this slot. Choose another.")))


def _free_slot(application: PlacementApplication, *, by: Actor, now: datetime) -> None:
    held = Interview.objects.filter(application=application, state=InterviewState.BOOKED).first()
    if held is not None:
        held.application, held.state = None, InterviewState.OPEN if held.starts_at > now else InterviewState.MISSED
        held.save()
        note(held, "give_back", by=by, now=now, changes={"state": ["booked", held.state]})


def _closed(vacancy: Vacancy, now: datetime) -> list[Reason]:
    found = []
    if vacancy.state != "published":
        found.append(Reason("not-published", N_("This vacancy takes no applications now.")))
    if now >= vacancy.apply_by:
        found.append(Reason("closed", N_("Applications closed on %(at)s."), {"at": vacancy.apply_by}))
    if vacancy.is_filled:
        found.append(Reason("filled", N_("All places of this vacancy are taken.")))
    if not vacancy.host.is_vetted_on(now.date()):
        found.append(not_vetted())
    return found


def _missing(application: PlacementApplication) -> list[Reason]:
    opportunity = application.vacancy.offering.opportunity
    found = []
    if not application.motivation:
        found.append(Reason("motivation-missing", N_("Say why you want to do this work."), {}, "motivation"))
    record = StudentRecord.objects.filter(person_id=application.student_id).first()
    spoken = level_held(record.languages, opportunity.language) if record else ""
    if opportunity.cefr and not cefr_at_least(spoken, opportunity.cefr):
        text = N_("The work needs %(language)s at %(needed)s; your institution has registered %(held)s. Ask it to bring your record up to date.")
        found.append(Reason("language", text, {"language": opportunity.language, "needed": opportunity.cefr, "held": spoken or "—"}))
    return found


def _expired(application: PlacementApplication, now: datetime) -> list[Reason]:
    if application.respond_by and now > application.respond_by:
        return [Reason("offer-expired", N_("The time to answer ended on %(at)s."), {"at": application.respond_by})]
    return []


def _too_much_together(application: PlacementApplication, now: datetime) -> list[Reason]:
    """Two placements at once may not come to more hours than the law allows for one person."""
    vacancy, offering = application.vacancy, application.vacancy.offering
    limit = limit_for(vacancy.host.country, application.home.country, on=now.date())
    over = [PlacementState.COMPLETED, PlacementState.ENDED, PlacementState.CANCELLED]
    others = Placement.objects.filter(student=application.student_id, starts_on__lte=offering.ends_on, ends_on__gte=offering.starts_on).exclude(state__in=over)
    total = vacancy.hours_per_week + sum(each.hours_per_week for each in others)
    if total <= limit.week:
        return []
    text = N_("With your other placements this comes to %(total)s hours a week: more than the %(most)s that the law allows (%(country)s: %(source)s). Ask the host for fewer hours, or decline one of them.")
    return [Reason("hours-together", text, {"total": total.normalize(), "most": limit.week, "country": law_of(limit.week_from[0]), "source": str(limit.week_from[1])})]


def _keep(application: PlacementApplication, kind: str, name: str, media_type: str, size: int, digest: str, *, by: Actor, now: datetime) -> None:
    before = application.documents.filter(kind=kind).first()
    application.documents.filter(kind=kind).delete()
    ApplicationDocument(application=application, kind=kind, name=name, media_type=media_type, size=size, digest=digest, at=now).save()
    note(application, "keep_document", by=by, now=now, changes={kind: [f"{before.name} {before.digest}" if before else "", f"{name} {digest}"]})
    application.save()

"""What is done with online events: announced, registered for, the waiting list refilled, held, certified, remembered."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID

from django.utils import translation
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django_tasks import task
from pydantic import BaseModel, Field

from vsm.exchange.catalogue.queries import bandwidth_choices, language_choices
from vsm.exchange.credentials.actions import certify as request_credential
from vsm.exchange.credentials.awards import Award
from vsm.exchange.events.models import Feedback, OnlineEvent, Registration, Reminder
from vsm.exchange.events.queries import KIND_LABELS, held, registration_of, subject_choices
from vsm.exchange.events.rules import (
    KINDS,
    Asking,
    answer_until,
    event_faults,
    free_places,
    reminders_due,
    turns,
    why_not_register,
    why_not_use,
)
from vsm.exchange.events.states import EVENT_STEPS, REGISTRATION_STEPS, EventState, RegistrationState
from vsm.exchange.events.subjects import subjects as offered_subjects
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Person, is_zone, zones
from vsm.kit import clock
from vsm.kit.actions import Ask, action
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, Refused
from vsm.kit.events import emit
from vsm.kit.i18n import N_
from vsm.kit.jobs import every
from vsm.kit.localized import LANGUAGES, text_in
from vsm.kit.mail_addresses import is_mail_address
from vsm.kit.verdict import Reason

ORGANISERS = ("self@organiser", "coordinator@organisation")
REMEMBER_GUESTS = timedelta(days=90)
UNCONFIRMED_FOR = timedelta(days=2)
Localized = dict[str, str]


class Speaker(BaseModel):
    """Who speaks."""

    name: Annotated[str, Ask(_("Name"), limit=120)] = Field(max_length=120)
    affiliation: Annotated[str, Ask(_("Where they work"), limit=160)] = Field(default="", max_length=160)


class PresentRow(BaseModel):
    """Whether one person was there."""

    registration: Annotated[UUID, Ask(_("Registration"), kind="hidden")]
    name: Annotated[str, Ask(_("Name"), kind="read_only")] = ""
    was_there: Annotated[bool, Ask(_("Was there"))] = False


def _zone(record: Any, _actor: Actor) -> str:
    return str(record.zone)


def _speakers(event: Any, _actor: Actor) -> list[Speaker]:
    return [Speaker.model_validate(each) for each in getattr(event, "speakers", None) or []]


def _present(event: OnlineEvent, _actor: Actor) -> list[PresentRow]:
    """Everybody with a place; whoever opened the meeting from here is ticked already."""
    return [
        PresentRow(registration=each.pk, name=each.name, was_there=bool(each.attended if each.attended is not None else each.joined_at))
        for each in event.registrations.filter(state=RegistrationState.REGISTERED).order_by("name")
    ]


def _why_not_use(registration: Registration, now: datetime) -> list[Reason]:
    return list(why_not_use(state=registration.event.state, ends_at=registration.event.ends_at, now=now))


def _is_open(event: OnlineEvent) -> bool:
    return not list(why_not_register(state=event.state, closes_at=event.closes_at, now=clock.now()))


def _is_not_there(event: OnlineEvent, actor: Actor) -> bool:
    """Whether somebody has neither a place nor a turn yet."""
    read = getattr(event, "is_mine", None)
    return not (read if read is not None else event.registrations.filter(person_id=actor.person).exclude(state__in=[RegistrationState.CANCELLED, RegistrationState.EXPIRED]).exists())


def _is_to_be_used(registration: Registration) -> bool:
    return not _why_not_use(registration, clock.now())


def _started(name: str, otherwise: Any) -> Any:
    return lambda record, _actor: getattr(record, name) if isinstance(record, OnlineEvent) else otherwise


_Title = Annotated[Localized, Ask(_("Title"), kind="localized", start=_started("title", None))]
_Description = Annotated[Localized, Ask(_("Description"), _("Plain text; an empty line begins a paragraph."), kind="localized", start=_started("description", None))]
_Starts = Annotated[datetime, Ask(_("Starts"), start=_started("starts_at", None))]
_Ends = Annotated[datetime, Ask(_("Ends"), start=_started("ends_at", None))]
_ZoneName = Annotated[str, Ask(_("Time zone of the organiser"), choices=lambda _r, _a: [(zone, zone.replace("_", " ")) for zone in sorted(zones())], start=_zone)]
_Languages = Annotated[list[str], Ask(_("Languages"), choices=language_choices, start=_started("languages", None))]
_Closes = Annotated[datetime | None, Ask(_("Registration until"), _("Empty: until it starts."), start=_started("closes_at", None))]
_Capacity = Annotated[int | None, Ask(_("Places"), _("Empty: no limit. With a limit there is a waiting list."), start=_started("capacity", None))]
_Hours = Annotated[int, Ask(_("Hours to answer an offered place"), start=_started("respond_hours", 24))]
_Captions = Annotated[list[str], Ask(_("Captions"), choices=language_choices, start=_started("captions", None))]
_Interpretation = Annotated[list[str], Ask(_("Interpretation"), choices=language_choices, start=_started("interpretation", None))]
_Access = Annotated[str, Ask(_("Accessibility"), _("Sign language, slides in advance, pauses, whom to ask."), kind="long_text", limit=2000, start=_started("access", ""))]
_Band = Annotated[Literal["text", "audio", "video"], Ask(_("Connection"), _("The least with which one can follow."), choices=bandwidth_choices, start=_started("bandwidth", "video"))]
_Speakers = Annotated[list[Speaker], Ask(_("Speakers"), start=_speakers)]
_Join = Annotated[str, Ask(_("Address to join"), _("Told to whoever has a place, and to nobody else."), limit=200, start=_started("join_url", ""))]
_Dial = Annotated[str, Ask(_("By telephone"), _("Number and code for those without a connection."), limit=120, start=_started("dial_in", ""))]
_Kind = Annotated[str, Ask(_("Kind of event"), choices=lambda _r, _a: [(kind, str(label)) for kind, label in KIND_LABELS.items()], start=_started("kind", "webinar"))]
_Subjects = Annotated[list[str], Ask(_("Brief or report"), _("The event leads to it, and its page leads to the event."), choices=lambda _r, _a: subject_choices(), start=_started("subjects", None))]
_Recorded = Annotated[bool, Ask(_("It is recorded"), _("Told before anybody registers. Without it no recording can be published."), start=_started("is_recorded", False))]
_About = Annotated[str, Ask(_("Linked page"), _("A brief, report or project that it is about."), limit=255, start=_started("about_url", ""))]
_AboutLabel = Annotated[str, Ask(_("Title of the linked page"), limit=200, start=_started("about_label", ""))]


@action("announce_event", on=Organisation, label=_("Prepare an online event"), allow=("coordinator@id", "instructor@id", "operator"))
def announce_event(
    organisation: Organisation, *, by: Actor, now: datetime, title: _Title, description: _Description, starts_at: _Starts, ends_at: _Ends, zone: _ZoneName,
    languages: _Languages, closes_at: _Closes = None, capacity: _Capacity = None, respond_hours: _Hours = 24, captions: _Captions = [],  # noqa: B006 -- never changed; pydantic copies it
    interpretation: _Interpretation = [], access: _Access = "", bandwidth: _Band = "video", speakers: _Speakers = [], join_url: _Join = "",  # noqa: B006 -- never changed; pydantic copies it
    dial_in: _Dial = "", about_url: _About = "", about_label: _AboutLabel = "", kind: _Kind = "webinar", subjects: _Subjects = [], is_recorded: _Recorded = False,  # noqa: B006 -- never changed; pydantic copies it
) -> OnlineEvent:  # fmt: skip
    """Prepare an event; nobody sees it before it is published."""
    event = OnlineEvent(organisation=organisation, organiser_id=by.person_id)
    _fill(
        event, title=title, description=description, starts_at=starts_at, ends_at=ends_at, zone=zone, languages=languages, closes_at=closes_at, capacity=capacity,
        respond_hours=respond_hours, captions=captions, interpretation=interpretation, access=access, bandwidth=bandwidth, speakers=speakers, join_url=join_url,
        dial_in=dial_in, about_url=about_url, about_label=about_label, kind=kind, subjects=subjects, is_recorded=is_recorded,
    )  # fmt: skip
    event.save()
    return event


@action("edit", on=OnlineEvent, label=_("Edit"), allow=ORGANISERS, step=EVENT_STEPS["edit"])
def edit_event(
    event: OnlineEvent, *, by: Actor, now: datetime, title: _Title, description: _Description, starts_at: _Starts, ends_at: _Ends, zone: _ZoneName,
    languages: _Languages, closes_at: _Closes = None, capacity: _Capacity = None, respond_hours: _Hours = 24, captions: _Captions = [],  # noqa: B006 -- never changed; pydantic copies it
    interpretation: _Interpretation = [], access: _Access = "", bandwidth: _Band = "video", speakers: _Speakers = [], join_url: _Join = "",  # noqa: B006 -- never changed; pydantic copies it
    dial_in: _Dial = "", about_url: _About = "", about_label: _AboutLabel = "", kind: _Kind = "webinar", subjects: _Subjects = [], is_recorded: _Recorded = False,  # noqa: B006 -- never changed; pydantic copies it
) -> OnlineEvent:  # fmt: skip
    """Change it. Whoever is registered is written to when its time moves, and reminded anew; more places go to the waiting list.

    Registration that was open until it starts stays so.
    """
    before, was_recorded = (event.starts_at, event.ends_at), event.is_recorded
    if closes_at == event.closes_at == event.starts_at:
        closes_at = None
    if is_recorded and not was_recorded and event.registrations.exclude(state=RegistrationState.CANCELLED).exists():
        raise Refused(Reason("recorded-late", N_("Somebody has registered without knowing that it is recorded. Announce another event for it.")))
    _fill(
        event, title=title, description=description, starts_at=starts_at, ends_at=ends_at, zone=zone, languages=languages, closes_at=closes_at, capacity=capacity,
        respond_hours=respond_hours, captions=captions, interpretation=interpretation, access=access, bandwidth=bandwidth, speakers=speakers, join_url=join_url,
        dial_in=dial_in, about_url=about_url, about_label=about_label, kind=kind, subjects=subjects, is_recorded=is_recorded,
    )  # fmt: skip
    event.sequence += 1
    event.save()
    if event.state == EventState.PUBLISHED:
        if before != (event.starts_at, event.ends_at):
            emit("online_event.changed", event_id=str(event.pk))
            Reminder.objects.filter(registration__event=event).delete()
            event.registrations.filter(state=RegistrationState.OFFERED, respond_by__gt=event.ends_at).update(respond_by=event.ends_at)
        _refill(event, now)
    return event


@action("publish", on=OnlineEvent, label=_("Publish"), allow=ORGANISERS, step=EVENT_STEPS["publish"], tone="primary")
def publish_event(event: OnlineEvent, *, by: Actor, now: datetime) -> OnlineEvent:
    """Announce it to everybody and open registration."""
    problems = []
    if event.starts_at <= now:
        problems.append(Reason("past", N_("It starts in the past. Change its time first.")))
    if not event.join_url and not event.dial_in:
        problems.append(Reason("no-way-in", N_("Say how people join: an address or a telephone number.")))
    Refused.because(problems)
    return event


@action("cancel", on=OnlineEvent, label=_("Cancel the event"), allow=ORGANISERS, step=EVENT_STEPS["cancel"], tone="warning", when=lambda event: event.state == EventState.DRAFT or clock.now() < event.ends_at)
def cancel_event(
    event: OnlineEvent, *, by: Actor, now: datetime, because: Annotated[str, Ask(_("Why? (everybody registered reads this)"), kind="long_text", limit=2000)]
) -> OnlineEvent:
    """Call it off; everybody with a place or a turn is written to. What is over has taken place."""
    if event.state == EventState.PUBLISHED:
        Refused.because(why_not_use(state=event.state, ends_at=event.ends_at, now=now))
    event.sequence += 1
    emit("online_event.cancelled", event_id=str(event.pk), because=because.strip())
    return event


@action("register", on=OnlineEvent, label=_("Register"), allow=("person",), step=EVENT_STEPS["register"], tone="primary", when=_is_open, waits_for=_is_not_there)
def register(
    event: OnlineEvent, *, by: Actor, now: datetime,
    needs: Annotated[str, Ask(_("What do you need to take part?"), _("Captions, sign language, slides in advance … Only the organiser reads it."), limit=500)] = "",
) -> Registration:  # fmt: skip
    """Take a place with your account; when it is full you get your turn on the waiting list."""
    person = Person.objects.get(pk=by.person)
    registration = _registration(event, name=person.name, email=person.email, language=person.language, zone=person.zone, needs=needs, now=now)
    registration.person = person
    registration.save()
    if registration.state == RegistrationState.UNCONFIRMED:
        registration = confirm(registration, by=SYSTEM, now=now)
    return registration


@action("register_guest", on=OnlineEvent, label=_("Register without an account"), allow=(), step=EVENT_STEPS["register"])
def register_guest(event: OnlineEvent, *, by: Actor, now: datetime, name: str, email: str, language: str, zone: str, needs: str = "") -> Registration:
    """Note a name and an address; the place is taken when the mailed link is opened. The door has limited the pace.

    The letter goes to the address in any case, so that the page tells nobody who is registered already.
    """
    Invalid.because(_guest_faults(name, email))
    registration = _registration(event, name=name.strip(), email=email.strip().lower(), language=language, zone=zone if is_zone(zone) else "UTC", needs=needs, now=now)
    registration.save()
    emit("registration.to_confirm", registration_id=str(registration.pk))
    return registration


@action("confirm", on=Registration, label=_("Confirm"), allow=(), step=REGISTRATION_STEPS["confirm"])
def confirm(registration: Registration, *, by: Actor, now: datetime) -> Registration:
    """The address is real: a place, or the next turn on the waiting list."""
    event = _locked(registration)
    Refused.because(why_not_register(state=event.state, closes_at=event.closes_at, now=now))
    waiting = event.registrations.filter(state=RegistrationState.WAITING).exists()
    is_full = free_places(event.capacity, held(event)) == 0 or (waiting and event.capacity is not None)
    registration.state = RegistrationState.WAITING if is_full else RegistrationState.REGISTERED
    registration.confirmed_at = now
    registration.save()
    emit("registration.confirmed", registration_id=str(registration.pk))
    return registration


@action("offer", on=Registration, label=_("Offer a place"), allow=(), step=REGISTRATION_STEPS["offer"])
def offer(registration: Registration, *, by: Actor, now: datetime, respond_by: datetime) -> Registration:
    """A place has become free: it is held for the next in turn until the moment given."""
    registration.respond_by = respond_by
    emit("registration.offered", registration_id=str(registration.pk))
    return registration


@action("take_place", on=Registration, label=_("Take the place"), allow=("self@person",), step=REGISTRATION_STEPS["take_place"], tone="primary", when=_is_to_be_used)
def take_place(registration: Registration, *, by: Actor, now: datetime) -> Registration:
    """Accept the offered place."""
    Refused.because(_why_not_use(registration, now))
    if registration.respond_by is not None and registration.respond_by <= now:
        raise Refused(Reason("too-late", N_("The place was held until %(at)s and has gone to the next."), {"at": registration.respond_by}))
    emit("registration.confirmed", registration_id=str(registration.pk))
    return registration


@action("expire", on=Registration, label=_("Expire"), allow=(), step=REGISTRATION_STEPS["expire"])
def expire(registration: Registration, *, by: Actor, now: datetime) -> Registration:
    """The offered place was not taken in time."""
    return registration


@action("cancel", on=Registration, label=_("Give up the place"), allow=("self@person", *(f"{grant.partition('@')[0]}@event.{grant.partition('@')[2]}" for grant in ORGANISERS)), step=REGISTRATION_STEPS["cancel"], tone="warning", when=_is_to_be_used)
def cancel_registration(registration: Registration, *, by: Actor, now: datetime, because: str = "") -> Registration:
    """Free the place at once: it goes to the next in turn."""
    event = _locked(registration)
    Refused.because(_why_not_use(registration, now))
    registration.state = RegistrationState.CANCELLED
    registration.save()
    _refill(event, now)
    return registration


@action("join", on=Registration, label=_("Join"), allow=(), step=REGISTRATION_STEPS["join"])
def join(registration: Registration, *, by: Actor, now: datetime) -> Registration:
    """Note that the meeting was opened from here, which the page of one's place does; the organiser confirms who was there."""
    Refused.because(_why_not_use(registration, now))
    registration.joined_at = registration.joined_at or now
    registration.save()
    return registration


@action("give_feedback", on=Registration, label=_("Give feedback"), allow=("self@person",), step=REGISTRATION_STEPS["give_feedback"], tone="primary", when=lambda r: not r.gave_feedback and r.event.state == "held")
def give_feedback(
    registration: Registration, *, by: Actor, now: datetime,
    useful: Annotated[Literal["1", "2", "3", "4", "5"], Ask(_("Was it useful to you? (1 not at all – 5 very)"), choices=lambda _r, _a: [("", "—"), *((str(n), str(n)) for n in range(1, 6))])],
    could_follow: Annotated[Literal["1", "2", "3", "4", "5"], Ask(_("Could you follow it: language, sound, captions? (1 not at all – 5 fully)"), choices=lambda _r, _a: [("", "—"), *((str(n), str(n)) for n in range(1, 6))])],
    words: Annotated[str, Ask(_("In words, if you like"), _("It is kept without your name."), kind="long_text", limit=1000)] = "",
) -> Registration:  # fmt: skip
    """Answer two questions. The answer is kept apart from who gave it, and shown only when at least five have answered."""
    if registration.gave_feedback or registration.event.state != EventState.HELD:
        raise Refused(Reason("no-feedback", N_("Feedback is asked once, after the event.")))
    Feedback.objects.create(event=registration.event, useful=int(useful), could_follow=int(could_follow), words=words.strip())
    registration.gave_feedback = True
    registration.save()
    return registration


@action("take_attendance", on=OnlineEvent, label=_("Note who was there"), allow=ORGANISERS, step=EVENT_STEPS["take_attendance"], tone="primary", when=lambda e: e.starts_at <= clock.now())
def take_attendance(
    event: OnlineEvent, *, by: Actor, now: datetime,
    present: Annotated[list[PresentRow], Ask(_("Attendance"), _("Whoever opened the meeting from here is ticked already."), start=_present)],
) -> OnlineEvent:  # fmt: skip
    """Confirm who was there. Everybody who was is asked for feedback, once."""
    if event.starts_at > now:
        raise Refused(Reason("too-early", N_("Who was there is noted once the event has begun.")))
    known = {each.pk: each for each in event.registrations.filter(state=RegistrationState.REGISTERED)}
    Invalid.because(Reason("unknown", N_("%(name)s has no place at this event."), {"name": row.name or str(row.registration)}, "present") for row in present if row.registration not in known)
    first = event.state == EventState.PUBLISHED
    for row in present:
        registration = known[row.registration]
        if registration.attended != row.was_there:
            registration.attended = row.was_there
            registration.save()
    if first:
        emit("online_event.held", event_id=str(event.pk))
    return event


@action("add_recording", on=OnlineEvent, label=_("Add the recording"), allow=ORGANISERS, step=EVENT_STEPS["add_recording"], when=lambda e: e.is_recorded and e.starts_at <= clock.now())
def add_recording(
    event: OnlineEvent, *, by: Actor, now: datetime,
    recording_url: Annotated[str, Ask(_("Address of the recording"), limit=200, start=_started("recording_url", ""))],
    transcript_url: Annotated[str, Ask(_("Address of the transcript"), _("For whoever cannot hear it or has no connection for it."), limit=200, start=_started("transcript_url", ""))] = "",
) -> OnlineEvent:  # fmt: skip
    """Publish where it can be seen again and read; whoever has a place is written to, once. Only of an event that said,
    before anybody registered, that it is recorded."""
    if not event.is_recorded:
        raise Refused(Reason("not-announced", N_("Nobody was told that it is recorded, so no recording is published.")))
    if event.starts_at > now:
        raise Refused(Reason("too-early", N_("There is nothing recorded yet: it begins on %(at)s."), {"at": event.starts_at}))
    Invalid.because([*_bad_address(recording_url, "recording_url"), *(_bad_address(transcript_url, "transcript_url") if transcript_url.strip() else [])])
    first = not event.recording_url
    event.recording_url, event.transcript_url = recording_url.strip(), transcript_url.strip()
    event.save()
    if first:
        emit("online_event.recorded", event_id=str(event.pk))
    return event


@action("certify", on=OnlineEvent, label=_("Issue certificates of attendance"), allow=ORGANISERS, step=EVENT_STEPS["certify"])
def certify(event: OnlineEvent, *, by: Actor, now: datetime) -> OnlineEvent:
    """Request a signed certificate for everybody who was there and has an account. Doing it again issues nothing twice."""
    there = event.registrations.filter(attended=True, person__isnull=False).select_related("person")
    if not there.exists():
        raise Refused(Reason("nobody", N_("Nobody with an account was noted as present.")))
    for registration in there:
        request_credential(event.organisation, by=by, now=now, person=registration.person, award=award_of(registration))
    event.save()
    return event


def award_of(registration: Registration) -> Award:
    """What a certificate of attendance tells."""
    event = registration.event
    hours = Decimal((event.ends_at - event.starts_at).total_seconds() / 3600).quantize(Decimal("0.1"))
    facts = {"title": event.title, "organiser": event.organisation.name}
    return Award(
        source=("registration", registration.pk), kind="CertificateOfCompletion", title=_every(N_("Attendance: %(title)s"), facts),
        description=_every(N_("Took part in a live online event of %(organiser)s."), facts), criteria=_every(N_("Present at the event, as confirmed by the organiser."), facts),
        language=registration.language, started=event.starts_at.date(), ended=event.ends_at.date(), hours=hours,
    )  # fmt: skip


def by_link(token: str, verb: str, *, now: datetime, **inputs: Any) -> Registration:
    """Act on a registration with the mailed link: the link is the right to act. `verb`: confirm, take_place, cancel, join, give_feedback."""
    registration = registration_of(token)
    deed: Any = {"confirm": confirm, "take_place": take_place, "cancel": cancel_registration, "join": join, "give_feedback": give_feedback}[verb]
    done: Registration = deed(registration, by=SYSTEM, now=now, **inputs)
    return done


@every(60)
@task()
def refill_waiting_lists() -> None:
    """Take back what nobody answered, and offer free places to the next in turn."""
    now = clock.now()
    late = Registration.objects.filter(state=RegistrationState.OFFERED, respond_by__lte=now).select_related("event")
    for registration in late:
        event = _locked(registration)
        expire(registration, by=SYSTEM, now=now)
        _refill(event, now)


@every(300)
@task()
def send_reminders() -> None:
    """A day and an hour before: each letter once, noted in the same transaction as it is written."""
    now = clock.now()
    coming = Registration.objects.filter(state=RegistrationState.REGISTERED, event__state=EventState.PUBLISHED, event__starts_at__gt=now, event__starts_at__lte=now + timedelta(hours=24))
    for registration in coming.select_related("event"):
        for kind in reminders_due(registration.event.starts_at, registration.confirmed_at or registration.created_at, now):
            if Reminder.objects.get_or_create(registration=registration, kind=kind)[1]:
                emit("registration.reminder_due", registration_id=str(registration.pk))


@every(86_400)
@task()
def forget_guests() -> None:
    """What a guest gave is kept for the event's purpose only: afterwards name, address and needs go; the counts stay."""
    now = clock.now()
    Registration.objects.filter(state=RegistrationState.UNCONFIRMED, person=None, created_at__lt=now - UNCONFIRMED_FOR).delete()
    for registration in Registration.objects.filter(person=None, is_forgotten=False, event__ends_at__lt=now - REMEMBER_GUESTS):
        registration.name, registration.email, registration.needs, registration.is_forgotten = "—", f"{registration.pk}@forgotten.invalid", "", True
        registration.save()


def _refill(event: OnlineEvent, now: datetime) -> None:
    """Offer every free place to the next in turn. The caller holds the event's lock."""
    if event.state != EventState.PUBLISHED or now >= event.starts_at:
        return
    waiting = {str(each.pk): each for each in event.registrations.filter(state=RegistrationState.WAITING)}
    asking = [Asking(key, each.confirmed_at or each.created_at) for key, each in waiting.items()]
    for key in turns(event.capacity, held(event), asking):
        offer(waiting[key], by=SYSTEM, now=now, respond_by=answer_until(now, event.starts_at, event.ends_at, event.respond_hours))


def _locked(registration: Registration) -> OnlineEvent:
    """The event's row, locked: places are counted and given by one at a time."""
    event: OnlineEvent = OnlineEvent.objects.select_for_update(of=("self",)).get(pk=registration.event_id)
    return event


def _registration(event: OnlineEvent, *, name: str, email: str, language: str, zone: str, needs: str, now: datetime) -> Registration:
    Refused.because(why_not_register(state=event.state, closes_at=event.closes_at, now=now))
    registration: Registration | None = event.registrations.filter(email=email).first()
    if registration is None:
        return Registration(event=event, name=name, email=email, language=language if language in LANGUAGES else "es", zone=zone, needs=needs.strip()[:500])
    if registration.state in {RegistrationState.CANCELLED, RegistrationState.EXPIRED}:
        registration.state, registration.confirmed_at, registration.respond_by = RegistrationState.UNCONFIRMED, None, None
        registration.needs = needs.strip()[:500]
    return registration


def _guest_faults(name: str, email: str) -> list[Reason]:
    problems = []
    if not name.strip() or len(name) > 200:
        problems.append(Reason("name", N_("There is no name, or it is longer than 200 letters."), {}, "name"))
    if not is_mail_address(email.strip()):
        problems.append(Reason("email", N_("This is not a mail address."), {}, "email"))
    return problems


def _fill(event: OnlineEvent, *, closes_at: datetime | None, speakers: list[Speaker], **facts: Any) -> None:
    problems = list(event_faults(starts_at=facts["starts_at"], ends_at=facts["ends_at"], closes_at=closes_at, capacity=facts["capacity"], respond_hours=facts["respond_hours"]))
    if not any(facts["title"].values()):
        problems.append(Reason("title", N_("Give a title in at least one language."), {}, "title"))
    if not is_zone(facts["zone"]):
        problems.append(Reason("zone", N_("“%(zone)s” is not a time zone of the IANA database (example: America/Lima)."), {"zone": facts["zone"]}, "zone"))
    if not facts["languages"]:
        problems.append(Reason("languages", N_("Say in which language it is held."), {}, "languages"))
    if facts["kind"] not in KINDS:
        problems.append(Reason("kind", N_("“%(value)s” is not one of: %(known)s."), {"value": facts["kind"], "known": ", ".join(KINDS)}, "kind"))
    offered = {*offered_subjects(get_language() or "en"), *event.subjects}
    problems += [Reason("subject", N_("“%(value)s” is not published here."), {"value": name}, "subjects") for name in facts["subjects"] if name not in offered]
    for name in ("join_url", "about_url"):
        if facts[name].strip() and not (name == "about_url" and facts[name].startswith("/") and not facts[name].startswith("//")):
            problems += _bad_address(facts[name], name)
    Invalid.because(problems)
    for name, value in facts.items():
        setattr(event, name, value.strip() if isinstance(value, str) else value)
    event.closes_at = closes_at or event.starts_at
    event.speakers = [each.model_dump() for each in speakers]


def _bad_address(given: str, field: str) -> list[Reason]:
    parts = urlsplit(given.strip())
    if parts.scheme in {"http", "https"} and parts.netloc:
        return []
    return [Reason("address", N_("An address begins with https://."), {}, field)]


def _every(text: str, facts: dict[str, Any]) -> dict[str, str]:
    """The sentence in each of our languages, localized facts in the same language."""
    said = {}
    for language in LANGUAGES:
        with translation.override(language):
            said[language] = gettext(text) % {name: text_in(value, language) for name, value in facts.items()}
    return said

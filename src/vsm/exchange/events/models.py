"""Online events, registrations for them, and feedback that nobody can trace."""

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import get_language

from vsm.exchange.events.states import EventState, RegistrationState
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Person
from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.states import choices_of


class OnlineEvents(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "OnlineEvents":
        """What is announced is public; drafts belong to whoever organises them and to the office. Each says whether the actor is
        registered (`is_mine`), so that a list of them costs one question."""
        found = self.annotate(is_mine=Exists(_own(actor))) if actor.person_id else self
        if actor.is_system or actor.is_operator:
            return found
        mine = Q(organiser_id=actor.person_id) if actor.person_id else Q(pk__in=[])
        return found.filter(~Q(state=EventState.DRAFT) | mine | Q(organisation_id__in=actor.organisations("coordinator")))


def _own(actor: Actor) -> "Registrations":
    """The place or turn of whoever has signed in, at the event of the query around it."""
    return Registration.objects.filter(event_id=OuterRef("pk"), person_id=actor.person).exclude(state__in=[RegistrationState.CANCELLED, RegistrationState.EXPIRED])


class OnlineEvent(Record):
    """One live online event. `captions` and `interpretation` are language codes; `speakers` are {name, affiliation}.

    `kind` is one of `rules.KINDS`. `subjects` name what it is about among the things that other parts offer (`subjects.py`:
    "brief:covid-effect"); `about_url` and `about_label` link anything else. `is_recorded` is announced before anybody
    registers: no recording is published of an event that did not say so. `sequence` rises with each change that
    a calendar must hear of (RFC 5545 §3.8.7.4).
    """

    noun = "online_event"

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="online_events")
    kind = models.CharField(max_length=16, default="webinar")
    organiser = models.ForeignKey(Person, models.PROTECT, null=True, related_name="organised_events")
    title = models.JSONField(default=dict)
    description = models.JSONField(default=dict, blank=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    zone = models.CharField(max_length=64)
    closes_at = models.DateTimeField()
    capacity = models.PositiveIntegerField(null=True, blank=True)
    respond_hours = models.PositiveSmallIntegerField(default=24)
    languages = models.JSONField(default=list)
    captions = models.JSONField(default=list, blank=True)
    interpretation = models.JSONField(default=list, blank=True)
    access = models.TextField(default="", blank=True)
    bandwidth = models.CharField(max_length=8, default="video")
    speakers = models.JSONField(default=list, blank=True)
    join_url = models.URLField(default="", blank=True)
    dial_in = models.CharField(max_length=120, default="", blank=True)
    about_url = models.CharField(max_length=255, default="", blank=True)
    about_label = models.CharField(max_length=200, default="", blank=True)
    subjects = models.JSONField(default=list, blank=True)
    is_recorded = models.BooleanField(default=False)
    recording_url = models.URLField(default="", blank=True)
    transcript_url = models.URLField(default="", blank=True)
    sequence = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, default=EventState.DRAFT, choices=choices_of(EventState))

    objects = OnlineEvents.as_manager()

    class Meta:
        ordering = ["starts_at"]
        constraints = [models.CheckConstraint(condition=Q(ends_at__gt=models.F("starts_at")), name="event_ends_after_start")]

    def __str__(self) -> str:
        return text_in(self.title, get_language() or "en")

    def searchable(self) -> tuple[str, ...]:
        return *self.title.values(), *self.organisation.name.values(), *(each.get("name", "") for each in self.speakers)


class Registrations(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Registrations":
        """Who registered, and whoever organises the event."""
        if actor.is_system:
            return self
        if actor.person_id is None:
            return self.none()
        return self.filter(Q(person_id=actor.person_id) | Q(event__organiser_id=actor.person_id) | Q(event__organisation_id__in=actor.organisations("coordinator")))


class Registration(Record):
    """One person's place, or turn on the waiting list; guests have a name and an address and no account.

    `confirmed_at` decides the turn. A guest's name and address are forgotten some time after the event.
    """

    noun = "registration"

    event = models.ForeignKey(OnlineEvent, models.PROTECT, related_name="registrations")
    person = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="registrations")
    name = models.CharField(max_length=200)
    email = models.EmailField()
    language = models.CharField(max_length=8, default="es")
    zone = models.CharField(max_length=64, default="UTC")
    needs = models.CharField(max_length=500, default="", blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    respond_by = models.DateTimeField(null=True, blank=True)
    joined_at = models.DateTimeField(null=True, blank=True)
    attended = models.BooleanField(null=True, blank=True)
    gave_feedback = models.BooleanField(default=False)
    is_forgotten = models.BooleanField(default=False)
    state = models.CharField(max_length=12, default=RegistrationState.UNCONFIRMED, choices=choices_of(RegistrationState))

    objects = Registrations.as_manager()

    class Meta:
        ordering = ["confirmed_at", "created_at"]
        constraints = [
            models.UniqueConstraint(fields=["event", "email"], name="one_registration_per_address"),
            models.CheckConstraint(condition=~Q(state=RegistrationState.OFFERED) | Q(respond_by__isnull=False), name="offered_place_has_an_end"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.name, self.email


class Feedback(models.Model):
    """One answer. It names nobody and no moment, so that it cannot be joined to who gave it."""

    event = models.ForeignKey(OnlineEvent, models.CASCADE, related_name="feedback")
    useful = models.PositiveSmallIntegerField()
    could_follow = models.PositiveSmallIntegerField()
    words = models.CharField(max_length=1000, default="", blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(useful__range=(1, 5)) & Q(could_follow__range=(1, 5)), name="event_feedback_1_to_5")]


class Reminder(models.Model):
    """That a reminder went out: once for each registration and kind, whatever restarts in between."""

    registration = models.ForeignKey(Registration, models.CASCADE, related_name="reminders")
    kind = models.CharField(max_length=8)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["registration", "kind"], name="one_event_reminder")]

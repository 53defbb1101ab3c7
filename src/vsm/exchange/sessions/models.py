"""Enrolments, series of meetings, live sessions with the wall time they were planned in, attendance, availability."""

from datetime import datetime
from functools import cached_property
from uuid import UUID

from django.db import models

from vsm.exchange.allocation.models import Seat
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.catalogue.vocabulary import BANDWIDTHS
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Person
from vsm.exchange.sessions.rules import WALL, Mark, Part
from vsm.exchange.sessions.states import SeriesState, SessionState, State
from vsm.kit.actors import Actor
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.states import choices_of


class Enrolments(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Enrolments":
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations("coordinator", "registrar", "observer")
        return self.filter(
            models.Q(student_id=actor.person_id)
            | models.Q(home_id__in=staffed)
            | models.Q(offering__opportunity__organisation_id__in=staffed)
            | models.Q(offering_id__in=Offering.objects.filter(instructors=actor.person_id).values("pk"))
        )


class Enrolment(Record):
    """A student in one offering, from the signed learning agreement to the end of the course."""

    noun = "enrolment"

    student = models.ForeignKey(Person, models.PROTECT, related_name="enrolments")
    home = models.ForeignKey(Organisation, models.PROTECT, related_name="enrolments_out")
    offering = models.ForeignKey(Offering, models.PROTECT, related_name="enrolments")
    seat = models.ForeignKey(Seat, models.PROTECT, null=True, blank=True)
    learning_agreement_id = models.UUIDField(null=True, blank=True)
    enrolled_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, default=State.ENROLLED, choices=choices_of(State))

    objects = Enrolments.as_manager()

    class Meta:
        ordering = ["-enrolled_at"]
        constraints = [models.UniqueConstraint(fields=["student", "offering"], name="one_enrolment_per_offering")]

    def searchable(self) -> tuple[str, ...]:
        return self.student.name, self.offering.code, *self.offering.opportunity.title.values()


class SeriesSet(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "SeriesSet":
        """Whoever takes part, and the office that answers for it."""
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations("coordinator", "registrar", "observer")
        return self.filter(models.Q(organisation_id__in=staffed) | models.Q(pk__in=Participant.objects.of(actor.person_id).values("series_id")))


class Series(Record):
    """Meetings that belong to something else than a course (a team, an interview, an exchange, a module, an event).

    `owner_noun` and `owner_id` name what it belongs to; the owner's slice knows, this one does not. `organisation` is the
    office that answers for it. Times stand on the wall of `zone`. Whoever takes part is a `Participant`.
    """

    noun = "series"

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="series")
    owner_noun = models.CharField(max_length=32, default="", blank=True)
    owner_id = models.UUIDField(null=True, blank=True)
    title = models.JSONField(default=dict)
    zone = models.CharField(max_length=64)
    starts_on = models.DateField()
    ends_on = models.DateField()
    bandwidth = models.CharField(max_length=8, choices=[(s, s) for s in BANDWIDTHS], default="audio")
    join_url = models.URLField(default="", blank=True)
    dial_in = models.CharField(max_length=120, default="", blank=True)
    state = models.CharField(max_length=10, default=SeriesState.PLANNED, choices=choices_of(SeriesState))

    objects = SeriesSet.as_manager()

    class Meta:
        ordering = ["starts_on"]
        indexes = [models.Index(fields=["owner_noun", "owner_id"], name="series_of_owner")]
        constraints = [models.CheckConstraint(condition=models.Q(ends_on__gte=models.F("starts_on")), name="series_ends_after_start")]

    def searchable(self) -> tuple[str, ...]:
        return tuple(self.title.values())

    @cached_property
    def lead_ids(self) -> frozenset[UUID]:
        """The persons who may move, cancel and complete it, beside the office."""
        return frozenset(each.person_id for each in self.participants.all() if each.part == Part.LEAD and each.left_at is None)


class Participants(models.QuerySet["Participant"]):
    def of(self, person_id: UUID | None) -> "Participants":
        """Where this person takes part now."""
        return self.filter(person_id=person_id, left_at=None) if person_id else self.none()


class Participant(models.Model):
    """A person in a series of meetings, from a moment on; `left_at` when no longer."""

    series = models.ForeignKey(Series, models.CASCADE, related_name="participants")
    person = models.ForeignKey(Person, models.PROTECT, related_name="takes_part")
    part = models.CharField(max_length=8, choices=choices_of(Part), default=Part.MEMBER)
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)

    objects = Participants.as_manager()

    @property
    def student(self) -> Person:
        """Who takes part, by the name that the attendance list has for it."""
        return self.person

    class Meta:
        constraints = [models.UniqueConstraint(fields=["series", "person"], name="one_part_per_series")]


class Sessions(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Sessions":
        """Whoever is enrolled, teaches or takes part, or works at the host's office."""
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations("coordinator", "registrar", "observer")
        return self.filter(
            models.Q(series__organisation_id__in=staffed)
            | models.Q(series_id__in=Participant.objects.of(actor.person_id).values("series_id"))
            | models.Q(offering__opportunity__organisation_id__in=staffed)
            | models.Q(offering_id__in=Offering.objects.filter(instructors=actor.person_id).values("pk"))
            | models.Q(offering_id__in=Enrolment.objects.filter(student_id=actor.person_id).exclude(state=State.DROPPED).values("offering_id"))
        )


class Session(Record):
    """One live meeting of an offering or of a series: the instant, and the wall time and zone that it follows from.

    `wall_starts` (2026-09-06T18:00) is kept so that a change of a country's clock rules can be applied to what was
    meant. `planned` is the wall time that the weekly plan gave it: its name when the plan is drawn again, whatever it
    was moved to by hand since. `is_planned` is False once the plan no longer has it. `number` and the id stay for ever;
    `sequence` rises with every change that a calendar must hear of (RFC 5545 §3.8.7.4). `materials` are rows of
    `{"title", "url", "kilobytes"}`.
    """

    noun = "session"

    offering = models.ForeignKey(Offering, models.CASCADE, null=True, blank=True, related_name="sessions")
    series = models.ForeignKey(Series, models.CASCADE, null=True, blank=True, related_name="sessions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200, default="", blank=True)
    zone = models.CharField(max_length=64)
    wall_starts = models.CharField(max_length=16)
    planned = models.CharField(max_length=16)
    is_planned = models.BooleanField(default=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    join_url = models.URLField(default="", blank=True)
    dial_in = models.CharField(max_length=120, default="", blank=True)
    agenda = models.TextField(default="", blank=True)
    materials = models.JSONField(default=list, blank=True)
    sequence = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, default=SessionState.SCHEDULED, choices=choices_of(SessionState))

    objects = Sessions.as_manager()

    class Meta:
        ordering = ["starts_at"]
        constraints = [
            models.UniqueConstraint(fields=["offering", "number"], name="one_session_per_number"),
            models.UniqueConstraint(fields=["series", "number"], name="one_session_per_number_in_series"),
            models.CheckConstraint(condition=models.Q(offering=None) ^ models.Q(series=None), name="session_of_one_holder"),
            models.CheckConstraint(condition=models.Q(ends_at__gt=models.F("starts_at")), name="session_ends_after_start"),
        ]

    def searchable(self) -> tuple[str, ...]:
        if self.series:
            return self.title, *self.series.title.values()
        offering = self.course
        return self.title, offering.code, *offering.opportunity.title.values()

    @property
    def course(self) -> Offering:
        """The offering of a course's meeting. A programming error for a meeting of a series."""
        if self.offering is None:
            raise RuntimeError("this meeting belongs to a series")
        return self.offering

    @property
    def holder(self) -> Offering | Series:
        """What it is a meeting of: both have a zone, first and last day, a link to join and a number to call."""
        return self.series or self.course

    @property
    def wall(self) -> datetime:
        """The wall time at the host for which it stands."""
        return datetime.strptime(self.wall_starts, WALL)  # noqa: DTZ007 -- a wall time has no zone by its nature


class DayOff(models.Model):
    """A day without meetings at an offering: a holiday, an exam day. Kept, so that replanning honours it."""

    offering = models.ForeignKey(Offering, models.CASCADE, related_name="days_off")
    on = models.DateField()

    class Meta:
        ordering = ["on"]
        constraints = [models.UniqueConstraint(fields=["offering", "on"], name="one_day_off_per_day")]


class Attendance(models.Model):
    """Whether somebody was there, as the instructor or lead noted it: a student enrolled, or a participant of a series."""

    session = models.ForeignKey(Session, models.CASCADE, related_name="attendance")
    enrolment = models.ForeignKey(Enrolment, models.CASCADE, null=True, blank=True, related_name="attendance")
    participant = models.ForeignKey(Participant, models.CASCADE, null=True, blank=True, related_name="attendance")
    status = models.CharField(max_length=8, choices=choices_of(Mark))
    by = models.ForeignKey(Person, models.PROTECT, null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["session", "enrolment"], name="one_mark_per_session"),
            models.UniqueConstraint(fields=["session", "participant"], name="one_mark_per_participant"),
            models.CheckConstraint(condition=models.Q(enrolment=None) ^ models.Q(participant=None), name="mark_of_one"),
        ]


class Availabilities(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Availabilities":
        """One's own. Whoever looks for a time reads it through `queries.people_to_meet`, without seeing the hours."""
        return self if actor.is_system else self.filter(person_id=actor.person_id)


class Availability(Record):
    """The hours of an ordinary week at which a person can meet, on their own wall.

    `hours` has 168 characters, Monday 00:00 first: `1` can, `0` cannot. `zone` is where that wall stands.
    """

    noun = "availability"

    person = models.OneToOneField(Person, models.CASCADE, related_name="availability")
    zone = models.CharField(max_length=64)
    hours = models.CharField(max_length=168)

    objects = Availabilities.as_manager()

    class Meta:
        ordering = ["-updated_at"]

    def searchable(self) -> tuple[str, ...]:
        return (self.zone,)


class ClockRules(models.Model):
    """The version of the tz database by which the coming meetings were last worked out. One row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    version = models.CharField(max_length=32)
    at = models.DateTimeField()

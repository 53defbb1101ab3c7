"""Calls, applications with their ranked choices, documents and nominations."""

from datetime import datetime

from django.db import models

from vsm.exchange.applications.states import CallState, State
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Person
from vsm.kit.actors import Actor
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.states import choices_of


class Calls(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Calls":
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(~models.Q(state=CallState.DRAFT) | models.Q(organisation_id__in=actor.organisations("coordinator")))


class Call(Record):
    """An invitation to apply, with its phases. Deadlines are instants; `zone` names the wall they are told by."""

    noun = "call"

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="calls")
    code = models.CharField(max_length=64, unique=True)
    category = models.CharField(max_length=16, default="course")
    title = models.JSONField(default=dict)
    description = models.JSONField(default=dict, blank=True)
    zone = models.CharField(max_length=64)
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    nominate_by = models.DateTimeField()
    respond_hours = models.PositiveIntegerField(default=72)
    max_choices = models.PositiveSmallIntegerField(default=5)
    max_seats = models.PositiveSmallIntegerField(default=2)
    minimum_share_passed = models.DecimalField(max_digits=4, decimal_places=3, default=0)
    required_documents = models.JSONField(default=list, blank=True)
    seed_commitment = models.CharField(max_length=64, default="", blank=True)
    state = models.CharField(max_length=10, default=CallState.DRAFT, choices=choices_of(CallState))

    objects = Calls.as_manager()

    class Meta:
        ordering = ["-opens_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(closes_at__gt=models.F("opens_at")), name="call_closes_after_opening"),
            models.CheckConstraint(condition=models.Q(nominate_by__gte=models.F("closes_at")), name="nomination_after_closing"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.code, *self.title.values()

    def phase(self, now: datetime) -> str:
        """coming, applying, nominating, allocating, answered or closed: where the call stands at this moment."""
        if self.state == CallState.CLOSED:
            return "closed"
        if self.state == CallState.ALLOCATED:
            return "answered"
        if now < self.opens_at:
            return "coming"
        if now < self.closes_at:
            return "applying"
        return "nominating" if now < self.nominate_by else "allocating"


class CallOffering(models.Model):
    """An offering that a call gives seats in."""

    call = models.ForeignKey(Call, models.CASCADE, related_name="call_offerings")
    offering = models.ForeignKey(Offering, models.PROTECT, related_name="call_offerings")
    seats = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["call", "offering"], name="offering_once_per_call")]


class Applications(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Applications":
        """The student; home what was submitted; the call's office from nomination on, never before."""
        if actor.is_system or actor.is_operator:
            return self
        home = actor.organisations("coordinator", "registrar", "observer")
        office = actor.organisations("coordinator")
        nominated = ~models.Q(state__in=[State.DRAFT, State.SUBMITTED, State.NOT_NOMINATED]) & models.Q(nomination__isnull=False)
        return self.filter(
            models.Q(student_id=actor.person_id)
            | (models.Q(home_id__in=home, submitted_at__isnull=False) & ~models.Q(state=State.DRAFT))
            | (models.Q(call__organisation_id__in=office) & nominated)
        )


class Application(Record):
    """One student's wishes in one call. `choices` is the ranked list of offering ids, best first, kept as one value."""

    noun = "application"

    call = models.ForeignKey(Call, models.PROTECT, related_name="applications")
    student = models.ForeignKey(Person, models.PROTECT, related_name="applications")
    home = models.ForeignKey(Organisation, models.PROTECT, related_name="applications_out")
    choices = models.JSONField(default=list, blank=True)
    seats_wanted = models.PositiveSmallIntegerField(default=1)
    motivation = models.TextField(default="", blank=True)
    needs = models.TextField(default="", blank=True)
    declined_because = models.TextField(default="", blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=16, default=State.DRAFT, choices=choices_of(State))

    objects = Applications.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["call", "student"], condition=~models.Q(state=State.WITHDRAWN), name="one_application_per_call"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.student.name, self.student.email, self.call.code


class Document(models.Model):
    """A file of an application; the bytes stand in the file store under their digest."""

    application = models.ForeignKey(Application, models.CASCADE, related_name="documents")
    kind = models.CharField(max_length=32)
    name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        ordering = ["kind"]
        constraints = [models.UniqueConstraint(fields=["application", "kind"], name="one_document_per_kind")]


class Nomination(models.Model):
    """Home stands behind a student: in which priority band (1 is best), who said so, when, why."""

    application = models.OneToOneField(Application, models.CASCADE, related_name="nomination")
    band = models.PositiveSmallIntegerField(default=1)
    by = models.ForeignKey(Person, models.PROTECT, null=True)
    at = models.DateTimeField()
    because = models.TextField(default="", blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(band__gte=1), name="band_from_one")]

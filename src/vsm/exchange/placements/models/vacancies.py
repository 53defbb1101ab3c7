"""Vacancies, the applications for them, and the interview slots that a host offers."""

from datetime import datetime

from django.db import models

from vsm.exchange.catalogue.models import Offering
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Person
from vsm.exchange.placements.models.hosts import Host
from vsm.exchange.placements.states import ApplicationState, InterviewState, PlacementState, VacancyState
from vsm.kit.actors import Actor
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.states import choices_of

PERIODS = ("none", "hour", "month", "total")


class Vacancies(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Vacancies":
        if actor.is_system or actor.is_operator:
            return self
        mine = actor.organisations("coordinator", "instructor")
        return self.filter(~models.Q(state=VacancyState.DRAFT) | models.Q(organisation_id__in=mine))


class Vacancy(Record):
    """Work that a host offers to students. What the catalogue knows (title, dates, places) stands in its `offering`.

    `core_from` and `core_to` are the hours, on the host's clock, in which the student should be reachable. `pay` is an
    amount of `currency` for each `pay_period`; the period "none" says plainly that nothing is paid. `ranking` lists
    the host's order of applications, best first; places go by it and by nothing else.
    """

    noun = "vacancy"

    host = models.ForeignKey(Host, models.PROTECT, related_name="vacancies")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="vacancies")
    offering = models.OneToOneField(Offering, models.PROTECT, related_name="vacancy")
    hours_per_week = models.DecimalField(max_digits=4, decimal_places=1)
    core_from = models.TimeField(null=True, blank=True)
    core_to = models.TimeField(null=True, blank=True)
    pay = models.DecimalField(max_digits=12, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, default="", blank=True)
    pay_period = models.CharField(max_length=8, default="none", choices=[(p, p) for p in PERIODS])
    equipment = models.TextField(default="", blank=True)
    supervisor_name = models.CharField(max_length=200)
    supervisor_email = models.EmailField()
    apply_by = models.DateTimeField()
    respond_hours = models.PositiveIntegerField(default=120)
    ranking = models.JSONField(default=list, blank=True)
    offers_made = models.BooleanField(default=False)
    state = models.CharField(max_length=10, default=VacancyState.DRAFT, choices=choices_of(VacancyState))

    objects = Vacancies.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(hours_per_week__gt=0), name="vacancy_has_hours"),
            models.CheckConstraint(condition=models.Q(pay_period="none", pay=None) | (~models.Q(pay_period="none") & models.Q(pay__gt=0)), name="vacancy_pay_is_plain"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.offering.opportunity.code, *self.offering.opportunity.title.values(), self.host.name

    def takes_applications(self, now: datetime) -> bool:
        return self.state == VacancyState.PUBLISHED and now < self.apply_by and not self.is_filled

    @property
    def places_free(self) -> int:
        """Places that no student has accepted, or that were given back. Reads `applications__placement` where it was fetched."""
        taken = sum(1 for each in self.applications.all() if each.has_place)
        return max(0, int(self.offering.seats) - taken)

    @property
    def is_filled(self) -> bool:
        return self.places_free == 0


class PlacementApplications(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "PlacementApplications":
        """The student; host and home from the moment it is submitted."""
        if actor.is_system or actor.is_operator:
            return self
        home = actor.organisations("coordinator", "registrar", "observer")
        host = actor.organisations("coordinator")
        sent = models.Q(submitted_at__isnull=False)
        return self.filter(models.Q(student_id=actor.person_id) | (sent & (models.Q(home_id__in=home) | models.Q(vacancy__organisation_id__in=host))))


class PlacementApplication(Record):
    """One student's application for one vacancy. `because` is why the host did not choose it; the student reads it."""

    noun = "placement_application"

    vacancy = models.ForeignKey(Vacancy, models.PROTECT, related_name="applications")
    student = models.ForeignKey(Person, models.PROTECT, related_name="placement_applications")
    home = models.ForeignKey(Organisation, models.PROTECT, related_name="placement_applications")
    motivation = models.TextField(default="", blank=True)
    needs = models.TextField(default="", blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    offered_at = models.DateTimeField(null=True, blank=True)
    respond_by = models.DateTimeField(null=True, blank=True)
    because = models.TextField(default="", blank=True)
    state = models.CharField(max_length=14, default=ApplicationState.DRAFT, choices=choices_of(ApplicationState))

    objects = PlacementApplications.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["vacancy", "student"], condition=~models.Q(state=ApplicationState.WITHDRAWN), name="one_application_per_vacancy"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.student.name, *self.vacancy.offering.opportunity.title.values()

    @property
    def has_place(self) -> bool:
        """Accepted, and not given back before the first day. A place that the host itself took back is not there for anybody else.
        `HAS_PLACE` says the same to the database."""
        if self.state != ApplicationState.ACCEPTED:
            return False
        placement = getattr(self, "placement", None)
        return placement is None or placement.state != PlacementState.CANCELLED or placement.ended_by == "host"


HAS_PLACE = models.Q(state=ApplicationState.ACCEPTED) & (
    models.Q(placement=None) | ~models.Q(placement__state=PlacementState.CANCELLED) | models.Q(placement__ended_by="host")
)


class ApplicationDocument(models.Model):
    """A file of an application; the bytes stand in the file store under their digest."""

    application = models.ForeignKey(PlacementApplication, models.CASCADE, related_name="documents")
    kind = models.CharField(max_length=32)
    name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=100)
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        ordering = ["kind"]
        constraints = [models.UniqueConstraint(fields=["application", "kind"], name="one_placement_document_per_kind")]


class Interviews(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Interviews":
        """The host's office; the student who has the slot; and, while it is open, those who may choose it."""
        if actor.is_system or actor.is_operator:
            return self
        if actor.person_id is None:
            return self.none()
        choosing = models.Q(state=InterviewState.OPEN, vacancy__applications__student_id=actor.person_id, vacancy__applications__state=ApplicationState.SHORTLISTED)
        found = models.Q(vacancy__organisation_id__in=actor.organisations("coordinator")) | models.Q(application__student_id=actor.person_id)
        return self.filter(pk__in=self.model._base_manager.filter(found | choosing).values("pk"))


class Interview(Record):
    """A slot for one conversation. One slot belongs to one application, and one application to one slot at a time."""

    noun = "interview"

    vacancy = models.ForeignKey(Vacancy, models.CASCADE, related_name="interviews")
    application = models.OneToOneField(PlacementApplication, models.PROTECT, null=True, blank=True, related_name="interview")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    with_whom = models.CharField(max_length=200)
    join_url = models.URLField(default="", blank=True)
    outcome = models.TextField(default="", blank=True)
    state = models.CharField(max_length=10, default=InterviewState.OPEN, choices=choices_of(InterviewState))

    objects = Interviews.as_manager()

    class Meta:
        ordering = ["starts_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(ends_at__gt=models.F("starts_at")), name="interview_ends_after_start"),
            models.CheckConstraint(condition=~models.Q(state=InterviewState.BOOKED) | models.Q(application__isnull=False), name="booked_interview_has_somebody"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return (self.with_whom,)

"""A student's placement at a host, and the times in which it rested."""

from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import models
from django.utils.functional import cached_property

from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Person
from vsm.exchange.placements.models.hosts import Host
from vsm.exchange.placements.models.vacancies import PlacementApplication
from vsm.exchange.placements.states import PlacementState
from vsm.kit.actors import Actor
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.states import choices_of


def party_to(actor: Actor, path: str = "") -> models.Q:
    """Who takes part in a placement: the student, home's staff, the host's office, tutor and mentor."""
    home = actor.organisations("coordinator", "registrar", "observer")
    host = actor.organisations("coordinator")
    mentor = Person.objects.filter(pk=actor.person_id).values("email")
    return (
        models.Q(**{f"{path}student_id": actor.person_id}) | models.Q(**{f"{path}home_id__in": home}) | models.Q(**{f"{path}host__organisation_id__in": host})
        | models.Q(**{f"{path}tutor_id": actor.person_id}) | models.Q(**{f"{path}mentor_email__in": mentor})
    )  # fmt: skip


class OfPlacement(VisibleQuerySet):
    """What everybody who takes part in its placement may see."""

    def visible_to(self, actor: Actor) -> "OfPlacement":
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(party_to(actor, "placement__")) if actor.person_id else self.none()


class Placements(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Placements":
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(party_to(actor)) if actor.person_id else self.none()


class Placement(Record):
    """What is agreed stands in the agreement; here is what holds now, copied from the version in force.

    `tutor` looks after the student at home, the mentor at the host; a mentor is known by the mail address, because the
    host may sign before anybody there has an account. `insured_from` and `insured_until` are both included.
    `ended_on` is the last day of a placement that is over.
    """

    noun = "placement"

    application = models.OneToOneField(PlacementApplication, models.PROTECT, related_name="placement")
    student = models.ForeignKey(Person, models.PROTECT, related_name="placements")
    home = models.ForeignKey(Organisation, models.PROTECT, related_name="placements_out")
    host = models.ForeignKey(Host, models.PROTECT, related_name="placements")
    tutor = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="tutored_placements")
    mentor_name = models.CharField(max_length=200, default="", blank=True)
    mentor_email = models.CharField(max_length=254, default="", blank=True)
    starts_on = models.DateField()
    ends_on = models.DateField()
    hours_per_week = models.DecimalField(max_digits=4, decimal_places=1)
    insurer = models.CharField(max_length=200, default="", blank=True)
    policy = models.CharField(max_length=120, default="", blank=True)
    insured_from = models.DateField(null=True, blank=True)
    insured_until = models.DateField(null=True, blank=True)
    started_on = models.DateField(null=True, blank=True)
    ended_on = models.DateField(null=True, blank=True)
    ended_by = models.CharField(max_length=8, default="", blank=True)
    because = models.TextField(default="", blank=True)
    certified_at = models.DateTimeField(null=True, blank=True)
    reminded = models.JSONField(default=list, blank=True)
    state = models.CharField(max_length=12, default=PlacementState.PREPARING, choices=choices_of(PlacementState))

    objects = Placements.as_manager()

    class Meta:
        ordering = ["-starts_on"]
        constraints = [
            models.CheckConstraint(condition=models.Q(ends_on__gte=models.F("starts_on")), name="placement_ends_after_start"),
            models.CheckConstraint(
                condition=~models.Q(state__in=["running", "interrupted", "completed", "ended"]) | models.Q(started_on__isnull=False), name="running_placement_has_started"
            ),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.student.name, self.host.name

    @property
    def mentor_id(self) -> UUID | None:
        """The account of the mentor, as soon as there is one with that address."""
        email = self.mentor_email.lower()
        if email not in self._mentors:  # asked by every act of a list: looked up once for a record in hand
            self._mentors = {email: Person.objects.filter(email=email, is_active=True).values_list("pk", flat=True).first() if email else None}
        return self._mentors[email]

    @cached_property
    def _mentors(self) -> dict[str, UUID | None]:
        return {}

    def today(self, at: datetime) -> date:
        """The day where the host is: its first day there begins neither by UTC nor where the student sits."""
        return at.astimezone(ZoneInfo(self.host.zone)).date()

    def latest_workday(self, at: datetime) -> date:
        """The latest day of which hours can be told: whichever of host and student is further on in the calendar."""
        return max(self.today(at), at.astimezone(ZoneInfo(self.student.zone)).date())

    def rested_days(self, first: date, last: date) -> frozenset[date]:
        """The days from `first` to `last` on which the placement was interrupted or suspended."""
        pauses = [(each.from_day, each.until) for each in self.pauses.all()]
        days = (first + timedelta(days=number) for number in range((last - first).days + 1)) if pauses else ()
        return frozenset(day for day in days if any(begins <= day and (until is None or day < until) for begins, until in pauses))


class Pause(models.Model):
    """A time in which the placement rests, from a day to the day on which it goes on. Why stands with it.

    What a suspension is about stays with the concern behind it: its reason here is neutral.
    """

    placement = models.ForeignKey(Placement, models.CASCADE, related_name="pauses")
    kind = models.CharField(max_length=12, choices=[(s, s) for s in ("interrupted", "suspended")])
    from_day = models.DateField()
    until = models.DateField(null=True, blank=True)
    because = models.TextField(default="", blank=True)

    class Meta:
        ordering = ["from_day"]

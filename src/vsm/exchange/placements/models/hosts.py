"""Companies and organisations that take students, and what was checked about them."""

from datetime import date

from django.db import models

from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Person
from vsm.exchange.placements.states import HostState
from vsm.kit.actors import Actor
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.states import choices_of


class Hosts(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Hosts":
        """That a host is vetted is public; everything before, and why not, is between it and who vets."""
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations("coordinator", "registrar")
        mine = models.Q(organisation_id__in=actor.organisations("coordinator", "instructor"))
        return self.filter(models.Q(state=HostState.VETTED) | models.Q(vetter_id__in=staffed) | mine)


class Host(Record):
    """A company or organisation with its vetting. `vetter` is the institution or network that vets it.

    `organisation` comes with taking the application up: until then nobody knows whether there is one. `valid_until` is the
    last day on which the vetting holds. `confirm_hash` is that of the link by which the applicant confirms the address.
    """

    noun = "host"

    organisation = models.OneToOneField(Organisation, models.PROTECT, null=True, blank=True, related_name="placement_host")
    vetter = models.ForeignKey(Organisation, models.PROTECT, related_name="vetted_hosts")
    name = models.CharField(max_length=200)
    registration = models.CharField(max_length=120, default="", blank=True)
    country = models.CharField(max_length=2)
    city = models.CharField(max_length=120, default="", blank=True)
    zone = models.CharField(max_length=64)
    website = models.CharField(max_length=200, default="", blank=True)
    purpose = models.TextField(default="", blank=True)
    founded = models.PositiveSmallIntegerField(null=True, blank=True)
    employees = models.PositiveIntegerField(null=True, blank=True)
    contact_name = models.CharField(max_length=200)
    contact_email = models.EmailField()
    language = models.CharField(max_length=8, default="es")
    confirm_hash = models.CharField(max_length=64, default="", blank=True)
    confirm_by = models.DateTimeField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True)
    reminded_for = models.DateField(null=True, blank=True)
    because = models.TextField(default="", blank=True)
    state = models.CharField(max_length=12, default=HostState.APPLIED, choices=choices_of(HostState))

    objects = Hosts.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(state=HostState.VETTED) | models.Q(valid_until__isnull=False, organisation__isnull=False), name="vetted_host_is_known")
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.name, self.city, self.country, self.registration

    def is_vetted_on(self, day: date) -> bool:
        """Whether students may be sent there on this day."""
        return self.state == HostState.VETTED and self.valid_until is not None and day <= self.valid_until


class VettingCheck(models.Model):
    """One look at one point of the checklist: what was seen, by whom, when, and until when it holds. Never changed.

    `given` is what the host handed in and nobody has looked at yet.
    """

    host = models.ForeignKey(Host, models.CASCADE, related_name="checks")
    criterion = models.CharField(max_length=32)
    outcome = models.CharField(max_length=8, choices=[(s, s) for s in ("given", "met", "not-met", "missing")])
    evidence = models.TextField()
    file_name = models.CharField(max_length=255, default="", blank=True)
    file_type = models.CharField(max_length=100, default="", blank=True)
    file_digest = models.CharField(max_length=64, default="", blank=True)
    expires_on = models.DateField(null=True, blank=True)
    by = models.ForeignKey(Person, models.PROTECT, null=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-pk"]

"""Physical mobilities and the courses that are taken in person."""

from django.db import models

from vsm.exchange.catalogue.models import Opportunity
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.mobilities.rules import Stay
from vsm.exchange.mobilities.states import State
from vsm.exchange.people.models import Person
from vsm.kit.actors import Actor
from vsm.kit.ids import new_id
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.states import choices_of


class Mobilities(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Mobilities":
        """The student, and the offices of both institutions: whereabouts and contacts concern nobody else."""
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations("coordinator", "registrar")
        return self.filter(models.Q(student_id=actor.person_id) | models.Q(home_id__in=staffed) | models.Q(host_id__in=staffed))


class Mobility(Record):
    """One student's stay at a host: where (ISO country, region, city), from which day to which (both included).

    `nationalities` (ISO codes) and `residence` decide whom a restriction of borders meets. The contacts are for
    emergencies: the student's own telephone there, and somebody to call at home.
    """

    noun = "mobility"

    student = models.ForeignKey(Person, models.PROTECT, related_name="mobilities")
    home = models.ForeignKey(Organisation, models.PROTECT, related_name="mobilities_out")
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="mobilities_in")
    country = models.CharField(max_length=2)
    region = models.CharField(max_length=120, default="", blank=True)
    city = models.CharField(max_length=120, default="", blank=True)
    starts_on = models.DateField()
    ends_on = models.DateField()
    nationalities = models.JSONField(default=list, blank=True)
    residence = models.CharField(max_length=2, default="", blank=True)
    phone = models.CharField(max_length=40, default="", blank=True)
    contact_name = models.CharField(max_length=200, default="", blank=True)
    contact_phone = models.CharField(max_length=40, default="", blank=True)
    state = models.CharField(max_length=10, default=State.PLANNED, choices=choices_of(State))

    objects = Mobilities.as_manager()

    class Meta:
        ordering = ["-starts_on"]
        constraints = [
            models.CheckConstraint(condition=models.Q(ends_on__gte=models.F("starts_on")), name="mobility_ends_after_start"),
            models.UniqueConstraint(
                fields=["student", "host", "starts_on"], condition=~models.Q(state=State.CANCELLED), name="one_mobility_per_start"
            ),
        ]
        indexes = [models.Index(fields=["starts_on", "ends_on"], name="mobility_days")]

    def searchable(self) -> tuple[str, ...]:
        return self.student.name, *self.host.name.values(), self.city, self.region, self.country

    @property
    def stay(self) -> Stay:
        return Stay(country=self.country, region=self.region, city=self.city, starts_on=self.starts_on, ends_on=self.ends_on)


class Course(models.Model):
    """One course that the student takes in person there; its id names it in the learning agreement.

    `opportunity` is the same course in the host's catalogue, where it is known. `home_*` say what home counts it as,
    as recorded here first; the signed learning agreement is what holds.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    mobility = models.ForeignKey(Mobility, models.CASCADE, related_name="courses")
    opportunity = models.ForeignKey(Opportunity, models.SET_NULL, null=True, blank=True, related_name="courses_in_person")
    code = models.CharField(max_length=64)
    title = models.JSONField(default=dict)
    credits = models.DecimalField(max_digits=6, decimal_places=2)
    credit_system = models.CharField(max_length=32)
    language = models.CharField(max_length=8)
    starts_on = models.DateField()
    ends_on = models.DateField()
    home_code = models.CharField(max_length=64, default="", blank=True)
    home_title = models.CharField(max_length=255, default="", blank=True)
    home_credits = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["mobility", "code"], name="one_course_per_code"),
            models.CheckConstraint(condition=models.Q(credits__gte=0), name="course_credits_not_negative"),
            models.CheckConstraint(condition=models.Q(ends_on__gte=models.F("starts_on")), name="course_ends_after_start"),
        ]

"""Organisations with their identifiers, units and terms, and the hub itself."""

from django.db import models
from django.utils.translation import get_language

from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.records import Record, VisibleQuerySet


class Public(VisibleQuerySet):
    """Facts that anybody may read."""

    def visible_to(self, actor: Actor) -> "Public":
        return self


class Hub(Record):
    """This installation: what it is called and who runs it. One row."""

    noun = "hub"

    name = models.CharField(max_length=200)
    contact = models.EmailField()
    single = models.BooleanField(default=True, unique=True, editable=False)

    objects = Public.as_manager()


class Organisation(Record):
    """A university, host organisation or network. SCHAC and ROR are its names in the world's registries."""

    noun = "organisation"

    kind = models.CharField(max_length=12, choices=[(s, s) for s in ("university", "host", "network")], default="university")
    name = models.JSONField(default=dict)
    schac = models.CharField(max_length=120, unique=True)
    ror = models.CharField(max_length=40, default="", blank=True)
    country = models.CharField(max_length=2)
    city = models.CharField(max_length=120, default="", blank=True)
    zone = models.CharField(max_length=64)
    languages = models.JSONField(default=list)
    credit_system = models.CharField(max_length=32, default="ects")
    grade_scale = models.CharField(max_length=32, default="ects")
    website = models.URLField(default="", blank=True)
    contact = models.EmailField(default="", blank=True)
    about = models.JSONField(default=dict, blank=True)

    objects = Public.as_manager()

    class Meta:
        ordering = ["schac"]

    def __str__(self) -> str:
        return text_in(self.name, get_language() or "en")

    def searchable(self) -> tuple[str, ...]:
        return *self.name.values(), self.schac, self.city, self.country


class Unit(Record):
    """A faculty, school or department."""

    noun = "unit"

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="units")
    code = models.CharField(max_length=32)
    name = models.JSONField(default=dict)

    objects = Public.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [models.UniqueConstraint(fields=["organisation", "code"], name="one_unit_per_code")]

    def searchable(self) -> tuple[str, ...]:
        return self.code, *self.name.values()


class Term(Record):
    """A teaching period of one institution; partners' calendars differ, so it belongs to nobody else."""

    noun = "term"

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="terms")
    code = models.CharField(max_length=32)
    name = models.JSONField(default=dict)
    starts_on = models.DateField()
    ends_on = models.DateField()

    objects = Public.as_manager()

    class Meta:
        ordering = ["-starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "code"], name="one_term_per_code"),
            models.CheckConstraint(condition=models.Q(ends_on__gt=models.F("starts_on")), name="term_ends_after_start"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.code, *self.name.values()

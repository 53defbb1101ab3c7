"""An institution's consent to let its counts be pooled; and what was last told of each year."""

from django.db import models

from vsm.exchange.institutions.models import Organisation
from vsm.exchange.statistics.states import ConsentState
from vsm.kit.actors import Actor
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.states import choices_of

OFFICE = ("coordinator", "registrar", "observer")


class PoolingConsents(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "PoolingConsents":
        """That an institution is in the pooled figures is public, for they name who made them; what it withdrew is its own."""
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(models.Q(state=ConsentState.GIVEN) | models.Q(organisation_id__in=actor.organisations(*OFFICE)))


class PoolingConsent(Record):
    """Whether the records of an institution's students are counted in pooled figures. Without a row, or withdrawn: they are not."""

    noun = "pooling_consent"

    organisation = models.OneToOneField(Organisation, models.CASCADE, related_name="pooling_consent")
    given_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    because = models.TextField(default="", blank=True)
    state = models.CharField(max_length=10, default=ConsentState.GIVEN, choices=choices_of(ConsentState))

    objects = PoolingConsents.as_manager()

    class Meta:
        ordering = ["organisation__schac"]
        constraints = [
            models.CheckConstraint(condition=models.Q(state=ConsentState.GIVEN) | models.Q(withdrawn_at__isnull=False), name="withdrawn_consent_has_its_moment"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.organisation.schac, *self.organisation.name.values()


class ToldYear(models.Model):
    """What was told last of one year, and of whom: what is told next is held beside it (`rules.next_telling`).

    `family` is empty for what was begun, else a group, whose tables stand alone. `homes` are institutions; `cells` lists of
    dimension, value, measure and count, which is null where it was withheld. Nobody reads this through a door: the counts
    stand in the vintages, and whose they are in the consents.
    """

    family = models.CharField(max_length=80, blank=True, default="")
    year = models.PositiveSmallIntegerField()
    homes = models.JSONField()
    cells = models.JSONField()
    told_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["family", "year"], name="a_year_is_told_once_in_a_family")]

    def __str__(self) -> str:
        return f"{self.family} {self.year}".strip()

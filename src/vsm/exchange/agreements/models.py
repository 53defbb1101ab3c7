"""Agreements between two institutions, the seats they promise by term and direction, and who signed which text."""

from django.db import models

from vsm.exchange.agreements.states import State
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import Person
from vsm.kit.actors import Actor
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.states import choices_of


class Agreements(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Agreements":
        """Both parties' people; what two institutions agree is nobody else's business."""
        if actor.is_system or actor.is_operator:
            return self
        mine = actor.organisations("coordinator", "registrar", "observer")
        return self.filter(models.Q(first_id__in=mine) | models.Q(second_id__in=mine))

    def in_force(self, home: object, host: object, on: object) -> "Agreements":
        """Signed agreements under which students of `home` may study at `host` on that day."""
        return self.filter(
            models.Q(first=home, second=host) | models.Q(first=host, second=home),
            state=State.SIGNED, starts_on__lte=on, ends_on__gte=on,
        )  # fmt: skip


class Agreement(Record):
    """A promise between two institutions. The seats stand in `Promise` rows, one per direction and term."""

    noun = "agreement"

    code = models.CharField(max_length=64, unique=True)
    first = models.ForeignKey(Organisation, models.PROTECT, related_name="agreements_first")
    second = models.ForeignKey(Organisation, models.PROTECT, related_name="agreements_second")
    category = models.CharField(max_length=16, default="course")
    levels = models.JSONField(default=list, blank=True)
    isced_f = models.JSONField(default=list, blank=True)
    language = models.CharField(max_length=8, default="", blank=True)
    minimum_cefr = models.CharField(max_length=2, default="", blank=True)
    starts_on = models.DateField()
    ends_on = models.DateField()
    provisions = models.TextField(default="", blank=True)
    state = models.CharField(max_length=10, default=State.DRAFT, choices=choices_of(State))

    objects = Agreements.as_manager()

    class Meta:
        ordering = ["-starts_on"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(first=models.F("second")), name="agreement_needs_two_parties"),
            models.CheckConstraint(condition=models.Q(ends_on__gt=models.F("starts_on")), name="agreement_ends_after_start"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.code, *self.first.name.values(), *self.second.name.values()

    @property
    def parties(self) -> tuple[Organisation, Organisation]:
        return self.first, self.second


class Promise(models.Model):
    """Seats that `host` gives to students of the other party, in each term of a year (or in one named term)."""

    agreement = models.ForeignKey(Agreement, models.CASCADE, related_name="promises")
    host = models.ForeignKey(Organisation, models.PROTECT)
    term = models.CharField(max_length=32, default="", blank=True)
    seats = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agreement", "host", "term"], name="one_promise_per_term")]


class AgreementSignature(models.Model):
    """Who signed, for whom, when, and the very text that was signed with its digest.

    A revision voids the signature; the row stays, so that both parties can see that there was one and what it was for.
    """

    agreement = models.ForeignKey(Agreement, models.CASCADE, related_name="signatures")
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    person = models.ForeignKey(Person, models.PROTECT)
    at = models.DateTimeField()
    digest = models.CharField(max_length=64)
    text = models.TextField(default="")
    voided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["agreement", "organisation"], condition=models.Q(voided_at=None), name="one_valid_signature_per_party"),
        ]

"""What happens during a placement: hours, evaluations, concerns, and home's decision about credit."""

from typing import Any

from django.db import models
from django.utils.functional import cached_property

from vsm.exchange.institutions.models import Organisation, Public
from vsm.exchange.people.models import Person
from vsm.exchange.placements.models.placements import OfPlacement, Placement, party_to
from vsm.exchange.placements.states import ConcernState, CreditState, EvaluationState, HoursState
from vsm.kit.actors import Actor
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.states import choices_of

CONCERN_KINDS = ("harassment", "discrimination", "unsafe", "hours", "tasks", "data", "pay", "other")


class HoursEntry(Record):
    """One day's work: hours as a decimal and what was done. Corrections stand in its history; nothing is overwritten there."""

    noun = "hours_entry"

    placement = models.ForeignKey(Placement, models.PROTECT, related_name="hours")
    day = models.DateField()
    hours = models.DecimalField(max_digits=4, decimal_places=2)
    what = models.CharField(max_length=500)
    confirmed_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    because = models.TextField(default="", blank=True)
    state = models.CharField(max_length=10, default=HoursState.LOGGED, choices=choices_of(HoursState))

    objects = OfPlacement.as_manager()

    class Meta:
        ordering = ["-day"]
        constraints = [
            models.UniqueConstraint(fields=["placement", "day"], condition=~models.Q(state=HoursState.WITHDRAWN), name="one_hours_entry_per_day"),
            models.CheckConstraint(condition=models.Q(hours__gt=0, hours__lte=24), name="hours_fit_in_a_day"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.what, self.placement.student.name


class Evaluations(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Evaluations":
        """One's own at once; the other side's only when both are in. Home reads it then too, never before."""
        if actor.is_system or actor.is_operator:
            return self
        if actor.person_id is None:
            return self.none()
        return self.filter(models.Q(by_id=actor.person_id) | (party_to(actor, "placement__") & models.Q(state=EvaluationState.SHOWN)))


class Evaluation(Record):
    """What one side says halfway or at the end. `answers` is {criterion: {score, comment}} by the rulebook's instrument."""

    noun = "placement_evaluation"

    placement = models.ForeignKey(Placement, models.PROTECT, related_name="evaluations")
    occasion = models.CharField(max_length=8, choices=[(s, s) for s in ("mid", "final")])
    side = models.CharField(max_length=8, choices=[(s, s) for s in ("student", "host")])
    by = models.ForeignKey(Person, models.PROTECT, null=True)
    answers = models.JSONField(default=dict)
    comment = models.TextField(default="", blank=True)
    at = models.DateTimeField()
    state = models.CharField(max_length=8, default=EvaluationState.SEALED, choices=choices_of(EvaluationState))

    objects = Evaluations.as_manager()

    class Meta:
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["placement", "occasion", "side"], name="one_evaluation_per_side")]

    def searchable(self) -> tuple[str, ...]:
        return self.placement.student.name, self.placement.host.name


class Officer(Record):
    """Who at an institution hears concerns: a named person and a deputy. A public fact: everybody must know whom to turn to."""

    noun = "safeguarding_officer"

    organisation = models.OneToOneField(Organisation, models.CASCADE, related_name="safeguarding")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    deputy = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    phone = models.CharField(max_length=60, default="", blank=True)

    objects = Public.as_manager()

    class Meta:
        ordering = ["organisation__schac"]

    def searchable(self) -> tuple[str, ...]:
        return (*self.organisation.name.values(), self.person.name)


class Concerns(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Concerns":
        """Who raised it, the officer and the deputy. Nobody else: not the host, not other staff at home, not the operator."""
        if actor.is_system:
            return self
        if actor.person_id is None:
            return self.none()
        officers = Officer.objects.filter(models.Q(person_id=actor.person_id) | models.Q(deputy_id=actor.person_id)).values("organisation_id")
        return self.filter(models.Q(raised_by_id=actor.person_id) | models.Q(home_id__in=officers))


class Concern(Record):
    """Something that is wrong, told in confidence. `about` is the placement, None when it came by the public page.

    Whoever came by the public page has no name here; the link whose hash is `token_hash` lets them read the answers.
    `acknowledge_by` is the deadline of the first answer.
    """

    noun = "concern"

    home = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    about = models.ForeignKey(Placement, models.PROTECT, null=True, blank=True, related_name="+")
    raised_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    token_hash = models.CharField(max_length=64, default="", blank=True)
    contact = models.CharField(max_length=254, default="", blank=True)
    kind = models.CharField(max_length=16, choices=[(k, k) for k in CONCERN_KINDS])
    text = models.TextField()
    is_urgent = models.BooleanField(default=False)
    acknowledge_by = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    outcome = models.TextField(default="", blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=14, default=ConcernState.RAISED, choices=choices_of(ConcernState))

    objects = Concerns.as_manager()

    class Meta:
        ordering = ["-created_at"]

    @property
    def officer_id(self) -> Any:
        """Whoever is the officer of that institution now: a concern does not follow somebody who has left the office."""
        return self._office[0]

    @property
    def deputy_id(self) -> Any:
        return self._office[1]

    @cached_property
    def _office(self) -> tuple[Any, Any]:
        """The officer and the deputy, looked up once for a record in hand: every act of a list asks."""
        return Officer.objects.filter(organisation_id=self.home_id).values_list("person_id", "deputy_id").first() or (None, None)


class ConcernNote(models.Model):
    """What was done about a concern, or said by who raised it. `is_told`: who raised it reads it."""

    concern = models.ForeignKey(Concern, models.CASCADE, related_name="notes")
    text = models.TextField()
    by_officer = models.BooleanField(default=True)
    is_told = models.BooleanField(default=True)
    by_name = models.CharField(max_length=200, default="", blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]


class PlacementCredits(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "PlacementCredits":
        """The student and home: what home recognises is no matter of the host's."""
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations("coordinator", "registrar", "observer")
        return self.filter(models.Q(placement__student_id=actor.person_id) | models.Q(placement__home_id__in=staffed))


class PlacementCredit(Record):
    """Home's decision whether the placement counts, and as what. `proposed`, `low`, `high` are what the rulebook gave for
    the confirmed hours, with the citation and the rulebook's version."""

    noun = "placement_credit"

    placement = models.OneToOneField(Placement, models.PROTECT, related_name="credit")
    hours = models.DecimalField(max_digits=7, decimal_places=2)
    credit_system = models.CharField(max_length=32)
    proposed = models.DecimalField(max_digits=6, decimal_places=2)
    low = models.DecimalField(max_digits=6, decimal_places=2)
    high = models.DecimalField(max_digits=6, decimal_places=2)
    citation = models.TextField()
    rulebook_version = models.CharField(max_length=16)
    credits = models.DecimalField(max_digits=6, decimal_places=2, default=0)
    home_code = models.CharField(max_length=64, default="", blank=True)
    home_title = models.CharField(max_length=255, default="", blank=True)
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True)
    decided_at = models.DateTimeField()
    because = models.TextField(default="", blank=True)
    state = models.CharField(max_length=12, choices=choices_of(CreditState))

    objects = PlacementCredits.as_manager()

    class Meta:
        ordering = ["-decided_at"]
        constraints = [models.CheckConstraint(condition=models.Q(state=CreditState.RECOGNISED, credits__gt=0) | models.Q(state=CreditState.REFUSED, credits=0), name="recognised_credit_is_positive")]

    def searchable(self) -> tuple[str, ...]:
        return self.placement.student.name, self.home_code, self.home_title

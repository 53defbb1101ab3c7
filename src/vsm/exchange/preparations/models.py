"""Preparations with their modules, who takes part and how they see themselves, companions at the host, what home asks for."""


from django.db import models

from vsm.exchange.institutions.models import Organisation
from vsm.exchange.mobilities.models import Mobility
from vsm.exchange.people.models import Person
from vsm.exchange.preparations.rules import AFTER, BEFORE, KINDS
from vsm.exchange.preparations.states import (
    CompanionState,
    ModuleState,
    PairingState,
    ParticipationState,
    RequirementState,
    State,
)
from vsm.kit.actors import Actor
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.states import choices_of

OFFICE = ("coordinator", "registrar")


class Preparations(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Preparations":
        """What is open is public; drafts belong to the institution."""
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(~models.Q(state=State.DRAFT) | models.Q(organisation_id__in=actor.organisations(*OFFICE)))


class Preparation(Record):
    """What students do together before they travel to `host`. `language` is the host's, `instruments` slugs of the rulebook.

    `meetings_needed` meetings must be attended, and every required module and assessment done, to complete it; `hours`
    stand on its certificate.
    """

    noun = "preparation"

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="preparations")
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="preparations_in")
    code = models.CharField(max_length=64)
    title = models.JSONField(default=dict)
    about = models.JSONField(default=dict, blank=True)
    language = models.CharField(max_length=8)
    instruments = models.JSONField(default=list, blank=True)
    starts_on = models.DateField()
    ends_on = models.DateField()
    zone = models.CharField(max_length=64)
    meetings_needed = models.PositiveSmallIntegerField(default=0)
    hours = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    state = models.CharField(max_length=12, default=State.DRAFT, choices=choices_of(State))

    objects = Preparations.as_manager()

    class Meta:
        ordering = ["-starts_on"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "code"], name="one_preparation_per_code"),
            models.CheckConstraint(condition=models.Q(ends_on__gt=models.F("starts_on")), name="preparation_ends_after_start"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.code, *self.title.values(), *self.host.name.values()


class Modules(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Modules":
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(preparation__in=Preparation.objects.visible_to(actor).values("pk"))


class PreparationModule(Record):
    """Something to do in one's own time: a page of ours (text alone, readable on any connection) or a link with its weight."""

    noun = "preparation_module"

    preparation = models.ForeignKey(Preparation, models.CASCADE, related_name="modules")
    kind = models.CharField(max_length=8, choices=[(s, s) for s in ("page", "link")])
    title = models.JSONField(default=dict)
    body = models.JSONField(default=dict, blank=True)
    url = models.URLField(default="", blank=True, max_length=500)
    kilobytes = models.PositiveIntegerField(null=True, blank=True)
    minutes = models.PositiveSmallIntegerField()
    required = models.BooleanField(default=True)
    position = models.PositiveSmallIntegerField(default=1)
    state = models.CharField(max_length=12, default=ModuleState.CURRENT, choices=choices_of(ModuleState))

    objects = Modules.as_manager()

    class Meta:
        ordering = ["position", "created_at"]

    def searchable(self) -> tuple[str, ...]:
        return tuple(self.title.values())


class Participations(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Participations":
        """The student, who runs the preparation, and home. What they answered is not among it."""
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations(*OFFICE)
        return self.filter(models.Q(student_id=actor.person_id) | models.Q(preparation__organisation_id__in=staffed) | models.Q(mobility__home_id__in=staffed))


class Participation(Record):
    """A student in a preparation for one of their mobilities."""

    noun = "participation"

    preparation = models.ForeignKey(Preparation, models.PROTECT, related_name="participations")
    mobility = models.ForeignKey(Mobility, models.PROTECT, related_name="preparations")
    student = models.ForeignKey(Person, models.PROTECT, related_name="preparations")
    joined_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)
    wants_companion = models.BooleanField(default=False)
    state = models.CharField(max_length=12, default=ParticipationState.ACTIVE, choices=choices_of(ParticipationState))

    objects = Participations.as_manager()

    class Meta:
        ordering = ["-joined_at"]
        constraints = [models.UniqueConstraint(fields=["preparation", "mobility"], name="one_participation_per_mobility")]

    def searchable(self) -> tuple[str, ...]:
        return self.student.name, *self.preparation.title.values()


class ModuleDone(models.Model):
    """A module that a student says they have done, and when."""

    participation = models.ForeignKey(Participation, models.CASCADE, related_name="done")
    module = models.ForeignKey(PreparationModule, models.PROTECT, related_name="done")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["participation", "module"], name="one_mark_per_module")]


class SelfAssessments(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "SelfAssessments":
        """The person alone, not even the operator: answers about oneself are honest only where nobody else reads them."""
        return self if actor.is_system else self.filter(participation__student_id=actor.person_id)


class SelfAssessment(Record):
    """How somebody saw themselves, before or after; never changed. `rulebook` is the version of the instrument's text."""

    noun = "self_assessment"

    participation = models.ForeignKey(Participation, models.CASCADE, related_name="assessments")
    instrument = models.CharField(max_length=32)
    moment = models.CharField(max_length=8, choices=[(s, s) for s in (BEFORE, AFTER)])
    answers = models.JSONField(default=dict)
    scores = models.JSONField(default=dict)
    rulebook = models.CharField(max_length=16)
    taken_at = models.DateTimeField()

    objects = SelfAssessments.as_manager()

    class Meta:
        ordering = ["-taken_at"]
        constraints = [models.UniqueConstraint(fields=["participation", "instrument", "moment"], name="one_assessment_per_moment")]

    def searchable(self) -> tuple[str, ...]:
        return (self.instrument,)


class Companions(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Companions":
        """Oneself, and the host's office."""
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(models.Q(person_id=actor.person_id) | models.Q(organisation_id__in=actor.organisations(*OFFICE)))


class Companion(Record):
    """A peer or former exchange student at a host who has agreed to be contacted by students who are coming.

    `consented_at` is when they agreed; ending it takes the consent back. `places` is how many they would accompany.
    """

    noun = "companion"

    person = models.ForeignKey(Person, models.PROTECT, related_name="companionships")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="companions")
    kind = models.CharField(max_length=8, choices=[(s, s) for s in ("peer", "alumni")])
    languages = models.JSONField(default=list)
    isced_f = models.CharField(max_length=4, default="", blank=True)
    places = models.PositiveSmallIntegerField(default=2)
    about = models.TextField(default="", blank=True)
    consented_at = models.DateTimeField()
    because = models.TextField(default="", blank=True)
    state = models.CharField(max_length=12, default=CompanionState.OFFERED, choices=choices_of(CompanionState))

    objects = Companions.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["person", "organisation"], condition=models.Q(state__in=[CompanionState.OFFERED, CompanionState.ACTIVE]), name="one_companionship_per_host"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return (self.person.name,)


class Pairings(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Pairings":
        """The two, and the office that runs the preparation."""
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(
            models.Q(participation__student_id=actor.person_id) | models.Q(companion__person_id=actor.person_id)
            | models.Q(participation__preparation__organisation_id__in=actor.organisations(*OFFICE))
        )  # fmt: skip


class Pairing(Record):
    """A student and a companion, proposed to both. Addresses are shown once both have agreed, and not before."""

    noun = "pairing"

    participation = models.ForeignKey(Participation, models.CASCADE, related_name="pairings")
    companion = models.ForeignKey(Companion, models.PROTECT, related_name="pairings")
    points = models.PositiveSmallIntegerField(default=0)
    why = models.JSONField(default=list)
    student_agreed_at = models.DateTimeField(null=True, blank=True)
    companion_agreed_at = models.DateTimeField(null=True, blank=True)
    because = models.TextField(default="", blank=True)
    state = models.CharField(max_length=12, default=PairingState.PROPOSED, choices=choices_of(PairingState))

    objects = Pairings.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["participation"], condition=models.Q(state__in=[PairingState.PROPOSED, PairingState.AGREED]), name="one_companion_at_a_time"),
            models.CheckConstraint(
                condition=~models.Q(state=PairingState.AGREED) | models.Q(student_agreed_at__isnull=False, companion_agreed_at__isnull=False), name="agreed_by_both"
            ),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.participation.student.name, self.companion.person.name


class Requirements(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Requirements":
        """Whoever sees the mobility."""
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(mobility__in=Mobility.objects.visible_to(actor).values("pk"))


class PreparationRequirement(Record):
    """What home asks before a mobility: to complete a preparation, as a condition or as advice. Waived only with a reason."""

    noun = "preparation_requirement"

    mobility = models.ForeignKey(Mobility, models.CASCADE, related_name="preparation_requirements")
    preparation = models.ForeignKey(Preparation, models.PROTECT, related_name="requirements")
    kind = models.CharField(max_length=12, choices=[(s, s) for s in KINDS])
    due_on = models.DateField()
    because = models.TextField(default="", blank=True)
    answer = models.TextField(default="", blank=True)
    decided_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="preparations_waived")
    decided_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=12, default=RequirementState.OPEN, choices=choices_of(RequirementState))

    objects = Requirements.as_manager()

    class Meta:
        ordering = ["due_on"]
        constraints = [models.UniqueConstraint(fields=["mobility", "preparation"], condition=~models.Q(state=RequirementState.WITHDRAWN), name="one_requirement_per_preparation")]

    def searchable(self) -> tuple[str, ...]:
        return self.mobility.student.name, *self.preparation.title.values()

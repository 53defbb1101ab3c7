"""Emergencies, the plan of each course, each student's case, what they told, and the append-only switches and returns."""

from datetime import date

from django.db import models
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.translation import get_language

from vsm.exchange.catalogue.models import Offering, Opportunity
from vsm.exchange.emergencies.rules import KINDS, Place, Restriction
from vsm.exchange.emergencies.states import CaseState, RunState, Safety, State
from vsm.exchange.institutions.models import Organisation, Public
from vsm.exchange.mobilities.models import Mobility
from vsm.exchange.people.models import Person
from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.states import choices_of

OFFICES = ("coordinator", "registrar")


class Emergencies(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Emergencies":
        """What is declared in earnest is public; drafts and drills are for those who declare and for offices in them."""
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations(*OFFICES, "observer")
        drilled = Case.objects.filter(Q(home_id__in=staffed) | Q(host_id__in=staffed), emergency__is_drill=True).values("emergency_id")
        earnest = Q(is_drill=False, declared_at__isnull=False)
        return self.filter(earnest | Q(declared_by_id__in=staffed) | (Q(pk__in=drilled) & Q(declared_at__isnull=False)))


class Emergency(Record):
    """One declared restriction. `declared_by` is None when the operator declares it for everybody here.

    `places` holds dictionaries of `rules.Place`; `safety` is what people concerned should do. A lifted restriction ends
    before `lifted_on`; classes in person begin again on `return_on`. A drill never leaves the offices.
    """

    noun = "emergency"

    declared_by = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True, related_name="emergencies")
    kind = models.CharField(max_length=10, choices=[(s, s) for s in KINDS])
    title = models.JSONField(default=dict)
    safety = models.JSONField(default=dict, blank=True)
    places = models.JSONField(default=list)
    directions = models.JSONField(default=list)
    nationalities = models.JSONField(default=list, blank=True)
    residences = models.JSONField(default=list, blank=True)
    evidence = models.JSONField(default=list, blank=True)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    respond_days = models.PositiveSmallIntegerField(default=7)
    declared_at = models.DateTimeField(null=True, blank=True)
    lifted_on = models.DateField(null=True, blank=True)
    return_on = models.DateField(null=True, blank=True)
    is_drill = models.BooleanField(default=False)
    state = models.CharField(max_length=10, default=State.DRAFT, choices=choices_of(State))

    objects = Emergencies.as_manager()

    class Meta:
        ordering = ["-starts_on"]
        constraints = [
            models.CheckConstraint(condition=Q(ends_on=None) | Q(ends_on__gte=models.F("starts_on")), name="emergency_ends_after_start"),
            models.CheckConstraint(condition=Q(lifted_on=None) | Q(lifted_on__gt=models.F("starts_on")), name="emergency_lifted_after_start"),
            models.CheckConstraint(condition=~Q(state=State.LIFTED) | Q(lifted_on__isnull=False, return_on__isnull=False), name="lifted_has_its_days"),
        ]

    def __str__(self) -> str:
        return text_in(self.title, get_language() or "en")

    @cached_property
    def case_states(self) -> frozenset[str]:
        """The states that its cases are in, asked once for a record in hand: every act of a list hangs on them."""
        return frozenset(self.cases.order_by().values_list("state", flat=True).distinct())

    def searchable(self) -> tuple[str, ...]:
        return *self.title.values(), self.kind

    @property
    def restriction(self) -> Restriction:
        """As the rules take it."""
        return Restriction(
            id=str(self.pk), places=tuple(Place(**place) for place in self.places), directions=frozenset(self.directions),
            starts_on=self.starts_on, ends_on=self.last_day, nationalities=frozenset(self.nationalities), residences=frozenset(self.residences),
        )  # fmt: skip

    @property
    def last_day(self) -> date | None:
        """The last restricted day that is known."""
        return date.fromordinal(self.lifted_on.toordinal() - 1) if self.lifted_on else self.ends_on


class CoursePlans(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "CoursePlans":
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations(*OFFICES, "observer")
        concerned = Case.objects.filter(home_id__in=staffed).values("emergency_id")
        return self.filter(Q(host_id__in=staffed) | Q(emergency__declared_by_id__in=staffed) | Q(emergency_id__in=concerned))


class CoursePlan(Record):
    """One course in person that an emergency interrupts, for all its students: how ready it is, and what could take its place.

    `alternatives` holds dictionaries of `forms.Alternative`, best first. `students` is how many concerned ones take it.
    """

    noun = "course_plan"

    emergency = models.ForeignKey(Emergency, models.CASCADE, related_name="plans")
    host = models.ForeignKey(Organisation, models.PROTECT)
    opportunity = models.ForeignKey(Opportunity, models.SET_NULL, null=True, blank=True)
    code = models.CharField(max_length=64)
    title = models.JSONField(default=dict)
    students = models.PositiveIntegerField(default=0)
    readiness = models.CharField(max_length=10, default="unknown")
    alternatives = models.JSONField(default=list)
    confirmed = models.JSONField(default=dict, blank=True)

    objects = CoursePlans.as_manager()

    class Meta:
        ordering = ["-students", "code"]
        constraints = [models.UniqueConstraint(fields=["emergency", "host", "code"], name="one_plan_per_course")]

    def searchable(self) -> tuple[str, ...]:
        return self.code, *self.title.values(), *self.host.name.values()


class Cases(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Cases":
        """The student and both offices; a drill touches no student. Whether somebody is safe is never public."""
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations(*OFFICES)
        mine = Q(student_id=actor.person_id, emergency__is_drill=False)
        return self.filter(mine | Q(home_id__in=staffed) | Q(host_id__in=staffed))

    def in_earnest(self) -> "Cases":
        """Without drills: what statistics may count."""
        return self.filter(emergency__is_drill=False)


class Case(Record):
    """One student's stay in one emergency: why it is concerned, what was proposed, what they chose, how they are.

    Days that end before they begin: the stay turned out not to be concerned. `lines` holds, for each course, {course, plan, code, form, live_avoided}: `form` is the key of the plan's alternative,
    empty when there is none yet. `consent` is the digest of the amended text that the student agreed to. `urgency` puts
    the office's list in order: 0 needs help, 1 silent in the area, 2 silent elsewhere, 3 safe.
    """

    noun = "emergency_case"

    emergency = models.ForeignKey(Emergency, models.PROTECT, related_name="cases")
    mobility = models.ForeignKey(Mobility, models.PROTECT, related_name="emergency_cases")
    student = models.ForeignKey(Person, models.PROTECT, related_name="emergency_cases")
    home = models.ForeignKey(Organisation, models.PROTECT, related_name="cases_out")
    host = models.ForeignKey(Organisation, models.PROTECT, related_name="cases_in")
    situations = models.JSONField(default=list)
    affected_from = models.DateField()
    affected_until = models.DateField(null=True, blank=True)
    lines = models.JSONField(default=list, blank=True)
    proposed_by_id = models.UUIDField(null=True, blank=True)
    is_endorsed = models.BooleanField(default=False)
    respond_by = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    consent = models.CharField(max_length=64, default="", blank=True)
    because = models.TextField(default="", blank=True)
    safety = models.CharField(max_length=6, default=Safety.SILENT, choices=choices_of(Safety))
    told_at = models.DateTimeField(null=True, blank=True)
    urgency = models.PositiveSmallIntegerField(default=2)
    state = models.CharField(max_length=10, default=CaseState.FOUND, choices=choices_of(CaseState))

    objects = Cases.as_manager()

    class Meta:
        ordering = ["urgency", "id"]
        constraints = [
            models.UniqueConstraint(fields=["emergency", "mobility"], name="one_case_per_stay"),
            models.CheckConstraint(condition=~Q(state=CaseState.ACCEPTED) | ~Q(consent=""), name="acceptance_has_its_text"),
        ]
        indexes = [models.Index(fields=["emergency", "state"], name="case_state"), models.Index(fields=["mobility", "state"], name="case_of_stay")]

    def searchable(self) -> tuple[str, ...]:
        return self.student.name, self.student.email, *self.host.name.values()


class CheckIn(models.Model):
    """What a student told about themselves, as they told it; never changed."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="check_ins")
    answer = models.CharField(max_length=6, choices=choices_of([Safety.SAFE, Safety.HELP]))
    message = models.TextField(default="", blank=True)
    via = models.CharField(max_length=8)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]


class Hold(models.Model):
    """A seat of an equivalent course that is kept for one student until they answer or are enrolled."""

    offering = models.ForeignKey(Offering, models.CASCADE)
    case = models.ForeignKey(Case, models.CASCADE, related_name="holds")
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "offering"], condition=Q(released_at=None), name="one_hold_per_case")]
        indexes = [models.Index(fields=["offering", "released_at"], name="hold_of_offering")]


class Switches(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Switches":
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations(*OFFICES, "observer")
        mine = Q(case__student_id=actor.person_id, case__emergency__is_drill=False)
        taught = Q(offering__opportunity__organisation_id__in=staffed, case__emergency__is_drill=False)
        return self.filter(mine | Q(case__home_id__in=staffed) | Q(case__host_id__in=staffed) | taught)

    def in_earnest(self) -> "Switches":
        return self.filter(case__emergency__is_drill=False)


class Switch(Record):
    """One course of one student gone on online, from a day. Never changed: a `Return` is appended when it ends.

    `course_id` is the course in person; the credits stand here as they were and stay promised. `agreement_version` is
    the version of the learning agreement that says so (0 in a drill, which writes none).
    """

    noun = "switch"

    case = models.ForeignKey(Case, models.PROTECT, related_name="switches")
    course_id = models.UUIDField()
    code = models.CharField(max_length=64)
    form = models.CharField(max_length=36)
    kind = models.CharField(max_length=12)
    online_code = models.CharField(max_length=64)
    online_title = models.JSONField(default=dict)
    offering = models.ForeignKey(Offering, models.PROTECT, null=True, blank=True, related_name="switches")
    credits = models.CharField(max_length=12)
    credit_system = models.CharField(max_length=32)
    home_credits = models.CharField(max_length=12, default="", blank=True)
    agreement_id = models.UUIDField(null=True, blank=True)
    agreement_version = models.PositiveIntegerField(default=0)
    enrolment_id = models.UUIDField(null=True, blank=True)
    starts_on = models.DateField()

    objects = Switches.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["case", "course_id"], name="one_switch_per_course")]

    def searchable(self) -> tuple[str, ...]:
        return self.code, self.online_code, *self.online_title.values()


class Return(models.Model):
    """The end of one switch: the course is in person again from a day. Never changed."""

    switch = models.OneToOneField(Switch, models.PROTECT, related_name="ended")
    on = models.DateField()
    agreement_version = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()


class Runs(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Runs":
        if actor.is_system or actor.is_operator:
            return self
        staffed = actor.organisations(*OFFICES)
        return self.filter(Q(emergency__declared_by_id__in=staffed) | Q(organisation_id__in=staffed))


class Run(Record):
    """One piece of bulk work, in batches: each batch is one transaction, so that a killed worker leaves it where it stands.

    `organisation` narrows it to the cases of one institution (as home or host); None is all. `counts` are what it did.
    """

    noun = "switch_run"

    emergency = models.ForeignKey(Emergency, models.CASCADE, related_name="runs")
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True)
    kind = models.CharField(max_length=12)
    person_id = models.UUIDField(null=True)
    cursor = models.UUIDField(null=True, blank=True)
    progress = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    finished_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=8, default=RunState.WAITING, choices=choices_of(RunState))

    objects = Runs.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def searchable(self) -> tuple[str, ...]:
        return self.kind, *self.emergency.title.values()


class Notice(models.Model):
    """What an institution was told: how many of its courses and students go on online, or are back. Once each."""

    emergency = models.ForeignKey(Emergency, models.CASCADE, related_name="notices")
    organisation = models.ForeignKey(Organisation, models.CASCADE)
    kind = models.CharField(max_length=8, choices=[("online", "online"), ("back", "back")])
    last_switch = models.UUIDField()
    students = models.PositiveIntegerField()
    courses = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["emergency", "organisation", "kind", "last_switch"], name="one_notice_per_news")]


class Standing(Record):
    """What an institution says about itself for all to read: whether it admits exchange students, and what is online.

    Each word is a new record; the newest one counts, the earlier ones stay.
    """

    noun = "standing"

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="standings")
    admits = models.CharField(max_length=8, choices=[(s, s) for s in ("yes", "limited", "no")])
    online = models.CharField(max_length=8, choices=[(s, s) for s in ("all", "some", "none")])
    since = models.DateField()
    note = models.JSONField(default=dict, blank=True)
    link = models.URLField(default="", blank=True)

    objects = Public.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def searchable(self) -> tuple[str, ...]:
        return self.organisation.schac, *self.organisation.name.values(), self.organisation.country

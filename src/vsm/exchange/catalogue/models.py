"""Opportunities (what can be taken), offerings (when, with how many seats), their weekly meetings, and imports."""

from uuid import UUID

from django.db import models
from django.utils.translation import get_language

from vsm.exchange.catalogue.states import ImportState, State
from vsm.exchange.catalogue.vocabulary import BANDWIDTHS, LEVELS, MODES
from vsm.exchange.institutions.models import Organisation, Term, Unit
from vsm.exchange.people.models import Person
from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.states import choices_of

STATE_CHOICES = choices_of(State)


class Opportunities(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Opportunities":
        """What is published is public; drafts belong to the institution that writes them."""
        if actor.is_system or actor.is_operator:
            return self
        mine = actor.organisations("coordinator", "registrar", "instructor")
        return self.filter(~models.Q(state=State.DRAFT) | models.Q(organisation_id__in=mine))


class Opportunity(Record):
    """Something that can be studied at an institution, apart from when. Texts are localized JSON.

    `credit_values` lists the only amounts that can be taken ("2 or 4"), as text; empty means any from `credits` to
    `credits_high`. `source`, `source_key` and `content_hash` remember what an imported file last said; they are empty on
    what was entered by hand.
    """

    noun = "opportunity"

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="opportunities")
    unit = models.ForeignKey(Unit, models.SET_NULL, null=True, blank=True)
    category = models.CharField(max_length=16, default="course")
    code = models.CharField(max_length=64)
    title = models.JSONField(default=dict)
    description = models.JSONField(default=dict, blank=True)
    learning_outcomes = models.JSONField(default=dict, blank=True)
    prerequisites = models.JSONField(default=dict, blank=True)
    assessment = models.JSONField(default=dict, blank=True)
    accessibility = models.JSONField(default=dict, blank=True)
    subject = models.CharField(max_length=64, default="", blank=True)
    isced_f = models.CharField(max_length=4, default="", blank=True)
    level = models.CharField(max_length=16, choices=[(s, s) for s in LEVELS], default="bachelor")
    credits = models.DecimalField(max_digits=6, decimal_places=2)
    credits_high = models.DecimalField(max_digits=6, decimal_places=2, null=True, blank=True)
    credit_values = models.JSONField(default=list, blank=True)
    credit_system = models.CharField(max_length=32, default="ects")
    workload_hours = models.DecimalField(max_digits=7, decimal_places=2, null=True, blank=True)
    language = models.CharField(max_length=8)
    cefr = models.CharField(max_length=2, default="", blank=True)
    source = models.CharField(max_length=200, default="", blank=True)
    source_key = models.CharField(max_length=200, default="", blank=True)
    content_hash = models.CharField(max_length=64, default="", blank=True)
    state = models.CharField(max_length=10, default=State.DRAFT, choices=STATE_CHOICES)

    objects = Opportunities.as_manager()

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["organisation", "code"], name="one_opportunity_per_code"),
            models.CheckConstraint(condition=models.Q(credits__gte=0), name="credits_not_negative"),
            models.CheckConstraint(
                condition=models.Q(credits_high=None) | models.Q(credits_high__gte=models.F("credits")),
                name="credits_range_in_order",
            ),
        ]
        indexes = [models.Index(fields=["source", "source_key"], name="opportunity_source")]

    def __str__(self) -> str:
        return text_in(self.title, get_language() or "en")

    def searchable(self) -> tuple[str, ...]:
        return self.code, *self.title.values()

    def refold_offerings(self) -> list[UUID]:
        """Give the offerings the search words of a changed code or title; returns the ids of all offerings."""
        offerings = list(self.offerings.all())
        for offering in offerings:
            offering.opportunity = self
            offering.prepare()
        self.offerings.bulk_update(offerings, ["folded"], batch_size=200)
        return [offering.pk for offering in offerings]


class Offerings(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Offerings":
        if actor.is_system or actor.is_operator:
            return self
        public, mine = ~models.Q(state=State.DRAFT), actor.organisations("coordinator", "registrar", "instructor")
        # Without an office of one's own nothing is asked of the opportunities: a list then reads no more than it shows.
        return self.filter(public | models.Q(opportunity__organisation_id__in=mine) if mine else public)

    def taught_by(self, actor: Actor) -> "Offerings":
        return self.filter(instructors=actor.person_id)


class Offering(Record):
    """One dated run of an opportunity. Weekly meetings keep the host's wall time; `zone` says whose wall.

    `term_code` is the host's word for its term, also when the institution keeps no calendar with it here; `term` is the
    entry in that calendar. `source` names where the record came from, as on the opportunity.
    """

    noun = "offering"

    opportunity = models.ForeignKey(Opportunity, models.CASCADE, related_name="offerings")
    term = models.ForeignKey(Term, models.SET_NULL, null=True, blank=True)
    term_code = models.CharField(max_length=64, default="", blank=True)
    code = models.CharField(max_length=64)
    starts_on = models.DateField()
    ends_on = models.DateField()
    zone = models.CharField(max_length=64)
    seats = models.PositiveIntegerField(default=0)
    mode = models.CharField(max_length=16, choices=[(s, s) for s in MODES], default="mixed")
    bandwidth = models.CharField(max_length=8, choices=[(s, s) for s in BANDWIDTHS], default="video")
    drop_by = models.DateField(null=True, blank=True)
    withdraw_by = models.DateField(null=True, blank=True)
    join_url = models.URLField(default="", blank=True)
    dial_in = models.CharField(max_length=120, default="", blank=True)
    instructors = models.ManyToManyField(Person, blank=True, related_name="teaches")
    source = models.CharField(max_length=200, default="", blank=True)
    source_key = models.CharField(max_length=200, default="", blank=True)
    content_hash = models.CharField(max_length=64, default="", blank=True)
    state = models.CharField(max_length=10, default=State.DRAFT, choices=STATE_CHOICES)

    objects = Offerings.as_manager()

    class Meta:
        ordering = ["starts_on", "code"]
        constraints = [
            models.UniqueConstraint(fields=["opportunity", "code"], name="one_offering_per_code"),
            models.CheckConstraint(condition=models.Q(ends_on__gte=models.F("starts_on")), name="offering_ends_after_start"),
        ]
        indexes = [
            models.Index(fields=["state", "starts_on"], name="offering_state_start"),
            models.Index(fields=["-starts_on", "id"], name="offering_newest"),  # the order of the list
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.code, self.opportunity.code, *self.opportunity.title.values()


class Meeting(models.Model):
    """A weekly meeting in the host's wall time, Monday = 0."""

    offering = models.ForeignKey(Offering, models.CASCADE, related_name="meetings")
    weekday = models.PositiveSmallIntegerField()
    starts = models.TimeField()
    ends = models.TimeField()
    label = models.CharField(max_length=64, default="", blank=True)

    class Meta:
        ordering = ["weekday", "starts"]
        constraints = [
            models.CheckConstraint(condition=models.Q(weekday__lte=6), name="weekday_in_week"),
            models.CheckConstraint(condition=models.Q(ends__gt=models.F("starts")), name="meeting_ends_after_start"),
        ]


class CatalogueChange(models.Model):
    """The change log that every node's own search index is fed from, in the order of its ids."""

    offering_id = models.UUIDField()
    at = models.DateTimeField()


class Imports(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Imports":
        if actor.is_system or actor.is_operator:
            return self
        return self.filter(organisation_id__in=actor.organisations("coordinator", "registrar"))


class Import(Record):
    """One reading of a partner's or own catalogue file, with its report: nothing is lost without a line saying so.

    `progress` of `total` are lines of the file. `counts` (`Report.counts`) and the report itself, a kept file named by its
    digest, are written at the end; `error` are the reasons why the file as a whole could not be read.
    """

    noun = "import"

    organisation = models.ForeignKey(Organisation, models.CASCADE)
    file_name = models.CharField(max_length=255)
    file_digest = models.CharField(max_length=64)
    source = models.CharField(max_length=200)
    mapping = models.TextField()
    dry_run = models.BooleanField(default=True)
    withdraw_gone = models.BooleanField(default=False)
    state = models.CharField(max_length=10, default=ImportState.WAITING, choices=choices_of(ImportState))
    progress = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    counts = models.JSONField(default=dict)
    report_digest = models.CharField(max_length=64, default="", blank=True)
    error = models.JSONField(default=list, blank=True)
    person_id = models.UUIDField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = Imports.as_manager()

    class Meta:
        ordering = ["-created_at"]

    def searchable(self) -> tuple[str, ...]:
        return self.file_name, self.source

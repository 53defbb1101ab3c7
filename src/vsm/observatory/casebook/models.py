"""Models of virtual student mobility, cases that show them, and the reviews by which they came to be published."""

from typing import Any

from django.db import models

from vsm.exchange.people.models import Person
from vsm.kit.actors import Actor
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.states import choices_of
from vsm.observatory.casebook.states import State
from vsm.observatory.geography import countries, regions

EDITORS = ("coordinator", "registrar")


class Entries(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Entries":
        """What is published is everybody's; what is being written or read, its author's and the editors'."""
        if actor.is_system or actor.is_operator:
            return self
        if any(actor.roles.get(role) for role in EDITORS):
            return self.filter(~models.Q(state=State.DRAFT) | models.Q(author_id=actor.person_id))
        return self.filter(models.Q(state=State.PUBLISHED) | (models.Q(author_id=actor.person_id) if actor.person_id else models.Q(pk__in=[])))


class Entry(Record):
    """What a model and a case have in common.

    `facets` is what lists narrow by, as " kind:value " words. `digest` is that of the seeds' edition, empty for what
    people wrote; `checked_on` the day on which the sources were last read. `round` counts submissions: a review
    belongs to one of them. `approvals` are those of this round.
    """

    slug = models.SlugField(max_length=80, unique=True)
    name = models.JSONField(default=dict)
    summary = models.JSONField(default=dict)
    categories = models.JSONField(default=list)
    languages = models.JSONField(default=list)
    credit = models.CharField(max_length=12)
    bandwidth = models.CharField(max_length=8)
    sources = models.JSONField(default=list)
    facets = models.TextField(default="", editable=False)
    digest = models.CharField(max_length=64, default="", blank=True, editable=False)
    checked_on = models.DateField(null=True, blank=True)
    author = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    round = models.PositiveSmallIntegerField(default=1)
    approvals = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=12, default=State.DRAFT, choices=choices_of(State))

    objects = Entries.as_manager()

    class Meta:
        abstract = True

    def facet_words(self) -> dict[str, Any]:
        return {"category": self.categories, "language": self.languages, "credit": [self.credit], "bandwidth": [self.bandwidth]}

    def prepare(self) -> None:
        words = [f"{kind}:{value}" for kind, values in self.facet_words().items() for value in values]
        self.facets = f" {' '.join(words)} "
        super().prepare()

    def searchable(self) -> tuple[str, ...]:
        return self.slug, *self.name.values(), *self.summary.values()


def _published_how(name: str) -> models.CheckConstraint:
    """Two approvals, or the project's own seed."""
    return models.CheckConstraint(condition=~models.Q(state=State.PUBLISHED) | models.Q(approvals__gte=2) | ~models.Q(digest=""), name=name)


class VsmModel(Entry):
    """A way of doing virtual student mobility. `details` holds lists of words of the vocabulary (`rules.LISTS`)."""

    noun = "vsm_model"

    origin = models.CharField(max_length=16)
    synchrony = models.CharField(max_length=8)
    scope = models.JSONField(default=list)
    details = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["slug"]
        constraints = [_published_how("vsm_model_published_after_two_reviews")]

    def facet_words(self) -> dict[str, Any]:
        return {**super().facet_words(), "origin": [self.origin], "synchrony": [self.synchrony], "scope": self.scope}


class Case(Entry):
    """A programme or measure that ran. `claims` are its numbers, each with grade and source; where sources disagree both
    stand. `countries` are ISO 3166-1 alpha-3 that a source names, `regions` where it reaches beyond them, `institutions`
    names as written; `ended` null where it runs on or is unknown. `unknown` is what we would like to know and do not.
    `rors` give a name's identifier at ror.org; `outcomes` and `barriers` are words of the vocabulary; `consent` says how
    whoever is named agreed (`rules.CONSENTS`).
    """

    noun = "case"

    model = models.ForeignKey(VsmModel, models.PROTECT, null=True, blank=True, related_name="cases")
    institutions = models.JSONField(default=list, blank=True)
    rors = models.JSONField(default=dict, blank=True)
    countries = models.JSONField(default=list, blank=True)
    regions = models.JSONField(default=list, blank=True)
    started = models.PositiveSmallIntegerField(null=True, blank=True)
    ended = models.PositiveSmallIntegerField(null=True, blank=True)
    claims = models.JSONField(default=list, blank=True)
    outcomes = models.JSONField(default=list, blank=True)
    barriers = models.JSONField(default=list, blank=True)
    consent = models.CharField(max_length=16, default="public-sources")
    lessons = models.JSONField(default=dict, blank=True)
    unknown = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["slug"]
        constraints = [_published_how("case_published_after_two_reviews")]

    def facet_words(self) -> dict[str, Any]:
        known = [countries()[code] for code in self.countries if code in countries()]
        where = [code for code, region in regions().items() if region.level == 1 and (code in self.regions or any(map(region.holds, known)))]
        return {**super().facet_words(), "region": where, "country": self.countries, "grade": sorted({claim["grade"] for claim in self.claims})}


class CasebookReviews(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "CasebookReviews":
        """Whoever sees the entry sees who read it."""
        seen = models.Q(case__in=Case.objects.visible_to(actor).values("pk")) | models.Q(vsm_model__in=VsmModel.objects.visible_to(actor).values("pk"))
        return self.filter(seen)


class CasebookReview(Record):
    """One person's approval or return of an entry, in one round."""

    noun = "casebook_review"

    case = models.ForeignKey(Case, models.CASCADE, null=True, blank=True, related_name="reviews")
    vsm_model = models.ForeignKey(VsmModel, models.CASCADE, null=True, blank=True, related_name="reviews")
    reviewer = models.ForeignKey(Person, models.PROTECT, related_name="casebook_reviews")
    round = models.PositiveSmallIntegerField()
    approved = models.BooleanField()
    because = models.TextField(default="", blank=True)
    at = models.DateTimeField()

    objects = CasebookReviews.as_manager()

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(case__isnull=True) ^ models.Q(vsm_model__isnull=True), name="review_of_one_entry"),
            models.UniqueConstraint(fields=["case", "reviewer", "round"], name="one_case_review_per_round"),
            models.UniqueConstraint(fields=["vsm_model", "reviewer", "round"], name="one_model_review_per_round"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return (self.because,)

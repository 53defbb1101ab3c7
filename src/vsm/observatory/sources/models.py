"""Releases: which file of which source was taken in, when, with what result. Tables of one's own, before they are one. Breaks:
where a series is not one series."""

from typing import Any

from django.db import models

from vsm.kit.actors import Actor
from vsm.kit.localized import LANGUAGES
from vsm.kit.records import Record, VisibleQuerySet
from vsm.kit.states import choices_of
from vsm.observatory.geography import name_of
from vsm.observatory.sources.states import BreakState, State, TableState


class Releases(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Releases":
        """What was taken in is public: every figure names it. What was refused is for the operator."""
        return self if actor.is_system or actor.is_operator else self.filter(state=State.LOADED)


class Release(Record):
    """One vintage of a source as it came. Its observations stand in a Parquet file named by `digest`, never changed.

    `version` of the publisher is `edition` here; `sha256` is the file's as it came, `digest` the Parquet's. `checks` are
    what was looked at, as `[code, passed, facts]`; a release with a failed check is refused and has no observations.
    `covers` names what it tells (`observations.covered`): a newer release hides of an older one only that. `licence` and
    `attribution` are set where they are not the source's: on a table of somebody's own.
    """

    noun = "release"

    source = models.CharField(max_length=40)
    format = models.CharField(max_length=40)
    edition = models.CharField(max_length=80, default="", blank=True)
    published_on = models.DateField(null=True, blank=True)
    retrieved_at = models.DateTimeField()
    file_name = models.CharField(max_length=255)
    url = models.CharField(max_length=500, default="", blank=True)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, default="", blank=True)
    rows = models.PositiveBigIntegerField(default=0)
    checks = models.JSONField(default=list, blank=True)
    covers = models.JSONField(default=list, blank=True)
    licence = models.CharField(max_length=40, default="", blank=True)
    attribution = models.CharField(max_length=300, default="", blank=True)
    state = models.CharField(max_length=10, choices=choices_of(State))

    objects = Releases.as_manager()

    class Meta:
        ordering = ["-retrieved_at"]
        constraints = [
            # What we count ourselves comes in no file, and may come again as it was before.
            # A table of somebody's own comes again under another licence when the first was wrong.
            models.UniqueConstraint(fields=["source", "sha256", "licence", "attribution"], condition=models.Q(state=State.LOADED) & ~models.Q(file_name=""), name="one_release_per_file"),
            models.CheckConstraint(condition=~models.Q(state=State.LOADED) | ~models.Q(digest=""), name="loaded_release_has_rows"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.source, self.edition, self.file_name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Once. A newer file is a newer release: what was known on a day stays readable."""
        if not self._state.adding:
            raise TypeError("a release is never changed")
        super().save(*args, **kwargs)


class OwnTables(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "OwnTables":
        """Until it is kept, what somebody handed in is for those who may keep it."""
        return self if actor.is_system or actor.is_operator else self.none()


class OwnTable(Record):
    """A table that somebody handed in, read and checked but not yet a release.

    `found` is what was understood (`loaders.own.outline` and `summary`), `problems` what stands against it, as reasons, `checks`
    as of a release. The file is kept by its `digest`; `release` is what became of it.
    """

    noun = "own_table"

    file_name = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField()
    edition = models.CharField(max_length=80, default="", blank=True)
    licence = models.CharField(max_length=40)
    attribution = models.CharField(max_length=300)
    found = models.JSONField(default=dict)
    checks = models.JSONField(default=list, blank=True)
    problems = models.JSONField(default=list, blank=True)
    release = models.ForeignKey(Release, models.PROTECT, null=True, blank=True)
    state = models.CharField(max_length=10, choices=choices_of(TableState))

    objects = OwnTables.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.CheckConstraint(condition=~models.Q(state=TableState.KEPT) | models.Q(release__isnull=False), name="kept_table_is_a_release")]

    def searchable(self) -> tuple[str, ...]:
        return self.file_name, self.edition, self.attribution


class SeriesBreaks(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "SeriesBreaks":
        """What was proposed and decided is public, as the figures are that it changes."""
        del actor
        return self


class SeriesBreak(Record):
    """A year in which a series of a place changes its level, with the evidence and what a person decided about it.

    `evidence` is `breaks.Evidence` as JSON; `note` a text in the four languages where it was known from the start.
    `reason`, `decided_by` and `decided_at` tell the decision that is in force; the history tells the earlier ones.
    """

    noun = "series_break"

    source = models.CharField(max_length=40)
    series = models.CharField(max_length=80)
    geo = models.CharField(max_length=120)
    year = models.PositiveIntegerField()
    evidence = models.JSONField(default=dict)
    note = models.JSONField(default=dict, blank=True)
    reason = models.TextField(default="", blank=True)
    decided_by = models.CharField(max_length=255, default="", blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=choices_of(BreakState), default=BreakState.PROPOSED)

    objects = SeriesBreaks.as_manager()

    class Meta:
        ordering = ["geo", "year"]
        constraints = [
            models.UniqueConstraint(fields=["source", "series", "geo", "year"], name="one_break_per_year"),
            models.CheckConstraint(condition=models.Q(state=BreakState.PROPOSED) | ~models.Q(reason=""), name="decided_break_has_reason"),
        ]

    def searchable(self) -> tuple[str, ...]:
        return self.geo, self.series, str(self.year), *(name_of(self.geo, language) for language in LANGUAGES)

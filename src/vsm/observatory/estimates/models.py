"""Runs: what was computed, from which releases, with which result and gates. Never changed; a new release makes a new run."""

from typing import Any

from django.db import models

from vsm.kit.actors import Actor
from vsm.kit.records import Record, VisibleQuerySet


class EstimateRuns(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "EstimateRuns":
        """Everything that is published can be checked by anybody."""
        del actor
        return self


class EstimateRun(Record):
    """One computation. `inputs` is source → release id (further releases of a source as "name 2"), `parameters` what was chosen, `facts` key → Fact as JSON, `gates` a
    list of [code, passed, figure, asked]. `digest` is over inputs, parameters and facts: equal inputs give equal digests."""

    noun = "estimate_run"

    kind = models.CharField(max_length=120)
    number = models.PositiveIntegerField()
    inputs = models.JSONField(default=dict)
    parameters = models.JSONField(default=dict)
    facts = models.JSONField(default=dict)
    gates = models.JSONField(default=list)
    experimental = models.BooleanField(default=False)
    digest = models.CharField(max_length=64)

    objects = EstimateRuns.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["kind", "number"], name="one_estimate_run_per_number")]

    def searchable(self) -> tuple[str, ...]:
        return self.kind, str(self.number)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Once: briefs cite runs by their number."""
        if not self._state.adding:
            raise TypeError("a run is never changed")
        super().save(*args, **kwargs)

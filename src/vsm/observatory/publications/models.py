"""Editions of briefs and reports: what was published, from which runs, with which figures. Never changed; a newer one follows."""

from django.db import models

from vsm.kit.actors import Actor
from vsm.kit.records import Record, VisibleQuerySet


class Publications(VisibleQuerySet):
    def visible_to(self, actor: Actor) -> "Publications":
        """Everybody's."""
        del actor
        return self


class Publication(Record):
    """One edition. `facts` are the figures it uses, key → Fact as JSON; `runs` study → number; `content` language → the
    written tree as JSON; `vintages` the releases that its runs began from (source, edition, taken, sha256); `pdfs` language → digest of the kept PDF; `digest` is the permalink."""

    noun = "publication"

    slug = models.CharField(max_length=60)
    kind = models.CharField(max_length=20)
    number = models.PositiveIntegerField()
    title = models.JSONField(default=dict)
    content = models.JSONField(default=dict)
    facts = models.JSONField(default=dict)
    runs = models.JSONField(default=dict)
    vintages = models.JSONField(default=list)
    pdfs = models.JSONField(default=dict)
    experimental = models.BooleanField(default=False)
    digest = models.CharField(max_length=64, unique=True)
    published_at = models.DateTimeField()

    objects = Publications.as_manager()

    class Meta:
        ordering = ["-published_at"]
        constraints = [models.UniqueConstraint(fields=["slug", "number"], name="one_edition_per_number")]

    def searchable(self) -> tuple[str, ...]:
        return self.slug, *self.title.values()

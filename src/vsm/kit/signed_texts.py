"""Texts that parties sign: immutable versions, and signatures bound to the digest of the very version that was read.

A record that has such a text inherits `SignedText`; its versions `TextVersion`, their signatures `TextSignature`. What
the text is, how it is digested (`is_intact`: whether what is kept is still what was signed) and who signs is the slice's.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models


class SignedText(models.Model):
    """The record whose text it is. `current` is the version being worked on, `signed_version` the one in force (0: none
    yet); a signed version stays in force until the next is signed by all. `waiting_for` are the sides that have not
    signed `current`, with a blank between."""

    current = models.PositiveIntegerField(default=0)
    signed_version = models.PositiveIntegerField(default=0)
    waiting_for = models.CharField(max_length=24, default="", blank=True)

    class Meta:
        abstract = True

    # The versions' foreign key has this as its related name.
    versions: Any

    def version_numbered(self, number: int) -> Any:
        """One version, out of those already loaded when a list prefetched them; None when there is none."""
        return next((each for each in self.versions.all() if each.number == number), None)

    @property
    def current_version(self) -> Any:
        return self.version_numbered(self.current)

    @property
    def version_in_force(self) -> Any:
        return self.version_numbered(self.signed_version)


class TextVersion(models.Model):
    """The whole text of one version as canonical JSON (RFC 8785); never changed once written."""

    number = models.PositiveIntegerField()
    content = models.JSONField()
    digest = models.CharField(max_length=64)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    at = models.DateTimeField()
    because = models.TextField(default="", blank=True)

    class Meta:
        abstract = True
        ordering = ["-number"]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise RuntimeError("A version is never changed: people have signed it.")
        super().save(*args, **kwargs)


class TextSignature(models.Model):
    """A signature under one version: the digest says under which text. Two of one moment stand in the order of signing."""

    at = models.DateTimeField()
    digest = models.CharField(max_length=64)

    class Meta:
        abstract = True
        ordering = ["at", "id"]


def is_asked(signed: Mapping[str, UUID | None], sides: Iterable[str], person: UUID | None) -> bool:
    """Whether a signature is missing on one of the sides that this person acts for; `signed` is side → who signed for it.

    Whoever has signed cannot sign for another.
    """
    return person not in signed.values() and any(side not in signed for side in sides)

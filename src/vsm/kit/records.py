"""What every stored thing has: a UUIDv7, a version against lost updates, dates, and text that search can fold."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Self
from uuid import UUID

from django.db import models

from vsm.kit import clock
from vsm.kit.actors import Actor
from vsm.kit.errors import Conflict, Invalid, NotFound
from vsm.kit.folding import fold
from vsm.kit.i18n import N_
from vsm.kit.ids import new_id
from vsm.kit.verdict import Reason


class VisibleQuerySet(models.QuerySet[Any]):
    """A query set that knows what an actor may see. There is no other road to an object from a door."""

    def visible_to(self, actor: Actor) -> Self:
        """Only what `actor` may see. Deny by default: a slice that says nothing shows nothing."""
        return self if actor.is_system else self.none()

    def seen_by(self, actor: Actor, pk: UUID | str) -> Any:
        """The one object, or the same `NotFound` whether it is absent or foreign."""
        try:
            return self.visible_to(actor).get(pk=pk)
        except (self.model.DoesNotExist, ValueError, TypeError) as cause:
            raise not_found() from cause
        except Exception as cause:
            if type(cause).__name__ == "ValidationError":  # a malformed UUID
                raise not_found() from cause
            raise


def not_found() -> NotFound:
    return NotFound(Reason("not-found", N_("There is nothing here, or it is not yours to see. Check the address, or sign in.")))


class Record(models.Model):
    """The root of every stored thing. `save` is a compare-and-set on `version`: a stale copy is refused, never written.

    Each kind states its own `objects`, a `VisibleQuerySet` as manager: who may see what is nobody's default.
    """

    noun: ClassVar[str] = ""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now, editable=False)
    folded = models.TextField(default="", editable=False, blank=True)

    class Meta:
        abstract = True

    def searchable(self) -> Iterable[str]:
        """The words by which people look for this record in a list."""
        return ()

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.prepare()
        if self._state.adding:
            super().save(*args, **kwargs)
            return
        self.updated_at = clock.now()
        held, self.version = self.version, self.version + 1
        values = {field.name: getattr(self, field.name) for field in self._meta.concrete_fields if not field.primary_key}
        if not type(self)._base_manager.filter(pk=self.pk, version=held).update(**values):
            self.version = held
            raise stale()

    def prepare(self) -> None:
        """Checks that SQLite would let pass (lengths, ranges, NUL) and the folded search text. Bulk writers call it."""
        self.folded = fold(" ".join(filter(None, self.searchable())))[:2000].replace("\x00", "")
        problems = list(_unstorable(self))
        if problems:
            raise Invalid(*problems)


def stale() -> Conflict:
    return Conflict(
        Reason(
            "stale-version",
            N_("This has changed since you opened it. Nothing of yours was lost or saved: open it again, compare, and repeat your change."),
        )
    )


_ALWAYS_FIT = (UUID, datetime, bool)


def _unstorable(record: Record) -> Iterable[Reason]:
    for field in record._meta.concrete_fields:
        value = getattr(record, field.attname)
        if value is None or isinstance(value, _ALWAYS_FIT):
            continue
        if _holds_nul(value):
            yield Reason("nul", N_("The text contains a character (NUL) that cannot be stored. Remove it."), {}, field.name)
        elif isinstance(field, models.CharField) and isinstance(value, str) and field.max_length and len(value) > field.max_length:
            yield Reason(
                "too-long",
                N_("%(length)s characters are too many: at most %(limit)s fit here."),
                {"length": len(value), "limit": field.max_length},
                field.name,
            )
        elif not _fits(field, value):
            yield Reason("out-of-range", N_("The number %(value)s is too large."), {"value": value}, field.name)


def _fits(field: Any, value: object) -> bool:
    """Whether a number has room in its column. SQLite writes a longer one, and then the row can never be read again."""
    if isinstance(field, models.DecimalField) and value is not None:
        number, whole = Decimal(str(value)), field.max_digits - field.decimal_places
        return number.is_finite() and number.adjusted() <= whole and abs(round(number, field.decimal_places)) < Decimal(10) ** whole
    if isinstance(field, models.IntegerField) and not isinstance(field, models.BigIntegerField) and isinstance(value, int):
        return abs(value) <= 2_147_483_647
    return True


def _holds_nul(value: object) -> bool:
    if isinstance(value, dict):
        return any(_holds_nul(part) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return any(map(_holds_nul, value))
    return isinstance(value, str) and "\x00" in value


def aware(moment: datetime) -> datetime:
    """Refuse a naive time: without a zone nobody knows when it is."""
    if moment.tzinfo is None:
        raise Invalid(Reason("naive-time", N_("A time needs its time zone.")))
    return moment

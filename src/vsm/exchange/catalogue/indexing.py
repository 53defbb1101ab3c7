"""Keeping the search index like the records: built whole, fed from the change log, refreshed when calls open or close.

Only the worker and the command line write; web processes read. Each node has an index of its own under the data folder
and remembers there how far it has read the change log.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from operator import or_
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db.models import BooleanField, ExpressionWrapper, Max, Q, QuerySet
from django_tasks import task

from vsm.config import settings
from vsm.exchange.catalogue.documents import Document
from vsm.exchange.catalogue.index import CatalogueIndex, Condition
from vsm.exchange.catalogue.models import CatalogueChange, Offering
from vsm.exchange.catalogue.states import State
from vsm.kit import clock
from vsm.kit.bulk import insert_rows
from vsm.kit.jobs import every

OpenOfferings = Callable[[datetime], "QuerySet[Any, Any]"]

open_offerings: list[OpenOfferings] = []
"""Who knows which offerings take applications at a moment: higher slices enter a function at start-up. Its query set of
offering ids becomes part of one query."""

CHUNK = 1_000
"""Offerings written to the index at once when it catches up."""

REMEMBERED_GAPS = 10_000
"""Ids back from the newest in which a change may still appear late: a transaction that took its id and has not committed."""

_POSITION, _OPEN = "read-to.json", "open.json"


def index() -> CatalogueIndex:
    """This node's index, under the data folder."""
    return _index(settings().data / "index")


def is_open(now: datetime) -> Any:
    """An annotation for query sets of offerings: whether one can apply for it at this moment."""
    found = [Q(pk__in=provider(now)) for provider in open_offerings]
    asked = found[0] if found else Q(pk__in=[])
    for further in found[1:]:
        asked = or_(asked, further)
    return ExpressionWrapper(asked, output_field=BooleanField())


def announce(offering_ids: Collection[UUID], now: datetime) -> None:
    """Enter offerings into the change log, in the transaction of their change."""
    insert_rows(CatalogueChange, ("offering_id", "at"), [(pk, now) for pk in offering_ids])


def documents_of(offerings: QuerySet[Any], now: datetime) -> Iterator[Document]:
    """These offerings as the index sees them, in one query however many they are."""
    joined = offerings.select_related("opportunity__organisation").annotate(is_open=is_open(now)).order_by()
    for offering in joined.iterator(chunk_size=2_000):
        yield _document(offering)


def rebuild(progress: Callable[[int], None] | None = None) -> int:
    """Build the index anew from every published offering; readers keep the old one until it is whole.

    Returns the number of offerings; `progress` hears it every thousand. Raises IndexBusy while another process writes.
    """
    position = _Position(through=_newest())
    now = clock.now()
    found = index().rebuild(_counted(documents_of(_searchable(), now), progress))
    position.write()
    _write_open(_open_ids(now))
    return found


def catch_up() -> int:
    """Bring this node's index up to the change log; returns how many offerings were looked at.

    Builds the index when there is none that can be read. Doing it twice does no harm. Raises IndexBusy while another
    process writes: that one is catching up.
    """
    if index().state().condition is not Condition.READY:
        return rebuild()
    position = _Position.read()
    if position is None:
        return rebuild()
    changed = position.unread()
    for start in range(0, len(changed), CHUNK):
        _write(changed[start : start + CHUNK])
    position.write()
    return len(changed)


def is_fresh() -> bool:
    """Whether the index can be searched and holds everything that the change log tells: nothing to do at a start."""
    if index().state().condition is not Condition.READY:
        return False
    position = _Position.read()
    return position is not None and not position.unread()


@task(queue_name="long")
def index_changes() -> int:
    """Catch up, after a change of one offering or of a whole catalogue."""
    return catch_up()


@every(60)
@task(queue_name="long")
def refresh() -> int:
    """Catch up, and mark offerings whose call has opened or closed since the last time. Returns how many were marked."""
    catch_up()
    before, after = _read_open(), _open_ids(clock.now())
    turned = sorted(before ^ after)
    for start in range(0, len(turned), CHUNK):
        _write([UUID(pk) for pk in turned[start : start + CHUNK]])
    if turned:
        _write_open(after)
    return len(turned)


@cache
def _index(directory: Path) -> CatalogueIndex:
    return CatalogueIndex(directory)


def _searchable() -> QuerySet[Any]:
    published: QuerySet[Any] = Offering.objects.filter(state=State.PUBLISHED, opportunity__state=State.PUBLISHED)
    return published


def _write(offering_ids: Collection[UUID]) -> None:
    documents = list(documents_of(_searchable().filter(pk__in=offering_ids), clock.now()))
    gone = {str(pk) for pk in offering_ids} - {document.id for document in documents}
    index().update(documents, deleted=gone)


def _document(offering: Any) -> Document:
    opportunity = offering.opportunity
    host = opportunity.organisation
    return Document(
        id=str(offering.pk),
        code=opportunity.code,
        titles=opportunity.title,
        bodies=_bodies(opportunity),
        category=opportunity.category,
        institution=str(host.pk),
        country=host.country,
        language=opportunity.language.split("-")[0],
        cefr=opportunity.cefr,
        level=opportunity.level,
        isced_f=opportunity.isced_f,
        mode=offering.mode,
        bandwidth=offering.bandwidth,
        credit_system=opportunity.credit_system,
        credits=float(opportunity.credits),
        seats=offering.seats,
        starts_on=offering.starts_on,
        ends_on=offering.ends_on,
        open=bool(offering.is_open),
        zone=offering.zone,
        updated=max(offering.updated_at, opportunity.updated_at),
    )


def _bodies(opportunity: Any) -> dict[str, str]:
    """Everything that is said of it in each language, with the institution's name: people search for that too."""
    parts: dict[str, list[str]] = {}
    for texts in (opportunity.description, opportunity.learning_outcomes, opportunity.prerequisites, opportunity.organisation.name):
        for language, text in texts.items():
            parts.setdefault(language, []).append(text)
    return {language: "\n".join(filter(None, texts)) for language, texts in parts.items()}


def _counted(documents: Iterable[Document], progress: Callable[[int], None] | None) -> Iterator[Document]:
    for count, document in enumerate(documents, start=1):
        yield document
        if progress and count % 1_000 == 0:
            progress(count)


def _open_ids(now: datetime) -> set[str]:
    found = _searchable().annotate(is_open=is_open(now)).filter(is_open=True)
    return {str(pk) for pk in found.values_list("pk", flat=True)}


def _newest() -> int:
    return CatalogueChange.objects.aggregate(newest=Max("id"))["newest"] or 0


@dataclass
class _Position:
    """How far this node has read. `gaps` are ids before `through` that were not there yet: two writers at once may commit
    in the other order than they took their ids, and a reader that only looks ahead would miss the later one for ever."""

    through: int
    gaps: tuple[int, ...] = ()

    @classmethod
    def read(cls) -> "_Position | None":
        kept = _read(_POSITION)
        if not isinstance(kept, dict):
            return None
        position = cls(int(kept.get("through", 0)), tuple(kept.get("gaps", ())))
        return None if position.through > _newest() else position  # of another database: begin again

    def unread(self) -> list[UUID]:
        """The offerings of changes not read yet, each once; afterwards they count as read."""
        late = CatalogueChange.objects.filter(id__in=self.gaps)
        rows = [*late.values_list("id", "offering_id"), *CatalogueChange.objects.filter(id__gt=self.through).order_by("id").values_list("id", "offering_id")]
        seen = {number for number, _offering in rows}
        newest = max(seen, default=self.through)
        ahead = range(self.through + 1, newest + 1) if newest > self.through else ()
        missing = [number for number in (*self.gaps, *ahead) if number not in seen]
        self.through = max(self.through, newest)
        self.gaps = tuple(number for number in missing if number > self.through - REMEMBERED_GAPS)
        return list(dict.fromkeys(offering for _number, offering in rows))

    def write(self) -> None:
        _keep(_POSITION, {"through": self.through, "gaps": self.gaps})


def _read_open() -> set[str]:
    kept = _read(_OPEN)
    return set(kept) if isinstance(kept, list) else set()


def _write_open(ids: Iterable[str]) -> None:
    _keep(_OPEN, sorted(ids))


def _read(name: str) -> Any:
    with suppress(OSError, ValueError):
        return json.loads((settings().data / "index" / name).read_text("utf-8"))
    return None


def _keep(name: str, value: Any) -> None:
    """Whole or not at all: written beside, then moved into place."""
    target = settings().data / "index" / name
    waiting = target.with_suffix(".new")
    waiting.write_text(json.dumps(value), "utf-8")
    waiting.replace(target)

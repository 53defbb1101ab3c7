"""The audit log: append-only, hash-chained, written in the same transaction as the change it tells of.

Each link's digest covers its own facts, a salted commitment to the personal part, and the digest before it. Erasing
a personal part (a right in most jurisdictions) leaves the chain valid; altering or removing a link does not.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from vsm.kit import bulk
from vsm.kit.models import AuditDetail, AuditEvent, AuditHead

_HEAD = AuditHead._meta.db_table


@dataclass(frozen=True)
class Entry:
    """What is to be written: the act, its object, and the erasable part."""

    at: datetime
    actor_id: UUID | None
    actor: str
    via: str
    verb: str
    noun: str
    object_id: UUID
    because: str = ""
    changes: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """What a history page shows of one link; `who`, `because` and `changes` are empty once erased."""

    seq: int
    at: datetime
    who: str
    via: str
    verb: str
    noun: str
    because: str
    changes: Mapping[str, object]
    erased: bool


@bulk.uncollected()
def append(entries: Sequence[Entry]) -> None:
    """Add links at the end. The head row's lock orders concurrent writers, so call this last in a transaction."""
    if not entries:
        return
    if not connection.in_atomic_block:
        raise RuntimeError("An audit entry belongs into the transaction of the change that it tells of.")
    seq, digest = _locked_head()
    events, details = [], []
    salts, last, body = secrets.token_hex(16 * len(entries)), None, ""
    for number, entry in enumerate(entries):
        salt = salts[32 * number : 32 * number + 32]
        if last is None or (entry.actor, entry.because) != (last.actor, last.because) or entry.changes is not last.changes:
            body = json.dumps({"who": entry.actor, "because": entry.because, "changes": entry.changes}, default=str, ensure_ascii=False, sort_keys=True)
        last = entry  # thousands of entries about one act share their words
        link = (seq + 1, entry.at, entry.actor_id, entry.via, entry.verb, entry.noun, entry.object_id, _sha(salt, body), digest)
        seq, digest = seq + 1, _digest_of(*link)
        events.append((*link, digest))
        details.append((seq, salt, body))
    bulk.insert_rows(AuditEvent, ["seq", "at", "actor_id", "via", "verb", "noun", "object_id", "commitment", "previous", "digest"], events)
    bulk.insert_rows(AuditDetail, ["event_id", "salt", "body"], details)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {_HEAD} SET seq = %s, digest = %s WHERE id = 1", [seq, digest])  # noqa: S608 -- our own table


def history(objects: Iterable[tuple[str, UUID]]) -> list[Told]:
    """The links about these objects, newest first."""
    wanted = list(objects)
    found = AuditEvent.objects.filter(object_id__in=[object_id for _, object_id in wanted]).select_related("detail").order_by("-seq")
    nouns = {(noun, object_id) for noun, object_id in wanted}
    return [_told(event) for event in found if (event.noun, event.object_id) in nouns]


def verify() -> list[str]:
    """Walk the whole chain; each fault named with its place. An empty list means whole."""
    faults: list[str] = []
    previous, expected = "", 0
    for event in AuditEvent.objects.select_related("detail").order_by("seq").iterator(chunk_size=2000):
        expected += 1
        faults += [f"{event.seq}: {fault}" for fault in _faults(event, expected, previous)]
        previous, expected = event.digest, event.seq
    head = AuditHead.objects.filter(pk=1).first()
    if head and (head.seq, head.digest) != (expected, previous):
        faults.append(f"{expected}: the chain ends before its recorded head {head.seq}")
    return faults


def erase(seqs: Iterable[int]) -> int:
    """Forget the personal part of these links; the chain itself stays. Returns how many were forgotten."""
    return AuditDetail.objects.filter(event_id__in=list(seqs)).delete()[0]


def _locked_head() -> tuple[int, str]:
    """Where the chain ends. At every act: the statements stand here as they are, for the ORM takes longer to put them together
    than the database to answer them."""
    ask = f"SELECT seq, digest FROM {_HEAD} WHERE id = 1{' FOR UPDATE' if connection.features.has_select_for_update else ''}"  # noqa: S608 -- our own table
    with connection.cursor() as cursor:
        cursor.execute(ask)
        found: tuple[int, str] | None = cursor.fetchone()
        if found is None:
            # The first two writers ever may both come here: one row is made, and both then queue for its lock.
            AuditHead.objects.bulk_create([AuditHead(pk=1)], ignore_conflicts=True)
            cursor.execute(ask)
            found = cursor.fetchone()
    if found is None:
        raise RuntimeError("The head of the audit chain was made and is not there.")
    return found


def _faults(event: AuditEvent, expected: int, previous: str) -> Iterator[str]:
    if event.seq != expected:
        yield f"gap: expected link {expected}"
    if event.previous != previous:
        yield "does not follow the link before it"
    if event.digest != _digest(event):
        yield "altered"
    detail = getattr(event, "detail", None)
    if detail is not None and _sha(detail.salt, detail.body) != event.commitment:
        yield "detail altered"


def _told(event: AuditEvent) -> Told:
    detail = getattr(event, "detail", None)
    body: dict[str, Any] = json.loads(detail.body) if detail else {"who": "", "because": "", "changes": {}}
    return Told(
        event.seq, event.at, body["who"], event.via, event.verb, event.noun, body["because"], body["changes"], erased=detail is None
    )


def _digest(event: AuditEvent) -> str:
    return _digest_of(event.seq, event.at, event.actor_id, event.via, event.verb, event.noun, event.object_id, event.commitment, event.previous)


def _digest_of(seq: int, at: datetime, actor_id: UUID | None, via: str, verb: str, noun: str, object_id: UUID, commitment: str, previous: str) -> str:
    return _sha(str(seq), f"{at.timestamp():.6f}", str(actor_id), via, verb, noun, str(object_id), commitment, previous)


def _sha(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


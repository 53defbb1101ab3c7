"""The backup drill: take backups while somebody writes without a pause, restore elsewhere, compare."""

import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
from django.db import connection

from vsm.config import settings
from vsm.exchange.institutions.actions import add_unit
from vsm.exchange.institutions.models import Organisation
from vsm.kit import audit, files
from vsm.kit.actors import SYSTEM
from vsm.kit.backup import Source, make, put_in_place, unpack
from vsm.kit.models import AuditEvent

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


def drill(backups: int) -> dict[str, Any]:
    """Each backup must hold all that was acknowledged before it began."""
    own = settings()
    place = Organisation(name={"en": "University of Lima"}, schac="lima.example", country="PE", zone="America/Lima")
    place.save()
    digest = files.put(b"a transcript")
    source = Source.of(own.data, own.database_url)
    acknowledged: list[str] = []
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            code = f"u{len(acknowledged)}"
            add_unit(place, by=SYSTEM, now=NOW, code=code, name={"en": "x" * 500})
            acknowledged.append(code)
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    results = []
    try:
        for number in range(backups):
            while len(acknowledged) < 20 * (number + 1):
                stop.wait(0.01)
            before = len(acknowledged)
            made = make(source, own.data / "backups", now=NOW.replace(minute=number), version="test")
            results.append((made.path, before, len(acknowledged)))
    finally:
        stop.set()
        writer.join()
    return {"written": len(acknowledged), "drills": [_restored(path, own.data / f"elsewhere-{number}", before, digest) | {"during": after - before} for number, (path, before, after) in enumerate(results)]}


def _restored(archive: Path, elsewhere: Path, before: int, digest: str) -> dict[str, Any]:
    target = Source(elsewhere, _fresh_database()) if settings().is_postgres else Source.of(elsewhere, "")
    unpacked = elsewhere.with_suffix(".unpacked")
    unpacked.mkdir()
    manifest = unpack(archive, unpacked)
    put_in_place(unpacked, target, now=NOW, force=False)
    codes = _codes(target)
    return {
        "missing": len({f"u{number}" for number in range(before)} - codes),
        "before": before, "audit_seq": manifest["audit"]["seq"],
        "file": (elsewhere / "files" / digest[:2] / digest).read_bytes() == b"a transcript",
        "data": str(elsewhere), "database": target.database if target.is_postgres else "",
    }  # fmt: skip


def chain() -> dict[str, Any]:
    """The audit chain of the data that this process sees, walked by the program itself."""
    return {"links": AuditEvent.objects.count(), "faults": audit.verify()}


def _codes(target: Source) -> set[str]:
    question = "SELECT code FROM institutions_unit"
    if target.is_postgres:
        with psycopg.connect(target.database) as database:
            return {row[0] for row in database.execute(question)}
    with closing(sqlite3.connect(target.database)) as database:
        return {row[0] for row in database.execute(question)}


def _fresh_database() -> str:
    """Another database on the same server; it is dropped with a name that starts like ours."""
    address = settings().database_url
    name = f"{urlsplit(address).path.lstrip('/')}_{uuid4().hex[:6]}"
    with psycopg.connect(address, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    return urlunsplit(urlsplit(address)._replace(path=f"/{name}"))

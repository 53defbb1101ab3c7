"""Backups that restore: one archive with the database, the files and the keys, and a manifest that proves them.

A live SQLite file is never copied: copies made under writes are corrupt. `VACUUM INTO` gives a consistent snapshot
while others write. The database is taken first and the files after it: files are only ever added, so every file that
the snapshot names is there. PostgreSQL is dumped by its own `pg_dump`.
"""

import gzip
import hashlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg

from vsm.kit.errors import Invalid, Refused, Unavailable
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

FORMAT = 1
DATABASE, DUMP, MANIFEST = "vsm.sqlite3", "vsm.dump", "manifest.json"
AUDIT_HEAD = "SELECT seq, digest FROM kit_audithead WHERE id = 1"
KEPT = ("files", "keys", "observatory", "secret-key", "demo.json")  # what of the data folder cannot be made again
PREFIX = "vsm-backup-"


@dataclass(frozen=True)
class Source:
    """What is backed up: the data folder and the database (a file, or a postgresql:// address)."""

    data: Path
    database: str

    @classmethod
    def of(cls, data: Path, database_url: str) -> "Source":
        return cls(data, database_url.removeprefix("sqlite:///") or str(data / DATABASE))

    @property
    def is_postgres(self) -> bool:
        return self.database.startswith(("postgres://", "postgresql://"))


@dataclass(frozen=True)
class Backup:
    path: Path
    size: int
    entries: int
    audit_seq: int


def make(source: Source, to: Path, *, now: datetime, version: str, keep: int = 14) -> Backup:
    """Write one archive into `to` under a name that appears only when it is complete; the `keep` newest stay.

    Raises `Unavailable` when a program or the database is missing.
    """
    to.mkdir(parents=True, exist_ok=True)
    path = to / f"{PREFIX}{now:%Y%m%dT%H%M%SZ}.tar.gz"
    with tempfile.TemporaryDirectory(dir=to, prefix=".making-") as work:
        snapshot, head = _snapshot(source, Path(work))
        members = [(snapshot.name, snapshot), *_kept_files(source.data)]
        partial = Path(work) / "archive"
        digests = _write(partial, members, {"format": FORMAT, "made_at": now.isoformat(), "version": version, "audit": head})
        partial.chmod(0o600)  # it holds keys
        partial.replace(path)
    _sync(to)
    for old in sorted(to.glob(f"{PREFIX}*.tar.gz"))[:-keep]:
        old.unlink()
    return Backup(path, path.stat().st_size, len(digests), head["seq"])


def unpack(archive: Path, into: Path) -> dict[str, Any]:
    """Unpack into an empty folder and check every digest and the database's own integrity. Returns the manifest.

    Raises `Invalid` with every fault: nothing unpacked may be used then, so `into` lies apart from what would be replaced.
    """
    try:
        with gzip.open(archive) as whole:
            with tarfile.open(fileobj=whole, mode="r|") as tar:
                tar.extractall(into, filter="data")
            while whole.read(2**20):  # to its end, where gzip's own checksum stands: tar stops before it
                pass
        # Python takes a stream that breaks between two entries for one that ends there.
        if not (into / MANIFEST).is_file():
            raise Invalid(Reason("not-a-backup", N_("%(file)s is damaged, or no backup: its manifest.json is missing. Fetch it once more, or take an older one."), {"file": archive.name}))
        manifest: dict[str, Any] = json.loads((into / MANIFEST).read_text("utf-8"))
    except FileNotFoundError as cause:
        raise Invalid(Reason("no-such-file", N_("There is no file %(file)s."), {"file": str(archive)})) from cause
    except (OSError, EOFError, ValueError, OverflowError, tarfile.TarError, zlib.error) as cause:
        raise Invalid(Reason("not-a-backup", N_("%(file)s is not a readable backup: %(cause)s."), {"file": archive.name, "cause": str(cause)})) from cause
    if manifest.get("format") != FORMAT:
        raise Invalid(Reason("format", N_("This backup has a form that this version does not know.")))
    Invalid.because([*_digest_faults(into, manifest["digests"]), *_database_faults(into, manifest["audit"])])
    return manifest


def put_in_place(unpacked: Path, target: Source, *, now: datetime, force: bool) -> Path | None:
    """Move checked contents to where they belong. What was there before is moved aside, never deleted.

    Returns the folder that holds it, None when there was nothing. Raises `Refused` without `force` when there was.
    """
    if not force:
        must_be_empty(target)
    there = _there(target)
    aside = target.data / f"replaced-{now:%Y%m%dT%H%M%SZ}"
    target.data.mkdir(parents=True, exist_ok=True)
    for path in there:
        aside.mkdir(mode=0o700, exist_ok=True)
        path.replace(aside / path.name)
    _close(unpacked / "keys")
    for name in KEPT:
        if (unpacked / name).exists():
            shutil.move(unpacked / name, target.data / name)
    _restore_database(unpacked, target)
    _sync(target.data)
    return aside if there else None


def must_be_empty(target: Source) -> None:
    """Raises `Refused` when there are data. It takes no time, so whoever restores asks it also before anything is unpacked."""
    if _there(target) or (target.is_postgres and _has_tables(target.database)):
        raise Refused(
            Reason("not-empty", N_("There are data in %(place)s already. With --force they are moved aside and replaced."), {"place": str(target.data)})
        )


def _there(target: Source) -> list[Path]:
    there = [target.data / name for name in (*KEPT, DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm") if (target.data / name).exists()]
    return [path for path in there if path.name != "secret-key"] and there  # a lone fresh secret is no data


def _snapshot(source: Source, work: Path) -> tuple[Path, dict[str, Any]]:
    """The database as it is at one moment, and where its audit log ends then."""
    if source.is_postgres:
        return _dump(source.database, work)
    if not Path(source.database).is_file():
        raise Unavailable(Reason("no-database", N_("There is no database in %(place)s yet."), {"place": str(source.data)}))
    copy = work / DATABASE
    with closing(sqlite3.connect(source.database, timeout=60)) as database:
        database.execute("VACUUM INTO ?", (str(copy),))
    with closing(sqlite3.connect(copy)) as database:
        return copy, _audit_head(database.execute(AUDIT_HEAD).fetchone())


def _dump(address: str, work: Path) -> tuple[Path, dict[str, Any]]:
    program = shutil.which("pg_dump")
    if program is None:
        raise Unavailable(Reason("pg-dump", N_("pg_dump is missing here. Install it (Debian: apt install postgresql-client).")))
    dump = work / DUMP
    with psycopg.connect(address) as database:
        # pg_dump looks at the database through this transaction's eyes, while others write.
        database.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        [seen] = database.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
        head = _audit_head(database.execute(AUDIT_HEAD).fetchone())
        _run([program, "--format=custom", "--no-owner", f"--snapshot={seen}", f"--file={dump}", f"--dbname={address}"])
    return dump, head


def _kept_files(data: Path) -> Iterator[tuple[str, Path]]:
    for name in KEPT:
        place = data / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix != ".part":
                yield path.relative_to(data).as_posix(), path


def _audit_head(row: tuple[Any, ...] | None) -> dict[str, Any]:
    return {"seq": row[0], "digest": row[1]} if row else {"seq": 0, "digest": ""}


def _write(partial: Path, members: list[tuple[str, Path]], facts: Mapping[str, Any]) -> dict[str, str]:
    digests: dict[str, str] = {}
    with partial.open("wb") as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar:
            for name, path in members:
                digests[name] = _digest(path)
                tar.add(path, name, recursive=False)
            text = json.dumps({**facts, "digests": digests}, indent=1).encode()
            entry = tarfile.TarInfo(MANIFEST)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
        file.flush()
        os.fsync(file.fileno())
    return digests


def _digest_faults(folder: Path, digests: Mapping[str, str]) -> Iterator[Reason]:
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {MANIFEST}
    for name in sorted(set(digests) - present):
        yield Reason("missing", N_("%(name)s is missing from the backup."), {"name": name})
    for name in sorted(present - set(digests)):
        yield Reason("foreign", N_("%(name)s does not belong to the backup."), {"name": name})
    for name in sorted(present & set(digests)):
        if _digest(folder / name) != digests[name]:
            yield Reason("altered", N_("%(name)s is not what was backed up."), {"name": name})


def _database_faults(folder: Path, head: Mapping[str, Any]) -> Iterator[Reason]:
    path = folder / DATABASE
    if not path.exists():
        if not (folder / DUMP).exists():
            yield Reason("no-database", N_("The backup holds no database."))
        return
    try:
        with closing(sqlite3.connect(path)) as database:
            said = database.execute("PRAGMA integrity_check").fetchone()[0]
            row = database.execute(AUDIT_HEAD).fetchone()
    except sqlite3.DatabaseError as cause:
        yield Reason("integrity", N_("The database in the backup is damaged: %(cause)s."), {"cause": str(cause)})
        return
    if said != "ok":
        yield Reason("integrity", N_("The database in the backup is damaged: %(cause)s."), {"cause": str(said)})
    if row and (row[0], row[1]) != (head["seq"], head["digest"]):
        yield Reason("audit-head", N_("The audit log in the backup does not end where the manifest says."))


def _restore_database(unpacked: Path, target: Source) -> None:
    if target.is_postgres != (unpacked / DUMP).exists():
        raise Refused(Reason("engine", N_("This backup is of the other kind of database. Set DATABASE_URL to match it.")))
    if not target.is_postgres:
        shutil.move(unpacked / DATABASE, target.database)
        return
    program = shutil.which("pg_restore")
    if program is None:
        raise Unavailable(Reason("pg-restore", N_("pg_restore is missing here. Install it (Debian: apt install postgresql-client).")))
    _run([program, "--clean", "--if-exists", "--no-owner", "--single-transaction", f"--dbname={target.database}", str(unpacked / DUMP)])


def _close(keys: Path) -> None:
    """To nobody but their owner: an archive holds files, and unpacking makes the folders around them for everybody."""
    for path in (keys, *keys.rglob("*")) if keys.exists() else ():
        path.chmod(path.stat().st_mode & 0o700)


def _has_tables(address: str) -> bool:
    with psycopg.connect(address) as live:
        row = live.execute("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'").fetchone()
    return bool(row and row[0])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- a program found by us, arguments of ours
    if done.returncode:
        raise Unavailable(Reason("database-program", N_("%(program)s failed: %(cause)s."), {"program": Path(command[0]).name, "cause": done.stderr.strip()[-500:]}))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

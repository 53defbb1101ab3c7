"""Is every part well? Each check gives one line: what was found and, when it is not well, what to do."""

import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from importlib.resources import files
from pathlib import Path
from typing import Any
from zoneinfo import TZPATH

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from vsm.kit import audit
from vsm.kit.backup import PREFIX
from vsm.kit.models import Heartbeat, Job, JobState, Message

SEEN_LATELY = timedelta(seconds=30)
OVERDUE = timedelta(minutes=5)
BACKUP_AGE = timedelta(days=2)
WARN_FREE, FAIL_FREE = 2 * 2**30, 200 * 2**20


class Outcome(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Check:
    """`advice` says what to do; it is empty when all is well."""

    name: str
    outcome: Outcome
    found: str
    advice: str = ""


def examine(data: Path, now: datetime) -> Iterator[Check]:
    """Every check of the kit, in order. When the database does not answer, what depends on it is left out."""
    yield (answer := database())
    if answer.outcome is not Outcome.FAIL:
        yield migrations()
        yield _readable("worker", lambda: worker(now))
        yield _readable("jobs", lambda: jobs(now))
        yield _readable("letters", letters)
        yield _readable("audit log", audit_chain)
    yield from (disk(data), time_zones(), secrets(data), backups(data, now))


def database() -> Check:
    """It answers, and with the promises that we count on: asserted back, because a wrong pragma fails silently."""
    try:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                return _postgres(cursor)
            found = {name: cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")}
            said = cursor.execute("PRAGMA quick_check(1)").fetchone()[0]
    except Error as cause:
        return Check("database", Outcome.FAIL, f"does not answer: {cause}".strip(), "Look at DATABASE_URL and at the server, or run `vsm migrate`.")
    if said != "ok":
        return Check("database", Outcome.FAIL, f"damaged: {said}", "Stop everything and restore the newest backup: `vsm restore FILE --force`.")
    if found["journal_mode"] not in {"wal", "memory"} or (found["synchronous"], found["foreign_keys"]) != (2, 1):
        return Check("database", Outcome.FAIL, f"SQLite runs with {found}", "It must run with WAL, synchronous=FULL and foreign keys: is the disk a network share? Use a local one.")
    return Check("database", Outcome.OK, "SQLite, WAL, synchronous=FULL, foreign keys")


def migrations() -> Check:
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        return Check("migrations", Outcome.FAIL, f"{len(waiting)} not applied", "Run `vsm migrate`.")
    return Check("migrations", Outcome.OK, "all applied")


def worker(now: datetime) -> Check:
    newest = Heartbeat.objects.order_by("-at").first()
    if newest is None:
        return Check("worker", Outcome.WARN, "none was ever seen", "Start one: `vsm worker` (`vsm up` does it by itself).")
    if now - newest.at > SEEN_LATELY:
        return Check("worker", Outcome.WARN, f"last seen {newest.at:%Y-%m-%d %H:%M:%S} UTC", "Start it again: `vsm worker`. Until then no mail leaves.")
    return Check("worker", Outcome.OK, f"{newest.worker} was seen {int((now - newest.at).total_seconds())} s ago")


def jobs(now: datetime) -> Check:
    dead = Job.objects.filter(state=JobState.DEAD).count()
    late = Job.objects.filter(state=JobState.READY, run_at__lt=now - OVERDUE).count()
    if dead:
        return Check("jobs", Outcome.WARN, f"{dead} parked after repeated failures, {late} overdue", "See why: `vsm outbox`; then `vsm outbox --revive`.")
    if late:
        return Check("jobs", Outcome.WARN, f"{late} overdue by more than {OVERDUE.seconds // 60} minutes", "Is a worker running? Start another one.")
    return Check("jobs", Outcome.OK, "none parked, none overdue")


def letters() -> Check:
    failed = Message.objects.filter(state=Message.State.FAILED).count()
    if failed:
        return Check("letters", Outcome.WARN, f"{failed} could not be sent", "See them: `vsm outbox`.")
    return Check("letters", Outcome.OK, f"{Message.objects.filter(state=Message.State.WAITING).count()} waiting, none failed")


def audit_chain() -> Check:
    faults = audit.verify()
    if faults:
        return Check("audit log", Outcome.FAIL, f"broken at {'; '.join(faults[:3])}", "Somebody changed the log past the program. Keep a copy of the database and compare it with your backups.")
    return Check("audit log", Outcome.OK, "whole")


def disk(data: Path) -> Check:
    usage = shutil.disk_usage(data)
    found = f"{usage.free / 2**30:.1f} GiB free at {data}"
    if usage.free < FAIL_FREE:
        return Check("disk", Outcome.FAIL, found, "Make room now: when a disk is full even deleting fails.")
    if usage.free < WARN_FREE:
        return Check("disk", Outcome.WARN, found, "Make room soon, or move the data to a larger disk.")
    return Check("disk", Outcome.OK, found)


def time_zones() -> Check:
    """Governments change clocks at short notice; the system's tz database is asked before the package's."""
    system, packaged = _system_tz(), _version_of(files("tzdata").joinpath("zoneinfo", "tzdata.zi").read_text("utf-8"))
    if system and system < packaged:
        return Check(
            "time zones", Outcome.WARN, f"the system has {system}, the package {packaged}",
            "Update the system's tzdata, or set PYTHONTZPATH to an empty value so that the package's is used.",
        )  # fmt: skip
    return Check("time zones", Outcome.OK, f"tz database {system or packaged}")


def secrets(data: Path) -> Check:
    """Nobody but their owner may read the keys."""
    places = [data / "secret-key", *((data / "keys").rglob("*") if (data / "keys").is_dir() else ()), data / "keys"]
    open_ones = [path for path in places if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077]
    if open_ones:
        return Check("secrets", Outcome.FAIL, f"others may read {', '.join(_names(open_ones, data))}", f"Take the rights away: chmod -R go= {data}/keys {data}/secret-key")
    return Check("secrets", Outcome.OK, "only their owner may read them")


def backups(data: Path, now: datetime) -> Check:
    newest = max((path.stat().st_mtime for path in (data / "backups").glob(f"{PREFIX}*.tar.gz")), default=None)
    if newest is None:
        return Check("backups", Outcome.WARN, "there is none in the data folder", "Make one: `vsm backup`, each day, to another disk: `vsm backup --to DIR`.")
    age = now - datetime.fromtimestamp(newest, now.tzinfo)
    if age > BACKUP_AGE:
        return Check("backups", Outcome.WARN, f"the newest is {age.days} days old", "Have `vsm backup` run each day.")
    return Check("backups", Outcome.OK, f"the newest is {int(age.total_seconds() // 3600)} hours old")


def _readable(name: str, check: Callable[[], Check]) -> Check:
    """The check, or the failure to read its table: the schema may be another version's."""
    try:
        return check()
    except Error as cause:
        return Check(name, Outcome.FAIL, f"cannot be read: {cause}".strip(), "Run `vsm migrate`.")


def _postgres(cursor: Any) -> Check:
    found = {}
    for name in ("server_version_num", "synchronous_commit", "server_encoding"):
        cursor.execute(f"SHOW {name}")
        found[name] = cursor.fetchone()[0]
    if int(found["server_version_num"]) < 150000:
        return Check("database", Outcome.FAIL, f"PostgreSQL {found['server_version_num']}", "Use PostgreSQL 15 or newer.")
    if found["synchronous_commit"] == "off" or found["server_encoding"] != "UTF8":
        return Check("database", Outcome.FAIL, f"PostgreSQL runs with {found}", "Set synchronous_commit=on; create the database with ENCODING 'UTF8'.")
    return Check("database", Outcome.OK, f"PostgreSQL {int(found['server_version_num']) // 10000}, synchronous_commit={found['synchronous_commit']}, UTF8")


def _system_tz() -> str:
    """The version of the first tz database that Python would read; empty when the package's is used."""
    for folder in TZPATH:
        if not Path(folder, "UTC").exists():
            continue
        for name in ("+VERSION", "tzdata.zi"):
            try:
                return _version_of(Path(folder, name).read_text("utf-8"))
            except OSError:
                continue
        return ""
    return ""


def _version_of(text: str) -> str:
    return text.split("\n", 1)[0].removeprefix("# version ").strip()


def _names(paths: Iterable[Path], data: Path) -> list[str]:
    return sorted(path.relative_to(data).as_posix() for path in paths)

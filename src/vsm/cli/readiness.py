"""Whether everything is ready since the last time, answered in milliseconds and without loading the records.

`migrate` notes a fingerprint of all that its steps depend on. On SQLite the database itself is asked too, because a
file can be exchanged under us; on PostgreSQL the steps always run.
"""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

from vsm.config import ROOT, Settings

DEMO_FILE, READY_FILE = "demo.json", "ready.json"


def is_ready(own: Settings) -> bool:
    """Whether `migrate` would find nothing to do."""
    try:
        noted = json.loads((own.data / READY_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return bool(noted == _state(own) and noted["migrations"])


def note_ready(own: Settings) -> None:
    (own.data / READY_FILE).write_text(json.dumps(_state(own)), "utf-8")


def forget_ready(data: Path) -> None:
    """The next start looks at everything again (after a restore)."""
    (data / READY_FILE).unlink(missing_ok=True)


def demo_accounts(own: Settings) -> list[dict[str, str]]:
    """Who can sign in to the demo world, or nothing when these data are no demo."""
    try:
        accounts: list[dict[str, str]] = json.loads((own.data / DEMO_FILE).read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return accounts


def folder_problem(data: Path) -> str:
    """Why nothing can be kept in this data folder, in one line; empty when it can. Makes the folder."""
    probe = data / ".writable"
    try:
        data.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as cause:
        return f"The data folder {data} cannot be written: {cause.strerror}. Choose another: --data DIR, or the setting VSM_DATA."
    return ""


def _state(own: Settings) -> dict[str, object]:
    return {
        "sources": _fingerprint(),
        "database": hashlib.sha256(own.database_url.encode()).hexdigest(),
        "migrations": 0 if own.is_postgres else _applied(own),
        "index": (own.data / "index").is_dir(),
    }


def _fingerprint() -> str:
    """Of every file that translations, migrations, static files and the index's layout are made from."""
    package = ROOT / "src" / "vsm"
    lock = ROOT / "requirements.lock"
    made_from = [*package.rglob("migrations/*.py"), *package.rglob("static/**/*.*"), *package.rglob("*.po"), *package.glob("exchange/catalogue/*.py")]
    lines = sorted(f"{path.relative_to(ROOT)} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in [*made_from, *([lock] if lock.exists() else [])])
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _applied(own: Settings) -> int:
    path = own.database_url.removeprefix("sqlite:///") or str(own.data / "vsm.sqlite3")
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as database:
            return int(database.execute("SELECT count(*) FROM django_migrations").fetchone()[0])
    except sqlite3.Error:
        return 0

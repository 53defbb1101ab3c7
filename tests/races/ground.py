"""A database of its own for tests that need real commits: a SQLite file, or a fresh PostgreSQL database.

A scenario runs in a process of its own on that database, with the settings of production (WAL, FULL, IMMEDIATE), and
answers with JSON. So a killed process, a race and a lost lease are real, and no other test sees what they leave.
"""

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from select import select
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest

from vsm.kit.backup import DATABASE

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 600.0  # seconds for a scenario
Play = Callable[..., dict[str, Any]]
SPARE: list[str] = []  # databases of PostgreSQL whose test is over: the next one wipes and takes it


@pytest.fixture
def environment(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a process that works on the throw-away database, which has no tables yet, unless there is a `play`."""
    tables = request.getfixturevalue("tables") if "play" in request.fixturenames else None
    with _ground(tmp_path, tables) as own:
        yield own


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A database with every table and no row, made once by each worker of the suite: others begin as its copy."""
    with _ground(tmp_path_factory.mktemp("tables")) as own:
        ran(own, "tests.races.stage:prepare")
        yield own
        if SPARE:
            _drop(os.environ["DATABASE_URL"], *SPARE)
            SPARE.clear()


@pytest.fixture
def play(tables: dict[str, str], environment: dict[str, str]) -> Play:
    """`play("module:function", seed=1, …)` runs the scenario on a database with tables and gives what it answers.

    A further scenario finds what the one before it left, unless it asks for the tables `anew`.
    """
    def run(scenario: str, *, anew: bool = False, **options: Any) -> dict[str, Any]:
        if anew:
            _copy(tables, environment)
        answer: dict[str, Any] = ran(environment, scenario, **options)
        print(scenario, options, answer)
        return answer

    return run


@contextmanager
def _ground(data: Path, tables: dict[str, str] | None = None) -> Iterator[dict[str, str]]:
    address = os.environ.get("DATABASE_URL", "")
    name = f"vsm_ground_{uuid4().hex[:12]}"
    own = {**os.environ, "VSM_DATA": str(data), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "DJANGO_SETTINGS_MODULE": "vsm.app.settings", "VSM_REQUIRE": ""}
    if not address.startswith("postgres"):
        own["DATABASE_URL"] = ""
        if tables:
            _copy(tables, own)
        yield own
        return
    name = SPARE.pop() if tables and SPARE else name
    own["DATABASE_URL"] = urlunsplit(urlsplit(address)._replace(path=f"/{name}"))
    try:
        if tables:
            _copy(tables, own)
        else:
            with psycopg.connect(address, autocommit=True) as server:
                server.execute(f'CREATE DATABASE "{name}"')
        yield own
    finally:
        if tables:
            SPARE.append(name)
        _drop(address, f"{name}_%" if tables else f"{name}%")  # the first: what a test made beside it


def _drop(address: str, *like: str) -> None:
    with psycopg.connect(address, autocommit=True) as server:
        for (made,) in server.execute("SELECT datname FROM pg_database WHERE datname LIKE ANY(%s)", [[*like]]).fetchall():
            server.execute(f'DROP DATABASE "{made}" WITH (FORCE)')


def _copy(source: dict[str, str], target: dict[str, str]) -> None:
    if not source["DATABASE_URL"]:
        for rest in Path(target["VSM_DATA"]).glob(f"{DATABASE}*"):  # also the journal of a process that was killed
            rest.unlink()
        shutil.copy(Path(source["VSM_DATA"]) / DATABASE, Path(target["VSM_DATA"]) / DATABASE)
        return
    held, wanted = (urlsplit(own["DATABASE_URL"]).path.strip("/") for own in (source, target))
    try:
        _wipe(source["DATABASE_URL"], target["DATABASE_URL"])
    except psycopg.Error:  # it does not exist yet, or a test left other tables there
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
            server.execute(f'DROP DATABASE IF EXISTS "{wanted}" WITH (FORCE)')
            server.execute(f'CREATE DATABASE "{wanted}" TEMPLATE "{held}"')


def _wipe(source: str, target: str) -> None:
    """The rows of a database become those of the other, which has the same tables: copying their thousand files takes a second."""
    tables, rows, numbers, guards = _held(source)
    with psycopg.connect(target) as there:
        there.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        there.execute("SET session_replication_role = replica")  # neither foreign keys nor the audit log's own guard
        if (_tables_of(there), {*_numbers_of(there)}, _guards_of(there)) != (tables, {*numbers}, guards):
            raise psycopg.ProgrammingError("other tables, or a control has taken a constraint away")
        there.execute("; ".join(f'DELETE FROM "{name}"' for name in tables))
        for name, held in rows.items():
            with there.cursor().copy(f'COPY "{name}" FROM STDIN') as copy:
                copy.write(held)
        for name, last in numbers.items():
            there.execute("SELECT setval(%s, %s, %s)", [f'"{name}"', last or 1, last is not None])


@cache
def _held(source: str) -> tuple[list[str], dict[str, bytes], dict[str, int | None], set[str]]:
    """Tables, rows of those that have any (Django's own), the last number of each sequence, and what guards the tables."""
    with psycopg.connect(source) as here:
        tables = _tables_of(here)
        rows = {name: _copied(here, name) for name in tables if here.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone()}
        return tables, rows, _numbers_of(here), _guards_of(here)


def _copied(database: "psycopg.Connection[Any]", table: str) -> bytes:
    with database.cursor().copy(f'COPY "{table}" TO STDOUT') as copy:
        return b"".join(copy)


def _tables_of(database: "psycopg.Connection[Any]") -> list[str]:
    return [name for (name,) in database.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename").fetchall()]


def _numbers_of(database: "psycopg.Connection[Any]") -> dict[str, int | None]:
    return dict(database.execute("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public'").fetchall())


def _guards_of(database: "psycopg.Connection[Any]") -> set[str]:
    """Constraints, indexes and triggers by their names."""
    asked = """SELECT conname::text FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT indexname::text FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT tgname::text FROM pg_trigger WHERE NOT tgisinternal"""
    return {name for (name,) in database.execute(asked).fetchall()}


def ran(own: dict[str, str], scenario: str, **options: Any) -> Any:
    """What the scenario answers, in a process of that environment."""
    with TemporaryDirectory(prefix="vsm-stage-") as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        _stage().begins(environment=own, scenario=scenario, options=options, out=str(out), err=str(err))
        code = _stage().ended(PATIENCE)
        assert code == 0, err.read_text("utf-8")[-4000:]
        return json.loads(out.read_text("utf-8").splitlines()[-1])


def killed(own: dict[str, str], scenario: str, *, after: float, **options: Any) -> str:
    """Kills the scenario so many seconds after it has told a line on its error stream, unless it has ended; gives that line."""
    with TemporaryDirectory(prefix="vsm-stage-") as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        _stage().begins(environment=own, scenario=scenario, options=options, out=str(out), err=str(err))
        end = time.monotonic() + PATIENCE
        while not (err.exists() and err.read_bytes().endswith(b"\n")):
            assert time.monotonic() < end, "it told nothing"
            time.sleep(0.002)
        code = _stage().ended(after)
        said = err.read_text("utf-8")
        assert code in (0, -signal.SIGKILL), said[-4000:]
        return said.splitlines()[0]


class Stage:
    """The program, loaded once and forked for each scenario (see stage.py)."""

    def __init__(self) -> None:
        self.folder = TemporaryDirectory(prefix="vsm-stage-")  # what it would write to itself: nothing is expected there
        own = {**os.environ, "VSM_DATA": self.folder.name, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "DJANGO_SETTINGS_MODULE": "vsm.app.settings"}
        self.process = subprocess.Popen([sys.executable, "-m", "tests.races.stage"], env=own, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdin
        assert self.process.stdout
        self.asked, self.told = self.process.stdin, self.process.stdout
        atexit.register(self.ends)

    def begins(self, **asked: Any) -> int:
        """The process that plays."""
        print(json.dumps(asked), file=self.asked, flush=True)
        self.pid = int(json.loads(self.told.readline())["pid"])
        return self.pid

    def ended(self, patience: float) -> int:
        """Its exit code, once it has ended; after so many seconds it is killed."""
        if not select([self.told], [], [], patience)[0]:
            os.kill(self.pid, signal.SIGKILL)
        return int(json.loads(self.told.readline())["code"])

    def ends(self) -> None:
        self.process.communicate()
        self.folder.cleanup()


@cache
def _stage() -> Stage:
    return Stage()

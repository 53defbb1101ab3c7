"""The demo world, made once a run and copied from then on: by each worker of either engine and for each folder of tests.

It is made on SQLite by the first start of the program (tests/first_start.py). PostgreSQL reads its rows, and refuses what
does not fit into its columns or leads nowhere. The copy is written inside the transaction of whoever asks, so that it is
rolled back with it.
"""

import fcntl
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connection

from tests.environment import DATA, SHARED
from tests.first_start import tables
from vsm.config import ROOT
from vsm.demo import World
from vsm.kit.bulk import count_rows

HERE = Path(SHARED) / "first-start"


def first_start() -> Path:
    """Where the first start of this run left its `data` and its `world`; made by whoever asks first while the others wait."""
    with alone(HERE):
        if not (HERE / "done").exists():
            (HERE / "world").mkdir()
            command = [sys.executable, "-m", "tests.first_start", str(HERE / "world")]
            played = subprocess.run(command, cwd=ROOT, env=own_environment(VSM_DATA=str(HERE / "data")), capture_output=True, text=True, check=False)
            assert played.returncode == 0, played.stdout + played.stderr
            (HERE / "done").touch()
    return HERE


def own_environment(**more: str) -> dict[str, str]:
    """Ours without what the suite says about its own data: who starts the program anew has none of it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VSM_") and name != "DATABASE_URL"}
    return {**kept, "PYTHONPATH": str(ROOT / "src"), **more}


def the_world() -> World:
    """The world of this run, in the present transaction."""
    kept = first_start() / "world"
    shutil.copytree(kept / "data", DATA, dirs_exist_ok=True)
    for table, columns in tables():
        _load(table, columns, pickle.loads((kept / f"{table}.rows").read_bytes()))
    if connection.vendor == "postgresql":
        _number_on()
    count_rows()
    world: World = pickle.loads((kept / "handles").read_bytes())
    return world


def _load(table: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    names = ", ".join(map(connection.ops.quote_name, columns))
    with connection.cursor() as cursor:
        # What migrations or Django itself put there (content types, permissions) would come twice.
        cursor.execute(f'DELETE FROM "{table}"')
        if connection.vendor == "postgresql":
            with cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(row)
        elif rows:
            cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({", ".join(["%s"] * len(columns))})', rows)


def _number_on() -> None:
    """New rows are numbered from where the copied ones end."""
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            key, table = model._meta.pk, model._meta.db_table
            if key is not None and key.get_internal_type() in {"AutoField", "BigAutoField"}:
                cursor.execute(
                    f"SELECT setval(pg_get_serial_sequence('\"{table}\"', '{key.column}'), (SELECT COALESCE(MAX(\"{key.column}\"), 0) + 1 FROM \"{table}\"), false)"
                )


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One worker at a time; the others wait."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)

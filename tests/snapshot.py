"""The demo world, made once a run and copied from then on: by each worker of the suite and for each folder of tests.

What is kept is what the database gave and the data folder held; both engines read it back within a second. The copy is
written inside the transaction of whoever asks, so that it is rolled back with it.
"""

import fcntl
import os
import pickle
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connection

from tests.environment import DATA, SHARED
from vsm.demo import World, make_world
from vsm.kit.bulk import count_rows

HERE = Path(SHARED) / "world"


def the_world() -> World:
    """The world of this run, in the present transaction; made by whoever asks first while the others wait."""
    with alone(HERE):
        if not (HERE / "done").exists():
            world = make_world(datetime.now(UTC))
            _keep(world)
            return world
    _give_back()
    kept: World = pickle.loads((HERE / "handles").read_bytes())
    return kept


def _keep(world: World) -> None:
    shutil.copytree(DATA, HERE / "data", dirs_exist_ok=True)
    (HERE / "handles").write_bytes(pickle.dumps(world))
    for table, columns in _tables():
        _dump(table, columns, HERE / f"{table}.rows")
    (HERE / "done").touch()


def _give_back() -> None:
    shutil.copytree(HERE / "data", DATA, dirs_exist_ok=True)
    for table, columns in _tables():
        _load(table, columns, HERE / f"{table}.rows")
    if connection.vendor == "postgresql":
        _number_on()
    count_rows()


def _tables() -> list[tuple[str, list[str]]]:
    models = apps.get_models(include_auto_created=True)
    return [(model._meta.db_table, [str(field.column) for field in model._meta.concrete_fields]) for model in models if not model._meta.proxy]


def _dump(table: str, columns: list[str], file: Path) -> None:
    names = ", ".join(map(connection.ops.quote_name, columns))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f'COPY (SELECT {names} FROM "{table}") TO STDOUT') as copy:
                file.write_bytes(b"".join(copy))
        else:
            rows = cursor.execute(f'SELECT {names} FROM "{table}"').fetchall()
            file.write_bytes(pickle.dumps([tuple(map(_as_stored, row)) for row in rows]))


def _load(table: str, columns: list[str], file: Path) -> None:
    names = ", ".join(map(connection.ops.quote_name, columns))
    with connection.cursor() as cursor:
        # What migrations or Django itself put there (content types, permissions) would come twice.
        cursor.execute(f'DELETE FROM "{table}"')
        if connection.vendor == "postgresql":
            with cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
                copy.write(file.read_bytes())
            return
        rows: list[Any] = pickle.loads(file.read_bytes())
        if rows:
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', rows)


def _as_stored(value: object) -> object:
    """SQLite keeps dates and times as text and gives them back as what they mean."""
    return str(value) if isinstance(value, date | time) else value


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

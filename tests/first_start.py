"""The first start of the program with its demo world, as `vsm up` makes it ready, played once a run in a process of its own.

What it leaves is the data folder that the browser's site begins with. Of the world itself a copy is kept as it was when it
had been made, before the index, the Observatory and the worker: from that the tests of both engines begin.
"""

import os
import pickle
import shutil
import sys
from collections.abc import Callable
from datetime import date, datetime, time
from pathlib import Path

from django.apps import apps
from django.db import connection

from vsm.cli import commands


def noting(making: Callable[[datetime], object], folder: Path) -> Callable[[datetime], object]:
    """`making`, after which the folder holds the rows of the world, its files and the handles on it."""

    def made(now: datetime) -> object:
        world = making(now)
        shutil.copytree(os.environ["VSM_DATA"], folder / "data", ignore=shutil.ignore_patterns("*.sqlite3*", "static", "mail"))
        (folder / "handles").write_bytes(pickle.dumps(world))
        keep_rows(folder)
        return world

    return made


def keep_rows(folder: Path) -> None:
    with connection.cursor() as cursor:
        for table, columns in tables():
            names = ", ".join(map(connection.ops.quote_name, columns))
            rows = cursor.execute(f'SELECT {names} FROM "{table}"').fetchall()
            (folder / f"{table}.rows").write_bytes(pickle.dumps([tuple(map(as_stored, row)) for row in rows]))


def tables() -> list[tuple[str, list[str]]]:
    """Every table with its columns."""
    models = apps.get_models(include_auto_created=True)
    return [(model._meta.db_table, [str(field.column) for field in model._meta.concrete_fields]) for model in models if not model._meta.proxy]


def as_stored(value: object) -> object:
    """SQLite keeps dates and times as text and gives them back as what they mean."""
    return str(value) if isinstance(value, date | time) else value


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vsm.app.settings")
    commands.load()
    from vsm import demo

    demo.make_world = noting(demo.make_world, Path(sys.argv[1]))  # type: ignore[assignment]
    sys.exit(commands.main(["migrate", "--demo"]))

"""PostgreSQL is asked every statement of the suite, also those of tests that run on SQLite.

Most of what a second run of a test on PostgreSQL finds is a statement that it refuses: a function, a type, a grouping, a
lock. So each statement that Django makes of a query, when one of its shape is first sent, is put once more, in PostgreSQL's
words and with the same values, to a database there that has every table and no row, and rolled back. What it refuses fails
the test that sent it. Statements that are written by hand (locks, triggers, bulk loading) are each engine's own: the pass
on PostgreSQL asks them.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from django.apps import apps
from django.db import connection
from django.db.models.sql.compiler import SQLCompiler, SQLInsertCompiler
from django.db.utils import ConnectionHandler

from tests.environment import SHARED
from tests.snapshot import alone
from vsm.app.databases import database

# How many values a list has, or a statement rows, makes no other statement.
VALUES, ROWS = re.compile(r"(?:%s|NULL)(?:, (?:%s|NULL))*"), re.compile(r"\(…\)(?:, \(…\))+")


class Refused(AssertionError):
    """PostgreSQL does not take what SQLite took."""


class Echo:
    """A database of PostgreSQL beside the one that a test works on, shared by the workers of a run."""

    def __init__(self, server: str) -> None:
        self.server, self.name = server, f"vsm_echo_{sha256(SHARED.encode()).hexdigest()[:12]}"
        address = urlunsplit(urlsplit(server)._replace(path=f"/{self.name}"))
        self.connections = ConnectionHandler({"default": {**database(address, Path()), "AUTOCOMMIT": False}})
        self.texts: set[str] = set()
        self.shapes: set[str] = set()
        self.compilers: list[SQLCompiler] = []  # the one at work last; it may ask for others first
        self.made = False

    def hears(self, execute: Any, statement: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        """A wrapper for execution (Django: connection.execute_wrapper)."""
        result = execute(statement, params, many, context)
        if self.compilers and statement not in self.texts:
            shape = ROWS.sub("(…)", VALUES.sub("…", statement))
            if shape not in self.shapes:
                self.ask(self.compilers[-1], statement)
            self.texts.add(statement)
            self.shapes.add(shape)
        return result

    def ask(self, compiler: SQLCompiler, taken: str) -> None:
        """Put the compiler's query, whose statement SQLite has taken, to PostgreSQL."""
        if not self.made:
            self._make()
        there = self.connections["default"]
        other = compiler.query.clone().get_compiler(connection=there, elide_empty=compiler.elide_empty)  # type: ignore[attr-defined]  # -- the stubs lack it
        other.using = compiler.using  # whom an update asks first for the rows that it changes
        if isinstance(other, SQLInsertCompiler):
            other.returning_fields = compiler.returning_fields  # type: ignore[attr-defined]
        try:
            made: Any = other.as_sql()  # an insertion can be several
            with there.cursor() as cursor:
                for statement, params in made if isinstance(made, list) else [made]:
                    cursor.execute(statement, params)
        except Exception as refused:
            raise Refused(f"{refused}\nSQLite took: {taken}") from refused
        finally:
            there.rollback()

    def _make(self) -> None:
        """The database with its tables, unless another worker has made it."""
        with alone(Path(SHARED)), psycopg.connect(self.server, autocommit=True) as server:
            there = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self.name]).fetchone()
            if not there:
                server.execute(f'CREATE DATABASE "{self.name}"')
                with self.connections["default"].schema_editor(atomic=False) as editor:
                    for model in apps.get_models():
                        if model._meta.managed and not model._meta.proxy:
                            editor.create_model(model)
                self.connections["default"].commit()
            self.connections["default"].ensure_connection()
        self.made = True

    def ends(self) -> None:
        """The last worker drops the database."""
        if self.made:
            self.connections.close_all()
            with alone(Path(SHARED)), psycopg.connect(self.server, autocommit=True) as server, suppress(psycopg.errors.ObjectInUse):
                server.execute(f'DROP DATABASE IF EXISTS "{self.name}"')


@contextmanager
def heard(echo: Echo) -> Iterator[None]:
    """While this lasts, `echo` hears the statements of every query."""
    plain = {kind: kind.execute_sql for kind in (SQLCompiler, SQLInsertCompiler)}

    def telling(kind: type[SQLCompiler]) -> Any:
        def execute_sql(self: SQLCompiler, *args: Any, **options: Any) -> Any:
            echo.compilers.append(self)
            try:
                return plain[kind](self, *args, **options)
            finally:
                echo.compilers.pop()

        return execute_sql

    for kind in plain:
        kind.execute_sql = telling(kind)  # type: ignore[method-assign]
    connection.execute_wrappers.append(echo.hears)
    try:
        yield
    finally:
        connection.execute_wrappers.remove(echo.hears)
        for kind, was in plain.items():
            kind.execute_sql = was  # type: ignore[method-assign]

"""Trino through Ibis, fitted to what a cluster bears.

Ibis would send every row as a statement of its own (200,000 commits for a release) and put each small table of a question into
the catalog until the process ends. Here many rows share a statement, and a small table is a part of the question.
"""

import math
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import ibis
import pyarrow as pa
import sqlglot as sg
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.trino import TrinoCompiler
from ibis.backends.trino import Backend
from trino.auth import BasicAuthentication

# Trino reads a million characters at once (query.max-length) and plans each row of VALUES by itself.
ROWS, LENGTH = 2_000, 900_000
# Iceberg knows no integers below 32 bits.
STORED = {"int8": "int32", "int16": "int32"}


class Compiler(TrinoCompiler):
    __slots__ = ()

    def visit_InMemoryTable(self, op: Any, *, name: str, schema: Any, data: Any) -> Any:  # noqa: N802 -- Ibis's name
        rows = data.to_pyarrow(schema).to_pylist()
        tuples = [sge.Tuple(expressions=[sge.Var(this=literal(cell)) for cell in row.values()]) for row in rows or [dict.fromkeys(schema.names)]]
        alias = sge.TableAlias(this=sg.to_identifier(name, quoted=True), columns=[sg.to_identifier(each, quoted=True) for each in schema.names])
        typed = [self.cast(sg.column(each, quoted=True), kind).as_(each, quoted=True) for each, kind in schema.items()]
        found = sg.select(*typed).from_(sge.Values(expressions=tuples, alias=alias))
        return found if rows else found.where(sge.false())


class Trino(Backend):
    compiler = Compiler()

    def _register_in_memory_table(self, op: Any) -> None:
        """It is in the question."""

    def _make_memtable_finalizer(self, name: str) -> None:
        """Nothing was left there."""


def connected(address: str) -> Trino:
    """Trino takes a password over TLS alone. The driver asks nothing before the first question, so one is asked here."""
    parts = urlsplit(address)
    user, (catalog, _, schema) = unquote(parts.username or "vsm"), parts.path.strip("/").partition("/")
    told: dict[str, Any] = {"user": user, "host": parts.hostname, "port": parts.port, "database": catalog or None, "schema": schema or None}
    if parts.password:
        told |= {"auth": BasicAuthentication(user, unquote(parts.password)), "http_scheme": "https"}
    found: Trino = Trino().connect(**told)
    found.list_tables()
    return found


def put(engine: Any, name: str, table: pa.Table) -> None:
    """A new table with these rows; whoever fails in between leaves a part of it."""
    kinds = ibis.schema(table.schema)
    engine.create_table(name, schema=ibis.schema({each: STORED.get(str(kind), kind) for each, kind in kinds.items()}))
    for batch in table.to_batches(max_chunksize=ROWS):
        for statement in _inserts(name, batch):
            with engine.begin() as cursor:
                cursor.execute(statement).fetchall()  # fetched to its end: closing what is under way cancels it


def _inserts(name: str, batch: pa.RecordBatch) -> Iterator[str]:
    columns = [map(literal, column.to_pylist()) for column in batch.columns]
    statement = f"INSERT INTO {name} VALUES " + ", ".join(f"({', '.join(row)})" for row in zip(*columns, strict=True))  # noqa: S608 -- of literals
    if len(statement) <= LENGTH or batch.num_rows == 1:
        yield statement
        return
    half = batch.num_rows // 2
    yield from _inserts(name, batch.slice(0, half))
    yield from _inserts(name, batch.slice(half))


def literal(value: Any) -> str:
    """A value as Trino reads it. A number with a point alone would be a decimal, with an exponent it is a double."""
    match value:
        case None:
            return "NULL"
        case int():
            return str(value)
        case float() if math.isnan(value):
            return "nan()"
        case float() if math.isinf(value):
            return "infinity()" if value > 0 else "-infinity()"
        case float():
            return repr(value) if "e" in repr(value) else f"{value!r}E0"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case date() if not isinstance(value, datetime):
            return f"DATE '{value:%Y-%m-%d}'"
    raise TypeError(f"Observations hold no {type(value).__name__}.")

"""Many rows in one statement, prepared once. Django's `bulk_create` assembles the SQL of each row anew and, on SQLite, sends
some forty rows at a time: for an import of 100,000 lines that was half of the time."""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import repeat
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections, models

HEXADECIMAL = 32  # the digits of an identifier as `ids.new_ids` gives it, and as SQLite keeps it
_AS_THEY_ARE = (models.CharField, models.TextField, models.IntegerField)
"""Columns whose values (text without enums, whole numbers) both databases take as they stand."""


@contextmanager
def uncollected() -> Iterator[None]:
    """No search for reference cycles while thousands of values are made that are all in use: it took most of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def roomy() -> Iterator[None]:
    """Let SQLite keep the pages that it is filling in memory (at most 256 MB). With the 2 MB that it takes by itself, each new
    entry of a large index throws out the page that the next one needs."""
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    sqlite: Any = connection.connection  # not through Django: the size is put back also when the transaction is beyond repair
    before = sqlite.execute("PRAGMA cache_size").fetchone()[0]
    sqlite.execute("PRAGMA cache_size = -262144")
    try:
        yield
    finally:
        sqlite.execute(f"PRAGMA cache_size = {int(before)}")


def insert(model: type[models.Model], records: Sequence[Any]) -> None:
    """Insert records that are new and checked already. Raises IntegrityError like the ORM. Needs a transaction around."""
    columns = [column for column in model._meta.concrete_fields if not isinstance(column, models.AutoField)]
    insert_rows(model, [column.attname for column in columns], ([getattr(record, c.attname) for c in columns] for record in records))


def insert_rows(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]], **same: Any) -> None:
    """The same from plain values in the order of `names` (attribute names, so `offering_id` for a foreign key).

    `same` are the columns in which all rows hold one value.
    """
    held = list(zip(*rows, strict=True))
    if held:
        insert_columns(model, dict(zip(names, held, strict=True)), **same)


def insert_columns(model: type[models.Model], held: Mapping[str, Sequence[Any]], **same: Any) -> None:
    """The same from one sequence of values for each column."""
    count = max(map(len, held.values()))
    if not count:
        return
    columns = _columns(model, [*held, *same])
    varied = [_prepared(column)(values) for column, values in zip(columns, held.values(), strict=False)]
    fixed = [repeat(_prepared(column)([value])[0], count) for column, value in zip(columns[len(held) :], same.values(), strict=True)]
    prepared = list(zip(*varied, *fixed, strict=True))
    quote = connection.ops.quote_name
    listed, holes = ", ".join(quote(str(column.column)) for column in columns), ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        # Names come from the models, values go as parameters.
        cursor.executemany(f"INSERT INTO {quote(model._meta.db_table)} ({listed}) VALUES ({holes})", prepared)  # noqa: S608 -- see above


def update_rows(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Set the columns `names` of many rows; each of `rows` is the primary key, then the values. Lock the rows before."""
    held = list(zip(*rows, strict=True))
    if not held:
        return
    columns = _columns(model, [model._meta.pk.attname, *names])
    prepared = zip(*(_prepared(column)(values) for column, values in zip(columns, held, strict=True)), strict=True)
    quote = connection.ops.quote_name
    key, *changed = (quote(str(column.column)) for column in columns)
    settings = ", ".join(f"{name} = %s" for name in changed)
    with connection.cursor() as cursor:
        # Names come from the models, values go as parameters.
        cursor.executemany(f"UPDATE {quote(model._meta.db_table)} SET {settings} WHERE {key} = %s", [[*row[1:], row[0]] for row in prepared])  # noqa: S608 -- see above


def count_rows() -> None:
    """Let PostgreSQL count what this transaction has written so far.

    It does so by itself only after a commit; until then it plans as if every table were empty, and what follows takes
    minutes in place of seconds. Our own tables alone: the whole of a database includes what all databases of the server
    share, and others would wait for this transaction.
    """
    if connection.vendor == "postgresql":
        tables = ", ".join(map(connection.ops.quote_name, connection.introspection.django_table_names(only_existing=True)))
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {tables}")


def _columns(model: type[models.Model], names: Iterable[str]) -> list[Any]:
    by_name = {column.attname: column for column in model._meta.concrete_fields}
    return [by_name[name] for name in names]


def _prepared(column: Any) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """What the database takes for the values of this column. Worked on column by column: a hundred thousand rows then cost a
    loop for each column, not for each value.

    Thousands of rows share their moments and their foreign keys, and writing a moment or an identifier as text is dear: what
    was written before is looked up.
    """
    if isinstance(column, _AS_THEY_ARE):
        return lambda values: values
    real = connections[DEFAULT_DB_ALIAS]  # asked for each value, Django's stand-in for it would cost more than the value
    target = column.target_field if isinstance(column, models.ForeignKey) else column
    if isinstance(target, models.UUIDField) and not real.features.has_native_uuid_field:
        return _hexadecimal
    if isinstance(column, models.JSONField):
        return lambda values: [real.ops.adapt_json_value(value, column.encoder) for value in values]
    if column.primary_key:
        return lambda values: [column.get_db_prep_save(value, real) for value in values]
    known: dict[Any, Any] = {}

    def prepared(value: Any) -> Any:
        if value not in known:
            known[value] = column.get_db_prep_save(value, real)
        return known[value]

    return lambda values: [*map(prepared, values)]


def _hexadecimal(values: Sequence[Any]) -> Sequence[Any]:
    if {*map(type, values)} == {str} and {*map(len, values)} == {HEXADECIMAL}:
        return values
    return [*map(_hex, values)]


def _hex(value: UUID | str | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, UUID):
        return value.hex
    return value if len(value) == HEXADECIMAL else UUID(value).hex

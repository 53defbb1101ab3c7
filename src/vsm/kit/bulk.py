"""Many rows in one statement, prepared once. Django's `bulk_create` assembles the SQL of each row anew and, on SQLite, sends
some forty rows at a time: for an import of 100,000 lines that was half of the time."""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
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


def insert_rows(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """The same from plain values in the order of `names` (attribute names, so `offering_id` for a foreign key)."""
    columns, prepared = _table(model, names, rows)
    if not prepared:
        return
    quote = connection.ops.quote_name
    listed, holes = ", ".join(quote(str(column.column)) for column in columns), ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        # Names come from the models, values go as parameters.
        cursor.executemany(f"INSERT INTO {quote(model._meta.db_table)} ({listed}) VALUES ({holes})", prepared)  # noqa: S608 -- see above


def update_rows(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Set the columns `names` of many rows; each of `rows` is the primary key, then the values. Lock the rows before."""
    columns, prepared = _table(model, [model._meta.pk.attname, *names], rows)
    if not prepared:
        return
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


def _table(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]) -> tuple[list[Any], list[tuple[Any, ...]]]:
    """The columns by name, and the values of each row as the database takes them. Worked on column by column: a hundred
    thousand rows then cost a loop for each column, not for each value."""
    by_name = {column.attname: column for column in model._meta.concrete_fields}
    columns = [by_name[name] for name in names]
    prepare = [None if isinstance(column, _AS_THEY_ARE) else _prepared(column) for column in columns]
    held = list(zip(*rows, strict=True))
    if not held:
        return columns, []
    done = [values if made is None else list(map(made, values)) for made, values in zip(prepare, held, strict=True)]
    return columns, list(zip(*done, strict=True))


def _prepared(column: Any) -> Callable[[Any], Any]:
    """What the database takes for a value of this column. Thousands of rows share their moments and their foreign keys, and
    writing a moment or an identifier as text is dear: what was written before is looked up."""
    real = connections[DEFAULT_DB_ALIAS]  # asked for each value, Django's stand-in for it would cost more than the value
    target = column.target_field if isinstance(column, models.ForeignKey) else column
    if isinstance(target, models.UUIDField) and not real.features.has_native_uuid_field:
        return _hex
    if isinstance(column, models.JSONField):
        return lambda value: real.ops.adapt_json_value(value, column.encoder)
    if column.primary_key:
        return lambda value: column.get_db_prep_save(value, real)
    known: dict[Any, Any] = {}

    def prepared(value: Any) -> Any:
        if value not in known:
            known[value] = column.get_db_prep_save(value, real)
        return known[value]

    return prepared


def _hex(value: UUID | str | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, UUID):
        return value.hex
    return value if len(value) == HEXADECIMAL else UUID(value).hex

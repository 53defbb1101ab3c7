"""Reading a table strictly: the columns that are asked for, in their types, or a refusal that says which line is wrong."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.observatory.sources.observations import COLUMNS, schema

if TYPE_CHECKING:
    import pyarrow

LONGEST_LINE = 8 << 20


def header_of(head: bytes) -> tuple[str, ...]:
    """The names in the first line of a CSV file, without quotes or byte-order mark; empty where it is no text."""
    first = head.decode("utf-8-sig", "replace").splitlines()[:1]
    return tuple(cell.strip().strip('"') for cell in first[0].split(",")) if first else ()


def csv_table(source: Any, name: str, columns: Mapping[str, str], *, nulls: Iterable[str] = ("",), skip: int = 0, progress: Callable[[int], None] = lambda _rows: None) -> "pyarrow.Table":
    """A CSV file (path or binary stream) as an Arrow table of exactly `columns` (name → Arrow type name). Read in pieces, so
    `progress(rows)` is called as it goes. Text cells are never null. Raises `Invalid` with the cause."""
    return _csv(source, name, columns, tuple(nulls), skip, progress)


def _csv(source: Any, name: str, columns: Mapping[str, str], nulls: tuple[str, ...], skip: int, progress: Callable[[int], None]) -> "pyarrow.Table":
    import pyarrow as pa
    from pyarrow import csv

    types = {column: pa.type_for_alias(kind) for column, kind in columns.items()}
    options = csv.ConvertOptions(column_types=types, include_columns=list(columns), strings_can_be_null=False, null_values=list(nulls))
    batches: list[pyarrow.RecordBatch] = []
    rows = 0
    try:
        with csv.open_csv(source, read_options=csv.ReadOptions(block_size=LONGEST_LINE, skip_rows=skip), convert_options=options) as reader:
            for batch in reader:
                batches.append(batch)
                rows += batch.num_rows
                progress(rows)
            return pa.Table.from_batches(batches, schema=reader.schema)
    except (pa.ArrowInvalid, pa.ArrowKeyError) as cause:
        raise unreadable(name, str(cause)) from cause


def damages(*more: type[Exception]) -> tuple[type[Exception], ...]:
    """What pyarrow raises for a Parquet file that is broken in one part or another; and `more`."""
    import pyarrow as pa

    return pa.ArrowException, OSError, UnicodeDecodeError, *more


def unreadable(name: str, cause: str) -> Invalid:
    text = N_("%(file)s cannot be read: %(cause)s. Take it from the publisher again, or say which format it is with --format.")
    return Invalid(Reason("file-unreadable", text, {"file": name, "cause": cause[:400]}))


def shaped(rows: int, **given: Any) -> "pyarrow.Table":
    """Observations from some columns; what is not given is empty (text) or null."""
    import pyarrow as pa

    arrays = {}
    for name, field in zip(COLUMNS, schema(), strict=True):
        column = given.get(name)
        if column is None:
            column = pa.array([""] * rows, pa.string()) if pa.types.is_string(field.type) else pa.nulls(rows, field.type)
        elif isinstance(column, str | int):
            column = pa.array([column] * rows, field.type)
        arrays[name] = column.cast(field.type)
    return pa.table(arrays, schema=schema())


def mapped(column: Any, codes: Mapping[str, str]) -> "pyarrow.ChunkedArray":
    """A text column with some of its values replaced, through its dictionary: fast for few distinct values."""
    import pyarrow as pa

    encoded = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    encoded = encoded.cast(pa.string()).dictionary_encode()
    words = [codes.get(word, word) for word in encoded.dictionary.to_pylist()]
    taken = pa.array(words, pa.string()).take(encoded.indices)
    return pa.chunked_array([taken])


def named(path: Path, head: bytes, suffix: str, *wanted: tuple[str, ...]) -> bool:
    """Whether a file ends like this and its first line is one of these headers."""
    return path.suffix.lower() == suffix and header_of(head) in wanted

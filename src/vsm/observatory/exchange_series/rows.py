"""Protected counts as observations. A count that may not be told stands there without a value: withheld and zero are never confused."""

from collections.abc import Iterable, Mapping
from typing import Any

from vsm.observatory.sources.observations import COLUMNS, schema

WITHHELD = "WITHHELD"


def table_of(rows: Iterable[Mapping[str, Any]]) -> Any:
    """A pyarrow table in the one shape of observations."""
    import pyarrow as pa

    empty = {name: "" if kind == "string" else None for name, kind in COLUMNS.items()}
    filled = [{**empty, **row, "value": None if row["value"] is None else float(row["value"])} for row in rows]
    return pa.Table.from_pylist(filled, schema=schema())

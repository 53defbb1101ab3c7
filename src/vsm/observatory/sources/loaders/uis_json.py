"""What the UIS API answers (JSON): `records` with indicatorId, geoUnit, year, value, magnitude, qualifier.

The API gives at most 100,000 records and refuses more with a message, which is told; a file that was cut short is no JSON.
Source: api.uis.unesco.org, public/documentation.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.observatory.sources.loaders import Loader, Taken
from vsm.observatory.sources.loaders.reading import shaped, unreadable
from vsm.observatory.sources.loaders.uis_api import checks
from vsm.observatory.sources.loaders.uis_origins import as_flows

MOST_BYTES, MOST_RECORDS = 256 << 20, 100_000
NEEDED = ("indicatorId", "geoUnit", "year", "value")


def recognises(path: Path, head: bytes) -> bool:
    return head.lstrip().startswith(b"{") and b'"records"' in head and (b'"geoUnit"' in head or b'"hints"' in head)


def read(path: Path, progress: Callable[[int, int], None]) -> Taken:
    import pyarrow as pa

    told = answer(path)
    records = told.get("records") if isinstance(told, dict) else None
    if not isinstance(records, list) or not records:
        message = str(told.get("message", "records: 0")) if isinstance(told, dict) else "records: 0"
        raise unreadable(path.name, message)
    wrong = [number for number, record in enumerate(records) if not isinstance(record, dict) or any(name not in record for name in NEEDED)]
    if wrong:
        raise unreadable(path.name, f"records[{wrong[0]}]: {', '.join(NEEDED)}")
    try:
        columns = {name: [record.get(name) for record in records] for name in (*NEEDED, "magnitude", "qualifier")}
        # NIL is a true zero, also where the value is null.
        value = [0.0 if magnitude == "NIL" else cell for cell, magnitude in zip(columns["value"], columns["magnitude"], strict=True)]
        table = shaped(
            len(records), series=pa.array(columns["indicatorId"], pa.string()), geo=pa.array(columns["geoUnit"], pa.string()), year=pa.array(columns["year"], pa.int16()),
            value=pa.array(value, pa.float64()), magnitude=_text(columns["magnitude"]), qualifier=_text(columns["qualifier"]),
        )  # fmt: skip
    except (pa.ArrowInvalid, pa.ArrowTypeError) as cause:
        raise unreadable(path.name, str(cause)) from cause
    progress(table.num_rows, table.num_rows)
    table = as_flows(table)
    return Taken(table, tuple(checks(table)), edition=str(told.get("version") or ""))


def answer(path: Path) -> Any:
    """The JSON of a file. Raises `Invalid` where it is none, or larger than any answer."""
    if path.stat().st_size > MOST_BYTES:
        text = N_("%(file)s is larger than any answer of an API (%(limit)s bytes). Load the bulk release in its place.")
        raise Invalid(Reason("answer-too-large", text, {"file": path.name, "limit": MOST_BYTES}))
    try:
        return json.loads(path.read_text("utf-8-sig"))
    except (ValueError, RecursionError) as cause:
        raise unreadable(path.name, str(cause)) from cause


def _text(column: list[Any]) -> Any:
    import pyarrow as pa

    return pa.array([str(cell or "") for cell in column], pa.string())


LOADER = Loader("uis-api-json", "uis", recognises, read)

"""World and regional totals that this program ships: region, year, inbound (students), as UIS published them.

Written by us from the release of early 2025 (indicator 26637, regions of the Sustainable Development Goals), so that a
first start without a network shows real figures. Whoever loads a release of UIS reads that instead.
"""

import csv
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

from vsm.observatory.sources.loaders import Loader, Taken
from vsm.observatory.sources.loaders.uis_api import INBOUND, checks
from vsm.observatory.sources.observations import schema

SHIPPED = files("vsm.observatory.sources").joinpath("facts.csv")
EDITION = "UIS 2025"


def recognises(path: Path, head: bytes) -> bool:
    return head.startswith(b"region,year,inbound\n")


def read(path: Path, progress: Callable[[int, int], None]) -> Taken:
    import pyarrow as pa

    rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    progress(len(rows), len(rows))
    cells = [
        {"series": INBOUND, "geo": f"SDG: {row['region']}", "geo2": "", "year": int(row["year"]), "day": None, "value": float(row["inbound"]), "qualifier": "", "magnitude": ""}
        for row in rows
    ]
    table = pa.Table.from_pylist(cells, schema=schema())
    return Taken(table, tuple(checks(table)), EDITION)


LOADER = Loader("facts-csv", "facts", recognises, read)

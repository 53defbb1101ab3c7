"""Origins and destinations of UIS joined from its two lists of ten: the ten largest destinations of each origin, the ten
largest origins of each destination (`year,o,d,flow`).

The rest of each list is missing, so every cell is marked TRUNCATED: sums are lower bounds (91 to 97 % of students in most years).
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from vsm.observatory.sources.checks import Check, Totals, each_cell_once, host_totals, no_count_is_negative, reconciled
from vsm.observatory.sources.loaders import Loader, Taken
from vsm.observatory.sources.loaders.reading import csv_table, named, shaped

if TYPE_CHECKING:
    import pyarrow

SERIES, TRUNCATED = "flows.top10", "TRUNCATED"


def recognises(path: Path, head: bytes) -> bool:
    return named(path, head, ".csv", ("year", "o", "d", "flow"))


def read(path: Path, progress: Callable[[int, int], None]) -> Taken:
    raw = csv_table(path, path.name, {"year": "int16", "o": "string", "d": "string", "flow": "float64"})
    progress(raw.num_rows, raw.num_rows)
    table = shaped(raw.num_rows, series=SERIES, geo=raw["o"], geo2=raw["d"], year=raw["year"], value=raw["flow"], qualifier=TRUNCATED)
    return Taken(table, (each_cell_once(table), no_count_is_negative(table)))


def against(table: "pyarrow.Table", published: Totals) -> Iterable[Check]:
    return reconciled(host_totals(table, SERIES), published, truncated=True)


LOADER = Loader("uis-top10-csv", "uis", recognises, read, against)

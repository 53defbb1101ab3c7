"""Plain tables of origin, destination, year and students: copies of the OECD matrix, as others share them.

Header `o,d,year,raw` (or `value`, `students`). Such copies have been doubled, ISCED 5–8 having been added to its parts, so
none is taken in that cannot be compared with UIS.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from vsm.observatory.sources.checks import Check, Totals, each_cell_once, host_totals, no_count_is_negative, reconciled
from vsm.observatory.sources.loaders import Loader, Taken
from vsm.observatory.sources.loaders.reading import csv_table, header_of, named, shaped

if TYPE_CHECKING:
    import pyarrow

HEADERS = (("o", "d", "year", "raw"), ("o", "d", "year", "value"), ("o", "d", "year", "students"))
SERIES = "flows.5T8"


def recognises(path: Path, head: bytes) -> bool:
    return named(path, head, ".csv", *HEADERS)


def read(path: Path, progress: Callable[[int, int], None]) -> Taken:
    with path.open("rb") as file:
        count = next(iter(set(header_of(file.read(4096))) & {"raw", "value", "students"}), "value")
    raw = csv_table(path, path.name, {"o": "string", "d": "string", "year": "int16", count: "float64"})
    progress(raw.num_rows, raw.num_rows)
    table = shaped(raw.num_rows, series=SERIES, geo=raw["o"], geo2=raw["d"], year=raw["year"], value=raw[count])
    return Taken(table, (each_cell_once(table), no_count_is_negative(table)))


def against(table: "pyarrow.Table", published: Totals) -> Iterable[Check]:
    return reconciled(host_totals(table, SERIES), published, needed=True)


LOADER = Loader("oecd-origin-destination-csv", "oecd", recognises, read, against)

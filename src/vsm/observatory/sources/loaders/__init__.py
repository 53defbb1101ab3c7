"""One module for each layout in which a source comes: a file in, observations and checks out. None knows the database."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from vsm.observatory.sources.checks import Check, Totals

if TYPE_CHECKING:
    import pyarrow


@dataclass(frozen=True)
class Taken:
    """What a file holds: observations in the one shape (`observations.COLUMNS`), the publisher's edition, what was checked."""

    table: "pyarrow.Table"
    checks: tuple[Check, ...] = ()
    edition: str = ""
    published_on: date | None = None


@dataclass(frozen=True)
class Loader:
    """`recognises(path, head)` looks at the name and the first 4,096 bytes; `read(path, progress)` gives what is in it or
    raises `Invalid` with every fault found (line and reason). `progress(done, total)` counts bytes or rows.
    `against(table, totals)` compares with the students by host (or region) and year that UIS publishes, as far as loaded."""

    format: str
    source: str
    recognises: Callable[[Path, bytes], bool]
    read: Callable[[Path, Callable[[int, int], None]], Taken]
    against: Callable[["pyarrow.Table", Totals], Iterable[Check]] = field(default=lambda _table, _totals: ())


# Format → module of this package, and the name in it; read on demand, for they load heavy libraries.
MODULES = {
    "uis-api-csv": "uis_api", "uis-api-json": "uis_json", "uis-bulk-zip": "uis_bulk", "uis-top10-csv": "uis_top10", "uis-rates-csv": "uis_rates", "facts-csv": "facts", "facts-lac-csv": "facts_lac", "oxcgrt-csv": "oxcgrt",
    "oecd-sdmx-csv": "oecd_sdmx", "oecd-origin-destination-csv": "origin_destination", "worldbank-csv": "worldbank", "worldbank-json": "worldbank_json", "worldbank-classes": "worldbank_classes",
    "country-codes-csv": "country_codes", "cepii-dist-parquet": "cepii", "own-csv": "own", "own-parquet": "own:PARQUET",
}  # fmt: skip


def loader(format_: str) -> Loader:
    """The loader of a format; KeyError when there is none."""
    module, _, name = MODULES[format_].partition(":")
    found: Loader = getattr(import_module(f"{__name__}.{module}"), name or "LOADER")
    return found


def recognised(path: Path) -> Loader | None:
    """The loader that knows this file, by its name and first bytes."""
    with path.open("rb") as file:
        head = file.read(4096)
    return next((each for each in map(loader, MODULES) if each.recognises(path, head)), None)

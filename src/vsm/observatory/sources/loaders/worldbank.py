"""World Development Indicators as the World Bank exports them: long (COUNTRY, COUNTRY_CODE, SERIES_NAME, SERIES_CODE, YEAR,
VALUE) or wide, a column for each year ("2019" or "2019 [YR2019]"), with or without the lines above the header; alone or in
the ZIP that its API gives (`API_….csv` beside metadata).

".." and nothing are missing. What is no country ("Latin America & Caribbean") gets its name with "WB: " before it.
"""

import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from vsm.observatory.geography import countries
from vsm.observatory.sources.checks import each_cell_once
from vsm.observatory.sources.loaders import Loader, Taken
from vsm.observatory.sources.loaders.reading import csv_table, header_of, mapped, shaped, unreadable

if TYPE_CHECKING:
    import pyarrow

LONG = ("COUNTRY", "COUNTRY_CODE", "SERIES_NAME", "SERIES_CODE", "YEAR", "VALUE")
MISSING = ("", "..", "NA")
KOSOVO = "XKX"
MOST_BYTES = 256 << 20
YEAR = re.compile(r"^(\d{4})(?: \[YR\d{4}\])?$")


def recognises(path: Path, head: bytes) -> bool:
    if head.startswith(b"PK\x03\x04"):
        return _member(path) is not None
    return path.suffix.lower() == ".csv" and (header_of(head) == LONG or _wide(head) is not None)


def read(path: Path, progress: Callable[[int, int], None]) -> Taken:
    member = _member(path)
    if member is None:
        return _read(path, progress)
    with zipfile.ZipFile(path) as archive, TemporaryDirectory() as room:
        if archive.getinfo(member).file_size > MOST_BYTES:
            raise unreadable(path.name, f"> {MOST_BYTES} bytes")
        inside = Path(room) / "table.csv"
        inside.write_bytes(archive.read(member))
        return _read(inside, progress)


def _member(path: Path) -> str | None:
    """The table in the ZIP of the API, if it is one."""
    if not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        return next((name for name in archive.namelist()[:16] if name.startswith("API_") and name.endswith(".csv")), None)


def _read(path: Path, progress: Callable[[int, int], None]) -> Taken:
    with path.open("rb") as file:
        head = file.read(65536)
    found = _wide(head)
    if header_of(head) == LONG:
        raw = csv_table(path, path.name, {**dict.fromkeys(LONG[:4], "string"), "YEAR": "int16", "VALUE": "float64"}, nulls=MISSING)
        table = _table(raw, LONG[0], LONG[1], LONG[3], [("YEAR", "VALUE")])
    elif found:
        skip, header = found
        lower = {name.lower(): name for name in header}
        name, code = lower["country name"], lower["country code"]
        series = lower.get("indicator code") or lower["series code"]
        years = [column for column in header if YEAR.match(column)]
        raw = csv_table(path, path.name, {name: "string", code: "string", series: "string", **dict.fromkeys(years, "float64")}, nulls=MISSING, skip=skip)
        table = _table(raw, name, code, series, [(column[:4], column) for column in years])
    else:
        raise unreadable(path.name, "Country Code, Indicator Code: 0")
    progress(table.num_rows, table.num_rows)
    return Taken(table, (each_cell_once(table),))


def _table(raw: "pyarrow.Table", name: str, code: str, series: str, columns: Sequence[tuple[str, str]]) -> "pyarrow.Table":
    import pyarrow as pa
    import pyarrow.compute as pc

    named = dict(zip(raw[code].to_pylist(), raw[name].to_pylist(), strict=True))
    geo = mapped(raw[code], {each: f"WB: {title}" for each, title in named.items() if each not in countries() and each != KOSOVO})
    parts = [shaped(raw.num_rows, series=raw[series], geo=geo, year=raw[year] if year in raw.column_names and year == "YEAR" else int(year), value=raw[value]) for year, value in columns]
    table = pa.concat_tables(parts)
    # The databank's own last lines ("Last Updated: …") have no code.
    return table.filter(pc.and_(pc.not_equal(table["series"], ""), pc.not_equal(table["geo"], "")))


def _wide(head: bytes) -> tuple[int, list[str]] | None:
    """How many lines stand above the header, and its names; None where the first lines hold no such header."""
    for number, line in enumerate(head.decode("utf-8-sig", "replace").splitlines()[:6]):
        names = [cell.strip().strip('"') for cell in line.rstrip(",").split(",")]
        lower = {name.lower() for name in names}
        if {"country name", "country code"} <= lower and lower & {"indicator code", "series code"}:
            return number, names
    return None


LOADER = Loader("worldbank-csv", "worldbank", recognises, read)

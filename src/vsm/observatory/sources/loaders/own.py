"""A table of one's own, CSV or Parquet: `geo`, `year`, `value` and, where wanted, `geo2`, `series`, `qualifier`.

It passes the checks that every source passes. `geo` is an ISO 3166-1 alpha-3 code or the published name of a region ("SDG:
Oceania"); with `geo2` it is a flow from `geo` to `geo2`. An empty value is missing, a zero is zero. Without `series` the series
has the name of the file.
"""

import csv
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.observatory.geography import countries, published_as
from vsm.observatory.sources.checks import Check, Totals, each_cell_once, host_totals, reconciled
from vsm.observatory.sources.loaders import Loader, Taken
from vsm.observatory.sources.loaders.reading import damages, header_of, unreadable
from vsm.observatory.sources.loaders.uis_api import INBOUND
from vsm.observatory.sources.observations import schema

if TYPE_CHECKING:
    import pyarrow

NEEDED, MORE = ("geo", "year", "value"), ("geo2", "series", "qualifier")
FIRST_YEAR, LAST_YEAR = 1800, 2200
MOST_ROWS, MOST_TOLD = 5_000_000, 100
FORBIDDEN = re.compile(r"[^\w .:/()-]")


def recognises(path: Path, head: bytes) -> bool:
    return path.suffix.lower() == ".csv" and _fits(header_of(head))


def recognises_parquet(path: Path, head: bytes) -> bool:
    if path.suffix.lower() != ".parquet" or not head.startswith(b"PAR1"):
        return False
    import pyarrow.parquet as pq

    try:
        return _fits(tuple(pq.read_schema(path).names))
    except damages():
        return False


def read(path: Path, progress: Callable[[int, int], None]) -> Taken:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            return _taken(path, tuple(reader.fieldnames or ()), ((reader.line_num, row) for row in reader), progress)
    except (UnicodeDecodeError, csv.Error) as cause:
        raise unreadable(path.name, str(cause)) from cause


def read_parquet(path: Path, progress: Callable[[int, int], None]) -> Taken:
    import pyarrow.parquet as pq

    try:
        # Before they are laid out in memory: a small file can hold very many equal rows.
        if pq.read_metadata(path).num_rows > MOST_ROWS:
            raise unreadable(path.name, f"> {MOST_ROWS}")
        raw = pq.read_table(path)
        rows = (row for batch in raw.to_batches(max_chunksize=10_000) for row in batch.to_pylist())
        return _taken(path, tuple(raw.column_names), enumerate(rows, start=1), progress)
    except damages() as cause:
        raise unreadable(path.name, str(cause)) from cause


def outline(path: Path) -> dict[str, Any]:
    """The columns of a file and how many lines (or rows) it has, whatever stands in them."""
    import pyarrow.parquet as pq

    try:
        if path.suffix.lower() == ".parquet":
            told = pq.read_metadata(path)
            return {"columns": told.schema.to_arrow_schema().names, "rows": told.num_rows}
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file)
            return {"columns": next(lines, []), "rows": sum(map(bool, lines))}
    except damages(csv.Error) as cause:
        raise unreadable(path.name, str(cause)) from cause


def summary(table: "pyarrow.Table") -> dict[str, Any]:
    """What the observations of a table speak of."""
    import pyarrow.compute as pc

    years = pc.min_max(table["year"]).as_py()
    return {
        "series": sorted(pc.unique(table["series"]).to_pylist()), "places": len(pc.unique(table["geo"])), "first": years["min"], "last": years["max"],
        "missing": table["value"].null_count, "flows": pc.sum(pc.not_equal(table["geo2"], "")).as_py(),
    }  # fmt: skip


def named_after(path: Path) -> str:
    """The series of a file without a column `series`."""
    return FORBIDDEN.sub("-", path.stem)[:80]


def _fits(header: tuple[str, ...]) -> bool:
    return set(NEEDED) <= set(header) <= {*NEEDED, *MORE} and len(set(header)) == len(header)


def _taken(path: Path, header: tuple[str, ...], rows: Iterable[tuple[int, Mapping[str, Any]]], progress: Callable[[int, int], None]) -> Taken:
    import pyarrow as pa

    if not _fits(header):
        text = N_("%(file)s has the columns %(found)s. A table of your own has geo, year, value and may have geo2, series, qualifier.")
        raise Invalid(Reason("columns-unknown", text, {"file": path.name, "found": ", ".join(map(str, header))[:300]}))
    wrong: list[Reason] = []
    kept: list[dict[str, Any]] = []
    name = named_after(path)
    for number, row in rows:
        found = list(_faults(number, row, name))
        wrong += found
        if not found and not wrong:
            kept.append(_cell(row, name))
        if number > MOST_ROWS:
            raise unreadable(path.name, f"> {MOST_ROWS}")
        if number % 50_000 == 0:
            progress(number, 0)
    if len(wrong) > MOST_TOLD:
        wrong = [*wrong[:MOST_TOLD], Reason("more-wrong", N_("%(more)s more faults are not told here. Correct these first."), {"more": len(wrong) - MOST_TOLD})]
    Invalid.because(wrong)
    if not kept:
        raise Invalid(Reason("table-empty", N_("%(file)s has its header and no line below it."), {"file": path.name}))
    progress(len(kept), len(kept))
    table = pa.Table.from_pylist(kept, schema=schema())
    return Taken(table, (each_cell_once(table),))


def _faults(line: int, row: Mapping[str, Any], name_of_file: str) -> Iterator[Reason]:
    told = {"line": line}
    if None in row or any(row.get(name) is None for name in ("geo", "year")):
        yield Reason("line-columns", N_("Line %(line)s has more or fewer cells than the header."), told)
        return
    for name in ("geo", "geo2"):
        geo = str(row.get(name) or "").strip()
        if not (geo in countries() or published_as(geo) or (name == "geo2" and not geo)):
            text = N_("Line %(line)s: “%(value)s” is no country (three letters, ISO 3166-1) and no region as published (“SDG: Oceania”).")
            yield Reason("line-place", text, {**told, "value": geo[:40]}, name)
    year = str(row["year"]).strip()
    if not (year.isascii() and year.isdigit() and FIRST_YEAR <= int(year) <= LAST_YEAR):
        yield Reason("line-year", N_("Line %(line)s: “%(value)s” is no year."), {**told, "value": year[:40]}, "year")
    value = _text(row.get("value"))
    if value and not math.isfinite(_number(value)):
        yield Reason("line-value", N_("Line %(line)s: “%(value)s” is no number. Write 1234.5, or leave it empty where nothing is known."), {**told, "value": value[:40]}, "value")
    elif value and _number(value) < 0 and counts_students(_text(row.get("series")) or name_of_file):
        yield Reason("line-negative", N_("Line %(line)s: “%(value)s” students cannot be. Leave it empty where nothing is known."), {**told, "value": value[:40]}, "value")


def counts_students(series: str) -> bool:
    """Whether a series is one of ours: students from abroad, or flows. What else a table holds is its owner's, and may fall below zero."""
    return series == INBOUND or series.startswith("flows")


def _cell(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = _text(row["value"])
    return {
        "series": _text(row.get("series"))[:80] or name, "geo": _text(row["geo"]), "geo2": _text(row.get("geo2")), "year": int(_text(row["year"])), "day": None,
        "value": _number(value) if value else None, "qualifier": _text(row.get("qualifier"))[:40], "magnitude": "",
    }  # fmt: skip


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _number(text: str) -> float:
    try:
        return float(text) if "_" not in text else math.nan
    except ValueError:
        return math.nan


def against(table: "pyarrow.Table", published: Totals) -> Iterable[Check]:
    """Inbound students and flows under our names ("26637", "flows…") are compared as any other's; what else a table holds is
    its owner's."""
    import pyarrow.compute as pc

    named = [name for name in pc.unique(table["series"]).to_pylist() if name != INBOUND and counts_students(name)]
    found = [check for name in named for check in reconciled(host_totals(table, name), published, truncated=True)]
    inward = table.filter(pc.and_(pc.equal(table["series"], INBOUND), pc.equal(table["geo2"], ""))).to_pylist()
    if inward:
        found += reconciled({(row["geo"], row["year"]): row["value"] for row in inward if row["value"] is not None}, published)
    return found


LOADER = Loader("own-csv", "own", recognises, read, against)
PARQUET = Loader("own-parquet", "own", recognises_parquet, read_parquet, against)

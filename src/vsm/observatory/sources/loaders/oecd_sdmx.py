"""Mobile students by host and origin as the OECD's SDMX service gives them (CSV, flow DF_UOE_NF_RAW_MOB).

A row is a host (REF_AREA), an origin (ORIGIN; W is all), a level (EDUCATION_LEV) and a year. ISCED11_5T8 holds the levels 5 to
8, so each level is a series of its own and none is ever added to another. Of both sexes (_T) and mobile students (MOB).
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsm.observatory.geography import countries
from vsm.observatory.sources.checks import Check, Totals, each_cell_once, host_totals, no_count_is_negative, reconciled
from vsm.observatory.sources.loaders import Loader, Taken
from vsm.observatory.sources.loaders.reading import csv_table, header_of, mapped, shaped, unreadable

if TYPE_CHECKING:
    import pyarrow

NEEDED = ("REF_AREA", "EDUCATION_LEV", "ORIGIN", "MOBILITY", "SEX", "TIME_PERIOD", "OBS_VALUE")
WHOLE, ALL_ORIGINS = "ISCED11_5T8", "W"


def recognises(path: Path, head: bytes) -> bool:
    return set(NEEDED) <= set(header_of(head))


def read(path: Path, progress: Callable[[int, int], None]) -> Taken:
    import pyarrow as pa
    import pyarrow.compute as pc

    with path.open("rb") as file:
        there = header_of(file.read(4096))
    if set(NEEDED) - set(there):
        raise unreadable(path.name, f"{', '.join(sorted(set(NEEDED) - set(there)))}: 0")
    text = {name: "string" for name in (*NEEDED, "OBS_STATUS", "UNIT_MEASURE") if name in there}
    raw = csv_table(path, path.name, {**text, "TIME_PERIOD": "int16", "OBS_VALUE": "float64"})
    progress(raw.num_rows, raw.num_rows)
    chosen = pc.and_(pc.is_in(raw["SEX"], value_set=pa.array(["_T", "T"])), pc.equal(raw["MOBILITY"], "MOB"))
    if "UNIT_MEASURE" in there:
        chosen = pc.and_(chosen, pc.is_in(raw["UNIT_MEASURE"], value_set=pa.array(["PS", "NB", ""])))
    raw = raw.filter(chosen)
    if not raw.num_rows:
        raise unreadable(path.name, "SEX=_T, MOBILITY=MOB: 0")
    table = _observed(raw)
    return Taken(table, (each_cell_once(table), no_count_is_negative(table)))


def _observed(raw: "pyarrow.Table") -> "pyarrow.Table":
    """Flows as `flows.LEVEL` from origin to host; the totals over all origins as `mobile.LEVEL` of the host."""
    import pyarrow as pa
    import pyarrow.compute as pc

    every = pc.equal(raw["ORIGIN"], ALL_ORIGINS)
    known = {code: code for code in countries()}
    strange = {code: f"OECD: {code}" for code in pc.unique(raw["ORIGIN"]).to_pylist() if code not in known}
    hosts: Any = raw["REF_AREA"]
    return shaped(
        raw.num_rows, series=pc.binary_join_element_wise(pc.if_else(every, "mobile", "flows"), raw["EDUCATION_LEV"], pa.scalar(".")),
        geo=pc.if_else(every, hosts, mapped(raw["ORIGIN"], strange)), geo2=pc.if_else(every, "", hosts), year=raw["TIME_PERIOD"],
        value=raw["OBS_VALUE"], qualifier=raw["OBS_STATUS"] if "OBS_STATUS" in raw.column_names else None,
    )  # fmt: skip


def against(table: "pyarrow.Table", published: Totals) -> Iterable[Check]:
    """The published total of a host counts, where there is none the sum over its origins: of ISCED 5–8 alone."""
    import pyarrow.compute as pc

    told = table.filter(pc.equal(table["series"], f"mobile.{WHOLE}")).select(["geo", "year", "value"]).to_pylist()
    totals = {(row["geo"], row["year"]): row["value"] for row in told if row["value"] is not None}
    return reconciled({**host_totals(table, f"flows.{WHOLE}"), **totals}, published)


LOADER = Loader("oecd-sdmx-csv", "oecd", recognises, read, against)

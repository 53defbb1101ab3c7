"""Observations: one shape for every source, kept as Parquet, read through Ibis.

Nothing is ever changed: a newer release stands beside the older one, and `as_of` reads what was known on a day.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsm.config import settings
from vsm.observatory.sources.engines import connect, release_table

if TYPE_CHECKING:
    import ibis
    import pyarrow

# Column → Arrow type. `series` is the publisher's own code ("26637"); `geo` an ISO 3166-1 alpha-3 code or the name of an
# aggregate as published ("SDG: World"); `geo2` the other end of a flow (the destination, where `geo` is the origin), else
# empty; `year` the calendar year, `day` set for daily series only; `value` null where the publisher gives none;
# `qualifier` as published ("UIS_EST", "NAT_EST"); `magnitude` as published: "NIL" is a true zero, "INCLUDES" and "INCLUDED"
# mark cells that are merged and must never be summed, "NA" is not applicable. The qualifier TRUNCATED is ours: the list
# that the cell comes from leaves the smaller ones out, so sums over it are lower bounds.
COLUMNS = {
    "series": "string", "geo": "string", "geo2": "string", "year": "int16", "day": "date32", "value": "float64",
    "qualifier": "string", "magnitude": "string",
}  # fmt: skip

INBOUND, BY_ORIGIN = "26637", "flows"


def schema() -> "pyarrow.Schema":
    import pyarrow as pa

    types = {"string": pa.string(), "int16": pa.int16(), "date32": pa.date32(), "float64": pa.float64()}
    return pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])


def folder() -> Path:
    """Where the Parquet files lie."""
    return settings().data / "observatory"


def path_of(digest: str) -> Path:
    return folder() / f"{digest}.parquet"


def keep(table: "pyarrow.Table") -> tuple[str, int]:
    """Write observations, sorted, as one immutable file; its SHA-256 and how many rows."""
    import hashlib

    import pyarrow.parquet as pq

    folder().mkdir(parents=True, exist_ok=True)
    ordered = table.cast(schema()).sort_by([(name, "ascending") for name in ("series", "geo", "geo2", "year", "day")])
    partial = folder() / f"{id(table):x}.part"
    pq.write_table(ordered, partial, compression="zstd")
    digest = hashlib.sha256(partial.read_bytes()).hexdigest()
    partial.replace(path_of(digest))
    return digest, ordered.num_rows


def covered(table: "pyarrow.Table") -> list[str]:
    """What observations tell, as the keys by which a newer release replaces an older: a series of countries by its name, of
    regions as "name@", the matrix of flows (which comes origin by origin) as "flows>PER"."""
    import pyarrow as pa
    import pyarrow.compute as pc

    regional = pc.greater(pc.utf8_length(table["geo"]), 3)
    by_origin = pc.and_(pc.equal(table["series"], BY_ORIGIN), pc.not_equal(table["geo2"], ""))
    plain = pc.if_else(regional, pc.binary_join_element_wise(table["series"], "", pa.scalar("@")), table["series"])
    keys = pc.if_else(by_origin, pc.binary_join_element_wise(table["series"], table["geo"], pa.scalar(">")), plain)
    return sorted(pc.unique(keys).to_pylist())


def _unhidden(table: "ibis.Table", hidden: Collection[str]) -> "ibis.Table":
    """A release's observations without what newer releases tell; the same keys as `covered`, as an expression."""
    import ibis

    if not hidden:
        return table
    by_origin = (table.series == BY_ORIGIN) & (table.geo2 != "")
    key = ibis.cases((by_origin, table.series + ">" + table.geo), (table.geo.length() > 3, table.series + "@"), else_=table.series)
    return table.filter(key.notin(sorted(hidden)))


def published_totals() -> dict[tuple[str, int], float]:
    """Students from abroad by host (or region as published) and year, of UIS or of the totals that ship: what other sources
    are compared with. Merged cells are left out."""
    table = observations(source=("uis", "facts"))
    chosen = table.filter((table.series == INBOUND) & (table.geo2 == "") & table.value.notnull() & ~table.magnitude.isin(["INCLUDES", "INCLUDED"]))
    rows = chosen.select("geo", "year", "value").to_pyarrow().to_pylist()
    return {(row["geo"], row["year"]): row["value"] for row in rows}


def country_series(wanted: Sequence[str]) -> dict[tuple[str, str, str], dict[int, float]]:
    """The inbound counts of countries, as (source, series, country) → year → students; merged cells left out."""
    table = observations(source=wanted)
    chosen = table.filter(
        (table.series == INBOUND) & (table.geo2 == "") & (table.geo.length() == 3) & table.day.isnull() & table.value.notnull()
        & ~table.magnitude.isin(["INCLUDES", "INCLUDED"])
    )  # fmt: skip
    found: dict[tuple[str, str, str], dict[int, float]] = {}
    for row in chosen.select("source", "series", "geo", "year", "value").to_pyarrow().to_pylist():
        found.setdefault((row["source"], row["series"], row["geo"]), {})[row["year"]] = row["value"]
    return found


def observations(
    *, source: str | Sequence[str] = (), as_of: datetime | None = None, engine: Any = None, releases: Mapping[str, str] | None = None
) -> "ibis.Table":
    """Observations as an Ibis table with the columns above and `source` and `release` (the release's id as text).

    Of each series of a source what the newest release says that was known on `as_of` (default: now). `releases` (source →
    release id) pins vintages instead. With nothing loaded the table is empty, never absent.
    """
    import ibis
    import pyarrow as pa

    from vsm.observatory.sources.queries import counting_releases

    engine = engine or connect()
    wanted = (source,) if isinstance(source, str) else tuple(source)
    tables = [
        _unhidden(release_table(engine, release.digest, str(path_of(release.digest))), hidden).mutate(source=ibis.literal(release.source), release=ibis.literal(str(release.pk)))
        for release, hidden in counting_releases(wanted, as_of=as_of, pinned=releases or {})
    ]
    if not tables:
        empty = schema().append(pa.field("source", pa.string())).append(pa.field("release", pa.string())).empty_table()
        return ibis.memtable(empty)
    return ibis.union(*tables) if len(tables) > 1 else tables[0]

"""The CSV that the UIS data browser and API export: indicatorId, geoUnit, year, value, qualifier, magnitude.

`geoUnit` is an ISO 3166-1 alpha-3 code or "SDG: World", "UIS: …", "WB: …". Magnitude NIL is a true zero; INCLUDES and
INCLUDED mark figures that are merged. Source: api.uis.unesco.org, public/documentation.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vsm.kit.errors import Invalid
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.observatory.sources.checks import Check, each_cell_once
from vsm.observatory.sources.loaders import Loader, Taken
from vsm.observatory.sources.loaders.uis_origins import as_flows
from vsm.observatory.sources.observations import schema

if TYPE_CHECKING:
    import pyarrow

HEADER = ("indicatorId", "geoUnit", "year", "value", "qualifier", "magnitude")
INBOUND = "26637"
WORLD = "SDG: World"
# The seven regions of the Sustainable Development Goals, as UIS writes them.
SDG_REGIONS = (
    "SDG: Sub-Saharan Africa", "SDG: Northern Africa and Western Asia", "SDG: Central and Southern Asia", "SDG: Eastern and South-Eastern Asia",
    "SDG: Latin America and the Caribbean", "SDG: Oceania", "SDG: Europe and Northern America",
)  # fmt: skip


def recognises(path: Path, head: bytes) -> bool:
    first = head.decode("utf-8-sig", "replace").splitlines()[:1]
    return bool(first) and tuple(cell.strip('"') for cell in first[0].split(",")) == HEADER and path.suffix.lower() == ".csv"


def read(path: Path, progress: Callable[[int, int], None]) -> Taken:
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    size = path.stat().st_size
    progress(0, size)
    types = {"indicatorId": pa.string(), "geoUnit": pa.string(), "year": pa.int16(), "value": pa.float64(), "qualifier": pa.string(), "magnitude": pa.string()}
    try:
        raw = csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=types, strings_can_be_null=False))
    except pa.ArrowInvalid as cause:
        text = N_("%(file)s is not the layout that UIS exports: %(cause)s. Export it again, or say which format it is.")
        raise Invalid(Reason("uis-unreadable", text, {"file": path.name, "cause": str(cause)})) from cause
    progress(size, size)
    empty = pa.array([""] * raw.num_rows, pa.string())
    table = pa.table(
        {
            "series": raw["indicatorId"], "geo": raw["geoUnit"], "geo2": empty, "year": raw["year"],
            "day": pa.nulls(raw.num_rows, pa.date32()), "value": raw["value"],
            "qualifier": raw["qualifier"], "magnitude": raw["magnitude"],
        }, schema=schema(),
    )  # fmt: skip
    nil = pc.equal(table["magnitude"], "NIL")
    table = table.set_column(5, "value", pc.if_else(nil, 0.0, table["value"]))
    table = as_flows(table)
    return Taken(table, tuple(checks(table)))


def checks(table: "pyarrow.Table") -> Iterator[Check]:
    """Each cell once; the seven regions make the world."""
    yield each_cell_once(table)
    yield regions_make_the_world(table)


def regions_make_the_world(table: "pyarrow.Table") -> Check:
    """The seven SDG regions add up to the world to the last student, in each year that has them all."""
    rows = [row for row in table.filter(_inbound_aggregates(table)).to_pylist() if row["value"] is not None]
    world = {row["year"]: row["value"] for row in rows if row["geo"] == WORLD}
    parts: dict[int, dict[str, float]] = {}
    for row in rows:
        if row["geo"] != WORLD:
            parts.setdefault(row["year"], {})[row["geo"]] = row["value"]
    whole = [year for year in sorted(world) if len(parts.get(year, {})) == len(SDG_REGIONS)]
    wrong = [year for year in whole if abs(sum(parts[year].values()) - world[year]) > 0.5 + 1e-9 * world[year]]
    facts = {"years": len(whole), "wrong": len(wrong)}
    if not wrong:
        return Check("regions-make-the-world", facts)
    year = wrong[0]
    text = N_("In %(year)s the seven regions add up to %(sum)s and the world is %(world)s. Something is missing or counted twice; load the whole release.")
    return Check("regions-make-the-world", facts, Reason("regions-differ", text, {"year": year, "sum": round(sum(parts[year].values())), "world": round(world[year])}))


def _inbound_aggregates(table: "pyarrow.Table") -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    wanted = pa.array([WORLD, *SDG_REGIONS])
    return pc.and_(pc.equal(table["series"], INBOUND), pc.is_in(table["geo"], value_set=wanted))


LOADER = Loader("uis-api-csv", "uis", recognises, read)

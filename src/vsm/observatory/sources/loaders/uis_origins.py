"""The indicators of UIS that each tell the students from one origin: together they are the matrix of origins and hosts.

`uis_origins.csv` gives the origin (alpha-3, or "unknown: Africa") of each indicator's number, as UIS assigns them.
"""

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from vsm.observatory.sources.loaders.reading import mapped

if TYPE_CHECKING:
    import pyarrow

FLOWS = "flows"


@cache
def origins() -> Mapping[str, str]:
    """Indicator → origin."""
    rows = csv.DictReader(files(__package__).joinpath("uis_origins.csv").read_text("ascii").splitlines())
    return {row["indicator"]: row["origin"] for row in rows}


def as_flows(table: "pyarrow.Table") -> "pyarrow.Table":
    """Rows of origin indicators become flows: series `flows`, `geo` the origin, `geo2` the host. Regional rows of them
    keep the indicator as their series, for a flow has a country at each end."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pa.array(list(origins()))
    is_flow = pc.and_(pc.is_in(table["series"], value_set=known), pc.equal(pc.utf8_length(table["geo"]), 3))
    if not pc.any(is_flow).as_py():
        return table
    rest, flows = table.filter(pc.invert(is_flow)), table.filter(is_flow)
    turned = flows.set_column(2, "geo2", flows["geo"]).set_column(1, "geo", mapped(flows["series"], origins()))
    return pa.concat_tables([rest, turned.set_column(0, "series", pa.array([FLOWS] * flows.num_rows, pa.string()))])

"""Figures of Latin America and the Caribbean that this program ships: series, geo, year, value.

Written by us from public releases: `balance.*` (students from abroad and net flow by country, 2019) from the UIS export of
early 2025; `parity.*` (ratios of tertiary attendance, the newest year of each country) from UIS SDG 4 of September 2024,
women to men in the adjusted form of UIS; `attendance.q*` the gross attendance ratio of tertiary education of the second to
the richest fifth of households, in per cent (the poorest fifth is absent from that release); `intraregional.least` the share of the region's students abroad who stay in it,
from the ten largest destinations of each origin (UIS, March 2022), so a lower bound; `intraregional.iesalc` the share that
UNESCO IESALC published in 2019. A country that is absent did not report.
"""

import csv
from collections.abc import Callable, Iterable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.observatory.geography import members
from vsm.observatory.sources.checks import Check, each_cell_once
from vsm.observatory.sources.loaders import Loader, Taken
from vsm.observatory.sources.observations import schema

SHIPPED = files("vsm.observatory.sources").joinpath("facts_lac.csv")
EDITION = "UIS 2022–2025, IESALC 2019"
REGION = "latin-america-and-the-caribbean"
IN, NET = "balance.inbound", "balance.net"
PARITIES = ("parity.rural-urban", "parity.poorer-richest", "parity.women-men")
FIFTHS = ("attendance.q2", "attendance.q3", "attendance.q4", "attendance.q5")
LEAST, PUBLISHED = "intraregional.least", "intraregional.iesalc"
SERIES = (IN, NET, *PARITIES, *FIFTHS, LEAST, PUBLISHED)


def recognises(path: Path, head: bytes) -> bool:
    del path
    return head.startswith(b"series,geo,year,value\n") and head.split(b"\n")[1].split(b",")[0].decode() in SERIES


def read(path: Path, progress: Callable[[int, int], None]) -> Taken:
    import pyarrow as pa

    rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    progress(len(rows), len(rows))
    cells = [{"series": row["series"], "geo": row["geo"], "geo2": "", "year": int(row["year"]), "day": None, "value": float(row["value"]), "qualifier": "", "magnitude": ""} for row in rows]
    table = pa.Table.from_pylist(cells, schema=schema())
    return Taken(table, (each_cell_once(table), countries_of_the_region(cells)), EDITION)


def countries_of_the_region(cells: Iterable[Mapping[str, Any]]) -> Check:
    strange = sorted({cell["geo"] for cell in cells if len(cell["geo"]) == 3 and cell["geo"] not in members(REGION)})
    text = N_("%(geo)s does not belong to Latin America and the Caribbean.")
    return Check("countries-of-the-region", {"strange": strange}, Reason("foreign-country", text, {"geo": ", ".join(strange)}) if strange else None)


LOADER = Loader("facts-lac-csv", "facts-lac", recognises, read)

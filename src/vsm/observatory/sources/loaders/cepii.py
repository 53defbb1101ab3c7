"""GeoDist of CEPII (`dist_cepii`): distance and ties of pairs of countries, one row for each ordered pair.

Each measure is a series; `geo` and `geo2` are the two ends; `year` is 0, for they do not change. CEPII keeps old codes, which
are mapped: ROM Romania, ZAR Congo (Dem. Rep.), YUG Serbia, TMP Timor-Leste, PAL Palestine. Source: Mayer and Zignago (2011).
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason
from vsm.observatory.sources.checks import Check, each_cell_once
from vsm.observatory.sources.loaders import Loader, Taken
from vsm.observatory.sources.loaders.reading import damages, mapped, shaped, unreadable

if TYPE_CHECKING:
    import pyarrow

OLD_CODES = {"ROM": "ROU", "ZAR": "COD", "YUG": "SRB", "TMP": "TLS", "PAL": "PSE"}
ENDS = ("iso_o", "iso_d")
ALWAYS = 0


def recognises(path: Path, head: bytes) -> bool:
    if path.suffix.lower() != ".parquet" or not head.startswith(b"PAR1"):
        return False
    import pyarrow.parquet as pq

    try:
        return {*ENDS, "dist"} <= set(pq.read_schema(path).names)
    except damages():
        return False


def read(path: Path, progress: Callable[[int, int], None]) -> Taken:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        raw = pq.read_table(path)
        geo, geo2 = (mapped(raw[end], OLD_CODES) for end in ENDS)
        measures = [name for name in raw.column_names if name not in ENDS and pa.types.is_floating(raw.schema.field(name).type)]
    except damages(KeyError) as cause:
        raise unreadable(path.name, str(cause)) from cause
    table = pa.concat_tables([shaped(raw.num_rows, series=name, geo=geo, geo2=geo2, year=ALWAYS, value=raw[name]) for name in measures])
    progress(table.num_rows, table.num_rows)
    return Taken(table, tuple(_checks(table)), edition="GeoDist 2011")


def _checks(table: "pyarrow.Table") -> Iterator[Check]:
    """Each pair once, and as far there as back."""
    import pyarrow.compute as pc

    yield each_cell_once(table)
    rows = table.filter(pc.equal(table["series"], "dist")).select(["geo", "geo2", "value"]).to_pylist()
    far = {(row["geo"], row["geo2"]): row["value"] for row in rows}
    uneven = [pair for pair, value in far.items() if value is None or abs(value - (far.get(pair[::-1]) or -1)) > 1]
    text = N_("%(pairs)s pairs are not as far there as back, the first is %(first)s. The table is damaged; take it from CEPII again.")
    facts = {"pairs": len(uneven), "first": "–".join(uneven[0]) if uneven else ""}
    yield Check("as-far-there-as-back", facts, Reason("distances-differ", text, facts) if uneven else None)


LOADER = Loader("cepii-dist-parquet", "cepii", recognises, read)

"""The engine that observations are computed on: DuckDB inside this process, or the one that VSM_OBSERVATORY_ENGINE names.

Releases are Parquet files, named by their digest and never changed. DuckDB and Spark read them where they lie (Spark's
workers need the data folder at the same path); into ClickHouse and Trino each is copied once, as a table that carries its
digest, so that a second process finds it there. Trino's own server has not been run: its driver and our statements have, against a
stand-in that refuses what we know Trino to refuse.
"""

from collections.abc import Callable, Collection
from contextlib import closing
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from vsm.config import settings
from vsm.kit.errors import Unavailable
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

if TYPE_CHECKING:
    import ibis

# Scheme of an address → what must be installed.
DRIVERS = {"spark": "ibis-framework[pyspark]", "clickhouse": "ibis-framework[clickhouse]", "trino": "ibis-framework[trino]"}
READS_FILES = ("duckdb", "pyspark")
# ClickHouse fills what a join does not find with zeros and empty texts unless it is told to keep to the standard.
SETTINGS: dict[str, dict[str, Any]] = {"clickhouse": {"settings": {"join_use_nulls": 1}}}
RENAMING = {"clickhouse": "RENAME TABLE {old} TO {new}", "trino": "ALTER TABLE {old} RENAME TO {new}"}


def connect() -> "ibis.BaseBackend":
    """A connection to the engine of this installation; for DuckDB a new one, for others the one that is open."""
    import ibis

    address = settings().observatory_engine
    return _remote(address) if address else ibis.duckdb.connect()


def held(among: Collection[str], **tables: "ibis.Table") -> "tuple[ibis.Table, ...]":
    """What each gives, once computed on whatever engine, as a table in this process: for what is asked of it many times. Each
    question would else carry the whole way from the observations, and putting that into SQL takes longer than the answer.
    Of rows with places (`geo`, `geo2`) those whose places are all `among` these: chosen here, for a list of two hundred countries
    in each question takes longer to put into SQL than all the rest of it."""
    import ibis
    import pyarrow as pa
    import pyarrow.compute as pc

    here, places = ibis.duckdb.connect(), pa.array(sorted(among), pa.string())
    for name, table in tables.items():
        rows = table.to_pyarrow()
        for end in ("geo", "geo2"):
            if end in rows.column_names:
                rows = rows.filter(pc.is_in(rows[end], value_set=places))
        here.con.register(name, rows)
    return tuple(here.table(name) for name in tables)


@cache
def _remote(address: str) -> "ibis.BaseBackend":
    """Raises `Unavailable` where the driver is missing or nobody answers."""
    return opened(address, {"spark": _spark, "trino": _trino}.get(urlsplit(address).scheme, _ibis))


def opened(address: str, connecting: Callable[[str], Any]) -> Any:
    """What `connecting` gives for an address, or a refusal that names no password."""
    parts = urlsplit(address)
    told = {"engine": parts.scheme, "host": parts.hostname or "", "driver": DRIVERS[parts.scheme]}
    try:
        return connecting(address)
    except ImportError as cause:
        text = N_("VSM_OBSERVATORY_ENGINE names %(engine)s, and its driver is not installed: pip install '%(driver)s'. Without the setting the Observatory computes inside this process.")
        raise Unavailable(Reason("engine-driver-missing", text, told)) from cause
    except Exception as cause:  # each driver has errors of its own
        text = N_("The engine %(engine)s at %(host)s does not answer (%(cause)s). See VSM_OBSERVATORY_ENGINE, or leave it out to compute inside this process.")
        raise Unavailable(Reason("engine-unreachable", text, {**told, "cause": type(cause).__name__})) from cause


def _ibis(address: str) -> Any:
    import ibis

    return ibis.connect(address, **SETTINGS.get(urlsplit(address).scheme, {}))


def _spark(address: str) -> Any:
    """`spark://host:7077` is a cluster's master, `spark://local` all cores of this computer."""
    import ibis
    from pyspark.sql import SparkSession  # type: ignore[import-not-found, unused-ignore]  # -- an extra

    master = "local[*]" if urlsplit(address).hostname == "local" else address
    building = SparkSession.builder.appName("OpenVSM").master(master).config("spark.sql.session.timeZone", "UTC").config("spark.ui.enabled", "false")
    return ibis.pyspark.connect(building.getOrCreate())


def _trino(address: str) -> Any:
    from vsm.observatory.sources import trino

    return trino.connected(address)


def release_table(engine: "ibis.BaseBackend", digest: str, path: str) -> "ibis.Table":
    """The observations of a release on an engine: the file, or the copy of it that is there or is made now."""
    if engine.name in READS_FILES:
        return engine.read_parquet(path)
    import ibis
    import pyarrow.parquet as pq

    name = f"observations_{digest[:32]}"
    if name not in engine.list_tables():
        # Whole or not at all: filled under a name of its own, then renamed; who comes second finds it done.
        partial = f"{name}_{uuid4().hex[:8]}"
        try:
            _put(engine, partial, pq.read_table(path))
            _said(engine, RENAMING[engine.name].format(old=partial, new=name))
        except Exception:
            _said(engine, f"DROP TABLE IF EXISTS {partial}")
            if name not in engine.list_tables():
                raise
    return engine.table(name).cast(ibis.schema(pq.read_schema(path)))


def _put(engine: Any, name: str, table: Any) -> None:
    if engine.name == "trino":
        from vsm.observatory.sources import trino

        trino.put(engine, name, table)
    else:
        engine.create_table(name, table)


def _said(engine: Any, statement: str) -> None:
    """A statement about tables that Ibis has no words for on this engine."""
    with closing(engine.raw_sql(statement)):
        pass

"""One set of expressions: every indicator gives the same frame on DuckDB, on Spark and on ClickHouse; another engine is a setting away."""

import hashlib
import importlib.util
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ibis
import pyarrow.parquet as pq
import pytest

from tests.observatory import world
from vsm.config import WrongSetting, settings
from vsm.exchange.institutions.models import Hub
from vsm.kit.actors import SYSTEM
from vsm.kit.errors import Unavailable
from vsm.observatory.geography.sets import sdg
from vsm.observatory.indicators import measures
from vsm.observatory.indicators.catalogue import catalogue
from vsm.observatory.indicators.computed import ENROLLED, computed
from vsm.observatory.sources import engines
from vsm.observatory.sources.actions import load
from vsm.observatory.sources.observations import observations

SPARK = "Spark is not here: uv pip install --require-hashes -r requirements-spark.lock (or pip), and a Java 17 runtime (apt install default-jre-headless)"
CLICKHOUSE = "ClickHouse is not here: uv pip install --require-hashes -r requirements-clickhouse.lock (or pip), 556 MB"
QUIET = {
    "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.session.timeZone": "UTC",
    # Small frames, many plans: compiling a plan costs more than walking it.
    "spark.sql.shuffle.partitions": "1", "spark.default.parallelism": "1", "spark.sql.adaptive.enabled": "false", "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN", "spark.log.level": "ERROR",
    # Most of its time is the loading of ten thousand classes: they need not be verified again here.
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote",
}  # fmt: skip


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ibis.BaseBackend]:
    """Spark on one core. Without it the test is skipped by name, or fails where VSM_REQUIRE asks for it."""
    if importlib.util.find_spec("pyspark") is None or not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        if "spark" in os.environ.get("VSM_REQUIRE", "").split(","):
            pytest.fail(SPARK)
        pytest.skip(SPARK)
    from pyspark.sql import SparkSession  # type: ignore[import-not-found, unused-ignore]  # -- an extra

    room = tmp_path_factory.mktemp("spark")
    building = SparkSession.builder.appName("vsm-tests").master("local[1]")
    for name, value in {**QUIET, "spark.local.dir": str(room), "spark.sql.warehouse.dir": str(room / "warehouse")}.items():
        building = building.config(name, value)
    session = building.getOrCreate()
    yield ibis.pyspark.connect(session)
    session.stop()


@pytest.fixture(scope="module")
def clickhouse() -> ibis.BaseBackend:
    """ClickHouse inside this process (chDB), through the driver and with the settings of a server of its own."""
    if importlib.util.find_spec("chdb") is None or importlib.util.find_spec("clickhouse_connect") is None:
        if "clickhouse" in os.environ.get("VSM_REQUIRE", "").split(","):
            pytest.fail(CLICKHOUSE)
        pytest.skip(CLICKHOUSE)
    from ibis.backends.clickhouse import Backend

    class Embedded(Backend):
        """A server takes small tables along with a question; the embedded engine does not, so they are put into it before."""

        def _normalize_external_tables(self, external_tables: Any = None) -> None:
            for name, small in (external_tables or {}).items():
                if name not in self.list_tables():
                    self.create_table(name, schema=small.schema, engine="Memory")
                    self.insert(name, small.data.to_pyarrow(small.schema))

    return Embedded().connect(interface="chdb", **engines.SETTINGS["clickhouse"])


def frames(engine: ibis.BaseBackend, folder: Path) -> dict[str, Any]:
    obs, shares = (engines.release_table(engine, hashlib.sha256(path.read_bytes()).hexdigest(), str(path)) for path in (folder / "observations.parquet", folder / "shares.parquet"))
    found = {name: computed(obs, name, **({"shares": shares} if name == "dissimilarity" else world.OPTIONS.get(name, {}))) for name in catalogue()}
    # Beyond the defaults: by what others hold, and of those alone who always report.
    found["regional-sum by enrolment"] = measures.by_region(measures.net(obs), sdg(), measures.series(obs, ENROLLED))
    found["regional-sum of a panel"] = computed(obs, "regional-sum", matched=(2020, 2022))
    return {name: expression.to_pyarrow() for name, expression in found.items()}


@pytest.mark.filterwarnings("ignore")  # Spark and pandas warn of each other's versions
@pytest.mark.parametrize("other", ["spark", "clickhouse"])
def test_every_indicator_gives_the_same_frame_on_duckdb_and_on(other: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    pq.write_table(world.observations(40, 12, partners=4), tmp_path / "observations.parquet")
    pq.write_table(world.shares(), tmp_path / "shares.parquet")
    ours, theirs = frames(ibis.duckdb.connect(), tmp_path), frames(request.getfixturevalue(other), tmp_path)
    for name in ours:
        assert (name, ours[name].schema.names, ours[name].schema.types) == (name, theirs[name].schema.names, theirs[name].schema.types)
        assert (name, rows_of(theirs[name])) == (name, [tuple(pytest.approx(cell, rel=1e-9, abs=1e-12) if isinstance(cell, float) else cell for cell in row) for row in rows_of(ours[name])])


def rows_of(frame: Any) -> list[tuple[Any, ...]]:
    """Rows in the order of their keys; no engine promises another."""
    keys = [name for name in ("geo", "year") if name in frame.schema.names]
    return [tuple(row.values()) for row in frame.sort_by([(name, "ascending") for name in keys]).to_pylist()]


def test_a_join_of_clickhouse_leaves_null_what_it_does_not_find_and_without_the_setting_it_would_not(clickhouse: ibis.BaseBackend) -> None:
    joining = "SELECT r.value AS value FROM (SELECT 1 AS key) AS l LEFT JOIN (SELECT 2 AS key, 7 AS value) AS r ON l.key = r.key"
    told = [clickhouse.con.query(joining + control).result_rows for control in ("", " SETTINGS join_use_nulls = 0")]
    assert told == [[(None,)], [(0,)]]


@pytest.mark.django_db
def test_clickhouse_gets_each_release_once_and_tells_what_duckdb_tells(clickhouse: ibis.BaseBackend, tmp_path: Path) -> None:
    Hub(name="OpenVSM", contact="olga@hub.example").save()
    for day, value in ((1, 15000), (2, 16000)):
        path = tmp_path / f"{day}.csv"
        path.write_text(f"indicatorId,geoUnit,year,value,qualifier,magnitude\n26637,CHL,2021,{value},,\n2660{day},PER,2021,{day},,\n", "utf-8")
        load(path, by=SYSTEM, now=datetime(2026, 11, day, tzinfo=UTC))

    def told(engine: ibis.BaseBackend | None) -> list[tuple[Any, ...]]:
        return sorted(tuple(map(str, row.values())) for row in observations(source="uis", engine=engine).to_pyarrow().to_pylist())

    before = copies(clickhouse)
    assert (told(clickhouse), told(clickhouse)) == (told(None), told(None))
    assert len(copies(clickhouse) - before) == 2


def test_of_two_processes_that_copy_into_clickhouse_at_once_the_second_finds_it_done(clickhouse: ibis.BaseBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(world.observations(2, 1, partners=1), tmp_path / "release.parquet")
    name, creating, before = "observations_" + "e" * 32, clickhouse.create_table, copies(clickhouse)

    def overtaken(*told: Any, **more: Any) -> Any:
        monkeypatch.undo()
        done = creating(*told, **more)
        creating(name, pq.read_table(tmp_path / "release.parquet"))  # the other process was faster
        return done

    monkeypatch.setattr(clickhouse, "create_table", overtaken)
    rows = engines.release_table(clickhouse, "e" * 64, str(tmp_path / "release.parquet")).to_pyarrow().num_rows
    assert (rows, copies(clickhouse) - before) == (pq.read_table(tmp_path / "release.parquet").num_rows, {name})


def copies(engine: ibis.BaseBackend) -> set[str]:
    return {name for name in engine.list_tables() if name.startswith("observations_")}


@pytest.mark.parametrize("dialect", ["clickhouse", "trino"])
def test_every_indicator_can_be_said_to_clickhouse_and_trino(dialect: str) -> None:
    obs, shares = ibis.table(ibis.memtable(world.observations(2, 1, partners=1)).schema(), name="observations"), ibis.table(ibis.memtable(world.shares()).schema(), name="shares")
    for name in catalogue():
        options = {"shares": shares} if name == "dissimilarity" else world.OPTIONS.get(name, {})
        assert "SELECT" in ibis.to_sql(computed(obs, name, **options), dialect=dialect)


@pytest.mark.parametrize("address", ["mysql://host/x", "clickhouse:", "duck", "spark://"])
def test_an_engine_that_is_none_stops_the_start_with_an_example_and_without_the_password(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VSM_OBSERVATORY_ENGINE", address)
    with pytest.raises(WrongSetting, match="clickhouse://user:password@host"):
        settings.__wrapped__()
    monkeypatch.setenv("VSM_OBSERVATORY_ENGINE", "postgres://me:s3cret@host/x")
    with pytest.raises(WrongSetting) as told:
        settings.__wrapped__()
    assert "s3cret" not in str(told.value)


def test_the_engine_is_duckdb_unless_a_setting_names_another(monkeypatch: pytest.MonkeyPatch) -> None:
    assert engines.connect().name == "duckdb"
    for address in ("clickhouse://user:pw@host:8123/vsm", "trino://me@host:8080/lake/vsm", "spark://local"):
        monkeypatch.setenv("VSM_OBSERVATORY_ENGINE", address)
        assert settings.__wrapped__().observatory_engine == address


def test_a_missing_driver_or_a_silent_host_is_refused_with_what_to_do() -> None:
    def lacking(address: str) -> None:
        raise ModuleNotFoundError("clickhouse_connect")

    def silent(address: str) -> None:
        raise OSError(address)

    for connecting, code in ((lacking, "engine-driver-missing"), (silent, "engine-unreachable")):
        with pytest.raises(Unavailable) as told:
            engines.opened("clickhouse://user:s3cret@warehouse.example/vsm", connecting)
        [reason] = told.value.reasons
        assert (reason.code, reason.params["engine"], "s3cret" in str(told.value)) == (code, "clickhouse", False)
    assert reason.params["host"] == "warehouse.example"


class Warehouse:
    """An engine of another process: it has tables and reads no files of ours. Notes what is copied into it."""

    name = "trino"

    def __init__(self) -> None:
        self.inside, self.copied = ibis.duckdb.connect(), list[str]()

    def list_tables(self) -> list[str]:
        return [row[0] for row in self.inside.con.execute("SHOW TABLES").fetchall()]

    def create_table(self, name: str, table: Any) -> None:
        self.copied.append(name)
        self.inside.con.register("coming", table)
        self.inside.con.execute(f"CREATE TABLE {name} AS SELECT * FROM coming")
        self.inside.con.unregister("coming")

    def raw_sql(self, statement: str) -> Any:
        return self.inside.con.cursor().execute(statement)

    def table(self, name: str) -> ibis.Table:
        return ibis.memtable(self.inside.con.sql(f"SELECT * FROM {name}").to_arrow_table())


@pytest.mark.django_db
def test_an_engine_that_reads_no_files_gets_each_release_once(tmp_path: Path) -> None:
    Hub(name="OpenVSM", contact="olga@hub.example").save()
    for day, value in ((1, 15000), (2, 16000)):
        path = tmp_path / f"{day}.csv"
        path.write_text(f"indicatorId,geoUnit,year,value,qualifier,magnitude\n26637,CHL,2021,{value},,\n2660{day},PER,2021,{day},,\n", "utf-8")
        load(path, by=SYSTEM, now=datetime(2026, 11, day, tzinfo=UTC))
    elsewhere = Warehouse()

    def counted() -> list[tuple[str, float]]:
        return sorted((row["series"], row["value"]) for row in observations(source="uis", engine=elsewhere).to_pyarrow().to_pylist())

    assert counted() == counted() == [("26637", 16000.0), ("flows", 1.0), ("flows", 2.0)]
    assert (len(elsewhere.copied), len(elsewhere.list_tables())) == (2, 2)
    assert not set(elsewhere.copied) & set(elsewhere.list_tables())


def test_two_processes_that_copy_at_once_leave_one_table(tmp_path: Path) -> None:
    pq.write_table(world.observations(2, 1, partners=1), tmp_path / "release.parquet")
    elsewhere = Warehouse()
    creating = elsewhere.create_table

    def overtaken(name: str, table: Any) -> None:
        creating(name, table)
        elsewhere.inside.con.execute(f"CREATE TABLE {name.rpartition('_')[0]} AS SELECT * FROM {name}")  # the other process was faster

    elsewhere.create_table = overtaken  # type: ignore[method-assign]  # -- a double's double
    rows = engines.release_table(elsewhere, "d" * 64, str(tmp_path / "release.parquet")).to_pyarrow().num_rows
    assert (rows > 0, elsewhere.list_tables()) == (True, ["observations_" + "d" * 32])

"""One set of expressions: every indicator gives the same frame on DuckDB, on Spark, on ClickHouse, and through Trino's driver on a stand-in."""

import hashlib
import importlib.util
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from trino.exceptions import TrinoUserError

from tests.observatory import world
from tests.observatory.trino import Standin, served
from vsm.config import WrongSetting, settings
from vsm.exchange.institutions.models import Hub
from vsm.kit.actors import SYSTEM
from vsm.kit.errors import Unavailable
from vsm.observatory.geography.sets import sdg
from vsm.observatory.indicators import measures
from vsm.observatory.indicators.catalogue import catalogue
from vsm.observatory.indicators.computed import ENROLLED, computed
from vsm.observatory.sources import engines, trino
from vsm.observatory.sources.actions import load
from vsm.observatory.sources.observations import observations, schema

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


@pytest.fixture(scope="module")
def standin() -> Iterator[tuple[Standin, str]]:
    with served() as found:
        yield found


@pytest.fixture(scope="module")
def trino_standin(standin: tuple[Standin, str]) -> ibis.BaseBackend:
    """Trino's driver and Ibis's compiler, from the setting on; a stand-in in the place of the server."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VSM_OBSERVATORY_ENGINE", standin[1])
        patch.setattr(engines, "settings", settings.__wrapped__)
        return engines.connect()


def frames(engine: ibis.BaseBackend, folder: Path) -> dict[str, Any]:
    obs, shares = (engines.release_table(engine, hashlib.sha256(path.read_bytes()).hexdigest(), str(path)) for path in (folder / "observations.parquet", folder / "shares.parquet"))
    found = {name: computed(obs, name, **({"shares": shares} if name == "dissimilarity" else world.OPTIONS.get(name, {}))) for name in catalogue()}
    # Beyond the defaults: by what others hold, and of those alone who always report.
    found["regional-sum by enrolment"] = measures.by_region(measures.net(obs), sdg(), measures.series(obs, ENROLLED))
    found["regional-sum of a panel"] = computed(obs, "regional-sum", matched=(2020, 2022))
    return {name: expression.to_pyarrow() for name, expression in found.items()}


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Where observations and shares lie, and every frame as DuckDB gives it."""
    folder = tmp_path_factory.mktemp("ours")
    pq.write_table(world.observations(40, 12, partners=4), folder / "observations.parquet")
    pq.write_table(world.shares(), folder / "shares.parquet")
    return folder, frames(ibis.duckdb.connect(), folder)


@pytest.mark.filterwarnings("ignore")  # Spark and pandas warn of each other's versions
@pytest.mark.parametrize("other", [pytest.param("spark", marks=pytest.mark.wide), "clickhouse", "trino_standin"])
def test_every_indicator_gives_the_same_frame_on_duckdb_and_on(other: str, request: pytest.FixtureRequest, ours: tuple[Path, dict[str, Any]]) -> None:
    told, theirs = ours[1], frames(request.getfixturevalue(other), ours[0])
    for name in told:
        assert (name, told[name].schema.names, told[name].schema.types) == (name, theirs[name].schema.names, theirs[name].schema.types)
        assert (name, rows_of(theirs[name])) == (name, [tuple(pytest.approx(cell, rel=1e-9, abs=1e-12) if isinstance(cell, float) else cell for cell in row) for row in rows_of(told[name])])


def rows_of(frame: Any) -> list[tuple[Any, ...]]:
    """Rows in the order of their keys; no engine promises another."""
    keys = [name for name in ("geo", "year") if name in frame.schema.names]
    return [tuple(row.values()) for row in frame.sort_by([(name, "ascending") for name in keys]).to_pylist()]


def test_a_join_of_clickhouse_leaves_null_what_it_does_not_find_and_without_the_setting_it_would_not(clickhouse: ibis.BaseBackend) -> None:
    joining = "SELECT r.value AS value FROM (SELECT 1 AS key) AS l LEFT JOIN (SELECT 2 AS key, 7 AS value) AS r ON l.key = r.key"
    told = [clickhouse.con.query(joining + control).result_rows for control in ("", " SETTINGS join_use_nulls = 0")]
    assert told == [[(None,)], [(0,)]]


@pytest.mark.django_db
@pytest.mark.parametrize("other", ["clickhouse", "trino_standin"])
def test_an_engine_that_reads_no_files_gets_each_release_once_and_tells_what_duckdb_tells(other: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    elsewhere = request.getfixturevalue(other)
    Hub(name="OpenVSM", contact="olga@hub.example").save()
    for day, value in ((1, 15000), (2, 16000)):
        path = tmp_path / f"{day}.csv"
        path.write_text(f"indicatorId,geoUnit,year,value,qualifier,magnitude\n26637,CHL,2021,{value},,\n2660{day},PER,2021,{day},,\n", "utf-8")
        load(path, by=SYSTEM, now=datetime(2026, 11, day, tzinfo=UTC))

    def told(engine: ibis.BaseBackend | None) -> list[tuple[Any, ...]]:
        return sorted(tuple(map(str, row.values())) for row in observations(source="uis", engine=engine).to_pyarrow().to_pylist())

    before = copies(elsewhere)
    assert (told(elsewhere), told(elsewhere)) == (told(None), told(None))
    assert len(copies(elsewhere) - before) == 2


@pytest.mark.parametrize("other", ["clickhouse", "trino_standin"])
def test_of_two_processes_that_copy_at_once_the_second_finds_it_done(other: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = request.getfixturevalue(other)
    pq.write_table(world.observations(2, 1, partners=1), tmp_path / "release.parquet")
    name, putting, before = "observations_" + "e" * 32, engines._put, copies(elsewhere)

    def overtaken(engine: Any, partial: str, table: Any) -> None:
        putting(engine, partial, table)
        putting(engine, name, table)  # the other process was faster

    monkeypatch.setattr(engines, "_put", overtaken)
    rows = engines.release_table(elsewhere, "e" * 64, str(tmp_path / "release.parquet")).to_pyarrow().num_rows
    assert (rows, copies(elsewhere) - before) == (pq.read_table(tmp_path / "release.parquet").num_rows, {name})


def copies(engine: ibis.BaseBackend) -> set[str]:
    return {name for name in engine.list_tables() if name.startswith("observations_")}


# What DuckDB takes and Trino does not; `lent` has series (text), year (integer) and value (double).
STRICTER = {
    "SELECT MEDIAN(value) FROM lent": "FUNCTION_NOT_FOUND",
    "SELECT series FROM lent WHERE year = '2021'": "TYPE_MISMATCH",
    "SELECT IF(year, 1, 2) FROM lent": "TYPE_MISMATCH",
    "SELECT SUM(year > 2020) FROM lent": "FUNCTION_NOT_FOUND",
    "SELECT series || year FROM lent": "FUNCTION_NOT_FOUND",
    "INSERT INTO lent VALUES ('26637', '2021', 1)": "TYPE_MISMATCH",
    "SELECT UPPER(series) FROM lent": "FUNCTION_NOT_FOUND",  # Trino has it; our statements do not, and the list is of both
    "SELECT year + 1 AS later FROM lent WHERE later > 2021": "COLUMN_NOT_FOUND",
    "SELECT series AS code, SUM(value) FROM lent GROUP BY code": "COLUMN_NOT_FOUND",
    "SELECT year FROM lent QUALIFY ROW_NUMBER() OVER (ORDER BY year) = 1": "SYNTAX_ERROR",
    "SELECT year::DOUBLE FROM lent": "SYNTAX_ERROR",
    "SELECT year FROM lent;": "SYNTAX_ERROR",
    "CREATE TABLE small (year SMALLINT)": "NOT_SUPPORTED",
    f"SELECT '{'x' * 1_000_000}'": "QUERY_TEXT_TOO_LARGE",
}


@pytest.mark.parametrize("statement", STRICTER, ids=lambda statement: statement[:60])
def test_the_stand_in_refuses_what_duckdb_takes_and_trino_refuses(statement: str, standin: tuple[Standin, str], trino_standin: Any) -> None:
    lent = "CREATE TABLE lent (series VARCHAR, year INTEGER, value DOUBLE)"
    duckdb.execute(f"DROP TABLE IF EXISTS lent; DROP TABLE IF EXISTS small; {lent}; {statement}")
    if "lent" not in trino_standin.list_tables():
        trino_standin.raw_sql(lent)
    with pytest.raises(TrinoUserError) as told:
        trino_standin.raw_sql(statement)
    assert told.value.error_name == STRICTER[statement]


def test_the_stand_in_computes_as_trino_does_where_duckdb_would_not(trino_standin: Any) -> None:
    asked = "SELECT 1 / 2, GREATEST(1, NULL), LEAST(NULL, 1), 1E0 / 0, -infinity(), CAST('2024-02-29' AS DATE), CAST(0.5 AS DECIMAL(3, 2))"
    [row] = trino_standin.raw_sql(asked).fetchall()
    assert row == [0, None, None, float("inf"), float("-inf"), date(2024, 2, 29), Decimal("0.50")]


def test_trino_gets_a_large_release_in_statements_that_it_reads_and_none_if_one_is_refused(
    standin: tuple[Standin, str], trino_standin: ibis.BaseBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, many = world.observations(40, 12, partners=4), 12_000
    large, path = pa.concat_tables([rows] * (many // rows.num_rows + 1)).slice(0, many), str(tmp_path / "release.parquet")
    long = large.slice(0, 1).set_column(0, "series", pa.array(["x'" * 400]))
    pq.write_table(pa.concat_tables([large, *[long] * 2_000]), path)
    before, begun = copies(trino_standin), len(standin[0].said)
    counted = engines.release_table(trino_standin, "c" * 64, path).count().to_pyarrow().as_py()
    inserts = [len(statement) for statement in standin[0].said[begun:] if statement.startswith("INSERT")]
    assert (counted, len(inserts), max(inserts) < 1_000_000) == (many + 2_000, 10, True)
    # The control: in one statement it is not read, and nothing is left of the attempt.
    monkeypatch.setattr(trino, "ROWS", 10**9)
    monkeypatch.setattr(trino, "LENGTH", 10**9)
    with pytest.raises(TrinoUserError, match="QUERY_TEXT_TOO_LARGE"):
        engines.release_table(trino_standin, "d" * 64, path)
    assert copies(trino_standin) - before == {"observations_" + "c" * 32}


def test_every_text_number_and_day_arrives_in_trino_as_it_was(trino_standin: Any, tmp_path: Path) -> None:
    texts = ["", "O'Higgins", "''", "a\\'b", 'say "x"', "two\nlines", "Åland 🎓", "NULL", None]
    values = [0.1, -0.0, 1e300, 5e-324, 1 / 3, 123456789.0, None, float("inf"), 2.0**53 + 2]
    days = [date(1970, 1, 1), date(2024, 2, 29), *[None] * 7]
    told = pa.table([texts, texts, texts, [2021] * 9, days, values, texts, texts], names=schema().names).cast(schema())
    pq.write_table(told, tmp_path / "release.parquet")
    found = engines.release_table(trino_standin, "f" * 64, str(tmp_path / "release.parquet"))
    assert (found.schema().to_pyarrow(), found.to_pyarrow().to_pylist()) == (schema(), told.to_pylist())


def test_a_small_table_travels_inside_the_question_and_leaves_nothing_in_trino(standin: tuple[Standin, str], trino_standin: Any, tmp_path: Path) -> None:
    small = pa.table({"geo": ["CHL", "O'H"], "since": pa.array([2020, None], pa.int16())})
    pq.write_table(world.observations(2, 1, partners=1), tmp_path / "release.parquet")
    obs, before = engines.release_table(trino_standin, "9" * 64, str(tmp_path / "release.parquet")), trino_standin.list_tables()
    joined = obs.aggregate(n=obs.count()).cross_join(ibis.memtable(small)).select("geo", "since").order_by("geo")
    nothing = obs.inner_join(ibis.memtable(small.slice(0, 0)), "geo")
    assert (joined.to_pyarrow().cast(small.schema).to_pylist(), nothing.to_pyarrow().num_rows, trino_standin.list_tables()) == (small.to_pylist(), 0, before)
    # The control: Ibis alone makes a table of it, which a lake does not take.
    with pytest.raises(TrinoUserError, match="Type not supported for Iceberg"):
        ibis.connect(standin[1]).table("observations_" + "9" * 32).cross_join(ibis.memtable(small)).to_pyarrow()


def test_trino_is_asked_at_once_whether_it_answers_and_gets_a_password_over_tls_alone(standin: tuple[Standin, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for address in (standin[1].replace("/lake/", "/pond/"), "trino://ana@127.0.0.1:9/lake/vsm"):
        with pytest.raises(Unavailable, match="does not answer"):
            engines._remote(address)
    monkeypatch.setattr(trino.Trino, "list_tables", lambda _self: [])
    con = trino.connected("trino://ana:s%2Fcret@warehouse.example/lake/vsm").con
    assert (con.http_scheme, con.port, con.catalog, con.schema, con.auth._password) == ("https", 443, "lake", "vsm", "s/cret")


def test_every_indicator_can_be_said_to_clickhouse() -> None:
    obs, shares = ibis.table(ibis.memtable(world.observations(2, 1, partners=1)).schema(), name="observations"), ibis.table(ibis.memtable(world.shares()).schema(), name="shares")
    for name in catalogue():
        options = {"shares": shares} if name == "dissimilarity" else world.OPTIONS.get(name, {})
        assert "SELECT" in ibis.to_sql(computed(obs, name, **options), dialect="clickhouse")


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


def test_what_is_held_is_what_was_computed_and_is_joined_in_this_process(tmp_path: Path) -> None:
    pq.write_table(world.observations(4, 3, partners=2), tmp_path / "observations.parquet")
    obs = ibis.duckdb.connect().read_parquet(tmp_path / "observations.parquet")
    inward, outward = measures.inbound(obs), measures.outbound(obs)
    kept = engines.held(obs.geo.execute(), inward=inward, outward=outward, nothing=obs.filter(obs.year == 1900))
    for computed_now, held_before in zip((inward, outward), kept, strict=False):
        assert (held_before.schema(), rows_of(held_before.to_pyarrow())) == (computed_now.schema(), rows_of(computed_now.to_pyarrow()))
    assert (kept[2].schema(), kept[2].to_pyarrow().num_rows) == (obs.schema(), 0)
    assert rows_of(measures.balance(*kept[:2]).to_pyarrow()) == rows_of(measures.balance(inward, outward).to_pyarrow())
    [one] = obs.filter(obs.geo2 != "").limit(1).to_pyarrow().to_pylist()
    (both,) = engines.held({one["geo"], one["geo2"]}, obs=obs.filter(obs.geo2 != ""))
    ends = {(row["geo"], row["geo2"]) for row in both.to_pyarrow().to_pylist()}
    assert (one["geo"], one["geo2"]) in ends
    assert obs.filter(obs.geo2 != "").select("geo", "geo2").distinct().count().execute() > len(ends)
    assert ends <= {(geo, geo2) for geo in (one["geo"], one["geo2"]) for geo2 in (one["geo"], one["geo2"])}

"""Every indicator is told, computed and bounded: the catalogue, the measures and the tables say the same."""

import inspect

import ibis
import pytest

from tests.observatory import world
from vsm.observatory.indicators import measures
from vsm.observatory.indicators.catalogue import catalogue
from vsm.observatory.indicators.computed import COMPUTED, computed

# Measures that prepare or check others and are no indicators themselves.
PARTS = {"series", "identity", "matched", "of"}


@pytest.fixture(scope="module")
def obs() -> ibis.Table:
    return ibis.memtable(world.observations(40, 12, partners=4))


def table_of(obs: ibis.Table, name: str) -> ibis.Table:
    options = {"shares": ibis.memtable(world.shares())} if name == "dissimilarity" else world.OPTIONS.get(name, {})
    return computed(obs, name, **options)


def test_every_indicator_has_its_measure_and_every_measure_its_entry() -> None:
    public = {name for name, each in inspect.getmembers(measures, inspect.isfunction) if not name.startswith("_")} - PARTS
    assert {each.measure for each in catalogue().values()} == public
    assert set(COMPUTED) == set(catalogue())


def test_what_the_brief_on_indicators_names_is_there() -> None:
    assert list(catalogue()) == [
        "inbound", "outbound", "net", "inbound-rate", "outbound-ratio", "net-per-thousand", "matched-growth", "regional-share", "regional-sum", "intraregional",
        "concentration", "balance", "stay", "parity", "concentration-index", "dissimilarity", "carbon", "event-turnout",
    ]  # fmt: skip


@pytest.mark.parametrize("name", list(catalogue()))
def test_an_indicator_comes_with_its_bounds_and_its_coverage(obs: ibis.Table, name: str) -> None:
    rows = [row for row in table_of(obs, name).to_pyarrow().to_pylist() if row["coverage"] is not None]
    bounds, several = catalogue()[name].bounds, {"balance", "concentration"}
    assert rows
    assert all(0 <= row["coverage"] <= 1 + 1e-9 for row in rows)
    told = [row for row in rows if name not in several and row["low"] is not None]
    assert all(row["low"] <= (row["high"] if row["high"] is not None else row["low"]) for row in told)
    assert bool(told) == (name not in several)
    known = [row for row in told if row["value"] is not None]
    if bounds == "exact":
        assert all(row["low"] == row["value"] == row["high"] for row in known)
    elif bounds == "lower-bound":
        assert all(row["value"] == row["low"] for row in known)
        assert any(row["high"] != row["low"] for row in known)
    elif bounds == "range":
        assert any(row["value"] is None and row["low"] < row["high"] for row in told)
    else:
        assert all(row["low"] < row["value"] < row["high"] for row in known if 0 < row["value"] < (1 if catalogue()[name].unit == "share" else 2))


def test_the_shares_of_the_seven_regions_make_one(obs: ibis.Table) -> None:
    from vsm.observatory.geography import regions

    seven = {region.published for region in regions().values() if region.level == 1}
    rows = [row for row in table_of(obs, "regional-share").to_pyarrow().to_pylist() if row["geo"] in seven and row["year"] == 2024]
    assert sum(row["value"] for row in rows) == pytest.approx(1)

"""What the handbook shows analysts runs as it stands."""

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pytest
from django.core.exceptions import SynchronousOnlyOperation
from django.utils.asyncio import async_unsafe

import vsm.observatory as observatory
from vsm.config import ROOT, settings
from vsm.exchange.institutions.models import Hub
from vsm.kit.actors import SYSTEM
from vsm.kit.errors import Invalid
from vsm.observatory.estimates.actions import run_study
from vsm.observatory.indicators.catalogue import catalogue
from vsm.observatory.sources.actions import load, ship

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
HANDBOOK = (ROOT / "docs" / "handbook" / "analyst.md").read_text("utf-8")


@pytest.fixture
def hub(db: None) -> Hub:
    found = Hub(name="OpenVSM", contact="olga@hub.example")
    found.save()
    return found


def block(language: str) -> str:
    part = HANDBOOK[HANDBOOK.index("## In a notebook") :]
    found = re.search(rf"```{language}\n(.*?)```", part, re.DOTALL)
    assert found
    return found[1]


def mine(folder: Path) -> Path:
    path = folder / "mine.csv"
    rows = [f"{geo},{year},{1000 * (number + 1) * 1.04 ** (year - 2000) * (0.7 if year == 2021 else 1):.0f}" for number, geo in enumerate(("PER", "CHL", "COL", "BOL", "ECU")) for year in range(2000, 2023)]
    path.write_text("geo,year,value\n" + "\n".join(rows) + "\n", "utf-8")
    return path


def test_the_example_of_the_handbook_runs(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ship(now=NOW)
    uis = tmp_path / "uis.csv"
    uis.write_text("indicatorId,geoUnit,year,value,qualifier,magnitude\n" + "".join(f"26637,{geo},{year},{value},,\nMENF.5T8,{geo},{year},-{value},,\n" for geo, value in (("PER", 10), ("COL", 30)) for year in (2021, 2022)))
    load(uis, by=SYSTEM, now=NOW)
    run_study(hub, by=SYSTEM, now=NOW, kind="covid-effect")
    mine(tmp_path)
    (tmp_path / "andes.yaml").write_text(block("yaml"), "utf-8")
    monkeypatch.chdir(tmp_path)
    for name in ("VSM_DATA", "DJANGO_SETTINGS_MODULE", "DJANGO_ALLOW_ASYNC_UNSAFE"):
        monkeypatch.setenv(name, "")  # whatever the example sets is taken back afterwards
        monkeypatch.delenv(name)
    found: dict[str, Any] = {}
    exec(block("python").replace("/var/lib/vsm", str(settings().data)), found)
    assert found["inbound"].columns == ("geo", "year", "value", "low", "high", "coverage", "merged")
    sums = observatory.indicator("regional-sum", regions=found["andes"]).to_pandas()
    assert sums[["geo", "year", "value", "coverage"]].to_dict("list") == {"geo": ["andes", "andes"], "year": [2021, 2022], "value": [40.0, 40.0], "coverage": [0.5, 0.5]}
    assert set(observatory.releases().source) == {"uis", "facts"}
    gap = found["facts"][found["facts"].key == "gap.world.2021"].iloc[0]
    assert (round(gap.value, 3), gap.design) == (-0.055, "counterfactual")
    own = found["gaps"]
    assert round(own[own.key == "gap.PER.2021"].value.iloc[0], 2) == -0.3
    assert {"coverage-1", "better-than-naive", "placebos"} <= set(found["passed"].gate)
    grouped, _passed = observatory.study("covid-effect", of=found["sums"])
    assert set(grouped.source) == {"own"}
    assert {key: round(value, 2) for key, value in zip(grouped.key, grouped.value, strict=True) if key.endswith(".2021") and key.startswith("gap.")} == {"gap.andes.2021": -0.3, "gap.others.2021": -0.3}


def test_a_cell_runs_inside_an_event_loop_where_django_alone_would_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "")
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE")

    @async_unsafe
    def asks_the_database() -> str:
        return "answered"

    async def cell(*, opened: bool) -> str:
        if opened:
            observatory.start()
        return asks_the_database()

    with pytest.raises(SynchronousOnlyOperation):
        asyncio.run(cell(opened=False))
    assert asyncio.run(cell(opened=True)) == "answered"


def test_tables_are_lazy_and_frames_have_their_columns_when_nothing_is_there(hub: Hub) -> None:
    assert isinstance(observatory.indicator("inbound"), ibis.Table)
    assert (len(observatory.facts("covid-effect")), list(observatory.gates("covid-effect").columns)) == (0, ["gate", "passed", "measured", "asked"])
    assert list(observatory.catalogue().id) == list(catalogue())
    assert isinstance(observatory.releases(), pd.DataFrame)


def test_a_table_of_ones_own_is_refused_with_every_fault_and_never_kept(hub: Hub, tmp_path: Path) -> None:
    ship(now=NOW)
    path = tmp_path / "mine.csv"
    path.write_text("geo,year,value\nPeru,2019,1\nPER,19x,1\n")
    with pytest.raises(Invalid) as caught:
        observatory.table(path)
    assert [reason.code for reason in caught.value.reasons] == ["line-place", "line-year"]
    path.write_text("geo,year,value\nAUS,2019,1018320\nNZL,2019,106004\n")
    with pytest.raises(Invalid) as caught:
        observatory.table(path, series="26637")
    assert [reason.code for reason in caught.value.reasons] == ["region-exceeded"]
    assert observatory.table(mine(tmp_path)).count().execute() == 115
    assert set(observatory.releases().source) == {"facts"}

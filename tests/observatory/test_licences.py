"""No data stands in the package, and none leaves it, that its licence does not let us pass on."""

import io
import shutil
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import vsm
from vsm.exchange.institutions.models import Hub
from vsm.kit.actors import SYSTEM
from vsm.kit.errors import Refused
from vsm.observatory.sources.actions import load
from vsm.observatory.sources.licences import wrong_in_package
from vsm.observatory.sources.loaders import MODULES, loader
from vsm.observatory.sources.queries import bundle_of
from vsm.observatory.sources.registry import sources

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
PACKAGE = Path(vsm.__file__).parent


def test_all_data_in_the_package_may_be_passed_on_and_names_its_licence() -> None:
    assert list(wrong_in_package(PACKAGE, sources())) == []


def test_data_that_nobody_declares_or_that_may_not_be_passed_on_is_found(tmp_path: Path) -> None:
    (tmp_path / "observatory" / "sources").mkdir(parents=True)
    shutil.copy(PACKAGE / "observatory" / "sources" / "NOTICE", tmp_path / "observatory" / "sources" / "NOTICE")
    (tmp_path / "observatory" / "sources" / "facts.csv").write_text("region,year,inbound\n")
    assert list(wrong_in_package(tmp_path, sources())) == []
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "cepii_dist.parquet").write_bytes(b"PAR1")
    assert list(wrong_in_package(tmp_path, sources())) == ["web/cepii_dist.parquet: no source declares it (registry.yaml, ships)"]
    careless = {**sources(), "cepii": replace(sources()["cepii"], ships=("web/*.parquet",))}
    assert list(wrong_in_package(tmp_path, careless)) == [
        "web/cepii_dist.parquet: cepii may not be passed on (LicenseRef-CEPII)", "observatory/sources/NOTICE: does not name the licences of what ships",
    ]  # fmt: skip


@pytest.mark.django_db
def test_a_release_is_passed_on_with_its_licence_or_not_at_all(tmp_path: Path) -> None:
    Hub(name="OpenVSM", contact="olga@hub.example").save()
    path = tmp_path / "uis.csv"
    path.write_text("indicatorId,geoUnit,year,value,qualifier,magnitude\n26637,CHL,2021,15000,,\n")
    with zipfile.ZipFile(io.BytesIO(bundle_of(load(path, by=SYSTEM, now=NOW)))) as archive:
        assert sorted(archive.namelist()) == ["LICENCE.txt", "datapackage.json", "observations.csv"]
        assert archive.read("LICENCE.txt").decode().splitlines()[0] == "uis: CC-BY-SA-3.0-IGO (share alike)"
        assert archive.read("observations.csv").decode().splitlines()[1] == '"26637","CHL","",2021,,15000,"",""'
    own = tmp_path / "mine.csv"
    own.write_text("geo,year,value\nPER,2019,1\n")
    with pytest.raises(Refused) as caught:
        bundle_of(load(own, by=SYSTEM, now=NOW))
    assert [reason.code for reason in caught.value.reasons] == ["not-redistributable"]


def test_every_format_that_the_registry_names_has_its_loader_and_the_other_way_round() -> None:
    assert {(each.slug, name) for each in sources().values() for name in each.formats} == {(loader(name).source, name) for name in MODULES}

"""A file of a source is recognised, read, checked and kept; a wrong one is refused with every reason and keeps nothing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.beside import UIS, needs
from vsm.cli.commands import main
from vsm.exchange.institutions.models import Hub
from vsm.kit.actors import SYSTEM
from vsm.kit.errors import Invalid
from vsm.observatory.indicators.catalogue import catalogue
from vsm.observatory.sources.actions import load, ship
from vsm.observatory.sources.models import Release
from vsm.observatory.sources.observations import observations, path_of
from vsm.observatory.sources.queries import series_of, series_told
from vsm.observatory.sources.registry import sources
from vsm.observatory.sources.series import all_series, described

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
HEADER = "indicatorId,geoUnit,year,value,qualifier,magnitude\n"
REGIONS = (
    "SDG: Sub-Saharan Africa", "SDG: Northern Africa and Western Asia", "SDG: Central and Southern Asia", "SDG: Eastern and South-Eastern Asia",
    "SDG: Latin America and the Caribbean", "SDG: Oceania", "SDG: Europe and Northern America",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _hub(db: None) -> None:
    Hub(name="OpenVSM", contact="olga@hub.example").save()


def written(folder: Path, lines: list[str], name: str = "export.csv") -> Path:
    path = folder / name
    path.write_text(HEADER + "".join(f"{line}\n" for line in lines), "utf-8")
    return path


def whole_year(world: int) -> list[str]:
    return [f"26637,{region},2019,{number},," for number, region in enumerate(REGIONS, start=1)] + [f"26637,SDG: World,2019,{world},,"]


def test_a_release_is_kept_with_its_checks_and_read_back(tmp_path: Path) -> None:
    path = written(tmp_path, [*whole_year(28), "26637,PER,2019,,,NIL", "26637,CHL,2019,15000,UIS_EST,", "26637,ARG,2019,,,NA"])
    release = load(path, by=SYSTEM, now=NOW, edition="2025-09")
    assert (release.source, release.edition, release.rows, release.state) == ("uis", "2025-09", 11, "loaded")
    assert [(code, passed) for code, passed, _facts in release.checks] == [("each-cell-once", True), ("regions-make-the-world", True)]
    kept = observations(source="uis").filter(lambda t: t.geo.isin(["PER", "CHL", "ARG"])).to_pyarrow().to_pylist()
    assert {row["geo"]: (row["value"], row["qualifier"], row["magnitude"]) for row in kept} == {
        "PER": (0.0, "", "NIL"), "CHL": (15000.0, "UIS_EST", ""), "ARG": (None, "", "NA"),
    }  # fmt: skip


def test_the_same_file_again_is_the_same_release(tmp_path: Path) -> None:
    path = written(tmp_path, whole_year(28))
    assert load(path, by=SYSTEM, now=NOW).pk == load(path, by=SYSTEM, now=NOW + timedelta(days=1)).pk
    assert Release.objects.count() == 1


def test_regions_that_do_not_make_the_world_are_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as refused:
        load(written(tmp_path, [*whole_year(56), "26637,PER,2019,4,,", "26637,PER,2019,4,,"]), by=SYSTEM, now=NOW)
    assert sorted(reason.code for reason in refused.value.reasons) == ["cells-repeated", "regions-differ"]
    assert Release.objects.get().state == "refused"
    assert observations().count().execute() == 0


def test_a_file_of_no_known_layout_is_told(tmp_path: Path) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(Invalid) as refused:
        load(path, by=SYSTEM, now=NOW)
    assert [reason.code for reason in refused.value.reasons] == ["format-unknown"]


def test_a_newer_release_counts_from_its_day_on_and_an_older_one_can_be_pinned(tmp_path: Path) -> None:
    first = load(written(tmp_path, whole_year(28), "first.csv"), by=SYSTEM, now=NOW)
    second = load(written(tmp_path, [*whole_year(28), "26637,PER,2019,9,,"], "second.csv"), by=SYSTEM, now=NOW + timedelta(days=30))

    def counted(**asked: object) -> int:
        return int(observations(source="uis", **asked).count().execute())  # type: ignore[arg-type]

    assert (counted(), counted(as_of=NOW + timedelta(days=1)), counted(releases={"uis": str(first.pk)})) == (9, 8, 8)
    assert (first.state, second.state) == ("loaded", "loaded")


def test_the_program_carries_real_totals_until_a_release_of_uis_is_here(tmp_path: Path) -> None:
    shipped = ship(now=NOW)
    assert (ship(now=NOW).pk, shipped.edition, [passed for _code, passed, _facts in shipped.checks]) == (shipped.pk, "UIS 2025", [True, True])
    world = {row["year"]: int(row["value"] + 0.5) for row in observations().filter(lambda t: t.geo == "SDG: World").to_pyarrow().to_pylist()}
    assert [world[year] for year in (2000, 2019, 2021, 2022)] == [2_110_399, 6_111_232, 6_440_414, 6_859_427]
    load(written(tmp_path, whole_year(28)), by=SYSTEM, now=NOW)
    assert {row["source"] for row in observations().to_pyarrow().to_pylist()} == {"uis"}


@needs(UIS)
def test_the_real_release_passes_and_gives_the_published_totals() -> None:
    release = load(UIS, by=SYSTEM, now=NOW)
    assert (release.rows, [passed for _code, passed, _facts in release.checks]) == (9186, [True, True])
    world = observations(source="uis").filter(lambda t: (t.series == "26637") & (t.geo == "SDG: World")).to_pyarrow().to_pylist()
    totals = {row["year"]: int(row["value"] + 0.5) for row in world}
    assert [totals[year] for year in (2000, 2010, 2019, 2020, 2021, 2022)] == [2_110_399, 3_785_233, 6_111_232, 6_560_076, 6_440_414, 6_859_427]


def test_a_release_is_never_changed_and_damage_is_told_and_mended_by_the_same_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, whole_year(28))
    release = load(path, by=SYSTEM, now=NOW)
    with pytest.raises(TypeError, match="never changed"):
        release.save()
    assert (main(["observatory", "verify"]), capsys.readouterr().out) == (0, "1 release, each as it was taken in.\n")
    kept = path_of(release.digest)
    whole = kept.read_bytes()
    for broken in (whole[:-1] + b"x", None):
        kept.unlink() if broken is None else kept.write_bytes(broken)
        assert (main(["observatory", "verify"]), "export.csv" in capsys.readouterr().err) == (1, True)
        assert (load(path, by=SYSTEM, now=NOW).pk, kept.read_bytes() == whole) == (release.pk, True)
    assert main(["observatory", "verify"]) == 0


def test_what_is_loaded_says_what_it_counts(tmp_path: Path) -> None:
    release = load(written(tmp_path, [*whole_year(28), "MENF.5T8,PER,2019,-4,,", "26604,CHL,2019,4,,", "99,PER,2019,1,,"]), by=SYSTEM, now=NOW)
    assert series_of(release) == ["26637", "99", "MENF.5T8", "flows"]
    assert series_told(release) == [
        "Inbound internationally mobile students, both sexes (26637)", "Net flow of internationally mobile students (MENF.5T8)", "Mobile students by origin and host (flows)", "99",
    ]  # fmt: skip
    inward = described("uis", "26637")
    assert inward is not None
    assert (inward.unit, inward.counting, inward.basis, inward.study) == ("students", "stock", "mobility", "degree")
    assert (described("oecd", "flows.ISCED11_5T8") is None, described("oecd", "26637")) == (False, None)
    assert {each.source for each in all_series()} <= {(slug,) for slug in sources()} | {("uis", "facts")}
    many = Release(source="exchange", covers=[*(f"vsm.began.{number}" for number in range(5)), *(f"other.{number:02}" for number in range(14))])
    assert series_told(many) == ["People in virtual mobility (5 series)", *(f"other.{number:02}" for number in range(12)), "and 2 more"]
    assert {code for each in catalogue().values() for code in each.source if code.startswith(("2", "M", "O", "flows", "dist"))} <= {code for code in ("26637", "25053", "MENF.5T8", "OE.5T8.40510", "flows", "flows.top10", "flows.ISCED11_5T8", "dist") if any(described(slug, code) for slug in sources())}

"""Each layout in which a source comes, as its publisher writes it; and copies that are wrong are refused with the reason."""

import csv
import hashlib
import json
import zipfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.beside import DATA, UIS, needs
from vsm.exchange.institutions.models import Hub
from vsm.kit.actors import SYSTEM
from vsm.kit.errors import Invalid
from vsm.observatory.geography import countries
from vsm.observatory.sources.actions import load, ship
from vsm.observatory.sources.loaders import recognised, uis_bulk
from vsm.observatory.sources.models import Release
from vsm.observatory.sources.observations import observations

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
OPRI = "INDICATOR_ID,COUNTRY_ID,YEAR,VALUE,MAGNITUDE,QUALIFIER\n"
API = "indicatorId,geoUnit,year,value,qualifier,magnitude\n"
SDMX = "STRUCTURE,REF_AREA,EDUCATION_LEV,ORIGIN,MOBILITY,SEX,TIME_PERIOD,OBS_VALUE,OBS_STATUS\n"


@pytest.fixture(autouse=True)
def _hub(db: None) -> None:
    Hub(name="OpenVSM", contact="olga@hub.example").save()


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def taken(path: Path, *, days: int = 0, format_: str = "") -> Release:
    return load(path, by=SYSTEM, now=NOW + timedelta(days=days), format_=format_)


def refused(path: Path, format_: str = "") -> list[str]:
    with pytest.raises(Invalid) as caught:
        taken(path, format_=format_)
    return [reason.code for reason in caught.value.reasons]


def cells(source: str) -> list[tuple[object, ...]]:
    rows = observations(source=source).to_pyarrow().to_pylist()
    return sorted(((row["series"], row["geo"], row["geo2"], row["year"], row["value"], row["qualifier"], row["magnitude"]) for row in rows), key=str)


def opri(folder: Path, rows: str, name: str = "OPRI.zip") -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("OPRI_DATA_NATIONAL.csv", OPRI + rows)
        archive.writestr("OPRI_LABEL.csv", "INDICATOR_ID,INDICATOR_LABEL_EN\n26637,Total inbound\n")
    return path


def test_the_bulk_release_gives_totals_and_its_origin_indicators_become_flows(tmp_path: Path) -> None:
    folder = tmp_path / "202509"
    folder.mkdir()
    release = taken(opri(folder, "26637,CHL,2021,15000,,\n26604,CHL,2021,12,INCLUDES,NAT_EST\n26421,CHL,2021,,NIL,\n10,CHL,2021,7,,\n"))
    assert (release.source, release.format, release.edition, release.rows) == ("uis", "uis-bulk-zip", "2025-09", 3)
    assert cells("uis") == [
        ("26637", "CHL", "", 2021, 15000.0, "", ""), ("flows", "DZA", "CHL", 2021, 0.0, "", "NIL"), ("flows", "RUS", "CHL", 2021, 12.0, "NAT_EST", "INCLUDES"),
    ]  # fmt: skip


def test_an_archive_that_would_unpack_without_measure_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(opri(tmp_path, "26637,CHL,2021,15000,,\n" * 200_000)) == ["archive-too-large"]
    monkeypatch.setattr(uis_bulk, "MOST_FILES", 1)
    assert refused(opri(tmp_path, "26637,CHL,2021,15000,,\n", "SDG.zip"), format_="uis-bulk-zip") == ["archive-too-large"]


def test_an_archive_that_is_cut_short_is_told(tmp_path: Path) -> None:
    path = opri(tmp_path, "26637,CHL,2021,15000,,\n")
    path.write_bytes(path.read_bytes()[:-30])
    assert refused(path) == ["file-unreadable"]


def test_a_newer_file_replaces_only_what_it_tells(tmp_path: Path) -> None:
    taken(written(tmp_path, "all.csv", API + "26637,CHL,2021,15000,,\n26637,PER,2021,4,,\n26604,CHL,2021,9,,\n26421,CHL,2021,5,,\n26637,WB: World,2021,9,,\n"))
    taken(written(tmp_path, "russia.csv", API + "26604,PER,2021,3,,\n"), days=1)
    taken(written(tmp_path, "chile.csv", API + "26637,CHL,2021,16000,,\n"), days=2)
    assert [cell[:5] for cell in cells("uis")] == [
        ("26637", "CHL", "", 2021, 16000.0), ("26637", "WB: World", "", 2021, 9.0), ("flows", "DZA", "CHL", 2021, 5.0), ("flows", "RUS", "PER", 2021, 3.0),
    ]  # fmt: skip


def test_only_one_level_of_the_oecd_is_summed_and_the_others_stand_apart(tmp_path: Path) -> None:
    taken(written(tmp_path, "uis.csv", API + "26637,CHL,2021,15000,,\n"))
    rows = "".join(f"DF,CHL,ISCED11_{level},{origin},MOB,_T,2021,{value},A\n" for level, origin, value in (("5T8", "PER", 9000), ("5T8", "_X", 6000), ("6", "PER", 8000), ("7", "PER", 1000), ("5T8", "W", 15000)))
    release = taken(written(tmp_path, "oecd.csv", SDMX + rows + "DF,CHL,ISCED11_5T8,PER,MOB,F,2021,5000,A\n"))
    assert [cell[:5] for cell in cells("oecd")] == [
        ("flows.ISCED11_5T8", "OECD: _X", "CHL", 2021, 6000.0), ("flows.ISCED11_5T8", "PER", "CHL", 2021, 9000.0), ("flows.ISCED11_6", "PER", "CHL", 2021, 8000.0),
        ("flows.ISCED11_7", "PER", "CHL", 2021, 1000.0), ("mobile.ISCED11_5T8", "CHL", "", 2021, 15000.0),
    ]  # fmt: skip
    assert [facts for code, _passed, facts in release.checks if code == "agrees-with-uis"] == [{"compared": 1, "ratio": 1.0}]


def test_a_copy_whose_totals_are_double_is_refused_with_the_reason_and_keeps_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, "copy.csv", "o,d,year,raw\nPER,CHL,2021,20000\nBOL,CHL,2021,10000\n")
    assert refused(path) == ["nothing-to-compare"]
    taken(written(tmp_path, "uis.csv", API + "26637,CHL,2021,15000,,\n"))
    assert (refused(path), cells("oecd")) == (["totals-doubled"], [])
    right = taken(written(tmp_path, "right.csv", "o,d,year,raw\nPER,CHL,2021,10000\nBOL,CHL,2021,5000\n"))
    assert (right.state, len(cells("oecd"))) == ("loaded", 2)


def test_without_countries_of_uis_the_totals_that_ship_still_unmask_a_double(tmp_path: Path) -> None:
    ship(now=NOW)
    assert refused(written(tmp_path, "copy.csv", "o,d,year,raw\nCHN,AUS,2019,1018320\nIND,NZL,2019,106004\n")) == ["region-exceeded"]


@pytest.mark.parametrize(
    "text",
    [
        "COUNTRY,COUNTRY_CODE,SERIES_NAME,SERIES_CODE,YEAR,VALUE\nPeru,PER,Population,SP.POP.TOTL,2019,32824861\nPeru,PER,Population,SP.POP.TOTL,2020,..\nWorld,WLD,Population,SP.POP.TOTL,2019,7.7e9\n",
        '"Data Source","World Development Indicators",\n\n"Last Updated Date","2025-10-07",\n\n"Country Name","Country Code","Indicator Name","Indicator Code","2019","2020",\n"Peru","PER","Population","SP.POP.TOTL","32824861","",\n"World","WLD","Population","SP.POP.TOTL","7700000000","",\n',
    ],
)  # fmt: skip
def test_the_world_bank_is_read_long_and_wide(tmp_path: Path, text: str) -> None:
    taken(written(tmp_path, "wdi.csv", text))
    told = [cell[:5] for cell in cells("worldbank") if cell[4] is not None]
    assert told == [("SP.POP.TOTL", "PER", "", 2019, 32824861.0), ("SP.POP.TOTL", "WB: World", "", 2019, 7.7e9)]


def test_the_archive_of_the_world_banks_api_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "wb.zip", "w") as archive:
        archive.writestr("Metadata_Country_API_SP.csv", "a,b\n")
        archive.writestr("API_SP.POP.TOTL_DS2_en_csv_v2.csv", '"Country Name","Country Code","Indicator Name","Indicator Code","2019",\n"Peru","PER","Population","SP.POP.TOTL","5",\n')
    taken(tmp_path / "wb.zip")
    assert [cell[:5] for cell in cells("worldbank")] == [("SP.POP.TOTL", "PER", "", 2019, 5.0)]


def test_every_bad_line_of_an_own_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as caught:
        taken(written(tmp_path, "mine.csv", "geo,year,value\nPER,2019,1\nPeru,2019,1\nCHL,19x,1\nCHL,2020,1.000.000\nCHL,2021\nSDG: Oceania,2019,\n"))
    assert [(reason.code, reason.params["line"], reason.field) for reason in caught.value.reasons] == [
        ("line-place", 3, "geo"), ("line-year", 4, "year"), ("line-value", 5, "value"),
    ]  # fmt: skip


def test_an_own_table_without_lines_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="table-empty"):
        taken(written(tmp_path, "mine.csv", "geo,year,value\n"))


def test_own_tables_stand_beside_each_other_and_pass_the_same_checks(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    taken(written(tmp_path, "incoming.csv", "geo,year,value\nPER,2019,12\nSDG: Oceania,2019,\n"))
    pq.write_table(pa.table({"geo": ["PER"], "geo2": ["CHL"], "year": [2019], "value": [3], "series": ["flows"]}), tmp_path / "flows.parquet")
    taken(tmp_path / "flows.parquet", days=1)
    assert [cell[:5] for cell in cells("own")] == [("flows", "PER", "CHL", 2019, 3.0), ("incoming", "PER", "", 2019, 12.0), ("incoming", "SDG: Oceania", "", 2019, None)]
    taken(written(tmp_path, "uis.csv", API + "26637,CHL,2021,15000,,\n"))
    assert refused(written(tmp_path, "double.csv", "geo,year,value,series\nCHL,2021,30000,26637\nCHL,2020,5,26637\nCHL,2020,5,26637\n")) == ["cells-repeated", "totals-doubled"]


def test_old_codes_of_cepii_are_mapped(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"iso_o": ["ROM", "ZAR"], "iso_d": ["ZAR", "ROM"], "dist": [5500.0, 5500.0], "contig": [0.0, 0.0]}), tmp_path / "cepii_dist.parquet")
    taken(tmp_path / "cepii_dist.parquet")
    assert [cell[:5] for cell in cells("cepii")] == [("contig", "COD", "ROU", 0, 0.0), ("contig", "ROU", "COD", 0, 0.0), ("dist", "COD", "ROU", 0, 5500.0), ("dist", "ROU", "COD", 0, 5500.0)]


@needs(DATA)
def test_the_real_files_are_recognised_and_the_doubled_one_is_refused() -> None:
    names = (
        "uis/uis_26604_students_from_russia_by_destination_2000_2025.csv", "uis/uis_od_top10_union_iso3_1998_2021.csv", "oecd/worldbank_wdi_13series_2013_2019.csv",
        "oxcgrt/c1_school_closing.csv", "oecd/oecd_od_2013_2019_iso3_RAW_DOUBLED.csv", "cepii/cepii_dist.parquet",
    )  # fmt: skip
    found = [loader.format if (loader := recognised(DATA / name)) else "" for name in names]
    assert found == ["uis-api-csv", "uis-top10-csv", "worldbank-csv", "oxcgrt-csv", "oecd-origin-destination-csv", "cepii-dist-parquet"]
    taken(UIS)
    with pytest.raises(Invalid) as caught:
        taken(DATA / names[4])
    assert [(reason.code, reason.params["ratio"]) for reason in caught.value.reasons if reason.code == "totals-doubled"] == [("totals-doubled", "1.95")]
    top10 = taken(DATA / names[1])
    assert [(passed, facts["ratio"]) for code, passed, facts in top10.checks if code == "agrees-with-uis"] == [(True, 0.867)]
    assert (taken(DATA / names[2]).rows, taken(DATA / names[0]).rows, taken(DATA / names[5]).rows) == (24206, 2078, 602112)


@needs(DATA)
def test_rates_get_back_the_codes_of_uis_and_other_indicators_are_refused(tmp_path: Path) -> None:
    rates = taken(DATA / "unesco_sdg4/unesco_tertiary_equity.csv")
    assert (rates.rows, [(code, passed) for code, passed, _facts in rates.checks], "GER.5T8.F" in rates.covers, "GAR.5T8.Q5" in rates.covers) == (27596, [("each-cell-once", True), ("countries", True)], True, True)
    (tmp_path / "other.csv").write_text("geo,year,ind,v\nPER,2020,ger_5t8_f,70\nPER,2020,oosr_1_f,2\n")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(Invalid, match="oosr_1_f"):
        taken(tmp_path / "other.csv")
    with pytest.raises(Invalid, match=r"empty\.csv is empty"):
        taken(tmp_path / "empty.csv")


def records(*rows: tuple[str, str, int, float | None, str | None]) -> str:
    told = [{"indicatorId": i, "geoUnit": g, "year": y, "value": v, "magnitude": m, "qualifier": None} for i, g, y, v, m in rows]
    return json.dumps({"hints": [], "records": told, "indicatorMetadata": []})


def test_an_answer_of_the_api_of_uis_is_read_as_its_export_is(tmp_path: Path) -> None:
    rows: list[tuple[str, str, int, float | None, str | None]] = [("26637", "CHL", 2021, 15000.0, None), ("26604", "CHL", 2021, None, "NIL"), ("26637", "PER", 2021, 9.0, "INCLUDES"), ("26637", "ARG", 2021, None, "NA")]
    release = taken(written(tmp_path, "answer.json", records(*rows)))
    assert (release.format, release.rows, [code for code, _passed, _facts in release.checks]) == ("uis-api-json", 4, ["each-cell-once", "regions-make-the-world"])
    assert [(cell[0], cell[1], cell[2], cell[4], cell[6]) for cell in cells("uis")] == [
        ("26637", "ARG", "", None, "NA"), ("26637", "CHL", "", 15000.0, ""), ("26637", "PER", "", 9.0, "INCLUDES"), ("flows", "RUS", "CHL", 0.0, "NIL"),
    ]  # fmt: skip


@pytest.mark.parametrize("text", ['{"message": "Too many records (limit 100000)", "records": []}', '{"records": [{"geoUnit": "CHL"}]}', '{"records": [{"geoUnit": "CHL", "ye', '{"records": [{"indicatorId": "1", "geoUnit": "CHL", "year": "x", "value": 1}]}'])
def test_an_answer_that_is_none_says_what_the_publisher_said(tmp_path: Path, text: str) -> None:
    with pytest.raises(Invalid) as caught:
        taken(written(tmp_path, "answer.json", text), format_="uis-api-json")
    assert [reason.code for reason in caught.value.reasons] == ["file-unreadable"]
    assert ("Too many records" in caught.value.reasons[0].params["cause"]) == ("message" in text)


def bank(pages: int, *rows: tuple[str, str, str, float | None]) -> str:
    told = [{"indicator": {"id": "SP.POP.TOTL", "value": "Population"}, "country": {"id": "", "value": name}, "countryiso3code": code, "date": year, "value": value, "unit": "", "obs_status": "", "decimal": 0} for code, name, year, value in rows]
    return json.dumps([{"page": 1, "pages": pages, "per_page": 50, "total": len(rows), "sourceid": "2", "lastupdated": "2025-10-07"}, told])


def test_an_answer_of_the_world_bank_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    rows = (("PER", "Peru", "2019", 32824861.0), ("PER", "Peru", "2020", None), ("WLD", "World", "2019", 7.7e9), ("", "High income", "2019", 1.2e9), ("XKX", "Kosovo", "2019", 1788878.0))
    assert refused(written(tmp_path, "page.json", bank(3, *rows))) == ["one-page-of-many"]
    release = taken(written(tmp_path, "all.json", bank(1, *rows)))
    assert (release.edition, str(release.published_on)) == ("2025-10-07", "2025-10-07")
    assert [(cell[1], cell[3], cell[4]) for cell in cells("worldbank")] == [("PER", 2019, 32824861.0), ("PER", 2020, None), ("WB: High income", 2019, 1.2e9), ("WB: World", 2019, 7.7e9), ("XKX", 2019, 1788878.0)]
    assert refused(written(tmp_path, "error.json", '[{"message": [{"id": "120", "value": "Invalid value"}]}]'), format_="worldbank-json") == ["file-unreadable"]


def test_a_table_of_days_that_is_damaged_is_told_and_not_a_crash(tmp_path: Path) -> None:
    head = "country_code,country_name,01Jan2020,02Jan2020\n"
    assert refused(written(tmp_path, "c8_internationaltravel.csv", head + "PER,Peru,4,closed\n")) == ["file-unreadable"]
    assert refused(written(tmp_path, "c8_internationaltravel.csv", head + "PER,Peru,4\n")) == ["file-unreadable"]
    assert refused(written(tmp_path, "c8_internationaltravel.csv", head + "PER,Peru,4,7\n")) == ["values-out-of-range"]
    assert refused(written(tmp_path, "c1_school_closing.csv", head + "PER,Peru,3,3\nPER,Peru,3,3\n")) == ["cells-repeated"]


def test_the_archive_of_sdg_4_gives_rates_and_regions(tmp_path: Path) -> None:
    path = tmp_path / "SDG.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("SDG_DATA_NATIONAL.csv", OPRI + "GER.5T8,PER,2021,70.5,,\nLR.AG15T99,PER,2021,94.5,,\n")
        archive.writestr("SDG_DATA_REGIONAL.csv", OPRI.replace("COUNTRY_ID", "REGION_ID") + "GER.5T8,SDG: Oceania,2021,60.1,,UIS_EST\n")
    taken(path)
    assert [cell[:6] for cell in cells("uis")] == [("GER.5T8", "PER", "", 2021, 70.5, ""), ("GER.5T8", "SDG: Oceania", "", 2021, 60.1, "UIS_EST")]


def test_a_file_that_is_not_the_expected_one_is_not_read(tmp_path: Path) -> None:
    path = written(tmp_path, "uis.csv", API + "26637,CHL,2021,15000,,\n")
    with pytest.raises(Invalid) as caught:
        load(path, by=SYSTEM, now=NOW, expected="0" * 64)
    assert ([reason.code for reason in caught.value.reasons], Release.objects.count()) == (["other-checksum"], 0)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    assert load(path, by=SYSTEM, now=NOW, expected=f" {found.upper()}\n").sha256 == found


BANK = [
    {"id": "PER", "region": {"id": "LCN"}, "incomeLevel": {"id": "UMC", "value": "Upper middle income"}}, {"id": "VEN", "region": {"id": "LCN"}, "incomeLevel": {"id": "INX", "value": "Not classified"}},
    {"id": "BOL", "region": {"id": "LCN"}, "incomeLevel": {"id": "LMC", "value": "Lower middle income"}}, {"id": "ARB", "region": {"id": "NA"}, "incomeLevel": {"id": "NA", "value": "Aggregates"}},
]  # fmt: skip


def countries_list(folder: Path, entries: list[dict[str, Any]]) -> Path:
    told = [{**entry, "region": {**entry["region"], "value": "Latin America & Caribbean "}} for entry in entries]
    return written(folder, "countries.json", json.dumps([{"page": 1, "pages": 1, "per_page": "400", "total": len(told)}, told]))


def test_the_world_banks_list_gives_classes_by_income_and_region(tmp_path: Path) -> None:
    assert taken(countries_list(tmp_path, BANK)).covers == ["wb.income", "wb.region"]
    assert [(cell[0], cell[1], cell[3], cell[4]) for cell in cells("worldbank")] == [
        ("wb.income", "BOL", 0, 2.0), ("wb.income", "PER", 0, 3.0), ("wb.region", "BOL", 0, 3.0), ("wb.region", "PER", 0, 3.0), ("wb.region", "VEN", 0, 3.0),
    ]  # fmt: skip


def test_a_class_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    assert refused(countries_list(tmp_path, [{**BANK[0], "incomeLevel": {"id": "XXX", "value": "Very high"}}]), format_="worldbank-classes") == ["file-unreadable"]


@needs(DATA)
def test_the_real_list_of_regions_of_the_world_bank_is_read() -> None:
    release = taken(DATA / "codes/worldbank_regions_2017.csv")
    assert (release.format, release.covers, {cell[3] for cell in cells("worldbank")}) == ("worldbank-classes", ["wb.region"], {2017})
    assert ("wb.region", "PER", 2017, 3.0) in {(cell[0], cell[1], cell[3], cell[4]) for cell in cells("worldbank")}


LDC, LLDC, SIDS = "Least Developed Countries (LDC)", "Land Locked Developing Countries (LLDC)", "Small Island Developing States (SIDS)"
AROUND = {"official_name_en": "The Republic, of whom", **{f"UNTERM {name} Formal": "La République, «de qui»" for name in ("Arabic", "Chinese", "French", "Russian", "Spanish")}, "Languages": "es,qu,ay"}
HAITI = {"ISO3166-1-Alpha-3": "HTI", "M49": "332", "Region Code": "19", "Sub-region Code": "419", "Intermediate Region Code": "29", LDC: "x", SIDS: "x"}
BOLIVIA = {"ISO3166-1-Alpha-3": "BOL", "M49": "68", "Region Code": "19", "Sub-region Code": "419", "Intermediate Region Code": "5", LLDC: "x"}


def country_codes(folder: Path, *rows: dict[str, str], columns: tuple[str, ...] = ("Sub-region Code", LLDC, "M49", SIDS, "ISO3166-1-Alpha-3", "Region Code", LDC, "Intermediate Region Code")) -> Path:
    """A table of country codes with more columns around those that are read, whose order is nobody's."""
    path = folder / "country-codes.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*AROUND, *columns], restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows([AROUND | row for row in rows])
    return path


def as_shipped(**changed: dict[str, str]) -> list[dict[str, str]]:
    """Every country as it ships, without the zeros in front of its codes; some with other cells."""
    return [
        {
            "ISO3166-1-Alpha-3": geo, "M49": each.m49.lstrip("0"), "Region Code": each.region.lstrip("0"), "Sub-region Code": each.subregion.lstrip("0"), "Intermediate Region Code": each.intermediate.lstrip("0"),
            **{name: "x" for group, name in (("LDC", LDC), ("LLDC", LLDC), ("SIDS", SIDS)) if group in each.groups}, **changed.get(geo, {}),
        }
        for geo, each in countries().items()
    ]  # fmt: skip


def compared(release: Release) -> dict[str, Any]:
    return next(facts for code, _passed, facts in release.checks if code == "as-it-ships")


def test_country_codes_tell_regions_and_groups_in_any_order_of_columns_and_what_has_no_code_is_counted_alone(tmp_path: Path) -> None:
    release = taken(country_codes(tmp_path, HAITI, {"ISO3166-1-Alpha-3": "ATA", "M49": "10"}, {"M49": "680", "Region Code": "Europe"}, BOLIVIA))
    assert (release.source, release.format, release.covers) == ("country-codes", "country-codes-csv", ["un.intermediate", "un.ldc", "un.lldc", "un.region", "un.sids", "un.subregion"])
    assert [(cell[0], cell[1], cell[3], cell[4]) for cell in cells("country-codes")] == [
        ("un.intermediate", "BOL", 0, 5.0), ("un.intermediate", "HTI", 0, 29.0), ("un.ldc", "HTI", 0, 1.0), ("un.lldc", "BOL", 0, 1.0), ("un.region", "BOL", 0, 19.0), ("un.region", "HTI", 0, 19.0),
        ("un.sids", "HTI", 0, 1.0), ("un.subregion", "BOL", 0, 419.0), ("un.subregion", "HTI", 0, 419.0),
    ]  # fmt: skip
    assert ((compared(release)["countries"], compared(release)["uncoded"]), [code for code, passed, _facts in release.checks if passed]) == ((3, 1), ["each-cell-once", "as-it-ships"])


def test_country_codes_that_differ_from_what_ships_are_taken_and_say_which(tmp_path: Path) -> None:
    assert compared(taken(country_codes(tmp_path, *as_shipped()))) == {"countries": len(countries()), "uncoded": 0, "differ": 0, "first": []}
    moved = as_shipped(NPL={LDC: ""}, KAZ={"Sub-region Code": "151"}, TUV={"M49": "799"})
    assert compared(taken(country_codes(tmp_path, *moved[1:]), days=1)) == {"countries": len(countries()) - 1, "uncoded": 0, "differ": 4, "first": ["ABW", "KAZ", "NPL", "TUV"]}
    away = taken(country_codes(tmp_path, *(row for row in as_shipped() if row["Region Code"] != "150")), days=2)
    assert (compared(away)["differ"], compared(away)["first"]) == (51, ["ALA", "ALB", "AND", "AUT", "BEL"])


def test_every_fault_of_country_codes_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    path = country_codes(
        tmp_path, HAITI, {**BOLIVIA, "ISO3166-1-Alpha-3": "XKX"}, {**BOLIVIA, "M49": "six", "Sub-region Code": "4190"}, {**BOLIVIA, LLDC: "yes"}, {**BOLIVIA, "ISO3166-1-Alpha-3": "PER", "Region Code": "-19"},
    )  # fmt: skip
    path.write_text(path.read_text("utf-8") + "BOL,PER\n", "utf-8")
    with pytest.raises(Invalid) as caught:
        taken(path)
    assert [(reason.code, reason.params["line"], reason.params.get("value")) for reason in caught.value.reasons] == [
        ("line-place", 3, "XKX"), ("line-code", 4, "six"), ("line-code", 4, "4190"), ("line-twice", 5, None), ("line-flag", 5, "yes"), ("line-code", 6, "-19"), ("line-columns", 7, None),
    ]  # fmt: skip
    assert (caught.value.reasons[3].params["first"], cells("country-codes")) == (4, [])


def test_country_codes_without_one_of_their_columns_are_not_taken(tmp_path: Path) -> None:
    assert refused(country_codes(tmp_path, HAITI)) == ["group-empty"]
    assert refused(country_codes(tmp_path)) == ["group-empty"] * 3
    lacking = country_codes(tmp_path, HAITI, BOLIVIA, columns=(*HAITI, "Name"))
    assert (refused(lacking), refused(lacking, format_="country-codes-csv")) == (["format-unknown"], ["file-unreadable"])
    twice = country_codes(tmp_path, HAITI, BOLIVIA, columns=(*HAITI, LLDC, LDC))
    assert refused(twice) == ["file-unreadable"]
    twice.write_bytes(twice.read_bytes() + b'"Bol\xff')
    assert refused(twice, format_="country-codes-csv") == ["file-unreadable"]


@needs(DATA)
def test_the_real_table_of_country_codes_is_as_what_ships() -> None:
    release = taken(DATA / "codes/country-codes.csv")
    assert (release.format, compared(release)) == ("country-codes-csv", {"countries": 249, "uncoded": 0, "differ": 0, "first": []})
    assert Counter(cell[0] for cell in cells("country-codes")) == {"un.region": 248, "un.subregion": 248, "un.intermediate": 105, "un.ldc": 45, "un.lldc": 32, "un.sids": 53}

"""The Observatory's pages: every view is made of facts, keeps its choice in its address, and says what is not known."""

import csv
import gzip
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from vsm.exchange.institutions.models import Hub
from vsm.exchange.people.models import Person
from vsm.kit.actors import SYSTEM
from vsm.kit.localized import LANGUAGES
from vsm.observatory.estimates.actions import run_study
from vsm.observatory.estimates.models import EstimateRun
from vsm.observatory.estimates.queries import facts_of, newest_run
from vsm.observatory.estimates.studies import STUDIES
from vsm.observatory.geography import countries
from vsm.observatory.indicators.catalogue import catalogue
from vsm.observatory.indicators.measures import INBOUND, NET
from vsm.observatory.publications.actions import publish_brief
from vsm.observatory.publications.models import Publication
from vsm.observatory.sources.actions import ship, ship_region
from vsm.observatory.sources.models import Release, SeriesBreak
from vsm.observatory.sources.observations import covered, keep, schema
from vsm.observatory.sources.queries import break_told
from vsm.web.public import observatory_reading as reading
from vsm.web.public.observatory_drawings import BLOCKS, CLOSE, Step, flow_picture, places, tile_map
from vsm.web.public.observatory_methods import methods
from vsm.web.public.observatory_sheets import gates_of

# WhiteNoise warns where nobody has run collectstatic, as in a fresh clone.
pytestmark = pytest.mark.filterwarnings("ignore:No directory at")
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
STATIC = Path(__file__).parents[2] / "src/vsm/web/static/vsm"
HEAVY = {"numpy", "pandas", "duckdb", "ibis", "pyarrow", "scipy"}
PAGES = (
    "/observatory/", "/observatory/effect/", "/observatory/outlook/", "/observatory/balances/", "/observatory/flows/", "/observatory/methods/", "/observatory/briefs/", "/observatory/equity/", "/observatory/exchange/",
    "/observatory/briefs/covid-effect/", "/observatory/regions/", "/observatory/regions/latin-america-and-the-caribbean/", "/observatory/regions/world/", "/observatory/countries/PER/",
)  # fmt: skip
_made: list[Model] = []


@pytest.fixture
def shipped(db: None) -> Iterator[None]:
    """What a first start has: the totals that ship, both studies, a brief. Computed once; each test gets the same rows."""
    del db
    reading._loaded.clear()
    if _made:
        for record in _made:
            record.save_base(raw=True, force_insert=True)
    else:
        hub = Hub(name="OpenVSM", contact="olga@hub.example")
        hub.save()
        ship(now=NOW)
        for kind in ("covid-effect", "outlook"):
            run_study(hub, by=SYSTEM, now=NOW, kind=kind)
        publish_brief(hub, by=SYSTEM, now=NOW, slug="covid-effect")
        _made.extend([*Hub.objects.all(), *Release.objects.all(), *EstimateRun.objects.all(), *Publication.objects.all()])
    yield
    reading._loaded.clear()


@pytest.fixture
def anybody(shipped: None) -> Client:
    del shipped
    return Client(headers={"accept-language": "en"})


def release(source: str, rows: list[dict[str, Any]]) -> Release:
    """A release of these observations, as if it had been loaded."""
    columns = {"series": "", "geo": "", "geo2": "", "year": 0, "day": None, "value": None, "qualifier": "", "magnitude": ""}
    told = pa.Table.from_pylist([columns | row for row in rows], schema=schema())
    digest, count = keep(told)
    made = Release(source=source, format=f"{source}-test", retrieved_at=NOW, file_name=f"{source}.csv", size=1, sha256=digest, digest=digest, rows=count, covers=covered(told), state="loaded")
    made.save()
    return made


ANDES = {"PER": (100.0, 300.0), "CHL": (500.0, 250.0), "BOL": (40.0, 40.0)}  # received, sent


def with_countries(source: str = "uis") -> Release:
    """Three countries of South America in two years; the second year twice as many."""
    rows = [
        {"series": series, "geo": geo, "year": year, "value": value * factor}
        for geo, (received, sent) in ANDES.items()
        for year, factor in ((2020, 1), (2021, 2))
        for series, value in ((INBOUND, received), (NET, received - sent))
    ]
    return release(source, rows)


def with_flows(qualifier: str = "") -> Release:
    pairs = {("PER", "ARG"): 900.0, ("PER", "ESP"): 1200.0, ("COL", "ESP"): 400.0, ("PER", "PER"): 9999.0}
    return release("oecd", [{"series": "flows.5T8", "qualifier": qualifier, "geo": origin, "geo2": to, "year": 2021, "value": value} for (origin, to), value in pairs.items()])


def rows_of(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.content.decode())))


def table(html: str, number: int = 0) -> list[list[str]]:
    """The cells of a page's table, row by row."""
    body = re.findall(r"<tbody>(.*?)</tbody>", html, re.DOTALL)[number]
    return [[re.sub(r"<[^>]+>", "", cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)]


# Every page -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_speaks_the_readers_language_and_is_light(shipped: None, language: str) -> None:
    del shipped
    reader = Client(headers={"accept-language": language})
    around = sum(len(gzip.compress((STATIC / name).read_bytes())) for name in ("vsm.css", "vsm.js", "favicon.svg"))
    for path in PAGES:
        page = reader.get(path)
        html = page.content.decode()
        assert (path, page.status_code, html.count("<h1"), f'lang="{language.lower()}"' in html.lower()) == (path, 200, 1, True)
        assert len(gzip.compress(page.content)) + around < 60_000, path
        assert (" style=" in html, "<script>" in html) == (False, False), path


def test_a_page_imports_nothing_that_computes() -> None:
    """Whoever reads kept figures must not wait for a data engine to load."""
    told = "import django; django.setup(); from django.urls import get_resolver; get_resolver().url_patterns; import sys, json; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True, env={**os.environ, "DJANGO_SETTINGS_MODULE": "vsm.app.settings", "PYTHONPATH": "src"}, cwd=Path(__file__).parents[2])
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert ("vsm.web.public.observatory" in loaded, loaded & HEAVY) == (True, set())


def test_pages_of_kept_figures_compute_nothing(anybody: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_releases: object) -> None:
        raise AssertionError("a page computed")

    monkeypatch.setattr(reading, "_compute", refuse)
    assert {anybody.get(path).status_code for path in PAGES} == {200}
    with_countries()
    with pytest.raises(AssertionError, match="a page computed"):
        anybody.get("/observatory/countries/PER/")


# A view ---------------------------------------------------------------------------------------------------------------


def test_picture_table_csv_and_description_tell_the_same_figures(anybody: Client) -> None:
    run = newest_run("covid-effect")
    assert run
    gaps = {fact.geo: fact for key, fact in facts_of(run).items() if key.startswith("gap.") and fact.year == 2021}
    html = anybody.get("/observatory/effect/?year=2021").content.decode()
    told = rows_of(anybody.get("/observatory/effect.csv?year=2021&figure=gaps"))
    assert {row["geo"]: float(row["value"]) for row in told if row["key"].startswith("gap.")} == {geo: fact.value for geo, fact in gaps.items()}
    assert html.count('<circle class="c') == 2 * len(table(html)) == 2 * len(gaps)  # drawn twice, for a phone too
    description = anybody.get("/observatory/effect.json?year=2021&figure=gaps").json()
    assert (description["rows"], description["study"]["digest"], description["units"], description["levels"]) == (len(told), run.digest, ["share", "students"], [0.9])
    assert description["sources"][0]["licence"] == "CC-BY-SA-3.0-IGO"
    world = next(row for row in table(html) if row[0] == "World")
    assert world[1:4] == ["−5.5%", "−10.4% to −0.4%", "90%"]


def test_the_address_keeps_the_choice(anybody: Client) -> None:
    html = anybody.get("/observatory/effect/?year=2020").content.decode()
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="(/observatory/effect[^"]+figure=gaps[^"]*)"', html)}
    assert links == {"/observatory/effect.csv?year=2020&figure=gaps", "/observatory/effect.json?year=2020&figure=gaps", "/observatory/effect/?year=2020&figure=gaps&embed=1"}
    assert {row["year"] for row in rows_of(anybody.get("/observatory/effect.csv?year=2020&figure=gaps"))} == {"2020"}
    assert anybody.get("/observatory/effect.json?year=2020&figure=gaps").json()["csv"].endswith("/observatory/effect.csv?year=2020&figure=gaps")


def test_what_is_not_there_to_choose_counts_as_not_chosen(anybody: Client) -> None:
    usual = anybody.get("/observatory/effect.csv").content
    assert anybody.get("/observatory/effect.csv?year=1066").content == anybody.get("/observatory/effect.csv?year=<b>").content == usual
    assert [anybody.get(path).status_code for path in ("/observatory/effect.csv?figure=gossip", "/observatory/regions/atlantis/", "/observatory/countries/ZZZ/", "/observatory/briefs/gossip/")] == [404] * 4


def test_only_an_embed_may_stand_in_another_sites_frame(anybody: Client) -> None:
    page, embed = anybody.get("/observatory/effect/"), anybody.get("/observatory/effect/?embed=1&figure=map&year=2022")
    assert [re.findall(r"frame-ancestors ('none'|\*)", answer["Content-Security-Policy"]) for answer in (page, embed)] == [["'none'"], ["*"]]
    assert "X-Frame-Options" not in embed
    html = embed.content.decode()
    assert ("<nav" in html, "<form" in html, html.count("<figure"), "What we do not know" in html, "CC-BY-SA-3.0-IGO" in html) == (False, False, 1, True, True)


def test_a_fan_is_never_one_number(anybody: Client) -> None:
    html = anybody.get("/observatory/outlook/?region=world").content.decode()
    ahead = [row for row in table(html) if int(row[0]) > 2022]
    assert (len(ahead), any("—" in row for row in ahead)) == (8, False)
    assert html.count("What we do not know") == html.count("<figure")
    assert next(row[1:] for row in table(html, 3)) == ["100.0%", "100.0%", "0.0%", "0"]


def test_a_failed_gate_is_said_where_the_estimate_stands(anybody: Client) -> None:
    assert "Experimental" not in anybody.get("/observatory/effect/").content.decode()
    EstimateRun.objects.filter(kind="covid-effect").update(experimental=True, gates=[["coverage-1", False, 0.4, 0.85]])
    html = anybody.get("/observatory/effect/").content.decode()
    assert ("A gate failed" in html, re.findall(r"(passed|failed)</span>", html)) == (True, ["failed"])


def test_other_designs_stand_beside_the_first_with_what_they_do_not_know(anybody: Client) -> None:
    assert "The world by each method" not in anybody.get("/observatory/effect/").content.decode(), "one method is no comparison"
    run_study(Hub.objects.get(), by=SYSTEM, now=NOW, kind="covid-interrupted")
    html = anybody.get("/observatory/effect/?year=2021").content.decode()
    assert html.count("What we do not know") == html.count("<figure")
    told = rows_of(anybody.get("/observatory/effect.csv?year=2021&figure=methods"))
    assert [row["key"] for row in told] == ["covid-effect:gap.world.2021", "covid-interrupted:gap.world.2021"]
    assert len({row["value"] for row in told}) == 2
    assert ("A gate failed in: Effect of COVID-19 as an interrupted series" in html) is newest_experimental("covid-interrupted")


def newest_experimental(kind: str) -> bool:
    run = newest_run(kind)
    assert run
    return run.experimental


def test_equity_tells_parity_the_curve_and_the_index_of_what_ships(anybody: Client) -> None:
    ship_region(now=NOW)
    run_study(Hub.objects.get(), by=SYSTEM, now=NOW, kind="lac")
    html = anybody.get("/observatory/equity/?gap=rural-urban&country=PER").content.decode()
    assert re.findall(r'<figure class="figure" id="([a-z-]+)"', html) == ["parity", "curve", "leaning"]
    assert html.count("What we do not know") == 3
    assert ("SDG 4.5" in html, "The poorest fifth is missing" in html, "16 of 52 countries" in html) == (True, True, True)
    assert table(html, 1) == [["Second fifth", "48.5%"], ["Third fifth", "55.2%"], ["Fourth fifth", "75.2%"], ["Richest fifth", "127.7%"]]
    parities = {row["geo"]: float(row["value"]) for row in rows_of(anybody.get("/observatory/equity.csv?gap=women-men&figure=parity"))}
    assert (len(parities), max(parities.values()) > 1) == (16, True)  # fifteen countries and the median


def test_equity_of_any_region_comes_with_a_release_that_tells_attendance(anybody: Client) -> None:
    rates = {"GAR.5T8.RUR": 20.0, "GAR.5T8.URB": 40.0, "GER.5T8.F": 50.0, "GER.5T8.M": 40.0, **{f"GAR.5T8.Q{number}": 10.0 * number for number in range(1, 6)}}
    release("uis", [{"series": series, "geo": "KEN", "year": year, "value": value} for series, value in rates.items() for year in (2018, 2019)])
    html = anybody.get("/observatory/equity/?region=sub-saharan-africa&gap=rural-urban&country=KEN").content.decode()
    assert table(html)[0][:2] == ["Kenya, 2019", "0.50"]
    assert (table(html, 1)[0], "The poorest fifth is missing" in html) == (["Poorest fifth", "10.0%"], False)
    index = rows_of(anybody.get("/observatory/equity.csv?region=sub-saharan-africa&country=KEN&figure=leaning"))
    assert [round(float(row["value"]), 4) for row in index] == [0.2667]


def test_net_per_thousand_and_concentration_come_with_enrolment_and_a_panel(anybody: Client) -> None:
    hosts = ("ARG", "BOL", "BRA", "CHL", "COL", "ECU")
    rows = [{"series": series, "geo": geo, "year": year, "value": value} for geo in hosts for year in range(2015, 2021) for series, value in ((INBOUND, 100.0), (NET, -50.0), ("25053", 10_000.0))]
    release("uis", [*rows, {"series": INBOUND, "geo": "PER", "year": 2020, "value": 400.0}])
    html = anybody.get("/observatory/balances/?region=south-america&year=2020").content.decode()
    assert table(html, html.count("<tbody>") - 1)[-1] == ["2020", "83.3%", "0.17", "1.00", "60.0%"]
    assert "Only the 6 hosts that report in every one of these years" in html
    per_thousand = rows_of(anybody.get("/observatory/balances.csv?region=south-america&year=2020&figure=per-thousand"))
    assert {float(row["value"]) for row in per_thousand} == {-5.0}
    assert table(anybody.get("/observatory/countries/BRA/").content.decode(), 2)[0] == ["2015", "−5.00"]


# Places ---------------------------------------------------------------------------------------------------------------


def test_a_search_goes_to_the_place_in_the_readers_language(anybody: Client) -> None:
    spanish = Client(headers={"accept-language": "es"})
    assert [c.get(f"/observatory/?q={q}")["Location"] for c, q in ((anybody, "peru"), (spanish, "PERÚ"), (spanish, "mundo"), (anybody, "bra"))] == [
        "/observatory/countries/PER/", "/observatory/countries/PER/", "/observatory/regions/world/", "/observatory/countries/BRA/",
    ]  # fmt: skip
    several = anybody.get("/observatory/?q=guin").content.decode()
    assert re.findall(r'href="/observatory/countries/([A-Z]{3})/"', several) == ["GNQ", "GIN", "GNB", "PNG"]
    assert "No country or region is called “&lt;b&gt;x”" in anybody.get("/observatory/?q=<b>x").content.decode()


def test_two_regions_stand_side_by_side_and_the_address_says_so(anybody: Client) -> None:
    html = anybody.get("/observatory/regions/oceania/?with=europe").content.decode()
    assert (table(html)[-1][0], len(table(html)[-1])) == ("2022", 3)
    told = rows_of(anybody.get("/observatory/regions/oceania.csv?with=europe&figure=students"))
    assert ({row["geo"] for row in told}, "/observatory/regions/oceania.csv?with=europe&amp;figure=students" in html) == ({"oceania", "europe"}, True)


def test_continents_are_sums_of_published_totals_and_make_the_world_and_table_csv_and_address_follow_the_grouping(anybody: Client) -> None:
    told = rows_of(anybody.get("/observatory/regions.csv?by=m49&year=2021&figure=shares"))
    assert ([row["geo"] for row in told], round(sum(float(row["value"]) for row in told), 6)) == (["m49-europe", "m49-asia", "m49-americas", "m49-oceania", "m49-africa"], 1.0)
    facts = facts_of(newest_run("covid-effect"))  # type: ignore[arg-type]  # -- it was run
    years = rows_of(anybody.get("/observatory/regions.csv?by=m49&figure=regions"))
    asia = next(float(row["value"]) for row in years if row["key"] == "inbound.m49-asia.2019")
    assert asia == pytest.approx(sum(facts[f"inbound.{part}.2019"].value or 0.0 for part in ("western-asia", "central-and-southern-asia", "eastern-and-south-eastern-asia")))
    html = anybody.get("/observatory/regions/?by=m49&year=2021").content.decode()
    assert [text in html for text in ('<option value="m49" selected>', "by=m49&amp;year=2021&amp;figure=shares", ">Africa<", "Sub-Saharan Africa")] == [True, True, True, False]
    assert table(html, 1)[0] == ["Europe", "40.8%"]
    # Northern Africa is told from a later year on: before it the continent is a gap, not a smaller sum.
    assert [row for row in years if row["geo"] == "m49-africa" and row["year"] == "2000"] == []


@pytest.mark.parametrize(("grouping", "command"), [("income", "vsm observatory fetch worldbank --only countries.json"), ("un", "vsm observatory fetch uis")])
def test_a_grouping_whose_data_are_not_there_says_what_to_load_and_shows_nothing_else(anybody: Client, grouping: str, command: str) -> None:
    html = anybody.get(f"/observatory/regions/?by={grouping}").content.decode()
    assert (command in html, 'class="drawing' in html, anybody.get(f"/observatory/regions.csv?by={grouping}").status_code) == (True, False, 404)


def test_classes_of_the_world_bank_are_sums_of_those_who_report_each_year_told_as_lower_bounds(anybody: Client) -> None:
    rows = [{"series": INBOUND, "geo": geo, "year": year, "value": value} for geo, value in (("PER", 10.0), ("CHL", 30.0), ("URY", 7.0), ("BOL", 5.0)) for year in range(2015, 2021) if (geo, year) != ("URY", 2018)]
    release("uis", rows)
    assert "list of countries is not loaded" in anybody.get("/observatory/regions/?by=income").content.decode()
    release("worldbank", [{"series": "wb.income", "geo": geo, "year": 0, "value": value} for geo, value in (("PER", 3.0), ("CHL", 4.0), ("URY", 4.0), ("BOL", 2.0))])
    told = rows_of(anybody.get("/observatory/regions.csv?by=income&figure=regions"))
    assert {(row["key"], row["value"], row["coverage"]) for row in told if row["year"] == "2020"} == {
        ("sum.wb-high.2020", "30.0", str(30 / 37)), ("sum.wb-upper-middle.2020", "10.0", "1.0"), ("sum.wb-lower-middle.2020", "5.0", "1.0"),
    }  # fmt: skip
    html = anybody.get("/observatory/regions/?by=income").content.decode()
    assert [text in html for text in ("3 of 4 in all: each sum is a lower bound", "Members as listed on 26 Nov 2026, in every year (World Development Indicators).", "Source: World Bank, World Development Indicators", "Lower middle income: 1 country")] == [True] * 4
    balances = anybody.get("/observatory/balances/?by=income&region=wb-high").content.decode()
    assert ('<option value="wb-high" selected>' in balances, "list of countries is not loaded" in balances) == (True, False)


def un_list(*left: str) -> Release:
    """The groups of the UN as they ship, but that some countries are least developed no more."""
    rows = [{"series": f"un.{group.lower()}", "geo": geo, "year": 0, "value": 1.0} for geo, each in countries().items() for group in each.groups if group != "LDC" or geo not in left]
    return release("country-codes", rows)


def test_groups_of_the_un_have_the_members_of_the_newest_list_and_those_that_ship_without_one(anybody: Client) -> None:
    values = {"NPL": 10.0, "HTI": 7.0, "BDI": 5.0}
    release("uis", [{"series": INBOUND, "geo": geo, "year": year, "value": value} for geo, value in values.items() for year in range(2015, 2021)])

    def told() -> tuple[Any, ...]:
        rows = rows_of(anybody.get("/observatory/regions.csv?by=un&figure=regions"))
        html = anybody.get("/observatory/regions/?by=un").content.decode()
        sources = anybody.get("/observatory/regions.json?by=un&figure=regions").json()["sources"]
        said = ("Least developed countries: 45 countries", "Members as listed on 26 Nov 2026, in every year (Country codes).", "A country may stand in several of these groups.")
        return ({row["geo"]: (row["value"], row["coverage"]) for row in rows if row["year"] == "2020"}, *(text in html for text in said), {each["release"] for each in sources})

    shipped = {"un-ldc": ("22.0", "1.0"), "un-lldc": ("15.0", "1.0"), "un-sids": ("7.0", "1.0")}
    uis = str(Release.objects.get(source="uis").pk)
    assert told() == (shipped, True, False, True, {uis})
    left = un_list("NPL")
    assert told() == (shipped | {"un-ldc": ("12.0", "1.0")}, False, True, True, {uis, str(left.pk)})
    assert "Least developed countries: 44 countries" in anybody.get("/observatory/regions/?by=un").content.decode()
    release("uis", [{"series": "MENF.5T8", "geo": geo, "year": 2020, "value": -1.0} for geo in values])
    credited = anybody.get("/observatory/balances.json?by=un&region=un-ldc&year=2020").json()["sources"]
    assert str(left.pk) in {each["release"] for each in credited}, "a balance of listed countries credits the list"
    again = un_list()
    assert told() == (shipped, True, True, True, {uis, str(again.pk)})


@pytest.mark.parametrize("path", ["/observatory/regions/?by=un", "/observatory/balances/?by=un&region=un-ldc"])
def test_whether_a_list_is_loaded_is_not_asked_for_every_country(anybody: Client, path: str) -> None:
    def asked(geos: list[str]) -> int:
        release("uis", [{"series": series, "geo": geo, "year": year, "value": 9.0} for geo in geos for year in range(2015, 2021) for series in (INBOUND, NET)])
        anybody.get(path)  # what is remembered for these releases
        with CaptureQueriesContext(connection) as captured:
            anybody.get(path)
        return len(captured)

    un_list()
    assert asked(["NPL", "HTI", "BDI"]) == asked(sorted(countries()))


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["differs", "1 country stands otherwise than in the list that ships with this program: Nepal", "7 countries stand otherwise than in the list that ships with this program: Burundi, Nepal, …"]),
        ("es", ["difiere", "1 país figura de otro modo que en la lista que trae este programa: Nepal", "7 países figuran de otro modo que en la lista que trae este programa: Burundi, Nepal, …"]),
    ],
)
def test_a_release_tells_which_countries_stand_otherwise_than_in_what_ships(shipped: None, language: str, said: list[str]) -> None:
    del shipped
    reader, made = Client(headers={"accept-language": language}), un_list("NPL")

    def cell(differ: int, *first: str) -> str:
        Release.objects.filter(pk=made.pk).update(checks=[["as-it-ships", True, {"countries": 249, "uncoded": 0, "differ": differ, "first": first}]])
        return table(reader.get(f"/releases/{made.pk}/").content.decode())[0][1]

    assert [cell(1, "NPL"), cell(7, "BDI", "NPL")] == [f"{said[0]} {text}" for text in said[1:]]
    assert cell(0) == {"en": "passed", "es": "superado"}[language]


def test_sums_over_hosts_follow_what_was_decided_about_breaks_and_name_it(anybody: Client) -> None:
    values = {"PER": 10.0, "COL": 20.0}
    rows = [{"series": INBOUND, "geo": geo, "year": year, "value": value * (3 if (geo, year) >= ("PER", 2018) else 1)} for geo, value in values.items() for year in range(2015, 2021)]
    release("uis", rows)
    release("worldbank", [{"series": "wb.income", "geo": geo, "year": 0, "value": 3.0} for geo in values])
    address, totals = "/observatory/regions.csv?by=income&figure=regions", lambda: {row["year"]: (row["value"], row["note"]) for row in rows_of(anybody.get(address))}
    assert [totals()[year] for year in ("2017", "2018")] == [("30.0", "lower bound: only hosts that report in every year"), ("50.0", "lower bound: only hosts that report in every year")]
    found = SeriesBreak(source="uis", series=INBOUND, geo="PER", year=2018, evidence={"test": "jump", "before": 10.0, "after": 30.0, "change": 1.1}, state="spliced", reason="Another definition.", decided_at=NOW, decided_by="Olga")
    found.save()
    assert [totals()[year] for year in ("2017", "2018")] == [("50.0", "lower bound: only hosts that report in every year; break PER 2018 splice"), ("50.0", "lower bound: only hosts that report in every year; break PER 2018 splice")]
    assert "+1,10" in Client(headers={"accept-language": "es"}).get(f"/series-breaks/{found.pk}/").content.decode()
    html = anybody.get("/observatory/regions/?by=income").content.decode()
    assert (html.count("Breaks in the series behind it:"), html.count("Peru 2018: Spliced"), "Shown as published" in html) == (2, 2, False)
    assert anybody.get("/observatory/regions.json?by=income&figure=regions").json()["as_published"] is False
    SeriesBreak.objects.update(state="dropped")
    # Peru has a hole then, so that the longest full table is Colombia's alone.
    assert {year: value for year, (value, _note) in totals().items()} == {str(year): "20.0" for year in range(2015, 2021)}


def test_without_a_release_a_country_says_what_to_load_and_shows_its_region(anybody: Client) -> None:
    html = anybody.get("/observatory/countries/PER/").content.decode()
    assert ("vsm observatory fetch uis" in html, "<figure" in html, 'href="/observatory/regions/latin-america-and-the-caribbean/"' in html) == (True, False, True)


def test_a_country_shows_both_directions_and_the_balance(anybody: Client) -> None:
    with_countries()
    html = anybody.get("/observatory/countries/per/").content.decode()
    assert table(html) == [["2020", "100", "300"], ["2021", "200", "600"]]
    assert table(html, 1) == [["2020", "−200", "0.33", "0.50"], ["2021", "−400", "0.33", "0.50"]]
    assert "vsm observatory fetch" not in html


def test_a_country_that_does_not_report_is_not_something_to_load(anybody: Client) -> None:
    with_countries()
    html = anybody.get("/observatory/countries/VEN/").content.decode()
    assert ("That is not zero: it may not report them." in html, "vsm observatory fetch" in html, "<figure" in html) == (True, False, False)


def test_a_break_stands_beside_the_figure_that_it_runs_through_and_a_jump_that_is_real_does_not(anybody: Client) -> None:
    with_countries()
    evidence = {"test": "jump", "before": 100.0, "after": 200.0, "change": 0.69}
    for state, year in (("dropped", 2021), ("kept", 2020), ("proposed", 1999)):
        SeriesBreak(source="uis", series=INBOUND, geo="PER", year=year, evidence=evidence, state=state, reason="Another definition.", decided_at=NOW, decided_by="Olga").save()
    html = anybody.get("/observatory/countries/per/").content.decode()
    assert html.count('<a href="/series-breaks/?geo=PER">Peru 2021: Left out</a>') == 2
    assert ("Peru 2020:" in html, "Peru 1999:" in html) == (False, False)
    assert html.count("Shown as published. Breaks in the series, and how each stands in studies:") == 2
    told = anybody.get("/observatory/countries/per.json?figure=students").json()
    assert (told["breaks"], told["as_published"]) == (["Peru 2021: Left out"], True)
    notes = {(row["key"], row["value"]): row["note"] for row in rows_of(anybody.get("/observatory/countries/per.csv?figure=students")) if row["note"]}
    assert notes == {("inbound.PER.2021", "200.0"): "as published; break PER 2021 dropped", ("outbound.PER.2021", "600.0"): "as published; break PER 2021 dropped"}
    assert "/series-breaks/" not in anybody.get("/observatory/countries/chl/").content.decode()


def test_a_study_names_the_decisions_that_it_followed(anybody: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = reading.study("covid-effect")
    key = "gap.latin-america-and-the-caribbean.2022"
    followed = replace(kept.facts[key], extra={**kept.facts[key].extra, "breaks": ["DOM 2022 drop"]})
    monkeypatch.setattr("vsm.web.public.observatory.study", lambda kind: reading.Study(kept.run, {**kept.facts, key: followed}))
    assert anybody.get("/observatory/effect/?year=2022").content.decode().count("Dominican Republic 2022: Left out") == 2
    assert "Dominican Republic 2022" not in anybody.get("/observatory/effect/?year=2021").content.decode()


def test_balances_rank_a_regions_countries_and_say_how_many_are_not_known(anybody: Client) -> None:
    with_countries()
    html = anybody.get("/observatory/balances/?region=latin-america-and-the-caribbean&year=2020").content.decode()
    assert table(html) == [
        ["Peru", "100", "300", "−200", "0.33", "0.50", "33 to 192"],
        ["Bolivia", "40", "40", "0", "1.00", "1.00", "4 to 26"],
        ["Chile", "500", "250", "250", "2.00", "0.67", "28 to 160"],
    ]
    assert "3 of 52 countries and areas" in html
    told = rows_of(anybody.get("/observatory/balances.csv?region=latin-america-and-the-caribbean&year=2020&figure=circulation"))
    assert {row["geo"]: round(float(row["value"]), 3) for row in told} == {"PER": 0.5, "CHL": 0.667, "BOL": 1.0}


def test_flows_are_ranked_without_those_who_stay_and_can_be_narrowed(anybody: Client) -> None:
    with_flows()
    html = anybody.get("/observatory/flows/").content.decode()
    assert table(html) == [["1", "Peru", "Spain", "1,200"], ["2", "Peru", "Argentina", "900"], ["3", "Colombia", "Spain", "400"]]
    assert len(re.findall(r'<path class="ribbon', html)) == 2 * 3  # drawn twice
    assert "lists the ten largest flows" not in html
    assert table(anybody.get("/observatory/flows/?from=COL").content.decode()) == [["1", "Colombia", "Spain", "400"]]
    nowhere = anybody.get("/observatory/flows/?from=COL&to=ARG").content.decode()
    assert ("That is not zero" in nowhere, "<figure" in nowhere) == (True, False)


def test_flows_credit_the_releases_that_tell_them_and_no_others_of_the_same_source(anybody: Client) -> None:
    with_countries()
    listed = release("uis", [{"series": "flows.top10", "geo": "PER", "geo2": "CHL", "year": 2021, "value": 9.0, "qualifier": "TRUNCATED"}])
    release("uis", [{"series": "flows", "geo": "RUS", "geo2": to, "year": 2021, "value": 9.0} for to in ("CHL", "ARG")])
    asked = {"flows": "from=PER&year=2021", "pair": "from=PER&to=CHL"}
    html = anybody.get("/observatory/flows/", headers={"accept-language": "es"}).content.decode()
    assert ">Estudiantes móviles por origen y destino, los diez mayores de cada uno · Instituto de Estadística de la UNESCO</option>" in html
    credited = {figure: {each["release"] for each in anybody.get(f"/observatory/flows.json?data=uis-flows.top10&{query}&figure={figure}").json()["sources"]} for figure, query in asked.items()}
    assert credited == {"flows": {str(listed.pk)}, "pair": {str(listed.pk)}}


def test_a_pair_is_told_year_by_year_in_both_directions_with_its_gaps(anybody: Client) -> None:
    told = {("PER", "ESP"): {2015: 10.0, 2016: 20.0, 2018: 30.0}, ("ESP", "PER"): {2016: 5.0}}
    release("oecd", [{"series": "flows.5T8", "geo": origin, "geo2": to, "year": year, "value": value} for (origin, to), cells in told.items() for year, value in cells.items()])
    html = anybody.get("/observatory/flows/?from=PER&to=ESP&year=2016").content.decode()
    assert table(html) == [["2015", "10", "—"], ["2016", "20", "5"], ["2018", "30", "—"]]
    drawn = html.partition("Between Peru and Spain</title>")[2].partition("</svg>")[0]
    assert (drawn.count("<polyline"), drawn.count("<circle")) == (1, 2), "2015–2016 is a line; 2018 and the other direction are points"


def test_a_regions_map_has_its_countries_own_figures(anybody: Client) -> None:
    with_countries()
    told = rows_of(anybody.get("/observatory/regions/south-america.csv?figure=hosts"))
    assert {row["geo"]: (row["year"], float(row["value"])) for row in told} == {"PER": ("2021", 200.0), "CHL": ("2021", 1000.0), "BOL": ("2021", 80.0)}
    html = anybody.get("/observatory/regions/south-america/").content.decode()
    assert ("3 of" in html, "a white square is not known, not zero" in html) == (True, True)


def test_flows_begin_with_the_newest_year_that_is_not_half_empty(anybody: Client) -> None:
    hosts = {2020: ("ESP", "ARG", "CHL"), 2021: ("ESP", "ARG"), 2022: ("ESP",)}  # three, two and one of the same size
    release("oecd", [{"series": "flows.5T8", "geo": "PER", "geo2": to, "year": year, "value": 9.0} for year, told in hosts.items() for to in told])
    begun, asked = (anybody.get(f"/observatory/flows/{query}").content.decode() for query in ("", "?year=2022"))
    assert [re.findall(r'value="(\d+)" selected', html) for html in (begun, asked)] == [["2021"], ["2022"]]
    assert "2 hosts tell in 2021 where their students come from; in 2020 it was 3." in begun


def test_a_list_that_leaves_flows_out_says_so(anybody: Client) -> None:
    with_flows("TRUNCATED")
    assert "lists the ten largest flows" in anybody.get("/observatory/flows/").content.decode()


def test_who_stays_in_a_region_is_told_from_what_is_proved_to_what_is_possible(anybody: Client) -> None:
    """Of Peru's 5,000 students abroad the list tells 2,100, of whom 900 stay in South America: between 900 and 900 + 2,900 of
    5,000 stay. Nobody knows Colombia's total, so its flows bound nothing; without any total there is nothing to tell."""
    with_flows()
    address = "/observatory/regions/south-america"
    assert "at least" not in anybody.get(f"{address}/").content.decode()
    release("uis", [{"series": series, "geo": "PER", "year": 2021, "value": value} for series, value in ((INBOUND, 100.0), (NET, -4900.0))])
    told = rows_of(anybody.get(f"{address}.csv?figure=stays"))
    assert [(round(float(row["low"]), 2), round(float(row["high"]), 2)) for row in told] == [(0.18, 0.76)]
    assert {each["source"] for each in anybody.get(f"{address}.json?figure=stays").json()["sources"]} == {"oecd", "uis"}
    assert ["2021", "18.0%", "18.0% to 76.0%", "42.0%"] in table(anybody.get(f"{address}/").content.decode())


def test_a_new_release_is_seen_at_once_and_an_old_one_is_not_computed_again(anybody: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    with_countries()
    first = table(anybody.get("/observatory/countries/PER/").content.decode())
    computed: list[int] = []
    compute = reading._compute

    def counting(releases: tuple[Release, ...]) -> reading.Loaded:
        computed.append(len(releases))
        return compute(releases)

    monkeypatch.setattr(reading, "_compute", counting)
    assert (table(anybody.get("/observatory/countries/PER/").content.decode()), computed) == (first, [])
    with_flows()
    assert ("/observatory/flows/?from=PER" in anybody.get("/observatory/countries/PER/").content.decode(), computed) == (True, [2])


def test_figures_that_may_not_be_passed_on_are_shown_but_not_handed_out(anybody: Client) -> None:
    with_countries("own")
    html = anybody.get("/observatory/countries/PER/").content.decode()
    assert (len(table(html)), "/observatory/countries/PER.csv" in html, anybody.get("/observatory/countries/PER.csv").status_code) == (2, False, 403)
    assert anybody.get("/observatory/countries/PER.json").json()["may_be_passed_on"] is False


# Briefs and methods -------------------------------------------------------------------------------------------------------


def test_an_edition_stays_at_its_address_with_everything_to_take_away(anybody: Client) -> None:
    edition = Publication.objects.get()
    address = f"/observatory/briefs/covid-effect/{edition.digest}/"
    page = anybody.get("/observatory/briefs/covid-effect/")
    assert re.search(r'taken in <a href="/releases/[^"]+"><time datetime="\d{4}-\d{2}-\d{2}">\d{1,2} \w{3} \d{4}</time></a>', page.content.decode())
    links = {link.removeprefix(address) for link in re.findall(rf'href="({address}[^"]+)"', page.content.decode())}
    assert links == {"bundle.zip", "facts.csv", "citation.json", "citation.bib", "brief.es.pdf", "brief.pt-br.pdf", "brief.en.pdf", "brief.fr.pdf"}
    answers = {link: anybody.get(address + link) for link in links}
    assert {link: answer.status_code for link, answer in answers.items()} == dict.fromkeys(links, 200)
    assert {answers[f"brief.{language}.pdf"].content[:5] for language in LANGUAGES} == {b"%PDF-"}
    with zipfile.ZipFile(io.BytesIO(answers["bundle.zip"].content)) as archive:
        assert archive.read("facts.csv") == answers["facts.csv"].content
    assert answers["citation.json"].json()[0]["URL"].endswith(address)
    assert [anybody.get(address + name).status_code for name in ("gossip", "brief.de.pdf")] == [404, 404]


def test_a_newer_edition_tells_what_changed_and_the_older_one_points_to_it(anybody: Client) -> None:
    old = Publication.objects.get()
    facts = {key: dict(kept) for key, kept in old.facts.items()}
    facts["inbound.world.2022"]["value"] += 100_000
    Publication(
        slug=old.slug, kind=old.kind, number=2, title=old.title, content=old.content, facts=facts, runs=old.runs, pdfs=old.pdfs, digest="ab" * 32, published_at=NOW,
    ).save()  # fmt: skip
    new = anybody.get("/observatory/briefs/covid-effect/").content.decode()
    changed = [row for number in range(new.count("<tbody>")) for row in table(new, number) if "inbound.world.2022" in row[0]]
    assert changed == [["World, 2022 [inbound.world.2022]", "6.9 million", "7.0 million"]]
    older = anybody.get(f"/observatory/briefs/covid-effect/{old.digest}/").content.decode()
    assert ("There is a newer edition" in older, "There is a newer edition" in new, "This is the first edition" in older) == (True, False, True)


def test_every_study_has_its_method_with_the_gates_of_its_newest_run(anybody: Client) -> None:
    assert set(STUDIES) - {entry["id"] for entry in methods()["studies"]} == set()
    html = anybody.get("/observatory/methods/").content.decode()
    run = newest_run("covid-effect")
    assert run
    assert len(table(html)) == len(run.gates)
    assert {entry["id"] for kind in methods().values() for entry in kind} <= set(re.findall(r'id="([a-z-]+)"', html))


def test_a_formula_has_no_word_of_any_language_and_its_letters_are_explained() -> None:
    told = [*((each["id"], each["formula"], each["where"]) for each in methods()["studies"]), *((each.id, each.formula, each.where) for each in catalogue().values())]
    notation = {"ln", "exp", "min", "mean", "cov", "Gini", "HHI"}
    assert {word for _id, formula, _where in told for word in re.findall("[a-zA-Z]{2,}", formula)} <= notation
    assert [name for name, formula, where in told for text in where.values() if text.split(":")[0].split(",")[0].strip() not in formula] == []


def test_in_french_no_line_of_the_methods_ends_before_its_colon(anybody: Client) -> None:
    html = anybody.get("/observatory/methods/", headers={"accept-language": "fr"}).content.decode()
    assert html.count("«\u00a0") > 3
    assert re.findall(r"« | [;!?»]", re.sub(r"<[^>]*>|<(script|style).*?</\1>", "", html)) == []


# Drawings ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("blocks", "columns"), [(BLOCKS, 35), (CLOSE, 18)])
def test_the_map_has_one_square_for_every_country_and_none_twice(blocks: dict[str, tuple[int, int, int]], columns: int) -> None:
    without, at = {code for code, country in countries().items() if not country.subregion}, places(blocks)
    assert (set(countries()) - set(at), len(set(at.values())), 1 + max(column for column, _row in at.values())) == (without, len(at), columns)


def test_the_map_shades_by_step_and_says_what_has_no_figure() -> None:
    steps = [Step(0.0, 10.0, "few"), Step(10.0, 99.0, "many")]
    svg = "".join(tile_map("Title <x>", "What", {"PER": 3.0, "CHL": 10.0}, steps, nothing="no figure"))
    assert re.findall(r'fill="(#[0-9a-f]{6})"[^>]*/><text x="[^"]+" y="[^"]+" fill="#[0-9a-f]{6}">(PE|CL|BO)<', svg) == [("#ffffff", "BO"), ("#b5d4d3", "CL"), ("#e4efee", "PE")] * 2
    assert (svg.count("<title>Title &lt;x&gt;</title>"), re.findall(r'class="told"[^>]*>([^<]+)', svg)) == (2, ["few", "many", "no figure"] * 2)


def test_a_flow_is_as_wide_as_its_students() -> None:
    for svg in flow_picture("Flows", "What", [("Peru", "Spain", 300.0, "300"), ("Peru", "Chile", 100.0, "100")]):
        assert [float(width) for width in re.findall(r'stroke-width="([0-9.]+)"', svg)] == [195.0, 65.0]
        assert re.findall(r'class="name"[^>]*>([^<]+)', svg) == ["Peru", "Spain", "Chile"]


def test_a_colon_belongs_to_the_words_before_it_for_french_sets_a_space_between() -> None:
    templates = Path(reading.__file__).parents[1] / "templates" / "public" / "observatory"
    assert [file.name for file in templates.glob("*.html") if re.search(r'(translate "[^"]*" %\}|endblocktranslate %\}):', file.read_text("utf-8"))] == []
    with translation.override("fr"):
        assert break_told("DOM", 2022, "dropped") == "République dominicaine 2022\N{NO-BREAK SPACE}: Écartée"


def test_a_gate_tells_counts_as_counts() -> None:
    run = EstimateRun(gates=[["reporters", True, 16.0, 10.0], ["better-than-naive", True, 0.16999, 0.32061]])
    assert [(repr(each["figure"]), repr(each["asked"])) for each in gates_of(run)] == [("16", "10"), ("0.17", "0.321")]


def test_a_decision_about_a_break_shows_what_it_does_before_it_is_made(anybody: Client) -> None:
    counts = {2018: 100.0, 2019: 110.0, 2020: 121.0, 2021: 484.0, 2022: 532.4}
    release("uis", [{"series": INBOUND, "geo": "PER", "year": year, "value": value} for year, value in counts.items()])
    jump = SeriesBreak(source="uis", series=INBOUND, geo="PER", year=2021, evidence={"test": "jump", "before": 121.0, "after": 484.0, "change": 1.39})
    jump.save()
    Person(name="Olga", email="olga@hub.example", language="en", is_operator=True).save()
    olga = Client(headers={"accept-language": "en"})
    olga.force_login(Person.objects.get(email="olga@hub.example"), backend="allauth.account.auth_backends.AuthenticationBackend")

    def told(verb: str) -> list[list[str]]:
        return table(olga.get(f"/series-breaks/{jump.pk}/{verb}/").content.decode())

    published = [[str(year), str(round(value))] for year, value in counts.items()]
    assert told("flag") == told("keep") == [[year, value, value] for year, value in published]
    assert told("drop") == [[year, value, "—" if year == "2021" else value] for year, value in published]
    assert [row[2] for row in told("splice")] == ["364", "400", "440", "484", "532"]
    assert "goes on showing what was published" in olga.get(f"/series-breaks/{jump.pk}/drop/").content.decode()


def test_a_table_of_ones_own_is_never_mixed_into_what_uis_tells_of_countries(anybody: Client) -> None:
    with_countries()
    release("own", [{"series": INBOUND, "geo": "PER", "year": 2022, "value": 5.0}, {"series": "virtual", "geo": "PER", "year": 2021, "value": 7.0}])
    page = anybody.get("/observatory/countries/per/").content.decode()
    assert (table(page), "Own table" in page) == ([["2020", "100", "300"], ["2021", "200", "600"]], False)
    assert {row["source"] for row in rows_of(anybody.get("/observatory/countries/per.csv?figure=students"))} == {"uis"}
    assert [each["source"] for each in anybody.get("/observatory/countries/per.json?figure=students").json()["sources"]] == ["uis"]


def test_without_uis_a_table_of_ones_own_is_shown_as_its_own(anybody: Client) -> None:
    release("own", [{"series": INBOUND, "geo": "PER", "year": 2022, "value": 5.0}])
    assert table(anybody.get("/observatory/countries/per/").content.decode())[0][:2] == ["2022", "5"]

"""What the command line says when figures are taken in, refused, passed on; and where readers find the breaks."""

import json
import zipfile
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation

from vsm.cli.commands import main
from vsm.exchange.institutions.models import Hub
from vsm.kit import clock
from vsm.kit.actors import SYSTEM
from vsm.observatory.sources import observations
from vsm.observatory.sources.actions import splice
from vsm.observatory.sources.engines import opened
from vsm.observatory.sources.models import Release, SeriesBreak

pytestmark = pytest.mark.django_db

API = "indicatorId,geoUnit,year,value,qualifier,magnitude\n"


@pytest.fixture(autouse=True)
def _hub(db: None) -> None:
    Hub(name="OpenVSM", contact="olga@hub.example").save()


def test_a_release_is_loaded_passed_on_and_its_break_is_public(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "uis.csv").write_text(API + "26637,CHL,2020,10000,,\n26637,CHL,2021,30000,,\n")
    assert main(["observatory", "load", str(tmp_path / "uis.csv"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["source"], told["rows"], [passed for _code, passed, _facts in told["checks"]]) == ("uis", 2, [True, True])
    assert main(["observatory", "export", told["id"], "--out", str(tmp_path / "uis.zip")]) == 0
    assert len(zipfile.ZipFile(tmp_path / "uis.zip").namelist()) == 3
    found = Client().get("/series-breaks/?geo=chl&state=proposed").content.decode()
    assert ("2021" in found, "30,000" in found, "Dominican" in found) == (True, True, False)
    assert Client().get("/series-breaks/").content.decode().count("<th scope=\"row\"") == 9


def test_a_doubled_copy_is_refused_in_words_and_what_cannot_be_compared_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "uis.csv").write_text(API + "26637,CHL,2021,15000,,\n")
    (tmp_path / "copy.csv").write_text("o,d,year,raw\nPER,CHL,2021,30000\n")
    (tmp_path / "top.csv").write_text("year,o,d,flow\n2021,PER,ARG,3\n")
    main(["observatory", "load", str(tmp_path / "uis.csv")])
    capsys.readouterr()
    assert main(["observatory", "load", str(tmp_path / "copy.csv")]) != 0
    assert "2.00 times those of UIS" in capsys.readouterr().err
    assert main(["observatory", "load", str(tmp_path / "top.csv")]) == 0
    assert "were not compared" in capsys.readouterr().err
    assert [release.state for release in Release.objects.order_by("created_at")] == ["loaded", "refused", "loaded"]


def test_country_codes_that_differ_from_what_ships_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = "ISO3166-1-Alpha-3,M49,Region Code,Sub-region Code,Intermediate Region Code,Least Developed Countries (LDC),Land Locked Developing Countries (LLDC),Small Island Developing States (SIDS)"
    (tmp_path / "codes.csv").write_text(f"{head}\nHTI,332,19,419,29,x,,x\nBOL,68,19,419,5,,x,\n")
    assert main(["observatory", "load", str(tmp_path / "codes.csv")]) == 0
    assert "247 countries stand otherwise than in the list that ships with this program: Aruba, Afghanistan, Angola, Anguilla, Åland Islands, …" in capsys.readouterr().err


def test_what_cannot_be_fetched_is_told_with_its_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["observatory", "fetch", "cepii"]) != 0
    assert "https://www.cepii.fr" in capsys.readouterr().err


def test_an_indicator_without_figures_says_what_it_lacks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "uis.csv").write_text(API + "26637,CHL,2020,10000,,\n")
    main(["observatory", "load", str(tmp_path / "uis.csv")])
    page = Client(headers={"accept-language": "en"}).get("/observatory/methods/").content.decode()
    told = [page.partition(f'id="{name}"')[2].partition("Figures here")[2].partition("</dd>")[0].partition("<dd>")[2] for name in ("inbound", "inbound-rate", "dissimilarity", "event-turnout")]
    get = 'Whoever runs this installation loads it: <code>vsm observatory fetch uis --only OPRI.zip</code>; without a network: <code>vsm observatory load FILE</code>'
    assert told == ["Loaded.", f"None: 25053 is not loaded. {get}", "It compares two distributions that a notebook gives it; none are kept here.", "None yet: the counts of online events are taken once a month."]
    capsys.readouterr()
    assert [main(["observatory", "indicator", name]) for name in ("inbound-rate", "dissimilarity")] == [0, 2]
    assert [line for line in capsys.readouterr().err.splitlines() if "As published" not in line] == [
        "No figures. Not loaded: 25053. Get it with ./vsm observatory fetch uis --only OPRI.zip, or load the file.",
        "dissimilarity compares two distributions that you give it: see docs/handbook/analyst.md, In a notebook.",
    ]  # fmt: skip


def test_a_sum_of_what_was_published_names_the_decisions_that_it_leaves_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "uis.csv").write_text(API + "26637,CHL,2020,10000,,\n26637,CHL,2021,30000,,\n")
    main(["observatory", "load", str(tmp_path / "uis.csv")])
    capsys.readouterr()
    assert (main(["observatory", "indicator", "regional-sum"]), capsys.readouterr().err) == (0, "")
    splice(SeriesBreak.objects.get(geo="CHL", year=2021), by=SYSTEM, now=clock.now(), because="Another definition.")
    assert main(["observatory", "indicator", "regional-sum"]) == 0
    told = capsys.readouterr()
    assert (told.err, "2021,30000.0" in told.out) == ("As published. Studies follow what was decided about breaks, this does not: Chile 2021: Spliced.\n", True)
    assert (main(["observatory", "indicator", "intraregional"]), "Chile" in capsys.readouterr().err) == (0, False)


def test_a_refusal_is_in_english_where_nobody_was_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def silent(address: str) -> None:
        raise OSError(address)

    monkeypatch.setattr(observations, "connect", lambda: opened("clickhouse://user:s3cret@warehouse.example/vsm", silent))
    with translation.override("es"):  # in which a process of ours begins
        assert main(["observatory", "indicator", "inbound"]) == 1
    told = capsys.readouterr().err
    assert (told.startswith("This part is not available at the moment:"), "warehouse.example does not answer" in told, "s3cret" in told) == (True, True, False)

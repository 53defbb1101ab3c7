"""The Observatory from a publisher's file to a brief in four languages and its figures: one story, by pages and by REST.

Olga runs the installation; Bia, Carlos and Eli work at three universities; Dora is a stranger who reads and computes again.
"""

import csv
import gzip
import io
import json
import re
import zipfile
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from uuid import UUID

import pytest
from django.test import Client

from tests.journeys.doors import Door, Refusal, Story, left_behind
from vsm.cli.commands import main
from vsm.kit import clock
from vsm.kit.jobs import drain
from vsm.kit.localized import LANGUAGES
from vsm.observatory.estimates.models import EstimateRun
from vsm.observatory.publications.models import Publication
from vsm.observatory.sources.models import Release
from vsm.web.public import observatory_reading as reading

# WhiteNoise warns where nobody has run collectstatic, as in a fresh clone.
pytestmark = pytest.mark.filterwarnings("ignore:No directory at")
NOW = datetime(2027, 3, 1, 15, tzinfo=UTC)


@pytest.fixture
def story(door: Door) -> Story:
    told = Story.of(door, **dict.fromkeys(("olga", "bia", "carlos", "eli", "dora"), "America/Lima"))
    reading._facts.clear()
    reading._loaded.clear()
    return told


@pytest.mark.parametrize("door", ["pages", "api"], indirect=True)
def test_a_brief_from_a_publishers_file_to_its_figures_in_a_strangers_hands(story: Story, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with clock.stopped_at(NOW):
        loading(story, tmp_path, capsys)
        study(story)
        brief(story)
        taking_away()
        pooling(story)
    assert left_behind() == ([], [])


def as_published(spoil: float = 1.0) -> str:
    """The totals of regions in the layout of the UIS API; `spoil` makes one of them wrong."""
    lines = ["indicatorId,geoUnit,year,value,qualifier,magnitude"]
    told = files("vsm.observatory.sources").joinpath("facts.csv").read_text("utf-8")
    for row in csv.DictReader(told.splitlines()):
        is_spoilt = spoil != 1.0 and (row["region"], row["year"]) == ("Oceania", "2019")
        lines.append(f"26637,SDG: {row['region']},{row['year']},{float(row['inbound']) * spoil if is_spoilt else row['inbound']},,")
    return "\n".join(lines) + "\n"


def loading(story: Story, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file whose regions do not make the world is refused with the reason; the right one is a release for all to see."""
    file = folder / "uis.csv"
    file.write_text(as_published(spoil=2.0))
    capsys.readouterr()
    assert main(["observatory", "load", str(file)]) != 0
    assert "2019" in capsys.readouterr().err
    file.write_text(as_published())
    assert main(["observatory", "load", str(file), "--edition", "early 2025", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    story.things["release"] = UUID(told["id"])
    assert "CC-BY-SA-3.0-IGO" in story.door.read(story.people["dora"], "release", story.things["release"])
    assert sorted(Release.objects.values_list("state", flat=True)) == ["loaded", "refused"]


def study(story: Story) -> None:
    """Only who runs the installation may run a study; everybody sees what it was asked and what came out."""
    with pytest.raises(Refusal):
        story.act("dora", "hub", "run_study", kind="covid-effect")
    story.act("olga", "hub", "run_study", kind="covid-effect")
    run = EstimateRun.objects.get(pk=story.things["estimate_run"])
    assert (run.inputs, run.experimental, all(passed for _code, passed, _found, _asked in run.gates)) == ({"uis": str(story.things["release"])}, False, True)
    assert run.digest[:8] in story.door.read(story.people["dora"], "estimate_run", run.pk)
    page = Client(headers={"accept-language": "en"}).get("/observatory/effect/?year=2021").content.decode()
    assert (page.count(">passed<"), "−5.5%" in page, "early 2025" in page) == (len(run.gates), True, True)


def brief(story: Story) -> None:
    """Published once, it is read in four languages with the same figures; the same figures again are the same edition."""
    with pytest.raises(Refusal):
        story.act("dora", "hub", "publish_brief", slug="covid-effect")
    first = story.act("olga", "hub", "publish_brief", slug="covid-effect")
    assert story.act("olga", "hub", "publish_brief", slug="covid-effect") == first
    edition = Publication.objects.get()
    pages = {language: Client(headers={"accept-language": language}).get("/observatory/briefs/covid-effect/") for language in LANGUAGES}
    assert {language: edition.title[language] in page.content.decode() for language, page in pages.items()} == dict.fromkeys(LANGUAGES, True)
    assert all(len(gzip.compress(page.content)) < 30_000 for page in pages.values())
    digits = {language: sorted(re.sub(r"\D", "", each) for each in edition.content[language]["messages"]) for language in LANGUAGES}
    assert all(found == digits["en"] for found in digits.values())


def taking_away() -> None:
    """Without an account: the bundle has the figures, what they mean, and under which licence."""
    edition = Publication.objects.get()
    stranger = Client(headers={"accept-language": "es"})
    permalink = f"/observatory/briefs/covid-effect/{edition.digest}/"
    with zipfile.ZipFile(io.BytesIO(stranger.get(permalink + "bundle.zip").content)) as bundle:
        rows = list(csv.DictReader(io.StringIO(bundle.read("facts.csv").decode())))
        package = json.loads(bundle.read("datapackage.json"))
        assert "CC-BY-SA-3.0-IGO" in bundle.read("LICENCES.txt").decode()
    world = next(row for row in rows if row["key"] == "gap.world.2021")
    assert (round(float(world["value"]), 3), float(world["low"]) < float(world["value"]) < float(world["high"])) == (-0.055, True)
    assert (package["id"], stranger.get(permalink + "brief.es.pdf").content[:5]) == (edition.digest, b"%PDF-")


def pooling(story: Story) -> None:
    """Three offices let their counts be pooled, each for its own; a stranger does not, and one withdraws."""
    for person, place in (("bia", "north"), ("carlos", "south"), ("eli", "west")):
        made = story.act("olga", "hub", "add_organisation", name={"en": place}, schac=f"{place}.example", country="PE", zone="America/Lima", credit_system="ects", grade_scale="ects", languages=["es"])
        story.things[f"organisation:{place}"] = made
        story.act("olga", f"organisation:{place}", "give_role", email=story.people[person].email, role="coordinator")
    with pytest.raises(Refusal):
        story.act("dora", "organisation:north", "pool_counts", agrees=True)
    with pytest.raises(Refusal, match="Tick the box"):
        story.act("bia", "organisation:north", "pool_counts", agrees=False)
    story.act("bia", "organisation:north", "pool_counts", agrees=True)
    with pytest.raises(Refusal, match="Fewer than 3"):
        story.act("olga", "hub", "take_counts")
    story.act("carlos", "organisation:south", "pool_counts", agrees=True)
    story.act("eli", "organisation:west", "pool_counts", agrees=True)
    story.act("olga", "hub", "take_counts")
    drain()
    assert "3 institutions have agreed" in Client(headers={"accept-language": "en"}).get("/observatory/exchange/").content.decode()
    consent = story.things["pooling_consent"]
    with pytest.raises(Refusal):
        story.act("bia", "pooling_consent", "withdraw", because="Not mine to withdraw.")
    story.act("eli", "pooling_consent", "withdraw", because="We look at it again.")
    with pytest.raises(Refusal):
        story.door.read(story.people["dora"], "pooling_consent", consent)

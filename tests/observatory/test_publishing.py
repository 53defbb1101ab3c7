"""A brief is published whole or not at all, in four languages, with tagged PDFs, and never changes afterwards."""

import csv
import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation

from vsm.cli.preparing import migrate_database, plant_casebook, ship_facts
from vsm.config import settings
from vsm.exchange.events.models import OnlineEvent
from vsm.exchange.institutions.models import Hub, Organisation
from vsm.kit import files
from vsm.kit.actors import ANONYMOUS, SYSTEM
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.kit.localized import LANGUAGES
from vsm.observatory.casebook.actions import plant
from vsm.observatory.casebook.models import Case, VsmModel
from vsm.observatory.estimates.facts import Fact
from vsm.observatory.publications import queries
from vsm.observatory.publications.actions import publish_brief
from vsm.observatory.publications.briefs import AUDIENCES, briefs
from vsm.observatory.publications.edition import as_csv
from vsm.observatory.publications.models import Publication
from vsm.observatory.publications.queries import (
    bundle,
    changed_since_last,
    citation,
    credit,
    newest,
    permalink,
    vintages_since_last,
)
from vsm.observatory.sources.actions import load, ship, ship_region

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture
def hub() -> Hub:
    hub = Hub(name="OpenVSM", contact="olga@hub.example")
    hub.save()
    ship(now=NOW)
    return hub


def test_an_edition_has_four_languages_and_four_tagged_papers_and_is_made_once(hub: Hub) -> None:
    edition = publish_brief(hub, by=SYSTEM, now=NOW, slug="covid-effect")
    assert (edition.number, set(edition.content), set(edition.pdfs), edition.experimental) == (1, {"es", "pt-br", "en", "fr"}, {"es", "pt-br", "en", "fr"}, False)
    for language, digest in edition.pdfs.items():
        paper = files.get(digest)
        assert (paper[:5], b"/StructTreeRoot" in paper, b"pdfuaid" in paper) == (b"%PDF-", True, True)
        inside = opened(paper)
        assert [re.search(part, inside) is not None for part in (rb"/Marked true", rb"/DisplayDocTitle true", rb"/Lang ?\(%s\)" % (b"pt-BR" if language == "pt-br" else language.encode()))] == [True] * 3
        # Two pictures, each told in words that are not its caption's; every head of a column says that it is one; addresses can be followed.
        assert (len(re.findall(rb"/S ?/Figure", inside)), len(re.findall(rb"/Alt[ (<]", inside)) >= 2) == (2, True)
        assert len(re.findall(rb"/S ?/TH\b", inside)) == len(re.findall(rb"/Scope ?/Column", inside)) > 0
        assert inside.count(b"/Subtype /Link") + inside.count(b"/Subtype/Link") >= 4
        assert language != "en" or b"the table below says the same" in inside
    assert publish_brief(hub, by=SYSTEM, now=NOW + timedelta(days=1), slug="covid-effect").pk == edition.pk


def opened(paper: bytes) -> bytes:
    """A paper with its compressed objects laid open."""
    return paper + b"".join(zlib.decompressobj().decompress(part) for part in re.findall(rb"/FlateDecode.*?stream\r?\n(.*?)endstream", paper, re.DOTALL))


def revised(folder: Path, change: Callable[[str, int, float], float | None]) -> Path:
    """The totals that ship with some figures changed, or left out where the change is None."""
    head, *lines = (Path(__file__).parents[2] / "src/vsm/observatory/sources/facts.csv").read_text().splitlines()
    cells = [(region, int(year), float(value)) for region, year, value in (line.rsplit(",", 2) for line in lines)]
    told = [(region, year, change(region, year, value)) for region, year, value in cells]
    path = folder / "facts.csv"
    path.write_text("\n".join([head, *(f"{region},{year},{value}" for region, year, value in told if value is not None)]) + "\n")
    return path


def test_a_new_release_makes_a_new_edition_that_tells_what_changed(hub: Hub, tmp_path: Path) -> None:
    first = publish_brief(hub, by=SYSTEM, now=NOW, slug="covid-effect")
    more = {"Northern America", "Europe and Northern America", "World"}
    load(revised(tmp_path, lambda region, year, value: value + 1000 * (region in more and year == 2022)), by=SYSTEM, now=NOW + timedelta(days=30))
    second = publish_brief(hub, by=SYSTEM, now=NOW + timedelta(days=30), slug="covid-effect")
    assert (second.number, newest(), changed_since_last(first)) == (2, [second], [])
    assert {each.key: round(each.after.value - each.before.value) for each in changed_since_last(second) if each.key.startswith("inbound.") and each.before and each.after and each.before.value and each.after.value} == {
        "inbound.northern-america.2022": 1000, "inbound.world.2022": 1000,
    }  # fmt: skip
    assert {each.key for each in changed_since_last(second) if each.key.startswith("gap.")} == {"gap.world.2022"}
    assert [source for source, then, now in vintages_since_last(second) if then and now and then != now] == ["facts"]
    with zipfile.ZipFile(io.BytesIO(bundle(second, "https://x.example/"))) as archive:
        assert archive.read("changes.csv").decode().count("\n") == len(changed_since_last(second)) + 1
    page = Client(headers={"accept-language": "en"}).get("/observatory/briefs/covid-effect/").content.decode()
    assert ("Releases used" in page, "[inbound.world.2022]" in page) == (True, True)


def test_a_decided_break_is_told_with_the_source_of_what_rests_on_it_and_in_the_figures() -> None:
    fact = Fact(key="inbound.world.2022", value=6.8e6, unit="students", design="descriptive", geo="world", year=2022, source="uis", extra={"breaks": ["DOM 2022 drop"]})
    vintages = [{"source": "uis", "edition": "2026-02", "taken": "2026-11-27"}]
    with translation.override("es"):
        assert credit(vintages, [fact]).endswith("27 de noviembre de 2026. Rupturas de las series en que se apoya: República Dominicana 2022: Omitida")
        assert "Rupturas" not in credit(vintages, [replace(fact, extra={})])
    assert as_csv({fact.key: fact}).splitlines()[1].endswith(",uis,break DOM 2022 drop")


def test_a_brief_that_names_what_is_no_longer_there_is_not_published(hub: Hub, tmp_path: Path) -> None:
    load(revised(tmp_path, lambda region, year, value: None if (region, year) == ("World", 2021) else value), by=SYSTEM, now=NOW + timedelta(days=30))
    with pytest.raises(Refused) as refused:
        publish_brief(hub, by=SYSTEM, now=NOW + timedelta(days=30), slug="covid-effect")
    assert {reason.params["code"] for reason in refused.value.reasons} == {"unknown-fact"}
    assert Publication.objects.count() == 0


def test_no_address_is_printed_that_nobody_has(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "settings", lambda: replace(settings(), address=""))
    edition = publish_brief(hub, by=SYSTEM, now=NOW, slug="covid-effect")
    path = f"/observatory/briefs/covid-effect/{edition.digest}/"
    with zipfile.ZipFile(io.BytesIO(bundle(edition, permalink(edition)))) as archive:
        package, told = json.loads(archive.read("datapackage.json")), archive.read("CITATION.bib").decode()
    assert (permalink(edition), "homepage" in package, f"url = {{{path}}}" in told) == (path, False, True)
    monkeypatch.undo()
    assert permalink(edition) == f"http://testserver{path}"


def test_its_bundle_carries_figures_meaning_and_licences_and_its_citation_the_edition(hub: Hub) -> None:
    edition = publish_brief(hub, by=SYSTEM, now=NOW, slug="covid-effect")
    url = f"{settings().base_url}/observatory/briefs/covid-effect/{edition.digest}/"
    with zipfile.ZipFile(io.BytesIO(bundle(edition, url))) as archive:
        package = json.loads(archive.read("datapackage.json"))
        assert package["licenses"][0]["name"] == "CC-BY-SA-3.0-IGO"
        assert archive.read("facts.csv").decode().count("\n") == len(edition.facts) + 1
        tables = {each["path"]: each for each in package["resources"]}
        assert sorted(archive.namelist()) == sorted([*tables, "CITATION.bib", "CITATION.json", "LICENCES.txt", "datapackage.json"])
        for path, table in tables.items():
            head, *lines = csv.reader(io.StringIO(archive.read(path).decode()))
            assert (head, table["hash"]) == ([field["name"] for field in table["schema"]["fields"]], f"sha256:{hashlib.sha256(archive.read(path)).hexdigest()}")
            assert (len(lines) > 0) != (path == "changes.csv")
        known = {line["key"] for line in csv.DictReader(io.StringIO(archive.read("facts.csv").decode()))}
        advised = list(csv.DictReader(io.StringIO(archive.read("recommendations.csv").decode())))
    assert {(line["language"], line["audience"]) for line in advised} == {(language, audience) for language in LANGUAGES for audience in AUDIENCES}
    assert all(line["facts"] and set(line["facts"].split()) <= known for line in advised)
    told = citation(edition, url, "es")
    assert (json.loads(told["csl"])[0]["URL"], url in told["bibtex"]) == (url, True)
    # Without an author, citation programs put the title in its place.
    assert (json.loads(told["csl"])[0]["author"], "author = {{OpenVSM Observatory}}" in told["bibtex"]) == ([{"literal": "OpenVSM Observatory"}], True)


def test_the_report_tells_the_casebook_with_its_sources_and_is_refused_where_the_casebook_lacks_what_it_tells(hub: Hub) -> None:
    ship_region(now=NOW)
    with pytest.raises(Refused) as refused:
        publish_brief(hub, by=SYSTEM, now=NOW, slug="state-of-mobility")
    assert {str(reason.params["text"]).partition(".")[0] for reason in refused.value.reasons} == {"case", "cases"}
    # What is lacking is told once for a place, not once for each language and each time that the place names it.
    reasons = [(reason.params["place"], reason.params["code"], reason.params["text"]) for reason in refused.value.reasons]
    assert (len(reasons), {reason.params["language"] for reason in refused.value.reasons if reason.params["place"] != "charts"}) == (len(set(reasons)), {"en, es, fr, pt-br"})
    plant(now=NOW)
    edition = publish_brief(hub, by=SYSTEM, now=NOW, slug="state-of-mobility")
    assert (edition.kind, len(edition.pdfs), edition.facts["models"]["value"], edition.facts["cases"]["value"]) == ("report", 4, VsmModel.objects.count(), Case.objects.count())
    survey = next(work for work in Case.objects.get(slug="stevens-survey").sources)
    page = Client(headers={"accept-language": "en"}).get("/observatory/briefs/state-of-mobility/").content.decode()
    assert [text in page for text in (survey["title"], "Source: Casebook of this installation", "Report ·")] == [True, True, True]
    with zipfile.ZipFile(io.BytesIO(bundle(edition, "https://x.example/"))) as archive:
        told = {line["key"]: line for line in csv.DictReader(io.StringIO(archive.read("facts.csv").decode()))}
        assert ("casebook: CC-BY-4.0" in archive.read("LICENCES.txt").decode(), told["case.emovies.participants"]["note"]) == (True, "self-claimed")


@pytest.mark.by_name
@pytest.mark.parametrize("slug", sorted(briefs()))
def test_what_an_installation_without_the_demo_begins_with_suffices_for_every_brief(slug: str) -> None:
    migrate_database()
    plant_casebook()
    ship_facts(with_briefs=False)
    assert publish_brief(Hub.objects.get(), by=SYSTEM, now=NOW, slug=slug).number == 1


def test_a_recommendation_is_shown_with_its_figures_its_gaps_and_a_case_and_the_brief_with_its_events(hub: Hub) -> None:
    plant(now=NOW)
    edition = publish_brief(hub, by=SYSTEM, now=NOW, slug="covid-effect")
    client = Client(headers={"accept-language": "en"})
    page = client.get("/observatory/recommendations/?for=funders").content.decode()
    case = Case.objects.get(slug="erasmus-2020")
    assert [text in page for text in ("Pay grants on the same terms", "missing.australia-and-new-zealand.2021", "How many gave up for want of money", f"/cases/{case.pk}/", "Ask a host")] == [True, True, True, True, False]
    assert "Online events about it" not in client.get("/observatory/briefs/covid-effect/").content.decode()
    organisation = Organisation(name={"en": "Host"}, schac="host.example", kind="university", country="PE", zone="America/Lima")
    organisation.save()
    event = OnlineEvent(organisation=organisation, title={"en": "Launch"}, starts_at=NOW, ends_at=NOW + timedelta(hours=1), zone="UTC", closes_at=NOW, state="published", subjects=["brief:covid-effect"])
    event.save()
    shown = client.get("/observatory/briefs/covid-effect/").content.decode()
    assert (f"/online-events/{event.pk}/" in shown, edition.title["en"] in client.get(f"/online-events/{event.pk}/").content.decode()) == (True, True)


def test_an_edition_from_before_recommendations_had_figures_can_still_be_read(hub: Hub) -> None:
    edition = publish_brief(hub, by=SYSTEM, now=NOW, slug="covid-effect")
    for text in edition.content.values():
        text["advice"] = [[audience, [item["do"] for item in items]] for audience, items in text["advice"]]
        del text["references"]
    edition.vintages = []
    edition.save()
    page = Client(headers={"accept-language": "en"}).get(f"/observatory/briefs/covid-effect/{edition.digest}/")
    assert (page.status_code, "Pay grants on the same terms" in page.content.decode(), "Rests on" in page.content.decode()) == (200, True, False)


def test_only_the_operator_publishes_and_only_what_is_there(hub: Hub) -> None:
    with pytest.raises(NotAllowed):
        publish_brief(hub, by=ANONYMOUS, now=NOW, slug="covid-effect")
    with pytest.raises(Invalid, match="There is no brief"):
        publish_brief(hub, by=SYSTEM, now=NOW, slug="gossip")

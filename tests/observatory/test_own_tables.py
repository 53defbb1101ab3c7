"""A table of somebody's own: what was understood of it and what is wrong is told before it counts; then it is a release as any other."""

import io
import random
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.exchange.learning_agreements.given import person
from vsm.cli.commands import main
from vsm.exchange.institutions.models import Hub
from vsm.exchange.people.models import Person
from vsm.kit.actors import ANONYMOUS, SYSTEM, Actor
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.kit.uploads import Upload
from vsm.observatory.sources.actions import discard_table, hand_in_table, keep_table, load
from vsm.observatory.sources.loaders import recognised
from vsm.observatory.sources.models import OwnTable, Release
from vsm.observatory.sources.observations import observations
from vsm.observatory.sources.queries import OWN_TABLE, bundle_of

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
OLGA = Actor(person_id=None, label="Olga", is_operator=True)
GOOD = "geo,year,value,geo2\nPER,2023,12,\nPER,2024,,\nPER,2024,3,CHL\n"
FACTS: dict[str, Any] = {"licence": "CC-BY-4.0", "attribution": "Ministry of Education"}


@pytest.fixture(autouse=True)
def hub(db: None) -> Hub:
    made = Hub(name="OpenVSM", contact="olga@hub.example")
    made.save()
    return made


def handed_in(hub: Hub, data: str | bytes, name: str = "virtual.csv", **more: Any) -> OwnTable:
    return hand_in_table(hub, by=OLGA, now=NOW, file=Upload.of(name, "text/csv", data.encode() if isinstance(data, str) else data), **{**FACTS, **more})


def rows() -> int:
    return int(observations(source="own").count().execute())


def test_what_was_understood_is_told_and_nothing_counts_until_it_is_kept(hub: Hub) -> None:
    table = handed_in(hub, GOOD, edition="2024")
    assert (table.state, table.problems, [code for code, _passed, _facts in table.checks]) == ("read", [], ["each-cell-once"])
    assert table.found == {"columns": ["geo", "year", "value", "geo2"], "rows": 3, "series": ["virtual"], "places": 1, "first": 2023, "last": 2024, "missing": 1, "flows": 1}
    assert (rows(), Release.objects.count()) == (0, 0)
    release = keep_table(table, by=OLGA, now=NOW)
    assert (release.source, release.format, release.edition, release.file_name, release.rows, rows()) == ("own", "own-csv", "2024", "virtual.csv", 3, 3)
    assert (OwnTable.objects.get().state, OwnTable.objects.get().release) == ("kept", release)
    with pytest.raises(Refused):
        keep_table(table, by=OLGA, now=NOW)


def test_no_number_of_students_is_below_zero_and_what_else_a_table_holds_may_be(hub: Hub) -> None:
    told = "geo,year,series,value,geo2\nPER,2023,26637,-3,\nPER,2023,net,-3,\nPER,2024,flows,-1,CHL\nPER,2024,26637,0,\n"
    table = handed_in(hub, told)
    assert (table.state, [(reason["code"], reason["params"]["line"]) for reason in table.problems]) == ("faulty", [("line-negative", 2), ("line-negative", 4)])
    assert handed_in(hub, "geo,year,series,value\nPER,2023,net,-3\n", "net.csv").state == "read"


def test_a_parquet_file_is_read_as_such(hub: Hub) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    made = io.BytesIO()
    pq.write_table(pa.table({"geo": ["PER", "CHL"], "year": [2023, 2023], "value": [1.0, 2.0]}), made)
    table = handed_in(hub, made.getvalue(), "virtual.parquet")
    assert (table.state, table.found["rows"], keep_table(table, by=OLGA, now=NOW).format) == ("read", 2, "own-parquet")
    assert [reason["code"] for reason in handed_in(hub, b"PAR1 and no more", "broken.parquet").problems] == ["file-unreadable"]


def test_a_parquet_file_of_too_many_rows_is_refused_before_it_is_laid_out(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    made = io.BytesIO()
    pq.write_table(pa.table({"geo": ["PER"] * 50, "year": [2023] * 50, "value": [1.0] * 50}), made)
    monkeypatch.setattr("vsm.observatory.sources.loaders.own.MOST_ROWS", 49)
    monkeypatch.setattr(pq, "read_table", lambda *_given: pytest.fail("laid out"))
    assert [reason["code"] for reason in handed_in(hub, made.getvalue(), "many.parquet").problems] == ["file-unreadable"]


def test_a_damaged_parquet_file_is_told_so_wherever_it_is_broken(hub: Hub, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"geo": ["PER", "CHL"], "year": [2023, 2024], "value": [1.0, None]}), tmp_path / "whole.parquet")
    whole, noise, codes = (tmp_path / "whole.parquet").read_bytes(), random.Random(4), set()
    for _times in range(60):
        broken = bytearray(whole)
        for _place in range(3):
            broken[noise.randrange(4, len(broken) - 4)] = noise.randrange(256)
        codes |= {reason["code"] for reason in handed_in(hub, bytes(broken), "é" * 200 + ".parquet").problems}
        (tmp_path / "broken.parquet").write_bytes(broken)
        recognised(tmp_path / "broken.parquet")
    assert "file-unreadable" in codes


def test_every_bad_line_is_told_with_what_was_understood_and_cannot_be_kept(hub: Hub) -> None:
    table = handed_in(hub, "geo,year,value\nPeru,2023,12\nPER,2O24,1\nPER,2024,a lot\n")
    assert (table.state, table.found, [reason["code"] for reason in table.problems]) == ("faulty", {"columns": ["geo", "year", "value"], "rows": 3}, ["line-place", "line-year", "line-value"])
    with pytest.raises(Refused):
        keep_table(table, by=OLGA, now=NOW)
    assert [reason["code"] for reason in handed_in(hub, "country,when\nPER,2023\n").problems] == ["columns-unknown"]
    assert (rows(), Release.objects.count()) == (0, 0)


def test_the_checks_of_every_source_stand_between_and_are_made_once_more_when_it_is_kept(hub: Hub, tmp_path: Path) -> None:
    doubled = "geo,year,value,series\nCHL,2021,30000,26637\n"
    early = handed_in(hub, doubled)
    (tmp_path / "uis.csv").write_text("indicatorId,geoUnit,year,value,qualifier,magnitude\n26637,CHL,2021,15000,,\n")
    load(tmp_path / "uis.csv", by=SYSTEM, now=NOW)
    late = handed_in(hub, doubled)
    assert (early.state, late.state, {code: passed for code, passed, _facts in late.checks}["agrees-with-uis"]) == ("read", "faulty", False)
    with pytest.raises(Invalid, match="times those of UIS"):
        keep_table(early, by=OLGA, now=NOW)
    assert (OwnTable.objects.get(pk=early.pk).state, Release.objects.filter(source="own").count()) == ("read", 0)


def test_what_was_not_kept_can_be_discarded_and_handed_in_again_and_what_counts_cannot(hub: Hub) -> None:
    good, faulty = handed_in(hub, GOOD), handed_in(hub, "geo,year,value\nPeru,2023,12\n")
    assert [discard_table(each, by=OLGA, now=NOW).state for each in (good, faulty)] == ["discarded", "discarded"]
    with pytest.raises(Refused):
        keep_table(good, by=OLGA, now=NOW)
    again = handed_in(hub, GOOD)
    keep_table(again, by=OLGA, now=NOW)
    with pytest.raises(Refused):
        discard_table(again, by=OLGA, now=NOW)
    assert (rows(), Release.objects.count()) == (3, 1)


def test_the_same_table_under_other_terms_is_a_release_of_its_own_and_the_newest_counts(hub: Hub) -> None:
    first = keep_table(handed_in(hub, GOOD), by=OLGA, now=NOW)
    assert keep_table(handed_in(hub, GOOD), by=OLGA, now=NOW).pk == first.pk
    corrected = keep_table(handed_in(hub, GOOD, licence="CC-BY-SA-4.0"), by=OLGA, now=NOW + timedelta(hours=1))
    assert (corrected.pk != first.pk, corrected.digest == first.digest, Release.objects.count()) == (True, True, 2)
    assert (rows(), {row["release"] for row in observations(source="own").to_pyarrow().to_pylist()}) == (3, {str(corrected.pk)})


def test_its_own_licence_decides_whether_others_may_export_it(hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    free = keep_table(handed_in(hub, GOOD, licence="CC-BY-SA-4.0"), by=OLGA, now=NOW)
    with zipfile.ZipFile(io.BytesIO(bundle_of(free))) as bundle:
        assert bundle.read("LICENCE.txt").decode().startswith("own: CC-BY-SA-4.0 (share alike)\nMinistry of Education\n")
    with pytest.raises(Refused, match="may not be passed on"):
        bundle_of(keep_table(handed_in(hub, GOOD + "PER,2022,1,\n", licence="LicenseRef-Unknown"), by=OLGA, now=NOW))
    with pytest.raises(Invalid, match="none of the licences"):
        handed_in(hub, GOOD, licence="MIT")
    (tmp_path / "uis.csv").write_text("indicatorId,geoUnit,year,value,qualifier,magnitude\n26637,CHL,2021,15000,,\n")
    assert main(["observatory", "load", str(tmp_path / "uis.csv"), "--licence", "CC0-1.0"]) != 0
    assert "is its publisher’s" in capsys.readouterr().err
    (tmp_path / "mine.csv").write_text("geo,year,value\nPER,2020,1\n")
    assert main(["observatory", "load", str(tmp_path / "mine.csv"), "--licence", "CC0-1.0", "--attribution", "Us"]) == 0
    assert Release.objects.filter(licence="CC0-1.0", attribution="Us").count() == 1


def test_only_who_runs_the_installation_hands_in_and_sees_what_is_not_kept(hub: Hub) -> None:
    table = handed_in(hub, GOOD)
    somebody = Actor(person_id=person("Bia").pk, label="Bia", roles={"coordinator": frozenset()})
    for stranger in (ANONYMOUS, somebody):
        assert list(OWN_TABLE.visible_to(stranger)) == []
        with pytest.raises(NotAllowed):
            hand_in_table(hub, by=stranger, now=NOW, file=Upload.of("x.csv", "text/csv", GOOD.encode()), **FACTS)
        with pytest.raises(NotAllowed):
            keep_table(table, by=stranger, now=NOW)
        with pytest.raises(NotAllowed):
            discard_table(table, by=stranger, now=NOW)
    assert OwnTable.objects.count() == 1


def test_the_pages_from_the_file_to_the_source(hub: Hub, client: Client) -> None:
    olga = person("Olga", language="es")
    Person.objects.filter(pk=olga.pk).update(is_operator=True)
    client.force_login(olga, backend="allauth.account.auth_backends.AuthenticationBackend")
    form = f"/hubs/{hub.pk}/hand_in_table/"
    assert form in client.get("/releases/").content.decode()
    assert '<option value="" selected>—</option>' in client.get(form).content.decode()
    bad = client.post(form, {**FACTS, "file": io.BytesIO(b"geo,year,value\nPERU,2023,1\n")}, follow=True).content.decode()
    assert ("Línea 2" in bad or "línea 2" in bad, "Conservarla como fuente" in bad) == (True, False)
    file = io.BytesIO(GOOD.encode())
    file.name = "virtual.csv"
    page = client.post(form, {**FACTS, "file": file}, follow=True)
    told = page.content.decode()
    assert [word in told for word in ("Todavía no cuenta nada", "Qué se entendió", "2023–2024", "Ningún lugar y año figura dos veces", "Conservarla como fuente")] == [True] * 5
    kept = client.post(page.redirect_chain[-1][0] + "keep/", follow=True)
    release = Release.objects.get()
    assert (kept.redirect_chain[-1][0], "Ministry of Education" in kept.content.decode()) == (f"/releases/{release.pk}/", True)
    public = Client(headers={"accept-language": "en"}).get(f"/releases/{release.pk}/").content.decode()
    assert [word in public for word in ("CC-BY-4.0", "Ministry of Education", "No place and year is told twice")] == [True] * 3
    assert Client().get(f"/own-tables/{OwnTable.objects.get(state='kept').pk}/").status_code == 404

"""A source comes over the network whole or not at all; a broken download goes on; nothing on this computer is reachable by it."""

import hashlib
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from vsm.exchange.institutions.models import Hub
from vsm.kit.actors import SYSTEM
from vsm.kit.errors import Invalid, Unavailable, VsmError
from vsm.observatory.sources import actions
from vsm.observatory.sources.fetching import Limits, fetch
from vsm.observatory.sources.models import Release
from vsm.observatory.sources.observations import folder
from vsm.observatory.sources.registry import sources

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
NEAR = Limits(private=True, wait=lambda _seconds: None, tries=3, silence=5)


class Publisher(ThreadingHTTPServer):
    """Serves `files` with ETags and ranges; breaks off each path of `dropping` half-way, once; notes what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Serving)
        self.files: dict[str, bytes] = {}
        self.moved: dict[str, str] = {}
        self.dropping: set[str] = set()
        self.busy: list[int] = []
        self.etag = '"one"'
        self.asked: list[tuple[str, str]] = []
        self.sent = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Serving(BaseHTTPRequestHandler):
    server: Publisher

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        self.server.asked.append((path, self.headers.get("Range", "") or self.headers.get("If-None-Match", "")))
        body = self.server.files.get(path)
        if path in self.server.moved:
            return self._answer(302, b"", {"Location": self.server.moved[path]})
        if body is None or self.server.busy:
            return self._answer(self.server.busy.pop() if self.server.busy else 404, b"", {})
        if self.headers.get("If-None-Match") == self.server.etag:
            return self._answer(304, b"", {})
        begin = 0
        if (asked := self.headers.get("Range")) and self.headers.get("If-Range") == self.server.etag:
            begin = int(asked.removeprefix("bytes=").rstrip("-"))
        told = {"ETag": self.server.etag, **({"Content-Range": f"bytes {begin}-{len(body) - 1}/{len(body)}"} if begin else {})}
        if path in self.server.dropping:
            self.server.dropping.discard(path)
            self._answer(206 if begin else 200, body, told, cut=len(body) // 2)
            self.connection.close()
            return None
        return self._answer(206 if begin else 200, body[begin:], told)

    def _answer(self, status: int, body: bytes, headers: dict[str, str], cut: int | None = None) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.server.sent += len(body[:cut])
        self.wfile.write(body[:cut])

    def log_message(self, *_parts: Any) -> None:
        pass


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    server = Publisher()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def opri() -> bytes:
    rows = "".join(f"26637,CHL,{year},{year * 7},,\n" for year in range(1990, 2022))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("OPRI_DATA_NATIONAL.csv", "INDICATOR_ID,COUNTRY_ID,YEAR,VALUE,MAGNITUDE,QUALIFIER\n" + rows)
    return made.getvalue()


@pytest.mark.django_db
def test_the_newest_release_is_found_and_a_broken_download_goes_on_where_it_stopped(publisher: Publisher) -> None:
    Hub(name="OpenVSM", contact="olga@hub.example").save()
    publisher.files["/bdds/202602/OPRI.zip"] = opri()
    publisher.dropping.add("/bdds/202602/OPRI.zip")
    told: list[tuple[int, int]] = []
    (release,) = actions.fetch("uis", by=SYSTEM, now=NOW, only="OPRI.zip", mirror=publisher.url, limits=NEAR, progress=lambda done, total: told.append((done, total)))
    half = len(opri()) // 2
    assert publisher.asked == [("/bdds/202609/OPRI.zip", ""), ("/bdds/202602/OPRI.zip", ""), ("/bdds/202602/OPRI.zip", f"bytes={half}-")]
    assert (release.edition, release.rows, release.url, release.size) == ("2026-02", 32, f"{publisher.url}/bdds/202602/OPRI.zip", len(opri()))
    assert (len(opri()), len(opri())) in told
    assert not [path for path in (folder() / "fetched").rglob("*") if path.is_file()]
    assert Release.objects.count() == 1


@pytest.mark.django_db
def test_the_apis_answer_is_fetched_with_its_question_and_its_expected_fingerprint(publisher: Publisher) -> None:
    Hub(name="OpenVSM", contact="olga@hub.example").save()
    body = b'{"hints": [], "records": [{"indicatorId": "26637", "geoUnit": "CHL", "year": 2021, "value": 15000, "magnitude": null, "qualifier": null}]}'
    publisher.files["/api/public/data/indicators"] = body
    with pytest.raises(Invalid, match="SHA-256"):
        actions.fetch("uis", by=SYSTEM, now=NOW, only="totals.json", mirror=publisher.url, expected="f" * 64, limits=NEAR)
    (release,) = actions.fetch("uis", by=SYSTEM, now=NOW, only="totals.json", mirror=publisher.url, expected=hashlib.sha256(body).hexdigest(), limits=NEAR)
    assert (release.format, release.rows, "indicator=26637&indicator=MENF.5T8" in release.url) == ("uis-api-json", 1, True)


@pytest.mark.django_db
def test_what_came_whole_and_was_interrupted_while_it_was_read_does_not_come_again(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    Hub(name="OpenVSM", contact="olga@hub.example").save()
    there = "/bdds/202609/OPRI.zip"
    publisher.files[there] = opri()

    def interrupted(*_given: Any, **_more: Any) -> None:
        raise KeyboardInterrupt

    def fetched() -> list[str]:
        publisher.asked.clear()
        actions.fetch("uis", by=SYSTEM, now=NOW, only="OPRI.zip", mirror=publisher.url, limits=NEAR)
        return [f"{path} {told}".strip() for path, told in publisher.asked]

    def interrupt() -> Path:
        with monkeypatch.context() as patched:
            patched.setattr(actions, "load", interrupted)
            with pytest.raises(KeyboardInterrupt):
                fetched()
        (path,) = (folder() / "fetched").rglob("OPRI.zip")
        return path

    interrupt()
    sent = publisher.sent
    assert (fetched(), publisher.sent, Release.objects.count()) == ([f'{there} "one"'], sent, 1)
    interrupt().write_bytes(b"damaged")
    assert fetched() == [there]
    interrupt()
    publisher.etag = '"two"'  # another by now
    assert (fetched(), publisher.sent) == ([f'{there} "one"'], sent + 4 * len(opri()))
    assert not [path for path in (folder() / "fetched").rglob("*") if path.is_file()]


def test_a_file_that_changed_meanwhile_is_taken_whole_not_patched_together(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["/a.csv"] = b"old" * 1000
    publisher.dropping.add("/a.csv")
    with pytest.raises(Unavailable):
        fetch(f"{publisher.url}/a.csv", tmp_path / "a.csv", limits=Limits(private=True, tries=1))
    assert (tmp_path / "a.csv.part").stat().st_size == 1500
    publisher.files["/a.csv"], publisher.etag = b"new" * 900, '"two"'
    fetch(f"{publisher.url}/a.csv", tmp_path / "a.csv", limits=NEAR)
    assert ((tmp_path / "a.csv").read_bytes(), sorted(path.name for path in tmp_path.iterdir())) == (b"new" * 900, ["a.csv", "a.csv.json"])


def test_a_busy_publisher_is_asked_again_and_an_absent_file_is_not(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["/a.csv"], publisher.busy = b"a", [503, 429]
    fetch(f"{publisher.url}/a.csv", tmp_path / "a.csv", limits=NEAR)
    assert (tmp_path / "a.csv").read_bytes() == b"a"
    publisher.asked.clear()
    assert codes(f"{publisher.url}/none.csv", tmp_path / "none.csv", NEAR) == ["source-answers"]
    assert publisher.asked == [("/none.csv", "")]


def codes(url: str, into: Path, limits: Limits) -> list[str]:
    with pytest.raises(VsmError) as caught:
        fetch(url, into, limits=limits)
    assert not into.exists()
    return [reason.code for reason in caught.value.reasons]


@pytest.mark.parametrize("url", ["https://127.0.0.1/x", "https://localhost/x", "https://10.0.0.1/x", "https://169.254.169.254/x", "https://[::1]/x", "http://93.184.216.34/x", "file:///etc/passwd"])
def test_what_is_not_public_is_never_asked(url: str, tmp_path: Path) -> None:
    assert codes(url, tmp_path / "x", Limits(tries=1)) == ["address-not-public"]


def test_a_mirror_may_be_private_but_plain_http_never_leaves_ones_own_network(publisher: Publisher, tmp_path: Path) -> None:
    assert codes("http://93.184.216.34/x", tmp_path / "x", NEAR) == ["address-not-public"]
    publisher.files["/a.csv"] = b"a"
    assert codes(f"{publisher.url}/a.csv", tmp_path / "x", Limits(tries=1)) == ["address-not-public"]
    assert fetch(f"{publisher.url}/a.csv", tmp_path / "x", limits=NEAR) == hashlib.sha256(b"a").hexdigest()


def test_redirects_end_and_sizes_have_a_limit(publisher: Publisher, tmp_path: Path) -> None:
    publisher.moved = {"/round": "/round", "/there": "/a.csv"}
    publisher.files["/a.csv"] = b"a" * 100
    fetch(f"{publisher.url}/there", tmp_path / "a.csv", limits=NEAR)
    assert (tmp_path / "a.csv").stat().st_size == 100
    assert codes(f"{publisher.url}/round", tmp_path / "b", NEAR) == ["source-answers"]
    assert codes(f"{publisher.url}/a.csv", tmp_path / "c", Limits(private=True, size=99)) == ["source-too-large"]


def test_without_a_network_the_message_says_how_to_load_by_file(publisher: Publisher, tmp_path: Path) -> None:
    publisher.shutdown()
    publisher.server_close()
    with pytest.raises(Unavailable) as caught:
        fetch(f"{publisher.url}/a.csv", tmp_path / "a.csv", limits=NEAR)
    assert [(reason.code, "vsm observatory load FILE" in reason.text) for reason in caught.value.reasons] == [("source-unreachable", True)]


@pytest.mark.django_db
def test_what_cannot_be_fetched_is_told_with_what_can() -> None:
    with pytest.raises(Invalid) as caught:
        actions.fetch("cepii", by=SYSTEM, now=NOW)
    assert [(reason.code, reason.params["homepage"]) for reason in caught.value.reasons] == [("nothing-to-fetch", "https://www.cepii.fr")]
    with pytest.raises(Invalid, match="If you have a file"):
        actions.fetch("uiss", by=SYSTEM, now=NOW)


def zipped(**files: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return made.getvalue()


DAYS = b"country_code,country_name,01Jan2020,02Jan2020\nPER,Peru,1,2\n"
SDMX = b"STRUCTURE,REF_AREA,EDUCATION_LEV,ORIGIN,MOBILITY,SEX,TIME_PERIOD,OBS_VALUE,OBS_STATUS\nDF,CHL,ISCED11_5T8,W,MOB,_T,2021,15000,A\n"
RATES = "INDICATOR_ID,COUNTRY_ID,YEAR,VALUE,MAGNITUDE,QUALIFIER\nGER.5T8,PER,2021,70.5,,\n"
WIDE = '"Country Name","Country Code","Indicator Name","Indicator Code","2019",\n"Peru","PER","x","%s","5",\n'


@pytest.mark.django_db
def test_every_address_of_the_registry_gives_a_file_that_its_loader_takes(publisher: Publisher) -> None:
    Hub(name="OpenVSM", contact="olga@hub.example").save()
    publisher.files = {
        "/bdds/202609/OPRI.zip": opri(), "/bdds/202609/SDG.zip": zipped(**{"SDG_DATA_NATIONAL.csv": RATES}),
        "/api/public/data/indicators": b'{"records": [{"indicatorId": "25053", "geoUnit": "CHL", "year": 2021, "value": 1200000, "magnitude": null, "qualifier": null}]}',
        "/public/rest/data/OECD.EDU.IMEP,DSD_EAG_UOE_NON_FIN_STUD@DF_UOE_NF_RAW_MOB,1.0/all": SDMX,
    }  # fmt: skip
    peru = {"id": "PER", "region": {"id": "LCN", "value": "Latin America & Caribbean "}, "incomeLevel": {"id": "UMC", "value": "Upper middle income"}}
    publisher.files["/v2/country"] = json.dumps([{"page": 1, "pages": 1, "per_page": "400", "total": 1}, [peru]]).encode()
    for slug in ("SE.TER.ENRR", "IT.NET.USER.ZS", "NY.GDP.PCAP.PP.KD", "SP.POP.TOTL"):
        publisher.files[f"/v2/en/indicator/{slug}"] = zipped(**{f"API_{slug}_DS2_en_csv_v2_1.csv": WIDE % slug, f"Metadata_Country_API_{slug}.csv": "a,b\n"})
    for table in ("c8_internationaltravel", "c1_school_closing", "stringency_index"):
        publisher.files[f"/OxCGRT/covid-policy-tracker-legacy/main/legacy_data_202207/timeseries/{table}.csv"] = DAYS
    fetched = {slug: [release.format for release in actions.fetch(slug, by=SYSTEM, now=NOW, mirror=publisher.url, limits=NEAR)] for slug, entry in sources().items() if entry.fetch}
    assert fetched == {"uis": ["uis-bulk-zip", "uis-bulk-zip", "uis-api-json"], "oecd": ["oecd-sdmx-csv"], "worldbank": ["worldbank-classes", *["worldbank-csv"] * 4], "oxcgrt": ["oxcgrt-csv"] * 3}
    assert {release.edition for release in Release.objects.filter(source="uis", format="uis-bulk-zip")} == {"2026-09"}

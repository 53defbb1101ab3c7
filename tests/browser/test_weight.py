"""A first visit with a poor connection: few bytes, few requests, nothing inline; language and time zone without JavaScript."""

from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage

from tests.browser.stops import PUBLIC, Stop, some
from tests.browser.visitor import a_visitor
from tests.depth import Depth

pytestmark = [pytest.mark.browser, pytest.mark.committed]

FIRST_VISIT = 50_000  # bytes over the wire, style sheet and scripts included
REQUESTS = 6
HTML = 14_000  # bytes compressed: what fits into the first ten packets of a connection (RFC 6928)
REPORT = 16_000  # of a report with pictures, each drawn for a broad screen and for a phone
AFTERWARDS = 200  # ms in which a page that is there may still ask for something
WEIGHED = [stop for stop in PUBLIC if stop.path != "/design/"]  # a specimen sheet for those who build pages


@dataclass
class Visit:
    """What a page cost: bytes over the wire by address, and what the browser complained of."""

    bytes_of: dict[str, int] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)
    html: int = 0


@pytest.fixture(scope="module")
def visits(browser: Browser, site: str, depth: Depth) -> dict[Stop, Visit]:
    """Each public page by a browser that has never been here."""
    return {stop: cold(browser, site, stop) for stop in some(tuple(WEIGHED), depth)}


def test_a_first_visit_weighs_no_more_than_fifty_kilobytes(visits: dict[Stop, Visit]) -> None:
    heavy = {str(stop): visit.bytes_of for stop, visit in visits.items() if sum(visit.bytes_of.values()) > FIRST_VISIT}
    assert heavy == {}
    assert all(sum(visit.bytes_of.values()) > 2_000 for visit in visits.values()), "nothing was weighed"


def test_a_first_visit_asks_at_most_six_times(visits: dict[Stop, Visit]) -> None:
    # The tab's icon aside: it is asked for once and when the page is there already.
    asked = {str(stop): [address for address in visit.bytes_of if "favicon" not in address] for stop, visit in visits.items()}
    assert {stop: addresses for stop, addresses in asked.items() if len(addresses) > REQUESTS} == {}


def test_a_page_fits_into_the_first_packets(visits: dict[Stop, Visit]) -> None:
    assert {str(stop): visit.html for stop, visit in visits.items() if visit.html > (REPORT if stop.path == "/observatory/briefs/" else HTML)} == {}


def test_nothing_is_inline_or_from_elsewhere(visits: dict[Stop, Visit], site: str) -> None:
    assert {str(stop): visit.complaints for stop, visit in visits.items() if visit.complaints} == {}
    hosts = {urlsplit(address).netloc for visit in visits.values() for address in visit.bytes_of}
    assert hosts == {urlsplit(site).netloc}


def test_the_language_changes_on_the_same_page_without_javascript(browser: Browser, site: str) -> None:
    visitor = a_visitor(browser, site, java_script_enabled=False)
    page = visitor.opens("/catalogue/?q=clima").page
    page.locator("header summary", has_text="Language:").click()
    visitor.presses("Français", within=page.locator("header"))
    assert page.url == urljoin(site, "/catalogue/?q=clima")
    assert page.locator("html").get_attribute("lang") == "fr"
    assert page.locator("main input[name=q]").input_value() == "clima"
    page.context.close()


def test_the_time_zone_is_chosen_without_javascript(browser: Browser, site: str) -> None:
    visitor = a_visitor(browser, site, java_script_enabled=False)
    page = visitor.opens("/calls/").page
    visitor.follows("Times in UTC", within=page.locator("header")).chooses(zone="Asia/Manila").sends()
    visitor.opens("/calls/").reads("(Asia/Manila)")
    page.context.close()


def cold(browser: Browser, site: str, stop: Stop) -> Visit:
    """The last page of a stop, opened by a browser with an empty cache."""
    address = urljoin(site, stop.path)
    if stop.links:
        finder = a_visitor(browser, site).page
        stop.visit(finder, site)
        address = finder.url
        finder.context.close()
    page = a_visitor(browser, site).page
    visit, addresses = Visit(), dict[str, str]()
    page.on("console", lambda said: visit.complaints.append(said.text) if is_complaint(said) else None)
    wire = page.context.new_cdp_session(page)
    wire.on("Network.requestWillBeSent", lambda told: addresses.update({told["requestId"]: told["request"]["url"]}))
    wire.on("Network.loadingFinished", lambda told: visit.bytes_of.update({addresses[told["requestId"]]: int(told["encodedDataLength"])}))
    wire.send("Network.enable")
    page.goto(address)
    page.wait_for_timeout(AFTERWARDS)
    page.context.close()
    visit.bytes_of = {asked: size for asked, size in visit.bytes_of.items() if not asked.startswith("data:")}
    visit.html = visit.bytes_of[address]
    return visit


def is_complaint(said: ConsoleMessage) -> bool:
    """Whatever the browser refused or missed; a page that is not there says so itself."""
    return said.type in {"error", "warning"} and "404 (Not Found)" not in said.text

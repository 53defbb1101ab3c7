"""Without a connection: what was kept can be read, a form waits and is sent once, signing out takes all of it away.

The browser is a real one; the connection is taken away by Chromium itself, from pages and from the service worker alike.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.visitor import PATIENCE
from vsm.demo.cast import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.committed]

ANA, BIA = "ana@andina.example", "bia@andina.example"
KEPT = "async () => (await (await caches.open('vsm-kept')).keys()).map((each) => new URL(each.url).pathname)"


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale="en-GB", timezone_id="America/Lima")
    context.set_default_timeout(PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, site: str) -> Page:
    """Ana, signed in, on her timetable, when everything is kept."""
    return signed_in(context, site, ANA)


def signed_in(context: BrowserContext, site: str, who: str) -> Page:
    context.add_cookies([{"name": "django_language", "value": "en", "url": site}])
    page = context.new_page()
    page.goto(f"{site}/accounts/login/?next=/timetable/")
    page.fill("input[name=login]", who)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button:has-text('Sign in')")
    page.wait_for_url("**/timetable/")
    until(page, lambda: bool(page.evaluate("navigator.serviceWorker.controller !== null")))
    if who == ANA:
        until(page, lambda: kept(page, "/placement-agreements/") != [])  # the last that is asked for
    return page


def until(page: Page, is_so: Callable[[], bool]) -> None:
    """Look again and again; Playwright's own way of waiting evaluates strings, which our policy forbids."""
    for _look in range(PATIENCE // 100):
        if is_so():
            return
        page.wait_for_timeout(100)
    raise AssertionError("it did not come to that")


def kept(page: Page, under: str) -> list[str]:
    """The addresses of the copies below this one."""
    return [path for path in page.evaluate(KEPT) if path.startswith(under)]


def tell_hours(page: Page, site: str, *hours: str, zone: str = "") -> None:
    """Tick just these hours and send."""
    page.eval_on_selector_all("input[name=hours]", "(boxes) => boxes.forEach((box) => { box.checked = false; })")
    for hour in hours:
        page.locator(f"label:has(input[value='{hour}'])").click()
    if zone:
        page.eval_on_selector("select[name=zone]", "(select, zone) => { select.add(new Option(zone, zone, true, true)); }", zone)
    with page.expect_navigation():
        page.get_by_role("button", name="Keep my hours").click()


def checked(page: Page, site: str) -> list[Any]:
    page.goto(f"{site}/availability/")
    return [box.get_attribute("value") for box in page.locator("input[name=hours]:checked").all()]


def told_times(page: Page, site: str) -> int:
    """How often the server was told, by the history of the record."""
    page.goto(f"{site}/availabilities/")
    page.goto(f"{site}{page.locator('main tbody th a').first.get_attribute('href')}history/")
    return page.locator("main .history > li").count()


def test_timetable_joining_instructions_and_agreement_can_be_read(page: Page, context: BrowserContext, site: str) -> None:
    session, agreement = kept(page, "/sessions/")[0], kept(page, "/learning-agreements/")[0]
    context.set_offline(True)
    for path, words in (("/timetable/", "Timetable"), (session, "If the connection breaks"), (agreement, "Learning agreement")):
        page.goto(site + path)
        expect(page.locator("main")).to_contain_text(words)
        expect(page.locator("#offline")).to_contain_text("No connection: this is a copy kept on")
    assert "+33 4 55 50 01 00" in page.goto(site + session).text()  # type: ignore[union-attr]  # -- the worker answers
    context.set_offline(False)
    page.goto(f"{site}/timetable/")
    expect(page.locator("#offline")).to_be_hidden()


@pytest.mark.wide
def test_a_placement_and_what_was_agreed_about_it_can_be_read(page: Page, context: BrowserContext, site: str) -> None:
    placement, agreement = kept(page, "/placements/")[0], kept(page, "/placement-agreements/")[0]
    context.set_offline(True)
    for path, words in ((placement, "Mario Etcheverry"), (agreement, "Complaint route")):
        page.goto(site + path)
        expect(page.locator("main")).to_contain_text(words)
        expect(page.locator("#offline")).to_contain_text("No connection: this is a copy kept on")


@pytest.mark.wide
def test_what_was_never_kept_is_said_to_be_missing(page: Page, context: BrowserContext, site: str) -> None:
    context.set_offline(True)
    page.goto(f"{site}/people/")
    expect(page.locator("h1")).to_have_text("Without a connection")


def test_a_form_waits_and_is_sent_once_when_the_connection_returns(page: Page, context: BrowserContext, site: str) -> None:
    page.goto(f"{site}/availability/")
    before = told_times(page, site)
    page.goto(f"{site}/availability/")
    context.set_offline(True)
    tell_hours(page, site, "0-08", "2-14")
    waiting = page.locator("[data-forms~=waiting] li")
    expect(waiting).to_have_count(1)
    expect(waiting).to_contain_text("When you can meet")
    context.set_offline(False)
    expect(page.locator("[data-forms=sent] li")).to_have_count(1)
    expect(waiting).to_have_count(0)
    page.reload()
    assert checked(page, site) == ["0-08", "2-14"]
    assert told_times(page, site) == before + 1


@pytest.mark.parametrize(("same_key", "times"), [(True, 1), (False, 2)], ids=["same key", "control: a key of its own"])
def test_a_form_whose_answer_was_lost_on_the_way_counts_once(page: Page, context: BrowserContext, site: str, *, same_key: bool, times: int) -> None:
    before = told_times(page, site)
    page.goto(f"{site}/availability/")
    # The first delivery reaches the server; the page never hears of it.
    page.evaluate(
        """async (same) => {
            const form = new FormData(document.querySelector('main form'));
            if (!same) { form.set('delivery_key', crypto.randomUUID()); }
            await fetch('/availability/', {method: 'POST', body: new URLSearchParams(form), redirect: 'manual'});
        }""",
        same_key,
    )
    context.set_offline(True)
    with page.expect_navigation():
        page.get_by_role("button", name="Keep my hours").click()
    expect(page.locator("[data-forms~=waiting] li")).to_have_count(1)
    context.set_offline(False)
    expect(page.locator("[data-forms=sent] li")).to_have_count(1)
    assert told_times(page, site) == before + times


@pytest.mark.wide
def test_a_refusal_is_told_with_its_reasons(page: Page, context: BrowserContext, site: str) -> None:
    page.goto(f"{site}/availability/")
    context.set_offline(True)
    tell_hours(page, site, "0-09", zone="America/Limma")
    context.set_offline(False)
    refused = page.locator("[data-forms=refused] li")
    expect(refused).to_contain_text("“America/Limma” is no time zone")
    refused.get_by_role("button", name="Discard").click()
    expect(refused).to_have_count(0)


@pytest.mark.wide
def test_every_page_says_how_many_forms_wait(page: Page, context: BrowserContext, site: str) -> None:
    page.goto(f"{site}/availability/")
    context.set_offline(True)
    tell_hours(page, site, "0-10")
    page.goto(f"{site}/timetable/")
    expect(page.locator("#offline")).to_contain_text("Forms that wait for the connection: 1.")
    context.set_offline(False)
    page.goto(f"{site}/offline/")
    expect(page.locator("[data-forms=sent] li")).to_have_count(1)


@pytest.mark.wide
def test_a_form_without_a_key_is_neither_sent_nor_kept(page: Page, context: BrowserContext, site: str) -> None:
    page.goto(f"{site}/zone/")
    context.set_offline(True)
    with page.expect_navigation():
        page.get_by_role("button", name="Use this zone").click()
    expect(page.locator("h1")).to_have_text("Without a connection")
    expect(page.locator("[data-forms~=waiting] li")).to_have_count(0)


@pytest.mark.wide
def test_signing_out_takes_everything_away_after_a_word_about_what_waits(page: Page, context: BrowserContext, site: str) -> None:
    page.goto(f"{site}/availability/")
    context.set_offline(True)
    tell_hours(page, site, "0-11")
    page.goto(f"{site}/timetable/")
    page.evaluate("document.querySelector('form[action$=\"/logout/\"]').requestSubmit()")
    expect(page.locator("#offline")).to_contain_text("would be lost: 1.")
    page.goto(f"{site}/offline/")
    page.locator("[data-forms~=waiting] button:has-text('Discard')").click()
    context.set_offline(False)
    page.goto(f"{site}/timetable/")
    with page.expect_navigation():
        page.evaluate("document.querySelector('form[action$=\"/logout/\"]').requestSubmit()")
    assert page.evaluate(KEPT) == []
    context.set_offline(True)
    with pytest.raises(Exception, match="ERR_INTERNET_DISCONNECTED"):
        page.goto(f"{site}/timetable/")


@pytest.mark.wide
def test_somebody_elses_copies_go_when_another_reader_comes(page: Page, context: BrowserContext, site: str) -> None:
    assert kept(page, "/sessions/")
    context.clear_cookies()
    other = signed_in(context, site, BIA)
    until(other, lambda: kept(other, "/sessions/") == [])


@pytest.mark.wide
def test_everything_works_where_there_is_no_service_worker(browser: Browser, site: str) -> None:
    context = browser.new_context(service_workers="block", locale="en-GB")
    context.set_default_timeout(PATIENCE)
    try:
        context.add_cookies([{"name": "django_language", "value": "en", "url": site}])
        page = context.new_page()
        page.goto(f"{site}/accounts/login/?next=/availability/")
        page.fill("input[name=login]", ANA)
        page.fill("input[name=password]", PASSWORD)
        page.click("main button:has-text('Sign in')")
        page.wait_for_url("**/availability/")
        tell_hours(page, site, "4-12")
        assert checked(page, site) == ["4-12"]
    finally:
        context.close()


@pytest.mark.wide
def test_a_form_with_a_password_is_not_kept(page: Page, context: BrowserContext, site: str) -> None:
    page.goto(f"{site}/profile/")
    page.goto(f"{page.url}change_address/")
    page.fill("input[name=new_address]", "ana@new.example")
    page.fill("input[name=password]", PASSWORD)
    context.set_offline(True)
    with page.expect_navigation():
        page.get_by_role("button", name="Ask for another mail address").click()
    assert page.url == f"{site}/offline/?unsent"
    assert page.locator("[data-forms] li").count() == 0
    context.set_offline(False)

"""What a page owes to those who see little or use no pointer: contrast in the dark, text at 200 %, the way by keyboard alone."""

from importlib.resources import files

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.axe import FIND, WIDER, looking_at, note
from tests.browser.stops import PEOPLE, some
from tests.browser.visitor import a_visitor
from tests.depth import Depth

pytestmark = [pytest.mark.browser, pytest.mark.committed]

CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
STYLE = files("vsm.web") / "static/vsm/vsm.css"
READERS_TEXT = 16  # px, what browsers are set to at first
# What is cut off: text in a box that hides what does not fit, screen-reader text aside.
CUT = """() => [...document.querySelectorAll('main *')].filter(e => {
    const style = getComputedStyle(e), hides = ['hidden', 'clip'].includes(style.overflowX) || ['hidden', 'clip'].includes(style.overflowY);
    return hides && !e.closest('.aloud, svg, [aria-hidden=true]') && e.innerText?.trim() && (e.scrollWidth > e.clientWidth + 2 || e.scrollHeight > e.clientHeight + 2);
}).map(e => e.outerHTML.slice(0, 160))"""
FOCUS = """() => {
    const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
    return {name: (e.innerText || e.getAttribute('aria-label') || e.name || '').trim(), tag: e.tagName,
        ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth};
}"""


@pytest.mark.wide
@pytest.mark.parametrize("email", ["", "ana@andina.example"])
def test_the_dark_theme_has_the_contrast_too(browser: Browser, site: str, email: str, depth: Depth) -> None:
    page = looking_at(browser, site, email, color_scheme="dark").page
    found: dict[str, list[str]] = {}
    for stop in some(PEOPLE[email][::2], depth):  # every second: the tokens of the theme are the same everywhere
        stop.visit(page, site)
        note(found, str(stop), page.evaluate(FIND, CONTRAST))
    page.context.close()
    assert found == {}


@pytest.mark.wide
@pytest.mark.parametrize("email", ["", "bia@andina.example"])
def test_text_at_twice_the_size_is_neither_cut_nor_wider_than_the_screen(browser: Browser, site: str, email: str) -> None:
    page = looking_at(browser, site, email).page
    found: dict[str, list[str]] = {}
    # The browser's own setting, so that style sheet and media queries see it as they see a reader's.
    page.context.new_cdp_session(page).send("Page.setFontSizes", {"fontSizes": {"standard": 2 * READERS_TEXT}})
    for stop in PEOPLE[email][:5]:
        stop.visit(page, site)
        note(found, str(stop), page.evaluate(WIDER) + page.evaluate(CUT))
    page.context.close()
    assert found == {}


def test_by_keyboard_alone_from_the_first_page_to_an_application(browser: Browser, site: str) -> None:
    visitor = a_visitor(browser, site)
    page = visitor.opens("/").page
    page.keyboard.press("Tab")
    assert page.evaluate(FOCUS) == {"name": "Skip to the content", "tag": "A", "ring": True, "seen": True}
    tab_to(page, "q")
    page.keyboard.type("sostenibles mapocho")
    press_enter(page)
    tab_to(page, "Sustainable cities", most=80)
    press_enter(page)
    visitor.reads("Live meetings")
    tab_to(page, "Sign in to apply", most=60)
    press_enter(page)
    tab_to(page, "login")
    page.keyboard.type("ana@andina.example")
    tab_to(page, "password")
    page.keyboard.type("wrong")
    tab_to(page, "Sign in")
    press_enter(page)
    # The browser focuses what asks for it when it draws, which may be after it has read the page.
    page.wait_for_function("document.activeElement.className == 'error-summary'")
    assert page.locator("input[name=login]").input_value() == "ana@andina.example"
    page.context.close()


def tab_to(page: Page, name: str, *, most: int = 40) -> None:
    """Press Tab until what is called so has the focus. Everything on the way is in sight and has a ring."""
    for _press in range(most):
        page.keyboard.press("Tab")
        here = page.evaluate(FOCUS)
        if here["tag"] == "BODY":  # past the end: the browser's own buttons
            continue
        assert here["ring"], f"no visible focus: {here}"
        assert here["seen"], f"out of sight: {here}"
        if here["name"] == name:
            return
    raise AssertionError(f"“{name}” is not reached in {most} presses from {page.url}")


def press_enter(page: Page) -> None:
    with page.expect_navigation():
        page.keyboard.press("Enter")


def test_two_buttons_below_each_other_do_not_touch(browser: Browser) -> None:
    """As the page of recovery codes has them, which a library writes without a frame around its buttons."""
    buttons = '<a class="button" href="/1">Descargar los códigos</a> <a class="button" href="/2">Generar códigos nuevos</a>'
    page = browser.new_page(viewport={"width": 360, "height": 640})
    page.set_content(f'<style>{STYLE.read_text()}</style><main class="page"><div class="wrap"><div class="form"><p>…</p>{buttons}</div></div></main>')
    upper, lower = (box for each in page.locator(".button").all() if (box := each.bounding_box()))
    page.close()
    assert lower["y"] - (upper["y"] + upper["height"]) >= 8

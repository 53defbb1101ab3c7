"""What a machine can find of WCAG 2.2 AA, on a page of every template, on a phone and on a desk; and reflow at 320 px.

Axe finds a part of the faults, not all: docs/design.md says what people have to look at.
"""

import pytest
from playwright.sync_api import Browser

from tests.browser.axe import AXE, FIND, RULES, WIDER, looking_at, note
from tests.browser.stops import PEOPLE, some
from tests.depth import Depth

pytestmark = [pytest.mark.browser, pytest.mark.committed]

DESK, PHONE = 1280, 360
FIRST = ("",)  # whose pages the gate looks at
NARROWEST = 320  # WCAG 2.2, 1.4.10: 1280 px at 400 %


@pytest.mark.parametrize("email", [pytest.param(email, marks=[] if email in FIRST else pytest.mark.wide) for email in PEOPLE])
def test_axe_finds_nothing_and_no_page_is_wider_than_the_screen(browser: Browser, site: str, email: str, depth: Depth) -> None:
    page = looking_at(browser, site, email).page
    found: dict[str, list[str]] = {}
    for number, stop in enumerate(some(PEOPLE[email], depth)):
        page.set_viewport_size({"width": DESK, "height": 900})
        stop.visit(page, site)
        # What axe sees hangs little on the width: the gate asks at either, page by page in turn. What is too wide costs nothing to see.
        asked = (DESK, PHONE) if depth else (DESK, PHONE)[number % 2 :][:1]
        for width in (DESK, PHONE, NARROWEST):
            page.set_viewport_size({"width": width, "height": 900})
            note(found, f"{stop} at {width} px", (page.evaluate(FIND, RULES) if width in asked else []) + page.evaluate(WIDER))
    page.context.close()
    assert found == {}


def test_axe_finds_nothing_on_the_answer_of_a_verification(browser: Browser, site: str) -> None:
    visitor = looking_at(browser, site, "ana@andina.example")
    visitor.opens("/credentials/").goes(visitor.main.locator("tbody th a").first).presses("Verify").reads("Genuine and in force")
    assert visitor.page.evaluate(FIND, RULES) == []
    visitor.page.context.close()


def test_axe_would_find_something(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content("<html lang=en><title>Bad</title><main><h1>Bad</h1><img src=x><p style='color:#aaa;width:2000px'>pale and wide</p></main></html>")
    page.evaluate(AXE)
    assert sorted(each.partition(":")[0] for each in page.evaluate(FIND, RULES)) == ["color-contrast", "image-alt"]
    assert len(page.evaluate(WIDER)) == 1
    page.close()

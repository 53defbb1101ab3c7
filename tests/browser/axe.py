"""Axe in the pages of a browser, and what it is asked for."""

from pathlib import Path
from typing import Any

import axe_playwright_python
from playwright.sync_api import Browser

from tests.browser.visitor import Visitor, a_visitor

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text("utf-8")
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    "resultTypes": ["violations"],
}
FIND = "rules => axe.run(document, rules).then(found => found.violations.flatMap(v => v.nodes.map(n => v.id + ': ' + n.html.slice(0, 160))))"
# What is wider than the page, unless it lies in a part that scrolls by itself.
WIDER = """() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
    [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > window.innerWidth + 1)
    .slice(0, 3).map(e => e.outerHTML.slice(0, 160))"""


def looking_at(browser: Browser, site: str, email: str, **context: Any) -> Visitor:
    """A window with axe in each of its pages. The policy of the page would keep the script out; it is tested elsewhere."""
    visitor = a_visitor(browser, site, email, bypass_csp=True, **context)
    visitor.page.add_init_script(AXE)
    return visitor


def note(found: dict[str, list[str]], where: str, faults: list[str]) -> None:
    if faults:
        found[where] = faults

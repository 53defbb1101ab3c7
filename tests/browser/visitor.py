"""Somebody in front of a browser: clicks what has a name, types into what has a label, reads what is there."""

import re
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from playwright.sync_api import Browser, Locator, Page, expect

from vsm.demo.cast import PASSWORD

WORKER = 60.0  # seconds that an effect of the worker may take on a machine with much else to do
PACE = 0.3  # seconds between two looks
PATIENCE = 60_000  # ms that a shared machine may take to show what is expected


@dataclass
class Visitor:
    """One person in one browser window. Every click that leads somewhere waits for the page that it leads to."""

    page: Page
    base: str

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    @property
    def text(self) -> str:
        return " ".join(self.main.inner_text().split())

    def opens(self, path: str) -> "Visitor":
        answer = self.page.goto(urljoin(self.base, path))
        assert answer, path
        assert answer.status == 200, f"{answer.status} at {path}: {self.text[:500]}"
        return self

    def goes(self, target: Locator, *, refused: bool = False) -> "Visitor":
        with self.page.expect_navigation() as going:
            target.click()
        answer = going.value
        expected = {409, 422} if refused else {200}
        assert answer.status in expected, f"{answer.status} at {self.page.url}: {self.text[:1500]}"
        return self

    def follows(self, name: str, *, exact: bool = True, within: Locator | None = None) -> "Visitor":
        """The first link of this name in the page's own part (or in `within`)."""
        return self.goes((within or self.main).get_by_role("link", name=name, exact=exact).first)

    def presses(self, name: str, *, within: Locator | None = None) -> "Visitor":
        return self.goes((within or self.main).get_by_role("button", name=name, exact=True).first)

    def picks(self, words: str) -> "Visitor":
        """The record in a list whose line has these words."""
        return self.goes(self.main.locator("tbody tr").filter(has_text=words).first.get_by_role("link").first)

    def does(self, name: str) -> "Visitor":
        """An act that asks nothing more: its button on the record's page, then the button of its form."""
        return self.follows(name).sends()

    def types(self, **fields: str) -> "Visitor":
        for name, value in fields.items():
            self.main.locator(f"[name='{name}']").fill(value)
        return self

    def chooses(self, **fields: str) -> "Visitor":
        """The option of each select whose words begin so."""
        for name, words in fields.items():
            select = self.main.locator(f"select[name='{name}']")
            found = [option for option in select.locator("option").all_inner_texts() if option.strip().startswith(words)]
            assert found, f"no “{words}” in {name} on {self.page.url}"
            select.select_option(label=found[0])
        return self

    def sends(self, *, refused: bool = False) -> "Visitor":
        """The main button of the form on the page."""
        self.goes(self.main.locator("form .form-actions button").first, refused=refused)
        return self

    def reads(self, *words: str) -> "Visitor":
        for each in words:
            assert each in self.text, f"“{each}” is not on {self.page.url}:\n{self.text[:3000]}"
        return self

    def finds(self, pattern: str) -> str:
        """What on the page looks like this."""
        found = re.search(pattern, self.text)
        assert found, f"nothing like {pattern} on {self.page.url}:\n{self.text[:3000]}"
        return found[0]

    def fetches(self, name: str, *, exact: bool = True) -> bytes:
        """The bytes behind the link of this name, with this window's cookies."""
        address = self.main.get_by_role("link", name=name, exact=exact).first.get_attribute("href")
        assert address, name
        answer = self.page.request.get(urljoin(self.page.url, address))
        assert answer.status == 200, f"{answer.status} at {address}"
        return answer.body()

    def waits_for(self, words: str) -> "Visitor":
        """Load the page again until the worker has done what puts these words on it."""
        end = time.monotonic() + WORKER
        while words not in self.text:
            assert time.monotonic() < end, f"“{words}” did not come to {self.page.url}:\n{self.text[:3000]}"
            time.sleep(PACE)
            self.page.reload()
        return self


def a_visitor(browser: Browser, base: str, email: str = "", **context: Any) -> Visitor:
    """A window in English; signed in when `email` is given."""
    settings: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", "timezone_id": "America/Lima", **context}
    window = browser.new_context(**settings)
    window.set_default_timeout(PATIENCE)
    window.add_cookies([{"name": "django_language", "value": "en", "url": base}])
    visitor = Visitor(window.new_page(), base)
    return signed_in(visitor, email) if email else visitor


def signed_in(visitor: Visitor, email: str) -> Visitor:
    visitor.opens("/accounts/login/").types(login=email, password=PASSWORD).presses("Sign in")
    expect(visitor.page).to_have_url(urljoin(visitor.base, "/desk/"))
    return visitor

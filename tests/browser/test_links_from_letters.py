"""A link from a letter is all that a guest has: what it shows can be pressed, in a real browser and from its own origin."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.browser.visitor import a_visitor

pytestmark = [pytest.mark.browser, pytest.mark.committed, pytest.mark.wide]


def test_a_guest_confirms_a_place_at_an_online_event_by_the_mailed_link(browser: Browser, site: str) -> None:
    guest = a_visitor(browser, site, java_script_enabled=False)
    guest.opens("/online-events/?state=published").picks("fair").follows("Register")
    guest.types(name="Vera", email="vera@elsewhere.example").sends()
    olga = a_visitor(browser, site, "olga@hub.example", java_script_enabled=False)
    letter = olga.opens("/messages/?q=vera@elsewhere.example").waits_for("Confirm your registration").picks("Confirm your registration").finds(r"https?://\S+/online-events/mine/\S+/")
    guest.opens(urlsplit(letter).path).presses("Confirm my registration")
    assert re.search("You have a place|on the waiting list", guest.text)

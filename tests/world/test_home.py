"""The first page presents the six categories; a student finds each, an office offers each, in three clicks at most."""

import re
from collections.abc import Callable

from django.test import Client

from vsm.exchange.catalogue.categories import all_categories


def links(page: bytes) -> list[str]:
    section = page.decode().partition('<section id="categories">')[2].partition("</section>")[0]
    return re.findall(r'href="([^"]+)"', section)


def test_everybody_finds_what_is_offered_in_each_category(signed_in: Callable[[str], Client]) -> None:
    for reader in ("", "ana"):
        client = signed_in(reader)
        found = links(client.get("/").content)
        assert found == [f"/{category.find}" for category in all_categories()]
        assert {address: client.get(address).status_code for address in found} == dict.fromkeys(found, 200)


def test_an_office_is_led_to_the_form_with_which_it_offers_each(signed_in: Callable[[str], Client]) -> None:
    client = signed_in("carlos")
    offers = [address for address in links(client.get("/").content) if address.startswith("/organisations/")]
    assert [address.partition("?")[0].rstrip("/").rpartition("/")[2] for address in offers] == [category.offer for category in all_categories()]
    assert {client.get(address).status_code for address in offers} == {200}

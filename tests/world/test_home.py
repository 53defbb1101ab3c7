"""The first page presents the six categories; a student finds each, an office offers each, in three clicks at most."""

import re
from collections.abc import Callable

from django.test import Client

from vsm.exchange.catalogue.categories import all_categories
from vsm.exchange.institutions.models import Organisation


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
    assert [address.partition("?")[0].rstrip("/").rpartition("/")[2] for address in offers] == [category.offer[0][1] for category in all_categories()]
    assert {client.get(address).status_code for address in offers} == {200}


def test_a_company_is_led_to_what_a_company_offers_and_its_mentor_sees_no_teaching(signed_in: Callable[[str], Client]) -> None:
    client = signed_in("elena")
    page = client.get("/").content
    offers = [address for address in links(page) if address.endswith("/add_vacancy/")]
    assert set(links(page)) - set(offers) == {f"/{category.find}" for category in all_categories()}
    assert [client.get(address).status_code for address in offers] == [200]
    company = re.search(r"/hosts/([^/]+)/", offers[0])
    assert company is not None
    mentor = signed_in("mario")
    assert set(links(mentor.get("/").content)) == {f"/{category.find}" for category in all_categories()}
    desk = mentor.get("/desk/").content.decode()
    assert ("/placements/" in desk, 'href="/teaching/"' in desk, 'href="/exchanges/"' in desk) == (True, False, False)


def test_what_only_a_university_does_is_no_button_of_a_company(signed_in: Callable[[str], Client]) -> None:
    place = Organisation.objects.get(kind="host", schac="litoral.example")
    page = signed_in("elena").get(f"/organisations/{place.pk}/").content.decode()
    assert set(re.findall(rf'href="/organisations/{place.pk}/(\w+)/"', page)) == {"history", "edit", "invite", "give_role", "make_series", "announce_event"}

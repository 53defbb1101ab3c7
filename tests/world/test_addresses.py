"""Every address of the site, whoever asks and by whatever method, answers without breaking.

The addresses come from the URL resolver, so a new one is walked without anybody remembering to list it.
"""

import re
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.depth import Depth
from tests.world.walking import METHODS
from vsm.demo import World
from vsm.kit.ids import new_id

# Pages whose converters the walk knows how to fill; a new converter fails the test until it is listed here.
FILLINGS = {"uuid": str(new_id()), "slug": "nothing", "str": "nothing", "int": "1", "path": "nothing"}


@pytest.mark.walk
@pytest.mark.parametrize("reader", ["", "ana", "bia", "olga"])
def test_every_address_of_the_site_is_walked_without_breaking(world: World, signed_in: Callable[[str], Client], reader: str, depth: Depth) -> None:
    # The API's own are walked record by record in test_walk, and with bodies of every kind in tests/api/test_fuzz.
    addresses = sorted({address for address in resolved(get_resolver()) if not address.startswith(("accounts/", "api/"))})
    assert len(addresses) > 100
    client, methods = signed_in(reader), METHODS if depth and not reader else ("get", "post")
    for address in addresses:
        for method in methods:
            answer = getattr(client, method)("/" + address)
            assert answer.status_code < 500, f"{reader or 'nobody'} {method} /{address}: {answer.status_code}"


def resolved(node: URLResolver, prefix: str = "") -> Iterator[str]:
    """Every address of the resolver with its converters filled."""
    for child in node.url_patterns:
        route = prefix + str(child.pattern).lstrip("^").rstrip("$")
        if isinstance(child, URLResolver):
            yield from resolved(child, route)
        elif isinstance(child, URLPattern):
            yield re.sub(r"<(?:(\w+):)?\w+>", lambda found: FILLINGS[found.group(1) or "str"], route)

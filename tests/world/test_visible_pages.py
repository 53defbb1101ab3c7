"""Every page of what somebody may see works, and tells nothing that belongs to another institution.

Each institution's records carry a sentinel; no answer to a stranger may contain it.
"""

from collections.abc import Callable

import pytest
from django.test import Client

from tests.depth import Depth
from tests.world.walking import READERS, actor, plant_sentinels, plant_table, verbs
from vsm.demo import World
from vsm.kit.resources import RESOURCES


@pytest.fixture(autouse=True)
def _sentinels(world: World) -> None:
    plant_sentinels()
    plant_table()


@pytest.mark.walk
@pytest.mark.parametrize("reader", READERS)
def test_every_page_of_every_visible_record_works_and_tells_nothing_foreign(world: World, signed_in: Callable[[str], Client], reader: str, depth: Depth) -> None:
    client, who = signed_in(reader), actor(world, reader)
    homes = set(who.organisations("coordinator", "registrar", "observer"))
    told_to_nobody_else = {f"sentinel-{o.schac}" for o in world.organisations.values() if o.pk not in homes}
    if reader == "ana":
        told_to_nobody_else.discard("sentinel-andina.example")
    for entry in RESOURCES.values():
        addresses = [f"/{entry.plural}/", f"/{entry.plural}.csv", f"/api/v1/{entry.plural}"]
        for record in entry.visible_to(who).order_by("-created_at", "pk")[:1]:
            here = f"/{entry.plural}/{record.pk}/"
            addresses += [here, f"{here}history/", f"/api/v1/{entry.plural}/{record.pk}", *(f"{here}{verb}/" for verb in verbs(entry.noun, reader, depth))]
        for address in addresses:
            answer = client.get(address)
            if answer.status_code == 302 and who.person_id:  # to what the reader has already, as a registration; a visitor is led to sign in
                answer = client.get(answer["Location"])
            assert answer.status_code in {200, 401, 403, 409}, f"{reader or 'nobody'} {address}: {answer.status_code}"
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            if not who.is_operator and entry.noun not in NOMINATED_ELSEWHERE:
                leaked = {word for word in told_to_nobody_else if word.encode() in body}
                assert leaked == set(), f"{reader or 'nobody'} {address}"


# A nominated student's application is shown to the host and the call's office: that is what a nomination is for.
NOMINATED_ELSEWHERE = {"application"}

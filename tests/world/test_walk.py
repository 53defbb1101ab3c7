"""Every address of a record × role × method: what is foreign is 404 like what is absent, and nothing of it is told.

The addresses come from the tables of resources and actions, so a new one is walked without anybody remembering to list it.
"""

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from django.test import Client

from tests.depth import Depth
from tests.world.walking import METHODS, READERS, THOROUGH, actor, plant_table, verbs
from vsm.demo import World
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.ids import new_id
from vsm.kit.models import AuditEvent
from vsm.kit.resources import RESOURCES, Resource


def one_foreign(entry: Resource, who: Actor) -> UUID | None:
    """A record that exists and that this reader must not see."""
    mine = entry.visible_to(who).values("pk")
    found = entry.visible_to(SYSTEM).exclude(pk__in=mine).first()
    return found.pk if found else None


@pytest.mark.walk
@pytest.mark.parametrize("reader", READERS)
def test_what_is_foreign_answers_like_what_is_absent(world: World, signed_in: Callable[[str], Client], reader: str, depth: Depth) -> None:
    plant_table()
    client, who = signed_in(reader), actor(world, reader)
    before = AuditEvent.objects.count()
    walked, whole = 0, {"", "history/"} if depth else {""}
    for entry in RESOURCES.values():
        foreign = one_foreign(entry, who)
        if foreign is None:
            continue
        acts = verbs(entry.noun, reader, depth)
        for tail in ("", "history/", *(f"{verb}/" for verb in acts)):
            for method in METHODS if tail in whole and reader in THOROUGH else ("get", "post"):
                there = getattr(client, method)(f"/{entry.plural}/{foreign}/{tail}")
                expected = {404} if method in {"get", "head"} or (method == "post" and tail not in {"", "history/"}) else {404, 405}
                assert there.status_code in expected, f"{method} {entry.plural} {tail}: {there.status_code}"
                if method == "get" and (tail == "" or (depth and reader in THOROUGH)):
                    absent = client.get(f"/{entry.plural}/{new_id()}/{tail}")
                    assert (absent.status_code, scrubbed(absent.content)) == (404, scrubbed(there.content))
                walked += 1
        for tail in ("", "/history", *(f"/{verb}" for verb in acts)):
            method = "get" if tail in {"", "/history"} else "post"
            answer = getattr(client, method)(f"/api/v1/{entry.plural}/{foreign}{tail}", content_type="application/json", data={} if method == "get" else "{}")
            assert answer.status_code in {401, 403, 404, 422}, f"{method} api {entry.plural}{tail}: {answer.status_code}"
            if reader and tail in {"", "/history"}:
                assert answer.status_code == 404
            walked += 1
    assert AuditEvent.objects.count() == before
    assert walked or reader == "olga"


def scrubbed(page: bytes) -> str:
    """A page without what differs by nature: tokens, reference numbers, the address itself."""
    text = re.sub(r'value="[A-Za-z0-9]{64}"', "", page.decode())
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text)
    return re.sub(r"\b[0-9a-f]{8}\b", "REF", text)

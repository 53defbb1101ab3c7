"""The last place at an event, confirmed by several at once: real threads, real commits, counting slowed down."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from django.db import connection, transaction

from tests.exchange.collaborations.given import NOW, actor, world
from tests.races.stage import at_once
from vsm.exchange.events import actions
from vsm.exchange.events.models import OnlineEvent, Registration
from vsm.exchange.events.queries import held
from vsm.kit import actions as kit_actions
from vsm.kit import audit
from vsm.kit.actors import SYSTEM


def confirming(seed: int, *, naive: bool, guests: int = 6, places: int = 2) -> dict[str, Any]:
    """How many hold a place, and how many wait, after all have confirmed at the same moment."""
    here, rng = world(), Random(seed)
    event = actions.announce_event(
        here.bogota, by=actor(here.office), now=NOW, title={"en": "Webinar"}, description={}, starts_at=NOW + timedelta(days=9), ends_at=NOW + timedelta(days=9, hours=1),
        zone="America/Bogota", languages=["es"], capacity=places, join_url="https://meet.example/room",
    )  # fmt: skip
    event = actions.publish_event(event, by=actor(here.office), now=NOW)
    asked = [actions.register_guest(event, by=SYSTEM, now=NOW, name=f"G{n}", email=f"g{n}@elsewhere.example", language="en", zone="UTC") for n in range(guests)]
    pauses = [rng.uniform(0.02, 0.2) for _ in range(100)]

    def slowly(found: OnlineEvent) -> int:
        count = held(found)
        time.sleep(pauses.pop())
        return count

    with patch.object(actions, "held", slowly), _without_turns() if naive else nullcontext():
        answers = at_once([lambda each=each: actions.confirm(each, by=SYSTEM, now=NOW) for each in asked])  # type: ignore[misc]
    states = list(Registration.objects.values_list("state", flat=True))
    raised = sorted(type(answer).__name__ for answer in answers if isinstance(answer, Exception))
    return {"registered": states.count("registered"), "waiting": states.count("waiting"), "raised": raised}


@contextmanager
def _without_turns() -> Iterator[None]:
    """What keeps them apart, taken away: the lock on PostgreSQL, the write transaction on SQLite."""
    with patch.object(actions, "_locked", lambda registration: OnlineEvent.objects.get(pk=registration.event_id)):
        if connection.vendor != "sqlite":
            yield
            return
        loose = SimpleNamespace(atomic=nullcontext, get_connection=transaction.get_connection)
        with patch.object(kit_actions, "transaction", loose), patch.object(audit, "append", lambda entries: None):
            yield

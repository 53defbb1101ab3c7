"""Every verb in every state: what the table does not allow is refused, whoever asks."""

from datetime import timedelta

import pytest

from tests.exchange.placements.given import FIRST, NOW, STARTED, World, fresh
from vsm.exchange.placements.actions import links, safeguarding, selecting
from vsm.exchange.placements.models import HoursEntry, Interview
from vsm.kit.actions import actions_on
from vsm.kit.actors import SYSTEM
from vsm.kit.errors import Refused
from vsm.kit.records import Record

pytestmark = pytest.mark.django_db


def records(world: World) -> list[Record]:
    """One of each noun that has a life."""
    vacancy = world.vacancy()
    selecting.shortlist(world.submitted(vacancy, "beto"), by=world.by("elena"), now=NOW)
    row = selecting.SlotRow(day=(NOW + timedelta(days=9)).date(), starts=NOW.time(), with_whom="Mario")
    selecting.offer_interviews(fresh(vacancy), by=world.by("elena"), now=NOW, slots=[row])
    agreement = world.presented()
    link = links.send_link(fresh(agreement), by=world.by("bia"), now=NOW, name="E", email="e@sur.example", language="es")
    for name in ("ana", "bia", "elena"):
        world.sign(agreement, name)
    placement = world.running(fresh(agreement.placement))
    world.log(placement, (FIRST, "4", "Read"))
    concern = safeguarding.raise_concern(placement, by=world.by("ana"), now=STARTED, kind="other", text="x")
    return [world.host, vacancy, placement.application, Interview.objects.get(), placement, agreement, link, HoursEntry.objects.get(), concern]


def test_every_verb_is_refused_in_every_state_that_its_table_does_not_name(world: World) -> None:
    tried = 0
    for record in records(world):
        states = [value for value, _label in record._meta.get_field("state").choices or ()]
        for state in states:
            if (record.noun, state) == ("interview", "booked"):  # the database itself refuses a booked slot without anybody
                continue
            type(record)._base_manager.filter(pk=record.pk).update(state=state)
            for entry in actions_on(record.noun):
                if entry.step is None or state in entry.step.before:
                    continue
                with pytest.raises(Refused) as refusal:
                    entry.perform(fresh(record), by=SYSTEM, now=STARTED)
                assert [reason.code for reason in refusal.value.reasons] == ["state"], f"{entry.name} from {state}"
                tried += 1
    assert tried > 150

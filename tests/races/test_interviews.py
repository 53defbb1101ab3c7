"""Several students choose the same interview slot at the same moment: one has it, on both databases.

Real threads on real connections and real commits; between reading the slot and taking it everybody pauses, so that
everything which can go wrong has time to. The control takes the slot the naive way, and two students are told that it is theirs.
"""

import time
from contextlib import ExitStack
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection, transaction

from tests.exchange.placements import given
from tests.exchange.placements.given import NOW
from tests.races.ground import Play
from tests.races.stage import at_once
from vsm.exchange.people.models import StudentRecord
from vsm.exchange.placements.actions import selecting
from vsm.exchange.placements.models import Interview
from vsm.kit import actions as kit_actions
from vsm.kit import audit
from vsm.kit.errors import Refused

pytestmark = pytest.mark.committed
HERE = "tests.races.test_interviews"
RIVALS = 4


def same_slot(seed: int, *, naive: bool) -> dict[str, Any]:
    """Four shortlisted students, one slot, one moment."""
    rng, world = Random(seed), given.world()
    for number in range(RIVALS - 2):
        name = f"rival{number}"
        world.people[name] = given.person(name)
        given.give_role(world.people[name], world.home, "student")
        StudentRecord(person=world.people[name], home=world.home, student_number=name, programme="P", level="bachelor", languages={"es": "native"}).save()
    names = ["ana", "beto", *(f"rival{number}" for number in range(RIVALS - 2))]
    vacancy = world.vacancy()
    candidates = [selecting.shortlist(world.submitted(vacancy, name), by=world.by("elena"), now=NOW) for name in names]
    row = selecting.SlotRow(day=NOW.date().replace(day=24), starts=NOW.time(), with_whom="Mario")
    selecting.offer_interviews(given.fresh(vacancy), by=world.by("elena"), now=NOW, slots=[row])
    slot = Interview.objects.get()
    pauses = [rng.uniform(0.02, 0.2) for _rival in range(100)]
    careful = selecting._take

    def slow(wanted: Interview, application: Any) -> None:
        time.sleep(pauses.pop())
        careful(wanted, application)

    def careless(wanted: Interview, application: Any) -> None:
        """Look, then write: what the compare-and-set is there against."""
        is_free = Interview.objects.filter(pk=wanted.pk, application=None).exists()
        time.sleep(pauses.pop())
        if not is_free:
            raise Refused
        Interview.objects.filter(pk=wanted.pk).update(state="booked", application=application)

    actors = [world.by(name) for name in names]
    with ExitStack() as stack:
        stack.enter_context(patch.object(selecting, "_take", careless if naive else slow))
        if naive and connection.vendor == "sqlite":  # its write transaction would make the careless way take turns
            loose = SimpleNamespace(atomic=ExitStack, get_connection=transaction.get_connection)
            stack.enter_context(patch.object(kit_actions, "transaction", loose))
            stack.enter_context(patch.object(audit, "append", lambda entries: None))
        answers = at_once([lambda each=each, by=by: selecting.book(each, by=by, now=NOW, slot=slot.pk) for each, by in zip(candidates, actors, strict=True)])
    told = [error.reasons[0].code if isinstance(error, Refused) and error.reasons else repr(error) for error in answers if isinstance(error, Exception)]
    return {"seed": seed, "yes": sum(not isinstance(answer, Exception) for answer in answers), "told": sorted(told), "state": given.fresh(slot).state}


@pytest.mark.parametrize("seed", range(2))
def test_of_those_who_choose_one_slot_at_once_one_has_it_and_the_others_are_told(play: Play, seed: int) -> None:
    answer = play(f"{HERE}:same_slot", seed=seed, naive=False)

    assert (answer["yes"], answer["told"], answer["state"]) == (1, ["slot-taken"] * (RIVALS - 1), "booked")


def test_looking_before_writing_gives_one_slot_to_two(play: Play) -> None:
    """The negative control: the same students at the same moment, without compare-and-set."""
    sold = []
    while len(sold) < 8 and max(sold, default=0) < 2:
        sold.append(play(f"{HERE}:same_slot", anew=True, seed=len(sold), naive=True)["yes"])

    assert max(sold) >= 2

"""Two declines, an expiry and a late seat at once: every freed seat goes to one student, on both databases.

Real threads on real connections and real commits. The count of free seats is slowed down, so that everything which can
go wrong has time to; the control shows that it does go wrong when the answers do not take turns. The scenarios below
run in a process of their own (see ground.py), the tests at the end say what they must answer.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from django.db import connection, transaction

from tests.exchange.allocation import given
from tests.exchange.allocation.given import NOW
from tests.races.ground import Play
from tests.races.stage import at_once
from vsm.exchange.allocation import actions
from vsm.exchange.allocation.models import Run, Seat
from vsm.exchange.applications.models import CallOffering
from vsm.kit import actions as kit_actions
from vsm.kit import audit
from vsm.kit.actors import SYSTEM
from vsm.kit.errors import Refused

pytestmark = pytest.mark.committed
HERE = "tests.races.test_seats"
LATER = NOW + timedelta(hours=1)


def answers_at_once(seed: int, *, naive: bool) -> dict[str, Any]:
    """Three seats, three answers that free them, one late seat: four of the six who wait must get one each."""
    world = given.world()
    given.offer(world, "algebra", 3)
    for number, name in enumerate(("ana", "bela", "carla", "w1", "w2", "w3", "w4", "w5", "w6")):
        given.nominated(world, name, ["algebra"], band=max(1, number - 1))
    given.published(world)
    ana, bela, carla = (world.seat(name, "algebra") for name in ("ana", "bela", "carla"))
    Seat.objects.filter(pk=carla.pk).update(offered_at=NOW - timedelta(days=9), respond_by=NOW - timedelta(days=1))
    algebra, students = world.offerings["algebra"].pk, {name: world.student(name) for name in ("ana", "bela")}
    with patch.object(actions, "vacancies", slowed(Random(seed))), without_turns() if naive else nullcontext():
        raised = at_once(
            [
                lambda: actions.decline(ana, by=students["ana"], now=LATER),
                lambda: actions.decline(bela, by=students["bela"], now=LATER),
                lambda: actions.expire(carla, by=SYSTEM, now=LATER),
                lambda: actions.add_seats(world.call, by=SYSTEM, now=LATER, offering=algebra, seats=1, because="A bigger room."),
            ]
        )
    names = {application.pk: name for name, application in world.applications.items()}
    holders = sorted(names[pk] for pk in Seat.objects.holding().values_list("application_id", flat=True))
    return {"holders": holders, "raised": told(raised), "faults": audit.verify()}


def two_windows(seed: int) -> dict[str, Any]:
    """Ana accepts a better seat, which gives the worse one back, while she answers that one in another window."""
    world = given.world()
    given.offer(world, "algebra", 1)
    given.offer(world, "biology", 1)
    given.nominated(world, "bela", ["algebra"], band=1)
    given.nominated(world, "ana", ["algebra", "biology"], band=2)
    given.nominated(world, "carla", ["biology"], band=3)
    given.published(world)
    actions.decline(world.seat("bela", "algebra"), by=world.student("bela"), now=LATER)
    better, worse, ana = world.seat("ana", "algebra"), world.seat("ana", "biology"), world.student("ana")
    other = Random(seed).choice([actions.decline, actions.accept])
    raised = at_once([lambda: actions.accept(better, by=ana, now=LATER), lambda: other(worse, by=ana, now=LATER)])
    return {"holds": world.holds(), "raised": told(raised), "faults": audit.verify()}


def two_previews(seed: int) -> dict[str, Any]:
    """Two people publish two previews of one call."""
    world = given.three()
    runs = [actions.allocate(world.call, by=world.carlos, now=NOW, mechanism=m) for m in ("deferred_acceptance", "serial_dictatorship")]
    Random(seed).shuffle(runs)
    carlos = world.carlos
    raised = at_once([lambda run=run: actions.publish(run, by=carlos, now=NOW, because="The rules that were announced.") for run in runs])
    published = Run.objects.filter(state="published").count()
    return {"published": published, "seats": Seat.objects.count(), "raised": told(raised), "faults": audit.verify()}


def told(answers: list[Any]) -> list[str]:
    """What was raised, by reason."""
    found = (answer for answer in answers if isinstance(answer, Exception))
    return sorted(error.reasons[0].code if isinstance(error, Refused) else repr(error) for error in found)


def slowed(rng: Random) -> Callable[..., dict[str, int]]:
    """Counting free seats with a pause between what is held and what there is."""
    pauses = [rng.uniform(0.02, 0.3) for _ in range(100)]

    def vacancies(run: Run, offerings: Any, *, now: Any, besides: UUID | None = None) -> dict[str, int]:
        wanted = list(offerings)
        held = Counter(Seat.objects.holding().filter(run=run, offering__in=wanted).exclude(pk=besides).values_list("offering_id", flat=True))
        time.sleep(pauses.pop())
        rows = CallOffering.objects.filter(call=run.call_id, offering__in=wanted).values_list("offering_id", "seats")
        return {str(offering): max(0, seats - held[offering]) for offering, seats in rows}

    return vacancies


@contextmanager
def without_turns() -> Iterator[None]:
    """What keeps answers apart, taken away: the lock on PostgreSQL, the write transaction on SQLite."""
    with patch.object(actions, "turn", lambda run: Run.objects.select_related("call").get(pk=run.pk)):
        if connection.vendor != "sqlite":
            yield
            return
        loose = SimpleNamespace(atomic=nullcontext, get_connection=transaction.get_connection)
        with patch.object(kit_actions, "transaction", loose), patch.object(audit, "append", lambda entries: None):
            yield


@pytest.mark.parametrize("seed", range(2))
def test_answers_at_once_give_each_freed_seat_to_one_student(play: Play, seed: int) -> None:
    answer = play(f"{HERE}:answers_at_once", seed=seed, naive=False)

    assert answer == {"holders": ["w1", "w2", "w3", "w4"], "raised": [], "faults": []}


def test_without_turns_seats_are_oversold(play: Play) -> None:
    """The negative control: the same answers with the same pauses, but nobody waits for anybody."""
    sold = []
    while len(sold) < 8 and max(sold, default=0) <= 4:
        sold.append(len(play(f"{HERE}:answers_at_once", anew=True, seed=len(sold), naive=True)["holders"]))

    assert max(sold) > 4


@pytest.mark.parametrize("seed", range(2))
def test_one_student_answering_two_offers_at_once_keeps_what_she_asked_for(play: Play, seed: int) -> None:
    answer = play(f"{HERE}:two_windows", seed=seed)

    assert answer["holds"] == {"ana": ["algebra"], "carla": ["biology"]}
    assert answer["raised"] in ([], ["state"])  # the second window may find its offer gone
    assert answer["faults"] == []


def test_two_previews_published_at_once_give_one_result(play: Play) -> None:
    answer = play(f"{HERE}:two_previews", seed=1)

    assert (answer["published"], answer["seats"], answer["faults"]) == (1, 2, [])
    assert answer["raised"] in (["already-published"], ["state"])

"""A publication killed at any moment leaves all of it or nothing, in the database of a process that is really killed.

The publishing process is stopped by SIGKILL after a random share of the time that one undisturbed publication took. The control
writes the same seats, places and answers one row after the other without a transaction, as a script would: it is found half done.
"""

import json
import random
import sys
import time
from collections import Counter
from typing import Any

import pytest

from tests.exchange.allocation import given
from tests.exchange.allocation.given import NOW
from tests.races.ground import Play, killed
from vsm.exchange.allocation import actions
from vsm.exchange.allocation.freezing import by_id
from vsm.exchange.allocation.models import Run, Seat, WaitingPlace
from vsm.exchange.allocation.rules import opaque
from vsm.exchange.allocation.solver import Outcome
from vsm.exchange.applications.models import Application
from vsm.kit import audit
from vsm.kit.actors import SYSTEM
from vsm.kit.models import Job

pytestmark = pytest.mark.committed
HERE = "tests.races.test_publishing"
STUDENTS, OFFERINGS = 120, 6
KILLS = 6


def prepared() -> dict[str, Any]:
    """A call with a preview: a hundred students, six courses of five seats, three choices each."""
    world = given.world()
    given.crowd(world, STUDENTS, OFFERINGS, seats=5, choices=3, rng=random.Random(5))
    run = actions.allocate(world.call, by=world.carlos, now=NOW)
    return {"placed": run.counts["placed"], **found()}


def published(*, naive: bool) -> dict[str, Any]:
    """Tell on the error stream what stands here, then publish it in this process; at last, what stands here then."""
    run = Run.objects.select_related("call").get()
    print(f"begin {json.dumps(found())}", file=sys.stderr, flush=True)
    began = time.monotonic()
    if naive:
        row_by_row(run)
    elif run.state == "preview":
        actions.publish(run, by=SYSTEM, now=NOW, because="The rules that were announced.")
    return {"took": time.monotonic() - began, **found()}


def row_by_row(run: Run) -> None:
    """The control: what publishing writes, each row on its own."""
    outcome = Outcome.from_bytes(bytes(run.frozen.outcome))
    people = {opaque(a.pk): a for a in Application.objects.filter(call=run.call)}
    offerings = by_id(admission.offering for admission in outcome.admissions)
    for student, offering, rank in outcome.placements:
        Seat(run=run, application=people[student], offering=offerings[offering], rank=rank, offered_at=NOW, respond_by=NOW.replace(year=2028)).save()
    for admission in outcome.admissions:
        for position, student in enumerate(admission.waiting, start=1):
            WaitingPlace(run=run, offering=offerings[admission.offering], application=people[student], position=position, rank=1, band=1, lottery=1).save()
    for application in people.values():
        Application.objects.filter(pk=application.pk).update(state="placed")
    Run.objects.filter(pk=run.pk).update(state="published")


def found() -> dict[str, Any]:
    """What stands in the database now."""
    states = Counter(Application.objects.values_list("state", flat=True))
    return {
        "run": Run.objects.get().state, "seed": bool(Run.objects.get().seed), "call": Run.objects.get().call.state, "seats": Seat.objects.count(),
        "places": WaitingPlace.objects.count(), "answered": STUDENTS - states["nominated"], "jobs": Job.objects.filter(path__contains="letters").count() > 0, "faults": audit.verify(),
    }  # fmt: skip


def killed_while_publishing(environment: dict[str, str], after: float, *, naive: bool) -> dict[str, Any]:
    """Publish in another process and kill it so many seconds after it begins; what it had found before it began."""
    told = killed(environment, f"{HERE}:published", after=after, naive=naive)
    assert told.startswith("begin"), told
    stood: dict[str, Any] = json.loads(told.partition(" ")[2])
    return stood


def test_a_publication_that_is_killed_leaves_all_or_nothing(environment: dict[str, str], play: Play) -> None:
    seed = random.SystemRandom().randrange(10**6)
    rng = random.Random(seed)
    print("seed", seed)
    play(f"{HERE}:prepared")
    took = play(f"{HERE}:published", naive=False)["took"]
    made = play(f"{HERE}:prepared", anew=True)
    placed = made.pop("placed")
    whole = {**made, "run": "published", "seed": True, "call": "allocated", "seats": placed, "answered": STUDENTS, "jobs": True}
    stood = [killed_while_publishing(environment, rng.uniform(0, took), naive=False) for _kill in range(KILLS)]
    stood.append(play(f"{HERE}:published", naive=False))
    del stood[-1]["took"]
    whole["places"] = stood[-1]["places"]

    assert [each for each in stood if each not in (made, whole)] == []
    assert (stood[0], stood[-1]) == (made, whole)
    assert whole["places"] > placed


def test_row_by_row_a_kill_leaves_some_of_it(environment: dict[str, str], play: Play) -> None:
    """The negative control: the same rows without a transaction around them, killed soon after they begin."""
    made = play(f"{HERE}:prepared")
    for after in (0.05, 0.15, 0.4):
        killed_while_publishing(environment, after, naive=True)
        now = play(f"{HERE}:found")
        if now["seats"]:
            break
    assert now["seats"] > 0
    assert now["seats"] < made["placed"] or now["answered"] < STUDENTS


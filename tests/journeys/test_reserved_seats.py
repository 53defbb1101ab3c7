"""Reserved seats from the rules to a granted appeal: one story, walked through the pages and by REST.

Carlos's office fixes the rules before applications close; Carla says that she comes from a rural area, and nobody else reads it. She
gets the reserved seat. Dani, who waits, appeals, is answered, and takes the one seat more; nobody loses anything by it.
"""

from datetime import timedelta
from uuid import UUID

import pytest

from tests.exchange.allocation import given
from tests.exchange.allocation.given import CLOSES, NOW, World
from tests.journeys.doors import Door, Refusal, left_behind
from vsm.exchange.allocation.models import Declaration, Run, Seat, Trial
from vsm.exchange.people.models import Person
from vsm.kit import clock
from vsm.kit.jobs import drain

BEFORE = CLOSES - timedelta(days=2)
LATER = NOW + timedelta(hours=5)


@pytest.fixture
def world(db: None) -> World:
    """Algebra has two seats. Ana and Bela are in band 1, Carla and Dani in band 2."""
    made = given.world()
    given.offer(made, "algebra", 2)
    for name, band in (("ana", 1), ("bela", 1), ("carla", 2), ("dani", 3)):
        given.nominated(made, name, ["algebra"], band=band)
    return made


@pytest.mark.parametrize("door", ["pages", "api"], indirect=True)
def test_seats_are_reserved_given_explained_and_appealed(door: Door, world: World) -> None:
    carlos, bia = world.people["carlos"], world.people["bia"]
    students: dict[str, Person] = {name: application.student for name, application in world.applications.items()}
    with clock.stopped_at(BEFORE):
        rules = door.act(
            carlos, "call", world.call.pk, "set_rules", mechanism="deferred_acceptance", reserves=[{"offering": "", "group": "rural", "seats": 1}],
            appeal_days=5, because="Agreed by the partners.",
        )  # fmt: skip
        assert "rural" in door.read(bia, *rules).lower()
        door.act(students["carla"], "application", world.applications["carla"].pk, "declare", groups=["rural"], for_seats=True, for_statistics=True)
        said = Declaration.objects.get()
        assert "rural" in door.read(students["carla"], "declaration", said.pk).lower()
        for reader in (bia, carlos, students["ana"]):
            with pytest.raises(Refusal) as refusal:
                door.read(reader, "declaration", said.pk)
            assert refusal.value.status == 404
    with clock.stopped_at(NOW):
        with pytest.raises(Refusal):
            door.act(carlos, "call", world.call.pk, "set_rules", mechanism="serial_dictatorship", because="Another idea.")
        door.act(carlos, "call", world.call.pk, "try_out", title="As it is")
        drain()
        assert Trial.objects.get().state == "ready"
        run = publish(door, carlos, world)
        assert world.states()["carla"] == "placed"
        assert "Carla" not in door.read(carlos, "run", run)
        assert Run.objects.get().counts["groups"] == [["rural", None, None]], "one student is too few to tell"
    with clock.stopped_at(LATER):
        _noun, appeal = door.act(
            students["dani"], "application", world.applications["dani"].pk, "appeal", words="My band was corrected before the end.", offering=world.offerings["algebra"].pk
        )
        door.act(carlos, "appeal", appeal, "take_up")
        before = world.holds()
        door.act(
            carlos, "appeal", appeal, "grant", answer="You are right.", remedy="seat", offering=world.offerings["algebra"].pk, because="A band was read wrongly."
        )
        drain()
        assert world.holds() == {**before, "dani": ["algebra"]}
        assert "You are right." in door.read(students["dani"], "appeal", appeal)
        door.act(students["dani"], "seat", Seat.objects.get(application=world.applications["dani"]).pk, "accept")
        drain()
    assert left_behind() == ([], [])


def publish(door: Door, carlos: Person, world: World) -> UUID:
    """A preview, ordered, undone, published."""
    door.act(carlos, "call", world.call.pk, "allocate")
    run: UUID = Run.objects.get().pk
    door.act(carlos, "run", run, "schedule", at=NOW + timedelta(hours=2))
    door.act(carlos, "run", run, "undo")
    door.act(carlos, "run", run, "publish", because="The rules that were announced.")
    drain()
    return run

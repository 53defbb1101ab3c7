"""Appeals: filed in time in the student's words, answered with reasons, put right without harm to anybody."""

from datetime import timedelta

import pytest

from tests.exchange.allocation import given
from tests.exchange.allocation.given import NOW, World
from tests.exchange.allocation.test_pages import reader, text_of
from vsm.exchange.allocation import actions, appeals
from vsm.exchange.allocation.appeals import APPEAL
from vsm.exchange.allocation.models import Appeal, ChangeByHand
from vsm.exchange.allocation.states import APPEAL_STEPS, AppealState
from vsm.exchange.applications.models import CallOffering
from vsm.kit import audit, clock
from vsm.kit.actions import TABLE, available
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.kit.jobs import drain
from vsm.kit.models import Message

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(hours=5)


def codes(refusal: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [reason.code for reason in refusal.value.reasons]


def filed(world: World, name: str = "carla", code: str = "biology", at: object = LATER) -> Appeal:
    return appeals.appeal(world.applications[name], by=world.student(name), now=at, words="I was nominated in band 1.", offering=world.offerings[code].pk)


def result() -> World:
    """Bela in Algebra, Ana in Biology; Carla waits for Biology, Ana for Algebra. Two more seats are taught."""
    world = given.three()
    given.published(world)
    return world


def test_an_appeal_is_filed_in_time_once_and_about_her_own_choice() -> None:
    world = result()
    filed(world)
    with pytest.raises(Refused) as refusal:
        filed(world)
    assert codes(refusal) == ["appeal-open"]
    with pytest.raises(Invalid) as invalid:
        appeals.appeal(world.applications["carla"], by=world.student("carla"), now=LATER, words=" ", offering=world.offerings["algebra"].pk)
    assert codes(invalid) == ["words", "not-chosen"]
    with pytest.raises(Refused) as late:
        filed(world, "ana", at=NOW + timedelta(days=10, seconds=1))
    assert codes(late) == ["appeal-too-late"]
    assert filed(world, "ana", at=NOW + timedelta(days=10)).state == "filed"


def test_before_a_result_there_is_nothing_to_appeal_against() -> None:
    world = given.three()
    with pytest.raises(Refused) as refusal:
        filed(world)
    assert codes(refusal) == ["no-result"]
    with clock.stopped_at(NOW):
        assert "appeal" not in [act.verb for act in available(world.applications["carla"], world.student("carla"))]


def test_the_office_and_the_student_are_told_by_letter() -> None:
    world = result()
    with clock.stopped_at(LATER):
        record = filed(world)
        drain()
        appeals.refuse(record, by=world.carlos, now=LATER, answer="Your institution wrote band 3 before the end.")
        drain()
    assert set(Message.objects.filter(kind__startswith="appeal").values_list("kind", "to")) == {
        ("appeal_filed", world.people["carlos"].email), ("appeal_answered", world.applications["carla"].student.email),
    }  # fmt: skip


def test_a_granted_appeal_gives_one_more_seat_and_takes_nothing_from_anybody() -> None:
    world = result()
    before, line = world.holds(), world.line("algebra")
    record = appeals.grant(
        filed(world), by=world.carlos, now=LATER, answer="You are right: it was our mistake.", remedy="seat", offering=world.offerings["biology"].pk,
        because="One seat more after a mistake of ours.",
    )  # fmt: skip

    assert world.holds() == {**before, "carla": ["biology"]}
    assert (record.state, record.remedy, record.seat) == ("granted", "seat", world.seat("carla", "biology"))
    assert CallOffering.objects.get(offering=world.offerings["biology"]).seats == 2
    assert world.line("algebra") == line
    assert list(ChangeByHand.objects.values_list("kind", "seats", "because")) == [("by-hand", 1, "One seat more after a mistake of ours.")]
    assert "One seat more after a mistake of ours." in text_of(reader(), f"/calls/{world.call.pk}/rules/")
    assert audit.verify() == []


def test_a_place_in_line_is_given_back_where_the_run_had_put_it() -> None:
    world = given.world()
    given.offer(world, "algebra", 1)
    for band, name in enumerate(("ana", "bela", "carla"), start=1):
        given.nominated(world, name, ["algebra"], band=band)
    given.published(world)
    actions.decline(world.seat("ana", "algebra"), by=world.student("ana"), now=LATER)
    actions.decline(world.seat("bela", "algebra"), by=world.student("bela"), now=LATER)
    assert world.holds() == {"carla": ["algebra"]}
    record = filed(world, "bela", "algebra")
    hers = f"/applications/{world.applications['bela'].pk}/"
    assert "Waiting, now number" not in text_of(reader(world.applications["bela"].student), hers)
    appeals.grant(
        record, by=world.carlos, now=LATER, answer="The letter reached you late.", remedy="place", offering=world.offerings["algebra"].pk, because="A letter came late."
    )
    assert world.line("algebra") == ["bela", "carla"], "Carla keeps hers until she accepts the seat that she was offered"
    assert "Waiting, now number 1" in text_of(reader(world.applications["bela"].student), hers)
    assert world.holds() == {"carla": ["algebra"]}


def test_granting_needs_an_answer_a_public_reason_and_a_course() -> None:
    world = result()
    record = filed(world)
    with pytest.raises(Invalid) as refusal:
        appeals.grant(record, by=world.carlos, now=LATER, answer="", remedy="seat")
    assert codes(refusal) == ["answer", "because", "not-chosen"]
    with pytest.raises(Invalid) as again:
        appeals.grant(filed(world, "ana"), by=world.carlos, now=LATER, answer="Yes.", remedy="seat", offering=world.offerings["biology"].pk, because="A mistake.")
    assert codes(again) == ["has-seat"]


@pytest.mark.parametrize("state", list(AppealState))
@pytest.mark.parametrize("verb", list(APPEAL_STEPS))
def test_each_verb_of_an_appeal_works_from_its_own_states_only(verb: str, state: str) -> None:
    world = result()
    record = filed(world)
    Appeal.objects.filter(pk=record.pk).update(state=state)
    inputs = {"answer": "Because."} if verb in ("grant", "refuse") else {}
    if state in APPEAL_STEPS[verb].before:
        assert TABLE["appeal", verb].perform(record, by=SYSTEM, now=LATER, **inputs).state == APPEAL_STEPS[verb].after
        return
    with pytest.raises(Refused) as refusal:
        TABLE["appeal", verb].perform(record, by=SYSTEM, now=LATER, **inputs)
    assert codes(refusal) == ["state"]


def test_her_words_are_for_her_and_the_office_of_the_call() -> None:
    world = result()
    record = filed(world)
    readers: dict[str, Actor] = {name: world.actor(name) for name in world.people} | {name: world.student(name) for name in world.applications}
    assert {name for name, who in readers.items() if APPEAL.visible_to(who).filter(pk=record.pk).exists()} == {"carlos", "carla"}
    for verb in ("take_up", "grant", "refuse"):
        with pytest.raises(NotAllowed):
            TABLE["appeal", verb].perform(record, by=world.student("carla"), now=LATER, answer="Yes.")


def test_the_pages_show_the_appeal_to_both_and_to_nobody_else() -> None:
    world = result()
    record = filed(world)
    carla = reader(world.applications["carla"].student)
    assert "Your appeal is with the office of the call" in text_of(carla, f"/appeals/{record.pk}/")
    assert "Where you stood" in text_of(carla, f"/applications/{world.applications['carla'].pk}/")
    assert "I was nominated in band 1." in text_of(reader(world.people["carlos"]), f"/appeals/{record.pk}/")
    assert "Not answered yet" in text_of(reader(world.people["carlos"]), f"/calls/{world.call.pk}/allocation/")
    assert "I was nominated" not in text_of(reader(world.people["luiza"]), f"/applications/{world.applications['carla'].pk}/")
    text_of(reader(world.people["luiza"]), f"/appeals/{record.pk}/", 404)

"""What is read of a result: reasons in the reader's language, lines, the audit; and the resources that doors show."""

import json
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import translation

from tests.exchange.allocation import given
from tests.exchange.allocation.given import NOW, World
from vsm.exchange.allocation import actions, lottery
from vsm.exchange.allocation.audit import check
from vsm.exchange.allocation.explain import TEXTS, Explainer
from vsm.exchange.allocation.freezing import problem_of
from vsm.exchange.allocation.models import Explanation, Frozen, Run, Seat, WaitingPlace
from vsm.exchange.allocation.problem import Problem
from vsm.exchange.allocation.queries import (
    DRAWN,
    RUN,
    SEAT,
    WAITING_PLACE,
    answers_for,
    audit_run,
    given_back,
    lottery_shown,
    problem_facts,
    published_run,
)
from vsm.exchange.allocation.rules import opaque
from vsm.exchange.allocation.solver import Outcome
from vsm.exchange.applications.models import Application
from vsm.kit.actors import ANONYMOUS, Actor
from vsm.kit.resources import narrowed
from vsm.kit.saying import say_reason
from vsm.kit.verdict import Reason

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=2)


def told(world: World, student: str, language: str = "en") -> list[str]:
    with translation.override(language):
        return [say_reason(answer.reason) for answer in answers_for(world.applications[student])]


def test_each_choice_has_its_reason_in_plain_words() -> None:
    world = given.three()
    run = given.published(world)
    number = lottery.shown(lottery.number(run.seed, opaque(world.applications["ana"].pk)))

    assert told(world, "ana") == [
        "Algebra, your choice number 1, is full. Seats: 1. The last person admitted was in priority band 1, you are in band 2; "
        f"a lower band goes first (your lottery number: {number}). You are number 1 on the waiting list.",
        "You have a seat in Biology, your choice number 2.",
    ]
    assert told(world, "bela")[1] == "Biology, your choice number 2, was not considered: you have all the seats you asked for (1), in choices you ranked higher."


def test_the_course_stands_in_the_reason_in_the_language_of_the_reader() -> None:
    world = given.three()
    given.published(world)

    assert "Curso algebra" in told(world, "ana", "es")[0]
    assert "Curso" not in told(world, "ana", "en")[0]


@pytest.mark.parametrize(
    ("mechanism", "codes"),
    [
        ("deferred_acceptance", {"placed", "enough-seats", "no-seats", "full-band", "full-lottery"}),
        ("serial_dictatorship", {"placed", "enough-seats", "no-seats", "full-turn"}),
    ],
)
def test_what_a_student_is_told_is_what_the_frozen_files_say_and_the_explainer_reads_in_them(mechanism: str, codes: set[str]) -> None:
    world = given.world()
    given.offer(world, "algebra", 1)
    given.offer(world, "biology", 0)
    given.offer(world, "climate", 2)
    for name, band in (("ana", 1), ("bela", 2), ("carla", 2), ("dani", 2)):
        given.nominated(world, name, ["biology", "algebra", "climate"], band=band)
    frozen = given.published(world, mechanism).frozen
    explainer = Explainer(Problem.from_bytes(bytes(frozen.problem)), Outcome.from_bytes(bytes(frozen.outcome)))
    titles = {str(offering.pk): offering.opportunity.title for offering in world.offerings.values()}

    for application in world.applications.values():
        read = explainer.reasons(opaque(application.pk))
        assert [answer.reason for answer in answers_for(application)] == [
            Reason(reason.code, TEXTS[reason.code], {**reason.params, **fractions(reason), "offering": titles[str(reason.params["offering"])]}) for reason in read
        ]
        codes -= {reason.code for reason in read}
    assert codes == set()


def test_a_place_in_line_is_found_by_the_words_of_its_student_and_of_its_course() -> None:
    world = given.three()
    given.nominated(world, "eva", ["algebra"], band=3)
    given.published(world)
    everything = WAITING_PLACE.visible_to(world.carlos)
    eva, algebra = world.applications["eva"].student.name, world.offerings["algebra"].opportunity.title["es"]
    found = {words: {place.application_id for place in narrowed(WAITING_PLACE, everything, {"q": words}, world.carlos)} for words in (eva, algebra, f"{algebra} {eva}", "nobody")}

    hers, everybody = {world.applications["eva"].pk}, {place.application_id for place in everything if place.offering == world.offerings["algebra"]}
    assert found == {eva: hers, algebra: everybody, f"{algebra} {eva}": hers, "nobody": set()}
    assert hers < everybody


def test_nothing_is_told_before_publishing() -> None:
    world = given.three()
    actions.allocate(world.call, by=world.carlos, now=NOW)

    assert Explanation.objects.count() == 3
    assert answers_for(world.applications["ana"]) == []
    assert published_run(world.call) is None


def test_an_answer_says_how_the_choice_stands_now() -> None:
    world = given.three()
    given.nominated(world, "eva", ["algebra"], band=3)
    given.published(world)
    before = answers_for(world.applications["eva"])
    actions.decline(world.seat("bela", "algebra"), by=world.student("bela"), now=LATER)
    actions.accept(world.seat("ana", "algebra"), by=world.student("ana"), now=LATER)

    assert [answer.waiting_number for answer in before] == [2]
    assert [answer.waiting_number for answer in answers_for(world.applications["eva"])] == [1]
    ana = answers_for(world.applications["ana"])
    assert [(a.rank, a.seat.state if a.seat else "", a.waiting_number) for a in ana] == [(1, "accepted", None), (2, "released", None)]


def test_a_student_is_shown_what_accepting_would_cost() -> None:
    world = given.three()
    run = given.published(world)
    actions.decline(world.seat("bela", "algebra"), by=world.student("bela"), now=LATER)

    assert [s.offering.code for s in given_back(run, world.seat("ana", "algebra"))] == ["biology"]
    assert given_back(run, world.seat("ana", "biology")) == []


def test_the_problem_does_not_depend_on_the_order_of_reading() -> None:
    world = given.three()
    first = problem_of(world.call, mechanism="deferred_acceptance", seed="corn")
    Application.objects.filter(pk=world.applications["ana"].pk).update(submitted_at=NOW, updated_at=NOW)

    assert problem_of(world.call, mechanism="deferred_acceptance", seed="corn").problem.digest == first.problem.digest


def test_the_demand_is_counted_before_and_after_the_result() -> None:
    world = given.three()
    before = problem_facts(world.call)
    given.published(world)

    assert (before.applications, before.choices, before.seats_wanted, before.offerings, before.seats) == (3, 5, 3, 2, 2)
    assert before.bands == ((1, 1), (2, 1), (3, 1))
    assert problem_facts(world.call) == before


def test_the_audit_covers_files_digests_and_seed() -> None:
    world = given.three()
    run = given.published(world)
    assert audit_run(run).ok
    assert check(bytes(run.frozen.problem), bytes(run.frozen.outcome)).proved == audit_run(run).proved

    Frozen.objects.update(problem=b"{}")
    assert [fault.code for fault in audit_run(Run.objects.get()).violations] == ["unreadable", "digest-differs", "seed-not-the-sealed-one"]


def fractions(reason: Reason) -> dict[str, Decimal]:
    return {name: Decimal(str(reason.params[name])) for name in DRAWN if name in reason.params}


def test_a_lottery_number_is_cut_and_not_rounded() -> None:
    assert str(lottery_shown(lottery.SCALE - 1)) == "0.999999"
    assert str(lottery_shown(0)) == "0.000000"


def test_a_lottery_number_is_written_as_the_reader_s_language_writes_fractions() -> None:
    world = given.three()
    given.published(world)
    english, spanish = (re.findall(r"\b0[.,]\d\d", told(world, "carla", language)[0]) for language in ("en", "es"))
    assert spanish == [number.replace(".", ",") for number in english] != []


# Who sees what --------------------------------------------------------------------------------------------------------


def seen(world: World, actor: Actor) -> dict[str, set[str]]:
    names = {application.pk: name for name, application in world.applications.items()}
    return {
        "seats": {names[s.application_id] for s in Seat.objects.visible_to(actor)},
        "places": {names[p.application_id] for p in WaitingPlace.objects.visible_to(actor)},
        "runs": {str(run.number) for run in Run.objects.visible_to(actor)},
    }


def test_each_sees_what_is_theirs() -> None:
    world = given.three()
    given.published(world)
    everything = {"seats": {"ana", "bela"}, "places": {"ana", "carla"}, "runs": {"1"}}

    assert seen(world, world.carlos) == everything
    assert seen(world, Actor(person_id=None, label="Olga", is_operator=True)) == everything
    assert seen(world, world.bia) == {"seats": {"ana", "bela"}, "places": {"ana"}, "runs": set()}
    assert seen(world, world.actor("luiza")) == {"seats": set(), "places": {"carla"}, "runs": set()}
    assert seen(world, world.actor("raul")) == {"seats": {"ana", "bela"}, "places": set(), "runs": set()}
    assert seen(world, world.student("ana")) == {"seats": {"ana"}, "places": {"ana"}, "runs": set()}
    for stranger in (world.actor("dora"), ANONYMOUS):
        assert seen(world, stranger) == {"seats": set(), "places": set(), "runs": set()}


def test_no_door_reads_the_seed_before_publishing() -> None:
    world = given.three()
    run = actions.allocate(world.call, by=world.carlos, now=NOW)
    seed = json.loads(bytes(run.frozen.problem))["seed"]

    assert len(seed) == 64
    assert seed not in json.dumps(RUN.values(run), default=str)
    assert seed in json.dumps(RUN.values(actions.publish(run, by=world.carlos, now=NOW, because="The rules that were announced.")), default=str)


def test_lists_narrow_by_call_course_home_and_state() -> None:
    world = given.three()
    given.published(world)
    questions = {q.name: q for q in SEAT.filters}
    found = SEAT.visible_to(world.carlos)

    assert questions["offering"].apply(found, str(world.offerings["algebra"].pk)).count() == 1
    assert questions["home"].apply(found, str(world.andina.pk)).count() == 2
    assert questions["home"].apply(found, "nonsense").count() == 0
    assert questions["call"].apply(found, str(world.call.pk)).count() == 2
    assert questions["state"].apply(found, "accepted").count() == 0
    assert questions["waiting"].apply(found, "yes").count() == 0
    assert [label for _value, label in {q.name: q for q in WAITING_PLACE.filters}["offering"].choices(world.carlos)] != []

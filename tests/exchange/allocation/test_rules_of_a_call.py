"""The rules of a call: fixed in time, used by runs and refills; what students say of themselves, told to nobody."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.exchange.allocation import given
from tests.exchange.allocation.given import CLOSES, NOW, World
from tests.exchange.allocation.test_pages import reader as anybody
from tests.exchange.allocation.test_pages import text_of
from vsm.exchange.agreements.models import Agreement, Promise
from vsm.exchange.allocation import actions, policies
from vsm.exchange.allocation.models import Declaration, DeclaredGroup, Frozen, Policy, Run, Seat, Trial
from vsm.exchange.allocation.policies import DECLARATION, LimitRow, ReserveRow, groups_asked_by, groups_said
from vsm.exchange.allocation.queries import answers_for, failures_of
from vsm.exchange.allocation.rules import opaque
from vsm.exchange.applications.models import Application, Call
from vsm.exchange.institutions.models import Organisation, Term
from vsm.kit import audit, clock, jobs
from vsm.kit.actions import TABLE
from vsm.kit.actors import Actor
from vsm.kit.errors import Invalid, NotAllowed, NotFound, Refused
from vsm.kit.models import AuditDetail
from vsm.kit.resources import RESOURCES
from vsm.kit.saying import say_reason, say_reasons

pytestmark = pytest.mark.django_db

BEFORE = CLOSES - timedelta(days=2)
LATER = NOW + timedelta(hours=5)


def codes(refusal: pytest.ExceptionInfo[Refused]) -> list[str]:
    return [reason.code for reason in refusal.value.reasons]


def set_rules(world: World, *, at: Any = BEFORE, **facts: Any) -> Policy:
    return policies.set_rules(world.call, by=world.carlos, now=at, because="Agreed by the partners.", **facts)


def says(world: World, name: str, *groups: str, seats: bool = True, statistics: bool = True) -> Declaration:
    with clock.stopped_at(BEFORE):
        return policies.declare(world.applications[name], by=world.student(name), now=BEFORE, groups=list(groups), for_seats=seats, for_statistics=statistics)


def reserved(world: World, seats: int = 1) -> World:
    """Algebra has two seats, one reserved for rural students. Ana and Bela are in band 1, Carla (rural) in band 2."""
    given.offer(world, "algebra", 2)
    for name, band in (("ana", 1), ("bela", 1), ("carla", 2), ("dani", 2)):
        given.nominated(world, name, ["algebra"], band=band)
    set_rules(world, mechanism="deferred_acceptance", reserves=[ReserveRow(group="rural", seats=seats)])
    return world


# In time --------------------------------------------------------------------------------------------------------------


def test_rules_can_change_until_applications_close_and_not_after() -> None:
    world = given.world()
    first = set_rules(world, mechanism="serial_dictatorship")
    again = set_rules(world, mechanism="deferred_acceptance", at=CLOSES - timedelta(seconds=1))
    assert (again.pk, again.mechanism) == (first.pk, "deferred_acceptance")

    with pytest.raises(Refused) as refusal:
        set_rules(world, mechanism="serial_dictatorship", at=CLOSES)
    assert codes(refusal) == ["rules-fixed"]
    assert Policy.objects.get().mechanism == "deferred_acceptance"


def test_changed_rules_of_a_published_call_need_a_reason_and_the_same_rules_do_not() -> None:
    world = given.world()
    with pytest.raises(Invalid) as refusal:
        policies.set_rules(world.call, by=world.carlos, now=BEFORE, lottery="per_offering")
    assert codes(refusal) == ["because"]

    Call.objects.update(state="draft")
    assert policies.set_rules(world.call, by=world.carlos, now=BEFORE, lottery="per_offering").lottery == "per_offering"
    Call.objects.update(state="published")
    assert policies.set_rules(world.call, by=world.carlos, now=BEFORE, lottery="per_offering").lottery == "per_offering"


def test_everything_that_is_wrong_with_rules_is_told_at_once() -> None:
    world = given.world()
    given.offer(world, "algebra", 2)
    algebra = str(world.offerings["algebra"].pk)

    with pytest.raises(Invalid) as refusal:
        policies.set_rules(
            world.call, by=world.carlos, now=BEFORE, balance=-1, appeal_days=0, credits_least=9, credits_most=8,
            reserves=[ReserveRow(group="rural", seats=2), ReserveRow(group="working", offering=algebra, seats=1), ReserveRow(group="left-handed", seats=0)],
            limits=[LimitRow(group="rural", home=str(world.andina.pk), most=1), LimitRow(group="rural"), LimitRow(group="rural", least=3, most=2)],
        )  # fmt: skip
    assert codes(refusal) == [
        "group-unknown", "reserve-empty", "reserve-too-many", "limit-whom", "home-unknown", "limit-empty", "limit-order",
        "credits-order", "balance-range", "appeal-days", "because",
    ]  # fmt: skip


def test_an_institution_narrows_the_groups_that_are_asked_about() -> None:
    world = reserved(given.world())
    assert len(groups_asked_by(world.andina)) == 10
    policies.choose_groups(world.andina, by=world.bia, now=BEFORE, groups=["working"])
    assert groups_asked_by(world.andina, world.mapocho) == ["working"]
    with pytest.raises(Invalid) as refusal:
        says(world, "ana", "rural")
    assert codes(refusal) == ["group-not-asked"]


# Used -----------------------------------------------------------------------------------------------------------------


def test_a_reserved_seat_goes_to_the_group_before_a_better_band() -> None:
    world = reserved(given.world())
    says(world, "carla", "rural")
    given.published(world)

    held = world.holds()
    assert "carla" in held
    assert len(held) == 2


def test_without_her_consent_to_that_purpose_a_group_counts_for_nothing() -> None:
    world = reserved(given.world())
    says(world, "carla", "rural", seats=False)
    given.published(world)
    assert world.holds() == {"ana": ["algebra"], "bela": ["algebra"]}


def test_what_a_reserve_leaves_over_goes_to_everybody() -> None:
    world = reserved(given.world(), seats=2)
    given.published(world)
    assert world.holds() == {"ana": ["algebra"], "bela": ["algebra"]}


def test_a_freed_reserved_seat_goes_to_the_next_of_the_group() -> None:
    world = reserved(given.world())
    says(world, "carla", "rural")
    says(world, "dani", "rural")
    given.published(world)
    rural, other = ("carla", "dani") if "carla" in world.holds() else ("dani", "carla")
    waiting = next(name for name in ("ana", "bela") if name not in world.holds())

    actions.decline(world.seat(rural, "algebra"), by=world.student(rural), now=LATER)
    assert other in world.holds(), "the reserve is refilled from the group, before a better band"
    actions.decline(world.seat(other, "algebra"), by=world.student(other), now=LATER)
    assert waiting in world.holds(), "and by everybody when nobody of the group waits"
    assert audit.verify() == []


def agreed(world: World, seats: int, home: Organisation | None = None) -> None:
    home = home or world.andina
    agreement = Agreement(
        code=f"{home.schac}-MAPOCHO", first=home, second=world.mapocho, starts_on=date(2026, 1, 1), ends_on=date(2030, 1, 1), state="signed",
    )  # fmt: skip
    agreement.save()
    Promise(agreement=agreement, host=world.mapocho, seats=seats).save()


def test_an_agreement_bounds_what_its_students_get() -> None:
    world = given.world()
    given.offer(world, "algebra", 3)
    agreed(world, 1)
    set_rules(world, use_agreements=True)
    given.nominated(world, "ana", ["algebra"], band=1)
    given.nominated(world, "bela", ["algebra"], band=2)
    agreed(world, 2, world.garoa)
    given.nominated(world, "carla", ["algebra"], band=3, home=world.garoa)
    given.published(world)

    assert world.holds() == {"ana": ["algebra"], "carla": ["algebra"]}
    [answer] = answers_for(world.applications["bela"])
    assert answer.reason.code == "quota-full"
    actions.decline(world.seat("ana", "algebra"), by=world.student("ana"), now=LATER)
    assert world.holds() == {"bela": ["algebra"], "carla": ["algebra"]}, "the seat of the agreement goes to the next of that institution"


@pytest.mark.parametrize(("begins", "terms", "holds"), [
    (date(2027, 8, 1), [], {"ana", "bela"}),
    (date(2027, 5, 1), [], {"ana"}),
    (date(2027, 8, 1), [("long", date(2027, 3, 1), date(2027, 12, 1))], {"ana"}),
    (date(2027, 5, 20), [("I", date(2027, 3, 1), date(2027, 6, 20)), ("II", date(2027, 7, 1), date(2027, 12, 1))], {"ana", "bela"}),
])  # fmt: skip
def test_a_promise_counts_anew_each_term_also_where_courses_name_none(begins: date, terms: list[tuple[str, date, date]], holds: set[str]) -> None:
    """By the host's term that most days of the course lie in, else by the half of the year in which it begins."""
    world = given.world()
    for code, starts_on, ends_on in terms:
        Term(organisation=world.mapocho, code=code, starts_on=starts_on, ends_on=ends_on).save()
    given.offer(world, "algebra", 1)
    given.offer(world, "biology", 1, starts_on=begins)
    agreed(world, 1)
    set_rules(world, use_agreements=True)
    given.nominated(world, "ana", ["algebra"], band=1)
    given.nominated(world, "bela", ["biology"], band=2)
    given.published(world)
    assert set(world.holds()) == holds


@pytest.mark.parametrize("change", [{"state": "ended"}, {"ends_on": date(2027, 1, 1)}])
def test_where_no_agreement_promises_a_seat_any_more_there_is_none(change: dict[str, Any]) -> None:
    world = given.world()
    given.offer(world, "algebra", 3)
    agreed(world, 2)
    Agreement.objects.update(**change)
    set_rules(world, use_agreements=True)
    given.nominated(world, "ana", ["algebra"])
    given.nominated(world, "ximena", ["algebra"], home=world.mapocho)
    given.published(world)
    assert world.holds() == {"ximena": ["algebra"]}, "an institution needs no agreement with itself"


@pytest.mark.parametrize(("rules", "told"), [
    ({"use_agreements": True}, "no seat was left of those that agreements promise"),
    ({"reciprocity": "hard", "balance": 0}, "as many seats more than it gives the host as the rules of the call allow"),
    ({"limits": "home"}, "the rules of the call give students of your institution no seat there"),
])  # fmt: skip
def test_who_could_get_no_seat_at_all_reads_why_and_not_that_nought_are_given(rules: dict[str, Any], told: str) -> None:
    world = given.world()
    given.offer(world, "algebra", 3)
    agreed(world, 0)
    if rules.get("limits"):
        rules = {"limits": [LimitRow(home=str(world.andina.pk), most=0)]}
    set_rules(world, **rules)
    given.nominated(world, "ana", ["algebra"])
    given.published(world)
    [answer] = answers_for(world.applications["ana"])
    assert told in say_reason(answer.reason)


def test_a_promise_for_a_named_term_gives_no_seat_in_another() -> None:
    world = given.world()
    given.offer(world, "algebra", 3)
    agreed(world, 2)
    Promise.objects.update(term="2030-II")
    set_rules(world, use_agreements=True)
    given.nominated(world, "ana", ["algebra"])
    given.published(world)
    assert world.holds() == {}


def test_how_full_each_bound_is_stands_beside_the_result_and_promises_end_at_the_bound() -> None:
    world = given.world()
    given.offer(world, "algebra", 3)
    agreed(world, 1)
    set_rules(world, mechanism="deferred_acceptance", use_agreements=True)
    for name in ("ana", "bela"):
        given.nominated(world, name, ["algebra"], band=1)
    run = actions.allocate(world.call, by=world.carlos, now=NOW)

    [bound] = run.counts["bounds"]
    assert (bound["kind"], bound["home"], bound["offerings"]) == ("agreements", str(world.andina.pk), [])
    assert (bound["maximum"], bound["given"], bound["hard"]) == (1, 1, True)
    page = text_of(anybody(world.people["carlos"]), f"/runs/{run.pk}/")
    assert "How full the bounds are" in page
    assert "No seat stays empty that somebody wanted." not in page, "two seats do, and Bela wanted one"
    assert "No seat stays empty that a student wanted and that the bounds let her have." in page


def test_what_a_bound_gave_to_a_small_group_is_told_to_nobody() -> None:
    world = given.world()
    given.offer(world, "algebra", 3)
    set_rules(world, limits=[LimitRow(group="rural", most=2)])
    given.nominated(world, "ana", ["algebra"])
    says(world, "ana", "rural")
    run = actions.allocate(world.call, by=world.carlos, now=NOW)
    assert [(bound["group"], bound["given"]) for bound in run.counts["bounds"]] == [("rural", None)]


def out_of_reach(world: World) -> Run:
    """Two rural students and one of Garoa ask for Algebra, where the rules demand three of each; Biology asks for nothing."""
    given.offer(world, "algebra", 5)
    given.offer(world, "biology", 5)
    algebra = str(world.offerings["algebra"].pk)
    agreed(world, 9)
    Agreement.objects.update(first=world.garoa)
    set_rules(world, limits=[LimitRow(group="rural", least=3), LimitRow(offering=algebra, home=str(world.garoa.pk), least=3, most=4)])
    for name in ("ana", "bela"):
        given.nominated(world, name, ["algebra", "biology"])
        says(world, name, "rural")
    given.nominated(world, "carla", ["algebra"], home=world.garoa)
    return computed(world)


def computed(world: World) -> Run:
    run = actions.allocate(world.call, by=world.carlos, now=NOW)
    with clock.stopped_at(LATER):
        jobs.drain()
    run.refresh_from_db()
    return run


def test_minima_out_of_reach_are_named_in_words_and_can_be_lowered_to_what_can_be_reached() -> None:
    world = given.world()
    run = out_of_reach(world)
    assert run.state == "failed"
    page = text_of(anybody(world.people["carlos"]), f"/runs/{run.pk}/")
    assert "Algebra: at least 3 seats must go to students of Universidade da Garoa, but 2 of them cannot be filled" in page
    assert "of the group “From a rural or remote area”" in page
    assert "lower these least numbers to what can be reached" in page
    assert str(world.offerings["algebra"].pk) not in page.partition("<main")[2].partition("</main>")[0].replace("/offerings/", "")

    with pytest.raises(Invalid) as refusal:
        policies.lower_minima(world.call, by=world.carlos, now=NOW, because=" ")
    assert codes(refusal) == ["because"]
    policies.lower_minima(world.call, by=world.carlos, now=NOW, because="The partners agreed.")
    assert computed(world).state == "preview"
    rules = Policy.objects.get()
    assert [(row["home"] and "garoa", row["least"]) for row in rules.limits[1:2]] == [("garoa", 1)]
    assert sum(row["least"] for row in rules.limits if row["group"] and row["offering"]) == 2, "the two rural students that there are"
    assert [told.because for told in audit.history([("policy", rules.pk)]) if told.verb == "lower_minima"] == ["The partners agreed."]


@pytest.mark.parametrize("plural", ["runs", "trials"])
def test_names_of_what_is_out_of_reach_are_asked_for_at_once_and_in_no_list(plural: str) -> None:
    world = given.world()
    run = out_of_reach(world)
    trial = Trial(organisation=run.call.organisation, call=run.call, number=1, seed="x", state="failed", error=run.error)
    trial.save()
    record = {"runs": run, "trials": trial}[plural]
    with CaptureQueriesContext(connection) as queries:
        told = say_reasons(failures_of(record))
    assert [len(record.error), len(told), len(queries)] == {"runs": [3, 4, 3], "trials": [3, 3, 3]}[plural]
    assert "Algebra: at least 3 seats must go to students of Universidade da Garoa" in " ".join(told)
    [field] = [each for each in RESOURCES[record.noun].fields if each.name == "failures"]
    assert (field.alone, field.value(record)) == (True, told)


def test_minima_in_reach_are_lowered_by_nobody() -> None:
    world = given.world()
    run = out_of_reach(world)
    policies.lower_minima(world.call, by=world.carlos, now=NOW, because="The partners agreed.")
    run.refresh_from_db()
    assert run.state == "discarded"
    with pytest.raises(Refused) as refusal:
        policies.lower_minima(world.call, by=world.carlos, now=NOW, because="Once more.")
    assert codes(refusal) == ["minima-in-reach"]


@pytest.mark.parametrize(("kind", "holds"), [("", {"ana", "bela"}), ("soft", {"ana", "bela"}), ("hard", {"ana"})])
def test_the_balance_bounds_hard_gives_way_soft_or_is_only_shown(kind: str, holds: set[str]) -> None:
    world = given.world()
    given.offer(world, "algebra", 2)
    set_rules(world, reciprocity=kind, balance=1)
    given.nominated(world, "ana", ["algebra"], band=1)
    given.nominated(world, "bela", ["algebra"], band=2)
    given.published(world)
    assert set(world.holds()) == holds


def test_only_the_published_mechanism_can_be_published() -> None:
    world = given.three()
    Call.objects.filter(pk=world.call.pk).update(closes_at=CLOSES)
    set_rules(world, mechanism="deferred_acceptance")
    other = actions.allocate(world.call, by=world.carlos, now=NOW, mechanism="serial_dictatorship")
    with pytest.raises(Refused) as refusal:
        actions.publish(other, by=world.carlos, now=NOW, because="The rules that were announced.")
    assert codes(refusal) == ["other-rules"]
    assert given.published(world).mechanism == "deferred_acceptance"


def test_an_office_that_was_free_to_choose_among_results_says_to_everybody_why_this_one() -> None:
    world = given.three()
    run = actions.allocate(world.call, by=world.carlos, now=NOW)
    for act in (actions.publish, actions.schedule):
        with pytest.raises(Invalid) as refusal:
            act(run, by=world.carlos, now=NOW, because=" ")
        assert codes(refusal) == ["choice-unexplained"]
    assert not Seat.objects.exists()

    with clock.stopped_at(NOW):
        actions.schedule(run, by=world.carlos, now=NOW, because="Priorities count, as announced.")
        jobs.drain()
    assert Run.objects.get().state == "published"
    assert "Priorities count, as announced." in text_of(Client(), f"/calls/{world.call.pk}/rules/")


def test_an_order_taken_back_takes_its_reason_with_it() -> None:
    world = given.three()
    run = actions.allocate(world.call, by=world.carlos, now=NOW)
    run = actions.schedule(run, by=world.carlos, now=NOW, at=LATER, because="Priorities count, as announced.")
    assert actions.undo(run, by=world.carlos, now=NOW).because == ""


def test_rules_that_were_fixed_need_no_word_more() -> None:
    world = given.three()
    Call.objects.filter(pk=world.call.pk).update(closes_at=CLOSES)
    set_rules(world, mechanism="deferred_acceptance")
    run = actions.allocate(world.call, by=world.carlos, now=NOW)
    assert actions.publish(run, by=world.carlos, now=NOW).state == "published"


# Told to nobody -------------------------------------------------------------------------------------------------------


def test_nobody_but_the_student_sees_what_she_said() -> None:
    world = reserved(given.world())
    made = says(world, "carla", "rural")
    readers = {name: world.actor(name) for name in world.people} | {name: world.student(name) for name in world.applications}
    readers["operator"] = Actor(person_id=world.people["raul"].pk, label="Olga", is_operator=True)
    seen = set()
    for name, reader in readers.items():
        try:
            DECLARATION.seen_by(reader, made.pk)
            seen.add(name)
        except NotFound:
            continue
    assert seen == {"carla"}
    with pytest.raises(NotAllowed):
        TABLE["application", "declare"].perform(world.applications["carla"], by=world.bia, now=BEFORE)


def test_the_history_keeps_no_group_and_taking_back_erases_it() -> None:
    world = reserved(given.world())
    made = says(world, "carla", "rural")
    assert DeclaredGroup.objects.count() == 1
    policies.take_back(made, by=world.student("carla"), now=NOW)

    assert DeclaredGroup.objects.count() == 0
    assert not any("rural" in body for body in AuditDetail.objects.filter(event__noun="declaration").values_list("body", flat=True))


def test_offices_read_a_reason_that_shows_no_group() -> None:
    world = reserved(given.world())
    says(world, "carla", "rural")
    given.published(world)
    waiting = next(name for name in ("ana", "bela") if name not in world.holds())
    [hers], [theirs] = answers_for(world.applications[waiting]), answers_for(world.applications[waiting], discreet=True)

    assert hers.reason.code.startswith("reserved-")
    assert (theirs.reason.code, set(theirs.reason.params)) == ("full", {"offering", "rank", "seats", "position"})


def test_the_published_problem_names_no_group_and_the_whole_one_does(client: Any) -> None:
    world = reserved(given.world())
    says(world, "carla", "rural")
    run = given.published(world)
    whole = json.loads(bytes(Frozen.objects.get(run=run).problem))
    assert [s["groups"] for s in whole["students"] if "groups" in s] == [["rural"]]

    answer = client.get(f"/calls/{world.call.pk}/rules/problem.json")
    told = json.loads(answer.content)
    assert [student for student in told["students"] if "groups" in student] == []
    assert {student["id"] for student in told["students"]} == {opaque(a.pk) for a in Application.objects.all()}
    page = client.get(f"/calls/{world.call.pk}/rules/?audit=1", headers={"accept-language": "en"}).content.decode()
    assert "Checked just now: no fault" in page


def test_small_numbers_of_a_group_are_told_to_nobody() -> None:
    world = given.world()
    given.offer(world, "algebra", 20)
    for number in range(12):
        given.nominated(world, f"s{number}", ["algebra"])
    set_rules(world, reserves=[ReserveRow(group="rural", seats=1), ReserveRow(group="working", seats=1)])
    for number in range(6):
        says(world, f"s{number}", "rural")
    assert groups_said(world.call) == [("rural", 6)]
    for number in range(4):
        says(world, f"s{number}", "rural", "working")
    assert groups_said(world.call) == [("rural", None), ("working", None)], "six less four would tell of the four"
    run = actions.allocate(world.call, by=world.carlos, now=NOW)
    assert Run.objects.get(pk=run.pk).counts["groups"] == [["rural", None, None], ["working", None, None]]


def test_every_organisation_is_asked_by_default_and_none_is_forced() -> None:
    world = reserved(given.world())
    assert Organisation.objects.filter(groups_asked__isnull=False).count() == 0
    made = says(world, "ana", seats=False, statistics=False)
    assert (made.for_seats, made.for_statistics, made.groups.count()) == (False, False, 0)
    with pytest.raises(Invalid) as refusal:
        says(world, "ana", "rural", seats=False, statistics=False)
    assert codes(refusal) == ["no-purpose"]


def test_beside_a_bound_the_public_page_promises_no_more_than_holds() -> None:
    free, bounded = "Under these rules no list serves you better than your true order of wishes.", "Beside such bounds no method can promise"
    world = given.world()
    Call.objects.update(max_seats=1)
    page = f"/calls/{world.call.pk}/rules/"
    before = text_of(anybody(), page)
    set_rules(world, reciprocity="soft", balance=1)
    after = text_of(anybody(), page)

    assert [(free in text, bounded in text) for text in (before, after)] == [(True, False), (False, True)]

"""Opportunities and offerings: what each verb asks, who may, from which state, and everything that a refusal says."""

from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest

from tests.exchange.catalogue import given
from tests.exchange.catalogue.given import NOW, World
from vsm.exchange.catalogue import actions
from vsm.exchange.catalogue.actions import MeetingRow
from vsm.exchange.catalogue.models import CatalogueChange, Offering, Opportunity
from vsm.exchange.catalogue.states import IMPORT_STEPS, STEPS, ImportState, State
from vsm.kit import audit
from vsm.kit.actions import TABLE, actions_on
from vsm.kit.actors import SYSTEM
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.kit.models import Job

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return given.world()


def test_an_opportunity_begins_as_a_draft_in_the_credit_system_of_its_institution(world: World) -> None:
    made = given.opportunity(world, unit=world.unit.pk, isced_f="0311", cefr="B1")
    assert (made.state, made.credit_system, made.unit, made.category) == ("draft", "sct-chile", world.unit, "course")


def test_every_mistake_in_an_opportunity_is_told_at_once(world: World) -> None:
    given.opportunity(world)
    with pytest.raises(Invalid) as refusal:
        given.opportunity(
            world, code="EST-210", title={"es": "  "}, credits=Decimal(-1), credits_high=Decimal(-2), isced_f="77", level="wizard", cefr="D1",
            language=" ", category="holiday", credit_system="beans", workload_hours=Decimal(0), unit=world.term.pk,
        )  # fmt: skip
    assert sorted((reason.code, reason.field) for reason in refusal.value.reasons) == [
        ("code-taken", "code"), ("credit-system", "credit_system"), ("credits", "credits"), ("credits-order", "credits_high"),
        ("isced-f", "isced_f"), ("language-missing", "language"), ("title-missing", "title"), ("unit-unknown", "unit"),
        ("value-unknown", "category"), ("value-unknown", "cefr"), ("value-unknown", "level"), ("workload", "workload_hours"),
    ]  # fmt: skip


def test_an_opportunity_is_published_only_when_complete_and_all_gaps_are_told(world: World) -> None:
    made = given.opportunity(world, isced_f="", category="programme", credits=Decimal(0))
    with pytest.raises(Refused) as refusal:
        actions.publish_opportunity(made, by=world.actor("carlos"), now=NOW)
    assert [reason.code for reason in refusal.value.reasons] == ["isced-f-missing", "credits-missing"]


def test_what_is_published_cannot_be_edited_into_something_incomplete(world: World) -> None:
    course = given.published(world).opportunity
    with pytest.raises(Invalid) as refusal:
        actions.edit_opportunity(course, by=world.actor("carlos"), now=NOW, title={"es": "X"}, credits=Decimal(6), language="es", level="bachelor")
    assert [reason.code for reason in refusal.value.reasons] == ["isced-f-missing"]


def test_an_edited_title_reaches_the_search_words_and_the_change_log_of_each_offering(world: World) -> None:
    offering = given.published(world)
    CatalogueChange.objects.all().delete()
    actions.edit_opportunity(
        offering.opportunity, by=world.actor("carlos"), now=NOW, title={"es": "Álgebra\r\nlineal "}, credits=Decimal(6), language="es",
        level="bachelor", isced_f="0541",
    )  # fmt: skip
    fresh = Offering.objects.get(pk=offering.pk)
    assert (fresh.folded, fresh.opportunity.title) == ("2027-1 est-210 algebra lineal", {"es": "Álgebra\nlineal"})
    assert [change.offering_id for change in CatalogueChange.objects.all()] == [offering.pk]


def test_a_choice_of_credits_from_an_import_is_kept_until_the_credits_change(world: World) -> None:
    course = given.opportunity(world, credits=Decimal(2), credits_high=Decimal(4))
    Opportunity.objects.filter(pk=course.pk).update(credit_values=["2", "4"])
    same: dict[str, Any] = {"title": {"es": "X"}, "language": "es", "level": "bachelor", "by": world.actor("carlos"), "now": NOW}
    course = actions.edit_opportunity(course, credits=Decimal(2), credits_high=Decimal(4), **same)
    assert course.credit_values == ["2", "4"]
    assert actions.edit_opportunity(course, credits=Decimal(3), credits_high=None, **same).credit_values == []


def test_an_offering_takes_dates_from_its_term_and_the_zone_of_its_host(world: World) -> None:
    made = given.offering(given.opportunity(world), world)
    assert (made.starts_on, made.ends_on, made.zone, made.term_code) == (date(2027, 3, 1), date(2027, 7, 10), "America/Santiago", "2027-1")
    assert [(m.weekday, m.starts, m.label) for m in made.meetings.all()] == [(0, time(9), "Lecture")]


def test_every_mistake_in_an_offering_is_told_at_once(world: World) -> None:
    course = given.opportunity(world)
    given.offering(course, world)
    overlapping = [MeetingRow(weekday=0, starts=time(9), ends=time(11)), MeetingRow(weekday=0, starts=time(10), ends=time(9, 30))]
    with pytest.raises(Invalid) as refusal:
        given.offering(
            course, world, term=world.unit.pk, starts_on=date(2027, 5, 1), ends_on=date(2027, 4, 1), drop_by=date(2027, 6, 2),
            withdraw_by=date(2027, 6, 1), zone="Mars/Base", seats=-1, mode="telepathy", bandwidth="smell", join_url="javascript:x", meetings=overlapping,
        )  # fmt: skip
    assert sorted({(reason.code, reason.field) for reason in refusal.value.reasons}) == [
        ("code-taken", "code"), ("date-after-end", "drop_by"), ("date-after-end", "withdraw_by"), ("dates-order", "ends_on"), ("join-url", "join_url"),
        ("meeting-order", "meetings"), ("meetings-overlap", "meetings"), ("seats", "seats"), ("term-unknown", "term"),
        ("value-unknown", "bandwidth"), ("value-unknown", "mode"), ("withdraw-before-drop", "withdraw_by"), ("zone", "zone"),
    ]  # fmt: skip


def test_an_offering_needs_a_term_or_both_dates(world: World) -> None:
    with pytest.raises(Invalid) as refusal:
        given.offering(given.opportunity(world), world, term=None, starts_on=date(2027, 3, 1))
    assert [(reason.code, reason.field) for reason in refusal.value.reasons] == [("dates-missing", "starts_on")]


def test_an_offering_is_published_only_when_complete_and_all_gaps_are_told(world: World) -> None:
    made = given.offering(given.opportunity(world), world, seats=0, meetings=[])
    with pytest.raises(Refused) as refusal:
        actions.publish_offering(made, by=world.actor("carlos"), now=NOW)
    assert [reason.code for reason in refusal.value.reasons] == ["opportunity-not-published", "seats-missing", "meetings-missing"]


def test_editing_an_offering_replaces_its_meetings_and_tells_whoever_subscribed(world: World) -> None:
    made = given.published(world)
    changed = actions.edit_offering(
        made, by=world.actor("raul"), now=NOW, seats=7, starts_on=made.starts_on, ends_on=made.ends_on, mode="mixed", bandwidth="audio",
        term=world.term.pk, meetings=[MeetingRow(weekday=4, starts=time(8), ends=time(9))],
    )  # fmt: skip
    assert ([m.weekday for m in changed.meetings.all()], changed.seats, changed.state) == ([4], 7, "published")
    assert Job.objects.filter(path__endswith="index_changes", state="ready").count() == 1
    told = [entry.changes["meetings"] for entry in audit.history([("offering", made.pk)]) if "meetings" in entry.changes]
    assert told == [["Mon 09:00-10:30 Lecture", "Fri 08:00-09:00"]]


def test_only_instructors_of_the_host_teach(world: World) -> None:
    made = given.published(world)
    with pytest.raises(Invalid) as refusal:
        actions.assign_instructors(made, by=world.actor("carlos"), now=NOW, people=[world.ines.pk, world.dora.pk])
    assert [(reason.code, reason.params) for reason in refusal.value.reasons] == [("not-an-instructor", {"count": 1})]
    actions.assign_instructors(made, by=world.actor("carlos"), now=NOW, people=[world.ines.pk])
    assert {"instructors": [[], ["Ines"]]} in [entry.changes for entry in audit.history([("offering", made.pk)])]
    assert list(Offering.objects.visible_to(world.actor("ines")).taught_by(world.actor("ines"))) == [made]


def test_a_stranger_sees_no_drafts_and_everybody_sees_what_is_published(world: World) -> None:
    draft = given.opportunity(world, "DRAFT-1")
    public = given.published(world).opportunity
    seen = {name: set(Opportunity.objects.visible_to(world.actor(name))) for name in ("carlos", "ines", "dora", "ana")}
    assert seen == {"carlos": {draft, public}, "ines": {draft, public}, "dora": {public}, "ana": {public}}


@pytest.mark.parametrize("noun", ["opportunity", "offering"])
@pytest.mark.parametrize("state", list(State))
def test_each_verb_is_possible_in_just_the_states_of_its_step(world: World, noun: str, state: State) -> None:
    offering = given.published(world)
    record: Any = offering if noun == "offering" else offering.opportunity
    record.state = state
    mine = {entry.verb for entry in actions_on(noun) if entry.function.__module__ == actions.__name__ and entry.possible(record)}
    expected = {
        ("opportunity", "draft"): {"edit", "publish", "add_offering"},
        ("opportunity", "published"): {"edit", "withdraw", "add_offering"},
        ("opportunity", "withdrawn"): {"edit", "publish"},
        ("offering", "draft"): {"edit", "publish", "assign_instructors"},
        ("offering", "published"): {"edit", "withdraw", "assign_instructors"},
        ("offering", "withdrawn"): {"edit", "publish"},
    }
    assert mine == expected[noun, state.value]


@pytest.mark.parametrize(("verb", "state"), [("publish", "published"), ("withdraw", "draft"), ("withdraw", "withdrawn")])
def test_a_verb_in_the_wrong_state_is_refused_with_what_is_possible(world: World, verb: str, state: str) -> None:
    offering = given.published(world)
    Offering.objects.filter(pk=offering.pk).update(state=state)
    inputs = {"because": "x"} if verb == "withdraw" else {}
    with pytest.raises(Refused) as refusal:
        TABLE["offering", verb].perform(offering, by=world.actor("carlos"), now=NOW, **inputs)
    assert [reason.code for reason in refusal.value.reasons] == ["state"]


def test_only_the_office_of_the_host_changes_its_catalogue(world: World) -> None:
    offering = given.published(world)
    records: dict[str, Any] = {"opportunity": offering.opportunity, "offering": offering, "organisation": world.host}
    mine = [entry for entry in TABLE.values() if entry.function.__module__ == actions.__name__ and entry.noun in records]
    permitted = {
        name: {entry.name for entry in mine if entry.permits(records[entry.noun], world.actor(name))}
        for name in ("carlos", "raul", "ines", "dora", "ana")
    }
    every = {entry.name for entry in mine}
    assert permitted == {"carlos": every, "raul": every, "ines": set(), "dora": set(), "ana": set()}
    assert len(every) == 10
    with pytest.raises(NotAllowed):
        actions.withdraw_offering(offering, by=world.actor("dora"), now=NOW, because="mine now")


def test_the_same_key_adds_one_opportunity(world: World) -> None:
    by = world.actor("carlos").delivering(key="k-1")
    inputs: dict[str, Any] = {"by": by, "now": NOW, "code": "A-1", "title": {"es": "A"}, "credits": Decimal(3), "language": "es"}
    first = actions.add_opportunity(world.host, **inputs)
    assert actions.add_opportunity(world.host, **inputs).pk == first.pk
    assert Opportunity.objects.count() == 1


def test_the_history_tells_who_withdrew_an_offering_and_why(world: World) -> None:
    made = actions.withdraw_offering(given.published(world), by=world.actor("carlos"), now=NOW, because="The teacher is ill.")
    latest = audit.history([("offering", made.pk)])[0]
    assert (latest.who, latest.verb, latest.because, latest.changes["state"]) == ("Carlos", "withdraw", "The teacher is ill.", ["published", "withdrawn"])


def test_the_tables_of_states_name_only_states_that_exist() -> None:
    named = {state for step in STEPS.values() for state in (*step.before, *filter(None, [step.after]))}
    assert named == set(State)
    assert IMPORT_STEPS["apply"].before == {ImportState.DONE}


def test_the_system_may_do_everything_for_the_demo_world(world: World) -> None:
    made = actions.add_opportunity(world.host, by=SYSTEM, now=NOW, code="D-1", title={"en": "D"}, credits=Decimal(3), language="en", isced_f="03")
    assert actions.publish_opportunity(made, by=SYSTEM, now=NOW).state == "published"

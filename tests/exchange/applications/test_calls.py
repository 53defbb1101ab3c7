"""Opening, editing, publishing and closing a call: every right, every state, every refusal."""

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from tests.exchange.agreements.given import organisation, person
from tests.exchange.applications.given import (
    CLOSES,
    NOMINATE_BY,
    NOW,
    OPENS,
    STARTS,
    actor,
    begun,
    drafted,
    nominated,
    offering,
    published,
    student,
    submitted,
    world,
)
from vsm.exchange.applications.actions import (
    OfferingSeats,
    apply,
    choose_offerings,
    close,
    edit_call,
    note_allocated,
    publish,
    return_to_draft,
)
from vsm.exchange.applications.models import Call
from vsm.exchange.applications.queries import CALL, PHASES
from vsm.exchange.applications.states import CALL_STEPS, CallState, State
from vsm.kit import clock
from vsm.kit.actions import actions_on
from vsm.kit.actors import ANONYMOUS, SYSTEM
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.kit.resources import narrowed

pytestmark = pytest.mark.django_db


@pytest.fixture
def w() -> SimpleNamespace:
    return world()


def again(record: Any) -> Any:
    return type(record).objects.get(pk=record.pk)


def edited(w: SimpleNamespace, call: Call, by: Any = None, **changes: Any) -> Call:
    names = ("title", "zone", "opens_at", "closes_at", "nominate_by", "max_choices", "max_seats", "minimum_share_passed", "respond_hours", "required_documents")
    return edit_call(call, by=by or actor(w.carlos), now=NOW, **{**{name: getattr(call, name) for name in names}, **changes})


def seats(call: Call) -> dict[Any, int]:
    return dict(call.call_offerings.values_list("offering_id", "seats"))


def test_a_call_begins_as_a_draft_that_only_its_office_sees(w: SimpleNamespace) -> None:
    call = drafted(w)
    seen = {name: Call.objects.visible_to(actor(getattr(w, name))).filter(pk=call.pk).exists() for name in ("carlos", "bia", "dora", "ana")}
    assert seen == {"carlos": True, "bia": False, "dora": False, "ana": False}
    assert not Call.objects.visible_to(ANONYMOUS).exists()


def test_a_published_call_is_public(w: SimpleNamespace) -> None:
    published(w)
    assert Call.objects.visible_to(ANONYMOUS).count() == 1


def test_a_call_is_refused_with_every_problem_at_once(w: SimpleNamespace) -> None:
    drafted(w)
    with pytest.raises(Invalid) as refusal:
        drafted(w, title={}, zone="Mars/Base", closes_at=OPENS, nominate_by=OPENS - timedelta(1), category="holiday", max_choices=0, minimum_share_passed=Decimal(3))
    assert [reason.code for reason in refusal.value.reasons] == [
        "closes-before-opening", "nominate-before-closing", "zone", "title", "category-unknown", "limit", "seats-above-choices", "share", "code-taken",
    ]


def test_a_time_without_a_zone_is_refused(w: SimpleNamespace) -> None:
    with pytest.raises(Invalid) as refusal:
        drafted(w, opens_at=OPENS.replace(tzinfo=None))
    assert [(reason.code, reason.field) for reason in refusal.value.reasons] == [("naive-time", "opens_at")]


def test_publishing_names_every_problem_at_once(w: SimpleNamespace) -> None:
    hidden = offering(w.host, "HID", "Hidden", state="draft")
    call = drafted(w)
    rows = [OfferingSeats(offering=hidden.pk, seats=0), OfferingSeats(offering=w.algebra.pk, seats=99)]
    choose_offerings(call, by=actor(w.carlos), now=NOW, rows=rows)
    with pytest.raises(Refused) as refusal:
        publish(call, by=actor(w.carlos), now=NOMINATE_BY)
    assert [reason.code for reason in refusal.value.reasons] == ["closes-past", "nominate-past", "seats-above-offering", "offering-unpublished", "seats-zero"]
    assert again(call).state == CallState.DRAFT


def test_a_call_without_offerings_is_not_published(w: SimpleNamespace) -> None:
    with pytest.raises(Refused) as refusal:
        publish(drafted(w), by=actor(w.carlos), now=NOW)
    assert [reason.code for reason in refusal.value.reasons] == ["no-offerings"]


def test_a_call_gives_seats_only_in_its_own_institutions_offerings_of_its_category(w: SimpleNamespace) -> None:
    foreign, project = offering(w.elsewhere, "FOR", "Foreign"), offering(w.host, "PRO", "Project", category="collaboration")
    rows = [OfferingSeats(offering=o.pk, seats=1) for o in (foreign, project, w.algebra, w.algebra)]
    with pytest.raises(Invalid) as refusal:
        choose_offerings(drafted(w), by=actor(w.carlos), now=NOW, rows=rows)
    assert [reason.code for reason in refusal.value.reasons] == ["offering-twice", "offering-foreign", "offering-category"]


def test_a_network_gives_seats_in_its_members_offerings(w: SimpleNamespace) -> None:
    network = organisation("net.example.org", "Network", "UTC", kind="network")
    w.host, w.carlos = network, person("Nora", network, "coordinator")
    call = choose_offerings(drafted(w), by=actor(w.carlos), now=NOW, rows=[OfferingSeats(offering=w.algebra.pk, seats=1)])
    assert seats(call) == {w.algebra.pk: 1}


def test_a_draft_can_be_changed_freely(w: SimpleNamespace) -> None:
    call = edited(w, drafted(w), max_choices=3, closes_at=CLOSES - timedelta(days=1), required_documents=["cv", "transcript"])
    assert (call.max_choices, call.closes_at, call.required_documents) == (3, CLOSES - timedelta(days=1), ["transcript", "cv"])


def test_a_published_call_may_be_extended_but_not_made_harder(w: SimpleNamespace) -> None:
    call = edited(w, published(w), closes_at=CLOSES + timedelta(days=2))
    assert again(call).closes_at == CLOSES + timedelta(days=2)
    with pytest.raises(Invalid) as refusal:
        edited(w, again(call), max_choices=1, max_seats=1, closes_at=CLOSES)
    assert [reason.field for reason in refusal.value.reasons] == ["closes_at", "max_choices", "max_seats"]


def test_a_form_that_shows_minutes_does_not_change_the_seconds(w: SimpleNamespace) -> None:
    exact = OPENS.replace(second=59, microsecond=7)
    call = published(w, opens_at=exact)
    edited(w, call, opens_at=exact.replace(second=0, microsecond=0), title={"en": "New"})
    assert again(call).opens_at == exact


def test_seats_of_a_published_call_can_only_grow(w: SimpleNamespace) -> None:
    call = published(w, {w.algebra: 2})
    with pytest.raises(Invalid) as refusal:
        choose_offerings(call, by=actor(w.carlos), now=NOW, rows=[OfferingSeats(offering=w.algebra.pk, seats=1)])
    assert [reason.code for reason in refusal.value.reasons] == ["seats-taken-away"]
    choose_offerings(again(call), by=actor(w.carlos), now=NOW, rows=[OfferingSeats(offering=w.algebra.pk, seats=4), OfferingSeats(offering=w.biology.pk, seats=1)])
    assert seats(call) == {w.algebra.pk: 4, w.biology.pk: 1}


def test_a_call_returns_to_draft_only_while_nobody_has_begun(w: SimpleNamespace) -> None:
    call = return_to_draft(published(w), by=actor(w.carlos), now=NOW)
    assert call.state == CallState.DRAFT
    begun(w, publish(call, by=actor(w.carlos), now=NOW))
    with pytest.raises(Refused) as refusal:
        return_to_draft(again(call), by=actor(w.carlos), now=NOW)
    assert [reason.code for reason in refusal.value.reasons] == ["has-applications"]


def test_closing_answers_whoever_still_waits_and_leaves_the_others(w: SimpleNamespace) -> None:
    call = published(w)
    waits, stays = nominated(w, call), submitted(w, call, student(w.home, "Beto"))
    close(call, by=actor(w.carlos), now=NOMINATE_BY)
    assert (again(waits).state, again(stays).state) == (State.UNPLACED, State.SUBMITTED)


def _performed(w: SimpleNamespace, verb: str, call: Call, by: Any) -> None:
    {
        "publish": lambda: publish(call, by=by, now=NOW),
        "return_to_draft": lambda: return_to_draft(call, by=by, now=NOW),
        "close": lambda: close(call, by=by, now=NOW),
        "edit": lambda: edited(w, call, by=by),
        "choose_offerings": lambda: choose_offerings(call, by=by, now=NOW, rows=[OfferingSeats(offering=w.algebra.pk, seats=5)]),
        "note_allocated": lambda: note_allocated(call, by=SYSTEM, now=NOW),
    }[verb]()


OFFICE = sorted(set(CALL_STEPS) - {"apply"})


@pytest.mark.parametrize("state", list(CallState))
@pytest.mark.parametrize("verb", OFFICE)
def test_each_verb_is_possible_in_the_states_of_the_table_and_refused_in_every_other(w: SimpleNamespace, verb: str, state: CallState) -> None:
    call = published(w, {w.algebra: 1})
    Call.objects.filter(pk=call.pk).update(state=state)
    if state in CALL_STEPS[verb].before:
        _performed(w, verb, again(call), actor(w.carlos))
        assert again(call).state == (CALL_STEPS[verb].after or state)
        return
    with pytest.raises(Refused) as refusal:
        _performed(w, verb, again(call), actor(w.carlos))
    assert [reason.code for reason in refusal.value.reasons] == ["state"]


@pytest.mark.parametrize("verb", sorted(set(OFFICE) - {"note_allocated"}))
def test_only_the_office_of_the_call_may(w: SimpleNamespace, verb: str) -> None:
    call = published(w, {w.algebra: 1})
    Call.objects.filter(pk=call.pk).update(state=min(CALL_STEPS[verb].before))
    for stranger in (w.bia, w.dora, w.ana, person("Olga", w.host, "observer", "registrar", "instructor")):
        with pytest.raises(NotAllowed):
            _performed(w, verb, again(call), actor(stranger))


def test_nobody_but_the_system_notes_that_seats_are_given(w: SimpleNamespace) -> None:
    with pytest.raises(NotAllowed):
        note_allocated(published(w), by=actor(w.carlos), now=NOW)


def test_the_table_and_the_actions_name_the_same_verbs() -> None:
    own = [entry for entry in actions_on("call") if entry.function.__module__ == apply.__module__]  # the allocation adds acts of its own
    assert {entry.verb for entry in own} == set(CALL_STEPS)


@pytest.mark.parametrize(
    ("moment", "phase"),
    [
        (OPENS - timedelta(microseconds=1), "coming"), (OPENS, "applying"), (CLOSES - timedelta(microseconds=1), "applying"), (CLOSES, "nominating"),
        (NOMINATE_BY - timedelta(microseconds=1), "nominating"), (NOMINATE_BY, "allocating"),
    ],
)  # fmt: skip
def test_the_filter_by_phase_has_the_same_borders_as_the_call(w: SimpleNamespace, moment: Any, phase: str) -> None:
    call = published(w)
    with clock.stopped_at(moment):
        assert call.phase(moment) == phase
        found = {value: narrowed(CALL, CALL.visible_to(ANONYMOUS), {"phase": value}, ANONYMOUS).count() for value in PHASES}
    assert found == {value: int(value == phase) for value in PHASES}


def test_an_offering_that_begins_before_nominations_end_is_named(w: SimpleNamespace) -> None:
    early = offering(w.host, "EAR", "Early", starts_on=NOMINATE_BY.date())
    with pytest.raises(Refused) as refusal:
        published(w, {early: 1, w.algebra: 1})
    assert [(reason.code, reason.params["offering"]) for reason in refusal.value.reasons] == [("starts-too-early", {"en": "Early"})]
    assert NOMINATE_BY.date() < STARTS

"""A learning agreement from an accepted seat to three signatures, and every refusal on the way."""

import itertools
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from tests.exchange.learning_agreements import given
from tests.exchange.learning_agreements.given import NOW, World, actor, fresh
from vsm.exchange.learning_agreements.actions import (
    Line,
    cancel,
    draft_version,
    leave_out_seat,
    open_for_seat,
    open_learning_agreement,
    present,
    reopen,
    return_for_changes,
    sign,
)
from vsm.exchange.learning_agreements.models import LearningAgreement, LearningAgreementVersion, Signature
from vsm.exchange.learning_agreements.queries import changes_to_sign, components_in_force
from vsm.exchange.learning_agreements.rules import digest_of
from vsm.exchange.learning_agreements.states import STEPS, State
from vsm.kit import audit, events
from vsm.kit.actions import TABLE
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from vsm.kit.jobs import drain
from vsm.kit.models import Job
from vsm.kit.saying import say_reasons

pytestmark = pytest.mark.django_db


def by(world: World, name: str) -> Actor:
    return actor(getattr(world, name))


def drafted(world: World, *titles: str, **facts: Any) -> LearningAgreement:
    agreement = world.agreement(*titles)
    draft_version(agreement, by=by(world, "bia"), now=NOW, components=given.lines(agreement, **facts), because="Mapped")
    return fresh(agreement)  # type: ignore[no-any-return]


def presented(world: World, *titles: str) -> LearningAgreement:
    agreement = drafted(world, *titles)
    present(agreement, by=by(world, "bia"), now=NOW)
    return fresh(agreement)  # type: ignore[no-any-return]


def digest(agreement: LearningAgreement) -> str:
    version = agreement.current_version
    assert version is not None
    return version.digest


def signed_by(world: World, agreement: LearningAgreement, *names: str) -> LearningAgreement:
    for name in names:
        sign(agreement, by=by(world, name), now=NOW, digest=digest(fresh(agreement)))
    return fresh(agreement)  # type: ignore[no-any-return]


def signed(world: World, *titles: str) -> LearningAgreement:
    return signed_by(world, presented(world, *titles), "ana", "bia", "carlos")


# Opening --------------------------------------------------------------------------------------------------------------


def test_an_accepted_seat_opens_the_agreement_with_the_hosts_facts_from_the_catalogue(world: World) -> None:
    seat = world.seat(world.offering("Statistics"))
    open_for_seat.call(seat_id=str(seat.pk))
    agreement = LearningAgreement.objects.get()
    assert (agreement.student, agreement.home, agreement.host) == (world.ana, world.home, world.host)
    assert (agreement.state, agreement.current, agreement.signed_version) == (State.DRAFT, 1, 0)
    text = agreement.current_version.text  # type: ignore[union-attr]
    line, = text.components
    assert (line.offering, line.code, line.credits, line.credit_system, line.is_virtual) == (
        str(seat.offering_id), seat.offering.opportunity.code, "6", "sct-chile", True,
    )  # fmt: skip
    assert text.student == {"id": str(world.ana.pk), "name": "Ana", "number": "2020-1", "programme": "Economics"}


def test_the_same_seat_twice_makes_one_agreement_and_one_version(world: World) -> None:
    seat = world.seat(world.offering())
    open_for_seat.call(seat_id=str(seat.pk))
    open_for_seat.call(seat_id=str(seat.pk))
    assert (LearningAgreement.objects.count(), LearningAgreementVersion.objects.count()) == (1, 1)


def test_a_second_seat_at_the_host_makes_the_next_version_and_keeps_what_home_said(world: World) -> None:
    agreement = drafted(world, "Statistics")
    open_for_seat.call(seat_id=str(world.seat(world.offering("Algebra"), rank=2).pk))
    agreement = fresh(agreement)
    assert agreement.current == 3
    assert [(c.title["en"], c.home_credits) for c in agreement.current_version.text.components] == [("Statistics", "4"), ("Algebra", "")]


def test_a_seat_at_another_host_opens_another_agreement(world: World) -> None:
    world.agreement()
    madrid = given.organisation("Madrid University", "ES", "Europe/Madrid")
    open_for_seat.call(seat_id=str(world.seat(world.offering("Art", host=madrid)).pk))
    assert set(LearningAgreement.objects.values_list("host", flat=True)) == {world.host.pk, madrid.pk}


@pytest.mark.parametrize("state", ["offered", "declined", "withdrawn"])
def test_a_seat_that_is_not_accepted_opens_nothing(world: World, state: str) -> None:
    seat = world.seat(world.offering(), state=state)
    open_for_seat.call(seat_id=str(seat.pk))
    assert not LearningAgreement.objects.exists()
    with pytest.raises(Refused, match="seat-not-accepted"):
        open_learning_agreement(seat, by=SYSTEM, now=NOW)


# Drafting -------------------------------------------------------------------------------------------------------------


def test_each_version_is_kept_and_follows_the_one_before_it(world: World) -> None:
    agreement = drafted(world)
    second, first = agreement.versions.all()
    assert (first.number, second.number, second.text.follows, second.because) == (1, 2, first.digest, "Mapped")
    assert digest_of(first.text) == first.digest
    assert first.is_intact


def test_a_version_cannot_be_changed(world: World) -> None:
    version = world.agreement().versions.get()
    version.because = "other"
    with pytest.raises(RuntimeError, match="never changed"):
        version.save()


def test_a_version_altered_behind_the_programs_back_is_seen(world: World) -> None:
    version = world.agreement().versions.get()
    LearningAgreementVersion.objects.filter(pk=version.pk).update(content={**version.content, "call": "forged"})
    assert not fresh(version).is_intact


def test_drafting_the_same_again_makes_no_version(world: World) -> None:
    agreement = drafted(world)
    with pytest.raises(Refused, match="unchanged"):
        draft_version(agreement, by=by(world, "bia"), now=NOW, components=given.lines(agreement))
    assert fresh(agreement).current == 2


def test_unusable_lines_are_refused_all_at_once(world: World) -> None:
    agreement = world.agreement()
    line, = given.lines(agreement, home_credits="lots")
    stranger = Line(offering=uuid4(), home_credits="-1")
    with pytest.raises(Invalid) as refusal:
        draft_version(agreement, by=by(world, "bia"), now=NOW, components=[line, line, stranger])
    assert [r.code for r in refusal.value.reasons] == ["bad-credits", "course-twice", "bad-credits", "no-such-seat", "bad-credits"]


@pytest.mark.parametrize(("given_text", "kept"), [("4,5", "4.5"), ("4.50", "4.5"), ("", ""), (" 3 ", "3")])
def test_credits_are_read_with_either_decimal_mark(world: World, given_text: str, kept: str) -> None:
    assert drafted(world, home_credits=given_text).current_version.text.components[0].home_credits == kept  # type: ignore[union-attr]


def test_not_recognised_keeps_the_reason_and_drops_what_home_would_have_given(world: World) -> None:
    agreement = drafted(world, recognised="no", because="Already passed.")
    line, = agreement.current_version.text.components  # type: ignore[union-attr]
    assert (line.recognised, line.because, line.home_credits, line.home_code) == (False, "Already passed.", "", "")


# Presenting -----------------------------------------------------------------------------------------------------------


def test_an_incomplete_agreement_is_not_presented_and_every_gap_is_named(world: World) -> None:
    agreement = world.agreement("Statistics", "Algebra")
    with pytest.raises(Refused) as refusal:
        present(agreement, by=by(world, "ana"), now=NOW)
    assert [r.code for r in refusal.value.reasons] == ["home-course-missing", "home-credits-missing"] * 2


def test_presenting_waits_for_all_three_and_tells_it(world: World) -> None:
    agreement = presented(world)
    assert (agreement.state, agreement.waiting_for) == (State.SIGNING, "student home host")


# Signing --------------------------------------------------------------------------------------------------------------


def test_three_signatures_put_the_version_into_force(world: World) -> None:
    agreement = presented(world)
    agreement = signed_by(world, agreement, "carlos", "ana")
    assert (agreement.state, agreement.waiting_for, agreement.signed_version) == (State.SIGNING, "home", 0)
    agreement = signed_by(world, agreement, "bia")
    assert (agreement.state, agreement.waiting_for, agreement.signed_version) == (State.SIGNED, "", 2)
    assert {(s.party, s.person.name, s.digest) for s in Signature.objects.all()} == {
        (party, name, digest(agreement)) for party, name in (("student", "Ana"), ("home", "Bia"), ("host", "Carlos"))
    }
    assert [line.home_code for line in components_in_force(agreement)] == ["ECO-301"]


def test_the_third_signature_tells_of_the_agreement_and_of_each_course(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    agreement = signed_by(world, presented(world, "Statistics", "Algebra"), "ana", "bia")
    monkeypatch.setattr(events, "_SUBSCRIBERS", defaultdict(list))
    for topic in ("learning_agreement.signed", "learning_agreement.course_agreed"):
        events.subscribe(topic, open_for_seat)
    Job.objects.all().delete()
    signed_by(world, agreement, "carlos")
    told = [job.arguments["kwargs"] for job in Job.objects.all()]
    assert {"agreement_id": str(agreement.pk), "version": "3"} in told
    assert {row["seat_id"] for row in told if "seat_id" in row} == {str(seat.pk) for seat in world.application.seats.all()}
    assert len(told) == 3


def test_a_text_that_changed_since_it_was_read_is_not_signed_and_the_changes_are_told(world: World) -> None:
    agreement = presented(world)
    read = digest(agreement)
    draft_version(agreement, by=by(world, "bia"), now=NOW, components=given.lines(agreement, home_credits="3"))
    present(agreement, by=by(world, "bia"), now=NOW)
    with pytest.raises(Conflict) as refusal:
        sign(agreement, by=by(world, "ana"), now=NOW, digest=read)
    first, change = refusal.value.reasons
    assert (first.code, dict(first.params)) == ("text-changed", {"read": 2, "current": 3})
    assert (change.params["before"], change.params["after"]) == ("4", "3")
    assert not Signature.objects.exists()


def test_a_fingerprint_of_no_version_is_refused(world: World) -> None:
    with pytest.raises(Invalid, match="unknown-digest"):
        sign(presented(world), by=by(world, "ana"), now=NOW, digest="0" * 64)


def test_signatures_stay_with_their_version_and_do_not_count_for_the_next(world: World) -> None:
    agreement = signed_by(world, presented(world), "ana", "carlos")
    draft_version(agreement, by=by(world, "bia"), now=NOW, components=given.lines(agreement, home_credits="3"))
    present(agreement, by=by(world, "bia"), now=NOW)
    agreement = signed_by(world, agreement, "bia")
    assert (agreement.state, agreement.waiting_for) == (State.SIGNING, "student host")
    assert [(v.number, v.signatures.count()) for v in agreement.versions.all()] == [(3, 1), (2, 2), (1, 0)]


def test_the_signed_version_stays_in_force_until_the_next_is_signed_by_all(world: World) -> None:
    agreement = signed(world)
    draft_version(agreement, by=by(world, "bia"), now=NOW, components=given.lines(agreement, home_credits="3"), because="Week 3")
    agreement = fresh(agreement)
    assert (agreement.state, agreement.current, agreement.signed_version) == (State.DRAFT, 3, 2)
    assert components_in_force(agreement)[0].home_credits == "4"
    assert [(c.label, c.before, c.after) for c in changes_to_sign(agreement)] == [("Credits at home", "4", "3")]
    present(agreement, by=by(world, "ana"), now=NOW)
    agreement = signed_by(world, agreement, "ana", "bia", "carlos")
    assert (agreement.signed_version, components_in_force(agreement)[0].home_credits) == (3, "3")


@pytest.mark.parametrize(("name", "side"), [("ana", "home"), ("ana", "host"), ("bia", "student"), ("bia", "host"), ("carlos", "home"), ("carlos", "student")])
def test_nobody_signs_for_another_side(world: World, name: str, side: str) -> None:
    agreement = presented(world)
    with pytest.raises(Refused, match="not-your-side"):
        sign(agreement, by=by(world, name), now=NOW, digest=digest(agreement), side=side)


def test_one_person_with_offices_at_both_institutions_signs_for_one_side_only(world: World) -> None:
    given.give_role(world.bia, world.host, "coordinator")
    agreement = presented(world)
    with pytest.raises(Invalid, match="side-missing"):
        sign(agreement, by=by(world, "bia"), now=NOW, digest=digest(agreement))
    sign(agreement, by=by(world, "bia"), now=NOW, digest=digest(agreement), side="home")
    with pytest.raises(Refused, match="one-side-each"):
        sign(agreement, by=by(world, "bia"), now=NOW, digest=digest(agreement), side="host")


def test_a_student_who_also_works_in_the_office_signs_as_the_student_only(world: World) -> None:
    given.give_role(world.ana, world.home, "coordinator")
    agreement = presented(world)
    with pytest.raises(Refused, match="not-your-side"):
        sign(agreement, by=by(world, "ana"), now=NOW, digest=digest(agreement), side="home")
    assert signed_by(world, agreement, "ana").waiting_for == "home host"


def test_a_side_signs_a_version_once(world: World) -> None:
    agreement = signed_by(world, presented(world), "ana")
    with pytest.raises(Refused, match="already-signed"):
        sign(agreement, by=by(world, "ana"), now=NOW, digest=digest(agreement))


def test_the_database_refuses_a_second_signature_of_a_side(world: World) -> None:
    agreement = signed_by(world, presented(world), "ana")
    with pytest.raises(IntegrityError), transaction.atomic():
        Signature.objects.create(version=agreement.current_version, party="student", person=world.bia, at=NOW, digest=digest(agreement))


def test_a_registrar_at_home_may_sign_and_one_at_the_host_may_not(world: World) -> None:
    registrars = {place: given.person(f"Registrar {place}") for place in ("home", "host")}
    for place, who in registrars.items():
        given.give_role(who, getattr(world, place), "registrar")
    agreement = presented(world)
    sign(agreement, by=actor(registrars["home"]), now=NOW, digest=digest(agreement))
    with pytest.raises(NotAllowed):
        sign(agreement, by=actor(registrars["host"]), now=NOW, digest=digest(agreement))


def test_the_same_delivery_twice_signs_once_and_answers_the_same(world: World) -> None:
    agreement = presented(world)
    delivery = by(world, "ana").delivering(key="k1")
    first = sign(agreement, by=delivery, now=NOW, digest=digest(agreement))
    again = sign(agreement, by=delivery, now=NOW + timedelta(minutes=1), digest=digest(agreement))
    assert first.pk == again.pk
    assert Signature.objects.count() == 1


def test_the_history_tells_who_signed_and_who_is_still_missing(world: World) -> None:
    agreement = signed_by(world, presented(world), "ana")
    entry = audit.history([("learning_agreement", agreement.pk)])[0]
    assert (entry.verb, entry.who, entry.changes) == ("sign", "Ana", {"waiting_for": ["student home host", "home host"]})


# Returning, cancelling, losing a seat ---------------------------------------------------------------------------------


def test_a_returned_agreement_is_a_draft_again_and_its_signatures_hold_if_the_text_stays(world: World) -> None:
    agreement = signed_by(world, presented(world), "ana")
    return_for_changes(agreement, by=by(world, "carlos"), now=NOW, because="Wrong group")
    assert fresh(agreement).state == State.DRAFT
    present(agreement, by=by(world, "bia"), now=NOW)
    assert fresh(agreement).waiting_for == "home host"


def test_returning_and_cancelling_need_a_reason(world: World) -> None:
    agreement = presented(world)
    with pytest.raises(Invalid, match="because"):
        return_for_changes(agreement, by=by(world, "carlos"), now=NOW, because=" ")
    with pytest.raises(Invalid, match="because"):
        cancel(agreement, by=by(world, "bia"), now=NOW, because="")


def test_cancelling_gives_the_seats_back(world: World) -> None:
    agreement = presented(world)
    cancel(agreement, by=by(world, "bia"), now=NOW, because="The student left the university.")
    assert fresh(agreement).state == State.CANCELLED
    assert [seat.state for seat in world.application.seats.all()] == ["withdrawn"]


def test_an_agreement_in_force_is_not_cancelled_by_hand(world: World) -> None:
    agreement = signed(world)
    with pytest.raises(Refused, match="in-force"):
        cancel(agreement, by=by(world, "bia"), now=NOW, because="No.")


def test_a_course_whose_seat_is_gone_leaves_the_next_version(world: World) -> None:
    agreement = signed(world, "Statistics", "Algebra")
    seat = world.application.seats.get(offering__opportunity__title__en="Algebra")
    seat.state = "withdrawn"
    seat.save()
    leave_out_seat.call(seat_id=str(seat.pk))
    leave_out_seat.call(seat_id=str(seat.pk))
    agreement = fresh(agreement)
    assert (agreement.state, agreement.signed_version) == (State.DRAFT, agreement.current - 1)
    assert [c.title["en"] for c in agreement.current_version.text.components] == ["Statistics"]
    assert agreement.current_version.because == "Seat given back: Algebra"


def test_losing_the_last_seat_cancels_and_a_new_seat_reopens(world: World) -> None:
    agreement = signed(world)
    seat = world.application.seats.get()
    seat.state = "withdrawn"
    seat.save()
    leave_out_seat.call(seat_id=str(seat.pk))
    assert fresh(agreement).state == State.CANCELLED
    open_for_seat.call(seat_id=str(world.seat(world.offering("Logic")).pk))
    agreement = fresh(agreement)
    assert (agreement.state, [c.title["en"] for c in agreement.current_version.text.components]) == (State.DRAFT, ["Logic"])
    assert components_in_force(agreement) == ()


def test_an_offer_declined_touches_no_agreement(world: World) -> None:
    agreement = world.agreement("Statistics")
    leave_out_seat.call(seat_id=str(world.seat(world.offering("Algebra"), state="declined").pk))
    assert fresh(agreement).current == 1


# The table ------------------------------------------------------------------------------------------------------------

INPUTS: dict[str, dict[str, Any]] = {
    "draft_version": {"components": []}, "present": {}, "sign": {"digest": "x"}, "return": {"because": "x"}, "cancel": {"because": "x"}, "reopen": {},
}  # fmt: skip


@pytest.mark.parametrize(("verb", "state"), list(itertools.product(STEPS, State)))
def test_each_verb_is_refused_outside_its_states(world: World, verb: str, state: State) -> None:
    agreement = world.agreement()
    LearningAgreement.objects.filter(pk=agreement.pk).update(state=state)
    is_possible = state in STEPS[verb].before
    codes = []
    try:
        TABLE["learning_agreement", verb].perform(agreement, by=SYSTEM, now=NOW, **INPUTS[verb])
    except Refused as refusal:
        codes = [reason.code for reason in refusal.reasons]
    # A verb in its state may still be refused for what the agreement says; never for the state.
    assert ("state" in codes) is not is_possible


MAY = {
    "draft_version": {"ana", "bia"},
    "present": {"ana", "bia"},
    "sign": {"ana", "bia", "carlos"},
    "return": {"ana", "bia", "carlos"},
    "cancel": {"bia"},
    "reopen": set(),
}


@pytest.mark.parametrize(("verb", "name"), list(itertools.product(STEPS, ("ana", "bia", "carlos", "dora", "teacher"))))
def test_each_verb_belongs_to_its_roles(world: World, verb: str, name: str) -> None:
    agreement = world.agreement()
    entry = TABLE["learning_agreement", verb]
    assert entry.permits(agreement, by(world, name)) == (name in MAY[verb])
    if name not in MAY[verb]:
        with pytest.raises(NotAllowed):
            entry.perform(agreement, by=by(world, name), now=NOW, **INPUTS[verb])


def test_only_the_system_opens_and_reopens(world: World) -> None:
    seat = world.seat(world.offering())
    with pytest.raises(NotAllowed):
        open_learning_agreement(seat, by=by(world, "bia"), now=NOW)
    agreement = world.agreement()
    with pytest.raises(NotAllowed):
        reopen(agreement, by=by(world, "ana"), now=NOW)


@pytest.mark.parametrize(("name", "sees"), [("ana", True), ("bia", True), ("carlos", True), ("dora", False)])
def test_only_the_three_sides_see_an_agreement(world: World, name: str, sees: bool) -> None:
    agreement = world.agreement()
    found = LearningAgreement.objects.visible_to(by(world, name))
    assert found.filter(pk=agreement.pk).exists() is sees
    if not sees:
        with pytest.raises(NotFound):
            LearningAgreement.objects.seen_by(by(world, name), agreement.pk)


def test_the_worker_opens_the_agreement_on_the_event(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_SUBSCRIBERS", defaultdict(list))
    events.subscribe("seat.accepted", open_for_seat)
    events.emit("seat.accepted", seat_id=str(world.seat(world.offering()).pk))
    assert drain() == 1
    assert LearningAgreement.objects.get().current == 1


def test_a_line_is_the_same_whatever_order_its_facts_come_in(world: World) -> None:
    text = world.agreement().current_version.text  # type: ignore[union-attr]
    shuffled = replace(text, student=dict(reversed(text.student.items())))
    assert digest_of(shuffled) == digest_of(text)


def test_a_step_too_early_is_refused_in_the_words_of_the_page(world: World) -> None:
    agreement = world.agreement()
    assert agreement.current_version is not None
    with translation.override("es"):
        with pytest.raises(Refused) as refusal:
            sign(agreement, by=actor(world.ana), now=NOW, digest=agreement.current_version.digest)
        told = say_reasons(refusal.value.reasons)
    assert told == ["Esto no se puede hacer mientras el estado sea “En redacción”. Desde aquí se puede: Redactar una nueva versión, Presentar para la firma."]

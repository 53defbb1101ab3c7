"""Drafting, revising, proposing, signing and ending: every right, every state, every refusal, and what a signature is bound to."""

import hashlib
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django_tasks import task

from tests.exchange.agreements.given import NOW, actor, agreement, person, proposed, signed, world
from vsm.exchange.agreements.actions import SeatPromise, draft_agreement, end, propose, revise, sign
from vsm.exchange.agreements.models import Agreement, AgreementSignature
from vsm.exchange.agreements.queries import digest_of, promised, valid_signatures
from vsm.exchange.agreements.states import STEPS, State
from vsm.exchange.institutions.models import Organisation
from vsm.kit import audit, events, jobs
from vsm.kit.actions import TABLE, actions_on
from vsm.kit.errors import Conflict, Invalid, NotAllowed, NotFound, Refused

pytestmark = pytest.mark.django_db
HEARD: list[str] = []


@task()
def hear(agreement_id: str) -> None:
    HEARD.append(agreement_id)


@pytest.fixture
def w() -> SimpleNamespace:
    return world()


def revised(w: SimpleNamespace, record: Agreement, by: Any = None, **changes: Any) -> Agreement:
    facts = {
        "starts_on": record.starts_on, "ends_on": record.ends_on, "because": "two more seats", "levels": record.levels, "isced_f": record.isced_f,
        "language": record.language, "minimum_cefr": record.minimum_cefr, "promises": [SeatPromise(host=w.host.pk, seats=7)],
    }
    return revise(record, by=by or actor(w.bia), now=NOW, **{**facts, **changes})


def again(record: Any) -> Any:
    return type(record).objects.get(pk=record.pk)


def test_a_draft_holds_what_was_promised_in_each_direction(w: SimpleNamespace) -> None:
    made = agreement(w)
    assert made.state == State.DRAFT
    assert sorted((p.host_id, p.seats) for p in made.promises.all()) == sorted([(w.host.pk, 5), (w.home.pk, 3)])


def test_a_draft_is_refused_with_every_problem_at_once(w: SimpleNamespace) -> None:
    agreement(w)
    with pytest.raises(Invalid) as refusal:
        agreement(w, partner=w.home.pk, ends_on=date(2026, 1, 1), category="holiday", promises=[SeatPromise(host=w.elsewhere.pk, seats=1)])
    assert [reason.code for reason in refusal.value.reasons] == ["one-party", "dates", "host-foreign", "category-unknown", "code-taken"]


def test_no_company_is_a_partner_and_none_is_offered(w: SimpleNamespace) -> None:
    Organisation.objects.filter(pk=w.elsewhere.pk).update(kind="host")
    with pytest.raises(Invalid) as refusal:
        agreement(w, partner=w.elsewhere.pk, promises=[])
    assert [reason.code for reason in refusal.value.reasons] == ["partner-teaches-not"]
    draft = TABLE["organisation", "draft_agreement"]
    assert {pk for pk, _name in draft.asks["partner"].choices(w.home, actor(w.bia))} == {str(w.host.pk)}
    Organisation.objects.filter(pk=w.elsewhere.pk).update(kind="network")
    assert agreement(w, partner=w.elsewhere.pk, promises=[]).second_id == w.elsewhere.pk


def test_only_a_coordinator_of_the_drafting_institution_drafts(w: SimpleNamespace) -> None:
    with pytest.raises(NotAllowed):
        draft_agreement(
            w.home, by=actor(w.carlos), now=NOW, code="x", partner=w.host.pk, starts_on=date(2027, 1, 1), ends_on=date(2027, 2, 1), promises=[]
        )


def test_both_parties_see_the_same_record_and_nobody_else_sees_it(w: SimpleNamespace) -> None:
    made = agreement(w)
    assert [Agreement.objects.visible_to(actor(p)).filter(pk=made.pk).count() for p in (w.bia, w.carlos, w.dora)] == [1, 1, 0]
    with pytest.raises(NotFound):
        Agreement.objects.seen_by(actor(w.dora), made.pk)


def test_it_is_in_force_only_when_both_have_signed_the_same_text(w: SimpleNamespace) -> None:
    made = proposed(w)
    sign(made, by=actor(w.bia), now=NOW, digest=digest_of(made))
    assert again(made).state == State.PROPOSED
    assert promised(w.home.pk, w.host.pk, date(2027, 6, 1)) == []
    sign(made, by=actor(w.carlos), now=NOW, digest=digest_of(made))
    assert again(made).state == State.SIGNED
    assert promised(w.home.pk, w.host.pk, date(2027, 6, 1)) == [made]
    assert promised(w.host.pk, w.home.pk, date(2027, 6, 1)) == [made]


def test_in_force_means_from_the_first_day_to_the_last(w: SimpleNamespace) -> None:
    made = signed(w)
    days = [made.starts_on - timedelta(days=1), made.starts_on, made.ends_on, made.ends_on + timedelta(days=1)]
    assert [len(promised(w.home.pk, w.host.pk, day)) for day in days] == [0, 1, 1, 0]


def test_a_signature_keeps_the_very_text_and_its_digest(w: SimpleNamespace) -> None:
    made = signed(w)
    for signature in made.signatures.all():
        assert hashlib.sha256(signature.text.encode()).hexdigest() == signature.digest == digest_of(made)


def test_a_signature_to_a_text_that_is_not_the_one_standing_there_is_refused(w: SimpleNamespace) -> None:
    made = proposed(w)
    seen = digest_of(made)
    propose(revised(w, made), by=actor(w.bia), now=NOW)
    with pytest.raises(Conflict) as refusal:
        sign(made, by=actor(w.carlos), now=NOW, digest=seen)
    assert [reason.code for reason in refusal.value.reasons] == ["text-changed"]


@pytest.mark.parametrize(
    "changes",
    [
        {"levels": []}, {"isced_f": ["06", "07"]}, {"language": ""}, {"minimum_cefr": "B2"}, {"ends_on": date(2028, 1, 1)}, {"provisions": "x"},
        {"starts_on": date(2026, 12, 31)}, {"category": "collaboration"},
    ],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_every_fact_is_part_of_the_text_that_is_signed(w: SimpleNamespace, changes: dict[str, Any]) -> None:
    made = agreement(w)
    before = digest_of(made)
    same = [SeatPromise(host=w.home.pk, seats=3), SeatPromise(host=w.host.pk, seats=5)]
    assert digest_of(again(revised(w, made, promises=same))) == before
    assert digest_of(again(revised(w, made, promises=same, **changes))) != before


@pytest.mark.parametrize("seats", [[(5, "")], [(5, "2027-1"), (3, "")], [(6, "")]])
def test_seats_terms_and_directions_are_part_of_the_text(w: SimpleNamespace, seats: list[tuple[int, str]]) -> None:
    made = agreement(w)
    rows = [SeatPromise(host=w.host.pk, seats=number, term=term) for number, term in seats]
    before = digest_of(made)
    assert digest_of(again(revised(w, made, promises=rows))) != before


def test_an_institution_that_is_renamed_does_not_unsign_anything(w: SimpleNamespace) -> None:
    made = signed(w)
    before = digest_of(made)
    w.home.name = {"en": "Another name"}
    w.home.save()
    assert digest_of(Agreement.objects.get(pk=made.pk)) == before


def test_a_revision_after_one_signature_voids_it_and_says_so(w: SimpleNamespace) -> None:
    made = proposed(w)
    sign(made, by=actor(w.bia), now=NOW, digest=digest_of(made))
    changed = revised(w, made, by=actor(w.carlos))
    assert changed.state == State.DRAFT
    assert valid_signatures(again(made)) == []
    assert [signature.voided_at for signature in made.signatures.all()] == [NOW]
    told = [(entry.verb, entry.changes) for entry in audit.history([("agreement", made.pk)]) if entry.verb == "void_signature"]
    assert told == [("void_signature", {"signature": ["Paulista: Bia", ""]})]


def test_a_voided_signature_stays_void_even_if_the_text_returns_to_what_it_was(w: SimpleNamespace) -> None:
    made = proposed(w)
    text = digest_of(made)
    sign(made, by=actor(w.bia), now=NOW, digest=text)
    revised(w, made)
    back = revised(w, again(made), promises=[SeatPromise(host=w.host.pk, seats=5), SeatPromise(host=w.home.pk, seats=3)])
    propose(back, by=actor(w.bia), now=NOW)
    assert digest_of(again(made)) == text
    sign(made, by=actor(w.carlos), now=NOW, digest=text)
    assert again(made).state == State.PROPOSED
    sign(made, by=actor(w.bia), now=NOW, digest=text)
    assert again(made).state == State.SIGNED


def test_a_party_signs_once(w: SimpleNamespace) -> None:
    made = proposed(w)
    sign(made, by=actor(w.bia), now=NOW, digest=digest_of(made))
    other = person("Beto", w.home, "coordinator")
    with pytest.raises(Refused) as refusal:
        sign(made, by=actor(other), now=NOW, digest=digest_of(made))
    assert [reason.code for reason in refusal.value.reasons] == ["already-signed"]


def test_nobody_signs_for_both_parties(w: SimpleNamespace) -> None:
    both = person("Both", w.home, "coordinator")
    both.memberships.create(organisation=w.host, role="coordinator", starts_on=date(2026, 1, 1))
    made = proposed(w)
    sign(made, by=actor(both), now=NOW, digest=digest_of(made))
    with pytest.raises(Refused) as refusal:
        sign(made, by=actor(both), now=NOW, digest=digest_of(made))
    assert [reason.code for reason in refusal.value.reasons] == ["same-person"]


def test_the_database_itself_refuses_a_second_valid_signature(w: SimpleNamespace) -> None:
    made = signed(w)
    with pytest.raises(IntegrityError), transaction.atomic():
        AgreementSignature(agreement=made, organisation=w.home, person=w.bia, at=NOW, digest="0" * 64).save()


def test_a_proposal_is_refused_with_every_problem_at_once(w: SimpleNamespace) -> None:
    made = agreement(w, promises=[], starts_on=date(2025, 1, 1), ends_on=date(2025, 12, 31))
    with pytest.raises(Refused) as refusal:
        propose(made, by=actor(w.bia), now=NOW)
    assert [reason.code for reason in refusal.value.reasons] == ["no-seats", "past"]


def test_an_ended_agreement_promises_nothing_more_and_keeps_its_signatures(w: SimpleNamespace) -> None:
    made = end(signed(w), by=actor(w.carlos), now=NOW, because="the programme closes")
    assert made.state == State.ENDED
    assert promised(w.home.pk, w.host.pk, date(2027, 6, 1)) == []
    assert {signature.digest for signature in valid_signatures(again(made))} == {digest_of(again(made))}


def test_ending_needs_a_reason(w: SimpleNamespace) -> None:
    with pytest.raises(Invalid):
        end(signed(w), by=actor(w.bia), now=NOW, because="  ")


def test_signing_is_told_once_by_an_event_when_both_have_signed(w: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(events._SUBSCRIBERS, "agreement.signed", [hear])
    HEARD.clear()
    made = proposed(w)
    sign(made, by=actor(w.bia), now=NOW, digest=digest_of(made))
    jobs.drain()
    assert HEARD == []
    sign(made, by=actor(w.carlos), now=NOW, digest=digest_of(made))
    jobs.drain()
    assert [str(made.pk)] == HEARD


def test_the_same_key_signs_once(w: SimpleNamespace) -> None:
    made = proposed(w)
    by = actor(w.bia).delivering(key="k-1")
    sign(made, by=by, now=NOW, digest=digest_of(made))
    sign(made, by=by, now=NOW, digest=digest_of(made))
    assert made.signatures.count() == 1


def _performed(w: SimpleNamespace, verb: str, record: Agreement, by: Any) -> None:
    {
        "propose": lambda: propose(record, by=by, now=NOW),
        "revise": lambda: revised(w, record, by=by),
        "sign": lambda: sign(record, by=by, now=NOW, digest=digest_of(record)),
        "end": lambda: end(record, by=by, now=NOW, because="done"),
    }[verb]()


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("verb", sorted(STEPS))
def test_each_verb_is_possible_in_the_states_of_the_table_and_refused_in_every_other(w: SimpleNamespace, verb: str, state: State) -> None:
    made = agreement(w)
    Agreement.objects.filter(pk=made.pk).update(state=state)
    made = again(made)
    if state in STEPS[verb].before:
        _performed(w, verb, made, actor(w.bia))
        assert again(made).state == (STEPS[verb].after or state)
        return
    with pytest.raises(Refused) as refusal:
        _performed(w, verb, made, actor(w.bia))
    assert [reason.code for reason in refusal.value.reasons] == ["state"]


@pytest.mark.parametrize("verb", sorted(STEPS))
def test_only_the_parties_coordinators_may(w: SimpleNamespace, verb: str) -> None:
    made = agreement(w)
    Agreement.objects.filter(pk=made.pk).update(state=min(STEPS[verb].before))
    observer = person("Olga", w.home, "observer", "registrar", "student", "instructor")
    for stranger in (w.dora, observer):
        with pytest.raises(NotAllowed):
            _performed(w, verb, again(made), actor(stranger))
    _performed(w, verb, again(made), actor(w.carlos))


def test_every_verb_of_the_table_is_an_action_and_the_other_way_round() -> None:
    assert {entry.verb for entry in actions_on("agreement")} == set(STEPS)

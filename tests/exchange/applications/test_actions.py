"""The life of an application: every right, every state, every refusal, and that being early is worth nothing."""

import itertools
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django_tasks import task

from tests.exchange.agreements.given import agreement, person
from tests.exchange.applications.given import (
    CLOSES,
    NOMINATE_BY,
    NOW,
    OPEN,
    OPENS,
    PDF,
    actor,
    attached,
    begun,
    nominated,
    offering,
    published,
    ranked,
    student,
    submitted,
    world,
)  # fmt: skip
from vsm.exchange.agreements.actions import end
from vsm.exchange.applications.actions import (
    Nominee,
    apply,
    attach,
    decline_nomination,
    describe,
    leave_unplaced,
    nominate,
    nominate_many,
    place,
    put_on_waiting_list,
    rank,
    remove_document,
    reopen,
    return_nomination,
    submit,
    withdraw,
)  # fmt: skip
from vsm.exchange.applications.models import Application, Call, Nomination
from vsm.exchange.applications.queries import eligibility, for_call, to_nominate
from vsm.exchange.applications.states import STEPS, CallState, State
from vsm.kit import audit, clock, events, files, jobs
from vsm.kit.actions import actions_on, available
from vsm.kit.actors import SYSTEM
from vsm.kit.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from vsm.kit.uploads import Upload

pytestmark = pytest.mark.django_db
HEARD: list[str] = []


@task()
def hear(application_id: str) -> None:
    HEARD.append(application_id)


@pytest.fixture
def w() -> SimpleNamespace:
    return world()


def again(record: Any) -> Any:
    return type(record).objects.get(pk=record.pk)


def codes(refusal: Any) -> list[str]:
    return [reason.code for reason in refusal.value.reasons]


# Beginning, saving, submitting ----------------------------------------------------------------------------------------


def test_a_registered_student_begins_an_application_even_before_the_opening(w: SimpleNamespace) -> None:
    made = apply(published(w), by=actor(w.ana), now=NOW)
    assert (made.state, made.home_id, made.student_id) == (State.DRAFT, w.home.pk, w.ana.pk)


def test_who_is_no_student_here_cannot_begin(w: SimpleNamespace) -> None:
    with pytest.raises(Refused) as refusal:
        apply(published(w), by=actor(w.bia), now=OPEN)
    assert codes(refusal) == ["role"]


def test_a_student_who_has_left_cannot_begin(w: SimpleNamespace) -> None:
    w.ana.memberships.update(ends_on=NOW.date() - timedelta(days=1))
    with pytest.raises(Refused) as refusal:
        apply(published(w), by=actor(w.ana), now=OPEN)
    assert codes(refusal) == ["role"]


def test_after_the_closing_nobody_begins_and_both_deadlines_are_told(w: SimpleNamespace) -> None:
    with pytest.raises(Refused) as refusal:
        apply(published(w), by=actor(w.ana), now=NOMINATE_BY)
    assert codes(refusal) == ["call-closed", "home-deadline"]


def test_there_is_one_application_in_a_call_until_it_is_withdrawn(w: SimpleNamespace) -> None:
    call = published(w)
    first = begun(w, call)
    with pytest.raises(Refused) as refusal:
        begun(w, call)
    assert codes(refusal) == ["already-applied"]
    withdraw(first, by=actor(w.ana), now=OPEN)
    assert begun(w, call).pk != first.pk


def test_the_database_itself_refuses_a_second_application(w: SimpleNamespace) -> None:
    first = begun(w, published(w))
    with pytest.raises(IntegrityError), transaction.atomic():
        Application(call=first.call, student=w.ana, home=w.home).save()


def test_the_same_key_begins_one_application(w: SimpleNamespace) -> None:
    call, by = published(w), actor(w.ana).delivering(key="k-1")
    assert apply(call, by=by, now=OPEN) == apply(call, by=by, now=OPEN)
    with pytest.raises(Conflict):
        rank(Application.objects.get(), by=by, now=OPEN, choices=[], seats_wanted=1)


def test_a_draft_is_saved_and_found_again(w: SimpleNamespace) -> None:
    made = ranked(w, published(w), choices=[w.biology.pk, w.algebra.pk], seats_wanted=2)
    describe(made, by=actor(w.ana), now=OPEN, motivation="Proofs.", needs="Captions.")
    kept = again(made)
    assert (kept.choices, kept.seats_wanted, kept.motivation, kept.needs) == ([str(w.biology.pk), str(w.algebra.pk)], 2, "Proofs.", "Captions.")


def test_a_ranking_is_refused_with_every_problem_at_once(w: SimpleNamespace) -> None:
    call = published(w, max_choices=2, max_seats=1)
    with pytest.raises(Invalid) as refusal:
        ranked(w, call, choices=[w.algebra.pk, w.algebra.pk, uuid4()], seats_wanted=2)
    assert codes(refusal) == ["choice-repeated", "too-many-choices", "not-in-call", "seats-wanted"]


def test_who_has_everything_submits(w: SimpleNamespace) -> None:
    made = submitted(w, published(w))
    assert (made.state, again(made).submitted_at) == (State.SUBMITTED, OPEN)


def test_submission_is_refused_with_every_obstacle_at_once(w: SimpleNamespace) -> None:
    hard = offering(w.host, "HAR", "Hard", cefr="C2", isced_f="0732")
    full = offering(w.host, "FUL", "Full")
    call = published(w, {hard: 1, full: 1, w.algebra: 1}, required_documents=["transcript", "cv"], minimum_share_passed=Decimal("0.5"))
    made = ranked(w, call, choices=[hard.pk, full.pk, w.algebra.pk])
    full.state = "withdrawn"
    full.save()
    attached(w, made, "cv")
    with pytest.raises(Refused) as refusal:
        submit(made, by=actor(w.ana), now=OPENS - timedelta(seconds=1))
    assert [(reason.code, reason.field) for reason in refusal.value.reasons] == [
        ("call-coming", ""), ("share-too-low", ""), ("cefr-too-low", "choices.1"), ("offering-withdrawn", "choices.2"), ("document-missing", "documents"),
    ]
    assert again(made).state == State.DRAFT


def test_an_agreement_that_has_ended_carries_no_new_application(w: SimpleNamespace) -> None:
    made = ranked(w, published(w))
    end(w.agreement, by=actor(w.carlos), now=OPEN, because="closed")
    with pytest.raises(Refused) as refusal:
        submit(made, by=actor(w.ana), now=OPEN)
    assert codes(refusal) == ["no-agreement", "no-agreement"]


def test_an_agreement_that_is_not_signed_carries_nothing(w: SimpleNamespace) -> None:
    end(w.agreement, by=actor(w.carlos), now=OPEN, because="closed")
    agreement(w, code="draft-only")
    assert "no-agreement" in eligibility(ranked(w, published(w)), OPEN).codes


def test_eligibility_needs_the_same_few_queries_for_one_choice_and_for_five(w: SimpleNamespace, django_assert_num_queries: Any) -> None:
    courses = [offering(w.host, f"X{n}", f"Course {n}") for n in range(5)]
    call = published(w, dict.fromkeys(courses, 2))
    one, five = ranked(w, call, choices=[courses[0].pk]), ranked(w, call, student(w.home, "Beto"), choices=[course.pk for course in courses])
    for made in (one, five):
        fresh = Application.objects.select_related("call").get(pk=made.pk)
        with django_assert_num_queries(6):
            assert eligibility(fresh, OPEN).ok


def test_a_submitted_application_can_be_reopened_until_the_closing(w: SimpleNamespace) -> None:
    made = reopen(submitted(w, published(w)), by=actor(w.ana), now=CLOSES - timedelta(seconds=1))
    assert (made.state, again(made).submitted_at) == (State.DRAFT, None)
    submit(made, by=actor(w.ana), now=CLOSES - timedelta(seconds=1))
    with pytest.raises(Refused) as refusal:
        reopen(again(made), by=actor(w.ana), now=CLOSES)
    assert codes(refusal) == ["call-closed"]


def test_a_lost_update_is_refused(w: SimpleNamespace) -> None:
    made = ranked(w, published(w))
    with pytest.raises(Conflict):
        describe(made, by=actor(w.ana).delivering(expected=made.version - 1), now=OPEN, motivation="old tab")


# Documents ------------------------------------------------------------------------------------------------------------


def test_a_file_is_kept_by_its_digest_under_a_safe_name_and_its_real_type(w: SimpleNamespace) -> None:
    made = attached(w, begun(w, published(w)), name="../../record.exe", data=b"\x89PNG\r\n\x1a\nx")
    held = made.documents.get()
    assert (held.name, held.media_type, held.size) == ("record.exe.png", "image/png", 9)
    assert files.get(held.digest) == b"\x89PNG\r\n\x1a\nx"


def test_a_file_of_the_same_kind_is_replaced_and_the_history_tells_both(w: SimpleNamespace) -> None:
    made = begun(w, published(w))
    attached(w, made, name="old.pdf")
    attached(w, again(made), name="new.pdf", data=PDF + b"2")
    assert [d.name for d in made.documents.all()] == ["new.pdf"]
    told = [entry.changes["transcript"] for entry in audit.history([("application", made.pk)]) if entry.verb == "keep_document"]
    assert [[text.split(" ")[0] for text in change] for change in told] == [["old.pdf", "new.pdf"], ["", "old.pdf"]]


def test_a_program_that_calls_itself_a_pdf_is_refused_and_nothing_is_kept(w: SimpleNamespace) -> None:
    made = begun(w, published(w))
    with pytest.raises(Invalid) as refusal:
        attached(w, made, name="record.pdf", data=b"MZ\x90\x00")
    assert codes(refusal) == ["document-type"]
    assert made.documents.count() == 0


def test_documents_can_follow_a_submission_until_the_closing(w: SimpleNamespace) -> None:
    made = submitted(w, published(w))
    attached(w, made)
    with pytest.raises(Refused) as refusal:
        attach(again(made), by=actor(w.ana), now=CLOSES, kind="cv", file=Upload.of("cv.pdf", "", PDF))
    assert codes(refusal) == ["call-closed"]


def test_a_document_can_be_taken_out_of_a_draft(w: SimpleNamespace) -> None:
    draft = begun(w, published(w))
    assert "remove_document" not in {act.verb for act in available(draft, actor(w.ana))}
    draft = attached(w, draft)
    assert "remove_document" in {act.verb for act in available(draft, actor(w.ana))}
    made = remove_document(draft, by=actor(w.ana), now=OPEN, kind="transcript")
    assert made.documents.count() == 0
    with pytest.raises(Invalid):
        remove_document(again(made), by=actor(w.ana), now=OPEN, kind="transcript")


# Nomination -----------------------------------------------------------------------------------------------------------


def test_home_nominates_in_a_band_and_the_record_says_who_when_and_why(w: SimpleNamespace) -> None:
    made = nominate(submitted(w, published(w)), by=actor(w.bia), now=CLOSES, band=2, because="strong in proofs")
    told = Nomination.objects.get(application=made)
    assert (made.state, told.band, told.by, told.at, told.because) == (State.NOMINATED, 2, w.bia, CLOSES, "strong in proofs")


@pytest.mark.parametrize("band", [0, -1, 10])
def test_a_band_is_a_number_from_one_to_nine(w: SimpleNamespace, band: int) -> None:
    with pytest.raises(Invalid) as refusal:
        nominate(submitted(w, published(w)), by=actor(w.bia), now=CLOSES, band=band)
    assert codes(refusal) == ["band"]


def test_after_the_deadline_home_neither_nominates_nor_takes_back(w: SimpleNamespace) -> None:
    call = published(w)
    late, done = submitted(w, call), nominated(w, call, student(w.home, "Beto"))
    with pytest.raises(Refused) as refusal:
        nominate(late, by=actor(w.bia), now=NOMINATE_BY)
    assert codes(refusal) == ["nomination-over"]
    with pytest.raises(Refused) as refusal:
        return_nomination(done, by=actor(w.bia), now=NOMINATE_BY)
    assert codes(refusal) == ["nomination-over"]


def test_a_student_who_is_not_nominated_reads_why(w: SimpleNamespace) -> None:
    made = decline_nomination(submitted(w, published(w)), by=actor(w.bia), now=CLOSES, because="Too few places this term.")
    seen = Application.objects.seen_by(actor(w.ana), made.pk)
    assert (seen.state, seen.declined_because) == (State.NOT_NOMINATED, "Too few places this term.")
    with pytest.raises(Invalid):
        decline_nomination(submitted(w, made.call, student(w.home, "Beto")), by=actor(w.bia), now=CLOSES, because=" ")


def test_a_decision_can_be_taken_back_and_made_again(w: SimpleNamespace) -> None:
    made = return_nomination(nominated(w, published(w)), by=actor(w.bia), now=CLOSES)
    assert (made.state, Nomination.objects.count()) == (State.SUBMITTED, 0)
    assert nominate(made, by=actor(w.bia), now=CLOSES, band=3).nomination.band == 3


def test_many_are_nominated_at_once_and_lines_without_a_band_stay(w: SimpleNamespace) -> None:
    call = published(w)
    three = [submitted(w, call, student(w.home, name)) for name in ("Beto", "Caio", "Davi")]
    rows = [Nominee(application=a.pk, band=band) for a, band in zip(three, (1, None, 2), strict=True)]
    nominate_many(w.home, by=actor(w.bia), now=CLOSES, rows=rows)
    assert [again(a).state for a in three] == [State.NOMINATED, State.SUBMITTED, State.NOMINATED]
    assert [wish.band for wish in for_call(call)] == [1, 2]


def test_if_one_of_many_is_refused_nothing_is_done_and_every_refusal_is_named(w: SimpleNamespace) -> None:
    call = published(w)
    good, wrong, done = (submitted(w, call, student(w.home, name)) for name in ("Beto", "Caio", "Davi"))
    withdraw(done, by=actor(done.student), now=OPEN)
    rows = [Nominee(application=good.pk, band=1), Nominee(application=wrong.pk, band=99), Nominee(application=done.pk, band=1)]
    with pytest.raises(Invalid) as refusal:
        nominate_many(w.home, by=actor(w.bia), now=CLOSES, rows=rows)
    assert sorted((reason.code, reason.params["student"]) for reason in refusal.value.reasons) == [("band", "Caio"), ("state", "Davi")]
    assert again(good).state == State.SUBMITTED
    assert Nomination.objects.count() == 0


def test_nobody_nominates_another_institutions_students(w: SimpleNamespace) -> None:
    made = submitted(w, published(w))
    with pytest.raises(Invalid) as refusal:
        nominate_many(w.host, by=actor(w.carlos), now=CLOSES, rows=[Nominee(application=made.pk, band=1)])
    assert codes(refusal) == ["foreign"]
    with pytest.raises(NotAllowed):
        nominate_many(w.home, by=actor(w.carlos), now=CLOSES, rows=[Nominee(application=made.pk, band=1)])
    assert again(made).state == State.SUBMITTED


def test_the_table_of_nominees_asks_the_same_queries_for_one_student_and_for_three(w: SimpleNamespace, django_assert_num_queries: Any) -> None:
    call = published(w)
    entry = next(entry for entry in actions_on("organisation") if entry.verb == "nominate_many")
    start = entry.asks["rows"].start
    assert start is not None
    bia = actor(w.bia)
    for name in ("Beto", "Caio", "Davi"):
        made = submitted(w, call, student(w.home, name))
        with clock.stopped_at(CLOSES), django_assert_num_queries(2):
            rows = start(w.home, bia)
        assert rows[-1].first_choice == "Algebra"
        assert made in to_nominate(w.home.pk, CLOSES)
    assert [row.student for row in rows] == ["Beto", "Caio", "Davi"]


# Being early is worth nothing -----------------------------------------------------------------------------------------


def test_whoever_submits_when_the_allocation_reads_the_same(w: SimpleNamespace) -> None:
    call = published(w)
    made = [nominated(w, call, student(w.home, name), band=band) for name, band in (("Beto", 2), ("Caio", 1), ("Davi", 1))]
    moments = [OPENS, OPENS + timedelta(days=9), CLOSES - timedelta(seconds=1)]
    read = []
    for order in itertools.permutations(moments):
        for application, at in zip(made, order, strict=True):
            Application.objects.filter(pk=application.pk).update(submitted_at=at, updated_at=at)
            Nomination.objects.filter(application=application).update(at=at)
        read.append(for_call(call))
    assert len(read) == 6
    assert all(wishes == read[0] for wishes in read)
    assert sorted(wish.band for wish in read[0]) == [1, 1, 2]


def test_the_allocation_is_told_no_time_of_any_kind_and_not_who_it_is(w: SimpleNamespace) -> None:
    call = published(w)
    made = nominated(w, call)
    (wish,) = for_call(call)
    assert vars(wish) == {
        "application_id": str(made.pk), "home_id": str(w.home.pk), "choices": (str(w.algebra.pk), str(w.biology.pk)), "seats_wanted": 1, "band": 1,
    }  # fmt: skip


def test_only_nominated_applications_reach_the_allocation(w: SimpleNamespace) -> None:
    call = published(w)
    kept = nominated(w, call)
    gone = nominated(w, call, student(w.home, "Beto"))
    withdraw(gone, by=actor(gone.student), now=CLOSES)
    submitted(w, call, student(w.home, "Caio"))
    assert [wish.application_id for wish in for_call(call)] == [str(kept.pk)]


# Who sees what --------------------------------------------------------------------------------------------------------


def sees(w: SimpleNamespace, made: Application) -> dict[str, bool]:
    return {name: Application.objects.visible_to(actor(getattr(w, name))).filter(pk=made.pk).exists() for name in ("ana", "bia", "carlos", "dora")}


def test_a_draft_is_the_students_own_home_sees_what_is_submitted_the_call_what_is_nominated(w: SimpleNamespace) -> None:
    call = published(w)
    made = ranked(w, call)
    assert sees(w, made) == {"ana": True, "bia": False, "carlos": False, "dora": False}
    submit(made, by=actor(w.ana), now=OPEN)
    assert sees(w, made) == {"ana": True, "bia": True, "carlos": False, "dora": False}
    nominate(again(made), by=actor(w.bia), now=CLOSES)
    assert sees(w, made) == {"ana": True, "bia": True, "carlos": True, "dora": False}
    return_nomination(again(made), by=actor(w.bia), now=CLOSES)
    assert sees(w, made) == {"ana": True, "bia": True, "carlos": False, "dora": False}
    decline_nomination(again(made), by=actor(w.bia), now=CLOSES, because="no")
    assert sees(w, made) == {"ana": True, "bia": True, "carlos": False, "dora": False}


def test_a_draft_that_was_withdrawn_stays_the_students_own(w: SimpleNamespace) -> None:
    made = withdraw(ranked(w, published(w)), by=actor(w.ana), now=OPEN)
    assert sees(w, made) == {"ana": True, "bia": False, "carlos": False, "dora": False}


def test_what_the_call_has_seen_it_still_sees_after_a_withdrawal(w: SimpleNamespace) -> None:
    made = withdraw(nominated(w, published(w)), by=actor(w.ana), now=CLOSES)
    assert sees(w, made) == {"ana": True, "bia": True, "carlos": True, "dora": False}


def test_another_student_of_the_same_home_sees_nothing(w: SimpleNamespace) -> None:
    made = nominated(w, published(w))
    with pytest.raises(NotFound):
        Application.objects.seen_by(actor(student(w.home, "Beto")), made.pk)


# Every verb in every state, for every role ----------------------------------------------------------------------------


def _performed(w: SimpleNamespace, verb: str, made: Application, by: Any) -> None:
    now = OPEN
    {
        "rank": lambda: rank(made, by=by, now=now, choices=[w.algebra.pk]),
        "describe": lambda: describe(made, by=by, now=now, motivation="x"),
        "attach": lambda: attach(made, by=by, now=now, kind="cv", file=Upload.of("a.pdf", "", PDF)),
        "remove_document": lambda: remove_document(made, by=by, now=now, kind="transcript"),
        "submit": lambda: submit(made, by=by, now=now),
        "reopen": lambda: reopen(made, by=by, now=now),
        "withdraw": lambda: withdraw(made, by=by, now=now),
        "nominate": lambda: nominate(made, by=by, now=now),
        "decline_nomination": lambda: decline_nomination(made, by=by, now=now, because="no"),
        "return_nomination": lambda: return_nomination(made, by=by, now=now),
        "place": lambda: place(made, by=by, now=now),
        "put_on_waiting_list": lambda: put_on_waiting_list(made, by=by, now=now),
        "leave_unplaced": lambda: leave_unplaced(made, by=by, now=now),
    }[verb]()


STUDENTS = ("rank", "describe", "attach", "remove_document", "submit", "reopen")
HOMES = ("nominate", "decline_nomination", "return_nomination")
SYSTEMS = ("place", "put_on_waiting_list", "leave_unplaced")


def in_state(w: SimpleNamespace, state: str) -> Application:
    made = attached(w, ranked(w, published(w)))
    Application.objects.filter(pk=made.pk).update(state=state, submitted_at=OPEN)
    Nomination(application=made, band=1, by=w.bia, at=NOW).save()
    return again(made)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("verb", sorted(STEPS))
def test_each_verb_is_possible_in_the_states_of_the_table_and_refused_in_every_other(w: SimpleNamespace, verb: str, state: State) -> None:
    made = in_state(w, state)
    by = actor(w.bia) if verb in HOMES else SYSTEM if verb in SYSTEMS else actor(w.ana)
    if state in STEPS[verb].before:
        _performed(w, verb, made, by)
        assert again(made).state == (STEPS[verb].after or state)
        return
    with pytest.raises(Refused) as refusal:
        _performed(w, verb, made, by)
    assert codes(refusal) == ["state"]


@pytest.mark.parametrize("verb", sorted(STEPS))
def test_each_verb_belongs_to_its_role_and_to_nobody_else(w: SimpleNamespace, verb: str) -> None:
    made = in_state(w, min(STEPS[verb].before))
    allowed = {"ana"} if verb in STUDENTS else {"bia"} if verb in HOMES else {"ana", "bia"} if verb == "withdraw" else set()
    w.olga, w.beto = person("Olga", w.home, "observer", "registrar", "instructor"), student(w.home, "Beto")
    for name in sorted({"ana", "bia", "carlos", "dora", "olga", "beto"} - allowed):
        with pytest.raises(NotAllowed):
            _performed(w, verb, again(made), actor(getattr(w, name)))
    assert verb not in {entry.verb for entry in available(made, actor(w.dora))}


def test_every_verb_of_the_table_is_an_action_and_the_other_way_round() -> None:
    own = {entry.verb for entry in actions_on("application") if entry.function.__module__.startswith("vsm.exchange.applications.")}
    assert own == set(STEPS) == {*STUDENTS, *HOMES, *SYSTEMS, "withdraw"}


# Events ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topic", "act"),
    [
        ("application.submitted", lambda w, call: submitted(w, call)),
        ("application.nominated", lambda w, call: nominated(w, call)),
        ("application.withdrawn", lambda w, call: withdraw(begun(w, call), by=actor(w.ana), now=OPEN)),
        ("application.not_nominated", lambda w, call: decline_nomination(submitted(w, call), by=actor(w.bia), now=OPEN, because="no")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_happens_is_told_once(w: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, topic: str, act: Any) -> None:
    monkeypatch.setitem(events._SUBSCRIBERS, topic, [hear])
    HEARD.clear()
    made = act(w, published(w))
    with clock.stopped_at(NOMINATE_BY):
        jobs.drain()
    assert HEARD.count(str(made.pk)) == 1


def test_a_call_that_is_over_takes_nothing_more(w: SimpleNamespace) -> None:
    made = ranked(w, published(w))
    Call.objects.filter(pk=made.call_id).update(state=CallState.ALLOCATED)
    with pytest.raises(Refused) as refusal:
        submit(again(made), by=actor(w.ana), now=OPEN)
    assert codes(refusal) == ["call-over"]

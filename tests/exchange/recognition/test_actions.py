"""From the grade to recognised credit: who may do what, when, and what is refused with which reasons."""

import itertools
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

import pytest
from django.utils import translation
from django_tasks import task

from tests.exchange.recognition.given import LATER, NOW, organisation, world, world_beside
from vsm.exchange.recognition import actions
from vsm.exchange.recognition.models import Decision, Result, Transcript
from vsm.exchange.recognition.queries import precedents
from vsm.exchange.recognition.states import (
    DECISION_STEPS,
    RESULT_STEPS,
    TRANSCRIPT_STEPS,
    DecisionState,
    ResultState,
    TranscriptState,
)
from vsm.exchange.sessions.models import Enrolment
from vsm.kit import audit, clock, events, jobs
from vsm.kit.actions import TABLE, available
from vsm.kit.actors import ANONYMOUS, SYSTEM
from vsm.kit.errors import Invalid, NotAllowed, NotFound, Refused, VsmError
from vsm.kit.saying import say_reasons
from vsm.kit.uploads import Upload

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_english():
    with translation.override("en"):
        yield


def codes(refusal):
    return [reason.code for reason in refusal.value.reasons]


def csv_of(*lines):
    return Upload.of("notas.csv", "text/csv", "\n".join(lines).encode())


def test_a_grade_is_provisional_until_the_office_confirms_it_which_completes_the_enrolment():
    w = world()
    (result,) = w.graded("5,5")
    assert (result.grade, result.passed, result.credits, result.credit_system, result.state) == (
        "5.5",
        True,
        Decimal(6),
        "sct-chile",
        "provisional",
    )
    assert Enrolment.objects.get(pk=w.enrolments[0].pk).state == "enrolled"
    confirmed = actions.confirm(result, by=w.ines, now=NOW)
    assert (confirmed.state, confirmed.confirmed_at) == ("final", NOW)
    assert Enrolment.objects.get(pk=w.enrolments[0].pk).state == "completed"


def test_a_failing_grade_earns_no_credits_and_is_confirmed_all_the_same():
    w = world()
    (result,) = w.final("3.9")
    assert (result.passed, result.credits, result.state) == (False, Decimal(0), "final")


def test_every_unreadable_grade_is_named_with_its_line_and_nothing_is_kept():
    w = world()
    w.classmate("Beto", "20205555")
    rows = actions.rows_to_grade(w.offering, w.pilar)
    assert [row.student for row in rows] == ["Ana Ñahui", "Beto"]
    rows[0].grade, rows[1].grade, rows[1].credits = "9.9", "A+", Decimal(7)
    with pytest.raises(Invalid) as refusal:
        actions.enter_results(w.offering, by=w.pilar, now=NOW, rows=rows)
    assert say_reasons(refusal.value.reasons) == [
        "Line 1: Ana Ñahui: 9.9 is not a grade of the scale “Chile, 1.0 to 7.0”, which goes from 1.0 to 7.0.",
        "Line 2: Beto: 7 credits cannot be given: the course carries at most 6.00.",
        "Line 2: Beto: A+ is not a grade of the scale “Chile, 1.0 to 7.0”, which goes from 1.0 to 7.0.",
    ]
    assert {reason.field for reason in refusal.value.reasons} == {"rows"}
    assert not Result.objects.exists()


def test_a_line_without_a_grade_is_left_alone_but_a_remark_alone_is_not():
    w = world()
    beto = w.classmate("Beto", "20205555")
    rows = [w.row(0, "6.0"), actions.ResultRow(enrolment_id=beto.pk)]
    actions.enter_results(w.offering, by=w.pilar, now=NOW, rows=rows)
    assert Result.objects.count() == 1
    rows[1].remark = "Muy buen trabajo"
    with pytest.raises(Invalid) as refusal:
        actions.enter_results(w.offering, by=w.pilar, now=NOW, rows=rows)
    assert codes(refusal) == ["no-grade"]


def test_who_left_or_sits_elsewhere_or_stands_twice_cannot_be_graded():
    w = world()
    Enrolment.objects.filter(pk=w.enrolments[0].pk).update(state="withdrawn")
    elsewhere, beto = w.row(1, "5.0"), w.classmate("Beto", "20205555")
    twice = [actions.ResultRow(enrolment_id=beto.pk, grade="5.0") for _ in range(2)]
    with pytest.raises(Invalid) as refusal:
        actions.enter_results(w.offering, by=w.pilar, now=NOW, rows=[w.row(0, "5.0"), elsewhere, *twice])
    assert codes(refusal) == ["not-enrolled", "not-enrolled", "student-twice"]


def test_a_provisional_grade_entered_again_replaces_the_row_and_leaves_the_unchanged_ones():
    w = world()
    (first,) = w.graded("5.0")
    actions.enter_results(w.offering, by=w.pilar, now=NOW, rows=[w.row(0, "5,0")])
    assert w.result().pk == first.pk
    actions.enter_results(w.offering, by=w.pilar, now=NOW, rows=[w.row(0, "5.2")])
    assert (w.result().grade, w.result().corrects_id, w.result().state) == ("5.2", first.pk, "provisional")
    first.refresh_from_db()
    assert first.state == "superseded"
    assert "supersede" in [told.verb for told in audit.history([("result", first.pk)])]


def test_a_final_grade_is_not_entered_over_but_the_unchanged_table_can_be_sent_again():
    w = world()
    w.final("5.0")
    beto = w.classmate("Beto", "20205555")
    rows = actions.rows_to_grade(w.offering, w.pilar)
    rows[1].grade = "4.0"
    actions.enter_results(w.offering, by=w.pilar, now=NOW, rows=rows)
    assert Result.objects.get(enrolment=beto).grade == "4.0"
    rows[0].grade = "6.0"
    with pytest.raises(Invalid) as refusal:
        actions.enter_results(w.offering, by=w.pilar, now=NOW, rows=rows)
    assert codes(refusal) == ["already-final"]


def test_confirming_all_takes_every_provisional_result_and_refuses_when_there_is_none():
    w = world()
    beto = w.classmate("Beto", "20205555")
    with pytest.raises(Refused) as refusal:
        actions.confirm_results(w.offering, by=w.carlos, now=NOW)
    assert codes(refusal) == ["nothing-provisional"]
    actions.enter_results(
        w.offering, by=w.pilar, now=NOW, rows=[w.row(0, "5.0"), actions.ResultRow(enrolment_id=beto.pk, grade="2.0")]
    )
    actions.confirm_results(w.offering, by=w.carlos, now=NOW)
    assert set(Result.objects.values_list("state", "passed")) == {("final", True), ("final", False)}


def test_confirming_all_names_everybody_who_left_and_confirms_nobody():
    w = world()
    beto = w.classmate("Beto", "20205555")
    actions.enter_results(
        w.offering, by=w.pilar, now=NOW, rows=[w.row(0, "5.0"), actions.ResultRow(enrolment_id=beto.pk, grade="5.0")]
    )
    Enrolment.objects.filter(pk=beto.pk).update(state="withdrawn")
    with pytest.raises(Refused) as refusal:
        actions.confirm_results(w.offering, by=w.ines, now=NOW)
    assert say_reasons(refusal.value.reasons) == [
        "Beto left the course after this grade was entered: it cannot become final."
    ]
    assert set(Result.objects.values_list("state", flat=True)) == {"provisional"}


# Permissions --------------------------------------------------------------------------------------------------------


def test_only_those_who_teach_the_course_and_the_offices_of_the_host_enter_results():
    w = world()
    for actor in (w.pilar, w.carlos, w.ines, SYSTEM):
        actions.enter_results(w.offering, by=actor, now=NOW, rows=[w.row()])
    w.offering.instructors.clear()
    for actor in (w.pilar, w.bia, w.rosa, w.dora, w.student, ANONYMOUS):
        with pytest.raises(NotAllowed):
            actions.enter_results(w.offering, by=actor, now=NOW, rows=[w.row()])
        with pytest.raises(NotAllowed):
            actions.import_results(w.offering, by=actor, now=NOW, file=csv_of("email,grade", "ana@example.org,5"))


def test_a_teacher_of_another_course_is_not_even_shown_who_is_enrolled():
    w = world()
    w.offering.instructors.clear()
    assert actions.rows_to_grade(w.offering, w.pilar) == []


ROLES = ("student", "bia", "rosa", "carlos", "ines", "pilar", "dora")
MAY = {
    ("result", "confirm"): {"carlos", "ines"},
    ("result", "correct"): {"carlos", "ines"},
    ("transcript", "reissue"): {"carlos", "ines"},
    ("transcript", "propose"): set(),
    ("learning_agreement", "issue_transcript"): {"carlos", "ines"},
    ("decision", "recognise"): {"rosa"},
    ("decision", "recognise_partly"): {"rosa"},
    ("decision", "refuse"): {"rosa"},
    ("decision", "reconsider"): {"rosa"},
    ("decision", "ask_again"): {"student"},
}


def test_each_act_belongs_to_just_these_roles():
    w = world()
    decision = w.decision()
    records = {
        "decision": decision,
        "transcript": decision.transcript,
        "result": decision.result,
        "learning_agreement": w.agreement,
    }
    told = {
        (noun, verb): {name for name in ROLES if TABLE[noun, verb].permits(records[noun], getattr(w, name))} for noun, verb in MAY
    }  # fmt: skip
    assert told == MAY
    here = "vsm.exchange.recognition."
    ours = {key for key, entry in TABLE.items() if entry.function.__module__.startswith(here)}
    listed = {key for key in ours if key[0] != "offering"}
    assert listed == set(MAY)


def test_dora_sees_nothing_and_ana_only_what_is_final():
    w = world()
    w.graded("5.0")
    seen = {name: Result.objects.visible_to(getattr(w, name)).count() for name in ROLES}
    assert seen == {"student": 0, "bia": 0, "rosa": 0, "carlos": 1, "ines": 1, "pilar": 1, "dora": 0}
    actions.enter_results(w.offering, by=w.pilar, now=NOW, rows=[w.row(0, "5.5")])
    actions.confirm(w.result(), by=w.ines, now=NOW)
    told = {name: sorted(Result.objects.visible_to(getattr(w, name)).values_list("grade", flat=True)) for name in ROLES}
    both, final = ["5.0", "5.5"], ["5.5"]
    assert told == {
        "student": final,
        "bia": final,
        "rosa": final,
        "carlos": both,
        "ines": both,
        "pilar": both,
        "dora": [],
    }
    with pytest.raises(NotFound):
        Result.objects.seen_by(w.dora, w.result().pk)


def test_transcripts_and_decisions_are_seen_by_student_home_and_host_and_never_by_a_stranger():
    w = world()
    w.decision()
    assert {name: Transcript.objects.visible_to(getattr(w, name)).count() for name in ROLES} == {
        "student": 1, "bia": 1, "rosa": 1, "carlos": 1, "ines": 1, "pilar": 0, "dora": 0,
    }  # fmt: skip
    assert {name: Decision.objects.visible_to(getattr(w, name)).count() for name in ROLES} == {
        "student": 1, "bia": 1, "rosa": 1, "carlos": 0, "ines": 1, "pilar": 0, "dora": 0,
    }  # fmt: skip
    assert not any(
        found.visible_to(ANONYMOUS).exists() for found in (Result.objects, Transcript.objects, Decision.objects)
    )


# Verbs × states -----------------------------------------------------------------------------------------------------

INPUTS = {
    "confirm": {},
    "correct": {"grade": "6.0", "because": "Error de suma"},
    "reissue": {"because": "Se corrigió el nombre"},
    "recognise": {"home_code": "EST", "home_title": "Estadística", "home_credits": Decimal(5)},
    "recognise_partly": {
        "home_code": "EST",
        "home_title": "Estadística",
        "home_credits": Decimal(3),
        "because": "Solo la primera parte",
    },
    "refuse": {"because": "Contenido distinto"},
    "ask_again": {"question": "¿Por qué no?"},
    "reconsider": {"because": "La estudiante mostró el sílabo"},
}
STATES = [
    *itertools.product(["result"], RESULT_STEPS.items(), ResultState),
    *itertools.product(["transcript"], TRANSCRIPT_STEPS.items(), TranscriptState),
    *itertools.product(["decision"], DECISION_STEPS.items(), DecisionState),
]


@pytest.mark.parametrize(
    ("noun", "row", "state"), STATES, ids=lambda value: value[0] if isinstance(value, tuple) else str(value)
)
def test_every_verb_in_every_state_does_what_the_table_says(noun, row, state):
    verb, step = row
    w = world()
    decision = w.decision()
    record = {"decision": decision, "transcript": decision.transcript, "result": decision.result}[noun]
    type(record).objects.filter(pk=record.pk).update(state=state, **({"decided_at": NOW} if noun == "decision" else {}))
    record.refresh_from_db()
    by = {"ask_again": w.student}.get(verb, w.rosa if noun == "decision" else w.ines)
    assert (verb in [each.verb for each in available(record, by)]) == (state in step.before)
    if state in step.before:
        TABLE[noun, verb].perform(record, by=by, now=NOW, **INPUTS[verb])
        assert type(record).objects.get(pk=record.pk).state == (step.after or state)
    else:
        with pytest.raises(Refused) as refusal:
            TABLE[noun, verb].perform(record, by=by, now=NOW, **INPUTS[verb])
        assert codes(refusal) == ["state"]
        assert type(record).objects.get(pk=record.pk).state == state


# Transcripts --------------------------------------------------------------------------------------------------------


def test_a_transcript_is_refused_with_every_result_that_is_missing():
    w = world()
    w.final("5.0")
    w.graded("5.0", "5.0")
    Enrolment.objects.filter(pk=w.enrolments[2].pk).update(state="completed")
    with pytest.raises(Refused) as refusal:
        actions.issue_transcript(w.agreement, by=w.ines, now=NOW)
    assert codes(refusal) == ["still-enrolled", "no-final-result"] or codes(refusal) == [
        "no-final-result",
        "still-enrolled",
    ]
    assert not Transcript.objects.exists()


def test_a_transcript_is_offered_once_a_course_has_ended_and_until_it_is_issued():
    w = world()

    def is_offered() -> bool:
        return "issue_transcript" in {each.verb for each in available(w.agreement, w.ines)}

    assert not is_offered()
    w.final("5.0")
    assert is_offered()
    w.drop_others()
    Enrolment.objects.filter(pk=w.enrolments[0].pk).update(state="completed")
    actions.issue_transcript(w.agreement, by=w.ines, now=NOW)
    assert not is_offered()


def test_without_any_course_taken_there_is_nothing_to_certify():
    w = world()
    w.drop_others()
    with pytest.raises(Refused) as refusal:
        actions.issue_transcript(w.agreement, by=w.ines, now=NOW)
    assert codes(refusal) == ["nothing-taken"]


def test_a_withdrawal_is_told_as_w_without_a_grade_and_a_dropped_course_leaves_no_trace():
    w = world()
    w.final("5.0")
    Enrolment.objects.filter(pk=w.enrolments[1].pk).update(state="withdrawn", left_at=NOW)
    Enrolment.objects.filter(pk=w.enrolments[2].pk).update(state="dropped", left_at=NOW)
    transcript = actions.issue_transcript(w.agreement, by=w.ines, now=NOW)
    told = {
        c["code"]: (c["grade"], c["outcome"], c["credits_earned"], c["result_id"] == "")
        for c in transcript.content["components"]
    }
    assert told == {"MAT-201": ("5.0", "passed", "6.00", False), "SOC-110": ("W", "withdrawn", "", True)}
    assert [entry["mark"] for entry in transcript.content["legend"]] == ["✓", "W"]
    assert transcript.content["credits_earned"] == {"sct-chile": "6.00"}


def test_numbers_count_up_by_host_and_year_of_the_host():
    w = world()
    first = w.transcript("5.0")
    assert (first.number, first.edition) == ("2027-0001", 1)
    other = world_beside(w)
    new_year_in_utc = NOW.replace(year=2028, month=1, day=1, hour=1)
    assert actions.issue_transcript(other, by=w.ines, now=new_year_in_utc).number == "2027-0002"


def test_a_second_transcript_is_refused_and_a_new_edition_takes_its_place_for_a_reason():
    w = world()
    first = w.transcript("5.0")
    with pytest.raises(Refused) as refusal:
        actions.issue_transcript(w.agreement, by=w.ines, now=NOW)
    assert codes(refusal) == ["already-issued"]
    with pytest.raises(Invalid) as refusal:
        actions.reissue(first, by=w.ines, now=NOW, because="  ")
    assert codes(refusal) == ["because"]
    second = actions.reissue(first, by=w.ines, now=LATER, because="Cambió el nombre de la estudiante")
    first.refresh_from_db()
    assert (first.state, second.state, second.number, second.edition) == ("superseded", "issued", first.number, 2)
    assert second.content["replaces"] == "Cambió el nombre de la estudiante"


def test_the_same_key_issues_one_transcript():
    w = world()
    w.final("5.0")
    w.drop_others(0)
    by = replace(w.ines, key="once")
    first = actions.issue_transcript(w.agreement, by=by, now=NOW)
    again = actions.issue_transcript(w.agreement, by=by, now=LATER)
    assert again.pk == first.pk
    assert Transcript.objects.count() == 1


def test_a_correction_after_issue_supersedes_the_result_and_marks_the_transcript_until_a_new_edition():
    w = world()
    transcript = w.transcript("5.0")
    old = w.result()
    new = actions.correct(old, by=w.ines, now=LATER, grade="6.0", because="Se sumó mal una pregunta")
    old.refresh_from_db()
    transcript.refresh_from_db()
    assert (old.grade, old.state, new.grade, new.state, new.corrects_id, new.because) == (
        "5.0",
        "superseded",
        "6.0",
        "final",
        old.pk,
        "Se sumó mal una pregunta",
    )
    assert transcript.outdated_since == LATER
    assert transcript.content["components"][0]["grade"] == "5.0"
    edition = actions.reissue(transcript, by=w.ines, now=LATER, because="Corrección de una nota")
    assert (edition.outdated_since, edition.content["components"][0]["grade"]) == (None, "6.0")
    assert "outdate" in [told.verb for told in audit.history([("transcript", transcript.pk)])]


def test_a_provisional_correction_stays_provisional_and_touches_no_transcript():
    w = world()
    (result,) = w.graded("5.0")
    corrected = actions.correct(result, by=w.carlos, now=NOW, grade="3.0", because="Copia")
    assert (corrected.state, corrected.passed, corrected.credits, corrected.confirmed_at) == (
        "provisional",
        False,
        Decimal(0),
        None,
    )


def test_a_correction_that_cannot_be_read_tells_every_fault_and_one_that_changes_nothing_is_refused():
    w = world()
    (result,) = w.final("5.0")
    with pytest.raises(Invalid) as refusal:
        actions.correct(result, by=w.ines, now=NOW, grade="77", credits=Decimal(-1), because="")
    assert codes(refusal) == ["because", "credits-out-of-range", "grade-not-on-scale"]
    with pytest.raises(Invalid) as refusal:
        actions.correct(result, by=w.ines, now=NOW, grade="5,0", because="Nada")
    assert codes(refusal) == ["same-result"]
    assert w.result().pk == result.pk


# Decisions ----------------------------------------------------------------------------------------------------------


def test_the_proposal_keeps_the_promise_with_the_conversions_beside_it():
    w = world()
    decision = w.decision("5.5")
    assert (decision.home_code, decision.home_title, decision.home_credits, decision.home_grade) == (
        "H-MAT-201",
        "Estadística (Lima)",
        Decimal(5),
        "16",
    )
    evidence = decision.proposal
    assert evidence["promise"] == {
        "version": 1,
        "home_code": "H-MAT-201",
        "home_title": "Estadística (Lima)",
        "home_credits": "5",
    }
    assert (evidence["credits"]["method"], evidence["grade"]["method"], evidence["obstacles"]) == (
        "known-workload",
        "linear",
        [],
    )
    assert evidence["credits"]["citations"]
    assert evidence["credits"]["low"] < evidence["credits"]["exact"]
    assert evidence["rulebook_version"]


@pytest.mark.parametrize(
    ("given", "grade", "obstacles", "home_credits"),
    [
        ({"home_credits": "4"}, "5.5", [], Decimal(4)),
        ({}, "3.9", ["not-passed", "fewer-credits"], Decimal(0)),
        ({"home_credits": "4", "sides": ("student", "home")}, "5.5", ["agreement-not-signed"], Decimal(4)),
        ({"home_credits": "4", "recognised": False}, "5.5", ["refused-in-agreement", "not-in-agreement"], Decimal(5)),
    ],
)
def test_what_speaks_against_recognition_stands_in_the_proposal(given, grade, obstacles, home_credits):
    decision = world(**given).decision(grade)
    assert [told["code"] for told in decision.proposal["obstacles"]] == obstacles
    assert decision.home_credits == home_credits


def test_an_altered_agreement_does_not_count_as_signed():
    w = world()
    version = w.agreement.versions.get()
    altered = {**version.content, "call": "another"}
    type(version).objects.filter(pk=version.pk).update(content=altered)
    assert "agreement-not-signed" in [told["code"] for told in w.decision().proposal["obstacles"]]


def test_a_grade_of_a_home_whose_credit_system_the_rulebook_does_not_know_is_decided_without_a_conversion():
    w = world()
    type(w.home).objects.filter(pk=w.home.pk).update(credit_system="martian")
    decision = w.decision()
    assert (decision.proposal["credits"], decision.home_credits) == (None, None)
    assert [told["code"] for told in decision.proposal["obstacles"]] == ["unknown-entry"]


def test_recognised_as_agreed_needs_no_words():
    w = world()
    decided = actions.recognise(
        w.decision(),
        by=w.rosa,
        now=NOW,
        home_code="H-MAT-201",
        home_title="Estadística",
        home_credits=Decimal(5),
        home_grade="16",
    )
    assert (decided.state, decided.decided_at, decided.decided_by_id) == ("recognised", NOW, w.rosa.person_id)


def test_giving_less_than_was_promised_takes_a_reason_and_says_what_was_promised():
    w = world()
    decision = w.decision()
    less = {"home_code": "X", "home_title": "Estadística", "home_credits": Decimal(3), "home_grade": "16"}
    with pytest.raises(Invalid) as refusal:
        actions.recognise(decision, by=w.rosa, now=NOW, **less)
    assert say_reasons(refusal.value.reasons) == [
        "The signed learning agreement (version 1) promised more: 5 credits. Say why you give 3."
    ]
    assert refusal.value.reasons[0].field == "because"
    with pytest.raises(Invalid) as refusal:
        actions.refuse(decision, by=w.rosa, now=NOW, because=" ")
    assert codes(refusal) == ["because"]
    assert actions.recognise(
        decision, by=w.rosa, now=NOW, because="Faltan horas de práctica", **less
    ).home_credits == Decimal(3)


def test_recognising_against_an_obstacle_takes_an_answer_to_each():
    w = world()
    decision = w.decision("3.9")
    given = {"home_code": "X", "home_title": "Estadística", "home_credits": Decimal(5)}
    with pytest.raises(Invalid) as refusal:
        actions.recognise(decision, by=w.rosa, now=NOW, **given)
    assert codes(refusal) == ["obstacle-unanswered", "obstacle-unanswered"]
    assert (
        actions.recognise(decision, by=w.rosa, now=NOW, because="Examen sustitutorio aprobado en casa", **given).state
        == "recognised"
    )


@pytest.mark.parametrize("verb", ["recognise", "recognise_partly"])
def test_an_unusable_decision_tells_every_fault(verb):
    w = world()
    decision = w.decision()
    with pytest.raises(Invalid) as refusal:
        getattr(actions, verb)(
            decision,
            by=w.rosa,
            now=NOW,
            home_code=" ",
            home_title="",
            home_credits=Decimal("NaN"),
            home_grade="21",
            because="x",
        )
    assert codes(refusal) == ["home-course-missing", "no-credits", "grade-not-on-scale"]
    with pytest.raises(Invalid) as refusal:
        getattr(actions, verb)(
            decision,
            by=w.rosa,
            now=NOW,
            home_code="A",
            home_title="",
            home_credits=Decimal("10000.001"),
            home_grade="05",
            because="x",
        )
    assert codes(refusal) == ["credits-out-of-range", "home-grade-fails"]


def test_a_refusal_keeps_the_home_course_and_takes_credits_and_grade_away():
    w = world()
    refused = actions.refuse(w.decision(), by=w.rosa, now=NOW, because="El contenido no alcanza")
    assert (refused.state, refused.home_code, refused.home_credits, refused.home_grade) == (
        "refused",
        "H-MAT-201",
        None,
        "",
    )


def test_the_student_asks_and_the_registrar_opens_the_decision_again_from_its_proposal():
    w = world()
    decision = actions.refuse(w.decision(), by=w.rosa, now=NOW, because="El contenido no alcanza")
    with pytest.raises(Invalid) as refusal:
        actions.ask_again(decision, by=w.student, now=NOW, question="  ")
    assert codes(refusal) == ["no-question"]
    asked = actions.ask_again(decision, by=w.student, now=LATER, question="Adjunto el sílabo completo.")
    assert (asked.state, asked.question, asked.questioned_at) == ("refused", "Adjunto el sílabo completo.", LATER)
    opened = actions.reconsider(asked, by=w.rosa, now=LATER, because="El sílabo muestra otra cosa")
    assert (opened.state, opened.home_credits, opened.home_grade, opened.questioned_at, opened.decided_at) == (
        "proposed",
        Decimal(5),
        "16",
        None,
        None,
    )


def test_a_new_edition_opens_only_the_decisions_whose_result_was_corrected():
    w = world()
    transcript = w.transcript("5.0", "6.0")
    actions.propose(transcript, by=SYSTEM, now=NOW)
    for number in (0, 1):
        decision = Decision.objects.get(enrolment=w.enrolments[number])
        actions.recognise(
            decision,
            by=w.rosa,
            now=NOW,
            home_code="H",
            home_title="H",
            home_credits=Decimal(5),
            home_grade=decision.home_grade,
        )
    actions.correct(w.result(0), by=w.ines, now=LATER, grade="7.0", because="Se sumó mal")
    transcript.refresh_from_db()
    edition = actions.reissue(transcript, by=w.ines, now=LATER, because="Corrección")
    actions.propose(edition, by=SYSTEM, now=LATER)
    opened, stands = (Decision.objects.get(enrolment=w.enrolments[number]) for number in (0, 1))
    assert (opened.state, opened.home_grade, opened.result_id, opened.transcript_id) == (
        "proposed",
        "20",
        w.result(0).pk,
        edition.pk,
    )
    assert "2027-0001" in opened.because
    assert (stands.state, stands.transcript_id) == ("recognised", transcript.pk)


def test_proposing_twice_or_for_a_replaced_edition_changes_nothing():
    w = world()
    decision = w.decision()
    first = decision.transcript
    actions.propose(first, by=SYSTEM, now=LATER)
    assert Decision.objects.get().version == decision.version
    actions.correct(w.result(), by=w.ines, now=LATER, grade="7.0", because="x")
    first.refresh_from_db()
    actions.reissue(first, by=w.ines, now=LATER, because="x")
    actions.propose(first, by=SYSTEM, now=LATER)
    assert Decision.objects.get().version == decision.version


def test_home_remembers_how_it_decided_on_the_same_course():
    w = world()
    first = w.decision()
    actions.recognise(
        first,
        by=w.rosa,
        now=NOW,
        home_code="EST-1",
        home_title="Estadística 1",
        home_credits=Decimal(5),
        home_grade="16",
    )
    agreement = world_beside(w)
    actions.propose(actions.issue_transcript(agreement, by=w.ines, now=LATER), by=SYSTEM, now=LATER)
    second = Decision.objects.get(enrolment__learning_agreement_id=agreement.pk)
    (precedent,) = precedents(second, w.rosa)
    assert (precedent.home_code, precedent.recognised, precedent.partly, precedent.refused, precedent.last_at) == (
        "EST-1",
        1,
        0,
        0,
        NOW,
    )
    actions.refuse(second, by=w.rosa, now=LATER, because="Programa nuevo")
    (memory,) = precedents(first, w.rosa)
    assert (memory.home_code, memory.refused, memory.last_because, memory.last_state) == (
        "H-MAT-201",
        1,
        "Programa nuevo",
        "refused",
    )
    assert precedents(first, w.dora) == []


def test_another_home_has_its_own_memory():
    w = world()
    actions.recognise(
        w.decision(), by=w.rosa, now=NOW, home_code="EST-1", home_title="E", home_credits=Decimal(5), home_grade="16"
    )
    elsewhere = organisation("other.example.br", "Universidade", country="BR", zone="America/Sao_Paulo")
    copy = Decision.objects.get()
    copy.enrolment.home = elsewhere
    assert precedents(copy, SYSTEM) == []


# Events -------------------------------------------------------------------------------------------------------------

HEARD: list[tuple[str, str]] = []


@task()
def hear_result(result_id: str) -> None:
    HEARD.append(("result.final", result_id))


@task()
def hear_decision(decision_id: str) -> None:
    HEARD.append(("decision.made", decision_id))


def test_the_journey_runs_on_events_from_the_grade_to_the_decision(monkeypatch):
    heard = {
        "result.final": [hear_result],
        "transcript.issued": [actions.propose_decisions],
        "decision.made": [hear_decision],
    }
    monkeypatch.setattr(events, "_SUBSCRIBERS", defaultdict(list, heard))
    HEARD.clear()
    w = world()
    w.transcript("5.5")
    with clock.stopped_at(NOW):
        jobs.drain()
    decision = Decision.objects.get()
    actions.recognise(
        decision, by=w.rosa, now=NOW, home_code="H", home_title="H", home_credits=Decimal(5), home_grade="16"
    )
    with clock.stopped_at(NOW):
        jobs.drain()
    assert [("result.final", str(w.result().pk)), ("decision.made", str(decision.pk))] == HEARD


def test_every_refusal_of_this_slice_can_be_said_in_every_language():
    w = world()
    for attempt in (
        lambda: actions.enter_results(w.offering, by=w.pilar, now=NOW, rows=[w.row(0, "x", credits=Decimal(99))]),
        lambda: actions.import_results(w.offering, by=w.pilar, now=NOW, file=csv_of("email,grade", "x@y,5")),
        lambda: actions.issue_transcript(w.agreement, by=w.ines, now=NOW),
    ):
        with pytest.raises(VsmError) as refusal:
            attempt()
        for language in ("es", "pt-br", "en", "fr"):
            with translation.override(language):
                assert all(text and "%(" not in text for text in say_reasons(refusal.value.reasons))


# Files of grades ----------------------------------------------------------------------------------------------------


def test_a_file_of_grades_is_read_by_number_or_address_with_a_decimal_comma():
    w = world()
    beto = w.classmate("Beto", "20205555")
    file = csv_of(
        "\ufeffMatrícula;Correo;Estudiante;Nota;Créditos", "20201234;;Ana;5,5;", ";beto@example.org;Beto;4,0;3,5", ""
    )
    actions.import_results(w.offering, by=w.pilar, now=NOW, file=file)
    assert {(r.enrolment_id, r.grade, r.credits) for r in Result.objects.all()} == {
        (w.enrolments[0].pk, "5.5", Decimal(6)), (beto.pk, "4.0", Decimal("3.5")),
    }  # fmt: skip


def test_a_file_with_a_student_who_left_says_how_they_left():
    w = world()
    Enrolment.objects.filter(pk=w.enrolments[0].pk).update(state="withdrawn")
    beto = w.classmate("Beto", "20205555")
    Enrolment.objects.filter(pk=beto.pk).update(state="dropped")
    with pytest.raises(Invalid) as refusal:
        actions.import_results(
            w.offering, by=w.pilar, now=NOW, file=csv_of("student_number,grade", "20201234,5", "20205555,5")
        )
    assert codes(refusal) == ["withdrawn", "dropped"]


def test_the_same_number_at_two_homes_is_not_guessed():
    w = world()
    other = organisation("other.example.br", "Universidade", country="BR", zone="America/Sao_Paulo")
    w.classmate("Beto", "20201234", other)
    with pytest.raises(Invalid) as refusal:
        actions.import_results(w.offering, by=w.pilar, now=NOW, file=csv_of("student_number,grade", "20201234,5.0"))
    assert codes(refusal) == ["student-ambiguous"]
    actions.import_results(
        w.offering, by=w.pilar, now=NOW, file=csv_of("student_number,email,grade", "20201234,beto@example.org,5.0")
    )
    assert Result.objects.get().enrolment.student.name == "Beto"


GOOD = ["student_number,email,grade,credits,remark", "20201234,,5.5,,", "20205555,,4.0,6,Bien"]
SPOILED = {
    "a student nobody knows": ([GOOD[0], "20201234,,5.5,,", "999,,4.0,6,"], ["student-unknown"], [3]),
    "number and address of two people": ([GOOD[0], "20201234,beto@example.org,5.5,,"], ["student-unknown"], [2]),
    "the same student twice": ([*GOOD, "20201234,,6.0,,"], ["student-twice"], [4]),
    "the same student by number and by address": ([*GOOD, ",beto@example.org,6.0,,"], ["student-twice"], [4]),
    "a grade off the scale": ([GOOD[0], "20201234,,55,,", GOOD[2]], ["grade-not-on-scale"], [2]),
    "a missing grade": ([GOOD[0], "20201234,,,,", GOOD[2]], ["no-grade"], [2]),
    "no student in the line": ([GOOD[0], ",,5.5,,", GOOD[2]], ["no-student"], [2]),
    "credits that are no number": ([GOOD[0], "20201234,,5.5,six,", GOOD[2]], ["bad-credits"], [2]),
    "more credits than the course has": ([GOOD[0], "20201234,,5.5,60,", GOOD[2]], ["credits-out-of-range"], [2]),
    "a cell too many": ([GOOD[0], "20201234,,5,5,,", GOOD[2]], ["cell-count"], [2]),
    "a line cut short": ([*GOOD[:2], "20205555,,4"], ["cell-count"], [3]),
    "an open quotation": ([GOOD[0], '20201234,,"5.5,,', GOOD[2]], ["quoting"], [3]),
    "a NUL": ([GOOD[0], "20201234,,5.5,,a\x00", GOOD[2]], ["nul"], [2]),
    "two faults in two lines": (
        [GOOD[0], "20201234,,99,,", "20205555,,,6,"],
        ["grade-not-on-scale", "no-grade"],
        [2, 3],
    ),
    "no header": (GOOD[1:], ["no-student-column", "no-grade-column"], []),
    "a column twice": (["student_number,grade,grade", "20201234,5.5,4.0"], ["column-twice"], []),
    "a header alone": (GOOD[:1], ["no-lines"], []),
    "nothing at all": ([""], ["file-empty"], []),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_spoiled_file_is_refused_whole_with_each_faulty_line_named(name):
    lines, expected, places = SPOILED[name]
    w = world()
    w.classmate("Beto", "20205555")
    with pytest.raises(Invalid) as refusal:
        actions.import_results(w.offering, by=w.pilar, now=NOW, file=csv_of(*lines))
    assert codes(refusal) == expected
    assert [reason.params["line"] for reason in refusal.value.reasons if "line" in reason.params] == places
    assert not Result.objects.exists()


@pytest.mark.parametrize(
    ("data", "code"),
    [("é".encode("latin-1"), "undecodable"), (b"PK\x03\x04xl", "not-csv"), ("email,grade".encode("utf-16"), "not-csv")],
)
def test_a_file_that_is_no_csv_in_utf_8_says_what_to_do(data, code):
    w = world()
    with pytest.raises(Invalid) as refusal:
        actions.import_results(
            w.offering,
            by=w.pilar,
            now=NOW,
            file=Upload.of("x.csv", "text/csv", b"email,grade\n" * (code == "undecodable") + data),
        )
    assert codes(refusal) == [code]


def test_giving_more_than_was_proposed_takes_a_reason():
    w = world()
    more = {"home_code": "X", "home_title": "Estadística", "home_credits": Decimal(50), "home_grade": "16"}
    decision = w.decision()
    with pytest.raises(Invalid) as refusal:
        actions.recognise(decision, by=w.rosa, now=NOW, **more)
    assert codes(refusal) == ["more-than-proposed"]
    assert actions.recognise(decision, by=w.rosa, now=NOW, **more, because="Two courses at once.").state == "recognised"

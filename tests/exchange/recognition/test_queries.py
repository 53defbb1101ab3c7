"""What doors read: filters, shapes for the API, and the student's overview."""

from decimal import Decimal

import pytest

from tests.exchange.recognition.given import LATER, NOW, world
from vsm.exchange.recognition import actions
from vsm.exchange.recognition.queries import DECISION, RESULT, TRANSCRIPT, recognition_of
from vsm.exchange.sessions.models import Enrolment
from vsm.kit.actors import ANONYMOUS
from vsm.kit.resources import narrowed, ordered

pytestmark = pytest.mark.django_db


def found(resource, actor, **params):
    return [resource.title(each) for each in narrowed(resource, resource.visible_to(actor), params, actor)]


def test_results_are_filtered_by_state_pass_host_course_and_words():
    w = world()
    w.final("5.0")
    w.graded("5.0", "3.0")
    assert len(found(RESULT, w.ines)) == 2
    assert [len(found(RESULT, w.ines, state=state)) for state in ("final", "provisional", "superseded")] == [1, 1, 0]
    assert [len(found(RESULT, w.ines, passed=answer)) for answer in ("yes", "no")] == [1, 1]
    assert len(found(RESULT, w.ines, host=str(w.host.pk))) == 2
    assert [len(found(RESULT, w.ines, offering=value)) for value in (str(w.offering.pk), w.offering.opportunity.code.lower(), "no-such-code")] == [1, 1, 0]
    assert len(found(RESULT, w.ines, q="nahui")) == 2
    assert found(RESULT, w.ines, host="not-an-id") == found(RESULT, w.ines, host=str(w.home.pk)) == []


def test_an_outdated_transcript_can_be_found():
    w = world()
    transcript = w.transcript("5.0")
    assert [len(found(TRANSCRIPT, w.ines, outdated=answer)) for answer in ("yes", "no")] == [0, 1]
    actions.correct(w.result(), by=w.ines, now=LATER, grade="6.0", because="x")
    assert [len(found(TRANSCRIPT, w.ines, outdated=answer)) for answer in ("yes", "no")] == [1, 0]
    transcript.refresh_from_db()
    actions.reissue(transcript, by=w.ines, now=LATER, because="x")
    assert [len(found(TRANSCRIPT, w.ines, state=state)) for state in ("issued", "superseded")] == [1, 1]


def test_decisions_that_students_ask_about_can_be_found():
    w = world()
    decision = actions.refuse(w.decision(), by=w.rosa, now=NOW, because="x")
    assert [len(found(DECISION, w.rosa, questioned=answer)) for answer in ("yes", "no")] == [0, 1]
    actions.ask_again(decision, by=w.student, now=NOW, question="¿Por qué?")
    assert [len(found(DECISION, w.rosa, questioned=answer)) for answer in ("yes", "no")] == [1, 0]
    assert len(found(DECISION, w.rosa, state="refused")) == 1


@pytest.mark.parametrize("resource", [RESULT, TRANSCRIPT, DECISION], ids=lambda resource: resource.noun)
def test_every_record_has_the_shape_that_the_api_documents(resource):
    w = world()
    w.decision()
    for record in resource.visible_to(w.ines):
        told = {"id": record.pk, "version": record.version, "title": resource.title(record), **resource.values(record)}
        assert resource.shape().model_validate(told).title
    for shown in resource.fields:
        if shown.sort:
            assert ordered(resource, resource.visible_to(w.ines), f"-{shown.name}").first()


def test_ana_reads_on_one_page_what_came_of_each_course():
    w = world()
    Enrolment.objects.filter(pk=w.enrolments[1].pk).update(state="withdrawn", left_at=NOW)
    w.final("5.5")
    w.drop_others(0, 1)
    transcript = actions.issue_transcript(w.agreement, by=w.ines, now=NOW)
    told = {line["enrolment"].pk: line for line in recognition_of(w.ana.pk, w.student)}
    assert set(told) == {w.enrolments[0].pk, w.enrolments[1].pk}
    first, withdrawn = told[w.enrolments[0].pk], told[w.enrolments[1].pk]
    assert (first["result"].grade, first["transcript"], first["decision"]) == ("5.5", transcript, None)
    assert (withdrawn["result"], withdrawn["transcript"]) == (None, transcript)


def test_nobody_else_reads_it_there():
    w = world()
    w.decision()
    assert recognition_of(w.ana.pk, w.dora) == recognition_of(w.ana.pk, ANONYMOUS) == []


def test_a_provisional_grade_is_not_on_the_students_page():
    w = world()
    w.graded("2.0")
    assert {line["result"] for line in recognition_of(w.ana.pk, w.student)} == {None}


def test_the_credits_at_home_are_kept_to_the_cent():
    w = world()
    decided = actions.recognise_partly(
        w.decision(),
        by=w.rosa,
        now=NOW,
        home_code="E",
        home_title="E",
        home_credits=Decimal("2.25"),
        because="La mitad",
    )
    assert DECISION.values(DECISION.seen_by(w.rosa, decided.pk))["home_credits"] == Decimal("2.25")

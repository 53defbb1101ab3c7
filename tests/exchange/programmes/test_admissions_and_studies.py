"""Places go by rank and are refilled, conditions are settled, studies rest and end, awards can be taken back."""

from contextlib import nullcontext
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import translation

from tests.exchange.programmes.given import CLOSED, NOW, SAID, World, actor, fresh, work
from vsm.exchange.credentials.models import Credential
from vsm.exchange.programmes import actions as programmes
from vsm.exchange.programmes import studying
from vsm.exchange.programmes.facts import attempts_of, free_places, last_day_of, progress
from vsm.exchange.programmes.models import Admission, Conferral, Study, TermEnrolment
from vsm.exchange.programmes.queries import offerings_open
from vsm.kit import clock
from vsm.kit.actions import available
from vsm.kit.actors import SYSTEM
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.kit.uploads import Upload


def test_the_catalogue_marks_an_intake_as_open_while_it_takes_applications(world: World) -> None:
    offerings = [list(offerings_open(at)) for at in (NOW - timedelta(days=60), NOW, CLOSED)]
    assert offerings == [[], [{"offering_id": world.intake.offering_id}], []]


def test_a_round_offers_the_places_by_rank_and_puts_the_rest_on_the_waiting_list(world: World) -> None:
    first, second, third, fourth = world.ranked("Ana", "Beto", "Cira", "Dana")
    programmes.offer_places(world.intake, by=actor(world.carlos), now=CLOSED)
    assert [fresh(each).state for each in (first, second, third, fourth)] == ["offered", "offered", "waiting", "waiting"]
    assert free_places(world.intake) == 0


def test_a_place_that_is_declined_goes_to_the_best_ranked_who_waits(world: World) -> None:
    first, _second, third, fourth = world.ranked("Ana", "Beto", "Cira", "Dana")
    programmes.offer_places(world.intake, by=actor(world.carlos), now=CLOSED)
    work(CLOSED)
    programmes.decline(fresh(first), by=actor(world.people["Ana"]), now=CLOSED + timedelta(days=1))
    work(CLOSED + timedelta(days=1))
    assert [fresh(each).state for each in (first, third, fourth)] == ["declined", "offered", "waiting"]


def test_an_offer_that_nobody_answers_expires_and_goes_to_the_next(world: World) -> None:
    first, second, third = world.ranked("Ana", "Beto", "Cira")
    programmes.offer_places(world.intake, by=actor(world.carlos), now=CLOSED)
    work(CLOSED)
    programmes.accept(fresh(second), by=actor(world.people["Beto"]), now=CLOSED)
    late = CLOSED + timedelta(days=8)
    with clock.stopped_at(late):
        programmes.expire_offers.call()
    work(late)
    assert [fresh(each).state for each in (first, second, third)] == ["expired", "admitted", "offered"]
    with pytest.raises(Refused):
        programmes.accept(fresh(first), by=actor(world.people["Ana"]), now=late)


def test_the_same_number_is_never_given_to_two_students(world: World) -> None:
    assert [world.studying(name).number for name in ("Ana", "Beto")] == ["MDP-00001", "MDP-00002"]


def test_an_unverified_document_can_be_made_a_condition_and_a_failed_one_lets_the_offer_lapse(world: World) -> None:
    admission = world.applied("Ana", verified=False)
    with pytest.raises(Refused) as refusal:
        programmes.offer(admission, by=actor(world.carlos), now=CLOSED)
    assert [each.code for each in refusal.value.reasons] == ["document-unverified"]
    row = programmes.ConditionRow(text="The original", evidence="By post", due_on=date(2027, 2, 20), document="degree")
    programmes.offer(admission, by=actor(world.carlos), now=CLOSED, conditions=[row])
    programmes.accept(fresh(admission), by=actor(world.people["Ana"]), now=CLOSED)
    condition = fresh(admission).conditions.get()
    later = datetime(2027, 2, 22, 12, tzinfo=UTC)
    programmes.fail_condition(condition, by=actor(world.carlos), now=later, because="Nothing came.")
    assert (fresh(admission).state, fresh(admission).because, free_places(world.intake)) == ("lapsed", "Nothing came.", 2)


def test_a_waived_condition_admits_as_a_met_one_does(world: World) -> None:
    admission = world.applied("Ana")
    row = programmes.ConditionRow(text="A talk", evidence="Minutes", due_on=date(2027, 2, 20))
    programmes.offer(admission, by=actor(world.carlos), now=CLOSED, conditions=[row])
    programmes.accept(fresh(admission), by=actor(world.people["Ana"]), now=CLOSED)
    with pytest.raises(Invalid):
        programmes.waive_condition(fresh(admission).conditions.get(), by=actor(world.carlos), now=CLOSED, because=" ")
    programmes.waive_condition(fresh(admission).conditions.get(), by=actor(world.carlos), now=CLOSED, because="We know her.")
    assert (fresh(admission).state, Study.objects.filter(admission=admission).count()) == ("admitted", 1)


def test_nobody_of_the_office_decides_on_an_application_of_their_own(world: World) -> None:
    by = actor(world.carlos)
    admission = programmes.apply(world.intake, by=by, now=NOW)
    admission = programmes.describe(admission, by=by, now=NOW, prior_level="bachelor", prior_title="Law", prior_institution="x", prior_country="PT", prior_completed_on=date(2020, 1, 1))
    document = programmes.attach(admission, by=by, now=NOW, kind="degree", file=Upload.of("d.pdf", "application/pdf", b"%PDF"))
    for act in (
        lambda: programmes.verify_document(document, by=by, now=NOW, way="original"),
        lambda: programmes.refuse(programmes.submit(admission, by=by, now=NOW), by=by, now=CLOSED, because="No"),
    ):
        with pytest.raises(Refused) as refusal:
            act()
        assert "own-application" in [each.code for each in refusal.value.reasons]


@pytest.mark.parametrize(
    ("sent", "data", "kept"),
    [
        ("../../grades.html", b"%PDF-1.7", ("grades.html.pdf", "application/pdf")), ("run.bat", b"\x89PNG\r\n\x1a\nx", ("run.bat.png", "image/png")),
        ("award.jwt", b"eyJhbGciOiJFZERTQSJ9.e30.x", ("award.jwt", "text/plain")), ("page.pdf", b"MZ\x90\x00\x03\xff", None),
    ],
)  # fmt: skip
def test_a_document_is_named_and_typed_by_its_bytes(world: World, sent: str, data: bytes, kept: tuple[str, str] | None) -> None:
    admission = world.applied("Ana", verified=False)
    trying: Any = pytest.raises(Invalid) if kept is None else nullcontext()
    with trying as refusal:
        document = programmes.attach(admission, by=actor(world.people["Ana"]), now=NOW, kind="other", file=Upload.of(sent, "text/html", data))
    if kept is None:
        assert [each.code for each in refusal.value.reasons] == ["document-type"]
    else:
        assert (document.name, document.media_type) == kept


def test_a_file_that_is_no_credential_is_not_verified_by_signature(world: World) -> None:
    admission = world.applied("Ana", verified=False)
    document = admission.documents.get()
    assert document.signed == {}
    with pytest.raises(Refused) as refusal:
        programmes.verify_document(document, by=actor(world.carlos), now=NOW, way="credential")
    assert [each.code for each in refusal.value.reasons] == ["not-signed"]


def test_a_stranger_and_the_student_cannot_decide(world: World) -> None:
    admission = world.applied("Ana")
    with pytest.raises(NotAllowed):
        programmes.offer(admission, by=actor(world.people["Ana"]), now=CLOSED)


def test_a_cancelled_intake_refuses_who_waits_with_its_reason(world: World) -> None:
    admission = world.applied("Ana")
    programmes.cancel_intake(world.intake, by=actor(world.carlos), now=CLOSED, because="Too few applied.")
    assert (fresh(admission).state, fresh(admission).because, world.intake.offering.__class__.objects.get(pk=world.intake.offering_id).state) == ("refused", "Too few applied.", "withdrawn")


# Studies --------------------------------------------------------------------------------------------------------------


def take(world: World, study: Study, term: int, grades: dict[str, str], at: date) -> None:
    when = datetime(at.year, at.month, at.day, 12, tzinfo=UTC)
    enrolment = programmes.enrol_in_term(study, by=actor(study.student), now=when, term=world.terms[term].pk, modules=list(grades))
    by = actor(world.raul)
    rows = [row.model_copy(update={"grade": grades[row.module.partition(" ")[0]]}) for row in programmes.grade_rows(enrolment, by)]
    programmes.record_results(enrolment, by=by, now=datetime(world.terms[term].ends_on.year, world.terms[term].ends_on.month, world.terms[term].ends_on.day, 12, tzinfo=UTC), results=rows)


def test_a_result_is_corrected_only_with_a_reason_and_counts_at_once(world: World) -> None:
    study = world.studying("Ana")
    take(world, study, 0, {"A": "9"}, date(2027, 3, 1))
    enrolment, by = study.terms.get(), actor(world.raul)
    assert [(each.module, each.state) for each in attempts_of(study)] == [("A", "failed")]
    rows = [row.model_copy(update={"grade": "12"}) for row in programmes.grade_rows(enrolment, by)]
    with pytest.raises(Refused):
        programmes.record_results(enrolment, by=by, now=datetime(2027, 7, 5, tzinfo=UTC), results=rows)
    programmes.record_results(enrolment, by=by, now=datetime(2027, 7, 5, tzinfo=UTC), results=rows, because="A page was overlooked.")
    assert [(each.module, each.state) for each in attempts_of(Study.objects.get())] == [("A", "passed")]


def enrolled(world: World, study: Study) -> TermEnrolment:
    return programmes.enrol_in_term(study, by=actor(study.student), now=datetime(2027, 3, 1, 12, tzinfo=UTC), term=world.terms[0].pk, modules=["A"])


def begun_at(moment: datetime) -> str:
    """The state of the studies after the hourly look at this moment."""
    with clock.stopped_at(moment):
        programmes.begin_interruptions.call()
    return str(Study.objects.get().state)


def test_only_terms_that_are_not_over_are_offered_and_their_days_are_written_as_the_reader_does(world: World) -> None:
    study = world.studying("Ana")
    first = world.terms[0]
    for day, offered in ((first.ends_on, True), (first.ends_on + timedelta(days=1), False)):
        with clock.stopped_at(datetime.combine(day, time(12), UTC)), translation.override("es"):
            told = dict(studying.term_choices(study, actor(study.student)))
        assert (str(first.pk) in told, any("-" in label.partition("(")[2] for label in told.values())) == (offered, False)


def test_an_approved_interruption_begins_on_its_first_day_at_the_host(world: World) -> None:
    study = world.studying("Ana")
    enrolment = enrolled(world, study)
    at = datetime(2027, 3, 10, 12, tzinfo=UTC)
    asks = [actor(study.student), actor(world.carlos)]
    assert ["ask_interruption" in {act.verb for act in available(study, by)} for by in asks] == [True, True]
    pause = programmes.ask_interruption(study, by=actor(study.student), now=at, starts_on=date(2027, 4, 1), returns_on=date(2027, 12, 1), reason="work", because="A job.")
    assert ["ask_interruption" in {act.verb for act in available(Study.objects.get(), by)} for by in asks] == [False, False]
    programmes.approve_interruption(pause, by=actor(world.carlos), now=at)
    assert begun_at(datetime(2027, 3, 31, 22, 59, tzinfo=UTC)) == "active"  # 23:59 in Lisbon
    assert enrolment.attempts.get().state == "taking"
    assert begun_at(datetime(2027, 3, 31, 23, 1, tzinfo=UTC)) == begun_at(datetime(2027, 4, 2, tzinfo=UTC)) == "interrupted"
    assert enrolment.attempts.get().state == "dropped"


def test_an_interruption_that_has_begun_already_begins_when_it_is_approved(world: World) -> None:
    study = world.studying("Ana")
    at = datetime(2027, 4, 10, 12, tzinfo=UTC)
    pause = programmes.ask_interruption(study, by=actor(study.student), now=at, starts_on=date(2027, 4, 1), returns_on=date(2027, 12, 1), reason="work", because="A job.")
    programmes.approve_interruption(pause, by=actor(world.carlos), now=at)
    assert Study.objects.get().state == "interrupted"
    with pytest.raises(Refused) as refusal:
        programmes.call_off(pause, by=actor(study.student), now=at)
    assert [each.code for each in refusal.value.reasons] == ["begun"]


def test_an_interruption_is_called_off_before_it_begins_and_counts_no_day(world: World) -> None:
    study = world.studying("Ana")
    at = datetime(2027, 2, 10, 12, tzinfo=UTC)
    pause = programmes.ask_interruption(study, by=actor(study.student), now=at, starts_on=date(2027, 4, 1), returns_on=date(2027, 12, 1), reason="work", because="A job.")
    programmes.approve_interruption(pause, by=actor(world.carlos), now=at)
    with pytest.raises(Refused) as refusal:
        enrolled(world, study)
    assert [each.code for each in refusal.value.reasons] == ["pause-in-term"]
    programmes.call_off(pause, by=actor(study.student), now=at)
    assert (last_day_of(Study.objects.get()), begun_at(datetime(2027, 4, 2, tzinfo=UTC))) == (date(2029, 3, 1), "active")
    assert enrolled(world, study).attempts.get().state == "taking"


def test_an_interruption_moves_the_last_day_by_the_days_that_it_really_took(world: World) -> None:
    study = world.studying("Ana")
    assert last_day_of(study) == date(2029, 3, 1)
    at = datetime(2027, 3, 10, 12, tzinfo=UTC)
    pause = programmes.ask_interruption(study, by=actor(study.student), now=at, starts_on=date(2027, 4, 1), returns_on=date(2027, 12, 1), reason="work", because="A job.")
    programmes.approve_interruption(pause, by=actor(world.carlos), now=at)
    assert last_day_of(Study.objects.get()) == date(2029, 3, 1) + timedelta(days=244)
    begun_at(datetime(2027, 4, 1, 12, tzinfo=UTC))
    programmes.resume(Study.objects.get(), by=actor(study.student), now=datetime(2027, 4, 11, 12, tzinfo=UTC))
    assert (last_day_of(Study.objects.get()), Study.objects.get().state) == (date(2029, 3, 11), "active")


def test_the_institution_cannot_end_studies_without_a_ground(world: World) -> None:
    study = world.studying("Ana")
    with pytest.raises(Refused) as refusal:
        programmes.end(study, by=actor(world.raul), now=datetime(2027, 5, 1, tzinfo=UTC), because="We would like to.")
    assert [each.code for each in refusal.value.reasons] == ["no-ground"]
    programmes.end(study, by=actor(world.raul), now=datetime(2029, 3, 2, 12, tzinfo=UTC), because="The longest duration has passed.")
    assert Study.objects.get().state == "ended"


def test_a_module_that_was_taken_cannot_be_removed(world: World) -> None:
    study = world.studying("Ana")
    take(world, study, 0, {"A": "12"}, date(2027, 3, 1))
    with pytest.raises(Invalid) as refusal:
        programmes.arrange(
            world.programme, by=actor(world.carlos), now=NOW, groups=[programmes.ModuleGroupRow(code="C", title="Core")],
            modules=[programmes.ModuleRow(code="B", title="Two", credits="20", group="C")],
        )  # fmt: skip
    assert [each.code for each in refusal.value.reasons] == ["module-taken"]


def awarded(world: World) -> Conferral:
    study = world.studying("Ana")
    take(world, study, 0, {"A": "12"}, date(2027, 3, 1))
    take(world, study, 1, {"B": "18"}, date(2027, 9, 1))
    programmes.describe_award(world.programme, by=actor(world.carlos), now=NOW, status=SAID, access=SAID, outcomes=SAID, further_study=SAID, professional=SAID, national_system=SAID)
    conferral = programmes.award(Study.objects.get(), by=actor(world.raul), now=datetime(2028, 2, 1, 12, tzinfo=UTC))
    work(datetime(2028, 2, 1, 12, tzinfo=UTC))
    return conferral


def test_the_supplement_holds_every_number_of_the_model_and_its_fingerprint_stands_on_the_credential(world: World) -> None:
    from vsm.exchange.programmes.paper import is_intact
    from vsm.exchange.programmes.supplement import numbers

    conferral = awarded(world)
    assert sorted(conferral.supplement["items"]) == sorted(numbers())
    assert [(row["code"], row["grade"], row["credits"]) for row in conferral.supplement["results"]] == [("A", "12", "10"), ("B", "18", "10")]
    assert (conferral.average, is_intact(conferral)) == ("15.00", True)
    credential = Credential.objects.get(source_noun="conferral", source_id=UUID(str(conferral.pk)))
    assert (credential.state, conferral.digest in str(credential.award)) == ("issued", True)
    conferral.supplement["results"][0]["grade"] = "20"
    assert is_intact(conferral) is False


def test_a_withdrawn_award_revokes_its_credential_and_opens_the_studies_again(world: World) -> None:
    conferral = awarded(world)
    programmes.withdraw_conferral(conferral, by=actor(world.raul), now=datetime(2028, 3, 1, tzinfo=UTC), because="A grade was entered for another student.")
    assert (Conferral.objects.get().state, Study.objects.get().state, Credential.objects.get(source_noun="conferral").state) == ("withdrawn", "active", "revoked")
    assert progress(Study.objects.get(), date(2028, 3, 1)).is_complete


def test_results_stand_while_the_award_does(world: World) -> None:
    awarded(world)
    study = Study.objects.get()
    enrolment = study.terms.get(number=1)
    rows = [row.model_copy(update={"grade": "20"}) for row in programmes.grade_rows(enrolment, SYSTEM)]
    with pytest.raises(Refused) as refusal:
        programmes.record_results(enrolment, by=actor(world.raul), now=datetime(2028, 3, 1, tzinfo=UTC), results=rows, because="Better.")
    assert [each.code for each in refusal.value.reasons] == ["awarded"]
    assert Admission.objects.count() == 1

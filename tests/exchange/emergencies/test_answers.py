"""What a student may answer, when, and what each answer does; what several emergencies at once do; what a drill never does."""

from datetime import date, time, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.template.loader import render_to_string
from django.test import Client
from django.utils import translation

from tests.exchange.emergencies.given import NOW, World, accept, actor, cases, fresh, give_role, person, work
from tests.exchange.mobilities.given import LAW, STATISTICS
from vsm.exchange.agreements.models import Agreement
from vsm.exchange.catalogue.models import Meeting, Offering
from vsm.exchange.emergencies import actions, answering, runs
from vsm.exchange.emergencies.actions import PlaceRow
from vsm.exchange.emergencies.answering import Chosen
from vsm.exchange.emergencies.models import Case, Emergency, Hold, Return, Run, Switch
from vsm.exchange.emergencies.queries import exposure
from vsm.exchange.emergencies.states import CASE_STEPS, CaseState
from vsm.exchange.emergencies.texts import amended_of
from vsm.exchange.learning_agreements.actions import Line, draft_version
from vsm.exchange.learning_agreements.models import LearningAgreement, LearningAgreementVersion
from vsm.exchange.mobilities.actions import cancel, edit
from vsm.exchange.mobilities.queries import agreement_of
from vsm.exchange.sessions.models import Enrolment
from vsm.kit import clock
from vsm.kit.actions import TABLE
from vsm.kit.actors import ANONYMOUS
from vsm.kit.errors import Conflict, Invalid, NotAllowed, Refused
from vsm.kit.models import Job, Message
from vsm.web.student.emergencies import context

pytestmark = pytest.mark.django_db


def only(emergency: Emergency) -> Case:
    (case,) = cases(emergency)
    return case


def choose(case: Case, form: str, code: str = "DER102") -> Case:
    line = next(each for each in case.lines if each["code"] == code)
    return answering.choose(case, by=actor(case.student), now=NOW, choices=[Chosen(course=line["course"], form=form)])


@pytest.mark.parametrize("verb", list(CASE_STEPS))
def test_every_answer_follows_the_table_in_every_state(world: World, verb: str) -> None:
    world.mobility()
    case = only(world.proposed())
    text = amended_of(case)
    assert text is not None
    if verb == "finish_online":
        Emergency.objects.update(state="lifted", lifted_on=date(2026, 10, 1), return_on=date(2026, 10, 2))
    given: dict[str, Any] = {"choose": {"choices": []}, "accept": {"digest": text.digest}, "stay": {"have_read": True}, "check_in": {"answer": "safe"}}.get(verb, {})
    entry = TABLE["emergency_case", verb]
    for state in CaseState:
        beginning = transaction.savepoint()
        Case.objects.filter(pk=case.pk).update(state=state, consent="x")
        if state in CASE_STEPS[verb].before:
            entry.perform(fresh(case), by=actor(case.student), now=NOW, **given)
            assert (state, fresh(case).state) == (state, CASE_STEPS[verb].after or state)
        else:
            with pytest.raises(Refused):
                entry.perform(fresh(case), by=actor(case.student), now=NOW, **given)
        transaction.savepoint_rollback(beginning)


def test_nobody_answers_for_a_student_and_silence_is_no_consent(world: World) -> None:
    world.mobility()
    case = only(world.proposed())
    for verb, given in (("accept", {"digest": "x"}), ("defer", {}), ("stay", {"have_read": True}), ("choose", {"choices": []})):
        for who in ("bia", "carlos", "olga", "dora"):
            with pytest.raises(NotAllowed):
                TABLE["emergency_case", verb].perform(case, by=world.by(who), now=NOW, **given)
    runs.remind_due.call()
    late = NOW + timedelta(days=60)
    with pytest.raises(Refused, match="nothing-agreed"):
        actions.carry_out(case.emergency, by=world.by("olga"), now=late)
    assert (fresh(case).state, Switch.objects.count()) == ("proposed", 0)


def test_the_silent_are_reminded_once_before_the_day(world: World) -> None:
    world.mobility()
    emergency = world.proposed()
    for days in (1, 6, 6, 8):
        at = NOW + timedelta(days=days)
        with clock.stopped_at(at):
            runs.remind_due.call()
        work(at)
    assert Message.objects.filter(kind="emergency_reminded").count() == 1
    actions.remind(emergency, by=world.by("bia"), now=NOW + timedelta(days=9))
    work(NOW + timedelta(days=9))
    assert Message.objects.filter(kind="emergency_reminded").count() == 2


def test_a_consent_holds_for_the_text_that_was_read_and_for_no_other(world: World) -> None:
    agreement = world.signed(world.mobility())
    emergency = world.proposed()
    case = only(emergency)
    with pytest.raises(Conflict, match="text-changed"):
        answering.accept(case, by=actor(case.student), now=NOW, digest="0" * 64)
    case = accept(case)
    # Meanwhile home writes another version: what the student agreed to is not what would be written now.
    lines = [Line(offering=c.offering, home_code="NEW", home_title="New", home_credits="5") for c in agreement.version_in_force.text.components]  # type: ignore[union-attr, arg-type]
    draft_version(fresh(agreement), by=world.by("bia"), now=NOW, components=lines, because="Corrected.")
    actions.carry_out(emergency, by=world.by("olga"), now=NOW)
    work()
    assert (fresh(case).state, fresh(case).consent, Switch.objects.count()) == ("proposed", "", 0)
    assert Message.objects.filter(kind="emergency_outdated").count() == 1


def test_deferring_frees_the_seat_and_leaves_the_agreement_alone(world: World) -> None:
    agreement = world.signed(world.mobility())
    case = only(world.proposed())
    assert Hold.objects.filter(released_at=None).count() == 1
    answering.defer(case, by=actor(case.student), now=NOW, because="Next year.")
    work()
    assert (fresh(case).state, Hold.objects.filter(released_at=None).count(), fresh(agreement).current) == ("deferred", 0, 1)
    assert Message.objects.filter(kind="emergency_deferred", to=world.stays.bia.email).count() == 1


def test_staying_is_an_informed_decision(world: World) -> None:
    world.mobility()
    case = only(world.proposed())
    with pytest.raises(Invalid, match="not-read"):
        answering.stay(case, by=actor(case.student), now=NOW)
    assert answering.stay(case, by=actor(case.student), now=NOW, have_read=True).state == "staying"


def test_two_students_cannot_take_the_last_seat_of_an_equivalent(world: World) -> None:
    Offering.objects.filter(pk=world.equivalent.pk).update(seats=1)
    for name in ("Bruno", "Carla"):
        world.mobility(world.stays.student(name), courses=[LAW])
    bruno, carla = cases(world.proposed())
    forms = [bool(case.lines[0]["form"]) for case in (bruno, carla)]
    assert sorted(forms) == [False, True]
    without, holder = (bruno, carla) if not forms[0] else (carla, bruno)
    for case, told in ((without, "No seat is free now."), (holder, "A seat is held for you.")):
        client = Client(headers={"accept-language": "en"})
        client.force_login(case.student, backend="allauth.account.auth_backends.AuthenticationBackend")
        with clock.stopped_at(NOW):
            page = client.get(f"/emergency-cases/{case.pk}/choose/").content.decode()
            refused = client.post(f"/emergency-cases/{case.pk}/choose/", {f"form-{case.lines[0]['course']}": str(world.equivalent.pk)}) if case is without else None
        assert told in page
        if refused is not None:  # what was asked for stays chosen on the page, beside why it could not be
            assert (refused.status_code, f'value="{world.equivalent.pk}" checked' in refused.content.decode()) == (422, True)
    with pytest.raises(Invalid, match="no-seat"):
        choose(without, str(world.equivalent.pk))
    with pytest.raises(Refused, match="nothing-to-accept"):
        answering.accept(without, by=actor(without.student), now=NOW, digest="")


@pytest.mark.parametrize(("form", "code"), [("nonsense", "no-such-form"), ("here", "no-such-form")])
def test_only_a_form_of_the_course_can_be_chosen(world: World, form: str, code: str) -> None:
    world.mobility()
    with pytest.raises(Invalid, match=code):
        choose(only(world.proposed()), form)


def test_a_live_class_at_night_gives_way_to_the_asynchronous_one(world: World) -> None:
    """Who could not set out studies from home, eleven hours away: three in the afternoon there is two in the night here."""
    host = world.host
    type(host).objects.filter(pk=host.pk).update(country="PH", zone="Asia/Manila", city="Manila")
    Offering.objects.filter(pk__in=[world.online.pk, world.later.pk]).update(zone="Asia/Manila")
    Meeting.objects.filter(offering=world.online).update(starts=time(15), ends=time(16, 30))
    world.mobility(starts_on=date(2026, 9, 10), ends_on=date(2026, 12, 18), courses=[STATISTICS])
    emergency = world.proposed(places=[PlaceRow(country="PE")], directions=["leaving"])
    (line,) = only(emergency).lines
    assert (only(emergency).situations, line["form"], line["live_avoided"]) == (["cannot_leave"], str(world.later.pk), True)
    assert Run.objects.get(kind="propose").counts["asynchronous"] == 1
    assert "in the night for you, so it is proposed in your own time" in shown(only(emergency))


def shown(case: Case) -> str:
    with clock.stopped_at(NOW), translation.override("en"):
        return render_to_string("student/emergencies/part.html", context(case, actor(case.student)))


def test_a_course_that_has_only_night_classes_left_says_that_nothing_is_proposed_until_somebody_has_chosen(world: World) -> None:
    Offering.objects.filter(pk__in=[world.online.pk, world.later.pk]).update(zone="Asia/Manila", mode="synchronous")
    Offering.objects.filter(pk=world.later.pk).update(state="withdrawn")
    Offering.objects.filter(pk=world.equivalent.pk).update(state="withdrawn")
    type(world.host).objects.filter(pk=world.host.pk).update(country="PH", zone="Asia/Manila", city="Manila")
    Meeting.objects.filter(offering=world.online).update(starts=time(15), ends=time(16, 30))
    world.mobility(starts_on=date(2026, 9, 10), ends_on=date(2026, 12, 18), courses=[STATISTICS])
    emergency = world.proposed(places=[PlaceRow(country="PE")], directions=["leaving"])
    (line,) = only(emergency).lines
    assert (line["form"], line["live_avoided"]) == ("", True)
    assert "in the night for you and nothing else is found yet" in shown(only(emergency))
    verbs = {verb for (noun, verb), action in TABLE.items() if noun == "emergency_case" and action.possible(only(emergency))}
    assert ("accept" in verbs, "choose" in verbs) == (False, True), "there is no text yet to which one could agree"
    choose(only(emergency), answering.KEEP, line["code"])
    assert "Left as it is, as chosen." in shown(fresh(only(emergency)))


@pytest.mark.parametrize(("state", "told"), [("deferred", "You have deferred your stay"), ("staying", "You go on in person"), ("finishing", "You finish online")])
def test_what_somebody_has_decided_stands_on_their_page(world: World, state: str, told: str) -> None:
    world.mobility()
    case = only(world.proposed())
    assert told not in shown(case)
    Case.objects.filter(pk=case.pk).update(state=state)
    assert told in shown(fresh(case))
    assert "First of all: are you safe?" in shown(fresh(case))
    Case.objects.filter(pk=case.pk).update(state="returned")
    assert "First of all: are you safe?" not in shown(fresh(case))  # nobody is asked any more when it is over


def test_overlapping_declarations_look_after_each_stay_once_and_hand_it_over(world: World) -> None:
    world.signed(world.mobility())
    first = world.switched()
    second = world.declared(title={"en": "Strike"}, places=[PlaceRow(institution=world.host.pk)])
    assert only(second).state == "covered"
    days = exposure([first, second], NOW.date())
    assert [(each.concerned, each.online) for each in days] == [(1, 0)]
    at = NOW + timedelta(days=20)
    actions.lift(first, by=world.by("olga"), now=at, on=at.date(), return_on=at.date())
    work(at)
    actions.bring_back(fresh(first), by=world.by("olga"), now=at)
    work(at)
    assert (only(first).state, only(second).state, Return.objects.count()) == ("finishing", "switched", 0)
    later = at + timedelta(days=5)
    actions.lift(fresh(second), by=world.by("olga"), now=later, on=later.date(), return_on=later.date())
    work(later)
    actions.bring_back(fresh(second), by=world.by("olga"), now=later)
    work(later)
    assert (only(second).state, Return.objects.count()) == ("returned", 2)


def test_a_stay_recorded_late_is_found_and_a_cancelled_one_is_let_go(world: World) -> None:
    emergency = world.declared()
    assert cases(emergency) == []
    late = world.mobility()
    work()
    assert only(emergency).state == "found"
    cancel(late, by=world.by("bia"), now=NOW, because="Ill.")
    work()
    assert only(emergency).state == "released"


def test_a_stay_whose_days_are_corrected_is_judged_anew(world: World) -> None:
    stay = world.mobility()
    emergency = world.declared()
    edit(stay, by=world.by("bia"), now=NOW, country="AR", city="Mendoza", starts_on=stay.starts_on, ends_on=stay.ends_on)
    work()
    assert only(emergency).state == "released"
    assert [each.concerned for each in exposure([emergency], NOW.date())] == [0]


def test_an_institution_speaks_for_its_own_and_a_network_for_its_members(world: World) -> None:
    world.mobility()
    facts = {"title": {"en": "Strike"}, "kind": "conflict", "places": [PlaceRow(country="CL")], "directions": ["being"], "starts_on": NOW.date()}
    by_host = actions.declare_emergency(world.host, by=world.by("carlos"), now=NOW, **facts)
    with pytest.raises(NotAllowed):
        actions.declare(by_host, by=world.by("bia"), now=NOW)
    network = type(world.host)(kind="network", name={"en": "Network"}, schac="net.example", country="UY", zone="America/Montevideo")
    network.save()
    nora = person("Nora")
    give_role(nora, network, "coordinator")
    by_network = actions.declare_emergency(network, by=actor(nora), now=NOW, **facts)
    actions.declare(by_network, by=actor(nora), now=NOW)
    work()
    assert cases(by_network) == []
    Agreement(code="N", first=network, second=world.home, state="signed", starts_on=date(2026, 1, 1), ends_on=date(2028, 1, 1), levels=["bachelor"]).save()
    actions.find_again(fresh(by_network), by=actor(nora), now=NOW)
    work()
    assert len(cases(by_network)) == 1
    assert {each.pk for each in Emergency.objects.visible_to(ANONYMOUS)} == {by_network.pk}


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"places": []}, "no-place"),
        ({"places": [PlaceRow(country="CL", region="Atlantis")]}, "unknown-place"),
        ({"ends_on": date(2026, 1, 1)}, "dates-reversed"),
        ({"respond_days": 0}, "respond-days"),
    ],
)
def test_a_wrong_draft_is_told_clearly(world: World, facts: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid, match=code):
        world.drafted(**facts)


def test_what_has_not_begun_is_withdrawn_and_not_lifted(world: World) -> None:
    world.mobility()
    emergency = world.declared(starts_on=NOW.date() + timedelta(days=10))
    with pytest.raises(Refused, match="lifted-before-start"):
        actions.lift(emergency, by=world.by("olga"), now=NOW, on=NOW.date())
    actions.withdraw(emergency, by=world.by("olga"), now=NOW)
    work()
    assert (only(emergency).state, fresh(emergency).state, exposure([fresh(emergency)], NOW.date())) == ("released", "withdrawn", [])


# The drill --------------------------------------------------------------------------------------------------------------


def test_a_drill_runs_it_all_and_touches_nobody(world: World) -> None:
    """The leak that could be: letters, versions, enrolments, what students see, what is counted."""
    agreement = world.signed(world.mobility())
    world.signed(world.mobility(world.stays.student("Bruno")))
    Message.objects.all().delete()
    Job.objects.all().delete()
    before = (LearningAgreementVersion.objects.count(), fresh(agreement).version)
    emergency = world.proposed(is_drill=True)
    actions.let_answer(emergency, by=world.by("olga"), now=NOW, seed=1)
    actions.carry_out(fresh(emergency), by=world.by("olga"), now=NOW)
    work()
    assert {case.state for case in cases(emergency)} == {"switched"}
    at = NOW + timedelta(days=3)
    actions.lift(fresh(emergency), by=world.by("olga"), now=at, on=at.date(), return_on=at.date())
    work(at)
    actions.bring_back(fresh(emergency), by=world.by("olga"), now=at)
    work(at)
    assert {case.state for case in cases(emergency)} == {"returned"}
    assert (Message.objects.count(), Enrolment.objects.count(), Hold.objects.count()) == (0, 0, 0)
    assert (LearningAgreementVersion.objects.count(), fresh(agreement).version) == before
    assert {switch.agreement_version for switch in Switch.objects.all()} == {0}
    assert sum(run.counts.get("letters_withheld", 0) for run in Run.objects.all()) == 10
    ana = actor(world.stays.ana)
    assert [model.objects.visible_to(ana).count() for model in (Case, Emergency, Switch)] == [0, 0, 0]
    assert [model.objects.visible_to(ANONYMOUS).count() for model in (Case, Emergency, Switch)] == [0, 0, 0]
    assert [Case.objects.in_earnest().count(), Switch.objects.in_earnest().count()] == [0, 0]
    # The control: the same steps in earnest do leave traces, so the counts above could have seen a leak.
    real = world.switched(title={"en": "Real"})
    assert (Message.objects.count() > 0, Enrolment.objects.count(), LearningAgreement.objects.get(pk=agreement.pk).current) == (True, 4, 2)
    assert len(cases(real)) == 2


def test_only_a_drill_answers_for_students(world: World) -> None:
    world.mobility()
    with pytest.raises(Refused, match="not-a-drill"):
        actions.let_answer(world.proposed(), by=world.by("olga"), now=NOW)


def test_a_course_without_agreement_is_left_as_it_is(world: World) -> None:
    mobility = world.mobility(courses=[])
    assert agreement_of(mobility) is None
    case = only(world.proposed())
    assert (case.state, case.lines) == ("proposed", [])

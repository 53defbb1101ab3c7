"""From the declaration to the return: who is found, what is proposed and consented to, what is written, and credit that never changes."""

from datetime import date, timedelta

import pytest

from tests.exchange.emergencies.given import NOW, World, accept, actor, cases, fresh, work
from vsm.exchange.emergencies import actions, answering
from vsm.exchange.emergencies.finding import preview
from vsm.exchange.emergencies.models import Case, CoursePlan, Hold, Return, Run, Switch
from vsm.exchange.emergencies.queries import exposure
from vsm.exchange.learning_agreements.models import LearningAgreement
from vsm.exchange.learning_agreements.online import promises
from vsm.exchange.learning_agreements.rules import Content
from vsm.exchange.sessions.models import Enrolment
from vsm.kit import audit
from vsm.kit.actions import TABLE
from vsm.kit.models import Message

pytestmark = pytest.mark.django_db


def agreement_of(case: Case) -> LearningAgreement:
    return LearningAgreement.objects.get(mobility_id=case.mobility_id)


def text(agreement: LearningAgreement, number: int) -> Content:
    version = agreement.version_numbered(number)
    assert version is not None
    return version.text


def test_the_preview_counts_and_changes_nothing(world: World) -> None:
    for name in ("Bruno", "Carla"):
        world.mobility(world.stays.student(name))
    found = preview(world.drafted())
    assert (found.students, found.courses, found.homes, found.hosts, found.situations, found.without_nationality) == (2, 2, 1, 1, {"there": 2}, 2)
    assert (Case.objects.count(), Message.objects.count()) == (0, 0)


def test_a_declaration_finds_everybody_asks_how_they_are_and_plans_each_course(world: World) -> None:
    world.mobility()
    emergency = world.declared()
    (case,) = cases(emergency)
    assert (case.state, case.situations, case.urgency, case.affected_from) == ("found", ["there"], 1, NOW.date())
    plans = {plan.code: plan for plan in CoursePlan.objects.filter(emergency=emergency)}
    assert {code: (plan.students, plan.readiness) for code, plan in plans.items()} == {"EST101": (1, "ready"), "DER102": (1, "asked")}
    assert [(each["kind"], each["code"]) for each in plans["EST101"].alternatives] == [("online", "EST101"), ("asynchronous", "EST101")]
    assert [(each["kind"], each["code"], each["seats"]) for each in plans["DER102"].alternatives] == [("equivalent", "LAW-2", 2)]
    letters = {(m.kind, m.to) for m in Message.objects.all()}
    assert letters == {
        ("emergency_found", world.stays.ana.email), ("emergency_declared", world.stays.bia.email), ("emergency_declared", world.stays.carlos.email),
    }  # fmt: skip


def test_the_proposal_changes_nothing_until_the_student_agrees(world: World) -> None:
    agreement = world.signed(world.mobility())
    (case,) = cases(world.proposed())
    assert (case.state, [(line["code"], bool(line["form"])) for line in case.lines], case.is_endorsed) == ("proposed", [("DER102", True), ("EST101", True)], True)
    assert (fresh(agreement).current, fresh(agreement).state, Switch.objects.count(), Enrolment.objects.count()) == (1, "signed", 0, 0)
    assert Hold.objects.get().offering == world.equivalent


def test_consent_makes_a_version_with_the_same_credits_and_enrols_online(world: World) -> None:
    agreement = world.signed(world.mobility())
    world.switched()
    agreement = fresh(agreement)
    assert (agreement.current, agreement.signed_version, agreement.state, agreement.waiting_for) == (2, 1, "signing", "host")
    before, after = text(agreement, 1), text(agreement, 2)
    assert promises(after) == promises(before)
    assert [(c.code, c.is_virtual, c.credits, c.home_credits) for c in before.components] == [("DER102", False, "4", "3"), ("EST101", False, "6", "4")]
    assert [(c.code, c.is_virtual, c.credits, c.home_credits) for c in after.components] == [("LAW-2", True, "4", "3"), ("EST101", True, "6", "4")]
    assert after.follows == agreement.version_numbered(1).digest  # type: ignore[union-attr]
    assert {(e.offering, e.state) for e in Enrolment.objects.all()} == {(world.online, "enrolled"), (world.equivalent, "enrolled")}
    assert {(s.code, s.online_code, s.credits, s.home_credits, s.agreement_version, s.starts_on) for s in Switch.objects.all()} == {
        ("DER102", "LAW-2", "4", "3", 2, date(2026, 9, 8)), ("EST101", "EST101", "6", "4", 2, date(2026, 9, 8)),
    }  # fmt: skip
    assert Hold.objects.filter(released_at=None).count() == 0
    assert audit.verify() == []


def test_partners_are_told_once_and_sign_together(world: World) -> None:
    for name in ("Bruno", "Carla"):
        world.signed(world.mobility(world.stays.student(name)))
    emergency = world.switched()
    told = [(m.kind, m.to) for m in Message.objects.filter(kind__startswith="emergency_partner").order_by("to")]
    assert told == [("emergency_partner_online", world.stays.bia.email), ("emergency_partner_online", world.stays.carlos.email)]
    verb = TABLE["emergency", "countersign"]
    assert verb.waits_for
    assert [verb.waits_for(emergency, world.by(name)) for name in ("bia", "carlos")] == [False, True]  # proposing signed for home
    actions.countersign(emergency, by=world.by("carlos"), now=NOW + timedelta(days=2))
    work(NOW + timedelta(days=2))
    assert [(a.state, a.signed_version, a.waiting_for) for a in LearningAgreement.objects.all()] == [("signed", 2, ""), ("signed", 2, "")]
    run = Run.objects.get(kind="countersign")
    assert (run.state, run.counts["complete"]) == ("done", 2)


def test_lifting_releases_who_has_not_decided_and_brings_the_others_back_without_overwriting(world: World) -> None:
    agreement = world.signed(world.mobility())
    world.signed(world.mobility(world.stays.student("Bruno")))
    emergency = world.proposed()
    ana, bruno = cases(emergency)
    accept(ana)
    later = NOW + timedelta(days=1)
    actions.carry_out(emergency, by=world.by("olga"), now=later)
    work(later)
    at = NOW + timedelta(days=40)
    emergency = actions.lift(emergency, by=world.by("olga"), now=at, on=at.date(), return_on=at.date() + timedelta(days=3))
    work(at)
    assert [fresh(case).state for case in (ana, bruno)] == ["switched", "released"]
    assert {m.kind for m in Message.objects.filter(person_id=bruno.student_id, created_at=at)} == {"emergency_released"}
    actions.bring_back(emergency, by=world.by("olga"), now=at)
    work(at)
    agreement = fresh(agreement)
    assert (fresh(ana).state, agreement.current, agreement.signed_version, agreement.waiting_for) == ("returned", 3, 1, "student home host")
    first, third = text(agreement, 1), text(agreement, 3)
    assert third.components == first.components
    assert promises(text(agreement, 2)) == promises(first)
    assert [(s.code, s.ended.on) for s in Switch.objects.order_by("code")] == [("DER102", date(2026, 10, 20)), ("EST101", date(2026, 10, 20))]
    assert {e.state for e in Enrolment.objects.all()} == {"dropped"}
    assert audit.verify() == []


def test_exposure_is_counted_by_day_from_the_declaration_to_the_return(world: World) -> None:
    world.signed(world.mobility())
    emergency = world.switched()
    at = NOW + timedelta(days=10)
    emergency = actions.lift(emergency, by=world.by("olga"), now=at, on=at.date(), return_on=at.date() + timedelta(days=2))
    work(at)
    actions.bring_back(emergency, by=world.by("olga"), now=at)
    work(at)
    days = exposure([fresh(emergency)], at.date() + timedelta(days=30))
    assert [(each.concerned, each.online) for each in days] == [(1, 0), *[(1, 1)] * 9, (0, 1), (0, 1), (0, 0)]


def test_who_finishes_online_is_not_brought_back(world: World) -> None:
    agreement = world.signed(world.mobility())
    emergency = world.switched()
    (case,) = cases(emergency)
    at = NOW + timedelta(days=40)
    emergency = actions.lift(emergency, by=world.by("olga"), now=at, on=at.date())
    answering.finish_online(fresh(case), by=actor(case.student), now=at)
    work(at)
    assert (fresh(case).state, Return.objects.count(), fresh(agreement).current) == ("finishing", 0, 2)

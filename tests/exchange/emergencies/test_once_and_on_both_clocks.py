"""Whom two emergencies find is asked once; meetings are told on two clocks; a history says what a run did."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from tests.exchange.emergencies.given import NOW, World, cases, fresh, work
from vsm.exchange.emergencies import actions
from vsm.exchange.emergencies.actions import PlaceRow
from vsm.exchange.emergencies.models import Case, Run
from vsm.exchange.people.models import Person
from vsm.kit import clock
from vsm.kit.models import Message

pytestmark = pytest.mark.django_db


def text_of(who: Person, path: str) -> str:
    client = Client(headers={"accept-language": "en"})
    client.force_login(who, backend="allauth.account.auth_backends.AuthenticationBackend")
    with clock.stopped_at(NOW + timedelta(hours=1)):
        return client.get(path).content.decode()


def test_who_is_asked_in_one_emergency_is_not_asked_again_by_another_that_had_found_them_too(world: World) -> None:
    world.signed(world.mobility())
    first = world.declared()
    second = world.declared(title={"en": "Strike"}, places=[PlaceRow(institution=world.host.pk)])
    assert [cases(each)[0].state for each in (first, second)] == ["found", "found"]
    for each in (first, second):
        actions.propose(fresh(each), by=world.by("olga"), now=NOW)
        work(NOW)
    assert [cases(each)[0].state for each in (first, second)] == ["proposed", "covered"]
    assert Run.objects.get(kind="propose", emergency=second).counts == {"covered": 1}
    assert Message.objects.filter(kind="emergency_proposed").count() == 1


def test_meetings_are_told_on_the_clock_lived_by_and_on_the_readers(world: World) -> None:
    world.signed(world.mobility())
    emergency = world.proposed()
    (case,) = cases(emergency)
    plan = emergency.plans.get(code="EST101")
    # 10:00 in Santiago on 10 August 2026 (UTC−4) is 09:00 in Lima.
    for who, path in ((world.stays.ana, f"/emergency-cases/{case.pk}/"), (world.stays.ana, f"/emergency-cases/{case.pk}/choose/"), (world.stays.bia, f"/course-plans/{plan.pk}/")):
        page = text_of(who, path)
        assert ["Tuesday 10:00–11:30 (America/Santiago)" in page, "On your clock: Tuesday 09:00–10:30 (America/Lima)" in page] == [True, True], path


def test_the_history_of_a_case_says_what_a_run_did(world: World) -> None:
    world.mobility()
    (case,) = cases(world.proposed())
    history = text_of(world.olga, f"/emergency-cases/{case.pk}/history/")
    assert ("Propose to the students" in history, "for signature" in history) == (True, False)


def test_a_program_reads_the_runs_of_one_emergency(world: World) -> None:
    world.signed(world.mobility())
    first = world.proposed()
    world.declared(title={"en": "Strike"}, places=[PlaceRow(institution=world.host.pk)])
    kinds = [run["kind"] for run in json.loads(text_of(world.olga, f"/api/v1/switch-runs?emergency={first.pk}"))["items"]]
    assert sorted(kinds) == ["find", "propose"]


def test_a_proposal_for_days_that_are_over_looks_after_nobody(world: World) -> None:
    world.signed(world.mobility())
    first = world.proposed()
    day = NOW.date()
    for begins, state in ((day + timedelta(days=3), "covered"), (day + timedelta(days=20), "found")):
        Case.objects.filter(emergency=first).update(affected_until=day + timedelta(days=10))
        later = world.declared(title={"en": "Strike"}, places=[PlaceRow(institution=world.host.pk)], starts_on=begins, ends_on=None)
        assert cases(later)[0].state == state


@pytest.mark.parametrize(("is_drill", "state"), [(True, "found"), (False, "covered")])
def test_a_rehearsal_that_was_never_lifted_does_not_stand_in_the_way_of_the_next(world: World, is_drill: bool, state: str) -> None:
    world.signed(world.mobility())
    day = NOW.date()
    Case.objects.filter(emergency=world.proposed(is_drill=is_drill)).update(state="switched", affected_until=day + timedelta(days=10))
    later = world.declared(title={"en": "Strike"}, places=[PlaceRow(institution=world.host.pk)], starts_on=day + timedelta(days=20), ends_on=None, is_drill=is_drill)
    assert cases(later)[0].state == state

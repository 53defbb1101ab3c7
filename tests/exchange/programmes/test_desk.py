"""What the desk tells an applicant and a student of a programme."""

from datetime import UTC, date, datetime, timedelta

from django.test import Client
from django.utils.html import strip_tags

from tests.exchange.programmes.given import CLOSED, World, actor, fresh
from vsm.exchange.people.models import Person
from vsm.exchange.programmes import actions as programmes
from vsm.exchange.programmes import studying
from vsm.kit import clock
from vsm.kit.actors import SYSTEM

DUE = date(2027, 2, 20)


def desk_of(who: Person, at: datetime) -> str:
    return page_of(who, "/desk/", at)


def page_of(who: Person, address: str, at: datetime) -> str:
    here = Client()
    here.force_login(who, backend="allauth.account.auth_backends.AuthenticationBackend")
    with clock.stopped_at(at):
        return " ".join(strip_tags(here.get(address).content.decode()).split())


def test_an_accepted_offer_tells_until_when_its_condition_has_to_be_met(world: World) -> None:
    ana, = world.ranked("Ana")
    asked = programmes.ConditionRow(text="Degree", evidence="Copy", due_on=DUE)
    programmes.offer(ana, by=actor(world.carlos), now=CLOSED, conditions=[asked])
    programmes.accept(fresh(ana), by=actor(world.people["Ana"]), now=CLOSED)
    assert "by 20 Feb 2027" in desk_of(world.people["Ana"], CLOSED + timedelta(days=1))
    assert "A condition that is not met by its day can end the offer." in page_of(world.people["Ana"], f"/admissions/{ana.pk}/", CLOSED)
    assert "late, was due 20 Feb 2027" in desk_of(world.people["Ana"], datetime(2027, 2, 22, 12, tzinfo=UTC))


def test_an_end_that_others_brought_about_stays_on_the_applicants_desk(world: World) -> None:
    ana, beto = world.ranked("Ana", "Beto")
    asked = programmes.ConditionRow(text="Degree", evidence="Copy", due_on=DUE)
    programmes.offer(ana, by=actor(world.carlos), now=CLOSED, conditions=[asked])
    programmes.accept(fresh(ana), by=actor(world.people["Ana"]), now=CLOSED)
    late = datetime(2027, 2, 22, 12, tzinfo=UTC)
    condition, = fresh(ana).conditions.all()
    programmes.fail_condition(condition, by=actor(world.carlos), now=late, because="Nothing arrived.")
    assert "A condition was not met" in desk_of(world.people["Ana"], late)
    programmes.offer(fresh(beto), by=SYSTEM, now=CLOSED)
    programmes.expire(fresh(beto), by=SYSTEM, now=late)
    assert "Offer expired" in desk_of(world.people["Beto"], late)


def test_a_term_to_come_is_told_to_begin_and_one_that_runs_to_end(world: World) -> None:
    study = world.studying("Ana")
    studying.enrol_in_term(study, by=actor(world.people["Ana"]), now=CLOSED, term=world.terms[0].pk, modules=["A"])
    assert "Term I begins on 1 Mar 2027: Data" in desk_of(world.people["Ana"], CLOSED)
    running = desk_of(world.people["Ana"], datetime(2027, 3, 2, tzinfo=UTC))
    assert "Term I: Data" in running
    assert "by 1 Jul 2027" in running

"""The records that people work with feed the pooled counts, of institutions that agree and of no others."""

from collections.abc import Callable

import pytest
from django.test import Client

from vsm.demo import World
from vsm.exchange.allocation import policies
from vsm.exchange.allocation.models import Declaration
from vsm.exchange.catalogue.categories import all_categories
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.queries import actor_of
from vsm.exchange.statistics import actions, gathering
from vsm.exchange.statistics.models import PoolingConsent
from vsm.exchange.statistics.queries import POOLING_CONSENT, label_of, pooled
from vsm.exchange.statistics.rules import breakdowns
from vsm.kit import audit
from vsm.kit.actors import ANONYMOUS
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.kit.models import Job


def everybody() -> frozenset[str]:
    return frozenset(str(pk) for pk in Organisation.objects.values_list("pk", flat=True))


def test_every_category_is_counted_and_every_breakdown_holds_everybody_once() -> None:
    units = gathering.begun(everybody())
    assert {unit.facts["category"] for unit in units} == {category.slug for category in all_categories()}
    assert len({(unit.person, unit.year, unit.facts["category"]) for unit in units}) == len(units)
    for name, values in breakdowns().items():
        if not name.startswith("group."):
            assert {unit.facts[name] for unit in units} <= set(values), name
            assert all(label_of(name, value, "es") for value in values)


def test_without_consent_nothing_of_an_institution_is_counted(world: World) -> None:
    counted, homes = gathering.begun(gathering.consenting()), {key: str(each.pk) for key, each in world.organisations.items()}
    left_out = {homes["ria"], homes["bahia"]}
    assert {unit.home for unit in counted} & left_out == set()
    assert [unit for unit in gathering.begun(everybody()) if unit.home in left_out], "nobody there could have been left out"
    assert {unit.home for units in gathering.said(gathering.consenting()).values() for unit in units} & left_out == set()
    PoolingConsent.objects.all().delete()
    assert (pooled().cells, pooled().institutions) == ((), 0)


def test_an_office_gives_and_withdraws_for_its_own_institution_alone_and_the_history_keeps_both(world: World) -> None:
    ria, bia = world.organisations["ria"], actor_of(world.people["bia"], world.now)
    with pytest.raises(NotAllowed):
        actions.give(ria, by=bia, now=world.now, agrees=True)
    own = PoolingConsent.objects.get(organisation=world.organisations["andina"])
    with pytest.raises(Refused, match="already"):
        actions.give(world.organisations["andina"], by=bia, now=world.now, agrees=True)
    before = len(gathering.begun(gathering.consenting()))
    actions.withdraw(own, by=bia, now=world.now, because="We look at it again.")
    assert len(gathering.begun(gathering.consenting())) < before
    with pytest.raises(Invalid, match="your word"):
        actions.give_again(PoolingConsent.objects.get(pk=own.pk), by=bia, now=world.now)
    actions.give_again(PoolingConsent.objects.get(pk=own.pk), by=bia, now=world.now, agrees=True)
    assert len(gathering.begun(gathering.consenting())) == before
    assert sorted(entry.verb for entry in audit.history([("pooling_consent", own.pk)])) == ["give_again", "pool_counts", "withdraw"]
    assert Job.objects.filter(path__endswith="take_again", state="ready").exists(), "the present vintage is to be replaced"


def test_who_takes_back_what_they_said_is_counted_no_more(world: World) -> None:
    before = {(slug, unit.person) for slug, units in gathering.said(everybody()).items() for unit in units}
    declaration = Declaration.objects.filter(for_statistics=True).select_related("application__student").order_by("pk")[0]
    student = declaration.application.student
    assert ("rural", str(student.pk)) in before
    policies.take_back(declaration, by=actor_of(student, world.now), now=world.now)
    after = {(slug, unit.person) for slug, units in gathering.said(everybody()).items() for unit in units}
    assert before - after == {(slug, person) for slug, person in before if person == str(student.pk)}


def test_who_takes_part_is_public_and_who_withdrew_is_not(world: World) -> None:
    shown = {str(consent.organisation_id) for consent in POOLING_CONSENT.visible_to(ANONYMOUS)}
    assert shown == {*gathering.consenting()}
    assert str(world.organisations["bahia"].pk) not in shown


def test_the_old_address_leads_to_the_observatory(signed_in: Callable[[str], Client]) -> None:
    answers = [signed_in("").get(f"/statistics{ending}?year=2026") for ending in ("/", ".csv", ".json")]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(301, f"/observatory/exchange{ending}?year=2026") for ending in ("/", ".csv", ".json")]

"""What was achieved outside a transcript is certified by the same signer, once for each source, and verified alike."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from tests.exchange.credentials.given import NOW, World, work
from vsm.exchange.credentials.actions import certify, withdraw_award
from vsm.exchange.credentials.awards import Award
from vsm.exchange.credentials.models import Credential
from vsm.exchange.credentials.queries import CREDENTIAL, verdict_on
from vsm.exchange.people.queries import actor_of
from vsm.kit.actions import _one_transaction
from vsm.kit.errors import Invalid
from vsm.kit.signing import read_jwt
from vsm.standards.open_badges.read import read

pytestmark = pytest.mark.django_db

SOURCE = ("placement", UUID("01a2099d-ec77-7066-a973-4454fbdcb130"))
AWARD = Award(
    source=SOURCE, kind="Certificate", title={"es": "Prácticas virtuales", "en": "Virtual placement"},
    description={"es": "Doce semanas de trabajo.", "en": "Twelve weeks of work."}, criteria={"es": "Cumplir 240 horas.", "en": "Work 240 hours."},
    language="es", started=date(2027, 3, 1), ended=date(2027, 6, 1), credits=Decimal("8.5"), credit_system="ects", hours=Decimal(240),
    results=(({"en": "Evaluation", "es": "Evaluación"}, "very good"),), isced_f="0413",
)  # fmt: skip


def given_by(world: World, award: Award = AWARD) -> Credential:
    with _one_transaction():
        credential = certify(world.host, by=world.ines, now=NOW, person=world.ana, award=award, home=world.home)
    work()
    credential.refresh_from_db()
    return credential


def test_its_credential_says_what_the_award_says_and_verifies(world: World) -> None:
    credential = given_by(world)
    assert (credential.state, verdict_on(credential.token.encode(), now=NOW).ok) == ("issued", True)
    told = read(read_jwt(credential.token)[1])
    achievement = told.achievement
    assert (achievement.name, achievement.type, achievement.criteria, achievement.language) == (
        "Prácticas virtuales", "Certificate", "Cumplir 240 horas.", "es",
    )  # fmt: skip
    assert [(each.name, given.value) for each, given in zip(achievement.results, told.results, strict=True)] == [
        ("Evaluación", "very good"), ("Sistema Europeo de Transferencia y Acumulación de Créditos (ECTS)", "8.5"), ("Horas de trabajo", "240"),
    ]  # fmt: skip
    assert (told.credits_earned, [each.name for each in achievement.editions]) == (8.5, ["Virtual placement"])
    assert (told.started and told.started.date(), told.ended and told.ended.date()) == (date(2027, 3, 1), date(2027, 6, 1))


def test_certifying_again_gives_the_one_in_force_and_a_correction_replaces_it(world: World) -> None:
    first = given_by(world)
    assert given_by(world).pk == first.pk
    second = given_by(world, replace(AWARD, hours=Decimal(200)))
    first.refresh_from_db()
    assert (first.state, second.state, second.pk != first.pk) == ("revoked", "issued", True)
    assert not verdict_on(first.token.encode(), now=NOW).ok


def test_what_is_withdrawn_before_it_is_signed_is_never_signed(world: World) -> None:
    with _one_transaction():
        credential = certify(world.host, by=world.ines, now=NOW, person=world.ana, award=AWARD)
        assert withdraw_award(*SOURCE, by=world.ines, now=NOW, because="It ended early.") == 1
    work()
    credential.refresh_from_db()
    assert (credential.state, credential.token) == ("revoked", "")


def test_whose_it_is_and_the_offices_of_issuer_and_home_see_it_and_nobody_else(world: World) -> None:
    credential = given_by(world)
    seen = {
        name: CREDENTIAL.visible_to(actor_of(person, NOW)).filter(pk=credential.pk).exists()
        for name, person in {**world.people, "ana": world.ana}.items()
    }
    assert seen == {"ana": True, "ines": True, "carlos": True, "rosa": True, "dora": False}


def test_an_award_that_cannot_be_told_is_refused_with_every_reason(world: World) -> None:
    empty = replace(AWARD, kind="Trophy", title={}, ended=date(2027, 2, 1), credit_system="")
    with pytest.raises(Invalid) as refused:
        given_by(world, empty)
    assert sorted(reason.code for reason in refused.value.reasons) == ["credits-wrong", "ends-before-start", "kind-unknown", "text-missing"]


def test_it_is_kept_as_json_without_loss() -> None:
    assert Award.from_json(AWARD.as_json()) == AWARD

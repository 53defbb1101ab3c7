"""Wishes, invitations and fairs as acts: both must want it, once, in time."""

from datetime import timedelta
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from tests.exchange.collaborations.given import NOW, World, actor, fresh
from vsm.exchange.collaborations import actions
from vsm.exchange.collaborations.models import Exchange, PartnerFair, PartnerInvitation, PartnerWish
from vsm.exchange.collaborations.queries import matches_of
from vsm.exchange.people.models import Person
from vsm.kit import clock
from vsm.kit.actors import ANONYMOUS
from vsm.kit.errors import Invalid, NotAllowed, Refused
from vsm.web.instructor.collaborations import fair_part

pytestmark = pytest.mark.django_db


def codes(refused: Any) -> list[str]:
    return [reason.code for reason in refused.value.reasons]


def test_a_wish_is_seen_by_those_who_work_at_an_institution_and_only_once_published(world: World) -> None:
    wish = world.wish(world.pilar, world.bogota, publish=False)
    assert not PartnerWish.objects.visible_to(actor(world.remy)).exists()
    actions.publish_wish(wish, by=actor(world.pilar), now=NOW)
    assert [PartnerWish.objects.visible_to(actor(who)).count() for who in (world.remy, world.dora, world.office)] == [1, 1, 1]
    assert not PartnerWish.objects.visible_to(ANONYMOUS).exists()


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"weeks": 30}, "weeks"), ({"isced_f": "999"}, "isced-f"), ({"zone": "Mars/Base"}, "zone"), ({"languages": []}, "languages"),
        ({"weeks_off": ["easter"]}, "weeks-off"), ({"class_size": 0}, "range"), ({"title": {}}, "title"),
    ],
)  # fmt: skip
def test_a_wish_that_cannot_be_is_refused_with_its_reason(world: World, facts: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        world.wish(world.pilar, world.bogota, **facts)
    assert code in codes(refused)


def test_a_stranger_writes_no_wish_for_an_institution(world: World) -> None:
    with pytest.raises(NotAllowed):
        world.wish(world.remy, world.bogota)


def test_the_best_fit_comes_first_and_one_that_cannot_be_not_at_all(world: World) -> None:
    mine = world.wish(world.pilar, world.bogota)
    near = world.wish(world.remy, world.lyon)
    far = world.wish(world.dora, world.manila, isced_f="011", class_size=60)
    world.wish(world.dora, world.manila, starts_on=NOW.date() + timedelta(days=300), ends_on=NOW.date() + timedelta(days=400))
    assert [other for other, _match in matches_of(mine, NOW.date())] == [near, far]


def test_both_must_want_it_and_an_exchange_opens(world: World) -> None:
    invitation = world.invitation()
    with pytest.raises(NotAllowed):
        actions.accept(invitation, by=actor(world.pilar), now=NOW)
    exchange = actions.accept(invitation, by=actor(world.remy), now=NOW)
    assert (exchange.first_teacher, exchange.second_teacher, exchange.state) == (world.pilar, world.remy, "planning")
    assert fresh(invitation).state == "accepted"
    assert {fresh(invitation.wish).state, fresh(invitation.partner).state} == {"matched"}


def test_who_finds_a_partner_answers_every_other_invitation_by_it(world: World) -> None:
    invitation = world.invitation()
    other = world.wish(world.dora, world.manila)
    overtaken = actions.invite(other, by=actor(world.dora), now=NOW, partner=invitation.partner_id)
    actions.accept(invitation, by=actor(world.remy), now=NOW)
    assert fresh(overtaken).state == "superseded"
    with pytest.raises(Refused):
        actions.accept(overtaken, by=actor(world.remy), now=NOW)
    assert Exchange.objects.count() == 1


def test_a_matched_wish_cannot_be_invited_and_nobody_is_asked_twice(world: World) -> None:
    invitation = world.invitation()
    with pytest.raises(Refused) as refused:
        actions.invite(invitation.partner, by=actor(world.remy), now=NOW, partner=invitation.wish_id)
    assert codes(refused) == ["already-open"]
    actions.accept(invitation, by=actor(world.remy), now=NOW)
    third = world.wish(world.dora, world.manila)
    with pytest.raises(Refused) as refused:
        actions.invite(third, by=actor(world.dora), now=NOW, partner=invitation.wish_id)
    assert codes(refused) == ["not-looking"]


def test_declining_needs_a_reason_and_leaves_both_looking(world: World) -> None:
    invitation = world.invitation()
    with pytest.raises(Invalid):
        actions.decline(invitation, by=actor(world.remy), now=NOW, because=" ")
    actions.decline(invitation, by=actor(world.remy), now=NOW, because="Our term is full.")
    assert (fresh(invitation).state, fresh(invitation.partner).state) == ("declined", "published")


def test_an_unanswered_invitation_expires_and_can_no_longer_be_accepted(world: World) -> None:
    invitation = world.invitation()
    with pytest.raises(Refused) as refused:
        actions.accept(invitation, by=actor(world.remy), now=invitation.respond_by)
    assert codes(refused) == ["too-late"]
    with clock.stopped_at(invitation.respond_by):
        actions.expire_invitations.call()
    assert fresh(invitation).state == "expired"


def test_closing_a_wish_answers_what_waits(world: World) -> None:
    invitation = world.invitation()
    actions.close_wish(invitation.wish, by=actor(world.pilar), now=NOW)
    assert fresh(invitation).state == "superseded"


def test_an_invitation_is_nobody_elses_business(world: World) -> None:
    world.invitation()
    seen = [PartnerInvitation.objects.visible_to(actor(who)).count() for who in (world.pilar, world.remy, world.office, world.dora)]
    assert seen == [1, 1, 1, 0]


def fair_of(world: World) -> PartnerFair:
    return actions.open_fair(world.bogota, by=actor(world.office), now=NOW, title={"en": "Fair"}, closes_at=NOW + timedelta(days=7))


def page_of(fair: PartnerFair, reader: Person) -> str:
    with translation.override("en"):
        return render_to_string("instructor/collaborations/fair.html", fair_part(PartnerFair.objects.get(pk=fair.pk), actor(reader)))


def test_a_fair_proposes_by_ranks_and_announces_invitations_that_bind_nobody(world: World) -> None:
    fair = fair_of(world)
    wishes = [world.wish(teacher, where) for teacher, where in ((world.pilar, world.bogota), (world.remy, world.lyon), (world.dora, world.manila))]
    entries = [actions.join_fair(wish, by=actor(wish.teacher), now=NOW, fair=fair.pk) for wish in wishes]
    actions.rank(entries[0], by=actor(world.pilar), now=NOW, choices=[wishes[2].pk])
    actions.rank(entries[2], by=actor(world.dora), now=NOW, choices=[wishes[0].pk])
    fair = actions.propose_pairs(fair, by=actor(world.office), now=NOW, seed="three rivers")
    assert ([set(pair["wishes"]) for pair in fair.outcome["pairs"]], fair.outcome["alone"], fair.outcome["is_stable"]) == ([{str(wishes[0].pk), str(wishes[2].pk)}], [str(wishes[1].pk)], True)
    again = actions.propose_pairs(fair, by=actor(world.office), now=NOW, seed="three rivers")
    assert again.outcome == fair.outcome
    assert "looks at the proposed pairs" in page_of(fair, world.pilar)
    actions.announce(fair, by=actor(world.office), now=NOW)
    sent = PartnerInvitation.objects.get()
    told = page_of(fair, world.pilar)
    assert (f"/partner-invitations/{sent.pk}/" in told, "On your list it has place 1; your wish has place 1 on theirs." in told) == (True, True)
    assert "No partner was left for your wish." in page_of(fair, world.remy)
    assert "What is proposed to you" not in page_of(fair, world.office)
    assert ({sent.wish_id, sent.partner_id}, sent.state) == ({wishes[0].pk, wishes[2].pk}, "sent")


def test_ranks_are_for_the_fairs_office_alone(world: World) -> None:
    fair = fair_of(world)
    entry = actions.join_fair(world.wish(world.remy, world.lyon), by=actor(world.remy), now=NOW, fair=fair.pk)
    seen = [type(entry).objects.visible_to(actor(who)).count() for who in (world.remy, world.office, world.pilar)]
    assert seen == [1, 1, 0]


def test_after_a_fair_has_closed_nobody_joins_or_ranks(world: World) -> None:
    fair = fair_of(world)
    wish = world.wish(world.remy, world.lyon)
    entry = actions.join_fair(wish, by=actor(world.remy), now=NOW, fair=fair.pk)
    late = NOW + timedelta(days=8)
    with pytest.raises(Refused):
        actions.join_fair(world.wish(world.dora, world.manila), by=actor(world.dora), now=late, fair=fair.pk)
    with pytest.raises(Refused):
        actions.rank(entry, by=actor(world.remy), now=late, choices=[])

"""Teams as records: previewed, published, joined, left, moved, re-balanced; nobody vanishes, nobody sees too much."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from tests.exchange.teams import given
from tests.exchange.teams.given import (
    NOW,
    World,
    actor,
    by_name,
    classroom,
    enrol,
    fresh,
    member,
    names,
    published,
    team_of,
)
from vsm.exchange.sessions.actions import drop
from vsm.exchange.sessions.models import Availability, Enrolment
from vsm.exchange.teams import actions
from vsm.exchange.teams.actions import (
    PairRow,
    compute,
    discard,
    form_teams,
    give_role,
    join_late,
    leave,
    move,
    publish,
    rebalance,
    rename,
)
from vsm.exchange.teams.facts import participants
from vsm.exchange.teams.models import Frozen, Team, TeamFormation, TeamMembership
from vsm.exchange.teams.queries import members_of, proposed, published_formation, teams_of, why_missed
from vsm.exchange.teams.rules import Asked
from vsm.kit.actions import available
from vsm.kit.actors import SYSTEM
from vsm.kit.errors import Invalid, NotAllowed, NotFound, Refused
from vsm.kit.jobs import drain
from vsm.kit.models import Message

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=7)


def offered(formation: TeamFormation, world: World) -> list[str]:
    return [act.verb for act in available(fresh(formation), actor(world.teacher))]


def letters_to(kind: str) -> list[str]:
    return sorted(Message.objects.filter(kind=kind).values_list("to", flat=True))


def test_a_preview_is_told_to_nobody_and_published_teams_to_everybody(world: World) -> None:
    offering = classroom(world)
    formation = form_teams(offering, by=actor(world.teacher), now=NOW, size=3)
    drain()
    assert (formation.state, formation.is_proved, formation.rules_missed) == ("preview", True, 0)
    assert [Team.objects.count(), letters_to("team_joined")] == [0, []]
    publish(formation, by=actor(world.teacher), now=NOW)
    drain()
    assert [len(team) for team in names(formation)] == [3, 3]
    assert len(letters_to("team_joined")) == 6
    for team in teams_of("offering", offering.pk):
        assert len({member.person.zone for member in members_of(team)}) == 2
        assert [reason[0] for reason in team.told][:2] == ["languages", "countries"]


def test_the_same_seed_gives_the_same_preview_and_its_seed_is_told(world: World) -> None:
    offering = classroom(world)
    one, other = (form_teams(offering, by=actor(world.carlos), now=NOW, size=3, seed="one seed") for _ in range(2))
    assert (one.seed, one.problem_digest, one.frozen.teams) == (other.seed, other.problem_digest, other.frozen.teams)


def test_hours_that_people_declared_are_met_and_told_to_the_team(world: World) -> None:
    offering = classroom(world)
    evening, morning = "0" * 17 + "111" + "0" * 148, "0" * 8 + "11" + "0" * 158
    for name in ("Luis", "Mara", "Zoe"):
        # Six in the evening in Lima is eight in São Paulo.
        shifted = evening if name != "Zoe" else "0" * 19 + "111" + "0" * 146
        Availability(person=by_name(name), zone=by_name(name).zone, hours=shifted).save()
    for name in ("Nico", "Yara"):
        Availability(person=by_name(name), zone="America/Lima", hours=morning).save()
    formation = published(world, offering, hours=2, hours_weight="must")
    assert names(formation) == [["Luis", "Mara", "Zoe"], ["Nico", "Xico", "Yara"]] or names(formation) == [["Nico", "Xico", "Yara"], ["Luis", "Mara", "Zoe"]]
    assert team_of(formation, "Luis").windows == [22, 23, 24]
    assert team_of(formation, "Nico").windows == [13, 14]


def test_pairs_are_kept(world: World) -> None:
    offering = classroom(world)
    ids = {name: str(by_name(name).pk) for name in ("Luis", "Mara", "Nico")}
    pairs = [PairRow(first=ids["Luis"], second=ids["Mara"]), PairRow(first=ids["Luis"], second=ids["Nico"], how="apart")]
    formation = published(world, offering, pairs=pairs)
    assert team_of(formation, "Luis") == team_of(formation, "Mara") != team_of(formation, "Nico")


def test_who_is_asked_for_together_and_apart_is_told_by_name(world: World) -> None:
    offering = classroom(world)
    luis, mara = (str(by_name(name).pk) for name in ("Luis", "Mara"))
    with pytest.raises(Invalid) as refused:
        form_teams(offering, by=actor(world.teacher), now=NOW, size=3, pairs=[PairRow(first=luis, second=mara), PairRow(first=luis, second=mara, how="apart")])
    assert [(reason.code, {reason.params["first"], reason.params["second"]}) for reason in refused.value.reasons] == [("pair-torn", {"Luis", "Mara"})]


def test_a_rule_that_no_teams_can_keep_is_refused_with_names_and_what_to_loosen(world: World) -> None:
    offering = classroom(world, ("Luis", "Mara", "Nico", "Olga"))
    pairs = [PairRow(first=str(by_name("Luis").pk), second=str(by_name(name).pk), how="apart") for name in ("Mara", "Nico", "Olga")]
    with pytest.raises(Refused) as refused:
        form_teams(offering, by=actor(world.teacher), now=NOW, size=2, pairs=pairs)
    assert [(reason.code, reason.params.get("id")) for reason in refused.value.reasons] == [("impossible-apart", "Luis"), ("impossible-mixed", None)]
    assert TeamFormation.objects.count() == 0


def test_a_rule_that_is_missed_after_some_left_is_told_and_published_only_when_accepted(world: World) -> None:
    offering = classroom(world)
    formation = published(world, offering)
    for name in ("Xico", "Yara", "Zoe"):
        drop(Enrolment.objects.get(student__name=name), by=actor(by_name(name)), now=NOW)
    drain()
    change = rebalance(fresh(formation), by=actor(world.teacher), now=NOW, because="Three left.")
    assert [reason.code for reason in why_missed(change)] == ["impossible-mixed", "missed-countries"]
    with pytest.raises(Refused) as caught:
        publish(change, by=actor(world.teacher), now=NOW)
    assert [reason.code for reason in caught.value.reasons] == ["rules-missed"]
    assert publish(change, by=actor(world.teacher), now=NOW, accept_missed=True).state == "published"


def test_a_preview_that_is_no_longer_true_is_not_published(world: World) -> None:
    offering = classroom(world)
    formation = form_teams(offering, by=actor(world.teacher), now=NOW, size=3)
    enrol(world, offering, "Olga")
    with pytest.raises(Refused) as caught:
        publish(formation, by=actor(world.teacher), now=NOW)
    assert [reason.code for reason in caught.value.reasons] == ["preview-outdated"]
    assert discard(formation, by=actor(world.teacher), now=NOW).state == "discarded"


def test_who_comes_late_joins_the_team_that_suits_and_nobody_moves(world: World) -> None:
    offering = classroom(world)
    formation = published(world, offering)
    before = names(formation)
    assert "join_late" not in offered(formation, world)  # everybody who takes part is in a team
    late = enrol(world, offering, "Olga").student
    assert "join_late" in offered(formation, world)
    join_late(formation, by=actor(world.teacher), now=LATER, person=late.pk)
    assert "join_late" not in offered(formation, world)
    after = names(formation)
    assert sorted(len(team) for team in after) == [3, 4]
    assert [[name for name in team if name != "Olga"] for team in after] == before
    with pytest.raises(Invalid) as caught:
        join_late(formation, by=actor(world.teacher), now=LATER, person=late.pk)
    assert [reason.code for reason in caught.value.reasons] == ["already-in-team"]
    with pytest.raises(Invalid) as caught:
        join_late(formation, by=actor(world.teacher), now=LATER, person=world.dora.pk)
    assert [reason.code for reason in caught.value.reasons] == ["not-taking-part"]


def test_who_leaves_the_course_leaves_the_team_and_a_rebalancing_moves_as_few_as_it_must(world: World) -> None:
    offering = classroom(world)
    formation = published(world, offering)
    abroad = [name for name in ("Zoe", "Yara", "Xico") if team_of(formation, name) == team_of(formation, "Luis")]
    for name in abroad:  # now Luis' team is of one country
        drop(offering.enrolments.get(student__name=name), by=actor(by_name(name)), now=NOW)
    drain()
    assert all(TeamMembership.objects.get(person__name=name).why_left == "The course was left." for name in abroad)
    change = rebalance(formation, by=actor(world.teacher), now=LATER, because="Two have left.")
    assert (change.previous, change.state, change.rules_missed) == (formation, "preview", 0)
    assert change.moved == 1
    moved = [name for team in proposed(change) for name in team.arrived]
    before = {each.person.name: each.team for each in TeamMembership.objects.filter(formation=formation, left_at=None)}
    publish(change, by=actor(world.teacher), now=LATER)
    after = {each.person.name: each.team for each in TeamMembership.objects.filter(formation=formation, left_at=None)}
    assert [name for name in after if after[name] != before[name]] == moved
    assert {each.why_joined for each in TeamMembership.objects.filter(formation=formation, joined_at=LATER)} == {"Two have left."}


def test_moving_by_hand_needs_a_reason_and_leaves_a_trace(world: World) -> None:
    formation = published(world, classroom(world))
    luis = member(formation, "Luis")
    other = Team.objects.filter(formation=formation).exclude(pk=luis.team_id).get()
    with pytest.raises(Invalid) as caught:
        move(luis, by=actor(world.teacher), now=LATER, team=other.pk, because=" ")
    assert [reason.code for reason in caught.value.reasons] == ["because"]
    move(luis, by=actor(world.teacher), now=LATER, team=other.pk, because="He asked for it.")
    assert member(formation, "Luis").team == other
    assert (fresh(luis).left_at, fresh(luis).why_left) == (LATER, "He asked for it.")
    with pytest.raises(Refused):
        leave(luis, by=actor(world.teacher), now=LATER, because="again")


def test_the_database_lets_nobody_be_in_two_teams(world: World) -> None:
    formation = published(world, classroom(world))
    luis = member(formation, "Luis")
    other = Team.objects.filter(formation=formation).exclude(pk=luis.team_id).get()
    with pytest.raises(IntegrityError), transaction.atomic():
        TeamMembership(formation=formation, team=other, person=luis.person, joined_at=NOW).save()


def test_members_see_their_team_and_mates_offices_and_teachers_all_strangers_nothing(world: World) -> None:
    formation = published(world, classroom(world))
    luis, mine = by_name("Luis"), team_of(formation, "Luis")
    assert list(Team.objects.visible_to(actor(luis))) == [mine]
    mates = set(mine.memberships.values_list("pk", flat=True))
    assert set(TeamMembership.objects.visible_to(actor(luis)).values_list("pk", flat=True)) == mates
    assert list(TeamFormation.objects.visible_to(actor(luis))) == []
    for who in (world.teacher, world.carlos):
        assert Team.objects.visible_to(actor(who)).count() == 2
        assert TeamFormation.objects.visible_to(actor(who)).get() == formation
    for who in (world.dora, world.bia):
        assert not Team.objects.visible_to(actor(who)).exists()
        with pytest.raises(NotFound):
            TeamFormation.objects.seen_by(actor(who), formation.pk)


@pytest.mark.parametrize("act", [
    lambda formation, by: rebalance(formation, by=by, now=LATER, because="x"),
    lambda formation, by: move(member(formation, "Luis"), by=by, now=LATER, team=team_of(formation, "Zoe").pk, because="x"),
    lambda formation, by: join_late(formation, by=by, now=LATER, person=by_name("Luis").pk),
    lambda formation, by: leave(member(formation, "Mara"), by=by, now=LATER, because="x"),
])  # fmt: skip
def test_members_change_nothing_but_their_own(world: World, act: Callable[[TeamFormation, Any], object]) -> None:
    formation = published(world, classroom(world))
    with pytest.raises(NotAllowed):
        act(formation, actor(by_name("Luis")))


def test_a_team_names_itself_and_gives_roles(world: World) -> None:
    formation = published(world, classroom(world))
    luis, team = by_name("Luis"), team_of(formation, "Luis")
    assert rename(team, by=actor(luis), now=LATER, name=" The Condors ").name == "The Condors"
    mate = next(each for each in members_of(team) if each.person != luis)
    assert give_role(mate, by=actor(luis), now=LATER, role="keeps time").role == "keeps time"
    other = Team.objects.filter(formation=formation).exclude(pk=team.pk).get()
    with pytest.raises(Invalid):
        rename(other, by=actor(world.teacher), now=LATER, name="The Condors")
    assert leave(member(formation, "Luis"), by=actor(luis), now=LATER, because="I travel.").left_at == LATER


def test_another_course_teacher_may_not_form_teams_here(world: World) -> None:
    other = given.person("Eva")
    given.give_role(other, world.host, "instructor")
    with pytest.raises(NotAllowed):
        form_teams(classroom(world), by=actor(other), now=NOW)


def test_a_large_class_is_computed_by_the_worker_with_its_progress(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "AT_ONCE", 3)
    offering = classroom(world)
    formation = form_teams(offering, by=actor(world.teacher), now=NOW, size=3)
    assert (formation.state, formation.progress) == ("computing", 0)
    drain()
    assert (fresh(formation).state, fresh(formation).progress) == ("preview", 100)
    before = Frozen.objects.get(formation=formation).teams
    compute.call(formation_id=str(formation.pk))  # delivered twice: nothing happens
    assert Frozen.objects.get(formation=formation).teams == before


def test_new_teams_of_the_same_course_end_the_older_ones(world: World) -> None:
    offering = classroom(world)
    first = published(world, offering)
    second = published(world, offering, seed="another")
    assert list(teams_of("offering", offering.pk)) == list(Team.objects.filter(formation=second))
    assert not TeamMembership.objects.filter(formation=first, left_at=None).exists()
    assert published_formation("offering", offering.pk) == second


def test_a_higher_slice_forms_teams_of_any_people_and_tells_what_it_knows_of_them(world: World) -> None:
    classroom(world)
    people = [by_name(name) for name in ("Luis", "Mara", "Zoe", "Yara")]
    gender = {each.pk: {"gender": "woman" if each.name in ("Mara", "Zoe") else "man"} for each in people}
    facts = participants(people, now=NOW, groups=gender)
    asked = Asked(2, language="no", countries=2, protect=("gender",))
    made = actions.begin(
        world.host, by=SYSTEM, now=NOW, owner_noun="collaboration", owner_id=world.call.pk, title={"en": "COIL"}, people=facts,
        asked=asked, leaders=[world.teacher], seed="s",
    )  # fmt: skip
    publish(made, by=actor(world.teacher), now=NOW)
    assert {frozenset(team) for team in names(made)} == {frozenset({"Mara", "Zoe"}), frozenset({"Luis", "Yara"})}
    shown = str([team.told for team in teams_of("collaboration", world.call.pk)])
    assert "woman" not in shown
    assert "gender" not in shown

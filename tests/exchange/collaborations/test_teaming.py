"""Mixed teams by the engine: both classes in each, explained, and few moves after somebody left."""

from datetime import date, time
from typing import Any

import pytest

from tests.exchange.collaborations.given import NOW, World, actor, at, fresh, of_code, plan
from vsm.exchange.collaborations import actions
from vsm.exchange.collaborations.actions import PhaseRow
from vsm.exchange.collaborations.models import Exchange
from vsm.exchange.sessions.models import Participant as Attendee
from vsm.exchange.sessions.models import Series
from vsm.kit import clock
from vsm.kit.actions import available
from vsm.kit.errors import Refused
from vsm.kit.jobs import drain
from vsm.kit.models import Job, Message

pytestmark = pytest.mark.django_db
START = date(2027, 2, 15)


def formed(world: World, first: int = 8, second: int = 8, **facts: Any) -> Exchange:
    return actions.form_teams(world.gathered(first, second), by=actor(world.pilar), now=NOW, **{"size": 4, "seed": "rivers", **facts})


def teams(exchange: Exchange) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for code, number in exchange.participants.filter(state="active").values_list("code", "team__number"):
        found.setdefault(number, set()).add(code)
    return found


def test_every_team_has_both_classes_and_says_why_it_is_as_it_is(world: World) -> None:
    exchange = formed(world)
    assert sorted(map(len, teams(exchange).values())) == [4, 4, 4, 4]
    assert {len({code[:2] for code in members}) for members in teams(exchange).values()} == {2}
    assert all(team.told for team in exchange.teams.all())


def test_the_same_seed_gives_the_same_teams(world: World) -> None:
    exchange = formed(world)
    before = set(map(frozenset, teams(exchange).values()))
    actions.form_teams(exchange, by=actor(world.remy), now=NOW, size=4, seed="rivers")
    assert set(map(frozenset, teams(exchange).values())) == before


def test_rules_that_cannot_be_met_are_refused_with_what_to_loosen(world: World) -> None:
    with pytest.raises(Refused) as refused:
        formed(world, 9, 1)
    assert refused.value.reasons


def test_after_some_have_left_few_move_and_only_they_are_written_to(world: World) -> None:
    with clock.stopped_at(at(START)):
        exchange = formed(world)
        exchange = actions.start(exchange, by=actor(world.pilar), now=at(START))
        drain()
    before = dict(exchange.participants.values_list("code", "team__number"))
    alone = min(teams(exchange).values(), key=sorted)
    gone = sorted(code for code in alone if code.startswith("CO"))
    with clock.stopped_at(at(START, 15)):
        for code in gone:
            each = of_code(exchange, code)
            actions.leave(each, by=actor(each.person), now=at(START, 15))
        drain()
        Message.objects.all().delete()
        actions.rebalance(exchange, by=actor(world.remy), now=at(START, 15), size=4)
        drain()
    after = dict(exchange.participants.filter(state="active").values_list("code", "team__number"))
    moved = {code for code, number in after.items() if before[code] != number}
    assert {len({code[:2] for code in members}) for members in teams(exchange).values()} == {2}
    assert 1 <= len(moved) <= 2
    assert (fresh(exchange).moved, fresh(exchange).balanced_at) == (len(moved), at(START, 15))
    assert set(Message.objects.filter(kind="team_changed").values_list("to", flat=True)) == {of_code(exchange, code).person.email for code in moved}


def test_teams_that_have_handed_in_are_not_formed_anew(world: World) -> None:
    exchange = actions.start(formed(world), by=actor(world.pilar), now=at(START))
    ana = of_code(exchange, "CO-01")
    actions.hand_in(exchange.tasks.get(key="T2"), by=actor(ana.person), now=at(START), text="x")
    with pytest.raises(Refused) as refused:
        actions.form_teams(exchange, by=actor(world.pilar), now=at(START), size=4)
    assert [reason.code for reason in refused.value.reasons] == ["work-begun"]


def test_live_meetings_follow_who_takes_part(world: World) -> None:
    with clock.stopped_at(NOW):
        exchange = formed(world)
        action = actions.meeting.plan_meetings
        begin = {name: actions.meeting._best(name)(exchange, actor(world.pilar)) for name in ("weekday", "starts")}
        # Bogotá 07–12 and Lyon 13–18 meet from 13:00 in Paris before the change of clocks.
        assert (begin["weekday"], f"{begin['starts']:%H:%M}") == (1, "13:00")
        series = action(exchange, by=actor(world.pilar), now=NOW, minutes=60, join_url="https://meet.example/x", **begin)
        drain()
        assert (series.owner_noun, series.owner_id, series.sessions.count()) == ("exchange", exchange.pk, 9)
        assert Attendee.objects.filter(series=series, left_at=None).count() == 18
        ana = of_code(exchange, "CO-01")
        actions.leave(ana, by=actor(ana.person), now=NOW)
        drain()
        assert Attendee.objects.filter(series=series, left_at=None).count() == 17
    assert "plan_meetings" not in [entry.verb for entry in available(fresh(exchange), actor(world.pilar))]
    with pytest.raises(Refused):
        action(exchange, by=actor(world.pilar), now=NOW, **begin)
    assert (Series.objects.count(), list(Job.objects.filter(state="dead").values_list("path", "error"))) == (1, [])


def met(series: Series) -> list[str]:
    return [each.wall_starts[:10] for each in series.sessions.filter(state="scheduled").order_by("starts_at")]


def test_a_plan_that_ends_earlier_and_an_exchange_that_ends_leave_no_meeting_behind(world: World) -> None:
    with clock.stopped_at(NOW):
        exchange = formed(world)
        series = actions.meeting.plan_meetings(exchange, by=actor(world.pilar), now=NOW, weekday=1, starts=time(13))
        assert (met(series)[0], met(series)[-1], len(met(series))) == ("2027-02-16", "2027-04-13", 9)
        days = {"icebreaker": (START, date(2027, 2, 21)), "collaboration": (date(2027, 2, 22), date(2027, 3, 14)), "reflection": (date(2027, 3, 15), date(2027, 3, 21))}
        phases = [PhaseRow.model_validate({"phase": phase, "starts_on": first, "ends_on": last}) for phase, (first, last) in days.items()]
        tasks = [task.model_copy(update={"due_on": days[task.phase][1]}) for task in plan()["tasks"]]
        shorter = actions.present_plan(world.drafted(fresh(exchange), phases=phases, tasks=tasks), by=actor(world.pilar), now=NOW)
        for teacher in (world.pilar, world.remy):
            shorter = actions.sign_plan(fresh(shorter), by=actor(teacher), now=NOW, digest=fresh(shorter).current_version.digest)
        assert (met(series)[-1], len(met(series))) == ("2027-03-16", 5)
        drain()
        assert Message.objects.filter(kind="series_changed").count() == 18
        actions.cancel(fresh(exchange), by=actor(world.remy), now=NOW, because="Too few students.")
        assert (met(series), fresh(series).state) == ([], "cancelled")


def test_a_teacher_puts_people_into_teams_by_hand_and_each_team_is_explained(world: World) -> None:
    exchange = world.gathered(2, 2)
    for code, team in (("CO-01", 1), ("FR-01", 1), ("CO-02", 2), ("FR-02", 2)):
        numbers = {each.number: str(each.pk) for each in exchange.teams.all()}
        actions.assign_team(of_code(exchange, code), by=actor(world.remy), now=NOW, team=numbers.get(team, "new"))
    assert teams(exchange) == {1: {"CO-01", "FR-01"}, 2: {"CO-02", "FR-02"}}
    assert all(team.told for team in exchange.teams.all())
    first = str(exchange.teams.get(number=1).pk)
    for code in ("CO-02", "FR-02"):
        actions.assign_team(of_code(exchange, code), by=actor(world.pilar), now=NOW, team=first, because="One team is enough.")
    assert list(exchange.teams.values_list("number", flat=True)) == [1]

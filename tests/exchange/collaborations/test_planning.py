"""The plan in versions: bound signatures, changes while it runs, tasks that keep what was handed in."""

from datetime import date
from typing import Any

import pytest

from tests.exchange.collaborations.given import NOW, World, actor, fresh, plan
from vsm.exchange.collaborations import actions
from vsm.exchange.collaborations.actions import TaskRow
from vsm.exchange.collaborations.models import Exchange, PlanSignature
from vsm.kit.actions import available
from vsm.kit.errors import Conflict, Invalid, NotAllowed, Refused

pytestmark = pytest.mark.django_db


def sign(exchange: Exchange, who: Any, digest: str = "") -> Exchange:
    return actions.sign_plan(exchange, by=actor(who), now=NOW, digest=digest or fresh(exchange).current_version.digest)


def test_both_teachers_sign_one_text_and_it_comes_into_force(world: World) -> None:
    exchange = actions.present_plan(world.drafted(), by=actor(world.remy), now=NOW)
    assert (exchange.state, exchange.waiting_for) == ("signing", "first second")
    exchange = sign(exchange, world.remy)
    assert exchange.waiting_for == "first"
    assert ["sign_plan" in [entry.verb for entry in available(exchange, actor(who))] for who in (world.remy, world.pilar)] == [False, True]
    exchange = sign(exchange, world.pilar)
    assert (exchange.state, exchange.signed_version, exchange.waiting_for) == ("agreed", 1, "")
    assert (exchange.starts_on, exchange.ends_on, exchange.zone, exchange.title["es"]) == (date(2027, 2, 15), date(2027, 4, 18), "Europe/Paris", "Ciudades y agua")
    assert fresh(exchange).version_in_force.is_intact


def test_due_times_are_kept_on_the_plans_wall_through_the_change_of_clocks(world: World) -> None:
    due = {task.key: task.due_at.isoformat() for task in world.agreed().tasks.all()}
    # 23:59 in Paris is 22:59 UTC before 28 March 2027 and 21:59 UTC after it.
    assert due == {"T1": "2027-02-22T22:59:00+00:00", "T2": "2027-03-15T22:59:00+00:00", "T3": "2027-04-02T21:59:00+00:00", "T4": "2027-04-16T21:59:00+00:00"}


def test_a_signature_is_bound_to_the_text_that_was_read(world: World) -> None:
    exchange = actions.present_plan(world.drafted(), by=actor(world.pilar), now=NOW)
    stale = fresh(exchange).current_version.digest
    exchange = actions.draft_plan(exchange, by=actor(world.pilar), now=NOW, **plan(conduct="We listen, and answer within two days."))
    exchange = actions.present_plan(exchange, by=actor(world.pilar), now=NOW)
    with pytest.raises(Conflict) as refused:
        sign(exchange, world.remy, stale)
    assert [reason.code for reason in refused.value.reasons] == ["text-changed", "text-changed"]
    with pytest.raises(Invalid):
        sign(exchange, world.remy, "0" * 64)
    assert not PlanSignature.objects.exists()


def test_an_office_reads_but_does_not_sign(world: World) -> None:
    exchange = actions.present_plan(world.drafted(), by=actor(world.pilar), now=NOW)
    assert Exchange.objects.visible_to(actor(world.office)).get() == exchange
    with pytest.raises(NotAllowed):
        sign(exchange, world.office)
    assert not Exchange.objects.visible_to(actor(world.dora)).exists()


def test_an_incomplete_plan_is_not_presented(world: World) -> None:
    exchange = world.drafted(conduct="", phases=plan()["phases"][:2])
    with pytest.raises(Refused) as refused:
        actions.present_plan(exchange, by=actor(world.pilar), now=NOW)
    assert {reason.code for reason in refused.value.reasons} == {"phase-missing", "conduct-missing"}


def test_returning_says_what_should_change(world: World) -> None:
    exchange = actions.present_plan(world.drafted(), by=actor(world.pilar), now=NOW)
    with pytest.raises(Invalid):
        actions.return_plan(exchange, by=actor(world.remy), now=NOW, because="")
    exchange = actions.return_plan(exchange, by=actor(world.remy), now=NOW, because="A week less, please.")
    assert (exchange.state, exchange.waiting_for) == ("planning", "")


def test_the_same_text_makes_no_new_version(world: World) -> None:
    with pytest.raises(Refused):
        world.drafted(world.drafted())


def test_a_change_of_an_agreed_plan_leaves_the_old_in_force_until_both_have_signed(world: World) -> None:
    exchange = world.agreed()
    tasks = [*(TaskRow(code=t.key, title=t.title, phase=t.phase, kind=t.kind, due_on=date.fromisoformat(t.wall_due[:10]), hours=t.hours) for t in exchange.tasks.all() if t.key != "T3"), TaskRow(title="A map", due_on=date(2027, 3, 29), hours="4")]  # type: ignore[arg-type]
    exchange = actions.draft_plan(exchange, by=actor(world.remy), now=NOW, **plan(tasks=tasks))
    exchange = actions.present_plan(exchange, by=actor(world.remy), now=NOW)
    held = {task.key: task.pk for task in exchange.tasks.all()}
    assert (exchange.state, exchange.signed_version, exchange.current) == ("agreed", 1, 2)
    for who in (world.pilar, world.remy):
        exchange = sign(exchange, who)
    after = {task.key: (task.pk, task.is_planned) for task in exchange.tasks.all()}
    # T3 fell out of the plan and its number is free for the new task: its row goes on under the new title.
    assert (exchange.signed_version, {key: pk for key, (pk, _planned) in after.items()}) == (2, held)
    assert exchange.tasks.get(key="T3").title == "A map"


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        ({"zone": "Mars/Base"}, "zone"), ({"phases": []}, "phases"), ({"first_credits": "many"}, "bad-credits"), ({"share_tasks": 120}, "share"),
        ({"tasks": [TaskRow(code="A", title="x", due_on=date(2027, 3, 2)), TaskRow(code="A", title="y", due_on=date(2027, 3, 2))]}, "code-twice"),
        ({"tasks": [TaskRow(title="x", due_on=date(2027, 3, 2), hours="long")]}, "task-hours"),
    ],
)  # fmt: skip
def test_a_plan_that_cannot_be_read_is_refused_with_its_reason(world: World, facts: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        world.drafted(**facts)
    assert [reason.code for reason in refused.value.reasons] == [code]


def test_cancelling_before_it_runs_lets_both_look_again(world: World) -> None:
    exchange = actions.cancel(world.agreed(), by=actor(world.remy), now=NOW, because="The course was moved.")
    wishes = exchange.invitation.wish, exchange.invitation.partner
    assert (exchange.state, [fresh(wish).state for wish in wishes]) == ("cancelled", ["published", "published"])

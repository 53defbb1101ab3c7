"""What home made a condition of a stay abroad holds where the stay begins."""

import pytest

from vsm.demo import World
from vsm.exchange.mobilities.actions import arrive
from vsm.exchange.mobilities.models import Mobility
from vsm.exchange.people.queries import actor_of
from vsm.exchange.preparations.models import PreparationRequirement
from vsm.kit import audit
from vsm.kit.actions import TABLE
from vsm.kit.errors import Invalid
from vsm.web.forms import ActionForm


def asked_for(kind: str) -> Mobility:
    """A coming stay of the demo for which home asks for a preparation that is still open."""
    requirement = PreparationRequirement.objects.filter(mobility__state="planned").select_related("mobility__student").first()
    assert requirement is not None
    PreparationRequirement.objects.filter(mobility=requirement.mobility).update(kind=kind, state="open")
    mobility: Mobility = requirement.mobility
    return mobility


def asked_on_arrival(mobility: Mobility) -> set[str]:
    return set(ActionForm(TABLE["mobility", "arrive"], mobility, actor_of(mobility.student, mobility.created_at)).fields)


def test_a_stay_that_begins_with_a_condition_open_says_why(world: World) -> None:
    mobility = asked_for("condition")
    student = actor_of(mobility.student, world.now)
    assert "because" in asked_on_arrival(mobility)
    with pytest.raises(Invalid) as refusal:
        arrive(mobility, by=student, now=world.now)
    assert [(reason.code, reason.field) for reason in refusal.value.reasons] == [("condition-open", "because")]

    there = arrive(mobility, by=student, now=world.now, because="The border closes on Monday; I finish the module from here.")
    assert there.state == "abroad"
    assert audit.history([("mobility", mobility.pk)])[0].because.startswith("The border closes")


def test_advice_that_is_open_asks_for_nothing(world: World) -> None:
    mobility = asked_for("advice")
    assert "because" not in asked_on_arrival(mobility)
    assert arrive(mobility, by=actor_of(mobility.student, world.now), now=world.now).state == "abroad"

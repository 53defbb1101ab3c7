"""What the rulebook proposes to the home office for each host course, with its sources."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from vsm.exchange.catalogue.models import Offering
from vsm.exchange.learning_agreements.rules import Content
from vsm.exchange.recognition.credits import convert
from vsm.kit.errors import VsmError
from vsm.kit.saying import say_reasons


def proposals(content: Content, on: date) -> Mapping[str, dict[str, Any]]:
    """Offering → the home credits that the rules of that day give: value, range, calculation, cautions, sources."""
    hours: dict[UUID, Decimal | None] = dict(
        Offering.objects.filter(pk__in=[each.offering for each in content.components]).values_list("pk", "opportunity__workload_hours")
    )
    target = content.home["credit_system"]
    return {
        each.offering: _proposal(Decimal(each.credits), each.credit_system, target, on, hours.get(UUID(each.offering)))
        for each in content.components
    }


def _proposal(amount: Decimal, source: str, target: str, on: date, hours: Decimal | None) -> dict[str, Any]:
    try:
        found = convert(amount, source, target, on, hours or None)
    except VsmError as refusal:
        return {"problems": say_reasons(refusal.reasons)}
    return {
        "value": found.value,
        "low": found.low.quantize(Decimal("0.1")),
        "high": found.high.quantize(Decimal("0.1")),
        "steps": say_reasons(found.steps),
        "cautions": say_reasons(found.cautions),
        "citations": [str(each) for each in found.citations],
    }

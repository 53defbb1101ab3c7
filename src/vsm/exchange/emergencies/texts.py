"""The text that a student is asked to agree to: the agreement's next version with the chosen forms, and its fingerprint.

The same pure function makes the text that is shown, the one that is consented to and the one that is written, so that
a consent holds for what was read and for nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Sum

from vsm.exchange.emergencies.forms import Alternative, from_json
from vsm.exchange.emergencies.models import Case, CoursePlan
from vsm.exchange.learning_agreements.amending import base_of, next_number
from vsm.exchange.learning_agreements.models import LearningAgreement
from vsm.exchange.learning_agreements.online import Form, switched
from vsm.exchange.learning_agreements.rules import Content, as_json, digest_of_json

Plans = Mapping[str, Mapping[str, Alternative]]
"""Plan's id → key → alternative."""


@dataclass(frozen=True)
class Amended:
    """The next text of an agreement beside the one it follows."""

    before: Content
    after: Content
    plain: Mapping[str, Any]
    digest: str


def plans_of(plans: Mapping[UUID, CoursePlan] | list[CoursePlan]) -> Plans:
    listed = plans.values() if isinstance(plans, Mapping) else plans
    return {str(plan.pk): {each["key"]: from_json(each) for each in plan.alternatives} for plan in listed}


def plans_by_course(emergency: UUID) -> Mapping[tuple[UUID, str], tuple[str, list[Alternative]]]:
    """(host, code) → the plan's id and its alternatives, best first. Read once for all batches of a run: it asks only whether they changed."""
    found = CoursePlan.objects.filter(emergency=emergency).aggregate(n=Count("pk"), changed=Max("updated_at"), versions=Sum("version"))
    return _plans_as_of(emergency, found["n"], found["changed"], found["versions"])


def all_plans(emergency: UUID) -> Plans:
    """The same by the plan's id and the alternative's key."""
    return {plan: {each.key: each for each in listed} for plan, listed in plans_by_course(emergency).values()}


@lru_cache(maxsize=4)
def _plans_as_of(emergency: UUID, count: int, changed: Any, versions: int) -> Mapping[tuple[UUID, str], tuple[str, list[Alternative]]]:
    rows = CoursePlan.objects.filter(emergency=emergency).values_list("host", "code", "pk", "alternatives")
    return {(host, code): (str(pk), [from_json(each) for each in alternatives]) for host, code, pk, alternatives in rows}


def plans_for(case: Case) -> Plans:
    ids = [line["plan"] for line in case.lines if line["plan"]]
    return plans_of(list(CoursePlan.objects.filter(pk__in=ids)))


def chosen(lines: list[dict[str, Any]], plans: Plans) -> dict[str, Alternative]:
    """Course → the form chosen for it; courses without one stay as they are."""
    return {
        line["course"]: plans[line["plan"]][line["form"]] for line in lines if line["form"] and line["form"] in plans.get(line["plan"], {})
    }  # fmt: skip


def form_of(alternative: Alternative) -> Form:
    """Where and how; an alternative's own credits go no further than the page that compares."""
    return Form(
        offering=alternative.offering, code=alternative.code, title=dict(alternative.title), language=alternative.language,
        starts_on=alternative.starts_on, ends_on=alternative.ends_on, taught_by=dict(alternative.taught_by),
    )  # fmt: skip


def amended(agreement: LearningAgreement, lines: list[dict[str, Any]], plans: Plans) -> Amended | None:
    """The text after the switch; None when there is no text yet, or nothing in it changes."""
    base, current = base_of(agreement), agreement.current_version
    if base is None or current is None:
        return None
    forms = {course: form_of(alternative) for course, alternative in chosen(lines, plans).items()}
    before = base.text
    after = switched(before, forms, number=next_number(agreement), follows=current.digest)
    if after.components == before.components:
        return None
    plain = as_json(after)
    return Amended(before, after, plain, digest_of_json(plain))


def amended_of(case: Case) -> Amended | None:
    """The same for one case, asked of the database."""
    agreement = LearningAgreement.objects.filter(mobility_id=case.mobility_id).prefetch_related("versions").first()
    return amended(agreement, case.lines, plans_for(case)) if agreement else None


def first_day(case: Case, today: date) -> date:
    """The day from which the courses are online: never before they were agreed to."""
    return max(today, case.affected_from)

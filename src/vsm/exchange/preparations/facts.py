"""From records to what the pure rules take: what somebody has done, meetings, and the change of one and of a group."""

from collections import defaultdict
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from vsm.exchange.mobilities.models import Mobility
from vsm.exchange.preparations.measuring import Change, GroupChange, change_of, group_change
from vsm.exchange.preparations.models import Participation, Preparation, PreparationRequirement, SelfAssessment
from vsm.exchange.preparations.rules import AFTER, BEFORE, Done
from vsm.exchange.sessions.models import Attendance, Series, Session
from vsm.exchange.sessions.rules import Mark
from vsm.rulebook.instruments import AGREEMENT, instrument, limit


def day_at(zone: str, now: datetime) -> date:
    """The calendar day at a place."""
    return now.astimezone(ZoneInfo(zone)).date()


def series_of(preparation: Preparation) -> Any:
    """The meetings of this preparation."""
    return Series.objects.filter(owner_noun=Preparation.noun, owner_id=preparation.pk)


def meetings_of(preparation: Preparation) -> Any:
    return Session.objects.filter(series__in=series_of(preparation), state="scheduled")


def attended(participation: Participation) -> int:
    """How many meetings of the preparation the student was at."""
    found = Attendance.objects.filter(
        session__series__in=series_of(participation.preparation), participant__person_id=participation.student_id, status__in=PRESENT
    )
    return found.count()


PRESENT = tuple(mark.value for mark in Mark if mark.value in {"present", "late"})


def done_of(participation: Participation) -> Done:
    preparation = participation.preparation
    return Done(
        modules={str(pk) for pk in participation.done.values_list("module_id", flat=True)},
        needed=[(str(each.pk), each.title) for each in preparation.modules.all() if each.required and each.state == "current"],
        assessments=set(participation.assessments.values_list("instrument", "moment")),
        instruments=preparation.instruments,
        meetings=attended(participation) if preparation.meetings_needed else 0,
        meetings_needed=preparation.meetings_needed,
    )  # fmt: skip


def own_changes(participation: Participation, slug: str) -> list[Change]:
    """One person's change on each scale of an instrument; empty until both assessments are there."""
    found = {each.moment: each.scores for each in participation.assessments.filter(instrument=slug)}
    return change_of(found[BEFORE], found[AFTER]) if len(found) == 2 else []


def group_changes(preparation: Preparation, on: date) -> dict[str, list[tuple[str, GroupChange | None]]]:
    """Instrument → (scale, change of the group), None for one that is too small to be shown."""
    smallest = int(limit("smallest-group", on))
    taken: dict[tuple[str, Any], dict[str, SelfAssessment]] = defaultdict(dict)
    for each in SelfAssessment.objects.filter(participation__preparation=preparation):
        taken[each.instrument, each.participation_id][each.moment] = each
    found: dict[str, list[tuple[str, GroupChange | None]]] = {}
    for slug in preparation.instruments:
        both = [pair for (name, _who), pair in taken.items() if name == slug and len(pair) == 2]
        told = instrument(slug)
        rows = [[float(pair[BEFORE].answers[key]) for key, _item in told.items] for pair in both] if told.kind == AGREEMENT else []
        found[slug] = [
            (scale.slug, group_change(scale.slug, [(pair[BEFORE].scores[scale.slug], pair[AFTER].scores[scale.slug]) for pair in both], smallest=smallest, items=rows))
            for scale in told.scales
        ]
    return found


def requirements_of(mobility: Mobility) -> list[PreparationRequirement]:
    """What home asks for before this mobility, for its page and for whoever starts it."""
    return list(PreparationRequirement.objects.filter(mobility=mobility).exclude(state="withdrawn").select_related("preparation"))

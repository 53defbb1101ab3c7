"""What the page of a series adds: the next meeting, and what the weekly hour is on everybody's wall."""

from collections import Counter
from typing import Any

from vsm.exchange.sessions.models import Series, Session
from vsm.exchange.sessions.queries import WITH_HOLDER, participants_of
from vsm.exchange.sessions.states import SessionState
from vsm.kit import clock
from vsm.kit.actors import Actor
from vsm.web import objects
from vsm.web.student.sessions import entry_of, walls_of


def series_part(series: Series, actor: Actor) -> dict[str, Any]:
    """For whoever takes part: when next, on whose wall, and for leads the way to look for another time."""
    now = clock.now()
    upcoming: Session | None = series.sessions.filter(ends_at__gt=now, state=SessionState.SCHEDULED).select_related(*WITH_HOLDER).order_by("starts_at").first()
    zones = Counter(each.person.zone for each in participants_of(series))
    return {
        "next": entry_of(upcoming, now) if upcoming else None,
        "walls": walls_of(upcoming, zones) if upcoming else [],
        "find_url": f"/find-a-time/?group=series:{series.pk}" if actor.person_id in series.lead_ids or actor.holds("coordinator", series.organisation_id) else "",
    }


objects.EXTRAS["series"] = objects.Extra("student/sessions/series.html", series_part)

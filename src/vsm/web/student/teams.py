"""The page of a team: who is in it and where their clocks stand, why, when all can meet, what comes next."""

from datetime import datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from vsm.exchange.people.models import is_zone
from vsm.exchange.sessions.models import Session
from vsm.exchange.sessions.rules import WEEKDAYS
from vsm.exchange.sessions.states import SessionState
from vsm.exchange.teams.models import Team
from vsm.exchange.teams.queries import kept_reasons, members_of, say_told
from vsm.exchange.teams.rules import windows_on
from vsm.kit import clock
from vsm.kit.actors import Actor
from vsm.kit.saying import say
from vsm.web.objects import EXTRAS, Extra
from vsm.web.student.sessions import entry_of


def team_context(team: Team, actor: Actor) -> dict[str, Any]:
    """What student/teams/team.html shows; times are on the wall of the reader's zone."""
    now = clock.now()
    zone = timezone.get_current_timezone_name()
    following = _next(team, actor, now)
    return {
        "members": [
            {
                "name": each.person.name, "role": each.role, "zone": each.person.zone, "time": _wall(each.person.zone, now),
                "is_reader": each.person_id == actor.person_id,
                "url": f"/team-memberships/{each.pk}/",
            }
            for each in members_of(team)
        ],
        "told": say_told(kept_reasons(team.told)),
        "windows": _windows(team, zone, now),
        "window_zone": zone,
        "has_hours": bool(team.windows),
        "next_meeting": entry_of(following, now) if following else None,
        "zone_name": zone,
    }  # fmt: skip


def _windows(team: Team, zone: str, now: datetime) -> list[dict[str, Any]]:
    """Days with their hours: Monday first, a run that crosses midnight under the day on which it begins."""
    runs = windows_on(team.windows, zone, now)
    return [
        {"day": say(WEEKDAYS[day]), "hours": ", ".join(f"{start:%H:%M}–{end:%H:%M}" for start, end in found)}
        for day, found in ((day, list(found)) for day, found in groupby(runs, key=lambda run: run[0].weekday()))
    ]


def _next(team: Team, actor: Actor, now: datetime) -> Session | None:
    """The next meeting of the team itself or of what it works for, as far as the reader may see it."""
    owner = team.formation
    mine = Q(series__owner_noun="team", series__owner_id=team.pk) | Q(series__owner_noun=owner.owner_noun, series__owner_id=owner.owner_id)
    if owner.owner_noun == "offering":
        mine |= Q(offering_id=owner.owner_id)
    coming = Session.objects.visible_to(actor).filter(mine, ends_at__gt=now, state=SessionState.SCHEDULED)
    return coming.select_related("offering__opportunity__organisation", "series__organisation").order_by("starts_at").first()


def _wall(zone: str, now: datetime) -> str:
    if not is_zone(zone):
        return _("unknown")
    return f"{now.astimezone(ZoneInfo(zone)):%H:%M}"


EXTRAS["team"] = Extra("student/teams/team.html", team_context)

"""What was checked of a release, what was understood of a table before it becomes one, and what deciding about a break does."""

from functools import partial
from typing import Any

from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _

from vsm.kit.actors import Actor
from vsm.kit.saying import say, say_reason
from vsm.kit.verdict import Reason
from vsm.observatory.sources.breaks import Decision, applied
from vsm.observatory.sources.models import OwnTable, Release, SeriesBreak
from vsm.observatory.sources.observations import country_series
from vsm.observatory.sources.queries import CHECKS, decisions, remark
from vsm.observatory.sources.states import TableState
from vsm.web import objects

AROUND = 4  # years before and after a break that its form shows
EFFECTS = {
    "flag": _("The figures stay as they are; studies name the break beside what they find."),
    "splice": _("Studies read the years before scaled to the new level, so that growth within both parts stays; every total that holds the place changes with it."),
    "drop": _("Studies leave the year out; in a total the place stands in with the usual growth of its other years. Its own page goes on showing what was published."),
    "keep": _("Students came or left: nothing changes, and it is not proposed again."),
}


def release_part(release: Release, _actor: Actor) -> dict[str, Any]:
    return {"checked": _checked(release.checks), "failures": []}


def table_part(table: OwnTable, _actor: Actor) -> dict[str, Any]:
    return {"table": table, "checked": _checked(table.checks), "failures": [say_reason(Reason(**each)) for each in table.problems] if table.state == TableState.FAULTY else []}


def _checked(checks: list[Any]) -> list[dict[str, Any]]:
    return [{"label": say(CHECKS.get(code, code)), "passed": passed, "remark": remark(code, facts)} for code, passed, facts in checks]


def effect_of(each: SeriesBreak, _actor: Actor, *, verb: str) -> dict[str, Any]:
    """The series around the break as it was published and as studies would read it."""
    values = country_series((each.source,)).get((each.source, each.series, each.geo), {})
    later, _marked = applied(values, [*decisions(each.source, each.series).get(each.geo, []), Decision(each.year, verb)])
    years = [year for year in sorted(values) if abs(year - each.year) <= AROUND]
    return {"effect": say(EFFECTS[verb]), "years": [{"year": str(year), "before": round(values[year]), "after": round(later[year]) if year in later else None} for year in years]}


objects.EXTRAS["release"] = objects.Extra("public/observatory/checked.html", release_part)
objects.EXTRAS["own_table"] = objects.Extra("public/observatory/checked.html", table_part)
for decision in EFFECTS:
    objects.GUIDES["series_break", decision] = objects.Extra("public/observatory/deciding.html", partial(effect_of, verb=decision))

urlpatterns: list[URLPattern] = []

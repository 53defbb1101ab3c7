"""The page of a formation: rules with their effects, teams as cards and as a table, the balance, what is not kept."""

from collections import Counter
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from vsm.exchange.teams.explain import NAMES, effect
from vsm.exchange.teams.facts import EXPERIENCE
from vsm.exchange.teams.models import TeamFormation
from vsm.exchange.teams.problem import Problem
from vsm.exchange.teams.queries import Proposed, balance_of, newcomers, proposed, why_missed
from vsm.exchange.teams.states import FormationState
from vsm.kit.actors import Actor
from vsm.kit.i18n import N_
from vsm.kit.saying import say, say_reason, say_reasons
from vsm.kit.verdict import Reason
from vsm.web.objects import EXTRAS, Extra

CARDS_AT_MOST = 40
BARS_AT_MOST = 12
SKILLS = {EXPERIENCE: N_("how far people are in their studies, in tenths of the degree")}


def formation_context(formation: TeamFormation, actor: Actor) -> dict[str, Any]:
    """What instructor/teams/formation.html shows."""
    context: dict[str, Any] = {
        "formation": formation,
        "is_computing": formation.state == FormationState.COMPUTING,
        "is_preview": formation.state == FormationState.PREVIEW,
        "previous_url": f"/team-formations/{formation.previous_id}/" if formation.previous_id else "",
        "rules": _rules(formation),
    }
    if context["is_computing"]:
        return context
    context["missed"] = say_reasons(why_missed(formation))
    if context["is_preview"]:  # afterwards people join and leave: the sums of the day of the preview would be wrong
        context["balance"] = _charts(formation)
        teams = proposed(formation)
        context |= {"teams": teams[:CARDS_AT_MOST], "further": max(0, len(teams) - CARDS_AT_MOST), "table": _table(teams)}
    elif formation.state == FormationState.PUBLISHED and not formation.previous_id:
        context["waiting"] = [name for _pk, name in newcomers(formation)]
    return context


def _rules(formation: TeamFormation) -> list[dict[str, str]]:
    """Each rule with its plain effect, and whether it must hold."""
    problem = Problem.from_bytes(bytes(formation.frozen.problem))
    return [
        {
            "name": say(NAMES[rule.kind]),
            "effect": say_reason(_named(effect(rule))),
            "weight": _("must hold") if rule.is_hard else _("a wish"),
        }
        for rule in problem.rules
    ]


def _named(told: Reason) -> Reason:
    """The group or skill by the words that people know."""
    of = str(told.params["of"])
    return replace(told, params={**told.params, "of": _GROUPS.get(of, of)})


_GROUPS = {**SKILLS, "first_language": N_("first language"), "gender": N_("gender, where people told it")}


def _charts(formation: TeamFormation) -> list[dict[str, Any]]:
    """For each balanced skill: the teams' sums; where there are many teams, how many teams have which sum."""
    charts = []
    for skill, sums, target in balance_of(formation):
        facts = {"skill": say(SKILLS.get(skill, skill)), "target": target}
        if len(sums) <= BARS_AT_MOST:
            title = _("Balance: %(skill)s. An average team has %(target)s.") % facts
            rows = [{"label": _("Team %(number)s") % {"number": number}, "value": value} for number, value in sums]
        else:
            title = _("Balance: %(skill)s. How many teams have which sum; an average team has %(target)s.") % facts
            counted = Counter(value for _number, value in sums)
            rows = [{"label": str(value), "value": counted[value]} for value in sorted(counted)]
        charts.append({"title": title, "rows": rows})
    return charts


def _table(teams: list[Proposed]) -> dict[str, Any]:
    """The same teams as components/listing.html shows rows."""
    labels = [_("Team"), _("Members"), _("New here"), _("Why this team")]
    rows = [
        {
            "url": "",
            "cells": [
                {"label": label, "value": value, "kind": kind}
                for label, value, kind in zip(labels, (each.name, list(each.members), list(each.arrived), list(each.told)), ("text", "list", "list", "list"), strict=True)
            ],
        }
        for each in teams
    ]
    return {
        "caption": _("The teams as a table"), "columns": [{"label": label} for label in labels], "rows": rows,
        "total": len(rows), "first": 1 if rows else 0, "last": len(rows), "empty": {"text": _("Nothing here yet.")},
    }  # fmt: skip


EXTRAS["team_formation"] = Extra("instructor/teams/formation.html", formation_context)

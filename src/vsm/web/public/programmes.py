"""A programme and its intakes for everybody: what it consists of, what is asked for, when and how one applies."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from vsm.exchange.catalogue import labels
from vsm.exchange.programmes.facts import phase_of
from vsm.exchange.programmes.models import Intake, Programme
from vsm.exchange.programmes.queries import INTAKE_PHASES, requirement_lines
from vsm.kit import clock
from vsm.kit.actors import Actor
from vsm.web import objects
from vsm.web.public import course_page
from vsm.web.public.course_page import Way
from vsm.web.templatetags.look import moment


def phase_pill(intake: Intake, now: datetime) -> tuple[str, str]:
    """The words and the tone of an intake's phase."""
    label, tone = INTAKE_PHASES[phase_of(intake, now)]
    return str(label), tone


def structure_of(programme: Programme) -> list[dict[str, Any]]:
    """Groups with their modules, as a table shows them."""
    plan = programme.structure
    titles = {module.code: f"{module.code} {labels.in_reader(module.title)}" for module in plan.modules}
    return [
        {
            "title": labels.in_reader(group.title),
            "asks": _("every module") if group.kind == "compulsory" else _("modules of your choice"),
            "credits": plan.needed(group).normalize(),
            "modules": [
                {"code": each.code, "title": labels.in_reader(each.title), "credits": each.credits.normalize(), "term": each.term, "before": [titles.get(code, code) for code in each.prerequisites]}
                for each in plan.of(group.code)
            ],
        }
        for group in plan.groups
    ]


def programme_part(programme: Programme, actor: Actor) -> dict[str, Any]:
    """What the programme's page shows above its facts."""
    now = clock.now()
    upcoming = [each for each in programme.intakes.all() if phase_of(each, now) in {"coming", "applying"}]
    return {
        "summary": labels.in_reader(programme.opportunity.description),
        "asked": requirement_lines(programme),
        "groups": structure_of(programme),
        "total": programme.opportunity.credits.normalize(),
        "system": labels.credit_system_label(programme.opportunity.credit_system),
        "terms": programme.structure.terms,
        "upcoming": [
            {"url": f"/intakes/{each.pk}/", "code": each.code, "phase": phase_pill(each, now), "starts_on": each.starts_on, "at": each.closes_at if phase_of(each, now) == "applying" else each.opens_at, "is_open": phase_of(each, now) == "applying"}
            for each in sorted(upcoming, key=lambda each: each.opens_at)
        ],
    }  # fmt: skip


def ways(offering: Any, actor: Actor, now: datetime) -> Iterator[Way]:
    """On the catalogue's page: the intake that this offering stands for."""
    intake = Intake.objects.visible_to(actor).filter(offering=offering).select_related("programme__opportunity").first()
    if intake is None:
        return
    label, tone = phase_pill(intake, now)
    title, url, phase = _("The whole programme: modules, requirements, dates"), f"/programmes/{intake.programme_id}/", phase_of(intake, now)
    mine = intake.admissions.filter(student_id=actor.person_id).first() if actor.person_id else None
    if mine:
        yield Way(title, url, _("You have an application"), "info", "", f"/admissions/{mine.pk}/", _("Open your application"))
    elif phase == "applying":
        apply_url = f"/intakes/{intake.pk}/apply/"
        if actor.is_anonymous:
            apply_url = f"{reverse('account_login')}?{urlencode({'next': apply_url})}"
        action = _("Sign in to apply") if actor.is_anonymous else _("Apply for admission")
        yield Way(title, url, label, tone, course_page.said(_("Closes"), moment(intake.closes_at)), apply_url, action)
    elif phase == "coming":
        yield Way(title, url, label, tone, course_page.said(_("Opens"), moment(intake.opens_at)))
    else:
        yield Way(title, url, label, tone, "")


objects.EXTRAS["programme"] = objects.Extra("public/programmes/programme.html", programme_part)
course_page.WAYS.append(ways)

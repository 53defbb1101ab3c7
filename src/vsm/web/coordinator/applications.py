"""An application's page. The student reads what to do; the offices read the facts that a nomination rests on."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from vsm.exchange.agreements.queries import signed_of
from vsm.exchange.applications.models import Application
from vsm.exchange.people.models import StudentRecord
from vsm.exchange.people.queries import languages_told
from vsm.exchange.people.rules import LEVELS, Role
from vsm.kit.actors import Actor
from vsm.kit.saying import say
from vsm.web.objects import EXTRAS, Extra
from vsm.web.public.calls import in_zone
from vsm.web.student import applications as student
from vsm.web.templatetags.look import moment


def context(application: Application, actor: Actor) -> dict[str, Any]:
    told = student.context(application, actor)
    if told["is_own"]:
        return told
    call, here = application.call, timezone.get_current_timezone_name()
    return {
        **told,
        "studies": studies(application),
        "is_home": actor.holds(Role.COORDINATOR, application.home_id),
        "nominate_yours": moment(call.nominate_by),
        "nominate_theirs": in_zone(call.nominate_by, call.zone) if call.zone != here else "",
        "agreements": _agreements(application, actor),
    }


def studies(application: Application) -> list[dict[str, Any]]:
    """What home says about the student's studies, as components/facts.html shows it; empty without a record."""
    record = StudentRecord.objects.filter(person_id=application.student_id).first()
    if record is None:
        return []
    share = record.share_passed
    facts = [
        {"label": _("Programme"), "value": record.programme, "kind": "text"},
        {"label": _("Level"), "value": say(LEVELS.get(record.level, record.level)), "kind": "text"},
        {"label": _("Field (ISCED-F)"), "value": record.isced_f, "kind": "text"},
        {"label": _("Degree passed"), "value": f"{share:.0%}" if share is not None else "", "kind": "text"},
        {"label": _("Average grade"), "value": record.average, "kind": "text"},
        {"label": _("Languages"), "value": languages_told(record.languages), "kind": "list"},
    ]
    return [fact for fact in facts if fact["value"]]


def _agreements(application: Application, actor: Actor) -> list[dict[str, str]]:
    """Where home and the call's institution stand with each other: links to what the reader may see."""
    found = signed_of(application.home_id, [application.call.organisation_id])
    mine = actor.organisations("coordinator", "registrar", "observer")
    return [{"url": f"/agreements/{a.pk}/", "label": a.code} for a in found if {a.first_id, a.second_id} & mine]


EXTRAS["application"] = Extra("coordinator/applications/application.html", context)

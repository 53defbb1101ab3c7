"""An intake: how to apply, and for the host's office who has applied, in which order, and what is not checked yet."""

from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from vsm.exchange.institutions.models import Organisation
from vsm.exchange.programmes.facts import candidates_of, free_places, phase_of
from vsm.exchange.programmes.models import (
    Admission,
    AdmissionDocument,
    AwardRecognition,
    Condition,
    Intake,
    Interruption,
    Study,
    TermEnrolment,
)
from vsm.exchange.programmes.queries import ADMISSION_STATES, average_label
from vsm.kit import clock
from vsm.kit.actors import Actor
from vsm.kit.saying import say_reasons
from vsm.web import desk, objects
from vsm.web.public.programmes import phase_pill, programme_part


def intake_part(intake: Intake, actor: Actor) -> dict[str, Any]:
    """The intake for somebody who wants to apply; the same applications ranked, for the office."""
    now, host = clock.now(), intake.programme.organisation_id
    mine = intake.admissions.filter(student_id=actor.person_id).first() if actor.person_id else None
    is_office = actor.is_operator or host in actor.organisations("coordinator", "registrar", "observer")
    return {
        **programme_part(intake.programme, actor), "upcoming": [], "phase": phase_pill(intake, now), "is_open": phase_of(intake, now) == "applying",
        "programme_url": f"/programmes/{intake.programme_id}/", "mine_url": f"/admissions/{mine.pk}/" if mine else "", "is_anonymous": actor.is_anonymous,
        "office": office_part(intake) if is_office else None,
    }  # fmt: skip


def office_part(intake: Intake) -> dict[str, Any]:
    """Every application handed in, by rank, with what is unsettled in its documents; and how many places are left."""
    unsettled = {each.id: each.unsettled for each in candidates_of(intake)}
    found = intake.admissions.exclude(state="draft").select_related("student")
    ranked = sorted(found, key=lambda each: (each.rank is None, each.rank or 0, each.student.name))
    return {
        "places": intake.places,
        "free": free_places(intake),
        "taken": intake.places - free_places(intake),
        "rows": [
            {
                "url": f"/admissions/{each.pk}/", "name": each.student.name, "rank": each.rank, "why": each.rank_because, "grade": average_label(each),
                "state": {"label": str(ADMISSION_STATES[each.state][0]), "tone": ADMISSION_STATES[each.state][1]}, "unsettled": say_reasons(unsettled.get(each.pk, ())),
            }
            for each in ranked
        ],
    }  # fmt: skip


def buckets(organisation: Organisation, now: datetime) -> list[dict[str, Any]]:
    """What waits for the office that runs programmes; nothing where it runs none."""
    here = Q(intake__programme__organisation=organisation)
    if not organisation.programmes.exists():
        return []
    return [
        desk.bucket(_("Admissions to decide"), Admission.objects.filter(here, state="submitted", intake__closes_at__lte=now).count(), "/admissions/?state=submitted", "warn"),
        desk.bucket(_("Documents to verify"), AdmissionDocument.objects.filter(admission__intake__programme__organisation=organisation, state="received").exclude(admission__state="draft").count(), "/admission-documents/?state=received", "warn"),
        desk.bucket(_("Conditions open"), Condition.objects.filter(admission__intake__programme__organisation=organisation, state="open", admission__state__in=["offered", "accepted"]).count(), "/conditions/?state=open"),
        desk.bucket(_("Interruptions asked for"), Interruption.objects.filter(study__programme__organisation=organisation, state="asked").count(), "/interruptions/?state=asked", "warn"),
        desk.bucket(_("Studying a programme here"), Study.objects.filter(programme__organisation=organisation, state="active").count(), "/studies/?state=active", "good"),
    ]  # fmt: skip


def registrar_buckets(organisation: Organisation, now: datetime) -> list[dict[str, Any]]:
    """Results of terms that are over, and awards of elsewhere to be recognised."""
    found = [
        desk.bucket(_("Awards to recognise"), AwardRecognition.objects.filter(home=organisation, state="asked").count(), "/award-recognitions/?state=asked", "warn"),
    ]
    if organisation.programmes.exists():
        over = TermEnrolment.objects.filter(study__programme__organisation=organisation, state="enrolled", term__ends_on__lt=now.date())
        found.append(desk.bucket(_("Terms without results"), over.count(), "/term-enrolments/?state=enrolled", "warn"))
    return [each for each in found if each["count"] or organisation.programmes.exists()]


objects.EXTRAS["intake"] = objects.Extra("public/programmes/intake.html", intake_part)
desk.BUCKETS["coordinator"].append(buckets)
desk.BUCKETS["registrar"].append(registrar_buckets)

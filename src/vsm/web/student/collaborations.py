"""An exchange for those who take part: the team, what is due when, the check-in, one's own name, what was handed in."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from vsm.exchange.collaborations.exchange_queries import (
    asks_check_in,
    handed_in,
    named_among,
    own_participations,
    side_label,
    team_name,
    watched,
)
from vsm.exchange.collaborations.meeting import best_hours, series_of
from vsm.exchange.collaborations.models import (
    Exchange,
    ExchangeTask,
    Participant,
    PartnerInvitation,
    PartnerWish,
    RosterFile,
    Submission,
)
from vsm.exchange.collaborations.rules import PHASE_WORDS, why_no_certificate
from vsm.exchange.collaborations.states import ExchangeState, ParticipantState
from vsm.exchange.credentials.models import Credential
from vsm.exchange.people.queries import languages_told
from vsm.exchange.sessions.models import Session
from vsm.kit import clock, files
from vsm.kit.actors import Actor
from vsm.kit.records import not_found
from vsm.kit.requests import Request
from vsm.kit.resources import RESOURCES
from vsm.kit.saying import say, say_reasons
from vsm.web import desk, objects
from vsm.web.student.sessions import entries_of

SAFE_TYPES = {"application/pdf", "image/png", "image/jpeg", "text/plain", "text/csv"}


def participant_part(participant: Participant, actor: Actor) -> dict[str, Any]:
    """For the student: what is next. For the teacher the same facts, without the student's own buttons."""
    now, exchange = clock.now(), participant.exchange
    is_me = participant.person_id == actor.person_id
    plan = exchange.version_in_force.text if exchange.version_in_force else None
    mine = next((each for each in watched(exchange, now, states=ParticipantState) if each.participant.pk == participant.pk), None)
    meetings = Session.objects.filter(series__in=series_of(exchange), ends_at__gt=now, state="scheduled").select_related("series__organisation").order_by("starts_at")[:2]
    return {
        "participant": participant, "exchange": exchange, "is_me": is_me, "conduct": plan.conduct if plan else "",
        "asks_check_in": asks_check_in(participant, now) if is_me else None, "undecided": is_me and participant.answered_sharing_at is None and participant.state == ParticipantState.ACTIVE,
        "team": _team(participant) if participant.team else None, "tasks": _tasks(participant, now),
        "is_running": exchange.state == ExchangeState.RUNNING and participant.state == ParticipantState.ACTIVE, "hours": best_hours(exchange)[:2] if participant.team else [],
        "meetings": entries_of(meetings, now), "achieved": mine.achieved if mine and mine.achieved.weeks + mine.achieved.tasks_due else None,
        "missing": say_reasons(why_no_certificate(plan, mine.achieved)) if plan and mine and exchange.state == ExchangeState.FINISHED and participant.state == ParticipantState.INCOMPLETE else [],
        "credential": Credential.objects.visible_to(actor).filter(source_noun="participant", source_id=participant.pk).exclude(state="revoked").first(),
    }  # fmt: skip


def task_part(task: ExchangeTask, actor: Actor) -> dict[str, Any]:
    """When it is due for the reader, and what was handed in by the reader or the reader's team."""
    me = task.exchange.participants.filter(person_id=actor.person_id).first() if actor.person_id else None
    found = Submission.objects.visible_to(actor).filter(task=task).select_related("participant").order_by("-at")
    latest = found.filter(members=me).first() if me else None
    return {"task": task, "late": task.due_at <= clock.now(), "latest": latest, "me": me}


def submission_part(submission: Submission, actor: Actor) -> dict[str, Any]:
    url = f"/submissions/{submission.pk}/file/" if submission.file_digest else ""
    return {"submission": submission, "file": {"url": url, "name": submission.file_name, "type": submission.file_type.rpartition("/")[2]} if url else None}


def roster_part(roster: RosterFile, actor: Actor) -> dict[str, Any]:
    """The checked lines, as they would be entered."""
    return {"roster": roster, "lines": [{**line, "languages": languages_told(dict(line["languages"]))} for line in roster.lines[:200]]}


def download(request: Request, pk: UUID) -> HttpResponse:
    """A file that was handed in, never run by the browser: it is offered for saving."""
    submission = RESOURCES["submission"].seen_by(request.actor, pk)
    if not submission.file_digest:
        raise not_found()
    try:
        data = files.get(submission.file_digest)
    except FileNotFoundError as cause:
        raise not_found() from cause
    kind = submission.file_type if submission.file_type in SAFE_TYPES else "application/octet-stream"
    response = HttpResponse(data, content_type=kind)
    name = "".join(char for char in submission.file_name if char.isalnum() or char in "._- ")[:100] or "file"
    response["Content-Disposition"] = f'attachment; filename="{name.encode("ascii", "ignore").decode() or "file"}"'
    response["Cache-Control"] = "private, no-store"
    return response


def desk_steps(actor: Actor, now: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """What an exchange asks of a student now: the name, the check-in, the next task."""
    for participant in own_participations(actor.person).filter(exchange__state__in=["agreed", "running"], state=ParticipantState.ACTIVE):
        exchange, url, named = participant.exchange, f"/participants/{participant.pk}/", {"title": str(participant.exchange)}
        if participant.answered_sharing_at is None:
            yield desk.DURING, _yours(_("May the partner class read your name? %(title)s") % named, url, pgettext("act", "Answer"), now)
        if asks_check_in(participant, now):
            yield desk.DURING, _yours(_("Weekly check-in: %(title)s") % named, f"{url}check_in/", pgettext("act", "Answer"), now)
        done = handed_in(exchange)[participant.pk]
        task = next((each for each in exchange.tasks.filter(is_planned=True).order_by("due_at") if each.pk not in done), None)
        if task and exchange.state == ExchangeState.RUNNING:
            yield desk.DURING, _yours(_("Hand in: %(title)s") % {"title": task.title}, f"/exchange-tasks/{task.pk}/hand_in/", _("Hand in"), now, task.due_at)


def desk_pipeline(actor: Actor) -> Iterator[dict[str, Any]]:
    """A teacher's exchanges: invitations, plans, what runs, and who looks for a partner."""
    if not desk.teaches_somewhere(actor):
        return
    mine = Exchange.objects.facilitated_by(actor)
    yield {
        "title": _("Exchanges with partner classes"), "url": "/exchanges/",
        "buckets": [
            desk.bucket(_("Invitations to answer"), PartnerInvitation.objects.filter(partner__teacher=actor.person, state="sent").count(), "/partner-invitations/?state=sent", "warn"),
            desk.bucket(_("Plans to sign"), mine.exclude(waiting_for="").count(), "/exchanges/?state=signing", "warn"),
            desk.bucket(_("Exchanges running"), mine.filter(state="running").count(), "/exchanges/?state=running", "good"),
            desk.bucket(_("Teachers looking for a partner"), PartnerWish.objects.filter(state="published").exclude(teacher=actor.person).count(), "/partner-wishes/?state=published"),
        ],
    }  # fmt: skip


def _yours(title: str, url: str, act: str, now: datetime, deadline: datetime | None = None) -> dict[str, Any]:
    return desk.item(title, _("You"), state=desk.YOURS, deadline=deadline, url=url, action=act, now=now)


def _team(participant: Participant) -> dict[str, Any]:
    team = participant.team
    if team is None:
        return {}
    members = team.members.filter(state=ParticipantState.ACTIVE).select_related("person", "exchange__first", "exchange__second")
    return {
        "name": team_name(team.number),
        "members": [{"name": named_among(each, participant), "class": side_label(each.exchange, each.side), "zone": each.zone, "is_me": each.pk == participant.pk} for each in members],
    }  # fmt: skip


def _tasks(participant: Participant, now: Any) -> list[dict[str, Any]]:
    done = handed_in(participant.exchange)[participant.pk]
    return [
        {
            "title": each.title, "url": f"/exchange-tasks/{each.pk}/", "due_at": each.due_at, "phase": say(PHASE_WORDS[each.phase]), "is_team": each.kind == "team",
            "is_done": each.pk in done, "is_late": each.pk not in done and each.due_at <= now,
        }
        for each in participant.exchange.tasks.filter(is_planned=True).order_by("due_at", "key")
    ]  # fmt: skip


objects.EXTRAS["participant"] = objects.Extra("student/collaborations/participant.html", participant_part)
objects.EXTRAS["exchange_task"] = objects.Extra("student/collaborations/task.html", task_part)
objects.EXTRAS["submission"] = objects.Extra("student/collaborations/submission.html", submission_part)
objects.EXTRAS["roster_file"] = objects.Extra("student/collaborations/roster.html", roster_part)

desk.STEPS.append(desk_steps)
desk.PERSONAL.append(desk_pipeline)

urlpatterns = [path("submissions/<uuid:pk>/file/", download, name="submission_file")]

"""What teachers need of an exchange: who fits, invitations, the fair's proposal, the plan and its signing, who may need a word."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from vsm.exchange.catalogue.labels import WEEKDAY_LABELS, credits_text, language_label
from vsm.exchange.collaborations.exchange_queries import (
    EXCHANGE,
    is_facilitator,
    limits_on,
    managed_sides,
    shown_name,
    side_label,
    signed_sides,
    signing_sides,
    team_name,
    watched,
)
from vsm.exchange.collaborations.matching import PART_WORDS, Match, Overlap, compare
from vsm.exchange.collaborations.meeting import series_of
from vsm.exchange.collaborations.models import (
    CheckIn,
    Exchange,
    ExchangeTeam,
    PartnerFair,
    PartnerInvitation,
    PartnerWish,
    PlanVersion,
)
from vsm.exchange.collaborations.rules import KINDS, PHASE_WORDS, SIDE_WORDS, differences, told, why_incomplete
from vsm.exchange.collaborations.states import ExchangeState, FairState, ParticipantState, WishState
from vsm.exchange.collaborations.wish_queries import matches_of, title_of
from vsm.exchange.institutions.queries import name_of
from vsm.exchange.sessions.rules import resolve
from vsm.kit import clock
from vsm.kit.actions import TABLE
from vsm.kit.actors import Actor
from vsm.kit.cells import csv_lines
from vsm.kit.errors import Refused
from vsm.kit.ids import new_id
from vsm.kit.localized import text_in
from vsm.kit.records import not_found
from vsm.kit.requests import Request
from vsm.kit.saying import say, say_reason, say_reasons, wall_text
from vsm.kit.verdict import Reason
from vsm.web import objects
from vsm.web.forms import ActionForm
from vsm.web.signing import Signing

SHOWN = 8
ORDER = ("planning", "signing", "agreed", "running", "finished")
TONES = {"act": "bad", "watch": "warn", "fine": "good"}


def wish_part(wish: PartnerWish, actor: Actor) -> dict[str, Any]:
    """Of one's own wish: who fits best. Of somebody else's: how it fits with one's own."""
    on = clock.now().date()
    is_mine = actor.person_id == wish.teacher_id or actor.holds("coordinator", wish.organisation_id)
    if is_mine:
        found = matches_of(wish, on) if wish.state == WishState.PUBLISHED else []
        return {
            "is_mine": True, "wish": wish, "matches": [match_card(other, match) for other, match in found[:SHOWN]], "more": max(0, len(found) - SHOWN),
            "can_invite": wish.state == WishState.PUBLISHED and actor.person_id == wish.teacher_id,
        }  # fmt: skip
    mine = PartnerWish.objects.filter(teacher_id=actor.person_id, state=WishState.PUBLISHED).select_related("organisation") if actor.person_id else []
    return {"is_mine": False, "wish": wish, "matches": [match_card(own, compare(own.facts, wish.facts)) for own in mine], "can_invite": False}


def invitation_part(invitation: PartnerInvitation, actor: Actor) -> dict[str, Any]:
    """The other's wish and the parts of the score as the two stand today, and where the exchange is once it was accepted."""
    is_asked = actor.person_id == invitation.partner.teacher_id or actor.holds("coordinator", invitation.partner.organisation_id)
    own, other = (invitation.partner, invitation.wish) if is_asked else (invitation.wish, invitation.partner)
    match = compare(own.facts, other.facts)
    return {"card": match_card(other, match), "exchange": Exchange.objects.filter(invitation=invitation).first(), "score": invitation.score, "changed": match.score != invitation.score}


def fair_part(fair: PartnerFair, actor: Actor) -> dict[str, Any]:
    """The proposal for the office that holds the fair; the rules for everybody."""
    holds = actor.is_operator or actor.holds("coordinator", fair.organisation_id)
    mine = fair.entries.filter(wish__teacher_id=actor.person_id).first() if actor.person_id else None
    return {
        "outcome": _outcome(fair) if holds and fair.outcome else None, "holds": holds, "mine": mine, "fair": fair,
        "is_looked_at": fair.state == FairState.PROPOSED, "given": _given(fair, str(mine.wish_id)) if mine and fair.state == FairState.ANNOUNCED else None,
    }  # fmt: skip


def _given(fair: PartnerFair, wish: str) -> dict[str, Any]:
    """What an announced fair proposes to one wish: with whom, which place each has on the other's list, and why that is stable."""
    pair = next((each for each in fair.outcome["pairs"] if wish in each["wishes"]), None)
    if pair is None:
        return {"label": ""}
    here = pair["wishes"].index(wish)
    other = PartnerWish.objects.select_related("organisation").get(pk=pair["wishes"][1 - here])
    sent = PartnerInvitation.objects.filter(wish__in=pair["wishes"], partner__in=pair["wishes"]).order_by("-created_at").first()
    return {
        "label": f"{title_of(other)} · {name_of(other.organisation)}", "url": f"/partner-invitations/{sent.pk}/" if sent else f"/partner-wishes/{other.pk}/",
        "own_place": pair["places"][here], "their_place": pair["places"][1 - here], "is_stable": fair.outcome["is_stable"],
    }  # fmt: skip


def match_card(other: PartnerWish, match: Match) -> dict[str, Any]:
    """A comparison as templates show it: every part with its sentence, and the common hours on the reader's and both walls."""
    return {
        "wish": other, "url": f"/partner-wishes/{other.pk}/", "title": title_of(other), "institution": name_of(other.organisation), "country": other.organisation.country,
        "teacher": other.teacher.name, "score": match.score, "tone": "good" if match.score >= 70 else "warn" if match.score >= 40 else "neutral",
        "parts": [{"label": say(PART_WORDS[each.slug]), "percent": round(each.value * 100), "weight": round(each.weight * 100), "said": _said(each.said), "id": f"{other.pk}-{each.slug}"} for each in match.parts],
        "obstacles": say_reasons(match.obstacles), "notes": say_reasons(match.notes), "hours": [_hour(each) for each in match.overlaps[:5]],
    }  # fmt: skip


def exchange_part(exchange: Exchange, actor: Actor) -> dict[str, Any]:
    """Where it stands, what is next, the plan, the teams."""
    current, in_force = exchange.current_version, exchange.version_in_force
    shown = current if current and (not in_force or exchange.waiting_for or not signing_sides(exchange, actor)) else in_force or current
    if in_force and not managed_sides(exchange, actor) and not actor.is_operator:
        shown = in_force  # those who take part read what is in force, not what is being worked on
    taking_part = exchange.participants.filter(person_id=actor.person_id).first() if actor.person_id else None
    teaches = is_facilitator(exchange, actor)
    return {
        "exchange": exchange, "stages": _stages(exchange), "next_steps": _next_steps(exchange) if managed_sides(exchange, actor) else [],
        "turn": _turn(exchange, actor), "paper": paper_of(shown) if shown else None, "changes": _changes(exchange) if shown == current else [],
        "teaches": teaches, "taking_part": taking_part, "teams": [_team(each, actor) for each in _teams(exchange)] if managed_sides(exchange, actor) else [],
        "urgent": _urgent(exchange) if teaches and exchange.state == ExchangeState.RUNNING else None,
        "series": [{"url": f"/series/{each.pk}/", "title": text_in(each.title, get_language() or "en")} for each in series_of(exchange)],
        "without": exchange.participants.filter(state=ParticipantState.ACTIVE, team=None).count() if teaches else 0,
    }  # fmt: skip


def team_part(team: ExchangeTeam, actor: Actor) -> dict[str, Any]:
    return {"team": _team(team, actor)}


def paper_of(version: PlanVersion) -> dict[str, Any]:
    """One version as a page shows it: due times in the reader's zone, the plan's own beside them."""
    plan = version.text
    signed = {each.side: each for each in version.signatures.all()}
    return {
        "number": version.number, "digest": version.digest, "is_intact": version.is_intact, "zone": plan.zone, "hours": plan.hours,
        "languages": [language_label(code) for code in plan.languages], "tools": plan.tools, "facilitation": plan.facilitation, "assessment": plan.assessment,
        "conduct": plan.conduct, "share_tasks": plan.share_tasks, "share_check_ins": plan.share_check_ins, "needs_reflection": plan.needs_reflection,
        "phases": [{"label": say(PHASE_WORDS[each.phase]), "starts": datetime.fromisoformat(each.starts_on).date(), "ends": datetime.fromisoformat(each.ends_on).date()} for each in plan.phases],
        "tasks": [
            {
                "key": each.key, "title": each.title, "phase": say(PHASE_WORDS[each.phase]), "kind": say(KINDS[each.kind]), "hours": each.hours, "instructions": each.instructions,
                **_due(each.due, plan.zone),
            }
            for each in plan.tasks
        ],
        "sides": [
            {
                "label": text_in(side["name"], get_language() or "en"), "teacher": side["teacher_name"], "counts_as": side["counts_as"], "credits": credits_text(Decimal(side["credits"]), None, [], side["credit_system"]) if side["credits"] else "",
                "signed_at": signed[slug].at if slug in signed else None, "signer": signed[slug].person.name if slug in signed else "",
            }
            for slug, side in (("first", plan.first), ("second", plan.second))
        ],
        "because": version.because,
    }  # fmt: skip


def _to_sign(exchange: Exchange, actor: Actor) -> dict[str, Any]:
    version = exchange.current_version
    return {
        "exchange": exchange, "paper": paper_of(version), "changes": _changes(exchange), "turn": _turn(exchange, actor),
        "obstacles": say_reasons(why_incomplete(version.text)),
    }  # fmt: skip


@login_required
def watch(request: Request, pk: UUID) -> HttpResponse:
    """Who may need a word, with the reasons and the next action. For the two teachers and for nobody else."""
    exchange = EXCHANGE.seen_by(request.actor, pk)
    if not is_facilitator(exchange, request.actor):
        raise not_found()
    now, level = clock.now(), request.GET.get("level", "")
    said = dict(CheckIn.objects.visible_to(request.actor).filter(participant__exchange=exchange).order_by("week").values_list("participant", "words"))
    everybody = [{**_watched(each, request.actor), "words": said.get(each.participant.pk, "")} for each in watched(exchange, now)]
    lines = [line for line in everybody if not level or line["level"] == level]
    if request.GET.get("sort") == "name":
        lines.sort(key=lambda line: line["name"].casefold())
    if request.GET.get("format") == "csv":
        return _watch_csv(lines)
    limits = limits_on(now.date())
    counts = {each: sum(line["level"] == each for line in everybody) for each in ("act", "watch", "fine")}
    here = f"/exchanges/{pk}/watch/"
    context = {
        **_frame(exchange), "lines": lines, "limits": limits, "level": level,
        "tabs": [{"url": here, "label": f"{_('Everybody')} ({len(everybody)})", "current": not level}, *({"url": f"{here}?level={each}", "label": f"{_level(each)} ({counts[each]})", "current": level == each} for each in counts)],
        "csv_url": f"{here}?format=csv" + (f"&level={level}" if level in counts else ""), "sort_url": f"{here}?sort=name" + (f"&level={level}" if level in counts else ""),
    }  # fmt: skip
    return render(request, "instructor/collaborations/watch.html", context)


def _watch_csv(lines: list[dict[str, Any]]) -> HttpResponse:
    columns = ("name", "class", "team", "level", "reasons", "next", "tasks_done", "tasks_due", "check_ins", "weeks")
    rows = ([line[name] for name in columns] for line in lines)
    response = HttpResponse(csv_lines(columns, rows, get_language() or "en"), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="who-may-need-a-word.csv"'
    response["Cache-Control"] = "private, no-store"
    return response


def _watched(each: Any, actor: Actor) -> dict[str, Any]:
    participant, standing = each.participant, each.standing
    return {
        "name": shown_name(participant, actor), "class": side_label(participant.exchange, participant.side), "level": standing.level.value, "label": _level(standing.level.value),
        "team": team_name(participant.team.number) if participant.team else "",
        "tone": TONES[standing.level], "reasons": say_reasons(standing.reasons), "next": say_reason(standing.next) if standing.next else "",
        "contacts": [{"at": contact.at, "by": contact.by.name, "how": contact.how} for contact in each.contacts],
        "note_url": f"/exchanges/{participant.exchange_id}/watch/{participant.pk}/",
        "tasks_done": each.achieved.tasks_done, "tasks_due": each.achieved.tasks_due, "check_ins": each.achieved.check_ins, "weeks": each.achieved.weeks,
    }  # fmt: skip


@login_required
def contact(request: Request, pk: UUID, participant: UUID) -> HttpResponse:
    """Note a contact. The partner's teacher may, without reading the name: so the page is the exchange's, not the person's."""
    exchange = EXCHANGE.seen_by(request.actor, pk)
    found = exchange.participants.filter(pk=participant).select_related("person", "team", "exchange__first", "exchange__second").first() if is_facilitator(exchange, request.actor) else None
    if found is None:
        raise not_found()
    note = TABLE["participant", "note_contact"]
    form = ActionForm(note, found, request.actor, request)
    if request.method == "POST" and form.is_valid():
        try:
            note.perform(found, by=request.actor.delivering(key=request.POST.get("delivery_key", "")[:255], via="web"), now=clock.now(), **form.inputs())
        except Refused as refusal:
            for reason in refusal.reasons:
                form.add_error(reason.field if reason.field in form.fields else None, say_reason(reason))
        else:
            return redirect(f"/exchanges/{pk}/watch/")
    context = {**_frame(exchange), "name": shown_name(found, request.actor), "form": form, "delivery_key": str(new_id())}
    return render(request, "instructor/collaborations/contact.html", context, status=422 if form.errors else 200)


def _level(level: str) -> str:
    return {"act": _("Act now"), "watch": _("Keep an eye on"), "fine": _("Fine")}[level]


def _due(wall: str, zone: str) -> dict[str, Any]:
    """A task's due time as an instant, and as the plan's own clock writes it."""
    instant = resolve(datetime.fromisoformat(wall), zone).instant
    return {"due": instant, "wall": wall_text(instant, ZoneInfo(zone))}


def _said(reason: Reason) -> str:
    """A part's sentence; a language code in it is told by its name."""
    facts = dict(reason.params)
    if "language" in facts:
        facts["language"] = language_label(str(facts["language"]))
    return say_reason(Reason(reason.code, reason.text, facts))


def _hour(overlap: Overlap) -> dict[str, Any]:
    here = overlap.starts.astimezone(timezone.get_current_timezone())
    return {"weekday": str(WEEKDAY_LABELS[here.weekday()]), "starts": overlap.starts, "ends": overlap.ends, "minutes": overlap.least_minutes, "text": f"{here:%H:%M}–{overlap.ends.astimezone(timezone.get_current_timezone()):%H:%M}"}


def _outcome(fair: PartnerFair) -> dict[str, Any]:
    wishes = {str(wish.pk): wish for wish in PartnerWish.objects.filter(entries__fair=fair).select_related("organisation", "teacher")}

    def told_of(key: str) -> dict[str, str]:
        wish = wishes.get(key)
        return {"url": f"/partner-wishes/{key}/", "label": f"{title_of(wish)} · {name_of(wish.organisation)}" if wish else key}

    return {
        "pairs": [{"one": told_of(pair["wishes"][0]), "other": told_of(pair["wishes"][1]), "score": pair["score"], "places": pair["places"]} for pair in fair.outcome["pairs"]],
        "alone": [told_of(key) for key in fair.outcome["alone"]], "is_stable": fair.outcome["is_stable"],
        "blocking": [{"one": told_of(a), "other": told_of(b)} for a, b in fair.outcome["blocking"]],
    }  # fmt: skip


def _stages(exchange: Exchange) -> list[dict[str, Any]]:
    labels = {"planning": (_("Planned together"), None), "signing": (_("Signed by both"), None), "agreed": (_("Classes and teams ready"), None), "running": (_("Running"), exchange.starts_on), "finished": (_("Finished"), exchange.ends_on)}
    here = ORDER.index(exchange.state) if exchange.state in ORDER else -1
    done = exchange.state == ExchangeState.FINISHED
    return [{"label": labels[name][0], "at": labels[name][1], "state": "done" if number < here or done else "now" if number == here else "next"} for number, name in enumerate(ORDER)]


def _next_steps(exchange: Exchange) -> list[dict[str, str]]:
    """What is still missing on the way, for the two teachers and their offices: what, why, what next."""
    here, steps = f"/exchanges/{exchange.pk}/", []
    if not exchange.current:
        steps.append({"what": _("There is no plan yet."), "why": _("Phases, tasks, languages, assessment and a code of conduct are agreed before anything starts."), "next": _("Draft the plan"), "url": f"{here}draft_plan/"})
    if exchange.state in {"planning", "signing", "agreed"}:
        steps += [
            {"what": _("The class of %(class)s has no students here yet.") % {"class": side_label(exchange, side)}, "why": "", "next": _("Read its class list, or take it from a course"), "url": f"{here}import_roster/"}
            for side in SIDE_WORDS if not exchange.participants.filter(side=side).exists()
        ]  # fmt: skip
    if exchange.state in {"agreed", "running"} and exchange.participants.filter(state="active", team=None).exists():
        steps.append({"what": _("Some students are in no team."), "why": "", "next": _("Balance the teams again") if exchange.state == "running" else _("Form teams"), "url": f"{here}{'rebalance' if exchange.state == 'running' else 'form_teams'}/"})
    return steps


def _teams(exchange: Exchange) -> Any:
    return exchange.teams.prefetch_related("members__person", "members__exchange__first", "members__exchange__second")


def _team(team: ExchangeTeam, actor: Actor) -> dict[str, Any]:
    members = [each for each in team.members.all() if each.state != ParticipantState.LEFT]
    return {
        "url": f"/exchange-teams/{team.pk}/", "name": team_name(team.number), "why": [say_reason(Reason("team", text, facts)) for text, facts in team.told],
        "members": [{"name": shown_name(each, actor), "class": side_label(each.exchange, each.side), "zone": each.zone, "now": clock.now().astimezone(ZoneInfo(each.zone))} for each in members],
    }  # fmt: skip


def _urgent(exchange: Exchange) -> dict[str, int]:
    standings = [each.standing.level.value for each in watched(exchange, clock.now())]
    return {"act": standings.count("act"), "watch": standings.count("watch"), "all": len(standings)}


def _changes(exchange: Exchange) -> list[str]:
    current, in_force = exchange.current_version, exchange.version_in_force
    if current is None or in_force is None or current.number == in_force.number:
        return []
    return say_reasons(told(change) for change in differences(in_force.text, current.text))


def _turn(exchange: Exchange, actor: Actor) -> str:
    """yours, signed (by your side), or nothing."""
    version = exchange.current_version
    sides = signing_sides(exchange, actor)
    if not exchange.waiting_for or version is None or not sides:
        return ""
    return "yours" if any(side not in signed_sides(version) for side in sides) else "signed"


def _frame(exchange: Exchange) -> dict[str, Any]:
    here = f"/{EXCHANGE.plural}/{exchange.pk}/"
    return {
        "title": EXCHANGE.title(exchange), "here": here, "exchange": exchange,
        "crumbs": [{"url": f"/{EXCHANGE.plural}/", "label": say(EXCHANGE.label_plural)}, {"url": here, "label": EXCHANGE.title(exchange)}],
    }  # fmt: skip


SIGNING = Signing(EXCHANGE, TABLE["exchange", "sign_plan"], "instructor/collaborations/sign.html", _to_sign, signing_sides)
objects.EXTRAS["partner_wish"] = objects.Extra("instructor/collaborations/wish.html", wish_part)
objects.EXTRAS["partner_invitation"] = objects.Extra("instructor/collaborations/invitation.html", invitation_part)
objects.EXTRAS["partner_fair"] = objects.Extra("instructor/collaborations/fair.html", fair_part)
objects.EXTRAS["exchange"] = objects.Extra("instructor/collaborations/exchange.html", exchange_part)
objects.EXTRAS["exchange_team"] = objects.Extra("instructor/collaborations/team.html", team_part)

urlpatterns = [
    path("exchanges/<uuid:pk>/sign_plan/", SIGNING.sign, name="sign_exchange_plan"),
    path("exchanges/<uuid:pk>/watch/", watch, name="exchange_watch"),
    path("exchanges/<uuid:pk>/watch/<uuid:participant>/", contact, name="exchange_contact"),
]

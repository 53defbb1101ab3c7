"""The office's pages: the allocation of a call from its rules to the last freed seat, a run's page, the waiting lists."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from vsm.exchange.allocation.appeals import appeals_until, open_appeals
from vsm.exchange.allocation.computing import STAGES
from vsm.exchange.allocation.flows import beyond
from vsm.exchange.allocation.freezing import balances, rules_of
from vsm.exchange.allocation.models import Policy, Run, Seat, Trial, WaitingPlace
from vsm.exchange.allocation.policies import group_name, groups_said
from vsm.exchange.allocation.policy import (
    AGREEMENT_EFFECT,
    CLASH_EFFECTS,
    CREDIT_EFFECT,
    LIMIT_EFFECT,
    LOTTERY_EFFECTS,
    MECHANISM_EFFECTS,
    RECIPROCITY_EFFECTS,
    RESERVE_EFFECT,
    rules_obstacles,
)
from vsm.exchange.allocation.queries import MECHANISMS, RUN_STATES, audit_run, failures_of, problem_facts
from vsm.exchange.allocation.states import RunState, SeatState
from vsm.exchange.allocation.trials import SHORT_NAMES, TRIAL_STATES, trial_title
from vsm.exchange.applications.models import Call
from vsm.exchange.applications.queries import CALL, call_title, offerings_of, title_of
from vsm.exchange.applications.states import CallState
from vsm.kit import clock
from vsm.kit.actions import available
from vsm.kit.actors import Actor
from vsm.kit.i18n import N_
from vsm.kit.records import not_found
from vsm.kit.requests import Request
from vsm.kit.saying import say, say_reasons
from vsm.web.coordinator.comparing import (
    Column,
    bounds,
    charts,
    home_names,
    ledger,
    offering_titles,
    overview,
    placed_of,
    table,
)
from vsm.web.objects import EXTRAS, GUIDES, Extra
from vsm.web.public.allocation import CHANGES, rank_chart, rules_in_words

VERBS = ("lower_minima", "allocate", "commit_seed", "set_rules", "add_seats", "try_out")
# What an audit can promise where a reserve, a bound or a timetable comes between a student and a seat.
WITHIN = {
    "no-justified-envy": N_("Nobody was passed over for somebody with worse priority, but where a reserved seat or a bound asks for it."),
    "non-wastefulness": N_("No seat stays empty that a student wanted and that the bounds let her have."),
}
KEYS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MOST_COLUMNS = 4
PROMISES = {
    "digests": N_("The files are the ones whose fingerprints were noted."),
    "individual-rationality": N_("Nobody got what she did not choose, nobody more than she wanted."),
    "capacity": N_("No course has more students than seats."),
    "no-justified-envy": N_("Nobody was passed over for somebody with worse priority."),
    "non-wastefulness": N_("No seat stays empty that somebody wanted."),
    "limits": N_("Every bound that holds is kept: seats of agreements, least and most seats, balances."),
    "timetables": N_("Nobody has two seats that clash, or more credits than allowed."),
    "student-optimality": N_("No other result that keeps these promises is better for any student."),
}


@login_required
def allocation(request: Request, pk: UUID) -> HttpResponse:
    call: Call = CALL.seen_by(request.actor, pk)
    if not (request.actor.is_operator or request.actor.holds("coordinator", call.organisation_id)):
        raise not_found()
    now = clock.now()
    runs = list(Run.objects.visible_to(request.actor).filter(call=call).exclude(state=RunState.DISCARDED).order_by("number"))
    made = [run for run in runs if run.counts]
    published = next((run for run in runs if run.state == RunState.PUBLISHED), None)
    rules = rules_of(call)
    columns = [Column(KEYS[number], f"{_('Run %(number)d') % {'number': run.number}} · {say(SHORT_NAMES[run.mechanism])}", run.counts) for number, run in enumerate(made[-MOST_COLUMNS:])]
    title = call_title(call)
    context = {
        "title": _("Giving the seats"),
        "call": call,
        "call_title": title,
        "crumbs": [{"url": "/calls/", "label": say(CALL.label_plural)}, {"url": f"/calls/{call.pk}/", "label": title}],
        "verbs": _verbs(call, request.actor),
        "stages": _stages(call, runs, now),
        "rules": rules_in_words(call, rules),
        "rules_fixed": say_reasons(rules_obstacles(state=call.state, closes_at=call.closes_at, now=now)),
        "rules_saved": not rules._state.adding,
        "figures": _figures((published or made[-1]).counts) if made else _demanded(call),
        "facts": _facts(call, besides_figures=not made),
        "demand": _demand(call),
        "said": _said(call),
        "runs": [_column(run, request.actor) for run in runs],
        "is_under_way": any(run.state == RunState.COMPUTING for run in runs),
        "comparison": overview(columns) if len(columns) > 1 else None,
        "charts": charts(columns) if len(columns) > 1 else [],
        "trials": [_trial(trial) for trial in Trial.objects.filter(call=call).exclude(state="discarded").order_by("-number")[:5]],
        "ledger": _ledger(call, rules, published or (made[-1] if made else None)),
        "bounds": bounds((published or made[-1]).counts) if made else None,
        "published": published,
        "seats": seats_table(call, published) if published else None,
        "changes": changes_table(published) if published else None,
        "open_appeals": open_appeals(call) if published else 0,
        "appeals_until": appeals_until(call, published) if published else None,
    }
    return render(request, "coordinator/allocation/call.html", context)


def run_context(run: Run, actor: Actor) -> dict[str, Any]:
    """The page of one run: how it went, for whom, and what the audit found; while it is computed, how far it is."""
    told = {
        "run": run,
        "is_computing": run.state == RunState.COMPUTING,
        "is_failed": run.state == RunState.FAILED,
        "is_preview": run.state == RunState.PREVIEW,
        "is_scheduled": run.state == RunState.SCHEDULED,
        "stage": say(STAGES[min(run.progress, len(STAGES) - 1)]),
        "stages": len(STAGES),
        "failures": say_reasons(failures_of(run)),
        "allocation_url": f"/calls/{run.call_id}/allocation/",
        "here": f"/runs/{run.pk}/",
    }
    if not run.counts:
        return told
    found = audit_run(run)
    rules = rules_of(run.call)
    return {
        **told,
        "is_whole": True,
        "chart": rank_chart(run.counts),
        "figures": _figures(run.counts),
        "parts": placed_of(run.counts),
        "groups": groups_table(run),
        "offerings": offerings_table(run),
        "ledger": _ledger(run.call, rules, run),
        "bounds": bounds(run.counts),
        "warnings": _warnings(run, rules),
        "audit_ok": found.ok,
        "audit_faults": say_reasons(found.violations),
        "audit_proved": [say(({**PROMISES, **WITHIN} if _is_bounded(rules, found.proved) else PROMISES)[name]) for name in found.proved],
        "audit_applications": found.applications,
    }


def _is_bounded(rules: Policy, proved: Sequence[str]) -> bool:
    return bool(rules.reserves) or bool({"limits", "timetables"} & {*proved})


@login_required
def run_progress(request: Request, pk: UUID) -> HttpResponse:
    """The part of a run's page that changes while the worker computes; a page with scripts asks for it every two seconds."""
    run: Run = Run.objects.visible_to(request.actor).seen_by(request.actor, pk)
    response = render(request, "coordinator/allocation/progress.html", run_context(run, request.actor) if run.state == RunState.COMPUTING else {"run": run})
    if run.state != RunState.COMPUTING:
        response["HX-Refresh"] = "true"
    return response


def _figures(counts: dict[str, Any]) -> list[dict[str, Any]]:
    """The numbers that an office asks for first, as components/pipeline.html shows them."""
    told = [
        (_("Students with a seat"), counts["placed"], "good"),
        (_("With their first choice"), dict(counts["ranks"]).get(1, 0), "good"),
        (_("Students without"), counts["unplaced"], "warn" if counts["unplaced"] else "neutral"),
        (_("Seats left"), counts["seats_left"], "neutral"),
    ]
    return [{"label": label, "count": count, "tone": tone if count else "neutral", "url": ""} for label, count, tone in told]


def _demanded(call: Call) -> list[dict[str, Any]]:
    """Before there is a result: what is asked for, and what there is."""
    found = problem_facts(call)
    told = [(_("Nominated applications"), found.applications), (_("Seats wanted"), found.seats_wanted), (_("Seats in the call"), found.seats), (_("Courses"), found.offerings)]
    return [{"label": label, "count": count, "tone": "info", "url": ""} for label, count in told]


def groups_table(run: Run) -> dict[str, Any] | None:
    """By group, of those who agreed to be counted; None when nobody did. What small numbers hide is said, and not drawn."""
    rows = [([group_name(slug), every, part, None if every is None else every - part], "") for slug, every, part in run.counts.get("groups", ())]
    return table(_("By group"), [_("Group"), pgettext("several", "Nominated"), _("With a seat"), _("Without")], rows) if rows else None


def offerings_table(run: Run) -> dict[str, Any]:
    titles = offering_titles([row[0] for row in run.counts["offerings"]])
    rows = [
        ([titles[offering], seats, given, seats - given, ranked, waiting], f"/offerings/{offering}/")
        for offering, seats, given, ranked, waiting, *_firsts in run.counts["offerings"]
    ]
    labels = [_("Course"), _("Seats"), _("Given"), _("Still free"), _("Ranked by"), _("Waiting")]
    return table(_("By course"), labels, sorted(rows, key=lambda row: str(row[0][0]).casefold()))


def seats_table(call: Call, run: Run) -> dict[str, Any]:
    """How each course stands now, with the way to its seats and to its waiting list."""
    states = Counter(Seat.objects.filter(run=run).values_list("offering_id", "state"))
    waiting = Counter(WaitingPlace.objects.waiting().filter(run=run).values_list("offering_id", flat=True))
    rows = []
    for row in offerings_of(call):
        offered, accepted = (states[row.offering_id, state] for state in (SeatState.OFFERED, SeatState.ACCEPTED))
        query = f"?call={call.pk}&offering={row.offering_id}"
        rows.append(
            [
                {"value": {"url": f"/seats/{query}", "label": title_of(row.offering)}, "kind": "link"},
                row.seats, accepted, offered, max(0, row.seats - accepted - offered),
                {"value": {"url": f"/waiting-places/{query}&state=waiting", "label": str(waiting[row.offering_id])}, "kind": "link"},
            ]
        )  # fmt: skip
    labels = [_("Course"), _("Seats"), _("Accepted"), _("Offered"), _("Free"), _("Waiting")]
    return table(_("Seats and waiting lists now"), labels, [(row, "") for row in rows])


def changes_table(run: Run) -> dict[str, Any] | None:
    """What was changed by hand after the result, with its reasons, as everybody may read it."""
    rows = [
        ([title_of(each.offering), say(CHANGES[each.kind]), each.seats, {"value": each.at, "kind": "moment"}, each.because], "")
        for each in run.changes.select_related("offering__opportunity")
    ]
    return table(_("Changes by hand"), [_("Course"), _("What"), _("Seats"), _("When"), _("Why")], rows) if rows else None


def _ledger(call: Call, rules: Policy, run: Run | None) -> dict[str, Any] | None:
    """With the result that is published or was computed last; before there is one, the balances alone."""
    if run is None:
        return None
    now = _pairs(run)
    found = balances({home for home, _host in now} | {row[0] for row in run.counts["homes"]}, {host for _home, host in now if host}, call)
    return ledger(found, now, bound=rules.balance if rules.reciprocity else None)


def _warnings(run: Run, rules: Policy) -> list[str]:
    """What the office should know before it publishes: soft bounds that this result passes."""
    if rules.reciprocity != "soft" or run.state == RunState.PUBLISHED:
        return []
    now = _pairs(run)
    found = balances({home for home, _host in now}, {host for _home, host in now if host}, run.call)
    names = home_names([Column("A", "", run.counts)])
    return [
        _("%(home)s would have taken %(after)d more seats than it gave; the bound is %(bound)d.") % {"home": names[each.home], "after": each.before + now[each.home, each.host], "bound": rules.balance}
        for each in beyond(found, now, rules.balance)
    ]


def _pairs(run: Run) -> dict[tuple[str, str], int]:
    return {(home, host): number for home, host, number in run.counts.get("pairs", ()) if host}


def _stages(call: Call, runs: list[Run], now: datetime) -> list[dict[str, Any]]:
    """From the rules to the result, as components/lifecycle.html shows it."""
    done = [
        (_("Rules fixed"), now >= call.closes_at, call.closes_at),
        (_("Nominations in"), now >= call.nominate_by, call.nominate_by),
        (_("Previewed"), any(run.counts for run in runs), None),
        (_("Published"), call.state in (CallState.ALLOCATED, CallState.CLOSED), next((run.published_at for run in runs if run.published_at), None)),
    ]
    first_open = next((number for number, (_label, is_done, _at) in enumerate(done) if not is_done), len(done))
    return [
        {"label": label, "state": "done" if number < first_open else "now" if number == first_open else "next", "at": at}
        for number, (label, _is_done, at) in enumerate(done)
    ]


def _demand(call: Call) -> dict[str, Any] | None:
    """Courses by how many students ranked them, beside their seats."""
    found = problem_facts(call)
    seats = {str(row.offering_id): (title_of(row.offering), row.seats) for row in offerings_of(call)}
    rows = sorted(((title, found.ranked.get(pk, 0), number) for pk, (title, number) in seats.items()), key=lambda row: (-row[1], row[0]))[:12]
    if not any(ranked for _title, ranked, _seats in rows):
        return None
    largest = max(max(ranked, number) for _title, ranked, number in rows)
    keys = [("A", _("Students who ranked it")), ("B", _("Seats"))]
    return {
        "title": _("What is wanted, and what there is"),
        "series": [{"key": key, "label": label} for key, label in keys],
        "rows": [
            {"label": title, "bars": [{"key": key, "value": value, "share": f"{100 * value / largest:.1f}"} for (key, _label), value in zip(keys, (ranked, number), strict=True)]}
            for title, ranked, number in rows
        ],
    }


def _said(call: Call) -> dict[str, Any] | None:
    """How many of the nominated belong to each group, of those who agreed to be counted; small numbers left out."""
    rows = [([group_name(slug), every], "") for slug, every in groups_said(call)]
    return table(_("What students said of themselves"), [_("Group"), _("Students")], rows) if rows else None


def _facts(call: Call, *, besides_figures: bool) -> list[dict[str, Any]]:
    """What is to be given; `besides_figures` leaves out what the large figures (`_demanded`) say already."""
    found = problem_facts(call)
    told = [] if besides_figures else [
        {"label": _("Nominated applications"), "kind": "integer", "value": found.applications},
        {"label": _("Seats wanted"), "kind": "integer", "value": found.seats_wanted},
        {"label": _("Seats in the call"), "kind": "integer", "value": found.seats},
        {"label": _("Courses"), "kind": "integer", "value": found.offerings},
    ]  # fmt: skip
    return [
        *told,
        {"label": _("Choices"), "kind": "integer", "value": found.choices},
        {"label": _("By priority band"), "kind": "list", "value": [_("band %(band)d: %(students)d") % {"band": b, "students": n} for b, n in found.bands]},
        {"label": _("Homes nominate until"), "kind": "moment", "value": call.nominate_by},
    ]


def _verbs(call: Call, actor: Actor) -> list[dict[str, str]]:
    acts = sorted((act for act in available(call, actor) if act.verb in VERBS), key=lambda act: VERBS.index(act.verb))
    return [{"url": f"/calls/{call.pk}/{act.verb}/", "label": say(act.label), "tone": act.tone, "note": ""} for act in acts]


def _trial(trial: Trial) -> dict[str, Any]:
    label, tone = TRIAL_STATES[trial.state]
    return {"url": f"/trials/{trial.pk}/", "title": trial_title(trial), "state": {"label": say(label), "tone": tone}, "at": trial.created_at}


def _column(run: Run, actor: Actor) -> dict[str, Any]:
    label, tone = RUN_STATES[run.state]
    acts = [{"url": f"/runs/{run.pk}/{act.verb}/", "label": say(act.label), "tone": act.tone} for act in available(run, actor)]
    return {
        "url": f"/runs/{run.pk}/",
        "number": run.number,
        "rules": str(MECHANISMS[run.mechanism]),
        "state": {"label": say(label), "tone": tone},
        "made_at": run.created_at,
        "publish_at": run.publish_at,
        "chart": rank_chart(run.counts) if run.counts else None,
        "is_computing": run.state == RunState.COMPUTING,
        "stage": say(STAGES[min(run.progress, len(STAGES) - 1)]),
        "progress": run.progress,
        "stages": len(STAGES),
        "failures": say_reasons(failures_of(run)),
        "verbs": sorted(acts, key=lambda act: act["tone"] != "primary"),
    }


def guide(call: Call, _actor: Actor) -> dict[str, Any]:
    """Above the form of the rules: each question with the effects and prices of its answers."""
    questions = (
        (N_("Rules"), MECHANISM_EFFECTS), (N_("Lottery"), LOTTERY_EFFECTS), (N_("Reserved seats"), (RESERVE_EFFECT,)), (N_("Least and most seats"), (LIMIT_EFFECT,)),
        (N_("Keep the seats promised in agreements"), (AGREEMENT_EFFECT,)), (N_("Balance with each partner"), RECIPROCITY_EFFECTS),
        (N_("Clashing timetables"), CLASH_EFFECTS), (N_("Credits of one student"), (CREDIT_EFFECT,)),
    )  # fmt: skip
    return {
        "closes_at": call.closes_at,
        "guide_questions": [{"label": say(label), "effects": [{"label": say(e.label), "does": say(e.does), "price": say(e.price)} for e in effects]} for label, effects in questions],
    }


GUIDES["call", "set_rules"] = Extra("coordinator/allocation/guide.html", guide)
GUIDES["run", "publish"] = Extra("coordinator/allocation/publishing.html", lambda run, _actor: {"figures": _figures(run.counts)})
EXTRAS["run"] = Extra("coordinator/allocation/run.html", run_context)

urlpatterns = [
    path("calls/<uuid:pk>/allocation/", allocation, name="call_allocation"),
    path("runs/<uuid:pk>/progress/", run_progress, name="run_progress"),
]

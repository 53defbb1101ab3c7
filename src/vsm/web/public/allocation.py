"""A call's published rules: how seats are given, the sealed seed, and after publishing everything needed to check it.

Where groups count, the published problem leaves out who belongs to which: an institution knows the lists of its students,
and could otherwise read there what they said in confidence. The page says so, and checks the whole files itself.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.http import content_disposition_header
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from vsm.exchange.allocation.appeals import appeals_until
from vsm.exchange.allocation.audit import Audit
from vsm.exchange.allocation.freezing import groups_used, rules_of
from vsm.exchange.allocation.models import Frozen, Policy, Run
from vsm.exchange.allocation.policies import effect_of, group_name, limit_lines, reserve_lines
from vsm.exchange.allocation.policy import (
    AGREEMENT_EFFECT,
    CLASH_EFFECTS,
    CREDIT_EFFECT,
    LIMIT_EFFECT,
    LOTTERY_EFFECTS,
    MECHANISM_EFFECTS,
    RECIPROCITY_EFFECTS,
    RESERVE_EFFECT,
    Effect,
)
from vsm.exchange.allocation.problem import Mechanism, canonical_json
from vsm.exchange.allocation.queries import MECHANISMS, audit_run, published_run
from vsm.exchange.allocation.rules import opaque
from vsm.exchange.applications.models import Call
from vsm.exchange.applications.queries import CALL, call_title, own_application, title_of
from vsm.kit.actors import Actor
from vsm.kit.i18n import N_
from vsm.kit.localized import text_in
from vsm.kit.records import not_found
from vsm.kit.requests import Request
from vsm.kit.saying import say, say_reasons
from vsm.rulebook import group
from vsm.web.templatetags.look import number

FILES = ("problem", "outcome")


def rules(request: Request, pk: UUID) -> HttpResponse:
    call: Call = CALL.seen_by(request.actor, pk)
    run = published_run(call)
    fixed = rules_of(call)
    title = call_title(call)
    mechanism = run.mechanism if run else fixed.mechanism
    context = {
        "title": _("How seats are given"),
        "call": call,
        "call_title": title,
        "crumbs": [{"url": "/calls/", "label": say(CALL.label_plural)}, {"url": f"/calls/{call.pk}/", "label": title}],
        "run": run,
        "rules": rules_in_words(call, fixed, mechanism=mechanism),
        "rules_url": "" if fixed._state.adding else f"/policies/{fixed.pk}/",
        "several_seats": call.max_seats > 1,
        "by_lottery_alone": mechanism == Mechanism.SERIAL_DICTATORSHIP,
        "one_lottery": fixed.lottery == "single",
        "is_bounded": _is_bounded(fixed),
        "groups": [{"name": group_name(slug), "definition": text_in(group(slug).definition, get_language() or "en")} for slug in groups_used(fixed)],
        "appeal_days": fixed.appeal_days,
        "respond_days": 0 if call.respond_hours % 24 or call.respond_hours < 72 else call.respond_hours // 24,
        **(_published(run, fixed) if run else {}),
        "audit": _audit_shown(run, request) if run else None,
        "own_name": _own_name(call, request.actor),
    }
    return render(request, "public/allocation/rules.html", context)


def frozen(request: Request, pk: UUID, file: str) -> HttpResponse:
    """The frozen problem or its outcome. Absent before the result is published.

    Byte for byte as it was audited, except that a problem with groups is given without them.
    """
    run = published_run(CALL.seen_by(request.actor, pk))
    if run is None or file not in FILES:
        raise not_found()
    content = _for_everybody(run.pk) if file == "problem" else bytes(run.frozen.outcome)
    response = HttpResponse(content, content_type="application/json")
    response["Content-Disposition"] = content_disposition_header(True, f"{run.call.code}-{file}.json") or "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@lru_cache(maxsize=8)
def _for_everybody(run_id: UUID) -> bytes:
    """The frozen problem without anybody's groups; a published run never changes, so it is made once."""
    content = bytes(Frozen.objects.get(run_id=run_id).problem)
    document = json.loads(content)
    if not any(student.pop("groups", None) for student in document["students"]):
        return content
    return canonical_json(document)


def _audit_shown(run: Run, request: Request) -> dict[str, Any] | None:
    """What the audit finds in the frozen files now, when the reader asks for it."""
    if "audit" not in request.GET:
        return None
    found = _audited(run.pk)
    return {"ok": found.ok, "choices": found.applications, "faults": say_reasons(found.violations[:20]), "problem": found.problem, "outcome": found.outcome}


@lru_cache(maxsize=32)
def _audited(run_id: UUID) -> Audit:
    """Once a process for each run: the answer follows from bytes that never change, and anybody may ask."""
    return audit_run(Run.objects.select_related("call", "frozen").get(pk=run_id))


def rules_in_words(call: Call, rules: Policy, *, mechanism: str | None = None) -> list[dict[str, Any]]:
    """Each choice of the office with what it does and what it costs; of what is not used nothing is said."""
    effects: list[tuple[Effect, list[str]]] = [
        (effect_of(MECHANISM_EFFECTS, rules.mechanism if mechanism is None else mechanism), []),
        (effect_of(LOTTERY_EFFECTS, rules.lottery), []),
    ]
    if rules.reserves:
        effects.append((RESERVE_EFFECT, reserve_lines(rules)))
    if rules.limits:
        effects.append((LIMIT_EFFECT, limit_lines(rules)))
    if rules.use_agreements:
        effects.append((AGREEMENT_EFFECT, []))
    if rules.reciprocity:
        effects.append((effect_of(RECIPROCITY_EFFECTS, rules.reciprocity), [_("Bound: %(seats)d seats more than it gives") % {"seats": rules.balance}]))
    if rules.clashes != "allow":
        effects.append((effect_of(CLASH_EFFECTS, rules.clashes), []))
    if rules.credits_least is not None or rules.credits_most is not None:
        effects.append((CREDIT_EFFECT, _credit_lines(rules)))
    return [{"label": say(effect.label), "lines": lines, "does": say(effect.does), "price": say(effect.price)} for effect, lines in effects]


def _is_bounded(rules: Policy) -> bool:
    """Whether something else than seats and priorities decides: then no result is the best of all for the students."""
    return bool(rules.limits or rules.use_agreements or rules.reciprocity or rules.clashes != "allow" or rules.credits_least is not None or rules.credits_most is not None)


def _credit_lines(rules: Policy) -> list[str]:
    lines = []
    if rules.credits_least is not None:
        lines.append(_("At least %(credits)s") % {"credits": number(rules.credits_least)})
    if rules.credits_most is not None:
        lines.append(_("At most %(credits)s") % {"credits": number(rules.credits_most)})
    return lines


def rank_chart(counts: dict[str, Any]) -> dict[str, Any]:
    """How many students got at best which choice, as components/chart_bars.html draws it."""
    rows = [{"label": _("Choice %(rank)d") % {"rank": rank}, "value": students} for rank, students in counts["ranks"]]
    return {
        "title": _("Students by the best choice they got a seat in"),
        "rows": [*rows, {"label": _("No seat"), "value": counts["unplaced"]}],
    }


def _published(run: Run, rules: Policy) -> dict[str, Any]:
    return {
        "changes": _changes(run),
        "has_groups": bool(groups_used(rules)),
        "until": appeals_until(run.call, run),
        "result_facts": [
            {"label": _("Rules used"), "kind": "text", "value": str(MECHANISMS[run.mechanism])},
            *([{"label": _("Why this result"), "kind": "text", "value": run.because}] if run.because else []),
            {"label": _("Published"), "kind": "moment", "value": run.published_at},
            {"label": _("Applications"), "kind": "integer", "value": run.counts["applications"]},
            {"label": _("Students with a seat"), "kind": "integer", "value": run.counts["placed"]},
            {"label": _("Seats"), "kind": "integer", "value": run.counts["seats"]},
            {"label": _("Seats given"), "kind": "integer", "value": run.counts["seats_given"]},
        ],
        "chart": rank_chart(run.counts),
        "proof": [
            {"label": _("Seed of the lottery"), "kind": "digest", "value": run.seed},
            {"label": _("Frozen problem"), "kind": "file", "value": _file(run, "problem")},
            {"label": _("Fingerprint of the frozen problem"), "kind": "digest", "value": run.problem_digest},
            {"label": _("Outcome"), "kind": "file", "value": _file(run, "outcome")},
            {"label": _("Fingerprint of the outcome"), "kind": "digest", "value": run.outcome_digest},
        ],
    }


def _file(run: Run, file: str) -> dict[str, Any]:
    size = len(_for_everybody(run.pk) if file == "problem" else bytes(run.frozen.outcome))
    return {"url": f"/calls/{run.call_id}/rules/{file}.json", "name": f"{file}.json", "size": size, "type": "json"}


CHANGES = {"late-seats": N_("Late seats"), "by-hand": N_("A seat given by hand"), "place": N_("A place in line given back")}


def _changes(run: Run) -> Sequence[dict[str, Any]]:
    """What was changed by hand after the result, with its reasons."""
    return [
        {"what": say(CHANGES[each.kind]), "course": title_of(each.offering), "seats": each.seats, "at": each.at, "why": each.because}
        for each in run.changes.select_related("offering__opportunity")
    ]


def _own_name(call: Call, actor: Actor) -> str:
    own = own_application(call, actor) if actor.person_id else None
    return opaque(own.pk) if own else ""


urlpatterns = [
    path("calls/<uuid:pk>/rules/", rules, name="allocation_rules"),
    path("calls/<uuid:pk>/rules/<slug:file>.json", frozen, name="allocation_file"),
]

"""The pages that every noun has: its list, its page, its history, and the form of each act upon it.

They are drawn from the tables of resources and actions. A noun that needs more than facts and lists registers an
`extra` (a template and its context) in the module of the audience that it serves.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from vsm.kit import audit, clock
from vsm.kit.actions import NOTED, TABLE, Action, actions_on, available, rehearse
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Refused
from vsm.kit.ids import new_id
from vsm.kit.records import Record, not_found
from vsm.kit.requests import Request
from vsm.kit.resources import RESOURCES, Resource, by_plural
from vsm.kit.saying import say, say_reason, say_reasons
from vsm.kit.verdict import Reason
from vsm.web.forms import ActionForm, RowsField
from vsm.web.listing import Listing, address, cells, csv_of, listing_of, query_of


@dataclass(frozen=True)
class Extra:
    """A part that only this noun's page has. `leads`: it stands above the buttons, for it holds the main one."""

    template: str
    context: Callable[[Any, Actor], dict[str, Any]]
    leads: bool = False


EXTRAS: dict[str, Extra] = {}
# What a new record tells once and nobody keeps; an empty context means that it was told already.
ONCE: dict[str, Extra] = {}
# What an act's form shows above its questions, by (noun, verb): what each choice does, before it is made.
GUIDES: dict[tuple[str, str], Extra] = {}
TONES = {"primary": 0, "secondary": 1, "aside": 2, "warning": 3}


@require_safe
def list_page(request: Request, plural: str) -> HttpResponse:
    entry = _resource(plural)
    listing = listing_of(entry, request.actor, query_of(request))
    return render(request, "objects/list.html", {"title": say(entry.label_plural), "listing": listing, "starts": _starts(entry, request.actor)})


@require_safe
def list_csv(request: Request, plural: str) -> HttpResponseBase:
    return csv_of(_resource(plural), request.actor, query_of(request))


@require_safe
def page(request: Request, plural: str, pk: UUID) -> HttpResponse:
    entry = _resource(plural)
    record = entry.seen_by(request.actor, pk)
    fields = tuple(shown for shown in entry.fields if shown.detail)
    extra = EXTRAS.get(entry.noun)
    context = {
        **_frame(entry, record, "facts"),
        "facts": [cell for cell in cells(entry, record, fields) if cell["value"] not in ("", None, [], {})],
        "verbs": verbs_of(entry, record, request.actor),
        "sections": [made for section in entry.sections if (made := _section(section, record, request.actor))["listing"].total],
        "extra": extra.template if extra else "",
        "leads": bool(extra and extra.leads),
        **(extra.context(record, request.actor) if extra else {}),
    }
    return render(request, "objects/page.html", context)


@require_safe
def history(request: Request, plural: str, pk: UUID) -> HttpResponse:
    entry = _resource(plural)
    record = entry.seen_by(request.actor, pk)
    return render(request, "objects/history.html", {**_frame(entry, record, "history"), "entries": history_of(record)})


@require_http_methods(["GET", "HEAD", "POST"])
def act(request: Request, plural: str, pk: UUID, verb: str) -> HttpResponse:
    """Ask for what the action needs, then do it. The form carries the version it was drawn for and a key of its own."""
    entry = _resource(plural)
    record = entry.seen_by(request.actor, pk)
    action = TABLE.get((entry.noun, verb))
    if action is None:
        raise not_found()
    form = ActionForm(action, record, request.actor, request)
    if request.method == "POST" and "more-lines" in request.POST:
        return _form_page(request, entry, record, action, form.as_typed(), status=200)
    if request.method == "POST" and form.is_valid():
        try:
            result = perform(action, record, form.inputs(), _delivering(request))
        except Refused as refusal:
            if refusal.status not in {409, 422}:
                raise
            _tell(form, refusal.reasons)
            return _form_page(request, entry, record, action, form, status=refusal.status)
        if told := _told_once(result, request.actor):
            return render(request, ONCE[result.noun].template, {**_frame(RESOURCES[result.noun], result, ""), **told})
        messages.success(request, _("Done: %(act)s") % {"act": say(action.label)})
        return redirect(_after(result, record, entry, request.actor))
    if request.method == "POST":
        _tell(form, _rules_too(action, record, form, request.actor))
    status = 422 if request.method == "POST" else 200
    if status == 200 and not (action.permits(record, request.actor) and action.possible(record) and action.is_for(record, request.actor)):
        return _form_page(request, entry, record, action, None, status=409)
    return _form_page(request, entry, record, action, form, status=status)


def perform(action: Action, record: Record, inputs: dict[str, Any], by: Actor) -> Any:
    """Call one action now."""
    return action.perform(record, by=by, now=clock.now(), **inputs)


def history_of(record: Record) -> list[dict[str, Any]]:
    """The audit entries of a record as components/history.html shows them."""
    return [
        {
            "at": told.at,
            "who": _("the program") if told.who == SYSTEM.label else told.who or _("(erased)"),
            "what": _verb_label(told.noun, told.verb),
            "why": told.because,
            "changes": [{"label": name.removesuffix("_id").replace("_", " "), "before": pair[0], "after": pair[1]} for name, pair in told.changes.items() if isinstance(pair, list) and len(pair) == 2],
        }
        for told in audit.history([(record.noun, record.pk)])
    ]


def verbs_of(entry: Resource, record: Record, actor: Actor) -> list[dict[str, str]]:
    """The buttons: what this actor can do to this record now, the main one first."""
    able = sorted(((action, action.tone_on(record)) for action in available(record, actor)), key=lambda pair: TONES.get(pair[1], 1))
    return [{"url": f"{address(entry, record)}{action.verb}/", "label": say(action.label), "tone": tone, "note": ""} for action, tone in able]


def _resource(plural: str) -> Resource:
    entry = by_plural(plural)
    if entry is None:
        raise not_found()
    return entry


def _told_once(result: Any, actor: Actor) -> dict[str, Any]:
    """The one answer to a form that is no redirect: what it says could not be read again."""
    made = ONCE.get(getattr(result, "noun", ""))
    return made.context(result, actor) if made else {}


def _delivering(request: Request) -> Actor:
    expected = request.POST.get("expected_version", "")
    actor: Actor = request.actor
    return actor.delivering(key=request.POST.get("delivery_key", "")[:255], expected=int(expected) if expected.isdigit() else None, via="web")


def _rules_too(action: Action, record: Record, form: ActionForm, by: Actor) -> list[Reason]:
    """What the rules say about what is written already, so that a missing text does not hide it. What they say about a text that is
    missing says no more than the form does."""
    inputs = form.inputs_as_if_written()
    if inputs is None:
        return []
    found = rehearse(action, record, by=by.delivering(via="web"), now=clock.now(), **inputs)
    return [each for each in found if each.field not in form.errors or isinstance(form.fields.get(each.field), RowsField)]


def _why_not(action: Action, record: Record, by: Actor) -> list[str]:
    """Why an act that is this role's waits for somebody else: no form is asked that would be refused whatever is written in it."""
    if not action.permits(record, by) or not action.possible(record) or action.is_for(record, by):
        return []
    blank = ActionForm(action, record, by)
    blank.is_bound = True
    blank.full_clean()
    return say_reasons(_rules_too(action, record, blank, by))


def _tell(form: ActionForm, reasons: Iterable[Reason]) -> None:
    for reason in reasons:
        form.add_error(reason.field if reason.field in form.fields else None, say_reason(reason))


def _form_page(request: Request, entry: Resource, record: Record, action: Action, form: ActionForm | None, *, status: int) -> HttpResponse:
    guide = GUIDES.get((action.noun, action.verb)) if form else None
    context = {
        **_frame(entry, record, ""),
        **(guide.context(record, request.actor) if guide else {}),
        "guide": guide.template if guide else "",
        "act": say(action.label),
        "form": form,
        "tone": action.tone,
        "expected_version": record.version,
        "delivery_key": request.POST.get("delivery_key") or str(new_id()),
        "is_allowed": action.permits(record, request.actor),
        "why_not": [] if form else _why_not(action, record, request.actor),
    }
    return render(request, "objects/act.html", context, status=status)


def _after(result: Any, record: Record, entry: Resource, actor: Actor) -> str:
    """The page of what came of it; the list, where what somebody did took it out of their sight."""
    made = RESOURCES.get(result.noun) if isinstance(result, Record) else None
    there, shown = (made, result) if made else (entry, record)
    return address(there, shown) if there.visible_to(actor).filter(pk=shown.pk).exists() else f"/{there.plural}/"


def _frame(entry: Resource, record: Record, current: str) -> dict[str, Any]:
    here = address(entry, record)
    return {
        "title": entry.title(record),
        "noun_label": say(entry.label),
        "record": record,
        "here": here,
        "crumbs": [{"url": f"/{entry.plural}/", "label": say(entry.label_plural)}, {"url": here, "label": entry.title(record)}],
        "tabs": [
            {"url": here, "label": _("Facts"), "current": current == "facts"},
            {"url": f"{here}history/", "label": _("History"), "current": current == "history"},
        ],
    }


def _section(section: Any, record: Record, actor: Actor) -> dict[str, Any]:
    entry = RESOURCES[section.noun]
    found = entry.visible_to(actor).filter(**section.narrow(record))
    return {"label": say(section.label), "listing": _without(address(RESOURCES[record.noun], record), listing_of(entry, actor, {}, base=found))}


def _without(page: str, listing: Listing) -> Listing:
    """A list that stands on `page`, without the columns of which every row leads to this very page."""
    rows = listing.rows
    kept = [number for number in range(len(listing.columns)) if any(row["cells"][number]["kind"] != "link" or row["cells"][number]["value"]["url"] != page for row in rows)]
    return replace(listing, columns=[listing.columns[number] for number in kept], rows=[{**row, "cells": [row["cells"][number] for number in kept]} for row in rows])


def _starts(entry: Resource, actor: Actor) -> list[dict[str, str]]:
    """Links to the acts that make a new record of this noun, at each organisation where the actor may."""
    links: list[dict[str, str]] = []
    for parent_noun, verb in entry.starts:
        parent = RESOURCES[parent_noun]
        action = TABLE[parent_noun, verb]
        found = parent.visible_to(actor)
        if parent_noun == "organisation":
            found = found.filter(pk__in=actor.organisations())
        links += [
            {"url": f"{address(parent, record)}{verb}/", "label": f"{say(action.label)} · {parent.title(record)}", "tone": "primary", "note": ""}
            for record in found[:5]
            if action.permits(record, actor) and action.possible(record)
        ]
    return links


def _verb_label(noun: str, verb: str) -> str:
    for action in actions_on(noun):
        if action.verb == verb:
            return say(action.label)
    if noted := NOTED.get((noun, verb)):
        return say(noted)
    made = next((action for action in TABLE.values() if action.verb == verb), None)
    return say(made.label) if made else verb.replace("_", " ")

"""The page on which one version of a text is read and signed, the same for every kind of text that parties sign."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render

from vsm.kit import clock
from vsm.kit.actions import Action
from vsm.kit.actors import Actor
from vsm.kit.errors import Refused
from vsm.kit.ids import new_id
from vsm.kit.records import not_found
from vsm.kit.requests import Request
from vsm.kit.resources import Resource
from vsm.kit.saying import say_reason, say_reasons
from vsm.kit.signed_texts import is_asked
from vsm.web import objects
from vsm.web.forms import ActionForm


@dataclass(frozen=True)
class Signing:
    """How one noun's text is signed. `told(record, actor)` gives what the template shows beside the form: paper, changes,
    turn. `sides(record, actor)` are those that the actor may sign for: with fewer than two the form does not ask."""

    entry: Resource
    act: Action
    template: str
    told: Callable[[Any, Actor], Mapping[str, Any]]
    sides: Callable[[Any, Actor], Sequence[Any]]

    def sign(self, request: Request, pk: UUID) -> HttpResponse:
        """Read the whole text, then sign that text: the form carries the fingerprint of what stands above it."""
        record = self.entry.seen_by(request.actor, pk)
        if not (self.act.permits(record, request.actor) and self.act.possible(record)):
            return objects.act(request, self.entry.plural, pk, self.act.verb)
        form, refusal = self._form(record, request.actor, request), None
        if request.method == "POST" and form.is_valid():
            try:
                # Bound to the text's fingerprint, not to the record's version: another side's signature is no conflict.
                by = request.actor.delivering(key=request.POST.get("delivery_key", "")[:255], via="web")
                self.act.perform(record, by=by, now=clock.now(), **form.inputs())
            except Refused as cause:
                if cause.status not in {409, 422}:
                    raise
                record, refusal = self.entry.seen_by(request.actor, pk), cause
            else:
                return redirect("object", self.entry.plural, pk)
        return self._page(request, record, form, refusal)

    def _form(self, record: Any, actor: Actor, request: Request | None = None) -> ActionForm:
        form = ActionForm(self.act, record, actor, request)
        form.fields["digest"].widget = form.fields["digest"].hidden_widget()
        if len(self.sides(record, actor)) < 2:
            form.fields.pop("side", None)
        return form

    def _page(self, request: Request, record: Any, form: ActionForm, refusal: Refused | None) -> HttpResponse:
        if not self.act.possible(record):
            return objects.act(request, self.entry.plural, record.pk, self.act.verb)
        if refusal:
            # What is signed next must be what stands on the page now, never what was sent with the refused form.
            form = self._form(record, request.actor)
        here, title = f"/{self.entry.plural}/{record.pk}/", self.entry.title(record)
        context = {
            "title": title, "here": here, "form": form, "delivery_key": str(new_id()),
            "crumbs": [{"url": f"/{self.entry.plural}/", "label": str(self.entry.label_plural)}, {"url": here, "label": title}],
            "refused": say_reason(refusal.reasons[0]) if refusal else "", "reasons": say_reasons(refusal.reasons[1:]) if refusal else [],
            **self.told(record, request.actor),
        }  # fmt: skip
        return render(request, self.template, context, status=refusal.status if refusal else 422 if form.errors else 200)


def version_asked(request: Request, record: Any) -> Any:
    """The version that `?version=2` names, else the current one; `NotFound` when there is none."""
    asked = request.GET.get("version", "")
    version = record.version_numbered(int(asked)) if asked.isdecimal() else record.current_version
    if version is None:
        raise not_found()
    return version


def as_pdf(content: bytes, name: str) -> HttpResponse:
    """A signed text on paper: shown in place, kept nowhere on the way."""
    headers = {"Content-Disposition": f'inline; filename="{name}.pdf"', "Cache-Control": "private, no-store"}
    return HttpResponse(content, content_type="application/pdf", headers=headers)


def turn(side_of_actor: Sequence[str], signed: Mapping[str, Any], person_id: UUID | None) -> str:
    """yours, signed (by your side; others are to come), or nothing. `signed` is side → who signed for it."""
    if not side_of_actor:
        return ""
    return "yours" if is_asked(signed, side_of_actor, person_id) else "signed"

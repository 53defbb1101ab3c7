"""Concerns: the page by which anybody can raise one without a name, the link by which they read the answers, and the officer's file."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import name_of
from vsm.exchange.placements.actions import safeguarding
from vsm.exchange.placements.models import Concern, Officer
from vsm.exchange.placements.queries.conduct import CONCERN_KINDS, kind_choices
from vsm.kit import clock
from vsm.kit.actors import SYSTEM, Actor
from vsm.kit.errors import Refused
from vsm.kit.requests import Request
from vsm.kit.saying import say_reason
from vsm.web import objects


class ConcernForm(forms.Form):
    """What is told, to which institution's officer."""

    home = forms.ChoiceField(label=gettext_lazy("To the officer of"), help_text=gettext_lazy("The institution where the student studies. The host is never told."))
    kind = forms.ChoiceField(label=gettext_lazy("What is it about?"), choices=lambda: [("", "—"), *kind_choices()])
    text = forms.CharField(label=gettext_lazy("What happened"), max_length=10000, widget=forms.Textarea(attrs={"rows": 8}), help_text=gettext_lazy("When, where, who, and what you would like to happen. Write as much or as little as you want."))
    is_urgent = forms.BooleanField(label=gettext_lazy("Somebody is in danger now"), required=False, help_text=gettext_lazy("In danger, call your local emergency number first."))
    contact = forms.CharField(label=gettext_lazy("How to reach you, if you like"), max_length=254, required=False, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data)
        found = Organisation.objects.filter(pk__in=Officer.objects.values("organisation_id"))
        self.fields["home"].choices = [("", "—"), *sorted(((str(each.pk), name_of(each)) for each in found), key=lambda pair: pair[1])]  # type: ignore[attr-defined]  # -- a ChoiceField


class MoreForm(forms.Form):
    text = forms.CharField(label=gettext_lazy("Add something"), max_length=10000, widget=forms.Textarea(attrs={"rows": 5}))


def tell(request: Request) -> HttpResponse:
    """Raise a concern without a name. The link to the answers is shown once."""
    form = ConcernForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            concern, secret = safeguarding.take_publicly(
                Organisation.objects.get(pk=given["home"]), now=clock.now(), kind=given["kind"], text=given["text"], is_urgent=given["is_urgent"], contact=given["contact"]
            )
        except Refused as refusal:
            _tell(form, refusal)
        else:
            context = {"title": _("Thank you for telling us"), "address": request.build_absolute_uri(f"/concern/{secret}/"), "path": f"/concern/{secret}/", "acknowledge_by": concern.acknowledge_by}
            return _private(render(request, "placements/concern_taken.html", context))
    return _private(render(request, "placements/concern_form.html", {"title": _("Raise a concern"), "form": form}, status=422 if request.method == "POST" else 200))


def follow(request: Request, token: str) -> HttpResponse:
    """The answers to an unnamed concern, for whoever holds its link."""
    concern = safeguarding.concern_of(token)
    if concern is None:
        return render(request, "placements/concern_follow.html", {"title": _("Your concern"), "unknown": True}, status=404)
    form, status = MoreForm(request.POST if request.method == "POST" else None), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                safeguarding.add_by_link(concern, by=SYSTEM, now=clock.now(), text=form.cleaned_data["text"])
            except Refused as refusal:
                _tell(form, refusal)
            else:
                form, status = MoreForm(), 200
                concern = safeguarding.concern_of(token) or concern
    context = {"title": _("Your concern"), "concern": concern, "kind": str(CONCERN_KINDS[concern.kind]), "notes": _told(concern), "form": form, "is_open": concern.state != "closed"}
    return _private(render(request, "placements/concern_follow.html", context, status=status))


def part(concern: Concern, actor: Actor) -> dict[str, Any]:
    """The file: the officer reads every note, who raised it those that are told."""
    is_officer = actor.person_id in {concern.officer_id, concern.deputy_id}
    late = concern.acknowledged_at is None and concern.acknowledge_by < clock.now()
    return {"notes": list(concern.notes.all()) if is_officer else _told(concern), "is_officer": is_officer, "late": late, "acknowledge_by": concern.acknowledge_by, "waits": concern.acknowledged_at is None}


def _told(concern: Concern) -> list[Any]:
    return [each for each in concern.notes.all() if each.is_told]


def _private(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _tell(form: forms.Form, refusal: Refused) -> None:
    for reason in refusal.reasons:
        form.add_error(reason.field if reason.field in form.fields else None, say_reason(reason))


objects.EXTRAS["concern"] = objects.Extra("placements/concern.html", part)

urlpatterns = [
    path("concern/", tell, name="concern"),
    path("concern/<str:token>/", follow, name="concern_follow"),
]

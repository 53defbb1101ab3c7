"""Confirming a new mail address by its link, signed in or not."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from vsm.exchange.people.actions import change_of, confirm_by_link, no_such_change, why_not_confirm
from vsm.kit import clock
from vsm.kit.errors import Refused
from vsm.kit.requests import Request
from vsm.kit.saying import say_reasons


def confirm(request: Request, token: str) -> HttpResponse:
    """A button, not the visit itself: programs that look into mail open every link."""
    change, now = change_of(token), clock.now()
    reasons = why_not_confirm(change, now, request.actor) if change else [no_such_change()]
    context: dict[str, Any] = {"title": _("Confirm your mail address"), "change": change}
    status = 200 if change else 404
    if request.method == "POST":
        try:
            context["done"], reasons = confirm_by_link(token, by=request.actor, now=now), []
        except Refused as refusal:
            reasons, status = list(refusal.reasons), refusal.status
    response = render(request, "public/address.html", {**context, "reasons": say_reasons(reasons)}, status=status)
    response.headers["Cache-Control"] = "private, no-store"
    return response


urlpatterns = [path("address/<str:token>/", confirm, name="confirm_address")]

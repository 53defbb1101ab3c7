"""The first page, and the small pages about this installation: roles, time zone, accessibility, handbook."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt

from vsm.exchange.applications.models import Call
from vsm.exchange.catalogue.categories import Category, all_categories
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.people.models import is_zone, zones
from vsm.exchange.people.rules import ROLE_LABELS
from vsm.kit import clock
from vsm.kit.actions import GRANTEES, TABLE, Action
from vsm.kit.actors import Actor
from vsm.kit.localized import text_in
from vsm.kit.requests import Request
from vsm.kit.resources import RESOURCES
from vsm.kit.saying import say
from vsm.web import gallery
from vsm.web.reader import ZONE_COOKIE

HANDBOOK = Path(__file__).resolve().parents[4] / "docs" / "handbook"
OF_OFFICE = {"organisation": "pk__in", "host": "organisation__in"}
"""Upon what an office offers something, by how it is found among the reader's organisations."""
YEAR = 365 * 24 * 3600


def home(request: Request) -> HttpResponse:
    now = clock.now()
    calls = Call.objects.visible_to(request.actor).filter(state="published", closes_at__gt=now).select_related("organisation").order_by("closes_at")[:4]
    universities = Organisation.objects.filter(kind="university")
    context: dict[str, Any] = {
        "hero": {
            "title": _("Study with the world from where you are"),
            "lead": _("Take a course at a partner university online, with credit recognised at home. One record from agreement to credential."),
            "search_url": reverse("search"),
            "search_label": _("Search courses"),
            "search_hint": _("Statistics, climate, law…"),
            "figures": [
                {"label": _("Courses on offer"), "value": Offering.objects.filter(state="published", ends_on__gte=now.date()).count()},
                {"label": _("Institutions"), "value": universities.count()},
                {"label": _("Countries"), "value": universities.values("country").distinct().count()},
            ],
        },
        "calls": [
            {"url": f"/calls/{call.pk}/", "title": text_in(call.title, get_language() or "en"), "phase": call.phase(now), "opens_at": call.opens_at, "closes_at": call.closes_at, "organisation": str(call.organisation)}
            for call in calls
        ],
        "categories": [{"name": each.name, "summary": each.summary, "find": f"/{each.find}", "offer": _offer(each, request.actor)} for each in all_categories()],
    }
    return render(request, "public/home.html", context)


def _offer(category: Category, actor: Actor) -> dict[str, str] | None:
    """The act with which this reader's institution or company offers something in the category, if the reader may."""
    mine = actor.organisations("coordinator", "instructor", "registrar")
    for noun, verb in category.offer:
        act, entry = TABLE[noun, verb], RESOURCES[noun]
        for place in entry.model._default_manager.filter(**{OF_OFFICE[noun]: mine}).order_by("pk"):
            if act.permits(place, actor) and act.possible(place):
                chosen = f"?category={category.slug}" if "category" in act.asks else ""
                return {"url": f"/{entry.plural}/{place.pk}/{verb}/{chosen}", "label": say(act.label)}
    return None


def roles(request: Request) -> HttpResponse:
    """The role matrix, drawn from the table of actions itself, so it cannot be out of date."""
    groups: dict[str, list[Action]] = {}
    for action in TABLE.values():
        entry = RESOURCES.get(action.noun)
        groups.setdefault(say(entry.label) if entry else action.noun, []).append(action)
    return render(request, "public/roles.html", {"groups": {label: _matrix(acts) for label, acts in groups.items()}})


def _matrix(acts: Sequence[Action]) -> dict[str, Any]:
    """Who may do these acts: a column for each role that may do any of them."""
    roles = [*ROLE_LABELS, "self", "operator"]
    may = [{grant.partition("@")[0] for grant in action.allow} for action in acts]
    may = [set(roles) if each & {"anyone", "person"} else each for each in may]
    columns = [role for role in roles if any(role in each for each in may)]
    return {
        "columns": [say(GRANTEES[role]) for role in columns],
        "acts": [
            {"label": say(action.label), "cells": [{"column": say(GRANTEES[role]), "may": role in each} for role in columns], "is_system": not action.allow}
            for action, each in zip(acts, may, strict=True)
        ],
    }


def zone(request: Request) -> HttpResponse:
    """Choose the zone that times are told in, without an account and without JavaScript."""
    if request.method == "POST":
        wanted = request.POST.get("zone", "")
        if is_zone(wanted):
            target = request.POST.get("next", "/")
            safe = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}, require_https=request.is_secure())
            response = redirect(target if safe else "/")
            response.set_cookie(ZONE_COOKIE, wanted, max_age=YEAR, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE)
            return response
    return render(request, "public/zone.html", {"zones": sorted(zones()), "wrong": request.POST.get("zone", "")}, status=422 if request.method == "POST" else 200)


def handbook(request: Request, name: str = "student") -> HttpResponse:
    """The handbook's pages, the same files as in the repository."""
    pages = sorted(HANDBOOK.glob("*.md"))
    page = next((file for file in pages if file.stem == name), None)
    if page is None:
        raise Http404(name)
    # Pictures stay in the repository: a page must be light, and the reader is inside the program that they show.
    text = "\n".join(line for line in page.read_text("utf-8").splitlines() if not line.startswith("!["))
    html = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    # In the repository the pages lead to each other as files; here each has an address.
    html = re.sub(r'href="([a-z-]+)\.md"', lambda found: f'href="{reverse("handbook_page", args=[found[1]])}"', html)
    names = {"student": _("For students"), "host": _("For hosts"), "coordinator": _("For offices"), "instructor": _("For instructors"), "teacher": _("Exchanges of classes"), "emergency": _("In an emergency"), "analyst": _("For analysts"), "editor": _("For editors"), "operator": _("For operators"), "verify": _("Verifying credentials"), "import": _("Importing catalogues"), "api": _("For programs")}
    tabs = [{"url": reverse("handbook_page", args=[file.stem]), "label": names.get(file.stem, file.stem), "current": file.stem == name} for file in pages]
    return render(request, "public/handbook.html", {"html": html, "tabs": tabs, "title": _("Handbook")})


def accessibility(request: Request) -> HttpResponse:
    return render(request, "public/accessibility.html", {"title": _("Accessibility")})


def design(request: Request) -> HttpResponse:
    """Every component in every state: the page that the design system is looked at on."""
    return render(request, "components/gallery.html", gallery.samples())


def profile(request: Request) -> HttpResponse:
    if request.actor.is_anonymous:
        return redirect(f"{reverse('account_login')}?next={request.path}")
    return redirect("object", plural="people", pk=request.actor.person_id)


urlpatterns = [
    path("", home, name="home"),
    path("roles/", roles, name="roles"),
    path("zone/", zone, name="zone"),
    path("handbook/", handbook, name="handbook"),
    path("handbook/<slug:name>/", handbook, name="handbook_page"),
    path("accessibility/", accessibility, name="accessibility"),
    path("design/", design, name="design"),
    path("profile/", profile, name="profile"),
]

"""What a browser keeps for times without a connection: the service worker, the page of what waits, the list of what to keep."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from vsm.exchange.learning_agreements.models import LearningAgreement
from vsm.exchange.placements.models import Placement
from vsm.exchange.placements.states import OVER, PlacementState
from vsm.exchange.sessions.queries import sessions_of
from vsm.exchange.sessions.states import SessionState
from vsm.kit import clock
from vsm.kit.requests import Request

ASSETS = ("vsm/vsm.css", "vsm/vsm.js", "vsm/offline.js")
WORKER = "vsm/service-worker.js"
NEXT_MEETINGS, AGREEMENTS = 6, 4


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """At the root, so that it may serve every page. Browsers look for a newer one at each visit; its bytes change with its version."""
    response = HttpResponse(_worker(), content_type="text/javascript; charset=utf-8")
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
def offline(request: Request) -> HttpResponse:
    """What waits, what was sent, what was refused. The browser keeps this page and fills it in."""
    return render(request, "public/offline/page.html", {"title": _("Without a connection")})


@login_required
@require_safe
def to_keep(request: Request) -> HttpResponse:
    """The addresses that this person's browser should keep: the timetable, the next meetings, the agreements to study and to work by."""
    mine = request.actor.person
    coming = sessions_of(mine).filter(ends_at__gt=clock.now(), state=SessionState.SCHEDULED).values_list("pk", flat=True)[:NEXT_MEETINGS]
    agreements = LearningAgreement.objects.filter(student_id=mine).order_by("-created_at").values_list("pk", flat=True)[:AGREEMENTS]
    work = Placement.objects.filter(student_id=mine).exclude(state__in=[*OVER, PlacementState.CANCELLED]).order_by("-starts_on")[:AGREEMENTS]
    placements = [address for placement in work.select_related("agreement") for address in (f"/placements/{placement.pk}/", f"/placement-agreements/{placement.agreement.pk}/")]
    pages = ["/timetable/", *(f"/sessions/{pk}/" for pk in coming), *(f"/learning-agreements/{pk}/" for pk in agreements), *placements]
    return JsonResponse({"pages": pages})


@cache
def _worker() -> str:
    """The worker with its version (a digest of all it serves) and the addresses of the files that pages need."""
    addresses = [static(name) for name in ASSETS]
    digest = hashlib.sha256()
    for name in (*ASSETS, WORKER):
        digest.update(_source(name))
    digest.update(json.dumps(addresses).encode())
    return _source(WORKER).decode().replace("__VERSION__", digest.hexdigest()[:12]).replace("__ASSETS__", json.dumps(addresses))


def _source(name: str) -> bytes:
    found: Any = finders.find(name)
    return Path(found).read_bytes()


urlpatterns = [
    path("service-worker.js", service_worker, name="service_worker"),
    path("offline/", offline, name="offline"),
    path("offline/keep/", to_keep, name="offline_keep"),
]

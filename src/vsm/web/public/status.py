"""For everybody: whether each institution admits exchange students and teaches online, and the safety check-in by link.

The status page has a machine-readable form at the same address with `.json`. The check-in page is small enough for the
weakest connection, needs no account and no script, and shows nothing about anybody.
"""

from typing import Any, Literal, cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from vsm.exchange.catalogue.models import Offering
from vsm.exchange.emergencies import answering
from vsm.exchange.emergencies.models import Standing
from vsm.exchange.emergencies.queries import ADMITS_LABELS, KIND_LABELS, ONLINE_LABELS, declared_in, standing_of
from vsm.exchange.institutions.models import Organisation
from vsm.exchange.institutions.queries import name_of
from vsm.kit import clock
from vsm.kit.folding import fold
from vsm.kit.localized import text_in
from vsm.kit.names import country_name
from vsm.kit.records import not_found
from vsm.web.public.issuers import open_to_all


def overview(request: HttpRequest) -> HttpResponse:
    """Every university with what it said last; narrowed by words, by who admits, and by who teaches online."""
    asked = {name: request.GET.get(name, "")[:80] for name in ("q", "admits", "online")}
    rows = [row for row in _rows() if _wanted(row, asked)]
    page = {
        "title": _("Who admits, who teaches online"),
        "rows": rows,
        "asked": asked,
        "admits": [(value, str(label)) for value, (label, _tone) in ADMITS_LABELS.items()],
        "online": [(value, str(label)) for value, (label, _tone) in ONLINE_LABELS.items()],
        "said": sum(row["standing"] is not None for row in rows),
        "json_url": "/status.json",
    }
    return render(request, "public/status/overview.html", page)


def overview_json(request: HttpRequest) -> HttpResponse:
    return open_to_all(JsonResponse({"institutions": [_as_json(row) for row in _rows()]}))


def institution(request: HttpRequest, schac: str) -> HttpResponse:
    """One institution: what it says now and said before, restrictions in force at its place, and what runs online."""
    found = _institution(schac)
    row = _rows([found])[0]
    page = {
        "title": name_of(found),
        "crumbs": [{"url": "/status/", "label": _("Who admits, who teaches online")}, {"url": "", "label": name_of(found)}],
        "row": row,
        "organisation": found,
        "earlier": [_said(each) for each in Standing.objects.filter(organisation=found)[1:20]],
        "restrictions": [
            {"title": str(each), "kind": str(KIND_LABELS[each.kind]), "starts_on": each.starts_on, "ends_on": each.ends_on, "url": f"/emergencies/{each.pk}/"}
            for each in declared_in(found, clock.now().date())
        ],
        "json_url": f"/status/{found.schac}.json",
    }
    return render(request, "public/status/institution.html", page)


def institution_json(request: HttpRequest, schac: str) -> HttpResponse:
    return open_to_all(JsonResponse(_as_json(_rows([_institution(schac)])[0])))


def check_in(request: HttpRequest, token: str) -> HttpResponse:
    """One question, two buttons. The link is the right to answer; nothing about the student is shown."""
    case = answering.case_by_link(token)
    with translation.override(request.GET.get("lang") or case.student.language):
        answered = ""
        if request.method == "POST" and request.POST.get("answer") in {"safe", "help"}:
            answered = request.POST["answer"]
            answer = cast(Literal["safe", "help"], answered)
            answering.check_in_by_link(token, now=clock.now(), answer=answer, message=request.POST.get("message", "")[:1000].replace("\x00", ""))
        page = {
            "answered": answered,
            "emergency": str(case.emergency),
            "safety": text_in(case.emergency.safety, get_language() or "en"),
            "contact": case.home.contact,
            "home": str(case.home),
            "is_drill": case.emergency.is_drill,
            "token": token,
        }
        response = render(request, "public/status/safe.html", page, using=None)
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Cache-Control"] = "private, no-store"
    return response


def _rows(only: list[Organisation] | None = None) -> list[dict[str, Any]]:
    institutions = only if only is not None else sorted(Organisation.objects.filter(kind="university"), key=lambda each: fold(name_of(each)))
    said = standing_of(each.pk for each in institutions)
    today = clock.now().date()
    running = Offering.objects.filter(state="published", ends_on__gte=today, opportunity__organisation__in=institutions)
    courses: dict[Any, int] = {}
    for organisation in running.order_by().values_list("opportunity__organisation", flat=True):
        courses[organisation] = courses.get(organisation, 0) + 1
    return [
        {
            "organisation": each, "name": name_of(each), "country": country_name(each.country, get_language() or "en"), "url": f"/status/{each.schac}/",
            "standing": _said(said[each.pk]) if each.pk in said else None, "courses": courses.get(each.pk, 0),
        }
        for each in institutions
    ]  # fmt: skip


def _said(standing: Standing) -> dict[str, Any]:
    admits, online = ADMITS_LABELS[standing.admits], ONLINE_LABELS[standing.online]
    return {
        "admits": {"value": standing.admits, "label": str(admits[0]), "tone": admits[1]},
        "online": {"value": standing.online, "label": str(online[0]), "tone": online[1]},
        "since": standing.since, "note": standing.note, "link": standing.link, "at": standing.created_at,
    }  # fmt: skip


def _wanted(row: dict[str, Any], asked: dict[str, str]) -> bool:
    standing = row["standing"]
    for name in ("admits", "online"):
        if asked[name] and (standing is None or standing[name]["value"] != asked[name]):
            return False
    return fold(asked["q"]) in fold(f"{row['name']} {row['organisation'].schac} {row['country']} {row['organisation'].city}")


def _as_json(row: dict[str, Any]) -> dict[str, Any]:
    """What programs read: stable words, ISO days, no translation but the institution's own names."""
    organisation, standing = row["organisation"], row["standing"]
    said = {
        "admits_exchange_students": standing["admits"]["value"], "courses_online": standing["online"]["value"], "since": standing["since"].isoformat(),
        "note": standing["note"], "link": standing["link"], "said_at": standing["at"].isoformat(),
    } if standing else None  # fmt: skip
    return {
        "schac": organisation.schac, "ror": organisation.ror, "name": organisation.name, "country": organisation.country,
        "status": said, "online_courses_in_catalogue": row["courses"],
    }  # fmt: skip


def _institution(schac: str) -> Organisation:
    found = Organisation.objects.filter(schac=schac, kind="university").first()
    if found is None:
        raise not_found()
    return found  # type: ignore[no-any-return]  # -- an Organisation, found through a query set of its own


urlpatterns = [
    path("status/", overview, name="status"),
    path("status.json", overview_json, name="status_json"),
    path("status/<str:schac>.json", institution_json, name="institution_status_json"),
    path("status/<str:schac>/", institution, name="institution_status"),
    path("safe/<str:token>/", check_in, name="check_in_by_link"),
]

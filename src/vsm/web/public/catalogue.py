"""The public catalogue: the search, a course's own page, its calendar, and the list as CSV."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.template.loader import get_template
from django.urls import path
from django.utils.cache import patch_vary_headers
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from vsm.exchange.catalogue import labels
from vsm.exchange.catalogue.coverage import Covered
from vsm.exchange.catalogue.homes import coverage_of, homes
from vsm.exchange.catalogue.models import Offering
from vsm.exchange.catalogue.search_page import FACETS, Card, Facet, SearchPage, every_id, search
from vsm.exchange.people.models import StudentRecord
from vsm.exchange.sessions.queries import feed_of
from vsm.kit import clock
from vsm.kit.actors import Actor
from vsm.kit.cells import csv_lines
from vsm.kit.localized import text_in
from vsm.kit.requests import Request
from vsm.standards.icalendar_feed import write
from vsm.web.public import course_page
from vsm.web.templatetags.look import number

EVERYWHERE = "all"
"""The value of `home` by which a student of a known home asks for the whole catalogue."""

ASKED = ("q", "home", "begun", *FACETS, "sort", "page")
KEPT_PIECES = 4_096
_COLUMNS = (
    "id", "url", "code", "title", "institution", "country", "category", "isced_f", "level", "credits", "credits_high", "credit_system",
    "language", "cefr", "mode", "bandwidth", "starts_on", "ends_on", "zone", "meetings", "seats",
)  # fmt: skip


def find(request: Request) -> HttpResponse:
    """The search; a script of the page asks only for the answer below the box."""
    params, language, now = dict(request.GET.lists()), _language(), clock.now()
    home = _home(request, now)
    since = None if request.GET.get("begun") else now.date()
    result = search(params, language, now, covered=_covered(home, now.date()), since=since)
    is_part = bool(request.headers.get("HX-Request"))
    context = {
        "result": result,
        "found": _found_in_words(result),
        "home": home,
        "homes": _with(home, _homes(now, language)),
        "anywhere": EVERYWHERE if _own_home(request) else "",
        "kept": _query(request),
        "begun": since is None,
        "cards": SafeString("\n".join(_card_html(card, language) for card in result.cards)),
        "facets": SafeString("".join(_facet_html(facet, language) for facet in result.facets if facet.name != "open")),
        "only_open": next((option for facet in result.facets if facet.name == "open" for option in facet.options), None),
        "is_part": is_part,
    }
    response = render(request, "public/catalogue/answer.html" if is_part else "public/catalogue/search.html", context)
    patch_vary_headers(response, ["HX-Request"])
    if is_part:
        response["HX-Push-Url"] = f"{request.path}?{_query(request)}"
    return response


def course(request: Request, pk: UUID) -> HttpResponse:
    now = clock.now()
    offering = course_page.offering_for(request.actor, pk)
    if elsewhere := next((address for own in course_page.OWN_PAGES if (address := own(offering))), ""):
        return redirect(elsewhere)
    home = _home(request, now)
    return render(request, "public/catalogue/course.html", course_page.context(offering, request.actor, now, home))


def calendar(request: Request, pk: UUID) -> HttpResponse:
    """The course's meetings for any calendar program: as scheduled, else the weekly ones over the whole term."""
    offering = course_page.offering_for(request.actor, pk)
    language = _language()
    feed = feed_of([offering], language=language)
    title = text_in(offering.opportunity.title, language)
    events = feed.events or course_page.weekly_events(offering, language)
    stamped = feed.changed_at if feed.events else offering.updated_at
    response = HttpResponse(write(events, stamped=stamped, title=title, language=language), content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{offering.pk}.ics"'
    return response


def as_csv(request: Request) -> HttpResponseBase:
    """Every course of the result, not only the page that is shown."""
    language, now = _language(), clock.now()
    covered, since = _covered(_home(request, now), now.date()), None if request.GET.get("begun") else now.date()
    ids = list(every_id(dict(request.GET.lists()), language, covered=covered, since=since))
    rows = (_row(offering, request) for start in range(0, len(ids), 500) for offering in _in_order(ids[start : start + 500], request.actor))
    response = StreamingHttpResponse(csv_lines(_COLUMNS, rows, language), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="catalogue.csv"'
    return response


urlpatterns = [
    path("catalogue/", find, name="search"),
    path("catalogue.csv", as_csv, name="search_csv"),
    path("catalogue/<uuid:pk>/", course, name="offering"),
    path("catalogue/<uuid:pk>.ics", calendar, name="offering_ics"),
]


# Whose agreements count -----------------------------------------------------------------------------------------------


def _home(request: Request, now: datetime) -> tuple[UUID, str] | None:
    """The home that the reader chose, else the one where she studies: (id, name)."""
    asked = request.GET.get("home", "")
    if asked == EVERYWHERE:
        return None
    if not asked:
        return _own_home(request)
    return next((pair for pair in _with(_own_home(request), _homes(now, _language())) if str(pair[0]) == asked), None)


def _own_home(request: Request) -> tuple[UUID, str] | None:
    if "student" not in request.actor.roles:
        return None
    record = StudentRecord.objects.filter(person_id=request.actor.person).select_related("home").first()
    return (record.home_id, text_in(record.home.name, _language())) if record else None


def _homes(now: datetime, language: str) -> list[tuple[UUID, str]]:
    """Kept for a minute: the choice changes with agreements, and every search asks for it."""
    return list(_homes_of_the_minute(int(now.timestamp()) // 60, now.date(), language))


@lru_cache(maxsize=8)
def _homes_of_the_minute(_minute: int, today: date, language: str) -> tuple[tuple[UUID, str], ...]:
    return tuple(homes(today, language))


def _with(home: tuple[UUID, str] | None, others: list[tuple[UUID, str]]) -> list[tuple[UUID, str]]:
    return others if home is None or home in others else [home, *others]


def _covered(home: tuple[UUID, str] | None, today: date) -> tuple[Covered, ...] | None:
    return coverage_of(home[0], today) if home else None


# Pieces ---------------------------------------------------------------------------------------------------------------


# A card and a facet are drawn once for the same facts: what they show is the key, so nothing can go stale.
@lru_cache(maxsize=KEPT_PIECES)
def _card_html(card: Card, language: str) -> SafeString:
    drawn = get_template("components/offering_card.html").render({"card": card, "reader": language})
    return SafeString(f"<li>{drawn}</li>")


@lru_cache(maxsize=KEPT_PIECES)
def _facet_html(facet: Facet, language: str) -> SafeString:
    is_open = facet.name in FACETS[1:4] or any(option.checked for option in facet.options)
    return SafeString(get_template("components/facet.html").render({"facet": facet, "is_open": is_open, "reader": language}))


def _found_in_words(result: SearchPage) -> str:
    """`31 courses for “datos”`."""
    counted = ngettext("%(total)s course", "%(total)s courses", result.total) % {"total": number(result.total)}
    if not result.total:
        counted = _("No courses")
    return _("%(courses)s for “%(words)s”") % {"courses": counted, "words": result.text} if result.text else counted


def _query(request: Request) -> str:
    """The question as a clean query string, without empty fields and unknown names."""
    pairs = [(name, value) for name in ASKED for value in request.GET.getlist(name) if value]
    return urlencode(pairs)


def _in_order(ids: Sequence[str], actor: Actor) -> list[Offering]:
    visible = Offering.objects.visible_to(actor).filter(pk__in=ids).order_by()
    found = {str(o.pk): o for o in visible.select_related("opportunity__organisation").prefetch_related("meetings")}
    return [found[pk] for pk in ids if pk in found]


def _row(offering: Any, request: Request) -> list[Any]:
    opportunity = offering.opportunity
    host = opportunity.organisation
    meetings = [f"{labels.short_weekday(m.weekday)} {m.starts:%H:%M}-{m.ends:%H:%M}" for m in offering.meetings.all()]
    return [
        offering.pk, request.build_absolute_uri(f"/catalogue/{offering.pk}/"), opportunity.code, opportunity.title, host.name, host.country,
        opportunity.category, opportunity.isced_f, opportunity.level, opportunity.credits, opportunity.credits_high, opportunity.credit_system,
        opportunity.language, opportunity.cefr, offering.mode, offering.bandwidth, offering.starts_on, offering.ends_on, offering.zone,
        meetings, offering.seats,
    ]  # fmt: skip


def _language() -> str:
    return get_language() or "en"

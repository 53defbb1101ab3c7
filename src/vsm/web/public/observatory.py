"""The Observatory for everybody: the world, regions, countries, balances, flows, what the pandemic changed, what may come."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from vsm.kit.folding import fold
from vsm.kit.localized import text_in
from vsm.kit.requests import Request
from vsm.observatory.geography import countries, groupings, members, name_of, regions
from vsm.observatory.publications.queries import newest
from vsm.observatory.sources.queries import title_of
from vsm.observatory.sources.series import described
from vsm.web.public import observatory_pictures as pictures
from vsm.web.public.observatory_briefs import card
from vsm.web.public.observatory_compared import compared
from vsm.web.public.observatory_reading import (
    LISTS,
    Matrix,
    has_countries,
    has_flows,
    inside,
    listing,
    loaded,
    study,
    totals,
)
from vsm.web.public.observatory_regions import grouping_choice, lacking
from vsm.web.public.observatory_sheets import ROOT, Choice, Figure, Sheet, chosen, doors, gates_of, reader

# The regions that make the world without overlap come first; parts of them after.
FRONT_LINES = ("world",)
SCENARIO_ORDER = ("as-before", "regulated", "hybrid", "rebound")


def front(request: Request) -> Sheet:
    """The world's line, where students go, the newest briefs, a search, and what this is and is not."""
    kept = totals()
    figures = [pictures.totals_line(kept, FRONT_LINES, "world", _("Students enrolled abroad, worldwide"))] if kept.yearly("inbound.world") else []
    if figures:
        figures.append(pictures.shares_map(kept))
    asked = request.GET.get("q", "")[:80]
    part = {
        "asked": asked, "found": _search(asked), "briefs": [card(each) for each in newest()[:4]],
        "regions": _region_links(), "has_countries": has_countries(),
    }  # fmt: skip
    lead = _("How many students move, from where to where, what the pandemic changed, what may come, and whom virtual mobility reaches: measured, with what is not known beside it.")
    return Sheet(_("Observatory"), lead, figures, template="public/observatory/front.html", part=part)


def region(request: Request, code: str) -> Sheet:
    """One region: its line, its gap against the path before the pandemic, its prospects, its countries."""
    if code not in regions():
        raise Http404(code)
    name, kept, effect, ahead = name_of(code, reader()), totals(), study("covid-effect"), study("outlook")
    others = [("", "—"), *((each, name_of(each, reader())) for each in kept.geos("inbound") if each != code)]
    other = chosen(request, "with", others)
    figures: list[Figure] = []
    if kept.yearly(f"inbound.{code}"):
        shown = (code, other) if other else (code,)
        figures.append(pictures.totals_line(kept, shown, "students", _("Students from abroad: %(place)s") % {"place": ", ".join(name_of(each, reader()) for each in shown)}))
    if any(fact.geo == code for fact in effect.facts.values() if fact.key.startswith("gap.")):
        figures.append(pictures.gaps_of_place(effect, code))
    if ahead.yearly(f"fan.{code}"):
        figures.append(pictures.fan(ahead, code))
    if code != "world" and has_flows() and len(loaded().stays.get(code, ())) > 0:
        figures.append(pictures.stays(loaded(), code))
    if has_countries():
        figures += pictures.hosts_map(loaded(), code)
    if has_countries() and code in loaded().concentration:
        figures.append(pictures.concentration(loaded(), code))
    inside = [] if code == "world" else sorted(({"url": f"{ROOT}countries/{each}/", "name": name_of(each, reader())} for each in members(code)), key=lambda each: fold(each["name"]))
    part = {"countries": inside, "regions": [each for each in _region_links() if each["url"] != request.path], "parts": _parts(code)}
    lead = _("Students who come from abroad to study for a degree in this region, as its countries report it.")
    choices = [Choice("with", _("Compare with"), others, other)] if figures else []
    return Sheet(name, lead, figures, choices, "public/observatory/region.html", crumbs=[{"url": request.path, "label": name}], part=part)


def country(request: Request, code: str) -> Sheet:
    """One country, where a release with countries is loaded; else what to load, and its region."""
    code = code.upper()
    if code not in countries():
        raise Http404(code)
    name, found = name_of(code, reader()), loaded()
    home = [each for each, region_ in regions().items() if region_.level in (1, 2) and code in members(each)]
    figures: list[Figure] = []
    if found.facts("inbound", code) or found.facts("outbound", code):
        figures.append(pictures.in_and_out(found, code))
    if found.facts("circulation", code):
        figures.append(pictures.balance_by_year(found, code))
    if found.facts("per-thousand", code):
        figures.append(pictures.per_thousand(found, code))
    is_counted = bool(found.series.get("inbound"))  # of some country something is loaded: the answer is not to load it again
    note = ""
    if not figures and is_counted:
        note = _("What is loaded has no figures of this country. That is not zero: it may not report them.")
    elif not figures:
        note = _("No release that is loaded has figures of this country.") if has_countries() else _("Countries are not shipped with this program.")
    part = {
        "missing": note, "regions": [{"url": f"{ROOT}regions/{each}/", "name": name_of(each, reader())} for each in home],
        "partners": _partners(code), "command": "" if is_counted else "vsm observatory fetch uis", "load_command": "vsm observatory load OPRI.zip",
    }  # fmt: skip
    lead = _("Students who come to study for a degree, students who leave, and the balance between them.")
    return Sheet(name, lead, figures, template="public/observatory/country.html", crumbs=[{"url": request.path, "label": name}], part=part)


def balances(request: Request) -> Sheet:
    """Who sends and who receives: each country of a region in a year, with ratio and circulation."""
    found = loaded()
    by = grouping_choice(request)
    # Beside the regions of the chosen grouping, the world.
    places = [(code, name_of(code, reader())) for code in (*groupings()[by.chosen], "world")]
    where = chosen(request, "region", places, "latin-america-and-the-caribbean")
    years = sorted({year for cells in found.series.get("net", {}).values() for year in cells}, reverse=True)
    there = inside(where)
    counts = {year: sum(year in cells for code, cells in found.series.get("net", {}).items() if code in there) for year in years}
    options = [(str(year), str(year)) for year in years if counts[year]]
    # The newest year is often half reported: begin with the newest that has nearly as many countries as the best.
    full = next((str(year) for year in years if counts[year] >= 0.9 * max(counts.values())), "") if counts else ""
    year = chosen(request, "year", options, full)
    figures = [*pictures.balance_of_region(found, where, int(year)), *pictures.per_thousand_of_region(found, where, int(year))] if year else []
    if where in found.concentration:
        figures.append(pictures.concentration(found, where))
    listed = listing(by.chosen) if by.chosen in LISTS and where != "world" else None
    if listed:  # whose members are counted is somebody's list as well
        figures = [replace(each, releases=(*each.releases, *listed.releases)) for each in figures]
    choices = [by, Choice("region", _("Region"), places, where), *([Choice("year", _("Year"), options, year)] if year else [])]
    part: dict[str, Any] = lacking(by.chosen) or {"missing": "" if figures else _("Balances need figures by country, which are not shipped with this program."), "command": "vsm observatory fetch uis", "load_command": "vsm observatory load OPRI.zip"}
    if not figures and totals().yearly("inbound.world"):
        figures = [pictures.shares_map(totals())]
    lead = _("Brain drain, gain and circulation: how many leave for each one who comes, and how balanced the exchange is.")
    return Sheet(_("Balances"), lead, figures, choices, "public/observatory/country.html", [{"url": request.path, "label": _("Balances")}], part)


def _matrix_label(matrix: Matrix) -> str:
    """What the flows are and whose; the code where nobody has described the series."""
    series = described(matrix.source, matrix.series)
    return f"{text_in(series.title, reader()) if series else matrix.series} · {title_of(matrix.source)}"


def flows(request: Request) -> Sheet:
    """Between pairs of countries: the ranked table first, then the ten largest as a picture."""
    found = loaded()
    matrices = {each.key: each for each in found.matrices}
    listed = [(key, _matrix_label(each)) for key, each in matrices.items()]
    data = chosen(request, "data", listed)
    known = matrices[data].flows if data else {}
    options = [(str(year), str(year)) for year in sorted(known, reverse=True)]
    # Of the newest year often few have reported: begin with the newest that tells at least half of the students of the best.
    sums = {each: sum(cells.values()) for each, cells in known.items()}
    full = max((each for each, students in sums.items() if 2 * students >= max(sums.values())), default=0)
    year = chosen(request, "year", options, str(full))
    pairs = known.get(int(year), {}) if year else {}
    # Whoever is told in any year can be chosen, so that an address keeps its pair when the year changes.
    ever = {pair for cells in known.values() for pair in cells}
    anywhere = ("", _("Any"))
    origins, hosts = ([anywhere, *sorted(((code, name_of(code, reader())) for code in codes), key=lambda each: fold(each[1]))] for codes in ({o for o, _d in ever}, {d for _o, d in ever}))
    origin, to = chosen(request, "from", origins), chosen(request, "to", hosts)
    wanted = {pair: value for pair, value in pairs.items() if (not origin or pair[0] == origin) and (not to or pair[1] == to) and value > 0}
    figures = pictures.pair(found, matrices[data], origin, to) if origin and to else []
    if wanted and not figures:
        figures = [pictures.flow_table(found, matrices[data], wanted, int(year))]
    choices = [Choice("year", _("Year"), options, year), Choice("from", pgettext("country", "From"), origins, origin), Choice("to", pgettext("country", "To"), hosts, to), Choice("data", _("Source"), listed, data)] if options else []
    part = {
        "missing": "" if pairs else _("Flows between pairs of countries are not shipped with this program."), "command": "vsm observatory fetch oecd", "load_command": "vsm observatory load FILE",
        "empty": year if pairs and not wanted else "",
    }  # fmt: skip
    return Sheet(_("Flows"), _("From which country to which: as the hosts report it."), figures, choices, "public/observatory/country.html", [{"url": request.path, "label": _("Flows")}], part)


def outlook(request: Request) -> Sheet:
    """What may come: a fan for a region, never one number, and scenarios that say what they assume."""
    kept = study("outlook")
    places = [(code, name_of(code, reader())) for code in kept.geos("fan")]
    where = chosen(request, "region", places, "world")
    figures = [pictures.fan(kept, where), *pictures.scenarios(kept, [slug for slug in SCENARIO_ORDER if f"scenario.{slug}.physical.{_last(kept.years('scenario'))}" in kept.facts])] if where else []
    part = {"run": kept.run, "gates": gates_of(kept.run) if kept.run else [], "assumptions": pictures.assumptions(), "study": "outlook"}
    lead = _("Fans of what is likely if past errors are a guide, and scenarios that say aloud what they assume. Neither is a promise.")
    return Sheet(_("Outlook"), lead, figures, [Choice("region", _("Region"), places, where)] if places else [], "public/observatory/study.html", [{"url": request.path, "label": _("Outlook")}], part)


def effect(request: Request) -> Sheet:
    """What COVID-19 changed: each region against the path that it was on, with the band and the gates."""
    kept = study("covid-effect")
    options = [(str(year), str(year)) for year in kept.years("gap")]
    year = chosen(request, "year", options, "2021")
    figures = [pictures.gaps(kept, int(year)), pictures.gap_map(kept, int(year)), *compared(int(year))] if year else []
    part = {"run": kept.run, "gates": gates_of(kept.run) if kept.run else [], "study": "covid-effect"}
    lead = _("Each region against the path that it was on before the pandemic. The band shows how wrong the same forecast was in years in which nothing happened.")
    return Sheet(_("What COVID-19 changed"), lead, figures, [Choice("year", _("Year"), options, year)] if options else [], "public/observatory/study.html", [{"url": request.path, "label": _("What COVID-19 changed")}], part)


def front_or_place(request: Request) -> HttpResponse:
    """A search that finds exactly one place goes there; otherwise the first page lists what it found."""
    found = _search(request.GET.get("q", "")[:80])
    return redirect(found[0]["url"]) if len(found) == 1 else FRONT[0].callback(request)


def _search(asked: str) -> list[dict[str, str]]:
    """Countries and regions whose name or code has the words, in the reader's language."""
    wanted = fold(asked)
    if not wanted:
        return []
    names = [(code, "countries", name_of(code, reader())) for code in countries()] + [(code, "regions", name_of(code, reader())) for code in regions()]
    exact = [each for each in names if wanted in (fold(each[2]), fold(each[0]))]
    found = exact or [each for each in names if wanted in fold(each[2])]
    return sorted(({"url": f"{ROOT}{kind}/{code}/", "name": name} for code, kind, name in found), key=lambda each: fold(each["name"]))


def _region_links() -> list[dict[str, str]]:
    return [{"url": f"{ROOT}regions/{code}/", "name": name_of(code, reader())} for code, each in regions().items() if each.level <= 1]


def _parts(code: str) -> list[dict[str, str]]:
    """The parts of a region that publishers tell apart."""
    inside = members(code)
    found = [each for each, other in regions().items() if other.level > regions()[code].level > 0 and members(each) < inside]
    return [{"url": f"{ROOT}regions/{each}/", "name": name_of(each, reader())} for each in found]


def _partners(code: str) -> list[dict[str, str]]:
    """Ways on to the flows from and to a country, where there are any."""
    matrices = loaded().matrices
    pairs = {pair for cells in matrices[0].flows.values() for pair in cells} if matrices else set()
    links = []
    if any(origin == code for origin, _to in pairs):
        links.append({"url": f"{ROOT}flows/?from={code}", "name": _("Where its students go")})
    if any(to == code for _origin, to in pairs):
        links.append({"url": f"{ROOT}flows/?to={code}", "name": _("Where its students from abroad come from")})
    return links


def _last(years: Sequence[int]) -> int:
    return years[-1] if years else 0


FRONT = doors("observatory", front, "")

urlpatterns = [
    path("observatory/", front_or_place, name="observatory"),
    *FRONT[1:],
    *doors("observatory/regions/<slug:code>", region, "region"),
    *doors("observatory/countries/<slug:code>", country, "country"),
    *doors("observatory/balances", balances, "balances"),
    *doors("observatory/flows", flows, "flows"),
    *doors("observatory/outlook", outlook, "outlook"),
    *doors("observatory/effect", effect, "effect"),
]

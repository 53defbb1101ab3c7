"""How each figure of the Observatory is made: formula, unit, source, checks, gates, and what is not known."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from django.urls import URLPattern
from django.utils.translation import gettext as _

from vsm.kit.localized import LANGUAGES, text_in
from vsm.kit.requests import Request
from vsm.observatory.estimates.queries import STUDY_LABELS
from vsm.observatory.estimates.studies import STUDIES
from vsm.observatory.indicators.catalogue import Indicator, catalogue, gets, missing
from vsm.observatory.sources.queries import series_there, title_of
from vsm.observatory.sources.registry import sources
from vsm.rulebook.reading import parse
from vsm.web.public.observatory_reading import releases_of, study
from vsm.web.public.observatory_sheets import Sheet, doors, gates_of, reader

TOLD = ("name", "where", "checks", "unknown")


@cache
def methods() -> Mapping[str, list[Mapping[str, Any]]]:
    """`studies`, and what is `unknown` of each indicator, as `observatory_methods.yaml` tells them. Raises ValueError when a
    text lacks a language or an indicator of the catalogue its doubt."""
    told = parse(files(__package__).joinpath("observatory_methods.yaml").read_text("utf-8"))
    for entry in (*told["unknown"], *told["studies"]):
        lacking = [name for name in TOLD if name in entry and set(entry[name]) != set(LANGUAGES)]
        if lacking:
            raise ValueError(f"observatory_methods.yaml, {entry['id']}: {', '.join(lacking)} must stand in all four languages")
    if {entry["id"] for entry in told["unknown"]} != set(catalogue()):
        raise ValueError("observatory_methods.yaml: unknown must name each indicator of the catalogue once")
    return {"unknown": told["unknown"], "studies": told["studies"]}


def page(request: Request) -> Sheet:
    doubts = {each["id"]: text_in(each["unknown"], reader()) for each in methods()["unknown"]}
    there, shipped = series_there(), series_there(shipped=True)
    indicators = [_indicator(each, doubts[each.id]) | _figures_here(each, there, shipped) for each in catalogue().values()]
    told = {each["id"]: each for each in methods()["studies"]}
    studies = []
    for kind in STUDIES:
        run = study(kind).run
        entry = _entry(told[kind]) if kind in told else {"id": kind, "name": str(STUDY_LABELS.get(kind, kind))}
        studies.append(entry | {"run": run, "gates": gates_of(run) if run else [], "releases": [", ".join(filter(None, (title_of(each.source), each.edition or each.file_name))) for each in releases_of(run)] if run else []})
    licences = [{"title": text_in(each.title, reader()), "about": text_in(each.about, reader()), "licence": each.licence, "attribution": each.attribution, "redistribute": each.redistribute, "cadence": each.cadence} for each in sources().values()]
    lead = _("How each figure is made, what it is checked against, and what it cannot tell.")
    return Sheet(_("Methods"), lead, template="public/observatory/methods.html", crumbs=[{"url": request.path, "label": _("Methods")}], part={"indicators": indicators, "studies": studies, "sources": licences})


def bounds_label(bounds: str) -> str:
    """How sure an indicator is."""
    return {
        "exact": _("As sure as its source: low and high are the value."), "lower-bound": _("What is proved; the high end is what is possible."),
        "range": _("A range without a middle."), "interval": _("An interval of 95 per cent."),
    }[bounds]  # fmt: skip


def _indicator(each: Indicator, unknown: str) -> dict[str, Any]:
    return {
        "id": each.id, "name": text_in(each.name, reader()), "formula": each.formula, "where": text_in(each.where, reader()), "unit": unit_label(each.unit), "source": ", ".join(each.source), "reference": each.reference,
        "checks": text_in(each.checks, reader()), "bounds": bounds_label(each.bounds), "coverage": text_in(each.coverage, reader()), "unknown": unknown, "goals": [_("SDG %(target)s") % {"target": target} for target in each.sdg],
    }  # fmt: skip


def _figures_here(each: Indicator, there: frozenset[str], shipped: frozenset[str]) -> dict[str, Any]:
    """Whether it has figures by country here; else what is missing and how whoever runs the installation gets it."""
    lacking = missing(each, there)
    series = ", ".join(" / ".join(some) for some in lacking)
    if not each.needs:
        told = _("It compares two distributions that a notebook gives it; none are kept here.")
    elif not lacking:
        told = _("Loaded.")
    elif not any(name in gets() for some in lacking for name in some):
        told = _("None yet: the counts of online events are taken once a month.")
    elif missing(each, shipped):
        told = _("None: %(series)s is not loaded.") % {"series": series}
    else:
        told = _("Totals of regions alone: %(series)s by country is not loaded.") % {"series": series}
    commands = dict.fromkeys(f"vsm observatory fetch {gets()[name]}" for some in lacking for name in some[:1] if name in gets())
    return {"here": told, "commands": list(commands)}


def unit_label(unit: str) -> str:
    return {"students": _("students"), "share": _("share"), "index": _("index"), "tonnes": _("tonnes"), "log points": _("log points")}.get(unit, unit)


def _entry(told: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": told["id"], "formula": told["formula"], "unit": unit_label(told["unit"]), "source": told["source"], "reference": told.get("reference", ""), **{name: text_in(told[name], reader()) for name in TOLD}}


urlpatterns: list[URLPattern] = doors("observatory/methods", page, "methods")[:1]

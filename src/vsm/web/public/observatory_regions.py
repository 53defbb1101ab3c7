"""Regions in the grouping that a visitor chooses: of the SDG, finer, continents, groups of the UN, classes of the World Bank."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from vsm.kit.requests import Request
from vsm.kit.saying import day_text, local_time
from vsm.observatory.estimates.facts import Fact
from vsm.observatory.geography import groupings, name_of, regions
from vsm.observatory.indicators.measures import INBOUND
from vsm.observatory.sources.queries import title_of
from vsm.web.public import observatory_pictures as pictures
from vsm.web.public.observatory_reading import (
    LISTS,
    SUMMED,
    Listing,
    as_decided,
    grouped,
    has_countries,
    inside,
    listing,
    loaded,
    totals,
)
from vsm.web.public.observatory_sheets import ROOT, Choice, Figure, Sheet, chosen, doors, reader

DRAWN = 6  # lines that can be told apart; the table has all


def grouping_labels() -> dict[str, str]:
    return {
        "sdg": _("Regions of the SDG"), "parts": _("Regions of the SDG, finer"), "m49": _("Continents (M49)"), "un": _("LDC, LLDC, SIDS (UN)"),
        "income": _("Income (World Bank)"), "bank": _("Regions of the World Bank"),
    }  # fmt: skip


def grouping_choice(request: Request) -> Choice:
    """In which grouping regions are shown; the address keeps it."""
    options = [(name, grouping_labels()[name]) for name in groupings()]
    return Choice("by", _("Grouping"), options, chosen(request, "by", options, "sdg"))


def lacking(grouping: str) -> dict[str, str]:
    """What is not loaded that this grouping needs, and how it is got; empty where nothing is lacking."""
    if LISTS.get(grouping) == "worldbank" and listing(grouping) is None:  # of the others' members a list ships
        title = _("The World Bank’s list of countries is not loaded, so nobody knows here who belongs to which of its classes.")
        return {"missing": title, "command": "vsm observatory fetch worldbank --only countries.json", "load_command": "vsm observatory load countries.json"}
    if grouping in SUMMED and not has_countries():
        title = _("Nobody publishes totals of these groups here. They are summed from figures by country, which are not shipped with this program.")
        return {"missing": title, "command": "vsm observatory fetch uis", "load_command": "vsm observatory load OPRI.zip"}
    return {}


def together(request: Request) -> Sheet:
    """Students from abroad by region of the chosen grouping: by year, and on the map in one year."""
    by = grouping_choice(request)
    found = grouped(by.chosen) if not lacking(by.chosen) else {}
    years = sorted({fact.year for facts in found.values() for fact in facts if fact.year is not None}, reverse=True)
    options = [(str(year), str(year)) for year in years]
    # The newest year is often half reported: begin with the newest that every region has.
    full = next((str(year) for year in years if all(any(fact.year == year for fact in facts) for facts in found.values())), "")
    year = chosen(request, "year", options, full)
    figures = [_by_year(by, found), _shares(by, found, int(year))] if found else []
    choices = [by, *([Choice("year", _("Year"), options, year)] if options else [])]
    part: dict[str, Any] = lacking(by.chosen) or {"missing": ""}
    if not figures and not part["missing"]:
        title = _("Too few countries of these groups report in years that follow one another.") if by.chosen in SUMMED else _("No study has been run yet.")
        part = {"missing": title, "command": "vsm observatory fetch uis" if by.chosen in SUMMED else "vsm observatory run covid-effect", "load_command": "vsm observatory load OPRI.zip"}
    part["links"] = [{"url": f"{ROOT}regions/{code}/", "name": name_of(code, reader())} for code in groupings()[by.chosen] if code in regions()]
    part["table"] = [{"name": name_of(code, reader()), "count": len(members)} for code in groupings()[by.chosen] if (members := inside(code))]
    lead = _("The same figures in the grouping that you choose. The address keeps your choice; table and CSV follow it.")
    return Sheet(_("Regions"), lead, figures, choices, "public/observatory/regions.html", [{"url": request.path, "label": _("Regions")}], part)


def _by_year(by: Choice, found: Mapping[str, Sequence[Fact]]) -> Figure:
    title = _("Students from abroad: %(grouping)s") % {"grouping": grouping_labels()[by.chosen]}
    largest = sorted(found, key=lambda code: -(found[code][-1].value or 0.0))
    named = {name_of(code, reader()): found[code] for code in largest}
    whole = pictures.yearly_lines(title, named)
    drawing = replace(pictures.yearly_lines(title, dict(list(named.items())[:DRAWN])), head=whole.head, rows=whole.rows)
    more = _("The %(drawn)s largest are drawn; the table has all.") % {"drawn": DRAWN} if len(named) > DRAWN else ""
    return _figure(by, "regions", title, drawing, [fact for code in largest for fact in found[code]], more)


def _shares(by: Choice, found: Mapping[str, Sequence[Fact]], year: int) -> Figure:
    facts = [fact for facts in found.values() for fact in facts if fact.year == year]
    world = next((fact.value for fact in totals().yearly("inbound.world") if fact.year == year), None) if by.chosen not in SUMMED else sum(cells[year] for cells in as_decided()[0].values() if year in cells)
    shares = [replace(fact, key=f"share.{fact.geo}.{year}", value=(fact.value or 0.0) / (world or 1.0), unit="share") for fact in sorted(facts, key=lambda fact: -(fact.value or 0.0))]
    title = _("Share of the world’s students from abroad, %(year)s: %(grouping)s") % {"year": year, "grouping": grouping_labels()[by.chosen]}
    drawing = pictures.share_map(title, shares)
    if by.chosen in SUMMED:
        covered = [pictures.told(replace(fact, value=fact.coverage)) for fact in shares]
        drawing = replace(drawing, head=(*drawing.head, _("Covered")), rows=tuple((*row, cell) for row, cell in zip(drawing.rows, covered, strict=True)))
    return _figure(by, "shares", title, drawing, shares, _("Each square is a country, in the shade of its region."))


def _figure(by: Choice, name: str, title: str, drawing: Any, facts: Sequence[Fact], note: str) -> Figure:
    if by.chosen not in SUMMED:
        return Figure(name, title, drawing, facts, pictures.unknown_totals(), run=totals().run, note=" ".join(filter(None, (note, _made_of(by.chosen)))), sdg=pictures.FROM_ABROAD)
    sizes = {fact.geo: fact.extra for fact in facts}
    hosts, everybody = (sum(each[name] for each in sizes.values()) for name in ("hosts", "all"))
    unknown = _("Of each group only hosts that report in every year shown are counted, %(hosts)s of %(all)s in all: each sum is a lower bound, and who does not report is not zero.") % {"hosts": hosts, "all": everybody}
    listed = listing(by.chosen)
    several = _("A country may stand in several of these groups.") if by.chosen == "un" else ""
    told = " ".join(filter(None, (note, _since(listed) if listed else "", several)))
    releases = (*loaded().told_by(INBOUND), *(listed.releases if listed else ()))
    return Figure(name, title, drawing, facts, f"{unknown} {pictures.unknown_totals()}", releases, note=told, sdg=pictures.FROM_ABROAD)


def _since(listed: Listing) -> str:
    """From when the members are: today's list is that of the day on which it was taken in."""
    newest = listed.releases[0]
    if listed.year:
        return _("Members as listed in %(year)s, in every year (%(source)s).") % {"year": listed.year, "source": title_of(newest.source)}
    return _("Members as listed on %(day)s, in every year (%(source)s).") % {"day": day_text(local_time(newest.retrieved_at)), "source": title_of(newest.source)}


def _made_of(grouping: str) -> str:
    return _("Continents are the sums of totals that the publisher gives; a year is told only where every part of it is.") if grouping == "m49" else ""


urlpatterns = doors("observatory/regions", together, "regions")

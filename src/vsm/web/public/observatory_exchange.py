"""What the institutions here do together: virtual mobility by breakdown and year, completion and recognition, all of it protected."""

from collections.abc import Sequence
from dataclasses import replace
from math import nan

from django.urls import URLPattern
from django.utils.translation import gettext as _

from vsm.exchange.statistics.queries import label_of
from vsm.exchange.statistics.rules import breakdowns, series_name
from vsm.kit.requests import Request
from vsm.observatory.estimates.facts import Fact
from vsm.observatory.exchange_series.queries import SOURCE, newest_vintage
from vsm.observatory.publications.charts import Bar
from vsm.web.public.observatory_pictures import told, word, yearly_lines
from vsm.web.public.observatory_plots import dots, lengths
from vsm.web.public.observatory_reading import Study, study
from vsm.web.public.observatory_sheets import Choice, Figure, Sheet, chosen, doors, gates_of, reader

SDG = ("4.3", "4.5", "10.7")
PER_CENT = [(share / 100, f"{share} %") for share in (0, 25, 50, 75, 100)]


def pooled_study() -> Study:
    """The newest study of the pooled counts, if its vintage still counts: after a withdrawal nothing older is shown."""
    kept, vintage = study("vsm"), newest_vintage()
    current = kept.run is not None and vintage is not None and vintage.rows > 0 and kept.run.inputs.get(SOURCE) == str(vintage.pk)
    return kept if current else Study(None)


def exchange(request: Request) -> Sheet:
    """Counts and rates of the newest vintage, for a breakdown and a year."""
    kept = pooled_study()
    years = [(str(year), str(year)) for year in sorted(kept.years("vsm"), reverse=True)]
    names = breakdown_labels()
    year, by = chosen(request, "year", years), chosen(request, "by", list(names.items()), "category")
    figures: list[Figure] = []
    if year:
        figures = [begun(kept, by, names[by], int(year)), *rates(kept, by, names[by], int(year))]
        figures += [by_year(kept)] if len(years) > 1 else []
    institutions = kept.facts["vsm.institutions"].value if kept.run else 0
    part = {"run": kept.run, "gates": gates_of(kept.run) if kept.run else [], "institutions": int(institutions or 0)}
    lead = _("Virtual mobility that the institutions here record, pooled by those that agree: who begins, who completes, what home recognises.")
    choices = [Choice("by", _("By"), list(names.items()), by), Choice("year", _("Year"), years, year)] if years else []
    return Sheet(_("Virtual mobility here"), lead, figures, choices, "public/observatory/exchange.html", [{"url": request.path, "label": _("Virtual mobility here")}], part)


def breakdown_labels() -> dict[str, str]:
    return {"category": _("Category"), "mode": _("Mode"), "bandwidth": _("Connection that it needs"), "offset": _("Distance between clocks"), "credit": _("Credit")}


def begun(kept: Study, by: str, name: str, year: int) -> Figure:
    """Who began, by value; what is withheld stands there and says so."""
    rows, facts, table = [], [], []
    for value in breakdowns()[by]:
        cells = {measure: kept.facts.get(f"{series_name(measure, by, value)}.{year}") for measure in ("started", "completed", "recognised")}
        started = cells["started"]
        if started is None:
            continue
        label = label_of(by, value, reader())
        number = nan if started.value is None else started.value
        rows.append(Bar(label, number, started.low or 0.0, started.high or 0.0, count(started), ""))
        table.append((label, *(count(cell) for cell in cells.values())))
        facts += [cell for cell in cells.values() if cell]
    total = [kept.facts.get(f"{series_name(measure)}.{year}") for measure in ("started", "completed", "recognised")]
    table.append((_("All together"), *(count(cell) for cell in total)))
    title = _("Who began virtual mobility, by %(by)s, %(year)s") % {"by": name.lower(), "year": year}
    drawing = lengths(title, word("bars"), rows, (name, _("Began"), _("Completed"), _("Recognised at home")), untold=_("withheld"))
    drawing = replace(drawing, rows=tuple(table))
    return Figure(f"by-{by}", title, drawing, [*facts, *(cell for cell in total if cell)], unknown_here(), run=kept.run, note=note_protected(), sdg=SDG)


def rates(kept: Study, by: str, name: str, year: int) -> list[Figure]:
    """Of those who began, the share who completed, and whom home recognised; only where both numbers may be told."""
    found = []
    for measure, title in (("completed", _("Of those who began, completed: %(year)s")), ("recognised", _("Of those who began, recognised at home: %(year)s"))):
        places = [(label_of(by, value, reader()), f"rate.{series_name(measure, by, value).removeprefix('vsm.')}.{year}") for value in breakdowns()[by]]
        shown = [(label, kept.facts[key]) for label, key in [*places, (_("All together"), f"rate.{measure}.{year}")] if key in kept.facts]
        if shown:
            found.append(rate_dots(f"{measure}-{by}", title % {"year": year}, name, shown, kept, _unknown_rates()))
    return found


def rate_dots(slug: str, title: str, name: str, shown: Sequence[tuple[str, Fact]], kept: Study, unknown: str) -> Figure:
    """Shares between nought and one hundred per cent, each with its band."""
    bars = [Bar(label, fact.value or 0.0, fact.low or 0.0, fact.high or 0.0, told(fact), told(fact, "band")) for label, fact in shown]
    drawing = dots(title, word("bars"), bars, (name, word("value"), word("band")), at=0.0, ends=(0.0, 1.0), ticks=PER_CENT)
    note = _("The band holds two doubts: counts are rounded to five, and a share of few people says little (95 per cent, Wilson).")
    return Figure(slug, title, drawing, [fact for _label, fact in shown], unknown, run=kept.run, note=note, sdg=SDG)


def by_year(kept: Study) -> Figure:
    labels = {"started": _("Began"), "completed": _("Completed"), "recognised": _("Recognised at home")}
    series = {label: [fact for fact in kept.yearly(series_name(measure)) if fact.value is not None] for measure, label in labels.items()}
    shown = {label: facts for label, facts in series.items() if facts}
    title = _("Virtual mobility by year")
    return Figure("years", title, yearly_lines(title, shown), [fact for facts in shown.values() for fact in facts], unknown_here(), run=kept.run, note=note_protected(), sdg=SDG)


def count(fact: Fact | None) -> str:
    """A protected count in words."""
    if fact is None:
        return "—"
    return _("withheld") if fact.value is None else told(fact)


def note_protected() -> str:
    return _("A person counts once for each category and year. Counts under ten are withheld, and whatever would give them away; the others are rounded to five.")


def unknown_here() -> str:
    return _("Institutions that have not agreed, and mobility that is organised outside this installation. Whether somebody would have travelled instead is not recorded.")


def _unknown_rates() -> str:
    return _("Who has not completed yet may still do so: the newest year is unfinished. Why somebody stopped is not recorded.")


urlpatterns: list[URLPattern] = doors("observatory/exchange", exchange, "exchange")

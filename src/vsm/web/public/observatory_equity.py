"""Whom higher education and virtual mobility reach, and whom they miss: parity, concentration, groups; each with its doubt."""

from collections.abc import Sequence
from dataclasses import replace

from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from vsm.exchange.statistics.queries import group_labels
from vsm.exchange.statistics.rules import series_name
from vsm.kit.folding import fold
from vsm.kit.requests import Request
from vsm.kit.saying import labelled
from vsm.observatory.estimates.facts import Fact
from vsm.observatory.geography import members, name_of, regions
from vsm.observatory.publications.charts import Bar, Drawing, short
from vsm.web.public.observatory_exchange import count, pooled_study
from vsm.web.public.observatory_pictures import told, word
from vsm.web.public.observatory_plots import curve, dots
from vsm.web.public.observatory_reading import FIFTHS, Equity, Study, equity
from vsm.web.public.observatory_sheets import ROOT, Choice, Figure, Sheet, chosen, doors, reader

LAC = "latin-america-and-the-caribbean"
SDG = ("4.3", "4.5")
INDEX = (0.0, 0.5, 1.0, 1.5, 2.0)


def page(request: Request) -> Sheet:
    """Parity of a region's countries, the curve of one of them, and whom the virtual mobility of the institutions here reaches."""
    found, kept = equity(), pooled_study()
    places = [(code, name_of(code, reader())) for code, region in regions().items() if region.level <= 1 and any(_inside(found, code, gap) for gap in found.parities)]
    gaps = [(gap, label) for gap, label in gap_labels().items() if gap in found.parities]
    where, gap = chosen(request, "region", places, LAC), chosen(request, "gap", gaps, "rural-urban")
    inside = sorted((geo for geo in found.curves if where and geo in members(where)), key=lambda geo: fold(name_of(geo, reader())))
    countries = [(geo, name_of(geo, reader())) for geo in inside]
    country = chosen(request, "country", countries, "PER")
    figures = [parity(found, where, gap)] if where and gap and _inside(found, where, gap) else []
    if country:
        figures.append(concentration_curve(found, country))
        figures.append(leaning(found, inside, where))
    if kept.run:
        figures += [*reached(kept), *group_parity(kept)]
    choices = [Choice("region", _("Region"), places, where), Choice("gap", _("Between"), gaps, gap)] if places else []
    choices += [Choice("country", _("Country of the curve"), countries, country)] if countries else []
    part = {"is_shipped": not found.releases, "has_pooled": kept.run is not None, "exchange_url": f"{ROOT}exchange/", "asked": list(group_labels(reader()).values())}
    lead = _("Whom higher education reaches, whom virtual mobility reaches, and whom both miss. What nobody asks about cannot be told: that stands here too.")
    return Sheet(_("Equity"), lead, figures, choices, "public/observatory/equity.html", [{"url": request.path, "label": _("Equity")}], part)


def gap_labels() -> dict[str, str]:
    return {"women-men": _("Women and men"), "rural-urban": _("Rural and urban"), "poorer-richest": _("Poorer and richest fifth")}


def parity(found: Equity, where: str, gap: str) -> Figure:
    """Each country's newest parity index, the least first, and the median with the range of all."""
    facts = sorted(_inside(found, where, gap), key=lambda fact: (fact.value or 0.0, fact.geo))
    values = [fact.value or 0.0 for fact in facts]
    middle = values[len(values) // 2] if len(values) % 2 else (values[len(values) // 2 - 1] + values[len(values) // 2]) / 2
    whole = Fact(key=f"parity.{gap}.{where}", value=middle, low=values[0], high=values[-1], unit="index", design="descriptive", geo=where, coverage=len(facts) / len(members(where)), source=facts[0].source)
    title = _("Tertiary attendance, %(gap)s: parity index, %(place)s") % {"gap": gap_labels()[gap].lower(), "place": name_of(where, reader())}
    rows = [Bar(f"{name_of(fact.geo, reader())}, {fact.year}", fact.value or 0.0, fact.value or 0.0, fact.value or 0.0, told(fact), "—") for fact in facts]
    rows.append(Bar(_("Median country"), middle, whole.low or 0.0, whole.high or 0.0, told(whole), told(whole, "band")))
    drawing = dots(title, word("bars"), rows, (word("place"), word("value"), _("Range of all")), at=1.0, ends=(0.0, 2.0), ticks=_ticks(INDEX))
    unknown = _("The surveys behind these figures publish no margin of error, and come from different years. %(there)s of %(all)s countries and areas are told; of the others nothing follows. A disability, a language or belonging to an indigenous people is asked in few of them.") % {"there": len(facts), "all": len(members(where))}
    note = _("One is equal. Below one the first of the two groups attends less; above one, more. The index is symmetric: 0.5 is as far from equal as 1.5.")
    return Figure("parity", title, drawing, [*facts, whole], unknown, found.releases, run=found.run, note=note, sdg=SDG)


def concentration_curve(found: Equity, geo: str) -> Figure:
    """How attendance leans to the rich in a country: its share by fifth of households, beside an equal one."""
    kept = found.curves[geo]
    index = found.leaning.get(geo)
    title = _("Who attends, from the poorest: %(place)s, %(year)s") % {"place": name_of(geo, reader()), "year": kept[0].year}
    names = [fifth_labels()[fact.key.split(".")[1]] for fact in kept]
    rows = [(name, told(fact)) for name, fact in zip(names, kept, strict=True)]
    label = labelled(name_of(geo, reader()), told(index)) if index else name_of(geo, reader())
    drawing = curve(
        title, _("A curve from the poorest to the richest; the table below says the same."), [(label, [fact.value or 0.0 for fact in kept])], (_("Fifth of households"), _("Gross attendance")), rows,
        across=_("Households from the poorest, in per cent"), up=_("Upwards: their share of all who attend"), equal=_("all alike"),
    )  # fmt: skip
    unknown = _("Differences inside a fifth, and how sure the survey is: it publishes no margin.")
    if len(kept) < len(FIFTHS):
        unknown += " " + _("The poorest fifth is missing in this release: where it attends least, the true index is larger.")
    note = _("The further the curve hangs below the straight line, the more attendance leans to the rich. The concentration index is twice that area: 0 is even, 1 is all with the richest. Gross attendance counts students of every age, so it can pass 100 per cent.")
    return Figure("curve", title, drawing, [*kept, *([index] if index else [])], unknown, found.releases, run=found.run, note=note, sdg=SDG)


def leaning(found: Equity, inside: Sequence[str], where: str) -> Figure:
    """The concentration index of every country that is known."""
    facts = sorted((found.leaning[geo] for geo in inside if geo in found.leaning), key=lambda fact: (-(fact.value or 0.0), fact.geo))
    title = _("How much attendance leans to the rich: concentration index, %(place)s") % {"place": name_of(where, reader())}
    rows = [Bar(f"{name_of(fact.geo, reader())}, {fact.year}", fact.value or 0.0, fact.value or 0.0, fact.value or 0.0, told(fact), "—") for fact in facts]
    drawing = dots(title, word("bars"), rows, (word("place"), word("value"), word("band")), at=0.0, ends=(-0.25, 0.75), ticks=_ticks((-0.25, 0.0, 0.25, 0.5, 0.75)))
    drawing = replace(drawing, head=(word("place"), _("Concentration index")), rows=tuple(row[:2] for row in drawing.rows))
    unknown = _("No margin of error is published for these surveys. They are of different years, so that small differences between countries say nothing.")
    return Figure("leaning", title, drawing, facts, unknown, found.releases, run=found.run, sdg=SDG)


def reached(kept: Study) -> list[Figure]:
    """Of the students who agreed to be counted: how far those of each group came, and the others. A table; few may be told."""
    groups = [(slug, label) for slug, label in group_labels(reader()).items() if any(key.startswith(series_name("applied", f"group.{slug}")) for key in kept.facts)]
    if not groups:
        return []
    year = max(fact.year or 0 for key, fact in kept.facts.items() if key.startswith("vsm.applied.group."))
    measures = ("applied", "started", "completed", "recognised")
    rows, facts = [], []
    for slug, label in groups:
        for value, name in (("yes", label), ("no", _("all others who were asked"))):
            cells = [kept.facts.get(f"{series_name(measure, f'group.{slug}', value)}.{year}") for measure in measures]
            rows.append((name, *(count(cell) for cell in cells)))
            facts += [cell for cell in cells if cell]
    title = _("Whom virtual mobility here reaches, by what students say of themselves, %(year)s") % {"year": year}
    drawing = Drawing("", (_("Group"), pgettext("students", "Applied"), _("Began"), _("Completed"), _("Recognised at home")), tuple(rows))
    unknown = _("Only students say to which groups they belong, only where a call asks, and only those are counted who agreed to it: nobody may conclude from this table who the others are. The gender that some teachers note to mix teams is used for nothing else.")
    note = _("A count under ten is withheld, and what would give it away. Withheld is not zero.")
    return [Figure("groups", title, drawing, facts, unknown, run=kept.run, note=note, sdg=(*SDG, "10.2"))]


def group_parity(kept: Study) -> list[Figure]:
    """The rate of each group over that of the others, where both may be told: reached, completing, recognised."""
    names, labels = group_labels(reader()), {"started": _("began"), "completed": _("completed"), "recognised": _("recognised")}
    facts = [fact for key, fact in kept.facts.items() if key.startswith("parity.") and key.split(".")[2] in names]
    if not facts:
        return []
    rows = [Bar(labelled(names[fact.key.split(".")[2]], f"{labels[fact.key.split('.')[1]]}, {fact.year}"), fact.value or 0.0, fact.low or 0.0, fact.high or 0.0, told(fact), told(fact, "band")) for fact in facts]
    title = _("Does virtual mobility here reach groups alike? Parity index")
    drawing = dots(title, word("bars"), rows, (_("Group"), word("value"), word("band")), at=1.0, ends=(0.0, 2.0), ticks=_ticks(INDEX))
    unknown = _("Where the band covers one, these numbers do not tell whether the group fares better or worse. It takes the worst of both rates, so it is rather too wide than too narrow.")
    return [Figure("group-parity", title, drawing, facts, unknown, run=kept.run, note=_("One is equal: the same share of the group as of the others."), sdg=(*SDG, "10.2"))]


def fifth_labels() -> dict[str, str]:
    return {"q1": _("Poorest fifth"), "q2": _("Second fifth"), "q3": _("Third fifth"), "q4": _("Fourth fifth"), "q5": _("Richest fifth")}


def _inside(found: Equity, where: str, gap: str) -> list[Fact]:
    return [fact for geo, fact in found.parities.get(gap, {}).items() if geo in members(where)]


def _ticks(values: Sequence[float]) -> list[tuple[float, str]]:
    return [(value, short(value, reader())) for value in values]


urlpatterns: list[URLPattern] = doors("observatory/equity", page, "equity")

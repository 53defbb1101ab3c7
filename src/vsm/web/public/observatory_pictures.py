"""The Observatory's figures: which facts, how they are drawn, how the table tells them, and what is not known of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from vsm.kit.localized import text_in
from vsm.observatory.estimates.facts import Fact
from vsm.observatory.estimates.prospects import SCENARIOS
from vsm.observatory.geography import countries, name_of, regions
from vsm.observatory.indicators.measures import INBOUND, NET, OUTBOUND
from vsm.observatory.publications.charts import Bar, Drawing, Line, bars, lines
from vsm.observatory.publications.edition import WORDS
from vsm.observatory.publications.telling import edge, tell
from vsm.web.public.observatory_drawings import CHANGES, Step, flow_picture, tile_map
from vsm.web.public.observatory_reading import ENROLMENT, Loaded, Matrix, Study, inside
from vsm.web.public.observatory_sheets import Figure, reader

COUNTS = (INBOUND, NET, OUTBOUND)
FROM_ABROAD, BALANCE = ("4.3", "4.b"), ("4.b", "10.7")
DRAWN_FLOWS, LISTED_FLOWS, DRAWN_BARS = 10, 50, 30
STAY = (0.11, 0.64)  # least and most share of graduates from abroad who stay in their host (OECD 2022, known for few hosts)
JUMP = 0.5  # beyond this a gap is doubted


def word(name: str) -> str:
    """A word that every chart needs, in the reader's language."""
    return text_in(WORDS[name], reader())


def told(fact: Fact | None, how: str = "") -> str:
    """A fact in the reader's language; a dash where there is none."""
    if fact is None or (fact.value is None and how != "band") or (how == "band" and fact.low is None):
        return "—"
    return tell(fact, how, reader())


def along(unit: str) -> Callable[[float], str]:
    """How round values of a unit are said along an axis, in the reader's language."""
    return lambda value: edge(value, unit, reader())


def totals_line(kept: Study, geos: Sequence[str], name: str, title: str) -> Figure:
    """Students from abroad by year, of one region or several."""
    series = {geo: kept.yearly(f"inbound.{geo}") for geo in geos}
    facts = [fact for found in series.values() for fact in found]
    return Figure(name, title, yearly_lines(title, {name_of(geo, reader()): found for geo, found in series.items()}), facts, unknown_totals(), run=kept.run, sdg=FROM_ABROAD)


def shares_map(kept: Study) -> Figure:
    """Where students from abroad are: each region's share of the world in the newest year; squares take their region's shade."""
    year = kept.yearly("inbound.world")[-1].year or 0
    world = kept.facts[f"inbound.world.{year}"].value or 1.0
    found = [kept.facts[f"inbound.{code}.{year}"] for code in _finest(kept.geos("inbound")) if f"inbound.{code}.{year}" in kept.facts]
    facts = [replace(fact, key=f"share.{fact.geo}.{year}", value=(fact.value or 0.0) / world, unit="share") for fact in found]
    title = _("Where students from abroad study: share of the world, %(year)s") % {"year": year}
    drawing = share_map(title, facts)
    return Figure("shares", title, drawing, facts, unknown_totals(), run=kept.run, note=_("Each square is a country, in the shade of its region."), sdg=FROM_ABROAD)


def share_map(title: str, facts: Sequence[Fact]) -> Drawing:
    """Shares of the world on the map of squares."""
    return _map(title, facts, _steps((0.0, 0.02, 0.05, 0.1, 0.2), 1.0), word("value"))


def gaps(kept: Study, year: int) -> Figure:
    """Every region's gap in a year, with its band."""
    facts = [kept.facts[f"gap.{geo}.{year}"] for geo in kept.geos("gap") if f"gap.{geo}.{year}" in kept.facts]
    title = _("Students from abroad against the path before the pandemic, %(year)s") % {"year": year}
    drawing = bars(title, word("bars"), [_bar(fact, name_of(fact.geo, reader())) for fact in facts], (word("place"), word("value"), word("band")), along("share"))
    rows = tuple((*row, told(fact, "level"), told(kept.facts.get(f"missing.{fact.geo}.{year}"), "signed")) for row, fact in zip(drawing.rows, facts, strict=True))
    drawing = replace(drawing, head=(*drawing.head, _("How sure"), _("Students")), rows=rows)
    both = [*facts, *(kept.facts[key] for key in (f"missing.{fact.geo}.{year}" for fact in facts) if key in kept.facts)]
    return Figure("gaps", title, drawing, both, _unknown_gaps(), run=kept.run, note=_note_gaps(facts), sdg=FROM_ABROAD)


def gap_map(kept: Study, year: int) -> Figure:
    """The same gaps on the map of squares."""
    facts = [fact for geo in _finest(kept.geos("gap")) if (fact := kept.facts.get(f"gap.{geo}.{year}"))]
    title = _("Gap by region on the map, %(year)s") % {"year": year}
    drawing = _map(title, facts, _steps((-1.0, -0.15, -0.03, 0.03, 0.15), 10.0), word("value"), changes=True)
    note = _("Each square is a country, in the shade of its region. A shade says nothing of the band: the table does.")
    return Figure("map", title, drawing, facts, _unknown_gaps(), run=kept.run, note=note, sdg=FROM_ABROAD)


def gaps_of_place(kept: Study, geo: str) -> Figure:
    """One region's gap, year by year."""
    facts = [fact for fact in kept.facts.values() if fact.key.startswith(f"gap.{geo}.")]
    title = _("Against the path before the pandemic: %(place)s") % {"place": name_of(geo, reader())}
    drawing = bars(title, word("bars"), [_bar(fact, str(fact.year)) for fact in facts], (word("year"), word("value"), word("band")), along("share"))
    return Figure("gaps", title, drawing, facts, _unknown_gaps(), run=kept.run, note=_note_gaps(facts), sdg=FROM_ABROAD)


def fan(kept: Study, geo: str) -> Figure:
    """What was and the fan of what may come."""
    past, ahead = kept.yearly(f"inbound.{geo}"), kept.yearly(f"fan.{geo}")
    title = _("Prospects: %(place)s") % {"place": name_of(geo, reader())}
    last = past[-1] if past else None
    # The fan opens at the last year that is known.
    outer = [(last.year or 0, last.value or 0.0, last.value or 0.0)] if last else []
    inner = list(outer)
    outer += [(fact.year or 0, fact.low or 0.0, fact.high or 0.0) for fact in ahead]
    inner += [(fact.year or 0, *fact.extra["half"]) for fact in ahead if "half" in fact.extra]
    points = tuple((fact.year or 0, fact.value or 0.0) for fact in (*past, *ahead))
    table = [(str(fact.year), told(fact), "—", "—") for fact in past]
    table += [(str(fact.year), told(fact), _range(fact, fact.extra.get("half")), told(fact, "band")) for fact in ahead]
    head = (word("year"), word("value"), _("Half of cases"), _("Four of five cases"))
    drawing = lines(title, word("lines"), [Line(name_of(geo, reader()), points, (tuple(outer), tuple(inner)))], head, table, reader())
    unknown = _("What nobody foresees: new closures, visa rules, wars, exchange rates. The fan is as wide as the same forecast was wrong before; what has never happened is not in it.")
    return Figure("fan", title, drawing, [*past, *ahead], unknown, run=kept.run, note=_("The dark band holds half of what is likely, the light band four fifths. The middle is no forecast to plan with."), sdg=FROM_ABROAD)


def scenarios(kept: Study, slugs: Sequence[str]) -> list[Figure]:
    """Paths that follow from assumptions: students who move, and students who do so virtually."""
    labels = scenario_labels()
    found = []
    for kind, title in (("physical", _("Scenarios: students abroad")), ("virtual", _("Scenarios: virtual mobility"))):
        series = {labels[slug]: kept.yearly(f"scenario.{slug}.{kind}") for slug in slugs}
        facts = [fact for each in series.values() for fact in each]
        if facts and any(fact.value for fact in facts):
            unknown = _("Whether any of these assumptions will hold. Nobody counts virtual mobility worldwide: its level here is an assumption, not a measurement.")
            found.append(Figure(f"scenarios-{kind}", title, yearly_lines(title, series), facts, unknown, run=kept.run, sdg=FROM_ABROAD))
    return found


def scenario_labels() -> dict[str, str]:
    return {"as-before": _("As before"), "regulated": _("Regulated regionalism"), "hybrid": _("Hybrid"), "rebound": _("Rebound")}


def assumptions() -> list[dict[str, str]]:
    """What each scenario assumes, as a table tells it."""

    def share(value: float) -> str:
        return tell(Fact(key="assumed", value=value, unit="share", design="assumption"), "", reader())

    labels = scenario_labels()
    return [{"name": labels.get(each.slug, each.slug), "growth": share(each.growth), "level": share(each.shock), "substituted": share(each.substituted), "added": f"{each.added:g}"} for each in SCENARIOS]


def in_and_out(found: Loaded, code: str) -> Figure:
    """Students who come and students who leave, by year."""
    series = {_("From abroad"): found.facts("inbound", code), _("Abroad"): found.facts("outbound", code)}
    title = _("Coming and leaving: %(place)s") % {"place": name_of(code, reader())}
    shown = {label: facts for label, facts in series.items() if facts}
    return Figure("students", title, yearly_lines(title, shown), [fact for facts in shown.values() for fact in facts], _unknown_countries(), found.told_by(*COUNTS), sdg=BALANCE)


def balance_by_year(found: Loaded, code: str) -> Figure:
    """Net, ratio and circulation of a country, by year."""
    by_measure = {measure: {fact.year: fact for fact in found.facts(measure, code)} for measure in ("net", "ratio", "circulation")}
    years = sorted(year for year in by_measure["circulation"] if year is not None)
    title = _("Balance: %(place)s") % {"place": name_of(code, reader())}
    nets = [by_measure["net"][year] for year in years if year in by_measure["net"]]
    drawing = bars(title, word("bars"), [_bar(fact, str(fact.year)) for fact in nets], (word("year"), word("value"), word("band")), along("students"))
    rows = tuple((str(year), *(told(by_measure[measure].get(year)) for measure in ("net", "ratio", "circulation"))) for year in years)
    drawing = replace(drawing, head=(word("year"), *_balance_heads()), rows=rows)
    facts = [fact for cells in by_measure.values() for fact in cells.values()]
    return Figure("balance", title, drawing, facts, _unknown_countries(), found.told_by(*COUNTS), note=_note_balance(), sdg=BALANCE)


def per_thousand(found: Loaded, code: str) -> Figure:
    """Net flow for each thousand students of the country itself, year by year."""
    facts = found.facts("per-thousand", code)
    title = _("Net for each thousand students at home: %(place)s") % {"place": name_of(code, reader())}
    drawing = bars(title, word("bars"), [_bar(fact, str(fact.year)) for fact in facts], (word("year"), word("value"), word("band")), along(facts[0].unit))
    drawing = replace(drawing, head=(word("year"), word("value")), rows=tuple(row[:2] for row in drawing.rows))
    return Figure("per-thousand", title, drawing, facts, _unknown_countries(), found.told_by(*COUNTS, ENROLMENT), note=_("What comes and goes, measured against what the country itself teaches."), sdg=BALANCE)


def per_thousand_of_region(found: Loaded, region: str, year: int) -> list[Figure]:
    """The countries of a region in a year by their net for each thousand students: large and small ones side by side."""
    facts = [fact for code in inside(region) for fact in found.facts("per-thousand", code) if fact.year == year]
    order = sorted(facts, key=lambda fact: (fact.value or 0.0, fact.geo))
    if not order:
        return []
    title = _("Net for each thousand students at home: %(place)s, %(year)s") % {"place": name_of(region, reader()), "year": year}
    largest = sorted(order, key=lambda fact: -abs(fact.value or 0.0))[:DRAWN_BARS]
    drawing = bars(title, word("bars"), [_bar(fact, name_of(fact.geo, reader())) for fact in order if fact in largest], (word("place"), word("value"), word("band")), along(order[0].unit))
    drawing = replace(drawing, head=(word("place"), word("value")), rows=tuple((name_of(fact.geo, reader()), told(fact, "signed")) for fact in order))
    unknown = _("%(there)s of %(all)s countries and areas of this region tell both; the others are not zero, they are not known.") % {"there": len(order), "all": len(inside(region))}
    return [Figure("per-thousand", title, drawing, order, f"{unknown} {_unknown_countries()}", found.told_by(*COUNTS, ENROLMENT), sdg=BALANCE)]


def concentration(found: Loaded, region: str) -> Figure:
    """How few hosts hold how much of a region: the share of the five largest, the Herfindahl-Hirschman index, the entropy."""
    facts = found.concentration[region]
    by_name = {name: {fact.year: fact for fact in facts if fact.key.startswith(f"{name}.")} for name in ("top5", "hhi", "entropy")}
    title = _("How few hosts hold how much: %(place)s") % {"place": name_of(region, reader())}
    labels = {"top5": _("Share of the five largest"), "hhi": _("Concentration (HHI)"), "entropy": _("Evenness (entropy)")}
    short = {"top5": _("Five largest"), "hhi": _("HHI"), "entropy": _("Evenness")}
    shown = [Line(short[name], tuple((year or 0, (fact.value or 0.0) * 100) for year, fact in sorted(cells.items(), key=lambda each: each[0] or 0))) for name, cells in by_name.items()]
    coverage = {year: replace(fact, key=f"covered.{region}.{year}", value=fact.coverage, unit="share") for year, fact in by_name["hhi"].items()}
    years = sorted(year for year in by_name["hhi"] if year is not None)
    table = [(str(year), *(told(by_name[name].get(year)) for name in labels), told(coverage[year])) for year in years]
    drawing = lines(title, word("lines"), shown, (word("year"), *labels.values(), _("Covered")), table, reader())
    hosts = facts[0].extra["hosts"]
    unknown = _("Only the %(hosts)s hosts that report in every one of these years are counted, or reporters that come and go would look like a change; “covered” is their share of all that is reported. Hosts that never report are not in it.") % {"hosts": hosts}
    note = _("Drawn from 0 to 100. HHI is the sum of squared shares: 100 is one host alone. Evenness is 100 where all have alike.")
    return Figure("concentration", title, drawing, facts, unknown, found.told_by(INBOUND), note=note, sdg=("4.b",))


def balance_of_region(found: Loaded, region: str, year: int) -> list[Figure]:
    """Each country of a region in a year: a table with a picture of the net, and the map of circulation."""
    names = ("inbound", "outbound", "net", "ratio", "circulation")
    cells = {code: {name: fact for name in names for fact in found.facts(name, code) if fact.year == year} for code in sorted(inside(region))}
    there = {code: each for code, each in cells.items() if "net" in each}
    order = sorted(there, key=lambda code: (there[code]["net"].value or 0.0, code))
    title = _("Balance by country: %(place)s, %(year)s") % {"place": name_of(region, reader()), "year": year}
    largest = set(sorted(order, key=lambda code: -abs(there[code]["net"].value or 0.0))[:DRAWN_BARS])
    drawn = [_bar(there[code]["net"], name_of(code, reader())) for code in order if code in largest]
    if not drawn:
        return []
    drawing = bars(title, word("bars"), drawn, (word("place"), word("value"), word("band")), along("students"))
    lost = {code: _lost(there[code]["outbound"]) for code in order if "outbound" in there[code]}
    rows = tuple((name_of(code, reader()), *(told(there[code].get(name)) for name in names), told(lost.get(code), "band")) for code in order)
    drawing = replace(drawing, head=(word("place"), _("From abroad"), _("Abroad"), *_balance_heads(), _("May not come back")), rows=rows)
    facts = [fact for code in order for fact in (*there[code].values(), *([lost[code]] if code in lost else []))]
    coverage = _("%(there)s of %(all)s countries and areas of this region have a balance in this year; the others are not zero, they are not known.") % {"there": len(there), "all": len(inside(region))}
    first = Figure("balance", title, drawing, facts, f"{coverage} {_unknown_countries()}", found.told_by(*COUNTS), note=_note_balance(), sdg=BALANCE)
    circling = [there[code]["circulation"] for code in order if "circulation" in there[code]]
    map_title = _("Circulation: %(place)s, %(year)s") % {"place": name_of(region, reader()), "year": year}
    drawn_map = _map(map_title, circling, _steps((0.0, 0.2, 0.4, 0.6, 0.8), 1.0, unit="index"), _("Circulation"))
    return [first, Figure("circulation", map_title, drawn_map, circling, coverage, found.told_by(*COUNTS), note=_("One-way is light, balanced is dark."), sdg=BALANCE)] if circling else [first]


def stays(found: Loaded, region: str) -> Figure:
    """Of those who leave a country of a region, the share who stay in it, from what is proved to what is possible."""
    facts = found.stays[region]
    title = _("Of those who leave, the share who stay in the region: %(place)s") % {"place": name_of(region, reader())}
    low = Line(_("at least"), tuple((fact.year or 0, (fact.low or 0.0) * 100) for fact in facts), (tuple((fact.year or 0, (fact.low or 0.0) * 100, (fact.high or 0.0) * 100) for fact in facts),))
    high = Line(_("at most"), tuple((fact.year or 0, (fact.high or 0.0) * 100) for fact in facts))
    coverage = [replace(fact, value=fact.coverage) for fact in facts]
    table = [(str(fact.year), told(fact), told(fact, "band"), told(listed)) for fact, listed in zip(facts, coverage, strict=True)]
    drawing = lines(title, word("lines"), [low, high], (word("year"), _("at least"), word("band"), _("Listed")), table, reader())
    unknown = _("Where the students go whom no list tells apart: counted as gone they give the lower end, counted as stayed the upper end.")
    return Figure("stays", title, drawing, facts, unknown, tuple(dict.fromkeys((*found.telling(found.matrices[0]), *found.told_by(*COUNTS)))), note=_("In per cent."), sdg=BALANCE)


def flow_table(found: Loaded, matrix: Matrix, pairs: Mapping[tuple[str, str], float], year: int) -> Figure:
    """The largest flows, ranked; ten of them drawn."""
    ranked = sorted(pairs.items(), key=lambda each: (-each[1], each[0]))[:LISTED_FLOWS]
    facts = [Fact(key=f"flow.{origin}.{to}.{year}", value=value, unit="students", design="descriptive", geo=origin, year=year, source=matrix.source, extra={"to": to}) for (origin, to), value in ranked]
    title = _("The largest flows, %(year)s") % {"year": year}
    rows = tuple((str(number), name_of(pair[0], reader()), name_of(pair[1], reader()), told(fact)) for number, ((pair, _value), fact) in enumerate(zip(ranked, facts, strict=True), start=1))
    svg, narrow = flow_picture(title, word("bars"), [(name_of(pair[0], reader()), name_of(pair[1], reader()), value, told(fact)) for (pair, value), fact in list(zip(ranked, facts, strict=True))[:DRAWN_FLOWS]])
    drawing = Drawing(svg, (_("Rank"), pgettext("country", "From"), pgettext("country", "To"), _("Students")), rows, narrow=narrow)
    unknown = _("Flows to hosts that do not tell where their students come from are missing, so a sum of flows is a lower bound. By citizenship or by earlier schooling differs from host to host.")
    if matrix.truncated:
        unknown = _("This source lists the ten largest flows of each country alone: the smaller ones are not zero, they are not told.") + " " + unknown
    hosts = {each: len({host for _origin, host in cells}) for each, cells in matrix.flows.items()}
    best = max(hosts, key=lambda each: (hosts[each], each))
    if hosts[year] < hosts[best]:
        unknown = _("%(hosts)s hosts tell in %(year)s where their students come from; in %(best)s it was %(most)s.") % {"hosts": hosts[year], "year": year, "best": best, "most": hosts[best]} + " " + unknown
    releases = found.telling(matrix)
    return Figure("flows", title, drawing, facts, unknown, releases, note=_("The picture shows the ten largest; the table up to fifty."), sdg=BALANCE)


def pair(found: Loaded, matrix: Matrix, one: str, other: str) -> list[Figure]:
    """Both directions between two countries, year by year; a year that is not told is a gap, not a zero."""
    series = {}
    for origin, to in ((one, other), (other, one)):
        cells = {year: flows[origin, to] for year, flows in sorted(matrix.flows.items()) if (origin, to) in flows}
        facts = [Fact(key=f"flow.{origin}.{to}.{year}", value=value, unit="students", design="descriptive", geo=origin, year=year, source=matrix.source, extra={"to": to}) for year, value in cells.items()]
        if facts:
            series[_("%(origin)s to %(host)s") % {"origin": name_of(origin, reader()), "host": name_of(to, reader())}] = facts
    if not series:
        return []
    title = _("Between %(one)s and %(other)s") % {"one": name_of(one, reader()), "other": name_of(other, reader())}
    releases = found.telling(matrix)
    unknown = _("A year without a point is not told: the host did not report, or the flow was too small for a list. Who came back is not known.")
    return [Figure("pair", title, yearly_lines(title, series), [fact for facts in series.values() for fact in facts], unknown, releases, sdg=BALANCE)]


def hosts_map(found: Loaded, region: str) -> list[Figure]:
    """Where in a region students from abroad are: each country in the newest year that most of them tell."""
    hosts = {code: cells for code, cells in found.series.get("inbound", {}).items() if code in inside(region)}
    counts: dict[int, int] = {}
    for cells in hosts.values():
        for year in cells:
            counts[year] = counts.get(year, 0) + 1
    if not counts:
        return []
    year = max(year for year, count in counts.items() if count >= 0.9 * max(counts.values()))
    facts = [fact for code in sorted(hosts) for fact in found.facts("inbound", code) if fact.year == year]
    title = _("Students from abroad by country: %(place)s, %(year)s") % {"place": name_of(region, reader()), "year": year}
    drawing = _map(title, sorted(facts, key=lambda fact: -(fact.value or 0.0)), _steps((0.0, 1_000.0, 10_000.0, 50_000.0, 200_000.0), 1e9, unit="students"), _("Students"))
    unknown = _("%(there)s of %(all)s countries and areas are told in this year; a white square is not known, not zero.") % {"there": len(facts), "all": len(inside(region))}
    return [Figure("hosts", title, drawing, facts, f"{unknown} {_unknown_countries()}", found.told_by(INBOUND), sdg=FROM_ABROAD)]


def yearly_lines(title: str, series: Mapping[str, Sequence[Fact]]) -> Drawing:
    """Series by year with their table."""
    by_year = {label: {fact.year: fact for fact in facts} for label, facts in series.items()}
    years = sorted({fact.year for facts in series.values() for fact in facts if fact.year is not None})
    shown = [Line(label, tuple((fact.year or 0, fact.value or 0.0) for fact in facts)) for label, facts in series.items()]
    table = [[str(year), *(told(by_year[label].get(year)) for label in series)] for year in years]
    return lines(title, word("lines"), shown, (word("year"), *series), table, reader())


def _map(title: str, facts: Sequence[Fact], steps: Sequence[Step], head: str, *, changes: bool = False) -> Drawing:
    """A map of squares: a fact of a region shades all its countries, the finer region last."""
    values: dict[str, float] = {}
    for fact in facts:
        for code in {fact.geo} if fact.geo in countries() else inside(fact.geo):
            values[code] = fact.value or 0.0
    how = "signed" if changes else ""
    rows = tuple((name_of(fact.geo, reader()), told(fact, how), told(fact, "band")) for fact in facts)
    banded = any(fact.low is not None for fact in facts)
    description = _("A map of squares, one for each country; the table below says the same.")
    inks = {"inks": CHANGES} if changes else {}
    svg, narrow = tile_map(title, description, values, steps, nothing=_("no figure"), **inks)
    return Drawing(svg, (word("place"), head, word("band")) if banded else (word("place"), head), rows if banded else tuple(row[:2] for row in rows), narrow=narrow)


def _steps(edges: Sequence[float], end: float, unit: str = "share") -> list[Step]:
    """Classes between edges, each said in words: "below", "from … to …", "more than"."""
    uppers = [*edges[1:], end]

    amount = along(unit)

    found = []
    for number, (low, high) in enumerate(zip(edges, uppers, strict=True)):
        if number == 0:
            text = _("less than %(most)s") % {"most": amount(high)}
        elif number == len(edges) - 1:
            text = _("%(least)s and more") % {"least": amount(low)}
        else:
            text = _("%(least)s to %(most)s") % {"least": amount(low), "most": amount(high)}
        found.append(Step(low, high, text))
    return found


def _finest(geos: Sequence[str]) -> list[str]:
    """Regions without the world, large ones first, so that a part shades after what it is part of; parts of parts are left out."""
    return sorted((geo for geo in geos if geo in regions() and 0 < regions()[geo].level < 3), key=lambda geo: (regions()[geo].level, geo))


def _bar(fact: Fact, label: str) -> Bar:
    value = fact.value or 0.0
    low, high = (fact.low, fact.high) if fact.low is not None and fact.high is not None else (value, value)
    return Bar(label, value, low, high, told(fact, "signed"), told(fact, "band"))


def _lost(sent: Fact) -> Fact:
    """Students who leave and stay away, as a range: nobody knows the middle."""
    least, most = ((sent.value or 0.0) * share for share in STAY)
    return replace(sent, key=f"stay-loss.{sent.geo}.{sent.year}", value=None, low=least, high=most, design="assumption")


def _range(fact: Fact, ends: Sequence[float] | None) -> str:
    return told(replace(fact, low=ends[0], high=ends[1]), "band") if ends else "—"


def _balance_heads() -> tuple[str, str, str]:
    return _("Net"), _("Coming for each one who leaves"), _("Circulation")


def _note_balance() -> str:
    return _("Circulation is 0 where students move one way only and 1 where as many come as leave. A negative net is a fact about enrolment, not yet a loss: how many come back is known for few hosts.")


def _note_gaps(facts: Sequence[Fact]) -> str:
    """A warning where a series jumps further than students do."""
    jumps = [name_of(geo, reader()) for geo in dict.fromkeys(fact.geo for fact in facts if abs(fact.value or 0.0) > JUMP)]
    return _("A gap of more than half is more likely a change of who reports than of who studies: %(places)s.") % {"places": ", ".join(jumps)} if jumps else ""


def unknown_totals() -> str:
    return _("How many of those counted as abroad studied from home. Hosts that do not report are estimated by the publisher; short exchanges are not counted.")


def _unknown_gaps() -> str:
    return _("How many of those counted as abroad studied from home; what is a change of reporting and what a change of students. The gap says how far from its path a region was, not why.")


def _unknown_countries() -> str:
    return _("Who came back, who stayed, and who studied from home. Students without a degree as their aim are not counted, and a break in a series may be a change of definition.")

"""What the Observatory's pages read: facts of the newest runs, and yearly series of countries from what is loaded.

Facts are kept, so a page that shows them computes nothing. Series of countries are computed once for a set of releases
and then remembered; numpy, DuckDB and Ibis load only then.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from vsm.observatory.estimates.facts import Fact
from vsm.observatory.estimates.models import EstimateRun
from vsm.observatory.estimates.queries import facts_of
from vsm.observatory.geography import countries, groupings, members, regions
from vsm.observatory.sources.breaks import applied
from vsm.observatory.sources.models import Release
from vsm.observatory.sources.observations import INBOUND
from vsm.observatory.sources.queries import counting_releases, current_releases, decisions

# Sources of yearly counts of students by country; `facts` holds regions only, the others something else.
BY_COUNTRY = ("uis", "own")
BILATERAL = ("oecd", "uis", "own")
MOST_EVEN, SHORTEST = 5, 5  # five hosts hold everything of a region of five; fewer years are no series
# Groupings whose members come with a list, and the source of it; no publisher totals them here.
LISTS: Mapping[str, str] = {"un": "country-codes", "income": "worldbank", "bank": "worldbank"}
SUMMED = tuple(LISTS)
KEPT = 4  # sets of releases that are remembered at once

# Tertiary attendance by fifth of households, from the poorest (UIS SDG 4), and the two sides of each parity index.
FIFTHS = ("q1", "q2", "q3", "q4", "q5")
ATTENDANCE = "GAR.5T8."
SIDES: Mapping[str, tuple[str, str]] = {"women-men": ("GER.5T8.F", "GER.5T8.M"), "rural-urban": ("GAR.5T8.RUR", "GAR.5T8.URB"), "poorer-richest": ("GAR.5T8.Q1", "GAR.5T8.Q5")}
ENROLMENT = "25053"  # students in tertiary education, both sexes (UIS)

Cells = Mapping[int, float]


@dataclass(frozen=True)
class Study:
    """A run with its facts by key; `run` is None while nobody has run it."""

    run: EstimateRun | None
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def yearly(self, prefix: str) -> list[Fact]:
        """Facts whose key is the prefix and a year, in order."""
        found = [fact for key, fact in self.facts.items() if fact.year is not None and key == f"{prefix}.{fact.year}"]
        return sorted(found, key=lambda fact: fact.year or 0)

    def geos(self, prefix: str) -> list[str]:
        """The places that have facts under a prefix ("gap"), in their order."""
        return list(dict.fromkeys(fact.geo for key, fact in self.facts.items() if key.startswith(f"{prefix}.") and fact.geo))

    def years(self, prefix: str) -> list[int]:
        return sorted({fact.year for key, fact in self.facts.items() if key.startswith(f"{prefix}.") and fact.year is not None})


@dataclass(frozen=True)
class Matrix:
    """Flows of one source and series: year → (origin, destination) → students. `truncated`: smaller flows are left out, so
    that sums are lower bounds. Two series of one source overlap and are never added."""

    source: str
    series: str
    truncated: bool
    flows: Mapping[int, Mapping[tuple[str, str], float]]

    @property
    def key(self) -> str:
        return f"{self.source}-{self.series}"


@dataclass(frozen=True)
class Loaded:
    """Series of countries by measure (inbound, outbound, net, ratio, circulation): country → year → value. `matrices` are
    the sets of flows, the largest first; `stays` region → what of those who leave a country of it stay in it. `releases`
    are what they were computed from. `concentration` region → by year how few of its hosts hold how much."""

    releases: tuple[Release, ...]
    series: Mapping[str, Mapping[str, Cells]]
    concentration: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict)
    matrices: tuple["Matrix", ...] = ()
    stays: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict)

    def told_by(self, *names: str) -> tuple[Release, ...]:
        """The releases that tell one of these series: a figure credits those that it is made of, and no others."""
        return tuple(release for release in self.releases if release.source == _counting(self.releases) and {*names} & {key.rstrip("@") for key in release.covers})

    def telling(self, matrix: "Matrix") -> tuple[Release, ...]:
        """The releases that tell flows of a matrix: whole, or origin by origin."""
        return tuple(release for release in self.releases if release.source == matrix.source and matrix.series in {key.partition(">")[0] for key in release.covers})

    def facts(self, measure: str, geo: str) -> list[Fact]:
        """A series as facts; what is computed from published counts is descriptive and has no band."""
        unit = {"ratio": "ratio", "circulation": "index", "per-thousand": "ratio"}.get(measure, "students")
        return [
            Fact(key=f"{measure}.{geo}.{year}", value=value, unit=unit, design="descriptive", geo=geo, year=year, source=_counting(self.releases))
            for year, value in sorted(self.series.get(measure, {}).get(geo, {}).items())
        ]


@dataclass(frozen=True)
class Equity:
    """Newest figures of attendance: gap → country → parity index; country → attendance by fifth from the poorest that is
    known; country → concentration index. `run` is the study that they come from, or `releases` where a release tells more."""

    run: EstimateRun | None = None
    releases: tuple[Release, ...] = ()
    parities: Mapping[str, Mapping[str, Fact]] = field(default_factory=dict)
    curves: Mapping[str, tuple[Fact, ...]] = field(default_factory=dict)
    leaning: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True)
class Listing:
    """Whom the newest list that is loaded puts where: region code → countries; `year` of that list, 0 for today's."""

    releases: tuple[Release, ...]
    year: int
    members: Mapping[str, frozenset[str]]


_facts: dict[str, Mapping[str, Fact]] = {}
_loaded: dict[tuple[str, ...], Loaded] = {}
_equity: dict[tuple[str, ...], Equity] = {}
_listings: dict[tuple[str, ...], Listing] = {}
_lock = Lock()


def study(kind: str) -> Study:
    """The newest run of a study and its facts, which are read once for each run."""
    run = EstimateRun.objects.filter(kind=kind).defer("facts").order_by("-number").first()
    if run is None:
        return Study(None)
    if run.digest not in _facts:
        found = facts_of(EstimateRun.objects.get(pk=run.pk))
        with _lock:
            _trim(_facts, 2 * KEPT)
            _facts[run.digest] = found
    return Study(run, _facts[run.digest])


def totals() -> Study:
    """Students from abroad by region: every study keeps the series that it began from."""
    first = study("covid-effect")
    return first if first.run else study("outlook")


def releases_of(run: EstimateRun) -> list[Release]:
    """The releases that a run was computed from."""
    return list(Release.objects.filter(pk__in=list(run.inputs.values())).order_by("source"))


def has_countries() -> bool:
    """Whether anything with countries is loaded: asked of the database alone."""
    return any(release.source == "uis" or (release.source == "own" and INBOUND in release.covers) for release in current_releases())


def _counting(releases: Iterable[Release]) -> str:
    """Whose counts of countries the pages show: a table of one's own only where UIS tells none. The two are never mixed."""
    told = {release.source for release in releases if INBOUND in release.covers}
    return next((source for source in BY_COUNTRY if source in told), BY_COUNTRY[0])


def has_flows() -> bool:
    """Whether anything is loaded that may tell flows."""
    return any(release.source in BILATERAL for release in current_releases())


def loaded() -> Loaded:
    """Series of countries and flows from the newest releases; empty where none of countries is loaded."""
    releases = tuple(release for release in current_releases() if release.source in {*BY_COUNTRY, *BILATERAL})
    key = tuple(sorted(str(release.pk) for release in releases))
    if key not in _loaded:
        found = _compute(releases) if releases else Loaded((), {})
        with _lock:
            _trim(_loaded, KEPT)
            _loaded[key] = found
    return _loaded[key]


def listing(grouping: str) -> Listing | None:
    """Who belongs to the regions of a grouping by the newest list; None where none is loaded."""
    telling = {region.series for region in groupings()[grouping].values()}
    releases = tuple(release for release, hidden in counting_releases((LISTS[grouping],)) if telling & (set(release.covers) - hidden))
    if not releases:
        return None
    key = (grouping, *sorted(str(release.pk) for release in releases))
    if key not in _listings:
        found = _compute_listing(grouping, releases)
        with _lock:
            _trim(_listings, KEPT)
            _listings[key] = found
    return _listings[key]


def _compute_listing(grouping: str, releases: tuple[Release, ...]) -> Listing:
    from vsm.observatory.sources.observations import observations

    told_as = {(region.series, region.class_): code for code, region in groupings()[grouping].items()}
    obs = observations(source=LISTS[grouping])
    rows = obs.filter(obs.series.isin(sorted({series for series, _class in told_as}))).select("series", "geo", "year", "value").to_pyarrow().to_pylist()
    # Today's list has the year 0 and wins; else the last year that was listed.
    year = 0 if any(row["year"] == 0 for row in rows) else max(row["year"] for row in rows)
    found: dict[str, set[str]] = {code: set() for code in told_as.values()}
    for row in rows:
        if row["year"] == year and (row["series"], row["value"]) in told_as:
            found[told_as[row["series"], int(row["value"])]].add(row["geo"])
    return Listing(releases, year, {code: frozenset(inside) for code, inside in found.items()})


def inside(code: str) -> frozenset[str]:
    """The countries of a region of any grouping: by the newest list where one is loaded, else as they ship. Asks the database."""
    grouping = next((name for name in LISTS if code in groupings()[name]), "")
    listed = listing(grouping) if grouping else None
    return listed.members[code] if listed else members(code)


def grouped(grouping: str) -> dict[str, tuple[Fact, ...]]:
    """Students from abroad by region of a grouping and year: what publishers total, or the sum of what they total, or (of
    groups that nobody totals here) the sum of the hosts that report in every one of the years, `coverage` being their part of
    all that is reported. Empty where the figures for it are not loaded."""
    chosen, kept = groupings()[grouping], totals()
    if grouping in SUMMED:
        return _summed(grouping) if has_countries() else {}
    found: dict[str, tuple[Fact, ...]] = {}
    for code, region in chosen.items():
        parts = [{fact.year: fact for fact in kept.yearly(f"inbound.{part}")} for part in region.of or (code,)]
        years = sorted(set.intersection(*(set(part) for part in parts)), key=lambda year: year or 0)
        found[code] = tuple(
            Fact(key=f"inbound.{code}.{year}", value=sum(part[year].value or 0.0 for part in parts), unit="students", design="descriptive", geo=code, year=year, source="uis") for year in years
        )
    return {code: facts for code, facts in found.items() if facts}


def as_decided() -> tuple[dict[str, Cells], dict[str, list[str]]]:
    """Students from abroad by country as studies read them, and by country the decisions about breaks behind it ("DOM 2022 drop")."""
    found = loaded()
    choices = decisions(_counting(found.releases), INBOUND)
    cells = {geo: applied(known, choices[geo])[0] if geo in choices else known for geo, known in found.series.get("inbound", {}).items()}
    return cells, {geo: [f"{geo} {each.year} {each.decision}" for each in chosen if each.decision != "keep"] for geo, chosen in choices.items()}


def _summed(grouping: str) -> dict[str, tuple[Fact, ...]]:
    """Each region on a panel of its own: one panel for the world would leave of some regions next to nothing. Whose year was
    left out does not report in that year."""
    cells, followed = as_decided()
    found: dict[str, tuple[Fact, ...]] = {}
    for code in groupings()[grouping]:
        everybody = inside(code)
        there = {geo: known for geo, known in cells.items() if geo in everybody}
        breaks = [name for geo in sorted(there) for name in followed.get(geo, ())]
        panel, years = _panel(there)
        if panel:
            found[code] = tuple(_sum_of(code, year, {geo: known[year] for geo, known in there.items() if year in known}, panel, len(everybody), breaks) for year in sorted(years))
    return found


def _sum_of(code: str, year: int, known: Mapping[str, float], panel: Collection[str], everybody: int, breaks: Sequence[str]) -> Fact:
    """The sum over the panel, of `everybody` in the region: a lower bound, whose coverage is its part of what all report in the year."""
    value = sum(number for geo, number in known.items() if geo in panel)
    extra = {"hosts": len(panel), "all": everybody, **({"breaks": breaks} if breaks else {})}
    return Fact(key=f"sum.{code}.{year}", value=value, unit="students", design="descriptive", geo=code, year=year, source="uis", coverage=value / (sum(known.values()) or 1.0), note="lower bound: only hosts that report in every year", extra=extra)


def equity() -> Equity:
    """Parities and attendance by wealth from the releases that tell them; else those of Latin America that ship."""
    wanted = {name for sides in SIDES.values() for name in sides}
    telling = [release for release in current_releases() if release.source in BY_COUNTRY and wanted & set(release.covers)]
    first = min((BY_COUNTRY.index(release.source) for release in telling), default=0)
    releases = tuple(release for release in telling if release.source == BY_COUNTRY[first])
    if not releases:
        return _shipped_equity(study("lac"))
    key = tuple(sorted(str(release.pk) for release in releases))
    if key not in _equity:
        found = _compute_equity(releases)
        with _lock:
            _trim(_equity, KEPT)
            _equity[key] = found
    return _equity[key]


def _shipped_equity(kept: Study) -> Equity:
    parities = {gap: {key.rpartition(".")[2]: fact for key, fact in kept.facts.items() if key.startswith(f"parity.{gap}.") and fact.geo in countries()} for gap in SIDES}
    curves: dict[str, list[Fact]] = {}
    for number in FIFTHS:
        for key, fact in kept.facts.items():
            if key.startswith(f"attendance.{number}."):
                curves.setdefault(fact.geo, []).append(fact)
    leaning = {fact.geo: fact for key, fact in kept.facts.items() if key.startswith("leaning.")}
    return Equity(kept.run, (), {gap: found for gap, found in parities.items() if found}, {geo: tuple(found) for geo, found in curves.items()}, leaning)


def _compute_equity(releases: tuple[Release, ...]) -> Equity:
    from vsm.observatory.indicators import measures
    from vsm.observatory.sources.engines import held
    from vsm.observatory.sources.observations import observations

    obs = observations(source=sorted({release.source for release in releases}))
    source, steps = releases[0].source, [ATTENDANCE + number.upper() for number in FIFTHS]
    asked = obs.filter(obs.series.isin(sorted({*steps, *(side for sides in SIDES.values() for side in sides)})) & (obs.geo2 == "") & obs.value.notnull())
    (rates,) = held(countries(), rates=asked.select("series", "geo", "year", "value"))
    parities = {gap: _newest(measures.parity(rates, *sides), f"parity.{gap}", source) for gap, sides in SIDES.items()}
    leaning = _newest(measures.concentration_index(rates, steps), "leaning", source)
    curves: dict[str, list[Fact]] = {}
    rows = rates.filter(rates.series.isin(steps)).to_pyarrow().to_pylist()
    for row in sorted(rows, key=lambda row: row["series"]):
        if row["geo"] in leaning and row["year"] == leaning[row["geo"]].year:
            key = f"attendance.{row['series'].removeprefix(ATTENDANCE).lower()}.{row['geo']}"
            curves.setdefault(row["geo"], []).append(Fact(key=key, value=row["value"] / 100, unit="share", design="descriptive", geo=row["geo"], year=int(row["year"]), source=source))
    return Equity(None, releases, {gap: found for gap, found in parities.items() if found}, {geo: tuple(found) for geo, found in curves.items()}, leaning)


def _newest(table: Any, key: str, source: str) -> dict[str, Fact]:
    """The newest figure of each country of a measure."""
    rows = [row for row in table.to_pyarrow().to_pylist() if row["value"] is not None]
    newest = {row["geo"]: row for row in sorted(rows, key=lambda row: row["year"])}
    return {geo: Fact(key=f"{key}.{geo}", value=row["value"], unit="index", design="descriptive", geo=geo, year=int(row["year"]), source=source) for geo, row in sorted(newest.items())}


def _compute(releases: tuple[Release, ...]) -> Loaded:
    from vsm.observatory.indicators import measures
    from vsm.observatory.sources.engines import held
    from vsm.observatory.sources.observations import observations

    obs = observations(source=sorted({release.source for release in releases}))
    yearly = obs.filter(obs.source == _counting(releases))
    pairs = obs.filter(obs.source.isin(BILATERAL) & obs.series.startswith("flows") & obs.day.isnull() & obs.value.notnull() & ~obs.magnitude.isin(measures.MERGED))
    # A newer layout of the same source may tell the same cell: the larger edition counts once.
    listed = pairs.group_by(["source", "series", "year", "geo", "geo2"]).aggregate(value=pairs.value.max(), truncated=(pairs.qualifier == "TRUNCATED").any())
    inward, outward, enrolled, cells = held(
        countries(), inward=measures.inbound(yearly), outward=measures.outbound(yearly), enrolled=measures.series(yearly, ENROLMENT), cells=listed
    )
    series = {"inbound": _cells(inward.to_pyarrow().to_pylist(), "value"), "outbound": _cells(outward.to_pyarrow().to_pylist(), "value")}
    balance = measures.balance(inward, outward).to_pyarrow().to_pylist()
    series |= {name: _cells(balance, name) for name in ("net", "ratio", "circulation")}
    series["per-thousand"] = _per_thousand(series["net"], _cells(enrolled.to_pyarrow().to_pylist(), "value"))
    matrices = _matrices(cells.to_pyarrow().to_pylist())
    return Loaded(releases, series, _concentration(inward, series["inbound"]), matrices, _stays(matrices[0], cells, outward) if matrices else {})


def _per_thousand(net: Mapping[str, Cells], enrolled: Mapping[str, Cells]) -> dict[str, dict[int, float]]:
    """Net flow for each thousand students of the country itself, where both are known."""
    both = {geo: {year: value * 1000 / enrolled[geo][year] for year, value in cells.items() if enrolled[geo].get(year)} for geo, cells in net.items() if geo in enrolled}
    return {geo: cells for geo, cells in both.items() if cells}


def _concentration(inward: Any, cells: Mapping[str, Cells]) -> dict[str, tuple[Fact, ...]]:
    """HHI, share of the five largest and entropy of the hosts of each region, on a panel of those that report in every year
    of a span: whoever comes and goes would look like a change of concentration. Coverage is the panel's part of all."""
    import ibis

    from vsm.observatory.indicators import measures

    panels = {code: _panel({geo: known for geo, known in cells.items() if geo in members(code)}) for code in regions()}
    panels = {code: (panel, years) for code, (panel, years) in panels.items() if len(panel) > MOST_EVEN}
    if not panels:
        return {}
    chosen = ibis.memtable([(code, geo, year) for code, (panel, years) in panels.items() for geo in sorted(panel) for year in sorted(years)], columns=["region", "geo", "year"])
    rows = measures.concentration(inward.inner_join(chosen, ["geo", "year"]), of=("region",)).to_pyarrow().to_pylist()
    whole = {code: {year: sum(known.get(year, 0.0) for geo, known in cells.items() if geo in members(code)) for year in years} for code, (_panel, years) in panels.items()}
    inside = {code: {year: sum(cells[geo].get(year, 0.0) for geo in panel) for year in years} for code, (panel, years) in panels.items()}
    found: dict[str, list[Fact]] = {}
    for row in rows:
        code, year = row["region"], int(row["year"])
        found.setdefault(code, []).extend(
            Fact(
                key=f"{name}.{code}.{year}", value=float(row[name]), unit="share" if name == "top5" else "index", design="descriptive", geo=code, year=year, source="uis",
                coverage=inside[code][year] / (whole[code][year] or 1.0), extra={"hosts": len(panels[code][0])},
            )
            for name in ("hhi", "top5", "entropy")
        )  # fmt: skip
    return {code: tuple(facts) for code, facts in found.items()}


def _panel(cells: Mapping[str, Cells]) -> tuple[set[str], set[int]]:
    """The countries and years of the largest full table: of those who report every year of a span, the span in which they have
    most students together wins. The last years, in which few have reported yet, are tried away as well."""
    counts: dict[int, int] = {}
    for known in cells.values():
        for year in known:
            counts[year] = counts.get(year, 0) + 1
    years = sorted(counts)
    best: tuple[set[str], set[int]] = (set(), set())
    most = 0.0
    for first in years:
        for last in years[-4:]:
            span = {year for year in years if first <= year <= last}
            there = {geo for geo, known in cells.items() if span <= set(known)}
            held = sum(cells[geo][year] for geo in there for year in span)
            if len(span) >= SHORTEST and held > most:
                best, most = (there, span), held
    return best


def _stays(matrix: Matrix, cells: Any, outward: Any) -> dict[str, tuple[Fact, ...]]:
    """The share that stays in each region, from the largest matrix; bounds where the matrix leaves flows out."""
    from vsm.observatory.indicators import measures

    listed = cells.filter((cells.source == matrix.source) & (cells.series == matrix.series) & (cells.geo != cells.geo2))
    # Of countries alone whose total is known too: what a list leaves out cannot be told of the others.
    flows = listed.semi_join(outward.filter(outward.value.notnull()), ["geo", "year"])
    rows = measures.intraregional(flows, {code: members(code) for code, region in regions().items() if region.level > 0}, outward).to_pyarrow().to_pylist()
    found: dict[str, list[Fact]] = {}
    for row in sorted(rows, key=lambda row: row["year"]):
        if row["value"] is not None:
            key = f"stays.{row['geo']}.{row['year']}"
            found.setdefault(row["geo"], []).append(
                Fact(key=key, value=row["value"], low=row["low"], high=row["high"], unit="share", design="descriptive", geo=row["geo"], year=int(row["year"]), source=matrix.source, coverage=row["coverage"])
            )
    return {code: tuple(facts) for code, facts in found.items()}


def _cells(rows: Iterable[Mapping[str, Any]], name: str) -> dict[str, dict[int, float]]:
    found: dict[str, dict[int, float]] = {}
    for row in rows:
        if row[name] is not None:
            found.setdefault(row["geo"], {})[int(row["year"])] = float(row[name])
    return found


def _matrices(rows: Sequence[Mapping[str, Any]]) -> tuple[Matrix, ...]:
    """By source and series, the one with most cells first."""
    found: dict[tuple[str, str], dict[int, dict[tuple[str, str], float]]] = {}
    cut: set[tuple[str, str]] = set()
    for row in rows:
        name = (row["source"], row["series"])
        cut |= {name} if row["truncated"] else set()
        # Whoever studies at home is no flow, though some lists tell it.
        if row["geo"] != row["geo2"]:
            found.setdefault(name, {}).setdefault(int(row["year"]), {})[row["geo"], row["geo2"]] = float(row["value"])
    order = sorted(found, key=lambda name: (-sum(map(len, found[name].values())), name))
    return tuple(Matrix(source, series, (source, series) in cut, found[source, series]) for source, series in order)


def _trim(kept: dict[Any, Any], most: int) -> None:
    while len(kept) >= most:
        kept.pop(next(iter(kept)))

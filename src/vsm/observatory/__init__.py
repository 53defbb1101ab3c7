"""The Observatory: what is measured of student mobility, estimated honestly, and published.

From below: `geography` ▸ `sources` (releases of data with licence and checksum) ▸ `indicators` ▸ `estimates` ▸ `casebook` ▸
`publications`. It sees the Exchange through `exchange.statistics` alone.

In a notebook `import vsm.observatory as observatory` is all that is needed; this module gives what analysts ask for, as Ibis
tables (lazy; `.to_pandas()` ends one) or pandas data frames. Nothing here is loaded before it is called. Expected refusals
(a file that fails its checks, a study without its figures) are `vsm.kit.errors.Refused`, with every reason.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ibis

    from vsm.observatory.geography.sets import RegionSet

Frame = Any
"""A pandas data frame; pandas loads only where it works."""

__all__ = ["catalogue", "facts", "gates", "indicator", "observations", "regions", "releases", "start", "study", "table"]


def start(data: str | Path = "") -> None:
    """Open an installation: `data` is its data folder (default: VSM_DATA, or `var/` beside the program). Others call it by
    themselves; call it first to name a folder. Works inside a notebook's event loop."""
    from vsm import config

    config.open_for_analysis(data)
    import django
    from django.apps import apps

    if not apps.ready:
        django.setup()


def releases() -> Frame:
    """What is loaded and counts today: source, edition, the day on which it was taken in, licence, attribution, SHA-256."""
    start()
    from vsm.observatory.sources.queries import current_releases, licensed

    rows = [
        {"source": each.source, "edition": each.edition, "retrieved_at": each.retrieved_at, "rows": each.rows, "licence": licensed(each).licence,
         "attribution": licensed(each).attribution, "sha256": each.sha256, "id": str(each.pk)}
        for each in current_releases()
    ]  # fmt: skip
    return _frame(rows, ("source", "edition", "retrieved_at", "rows", "licence", "attribution", "sha256", "id"))


def observations(*, source: str | Sequence[str] = (), as_of: datetime | None = None, releases: Mapping[str, str] | None = None, engine: Any = None) -> "ibis.Table":
    """Observations as publishers gave them: series, geo, geo2, year, day, value, qualifier, magnitude, source, release.

    `as_of` reads what was known on a day, `releases` (source → id) pins vintages, `engine` is an Ibis connection.
    """
    start()
    from vsm.observatory.sources.observations import observations as read

    return read(source=source, as_of=as_of, releases=releases, engine=engine)


def catalogue() -> Frame:
    """The indicators: id, name, formula, unit, source, bounds, sdg, reference."""
    from vsm.observatory.indicators.catalogue import catalogue as told_of

    told = ("formula", "unit", "source", "bounds", "sdg", "reference")
    return _frame([{"id": each.id, "name": each.name["en"], **{name: getattr(each, name) for name in told}} for each in told_of().values()], ("id", "name", *told))


def indicator(name: str, *, of: "ibis.Table | None" = None, **options: Any) -> "ibis.Table":
    """The table of an indicator by its id, from publishers' newest releases or from observations `of` your choice.

    `options` as `indicators.computed.computed` takes them: `regions` for regional ones (what `regions()` gives, or
    region → countries), `flows` the series of flows, and so on. KeyError when there is no such indicator.
    """
    from vsm.observatory.indicators.computed import computed
    from vsm.observatory.sources.registry import sources

    return computed(observations(source=tuple(slug for slug in sources() if slug != "own")) if of is None else of, name, **options)


def regions(path: str | Path) -> "RegionSet":
    """A grouping of countries of your own, from YAML or CSV (`geography.sets` tells the layout)."""
    from vsm.observatory.geography import sets

    return sets.read(Path(path))


def table(path: str | Path, *, series: str = "") -> "ibis.Table":
    """A table of your own (CSV or Parquet: geo, year, value, and geo2, series, qualifier) that has passed the checks of every
    source, without being kept. `series` names what its figures are ("26637": students from abroad) where it has no such
    column. Raises `vsm.kit.errors.Invalid` with every fault."""
    start()
    import ibis
    import pyarrow.compute as pc

    from vsm.kit.errors import Invalid
    from vsm.observatory.sources.checks import faults
    from vsm.observatory.sources.loaders import loader
    from vsm.observatory.sources.loaders.own import named_after
    from vsm.observatory.sources.observations import published_totals

    file = Path(path)
    reading = loader("own-parquet" if file.suffix.lower() == ".parquet" else "own-csv")
    taken = reading.read(file, lambda _done, _total: None)
    found = taken.table
    if series:
        unnamed = pc.equal(found["series"], named_after(file))
        found = found.set_column(0, "series", pc.if_else(unnamed, series, found["series"]))
    Invalid.because(faults((*taken.checks, *reading.against(found, published_totals()))))
    return ibis.memtable(found)


def facts(kind: str) -> Frame:
    """The facts of the newest run of a study: key, geo, year, value, low, high, level, unit, design, coverage, experimental,
    source. Empty where it has not been run."""
    start()
    from vsm.observatory.estimates.queries import facts_of, newest_run

    run = newest_run(kind)
    return _facts(facts_of(run).values() if run else ())


def gates(kind: str) -> Frame:
    """What was asked of the newest run of a study and what was measured: gate, passed, measured, asked."""
    start()
    from vsm.observatory.estimates.queries import newest_run

    run = newest_run(kind)
    return _frame([dict(zip(GATE, gate, strict=True)) for gate in (run.gates if run else ())], GATE)


def study(kind: str, of: "ibis.Table") -> tuple[Frame, Frame]:
    """Facts and gates of a study on a yearly table (geo, year, value), without keeping them: the same gates as on what
    publishers tell. ValueError where the table does not suffice, KeyError when there is no such study."""
    start()
    from vsm.observatory.estimates.studies import STUDIES
    from vsm.observatory.indicators.measures import INBOUND

    rows: list[Mapping[str, Any]] = [{"series": INBOUND, "geo2": "", "day": None, "source": "own", **row} for row in of.select("geo", "year", "value").to_pyarrow().to_pylist()]
    found, asked = STUDIES[kind].run(rows)
    # Whoever's table it is: these are not the figures of UIS.
    found = [replace(fact, source="own") if fact.source else fact for fact in found]
    return _facts(found), _frame([dict(zip(GATE, (gate.code, gate.passed, gate.figure, gate.asked), strict=True)) for gate in asked], GATE)


GATE = ("gate", "passed", "measured", "asked")
FACT = ("key", "geo", "year", "value", "low", "high", "level", "unit", "design", "coverage", "experimental", "source")


def _facts(found: Any) -> Frame:
    return _frame([{name: getattr(fact, name) for name in FACT} for fact in found], FACT)


def _frame(rows: list[dict[str, Any]], columns: Sequence[str]) -> Frame:
    import pandas as pd

    return pd.DataFrame(rows, columns=list(columns))

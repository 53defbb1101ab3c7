"""The Observatory's figures: indicators, gravity, aggregation, a brief; each beside a peer in the same run.

    python -m bench.observatory [--rows 20000000] [--flows 1000000] [--repeat 3] [--only indicators,gravity,aggregate,brief]

*Indicators*: every one of the catalogue for 220 geographies and 25 years, from a Parquet release to frames, on DuckDB; the peer
is pandas computing three of them by hand (balance, growth, concentration). *Gravity*: PPML with fixed effects of origins and
hosts by year on a million flows; the peer is pyfixest alone on the same formula. *Aggregate*: students by host and year out
of 20 million observations in the one shape; the peer is DuckDB's own SQL on the same file. *Brief*: one is published from
what ships (study, four texts, four tagged PDFs) and its four pages are asked for; the peer is typst alone on the same PDFs.
The aims are 2 s, 1.2 times pyfixest, 1 s and 5 s.
"""

import argparse
import os
import statistics
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from bench.machine import machine

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
GEOS, YEARS, PARTNERS = 220, 25, 20
Measured = tuple[str, float, float, str, float, float]
"""What; seconds by the clock and of the processor; the peer; its seconds."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.observatory", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--flows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", default="indicators,gravity,aggregate,brief")
    asked = parser.parse_args(argv)
    chosen = set(asked.only.split(","))
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(prefix="vsm-bench-") as name:
        folder = Path(name)
        os.environ |= {"VSM_DATA": str(folder / "data"), "DATABASE_URL": "", "DJANGO_SETTINGS_MODULE": "vsm.app.settings"}
        print(f"{machine()}; load {os.getloadavg()[0]:.1f}; median of {asked.repeat}\n")
        print("| what | seconds | of the processor | peer | seconds | of the processor | ours ÷ peer |\n|---|---:|---:|---|---:|---:|---:|")
        for what, ours, cpu, peer, theirs, their_cpu in _measured(chosen, folder, asked):
            beside = f"{peer} | {theirs:.2f} | {their_cpu:.2f} | {cpu / max(their_cpu, 1e-9):.2f}" if peer else "— | | |"
            print(f"| {what} | {ours:.2f} | {cpu:.2f} | {beside} |", flush=True)
    return 0


def _measured(chosen: set[str], folder: Path, asked: argparse.Namespace) -> Iterator[Measured]:
    if "indicators" in chosen:
        yield from indicators(folder, asked.repeat)
    if "gravity" in chosen:
        yield from gravity(asked.flows, asked.repeat)
    if "aggregate" in chosen:
        yield from aggregate(folder, asked.rows, asked.repeat)
    if "brief" in chosen:
        yield from brief()


def timed(*works: Callable[[], Any], repeat: int) -> list[tuple[float, float]]:
    """The median seconds (clock, processor) of each, taken in turn so that a busy minute falls on all of them."""
    found: list[list[tuple[float, float]]] = [[] for _ in works]
    for _round in range(repeat):
        for seen, work in zip(found, works, strict=True):
            began, cpu = perf_counter(), process_time()
            work()
            seen.append((perf_counter() - began, process_time() - cpu))
    return [(statistics.median(wall for wall, _cpu in seen), statistics.median(cpu for _wall, cpu in seen)) for seen in found]


def indicators(folder: Path, repeat: int) -> Iterator[Measured]:
    import ibis
    import pyarrow.parquet as pq
    from tests.observatory import world

    from vsm.observatory.indicators.catalogue import catalogue
    from vsm.observatory.indicators.computed import computed

    release = folder / "world.parquet"
    table = world.observations(GEOS, YEARS, partners=PARTNERS)
    pq.write_table(table, release, compression="zstd")
    shares = ibis.memtable(world.shares())

    def ours(names: Sequence[str]) -> dict[str, Any]:
        obs = ibis.duckdb.connect().read_parquet(str(release))
        return {name: computed(obs, name, **({"shares": shares} if name == "dissimilarity" else world.OPTIONS.get(name, {}))).to_pyarrow() for name in names}

    ours(list(catalogue()))  # libraries load once
    three = ("balance", "matched-growth", "concentration")
    whole, part, peer = timed(lambda: ours(list(catalogue())), lambda: ours(three), lambda: by_hand(release), repeat=repeat)
    mine, theirs = ours(three), by_hand(release)
    assert abs(sum(mine["concentration"]["hhi"].to_pylist()) - theirs["hhi"].sum()) < 1e-6, "the peer computes something else"
    yield f"{len(catalogue())} indicators, {GEOS} geographies × {YEARS} years, {table.num_rows:,} observations", *whole, "", 0.0, 0.0
    yield "three of them", *part, "pandas", *peer


def by_hand(release: Path) -> dict[str, Any]:
    """Balance, growth and concentration as an analyst writes them in pandas."""
    import numpy as np
    import pandas as pd

    from vsm.observatory.geography.sets import sdg

    obs = pd.read_parquet(release, columns=["series", "geo", "geo2", "year", "value", "magnitude"])
    obs = obs[obs.geo2 == ""]
    wide = obs[obs.series.isin(["26637", "MENF.5T8", "OE.5T8.40510"])].pivot_table(index=["geo", "year"], columns="series", values="value")
    wide["sent"] = wide["OE.5T8.40510"].fillna(wide["26637"] - wide["MENF.5T8"])
    wide["circulation"] = 1 - (wide["26637"] - wide.sent).abs() / (wide["26637"] + wide.sent)
    inward = obs[(obs.series == "26637") & ~obs.magnitude.isin(["INCLUDES", "INCLUDED"])]
    members = pd.DataFrame([(each.region, each.geo) for each in sdg().memberships], columns=["region", "geo"])
    placed = inward.merge(members, on="geo")
    before = placed.assign(year=placed.year + 1)[["region", "geo", "year", "value"]].rename(columns={"value": "before"})
    both = placed.merge(before, on=["region", "geo", "year"]).groupby(["region", "year"])[["value", "before"]].sum()
    known = inward[(inward.geo.str.len() == 3) & (inward.value > 0)].copy()
    known["part"] = known.value / known.groupby("year").value.transform("sum")
    hhi = known.assign(square=known.part**2).groupby("year").square.sum()
    entropy = known.groupby("year").part.apply(lambda part: -(part * np.log(part)).sum() / np.log(len(part)))
    return {"balance": wide, "growth": both.value / both.before - 1, "hhi": hhi, "entropy": entropy}


def gravity(flows: int, repeat: int) -> Iterator[Measured]:
    import numpy as np
    import pandas as pd
    import pyfixest

    from vsm.observatory.estimates.gravity import ppml

    rng = np.random.default_rng(3)
    places, years = 200, max(1, flows // (200 * 199))
    origin, host = (grid.ravel() for grid in np.meshgrid(np.arange(places), np.arange(places)))
    apart = origin != host
    frame = pd.DataFrame({"o": np.tile(origin[apart], years), "d": np.tile(host[apart], years), "year": np.repeat(np.arange(years), apart.sum())})
    ties = {"distance": rng.uniform(5, 9.5, (places, places)), "language": (rng.random((places, places)) < 0.1).astype(float), "colony": (rng.random((places, places)) < 0.03).astype(float)}
    for name, matrix in ties.items():
        frame[name] = matrix[frame.o, frame.d]
    push, pull = rng.normal(0, 0.7, places), rng.normal(0, 0.7, places)
    frame["flow"] = rng.poisson(np.exp(6 + push[frame.o] + pull[frame.d] - 0.9 * frame.distance + 0.8 * frame.language)).astype(float)
    frame["origin_year"], frame["host_year"] = frame.o * 100 + frame.year, frame.d * 100 + frame.year
    frame["pair"] = frame.o * 1000 + frame.d
    fixed = ("origin_year", "host_year")
    formula = f"flow ~ {' + '.join(ties)} | {' + '.join(fixed)}"

    def ours() -> float:
        return ppml(frame, "flow", tuple(ties), fixed, "pair").of("distance").value

    def alone() -> float:
        return float(pyfixest.fepois(formula, data=frame, vcov={"CRV1": "pair"}).coef()["distance"])

    assert abs(ours() - alone()) < 1e-9, "the peer estimates something else"
    mine, theirs = timed(ours, alone, repeat=repeat)
    yield f"PPML, {len(frame):,} flows, {len(fixed)} × {places * years:,} effects", *mine, f"pyfixest {pyfixest.__version__}", *theirs


def aggregate(folder: Path, rows: int, repeat: int) -> Iterator[Measured]:
    import duckdb
    import ibis

    release = folder / "large.parquet"
    _large(release, rows)

    def ours() -> int:
        obs = ibis.duckdb.connect().read_parquet(str(release))
        chosen = obs.filter((obs.series == "flows") & (obs.geo2 != "") & obs.value.notnull() & ~obs.magnitude.isin(["INCLUDES", "INCLUDED"]))
        return int(chosen.group_by(["geo2", "year"]).aggregate(students=chosen.value.sum(), flows=chosen.count()).to_pyarrow().num_rows)

    def alone() -> int:
        asked = "SELECT geo2, year, sum(value), count(*) FROM read_parquet(?) WHERE series = 'flows' AND geo2 <> '' AND value IS NOT NULL AND magnitude NOT IN ('INCLUDES', 'INCLUDED') GROUP BY geo2, year"
        return len(duckdb.connect().execute(asked, [str(release)]).fetchall())

    assert ours() == alone(), "the peer counts something else"
    mine, theirs = timed(ours, alone, repeat=max(repeat, 5))
    yield f"{rows:,} observations by host and year", *mine, f"DuckDB {duckdb.__version__}, SQL", *theirs


def _large(path: Path, rows: int) -> None:
    """Flows in the one shape, sorted as releases are kept."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from vsm.observatory.geography import countries
    from vsm.observatory.sources.observations import schema

    rng, codes, piece = np.random.default_rng(5), pa.array(sorted(countries())), 1_000_000
    with pq.ParquetWriter(path, schema(), compression="zstd") as out:
        for start in range(0, rows, piece):
            count = min(piece, rows - start)
            origin = np.sort(rng.integers(0, len(codes), count))
            columns = {
                "series": pa.repeat("flows", count), "geo": codes.take(pa.array(origin)), "geo2": codes.take(pa.array(rng.integers(0, len(codes), count))),
                "year": pa.array(rng.integers(1998, 2025, count).astype("int16")), "day": pa.nulls(count, pa.date32()), "value": pa.array(np.floor(rng.exponential(300, count))),
                "qualifier": pa.repeat("", count), "magnitude": pa.repeat("", count),
            }  # fmt: skip
            out.write_table(pa.table(columns, schema=schema()))


def brief() -> Iterator[Measured]:
    import django

    django.setup()
    from django.test import Client

    from vsm.cli.preparing import collect_static, compile_translations, migrate_database, plant_casebook
    from vsm.exchange.institutions.models import Hub
    from vsm.kit import pdf
    from vsm.kit.actors import SYSTEM
    from vsm.kit.localized import LANGUAGES
    from vsm.observatory.publications.actions import publish_brief
    from vsm.observatory.publications.briefs import briefs
    from vsm.observatory.sources.actions import ship, ship_region

    compile_translations()
    migrate_database()
    collect_static()
    plant_casebook()  # the report counts its entries
    ship(now=NOW)
    ship_region(now=NOW)
    drawn: list[tuple[Any, ...]] = []
    rendering = pdf.render

    def noting(package: str, template: str, data: Mapping[str, Any]) -> bytes:
        drawn.append((package, template, data))
        return rendering(package, template, data)

    pdf.render = noting
    hub, client = Hub.objects.get(), Client(SERVER_NAME="localhost")
    first = True
    for slug in briefs():
        drawn.clear()

        def ours(slug: str = slug) -> None:
            publish_brief(hub, by=SYSTEM, now=NOW, slug=slug)
            for language in LANGUAGES:
                answer = client.get(f"/observatory/briefs/{slug}/", headers={"accept-language": language})
                assert answer.status_code == 200, answer.status_code

        [mine] = timed(ours, repeat=1)
        papers = tuple(drawn)

        def alone(papers: tuple[tuple[Any, ...], ...] = papers) -> None:
            for words in papers:
                rendering(*words)

        [theirs] = timed(alone, repeat=1)
        told = "brief “{}”, {} languages, HTML and PDF{}".format(slug, len(papers), ", with loading everything" if first else "")
        yield told, *mine, "typst alone", *theirs
        first = False


if __name__ == "__main__":
    raise SystemExit(main())

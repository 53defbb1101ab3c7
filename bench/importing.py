"""A catalogue import end to end, beside what SQLite alone needs for the same rows, in one run.

    python -m bench.importing [--count 100000]

A CSV of our own format is imported into an empty SQLite file, then imported again. The peer gets the facts already
parsed and writes them by `executemany` with the same durability, without checks, history, change log or search words.
"""

import argparse
import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.machine import machine


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.importing", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    count = parser.parse_args(argv).count
    with tempfile.TemporaryDirectory(prefix="vsm-bench-") as folder:
        os.environ |= {"VSM_DATA": folder, "DATABASE_URL": "", "DJANGO_SETTINGS_MODULE": "vsm.app.settings"}
        import django

        django.setup()
        figures = measured(Path(folder), count)
    print(f"{machine()}\n\n| what | seconds | rows a second | × executemany |\n|---|---:|---:|---:|")
    for name in ("import", "second import", "search index", "executemany"):
        print(f"| {name} | {figures[name]:.1f} | {count / figures[name]:,.0f} | {figures[name] / figures['executemany']:.1f} |")
    print(f"\nFile: {figures['megabytes']:.0f} MB, {count:,} rows. {json.dumps(figures['counts'])}")
    return 0


def measured(data: Path, rows: int) -> dict[str, Any]:
    from django.core.management import call_command

    from bench.generate import csv_text
    from vsm.config import ROOT
    from vsm.exchange.catalogue import importing, indexing
    from vsm.exchange.catalogue.mapping import Mapping
    from vsm.exchange.institutions.models import Organisation
    from vsm.kit.actors import SYSTEM
    from vsm.kit.clock import now

    call_command("migrate", verbosity=0)
    host = Organisation(schac="bench.example", name={"en": "Bench"}, country="PE", zone="America/Lima")
    host.save()
    mapping = Mapping.read(ROOT / "examples/mappings/openvsm.yaml")
    file = data / "catalogue.csv"
    file.write_text(csv_text(rows), "utf-8")
    figures: dict[str, Any] = {"megabytes": file.stat().st_size / 1e6, "counts": []}
    for name in ("import", "second import"):
        began = perf_counter()
        report = importing.run(file, host, mapping, dry_run=False, by=SYSTEM, now=now())
        figures[name] = perf_counter() - began
        figures["counts"].append(report.counts["lines"])
    began = perf_counter()
    indexing.rebuild()
    figures["search index"] = perf_counter() - began
    figures["executemany"] = _plain_sqlite(data / "plain.sqlite3", file, mapping)
    return figures


def _plain_sqlite(path: Path, file: Path, mapping: Any) -> float:
    """Seconds for writing the same facts with the same durability, the file being parsed already."""
    courses, runs, meetings = zip(*_parsed(file, mapping), strict=True)
    base = sqlite3.connect(path)
    base.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
    base.execute(f"CREATE TABLE course (id INTEGER PRIMARY KEY, {', '.join(f'c{n}' for n in range(len(courses[0])))})")
    base.execute(f"CREATE TABLE run (id INTEGER PRIMARY KEY, {', '.join(f'c{n}' for n in range(len(runs[0])))})")
    base.execute("CREATE TABLE meeting (id INTEGER PRIMARY KEY, run, weekday, starts, ends, label)")
    began = perf_counter()
    with base:
        for table, values in (("course", courses), ("run", runs), ("meeting", [m for each in meetings for m in each])):
            base.executemany(f"INSERT INTO {table} VALUES (NULL, {', '.join('?' * len(values[0]))})", values)
    seconds = perf_counter() - began
    base.close()
    return seconds


def _parsed(file: Path, mapping: Any) -> Iterator[tuple[Any, ...]]:
    from vsm.exchange.catalogue.candidates import Candidate
    from vsm.exchange.catalogue.reading import read

    for item in read(file, mapping):
        if isinstance(item, Candidate):
            course, offering = item.opportunity, item.offering
            texts = (course.title, course.description, course.learning_outcomes, course.prerequisites)
            yield (
                (course.code, course.category, *(json.dumps(dict(text)) for text in texts), course.isced_f, course.level,
                 str(course.credits_low), course.credit_system, course.language, course.cefr, item.opportunity_key, item.opportunity_hash),
                (course.code, offering.code, str(offering.starts_on), str(offering.ends_on), offering.zone, offering.mode,
                 offering.bandwidth, offering.seats, item.offering_key, item.offering_hash),
                [(item.offering_key, m.weekday, m.starts, m.ends, m.label) for m in offering.meetings],
            )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())

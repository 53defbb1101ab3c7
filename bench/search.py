"""Search with six facets: our index beside SQLite FTS5 and PostgreSQL full text, over the same offerings in one run.

    python -m bench.search [--count 100000] [--repeat 15]

Every engine answers the whole question of a search page: the number of hits, the first twenty of them, and the counts of
six facets, where a facet that is filtered by is counted as if it were not. PostgreSQL is the server of VSM_TEST_POSTGRES,
else one that is started on loopback for the run (Debian's `postgresql`), else left out by name.
"""

import argparse
import os
import pwd
import shutil
import socket
import sqlite3
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import psycopg

from bench.generate import documents
from bench.machine import machine
from vsm.exchange.catalogue.documents import Document
from vsm.exchange.catalogue.index import CatalogueIndex

FACETS = ("category", "country", "language", "level", "field", "mode")
COLUMNS = ("id", *FACETS, "starts", "title", "body", "code")


@dataclass(frozen=True)
class Question:
    """What is asked: `words` as typed, `filters` as {facet: values}."""

    name: str
    words: str = ""
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)


QUESTIONS = (
    Question("everything"),
    Question("broad word", "estadística"),
    Question("broad word, two filters", "estadística", {"language": ("es",), "level": ("master", "doctorate")}),
    Question("two words", "gestión salud"),
    Question("filter alone", "", {"country": ("BR",)}),
)

Answer = tuple[int, int, dict[str, int]]
"""Hits, rows of the first page, hits by facet (the sum of its counts): what must be alike between engines."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.search", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=15)
    args = parser.parse_args(argv)
    offerings = list(documents(args.count))
    print(f"{machine()}; {args.count:,} offerings, median of {args.repeat}, ms\n")
    with tempfile.TemporaryDirectory() as folder:
        engines: dict[str, Callable[[Question], Answer]] = {}
        for name, build in (("OpenVSM", _ours), ("SQLite FTS5", _sqlite)):
            began = perf_counter()
            engines[name] = build(offerings, Path(folder))
            print(f"{name}: built in {perf_counter() - began:.1f} s")
        with _postgres_server() as url:
            if url:
                began = perf_counter()
                engines["PostgreSQL"] = _postgres(offerings, url)
                print(f"PostgreSQL: built in {perf_counter() - began:.1f} s")
            else:
                print("PostgreSQL: not measured, there is none here (apt install postgresql)")
            _table(engines, (*QUESTIONS, Question("a code", offerings[len(offerings) // 2].code)), args.repeat)
    return 0


def _table(engines: Mapping[str, Callable[[Question], Answer]], questions: Sequence[Question], repeat: int) -> None:
    others = [name for name in engines if name != "OpenVSM"]
    print("\n| question | hits | " + " | ".join(engines) + " | " + " | ".join(f"{name} ÷ ours" for name in others) + " |")
    print("|---" * (2 + len(engines) + len(others)) + "|")
    for question in questions:
        answers = {name: ask(question) for name, ask in engines.items()}
        took = {name: _median(ask, question, repeat) for name, ask in engines.items()}
        cells = [f"{ms:.2f}" for ms in took.values()] + [f"{took[name] / took['OpenVSM']:.3g}×" for name in others]
        hits = " / ".join(f"{hits:,}" for hits in dict.fromkeys(answer[0] for answer in answers.values()))
        print(f"| {question.name} | {hits} | " + " | ".join(cells) + " |")


def _median(ask: Callable[[Question], Answer], question: Question, repeat: int) -> float:
    taken = []
    for _ in range(repeat):
        began = perf_counter()
        ask(question)
        taken.append((perf_counter() - began) * 1000)
    return statistics.median(taken)


# Ours -----------------------------------------------------------------------------------------------------------------


def _ours(offerings: Sequence[Document], folder: Path) -> Callable[[Question], Answer]:
    index = CatalogueIndex(folder / "index")
    index.rebuild(offerings)

    def ask(question: Question) -> Answer:
        found = index.search(question.words, question.filters, language="es", facets=FACETS)
        return found.total, len(found.ids), {name: sum(counts.values()) for name, counts in found.facets.items()}

    return ask


# SQLite ---------------------------------------------------------------------------------------------------------------


def _sqlite(offerings: Sequence[Document], folder: Path) -> Callable[[Question], Answer]:
    base = sqlite3.connect(folder / "fts5.sqlite3")
    base.executescript("PRAGMA journal_mode=WAL; PRAGMA cache_size=-64000; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=268435456;")
    base.execute(f"CREATE TABLE offering ({', '.join(COLUMNS)})")
    base.executemany(f"INSERT INTO offering VALUES ({', '.join('?' * len(COLUMNS))})", map(_row, offerings))
    base.execute("CREATE INDEX by_start ON offering (starts)")
    for name in FACETS:
        base.execute(f"CREATE INDEX by_{name} ON offering ({name})")
    base.execute("CREATE VIRTUAL TABLE words USING fts5(title, body, code, content='offering', tokenize='unicode61 remove_diacritics 2')")
    base.execute("INSERT INTO words (words) VALUES ('rebuild')")
    base.execute("CREATE TEMP TABLE hit (id INTEGER PRIMARY KEY)")
    base.execute("ANALYZE")
    base.commit()

    def ask(question: Question) -> Answer:
        base.execute("DELETE FROM hit")
        source = "offering o"
        if question.words:
            phrase = " ".join(f'"{word}"' for word in question.words.replace("-", " ").split())
            base.execute("INSERT INTO hit SELECT rowid FROM words WHERE words MATCH ?", (phrase,))
            source = "hit JOIN offering o ON o.rowid = hit.id"
            ranked = "SELECT o.id FROM words JOIN offering o ON o.rowid = words.rowid WHERE words MATCH ?{} ORDER BY words.rank LIMIT 20"
        where, values = _where(question.filters, "?")
        total = base.execute(f"SELECT count(*) FROM {source} WHERE {where}", values).fetchone()[0]
        if question.words:
            page = base.execute(ranked.format(f" AND {where}"), [phrase, *values]).fetchall()
        else:
            page = base.execute(f"SELECT o.id FROM offering o WHERE {where} ORDER BY starts LIMIT 20", values).fetchall()
        facets = {}
        for name in FACETS:
            where, values = _where(question.filters, "?", without=name)
            counts = base.execute(f"SELECT o.{name}, count(*) FROM {source} WHERE {where} GROUP BY o.{name}", values).fetchall()
            facets[name] = sum(count for _value, count in counts)
        return total, len(page), facets

    return ask


# PostgreSQL -----------------------------------------------------------------------------------------------------------


def _postgres(offerings: Sequence[Document], url: str) -> Callable[[Question], Answer]:
    base = psycopg.connect(url, autocommit=True)
    columns = ", ".join(f"{name} {'int' if name == 'starts' else 'text'}" for name in COLUMNS)
    base.execute(f"CREATE TEMP TABLE offering ({columns})")
    with base.cursor().copy(f"COPY offering ({', '.join(COLUMNS)}) FROM STDIN") as copy:
        for offering in offerings:
            copy.write_row(_row(offering))
    base.execute(
        "ALTER TABLE offering ADD words tsvector GENERATED ALWAYS AS "
        "(setweight(to_tsvector('simple', title || ' ' || code), 'A') || to_tsvector('simple', body)) STORED"
    )
    base.execute("CREATE INDEX ON offering USING gin (words)")
    base.execute("CREATE INDEX ON offering (starts)")
    for name in FACETS:
        base.execute(f"CREATE INDEX ON offering ({name})")
    base.execute("ANALYZE offering")
    base.execute("SET work_mem = '64MB'")
    free = ", ".join(f"({name})" for name in FACETS)

    def ask(question: Question) -> Answer:
        matches = "o.words @@ plainto_tsquery('simple', %s)" if question.words else "true"
        given = [question.words] if question.words else []
        where, values = _where(question.filters, "%s")
        order = "ts_rank(o.words, plainto_tsquery('simple', %s)) DESC" if question.words else "o.starts"
        page = base.execute(f"SELECT o.id FROM offering o WHERE {matches} AND {where} ORDER BY {order} LIMIT 20", [*given, *values, *given]).fetchall()
        # One pass counts every facet that is not filtered by, and the hits.
        counted = base.execute(
            f"SELECT {', '.join(FACETS)}, grouping({', '.join(FACETS)}), count(*) FROM offering o WHERE {matches} AND {where} GROUP BY GROUPING SETS ({free}, ())",
            [*given, *values],
        ).fetchall()
        total = next((row[-1] for row in counted if row[-2] == 2 ** len(FACETS) - 1), 0)
        facets = {name: sum(row[-1] for row in counted if row[-2] == 2 ** len(FACETS) - 1 - 2 ** (len(FACETS) - 1 - place)) for place, name in enumerate(FACETS)}
        for name in question.filters:
            where, values = _where(question.filters, "%s", without=name)
            counts = base.execute(f"SELECT o.{name}, count(*) FROM offering o WHERE {matches} AND {where} GROUP BY 1", [*given, *values]).fetchall()
            facets[name] = sum(count for _value, count in counts)
        return total, len(page), facets

    return ask


@contextmanager
def _postgres_server() -> Iterator[str]:
    """The address of a server for this run, or "" when there is none."""
    given, programs = os.environ.get("VSM_TEST_POSTGRES", ""), sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if given or not programs:
        yield given
        return
    folder = Path(tempfile.mkdtemp(prefix="vsm-bench-postgres-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    before = ["runuser", "-u", user, "--"] if os.geteuid() == 0 else []  # PostgreSQL refuses to run as root
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    control = [*before, str(programs[-1]), "-D", str(folder / "data"), "-w", "-s"]
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c shared_buffers=512MB -c fsync=off"
    try:
        subprocess.run([*control, "initdb", "-o", f"-A trust -U {user} --locale=C.UTF-8"], check=True, stdout=subprocess.DEVNULL, cwd="/")
        subprocess.run([*control, "-l", str(folder / "log"), "-o", options, "start"], check=True, cwd="/")
        yield f"postgresql://{user}@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, cwd="/")
        shutil.rmtree(folder, ignore_errors=True)


# Both -----------------------------------------------------------------------------------------------------------------


def _row(offering: Document) -> tuple[Any, ...]:
    return (
        offering.id, offering.category, offering.country, offering.language, offering.level, offering.isced_f[:2], offering.mode,
        offering.starts_on.toordinal(), " ".join(offering.titles.values()), " ".join(offering.bodies.values()), offering.code,
    )  # fmt: skip


def _where(filters: Mapping[str, Sequence[str]], mark: str, *, without: str = "") -> tuple[str, list[str]]:
    """Values of one facet widen, facets narrow."""
    used = {name: values for name, values in filters.items() if name != without}
    parts = [f"o.{name} IN ({', '.join([mark] * len(values))})" for name, values in used.items()]
    return " AND ".join(parts) or "true", [value for values in used.values() for value in values]


if __name__ == "__main__":
    raise SystemExit(main())

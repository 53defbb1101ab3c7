"""The whole published run of a call in the database: read and frozen, solved, explained, kept; then published.

    python -m bench.run [--students 100000]

A call of 40 students an offering, ten choices each with popular courses at the head, seats for half of them, twenty bands. The
peer is what SQLite alone needs for the same number of rows (seats, waiting places, jobs, audit entries), of the same width and
durability, already computed. Published means: seats, places in line, answers, histories and letters to write are committed.
"""

import argparse
import os
import random
import resource
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from bench.machine import machine

NOW = datetime(2027, 3, 10, 15, 0, tzinfo=UTC)
CHOICES, BANDS, TO_AN_OFFERING = 10, 20, 40
STAGES = ("freeze", "seats", "reasons", "keep", "publish")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.run", description=__doc__.splitlines()[0])
    parser.add_argument("--students", type=int, default=100_000)
    students = parser.parse_args(argv).students
    with tempfile.TemporaryDirectory(prefix="vsm-bench-") as folder:
        os.environ |= {"VSM_DATA": folder, "DATABASE_URL": "", "DJANGO_SETTINGS_MODULE": "vsm.app.settings"}
        import django

        django.setup()
        figures = measured(students)
        figures["executemany"] = _plain_sqlite(Path(folder) / "plain.sqlite3", figures["rows"])
    print(f"{machine()}\n\n| what | seconds | of the processor | students a second of it |\n|---|---:|---:|---:|")
    for name in (*STAGES, "executemany"):
        seconds, processor = figures[name]
        print(f"| {name} | {seconds:.1f} | {processor:.1f} | {students / processor:,.0f} |")
    rows = figures["rows"]
    print(f"\n{students:,} students, {students * CHOICES:,} choices: {', '.join(f'{count:,} {name}' for name, count in rows.items())}.")
    print(f"Published ÷ executemany: {figures['publish'][1] / figures['executemany'][1]:.1f}. Peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB.")
    return 0


def measured(students: int, seed: int = 7) -> dict[str, Any]:
    """(seconds, seconds of the processor) by stage, and how many rows publishing wrote."""
    from django.core.management import call_command

    from vsm.exchange.allocation import actions, computing
    from vsm.exchange.allocation.models import Run, Seat, WaitingPlace
    from vsm.kit.actors import SYSTEM
    from vsm.kit.models import AuditEvent, Job

    call_command("migrate", verbosity=0)
    call = filled(students, random.Random(seed))
    at: list[tuple[float, float]] = []
    run = Run(call=call, number=1, mechanism="deferred_acceptance", state="computing")
    run.save()
    computed = computing.compute(run, lambda _stage: at.append(_clocks()), in_worker=True)
    run = actions.complete(run, by=SYSTEM, now=NOW, computed=computed)
    del computed
    at.append(_clocks())
    before = _counted(Job, AuditEvent)
    actions.publish(run, by=SYSTEM, now=NOW, because="The rules that were announced.")
    at.append(_clocks())
    after = _counted(Job, AuditEvent)
    times = {name: (one[0] - zero[0], one[1] - zero[1]) for name, zero, one in zip(STAGES, at, at[1:], strict=False)}
    rows = {"seats": Seat.objects.count(), "places": WaitingPlace.objects.count(), "jobs": after[0] - before[0], "audit": after[1] - before[1]}
    return {**times, "rows": rows}


def filled(students: int, rng: random.Random) -> Any:
    """A call whose nominations are over, written in bulk."""
    from vsm.exchange.allocation import actions
    from vsm.exchange.applications.models import Application, Call, CallOffering, Nomination
    from vsm.exchange.catalogue.models import Offering, Opportunity
    from vsm.exchange.institutions.models import Organisation
    from vsm.exchange.people.models import Person
    from vsm.kit import bulk
    from vsm.kit.actors import SYSTEM

    closes = NOW - timedelta(days=10)
    places = [Organisation(schac=f"u{n}.example", name={"en": f"University {n}"}, country="PE", zone="America/Lima") for n in range(21)]
    for place in places:
        place.save()
    host, homes = places[0], places[1:]
    call = Call(
        organisation=host, code="bench", title={"en": "Bench"}, zone="America/Lima", opens_at=closes - timedelta(days=20), closes_at=closes,
        nominate_by=NOW - timedelta(days=1), state="published", max_choices=10,
    )  # fmt: skip
    call.save()
    call = actions.commit_seed(call, by=SYSTEM, now=closes - timedelta(days=1))
    count = max(1, students // TO_AN_OFFERING)
    courses = [Opportunity(organisation=host, code=f"C{n}", title={"en": f"Course {n}"}, credits=6, language="es", state="published") for n in range(count)]
    offerings = [
        Offering(opportunity=course, code="1", starts_on=NOW.date() + timedelta(days=30), ends_on=NOW.date() + timedelta(days=120), zone="America/Lima", seats=100, state="published")
        for course in courses
    ]
    people = [Person(email=f"s{n}@bench.example", name=f"Student {n:06d}", password="!") for n in range(students)]
    weights = [1 / (rank + 10) for rank in range(count)]
    applications = [
        Application(call=call, student=person, home=homes[n % 20], state="nominated", submitted_at=closes, choices=_wishes(offerings, weights, rng))
        for n, person in enumerate(people)
    ]
    _atomically(
        lambda: [
            bulk.insert(model, records)
            for model, records in (
                (Opportunity, courses), (Offering, offerings), (Person, people), (Application, applications),
                (CallOffering, [CallOffering(call=call, offering=offering, seats=20) for offering in offerings]),
                (Nomination, [Nomination(application=a, band=rng.randint(1, BANDS), at=NOW) for a in applications]),
            )
        ]
    )  # fmt: skip
    return call


def _wishes(offerings: Sequence[Any], weights: Sequence[float], rng: random.Random) -> list[str]:
    drawn = dict.fromkeys(str(offering.pk) for offering in rng.choices(offerings, weights, k=3 * CHOICES))
    return list(drawn)[:CHOICES]


def _atomically(write: Callable[[], object]) -> None:
    from django.db import transaction

    with transaction.atomic():
        write()


def _clocks() -> tuple[float, float]:
    return perf_counter(), process_time()


def _counted(*models: Any) -> tuple[int, ...]:
    return tuple(model.objects.count() for model in models)


def _plain_sqlite(path: Path, rows: dict[str, int]) -> tuple[float, float]:
    """(seconds, seconds of the processor) for as many rows of the same width with the same durability, the values being there already."""
    base = sqlite3.connect(path)
    base.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
    widths = {"seats": 14, "places": 12, "jobs": 14, "audit": 14}
    values = {name: [(f"{n:032x}", *(["x" * 24] * (widths[name] - 1))) for n in range(count)] for name, count in rows.items()}
    for name, width in widths.items():
        base.execute(f"CREATE TABLE {name} (c0 TEXT PRIMARY KEY, {', '.join(f'c{n}' for n in range(1, width))})")
    began = _clocks()
    with base:
        for name, width in widths.items():
            base.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * width)})", values[name])
    done = _clocks()
    base.close()
    return done[0] - began[0], done[1] - began[1]


if __name__ == "__main__":
    raise SystemExit(main())

"""Pages per second: our search and a list page beside bare Django views, under the same server in one run.

    python -m bench.pages [--count 100000] [--seconds 8] [--workers 2]

A throw-away data folder gets the tables, `--count` offerings with two weekly meetings each, and the search index. Two
granian servers stand on loopback, ours and the bare one (bench/bare.py), and are asked one after the other over eight
kept connections from this process. Each search asks something else: two hundred different questions in turn, each of
them several times a run after a warm-up, as on a site that is in use.

Pages per second fall with whatever else the machine does; the processor time that the server spent on a page hardly
does, so the last column says what `--workers` free cores would give.
"""

import argparse
import os
import random
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import BinaryIO
from urllib.parse import urlencode

from bench.machine import machine

ROOT = Path(__file__).resolve().parents[1]
CONNECTIONS = 8
HEADERS = "Host: 127.0.0.1\r\nAccept-Language: en\r\nCookie: vsm_zone=America/Lima\r\nConnection: keep-alive\r\n"


@dataclass
class Measured:
    """Answers a second, milliseconds of the middle and the slow one in a hundred, the server's milliseconds of processor
    time for one, bytes of a page, answers not 200."""

    rate: float
    cpu: float
    p50: float
    p99: float
    size: int
    wrong: int


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.pages", description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--prepare", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.prepare:
        prepare(args.count)
        return 0
    with tempfile.TemporaryDirectory(prefix="vsm-bench-") as folder:
        environment = {**os.environ, "VSM_DATA": folder, "VSM_BASE_URL": "http://127.0.0.1", "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
        environment.pop("DATABASE_URL", None)
        subprocess.run([sys.executable, "-m", "bench.pages", "--prepare", "--count", str(args.count)], env=environment, cwd=ROOT, check=True)
        print(f"{machine()}; {args.count:,} offerings, {args.workers} workers, {CONNECTIONS} connections, {args.seconds:g} s each, load at the start {os.getloadavg()[0]:.1f}\n")
        with served("vsm.app.wsgi:application", environment, args.workers) as site:
            ours = {
                "search, each for the first times": measure(site, questions(), args.seconds, warm_up=0),
                "search, whole page": measure(site, questions(), args.seconds, warm_up=3 * args.seconds),
                "search, what a script asks for": measure(site, questions(), args.seconds, headers="HX-Request: true\r\n"),
                "search without words": measure(site, ["/catalogue/"], args.seconds),
                "list of institutions": measure(site, [f"/organisations/?page={number}" for number in range(1, 11)], args.seconds),
                "list of all offerings": measure(site, [f"/offerings/?page={number}" for number in range(1, 11)], args.seconds),
            }
        with served("bench.bare:application", environment, args.workers) as site:
            bare = {
                "bare view, nothing": measure(site, ["/nothing/"], args.seconds),
                "bare view, 20 rows": measure(site, [f"/list/?page={number}" for number in range(10)], args.seconds),
            }
        report(ours, bare, args.workers)
    return 0


def report(ours: dict[str, Measured], bare: dict[str, Measured], workers: int) -> None:
    rows = bare["bare view, 20 rows"].cpu
    print(f"| page | pages/s | p50 ms | p99 ms | kB | not 200 | CPU ms a page | × bare list | pages/s of {workers} free cores |")
    print("|---" * 9 + "|")
    for name, each in {**ours, **bare}.items():
        times = f"{each.rate:.0f} | {each.p50:.1f} | {each.p99:.1f} | {each.size / 1024:.1f} | {each.wrong}"
        print(f"| {name} | {times} | {each.cpu:.2f} | {each.cpu / rows:.2f} | {1000 * workers / each.cpu:.0f} |")


def questions() -> list[str]:
    """Two hundred searches such as people ask: words in four languages, facets, further pages."""
    from bench.generate import TERMS

    draw, found = random.Random(7), []
    for number in range(200):
        language = draw.choice(list(TERMS))
        pairs = [("q", " ".join(draw.choices(TERMS[language], k=draw.choice((1, 1, 2)))))]
        if number % 2:
            pairs.append(("language", language.split("-")[0]))
        if number % 3 == 0:
            pairs += [("level", "bachelor"), ("mode", draw.choice(("synchronous", "mixed")))]
        if number % 5 == 0:
            pairs.append(("page", "2"))
        found.append(f"/catalogue/?{urlencode(pairs)}")
    return found


# Asking ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Site:
    """A server by its port and its process."""

    port: int
    process: int


def measure(site: Site, addresses: Sequence[str], seconds: float, *, warm_up: float = 3.0, headers: str = "") -> Measured:
    requests = [f"GET {address} HTTP/1.1\r\n{HEADERS}{headers}\r\n".encode() for address in addresses]
    asked(site.port, requests, warm_up)
    began, worked = perf_counter(), processor_time(site.process)
    taken = asked(site.port, requests, seconds)
    spent, worked = perf_counter() - began, processor_time(site.process) - worked
    times = sorted(took for took, _size, _status in taken)
    return Measured(
        rate=len(taken) / spent,
        cpu=worked / len(taken) * 1000,
        p50=median(times) * 1000,
        p99=times[int(len(times) * 0.99)] * 1000,
        size=round(median(size for _took, size, _status in taken)),
        wrong=sum(status != 200 for _took, _size, status in taken),
    )


def asked(port: int, requests: Sequence[bytes], seconds: float) -> list[tuple[float, int, int]]:
    """(seconds, bytes, status) of every answer."""
    stop = perf_counter() + seconds

    def ask(first: int) -> list[tuple[float, int, int]]:
        results, place = [], first
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection, connection.makefile("rb") as answers:
            while perf_counter() < stop:
                began = perf_counter()
                connection.sendall(requests[place % len(requests)])
                status, size = _read(answers)
                results.append((perf_counter() - began, size, status))
                place += CONNECTIONS
        return results

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        return [result for results in pool.map(ask, range(CONNECTIONS)) for result in results]


def processor_time(process: int) -> float:
    """Seconds that a process and its children have worked (Linux)."""
    worked = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            line = file.read_text()
        except OSError:  # it has ended meanwhile
            continue
        facts = line.rpartition(") ")[2].split()  # after the name, which may hold anything: state, parent, …
        if process in (int(file.parent.name), int(facts[1])):
            worked += int(facts[11]) + int(facts[12])
    return worked / os.sysconf("SC_CLK_TCK")


def _read(answers: BinaryIO) -> tuple[int, int]:
    """Status and length of one answer, which is read to its end."""
    status = int(answers.readline().split()[1])
    length = 0
    while line := answers.readline().strip().lower():
        name, _colon, value = line.partition(b":")
        if name == b"content-length":
            length = int(value)
    return status, len(answers.read(length))


@contextmanager
def served(application: str, environment: dict[str, str], workers: int) -> Iterator[Site]:
    """Granian on a free port of loopback, as `./vsm up` starts it; stopped by its own process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", str(workers),
        "--blocking-threads", "1", "--workers-kill-timeout", "3", "--no-ws", "--log-level", "error", application,
    ]  # fmt: skip
    server = subprocess.Popen(command, env=environment, cwd=ROOT)
    try:
        _wait_for(port, server)
        yield Site(port, server.pid)
    finally:
        server.terminate()
        try:
            server.wait(15)
        except subprocess.TimeoutExpired:
            server.kill()


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        if server.poll() is not None:
            raise SystemExit("The server stopped at its start.")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=20) as connection, connection.makefile("rb") as answers:
                connection.sendall(f"GET / HTTP/1.1\r\n{HEADERS}\r\n".encode())
                _read(answers)
        except (OSError, IndexError):  # not listening yet, or hung up while starting
            sleep(0.1)
        else:
            return
    raise SystemExit("The server did not answer within 20 seconds.")


# Preparing ------------------------------------------------------------------------------------------------------------


def prepare(count: int) -> None:
    """Tables, offerings and index in the data folder of the environment."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "vsm.app.settings"
    import django

    django.setup()
    from django.apps import apps
    from django.conf import settings
    from django.core.management import call_command

    # Tables as the models say, without walking through their history.
    settings.MIGRATION_MODULES = {config.label: None for config in apps.get_app_configs()}
    call_command("migrate", run_syncdb=True, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    fill(count)
    from vsm.exchange.catalogue import indexing

    indexing.rebuild()


def fill(count: int) -> None:
    """`count` published offerings of bench.generate, in the coming year, of three hundred institutions."""
    from datetime import date, time, timedelta
    from decimal import Decimal
    from itertools import islice

    from bench.generate import FIRST_START, documents
    from vsm.exchange.catalogue.models import Meeting, Offering, Opportunity
    from vsm.exchange.institutions.models import Organisation

    later = date.today() + timedelta(days=30) - FIRST_START
    hosts: dict[str, Organisation] = {}
    offerings = documents(count)
    while part := list(islice(offerings, 5_000)):
        for document in part:
            if document.institution not in hosts:
                name = {"en": document.institution.replace("institution-", "University ")}
                hosts[document.institution] = Organisation(schac=f"{document.institution}.example", name=name, country=document.country, zone=document.zone)
                hosts[document.institution].save()
        opportunities = [
            Opportunity(
                organisation=hosts[d.institution], category=d.category, code=d.code, title=dict(d.titles), description=dict(d.bodies), isced_f=d.isced_f,
                level=d.level, credits=Decimal(d.credits), credit_system="ects", language=d.language, cefr=d.cefr, state="published",
            )
            for d in part
        ]  # fmt: skip
        Opportunity.objects.bulk_create(opportunities)
        runs = [
            Offering(
                opportunity=o, code="1", starts_on=d.starts_on + later, ends_on=d.ends_on + later, zone=d.zone, seats=d.seats, mode=d.mode,
                bandwidth=d.bandwidth, state="published",
            )
            for o, d in zip(opportunities, part, strict=True)
        ]  # fmt: skip
        Offering.objects.bulk_create(runs)
        Meeting.objects.bulk_create(Meeting(offering=run, weekday=day, starts=time(9 + day), ends=time(10 + day, 30)) for run in runs for day in (1, 3))


if __name__ == "__main__":
    raise SystemExit(main())

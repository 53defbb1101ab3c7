"""The two kinds of process: web (granian) and worker. `up` starts both; in production each is a unit of its own."""

import argparse
import os
import signal
import socket
import sys
import threading

from vsm.config import settings


def web_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=2, help="processes (default 2)")


def web(args: argparse.Namespace) -> int:
    """Become granian."""
    os.environ["VSM_ROLE"] = "web"  # noqa: TID251 -- for the process that this one becomes
    os.environ.pop("VSM_KEY_PASSPHRASE", None)  # noqa: TID251 -- signing keys never open in the web process
    command = web_command(args.host, args.port, args.workers)
    os.execv(command[0], command)  # noqa: S606 -- no shell is meant


def web_command(host: str, port: int, workers: int = 2) -> list[str]:
    # One blocking thread each on SQLite, four on PostgreSQL: measured best (docs/handbook/operator.md).
    threads = 4 if settings().is_postgres else 1
    return [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port), "--workers", str(workers),
        "--blocking-threads", str(threads), "--no-ws", "--log-level", "warning", "--workers-kill-timeout", "3", "--respawn-failed-workers",
        "vsm.app.wsgi:application",
    ]  # fmt: skip


def worker_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", default=f"{socket.gethostname()}-{os.getpid()}"[:64], help="how it signs its heartbeat")


def worker(args: argparse.Namespace) -> int:
    """Perform jobs until told to stop; the job in hand is finished first."""
    # Only here: this module must load without the records, for `up`.
    from vsm.kit.jobs import work

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    work(stop, name=args.name)
    return 0

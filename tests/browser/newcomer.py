"""The whole program as somebody starts it: `vsm up` with the demo world, on a free port.

It runs on SQLite whatever engine the rest of the suite runs on: the demo world is never written into somebody's database.
"""

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from tests.snapshot import first_start, own_environment
from vsm.config import ROOT

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 240.0  # seconds that a shared machine may take to the first page
ANSWERS = 30.0  # seconds for one answer
FAREWELL = 60.0  # seconds to end in


def chromium() -> str:
    """Where Chromium is, empty when it is not installed."""
    return next((found for found in map(shutil.which, CHROMIUMS) if found), "")


def begin(data: Path) -> None:
    """A folder as the first start left it."""
    shutil.copytree(first_start() / "data", data)


@contextmanager
def a_site(data: Path) -> Iterator[str]:
    """Its address, while it runs. Afterwards no process of it is left."""
    port = _free_port()
    log = data.with_suffix(".log")
    with log.open("wb") as told:
        process = subprocess.Popen(
            [sys.executable, "-m", "vsm", "up", "--data", str(data), "--port", str(port)],
            cwd=ROOT, env=own_environment(), stdout=told, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    family: set[int] = set()
    try:
        base = f"http://localhost:{port}"
        _until_it_answers(process, base, log)
        family = _below(process.pid)
        yield base
    finally:
        family |= _below(process.pid)
        process.send_signal(signal.SIGTERM)
        process.wait(FAREWELL)
    left = {pid for pid in family if _lives(pid)}
    assert not left, f"still running after the end: {left}"


def _until_it_answers(process: "subprocess.Popen[bytes]", base: str, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text("utf-8")
        try:
            urlopen(base, timeout=ANSWERS).close()
        except HTTPError as refused:
            raise AssertionError(f"the first page answers {refused.code}:\n{log.read_text('utf-8')}") from refused
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"no answer in {PATIENCE} seconds:\n{log.read_text('utf-8')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _below(root: int) -> set[int]:
    """Every process that descends from `root` (by /proc; none where there is no /proc)."""
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(status.parent.name)] = int(status.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it ended meanwhile
            continue
    found, layer = set[int](), {root}
    while layer:
        layer = {pid for pid, parent in parents.items() if parent in layer} - found
        found |= layer
    return found


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"

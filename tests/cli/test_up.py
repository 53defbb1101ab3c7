"""`vsm up` on an empty data folder: starts, says where, starts again what dies, and leaves nothing behind."""

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.races.ground import ROOT
from tests.snapshot import first_start
from vsm.cli.up import port_problem, up

pytestmark = pytest.mark.committed
PATIENCE, FAREWELL = 240.0, 60.0  # seconds that a shared machine may take


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Running:
    """One `vsm up`, its output, and its process tree."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.port = free_port()
        self.log = log
        command = [sys.executable, "-m", "vsm", "up", "--empty", "--port", str(self.port)]
        clean = {name: value for name, value in environment.items() if name != "VSM_BASE_URL"}
        with log.open("wb") as out:
            self.process = subprocess.Popen(command, env=clean, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT)

    @property
    def said(self) -> str:
        return self.log.read_text("utf-8")

    def until(self, true: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < end, self.said
            time.sleep(0.05)

    def until_running(self) -> None:
        self.until(lambda: "Ctrl-C stops everything." in self.said or self.process.poll() is not None)
        assert self.process.poll() is None, self.said

    def children(self) -> dict[int, str]:
        return descendants(self.process.pid)

    def pid_of(self, words: str) -> int:
        return next(pid for pid, command in self.children().items() if words in command)


def descendants(root: int) -> dict[int, str]:
    """Process → command line, for everything below `root`."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
    below: set[int] = set()
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent == root or parent in below} - below
        grown, below = bool(more), below | more
    return {pid: command for pid in below if (command := command_of(pid))}


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


@pytest.fixture
def start(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[[], Running]]:
    begun: list[Running] = []

    # What the styles and scripts become is the same for all; compressing them takes longer than the rest.
    shutil.copytree(first_start() / "data" / "static", tmp_path / "static")

    def begin() -> Running:
        begun.append(Running(environment, tmp_path / f"up-{len(begun)}.log"))
        return begun[-1]

    yield begin
    for running in begun:
        for pid in [running.process.pid, *running.children()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        running.process.wait()


@pytest.mark.wide
def test_it_starts_says_where_keeps_its_children_alive_and_leaves_none(start: Callable[[], Running], tmp_path: Path) -> None:
    first = start()
    first.until_running()
    assert f"OpenVSM is running: http://localhost:{first.port}/" in first.said
    assert f"Data: {tmp_path}" in first.said
    with urllib.request.urlopen(f"http://127.0.0.1:{first.port}/", timeout=30) as answer:
        assert answer.status == 200
    assert (tmp_path / "keys" / "passphrase").stat().st_mode & 0o777 == 0o600

    web, worker = first.pid_of("granian"), first.pid_of("vsm worker")
    passphrase = (tmp_path / "keys" / "passphrase").read_bytes()
    assert passphrase not in Path(f"/proc/{web}/environ").read_bytes(), "signing keys never open in the web process"
    assert passphrase in Path(f"/proc/{worker}/environ").read_bytes()

    os.kill(worker, signal.SIGKILL)
    first.until(lambda: "worker ended (-9); starting it again in 1 s." in first.said)
    first.until(lambda: any("vsm worker" in command for command in first.children().values()))
    assert first.pid_of("vsm worker") != worker

    tree = list(first.children())
    assert len(tree) >= 3
    first.process.send_signal(signal.SIGTERM)
    assert first.process.wait(FAREWELL) == 0
    assert [command_of(pid) for pid in tree if command_of(pid)] == []
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{first.port}/", timeout=30)

    second = start()
    second.until_running()
    if "postgres" not in os.environ.get("DATABASE_URL", ""):
        assert "Preparing" not in second.said, "nothing had changed"
    second.process.send_signal(signal.SIGINT)
    assert second.process.wait(FAREWELL) == 0


def test_a_taken_port_is_one_line_that_names_the_way_out(environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run([sys.executable, "-m", "vsm", "up", "--port", str(port)], env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"Port {port} on 127.0.0.1 is taken by another program: choose another, for example ./vsm up --port {port + 1}.\n"


def test_a_folder_that_cannot_be_written_is_one_line(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    place = tmp_path / "file" / "data"
    done = subprocess.run([sys.executable, "-m", "vsm", "up", "--data", str(place), "--port", str(free_port())], env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"The data folder .* cannot be written: .*\. Choose another: --data DIR, or the setting VSM_DATA\.\n", done.stderr)


def test_a_port_that_somebody_took_while_the_data_were_prepared_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # so that the first look finds it free
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]

        def prepare(*_command: object, **_options: object) -> subprocess.CompletedProcess[bytes]:
            other.listen()
            return subprocess.CompletedProcess([], 0)

        for name, value in {"VSM_DATA": str(tmp_path), "VSM_BASE_URL": "http://localhost"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr("vsm.cli.up.is_ready", lambda _own: False)
        monkeypatch.setattr("vsm.cli.up.subprocess.run", prepare)
        assert up(argparse.Namespace(host="127.0.0.1", port=port, data=None, empty=True)) == 1
        assert f"Port {port} on 127.0.0.1 is taken" in capsys.readouterr().err


@pytest.mark.parametrize(("host", "port", "word"), [("127.0.0.1", 0, "65535"), ("127.0.0.1", 70000, "65535"), ("no.such.host.invalid", 8000, "--host"), ("203.0.113.9", 8000, "--host")])
def test_other_wrong_addresses_say_what_to_write(host: str, port: int, word: str) -> None:
    assert word in port_problem(host, port)

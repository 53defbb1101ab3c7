"""A small supervisor: starts children, starts them again when they die, and leaves none behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Self

GRACE = 4.0  # seconds between asking and killing
STEADY = 30.0  # a child that lived this long starts its back-off afresh


@dataclass
class Child:
    """One kept process, in a process group of its own so that its own children end with it."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    due: float = 0.0
    failures: int = 0

    def start(self) -> None:
        self.began = monotonic()
        self.process = subprocess.Popen(self.command, env=dict(self.environment), start_new_session=True, stdin=subprocess.DEVNULL)

    def signal(self, number: int) -> None:
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """Runs until asked to stop (Ctrl-C, SIGTERM, SIGHUP); leaving its `with` stops every child within five seconds."""

    def __init__(self) -> None:
        self.children: list[Child] = []
        self.stopping = threading.Event()

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self.stopping.set())
        return self

    def __exit__(self, *_raised: object) -> None:
        self.stop()

    def add(self, child: Child) -> None:
        if not self.stopping.is_set():
            self.children.append(child)
            child.start()

    def watch(self) -> None:
        """Until asked to stop: start a dead child again, after 1, 2, 4 … at most 30 seconds when it keeps dying."""
        while not self.stopping.wait(0.2):
            for child in self.children:
                self._look_after(child)

    def stop(self) -> None:
        """Ask every group to end, then kill what is left of it."""
        for child in self.children:
            child.signal(signal.SIGTERM)
        end = monotonic() + GRACE
        for child in self.children:
            if child.process is not None:
                try:
                    child.process.wait(max(0.0, end - monotonic()))
                except subprocess.TimeoutExpired:
                    print(f"{child.name} did not end in time and is killed.", file=sys.stderr)
            child.signal(signal.SIGKILL)  # grandchildren too
            if child.process is not None:
                child.process.wait()

    def _look_after(self, child: Child) -> None:
        if child.alive or self.stopping.is_set():
            return
        now = monotonic()
        if not child.due:
            child.signal(signal.SIGKILL)  # what is left of its group
            child.failures = 1 if now - child.began > STEADY else child.failures + 1
            pause = min(30, 2 ** (child.failures - 1))
            child.due = now + pause
            code = child.process.returncode if child.process else 0
            print(f"{child.name} ended ({code}); starting it again in {pause} s.", file=sys.stderr, flush=True)
        elif now >= child.due:
            child.due = 0.0
            child.start()

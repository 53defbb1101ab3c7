"""On what and when something was measured: one line for the head of every table."""

import os
import platform
import sqlite3
from datetime import UTC, datetime
from pathlib import Path


def machine() -> str:
    model = next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    memory = next((int(line.split()[1]) / 2**20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    day = datetime.now(UTC).date().isoformat()
    return f"{day}, {model}, {cores} cores, {memory:.0f} GiB, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text("utf-8").splitlines() if file.exists() else []

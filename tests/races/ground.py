"""A database of its own for tests that need real commits: a SQLite file, or a fresh PostgreSQL database.

A scenario runs in a process of its own on that database, with the settings of production (WAL, FULL, IMMEDIATE), and
answers with JSON. So a killed process, a race and a lost lease are real, and no other test sees what they leave.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest

ROOT = Path(__file__).resolve().parents[2]
Play = Callable[..., dict[str, Any]]


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a process that works on the throw-away database."""
    address = os.environ.get("DATABASE_URL", "")
    name = f"vsm_ground_{uuid4().hex[:12]}"
    own = {**os.environ, "VSM_DATA": str(tmp_path), "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "DJANGO_SETTINGS_MODULE": "vsm.app.settings", "VSM_REQUIRE": ""}
    if not address.startswith("postgres"):
        yield {**own, "DATABASE_URL": ""}
        return
    with psycopg.connect(address, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    try:
        yield {**own, "DATABASE_URL": urlunsplit(urlsplit(address)._replace(path=f"/{name}"))}
    finally:
        with psycopg.connect(address, autocommit=True) as server:
            for (made,) in server.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{name}%"]).fetchall():
                server.execute(f'DROP DATABASE "{made}" WITH (FORCE)')


@pytest.fixture
def play(environment: dict[str, str]) -> Play:
    """`play("module:function", seed=1, …)` runs the scenario and gives what it answers."""

    def run(scenario: str, **options: Any) -> dict[str, Any]:
        command = [sys.executable, "-m", "tests.races.stage", scenario, json.dumps(options)]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=150, check=False)
        assert done.returncode == 0, done.stderr[-4000:]
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        print(scenario, options, answer)
        return answer

    return run

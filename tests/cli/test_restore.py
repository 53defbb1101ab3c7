"""`vsm restore` refuses what does not hold together, before anything is in place."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.races.ground import ROOT, Play

pytestmark = pytest.mark.committed


def vsm(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """The program as it is started."""
    return subprocess.run([sys.executable, "-m", "vsm", *words], env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


def told(play: Play, *words: str) -> dict[str, Any]:
    """The same in a process that need not load the program first."""
    return play("tests.cli.command:run", words=words)


@pytest.mark.wide
def test_a_backup_is_taken_checked_and_restored_elsewhere(play: Play, environment: dict[str, str], tmp_path: Path) -> None:
    if environment["DATABASE_URL"]:
        pytest.skip("the same on PostgreSQL is the drill of test_backup")
    play("tests.races.scenarios:appends", writers=1, each=3)
    assert vsm(environment, "backup", "--to", str(tmp_path / "kept")).returncode == 0
    [archive] = (tmp_path / "kept").iterdir()
    assert told(play, "restore", str(archive), "--check")["returncode"] == 0
    refused = vsm(environment, "restore", str(archive))
    assert (refused.returncode, refused.stderr.splitlines()[1:]) == (1, [f"  - There are data in {tmp_path} already. With --force they are moved aside and replaced."])
    done = vsm(environment, "restore", str(archive), "--data", str(tmp_path / "elsewhere"))
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(tmp_path / "elsewhere" / "vsm.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM kit_auditevent").fetchone() == (3,)

    with closing(sqlite3.connect(tmp_path / "vsm.sqlite3")) as database:
        database.execute("UPDATE kit_auditevent SET verb = 'nothing' WHERE seq = 2")
        database.commit()
    assert told(play, "backup", "--to", str(tmp_path / "spoiled"))["returncode"] == 0
    [spoiled] = (tmp_path / "spoiled").iterdir()
    broken = told(play, "restore", str(spoiled), "--data", str(tmp_path / "third"))
    assert broken["returncode"] == 1
    assert "broken at 2: altered" in broken["stdout"]
    assert not (tmp_path / "third").exists()

"""The command line in a process of its own that need not load the program again (tests/races/stage.py)."""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vsm.cli.commands import main


def run(words: Sequence[str]) -> dict[str, Any]:
    """What `vsm WORDS` returns and says, with what the processes say that it starts."""
    with tempfile.TemporaryDirectory(prefix="vsm-command-") as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        with _told_to(1, out), _told_to(2, err):
            code = main(words)
        return {"returncode": code, "stdout": out.read_text("utf-8"), "stderr": err.read_text("utf-8")}


@contextmanager
def _told_to(number: int, file: Path) -> Iterator[None]:
    kept, to = os.dup(number), os.open(file, os.O_WRONLY | os.O_CREAT)
    os.dup2(to, number)
    try:
        yield
    finally:
        {1: sys.stdout, 2: sys.stderr}[number].flush()
        os.dup2(kept, number)
        os.close(kept)
        os.close(to)

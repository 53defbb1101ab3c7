"""What the commands that go from files to files have in common: reading, refusing, writing whole or not at all."""

import argparse
import os
import sys
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from vsm.kit.errors import Invalid
from vsm.kit.saying import say_reason
from vsm.kit.verdict import Reason

DONE, WRONG, FAULTY = 0, 1, 2


def day(text: str) -> date:
    """A day among the arguments."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"“{text}” is no day of the calendar; write it as 2027-03-01") from None


def read_file(path: Path) -> bytes:
    return path.read_bytes()


def refused(error: Invalid | OSError) -> int:
    """Every fault, one a line, to stderr. Nothing was written."""
    if isinstance(error, OSError):
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
    else:
        print("\n".join(map(say_reason, error.reasons)), file=sys.stderr)
    return FAULTY


def reasons(found: Iterable[Reason]) -> list[dict[str, str]]:
    """Reasons for programs (code) and people (text)."""
    return [{"code": each.code, "text": say_reason(each)} for each in found]


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Each file is put in place whole; the last one named is written last."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        part = folder / f".{name}.part"
        part.write_bytes(content)
        os.replace(part, folder / name)

"""Refusals and tables as the terminal shows them."""

import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress

from django.utils import translation

from vsm.kit.errors import VsmError
from vsm.kit.localized import LANGUAGES
from vsm.kit.saying import say, say_reason


def tell(error: VsmError) -> None:
    """Every reason of a refusal, one a line, in the active language; to stderr."""
    print(f"{say(error.title)}:", file=sys.stderr)
    for reason in error.reasons:
        place = f"{reason.field}: " if reason.field else ""
        print(f"  - {place}{say_reason(reason)}", file=sys.stderr)


def speak(language: str) -> None:
    """Say what follows in this language, for the rest of the command. A fresh clone has no compiled translations yet."""
    if language != "en":
        from vsm.kit.messages import compile_changed

        with suppress(OSError):  # where nothing may be written, it is said in English
            compile_changed()
    translation.activate(language if language in LANGUAGES else "en")


def table(rows: Iterable[Sequence[str]], heads: Sequence[str] = ()) -> str:
    """Rows in aligned columns; the last column runs free."""
    lines = [tuple(map(str, row)) for row in rows]
    every = [tuple(heads), *lines] if heads else lines
    if not every:
        return ""
    widths = [max(len(row[column]) for row in every) for column in range(len(every[0]) - 1)]
    drawn = ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip() for row in every]
    if heads:
        drawn.insert(1, "  ".join("─" * width for width in [*widths, len(heads[-1])]))
    return "\n".join(drawn)

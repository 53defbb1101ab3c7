"""Cells that a spreadsheet would run as formulas, made harmless on the way out and given back on the way in.

An apostrophe before the cell makes it text (OWASP, CSV injection). Cells that already begin with apostrophes before such
a character get one more, so that `unguarded(guarded(text)) == text` for every text.
"""

import re

_DANGEROUS = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def guarded(text: str) -> str:
    return f"'{text}" if _DANGEROUS.match(text) else text


def unguarded(text: str) -> str:
    return text[1:] if _GUARDED.match(text) else text

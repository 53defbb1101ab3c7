"""The names of fields of study: ISCED-F 2013, broad (two digits) and narrow (three)."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from vsm.kit.localized import LANGUAGES
from vsm.rulebook.errors import RulebookError
from vsm.rulebook.reading import parse

_FILE = "isced_f.yaml"


@dataclass(frozen=True)
class Field:
    """A field with its code of two or three digits and its name in each of our languages."""

    code: str
    name: Mapping[str, str]


def fields_of(code: str) -> tuple[Field, ...]:
    """The fields that a code of two to four digits lies in, the broad one first: `0542` → 05, 054. Unknown: none."""
    known = _fields()
    return tuple(known[code[:digits]] for digits in (2, 3) if len(code) >= digits and code[:digits] in known)


def isced_fields() -> tuple[Field, ...]:
    """Every broad and narrow field in the order of their codes."""
    return tuple(sorted(_fields().values(), key=lambda field: field.code))


@cache
def _fields() -> dict[str, Field]:
    """Read and checked once a process. Raises RulebookError with every problem."""
    named = parse((files("vsm.rulebook") / _FILE).read_text(encoding="utf-8"))["fields"]
    problems = [problem for code, name in named.items() for problem in _problems(code, name, named)]
    if problems:
        raise RulebookError(problems)
    return {code: Field(code, name) for code, name in named.items()}


def _problems(code: str, name: Any, known: Mapping[str, Any]) -> list[str]:
    found = []
    if not (code.isascii() and code.isdigit() and len(code) in (2, 3)) or code[:2] not in known:
        found.append(f"{_FILE}: {code!r} is no broad field, and no narrow field of one that is listed")
    if not isinstance(name, dict) or sorted(name) != sorted(LANGUAGES) or not all(name.values()):
        found.append(f"{_FILE}: {code!r} needs its name in {', '.join(LANGUAGES)}")
    return found

"""What the series of the sources are: unit, what is counted, of whom, on which basis, read from `series.yaml`. Pure.

Figures of two series are the same thing only where all of this is equal; mixing a stock with a flow, or the mobile with the
foreign, is the analyst's oldest trap.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from vsm.kit.localized import LANGUAGES
from vsm.rulebook.reading import parse

COUNTING = ("stock", "flow", "rate", "index", "level", "distance")
BASES = ("mobility", "citizenship", "none")
STUDY = ("degree", "credit", "any")


@dataclass(frozen=True, kw_only=True)
class Series:
    """`code` is the publisher's, a pattern where it names many. `counting` is one of COUNTING, `basis` of BASES, `study` of
    STUDY; `isced` the levels."""

    source: tuple[str, ...]
    code: str
    unit: str
    counting: str
    basis: str
    isced: str
    study: str
    title: Mapping[str, str]
    definition: Mapping[str, str]


@cache
def all_series() -> tuple[Series, ...]:
    """In the order of the file. Raises ValueError when it is wrong: a fault of this program."""
    told = parse(files(__package__).joinpath("series.yaml").read_text("utf-8"))["series"]
    found = tuple(Series(**{**entry, "source": tuple(entry["source"])}) for entry in told)
    wrong = [each.code for each in found if each.counting not in COUNTING or each.basis not in BASES or each.study not in STUDY or set(each.title) != set(LANGUAGES) or set(each.definition) != set(LANGUAGES)]
    if wrong:
        raise ValueError(f"series.yaml: of unknown kind, or not in all four languages: {wrong}")
    return found


def described(source: str, code: str) -> Series | None:
    """What a series of a source is; None where nobody has described it."""
    return next((each for each in all_series() if source in each.source and re.fullmatch(each.code, code)), None)

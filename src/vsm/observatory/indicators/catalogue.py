"""The indicators by name: formula, unit, source, checks, how sure each is and of how much it speaks. Pure.

`catalogue.yaml` beside this module says it in the four languages; `measures.py` computes. A test holds that neither has
anything that the other lacks.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from vsm.kit.localized import LANGUAGES
from vsm.rulebook.reading import parse

UNITS = ("students", "share", "index", "%", "‰", "tonnes")
BOUNDS = ("exact", "lower-bound", "range", "interval")
SDG = re.compile(r"(1[0-7]|[1-9])(\.([1-9]|[a-d]))?")


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """`where` says what the letters of the formula are, `measure` is the function of `measures` that computes it, `source` the series that it is computed from, `sdg` the
    targets that it informs (codes). `needs` are the series without which it has no figures by country: of each list one; an
    indicator that needs none is given its figures in a notebook. `bounds` says what `low` and `high` of its table are: exact (equal to the value),
    lower-bound (low is proved, high what may be), range (no middle is known), interval (95 %)."""

    id: str
    measure: str
    formula: str
    where: Mapping[str, str]
    unit: str
    source: tuple[str, ...]
    sdg: tuple[str, ...]
    bounds: str
    name: Mapping[str, str]
    needs: tuple[tuple[str, ...], ...]
    checks: Mapping[str, str]
    coverage: Mapping[str, str]
    reference: str = ""


@cache
def catalogue() -> Mapping[str, Indicator]:
    """All indicators by id, in order. Raises ValueError when the file is wrong: a fault of this program."""
    told = parse(files(__package__).joinpath("catalogue.yaml").read_text("utf-8"))
    found = [Indicator(**{**entry, "source": tuple(entry["source"]), "sdg": tuple(entry["sdg"]), "needs": tuple(map(tuple, entry["needs"]))}) for entry in told["indicators"]]
    wrong = [each.id for each in found if each.unit not in UNITS or each.bounds not in BOUNDS or not each.sdg or not all(map(SDG.fullmatch, each.sdg))]
    lacking = [each.id for each in found for text in (each.name, each.where, each.checks, each.coverage) if set(text) != set(LANGUAGES)]
    if wrong or lacking or len({each.id for each in found}) != len(found):
        raise ValueError(f"catalogue.yaml: unknown unit, bounds or target: {wrong}; not in all four languages: {lacking}")
    return {each.id: each for each in found}


def missing(indicator: Indicator, there: Collection[str]) -> list[tuple[str, ...]]:
    """What an indicator lacks beside the series that are `there`: of each tuple one would do."""
    return [some for some in indicator.needs if not set(some) & set(there)]


@cache
def gets() -> Mapping[str, str]:
    """Series → what follows `vsm observatory fetch` to get it."""
    told: Mapping[str, str] = parse(files(__package__).joinpath("catalogue.yaml").read_text("utf-8"))["gets"]
    return told

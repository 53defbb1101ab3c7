"""A yearly series as the estimators take it: years in order without holes, values above zero. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log
from typing import Any

from vsm.kit.verdict import Reason

Array = Any
"""A numpy array of floats; numpy loads only where it works."""


class TooLittle(ValueError):
    """What is there is too little for an estimate: `reason` says what is lacking, so that readers are told in their language."""

    def __init__(self, code: str, text: str, **params: Any) -> None:
        self.reason = Reason(code, text, params)
        super().__init__(text % params)


@dataclass(frozen=True)
class Yearly:
    """`values[i]` belongs to `first + i`."""

    geo: str
    first: int
    values: tuple[float, ...]

    @property
    def last(self) -> int:
        return self.first + len(self.values) - 1

    def at(self, year: int) -> float | None:
        return self.values[year - self.first] if self.first <= year <= self.last else None

    def log_at(self, year: int) -> float:
        """KeyError when there is no such year."""
        value = self.at(year)
        if value is None:
            raise KeyError(f"{self.geo} has no {year}")
        return log(value)

    def until(self, year: int) -> "Yearly":
        return Yearly(self.geo, self.first, self.values[: max(0, year - self.first + 1)])

    def logs(self) -> Array:
        import numpy as np

        return np.log(np.asarray(self.values))


def yearly(geo: str, values: Mapping[int, float | None], *, until: int | None = None) -> Yearly | None:
    """The longest run of years without a hole that ends with the newest year (or `until`); None when there is none.

    Zero has no logarithm: it ends a run like a hole.
    """
    known = {year: value for year, value in values.items() if value is not None and value > 0 and (until is None or year <= until)}
    if not known:
        return None
    last = max(known)
    first = last
    while first - 1 in known:
        first -= 1
    return Yearly(geo, first, tuple(float(known[year]) for year in range(first, last + 1)))


def from_rows(rows: Iterable[Mapping[str, Any]]) -> dict[str, Yearly]:
    """By geo, from rows with geo, year, value; geos without a usable year are left out."""
    cells: dict[str, dict[int, float | None]] = {}
    for row in rows:
        cells.setdefault(row["geo"], {})[int(row["year"])] = row["value"]
    made = {geo: yearly(geo, values) for geo, values in cells.items()}
    return {geo: series for geo, series in sorted(made.items()) if series}

"""One host against a mixture of others that moved like it before: synthetic control (Abadie, Diamond and Hainmueller 2010). Pure.

The choice of donors moves the answer, so it is published with them, with the range when each is left out, and with what
the same method finds for hosts in which nothing happened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vsm.kit.i18n import N_
from vsm.observatory.estimates.series import Array, TooLittle, Yearly


@dataclass(frozen=True)
class Synthetic:
    """`gaps` by year are shares against the mixture; `lowest` and `highest` when one donor is left out. `p` is the share
    of hosts, this one included, whose gap after the event is as large beside their misfit before it. `weights` of donors
    above 0.01."""

    geo: str
    gaps: Mapping[int, float]
    lowest: Mapping[int, float]
    highest: Mapping[int, float]
    weights: Mapping[str, float]
    misfit: float
    p: float
    placebos: int


def synthetic(one: Yearly, donors: Sequence[Yearly], *, first: int, base: int, years: Sequence[int]) -> Synthetic:
    """The gap of `years` after `base` against a mixture fitted on `first` to `base`; ValueError with under
    five donors, or when a year is missing."""
    whole = [donor for donor in donors if donor.geo != one.geo and _has(donor, first, base, years)]
    if not _has(one, first, base, years):
        raise TooLittle("missing-year", N_("%(place)s lacks a year from %(first)s on"), place=one.geo, first=str(first))
    if len(whole) < 5:
        raise TooLittle("few-donors", N_("too few others (%(donors)s) report in every year from %(first)s on to compare %(place)s with"), donors=len(whole), first=str(first), place=one.geo)
    weights = _weights(one, whole, first, base)
    gaps = _gaps(one, whole, weights, base, years)
    left = [_gaps(one, rest, _weights(one, rest, first, base), base, years) for number in range(len(whole)) if weights[number] > 0.01 for rest in [whole[:number] + whole[number + 1 :]]]
    ratio = _ratio(one, whole, first, base, years)
    others = [_ratio(donor, [each for each in whole if each is not donor], first, base, years) for donor in whole]
    return Synthetic(
        one.geo, gaps, {year: min(each[year] for each in [gaps, *left]) for year in years}, {year: max(each[year] for each in [gaps, *left]) for year in years},
        {donor.geo: float(weight) for donor, weight in zip(whole, weights, strict=True) if weight > 0.01},
        _misfit(one, whole, weights, first, base), (1 + sum(other >= ratio for other in others)) / (1 + len(others)), len(others),
    )  # fmt: skip


def gaps_of(one: Yearly, donors: Sequence[Yearly], *, first: int, base: int, years: Sequence[int]) -> dict[int, float]:
    """The gaps alone, by year: what the method finds for a host in which nothing happened is its own error."""
    return _gaps(one, donors, _weights(one, donors, first, base), base, years)


def _has(one: Yearly, first: int, base: int, years: Sequence[int]) -> bool:
    return all(one.at(year) is not None for year in (*range(first, base + 1), *years))


def _paths(series: Sequence[Yearly], years: Sequence[int], base: int) -> Array:
    """Logs against the base year, one row for each year: levels differ by thousands, paths do not."""
    import numpy as np

    return np.array([[one.log_at(year) - one.log_at(base) for one in series] for year in years])


def _weights(one: Yearly, donors: Sequence[Yearly], first: int, base: int) -> Array:
    """Weights of 0 or more that sum to 1 and fit best: non-negative least squares with the sum as a heavy row."""
    import numpy as np
    from scipy.optimize import nnls

    years = range(first, base + 1)
    matrix, target = _paths(donors, years, base), _paths([one], years, base)[:, 0]
    heavy = 100.0
    weights, _rest = nnls(np.vstack([matrix, np.full(len(donors), heavy)]), np.append(target, heavy))
    return weights / weights.sum()


def _gaps(one: Yearly, donors: Sequence[Yearly], weights: Array, base: int, years: Sequence[int]) -> dict[int, float]:
    import numpy as np

    apart = _paths([one], years, base)[:, 0] - _paths(donors, years, base) @ weights
    return {year: float(np.expm1(gap)) for year, gap in zip(years, apart, strict=True)}


def _misfit(one: Yearly, donors: Sequence[Yearly], weights: Array, first: int, base: int) -> float:
    import numpy as np

    years = range(first, base + 1)
    apart = _paths([one], years, base)[:, 0] - _paths(donors, years, base) @ weights
    return float(np.sqrt((apart**2).mean()))


def _ratio(one: Yearly, donors: Sequence[Yearly], first: int, base: int, years: Sequence[int]) -> float:
    import numpy as np

    weights = _weights(one, donors, first, base)
    after = np.log1p(np.array(list(_gaps(one, donors, weights, base, years).values())))
    return float(np.sqrt((after**2).mean()) / max(_misfit(one, donors, weights, first, base), 1e-6))

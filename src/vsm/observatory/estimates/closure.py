"""Did hosts that closed their borders longer lose more students? Difference in differences with a dose. Pure.

The dose is the share of days from 15 March 2020 to 31 October 2021 on which a border was closed to everybody (OxCGRT
C8 = 4; later the code means other things). Each host is compared with itself before and with the others in the same year,
after its own growth up to 2019 is taken off. How likely so strong a relation is by chance is answered by shuffling the
doses among hosts. What it cannot see: exemptions for students (Canada was closed on paper and lost nobody), and students
who are enrolled abroad from home and count as inbound.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from vsm.kit.i18n import N_
from vsm.observatory.estimates.series import Array, TooLittle

FROM, UNTIL = date(2020, 3, 15), date(2021, 10, 31)


@dataclass(frozen=True)
class DoseEffect:
    """Log points that full closure (dose 1) changes inbound by in `years`; `error` is clustered by host.

    `p` is the two-sided share of `draws` shuffles with an effect at least as large; nine in ten of them stay within
    `width` of zero, which is the placebo band of 90 %. `hosts` were used.
    """

    value: float
    error: float
    p: float
    width: float
    hosts: int
    years: tuple[int, ...]
    draws: int

    @property
    def band(self) -> tuple[float, float]:
        """95 % by the clustered error."""
        return self.value - 1.96 * self.error, self.value + 1.96 * self.error


def doses(days: Iterable[Mapping[str, Any]], closed: float = 4.0) -> dict[str, float]:
    """The dose by geo from daily rows (geo, day, value); a geo with a day missing in the window has none."""
    window = (UNTIL - FROM).days + 1
    counted: dict[str, list[bool]] = {}
    for row in days:
        if row["value"] is not None and FROM <= row["day"] <= UNTIL:
            counted.setdefault(row["geo"], []).append(row["value"] >= closed)
    return {geo: sum(seen) / window for geo, seen in sorted(counted.items()) if len(seen) == window}


def dose_effect(
    values: Mapping[str, Mapping[int, float]], dose: Mapping[str, float], *, first: int = 2012, base: int = 2019, years: tuple[int, ...] = (2021, 2022),
    draws: int = 2000, seed: int = 1,
) -> DoseEffect:  # fmt: skip
    """The effect of the dose on the average of `years`, beside `first` to `base`.

    `values` is geo → year → students. A host is used with a dose, `base`, five earlier years and one of `years`; ValueError
    with fewer than 20 hosts, or when a dose is no number.
    """
    import numpy as np

    usable = {geo: _departure(known, first, base, years) for geo, known in sorted(values.items()) if geo in dose}
    used = {geo: departure for geo, departure in usable.items() if departure is not None}
    if len(used) < 20:
        raise TooLittle("few-doses", N_("too few hosts to compare have both a dose and enough years (%(hosts)s)"), hosts=len(used))
    if any(not isinstance(dose[geo], int | float) for geo in used):
        raise ValueError("doses must be numbers")
    x, y = np.array([float(dose[geo]) for geo in used]), np.array(list(used.values()))
    value = _slope(x, y)
    rng = np.random.default_rng(seed)
    shuffled = np.array([_slope(rng.permutation(x), y) for _draw in range(draws)])
    p = (1 + int((np.abs(shuffled) >= abs(value)).sum())) / (draws + 1)
    return DoseEffect(value, _robust_error(x, y), p, float(np.quantile(np.abs(shuffled), 0.9)), len(used), years, draws)


def _departure(known: Mapping[int, float], first: int, base: int, years: Sequence[int]) -> float | None:
    """How far the logs of `years` lie on average from the host's own line up to `base`; None with too few years."""
    import numpy as np

    before = [year for year in range(first, base + 1) if known.get(year, 0) > 0]
    after = [year for year in years if known.get(year, 0) > 0]
    if len(before) < 6 or base not in before or not after:
        return None
    slope, level = np.polyfit([year - base for year in before], np.log([known[year] for year in before]), 1)
    return float(np.mean([np.log(known[year]) - (level + slope * (year - base)) for year in after]))


def _slope(x: Array, y: Array) -> float:
    centred = x - x.mean()
    return float((centred * y).sum() / (centred * centred).sum())


def _robust_error(x: Array, y: Array) -> float:
    """Each host is one row, so that the cluster-robust error is White's with the small-sample factor (HC1)."""
    import numpy as np

    centred = x - x.mean()
    rest = y - y.mean() - _slope(x, y) * centred
    meat, bread = ((centred * rest) ** 2).sum(), (centred * centred).sum()
    return float(np.sqrt(len(x) / (len(x) - 2) * meat) / bread)

"""What would have been: a forecast from the years before an event, and a band from forecasts of years without one. Pure.

Models forecast the logarithm. A band comes from *placebos*: the same forecast begun in earlier years, whose truth is
known and in which nothing happened. So the band is as wide as the method was wrong, not as a formula believes; and its
coverage is measured by leaving each placebo year out in turn. A band that would have covered less than it claims is
widened, and what still fails a gate stays experimental.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from vsm.observatory.estimates.series import Array, Yearly

Model = Callable[[Array, int], Array]
LEVEL = 0.9
WINDOW = 10  # years of growth that a drift is taken from
LEAST_HISTORY = 9  # years of growth before a placebo may begin
TOLERANCE = 0.05  # by how much measured coverage may fall below the level


def naive(logs: Array, horizon: int) -> Array:
    """Tomorrow is today."""
    import numpy as np

    return np.full(horizon, logs[-1])


def drift(logs: Array, horizon: int) -> Array:
    """Today, growing on as in the last ten years on average (a random walk with drift)."""
    import numpy as np

    steps = np.diff(logs)[-WINDOW:]
    return logs[-1] + steps.mean() * np.arange(1, horizon + 1)


def local_linear(logs: Array, horizon: int) -> Array:
    """Holt's two smoothed states, level and slope (0.8 and 0.2): a local linear trend (Harvey 1989, §2.3)."""
    import numpy as np

    level, slope = logs[0], float(np.diff(logs)[:3].mean())
    for value in logs[1:]:
        before = level
        level = 0.8 * value + 0.2 * (level + slope)
        slope = 0.2 * (level - before) + 0.8 * slope
    return level + slope * np.arange(1, horizon + 1)


def interrupted(logs: Array, horizon: int) -> Array:
    """The straight line through the last ten years of growth, carried on: the interrupted series of segmented regression
    (Wagner, Soumerai, Zhang and Ross-Degnan 2002), in which every year after the event has a departure of its own."""
    import numpy as np

    known = logs[-(WINDOW + 1) :]
    slope, level = np.polyfit(np.arange(1 - len(known), 1), known, 1)
    return level + slope * np.arange(1, horizon + 1)


MODELS: Mapping[str, Model] = {"naive": naive, "drift": drift, "local_linear": local_linear, "interrupted": interrupted}


@dataclass(frozen=True)
class Errors:
    """Placebo errors in log points: `by_geo[geo][h - 1]` is base year → truth minus forecast, h years ahead."""

    by_geo: Mapping[str, tuple[Mapping[int, float], ...]]

    def at(self, horizon: int, *, geo: str = "", without: int | None = None) -> list[float]:
        """All errors of a horizon, of one geo or of all, leaving out a base year."""
        chosen = [geo] if geo else sorted(self.by_geo)
        return [error for name in chosen for base, error in self.by_geo[name][horizon - 1].items() if base != without]


@dataclass(frozen=True)
class Gap:
    """Reality against the counterfactual in one year, as shares (−0.05 is 5 % less): `low` to `high` at `level`.

    `coverage` is what the band covered of the placebos when it was made without them; `own` and `pooled` are how many
    of them were the geo's and everybody's. `students` is the gap in the series' unit.
    """

    geo: str
    year: int
    value: float
    low: float
    high: float
    level: float
    coverage: float
    own: int
    pooled: int
    expected: float
    students: float

    @property
    def covers_zero(self) -> bool:
        return self.low <= 0 <= self.high


@dataclass(frozen=True)
class Gate:
    """One test that an estimate passes or not, with the figure and what was asked of it."""

    code: str
    passed: bool
    figure: float
    asked: float


@dataclass(frozen=True)
class Effect:
    """Every gap of a group of series, and the gates. `experimental` as soon as one gate fails."""

    model: str
    base: int
    gaps: tuple[Gap, ...]
    gates: tuple[Gate, ...]
    errors: Errors

    @property
    def experimental(self) -> bool:
        return not all(gate.passed for gate in self.gates)

    def gap(self, geo: str, year: int) -> Gap:
        return next(gap for gap in self.gaps if (gap.geo, gap.year) == (geo, year))


def placebo_errors(series: Sequence[Yearly], model: Model, *, last: int, horizons: int, first: int | None = None) -> Errors:
    """Forecast from each earlier year that has enough history, and compare with the truth up to `last`."""
    found: dict[str, tuple[dict[int, float], ...]] = {}
    for one in series:
        errors: tuple[dict[int, float], ...] = tuple({} for _ in range(horizons))
        # A series that has ended has no truth to compare with, and a single year no growth to carry on.
        for base in range(max(one.first + LEAST_HISTORY, first or 0), min(last, one.last)):
            forecast = model(one.until(base).logs(), min(horizons, last - base))
            for step, expected in enumerate(forecast, start=1):
                truth = one.at(base + step)
                if truth is not None:
                    errors[step - 1][base] = float(_log(truth) - expected)
        found[one.geo] = errors
    return Errors(found)


def effect(
    series: Sequence[Yearly], *, base: int, years: Sequence[int], model: str = "drift", level: float = LEVEL, whole: str = ""
) -> Effect:
    """The gaps of `years` after `base`, the last year before the event.

    A geo's band is the placebo quantile of everybody's errors at that horizon, scaled half-way to how large its own were;
    `whole` names a geo (the world) that is no member of the pool and has the largest of its own errors as band instead.
    """
    chosen = MODELS[model]
    horizons = max(years) - base
    pool = [one for one in series if one.geo != whole]
    errors = placebo_errors(series, chosen, last=base, horizons=horizons)
    pooled = Errors({one.geo: errors.by_geo[one.geo] for one in pool})
    widths = {h: _widened(pooled, h, level) for h in range(1, horizons + 1)}
    gaps = [
        _gap(one, chosen, base, year, level, errors, pooled, widths[year - base], is_whole=one.geo == whole)
        for one in series if one.until(base).last == base and len(one.until(base).values) > LEAST_HISTORY
        for year in years if one.at(year) is not None
    ]  # fmt: skip
    # A gap without any placebo has no band: nobody knows how wrong it may be, so it is not told.
    gaps = [gap for gap in gaps if isfinite(gap.high)]
    return Effect(model, base, tuple(gaps), tuple(_gates(pool, chosen, base, horizons, level, pooled, widths)), errors)


def coverage(errors: Errors, horizon: int, level: float, widening: float = 1.0) -> float:
    """The share of placebos inside a band that was made without their own base year."""
    bases = sorted({base for per_geo in errors.by_geo.values() for base in per_geo[horizon - 1]})
    inside = total = 0
    for base in bases:
        for geo, per_geo in errors.by_geo.items():
            if base in per_geo[horizon - 1]:
                total += 1
                width = widening * _half_width(errors, geo, horizon, level, without=base)
                inside += abs(per_geo[horizon - 1][base]) <= width
    return inside / total if total else 0.0


def nominal_coverage(errors: Errors, horizon: int, level: float, sigma: Callable[[str], float]) -> float:
    """What a textbook band (± z·σ·√h) would have covered: the control that shows why bands come from placebos."""
    from statistics import NormalDist

    z = NormalDist().inv_cdf((1 + level) / 2)
    tried = [(geo, error) for geo, per_geo in errors.by_geo.items() for error in per_geo[horizon - 1].values()]
    return sum(abs(error) <= z * sigma(geo) * horizon**0.5 for geo, error in tried) / len(tried) if tried else 0.0


def _gap(
    one: Yearly, model: Model, base: int, year: int, level: float, errors: Errors, pooled: Errors, widening: float, *, is_whole: bool
) -> Gap:  # fmt: skip
    import numpy as np

    horizon = year - base
    expected = float(model(one.until(base).logs(), horizon)[-1])
    truth = one.at(year)
    if truth is None:
        raise RuntimeError(f"{one.geo} has no {year}")
    own = errors.at(horizon, geo=one.geo)
    width = max(map(abs, own), default=float("inf")) if is_whole else widening * _half_width(pooled, one.geo, horizon, level)
    gap = float(_log(truth) - expected)
    low, value, high = (float(np.expm1(point)) for point in (gap - width, gap, gap + width))
    measured = 1.0 if is_whole else coverage(pooled, horizon, level, widening)
    return Gap(one.geo, year, value, low, high, level, measured, len(own), len(pooled.at(horizon)), float(np.exp(expected)), truth - float(np.exp(expected)))


def _half_width(errors: Errors, geo: str, horizon: int, level: float, without: int | None = None) -> float:
    """Everybody's quantile, scaled half-way to the geo's own mean error: few placebos of one's own say little alone."""
    import numpy as np

    everybody = np.abs(errors.at(horizon, without=without))
    own = np.abs(errors.at(horizon, geo=geo, without=without)) if geo in errors.by_geo else np.array([])
    if not len(everybody):
        return float("inf")
    scale = (1 + own.mean() / everybody.mean()) / 2 if len(own) and everybody.mean() > 0 else 1.0
    return float(_conformal(everybody, level) * scale)


def _conformal(errors: Array, level: float) -> float:
    """The quantile that a new error of the same kind stays below with probability `level` (split conformal, Vovk 2005)."""
    import numpy as np

    ordered = np.sort(errors)
    place = int(np.ceil(level * (len(ordered) + 1))) - 1
    return float(ordered[min(place, len(ordered) - 1)])


def _widened(errors: Errors, horizon: int, level: float) -> float:
    """By how much bands must be widened to cover what they claim: 1 where they do already."""
    for widening in (1.0, 1.1, 1.25, 1.5, 1.75, 2.0):
        if coverage(errors, horizon, level, widening) >= level - TOLERANCE:
            return widening
    return 2.5


def _gates(pool: Sequence[Yearly], model: Model, base: int, horizons: int, level: float, errors: Errors, widths: Mapping[int, float]) -> list[Gate]:
    import numpy as np

    gates = []
    for horizon in range(1, horizons + 1):
        measured = coverage(errors, horizon, level, widths[horizon])
        gates.append(Gate(f"coverage-{horizon}", measured >= level - TOLERANCE, measured, level - TOLERANCE))
    plain = placebo_errors(pool, naive, last=base, horizons=horizons)
    ours, theirs = (float(np.mean(np.abs(each.at(1)))) if each.at(1) else 0.0 for each in (errors, plain))
    gates.append(Gate("better-than-naive", model is naive or (bool(errors.at(1)) and ours <= theirs), ours, theirs))
    gates.append(Gate("placebos", len(errors.at(horizons)) >= 30, len(errors.at(horizons)), 30))
    return gates


def _log(value: float) -> float:
    from math import log

    return log(value)

"""What may come: fans of possible paths for regions that add up to the world, and scenarios; never one number. Pure.

The middle of a fan is a random walk with drift on logs; its width is what the same forecast got wrong in the past, the
years of the pandemic among them. Scenarios are assumptions said aloud, not estimates: how open borders are, how much study
abroad grows, how much of it virtual mobility replaces or adds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from vsm.kit.i18n import N_
from vsm.observatory.estimates.counterfactual import Errors, coverage, drift, local_linear, naive, placebo_errors
from vsm.observatory.estimates.series import Array, TooLittle, Yearly

LEVELS = (0.5, 0.8)


@dataclass(frozen=True)
class Fan:
    """One geo in one future year: the middle and, for each level, what most likely lies around it."""

    geo: str
    year: int
    middle: float
    bands: Mapping[float, tuple[float, float]]


@dataclass(frozen=True)
class Scenario:
    """Assumptions: `growth` multiplies the past growth, `shock` shifts the level (0.9 is a tenth less), `substituted` is
    the share of new physical mobility that goes virtual instead, `added` how many virtual students come for each 100
    physical ones without replacing anybody."""

    slug: str
    growth: float
    shock: float
    substituted: float
    added: float


# Names after QS (2025): regulated regionalism, hybrid multiversity, talent race rebound. The figures are ours, to be changed.
SCENARIOS = (
    Scenario("as-before", 1.0, 1.0, 0.0, 0.0),
    Scenario("regulated", 0.4, 0.9, 0.05, 5.0),
    Scenario("hybrid", 0.8, 1.0, 0.15, 25.0),
    Scenario("rebound", 1.4, 1.05, 0.02, 5.0),
)


@dataclass(frozen=True)
class Prospects:
    """`backtest` is the mean absolute error in log points by model and horizon; `covered` what the 80 % band covered of
    past forecasts by horizon. `fans` holds the regions and, under `whole`, their sum."""

    fans: tuple[Fan, ...]
    scenarios: Mapping[str, Mapping[int, tuple[float, float]]]
    backtest: Mapping[str, Mapping[int, float]]
    covered: Mapping[int, float]
    last: int

    def fan(self, geo: str, year: int) -> Fan:
        return next(fan for fan in self.fans if (fan.geo, fan.year) == (geo, year))


def prospects(series: Sequence[Yearly], *, until: int, whole: str = "world", scenarios: Sequence[Scenario] = SCENARIOS) -> Prospects:
    """Fans for each of `series` (disjoint regions that make the whole) and for their sum, from the last year that all have.

    The fans end with `until`, or with the longest forecast that the past allows to look at. TooLittle when a series ends earlier than
    the others, when nothing is left to forecast, or when no past forecast can be looked at.
    """
    import numpy as np

    last = max(one.last for one in series)
    if any(one.last != last for one in series) or until <= last:
        raise TooLittle("uneven-ends", N_("every region needs %(year)s, and a year after it to look at"), year=str(last))
    horizons = until - last
    models: Mapping[str, Callable[[Array, int], Array]] = {"drift": drift, "local_linear": local_linear, "naive": naive}
    errors = {name: placebo_errors(series, model, last=last, horizons=horizons) for name, model in models.items()}
    # Nobody knows how wrong a forecast is that was never tried: fans end with the longest that was.
    horizons = max((h for h in range(1, horizons + 1) if errors["drift"].at(h)), default=0)
    if not horizons:
        raise TooLittle("no-past-forecast", N_("no place has ten years of growth and a year after them, so that no past forecast can be looked at"))
    until = last + horizons
    backtest = {name: {h: float(np.mean(np.abs(each.at(h)))) for h in range(1, horizons + 1) if each.at(h)} for name, each in errors.items()}
    fans: list[Fan] = []
    for step in range(1, horizons + 1):
        regional = [_fan(one, last + step, step, errors["drift"]) for one in series]
        fans += [*regional, _sum(regional, whole)]
    covered = {h: coverage(errors["drift"], h, 0.8) for h in range(1, horizons + 1) if errors["drift"].at(h)}
    return Prospects(tuple(fans), {s.slug: _paths(series, s, last, until) for s in scenarios}, backtest, covered, last)


def _fan(one: Yearly, year: int, step: int, errors: Errors) -> Fan:
    import numpy as np

    middle = float(drift(one.logs(), step)[-1])
    past = np.array(errors.at(step))
    bands = {}
    for level in LEVELS:
        low, high = np.quantile(past, [(1 - level) / 2, (1 + level) / 2])
        bands[level] = (float(np.exp(middle + min(low, 0.0))), float(np.exp(middle + max(high, 0.0))))
    return Fan(one.geo, year, float(np.exp(middle)), bands)


def _sum(fans: Sequence[Fan], whole: str) -> Fan:
    """Regions as if they moved together: a band that is too wide rather than one that trusts them to cancel out."""
    bands = {level: (sum(fan.bands[level][0] for fan in fans), sum(fan.bands[level][1] for fan in fans)) for level in LEVELS}
    return Fan(whole, fans[0].year, sum(fan.middle for fan in fans), bands)


def _paths(series: Sequence[Yearly], scenario: Scenario, last: int, until: int) -> dict[int, tuple[float, float]]:
    """Year → (physical, virtual) students of the whole under a scenario."""
    import numpy as np

    told = {}
    for year in range(last + 1, until + 1):
        step = year - last
        physical = virtual = 0.0
        for one in series:
            logs = one.logs()
            now = float(np.exp(logs[-1]))
            then = now * scenario.shock * float(np.exp((drift(logs, step)[-1] - logs[-1]) * scenario.growth))
            replaced = max(0.0, then - now) * scenario.substituted
            physical += then - replaced
            virtual += replaced + then * scenario.added / 100
        told[year] = (physical, virtual)
    return told

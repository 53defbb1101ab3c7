"""The studies that can be run: observations in, facts and gates out. Each says what it needs; none knows the database."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from vsm.kit.i18n import N_
from vsm.observatory.estimates.comparisons import closure, gravity, mixtures, panel
from vsm.observatory.estimates.counterfactual import Gate, effect
from vsm.observatory.estimates.facts import Fact
from vsm.observatory.estimates.lac import BALANCE_YEAR, VIRTUAL_PER_HUNDRED, lac
from vsm.observatory.estimates.prospects import prospects
from vsm.observatory.estimates.reach import reach
from vsm.observatory.estimates.series import TooLittle, Yearly, from_rows
from vsm.observatory.geography import regions
from vsm.observatory.indicators.measures import INBOUND
from vsm.observatory.sources.loaders.facts_lac import SERIES

Rows = list[Mapping[str, Any]]
BASE, EFFECT_YEARS, HORIZON = 2019, (2020, 2021, 2022), 2030
# Disjoint regions whose errors the bands are pooled from.
POOL = (
    "sub-saharan-africa", "northern-africa", "western-asia", "central-asia", "southern-asia", "eastern-asia", "south-eastern-asia",
    "latin-america-and-the-caribbean", "australia-and-new-zealand", "europe", "northern-america",
)  # fmt: skip


@dataclass(frozen=True)
class Study:
    """`rows` are observations of `series` (patterns), as dictionaries with series, geo, geo2, year, day, value; without a key
    of `covers` (of releases) that fits each of `needs` it cannot run. `flows` and `daily`: whether rows have a second end,
    or days. `apart` are keys (patterns) of facts that do not follow from counts of students, so from no break in them."""

    kind: str
    run: Callable[[Rows], tuple[list[Fact], list[Gate]]]
    parameters: Mapping[str, Any]
    series: tuple[str, ...] = (INBOUND,)
    needs: tuple[str, ...] = (f"{INBOUND}@",)
    flows: bool = False
    daily: bool = False
    apart: tuple[str, ...] = ()


def covid_effect(rows: Rows, model: str = "drift") -> tuple[list[Fact], list[Gate]]:
    """The gap of each region and the world against the trend before 2020, with bands from placebo years. In a table
    without regions each place stands for itself, and there is no world."""
    series = _placed(rows)
    pool = [name for name in POOL if name in series] or sorted(set(series) - {"world"})
    found = effect([series[name] for name in ("world", *pool) if name in series], base=BASE, years=EFFECT_YEARS, model=model, whole="world")
    if not found.gaps:
        raise TooLittle("no-trend", N_("no place has ten years of growth up to %(year)s and a year after it"), year=str(BASE))
    facts = [
        Fact(
            key=f"gap.{gap.geo}.{gap.year}", value=gap.value, low=gap.low, high=gap.high, level=gap.level, unit="share", design="counterfactual",
            geo=gap.geo, year=gap.year, source="uis", experimental=found.experimental, coverage=gap.coverage,
            extra={"students": gap.students, "expected": gap.expected, "placebos": gap.own, "pooled": gap.pooled},
        )
        for gap in found.gaps
    ]  # fmt: skip
    facts += [
        Fact(key=f"missing.{gap.geo}.{gap.year}", value=gap.students, unit="students", design="counterfactual", geo=gap.geo, year=gap.year, source="uis",
             low=gap.expected * gap.low / (1 + gap.low) if gap.low > -1 else None, high=None, level=None, experimental=found.experimental)
        for gap in found.gaps
    ]  # fmt: skip
    return [*_totals(series), *facts], list(found.gates)


def outlook(rows: Rows) -> tuple[list[Fact], list[Gate]]:
    """Fans to 2030 by region and for the world, and scenarios that are said to be assumptions."""
    series = _placed(rows)
    seven = [code for code, region in regions().items() if region.level == 1]
    chosen = [series[code] for code in seven] if set(seven) <= set(series) else [one for code, one in sorted(series.items()) if code != "world"]
    if not chosen:
        raise TooLittle("no-students", N_("no place has a year with students"))
    told = prospects(chosen, until=HORIZON)
    facts = []
    for fan in told.fans:
        low, high = fan.bands[0.8]
        facts.append(Fact(key=f"fan.{fan.geo}.{fan.year}", value=fan.middle, low=low, high=high, level=0.8, unit="students", design="scenario", geo=fan.geo, year=fan.year, source="uis", extra={"half": list(fan.bands[0.5])}))
    for slug, path in told.scenarios.items():
        for year, (physical, virtual) in path.items():
            facts.append(Fact(key=f"scenario.{slug}.physical.{year}", value=physical, unit="students", design="assumption", geo="world", year=year))
            facts.append(Fact(key=f"scenario.{slug}.virtual.{year}", value=virtual, unit="students", design="assumption", geo="world", year=year))
    facts += [Fact(key=f"backtest.{model}.{h}", value=error, unit="log-points", design="descriptive", extra={"horizon": h}) for model, errors in told.backtest.items() for h, error in errors.items()]
    gates = [Gate(f"coverage-{h}", covered >= 0.75, covered, 0.75) for h, covered in told.covered.items()]
    ahead = min(5, max(told.backtest["drift"]))
    gates.append(Gate("better-than-naive", told.backtest["drift"][ahead] <= told.backtest["naive"][ahead], told.backtest["drift"][ahead], told.backtest["naive"][ahead]))
    return [*_totals(series), *facts], gates


def region_lac(rows: Rows) -> tuple[list[Fact], list[Gate]]:
    """Balances, parities and the intraregional share of Latin America and the Caribbean, beside the region's totals."""
    facts, gates = lac([row for row in rows if row["series"] != INBOUND])
    return [*_totals({code: one for code, one in _placed(rows).items() if code in regions()}), *facts], gates


COVID: Mapping[str, Any] = {"base": BASE, "years": list(EFFECT_YEARS), "level": 0.9}
STUDIES: Mapping[str, Study] = {
    "covid-effect": Study("covid-effect", covid_effect, {"model": "drift", **COVID}),
    "covid-local-linear": Study("covid-local-linear", partial(covid_effect, model="local_linear"), {"model": "local_linear", **COVID}),
    "covid-interrupted": Study("covid-interrupted", partial(covid_effect, model="interrupted"), {"model": "interrupted", **COVID}),
    "covid-panel": Study("covid-panel", panel, {"model": "drift", **COVID}, needs=(INBOUND, f"{INBOUND}@")),
    "covid-mixtures": Study("covid-mixtures", mixtures, COVID, needs=(INBOUND,)),
    "covid-closure": Study("covid-closure", closure, COVID, (INBOUND, "C8"), (INBOUND, "C8"), daily=True),
    "gravity": Study("gravity", gravity, {"fixed": ["origin-year", "host-year"]}, ("flows.*", "dist", "contig", "comlang_off", "colony"), ("flows.*", "dist"), flows=True),
    "outlook": Study("outlook", outlook, {"model": "drift", "until": HORIZON, "levels": [0.5, 0.8]}),
    "lac": Study("lac", region_lac, {"year": BALANCE_YEAR, "virtual_per_hundred": VIRTUAL_PER_HUNDRED}, (INBOUND, *SERIES), tuple(f"{name}@?" for name in SERIES), apart=("parity.*", "attendance.*", "leaning*", "intraregional.*", "reach.*")),
    "vsm": Study("vsm", reach, {"level": 0.95, "least": 10, "step": 5}, (r"vsm\..*",), ("vsm.started",)),
}


def _placed(rows: Iterable[Mapping[str, Any]]) -> dict[str, Yearly]:
    """The inbound series of every region by our code; where there is none (a table of one's own), of every country."""
    by_name = {region.published: code for code, region in regions().items()}
    inward = [row for row in rows if row.get("series", INBOUND) == INBOUND and row["value"] is not None]
    regional = [{**row, "geo": by_name[row["geo"]]} for row in inward if row["geo"] in by_name]
    return from_rows(regional or inward)


def _totals(series: Mapping[str, Yearly]) -> list[Fact]:
    return [
        Fact(key=f"inbound.{geo}.{one.first + at}", value=value, unit="students", design="descriptive", geo=geo, year=one.first + at, source="uis")
        for geo, one in series.items()
        for at, value in enumerate(one.values)
    ]

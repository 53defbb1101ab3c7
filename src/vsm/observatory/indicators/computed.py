"""An indicator of the catalogue from observations: which series go into which measure. Pure; expressions of any engine.

Every table has `year` and `coverage`, what is about places `geo`, and `low` and `high` where the catalogue gives bounds; the
measures say the rest.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from vsm.observatory.geography.sets import sdg
from vsm.observatory.indicators import measures
from vsm.observatory.indicators.measures import Regions

if TYPE_CHECKING:
    import ibis

WORLD, ENROLLED, DISTANCE = "SDG: World", "25053", "dist"
STAY = (0.11, 0.64)  # least and most that is published for a host (OECD 2022)
WOMEN, MEN = "GER.5T8.F", "GER.5T8.M"
FIFTHS = tuple(f"GAR.5T8.Q{number}" for number in range(1, 6))  # of households, from the poorest
HOURS = 60.0  # of video in a course of one term


def computed(obs: "ibis.Table", indicator: str, **options: Any) -> "ibis.Table":
    """The table of an indicator (its id in the catalogue). KeyError when there is no such indicator.

    `regions` (a set, region → countries, or countries) for regional ones, the seven regions of the SDG by default; `matched`
    (first and last year) for sums over those alone who report in each of these years, which studies need; `flows`
    the series of flows ("flows.top10"); `stay`; `disadvantaged`, `advantaged` (women and men by default), `asked` for parity; `steps` (fifths of households) for the
    concentration index; `shares` (a table) for dissimilarity; `students` (geo, geo2, year, value) and `hours` for carbon.
    """
    return COMPUTED[indicator](obs, **options)


def countries_of(values: "ibis.Table") -> "ibis.Table":
    """Without the totals that publishers give beside countries."""
    return values.filter(values.geo.length() == 3)


def flows_of(obs: "ibis.Table", series: str) -> "ibis.Table":
    """Flows of one series: geo (origin), geo2 (host), year, value, without those who stay at home and without merged cells,
    which flows are only added up for."""
    found = obs.filter((obs.series == series) & (obs.geo2 != "") & (obs.geo != obs.geo2) & obs.day.isnull() & ~obs.magnitude.isin(measures.MERGED))
    return found.select("geo", "geo2", "year", "value")


def with_distance(flows: "ibis.Table", obs: "ibis.Table") -> "ibis.Table":
    """Flows with `km` one way (CEPII GeoDist), null where it is not known."""
    far = obs.filter((obs.series == DISTANCE) & (obs.geo2 != "")).select("geo", "geo2", km="value")
    return flows.left_join(far, ["geo", "geo2"]).select("geo", "geo2", "year", "value", "km")


def _rate(values: Callable[["ibis.Table"], "ibis.Table"], per: Callable[..., "ibis.Table"]) -> Callable[..., "ibis.Table"]:
    return lambda obs: per(values(obs), measures.series(obs, ENROLLED))


def _sum(obs: "ibis.Table", *, regions: Regions | None = None, matched: tuple[int, int] | None = None) -> "ibis.Table":
    values = measures.inbound(obs)
    return measures.by_region(measures.matched(values, *matched) if matched else values, regions or sdg())


def _share(obs: "ibis.Table") -> "ibis.Table":
    values = measures.inbound(obs)
    return measures.share(values.filter(values.geo.length() > 3), WORLD)


def _intraregional(obs: "ibis.Table", *, flows: str = "flows", regions: Regions | None = None) -> "ibis.Table":
    outward = measures.outbound(obs)
    known = outward.filter(outward.value.notnull())
    # Of countries alone whose total is known too: what a list leaves out cannot be told of the others.
    return measures.intraregional(flows_of(obs, flows).semi_join(known, ["geo", "year"]), regions or sdg(), outward)


def _rates(obs: "ibis.Table") -> "ibis.Table":
    return obs.filter((obs.geo2 == "") & obs.day.isnull()).select("series", "geo", "year", "value")


def _parity(obs: "ibis.Table", *, disadvantaged: str = WOMEN, advantaged: str = MEN, asked: float | None = None) -> "ibis.Table":
    return measures.parity(_rates(obs), disadvantaged, advantaged, asked)


def _leaning(obs: "ibis.Table", *, steps: Iterable[str] = FIFTHS) -> "ibis.Table":
    return measures.concentration_index(_rates(obs), steps)


def _carbon(obs: "ibis.Table", *, students: "ibis.Table | None" = None, flows: str = "flows", hours: float = HOURS) -> "ibis.Table":
    return measures.carbon_avoided(with_distance(flows_of(obs, flows) if students is None else students, obs), hours=hours)


COMPUTED: Mapping[str, Callable[..., "ibis.Table"]] = {
    "inbound": measures.inbound,
    "outbound": measures.outbound,
    "net": measures.net,
    "inbound-rate": _rate(measures.inbound, measures.per_hundred),
    "outbound-ratio": _rate(measures.outbound, measures.per_hundred),
    "net-per-thousand": _rate(measures.net, measures.per_thousand),
    "matched-growth": lambda obs, regions=None: measures.matched_growth(measures.inbound(obs), regions or sdg()),
    "regional-share": _share,
    "regional-sum": _sum,
    "intraregional": _intraregional,
    "concentration": lambda obs: measures.concentration(countries_of(measures.inbound(obs))),
    "balance": lambda obs: measures.balance(measures.inbound(obs), measures.outbound(obs)),
    "stay": lambda obs, stay=STAY: measures.stay_adjusted_loss(measures.outbound(obs), stay),
    "parity": _parity,
    "concentration-index": _leaning,
    "dissimilarity": lambda _obs, shares: measures.dissimilarity(shares),
    "carbon": _carbon,
    "event-turnout": measures.turnout,
}

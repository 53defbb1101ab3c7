"""Indicators as Ibis expressions: observations in, `geo, year, value, low, high, coverage` out. Pure.

The same expression runs on DuckDB inside this process and on Spark, ClickHouse or Trino. `coverage` is the share of what
was expected that was reported; `low` and `high` bound the value where it is known only within a range, else they equal
it. Null stays null: what nobody reported is never a zero.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from vsm.observatory.geography.sets import RegionSet, of

if TYPE_CHECKING:
    import ibis

Regions = RegionSet | Mapping[str, Iterable[str]] | Iterable[str]
"""A set of regions, region → countries, or some countries as one region without a code."""

# UIS: inbound internationally mobile students, both sexes; net flow (inbound minus outbound); outbound where published.
INBOUND, NET, OUTBOUND = "26637", "MENF.5T8", "OE.5T8.40510"
# Cells that contain others or are contained in others: each is right, their sum is not.
MERGED = ("INCLUDES", "INCLUDED")


def series(obs: "ibis.Table", code: str) -> "ibis.Table":
    """One yearly series without a second end: geo, year, value, merged."""
    import ibis

    found = obs.filter((obs.series == code) & (obs.geo2 == "") & obs.day.isnull())
    # ClickHouse compares to 0 or 1; only what is chosen between the two truths is a truth there.
    return found.select("geo", "year", "value", merged=ibis.ifelse(found.magnitude.isin(MERGED), True, False))


def inbound(obs: "ibis.Table") -> "ibis.Table":
    """Students from abroad who are enrolled for a degree in `geo` (UIS 26637)."""
    return _told(series(obs, INBOUND))


def net(obs: "ibis.Table") -> "ibis.Table":
    """Inbound minus outbound (UIS MENF.5T8)."""
    return _told(series(obs, NET))


def outbound(obs: "ibis.Table") -> "ibis.Table":
    """Students from `geo` enrolled abroad: as published where it is, else inbound minus net flow of the same year."""
    inward, balance, published = series(obs, INBOUND), series(obs, NET), series(obs, OUTBOUND)
    joined = inward.inner_join(balance.select("geo", "year", net="value", apart="merged"), ["geo", "year"])
    derived = joined.select("geo", "year", derived=joined.value - joined.net, apart=joined.merged | joined.apart)
    both = derived.outer_join(published, ["geo", "year"])
    keyed = both.select(
        geo=both.geo.coalesce(both.geo_right), year=both.year.coalesce(both.year_right), value=both.value.coalesce(both.derived),
        merged=both.merged.coalesce(both.apart, False),
    )  # fmt: skip
    return _told(keyed)


def identity(obs: "ibis.Table") -> "ibis.Table":
    """A check: inbound minus published outbound against the published net flow: geo, year, value (the difference, 0 where the
    three agree)."""
    inward, balance, published = (series(obs, code).drop("merged") for code in (INBOUND, NET, OUTBOUND))
    joined = inward.inner_join(balance.rename(net="value"), ["geo", "year"]).inner_join(published.rename(sent="value"), ["geo", "year"])
    return joined.select("geo", "year", value=joined.value - joined.sent - joined.net)


def by_region(values: "ibis.Table", regions: "Regions", expected: "ibis.Table | None" = None) -> "ibis.Table":
    """Sums over the countries of each region of a set: geo (the region's code), year, value, low, high, coverage.

    Who does not report is not zero: `value` and `low` are the sum of those who do, `coverage` their share of the region's
    countries (or, with `expected` (geo, year, value), of what that other series of theirs holds, as enrolment or population),
    `high` null where somebody is missing. Merged cells are left out.
    """
    import ibis

    placed = _placed(_apart(values), regions)
    found = placed.group_by(["region", "year"]).aggregate(total=placed.value.sum(), there=placed.geo.count().cast("float64"))
    if expected is None:
        sizes = _sizes(regions)
        joined = found.inner_join(sizes, "region")
        coverage = joined.there / joined["size"]
    else:
        weighed = _placed(_apart(expected), regions)
        known = placed.select("region", "geo", "year", reported=placed.value)
        both = weighed.left_join(known, ["region", "geo", "year"])
        shares = both.group_by(["region", "year"]).aggregate(share=both.value.sum(where=both.reported.notnull()) / both.value.sum().nullif(0))
        joined = found.left_join(shares, ["region", "year"])
        coverage = joined["share"]
    high = ibis.ifelse(coverage >= 1, joined.total, ibis.null("float64"))
    return joined.select(geo="region", year="year", value="total", low="total", high=high, coverage=coverage).order_by(["geo", "year"])


def matched(values: "ibis.Table", first: int, last: int) -> "ibis.Table":
    """The matched panel: only geos that report in each year from `first` to `last`. `coverage` is their share of what all
    reported in the year."""
    inside = _apart(values).filter(lambda t: (t.year >= first) & (t.year <= last))
    times = inside.group_by("geo").aggregate(years=inside.year.nunique())
    kept = inside.semi_join(times.filter(times.years == last - first + 1), "geo")
    whole = inside.group_by("year").aggregate(whole=inside.value.sum())
    mine = kept.group_by("year").aggregate(mine=kept.value.sum())
    joined = kept.inner_join(whole.inner_join(mine, "year"), "year")
    return joined.select("geo", "year", value="value", low="value", high="value", coverage=joined.mine / joined.whole.nullif(0))


def matched_growth(values: "ibis.Table", geos: "Regions") -> "ibis.Table":
    """Growth over the year before, of those of `geos` (or of each region of a set) that report in both years: geo (the
    region), year, value (0.05 is 5 %), coverage.

    Sums of whoever reported are no series: reporters come and go. Coverage is the matched share of the later year's sum.
    """
    chosen = _placed(_apart(values), geos).select("region", "geo", "year", "value")
    before = chosen.select("region", "geo", year=(chosen.year + 1).cast("int16"), before="value")
    pairs = chosen.inner_join(before, ["region", "geo", "year"])
    both = pairs.group_by(["region", "year"]).aggregate(now=pairs.value.sum(), then=pairs.before.sum())
    whole = chosen.group_by(["region", "year"]).aggregate(whole=chosen.value.sum())
    joined = both.inner_join(whole, ["region", "year"])
    growth = joined.now / joined.then.nullif(0) - 1
    told = joined.select(geo="region", year="year", value=growth, low=growth, high=growth, coverage=joined.now / joined.whole.nullif(0))
    return told.order_by(["geo", "year"])


def share(values: "ibis.Table", of: str) -> "ibis.Table":
    """Each geo's part of the geo `of` (for instance of the world) in the same year."""
    whole = values.filter(values.geo == of).select("year", whole="value")
    joined = values.inner_join(whole, "year")
    part = joined.value / joined.whole.nullif(0)
    return joined.select("geo", "year", value=part, low=part, high=part, coverage=joined.coverage)


def intraregional(flows: "ibis.Table", region: "Regions", totals: "ibis.Table | None" = None) -> "ibis.Table":
    """Of the students who leave a country of `region` (or of each region of a set), the share who stay in it: geo (the
    region), year, value, low, high, coverage.

    `flows` has geo (origin), geo2 (destination), year, value. Where `totals` (geo, year, value: all outbound) are known, a
    list of flows that leaves some out gives bounds: `low` counts the unlisted as gone, `high` as stayed; `value` is
    `low`, which is what the data proves. Without totals the listed flows are taken as all.
    """
    import ibis

    leaving = _placed(flows.filter(flows.value.notnull()), region).select("region", "geo2", "year", "value")
    inside = _memberships(region).select("region", geo2="geo", joined="since", left="until")
    staying = leaving.left_join(inside, ["region", "geo2"])
    stays = staying.joined.notnull() & (staying.year >= staying.joined) & (staying.year <= staying.left)
    listed = staying.group_by(["region", "year"]).aggregate(stayed=staying.value.sum(where=stays).coalesce(0.0), listed=staying.value.sum())
    if totals is None:
        part = listed.stayed / listed.listed.nullif(0)
        return listed.select(geo="region", year="year", value=part, low=part, high=part, coverage=listed.listed * 0 + 1.0).order_by(["geo", "year"])
    everybody = _placed(_apart(totals), region)
    whole = everybody.group_by(["region", "year"]).aggregate(whole=everybody.value.sum())
    joined = listed.inner_join(whole, ["region", "year"])
    most = ibis.greatest(joined.whole, joined.listed)
    low, high = joined.stayed / most.nullif(0), (joined.stayed + most - joined.listed) / most.nullif(0)
    told = joined.select(geo="region", year="year", value=low, low=low, high=high, coverage=joined.listed / most.nullif(0))
    return told.order_by(["geo", "year"])


def concentration(values: "ibis.Table", *, of: tuple[str, ...] = ()) -> "ibis.Table":
    """How few geos hold how much, by year: `hhi` (sum of squared shares), `top5` (share of the five largest), `entropy`
    (of the shares, divided by the logarithm of their number: 1 is even), `gini`, `geos`. Merged cells are left out;
    `coverage` is what the others hold of all that was reported. Reporters come and go: compare years on `matched`.
    `of` names further columns, as of a region: then by these and the year."""
    import ibis

    by = [*of, "year"]
    known = _apart(values).filter(lambda t: t.value > 0)
    by_year = ibis.window(group_by=by)
    # Equal values take places in the order of their names, so that every engine counts alike.
    ranked = known.mutate(
        part=known.value / known.value.sum().over(by_year), count=known.geo.count().over(by_year),
        place=ibis.row_number().over(ibis.window(group_by=by, order_by=[known.value.desc(), known.geo])),
    )  # fmt: skip
    grouped = ranked.group_by(by).aggregate(
        hhi=(ranked.part * ranked.part).sum(), top5=ranked.part.sum(where=ranked.place < 5), disorder=-(ranked.part * ranked.part.ln()).sum(),
        weighted=(ranked.part * (ranked["count"] - ranked.place)).sum(), geos=ranked["count"].max(), held=ranked.value.sum(),
    )  # fmt: skip
    whole = values.filter(values.value > 0).group_by(by).aggregate(whole=lambda t: t.value.sum())
    joined = grouped.inner_join(whole, by)
    number = joined.geos.cast("float64")
    return joined.select(
        *by, "hhi", "top5", "geos", entropy=ibis.ifelse(number > 1, joined.disorder / number.ln(), 0.0),
        gini=(2 * joined.weighted / number) - (number + 1) / number, coverage=joined.held / joined.whole,
    ).order_by(by)  # fmt: skip


def balance(inward: "ibis.Table", outward: "ibis.Table") -> "ibis.Table":
    """Brain drain and gain by geo and year: `net`, `ratio` (in for each one out), `circulation` (1 − |in − out| / (in +
    out): 0 is one way only, 1 is balanced), `coverage` (1 where both ways are known)."""
    joined = inward.select("geo", "year", received="value").inner_join(outward.select("geo", "year", sent="value"), ["geo", "year"])
    both = joined.received + joined.sent
    return joined.select(
        "geo", "year", "received", "sent", net=joined.received - joined.sent, ratio=joined.received / joined.sent.nullif(0),
        circulation=1 - (joined.received - joined.sent).abs() / both.nullif(0), coverage=both.notnull().cast("float64"),
    )  # fmt: skip


def per_thousand(values: "ibis.Table", enrolment: "ibis.Table") -> "ibis.Table":
    """`values` for each thousand tertiary students of the same geo and year."""
    return _per(values, enrolment, 1000)


def per_hundred(values: "ibis.Table", enrolment: "ibis.Table") -> "ibis.Table":
    """`values` for each hundred tertiary students: with inbound the inbound rate of UIS, with outbound its outbound ratio."""
    return _per(values, enrolment, 100)


def stay_adjusted_loss(outward: "ibis.Table", stay: tuple[float, float]) -> "ibis.Table":
    """Students who leave and do not come back, as a range: outbound × the share who stay abroad, `stay` its least and most
    (0 to 1). The middle is no estimate, so `value` is null. Stay rates are known for few hosts (OECD 2022: 0.11 to 0.64)."""
    import ibis

    least, most = stay
    return outward.select("geo", "year", value=ibis.null("float64"), low=outward.value * least, high=outward.value * most, coverage="coverage")


def parity(rates: "ibis.Table", disadvantaged: str, advantaged: str, asked: float | None = None) -> "ibis.Table":
    """The adjusted parity index of UIS between two series of rates (`series`, geo, year, value in per cent): d / a, or
    2 − a / d where that is above 1, so that 0 to 2 is symmetric and 1 is equal.

    `low` to `high` is the 95 % interval where the rates come from a survey that `asked` so many people of each group (of the
    logarithm of the ratio of two proportions; Katz et al. 1978); of registers they equal the value. `asked` may be a
    column of `rates` instead.
    """
    import ibis

    counted = rates.asked if "asked" in rates.columns else ibis.literal(asked, type="float64")
    known = rates.mutate(people=counted)
    first = known.filter(known.series == disadvantaged).select("geo", "year", d="value", of_d="people")
    second = known.filter(known.series == advantaged).select("geo", "year", a="value", of_a="people")
    joined = first.inner_join(second, ["geo", "year"])
    ratio = joined.d / joined.a.nullif(0)
    spread = (100 / joined.d.nullif(0) - 1) / joined.of_d + (100 / joined.a.nullif(0) - 1) / joined.of_a
    wide = (1.96 * ibis.greatest(spread, 0.0).sqrt()).exp()

    def index(plain: Any) -> Any:
        return ibis.ifelse(plain <= 1, plain, 2 - 1 / plain)

    low, high = index(ratio / wide).coalesce(index(ratio)), index(ratio * wide).coalesce(index(ratio))
    return joined.select("geo", "year", value=index(ratio), low=low, high=high, coverage=ratio.notnull().cast("float64"))


def concentration_index(rates: "ibis.Table", steps: Iterable[str]) -> "ibis.Table":
    """How much a rate leans to the rich: twice the covariance of rate and rank over the mean rate, −1 to 1 (Wagstaff, Paci
    and van Doorslaer 1991). `steps` are the series of equal groups from the poorest up.

    Where the poorest group alone is missing, as in many surveys, `value` is null and `low` to `high` are what follows if it
    has as much as the next one, or nothing. With another group missing the year is left out. `coverage` is the share
    of groups that are there.
    """
    import ibis

    named = list(steps)
    chosen = rates.filter(rates.series.isin(named) & rates.value.notnull())
    columns = {f"g{number}": chosen.value.max(where=chosen.series == name) for number, name in enumerate(named)}
    found = chosen.group_by(["geo", "year"]).aggregate(there=chosen.series.nunique().cast("float64"), **columns)
    groups = [found[name] for name in columns]
    whole = found.filter([group.notnull() for group in groups[1:]] or [groups[0].notnull()])
    groups = [whole[name] for name in columns]
    count = len(named)

    def index(poorest: Any) -> Any:
        told = [poorest, *groups[1:]]
        mean = sum(told[1:], told[0]) / count
        product = sum((rate * ((number + 0.5) / count) for number, rate in enumerate(told[1:], start=1)), told[0] * (0.5 / count)) / count
        return 2 * (product - mean * 0.5) / mean.nullif(0)

    next_one = groups[1] if count > 1 else groups[0]
    value = ibis.ifelse(groups[0].notnull(), index(groups[0]), ibis.null("float64"))
    return whole.select("geo", "year", value=value, low=value.coalesce(index(next_one)), high=value.coalesce(index(next_one * 0)), coverage=whole.there / count)


def dissimilarity(shares: "ibis.Table") -> "ibis.Table":
    """Half the sum of absolute differences between two distributions over groups (`year`, `group`, `one`, `other`): 0 alike,
    1 apart. Whom virtual mobility reaches, beside whom physical mobility does: year, value, low, high, coverage.

    Groups may be withheld, so that shares do not sum to 1: `low` and `value` take what is not told as alike as it can be,
    `high` as apart as it can be; `coverage` is the smaller of the two sums.
    """
    import ibis

    apart = (shares.one - shares.other).abs()
    found = shares.group_by("year").aggregate(apart=apart.sum() / 2, one=shares.one.sum(), other=shares.other.sum())
    one, other = (ibis.greatest(1 - column, 0.0) for column in (found.one, found.other))
    low, high = found.apart + (one - other).abs() / 2, found.apart + (one + other) / 2
    return found.select("year", value=low, low=low, high=high, coverage=ibis.least(found.one, found.other)).order_by("year")


# Online events of an installation: registered and came, by country of the clock that they were shown; counts come rounded to five.
REGISTERED, CAME, SLACK = "events.registered", "events.attended", 2.0


def turnout(obs: "ibis.Table") -> "ibis.Table":
    """Of those who registered for an online event that was held, the share who came, by country and year. `low` to `high` is
    the 95 % interval (Wilson 1927) widened by what rounding may hide; a country of which either count is withheld has no
    value and a coverage of 0."""
    import ibis

    came, registered = (series(obs, code).select("geo", "year", **{name: "value"}) for code, name in ((CAME, "part"), (REGISTERED, "whole")))
    joined = registered.left_join(came, ["geo", "year"])
    part, whole = joined.part, joined.whole.nullif(0)
    fewest = ibis.greatest(whole - SLACK, 1.0)
    low, high = _wilson(ibis.greatest(part - SLACK, 0.0), whole + SLACK, -1), _wilson(ibis.least(part + SLACK, fewest), fewest, 1)
    # The least of a number and null is the number on one engine and null on another: a share is told only where both counts are.
    told = part.notnull() & whole.notnull()
    share = ibis.ifelse(told, ibis.least(part, whole) / whole, ibis.null("float64"))
    return joined.select(
        "geo", "year", value=share, low=ibis.ifelse(told, ibis.least(low, share), ibis.null("float64")), high=ibis.ifelse(told, ibis.greatest(high, share), ibis.null("float64")), coverage=told.cast("float64"),
    )  # fmt: skip


def _wilson(part: Any, whole: Any, sign: int) -> Any:
    """An end of the interval of a share at 95 per cent: the lower for −1, the upper for 1."""
    z, share = 1.959964, part / whole
    middle, spread = share + z * z / (2 * whole), z * (share * (1 - share) / whole + z * z / (4 * whole * whole)).sqrt()
    return (middle + sign * spread) / (1 + z * z / whole)


# Kilometres that a flight adds to the great circle; grams of CO2-equivalent a passenger-kilometre and an hour of video.
DETOUR, FLIGHT, VIDEO = 95.0, (88.0, 150.0), (60.0, 1000.0)


def carbon_avoided(flows: "ibis.Table", *, hours: float, trips: tuple[float, float] = (1.0, 2.0), would_travel: tuple[float, float] = (0.05, 0.5)) -> "ibis.Table":
    """Tonnes of CO2-equivalent that virtual mobility avoids, as a range: year, low, high, coverage (value null: there is no
    middle; coverage: the share of students whose distance is known).

    `flows` has year, value (students), km (one way; null where it is not known). Only the share that would have travelled otherwise avoids anything:
    `would_travel` is its least and most. The least takes one round trip at 88 g/pkm (ICCT 2018, world average) and the
    dearest video (Obringer et al. 2021, contested), the most two trips at 150 g/pkm and the cheapest.
    """
    import ibis

    known = flows.value.sum(where=flows.km.notnull())
    grouped = flows.group_by("year").aggregate(flown=(flows.value * (flows.km + DETOUR) * 2).sum(), known=known, all=flows.value.sum())
    seen = grouped.known * hours
    low = (grouped.flown * trips[0] * FLIGHT[0] * would_travel[0] - seen * VIDEO[1]) / 1e6
    high = (grouped.flown * trips[1] * FLIGHT[1] * would_travel[1] - seen * VIDEO[0]) / 1e6
    return grouped.select("year", value=ibis.null("float64"), low=low, high=high, coverage=grouped.known / grouped["all"].nullif(0)).order_by("year")


def _told(found: Any) -> "ibis.Table":
    """A value as it stands: certain as far as its source is, covered where it is there. `merged` marks cells that hold others
    or are held by them."""
    value = found.value
    return found.select("geo", "year", value=value, low=value, high=value, coverage=value.notnull().cast("float64"), merged=found.merged)


def _apart(values: "ibis.Table") -> "ibis.Table":
    """What may be added up: known values that are not merged with others."""
    known = values.filter(values.value.notnull())
    return known.filter(~known.merged) if "merged" in known.columns else known


def _per(values: "ibis.Table", enrolment: "ibis.Table", many: int) -> "ibis.Table":
    joined = values.inner_join(enrolment.select("geo", "year", enrolled="value"), ["geo", "year"])
    rate = joined.value * many / joined.enrolled.nullif(0)
    return joined.select("geo", "year", value=rate, low=rate, high=rate, coverage=rate.notnull().cast("float64"))


def _memberships(regions: "Regions") -> "ibis.Table":
    """region, geo, since, until as a table of any engine."""
    import ibis
    import pyarrow as pa

    pairs = of(regions).memberships
    columns = {name: pa.array([getattr(each, name) for each in pairs], kind) for name, kind in (("region", pa.string()), ("geo", pa.string()), ("since", pa.int16()), ("until", pa.int16()))}
    return ibis.memtable(pa.table(columns))


def _placed(values: "ibis.Table", regions: "Regions") -> "ibis.Table":
    """Each row once for each region that holds its geo in its year, with `region`."""
    joined = values.inner_join(_memberships(regions), "geo")
    return joined.filter((joined.year >= joined.since) & (joined.year <= joined.until)).drop("since", "until")


def _sizes(regions: "Regions") -> "ibis.Table":
    """How many countries each region has at most: region, size."""
    pairs = _memberships(regions)
    return pairs.group_by("region").aggregate(size=pairs.geo.nunique().cast("float64"))

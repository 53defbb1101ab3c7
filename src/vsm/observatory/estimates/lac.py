"""Latin America and the Caribbean: who receives and sends, who stays in the region, whom higher education reaches. Pure.

Counts and ratios, no estimate of a cause. Every figure says how many countries it rests on (`coverage`); where a list of
destinations was cut at ten, the share is a lower bound and said to be one.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from vsm.observatory.estimates.counterfactual import Gate
from vsm.observatory.estimates.facts import Fact
from vsm.observatory.geography import members
from vsm.observatory.sources.loaders.facts_lac import FIFTHS, IN, LEAST, NET, PARITIES, PUBLISHED, REGION

SOURCE = "facts-lac"
BALANCE_YEAR, TRUNCATED_YEAR = 2019, 2018
# An assumption said aloud, the one of the scenario "hybrid": virtual students for each hundred who travel.
VIRTUAL_PER_HUNDRED = 25
FEWEST = 10


def lac(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Fact], list[Gate]]:
    """Facts and gates from rows of the shipped series (series, geo, year, value)."""
    received = {row["geo"]: row["value"] for row in rows if row["series"] == IN}
    net = {row["geo"]: row["value"] for row in rows if row["series"] == NET}
    both = sorted(set(received) & set(net))
    sent = {geo: received[geo] - net[geo] for geo in both}
    shares = [_parity(name, {row["geo"]: (row["year"], row["value"]) for row in rows if row["series"] == name}) for name in PARITIES]
    facts = [*_balances(both, received, sent), *(fact for found in shares for fact in found), *_staying(rows), *_leaning(rows)]
    virtual = sum(sent.values()) * VIRTUAL_PER_HUNDRED / 100
    facts.append(Fact(key="reach.per-hundred", value=VIRTUAL_PER_HUNDRED, unit="count", design="assumption", geo=REGION))
    facts.append(Fact(key="reach.virtual", value=virtual, unit="students", design="assumption", geo=REGION, year=BALANCE_YEAR, coverage=len(both) / len(members(REGION))))
    least, published = _one(facts, f"{LEAST}.{TRUNCATED_YEAR}"), _one(facts, PUBLISHED)
    gates = [Gate("reporters", len(both) >= FEWEST, float(len(both)), float(FEWEST)), Gate("lower-bound-holds", least <= published, least, published)]
    gates += [Gate(name, found[0].extra["countries"] >= FEWEST, float(found[0].extra["countries"]), float(FEWEST)) for name, found in zip(PARITIES, shares, strict=True)]
    return facts, gates


def _balances(both: Sequence[str], received: Mapping[str, float], sent: Mapping[str, float]) -> list[Fact]:
    coverage = len(both) / len(members(REGION))

    def fact(key: str, value: float, geo: str, unit: str = "students") -> Fact:
        of_all = coverage if geo == REGION else None
        return Fact(key=f"{key}.{geo}.{BALANCE_YEAR}", value=value, unit=unit, design="descriptive", geo=geo, year=BALANCE_YEAR, source=SOURCE, coverage=of_all)

    facts = [fact("reporters", len(both), REGION, "countries")]
    into, out = sum(received[geo] for geo in both), sum(sent.values())
    for geo, come, gone in [(REGION, into, out), *((geo, received[geo], sent[geo]) for geo in both)]:
        facts += [fact("received", come, geo), fact("sent", gone, geo), fact("balance", come - gone, geo)]
        if gone:
            facts.append(fact("received-per-sent", come / gone, geo, "ratio"))
    losing = sum(received[geo] < sent[geo] for geo in both)
    return [*facts, fact("losing", losing, REGION, "countries")]


def _parity(name: str, known: Mapping[str, tuple[int, float]]) -> list[Fact]:
    """The median country with the range of all, and each country in its newest year."""
    values = [value for _year, value in known.values()]
    years = [year for year, _value in known.values()]
    middle = Fact(
        key=name, value=median(values), low=min(values), high=max(values), unit="ratio", design="descriptive", geo=REGION, year=max(years), source=SOURCE,
        coverage=len(known) / len(members(REGION)), extra={"countries": len(known), "oldest": min(years)},
    )  # fmt: skip
    counted = Fact(key=f"{name}.countries", value=len(known), unit="countries", design="descriptive", geo=REGION, year=min(years), source=SOURCE)
    each = [Fact(key=f"{name}.{geo}", value=value, unit="ratio", design="descriptive", geo=geo, year=year, source=SOURCE) for geo, (year, value) in sorted(known.items())]
    return [middle, counted, *each]


def leaning(rates: Sequence[float]) -> float:
    """The concentration index of rates of equal groups from the poorest up: 0 where all are alike, towards 1 the more a rate
    leans to the rich (Wagstaff, Paci, van Doorslaer 1991; twice the covariance of rate and rank over the mean rate)."""
    mean = sum(rates) / len(rates)
    product = sum(rate * (number + 0.5) / len(rates) for number, rate in enumerate(rates)) / len(rates)
    return 2 * (product - mean * 0.5) / mean if mean else 0.0


def _leaning(rows: Sequence[Mapping[str, Any]]) -> list[Fact]:
    """Attendance by fifth of households, and how much it leans to the rich: four fifths, so a lower bound where the poorest,
    which is missing, attends least."""
    known = {series: {row["geo"]: row for row in rows if row["series"] == series} for series in FIFTHS}
    complete = sorted(set.intersection(*(set(found) for found in known.values())))
    facts = [
        Fact(key=f"{series}.{geo}", value=known[series][geo]["value"] / 100, unit="share", design="descriptive", geo=geo, year=known[series][geo]["year"], source=SOURCE)
        for series in FIFTHS for geo in complete
    ]  # fmt: skip
    found = {geo: leaning([known[series][geo]["value"] for series in FIFTHS]) for geo in complete}
    note = "of four fifths: the poorest is missing"
    facts += [Fact(key=f"leaning.{geo}", value=value, unit="index", design="descriptive", geo=geo, year=known[FIFTHS[0]][geo]["year"], source=SOURCE, note=note) for geo, value in found.items()]
    if found:
        facts.append(
            Fact(
                key="leaning", value=median(found.values()), low=min(found.values()), high=max(found.values()), unit="index", design="descriptive", geo=REGION,
                year=max(known[FIFTHS[0]][geo]["year"] for geo in complete), source=SOURCE, coverage=len(complete) / len(members(REGION)), note=note,
            )
        )  # fmt: skip
    return facts


def _staying(rows: Sequence[Mapping[str, Any]]) -> list[Fact]:
    """The share of the region's students abroad who are in the region: a lower bound by year, and what was published."""
    least = [
        Fact(key=f"{LEAST}.{row['year']}", value=row["value"], unit="share", design="descriptive", geo=REGION, year=row["year"], source=SOURCE, note="lower bound: destinations were cut at ten")
        for row in rows if row["series"] == LEAST
    ]  # fmt: skip
    told = next(row for row in rows if row["series"] == PUBLISHED)
    return [*least, Fact(key=PUBLISHED, value=told["value"], unit="share", design="descriptive", geo=REGION, year=told["year"], source=SOURCE, note="as published; method not known")]


def _one(facts: Sequence[Fact], key: str) -> float:
    return next(fact.value or 0.0 for fact in facts if fact.key == key)

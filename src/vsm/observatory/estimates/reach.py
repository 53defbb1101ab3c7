"""Virtual mobility as this installation's institutions record it together: how many, who completes, whom it reaches. Pure.

Counts come protected from the Exchange: rounded to five, small ones withheld. So every figure has two uncertainties, and its
band holds both: that a count may be two off, and that a share of few people says little (Wilson 1927, 95 per cent).
"""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from vsm.exchange.statistics.rules import ALL, INSTITUTIONS, STEP, breakdowns, series_name
from vsm.observatory.estimates.counterfactual import Gate
from vsm.observatory.estimates.facts import Fact

SOURCE = "exchange"
SLACK = STEP // 2
LEVEL, Z = 0.95, 1.959964
TOLD_SHARE = 0.5  # of the counts that are not zero, at least so many must be told before a picture of them is more than a hint
RATES = {"completed": "started", "recognised": "started", "started": "applied"}

Counts = Mapping[tuple[str, int], float | None]


def reach(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Fact], list[Gate]]:
    """Facts and gates from rows of the pooled series (series, year, value; a null value is withheld)."""
    counts: Counts = {(row["series"], int(row["year"])): row["value"] for row in rows}
    years = sorted({year for name, year in counts if name != series_name("institutions")})
    institutions = max((value or 0.0 for (name, _year), value in counts.items() if name == series_name("institutions")), default=0.0)
    places = [(ALL, ALL), *((dimension, value) for dimension, values in breakdowns().items() for value in values)]
    facts = [Fact(key="vsm.institutions", value=institutions, unit="count", design="descriptive", source=SOURCE)]
    for year in years:
        for dimension, value in places:
            facts += _of_place(counts, dimension, value, year)
        facts += [fact for dimension in breakdowns() if dimension.startswith("group.") for fact in _parities(counts, dimension, year)]
    known = [value for (name, _year), value in counts.items() if name != series_name("institutions") and value != 0]
    told = sum(value is not None for value in known) / max(1, len(known))
    return facts, [Gate("institutions", institutions >= INSTITUTIONS, institutions, float(INSTITUTIONS)), Gate("told-share", told >= TOLD_SHARE, told, TOLD_SHARE)]


def share_of(part: float, whole: float, slack: float = SLACK) -> tuple[float, float, float]:
    """A share with the band that holds it at 95 per cent, though part and whole may each be `slack` off. `whole` is positive."""
    lowest = _wilson(max(0.0, part - slack), whole + slack)[0]
    highest = _wilson(min(part + slack, max(1.0, whole - slack)), max(1.0, whole - slack))[1]
    return min(1.0, part / whole), lowest, highest


def adjusted(ratio: float) -> float:
    """The parity index of UIS: above one it is 2 − 1 / ratio, so that it lies between 0 and 2 and one is equal."""
    return ratio if ratio <= 1 else 2 - 1 / ratio


def _of_place(counts: Counts, dimension: str, value: str, year: int) -> list[Fact]:
    """The counts of one value of a breakdown in a year, and the shares that can be made of them."""
    found: list[Fact] = []
    for measure in ("applied", "started", "completed", "recognised"):
        key = (series_name(measure, dimension, value), year)
        if key in counts:
            count = counts[key]
            band = (None, None) if count is None else (max(0.0, count - SLACK), count + SLACK) if count else (0.0, 0.0)
            note = "withheld: fewer than ten people, or it would tell of fewer" if count is None else ""
            found.append(Fact(key=f"{key[0]}.{year}", value=count, low=band[0], high=band[1], unit="students", design="descriptive", year=year, source=SOURCE, note=note))
    for measure, of in RATES.items():
        part, whole = (counts.get((series_name(each, dimension, value), year)) for each in (measure, of))
        if part is not None and whole:
            middle, low, high = share_of(part, whole)
            key_ = f"rate.{series_name(measure, dimension, value).removeprefix('vsm.')}.{year}"
            found.append(Fact(key=key_, value=middle, low=low, high=high, level=LEVEL, unit="share", design="descriptive", year=year, source=SOURCE))
    return found


def _parities(counts: Counts, group: str, year: int) -> list[Fact]:
    """Of those who agreed to be counted: the rate of the group over the rate of the others, step by step. The band takes the
    worst of both rates, so it covers at least what it says."""
    found = []
    for measure, of in RATES.items():
        rates = []
        for value in ("yes", "no"):
            part, whole = (counts.get((series_name(each, group, value), year)) for each in (measure, of))
            rates.append(share_of(part, whole) if part is not None and whole else None)
        ours, theirs = rates
        if ours and theirs and theirs[0] and theirs[1]:
            low, high = ours[1] / theirs[2], ours[2] / theirs[1]
            found.append(
                Fact(
                    key=f"parity.{measure}.{group.removeprefix('group.')}.{year}", value=adjusted(ours[0] / theirs[0]), low=adjusted(low), high=adjusted(high), level=LEVEL, unit="index",
                    design="descriptive", year=year, source=SOURCE,
                )
            )  # fmt: skip
    return found


def _wilson(part: float, whole: float) -> tuple[float, float]:
    share = part / whole
    middle, spread = share + Z * Z / (2 * whole), Z * sqrt(share * (1 - share) / whole + Z * Z / (4 * whole * whole))
    ends = (middle - spread) / (1 + Z * Z / whole), (middle + spread) / (1 + Z * Z / whole)
    # Nought and one are their own ends; what is left of them after rounding of the machine is not a doubt.
    return min(max(0.0, ends[0]), share), max(min(1.0, ends[1]), share)

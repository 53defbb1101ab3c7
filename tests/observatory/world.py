"""A made-up world in the one shape of observations: every series that an indicator needs, with holes, zeros and merged cells."""

import math
import random
from collections.abc import Iterator
from typing import Any

from vsm.observatory.geography import countries, members, regions

RATES = ("rate.women", "rate.men", *(f"rate.q{step}" for step in range(1, 6)))
OPTIONS: dict[str, dict[str, Any]] = {
    "parity": {"disadvantaged": "rate.women", "advantaged": "rate.men", "asked": 500.0},
    "concentration-index": {"steps": RATES[2:]},
}


Row = tuple[str, str, str, int, None, float | None, str, str]


def observations(geos: int, years: int, *, partners: int, seed: int = 4) -> Any:
    """A pyarrow table of `geos` countries and `years` up to 2024; each origin has `partners` hosts."""
    import pyarrow as pa

    from vsm.observatory.sources.observations import schema

    rng = random.Random(seed)
    chosen = sorted(rng.sample(sorted(countries()), geos))
    span = range(2025 - years, 2025)
    rows = [row for geo in chosen for row in _of_country(geo, span, rng)]
    for geo in chosen:
        for host in rng.sample([each for each in chosen if each != geo], min(partners, len(chosen) - 1)):
            rows.append(_row("dist", geo, 0, round(rng.uniform(100, 15000), 1), host))
            rows += [_row("flows", geo, year, float(rng.choice((0, 3, 40, 900, 5000))), host) for year in span]
    inward = {(row[1], row[3]): row[5] for row in rows if row[0] == "26637"}
    for region in regions().values():
        rows += [_row("26637", region.published, year, float(sum(inward.get((geo, year)) or 0 for geo in members(region.code)))) for year in span]
    columns = list(zip(*rows, strict=True))
    return pa.table({field.name: pa.array(column, field.type) for field, column in zip(schema(), columns, strict=True)}, schema=schema())


def _of_country(geo: str, span: range, rng: random.Random) -> Iterator[Row]:
    base, lean = math.exp(rng.uniform(6, 12)), rng.uniform(0.3, 2)
    for number, year in enumerate(span):
        if rng.random() < 0.08:
            continue  # did not report
        inward, nil = round(base * math.exp(0.03 * number + rng.gauss(0, 0.05))), rng.random() < 0.01
        sent = round(inward * lean)
        yield _row("26637", geo, year, 0.0 if nil else float(inward), magnitude="NIL" if nil else "INCLUDES" if rng.random() < 0.01 else "")
        yield _row("MENF.5T8", geo, year, float((0 if nil else inward) - sent))
        if rng.random() < 0.5:
            yield _row("OE.5T8.40510", geo, year, float(sent))
        yield _row("25053", geo, year, float(inward * 20))
        lacking = "rate.q1" if rng.random() < 0.5 else ""
        events = random.Random(f"{geo} {year}")
        if events.random() < 0.5:  # people registered for an event; of few it is not told how many came
            registered = 5 * events.randrange(2, 60)
            yield _row("events.registered", geo, year, float(registered))
            yield _row("events.attended", geo, year, float(5 * events.randrange(0, registered // 5 + 1)) if events.random() < 0.8 else None)
        yield from (_row(name, geo, year, round(5 + 10 * step * rng.random(), 3)) for step, name in enumerate(RATES) if name != lacking)


def _row(series: str, geo: str, year: int, value: float | None, geo2: str = "", magnitude: str = "") -> Row:
    return (series, geo, geo2, year, None, value, "", magnitude)


def shares() -> Any:
    """Two distributions over groups, for dissimilarity."""
    import pyarrow as pa

    return pa.table({"year": pa.array([2023, 2023, 2024, 2024], pa.int16()), "group": ["w", "m", "w", "m"], "one": [0.6, 0.4, 0.55, 0.3], "other": [0.5, 0.5, 0.4, 0.5]})

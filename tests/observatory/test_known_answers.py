"""Figures that others published, found again in what ships: whoever changes a loader, a measure or a model meets them here."""

import csv
import math
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from vsm.observatory.estimates.counterfactual import MODELS, coverage, nominal_coverage, placebo_errors
from vsm.observatory.estimates.series import Yearly, from_rows
from vsm.observatory.estimates.studies import POOL, STUDIES
from vsm.observatory.geography import regions
from vsm.observatory.sources.loaders import facts


@cache
def shipped() -> dict[str, dict[int, float]]:
    """Our code of a region → year → students."""
    code = {region.name["en"]: region.code for region in regions().values()}
    found: dict[str, dict[int, float]] = {}
    for row in csv.DictReader(Path(str(facts.SHIPPED)).read_text("utf-8").splitlines()):
        found.setdefault(code[row["region"]], {})[int(row["year"])] = float(row["inbound"])
    return found


def rows() -> list[dict[str, object]]:
    return [{"series": "26637", "geo": regions()[code].published, "geo2": "", "year": year, "day": None, "value": value} for code, years in shipped().items() for year, value in years.items()]


def test_the_world_has_the_students_that_unesco_published() -> None:
    world = {year: int(value + 0.5) for year, value in shipped()["world"].items()}
    assert [world[year] for year in (2000, 2010, 2019, 2020, 2021, 2022)] == [2_110_399, 3_785_233, 6_111_232, 6_560_076, 6_440_414, 6_859_427]
    assert (round(world[2000] / 1e6, 1), round(world[2022] / 1e6, 1)) == (2.1, 6.9)  # "2.1 million", "nearly 6.9 million" (UNESCO, 2025)
    assert round((shipped()["europe"][2022] + shipped()["northern-america"][2022]) / 1e6) == 4  # "4 million in Europe and Northern America"
    change = [round(100 * (world[year] / world[year - 1] - 1), 1) for year in (2020, 2021, 2022)]
    assert change == [7.3, -1.8, 6.5]


def test_the_seven_regions_make_the_world_to_the_last_student() -> None:
    seven = [code for code, region in regions().items() if region.level == 1]
    whole = [year for year in shipped()["world"] if all(year in shipped()[code] for code in seven)]
    apart = {year: sum(shipped()[code][year] for code in seven) - shipped()["world"][year] for year in whole}
    assert (whole, max(map(abs, apart.values())) < 0.5) == (list(range(2004, 2023)), True)
    assert abs(apart[2022]) < 1e-6


def test_the_effect_of_2020_to_2022_is_the_known_one_region_by_region() -> None:
    found, gates = STUDIES["covid-effect"].run(rows())  # type: ignore[arg-type]  # -- rows of any
    gap = {fact.key: fact for fact in found if fact.key.startswith("gap.")}
    known = {
        "gap.world.2021": -0.053, "gap.australia-and-new-zealand.2020": -0.16, "gap.australia-and-new-zealand.2021": -0.36, "gap.australia-and-new-zealand.2022": -0.41,
        "gap.northern-america.2021": -0.175, "gap.europe.2020": 0.10, "gap.western-asia.2021": -0.11, "gap.latin-america-and-the-caribbean.2022": 0.22,
    }  # fmt: skip
    assert {key: pytest.approx(gap[key].value, abs=0.015) for key in known} == known
    world = gap["gap.world.2021"]
    assert (world.low, world.high, world.extra["placebos"]) == (pytest.approx(-0.094, abs=0.015), pytest.approx(-0.009, abs=0.01), 9)
    assert {key for key in known if not gap[key].covers_zero} >= {"gap.australia-and-new-zealand.2021", "gap.northern-america.2021", "gap.europe.2020"}
    assert all(gate.passed for gate in gates)


def test_bands_of_the_textbook_that_claim_80_per_cent_are_caught_covering_half() -> None:
    series = from_rows({"geo": code, "year": year, "value": shipped()[code][year]} for code in POOL for year in shipped()[code])
    measured = {name: _covered([series[code] for code in POOL], name) for name in ("drift", "local_linear", "interrupted")}
    for name, (nominal, placebo) in measured.items():
        assert nominal < 0.6 < 0.75 <= placebo, name
    assert measured["drift"] == (pytest.approx(0.47, abs=0.02), pytest.approx(0.83, abs=0.02))


def _covered(pool: list[Yearly], model: str, horizon: int = 3) -> tuple[float, float]:
    """What a nominal band of 80 % covers of the placebos three years ahead, and what the band from placebos does."""
    errors = placebo_errors(pool, MODELS[model], last=2019, horizons=horizon)
    spread: dict[str, float] = {}
    for one in pool:
        steps = [b - a for a, b in pairwise([math.log(value) for value in one.until(2019).values][-11:])]
        spread[one.geo] = (sum((step - sum(steps) / len(steps)) ** 2 for step in steps) / (len(steps) - 1)) ** 0.5
    return nominal_coverage(errors, horizon, 0.8, spread.__getitem__), coverage(errors, horizon, 0.8)

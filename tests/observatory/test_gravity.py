"""The gravity of the UNCTAD/WTO guide to three decimals, and a known elasticity found again."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from tests.beside import DATA, needs
from vsm.observatory.estimates import gravity

GUIDE = DATA / "replication" / "wto_agtpa_chapter1application1.dta"
TIES = ("ldist", "CNTG", "LANG", "CLNY")
# pyfixest warns of what it leaves out; the fit counts it.
pytestmark = pytest.mark.filterwarnings("ignore:::pyfixest", "ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")


@cache
def trade() -> pd.DataFrame:
    """Every fourth year, between different countries; output and expenditure count trade at home too."""
    frame = pd.read_stata(GUIDE)
    frame = frame[frame.year.isin([1986, 1990, 1994, 1998, 2002, 2006])].copy()
    frame["loutput"] = np.log(frame.groupby(["exporter", "year"]).trade.transform("sum"))
    frame["lspent"] = np.log(frame.groupby(["importer", "year"]).trade.transform("sum"))
    frame = frame[frame.exporter != frame.importer].copy()
    frame["ldist"] = np.log(frame.DIST)
    frame["ltrade"] = np.log(frame.trade.where(frame.trade > 0))
    for side in ("exporter", "importer"):
        frame[f"{side}_year"] = frame[side].astype(str) + frame.year.astype(int).astype(str)
    return frame.astype(dict.fromkeys(("CNTG", "LANG", "CLNY"), float))


def told(fit: gravity.Fit) -> list[float]:
    return [round(fit.of(name).value, 3) for name in TIES]


@needs(GUIDE)
def test_least_squares_and_fixed_effects_give_the_guides_figures() -> None:
    frame = trade().dropna(subset=["ltrade"])
    plain = gravity.ols(frame, "ltrade", (*TIES, "loutput", "lspent"), (), "pair_id")
    assert (told(plain), plain.rows) == ([-1.002, 0.574, 0.802, 0.735], 25_689)
    assert told(gravity.ols(frame, "ltrade", TIES, ("exporter_year", "importer_year"), "pair_id")) == [-1.216, 0.223, 0.661, 0.670]


@needs(GUIDE)
def test_poisson_gives_the_guides_figures_and_keeps_the_zeros() -> None:
    fit = gravity.ppml(trade(), "trade", TIES, ("exporter_year", "importer_year"), "pair_id")
    assert (told(fit), fit.rows) == ([-0.841, 0.437, 0.247, -0.222], 28_152)
    assert fit.of("ldist").error == pytest.approx(0.032, abs=0.001)


def test_a_known_elasticity_is_found_again_among_zeros() -> None:
    rng = np.random.default_rng(7)
    hosts, origins = (rng.normal(0, 0.7, 40) for _ in range(2))
    cells = [(o, d, rng.uniform(5, 9.5)) for o in range(40) for d in range(40) if o != d]
    frame = pd.DataFrame(cells, columns=["o", "d", "ldist"])
    frame["flow"] = rng.poisson(np.exp(6 + hosts[frame.d] + origins[frame.o] - 0.9 * frame.ldist)).astype(float)
    fit = gravity.ppml(frame, "flow", ("ldist",), ("o", "d"), "o")
    assert (frame.flow == 0).mean() > 0.2
    assert abs(fit.of("ldist").value + 0.9) < 0.05
    low, high = fit.of("ldist").interval
    assert low < -0.9 < high


def test_a_column_of_text_is_refused_in_place_of_fitted_wrongly() -> None:
    frame = pd.DataFrame({"flow": [1.0, 2.0], "dose": ["0.1", "0.9"], "o": [1, 2]})
    with pytest.raises(ValueError, match="dose"):
        gravity.ppml(frame, "flow", ("dose",), (), "o")


def test_the_study_of_gravity_keeps_zeros_and_a_shuffled_distance_draws_nobody() -> None:
    from vsm.observatory.estimates.comparisons import gravity as study

    rng = np.random.default_rng(11)
    codes = [f"{a}{b}X" for a in "ABCDE" for b in "ABCDE"]
    push, pull = (dict(zip(codes, rng.normal(0, 0.5, len(codes)), strict=True)) for _ in range(2))
    rows = []
    for o in codes:
        for d in codes:
            if o != d:
                far, near = rng.uniform(200, 9000), {name: float(rng.random() < 0.3) for name in ("contig", "comlang_off", "colony")}
                students = float(rng.poisson(np.exp(7 + push[o] + pull[d] - 0.9 * np.log(far) + 1.1 * near["comlang_off"])))
                rows.append({"series": "flows.5T8", "geo": o, "geo2": d, "year": 2018, "value": students, "source": "oecd"})
                rows += [{"series": name, "geo": o, "geo2": d, "year": 0, "value": value, "source": "cepii"} for name, value in {"dist": far, **near}.items()]
    rows += [{"series": "flows.top10", "geo": codes[0], "geo2": d, "year": 2018, "value": 1e6, "source": "uis"} for d in codes[1:]]  # fewer cells: not mixed in
    facts, gates = study(rows)
    told = {fact.key: fact for fact in facts}
    assert (told["gravity.distance"].value, told["gravity.language"].value) == (pytest.approx(-0.9, abs=0.1), pytest.approx(1.1, abs=0.15))
    assert (told["gravity.border"].covers_zero, told["gravity.shuffled-distance"].covers_zero) == (True, True)
    assert {gate.code: gate.passed for gate in gates} == {"hosts": True, "zeros-kept": True, "placebo-covers-zero": True}
    with pytest.raises(ValueError, match="too few"):
        study(rows[:50])

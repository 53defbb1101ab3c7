"""Why students go where they go: gravity by Poisson pseudo-maximum likelihood with fixed effects.

Flows of zero are data, so the logarithm of a flow will not do; and what makes a host attract or an origin send in a year
is absorbed by fixed effects (Santos Silva and Tenreyro 2006; Yotov et al. 2016, An Advanced Guide to Trade Policy
Analysis, UNCTAD/WTO, chapter 1). The estimator is pyfixest's; the guide's own figures are reproduced in the tests.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vsm.kit.errors import Unavailable
from vsm.kit.i18n import N_
from vsm.kit.verdict import Reason

Frame = Any
"""A pandas data frame; pandas loads only where it works."""


@dataclass(frozen=True)
class Coefficient:
    """An elasticity (of a logarithm) or semi-elasticity (of a dummy), with its clustered standard error."""

    name: str
    value: float
    error: float

    @property
    def interval(self) -> tuple[float, float]:
        """95 % by the normal approximation."""
        return self.value - 1.96 * self.error, self.value + 1.96 * self.error


@dataclass(frozen=True)
class Fit:
    """`dropped` counts the rows that cannot be used: with missing values, or alone in a fixed effect (separated)."""

    method: str
    coefficients: tuple[Coefficient, ...]
    rows: int
    dropped: int

    def of(self, name: str) -> Coefficient:
        return next(each for each in self.coefficients if each.name == name)


def ppml(frame: Frame, flow: str, regressors: Sequence[str], fixed: Sequence[str], cluster: str) -> Fit:
    """PPML of `flow` (0 or more) on regressors with fixed effects, clustered by a column. `Unavailable` without pyfixest."""
    return _fit("ppml", frame, flow, regressors, fixed, cluster)


def ols(frame: Frame, outcome: str, regressors: Sequence[str], fixed: Sequence[str], cluster: str) -> Fit:
    """Least squares of an outcome that is in logarithms already: for comparison, it drops every flow of zero."""
    return _fit("ols", frame, outcome, regressors, fixed, cluster)


def _fit(method: str, frame: Frame, outcome: str, regressors: Sequence[str], fixed: Sequence[str], cluster: str) -> Fit:
    numeric = frame[[outcome, *regressors]].dtypes
    if any(kind.kind not in "fiub" for kind in numeric):
        raise ValueError(f"not numbers: {[name for name, kind in numeric.items() if kind.kind not in 'fiub']}")
    try:
        import pyfixest
    except ImportError as cause:
        text = N_("Gravity models need the library pyfixest, which is not installed here: pip install 'vsm[gravity]'.")
        raise Unavailable(Reason("no-pyfixest", text)) from cause
    formula = f"{outcome} ~ {' + '.join(regressors)}" + (f" | {' + '.join(fixed)}" if fixed else "")
    estimate = pyfixest.fepois if method == "ppml" else pyfixest.feols
    with warnings.catch_warnings():
        # Singletons fall away; how many rows is told with the fit, which a reader finds, and not on a console.
        warnings.filterwarnings("ignore", message=".*singleton fixed effect", category=UserWarning)
        fitted = estimate(formula, data=frame, vcov={"CRV1": cluster})
    values, errors = fitted.coef(), fitted.se()
    told = tuple(Coefficient(name, float(values[name]), float(errors[name])) for name in regressors)
    return Fit(method, told, int(fitted._N), len(frame) - int(fitted._N))

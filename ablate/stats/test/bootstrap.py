"""The studentised bootstrap of the mean difference."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ablate.registry import component
from ablate.stats import tied
from ablate.stats.guarded import not_computed
from ablate.stats.student import spread, standardised
from ablate.types import Comparison, Floats, TestResult

CONSTANT = "all differences are the same, so that resamples have no spread"
RESAMPLES = 9_999
FEW, MANY = 1_999, 100
"""Of more than MANY pairs so few are drawn: the interval is close to Student's there."""


COUNTED = 2_000
"""Of up to so many pairs it is held how often each is drawn, the same for every comparison."""

SAME = 1e-9
"""Of t, or of 1: resamples as far out as the sample are so, whatever round-off says."""

CELLS, FEWEST = 40_000_000, 399
"""Beyond, so many pairs are drawn in all, but never for fewer resamples."""


@component("test", "bootstrap-t", paper="Efron & Tibshirani 1993, section 12.5; Hall 1988")
@dataclass(frozen=True)
class BootstrapT:
    """t* = (mean* - mean) / (sd* / sqrt(n)) over resamples of the seeds, equal tails.

    Percentile and BCa intervals, which are more usual, cover 75 to 90 % at 3 to 10 pairs when they
    say 95; this one errs to the other side there. Differences that are all one size have no p. A
    resample without spread is given one test row.
    Where the differences are means over data sets the whole seed is resampled, as it must be.
    """

    def __call__(self, comparison: Comparison, alpha: float) -> TestResult:
        """Test for a mean difference of 0; needs two pairs."""
        deltas = np.sort(tied.deltas(comparison))  # seeds have no order that could matter
        if len(np.unique(deltas)) == 1 and deltas[0]:
            return not_computed("bootstrap-t", len(deltas), CONSTANT)
        n, error = len(deltas), spread(comparison) / math.sqrt(len(deltas))
        mean = float(deltas.mean())
        drawn = studentised(deltas, comparison.resolution, comparison.round_off)
        whole = len(drawn) + 1  # with the sample itself: so many equally likely places
        k = max(1, math.floor(whole * alpha / 2))
        low, high = (mean - error * end for end in (drawn[-k], drawn[k - 1]))
        t = mean / error
        slack = SAME * max(1.0, abs(t))
        tail = min((drawn >= t - slack).sum(), (drawn <= t + slack).sum())
        p = min(1.0, 2 * (1 + float(tail)) / whole)
        return TestResult(
            name="bootstrap-t",
            n=n,
            p=p,
            estimate=mean,
            low=low,
            high=high,
            assumes="independent seeds",
            floor=2 / whole,
            effect=standardised(comparison),
            measure="d_z",
        )


def studentised(deltas: Floats, resolution: float, tiny: float) -> Floats:
    """Give the sorted t* of resamples, drawn with a fixed generator; a spread of `tiny` is none."""
    n = len(deltas)
    deviations = deltas - deltas.mean()
    means, squares = _moments(deviations)
    sd = np.sqrt(np.maximum(0, squares - means**2) * n / (n - 1))
    tiny = max(tiny, 1e-7 * float(np.abs(deviations).max()))
    return np.sort(means / (np.where(sd > tiny, sd, resolution) / math.sqrt(n)))


def _moments(deviations: Floats) -> tuple[Floats, Floats]:
    """Give each resample's mean, and its mean square."""
    n = len(deviations)
    if n <= COUNTED:
        counts = _counts(n)
        return counts @ deviations / n, counts @ deviations**2 / n
    rng, draws = np.random.default_rng(0), min(FEW, max(FEWEST, CELLS // n))
    moments = np.empty((2, draws))
    for i in range(draws):  # n pairs at a time: the counts of all would be gigabytes
        drawn = deviations[rng.integers(0, n, n)]
        moments[:, i] = drawn.mean(), (drawn**2).mean()
    return moments[0], moments[1]


@lru_cache(maxsize=4)
def _counts(n: int) -> Floats:
    """Give how often each of n pairs is drawn, `[resample, n]`: the same for every comparison."""
    draws = RESAMPLES if n <= MANY else FEW
    return np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), draws).astype(np.float64)

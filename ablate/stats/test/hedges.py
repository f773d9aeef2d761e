"""The standardised mean difference of pairs, without its bias at small n."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ablate.registry import component
from ablate.stats.student import standardised
from ablate.stats.test.effect_size import interval
from ablate.types import Comparison, TestResult


@component("test", "hedges-g", paper="Hedges 1981, J. Educational Statistics 6(2)")
@dataclass(frozen=True)
class HedgesG:
    """g_z = J(n - 1) d_z, J(m) = gamma(m / 2) / (sqrt(m / 2) gamma((m - 1) / 2)).

    Its interval is that of d_z, times J.
    """

    def __call__(self, comparison: Comparison, alpha: float) -> TestResult:
        """Give g_z with its 1 - alpha interval; needs three pairs."""
        n, size = len(comparison.deltas), standardised(comparison)
        shrink = correction(n - 1)
        g = shrink * size
        low, high = (shrink * end for end in interval(size, n, alpha))
        assumes = "normal differences"
        return TestResult(
            name="hedges-g",
            n=n,
            p=math.nan,
            estimate=g,
            low=low,
            high=high,
            assumes=assumes,
            floor=0.0,
            effect=g,
            measure="g_z",
        )


def correction(df: int) -> float:
    """Give J of `df` degrees of freedom; 0 of one, where d_z has no mean.

    >>> round(correction(14), 4)
    0.9453
    """
    if df < 2:
        return 0.0
    return math.exp(math.lgamma(df / 2) - math.lgamma((df - 1) / 2)) / math.sqrt(df / 2)

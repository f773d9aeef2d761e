"""The standardised mean difference of pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ablate.registry import component
from ablate.stats.student import standardised
from ablate.types import Comparison, TestResult


@component("test", "effect-size", paper="Cohen 1988; Cumming & Finch 2001, noncentral t interval")
@dataclass(frozen=True)
class EffectSize:
    """d_z = mean(d) / sd(d); its interval inverts the noncentral t of the observed t."""

    def __call__(self, comparison: Comparison, alpha: float) -> TestResult:
        """Give d_z with its 1 - alpha interval; needs two pairs."""
        n, size = len(comparison.deltas), standardised(comparison)
        low, high = interval(size, n, alpha)
        assumes = "normal differences"
        return TestResult("effect-size", n, math.nan, size, low, high, assumes, 0.0, size, "d_z")


def interval(size: float, n: int, alpha: float) -> tuple[float, float]:
    """Give the 1 - alpha interval of d_z, by the noncentralities that put its t at a quantile."""
    from scipy.special import nctdtrinc

    root = math.sqrt(n)
    # inverted at |t|: SciPy's noncentral t loses precision far out on the other side
    low, high = (
        float(nctdtrinc(n - 1, share, abs(size) * root)) / root
        for share in (1 - alpha / 2, alpha / 2)
    )
    return (-high, -low) if size < 0 else (low, high)

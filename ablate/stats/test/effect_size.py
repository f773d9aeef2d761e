"""The standardised mean difference of pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ablate.registry import component
from ablate.stats.student import standardised
from ablate.types import Comparison, TestResult

BISECTIONS = 60


@component("test", "effect-size", paper="Cohen 1988; Cumming & Finch 2001, noncentral t interval")
@dataclass(frozen=True)
class EffectSize:
    """d_z = mean(d) / sd(d); its interval inverts the noncentral t of the observed t."""

    def __call__(self, comparison: Comparison, alpha: float) -> TestResult:
        """Give d_z with its 1 - alpha interval; needs two pairs."""
        n, size = len(comparison.deltas), standardised(comparison)
        low, high = interval(size, n, alpha)
        assumes = "normal differences"
        return TestResult(
            name="effect-size",
            n=n,
            p=math.nan,
            estimate=size,
            low=low,
            high=high,
            assumes=assumes,
            floor=0.0,
            effect=size,
            measure="d_z",
        )


def interval(size: float, n: int, alpha: float) -> tuple[float, float]:
    """Give the 1 - alpha interval of d_z, by the noncentralities that put its t at a quantile."""
    from scipy.special import nctdtr, ndtri

    root, t = math.sqrt(n), abs(size) * math.sqrt(n)
    error = math.sqrt(1 / n + size**2 / (2 * (n - 1)))  # of d_z, for large n

    def end(share: float) -> float:
        """Give the noncentrality under which P(T <= t) is `share`; it falls as that rises."""

        def short(ncp: float) -> float:
            p = float(nctdtr(n - 1, ncp, t))
            return (float(ncp < t) if math.isnan(p) else p) - share  # SciPy gives up far out

        guess = (abs(size) - float(ndtri(share)) * error) * root
        for reach in (1 + 2 * error * root, 10 * (1 + error * root), 10 + 100 * error * root):
            low, high = guess - reach, guess + reach
            if short(low) > 0 > short(high):
                for _ in range(BISECTIONS):  # scipy.optimize takes longer to import than this
                    middle = (low + high) / 2
                    low, high = (middle, high) if short(middle) > 0 else (low, middle)
                return (low + high) / 2 / root
        return guess / root  # beyond what SciPy's noncentral t can tell

    # inverted at |t|: SciPy's noncentral t loses precision far out on the other side
    low, high = end(1 - alpha / 2), end(alpha / 2)
    return (-high, -low) if size < 0 else (low, high)

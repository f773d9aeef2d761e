"""The standardised mean difference of pairs."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ablate.registry import component
from ablate.stats.student import spread
from ablate.types import Comparison, TestResult


@component("test", "effect-size", paper="Cohen 1988; Cumming & Finch 2001, noncentral t interval")
@dataclass(frozen=True)
class EffectSize:
    """d_z = mean(d) / sd(d); its interval inverts the noncentral t of the observed t."""

    def __call__(self, comparison: Comparison, alpha: float) -> TestResult:
        """Give d_z with its 1 - alpha interval; needs two pairs."""
        from scipy.special import nctdtrinc

        n = len(comparison.deltas)
        size = sum(comparison.deltas) / n / spread(comparison)
        root = math.sqrt(n)
        # inverted at |t|: SciPy's noncentral t loses precision far out on the other side
        low, high = (
            float(nctdtrinc(n - 1, share, abs(size) * root)) / root
            for share in (1 - alpha / 2, alpha / 2)
        )
        if size < 0:
            low, high = -high, -low
        return TestResult("effect-size", n, math.nan, size, low, high, "normal differences")

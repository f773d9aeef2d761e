"""Student's paired t test."""

from __future__ import annotations

from dataclasses import dataclass

from ablate.registry import component
from ablate.stats.student import result, world
from ablate.types import Comparison, TestResult


@component("test", "paired-t", paper="Student 1908, Biometrika 6(1)")
@dataclass(frozen=True)
class PairedT:
    """t = mean(d) / (sd(d) / sqrt(n)), two-sided, with the 1 - alpha interval of the mean."""

    def __call__(self, comparison: Comparison, alpha: float) -> TestResult:
        """Test for a mean difference of 0; needs two pairs."""
        mean = world(comparison)
        p = min(1.0, 2 * min(mean.cdf(0), mean.sf(0)))
        return result("paired-t", comparison, p, 1 - alpha)

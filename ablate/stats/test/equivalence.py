"""Is the difference smaller than the margin? Two one-sided tests (TOST)."""

from __future__ import annotations

from dataclasses import dataclass

from ablate.registry import component
from ablate.stats.student import result, world
from ablate.types import Comparison, TestResult


@component("test", "equivalence", paper="Schuirmann 1987, J. Pharmacokinetics 15(6)")
@dataclass(frozen=True)
class Equivalence:
    """p = max(P(mean <= -delta), P(mean >= delta)), each one-sided, with the 1 - 2 alpha interval.

    p <= alpha exactly when that interval lies wholly inside the margin.
    """

    def __call__(self, comparison: Comparison, alpha: float) -> TestResult:
        """Test |mean difference| >= margin against less; needs two pairs."""
        mean = world(comparison)
        low, high = comparison.bounds
        p = max(mean.cdf(low), mean.sf(high))
        return result("equivalence", comparison, p, 1 - 2 * alpha)

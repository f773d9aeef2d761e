"""Is the difference larger than the margin?"""

from __future__ import annotations

from dataclasses import dataclass

from ablate.registry import component
from ablate.stats.student import result, world
from ablate.types import Comparison, TestResult


@component("test", "minimal-effect", paper="Murphy & Myors 1999, J. Applied Psychology 84(2)")
@dataclass(frozen=True)
class MinimalEffect:
    """p = 2 min(P(T >= (mean - delta) / se), P(T >= (-delta - mean) / se)).

    p <= alpha exactly when the 1 - alpha interval lies wholly outside the margin.
    """

    def __call__(self, comparison: Comparison, alpha: float) -> TestResult:
        """Test |mean difference| <= margin against more; needs two pairs."""
        mean = world(comparison)
        low, high = comparison.bounds
        p = min(1.0, 2 * min(mean.cdf(high), mean.sf(low)))
        return result("minimal-effect", comparison, p, 1 - alpha)

"""The Bayesian answer for independent seeds: how probable is each side of the margin?"""

from __future__ import annotations

from dataclasses import dataclass

from ablate.registry import component
from ablate.stats.student import result, world
from ablate.types import Comparison, TestResult


@component("test", "rope", paper="Kruschke 2013; Benavoli et al. 2017, JMLR 18(77), correlation 0")
@dataclass(frozen=True)
class Rope:
    """P(|mean difference| < margin | data) under the reference prior p(mu, sigma) ~ 1 / sigma.

    The posterior of the mean is Student's t with n - 1 degrees of freedom around the observed mean,
    scale sd / sqrt(n). In place of a p stands the posterior probability outside the margin.
    """

    def __call__(self, comparison: Comparison, alpha: float) -> TestResult:
        """Give the probability outside the margin and the 1 - alpha credible interval."""
        mean = world(comparison)
        low, high = comparison.bounds
        outside = float(mean.cdf(low) + mean.sf(high))
        return result("rope", comparison, outside, 1 - alpha)

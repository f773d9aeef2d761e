"""Wilcoxon's signed-rank test of paired differences."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ablate.registry import component
from ablate.types import Comparison, TestResult


@component("test", "wilcoxon", paper="Wilcoxon 1945, Biometrics Bulletin 1(6)")
@dataclass(frozen=True)
class Wilcoxon:
    """W = sum of the ranks of |d| over the positive d, two-sided; zero differences are left out.

    Exact without ties up to 50 pairs, else the normal approximation with continuity correction.
    Differences are first rounded to a thousandth of a test row, because round-off breaks ties. The
    estimate is the Hodges-Lehmann median of the Walsh averages (d_i + d_j) / 2, i <= j. It can
    never go under 2 / 2^m, m the differences that are not 0.
    """

    def __call__(self, comparison: Comparison, alpha: float) -> TestResult:
        """Test that differences are symmetric around 0; needs two pairs."""
        from scipy.stats import wilcoxon

        unit = comparison.resolution / 1000
        deltas = np.rint(np.array(comparison.deltas) / unit)
        left = deltas[deltas != 0]
        ties = len(np.unique(np.abs(left))) < len(left)
        p = 1.0
        if len(left):
            how = "approx" if ties or len(left) > 50 else "exact"
            p = float(wilcoxon(left, method=how, correction=how == "approx").pvalue)
        i, j = np.triu_indices(len(deltas))
        estimate = float(np.median((deltas[i] + deltas[j]) / 2)) * unit
        floor = min(1.0, 2.0 ** (1 - len(left)))
        n = len(deltas)
        return TestResult("wilcoxon", n, p, estimate, math.nan, math.nan, "symmetric", floor)

"""The sign-flip (permutation) test of paired differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ablate.registry import component
from ablate.types import Comparison, TestResult

GRID_CELLS = 10_000_000
"""Beyond this many cells of the exact distribution, signs are drawn instead."""

DRAWS = 99_999
EXACT_PAIRS = 16


@component("test", "sign-flip", paper="Fisher 1935; Pitman 1937, exact permutation of signs")
@dataclass(frozen=True)
class SignFlip:
    """p = share of the 2^n sign assignments with |sum| at least the observed one, two-sided.

    Exact where the differences lie on a grid (counts of test rows) or n <= 16; otherwise from
    99,999 drawn assignments with a fixed generator. It can never go under 2 / 2^m, m the
    differences that are not 0.
    """

    def __call__(self, comparison: Comparison, alpha: float) -> TestResult:
        """Test that treatment and baseline are exchangeable within a seed."""
        deltas = np.array(comparison.deltas)
        n = len(deltas)
        rows = np.rint(deltas / comparison.resolution)
        on_grid = bool(np.allclose(rows * comparison.resolution, deltas, rtol=0, atol=1e-6))
        if on_grid and n * np.abs(rows).sum() < GRID_CELLS:
            p = on_integers(rows.astype(np.int64))
        else:
            p = by_scipy(deltas)
        nonzero = int((np.abs(deltas) > 1e-9).sum())
        floor = min(1.0, 2.0 ** (1 - nonzero))
        mean = float(deltas.mean())
        return TestResult("sign-flip", n, p, mean, np.nan, np.nan, "exchangeable arms", floor)


def on_integers(deltas: NDArray[np.int64]) -> float:
    """Give the exact p of integer differences, by convolving their two-point distributions.

    >>> on_integers(np.array([1, 1, 1]))
    0.25
    """
    steps = np.abs(deltas)
    ways = np.ones(1)
    for step in steps:
        longer = np.zeros(len(ways) + 2 * step)
        longer[: len(ways)] += ways / 2
        longer[2 * step :] += ways / 2
        ways = longer
    total = int(steps.sum())
    sums = np.arange(-total, total + 1)
    return min(1.0, float(ways[np.abs(sums) >= abs(int(deltas.sum()))].sum()))


def by_scipy(deltas: NDArray[np.float64]) -> float:
    """Give SciPy's p: exact to 16 pairs, drawn beyond."""
    from scipy.stats import permutation_test

    resamples: Any = np.inf if len(deltas) <= EXACT_PAIRS else DRAWS
    done = permutation_test(
        (deltas,), np.mean, permutation_type="samples", n_resamples=resamples,
        rng=np.random.default_rng(0), vectorized=True,
    )  # fmt: skip
    return float(done.pvalue)

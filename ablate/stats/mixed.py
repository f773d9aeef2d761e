"""A mixed model of differences in several data sets: what holds for data sets like these?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ablate.types import Floats


@dataclass(frozen=True)
class Mixed:
    """delta = mean + block + rest: the mean with its standard error, and the two spreads.

    low, high: the interval of the mean by Student's t with blocks - 1 degrees of freedom.
    """

    estimate: float
    error: float
    sd_between: float
    sd_residual: float
    low: float
    high: float
    blocks: int


def mixed(deltas: Sequence[float], blocks: Sequence[object], alpha: float = 0.05) -> Mixed:
    """Fit delta ~ 1 + (1 | block) by restricted maximum likelihood (Patterson & Thompson 1971).

    Needs two blocks and more differences than blocks. The seeds count as independent between
    blocks: where blocks share seeds, the blocked verdict is the safer figure. With the ratio of the
    two variances as the only unknown the criterion is exact; statsmodels' MixedLM, which agrees
    where it converges, fails where the variance between blocks is 0.
    """
    from scipy.stats import t

    y = np.asarray(deltas, float)
    groups = np.unique([str(block) for block in blocks], return_inverse=True)[1]
    counts = np.bincount(groups).astype(np.float64)
    means = np.bincount(groups, y) / counts
    within = float(((y - means[groups]) ** 2).sum())
    half = float(t.isf(alpha / 2, len(counts) - 1))
    if within <= 1e-18 * len(y) * max(1.0, float(np.abs(y).max())) ** 2:  # no likelihood
        estimate, between, rest = float(means.mean()), float(means.var(ddof=1)), 0.0
        error = math.sqrt(between / len(counts))
    else:
        ratio = _ratio(counts, means, within)
        weights = counts / (1 + ratio * counts)
        estimate = float((weights * means).sum() / weights.sum())
        squares = float((weights * (means - estimate) ** 2).sum())
        rest = (within + squares) / (len(y) - 1)
        between, error = ratio * rest, math.sqrt(rest / weights.sum())
    return Mixed(
        estimate=estimate,
        error=error,
        sd_between=math.sqrt(between),
        sd_residual=math.sqrt(rest),
        low=estimate - half * error,
        high=estimate + half * error,
        blocks=len(counts),
    )


def _ratio(counts: Floats, means: Floats, within: float) -> float:
    """Give the variance between blocks over that within at the criterion's optimum."""
    from scipy.optimize import brentq

    def slope(ratio: float) -> float:
        """Give d/d ratio of (N - 1) log Q + sum log(1 + ratio n) + log sum w."""
        w = counts / (1 + ratio * counts)
        off = (means - (w * means).sum() / w.sum()) ** 2
        q = within + (w * off).sum()
        whole = (w**2).sum()
        return float(-(counts.sum() - 1) * (w**2 * off).sum() / q + w.sum() - whole / w.sum())

    if slope(0.0) >= 0:
        return 0.0
    high = 1.0
    while slope(high) < 0:
        high *= 4
    return float(brentq(slope, 0, high, xtol=1e-14, rtol=1e-14))

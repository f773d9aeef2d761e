"""What the test rows do to a paired difference: their noise in every seed, and what they share.

All seeds and arms are scored on the same m test rows, so that seeds and rows are two crossed random
factors. The difference of seed s on row j is d_sj = mean + seed_s + row_j + cell_sj, with
variances A, B, E. The mean over n seeds and m rows has the variance

    A/n + B/m + E/(nm)                                   seeds and rows drawn anew
    A/n + E/(nm) = (variance of a seed's mean over rows) / n        seeds anew, these rows

The interval of a verdict is of the second kind: it holds for these rows. B/m does not shrink with
n. No resampling of seeds and rows is exact for crossed factors (McCullagh 2000, Bernoulli 6; Owen
2007, Ann. Appl. Stat. 1), but the analysis of variance is (Searle, Casella & McCulloch 1992).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ablate.types import Floats


@dataclass(frozen=True)
class RowSpread:
    """What m test rows do to a difference; all in the unit of the differences, or its square.

    error: the standard error of the mean difference that is due to the rows, sqrt of the variance
    over rows of their means over seeds, over m: at most sqrt(B/m + E/(nm)), no seed takes away B/m.
    noise: E/m, the part of the variance between seeds that more rows would take away; unbiased, so
    that it may be below 0; nan where a class has a single row. share: of that variance, in [0, 1].
    """

    rows: int
    error: float
    noise: float
    share: float


def spread_of(seeds: Floats) -> Floats:
    """Give the variance between independent seeds, `[n, ...] -> [...]`."""
    return np.asarray(seeds.var(0, ddof=1))


def row_spread(
    classes: Sequence[Floats], variance: Callable[[Floats], Floats] = spread_of
) -> RowSpread:
    """Tell the two parts of the rows in differences by class, `[n, rows of the class]` each.

    noise = sum_c (m_c / m)^2 E_c / m_c, where E_c = [mean_j variance(d_.j) - variance(mean_j d_.j)]
    m_c / (m_c - 1) inside class c: what varies with a seed and a class alike, as under a class
    order, is no noise of rows. It supposes that the rows of a class are independent draws.
    variance: an unbiased estimate over the first axis, by column.
    """
    whole = np.concatenate(classes, axis=1)
    rows = whole.shape[1]
    of_means = float(whole.mean(0).var(ddof=1)) if rows > 1 else math.nan
    noise = 0.0
    for values in classes:
        count = values.shape[1]
        if count < 2:
            noise = math.nan
            break
        single = float(variance(values).mean()) - float(variance(values.mean(1)))
        noise += count / rows**2 * single * count / (count - 1)
    total = float(variance(whole.mean(1)))
    share = min(1.0, max(0.0, noise / total)) if total > 0 else math.nan
    return RowSpread(rows, math.sqrt(of_means / rows), noise, share)


def for_new_rows(
    estimate: float, ends: tuple[float, float], spread: RowSpread, tail: float
) -> tuple[float, float]:
    """Widen an interval over seeds to one that holds for rows drawn anew, too.

    half'^2 = half^2 + (t error)^2, t the quantile of m - 1 degrees of freedom that leaves `tail`
    beyond each end, as the interval itself does. With half = t s / sqrt(n) the coverage is at least
    that of each part (Banerjee 1960, Sankhya 22: the distribution function of a chi-square with one
    degree of freedom is concave), and s^2/n + error^2 is at least the variance of the mean: E/(nm)
    counts twice. Supposes rows that are independent draws, and that both parts are near normal.
    """
    from scipy.stats import t

    more = float(t.isf(tail, spread.rows - 1)) * spread.error
    low, high = (max(0.0, reach) for reach in (estimate - ends[0], ends[1] - estimate))
    return estimate - math.hypot(low, more), estimate + math.hypot(high, more)

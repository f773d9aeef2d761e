"""Wilcoxon's signed-rank test of paired differences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ablate.registry import component
from ablate.stats import tied
from ablate.stats.ranks import average_ranks, normal_p
from ablate.types import Comparison, TestResult

EXACT = 500
"""Up to so many differences the distribution of W is counted out, ties and all."""

HELD = 500
"""So many differences have Walsh averages that are held all at once."""


@component("test", "wilcoxon", paper="Wilcoxon 1945, Biometrics Bulletin 1(6)")
@dataclass(frozen=True)
class Wilcoxon:
    """W = sum of the ranks of |d| over the positive d, two-sided; zero differences are left out.

    Exact up to 500 pairs, given the sizes that were seen, their ties included; beyond, the normal
    approximation with continuity correction. Sizes that differ by round-off alone are tied. The
    estimate is the Hodges-Lehmann median of the Walsh averages (d_i + d_j) / 2, i <= j, its
    interval lies between their order statistics (Hollander & Wolfe 1999, section 3.3). The effect
    size is the matched-pairs rank-biserial correlation (Kerby 2014). p can never go under 2 / 2^m,
    m the differences that are not 0.
    """

    def __call__(self, comparison: Comparison, alpha: float) -> TestResult:
        """Test that differences are symmetric around 0; needs two pairs."""
        unit = comparison.round_off or 1.0
        if len(comparison.deltas) > HELD:  # counted in steps: a thousandth of a test row will do
            unit = max(unit, comparison.resolution / 1000)
        deltas = np.rint(tied.deltas(comparison) / unit)
        left = deltas[deltas != 0]
        p = two_sided(left)
        k, n = order(len(deltas), alpha), len(deltas)
        low, high = (walsh_ends(deltas, k)) if k else (-math.inf, math.inf)
        return TestResult(
            name="wilcoxon",
            n=n,
            p=p,
            estimate=walsh_median(deltas) * unit,
            low=low * unit,
            high=high * unit,
            assumes="symmetric",
            floor=floor(len(left)),
            effect=rank_biserial(left),
            measure="rank-biserial r",
        )


def walsh_median(deltas: NDArray[np.float64]) -> float:
    """Give the median of the Walsh averages of whole-numbered differences.

    >>> walsh_median(np.array([1.0, 2.0, 6.0]))
    2.75
    """
    whole = len(deltas) * (len(deltas) + 1) // 2
    return sum(walsh_averages(deltas, [(whole + 1) // 2, whole // 2 + 1])) / 2


def walsh_ends(deltas: NDArray[np.float64], k: int) -> tuple[float, float]:
    """Give the k-th smallest and the k-th largest Walsh average."""
    whole = len(deltas) * (len(deltas) + 1) // 2
    low, high = walsh_averages(deltas, [k, whole + 1 - k])
    return low, high


def walsh_averages(deltas: NDArray[np.float64], places: Sequence[int]) -> list[float]:
    """Give the Walsh averages (d_i + d_j) / 2, i <= j, that stand at `places` (from 1) in order.

    Their number grows with n^2, so beyond a few they are counted, not held: how many are at most v
    takes n searches in the sorted differences, and v is bisected over whole numbers. Exact, as
    the differences are whole numbers; after Johnson & Mizoguchi 1978, SIAM J. Comput. 7(2).
    """
    ordered = np.sort(deltas)
    if len(ordered) <= HELD:
        i, j = np.triu_indices(len(ordered))
        held = np.sort((ordered[i] + ordered[j]) / 2)
        return [float(held[rank - 1]) for rank in places]
    return [_bisected(ordered, rank) / 2 for rank in places]


def _bisected(ordered: NDArray[np.float64], rank: int) -> int:
    """Give the smallest whole number that at least `place` sums of two do not exceed."""
    below, reached = 2 * int(ordered[0]) - 1, 2 * int(ordered[-1])
    while reached - below > 1:
        middle = (below + reached) // 2
        pairs = int(np.searchsorted(ordered, middle - ordered, side="right").sum())
        doubles = int((2 * ordered <= middle).sum())
        if (pairs + doubles) // 2 >= rank:
            reached = middle
        else:
            below = middle
    return reached


def floor(left: int) -> float:
    """Give the smallest p that so many differences other than 0 can have."""
    return min(1.0, 2.0 ** (1 - left))


def two_sided(deltas: NDArray[np.float64]) -> float:
    """Give p of differences that are not 0, whose ties are exact; 1 where none is left."""
    if not len(deltas):
        return 1.0
    p = exact(deltas) if len(deltas) <= EXACT else approximate(deltas)
    return max(p, floor(len(deltas)))


def exact(deltas: NDArray[np.float64]) -> float:
    """Give the exact p of differences that are not 0, given their sizes.

    Every sign is as likely either way, so that W is a sum of independent ranks, each there or not:
    their distribution is convolved over twice the ranks, which ties leave whole.

    >>> exact(np.array([1.0, 1.0, 1.0, 1.0, 1.0])), exact(np.array([1.0, 2.0, -2.0]))
    (0.0625, 1.0)
    """
    ranks, _ = average_ranks(np.abs(deltas))
    doubled = np.rint(2 * ranks).astype(np.int64)
    ways = np.ones(1)
    for rank in doubled:
        longer = np.zeros(len(ways) + rank)
        longer[: len(ways)] += ways / 2
        longer[rank:] += ways / 2
        ways = longer
    reached = int(doubled[deltas > 0].sum())
    least = min(reached, int(doubled.sum()) - reached)
    return min(1.0, 2 * float(ways[: least + 1].sum()))


def approximate(deltas: NDArray[np.float64]) -> float:
    """Give the normal approximation of differences that are not 0, corrected for ties.

    Var W = n (n + 1)(2 n + 1) / 24 - sum(t^3 - t) / 48 over ties of t.
    """
    n = len(deltas)
    ranks, ties = average_ranks(np.abs(deltas))
    variance = n * (n + 1) * (2 * n + 1) / 24 - float((ties**3 - ties).sum()) / 48
    return normal_p(float(ranks[deltas > 0].sum()), n * (n + 1) / 4, variance)


@lru_cache(maxsize=64)
def order(n: int, alpha: float) -> int:
    """Give the largest k for which [k-th smallest, k-th largest] Walsh average covers 1 - alpha.

    P(W+ < k) <= alpha / 2, exact to 500 pairs and by the normal approximation beyond; 0 where even
    the widest interval covers less.

    >>> order(10, 0.05)
    9
    """
    from scipy.special import ndtri

    if n > EXACT:
        mean, sd = n * (n + 1) / 4, math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        return max(0, math.floor(mean + float(ndtri(alpha / 2)) * sd))
    ways: NDArray[np.float64] = np.ones(1)
    for rank in range(1, n + 1):
        longer = np.zeros(len(ways) + rank)
        longer[: len(ways)] += ways / 2
        longer[rank:] += ways / 2
        ways = longer
    covered: list[float] = np.cumsum(ways).tolist()
    return len([share for share in covered if share <= alpha / 2 * (1 + 1e-12)])


def rank_biserial(deltas: NDArray[np.float64]) -> float:
    """Give (W+ - W-) / (W+ + W-) of differences that are not 0; 0 where there are none."""
    if not len(deltas):
        return 0.0
    ranks, _ = average_ranks(np.abs(deltas))
    return float((np.sign(deltas) * ranks).sum() / ranks.sum())

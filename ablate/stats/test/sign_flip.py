"""The sign-flip (permutation) test of paired differences."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ablate.registry import component
from ablate.stats import tied
from ablate.stats.student import standardised
from ablate.types import Comparison, TestResult

GRID_CELLS = 40_000_000
"""Beyond this many cells, the exact distribution is not counted out on a grid."""

HALVED = 36
"""Of up to so many differences off a grid, the sums of either half are held, and matched."""

DRAWS = 99_999
DECIMALS = 9
ALL_SUBSETS = 16
SUBSETS = 9_999
CELLS = 4_000_000
"""As many signs are held at once; of many pairs, fewer assignments are drawn in all."""


BY_BITS = 2_000
MOST_SIGNS = 50_000_000
FEWEST_DRAWS = 999
"""Of more than 5,000 pairs, no more signs are drawn in all, unless for so many assignments."""


@component("test", "sign-flip", paper="Fisher 1935; Pitman 1937, exact permutation of signs")
@dataclass(frozen=True)
class SignFlip:
    """p = share of the 2^n sign assignments with |sum| at least the observed one, two-sided.

    Exact where the differences lie on a grid (counts of test rows, or decimals), are all of one
    size (McNemar's test), or where m <= 36 are not 0; otherwise from 99,999 assignments drawn with
    a fixed generator (fewer beyond 200 pairs), which `assumes` then says. It can never go under
    2 / 2^m. The interval is the test's inversion, which lies
    between order statistics of the means of all subsets of the pairs (Hartigan 1969), or of 9,999.
    """

    def __call__(self, comparison: Comparison, alpha: float) -> TestResult:
        """Test that treatment and baseline are exchangeable within a seed."""
        deltas, n = tied.deltas(comparison), len(comparison.deltas)
        left = deltas[deltas != 0]
        steps = grid(left, comparison.resolution, comparison.round_off)
        assumes = "exchangeable arms"
        if len(np.unique(np.abs(left))) < 2:
            p = of_one_size(left)
        elif steps is not None:
            p = on_integers(steps)
        elif len(left) <= HALVED:
            p = by_halves(left, comparison.round_off)
        else:
            p = by_drawing(left)
            assumes += ", of which some signs were drawn"
        if n > ALL_SUBSETS:
            assumes += "; the interval is of drawn subsets"
        floor = min(1.0, 2.0 ** (1 - len(left)))
        mean = float(np.mean(comparison.deltas))
        low, high = interval(np.array(comparison.deltas), alpha)
        size = standardised(comparison)
        return TestResult(
            name="sign-flip",
            n=n,
            p=max(p, floor),
            estimate=mean,
            low=low,
            high=high,
            assumes=assumes,
            floor=floor,
            effect=size,
            measure="d_z",
        )


def grid(deltas: NDArray[np.float64], resolution: float, tiny: float) -> NDArray[np.int64] | None:
    """Give the differences in whole steps that all of them are, but for round-off, else None.

    The step is the resolution, the largest that all share, or a power of ten; each is held against
    every difference: no gap between scores is taken for one.
    """
    if not len(deltas) or not tiny > 0:
        return None
    decimal = 10.0 ** np.floor(np.log10(np.abs(deltas).max()))
    shared = common_step(np.abs(deltas), tiny)
    for step in (resolution, shared, *(decimal / 10**digits for digits in range(DECIMALS))):
        if not step > 0:
            continue
        steps = np.rint(deltas / step)
        if len(deltas) * np.abs(steps).sum() >= GRID_CELLS:
            continue
        if (np.abs(steps * step - deltas) <= 2 * tiny).all():
            whole: NDArray[np.int64] = steps.astype(np.int64)
            return np.asarray(whole // np.gcd.reduce(whole), np.int64)
    return None


def common_step(sizes: NDArray[np.float64], tiny: float) -> float:
    """Give the largest step that all sizes may be multiples of (Euclid); 0 where it vanishes.

    >>> round(common_step(np.array([6 / 7, 10 / 7, 15 / 7]), 1e-13) * 7, 9)
    1.0
    """
    step, slack = 0.0, max(1e-9 * float(sizes.max()), 4 * tiny)
    for size in np.unique(sizes):
        rest = float(size)
        while rest > slack:
            step, rest = rest, math.remainder(step, rest)
            rest = abs(rest)
    whole = np.rint(sizes / step)
    return float(sizes.sum() / whole.sum()) if step > slack else 0.0


def by_halves(deltas: NDArray[np.float64], tiny: float) -> float:
    """Give the exact p of differences that are not 0, at most `HALVED` of them.

    The sums of all signs of one half are searched for in those of the other, 2^(m/2) log m steps.
    Horowitz & Sahni 1974, J. ACM 21(2). Sums that differ by round-off are the same.

    >>> by_halves(np.array([0.1, 0.25, 0.7]), 1e-13)
    0.25
    """
    middle = len(deltas) // 2
    left, right = _sums(deltas[:middle]), np.sort(_sums(deltas[middle:]))
    reach = abs(float(deltas.sum())) - len(deltas) * tiny
    beyond = len(right) - np.searchsorted(right, reach - left, side="left")
    if reach <= 0:
        return 1.0
    return min(1.0, 2 * float(beyond.sum()) / 2.0 ** len(deltas))


def _sums(deltas: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the sums of all assignments of signs, `[2^m]`."""
    sums = np.zeros(1)
    for delta in deltas:
        sums = np.concatenate([sums + delta, sums - delta])
    return sums


def interval(deltas: NDArray[np.float64], alpha: float) -> tuple[float, float]:
    """Give the mean differences that the test would not reject at alpha.

    Flipping a subset's signs about m gives a sum no larger exactly where the subset's mean is at
    most m; with the empty subset, that counts the test's one-sided p.
    """
    if len(deltas) <= ALL_SUBSETS:
        sums, sizes = np.zeros(1), np.zeros(1)
        for delta in deltas:
            sums, sizes = np.append(sums, sums + delta), np.append(sizes, sizes + 1)
    else:
        sums, sizes = _subsets(deltas)
    means = np.sort(sums[sizes > 0] / sizes[sizes > 0])
    k = int(np.floor(alpha / 2 * (len(means) + 1)))  # P(m under the k-th mean) is k / 2^n
    return (float(means[k - 1]), float(means[-k])) if k else (-np.inf, np.inf)


def _subsets(deltas: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give the sums and the sizes of subsets drawn with a fixed generator, the empty one first.

    Drawn and summed in parts: with the numbers they are multiplied by, signs take nine bytes.
    """
    n, rng = len(deltas), np.random.default_rng(0)
    count = min(SUBSETS, 1_000 + CELLS // (2 * n))
    sums, sizes = [], []
    for start in range(0, count, step := max(1, 10 * CELLS // n)):
        chosen = _signs(rng, min(step, count - start), n)
        if start == 0:
            chosen[0] = 0
        for part in np.array_split(chosen, max(1, chosen.size // CELLS)):
            sums.append(part @ deltas)
            sizes.append(part.sum(1, dtype=np.float64))
    return np.concatenate(sums), np.concatenate(sizes)


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


def of_one_size(deltas: NDArray[np.float64]) -> float:
    """Give the exact p of differences that are one size or 0, as of right and wrong answers.

    The number of positive ones is then binomial: McNemar 1947, Psychometrika 12(2).

    >>> of_one_size(np.array([2.0, 2.0, 2.0, 0.0]))
    0.25
    """
    from scipy.special import bdtr

    up, down = int((deltas > 0).sum()), int((deltas < 0).sum())
    return 1.0 if up == down else min(1.0, 2 * float(bdtr(min(up, down), up + down, 0.5)))


def _signs(rng: np.random.Generator, count: int, n: int) -> NDArray[np.int8]:
    """Draw 0 or 1 for each of n pairs, `[count, n]`; for many pairs eight from each byte."""
    if n <= BY_BITS:
        return rng.integers(0, 2, (count, n), dtype=np.int8)
    drawn = rng.integers(0, 256, (count, -(-n // 8)), dtype=np.uint8)
    return np.unpackbits(drawn, axis=1, count=n).view(np.int8)


def by_drawing(deltas: NDArray[np.float64]) -> float:
    """Give p from drawn assignments, the one that was seen among them."""
    n, rng = len(deltas), np.random.default_rng(0)
    draws = max(min(SUBSETS, MOST_SIGNS // n), min(DRAWS, 5 * CELLS // n), FEWEST_DRAWS)
    reach = abs(float(deltas.sum())) - 1e-9 * float(np.abs(deltas).sum())
    beyond, step = 0, max(1, CELLS // n)
    for start in range(0, draws, step):
        signs = _signs(rng, min(step, draws - start), n)
        sums = 2 * (signs @ deltas) - deltas.sum()
        beyond += int((np.abs(sums) >= reach).sum())
    return (1 + beyond) / (1 + draws)

"""How often is a run of one arm better than a run of the other, whatever their seeds?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ablate.registry import component
from ablate.stats.ranks import average_ranks, normal_p
from ablate.stats.tied import merged
from ablate.types import Comparison, Floats, TestResult

EXACT = 50
VANISHING = 500
"""Of so many runs an arm, 2 / C(2 n, n) is no floating-point number any more."""


@component(
    "test", "superiority", paper="Cliff 1993, Psychol. Bulletin 114(3); Vargha & Delaney 2000"
)
@dataclass(frozen=True)
class Superiority:
    """A12 = P(treatment > baseline) + P(tie) / 2 over all pairs of runs; Cliff's delta = 2 A12 - 1.

    Also known as the probability of improvement (Agarwal et al. 2021). It does not use the pairing;
    its p is Mann-Whitney's, exact up to 50 runs an arm, given the ties. The interval is Cliff's,
    from the unbiased variance of delta, in the asymmetric form of Feng & Cliff 2004.
    """

    def __call__(self, comparison: Comparison, alpha: float) -> TestResult:
        """Test that both arms' scores have one distribution; needs two runs an arm."""
        n = len(comparison.treatment_values)
        every = np.array([*comparison.treatment_values, *comparison.baseline_values])
        every = merged(every, comparison.round_off)  # scores that differ by round-off are tied
        treatment, baseline = every[:n].tolist(), every[n:].tolist()
        delta, p = cliffs_delta(treatment, baseline), 1.0
        floor = min(1.0, 2 / math.comb(2 * n, n)) if n < VANISHING else 0.0
        if len(np.unique(every)) > 1:
            p = (exact if n <= EXACT else approximate)(treatment, baseline)
        if n <= EXACT:  # with ties, other choices of runs are as far apart as the farthest
            halves = np.sort(every)
            floor = exact(halves[n:].tolist(), halves[:n].tolist())
        low, high = ((1 + end) / 2 for end in interval(treatment, baseline, alpha))
        assumes = "unpaired runs"
        return TestResult(
            name="superiority",
            n=n,
            p=p,
            estimate=(1 + delta) / 2,
            low=low,
            high=high,
            assumes=assumes,
            floor=floor,
            effect=delta,
            measure="Cliff's delta",
        )


def exact(x: Sequence[float], y: Sequence[float]) -> float:
    """Give the exact p of two arms of as many runs, given all scores and their ties.

    Any n of the 2 n ranks are as likely to be the first arm's: how many choices have which sum is
    counted over twice the ranks, which ties leave whole.

    >>> round(exact([3.0, 4.0, 5.0], [1.0, 2.0, 2.0]), 6)
    0.1
    """
    n = len(x)
    ranks, _ = average_ranks(np.array([*x, *y]))
    doubled = np.rint(2 * ranks).astype(np.int64)
    most = int(np.sort(doubled)[n:].sum())
    ways = np.zeros((n + 1, most + 1))
    ways[0, 0] = 1.0
    for rank in doubled:
        ways[1:, rank:] += ways[:-1, : most + 1 - rank].copy()
    share = ways[n] / ways[n].sum()
    reached, middle = int(doubled[:n].sum()), n * (2 * n + 1)
    distances = np.abs(np.arange(most + 1) - middle)  # twice the sum's distance from its mean
    return min(1.0, float(share[distances >= abs(reached - middle)].sum()))


def approximate(x: Sequence[float], y: Sequence[float]) -> float:
    """Give the normal approximation, corrected for ties.

    Var U = n m / 12 (N + 1 - sum(t^3 - t) / (N (N - 1))), N = n + m, over ties of t.
    """
    n, m = len(x), len(y)
    whole = n + m
    ranks, ties = average_ranks(np.array([*x, *y]))
    u = float(ranks[:n].sum()) - n * (n + 1) / 2
    tied = float((ties**3 - ties).sum()) / (whole * (whole - 1))
    return normal_p(u, n * m / 2, n * m / 12 * (whole + 1 - tied))


def cliffs_delta(x: Sequence[float], y: Sequence[float]) -> float:
    """Give P(x > y) - P(x < y) over all pairs.

    >>> cliffs_delta([3, 4], [1, 3])
    0.75
    """
    return float(placements(x, y).mean())


def placements(x: Sequence[float] | Floats, y: Sequence[float] | Floats) -> Floats:
    """Give for each x the share of y below it less the share above it, in n log n steps.

    >>> placements([3, 4], [1, 3]).tolist()
    [0.5, 1.0]
    """
    ordered = np.sort(np.asarray(y))
    below = np.searchsorted(ordered, np.asarray(x), side="left")
    above = len(ordered) - np.searchsorted(ordered, np.asarray(x), side="right")
    return np.asarray((below - above) / len(ordered), np.float64)


def tied_pairs(x: Sequence[float], y: Sequence[float]) -> int:
    """Count the pairs of an x and a y that are equal."""
    ordered = np.sort(np.asarray(y))
    ends = (np.searchsorted(ordered, np.asarray(x), side=side) for side in ("right", "left"))
    last, first = ends
    return int((last - first).sum())


def interval(x: Sequence[float], y: Sequence[float], alpha: float) -> tuple[float, float]:
    """Give the 1 - alpha interval of Cliff's delta; needs two of each.

    Where one arm lies wholly above the other the variance is 0, and so would be the interval: it
    then reaches as far as the exact Clopper-Pearson bound of as many pairs of runs as the smaller
    arm has.
    """
    from scipy.special import ndtri

    wins, losses = placements(x, y), placements(y, x)
    n, m, d = len(wins), len(losses), float(wins.mean())
    if abs(d) == 1:
        reach = 2 * (alpha / 2) ** (1 / min(n, m)) - 1
        return (reach, 1.0) if d > 0 else (-1.0, -reach)
    rows, columns = (wins - d) ** 2, (losses + d) ** 2
    whole = n * m * (1 - d**2) - tied_pairs(x, y)  # sum over all pairs of (sign - d)^2
    variance = (m**2 * rows.sum() + n**2 * columns.sum() - whole) / (n * m * (n - 1) * (m - 1))
    variance = max(variance, (1 - d**2) / (n * m - 1))
    z2 = float(ndtri(alpha / 2)) ** 2
    root = math.sqrt(z2 * variance * ((1 - d**2) ** 2 + z2 * variance))
    ends = [(d - d**3 + way * root) / (1 - d**2 + z2 * variance) for way in (-1, 1)]
    return max(-1.0, ends[0]), min(1.0, ends[1])

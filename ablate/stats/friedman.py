"""Ranks of several arms over data sets: Friedman's test and what may follow it.

Scores are `[blocks, arms]`; rank 1 is the best, which is the largest unless `lower` is said; ties
share their average rank.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ablate.core.verdict_values import ROUND_OFF
from ablate.stats.correction import adjust
from ablate.stats.test.wilcoxon import two_sided
from ablate.stats.tied import merged
from ablate.types import Floats

MOST_ORDERS, MOST_SUMS = 720, 300_000
"""Orders of one block, and rank sums in a step, beyond which the exact p is not counted."""


@dataclass(frozen=True)
class Friedman:
    """Whether the arms' ranks differ over the blocks.

    ranks: average rank of each arm. statistic: Friedman's chi-square, corrected for ties, with
    `df` degrees of freedom, and its p. f, f_p: Iman & Davenport's F of it, less conservative, with
    df and df (blocks - 1) degrees of freedom; infinite where all blocks agree. exact: the share of
    all orders of the ranks inside the blocks with as large a statistic, nan where they are too many
    to count. No p is under `floor`, the smallest that such a share can be.
    """

    ranks: tuple[float, ...]
    blocks: int
    statistic: float
    df: int
    p: float
    f: float
    f_p: float
    exact: float = math.nan
    floor: float = 0.0


def ranked(scores: Floats, lower: bool = False) -> Floats:
    """Rank the arms inside each block, `[blocks, arms]`."""
    from scipy.stats import rankdata

    scores = np.asarray(scores, float)
    tiny = ROUND_OFF * float(np.abs(scores).max(initial=0.0))
    scores = np.array([merged(block, tiny) for block in scores])
    ranks: Floats = rankdata(scores if lower else -scores, axis=1)
    return ranks


def friedman(scores: Floats, lower: bool = False) -> Friedman:
    """Test that no arm ranks higher than another; needs two blocks and two arms.

    Friedman 1937, JASA 32; Iman & Davenport 1980, Comm. Statist. A9(6): F = (N - 1) chi2 /
    (N (k - 1) - chi2). SciPy's test asks for three arms, so that its formula is used for two.
    """
    from scipy.stats import chi2, f

    ranks = ranked(scores, lower)
    n, k = ranks.shape
    sums = ranks.sum(0)
    tied = (ranks**2).sum() - n * k * (k + 1) ** 2 / 4  # n k (k^2 - 1) / 12 without ties
    between = ((sums - n * (k + 1) / 2) ** 2).sum()
    statistic = float((k - 1) * between / tied) if tied > 1e-9 else 0.0
    left = n * (k - 1) - statistic
    ratio = (n - 1) * statistic / left if left > 1e-9 else math.inf
    counted, least = distribution(ranks)
    f_p = 0.0 if math.isinf(ratio) else float(f.sf(ratio, k - 1, (k - 1) * (n - 1)))
    return Friedman(
        ranks=tuple(map(float, sums / n)),
        blocks=n,
        statistic=statistic,
        df=k - 1,
        p=max(least, float(chi2.sf(statistic, k - 1))),
        f=ratio,
        f_p=max(least, f_p),
        exact=counted,
        floor=least,
    )


def exact(ranks: Floats) -> float:
    """Give the share of all orders inside the blocks whose rank sums lie as far apart; see above.

    >>> exact(np.array([[1.0, 2.0]] * 5)), exact(np.array([[1.0, 2.0, 3.0]] * 3))
    (0.0625, 0.027777777777777776)
    """
    return distribution(ranks)[0]


def distribution(ranks: Floats) -> tuple[float, float]:
    """Give that share, and the share of the orders whose sums lie farthest apart: the smallest p.

    The sums' distribution is carried from block to block, given the ties that are there; the order
    of the arms does not matter, so that sums are kept sorted. Beyond `MOST_SUMS` of them, nan and
    a bound that no smallest p is under; see `least`.

    >>> distribution(np.array([[1.0, 2.5, 2.5]] * 2))
    (0.3333333333333333, 0.3333333333333333)
    """
    n, k = ranks.shape
    if math.factorial(k) > MOST_ORDERS:
        return math.nan, least(ranks)
    doubled = np.rint(2 * ranks).astype(np.int64)
    sums: Any = np.zeros((1, k), np.int64)
    share: Any = np.ones(1)
    for block in doubled:
        orders = np.array(list(itertools.permutations(block.tolist())))
        if len(sums) * len(orders) > MOST_SUMS:
            return math.nan, least(ranks)
        reached = np.sort((sums[:, None] + orders).reshape(-1, k), axis=1)
        sums, places = np.unique(reached, axis=0, return_inverse=True)
        share = np.bincount(places.ravel(), np.repeat(share / len(orders), len(orders)))
    distances = ((2 * sums - 2 * n * (k + 1)) ** 2).sum(1)  # whole numbers: ties are exact
    seen = int(((2 * doubled.sum(0) - 2 * n * (k + 1)) ** 2).sum())
    p, smallest = (
        min(1.0, float(share[distances >= far].sum())) for far in (seen, distances.max())
    )
    return p, smallest


def least(ranks: Floats) -> float:
    """Give a bound that no share of the orders is under, given the ties; exact where all agree.

    Arms can be renamed in whatever order is the most extreme, so that as many orders of all blocks
    are as extreme as the block with the fewest ties has: 1 / product over the other blocks. Without
    ties (k!)^(1 - n).

    >>> round(1 / least(np.array([[1.0, 2.0, 3.0], [1.5, 1.5, 3.0], [1.5, 1.5, 3.0]])))
    9
    """
    logs = []
    for block in ranks:
        sizes = np.unique(block, return_counts=True)[1]
        logs.append(math.lgamma(len(block) + 1) - sum(math.lgamma(size + 1) for size in sizes))
    return math.exp(max(logs) - sum(logs))


def critical_difference(arms: int, blocks: int, alpha: float = 0.05) -> float:
    """Give Nemenyi's critical difference of average ranks, q sqrt(k (k + 1) / (6 N)).

    q is the studentised range's quantile, infinite degrees of freedom, over sqrt(2). Demsar 2006,
    JMLR 7.

    >>> round(critical_difference(4, 14), 3)
    1.254
    """
    from scipy.stats import studentized_range

    q = float(studentized_range.isf(alpha, arms, np.inf)) / math.sqrt(2)
    return q * math.sqrt(arms * (arms + 1) / (6 * blocks))


def nemenyi(ranks: Sequence[float], blocks: int) -> Floats:
    """Give Nemenyi's p of each pair of arms, `[arms, arms]`; approximate.

    None is under (k (k - 1))^(1 - blocks), the share of all orders in which one arm is first and
    one other is last in every block.
    """
    from scipy.stats import studentized_range

    k = len(ranks)
    floor = float(k * (k - 1)) ** (1 - blocks)
    distances = np.abs(np.subtract.outer(ranks, ranks)) * math.sqrt(6 * blocks / (k * (k + 1)))
    p = np.ones((k, k))
    for i, j in itertools.combinations(range(k), 2):
        p[i, j] = p[j, i] = studentized_range.sf(distances[i, j] * math.sqrt(2), k, np.inf)
    return np.clip(p, floor, 1)


def conover(scores: Floats, lower: bool = False) -> Floats:
    """Give Conover's p of each pair of arms, unadjusted, `[arms, arms]`.

    t = |R_i - R_j| / sqrt(2 N (A - sum R^2 / N) / ((N - 1)(k - 1))), R the rank sums, A the sum of
    all squared ranks; (N - 1)(k - 1) degrees of freedom. Conover 1999, section 5.8.
    """
    from scipy.stats import t as student

    ranks = ranked(scores, lower)
    n, k = ranks.shape
    sums, df = ranks.sum(0), (n - 1) * (k - 1)
    left = 2 * n * ((ranks**2).sum() - (sums**2).sum() / n) / df
    distances = np.abs(np.subtract.outer(sums, sums))
    smallest = distribution(ranks)[1]
    if left < 1e-9:  # every block agrees
        return np.where(distances > 0, smallest, 1.0)
    return np.asarray(2 * student.sf(distances / math.sqrt(left), df)).clip(smallest, 1)


def wilcoxon_pairs(scores: Floats) -> Floats:
    """Give Wilcoxon's p of each pair of arms over the blocks, corrected by Holm, `[arms, arms]`."""
    scores = np.asarray(scores, float)
    k, tiny = scores.shape[1], ROUND_OFF * float(np.abs(scores).max(initial=0.0))
    pairs = list(itertools.combinations(range(k), 2))
    differences = [merged(scores[:, i] - scores[:, j], tiny) for i, j in pairs]
    raw = [two_sided(deltas[deltas != 0]) for deltas in differences]
    p = np.ones((k, k))
    for (i, j), value in zip(pairs, adjust(raw, "holm"), strict=True):
        p[i, j] = p[j, i] = value
    return p


def cliques(ranks: Sequence[float], p: Floats, alpha: float = 0.05) -> list[tuple[int, ...]]:
    """Give the largest runs of neighbours in rank of whom no two differ, best first; no singles.

    >>> cliques([1.0, 2.0, 4.0], np.array([[1, 0.5, 0.01], [0.5, 1, 0.2], [0.01, 0.2, 1]]))
    [(0, 1), (1, 2)]
    """
    order = [int(i) for i in np.argsort(ranks, kind="stable")]
    groups: list[tuple[int, ...]] = []
    for start in range(len(order)):
        end = start + 1
        while end < len(order) and all(p[order[end], arm] > alpha for arm in order[start:end]):
            end += 1
        if end - start > 1 and not any({*order[start:end]} <= {*group} for group in groups):
            groups.append(tuple(order[start:end]))
    return groups

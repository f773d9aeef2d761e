"""Means of differences that are not independent: items in clusters, folds that share rows."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence

import numpy as np

from ablate.stats.pooled import Pooled
from ablate.types import Floats


def clustered(
    deltas: Sequence[float], clusters: Sequence[Hashable], resolution: float, tiny: float = 0.0
) -> Pooled:
    """Give the mean over items, with an error that lets the items of a cluster resemble each other.

    var = sum_g (sum_{i in g} (d_i - mean))^2 / (1 - n_g / n) / n^2: the bias-reduced sandwich of
    Bell & McCaffrey 2002, Survey Methodology 28(2), for a mean; of clusters of one size it is the
    usual one times G / (G - 1), as in Miller 2024, arXiv:2411.00640. Its degrees of freedom are
    Satterthwaite's (Imbens & Kolesár 2016, Rev. Econ. Stat. 98(4)), the smaller of those for
    items that are independent and for items of a cluster that are all alike: G - 1 where clusters
    are of one size, fewer where few of them hold most items.

    deltas, clusters: an item each; two clusters are needed. resolution: the spread of cluster means
    that do not vary by more than `tiny`.
    """
    values = np.asarray(deltas, float)
    places = {name: place for place, name in enumerate(dict.fromkeys(clusters))}
    index = np.array([places[name] for name in clusters])
    sizes = np.bincount(index).astype(float)
    mean = math.fsum(deltas) / len(values)
    share = sizes / len(values)
    sums = np.bincount(index, weights=values - mean) / np.sqrt(1 - share)
    error = float(np.linalg.norm(sums)) / len(values)
    if error <= tiny:
        error = resolution / math.sqrt(len(sizes))
    return Pooled(mean, error, min(_alone(sizes, share), _alike(sizes, share)))


def _alone(sizes: Floats, share: Floats) -> float:
    """Give the degrees of freedom where the items of a cluster are independent.

    The clusters' sums have the covariance diag(a) - z z'; df = tr^2 / the sum of its squares.
    """
    scale = 1 / (1 - share)
    a, z2 = scale * sizes, scale * sizes * share
    squares = float((a**2).sum() - 2 * (a * z2).sum() + z2.sum() ** 2)
    return float((a - z2).sum()) ** 2 / squares


def _alike(sizes: Floats, share: Floats) -> float:
    """Give the degrees of freedom where the items of a cluster are all the same.

    The clusters' sums have the covariance diag(a) - x y' - y x' + s y y', s = sum n_g^2.
    """
    scale = 1 / np.sqrt(1 - share)
    a, x, y = scale**2 * sizes**2, scale * sizes**2, scale * share
    s = float((sizes**2).sum())
    diagonal = -2 * x * y + s * y**2
    xx, xy, yy = float(x @ x), float(x @ y), float(y @ y)
    low = 2 * xx * yy + 2 * xy**2 + s**2 * yy**2 - 4 * s * xy * yy
    squares = float((a**2).sum() + 2 * (a * diagonal).sum()) + low
    return float((a + diagonal).sum()) ** 2 / squares


def resampled(deltas: Sequence[float], spread: float, ratio: float) -> Pooled:
    """Give the mean over folds that share training rows, with the corrected resampled error.

    var = (1 / n + n_test / n_train) s^2, n - 1 degrees of freedom. Nadeau & Bengio 2003, Machine
    Learning 52(3); for repeated cross-validation Bouckaert & Frank 2004, PAKDD.

    deltas: one a fold. spread: their standard deviation. ratio: n_test / n_train, 1 / (k - 1) for k
    folds.

    >>> mean = resampled([0.1, 0.3, 0.2, 0.2], 0.0816, 1 / 3)
    >>> round(mean.estimate, 9), round(mean.error, 4), mean.df
    (0.2, 0.0623, 3.0)
    """
    n = len(deltas)
    return Pooled(math.fsum(deltas) / n, math.sqrt(1 / n + ratio) * spread, float(n - 1))

"""Where the variance of a score comes from, by runs that cross the seeds of its random streams."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ablate.types import Floats, Ints

DRAWS = 10_000
"""Of each interval's generalized pivots."""

REST = "their interactions"


@dataclass(frozen=True)
class Source:
    """One stream's part of a variance.

    variance: unbiased, so that it may be below 0, in squared units of the scores. share: of all
    the variance, in [0, 1], with what is below 0 taken for 0; low, high: its interval.
    """

    name: str
    variance: float
    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Sources:
    """The variance of one run's score when all streams are drawn afresh, and its parts.

    variance: unbiased, never below 0; low, high: its interval. parts: the streams
    alone; rest: what only streams together explain. squares: of runs. levels: seeds of each stream
    in a square.
    """

    variance: float
    low: float
    high: float
    parts: tuple[Source, ...]
    rest: Source
    squares: int
    levels: int

    @property
    def worth(self) -> float:
        """Give how many seeds that draw all streams afresh say as much of the mean as a square.

        Var(mean of a square) = sum_k V_k / L + V_rest / L^2; of n seeds it is V / n.
        """
        alone = math.fsum(max(0.0, part.variance) for part in self.parts)
        rest = max(0.0, self.rest.variance)
        error = alone / self.levels + rest / self.levels**2
        return (alone + rest) / error if error else math.nan


def sources(values: Floats, levels: Mapping[str, Ints], confidence: float = 0.9) -> Sources:
    """Part the variance of scores by stream. values `[squares, L^2]`; levels `[L^2]` by stream.

    Model (Hoeffding 1948; the main effects of Sobol' 1993): y = mean + sum_k effect_k(seed of
    stream k) + rest, all uncorrelated with variances V_k and V_rest, where rest is every
    interaction of streams. The L^2 runs of a square stand in an orthogonal array of strength 2, so
    that any two share at most one stream's seed: their covariance is that stream's V_k, or 0, and
    no interaction is mistaken for a main effect. With MS_k the mean square between the L seeds of
    stream k in a square (L - 1 degrees of freedom) and MS_0 that of what is left (L^2 - 1 - K
    (L - 1)), pooled over squares:

        E MS_0 = V_rest,  E MS_k = V_rest + L V_k,  V = V_rest + sum_k V_k

    (random-effects analysis of variance; Searle, Casella & McCulloch 1992, Variance Components, ch.
    4; there are no more than L streams). The interval of V is Satterthwaite's (1946, Biometrics 2).
    Those of shares are generalized ones (Weerahandi 1993, JASA 88): in V_k / V, MS_k and MS_0 are
    replaced by their sums of squares over chi-square draws, and so is the sum of the other
    streams', with Satterthwaite's degrees of freedom: one by one their draws would add up their
    skew. All suppose normal effects.
    Raises ValueError where no degree of freedom is left for the rest.
    """
    squares, runs = values.shape
    side = math.isqrt(runs)
    if np.ptp(values) <= 1e-9 * max(1.0, float(np.abs(values).max())):
        values = np.zeros_like(values)  # round-off is no variance
    between, left = mean_squares(values, levels)
    df, df_left = squares * (side - 1), squares * (runs - 1 - len(levels) * (side - 1))
    if df_left < 1:
        raise ValueError(f"{len(levels)} streams leave nothing of {runs} runs for the rest")
    ms = np.array([float(value) for value in between.values()])
    variances = np.append((ms - left) / side, left)
    shares = np.maximum(0, variances)
    shares = shares / shares.sum() if shares.any() else np.full_like(shares, np.nan)
    pooled = _Pooled(ms=ms, df=df, left=float(left), df_left=df_left, side=side)
    tails = (1 - confidence) / 2, (1 + confidence) / 2
    parts = [
        Source(name, float(part), float(share), *pooled.interval(place, tails))
        for place, (name, part, share) in enumerate(
            zip((*levels, REST), variances, shares, strict=True)
        )
    ]
    low, high = pooled.whole(tails)
    return Sources(
        variance=float(variances.sum()),
        low=low,
        high=high,
        parts=tuple(parts[:-1]),
        rest=parts[-1],
        squares=squares,
        levels=side,
    )


@dataclass(frozen=True)
class _Pooled:
    """Mean squares of the streams, `[K]`, and of the rest, with their degrees of freedom."""

    ms: Floats
    df: int
    left: float
    df_left: int
    side: int

    @property
    def weight(self) -> float:
        """Give the weight of the rest's mean square in V; it is not below 0."""
        return 1 - len(self.ms) / self.side

    def whole(self, tails: tuple[float, float]) -> tuple[float, float]:
        """Give the interval of V = sum_k MS_k / L + (1 - K / L) MS_0."""
        from scipy.stats import chi2

        parts = np.append(self.ms / self.side, self.weight * self.left)
        total, df = _satterthwaite(parts, np.append(np.full(len(self.ms), self.df), self.df_left))
        low, high = (total * df / float(chi2.ppf(1 - tail, df)) for tail in tails)
        return low, high

    def interval(self, place: int, tails: tuple[float, float]) -> tuple[float, float]:
        """Give the interval of a stream's share of V; of the rest's for the place after them."""
        draws = np.random.default_rng(0)
        rest = self._drawn(draws, self.left, self.df_left)
        others = np.delete(self.ms, place) if place < len(self.ms) else self.ms
        whole = self.weight * rest
        if len(others):
            total, df = _satterthwaite(others / self.side, np.full(len(others), self.df))
            whole = whole + self._drawn(draws, total, df)
        part = rest
        if place < len(self.ms):
            square = self._drawn(draws, float(self.ms[place]), self.df)
            whole, part = whole + square / self.side, (square - rest) / self.side
        if not whole.all():
            return math.nan, math.nan
        low, high = np.quantile(np.clip(part / whole, 0, 1), tails)
        return float(low), float(high)

    def _drawn(self, draws: np.random.Generator, square: float, df: float) -> Floats:
        return np.asarray(square * df / draws.chisquare(df, DRAWS))


def _satterthwaite(parts: Floats, dfs: Floats) -> tuple[float, float]:
    """Give the sum of independent mean squares, and the degrees of freedom that it is read with."""
    total, spread = float(parts.sum()), float((parts**2 / dfs).sum())
    return total, total**2 / spread if spread else float(dfs.sum())


def mean_squares(values: Floats, levels: Mapping[str, Ints]) -> tuple[dict[str, Floats], Floats]:
    """Give the mean squares of each stream and of the rest. values `[squares, L^2, ...]`."""
    squares, runs = values.shape[:2]
    side = math.isqrt(runs)
    off = values - values.mean(1, keepdims=True)
    left, df_left = (off**2).sum((0, 1)), squares * (runs - 1)
    between = {}
    for name, level in levels.items():
        means = np.stack([off[:, level == n].mean(1) for n in range(side)])
        total = side * (means**2).sum((0, 1))
        between[name] = total / (squares * (side - 1))
        left, df_left = left - total, df_left - squares * (side - 1)
    return between, np.maximum(0.0, left) / max(1, df_left)


def variance(values: Floats, levels: Mapping[str, Ints]) -> Floats:
    """Give the variance with all streams drawn afresh, unbiased. values `[squares, L^2, ...]`."""
    between, left = mean_squares(values, levels)
    side = math.isqrt(values.shape[1])
    parts = [(value - left) / side for value in between.values()]
    return np.asarray(left + sum(parts, np.zeros_like(left)))

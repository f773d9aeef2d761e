"""How often a t statistic crosses its boundaries by each look: exact, for normal differences.

With u_n = sum(x) / sqrt(sum(x^2)), u_{n+1} = u_n cos(a) + sin(a), a independent of u_n with density
proportional to cos(a)^(n-1): a Markov chain, so that its distribution function F is carried
exactly: F_{n+1}(v) = E F_n(min(b, (v - sin a) / cos a)), b the last look's boundary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ablate.types import Floats

NODES = 111
"""Points on which a distribution function is carried from seed to seed."""

EDGE = 9.0
"""Where the carried distribution ends, in standard deviations."""


POINTS, WEIGHTS = np.polynomial.legendre.leggauss(32)
"""Of each of the two parts of the expectation over the angle."""


def crossing(planned: Sequence[int], levels: Sequence[float]) -> Floats:
    """Give P(T_n >= t quantile of its level at some look so far), at each look, under mean 0."""
    from scipy.interpolate import CubicSpline
    from scipy.stats import t as student

    bounds = [_from_t(student.isf(q, n - 1), n) for n, q in zip(planned, levels, strict=True)]
    n, top = planned[0], bounds[0]
    start = np.linspace(-min(math.sqrt(n) * (1 - 1e-9), EDGE), top, NODES)
    values = student.cdf(start * math.sqrt(n - 1) / np.sqrt(n - start**2), n - 1)
    low, below = start[0], CubicSpline(start, values)
    crossed = [levels[0]]
    for look, bound in zip(planned[1:], bounds[1:], strict=True):
        while n < look:
            n += 1
            edge = min(math.sqrt(n), EDGE)
            nodes = np.linspace(-edge, bound if n == look else edge, NODES)
            values = _carried(below, low, top, n - 1, nodes)
            low, top, below = nodes[0], nodes[-1], CubicSpline(nodes, values)
        crossed.append(1 - float(values[-1]))
    return np.array(crossed)


def spending(planned: Sequence[int], shares: Sequence[float]) -> Floats:
    """Give each look's nominal level with which P(crossed by then) is its share, increasing."""
    from scipy.interpolate import CubicSpline
    from scipy.optimize import brentq
    from scipy.stats import t as student

    n, levels = planned[0], [shares[0]]
    top = _from_t(student.isf(shares[0], n - 1), n)
    start = np.linspace(-min(math.sqrt(n) * (1 - 1e-9), EDGE), top, NODES)
    values = student.cdf(start * math.sqrt(n - 1) / np.sqrt(n - start**2), n - 1)
    low, below = start[0], CubicSpline(start, values)
    for look, share in zip(planned[1:], shares[1:], strict=True):
        while n < look:
            n += 1
            before = below, low, top
            edge = min(math.sqrt(n), EDGE) * (1 - 1e-9)
            nodes = np.linspace(-edge, edge, NODES)
            values = _carried(*before, n - 1, nodes)
            low, top, below = nodes[0], nodes[-1], CubicSpline(nodes, values)

        def crossed_by(v: float, before: Any = before, n: int = n) -> float:
            below, low, top = before
            return 1 - float(_carried(below, low, top, n - 1, np.array([v]))[0])

        if crossed_by(top) < share:
            top = brentq(lambda v, share=share, by=crossed_by: by(v) - share, 0.0, top, xtol=1e-13)
        nodes = np.linspace(low, top, NODES)  # the function ends here: its spline must, too
        below = CubicSpline(nodes, _carried(*before, n - 1, nodes))
        levels.append(float(student.sf(top * math.sqrt(n - 1) / math.sqrt(n - top**2), n - 1)))
    return np.array(levels)


def _from_t(t: float, n: int) -> float:
    return float(t * math.sqrt(n) / math.sqrt(n - 1 + t * t))


def _carried(below: Any, low: float, top: float, n: int, nodes: Floats) -> Floats:
    """Give F_{n+1} at the nodes from F_n = `below` on [low, top], split where min() bends."""
    from scipy.special import gammaln

    half = math.pi / 2 if n < 40 else min(math.pi / 2, EDGE / math.sqrt(n))
    bend = np.arcsin(np.clip(nodes / math.hypot(1, top), -1, 1)) - math.atan(top)
    bend = np.clip(bend, -half, half)
    total: Floats = np.zeros_like(nodes)
    for left, right in ((np.full_like(nodes, -half), bend), (bend, np.full_like(nodes, half))):
        reach = ((right - left) / 2)[:, None]
        angle = ((right + left) / 2)[:, None] + reach * POINTS
        cosine = np.maximum(np.cos(angle), 1e-300)
        before = np.minimum((nodes[:, None] - np.sin(angle)) / cosine, top)
        inside = np.where(before <= low, 0.0, below(np.maximum(before, low)))
        total += (reach * WEIGHTS * np.exp((n - 1) * np.log(cosine)) * inside).sum(1)
    return total * math.exp(gammaln((n + 1) / 2) - gammaln(n / 2) - 0.5 * math.log(math.pi))

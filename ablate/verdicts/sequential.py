"""When a verdict may be read: repeated t intervals at declared looks, a t-mixture at any time.

Both answer the same two questions about a t statistic at a look, one-sided: which p it has over the
whole schedule, and which constant it must reach. With one look they are Student's t.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np

from ablate.types import Floats

NODES = 111
"""Points on which a distribution function is carried from seed to seed."""

EDGE = 9.0
"""Where the carried distribution ends, in standard deviations."""

LEVELS = np.geomspace(1e-5, 0.5, 20)
"""Nominal levels at which a schedule's overall level is tabulated; Bonferroni's bound beyond."""

FAR = 1e-250


class Rule(Protocol):
    """What turns a t statistic at a look into a p-value that holds over all looks."""

    @property
    def name(self) -> str:
        """Give its name in reports."""

    def p(self, t: Any, n: int) -> Any:
        """Give the one-sided p of `t` on n pairs; above 0.5 it may be cut to 1."""

    def constant(self, level: float, n: int) -> float:
        """Give the t that must be reached on n pairs for a one-sided p of `level`."""


@dataclass(frozen=True)
class Looks:
    """Repeated t intervals at declared looks, each at the same nominal level.

    P(some look: sqrt(n) (mean - mu) / s >= c_n) = level, for normal differences. c_n is Student's
    quantile of one nominal level for every look, so a lost pair changes degrees of freedom only.
    Jennison & Turnbull 1989, JRSS B 51(3); Pocock 1977 for the equal levels. Unlike both papers,
    whose constants assume a known variance, those here are exact for an estimated one.

    planned: seeds at each look, increasing, the last being the most that will be spent.
    """

    planned: tuple[int, ...]

    @property
    def name(self) -> str:
        """Give its name in reports."""
        return "repeated t" if len(self.planned) > 1 else "Student t"

    def p(self, t: Any, n: int) -> Any:
        """Give the one-sided p of `t` over all looks, never under the nominal one."""
        from scipy.special import stdtr

        nominal = stdtr(n - 1, -np.asarray(t))
        return nominal if len(self.planned) == 1 else _overall(self.planned, nominal)

    def constant(self, level: float, n: int) -> float:
        """Give c_n for a one-sided error of `level` over all looks."""
        from scipy.special import stdtrit

        return -float(stdtrit(n - 1, self.nominal(level)))

    def nominal(self, level: float) -> float:
        """Give the level at each look whose overall level is `level`."""
        return level if len(self.planned) == 1 else _nominal(self.planned, level)


@dataclass(frozen=True)
class Mixture:
    """The t-mixture confidence sequence: valid at every n, whatever made the runs stop.

    E_n = (1 + n g^2)^(-1/2) [(1 + t^2/v) / (1 + t^2/(v (1 + n g^2)))]^(n/2), v = n - 1; reported is
    what E_n >= 1 / (2 p) gives on one side. Lai 1976, Ann. Statist. 4(2); Wang & Ramdas 2024,
    arXiv:2310.03722.

    g: spread of the mixture in standard deviations of a difference, > 0.
    share: the share of the level that it may spend, (0, 1]; p-values are divided by it.
    """

    g: float = 1.0
    share: float = 1.0

    @property
    def name(self) -> str:
        """Give its name in reports."""
        return "t-mixture"

    def p(self, t: Any, n: int) -> Any:
        """Give 1 / (2 share E_n) on the side of `t`, at most 1."""
        log_e = np.maximum(log_evidence(t, n, self.g), -1.0)
        p = np.minimum(1.0, 0.5 / self.share * np.exp(-log_e))
        return np.where(np.asarray(t) > 0, p, 1.0)

    def constant(self, level: float, n: int) -> float:
        """Give the t at which E_n is 1 / (2 share level); infinite where no t reaches it."""
        spread = 1 + n * self.g**2
        power = math.exp(2 / n * (0.5 * math.log(spread) - math.log(2 * self.share * level)))
        if power >= spread:
            return math.inf
        return math.sqrt((n - 1) * max(0.0, power - 1) / (1 - power / spread))


def log_evidence(t: Any, n: int, g: float = 1.0) -> Any:
    """Give log E_n of the t-mixture.

    >>> round(float(np.exp(log_evidence(3.0, 10))), 3)
    6.245
    """
    spread, square = 1 + n * g**2, np.square(t)
    ratio = np.log1p(square / (n - 1)) - np.log1p(square / ((n - 1) * spread))
    return -0.5 * math.log(spread) + n / 2 * ratio


@dataclass(frozen=True)
class Once:
    """Student's t of a mean that is read once, with degrees of freedom of its own.

    name: in reports. df: > 0, not nec. whole (Welch & Satterthwaite's).
    """

    name: str
    df: float

    def p(self, t: Any, n: int) -> Any:
        """Give the one-sided p of `t`; n is in the degrees of freedom."""
        from scipy.special import stdtr

        return stdtr(self.df, -np.asarray(t))

    def constant(self, level: float, n: int) -> float:
        """Give Student's quantile of a one-sided level."""
        from scipy.special import stdtrit

        return -float(stdtrit(self.df, level))


def _overall(planned: tuple[int, ...], nominal: Any) -> Any:
    """Give the level over all looks of a nominal one, 1 above the table."""
    p = np.exp(_curve(planned)(np.log(np.clip(nominal, FAR, LEVELS[-1]))))
    most = np.minimum(1.0, len(planned) * nominal)
    return np.where(nominal > LEVELS[-1], 1.0, np.clip(p, nominal, most))


@cache
def _nominal(planned: tuple[int, ...], level: float) -> float:
    """Give the nominal level of an overall one: the inverse of `_overall`, to the last digits.

    It has to be exact: a p just under a level and an interval that just misses it would disagree.
    """
    from scipy.optimize import brentq

    def short(log_nominal: float) -> float:
        return float(np.log(_overall(planned, math.exp(log_nominal)))) - math.log(level)

    low, high = math.log(level / len(planned)), min(math.log(level), math.log(LEVELS[-1]))
    if short(low) >= 0 or short(high) <= 0:
        return math.exp(low if short(low) >= 0 else high)
    return math.exp(brentq(short, low, high, xtol=1e-15, rtol=1e-14))


@cache
def _curve(planned: tuple[int, ...]) -> Any:
    """Give log nominal -> log overall level of a schedule, increasing."""
    from scipy.interpolate import PchipInterpolator

    overall = np.array([crossing(planned, [level] * len(planned))[-1] for level in LEVELS])
    most = np.minimum(1.0, len(planned) * LEVELS)
    overall = np.clip(overall, LEVELS, most)  # between the nominal level and Bonferroni's bound
    logs = np.log([FAR, *LEVELS]), np.log([FAR * len(planned), *np.maximum.accumulate(overall)])
    return PchipInterpolator(*logs)


def crossing(planned: Sequence[int], levels: Sequence[float]) -> Floats:
    """Give P(T_n >= t quantile of its level at some look so far), at each look, under mean 0.

    With u_n = sum(x) / sqrt(sum(x^2)), u_{n+1} = u_n cos(a) + sin(a), where a is independent of u_n
    with density proportional to cos(a)^(n-1): a Markov chain, so its distribution function F is
    carried exactly: F_{n+1}(v) = E F_n(min(b, (v - sin a) / cos a)), b the last look's boundary.
    """
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


def _from_t(t: float, n: int) -> float:
    return float(t * math.sqrt(n) / math.sqrt(n - 1 + t * t))


def _carried(below: Any, low: float, top: float, n: int, nodes: Floats) -> Floats:
    """Give F_{n+1} at the nodes from F_n = `below` on [low, top], split where min() bends."""
    from scipy.special import gammaln

    half = math.pi / 2 if n < 40 else min(math.pi / 2, EDGE / math.sqrt(n))
    bend = np.arcsin(np.clip(nodes / math.hypot(1, top), -1, 1)) - math.atan(top)
    bend = np.clip(bend, -half, half)
    points, weights = np.polynomial.legendre.leggauss(32)
    total: Floats = np.zeros_like(nodes)
    for left, right in ((np.full_like(nodes, -half), bend), (bend, np.full_like(nodes, half))):
        reach = ((right - left) / 2)[:, None]
        angle = ((right + left) / 2)[:, None] + reach * points
        cosine = np.maximum(np.cos(angle), 1e-300)
        before = np.minimum((nodes[:, None] - np.sin(angle)) / cosine, top)
        inside = np.where(before <= low, 0.0, below(np.maximum(before, low)))
        total += (reach * weights * np.exp((n - 1) * np.log(cosine)) * inside).sum(1)
    return total * math.exp(gammaln((n + 1) / 2) - gammaln(n / 2) - 0.5 * math.log(math.pi))

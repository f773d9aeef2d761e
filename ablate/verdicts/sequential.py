"""When a verdict may be read: repeated t intervals at declared looks, a t-mixture at any time.

Both answer the same two questions about a t statistic at a look, one-sided: which p it has over the
whole schedule, and which constant it must reach. With one look they are Student's t.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import numpy as np

from ablate.verdicts.crossing import crossing, spending

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
    """Repeated t intervals at declared looks.

    P(some look: sqrt(n) (mean - mu) / s >= c_n) = level, for normal differences. c_n is Student's
    quantile of the look's nominal level, so a lost pair changes degrees of freedom only. Jennison &
    Turnbull 1989, JRSS B 51(3); Pocock 1977 for equal levels; Lan & DeMets 1983, Biometrika 70(3)
    for shares of the level that are spent by each look. Unlike these papers, whose constants assume
    a known variance, those here are exact for an estimated one.

    planned: seeds at each look, increasing, the last being the most that will be spent.
    spend: `flat` has one nominal level for every look; by look n of N, `linear` has spent n / N of
        the level and `quadratic` (n / N)^2.
    place: which of the looks it is, from 0; every one alike where spending is flat.
    """

    planned: tuple[int, ...]
    spend: str = "flat"
    place: int = field(default=0, compare=False)  # all looks of a schedule are by one rule

    @property
    def name(self) -> str:
        """Give its name in reports."""
        return "repeated t" if len(self.planned) > 1 else "Student t"

    def p(self, t: Any, n: int) -> Any:
        """Give the one-sided p of `t` over all looks, never under the nominal one."""
        from scipy.special import stdtr

        nominal = stdtr(n - 1, -np.asarray(t))
        return nominal if len(self.planned) == 1 else _overall(self._key, nominal)

    @property
    def _key(self) -> _Key:
        return self.planned, self.spend, 0 if self.spend == "flat" else self.place

    def constant(self, level: float, n: int) -> float:
        """Give c_n for a one-sided error of `level` over all looks."""
        from scipy.special import stdtrit

        return -float(stdtrit(n - 1, self.nominal(level)))

    def nominal(self, level: float) -> float:
        """Give the look's own level with which that of all looks is `level`."""
        return level if len(self.planned) == 1 else _nominal(self._key, level)


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


def constants(
    planned: Sequence[int], spend: str, level: float, n: Sequence[int]
) -> tuple[float, ...]:
    """Give c_n of every look, on `n` pairs at it, for a one-sided error of `level` over all.

    As `Looks.constant` of each to four digits, without the table that its p asks for.
    """
    from scipy.special import stdtrit

    looks = tuple(planned)
    shared = spend == "flat" or len(looks) == 1
    nominal = (
        (Looks(looks).nominal(level),) * len(looks) if shared else _levels(looks, spend, level)
    )
    return tuple(-float(stdtrit(m - 1, q)) for m, q in zip(n, nominal, strict=True))


_Key = tuple[tuple[int, ...], str, int]
"""Looks, how the level is spent over them, and which of them is meant."""

POWERS = {"linear": 1, "quadratic": 2}
"""Of the share of looks: how much of the level is spent by one of them."""


def _bounds(key: _Key) -> tuple[float, float]:
    """Give how many times its nominal level a look's overall level is, at the least and most.

    What is spent at a look is no more than its nominal level, which is no more than what is spent
    by then.
    """
    planned, spend, place = key
    if spend == "flat":
        return 1.0, float(len(planned))
    spent = [0.0, *((n / planned[-1]) ** POWERS[spend] for n in planned)]
    return 1 / spent[place + 1], 1 / (spent[place + 1] - spent[place])


def _overall(key: _Key, nominal: Any) -> Any:
    """Give the level over all looks of a nominal one, 1 above the table."""
    curve, top = _curve(key)
    p = np.exp(curve(np.log(np.clip(nominal, FAR, top))))
    least, most = _bounds(key)
    bounded = np.clip(p, np.minimum(1.0, least * nominal), np.minimum(1.0, most * nominal))
    return np.where(nominal > top, 1.0, bounded)


@cache
def _nominal(key: _Key, level: float) -> float:
    """Give the nominal level of an overall one: the inverse of `_overall`, to the last digits.

    It has to be exact: a p just under a level and an interval that just misses it would disagree.
    """
    from scipy.optimize import brentq

    def short(log_nominal: float) -> float:
        return float(np.log(_overall(key, math.exp(log_nominal)))) - math.log(level)

    least, most = _bounds(key)
    low = math.log(level / most)
    high = min(math.log(level / least), math.log(_curve(key)[1]))
    if short(low) >= 0 or short(high) <= 0:
        return math.exp(low if short(low) >= 0 else high)
    return math.exp(brentq(short, low, high, xtol=1e-15, rtol=1e-14))


@cache
def _curve(key: _Key) -> tuple[Any, float]:
    """Give log nominal -> log overall level of a look, increasing, and where the table ends."""
    from scipy.interpolate import PchipInterpolator

    planned, spend, place = key
    least, most = _bounds(key)
    if spend == "flat":
        nominal = LEVELS
        overall = np.array([crossing(planned, [level] * len(planned))[-1] for level in LEVELS])
        overall = np.clip(overall, least * LEVELS, np.minimum(1.0, most * LEVELS))
    else:
        overall = np.geomspace(LEVELS[0], LEVELS[-1], 3 * len(LEVELS))  # these bend more
        table = np.array([_levels(planned, spend, level) for level in overall])
        nominal = np.clip(table[:, place], overall / most, overall / least)
    nominal, overall = (np.maximum.accumulate(values) for values in (nominal, overall))
    logs = np.log([FAR, *nominal]), np.log([FAR * most, *overall])
    return PchipInterpolator(*logs), float(nominal[-1])


@cache
def _levels(planned: tuple[int, ...], spend: str, level: float) -> tuple[float, ...]:
    """Give every look's nominal level with which a level is spent over them."""
    shares = [level * (n / planned[-1]) ** POWERS[spend] for n in planned]
    return tuple(map(float, spending(planned, shares)))

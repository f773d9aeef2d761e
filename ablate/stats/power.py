"""What a paired study can show: the chance of each verdict for a true difference and a spread.

sd is the standard deviation of the paired differences, in the metric's unit as are differences and
margins; n pairs, at least 2; alpha as for the test. For verdicts that are read at several looks
these are the figures of the last look alone, read at its own level.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

MOST = 100_000
"""The search for a number of seeds ends here."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(96)


def paired_t(n: int, difference: float, sd: float, alpha: float = 0.05) -> float:
    """Give the power of the two-sided paired t test, by the noncentral t, both tails counted.

    >>> round(paired_t(5, 0.01, 0.01), 3)
    0.401
    """
    return minimal_effect(n, difference, sd, 0.0, alpha)


def minimal_effect(
    n: int, difference: float, sd: float, margin: float, alpha: float = 0.05
) -> float:
    """Give the chance that the 1 - alpha interval lies wholly outside the margin: MATTERS.

    P(T'(ncp_-) > t_{1 - alpha/2}) + P(T'(ncp_+) < -t_{1 - alpha/2}) with noncentralities
    (difference -+ margin) sqrt(n) / sd. Murphy & Myors 1999.

    >>> round(minimal_effect(10, 1.5, 1.0, 0.5), 4)
    0.8031
    """
    from scipy.special import nctdtr, stdtrit

    reach, root = float(stdtrit(n - 1, 1 - alpha / 2)), math.sqrt(n) / sd
    above = nctdtr(n - 1, -(difference - margin) * root, -reach)
    below = nctdtr(n - 1, (difference + margin) * root, -reach)
    return float(min(1.0, np.nan_to_num(above) + np.nan_to_num(below)))


def equivalence(n: int, difference: float, sd: float, margin: float, alpha: float = 0.05) -> float:
    """Give the chance that the 1 - 2 alpha interval lies wholly inside the margin: NEGLIGIBLE.

    The integral over s, the sample's standard deviation, of
    P(-margin + t s / sqrt(n) < mean < margin - t s / sqrt(n)), t = t_{1 - alpha} of n - 1 degrees
    of freedom. Phillips 1990, J. Pharmacokinetics 18(2); by quadrature.

    >>> round(equivalence(5, 0.005, 0.01, 0.01), 4)
    0.1851
    """
    from scipy.special import ndtr, stdtrit

    reach, root, df = float(stdtrit(n - 1, 1 - alpha)), math.sqrt(n) / sd, n - 1
    half = df / 2  # df s^2 / sd^2 is chi-square, so half of that is gamma(df / 2)
    wide = 9 / math.sqrt(df)
    farthest = margin * root / reach if reach > 0 else math.inf  # at alpha .5 any spread is inside
    low, high = max(0.0, 1 - wide), min(farthest, 1 + wide + 12 / df)
    if high <= low:
        return 0.0
    cuts = np.linspace(low, high, 7)
    reaches = np.diff(cuts)[:, None] / 2
    s = (cuts[1:] + cuts[:-1])[:, None] / 2 + reaches * _NODES  # of s / sd, [part, node]
    inside = ndtr((margin - difference) * root - reach * s)
    inside -= ndtr((-margin - difference) * root + reach * s)
    log_density = math.log(2 * half) + (df - 1) * np.log(np.maximum(s, 1e-300)) - half * s**2
    density = np.exp(log_density + (half - 1) * math.log(half) - math.lgamma(half))
    return min(1.0, float((reaches * _WEIGHTS * np.maximum(0, inside) * density).sum()))


def one_sided(
    n: int, difference: float, sd: float, margin: float, alpha: float = 0.05
) -> tuple[float, float]:
    """Give the chances that a declared side comes to MATTERS, and to none beyond the margin.

    P(T'(ncp) > t_{1 - alpha}) and P(T'(ncp) < -t_{1 - alpha}), ncp = (difference - margin) sqrt(n)
    / sd; difference: positive on the declared side.

    >>> [round(chance, 3) for chance in one_sided(10, 2.0, 1.0, 1.0)]
    [0.898, 0.0]
    """
    from scipy.special import nctdtr, stdtrit

    reach, shift = float(stdtrit(n - 1, 1 - alpha)), (difference - margin) * math.sqrt(n) / sd
    chances = (nctdtr(n - 1, way * shift, -reach) for way in (-1, 1))
    more, none = (min(1.0, float(np.nan_to_num(chance))) for chance in chances)
    return more, none


def seeds(
    chance: Callable[[int], float], power: float = 0.8, least: int = 2, most: int = MOST
) -> int:
    """Give the fewest pairs at which a chance that rises with n reaches `power`; 0 beyond `most`.

    >>> seeds(lambda n: equivalence(n, 0.0, 1.0, 0.5), 0.9)
    45
    """
    high = least
    while chance(high) < power:
        if high >= most:
            return 0
        high = min(2 * high, most)
    low = least - 1 if high == least else high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if chance(middle) >= power else (middle, high)
    return high


def detectable(
    n: int,
    sd: float,
    margin: float,
    alpha: float = 0.05,
    power: float = 0.8,
    side: int = 0,
) -> float:
    """Give the true difference that is found to matter with `power`; side: not 0 if declared."""
    from scipy.optimize import brentq

    def short(difference: float) -> float:
        if side:
            return one_sided(n, difference, sd, margin, alpha)[0] - power
        return minimal_effect(n, difference, sd, margin, alpha) - power

    high = margin + sd
    while short(high) < 0:
        high = 2 * high
    return float(brentq(short, margin, high, xtol=1e-9 * sd))

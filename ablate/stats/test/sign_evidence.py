"""The symmetric-sign e-process: evidence that the arms are not exchangeable, at any time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from ablate.registry import component
from ablate.types import Comparison, TestResult

EXACT = 1_000


@component("test", "sign-e", paper="Ville 1939; Ramdas et al. 2023, Statistical Science 38(4)")
@dataclass(frozen=True)
class SignEvidence:
    """E = 2^n B(k + 1, n - k + 1) = 2^n / ((n + 1) C(n, k)), k of n signs positive; p = 1 / E.

    A uniform mixture of bets on the sign: a martingale whenever the two arms are exchangeable
    within a seed, as they are where the component does nothing. It may be read after any seed.
    Differences of 0 are left out. The estimate is the median difference; its interval holds at
    any time as well.
    """

    def __call__(self, comparison: Comparison, alpha: float) -> TestResult:
        """Give p = min(1, 1 / E); the effect size is log E."""
        signs = [delta > 0 for delta in comparison.deltas if abs(delta) > comparison.round_off]
        log_e = log_evidence(sum(signs), len(signs))
        p, floor = (min(1.0, math.exp(-log)) for log in (log_e, log_evidence(0, len(signs))))
        low, high = interval(comparison.deltas, alpha)
        n, middle = len(comparison.deltas), median(comparison.deltas)
        assumes = "exchangeable arms"
        return TestResult(
            name="sign-e",
            n=n,
            p=p,
            estimate=middle,
            low=low,
            high=high,
            assumes=assumes,
            floor=floor,
            effect=log_e,
            measure="log E",
        )


def interval(deltas: Sequence[float], alpha: float) -> tuple[float, float]:
    """Give the medians against which E stays under 1 / alpha; they lie between two differences."""
    ranked, n = sorted(deltas), len(deltas)
    low, high = 0, n // 2 + 1  # E falls as k rises to n / 2: the last k that E allows is bisected
    while high - low > 1:  # k - 1 differences lie under the k-th
        k = (low + high) // 2
        low, high = (k, high) if log_evidence(k - 1, n) >= -math.log(alpha) else (low, k)
    return (ranked[low - 1], ranked[n - low]) if low else (-math.inf, math.inf)


def log_evidence(positive: int, n: int) -> float:
    """Give log E of n signs, `positive` of them positive.

    >>> round(math.exp(log_evidence(8, 8)), 2)
    28.44
    """
    return n * math.log(2) - math.log(n + 1) - _log_choices(n, positive)


def _log_choices(n: int, k: int) -> float:
    """Give log C(n, k); of many, whose exact number has thousands of digits, by log gamma."""
    if n <= EXACT:
        return math.log(math.comb(n, k))
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

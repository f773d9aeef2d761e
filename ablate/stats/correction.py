"""A family of claims that share alpha: adjusted p-values, and the level that each claim is read at.

The two say the same: a claim's adjusted p is at most alpha exactly when its own p is at most its
level, so that an interval at that level agrees with the decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

CORRECTIONS = {
    "holm": "no false claim in the whole family, at a rate of alpha (Holm 1979)",
    "hommel": "the same with a little more power, for claims that are not opposed (Hommel 1988)",
    "bonferroni": "the same, each claim at alpha / their number",
    "bh": "of the claims that are made, alpha are false on average (Benjamini & Hochberg 1995)",
    "by": "the same however the claims depend on one another (Benjamini & Yekutieli 2001)",
    "none": "each claim on its own, at a rate of alpha",
}

SIMULTANEOUS = ("holm", "bonferroni")
"""Corrections whose intervals hold for the family: at each step for the claims that are left."""


@dataclass(frozen=True)
class Step:
    """Where a claim stands in its family.

    p: adjusted over the family. level: what its own p has to reach, of an undecided claim where the
    procedure stopped. hardest: the level at the correction's first step. share: alpha / claims.
    """

    p: float
    level: float
    hardest: float
    share: float


def alone(p: float, alpha: float) -> Step:
    """Give the step of a claim that is a family of its own."""
    return Step(p, alpha, alpha, alpha)


def steps(p: Sequence[float], alpha: float, correction: str) -> list[Step]:
    """Give every claim's adjusted p and its level.

    Of Holm's procedure the claim of rank r (from 0) has alpha / (m - r) while it goes on, and those
    at which it stops, and beyond, the level of that step. Of BH and BY with R claims made, R alpha
    / m for these (Benjamini & Yekutieli 2005, JASA 100(469), which covers the selected on average)
    and (R + 1) alpha / m for the rest.

    >>> [round(step.level, 4) for step in steps([0.9, 0.001, 0.02], 0.06, "holm")]
    [0.06, 0.02, 0.03]
    """
    adjusted, m = adjust(p, correction), len(p)
    hardest = alpha if correction == "none" else alpha / max(1, m)
    levels = _levels(p, adjusted, alpha, correction)
    return [Step(q, level, hardest, alpha / m) for q, level in zip(adjusted, levels, strict=True)]


def _levels(
    p: Sequence[float], adjusted: Sequence[float], alpha: float, correction: str
) -> list[float]:
    m, claimed = len(p), sum(q <= alpha for q in adjusted)
    if m < 2 or correction == "none":
        return [alpha] * m
    if correction == "bonferroni":
        return [alpha / m] * m
    if correction == "hommel":
        return [alpha / _hommel(p, alpha)] * m
    if correction == "holm":
        levels = [alpha / max(1, m - claimed)] * m
        for rank, i in enumerate(sorted(range(m), key=p.__getitem__)[:claimed]):
            levels[i] = alpha / (m - rank)
        return levels
    per_rank = alpha / m / (sum(1 / i for i in range(1, m + 1)) if correction == "by" else 1.0)
    return [(claimed if q <= alpha else claimed + 1) * per_rank for q in adjusted]


def _hommel(p: Sequence[float], alpha: float) -> int:
    """Give j of Hommel's procedure, which claims what has p <= alpha / j; 1 where all go.

    j is the most hypotheses whose Simes test still stands: p_(m-j+k) > k alpha / j for every k.
    """
    ranked, m = sorted(p), len(p)
    for j in range(m, 0, -1):
        if all(ranked[m - j + k - 1] > k * alpha / j for k in range(1, j + 1)):
            return j
    return 1


def adjust(p: Sequence[float], correction: str) -> list[float]:
    """Adjust a family of p-values; see `CORRECTIONS`.

    >>> adjust([0.01, 0.04], "holm")
    [0.02, 0.04]
    """
    if len(p) < 2 or correction == "none":
        return list(p)
    if correction == "bonferroni":
        return [min(1.0, len(p) * value) for value in p]
    if correction == "holm":
        adjusted, worst = [0.0] * len(p), 0.0
        for rank, i in enumerate(sorted(range(len(p)), key=p.__getitem__)):
            worst = max(worst, (len(p) - rank) * p[i])
            adjusted[i] = min(1.0, worst)
        return adjusted
    if correction in ("bh", "by"):
        from scipy.stats import false_discovery_control

        return [
            float(value) for value in false_discovery_control([*map(float, p)], method=correction)
        ]
    return _adjusted_by_hommel(p)


def _adjusted_by_hommel(p: Sequence[float]) -> list[float]:
    """Give each claim's largest Simes p over all the families that it may be in.

    Of a size, the hardest family has the claim with the largest p of all besides; Hommel 1988,
    Biometrika 75(2), by the steps of Wright 1992, Biometrics 48(4).

    >>> [round(value, 4) for value in _adjusted_by_hommel([0.01, 0.02, 0.9])]
    [0.03, 0.04, 0.9]
    """
    m, order = len(p), sorted(range(len(p)), key=p.__getitem__)
    ranked = [p[i] for i in order]
    adjusted = [min(m * value / rank for rank, value in enumerate(ranked, 1))] * m
    for size in range(m - 1, 1, -1):
        first = m - size + 1  # of the `size - 1` largest, which fill the family up
        simes = min(size * ranked[first + k - 2] / k for k in range(2, size + 1))
        head = [min(simes, size * value) for value in ranked[:first]]
        adjusted = [*map(max, adjusted, [*head, *[head[-1]] * (m - first)])]
    by_claim = [0.0] * m
    for rank, i in enumerate(order):
        by_claim[i] = min(1.0, max(adjusted[rank], ranked[rank]))
    return by_claim

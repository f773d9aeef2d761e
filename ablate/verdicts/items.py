"""Items that each arm has right or wrong: which arm alone was right, and McNemar's exact p."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

from ablate.core.companions import Items
from ablate.stats.test.sign_flip import SignFlip
from ablate.types import Comparison, TestResult
from ablate.verdicts.collapse import mcnemar

INDEPENDENT = "independent items"
SWAPPED = "whole clusters swapped between the arms"


def items(comparison: Comparison, clusters: Sequence[Hashable] = ()) -> Items | None:
    """Count the items of two arms; None where a score is neither 0 nor 1, or there are no pairs.

    p is McNemar's exact one (McNemar 1947, Psychometrika 12(2)), of the items that differ.
    clusters: of each pair; items of one are then swapped between the arms together.
    """
    if comparison.unpaired:
        return None
    pairs = [*zip(comparison.treatment_values, comparison.baseline_values, strict=True)]
    if not pairs or not {v for pair in pairs for v in pair} <= {0.0, 1.0}:
        return None
    counts = [pairs.count(pair) for pair in ((1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.0, 0.0))]
    p, floor = mcnemar(min(counts[:2]), max(counts[:2])), min(1.0, 2.0 ** (1 - sum(counts[:2])))
    if clusters and len({*clusters}) < 2:  # swapped or not, the items show the same
        p, floor = 1.0, 1.0
    elif clusters:
        flips = by_clusters(comparison, clusters, 0.05)
        p, floor = flips.p, flips.floor
    return Items(
        treatment_only=counts[0],
        baseline_only=counts[1],
        both=counts[2],
        neither=counts[3],
        p=p,
        floor=floor,
        assumes=SWAPPED if clusters else INDEPENDENT,
    )


def by_clusters(comparison: Comparison, clusters: Sequence[Hashable], alpha: float) -> TestResult:
    """Flip the signs of whole clusters: exact where the arms can be swapped in each of them."""
    sums: dict[Hashable, float] = {}
    for name, delta in zip(clusters, comparison.deltas, strict=True):
        sums[name] = sums.get(name, 0.0) + delta
    whole = replace(
        comparison,
        seeds=tuple(range(len(sums))),
        treatment_values=tuple(sums.values()),
        baseline_values=(0.0,) * len(sums),
        alike=(),
        lost=(),
    )
    return replace(SignFlip()(whole, alpha), assumes=SWAPPED)

"""A/A: how often the verdict procedure claims a difference between runs of one and the same arm."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ablate.analysis.pairing import own
from ablate.core.random_streams import stream
from ablate.records import cohort, metrics
from ablate.stats.correction import alone
from ablate.stats.resolution import smallest_step
from ablate.types import ENOUGH_PAIRS, Comparison, Decision, RunResult, Status, Suite
from ablate.verdicts import decision
from ablate.verdicts.family import battery

DRAWS = 500
TESTS = ("minimal-effect", "equivalence", "paired-t", "effect-size")
"""What a verdict reads; the rest would take time for nothing."""


@dataclass(frozen=True)
class Same:
    """What comparing an arm with itself came to.

    runs: of the arm and its twin together. differs, matters: shares of the random pairings in which
    a difference was claimed, and one beyond the margin. error: Monte-Carlo standard error at alpha.
    points: the margin is in percentage points, and no unit of somebody's own.
    """

    label: str
    metric: str
    margin: float
    runs: int
    alpha: float
    differs: float
    matters: float
    error: float
    points: bool = True

    @property
    def suspicious(self) -> bool:
        """Say whether more differences were claimed than alpha and chance allow."""
        return max(self.differs, self.matters) > self.alpha + 3 * self.error


def same(suite: Suite, runs: Sequence[Mapping[int, RunResult]]) -> list[Same]:
    """Pair each arm's runs at random with those of its twin and judge, many times over.

    Both ran the same program on different seeds, so every claimed difference is a false one. Each
    metric with its smallest margin among the suite's contrasts and effects is tried. Runs that do
    not go together say nothing.
    """
    margins: dict[str, float] = {}
    claims = [(contrast.metric, contrast.margin) for contrast in suite.contrasts]
    for metric, margin in [*claims, *((effect.metric, effect.margin) for effect in suite.effects)]:
        margins[metric] = min(margin, margins.get(metric, math.inf))
    results = []
    for index, twin in suite.twins:
        good = [r for i in (index, twin) for r in runs[i].values() if r.status == Status.OK]
        variant = suite.variants[index]
        if cohort.refusals([variant, suite.variants[twin]], [runs[index], runs[twin]]):
            continue
        for metric, margin in margins.items():
            values = metrics.values(good, metric, own(variant)).tolist()
            if len(values) >= 2 * ENOUGH_PAIRS and all(map(math.isfinite, values)):
                unit = metrics.resolution(good[0]) or smallest_step(values, 1)
                differs, matters = false_claims(values, margin, suite.alpha, unit)
                results.append(
                    Same(
                        label=variant.label,
                        metric=metric,
                        margin=margin,
                        runs=len(values),
                        alpha=suite.alpha,
                        differs=differs,
                        matters=matters,
                        error=math.sqrt(suite.alpha * (1 - suite.alpha) / DRAWS),
                        points=metrics.measure(metric, suite.measures).unit == "points",
                    )
                )
    return results


def false_claims(
    values: Sequence[float], margin: float, alpha: float, unit: float
) -> tuple[float, float]:
    """Give the shares of random pairings that differ from 0, and that MATTER.

    values: scores of one arm, at least six. unit: what one test row is worth.
    """
    draws, needed = stream(0, "twins"), battery(TESTS)
    half, differs, matters = len(values) // 2, 0, 0
    for _ in range(DRAWS):
        mixed = np.array(values)[draws.permutation(len(values))]
        a, b = (tuple(map(float, part)) for part in (mixed[:half], mixed[half : 2 * half]))
        pair = Comparison(
            treatment="A",
            baseline="A",
            metric="score",
            margin=margin,
            seeds=tuple(range(half)),
            treatment_values=a,
            baseline_values=b,
            lost=(),
            resolution=unit,
        )
        evidence = decision.examine(pair, needed, alpha)
        if not evidence.fault:
            differs += evidence.tests["paired-t"].p <= alpha
            reached = decision.decide(evidence, alone(evidence.p, alpha))
            matters += reached.decision == Decision.MATTERS
    return differs / DRAWS, matters / DRAWS

"""What can make a verdict misleading, said where it occurs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from ablate.family import NOTHING_READ, read
from ablate.looks import Looks
from ablate.types import ENOUGH_PAIRS, Comparison, Design, Verdict

SKEWED = 1.0
"""A sample skewness of the differences beyond which normality is doubted."""


def of(verdicts: Sequence[Verdict], design: Design) -> Iterator[str]:
    """Give the warnings of a family of verdicts."""
    for verdict in verdicts:
        one, name = (
            verdict.comparison,
            f"{verdict.comparison.treatment} − {verdict.comparison.baseline}",
        )
        if one.lost:
            few = "; ".join(pair.reason for pair in one.lost[:3])
            yield f"{name}: {len(one.lost)} pairs were lost: {few}."
        if verdict.n < 3 or one.refusal or "INERT" in verdict.flags:
            continue
        test = verdict.tests.get("sign-flip")
        if test and test.floor > design.alpha / len(verdicts):
            yield (
                f"{name}: a sign-flip p cannot go under {test.floor:.2g} with {verdict.n} pairs, "
                "whatever the difference."
            )
        zeros = sum(abs(delta) < 1e-12 for delta in one.deltas)
        if 2 * zeros >= verdict.n:
            yield f"{name}: {zeros} of {verdict.n} differences are exactly 0."
        if abs(skew := skewness(one.deltas)) > SKEWED:
            yield f"{name}: the differences are skewed ({skew:+.1f}), normality is assumed."
        if seed := carried_by_one(verdict, design):
            yield f"{name}: {verdict.decision} rests on one pair ({seed}) and falls without it."


def skewness(deltas: Sequence[float]) -> float:
    """Give the moment coefficient of skewness; 0 where nothing varies."""
    apart = np.array(deltas) - np.mean(deltas)
    sd = math.sqrt(float(np.mean(apart**2)))
    return float(np.mean(apart**3)) / sd**3 if sd > 1e-12 else 0.0


def carried_by_one(verdict: Verdict, design: Design) -> str:
    """Name the pair without which a verdict would fall; '' where there is none."""
    if verdict.decision not in ("MATTERS", "NEGLIGIBLE") or verdict.n <= ENOUGH_PAIRS:
        return ""
    one = verdict.comparison
    far = int(np.argmax(np.abs(np.array(one.deltas) - np.median(one.deltas))))
    rest = without(one, far)
    reading = read(NOTHING_READ, rest, Looks((verdict.n - 1,)), design.alpha)
    p = reading.large if verdict.decision == "MATTERS" else reading.small
    held = p * max(1.0, verdict.p_adjusted / max(verdict.p, 1e-300)) <= design.alpha
    return "" if held else f"{one.deltas[far]:+.4g}"


def without(one: Comparison, place: int) -> Comparison:
    """Give a comparison without one of its pairs."""
    kept = [i for i in range(len(one.seeds)) if i != place]
    return replace(
        one,
        seeds=tuple(one.seeds[i] for i in kept),
        treatment_values=tuple(one.treatment_values[i] for i in kept),
        baseline_values=tuple(one.baseline_values[i] for i in kept),
    )

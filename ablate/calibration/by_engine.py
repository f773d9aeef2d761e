"""The engine on simulated studies: where it agrees with the arrays, and what it warns of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ablate.calibration.scenarios import WORLDS, World
from ablate.calibration.simulation import claims, decisions, planned
from ablate.types import Comparison, Decision, Design, LostPair, Verdict
from ablate.verdicts import diagnostics
from ablate.verdicts.family import battery, conclude

LIGHT = ("minimal-effect", "equivalence", "paired-t")
"""The tests that a verdict needs; the others would only take time."""

CORRECTION = "holm"
CRASHES = "crashes in one arm"


@dataclass(frozen=True)
class Misled:
    """Of studies of one kind: how many decided, wrongly, and were warned about.

    warned: of the wrong ones, the share with a warning. pointed: the share with one that names a
    fault in the differences, and not only that signs alone do not bear the verdict out. alarms,
    alarmed: the same of the right ones. refused: the share that the engine would not judge.
    """

    decided: float
    wrong: float
    warned: float
    pointed: float
    alarms: float
    alarmed: float
    refused: float


def study(deltas: Sequence[float], margin: float, resolution: float) -> Comparison:
    """Make a comparison of differences that were simulated."""
    n = len(deltas)
    return Comparison(
        treatment="treatment",
        baseline="baseline",
        metric="score",
        margin=margin,
        seeds=tuple(range(n)),
        treatment_values=tuple(1000.0 + float(d) for d in deltas),
        baseline_values=(1000.0,) * n,
        lost=(),
        resolution=resolution,
    )


def judged(compared: Sequence[Comparison], design: Design) -> list[Verdict]:
    """Put comparisons to the engine with the tests that a verdict and its warnings need."""
    return conclude(compared, battery(LIGHT), design)


def agreement(
    world: World,
    truths: Sequence[float],
    margin: float,
    looks: Sequence[int],
    studies: int,
    seed: int,
    side: int = 0,
    spend: str = "flat",
) -> int:
    """Count the studies of a family in which the engine and the arrays say the same throughout."""
    schedule, rng = planned(looks, spend), np.random.default_rng(seed)
    deltas = np.stack([world.draw(rng, (studies, looks[-1]), truth) for truth in truths], 1)
    evidence = claims(deltas, margin, schedule, world.resolution, side, world.span)
    codes, spent = decisions(evidence, schedule, 0.05)
    claim = "helps" if side else ""
    design = Design(0.05, CORRECTION, tuple(looks), looks[-1], spend=spend)
    same = 0
    for family, expected, seeds in zip(deltas, codes, spent, strict=True):
        verdicts = judged(
            [
                replace(
                    study(row, margin, world.resolution),
                    treatment=f"arm {index}",
                    claim=claim,
                    side=side,
                    span=world.span,
                )
                for index, row in enumerate(family)
            ],
            design,
        )
        mapped = [(coded(v), v.n if coded(v) else math.inf) for v in verdicts]
        same += mapped == list(zip(expected.tolist(), seeds.tolist(), strict=True))
    return same


def coded(verdict: Verdict) -> int:
    """Give a verdict as `decisions` writes it."""
    if verdict.decision == Decision.MATTERS:
        return 1 if verdict.estimate > 0 else -1
    return 2 if verdict.decided else 0


def misled(studies: Sequence[tuple[Comparison, float]]) -> Misled:
    """Judge comparisons of a known truth, each alone, and see which verdicts carry a warning."""
    wrong: list[tuple[bool, bool]] = []
    right: list[tuple[bool, bool]] = []
    refused = 0
    for comparison, truth in studies:
        design = Design(0.05, CORRECTION, (len(comparison.schedule),), len(comparison.schedule))
        (verdict,) = judged([comparison], design)
        refused += verdict.decision == Decision.UNTESTABLE
        if coded(verdict):
            traps = {trap for trap, _ in diagnostics.doubts(verdict, design)}
            warned = bool(traps), bool(traps - {diagnostics.NORMALITY})
            false = _false(coded(verdict), truth, comparison.margin)
            (wrong if false else right).append(warned)
    return Misled(
        decided=(len(wrong) + len(right)) / len(studies),
        wrong=len(wrong) / len(studies),
        warned=_share(wrong, 0),
        pointed=_share(wrong, 1),
        alarms=_share(right, 0),
        alarmed=_share(right, 1),
        refused=refused / len(studies),
    )


def _share(flags: Sequence[tuple[bool, bool]], index: int) -> float:
    return float(np.mean([pair[index] for pair in flags])) if flags else math.nan


def _false(claim: int, truth: float, margin: float) -> bool:
    if claim == 2:
        return abs(truth) >= margin
    return abs(truth) <= margin or (truth > 0) != (claim > 0)


def studies_of(name: str, n: int, count: int, seed: int) -> list[tuple[Comparison, float]]:
    """Give studies with a margin of half a standard deviation and its truths: 0, +, - the margin.

    With crashes, the treatment fails where its luck is worst, in one run of twelve.
    """
    rng, margin = np.random.default_rng(seed), 0.5
    world = WORLDS.get(name, WORLDS["normal"])
    studies = []
    for truth in (0.0, margin, -margin):
        for deltas in world.draw(rng, (count, n), truth):
            comparison = study(deltas, margin, world.resolution)
            studies.append(
                (_crashed(comparison, truth - 1.4) if name == CRASHES else comparison, truth)
            )
    return studies


def _crashed(comparison: Comparison, least: float) -> Comparison:
    remaining = [seed for seed in comparison.seeds if comparison.deltas[seed] >= least]
    lost = [seed for seed in comparison.seeds if seed not in remaining]
    return replace(
        comparison.at(remaining),
        lost=tuple(
            LostPair(s, f"treatment: failed (seed {s})", (comparison.treatment,)) for s in lost
        ),
    )

"""The calibration study: how often each verdict is reached where the truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ablate.calibration.rare_events import RareEvents, rare_events
from ablate.calibration.scenarios import TIES, WORLDS, World
from ablate.calibration.simulation import (
    Rates,
    Schedule,
    claims,
    decisions,
    extended,
    families,
    fixed,
    peeked,
    planned,
    rates,
    stoppers,
)
from ablate.types import Comparison, Decision, Design, LostPair, Verdict
from ablate.verdicts import diagnostics
from ablate.verdicts.family import battery, conclude

LIGHT = ("minimal-effect", "equivalence", "paired-t")
"""The tests that a verdict needs; the others would only take time."""

CORRECTION = "holm"
EVERY = range(5, 21)
PLANS: Mapping[str, Schedule] = {
    **{f"{n} seeds, read once": fixed(n) for n in (3, 5, 8, 10, 20, 50)},
    "looks at 5, 8, 13, 20, 32, 50": planned((5, 8, 13, 20, 32, 50)),
    "a look at every seed, 5 to 20": planned(EVERY),
    "the same, then extended seed by seed to 100": extended(EVERY, 100),
    "20 seeds declared, read before at every seed": peeked(20),
    "20 seeds declared, then extended to 100": extended((20,), 100),
}
COLUMNS = ((0.5, 50), (1.0, 50), (2.0, 50), (1.0, 20))
"""Margins in standard deviations of a difference, with the most seeds that are spent."""

MARGINS = (0.5, 1.0, 2.0)
SIZES = (5, 8, 12, 20, 50)
FAMILIES: Mapping[str, Sequence[float]] = {
    "10 at the margin": [1.0] * 10,
    "5 at the margin, 5 without a difference": [1.0] * 5 + [0.0] * 5,
    "5 at the margin, 5 of twice the margin": [1.0] * 5 + [2.0] * 5,
}
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


@dataclass(frozen=True)
class Calibration:
    """What the study found.

    power: by (margin, most seeds, truth in margins), normal world, a look at every seed from 5.
    errors: by (world, plan, margin), with the truth on the margin: the shares that can ever be
    called MATTERS, and NEGLIGIBLE. families: the same over families of ten, by (world, family,
    plan). misled: by (world, seeds). agreement: by world, of `checked` studies. sides, sided: as
    errors and families, of contrasts with a declared side, by (world, plan) and (world, family,
    plan): MATTERS, and NO GAIN. rare: ties, collapses and skew.
    """

    studies: int
    power: Mapping[tuple[float, int, float], Rates]
    errors: Mapping[tuple[str, str, float], tuple[float, float]]
    families: Mapping[tuple[str, str, str], tuple[float, float]]
    misled: Mapping[tuple[str, int], Misled]
    agreement: Mapping[str, int]
    checked: int
    sides: Mapping[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    sided: Mapping[tuple[str, str, str], tuple[float, float]] = field(default_factory=dict)
    rare: RareEvents | None = None


def calibrate(
    studies: int = 20_000, engine: int = 300, seed: int = 1, say: Callable[[str], object] = str
) -> Calibration:
    """Simulate the whole study; minutes.

    studies: simulated for each rate. engine: studies of each kind that the engine itself judges,
    with its warnings. say: told of each part before it begins.
    """
    say("power in the normal world")
    power = {
        (margin, most, truth): rates(
            WORLDS["normal"], truth * margin, margin, planned(range(5, most + 1)), studies, seed
        )
        for margin, most in COLUMNS
        for truth in (0.0, 0.5, 1.0, 2.0)
    }
    tame = [name for name, world in WORLDS.items() if world.tamed]
    errors = {}
    for name in WORLDS:
        say(f"false claims in the world: {name}")
        for plan, schedule in PLANS.items():
            for margin in MARGINS:
                errors[name, plan, margin] = stoppers(
                    WORLDS[name], margin, margin, schedule, studies, seed
                )
    say("families of ten")
    plans = ("20 seeds, read once", "looks at 5, 8, 13, 20, 32, 50")
    within = {
        (name, family, plan): families(WORLDS[name], truths, 1.0, PLANS[plan], studies // 2, seed)
        for name in tame[:3]
        for family, truths in FAMILIES.items()
        for plan in plans
    }
    say("contrasts with a declared side")
    sides = {
        (name, plan): stoppers(WORLDS[name], 1.0, 1.0, schedule, studies, seed, side=1)
        for name in tame
        for plan, schedule in PLANS.items()
    }
    sided = {
        (name, family, plan): families(
            WORLDS[name], truths, 1.0, PLANS[plan], studies // 2, seed, side=1
        )
        for name in tame[:3]
        for family, truths in FAMILIES.items()
        for plan in plans
    }
    warned = {}
    for name in [*tame[:2], *(n for n in WORLDS if n not in tame), CRASHES]:
        say(f"warnings in the world: {name}")
        for n in SIZES:
            warned[name, n] = misled(_studies(name, n, engine, seed))
    say("ties, collapsed runs and skew")
    rare = rare_events(studies, seed)
    say("the engine itself on the same studies")
    truths = (0, 0.5, 1.0, 1.5)
    same = {
        f"{name}{words}": agreement(WORLDS[name], truths, 1.0, EVERY, engine // 3, seed, side=side)
        for name in tame
        for side, words in ((0, ""), (1, " with a side"))
    }
    for name in ("60 % ties, else some rows", "60 % ties, else one size"):
        same[name] = agreement(TIES[name], truths, 1.0, EVERY, engine // 3, seed)
    return Calibration(
        studies=studies,
        power=power,
        errors=errors,
        families=within,
        misled=warned,
        agreement=same,
        checked=engine // 3,
        sides=sides,
        sided=sided,
        rare=rare,
    )


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


def _studies(name: str, n: int, count: int, seed: int) -> list[tuple[Comparison, float]]:
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

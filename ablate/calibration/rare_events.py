"""The part of the calibration study on what is rare: pairs that do not tie, runs that collapse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from ablate.calibration.scenarios import TIES, WORLDS, World
from ablate.calibration.simulation import Schedule, families, fixed, planned, stoppers
from ablate.verdicts import collapse, diagnostics

MARGINS = (0.2, 1.0, 3.0)
"""In test rows."""

PLANS: Mapping[str, Schedule] = {
    **{f"{n} seeds, read once": fixed(n) for n in (5, 8, 20, 50)},
    "looks at 5, 8, 13, 20, 32, 50": planned((5, 8, 13, 20, 32, 50)),
}
TOGETHER = ("20 seeds, read once", "looks at 5, 8, 13, 20, 32, 50")
ROOM = 3.0
"""Rows by which differences in the worlds of some rows reach beyond their common size."""

SIZES = (5, 8, 12, 20, 50)
LEVEL, SPREAD, LOWEST, HIGHEST = 90.0, 1.0, 10.0, 50.0
"""An arm's normal scores, and between what collapsed ones lie."""

Shares = tuple[float, float]


@dataclass(frozen=True)
class RareEvents:
    """What was found.

    ties: by (world, plan, margin), the truth on the margin and the worst difference declared as
    what it is: shares called MATTERS and NEGLIGIBLE. families: of ten such contrasts, by (world,
    plan, margin), where the largest difference that was seen counts. skew: by (world, seeds), the
    share of studies warned. collapses: by (rate, seeds), of the studies that hold a collapsed run
    the share warned; of rate 0, of all.
    """

    ties: Mapping[tuple[str, str, float], Shares]
    families: Mapping[tuple[str, str, float], Shares]
    skew: Mapping[tuple[str, int], float]
    collapses: Mapping[tuple[float, int], float]


def rare_events(studies: int, seed: int) -> RareEvents:
    """Simulate it; a tenth of the studies for families."""
    cells = [(name, margin) for name in TIES for margin in MARGINS]
    return RareEvents(
        ties={
            (name, plan, margin): stoppers(
                declared(name, margin), margin, margin, schedule, studies, seed
            )
            for name, margin in cells
            for plan, schedule in PLANS.items()
        },
        families={
            (name, plan, margin): families(
                TIES[name], [margin] * 10, margin, PLANS[plan], studies // 10, seed
            )
            for name, margin in cells
            for plan in TOGETHER
        },
        skew={
            (name, n): skewed(WORLDS[name], n, studies // 10, seed)
            for name in ("normal", "t3", "exponential", "log-normal")
            for n in SIZES
        },
        collapses={
            (rate, n): warned(rate, n, studies // 10, seed)
            for rate in (0.0, 0.05, 0.1)
            for n in SIZES
        },
    )


def declared(name: str, margin: float) -> World:
    """Give a world of ties whose largest difference, with the truth on the margin, is declared."""
    share = float(name.split(" ", 1)[0]) / 100
    room = 0.0 if name.endswith("one size") else ROOM
    return replace(TIES[name], span=margin / (1 - share) + room)


def skewed(world: World, n: int, studies: int, seed: int) -> float:
    """Give the share of studies of n pairs that are warned of skew."""
    rows = world.draw(np.random.default_rng(seed), (studies, n), 0.0)
    limit = max(diagnostics.expected_skewness(n), diagnostics.MOVES * n**0.5)
    return float(np.mean([abs(diagnostics.skewness(row)) > limit for row in rows]))


def warned(rate: float, n: int, studies: int, seed: int) -> float:
    """Give the share of studies of two arms, one of which collapses at a rate, that are warned.

    Of those that hold a collapsed run; without any rate, of all of them.
    """
    rng = np.random.default_rng(seed)
    arms = rng.normal(LEVEL, SPREAD, (2, studies, n))
    fell = rng.random((studies, n)) < rate
    arms[0] = np.where(fell, rng.uniform(LOWEST, HIGHEST, (studies, n)), arms[0])
    held = fell.any(1) if rate else np.ones(studies, bool)
    flags = [
        any(collapse.collapsed(arm.tolist(), False, 0.01) for arm in pair)
        for pair in arms[:, held].swapaxes(0, 1)
    ]
    return float(np.mean(flags))

"""The part of the calibration study on parts that are left out, with and without a screening.

Fourteen parts: ten that do nothing, or five of them worth exactly the margin; two that stand in for
each other; two that matter. A run's score is what its parts are worth together, and noise of its
own; the standard deviation of a paired difference is 1.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from ablate.calibration.simulation import Bools, Schedule, claims, decisions, fixed, planned
from ablate.design.leave_one_out.fraction import LEVEL, fraction
from ablate.types import Floats

MARGIN, NOISE = 1.0, math.sqrt(0.5)
"""In standard deviations of a paired difference; of one run."""

PARTS = 14
SUBSTITUTES, LIVE = (10, 11), (12, 13)
"""The two that stand in for each other, and the two that matter."""

PART = 250
"""Studies that are simulated together."""

SCHEDULES: Mapping[str, Schedule] = {
    "20 seeds, read once": fixed(20),
    "looks at 5, 8, 13, 20": planned((5, 8, 13, 20)),
}


@dataclass(frozen=True)
class Worths:
    """What parts are worth, in margins. dead: of the ten; live: of two; joint: of the two others,
    where both are missing.
    """

    dead: tuple[float, ...]
    live: float
    joint: float

    def lost(self, lacking: Bools) -> Floats:
        """Give what arms lose, `[arms]`, by the parts that they lack, `[arms, parts]`."""
        alone = np.array([*self.dead, 0.0, 0.0, self.live, self.live])
        both = lacking[:, SUBSTITUTES[0]] & lacking[:, SUBSTITUTES[1]]
        lost: Floats = MARGIN * (lacking @ alone + self.joint * both)
        return lost


WORLDS = {
    "all at the margin": Worths((0.0,) * 5 + (1.0,) * 5, 1.0, 1.0),
    "of twice the margin": Worths((0.0,) * 10, 2.0, 2.0),
}


@dataclass(frozen=True)
class LeavingOut:
    """What a procedure comes to in a world: shares of studies, or of parts over all studies.

    matters, negligible: studies with any false claim of a kind; either: of any kind. live: parts
    that matter and are said to; dead: parts that do nothing and are said to be negligible; both nan
    where there are none. substitutes: studies that show the two which stand in for each other.
    runs: the mean number of runs, were all seeds spent.
    """

    matters: float
    negligible: float
    either: float
    live: float
    dead: float
    substitutes: float
    runs: float


Left = Mapping[tuple[str, bool, int, str], LeavingOut]
"""By world, whether pairs are left out too, screened seeds (0 for no screening), and schedule."""


def leaving_out(studies: int, seed: int, screened: int = 5) -> Left:
    """Simulate every procedure in every world."""
    return {
        (world, pairs, first, name): _study(worths, pairs, first, schedule, studies, seed)
        for world, worths in WORLDS.items()
        for pairs in (False, True)
        for first in (0, screened)
        for name, schedule in SCHEDULES.items()
    }


def _study(
    worths: Worths, pairs: bool, first: int, schedule: Schedule, studies: int, seed: int
) -> LeavingOut:
    rng = np.random.default_rng(seed)
    subsets = _subsets(pairs)
    truths = worths.lost(subsets)
    sizes = [min(PART, studies - start) for start in range(0, studies, PART)]
    parts = [_claims(worths, subsets, first, schedule, size, rng) for size in sizes]
    codes, claimed = (np.concatenate(part) for part in zip(*parts, strict=True))
    above, below = np.abs(codes) == 1, codes == 2
    lone = [i for i in range(PARTS) if i not in SUBSTITUTES]
    live = [i for i in lone if truths[i] > MARGIN]
    dead = [i for i in lone if truths[i] == 0]
    joint = (above[:, _row_of(subsets, SUBSTITUTES)] if pairs else np.zeros(studies)).astype(bool)
    idle = below[:, list(SUBSTITUTES)].all(1)
    runs = (1 + claimed.sum(1).mean()) * schedule[-1][0] + first * len(fraction(PARTS)) * (
        first > 0
    )
    false = (above & (truths <= MARGIN)).any(1), (below & (truths >= MARGIN)).any(1)
    return LeavingOut(
        matters=float(false[0].mean()),
        negligible=float(false[1].mean()),
        either=float((false[0] | false[1]).mean()),
        live=_share(above[:, live]),
        dead=_share(below[:, dead]),
        substitutes=float((joint & idle).mean()) if pairs else math.nan,
        runs=float(runs),
    )


def _share(hits: Bools) -> float:
    return float(hits.mean()) if hits.size else math.nan


def _subsets(pairs: bool) -> Bools:
    """Give what each arm but the whole lacks, `[arms, parts]`: one part, then two."""
    groups: list[Sequence[int]] = [(part,) for part in range(PARTS)]
    groups += itertools.combinations(range(PARTS), 2) if pairs else ()
    lacking = np.zeros((len(groups), PARTS), bool)
    for row, group in enumerate(groups):
        lacking[row, list(group)] = True
    return lacking


def _row_of(subsets: Bools, group: Sequence[int]) -> int:
    wanted = np.isin(np.arange(PARTS), group)
    return int(np.flatnonzero((subsets == wanted).all(1))[0])


def _claims(
    worths: Worths,
    subsets: Bools,
    first: int,
    schedule: Schedule,
    studies: int,
    rng: np.random.Generator,
) -> tuple[Floats, Bools]:
    """Give the decisions of some studies, and which claims they claimed: `[studies, arms]` both."""
    carried = _carried(worths, first, studies, rng) if first else np.ones((studies, PARTS), bool)
    claimed = np.logical_not((subsets[None] & ~carried[:, None]).any(-1))
    seeds = schedule[-1][0]
    whole = rng.normal(0, NOISE, (studies, 1, seeds))
    runs = rng.normal(0, NOISE, (studies, len(subsets), seeds))
    deltas = runs - worths.lost(subsets)[:, None] - whole
    codes, _ = decisions(claims(deltas, MARGIN, schedule, 0.01), schedule, 0.05, claimed)
    return codes, claimed


def _carried(worths: Worths, seeds: int, studies: int, rng: np.random.Generator) -> Bools:
    """Screen: give which parts may matter, `[studies, parts]`."""
    signs = np.array(fraction(PARTS))
    scores = rng.normal(0, NOISE, (studies, seeds, len(signs)))
    scores -= worths.lost(signs > 0)
    effects = scores @ signs / (len(signs) / 2)
    mean = effects.mean(1)
    half = -stdtrit(seeds - 1, (1 - LEVEL) / 2) * effects.std(1, ddof=1) / math.sqrt(seeds)
    inside: Bools = (mean - half > -MARGIN) & (mean + half < MARGIN)
    return ~inside

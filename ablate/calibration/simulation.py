"""Many simulated studies at once: the rules of `family.conclude` on arrays.

`calibrate.agreement` puts the engine itself to some of the same studies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ablate.calibration.scenarios import World
from ablate.types import ENOUGH_PAIRS, Floats
from ablate.verdicts.family import BROKEN
from ablate.verdicts.sequential import Looks, Rule

LEAST, HALVINGS = math.log(1e-12), 30
"""Where the p of a bound of ties is searched for, and in how many steps."""

Schedule: TypeAlias = Sequence[tuple[int, Rule]]
Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Claims:
    """What simulated studies claim at each look: two p-values, each of that look.

    That of NEGLIGIBLE is of the bounds over the looks so far, if the mean lies between the margins;
    looks that were declared and those of a broken schedule have bounds of their own.

    matters, negligible: `[..., looks]`; of a declared side, negligible is the claim that nothing
    beyond the margin is there. up: whether the mean was above 0, `[..., looks]`.
    """

    matters: Floats
    negligible: Floats
    up: Floats


@dataclass(frozen=True)
class Rates:
    """Shares of studies by what they come to. seeds: the median number spent until decided."""

    higher: float
    lower: float
    negligible: float
    seeds: float

    @property
    def matters(self) -> float:
        """Give the share of MATTERS in either direction."""
        return self.higher + self.lower


def fixed(seeds: int) -> Schedule:
    """Give the schedule of a study that is read once."""
    return [(seeds, Looks((seeds,)))]


def planned(looks: Sequence[int], spend: str = "flat") -> Schedule:
    """Give the schedule of declared looks."""
    return [(look, Looks(tuple(looks), spend, place)) for place, look in enumerate(looks)]


def extended(looks: Sequence[int], most: int) -> Schedule:
    """Give declared looks, and then a look at every seed to `most`, as if by `--seeds`."""
    return [*planned(looks), *((n, BROKEN) for n in range(looks[-1] + 1, most + 1))]


def peeked(seeds: int) -> Schedule:
    """Give a look at every seed before the one that was declared."""
    return [*((n, BROKEN) for n in range(5, seeds)), *fixed(seeds)]


def claims(
    deltas: Floats,
    margin: float,
    schedule: Schedule,
    resolution: float,
    side: int = 0,
    span: float = math.inf,
) -> Claims:
    """Read differences `[..., seeds]` at every look of a schedule; side: 1 where it is declared.

    span: the largest difference that a pair may show; of more than two dimensions the last but one
    is a family, in which the largest that was seen counts, as in `ties.worst`.
    """
    before: dict[type, tuple[Floats, Floats]] = {}  # a broken schedule does not go on from its own
    sums, squares = np.cumsum(deltas, -1), np.cumsum(deltas**2, -1)
    ties = np.cumsum(deltas == 0, -1)
    matters, calm, up = [], [], []
    for n, rule in schedule:
        tied = 2 * ties[..., n - 1] >= n
        tied &= ties[..., n - 1] > 0
        worst = _worst(deltas[..., :n], span) if tied.any() else np.zeros(())
        mean = sums[..., n - 1] / n
        variance = np.maximum(0, squares[..., n - 1] / n - mean**2) * n / (n - 1)
        vary = variance > 1e-12
        error = np.where(vary, np.sqrt(variance), resolution) / math.sqrt(n)
        floor = np.where(vary | (mean == 0), 0.0, 0.5**n)  # as of `interim.Look`
        short = np.maximum(floor, _calm(margin - mean, error, n, rule, tied, worst))
        if side:
            large, small = np.maximum(floor, rule.p((mean - margin) / error, n)), short
        else:
            over = np.maximum(floor, _calm(mean + margin, error, n, rule, tied, worst))
            earlier = before.get(type(rule), (short, over))
            bounds = np.minimum(earlier[0], short), np.minimum(earlier[1], over)
            before[type(rule)] = bounds
            large = 2 * np.maximum(floor, rule.p((np.abs(mean) - margin) / error, n))
            inside = np.abs(mean) < margin
            small = np.where(inside, np.maximum(*bounds), np.maximum(short, over))
        few = n < ENOUGH_PAIRS
        matters.append(np.where(few, 1.0, large))
        calm.append(np.where(few, 1.0, small))
        up.append(mean > 0)
    return Claims(np.stack(matters, -1), np.stack(calm, -1), np.stack(up, -1))


def _worst(deltas: Floats, span: float) -> Floats:
    """Give what an unseen seed may differ by: a family's largest difference, else the span."""
    largest = np.abs(deltas).max(-1)
    if largest.ndim < 2:
        return np.full(largest.shape, span)
    some = largest > 0
    others = some.sum(-1, keepdims=True) - some > 0  # a contrast other than this one moves
    return np.where(others, largest.max(-1, keepdims=True), span)


def _calm(room: Floats, error: Floats, n: int, rule: Rule, tied: Any, worst: Floats) -> Floats:
    """Give the p of a bound with so much room to the margin; see `interim.Look`."""
    p = np.asarray(rule.p(room / error, n), np.float64)
    where = np.nonzero(tied)
    if not len(where[0]):
        return p
    room, error, most = (np.broadcast_to(values, p.shape)[where] for values in (room, error, worst))
    low, high = np.full(len(room), LEAST), np.zeros(len(room))
    with np.errstate(invalid="ignore"):
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            left = room - -np.expm1((middle - math.log(2)) / n) * most
            short = np.exp(middle) < 2 * rule.p(left / error, n)
            low, high = np.where(short, middle, low), np.where(short, high, middle)
    root = np.exp(high)
    p[where] = np.where(np.isfinite(most), root, 1.0)
    return p


def ever(p: Floats, alpha: float) -> float:
    """Give the share of studies whose p reaches alpha at some look."""
    return float((p <= alpha).any(-1).mean())


def decisions(
    evidence: Claims, schedule: Schedule, alpha: float, claimed: Bools | None = None
) -> tuple[Floats, Floats]:
    """Close each contrast of each family in turn, as `conclude` does: Holm over the family.

    Of claims `[studies, contrasts, looks]`, gives 1 MATTERS higher, -1 MATTERS lower, 2 NEGLIGIBLE,
    0 open, and the seeds it was decided at (inf where open), both `[studies, contrasts]`. claimed:
    which of the claims a study makes at all; the others are none of its family, and stay open.
    """
    shape = evidence.matters.shape[:-1]
    p, codes, spent = np.ones(shape), np.zeros(shape), np.full(shape, np.inf)
    for look, (n, _) in enumerate(schedule):
        matters, negligible = evidence.matters[..., look], evidence.negligible[..., look]
        free = codes == 0
        p = np.where(free, np.minimum(1, np.minimum(matters, negligible)), p)
        if claimed is not None:
            p = np.where(claimed, p, np.inf)
        close = free & (holm(p, claimed) <= alpha)
        claim = np.where(matters < negligible, np.where(evidence.up[..., look], 1, -1), 2)
        codes = np.where(close, claim, codes)
        spent = np.where(close, n, spent)
    return codes, spent


def holm(p: Floats, claimed: Bools | None = None) -> Floats:
    """Give Holm's adjusted p over the last axis (Holm 1979, Scand. J. Statist. 6(2)).

    claimed: which claims there are; those that are not have a p of inf, and 1 adjusted.
    """
    order = np.argsort(p, -1)
    count = p.shape[-1] if claimed is None else claimed.sum(-1)[..., None]
    left = np.maximum(count - np.arange(p.shape[-1]), 1)
    ranked = np.take_along_axis(p, order, -1) * left
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, np.minimum(1, np.maximum.accumulate(ranked, -1)), -1)
    return adjusted


def rates(
    world: World, truth: float, margin: float, schedule: Schedule, studies: int, seed: int
) -> Rates:
    """Simulate studies of one contrast and give the shares of its verdicts."""
    deltas = world.draw(np.random.default_rng(seed), (studies, schedule[-1][0]), truth)
    evidence = claims(deltas[:, None], margin, schedule, world.resolution)
    codes, spent = decisions(evidence, schedule, 0.05)
    share = {value: float((codes == value).mean()) for value in (1, -1, 2)}
    return Rates(share[1], share[-1], share[2], float(np.median(spent)))


def stoppers(
    world: World,
    truth: float,
    margin: float,
    schedule: Schedule,
    studies: int,
    seed: int,
    side: int = 0,
) -> tuple[float, float]:
    """Give the shares that can ever be called MATTERS, and ever NEGLIGIBLE, at some look.

    Who stops at the first MATTERS claims it this often, whatever came before; so for NEGLIGIBLE.
    side: 1 where a difference above 0 was declared; the second share is then that of NO GAIN.
    """
    deltas = world.draw(np.random.default_rng(seed), (studies, schedule[-1][0]), truth)
    evidence = claims(deltas, margin, schedule, world.resolution, side, world.span)
    return ever(evidence.matters, 0.05), ever(evidence.negligible, 0.05)


def families(
    world: World,
    truths: Sequence[float],
    margin: float,
    schedule: Schedule,
    studies: int,
    seed: int,
    side: int = 0,
) -> tuple[float, float]:
    """Give the shares of families with at least one false MATTERS, and with a false NEGLIGIBLE.

    side: 1 where a difference above 0 was declared; the second share is then that of NO GAIN.
    """
    rng = np.random.default_rng(seed)
    size = (studies, schedule[-1][0])
    deltas = np.stack([world.draw(rng, size, truth) for truth in truths], 1)
    evidence = claims(deltas, margin, schedule, world.resolution, side, world.span)
    codes, _ = decisions(evidence, schedule, 0.05)
    if side:
        above = (np.abs(codes) == 1) & (np.array(truths) <= margin)
        none = (codes == 2) & (np.array(truths) >= margin)
        return float(above.any(1).mean()), float(none.any(1).mean())
    small = np.abs(truths) <= margin
    matters = (np.abs(codes) == 1) & small
    negligible = (codes == 2) & (np.abs(truths) >= margin)
    return float(matters.any(1).mean()), float(negligible.any(1).mean())

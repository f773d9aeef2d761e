"""Which parts may matter: main effects over a fraction of all combinations, on seeds of their own.

Screening decides nothing and claims nothing. A part is carried on unless the interval of its main
effect lies inside the margin in every setting; claims about the others are not made. As no seed of
the screening is used again, which claims are made is independent of the runs that judge them, and
the family that is left is judged at the alpha that was declared (split-sample selection: Cox 1975,
Biometrika 62, 441).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ablate.analysis import pairing
from ablate.analysis.judge import Runs
from ablate.design.leave_one_out.fraction import LEVEL as LEVEL
from ablate.design.leave_one_out.removals import BARE
from ablate.stats import student
from ablate.types import Contrast, FactorialEffect, RunResult, Status, Suite, cell_words

FEWEST = 2
"""Seeds under which an effect has no interval, so that its part is carried on."""


@dataclass(frozen=True)
class MainEffect:
    """What leaving a part out did, averaged over the presence of the others, in one setting.

    mean, low, high: without it - with it, in the metric's unit, with the interval of `LEVEL`; nan
    where too few seeds have every arm.
    """

    part: str
    cell: str
    mean: float = math.nan
    low: float = math.nan
    high: float = math.nan
    may_matter: bool = True


@dataclass(frozen=True)
class Screened:
    """What a screening came to. arms, seeds: how many it had; lost: seeds in which an arm is lost.

    carried: the parts that are claimed about, in the order of the suite.
    """

    effects: tuple[MainEffect, ...]
    carried: tuple[str, ...]
    metric: str
    arms: int
    seeds: int
    lost: int

    @property
    def left_behind(self) -> tuple[str, ...]:
        """Give the parts that nothing is claimed about."""
        parts = dict.fromkeys(effect.part for effect in self.effects)
        return tuple(part for part in parts if part not in self.carried)


def screened(suite: Suite, runs: Runs) -> Screened:
    """Read a screening. suite: whose parts are screened. runs: of its `screening`, by variant."""
    first = suite.screening
    if first is None:
        raise ValueError(f"{suite.name} screens nothing")
    alone = lone_claims(suite)
    effects = [
        main_effect(first, runs, part, claim, places)
        for part, claim in alone.items()
        for places in by_cell(first)
    ]
    carried = [part for part in alone if any(e.may_matter for e in effects if e.part == part)]
    claim = next(iter(alone.values()))
    whole = {
        seed
        for seed in first.seed_numbers
        if all(seed in by_seed and by_seed[seed].status == Status.OK for by_seed in runs)
    }
    return Screened(
        effects=tuple(effects),
        carried=tuple(carried),
        metric=claim.metric,
        arms=len(first.lacks),
        seeds=first.seeds,
        lost=first.seeds - len(whole),
    )


def lone_claims(suite: Suite) -> dict[str, Contrast]:
    """Give, for each part, the claim on the arm that lacks it alone, in the first setting."""
    claims: dict[str, Contrast] = {}
    for contrast in suite.contrasts:
        lacking = suite.lacks.get(suite.variants[contrast.treatment].arm, ())
        if len(lacking) == 1 and not suite.lacks.get(suite.variants[contrast.baseline].arm, ("",)):
            claims.setdefault(lacking[0], contrast)
    return claims


def by_cell(suite: Suite) -> list[list[int]]:
    """Give the variants of each setting; those that no axis reaches stand in all of them."""
    cells = dict.fromkeys(tuple(v.cell.items()) for v in suite.variants)
    fullest = [cell for cell in cells if not any({*cell} < {*other} for other in cells)]
    return [
        [i for i, v in enumerate(suite.variants) if {*v.cell.items()} <= {*cell}]
        for cell in fullest
    ]


def main_effect(
    suite: Suite,
    runs: Sequence[Mapping[int, RunResult]],
    part: str,
    claim: Contrast,
    places: Sequence[int],
) -> MainEffect:
    """Give the main effect of leaving a part out, over the arms at some places."""
    lacks = {i: part in suite.lacks[suite.variants[i].arm] for i in places}
    effect = FactorialEffect(
        factors=((part,),),
        high="without",
        low="with",
        plus=tuple(i for i in places if lacks[i]),
        minus=tuple(i for i in places if not lacks[i]),
        metric=claim.metric,
        margin=claim.margin,
        lower_margin=claim.lower_margin,
    )
    comparison = pairing.halves(effect, suite.variants, runs, suite.seed_numbers, suite.measures)
    words = max((suite.variants[i].cell for i in places), key=len)
    cell = ", ".join(cell_words(words))
    unknown = MainEffect(part=part, cell=cell)
    if len(comparison.deltas) < FEWEST:
        return unknown
    mean = student.world(comparison)
    low, high = mean.interval(LEVEL)
    below = claim.lower_margin or claim.margin
    inside = -below < low and high < claim.margin
    return replace(unknown, mean=mean.centre, low=low, high=high, may_matter=not inside)


def narrowed(suite: Suite, carried: Sequence[str]) -> Suite:
    """Give a suite that runs, and claims about, only arms that lack parts which are carried on.

    The arm without any part stays: it was asked for, and is no part's own.
    """
    every = max(suite.lacks.values(), key=len)

    def stays(arm: str) -> bool:
        lacking = suite.lacks.get(arm.removesuffix(" (A/A)"), ())
        return {*lacking} <= {*carried} or (lacking == every and arm == BARE)

    kept = [i for i, variant in enumerate(suite.variants) if stays(variant.arm)]
    places = {old: new for new, old in enumerate(kept)}
    return replace(
        suite,
        variants=tuple(suite.variants[i] for i in kept),
        contrasts=tuple(
            replace(c, treatment=places[c.treatment], baseline=places[c.baseline])
            for c in suite.contrasts
            if c.treatment in places and c.baseline in places
        ),
        effects=tuple(
            replace(
                effect,
                plus=tuple(places[i] for i in effect.plus),
                minus=tuple(places[i] for i in effect.minus),
            )
            for effect in suite.effects
            if {*effect.plus, *effect.minus} <= {*places}
        ),
        twins=tuple((places[a], places[b]) for a, b in suite.twins if {a, b} <= {*places}),
        references=tuple(r for r in suite.references if stays(r.arm)),
    )

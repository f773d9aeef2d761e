"""The calibration study: how often each verdict is reached where the truth is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ablate.calibration.by_engine import CRASHES, Misled, agreement, misled, studies_of
from ablate.calibration.early_ends import Ends, early_ends
from ablate.calibration.leave_one_out import Left, leaving_out
from ablate.calibration.rare_events import RareEvents, rare_events
from ablate.calibration.scenarios import TIES, WORLDS
from ablate.calibration.simulation import (
    Rates,
    Schedule,
    extended,
    families,
    fixed,
    peeked,
    planned,
    rates,
    stoppers,
)

EVERY = range(5, 21)
PLANS: Mapping[str, Schedule] = {
    **{f"{n} seeds, read once": fixed(n) for n in (3, 5, 8, 10, 20, 50)},
    "looks at 5, 8, 13, 20, 32, 50": planned((5, 8, 13, 20, 32, 50)),
    "the same looks, linear spending": planned((5, 8, 13, 20, 32, 50), "linear"),
    "the same looks, quadratic spending": planned((5, 8, 13, 20, 32, 50), "quadratic"),
    "a look at every seed, 5 to 20": planned(EVERY),
    "looks at every seed to 20, then extended seed by seed to 100": extended(EVERY, 100),
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


@dataclass(frozen=True)
class Calibration:
    """What the study found.

    power: by (margin, most seeds, truth in margins), normal world, a look at every seed from 5.
    errors: by (world, plan, margin), with the truth on the margin: the shares that can ever be
    called MATTERS, and NEGLIGIBLE. families: the same over families of ten, by (world, family,
    plan). misled: by (world, seeds). agreement: by world, of `checked` studies. sides, sided: as
    errors and families, of contrasts with a declared side, by (world, plan) and (world, family,
    plan): MATTERS, and NO GAIN. rare: ties, collapses and skew. ends: spending and futility, on a
    tenth of the studies. left: parts that are left out.
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
    ends: Ends = field(default_factory=dict)
    left: Left = field(default_factory=dict)


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
    plans = (
        "20 seeds, read once",
        "looks at 5, 8, 13, 20, 32, 50",
        "the same looks, linear spending",
        "the same looks, quadratic spending",
    )
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
            warned[name, n] = misled(studies_of(name, n, engine, seed))
    say("ties, collapsed runs and skew")
    rare = rare_events(studies, seed)
    say("spending and futility")
    ends = early_ends(max(50, studies // 10), seed)
    say("parts that are left out")
    left = leaving_out(studies, seed)
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
        ends=ends,
        left=left,
    )

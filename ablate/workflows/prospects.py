"""What the number of seeds costs a suite, said before it is run."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ablate.types import ENOUGH_PAIRS, Suite
from ablate.verdicts.family import BROKEN
from ablate.verdicts.sequential import Looks


def lines(suite: Suite) -> Iterator[str]:
    """Say what its seeds leave undecided: too few pairs, or another number than was declared."""
    claims, seeds = len(suite.contrasts) + len(suite.effects), suite.seeds
    looks = suite.looks or (suite.declared_seeds,)
    if not claims:
        return  # nothing is asked, so that nothing can stay open
    if seeds < ENOUGH_PAIRS:
        yield (
            f"{_count(seeds, 'seed')}: every contrast will be INCONCLUSIVE at best; {ENOUGH_PAIRS} "
            "pairs are needed."
        )
    elif seeds not in looks:
        yield _off_schedule(suite, looks, claims)
    elif seeds < looks[-1]:
        later = next(look for look in looks if look > seeds)
        yield (
            f"{seeds} of the {looks[-1]} declared seeds: what is open at this look waits for the "
            f"next, at {later}."
        )


def _off_schedule(suite: Suite, looks: tuple[int, ...], claims: int) -> str:
    """Say what a number of seeds costs that is no declared look."""
    seeds = suite.seeds
    level = suite.alpha / (1 if suite.correction == "none" else claims)
    read = (
        f"{seeds} seeds, where verdicts were declared for {', '.join(map(str, looks))}: what no "
        "declared look decides is read by a t-mixture, which holds at any number and pays for it."
    )
    sides = [contrast.claim for contrast in suite.contrasts]
    both = not all([*sides, *(effect.claim for effect in suite.effects)])
    end = level / 2 if both else level
    wide, plain = BROKEN.constant(end, seeds), Looks((seeds,)).constant(end, seeds)
    if math.isinf(BROKEN.constant(level, seeds)):
        least = next(n for n in range(seeds, 1000) if math.isfinite(BROKEN.constant(level, n)))
        cost = (
            f"Of {_count(claims, 'claim')} it can decide none with fewer than {least} seeds: every "
            "contrast will be INCONCLUSIVE, unless its arms score the same throughout"
        )
    elif math.isinf(wide):
        cost = f"At {seeds} seeds, of {_count(claims, 'claim')} none can be shown to matter"
    else:
        cost = f"Its intervals are {wide / plain:.1f} times as wide as if {seeds} were declared"
    return f"{read} {cost}; a suite that declares `seeds: {seeds}` is read by Student's t."


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"

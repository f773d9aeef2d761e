"""Why a contrast is not decided yet, and with how many pairs it would be."""

from __future__ import annotations

import math
from dataclasses import replace

from ablate.stats.correction import Step
from ablate.stats.power import equivalence, minimal_effect, one_sided, seeds
from ablate.types import ENOUGH_PAIRS, Comparison, Worst
from ablate.verdicts.interim import Interim
from ablate.verdicts.sequential import Looks
from ablate.verdicts.ties import DECLARED, UNKNOWN, unseen

MOST_SEEDS, MOST_TIMES = 1000, 10
"""Beyond so many pairs, and so many times those that there are, no number is estimated."""
MOST_ALIKE = 1_000_000
"""The same of pairs that tie, of which one figure decides."""


def of(comparison: Comparison, interim: Interim, worst: Worst, step: Step) -> str:
    """Say why neither claim can be made at a step of the family, and what would decide.

    worst: what seeds that were not seen may differ by; see `ties`.
    """
    if worst.size:
        return _of_ties(comparison, interim, worst, step)
    if math.isinf(interim.outer(step.level)[1]) and interim.last.constant:
        return _of_equals(comparison, interim, step)
    needed, unit = seeds_needed(interim, step.hardest), comparison.unit
    more = f"more than {farthest(interim.last.n):,} {unit} would be needed"
    if needed > interim.last.n:
        more = f"about {needed:,} {unit} would decide"
    elif (
        needed
    ):  # read once, by Student's t; several looks, or none that was declared, ask for more
        more = f"a study of as many {unit}, read once, would decide more often than not"
    if math.isinf(interim.outer(step.level)[1]):
        rule, n = interim.last.rule.name, interim.last.n
        return f"the {rule} has no interval at {n} pairs and this level; {more}"
    return f"the interval crosses the margin; {more}"


def _of_ties(comparison: Comparison, interim: Interim, worst: Worst, step: Step) -> str:
    """Say what keeps pairs that tie from being negligible, and what would help."""
    n, unit = interim.last.n, comparison.unit
    ties = sum(abs(delta) <= comparison.round_off for delta in comparison.deltas)
    rare = f"in fewer than {100 * unseen(step.level / 2, n):.3g} % of all {unit} is not excluded"
    tied = f"{ties} of {n} {unit}" if comparison.n == n else f"{ties} of {comparison.n} pairs"
    few = f"{tied} tie exactly; a difference"
    if worst.origin == UNKNOWN:
        return f"{few} {rare}, and nothing says how large one may be: declare the worst of a seed"
    needed = alike_needed(interim, step.hardest)
    more = f"more than {MOST_ALIKE:,} {unit}" if not needed else f"about {needed:,} {unit}"
    declare = "" if worst.origin == DECLARED else ", or a worst difference that is declared"
    sentence = f"{few} of {worst.size:.4g} ({worst.origin}) {rare}"
    if interim.last.mean <= interim.bounds[0] or interim.last.mean >= interim.bounds[1]:
        return sentence
    return f"{sentence}; {more} like these{declare} would decide"


def _of_equals(comparison: Comparison, interim: Interim, step: Step) -> str:
    """Say what keeps differences without any spread open, and with how many they would not be."""
    n, unit, ends = interim.last.n, comparison.unit, 1 if interim.side else 2
    needed = max(ENOUGH_PAIRS, math.ceil(-math.log2(step.hardest / ends)))
    return (
        f"all {n} {unit} show the same difference, as if it were no draw, and {n} equal signs come "
        f"by chance at {interim.last.floor:.2g} a side; {needed} {unit} like these would decide"
    )


def alike_needed(interim: Interim, level: float) -> int:
    """Give the pairs like those of the last look with which nothing is there; 0 for too many."""
    last = interim.last
    sd = last.error * math.sqrt(last.n)

    def calm(n: int) -> float:
        look = replace(last, n=n, error=sd / math.sqrt(n), rule=Looks((n,)))
        return float(replace(interim, looks=(look,)).calms <= level)

    return seeds(calm, 0.5, last.n, MOST_ALIKE)


def seeds_needed(interim: Interim, alpha: float, power: float = 0.8) -> int:
    """Estimate the pairs for a decision, mean and spread staying as observed; 0 for too many."""
    last, side = interim.last, interim.side
    sd = last.error * math.sqrt(last.n)
    low, high = interim.bounds
    middle, half = (low + high) / 2, (high - low) / 2
    away = abs(last.mean - middle)

    def chance(n: int) -> float:
        if side:
            return max(one_sided(n, side * last.mean, sd, side * interim.bar, alpha))
        likely = minimal_effect if away > half else equivalence
        return likely(n, away, sd, half, alpha)

    most = farthest(last.n)
    if chance(most) < power:
        return 0
    return seeds(chance, power, max(ENOUGH_PAIRS, last.n), most)


def farthest(n: int) -> int:
    """Give the number of pairs beyond which, of n that there are, none is estimated.

    >>> farthest(20), farthest(50_000)
    (1000, 500000)
    """
    return max(MOST_SEEDS, MOST_TIMES * n)

"""What a suite can show before it is run: detectable differences, equivalence, seeds needed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ablate.analysis import judge
from ablate.errors import SelectionError
from ablate.stats import power
from ablate.types import Comparison, Design, RunResult, Suite
from ablate.verdicts.sequential import Looks

PILOT_SEEDS = 2_000_000
"""Where pilot seeds begin: no seed of a suite, nor of an A/A twin, so that nothing is peeked at."""

FEWEST = 3
POWER = 0.8


class Spread(NamedTuple):
    """A standard deviation of paired differences, in points, with its 90 % interval if known."""

    sd: float
    low: float = math.nan
    high: float = math.nan


@dataclass(frozen=True)
class Forecast:
    """What one contrast can come to at the suite's seeds.

    sd: of the paired differences, in points; low, high: its 90 % interval, nan where it was
    declared; source: where it is from. detectable: the true difference that is found to matter with
    a power of 80 %. matters: the power for a difference of twice the margin. equivalent, halfway:
    the power to show NEGLIGIBLE where the truth is 0, and half the margin. seeds_matters,
    seeds_negligible: the seeds that bring the powers for twice the margin and for 0 to 80 %; 0
    beyond 100,000. All are read at the strictest level that the correction may ask for. claim: the
    declared side; twice the margin then lies on it, and what is said of NEGLIGIBLE is of NO GAIN.
    """

    label: str
    metric: str
    margin: float
    seeds: int
    sd: float
    low: float
    high: float
    source: str
    detectable: float
    matters: float
    equivalent: float
    halfway: float
    seeds_matters: int
    seeds_negligible: int
    claim: str = ""


def pilot(suite: Suite, seeds: int, first: int = PILOT_SEEDS) -> Suite:
    """Give a suite of the same arms on a few seeds that it never uses itself, from `first` on."""
    moved = tuple(replace(variant, first_seed=first, named_seeds=()) for variant in suite.variants)
    return replace(suite, variants=moved, seeds=seeds, twins=())


def forecasts(
    suite: Suite, records: Mapping[str, RunResult], source: str, spreads: Sequence[Spread] = ()
) -> Iterator[Forecast]:
    """Forecast every claim of a suite from its declared spread, or from records of its runs.

    source: what the records are, in words. spreads: of each claim, where the seeds of the records
    are not independent. Raises SelectionError where neither tells a spread.
    """
    runs = judge.by_variant(suite, records)
    compared = judge.claims(suite, runs)
    if not compared:
        raise SelectionError(f"{suite.name} declares no contrast, so there is nothing to forecast")
    design, level = judge.design(suite), hardest(suite)
    for place, comparison in enumerate(compared):
        n = len(comparison.deltas)
        declared = suite.spreads.get(comparison.metric, suite.spread)
        if comparison.refusal and not declared:
            raise SelectionError(
                f"the runs of {comparison.treatment} and {comparison.baseline} do not go "
                f"together: {comparison.refusal}"
            )
        if declared:
            yield forecast(comparison, Spread(declared), "declared", design, level)
        elif n >= FEWEST:
            spread = spreads[place] if spreads else spread_of(comparison)
            yield forecast(comparison, spread, f"{n} {source}", design, level)
        else:
            form = "2.0 points" if comparison.points else "0.02"
            raise SelectionError(
                f"no spread is known for {comparison.treatment} − {comparison.baseline} "
                f"({n} pairs): declare `spread: {form}` in the suite, or run a pilot with "
                "--pilot 5"
            )


def hardest(suite: Suite) -> float:
    """Give the strictest level at which the correction may read one of the suite's claims."""
    claims = len(suite.contrasts) + len(suite.effects)
    return suite.alpha / (1 if suite.correction == "none" else max(1, claims))


def forecast(
    comparison: Comparison, spread: Spread, source: str, design: Design, level: float
) -> Forecast:
    """Forecast one claim, read at the last look, at `level` of its own.

    A study with several looks reaches its verdict at the last one at the latest, so that its power
    is at least this.
    """
    sd = max(spread.sd, comparison.resolution if math.isfinite(comparison.resolution) else 1e-9)
    wider = (
        sd / spread.sd if spread.sd else math.nan
    )  # its interval, too, where rows are too coarse
    last = design.looks[-1]
    rule = Looks(design.looks, design.spend, len(design.looks) - 1)
    two_sided, one_sided = 2 * rule.nominal(level / 2), rule.nominal(level)

    bounds = comparison.bounds
    margin = abs(comparison.bar) if comparison.side else max(map(abs, bounds))
    middle, half = (bounds[0] + bounds[1]) / 2, (bounds[1] - bounds[0]) / 2

    def matters(n: int, difference: float) -> float:
        if comparison.side:
            return power.one_sided(n, difference, sd, margin, one_sided)[0]
        return power.minimal_effect(n, difference - middle, sd, half, two_sided)

    def negligible(n: int, difference: float) -> float:
        if comparison.side:
            return power.one_sided(n, difference, sd, margin, one_sided)[1]
        return power.equivalence(n, difference - middle, sd, half, one_sided)

    return Forecast(
        label=f"{comparison.treatment} − {comparison.baseline}",
        metric=comparison.metric,
        margin=margin,
        seeds=last,
        sd=sd,
        low=spread.low * wider,
        high=spread.high * wider,
        source=source,
        detectable=power.detectable(
            last, sd, margin, one_sided if comparison.side else two_sided, side=comparison.side
        ),
        matters=matters(last, 2 * margin),
        equivalent=negligible(last, 0.0),
        halfway=negligible(last, margin / 2),
        seeds_matters=power.seeds(lambda n: matters(n, 2 * margin), POWER, 5),
        seeds_negligible=power.seeds(lambda n: negligible(n, 0.0), POWER, 5),
        claim=comparison.claim,
    )


def spread_of(comparison: Comparison) -> Spread:
    """Give the standard deviation of n normal differences with its 90 % interval."""
    from scipy.stats import chi2

    sd, n = float(np.std(comparison.deltas, ddof=1)), len(comparison.deltas)
    low, high = (sd * math.sqrt((n - 1) / float(chi2.isf(q, n - 1))) for q in (0.05, 0.95))
    return Spread(sd, low, high)

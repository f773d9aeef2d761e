"""Where the variance of paired differences comes from, and where the next hour is best spent."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ablate.analysis import judge
from ablate.analysis.scored_rows import spreads
from ablate.core.random_streams import SQUARE
from ablate.errors import AblateError, SelectionError
from ablate.plan.pending import inspect
from ablate.plan.run_keys import canonical
from ablate.registry import Catalogue
from ablate.stats.variance import crossed
from ablate.stats.variance.crossed import Sources
from ablate.stats.variance.scored_rows import RowSpread
from ablate.streams.crossed_squares import LEVELS, whole_squares
from ablate.types import Choice, Comparison, Floats, Ints, RunResult, Status, Suite
from ablate.workflows.power_forecast import Spread

HOUR = 3600.0


@dataclass(frozen=True)
class ClaimSources:
    """Where the variance of one claim's differences comes from, in squared points.

    lost: squares that were left out, since a pair of theirs was lost. rows: what the finite test
    rows do; None where that is not known. It is no part beside the streams: the noise of single
    rows is inside theirs.
    """

    label: str
    metric: str
    margin: float
    sources: Sources
    lost: int
    rows: RowSpread | None

    @property
    def spread(self) -> Spread:
        """Give the standard deviation with all streams drawn afresh, with its interval."""
        whole = self.sources
        return Spread(*(math.sqrt(value) for value in (whole.variance, whole.low, whole.high)))


@dataclass(frozen=True)
class Advice:
    """What an hour of one worker buys the claim whose differences vary most for its margin.

    seeds: that are declared. error: the standard error of the mean difference at these, in points.
    more_seeds: that an hour trains, all arms together; with_seeds: the error with them, too.
    unused_rows: test rows that are there and not scored; with_rows: the error at the declared
    seeds, were they scored; nan where there are none or their noise is not known. worth: how many
    seeds that draw all afresh a square of crossed ones is worth, of `square`.
    """

    claim: ClaimSources
    seeds: int
    error: float
    more_seeds: int
    with_seeds: float
    unused_rows: int
    with_rows: float
    worth: float
    square: int

    @property
    def rows_first(self) -> bool:
        """Say whether scoring the unused rows gains at least as much as an hour of seeds."""
        return self.with_rows <= self.with_seeds


def by_claim(
    suite: Suite, records: Mapping[str, RunResult], drawn: Sequence[Collection[str]]
) -> list[ClaimSources]:
    """Part the variance of every claim of a crossed pilot. drawn: the streams of each claim.

    Raises SelectionError where no square is whole, or runs do not go together.
    """
    runs = judge.by_variant(suite, records)
    compared = judge.claims(suite, runs)
    squares = [_squares(comparison) for comparison in compared]
    levels = [{stream: LEVELS[stream] for stream in LEVELS if stream in used} for used in drawn]
    variances = [
        partial(_variance, places, streams) for places, streams in zip(squares, levels, strict=True)
    ]
    rows = spreads(suite, runs, compared, variances)
    return [
        ClaimSources(
            label=_label(comparison),
            metric=comparison.metric,
            margin=max(map(abs, comparison.bounds)),
            sources=crossed.sources(np.array(comparison.deltas)[places], streams),
            lost=suite.seeds // SQUARE - len(places),
            rows=spread,
        )
        for comparison, places, streams, spread in zip(compared, squares, levels, rows, strict=True)
    ]


def _squares(comparison: Comparison) -> Ints:
    """Give the places of the pairs by square, `[squares, 25]`."""
    if comparison.refusal:
        raise SelectionError(
            f"the runs of {_label(comparison)} do not go together: {comparison.refusal}"
        )
    places = whole_squares(comparison.seeds)
    if not len(places):
        raise SelectionError(
            f"{_label(comparison)}: every square of the pilot lost a pair, so that its streams "
            f"cannot be told from one another; run more than {len(comparison.seeds)} with --pilot"
        )
    return places


def _variance(places: Ints, levels: Mapping[str, Ints], values: Floats) -> Floats:
    return crossed.variance(values[places], levels)


def _label(comparison: Comparison) -> str:
    return f"{comparison.treatment} − {comparison.baseline}"


def advice(
    claims: Sequence[ClaimSources], suite: Suite, seconds: float, unused_rows: int
) -> Advice:
    """Say what an hour buys. suite: the one that was asked about. seconds: of a seed, all arms."""
    hardest = max(claims, key=lambda claim: claim.sources.variance / max(1e-9, claim.margin) ** 2)
    whole, n = hardest.sources.variance, judge.design(suite).looks[-1]
    more = int(HOUR / seconds) if seconds > 0 else 0
    with_rows = math.nan
    if unused_rows and hardest.rows and math.isfinite(hardest.rows.noise):
        gone = max(0.0, hardest.rows.noise) * unused_rows / (hardest.rows.rows + unused_rows)
        with_rows = math.sqrt(max(0.0, whole - gone) / n)
    return Advice(
        claim=hardest,
        seeds=n,
        error=math.sqrt(whole / n),
        more_seeds=more,
        with_seeds=math.sqrt(whole / (n + more)),
        unused_rows=unused_rows,
        with_rows=with_rows,
        worth=hardest.sources.worth,
        square=hardest.sources.levels**2,
    )


def seconds_of_a_seed(suite: Suite, records: Mapping[str, RunResult]) -> float:
    """Give what one seed of all arms in a claim costs one worker; 0 where no run ended well."""
    runs = judge.by_variant(suite, records)
    return math.fsum(_mean(runs[arm]) for arm in arms(suite))


def arms(suite: Suite) -> list[int]:
    """Name the arms that a claim is about."""
    return sorted({arm for claimed in judge.arms_of(suite) for arm in claimed})


def unused_rows(suite: Suite, catalogue: Catalogue, root: Path) -> int:
    """Count the test rows that are there and that the data sets' own settings leave out.

    The fewest over the data sets of arms in a claim; 0 where they cannot be looked at.
    """
    counts = []
    for choice in {canonical(c.plain()): c for c in _datasets(suite)}.values():
        whole = {
            name: None if name.startswith("test_") else value
            for name, value in choice.settings.items()
        }
        try:
            fewer, every = (
                inspect(Choice(choice.kind, choice.name, settings), catalogue, root, fetch=False)
                for settings in (choice.settings, whole)
            )
        except AblateError:
            return 0
        counts.append(every.test_rows - fewer.test_rows)
    return min(counts, default=0)


def _datasets(suite: Suite) -> list[Choice]:
    return [suite.variants[arm].choices["dataset"] for arm in arms(suite)]


def _mean(by_seed: Mapping[int, RunResult]) -> float:
    seconds = [run.seconds for run in by_seed.values() if run.status == Status.OK]
    return math.fsum(seconds) / len(seconds) if seconds else 0.0

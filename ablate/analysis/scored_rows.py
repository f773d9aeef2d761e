"""Claims -> what the finite test rows do to them, from the rows that each run got right."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ablate.analysis import judge
from ablate.analysis.pairing import own
from ablate.records import metrics
from ablate.records.rows import row_scores
from ablate.stats.variance.scored_rows import RowSpread, for_new_rows, row_spread, spread_of
from ablate.types import Comparison, Floats, RunResult, Suite, Verdict


@dataclass(frozen=True)
class NewRows:
    """A verdict's interval widened to one that holds for test rows drawn anew; it decides nothing.

    spread: what the rows do to the difference, in points and squared points. low, high: nan where
    the verdict rests on no interval.
    """

    verdict: Verdict
    spread: RowSpread
    low: float
    high: float


def for_rows_anew(suite: Suite, runs: judge.Runs, verdicts: Sequence[Verdict]) -> Iterator[NewRows]:
    """Widen the interval of every verdict on a claim whose rows are known."""
    compared = [verdict.comparison for verdict in verdicts]
    for verdict, spread in zip(verdicts, spreads(suite, runs, compared), strict=True):
        if spread and math.isfinite(verdict.estimate):
            ends = (verdict.low, verdict.high)
            share = 1 - verdict.confidence
            tail = share if verdict.comparison.claim else share / 2
            finite = math.isfinite(verdict.low) and math.isfinite(verdict.high)
            wide = for_new_rows(verdict.estimate, ends, spread, tail) if finite else (math.nan,) * 2
            yield NewRows(verdict, spread, *wide)


def spreads(
    suite: Suite,
    runs: judge.Runs,
    compared: Sequence[Comparison],
    variances: Sequence[Callable[[Floats], Floats]] = (),
) -> list[RowSpread | None]:
    """Give what the rows do to every claim of a suite's family, in points.

    None where that is not known: the metric is no mean over rows, rows vote or are not of one data
    set, a record has no rows, or there are fewer than two pairs. variances: of each claim, as in
    `row_spread`, if not that between independent seeds.
    """
    known: dict[tuple[int, int, str], list[Floats] | None] = {}

    def rows(arm: int, seed: int, protocol: str) -> list[Floats] | None:
        key = (arm, seed, protocol)
        if key not in known:
            known[key] = row_scores.unpack(runs[arm][seed], protocol)
        return known[key]

    return [
        _spread(suite, runs, comparison, sides, rows, variance)
        for comparison, sides, variance in zip(
            compared, _sides(suite), variances or [spread_of] * len(compared), strict=True
        )
    ]


def _sides(suite: Suite) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Give the arms on the two sides of every claim, by place."""
    contrasts = [((claim.treatment,), (claim.baseline,)) for claim in suite.contrasts]
    return [*contrasts, *((effect.plus, effect.minus) for effect in suite.effects)]


def _spread(
    suite: Suite,
    runs: judge.Runs,
    comparison: Comparison,
    sides: tuple[tuple[int, ...], tuple[int, ...]],
    rows: Callable[[int, int, str], list[Floats] | None],
    variance: Callable[[Floats], Floats],
) -> RowSpread | None:
    metric, seeds = comparison.metric, comparison.seeds
    arms = [arm for side in sides for arm in side]
    named = metric.split("@")[0] in metrics.SUMMARIES
    if named or len(seeds) < 2 or not _same_rows([runs[arm] for arm in arms], seeds):
        return None
    total: list[Floats] | None = None  # points by class, [seed, row]
    for side, sign in zip(sides, (100.0, -100.0), strict=True):
        for arm in side:
            protocol = metrics.protocol_of(metric, own(suite.variants[arm]))
            scores = [rows(arm, seed, protocol) for seed in seeds]
            present = [row for row in scores if row is not None]
            if len(present) < len(seeds):
                return None
            stacked = [np.stack(several) for several in zip(*present, strict=True)]
            weighed = [sign / len(side) * values for values in stacked]
            total = (
                weighed if total is None else [a + b for a, b in zip(total, weighed, strict=True)]
            )
    return row_spread(total, variance) if total else None


def _same_rows(arms: Sequence[Mapping[int, RunResult]], seeds: Sequence[int]) -> bool:
    """Say whether all runs were scored on the same rows."""
    facts = {runs[seed].provenance.get("data") for runs in arms for seed in seeds}
    return len(facts) == 1

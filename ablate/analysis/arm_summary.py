"""Records of one arm -> its means with intervals, by metric and along the tasks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ablate.analysis.pairing import own
from ablate.records import cohort, metrics
from ablate.types import Floats, RunResult, Status, Suite, Variant


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its 1 - alpha Student interval; `nan` ends below two seeds."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class ArmSummary:
    """What one variant's runs say.

    values: by metric. curve: accuracy on the tasks seen so far, after each task, `[T]`.
    matrix: R, the mean accuracy on task k after task t, `[t][k]`, k <= t; none where runs differ.
    updates_per_second: of one replica, its share of the stack. statuses: runs by status.
    """

    variant: Variant
    values: Mapping[str, Estimate]
    curve: Sequence[Estimate]
    matrix: Sequence[Sequence[float]]
    updates_per_second: float
    gradients: float
    statuses: Mapping[str, int]


def summaries(
    suite: Suite, runs: Sequence[Mapping[int, RunResult]], labels: Sequence[str]
) -> tuple[ArmSummary, ...]:
    """Summarise every arm. Arms stand side by side, so those that do not go with the most of them
    have no means and no curve."""
    beside = cohort.together(suite.variants, runs)
    arms = []
    for index, (variant, records) in enumerate(zip(suite.variants, runs, strict=True)):
        names = [*suite.measures] or [*labels, *metrics.SUMMARIES]
        whole = summarise(variant, records, names, suite.alpha)
        blank = summarise(variant, {}, names, suite.alpha)
        arms.append(whole if index in beside else replace(blank, statuses=whole.statuses))
    return tuple(arms)


def summarise(
    variant: Variant, runs: Mapping[int, RunResult], names: Sequence[str], alpha: float
) -> ArmSummary:
    """Summarise the runs that ended well, for the metrics of `names`.

    Runs that do not go together have no mean.
    """
    good = _together(variant, runs)
    values = {name: _mean(good, name, own(variant), alpha) for name in names}
    statuses = [record.status for record in runs.values()]
    seconds = sum(record.seconds for record in good)
    return ArmSummary(
        variant=variant,
        values=values,
        curve=_curve(good, own(variant), alpha),
        matrix=_matrix(good, own(variant)),
        updates_per_second=sum(record.updates for record in good) / seconds
        if seconds
        else math.nan,
        gradients=float(np.mean([record.gradients for record in good])) if good else math.nan,
        statuses={status: statuses.count(status) for status in Status},
    )


def of_metric(
    variant: Variant, runs: Mapping[int, RunResult], metric: str, alpha: float
) -> Estimate:
    """Give the mean of a metric over the runs that ended well, if they go together."""
    return _mean(_together(variant, runs), metric, own(variant), alpha)


def estimate(values: Sequence[float] | Floats, alpha: float) -> Estimate:
    """Give the mean of finite values with its interval.

    >>> estimate([1.0, 1.0, 1.0], 0.05)
    Estimate(mean=1.0, low=1.0, high=1.0, n=3)
    """
    finite = np.array(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    n = len(finite)
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    mean = float(np.mean(finite))
    if n == 1:
        return Estimate(mean, math.nan, math.nan, 1)
    from scipy.stats import t

    half = float(t.ppf(1 - alpha / 2, n - 1) * np.std(finite, ddof=1) / math.sqrt(n))
    return Estimate(mean, mean - half, mean + half, n)


def sampling_error(mean: float, rows: int) -> float:
    """Give the standard error of an accuracy from its finite test set: sqrt(p (1 - p) / rows).

    In points, as `mean` is. Seeds that share their test rows do not remove it.

    >>> round(sampling_error(80.0, 400), 2)
    2.0
    """
    share = min(1.0, max(0.0, mean / 100))
    return 100 * math.sqrt(share * (1 - share) / rows)


def _together(variant: Variant, runs: Mapping[int, RunResult]) -> list[RunResult]:
    if cohort.refusals([variant], [runs]):
        return []
    return [record for record in runs.values() if record.status == Status.OK]


def _mean(good: Sequence[RunResult], metric: str, protocol: str, alpha: float) -> Estimate:
    scored = [record for record in good if metrics.has(record, metric, protocol)]
    return estimate(metrics.values(scored, metric, protocol), alpha)


def _curve(good: Sequence[RunResult], protocol: str, alpha: float) -> list[Estimate]:
    scored = [record for record in good if protocol in record.right]
    if len(metrics.by_tasks(scored)) != 1:
        return []
    return [estimate(column, alpha) for column in metrics.curve(metrics.Scores(scored, protocol)).T]


def _matrix(good: Sequence[RunResult], protocol: str) -> list[list[float]]:
    scored = [record for record in good if protocol in record.right]
    if len(metrics.by_tasks(scored)) != 1:
        return []
    tables = metrics.accuracy_matrix(metrics.Scores(scored, protocol))
    return [row[: t + 1].tolist() for t, row in enumerate(tables.mean(axis=0))]

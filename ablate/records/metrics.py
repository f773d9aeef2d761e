"""What a run's counts say: accuracies, forgetting, transfer and the factors of accuracy, in points.

All of it follows from two integer tables a protocol: rows whose class is right and rows whose task
is right, of task `k` after task `t`. Every figure is in percentage points, 0 to 100.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ablate.records.rows.counts import stacked
from ablate.types import Floats, Measure, RunResult

DEFAULT_PROTOCOL = "all-classes"
LOWER_IS_BETTER = ("forgetting",)
SIGNED = ("forgetting", "backward-transfer")
"""Metrics that reach from -100 to 100."""


def lower_is_better(metric: str) -> bool:
    """Say whether a lower score is a better one; `metric` may name a protocol.

    >>> lower_is_better("forgetting@all-classes"), lower_is_better("all-classes")
    (True, False)
    """
    return metric.split("@")[0] in LOWER_IS_BETTER


def span(metric: str) -> float:
    """Give the largest difference of two scores in a metric, in points.

    >>> span("all-classes"), span("forgetting@known-task")
    (100.0, 200.0)
    """
    return 200.0 if metric.split("@")[0] in SIGNED else 100.0


def measure(metric: str, measures: Mapping[str, Measure] | None = None) -> Measure:
    """Give what a metric is like: one of somebody's own program, by name, or one of ours."""
    own = (measures or {}).get(metric)
    return own or Measure(lower_is_better(metric), span(metric), "points")


@dataclass(frozen=True)
class Scores:
    """What `n` runs of as many tasks scored in one protocol; KeyError where one lacks it."""

    results: Sequence[RunResult]
    protocol: str

    @cached_property
    def right(self) -> Floats:
        """Give the rows whose class is right, `[n, t, k]`."""
        return stacked([result.right for result in self.results], self.protocol)

    @cached_property
    def task_right(self) -> Floats:
        """Give the rows whose task is right, `[n, t, k]`."""
        return stacked([result.task_right for result in self.results], self.protocol)

    @cached_property
    def rows(self) -> Floats:
        """Give the test rows of each task, `[n, k]`."""
        return np.array([result.rows for result in self.results], dtype=np.float64)


def accuracy_matrix(runs: Scores) -> Floats:
    """Give R `[n, T, T]`: accuracy on task k after task t; `nan` above the diagonal."""
    seen = np.tri(runs.rows.shape[1], dtype=bool)
    matrix: Floats = 100 * np.where(seen, runs.right, np.nan) / runs.rows[:, None]
    return matrix


def curve(runs: Scores) -> Floats:
    """Give the accuracy over the rows of all seen tasks, after each task, `[n, T]`."""
    share: Floats = 100 * np.tril(runs.right).sum(-1) / np.cumsum(runs.rows, axis=-1)
    return share


def accuracy(runs: Scores) -> Floats:
    """Share of all test rows whose class is right, after the last task, `[n]`."""
    share: Floats = 100 * runs.right[:, -1].sum(-1) / runs.rows.sum(-1)
    return share


def average_accuracy(runs: Scores) -> Floats:
    """Mean over tasks of the last row of R (Lopez-Paz & Ranzato 2017, "ACC"), `[n]`."""
    mean: Floats = accuracy_matrix(runs)[:, -1].mean(-1)
    return mean


def average_incremental_accuracy(runs: Scores) -> Floats:
    """Mean over the tasks t of the accuracy on all classes seen by then (Rebuffi et al. 2017)."""
    mean: Floats = curve(runs).mean(-1)
    return mean


def forgetting(runs: Scores) -> Floats:
    """Mean over the old tasks of best earlier minus last accuracy (Chaudhry et al. 2018, F), `[n]`.

    0 for a study of one task. Lower is better.
    """
    matrix = accuracy_matrix(runs)
    if matrix.shape[1] < 2:
        return np.zeros(len(matrix))
    best = np.nanmax(matrix[:, :-1, :-1], axis=1)
    mean: Floats = (best - matrix[:, -1, :-1]).mean(-1)
    return mean


def backward_transfer(runs: Scores) -> Floats:
    """Mean over the old tasks of last minus first accuracy (Lopez-Paz & Ranzato 2017, Eq. 3)."""
    matrix = accuracy_matrix(runs)
    if matrix.shape[1] < 2:
        return np.zeros(len(matrix))
    first = np.diagonal(matrix, axis1=1, axis2=2)
    mean: Floats = (matrix[:, -1, :-1] - first[:, :-1]).mean(-1)
    return mean


def task_prediction(runs: Scores) -> Floats:
    """P(task right) over all test rows, after the last task, `[n]`."""
    share: Floats = 100 * runs.task_right[:, -1].sum(-1) / runs.rows.sum(-1)
    return share


def within_task(runs: Scores) -> Floats:
    """P(class right | task right) after the last task, `[n]`; `nan` where no task is right."""
    tasks = runs.task_right[:, -1].sum(-1)
    share: Floats = 100 * runs.right[:, -1].sum(-1) / np.where(tasks > 0, tasks, np.nan)
    return share


SUMMARIES: dict[str, Callable[[Scores], Floats]] = {
    "average-accuracy": average_accuracy,
    "average-incremental-accuracy": average_incremental_accuracy,
    "forgetting": forgetting,
    "backward-transfer": backward_transfer,
    "task-prediction": task_prediction,
    "within-task": within_task,
}


def names(protocols: Iterable[str]) -> list[str]:
    """Name every metric: each protocol (final accuracy), and each summary of each protocol.

    A summary without `@protocol` is of `all-classes`; `accuracy` is the arm's own predictor's.
    """
    protocols = list(protocols)
    of_protocol = [f"{name}@{protocol}" for name in SUMMARIES for protocol in protocols]
    return ["accuracy", *protocols, *SUMMARIES, *of_protocol]


def protocol_of(metric: str, predictor: str) -> str:
    """Give the protocol that a metric reads, for an arm whose own predictor is `predictor`.

    >>> protocol_of("forgetting@known-task", "all-classes")
    'known-task'
    """
    if metric == "accuracy":
        return predictor
    if metric in SUMMARIES:
        return DEFAULT_PROTOCOL
    return metric.split("@", 1)[-1]


def has(result: RunResult, metric: str, predictor: str) -> bool:
    """Say whether a run was scored in a metric."""
    return metric in result.scores or protocol_of(metric, predictor) in result.right


def value(result: RunResult, metric: str, predictor: str) -> float:
    """Give a metric of a run, in points. Raises KeyError where the run lacks the protocol."""
    return float(values([result], metric, predictor)[0])


def values(results: Sequence[RunResult], metric: str, predictor: str) -> Floats:
    """Give a metric of several runs, `[n]`, in points; `nan` where a run has none.

    Of somebody's own program it is as the last step has it. Raises KeyError where a run lacks it.
    """
    if any(result.scores for result in results):
        return np.array([result.scores[metric][-1][1] for result in results], dtype=np.float64)
    summary = SUMMARIES.get(metric.split("@", 1)[0], accuracy)
    protocol = protocol_of(metric, predictor)
    points = np.full(len(results), np.nan)
    for places in by_tasks(results):
        points[places] = summary(Scores([results[i] for i in places], protocol))
    return points


def by_tasks(results: Sequence[RunResult]) -> Collection[list[int]]:
    """Give the places of runs that have as many tasks: those of an arm do."""
    places: dict[int, list[int]] = {}
    for i, result in enumerate(results):
        places.setdefault(len(result.rows), []).append(i)
    return places.values()


def resolution(result: RunResult) -> float:
    """Give what one test row is worth in final accuracy, in points; means over time move less.

    0 for somebody's own program, whose rows nobody sees.
    """
    return 100 / sum(result.rows) if result.rows else 0.0

"""What a run's counts say: accuracies, forgetting, transfer and the factors of accuracy, in points.

All of it follows from two integer tables a protocol: rows whose class is right and rows whose task
is right, of task `k` after task `t`. Every figure is in percentage points, 0 to 100.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import numpy as np

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


def accuracy_matrix(result: RunResult, protocol: str) -> Floats:
    """Give R `[T, T]`: accuracy on task k after task t; `nan` above the diagonal."""
    right: Floats = np.array(result.right[protocol], dtype=np.float64)
    right[~np.tri(len(right), dtype=bool)] = np.nan
    matrix: Floats = 100 * right / np.array(result.rows, dtype=np.float64)
    return matrix


def curve(result: RunResult, protocol: str) -> Floats:
    """Give the accuracy over the rows of all seen tasks, after each task, `[T]`."""
    right: Floats = np.tril(np.array(result.right[protocol], dtype=np.float64)).sum(1)
    share: Floats = 100 * right / np.cumsum(result.rows)
    return share


def accuracy(result: RunResult, protocol: str) -> float:
    """Share of all test rows whose class is right, after the last task."""
    return 100 * float(sum(result.right[protocol][-1])) / float(sum(result.rows))


def average_accuracy(result: RunResult, protocol: str) -> float:
    """Mean over tasks of the last row of R (Lopez-Paz & Ranzato 2017, "ACC")."""
    return float(accuracy_matrix(result, protocol)[-1].mean())


def average_incremental_accuracy(result: RunResult, protocol: str) -> float:
    """Mean over the tasks t of the accuracy on all classes seen by then (Rebuffi et al. 2017)."""
    return float(curve(result, protocol).mean())


def forgetting(result: RunResult, protocol: str) -> float:
    """Mean over the old tasks of best earlier minus last accuracy (Chaudhry et al. 2018, F).

    0 for a study of one task. Lower is better.
    """
    matrix = accuracy_matrix(result, protocol)
    if len(matrix) < 2:
        return 0.0
    best = np.nanmax(matrix[:-1, :-1], axis=0)
    return float((best - matrix[-1, :-1]).mean())


def backward_transfer(result: RunResult, protocol: str) -> float:
    """Mean over the old tasks of last minus first accuracy (Lopez-Paz & Ranzato 2017, Eq. 3)."""
    matrix = accuracy_matrix(result, protocol)
    if len(matrix) < 2:
        return 0.0
    return float((matrix[-1, :-1] - np.diag(matrix)[:-1]).mean())


def task_prediction(result: RunResult, protocol: str) -> float:
    """P(task right) over all test rows, after the last task."""
    return 100 * sum(result.task_right[protocol][-1]) / sum(result.rows)


def within_task(result: RunResult, protocol: str) -> float:
    """P(class right | task right) after the last task; `nan` where no task is right."""
    tasks = sum(result.task_right[protocol][-1])
    return 100 * sum(result.right[protocol][-1]) / tasks if tasks else float("nan")


SUMMARIES: dict[str, Callable[[RunResult, str], float]] = {
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


def value(result: RunResult, metric: str, predictor: str) -> float:
    """Give a metric of a run: in points, or of somebody's own program as it is at its last step.

    Raises KeyError where the run lacks it.
    """
    if result.scores:
        return float(result.scores[metric][-1][1])
    summary = SUMMARIES.get(metric.split("@", 1)[0], accuracy)
    return summary(result, protocol_of(metric, predictor))


def resolution(result: RunResult) -> float:
    """Give what one test row is worth in final accuracy, in points; means over time move less.

    0 for somebody's own program, whose rows nobody sees.
    """
    return 100 / sum(result.rows) if result.rows else 0.0

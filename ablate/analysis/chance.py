"""What predicting without remembering scores: chance, the majority class, the newest task alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ablate.records import metrics
from ablate.types import RunResult

CLASS_ROWS = "class_rows"
"""The fact of a record that lines are read from: test rows of each class position, `[C]`."""

ACCURACIES = ("accuracy", "task-prediction", "average-accuracy", "average-incremental-accuracy")
"""Metrics with a line for the newest task alone; a protocol's name is its final accuracy."""

DISTINCT = 1 << 16
"""Numbers of test rows that are remembered: many runs have the same, whose lines are alike."""


@dataclass(frozen=True)
class Lines:
    """What predicting without remembering scores on one run's test rows, in points.

    chance: a class at random. majority: always the most frequent class. newest: the newest task
    without a fault and nothing else; `nan` where the task is told.
    """

    chance: float
    majority: float
    newest: float

    @property
    def floor(self) -> float:
        """Give what has to be surpassed to have learnt anything."""
        return max(self.chance, self.majority)


def lines(record: RunResult, known: bool = False, seen: int | None = None) -> Lines | None:
    """Give the lines of a run after `seen` tasks, or after all; None where it holds no rows."""
    by_class = record.provenance.get(CLASS_ROWS)
    tasks = len(record.rows)
    if not by_class or not tasks or len(by_class) % tasks:
        return None
    return _lines(tuple(by_class), tasks, known, seen or tasks)


@lru_cache(DISTINCT)
def _lines(by_class: tuple[int, ...], tasks: int, known: bool, seen: int) -> Lines | None:
    by_task = np.array(by_class, dtype=np.float64).reshape(tasks, -1)[:seen]
    total, inside = by_task.sum(), by_task.shape[1]
    if not total:
        return None
    if known:
        return Lines(100 / inside, 100 * float(by_task.max(1).sum() / total), math.nan)
    newest = 100 * float(by_task[-1].sum() / total) if seen > 1 else math.nan
    return Lines(100 / by_task.size, 100 * float(by_task.max() / total), newest)


def inside(record: RunResult) -> float:
    """Give what guessing scores inside a task: 1 / U, or the largest share of a class in its task.

    In points; the largest over the tasks, as it is not known which ones a guess falls into.
    """
    return _inside(tuple(record.provenance[CLASS_ROWS]), len(record.rows))


@lru_cache(DISTINCT)
def _inside(by_class: tuple[int, ...], tasks: int) -> float:
    by_task = np.array(by_class, dtype=np.float64).reshape(tasks, -1)
    shares = by_task.max(1) / np.maximum(by_task.sum(1), 1)
    return 100 * max(1 / by_task.shape[1], float(shares.max()))


def newest_line(record: RunResult, metric: str) -> float:
    """Give what the newest task alone scores in a metric; `nan` where that is no line of it."""
    return _newest(tuple(record.rows), metric.split("@", 1)[0])


@lru_cache(DISTINCT)
def _newest(rows: tuple[int, ...], name: str) -> float:
    if len(rows) < 2 or (name in metrics.SUMMARIES and name not in ACCURACIES):
        return math.nan
    if name == "average-accuracy":
        return 100 / len(rows)
    shares = 100 * np.array(rows, dtype=np.float64) / np.cumsum(rows)
    return float(shares.mean() if name == "average-incremental-accuracy" else shares[-1])

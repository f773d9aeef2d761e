"""What predicting without remembering scores: chance, the majority class, the newest task alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ablate.records import metrics
from ablate.records.provenance import TASK_CLASSES
from ablate.types import Floats, RunResult, TaskClasses

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
    by_class, sizes = record.provenance.get(CLASS_ROWS), task_sizes(record)
    if not by_class or not sizes:
        return None
    return _lines(tuple(by_class), sizes, known, seen or len(sizes))


def task_sizes(record: RunResult) -> tuple[int, ...]:
    """Give how many classes each task of a run has; none where its record does not say it."""
    classes, tasks = len(record.provenance.get(CLASS_ROWS, ())), len(record.rows)
    stated = record.provenance.get(TASK_CLASSES)
    if stated:
        return tuple(stated) if (len(stated), sum(stated)) == (tasks, classes) else ()
    return () if not tasks or classes % tasks else TaskClasses.of(tasks, classes).sizes


@lru_cache(DISTINCT)
def _lines(
    by_class: tuple[int, ...], sizes: tuple[int, ...], known: bool, seen: int
) -> Lines | None:
    by_task = _by_task(by_class, sizes)[:seen]
    rows = np.array([task.sum() for task in by_task])
    most = np.array([task.max() for task in by_task])
    total = rows.sum()
    if not total:
        return None
    if known:
        chance = (rows / np.array(sizes[:seen])).sum() / total
        chance = (rows / np.array(sizes[:seen])).sum() / total
        return Lines(100 * float(chance), 100 * float(most.sum() / total), math.nan)
    newest = 100 * float(rows[-1] / total) if seen > 1 else math.nan
    return Lines(100 / sum(sizes[:seen]), 100 * float(most.max() / total), newest)


def _by_task(by_class: tuple[int, ...], sizes: tuple[int, ...]) -> list[Floats]:
    """Give the rows of each task's classes."""
    rows = np.array(by_class, dtype=np.float64)
    return [rows[classes] for classes in TaskClasses(sizes).slices]


def inside(record: RunResult) -> float:
    """Give what guessing scores inside a task: 1 / U, or the largest share of a class in its task.

    In points; the largest over the tasks, as it is not known which ones a guess falls into: 100
    where a task has a single class.
    """
    return _inside(tuple(record.provenance[CLASS_ROWS]), task_sizes(record))


@lru_cache(DISTINCT)
def _inside(by_class: tuple[int, ...], sizes: tuple[int, ...]) -> float:
    shares = [task.max() / max(task.sum(), 1) for task in _by_task(by_class, sizes)]
    return 100 * max(1 / min(sizes), *map(float, shares))


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

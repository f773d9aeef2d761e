"""One logits matrix -> counts of right rows, for every protocol."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np

from ablate.types import Floats, Ints, Predict


class Counts(NamedTuple):
    """Rows whose class, and rows whose task, is right; by task, `[T]` each; 0 for unseen tasks."""

    right: list[int]
    task_right: list[int]


def positions(y: Ints, order: Ints) -> Ints:
    """Turn class numbers into their positions in a class order."""
    where = np.empty(len(order), dtype=np.int64)
    where[order] = np.arange(len(order))
    return where[y]


def rows_by_task(y: Ints, tasks: int, classes_per_task: int) -> list[int]:
    """Count the test rows of each task, from class positions `[N]`."""
    return [int(n) for n in np.bincount(y // classes_per_task, minlength=tasks)]


class Shape(Protocol):
    """What scoring must know of a class-incremental split."""

    @property
    def tasks(self) -> int:
        """Give T."""

    @property
    def classes_per_task(self) -> int:
        """Give U."""


def count(
    logits: Floats,
    y: Ints,
    t: int,
    cut: Shape,
    protocols: Mapping[str, Predict],
    adapted: Mapping[str, Floats] = MappingProxyType({}),
) -> dict[str, Counts]:
    """Score one replica after task t, by protocol.

    logits `[N, C]` and class positions y `[N]` are of all test rows, in the order in which chunks
    are formed; only rows of seen tasks are scored, and only logits of seen classes are looked at.
    adapted: for the protocols that adapt, each task's own logits by its own model, `[N, K, U]`.
    """
    tasks, per_task = cut.tasks, cut.classes_per_task
    task = y // per_task
    order = np.argsort(task, kind="stable")
    order = order[task[order] <= t]
    seen, truth, task = logits[order, : (t + 1) * per_task], y[order], task[order]
    counts = {}
    for label, predict in protocols.items():
        if label in adapted:
            rule: Any = predict
            guess, guessed_task = rule.adapted(seen, adapted[label][order], task)
        else:
            guess, guessed_task = predict(seen, task, per_task)
        counts[label] = Counts(
            np.bincount(task[guess == truth], minlength=tasks).tolist(),
            np.bincount(task[guessed_task == task], minlength=tasks).tolist(),
        )
    return counts

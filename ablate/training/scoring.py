"""One logits matrix -> counts of right rows, for every protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ablate.types import Floats, Ints, Predict, TaskClasses


class Counts(NamedTuple):
    """Rows whose class, and rows whose task, is right; by task, `[T]` each; 0 for unseen tasks."""

    right: list[int]
    task_right: list[int]


def positions(y: Ints, order: Ints) -> Ints:
    """Turn class numbers into their positions in a class order."""
    where = np.empty(len(order), dtype=np.int64)
    where[order] = np.arange(len(order))
    return where[y]


def rows_by_task(y: Ints, by_task: TaskClasses) -> list[int]:
    """Count the test rows of each task, from class positions `[N]`."""
    return [int(n) for n in np.bincount(by_task.task_of(y), minlength=len(by_task))]


def count(
    logits: Floats,
    y: Ints,
    t: int,
    by_task: TaskClasses,
    protocols: Mapping[str, Predict],
    adapted: Mapping[str, Floats] = MappingProxyType({}),
) -> dict[str, Counts]:
    """Score one replica after task t, by protocol.

    logits `[N, C]` and class positions y `[N]` are of all test rows, in the order in which chunks
    are formed; only rows of seen tasks are scored, and only logits of seen classes are looked at.
    by_task: which class positions each task has, all tasks of the study.
    adapted: for the protocols that adapt, each task's logits by its own model, `[N, C]`.
    """
    task = by_task.task_of(y)
    return {
        label: Counts(
            np.bincount(task[rows][guess == y[rows]], minlength=len(by_task)).tolist(),
            np.bincount(task[rows][guessed_task == task[rows]], minlength=len(by_task)).tolist(),
        )
        for label, rows, guess, guessed_task in _guesses(logits, y, t, by_task, protocols, adapted)
    }


def right_rows(
    logits: Floats,
    y: Ints,
    by_task: TaskClasses,
    protocols: Mapping[str, Predict],
    adapted: Mapping[str, Floats] = MappingProxyType({}),
) -> dict[str, NDArray[np.bool_]]:
    """Say of every test row whether its class is right after the last task, `[N]` by protocol.

    Of the protocols that judge a row by itself alone: where rows vote, none has a score of its own.
    """
    alone = {label: rule for label, rule in protocols.items() if getattr(rule, "rows", 1) == 1}
    right = {}
    for label, rows, guess, _ in _guesses(logits, y, len(by_task) - 1, by_task, alone, adapted):
        right[label] = np.zeros(len(y), dtype=bool)
        right[label][rows] = guess == y[rows]
    return right


def _guesses(
    logits: Floats,
    y: Ints,
    t: int,
    by_task: TaskClasses,
    protocols: Mapping[str, Predict],
    adapted: Mapping[str, Floats],
) -> Iterator[tuple[str, Ints, Ints, Ints]]:
    """Give by protocol the rows of seen tasks in order, and their guessed classes and tasks."""
    classes = by_task.seen(t + 1)
    task = by_task.task_of(y)
    order = np.argsort(task, kind="stable")
    order = order[task[order] <= t]
    seen, task = logits[order, : classes.classes], task[order]
    for label, predict in protocols.items():
        if label in adapted:
            rule: Any = predict
            yield label, order, *rule.adapted(seen, adapted[label][order], task, classes)
        else:
            yield label, order, *predict(seen, task, classes)

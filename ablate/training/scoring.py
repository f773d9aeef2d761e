"""One logits matrix -> counts of right rows, for every protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

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
    task = y // cut.classes_per_task
    return {
        label: Counts(
            np.bincount(task[rows][guess == y[rows]], minlength=cut.tasks).tolist(),
            np.bincount(task[rows][guessed_task == task[rows]], minlength=cut.tasks).tolist(),
        )
        for label, rows, guess, guessed_task in _guesses(logits, y, t, cut, protocols, adapted)
    }


def right_rows(
    logits: Floats,
    y: Ints,
    cut: Shape,
    protocols: Mapping[str, Predict],
    adapted: Mapping[str, Floats] = MappingProxyType({}),
) -> dict[str, NDArray[np.bool_]]:
    """Say of every test row whether its class is right after the last task, `[N]` by protocol.

    Of the protocols that judge a row by itself alone: where rows vote, none has a score of its own.
    """
    alone = {label: rule for label, rule in protocols.items() if getattr(rule, "rows", 1) == 1}
    right = {}
    for label, rows, guess, _ in _guesses(logits, y, cut.tasks - 1, cut, alone, adapted):
        right[label] = np.zeros(len(y), dtype=bool)
        right[label][rows] = guess == y[rows]
    return right


def _guesses(
    logits: Floats,
    y: Ints,
    t: int,
    cut: Shape,
    protocols: Mapping[str, Predict],
    adapted: Mapping[str, Floats],
) -> Iterator[tuple[str, Ints, Ints, Ints]]:
    """Give by protocol the rows of seen tasks in order, and their guessed classes and tasks."""
    per_task = cut.classes_per_task
    task = y // per_task
    order = np.argsort(task, kind="stable")
    order = order[task[order] <= t]
    seen, task = logits[order, : (t + 1) * per_task], task[order]
    for label, predict in protocols.items():
        if label in adapted:
            rule: Any = predict
            yield label, order, *rule.adapted(seen, adapted[label][order], task)
        else:
            yield label, order, *predict(seen, task, per_task)

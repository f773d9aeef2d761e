"""Rows -> tasks: what a data set and a list of seeds fix before any training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ablate.core.random_streams import stream
from ablate.streams import batch_tables
from ablate.types import Data, Floats, Ints, TaskClasses


@dataclass(frozen=True)
class Split:
    """What a data set and a list of seeds fix before any training.

    by_task: which class positions each task has. orders `[S, C]`: the class at each position.
    counts `[S, C]`: training rows by position. pool `[S, C, width]`: row numbers by position.
    priorities: by seed and position, in [0, 1). held: by seed, the training rows held out for
    validation, which nothing trains on.
    """

    seeds: tuple[int, ...]
    by_task: TaskClasses
    orders: Ints
    counts: Ints
    pool: Ints
    priorities: list[list[Floats]]
    held: list[Ints]

    @property
    def classes(self) -> int:
        """C."""
        return int(self.orders.shape[1])

    @property
    def tasks(self) -> int:
        """T."""
        return len(self.by_task)

    @property
    def width(self) -> int:
        """The most rows that any class has."""
        return int(self.pool.shape[2])


def split(
    data: Data,
    seeds: tuple[int, ...],
    tasks: int | Sequence[int],
    class_order: str,
    validation_rows: int = 0,
) -> Split:
    """Sort a data set's rows by class and put the classes in each seed's order.

    tasks: T, or the classes of each task. validation_rows: held out of each class, drawn for the
    seed; at least one row is left to train.
    Raises ValueError where the classes cannot be shared among the tasks.
    """
    classes = int(data.y_train.max()) + 1
    by_task = TaskClasses.of(tasks, classes)
    rows = [np.flatnonzero(data.y_train == c) for c in range(classes)]
    width = max(map(len, rows))
    orders = np.stack([batch_tables.class_order(seed, classes, class_order) for seed in seeds])
    pools, counts, priorities, held = [], [], [], []
    for seed, order in zip(seeds, orders, strict=True):
        out = [
            batch_tables.held_out(seed, c, len(rows[c]), validation_rows) for c in range(classes)
        ]
        by_class = [rows[c][~out[c]] for c in order]
        pools.append(np.stack([np.pad(numbers, (0, width - len(numbers))) for numbers in by_class]))
        counts.append([len(numbers) for numbers in by_class])
        drawn = [stream(seed, "memory", int(c)).random(len(rows[c])) for c in order]
        priorities.append([draws[~out[c]] for c, draws in zip(order, drawn, strict=True)])
        held.append(
            np.concatenate([numbers[mask] for numbers, mask in zip(rows, out, strict=True)])
        )
    return Split(
        seeds=seeds,
        by_task=by_task,
        orders=orders,
        counts=np.array(counts),
        pool=np.stack(pools),
        priorities=priorities,
        held=held,
    )

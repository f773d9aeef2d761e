"""Streams whose tasks have the same classes: every task changes the rows in a way of its own."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from ablate.core.random_streams import stream
from ablate.errors import DataError
from ablate.types import Data, Facts, Floats, Ints

Change = Callable[[NDArray[np.float32], int], NDArray[np.float32]]
"""Rows `[N, ...]` and a task -> the rows as that task shows them."""


def facts(
    of: Facts, tasks: int, train_rows: int | None, test_rows: int | None, label: str
) -> Facts:
    """Give what a stream of changed rows holds; label: what names the change, for the digest.

    Raises DataError where a task has fewer rows than classes.
    """
    for rows, what in ((train_rows, "train"), (test_rows, "test")):
        if rows is not None and rows < of.classes:
            raise DataError(f"{rows} rows of a task to {what} do not cover {of.classes} classes")
    train, test = (
        tasks * (there if wanted is None else min(wanted, there))
        for wanted, there in ((train_rows, of.train_rows), (test_rows, of.test_rows))
    )
    words = f"{of.digest} {tasks} {train_rows} {test_rows} {label}"
    return of._replace(
        classes=tasks * of.classes,
        train_rows=train,
        test_rows=test,
        digest=sha256(words.encode()).hexdigest(),
    )


def tasks_of(
    data: Data,
    tasks: int,
    rows: tuple[int | None, int | None],
    draw: int,
    change: Change,
) -> Data:
    """Give every task its own rows, changed in its way; class c of task t is class t U + c.

    rows: of a task to train and to test, drawn without replacement; None takes all.
    """
    classes = int(data.y_train.max()) + 1

    def part(x: NDArray[np.float32], y: Ints, side: int) -> tuple[NDArray[np.float32], Ints]:
        by_task = [drawn(draw, t, side, y, rows[side]) for t in range(tasks)]
        changed = [change(x[indices], t) for t, indices in enumerate(by_task)]
        labels = [y[indices] + t * classes for t, indices in enumerate(by_task)]
        return np.concatenate(changed), np.concatenate(labels)

    return Data(*part(data.x_train, data.y_train, 0), *part(data.x_test, data.y_test, 1))


def drawn(draw: int, t: int, side: int, y: Ints, most: int | None) -> Ints:
    """Give the numbers of a task's rows, rising, as evenly from all classes as these allow.

    y: the classes of all rows. side: 0 to train, 1 to test.
    """
    if most is None or most >= len(y):
        return np.arange(len(y))
    mixed = stream(draw, "domain rows", t, side).permutation(len(y))
    rank = np.empty(len(y), dtype=np.int64)  # of a row among its class's
    for c in np.unique(y):
        members = mixed[y[mixed] == c]
        rank[members] = np.arange(len(members))
    return np.sort(mixed[np.argsort(rank[mixed], kind="stable")][:most])


def permutation(draw: int, t: int, size: int) -> Ints:
    """Give the order in which a task shows a row's values; the first task leaves them in place."""
    return np.arange(size) if t == 0 else stream(draw, "domain pixels", t).permutation(size)


def turned(x: NDArray[np.float32], degrees: float) -> NDArray[np.float32]:
    """Turn pictures `[N, channels, height, width]` counter-clockwise, bilinear, dark outside."""
    from scipy.ndimage import rotate

    if degrees % 360 == 0:
        return x
    dark: Floats = np.asarray(x.min(), np.float64)
    rotated: NDArray[np.float32] = rotate(
        x, degrees, axes=(3, 2), reshape=False, order=1, cval=float(dark)
    )
    return rotated

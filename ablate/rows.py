"""What any data set must fulfil before it can be split into tasks, and its digest."""

from __future__ import annotations

import hashlib

import numpy as np

from ablate.errors import DataError
from ablate.types import Data, Facts, Ints


def facts_of(data: Data, where: str) -> Facts:
    """Check a data set in memory and say what it holds; `where` names it in messages.

    Raises DataError where shapes do not fit, values are not finite, or a class lacks rows.
    """
    x, y, x_test, y_test = data
    if len(x) != len(y) or len(x_test) != len(y_test) or x.shape[1:] != x_test.shape[1:]:
        raise DataError(
            f"{where}: the parts do not belong together: {len(x)} rows {list(x.shape[1:])} and "
            f"{len(y)} labels to train, {len(x_test)} rows {list(x_test.shape[1:])} and "
            f"{len(y_test)} labels to test."
        )
    if not x.size or not x_test.size or x.ndim < 2:
        raise DataError(f"{where}: rows without values, of shapes {x.shape} and {x_test.shape}.")
    if not (np.isfinite(x).all() and np.isfinite(x_test).all()):
        raise DataError(f"{where}: some values are not finite numbers.")
    classes = count_classes(y, y_test, where)
    digest = hashlib.sha256()
    for part in data:
        digest.update(np.ascontiguousarray(part).tobytes())
    return Facts(x.shape[1:], classes, len(x), len(x_test), digest.hexdigest())


def first_of_each(y: Ints, most: int | None) -> Ints:
    """Give the places of the first `most` rows of each class, in order; all where it is None.

    >>> first_of_each(np.array([1, 0, 1, 1]), 2).tolist()
    [0, 1, 2]
    """
    if most is None:
        return np.arange(len(y))
    return np.sort(np.concatenate([np.flatnonzero(y == c)[:most] for c in np.unique(y)]))


def fewer(data: Data, train: int | None, test: int | None) -> Data:
    """Give a data set with at most `train` and `test` rows of each class."""
    kept, tested = first_of_each(data.y_train, train), first_of_each(data.y_test, test)
    return Data(data.x_train[kept], data.y_train[kept], data.x_test[tested], data.y_test[tested])


def count_classes(y_train: Ints, y_test: Ints, where: str) -> int:
    """Count the classes. Raises DataError unless both parts have rows of classes 0, 1, 2 ..."""
    if y_train.min() < 0 or y_test.min() < 0:
        raise DataError(f"{where}: labels must be 0, 1, 2 ...; some are negative.")
    counts = [np.bincount(y) for y in (y_train, y_test)]
    if len(counts[0]) != len(counts[1]) or not all(count.all() for count in counts):
        raise DataError(
            f"{where}: labels must be 0, 1, 2 ... with rows of every class in both parts; rows by "
            f"class are {counts[0].tolist()[:20]} to train and {counts[1].tolist()[:20]} to test."
        )
    return len(counts[0])

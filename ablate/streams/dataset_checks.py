"""What any data set must fulfil before it can be split into tasks, and its digest."""

from __future__ import annotations

import hashlib

import numpy as np

from ablate.errors import DataError
from ablate.streams.row_warnings import warnings_of
from ablate.types import Data, Facts, Ints

SHOWN = 5
"""So many classes are named in a message."""


def facts_of(data: Data, where: str) -> Facts:
    """Check a data set in memory and say what it holds; `where` names it in messages.

    Raises DataError where shapes do not fit, values are not finite, or a class lacks rows.
    """
    classes = check_rows(data, where)
    sizes = len(data.x_train), len(data.x_test)
    return Facts(
        data.x_train.shape[1:], classes, *sizes, content_digest(data), warnings=warnings_of(data)
    )


def check_rows(data: Data, where: str) -> int:
    """Check a data set in memory and count its classes. Raises DataError as `facts_of` does."""
    x, y, x_test, y_test = data
    if x.ndim < 2 or x_test.ndim < 2:
        raise DataError(
            f"{where}: rows of shapes {x.shape} and {x_test.shape} have no values of their own; "
            "[rows, features] or [rows, channels, H, W] is needed."
        )
    if len(x) != len(y) or len(x_test) != len(y_test) or x.shape[1:] != x_test.shape[1:]:
        raise DataError(
            f"{where}: the parts do not belong together: {len(x)} rows {list(x.shape[1:])} and "
            f"{len(y)} labels to train, {len(x_test)} rows {list(x_test.shape[1:])} and "
            f"{len(y_test)} labels to test.{_transposed(data)}"
        )
    if not x.size or not x_test.size:
        raise DataError(f"{where}: rows without values, of shapes {x.shape} and {x_test.shape}.")
    for part, rows in (("train", x), ("test", x_test)):
        bad = ~np.isfinite(rows).reshape(len(rows), -1).all(1)
        if bad.any():
            raise DataError(
                f"{where}: some values are not finite numbers in single precision (NaN, inf or "
                f"beyond 3.4e38): in {bad.sum()} of {len(rows)} rows to {part}, first in row "
                f"{int(bad.argmax())}. Leave these rows out or fill them in."
            )
    return count_classes(y, y_test, where)


def _transposed(data: Data) -> str:
    """Say that features seem to come before rows, as other tools keep them."""
    x, y, x_test, y_test = data
    last = x.shape[-1] == len(y) and x_test.shape[-1] == len(y_test)
    return " Rows seem to be last: np.moveaxis(x, -1, 0) puts them first." if last else ""


def content_digest(data: Data) -> str:
    """Give the SHA-256 of a data set's four arrays."""
    digest = hashlib.sha256()
    for part in data:
        digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()


def agree(data: Data, facts: Facts, where: str) -> tuple[str, ...]:
    """Hold the rows that were loaded against what was said of them, and give the warnings.

    A data set's `look` and `load` may be anybody's code, on files that may have changed between.
    Raises DataError where the rows are none or have another shape or other classes.
    """
    classes = check_rows(data, where)
    if (data.x_train.shape[1:], classes) != (tuple(facts.inputs), facts.classes):
        raise DataError(
            f"{where}: {facts.classes} classes and rows of shape {list(facts.inputs)} were "
            f"announced, {classes} classes and rows of shape {list(data.x_train.shape[1:])} were "
            "read. Were the files changed meanwhile? Run again."
        )
    announced, read = (facts.train_rows, facts.test_rows), (len(data.x_train), len(data.x_test))
    other = f"{announced[0]} + {announced[1]} rows were announced, {read[0]} + {read[1]} were read."
    doubts = [*facts.warnings, *([other] if announced != read else []), *warnings_of(data)]
    return tuple(dict.fromkeys(doubts))


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
    trained, tested = first_of_each(data.y_train, train), first_of_each(data.y_test, test)
    return Data(
        data.x_train[trained], data.y_train[trained], data.x_test[tested], data.y_test[tested]
    )


def count_classes(y_train: Ints, y_test: Ints, where: str) -> int:
    """Count the classes. Raises DataError unless both parts have rows of classes 0, 1, 2 ...

    What is counted are the labels that are there: one label of 2^40 makes no table of that size.
    """
    if not len(y_train) or not len(y_test):
        raise DataError(f"{where}: {len(y_train)} labels to train and {len(y_test)} to test.")
    trained, tested = np.unique(y_train), np.unique(y_test)
    if min(trained[0], tested[0]) < 0:
        below = np.union1d(trained[trained < 0], tested[tested < 0])
        narrow = "; of more than 128 classes, int8 is too narrow" if below[0] == -128 else ""
        raise DataError(
            f"{where}: labels must be 0, 1, 2 ...; some are negative ({named(below)}): number the "
            f"classes in order, as by np.unique(y, return_inverse=True)[1]{narrow}."
        )
    every = np.union1d(trained, tested)
    faults = []
    if len(every) == 1:
        faults.append("there is one class alone, at least 2 are needed")
    if every[0] == 1 and every[-1] == len(every):
        faults.append("they start at 1: subtract 1")
    elif every[-1] != len(every) - 1:
        faults.append(f"they are {named(every)}: number the classes in order")
    for part, there in (("train", trained), ("test", tested)):
        if len(lacking := np.setdiff1d(every, there)):
            faults.append(f"there is no row to {part} of {named(lacking)}")
    if faults:
        raise DataError(
            f"{where}: labels must be 0, 1, 2 ... with rows of every class in both parts; "
            f"{'; '.join(faults)}."
        )
    return len(every)


def named(classes: Ints) -> str:
    """Name some classes, the first few of them.

    >>> named(np.arange(7))
    '0, 1, 2, 3, 4 and 2 more'
    """
    more = f" and {len(classes) - SHOWN:,} more" if len(classes) > SHOWN else ""
    return ", ".join(map(str, classes[:SHOWN].tolist())) + more

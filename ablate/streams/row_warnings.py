"""What is odd in a data set's rows, though they can be trained on: said at plan and in reports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ablate.types import Data, Ints

LARGE = 10.0
"""A root mean square beyond which inputs are far from unit scale, as networks are drawn for ..."""
SMALL = 1e-3
"""... below which they are, too ..."""
EXTREME = 1000.0
"""... and a single value that alone is."""
APART = 10.0
"""How many times one part's root mean square may be the other's."""
DIFFER, SAME = 0.01, 1e-6
"""A spread about the mean row, as a share of the root mean square, under which rows hardly differ,
and under which single precision shows them as the same."""
AMBIGUOUS = 0.01
"""Published data sets have a few rows under two classes; a larger share than this is a fault."""
UNEVEN = 20
"""How many times the smallest class the largest may be, before averages hide the small ones."""
HIDES = {
    "train": "the small ones weigh little in what is learnt",
    "test": "accuracy over all rows is mostly that of the large ones, and what naming the largest "
    "scores is the majority class in the table of arms",
}


def warnings_of(data: Data) -> tuple[str, ...]:
    """Say what a reader should know of a data set's rows; nothing where they are as usual."""
    return (
        *scale(data.x_train),
        *alike(data.x_train),
        *scaled_apart(data.x_train, data.x_test),
        *duplicates(data.x_train, data.x_test),
        *contradicted(data.x_train, data.y_train),
        *singles(data),
        *uneven(data.y_train, "train"),
        *uneven(data.y_test, "test"),
    )


def scale(rows: NDArray[Any]) -> Iterator[str]:
    """Say where values are far from unit scale: initial weights and rates are made for that."""
    largest, size = sizes(rows)
    if largest == 0:
        yield "Every value of the training rows is 0."
    elif size > LARGE or largest > EXTREME or size < SMALL:
        whole = rows.min() >= 0 and largest <= 255 and (rows == np.rint(rows)).all()
        remedy = "divide them by 255" if whole else "standardise them"
        what = "raw pixels of 0 to 255" if whole else "values"
        yield (
            f"The rows are {what} of a root mean square of {size:.3g} (the largest {largest:.3g}), "
            f"taken as they are: networks are drawn for about 1 and may learn nothing; {remedy}."
        )


def alike(rows: NDArray[Any]) -> Iterator[str]:
    """Say where rows are nearly the same: what tells them apart drowns in what they share."""
    largest, size = sizes(rows)
    if largest == 0 or len(rows) == 1:
        return
    common = sizes(rows.mean(0, dtype=np.float64))[1]
    share = max(0.0, 1 - (common / size) ** 2) ** 0.5
    if share < SAME:
        yield "All training rows are the same: there is nothing to tell classes by."
    elif share < DIFFER:
        yield (
            f"The training rows hardly differ: their spread about the mean row is {share:.1g} of "
            "their root mean square; subtract the mean row of the training rows and scale."
        )


def contradicted(rows: NDArray[Any], labels: Ints) -> Iterator[str]:
    """Say how many rows stand under several classes, where they are many."""
    classes: dict[int, set[int]] = {}
    hashes = [_hash(row) for row in rows]
    for key, label in zip(hashes, labels.tolist(), strict=True):
        classes.setdefault(key, set()).add(label)
    yield from ambiguous(sum(len(classes[key]) > 1 for key in hashes), len(rows))


def ambiguous(count: int, total: int) -> Iterator[str]:
    """Say of `count` of all training rows that they have other classes too; of a few nothing."""
    if count > AMBIGUOUS * total:
        yield (
            f"{count:,} of {total:,} training rows stand under another class too, value for value: "
            "no learner can tell them apart."
        )


def uneven(labels: Ints, part: str) -> Iterator[str]:
    """Say where one class has many times the rows of another."""
    _, counts = np.unique(labels, return_counts=True)
    if len(counts) and counts.max() > UNEVEN * counts.min():
        yield f"Classes have {counts.min():,} to {counts.max():,} rows to {part}: {HIDES[part]}."


def scaled_apart(train: NDArray[Any], test: NDArray[Any]) -> Iterator[str]:
    """Say where one part seems to be scaled and the other not."""
    trained, tested = sizes(train)[1], sizes(test)[1]
    if max(trained, tested) > APART * min(trained, tested):
        yield (
            f"The training rows have a root mean square of {trained:.3g}, the test rows of "
            f"{tested:.3g}: scale both in the same way."
        )


def sizes(rows: NDArray[Any]) -> tuple[float, float]:
    """Give the largest absolute value and the root mean square.

    >>> sizes(np.array([[3.0, -4.0]]))
    (4.0, 3.5355339059327378)
    """
    largest = max(float(rows.max()), -float(rows.min()))
    shares = rows / max(largest, 1e-30)  # so that no square overflows
    return largest, largest * float(np.sqrt(np.mean(np.square(shares, dtype=np.float64))))


def duplicates(train: NDArray[Any], test: NDArray[Any]) -> Iterator[str]:
    """Say how many test rows are training rows as well, value for value.

    Rows are compared by a hash of 64 bits, so that a million takes seconds and no second copy.
    """
    if train.shape[1:] == test.shape[1:]:
        trained = set(map(_hash, train))
        yield from copied(sum(_hash(row) in trained for row in test), len(test))


def copied(count: int, tests: int) -> Iterator[str]:
    """Say of `count` of all test rows that they were trained on; nothing of none."""
    if count:
        yield (
            f"{count:,} of {tests:,} test rows are training rows too, value for value: what is "
            "scored on them is memory, not generalisation."
        )


def _hash(row: NDArray[Any]) -> int:
    return hash(row.tobytes())


def singles(data: Data) -> Iterator[str]:
    """Name the classes of a single row."""
    for part, labels in (("train", data.y_train), ("test", data.y_test)):
        classes: Ints
        classes, counts = np.unique(labels, return_counts=True)
        if len(alone := classes[counts == 1]):
            first = ", ".join(map(str, alone[:5].tolist())) + (" ..." if len(alone) > 5 else "")
            yield f"{len(alone)} of {len(classes)} classes have a single row to {part}: {first}."

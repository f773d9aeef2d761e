"""Another data set whose tasks permute its pixels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ablate.registry import component
from ablate.types import Data, Dataset, Facts

from . import _domains


@component("dataset", "permuted", paper="Goodfellow et al. 2013, arXiv:1312.6211; Kirkpatrick 2017")
@dataclass(frozen=True)
class Permuted:
    """T tasks of the same U classes, each with an order of the pixels of its own, the first as is.

    A domain-incremental stream: models share their U outputs with `domains: T`, and
    `predict: shared-head` scores them, which needs no task. The orders and the rows are the same
    for every seed and every arm: verdicts hold for these.

    of: the data set.
    tasks: T, [1, 1000].
    train_rows: rows of a task to train, drawn for it, [1, 1e9]; null takes all.
    test_rows: the same to test, [1, 1e9].
    draw: which orders and rows are drawn, [0, 1e9].
    class_order: `natural`: a task's classes stay its own.
    """

    of: Dataset
    tasks: int = 10
    train_rows: int | None = 1000
    test_rows: int | None = 1000
    draw: int = 0
    class_order: Literal["natural"] = "natural"

    def look(self, root: Path) -> Facts:
        """Check the other data set."""
        return _domains.facts(
            self.of.look(root), self.tasks, self.train_rows, self.test_rows, f"permuted {self.draw}"
        )

    def fetch(self, root: Path) -> None:
        """Download what the other data set lacks, where it can be."""
        if hasattr(self.of, "fetch"):
            self.of.fetch(root)

    def load(self, root: Path) -> Data:
        """Read the rows and permute them, task by task."""
        data = self.of.load(root)
        shape = data.x_train.shape[1:]
        size = int(data.x_train[0].size)

        def permuted(x: NDArray[np.float32], t: int) -> NDArray[np.float32]:
            places = _domains.permutation(self.draw, t, size)
            return x.reshape(len(x), size)[:, places].reshape(len(x), *shape)

        rows = self.train_rows, self.test_rows
        return _domains.tasks_of(data, self.tasks, rows, self.draw, permuted)

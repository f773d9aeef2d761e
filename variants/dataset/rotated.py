"""Another data set of pictures whose tasks turn them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ablate.errors import DataError
from ablate.registry import component
from ablate.types import Data, Dataset, Facts

from . import _domains


@component("dataset", "rotated", paper="Lopez-Paz & Ranzato 2017 (GEM), arXiv:1706.08840, sec. 4.1")
@dataclass(frozen=True)
class Rotated:
    """T tasks of the same U classes, task t turned by `degrees` t / T, counter-clockwise.

    A domain-incremental stream: models share their U outputs with `domains: T`, and
    `predict: shared-head` scores them, which needs no task. Unlike the paper, angles are evenly
    spaced, not drawn. The rows are the same for every seed and every arm: verdicts hold for these.

    of: the data set, of pictures.
    tasks: T, [1, 1000].
    degrees: [0, 360].
    train_rows: rows of a task to train, drawn for it, [1, 1e9]; null takes all.
    test_rows: the same to test, [1, 1e9].
    draw: which rows are drawn, [0, 1e9].
    class_order: `natural`: a task's classes stay its own.
    """

    of: Dataset
    tasks: int = 10
    degrees: float = 180.0
    train_rows: int | None = 1000
    test_rows: int | None = 1000
    draw: int = 0
    class_order: Literal["natural"] = "natural"

    def look(self, root: Path) -> Facts:
        """Check the other data set. Raises DataError where it holds no pictures."""
        facts = self.of.look(root)
        if len(facts.inputs) != 3:
            raise DataError(f"rows of shape {facts.inputs} are no pictures, and cannot be turned")
        label = f"rotated {self.degrees} {self.draw}"
        return _domains.facts(facts, self.tasks, self.train_rows, self.test_rows, label)

    def fetch(self, root: Path) -> None:
        """Download what the other data set lacks, where it can be."""
        if hasattr(self.of, "fetch"):
            self.of.fetch(root)

    def load(self, root: Path) -> Data:
        """Read the rows and turn them, task by task."""
        rows = self.train_rows, self.test_rows
        return _domains.tasks_of(
            self.of.load(root),
            self.tasks,
            rows,
            self.draw,
            lambda x, t: _domains.turned(x, self.degrees * t / self.tasks),
        )

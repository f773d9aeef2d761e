"""Articles of clothing, from a data root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ablate.registry import component
from ablate.streams.dataset_checks import fewer
from ablate.types import Data, Facts

from . import _idx


@component("dataset", "fashion-mnist", paper="Xiao, Rasul & Vollgraf 2017, arXiv:1708.07747")
@dataclass(frozen=True)
class FashionMNIST:
    """Articles of clothing, 28 x 28, 10 classes; 60,000 + 10,000 rows in full.

    The four IDX files stand in `<data root>/FashionMNIST/raw`, `FashionMNIST` or `fashion-mnist`,
    as they are published, gzipped or not (`train-images-idx3-ubyte.gz` ...); any part of the rows
    in that format works too, and is marked as custom data.

    tasks: T, a divisor of the number of classes, [1, 1000]; or a list, the classes of each task
        in order.
    class_order: `seeded` draws the order of the classes for each seed, `natural` keeps it.
    mean: subtracted from pixels of 0 to 1, [-1e6, 1e6].
    sd: what they are then divided by, (0, 1e6].
    train_per_class: at most this many rows of each class to train, [1, 1e9]; null takes all.
    test_per_class: the same to test, [1, 1e9].
    """

    tasks: int | tuple[int, ...] = 5
    class_order: Literal["seeded", "natural"] = "seeded"
    mean: float = 0.2860
    sd: float = 0.3530
    train_per_class: int | None = None
    test_per_class: int | None = None

    def look(self, root: Path) -> Facts:
        """Check the files without torch. Raises DataError naming those that are missing."""
        return _idx.look(root, "FashionMNIST", self.train_per_class, self.test_per_class)

    def fetch(self, root: Path) -> None:
        """Download missing files through torchvision. Raises DataError where that fails."""
        _idx.fetch(root, "FashionMNIST")

    def load(self, root: Path) -> Data:
        """Read the rows."""
        data = _idx.load(root, "FashionMNIST", self.mean, self.sd)
        return fewer(data, self.train_per_class, self.test_per_class)

"""CIFAR-100, from a data root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ablate.registry import component
from ablate.types import Data, Facts

from . import _cifar
from ._cifar import Published

PUBLISHED = Published(
    name="CIFAR-100",
    reader="CIFAR100",
    folder="cifar-100-python",
    md5={
        "train": "16019d7e3df5f24257cddd939b257f8d",
        "test": "f0ef6b0ae62326f3e7ffdfab6717acfc",
    },
    tests="test",
)


@component("dataset", "cifar100", paper="Krizhevsky 2009, Learning multiple layers of features")
@dataclass(frozen=True)
class CIFAR100:
    """Small pictures in colour, 32 x 32, 100 classes; 50,000 + 10,000 rows in full.

    The published files (python version) stand in `<data root>/cifar-100-python`. They are
    pickles, so files with another digest are refused.

    tasks: T, a divisor of 100, [1, 100]; 20, 10 and 5 are the usual ones. Or a list, the classes of
        each task in order: `[50, 10, 10, 10, 10, 10]` begins with half of them.
    class_order: `seeded` draws the order of the classes for each seed, `natural` keeps it.
    mean: subtracted from pixels of 0 to 1: one number, or one a channel, each in [-1e6, 1e6].
    sd: what they are then divided by, one number or one a channel, each in (0, 1e6].
    train_per_class: at most this many rows of each class to train, [1, 1e9]; null takes all.
    test_per_class: the same to test, [1, 1e9].
    """

    tasks: int | tuple[int, ...] = 10
    class_order: Literal["seeded", "natural"] = "seeded"
    mean: tuple[float, ...] = (0.5071, 0.4867, 0.4408)
    sd: tuple[float, ...] = (0.2675, 0.2565, 0.2761)
    train_per_class: int | None = None
    test_per_class: int | None = None

    @property
    def _limits(self) -> _cifar.Limits:
        return self.train_per_class, self.test_per_class

    def look(self, root: Path) -> Facts:
        """Check the files without torch. Raises DataError naming those missing or foreign."""
        return _cifar.look(PUBLISHED, root, self._limits)

    def fetch(self, root: Path) -> None:
        """Download missing files through torchvision. Raises DataError where that fails."""
        _cifar.fetch(PUBLISHED, root)

    def load(self, root: Path) -> Data:
        """Read the rows; files are checked again before they are opened."""
        return _cifar.load(PUBLISHED, root, (self.mean, self.sd), self._limits)

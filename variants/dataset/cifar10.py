"""CIFAR-10, from a data root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ablate.registry import component
from ablate.types import Data, Facts

from . import _cifar
from ._cifar import Published

PUBLISHED = Published(
    name="CIFAR-10",
    reader="CIFAR10",
    folder="cifar-10-batches-py",
    md5={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
    },
    tests="test_batch",
)


@component("dataset", "cifar10", paper="Krizhevsky 2009, Learning multiple layers of features")
@dataclass(frozen=True)
class CIFAR10:
    """Small pictures in colour, 32 x 32, 10 classes; 50,000 + 10,000 rows in full.

    The published files (python version) stand in `<data root>/cifar-10-batches-py`. They are
    pickles, so files with another digest are refused.

    tasks: T, a divisor of 10, [1, 10]; or a list, the classes of each task
        in order.
    class_order: `seeded` draws the order of the classes for each seed, `natural` keeps it.
    mean: subtracted from pixels of 0 to 1: one number, or one a channel, each in [-1e6, 1e6].
    sd: what they are then divided by, one number or one a channel, each in (0, 1e6].
    train_per_class: at most this many rows of each class to train, [1, 1e9]; null takes all.
    test_per_class: the same to test, [1, 1e9].
    """

    tasks: int | tuple[int, ...] = 5
    class_order: Literal["seeded", "natural"] = "seeded"
    mean: tuple[float, ...] = (0.4914, 0.4822, 0.4465)
    sd: tuple[float, ...] = (0.2023, 0.1994, 0.201)
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
